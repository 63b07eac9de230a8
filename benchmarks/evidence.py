"""Likelihood ratios and the grid of a study, as rows of the table of measurements."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import study_grid, two_level_lr


def _each(between: str, n_sources: int, n_pairs: int, runs: int) -> tuple[float, float]:
    """Return the seconds a pair, all at once and one by one."""
    work = two_level_lr.made(n_sources, 8, n_pairs)
    model = work.fit(between)
    few = 20
    fast, slow = two_level_lr.in_turn(
        [lambda: work.pairs(model), lambda: work.long_way(model, few)], runs
    )
    return statistics.median(fast) / n_pairs, statistics.median(slow) / few


def _beside_lir(runs: int) -> tuple[float, float] | None:
    """Return the seconds a pair of ours and of lir; None where it is not installed."""
    try:
        from lir.lrsystems.two_level import TwoLevelModelNormalKDE
    except ImportError:
        return None
    work, many = two_level_lr.made(2000, 8, 200), two_level_lr.made(2000, 8, 20_000)
    model = work.fit("kernel")
    theirs = TwoLevelModelNormalKDE().fit_on_unpaired_instances(work.values, np.array(work.sources))
    a, b = work.measured[work.first][:, None, :], work.measured[work.second][:, None, :]
    fast, slow = two_level_lr.in_turn(
        [lambda: many.pairs(model), lambda: theirs.transform(b, a)], runs
    )
    return statistics.median(fast) / 20_000, statistics.median(slow) / 200


def rows(quick: bool) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    runs = 3 if quick else 5
    out: list[dict[str, Any]] = []
    for between, unit, scale, goal in (
        ("normal", "ns", 1e9, "at most 50 ns"),
        ("kernel", "us", 1e6, "at most 30 us"),
    ):
        n_pairs = (100_000 if quick else 1_000_000) if between == "normal" else 20_000
        fast, slow = _each(between, 2000, n_pairs, runs)
        out.append(
            {
                "work": f"two-level LR, {between}, 8 targets, 2,000 sources, a pair",
                "ours": f"{fast * scale:.1f} {unit}",
                "peer": f"one pair after the other: {slow * 1e6:.0f} us",
                "ratio": slow / fast,
                "goal": goal,
                "note": "one replicate each",
            }
        )
    lir = _beside_lir(runs)
    if lir is not None:
        out.append(
            {
                "work": "two-level kernel LR, 8 targets, 2,000 sources, a pair, beside lir",
                "ours": f"{lir[0] * 1e6:.1f} us",
                "peer": f"lir: {lir[1] * 1e6:.0f} us",
                "ratio": lir[1] / lir[0],
                "goal": "30 times",
                "note": "",
            }
        )
    named = os.environ.get("DRUGSIG_REFERENCE_DATA")
    workbook = Path(named) / "methamphetamine_simulated" / "Profiles.xlsx" if named else None
    profiles = study_grid.studied_profiles(workbook)
    processor, clock = study_grid.seconds_of(profiles, runs, n_folds=0, n_resamples=0)
    out.append(
        {
            "work": "ROC grid of a published study: 3 recipes x 5 metrics x 4 rules",
            "ours": f"{processor:.2f} s of processor time",
            "peer": f"R with pROC: {study_grid.R_SECONDS} s, measured before",
            "ratio": study_grid.R_SECONDS / processor,
            "goal": "20 times",
            "note": f"{clock:.2f} s by the clock",
        }
    )
    return out
