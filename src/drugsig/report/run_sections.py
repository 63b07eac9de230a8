"""The sections on runs: what was found in each, blanks, control samples, internal standards."""

from __future__ import annotations

from typing import Any

import numpy as np

from drugsig._words import count, listing, rate, score
from drugsig.acquisition.cell_reasons import Flag
from drugsig.analysis.run_cautions import blank_words
from drugsig.analysis.run_findings import ControlAgreement, RunFindings
from drugsig.protocols.display import harmonised_words
from drugsig.quality.run_findings import (
    BLANK,
    CONTROL,
    SAMPLE,
    WORST_FIRST,
    RunChecks,
)
from drugsig.report.data_sections import ROWS_SHOWN
from drugsig.report.protocol_section import DIGEST_SHOWN, protocol_section

__all__ = ["run_summary", "runs_section"]

# Of the flags of a run, so many kinds are named in the table; all are in quality.csv.
_MARKS_SHOWN = 3


def run_summary(found: RunFindings, /) -> list[tuple[str, str]]:
    """Return the rows on runs of the box at the top."""
    protocol, checks = found.protocol, found.checks
    blanks, controls = checks.of_kind(BLANK), checks.of_kind(CONTROL)
    samples = len(checks.runs) - len(blanks) - len(controls)
    told = f"{protocol.name}, version {protocol.version} ({protocol.digest[:DIGEST_SHOWN]})"
    runs = (
        f"{len(checks.runs):,} extracted: {count(samples, 'sample')}, "
        f"{count(len(blanks), 'blank run')}, {count(len(controls), 'control sample')}"
    )
    if found.errors:
        runs += f"; {len(found.errors):,} not read"
    rows = [("Protocol", told), ("Harmonised", harmonised_words(protocol)), ("Runs", runs)]
    if blanks:
        nothing = "no target but internal standards"
        rows.append(("In the blanks", listing(map(blank_words, checks.blanks), most=2) or nothing))
    agreement = found.agreement
    if agreement.worst is not None:
        alike = f"least alike pair {score(agreement.worst)}"
        meet = f"{agreement.n_meet} of {count(agreement.n_pairs, 'pair')} would be linked"
        rows.append(("Control samples", f"{alike}; {meet}"))
    cells = len(checks.runs) * len(checks.targets)
    rows.append(("Rejected cells", f"{len(checks.rejected):,} of {cells:,}"))
    return rows


def runs_section(found: RunFindings, /) -> dict[str, Any]:
    """Return the tables on runs, blanks, control samples, targets and flags."""
    checks = found.checks
    used = sorted({flag for run in checks.runs for flag, _ in run.marks}, key=WORST_FIRST.index)
    return {
        "protocol": protocol_section(found.protocol),
        "n": len(checks.runs),
        "kinds": [(kind, len(checks.of_kind(kind))) for kind in (SAMPLE, BLANK, CONTROL)],
        "errors": list(found.errors),
        "has_sequences": any(r.sequence for r in checks.runs),
        "any_lacking": any(r.not_measured for r in checks.runs),
        "rows": [_run_row(checks, k) for k in range(min(len(checks.runs), ROWS_SHOWN))],
        "rejected": [
            {
                "id": cell.profile_id,
                "target": cell.target,
                "reason": cell.reason.words,
                "time": "none"
                if np.isnan(cell.retention_time_s)
                else f"{cell.retention_time_s:.1f}",
                "sn": _signal(cell.signal_to_noise),
            }
            for cell in checks.rejected[:ROWS_SHOWN]
        ],
        "n_rejected": len(checks.rejected),
        "targets": [
            {
                "name": t.target,
                "role": t.role.replace("_", " "),
                "detected": t.detected,
                "rejected": t.rejected,
                "median": _shift(t.median_shift_s),
                "largest": _shift(t.largest_shift_s),
                "largest_in": t.largest_shift_in,
                "sn": "none"
                if t.least_signal_to_noise is None
                else f"{_signal(t.least_signal_to_noise)} to {_signal(t.largest_signal_to_noise)}",
            }
            for t in checks.targets
        ],
        "blanks": [
            {
                "id": f.profile_id,
                "target": f.target,
                "role": f.role.replace("_", " "),
                "status": f.status.label.replace("_", " "),
                "reason": f.reason.words if f.reason else "",
                "area": _area(f.area),
                "share": "no sample holds it"
                if f.share is None
                else rate(min(f.share, 1.0))
                if f.share <= 1
                else f"{100 * f.share:,.0f} %",
                "exceeds": f.exceeds,
            }
            for f in checks.blanks[:ROWS_SHOWN]
        ],
        "n_blanks": len(checks.of_kind(BLANK)),
        "n_controls": len(checks.of_kind(CONTROL)),
        "agreement": _agreement_row(found.agreement),
        "controls": [
            {
                "name": c.target,
                "role": c.role.replace("_", " "),
                "n": c.n,
                "mean": _area(c.mean),
                "rsd": "" if c.rsd is None else f"{100 * c.rsd:.1f} %",
                "to_standard": ""
                if c.rsd_to_standard is None
                else f"{100 * c.rsd_to_standard:.1f} %",
                "exceeds": c.exceeds,
            }
            for c in checks.controls
        ],
        "standards": [
            {"name": chart.target, "rule": chart.rule, "outliers": chart.outliers}
            for chart in checks.standards
        ],
        "flags": [
            (_flag_name(flag), sum(dict(run.marks).get(flag, 0) for run in checks.runs), flag.words)
            for flag in used
        ],
    }


def _run_row(checks: RunChecks, k: int) -> dict[str, Any]:
    run = checks.runs[k]
    shown = run.marks[:_MARKS_SHOWN]
    marks = [f"{_flag_name(flag)} ({number})" for flag, number in shown]
    rest = len(run.marks) - len(shown)
    standing_out = [
        words for chart in checks.standards for name, words in chart.outliers
        if name == run.profile_id
    ]  # fmt: skip
    return {
        "id": run.profile_id,
        "kind": run.kind,
        "sequence": run.sequence,
        "detected": run.detected,
        "below": run.below_limit,
        "rejected": run.rejected,
        "lacking": run.not_measured,
        "shift": _shift(run.retention_shift_s),
        "marks": listing(marks) + (f" and {rest} more" if rest else ""),
        "standing_out": "; ".join(standing_out),
    }


def _agreement_row(agreement: ControlAgreement) -> dict[str, Any]:
    return {
        "ids": list(agreement.ids),
        "left_out": list(agreement.left_out),
        "worst": None if agreement.worst is None else score(agreement.worst),
        "pair": " and ".join(agreement.worst_pair),
        "n_pairs": agreement.n_pairs,
        "n_meet": agreement.n_meet,
    }


def _flag_name(flag: Flag) -> str:
    return flag.value.replace("_", " ")


def _area(value: float) -> str:
    return "not known" if np.isnan(value) else f"{value:,.0f}" if value >= 100 else score(value)


def _shift(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds:+.2f}"


def _signal(value: float | None) -> str:
    if value is None or not np.isfinite(value):
        return "none"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
