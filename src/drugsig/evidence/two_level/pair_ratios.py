"""The log likelihood ratio of many pairs of items at once, on whitened coordinates.

With means x and y of n_x and n_y replicates, y* = (n_x x + n_y y) / (n_x + n_y) and the population
density f_v of a mean with sampling variance v,

    LR = N(x - y; 0, 1/n_x + 1/n_y) f_{1/(n_x + n_y)}(y*) / (f_{1/n_x}(x) f_{1/n_y}(y)).

For a kernel density each item needs its own density once, and a pair one density at the pooled
mean. For a normal density around zero with variance d_j in direction j all of it comes down, with
n = n_x + n_y, to

    2 ln LR = sum_j  ln((n_x d_j + 1)(n_y d_j + 1) / (n d_j + 1))
                     + n_x n_y d_j / (n d_j + 1) [x_j^2 / (n_x d_j + 1) + y_j^2 / (n_y d_j + 1)]
                     - n_x n_y d_j / (n d_j + 1) (x_j - y_j)^2,

where nothing cancels: one number for each item, and one squared distance for the pair.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from drugsig.evidence.two_level.densities import kernel_log_density

__all__ = ["kernel_log_lr", "normal_log_lr"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Places = NDArray[np.intp]

# Pairs handled at once: the columns at work stay in the cache.
_PAIRS = 8192

# With fewer different numbers of replicates a combination of two fits 16 bits, and a stable sort
# of such numbers is a fast radix sort.
_FEW_KINDS = 256


def normal_log_lr(
    coordinates: Floats, counts: Counts, first: Places, second: Places, ratios: Floats, /
) -> Floats:
    """Return the natural log LR of every pair for a normal density, shape (n_pairs,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        The means of the items, around the mean of the population.
    counts : ndarray of int64, shape (k,)
        Their replicates.
    first, second : ndarray of int, shape (n_pairs,)
        The items of each pair.
    ratios : ndarray of float64, shape (r,)
        The variance d of source means.
    """
    out = np.empty(len(first))
    work = np.empty((4, min(_PAIRS, len(first))))
    for places, n_x, n_y in _by_counts(counts, first, second):
        pooled = (n_x + n_y) * ratios + 1.0
        weights = n_x * n_y * ratios / pooled
        constant = 0.5 * float(
            (np.log1p(n_x * ratios) + np.log1p(n_y * ratios) - np.log(pooled)).sum()
        )
        # The roots of the weights are taken into the coordinates: a pair then costs a distance.
        columns = np.ascontiguousarray((coordinates * np.sqrt(0.5 * weights)).T)
        of_x = _weighted_squares(columns, counts == n_x, n_x * ratios + 1.0)
        of_y = of_x if n_x == n_y else _weighted_squares(columns, counts == n_y, n_y * ratios + 1.0)
        for block in _blocks(places, len(first)):
            a, b = first[block], second[block]
            total, apart, x, y = work[:, : len(a)]
            _take(of_x, a, x)
            _take(of_y, b, y)
            np.add(x, y, out=total)
            total += constant
            apart[:] = 0.0
            for column in columns:
                _take(column, a, x)
                _take(column, b, y)
                x -= y
                x *= x
                apart += x
            total -= apart
            out[block] = total
    return out


def kernel_log_lr(
    coordinates: Floats,
    counts: Counts,
    first: Places,
    second: Places,
    ratios: Floats,
    centres: Floats,
    densities: Floats,
    /,
) -> Floats:
    """Return the natural log LR of every pair for a kernel density, shape (n_pairs,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        The means of the items.
    counts : ndarray of int64, shape (k,)
        Their replicates.
    first, second : ndarray of int, shape (n_pairs,)
        The items of each pair.
    ratios : ndarray of float64, shape (r,)
        The variance of the kernel.
    centres : ndarray of float64, shape (m, r)
        Its centres.
    densities : ndarray of float64, shape (k,)
        Of the items, from `item_log_densities`.
    """
    out = np.empty(len(first))
    for places, n_x, n_y in _by_counts(counts, first, second):
        variance = 1.0 / n_x + 1.0 / n_y
        pooled = ratios + 1.0 / (n_x + n_y)
        constant = 0.5 * len(ratios) * float(np.log(variance))
        for block in _blocks(places, len(first)):
            a, b = first[block], second[block]
            x, y = coordinates[a], coordinates[b]
            joint = kernel_log_density((n_x * x + n_y * y) / (n_x + n_y), pooled, centres)
            apart = np.einsum("ij,ij->i", x - y, x - y) / (2.0 * variance)
            # The densities are added first, so that swapping the items changes no bit.
            out[block] = joint - apart - constant - (densities[a] + densities[b])
    return out


def _weighted_squares(columns: Floats, own: NDArray[np.bool_], variances: Floats) -> Floats:
    """Return the number that belongs to each item; zero for those of other counts."""
    out = np.zeros(columns.shape[1])
    for column, variance in zip(columns, variances, strict=True):
        out[own] += column[own] ** 2 / variance
    return out


def _take(column: Floats, places: Places, out: Floats) -> None:
    # The places were checked; "clip" only spares a second check and a buffer.
    column.take(places, out=out, mode="clip")


def _by_counts(
    counts: Counts, first: Places, second: Places
) -> Iterator[tuple[Places | None, int, int]]:
    """Yield the pairs of each combination of numbers of replicates; None stands for all pairs."""
    kinds, code = np.unique(counts, return_inverse=True)
    if len(kinds) == 1:
        yield None, int(kinds[0]), int(kinds[0])
        return
    size = np.uint16 if len(kinds) < _FEW_KINDS else np.int64
    row, column = (code * len(kinds)).astype(size), code.astype(size)
    both = np.add(row[first], column[second])
    order = np.argsort(both, kind="stable")
    sizes = np.bincount(both, minlength=len(kinds) ** 2)
    ends = np.cumsum(sizes)
    for combination in np.flatnonzero(sizes):
        i, j = divmod(int(combination), len(kinds))
        places = order[ends[combination] - sizes[combination] : ends[combination]]
        yield places, int(kinds[i]), int(kinds[j])


def _blocks(places: Places | None, n_pairs: int) -> Iterator[Places | slice]:
    for start in range(0, n_pairs if places is None else len(places), _PAIRS):
        yield slice(start, start + _PAIRS) if places is None else places[start : start + _PAIRS]
