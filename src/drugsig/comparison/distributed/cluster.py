"""`ClusterRunner`: batches on the workers of a Dask cluster, whichever of them come and go."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drugsig._check import is_number, listed
from drugsig.comparison.distributed.batches import Found, library_versions, run_batch
from drugsig.comparison.link_search import LinkSearch
from drugsig.errors import ClusterError, DrugsigError, InputError, MissingExtraError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["DEFAULT_TIMEOUT", "ClusterRunner", "connected", "run_on_worker"]

# Dask's own class is typed in part only.
Future = Any

DEFAULT_TIMEOUT = 30.0

# Batches sent ahead, a thread: enough that no worker waits for the next, and few enough that a
# lost worker or an interruption costs little.
_AHEAD = 2

# How often the cluster is looked at, and for how long results are waited for at a time.
_LOOK_SECONDS = 2.0
_WAIT_SECONDS = 1.0

# The profiles were lost with all who had them, or the scheduler was, so often in a row.
_MOST_LOSSES = 10

_TIMEOUT_SETTING = "distributed.comm.timeouts.connect"

_TLS_SETTING = "distributed.comm.tls.ca-file"

# What a scheduler or a worker that is gone makes a call raise.
_GONE = (OSError, TimeoutError, concurrent.futures.CancelledError, asyncio.CancelledError)


def run_on_worker(search: LinkSearch, first: int, last: int, versions: dict[str, str], /) -> Found:
    """Do a batch where it was sent to, if the libraries there are the same.

    Parameters
    ----------
    search : LinkSearch
        Whose tasks.
    first, last : int
        Which, `last` not included.
    versions : dict of str to str
        What the libraries must be, from `library_versions`.

    Raises
    ------
    ClusterError
        If they are not: the links could differ in the last digit.
    """
    here = library_versions()
    if here != versions:
        raise ClusterError(_other_versions({"a worker": here}, versions))
    return run_batch(search, first, last)


@contextmanager
def connected(address: str, /, *, timeout: float = DEFAULT_TIMEOUT) -> Iterator[Client]:
    """Connect to the scheduler of a Dask cluster.

    Parameters
    ----------
    address : str
        As the scheduler prints it, ``tcp://host:8786`` or ``tls://host:8786``, or the path of the
        file that ``dask scheduler --scheduler-file`` writes. Certificates for ``tls`` are those
        of Dask's own settings, ``distributed.comm.tls``.
    timeout : float
        How many seconds to wait for the scheduler, now and if it is lost later.

    Yields
    ------
    distributed.Client
        For `drugsig.comparison.linking.links`; closed at the end.

    Raises
    ------
    MissingExtraError
        If Dask is not installed.
    ClusterError
        If there is no scheduler.
    """
    dask, distributed = _dask()
    if not is_number(timeout) or not timeout > 0:
        raise InputError(f"timeout must be a number of seconds above 0, got {timeout!r}")
    named = Path(address)
    where = {"scheduler_file": str(named)} if named.suffix == ".json" else {"address": address}
    if named.suffix == ".json" and not named.is_file():
        raise ClusterError(
            f"there is no file '{address}' that names a scheduler. Start one with 'dask scheduler "
            f"--scheduler-file {named.name}', or give its address."
        )
    if address.startswith("tls://") and dask.config.get(_TLS_SETTING, None) is None:
        raise ClusterError(
            f"'{address}' asks for TLS, and no certificates are set. Set {_TLS_SETTING} and "
            "distributed.comm.tls.client.cert and .key in Dask's settings, or in the environment: "
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE and so on."
        )
    # The errors of the connection are raised; the log would tell them a second time.
    with _silent("distributed"), dask.config.set({_TIMEOUT_SETTING: f"{timeout} s"}):
        try:
            client = distributed.Client(**where, timeout=timeout, set_as_default=False)
        except (*_GONE, ValueError, TypeError) as error:
            raise ClusterError(
                f"no scheduler answered at '{address}' within {timeout:g} s "
                f"({type(error).__name__}: {_first_line(error)}). Start one with 'dask "
                "scheduler' and give the address it prints, as in tcp://host:8786."
            ) from error
        try:
            yield client
        finally:
            client.close(timeout=min(timeout, _LOOK_SECONDS))


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """Keep a logger and those below it from speaking."""
    below = [n for n in logging.root.manager.loggerDict if n.startswith(f"{name}.")]
    loggers = [logging.getLogger(n) for n in (name, *below)]
    before = [one.disabled for one in loggers]
    for one in loggers:
        one.disabled = True
    try:
        yield
    finally:
        for one, was in zip(loggers, before, strict=True):
            one.disabled = was


class ClusterRunner:
    """Does batches on a Dask cluster.

    Every worker gets the profiles once; later only numbers of tasks are sent. Dask does a batch
    whose worker is lost again elsewhere, and hands the profiles to a worker that joins later. If
    they are lost with all who had them, they are sent again, which Dask leaves to whoever scattered
    them. A batch counts once, however often it was begun.

    Parameters
    ----------
    search : LinkSearch
        Whose tasks.
    client : distributed.Client
        Connected, and not an asynchronous one.

    Raises
    ------
    ClusterError
        If there are no workers, or their libraries are other ones.
    """

    def __init__(self, search: LinkSearch, client: Client, /) -> None:
        dask, distributed = _dask()
        if not isinstance(client, distributed.Client) or client.asynchronous:
            raise InputError(
                "client must be a distributed.Client that is not asynchronous, got "
                f"{type(client).__name__}. Make one with distributed.Client('tcp://host:8786')."
            )
        setting = dask.config.get(_TIMEOUT_SETTING)
        self._patience = float(dask.utils.parse_timedelta(setting, default="s"))
        self._distributed: Any = distributed
        self._search = search
        self._client = client
        self._versions = library_versions()
        self._name = f"drugsig-links-{secrets.token_hex(4)}"
        self._sent = 0
        self._losses = 0
        self._looked = 0.0
        self._alone_since: float | None = None
        self._running: dict[Future, tuple[int, int]] = {}
        self._await_workers()
        self._check_versions()
        self._profiles = self._scattered()

    @property
    def room(self) -> int:
        """How many more batches it takes."""
        return _AHEAD * self.threads + 1 - len(self._running)

    @property
    def busy(self) -> bool:
        """Whether batches are under way."""
        return bool(self._running)

    def begin(self, first: int, last: int, /) -> None:
        """Take a batch."""
        self._sent += 1
        future = self._client.submit(
            run_on_worker,
            self._profiles,
            first,
            last,
            self._versions,
            key=f"{self._name}-{self._sent}-{first}-{last}",
            pure=False,
        )
        self._running[future] = (first, last)

    def finished(self) -> list[tuple[Found, tuple[int, int]]]:
        """Wait for at least one batch, and return what was found with the range asked for.

        Raises
        ------
        ClusterError
            If the scheduler or all workers are gone for too long, or a batch cannot be done.
        """
        while True:
            self._look()
            try:
                with self._client.as_current():
                    self._distributed.wait(
                        list(self._running), timeout=_WAIT_SECONDS, return_when="FIRST_COMPLETED"
                    )
            except _GONE:
                # What became of each of them is looked at below.
                pass
            found = self._take_finished()
            lost = [f for f in self._running if f.status == "cancelled"]
            if lost:
                self._begin_again(lost)
            if found:
                self._losses = 0
                return found

    def close(self) -> None:
        """Drop what has not begun."""
        for future in self._running:
            future.release()
        self._running.clear()
        if hasattr(self, "_profiles"):
            self._profiles.release()

    # -- batches -----------------------------------------------------------------------------

    def _take_finished(self) -> list[tuple[Found, tuple[int, int]]]:
        found: list[tuple[Found, tuple[int, int]]] = []
        for future in list(self._running):
            if future.status == "error":
                raise self._explained(future.exception())
            if future.status == "finished":
                try:
                    result = future.result(timeout=self._patience)
                except _GONE:
                    # It was lost on the way; it will be finished again, or be cancelled.
                    continue
                except Exception as error:
                    raise self._explained(error) from error
                found.append((result, self._running.pop(future)))
        return found

    def _begin_again(self, lost: list[Future]) -> None:
        """Send batches again that the cluster has forgotten, and the profiles if need be."""
        self._losses += 1
        if self._losses > _MOST_LOSSES:
            raise ClusterError(
                f"the cluster lost its work {self._losses} times in a row. Look at the logs of the "
                "scheduler and the workers: workers that need more memory than they have are ended "
                "again and again."
            )
        ranges = [self._running.pop(future) for future in lost]
        self._await_workers()
        if self._profiles.status != "finished":
            self._profiles = self._scattered()
        for first, last in ranges:
            self.begin(first, last)

    def _explained(self, error: BaseException | None) -> DrugsigError:
        if isinstance(error, DrugsigError):
            return error
        if isinstance(error, self._distributed.KilledWorker):
            told = ClusterError(
                f"{error.allowed_failures + 1} workers died one after another at the same batch, "
                "most likely because they had too little memory: each holds all profiles. Start "
                "fewer worker processes with more threads each, or allow them more memory "
                "(dask worker --memory-limit)."
            )
        elif isinstance(error, ImportError):
            told = ClusterError(
                f"a worker cannot load what was sent to it: {error}. Install the same version of "
                "drugsig on every machine of the cluster."
            )
        else:
            told = ClusterError(
                f"a batch failed on a worker: {type(error).__name__}: {_first_line(error)}"
            )
        told.__cause__ = error
        return told

    # -- the cluster -------------------------------------------------------------------------

    def _call(self, function: Callable[..., Any], /, **arguments: Any) -> Any:
        return self._client.sync(function, callback_timeout=self._patience, **arguments)

    def _look(self) -> None:
        """See who is there, now and then."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS and self._client.status == "running":
            return
        workers = self._workers()
        if workers is None or not workers:
            self._alone_since = self._alone_since or now
            if self._client.status == "closed" or now - self._alone_since > self._patience:
                raise self._lost(scheduler=workers is None)
            return
        self._alone_since = None
        self._looked = now

    def _workers(self) -> dict[str, int] | None:
        """Return the workers and their threads; None where the scheduler does not answer."""
        if self._client.status != "running":
            time.sleep(min(0.1, self._patience / 10.0))
            return None
        try:
            workers: dict[str, int] = self._call(self._client.scheduler.ncores)
        except _GONE:
            return None
        self.threads = max(1, sum(workers.values()))
        return workers

    def _await_workers(self) -> None:
        """Wait until the scheduler answers and has a worker."""
        since = time.monotonic()
        while not (workers := self._workers()):
            if self._client.status == "closed" or time.monotonic() - since > self._patience:
                raise self._lost(scheduler=workers is None)
            time.sleep(min(0.1, self._patience / 10.0))

    def _lost(self, *, scheduler: bool) -> ClusterError:
        if scheduler:
            return ClusterError(
                f"the scheduler does not answer any more; {self._patience:g} s were waited for it. "
                "Parts kept in shards are not lost: start the cluster again and search for the "
                "same."
            )
        return ClusterError(
            f"the cluster has no worker; {self._patience:g} s were waited for one. Start some with "
            "'dask worker ADDRESS', with the address of the scheduler."
        )

    def _check_versions(self) -> None:
        """Ask every worker for its libraries, by which all load them at the same time."""
        try:
            told = self._client.run(library_versions, on_error="return")
        except _GONE as error:
            raise self._lost(scheduler=True) from error
        for one in told.values():
            # A worker that left meanwhile is no reason to stop.
            if isinstance(one, Exception) and not isinstance(one, OSError):
                raise self._explained(one)
        other = {
            f"worker {name}": one
            for name, one in told.items()
            if isinstance(one, dict) and one != self._versions
        }
        if other:
            raise ClusterError(_other_versions(other, self._versions))

    def _scattered(self) -> Future:
        try:
            return self._client.scatter(
                self._search, broadcast=True, hash=False, timeout=self._patience
            )
        except _GONE as error:
            raise ClusterError(
                "the profiles could not be sent to the workers "
                f"({type(error).__name__}: {_first_line(error)}). Look at the logs of the "
                "scheduler and the workers."
            ) from error


def _other_versions(other: dict[str, dict[str, str]], versions: dict[str, str]) -> str:
    def spelled(one: dict[str, str]) -> str:
        return " and ".join(f"{name} {text}" for name, text in one.items())

    name, first = next(iter(other.items()))
    more = f" So it is on {len(other)} workers: {listed(other)}." if len(other) > 1 else ""
    return (
        f"{name} has {spelled(first)}, and here it is {spelled(versions)}: the links could differ "
        f"in the last digit.{more} Install the same versions on every machine of the cluster."
    )


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip() or "no reason given").splitlines()[0]


def _dask() -> tuple[Any, Any]:
    try:
        import dask
        import dask.utils
        import distributed
    except ImportError as error:
        raise MissingExtraError(
            "a cluster needs Dask, which is not installed. Install it with: "
            'pip install "drugsig[cluster]"'
        ) from error
    return dask, distributed
