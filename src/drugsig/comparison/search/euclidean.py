"""Pairs of points that are near each other, leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.search.frame import SINGLE, TINY, Points, margin
from drugsig.comparison.search.tree import Places, in_runs

__all__ = ["NearPairs", "near_leaves"]

Singles = NDArray[np.float32]

# Columns multiplied at a time: a leaf times these stays in the processor's cache.
_COLUMNS = 4096

# Axes tested before points already known to be too far are left out.
_FIRST_AXES = 3


@dataclass(frozen=True, eq=False)
class NearPairs:
    """All pairs of points within a radius, and few others.

    Parameters
    ----------
    a, b : Points
        Both sides, in one frame. For pairs within one set the same places on both sides.
    radius : float
        In the scale of the frame.
    same : bool
        Whether both sides are one set, of which each pair is wanted once.
    pruned : bool
        Whether leaves that are too far are left out; otherwise every pair is multiplied.
    """

    a: Points
    b: Points
    radius: float
    same: bool
    pruned: bool

    @property
    def n_tasks(self) -> int:
        """One a leaf."""
        return len(self.a.tree)

    def work(self, task: int, /) -> float:
        """Return how many pairs are multiplied for a leaf, to tell whether pruning pays."""
        size = int(np.diff(self.a.tree.starts[task : task + 2])[0])
        return float(size * len(self._kept(task)))

    def propose(self, task: int, /) -> Iterator[tuple[Places, Places]]:
        """Yield pairs of a leaf, as places in the two sets of profiles."""
        kept = self._kept(task)
        first, last = self.a.tree.starts[task], self.a.tree.starts[task + 1]
        left = self._left(int(first), int(last))
        for begin in range(0, len(kept), _COLUMNS):
            some = kept[begin : begin + _COLUMNS]
            right = (
                self.b.rows.take(some, axis=0)
                if self.pruned
                else self.b.rows[some[0] : some[-1] + 1]
            )
            product = left @ right.T
            hits = np.flatnonzero(product.ravel() >= 0.0)
            row, column = np.divmod(hits, len(some))
            row += first
            column = some[column]
            if self.same:
                once = column > row
                row, column = row[once], column[once]
            if len(row):
                yield self.a.tree.order[row], self.b.tree.order[column]

    def _left(self, first: int, last: int) -> Singles:
        """Return the points of a leaf, 1, and what their squared lengths leave of the radius."""
        rows = self.a.rows[first:last]
        d = rows.shape[1] - 2
        out = rows.copy()
        out[:, d] = 1.0
        room = self._reach() ** 2 * (1.0 + margin(d)) / 2.0 + TINY
        out[:, d + 1] = rows[:, d] + np.float32(room)
        return out

    def _reach(self) -> float:
        return self.radius + self.a.rounding + self.b.rounding

    def _kept(self, task: int) -> Places:
        """Return the places of the other side that can be within reach of a leaf."""
        tree = self.a.tree
        begin = task if self.same else 0
        if not self.pruned:
            return np.arange(self.b.tree.starts[begin], self.b.tree.starts[-1], dtype=np.int64)
        d = tree.low.shape[1]
        longest = self.a.longest + self.b.longest
        reach = self._reach() + 4.0 * SINGLE * longest
        limit = np.float32(reach**2 * (1.0 + 4.0 * (d + 4) * SINGLE) + TINY)
        low, high = tree.low[task], tree.high[task]
        leaves = near_leaves(self.b, low, high, limit, first=begin)
        places = in_runs(leaves, self.b.tree.starts)
        apart = np.zeros(len(places), dtype=np.float32)
        for k, axis in enumerate(self.b.filtered):
            if k == _FIRST_AXES:
                near = apart <= limit
                places, apart = places[near], apart[near]
            there = axis.take(places)
            gap = np.maximum(there - high[k], low[k] - there)
            np.maximum(gap, 0.0, out=gap)
            gap *= gap
            apart += gap
        return places[apart <= limit]


def near_leaves(
    points: Points, low: Singles, high: Singles, limit: np.float32, /, *, first: int = 0
) -> Places:
    """Return the leaves from `first` on whose box is within the limit of a box, squared."""
    tree = points.tree
    gap = np.maximum(tree.low[first:] - high, low - tree.high[first:])
    np.maximum(gap, 0.0, out=gap)
    return np.flatnonzero(np.einsum("ij,ij->i", gap, gap) <= limit) + first
