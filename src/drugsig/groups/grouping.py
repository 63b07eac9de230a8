"""`group`: put profiles into groups of probable common source."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cophenet, fcluster, linkage

from drugsig._check import choose, listed, warn
from drugsig.comparison.comparison import Comparison
from drugsig.errors import ChainingWarning, GroupingError
from drugsig.groups.groups import Groups

__all__ = ["DEFAULT_LINKAGE", "LINKAGES", "group"]

DEFAULT_LINKAGE = "average"

# Linkages whose merge heights are on the scale of the scores, so that a score threshold cuts
# them. Ward's heights are increases in a sum of squares.
LINKAGES = ("average", "single", "complete", "weighted")
# An average of n scores is rounded n times; this is enough for a thousand of them.
_ROUNDING = 1e-12

_OnScale = Literal["average", "single", "complete", "weighted"]
_OFF_SCALE = ("ward", "centroid", "median")


def group(
    comparison: Comparison, /, *, threshold: float, linkage_method: str = DEFAULT_LINKAGE
) -> Groups:
    """Group profiles by hierarchical clustering cut at a threshold, and by chains of links.

    Parameters
    ----------
    comparison : Comparison
        Of one set of profiles with each other.
    threshold : float
        The score that makes a link, in the metric's convention.
    linkage_method : {"average", "single", "complete", "weighted"}
        How the distance between two clusters follows from the scores of their members.

    Returns
    -------
    Groups
        The groups, the connected components of the links beside them, and the tree.

    Raises
    ------
    GroupingError
        If two different sets were compared, if Ward's or another off-scale linkage is asked for,
        or if some but not all scores of a profile are undefined.
    ThresholdError
        If the threshold lies outside the range of the metric.

    Warns
    -----
    ChainingWarning
        If chaining links gives other groups than the linkage does.

    Notes
    -----
    Profiles that have no defined score with any other stand alone. Where scores tie, the outcome
    of a linkage depends on which pair is joined first; profiles are joined in the order of their
    ids as text, so the groups do not depend on the order of the profiles. A group is an
    investigative lead, not proof of a common source.
    """
    if linkage_method in _OFF_SCALE:
        raise GroupingError(
            f"{linkage_method} linkage cannot be cut at a score threshold: its heights are not on "
            f"the scale of '{comparison.metric.name}'. Use one of {listed(LINKAGES)}."
        )
    choose(linkage_method, LINKAGES, what="linkage")
    if not comparison.symmetric:
        raise GroupingError(
            "groups need the scores of one set of profiles with each other; this comparison is "
            "between two sets. Compare all profiles in one set: drugsig.compare(profiles)."
        )
    links = comparison.links(threshold)
    metric = comparison.metric
    n = len(comparison.row_ids)
    alone = set(comparison.undefined_ids)
    by_id = sorted(range(n), key=comparison.row_ids.__getitem__)
    kept = np.array([k for k in by_id if comparison.row_ids[k] not in alone], dtype=np.intp)
    distance = metric.as_distance(comparison.scores[np.ix_(kept, kept)])
    _refuse_gaps(comparison, kept, distance)
    labels = np.arange(n)
    tree = np.empty((0, 4))
    correlation: float | None = None
    if len(kept) > 1:
        upper = distance[np.triu_indices(len(kept), k=1)]
        tree = linkage(upper, method=cast(_OnScale, linkage_method))
        cut = float(metric.as_distance(np.asarray(links.threshold)))
        labels[kept] = n + fcluster(_rounded_to(cut, tree), t=cut, criterion="distance")
        if len(kept) > 2 and np.ptp(upper) > 0:
            correlation = _cophenetic(tree, upper)
    result = Groups(
        ids=comparison.row_ids,
        labels=_renumber(labels, comparison.row_ids),
        components=_renumber(links.components, comparison.row_ids),
        linkage=linkage_method,
        threshold=links.threshold,
        metric=metric,
        tree=tree,
        tree_members=kept,
        cophenetic_correlation=correlation,
        undefined_ids=comparison.undefined_ids,
    )
    if result.chained:
        warn(result.chaining_note, ChainingWarning)
    return result


def _rounded_to(cut: float, tree: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tree with heights that miss the cut by rounding alone put on it.

    The average of scores that all equal the threshold may come out one digit above it. The height
    of two single profiles is their score itself, and stays.
    """
    heights = tree[:, 2]
    averaged = tree[:, 3] > 2
    missed = averaged & (heights > cut) & (heights <= cut * (1.0 + _ROUNDING))
    out = tree.copy()
    out[missed, 2] = cut
    return out


def _cophenetic(tree: NDArray[np.float64], upper: NDArray[np.float64]) -> float | None:
    """Return the cophenetic correlation; None where all heights are the same."""
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation, _ = cophenet(tree, upper)
    return float(correlation) if np.isfinite(correlation) else None


def _refuse_gaps(
    comparison: Comparison, kept: NDArray[np.intp], distance: NDArray[np.float64]
) -> None:
    gaps = np.isnan(distance)
    if gaps.any():
        worst = np.argsort(-gaps.sum(axis=1), kind="stable")
        names = [comparison.row_ids[kept[k]] for k in worst if gaps[k].any()]
        raise GroupingError(
            f"{int(gaps.sum()) // 2} pair(s) have no score, so no average over a group can be "
            f"formed. Most of them involve {listed(names, most=3)}. Leave those profiles out "
            "(profiles.without([...])), drop the targets they lack, or use the components of the "
            "links alone: comparison.links(threshold).components."
        )


def _renumber(labels: NDArray[np.intp], ids: tuple[str, ...]) -> NDArray[np.intp]:
    """Number groups from 1, the largest first, then by their first id in text order.

    The numbers do not depend on the order of the profiles.
    """
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    first = [""] * len(counts)
    for place, group_number in enumerate(inverse):
        if not first[group_number] or ids[place] < first[group_number]:
            first[group_number] = ids[place]
    order = sorted(range(len(counts)), key=lambda g: (-int(counts[g]), first[g]))
    number = np.empty(len(counts), dtype=np.intp)
    number[order] = np.arange(1, len(counts) + 1)
    return number[inverse]
