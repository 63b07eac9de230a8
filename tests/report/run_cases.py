"""Analyses of runs made by hand: peak tables beside the profiles of the other cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drugsig import ProfileSet, Status
from drugsig.acquisition.peak_table import PeakTable
from drugsig.analysis import Analysis, RunsRead
from drugsig.protocols import Protocol
from tests.plot.peak_tables import peak_table
from tests.report.cases import analysis_of, raw_profiles

STANDARD = "tetracosane"
KINDS = {"P000": "blank run", "P001": "control sample", "P002": "control sample"}


def protocol_of(profiles: ProfileSet, *, verified: bool = True) -> Protocol:
    """Return a protocol of the targets of these profiles."""
    known = {"source": "laboratory", "verified": verified}
    targets = [
        {
            "name": t.name,
            "role": t.role,
            "source": "laboratory",
            "verified": True,
            "quantifier": {"mz": [100 + k], "rule": "single", **known},
            "retention": {"time_s": 60 + 40 * k, "time_window_s": 6, **known},
        }
        for k, t in enumerate(profiles.targets)
    ]
    fact = {"source": "laboratory", "verified": True}
    return Protocol.from_data(
        {
            "drugsig": {"format": 1},
            "protocol": {
                "name": "made",
                "version": "3",
                "technique": "gc_ms",
                "drug": "cocaine",
                "title": "A method made for tests",
            },
            "sources": {"laboratory": {"citation": "nobody's method", "read": "whole"}},
            "method": {
                "column": {"value": "5 % phenyl", **known},
                "internal_standard": {"value": STANDARD, **fact},
            },
            "comparison": {
                "recipe": {"value": "sum | fourth_root", **fact},
                "metric": {"value": "pearson_distance", **fact},
                "min_measured": {"value": 5, **fact},
            },
            "quality": [
                {"what": "resolution", "limit": 1.5, "unit": "1", "action": "flag", **fact}
            ],
            "targets": targets,
        }
    )


def run_profiles() -> ProfileSet:
    """Return the profiles of the other cases with an internal standard and a sequence."""
    raw = raw_profiles()
    values = np.column_stack([raw.values, 1000.0 + np.arange(len(raw)) % 7])
    values[5, -1] = 300.0
    made = ProfileSet(values, [*raw.target_names, STANDARD], raw.profiles, name="runs")
    made = made.with_roles({"cocaine": "main", STANDARD: "internal_standard"})
    return made.with_column("sequence", ["A" if k < 15 else "B" for k in range(len(made))])


def with_runs(
    *,
    verified: bool = True,
    errors: Sequence[tuple[str, str]] = (),
    kinds: dict[str, str] | None = None,
) -> Analysis:
    """Return an analysis of runs: a blank that is full, two controls, a rejected cell."""
    profiles = run_profiles()
    kinds = KINDS if kinds is None else kinds
    runs = RunsRead(protocol_of(profiles, verified=verified), _tables(profiles), kinds,
                    tuple(errors))  # fmt: skip
    return analysis_of(profiles, recipe="sum | fourth_root", runs=runs)


def _tables(profiles: ProfileSet) -> tuple[PeakTable, ...]:
    return tuple(
        peak_table(
            f"{name}.cdf",
            [float(v) if np.isfinite(v) else 0.0 for v in profiles.values[row]],
            targets=profiles.target_names,
            roles=[t.role for t in profiles.targets],
            status={3: Status.REJECTED} if name == "P010" else None,
        )
        for row, name in enumerate(profiles.ids)
    )
