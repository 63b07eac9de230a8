"""How far values lie from the others of their source, in units of the spread within sources."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays

__all__ = [
    "WITHIN_ONE_SD",
    "ValueScores",
    "pooled_spread",
    "recording_steps",
    "score_values",
    "variance_of_median",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The share of normal values within one standard deviation.
WITHIN_ONE_SD = 0.6826894921

# The median absolute deviation of normal values is 1 / 1.4826 standard deviations.
_MAD_TO_SD = 1.4826

# The variance of the median of 1 to 10 standard normal values, by integration over the density of
# the order statistics; a test integrates again.
_MEDIAN_VARIANCES = (1.0, 0.5, 0.4487, 0.2982, 0.2868, 0.2147, 0.2104, 0.1682, 0.1661, 0.1383)

# Values compared with all others of their source are taken in blocks of about so many numbers.
_BLOCK = 2_000_000


@dataclass(frozen=True, eq=False)
class ValueScores(FrozenArrays):
    """How far every value lies from the others of its source.

    Parameters
    ----------
    score : ndarray, shape (n,)
        In units of `spread`, with the uncertainty of the others' median; 0 where a value has no
        others.
    median_of_others : ndarray, shape (n,)
        NaN where there are none.
    spread : ndarray, shape (n,)
        What one value differs from the middle of its source by; NaN where there are no others.
    pooled : ndarray, shape (n,)
        The part of it that comes from the pooled sources.
    n_others : ndarray of int, shape (n,)
        How many others there are.
    degrees_of_freedom : int
        Of the pooled spread, over all sources that count for it.
    """

    score: Floats
    median_of_others: Floats
    spread: Floats
    pooled: Floats
    n_others: Integers
    degrees_of_freedom: int


def variance_of_median(n: Integers, /) -> Floats:
    """Return the variance of the median of `n` standard normal values, for n of 1 or more."""
    table = np.array(_MEDIAN_VARIANCES)
    small = table[np.minimum(n, len(table)) - 1]
    # Asymptotically; from n = 11 on too large by 0.014 at most, which is 0.6 % of a score.
    large = np.pi / (2.0 * np.maximum(n, 1))
    return np.asarray(np.where(n <= len(table), small, large), dtype=np.float64)


def recording_steps(values: Floats, codes: Integers, /) -> Floats:
    """Return the step in which the values of each source were written down, for every value.

    Parameters
    ----------
    values : ndarray, shape (n,)
        As they were read.
    codes : ndarray of int, shape (n,)
        The source of each; negative where there is none.

    Returns
    -------
    ndarray, shape (n,)
        One unit of the last digit that any value of the source needs, and at most 1: 0.01 for
        8.1 and 8.07.
    """
    unique, back = np.unique(values, return_inverse=True)
    digits = np.array([min(0, _last_digit(x)) for x in unique.tolist()], dtype=np.int64)[back]
    finest = np.zeros(int(codes.max(initial=-1)) + 2, dtype=np.int64)
    np.minimum.at(finest, codes, digits)
    return np.power(10.0, finest[codes])


def _last_digit(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def pooled_spread(
    deviations: Floats,
    weights: Floats,
    codes: Integers,
    levels: Floats,
    counts: NDArray[np.bool_],
    /,
    *,
    pool: int | None,
) -> Floats:
    """Return the spread within sources near the level of each source.

    Parameters
    ----------
    deviations, weights : ndarray, shape (n,)
        How far every value lies from the others of its source, and what it weighs.
    codes : ndarray of int, shape (n,)
        The source of every value, from 0.
    levels : ndarray, shape (n_sources,)
        The median of every source.
    counts : ndarray of bool, shape (n_sources,)
        Which sources count.
    pool : int or None
        How many of them, nearest in level; sources as near as the last one count as well.

    Returns
    -------
    ndarray, shape (n_sources,)
        The deviation that `WITHIN_ONE_SD` of the weight does not exceed.
    """
    if not len(deviations):
        return np.full(len(levels), np.nan)
    order = np.argsort(deviations, kind="stable")
    ranked, weight, owner = deviations[order], weights[order], codes[order]
    if pool is None or pool >= counts.sum():
        return np.full(len(levels), _quantile(ranked, np.where(counts[owner], weight, 0.0)))
    out = np.empty(len(levels))
    for place, level in enumerate(levels):
        distance = np.where(counts, np.abs(levels - level), np.inf)
        near = distance <= np.partition(distance, pool - 1)[pool - 1]
        out[place] = _quantile(ranked, np.where(near[owner], weight, 0.0))
    return out


def _quantile(ranked: Floats, weight: Floats) -> float:
    total = np.cumsum(weight)
    return float(ranked[np.searchsorted(total, WITHIN_ONE_SD * total[-1])])


def score_values(
    values: Floats,
    codes: Integers,
    /,
    *,
    steps: Floats,
    exact: NDArray[np.bool_],
    pool: int | None,
) -> ValueScores:
    """Say how far every value lies from the others of its source.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Values of one target.
    codes : ndarray of int, shape (n,)
        The source of each; negative where it is not to be looked at.
    steps : ndarray, shape (n,)
        The step in which each was recorded, in the unit of the values.
    exact : ndarray of bool, shape (n,)
        False for values below a limit. Sources that hold one do not count for the spread.
    pool : int or None
        How many sources, nearest in level, the spread is taken from; None for all.

    Notes
    -----
    The rule stands in `drugsig.quality.find_outliers`.
    """
    rows = np.flatnonzero(codes >= 0)
    _, dense, sizes = np.unique(codes[rows], return_inverse=True, return_counts=True)
    rows = rows[sizes[dense] > 1]
    _, dense, sizes = np.unique(codes[rows], return_inverse=True, return_counts=True)
    counts = np.bincount(dense, weights=~exact[rows], minlength=len(sizes)) == 0
    if not counts.any():
        rows, dense = rows[:0], dense[:0]
    size = sizes[dense]
    deviation, median, own, level = _against_others(values[rows], dense, sizes)
    factor = np.sqrt(1.0 + variance_of_median(size - 1))
    near = pooled_spread(
        np.abs(values[rows] - median) / factor, (size - 1) / size, dense, level, counts, pool=pool
    )[dense]
    used = np.maximum(np.maximum(near, own), steps[rows] / np.sqrt(12.0))
    # Nothing varies and nothing was rounded: then any deviation at all is infinitely far.
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(deviation > 0, deviation / (used * factor), 0.0)
    return ValueScores(
        score=_spread_out(np.asarray(far, dtype=np.float64), rows, len(values), 0.0),
        median_of_others=_spread_out(median, rows, len(values), np.nan),
        spread=_spread_out(used, rows, len(values), np.nan),
        pooled=_spread_out(near, rows, len(values), np.nan),
        n_others=_spread_out((size - 1).astype(np.float64), rows, len(values), 0.0).astype(
            np.int64
        ),
        degrees_of_freedom=int((sizes[counts] - 1).sum()),
    )


def _spread_out(found: Floats, rows: NDArray[np.intp], n: int, empty: float) -> Floats:
    out = np.full(n, empty)
    out[rows] = found
    return out


def _against_others(
    x: Floats, dense: Integers, sizes: Integers
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return deviation, median of the others and their own spread by value; level by source."""
    deviation, median, own = (np.zeros(len(x)) for _ in range(3))
    level = np.zeros(len(sizes))
    if not len(x):
        return deviation, median, own, level
    order = np.argsort(dense, kind="stable")
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    for size in np.unique(sizes).tolist():
        sources = np.flatnonzero(sizes == size)
        members = order[start[sources][:, None] + np.arange(size)]
        level[sources] = np.median(x[members], axis=1)
        source, place = (k.ravel() for k in np.indices(members.shape))
        for first in range(0, members.size, max(1, _BLOCK // size)):
            part = slice(first, first + max(1, _BLOCK // size))
            row = members[source[part], place[part]]
            column = np.arange(size - 1)
            others = x[members[source[part, None], column + (column >= place[part, None])]]
            median[row] = np.median(others, axis=1)
            deviation[row] = np.abs(x[row] - median[row])
            if size == 3:
                deviation[row] = np.abs(others - x[row, None]).min(axis=1)
            if size > 3:
                off = np.abs(others - median[row, None])
                own[row] = _MAD_TO_SD * np.median(off, axis=1)
    return deviation, median, own, level
