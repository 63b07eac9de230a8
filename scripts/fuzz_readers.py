"""Feed damaged files to every reader of runs: each must give a run or a named error, and soon.

Run it with ``python scripts/fuzz_readers.py --seconds 60`` (or ``--files 10000``), for each reader.
Files are changed by flipped bits, truncation, repeated, lost and zeroed blocks, and numbers that
are replaced by extreme ones. Everything follows from the seed. Each reader works in a process of
its own, so that one that hangs, dies or fills the memory is found out, stopped and started again.
Small files that the tests know how to write are the beginning; real ones are added where the
reference data are there. The exit code is 1 if anything but a result or a `DrugsigError` came out,
or took more than 10 s or 512 MB; what was found is kept in the folder given with ``--keep``.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.acquisition import run_files  # noqa: E402  # found through the line above
from tests.conftest import find_reference_data  # noqa: E402

SECONDS_A_FILE = 10.0
BYTES_A_FILE = 512 * 10**6
# Real files are cut to this, so that many are tried in the time.
MOST_SEED_BYTES = 200_000
EXTREMES = (-1, 0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, -(2**31), 0x40000000)
TEXT_EXTREMES = (
    b"-1", b"0", b"1e308", b"nan", b"-inf", b"99999999999999999999", b"", b"0x10", b"1_0",
    b"4294967296", b"2147483647", b"1e-320",
)  # fmt: skip


# -- seeds -----------------------------------------------------------------------------------


def made_seeds() -> dict[str, list[bytes]]:
    """Return the files that the tests write, a list a reader."""
    some = run_files.spectra()
    form = run_files.MzmlForm
    return {
        "andi_ms": [
            run_files.andi_ms(some),
            run_files.andi_ms(some, version=2, records=False, number="f8", scale=0.5, gap=1),
        ],
        "andi_chromatography": [
            run_files.andi_trace([1.0, 5.0, 9.0, 2.0] * 20, peaks=[(2.0, 30.0), (9.0, 4.0)])
        ],
        "mzml": [
            run_files.mzml(some),
            run_files.mzml(some, form(number="f4", deflate=False, unit="minute")),
        ],
        "mzxml": [
            run_files.mzxml(some),
            run_files.mzxml(some, precision=32, deflate=False),
        ],
        "jcamp_dx": [run_files.jcamp(some), run_files.jcamp(some, end=False)],
        "agilent_d": [],
    }


def seeds() -> dict[str, list[bytes]]:
    """Return the files that are changed, a list a reader."""
    found = made_seeds()
    reference = find_reference_data()
    if reference is not None:
        raw = reference / "raw"
        for reader, names in {
            "andi_ms": sorted((raw / "andi_ms").iterdir()),
            "andi_chromatography": sorted((raw / "andi_chromatography").iterdir()),
            "jcamp_dx": sorted((raw / "jcamp_dx").iterdir()),
            "agilent_d": [
                raw / "agilent_d" / "yellow.D" / name for name in ("dataSim.ms", "FID1A.ch")
            ],
        }.items():
            for path in names:
                data = path.read_bytes()
                if len(data) <= MOST_SEED_BYTES or reader == "jcamp_dx":
                    found[reader].append(data[:MOST_SEED_BYTES])
    return found


# -- changes ---------------------------------------------------------------------------------


def flip_bits(data: bytearray, rng: np.random.Generator) -> None:
    """Flip a few bits."""
    for _ in range(int(rng.integers(1, 9))):
        data[int(rng.integers(0, len(data)))] ^= 1 << int(rng.integers(0, 8))


def set_bytes(data: bytearray, rng: np.random.Generator) -> None:
    """Overwrite a few bytes."""
    for _ in range(int(rng.integers(1, 5))):
        data[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))


def cut_off(data: bytearray, rng: np.random.Generator) -> None:
    """Cut off the end."""
    del data[int(rng.integers(0, len(data))) :]


def repeat_block(data: bytearray, rng: np.random.Generator) -> None:
    """Repeat a block."""
    start, stop = block(data, rng)
    data[stop:stop] = data[start:stop] * int(rng.integers(1, 4))


def lose_block(data: bytearray, rng: np.random.Generator) -> None:
    """Take out a block."""
    start, stop = block(data, rng)
    del data[start:stop]


def zero_block(data: bytearray, rng: np.random.Generator) -> None:
    """Overwrite a block with zeros."""
    start, stop = block(data, rng)
    data[start:stop] = bytes(stop - start)


def swap_number(data: bytearray, rng: np.random.Generator) -> None:
    """Replace a binary number, mostly in the header."""
    end = len(data) if rng.random() < 0.3 else min(len(data), 4000)
    place = int(rng.integers(0, max(end - 8, 1))) & ~3
    value = int(rng.choice(EXTREMES))
    order = "big" if rng.random() < 0.7 else "little"
    data[place : place + 4] = (value & 0xFFFFFFFF).to_bytes(4, order)


def swap_written_number(data: bytearray, rng: np.random.Generator) -> None:
    """Replace a number that is written in figures."""
    start = int(rng.integers(0, len(data)))
    match = re.search(rb"[-+]?\d+(?:\.\d+)?", bytes(data[start : start + 400]))
    if match:
        new = TEXT_EXTREMES[int(rng.integers(0, len(TEXT_EXTREMES)))]
        data[start + match.start() : start + match.end()] = new


CHANGES: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    flip_bits, set_bytes, cut_off, repeat_block, lose_block, zero_block, swap_number, swap_number,
    swap_written_number,
)  # fmt: skip


def block(data: bytearray, rng: np.random.Generator) -> tuple[int, int]:
    """Return a place in a file and one a little further on."""
    start = int(rng.integers(0, len(data)))
    return start, min(start + int(rng.geometric(0.01)), len(data))


def changed(originals: list[bytes], seed: int, reader: str, number: int) -> bytes:
    """Return file `number` of a reader: it follows from the seed alone."""
    rng = np.random.default_rng([seed, *reader.encode(), number])
    data = bytearray(originals[int(rng.integers(0, len(originals)))])
    for _ in range(int(rng.integers(1, 4))):
        if data:
            CHANGES[int(rng.integers(0, len(CHANGES)))](data, rng)
    return bytes(data)


# -- the process that reads ------------------------------------------------------------------


def put(reader: str, folder: Path, data: bytes) -> Path:
    """Write a file where the reader looks for it, and return what to read."""
    if reader != "agilent_d":
        path = folder / "file"
        path.write_bytes(data)
        return path
    run = folder / "run.D"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    (run / ("FID1A.ch" if data[:1] == b"\x03" else "data.ms")).write_bytes(data)
    return run


def judge(path: Path) -> str:
    """Read a file in every way there is, and say what came out."""
    from drugsig.acquisition import iter_scans, read_chromatogram, read_run
    from drugsig.errors import DrugsigError

    said = []
    for read in (read_run, lambda p: [scan.index for scan in iter_scans(p)], read_chromatogram):
        try:
            result = read(path)
        except DrugsigError as error:
            said.append(getattr(error, "reason", type(error).__name__))
        else:
            times = getattr(result, "scan_times_s", getattr(result, "times_s", np.arange(2)))
            values = getattr(result, "intensity", np.zeros(1))
            if not (np.diff(times) > 0).all() or not np.isfinite(values).all():
                raise AssertionError(f"{result!r} breaks its own rules")
            said.append("read")
    return "read" if "read" in said else said[0]


def work(reader: str, seed: int, first: int) -> None:
    """Read one file after the other, from `first` on, until stopped."""
    warnings.simplefilter("ignore")
    originals = seeds()[reader]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say({"ready": True})
        number = first
        while True:
            path = put(reader, folder, changed(originals, seed, reader, number))
            say({"begin": number})
            start = time.perf_counter()
            try:
                outcome = judge(path)
            except Exception as error:  # noqa: BLE001  # finding these is what this is for
                outcome = f"{type(error).__name__}: {error}"[:300]
                say({"end": number, "fault": outcome})
            else:
                say({"end": number, "outcome": outcome, "seconds": time.perf_counter() - start})
            number += 1


def say(message: dict[str, object]) -> None:
    """Tell the process that watches."""
    tell(json.dumps(message))


def tell(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


# -- the process that watches ----------------------------------------------------------------


@dataclass
class Tally:
    """What came of the files of one reader."""

    reader: str
    files: int = 0
    slowest: float = 0.0
    most_bytes: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)


def watch(reader: str, *, seed: int, seconds: float, files: int) -> Tally:
    """Let a process read damaged files, and start it again whenever it has to be stopped."""
    tally = Tally(reader)
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end and number < files:
        number = watch_one(tally, seed=seed, first=number, end=end, files=files)
    return tally


def watch_one(tally: Tally, *, seed: int, first: int, end: float, files: int) -> int:
    """Watch one process until it has to be stopped; return the number to go on from."""
    command = [sys.executable, __file__, "--worker", tally.reader, "--seed", str(seed)]
    child = subprocess.Popen([*command, "--first", str(first)], stdout=subprocess.PIPE)  # noqa: S603
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=listen, args=(child, lines), daemon=True).start()
    process = psutil.Process(child.pid)
    number, began, looked = first, None, 0.0
    try:
        while True:
            now = time.monotonic()
            if now - looked > 0.05 and began is not None:
                looked = now
                used = memory(process)
                tally.most_bytes = max(tally.most_bytes, used)
                if used > BYTES_A_FILE:
                    tally.faults.append((number, f"took {used / 1e6:.0f} MB"))
                    return number + 1
            if began is not None and now - began > SECONDS_A_FILE:
                tally.faults.append((number, f"took more than {SECONDS_A_FILE:.0f} s"))
                return number + 1
            try:
                line = lines.get(timeout=0.05)
            except queue.Empty:
                continue
            if not line:
                tally.faults.append((number, f"the process died with code {child.wait()}"))
                return number + 1
            message = json.loads(line)
            if "begin" in message:
                number, began = message["begin"], time.monotonic()
            elif "end" in message:
                began = None
                count(tally, message)
                if tally.files >= files or time.monotonic() > end:
                    return files
    finally:
        stop(process, child)


def count(tally: Tally, message: dict[str, object]) -> None:
    """Enter what came of a file."""
    tally.files += 1
    if "fault" in message:
        tally.faults.append((int(str(message["end"])), str(message["fault"])))
    else:
        tally.outcomes[str(message["outcome"])] += 1
        tally.slowest = max(tally.slowest, float(str(message["seconds"])))


def listen(child: subprocess.Popen[bytes], lines: queue.Queue[bytes]) -> None:
    """Hand on every line, and an empty one at the end."""
    for line in child.stdout or ():
        lines.put(line)
    lines.put(b"")


def memory(process: psutil.Process) -> int:
    """Return the memory of a process and of those it started."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def stop(process: psutil.Process, child: subprocess.Popen[bytes]) -> None:
    """End a process and those it started."""
    try:
        family = [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        family = []
    for each in family:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    child.wait()


def main() -> int:
    """Fuzz the readers, print a table, and return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="for each reader")
    parser.add_argument("--files", type=int, default=10**9, help="for each reader")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", action="append", help="only this one; may be repeated")
    parser.add_argument("--keep", type=Path, help="a folder for the files that were found")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        work(chosen.worker, chosen.seed, chosen.first)
        return 0
    originals = seeds()
    found = 0
    tell(
        f"{'reader':<20} {'files':>7} {'read':>7} {'errors':>7} {'slowest':>9} {'memory':>8}"
        "  findings"
    )
    for reader, files in originals.items():
        if chosen.reader and reader not in chosen.reader:
            continue
        if not files or (reader == "agilent_d" and find_spec("rainbow") is None):
            tell(f"{reader:<20} skipped: it needs the reference data and the extra 'vendor'")
            continue
        tally = watch(reader, seed=chosen.seed, seconds=chosen.seconds, files=chosen.files)
        read = tally.outcomes.pop("read", 0)
        tell(
            f"{reader:<20} {tally.files:>7} {read:>7} {tally.outcomes.total():>7} "
            f"{tally.slowest:>7.2f} s {tally.most_bytes / 1e6:>5.0f} MB  {len(tally.faults)}"
            f"   ({', '.join(f'{n} {what}' for what, n in tally.outcomes.most_common())})"
        )
        for number, what in tally.faults[:20]:
            tell(f"    file {number}: {what}")
            if chosen.keep:
                chosen.keep.mkdir(parents=True, exist_ok=True)
                data = changed(files, chosen.seed, reader, number)
                (chosen.keep / f"{reader}-{chosen.seed}-{number}").write_bytes(data)
        found += len(tally.faults)
    return 1 if found else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
