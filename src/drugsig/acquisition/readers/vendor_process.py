"""A process of its own for vendor readers: reused, watched, and stopped when it takes too much."""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from drugsig.errors import MissingExtraError, RunError

__all__ = ["Limits", "VendorAnswer", "VendorProcess", "vendor_process"]

_WORKER = "drugsig.acquisition.readers.vendor_worker"
_PACKAGES = ("rainbow", "psutil")
_START_SECONDS = 60.0
_LOOK_EVERY = 0.05
_MOST_ARRAYS = 8
_KEPT_BYTES = 1 << 26


@dataclass(frozen=True)
class Limits:
    """What one file may take.

    Parameters
    ----------
    seconds : float
        Of time, the start of the process not counted.
    bytes : int
        Of the memory of the process.
    """

    seconds: float
    bytes: int

    @classmethod
    def for_file(cls, path: Path, /) -> Limits:
        """Return generous limits for a file of this size."""
        # Measured on real runs: 25 ms and 8 MB a megabyte, most of the rest is the interpreter.
        # Scans by m/z become a dense table in the library, hence the wide margin of memory.
        megabytes = path.stat().st_size / 1e6
        return cls(seconds=8.0 + 0.5 * megabytes, bytes=int(384e6 + 100e6 * megabytes))


@dataclass(frozen=True, eq=False)
class VendorAnswer:
    """What the process found in a file.

    Parameters
    ----------
    header : dict of str to str
        What the file says about itself.
    arrays : list of ndarray
        Times in seconds first.
    """

    header: dict[str, str]
    arrays: list[NDArray[Any]]


class VendorProcess:
    """A process that reads vendor files, one at a time.

    It is started when it is first needed, kept for the next file, and started anew after it was
    stopped. Threads wait for each other.

    Parameters
    ----------
    module : str
        What it runs.
    """

    def __init__(self, module: str = _WORKER) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._folder: Path | None = None
        self._owner = os.getpid()

    def read(self, folder: Path, part: str, /, *, limits: Limits) -> VendorAnswer:
        """Read one data file of a folder.

        Parameters
        ----------
        folder : Path
            The run.
        part : str
            The name of the file in it.
        limits : Limits
            What it may take.

        Raises
        ------
        RunError
            If the file cannot be read, or takes more than it may.
        MissingExtraError
            If the packages of the extra are not installed.
        """
        _need_packages()
        with self._lock:
            child, place = self._running()
            target = place / "answer.npy"
            request = {"folder": str(folder.absolute()), "part": part, "answer": str(target)}
            try:
                assert child.stdin is not None  # noqa: S101  # it was opened with a pipe
                child.stdin.write(json.dumps(request).encode("ascii") + b"\n")
                child.stdin.flush()
                answer = self._wait(child, folder / part, limits)
                if "error" in answer:
                    raise RunError(
                        f"'{part}' of '{folder.name}' cannot be read ({answer['error']}). It is "
                        "damaged or cut off: copy the folder again, or export the run as mzML.",
                        path=folder,
                    )
                with target.open("rb") as file:
                    count = min(int(answer["arrays"]), _MOST_ARRAYS)
                    arrays = [np.load(file, allow_pickle=False) for _ in range(count)]
            except OSError as error:
                self._stop()
                raise _gave_up(folder / part, f"its reader stopped ({error})") from error
            finally:
                target.unlink(missing_ok=True)
        return VendorAnswer(dict(answer["header"]), arrays)

    def close(self) -> None:
        """Stop the process; the next file starts it again."""
        with self._lock:
            self._disown()
            self._stop()

    # -- the process -------------------------------------------------------------------------

    def _running(self) -> tuple[subprocess.Popen[bytes], Path]:
        self._disown()
        if self._child is None or self._child.poll() is not None or self._folder is None:
            self._stop()
            self._start()
        assert self._child is not None and self._folder is not None  # noqa: S101, PT018
        return self._child, self._folder

    def _disown(self) -> None:
        """Leave the process to the one that started it, if this one was forked off since."""
        if self._owner != os.getpid():
            self._child, self._folder, self._owner = None, None, os.getpid()

    def _start(self) -> None:
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
        # Where this is known (glibc), memory up to this size is kept for the next file instead of
        # being handed back and fetched anew, which halves the time of a small file.
        for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
            environment.setdefault(name, str(_KEPT_BYTES))
        self._folder = Path(tempfile.mkdtemp(prefix="drugsig-"))
        self._answers = queue.Queue()
        self._child = subprocess.Popen(  # noqa: S603  # this interpreter, a module of this package
            [sys.executable, "-P", "-m", self._module, str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        assert self._child.stdout is not None  # noqa: S101  # it was opened with a pipe
        threading.Thread(
            target=_listen, args=(self._child.stdout, self._answers), daemon=True
        ).start()
        generous = Limits(seconds=_START_SECONDS, bytes=1 << 30)
        self._wait(self._child, Path(self._module), generous)

    def _wait(self, child: subprocess.Popen[bytes], path: Path, limits: Limits) -> dict[str, Any]:
        """Return the next answer, or stop the process when it has taken too much."""
        try:
            line = self._watch(child, path, limits)
            if not line:
                raise _gave_up(path, f"its reader stopped (code {_exit_code(child)})")
            return dict(json.loads(line))
        except BaseException:
            # Also when the user interrupts: an answer that comes late would be taken for the next.
            self._stop()
            raise

    def _watch(self, child: subprocess.Popen[bytes], path: Path, limits: Limits) -> bytes:
        """Return the next line of the process, empty if it has ended."""
        import psutil

        end = time.monotonic() + limits.seconds
        while True:
            try:
                return self._answers.get(timeout=_LOOK_EVERY)
            except queue.Empty:
                try:
                    used = psutil.Process(child.pid).memory_info().rss
                except psutil.Error:
                    return b""
            if used > limits.bytes:
                raise _gave_up(path, f"reading it took {used // 10**6:,} MB of memory")
            if time.monotonic() > end:
                raise _gave_up(path, f"reading it took more than {limits.seconds:.0f} s")

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                _close(pipe)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def vendor_process() -> VendorProcess:
    """Return the one process that vendor files are read in."""
    return _SHARED


_SHARED = VendorProcess()
atexit.register(_SHARED.close)


def _listen(pipe: IO[bytes], answers: queue.Queue[bytes]) -> None:
    """Hand on every line, and an empty one at the end."""
    try:
        for line in pipe:
            answers.put(line)
    except (OSError, ValueError):
        # The pipe is closed when the process is stopped.
        return
    finally:
        answers.put(b"")


def _exit_code(child: subprocess.Popen[bytes]) -> int | None:
    """Return how a process ended that has closed its pipe, None if it goes on regardless."""
    try:
        return child.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        return None


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except OSError:
        # What was not written yet has no reader any more.
        return


def _need_packages() -> None:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Agilent .D folders are read with optional packages, and {' and '.join(missing)} "
            'is not installed. Install them with: pip install "drugsig[vendor]". Or export the '
            "run as ANDI/AIA netCDF or mzML."
        )


def _gave_up(path: Path, what: str) -> RunError:
    return RunError(
        f"'{path.name}' of '{path.parent.name}' was given up: {what}. It is damaged, or larger "
        "than any run this reader was made for: export it as mzML and read that.",
        path=path.parent,
        reason="limit",
    )
