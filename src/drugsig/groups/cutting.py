"""Cut the tree of one component of links, and number groups: what every way of grouping shares."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from drugsig._check import choose, listed
from drugsig.errors import GroupingError

__all__ = [
    "DEFAULT_LINKAGE",
    "LINKAGES",
    "ROUNDING",
    "choose_linkage",
    "cut_tree",
    "flat_clusters",
    "grown_tree",
    "number_groups",
    "refuse_gaps",
    "text_order",
]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

DEFAULT_LINKAGE = "average"

# Linkages whose merge heights are on the scale of the scores, so that a score threshold cuts
# them. Ward's heights are increases in a sum of squares.
LINKAGES = ("average", "single", "complete", "weighted")
_OFF_SCALE = ("ward", "centroid", "median")

# An average of n scores is rounded n times; this is enough for a thousand of them.
ROUNDING = 1e-12

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


def cut_tree(tree: Floats, /, *, cut: float) -> Places:
    """Return the flat cluster of every leaf of a tree, numbered from 1 in no order."""
    return np.asarray(fcluster(_rounded_to(cut, tree), t=cut, criterion="distance"), dtype=np.intp)


def flat_clusters(
    upper: Floats, /, *, n: int, cut: float, method: str, tree: Floats | None = None
) -> Places:
    """Return the flat cluster of every profile of one component, numbered from 1 in no order.

    Parameters
    ----------
    upper : ndarray of float64, shape (n (n - 1) / 2,)
        The distances of all pairs, profiles in text order of their ids.
    n : int
        How many profiles.
    cut : float
        Clusters are joined up to this height.
    method : str
        One of `LINKAGES`.
    tree : ndarray, shape (n - 1, 4), optional
        The tree of these distances, if it is at hand.
    """
    # Where no distance is above the cut no height is, whatever an average is rounded to.
    if upper.max(initial=-np.inf) <= cut:
        return np.ones(n, dtype=np.intp)
    return cut_tree(grown_tree(upper, method=method) if tree is None else tree, cut=cut)


def _rounded_to(cut: float, tree: Floats) -> Floats:
    """Return the tree with heights that miss the cut by rounding alone put on it.

    The average of scores that all equal the threshold may come out one digit above it. The height
    of two single profiles is their score itself, and stays.
    """
    heights = tree[:, 2]
    averaged = tree[:, 3] > 2
    missed = averaged & (heights > cut) & (heights <= cut * (1.0 + ROUNDING))
    out = tree.copy()
    out[missed, 2] = cut
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
