"""Calibration by isotonic regression: pool adjacent violators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from drugsig._check import is_number
from drugsig._notes import Note
from drugsig.errors import InputError
from drugsig.evidence.calibration.curve import KnotCurve
from drugsig.evidence.calibration.logistic import NoBetterThanChance
from drugsig.evidence.calibration.training import TrainingPairs

__all__ = ["PSEUDO_PAIRS", "checked_pseudo_pairs", "fit_isotonic"]

Floats = NDArray[np.float64]

PSEUDO_PAIRS = 1.0


def fit_isotonic(
    pairs: TrainingPairs, /, *, pseudo_pairs: float = PSEUDO_PAIRS
) -> tuple[KnotCurve, tuple[Note, ...]]:
    """Fit the rising steps of greatest likelihood, with one misleading pair at each end.

    Without more the least alike scores would get a likelihood ratio of 0 and the most alike an
    infinite one, however few there are. So one linked pair is put below all scores and one
    unlinked pair above them: the pairs that the next measurement might bring. With n linked and
    m unlinked pairs the ratio then stays within 1/(n + 1) and m + 1. Equal scores are pooled;
    between two steps log10 LR runs along a straight line.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.
    pseudo_pairs : float
        How much the misleading pair of either end weighs, above 0; in pairs.

    Returns
    -------
    curve : KnotCurve
        The steps: the first and the last score of each.
    notes : tuple of Note
        What a reader must know.
    """
    added = checked_pseudo_pairs(pseudo_pairs, zero=False)
    alike, places = np.unique(pairs.alikeness, return_inverse=True)
    shape = len(alike)
    # The misleading pairs stand first and last, at no score of their own.
    linked = np.concatenate([[added], _by_score(places, pairs, pairs.linked), [0.0]])
    unlinked = np.concatenate([[0.0], _by_score(places, pairs, ~pairs.linked), [added]])
    linked /= pairs.n_linked + added
    unlinked /= pairs.n_unlinked + added
    weights = linked + unlinked
    steps = isotonic_regression(linked / weights, weights=weights).blocks
    first, last = steps[:-1], steps[1:] - 1
    ratio = np.log10(np.add.reduceat(linked, first)) - np.log10(np.add.reduceat(unlinked, first))
    ratio = np.maximum.accumulate(ratio)
    # What is left of a step without the misleading pairs; these never stand alone.
    begin, end = np.maximum(first - 1, 0), np.minimum(last - 1, shape - 1)
    knots, where = np.unique(np.concatenate([begin, end]), return_index=True)
    curve = KnotCurve.of_alikeness(alike[knots], np.tile(ratio, 2)[where], pairs.sign)
    return curve, (NoBetterThanChance(),) if len(ratio) == 1 else ()


def _by_score(places: NDArray[np.intp], pairs: TrainingPairs, side: NDArray[np.bool_]) -> Floats:
    return np.bincount(places, pairs.weights * side).astype(np.float64)


def checked_pseudo_pairs(pseudo_pairs: object, /, *, zero: bool) -> float:
    """Return the weight of pseudo pairs as a number.

    Parameters
    ----------
    pseudo_pairs : object
        What was asked for.
    zero : bool
        Whether there may be none.

    Raises
    ------
    InputError
        If it is no number, not finite, or too small.
    """
    number = np.nan
    if is_number(pseudo_pairs):
        number = float(pseudo_pairs)
    if not (0.0 < number < np.inf or (zero and number == 0.0)):
        raise InputError(
            f"pseudo_pairs must be a number {'from' if zero else 'above'} 0, got "
            f"{pseudo_pairs!r}: it weighs the misleading pairs that keep likelihood ratios finite"
        )
    return number
