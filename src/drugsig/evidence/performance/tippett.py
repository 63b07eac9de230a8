"""Tippett curves: how large LRs are for linked and for unlinked pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import FrozenArrays
from drugsig.evidence.performance.ece import finite_grid
from drugsig.evidence.performance.inputs import weighted_pairs

__all__ = ["Tippett", "tippett"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Tippett(FrozenArrays):
    """The shares of linked and of unlinked pairs whose log10 LR is greater than each value.

    Attributes
    ----------
    log10_lr : ndarray of float64, shape (n,)
        Rising.
    linked, unlinked : ndarray of float64, shape (n,)
        One less the empirical distribution functions, falling. The unlinked curve at 0 is the rate
        of misleading evidence for a common source.
    linked_low, linked_high, unlinked_low, unlinked_high : ndarray of float64 or None
        Their 95 % intervals at each value, where sources are known.
    """

    log10_lr: Floats
    linked: Floats
    unlinked: Floats
    linked_low: Floats | None = None
    linked_high: Floats | None = None
    unlinked_low: Floats | None = None
    unlinked_high: Floats | None = None

    def __repr__(self) -> str:
        return (
            f"<Tippett at {len(self.log10_lr)} values from {self.log10_lr[0]:g} to "
            f"{self.log10_lr[-1]:g}>"
        )


def tippett(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    at: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Tippett:
    """Return the shares of linked and of unlinked pairs with a greater LR.

    Parameters
    ----------
    log10_lr : array_like of float, shape (n_pairs,)
        Infinite values are allowed: infinity is greater than any value.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    at : array_like of float, shape (n,), optional
        Where to take the shares, in any order; by default at every finite log10 LR that occurs,
        and at 0.
    weights : array_like of float, shape (n_pairs,), optional
        How often each pair counts.

    Returns
    -------
    Tippett
        Without intervals.

    Raises
    ------
    InputError
        If the arrays cannot be used or one kind of pair is missing.

    Examples
    --------
    >>> curve = tippett([2.0, 1.0, -1.0, 0.5], [True, True, False, False], at=[0.0, 1.0])
    >>> curve.linked, curve.unlinked
    (array([1. , 0.5]), array([0.5, 0. ]))
    """
    values, known, weight = weighted_pairs(log10_lr, linked, weights)
    if at is None:
        grid = np.union1d(values[np.isfinite(values)], [0.0])
    else:
        grid = np.sort(finite_grid(at, what="at"))
    return Tippett(
        log10_lr=grid,
        linked=_greater(values[known], weight[known], grid),
        unlinked=_greater(values[~known], weight[~known], grid),
    )


def _greater(values: Floats, weight: Floats, grid: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weight[order])])
    reached = below[np.searchsorted(values[order], grid, side="right")]
    return np.asarray(1.0 - reached / below[-1], dtype=np.float64)
