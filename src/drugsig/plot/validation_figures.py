"""Figures of a validation: Cllr by fold seed, and every figure beside its criterion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from drugsig.errors import InputError
from drugsig.evidence.validation.findings import FAIL, PASS, Finding
from drugsig.plot._style import (
    A4_WIDTH,
    ACCENT,
    INK,
    LABEL_SIZE,
    LINKED,
    MARKERS,
    MUTED,
    SERIES,
    Drawing,
    new_figure,
    styled,
)
from drugsig.plot.texts import plain, text_width

__all__ = ["changes", "cllr_by_seed"]

_HEIGHT = 2.7
_ROW = 0.26
_GRID = {"color": "#ececec", "linewidth": 0.5}


def cllr_by_seed(
    series: Mapping[str, Mapping[int, float]],
    /,
    *,
    limit: float | None = None,
    width: float = A4_WIDTH,
) -> Drawing:
    """Draw Cllr for every way in which the sources were dealt into folds.

    Parameters
    ----------
    series : mapping of str to mapping of int to float
        Cllr by fold seed, of the raw, the calibrated and the reported LRs, say.
    limit : float, optional
        The criterion, as a line.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure; values that are infinite are drawn at the upper edge.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    finite = [v for one in series.values() for v in one.values() if math.isfinite(v)]
    if not finite:
        raise InputError("there is no finite Cllr to draw")
    top = 1.12 * max([*finite, 0.0 if limit is None else limit])
    with styled():
        figure = new_figure(width, _HEIGHT)
        axes = figure.add_axes((0.6 / width, 0.45 / _HEIGHT, 1 - 0.75 / width, 1 - 0.8 / _HEIGHT))
        axes.grid(**_GRID)  # type: ignore[arg-type]  # one dictionary of numbers and names
        axes.set_axisbelow(True)
        for place, (name, one) in enumerate(series.items()):
            seeds = sorted(one)
            axes.plot(
                seeds, [min(one[s], 0.98 * top) for s in seeds], marker=MARKERS[place],
                markersize=4, linewidth=0.8, color=SERIES[place % len(SERIES)], label=plain(name),
            )  # fmt: skip
        if limit is not None:
            axes.axhline(limit, color=ACCENT, linestyle="-.", linewidth=1.0, label="criterion")
        axes.set_ylim(0.0, top)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("fold seed")
        axes.set_ylabel("Cllr, bit")
        figure.legend(loc="upper right", ncols=len(series) + (limit is not None))
    return figure


def changes(findings: Sequence[Finding], /, *, width: float = A4_WIDTH) -> Drawing:
    """Draw how much Cllr changes, each change with its interval and its criterion.

    Parameters
    ----------
    findings : sequence of Finding
        Those in bit that were measured; others are left out.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure. A filled mark passes, an open one fails; a tick is the criterion.

    Raises
    ------
    InputError
        If none was measured.
    """
    shown = [
        (f, f.estimate)
        for f in findings
        if f.estimate is not None and f.about.unit == "bit" and math.isfinite(f.estimate.value)
    ]
    if not shown:
        raise InputError("no change of Cllr was measured, so there is nothing to draw")
    names = [f.about.label for f, _ in shown]
    left = 0.3 + text_width(names, size=LABEL_SIZE)
    height = 0.95 + _ROW * len(shown)
    with styled():
        figure = new_figure(width, height)
        axes = figure.add_axes(
            (left / width, 0.48 / height, 1 - (left + 0.2) / width, 1 - 0.85 / height)
        )
        axes.grid(axis="x", **_GRID)  # type: ignore[arg-type]  # as above
        axes.set_axisbelow(True)
        axes.axvline(0.0, color=MUTED, linewidth=0.8)
        for place, (one, estimate) in enumerate(shown):
            ends = estimate.interval
            if ends is not None and math.isfinite(ends.low) and math.isfinite(ends.high):
                axes.plot([ends.low, ends.high], [place, place], color=INK, linewidth=1.0)
            axes.plot(
                estimate.value, place, marker="o", markersize=6, linestyle="none",
                color=LINKED if one.verdict != FAIL else INK,
                markerfacecolor=LINKED if one.verdict == PASS else "white", zorder=4,
            )  # fmt: skip
            if one.criterion is not None:
                axes.plot(
                    [one.criterion.limit] * 2, [place - 0.3, place + 0.3], color=ACCENT,
                    linewidth=2.0,
                )  # fmt: skip
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_yticks(range(len(shown)), [plain(n) for n in names])
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("bit")
        handles = [
            Line2D([], [], color=LINKED, marker="o", linestyle="none", label="passes"),
            Line2D(
                [], [], color=INK, marker="o", markerfacecolor="white", linestyle="none",
                label="fails",
            ),
            Line2D([], [], color=INK, linewidth=1.0, label="95 % interval"),
            Line2D([], [], color=ACCENT, linewidth=2.0, label="criterion"),
        ]  # fmt: skip
        figure.legend(handles=handles, loc="upper right", ncols=4)
    return figure
