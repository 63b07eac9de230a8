"""`nearest`: the k reference profiles most like each questioned one, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController, threadpool_limits

from drugsig._notes import emit
from drugsig.comparison.comparability import check_comparable, least_measured
from drugsig.comparison.metrics import DEFAULT_METRIC, Metric, get_metric
from drugsig.comparison.neighbours import (
    BYTES_A_NEIGHBOUR,
    NEAREST_LIMIT_BYTES,
    Nearest,
    checked_count,
    checked_memory,
    nearest_of,
)
from drugsig.comparison.prepared import PreparedProfiles
from drugsig.comparison.search.query_finder import PreparedQueries, QueryFinder
from drugsig.comparison.search.query_tree import QueryTree
from drugsig.comparison.search.ranking import Ranked, Ranking
from drugsig.comparison.search.running import how_many_workers, run_tasks
from drugsig.comparison.search.tree import Indices, leaves_of_neighbours
from drugsig.comparison.spaces import EuclideanSpace
from drugsig.errors import SizeError
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["NearestSearch", "nearest", "refuse_too_many"]

Floats = NDArray[np.float64]

# Splitting the reference into leaves takes about as long as this many queries spare by it.
_SPLIT_FROM = 500

# Queries searched together where every pair is scored, and neighbours that are looked for together.
_GROUP = 64
_TOGETHER = 4_000_000

# So many times more are kept where ties reach beyond those that were.
_MORE = 4


def nearest(
    questioned: ProfileSet,
    reference: ProfileSet | None = None,
    /,
    *,
    k: int,
    metric: str | Metric = DEFAULT_METRIC,
    min_measured: int | None = None,
    memory: float = NEAREST_LIMIT_BYTES,
    workers: int | None = None,
    across_epochs: bool = False,
    progress: bool = True,
) -> Nearest:
    """Find the k reference profiles most like each questioned profile.

    The neighbours are those that sorting each row of `compare` gives, to the last bit, however
    large the sets are. Equal scores are in the order of the reference.

    Parameters
    ----------
    questioned : ProfileSet
        The profiles to place, pretreated.
    reference : ProfileSet, optional
        The profiles to look among, pretreated in the same way; without it the other questioned
        profiles: a profile is not its own neighbour.
    k : int
        How many neighbours.
    metric : str or Metric
        One of `drugsig.METRICS`, or a fitted one.
    min_measured : int, optional
        As in `compare`.
    memory : float
        The most bytes the neighbours may take.
    workers : int, optional
        How many threads; one a processor by default. The result is the same for any number.
    across_epochs : bool
        Whether profiles of different comparability epochs may be compared.
    progress : bool
        Whether to show a bar where there is a terminal.

    Returns
    -------
    Nearest
        Row by row of the questioned profiles. Where fewer than k have a score the rest is -1 and
        NaN; profiles that score as the last one and are not listed are counted.

    Raises
    ------
    InputError
        If `k` is no whole number from 1.
    TargetMismatchError
        If the sets do not hold the same targets in the same order.
    ComparisonError
        If the sets cannot be compared, see `compare`.
    SizeError
        If the neighbours would take more than `memory`.

    Warns
    -----
    UndefinedScoreWarning
        If pairs have no score; once, with their number.

    Notes
    -----
    Where the metric follows from a distance, reference profiles are put into leaves of neighbours,
    and leaves farther away than the k-th best so far are left out. What is proposed so, in single
    precision and with a margin, is ranked by the score itself. For more than one search in the
    same reference build an index: `drugsig.build_index`.

    Examples
    --------
    >>> from drugsig import ProfileSet
    >>> s = ProfileSet([[3.0, 1.0], [6.0, 2.0], [1.0, 5.0]], ["A", "B"], ["001", "002", "003"])
    >>> nearest(s, k=1, metric="cosine").to_frame()[["questioned", "reference"]]
      questioned reference
    0        001       002
    1        002       001
    2        003       001
    """
    measure = get_metric(metric)
    wanted = checked_count(k)
    check_comparable(questioned, reference, measure, across_epochs=across_epochs)
    p = len(questioned.targets)
    least = least_measured(min_measured, measure, p)
    count = how_many_workers(workers)
    other = questioned if reference is None else reference
    refuse_too_many(len(questioned), wanted, checked_memory(memory))
    # Products on several threads get into each other's way; whole groups run side by side instead.
    with threadpool_limits(limits=1, user_api="blas"):
        known = PreparedProfiles.of(other, measure)
        finder = QueryFinder.of(known, split=len(questioned) >= _SPLIT_FROM)
        asked = known if reference is None else PreparedProfiles.of(questioned, measure)
        search = NearestSearch((finder,), (finder.queries(asked, least=least),), wanted)
        ranking, undefined = search.run(workers=count, progress=progress)
    compared = len(other) - (reference is None)
    result = nearest_of(
        ranking.positions,
        ranking.keys,
        ranking.tied,
        undefined,
        row_masks=(questioned.measured, questioned.detected),
        column_masks=(other.measured, other.detected),
        row_ids=questioned.ids,
        column_ids=other.ids,
        metric=measure,
        compared=max(0, compared),
        symmetric=reference is None,
        min_measured=least,
    )
    emit(result.notes)
    return result


@dataclass(frozen=True, eq=False)
class NearestSearch:
    """The neighbours of questioned profiles in one reference after another.

    Parameters
    ----------
    finders : sequence of QueryFinder
        The reference profiles; positions count on from one to the next.
    queries : sequence of PreparedQueries
        The same questioned profiles, for each of them.
    k : int
        How many neighbours.
    """

    finders: Sequence[QueryFinder]
    queries: Sequence[PreparedQueries]
    k: int

    def run(self, *, workers: int, progress: bool) -> tuple[Ranked, Indices]:
        """Return the neighbours of all, and with how many each has no score.

        Parameters
        ----------
        workers : int
            How many threads.
        progress : bool
            Whether to show a bar.
        """
        n = len(self.queries[0].profiles)
        groups = self._groups()
        ranked, undefined = Ranked.nobody(n, self.k), np.zeros(n, dtype=np.int64)
        results: Iterable[tuple[Ranked, Indices]]
        if len(groups) == 1 or (workers == 1 and not progress):
            # To look for all libraries with threads takes longer than many queries: once will do.
            with _threaded_libraries().limit(limits=1, user_api="blas"):
                results = [self._of_group(rows) for rows in groups]
        else:
            results = run_tasks(
                lambda task: self._of_group(groups[task]),
                len(groups),
                workers=workers,
                progress="nearest" if progress else None,
            )
        for rows, (found, missing) in zip(groups, results, strict=True):
            ranked.put(rows, found)
            undefined[rows] = missing
        return ranked, undefined

    def _of_group(self, rows: Indices) -> tuple[Ranked, Indices]:
        ranking, undefined = self._ranking(rows, self.k)
        found, unsure = ranking.ranked(self.k)
        kept = self.k
        while unsure.any():
            # More are kept until somebody is in between who is equal to none of both.
            kept *= _MORE
            ranking, _ = self._ranking(rows[unsure], kept)
            again, still = ranking.ranked(self.k)
            found.put(unsure, again)
            unsure[unsure] = still
        return found, undefined

    def _ranking(self, rows: Indices, k: int) -> tuple[Ranking, Indices]:
        total, undefined = self.finders[0].nearest(self.queries[0], rows, k)
        first = len(self.finders[0])
        for finder, queries in zip(self.finders[1:], self.queries[1:], strict=True):
            part, missing = finder.nearest(queries, rows, k)
            undefined += missing
            more = part.entries.copy()
            more["position"] += first
            total.take_entries(more)
            first += len(finder)
        return total, undefined

    def _groups(self) -> list[Indices]:
        """Return the questioned profiles in groups of neighbours, and the others in small ones."""
        queries, finder = self.queries[0], self.finders[0]
        n = len(queries.profiles)
        space = finder.metric.kernel.space
        together = np.empty(0, np.int64)
        groups: list[Indices] = []
        most = max(1, _TOGETHER // min(self.k, max(1, len(finder))))
        if isinstance(space, EuclideanSpace) and isinstance(finder.tree, QueryTree):
            together = np.flatnonzero(queries.defined.has_score)
            size = min(finder.tree.together, most)
            order, cuts = np.arange(len(together)), np.empty(0, np.int64)
            if len(together) > size:
                coordinates = space.coordinates(queries.profiles.transformed[:, together])
                tree = leaves_of_neighbours(finder.tree.queries(coordinates).axes, leaf=size)
                order, cuts = tree.order, tree.starts[1:-1]
            groups = [together[part] for part in np.split(order, cuts) if len(part)]
        others = np.setdiff1d(np.arange(n, dtype=np.int64), together, assume_unique=True)
        size = min(_GROUP, most)
        return groups + [others[first : first + size] for first in range(0, len(others), size)]


@cache
def _threaded_libraries() -> ThreadpoolController:
    return ThreadpoolController()


def refuse_too_many(n: int, k: int, memory: float, /) -> None:
    """Refuse more neighbours than there is room for.

    Parameters
    ----------
    n, k : int
        Questioned profiles, and neighbours of each.
    memory : float
        The most bytes they may take.

    Raises
    ------
    SizeError
        If they would take more.
    """
    needed = n * k * BYTES_A_NEIGHBOUR
    if needed > memory:
        raise SizeError(
            f"{k} neighbours of each of {n:,} profiles would take {needed / 1e9:.2g} GB, and "
            f"{memory / 1e9:.2g} GB are allowed. Ask for fewer, in parts, or allow more with "
            "memory=<bytes>."
        )
