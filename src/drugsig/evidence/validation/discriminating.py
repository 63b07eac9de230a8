"""How well likelihood ratios, taken as scores, tell linked from unlinked pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from drugsig.comparison.metrics import METRICS, Metric
from drugsig.evidence.dependence import measure_dependence
from drugsig.evidence.discrimination import Discrimination, discriminated
from drugsig.evidence.evaluation.evaluation import Evaluation
from drugsig.evidence.pair_samples import PairSample

__all__ = ["LR_AS_SCORE", "lr_discrimination"]

# A metric in name only: it says that large LRs speak for a common source, and scores no profiles.
LR_AS_SCORE: Metric = replace(
    METRICS["pearson"],
    name="log10 LR",
    low=-np.inf,
    high=np.inf,
    self_value=np.inf,
    formula="log10 of the likelihood ratio",
)


def lr_discrimination(
    evaluation: Evaluation, /, *, rng: np.random.Generator, n_resamples: int
) -> Discrimination:
    """Measure how well calibrated LRs tell linked from unlinked pairs, all fold seeds together.

    Calibrated and not bounded ones: at a bound many LRs are equal, and their order is lost.

    Parameters
    ----------
    evaluation : Evaluation
        Of pairs of known source.
    rng : numpy.random.Generator
        For resampling sources.
    n_resamples : int
        How often.
    """
    used, numbers = np.unique(
        np.concatenate([evaluation.source_a, evaluation.source_b]), return_inverse=True
    )
    n = len(evaluation)
    sample = PairSample(
        scores=evaluation.log10_lr("calibrated").copy(),
        linked=evaluation.linked.copy(),
        rows=evaluation.item_a.astype(np.int32),
        columns=evaluation.item_b.astype(np.int32),
        source_a=numbers[:n].astype(np.int32),
        source_b=numbers[n:].astype(np.int32),
        sources=tuple(evaluation.sources[k] for k in used),
        rule=evaluation.rule,
        metric=LR_AS_SCORE,
        n_undecided=0,
        n_undefined=0,
        n_same_specimen=0,
        left_out={},
    )
    found = discriminated(sample, rng=rng, n_resamples=n_resamples)
    # A pair comes once a fold seed, and is one pair.
    _, once = np.unique(np.stack([sample.rows, sample.columns]), axis=1, return_index=True)
    pairs = {
        name: getattr(sample, name)[once]
        for name in ("scores", "linked", "rows", "columns", "source_a", "source_b")
    }
    return replace(found, dependence=measure_dependence(replace(sample, **pairs)))
