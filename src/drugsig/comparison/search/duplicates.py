"""Profiles that are the same to the last bit: searched once, and counted before they are listed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Copies", "find_copies"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@dataclass(frozen=True, eq=False)
class Copies:
    """Which profiles are copies of which.

    Attributes
    ----------
    members : ndarray of int64, shape (n,)
        All profiles, copies next to each other.
    starts : ndarray of int64, shape (n_unlike + 1,)
        Where the copies of one start in `members`, and the end; the first of them stands for all.
    """

    members: Places
    starts: Places

    @property
    def first(self) -> Places:
        """One profile for all that are the same."""
        return self.members[self.starts[:-1]]

    @property
    def counts(self) -> Places:
        """How many there are of each."""
        return np.diff(self.starts)

    def members_of(self, places: Places, /) -> tuple[Places, Places]:
        """Return all copies of these, one after another, and how many each has."""
        times = self.counts[places]
        first = self.starts[:-1][places]
        steps = np.arange(int(times.sum())) - np.repeat(np.cumsum(times) - times, times)
        return self.members[np.repeat(first, times) + steps], times


def find_copies(columns: Floats, /) -> Copies | None:
    """Find the profiles that are the same to the last bit; None if all are unlike.

    Parameters
    ----------
    columns : ndarray of float64, shape (p, n)
        One profile a column.

    Notes
    -----
    Profiles are sorted by a hash and neighbours compared in full. Two unlike profiles of one hash
    may hide a copy, which then is searched like any other: no link depends on the hash.
    """
    n = columns.shape[1]
    hashes = np.zeros(n, dtype=np.uint64)
    for row in columns:
        # Adding 0.0 makes the two zeros one.
        hashes ^= (np.ascontiguousarray(row) + 0.0).view(np.uint64)
        hashes *= _MIX
        hashes ^= hashes >> _SHIFT
    members = np.argsort(hashes, kind="stable").astype(np.int64)
    placed = hashes[members]
    new = np.ones(n, dtype=bool)
    alike = np.flatnonzero(placed[1:] == placed[:-1]) + 1
    if not len(alike):
        return None
    same = (columns[:, members[alike]] == columns[:, members[alike - 1]]).all(axis=0)
    new[alike[same]] = False
    if new.all():
        return None
    return Copies(members, np.append(np.flatnonzero(new), n).astype(np.int64))
