"""Cllr, the log-likelihood-ratio cost, and its two parts: discrimination and calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import warn
from drugsig.errors import DataWarning
from drugsig.evidence.performance.inputs import weighted_pairs
from drugsig.evidence.performance.pav import Pav, ordered_pairs

__all__ = ["cllr", "cllr_cal", "cllr_min", "costs", "infinite_costs", "least_cost"]

Floats = NDArray[np.float64]

_BITS = float(np.log2(10.0))


def costs(
    log10_lr: Floats, linked: NDArray[np.bool_], /, *, prior_log10_odds: float = 0.0
) -> Floats:
    """Return what each LR costs, in bits: log2(1 + 1/(LR x odds)) or log2(1 + LR x odds).

    The first is for linked, the second for unlinked pairs. Finite for every finite LR, however
    extreme.

    Parameters
    ----------
    log10_lr : ndarray of float64, shape (n_pairs,)
        Checked; not NaN.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source.
    prior_log10_odds : float
        Of the proposition of a common source.
    """
    against = np.where(linked, -log10_lr - prior_log10_odds, log10_lr + prior_log10_odds)
    return np.asarray(np.logaddexp2(0.0, _BITS * against), dtype=np.float64)


def cllr(log10_lr: ArrayLike, linked: ArrayLike, /, *, weights: ArrayLike | None = None) -> float:
    """Return the log-likelihood-ratio cost: 0 is perfect, 1 is what LRs of 1 for all pairs get.

    Half the mean of log2(1 + 1/LR) over linked pairs, plus half the mean of log2(1 + LR) over
    unlinked pairs. Strong evidence for the wrong side costs most.

    Parameters
    ----------
    log10_lr : array_like of float, shape (n_pairs,)
        Infinite values are allowed.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    weights : array_like of float, shape (n_pairs,), optional
        How often each pair counts.

    Returns
    -------
    float
        In bits, from 0. Infinity if a linked pair has an LR of 0 or an unlinked pair an infinite
        one.

    Raises
    ------
    InputError
        If the arrays cannot be used or one kind of pair is missing.

    Warns
    -----
    DataWarning
        If the cost is infinite.

    Notes
    -----
    Brümmer and du Preez (2006), Computer Speech and Language 20:230-275.

    Examples
    --------
    >>> round(cllr([0.0, 0.0], [True, False]), 7)
    1.0
    """
    values, known, weight = weighted_pairs(log10_lr, linked, weights)
    cost = costs(values, known)
    there = weight > 0
    note = infinite_costs(values[there], known[there])
    if note:
        warn(note, DataWarning)
        return float("inf")
    return sum(
        float(np.average(cost[side & there], weights=weight[side & there])) / 2.0
        for side in (known, ~known)
    )


def cllr_min(
    log10_lr: ArrayLike, linked: ArrayLike, /, *, weights: ArrayLike | None = None
) -> float:
    """Return the Cllr that the best rising recalibration would reach: what is not discriminated.

    It depends on the order of the LRs alone, and is at most 1. The recalibration is fitted to the
    very pairs it is judged on, so it is somewhat better than any that could be used.

    Parameters
    ----------
    log10_lr, linked, weights
        As in `cllr`.

    Examples
    --------
    >>> cllr_min([3.0, -2.0], [True, False])
    0.0
    """
    values, known, weight = weighted_pairs(log10_lr, linked, weights)
    return least_cost(ordered_pairs(values, known).fit(weight))


def cllr_cal(
    log10_lr: ArrayLike, linked: ArrayLike, /, *, weights: ArrayLike | None = None
) -> float:
    """Return Cllr less Cllr_min: what is lost because the LRs do not mean what they say.

    Parameters
    ----------
    log10_lr, linked, weights
        As in `cllr`.

    Returns
    -------
    float
        In bits, from 0.

    Warns
    -----
    DataWarning
        If the cost is infinite.
    """
    # A rounding error must not make LRs better than the best.
    return max(
        0.0,
        cllr(log10_lr, linked, weights=weights) - cllr_min(log10_lr, linked, weights=weights),
    )


def least_cost(fit: Pav, /, *, prior_log10_odds: float = 0.0) -> float:
    """Return the cross-entropy of the LRs of a PAV fit; at prior odds of 1 it is Cllr_min.

    Parameters
    ----------
    fit : Pav
        From `pav`.
    prior_log10_odds : float
        Of the proposition of a common source.
    """
    prior = 1.0 / (1.0 + 10.0**-prior_log10_odds)
    total = 0.0
    for counts, sign, share in ((fit.linked, -1.0, prior), (fit.unlinked, 1.0, 1.0 - prior)):
        there = counts > 0
        cost = np.logaddexp2(0.0, sign * _BITS * (fit.fitted[there] + prior_log10_odds))
        total += share * float(counts[there] @ cost) / float(counts.sum())
    return total


def infinite_costs(log10_lr: Floats, linked: NDArray[np.bool_], /) -> str:
    """Say which pairs make the cost infinite; empty if none does.

    Parameters
    ----------
    log10_lr : ndarray of float64, shape (n_pairs,)
        Checked; not NaN.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source.
    """
    excluded = int((linked & np.isneginf(log10_lr)).sum())
    certain = int((~linked & np.isposinf(log10_lr)).sum())
    parts = [f"{excluded} linked pair(s) have an LR of 0"] * bool(excluded)
    parts += [f"{certain} unlinked pair(s) have an infinite LR"] * bool(certain)
    if not parts:
        return ""
    return (
        f"Cllr is infinite: {' and '.join(parts)}. They claim certainty for the wrong "
        "proposition, which no number of other pairs makes good. Bound the LRs "
        "(drugsig.evidence.bounds) or use a model without zero probabilities."
    )
