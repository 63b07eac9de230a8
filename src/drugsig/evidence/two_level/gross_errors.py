"""Items that hold a gross error: a share of them, mistyped or mixed up, bounds what an LR can say.

The two-level model is normal within sources, so one mistyped value makes two profiles of one
source differ by a hundred standard deviations and the log10 LR fall to -1000. No laboratory makes
fewer than one mistake in 10^1000 items. The mixture here says so: with probability e an item is in
error, and its values then come from a wide density g that knows no source (a multivariate
Cauchy density around the mean of the population, with its total covariance). Then

    LR' = (LR + q) / (1 + q),    1 + q = (1 + o_x) (1 + o_y),    o_x = e g(x) / ((1 - e) f(x)),

where f is the density of an item without error and o_x the odds that item x is in error. The
LR moves towards 1, the more the less either item looks like the population, and it does not fall
q / (1 + q), about 2 e for ordinary items. A contaminated density is the classical model of gross
errors (Tukey 1960); that the probability of an error bounds an LR was shown for DNA by Thompson,
Taroni and Aitken (J. Forensic Sci. 48 (2003) 47).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["error_log_odds", "with_errors"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def error_log_odds(
    coordinates: Floats, densities: Floats, variances: Floats, error_share: float, /
) -> Floats:
    """Return the log odds that an item is in error, shape (k,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        The means of the items, whitened, around the mean of the population.
    densities : ndarray of float64, shape (k,)
        Their log densities without error, without the factor (2 pi)^(-r/2).
    variances : ndarray of float64, shape (r,)
        The total variance of one profile in each direction.
    error_share : float
        The share of items in error, above 0.
    """
    r = len(variances)
    distance = np.zeros(len(coordinates))
    for j, variance in enumerate(variances):
        distance += coordinates[:, j] ** 2 / variance
    half = (1.0 + r) / 2.0
    # The Cauchy density's own constants, with (2 pi)^(r/2) for the one that the other left out.
    constant = math.lgamma(half) - math.lgamma(0.5) + r / 2.0 * math.log(2.0)
    wide = constant - 0.5 * float(np.log(variances).sum()) - half * np.log1p(distance)
    return np.asarray(math.log(error_share) - math.log1p(-error_share) + wide - densities)


def with_errors(log_lr: Floats, log_odds: Floats, first: Places, second: Places, /) -> Floats:
    """Return the log LR of the mixture, shape (n_pairs,).

    Parameters
    ----------
    log_lr : ndarray of float64, shape (n_pairs,)
        Natural log LRs without error.
    log_odds : ndarray of float64, shape (k,)
        From `error_log_odds`.
    first, second : ndarray of int, shape (n_pairs,)
        The items of each pair.
    """
    odds_a, odds_b = log_odds[first], log_odds[second]
    log_q = np.logaddexp(np.logaddexp(odds_a, odds_b), odds_a + odds_b)
    return np.asarray(np.logaddexp(log_lr, log_q) - np.logaddexp(0.0, log_q))
