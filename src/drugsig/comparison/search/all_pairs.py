"""Every pair by the definition: for kernels that name no space, and for profiles with gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison import kernels
from drugsig.comparison.fast_forms import block_values, compiled_form
from drugsig.comparison.link_rule import LinkRule
from drugsig.comparison.prepared import PreparedProfiles, score_profiles
from drugsig.comparison.search.tree import Indices

__all__ = ["AllPairs", "GapPairs", "GapProducts", "Rectangle"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Profiles of one side in a task, and scores formed at a time.
_ROWS = 64
_BLOCK = 32_768

# Pairs with gaps that products are formed for at a time.
_SIFTED = 262_144

# Sums over the targets measured in both lose digits where they nearly cancel. Where less than this
# share of a sum of squares is left after centring, or less than this of the largest value, which is
# about 1, the definition is asked.
_LEFT = 1e-6
_LEAST_SQUARES = 1e-20

# How far a correlation or cosine by products may be off. Sums of p products are off by p u of their
# size, u = 1e-16, which is at most 1e6 times as much of what centring leaves: 3e-8 for 300 targets.
_MARGIN = 1e-6


def _itself(values: Floats) -> Floats:
    return values


# The second form of a kernel, whether it centres, and its value from the correlation or cosine.
_FORMS: tuple[tuple[Callable[..., object], bool, Callable[[Floats], Floats]], ...] = (
    (kernels.PEARSON.masked, True, _itself),
    (kernels.COSINE.masked, False, _itself),
    (kernels.SQUARED_COSINE.masked, False, np.square),
)


@dataclass(frozen=True, eq=False)
class AllPairs:
    """All pairs of whole profiles, of which those that may meet the threshold are proposed.

    Parameters
    ----------
    a, b : ndarray of float64, shape (rows, n)
        Transformed profiles.
    rule : LinkRule
        What makes a link.
    same : bool
        Whether both sides are one set, of which each pair is wanted once.
    """

    a: Floats
    b: Floats
    rule: LinkRule
    same: bool

    @property
    def n_tasks(self) -> int:
        """One a few profiles."""
        return -(-int(self.a.shape[1]) // _ROWS)

    def propose(self, task: int, /) -> Iterator[tuple[Indices, Indices]]:
        """Yield pairs, as positions in the two sets of profiles."""
        n, m = self.a.shape[1], self.b.shape[1]
        metric = self.rule.metric
        form = compiled_form(metric, n * m)
        first = task * _ROWS
        rows = slice(first, min(first + _ROWS, n))
        step = max(1, _BLOCK // (rows.stop - first))
        for begin in range(first if self.same else 0, m, step):
            columns = slice(begin, min(begin + step, m))
            scores = metric.convert(block_values(self.a, self.b, rows, columns, metric, form))
            row, column = np.nonzero(self.rule.may_meet(scores))
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
        Positions in the two sets.
    once : bool
        Whether both lists are the same, and each pair is wanted once.
    """

    rows: Indices
    columns: Indices
    once: bool = False


@dataclass(frozen=True, eq=False)
class GapPairs:
    """All pairs in which a profile has a target that was not measured.

    Parameters
    ----------
    a, b : PreparedProfiles
        Both sides.
    rule : LinkRule
        What makes a link.
    rectangles : tuple of Rectangle
        Which pairs.
    """

    a: PreparedProfiles
    b: PreparedProfiles
    rule: LinkRule
    rectangles: tuple[Rectangle, ...]

    @property
    def tasks(self) -> list[tuple[Rectangle, int]]:
        """A few rows of a rectangle each."""
        return [
            (rectangle, first)
            for rectangle in self.rectangles
            for first in range(0, len(rectangle.rows), _ROWS)
        ]

    def find(self, rectangle: Rectangle, first: int, /) -> tuple[Indices, Indices, Floats, int]:
        """Return rows, columns and scores of the links of a task, and its undefined pairs."""
        rows = rectangle.rows[first : first + _ROWS]
        products = GapProducts.of(self.rule)
        step = max(1, (_BLOCK if products is None else _SIFTED) // len(rows))
        found: list[tuple[Indices, Indices, Floats]] = []
        undefined = 0
        for begin in range(first if rectangle.once else 0, len(rectangle.columns), step):
            columns = rectangle.columns[begin : begin + step]
            wanted = np.ones((len(rows), len(columns)), dtype=bool)
            if rectangle.once:
                wanted = np.arange(first, first + len(rows))[:, None] < np.arange(
                    begin, begin + len(columns)
                )
            possible, without = self._possible(rows, columns, products)
            undefined += int((without & wanted).sum())
            row, column = np.nonzero(possible & wanted)
            for part in range(0, len(row), _BLOCK):
                i, j = rows[row[part : part + _BLOCK]], columns[column[part : part + _BLOCK]]
                links, missing = self.rule.decide_partial(self.a, self.b, i, j)
                undefined += missing
                found.append(links)
        return (
            np.concatenate([f[0] for f in found] or [np.empty(0, np.int64)]),
            np.concatenate([f[1] for f in found] or [np.empty(0, np.int64)]),
            np.concatenate([f[2] for f in found] or [np.empty(0)]),
            undefined,
        )

    def _possible(
        self, rows: Indices, columns: Indices, products: GapProducts | None
    ) -> tuple[Mask, Mask]:
        """Say which pairs have to be decided about, and which are known to have no score."""
        a, b = self.a, self.b
        if products is not None:
            return products.sift(
                a.values[:, rows], a.measured[:, rows], b.values[:, columns], b.measured[:, columns]
            )
        scores = score_profiles(
            a.partial_at(rows, None),
            b.partial_at(None, columns),
            self.rule.metric,
            self.rule.least,
            a.n_targets,
        )
        return self.rule.may_meet(scores), np.isnan(scores)


@dataclass(frozen=True, eq=False)
class GapProducts:
    """Tells which pairs of profiles with gaps can be links.

    Parameters
    ----------
    centred : bool
        Whether profiles are centred on the targets that are used.
    value : callable
        From the correlation or cosine to the kernel's value.
    limit : float
        The kernel's value of a link.
    least : int
        The least number of targets measured in both.
    """

    centred: bool
    value: Callable[[Floats], Floats]
    limit: float
    least: int

    @classmethod
    def of(cls, rule: LinkRule, /) -> GapProducts | None:
        """Return the products for a metric, or None where its scores do not follow from any."""
        form = next((f for f in _FORMS if f[0] is rule.metric.kernel.masked), None)
        if form is None:
            return None
        return cls(form[1], form[2], rule.value, rule.least)

    def sift(
        self, values_a: Floats, measured_a: Mask, values_b: Floats, measured_b: Mask, /
    ) -> tuple[Mask, Mask]:
        """Say which pairs have to be scored, and which have too few targets for a score.

        Parameters
        ----------
        values_a, values_b : ndarray of float64, shape (p, n) and (p, m)
            Prepared profiles of both sides, the largest value of each about 1.
        measured_a, measured_b : ndarray of bool, of the same shapes
            Which cells were measured.

        Returns
        -------
        possible, short : ndarray of bool, shape (n, m)
            All others have a score, and are no links.
        """
        a, b = np.where(measured_a, values_a, 0.0), np.where(measured_b, values_b, 0.0)
        used_a, used_b = measured_a.astype(np.float64), measured_b.astype(np.float64)
        count = used_a.T @ used_b
        total = a.T @ b
        squares_a, squares_b = (a * a).T @ used_b, used_a.T @ (b * b)
        sure = (squares_a > _LEAST_SQUARES) & (squares_b > _LEAST_SQUARES)
        if self.centred:
            sum_a, sum_b = a.T @ used_b, used_a.T @ b
            total = count * total - sum_a * sum_b
            left_a, left_b = count * squares_a - sum_a**2, count * squares_b - sum_b**2
            sure &= (left_a > _LEFT * count * squares_a) & (left_b > _LEFT * count * squares_b)
            squares_a, squares_b = left_a, left_b
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.value(total / np.sqrt(squares_a * squares_b))
        short = count < self.least
        return ~short & ~(sure & (found < self.limit - _MARGIN)), short
