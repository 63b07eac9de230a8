"""Profiles whose group is undecided, and why."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from drugsig._check import listed
from drugsig.comparison.links import Links
from drugsig.errors import GroupingError
from drugsig.evidence.pairs import PairSample
from drugsig.groups.groups import Groups, group_name

__all__ = ["find_undecided"]


def find_undecided(
    groups: Groups,
    links: Links,
    /,
    *,
    sample: PairSample | None = None,
    left_out: Mapping[str, str] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Return the profiles whose group should not be relied on, with the reasons in words.

    Parameters
    ----------
    groups, links
        Of the same profiles.
    sample : PairSample, optional
        Pairs of known source: a group that holds an unlinked pair is undecided as a whole.
    left_out : mapping of str to str, optional
        Profiles the population rule leaves out, and why.

    Returns
    -------
    dict of str to tuple of str
        Empty for a profile that has a group of its own and no reason for doubt.

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
    reasons: dict[str, list[str]] = {name: [] for name in groups.ids}
    for name, why in (left_out or {}).items():
        if name in reasons:
            reasons[name].append(f"left out of the population rule: {why}")
    if sample is not None:
        apart = ~sample.linked & (groups.labels[sample.first] == groups.labels[sample.second])
        for number in np.unique(groups.labels[sample.first[apart]]):
            inside = apart & (groups.labels[sample.first] == number)
            sources = sorted(
                {sample.sources[k] for k in sample.source_a[inside]}
                | {sample.sources[k] for k in sample.source_b[inside]}
            )
            for name in groups.members(int(number)):
                reasons[name].append(
                    f"its group {group_name(int(number))} holds different known sources: "
                    f"{listed(sources)}"
                )
    _add_link_reasons(groups, links, reasons)
    return {name: tuple(found) for name, found in reasons.items() if found}


def _add_link_reasons(groups: Groups, links: Links, reasons: dict[str, list[str]]) -> None:
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
            reasons[name].append(
                f"{across[k]} of its {across[k] + within[k]} links lie outside its group"
            )
        if sizes[k] > 1 and not within[k]:
            reasons[name].append("joined its group without a link to any member")
        elif within[k] and not solid[k]:
            reasons[name].append("its links rest on fewer than 3 targets detected in both")
