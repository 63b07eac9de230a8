"""The ROC grid of a published study, against what it took in R.

Three pretreatments, five metrics and four population rules on 434 specimens: 60 areas under the ROC
curve. Run it with ``python benchmarks/study_grid.py``; the workbook of the study is used where
``--workbook`` or the variable DRUGSIG_REFERENCE_DATA names it, else made profiles like them.

R with pROC took 5.2 s of processor time on a machine of this kind (two x86-64 cores). Processor
seconds are compared, because they suffer least from other work on the machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
import warnings
from pathlib import Path

import numpy as np

import drugsig
from drugsig.errors import DrugsigWarning
from drugsig.study import run_study

R_SECONDS = 5.2

RECIPES = {"sum": "sum", "root": "sum | square_root", "fourth root": "sum | fourth_root"}
METRICS = [
    "canberra_r", "euclidean", "manhattan", "squared_cosine_distance", "pearson_distance_percent",
]  # fmt: skip
RULES = ["R1", "R2", "R3", "R4"]


def studied_profiles(workbook: Path | None) -> drugsig.ProfileSet:
    """Return the profiles of the study without V04, or made ones of the same shape."""
    if workbook is not None:
        read = drugsig.read_profiles(
            workbook, sheet="GCMS", metadata_sheet="Lookup", id_column="Specimen"
        )
        return read.keep_targets([n for n in read.target_names if n != "V04"])
    rng = np.random.default_rng(0)
    sizes = np.concatenate([np.ones(312, dtype=int), np.resize([2, 3, 4], 35), [18]])
    group = np.repeat(np.arange(len(sizes)), sizes)
    n = len(group)
    values = rng.lognormal(size=(n, 9))
    values[rng.random(values.shape) < 0.5] = 0.0
    values[:, 8] += 0.01
    routes = {c: [str(x) for x in rng.integers(4, size=n)] for c in ("PriR", "Pre", "PreR")}
    metadata = {"profile_id": [f"S{k:03d}" for k in range(n)], "Group": [f"G{g}" for g in group]}
    return drugsig.ProfileSet(
        values, [f"V{k:02d}" for k in range(9)], {**metadata, **routes}, name="made"
    )


def seconds_of(profiles: drugsig.ProfileSet, runs: int, **settings: int) -> tuple[float, float]:
    """Return the median processor and clock seconds of the grid."""
    took = []
    for _ in range(runs + 1):
        clock, processor = time.perf_counter(), time.process_time()
        study = run_study(
            profiles, RECIPES, METRICS, RULES, rng=np.random.default_rng(1), progress=False,
            **settings,
        )  # fmt: skip
        took.append((time.process_time() - processor, time.perf_counter() - clock))
        assert len(study.table) == 60
    # The first run imports and warms up.
    return statistics.median(t[0] for t in took[1:]), statistics.median(t[1] for t in took[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workbook", type=Path, help="Profiles.xlsx of the study")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument(
        "--full", action="store_true", help="also with intervals and the nested choice"
    )
    options = parser.parse_args()
    workbook = options.workbook
    named = os.environ.get("DRUGSIG_REFERENCE_DATA")
    if workbook is None and named:
        workbook = Path(named) / "methamphetamine_simulated" / "Profiles.xlsx"
    warnings.simplefilter("ignore", DrugsigWarning)
    profiles = studied_profiles(workbook)
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    print(f"{profiles!r}, 60 combinations")
    processor, clock = seconds_of(profiles, options.runs, n_folds=0, n_resamples=0)
    print(
        f"areas alone        {processor:6.3f} s of processor time, {clock:6.3f} s by the clock; "
        f"R {R_SECONDS} s: {R_SECONDS / processor:.1f} times faster"
    )
    if options.full:
        for workers in (1, 2):
            processor, clock = seconds_of(profiles, 1, workers=workers)
            print(
                f"with intervals and 5 x 5 folds, {workers} worker(s): {processor:6.2f} s of "
                f"processor time, {clock:6.2f} s by the clock"
            )


if __name__ == "__main__":
    main()
