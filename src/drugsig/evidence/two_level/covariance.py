"""Within- and between-source covariance from sums over sources, and the shrinkage of the first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drugsig.evidence.two_level.sums import Totals

__all__ = ["between_covariance", "kappa", "shrink", "shrinkage_intensity", "within_covariance"]

Floats = NDArray[np.float64]


def kappa(totals: Totals, /) -> float:
    """Return the effective number of profiles a source, (N - sum n_i^2 / N) / (m - 1).

    Parameters
    ----------
    totals : Totals
        Sums over at least two sources.
    """
    n = totals.n_profiles
    return (n - totals.squared_counts / n) / (totals.n_sources - 1)


def within_covariance(totals: Totals, convention: str, /) -> Floats:
    """Return the covariance of profiles within a source, shape (p, p).

    Parameters
    ----------
    totals : Totals
        Sums over sources, one of them linked at least.
    convention : str
        A name of `WITHIN_COVARIANCES`.
    """
    if convention == "averaged":
        return totals.covariances / totals.n_linked
    return totals.scatter / totals.degrees_of_freedom


def between_covariance(totals: Totals, within: Floats, convention: str, /) -> Floats:
    """Return the covariance of source means, less what replicates explain, shape (p, p).

    Being a difference, it can have negative eigenvalues.

    Parameters
    ----------
    totals : Totals
        Sums over at least two sources.
    within : ndarray of float64, shape (p, p)
        The unbiased covariance within sources, before shrinkage.
    convention : str
        A name of `BETWEEN_COVARIANCES`.
    """
    m = totals.n_sources
    if convention != "unweighted":
        total = totals.weighted_sum
        squares = totals.weighted_squares - np.outer(total, total) / totals.n_profiles
        count = kappa(totals) if convention == "weighted" else totals.n_profiles / m
        return (squares / (m - 1) - within) / count
    total = totals.plain_sum
    squares = totals.plain_squares - np.outer(total, total) / m
    return squares / (m - 1) - within * (totals.inverse_counts / m)


def shrinkage_intensity(totals: Totals, within: Floats, /) -> float:
    """Return how far the correlations within sources are drawn to zero, from 0 to 1.

    The sum of the estimated variances of the correlations over the sum of their squares, off the
    diagonal: J. Schäfer and K. Strimmer, Stat. Appl. Genet. Mol. Biol. 4 (2005) 32, with the
    variances of the targets kept as they are. The variance of a correlation is that of the
    product of two standardised residuals over the degrees of freedom within sources.

    Parameters
    ----------
    totals : Totals
        Sums over sources.
    within : ndarray of float64, shape (p, p)
        The covariance within sources; no variance is zero.
    """
    variances = np.diagonal(within)
    scale = np.outer(variances, variances)
    correlations = within / np.sqrt(scale)
    spread = totals.fourth / (totals.n_linked_profiles * scale) - correlations**2
    error = np.maximum(spread, 0.0) / totals.degrees_of_freedom
    off = ~np.eye(len(within), dtype=bool)
    wrong, size = float(error[off].sum()), float((correlations[off] ** 2).sum())
    return wrong / size if size > wrong else float(len(within) > 1)


def shrink(within: Floats, intensity: float, /) -> Floats:
    """Return the covariance with its products off the diagonal made smaller.

    Parameters
    ----------
    within : ndarray of float64, shape (p, p)
        A covariance.
    intensity : float
        From 0 (as it is) to 1 (diagonal).
    """
    out = (1.0 - intensity) * within
    np.fill_diagonal(out, np.diagonal(within))
    return out
