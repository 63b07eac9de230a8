"""`Tree`: profiles put next to those they are like, in leaves with a box around each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAF", "Tree", "in_runs", "leaves_as_given", "leaves_of_neighbours", "pairs_at"]

Indices = NDArray[np.int64]

# Profiles in a leaf. Measured on 200,000 and 1,000,000 profiles: half as many make twice the calls,
# twice as many make the boxes so wide that more pairs are multiplied than calls are saved.
LEAF = 256

# A node's widest coordinate is found from so many of its profiles.
_SAMPLED = 512


@dataclass(frozen=True, eq=False)
class Tree:
    """Leaves of neighbouring profiles.

    Attributes
    ----------
    order : ndarray of int64, shape (n,)
        The profile at every position; leaves are runs of positions.
    starts : ndarray of int64, shape (n_leaves + 1,)
        Where every leaf starts, and the end.
    low, high : ndarray, shape (n_leaves, d)
        The corners of the box around every leaf.
    """

    order: Indices
    starts: Indices
    low: NDArray[Any]
    high: NDArray[Any]

    def __len__(self) -> int:
        return len(self.starts) - 1


def leaves_of_neighbours(coordinates: NDArray[Any], /, *, leaf: int = LEAF) -> Tree:
    """Split profiles at the median of the coordinate they spread most in, again and again.

    Parameters
    ----------
    coordinates : ndarray, shape (d, n)
        Finite.
    leaf : int
        The most profiles in a leaf.
    """
    n = coordinates.shape[1]
    order = np.arange(n, dtype=np.int64)
    starts = [0, n]
    while np.diff(starts).max(initial=0) > leaf:
        split = [0]
        for first, last in pairwise(starts):
            if last - first > leaf:
                inside = order[first:last]
                some = inside[:: max(1, (last - first) // _SAMPLED)]
                widest = int(np.argmax(coordinates[:, some].var(axis=1)))
                middle = (last - first) // 2
                halves = np.argpartition(coordinates[widest].take(inside), middle)
                order[first:last] = inside[halves]
                split.append(first + middle)
            split.append(last)
        starts = split
    return _boxed(coordinates, order, np.asarray(starts, dtype=np.int64))


def leaves_as_given(coordinates: NDArray[Any], /, *, leaf: int = LEAF) -> Tree:
    """Cut profiles into leaves as they stand: for searches that pruning cannot help."""
    n = coordinates.shape[1]
    starts = np.append(np.arange(0, n, leaf, dtype=np.int64), n)
    return _boxed(coordinates, np.arange(n, dtype=np.int64), starts)


def _boxed(coordinates: NDArray[Any], order: Indices, starts: Indices) -> Tree:
    d = len(coordinates)
    n_leaves = len(starts) - 1
    low = np.empty((n_leaves, d), dtype=coordinates.dtype)
    high = np.empty((n_leaves, d), dtype=coordinates.dtype)
    if n_leaves and len(order):
        for k, row in enumerate(coordinates):
            sorted_row = row.take(order)
            low[:, k] = np.minimum.reduceat(sorted_row, starts[:-1])
            high[:, k] = np.maximum.reduceat(sorted_row, starts[:-1])
    return Tree(order, starts, low, high)


def in_runs(leaves: Indices, starts: Indices) -> Indices:
    """Return the positions in these leaves, one leaf after another."""
    first = starts[leaves]
    lengths = starts[leaves + 1] - first
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(first - (ends - lengths), lengths) + np.arange(total, dtype=np.int64)


def pairs_at(
    hits: NDArray[np.bool_], first: int, columns: Indices, /, *, once: bool
) -> tuple[Indices, Indices]:
    """Return the pairs of positions that are hits in a block of a leaf with others.

    Parameters
    ----------
    hits : ndarray of bool, shape (n_rows, n_columns)
        Which.
    first : int
        The position of the first row; the others follow it.
    columns : ndarray of int64, shape (n_columns,)
        The positions of the columns.
    once : bool
        Whether both sides are one set, of which each pair is wanted once.
    """
    row, column = np.divmod(np.flatnonzero(hits), len(columns))
    row += first
    column = columns[column]
    if once:
        later = column > row
        row, column = row[later], column[later]
    return row, column
