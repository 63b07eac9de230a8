"""Cut the tree of one component of links, and number groups: what every way of grouping shares."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from drugsig._check import choose, listed
from drugsig.comparison.metrics import Metric
from drugsig.comparison.ties import merged
from drugsig.errors import GroupingError

__all__ = [
    "DEFAULT_LINKAGE",
    "LINKAGES",
    "choose_linkage",
    "competing",
    "cut_tree",
    "flat_clusters",
    "grown_tree",
    "number_groups",
    "profile_slack",
    "refuse_gaps",
    "settled",
    "text_order",
]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]

DEFAULT_LINKAGE = "average"

# Linkages whose merge heights are on the scale of the scores, so that a score threshold cuts
# them. Ward's heights are increases in a sum of squares.
LINKAGES = ("average", "single", "complete", "weighted")
_OFF_SCALE = ("ward", "centroid", "median")

_OnScale = Literal["average", "single", "complete", "weighted"]


def choose_linkage(name: str, /, *, metric: str) -> str:
    """Return the name of a linkage that a threshold of this metric can cut.

    Raises
    ------
    GroupingError
        If its heights are not on the scale of the scores.
    UnknownNameError
        If there is no such linkage.
    """
    if name in _OFF_SCALE:
        raise GroupingError(
            f"{name} linkage cannot be cut at a score threshold: its heights are not on "
            f"the scale of '{metric}'. Use one of {listed(LINKAGES)}."
        )
    return choose(name, LINKAGES, what="linkage")


def text_order(ids: tuple[str, ...], /) -> Places:
    """Return the places of ids in the order of the ids as text, shape (n,)."""
    return np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.intp)


def grown_tree(upper: Floats, /, *, method: str) -> Floats:
    """Return the tree over profiles from their distances, condensed, as scipy writes it."""
    return np.asarray(linkage(upper, method=cast(_OnScale, method)), dtype=np.float64)


def profile_slack(metric: Metric, cut: float, sizes: Floats | None, rows: Places, /) -> Floats:
    """Return the slack of a profile with one as large, of listed profiles or one number for all.

    Parameters
    ----------
    metric : Metric
        What scores mean.
    cut : float
        The threshold, as a distance; its slack is taken where sizes are not known.
    sizes : ndarray of float64, shape (n_profiles,), or None
        See `drugsig.comparison.Metric.slack`.
    rows : ndarray of int
        Which profiles.
    """
    return metric.slack(np.asarray(cut), None if sizes is None else 2.0 * sizes[rows])


def settled(distance: Floats, /, *, cut: float, slack: float) -> Floats:
    """Return distances in which rounding decides neither who is linked nor who is joined first.

    Parameters
    ----------
    distance : ndarray of float64
        Of pairs; what exceeds the cut by no more than the slack is put on it, and of those within
        the cut equal ones are given one number.
    cut : float
        Where links end.
    slack : float
        From `drugsig.comparison.Metric.slack`.
    """
    near = distance <= cut + slack
    inside = distance[near]
    made = merged(np.minimum(inside, cut), np.asarray(slack), is_similarity=False)
    if np.array_equal(made, inside):
        return distance
    out = distance.copy()
    out[near] = made
    return out


def cut_tree(tree: Floats, /, *, cut: float, slack: float = 0.0) -> Places:
    """Return the flat cluster of every leaf of a tree, numbered from 1 in no order.

    A height that exceeds the cut by no more than the slack is at the cut: an average of scores that
    all equal it may come out one digit above. What scipy's `fcluster` gives, which looks at the
    whole tree again before it cuts it: that takes most of the time where trees are many and small.

    Parameters
    ----------
    tree : ndarray, shape (n - 1, 4)
        As scipy writes it, the lowest merge first.
    cut, slack
        As for `flat_clusters`.
    """
    n = len(tree) + 1
    made = int(np.searchsorted(tree[:, 2], cut + slack, side="right"))
    # From the last merge down, what was joined has the number of what it became.
    number = [0] * (n + made)
    used = 0
    for node, (a, b) in zip(
        range(n + made - 1, n - 1, -1), tree[:made, :2].astype(np.intp)[::-1].tolist(), strict=True
    ):
        if not number[node]:
            used += 1
            number[node] = used
        number[a] = number[b] = number[node]
    labels = np.array(number[:n], dtype=np.intp)
    alone = labels == 0
    labels[alone] = np.arange(used + 1, used + 1 + int(alone.sum()))
    return labels


def flat_clusters(
    upper: Floats, /, *, n: int, cut: float, slack: float, method: str
) -> tuple[Places, Flags]:
    """Return the flat cluster of every profile of one component, numbered from 1 in no order.

    And which of them `competing` finds.

    Parameters
    ----------
    upper : ndarray of float64, shape (n (n - 1) / 2,)
        The distances of all pairs, profiles in text order of their ids.
    n : int
        How many profiles.
    cut : float
        Clusters are joined up to this height.
    slack : float
        How far a distance or a height may exceed the cut and be at it.
    method : str
        One of `LINKAGES`.
    """
    # Where no distance is above the cut no height is, whatever an average is rounded to.
    if upper.max(initial=-np.inf) <= cut + slack:
        return np.ones(n, dtype=np.intp), np.zeros(n, dtype=bool)
    made = settled(upper, cut=cut, slack=slack)
    tree = grown_tree(made, method=method)
    labels = cut_tree(tree, cut=cut, slack=slack)
    return labels, competing(made, tree, labels, cut=cut, slack=slack, method=method)


def competing(
    upper: Floats, tree: Floats, labels: Places, /, *, cut: float, slack: float, method: str
) -> Flags:
    """Return the profiles that a merge as near as the one that was made would have put elsewhere.

    Parameters
    ----------
    upper : ndarray of float64, shape (n (n - 1) / 2,)
        The distances of all pairs.
    tree : ndarray, shape (n - 1, 4)
        Their tree.
    labels : ndarray of int, shape (n,)
        Its flat clusters.
    cut, slack, method
        As for `flat_clusters`.
    """
    out = np.zeros(len(labels), dtype=bool)
    # The clusters of single linkage are the components of the links, whatever comes first.
    if method == "single":
        return out
    distance = squareform(upper)
    if not ((distance <= cut + slack) & (labels[:, None] != labels)).any():
        return out
    np.fill_diagonal(distance, np.inf)
    # A cluster stands in the row of one of its profiles.
    row_of, owner, size = list(range(len(labels))), np.arange(len(labels)), np.ones(len(labels))
    for a, b, height, _ in tree.tolist():
        if height > cut + slack:
            break
        i, j = row_of[int(a)], row_of[int(b)]
        rivals = np.minimum(distance[i], distance[j]) <= height + slack
        rivals &= labels != labels[i]
        if rivals.any():
            out |= rivals[owner] | (owner == i) | (owner == j)
        if method == "complete":
            joined = np.maximum(distance[i], distance[j])
        else:
            ours, theirs = (size[i], size[j]) if method == "average" else (1.0, 1.0)
            joined = (ours * distance[i] + theirs * distance[j]) / (ours + theirs)
        distance[i], distance[:, i] = joined, joined
        distance[j], distance[:, j] = np.inf, np.inf
        distance[i, i] = np.inf
        size[i] += size[j]
        owner[owner == j] = i
        row_of.append(i)
    return out


def number_groups(labels: Places, by_text: Places, /) -> Places:
    """Number groups from 1, the largest first, then by their first id in text order.

    The numbers do not depend on the order of the profiles.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        The same whole number for profiles of one group.
    by_text : ndarray of int, shape (n,)
        The places of the profiles in the text order of their ids.
    """
    _, first, inverse, counts = np.unique(
        labels[by_text], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -counts))
    number = np.empty(len(counts), dtype=np.intp)
    number[order] = np.arange(1, len(counts) + 1)
    out = np.empty(len(labels), dtype=np.intp)
    out[by_text] = number[inverse]
    return out


def refuse_gaps(rows: Places, columns: Places, ids: tuple[str, ...], /, *, instead: str) -> None:
    """Refuse pairs that have no score, naming the profiles that most of them involve.

    Parameters
    ----------
    rows, columns : ndarray of int, shape (n_gaps,)
        The pairs, as places in `ids`.
    ids : tuple of str
        The profiles.
    instead : str
        The call that gives the components of the links alone.

    Raises
    ------
    GroupingError
        If there is any.
    """
    if not len(rows):
        return
    places, counts = np.unique(np.concatenate([rows, columns]), return_counts=True)
    worst = sorted(zip((-counts).tolist(), (ids[k] for k in places), strict=True))
    raise GroupingError(
        f"{len(rows)} pair(s) have no score, so no average over a group can be "
        f"formed. Most of them involve {listed((name for _, name in worst), most=3)}. Leave those "
        "profiles out (profiles.without([...])), drop the targets they lack, or use the "
        f"components of the links alone: {instead}."
    )
