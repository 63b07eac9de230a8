"""Pool adjacent violators: the best that any rising recalibration could make of the LRs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from drugsig._check import FrozenArrays
from drugsig.evidence.performance.inputs import checked_log10_lr, weighted_pairs

__all__ = ["OrderedPairs", "Pav", "deviation", "devpav", "ordered_pairs", "pav"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False, repr=False)
class Pav(FrozenArrays):
    """The rising step function from log10 LRs to the log10 LRs that the pairs themselves show.

    Attributes
    ----------
    low, high : ndarray of float64, shape (n_blocks,)
        The smallest and the largest log10 LR of each block of pooled pairs, rising.
    fitted : ndarray of float64, shape (n_blocks,)
        The log10 LR that the block shows: the share of the linked pairs that it holds, over the
        share of the unlinked pairs. Minus infinity where it holds no linked pair, infinity where
        it holds no unlinked pair.
    linked, unlinked : ndarray of float64, shape (n_blocks,)
        The weight of both kinds of pairs in the block: their number, where pairs are not weighted.
    """

    low: Floats
    high: Floats
    fitted: Floats
    linked: Floats
    unlinked: Floats

    def __len__(self) -> int:
        return len(self.fitted)

    def transform(self, log10_lr: ArrayLike, /) -> Floats:
        """Return the fitted value of the last block that begins at or below each value.

        Parameters
        ----------
        log10_lr : array_like of float, shape (n,)
            Values below the first block take its value.
        """
        values = checked_log10_lr(log10_lr)
        place = np.searchsorted(self.low, values, side="right") - 1
        return self.fitted[np.maximum(place, 0)]

    def __repr__(self) -> str:
        return (
            f"<Pav {len(self)} blocks from {self.linked.sum():g} linked and "
            f"{self.unlinked.sum():g} unlinked pairs>"
        )


@dataclass(frozen=True, eq=False)
class OrderedPairs:
    """Pairs in the order of their LRs, in runs that every fit pools as a whole.

    A run is all pairs of one LR, or neighbouring pairs that are all linked or all unlinked: pooling
    never separates these, whatever their weights. There are hardly more runs than twice the pairs
    of the rarer kind, which makes fitting again under other weights cheap.

    Attributes
    ----------
    order : ndarray of intp, shape (n_pairs,)
        Rising.
    log10_lr : ndarray of float64, shape (n_pairs,)
        In that order.
    linked : ndarray of float64, shape (n_pairs,)
        1 for a linked and 0 for an unlinked pair, in that order.
    run : ndarray of intp, shape (n_pairs,)
        The run of each pair, in that order.
    """

    order: Places
    log10_lr: Floats
    linked: Floats
    run: Places

    def fit(self, weights: Floats, /) -> Pav:
        """Return the fit under these weights, one a pair in the original order.

        Pairs of weight 0 are not there: neither their kind nor their LR counts.
        """
        weight = weights[self.order]
        there = weight > 0
        weight, x, run = weight[there], self.log10_lr[there], self.run[there]
        first = np.flatnonzero(np.concatenate([[True], run[1:] != run[:-1]]))
        last = np.concatenate([first[1:], [len(run)]]) - 1
        linked = np.add.reduceat(weight * self.linked[there], first)
        unlinked = np.add.reduceat(weight * (1.0 - self.linked[there]), first)
        total = linked + unlinked
        start = isotonic_regression(linked / total, weights=total).blocks.astype(np.intp)
        begin, end = start[:-1], start[1:] - 1
        # Sums rather than the fitted shares: whole numbers of pairs are added without rounding.
        linked, unlinked = np.add.reduceat(linked, begin), np.add.reduceat(unlinked, begin)
        with np.errstate(divide="ignore"):
            fitted = np.log10(linked / linked.sum()) - np.log10(unlinked / unlinked.sum())
        return Pav(
            low=x[first[begin]],
            high=x[last[end]],
            fitted=fitted,
            linked=linked,
            unlinked=unlinked,
        )


def ordered_pairs(log10_lr: Floats, linked: NDArray[np.bool_], /) -> OrderedPairs:
    """Return pairs in the order of their LRs, for fitting again and again.

    Parameters
    ----------
    log10_lr : ndarray of float64, shape (n_pairs,)
        Checked; not NaN.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source.
    """
    order = np.argsort(log10_lr, kind="stable")
    x, known = log10_lr[order], linked[order]
    tie = np.concatenate([[0], np.cumsum(x[1:] != x[:-1])])
    n_linked = np.bincount(tie, weights=known)
    size = np.bincount(tie)
    # 0 and 1 for ties of one kind, 2 for mixed ones, which never join their neighbours.
    kind = np.where(n_linked == 0, 0, np.where(n_linked == size, 1, 2))
    joins = (kind[1:] == kind[:-1]) & (kind[1:] != 2)
    run = np.concatenate([[0], np.cumsum(~joins)])[tie]
    return OrderedPairs(order, x, known.astype(np.float64), run)


def pav(log10_lr: ArrayLike, linked: ArrayLike, /, *, weights: ArrayLike | None = None) -> Pav:
    """Pool adjacent violators: fit the rising function that explains the kinds of the pairs best.

    It is the isotonic regression of "linked" on the LR, turned from a share of linked pairs into
    a likelihood ratio by dividing by the odds of linked pairs in the data. Pairs with the same LR
    are pooled first. It is fitted to the pairs it is judged on, and therefore is an ideal, not a
    calibration to be used.

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
    Pav
        The blocks of pooled pairs.

    Raises
    ------
    InputError
        If the arrays cannot be used or one kind of pair is missing.

    Notes
    -----
    Brümmer and du Preez (2006), Computer Speech and Language 20:230-275; Ayer et al. (1955), Annals
    of Mathematical Statistics 26:641-647.

    Examples
    --------
    >>> fit = pav([-1.0, 0.2, 0.4, 1.0], [False, True, False, True])
    >>> fit.fitted
    array([-inf,   0.,  inf])
    """
    values, known, weight = weighted_pairs(log10_lr, linked, weights)
    return ordered_pairs(values, known).fit(weight)


def devpav(log10_lr: ArrayLike, linked: ArrayLike, /, *, weights: ArrayLike | None = None) -> float:
    """Return how far the PAV map lies from the identity on average, in units of log10 LR.

    The map is drawn as a line through the log10 LRs of the pairs and their fitted values, over the
    stretch on which the fitted value is finite; devPAV is the area between that line and the
    identity, divided by the length of the stretch. 0 is perfect calibration; 1 means that LRs are
    wrong by a factor of ten on average.

    Parameters
    ----------
    log10_lr, linked, weights
        As in `pav`.

    Returns
    -------
    float
        NaN where linked and unlinked pairs separate completely: then no fitted value is finite,
        and the pairs say nothing about calibration. Infinity where a linked pair has an LR of 0 or
        an unlinked pair an infinite one.

    Notes
    -----
    Proposed by Vergeer, van Schaik and Sjerps (2021), Forensic Science International 321:110722.
    The definition above is the one used here. For LRs that are well calibrated devPAV mostly
    measures how few pairs there are (Morrison 2021, Forensic Science International: Synergy
    3:100157), so it is read beside its interval.

    Examples
    --------
    >>> round(devpav([0.0, 1.0, 0.0, 1.0], [True, True, False, False]), 3)
    0.5
    """
    values, known, weight = weighted_pairs(log10_lr, linked, weights)
    return deviation(ordered_pairs(values, known).fit(weight))


def deviation(fit: Pav, /) -> float:
    """Return the mean distance of a fit from the identity; see `devpav`."""
    finite = np.isfinite(fit.fitted)
    if not finite.any():
        return float("nan")
    x = np.stack([fit.low[finite], fit.high[finite]], axis=1).ravel()
    if not np.isfinite(x).all():
        return float("inf")
    gap = np.repeat(fit.fitted[finite], 2) - x
    before, after, width = np.abs(gap[:-1]), np.abs(gap[1:]), np.diff(x)
    length = float(x[-1] - x[0])
    if length == 0.0:
        return float(np.abs(gap[0]))
    both = before + after
    # A line that crosses the identity leaves a triangle on each side of it.
    crosses = (gap[:-1] * gap[1:] < 0) & (both > 0)
    area = np.where(
        crosses,
        (before**2 + after**2) / np.where(both > 0, both, 1.0),
        both,
    )
    return float((width * area).sum() / 2.0 / length)
