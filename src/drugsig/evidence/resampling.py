"""Intervals by resampling sources.

The pairs of one source depend on each other, so sources are drawn, not pairs: a source drawn
twice counts its linked pairs twice and its unlinked pairs with another source as often as the
product of both counts. Pairs between copies of one source are never made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from drugsig.evidence.pair_samples import PairSample
from drugsig.evidence.roc import auc
from drugsig.evidence.weighted_roc import RankedPairs, rank_pairs

__all__ = [
    "CONFIDENCE",
    "Interval",
    "affordable_by_pairs",
    "affordable_resamples",
    "auc_interval",
    "independent_units",
    "independent_units_of",
    "percentile_interval",
    "ranked_sample",
    "rate_interval",
    "source_weights",
]

Floats = NDArray[np.float64]

CONFIDENCE = 0.95

# Above this many products of a pair and a resample there are fewer resamples: of the area under
# the curve, which sorts pairs, and of a rate, which adds them up by pair of sources.
_MOST_FOR_AUC = 400_000_000
_MOST_FOR_RATE = 2_000_000_000
_FEWEST_RESAMPLES = 200

# A matrix with more than this share of entries is multiplied faster in full, if it is not too big.
_CROWDED = 0.05
_MOST_CROWDED_SOURCES = 6000


@dataclass(frozen=True)
class Interval:
    """A 95 % interval.

    Parameters
    ----------
    low, high : float
        The ends.
    """

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.4g} to {self.high:.4g}"


def source_weights(n_sources: int, n_resamples: int, rng: np.random.Generator, /) -> Floats:
    """Return how often each source is drawn, shape (n_sources, n_resamples)."""
    draws = rng.multinomial(n_sources, np.full(n_sources, 1.0 / n_sources), size=n_resamples)
    return np.ascontiguousarray(draws.T, dtype=np.float64)


def rate_interval(
    sample: PairSample, positive: NDArray[np.bool_], weights: Floats, /, *, linked: bool
) -> Interval:
    """Return the interval of the share of pairs that are positive.

    Where the observed share is 0 or 1 resampling shows no spread, and the open end is the exact
    binomial (Clopper-Pearson) bound with as many trials as there are independent units: the
    sources of linked pairs, half the sources of unlinked pairs.

    Parameters
    ----------
    sample : PairSample
        The pairs.
    positive : ndarray of bool, shape (n_pairs,)
        Which pairs meet the threshold.
    weights : ndarray of float64, shape (n_sources, n_resamples)
        From `source_weights`; fewer are used where there are very many pairs of sources.
    linked : bool
        Whether the linked or the unlinked pairs are meant.
    """
    side = sample.linked if linked else ~sample.linked
    a, b, hit = sample.source_a[side], sample.source_b[side], positive[side]
    n_sources = len(sample.sources)
    if linked:
        pairs = np.bincount(a, minlength=n_sources).astype(np.float64)
        hits = np.bincount(a[hit], minlength=n_sources).astype(np.float64)
        top, bottom = hits @ weights, pairs @ weights
    else:
        # One entry a pair of sources, whichever of the two profiles stands first.
        ends = np.minimum(a, b), np.maximum(a, b)
        counts = coo_array((np.ones(len(a)), ends), shape=(n_sources, n_sources)).tocsr()
        hit_counts = coo_array((hit.astype(np.float64), ends), shape=(n_sources, n_sources)).tocsr()
        weights = weights[:, : _affordable(weights.shape[1], int(counts.nnz), _MOST_FOR_RATE)]
        top, bottom = _drawn(hit_counts, weights), _drawn(counts, weights)
    units = len(np.unique(a)) if linked else _disjoint_pairs(a, b)
    return percentile_interval(top, bottom, float(hit.mean()), units)


def auc_interval(sample: PairSample, weights: Floats, /) -> Interval:
    """Return the interval of the area under the ROC curve.

    An observed area of 0 or 1 is treated as a rate of 0 or 1 is, with as many trials as the
    side with fewer independent units has.

    Parameters
    ----------
    sample : PairSample
        The pairs.
    weights : ndarray of float64, shape (n_sources, n_resamples)
        From `source_weights`; fewer are used where there are very many pairs.
    """
    ranked = ranked_sample(sample)
    weights = weights[:, : affordable_resamples(sample, weights.shape[1])]
    parts = list(ranked.counts(weights))
    top = np.concatenate([part.wins for part in parts])
    bottom = np.concatenate([part.n_linked * part.n_unlinked for part in parts])
    observed = auc(sample.linked_scores, sample.unlinked_scores, metric=sample.metric)
    return percentile_interval(top, bottom, observed, independent_units(sample))


def ranked_sample(sample: PairSample, /) -> RankedPairs:
    """Put the pairs of a sample in order, the most alike first."""
    return rank_pairs(
        sample.scores, sample.linked, sample.source_a, sample.source_b, metric=sample.metric
    )


def affordable_resamples(sample: PairSample, n_resamples: int, /) -> int:
    """Return how many resamples of a curve are made: all of them, unless that takes too long."""
    return affordable_by_pairs(sample.n_unlinked, n_resamples)


def affordable_by_pairs(n_unlinked: int, n_resamples: int, /) -> int:
    """Return how many resamples of a curve over so many unlinked pairs are made."""
    return _affordable(n_resamples, n_unlinked, _MOST_FOR_AUC)


def independent_units(sample: PairSample, /) -> int:
    """Return how many independent pairs a sample stands for: those of its poorer side."""
    return independent_units_of(sample.source_a, sample.source_b, sample.linked)


def independent_units_of(
    source_a: NDArray[np.integer], source_b: NDArray[np.integer], linked: NDArray[np.bool_], /
) -> int:
    """Return the same from the sources of pairs, each of shape (n_pairs,)."""
    units = _disjoint_pairs(source_a[~linked], source_b[~linked])
    return min(len(np.unique(source_a[linked])), units)


def percentile_interval(top: Floats, bottom: Floats, observed: float, units: int, /) -> Interval:
    """Return the percentile interval of a share, widened where resampling shows no spread.

    Parameters
    ----------
    top, bottom : ndarray of float64, shape (n_resamples,)
        The share in every resample is their ratio; where `bottom` is 0 there is none.
    observed : float
        The share itself; the interval always holds it.
    units : int
        Independent trials behind a share of 0 or 1, for the exact binomial bound.
    """
    low, high = _ends(top, bottom)
    alpha = (1.0 - CONFIDENCE) / 2.0
    if observed == 0.0:
        high = max(high, 1.0 - alpha ** (1.0 / units))
    if observed == 1.0:
        low = min(low, alpha ** (1.0 / units))
    return Interval(min(low, observed), max(high, observed))


def _drawn(counts: csr_array, weights: Floats) -> Floats:
    """Return the number of pairs in every resample; whole numbers, so no sum is rounded."""
    size = counts.shape[0]
    crowded = counts.nnz > _CROWDED * size * size and size <= _MOST_CROWDED_SOURCES
    product = (counts.toarray() if crowded else counts) @ weights
    return np.asarray((weights * np.asarray(product)).sum(axis=0), dtype=np.float64)


def _affordable(n_resamples: int, products: int, most: int) -> int:
    return min(n_resamples, max(_FEWEST_RESAMPLES, most // max(1, products)))


def _disjoint_pairs(a: NDArray[np.integer], b: NDArray[np.integer]) -> int:
    """Return how many pairs can be formed of these sources if each is used once."""
    return max(1, len(np.union1d(a, b)) // 2)


def _ends(top: Floats, bottom: Floats) -> tuple[float, float]:
    """Return the ends of the percentile interval over resamples that hold any pair."""
    shares = top[bottom > 0] / bottom[bottom > 0]
    if not len(shares):
        return 0.0, 1.0
    alpha = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(shares, [alpha, 1.0 - alpha])
    return float(low), float(high)
