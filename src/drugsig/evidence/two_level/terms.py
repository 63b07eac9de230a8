"""`TwoLevelTerms`: one comparison in full, by the formulas as they are published.

This is the long way, with matrices in the space of the targets and the second item conditioned on
the first. It shares no step with the fast way, so it serves to check that, to compare with other
programs, and to show in a report where a value came from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from drugsig._check import FrozenArrays

__all__ = ["TwoLevelTerms", "two_level_terms"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TwoLevelTerms(FrozenArrays):
    """The intermediates of a comparison; a is the reference, b the questioned item.

    Attributes
    ----------
    in_targets : bool
        Whether everything is in the space of the targets; if directions were left out it is in
        that of the whitened ones that remain.
    mean_a, mean_b : ndarray of float64, shape (p,)
        The means of the replicates.
    covariance_a, covariance_b : ndarray of float64, shape (p, p)
        Of such a mean around a centre: K + U / n, with K = C, or h^2 C for the kernel.
    posterior_means : ndarray of float64, shape (m, p)
        What a says of its source mean, for every centre of the kernel (one for a normal density).
    posterior_covariance : ndarray of float64, shape (p, p)
        How well it says it.
    predictive_covariance : ndarray of float64, shape (p, p)
        Of mean_b around the posterior means: the posterior covariance + U / n_b.
    log_joint : float
        Logarithm of the sum over centres of exp(-(distance of a + distance of b given a) / 2).
    log_a, log_b : float
        Logarithm of the sums of exp(-distance / 2), for a and for b alone.
    log10_lr : float
        The result, before any share of gross errors.
    """

    in_targets: bool
    mean_a: Floats
    mean_b: Floats
    covariance_a: Floats
    covariance_b: Floats
    posterior_means: Floats
    posterior_covariance: Floats
    predictive_covariance: Floats
    log_joint: float
    log_a: float
    log_b: float
    log10_lr: float


def two_level_terms(
    values_a: Floats,
    values_b: Floats,
    /,
    *,
    within: Floats,
    between: Floats,
    centres: Floats,
    bandwidth: float | None,
    in_targets: bool,
) -> TwoLevelTerms:
    """Return the intermediates of one comparison.

    Parameters
    ----------
    values_a, values_b : ndarray of float64, shape (n_a, p) and (n_b, p)
        The replicates.
    within, between : ndarray of float64, shape (p, p)
        U and C.
    centres : ndarray of float64, shape (m, p)
        The means of the sources, or the one mean of the population.
    bandwidth : float or None
        The width h of the kernel; None for a normal density.
    in_targets : bool
        Recorded.
    """
    kernel = between if bandwidth is None else bandwidth**2 * between
    mean_a, mean_b = values_a.mean(axis=0), values_b.mean(axis=0)
    covariance_a = kernel + within / len(values_a)
    covariance_b = kernel + within / len(values_b)
    gain = np.linalg.solve(covariance_a, kernel)
    posterior = within @ gain / len(values_a)
    posterior = (posterior + posterior.T) / 2.0
    predictive = posterior + within / len(values_b)
    posterior_means = centres + (mean_a - centres) @ gain
    distance_a = _distances(mean_a - centres, covariance_a)
    distance_b = _distances(mean_b - centres, covariance_b)
    distance_after = _distances(mean_b - posterior_means, predictive)
    log_joint = float(logsumexp(-0.5 * (distance_a + distance_after)))
    log_a, log_b = (float(logsumexp(-0.5 * d)) for d in (distance_a, distance_b))
    log_lr = log_joint - log_a - log_b + np.log(len(centres))
    log_lr += 0.5 * (_log_determinant(covariance_b) - _log_determinant(predictive))
    return TwoLevelTerms(
        in_targets=in_targets,
        mean_a=mean_a,
        mean_b=mean_b,
        covariance_a=covariance_a,
        covariance_b=covariance_b,
        posterior_means=posterior_means,
        posterior_covariance=posterior,
        predictive_covariance=predictive,
        log_joint=log_joint,
        log_a=log_a,
        log_b=log_b,
        log10_lr=float(log_lr / np.log(10.0)),
    )


def _distances(differences: Floats, covariance: Floats) -> Floats:
    whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    return np.asarray(((differences @ whitening.T) ** 2).sum(axis=1))


def _log_determinant(covariance: Floats) -> float:
    return float(np.linalg.slogdet(covariance)[1])
