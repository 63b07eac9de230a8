"""Sums of terms that are small, leaf by leaf: `SmallSums` of pairs, `TermTree` of a query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.fast_forms import block_values, compiled_form
from drugsig.comparison.metrics import Metric
from drugsig.comparison.search.principal_axes import TINY, power_below
from drugsig.comparison.search.tree import (
    Indices,
    Tree,
    in_runs,
    leaves_as_given,
    leaves_of_neighbours,
    pairs_at,
)
from drugsig.comparison.spaces import TermSpace

__all__ = ["TERM_LEAF", "SmallSums", "TermPoints", "TermTree", "lost_in_single", "scale_and_kind"]

Floats = NDArray[np.float64]

# Every pair of two leaves costs one operation a target, so leaves are smaller than where one matrix
# product does them all.
TERM_LEAF = 64

# Sums formed at a time; they stay in the processor's cache.
_BLOCK = 32_768

# Ratios of numbers smaller than this, against a largest of 1, lose digits in single precision.
_SMALLEST = 1e-30

# Leaves summed at first, and at most in one go.
_FIRST = 8
_MOST = 512

# Values larger than this, in the scale of the points, might leave single precision.
_LARGEST = 1e15


@dataclass(frozen=True, eq=False)
class TermPoints:
    """Profiles by leaf, in single precision where that is safe.

    Attributes
    ----------
    tree : Tree
        The leaves.
    columns : ndarray, shape (p, n)
        Ready profiles by position in the tree, divided by the scale.
    slack : ndarray, shape (n,)
        How far the value of a pair can be off on account of this profile, by position.
    leaf_slack : ndarray, shape (n_leaves,)
        The largest of a leaf.
    """

    tree: Tree
    columns: NDArray[Any]
    slack: NDArray[Any]
    leaf_slack: NDArray[Any]

    @classmethod
    def of(
        cls,
        transformed: Floats,
        space: TermSpace,
        /,
        *,
        scale: float,
        split: bool,
        kind: Any,
        leaf: int = TERM_LEAF,
    ) -> TermPoints:
        """Put transformed profiles, shape (p, n), into leaves.

        Parameters
        ----------
        transformed : ndarray of float64, shape (p, n)
            The profiles.
        space : TermSpace
            Its bound and its error.
        scale : float
            What values are multiplied with.
        split : bool
            Whether to put neighbours together; otherwise profiles stay as they stand.
        kind : dtype
            The precision, from `scale_and_kind`.
        leaf : int
            The most profiles in a leaf.
        """
        p = len(transformed)
        scaled = transformed * scale
        sizes = np.abs(scaled)
        columns = scaled.astype(kind)
        tree = (
            leaves_of_neighbours(columns, leaf=leaf)
            if split
            else leaves_as_given(columns, leaf=leaf)
        )
        error = space.error(p)
        n = transformed.shape[1]
        slack = error * sizes.sum(axis=0) + p * TINY if space.absolute else np.zeros(n)
        slack = slack.take(tree.order)
        leaf_slack = np.maximum.reduceat(slack, tree.starts[:-1]) if len(slack) else slack
        return cls(
            tree=tree,
            columns=np.ascontiguousarray(columns.take(tree.order, axis=1)),
            slack=slack.astype(kind),
            leaf_slack=leaf_slack.astype(kind),
        )


@dataclass(frozen=True, eq=False)
class SmallSums:
    """All pairs whose kernel value is at most a limit, and few others.

    Parameters
    ----------
    a, b : TermPoints
        Both sides.
    limit : float
        The kernel value, in the scale of the points, with the margin of a value without unit.
    metric : Metric
        The definition of the score.
    space : TermSpace
        Its bound.
    same : bool
        Whether both sides are one set, of which each pair is wanted once.
    pruned : bool
        Whether leaves that are too far are left out; otherwise every pair is summed.
    """

    a: TermPoints
    b: TermPoints
    limit: float
    metric: Metric
    space: TermSpace
    same: bool
    pruned: bool

    @property
    def n_tasks(self) -> int:
        """One a leaf."""
        return len(self.a.tree)

    def work(self, task: int, /) -> float:
        """Return how many sums are formed for a leaf, to tell whether pruning pays."""
        size = int(np.diff(self.a.tree.starts[task : task + 2])[0])
        return float(size * len(self._kept(task)))

    def propose(self, task: int, /) -> Iterator[tuple[Indices, Indices]]:
        """Yield pairs of a leaf, as positions in the order of both trees."""
        kept = self._kept(task)
        first, last = (int(k) for k in self.a.tree.starts[task : task + 2])
        form = compiled_form(self.metric, len(self.a.slack) * len(self.b.slack))
        own = self.a.slack[first:last, None] + self.a.columns.dtype.type(self.limit)
        step = max(1, _BLOCK // (last - first))
        for begin in range(0, len(kept), step):
            some = kept[begin : begin + step]
            if self.pruned:
                right, columns = self.b.columns.take(some, axis=1), slice(0, len(some))
            else:
                right, columns = self.b.columns, slice(int(some[0]), int(some[-1]) + 1)
            rows = slice(first, last)
            values = block_values(self.a.columns, right, rows, columns, self.metric, form)
            # An undefined value compares false: it is no link.
            near = values - self.b.slack[some] <= own
            row, column = pairs_at(near, first, some, once=self.same)
            if len(row):
                yield row, column

    def _kept(self, task: int) -> Indices:
        """Return the positions of the other side that can meet the limit with one of a leaf."""
        tree, other = self.a.tree, self.b.tree
        begin = task if self.same else 0
        if not self.pruned:
            return np.arange(other.starts[begin], other.starts[-1], dtype=np.int64)
        low, high = tree.low[task][:, None], tree.high[task][:, None]
        room = self.limit + float(self.a.leaf_slack[task])
        apart = self.space.bound(low, high, other.low[begin:].T, other.high[begin:].T)
        leaves = np.flatnonzero(apart - self.b.leaf_slack[begin:] <= room) + begin
        positions = in_runs(leaves, other.starts)
        there = self.b.columns[:, positions]
        apart = self.space.bound(low, high, there, there)
        near: NDArray[np.bool_] = apart - self.b.slack[positions] <= room
        return positions[near]


@dataclass(frozen=True, eq=False)
class TermTree:
    """Points by leaf, and how their kernel sums.

    Attributes
    ----------
    points : TermPoints
        The points.
    scale : float
        What values are multiplied by.
    metric : Metric
        The definition of the score.
    space : TermSpace
        Its bound.
    """

    points: TermPoints
    scale: float
    metric: Metric
    space: TermSpace

    def usable(self, transformed: Floats, /) -> NDArray[np.bool_]:
        """Say which transformed profiles, shape (p, m), the precision of the points can hold."""
        with np.errstate(over="ignore"):
            held = np.abs(transformed * self.scale).max(axis=0, initial=0.0) <= _LARGEST
        if self.points.columns.dtype == np.float32:
            held &= ~lost_in_single(self.space, transformed, self.scale)
        return np.asarray(held)

    def limit_of(self, value: float, /) -> float:
        """Return the limit within which every point of a kernel value is found."""
        return self.space.limit(value, len(self.points.columns), scale=self.scale)

    def nearest(self, query: Floats, k: int, /) -> tuple[Indices, float]:
        """Propose the k points most like a transformed profile, and those nearly as much like it.

        Parameters
        ----------
        query : ndarray of float64, shape (p,)
            Usable.
        k : int
            How many.

        Returns
        -------
        positions : ndarray of int64
            Among the points.
        limit : float
            Every point within this limit is proposed.
        """
        points, tree = self.points, self.points.tree
        own_slack = self._slack(query)
        here = (query * self.scale).astype(points.columns.dtype)[:, None]
        apart = self.space.bound(here, here, tree.low.T, tree.high.T).astype(np.float64)
        apart -= points.leaf_slack + own_slack
        order = np.argsort(apart, kind="stable")
        apart = apart[order]
        limit, first, step = np.inf, 0, _FIRST
        lowest, highest, found = np.empty(0), np.empty(0), np.empty(0, np.int64)
        while first < len(order) and apart[first] <= limit:
            last = min(first + step, int(np.searchsorted(apart, limit, side="right")))
            positions = in_runs(order[first:last], tree.starts)
            values = self.metric.kernel.complete(here, points.columns[:, positions]).astype(
                np.float64
            )
            slack = points.slack[positions] + own_slack
            near = values - slack <= limit
            lowest = np.concatenate([lowest, (values - slack)[near]])
            highest = np.concatenate([highest, (values + slack)[near]])
            found = np.concatenate([found, positions[near]])
            if len(found) >= k:
                kth = float(np.partition(highest, k - 1)[k - 1])
                # Once for the kernel's own error, once for that of the limit.
                limit = min(limit, kth + 2.0 * self._error(2.0 * kth))
                kept = lowest <= limit
                lowest, highest, found = lowest[kept], highest[kept], found[kept]
            first, step = last, min(2 * step, _MOST)
        return tree.order[found], limit

    def _error(self, limit: float) -> float:
        return self.space.limit_error(limit, len(self.points.columns))

    def _slack(self, query: Floats) -> float:
        if not self.space.absolute:
            return 0.0
        p = len(query)
        return self.space.error(p) * float(np.abs(query * self.scale).sum()) + p * TINY


def scale_and_kind(space: TermSpace, /, *sides: Floats) -> tuple[float, Any]:
    """Return what to multiply transformed profiles with, and the precision that holds their terms.

    Parameters
    ----------
    space : TermSpace
        Whether its terms have the unit of the profiles, or are ratios.
    *sides : ndarray of float64, shape (p, n)
        Ready profiles that have to go together.

    Returns
    -------
    scale : float
        A power of two that brings the largest value to 1 or just below; 1 for ratios of values
        whose range single precision cannot hold.
    kind : dtype
        Single precision, or double for these.
    """
    largest = max(float(np.abs(x).max(initial=0.0)) for x in sides)
    scale = power_below(largest)
    if any(lost_in_single(space, x, scale).any() for x in sides):
        return 1.0, np.float64
    return scale, np.float32


def lost_in_single(space: TermSpace, transformed: Floats, scale: float, /) -> NDArray[np.bool_]:
    """Say which transformed profiles hold values too small for single precision.

    Parameters
    ----------
    space : TermSpace
        Sums in the unit of the profiles lose nothing that matters.
    transformed : ndarray of float64, shape (p, n)
        The profiles.
    scale : float
        What values are multiplied with.

    Returns
    -------
    ndarray of bool, shape (n,)
        Which.
    """
    if space.absolute:
        return np.zeros(transformed.shape[1], dtype=bool)
    sizes = np.abs(transformed)
    smallest = sizes.min(axis=0, initial=np.inf, where=sizes > 0.0)
    # A quotient, because a product would be rounded to zero.
    return np.asarray(smallest < _SMALLEST / scale)
