"""`PairFinder`: the links among profiles in which every target was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose
from drugsig.comparison.link_rule import LinkRule
from drugsig.comparison.prepared import pair_sizes
from drugsig.comparison.search.all_pairs import AllPairs
from drugsig.comparison.search.near_pairs import NearPairs, Points
from drugsig.comparison.search.principal_axes import PrincipalAxes
from drugsig.comparison.search.term_sums import SmallSums, TermPoints, scale_and_kind
from drugsig.comparison.search.tree import Indices
from drugsig.comparison.spaces import EuclideanSpace, TermSpace

__all__ = ["METHODS", "PairFinder"]

Floats = NDArray[np.float64]
Plan = NearPairs | SmallSums | AllPairs
Pruning = TypeVar("Pruning", NearPairs, SmallSums)

# How pairs are proposed: by leaves that can be near each other, by blocks of all pairs, or
# whichever of the two is less work.
METHODS = ("auto", "pruning", "blocks")

# Leaves looked at to tell whether pruning pays, and the share of pairs it must spare. Gathering
# what is left costs about as much as a tenth of the products; below a half it always pays.
_PROBED = 8
_PAYS_BELOW = 0.5


@dataclass(frozen=True, eq=False)
class PairFinder:
    """Every pair of profiles that is a link.

    Plans propose pairs, with a margin, and the rule decides about each. What the plans look like
    changes the time, never the links.

    Attributes
    ----------
    a, b : ndarray of float64, shape (rows, n)
        Transformed profiles of both sides, those only that have a score, in the order of the
        leaves: pairs of a leaf are decided about together, and so stand near each other.
    order_a, order_b : ndarray of int64, shape (n,)
        Which profile stands where.
    rule : LinkRule
        What makes a link.
    sizes_a, sizes_b : ndarray of float64, shape (n,), or None
        What each profile adds to the size of its scores, see `Metric.slack`.
    same : bool
        Whether both sides are one set, of which each pair is wanted once.
    plans : tuple
        Where pairs are looked for; together they propose every link.
    """

    a: Floats
    b: Floats
    order_a: Indices
    order_b: Indices
    rule: LinkRule
    sizes_a: Floats | None
    sizes_b: Floats | None
    same: bool
    plans: tuple[Plan, ...]

    @classmethod
    def of(
        cls,
        a: Floats,
        b: Floats | None,
        rule: LinkRule,
        /,
        *,
        sizes: tuple[Floats | None, Floats | None] = (None, None),
        method: str = "auto",
        leaf: int | None = None,
    ) -> PairFinder:
        """Plan the search.

        Parameters
        ----------
        a, b : ndarray of float64, shape (rows, n)
            Transformed profiles of both sides; `b` is None within one set.
        rule : LinkRule
            What makes a link.
        sizes : tuple of ndarray of float64, shape (n,), or None
            What each profile of both sides adds to the size of its scores.
        method : {"auto", "pruning", "blocks"}
            How pairs are proposed.
        leaf : int, optional
            The most profiles in a leaf.
        """
        choose(method, METHODS, what="search method")
        other = a if b is None else b
        space = rule.metric.kernel.space
        plans: tuple[Plan, ...] = ()
        if min(a.shape[1], other.shape[1]) > 0:
            if isinstance(space, EuclideanSpace):
                plans = _near(a, b, space, rule, method, leaf)
            elif isinstance(space, TermSpace):
                plans = _small(a, b, space, rule, method, leaf)
            plans = plans or (AllPairs(a, other, rule, b is None),)
        order_a, order_b = np.arange(a.shape[1]), np.arange(other.shape[1])
        if plans and not isinstance(plans[0], AllPairs):
            order_a, order_b = plans[0].a.tree.order, plans[0].b.tree.order
            a = np.ascontiguousarray(a.take(order_a, axis=1))
            other = a if b is None else np.ascontiguousarray(b.take(order_b, axis=1))
        ours, theirs = (
            None if own is None else own[order]
            for own, order in zip(sizes, (order_a, order_b), strict=True)
        )
        return cls(a, other, order_a, order_b, rule, ours, theirs, b is None, plans)

    @property
    def tasks(self) -> list[tuple[int, int]]:
        """Plan and task in it, of everything there is to do."""
        return [(k, task) for k, plan in enumerate(self.plans) for task in range(plan.n_tasks)]

    def find(
        self, plan: int, task: int, /, *, most: float = np.inf
    ) -> tuple[Indices, Indices, Floats]:
        """Return rows, columns and scores of the links of a task; not all, if more than `most`."""
        found = []
        for row, column in self.plans[plan].propose(task):
            sizes = pair_sizes(self.sizes_a, self.sizes_b, row, column)
            found.append(self.rule.decide(self.a, self.b, row, column, sizes=sizes))
            most -= len(found[-1][0])
            if most < 0:
                break
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        rows, columns, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        return self.order_a[rows], self.order_b[columns], scores


def _near(
    a: Floats,
    b: Floats | None,
    space: EuclideanSpace,
    rule: LinkRule,
    method: str,
    leaf: int | None,
) -> tuple[NearPairs, ...]:
    ours = space.coordinates(a)
    theirs = ours if b is None else space.coordinates(b)
    axes = PrincipalAxes.of(theirs, ours, centred=not space.opposite)
    radius = min(space.radius(rule.value) * axes.scale, 4.0 * float(np.sqrt(len(ours))))
    # Where no value is negative, nothing is like the opposite of anything, save at a threshold that
    # everything meets.
    two_sided = space.opposite and not (
        (ours >= 0).all() and (theirs >= 0).all() and radius**2 < 2.0 * axes.scale**2
    )

    # Nearly at right angles, a profile is as near to another as to its opposite: found twice.
    if two_sided and radius**2 > 1.9 * axes.scale**2:
        return ()

    def planned(split: bool) -> tuple[NearPairs, ...]:
        first = Points.of(axes, ours, split=split, leaf=leaf)
        second = first if b is None else Points.of(axes, theirs, split=split, leaf=leaf)
        plans = [NearPairs(first, second, radius, b is None, split)]
        if two_sided:
            plans.append(NearPairs(first, second.opposite(), radius, b is None, split))
        return tuple(plans)

    return _cheapest(planned, method, ours.shape[1], theirs.shape[1], b is None)


def _small(
    a: Floats,
    b: Floats | None,
    space: TermSpace,
    rule: LinkRule,
    method: str,
    leaf: int | None,
) -> tuple[SmallSums, ...]:
    scale, kind = scale_and_kind(space, *([a] if b is None else [a, b]))
    limit = min(space.limit(rule.value, len(a), scale=scale), 4.0 * len(a))
    sizes: dict[str, Any] = {"kind": kind} if leaf is None else {"kind": kind, "leaf": leaf}

    def planned(split: bool) -> tuple[SmallSums, ...]:
        first = TermPoints.of(a, space, scale=scale, split=split, **sizes)
        second = first if b is None else TermPoints.of(b, space, scale=scale, split=split, **sizes)
        return (SmallSums(first, second, limit, rule.metric, space, b is None, split),)

    return _cheapest(planned, method, a.shape[1], (a if b is None else b).shape[1], b is None)


def _cheapest(
    planned: Callable[[bool], tuple[Pruning, ...]], method: str, n: int, m: int, same: bool
) -> tuple[Pruning, ...]:
    """Return plans with leaves of neighbours, or without where these do not spare enough."""
    if method == "blocks":
        return planned(False)
    plans = planned(True)
    if method == "pruning":
        return plans
    probed = np.unique(np.linspace(0, plans[0].n_tasks - 1, _PROBED).astype(int))
    work = sum(plans[0].work(int(task)) for task in probed) / len(probed) * plans[0].n_tasks
    pays = work < _PAYS_BELOW * (n * m / 2 if same else n * m)
    return plans if pays else planned(False)
