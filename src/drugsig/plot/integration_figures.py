"""How targets were integrated: every run of a target on one sheet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from drugsig._check import choose, listed
from drugsig.acquisition.cell_reasons import Flag, Reason
from drugsig.acquisition.peak_table import PeakTable
from drugsig.errors import InputError
from drugsig.plot._style import A4_WIDTH, INK, MUTED, Drawing, new_figure, one_path, styled
from drugsig.plot.texts import plain, shorten
from drugsig.profiles.status import Status

__all__ = ["MOST_PANELS", "integrations", "runs_drawn"]

# More panels than these are not looked at one by one.
MOST_PANELS = 60

# Inches of a panel and of what lies between and around panels.
_PANEL_WIDTH, _PANEL_HEIGHT, _TITLE, _GAP = 1.02, 0.5, 0.3, 0.09
_HEAD, _FOOT = 0.24, 0.24
_SMALL = 5.6

# Beside the bounds, so many usual widths of the trace are drawn.
_WIDTHS_BESIDE = 2.0
# Around the expected time where there is no peak.
_WIDTHS_EMPTY = 4.0

# A trace without a peak fills less of its panel, so that noise is not mistaken for one.
_PEAK_ROOM, _NOISE_ROOM = 0.86, 0.4

# A line this short in points needs no more: away from the peak, and along the baseline.
_POINTS_BESIDE, _POINTS_BASELINE = 12, 10

_FILL, _EXPECTED = "#c9c9c9", "#4a4a4a"

_SHORT = {
    Reason.NO_PEAK: "no peak",
    Reason.BELOW_LOD: "below detection",
    Reason.BELOW_LOQ: "below quantification",
    Reason.OUTSIDE_RUN: "outside of the run",
    Reason.ION_NOT_SCANNED: "ion not recorded",
    Reason.SATURATED: "saturated",
    Reason.OFF_RETENTION: "off retention",
    Reason.QUALIFIER_RATIO: "qualifier ratio",
    Reason.OVERLAPPED: "overlapped",
}

# These say that an area may be wrong; the others concern how it is known.
_LOOK_AT = frozenset(
    {Flag.CUT_OFF, Flag.SHOULDER, Flag.TOUCHING, Flag.SEVERAL_PEAKS, Flag.PEAK_BESIDE_WINDOW}
)


@dataclass(frozen=True)
class _Panel:
    """Where a panel lies on the sheet, and what part of a run it shows."""

    left: float
    bottom: float
    first_s: float
    last_s: float

    def across(self, times_s: NDArray[np.float64] | float) -> NDArray[np.float64]:
        share = (np.asarray(times_s) - self.first_s) / (self.last_s - self.first_s)
        return np.asarray(self.left + _PANEL_WIDTH * share)

    def holds(self, time_s: float) -> bool:
        return bool(self.first_s <= time_s <= self.last_s)


def runs_drawn(
    tables: Sequence[PeakTable], /, *, target: str, most: int = MOST_PANELS
) -> tuple[int, ...]:
    """Return the places of the runs that `integrations` draws, in its order.

    All of them in their order, if there are not more than `most`; otherwise those with a rejected
    cell first, then those with flags, then the others.

    Parameters
    ----------
    tables : sequence of PeakTable
        One a run.
    target : str
        Which one.
    most : int
        How many are drawn.
    """
    if len(tables) <= most:
        return tuple(range(len(tables)))

    def rank(row: int) -> int:
        k = tables[row].place_of(target)
        if tables[row].status[k] == Status.REJECTED:
            return 0
        if _LOOK_AT & set(tables[row].flags[k]):
            return 1
        return 2 if tables[row].flags[k] else 3

    return tuple(sorted(range(len(tables)), key=rank)[:most])


def integrations(
    tables: Sequence[PeakTable],
    /,
    *,
    target: str,
    ids: Sequence[str] | None = None,
    marked: Collection[str] = (),
    most: int = MOST_PANELS,
    width: float = A4_WIDTH,
) -> Drawing:
    """Draw how one target was integrated in every run, one small panel a run.

    The trace of the quantifier is black, its baseline dashed; the area between the bounds is grey,
    hatched where the cell was rejected; the triangle is the apex, the dotted line the expected
    retention time. Every panel has a scale of its own; a trace without a peak fills less than
    half of it. Titles hold signal to noise, or why the target was not detected; an exclamation
    mark stands for flags that concern the area. All panels show the same span of time.

    Parameters
    ----------
    tables : sequence of PeakTable
        One a run, from `drugsig.acquisition.extraction.extract`.
    target : str
        Which target.
    ids : sequence of str, optional
        What the runs are called; by default their names.
    marked : collection of str
        The runs whose name is in italics: blanks, control samples.
    most : int
        No more panels than these; see `runs_drawn` for which.
    width : float
        In inches.

    Returns
    -------
    Drawing
        A matplotlib figure.

    Raises
    ------
    InputError
        If there is no run, or there are not as many ids as runs.
    UnknownNameError
        If there is no such target.
    """
    names = [t.run_name for t in tables] if ids is None else list(ids)
    if not tables or len(names) != len(tables):
        raise InputError(
            f"{len(tables)} runs and {len(names)} names cannot be drawn: give the peak table of at "
            "least one run and one name a table"
        )
    strangers = [t.run_name for t in tables if target not in t.targets]
    if strangers:
        choose(target, tables[0].targets, what=f"target of the runs {listed(strangers)}:")
    shown = runs_drawn(tables, target=target, most=most)
    rest = len(tables) - len(shown)
    across = max(1, int((width - 0.04 + _GAP) / (_PANEL_WIDTH + _GAP)))
    down = -(-len(shown) // across)
    height = _HEAD + down * (_TITLE + _PANEL_HEIGHT) + _FOOT
    first_s, last_s = _span([tables[k] for k in shown], target)
    with styled():
        figure = new_figure(width, height)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
        axes.set_axis_off()
        sheet = _Sheet(axes)
        for place, row in enumerate(shown):
            panel = _Panel(
                left=0.02 + (place % across) * (_PANEL_WIDTH + _GAP),
                bottom=height - _HEAD - (place // across + 1) * (_TITLE + _PANEL_HEIGHT),
                first_s=first_s,
                last_s=last_s,
            )
            sheet.add(tables[row], target, panel, names[row], italic=names[row] in marked)
        sheet.finish()
        axes.text(0.02, height - 0.15, plain(target), size=9, weight="bold")
        note = f"{first_s:.1f} s to {last_s:.1f} s in every panel"
        if rest:
            note += f"; {rest} more runs are not drawn"
        axes.text(0.02, 0.07, note, size=6.5, color=MUTED)
    return figure


def _span(tables: Sequence[PeakTable], target: str) -> tuple[float, float]:
    """Return the part of the runs that holds every peak with some baseline beside it."""
    low, high = np.inf, -np.inf
    for table in tables:
        k = table.place_of(target)
        times = table.traces[k].times_s
        if not len(times):
            continue
        usual = table.peak_width_s if np.isfinite(table.peak_width_s) else np.ptp(times) / 20.0
        expected = float(table.expected_time_s[k])
        start, stop = float(table.start_s[k]), float(table.stop_s[k])
        beside = _WIDTHS_BESIDE * usual
        reach = _WIDTHS_EMPTY * usual
        first = min(expected, start - beside) if np.isfinite(start) else expected - reach
        last = max(expected, stop + beside) if np.isfinite(stop) else expected + reach
        low, high = min(low, max(first, times[0])), max(high, min(last, times[-1]))
    if not low < high:
        expected = float(tables[0].expected_time_s[tables[0].place_of(target)])
        return expected - 1.0, expected + 1.0
    return low, high


class _Sheet:
    """The panels of a sheet, collected so that each kind of line becomes one path."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.traces: list[NDArray[np.float64]] = []
        self.baselines: list[NDArray[np.float64]] = []
        self.expected: list[NDArray[np.float64]] = []
        self.floors: list[NDArray[np.float64]] = []
        self.filled: list[NDArray[np.float64]] = []
        self.hatched: list[NDArray[np.float64]] = []
        self.apexes: list[tuple[float, float]] = []

    def add(self, table: PeakTable, target: str, panel: _Panel, name: str, *, italic: bool) -> None:
        k = table.place_of(target)
        status, trace = Status(int(table.status[k])), table.traces[k]
        self._title(table, k, panel, name, italic=italic)
        left, right, floor = panel.left, panel.left + _PANEL_WIDTH, panel.bottom
        self.floors.append(np.array([[left, floor], [right, floor]]))
        inside = (trace.times_s >= panel.first_s) & (trace.times_s <= panel.last_s)
        if inside.sum() < 2:
            return
        times, y, base = trace.times_s[inside], trace.intensity[inside], trace.baseline[inside]
        start, stop = float(table.start_s[k]), float(table.stop_s[k])
        has_peak = bool(np.isfinite(start) and np.isfinite(table.retention_time_s[k]))
        low = min(float(y.min()), float(base.min()))
        high = float(y[(times >= start) & (times <= stop)].max()) if has_peak else float(y.max())
        scale = (_PEAK_ROOM if has_peak else _NOISE_ROOM) * _PANEL_HEIGHT / (high - low or 1.0)

        def up(values: NDArray[np.float64]) -> NDArray[np.float64]:
            # A neighbour may be taller than the peak; it is cut off at the top of the panel.
            return np.minimum(floor + scale * (values - low), floor + _PANEL_HEIGHT)

        x, height = panel.across(times), up(y)
        self.traces.append(np.stack([x, height], axis=1)[_thinned(times, y, start, stop)])
        few = _evenly(len(times), _POINTS_BASELINE)
        self.baselines.append(np.stack([x[few], up(base[few])], axis=1))
        expected = float(table.expected_time_s[k])
        if panel.holds(expected):
            spot = float(panel.across(expected))
            self.expected.append(np.array([[spot, floor], [spot, floor + _PANEL_HEIGHT]]))
        if not has_peak:
            return
        peak = np.flatnonzero((times >= start) & (times <= stop))
        if len(peak) > 1:
            back = peak[_evenly(len(peak), _POINTS_BASELINE)][::-1]
            outline = np.concatenate(
                [
                    np.stack([x[peak], height[peak]], axis=1),
                    np.stack([x[back], up(base[back])], axis=1),
                ]
            )
            rejected = status == Status.REJECTED
            (self.hatched if rejected else self.filled).append(outline)
        apex = float(table.retention_time_s[k])
        if panel.holds(apex):
            top = float(np.interp(apex, times, height))
            self.apexes.append((float(panel.across(apex)), top + 0.045))

    def _title(self, table: PeakTable, k: int, panel: _Panel, name: str, *, italic: bool) -> None:
        status, reason = Status(int(table.status[k])), table.reasons[k]
        top = panel.bottom + _PANEL_HEIGHT
        look_at = "!" if _LOOK_AT & set(table.flags[k]) else ""
        if status == Status.DETECTED:
            said, weight = f"S/N {_brief(float(table.signal_to_noise[k]))}", "normal"
        else:
            said = _SHORT.get(reason, status.label)
            weight = "bold" if status >= Status.NOT_MEASURED else "normal"
        self.axes.text(
            panel.left, top + 0.125, plain(shorten(name, most=20)), size=_SMALL + 0.4,
            style="italic" if italic else "normal", weight="bold",
        )  # fmt: skip
        self.axes.text(panel.left, top + 0.035, f"{said} {look_at}".rstrip(), size=_SMALL,
                       weight=weight, color=INK)  # fmt: skip

    def finish(self) -> None:
        """Draw everything, from the back to the front."""
        self._area(self.filled, facecolor=_FILL, edgecolor="none")
        self._area(self.hatched, facecolor="white", edgecolor=MUTED, hatch="//////", linewidth=0.3)
        self._lines(self.floors, edgecolor="#b5b5b5", linewidth=0.5)
        self._lines(self.expected, edgecolor=_EXPECTED, linewidth=0.5, linestyle=(0, (1, 2)))
        self._lines(self.baselines, edgecolor=INK, linewidth=0.5, linestyle=(0, (4, 2)))
        self._lines(self.traces, edgecolor=INK, linewidth=0.6, joinstyle="round")
        if self.apexes:
            spots = np.array(self.apexes)
            self.axes.plot(
                spots[:, 0], spots[:, 1], linestyle="none", marker="v", markersize=2.6,
                markerfacecolor=INK, markeredgecolor="none", clip_on=False,
            )  # fmt: skip

    def _lines(self, lines: Sequence[NDArray[np.float64]], **look: object) -> None:
        if not lines:
            return
        longest = max(len(line) for line in lines)
        padded = np.full((len(lines), longest, 2), np.nan)
        for k, line in enumerate(lines):
            padded[k, : len(line)] = line
        one_path(self.axes, padded[:, :, 0], padded[:, :, 1], **look)

    def _area(self, outlines: Sequence[NDArray[np.float64]], **look: object) -> None:
        if not outlines:
            return
        closed = [Path(o, closed=False) for o in outlines]
        self.axes.add_patch(PathPatch(Path.make_compound_path(*closed), **look))


def _thinned(
    times: NDArray[np.float64], y: NDArray[np.float64], start: float, stop: float
) -> NDArray[np.intp]:
    """Return the points to draw: all of the peak, and the extremes of what lies beside it."""
    peak = (times >= start) & (times <= stop)
    if not np.isfinite(start):
        return np.arange(len(times))
    keep = set(np.flatnonzero(peak).tolist())
    for beside in (np.flatnonzero(times < start), np.flatnonzero(times > stop)):
        if len(beside) <= 2 * _POINTS_BESIDE:
            keep |= set(beside.tolist())
            continue
        for part in np.array_split(beside, _POINTS_BESIDE):
            keep |= {int(part[y[part].argmin()]), int(part[y[part].argmax()])}
        keep |= {int(beside[0]), int(beside[-1])}
    return np.array(sorted(keep), dtype=np.intp)


def _evenly(n: int, most: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))


def _brief(value: float) -> str:
    return f"{value:.0f}" if value < 1e4 else f"{value:.1e}".replace("e+0", "e")
