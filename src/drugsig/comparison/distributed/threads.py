"""`ThreadRunner`: batches on the threads of this process."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from drugsig.comparison.distributed.batches import Found, run_batch
from drugsig.comparison.link_search import LinkSearch

__all__ = ["ThreadRunner"]

# Batches begun or waiting, a thread.
_AHEAD = 2


class ThreadRunner:
    """Does batches on the threads of this process.

    Parameters
    ----------
    search : LinkSearch
        Whose tasks.
    workers : int
        How many threads.
    """

    def __init__(self, search: LinkSearch, /, *, workers: int) -> None:
        self._search = search
        self._pool = ThreadPoolExecutor(workers)
        self._stop = threading.Event()
        self._running: dict[Future[Found], tuple[int, int]] = {}
        self.threads = workers

    @property
    def room(self) -> int:
        """How many more batches it takes."""
        return _AHEAD * self.threads - len(self._running)

    @property
    def busy(self) -> bool:
        """Whether batches are under way."""
        return bool(self._running)

    def begin(self, first: int, last: int, /) -> None:
        """Take a batch."""
        future = self._pool.submit(run_batch, self._search, first, last, stop=self._stop.is_set)
        self._running[future] = (first, last)

    def finished(self) -> list[tuple[Found, tuple[int, int]]]:
        """Wait for at least one batch, and return what was found with the range asked for."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        return [(future.result(), self._running.pop(future)) for future in done]

    def close(self) -> None:
        """Drop what has not begun, and wait for the tasks at work."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
