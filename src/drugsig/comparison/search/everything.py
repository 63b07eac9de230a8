"""Every pair by the definition: for kernels that name no space, and for profiles with gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.compiled_forms import block_values, compiled_form
from drugsig.comparison.metrics import Metric
from drugsig.comparison.search.gap_products import GapProducts
from drugsig.comparison.search.tree import Places
from drugsig.comparison.sides import Side, score_parts

__all__ = ["Everything", "GapPairs", "Rectangle"]

Floats = NDArray[np.float64]

# Profiles of one side in a task, and scores formed at a time.
_ROWS = 64
_BLOCK = 32_768

# Pairs with gaps that products are formed for at a time.
_SIFTED = 262_144


@dataclass(frozen=True, eq=False)
class Everything:
    """All pairs of whole profiles, of which those that meet the threshold are proposed.

    Parameters
    ----------
    a, b : ndarray of float64, shape (rows, n)
        Ready profiles.
    metric : Metric
        The definition of the score.
    threshold : float
        In the convention of the metric.
    same : bool
        Whether both sides are one set, of which each pair is wanted once.
    """

    a: Floats
    b: Floats
    metric: Metric
    threshold: float
    same: bool

    @property
    def n_tasks(self) -> int:
        """One a few profiles."""
        return -(-int(self.a.shape[1]) // _ROWS)

    def propose(self, task: int, /) -> Iterator[tuple[Places, Places]]:
        """Yield pairs, as places in the two sets of profiles."""
        n, m = self.a.shape[1], self.b.shape[1]
        form = compiled_form(self.metric, n * m)
        first = task * _ROWS
        rows = slice(first, min(first + _ROWS, n))
        step = max(1, _BLOCK // (rows.stop - first))
        for begin in range(first if self.same else 0, m, step):
            columns = slice(begin, min(begin + step, m))
            values = block_values(self.a, self.b, rows, columns, self.metric, form)
            scores = self.metric.convert(values)
            row, column = np.nonzero(self.metric.meets(scores, self.threshold))
            row, column = row + first, column + begin
            if self.same:
                once = column > row
                row, column = row[once], column[once]
            if len(row):
                yield row, column


@dataclass(frozen=True, eq=False)
class Rectangle:
    """Pairs of every profile of one list with every one of another.

    Parameters
    ----------
    rows, columns : ndarray of int64
        Places in the two sets.
    once : bool
        Whether both lists are the same, and each pair is wanted once.
    """

    rows: Places
    columns: Places
    once: bool = False


@dataclass(frozen=True, eq=False)
class GapPairs:
    """All pairs in which a profile has a target that was not measured.

    Parameters
    ----------
    a, b : Side
        Both sides.
    metric : Metric
        The definition of the score.
    threshold : float
        In the convention of the metric.
    least : int
        The least number of targets measured in both.
    rectangles : tuple of Rectangle
        Which pairs.
    """

    a: Side
    b: Side
    metric: Metric
    threshold: float
    least: int
    rectangles: tuple[Rectangle, ...]

    @property
    def tasks(self) -> list[tuple[Rectangle, int]]:
        """A few rows of a rectangle each."""
        return [
            (rectangle, first)
            for rectangle in self.rectangles
            for first in range(0, len(rectangle.rows), _ROWS)
        ]

    def find(self, rectangle: Rectangle, first: int, /) -> tuple[Places, Places, Floats, int]:
        """Return rows, columns and scores of the links of a task, and its undefined pairs."""
        rows = rectangle.rows[first : first + _ROWS]
        products = GapProducts.of(self.metric, self.threshold, self.least)
        step = max(1, (_BLOCK if products is None else _SIFTED) // len(rows))
        found: list[tuple[Places, Places, Floats]] = []
        undefined = 0
        for begin in range(first if rectangle.once else 0, len(rectangle.columns), step):
            columns = rectangle.columns[begin : begin + step]
            wanted = np.ones((len(rows), len(columns)), dtype=bool)
            if rectangle.once:
                wanted = np.arange(first, first + len(rows))[:, None] < np.arange(
                    begin, begin + len(columns)
                )
            if products is None:
                scores = self._score((rows, None), (None, columns))
                undefined += int((np.isnan(scores) & wanted).sum())
                row, column = np.nonzero(self.metric.meets(scores, self.threshold) & wanted)
                found.append((rows[row], columns[column], scores[row, column]))
                continue
            ours, theirs = self.a.prepared_at(rows), self.b.prepared_at(columns)
            possible, short = products.sift(*ours, *theirs)
            undefined += int((short & wanted).sum())
            row, column = np.nonzero(possible & wanted)
            for part in range(0, len(row), _BLOCK):
                i, j = rows[row[part : part + _BLOCK]], columns[column[part : part + _BLOCK]]
                scores = self._score((i,), (j,))
                undefined += int(np.isnan(scores).sum())
                links = self.metric.meets(scores, self.threshold)
                found.append((i[links], j[links], scores[links]))
        return (
            np.concatenate([f[0] for f in found] or [np.empty(0, np.int64)]),
            np.concatenate([f[1] for f in found] or [np.empty(0, np.int64)]),
            np.concatenate([f[2] for f in found] or [np.empty(0)]),
            undefined,
        )

    def _score(self, rows: tuple[Any, ...], columns: tuple[Any, ...]) -> Floats:
        left, right = self.a.partial_at(*rows), self.b.partial_at(*columns)
        return score_parts(left, right, self.metric, self.least, len(self.a.measured))
