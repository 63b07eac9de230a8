"""`Bounds`: how large and how small an LR the pairs of known source can support."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import choose, one_line_text
from drugsig.errors import InputError
from drugsig.evidence.pairs import pairs_of_sources
from drugsig.evidence.performance.inputs import checked_log10_lr, checked_pairs
from drugsig.evidence.performance.intervals import independent_pairs

__all__ = ["BOUND_METHODS", "Bounds", "bound_lrs", "elub", "invariance_bounds"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# From the counts and the weight of one independent pair to an LR: (linked pairs that reach it, all
# linked, weight) and the same for unlinked pairs.
_Rule = Callable[[Floats, float, float, Floats, float, float], Floats]


@dataclass(frozen=True)
class Bounds:
    """The range of log10 LRs that may be reported.

    Parameters
    ----------
    low, high : float
        At most and at least 0. Both 0 where the data support no LR beyond 1.
    method : str
        How they were found.
    n_linked, n_unlinked : int
        The pairs behind them.
    """

    low: float
    high: float
    method: str
    n_linked: int
    n_unlinked: int

    def __post_init__(self) -> None:
        """Refuse bounds that do not enclose an LR of 1."""
        if not (np.isfinite([self.low, self.high]).all() and self.low <= 0.0 <= self.high):
            raise InputError(
                f"bounds of log10 LRs must be finite and enclose 0, got {self.low} and {self.high}"
            )
        one_line_text(self.method, what="method")

    @property
    def supports_evidence(self) -> bool:
        """Whether any LR other than 1 may be reported."""
        return self.low < 0.0 or self.high > 0.0

    def apply(self, log10_lr: ArrayLike, /) -> Floats:
        """Return the values to report: those beyond a bound are put at the bound.

        What was given is left as it is; keep it beside the result.

        Parameters
        ----------
        log10_lr : array_like of float, shape (n,)
            Infinite values are allowed; NaN is not.
        """
        return np.clip(checked_log10_lr(log10_lr), self.low, self.high)

    def outside(self, log10_lr: ArrayLike, /) -> Flags:
        """Return which values lie beyond a bound.

        Parameters
        ----------
        log10_lr : array_like of float, shape (n,)
            As in `apply`.
        """
        values = checked_log10_lr(log10_lr)
        return (values < self.low) | (values > self.high)

    def __str__(self) -> str:
        if not self.supports_evidence:
            return f"no LR beyond 1 is supported by the data ({self.method})"
        return f"log10 LR from {self.low:.3g} to {self.high:.3g} ({self.method})"


def elub(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    source_a: ArrayLike | None = None,
    source_b: ArrayLike | None = None,
) -> Bounds:
    """Return the empirical lower and upper bounds of LRs (ELUB).

    At prior odds of 1/t a decision by "LR at least t" costs t times the share of unlinked pairs
    that reach t, plus the share of linked pairs that do not, relative to the decision without any
    evidence. The upper bound is the t up to which the LRs are worth having, from 1 upwards without
    a gap, **after one misleading pair with an LR of exactly t was added to the unlinked pairs**.
    The lower bound is the same with the kinds of pairs exchanged. So no bound exceeds the number of
    pairs plus 1: what would be seen in one of a million pairs cannot be known from a thousand.

    Parameters
    ----------
    log10_lr : array_like of float, shape (n_pairs,)
        Of pairs that the model was not fitted on. Infinite values are allowed.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    source_a, source_b : array_like, shape (n_pairs,), optional
        The sources of both profiles of each pair. With them the added misleading pair has the
        weight of one independent pair: as many pairs as there are, divided by the pairs that can
        be formed if each source is used once. The published method counts every pair as
        independent, which thousands of pairs of sixty sources are not; bounds by sources are
        narrower.

    Returns
    -------
    Bounds
        Both 0 where no LR beyond 1 is supported.

    Raises
    ------
    InputError
        If the arrays cannot be used or one kind of pair is missing.

    Notes
    -----
    Vergeer, van Es, de Jongh, Alberink and Stoel (2016), Science and Justice 56:482-491. The
    published script searches a grid of thresholds and takes the outermost one at which the
    LRs are worth having; here the bounds are solved exactly and gaps end the search.

    Examples
    --------
    >>> import numpy as np
    >>> bounds = elub(np.repeat([9.0, -9.0], 99), np.repeat([True, False], 99))
    >>> bounds.low, bounds.high
    (-2.0, 2.0)
    """
    return _bounds(log10_lr, linked, source_a, source_b, method="ELUB", rule=_with_one_misleading)


def invariance_bounds(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    source_a: ArrayLike | None = None,
    source_b: ArrayLike | None = None,
) -> Bounds:
    """Return bounds by which the LR of reaching a bound is at least the bound.

    The likelihood ratio of a likelihood ratio is itself. A bounded system reports t for every LR of
    t or more, so pairs must reach t at least t times as often when linked as when unlinked. The
    upper bound is the t up to which that is so, from 1 upwards without a gap, by the probability
    that the *next* pair of each kind reaches t: (k + 1)/(n + 2) where k of n pairs did. It is never
    beyond the largest LR of a linked pair: where neither kind was seen, the quotient of the two
    probabilities says how many pairs of each there are, and nothing of LRs. The lower bound is the
    same with the kinds of pairs exchanged.

    Parameters
    ----------
    log10_lr, linked, source_a, source_b
        As in `elub`; with sources, one independent pair of each outcome is added instead of one
        pair.

    Returns
    -------
    Bounds
        Both 0 where no LR beyond 1 is supported.

    Raises
    ------
    InputError
        If the arrays cannot be used or one kind of pair is missing.

    Notes
    -----
    The principle is that of invariance verification (Alberink, Leegwater, Malmborg, Nordgaard,
    Sjerps and van der Ham, "A transparent method to determine limit values for likelihood ratio
    systems", submitted 2025). The rule of succession as the estimate is this library's choice;
    do not cite these bounds as that paper's.

    Examples
    --------
    >>> import numpy as np
    >>> bounds = invariance_bounds(np.repeat([9.0, -9.0], 98), np.repeat([True, False], 98))
    >>> bounds.high == np.log10(99)
    np.True_
    """
    return _bounds(log10_lr, linked, source_a, source_b, method="invariance", rule=_succession)


BOUND_METHODS: dict[str, Callable[..., Bounds]] = {"elub": elub, "invariance": invariance_bounds}


def bound_lrs(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    method: str = "elub",
    source_a: ArrayLike | None = None,
    source_b: ArrayLike | None = None,
) -> Bounds:
    """Return bounds by the method of this name.

    Parameters
    ----------
    log10_lr, linked, source_a, source_b
        As in `elub`.
    method : {"elub", "invariance"}
        A key of `BOUND_METHODS`.

    Returns
    -------
    Bounds
        The range of log10 LRs that may be reported.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    """
    find = BOUND_METHODS[choose(method, list(BOUND_METHODS), what="method of bounds")]
    return find(log10_lr, linked, source_a=source_a, source_b=source_b)


def _with_one_misleading(
    linked: Floats, n_linked: float, _: float, unlinked: Floats, n_unlinked: float, one: float
) -> Floats:
    return (linked / n_linked) / ((unlinked + one) / (n_unlinked + one))


def _succession(
    linked: Floats, n_linked: float, a: float, unlinked: Floats, n_unlinked: float, b: float
) -> Floats:
    return ((linked + a) / (n_linked + 2 * a)) / ((unlinked + b) / (n_unlinked + 2 * b))


def _bounds(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    source_a: ArrayLike | None,
    source_b: ArrayLike | None,
    *,
    method: str,
    rule: _Rule,
) -> Bounds:
    values, known = checked_pairs(log10_lr, linked)
    if (source_a is None) != (source_b is None):
        raise InputError("give the sources of both profiles of a pair, source_a and source_b")
    one = {True: 1.0, False: 1.0}
    if source_a is not None and source_b is not None:
        pairs = pairs_of_sources(known, source_a, source_b)
        for side in (True, False):
            one[side] = float((known == side).sum()) / independent_pairs(pairs, linked=side)
        method = f"{method} by sources"

    def reach(side: bool) -> float:
        # What is small for the one kind of pair is large for the other, turned round.
        turned = values if side else -values
        return _reach(
            np.sort(turned[known == side]), one[side], np.sort(turned[known != side]),
            one[not side], rule,
        )  # fmt: skip

    # Adding 0 turns a bound of minus zero into zero.
    low, high = 0.0 - reach(False), reach(True)
    return Bounds(low + 0.0, high, method, int(known.sum()), int((~known).sum()))


def _reach(right: Floats, one_right: float, wrong: Floats, one_wrong: float, rule: _Rule) -> float:
    """Return the log10 of the largest t up to which the rule gives more than t, from 1 on.

    Parameters
    ----------
    right, wrong : ndarray of float64
        Sorted log10 LRs of the pairs for which a large LR is right, and wrong.
    one_right, one_wrong : float
        The weight of one independent pair of each.
    rule : callable
        From counts to an LR.
    """
    every = np.union1d(right, wrong)
    # Between neighbouring LRs the pairs that reach a threshold stay the same. A stretch excludes
    # its start and includes its end.
    ends = np.append(every[(every > 0) & np.isfinite(every)], np.inf)
    starts = np.concatenate([[0.0], ends[:-1]])
    reach_right = len(right) - np.searchsorted(right, starts, side="right")
    reach_wrong = len(wrong) - np.searchsorted(wrong, starts, side="right")
    with np.errstate(divide="ignore"):
        supported = np.log10(
            rule(
                reach_right.astype(np.float64), float(len(right)), one_right,
                reach_wrong.astype(np.float64), float(len(wrong)), one_wrong,
            )
        )  # fmt: skip
    # What no pair reached for which it would be right is not supported, whatever a rule adds.
    supported[reach_right == 0] = -np.inf
    stop = int(np.argmax(supported <= ends))
    return float(max(starts[stop], supported[stop]))
