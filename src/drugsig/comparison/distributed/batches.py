"""`Batches`: the ranges of tasks still to be done, cut so that each takes about a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise

import numpy as np
from threadpoolctl import threadpool_limits

from drugsig.comparison.link_search import LinkSearch, TaskLinks

__all__ = ["Batches", "Found", "library_versions", "run_batch"]

Range = tuple[int, int]

# A batch shorter than this is mostly talk; a longer one keeps the others waiting at the end, and is
# more to do again when its worker dies.
_LEAST_SECONDS = 0.4
_MOST_SECONDS = 15.0

# Batches are this share of what is left to each thread, so that they get shorter towards the end.
_SHARE = 1.0 / 8.0

# How much the newest batch says about the time of the next.
_NEWS = 0.4

# A batch ends early after so many links: 50 MB on their way.
_MOST_LINKS = 2_000_000


@dataclass(frozen=True, eq=False)
class Found:
    """What a range of tasks found.

    Attributes
    ----------
    first, last : int
        The tasks done, `last` not included.
    part : TaskLinks
        Their links.
    seconds : float
        How long it took.
    """

    first: int
    last: int
    part: TaskLinks
    seconds: float


def library_versions() -> dict[str, str]:
    """Return the versions of what decides a score: the same everywhere, or nothing is computed."""
    return {"drugsig": version("drugsig"), "numpy": np.__version__}


def run_batch(
    search: LinkSearch, first: int, last: int, /, *, stop: Callable[[], bool] | None = None
) -> Found:
    """Do the tasks of a range, all of them or, where there are very many links, the first.

    Parameters
    ----------
    search : LinkSearch
        Whose tasks.
    first, last : int
        Which, `last` not included; all among whole profiles, or all others.
    stop : callable, optional
        Says between two tasks whether to stop there.
    """
    begun = time.perf_counter()
    parts: list[TaskLinks] = []
    n_links = 0
    task = first
    # Two thin products side by side beat one on two threads.
    with threadpool_limits(limits=1, user_api="blas"):
        while task < last and n_links < _MOST_LINKS:
            parts.append(search.run(task))
            n_links += len(parts[-1].rows)
            task += 1
            if stop is not None and stop():
                break
    part = TaskLinks(
        np.concatenate([p.rows for p in parts]),
        np.concatenate([p.columns for p in parts]),
        np.concatenate([p.scores for p in parts]),
        sum(p.undefined for p in parts),
        stands_for_duplicates=parts[0].stands_for_duplicates,
    )
    return Found(first, task, part, time.perf_counter() - begun)


class Batches:
    """The ranges of tasks still to be done.

    Parameters
    ----------
    search : LinkSearch
        Whose tasks.
    done : iterable of tuple of int
        Ranges that are done already, without overlap.
    """

    def __init__(self, search: LinkSearch, /, done: Iterable[Range] = ()) -> None:
        # No batch has tasks of both kinds, so that its part is of one kind.
        edges = (0, search.n_whole_tasks, search.n_tasks)
        self._waiting: deque[Range] = deque()
        first = 0
        for begin, end in [*sorted(done), (search.n_tasks, search.n_tasks)]:
            for low, high in pairwise(edges):
                left = max(first, low), min(begin, high)
                if left[0] < left[1]:
                    self._waiting.append(left)
            first = end
        self._seconds_a_task: float | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def n_tasks(self) -> int:
        """How many tasks were not handed out yet."""
        return sum(last - first for first, last in self._waiting)

    def take(self, threads: int, /) -> Range:
        """Hand out the next range.

        Parameters
        ----------
        threads : int
            How many share the work.
        """
        first, last = self._waiting.popleft()
        size = self._size(last - first + sum(b - a for a, b in self._waiting), threads)
        if first + size < last:
            self._waiting.appendleft((first + size, last))
        return first, min(last, first + size)

    def _size(self, left: int, threads: int) -> int:
        if self._seconds_a_task is None:
            return 1
        each = max(self._seconds_a_task, 1e-6)
        size = max(left * _SHARE / threads, _LEAST_SECONDS / each)
        return max(1, int(min(size, _MOST_SECONDS / each)))

    def learn(self, found: Found, asked: Range, /) -> None:
        """Take note of how long a batch took, and take back what it left."""
        each = found.seconds / (found.last - found.first)
        before = self._seconds_a_task
        self._seconds_a_task = each if before is None else _NEWS * each + (1.0 - _NEWS) * before
        if found.last < asked[1]:
            self._waiting.appendleft((found.last, asked[1]))
