"""Shapes of simulated signals: peaks with a tail, and column bleed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["apex_offset", "bleed_curve", "few_digits", "tailed_peak"]

Floats = NDArray[np.float64]

# Where in the run bleed has half its final level, and how steeply it rises, as shares of the run.
BLEED_MIDDLE = 0.75
BLEED_STEEPNESS = 0.08
# What bleeds before the oven is hot.
COLD_BLEED = 0.05

SIGNIFICANT_DIGITS = 4


def tailed_peak(times_s: Floats, /, *, apex_s: float, sd_s: float, tailing: float) -> Floats:
    """Return an exponentially modified Gaussian of area 1.

    Parameters
    ----------
    times_s : ndarray, shape (n,)
        Where.
    apex_s : float
        Where it is highest.
    sd_s : float
        The standard deviation of the Gaussian.
    tailing : float
        The time constant of the exponential, in `sd_s`; 0 is a Gaussian.

    Returns
    -------
    ndarray of float64, shape (n,)
        In 1/s.

    Notes
    -----
    The two forms of Kalambet et al., Journal of Chemometrics 25 (2011) 352: each overflows where
    the other is used.
    """
    if tailing == 0.0:
        z = (times_s - apex_s) / sd_s
        return np.asarray(np.exp(-0.5 * z * z) / (sd_s * math.sqrt(2.0 * math.pi)))
    z = (times_s - apex_s) / sd_s + apex_offset(tailing)
    return _unit_peak(z, tailing) / sd_s


def apex_offset(tailing: float, /) -> float:
    """Return how far a tailed peak is highest after the centre of its Gaussian, in its sd."""
    # The density rises and falls once: thirds are cut off until the top is met.
    low, high = 0.0, max(1.0, tailing)
    for _ in range(80):
        left, right = low + (high - low) / 3.0, high - (high - low) / 3.0
        heights = _unit_peak(np.array([left, right]), tailing)
        if heights[0] < heights[1]:
            low = left
        else:
            high = right
    return (low + high) / 2.0


def _unit_peak(z: Floats, tailing: float) -> Floats:
    from scipy.special import erfc, erfcx

    rate = 1.0 / tailing
    argument = (rate - z) / math.sqrt(2.0)
    out = np.empty_like(z)
    early = argument >= 0.0
    out[early] = np.exp(-0.5 * z[early] ** 2) * erfcx(argument[early])
    late = ~early
    out[late] = np.exp(0.5 * rate**2 - rate * z[late]) * erfc(argument[late])
    return 0.5 * rate * out


def bleed_curve(times_s: Floats, /, *, run_length_s: float) -> Floats:
    """Return how far a column bleeds as the oven gets hotter: from little to 1.

    Parameters
    ----------
    times_s : ndarray, shape (n,)
        Where.
    run_length_s : float
        When the oven is hottest.
    """
    place = (times_s / run_length_s - BLEED_MIDDLE) / BLEED_STEEPNESS
    return np.asarray(COLD_BLEED + (1.0 - COLD_BLEED) / (1.0 + np.exp(-place)))


def few_digits(counts: Floats, /) -> Floats:
    """Round counts to whole numbers of four digits, as instruments store them.

    Takes away what differs between machines in the last bits, and is exact in single precision.
    """
    steps = 10.0 ** np.arange(8)
    place = np.searchsorted(10.0**SIGNIFICANT_DIGITS * steps, counts, side="right")
    step = steps[np.minimum(place, len(steps) - 1)]
    return np.asarray(np.rint(counts / step) * step)
