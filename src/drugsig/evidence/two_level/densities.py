"""Log densities of means of replicates under the population, on whitened coordinates.

In these coordinates replicates have unit variance around their source, and source means have
variance d_j in direction j (normal density) or k_j = h^2 d_j around each measured mean (kernel).
The factor (2 pi)^(-r/2) cancels from every likelihood ratio and is left out throughout.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["item_log_densities", "kernel_log_density", "normal_log_density"]

Floats = NDArray[np.float64]

# Multiplications in one matrix product of the kernel model. Larger ones are shared out to threads
# by the linear algebra library, which for a product as thin as this costs more than it saves, and
# their result leaves the cache.
_MULTIPLICATIONS = 262_144

# Squared distance from the middle, in kernel widths, above which distances are formed one by one:
# as |a|^2 - 2 a b + |b|^2 they would lose too many digits.
_FAR = 1e6


def normal_log_density(coordinates: Floats, variances: Floats, /) -> Floats:
    """Return the log density of normal values around zero, shape (k,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        Values.
    variances : ndarray of float64, shape (r,)
        Their variances.
    """
    total = np.zeros(len(coordinates))
    for j, variance in enumerate(variances):
        total += coordinates[:, j] ** 2 / variance
    return np.asarray(-0.5 * (total + np.log(variances).sum()))


def kernel_log_density(coordinates: Floats, variances: Floats, centres: Floats, /) -> Floats:
    """Return the log of the mean of normal densities around the centres, shape (k,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        Values.
    variances : ndarray of float64, shape (r,)
        Of a value around its centre.
    centres : ndarray of float64, shape (m, r)
        The centres.
    """
    scale = 1.0 / np.sqrt(variances)
    points, middles = coordinates * scale, centres * scale
    out = np.empty(len(points))
    squared = np.einsum("ij,ij->i", points, points)
    far = squared > _FAR
    rows = max(1, _MULTIPLICATIONS // (len(middles) * (points.shape[1] + 1)))
    exponents = np.empty((rows, len(middles)))
    # One more column carries the part of the squared distance that belongs to the centre.
    weights = np.vstack([middles.T, -0.5 * np.einsum("ij,ij->i", middles, middles)])
    extended = np.hstack([points, np.ones((len(points), 1))])
    near = np.flatnonzero(~far)
    for start in range(0, len(near), rows):
        block = near[start : start + rows]
        own = exponents[: len(block)]
        np.matmul(extended[block], weights, out=own)
        out[block] = _log_sum(own) - 0.5 * squared[block]
    for place in np.flatnonzero(far):
        own = exponents[:1]
        own[0] = -0.5 * ((points[place] - middles) ** 2).sum(axis=1)
        out[place] = _log_sum(own)[0]
    out -= np.log(len(middles)) + 0.5 * np.log(variances).sum()
    return out


def item_log_densities(
    coordinates: Floats,
    counts: NDArray[np.int64],
    ratios: Floats,
    centres: Floats | None,
    /,
) -> Floats:
    """Return the log density of each item under the population, shape (k,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        The means of the items.
    counts : ndarray of int64, shape (k,)
        Their replicates.
    ratios : ndarray of float64, shape (r,)
        The variance of a source mean around its centre.
    centres : ndarray of float64, shape (m, r), or None
        The centres of the kernel; None for one normal density around zero.
    """
    out = np.empty(len(coordinates))
    for n in np.unique(counts):
        own, variances = np.flatnonzero(counts == n), ratios + 1.0 / n
        if centres is None:
            out[own] = normal_log_density(coordinates[own], variances)
        else:
            out[own] = kernel_log_density(coordinates[own], variances, centres)
    return out


def _log_sum(exponents: Floats) -> Floats:
    """Return the logarithm of the sum of exponentials of each row; the rows are used up."""
    highest = exponents.max(axis=1)
    exponents -= highest[:, None]
    np.exp(exponents, out=exponents)
    return np.asarray(np.log(exponents.sum(axis=1)) + highest)
