"""ROC curve and its area, on bare arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from drugsig.comparison.metrics import Metric
from drugsig.errors import InputError

__all__ = ["auc", "roc_curve"]

Floats = NDArray[np.float64]


def auc(linked: Floats, unlinked: Floats, /, *, metric: Metric) -> float:
    """Return the probability that a linked pair looks more alike than an unlinked one.

    Ties count one half.

    Parameters
    ----------
    linked, unlinked : ndarray of float64, shape (n_linked,) and (n_unlinked,)
        Defined scores, at least one on each side.
    metric : Metric
        Says which direction means alike.

    Raises
    ------
    InputError
        If a side is empty or holds NaN.

    Examples
    --------
    >>> from drugsig.comparison import get_metric
    >>> auc(np.array([1.0, 2.0]), np.array([2.0, 3.0]), metric=get_metric("euclidean"))
    0.875
    """
    _refuse_unusable(linked, unlinked)
    n, m = len(linked), len(unlinked)
    ranks = rankdata(np.concatenate([linked, unlinked]))
    above = (ranks[:n].sum() - n * (n + 1) / 2) / (n * m)
    return float(above if metric.is_similarity else 1.0 - above)


def roc_curve(
    linked: Floats, unlinked: Floats, /, *, metric: Metric
) -> tuple[Floats, Floats, Floats]:
    """Return the rates at every observed score, from the strictest to the most permissive.

    Parameters
    ----------
    linked, unlinked : ndarray of float64
        Defined scores.
    metric : Metric
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
    sign = -1.0 if metric.is_similarity else 1.0
    steps = np.unique(np.concatenate([sign * linked, sign * unlinked]))
    false = np.searchsorted(np.sort(sign * unlinked), steps, side="right") / len(unlinked)
    true = np.searchsorted(np.sort(sign * linked), steps, side="right") / len(linked)
    return sign * steps, false, true


def _refuse_unusable(linked: Floats, unlinked: Floats) -> None:
    for what, scores in (("linked", linked), ("unlinked", unlinked)):
        if not len(scores) or np.isnan(scores).any():
            raise InputError(
                f"a ROC curve needs defined scores of linked and of unlinked pairs, got "
                f"{len(scores)} score(s) of {what} pairs, {int(np.isnan(scores).sum())} of them "
                "undefined. Leave undefined scores out, as drugsig.pair_sample does."
            )
