"""The points with the smallest sums of terms, leaf by leaf, the nearest leaves first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric
from drugsig.comparison.search.frame import TINY
from drugsig.comparison.search.terms import TermPoints, lost_in_single
from drugsig.comparison.search.tree import Places, in_runs
from drugsig.comparison.spaces import TermSpace

__all__ = ["NearSums"]

Floats = NDArray[np.float64]

# Leaves summed at first, and at most in one go.
_FIRST = 8
_MOST = 512

# Values larger than this, in the scale of the points, might leave single precision.
_LARGEST = 1e15


@dataclass(frozen=True, eq=False)
class NearSums:
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

    def usable(self, ready: Floats, /) -> NDArray[np.bool_]:
        """Say which ready profiles, shape (p, m), the precision of the points can hold."""
        with np.errstate(over="ignore"):
            held = np.abs(ready * self.scale).max(axis=0, initial=0.0) <= _LARGEST
        if self.points.columns.dtype == np.float32:
            held &= ~lost_in_single(self.space, ready, self.scale)
        return np.asarray(held)

    def limit_of(self, value: float, /) -> float:
        """Return the limit within which every point of a kernel value is found."""
        return self.space.limit(value, len(self.points.columns), scale=self.scale)

    def nearest(self, query: Floats, k: int, /) -> tuple[Places, float]:
        """Propose the k points most like a ready profile, and those nearly as much like it.

        Parameters
        ----------
        query : ndarray of float64, shape (p,)
            Usable.
        k : int
            How many.

        Returns
        -------
        places : ndarray of int64
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
            places = in_runs(order[first:last], tree.starts)
            values = self.metric.kernel.complete(here, points.columns[:, places]).astype(np.float64)
            slack = points.slack[places] + own_slack
            near = values - slack <= limit
            lowest = np.concatenate([lowest, (values - slack)[near]])
            highest = np.concatenate([highest, (values + slack)[near]])
            found = np.concatenate([found, places[near]])
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
