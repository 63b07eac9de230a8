"""What a validation report says, section by section."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from drugsig._notes import Told
from drugsig._words import count, percent
from drugsig.evidence.performance import Estimate
from drugsig.evidence.validation.findings import (
    FAIL,
    NOT_ASSESSED,
    PASS,
    Finding,
    figure_words,
    number_words,
)
from drugsig.evidence.validation.measures import CHARACTERISTICS
from drugsig.evidence.validation.result import Arrangement, ValidationReport
from drugsig.report.validation_method import reach

__all__ = [
    "STAMPS",
    "primary_section",
    "provenance_section",
    "secondary_section",
    "summary_section",
    "told_section",
    "verdict_section",
]

STAMPS = {
    PASS: "EVERY CRITERION MET",
    FAIL: "NOT EVERY CRITERION MET",
    NOT_ASSESSED: "NO CRITERION FAILED, BUT NOT EVERYTHING WAS ASSESSED",
}


def told_section(report: ValidationReport, /) -> list[tuple[Told, int]]:
    """Return what stands first, and how many more of the kind there are.

    Of notes that differ in numbers only, as those of several folds do, one stands for all; what
    is grave is told one by one.

    Parameters
    ----------
    report : ValidationReport
        From `drugsig.evidence.validation.validate`.
    """
    alike: dict[tuple[object, ...], list[Told]] = {}
    for place, one in enumerate(report.first_told):
        facts = one.note.facts.values()
        words = (v for v in facts if not isinstance(v, (int, float)))
        key = (place,) if one.grave else (one.note.code, *words)
        alike.setdefault(key, []).append(one)
    return [(same[0], len(same) - 1) for same in alike.values()]


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
                    number_words(cllr.mean()), number_words(cllr.min()), number_words(cllr.max()),
                    number_words(least.mean()), number_words((cllr - least).mean()),
                ],
            }
        )  # fmt: skip
    raw, calibrated = report.stages[0].cllr, report.stages[1].cllr
    better = sum(calibrated[s] < raw[s] for s in raw)
    figures = [
        (label, *_estimate(e, told=percent if " pairs with " in f" {label}" else number_words))
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
        value, ends = _estimate(found.estimate, told=partial(figure_words, found.measure))
    return {
        "label": about.label,
        "unit": about.unit,
        "meaning": about.meaning,
        "value": value or "no figure",
        "interval": ends,
        "criterion": found.criterion_in_words,
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
        "cllr": "none" if np.isnan(one.cllr) else number_words(one.cllr),
        "note": one.note,
    }


def _estimate(estimate: Estimate, *, told: Callable[[float], str]) -> tuple[str, str]:
    ends = estimate.interval
    return told(estimate.value), "" if ends is None else f"{told(ends.low)} to {told(ends.high)}"


def _told(report: ValidationReport, key: str, verdict: str) -> str:
    found = [f for f in report.of(key) if f.criterion is not None]
    passed = sum(f.verdict == PASS for f in found)
    return f"{verdict} ({passed} of {count(len(found), 'criterion', 'criteria')} met)"


def _sources(number: int | None) -> str:
    return "sources that are not known" if number is None else count(number, "source")
