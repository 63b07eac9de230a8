"""`group`: put profiles into groups of probable common source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cophenet
from scipy.spatial.distance import squareform

from drugsig._notes import emit
from drugsig.comparison.comparison import Comparison
from drugsig.errors import GroupingError
from drugsig.groups.agreeing import agreeing_tree, cut_by_component, same_partition
from drugsig.groups.cutting import (
    DEFAULT_LINKAGE,
    LINKAGES,
    choose_linkage,
    competing,
    cut_tree,
    grown_tree,
    number_groups,
    profile_slack,
    refuse_gaps,
    settled,
    text_order,
)
from drugsig.groups.groups import Groups

__all__ = ["DEFAULT_LINKAGE", "LINKAGES", "group", "grouped"]


def group(comparison: Comparison, /, *, threshold: float, linkage: str = DEFAULT_LINKAGE) -> Groups:
    """Group profiles by hierarchical clustering cut at a threshold, and by chains of links.

    Parameters
    ----------
    comparison : Comparison
        Of one set of profiles with each other.
    threshold : float
        The score that makes a link, in the metric's convention.
    linkage : {"average", "single", "complete", "weighted"}
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
    ids as text, and each component of the links by itself, so the groups depend neither on the
    order of the profiles nor on profiles that no chain of links reaches. A group is an
    investigative lead, not proof of a common source.
    """
    result = grouped(comparison, threshold=threshold, linkage=linkage)
    emit(result.notes)
    return result


def grouped(
    comparison: Comparison, /, *, threshold: float, linkage: str = DEFAULT_LINKAGE
) -> Groups:
    """Group profiles as `group` does, and leave its notes to the caller instead of warning.

    Parameters
    ----------
    comparison, threshold, linkage
        As in `group`.
    """
    method = choose_linkage(linkage, metric=comparison.metric.name)
    if not comparison.symmetric:
        raise GroupingError(
            "groups need the scores of one set of profiles with each other; this comparison is "
            "between two sets. Compare all profiles in one set: drugsig.compare(profiles)."
        )
    links = comparison.links(threshold)
    metric = comparison.metric
    n = len(comparison.row_ids)
    alone = set(comparison.undefined_ids)
    by_text = text_order(comparison.row_ids)
    kept = np.array([k for k in by_text if comparison.row_ids[k] not in alone], dtype=np.intp)
    distance = metric.as_distance(comparison.scores[np.ix_(kept, kept)])
    rows, columns = np.nonzero(np.triu(np.isnan(distance), k=1))
    refuse_gaps(
        kept[rows], kept[columns], comparison.row_ids,
        instead="comparison.links(threshold).components",
    )  # fmt: skip
    labels = np.arange(n)
    tree = np.empty((0, 4))
    correlation: float | None = None
    competing_ids: tuple[str, ...] = ()
    if len(kept) > 1:
        upper = squareform(distance, checks=False)
        cut = float(metric.as_distance(np.asarray(links.threshold)))
        slack = profile_slack(metric, cut, comparison.row_sizes, kept)
        tree, found, tied = _tree_and_clusters(
            distance, upper, links.components[kept], slack, cut, method
        )
        labels[kept] = n + found
        competing_ids = tuple(comparison.row_ids[k] for k in kept[tied])
        if len(kept) > 2 and np.ptp(upper) > 0:
            correlation = _cophenetic(tree, upper)
    return Groups(
        ids=comparison.row_ids,
        labels=number_groups(labels, by_text),
        components=number_groups(links.components, by_text),
        linkage=method,
        threshold=links.threshold,
        metric=metric,
        tree=tree,
        tree_members=kept,
        cophenetic_correlation=correlation,
        undefined_ids=comparison.undefined_ids,
        competing_ids=competing_ids,
    )


def _tree_and_clusters(
    distance: NDArray[np.float64],
    upper: NDArray[np.float64],
    components: NDArray[np.intp],
    slack: NDArray[np.float64],
    cut: float,
    method: str,
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.bool_]]:
    """Return the tree over all profiles, the groups of each component, and who is tied."""
    most = float(slack.max())
    made = settled(upper, cut=cut, slack=most)
    tree = grown_tree(made, method=method)
    found = flat = cut_tree(tree, cut=cut, slack=most)
    if not (components == components[0]).all():
        found, tied = cut_by_component(distance, components, cut=cut, method=method, slack=slack)
    elif upper.max() <= cut + most:
        # Where no distance is above the cut no height is, whatever an average is rounded to.
        found, tied = np.ones_like(flat), np.zeros(len(flat), dtype=bool)
    else:
        tied = competing(made, tree, flat, cut=cut, slack=most, method=method)
    if not same_partition(flat, found):
        tree = agreeing_tree(distance, components, found, cut=cut, method=method, slack=slack)
    return tree, found, tied


def _cophenetic(tree: NDArray[np.float64], upper: NDArray[np.float64]) -> float | None:
    """Return the cophenetic correlation; None where all heights are the same."""
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation, _ = cophenet(tree, upper)
    return float(correlation) if np.isfinite(correlation) else None
