"""Areas over a baseline as linear functions of the trace, with their variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.acquisition.baseline import smooth_rows
from drugsig.acquisition.noise import RowNoise, robust_spread, row_noise

__all__ = ["AreaFit", "fit_areas", "free_of_peaks", "smooth_traces"]

# Smoothed points that are further from the baseline belong to peaks, or to what is no noise.
_BUSY = 3.5


@dataclass(frozen=True, eq=False)
class AreaFit:
    """Baselines through points free of peaks, and what areas over them are worth.

    Parameters
    ----------
    net, smooth : ndarray, shape (n_rows, n_points)
        The trace over its baseline; the same smoothed.
    noise : RowNoise
        Of the points free of peaks.
    area : ndarray, shape (n_rows,)
        Between the bounds, over the baseline.
    variance : ndarray, shape (n_rows,)
        Of the area: noise of the peak and of the baseline under it, and how far the choice of
        baseline decides.
    """

    net: NDArray[np.float64]
    smooth: NDArray[np.float64]
    noise: RowNoise
    area: NDArray[np.float64]
    variance: NDArray[np.float64]


def smooth_traces(rows: NDArray[np.float64], kernel: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Smooth every row with a kernel of odd length; the ends are continued as they are."""
    half = len(kernel) // 2
    if not half:
        return rows
    padded = np.pad(rows, ((0, 0), (half, half)), mode="edge")
    out = np.zeros_like(rows)
    for k, c in enumerate(kernel):
        out += c * padded[:, k : k + rows.shape[1]]
    return out


def _widened(mask: NDArray[np.bool_], by: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Widen what is true in every row by its own number of points to either side."""
    n = mask.shape[1]
    counted = np.zeros((len(mask), n + 1), dtype=np.intp)
    np.cumsum(mask, axis=1, out=counted[:, 1:])
    place = np.arange(n)
    high = np.minimum(place + by[:, None] + 1, n)
    low = np.maximum(place - by[:, None], 0)
    within = np.take_along_axis(counted, high, axis=1) - np.take_along_axis(counted, low, axis=1)
    return np.asarray(within > 0)


def free_of_peaks(
    smooth: NDArray[np.float64],
    use: NDArray[np.bool_],
    valid: NDArray[np.bool_],
    foot: NDArray[np.intp],
    /,
) -> NDArray[np.bool_]:
    """Say which points are baseline.

    Parameters
    ----------
    smooth : ndarray, shape (n_rows, n_points)
        Smoothed traces over a first baseline.
    use, valid : ndarray of bool, shape (n_rows, n_points)
        The points that noise is judged by; those that are no padding.
    foot : ndarray of int, shape (n_rows,)
        How many points beside a peak are not trusted either.
    """
    spread = robust_spread(smooth, use)
    busy = np.abs(smooth) > _BUSY * spread[:, None]
    free = valid & ~_widened(busy & valid, foot)
    # A window full of peaks still has a lowest tenth, which is the best baseline there is.
    crowded = free.sum(axis=1) < np.maximum(valid.sum(axis=1) // 10, 4)
    if crowded.any():
        ordered = np.where(valid, smooth, np.inf)
        limit = np.sort(ordered, axis=1)[
            np.arange(len(valid)), np.maximum(valid.sum(axis=1) // 5, 3)
        ]
        free[crowded] = (ordered <= limit[:, None])[crowded]
    return free


def fit_areas(
    rows: NDArray[np.float64],
    free: NDArray[np.bool_],
    trapezoid: NDArray[np.float64],
    /,
    *,
    softer: bool,
    penalty: float,
    kernel: NDArray[np.float64],
    lags: int,
    gain: float,
) -> AreaFit:
    """Draw baselines through the points free of peaks and take areas over them.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_points)
        Traces.
    free : ndarray of bool, shape (n_rows, n_points)
        Which points are baseline.
    trapezoid : ndarray, shape (n_rows, n_points)
        The weight of every point in the area; all zero where nothing is integrated.
    softer : bool
        Whether a baseline that bends twice as easily is tried too, and its difference counted as
        uncertainty. A ratio of two ions gains nothing from it.
    penalty : float
        Stiffness of the baseline.
    kernel : ndarray
        For smoothing.
    lags : int
        How far autocorrelation of the noise is looked for, in points.
    gain : float
        By how much the variance of the noise grows with the signal.
    """
    weights = free.astype(np.float64)
    sides = np.stack([weights * rows, trapezoid])
    solved = smooth_rows(weights, sides, penalty=penalty)
    net = rows - solved[0]
    # The area is the sum of influence times trace: of the trapezoid itself, less what each
    # point free of peaks adds to the baseline under it.
    influence = trapezoid - weights * solved[1]
    # A straight line takes two parameters; each further bend of the smoother about one more.
    bends = weights.sum(axis=1) / (2.0 * penalty**0.25)
    noise = row_noise(net, free, freedom=2.0 + bends, lags=lags)
    smooth = smooth_traces(net, kernel)
    scatter = noise.spread[:, None] ** 2 + gain * np.maximum(smooth, 0.0)
    variance = (influence**2 * scatter).sum(axis=1)
    for k in range(noise.lags.shape[1]):
        if noise.lags[:, k].any():
            together = (influence[:, k + 1 :] * influence[:, : -k - 1]).sum(axis=1)
            variance += 2.0 * noise.lags[:, k] * together
    if softer:
        bent = smooth_rows(weights, trapezoid, penalty=penalty / 16.0)
        apart = trapezoid - weights * bent - influence
        # A baseline twice as flexible gives another area. What exceeds the noise of that difference
        # says that the baseline is not as stiff as was taken for granted.
        change = (apart * rows).sum(axis=1) ** 2 - (apart**2 * scatter).sum(axis=1)
        variance += np.maximum(change, 0.0)
    return AreaFit(
        net=net,
        smooth=smooth,
        noise=noise,
        area=(influence * rows).sum(axis=1),
        variance=np.maximum(variance, 0.0),
    )
