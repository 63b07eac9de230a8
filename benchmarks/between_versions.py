"""Two installed versions of drugsig side by side: what became faster, what slower.

    python benchmarks/between_versions.py OLD_PYTHON NEW_PYTHON [--runs 5] [--only links ...]

Each job runs in a process of its own with each of the two interpreters in turn, one untimed time
first. The ratio is the old version's median over the new one's: above 1 the new one is faster. The
jobs use names of the public interface that both versions have.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "data" / "examples"
SEED = 314_159
AT_LEAST_S = 2.0


def _drawn(n: int):  # type: ignore[no-untyped-def]  # of whichever version is imported
    import drugsig
    from drugsig.datasets import simulate_values

    values = simulate_values(rng=np.random.default_rng(SEED), n_profiles=n, between="factor").values
    values = np.sqrt(np.sqrt(values / values.sum(axis=1, keepdims=True)))
    names = [f"T{k:02d}" for k in range(values.shape[1])]
    return drugsig.ProfileSet(values, names, [f"P{k:07d}" for k in range(n)])


def _links(n: int, metric: str, threshold: float) -> Callable[[], object]:
    import drugsig

    profiles = _drawn(n)
    return lambda: drugsig.links(profiles, metric=metric, threshold=threshold, progress=False)


def _dense(n: int, metric: str) -> Callable[[], object]:
    import drugsig

    profiles = _drawn(n)
    return lambda: drugsig.compare(profiles, metric=metric)


def _condensed(n: int, metric: str) -> Callable[[], object]:
    import drugsig

    profiles = _drawn(n)
    return lambda: drugsig.condensed_scores(profiles, metric=metric)


def _nearest(n: int, asked: int) -> Callable[[], object]:
    import drugsig

    profiles = _drawn(n)
    questioned = profiles.select(profiles.ids[:asked])
    index = drugsig.build_index(profiles, metric="pearson")
    return lambda: index.nearest(questioned, k=20, progress=False)


def _one_new(n: int) -> Callable[[], object]:
    import drugsig

    profiles = _drawn(n)
    ones = [profiles.select([name]) for name in profiles.ids[:20]]
    index = drugsig.build_index(profiles, metric="pearson")
    return lambda: [index.links(one, threshold=0.99) for one in ones]


def _group(n: int) -> Callable[[], object]:
    import drugsig

    found = drugsig.links(_drawn(n), metric="pearson_distance", threshold=0.002, progress=False)
    profiles = _drawn(n)
    return lambda: drugsig.group_links(found, profiles)


def _analyse(name: str) -> Callable[[], object]:
    import drugsig

    def work() -> None:
        with TemporaryDirectory() as folder:
            out = Path(folder) / "result"
            drugsig.analyse(EXAMPLES / name / "analysis.toml", out=out, progress=False)

    return work


def _read() -> Callable[[], object]:
    import drugsig

    book = EXAMPLES / "profiles" / "seizures.xlsx"
    return lambda: drugsig.read_profiles(book, sheet="Profiles", metadata_sheet="Cases")


def _write(n: int) -> Callable[[], object]:
    import drugsig

    profiles = _drawn(n)

    def work() -> None:
        with TemporaryDirectory() as folder:
            drugsig.write_profiles(profiles, Path(folder) / "profiles.csv")

    return work


def _select(n: int) -> Callable[[], object]:
    profiles = _drawn(n)
    half = profiles.ids[::2]
    return lambda: profiles.select(half)


def _validate() -> Callable[[], object]:
    from drugsig import workflow

    source = EXAMPLES / "validation" / "validation.toml"
    return lambda: workflow.validate_method(source, progress=False)


def _two_level(between: str, n_pairs: int) -> Callable[[], object]:
    from benchmarks import two_level_lr

    work = two_level_lr.made(2000, 8, n_pairs)
    model = work.fit(between)
    return lambda: work.pairs(model)


def _learn() -> Callable[[], object]:
    import drugsig
    from drugsig.workflow import read_rule

    profiles = drugsig.read_profiles(EXAMPLES / "validation" / "profiles.csv")
    treated = drugsig.pretreat(profiles, "sum | fourth_root")
    comparison = drugsig.compare(treated, metric="pearson_distance")
    rule = read_rule(EXAMPLES / "validation" / "validation.toml")
    sample = drugsig.pair_sample(comparison, treated, rule)
    return lambda: drugsig.learn_threshold(sample, rng=np.random.default_rng(1))


JOBS: dict[str, Callable[[], Callable[[], object]]] = {
    "links, Pearson, 200,000": lambda: _links(200_000, "pearson", 0.99),
    "links, Manhattan, 20,000": lambda: _links(20_000, "manhattan", 1.0),
    "links, Canberra, 20,000": lambda: _links(20_000, "canberra", 2.0),
    "compare, Pearson, 4,000": lambda: _dense(4_000, "pearson"),
    "compare, Euclid, 4,000": lambda: _dense(4_000, "euclidean"),
    "compare, Manhattan, 4,000": lambda: _dense(4_000, "manhattan"),
    "compare, Canberra, 4,000": lambda: _dense(4_000, "canberra"),
    "condensed, Pearson, 10,000": lambda: _condensed(10_000, "pearson"),
    "condensed, Manhattan, 10,000": lambda: _condensed(10_000, "manhattan"),
    "nearest 20 of 100,000, 1,000": lambda: _nearest(100_000, 1_000),
    "links of one in 200,000, 20 times": lambda: _one_new(200_000),
    "group_links, 200,000": lambda: _group(200_000),
    "analyse, table": lambda: _analyse("profiles"),
    "analyse, runs": lambda: _analyse("casework"),
    "read a workbook": _read,
    "write 20,000 profiles": lambda: _write(20_000),
    "select of 100,000": lambda: _select(100_000),
    "learn a threshold": _learn,
    "validate": _validate,
    "two-level LR, normal": lambda: _two_level("normal", 1_000_000),
    "two-level LR, kernel": lambda: _two_level("kernel", 20_000),
}


def run_job(name: str) -> tuple[float, float]:
    """Return the least seconds of one job in this process, of the clock and of the processor."""
    warnings.simplefilter("ignore")
    work = JOBS[name]()
    work()
    best, busy, began = math.inf, math.inf, time.perf_counter()
    # Short jobs several times: what else the machine does only ever adds.
    while best == math.inf or time.perf_counter() - began < AT_LEAST_S:
        start, used = time.perf_counter(), time.process_time()
        work()
        best = min(best, time.perf_counter() - start)
        busy = min(busy, time.process_time() - used)
    return best, busy


def seconds(python: str, name: str, *, compiled: bool) -> tuple[float, float]:
    """Return the seconds of one job with one interpreter, of the clock and of the processor."""
    hide = "" if compiled else "sys.modules['numba'] = None; "
    code = (
        f"import sys, json; {hide}sys.path.insert(0, {str(ROOT)!r}); "
        f"from benchmarks.between_versions import run_job; print(json.dumps(run_job({name!r})))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} with {python}: {done.stderr.strip().splitlines()[-1]}")
    clock, processor = json.loads(done.stdout.splitlines()[-1])
    return float(clock), float(processor)


def main() -> int:
    parser = argparse.ArgumentParser(description="Time two installed versions in turn.")
    parser.add_argument("old", help="the Python that has the old version")
    parser.add_argument("new", help="the Python that has the new one")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="words of the jobs wanted")
    chosen = parser.parse_args()
    ratios: tuple[list[float], list[float]] = ([], [])
    print(f"{'job':45}{'old s':>9}{'new s':>9}{'old/new':>9}{'processor':>11}")
    for name in JOBS:
        if chosen.only and not any(word in name for word in chosen.only):
            continue
        searches = name.startswith(("links", "nearest", "compare", "condensed"))
        for compiled in (True, False) if searches else (True,):
            old, new = [], []
            for _ in range(chosen.runs):
                old.append(seconds(chosen.old, name, compiled=compiled))
                new.append(seconds(chosen.new, name, compiled=compiled))
            a, b = (np.median(runs, axis=0) for runs in (old, new))
            for kept, ratio in zip(ratios, a / b, strict=True):
                kept.append(float(ratio))
            told = name if compiled else f"{name}, numpy only"
            print(
                f"{told:45}{a[0]:9.3f}{b[0]:9.3f}{ratios[0][-1]:9.2f}{ratios[1][-1]:11.2f}",
                flush=True,
            )
    for what, kept in zip(("the clock", "the processor"), ratios, strict=True):
        mean = math.exp(statistics.fmean(math.log(r) for r in kept))
        print(f"by {what}: geometric mean of {len(kept)} ratios {mean:.3f}, least {min(kept):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
