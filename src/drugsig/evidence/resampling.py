"""Resampling of sources: weights and intervals of draws, and folds.

The pairs of one source depend on each other, so sources are drawn, not pairs: a source drawn
twice counts its linked pairs twice and its unlinked pairs with another source as often as the
product of both counts. Pairs between copies of one source are never made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.special import betaincinv, stdtrit

from drugsig._check import FEWEST_RESAMPLES, MOST_RESAMPLES, generator, whole_number
from drugsig.evidence.pairs import PairSample
from drugsig.evidence.roc import RankedPairs, auc, rank_pairs

__all__ = [
    "CONFIDENCE",
    "Interval",
    "affordable_by_hits",
    "affordable_by_pairs",
    "affordable_resamples",
    "auc_interval",
    "checked_source_weights",
    "disjoint_pairs",
    "drawn_interval",
    "drawn_pairs",
    "effective_number",
    "effective_sources",
    "falling",
    "independent_units",
    "independent_units_of",
    "pairs_by_fold",
    "percentile_interval",
    "ranked_sample",
    "rate_band",
    "rate_interval",
    "source_folds",
    "source_weights",
]

Floats = NDArray[np.float64]
Places = NDArray[np.integer]

CONFIDENCE = 0.95
_TAIL = (1.0 - CONFIDENCE) / 2.0
_TINY = float(np.finfo(np.float64).tiny)

# Rates of draws that differ by less than this share of the rate differ by rounding.
_SAME = 1e-12

# Above this many products of a pair and a resample there are fewer resamples: of the area under
# the curve, which sorts pairs, and of a rate, which adds them up by pair of sources.
_MOST_FOR_AUC = 400_000_000
_MOST_FOR_RATE = 2_000_000_000
# The same of figures that add up one cost a pair.
_MOST_FOR_COSTS = 200_000_000
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


def checked_source_weights(
    n_sources: int, n_resamples: int, rng: np.random.Generator, /, *, n_costs: int = 0
) -> Floats:
    """Return the `source_weights` that a caller of this library asks for.

    Parameters
    ----------
    n_sources : int
        How many there are to draw from, and in each draw.
    n_resamples : int
        How often they are drawn.
    rng : numpy.random.Generator
        For drawing.
    n_costs : int
        Pairs whose costs are added up in every draw; there are fewer draws where they are very
        many.

    Raises
    ------
    InputError
        If `n_resamples` is below 100 or `rng` is no generator.
    """
    n_resamples = whole_number(
        n_resamples, what="n_resamples", least=FEWEST_RESAMPLES, most=MOST_RESAMPLES
    )
    generator(rng)
    return source_weights(n_sources, _affordable(n_resamples, n_costs, _MOST_FOR_COSTS), rng)


def rate_interval(
    sample: PairSample, positive: NDArray[np.bool_], weights: Floats, /, *, linked: bool
) -> Interval:
    """Return the interval of the share of pairs that are positive, after Korn and Graubard.

    Where the observed share is 0 or 1 resampling shows no spread, and the open end is the exact
    binomial (Clopper-Pearson) bound with as many trials as there are independent units: the
    sources of linked pairs, and of unlinked pairs as many as can be taken if each source is used
    once, as a rule half the sources. See `rate_band`.

    Parameters
    ----------
    sample : PairSample
        The pairs.
    positive : ndarray of bool, shape (n_pairs,)
        Which pairs meet the threshold.
    weights : ndarray of float64, shape (n_sources, n_resamples)
        From `source_weights`; fewer are used where very many pairs of sources are positive.
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
        weights = affordable_by_hits(a[hit], b[hit], weights)
        top, bottom = drawn_pairs(a[hit], b[hit], weights), drawn_pairs(a, b, weights)
    return drawn_interval(
        top,
        bottom,
        float(hit.mean()),
        n_sources=effective_sources(a, b),
        units=len(np.unique(a)) if linked else disjoint_pairs(a, b),
        n_pairs=len(hit),
    )


def drawn_interval(
    top: Floats, bottom: Floats, observed: float, /, *, n_sources: float, units: int, n_pairs: int
) -> Interval:
    """Return the interval of one rate, see `rate_band`.

    Parameters
    ----------
    top, bottom : ndarray of float64, shape (n_resamples,)
        Positive pairs and all pairs in every draw of sources.
    observed : float
        The rate itself.
    n_sources, units, n_pairs
        As in `rate_band`.
    """
    low, high = rate_band(
        (top[bottom > 0] / bottom[bottom > 0])[:, np.newaxis],
        np.array([observed]),
        n_sources=n_sources,
        units=units,
        n_pairs=n_pairs,
    )
    return Interval(float(low[0]), float(high[0]))


def affordable_by_hits(
    a: NDArray[np.integer], b: NDArray[np.integer], weights: Floats, /
) -> Floats:
    """Return as many of the weightings as are affordable for so many positive pairs.

    Parameters
    ----------
    a, b : ndarray of int, shape (n_positive,)
        The sources of the unlinked pairs that are positive.
    weights : ndarray of float64, shape (n_sources, n_resamples)
        From `source_weights`.
    """
    n = len(weights)
    met = np.unique(np.minimum(a, b).astype(np.int64) * n + np.maximum(a, b))
    return weights[:, : _affordable(weights.shape[1], len(met), _MOST_FOR_RATE)]


def drawn_pairs(a: NDArray[np.integer], b: NDArray[np.integer], weights: Floats, /) -> Floats:
    """Return how many pairs every resample holds; whole numbers, so no sum is rounded.

    Parameters
    ----------
    a, b : ndarray of int, shape (n_pairs,)
        The sources of both profiles, never the same.
    weights : ndarray of float64, shape (n_sources, n_resamples)
        From `source_weights`.
    """
    size = len(weights)
    # One entry a pair of sources, whichever of the two profiles stands first.
    ends = np.minimum(a, b), np.maximum(a, b)
    counts = coo_array((np.ones(len(a)), ends), shape=(size, size)).tocsr()
    crowded = counts.nnz > _CROWDED * size * size and size <= _MOST_CROWDED_SOURCES
    product = (counts.toarray() if crowded else counts) @ weights
    return np.asarray((weights * np.asarray(product)).sum(axis=0), dtype=np.float64)


def rate_band(
    drawn: Floats, observed: Floats, /, *, n_sources: float, units: int, n_pairs: int
) -> tuple[Floats, Floats]:
    """Return the intervals of rates after Korn and Graubard.

    The spread of the draws tells how many independent pairs would be as uncertain; the interval is
    the exact binomial (Clopper-Pearson) one of so many. Where the observed rate is 0 or 1, or the
    draws show no spread, as many as there are independent units. Percentiles of the draws fall
    short where there are few sources, and for rare rates.

    Parameters
    ----------
    drawn : ndarray of float64, shape (n_draws, n)
        The rates in every draw of sources that holds any pair.
    observed : ndarray of float64, shape (n,)
        The rates themselves.
    n_sources : float
        From `effective_sources`: from so many the spread is known, which gives its degrees of
        freedom.
    units : int
        How many of the pairs can be taken if each source is used once.
    n_pairs : int
        The pairs behind the rates: no more can be independent.

    Returns
    -------
    low, high : ndarray of float64, shape (n,)
        The ends, with the observed rates between them.

    Notes
    -----
    Korn and Graubard (1998), Survey Methodology 24:193-201. With every pair of n sources in the
    sample, none is positive with at most the probability (1 - rate)^(n / 2), which is reached
    where a few sources are positive with every other: the bound of a rate of 0 is wide, but no
    narrower one holds without assumptions.
    """
    spread = drawn.var(axis=0, ddof=1) if len(drawn) > 1 else np.zeros(len(observed))
    mixed = (observed > 0.0) & (observed < 1.0) & (spread > (_SAME * observed) ** 2)
    # Where a few sources are in every pair the spread is known from them, not from the many others.
    freedom = max(1.0, min(n_sources, 2.0 * units) - 1.0)
    few = (stdtrit(np.inf, _TAIL) / stdtrit(freedom, _TAIL)) ** 2
    alike = np.full(len(observed), float(units))
    alike[mixed] = np.minimum(
        n_pairs, few * observed[mixed] * (1.0 - observed[mixed]) / spread[mixed]
    )
    hits = observed * alike
    # At the ends the inverse is not defined, and its limit is the end itself.
    low = np.where(
        observed > 0.0, betaincinv(np.maximum(hits, _TINY), alike - hits + 1, _TAIL), 0.0
    )
    high = np.where(
        observed < 1.0,
        betaincinv(hits + 1, np.maximum(alike - hits, _TINY), 1.0 - _TAIL),
        1.0,
    )
    return np.minimum(low, observed), np.maximum(high, observed)


def falling(low: Floats, high: Floats, at: Floats, /) -> tuple[Floats, Floats]:
    """Return a band that falls as the rates within it must.

    Scores or LRs beyond a larger value are rarer: what bounds the rate at one value from above
    bounds it at every larger value too, even where nothing was seen any more.

    Parameters
    ----------
    low, high : ndarray of float64, shape (n,)
        The ends of the intervals.
    at : ndarray of float64, shape (n,)
        The values that are exceeded, in any order.
    """
    order = np.argsort(at, kind="stable")
    lower, upper = low.copy(), high.copy()
    upper[order] = np.minimum.accumulate(high[order])
    lower[order] = np.maximum.accumulate(low[order][::-1])[::-1]
    return lower, upper


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
    top, bottom = ranked.wins(weights)
    observed = auc(*sample.tied_sides, metric=sample.metric)
    return percentile_interval(top, bottom, observed, independent_units(sample))


def ranked_sample(sample: PairSample, /) -> RankedPairs:
    """Put the pairs of a sample in order, the most alike first."""
    return rank_pairs(
        sample.tied_scores, sample.linked, sample.source_a, sample.source_b, metric=sample.metric
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
    units = disjoint_pairs(source_a[~linked], source_b[~linked])
    return min(len(np.unique(source_a[linked])), units)


def effective_sources(a: NDArray[np.integer], b: NDArray[np.integer], /) -> float:
    """Return how many sources with equally many pairs would weigh as these do.

    Parameters
    ----------
    a, b : ndarray of int, shape (n_pairs,)
        The sources of both profiles, at least one pair.
    """
    size = int(max(a.max(), b.max())) + 1
    return effective_number(np.bincount(a, minlength=size) + np.bincount(b, minlength=size))


def effective_number(counts: NDArray[np.integer], /) -> float:
    """Return how many equal counts would weigh as these do; 0 where all are zero.

    Parameters
    ----------
    counts : ndarray of int, shape (n,)
        Such as the linked pairs of every source.

    Notes
    -----
    Kish (1965), Survey Sampling, Wiley, section 11.7.
    """
    size = counts.astype(np.float64)
    squares = float(size @ size)
    return float(size.sum()) ** 2 / squares if squares else 0.0


def disjoint_pairs(a: NDArray[np.integer], b: NDArray[np.integer], /) -> int:
    """Return how many of the pairs can be taken if each source is used once.

    Half the sources, unless pairs join many of them with a few only, such as those of one
    laboratory with all others: then not many more than the few. A triangle counts as one and a
    half, so that three of them are four pairs.

    Parameters
    ----------
    a, b : ndarray of int, shape (n_pairs,)
        The sources of both profiles, never the same.

    Returns
    -------
    int
        At least 1.
    """
    if not len(a):
        return 1
    size = int(max(a.max(), b.max())) + 1
    used = np.bincount(a, minlength=size) + np.bincount(b, minlength=size) > 0
    number = np.cumsum(used) - 1
    first, second, n = number[a], number[b], int(used.sum())
    if n <= _MOST_CROWDED_SOURCES:
        meet = np.zeros((n, n), dtype=np.bool_)
        meet[first, second] = meet[second, first] = True
        partners = csr_array(meet)
    else:
        ends = np.concatenate([first, second]), np.concatenate([second, first])
        partners = coo_array((np.ones(len(ends[0]), dtype=np.int32), ends), shape=(n, n)).tocsr()
    # Dirac (1952): where every source meets half of the others there is a round through all.
    if 2 * int(np.diff(partners.indptr).min()) >= n:
        return max(1, n // 2)
    return max(1, int((maximum_bipartite_matching(partners) >= 0).sum()) // 2)


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
    if observed == 0.0:
        high = max(high, 1.0 - _TAIL ** (1.0 / units))
    if observed == 1.0:
        low = min(low, _TAIL ** (1.0 / units))
    return Interval(min(low, observed), max(high, observed))


def source_folds(weights: Places, n_folds: int, rng: np.random.Generator, /) -> Places:
    """Deal sources into folds at random, alike ones evenly.

    Parameters
    ----------
    weights : ndarray of int, shape (n_sources,)
        How many linked pairs each source has, or anything else that makes sources alike. Those
        of equal weight are dealt out one after the other, so that no fold lacks them by bad luck.
    n_folds : int
        How many folds.
    rng : numpy.random.Generator
        For the deal.

    Returns
    -------
    ndarray of intp, shape (n_sources,)
        The fold of every source.
    """
    n = len(weights)
    order = np.lexsort((rng.random(n), -weights))
    rounds = [rng.permutation(n_folds) for _ in range(-(-n // n_folds))]
    folds = np.empty(n, dtype=np.intp)
    folds[order] = np.concatenate([np.empty(0, np.intp), *rounds])[:n]
    return folds


def pairs_by_fold(fold_a: Places, fold_b: Places, /) -> Iterator[tuple[set[int], Places]]:
    """Yield the pairs that touch the same one or two folds, and these folds.

    Parameters
    ----------
    fold_a, fold_b : ndarray of intp, shape (n_pairs,)
        The folds of the two sources of every pair.

    Yields
    ------
    folds : set of int
        One fold or two.
    places : ndarray of intp
        The pairs.
    """
    if not len(fold_a):
        return
    low, high = np.minimum(fold_a, fold_b), np.maximum(fold_a, fold_b)
    key = low * (int(high.max()) + 1) + high
    order = np.argsort(key, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        yield {int(low[places[0]]), int(high[places[0]])}, places


def _affordable(n_resamples: int, products: int, most: int) -> int:
    return min(n_resamples, max(_FEWEST_RESAMPLES, most // max(1, products)))


def _ends(top: Floats, bottom: Floats) -> tuple[float, float]:
    """Return the ends of the percentile interval over resamples that hold any pair."""
    shares = top[bottom > 0] / bottom[bottom > 0]
    if not len(shares):
        return 0.0, 1.0
    low, high = np.quantile(shares, [_TAIL, 1.0 - _TAIL])
    return float(low), float(high)
