"""Areas of peaks, and how uncertain they are, for all windows of a run at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose
from drugsig.acquisition.area_fit import AreaFit, fit_areas, free_of_peaks, smooth_traces
from drugsig.acquisition.baseline import (
    BASELINE_METHODS,
    BASELINE_WIDTHS,
    coarse_baseline,
    first_baseline,
    stiffness,
)
from drugsig.acquisition.noise import FEWEST_POINTS_IN_WIDTH, row_noise, shot_gain
from drugsig.acquisition.peaks import (
    PeakShape,
    all_peaks,
    flat_tops,
    has_shoulder,
    peak_shape,
    smoothing_kernel,
)
from drugsig.acquisition.target_window import TargetWindow
from drugsig.acquisition.windows import IonPlan, Windows

__all__ = ["PEAK_CHOICES", "Integrated", "QualifierArea", "integrate"]

PEAK_CHOICES = ("nearest", "tallest")

# Beside what stands out, this many widths are not trusted as baseline either: feet of peaks.
_FOOT_WIDTHS = 1.0

# From this share of exact zeros on, noise was cut off before the run was written.
_ZEROS_SHARE = 0.25


@dataclass(frozen=True)
class QualifierArea:
    """A qualifier ion, integrated between the same bounds as the quantifier.

    Parameters
    ----------
    mz : float
        The ion.
    area, uncertainty : float
        In s times intensity; standard uncertainty.
    signal_to_noise : float
        2H/h.
    apex_time_s : float
        Its largest point between the bounds.
    height_of_noise : float
        h: a peak of half of it has a signal to noise of 1.
    saturated : bool
        Whether it reaches the level of saturation or has a flat top.
    """

    mz: float
    area: float
    uncertainty: float
    signal_to_noise: float
    apex_time_s: float
    height_of_noise: float
    saturated: bool


@dataclass(frozen=True, eq=False)
class Integrated:
    """What was found in the window of one target.

    Parameters
    ----------
    shape : PeakShape or None
        The peak that was chosen, in places of the window; None if none was found.
    outside : bool
        Whether that peak lies outside the retention window.
    rivals : int
        How many more peaks lie in the retention window.
    area, uncertainty : float
        In s times intensity; NaN without a peak.
    height, signal_to_noise : float
        Over the baseline; 2H/h. NaN without a peak.
    level_there : float
        How high the trace stands over the baseline at the expected time, peak or not.
    spread, height_of_noise : float
        Standard deviation of the noise; its peak-to-peak height h.
    noise_widths : float
        Over how many peak widths the noise was seen.
    noise_hidden : bool
        Whether more than a quarter of the points free of peaks are exactly zero.
    width_s, interval_s : float
        The usual width at half height; the usual time between scans.
    saturated, shoulder, cut_off : bool
        Whether an ion of the quantifier is saturated; whether the peak bends twice; whether it
        does not end within the window.
    qualifiers : tuple of QualifierArea
        In the order of the target.
    times_s, intensity, baseline : ndarray, shape (n_points,)
        The window.
    """

    shape: PeakShape | None
    outside: bool
    rivals: int
    area: float
    uncertainty: float
    height: float
    signal_to_noise: float
    level_there: float
    spread: float
    height_of_noise: float
    noise_widths: float
    noise_hidden: bool
    width_s: float
    interval_s: float
    saturated: bool
    shoulder: bool
    cut_off: bool
    qualifiers: tuple[QualifierArea, ...]
    times_s: NDArray[np.float64]
    intensity: NDArray[np.float64]
    baseline: NDArray[np.float64]


class _FitOptions(TypedDict):
    penalty: float
    kernel: NDArray[np.float64]
    lags: int
    gain: float


def _trapezoid(times: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    out = np.zeros(len(times))
    if stop > start:
        steps = np.diff(times[start : stop + 1])
        out[start:stop] += 0.5 * steps
        out[start + 1 : stop + 1] += 0.5 * steps
    return out


def _smallest(trace: NDArray[np.float64]) -> float:
    """Return the smallest intensity above zero: below it the instrument reported nothing."""
    return float(np.where(trace > 0, trace, np.inf).min(initial=np.inf))


def _seen_noise(height: float, trace: NDArray[np.float64]) -> float:
    if height > 0:
        return height
    least = _smallest(trace)
    return least if np.isfinite(least) else 0.0


def integrate(
    windows: Windows,
    plan: IonPlan,
    targets: Sequence[TargetWindow],
    /,
    *,
    peak: str = "nearest",
    baseline: str = "arpls",
) -> tuple[list[Integrated], float | None]:
    """Find and integrate the peak of every window.

    Parameters
    ----------
    windows : Windows
        The traces.
    plan : IonPlan
        Their ions.
    targets : sequence of TargetWindow
        All targets.
    peak : str
        Which peak of several in a retention window: ``"nearest"`` to the expected time, or
        ``"tallest"``.
    baseline : str
        How peaks are told from baseline, one of `drugsig.acquisition.baseline.BASELINE_METHODS`.

    Returns
    -------
    peaks : list of Integrated
        One a row of the windows.
    gain : float or None
        By how much the variance of the noise grows with the signal; None if no peak was strong
        and wide enough to read it off.

    Raises
    ------
    UnknownNameError
        If there is no such choice of peak or baseline.
    """
    choose(peak, PEAK_CHOICES, what="choice of peak")
    choose(baseline, BASELINE_METHODS, what="baseline method")
    if not len(windows.targets):
        return [], None
    y, valid, times = windows.quantifier, windows.valid, windows.times_s
    points = windows.width_s / windows.interval_s
    usual = float(np.median(points))
    kernel = smoothing_kernel(usual)
    penalty = stiffness(BASELINE_WIDTHS * usual)
    foot = np.ceil(_FOOT_WIDTHS * points).astype(np.intp)
    guess = first_baseline(y, valid, method=baseline, points_in_width=usual)
    free = free_of_peaks(smooth_traces(y - guess, kernel), valid, valid, foot)
    net = y - coarse_baseline(y, free, points_in_width=usual)
    smooth = smooth_traces(net, kernel)
    free = free_of_peaks(smooth, free, valid, foot)
    rough = row_noise(net, free, freedom=np.full(len(y), 2.0), lags=0)
    on_peak = valid & (smooth > 5.0 * rough.spread[:, None])
    on_peak &= (points >= FEWEST_POINTS_IN_WIDTH)[:, None]
    full_points = _full_points(windows, targets)
    quantifies = plan.is_quantifier[windows.ion]
    full = windows.ion_row[full_points.any(axis=1) & quantifies]
    on_peak[full] = False
    # A smoother overshoots at the two edges of a flat top, and would make two peaks of it.
    smooth[full] = net[full]
    read_off = shot_gain(times, y, smooth, rough.spread, on_peak)
    gain = read_off or 0.0

    quiet = float(np.sqrt((kernel**2).sum()))
    chosen: list[tuple[PeakShape | None, bool, int]] = []
    trapezoid = np.zeros_like(y)
    own = np.zeros_like(valid)
    for row, k in enumerate(windows.targets):
        n = int(windows.count[row])
        scatter = quiet * np.sqrt(rough.spread[row] ** 2 + gain * np.maximum(smooth[row, :n], 0.0))
        h = _seen_noise(float(rough.peak_to_peak[row]), y[row, :n])
        found = _choose_peak(times[row, :n], smooth[row, :n], scatter, h, targets[k], peak)
        chosen.append(found)
        shape = found[0]
        if shape is not None:
            trapezoid[row, :n] = _trapezoid(times[row, :n], shape.start, shape.stop)
            own[row, shape.start : shape.stop + 1] = True
    free &= ~own
    lost = free.sum(axis=1) < 4
    if lost.any():
        free[lost] = (valid & ~own)[lost]
        none = free.sum(axis=1) < 2
        free[none] = valid[none]
    options = _FitOptions(penalty=penalty, kernel=kernel, lags=int(np.ceil(usual)), gain=gain)
    fit = fit_areas(y, free, trapezoid, softer=True, **options)
    confirming = _fit_qualifiers(windows, plan, free, own, trapezoid, foot, usual, options)
    peaks = [
        _gather(
            windows, plan, targets[k], row, chosen[row], fit, free, confirming, full_points, options
        )
        for row, k in enumerate(windows.targets)
    ]
    return peaks, read_off


def _choose_peak(
    times: NDArray[np.float64],
    smooth: NDArray[np.float64],
    scatter: NDArray[np.float64],
    noise_height: float,
    target: TargetWindow,
    peak: str,
) -> tuple[PeakShape | None, bool, int]:
    """Return the peak that is meant, whether it is off its window, and how many others are in."""
    places, _ = all_peaks(smooth, scatter)
    tall = smooth[places] >= 0.5 * target.lod * noise_height
    off = np.abs(times[places] - target.retention_time_s)
    inside = tall & (off <= target.window_s)
    near = tall & (off <= 2.0 * target.window_s)
    at_hand = inside if inside.any() else near
    if not at_hand.any():
        return None, False, 0
    candidates = places[at_hand]
    if peak == "nearest" and inside.any():
        apex = int(candidates[off[at_hand].argmin()])
    else:
        apex = int(candidates[smooth[candidates].argmax()])
    foot = float(scatter.min())
    shape = peak_shape(times, smooth, foot, apex, places)
    return shape, not inside.any(), int(inside.sum()) - 1 if inside.any() else 0


def _fit_qualifiers(
    windows: Windows,
    plan: IonPlan,
    free: NDArray[np.bool_],
    own: NDArray[np.bool_],
    trapezoid: NDArray[np.float64],
    foot: NDArray[np.intp],
    usual: float,
    options: _FitOptions,
) -> tuple[NDArray[np.intp], AreaFit | None]:
    """Integrate the qualifier ions between the bounds of their quantifiers."""
    rows = np.flatnonzero(~plan.is_quantifier[windows.ion])
    owner = windows.ion_row[rows]
    wanted = own[owner].any(axis=1)
    rows, owner = rows[wanted], owner[wanted]
    if not len(rows):
        return rows, None
    y, valid = windows.ions[rows], windows.valid[owner]
    smooth = smooth_traces(
        y - coarse_baseline(y, free[owner], points_in_width=usual), options["kernel"]
    )
    # Another ion has peaks of its own beside the one that is shared.
    still = free_of_peaks(smooth, free[owner], valid, foot[owner]) & free[owner]
    scarce = still.sum(axis=1) < 4
    still[scarce] = free[owner][scarce]
    return rows, fit_areas(y, still, trapezoid[owner], softer=False, **options)


def _gather(
    windows: Windows,
    plan: IonPlan,
    target: TargetWindow,
    row: int,
    chosen: tuple[PeakShape | None, bool, int],
    fit: AreaFit,
    free: NDArray[np.bool_],
    confirming: tuple[NDArray[np.intp], AreaFit | None],
    full: NDArray[np.bool_],
    options: _FitOptions,
) -> Integrated:
    n = int(windows.count[row])
    shape, outside, rivals = chosen
    trace = windows.quantifier[row, :n]
    h = _seen_noise(float(fit.noise.peak_to_peak[row]), trace)
    beside = free[row, :n]
    height = float("nan") if shape is None else float(fit.smooth[row, shape.apex])
    saturated = shoulder = cut_off = False
    uncertainty = float("nan")
    if shape is not None:
        mine = (windows.ion_row == row) & plan.is_quantifier[windows.ion]
        saturated = bool(full[mine, shape.start : shape.stop + 1].any())
        quiet = float((options["kernel"] ** 2).sum())
        scatter = np.sqrt(quiet * (fit.noise.spread[row] ** 2 + options["gain"] * max(height, 0.0)))
        step = max(1, round(windows.width_s[row] / windows.interval_s / 4.0))
        shoulder = has_shoulder(fit.smooth[row, :n], scatter, shape.start, shape.stop, step)
        cut_off = shape.start == 0 or shape.stop == n - 1
        uncertainty = float(np.hypot(np.sqrt(fit.variance[row]), shape.cut_area))
    return Integrated(
        shape=shape,
        outside=outside,
        rivals=rivals,
        area=float("nan") if shape is None else float(fit.area[row]),
        uncertainty=uncertainty,
        height=height,
        signal_to_noise=2.0 * height / h if h > 0 else float("nan"),
        level_there=float(
            np.interp(target.retention_time_s, windows.times_s[row, :n], fit.smooth[row, :n])
        ),
        spread=float(fit.noise.spread[row]),
        height_of_noise=h,
        noise_widths=float(beside.sum() * windows.interval_s / windows.width_s[row]),
        noise_hidden=bool((trace[beside] == 0).mean() > _ZEROS_SHARE) if beside.any() else False,
        width_s=float(windows.width_s[row]),
        interval_s=windows.interval_s,
        saturated=saturated,
        shoulder=shoulder,
        cut_off=cut_off,
        qualifiers=_qualifier_areas(windows, plan, row, shape, confirming, full),
        times_s=windows.times_s[row, :n].copy(),
        intensity=trace.copy(),
        baseline=trace - fit.net[row, :n],
    )


def _full_points(windows: Windows, targets: Sequence[TargetWindow]) -> NDArray[np.bool_]:
    """Say at which points of `windows.ions` the detector was full."""
    flat = flat_tops(windows.ions)
    levels = [targets[k].saturation for k in windows.targets]
    if any(level is not None for level in levels):
        high = np.array([np.inf if level is None else level for level in levels])
        flat |= windows.ions >= high[windows.ion_row, None]
    return flat


def _qualifier_areas(
    windows: Windows,
    plan: IonPlan,
    row: int,
    shape: PeakShape | None,
    confirming: tuple[NDArray[np.intp], AreaFit | None],
    full: NDArray[np.bool_],
) -> tuple[QualifierArea, ...]:
    rows, fit = confirming
    if shape is None or fit is None:
        return ()
    n = int(windows.count[row])
    out = []
    for k in np.flatnonzero(windows.ion_row[rows] == row):
        ion = windows.ions[rows[k], :n]
        inside = fit.smooth[k, shape.start : shape.stop + 1]
        apex = shape.start + int(inside.argmax())
        h = _seen_noise(float(fit.noise.peak_to_peak[k]), ion)
        out.append(
            QualifierArea(
                mz=float(plan.mz[windows.ion[rows[k]]]),
                area=float(fit.area[k]),
                uncertainty=float(np.sqrt(fit.variance[k])),
                signal_to_noise=2.0 * float(inside.max()) / h if h > 0 else float("nan"),
                apex_time_s=float(windows.times_s[row, apex]),
                height_of_noise=h,
                saturated=bool(full[rows[k], shape.start : shape.stop + 1].any()),
            )
        )
    return tuple(out)
