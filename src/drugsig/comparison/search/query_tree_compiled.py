"""The search for the nearest points as compiled code; only where the extra ``fast`` is installed.

It proposes the neighbours that the products of `drugsig.comparison.search.query_tree` propose, save
some that lie within the margin; what is proposed is decided by the score either way.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["STAGE", "nearest_in_leaves"]

# Coordinates summed before it is asked whether a point is already too far: those of one stage.
STAGE = 8

_ZERO = np.float32(0.0)
_TWO = np.float32(2.0)
_NONE = np.float32(-1.0)


@numba.njit(nogil=True, cache=True, fastmath={"contract"})
def nearest_in_leaves(
    rows: NDArray[np.float32],
    halves: NDArray[np.float32],
    axes: NDArray[np.float32],
    slack: NDArray[np.float32],
    widening: np.float32,
    spare: NDArray[np.float32],
    first_leaves: NDArray[np.int64],
    leaves: NDArray[np.int64],
    apart: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    blocks: NDArray[np.float32],
    starts: NDArray[np.int64],
    k: int,
    limit: NDArray[np.float32],
    values: NDArray[np.float32],
    positions: NDArray[np.int64],
    count: NDArray[np.int64],
    crowded: NDArray[np.bool_],
) -> None:
    """Find the points near each of a group of queries.

    Parameters
    ----------
    rows : ndarray of float32, shape (m, 9 n_stages)
        The queries: eight coordinates and a 1 for every stage.
    halves : ndarray of float32, shape (m, n_stages)
        Half the squared length of their coordinates up to a stage, less the margin.
    axes : ndarray of float32, shape (d, m)
        Their coordinates.
    slack : ndarray of float32, shape (m,)
        What single precision may add to the distance from a box.
    widening : float32
        The share that is added to squared distances from a box.
    spare : ndarray of float32, shape (m,)
        How far beyond the k-th value points are still kept.
    first_leaves : ndarray of int64, shape (m, n_first)
        The leaves looked at first.
    leaves : ndarray of int64
        The order of all others.
    apart : ndarray of float32, shape (n_leaves,)
        How far leaves are from all queries at least, squared.
    low, high : ndarray of float32, shape (n_leaves, d)
        The boxes around the leaves.
    blocks : ndarray of float32, shape (n_leaves, 9 n_stages, width)
        The points of every leaf, see `QueryTree`.
    starts : ndarray of int64, shape (n_leaves + 1,)
        The first position of every leaf, and the end.
    k : int
        How many are wanted.
    limit : ndarray of float32, shape (m,)
        Half the squared distance within which points are kept; lowered as nearer ones are found.
    values : ndarray of float32, shape (m, room)
        Half squared distances, the margin taken off.
    positions : ndarray of int64, shape (m, room)
        Positions of the points found.
    count : ndarray of int64, shape (m,)
        How many were found; zeros at first.
    crowded : ndarray of bool, shape (m,)
        Set for a query with more points within its limit than there is room for.
    """
    m, d = rows.shape[0], axes.shape[0]
    totals = np.empty((2, blocks.shape[2]), np.float32)
    near = np.zeros(2, np.bool_)
    room = np.empty(values.shape[1], np.float32)
    waiting = np.empty(m + 1, np.int64)
    gaps = np.empty(m, np.float32)
    box = np.empty(m, np.float32)
    _look_at_first(
        rows, halves, slack, widening, spare, first_leaves, blocks, starts, k, limit, values,
        positions, count, crowded, box, totals, near, room,
    )  # fmt: skip
    farthest = box.max()
    for leaf in leaves:
        if apart[leaf] > farthest:
            continue
        for i in range(m):
            gaps[i] = _ZERO
        within = np.int32(0)
        a = 0
        while a < d:
            stop = min(a + STAGE, d)
            while a < stop:
                bottom, top = low[leaf, a], high[leaf, a]
                for i in range(m):
                    gap = max(max(bottom - axes[a, i], axes[a, i] - top), _ZERO)
                    gaps[i] += gap * gap
                a += 1
            within = np.int32(0)
            for i in range(m):
                within += np.int32(gaps[i] <= box[i])
            if within == 0:
                break
        if within == 0:
            continue
        n_waiting = 0
        for i in range(m):
            waiting[n_waiting] = i
            n_waiting += 1 if gaps[i] <= box[i] else 0
        changed = False
        for w in range(n_waiting):
            if w % 2 == 0:
                # The last may be alone; then it is summed twice, and looked at once.
                two = waiting[min(w + 1, n_waiting - 1)]
                _first_stage(waiting[w], two, leaf, rows, halves, limit, blocks, totals, near)
            i = waiting[w]
            if near[w % 2] and not _is_first(i, leaf, first_leaves):
                before = limit[i]
                _later_stages(i, w % 2, leaf, rows, halves, spare, blocks, starts, k, limit,
                              values, positions, count, crowded, totals, room)  # fmt: skip
                if limit[i] != before or crowded[i]:
                    box[i] = _box_limit(crowded[i], limit[i], slack[i], widening)
                    changed = True
        if changed:
            farthest = box.max()


@numba.njit(nogil=True, cache=True)
def _look_at_first(
    rows: Any,
    halves: Any,
    slack: Any,
    widening: Any,
    spare: Any,
    first_leaves: Any,
    blocks: Any,
    starts: Any,
    k: int,
    limit: Any,
    values: Any,
    positions: Any,
    count: Any,
    crowded: Any,
    box: Any,
    totals: Any,
    near: Any,
    room: Any,
) -> None:
    """Look at the leaves around every query, and set its limits by what is found there."""
    for i in range(len(rows)):
        for e in range(first_leaves.shape[1]):
            leaf = first_leaves[i, e]
            _first_stage(i, i, leaf, rows, halves, limit, blocks, totals, near)
            if near[0] and not crowded[i]:
                _later_stages(i, 0, leaf, rows, halves, spare, blocks, starts, k, limit,
                              values, positions, count, crowded, totals, room)  # fmt: skip
        if count[i] > k:
            _lower(i, k, limit, spare, values, positions, count, room)
        box[i] = _box_limit(crowded[i], limit[i], slack[i], widening)


@numba.njit(nogil=True, cache=True)
def _box_limit(crowded: Any, limit: Any, slack: Any, widening: Any) -> Any:
    if crowded:
        return _NONE
    reach = np.sqrt(_TWO * limit) + slack
    return reach * reach * widening


@numba.njit(nogil=True, cache=True)
def _lower(
    i: int, k: int, limit: Any, spare: Any, values: Any, positions: Any, count: Any, room: Any
) -> None:
    """Lower the limit to what the points found so far allow, and let go of those beyond it."""
    n = count[i]
    for e in range(n):
        room[e] = values[i, e]
    room[:n].sort()
    # Less the margin, the value of a point in the same place is below zero.
    limit[i] = max(min(limit[i], room[k - 1] + spare[i]), _ZERO)
    left = 0
    for e in range(n):
        if values[i, e] <= limit[i]:
            values[i, left] = values[i, e]
            positions[i, left] = positions[i, e]
            left += 1
    count[i] = left


@numba.njit(nogil=True, cache=True)
def _is_first(i: int, leaf: int, first_leaves: Any) -> Any:
    found = False
    for e in range(first_leaves.shape[1]):
        found |= first_leaves[i, e] == leaf
    return found


@numba.njit(nogil=True, cache=True, fastmath={"contract"}, inline="always")
def _first_stage(
    one: int,
    two: int,
    leaf: int,
    rows: Any,
    halves: Any,
    limit: Any,
    blocks: Any,
    totals: Any,
    near: Any,
) -> None:
    """Sum the first stage of two queries, and say for which a point may be within the limit.

    Two at a time, so that the points of a leaf are loaded half as often.
    """
    a0, a1, a2, a3 = rows[one, 0], rows[one, 1], rows[one, 2], rows[one, 3]
    a4, a5, a6, a7 = rows[one, 4], rows[one, 5], rows[one, 6], rows[one, 7]
    b0, b1, b2, b3 = rows[two, 0], rows[two, 1], rows[two, 2], rows[two, 3]
    b4, b5, b6, b7 = rows[two, 4], rows[two, 5], rows[two, 6], rows[two, 7]
    floor_one, floor_two = halves[one, 0] - limit[one], halves[two, 0] - limit[two]
    for j in range(blocks.shape[2]):
        p0, p1, p2, p3 = (
            blocks[leaf, 0, j],
            blocks[leaf, 1, j],
            blocks[leaf, 2, j],
            blocks[leaf, 3, j],
        )
        p4, p5, p6, p7 = (
            blocks[leaf, 4, j],
            blocks[leaf, 5, j],
            blocks[leaf, 6, j],
            blocks[leaf, 7, j],
        )
        half = blocks[leaf, 8, j]
        totals[0, j] = ((half + p0 * a0 + p1 * a1 + p2 * a2 + p3 * a3)
                    + (p4 * a4 + p5 * a5 + p6 * a6 + p7 * a7))  # fmt: skip
        totals[1, j] = ((half + p0 * b0 + p1 * b1 + p2 * b2 + p3 * b3)
                     + (p4 * b4 + p5 * b5 + p6 * b6 + p7 * b7))  # fmt: skip
    within_one, within_two = np.int32(0), np.int32(0)
    for j in range(blocks.shape[2]):
        within_one += np.int32(totals[0, j] >= floor_one)
        within_two += np.int32(totals[1, j] >= floor_two)
    near[0], near[1] = within_one > 0, within_two > 0


@numba.njit(nogil=True, cache=True, fastmath={"contract"}, inline="always")
def _later_stages(
    i: int,
    side: int,
    leaf: int,
    rows: Any,
    halves: Any,
    spare: Any,
    blocks: Any,
    starts: Any,
    k: int,
    limit: Any,
    values: Any,
    positions: Any,
    count: Any,
    crowded: Any,
    totals: Any,
    room: Any,
) -> None:
    """Keep the points of a leaf that are within the limit of a query."""
    width = blocks.shape[2]
    n_stages = halves.shape[1]
    floor = halves[i, 0] - limit[i]
    for s in range(1, n_stages):
        a = s * (STAGE + 1)
        q0, q1, q2, q3 = rows[i, a], rows[i, a + 1], rows[i, a + 2], rows[i, a + 3]
        q4, q5, q6, q7 = rows[i, a + 4], rows[i, a + 5], rows[i, a + 6], rows[i, a + 7]
        floor = halves[i, s] - limit[i]
        for j in range(width):
            totals[side, j] += (
                ((blocks[leaf, a, j] * q0 + blocks[leaf, a + 1, j] * q1)
                + (blocks[leaf, a + 2, j] * q2 + blocks[leaf, a + 3, j] * q3))
                + ((blocks[leaf, a + 4, j] * q4 + blocks[leaf, a + 5, j] * q5)
                + (blocks[leaf, a + 6, j] * q6 + blocks[leaf, a + 7, j] * q7))
                + blocks[leaf, a + 8, j]
            )  # fmt: skip
        within = np.int32(0)
        for j in range(width):
            within += np.int32(totals[side, j] >= floor)
        if within == 0:
            return
    first = starts[leaf]
    half = halves[i, n_stages - 1]
    for j in range(starts[leaf + 1] - first):
        if totals[side, j] >= floor:
            if count[i] == values.shape[1]:
                _lower(i, k, limit, spare, values, positions, count, room)
                if count[i] == values.shape[1]:
                    crowded[i] = True
                    return
                floor = half - limit[i]
                if totals[side, j] < floor:
                    continue
            values[i, count[i]] = half - totals[side, j]
            positions[i, count[i]] = first + j
            count[i] += 1
