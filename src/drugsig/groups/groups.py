"""`Groups`: profiles joined by links, with the components of the links beside them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, choose, freeze, listed
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.comparison.metrics import Metric
from drugsig.errors import ChainingWarning, DrugsigWarning, GroupingError, UnknownNameError
from drugsig.evidence.pairs import PairSample

__all__ = ["ChainedGroups", "CompetingMerges", "Groups", "PartitionRates", "group_name"]

_SHOWN = 12


def group_name(number: int, /) -> str:
    """Return the name of a group in reports.

    >>> group_name(7)
    'G007'
    """
    return f"G{number:03d}"


@dataclass(frozen=True)
class ChainedGroups(Note):
    """Chaining links gives other groups than the linkage does.

    Take the groups, which are the more cautious reading, and look at the components for profiles
    that a chain of links alone holds together.
    """

    code: ClassVar[str] = "chained-groups"
    category: ClassVar[type[DrugsigWarning]] = ChainingWarning
    linkage: str
    n_groups: int
    n_components: int
    largest_component: int
    n_profiles: int

    def __str__(self) -> str:
        return (
            f"Chaining changes the picture: {self.linkage} linkage gives {self.n_groups} groups, "
            f"the links chained together give {self.n_components}, the largest with "
            f"{self.largest_component} of {self.n_profiles} profiles. Profiles in one component "
            "need not be alike; a group is the more cautious reading."
        )


@dataclass(frozen=True)
class CompetingMerges(Note):
    """Some profiles are as near to another group as to the one they were joined to.

    Two clusters were joined although another was equally near to one of them, and is in another
    group now: which was joined first follows from the text of the ids. Take neither for granted.
    """

    code: ClassVar[str] = "competing-merges"
    # Where scores tie it is the rule, and links that chain are warned of already.
    category: ClassVar[type[DrugsigWarning] | None] = None
    profiles: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{len(self.profiles)} profile(s) are as near to another group as to the one they "
            f"were joined to: {listed(self.profiles)}. Which comes first is decided by the text of "
            "their ids, and means nothing."
        )


@dataclass(frozen=True)
class PartitionRates:
    """The error rates of a partition itself, on pairs of known source.

    A pair may be in one group without being a link, and a link may lie between groups, so the
    partition has rates of its own.

    Parameters
    ----------
    linked_together : float
        The share of linked pairs that are in one group.
    unlinked_together : float
        The share of unlinked pairs that are in one group.
    n_linked, n_unlinked : int
        The pairs behind them.
    """

    linked_together: float
    unlinked_together: float
    n_linked: int
    n_unlinked: int


@dataclass(frozen=True, eq=False, repr=False)
class Groups(FrozenArrays):
    """Groups of probable common source, made by `drugsig.group` or `drugsig.group_links`.

    ``groups["001"]`` is the number of the group of a profile, and ``groups.members(number)`` are
    the profiles of a group.

    Attributes
    ----------
    ids : tuple of str
        The profiles.
    labels : ndarray of int, shape (n_profiles,)
        The group of every profile, numbered from 1, the largest first.
    components : ndarray of int, shape (n_profiles,)
        The connected component of links of every profile, numbered likewise.
    linkage : str
        How clusters were joined.
    threshold : float
        Where the tree was cut, in the metric's convention.
    metric : Metric
        What scores mean.
    tree : ndarray of float64, shape (n_members - 1, 4)
        As scipy writes it, on distances. Empty where `below_cut` is true.
    tree_members : ndarray of int, shape (n_members,)
        The profiles in the tree, as places in `ids`: leaf k of the tree is ``tree_members[k]``.
    cophenetic_correlation : float or None
        How well the heights of the tree describe the distances; a description, not a criterion.
    undefined_ids : tuple of str
        Profiles without any defined score; each stands alone.
    competing_ids : tuple of str
        Profiles that an equally near merge would have put into another group.
    below_cut : bool
        Whether profiles were clustered below the cut only, as `drugsig.group_links` does: how
        the groups would join above the threshold is not known, so there is no tree.
    """

    ids: tuple[str, ...]
    labels: NDArray[np.intp]
    components: NDArray[np.intp]
    linkage: str
    threshold: float
    metric: Metric
    tree: NDArray[np.float64]
    tree_members: NDArray[np.intp]
    cophenetic_correlation: float | None
    undefined_ids: tuple[str, ...]
    competing_ids: tuple[str, ...] = ()
    below_cut: bool = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Groups):
            return NotImplemented
        return (
            self.ids == other.ids
            and self.linkage == other.linkage
            and self.threshold == other.threshold
            and self.metric == other.metric
            and self.below_cut == other.below_cut
            and np.array_equal(self.labels, other.labels)
            and np.array_equal(self.components, other.components)
            and np.array_equal(self.tree, other.tree)
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, profile_id: str) -> int:
        if profile_id not in self._row_of:
            choose(profile_id, self.ids, what="profile")
        return int(self.labels[self._row_of[profile_id]])

    def __contains__(self, profile_id: object) -> bool:
        return profile_id in self._row_of

    # `members` gives the profiles of a group, `to_frame` a row a profile.
    __iter__ = None

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """The number of profiles in each group, the largest first."""
        return freeze(np.bincount(self.labels, minlength=1)[1:])

    @cached_property
    def n_components(self) -> int:
        """How many connected components the links make."""
        return int(self.components.max(initial=0))

    @cached_property
    def largest_component(self) -> int:
        """How many profiles the largest component holds."""
        return int(np.bincount(self.components, minlength=1).max(initial=0))

    @cached_property
    def chained(self) -> bool:
        """Whether chaining links gives other groups than the linkage does."""
        if len(self) != self.n_components:
            return True
        pairs = len(np.unique(self.labels * (self.n_components + 1) + self.components))
        return pairs != len(self)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a reader of the groups must know."""
        found: list[Note] = []
        if self.chained:
            found.append(
                ChainedGroups(
                    linkage=self.linkage,
                    n_groups=len(self),
                    n_components=self.n_components,
                    largest_component=self.largest_component,
                    n_profiles=len(self.ids),
                )
            )
        if self.competing_ids:
            found.append(CompetingMerges(self.competing_ids))
        return tuple(found)

    @property
    def chaining_note(self) -> str:
        """What a reader must know where groups might be others; empty where there is nothing."""
        return " ".join(note.text for note in self.notes)

    def members(self, number: int, /) -> tuple[str, ...]:
        """Return the profiles of one group.

        Raises
        ------
        UnknownNameError
            If there is no such group.
        """
        if not 1 <= number <= len(self):
            known = tuple(group_name(k) for k in range(1, len(self) + 1))
            there = f"There are {known[0]} to {known[-1]}." if known else "There are none."
            raise UnknownNameError(
                f"unknown group {group_name(number)!r}. {there}",
                name=group_name(number),
                known=known,
            )
        stop = int(self._stops[number - 1])
        first = stop - int(self.sizes[number - 1])
        return tuple(self.ids[k] for k in self._by_group[first:stop])

    @cached_property
    def _by_group(self) -> NDArray[np.intp]:
        """The profiles of the first group, then those of the second and so on."""
        return freeze(np.argsort(self.labels, kind="stable"))

    @cached_property
    def _stops(self) -> NDArray[np.intp]:
        return freeze(np.cumsum(self.sizes))

    def partition_rates(self, sample: PairSample, /) -> PartitionRates:
        """Measure the partition on pairs of known source.

        Parameters
        ----------
        sample : PairSample
            Of the same profiles in the same order.
        """
        return _rates(self.labels, sample)

    def component_rates(self, sample: PairSample, /) -> PartitionRates:
        """Measure the components of the links in the same way.

        Parameters
        ----------
        sample : PairSample
            Of the same profiles in the same order.
        """
        return _rates(self.components, sample)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a profile: id, group, size of the group, component."""
        names = [group_name(k) for k in range(1, len(self) + 1)]
        return pd.DataFrame(
            {
                "profile_id": list(self.ids),
                "group": [names[k] for k in self.labels - 1],
                "group_size": self.sizes[self.labels - 1],
                "component": self.components.copy(),
            }
        )

    def __repr__(self) -> str:
        alone = int((self.sizes == 1).sum())
        below = ", clustered below the threshold only" if self.below_cut else ""
        return (
            f"<Groups: {len(self.ids)} profiles in {len(self) - alone} groups and {alone} alone, "
            f"{self.linkage} linkage, {self.metric.name} {self.metric.link_sign} "
            f"{self.threshold:.6g}; {self.n_components} components of links{below}>"
        )

    def _repr_html_(self) -> str:
        rows = (
            (
                group_name(k),
                int(self.sizes[k - 1]),
                ", ".join(self.members(k)[:_SHOWN])
                + (" ..." if self.sizes[k - 1] > _SHOWN else ""),
            )
            for k in range(1, min(len(self), _SHOWN) + 1)
        )
        return html_table(rows, head=("group", "profiles", "members"), caption=repr(self)[1:-1])


def _rates(labels: NDArray[np.intp], sample: PairSample) -> PartitionRates:
    if max(sample.first.max(initial=0), sample.second.max(initial=0)) >= len(labels):
        raise GroupingError(
            f"the sample holds pairs of more than the {len(labels)} profiles of these groups. Use "
            "the pairs of the comparison the groups were made from."
        )
    together = labels[sample.first] == labels[sample.second]
    return PartitionRates(
        linked_together=float(together[sample.linked].mean()),
        unlinked_together=float(together[~sample.linked].mean()),
        n_linked=sample.n_linked,
        n_unlinked=sample.n_unlinked,
    )
