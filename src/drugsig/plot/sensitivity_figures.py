"""How the LR of one comparison moves with everything it rests on."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from drugsig.evidence.sensitivity import KINDS, Sensitivity, SensitivityCase
from drugsig.plot._style import (
    A4_WIDTH,
    ACCENT,
    INK,
    LABEL_SIZE,
    LINKED,
    MUTED,
    Drawing,
    new_figure,
    styled,
)
from drugsig.plot.texts import plain, shorten, text_width

__all__ = ["MOST_CASES", "sensitivity"]

# More rows of one kind do not fit on a page; those that move least are left to the table.
MOST_CASES = 18

_ROW = 0.19
_GRID = "#ececec"
_LONGEST_NAME = 34
# How far raw values reach beyond the reported ones, in widths of these; farther is cut.
_RAW_OUTSIDE = 1.0


def sensitivity(found: Sensitivity, /, *, width: float = A4_WIDTH) -> Drawing:
    """Draw the reported and the raw log10 LR with one thing changed at a time.

    The filled mark is what would be reported, the open one what the model gave; the line over all
    rows is the comparison as it was evaluated. A raw value far outside is drawn at the edge with
    its number.

    Parameters
    ----------
    found : Sensitivity
        From `drugsig.evidence.sensitivity.sensitivity`.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.
    """
    rows = _rows(found)
    names = [shorten(name, most=_LONGEST_NAME) for name, _ in rows]
    left = 0.25 + text_width(names, size=LABEL_SIZE)
    height = 0.95 + _ROW * len(rows)
    with styled():
        figure = new_figure(width, height)
        axes = figure.add_axes(
            (left / width, 0.5 / height, 1 - (left + 0.2) / width, 1 - 0.95 / height)
        )
        low, high = _limits(found)
        axes.set_xlim(low, high)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(axis="x", color=_GRID, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.axvline(0.0, color=MUTED, linewidth=0.7)
        axes.axvline(found.base.log10_lr, color=ACCENT, linewidth=1.1)
        for bound in (found.base.low, found.base.high):
            if math.isfinite(bound):
                axes.axvline(bound, color=ACCENT, linestyle="-.", linewidth=0.8)
        for place, (_, case) in enumerate(rows):
            if case is None:
                axes.axhline(place, color=_GRID, linewidth=0.5)
            else:
                _draw(axes, place, case, found, low, high)
        axes.set_yticks(range(len(rows)), [plain(name) for name in names])
        for label, (_, case) in zip(axes.get_yticklabels(), rows, strict=True):
            if case is None:
                label.set_fontweight("bold")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("log10 LR (to the left H2, to the right H1)")
        if len(found.draws):
            ends = np.quantile(found.draws, [0.025, 0.975])
            axes.axvspan(float(ends[0]), float(ends[1]), color=ACCENT, alpha=0.12, linewidth=0)
        figure.legend(handles=_handles(found), loc="upper left", ncols=3, bbox_to_anchor=(0.0, 1.0))
    return figure


def _rows(found: Sensitivity) -> list[tuple[str, SensitivityCase | None]]:
    rows: list[tuple[str, SensitivityCase | None]] = [("as evaluated", found.base)]
    for kind in KINDS:
        cases = found.of(kind)
        if not cases:
            continue
        rows.append((kind, None))
        order = sorted(
            cases,
            key=lambda c: (
                math.isnan(c.log10_lr),
                -abs(c.log10_lr - found.base.log10_lr),
                -abs(c.log10_lr_raw - found.base.log10_lr_raw),
            ),
        )
        rows += [(case.name, case) for case in order[:MOST_CASES]]
        if len(order) > MOST_CASES:
            rows.append((f"and {len(order) - MOST_CASES} that move it less", None))
    return rows


def _limits(found: Sensitivity) -> tuple[float, float]:
    """Return a range that holds all reported values and bounds; raw ones may lie outside."""
    values = [c.log10_lr for c in (found.base, *found.cases)]
    values += [found.base.low, found.base.high, 0.0, *found.draws.tolist()]
    there = [v for v in values if math.isfinite(v)]
    low, high = min(there), max(there)
    raw = [c.log10_lr_raw for c in (found.base, *found.cases) if math.isfinite(c.log10_lr_raw)]
    reach = max(high - low, 1.0)
    low = max(low - _RAW_OUTSIDE * reach, min([low, *raw]))
    high = min(high + _RAW_OUTSIDE * reach, max([high, *raw]))
    edge = 0.06 * max(high - low, 1.0)
    return low - edge, high + edge


def _draw(
    axes: Axes, place: int, case: SensitivityCase, found: Sensitivity, low: float, high: float
) -> None:
    if math.isnan(case.log10_lr):
        axes.text(
            found.base.log10_lr, place, "could not be fitted", ha="center", va="center",
            size=LABEL_SIZE - 1, color=MUTED,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
        return
    edge = 0.02 * (high - low)
    raw = min(max(case.log10_lr_raw, low + edge), high - edge)
    axes.plot([case.log10_lr, raw], [place, place], color=MUTED, linewidth=0.6)
    axes.plot(
        raw, place, marker="o", markersize=4.5, markerfacecolor="white", markeredgecolor=INK,
        markeredgewidth=0.8, linestyle="none",
    )  # fmt: skip
    axes.plot(
        case.log10_lr, place, marker="s" if case.at_bound else "o", markersize=5, color=LINKED,
        linestyle="none", zorder=4,
    )  # fmt: skip
    if raw != case.log10_lr_raw:
        right = raw > (low + high) / 2
        axes.annotate(
            f"{case.log10_lr_raw:.1f}", (raw, place), xytext=(-5 if right else 5, 0),
            textcoords="offset points", ha="right" if right else "left", va="center",
            size=LABEL_SIZE - 1, color=MUTED,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
        )  # fmt: skip


def _handles(found: Sensitivity) -> list[Line2D]:
    handles = [
        Line2D([], [], color=LINKED, marker="o", linestyle="none", label="as reported"),
        Line2D([], [], color=LINKED, marker="s", linestyle="none", label="reported at a bound"),
        Line2D(
            [], [], color=INK, marker="o", markerfacecolor="white", linestyle="none",
            label="raw, from the model",
        ),
        Line2D([], [], color=ACCENT, label="as evaluated"),
    ]  # fmt: skip
    if math.isfinite(found.base.low):
        handles.append(Line2D([], [], color=ACCENT, linestyle="-.", label="bounds"))
    if len(found.draws):
        handles.append(
            Line2D([], [], color=ACCENT, alpha=0.3, linewidth=6, label="95 %, areas redrawn")
        )
    return handles
