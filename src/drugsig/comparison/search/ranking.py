"""`Ranking`: the k most alike of every profile, kept while more of them are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.search.tree import Indices
from drugsig.comparison.ties import begins

__all__ = ["NOBODY", "REACH", "Ranked", "Ranking"]

Floats = NDArray[np.float64]

# One neighbour that is kept: for which row, who, its key and slack, and how many more there are of
# it that need not be named.
Entries = NDArray[Any]
_ENTRY = np.dtype(
    [("row", "i8"), ("position", "i8"), ("key", "f8"), ("slack", "f8"), ("extra", "i8")]
)

# The position that stands for no neighbour.
NOBODY = -1

# How many slacks beyond the k-th neighbour others are kept, to be tied with it through one another.
REACH = 8.0


@dataclass(frozen=True, eq=False)
class Ranked:
    """The k best of every row.

    Attributes
    ----------
    keys : ndarray of float64, shape (n_rows, k)
        Small means alike; infinite where there is no neighbour.
    positions : ndarray of int64, shape (n_rows, k)
        `NOBODY` where there is none. Equal keys are ordered by position, also where rounding tells
        them apart.
    tied : ndarray of int64, shape (n_rows,)
        How many more are equal to the last that is listed.
    """

    keys: Floats
    positions: Indices
    tied: Indices

    @classmethod
    def nobody(cls, n_rows: int, k: int, /) -> Ranked:
        """Return rows without neighbours, to be filled."""
        return cls(
            np.full((n_rows, k), np.inf),
            np.full((n_rows, k), NOBODY, dtype=np.int64),
            np.zeros(n_rows, dtype=np.int64),
        )

    def put(self, rows: Indices | NDArray[np.bool_], found: Ranked, /) -> None:
        """Fill some rows, in place."""
        self.keys[rows], self.positions[rows], self.tied[rows] = (
            found.keys,
            found.positions,
            found.tied,
        )


class Ranking:
    """Everybody who may be among the k best of every row, or equal to the last of them.

    Parameters
    ----------
    n_rows : int
        Profiles whose neighbours are ranked.
    k : int
        How many neighbours are wanted of each.

    Attributes
    ----------
    worst : ndarray of float64, shape (n_rows,)
        What the key of a further neighbour, less `REACH` of its slacks, must not exceed.
    entries : ndarray
        Those who are kept.
    """

    def __init__(self, n_rows: int, k: int, /) -> None:
        self.k = k
        self.n_rows = n_rows
        self.worst: Floats = np.full(n_rows, np.inf)
        # By row, then by key.
        self.entries: Entries = np.empty(0, _ENTRY)

    def take(
        self,
        rows: Indices,
        positions: Indices,
        keys: Floats,
        slack: Floats,
        /,
        *,
        copies: Indices | None = None,
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
        slack : ndarray of float64, shape (n,) or one number
            How far a key and one that is equal may seem to differ.
        copies : ndarray of int64, shape (n,), optional
            How many more there are with the same key that need not be named, because k or more
            others of them are.
        """
        near = np.flatnonzero(keys - REACH * slack <= self.worst[rows])
        new = np.zeros(len(near), _ENTRY)
        new["row"], new["position"], new["key"] = rows[near], positions[near], keys[near]
        new["slack"] = slack if slack.ndim == 0 else slack[near]
        if copies is not None:
            new["extra"] = copies[near]
        self.take_entries(new)

    def take_entries(self, new: Entries, /) -> None:
        """Take more neighbours into account that another ranking has kept.

        Parameters
        ----------
        new : ndarray
            Like `entries`.
        """
        if not len(new):
            return
        touched = np.zeros(self.n_rows, dtype=bool)
        touched[new["row"]] = True
        again = touched[self.entries["row"]]
        found = np.concatenate([self.entries[again], new])
        found = found[np.lexsort((found["position"], found["slack"], found["key"], found["row"]))]
        row, key, slack = found["row"], found["key"], found["slack"]
        last = np.flatnonzero(_ranks(row) == self.k - 1)
        self.worst[row[last]] = key[last] + REACH * slack[last]
        kept = key - REACH * slack <= self.worst[row]
        # Of those that are the same in all but their position, more than k need not be named.
        first = np.ones(len(row), dtype=bool)
        first[1:] = (row[1:] != row[:-1]) | (key[1:] != key[:-1]) | (slack[1:] != slack[:-1])
        run, start = np.cumsum(first) - 1, np.flatnonzero(first)
        unnamed = np.flatnonzero(kept & (np.arange(len(row)) - start[run] >= self.k))
        if len(unnamed):
            stands = start[run[unnamed]] + self.k - 1
            np.add.at(found["extra"], stands, 1 + found["extra"][unnamed])
            kept[unnamed] = False
        found = found[kept]
        if not again.all():
            found = np.concatenate([self.entries[~again], found])
            found = found[np.argsort(found["row"], kind="stable")]
        self.entries = found

    def ranked(self, k: int, /) -> tuple[Ranked, NDArray[np.bool_]]:
        """Return the k best of every row, no more than were kept, and the rows it cannot tell.

        In these, one who was not kept may be equal to the last that is listed, through others
        between them; keeping more neighbours tells.
        """
        out = Ranked.nobody(self.n_rows, k)
        unsure = np.zeros(self.n_rows, dtype=bool)
        if not len(self.entries):
            return out, unsure
        begin, end = _classes(self.entries)
        number = np.cumsum(begin)
        order = np.lexsort((self.entries["position"], number, self.entries["row"]))
        found, number, end = self.entries[order], number[order], end[order]
        row = np.ascontiguousarray(found["row"])
        rank = _ranks(row)
        shown = rank < k
        out.keys[row[shown], rank[shown]] = found["key"][shown]
        out.positions[row[shown], rank[shown]] = found["position"][shown]
        last = np.flatnonzero(rank == k - 1)
        of_last = np.full(self.n_rows, -1, dtype=np.int64)
        of_last[row[last]] = number[last]
        more = np.where(number == of_last[row], found["extra"] + ~shown, 0)
        out.tied[:] = np.bincount(row, weights=more, minlength=self.n_rows).astype(np.int64)
        # The interval of one who was not kept begins beyond.
        unsure[row[last]] = end[last] > self.worst[row[last]]
        return out, unsure


def _ranks(row: Indices) -> Indices:
    """Return the position of every entry in its row, rows being in order."""
    starts = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    return np.arange(len(row)) - np.repeat(starts, np.diff(np.append(starts, len(row))))


def _classes(entries: Entries) -> tuple[NDArray[np.bool_], Floats]:
    """Return where a class of equal keys begins, and how far that of each reaches."""
    row, key, slack = (np.ascontiguousarray(entries[name]) for name in ("row", "key", "slack"))
    starts = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    stops = np.append(starts[1:], len(row))
    widest = np.repeat(np.maximum.reduceat(slack, starts), stops - starts)
    begin = np.ones(len(row), dtype=bool)
    begin[1:] = np.diff(key) > widest[1:]
    begin[starts] = True
    # Where all are as wide that is the class; otherwise two that are close need not meet.
    mixed = np.zeros(len(row), dtype=bool)
    mixed[1:] = ~begin[1:] & ((slack != widest)[1:] | (slack != widest)[:-1])
    for r in np.unique(np.searchsorted(starts, np.flatnonzero(mixed), side="right") - 1):
        part = slice(starts[r], stops[r])
        begin[part] = begins(key[part], slack[part])
    first = np.flatnonzero(begin)
    reach = np.maximum.reduceat(key + slack / 2.0, first)
    return begin, np.repeat(reach, np.diff(np.append(first, len(row))))
