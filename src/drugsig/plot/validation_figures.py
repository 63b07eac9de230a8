"""Figures of a validation: Cllr by fold seed, and every figure beside its criterion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.lines import Line2D

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

# Told apart by form, so that a grey print says the same.
_MARKS: dict[str, dict[str, Any]] = {
    PASS: {"color": LINKED, "marker": "o"},
    FAIL: {"color": INK, "marker": "o", "markerfacecolor": "white"},
}
_UNJUDGED: dict[str, Any] = {"color": MUTED, "marker": "D", "markerfacecolor": "white"}

_HEIGHT = 2.7
_ROW = 0.26
_NAMED_SEEDS = 25
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
    # A seed is a name: there is nothing between two of them.
    seeds = sorted({seed for one in series.values() for seed in one})
    step = -(-len(seeds) // _NAMED_SEEDS)
    top = 1.12 * max([*finite, 0.0 if limit is None else limit])
    with styled():
        figure = new_figure(width, _HEIGHT)
        axes = figure.add_axes((0.6 / width, 0.45 / _HEIGHT, 1 - 0.75 / width, 1 - 0.8 / _HEIGHT))
        axes.grid(**_GRID)  # type: ignore[arg-type]  # one dictionary of numbers and names
        axes.set_axisbelow(True)
        for place, (name, one) in enumerate(series.items()):
            own = [k for k, seed in enumerate(seeds) if seed in one]
            axes.plot(
                own, [min(one[seeds[k]], 0.98 * top) for k in own], marker=MARKERS[place],
                markersize=4, linewidth=0.8, color=SERIES[place % len(SERIES)], label=plain(name),
            )  # fmt: skip
        if limit is not None:
            axes.axhline(limit, color=ACCENT, linestyle="-.", linewidth=1.0, label="criterion")
        axes.set_ylim(0.0, top)
        axes.set_xticks(range(0, len(seeds), step), [str(seed) for seed in seeds[::step]])
        axes.set_xlim(-0.5, len(seeds) - 0.5)
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
        A matplotlib figure. A filled round mark passes, an open one fails, a diamond has no
        criterion; a tick is the criterion.

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
                estimate.value, place, markersize=6, linestyle="none", zorder=4,
                **_MARKS.get(one.verdict, _UNJUDGED),
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
        verdicts = {f.verdict for f, _ in shown}
        handles = [
            Line2D([], [], linestyle="none", label=label, **style)
            for label, style, there in (
                ("passes", _MARKS[PASS], PASS in verdicts),
                ("fails", _MARKS[FAIL], FAIL in verdicts),
                ("no criterion", _UNJUDGED, bool(verdicts - set(_MARKS))),
            )
            if there
        ]
        handles += [
            Line2D([], [], color=INK, linewidth=1.0, label="95 % interval"),
            Line2D([], [], color=ACCENT, linewidth=2.0, label="criterion"),
        ]
        figure.legend(handles=handles, loc="upper right", ncols=len(handles))
    return figure
