"""`LinkSearch`: the tasks that a search for links is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.admission import admit, least_measured
from drugsig.comparison.definedness import Definedness
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.comparison.search.duplicates import Copies, find_copies
from drugsig.comparison.search.everything import GapPairs, Rectangle
from drugsig.comparison.search.tree import Places
from drugsig.comparison.search.whole_pairs import WholePairs
from drugsig.comparison.sides import Side
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["LinkSearch", "Part", "joined"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """What one task found.

    Attributes
    ----------
    rows, columns : ndarray of int64, shape (n,)
        Places among the profiles searched.
    scores : ndarray of float64, shape (n,)
        In the convention of the metric.
    undefined : int
        Pairs looked at that have no score.
    stands_for_copies : bool
        Whether a profile stands for all its copies.
    """

    rows: Places
    columns: Places
    scores: Floats
    undefined: int = 0
    stands_for_copies: bool = True


@dataclass(frozen=True, eq=False)
class LinkSearch:
    """The tasks of a search, independent of each other.

    Made by `LinkSearch.of`; run by `links` on threads, or elsewhere by tasks sent to workers.

    Attributes
    ----------
    metric : Metric
        The definition of the score.
    threshold : float
        In the convention of the metric.
    min_measured : int
        The least number of targets measured in both profiles.
    same : bool
        Whether one set is compared with itself.
    n_rows, n_columns : int
        Profiles on both sides.
    whole : WholePairs
        The search among whole profiles, copies left out.
    rows_of, columns_of : ndarray of int64
        The profiles the search among whole profiles knows by place.
    row_copies, column_copies : Copies or None
        Copies of these profiles, by the same places.
    gaps : GapPairs or None
        The pairs in which a target was not measured.
    undefined_whole : int
        Pairs of whole profiles without a score.
    """

    metric: Metric
    threshold: float
    min_measured: int
    same: bool
    n_rows: int
    n_columns: int
    whole: WholePairs
    rows_of: Places
    columns_of: Places
    row_copies: Copies | None
    column_copies: Copies | None
    gaps: GapPairs | None
    undefined_whole: int

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
        admit(questioned, reference, measure, across_epochs=across_epochs)
        p = len(questioned.targets)
        least = least_measured(min_measured, measure, p)
        same = reference is None
        a = Side(questioned, measure)
        b = a if reference is None else Side(reference, measure)
        ours = Definedness.of(a, b, measure, enough=p >= least)
        theirs = ours if same else Definedness.of(b, a, measure, enough=p >= least)
        undefined = _undefined(a, b, ours, theirs, same=same)
        ready_a, rows_of, row_copies = _unlike(a.ready, ours.usable)
        ready_b, columns_of, column_copies = (
            (None, rows_of, row_copies) if same else _unlike(b.ready, theirs.usable)
        )
        gaps = None
        if not (a.all_whole and b.all_whole):
            gaps = GapPairs(a, b, measure, limit, least, _rectangles(a, b, same=same))
        return cls(
            metric=measure,
            threshold=limit,
            min_measured=least,
            same=same,
            n_rows=len(a),
            n_columns=len(b),
            whole=WholePairs.of(ready_a, ready_b, measure, limit, method=method, leaf=leaf),
            rows_of=rows_of,
            columns_of=columns_of,
            row_copies=row_copies,
            column_copies=column_copies,
            gaps=gaps,
            undefined_whole=undefined,
        )

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
        return self.whole.tasks

    @property
    def n_whole_tasks(self) -> int:
        """How many of the tasks, the first, are among whole profiles."""
        return len(self._whole_tasks)

    @property
    def n_tasks(self) -> int:
        """How many tasks there are."""
        return len(self._whole_tasks) + len(self._gap_tasks)

    def run(self, task: int, /, *, most: float = np.inf) -> Part:
        """Return what a task found."""
        n_whole = len(self._whole_tasks)
        if task < n_whole:
            return Part(*self.whole.find(*self._whole_tasks[task], most=most))
        if self.gaps is None:
            raise IndexError(f"there is no task {task}")
        return Part(*self.gaps.find(*self._gap_tasks[task - n_whole]), stands_for_copies=False)

    def weight(self, part: Part, /) -> int:
        """Return how many links a part stands for, copies counted."""
        if not part.stands_for_copies:
            return len(part.rows)
        ours = 1 if self.row_copies is None else self.row_copies.counts[part.rows]
        theirs = 1 if self.column_copies is None else self.column_copies.counts[part.columns]
        return int(np.sum(np.ones(len(part.rows), dtype=np.int64) * ours * theirs))

    def expanded(self, part: Part, /) -> Part:
        """Return the same links between profiles, every copy in its own right."""
        if not part.stands_for_copies:
            rows, columns, scores = part.rows, part.columns, part.scores
        else:
            rows, columns, scores = part.rows, part.columns, part.scores
            if self.row_copies is not None:
                rows, times = self.row_copies.members_of(rows)
                columns, scores = np.repeat(columns, times), np.repeat(scores, times)
            if self.column_copies is not None:
                columns, times = self.column_copies.members_of(columns)
                rows, scores = np.repeat(rows, times), np.repeat(scores, times)
            rows, columns = self.rows_of[rows], self.columns_of[columns]
        if self.same:
            rows, columns = np.minimum(rows, columns), np.maximum(rows, columns)
        return Part(rows, columns, scores, part.undefined, stands_for_copies=False)

    @cached_property
    def _linked_copies(self) -> tuple[Places, Floats]:
        """Which profiles are linked with their copies, and by what score."""
        if not self.same or self.row_copies is None:
            return np.empty(0, np.int64), np.empty(0)
        several = np.flatnonzero(self.row_copies.counts > 1)
        places, _, scores = self.whole.decide(several, several)
        return places, scores

    @property
    def n_among_copies(self) -> int:
        """How many links there are between copies of one profile."""
        if self.row_copies is None:
            return 0
        counts = self.row_copies.counts[self._linked_copies[0]]
        return int((counts * (counts - 1) // 2).sum())

    def among_copies(self) -> Part:
        """Return the links between copies of one profile."""
        places, scores = self._linked_copies
        if self.row_copies is None or not len(places):
            return Part(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        members, times = self.row_copies.members_of(places)
        of, score = np.repeat(np.arange(len(places)), times), np.repeat(scores, times)
        # Every copy with those after it.
        place = np.arange(len(members)) - np.searchsorted(of, of)
        later = times[of] - 1 - place
        first = np.repeat(np.arange(len(members)), later)
        steps = np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
        rows, columns = members[first], members[first + 1 + steps]
        rows, columns = self.rows_of[rows], self.rows_of[columns]
        return Part(
            np.minimum(rows, columns),
            np.maximum(rows, columns),
            score[first],
            stands_for_copies=False,
        )


def joined(parts: list[Part], /) -> tuple[Places, Places, Floats]:
    """Return the links of all parts as rows, columns and scores."""
    return (
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def _unlike(ready: Floats, usable: NDArray[np.bool_]) -> tuple[Floats, Places, Copies | None]:
    """Return usable profiles, copies left out, where they come from, and the copies."""
    places = np.flatnonzero(usable)
    kept = ready if len(places) == len(usable) else ready[:, places]
    copies = find_copies(kept)
    if copies is not None:
        kept = kept[:, copies.first]
    return kept, places, copies


def _undefined(a: Side, b: Side, ours: Definedness, theirs: Definedness, *, same: bool) -> int:
    """Count pairs of whole profiles without a score."""
    whole_a, whole_b = int(a.whole.sum()), int(b.whole.sum())
    n_a, n_b = int(ours.usable.sum()), int(theirs.usable.sum())
    empty_a, empty_b = int(ours.empty.sum()), int(theirs.empty.sum())
    if same:
        without = n_a * (n_a - 1) // 2 - empty_a * (empty_a - 1) // 2
        return whole_a * (whole_a - 1) // 2 - without
    return whole_a * whole_b - (n_a * n_b - empty_a * empty_b)


def _rectangles(a: Side, b: Side, *, same: bool) -> tuple[Rectangle, ...]:
    gaps_a, whole_a = np.flatnonzero(~a.whole), np.flatnonzero(a.whole)
    if same:
        return (Rectangle(gaps_a, whole_a), Rectangle(gaps_a, gaps_a, once=True))
    gaps_b = np.flatnonzero(~b.whole)
    return (Rectangle(gaps_a, np.arange(len(b))), Rectangle(whole_a, gaps_b))
