"""Beta calibration of scores that lie between two limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import Note
from drugsig.errors import InputError
from drugsig.evidence.calibration.curve import finite_numbers
from drugsig.evidence.calibration.logistic import NoBetterThanChance, refuse_separated
from drugsig.evidence.calibration.logit import fit_logit
from drugsig.evidence.calibration.training import TrainingPairs

__all__ = ["BetaCurve", "fit_beta"]

Floats = NDArray[np.float64]

_LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class BetaCurve:
    """The curve intercept + a log10 s - b log10 (1 - s), with s the alikeness from 0 to 1.

    Parameters
    ----------
    intercept : float
        In log10.
    a, b : float
        At least 0: the curve rises with alikeness.
    unlike, alike : float
        The scores at which s is 0 and 1.
    first, last : float
        The least and the largest s that were observed between 0 and 1; an s beyond them, 0 and 1
        included, counts as the nearer of them.
    """

    intercept: float
    a: float
    b: float
    unlike: float
    alike: float
    first: float
    last: float

    def log10_lr(self, scores: Floats, /) -> Floats:
        """Return the log10 likelihood ratio of every score."""
        s = np.clip((scores - self.unlike) / (self.alike - self.unlike), self.first, self.last)
        return np.asarray(
            self.intercept + (self.a * np.log(s) - self.b * np.log1p(-s)) / _LN10,
            dtype=np.float64,
        )

    def to_data(self) -> dict[str, Any]:
        """Return the curve as data that `from_data` reads."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> BetaCurve:
        """Read a curve from data.

        Raises
        ------
        InputError
            If a number is missing or not finite, or if the curve would fall with alikeness.
        """
        curve = cls(**{f.name: float(finite_numbers(data, f.name, shape=())) for f in fields(cls)})
        if not (
            0.0 < curve.first <= curve.last < 1.0
            and min(curve.a, curve.b) >= 0.0
            and curve.unlike != curve.alike
        ):
            raise InputError(f"a stored beta calibration is none: {curve}. Was the file edited?")
        return curve


def fit_beta(pairs: TrainingPairs, /) -> tuple[BetaCurve, tuple[Note, ...]]:
    """Fit log LR = c + a ln s - b ln (1 - s), a and b at least 0, by maximum likelihood.

    After Kull, Silva Filho and Flach (2017, Electronic Journal of Statistics 11, 5052-5080): the
    curve that is right where s follows a beta distribution in either class. s is the score on a
    scale from 0 (the end of the range that means unlike) to 1. The logarithm of 0 is avoided
    without a made-up number: an s of 0 or 1 counts as the nearest observed one between.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs; without a metric of limited range, scores must lie from 0 to 1.

    Returns
    -------
    curve : BetaCurve
        The curve.
    notes : tuple of Note
        What a reader must know.

    Raises
    ------
    InputError
        If the scores have no limits, are all at the limits, or separate the classes.
    """
    unlike, alike = _limits(pairs)
    s = (pairs.scores - unlike) / (alike - unlike)
    inside = s[(s > 0.0) & (s < 1.0)]
    if not len(inside) or inside.min() == inside.max():
        raise InputError(
            f"of {len(s)} scores {len(np.unique(inside))} differ between the limits "
            f"{min(unlike, alike):g} and {max(unlike, alike):g}: beta calibration needs at least "
            "2. Take method='isotonic'."
        )
    first, last = float(inside.min()), float(inside.max())
    held = np.clip(s, first, last)
    as_used = replace(pairs, scores=unlike + held * (alike - unlike))
    refuse_separated(as_used, method="beta")
    fit = fit_logit(
        np.column_stack([np.log(held), -np.log1p(-held)]),
        pairs.linked,
        pairs.balanced_weights,
        nonnegative=np.array([True, True]),
        penalised=False,
    )
    if fit.separated:
        raise InputError(
            "the scores all but separate linked from unlinked pairs, and calibration 'beta' finds "
            "no end to its slope. Take method='logistic_firth' or 'isotonic'."
        )
    a, b = (float(c) + 0.0 for c in fit.coefficients)
    curve = BetaCurve(fit.intercept / _LN10, a, b, unlike, alike, first, last)
    return curve, () if a or b else (NoBetterThanChance(),)


def _limits(pairs: TrainingPairs) -> tuple[float, float]:
    """Return the score of the most unlike and of the most alike pair there can be."""
    low, high = pairs.support
    if not np.isfinite([low, high]).any():
        low, high = 0.0, 1.0
    if not np.isfinite([low, high]).all():
        raise InputError(
            f"beta calibration needs scores between two limits, and these lie in {low:g} to "
            f"{high:g}. Take another method, or a metric with a limited range."
        )
    least, largest = float(pairs.scores.min()), float(pairs.scores.max())
    if least < low or largest > high:
        raise InputError(
            f"beta calibration needs scores from {low:g} to {high:g}, got {least:.6g} to "
            f"{largest:.6g}. Give the metric, or support=(least, largest)."
        )
    return (low, high) if pairs.kind == "similarity" else (high, low)
