"""`run_search`: every batch of a search, from a folder, from threads or from a cluster."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Protocol

from tqdm import tqdm

from drugsig.comparison.distributed.batches import Batches, Found, run_batch
from drugsig.comparison.distributed.cluster import ClusterRunner
from drugsig.comparison.distributed.shards import ShardFolder
from drugsig.comparison.link_search import LinkSearch, TaskLinks

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Runner", "ThreadRunner", "run_search"]


# Batches begun or waiting, a thread.
_AHEAD = 2


class Runner(Protocol):
    """Who does the batches."""

    threads: int

    @property
    def room(self) -> int:
        """How many more batches it takes."""
        ...

    @property
    def busy(self) -> bool:
        """Whether batches are under way."""
        ...

    def begin(self, first: int, last: int, /) -> None:
        """Take a batch."""
        ...

    def finished(self) -> list[tuple[Found, tuple[int, int]]]:
        """Wait for at least one batch, and return what was found with the range asked for."""
        ...

    def close(self) -> None:
        """Drop what has not begun."""
        ...


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


def run_search(
    search: LinkSearch,
    /,
    *,
    shards: ShardFolder | None = None,
    client: Client | None = None,
    workers: int = 1,
    progress: str | None = None,
) -> Generator[tuple[int, TaskLinks], None, None]:
    """Yield how many tasks are done, and the part found last, until all tasks are done.

    Parameters
    ----------
    search : LinkSearch
        What is searched.
    shards : ShardFolder, optional
        Where parts are kept; those that are there already come first.
    client : distributed.Client, optional
        The cluster that does the work; threads of this process otherwise.
    workers : int
        How many threads, where there is no client.
    progress : str, optional
        What the bar says; None for no bar. Without a terminal there is none.

    Raises
    ------
    ClusterError
        If the cluster is lost.
    OutputError
        If a part cannot be kept.

    Notes
    -----
    Parts come in any order. An interruption drops what has not begun and passes on; what was
    yielded before is in the shards.
    """
    bar = tqdm(
        total=search.n_tasks,
        desc=progress,
        disable=True if progress is None else None,
        leave=False,
    )
    done = 0
    with bar:
        ranges = []
        for found in () if shards is None else shards.kept():
            ranges.append((found.first, found.last))
            done += found.last - found.first
            bar.update(found.last - found.first)
            yield done, found.part
        batches = Batches(search, ranges)
        if batches:
            for found in _run(search, batches, client, workers):
                if shards is not None:
                    shards.write(found)
                done += found.last - found.first
                bar.update(found.last - found.first)
                yield done, found.part
        if shards is not None:
            shards.finish()


def _run(
    search: LinkSearch, batches: Batches, client: Client | None, workers: int
) -> Iterator[Found]:
    runner: Runner = (
        ThreadRunner(search, workers=workers) if client is None else ClusterRunner(search, client)
    )
    try:
        while batches or runner.busy:
            while batches and runner.room > 0:
                runner.begin(*batches.take(runner.threads))
            finished = runner.finished()
            for found, asked in finished:
                batches.learn(found, asked)
            # The others go on while what was found is looked at.
            while batches and runner.room > 0:
                runner.begin(*batches.take(runner.threads))
            yield from (found for found, _ in finished)
    finally:
        runner.close()
