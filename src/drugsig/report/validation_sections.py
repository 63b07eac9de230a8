"""What a validation report says, section by section."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drugsig._notes import Note, told_under
from drugsig._words import count, listing, percent
from drugsig.evidence.calibration.training import FewSourcesOfCalibration
from drugsig.evidence.dependence import FewEffectiveSources
from drugsig.evidence.evaluation.running import FewSourcesOfEvaluation
from drugsig.evidence.models.items import CircularFigures
from drugsig.evidence.performance import Estimate
from drugsig.evidence.performance.measure import FewSourcesOfFigures
from drugsig.evidence.validation.findings import FAIL, NOT_ASSESSED, PASS, Finding
from drugsig.evidence.validation.measures import CHARACTERISTICS
from drugsig.evidence.validation.result import Arrangement, ValidationReport
from drugsig.profiles.labels import LookAlikeLabels
from drugsig.profiles.tables.notes import RiskyReading
from drugsig.quality.profile_checks import DominantTarget, RunningNumber, SumOfTargets
from drugsig.report.validation_method import reach

__all__ = [
    "STAMPS",
    "Warned",
    "primary_section",
    "provenance_section",
    "secondary_section",
    "summary_section",
    "validation_warnings",
    "verdict_section",
]

STAMPS = {
    PASS: "EVERY CRITERION MET",
    FAIL: "NOT EVERY CRITERION MET",
    NOT_ASSESSED: "NO CRITERION FAILED, BUT NOT EVERYTHING WAS ASSESSED",
}

_NO_IMPURITY = "A target that may be no impurity"

# How grave a note is for a validation, by its code: the heading, and whether no figure may be used
# without knowing it.
_HEADINGS = {
    FewSourcesOfFigures.code: ("Few known sources", True),
    FewEffectiveSources.code: ("Few known sources", True),
    CircularFigures.code: ("The population rule is circular", True),
    LookAlikeLabels.code: ("Labels that read the same", True),
    RiskyReading.code: ("Mind how the table was read", True),
    DominantTarget.code: (_NO_IMPURITY, True),
    RunningNumber.code: (_NO_IMPURITY, True),
    SumOfTargets.code: (_NO_IMPURITY, True),
}

_NOTED = "Noted on the way"

# The models of the folds have fewer sources than the figures, which tell of theirs.
_TOLD_BY_OTHERS = frozenset({FewSourcesOfCalibration.code, FewSourcesOfEvaluation.code})

_SHARES = ("strong_linked", "strong_unlinked", "equal_error_rate")


@dataclass(frozen=True)
class Warned:
    """One warning.

    Parameters
    ----------
    head : str
        In a few words.
    text : str
        What it means.
    grave : bool
        Whether the results cannot be used without it.
    """

    head: str
    text: str
    grave: bool = False


def validation_warnings(report: ValidationReport, /) -> list[Warned]:
    """Return what a reader must know before anything else, the gravest first.

    Parameters
    ----------
    report : ValidationReport
        From `drugsig.evidence.validation.validate`.
    """
    out = []
    failed = [f for f in report.findings if f.verdict == FAIL]
    if failed:
        told = "; ".join(f"{f.about.label} ({_value(f)}, asked: {_asked(f)})" for f in failed)
        out.append(
            Warned(
                f"{count(len(failed), 'criterion', 'criteria')} not met",
                f"{told}. Do not use the method for casework before it is known why.",
                grave=True,
            )
        )
    notes = [note for note in report.notes if note.code not in _TOLD_BY_OTHERS]
    grave = [note for note in notes if _HEADINGS.get(note.code, ("", False))[1]]
    out += [
        Warned(one.heading, one.text, one.grave)
        for one in told_under(grave, _HEADINGS, otherwise=_NOTED)
    ]
    if report.rule.purpose:
        out.append(
            Warned(
                f"Rule {report.rule.name} has a limited purpose",
                f"It is {report.rule.purpose}.",
                grave=True,
            )
        )
    if not report.spec.calibrated or report.spec.bounds == "none":
        out.append(
            Warned(
                "Not calibrated or not bounded",
                "The likelihood ratios of this method are "
                f"{'calibrated' if report.spec.calibrated else 'not calibrated'} and "
                f"{'not bounded' if report.spec.bounds == 'none' else 'bounded'}: nothing may be "
                "said of them in words.",
                grave=True,
            )
        )
    if report.criteria.name == "drugsig default":
        out.append(
            Warned(
                "The criteria are nobody's own",
                "They come with drugsig. A laboratory sets its own before it sees results, for the "
                "use it has in mind.",
            )
        )
    asked = [f for f in report.findings if f.criterion is not None]
    open_ones = [f for f in asked if f.verdict == NOT_ASSESSED]
    none = [key for key in CHARACTERISTICS if not any(f.criterion for f in report.of(key))]
    if none:
        names = listing([CHARACTERISTICS[key].title.lower() for key in none])
        out.append(Warned("No criterion", f"Nobody set one for {names}."))
    if open_ones:
        told = "; ".join(f"{f.about.label}: {f.why.removesuffix('.')}" for f in open_ones)
        out.append(Warned("Not assessed, and so not passed", f"{told}."))
    crossing = [f for f in report.findings if f.uncertain]
    if crossing:
        names = listing([f"{f.about.label} ({f.verdict})" for f in crossing])
        out.append(
            Warned(
                "The data do not settle some verdicts",
                f"The interval lies on both sides of the criterion: {names}.",
            )
        )
    out += [Warned(_NOTED, text) for text in _merged([n for n in notes if n not in grave])]
    return out


def _merged(notes: Sequence[Note]) -> list[str]:
    """Return the texts of notes that differ in numbers only, as those of several folds do, once."""
    alike: dict[tuple[object, ...], list[Note]] = {}
    for note in notes:
        words = (v for v in note.facts.values() if not isinstance(v, (int, float)))
        alike.setdefault((note.code, *words), []).append(note)
    return [
        one[0].text
        if len(one) == 1
        else f"{one[0].text} ({len(one) - 1} more of the kind, under Provenance.)"
        for one in alike.values()
    ]


def summary_section(report: ValidationReport, /) -> list[tuple[str, str]]:
    """Return the box on page one.

    Parameters
    ----------
    report : ValidationReport
        As above.
    """
    own = report.performance
    verdicts = [
        (CHARACTERISTICS[key].title, _told(report, key, verdict))
        for key, verdict in report.verdicts.items()
    ]
    return [
        ("H1", f"that {report.h1}"),
        ("H2", f"that {report.h2}"),
        ("Source level; replicate level", (f"{report.rule.source_level}; "
         f"{report.spec.replicate_level}")),
        ("Population rule", report.rule.name),
        ("LRs that the model can report", reach(report)),
        ("Linked pairs", f"{own.n_linked:,} of {_sources(own.n_linked_sources)}"),
        ("Unlinked pairs", f"{own.n_unlinked:,} of {_sources(own.n_unlinked_sources)}"),
        *verdicts,
    ]  # fmt: skip


def verdict_section(report: ValidationReport, /) -> list[dict[str, Any]]:
    """Return figures, criteria and verdicts by characteristic.

    Parameters
    ----------
    report : ValidationReport
        As above.
    """
    return [
        {
            "title": about.title,
            "question": about.question,
            "verdict": report.verdicts[key],
            "rows": [_row(f) for f in report.of(key)],
        }
        for key, about in CHARACTERISTICS.items()
    ]


def primary_section(report: ValidationReport, /) -> dict[str, Any]:
    """Return the figures of raw, calibrated and reported LRs.

    Parameters
    ----------
    report : ValidationReport
        As above.
    """
    stages = []
    for stage in report.stages:
        cllr, least = (np.array(list(x.values())) for x in (stage.cllr, stage.cllr_min))
        stages.append(
            {
                "name": stage.name,
                "figures": [
                    _number(cllr.mean()), _number(cllr.min()), _number(cllr.max()),
                    _number(least.mean()), _number((cllr - least).mean()),
                ],
            }
        )  # fmt: skip
    raw, calibrated = report.stages[0].cllr, report.stages[1].cllr
    better = sum(calibrated[s] < raw[s] for s in raw)
    figures = [
        (label, *_estimate(e, told=percent if " pairs with " in f" {label}" else _number))
        for label, e in report.performance.rows()
    ]
    for e in report.performance.exceedances:
        kind = (
            f"linked pairs with LR ≤ 1/{e.k:,.0f}"
            if e.linked
            else f"unlinked pairs with LR ≥ {e.k:,.0f}"
        )
        ends = (
            "" if e.interval is None else f"{percent(e.interval.low)} to {percent(e.interval.high)}"
        )
        figures.append((f"{kind} (allowed: {percent(e.allowed)})", percent(e.rate), ends))
    return {
        "seeds_told": (
            "Raw LRs are what the model gives; calibrated ones are corrected by what pairs of "
            "other sources show; reported ones are calibrated and bounded, and are what is judged. "
            f"Calibrated is below raw with {better} of {count(len(report.seeds), 'fold seed')}."
        ),
        "stage_columns": [
            "mean Cllr", "least", "largest", "mean Cllr_min", "mean Cllr_cal",
        ],
        "stages": stages,
        "figures": figures,
    }  # fmt: skip


def secondary_section(report: ValidationReport, /) -> dict[str, Any]:
    """Return what becomes of the LRs when something changes.

    Parameters
    ----------
    report : ValidationReport
        As above.
    """
    return {
        "arrangements": [_arrangement(a) for a in report.arrangements],
        "arrangements_noted": any(a.note for a in report.arrangements),
        "elsewhere": [_arrangement(a) for a in report.elsewhere],
        "elsewhere_noted": any(a.note for a in report.elsewhere),
        "elsewhere_column": report.elsewhere_column,
    }


def provenance_section(report: ValidationReport, /) -> dict[str, Any]:
    """Return what is needed to make the report again.

    Parameters
    ----------
    report : ValidationReport
        As above.
    """
    rows = [(f"sha256 of the {k.replace('_', ' ')}", v) for k, v in report.digests.items()]
    rows.append(("sha256 of validation.json", report.digest))
    rows += [(name, v) for name, v in report.versions.items()]
    rows.append(("fold seeds", ", ".join(str(s) for s in report.seeds)))
    return {"rows": rows, "notes": [note.text for note in report.notes]}


def _row(found: Finding) -> dict[str, Any]:
    about = found.about
    value, ends = ("", "")
    if found.estimate is not None:
        value, ends = _estimate(found.estimate, told=_writer(found))
    return {
        "label": about.label,
        "unit": about.unit,
        "meaning": about.meaning,
        "value": value or "no figure",
        "interval": ends,
        "criterion": _asked(found),
        "reason": "" if found.criterion is None else found.criterion.why,
        "verdict": "not judged" if found.criterion is None else found.verdict_in_words,
        "why": found.why.removesuffix("."),
        "standing_out": found.verdict == FAIL or found.uncertain,
    }


def _arrangement(one: Arrangement) -> dict[str, Any]:
    return {
        "name": one.name,
        "size": "" if np.isnan(one.profiles_an_item) else f"{one.profiles_an_item:.3g}",
        "linked": f"{one.n_linked:,}",
        "unlinked": f"{one.n_unlinked:,}",
        "sources": f"{one.n_linked_sources:,}",
        "cllr": "none" if np.isnan(one.cllr) else _number(one.cllr),
        "note": one.note,
    }


def _writer(found: Finding) -> Callable[[float], str]:
    return percent if found.measure in _SHARES else _number


def _estimate(estimate: Estimate, *, told: Callable[[float], str]) -> tuple[str, str]:
    ends = estimate.interval
    return told(estimate.value), "" if ends is None else f"{told(ends.low)} to {told(ends.high)}"


def _number(value: float) -> str:
    """Write a figure that is near 1 in size; no digits that nobody can use."""
    if np.isnan(value):
        return "has no value"
    if np.isinf(value):
        return "infinite"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3f}"


def _value(found: Finding) -> str:
    if found.estimate is None:
        return "no figure"
    return _estimate(found.estimate, told=_writer(found))[0]


def _asked(found: Finding) -> str:
    if found.criterion is None:
        return "none"
    if found.measure not in _SHARES:
        return str(found.criterion)
    return f"{'at most' if found.criterion.upper else 'at least'} {percent(found.criterion.limit)}"


def _told(report: ValidationReport, key: str, verdict: str) -> str:
    found = [f for f in report.of(key) if f.criterion is not None]
    passed = sum(f.verdict == PASS for f in found)
    return f"{verdict} ({passed} of {count(len(found), 'criterion', 'criteria')} met)"


def _sources(number: int | None) -> str:
    return "sources that are not known" if number is None else count(number, "source")
