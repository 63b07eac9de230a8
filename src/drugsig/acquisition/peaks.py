"""Peaks of one trace: which ones there are, which one is meant, where it begins and ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

__all__ = [
    "FLAT_TOP",
    "PeakShape",
    "all_peaks",
    "flat_tops",
    "has_shoulder",
    "peak_shape",
    "smoothing_kernel",
]

# A rise must stand out from the noise of its place by this many standard deviations to be a peak
# of its own: by chance that happens once in a million points.
SIGNIFICANT = 5.0

# The distance to a tenth of the height decides where a peak ends. A Gaussian is down to a
# thousandth of its height at 1.7 times that distance, an exponential tail at 3 times.
_LEVEL, _FRONT, _TAIL = 0.1, 2.0, 3.0

# The same at half height, for a peak whose tenth lies in the noise.
_LEVEL_WEAK, _FRONT_WEAK, _TAIL_WEAK = 0.5, 3.5, 7.0

# How many equal scans at the top are no accident.
FLAT_TOP = 3

# A second bend must be this much of the main one to be called a shoulder.
_SHOULDER_SHARE = 0.03


@dataclass(frozen=True)
class PeakShape:
    """One peak of a trace, in places of the trace (from 0) and seconds.

    Parameters
    ----------
    apex : int
        The place of the top.
    apex_time_s : float
        The top of the parabola through it and its neighbours.
    height : float
        Over the baseline, of the smoothed trace.
    start, stop : int
        The first and the last place that belong to it.
    width_s : float
        At half height; NaN where the peak does not come down to it.
    asymmetry : float
        The back over the front part of the width at a tenth of the height; NaN likewise.
    valley : float
        The higher of the two valleys that cut it off from neighbours, as a share of its height;
        0 if it comes down to the baseline on both sides.
    cut_area : float
        What lies beyond valleys, if it falls there as fast as it did before: how far the area may
        be wrong.
    """

    apex: int
    apex_time_s: float
    height: float
    start: int
    stop: int
    width_s: float
    asymmetry: float
    valley: float
    cut_area: float


def smoothing_kernel(points_in_width: float, /) -> NDArray[np.float64]:
    """Return weights of a quadratic smoother of about half a peak width (Savitzky and Golay).

    Parameters
    ----------
    points_in_width : float
        Points in the width at half height. Below six the kernel is a single 1: so narrow a peak
        would be flattened.
    """
    half = int(points_in_width / 4.0 + 0.25)
    if half < 2:
        return np.ones(1)
    x = np.arange(-half, half + 1.0)
    design = np.stack([np.ones_like(x), x, x**2])
    return np.asarray(np.linalg.solve(design @ design.T, design)[0])


def all_peaks(
    net: NDArray[np.float64], noise: NDArray[np.float64], /
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find every rise that stands out from the noise of its place.

    Parameters
    ----------
    net : ndarray, shape (n_points,)
        Smoothed, baseline taken off.
    noise : ndarray, shape (n_points,)
        Standard deviation of the smoothed trace.

    Returns
    -------
    places, prominences : ndarray
        Tops, in order of time.
    """
    least = SIGNIFICANT * float(noise.min()) if len(noise) else 0.0
    places, found = find_peaks(net, height=least, prominence=least)
    prominence = found["prominences"]
    real = prominence > SIGNIFICANT * noise[places]
    return places[real], prominence[real]


def _crossing(
    times: NDArray[np.float64], net: NDArray[np.float64], apex: int, level: float, step: int
) -> float:
    """Return the time at which the trace first comes down to `level`, going from the apex."""
    side = net[apex::step]
    below = side <= level
    first = int(below.argmax())
    if not below[first]:
        return float("nan")
    k = apex + step * first
    inner = k - step
    fall = net[inner] - net[k]
    part = (net[inner] - level) / fall if fall > 0 else 1.0
    return float(times[inner] + part * (times[k] - times[inner]))


def _apex_time(times: NDArray[np.float64], net: NDArray[np.float64], apex: int) -> float:
    if not 0 < apex < len(net) - 1:
        return float(times[apex])
    before, after = times[apex - 1] - times[apex], times[apex + 1] - times[apex]
    d0, d2 = net[apex - 1] - net[apex], net[apex + 1] - net[apex]
    bend = d0 * after - d2 * before
    if bend == 0:
        return float(times[apex])
    shift = 0.5 * (d0 * after**2 - d2 * before**2) / bend
    return float(times[apex] + np.clip(shift, before, after))


def peak_shape(
    times: NDArray[np.float64],
    net: NDArray[np.float64],
    noise: float,
    apex: int,
    neighbours: NDArray[np.intp],
    /,
) -> PeakShape:
    """Measure one peak and find where it begins and ends.

    Parameters
    ----------
    times, net : ndarray, shape (n_points,)
        Seconds; smoothed trace over its baseline.
    noise : float
        Standard deviation of the smoothed trace at the foot of the peak.
    apex : int
        The place of its top.
    neighbours : ndarray of int
        The places of all peaks of the trace.

    Returns
    -------
    PeakShape
        The peak ends at the lowest point before the next peak, or where it has come down to the
        baseline: at twice (front) and three times (back) its distance to a tenth of the height. A
        peak whose tenth lies in the noise is measured further up, at up to half its height.
    """
    height, top = float(net[apex]), float(times[apex])
    top_time = _apex_time(times, net, apex)
    level = float(np.clip(6.0 * noise / height, _LEVEL, _LEVEL_WEAK)) if height > 0 else _LEVEL
    weak = np.log(level / _LEVEL) / np.log(_LEVEL_WEAK / _LEVEL)
    reach = (
        _FRONT * (_FRONT_WEAK / _FRONT) ** weak,
        _TAIL * (_TAIL_WEAK / _TAIL) ** weak,
    )
    ends: list[int] = []
    valley = cut = 0.0
    for step, factor in zip((-1, 1), reach, strict=True):
        crossing = _crossing(times, net, apex, level * height, step)
        far = float("inf") if np.isnan(crossing) else abs(crossing - top) * factor
        if step < 0:
            end = int(np.searchsorted(times, top - far, side="left"))
            nearer = neighbours[neighbours < apex][-1:]
        else:
            end = int(np.searchsorted(times, top + far, side="right")) - 1
            nearer = neighbours[neighbours > apex][:1]
        if len(nearer):
            a, b = sorted((int(nearer[0]), apex))
            lowest = a + int(net[a : b + 1].argmin())
            if (step < 0 and lowest > end) or (step > 0 and lowest < end):
                end = lowest
                left_over = max(float(net[lowest]), 0.0)
                valley = max(valley, left_over / height if height > 0 else 0.0)
                # A tail that has come down to `level` in this time falls on at the same rate.
                decay = abs(float(times[lowest]) - top) / max(
                    np.log(height / max(left_over, level * height)), 0.5
                )
                cut += left_over * decay
        ends.append(end)
    half = [_crossing(times, net, apex, 0.5 * height, step) for step in (-1, 1)]
    tenth = [_crossing(times, net, apex, 0.1 * height, step) for step in (-1, 1)]
    front = top_time - tenth[0]
    return PeakShape(
        apex=apex,
        apex_time_s=top_time,
        height=height,
        start=ends[0],
        stop=ends[1],
        width_s=half[1] - half[0],
        asymmetry=(tenth[1] - top_time) / front if front > 0 else float("nan"),
        valley=valley,
        cut_area=cut,
    )


def has_shoulder(
    net: NDArray[np.float64], noise: float, start: int, stop: int, step: int, /
) -> bool:
    """Say whether a peak bends twice, as two unresolved peaks do and a tailing one does not.

    Parameters
    ----------
    net : ndarray, shape (n_points,)
        Smoothed, baseline taken off.
    noise : float
        Standard deviation of the smoothed trace on the peak.
    start, stop : int
        Where the peak begins and ends.
    step : int
        Over how many points the bend is measured.
    """
    a, b = max(start - step, 0), min(stop + step + 1, len(net))
    piece = net[a:b]
    if len(piece) < 2 * step + 3:
        return False
    bend = 2.0 * piece[step:-step] - piece[: -2 * step] - piece[2 * step :]
    # The weights 1, -2, 1 of neighbouring, smoothed points: at most the root of six times noise.
    least = max(SIGNIFICANT * np.sqrt(6.0) * noise, _SHOULDER_SHARE * float(bend.max()))
    tops = (bend[1:-1] > bend[:-2]) & (bend[1:-1] >= bend[2:]) & (bend[1:-1] > least)
    if np.count_nonzero(tops) < 2:
        return False
    return len(find_peaks(bend, height=least, prominence=least)[0]) > 1


def flat_tops(ions: NDArray[np.float64], /) -> NDArray[np.bool_]:
    """Say where traces of single ions stay at exactly their largest value for several scans.

    Parameters
    ----------
    ions : ndarray, shape (n_ions, n_points)
        As recorded.

    Returns
    -------
    ndarray of bool, shape (n_ions, n_points)
        True where `FLAT_TOP` or more equal scans in a row begin. What fills the detector is the
        largest that it can report, so no other peak of the trace is higher.
    """
    top = ions.max(axis=1, keepdims=True, initial=0.0)
    at_top = (ions == top) & (top > 0)
    flat = at_top.copy()
    for k in range(1, FLAT_TOP):
        flat[:, :-k] &= at_top[:, k:]
        flat[:, -k:] = False
    return np.asarray(flat)
