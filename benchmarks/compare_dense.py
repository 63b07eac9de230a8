"""Reading a workbook and dense comparison, side by side with what a user would use instead.

Run it with ``python benchmarks/compare_dense.py``. Every pair of contenders is timed in turn, A B A
B ..., so that a machine whose speed drifts slows both; the ratios are what to quote.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist

from drugsig.comparison import compare
from drugsig.profiles import ProfileSet
from drugsig.profiles.tables import read_profiles

# scipy's name of the same metric.
PEERS = {
    "pearson_distance": "correlation",
    "cosine_distance": "cosine",
    "euclidean": "euclidean",
    "manhattan": "cityblock",
    "canberra": "canberra",
    "bray_curtis": "braycurtis",
}


def in_turn(
    first: Callable[[], object], second: Callable[[], object], runs: int
) -> tuple[float, float, float]:
    """Return the median seconds of both and the median ratio, timed in turn."""
    seconds: list[tuple[float, float]] = []
    first()
    second()
    for _ in range(runs):
        took = []
        for contender in (first, second):
            start = time.perf_counter()
            contender()
            took.append(time.perf_counter() - start)
        seconds.append((took[0], took[1]))
    a, b = (statistics.median(s[k] for s in seconds) for k in (0, 1))
    return a, b, statistics.median(x / y for x, y in seconds)


def made_profiles(n: int, p: int, seed: int) -> ProfileSet:
    """Return n log-normal profiles of p targets, 17 % zeros, sum-normalised, fourth root."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(size=(n, p))
    values[rng.random(values.shape) < 0.17] = 0.0
    values = (values / values.sum(axis=1, keepdims=True)) ** 0.25
    return ProfileSet(values, [f"T{k:02d}" for k in range(p)], [str(k) for k in range(n)])


def import_ratio(runs: int) -> tuple[float, float, float]:
    """Time ``import drugsig`` against ``import numpy, pandas`` in new processes."""

    def run(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    return in_turn(run("import drugsig"), run("import numpy, pandas"), runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=4000)
    parser.add_argument("--targets", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workbook", type=Path, help="a workbook to read instead of a made one")
    parser.add_argument("--sheet")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    a, b, ratio = import_ratio(options.runs)
    print(f"{'import drugsig / numpy + pandas':38} {a:8.3f} s {b:8.3f} s  ratio {ratio:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        workbook, sheet = options.workbook, options.sheet
        if workbook is None:
            workbook, sheet = Path(folder) / "made.xlsx", "Sheet1"
            frame = made_profiles(400, 10, 0).to_frame().reset_index()
            frame.to_excel(workbook, index=False)
        a, b, ratio = in_turn(
            lambda: read_profiles(workbook, sheet=sheet),
            lambda: pd.read_excel(workbook, sheet_name=sheet),
            options.runs,
        )
        print(f"{'read_profiles / pandas.read_excel':38} {a:8.3f} s {b:8.3f} s  ratio {ratio:.2f}")
    profiles = made_profiles(options.profiles, options.targets, 1)
    pairs = len(profiles) * (len(profiles) - 1) / 2
    for metric, peer in PEERS.items():
        a, b, ratio = in_turn(
            lambda metric=metric: compare(profiles, metric=metric),
            lambda peer=peer: pdist(profiles.values, peer),
            options.runs,
        )
        mine, theirs = a / pairs * 1e9, b / pairs * 1e9
        print(
            f"{f'compare {metric} / pdist {peer}':38} {mine:6.1f} ns {theirs:6.1f} ns a pair  "
            f"ratio {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
