"""A Dask cluster of processes of its own on this machine, and a way to it through the block.

The scheduler and the workers are started as a reader of the documentation would start them, so
that each can be ended like a machine that is switched off.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.socket_guard import SocketGuard

__all__ = ["Cluster", "later", "loopback_allowed", "wait_until"]

_WAIT_S = 40.0

_SLOW = Path(__file__).with_name("dask_slow_worker.py")


class LoopbackGuard(SocketGuard):
    """Blocks every way to another machine, but not to this one."""

    def _refusing(self, name: str) -> Callable[..., Any]:
        original, refused = getattr(socket, name), super()._refusing(name)

        def checked(*args: Any, **kwargs: Any) -> Any:
            host = args[0][0] if args and isinstance(args[0], tuple) else args[0] if args else None
            return (original if _is_loopback(host) else refused)(*args, **kwargs)

        return checked

    def _checking(self, name: str) -> Callable[..., Any]:
        original, refusing = getattr(socket.socket, name), super()._checking(name)

        def checked(sock: socket.socket, *args: Any) -> Any:
            host = args[-1][0] if args and isinstance(args[-1], tuple) else None
            return (original if _is_loopback(host) else refusing)(sock, *args)

        return checked


def _is_loopback(host: object) -> bool:
    if host in (None, "", "localhost"):
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(str(host)).is_loopback
    return False


@contextlib.contextmanager
def loopback_allowed(config: pytest.Config) -> Iterator[None]:
    """Let tests reach this machine, and no other."""
    usual = config.pluginmanager.get_plugin("drugsig-socket-guard")
    assert isinstance(usual, SocketGuard)
    usual.uninstall()
    guard = LoopbackGuard()
    guard.install()
    try:
        yield
    finally:
        guard.uninstall()
        usual.install()
        usual.attempts += guard.attempts


class Cluster:
    """A scheduler and workers, each a process.

    Parameters
    ----------
    folder : Path
        For the file that tells where the scheduler is, and for the logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.start_scheduler()

    def start_scheduler(self) -> None:
        self.scheduler = self._start(
            "dask_scheduler",
            "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard",
            "--scheduler-file", str(self.file),
        )  # fmt: skip
        wait_until(lambda: self.file.exists() or _ended(self.scheduler))

    def start_worker(self, *, nanny: bool = False) -> subprocess.Popen[bytes]:
        """Start a worker with one thread that takes its time for every task."""
        worker = self._start(
            "dask_worker",
            self.address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
            "--local-directory", str(self.folder / "scratch"), "--death-timeout", "60",
            "--preload", str(_SLOW), "--nanny" if nanny else "--no-nanny",
        )  # fmt: skip
        self.workers.append(worker)
        return worker

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "NUMBA_NUM_THREADS": "1",
            "PYTHONWARNINGS": "",
        }
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.folder,
            )

    @property
    def log(self) -> str:
        """What all processes said."""
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        for one in (*self.workers, self.scheduler):
            one.kill()
        for one in (*self.workers, self.scheduler):
            one.wait()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def later(seconds: float, what: Callable[[], object]) -> threading.Timer:
    """Do something in a moment."""
    timer = threading.Timer(seconds, what)
    timer.start()
    return timer


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None
