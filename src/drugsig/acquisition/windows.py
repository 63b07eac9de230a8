"""The windows of a run: for every target the stretch of its ion traces that is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.acquisition.ion_traces import TraceSource
from drugsig.acquisition.target_window import TargetWindow

__all__ = ["IonPlan", "Windows", "cut_windows", "ion_plan", "usual_width"]

# Peak widths to either side of the retention window: enough for 20 widths of noise beside a peak.
_MARGIN_WIDTHS = 14.0

# A peak tells its width if it is this many times the noise of neighbouring scans.
_CLEAR = 20.0

# Without any peak to learn it from, a width at half height is taken as this share of the window.
_ASSUMED_SHARE = 1.0 / 3.0


@dataclass(frozen=True, eq=False)
class IonPlan:
    """Which ions are read for which target.

    Parameters
    ----------
    mz, tolerance : ndarray, shape (n_ions,)
        All ions of all targets.
    owner : ndarray of int, shape (n_ions,)
        The target of each.
    is_quantifier : ndarray of bool, shape (n_ions,)
        Whether it is integrated, or confirms.
    """

    mz: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    owner: NDArray[np.intp]
    is_quantifier: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Windows:
    """The traces of every target in its window; rows are padded to one length.

    Parameters
    ----------
    targets : ndarray of int, shape (n_rows,)
        Which target each row is.
    first, count : ndarray of int, shape (n_rows,)
        The first scan of each row, and how many scans it has.
    times_s : ndarray, shape (n_rows, n_points)
        Seconds; rising also in the padding.
    valid : ndarray of bool, shape (n_rows, n_points)
        False in the padding.
    quantifier : ndarray, shape (n_rows, n_points)
        The trace that is integrated.
    ions : ndarray, shape (n_ions_read, n_points)
        Every ion of its own.
    ion : ndarray of int, shape (n_ions_read,)
        Which ion of the plan each row of `ions` is.
    ion_row : ndarray of int, shape (n_ions_read,)
        The window it belongs to.
    width_s : ndarray, shape (n_rows,)
        The usual width at half height.
    interval_s : float
        Between scans, the median.
    """

    targets: NDArray[np.intp]
    first: NDArray[np.intp]
    count: NDArray[np.intp]
    times_s: NDArray[np.float64]
    valid: NDArray[np.bool_]
    quantifier: NDArray[np.float64]
    ions: NDArray[np.float64]
    ion: NDArray[np.intp]
    ion_row: NDArray[np.intp]
    width_s: NDArray[np.float64]
    interval_s: float


def ion_plan(targets: Sequence[TargetWindow], /) -> IonPlan:
    """List the ions of all targets, quantifiers of a target before its qualifiers."""
    listed = [
        (mz, t.tolerance, k, is_quantifier)
        for k, t in enumerate(targets)
        for is_quantifier, ions in (
            (True, t.quantifier),
            (False, tuple(q.mz for q in t.qualifiers)),
        )
        for mz in ions
    ]
    mz, tolerance, owner, quantifies = zip(*listed, strict=True)
    return IonPlan(
        mz=np.array(mz, dtype=np.float64),
        tolerance=np.array(tolerance, dtype=np.float64),
        owner=np.array(owner, dtype=np.intp),
        is_quantifier=np.array(quantifies, dtype=bool),
    )


def usual_width(
    source: TraceSource, plan: IonPlan, targets: Sequence[TargetWindow], /
) -> float | None:
    """Learn the usual width at half height from the clear peaks of a run.

    Parameters
    ----------
    source : TraceSource
        The run.
    plan : IonPlan
        The ions of the targets.
    targets : sequence of TargetWindow
        Where peaks are expected.

    Returns
    -------
    float or None
        Seconds: the median over targets of the tallest peak near the retention time, if it stands
        out clearly; None if none does.
    """
    half = np.array([2.0 * t.window_s for t in targets])
    middle = np.array([t.retention_time_s for t in targets])
    first = np.searchsorted(source.times_s, middle - half)
    count = np.searchsorted(source.times_s, middle + half) - first
    length = int(count.max(initial=0))
    if length < 3:
        return None
    ions = np.flatnonzero(plan.is_quantifier)
    traces = source.read(ions, first[plan.owner[ions]], length)
    rows = np.zeros((len(targets), length))
    np.add.at(rows, plan.owner[ions], traces)
    floors = np.median(rows, axis=1)
    steps = np.median(np.abs(np.diff(rows, axis=1)), axis=1)
    apexes = rows.argmax(axis=1)
    heights = rows[np.arange(len(rows)), apexes] - floors
    widths = []
    for k in np.flatnonzero(heights > _CLEAR * steps):
        trace, apex = rows[k, : count[k]], int(apexes[k])
        times = source.times_s[first[k] : first[k] + count[k]]
        level = floors[k] + 0.5 * heights[k]
        under = np.flatnonzero(trace <= level)
        before, after = under[under < apex], under[under > apex]
        if len(before) and len(after):
            a, b = int(before[-1]), int(after[0])
            rise = times[a] + (level - trace[a]) / (trace[a + 1] - trace[a]) * (
                times[a + 1] - times[a]
            )
            fall = times[b] - (level - trace[b]) / (trace[b - 1] - trace[b]) * (
                times[b] - times[b - 1]
            )
            widths.append(float(fall - rise))
    return float(np.median(widths)) if widths else None


def cut_windows(
    source: TraceSource, plan: IonPlan, targets: Sequence[TargetWindow], covered: Sequence[int], /
) -> Windows:
    """Read the traces of the targets that the run covers.

    Parameters
    ----------
    source : TraceSource
        The run.
    plan : IonPlan
        The ions of the targets.
    targets : sequence of TargetWindow
        All targets.
    covered : sequence of int
        Which of them are looked for.

    Returns
    -------
    Windows
        A row a target, reaching 14 peak widths beyond its retention window to either side.
    """
    rows = np.array(covered, dtype=np.intp)
    chosen = [targets[k] for k in covered]
    learned = None
    if any(t.peak_width_s is None for t in chosen):
        learned = usual_width(source, plan, targets)
    interval = float(np.median(np.diff(source.times_s)))
    width = np.array([t.peak_width_s or learned or _ASSUMED_SHARE * t.window_s for t in chosen])
    # A peak of less than two scans is a spike, and no margin can be measured in it.
    width = np.maximum(width, 2.0 * interval)
    middle = np.array([t.retention_time_s for t in chosen])
    reach = np.array([t.window_s for t in chosen]) + _MARGIN_WIDTHS * width
    first = np.searchsorted(source.times_s, middle - reach)
    count = np.searchsorted(source.times_s, middle + reach, side="right") - first
    length = int(count.max(initial=0))
    scans = first[:, None] + np.arange(length)
    valid = np.arange(length) < count[:, None]
    beyond = np.maximum(scans - (len(source) - 1), 0)
    times = source.times_s[np.minimum(scans, len(source) - 1)] + beyond * interval
    row_of = np.full(len(targets), -1, dtype=np.intp)
    row_of[rows] = np.arange(len(rows))
    ion = np.flatnonzero(row_of[plan.owner] >= 0)
    ion_row = row_of[plan.owner[ion]]
    ions = source.read(ion, first[ion_row], length)
    ions[~valid[ion_row]] = 0.0
    quantifier = np.zeros((len(rows), length))
    integrated = plan.is_quantifier[ion]
    np.add.at(quantifier, ion_row[integrated], ions[integrated])
    return Windows(
        targets=rows,
        first=first,
        count=count,
        times_s=times,
        valid=valid,
        quantifier=quantifier,
        ions=ions,
        ion=ion,
        ion_row=ion_row,
        width_s=width,
        interval_s=interval,
    )
