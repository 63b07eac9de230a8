"""Scores that are equal but for rounding: one class, which no order and no count may split.

Each score is the middle of an interval as wide as its slack. Intervals that meet are of one class,
so equal scores always are (decision 0026 has the proof), and the classes depend on nothing but the
scores: not on their order, and not on where one starts to look.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metric import Metric

__all__ = ["begins", "merge_ties", "merged", "merged_sides", "sorted_order"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def begins(ordered: Floats, slack: Floats, /) -> NDArray[np.bool_]:
    """Say where a class of equal scores begins, shape (n,).

    Parameters
    ----------
    ordered : ndarray of float64, shape (n,)
        Scores in ascending order.
    slack : ndarray of float64
        From `Metric.slack`: one number, or one for each.
    """
    out = np.ones(len(ordered), dtype=bool)
    same = ordered[1:] == ordered[:-1]
    with np.errstate(invalid="ignore"):
        if slack.ndim == 0:
            out[1:] = ~(same | (np.diff(ordered) <= slack))
            return out
        half = slack / 2.0
        reached = np.maximum.accumulate(ordered + half)[:-1]
        ahead = np.minimum.accumulate((ordered - half)[::-1])[::-1][1:]
        out[1:] = ~(same | (ahead <= reached))
    return out


def merged(scores: Floats, slack: Floats, /, *, is_similarity: bool) -> Floats:
    """Return the scores with every class put on its least alike member.

    That one is a threshold which all of the class meet.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Defined scores.
    slack : ndarray of float64
        From `Metric.slack`: one number, or one for each.
    is_similarity : bool
        Whether large scores mean alike.
    """
    if slack.ndim == 0 or not len(scores):
        return _looked_up(np.sort(scores), slack, is_similarity)(scores)
    # Classes lie within those of the largest slack, and few scores are in one with another.
    ordered = np.sort(scores)
    begin = begins(ordered, slack.max())
    low, high = _ends(ordered, begin, True), _ends(ordered, begin, False)
    wide = np.flatnonzero(begin & (low != high))
    if not len(wide):
        return scores
    place = np.searchsorted(ordered[wide], scores, side="right") - 1
    some = np.flatnonzero((place >= 0) & (scores <= high[wide][place]))
    some = some[np.argsort(scores[some])]
    out = scores.copy()
    out[some] = _ends(scores[some], begins(scores[some], slack[some]), is_similarity)
    return out


def merge_ties(scores: Floats, /, *, metric: Metric, sizes: Floats | None = None) -> Floats:
    """Return the scores with every class put on its least alike member.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Defined scores.
    metric : Metric
        What they mean.
    sizes : ndarray of float64, shape (n,), optional
        As for `Metric.slack`.
    """
    if sizes is not None:
        return merged(scores, metric.slack(scores, sizes), is_similarity=metric.is_similarity)
    ordered = np.sort(scores)
    return _looked_up(ordered, metric.slack(ordered), metric.is_similarity)(scores)


def merged_sides(linked: Floats, unlinked: Floats, /, *, metric: Metric) -> tuple[Floats, Floats]:
    """Return the scores of both sides in ascending order, every class of both put on one number.

    Parameters
    ----------
    linked, unlinked : ndarray of float64
        Defined scores.
    metric : Metric
        What they mean. Where its range is not finite the scores stand for their sizes; where the
        sizes are known, merge with these first.
    """
    ours, theirs = np.sort(linked), np.sort(unlinked)
    both = np.concatenate([theirs, ours])
    # Two runs in order already, which a stable sort joins in one pass.
    both.sort(kind="stable")
    look_up = _looked_up(both, metric.slack(both), metric.is_similarity)
    return look_up(ours), look_up(theirs)


def _looked_up(ordered: Floats, slack: Floats, is_similarity: bool) -> Callable[[Floats], Floats]:
    """Return what puts scores on their class, from all of them in ascending order."""
    begin = begins(ordered, slack)
    if begin.all():
        return _as_is
    ends = _ends(ordered, begin, is_similarity)
    moved = np.flatnonzero(ends != ordered)
    if not len(moved):
        return _as_is
    # Few scores differ from their class, so only they are looked up.
    known, first = np.unique(ordered[moved], return_index=True)
    to = ends[moved][first]

    def look_up(scores: Floats) -> Floats:
        place = np.minimum(np.searchsorted(known, scores), len(known) - 1)
        return np.where(known[place] == scores, to[place], scores)

    return look_up


def _as_is(scores: Floats) -> Floats:
    return scores


def sorted_order(scores: Floats, slack: Floats, positions: Places, /) -> Places:
    """Return the ascending order of scores, those of one class by position.

    A quick sort of the scores, and of the few that are in a class with others: a stable sort of all
    by two keys takes twice as long.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Defined scores.
    slack : ndarray of float64
        From `Metric.slack`: one number, or one for each.
    positions : ndarray of int, shape (n,)
        All different.
    """
    order = np.argsort(scores)
    begin = begins(scores[order], slack[order] if slack.ndim else slack)
    alone = begin & np.append(begin[1:], True)
    tied = np.flatnonzero(~alone)
    some = order[tied]
    order[tied] = some[np.lexsort((positions[some], np.cumsum(begin)[tied]))]
    return order


def _ends(ordered: Floats, begin: NDArray[np.bool_], is_similarity: bool) -> Floats:
    """Return the least alike score of the class of each."""
    starts = np.flatnonzero(begin)
    stops = np.append(starts, len(ordered))[1:]
    which = starts if is_similarity else stops - 1
    return np.repeat(ordered[which], stops - starts)
