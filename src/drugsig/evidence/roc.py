"""ROC and DET curves and the area under the ROC curve, on bare arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric, get_metric
from drugsig.comparison.ties import merged_sides
from drugsig.errors import InputError

__all__ = ["auc", "det_curve", "roc_curve"]

Floats = NDArray[np.float64]


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
    linked: Floats, unlinked: Floats, /, *, metric: Metric | str
) -> tuple[Floats, Floats, Floats]:
    """Return the rates at every observed score, from the strictest to the most permissive.

    Of scores that rounding alone tells apart the least alike stands for all.

    Parameters
    ----------
    linked, unlinked : ndarray of float64
        Defined scores.
    metric : Metric or str
        Says which direction means alike.

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
    false = np.searchsorted(theirs, steps, side="right") / len(unlinked)
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


def _refuse_unusable(linked: Floats, unlinked: Floats) -> None:
    for what, scores in (("linked", linked), ("unlinked", unlinked)):
        if not len(scores) or np.isnan(scores).any():
            raise InputError(
                f"a ROC curve needs defined scores of linked and of unlinked pairs, got "
                f"{len(scores)} score(s) of {what} pairs, {int(np.isnan(scores).sum())} of them "
                "undefined. Leave undefined scores out, as drugsig.pair_sample does."
            )
