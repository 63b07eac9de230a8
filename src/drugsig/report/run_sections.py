"""The sections on runs: what was found in each, blanks, control samples, internal standards."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from drugsig._words import listing, rate, score
from drugsig.acquisition.cell_reasons import Flag
from drugsig.comparison.dense import compare
from drugsig.errors import DrugsigError, DrugsigWarning
from drugsig.evidence.threshold import Threshold
from drugsig.profiles.pretreatment.apply import pretreat
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status
from drugsig.quality.profile_checks import check_profiles
from drugsig.quality.run_checks import check_runs
from drugsig.quality.run_findings import (
    BLANK,
    CONTROL,
    SAMPLE,
    WORST_FIRST,
    BlankFinding,
    RunChecks,
)
from drugsig.report.analysis import Analysis, RunsRead
from drugsig.report.data_sections import ROWS_SHOWN
from drugsig.report.protocol_section import protocol_section

__all__ = [
    "ControlAgreement",
    "RunFindings",
    "finding_words",
    "run_checks",
    "run_findings",
    "runs_section",
]

SEQUENCE_COLUMNS = ("sequence_id", "sequence")

# Of the flags of a run, so many kinds are named in the table; all are in quality.csv.
_MARKS_SHOWN = 3


@dataclass(frozen=True)
class ControlAgreement:
    """How alike the profiles of the control sample are, by the metric of the analysis.

    Parameters
    ----------
    ids : tuple of str
        The control runs that were compared.
    left_out : tuple of (str, str)
        Those that were not, and why.
    worst : float or None
        The score of the least alike pair; None without a pair that has a score.
    worst_pair : tuple of str
        Which pair that is.
    n_pairs, n_meet : int
        Pairs with a score, and how many of them meet the threshold.
    """

    ids: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    worst: float | None
    worst_pair: tuple[str, ...]
    n_pairs: int
    n_meet: int


@dataclass(frozen=True, eq=False)
class RunFindings:
    """What a report tells of the runs of an analysis.

    Parameters
    ----------
    read : RunsRead
        What was extracted.
    checks : RunChecks
        What the peak tables say together.
    agreement : ControlAgreement
        Of the control samples.
    """

    read: RunsRead
    checks: RunChecks
    agreement: ControlAgreement


def run_checks(runs: RunsRead, profiles: ProfileSet, /) -> RunChecks:
    """Return what the peak tables say together: blanks, control samples, standards, flags."""
    column = next((c for c in SEQUENCE_COLUMNS if c in profiles.metadata_columns), None)
    return check_runs(
        runs.tables,
        ids=profiles.ids,
        kinds=runs.kinds,
        sequences=None if column is None else profiles.column(column),
        rules=runs.protocol.quality,
    )


def run_findings(analysis: Analysis, /) -> RunFindings | None:
    """Return what is to be told of the runs; None where the profiles come from a table."""
    if analysis.runs is None:
        return None
    checks = run_checks(analysis.runs, analysis.profiles)
    return RunFindings(analysis.runs, checks, _agreement(analysis, checks))


def _agreement(analysis: Analysis, checks: RunChecks) -> ControlAgreement:
    """Compare the control samples exactly as the samples were: recipe frozen, same metric."""
    every = [r.profile_id for r in checks.of_kind(CONTROL)]
    left_out: list[tuple[str, str]] = []
    if every:
        found = check_profiles(analysis.profiles.select(every))
        left_out = [(c.profile_id, c.excluded) for c in found if c.excluded]
    ids = tuple(name for name in every if name not in dict(left_out))
    if len(ids) < 2:
        return ControlAgreement(ids, tuple(left_out), None, (), 0, 0)
    done = analysis.compared.pretreatment
    recipe = Recipe.from_data(done) if done else analysis.recipe
    try:
        with warnings.catch_warnings():
            # Undefined scores and imputed cells are told by the result.
            warnings.simplefilter("ignore", DrugsigWarning)
            comparison = compare(
                pretreat(analysis.profiles.select(ids), recipe),
                metric=analysis.comparison.metric,
                min_measured=analysis.comparison.min_measured,
            )
    except DrugsigError as error:
        why = f"cannot be compared: {error}"
        return ControlAgreement((), (*left_out, *((name, why) for name in ids)), None, (), 0, 0)
    scores = comparison.condensed()
    first, second = np.triu_indices(len(ids), k=1)
    known = np.flatnonzero(np.isfinite(scores))
    if not len(known):
        return ControlAgreement(ids, tuple(left_out), None, (), 0, 0)
    unlike = scores[known] if not comparison.metric.is_similarity else -scores[known]
    worst = int(known[unlike.argmax()])
    return ControlAgreement(
        ids,
        tuple(left_out),
        float(scores[worst]),
        (ids[int(first[worst])], ids[int(second[worst])]),
        len(known),
        int(_meets(scores[known], analysis.threshold).sum()),
    )


def _meets(scores: np.ndarray, threshold: Threshold) -> np.ndarray:
    value = threshold.value
    return scores >= value if threshold.metric.is_similarity else scores <= value


def finding_words(finding: BlankFinding, /) -> str:
    """Return a target found in a blank, with its share of the median sample."""
    if finding.share is None:
        part = "in no sample"
    else:
        part = f"{rate(finding.share)} of the median sample" if finding.share < 1 else (
            f"{finding.share:.3g} times the median sample"
        )  # fmt: skip
    state = "" if finding.status == Status.DETECTED else f", {finding.status.label}"
    return f"{finding.target} in {finding.profile_id} ({part}{state})"


def runs_section(analysis: Analysis, found: RunFindings, /) -> dict[str, Any]:
    """Return the tables on runs, blanks, control samples, targets and flags."""
    checks, read = found.checks, found.read
    used = sorted({flag for run in checks.runs for flag, _ in run.marks}, key=WORST_FIRST.index)
    return {
        "protocol": protocol_section(read.protocol),
        "n": len(checks.runs),
        "kinds": [(kind, len(checks.of_kind(kind))) for kind in (SAMPLE, BLANK, CONTROL)],
        "errors": list(read.errors),
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
