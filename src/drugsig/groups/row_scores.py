"""Distances between listed rows of a profile set, by the definition of the metric."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric
from drugsig.comparison.sides import score_parts
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["Part", "RowScores", "all_pairs"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# Scores computed at a time; intermediate arrays of this many float64 stay in the processor's cache.
BLOCK = 32_768
_WIDE = 2_048


@dataclass(frozen=True, eq=False)
class Part:
    """Some profiles, target first, prepared for a metric; `whole` where all was measured."""

    values: Floats
    measured: NDArray[np.bool_]
    ready: Floats
    whole: bool

    def __len__(self) -> int:
        return int(self.ready.shape[1])

    def at(self, *places: Any) -> tuple[Floats | None, NDArray[np.bool_] | None, Floats]:
        """Return what is needed of the profiles at these places of the other axes."""
        index = (slice(None), *places)
        if self.whole:
            return None, None, self.ready[index]
        return self.values[index], self.measured[index], self.ready[index]


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

    def part(self, rows: Places, /) -> Part:
        """Return these profiles prepared."""
        kernel = self._metric.kernel
        measured = np.ascontiguousarray(self._measured[rows].T)
        values = np.ascontiguousarray(self._values[rows].T)
        values[~measured] = np.nan
        values = np.ascontiguousarray(kernel.prepare(values))
        whole = measured.all(axis=0)
        made = kernel.ready(values[:, whole])
        if whole.all():
            return Part(values, measured, np.ascontiguousarray(made), whole=True)
        ready = np.full((len(made), len(rows)), np.nan)
        ready[:, whole] = made
        return Part(values, measured, ready, whole=False)

    def scores(self, a: Part, i: tuple[Any, ...], b: Part, j: tuple[Any, ...], /) -> Floats:
        """Score places `i` of one part against places `j` of another; the axes broadcast.

        A place is an index of the axes after the first. NaN where undefined.
        """
        if a.whole != b.whole:
            a, b = replace(a, whole=False), replace(b, whole=False)
        p = self._values.shape[1]
        return score_parts(a.at(*i), b.at(*j), self._metric, self._least, p)

    def listed(self, part: Part, rows: Places, columns: Places, /) -> Floats:
        """Return the distances of listed pairs of places in a part, shape (n_pairs,)."""
        out = np.empty(len(rows))
        for first in range(0, len(rows), BLOCK):
            some = slice(first, first + BLOCK)
            found = self.scores(part, (rows[some],), part, (columns[some],))
            out[some] = self._metric.as_distance(found)
        return out

    def upper(self, part: Part, /) -> Floats:
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
