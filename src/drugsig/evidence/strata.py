"""How a threshold does within strata: on pairs of one kind, whose source is not known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.evidence.pair_samples import PairSample
from drugsig.evidence.roc import auc

__all__ = ["ALL_STRATA", "StratumRate", "stratum_rates"]

Floats = NDArray[np.float64]

ALL_STRATA = "all strata"


@dataclass(frozen=True)
class StratumRate:
    """How a threshold does on pairs of different seizures that agree in every stratum column.

    Parameters
    ----------
    stratum : str
        The texts of the stratum columns, or "all strata".
    n_pairs : int
        Pairs of different seizures in it; their source is not known.
    link_rate : float
        The share of them that meets the threshold.
    auc : float
        Linked pairs against these pairs.
    """

    stratum: str
    n_pairs: int
    link_rate: float
    auc: float


def stratum_rates(
    sample: PairSample, value: float, strata: dict[str, Floats], /
) -> tuple[StratumRate, ...]:
    """Measure a threshold on the pairs of every stratum, all of them together first.

    Parameters
    ----------
    sample : PairSample
        The pairs of known source, for the area under the curve.
    value : float
        The threshold.
    strata : dict of str to ndarray of float64
        From `drugsig.evidence.stratum_pairs`.
    """
    filled = {label: scores for label, scores in strata.items() if len(scores)}
    if not filled:
        return ()
    metric = sample.metric
    everything = {ALL_STRATA: np.concatenate(list(filled.values())), **filled}
    return tuple(
        StratumRate(
            stratum=label,
            n_pairs=len(scores),
            link_rate=float(metric.meets(scores, value).mean()),
            auc=auc(sample.linked_scores, scores, metric=metric),
        )
        for label, scores in everything.items()
    )
