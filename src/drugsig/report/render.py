"""`render_report`: an analysis as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from drugsig._words import count, listing, several
from drugsig.analysis.analysis import Analysis
from drugsig.analysis.headings import first_told
from drugsig.report.data_sections import compared_section, provenance_section, quality_section
from drugsig.report.figures import evidence_figures, group_figures, heat_map_figure
from drugsig.report.finding_sections import (
    evidence_section,
    groups_section,
    links_section,
    summary_section,
    undecided_section,
)
from drugsig.report.run_figures import integration_figures, standard_figures
from drugsig.report.run_sections import run_summary, runs_section

__all__ = ["RUN_SECTIONS", "SECTIONS", "render_report"]

# Every section of a report, in order: its id on the page and its heading.
SECTIONS = (
    ("summary", "Summary"),
    ("compared", "What was compared and how"),
    ("quality", "Quality of the profiles"),
    ("groups", "Groups"),
    ("heat-map", "Heat map of all scores"),
    ("threshold", "Threshold and evidence"),
    ("links", "Links"),
    ("undecided", "Undecided profiles"),
    ("limits", "Limits"),
    ("provenance", "Provenance"),
)

# What a report on profiles from runs has besides: each with the section it comes right after.
RUN_SECTIONS = (
    ("method", "Protocol and analytical method", "compared"),
    ("runs", "Quality of the runs", "method"),
    ("integrations", "How every target was integrated", "provenance"),
)


def _sections(*, with_runs: bool) -> tuple[tuple[str, str], ...]:
    out = list(SECTIONS)
    for section, heading, before in RUN_SECTIONS if with_runs else ():
        place = [name for name, _ in out].index(before)
        out.insert(place + 1, (section, heading))
    return tuple(out)


def render_report(analysis: Analysis, /) -> str:
    """Write the report of an analysis.

    Parameters
    ----------
    analysis : Analysis
        From `drugsig.workflow.analyse`.

    Returns
    -------
    str
        One HTML page that needs no other file and no network: style and figures are inside, there
        is no script, and a policy in its head forbids it to load anything. The same analysis
        gives the same text.
    """
    environment = Environment(
        loader=PackageLoader("drugsig.report"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(count=count, listing=listing, several=several)
    loader = environment.loader
    style = loader.get_source(environment, "report.css")[0] if loader else ""
    found = analysis.runs
    sections = _sections(with_runs=found is not None)
    summary = summary_section(analysis)
    if found is not None:
        summary = [*run_summary(found), *summary]
    page = environment.get_template("report.html.j2").render(
        style=Markup(style),  # noqa: S704 - a file of this package
        sections=sections,
        headings=dict(sections),
        name=analysis.profiles.name,
        analysis=analysis,
        config_text=tomli_w.dumps(_shown(analysis.config)),
        first_told=first_told(analysis.notes),
        summary=summary,
        compared=compared_section(analysis),
        quality=quality_section(analysis),
        groups=groups_section(analysis),
        evidence=evidence_section(analysis),
        links=links_section(analysis),
        undecided=undecided_section(analysis),
        provenance=provenance_section(analysis),
        heat_map=heat_map_figure(analysis),
        group_figures=group_figures(analysis),
        figures=evidence_figures(analysis),
        runs=None if found is None else runs_section(found),
        standard_figures=[] if found is None else standard_figures(found),
        integration_figures=[] if found is None else integration_figures(analysis, found),
    )
    return page if page.endswith("\n") else page + "\n"


def _shown(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the analysis file as it is shown: ids that were to be left out are counted."""
    shown = dict(config)
    left = shown.get("input", {}).get("leave_out")
    if left:
        shown["input"] = {**shown["input"], "leave_out": f"{len(left)} id(s), see analysis.toml"}
    return shown
