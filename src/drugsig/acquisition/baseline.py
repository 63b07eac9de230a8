"""Baselines of many windows at once: where a trace would run if the peaks were not there.

A window is a row of a table; rows of different length are padded and say so by a weight of zero.
All rows are solved in one banded system, which costs a tenth of solving them one by one.

Two steps make a baseline. First *arPLS* (or SNIP) tells peaks from baseline without knowing where
the peaks are. Then the points that are free of peaks are smoothed once more with weights of one,
and all others with zero: this baseline is a linear function of the trace, so that the uncertainty
it brings into an area follows from the noise without approximation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpbsv
from scipy.special import expit

from drugsig._check import choose
from drugsig.errors import InputError

__all__ = [
    "BASELINE_METHODS",
    "BASELINE_WIDTHS",
    "arpls",
    "coarse_baseline",
    "first_baseline",
    "smooth_rows",
    "stiffness",
]

BASELINE_METHODS = ("arpls", "snip")

# A baseline bends over this many peak widths: stiff enough not to follow a tailing peak into its
# gap, soft enough for column bleed.
BASELINE_WIDTHS = 5.0

# Points in a width that are enough to tell a peak from baseline.
_COARSE = 5.0

# Beyond this the smoother is a straight line in any window, and the system loses its digits.
_STIFFEST = 1e10

# What is smaller than this share of a trace is rounding, not noise.
_ROUNDING = 1e-13

_TINY = 1e-300


def stiffness(length: float, /) -> float:
    """Return the penalty with which a baseline bends over about this many points.

    Parameters
    ----------
    length : float
        Points. A second-order smoother with penalty p follows what is slower than about the
        fourth root of p points and bridges what is faster (Eilers, Anal. Chem. 75 (2003) 3631).
    """
    return float(min(max(length, 1.0) ** 4, _STIFFEST))


def smooth_rows(
    weights: NDArray[np.float64], sides: NDArray[np.float64], /, *, penalty: float
) -> NDArray[np.float64]:
    """Solve (W + penalty D'D) z = side for every row, D the second difference.

    Parameters
    ----------
    weights : ndarray, shape (n_rows, n_points)
        The diagonal of W; a row needs at least two weights above zero.
    sides : ndarray, shape (n_rows, n_points) or (k, n_rows, n_points)
        Right-hand sides.
    penalty : float
        See `stiffness`.

    Returns
    -------
    ndarray, of the shape of `sides`
        The solutions.

    Raises
    ------
    InputError
        If a row has no solution.
    """
    n_rows, n_points = weights.shape
    # Points first: the solver works on columns, and would copy anything else.
    bands = np.empty((n_rows, n_points, 3))
    bands[:] = 6.0 * penalty, -4.0 * penalty, penalty
    bands[:, [0, -1], 0], bands[:, [1, -2], 0] = penalty, 5.0 * penalty
    bands[:, [0, -2], 1], bands[:, -1, 1], bands[:, -2:, 2] = -2.0 * penalty, 0.0, 0.0
    bands[:, :, 0] += weights
    flat = sides.reshape(-1, n_rows * n_points)
    _, solved, info = dpbsv(bands.reshape(-1, 3).T, flat.T, lower=1, overwrite_ab=1)
    if info != 0:
        raise InputError(
            f"the baseline of window {max(info - 1, 0) // n_points} has no solution: fewer than "
            "two points of it are free of peaks"
        )
    return np.asarray(solved).T.reshape(sides.shape)


def arpls(
    rows: NDArray[np.float64],
    valid: NDArray[np.bool_],
    /,
    *,
    penalty: float,
    most_rounds: int = 50,
    tolerance: float = 1e-3,
) -> NDArray[np.float64]:
    """Estimate baselines by asymmetrically reweighted penalised least squares.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_points)
        Traces.
    valid : ndarray of bool, shape (n_rows, n_points)
        False where a row is padding.
    penalty : float
        See `stiffness`.
    most_rounds : int
        Of reweighting.
    tolerance : float
        A row is finished when its weights change by less than this share.

    Returns
    -------
    ndarray, shape (n_rows, n_points)
        Baselines. In the middle of the noise, not under it: points are weighted down only if
        they lie above what the negative residuals make likely.

    Notes
    -----
    Baek et al., Analyst 140 (2015) 250-257, for all rows at once; a row gives what
    `pybaselines.Baseline.arpls` gives for it alone.
    """
    weights = valid.astype(np.float64)
    out = np.zeros_like(rows, dtype=np.float64)
    active = np.arange(len(rows))
    for _ in range(most_rounds + 1):
        own, y, usable = weights[active], rows[active], valid[active]
        z = smooth_rows(own, own * y, penalty=penalty)
        out[active] = z
        residual = y - z
        below = (residual < 0) & usable
        count = below.sum(axis=1)
        mean = np.where(below, residual, 0.0).sum(axis=1) / np.maximum(count, 1)
        apart = np.where(below, residual - mean[:, None], 0.0)
        spread = np.sqrt((apart**2).sum(axis=1) / np.maximum(count - 1, 1))
        scale = np.maximum(spread, np.maximum(_ROUNDING * np.abs(y).max(axis=1), _TINY))
        middle = 2.0 * spread - mean
        new = np.where(usable, expit(-2.0 * (residual - middle[:, None]) / scale[:, None]), 0.0)
        change = np.sqrt(((own - new) ** 2).sum(axis=1) / np.maximum((own**2).sum(axis=1), _TINY))
        # Without two points below it there is nothing to tell noise from peaks by.
        going = (change >= tolerance) & (count >= 2) & (spread >= scale)
        weights[active] = new
        active = active[going]
        if not len(active):
            break
    return out


def coarse_baseline(
    rows: NDArray[np.float64], free: NDArray[np.bool_], /, *, points_in_width: float
) -> NDArray[np.float64]:
    """Draw a baseline through the points free of peaks, good enough to see peaks over it.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_points)
        Traces.
    free : ndarray of bool, shape (n_rows, n_points)
        Which points are baseline.
    points_in_width : float
        Points in the usual peak width at half height.

    Returns
    -------
    ndarray, shape (n_rows, n_points)
        Baselines, in steps of a fifth of a peak width.
    """
    means, counts, block = _in_blocks(rows, free, points_in_width)
    weights = counts / block
    length = BASELINE_WIDTHS * points_in_width / block
    drawn = smooth_rows(weights, weights * means, penalty=stiffness(length))
    return np.repeat(drawn, block, axis=1)[:, : rows.shape[1]]


def _in_blocks(
    rows: NDArray[np.float64], use: NDArray[np.bool_], points_in_width: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Return means of neighbouring points, how many each is made of, and of how many at most.

    Five points in a width tell a peak from baseline as well as fifteen do, in a third of the time.
    """
    block = max(1, int(points_in_width / _COARSE))
    n_rows, n_points = rows.shape
    blocks = -(-n_points // block)
    values, used = np.zeros((n_rows, blocks * block)), np.zeros((n_rows, blocks * block), bool)
    values[:, :n_points], used[:, :n_points] = np.where(use, rows, 0.0), use
    counts = used.reshape(n_rows, blocks, block).sum(axis=2)
    sums = values.reshape(n_rows, blocks, block).sum(axis=2)
    return sums / np.maximum(counts, 1), counts, block


def first_baseline(
    rows: NDArray[np.float64],
    valid: NDArray[np.bool_],
    /,
    *,
    method: str,
    points_in_width: float,
) -> NDArray[np.float64]:
    """Estimate baselines without knowing where the peaks are.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_points)
        Traces.
    valid : ndarray of bool, shape (n_rows, n_points)
        False where a row is padding; padding stands at the end.
    method : str
        ``"arpls"``, or ``"snip"`` (pybaselines): clipping of everything narrower than six peak
        widths. SNIP runs along the lower edge of the noise and suits counts without noise.
    points_in_width : float
        Points in the usual peak width at half height.

    Returns
    -------
    ndarray, shape (n_rows, n_points)
        Baselines.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    """
    choose(method, BASELINE_METHODS, what="baseline method")
    if method == "arpls":
        means, counts, block = _in_blocks(rows, valid, points_in_width)
        # A few rounds settle where the peaks are; nothing else is taken from this baseline.
        drawn = arpls(
            means,
            counts > 0,
            penalty=stiffness(BASELINE_WIDTHS * points_in_width / block),
            most_rounds=10,
            tolerance=5e-2,
        )
        return np.repeat(drawn, block, axis=1)[:, : rows.shape[1]]
    # 0.15 s that only this option needs.
    from pybaselines import Baseline

    out = np.zeros_like(rows, dtype=np.float64)
    for row, (y, usable) in enumerate(zip(rows, valid, strict=True)):
        n = int(usable.sum())
        if n >= 3:
            reach = max(1, min(int(3 * points_in_width) + 1, (n - 1) // 2))
            out[row, :n] = Baseline().snip(y[:n], max_half_window=reach, decreasing=True)[0]
    return out
