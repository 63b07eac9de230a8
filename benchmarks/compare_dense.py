"""Dense comparison, side by side with what a user would use instead.

Run it with ``python benchmarks/compare_dense.py``; ``--quick`` takes few profiles. Every pair of
contenders is timed in turn, A B A B ..., so that a machine whose speed drifts slows both; the
ratios are what to quote. The best run of each counts, the first, in which code is compiled, does
not. `rows` is what other benchmarks import.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist, squareform

from drugsig.comparison import compare, fast_forms, get_metric
from drugsig.comparison.condensed import condensed_scores
from drugsig.comparison.fast_forms import compiled_form
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

# How many times faster than pdist: by metric and precision, and whether it needs the extra fast.
GOALS = {
    ("pearson_distance", "double"): (4.0, False),
    ("manhattan", "single"): (3.0, True),
    ("canberra", "single"): (3.0, True),
}

# Condensed scores that are measured, in this order.
CONDENSED = (
    ("pearson_distance", "double"),
    ("pearson_distance", "single"),
    ("cosine_distance", "double"),
    ("euclidean", "double"),
    ("manhattan", "double"),
    ("manhattan", "single"),
    ("canberra", "double"),
    ("canberra", "single"),
    ("bray_curtis", "double"),
)
MATRICES = ("pearson_distance", "manhattan")
WITHOUT_FAST = (("manhattan", "double"), ("canberra", "double"), ("canberra", "single"))

TARGETS = 30
# No seed that anything was tuned with.
SEED = 81_173


def in_turn(
    first: Callable[[], object], second: Callable[[], object], runs: int
) -> tuple[float, float]:
    """Return the least seconds of both, timed in turn."""
    best = [np.inf, np.inf]
    for run in range(runs + 1):
        for k, contender in enumerate((first, second)):
            start = time.perf_counter()
            contender()
            took = time.perf_counter() - start
            # The first run warms up: code is compiled, or what was compiled before is loaded.
            if run:
                best[k] = min(best[k], took)
    return best[0], best[1]


def made_profiles(n: int, p: int, seed: int) -> ProfileSet:
    """Return profiles of production batches, sum-normalised, fourth root.

    Batches of 1 to 50 with sizes as s^-1.2, between them log-normal with standard deviation 1, of
    which six shared factors carry 60 %; within them 10 to 20 %; 17 % of the targets absent.
    """
    rng = np.random.default_rng(seed)
    sizes = np.arange(1, 51)
    share = sizes**-1.2
    drawn = rng.choice(sizes, size=n, p=share / share.sum())
    batch = np.repeat(np.arange(n), drawn)[:n]
    n_batches = int(batch[-1]) + 1
    loadings = rng.normal(size=(6, p))
    loadings /= np.sqrt((loadings**2).sum(axis=0))
    logs = np.sqrt(0.6) * rng.normal(size=(n_batches, 6)) @ loadings
    logs += np.sqrt(0.4) * rng.normal(size=(n_batches, p))
    present = rng.random((n_batches, p)) >= 0.17
    spread = rng.uniform(0.1, 0.2, size=p)
    values = np.exp(logs[batch] + spread * rng.normal(size=(n, p))) * present[batch]
    values = (values / values.sum(axis=1, keepdims=True)) ** 0.25
    order = rng.permutation(n)
    names = [f"T{k:02d}" for k in range(p)]
    return ProfileSet(values[order], names, [str(k) for k in range(n)])


@contextmanager
def without_fast() -> Iterator[None]:
    """Take the extra fast away for a while."""
    found = fast_forms.has_numba
    fast_forms.has_numba = lambda: False
    try:
        yield
    finally:
        fast_forms.has_numba = found


def row(
    work: str,
    ours: tuple[str, Callable[[], object]],
    peer: tuple[str, Callable[[], object]],
    *,
    runs: int,
    goal: float | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Measure one row of the table; `ratio` says how many times faster we are."""
    ours_s, peer_s = in_turn(ours[1], peer[1], runs)
    return {
        "work": work,
        "ours": ours[0],
        "peer": peer[0],
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "goal": goal,
        "note": note,
    }


def how(metric: str, n: int) -> str:
    """Say how n profiles are scored by the definition."""
    form = compiled_form(get_metric(metric), n * (n - 1) // 2)
    return "numpy only" if form is None else "compiled"


def rows(quick: bool) -> list[dict[str, Any]]:
    """Measure dense comparison.

    Parameters
    ----------
    quick : bool
        Few profiles and runs, to see that everything works; the ratios mean little then.

    Returns
    -------
    list of dict
        One a row: what was done (`work`), by whom (`ours`, `peer`), in how many seconds (`ours_s`,
        `peer_s`), how many times faster we are (`ratio`) and are meant to be (`goal`, None where
        nothing is), and a `note`.
    """
    n, n_matrix, runs = (2_000, 1_000, 1) if quick else (20_000, 10_000, 3)
    installed = importlib.util.find_spec("numba") is not None
    few = "too few to mean anything; " if quick else ""
    profiles, fewer = made_profiles(n, TARGETS, SEED), made_profiles(n_matrix, TARGETS, SEED + 1)
    table = []

    def condensed(metric: str, precision: str, note: str, goal: float | None) -> dict[str, Any]:
        def ours() -> object:
            return condensed_scores(profiles, metric=metric, precision=precision, progress=False)

        return row(
            f"dense {metric}, {n:,} x {TARGETS}, condensed, {precision}",
            ("condensed_scores", ours),
            ("scipy pdist, double", lambda: pdist(profiles.values, PEERS[metric])),
            runs=runs,
            goal=goal,
            note=note,
        )

    for metric, precision in CONDENSED:
        goal, needs_fast = GOALS.get((metric, precision), (None, False))
        products = metric in ("pearson_distance", "cosine_distance")
        note = few + ("matrix products" if products else how(metric, len(profiles)))
        table.append(
            condensed(metric, precision, note, goal if installed or not needs_fast else None)
        )
    if installed:
        with without_fast():
            table += [condensed(*w, f"{few}without the extra fast", None) for w in WITHOUT_FAST]
    for metric in MATRICES:
        table.append(
            row(
                f"dense {metric}, {n_matrix:,} x {TARGETS}, matrix, double",
                ("compare", lambda metric=metric: compare(fewer, metric=metric, progress=False)),
                (
                    "scipy squareform(pdist)",
                    lambda metric=metric: squareform(pdist(fewer.values, PEERS[metric])),
                ),
                runs=runs,
                note=few + how(metric, len(fewer)),
            )
        )
    return table


def entry_rows(quick: bool) -> list[dict[str, Any]]:
    """Measure what comes before a comparison: the import, and reading a workbook."""
    runs = 1 if quick else 5

    def python(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    table = [
        row(
            "import",
            ("import drugsig", python("import drugsig")),
            ("import numpy, pandas", python("import numpy, pandas")),
            runs=runs,
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        workbook = Path(folder) / "made.xlsx"
        made_profiles(400, 10, SEED).to_frame().reset_index().to_excel(workbook, index=False)
        table.append(
            row(
                "read a workbook, 400 x 10",
                ("read_profiles", lambda: read_profiles(workbook)),
                ("pandas.read_excel", lambda: pd.read_excel(workbook)),
                runs=runs,
            )
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few profiles, one run")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    for one in [*entry_rows(options.quick), *rows(options.quick)]:
        goal = "" if one["goal"] is None else f" (goal {one['goal']:g})"
        print(
            f"{one['work']:62} {one['ours_s']:7.3f} s  {one['peer']:24} {one['peer_s']:7.3f} s  "
            f"{one['ratio']:5.1f} times{goal}  {one['note']}"
        )


if __name__ == "__main__":
    main()
