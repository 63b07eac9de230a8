"""Extraction of 30 targets from runs in memory, and the memory of a long stream of scans.

Run it with ``python benchmarks/extract_runs.py``. A run has 5,000 scans of 400 to 500 points, each
target a quantifier and two qualifiers, every window something to integrate. The second figure is
the largest memory that Python holds while a run of 2 GB passes through scan by scan.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
import tracemalloc
from collections.abc import Iterator

import numpy as np

from drugsig.acquisition.extraction import extract_run
from drugsig.acquisition.run import Run, RunMetadata, Scan
from drugsig.acquisition.target_window import Qualifier, TargetWindow


def made_targets(count: int, start_s: float, stop_s: float) -> tuple[TargetWindow, ...]:
    """Return targets at even distances with ions of their own."""
    times = np.linspace(start_s, stop_s, count + 2)[1:-1]
    return tuple(
        TargetWindow(
            f"T{k:02d}",
            float(t),
            8.0,
            (60.0 + 7 * k,),
            (Qualifier(61.0 + 7 * k, 0.6), Qualifier(63.0 + 7 * k, 0.3)),
            tolerance=0.4,
        )
        for k, t in enumerate(times)
    )


def made_run(scans: int, targets: tuple[TargetWindow, ...], seed: int) -> Run:
    """Return a run with noise at 500 m/z, of which a tenth of the points is missing, and peaks."""
    rng = np.random.default_rng(seed)
    times = 120.0 + 0.35 * np.arange(scans, dtype=np.float64)
    mz = 40.0 + np.arange(500) + 0.1
    table = rng.normal(500.0, 40.0, size=(scans, len(mz)))
    for t in targets:
        shape = 2e4 * np.exp(-0.5 * ((times - t.retention_time_s) / 1.6) ** 2)
        for ion, share in ((t.quantifier[0], 1.0), *((q.mz, q.ratio) for q in t.qualifiers)):
            table[:, int(np.abs(mz - ion).argmin())] += share * shape
    keep = (rng.random(table.shape) > 0.1) | np.isin(
        np.floor(mz), [q for t in targets for q in (*t.quantifier, *(k.mz for k in t.qualifiers))]
    )
    counts = keep.sum(axis=1)
    return Run(
        scan_times_s=times,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        mz=np.broadcast_to(mz, table.shape)[keep].copy(),
        intensity=np.maximum(table[keep], 0.0),
        stated_tic=np.full(scans, np.nan),
        metadata=RunMetadata("made.cdf", "0" * 64, "andi_ms"),
    )


def long_stream(scans: int, points: int) -> Iterator[Scan]:
    """Yield scans without keeping them."""
    rng = np.random.default_rng(0)
    mz = 40.0 + 0.1 * np.arange(points, dtype=np.float64)
    for k in range(scans):
        yield Scan(k, 120.0 + 0.35 * k, mz, rng.random(points))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=5000)
    parser.add_argument("--targets", type=int, default=30)
    parser.add_argument("--runs", type=int, default=50)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    span = 120.0 + 0.35 * options.scans
    targets = made_targets(options.targets, 120.0, span)
    run = made_run(options.scans, targets, 1)
    table = extract_run(run, targets)
    print(f"{run!r}\n{table!r}")
    took = []
    for _ in range(options.runs):
        start = time.perf_counter()
        extract_run(run, targets)
        took.append(time.perf_counter() - start)
    # The fastest run is what the work costs; the median also counts what else the machine does.
    for what, seconds in (("fastest", min(took)), ("median", statistics.median(took))):
        print(f"in memory, {what}: {1e3 * seconds:.1f} ms a run, {1 / seconds:.0f} runs a second")
    start = time.perf_counter()
    extract_run(iter(run), targets)
    print(f"the same scan by scan: {1e3 * (time.perf_counter() - start):.0f} ms")
    scans, points = 20000, 6250
    few = made_targets(options.targets, 120.0, 120.0 + 0.35 * scans)
    tracemalloc.start()
    extract_run(long_stream(scans, points), few)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = scans * points * 16 / 1e9
    print(f"stream of {size:.1f} GB of points: at most {peak / 1e6:.0f} MB held")


if __name__ == "__main__":
    main()
