"""The figures of the runs of a report: internal standards, and every integration."""

from __future__ import annotations

from drugsig import plot
from drugsig._words import count
from drugsig.analysis.analysis import Analysis
from drugsig.analysis.run_findings import RunFindings
from drugsig.quality.run_findings import SAMPLE
from drugsig.report.figures import ReportFigure, made_figure

__all__ = ["integration_figures", "standard_figures"]

# Two decimals of a point are finer than any printer, and keep thousands of panels small.
_DECIMALS = 2


def standard_figures(found: RunFindings, /) -> list[ReportFigure]:
    """Return the run chart of every internal standard that was found."""
    return [
        made_figure(
            f"standard{place}",
            plot.internal_standard(chart),
            f"Area of {chart.target} from run to run. The line is the median of the sequence, the "
            f"grey band what is usual. An open diamond is {chart.rule}; a cross is a run without "
            "an area. Blanks are drawn and not judged.",
        )
        for place, chart in enumerate(found.checks.standards, start=1)
        if (chart.areas == chart.areas).any()
    ]


def integration_figures(analysis: Analysis, found: RunFindings, /) -> list[ReportFigure]:
    """Return one sheet a target: how it was integrated in every run."""
    tables = found.tables
    if not tables:
        return []
    no_samples = {r.profile_id for r in found.checks.runs if r.kind != SAMPLE}
    rest = max(0, len(tables) - plot.MOST_PANELS)
    out = []
    for place, check in enumerate(found.checks.targets, start=1):
        figure = plot.integrations(
            tables, target=check.target, ids=analysis.profiles.ids, marked=no_samples
        )
        caption = (
            f"{check.target} ({check.role.replace('_', ' ')}): detected in "
            f"{count(check.detected, 'run')}, rejected in {check.rejected}, below a limit in "
            f"{check.below_limit}, not measured in {check.not_measured}."
        )
        if rest:
            caption += (
                f" Shown are {plot.MOST_PANELS} runs, those with a rejected cell or a flag first; "
                f"{rest:,} more are in peaks.csv."
            )
        out.append(made_figure(f"integration{place}", figure, caption, decimals=_DECIMALS))
    return out
