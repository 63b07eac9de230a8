"""Run independent tasks on threads, in order, with progress, and stop at once when asked to."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from drugsig._check import is_whole
from drugsig.errors import InputError

__all__ = ["how_many_workers", "run_tasks"]

Result = TypeVar("Result")

# Tasks begun ahead of the one whose result is waited for, a worker: enough that none is idle, and
# few enough that results do not pile up.
_AHEAD = 8


# Searches that run beside each other share one limit: the last one lifts it, not the first.
_limiting = Lock()
_limits: list[threadpool_limits] = []
_n_limiting = 0


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Keep matrix products on one thread each while any search runs."""
    global _n_limiting
    with _limiting:
        if not _n_limiting:
            _limits.append(threadpool_limits(limits=1, user_api="blas"))
        _n_limiting += 1
    try:
        yield
    finally:
        with _limiting:
            _n_limiting -= 1
            if not _n_limiting:
                _limits.pop().restore_original_limits()


def how_many_workers(workers: int | None, /) -> int:
    """Return the number of threads: as asked, or one a processor.

    Raises
    ------
    InputError
        If it is not a whole number from 1.
    """
    if workers is None:
        return os.cpu_count() or 1
    if not is_whole(workers) or workers < 1:
        raise InputError(
            f"workers must be a whole number from 1, got {workers!r}. Leave it out for one a "
            "processor."
        )
    return workers


def run_tasks(
    function: Callable[[int], Result],
    n_tasks: int,
    /,
    *,
    workers: int,
    progress: str | None,
) -> Iterator[Result]:
    """Yield ``function(0)``, ``function(1)`` ... in this order.

    Parameters
    ----------
    function : callable
        Works on arrays, so that threads run beside each other.
    n_tasks : int
        How many.
    workers : int
        How many threads.
    progress : str or None
        What the bar says; None for no bar. Without a terminal there is none.

    Notes
    -----
    Matrix products run on one thread each: two of them side by side beat one on two threads where
    a side is short. An interruption drops what has not begun and passes on.
    """
    bar = tqdm(
        total=n_tasks, desc=progress, disable=True if progress is None else None, leave=False
    )
    with bar, _one_blas_thread():
        if workers == 1:
            for task in range(n_tasks):
                yield function(task)
                bar.update()
            return
        pool = ThreadPoolExecutor(workers)
        try:
            waiting: deque[Future[Result]] = deque()
            for task in range(n_tasks):
                waiting.append(pool.submit(function, task))
                if len(waiting) >= _AHEAD * workers:
                    yield waiting.popleft().result()
                    bar.update()
            while waiting:
                yield waiting.popleft().result()
                bar.update()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
