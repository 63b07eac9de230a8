"""Profiles whose group is undecided, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from drugsig._check import listed
from drugsig._notes import Note
from drugsig.comparison.links import FEW_DETECTED, Links
from drugsig.errors import DrugsigWarning, GroupingError
from drugsig.evidence.pairs import PairSample
from drugsig.groups.groups import Groups, group_name

__all__ = [
    "DifferentSourcesInGroup",
    "JoinedWithoutLink",
    "LeftOutOfRule",
    "LinksOnFewTargets",
    "MostLinksOutside",
    "find_undecided",
]


@dataclass(frozen=True)
class LeftOutOfRule(Note):
    """A profile is one of those that the population rule leaves out.

    Read its metadata before its group is relied on.
    """

    code: ClassVar[str] = "left-out-of-rule"
    category: ClassVar[type[DrugsigWarning] | None] = None
    why: str

    def __str__(self) -> str:
        return f"left out of the population rule: {self.why}"


@dataclass(frozen=True)
class DifferentSourcesInGroup(Note):
    """The group of a profile holds profiles that are known to be of different sources.

    The group as a whole does not tell these sources apart: look at the links within it.
    """

    code: ClassVar[str] = "different-sources-in-group"
    category: ClassVar[type[DrugsigWarning] | None] = None
    group: str
    sources: tuple[str, ...]

    def __str__(self) -> str:
        return f"its group {self.group} holds different known sources: {listed(self.sources)}"


@dataclass(frozen=True)
class MostLinksOutside(Note):
    """Most links of a profile lead out of its group.

    Look at the groups it is linked to: it may be mixed, or belong there.
    """

    code: ClassVar[str] = "most-links-outside"
    category: ClassVar[type[DrugsigWarning] | None] = None
    outside: int
    links: int

    def __str__(self) -> str:
        return f"{self.outside} of its {self.links} links lie outside its group"


@dataclass(frozen=True)
class JoinedWithoutLink(Note):
    """A profile joined a group although it is linked to no member of it.

    It came within the threshold on average only: look at its scores with the members.
    """

    code: ClassVar[str] = "joined-without-link"
    category: ClassVar[type[DrugsigWarning] | None] = None

    def __str__(self) -> str:
        return "joined its group without a link to any member"


@dataclass(frozen=True)
class LinksOnFewTargets(Note):
    """The links of a profile within its group rest on few targets detected in both.

    What two profiles both lack makes them alike without saying much: look at what was detected.
    """

    code: ClassVar[str] = "links-on-few-targets"
    category: ClassVar[type[DrugsigWarning] | None] = None
    needed: int = FEW_DETECTED

    def __str__(self) -> str:
        return f"its links rest on fewer than {self.needed} targets detected in both"


def find_undecided(
    groups: Groups,
    links: Links,
    /,
    *,
    sample: PairSample | None = None,
    left_out: Mapping[str, str] | None = None,
    apart: Mapping[int, Collection[str]] | None = None,
) -> dict[str, tuple[Note, ...]]:
    """Return the profiles whose group should not be relied on, with the reasons.

    Parameters
    ----------
    groups, links
        Of the same profiles.
    sample : PairSample, optional
        Pairs of known source: a group that holds an unlinked pair is undecided as a whole.
    left_out : mapping of str to str, optional
        Profiles the population rule leaves out, and why.
    apart : mapping of int to collection of str, optional
        Where there is no sample, the groups that hold an unlinked pair, with the sources of such
        pairs: from `drugsig.evidence.searched_threshold.KnownPairs.sources_apart`.

    Returns
    -------
    dict of str to tuple of Note
        Nothing is there for a profile that has no reason for doubt.

    Raises
    ------
    GroupingError
        If the links are not those of the grouped profiles.

    Notes
    -----
    Reasons: the profile was left out of the population rule; its group holds profiles known to be
    of different sources; most of its links lie outside its group; it joined a group although no
    member is linked to it; its links in the group rest on fewer than 3 targets detected in both.
    """
    if links.row_ids != groups.ids or not links.symmetric:
        raise GroupingError(
            f"the links are not between the {len(groups.ids)} profiles of these groups. Use the "
            "comparison the groups were made from: comparison.links(groups.threshold)."
        )
    reasons: dict[str, list[Note]] = {name: [] for name in groups.ids}
    for name, why in (left_out or {}).items():
        if name in reasons:
            reasons[name].append(LeftOutOfRule(why))
    if sample is not None:
        apart = _sources_apart(groups, sample)
    for number, sources in sorted((apart or {}).items()):
        found = DifferentSourcesInGroup(group_name(number), tuple(sorted(sources)))
        for name in groups.members(number):
            reasons[name].append(found)
    _add_link_reasons(groups, links, reasons)
    return {name: tuple(why) for name, why in reasons.items() if why}


def _sources_apart(groups: Groups, sample: PairSample) -> dict[int, set[str]]:
    """Return the groups that hold an unlinked pair, with the sources of such pairs."""
    label = groups.labels[sample.first]
    inside = ~sample.linked & (label == groups.labels[sample.second])
    out: dict[int, set[str]] = {}
    for ends in (sample.source_a, sample.source_b):
        met = np.unique(np.stack([label[inside], ends[inside]], axis=1), axis=0)
        for number, source in met.tolist():
            out.setdefault(number, set()).add(sample.sources[source])
    return out


def _add_link_reasons(groups: Groups, links: Links, reasons: dict[str, list[Note]]) -> None:
    n = len(groups.ids)
    inside = groups.labels[links.rows] == groups.labels[links.columns]
    within, across, solid = np.zeros(n, int), np.zeros(n, int), np.zeros(n, int)
    for ends in (links.rows, links.columns):
        within += np.bincount(ends[inside], minlength=n)
        across += np.bincount(ends[~inside], minlength=n)
        solid += np.bincount(ends[inside & ~links.few_detected], minlength=n)
    sizes = groups.sizes[groups.labels - 1]
    for k, name in enumerate(groups.ids):
        if across[k] > within[k]:
            reasons[name].append(MostLinksOutside(int(across[k]), int(across[k] + within[k])))
        if sizes[k] > 1 and not within[k]:
            reasons[name].append(JoinedWithoutLink())
        elif within[k] and not solid[k]:
            reasons[name].append(LinksOnFewTargets())
