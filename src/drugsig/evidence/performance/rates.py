"""How often LRs mislead, and whether they are exceeded as rarely as they promise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig.errors import InputError
from drugsig.evidence.performance.inputs import weighted_pairs
from drugsig.evidence.resampling import Interval

__all__ = [
    "LEVELS",
    "STRONG_LOG10_LR",
    "Exceedance",
    "MisleadingRates",
    "checked_levels",
    "checked_strong",
    "exceedances",
    "misleading",
    "misleading_rates",
    "reaching",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# An LR beyond 100, or below 1/100, for the wrong side: such evidence could change a verdict.
STRONG_LOG10_LR = 2.0

# The LRs at which the promise P(LR >= k | unlinked) <= 1/k is looked at.
LEVELS = (2.0, 10.0, 100.0, 1000.0, 10000.0)


@dataclass(frozen=True)
class MisleadingRates:
    """The shares of pairs whose LR points to the wrong proposition.

    Parameters
    ----------
    linked : float
        Of linked pairs, those with an LR below 1.
    unlinked : float
        Of unlinked pairs, those with an LR above 1.
    strong_linked : float
        Of linked pairs, those with a log10 LR of at most minus `strong_log10_lr`.
    strong_unlinked : float
        Of unlinked pairs, those with a log10 LR of at least `strong_log10_lr`.
    strong_log10_lr : float
        Where strongly misleading begins.
    """

    linked: float
    unlinked: float
    strong_linked: float
    strong_unlinked: float
    strong_log10_lr: float


@dataclass(frozen=True)
class Exceedance:
    """How often pairs of the one kind reach an LR of k for the other, against its promise.

    An LR of k or more has a probability of at most 1/k if the proposition it speaks against is
    true: that holds for every true likelihood ratio, whatever the data.

    Parameters
    ----------
    k : float
        The LR, above 1.
    linked : bool
        Whether linked pairs with an LR of at most 1/k, or unlinked pairs with one of at least k,
        are counted.
    rate : float
        Their share.
    interval : Interval or None
        95 %, where sources are known.
    """

    k: float
    linked: bool
    rate: float
    interval: Interval | None = None

    @property
    def allowed(self) -> float:
        """The largest rate that a likelihood ratio may have: 1/k."""
        return 1.0 / self.k

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept: False where the whole interval lies above 1/k.

        None where the rate lies above 1/k and there is no interval to judge by.
        """
        if self.interval is not None:
            return self.interval.low <= self.allowed
        return True if self.rate <= self.allowed else None


def misleading_rates(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    strong_log10_lr: float = STRONG_LOG10_LR,
    weights: ArrayLike | None = None,
) -> MisleadingRates:
    """Return how often LRs mislead, and mislead strongly.

    An LR of exactly 1 misleads nobody.

    Parameters
    ----------
    log10_lr : array_like of float, shape (n_pairs,)
        Infinite values are allowed.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    strong_log10_lr : float
        From which log10 LR for the wrong proposition evidence is strongly misleading.
    weights : array_like of float, shape (n_pairs,), optional
        How often each pair counts.

    Returns
    -------
    MisleadingRates
        Of linked and of unlinked pairs.

    Raises
    ------
    InputError
        If the arrays cannot be used or one kind of pair is missing.

    Examples
    --------
    >>> rates = misleading_rates([2.0, -0.1, 2.5, -3.0], [True, True, False, False])
    >>> rates.linked, rates.unlinked, rates.strong_linked, rates.strong_unlinked
    (0.5, 0.5, 0.0, 0.5)
    """
    values, known, weight = weighted_pairs(log10_lr, linked, weights)
    strong = checked_strong(strong_log10_lr)
    wrong, badly = misleading(values, known, strong)

    def share(which: Flags, side: Flags) -> float:
        return float(np.average(which[side], weights=weight[side]))

    return MisleadingRates(
        linked=share(wrong, known),
        unlinked=share(wrong, ~known),
        strong_linked=share(badly, known),
        strong_unlinked=share(badly, ~known),
        strong_log10_lr=strong,
    )


def exceedances(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    levels: ArrayLike = LEVELS,
    weights: ArrayLike | None = None,
) -> tuple[Exceedance, ...]:
    """Compare how often LRs of k are reached for the wrong proposition with 1/k.

    Parameters
    ----------
    log10_lr, linked, weights
        As in `misleading_rates`.
    levels : array_like of float
        The LRs to look at, each above 1.

    Returns
    -------
    tuple of Exceedance
        First for unlinked pairs, then for linked pairs, by level; without intervals.

    Notes
    -----
    Good (1950), Probability and the Weighing of Evidence, chapter 6; Royall (2000), Journal of the
    American Statistical Association 95:760-768.

    Examples
    --------
    >>> first, second = exceedances([1.2, 0.3], [True, False], levels=[2.0])
    >>> first.rate, first.allowed, first.kept
    (0.0, 0.5, True)
    """
    values, known, weight = weighted_pairs(log10_lr, linked, weights)
    return tuple(
        Exceedance(
            k,
            side,
            float(
                np.average(reaching(values, known, k)[known == side], weights=weight[known == side])
            ),
        )
        for side in (False, True)
        for k in checked_levels(levels)
    )


def misleading(log10_lr: Floats, linked: Flags, strong_log10_lr: float, /) -> tuple[Flags, Flags]:
    """Return which pairs mislead, and which mislead strongly."""
    wrong_way = np.where(linked, -log10_lr, log10_lr)
    return wrong_way > 0, wrong_way >= strong_log10_lr


def reaching(log10_lr: Floats, linked: Flags, k: float, /) -> Flags:
    """Return which pairs have an LR of at least k for the wrong proposition."""
    return np.asarray(np.where(linked, -log10_lr, log10_lr) >= np.log10(k), dtype=np.bool_)


def checked_strong(strong_log10_lr: float, /) -> float:
    """Return where strongly misleading begins, as a float.

    Raises
    ------
    InputError
        If it is not a finite number above 0.
    """
    strong = float(strong_log10_lr)
    if not (np.isfinite(strong) and strong > 0):
        raise InputError(
            f"strong_log10_lr must be a number above 0, got {strong_log10_lr!r}: 2 means an LR of "
            "100"
        )
    return strong


def checked_levels(levels: ArrayLike, /) -> tuple[float, ...]:
    """Return levels of the LR as floats.

    Raises
    ------
    InputError
        If one is not a finite number above 1.
    """
    out = np.array(levels, dtype=np.float64).ravel()
    if not len(out) or not (np.isfinite(out) & (out > 1)).all():
        raise InputError(f"levels must be LRs above 1, such as 10 or 100, got {levels!r}")
    return tuple(float(k) for k in out)
