"""What is found of each target, each group and each component; every finding computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.comparison import Comparison
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
    groups: Groups, links: Links, comparison: Comparison, /
) -> tuple[GroupFinding, ...]:
    """Return what holds the groups of two or more together, the largest group first.

    Parameters
    ----------
    groups, links, comparison
        Of the same profiles.
    """
    labels = groups.labels
    same = labels[links.rows] == labels[links.columns]
    inside = np.bincount(labels[links.rows[same]] - 1, minlength=len(groups))
    found = []
    for number in range(1, int((groups.sizes > 1).sum()) + 1):
        places = np.flatnonzero(labels == number)
        found.append(
            GroupFinding(
                number,
                len(places),
                int(inside[number - 1]),
                _least_alike(comparison, places),
                tuple(int(k) for k in np.unique(groups.components[places])),
            )
        )
    return tuple(found)


def _least_alike(comparison: Comparison, places: NDArray[np.intp]) -> float:
    within = comparison.scores[np.ix_(places, places)]
    scores = within[np.triu_indices(len(places), k=1)]
    return float(np.nanmin(scores) if comparison.metric.is_similarity else np.nanmax(scores))


def component_findings(groups: Groups, /) -> tuple[ComponentFinding, ...]:
    """Return the components that are not just one whole group, the largest first.

    Parameters
    ----------
    groups : Groups
        With the components of the links beside them.
    """
    found = []
    for number in range(1, groups.n_components + 1):
        inside = groups.components == number
        touched = np.unique(groups.labels[inside])
        size = int(inside.sum())
        if len(touched) == 1 and groups.sizes[touched[0] - 1] == size:
            continue
        found.append(ComponentFinding(number, size, tuple(int(k) for k in touched)))
    return tuple(found)
