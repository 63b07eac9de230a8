"""The search for near points as compiled code; only where the extra ``fast`` is installed.

It proposes the same pairs as the products of `drugsig.comparison.search.near_pairs`, save some that
lie within the margin; what is proposed is decided by the score either way. Sums are reassociated
here, which the margin allows for: no score is ever computed in this module.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["FINE", "near_pairs", "refine"]

# Points in the small boxes a leaf is cut into, and compared at a time.
FINE = 32

# Axes tested for a whole leaf; small boxes are tested along all that are kept apart.
COARSE = 6

# Points of the other side that wait until there are enough to be compared in one go; their
# coordinates stay in the processor's cache.
_WAITING = 2048

_ZERO = np.float32(0.0)
# Farther than anything, and its square still within single precision.
_FAR = np.float32(1e18)

# Coordinates summed before it is asked whether a pair is already too far apart.
_STRIDE = 8


@numba.njit(nogil=True, cache=True)
def refine(
    rows: NDArray[np.float32],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    d: int,
) -> None:
    """Sort the points of every leaf so that runs of 32 of them are neighbours.

    Parameters
    ----------
    rows : ndarray of float32, shape (n, at least d)
        Points by position; changed.
    order : ndarray of int64, shape (n,)
        The profile at every position; changed.
    starts : ndarray of int64, shape (n_leaves + 1,)
        Where every leaf starts, and the end.
    d : int
        How many coordinates a point has.
    """
    first_waiting = np.empty(64, np.int64)
    last_waiting = np.empty(64, np.int64)
    for leaf in range(len(starts) - 1):
        first_waiting[0], last_waiting[0] = starts[leaf], starts[leaf + 1]
        waiting = 1
        while waiting > 0:
            waiting -= 1
            first, last = first_waiting[waiting], last_waiting[waiting]
            n = last - first
            if n <= FINE:
                continue
            widest, most = 0, -1.0
            for k in range(d):
                total, squares = 0.0, 0.0
                for i in range(first, last):
                    value = rows[i, k]
                    total += value
                    squares += value * value
                spread = squares - total * total / n
                if spread > most:
                    widest, most = k, spread
            by_value = np.argsort(rows[first:last, widest])
            rows[first:last] = rows[first:last][by_value]
            order[first:last] = order[first:last][by_value]
            # Cut at a whole number of runs, so that only the last run of a leaf is short.
            half = ((n // 2 + FINE - 1) // FINE) * FINE
            first_waiting[waiting], last_waiting[waiting] = first, first + half
            first_waiting[waiting + 1], last_waiting[waiting + 1] = first + half, last
            waiting += 2


@numba.njit(nogil=True, cache=True, fastmath=True)
def near_pairs(
    rows_a: NDArray[np.float32],
    first: int,
    last: int,
    rows_b: NDArray[np.float32],
    filtered: NDArray[np.float32],
    box_low: NDArray[np.float32],
    box_high: NDArray[np.float32],
    first_leaf: int,
    starts: NDArray[np.int64],
    limit: np.float32,
    same: bool,
    out_a: NDArray[np.int64],
    out_b: NDArray[np.int64],
) -> int:
    """Write the pairs of a leaf whose squared distance is within the limit.

    Parameters
    ----------
    rows_a, rows_b : ndarray of float32, shape (n, d + 2)
        Points of both sides by position.
    first, last : int
        The leaf.
    filtered : ndarray of float32, shape (n_filtered, n)
        The first coordinates of the other side by position.
    box_low, box_high : ndarray of float32, shape (n_leaves, d)
        The boxes around the leaves of the other side.
    first_leaf : int
        The first leaf of the other side that is wanted.
    starts : ndarray of int64, shape (n_leaves + 1,)
        Where the leaves of the other side start.
    limit : float32
        The squared distance, with its margin.
    same : bool
        Whether both sides are one set, of which each pair is wanted once.
    out_a, out_b : ndarray of int64
        Room for positions.

    Returns
    -------
    int
        How many pairs there are; if that is more than there is room for, the rest is not written.
    """
    d = rows_a.shape[1] - 2
    n_filtered = filtered.shape[0]
    n_runs = (last - first + FINE - 1) // FINE
    low = np.full((n_runs, d), _FAR, np.float32)
    high = np.full((n_runs, d), -_FAR, np.float32)
    all_low = np.full(d, _FAR, np.float32)
    all_high = np.full(d, -_FAR, np.float32)
    for run in range(n_runs):
        begin = first + run * FINE
        for i in range(min(FINE, last - begin)):
            for k in range(d):
                value = rows_a[begin + i, k]
                low[run, k] = min(low[run, k], value)
                high[run, k] = max(high[run, k], value)
        for k in range(d):
            all_low[k] = min(all_low[k], low[run, k])
            all_high[k] = max(all_high[k], high[run, k])
    waiting = np.empty(_WAITING, np.int64)
    coordinates = np.empty((n_filtered, _WAITING), np.float32)
    leaves = _near_boxes(box_low, box_high, first_leaf, all_low, all_high, limit)
    longest = 0
    for leaf in leaves:
        longest = max(longest, starts[leaf + 1] - starts[leaf])
    apart = np.empty(max(longest, _WAITING), np.float32)
    found = n_waiting = 0
    for q in range(len(leaves) + 1):
        width = 0
        start = 0
        if q < len(leaves):
            start = starts[leaves[q]]
            width = starts[leaves[q] + 1] - start
        for i in range(width):
            apart[i] = _ZERO
        for k in range(min(n_filtered, COARSE)):
            bottom, top = all_low[k], all_high[k]
            # A slice, because a position that might be negative would keep the loop from vectors.
            column = filtered[k, start : start + width]
            for i in range(width):
                value = column[i]
                above, below = value - top, bottom - value
                gap = max(below, above)
                gap = max(_ZERO, gap)
                apart[i] += gap * gap
        i = 0
        while i < width or (q == len(leaves) and n_waiting > 0):
            if i < width:
                position = start + i
                if apart[i] <= limit and not (same and position <= first):
                    waiting[n_waiting] = position
                    n_waiting += 1
                i += 1
                if n_waiting < _WAITING:
                    continue
            # `apart` is needed for this leaf still, so the sums of those waiting go elsewhere.
            found = _compare_waiting(
                rows_b,
                filtered,
                waiting,
                n_waiting,
                coordinates,
                rows_a,
                low,
                high,
                first,
                last,
                limit,
                same,
                out_a,
                out_b,
                found,
            )
            n_waiting = 0
    return int(found)


@numba.njit(nogil=True, cache=True, fastmath=True)
def _near_boxes(
    box_low: Any, box_high: Any, first_leaf: int, low: Any, high: Any, limit: Any
) -> Any:
    """Return the boxes that come within the limit of one."""
    n_leaves, d = box_low.shape
    near = np.empty(n_leaves - first_leaf, np.int64)
    found = 0
    for leaf in range(first_leaf, n_leaves):
        theirs_low, theirs_high = box_low[leaf], box_high[leaf]
        apart = _ZERO
        k = 0
        while k < d and apart <= limit:
            for m in range(k, min(k + _STRIDE, d)):
                above, below = theirs_low[m] - high[m], low[m] - theirs_high[m]
                gap = above if above > below else below
                gap = gap if gap > _ZERO else _ZERO
                apart += gap * gap
            k += _STRIDE
        if apart <= limit:
            near[found] = leaf
            found += 1
    return near[:found]


@numba.njit(nogil=True, cache=True, fastmath=True)
def _compare_waiting(
    rows_b: Any,
    filtered: Any,
    waiting: Any,
    n_waiting: int,
    coordinates: Any,
    rows_a: Any,
    low: Any,
    high: Any,
    first: int,
    last: int,
    limit: Any,
    same: bool,
    out_a: Any,
    out_b: Any,
    found: int,
) -> int:
    """Compare the points that wait with every run of the leaf."""
    n_filtered = filtered.shape[0]
    n_runs, d = low.shape
    first_axes = min(_STRIDE, d)
    apart = np.empty(n_waiting, np.float32)
    totals = np.empty(n_waiting, np.float32)
    kept = np.empty(n_waiting + 1, np.int64)
    close = np.empty(n_waiting + 1, np.int64)
    # Axes that points lack are zero on both sides.
    ours = np.zeros(_STRIDE, np.float32)
    near = np.zeros((_STRIDE, n_waiting), np.float32)
    for k in range(n_filtered):
        column = filtered[k]
        row = coordinates[k]
        for i in range(n_waiting):
            row[i] = column[waiting[i]]
    for run in range(n_runs):
        begin = first + run * FINE
        _gaps_of_box(low[run], high[run], coordinates, n_waiting, apart)
        n_kept = 0
        for i in range(n_waiting):
            kept[n_kept] = i
            wanted = apart[i] <= limit and not (same and waiting[i] <= begin)
            n_kept += 1 if wanted else 0
        for k in range(first_axes if n_kept > 0 else 0):
            row, packed = coordinates[k], near[k]
            for e in range(n_kept):
                packed[e] = row[kept[e]]
        for j in range(begin, min(begin + FINE, last) if n_kept > 0 else begin):
            for k in range(first_axes):
                ours[k] = rows_a[j, k]
            _sum_first_axes(near, ours, n_kept, totals)
            n_close = 0
            for e in range(n_kept):
                close[n_close] = e
                n_close += 1 if totals[e] <= limit else 0
            for c in range(n_close):
                position = waiting[kept[close[c]]]
                one, other = rows_a[j], rows_b[position]
                total = totals[close[c]]
                for k in range(_STRIDE, d):
                    step = one[k] - other[k]
                    total += step * step
                if total <= limit and not (same and position <= j):
                    if found < len(out_a):
                        out_a[found] = j
                        out_b[found] = position
                    found += 1
    return found


@numba.njit(nogil=True, cache=True, fastmath=True)
def _gaps_of_box(low: Any, high: Any, coordinates: Any, n: int, apart: Any) -> None:
    """Sum the squared distances of n points from a box, one axis after another."""
    for i in range(n):
        apart[i] = _ZERO
    for k in range(coordinates.shape[0]):
        bottom, top = low[k], high[k]
        row = coordinates[k]
        for i in range(n):
            value = row[i]
            above, below = value - top, bottom - value
            gap = max(below, above)
            gap = max(_ZERO, gap)
            apart[i] += gap * gap


@numba.njit(nogil=True, cache=True, fastmath=True)
def _sum_first_axes(near: Any, ours: Any, n: int, totals: Any) -> None:
    """Sum the first squared differences of one point and n others.

    The points stand in vectors, one an axis: a sum over the axes of two points, which are too few
    for a vector, costs twice as much.
    """
    a0, a1, a2, a3 = ours[0], ours[1], ours[2], ours[3]
    a4, a5, a6, a7 = ours[4], ours[5], ours[6], ours[7]
    b0, b1, b2, b3 = near[0], near[1], near[2], near[3]
    b4, b5, b6, b7 = near[4], near[5], near[6], near[7]
    for e in range(n):
        s0, s1, s2, s3 = b0[e] - a0, b1[e] - a1, b2[e] - a2, b3[e] - a3
        s4, s5, s6, s7 = b4[e] - a4, b5[e] - a5, b6[e] - a6, b7[e] - a7
        half = (s0 * s0 + s1 * s1) + (s2 * s2 + s3 * s3)
        totals[e] = half + ((s4 * s4 + s5 * s5) + (s6 * s6 + s7 * s7))
