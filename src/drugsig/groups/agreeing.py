"""A tree that agrees with groups formed component by component, where scores tie."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cophenet
from scipy.spatial.distance import squareform

from drugsig.groups.cutting import flat_clusters, grown_tree, settled

__all__ = ["agreeing_tree", "cut_by_component", "same_partition"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]

_NONE = np.zeros(())


def cut_by_component(
    distance: Floats, components: Places, /, *, cut: float, method: str, slack: Floats = _NONE
) -> tuple[Places, Flags]:
    """Return the flat cluster of every profile, each component clustered by itself.

    And which of them merges that compete with those that were made would have put elsewhere.

    No merge at or below the cut reaches beyond a component: the height of a merge is no less than
    the least distance between the two clusters, and between components all are above the cut.
    So this gives the flat clusters of the one tree over all profiles, but for ties: there a
    profile far away could decide which of two equal pairs is joined first, and here it cannot.

    Parameters
    ----------
    distance : ndarray of float64, shape (n, n)
        Of profiles in text order of their ids.
    components : ndarray of int, shape (n,)
        The connected component of the links of every profile.
    cut : float
        Where the trees are cut.
    method : str
        One of `drugsig.groups.LINKAGES`.
    slack : ndarray of float64
        How far a distance may exceed the cut and be at it, shape (n,) by profile or one number.
    """
    labels = np.empty(len(distance), dtype=np.intp)
    tied = np.zeros(len(distance), dtype=bool)
    used = 0
    for members in _runs(components):
        inside, tied[members] = flat_clusters(
            _upper(distance, members), n=len(members), cut=cut, slack=_largest(slack, members),
            method=method,
        )  # fmt: skip
        labels[members] = used + inside
        used += int(inside.max())
    return labels, tied


def same_partition(a: Places, b: Places, /) -> bool:
    """Say whether two labellings put the same profiles together."""
    pairs = len(np.unique(np.stack([a, b]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))


def agreeing_tree(
    distance: Floats,
    components: Places,
    labels: Places,
    /,
    *,
    cut: float,
    method: str,
    slack: Floats = _NONE,
) -> Floats:
    """Return a tree over all profiles whose cut gives these groups, for where scores tie.

    Within a group two profiles are as far apart as their component's tree has them; profiles of
    two groups are as far apart as the linkage has the groups. Of such distances every tree of the
    linkage has the groups whole before it joins them.

    Parameters
    ----------
    distance, components, cut, method, slack
        As for `cut_by_component`.
    labels : ndarray of int, shape (n,)
        What `cut_by_component` gave.
    """
    _, group_of = np.unique(labels, return_inverse=True)
    joined = np.zeros_like(distance)
    weight = np.ones(len(distance))
    for members in _runs(components):
        if len(members) > 1:
            inside = settled(_upper(distance, members), cut=cut, slack=_largest(slack, members))
            tree = grown_tree(inside, method=method)
            joined[np.ix_(members, members)] = squareform(cophenet(tree))
            if method == "weighted":
                weight[members] = _halved(tree, group_of[members])
    if method == "average":
        weight = 1.0 / np.bincount(group_of)[group_of]
    level = _between(distance, group_of, weight, method)
    # Above what is taken for the cut.
    above = np.nextafter(cut + 2.0 * float(slack.max(initial=0.0)), np.inf)
    apart = np.maximum(level, above)[np.ix_(group_of, group_of)]
    same = group_of[:, None] == group_of[None, :]
    made = np.where(same, np.minimum(joined, cut), apart)
    return grown_tree(squareform(made, checks=False), method=method)


def _runs(components: Places) -> Iterator[Places]:
    """Yield the profiles of every component, in their order."""
    order = np.argsort(components, kind="stable")
    edges = np.flatnonzero(np.diff(components[order])) + 1
    yield from np.split(order, edges) if len(order) else ()


def _largest(slack: Floats, members: Places) -> float:
    return float(slack if slack.ndim == 0 else slack[members].max())


def _upper(distance: Floats, members: Places) -> Floats:
    return np.asarray(squareform(distance[np.ix_(members, members)], checks=False))


def _between(distance: Floats, group_of: Places, weight: Floats, method: str) -> Floats:
    """Return how far apart the linkage has every two groups, shape (n_groups, n_groups)."""
    order = np.argsort(group_of, kind="stable")
    starts = np.flatnonzero(np.diff(group_of[order], prepend=-1))
    d = distance[np.ix_(order, order)]
    if method == "single":
        return np.minimum.reduceat(np.minimum.reduceat(d, starts, axis=0), starts, axis=1)
    if method == "complete":
        return np.maximum.reduceat(np.maximum.reduceat(d, starts, axis=0), starts, axis=1)
    w = weight[order]
    d = d * w[:, None] * w[None, :]
    return np.add.reduceat(np.add.reduceat(d, starts, axis=0), starts, axis=1)


def _halved(tree: Floats, group_of: Places) -> Floats:
    """Return how much every leaf counts in its group by weighted linkage: half a joint each."""
    n = len(group_of)
    child = tree[:, :2].astype(np.intp)
    group = np.concatenate([group_of, np.empty(n - 1, dtype=np.intp)])
    for k, (a, _) in enumerate(child):
        group[n + k] = group[a]
    weight = np.ones(2 * n - 1)
    for k in range(n - 2, -1, -1):
        a, b = child[k]
        if group[a] == group[b]:
            weight[a] = weight[b] = weight[n + k] / 2.0
    return weight[:n]
