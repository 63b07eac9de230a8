"""Intervals by resampling sources.

The pairs of one source depend on each other, so sources are drawn, not pairs: a source drawn
twice counts its linked pairs twice and its unlinked pairs with another source as often as the
product of both counts. Pairs between copies of one source are never made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from drugsig.evidence.pairs import PairSample

__all__ = ["CONFIDENCE", "Interval", "auc_interval", "rate_interval", "source_weights"]

Floats = NDArray[np.float64]

CONFIDENCE = 0.95

# Above this many pair-weights the area under the curve is resampled fewer times.
_MOST_WEIGHTS = 400_000_000
_FEWEST_RESAMPLES = 200


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
        From `source_weights`.
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
        shape = (n_sources, n_sources)
        matrix = coo_array((np.ones(len(a)), (a, b)), shape=shape).tocsr()
        hit_matrix = coo_array((np.ones(int(hit.sum())), (a[hit], b[hit])), shape=shape).tocsr()
        top = (weights * (hit_matrix @ weights)).sum(axis=0)
        bottom = (weights * (matrix @ weights)).sum(axis=0)
    low, high = _ends(top, bottom)
    alpha = (1.0 - CONFIDENCE) / 2.0
    units = len(np.union1d(a, b)) if linked else max(1, len(np.union1d(a, b)) // 2)
    observed = float(hit.mean())
    if observed == 0.0:
        high = max(high, 1.0 - alpha ** (1.0 / units))
    if observed == 1.0:
        low = min(low, alpha ** (1.0 / units))
    return Interval(min(low, observed), max(high, observed))


def auc_interval(sample: PairSample, weights: Floats, /) -> Interval:
    """Return the interval of the area under the ROC curve.

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
    n = min(
        weights.shape[1], max(_FEWEST_RESAMPLES, _MOST_WEIGHTS // max(1, len(unlinked)))
    )
    top, bottom = np.empty(n), np.empty(n)
    cumulative = np.zeros(len(unlinked) + 1)
    for k in range(n):
        weight = weights[:, k]
        np.cumsum(weight[a] * weight[b], out=cumulative[1:])
        total = cumulative[-1]
        # A linked pair beats the unlinked pairs behind it, and half of those level with it.
        beaten = total - (cumulative[start] + cumulative[stop]) / 2.0
        top[k] = weight[own] @ beaten
        bottom[k] = weight[own].sum() * total
    low, high = _ends(top, bottom)
    return Interval(low, high)


def _ends(top: Floats, bottom: Floats) -> tuple[float, float]:
    """Return the ends of the percentile interval over resamples that hold any pair."""
    shares = top[bottom > 0] / bottom[bottom > 0]
    if not len(shares):
        return 0.0, 1.0
    alpha = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(shares, [alpha, 1.0 - alpha])
    return float(low), float(high)
