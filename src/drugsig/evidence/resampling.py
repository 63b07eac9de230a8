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

from drugsig.evidence.pairs import PairSample, Places

__all__ = ["CONFIDENCE", "Interval", "auc_interval", "rate_interval", "source_weights"]

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
        weights = weights[:, : _affordable(weights, int(counts.nnz), _MOST_FOR_RATE)]
        top, bottom = _drawn(hit_counts, weights), _drawn(counts, weights)
    units = len(np.unique(a)) if linked else _disjoint_pairs(a, b)
    return _interval(top, bottom, float(hit.mean()), units)


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
    apart = ~sample.linked
    sign = -1.0 if sample.metric.is_similarity else 1.0
    unlinked, linked = sign * sample.scores[apart], sign * sample.scores[sample.linked]
    order = np.argsort(unlinked, kind="stable")
    unlinked = unlinked[order]
    a, b = sample.source_a[apart][order], sample.source_b[apart][order]
    own = sample.source_a[sample.linked]
    start = np.searchsorted(unlinked, linked, side="left")
    stop = np.searchsorted(unlinked, linked, side="right")
    n = _affordable(weights, len(unlinked), _MOST_FOR_AUC)
    top, bottom = np.empty(n), np.empty(n)
    # Unlinked pairs between two neighbouring linked scores are added up at once.
    cuts = np.unique(np.concatenate([[0], start, stop]))
    cuts = cuts[cuts < len(unlinked)]
    first, last = np.searchsorted(cuts, start), np.searchsorted(cuts, stop)
    cumulative = np.zeros(len(cuts) + 1)
    for k in range(n):
        weight = weights[:, k]
        np.cumsum(np.add.reduceat(weight[a] * weight[b], cuts), out=cumulative[1:])
        total = cumulative[-1]
        # A linked pair beats the unlinked pairs behind it, and half of those level with it.
        beaten = total - (cumulative[first] + cumulative[last]) / 2.0
        top[k] = weight[own] @ beaten
        bottom[k] = weight[own].sum() * total
    won = len(unlinked) - (start + stop) / 2.0
    observed = float(won.sum()) / (len(linked) * len(unlinked))
    units = min(len(np.unique(own)), _disjoint_pairs(a, b))
    return _interval(top, bottom, observed, units)


def _drawn(counts: csr_array, weights: Floats) -> Floats:
    """Return the number of pairs in every resample; whole numbers, so no sum is rounded."""
    size = counts.shape[0]
    crowded = counts.nnz > _CROWDED * size * size and size <= _MOST_CROWDED_SOURCES
    product = (counts.toarray() if crowded else counts) @ weights
    return np.asarray((weights * np.asarray(product)).sum(axis=0), dtype=np.float64)


def _affordable(weights: Floats, products: int, most: int) -> int:
    """Return how many resamples are used: all of them, unless that takes too long."""
    return min(int(weights.shape[1]), max(_FEWEST_RESAMPLES, most // max(1, products)))


def _disjoint_pairs(a: Places, b: Places) -> int:
    """Return how many pairs can be formed of these sources if each is used once."""
    return max(1, len(np.union1d(a, b)) // 2)


def _interval(top: Floats, bottom: Floats, observed: float, units: int) -> Interval:
    """Return the percentile interval, widened where resampling shows no spread."""
    low, high = _ends(top, bottom)
    alpha = (1.0 - CONFIDENCE) / 2.0
    if observed == 0.0:
        high = max(high, 1.0 - alpha ** (1.0 / units))
    if observed == 1.0:
        low = min(low, alpha ** (1.0 / units))
    return Interval(min(low, observed), max(high, observed))


def _ends(top: Floats, bottom: Floats) -> tuple[float, float]:
    """Return the ends of the percentile interval over resamples that hold any pair."""
    shares = top[bottom > 0] / bottom[bottom > 0]
    if not len(shares):
        return 0.0, 1.0
    alpha = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(shares, [alpha, 1.0 - alpha])
    return float(low), float(high)
