"""Curves from a score to a log10 likelihood ratio: a line, or knots joined by lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig.errors import InputError

__all__ = ["Curve", "KnotCurve", "LapseCurve", "LinearCurve", "finite_numbers"]

Floats = NDArray[np.float64]

_LN10 = float(np.log(10.0))


class Curve(Protocol):
    """What every calibrated curve can do."""

    def log10_lr(self, scores: Floats, /) -> Floats:
        """Return the log10 likelihood ratio of every score, NaN where the score is NaN."""

    def to_data(self) -> dict[str, Any]:
        """Return the curve as data that its class reads again."""

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Curve:
        """Read a curve from data."""


@dataclass(frozen=True)
class LinearCurve:
    """A straight line.

    Parameters
    ----------
    intercept : float
        The log10 likelihood ratio at a score of 0.
    slope : float
        Its rise a unit of the score; negative for a distance.
    """

    intercept: float
    slope: float

    keys: ClassVar[tuple[str, ...]] = ("intercept", "slope")

    def log10_lr(self, scores: Floats, /) -> Floats:
        """Return intercept + slope x score."""
        return self.intercept + self.slope * scores

    def to_data(self) -> dict[str, Any]:
        """Return the curve as data that `from_data` reads."""
        return {"intercept": self.intercept, "slope": self.slope}

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> LinearCurve:
        """Read a curve from data.

        Raises
        ------
        InputError
            If a number is missing or not finite.
        """
        return cls(**{key: float(finite_numbers(data, key, shape=())) for key in cls.keys})


@dataclass(frozen=True)
class LapseCurve:
    """A straight line that levels out where a lapse explains a pair as well as two sources do.

    With t = 10^(intercept + slope x score) the likelihood ratio is (t + lapse) / (1 + lapse).

    Parameters
    ----------
    intercept : float
        The log10 of t at a score of 0.
    slope : float
        Its rise a unit of the score; negative for a distance.
    lapse : float
        The odds, from 0 and below 1, that a pair of one source looks like one of two sources.

    Raises
    ------
    InputError
        If the lapse is no such number.
    """

    intercept: float
    slope: float
    lapse: float

    keys: ClassVar[tuple[str, ...]] = ("intercept", "slope", "lapse")

    def __post_init__(self) -> None:
        if not 0.0 <= self.lapse < 1.0:
            raise InputError(
                f"the lapse of a calibration must be at least 0 and below 1, got {self.lapse!r}. "
                "Was the file edited?"
            )

    def log10_lr(self, scores: Floats, /) -> Floats:
        """Return log10 of (t + lapse) / (1 + lapse) for every score."""
        line = self.intercept + self.slope * scores
        if not self.lapse:
            return line
        with np.errstate(invalid="ignore"):
            level = np.logaddexp(line * _LN10, np.log(self.lapse)) - np.log1p(self.lapse)
        return np.asarray(level / _LN10, dtype=np.float64)

    def to_data(self) -> dict[str, Any]:
        """Return the curve as data that `from_data` reads."""
        return {key: getattr(self, key) for key in self.keys}

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> LapseCurve:
        """Read a curve from data.

        Raises
        ------
        InputError
            If a number is missing, not finite, or the lapse is not possible.
        """
        return cls(**{key: float(finite_numbers(data, key, shape=())) for key in cls.keys})


@dataclass(frozen=True, eq=False)
class KnotCurve(FrozenArrays):
    """Knots joined by straight lines, level beyond the first and the last.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_knots,)
        Rising.
    values : ndarray of float64, shape (n_knots,)
        The log10 likelihood ratio at each.
    """

    scores: Floats
    values: Floats

    @classmethod
    def of_similarities(cls, similarities: Floats, values: Floats, sign: float, /) -> KnotCurve:
        """Make a curve of the scores themselves from one of `sign` times the scores."""
        if sign > 0:
            return cls(scores=similarities, values=values)
        return cls(scores=-similarities[::-1], values=values[::-1].copy())

    def log10_lr(self, scores: Floats, /) -> Floats:
        """Return the value on the line between the knots next to each score."""
        return np.asarray(np.interp(scores, self.scores, self.values), dtype=np.float64)

    def to_data(self) -> dict[str, Any]:
        """Return the curve as data that `from_data` reads."""
        return {"scores": self.scores.tolist(), "values": self.values.tolist()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> KnotCurve:
        """Read a curve from data.

        Raises
        ------
        InputError
            If the knots are missing, not finite, not as many as their values, or do not rise.
        """
        scores = finite_numbers(data, "scores", shape=None)
        values = finite_numbers(data, "values", shape=scores.shape)
        if scores.ndim != 1 or not len(scores) or (np.diff(scores) <= 0).any():
            raise InputError("the knots of a calibration curve must rise and be at least one")
        return cls(scores=scores, values=values)


def finite_numbers(
    data: Mapping[str, Any], key: str, /, *, shape: tuple[int, ...] | None
) -> Floats:
    """Return the finite numbers that stored data hold under a key.

    Parameters
    ----------
    data : mapping
        As read from a file.
    key : str
        Where the numbers are.
    shape : tuple of int or None
        Their shape; None if any will do.

    Raises
    ------
    InputError
        If they are missing, no numbers, not finite, or of another shape.
    """
    if not isinstance(data, Mapping) or key not in data:
        raise InputError(f"stored data of a calibrated model lack '{key}'. Write the file anew.")
    try:
        numbers = np.array(data[key], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"'{key}' of a stored model must be numbers, got {data[key]!r}") from error
    if not np.isfinite(numbers).all() or (shape is not None and numbers.shape != shape):
        raise InputError(
            f"'{key}' of a stored model must be finite numbers of shape "
            f"{'any' if shape is None else shape}, got shape {numbers.shape}. Was the file edited?"
        )
    return numbers
