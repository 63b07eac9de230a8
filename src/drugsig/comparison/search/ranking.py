"""`Ranking`: the k most alike of every profile, kept while more of them are looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.search.tree import Indices

__all__ = ["NOBODY", "Ranking"]

Floats = NDArray[np.float64]

# The position that stands for no neighbour.
NOBODY = -1


class Ranking:
    """The k best of every row; equal keys are ordered by position.

    Parameters
    ----------
    n_rows : int
        Profiles whose neighbours are ranked.
    k : int
        How many neighbours are kept for each.

    Attributes
    ----------
    keys : ndarray of float64, shape (n_rows, k)
        Small means alike; infinite where there is no neighbour.
    positions : ndarray of int64, shape (n_rows, k)
        `NOBODY` where there is none.
    tied : ndarray of int64, shape (n_rows,)
        How many more have the key of the last that is kept.
    """

    def __init__(self, n_rows: int, k: int, /) -> None:
        self.k = k
        self.keys: Floats = np.full((n_rows, k), np.inf)
        self.positions: Indices = np.full((n_rows, k), NOBODY, dtype=np.int64)
        self.tied: Indices = np.zeros(n_rows, dtype=np.int64)

    @property
    def worst(self) -> Floats:
        """The key a further neighbour must not exceed, row by row."""
        return self.keys[:, -1]

    def take(
        self, rows: Indices, positions: Indices, keys: Floats, /, *, copies: Indices | None = None
    ) -> None:
        """Take more neighbours into account, none of them known before.

        Parameters
        ----------
        rows : ndarray of int64, shape (n,)
            For which row.
        positions : ndarray of int64, shape (n,)
            Who.
        keys : ndarray of float64, shape (n,)
            Finite; small means alike.
        copies : ndarray of int64, shape (n,), optional
            How many more there are with the same key that need not be named, because k or more
            others of them are.
        """
        near = keys <= self.worst[rows]
        rows, positions, keys = rows[near], positions[near], keys[near]
        extra = np.zeros(len(rows), np.int64) if copies is None else copies[near]
        if not len(rows):
            return
        touched, row = np.unique(rows, return_inverse=True)
        known = self.positions[touched] != NOBODY
        old_row, old_rank = np.nonzero(known)
        before = self.worst[touched]
        row = np.concatenate([old_row, row])
        position = np.concatenate([self.positions[touched][old_row, old_rank], positions])
        key = np.concatenate([self.keys[touched][old_row, old_rank], keys])
        extra = np.concatenate([np.zeros(len(old_row), np.int64), extra])
        order = np.lexsort((position, key, row))
        row, position, key, extra = row[order], position[order], key[order], extra[order]
        start = np.searchsorted(row, np.arange(len(touched)))
        rank = np.arange(len(row)) - start[row]
        kept = rank < self.k
        new_keys = np.full((len(touched), self.k), np.inf)
        new_places = np.full((len(touched), self.k), NOBODY, dtype=np.int64)
        new_keys[row[kept], rank[kept]] = key[kept]
        new_places[row[kept], rank[kept]] = position[kept]
        last = new_keys[:, -1]
        equal = key == last[row]
        more = np.bincount(row, weights=np.where(equal, extra + ~kept, 0), minlength=len(touched))
        same = (last == before) & np.isfinite(last)
        self.tied[touched] = more.astype(np.int64) + np.where(same, self.tied[touched], 0)
        self.keys[touched], self.positions[touched] = new_keys, new_places
