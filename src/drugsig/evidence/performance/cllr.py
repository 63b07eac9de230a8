"""Cllr, the log-likelihood-ratio cost, and its two parts: discrimination and calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._notes import Note, emit
from drugsig.evidence.performance.inputs import weighted_pairs
from drugsig.evidence.performance.pav import Pav, ordered_pairs

__all__ = [
    "InfiniteCllr",
    "cllr",
    "cllr_cal",
    "cllr_min",
    "costs",
    "infinite_costs",
    "least_cost",
    "mean_cost",
]

Floats = NDArray[np.float64]

_BITS = float(np.log2(10.0))


@dataclass(frozen=True)
class InfiniteCllr(Note):
    """Some pairs have a likelihood ratio that is certain of the wrong proposition.

    Bound the ratios, or use a model without zero probabilities.
    """

    code: ClassVar[str] = "infinite-cllr"
    n_linked: int
    n_unlinked: int

    def __str__(self) -> str:
        parts = [f"{self.n_linked} linked pair(s) have an LR of 0"] * bool(self.n_linked)
        parts += [f"{self.n_unlinked} unlinked pair(s) have an infinite LR"] * bool(self.n_unlinked)
        return (
            f"Cllr is infinite: {' and '.join(parts)}. They claim certainty for the wrong "
            "proposition, which no number of other pairs makes good. Bound the LRs "
            "(drugsig.evidence.bounds) or use a model without zero probabilities."
        )


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
    cost, notes = mean_cost(*weighted_pairs(log10_lr, linked, weights))
    emit(notes)
    return cost


def mean_cost(
    values: Floats, known: NDArray[np.bool_], weight: Floats, /
) -> tuple[float, tuple[Note, ...]]:
    """Return the cost as `cllr` does, and what must be said of it instead of warning.

    Parameters
    ----------
    values : ndarray of float64, shape (n_pairs,)
        log10 LRs, checked; not NaN.
    known : ndarray of bool, shape (n_pairs,)
        Known to share the source.
    weight : ndarray of float64, shape (n_pairs,)
        How often each pair counts.
    """
    cost = costs(values, known)
    there = weight > 0
    endless = infinite_costs(values[there], known[there])
    if endless:
        return float("inf"), endless
    total = sum(
        float(np.average(cost[side & there], weights=weight[side & there])) / 2.0
        for side in (known, ~known)
    )
    return total, ()


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


def infinite_costs(log10_lr: Floats, linked: NDArray[np.bool_], /) -> tuple[Note, ...]:
    """Say how many pairs make the cost infinite; empty if none does.

    Parameters
    ----------
    log10_lr : ndarray of float64, shape (n_pairs,)
        Checked; not NaN.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source.
    """
    excluded = int((linked & np.isneginf(log10_lr)).sum())
    certain = int((~linked & np.isposinf(log10_lr)).sum())
    return (InfiniteCllr(excluded, certain),) if excluded or certain else ()
