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
    # Sources and items without a pair must not be resampled.
    used = np.union1d(evaluation.source_a, evaluation.source_b)
    number = np.full(len(evaluation.sources), -1, dtype=np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    source = np.full(len(evaluation.items), -1, dtype=np.int32)
    source[evaluation.item_a] = number[evaluation.source_a]
    source[evaluation.item_b] = number[evaluation.source_b]
    sample = PairSample(
        scores=evaluation.log10_lr("calibrated").copy(),
        linked=evaluation.linked.copy(),
        first=evaluation.item_a.astype(np.int32),
        second=evaluation.item_b.astype(np.int32),
        source=source,
        sources=tuple(evaluation.sources[k] for k in used),
        rule=evaluation.rule,
        metric=LR_AS_SCORE,
    )
    found = discriminated(sample, rng=rng, n_resamples=n_resamples)
    # A pair comes once a fold seed, and is one pair.
    _, once = np.unique(np.stack([sample.first, sample.second]), axis=1, return_index=True)
    pairs = {name: getattr(sample, name)[once] for name in ("scores", "linked", "first", "second")}
    return replace(found, dependence=measure_dependence(replace(sample, **pairs)))
