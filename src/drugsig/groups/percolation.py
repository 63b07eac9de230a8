"""How the components of links grow as the threshold is relaxed, and where they are small enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from drugsig.comparison.links import Links
from drugsig.comparison.ties import merged
from drugsig.errors import GroupingError

__all__ = ["breaking_threshold", "component_growth"]

Places = NDArray[np.intp]


def component_growth(links: Links, /) -> pd.DataFrame:
    """Return how large the largest component is at every threshold as strict as the links' own.

    Joining the links one after the other, the most alike first, is single linkage: one pass tells
    the components of all stricter thresholds.

    Parameters
    ----------
    links : Links
        Within one set.

    Returns
    -------
    DataFrame
        One row for every score at which the largest component grows, the most alike first:
        ``threshold`` (links that meet it are in), ``largest`` (profiles in the largest component)
        and ``components`` (how many there are, profiles without a link included). From one row to
        the next the largest component stays as it is.

    Raises
    ------
    GroupingError
        If the links are between two sets.

    Examples
    --------
    >>> import numpy as np
    >>> import drugsig
    >>> s = drugsig.ProfileSet([[0.0], [1.0], [3.0], [6.0]], ["A"], ["a", "b", "c", "d"])
    >>> links = drugsig.compare(s, metric="manhattan").links(3.0)
    >>> component_growth(links)
       threshold  largest  components
    0        1.0        2           3
    1        2.0        3           2
    2        3.0        4           1
    """
    levels, found = _walk(links)
    return pd.DataFrame(
        {
            "threshold": levels[found.level],
            "largest": found.largest,
            "components": found.components,
        }
    )


def breaking_threshold(links: Links, /, *, most: int) -> tuple[float, int] | None:
    """Return the most permissive threshold at which no component holds more than so many.

    Parameters
    ----------
    links : Links
        Within one set; some component holds more than `most` profiles.
    most : int
        The most profiles in a component.

    Returns
    -------
    tuple of float and int, or None
        The threshold, with no more digits than tell it from the next link's score, and the size
        of the largest component there; None if even the strictest links hold more together.
    """
    levels, found = _walk(links)
    over = np.flatnonzero(found.largest > most)
    if not len(over):
        return links.threshold, int(found.largest.max(initial=1))
    bad = int(found.level[over[0]])
    if bad == 0:
        return None
    largest = int(found.largest[over[0] - 1]) if over[0] else 1
    return _between(links, float(levels[bad - 1]), float(levels[bad])), largest


@dataclass(frozen=True, eq=False)
class _Growth:
    """Where the largest component grows: the place of the score, its size, how many there are."""

    level: Places
    largest: Places
    components: Places


def _walk(links: Links) -> tuple[NDArray[np.float64], _Growth]:
    """Join the links in order of their scores; return the scores, the most alike first."""
    if not links.symmetric:
        raise GroupingError(
            "components need links within one set; these are between two sets. Compare the "
            "profiles of both in one set."
        )
    n = len(links.row_ids)
    alike = links.metric.is_similarity
    slack = links.metric.slack(links.scores, links.sizes)
    scores = merged(links.scores, slack, is_similarity=alike)
    strength = -scores if alike else scores
    strengths, level = np.unique(strength, return_inverse=True)
    levels = -strengths if alike else strengths
    # Weights from 1: a sparse graph takes a weight of zero, as of identical profiles, for no link.
    # SciPy 1.14 and 1.15 refuse a graph whose indices have 64 bits.
    ends = links.rows.astype(np.int32), links.columns.astype(np.int32)
    graph = coo_array((level + 1.0, ends), shape=(n, n))
    forest = minimum_spanning_tree(graph.tocsr()).tocoo()
    order = np.argsort(forest.data, kind="stable")
    joined = forest.data[order].astype(np.intp) - 1
    sizes = _sizes_joined(n, forest.row[order].tolist(), forest.col[order].tolist())
    largest = np.maximum.accumulate(sizes)
    # Links of one score come together: the last of them tells.
    last = np.flatnonzero(np.diff(joined, append=-1))
    grows = np.diff(largest[last], prepend=1) > 0
    place = last[grows]
    return levels, _Growth(joined[place], largest[place], n - 1 - place)


def _sizes_joined(n: int, rows: list[int], columns: list[int]) -> Places:
    """Return the size of the component that every edge of a forest makes, joined in order."""
    parent = list(range(n))
    size = [1] * n
    out = np.empty(len(rows), dtype=np.intp)
    for k, (a, b) in enumerate(zip(rows, columns, strict=True)):
        while parent[a] != a:
            parent[a] = a = parent[parent[a]]
        while parent[b] != b:
            parent[b] = b = parent[parent[b]]
        if size[a] < size[b]:
            a, b = b, a
        parent[b] = a
        size[a] += size[b]
        out[k] = size[a]
    return out


def _between(links: Links, score: float, beyond: float) -> float:
    """Return the shortest number that a link of `score` meets and one of `beyond` does not."""
    metric = links.metric
    sizes = links.sizes
    size = None if sizes is None else float(sizes.max())
    ends = np.array([score, beyond])
    for digits in range(1, 17):
        short = float(f"{score:.{digits}g}")
        within = metric.low <= short <= metric.high
        if within and metric.meets(ends, short, size).tolist() == [True, False]:
            return short
    return score
