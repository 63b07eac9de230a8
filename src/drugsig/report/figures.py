"""The figures of a report: which there are for an analysis, and what each shows in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from drugsig import plot
from drugsig._words import count, rate, score
from drugsig.analysis.analysis import Analysis

__all__ = ["ReportFigure", "evidence_figures", "group_figures", "heat_map_figure", "made_figure"]

GROUPS_DRAWN = 24


@dataclass(frozen=True)
class ReportFigure:
    """One figure on the page.

    Parameters
    ----------
    name : str
        Unique on the page.
    svg : Markup
        The figure itself.
    caption : str
        What it shows, in words: it also stands in for the figure where that cannot be seen.
    """

    name: str
    svg: Markup
    caption: str


def made_figure(
    name: str, figure: plot.Drawing, caption: str, /, *, decimals: int | None = None
) -> ReportFigure:
    """Return a figure for the page, with a caption that also stands in for it."""
    svg = plot.to_svg(figure, prefix=name, decimals=decimals)
    told = svg.replace('role="img"', f'role="img" aria-labelledby="caption-{name}"', 1)
    # The text of an SVG made here holds no names of the user's: letters are outlines.
    return ReportFigure(name, Markup(told), caption)  # noqa: S704


def group_figures(analysis: Analysis, /) -> list[ReportFigure]:
    """Return the members of the largest groups, overlaid, in figures that fit on a page."""
    together = np.flatnonzero(analysis.groups.sizes > 1) + 1
    shown = [int(k) for k in together[:GROUPS_DRAWN]]
    step = plot.groups_a_page(analysis.compared)
    pages = [shown[k : k + step] for k in range(0, len(shown), step)]
    rest = len(together) - len(shown)
    out = []
    for place, numbers in enumerate(pages, start=1):
        figure = plot.group_profiles(
            analysis.compared, analysis.groups, numbers=numbers, undecided=analysis.undecided
        )
        caption = (
            f"Pretreated profiles of {count(len(numbers), 'group')}, the members over each other: "
            "grey lines are members, the black line is their median (two or three members have a "
            "line style each). Open circles are cells below a limit. All panels have one scale."
        )
        if place == len(pages) and rest:
            caption += (
                f" Shown are the {len(shown)} largest groups; "
                f"{count(rest, 'smaller group')} {'is' if rest == 1 else 'are'} in the table only."
            )
        out.append(made_figure(f"groups{place}", figure, caption))
    return out


def heat_map_figure(analysis: Analysis, /) -> ReportFigure | None:
    """Return the heat map with its tree; None where fewer than two profiles have scores."""
    groups = analysis.groups
    if analysis.comparison is None or len(groups.tree_members) < 2:
        return None
    figure = plot.heat_map(analysis.comparison, groups=groups, threshold=analysis.threshold)
    sampled = (
        " One row stands for a group, by its most central profile."
        if len(groups.tree_members) > plot.MOST_ROWS
        else " Frames are groups of two or more; the largest are named."
    )
    caption = (
        f"Scores of all pairs of {count(len(groups.tree_members), 'profile')} in the order of the "
        f"{groups.linkage}-linkage tree on the left, which is cut at the dashed line (the "
        f"threshold {score(groups.threshold)}). Dark cells meet the threshold: dark cells away "
        f"from the diagonal are links between groups.{sampled}"
    )
    return made_figure("heatmap", figure, caption)


def evidence_figures(analysis: Analysis, /) -> dict[str, ReportFigure]:
    """Return the figures behind the threshold, by name; none without known sources."""
    return {figure.name: figure for figure in _evidence(analysis)}


def _evidence(analysis: Analysis) -> Iterator[ReportFigure]:
    threshold = analysis.threshold
    sample = analysis.sample
    if sample is None:
        return
    rates = threshold.rates
    drawn = (
        ""
        if rates.auc_error is None
        else f" Drawn at random from {count(rates.n_unlinked, 'unlinked pair')}; the rates count "
        "all of them."
    )
    yield made_figure(
        "distributions",
        plot.distributions(sample, threshold),
        f"Scores of {count(sample.n_linked, 'linked pair')} (above, each with a tick) and of "
        f"{count(sample.n_unlinked, 'unlinked pair')} (below), over the whole range and around "
        f"the threshold {score(threshold.value)} (dashed). Hatched bars meet the threshold: above "
        f"they are found, below they are false links.{drawn}",
    )
    yield made_figure(
        "roc",
        plot.roc(sample, threshold),
        "ROC curve: the share of linked pairs found, over the share of unlinked pairs falsely "
        "linked, for every possible threshold; on the right with a logarithmic scale. The circle "
        f"is this threshold: {rate(rates.true_positive_rate)} found at "
        f"{rate(rates.false_positive_rate)} falsely linked.{drawn}",
    )
    if rates.strata:
        yield made_figure(
            "strata",
            plot.strata(threshold),
            "Share of pairs of different seizures that meet the threshold, where both profiles "
            "agree in every stratum column. Whether they share a source is not known. The dashed "
            "line is the false-positive rate measured on the unlinked pairs.",
        )
    if any(s.share is not None for s in analysis.least_true_links):
        yield made_figure(
            "truelinks",
            plot.true_links(analysis.true_links, least=analysis.least_true_links),
            "What a link is worth: the share of links that are true, over how common truly linked "
            "pairs are among those compared. Nobody knows how common they are; the figure shows "
            "how much hangs on it. The broken line has the lowest true-positive and the highest "
            "false-positive rate within their 95 % intervals.",
        )
