"""The noise of a trace: how strong it is, how it hangs together, how it grows with the signal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RowNoise", "robust_spread", "row_noise", "shot_gain"]

# The median of |x| of normal noise of unit standard deviation is 1 / 1.4826.
_MAD = 1.4826

# A difference of eighth order takes out a peak of seven or more points in its width, down to 1/7000
# of its height measured in noise, and leaves the noise.
_ORDER = 8

# A peak with fewer points in its width leaves more of itself in that difference than noise.
FEWEST_POINTS_IN_WIDTH = 7.0

_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class RowNoise:
    """The noise of every row around its baseline, where it is free of peaks.

    Parameters
    ----------
    spread : ndarray, shape (n_rows,)
        Standard deviation.
    peak_to_peak : ndarray, shape (n_rows,)
        The largest minus the smallest residual: h of S/N = 2H/h.
    points : ndarray of int, shape (n_rows,)
        How many points are free of peaks.
    lags : ndarray, shape (n_rows, n_lags)
        Autocovariance at 1, 2 ... points up to the first lag without; all zero where the first
        cannot be told from none, so that white noise gains no error from estimating what is not
        there.
    """

    spread: NDArray[np.float64]
    peak_to_peak: NDArray[np.float64]
    points: NDArray[np.int64]
    lags: NDArray[np.float64]


def robust_spread(residual: NDArray[np.float64], use: NDArray[np.bool_], /) -> NDArray[np.float64]:
    """Return 1.4826 times the median of the absolute residuals of every row.

    Parameters
    ----------
    residual, use : ndarray, shape (n_rows, n_points)
        Residuals, and which of them count.

    Returns
    -------
    ndarray, shape (n_rows,)
        Zero for a row without points.
    """
    ordered = np.sort(np.where(use, np.abs(residual), np.inf), axis=1)
    count = use.sum(axis=1)
    rows = np.arange(len(residual))
    low, high = (np.maximum(count - 1, 0)) // 2, np.maximum(count, 1) // 2
    high = np.minimum(high, np.maximum(count - 1, 0))
    middle = 0.5 * (ordered[rows, low] + ordered[rows, high])
    return np.where(count > 0, _MAD * np.where(np.isfinite(middle), middle, 0.0), 0.0)


def row_noise(
    residual: NDArray[np.float64],
    free: NDArray[np.bool_],
    /,
    *,
    freedom: NDArray[np.float64],
    lags: int,
) -> RowNoise:
    """Measure the noise of every row.

    Parameters
    ----------
    residual : ndarray, shape (n_rows, n_points)
        Trace minus baseline.
    free : ndarray of bool, shape (n_rows, n_points)
        Which points are free of peaks.
    freedom : ndarray, shape (n_rows,)
        How many parameters the baseline has used up.
    lags : int
        How far autocorrelation is looked for, in points: a peak width is as far as it matters.
    """
    count = free.sum(axis=1)
    r = np.where(free, residual, 0.0)
    variance = (r**2).sum(axis=1) / np.maximum(count - freedom, 1.0)
    high = np.where(free, residual, -np.inf).max(axis=1)
    low = np.where(free, residual, np.inf).min(axis=1)
    reach = min(lags, residual.shape[1] - 1)
    covariance = np.zeros((len(residual), max(reach, 0)))
    for k in range(1, reach + 1):
        pairs = (free[:, k:] & free[:, :-k]).sum(axis=1)
        covariance[:, k - 1] = (r[:, k:] * r[:, :-k]).sum(axis=1) / np.maximum(pairs, 1)
    # Two standard errors of a correlation that is not there; where the first lag has it, all count
    # up to the first without.
    noticed = np.logical_and.accumulate(covariance > 0, axis=1)
    noticed &= covariance[:, :1] > (2.0 / np.sqrt(np.maximum(count, 1)) * variance)[:, None]
    return RowNoise(
        spread=np.sqrt(variance),
        peak_to_peak=np.where(count > 1, high - low, 0.0),
        points=count.astype(np.int64),
        lags=np.where(noticed, covariance, 0.0),
    )


def shot_gain(
    times: NDArray[np.float64],
    rows: NDArray[np.float64],
    net: NDArray[np.float64],
    spread: NDArray[np.float64],
    use: NDArray[np.bool_],
    /,
) -> float | None:
    """Estimate how the variance of the noise grows with the signal of peaks.

    The variance of a point is taken as ``spread**2 + gain * net``, as counting ions makes it. The
    gain belongs to the detector and is therefore one number a run. It is read off divided
    differences of eighth order over the peaks themselves, which hardly see the peak. They are
    formed with the real times: over a steep flank, jitter of the scan times would pass for noise.

    Parameters
    ----------
    times : ndarray, shape (n_rows, n_points)
        Seconds.
    rows : ndarray, shape (n_rows, n_points)
        Traces.
    net : ndarray, shape (n_rows, n_points)
        Smoothed, baseline taken off.
    spread : ndarray, shape (n_rows,)
        Standard deviation of the noise of the baseline.
    use : ndarray of bool, shape (n_rows, n_points)
        Which points lie on a peak.

    Returns
    -------
    float or None
        In the unit of intensity, never negative; None without a point to read it off.
    """
    half = _ORDER // 2
    inner = use.copy()
    inner[:, :half] = inner[:, -half:] = False
    row, place = np.nonzero(inner)
    around = place[:, None] + np.arange(-half, half + 1)
    t = times[row[:, None], around]
    apart = t[:, :, None] - t[:, None, :] + np.eye(_ORDER + 1)
    weights = 1.0 / np.prod(apart, axis=2)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    difference = (weights * rows[row[:, None], around]).sum(axis=1)
    signal = (weights**2 * net[row[:, None], around]).sum(axis=1)
    floor = spread[row] ** 2
    seen = signal > 0
    if not seen.any():
        return None
    excess, signal, floor = (difference**2 - floor)[seen], signal[seen], floor[seen]
    gain = max(float(excess.sum() / signal.sum()), 0.0)
    for _ in range(3):
        # Each point is as good as its own variance; two rounds settle it.
        weight = signal / np.maximum(floor + gain * signal, _TINY) ** 2
        gain = max(float((weight * excess).sum() / (weight * signal).sum()), 0.0)
    return gain
