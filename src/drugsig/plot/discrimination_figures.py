"""ROC and DET curves of one or several treatments, with bands by resampling sources."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.stats import norm

from drugsig._words import area, percent
from drugsig.errors import InputError
from drugsig.evidence.discrimination import Discrimination
from drugsig.plot._style import (
    A4_WIDTH,
    LABEL_SIZE,
    LINE_STYLES,
    LINKED,
    MARKERS,
    MUTED,
    SERIES,
    Drawing,
    new_figure,
    styled,
)
from drugsig.plot.texts import plain, shorten

__all__ = ["MOST_CURVES", "det", "roc_band"]

Floats = NDArray[np.float64]

# More curves in one figure cannot be told apart in print.
MOST_CURVES = 6

# Rates at which the axes of a DET curve are labelled, where they lie in the range of the data.
_DET_TICKS = (0.0001, 0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
_DET_ENDS = (0.00005, 0.995)

_GRID = "#ececec"


def roc_band(
    curves: Discrimination | Mapping[str, Discrimination], /, *, width: float = A4_WIDTH
) -> Drawing:
    """Draw ROC curves with their 95 % bands.

    Left on plain scales; right with the false-positive rate on a logarithmic scale, where the
    small rates lie that matter when many pairs are compared. A band holds 95 % of resampled curves
    at each rate by itself, not the whole curve at once.

    Parameters
    ----------
    curves : Discrimination or mapping of str to Discrimination
        One, or several by name; bands are drawn of one or two only.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    InputError
        If there is no curve, or there are more than 6.
    """
    named = _named(curves)
    least = min(0.5 / one.sample.n_unlinked for one in named.values())
    height = 3.2
    with styled():
        figure = new_figure(width, height)
        left, right = figure.subplots(
            1, 2, sharey=True,
            gridspec_kw={
                "left": 0.55 / width, "right": 1 - 0.15 / width, "wspace": 0.12,
                "bottom": 0.45 / height, "top": 1 - 0.15 / height,
            },
        )  # fmt: skip
        for axes in (left, right):
            for place, (name, one) in enumerate(named.items()):
                if len(named) <= 2:
                    colour = _colour(place, len(named))
                    _band(axes, one, place, colour, least if axes is right else 0.0)
                rates = np.maximum(one.rates, least) if axes is right else one.rates
                axes.plot(
                    rates, one.true_positive_rate, color=_colour(place, len(named)),
                    linestyle=LINE_STYLES[place], linewidth=1.6,
                    label=_label(name, f"area {area(one.auc)}"),
                )  # fmt: skip
            axes.set_ylim(-0.02, 1.03)
            axes.grid(color=_GRID, linewidth=0.5)
            axes.set_axisbelow(True)
            axes.set_xlabel("false-positive rate" + (", logarithmic" if axes is right else ""))
        left.plot([0.0, 1.0], [0.0, 1.0], color=MUTED, linestyle=":", linewidth=1.0)
        left.set_xlim(-0.02, 1.02)
        right.set_xscale("log")
        right.set_xlim(least, 1.1)
        right.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        left.set_ylabel("true-positive rate")
        left.legend(loc="lower right")
    return figure


def det(
    curves: Discrimination | Mapping[str, Discrimination], /, *, width: float = A4_WIDTH
) -> Drawing:
    """Draw detection error trade-off curves: both error rates, on scales of normal deviates.

    Parameters
    ----------
    curves : Discrimination or mapping of str to Discrimination
        One, or several by name.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure; the mark on each curve is where both error rates are equal.

    Raises
    ------
    InputError
        If there is no curve, or there are more than 6.
    """
    named = _named(curves)
    side = min(width, 4.6)
    low, high = (float(norm.ppf(end)) for end in _DET_ENDS)
    with styled():
        figure = new_figure(side, side)
        axes = figure.add_axes((0.72 / side, 0.5 / side, 1 - 0.95 / side, 1 - 0.65 / side))
        for place, (name, one) in enumerate(named.items()):
            _, false, misses = one.det()
            colour = _colour(place, len(named))
            axes.plot(
                *(np.clip(norm.ppf(x), low, high) for x in (false, misses)), color=colour,
                linestyle=LINE_STYLES[place], linewidth=1.5, drawstyle="steps-post",
                label=_label(name, f"equal error {percent(one.equal_error_rate)}"),
            )  # fmt: skip
            equal = float(np.clip(norm.ppf(one.equal_error_rate), low, high))
            axes.plot(
                equal, equal, marker=MARKERS[place], color=colour, markerfacecolor="white",
                linestyle="none", markersize=6, zorder=5,
            )  # fmt: skip
        axes.plot([low, high], [low, high], color=MUTED, linestyle=":", linewidth=1.0)
        ticks = [t for t in _DET_TICKS if _DET_ENDS[0] < t < _DET_ENDS[1]]
        names = [f"{100 * t:g}" for t in ticks]
        axes.set_xticks(norm.ppf(ticks), names)
        axes.set_yticks(norm.ppf(ticks), names)
        axes.tick_params(axis="x", labelsize=LABEL_SIZE - 1.5)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.grid(color=_GRID, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_xlabel("false positives, %")
        axes.set_ylabel("false negatives, %")
        axes.legend(loc="upper right")
    return figure


def _named(curves: Discrimination | Mapping[str, Discrimination]) -> dict[str, Discrimination]:
    named = {"": curves} if isinstance(curves, Discrimination) else dict(curves)
    if not 1 <= len(named) <= MOST_CURVES:
        raise InputError(
            f"a figure shows 1 to {MOST_CURVES} curves, got {len(named)}. Draw the best ones, or "
            "several figures."
        )
    return named


def _colour(place: int, n: int) -> str:
    return LINKED if n == 1 else SERIES[place]


def _label(name: str, figures: str) -> str:
    return plain(f"{shorten(name, most=36)}: {figures}" if name else figures)


def _band(axes: Axes, one: Discrimination, place: int, colour: str, least: float) -> None:
    # Two bands that overlap are told apart by their hatching, in print as well.
    axes.fill_between(
        np.maximum(one.rates, least), one.band_low, one.band_high, facecolor=colour, alpha=0.18,
        edgecolor=colour, linewidth=0.4, hatch=None if place == 0 else "....",
    )  # fmt: skip
