"""What stands behind a threshold: distributions, ROC curve, and what a link is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from drugsig._words import area, one_in, percent
from drugsig.comparison.metrics import Metric
from drugsig.errors import InputError
from drugsig.evidence.pairs import PairSample
from drugsig.evidence.prevalence import TrueLinkShare
from drugsig.evidence.roc import roc_curve
from drugsig.evidence.threshold import StratumRate, Threshold
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
from drugsig.plot.texts import plain, shorten, text_width

__all__ = ["distributions", "roc", "strata", "true_links"]

# More ticks than this merge into a bar and say no more than the bars above them.
_MOST_TICKS = 400
_STRATA_SHOWN = 20


def distributions(
    sample: PairSample, threshold: Threshold, /, *, width: float = A4_WIDTH
) -> Drawing:
    """Draw the scores of linked and unlinked pairs, each on a scale of its own.

    Left over the whole range, right around the threshold. Bars that meet the threshold are
    hatched; every linked pair has a tick below its bars, so that few are seen as well.

    Parameters
    ----------
    sample : PairSample
        The pairs of known source.
    threshold : Threshold
        With its error rates on them.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    ThresholdError
        If the threshold was given without known sources.
    """
    rates = threshold.rates
    metric, value = threshold.metric, threshold.value
    whole = _range_of(sample.scores, metric, value)
    near = _near(whole, metric, value, sample.linked_scores)
    height = 3.9
    with styled():
        figure = new_figure(width, height)
        grid = figure.subplots(
            2, 2, sharex="col",
            gridspec_kw={
                "left": 0.62 / width, "right": 1 - 0.12 / width, "wspace": 0.24, "hspace": 0.3,
                "bottom": 0.45 / height, "top": 1 - 0.3 / height,
            },
        )  # fmt: skip
        rows = (
            ("linked", sample.linked_scores, LINKED, sample.n_linked_sources),
            ("unlinked", sample.unlinked_scores, UNLINKED, sample.n_unlinked_sources),
        )
        for row, (kind, scores, colour, sources) in enumerate(rows):
            for column, (low, high) in enumerate((whole, near)):
                axes = grid[row, column]
                _bars(axes, scores, threshold, (low, high), colour, (1.18, 1.42)[column])
                if kind == "linked" and len(scores) <= _MOST_TICKS:
                    _ticks(axes, scores, (low, high))
                axes.axvline(value, color=INK, linestyle=(0, (4, 2)), linewidth=1.1, zorder=4)
                axes.set_xlim(low, high)
                if column == 0:
                    axes.set_ylabel(f"{kind} pairs")
            grid[row, 0].set_title(f"{len(scores):,} {kind} pairs from {sources:,} sources", pad=5)
        grid[0, 1].set_title("around the threshold", pad=5)
        shares = (
            f"true positives {percent(rates.true_positive_rate)}",
            f"false positives {percent(rates.false_positive_rate)}",
        )
        for axes, text in zip(grid[:, 1], shares, strict=True):
            right = not metric.is_similarity
            axes.text(
                0.985 if right else 0.015, 0.95, f"{text}\n(hatched)", transform=axes.transAxes,
                ha="right" if right else "left", va="top", size=LABEL_SIZE,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85},
                zorder=5,
            )  # fmt: skip
        for axes in grid[1]:
            axes.set_xlabel(f"{metric.name}   (- - threshold {value:.4g})")
    return figure


def roc(sample: PairSample, threshold: Threshold, /, *, width: float = A4_WIDTH) -> Drawing:
    """Draw the ROC curve with the point at which the threshold works.

    Left on plain scales; right with the false-positive rate on a logarithmic scale, where the
    small rates lie that matter when many pairs are compared.

    Parameters
    ----------
    sample : PairSample
        The pairs of known source.
    threshold : Threshold
        With its error rates on them.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    ThresholdError
        If the threshold was given without known sources.
    """
    rates = threshold.rates
    _, false, true = roc_curve(*sample.tied_sides, metric=threshold.metric)
    false, true = _corners(np.concatenate([[0.0], false]), np.concatenate([[0.0], true]))
    least = 0.5 / sample.n_unlinked
    height = 3.1
    with styled():
        figure = new_figure(width, height)
        left, right = figure.subplots(
            1, 2, sharey=True,
            gridspec_kw={
                "left": 0.55 / width, "right": 1 - 0.15 / width, "wspace": 0.12,
                "bottom": 0.45 / height, "top": 1 - 0.3 / height,
            },
        )  # fmt: skip
        for axes, x in ((left, false), (right, np.maximum(false, least))):
            one_path(axes, x, true, edgecolor=LINKED, linewidth=1.6)
            _operating_point(axes, threshold, least if axes is right else 0.0)
            axes.set_ylim(-0.02, 1.03)
            axes.grid(color="#ececec", linewidth=0.5)
            axes.set_axisbelow(True)
            axes.set_xlabel("false-positive rate" + (", logarithmic" if axes is right else ""))
        chance = np.linspace(0.0, 1.0, 50)
        left.plot(chance, chance, color=MUTED, linestyle=":", linewidth=1.0)
        left.text(0.5, 0.42, "no better than chance", size=LABEL_SIZE, color=MUTED)
        left.set_xlim(-0.02, 1.02)
        right.set_xscale("log")
        right.set_xlim(least, 1.1)
        right.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        left.set_ylabel("true-positive rate")
        ends = rates.auc_interval
        spread = f" (95 %: {area(ends.low)} to {area(ends.high)})"
        left.set_title(f"area under the curve {area(rates.auc)}{spread}", pad=6)
        left.legend(loc="lower right")
    return figure


def true_links(
    shares: Sequence[TrueLinkShare],
    /,
    *,
    least: Sequence[TrueLinkShare] = (),
    width: float = A4_WIDTH,
) -> Drawing:
    """Draw what share of the links is true, over how common true links may be.

    Parameters
    ----------
    shares : sequence of TrueLinkShare
        From `drugsig.evidence.share_of_true_links`, with the rates as measured.
    least : sequence of TrueLinkShare
        The same with the least favourable rates that the measurement leaves open.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    InputError
        If no share is known: without error rates of the threshold there is none.
    """
    x, y = _known(shares)
    low_x, low_y = _known(least)
    if not len(x) and not len(low_x):
        raise InputError(
            "there is no share of true links to draw: it follows from the error rates of a "
            "threshold, so a population rule with known sources is needed"
        )
    every = x if len(x) else low_x
    height = 2.7
    with styled():
        figure = new_figure(width, height)
        axes = figure.add_axes(
            (0.6 / width, 0.55 / height, 1 - 0.9 / width, 1 - 0.85 / height), xscale="log"
        )
        if len(x):
            axes.plot(
                x, y, color=LINKED, marker="o", markersize=5, linewidth=1.5, clip_on=False,
                label="with the rates as measured",
            )  # fmt: skip
        if len(low_x):
            axes.plot(
                low_x, low_y, color=ACCENT, marker="s", markersize=4, linewidth=1.2,
                linestyle="--", clip_on=False,
                label="at the least favourable ends of their intervals",
            )  # fmt: skip
        for at, share in zip(every, y if len(x) else low_y, strict=True):
            axes.annotate(
                percent(share), (at, share), xytext=(0, 7), textcoords="offset points",
                ha="right" if share > 0.05 else "center", size=LABEL_SIZE,
            )  # fmt: skip
        axes.set_ylim(0.0, 1.12)
        figure.legend(loc="upper left", ncols=2, bbox_to_anchor=(0.5 / width, 1.0), handlelength=3)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axes.set_xticks(every, [one_in(p) for p in every])
        axes.minorticks_off()
        axes.set_xlim(every.min() / 1.8, every.max() * 1.8)
        axes.set_xlabel("how many of the compared pairs truly share a source (not known)")
        axes.set_ylabel("share of links that are true")
        axes.grid(color="#ececec", linewidth=0.5)
        axes.set_axisbelow(True)
    return figure


def strata(threshold: Threshold, /, *, width: float = A4_WIDTH) -> Drawing:
    """Draw the share of links among pairs of one kind from different seizures.

    Their source is not known. Where the share lies far above the false-positive rate, the rate
    was measured on pairs that are easier to tell apart than these.

    Parameters
    ----------
    threshold : Threshold
        With rates by stratum.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure; the first entry and the 19 strata with the most pairs.

    Raises
    ------
    InputError
        If there are no strata.
    """
    rates = threshold.rates
    if not rates.strata:
        raise InputError(
            "this threshold has no rates by stratum: name stratum columns in the population rule"
        )
    first, *others = rates.strata
    largest = sorted(others, key=lambda s: (-s.n_pairs, s.stratum))[: _STRATA_SHOWN - 1]
    shown: list[StratumRate] = [first, *largest]
    names = [
        f"{shorten(s.stratum, most=48)}  ({s.n_pairs:,} pair{'s' * (s.n_pairs != 1)})"
        for s in shown
    ]
    left = min(text_width(names, size=LABEL_SIZE) * 0.92 + 0.15, width * 0.55)
    height = 0.75 + 0.18 * len(shown)
    with styled():
        figure = new_figure(width, height)
        axes = figure.add_axes(
            (left / width, 0.5 / height, 1 - (left + 0.35) / width, 1 - 0.72 / height)
        )
        place = np.arange(len(shown))
        shares = np.array([s.link_rate for s in shown])
        axes.barh(place, shares, height=0.62, color="#c9c9c9", edgecolor=INK, linewidth=0.6)
        for at, rate in zip(place, shares, strict=True):
            axes.annotate(
                percent(rate), (rate, at), xytext=(4, 0), textcoords="offset points",
                va="center", size=LABEL_SIZE, zorder=5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.85},
            )  # fmt: skip
        measured = rates.false_positive_rate
        axes.axvline(measured, color=ACCENT, linestyle=(0, (4, 2)), linewidth=1.2)
        axes.set_title(f"- - false-positive rate {percent(measured)}", pad=4, size=8)
        axes.set_yticks(place, [plain(n) for n in names])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        most = max(float(shares.max()), measured, 0.01)
        axes.set_xlim(0.0, 1.15 * most)
        axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:g} %")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(
            "share of pairs that meet the threshold (their source is not known)", loc="right"
        )
    return figure


def _range_of(scores: NDArray[np.float64], metric: Metric, value: float) -> tuple[float, float]:
    low, high = min(float(scores.min()), value), max(float(scores.max()), value)
    if metric.is_similarity:
        high = max(high, metric.self_value)
    else:
        low = min(low, metric.self_value)
    room = 0.02 * (high - low or 1.0)
    return low - room, high + room


def _near(
    whole: tuple[float, float], metric: Metric, value: float, linked: NDArray[np.float64]
) -> tuple[float, float]:
    """Return a range around the threshold, from identical to twice as far off."""
    reach = 2.2 * abs(value - metric.self_value)
    if not reach:
        reach = 0.1 * (whole[1] - whole[0])
    room = 0.03 * reach
    if metric.is_similarity:
        return max(whole[0], metric.self_value - reach), min(whole[1], metric.self_value + room)
    return max(whole[0], metric.self_value - room), min(whole[1], metric.self_value + reach)


def _bars(
    axes: Axes,
    scores: NDArray[np.float64],
    threshold: Threshold,
    span: tuple[float, float],
    colour: str,
    room: float,
) -> None:
    low, high = span
    step = (high - low) / 44.0
    # A bin ends right at the threshold, so that no bar is half hatched; equal is a link.
    similarity = threshold.metric.is_similarity
    loosened = float(threshold.metric.loosened(threshold.value, np.asarray(threshold.value)))
    edge = loosened if similarity else float(np.nextafter(loosened, np.inf))
    first, last = np.floor((low - edge) / step), np.ceil((high - edge) / step)
    edges = edge + step * np.arange(first, last + 1)
    counts, _ = np.histogram(scores, bins=edges)
    middles = (edges[:-1] + edges[1:]) / 2.0
    meets = middles > edge if similarity else middles < edge
    for chosen, hatch in ((meets, "////"), (~meets, "")):
        filled = chosen & (counts > 0)
        axes.bar(
            middles[filled], counts[filled], width=step, color=colour, edgecolor=INK,
            linewidth=0.4, hatch=hatch,
        )  # fmt: skip
    axes.set_ylim(0.0, max(1.0, float(counts.max(initial=0))) * room)
    axes.locator_params(axis="y", integer=True, nbins=5)


def _ticks(axes: Axes, scores: NDArray[np.float64], span: tuple[float, float]) -> None:
    inside = scores[(scores >= span[0]) & (scores <= span[1])]
    low, high = axes.get_ylim()
    axes.set_ylim(-0.16 * high, high)
    one_path(
        axes,
        np.stack([inside, inside], axis=1),
        np.broadcast_to([-0.13 * high, -0.03 * high], (len(inside), 2)),
        edgecolor=INK,
        linewidth=0.8,
    )
    axes.set_yticks([t for t in axes.get_yticks() if low <= t <= high])


def _corners(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Drop the points in the middle of straight runs: thousands of pairs need few corners."""
    keep = np.ones(len(x), dtype=bool)
    flat = (y[1:-1] == y[:-2]) & (y[1:-1] == y[2:])
    steep = (x[1:-1] == x[:-2]) & (x[1:-1] == x[2:])
    keep[1:-1] = ~(flat | steep)
    return x[keep], y[keep]


def _operating_point(axes: Axes, threshold: Threshold, least: float) -> None:
    rates = threshold.rates
    true, across, up = (
        rates.true_positive_rate,
        rates.false_positive_interval,
        rates.true_positive_interval,
    )
    x = max(rates.false_positive_rate, least)
    ends = [max(across.low, least), max(across.high, least)]
    axes.plot(ends, [true, true], color=INK, linewidth=1)
    axes.plot([x, x], [up.low, up.high], color=INK, linewidth=1)
    axes.plot(
        x, true, marker="o", markersize=6, markerfacecolor="white", markeredgecolor=INK,
        linestyle="none", zorder=5, clip_on=False, label="threshold, with 95 % intervals",
    )  # fmt: skip


def _known(shares: Sequence[TrueLinkShare]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    known = [(s.prevalence, s.share) for s in shares if s.share is not None and s.prevalence > 0]
    return np.array([p for p, _ in known]), np.array([s for _, s in known])
