"""What a validation report says of the method that was validated, and how it was measured."""

from __future__ import annotations

from typing import Any

from drugsig._words import count, percent
from drugsig.evidence.validation.result import ValidationReport

__all__ = ["method_section", "reach"]

_BETWEEN = {
    "normal": "and the means of sources normal as well",
    "kernel": "and a kernel density over the means of sources",
}


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
            ("Pretreatment", report.recipe or "as handed in"),
            *_method_rows(report),
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
                f"The sources were dealt by chance into {report.n_folds} parts, called folds. For "
                "every fold a whole method (pretreatment, background, covariance within sources, "
                "calibration and bounds) was fitted to the sources of the other folds, and judged "
                "on the pairs within the fold: neither source of a pair was seen by anything that "
                f"the pair was judged by. All of this was done {_times(len(report.seeds))}; a "
                "fold seed is the number that such a deal starts from."
            ),
            (
                f"Intervals are of 95 %, by drawing sources {own.n_resamples:,} times. Changes "
                "of Cllr (robustness, coherence, generalisation) were measured with "
                f"{count(len(settings['change_seeds']), 'fold seed')}."
            ),
        ],
    }


def reach(report: ValidationReport, /) -> str:
    """Return which LRs the model fitted to all profiles can report, in words.

    Parameters
    ----------
    report : ValidationReport
        From `drugsig.evidence.validation.validate`.
    """
    if report.bounds is None:
        return "any: there are no bounds"
    if not report.bounds.supports_evidence:
        return "1 alone: so few sources support no other"
    return f"from {_ratio(report.bounds.low)} to {_ratio(report.bounds.high)}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times, each time dealt anew"


def _ratio(log10_lr: float) -> str:
    """Write an LR as a number or a fraction with two digits."""
    size = float(f"{10.0 ** abs(log10_lr):.2g}")
    text = f"{size:,.0f}" if size >= 10 else f"{size:g}"
    return f"1/{text}" if log10_lr < 0 and text != "1" else text


def _method_rows(report: ValidationReport) -> list[tuple[str, str]]:
    """Say in words what the choices of the model are."""
    spec = report.spec
    rows = []
    if spec.approach == "score":
        rows.append(("Approach", f"LRs of a score: {spec.metric}, calibrated by {spec.calibrator}"))
    else:
        own = spec.two_level
        told = f"two-level model of the values: normal within sources, {_BETWEEN[own.between]}"
        rows.append(("Approach", told))
        share = own.error_share
        rows.append(
            (
                "Items with a gross error",
                f"{percent(share)} are taken to hold one" if share else "none are expected",
            )
        )
    rows.append(
        ("Calibration", spec.calibration if spec.calibration != "none" else "no further one")
    )
    if report.bounds is None:
        return [*rows, ("Bounds", "none")]
    told = (
        f"{report.bounds}: LRs {reach(report)}. What lies beyond is reported at the bound, because "
        "these pairs cannot show more"
    )
    return [*rows, ("Bounds of the model fitted to all", told)]


def _left_out(report: ValidationReport) -> str:
    if not report.rule.exclude:
        return "nothing"
    return "; ".join(f"{column} = {' or '.join(t)}" for column, t in report.rule.exclude.items())
