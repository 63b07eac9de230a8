"""What a validation report says, section by section."""

from __future__ import annotations

from typing import Any

import numpy as np

from drugsig.evidence.performance import Estimate
from drugsig.evidence.threshold import FEW_LINKED_SOURCES
from drugsig.evidence.validation.findings import FAIL, NOT_ASSESSED, PASS, Finding
from drugsig.evidence.validation.measures import CHARACTERISTICS
from drugsig.evidence.validation.result import Arrangement, ValidationReport
from drugsig.plot.texts import percent
from drugsig.report.warnings_first import Warned
from drugsig.report.words import count, listing, several

__all__ = [
    "LIMITS",
    "STAMPS",
    "method_section",
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

LIMITS = (
    (
        "A likelihood ratio is not the probability that two specimens share a source. It says how "
        "many times more probable the findings are under the one proposition than under the other."
    ),
    (
        "The figures hold for profiles of the kind that was validated: these targets and this "
        "pretreatment, this replicate level, laboratory and epoch, and a population like this one. "
        "The model refuses profiles of another kind."
    ),
    (
        "Intervals tell how a figure would vary with other sources of the same kind, and nothing "
        "of other kinds."
    ),
    (
        "If the method or the criteria were chosen by looking at a report like this, the figures "
        "are too good. Only new sources can tell by how much."
    ),
    (
        "Each model behind these figures was fitted to the sources of all folds but one; the model "
        "that is used is fitted to all of them, and is somewhat better."
    ),
    "A wrong label of a source in the data is not found here.",
)

_SHARES = ("strong_linked", "strong_unlinked", "equal_error_rate")


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
    n = report.performance.n_linked_sources
    if n is not None and n < FEW_LINKED_SOURCES:
        out.append(
            Warned(
                "Few known sources",
                f"Only {n} sources stand behind the linked pairs (fewer than "
                f"{FEW_LINKED_SOURCES}): every figure is uncertain, and so is every interval.",
                grave=True,
            )
        )
    if report.rule.purpose:
        out.append(
            Warned(
                f"Rule {report.rule.name} has a limited purpose",
                f"It is {report.rule.purpose}.",
                grave=True,
            )
        )
    if report.rule.circular:
        were = several(len(report.rule.circular), "was", "were")
        out.append(
            Warned(
                "The population rule is circular",
                f"It uses {', '.join(report.rule.circular)}, which {were} derived from the "
                "profiles themselves: all figures look better than they are.",
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
    told_already = ("fewer than", *report.rule.circular)
    out += [
        Warned("Noted on the way", note)
        for note in report.warnings
        if not any(text in note for text in told_already)
    ]
    return out


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
        ("Linked pairs", f"{own.n_linked:,} of {_sources(own.n_linked_sources)}"),
        ("Unlinked pairs", f"{own.n_unlinked:,} of {_sources(own.n_unlinked_sources)}"),
        *verdicts,
    ]  # fmt: skip


def method_section(report: ValidationReport, /) -> dict[str, Any]:
    """Return what was validated, and how.

    Parameters
    ----------
    report : ValidationReport
        As above.
    """
    own, spec = report.performance, report.spec
    settings = report.settings
    size = report.n_profiles / max(1, report.n_items)
    items = (
        "every profile is an item"
        if spec.item is None
        else f"the profiles with one text in column '{spec.item}', {size:.3g} on average"
    )
    return {
        "rows": [
            ("H1", f"that {report.h1}"),
            ("H2", f"that {report.h2}"),
            ("Source level", report.rule.source_level),
            ("Replicate level", f"{spec.replicate_level}: what the profiles of one item repeat"),
            ("Item, one side of a comparison", items),
            ("Method", str(spec)),
            ("Pretreatment", report.recipe or "as handed in"),
            ("Bounds of the model fitted to all", _bounds(report)),
            ("Profiles", f"{report.n_profiles:,} in {count(report.n_items, 'item')}"),
            ("Left out by the rule", _left_out(report)),
        ],
        "counts": [
            {
                "kind": kind,
                "by": by,
                "pairs": f"{pairs:,}",
                "sources": "not known" if sources is None else f"{sources:,}",
            }
            for kind, by, pairs, sources in (
                ("linked", report.rule.linked, own.n_linked, own.n_linked_sources),
                ("unlinked", report.rule.unlinked, own.n_unlinked, own.n_unlinked_sources),
            )
        ],
        "how": [
            (
                f"For each of {count(len(report.seeds), 'fold seed')} the sources were dealt into "
                f"{report.n_folds} folds. For every fold a whole method (pretreatment, background, "
                "covariance within sources, calibration and bounds) was fitted to the sources of "
                "the other folds, and judged on the pairs within the fold: neither source of a "
                "pair was seen by anything that the pair was judged by."
            ),
            (
                f"Intervals are of 95 %, by drawing sources {own.n_resamples:,} times. Changes "
                f"were measured with {count(len(settings['change_seeds']), 'fold seed')}."
            ),
        ],
    }


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
    figures = [(label, *_estimate(e)) for label, e in report.performance.rows()]
    for e in report.performance.exceedances:
        kind = f"linked pairs with LR ≤ 1/{e.k:g}" if e.linked else f"unlinked pairs, LR ≥ {e.k:g}"
        ends = (
            "" if e.interval is None else f"{percent(e.interval.low)} to {percent(e.interval.high)}"
        )
        figures.append((f"{kind} (allowed: {percent(e.allowed)})", percent(e.rate), ends))
    return {
        "seeds_told": (
            f"Over {count(len(report.seeds), 'fold seed')}; calibrated is below raw in {better} of "
            "them. Reported LRs are calibrated and bounded, and are what is judged."
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
        "elsewhere": [_arrangement(a) for a in report.elsewhere],
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
    return {"rows": rows, "notes": list(report.warnings)}


def _row(found: Finding) -> dict[str, Any]:
    about = found.about
    value, ends = ("", "") if found.estimate is None else _estimate(
        found.estimate, share=found.measure in _SHARES
    )  # fmt: skip
    return {
        "label": about.label,
        "unit": about.unit,
        "meaning": about.meaning,
        "value": value or "no figure",
        "interval": ends,
        "criterion": _asked(found),
        "reason": "" if found.criterion is None else found.criterion.why,
        "verdict": found.verdict_in_words,
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


def _estimate(estimate: Estimate, *, share: bool = False) -> tuple[str, str]:
    told = percent if share else _number
    ends = estimate.interval
    return told(estimate.value), "" if ends is None else f"{told(ends.low)} to {told(ends.high)}"


def _number(value: float) -> str:
    return "has no value" if np.isnan(value) else f"{value:.3g}"


def _value(found: Finding) -> str:
    if found.estimate is None:
        return "no figure"
    return _estimate(found.estimate, share=found.measure in _SHARES)[0]


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


def _bounds(report: ValidationReport) -> str:
    return "none" if report.bounds is None else str(report.bounds)


def _left_out(report: ValidationReport) -> str:
    if not report.rule.exclude:
        return "nothing"
    return "; ".join(f"{column} = {' or '.join(t)}" for column, t in report.rule.exclude.items())
