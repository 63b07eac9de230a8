"""ROC and DET curves and the area under the ROC curve, on bare arrays.

Pairs that are weighted many times are put in order once. A resample of sources, or a fold, is a
weight a source; a linked pair weighs as much as its source, an unlinked pair as the product of its
two. Between two neighbouring linked scores the curve runs straight on, so that only the points at
linked scores are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric, get_metric
from drugsig.comparison.ties import merge_ties, merged_sides
from drugsig.errors import InputError

__all__ = [
    "Counts",
    "RankedPairs",
    "auc",
    "det_curve",
    "equal_error_rates",
    "plain_counts",
    "rank_pairs",
    "roc_curve",
    "true_positive_rates",
]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

# Counts held at a time: bounds the memory of many linked scores times many resamples.
_BLOCK_COUNTS = 2_000_000


def auc(linked: Floats, unlinked: Floats, /, *, metric: Metric | str) -> float:
    """Return the probability that a linked pair looks more alike than an unlinked one.

    Ties count one half; scores that rounding alone tells apart are tied.

    Parameters
    ----------
    linked, unlinked : ndarray of float64, shape (n_linked,) and (n_unlinked,)
        Defined scores, at least one on each side.
    metric : Metric or str
        Says which direction means alike.

    Raises
    ------
    InputError
        If a side is empty or holds NaN.

    Examples
    --------
    >>> auc(np.array([1.0, 2.0]), np.array([2.0, 3.0]), metric="euclidean")
    0.875
    """
    _refuse_unusable(linked, unlinked)
    n, m = len(linked), len(unlinked)
    ours, ordered = merged_sides(linked, unlinked, metric=get_metric(metric))
    below = np.searchsorted(ordered, ours, side="left")
    up_to = np.searchsorted(ordered, ours, side="right")
    above = (int(below.sum()) + int(up_to.sum())) / 2 / (n * m)
    return float(above if get_metric(metric).is_similarity else 1.0 - above)


def roc_curve(
    linked: Floats, unlinked: Floats, /, *, metric: Metric | str, n_unlinked: int | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return the rates at every observed score, from the strictest to the most permissive.

    Of scores that rounding alone tells apart the least alike stands for all.

    Parameters
    ----------
    linked, unlinked : ndarray of float64
        Defined scores.
    metric : Metric or str
        Says which direction means alike.
    n_unlinked : int, optional
        How many unlinked pairs there are, where those given are the most alike of them: the
        curve then holds up to the last of these.

    Returns
    -------
    thresholds, false_positive_rate, true_positive_rate : ndarray of float64
        A score equal to the threshold is a link.

    Raises
    ------
    InputError
        If a side is empty or holds NaN.
    """
    _refuse_unusable(linked, unlinked)
    measure = get_metric(metric)
    ours, theirs = merged_sides(linked, unlinked, metric=measure)
    if measure.is_similarity:
        ours, theirs = -ours[::-1], -theirs[::-1]
    steps = np.unique(np.concatenate([ours, theirs]))
    false = np.searchsorted(theirs, steps, side="right") / (n_unlinked or len(unlinked))
    true = np.searchsorted(ours, steps, side="right") / len(linked)
    return (-steps if measure.is_similarity else steps), false, true


def det_curve(
    linked: Floats, unlinked: Floats, /, *, metric: Metric | str
) -> tuple[Floats, Floats, Floats]:
    """Return both error rates at every observed score, from the strictest to the most permissive.

    Parameters
    ----------
    linked, unlinked : ndarray of float64
        Defined scores.
    metric : Metric or str
        Says which direction means alike.

    Returns
    -------
    thresholds, false_positive_rate, false_negative_rate : ndarray of float64
        A score equal to the threshold is a link. The detection error trade-off of Martin et al.,
        Proceedings of Eurospeech (1997) 1895, is drawn on normal deviates of both rates.

    Raises
    ------
    InputError
        If a side is empty or holds NaN.
    """
    thresholds, false, true = roc_curve(linked, unlinked, metric=metric)
    return thresholds, false, 1.0 - true


@dataclass(frozen=True, eq=False)
class Counts:
    """Weights of pairs up to every distinct linked score, the most alike first.

    Attributes
    ----------
    before, up_to : ndarray of float64, shape (n_steps, n_weightings)
        Unlinked pairs more alike than the linked score, and at least as alike.
    linked : ndarray of float64, shape (n_steps, n_weightings)
        Linked pairs at the score.
    n_unlinked, n_linked : ndarray of float64, shape (n_weightings,)
        All of them.
    """

    before: Floats
    up_to: Floats
    linked: Floats
    n_unlinked: Floats
    n_linked: Floats

    @property
    def wins(self) -> Floats:
        """Pairs of a linked and an unlinked pair in which the linked one is more alike.

        Ties count one half. Divided by ``n_linked * n_unlinked`` this is the area under the curve.
        With whole numbers as weights it is exact.
        """
        beaten = self.n_unlinked - (self.before + self.up_to) / 2.0
        return np.asarray((self.linked * beaten).sum(axis=0))

    def areas(self, *, metric: Metric) -> Floats:
        """Return the area under each curve, shape (n_weightings,); NaN where there is none.

        The same bits as `drugsig.evidence.auc`, whose distances are judged by what they lose.
        """
        pairs = self.n_linked * self.n_unlinked
        with np.errstate(divide="ignore", invalid="ignore"):
            if metric.is_similarity:
                return self.wins / pairs
            return 1.0 - (pairs - self.wins) / pairs

    def vertices(self) -> tuple[Floats, Floats]:
        """Return the corners of the curves from (0, 0) to (1, 1).

        Returns
        -------
        false_positive_rate, true_positive_rate : ndarray of float64, shape (n, n_weightings)
            NaN where a weighting leaves no linked or no unlinked pair. Ties make a slanted line.
        """
        steps, n = self.before.shape
        false, true = np.zeros((2 * steps + 2, n)), np.zeros((2 * steps + 2, n))
        found = np.cumsum(self.linked, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            false[1:-1:2] = self.before / self.n_unlinked
            false[2:-1:2] = self.up_to / self.n_unlinked
            true[2:-1:2] = found / self.n_linked
        true[3:-1:2] = true[2:-2:2]
        false[-1] = true[-1] = 1.0
        lost = (self.n_unlinked <= 0) | (self.n_linked <= 0)
        false[:, lost] = true[:, lost] = np.nan
        return false, true


@dataclass(frozen=True, eq=False)
class RankedPairs:
    """Pairs in order of their scores, the most alike first, to be weighted.

    Attributes
    ----------
    own : ndarray of int, shape (n_linked,)
        The source of every linked pair.
    starts : ndarray of int, shape (n_steps,)
        Where in `own` each distinct linked score begins.
    a, b : ndarray of int, shape (n_unlinked,)
        The sources of every unlinked pair.
    cuts : ndarray of int
        Where in `a` the unlinked pairs are parted by linked scores.
    first, last : ndarray of int, shape (n_steps,)
        How many parts lie before, and up to, each distinct linked score.
    """

    own: Rows
    starts: Rows
    a: Rows
    b: Rows
    cuts: Rows
    first: Rows
    last: Rows

    def wins(self, weights: Floats, /) -> tuple[Floats, Floats]:
        """Return what the areas under the curve are shares of, under many weightings.

        Parameters
        ----------
        weights : ndarray of float64, shape (n_sources, n_weightings)
            How much each source weighs.

        Returns
        -------
        wins, pairs : ndarray of float64, shape (n_weightings,)
            As `Counts.wins`, and all pairs of a linked and an unlinked pair. The same bits for
            whole weights, without a number for every linked score.
        """
        edges = np.append(self.starts, len(self.own))
        parts = np.arange(len(self.cuts))
        # Linked pairs that are more alike than the unlinked ones of a part, and at least as alike.
        before = edges[np.searchsorted(self.last, parts, side="right")]
        up_to = edges[np.searchsorted(self.first, parts, side="right")]
        wins, pairs = np.empty(weights.shape[1]), np.empty(weights.shape[1])
        found = np.zeros(len(self.own) + 1)
        one, two = np.empty(len(self.a)), np.empty(len(self.a))
        for k, weight in enumerate(np.ascontiguousarray(weights.T)):
            np.cumsum(weight[self.own], out=found[1:])
            np.take(weight, self.a, out=one, mode="clip")
            np.take(weight, self.b, out=two, mode="clip")
            np.multiply(one, two, out=one)
            part = np.add.reduceat(one, self.cuts)
            wins[k] = part @ ((found[before] + found[up_to]) / 2.0)
            pairs[k] = found[-1] * part.sum()
        return wins, pairs

    def counts(self, weights: Floats, /) -> Iterator[Counts]:
        """Yield the counts under many weightings, some at a time.

        Parameters
        ----------
        weights : ndarray of float64, shape (n_sources, n_weightings)
            How much each source weighs.
        """
        step = max(1, _BLOCK_COUNTS // max(1, len(self.starts) + len(self.cuts)))
        for left in range(0, weights.shape[1], step):
            yield self._counts(weights[:, left : left + step])

    def _counts(self, weights: Floats) -> Counts:
        n = weights.shape[1]
        cumulative = np.zeros((len(self.cuts) + 1, n))
        one, two = np.empty(len(self.a)), np.empty(len(self.a))
        for k, weight in enumerate(np.ascontiguousarray(weights.T)):
            # A mode other than "raise" writes into the room given, without a copy of it.
            np.take(weight, self.a, out=one, mode="clip")
            np.take(weight, self.b, out=two, mode="clip")
            np.multiply(one, two, out=one)
            cumulative[1:, k] = np.add.reduceat(one, self.cuts)
        np.cumsum(cumulative, axis=0, out=cumulative)
        linked = np.add.reduceat(weights[self.own], self.starts, axis=0)
        return Counts(
            before=cumulative[self.first],
            up_to=cumulative[self.last],
            linked=linked,
            n_unlinked=cumulative[-1],
            n_linked=linked.sum(axis=0),
        )


def rank_pairs(
    scores: Floats,
    linked: NDArray[np.bool_],
    source_a: NDArray[np.integer],
    source_b: NDArray[np.integer],
    /,
    *,
    metric: Metric,
) -> RankedPairs:
    """Put pairs in order, the most alike first.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_pairs,)
        Defined scores.
    linked : ndarray of bool, shape (n_pairs,)
        Which pairs are linked: at least one, and one that is not.
    source_a, source_b : ndarray of int, shape (n_pairs,)
        The sources of both profiles; the two of a linked pair are the same.
    metric : Metric
        Says which direction means alike.
    """
    sign = -1.0 if metric.is_similarity else 1.0
    tied = sign * merge_ties(scores, metric=metric)
    unlinked, alike = tied[~linked], tied[linked]
    order = np.argsort(unlinked)
    steps, inverse = np.unique(alike, return_inverse=True)
    by_score = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[by_score], np.arange(len(steps)))
    unlinked = unlinked[order]
    start = np.searchsorted(unlinked, steps, side="left")
    stop = np.searchsorted(unlinked, steps, side="right")
    cuts = np.unique(np.concatenate([[0], start, stop]))
    cuts = cuts[cuts < len(unlinked)]
    return RankedPairs(
        own=source_a[linked][by_score].astype(np.intp),
        starts=starts,
        a=source_a[~linked][order].astype(np.intp),
        b=source_b[~linked][order].astype(np.intp),
        cuts=cuts,
        first=np.searchsorted(cuts, start),
        last=np.searchsorted(cuts, stop),
    )


def plain_counts(scores: Floats, linked: NDArray[np.bool_], /, *, metric: Metric) -> Counts:
    """Count pairs up to every distinct linked score, each pair once.

    Parameters
    ----------
    scores, linked, metric
        As in `rank_pairs`.
    """
    # Only values are sorted, not their places: several times faster.
    alike, unlinked = merged_sides(scores[linked], scores[~linked], metric=metric)
    if metric.is_similarity:
        alike, unlinked = -alike[::-1], -unlinked[::-1]
    steps, found = np.unique(alike, return_counts=True)
    return Counts(
        before=np.searchsorted(unlinked, steps, side="left").astype(np.float64)[:, None],
        up_to=np.searchsorted(unlinked, steps, side="right").astype(np.float64)[:, None],
        linked=found.astype(np.float64)[:, None],
        n_unlinked=np.array([float(len(unlinked))]),
        n_linked=np.array([float(found.sum())]),
    )


def equal_error_rates(false: Floats, true: Floats, /) -> Floats:
    """Return where each curve has as many false positives as false negatives.

    Parameters
    ----------
    false, true : ndarray of float64, shape (n, n_weightings)
        From `Counts.vertices`.

    Returns
    -------
    ndarray of float64, shape (n_weightings,)
        The false-positive rate at the one point where the curve, its corners joined by straight
        lines, crosses the line on which both error rates are equal. NaN where there is no curve.
    """
    over = false + true - 1.0
    at = np.maximum(1, (over >= 0.0).argmax(axis=0))
    column = np.arange(false.shape[1])
    low, high = over[at - 1, column], over[at, column]
    x0, x1 = false[at - 1, column], false[at, column]
    return np.asarray(x0 + (x1 - x0) * (-low / (high - low)))


def true_positive_rates(false: Floats, true: Floats, at: Floats, /) -> Floats:
    """Return the true-positive rate of each curve at given false-positive rates.

    Parameters
    ----------
    false, true : ndarray of float64, shape (n, n_weightings)
        From `Counts.vertices`.
    at : ndarray of float64, shape (n_rates,)
        False-positive rates, in [0, 1].

    Returns
    -------
    ndarray of float64, shape (n_rates, n_weightings)
        On an upright part of the curve its upper end.
    """
    out = np.empty((len(at), false.shape[1]))
    for k in range(false.shape[1]):
        x, y = false[:, k], true[:, k]
        if np.isnan(x[0]):
            out[:, k] = np.nan
            continue
        last = np.searchsorted(x, at, side="right") - 1
        following = np.minimum(last + 1, len(x) - 1)
        width = x[following] - x[last]
        share = np.where(width > 0, (at - x[last]) / np.where(width > 0, width, 1.0), 0.0)
        out[:, k] = y[last] + share * (y[following] - y[last])
    return out


def _refuse_unusable(linked: Floats, unlinked: Floats) -> None:
    for what, scores in (("linked", linked), ("unlinked", unlinked)):
        if not len(scores) or np.isnan(scores).any():
            raise InputError(
                f"a ROC curve needs defined scores of linked and of unlinked pairs, got "
                f"{len(scores)} score(s) of {what} pairs, {int(np.isnan(scores).sum())} of them "
                "undefined. Leave undefined scores out, as drugsig.pair_sample does."
            )
