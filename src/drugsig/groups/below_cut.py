"""`group_links`: groups of very many profiles, from their links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from drugsig._notes import emit
from drugsig.comparison.comparability import check_comparable
from drugsig.comparison.dense import DENSE_LIMIT_BYTES
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import PreparedProfiles, score_profiles
from drugsig.errors import ComponentSizeError, GroupingError, ThresholdError
from drugsig.groups.cutting import (
    DEFAULT_LINKAGE,
    choose_linkage,
    flat_clusters,
    number_groups,
    profile_slack,
    refuse_gaps,
    text_order,
)
from drugsig.groups.groups import Groups
from drugsig.groups.percolation import breaking_threshold
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["RowScores", "all_pairs", "group_links", "grouped_links", "undefined_rows"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


# Scores computed at a time; intermediate arrays of this many float64 stay in the processor's cache.
BLOCK = 32_768
_WIDE = 2_048


class RowScores:
    """Scores of pairs of rows, as `drugsig.comparison.score_pairs` defines them.

    A part of the profiles is prepared at a time, so that a million of them are never held twice.

    Parameters
    ----------
    profiles : ProfileSet
        Those the links are between.
    metric : Metric
        How they are scored.
    least : int
        The least number of targets measured in both profiles.
    """

    def __init__(self, profiles: ProfileSet, metric: Metric, least: int, /) -> None:
        self._values = profiles.values
        self._measured = profiles.measured
        self._metric = metric
        self._least = least

    def part(self, rows: Places, /) -> PreparedProfiles:
        """Return these profiles prepared."""
        return PreparedProfiles(self._values[rows], self._measured[rows], self._metric)

    def scores(
        self, a: PreparedProfiles, i: tuple[Any, ...], b: PreparedProfiles, j: tuple[Any, ...], /
    ) -> Floats:
        """Score places `i` of one part against places `j` of another; the axes broadcast.

        A place is an index of the axes after the first. NaN where undefined.
        """
        both_whole = a.all_whole and b.all_whole
        first = a.at(*i) if both_whole else a.partial_at(*i)
        second = b.at(*j) if both_whole else b.partial_at(*j)
        return score_profiles(first, second, self._metric, self._least, a.n_targets)

    def listed(self, part: PreparedProfiles, rows: Places, columns: Places, /) -> Floats:
        """Return the distances of listed pairs of places in a part, shape (n_pairs,)."""
        out = np.empty(len(rows))
        for first in range(0, len(rows), BLOCK):
            some = slice(first, first + BLOCK)
            found = self.scores(part, (rows[some],), part, (columns[some],))
            out[some] = self._metric.as_distance(found)
        return out

    def upper(self, part: PreparedProfiles, /) -> Floats:
        """Return the distances of all pairs in a part, condensed as scipy wants them."""
        m = len(part)
        out = np.empty(m * (m - 1) // 2)
        wide = min(m, _WIDE)
        tall = max(1, BLOCK // max(1, wide))
        for top in range(0, m, tall):
            bottom = min(top + tall, m)
            for left in range(top, m, wide):
                right = min(left + wide, m)
                found = self.scores(
                    part, (slice(top, bottom), None), part, (None, slice(left, right))
                )
                block = self._metric.as_distance(found)
                for row in range(top, bottom):
                    start = max(left, row + 1)
                    place = row * m - row * (row + 1) // 2 - row - 1
                    out[place + start : place + right] = block[row - top, start - left :]
        return out


def all_pairs(sizes: Places, /) -> tuple[Places, Places]:
    """Return all pairs within components that stand one after another.

    Parameters
    ----------
    sizes : ndarray of int, shape (n_components,)
        How many profiles each has.

    Returns
    -------
    rows, columns : ndarray of int, shape (n_pairs,)
        Places of profiles; the pairs of one component after those of the one before, and in the
        order scipy condenses them in.
    """
    stops = np.repeat(np.cumsum(sizes), sizes)
    after = stops - np.arange(len(stops)) - 1
    rows = np.repeat(np.arange(len(stops), dtype=np.intp), after)
    starts = np.cumsum(after) - after
    return rows, rows + 1 + np.arange(len(rows)) - np.repeat(starts, after)


# The first others tried: nearly every profile has a score with one of them.
_FIRST = 16
_GROWTH = 8


def undefined_rows(profiles: ProfileSet, scores: RowScores, rows: Places, /) -> Places:
    """Return those of some rows that have no defined score with any other row of the set.

    Every one is tried against a few others, those without a score against more, and so on to
    the last: only what has no score at all is tried against everything.

    Parameters
    ----------
    profiles : ProfileSet
        The profiles.
    scores : RowScores
        Of the same profiles.
    rows : ndarray of int, shape (n_rows,)
        The candidates.
    """
    if len(profiles) < 2:
        return rows[:0]
    others = np.argsort(-profiles.measured.sum(axis=1), kind="stable")
    rows = rows[~_have_score(scores, rows, others[:_FIRST])]
    # What is left is often many times the same: empty or constant profiles.
    kinds, kind = _kinds(profiles, rows)
    left = kinds
    first, step = _FIRST, _FIRST * _GROWTH
    while len(left) and first < len(others):
        left = left[~_have_score(scores, left, others[first : first + step])]
        first, step = first + step, step * _GROWTH
    return rows[np.isin(kinds, left)[kind]]


def _have_score(scores: RowScores, rows: Places, others: Places) -> NDArray[np.bool_]:
    found = np.zeros(len(rows), dtype=bool)
    for start in range(0, len(others), BLOCK):
        tried = others[start : start + BLOCK]
        there = scores.part(tried)
        tall = max(1, BLOCK // len(tried))
        for top in range(0, len(rows), tall):
            some = slice(top, top + tall)
            here = scores.part(rows[some])
            block = scores.scores(here, (slice(None), None), there, (None, slice(None)))
            itself = rows[some, None] == tried[None, :]
            found[some] |= (~np.isnan(block) & ~itself).any(axis=1)
    return found


def _kinds(profiles: ProfileSet, rows: Places) -> tuple[Places, Places]:
    """Return one row of each kind of identical ones, and the kind of every row."""
    # One bit pattern stands for what was not measured, and one for zero.
    cells = np.where(profiles.measured[rows], profiles.values[rows] + 0.0, np.nan)
    keys = cells.view(np.dtype((np.void, 8 * cells.shape[1]))).ravel()
    _, one, kind = np.unique(keys, return_index=True, return_inverse=True)
    return rows[one], kind


# A component's distances are held twice: the clustering works on a copy of them.
_BYTES_A_PAIR = 16

# Components of fewer profiles are scored together, so many pairs at a time.
_LARGE = 400
_PAIRS_TOGETHER = 100_000

# Links whose scores are formed anew, to see that they are between these profiles as they are.
_LINKS_CHECKED = 500
_ROUNDING = 1e-9


def group_links(
    links: Links,
    profiles: ProfileSet,
    /,
    *,
    threshold: float | None = None,
    linkage: str = DEFAULT_LINKAGE,
    memory: float = DENSE_LIMIT_BYTES,
    progress: bool = True,
) -> Groups:
    """Group very many profiles by hierarchical clustering below a threshold, from their links.

    The groups are those of `drugsig.group`, which needs all scores at once; this needs the scores
    within one component of the links at a time. The tree above the threshold is not formed.

    Parameters
    ----------
    links : Links
        Of one set of profiles.
    profiles : ProfileSet
        The profiles the links are between, pretreated as they were then.
    threshold : float, optional
        Where the trees are cut, no more permissive than the threshold of the links, which is
        taken without it.
    linkage : {"average", "single", "complete", "weighted"}
        How the distance between two clusters follows from the scores of their members.
    memory : float
        The most bytes the distances within a component may take, the clustering's copy included.
    progress : bool
        Whether to show how far it is; nothing is shown where there is no terminal.

    Returns
    -------
    Groups
        The groups and, beside them, the connected components of the links; ``below_cut`` is true
        and the tree is empty.

    Raises
    ------
    GroupingError
        If the links are between two sets or not those of these profiles, if Ward's or another
        off-scale linkage is asked for, or if scores within a component are undefined.
    ComparisonError
        If the profiles cannot be compared by the metric of the links.
    ThresholdError
        If the threshold is more permissive than that of the links.
    ComponentSizeError
        If the distances within a component would take more than `memory`. The message names its
        size and the most permissive threshold at which it falls apart into small enough ones.

    Warns
    -----
    ChainingWarning
        If chaining links gives other groups than the linkage does.

    Notes
    -----
    Why components suffice: whichever of the four linkages is used, the height at which two
    clusters are joined is the least, the largest or a weighted mean of the distances between
    their members, so it is no less than the least of them. A merge at or below the cut therefore
    needs a pair at or below the cut, which is a link, and never reaches beyond a component; and
    distances to other components decide nothing within one. Scores that tie are treated as by
    `drugsig.group`.

    A component in which every pair is a link is one group, and single linkage has the components
    for its groups; neither needs any distance. Pairs of two components that have no score are not
    seen here, while `drugsig.group` refuses them unless the profile has no score at all.

    Examples
    --------
    >>> import drugsig
    >>> s = drugsig.ProfileSet([[0.0], [1.0], [2.5], [9.0]], ["A"], ["a", "b", "c", "d"])
    >>> links = drugsig.compare(s, metric="manhattan").links(2.0)
    >>> group_links(links, s, linkage="single").members(1)
    ('a', 'b', 'c')
    """
    result = grouped_links(
        links, profiles, threshold=threshold, linkage=linkage, memory=memory, progress=progress
    )
    emit(result.notes)
    return result


def grouped_links(
    links: Links,
    profiles: ProfileSet,
    /,
    *,
    threshold: float | None = None,
    linkage: str = DEFAULT_LINKAGE,
    memory: float = DENSE_LIMIT_BYTES,
    progress: bool = True,
) -> Groups:
    """Group as `group_links` does, and leave its notes to the caller instead of warning.

    Parameters
    ----------
    links, profiles, threshold, linkage, memory, progress
        As in `group_links`.
    """
    metric = links.metric
    method = choose_linkage(linkage, metric=metric.name)
    if not links.symmetric:
        raise GroupingError(
            "groups need the links within one set of profiles; these are between two sets. Find "
            "the links of all profiles in one set."
        )
    if links.row_ids != profiles.ids:
        raise GroupingError(
            f"the links are between {len(links.row_ids)} profiles, and profile set "
            f"'{profiles.name}' holds {len(profiles)}, others or in another order. Give the "
            "profiles the links were found in."
        )
    check_comparable(profiles, None, metric, across_epochs=True)
    if threshold is not None:
        links = _stricter(links, threshold)
    scores = RowScores(profiles, metric, links.min_measured)
    _refuse_other_scores(links, profiles, scores)
    components = links.components
    sizes = np.bincount(components)
    n_links = np.bincount(components[links.rows], minlength=len(sizes))
    # Where every pair is a link, or one link suffices, the component is one group.
    whole = (n_links == sizes * (sizes - 1) // 2) | (method == "single")
    _refuse_large(links, int(sizes[~whole].max(initial=0)), memory)
    by_text = text_order(profiles.ids)
    labels = components.astype(np.intp)
    cut = float(metric.as_distance(np.asarray(links.threshold)))
    used = len(sizes)
    tied = np.zeros(len(profiles), dtype=bool)
    order = by_text[~whole[components[by_text]]]
    order = order[np.argsort(components[order], kind="stable")]
    with tqdm(
        total=len(order), desc="group", unit="profile", disable=None if progress else True,
        leave=False,
    ) as bar:  # fmt: skip
        for rows, counts in _together(order, sizes[np.flatnonzero(~whole)]):
            slack = profile_slack(metric, cut, links.row_sizes, rows)
            found, close = _grouped(scores, rows, counts, cut, slack, method, profiles.ids)
            labels[rows] = used + found
            used += int(found.max()) + 1
            tied[rows] = close
            bar.update(len(rows))
    undefined: tuple[str, ...] = ()
    if links.undefined:
        alone = by_text[sizes[components[by_text]] == 1]
        missing = np.sort(undefined_rows(profiles, scores, alone))
        undefined = tuple(profiles.ids[k] for k in missing)
    return Groups(
        ids=profiles.ids,
        labels=number_groups(labels, by_text),
        components=number_groups(components, by_text),
        linkage=method,
        threshold=links.threshold,
        metric=metric,
        tree=np.empty((0, 4)),
        tree_members=np.empty(0, dtype=np.intp),
        cophenetic_correlation=None,
        undefined_ids=undefined,
        competing_ids=tuple(profiles.ids[k] for k in by_text[tied[by_text]]),
        below_cut=True,
    )


def _stricter(links: Links, threshold: float) -> Links:
    """Return the links that meet a stricter threshold as well."""
    metric = links.metric
    limit = metric.check_threshold(threshold)
    if not metric.meets(np.asarray(limit), links.threshold):
        raise ThresholdError(
            f"a threshold of {limit:g} is more permissive than that of the links, which hold pairs "
            f"with {metric.name} {metric.link_sign} {links.threshold:g} only. Find the links again "
            "at the threshold that is wanted."
        )
    kept = metric.meets(links.scores, limit, links.sizes)
    return replace(
        links,
        rows=links.rows[kept],
        columns=links.columns[kept],
        scores=links.scores[kept],
        measured=links.measured[kept],
        detected=links.detected[kept],
        threshold=limit,
        false_positive_rate=None,
        false_positive_interval=None,
    )


def _refuse_other_scores(links: Links, profiles: ProfileSet, scores: RowScores) -> None:
    """Refuse links whose scores are not those of the profiles, by a look at some of them."""
    if not len(links):
        return
    some = np.unique(np.linspace(0, len(links) - 1, _LINKS_CHECKED).astype(np.intp))[: len(links)]
    rows, columns = links.rows[some], links.columns[some]
    part = scores.part(np.concatenate([rows, columns]))
    places = np.arange(len(some))
    found = scores.listed(part, places, places + len(some))
    said = links.metric.as_distance(links.scores[some])
    unlike = np.flatnonzero(~np.isclose(found, said, rtol=_ROUNDING, atol=_ROUNDING))
    if len(unlike):
        k = int(unlike[0])
        raise GroupingError(
            f"the links were not found in profile set '{profiles.name}' as it is: "
            f"'{profiles.ids[rows[k]]}' and '{profiles.ids[columns[k]]}' are {said[k]:.6g} apart "
            f"by the links and {found[k]:.6g} by the profiles ({links.metric.name}). Give the "
            "profiles with the pretreatment the links were found with."
        )


def _refuse_large(links: Links, largest: int, memory: float) -> None:
    needed = _BYTES_A_PAIR * (largest * (largest - 1) // 2)
    if needed <= memory:
        return
    most = (1 + isqrt(1 + 8 * int(memory // _BYTES_A_PAIR))) // 2
    found = breaking_threshold(links, most=most)
    metric = links.metric
    advice = (
        "Even the most alike of its profiles hold together more: they cannot be told apart. Take "
        "duplicates out"
        if found is None
        else f"It breaks up at threshold {found[0]!r}, the most permissive at which every "
        f"component is small enough: the largest then holds {found[1]:,}. Cut there, with "
        "threshold=<that number>"
    )
    raise ComponentSizeError(
        f"one component of links at {metric.name} {metric.link_sign} {links.threshold:.6g} holds "
        f"{largest:,} of {len(links.row_ids):,} profiles; the distances within it would take "
        f"{needed / 1e9:.3g} GB, and {memory / 1e9:.3g} GB are allowed: {most:,} profiles. "
        f"{advice}, or allow more with memory=<bytes>, or take the components as they are, with "
        "linkage='single'.",
        largest=largest,
        allowed=most,
        threshold=None if found is None else found[0],
        largest_there=None if found is None else found[1],
    )


def _together(order: Places, sizes: Places) -> Iterator[tuple[Places, Places]]:
    """Yield the profiles of some components, and how many each has: small ones together."""
    pairs = sizes * (sizes - 1) // 2
    lot = (np.cumsum(pairs) - pairs) // _PAIRS_TOGETHER
    # A large component is a lot of its own.
    large = sizes >= _LARGE
    edges = np.flatnonzero((np.diff(lot) > 0) | large[1:] | large[:-1]) + 1
    stops = np.cumsum(sizes)
    for some in np.split(np.arange(len(sizes)), edges) if len(sizes) else ():
        yield order[stops[some[0]] - sizes[some[0]] : stops[some[-1]]], sizes[some]


def _grouped(
    scores: RowScores,
    rows: Places,
    sizes: Places,
    cut: float,
    slack: Floats,
    method: str,
    ids: tuple[str, ...],
) -> tuple[Places, NDArray[np.bool_]]:
    """Return the flat cluster of every profile of some components, from 0, and who is tied."""
    part = scores.part(rows)
    first, second = all_pairs(sizes) if len(sizes) > 1 else (rows[:0], rows[:0])
    upper = scores.listed(part, first, second) if len(sizes) > 1 else scores.upper(part)
    gaps = np.flatnonzero(np.isnan(upper))
    if len(gaps):
        if len(sizes) == 1:
            first, second = np.triu_indices(len(rows), k=1)
        refuse_gaps(rows[first[gaps]], rows[second[gaps]], ids, instead="links.components")
    out = np.empty(len(rows), dtype=np.intp)
    tied = np.zeros(len(rows), dtype=bool)
    place, start, used = 0, 0, 0
    for m in sizes.tolist():
        pairs = m * (m - 1) // 2
        most = float(slack if slack.ndim == 0 else slack[place : place + m].max())
        inside = upper[start : start + pairs]
        found, tied[place : place + m] = flat_clusters(
            inside, n=m, cut=cut, slack=most, method=method
        )
        out[place : place + m] = used + found - 1
        used += int(found.max())
        place, start = place + m, start + pairs
    return out, tied
