"""`links`: every pair of profiles that meets a threshold, and no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from drugsig._check import warn
from drugsig.comparison.admission import admit, least_measured
from drugsig.comparison.definedness import Definedness
from drugsig.comparison.links import Links, checked_rate, links_of
from drugsig.comparison.metrics import DEFAULT_METRIC, Metric, get_metric
from drugsig.comparison.search.duplicates import Copies, find_copies
from drugsig.comparison.search.everything import GapPairs, Rectangle
from drugsig.comparison.search.running import how_many_workers, run_tasks
from drugsig.comparison.search.tree import Places
from drugsig.comparison.search.whole_pairs import WholePairs
from drugsig.comparison.sides import Side
from drugsig.errors import InputError, SizeError, UndefinedScoreWarning
from drugsig.profiles.profile_set import ProfileSet

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["BYTES_A_LINK", "LINKS_LIMIT_BYTES", "Budget", "LinkSearch", "Part", "joined", "links"]

Floats = NDArray[np.float64]

# What links may take unless more is allowed: 25 million of them.
LINKS_LIMIT_BYTES = 2_800_000_000

# One link while it is sorted: places, score, counts of targets, and room to put them in order.
BYTES_A_LINK = 112


def links(
    questioned: ProfileSet,
    reference: ProfileSet | None = None,
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    threshold: float,
    min_measured: int | None = None,
    memory: float = LINKS_LIMIT_BYTES,
    workers: int | None = None,
    across_epochs: bool = False,
    false_positive_rate: float | None = None,
    false_positive_interval: tuple[float, float] | None = None,
    client: Client | None = None,
    shards: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Links:
    """Find every pair of profiles whose score meets a threshold, and no other.

    The matrix of all scores is never formed. The links are those that `compare` and
    `Comparison.links` give, to the last bit, however large the sets are.

    Parameters
    ----------
    questioned : ProfileSet
        The profiles to place, pretreated.
    reference : ProfileSet, optional
        The profiles to compare with, pretreated in the same way; without it the questioned
        profiles with each other.
    metric : str or Metric
        One of `drugsig.METRICS`, or a fitted one.
    threshold : float
        The score that makes a link, in the metric's convention; equal counts.
    min_measured : int, optional
        As in `compare`.
    memory : float
        The most bytes the links may take. A threshold that nearly every pair meets is refused, and
        the message says how many links there are or would be.
    workers : int, optional
        How many threads; one a processor by default. The links are the same for any number.
    across_epochs : bool
        Whether profiles of different comparability epochs may be compared.
    false_positive_rate : float, optional
        The share of unlinked pairs of known source that meet the threshold; with it the links
        state how many of them chance alone would make. `Threshold.search` fills it in.
    false_positive_interval : tuple of float, optional
        The 95 % interval of that rate.
    client : distributed.Client, optional
        A Dask cluster that does the work, instead of threads of this process.
    shards : path-like, optional
        A folder for what was found so far. A search that was stopped goes on from there; a folder
        with parts of another search is refused.
    progress : bool
        Whether to show a bar where there is a terminal.

    Returns
    -------
    Links
        The most alike first.

    Raises
    ------
    ThresholdError
        If the threshold lies outside the range of the metric.
    TargetMismatchError
        If the sets do not hold the same targets in the same order.
    ComparisonError
        If the sets cannot be compared, see `compare`.
    SizeError
        If the links would take more than `memory`.
    ClusterError
        If the cluster is lost; what was found before is in the shards.

    Warns
    -----
    UndefinedScoreWarning
        If pairs have no score; once, with their number.
    DataWarning
        If shards were damaged and had to be computed again.

    Notes
    -----
    Profiles are put into leaves of neighbours, and pairs of leaves that are too far apart are left
    out; the others are multiplied in blocks, in single precision and with a margin. What is
    proposed so is decided by the score itself, in float64, target by target. Where leaves overlap
    too much for pruning to pay, all pairs are multiplied in blocks.

    Examples
    --------
    >>> from drugsig import ProfileSet
    >>> s = ProfileSet([[3.0, 1.0], [6.0, 2.0], [1.0, 5.0]], ["A", "B"], ["001", "002", "003"])
    >>> links(s, metric="cosine", threshold=0.99).to_frame()[["questioned", "reference"]]
      questioned reference
    0        001       002
    """
    rate = checked_rate(false_positive_rate)
    if isinstance(memory, bool) or not isinstance(memory, (int, float)) or not memory > 0:
        raise InputError(f"memory must be a number of bytes above 0, got {memory!r}")
    count = how_many_workers(workers)
    # Sums on several threads differ in the last digits from run to run: a search that is to go on
    # later must be divided in the same way again.
    with threadpool_limits(limits=None if shards is None else 1, user_api="blas"):
        search = LinkSearch.of(
            questioned,
            reference,
            metric=metric,
            threshold=threshold,
            min_measured=min_measured,
            across_epochs=across_epochs,
        )
    budget = Budget(search, memory)
    found = [budget.take(search.among_copies(), done=0)]
    bar = "links" if progress else None
    results: Iterator[tuple[int, Part]]
    tasks: Any = nullcontext()
    if client is None and shards is None:
        tasks = run_tasks(
            partial(search.run, most=budget.most), search.n_tasks, workers=count, progress=bar
        )
        results = enumerate(tasks, start=1)
        tasks = closing(tasks)
    else:
        from drugsig.comparison.distributed import ShardFolder, run_search

        least = least_measured(min_measured, search.metric, len(questioned.targets))
        folder = None
        if shards is not None:
            folder = ShardFolder.of(shards, search, questioned, reference, min_measured=least)
        results = run_search(search, shards=folder, client=client, workers=count, progress=bar)
    with tasks:
        for done, part in results:
            found.append(budget.take(part, done=done))
    rows, columns, scores = joined(found)
    undefined = search.undefined_whole + budget.undefined
    if undefined:
        _tell_undefined(search, undefined)
    return links_of(
        rows,
        columns,
        scores,
        row_masks=(questioned.measured, questioned.detected),
        column_masks=None if reference is None else (reference.measured, reference.detected),
        row_ids=questioned.ids,
        column_ids=questioned.ids if reference is None else reference.ids,
        metric=search.metric,
        threshold=search.threshold,
        comparisons=search.comparisons,
        undefined=undefined,
        symmetric=reference is None,
        false_positive_rate=rate,
        false_positive_interval=false_positive_interval,
    )


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


class Budget:
    """Keeps the number of links below what was allowed.

    Parameters
    ----------
    search : LinkSearch
        What is being searched.
    memory : float
        The most bytes the links may take.
    """

    def __init__(self, search: LinkSearch, memory: float, /) -> None:
        self.search = search
        self.memory = memory
        self.most = int(min(memory / BYTES_A_LINK, 2.0**62))
        self.n_links = 0
        self.undefined = 0
        if search.n_among_copies > self.most:
            raise SizeError(
                f"copies of one profile alone make {search.n_among_copies:,} links, and "
                f"{self.most:,} are allowed: some profiles are there many times to the last digit. "
                "Keep one of each, or allow more with "
                f"memory={search.n_among_copies * BYTES_A_LINK:.1e}."
            )

    def take(self, part: Part, /, *, done: int) -> Part:
        """Return a part with every copy in its own right, if there is room for it.

        Raises
        ------
        SizeError
            If there is not; the message says how many links there would be.
        """
        self.undefined += part.undefined
        self.n_links += self.search.weight(part)
        if self.n_links > self.most:
            tasks = max(1, self.search.n_tasks)
            # Parts differ in size and stop early where links abound, so this is a rough guess.
            guess = min(self.n_links / max(1, done) * tasks, self.search.comparisons)
            raise SizeError(
                f"{self.n_links:,} links were found after {done} of {tasks} parts of the search, "
                f"and {self.most:,} are allowed ({self.memory / 1e9:.2g} GB); in all there would "
                f"be roughly {guess:.1g} among {self.search.comparisons:.2g} pairs. Choose a "
                f"stricter threshold than {self.search.threshold:g}, or allow more with "
                f"memory=<bytes>, {BYTES_A_LINK} a link."
            )
        return self.search.expanded(part)


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


def _tell_undefined(search: LinkSearch, undefined: int) -> None:
    warn(
        f"{undefined} of {search.comparisons} scores are undefined ({search.metric.zero_rule}; "
        "too few targets measured in both): these pairs are no links.",
        UndefinedScoreWarning,
    )
