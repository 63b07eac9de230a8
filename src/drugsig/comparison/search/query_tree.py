"""`QueryTree`: points in leaves, laid out so that those nearest to a query are found quickly."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.fast_forms import has_numba
from drugsig.comparison.search.principal_axes import SINGLE, TINY, PrincipalAxes, margin
from drugsig.comparison.search.tree import Indices, Tree, leaves_as_given, leaves_of_neighbours

__all__ = ["QUERY_LEAF", "Found", "Queries", "QueryTree"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

# Points in a leaf. Measured on 200,000 profiles: half as many cost more in keeping books than they
# spare in sums, twice as many spare less.
QUERY_LEAF = 512

# Leaves are as wide as a whole number of the processor's vectors.
_VECTOR = 16

# Coordinates of a stage: after each it is asked whether a point is too far already. Below them
# stands what they leave of half its squared length.
_STAGE = 8
_ROWS = _STAGE + 1

# What stands there where a leaf has no point.
_NOBODY = np.float32(-1e30)

# Leaves looked at first, by the middle of their boxes, to learn how near neighbours are.
_FIRST = 8

# Compiling, or loading what was compiled before, takes longer than searches among fewer profiles.
_COMPILED_FROM = 20_000

# Queries asked at a time: compiled code keeps their numbers in the processor's cache, products gain
# from many rows.
_ASKED_COMPILED = 256
_ASKED_MULTIPLIED = 1024

# Coordinates farther from the origin than this, in the scale of the axes, leave single precision
# when they are squared.
_FARTHEST = 1e15


@dataclass(frozen=True, eq=False)
class Queries:
    """Points whose neighbours are looked for, along the axes of the tree.

    Attributes
    ----------
    rows : ndarray of float32, shape (m, 9 n_stages)
        Eight coordinates and a 1 for every stage.
    halves : ndarray of float32, shape (m, n_stages)
        Half the squared length of the coordinates up to a stage, less the margin.
    axes : ndarray of float32, shape (d, m)
        The coordinates.
    rounding : ndarray of float64, shape (m,)
        How far a distance can be off before single precision.
    slack : ndarray of float32, shape (m,)
        What single precision may add to the distance from a box.
    usable : ndarray of bool, shape (m,)
        Which of them single precision can hold; the others must be scored with every profile.
    """

    rows: Singles
    halves: Singles
    axes: Singles
    rounding: Floats
    slack: Singles
    usable: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, which: Any, /) -> Queries:
        """Return some of them."""
        return Queries(
            rows=self.rows[which],
            halves=self.halves[which],
            axes=np.ascontiguousarray(self.axes[:, which]),
            rounding=self.rounding[which],
            slack=self.slack[which],
            usable=self.usable[which],
        )


@dataclass(frozen=True, eq=False)
class Found:
    """Points proposed as near.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        The query.
    positions : ndarray of int64, shape (n,)
        The point, as a position among those of the tree.
    limit : ndarray of float32, shape (m,)
        Half the squared distance up to which every point is among them, query by query.
    """

    rows: Indices
    positions: Indices
    limit: Singles


@dataclass(frozen=True, eq=False)
class QueryTree:
    """Points in leaves.

    Attributes
    ----------
    axes : PrincipalAxes
        Their axes.
    tree : Tree
        The leaves; boxes in single precision.
    blocks : ndarray of float32, shape (n_leaves, 9 n_stages, width)
        The points of every leaf: for every stage eight coordinates, and minus half the square of
        their length, the margin taken off, so that no product loses a point.
    longest : float
        The length of the longest point.
    rounding : float
        From `PrincipalAxes.rounding`.
    """

    axes: PrincipalAxes
    tree: Tree
    blocks: Singles
    longest: float
    rounding: float

    @classmethod
    def of(
        cls,
        coordinates: Floats,
        /,
        *,
        split: bool = True,
        centred: bool = True,
        leaf: int | None = None,
        tree: tuple[Indices, Indices] | None = None,
    ) -> QueryTree:
        """Put points of shape (d, n) into leaves.

        Parameters
        ----------
        coordinates : ndarray of float64, shape (d, n)
            The points.
        split : bool
            Whether to put neighbours together, which pays for many queries.
        centred : bool
            Whether the middle of the points becomes the origin.
        leaf : int, optional
            The most points in a leaf; `QUERY_LEAF` by default.
        tree : tuple of ndarray, optional
            Order and starts of an earlier tree over the same points.
        """
        axes = PrincipalAxes.of(coordinates, centred=centred)
        turned = axes.turned(coordinates)
        if tree is not None:
            grown = _boxed_again(turned, *tree)
        elif split:
            grown = leaves_of_neighbours(turned, leaf=leaf or QUERY_LEAF)
        else:
            grown = leaves_as_given(turned, leaf=leaf or QUERY_LEAF)
        blocks, longest = _laid_out(turned, grown)
        return cls(axes, grown, blocks, longest, axes.rounding(coordinates))

    def __len__(self) -> int:
        return len(self.tree.order)

    @property
    def n_stages(self) -> int:
        """How many stages of eight coordinates there are."""
        return int(self.blocks.shape[1]) // _ROWS

    def queries(self, coordinates: Floats, /) -> Queries:
        """Return queries of shape (d, m) along the axes of the tree."""
        d, m = coordinates.shape
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = np.abs(coordinates * self.axes.scale).max(axis=0, initial=0.0)
            usable = sizes <= _FARTHEST
            turned = self.axes.turned(np.where(usable, coordinates, 0.0))
        rows = np.zeros((m, self.n_stages * _ROWS), dtype=np.float32)
        halves = np.zeros((m, self.n_stages), dtype=np.float32)
        squares = np.zeros(m)
        for stage in range(self.n_stages):
            for a in range(stage * _STAGE, min(d, (stage + 1) * _STAGE)):
                rows[:, stage + a] = turned[a]
                squares += turned[a].astype(np.float64) ** 2
            rows[:, stage * _ROWS + _STAGE] = 1.0
            halves[:, stage] = squares * ((1.0 - self._margin) / 2.0)
        length = np.sqrt(squares)
        # As `PrincipalAxes.rounding`, query by query.
        size = sizes * np.sqrt(d) + float(np.linalg.norm(self.axes.centre * self.axes.scale))
        return Queries(
            rows=rows,
            halves=halves,
            axes=turned,
            rounding=64.0 * (d + 1) * np.finfo(np.float64).eps * size + self.rounding,
            slack=(4.0 * SINGLE * (length + self.longest)).astype(np.float32),
            usable=usable,
        )

    def limit_of(self, queries: Queries, radius: Floats, /) -> Singles:
        """Return the limit within which every point of a radius is found.

        Parameters
        ----------
        queries : Queries
            From `queries`.
        radius : ndarray of float64, shape (m,)
            In the unit of the coordinates.
        """
        reach = radius * self.axes.scale + queries.rounding
        with np.errstate(over="ignore"):
            half = (reach**2 * (1.0 + self._margin) / 2.0 + TINY).astype(np.float32)
        return np.nextafter(half, np.float32(np.inf))

    def within(self, queries: Queries, limit: Singles, /) -> Found:
        """Propose every point within a limit of each query, and few others."""
        rows, positions, _ = self._within(queries, limit)
        return Found(rows, positions, limit)

    def nearest(self, queries: Queries, k: int, /) -> Found:
        """Propose the k nearest points of each query, and those nearly as near as the k-th.

        Parameters
        ----------
        queries : Queries
            From `queries`; neighbours of each other, for speed only.
        k : int
            How many; not more than there are.
        """
        return self._compiled(queries, k) if self._is_compiled else self._multiplied(queries, k)

    @property
    def together(self) -> int:
        """How many queries are best asked at a time."""
        return _ASKED_COMPILED if self._is_compiled else _ASKED_MULTIPLIED

    # -- how ---------------------------------------------------------------------------------

    @property
    def _is_compiled(self) -> bool:
        return len(self) >= _COMPILED_FROM and has_numba()

    @property
    def _margin(self) -> float:
        return margin(self.blocks.shape[1])

    @property
    def _widening(self) -> float:
        return 1.0 + 4.0 * (int(self.tree.low.shape[1]) + 8) * SINGLE

    def _spare(self, queries: Queries) -> Singles:
        """Return how much a value can be too small, for a point about as long as the query."""
        return (8.0 * self._margin * queries.halves[:, -1] + np.float32(TINY)).astype(np.float32)

    def _compiled(self, queries: Queries, k: int) -> Found:
        m = len(queries)
        first, towards = self._looked_at_first(queries, k)
        low, high = queries.axes.min(axis=1), queries.axes.max(axis=1)
        gap = np.maximum(np.maximum(self.tree.low - high, low - self.tree.high), 0.0)
        apart = np.einsum("ij,ij->i", gap, gap)
        room = 2 * k + _VECTOR * 2
        values = np.empty((m, room), dtype=np.float32)
        positions = np.empty((m, room), dtype=np.int64)
        count = np.zeros(m, dtype=np.int64)
        crowded = np.zeros(m, dtype=bool)
        limit = np.full(m, np.inf, dtype=np.float32)
        spare = self._spare(queries)
        code: Any = importlib.import_module("drugsig.comparison.search.query_tree_compiled")
        code.nearest_in_leaves(
            queries.rows,
            queries.halves,
            queries.axes,
            queries.slack,
            np.float32(self._widening),
            spare,
            first,
            np.argsort(apart - towards.mean(axis=0) * np.float32(0.2)).astype(np.int64),
            apart,
            self.tree.low,
            self.tree.high,
            self.blocks,
            self.tree.starts,
            k,
            limit,
            values,
            positions,
            count,
            crowded,
        )
        filled = np.arange(room) < np.where(crowded, 0, count)[:, None]
        values = np.where(filled, values, np.float32(np.inf))
        kth = np.partition(values, k - 1, axis=1)[:, k - 1]
        limit = _not_negative(np.minimum(limit, kth + spare))
        row, column = np.nonzero(filled & (values <= limit[:, None]))
        found = Found(row, self.tree.order[positions[row, column]], limit)
        if crowded.any():
            # More points at nearly the same distance than there was room for.
            return _joined(
                found, np.flatnonzero(crowded), self._multiplied(queries.part(crowded), k)
            )
        return found

    def _multiplied(self, queries: Queries, k: int) -> Found:
        limit = self._first_limit(queries, k)
        rows, positions, values = self._within(queries, limit)
        order = np.lexsort((values, rows))
        rows, positions, values = rows[order], positions[order], values[order]
        start = np.searchsorted(rows, np.arange(len(queries)))
        kth = values[start + k - 1]
        limit = _not_negative(np.minimum(limit, kth + self._spare(queries)))
        kept = values <= limit[rows]
        return Found(rows[kept], positions[kept], limit)

    def _first_limit(self, queries: Queries, k: int) -> Singles:
        """Return a limit within which every query has k points."""
        first, _ = self._looked_at_first(queries, k)
        m, n_first = first.shape
        values = np.empty((m, n_first, self.blocks.shape[2]), dtype=np.float32)
        by_leaf = np.argsort(first, axis=None, kind="stable")
        leaves, starts = np.unique(first.ravel()[by_leaf], return_index=True)
        for leaf, some in zip(leaves, np.split(by_leaf, starts[1:]), strict=True):
            row, slot = np.divmod(some, n_first)
            total = queries.rows[row] @ self.blocks[leaf]
            values[row, slot] = queries.halves[row, -1][:, None] - total
        kth = np.partition(values.reshape(m, -1), k - 1, axis=1)[:, k - 1]
        return _not_negative(kth + self._spare(queries))

    def _looked_at_first(self, queries: Queries, k: int) -> tuple[Indices, Singles]:
        """Return the leaves around every query, and how near the middle of each is to it."""
        middle = (self.tree.low + self.tree.high) * np.float32(0.5)
        half = np.einsum("ij,ij->i", middle, middle) * np.float32(0.5)
        towards = queries.axes.T @ middle.T - half
        least = int(np.diff(self.tree.starts).min())
        n_first = min(max(_FIRST, -(-k // least)), len(self.tree))
        first = np.argpartition(-towards, n_first - 1, axis=1)[:, :n_first]
        return np.ascontiguousarray(first, dtype=np.int64), towards

    def _within(self, queries: Queries, limit: Singles) -> tuple[Indices, Indices, Singles]:
        """Return queries, points and values within the limits."""
        near = self._near_leaves(queries, limit)
        sizes = np.diff(self.tree.starts)
        floor = queries.halves[:, -1] - limit
        found: list[tuple[Indices, Indices, Singles]] = []
        for leaf in np.flatnonzero(near.any(axis=1)):
            rows = np.flatnonzero(near[leaf])
            total = queries.rows[rows] @ self.blocks[leaf]
            row, column = np.divmod(
                np.flatnonzero(total >= floor[rows][:, None]), self.blocks.shape[2]
            )
            somebody = column < sizes[leaf]
            if not somebody.all():
                row, column = row[somebody], column[somebody]
            if len(row):
                value = queries.halves[rows[row], -1] - total[row, column]
                position = self.tree.order[self.tree.starts[leaf] + column]
                found.append((rows[row], position, value))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
        rows, positions, values = (np.concatenate(part) for part in zip(*found, strict=True))
        return rows, positions, values

    def _near_leaves(self, queries: Queries, limit: Singles) -> NDArray[np.bool_]:
        """Say which leaves come within the limit of which query, shape (n_leaves, m)."""
        with np.errstate(over="ignore"):
            reach = np.sqrt(2.0 * limit) + queries.slack
            box = reach * reach * np.float32(self._widening)
        gaps = np.zeros((len(self.tree), len(queries)), dtype=np.float32)
        d = self.tree.low.shape[1]
        # For many queries all axes would cost more than what the last of them spare.
        for a in range(d if len(queries) <= _VECTOR else min(d, _STAGE)):
            here = queries.axes[a]
            gap = np.maximum(self.tree.low[:, a, None] - here, here - self.tree.high[:, a, None])
            np.maximum(gap, 0.0, out=gap)
            gap *= gap
            gaps += gap
        return np.asarray(gaps <= box)


def _not_negative(limit: NDArray[Any]) -> Singles:
    """Return limits of zero or more: less the margin, a point in the same place is below zero."""
    return np.asarray(np.maximum(limit, 0.0), dtype=np.float32)


def _joined(found: Found, which: Indices, more: Found) -> Found:
    """Return what was found for some queries together with what was found for the others."""
    limit = found.limit.copy()
    limit[which] = more.limit
    return Found(
        np.concatenate([found.rows, which[more.rows]]),
        np.concatenate([found.positions, more.positions]),
        limit,
    )


def _laid_out(turned: Singles, tree: Tree) -> tuple[Singles, float]:
    """Return the blocks of all leaves, and the length of the longest point."""
    d, n = turned.shape
    n_stages = max(1, -(-d // _STAGE))
    sizes = np.diff(tree.starts)
    width = -(-int(sizes.max(initial=1)) // _VECTOR) * _VECTOR
    blocks = np.zeros((len(tree), n_stages * _ROWS, width), dtype=np.float32)
    leaf = np.repeat(np.arange(len(tree)), sizes)
    column = np.arange(n) - np.repeat(tree.starts[:-1], sizes)
    lowered = (1.0 - margin(n_stages * _ROWS)) / 2.0
    longest = np.zeros(n)
    for stage in range(n_stages):
        squares = np.zeros(n)
        for a in range(stage * _STAGE, min(d, (stage + 1) * _STAGE)):
            placed = turned[a].take(tree.order)
            blocks[leaf, stage + a, column] = placed
            squares += placed.astype(np.float64) ** 2
        if stage == 0:
            blocks[:, _STAGE] = _NOBODY
        blocks[leaf, stage * _ROWS + _STAGE, column] = -(squares * lowered)
        longest += squares
    return blocks, float(np.sqrt(longest.max(initial=0.0)))


def _boxed_again(turned: Singles, order: Indices, starts: Indices) -> Tree:
    """Return the tree of an earlier search over the same points."""
    low = np.minimum.reduceat(turned[:, order], starts[:-1], axis=1)
    high = np.maximum.reduceat(turned[:, order], starts[:-1], axis=1)
    return Tree(order, starts, np.ascontiguousarray(low.T), np.ascontiguousarray(high.T))
