"""Calibration by logistic regression, plain and with Firth's penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from drugsig._notes import Note
from drugsig.errors import InputError
from drugsig.evidence.calibration.curve import LinearCurve
from drugsig.evidence.calibration.logit import LogitFit, fit_logit
from drugsig.evidence.calibration.training import TrainingPairs

__all__ = ["NoBetterThanChance", "fit_logistic", "fit_logistic_firth", "refuse_separated"]

_LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class NoBetterThanChance(Note):
    """Linked pairs are no more alike than unlinked ones.

    Do not use this score. Look at the targets, the pretreatment and the metric.
    """

    code: ClassVar[str] = "no-better-than-chance"

    def __str__(self) -> str:
        return (
            "The linked pairs are no more alike than the unlinked ones: by these scores every "
            "likelihood ratio is 1, and a comparison says nothing."
        )


def fit_logistic(pairs: TrainingPairs, /) -> tuple[LinearCurve, tuple[Note, ...]]:
    """Fit log10 LR = intercept + slope x score by maximum likelihood, both classes level.

    Each class carries the same weight, so that the odds are likelihood ratios whatever the
    numbers of pairs (Brümmer and du Preez 2006, Computer Speech and Language 20, 230-275). The
    slope never points the wrong way: where it would, it is 0.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.

    Returns
    -------
    curve : LinearCurve
        The line.
    notes : tuple of Note
        What a reader must know.

    Raises
    ------
    InputError
        If the scores separate linked from unlinked pairs: the slope would be infinite.
    """
    refuse_separated(pairs, method="logistic")
    return _line(pairs, penalised=False)


def fit_logistic_firth(pairs: TrainingPairs, /) -> tuple[LinearCurve, tuple[Note, ...]]:
    """Fit the line of `fit_logistic` with Firth's penalty, finite also for separated classes.

    Each class carries the total weight of the smaller one, so that the penalty, which counts
    like a pair or so, is not drowned by many unlinked pairs.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.

    Returns
    -------
    curve : LinearCurve
        The line.
    notes : tuple of Note
        What a reader must know.
    """
    return _line(pairs, penalised=True)


def refuse_separated(pairs: TrainingPairs, /, *, method: str) -> None:
    """Refuse pairs whose scores separate the classes.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.
    method : str
        Of calibration, for the message.

    Raises
    ------
    InputError
        If every linked pair is at least as alike as every unlinked one.
    """
    if not pairs.separated:
        return
    last = pairs.sign * pairs.alikeness[pairs.linked].min()
    first = pairs.sign * pairs.alikeness[~pairs.linked].max()
    raise InputError(
        f"the scores separate linked from unlinked pairs (the least alike linked pair scores "
        f"{last:.6g}, the most alike unlinked pair {first:.6g}), and calibration '{method}' would "
        "make likelihood ratios without limit of them. Take method='logistic_firth' or "
        "'isotonic', whose ratios stay finite, or add pairs."
    )


def _line(pairs: TrainingPairs, *, penalised: bool) -> tuple[LinearCurve, tuple[Note, ...]]:
    fit: LogitFit = fit_logit(
        pairs.alikeness[:, None],
        pairs.linked,
        pairs.balanced_weights,
        nonnegative=np.array([True]),
        penalised=penalised,
    )
    if fit.separated:
        # The pairs in the way weigh too little for the arithmetic: as good as separated.
        raise InputError(
            "the scores all but separate linked from unlinked pairs, and calibration 'logistic' "
            "finds no end to its slope. Take method='logistic_firth' or 'isotonic'."
        )
    slope = float(fit.coefficients[0])
    # Zero without a sign of its own.
    curve = LinearCurve(fit.intercept / _LN10, pairs.sign * slope / _LN10 if slope else 0.0)
    return curve, () if slope else (NoBetterThanChance(),)
