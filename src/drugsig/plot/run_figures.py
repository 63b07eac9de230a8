"""Figures of runs: a chromatogram, and the internal standard from run to run."""

from __future__ import annotations

import numpy as np

from drugsig.acquisition.chromatogram import Chromatogram
from drugsig.acquisition.ion_traces import ion_traces
from drugsig.acquisition.run import Run
from drugsig.errors import InputError
from drugsig.plot._style import (
    A4_WIDTH,
    INK,
    LABEL_SIZE,
    MUTED,
    Drawing,
    new_figure,
    one_path,
    styled,
)
from drugsig.plot.texts import plain, shorten, text_width
from drugsig.quality.standard_charts import StandardChart

__all__ = ["chromatogram", "internal_standard"]

_NAME_LENGTH = 20
# Names closer together than this, in inches, run into each other.
_NAME_PITCH = 0.115


def chromatogram(
    run: Run | Chromatogram,
    /,
    *,
    mz: float | None = None,
    tolerance: float = 0.5,
    between_s: tuple[float, float] | None = None,
    title: str = "",
    width: float = A4_WIDTH,
) -> Drawing:
    """Draw a chromatogram: the total ion current of a run, one of its ions, or a detector trace.

    Parameters
    ----------
    run : Run or Chromatogram
        From `drugsig.read_run` or `drugsig.read_chromatogram`.
    mz : float, optional
        Of a run, draw this ion instead of the total ion current.
    tolerance : float
        How far the m/z of a point may be from that of the ion, in Da.
    between_s : tuple of float, optional
        From when to when, in seconds; the whole run by default.
    title : str
        Put over the figure; the name of the file and what is drawn by default.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    InputError
        If an ion of a detector trace is asked for, or nothing lies in the span of time.
    """
    if isinstance(run, Run):
        if mz is None:
            times, y, what = run.scan_times_s, run.tic, "TIC"
        else:
            traces = ion_traces(run, [mz], tolerance=tolerance)
            times, y, what = traces.times_s, traces.intensity[0], f"m/z {mz:g}"
    elif mz is not None:
        raise InputError(
            f"'{run.metadata.file_name}' is a trace of {run.channel}: it has no ions. Leave mz out."
        )
    else:
        times, y, what = run.times_s, run.intensity, run.channel
    inside = np.ones(len(times), dtype=bool)
    if between_s is not None:
        inside = (times >= between_s[0]) & (times <= between_s[1])
    if not inside.any():
        covered = f"{times[0]:.1f} to {times[-1]:.1f} s" if len(times) else "nothing"
        raise InputError(
            f"'{run.metadata.file_name}' has no point to draw in {between_s}: it covers {covered}"
        )
    with styled():
        height = 2.5
        figure = new_figure(width, height)
        axes = figure.add_axes((0.7 / width, 0.45 / height, 1 - 0.8 / width, 1 - 0.75 / height))
        axes.plot(times[inside], y[inside], color=INK, linewidth=0.8)
        axes.margins(x=0.01)
        axes.set_ylim(bottom=min(0.0, float(y[inside].min())))
        axes.set_xlabel("retention time (s)")
        unit = run.unit if isinstance(run, Chromatogram) and run.unit else "intensity"
        axes.set_ylabel(plain(unit))
        axes.locator_params(axis="y", nbins=5)
        axes.yaxis.set_major_formatter(_brief)
        told = title or f"{run.metadata.file_name}, {what}"
        figure.text(0.7 / width, 1 - 0.17 / height, plain(told), size=8.5, weight="bold")
    return figure


def internal_standard(chart: StandardChart, /, *, width: float = A4_WIDTH) -> Drawing:
    """Draw the area of an internal standard from run to run.

    A line is the median of a sequence, the grey band the limits a run is judged by. Runs that
    stand out have an open diamond; a cross at the bottom is a run without an area.

    Parameters
    ----------
    chart : StandardChart
        From `drugsig.quality.check_runs`.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    InputError
        If it was found in no run.
    """
    known = np.isfinite(chart.areas)
    if not known.any():
        raise InputError(f"'{chart.target}' was found in no run: there is nothing to draw")
    n = len(chart.ids)
    place = np.arange(n)
    names = [shorten(name, most=_NAME_LENGTH) for name in chart.ids]
    below = text_width(names, size=LABEL_SIZE) + 0.15
    height = 1.6 + below + 0.15
    out = {name for name, _ in chart.outliers}
    stands_out = np.array([name in out for name in chart.ids]) & known
    with styled():
        figure = new_figure(width, height)
        axes = figure.add_axes(
            (0.7 / width, below / height, 1 - 0.8 / width, 1.6 / height), xlim=(-0.6, n - 0.4)
        )
        ends = place + np.array([[-0.5], [0.5]])
        for k in place:
            if np.isfinite(chart.lows[k]):
                axes.fill_between(
                    ends[:, k], chart.lows[k], chart.highs[k], color="#e6e6e6", linewidth=0
                )
        one_path(
            axes, ends.T, np.stack([chart.centres, chart.centres], axis=1), edgecolor=MUTED,
            linewidth=0.9,
        )  # fmt: skip
        usual = known & ~stands_out
        axes.plot(place[usual], chart.areas[usual], "o", color=INK, markersize=3.5)
        axes.plot(
            place[stands_out], chart.areas[stands_out], "D", markersize=6, markerfacecolor="white",
            markeredgecolor=INK,
        )  # fmt: skip
        top = max(float(np.nanmax(chart.areas)), float(np.nanmax(np.append(chart.highs, 0.0))))
        axes.set_ylim(0.0, 1.08 * top)
        axes.plot(place[~known], np.full((~known).sum(), 0.04 * top), "x", color=INK, markersize=5)
        for k in np.flatnonzero(np.array(chart.sequences[1:]) != np.array(chart.sequences[:-1])):
            axes.axvline(k + 0.5, color=INK, linewidth=0.6, linestyle=(0, (2, 2)))
        step = max(1, int(np.ceil(_NAME_PITCH * n / (width - 0.8))))
        axes.set_xticks(place[::step], [plain(name) for name in names[::step]])
        axes.tick_params(axis="x", labelrotation=90, length=2, pad=2)
        axes.locator_params(axis="y", nbins=4)
        axes.set_ylabel(plain(f"area of {shorten(chart.target, most=24)}"))
        axes.yaxis.set_major_formatter(_brief)
    return figure


def _brief(value: float, _: object = None) -> str:
    """Return a number of a scale: 8e6 rather than 8000000."""
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e")
