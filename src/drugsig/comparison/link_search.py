"""`LinkSearch`: the tasks that a search for links is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.comparability import check_comparable, least_measured
from drugsig.comparison.link_rule import LinkRule
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.comparison.prepared import (
    Duplicates,
    PreparedProfiles,
    PreparedReference,
    largest_size,
)
from drugsig.comparison.search.all_pairs import GapPairs, Rectangle
from drugsig.comparison.search.pair_finder import PairFinder
from drugsig.comparison.search.tree import Indices
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["LinkSearch", "TaskLinks", "joined"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TaskLinks:
    """What one task found.

    Attributes
    ----------
    rows, columns : ndarray of int64, shape (n,)
        Positions among the profiles searched.
    scores : ndarray of float64, shape (n,)
        In the convention of the metric.
    undefined : int
        Pairs looked at that have no score.
    stands_for_duplicates : bool
        Whether a profile stands for all its copies.
    """

    rows: Indices
    columns: Indices
    scores: Floats
    undefined: int = 0
    stands_for_duplicates: bool = True


@dataclass(frozen=True, eq=False)
class LinkSearch:
    """The tasks of a search, independent of each other.

    Made by `LinkSearch.of`; run by `links` on threads, or elsewhere by tasks sent to workers.

    Attributes
    ----------
    rule : LinkRule
        What makes a link.
    same : bool
        Whether one set is compared with itself.
    n_rows, n_columns : int
        Profiles on both sides.
    finder : PairFinder
        The search among whole profiles that have a score, duplicates left out.
    rows_of, columns_of : ndarray of int64
        The profiles the search among whole profiles knows by position.
    row_duplicates, column_duplicates : Duplicates or None
        Duplicates of these profiles, by the same positions.
    linked_duplicates : tuple of ndarray
        Which of these profiles are linked with their duplicates, and by what score.
    gaps : GapPairs or None
        The pairs in which a target was not measured.
    undefined_whole : int
        Pairs of whole profiles without a score.
    row_sizes, column_sizes : ndarray of float64, shape (n,), or None
        What each profile adds to the size of its scores, see `Metric.slack`.
    """

    rule: LinkRule
    same: bool
    n_rows: int
    n_columns: int
    finder: PairFinder
    rows_of: Indices
    columns_of: Indices
    row_duplicates: Duplicates | None
    column_duplicates: Duplicates | None
    linked_duplicates: tuple[Indices, Floats]
    gaps: GapPairs | None
    undefined_whole: int
    row_sizes: Floats | None
    column_sizes: Floats | None

    @classmethod
    def of(
        cls,
        questioned: ProfileSet,
        reference: ProfileSet | None,
        /,
        *,
        metric: str | Metric,
        threshold: float,
        min_measured: int | None = None,
        across_epochs: bool = False,
        method: str = "auto",
        leaf: int | None = None,
    ) -> LinkSearch:
        """Check the profiles and plan the search; the parameters are those of `links`."""
        measure = get_metric(metric)
        limit = measure.check_threshold(threshold)
        check_comparable(questioned, reference, measure, across_epochs=across_epochs)
        p = len(questioned.targets)
        same = reference is None
        ours = PreparedProfiles.of(questioned, measure)
        theirs = ours if reference is None else PreparedProfiles.of(reference, measure)
        least = least_measured(min_measured, measure, p)
        rule = LinkRule(measure, limit, least, largest_size(ours.sizes, theirs.sizes))
        enough = p >= rule.least
        a = PreparedReference.of(ours, ours.defined(theirs, enough=enough))
        b = a if same else PreparedReference.of(theirs, theirs.defined(ours, enough=enough))
        undefined = int(b.undefined_with(a.defined, ours.whole, same=same).sum())
        gaps = None
        if not (ours.all_whole and theirs.all_whole):
            gaps = GapPairs(ours, theirs, rule, _rectangles(a, b, same=same))
        linked_duplicates = np.empty(0, np.int64), np.empty(0)
        if same and a.duplicates is not None:
            several = np.flatnonzero(a.duplicates.counts > 1)
            positions, _, scores = rule.decide(a.unique, a.unique, several, several)
            linked_duplicates = positions, scores
        return cls(
            rule=rule,
            same=same,
            n_rows=len(a),
            n_columns=len(b),
            finder=PairFinder.of(
                a.unique,
                None if same else b.unique,
                rule,
                sizes=(a.unique_sizes, b.unique_sizes),
                method=method,
                leaf=leaf,
            ),
            rows_of=a.index,
            columns_of=b.index,
            row_duplicates=a.duplicates,
            column_duplicates=b.duplicates,
            linked_duplicates=linked_duplicates,
            gaps=gaps,
            undefined_whole=undefined // 2 if same else undefined,
            row_sizes=ours.sizes,
            column_sizes=theirs.sizes,
        )

    @property
    def metric(self) -> Metric:
        """The definition of the score."""
        return self.rule.metric

    @property
    def threshold(self) -> float:
        """In the convention of the metric."""
        return self.rule.threshold

    @property
    def min_measured(self) -> int:
        """The least number of targets measured in both profiles."""
        return self.rule.least

    @property
    def comparisons(self) -> int:
        """How many pairs there are."""
        if self.same:
            return self.n_rows * (self.n_rows - 1) // 2
        return self.n_rows * self.n_columns

    @cached_property
    def _gap_tasks(self) -> list[tuple[Rectangle, int]]:
        return [] if self.gaps is None else self.gaps.tasks

    @cached_property
    def _whole_tasks(self) -> list[tuple[int, int]]:
        return self.finder.tasks

    @property
    def n_whole_tasks(self) -> int:
        """How many of the tasks, the first, are among whole profiles."""
        return len(self._whole_tasks)

    @property
    def n_tasks(self) -> int:
        """How many tasks there are."""
        return len(self._whole_tasks) + len(self._gap_tasks)

    def run(self, task: int, /, *, most: float = np.inf) -> TaskLinks:
        """Return what a task found."""
        n_whole = len(self._whole_tasks)
        if task < n_whole:
            return TaskLinks(*self.finder.find(*self._whole_tasks[task], most=most))
        if self.gaps is None:
            raise IndexError(f"there is no task {task}")
        return TaskLinks(
            *self.gaps.find(*self._gap_tasks[task - n_whole]), stands_for_duplicates=False
        )

    def weight(self, part: TaskLinks, /) -> int:
        """Return how many links a part stands for, copies counted."""
        if not part.stands_for_duplicates:
            return len(part.rows)
        times = np.ones(len(part.rows), dtype=np.int64)
        if self.row_duplicates is not None:
            times *= self.row_duplicates.counts[part.rows]
        if self.column_duplicates is not None:
            times *= self.column_duplicates.counts[part.columns]
        return int(times.sum())

    def expanded(self, part: TaskLinks, /) -> TaskLinks:
        """Return the same links between profiles, every copy in its own right."""
        rows, columns, scores = part.rows, part.columns, part.scores
        if part.stands_for_duplicates:
            if self.row_duplicates is not None:
                rows, times = self.row_duplicates.members_of(rows)
                columns, scores = np.repeat(columns, times), np.repeat(scores, times)
            if self.column_duplicates is not None:
                columns, times = self.column_duplicates.members_of(columns)
                rows, scores = np.repeat(rows, times), np.repeat(scores, times)
            rows, columns = self.rows_of[rows], self.columns_of[columns]
        if self.same:
            rows, columns = np.minimum(rows, columns), np.maximum(rows, columns)
        return TaskLinks(rows, columns, scores, part.undefined, stands_for_duplicates=False)

    @property
    def n_among_duplicates(self) -> int:
        """How many links there are between copies of one profile."""
        if self.row_duplicates is None:
            return 0
        counts = self.row_duplicates.counts[self.linked_duplicates[0]]
        return int((counts * (counts - 1) // 2).sum())

    def among_duplicates(self) -> TaskLinks:
        """Return the links between copies of one profile."""
        positions, scores = self.linked_duplicates
        if self.row_duplicates is None:
            return TaskLinks(positions, positions, scores, stands_for_duplicates=False)
        rows, columns, of = self.row_duplicates.pairs_of(positions)
        found = TaskLinks(
            self.rows_of[rows], self.rows_of[columns], scores[of], stands_for_duplicates=False
        )
        return self.expanded(found)


def joined(parts: list[TaskLinks], /) -> tuple[Indices, Indices, Floats]:
    """Return the links of all parts as rows, columns and scores."""
    return (
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def _rectangles(a: PreparedReference, b: PreparedReference, *, same: bool) -> tuple[Rectangle, ...]:
    whole_a = np.flatnonzero(a.profiles.whole)
    if same:
        return (Rectangle(a.gaps, whole_a), Rectangle(a.gaps, a.gaps, once=True))
    return (Rectangle(a.gaps, np.arange(len(b))), Rectangle(whole_a, b.gaps))
