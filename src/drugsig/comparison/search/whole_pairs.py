"""`WholePairs`: the links among profiles in which every target was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose
from drugsig.comparison.metrics import Metric
from drugsig.comparison.search.euclidean import NearPairs
from drugsig.comparison.search.everything import Everything
from drugsig.comparison.search.frame import Frame, Points
from drugsig.comparison.search.terms import SmallSums, TermPoints, scale_and_kind
from drugsig.comparison.search.tree import Places
from drugsig.comparison.spaces import EuclideanSpace, TermSpace

__all__ = ["METHODS", "WholePairs"]

Floats = NDArray[np.float64]
Plan = NearPairs | SmallSums | Everything

# How pairs are proposed: by leaves that can be near each other, by blocks of all pairs, or
# whichever of the two is less work.
METHODS = ("auto", "pruning", "blocks")

# Leaves looked at to tell whether pruning pays, and the share of pairs it must spare. Gathering
# what is left costs about as much as a tenth of the products; below a half it always pays.
_PROBED = 8
_PAYS_BELOW = 0.5

# Pairs decided by the definition at a time.
_DECIDED = 32_768


@dataclass(frozen=True, eq=False)
class WholePairs:
    """Every pair of profiles that meets a threshold, by the definition of the score.

    Plans propose pairs, with a margin; each is scored in float64, target by target, and that
    score decides. What the plans look like changes the time, never the links.

    Attributes
    ----------
    a, b : ndarray of float64, shape (rows, n)
        Ready profiles of both sides, defined ones only.
    metric : Metric
        The definition of the score.
    threshold : float
        In the convention of the metric.
    same : bool
        Whether both sides are one set, of which each pair is wanted once.
    plans : tuple
        Where pairs are looked for; together they propose every link.
    """

    a: Floats
    b: Floats
    metric: Metric
    threshold: float
    same: bool
    plans: tuple[Plan, ...]

    @classmethod
    def of(
        cls,
        a: Floats,
        b: Floats | None,
        metric: Metric,
        threshold: float,
        /,
        *,
        method: str = "auto",
        leaf: int | None = None,
    ) -> WholePairs:
        """Plan the search.

        Parameters
        ----------
        a, b : ndarray of float64, shape (rows, n)
            Ready profiles of both sides; `b` is None within one set.
        metric : Metric
            The definition of the score.
        threshold : float
            In the convention of the metric.
        method : {"auto", "pruning", "blocks"}
            How pairs are proposed.
        leaf : int, optional
            The most profiles in a leaf.
        """
        choose(method, METHODS, what="search method")
        other = a if b is None else b
        space = metric.kernel.space
        value = float(metric.revert(threshold))
        plans: tuple[Plan, ...]
        if min(a.shape[1], other.shape[1]) == 0:
            plans = ()
        elif isinstance(space, EuclideanSpace):
            plans = _near(a, b, space, value, method, leaf)
            if not plans:
                plans = (Everything(a, other, metric, threshold, b is None),)
        elif isinstance(space, TermSpace):
            plans = (_small(a, b, metric, space, value, method, leaf),)
        else:
            plans = (Everything(a, other, metric, threshold, b is None),)
        return cls(a, other, metric, threshold, b is None, plans)

    @property
    def tasks(self) -> list[tuple[int, int]]:
        """Plan and task in it, of everything there is to do."""
        return [(k, task) for k, plan in enumerate(self.plans) for task in range(plan.n_tasks)]

    def find(
        self, plan: int, task: int, /, *, most: float = np.inf
    ) -> tuple[Places, Places, Floats]:
        """Return rows, columns and scores of the links of a task; not all, if more than `most`."""
        found = []
        for row, column in self.plans[plan].propose(task):
            found.append(self.decide(row, column))
            most -= len(found[-1][0])
            if most < 0:
                break
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        rows, columns, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        return rows, columns, scores

    def decide(self, rows: Places, columns: Places, /) -> tuple[Places, Places, Floats]:
        """Score proposed pairs by the definition and keep those that meet the threshold."""
        scores = np.empty(len(rows))
        for first in range(0, len(rows), _DECIDED):
            part = slice(first, first + _DECIDED)
            left, right = self.a.take(rows[part], axis=1), self.b.take(columns[part], axis=1)
            scores[part] = self.metric.convert(self.metric.kernel.complete(left, right))
        links = self.metric.meets(scores, self.threshold)
        return rows[links], columns[links], scores[links]


def _near(
    a: Floats, b: Floats | None, space: EuclideanSpace, value: float, method: str, leaf: int | None
) -> tuple[Plan, ...]:
    ours = space.coordinates(a)
    theirs = ours if b is None else space.coordinates(b)
    frame = Frame.of(theirs, ours, centred=not space.opposite)
    radius = min(space.radius(value) * frame.scale, 4.0 * float(np.sqrt(len(ours))))
    # Where no value is negative, nothing is like the opposite of anything, save at a threshold that
    # everything meets.
    two_sided = space.opposite and not (
        (ours >= 0).all() and (theirs >= 0).all() and radius**2 < 2.0 * frame.scale**2
    )

    # Nearly at right angles, a profile is as near to another as to its opposite: found twice.
    if two_sided and radius**2 > 1.9 * frame.scale**2:
        return ()

    def planned(planted: bool) -> tuple[NearPairs, ...]:
        first = Points.of(frame, ours, planted=planted, leaf=leaf)
        second = first if b is None else Points.of(frame, theirs, planted=planted, leaf=leaf)
        plans = [NearPairs(first, second, radius, b is None, planted)]
        if two_sided:
            plans.append(NearPairs(first, second.opposite(), radius, b is None, planted))
        return tuple(plans)

    if method == "blocks":
        return planned(planted=False)
    plans = planned(planted=True)
    if method == "pruning" or _pays(plans, ours.shape[1], theirs.shape[1], b is None):
        return plans
    return planned(planted=False)


def _small(
    a: Floats,
    b: Floats | None,
    metric: Metric,
    space: TermSpace,
    value: float,
    method: str,
    leaf: int | None,
) -> SmallSums:
    scale, kind = scale_and_kind(space, *([a] if b is None else [a, b]))
    limit = value * scale if space.absolute else value
    limit += space.error(len(a)) * (abs(limit) if space.absolute else max(1.0, abs(limit)))
    limit = min(limit, 4.0 * len(a))
    sizes: dict[str, Any] = {"kind": kind} if leaf is None else {"kind": kind, "leaf": leaf}

    def planned(planted: bool) -> SmallSums:
        first = TermPoints.of(a, space, scale=scale, planted=planted, **sizes)
        second = (
            first if b is None else TermPoints.of(b, space, scale=scale, planted=planted, **sizes)
        )
        return SmallSums(first, second, limit, metric, space, b is None, planted)

    if method == "blocks":
        return planned(planted=False)
    plan = planned(planted=True)
    n, m = a.shape[1], (a if b is None else b).shape[1]
    return plan if method == "pruning" or _pays((plan,), n, m, b is None) else planned(False)


def _pays(plans: tuple[Any, ...], n: int, m: int, same: bool) -> bool:
    """Say whether leaves that can be near each other hold much fewer pairs than there are."""
    plan = plans[0]
    probed = np.unique(np.linspace(0, plan.n_tasks - 1, _PROBED).astype(int))
    work = sum(plan.work(int(task)) for task in probed) / len(probed) * plan.n_tasks
    return bool(work < _PAYS_BELOW * (n * m / 2 if same else n * m))
