"""How likelihood ratios perform: Tippett, cross-entropy and PAV figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from drugsig._words import percent
from drugsig.evidence.bounds import Bounds
from drugsig.evidence.performance import Estimate, LrPerformance
from drugsig.plot._style import (
    A4_WIDTH,
    ACCENT,
    INK,
    LABEL_SIZE,
    LINKED,
    MUTED,
    UNLINKED,
    Drawing,
    new_figure,
    one_path,
    styled,
)

__all__ = ["ece", "pav", "tippett"]

Floats = NDArray[np.float64]

_HEIGHT = 3.6
# Of this the legend takes a row below the axes: within them it would hide one curve or another.
_LEGEND = 0.3
_GRID = {"color": "#ececec", "linewidth": 0.5}
_BAND_OPACITY = 0.18
_DASHED = (0, (4, 2))

# How far beyond the largest finite value an infinite one is drawn, as a share of the range.
_BEYOND = 0.06

# Cross-entropy above this many times that of no evidence leaves the frame.
_TALLEST = 1.6


def tippett(
    performance: LrPerformance, /, *, bounds: Bounds | None = None, width: float = A4_WIDTH
) -> Drawing:
    """Draw the shares of linked and of unlinked pairs with an LR greater than each value.

    Where the curves cross the line at an LR of 1, misleading evidence can be read off: the share
    of unlinked pairs that is above it, and of linked pairs that is not.

    Parameters
    ----------
    performance : LrPerformance
        From `drugsig.evidence.performance.measure_performance`; its intervals are drawn as bands.
    bounds : Bounds, optional
        Drawn as the ends of what may be reported.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.
    """
    curve = performance.tippett
    with styled():
        figure, axes = _one_panel(width)
        one = curve.log10_lr
        for share, low, high, colour, style, kind in (
            (curve.linked, curve.linked_low, curve.linked_high, LINKED, "-", "linked"),
            (
                curve.unlinked, curve.unlinked_low, curve.unlinked_high, UNLINKED, _DASHED,
                "unlinked",
            ),
        ):  # fmt: skip
            _band(axes, one, low, high, colour)
            axes.plot(
                one, share, color=colour, linestyle=style, linewidth=1.6, label=f"{kind} pairs"
            )
        axes.axvline(0.0, color=INK, linewidth=0.8)
        _bound_lines(axes, bounds)
        rates = (
            f"misleading: {percent(performance.misleading_linked.value)} of linked, "
            f"{percent(performance.misleading_unlinked.value)} of unlinked pairs"
        )
        axes.set_title(rates, pad=6)
        axes.set_xlabel("log10 LR")
        axes.set_ylabel("share of pairs with a greater LR")
        axes.set_ylim(-0.02, 1.03)
        handles, _ = axes.get_legend_handles_labels()
        handles += _band_handles(curve.linked_low is not None, MUTED) + _bound_handles(bounds)
        _legend(figure, handles)
    return figure


def ece(performance: LrPerformance, /, *, width: float = A4_WIDTH) -> Drawing:
    """Draw the cross-entropy of LRs over prior odds, with that of the best and of no evidence.

    Where the curve of the LRs lies above that of no evidence, it would be better not to use them
    at that prior. The distance to the curve after PAV is what calibration could gain.

    Parameters
    ----------
    performance : LrPerformance
        From `drugsig.evidence.performance.measure_performance`; the interval is drawn as a band.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.
    """
    curve = performance.ece
    x = curve.prior_log10_odds
    with styled():
        figure, axes = _one_panel(width)
        top = _TALLEST * float(curve.neutral.max())
        _band(axes, x, curve.low, curve.high, LINKED, highest=top)
        shown = np.where(np.isfinite(curve.lr), curve.lr, np.nan)
        one_path(axes, x, np.minimum(shown, 1.1 * top), edgecolor=LINKED, linewidth=1.6)
        axes.plot(x, curve.pav, color=INK, linestyle=_DASHED, linewidth=1.2)
        axes.plot(x, curve.neutral, color=MUTED, linestyle=":", linewidth=1.2)
        axes.axvline(0.0, color=MUTED, linewidth=0.6)
        axes.set_xlim(float(x[0]), float(x[-1]))
        axes.set_ylim(0.0, min(top, 1.08 * _highest(curve.lr, curve.neutral, curve.high)))
        axes.set_xlabel("prior log10 odds of a common source")
        axes.set_ylabel("empirical cross-entropy, bits")
        axes.set_title(
            f"Cllr {_short(performance.cllr)},  Cllr_min {_short(performance.cllr_min)}", pad=6
        )
        handles = [
            Line2D([], [], color=LINKED, linewidth=1.6, label="the LRs"),
            Line2D([], [], color=INK, linestyle=_DASHED, label="after PAV"),
            Line2D([], [], color=MUTED, linestyle=":", label="no evidence (LR = 1)"),
        ]
        _legend(figure, [*handles, *_band_handles(curve.low is not None, LINKED)])
        if not np.isfinite(curve.lr).all():
            axes.text(
                0.01, 0.98, "the LRs cost infinitely much:\ncertainty for the wrong side",
                transform=axes.transAxes, ha="left", va="top", size=LABEL_SIZE, color=ACCENT,
            )  # fmt: skip
    return figure


def pav(
    performance: LrPerformance, /, *, bounds: Bounds | None = None, width: float = A4_WIDTH
) -> Drawing:
    """Draw what the pairs of known source show against what the LRs say.

    Each step is a block of pooled pairs. Calibrated LRs lie on the diagonal, within the band.
    Steps with pairs of one kind only show an infinite LR, and are drawn at the edge.

    Parameters
    ----------
    performance : LrPerformance
        From `drugsig.evidence.performance.measure_performance`; the interval is drawn as a band.
    bounds : Bounds, optional
        Drawn as the ends of what may be reported.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.
    """
    curve, fit = performance.pav_curve, performance.pav
    finite = fit.fitted[np.isfinite(fit.fitted)]
    x = curve.log10_lr
    ends = np.concatenate([finite, x[[0, -1]], [-1.0, 1.0]])
    low, high = float(ends.min()), float(ends.max())
    beyond = _BEYOND * (high - low)
    with styled():
        figure, axes = _one_panel(width)
        if curve.low is not None and curve.high is not None:
            lower, upper = (
                np.clip(c, low - beyond, high + beyond) for c in (curve.low, curve.high)
            )
            _band(axes, x, lower, upper, LINKED)
        axes.plot([low, high], [low, high], color=MUTED, linestyle=":", linewidth=1.2)
        left = np.clip(fit.low, low - beyond, high + beyond)
        right = np.clip(fit.high, low - beyond, high + beyond)
        level = np.clip(fit.fitted, low - beyond, high + beyond)
        inner = np.isfinite(fit.fitted)
        # A step to the edge is dashed: there is no number behind its height.
        steps_x = np.stack([left, right], axis=1)
        steps_y = np.stack([level, level], axis=1)
        for which, style in ((inner, "-"), (~inner, ":")):
            for one, other in zip(steps_x[which], steps_y[which], strict=True):
                axes.plot(one, other, color=LINKED, linestyle=style, linewidth=2.2)
        one_path(
            axes, steps_x.reshape(1, -1), steps_y.reshape(1, -1), edgecolor=LINKED, linewidth=0.6
        )
        _bound_lines(axes, bounds)
        axes.set_xlim(float(x[0]) - beyond, float(x[-1]) + beyond)
        axes.set_ylim(low - 3 * beyond, high + 3 * beyond)
        for infinite, place, text in (
            (-np.inf, low - 2 * beyond, "no linked pair: −∞"),
            (np.inf, high + 2 * beyond, "no unlinked pair: ∞"),
        ):
            which = fit.fitted == infinite
            if which.any():
                _beyond(axes, float(left[which].min()), float(right[which].max()), place, text)
        axes.set_xlabel("log10 LR that was given")
        axes.set_ylabel("log10 LR that the pairs show")
        axes.set_title(
            f"devPAV {_short(performance.devpav)},  Cllr_cal {_short(performance.cllr_cal)}", pad=6
        )
        handles = [
            Line2D([], [], color=LINKED, linewidth=2.2, label="PAV"),
            Line2D([], [], color=MUTED, linestyle=":", label="perfect calibration"),
        ]
        handles += _band_handles(curve.low is not None, LINKED) + _bound_handles(bounds)
        _legend(figure, handles)
    return figure


def _beyond(axes: Axes, left: float, right: float, place: float, text: str) -> None:
    """Write beyond a step at the edge, from the end of it that has more room beside it."""
    low, high = axes.get_xlim()
    after = high - left > right - low
    axes.text(
        left if after else right, place, text, ha="left" if after else "right", va="center",
        size=LABEL_SIZE, color=MUTED,
    )  # fmt: skip


def _one_panel(width: float) -> tuple[Drawing, Axes]:
    figure = new_figure(width, _HEIGHT)
    bottom = 0.45 + _LEGEND
    axes = figure.add_axes(
        (0.6 / width, bottom / _HEIGHT, 1 - 0.75 / width, 1 - (bottom + 0.33) / _HEIGHT)
    )
    axes.grid(**_GRID)  # type: ignore[arg-type]  # one dictionary of numbers and names
    axes.set_axisbelow(True)
    return figure, axes


def _band(
    axes: Axes,
    x: Floats,
    low: Floats | None,
    high: Floats | None,
    colour: str,
    *,
    highest: float = np.inf,
) -> None:
    if low is None or high is None:
        return
    top = 1.1 * highest
    axes.fill_between(
        x, np.minimum(low, top), np.minimum(high, top), color=colour, alpha=_BAND_OPACITY,
        linewidth=0,
    )  # fmt: skip


def _bound_lines(axes: Axes, bounds: Bounds | None) -> None:
    for place in () if bounds is None else (bounds.low, bounds.high):
        axes.axvline(place, color=ACCENT, linestyle="-.", linewidth=1.0)


def _legend(figure: Drawing, handles: Sequence[Artist]) -> None:
    figure.legend(
        handles=handles, loc="lower center", ncols=len(handles), columnspacing=1.4, handlelength=2.2
    )


def _band_handles(banded: bool, colour: str) -> list[Line2D]:
    if not banded:
        return []
    label = "95 % by resampling sources"
    return [Line2D([], [], color=colour, alpha=2 * _BAND_OPACITY, linewidth=6, label=label)]


def _bound_handles(bounds: Bounds | None) -> list[Line2D]:
    if bounds is None:
        return []
    label = f"bounds ({bounds.method})"
    return [Line2D([], [], color=ACCENT, linestyle="-.", linewidth=1.0, label=label)]


def _short(estimate: Estimate) -> str:
    if np.isnan(estimate.value):
        return "has no value"
    if estimate.interval is None:
        return f"{estimate.value:.3g}"
    return f"{estimate.value:.3g} ({estimate.interval.low:.3g} to {estimate.interval.high:.3g})"


def _highest(*curves: Floats | None) -> float:
    finite = [c[np.isfinite(c)] for c in curves if c is not None]
    return max(float(c.max()) for c in finite if len(c))
