"""Distances between listed rows of a profile set, by the definition of the metric."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import PreparedProfiles, score_profiles
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["RowScores", "all_pairs"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# Scores computed at a time; intermediate arrays of this many float64 stay in the processor's cache.
BLOCK = 32_768
_WIDE = 2_048


class RowScores:
    """Scores of pairs of rows, as `drugsig.comparison.score_pairs` defines them.

    A part of the profiles is prepared at a time, so that a million of them are never held twice.

    Parameters
    ----------
    profiles : ProfileSet
        Those the links are between.
    metric : Metric
        How they are scored.
    least : int
        The least number of targets measured in both profiles.
    """

    def __init__(self, profiles: ProfileSet, metric: Metric, least: int, /) -> None:
        self._values = profiles.values
        self._measured = profiles.measured
        self._metric = metric
        self._least = least

    def part(self, rows: Places, /) -> PreparedProfiles:
        """Return these profiles prepared."""
        return PreparedProfiles(self._values[rows], self._measured[rows], self._metric)

    def scores(
        self, a: PreparedProfiles, i: tuple[Any, ...], b: PreparedProfiles, j: tuple[Any, ...], /
    ) -> Floats:
        """Score places `i` of one part against places `j` of another; the axes broadcast.

        A place is an index of the axes after the first. NaN where undefined.
        """
        both_whole = a.all_whole and b.all_whole
        first = a.at(*i) if both_whole else a.partial_at(*i)
        second = b.at(*j) if both_whole else b.partial_at(*j)
        return score_profiles(first, second, self._metric, self._least, a.n_targets)

    def listed(self, part: PreparedProfiles, rows: Places, columns: Places, /) -> Floats:
        """Return the distances of listed pairs of places in a part, shape (n_pairs,)."""
        out = np.empty(len(rows))
        for first in range(0, len(rows), BLOCK):
            some = slice(first, first + BLOCK)
            found = self.scores(part, (rows[some],), part, (columns[some],))
            out[some] = self._metric.as_distance(found)
        return out

    def upper(self, part: PreparedProfiles, /) -> Floats:
        """Return the distances of all pairs in a part, condensed as scipy wants them."""
        m = len(part)
        out = np.empty(m * (m - 1) // 2)
        wide = min(m, _WIDE)
        tall = max(1, BLOCK // max(1, wide))
        for top in range(0, m, tall):
            bottom = min(top + tall, m)
            for left in range(top, m, wide):
                right = min(left + wide, m)
                found = self.scores(
                    part, (slice(top, bottom), None), part, (None, slice(left, right))
                )
                block = self._metric.as_distance(found)
                for row in range(top, bottom):
                    start = max(left, row + 1)
                    place = row * m - row * (row + 1) // 2 - row - 1
                    out[place + start : place + right] = block[row - top, start - left :]
        return out


def all_pairs(sizes: Places, /) -> tuple[Places, Places]:
    """Return all pairs within components that stand one after another.

    Parameters
    ----------
    sizes : ndarray of int, shape (n_components,)
        How many profiles each has.

    Returns
    -------
    rows, columns : ndarray of int, shape (n_pairs,)
        Places of profiles; the pairs of one component after those of the one before, and in the
        order scipy condenses them in.
    """
    stops = np.repeat(np.cumsum(sizes), sizes)
    after = stops - np.arange(len(stops)) - 1
    rows = np.repeat(np.arange(len(stops), dtype=np.intp), after)
    starts = np.cumsum(after) - after
    return rows, rows + 1 + np.arange(len(rows)) - np.repeat(starts, after)
