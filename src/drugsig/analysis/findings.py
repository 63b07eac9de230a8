"""What is found of each target, each group and each component; every finding computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.links import Links
from drugsig.groups.groups import Groups
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status

__all__ = [
    "ComponentFinding",
    "GroupFinding",
    "TargetFinding",
    "component_findings",
    "group_findings",
    "target_findings",
]

# Pairs within groups scored at a time.
_PAIRS_TOGETHER = 1_000_000


@dataclass(frozen=True)
class TargetFinding:
    """How often one target was detected, and how large it was.

    Parameters
    ----------
    name, role, unit : str
        The target.
    compared : bool
        Whether it is among the compared targets.
    counts : tuple of int
        Profiles by status, in the order of `drugsig.Status`.
    least, largest : float or None
        The detected values; None without any.
    """

    name: str
    role: str
    unit: str
    compared: bool
    counts: tuple[int, ...]
    least: float | None
    largest: float | None


@dataclass(frozen=True)
class GroupFinding:
    """One group of two or more.

    Parameters
    ----------
    number : int
        Of the group.
    size : int
        Its profiles.
    links : int
        Links between its members.
    least_alike : float
        The score of its least alike pair.
    components : tuple of int
        The components of the links its members lie in.
    """

    number: int
    size: int
    links: int
    least_alike: float
    components: tuple[int, ...]


@dataclass(frozen=True)
class ComponentFinding:
    """One component of the links that is not just one whole group.

    Parameters
    ----------
    number : int
        Of the component.
    size : int
        Its profiles.
    groups : tuple of int
        The groups it touches.
    """

    number: int
    size: int
    groups: tuple[int, ...]


def target_findings(profiles: ProfileSet, compared: ProfileSet, /) -> tuple[TargetFinding, ...]:
    """Return how often each target was detected, in the order of the targets.

    Parameters
    ----------
    profiles : ProfileSet
        As read.
    compared : ProfileSet
        As compared; its targets may be fewer or others.
    """
    kept = {t.name for t in compared.targets}
    status = profiles.status
    values = np.where(profiles.detected, profiles.values, np.nan)
    found = []
    for column, target in enumerate(profiles.targets):
        known = values[:, column][np.isfinite(values[:, column])]
        counts = np.bincount(status[:, column], minlength=len(Status))
        found.append(
            TargetFinding(
                target.name,
                target.role,
                target.unit,
                target.name in kept,
                tuple(int(n) for n in counts),
                float(known.min()) if len(known) else None,
                float(known.max()) if len(known) else None,
            )
        )
    return tuple(found)


def group_findings(
    groups: Groups,
    links: Links,
    score: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float64]],
    /,
) -> tuple[GroupFinding, ...]:
    """Return what holds the groups of two or more together, the largest group first.

    Parameters
    ----------
    groups, links
        Of the same profiles.
    score : callable
        From the places of the two profiles of pairs to their scores.
    """
    labels = groups.labels
    same = labels[links.rows] == labels[links.columns]
    inside = np.bincount(labels[links.rows[same]] - 1, minlength=len(groups))
    n = int((groups.sizes > 1).sum())
    order = np.argsort(labels, kind="stable")
    similarity = links.metric.is_similarity
    worst = _least_alike(order, groups.sizes[:n], score, np.fmin if similarity else np.fmax)
    components = _touched(labels, groups.components)
    return tuple(
        GroupFinding(
            k + 1,
            int(groups.sizes[k]),
            int(inside[k]),
            float(worst[k]),
            components[k + 1],
        )
        for k in range(n)
    )


def _least_alike(
    order: NDArray[np.intp],
    sizes: NDArray[np.intp],
    score: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float64]],
    worse: np.ufunc,
) -> NDArray[np.float64]:
    """Return the score of the least alike pair of groups that stand one after another in order."""
    out = np.full(len(sizes), np.nan)
    stops = np.cumsum(sizes)
    group = np.repeat(np.arange(len(sizes)), sizes)
    after = np.repeat(stops, sizes) - np.arange(len(group)) - 1
    # Profiles taken together with all that follow them in their groups, so many pairs at a time.
    edges = np.flatnonzero(np.diff((np.cumsum(after) - after) // _PAIRS_TOGETHER)) + 1
    for some in np.split(np.arange(len(group)), edges) if len(group) else ():
        first = np.repeat(some, after[some])
        begins = np.cumsum(after[some]) - after[some]
        second = first + 1 + np.arange(len(first)) - np.repeat(begins, after[some])
        worse.at(out, group[first], score(order[first], order[second]))
    return out


def _touched(ours: NDArray[np.intp], theirs: NDArray[np.intp]) -> dict[int, tuple[int, ...]]:
    """Return which of the other labels the profiles of every label have."""
    met = np.unique(np.stack([ours, theirs], axis=1), axis=0)
    labels, first = np.unique(met[:, 0], return_index=True)
    parts = np.split(met[:, 1], first[1:])
    return {
        int(k): tuple(part.tolist())
        for k, part in zip(labels, parts if len(met) else (), strict=True)
    }


def component_findings(groups: Groups, /) -> tuple[ComponentFinding, ...]:
    """Return the components that are not just one whole group, the largest first.

    Parameters
    ----------
    groups : Groups
        With the components of the links beside them.
    """
    sizes = np.bincount(groups.components, minlength=1).tolist()
    return tuple(
        ComponentFinding(number, sizes[number], touched)
        for number, touched in _touched(groups.components, groups.labels).items()
        if len(touched) > 1 or int(groups.sizes[touched[0] - 1]) != sizes[number]
    )
