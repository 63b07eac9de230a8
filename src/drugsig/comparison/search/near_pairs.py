"""`NearPairs`: pairs of `Points` that are near each other, leaf by leaf."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.fast_forms import has_numba
from drugsig.comparison.search.principal_axes import (
    SINGLE,
    TINY,
    PrincipalAxes,
    half_lowered,
    margin,
)
from drugsig.comparison.search.tree import (
    LEAF,
    Indices,
    Tree,
    in_runs,
    leaves_as_given,
    leaves_of_neighbours,
    pairs_at,
)

__all__ = ["NearPairs", "Points", "near_leaves"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

# Columns multiplied at a time: a leaf times these stays in the processor's cache.
_COLUMNS = 4096

# Pairs of a leaf that compiled code has room for at first.
_ROOM = 65_536

# More pairs than this are found for a part of the leaf at a time.
_MOST_ROOM = 4_194_304

# Axes tested before points already known to be too far are left out.
_FIRST_AXES = 3

# Compiled code tests points along more axes, as each costs it less.
_KEPT_APART = 12

# Points in a leaf for compiled code, which cuts leaves into small boxes itself: fewer leaves mean
# that the points of the other side are read less often.
_COMPILED_LEAF = 1024

# Compiling, or loading what was compiled before, takes longer than a search among fewer profiles.
_COMPILED_FROM = 50_000


@dataclass(frozen=True, eq=False)
class Points:
    """Profiles as points along principal axes, one leaf of neighbours after another.

    Attributes
    ----------
    tree : Tree
        The leaves; boxes in single precision.
    rows : ndarray of float32, shape (n, d + 2)
        By position in the tree: a point, minus half its squared length, and 1.
    filtered : ndarray of float32, shape (at most 12, n)
        The first coordinates by position.
    n_filtered : int
        How many of them are worth testing where nothing is compiled.
    refined : bool
        Whether neighbours are next to each other within leaves too, for compiled code.
    longest : float
        The length of the longest point.
    rounding : float
        From `PrincipalAxes.rounding`.
    """

    tree: Tree
    rows: Singles
    filtered: Singles
    n_filtered: int
    refined: bool
    longest: float
    rounding: float

    @classmethod
    def of(
        cls, axes: PrincipalAxes, coordinates: Floats, /, *, split: bool, leaf: int | None = None
    ) -> Points:
        """Put profiles into leaves.

        Parameters
        ----------
        axes : PrincipalAxes
            The axes.
        coordinates : ndarray of float64, shape (d, n)
            The profiles.
        split : bool
            Whether to put neighbours together; otherwise profiles stay as they stand.
        leaf : int, optional
            The most profiles in a leaf.
        """
        turned = axes.turned(coordinates)
        d, n = turned.shape
        code = _compiled_code() if split and n >= _COMPILED_FROM and has_numba() else None
        leaf = leaf or (LEAF if code is None else _COMPILED_LEAF)
        tree = (
            leaves_of_neighbours(turned, leaf=leaf) if split else leaves_as_given(turned, leaf=leaf)
        )
        rows = np.empty((n, d + 2), dtype=np.float32)
        squares = np.zeros(n)
        for k, row in enumerate(turned):
            placed = row.take(tree.order)
            rows[:, k] = placed
            squares += placed.astype(np.float64) ** 2
        rows[:, d] = -half_lowered(squares, d)
        rows[:, d + 1] = 1.0
        if code is not None:
            code.refine(rows, tree.order, tree.starts, d)
        return cls(
            tree=tree,
            rows=rows,
            filtered=np.ascontiguousarray(rows[:, : min(d, _KEPT_APART)].T),
            n_filtered=axes.n_filtered,
            refined=code is not None,
            longest=float(np.sqrt(squares.max(initial=0.0))),
            rounding=axes.rounding(coordinates),
        )

    def opposite(self) -> Points:
        """Return every point on the other side of the origin, at the same position."""
        d = self.rows.shape[1] - 2
        rows: NDArray[Any] = self.rows.copy()
        rows[:, :d] *= -1.0
        tree = replace(self.tree, low=-self.tree.high, high=-self.tree.low)
        return replace(self, tree=tree, rows=rows, filtered=-self.filtered)


@dataclass(frozen=True, eq=False)
class NearPairs:
    """All pairs of points within a radius, and few others.

    Parameters
    ----------
    a, b : Points
        Both sides, along the same axes. For pairs within one set the same positions on both sides.
    radius : float
        In the scale of the axes.
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

    def propose(self, task: int, /) -> Iterator[tuple[Indices, Indices]]:
        """Yield pairs of a leaf, as positions in the order of both trees."""
        code = _compiled_code() if self.pruned and self.a.refined and has_numba() else None
        if code is not None:
            yield from self._compiled(task, code)
            return
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
            row, column = pairs_at(left @ right.T >= 0.0, int(first), some, once=self.same)
            if len(row):
                yield row, column

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

    def _limit(self) -> np.float32:
        """Return the squared distance below which a pair in single precision is proposed."""
        d = self.a.rows.shape[1] - 2
        reach = self._reach() + 4.0 * SINGLE * (self.a.longest + self.b.longest)
        return np.float32(reach**2 * (1.0 + 4.0 * (d + 4) * SINGLE) + TINY)

    def _near(self, task: int, limit: np.float32) -> Indices:
        """Return the leaves of the other side that can be within reach of a leaf."""
        tree = self.a.tree
        begin = task if self.same else 0
        return near_leaves(self.b, tree.low[task], tree.high[task], limit, first=begin)

    def _compiled(self, task: int, code: Any) -> Iterator[tuple[Indices, Indices]]:
        """Yield the pairs of a leaf as compiled code finds them."""
        limit = self._limit()
        first, last = (int(k) for k in self.a.tree.starts[task : task + 2])
        waiting = [(first, last)]
        room = _ROOM
        while waiting:
            first, last = waiting.pop()
            row, column = np.empty(room, np.int64), np.empty(room, np.int64)
            found = code.near_pairs(
                self.a.rows,
                first,
                last,
                self.b.rows,
                self.b.filtered,
                self.b.tree.low,
                self.b.tree.high,
                task if self.same else 0,
                self.b.tree.starts,
                limit,
                self.same,
                row,
                column,
            )
            if found <= room:
                if found:
                    yield row[:found], column[:found]
            elif found <= _MOST_ROOM or last - first == 1:
                waiting.append((first, last))
                room = found
            else:
                middle = (first + last) // 2
                waiting += [(middle, last), (first, middle)]

    def _kept(self, task: int) -> Indices:
        """Return the positions of the other side that can be within reach of a leaf."""
        tree = self.a.tree
        if not self.pruned:
            begin = task if self.same else 0
            return np.arange(self.b.tree.starts[begin], self.b.tree.starts[-1], dtype=np.int64)
        limit = self._limit()
        low, high = tree.low[task], tree.high[task]
        positions = in_runs(self._near(task, limit), self.b.tree.starts)
        apart = np.zeros(len(positions), dtype=np.float32)
        for k, axis in enumerate(self.b.filtered[: self.b.n_filtered]):
            if k == _FIRST_AXES:
                near = apart <= limit
                positions, apart = positions[near], apart[near]
            there = axis.take(positions)
            gap = np.maximum(there - high[k], low[k] - there)
            np.maximum(gap, 0.0, out=gap)
            gap *= gap
            apart += gap
        return positions[apart <= limit]


def near_leaves(
    points: Points, low: Singles, high: Singles, limit: np.float32, /, *, first: int = 0
) -> Indices:
    """Return the leaves from `first` on whose box is within the limit of a box, squared."""
    tree = points.tree
    gap = np.maximum(tree.low[first:] - high, low - tree.high[first:])
    np.maximum(gap, 0.0, out=gap)
    return np.flatnonzero(np.einsum("ij,ij->i", gap, gap) <= limit) + first


def _compiled_code() -> Any:
    # Imported only by searches that are large enough to gain from it.
    return importlib.import_module("drugsig.comparison.search.near_pairs_compiled")
