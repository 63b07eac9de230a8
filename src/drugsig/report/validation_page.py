"""`render_validation`: a validation as one self-contained HTML file."""

from __future__ import annotations

import json

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from drugsig._words import count, listing, several
from drugsig.evidence.validation.result import ValidationReport
from drugsig.report.validation_figures import primary_figures, secondary_figures
from drugsig.report.validation_method import method_section
from drugsig.report.validation_sections import (
    STAMPS,
    primary_section,
    provenance_section,
    secondary_section,
    summary_section,
    told_section,
    verdict_section,
)
from drugsig.report.validation_texts import LIMITS, WORDS

__all__ = ["VALIDATION_SECTIONS", "render_validation"]

# Every section, in order: its id on the page and its heading.
VALIDATION_SECTIONS = (
    ("summary", "Summary"),
    ("method", "What was validated"),
    ("verdicts", "Figures, criteria and verdicts"),
    ("primary", "Accuracy, discriminating power and calibration"),
    ("secondary", "Robustness, coherence and generalisation"),
    ("limits", "Limits"),
    ("words", "Words"),
    ("provenance", "Provenance"),
)


def render_validation(report: ValidationReport, /) -> str:
    """Write the report of a validation.

    Parameters
    ----------
    report : ValidationReport
        From `drugsig.evidence.validation.validate`.

    Returns
    -------
    str
        One HTML page that needs no other file and no network. The same validation gives the same
        text.
    """
    environment = Environment(
        loader=PackageLoader("drugsig.report"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        count=count, listing=listing, several=several, capitalize_first=_capitalised
    )
    loader = environment.loader
    style = loader.get_source(environment, "report.css")[0] if loader else ""
    decided = {
        "model": report.spec.to_data(),
        "recipe": report.recipe,
        "population": report.rule.to_data(),
        "criteria": report.criteria.to_data(),
        "settings": dict(report.settings),
    }
    page = environment.get_template("validation.html.j2").render(
        style=Markup(style),  # noqa: S704 - a file of this package
        sections=VALIDATION_SECTIONS,
        headings=dict(VALIDATION_SECTIONS),
        name=report.name,
        stamp=STAMPS[report.verdict],
        first_told=told_section(report),
        summary=summary_section(report),
        method=method_section(report),
        criteria=report.criteria,
        verdicts=verdict_section(report),
        primary=primary_section(report),
        primary_figures=primary_figures(report),
        secondary=secondary_section(report),
        secondary_figures=secondary_figures(report),
        limits=LIMITS,
        words=WORDS,
        provenance=provenance_section(report),
        config_text=json.dumps(decided, indent=2, ensure_ascii=False),
    )
    return page if page.endswith("\n") else page + "\n"


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
