"""Empirical cross-entropy: what LRs cost at every prior probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import FrozenArrays
from drugsig.errors import InputError
from drugsig.evidence.performance.cllr import costs, least_cost
from drugsig.evidence.performance.inputs import weighted_pairs
from drugsig.evidence.performance.pav import Pav, ordered_pairs

__all__ = ["PRIOR_LOG10_ODDS", "Ece", "ece", "finite_grid", "fitted_costs", "neutral", "priors"]

Floats = NDArray[np.float64]

# From one common source in about 300 pairs to the reverse: beyond it the curves say nothing more.
_FARTHEST, _PRIORS = 2.5, 51


@dataclass(frozen=True, eq=False, repr=False)
class Ece(FrozenArrays):
    """Cross-entropy over prior odds: of the LRs, of their PAV fit, and of LRs of 1.

    Attributes
    ----------
    prior_log10_odds : ndarray of float64, shape (n_priors,)
        Of the proposition of a common source.
    lr : ndarray of float64, shape (n_priors,)
        Of the LRs, in bits. Above `neutral` the LRs do harm at that prior.
    pav : ndarray of float64, shape (n_priors,)
        Of the best rising recalibration: the part that is not discriminated.
    neutral : ndarray of float64, shape (n_priors,)
        Of LRs of 1, which leave the prior as it is.
    low, high : ndarray of float64, shape (n_priors,), or None
        The 95 % interval of `lr` at each prior, where sources are known.
    """

    prior_log10_odds: Floats
    lr: Floats
    pav: Floats
    neutral: Floats
    low: Floats | None = None
    high: Floats | None = None

    def __repr__(self) -> str:
        first, last = self.prior_log10_odds[[0, -1]]
        worse = int((self.lr > self.neutral).sum())
        return (
            f"<Ece at {len(self.prior_log10_odds)} prior log10 odds from {first:g} to {last:g}; "
            f"worse than no evidence at {worse}>"
        )


def _frozen(values: Floats) -> Floats:
    values.setflags(write=False)
    return values


PRIOR_LOG10_ODDS = _frozen(np.linspace(-_FARTHEST, _FARTHEST, _PRIORS))


def ece(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    prior_log10_odds: ArrayLike = PRIOR_LOG10_ODDS,
    weights: ArrayLike | None = None,
) -> Ece:
    """Return the empirical cross-entropy at each prior.

    With prior probability P of a common source it is P times the mean of log2(1 + 1/(LR x odds))
    over linked pairs, plus (1 - P) times the mean of log2(1 + LR x odds) over unlinked pairs. At
    prior odds of 1 it is Cllr.

    Parameters
    ----------
    log10_lr : array_like of float, shape (n_pairs,)
        Infinite values are allowed; one for the wrong proposition makes the curve infinite.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    prior_log10_odds : array_like of float, shape (n_priors,)
        Where to take it.
    weights : array_like of float, shape (n_pairs,), optional
        How often each pair counts.

    Returns
    -------
    Ece
        Without intervals.

    Raises
    ------
    InputError
        If the arrays cannot be used or one kind of pair is missing.

    Notes
    -----
    Ramos, Gonzalez-Rodriguez, Zadora and Aitken (2013), Journal of Forensic Sciences 58:1503-1518.

    Examples
    --------
    >>> curve = ece([0.5, -0.5], [True, False], prior_log10_odds=[0.0])
    >>> curve.lr.round(3), curve.pav, curve.neutral
    (array([0.396]), array([0.]), array([1.]))
    """
    values, known, weight = weighted_pairs(log10_lr, linked, weights)
    odds = finite_grid(prior_log10_odds, what="prior_log10_odds")
    there = weight > 0
    values, known, weight = values[there], known[there], weight[there]
    share = priors(odds)
    total = np.empty(len(odds))
    for k, prior in enumerate(odds):
        cost = costs(values, known, prior_log10_odds=float(prior))
        total[k] = share[k] * np.average(cost[known], weights=weight[known])
        total[k] += (1.0 - share[k]) * np.average(cost[~known], weights=weight[~known])
    return Ece(
        prior_log10_odds=odds,
        lr=total,
        pav=fitted_costs(ordered_pairs(values, known).fit(weight), odds),
        neutral=neutral(odds),
    )


def finite_grid(values: ArrayLike, /, *, what: str) -> Floats:
    """Return places on an axis as a flat float64 copy.

    Raises
    ------
    InputError
        If they are not at least one finite number.
    """
    grid = np.array(values, dtype=np.float64)
    if grid.ndim != 1 or not len(grid) or not np.isfinite(grid).all():
        raise InputError(f"{what} must be a flat array of finite numbers, got {values!r}")
    return grid


def priors(prior_log10_odds: Floats, /) -> Floats:
    """Return prior probabilities from log10 odds."""
    return np.asarray(1.0 / (1.0 + 10.0**-prior_log10_odds), dtype=np.float64)


def neutral(prior_log10_odds: Floats, /) -> Floats:
    """Return the entropy of the priors in bits: what LRs of 1 cost."""
    share, odds = priors(prior_log10_odds), 10.0**prior_log10_odds
    return np.asarray(
        share * np.log2(1.0 + 1.0 / odds) + (1.0 - share) * np.log2(1.0 + odds), dtype=np.float64
    )


def fitted_costs(fit: Pav, prior_log10_odds: Floats, /) -> Floats:
    """Return the cross-entropy of a PAV fit at each prior."""
    return np.array([least_cost(fit, prior_log10_odds=float(x)) for x in prior_log10_odds])
