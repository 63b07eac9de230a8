"""The registry of metrics: a name stands for one formula, one range and one direction.

A published threshold means nothing without the convention of its score, so 1 - r, (1 - r)/2 and
100 (1 - r)/2 have different names. Names, messages, the documentation table and the tests follow
from this registry: a new metric is one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose
from drugsig.comparison import kernels
from drugsig.errors import ThresholdError

__all__ = ["DEFAULT_METRIC", "METRICS", "Metric", "get_metric"]

Floats = NDArray[np.float64]

DEFAULT_METRIC = "pearson_distance"

# Fewer points make a correlation an accident: with two it is always +1 or -1.
_LEAST_FOR_CORRELATION = 5


def _as_is(score: Floats) -> Floats:
    return score


def _same(score: float) -> float:
    return score


@dataclass(frozen=True)
class Metric:
    """How two profiles are scored.

    Parameters
    ----------
    name : str
        The registered name.
    kind : {"similarity", "distance"}
        Whether large scores mean alike or unlike.
    low, high : float
        The range of the score.
    self_value : float
        What a profile scores with an identical one, exactly.
    formula : str
        The formula in words and signs; a and b are two profiles, p the number of targets.
    zero_rule : str
        What happens to 0/0.
    min_measured : int
        The least number of targets measured in both profiles; with fewer the score is undefined.
    when_partial : str
        What is done where a target was not measured in one of the profiles.
    nonnegative : bool
        Whether negative values are refused.
    kernel : callable
        The formula on arrays, see `drugsig.comparison.kernels`.
    convert : callable
        From the kernel's value to the score.
    revert : callable
        From the score to the kernel's value, up to rounding.
    """

    name: str
    kind: str
    low: float
    high: float
    self_value: float
    formula: str
    zero_rule: str
    min_measured: int
    when_partial: str
    nonnegative: bool
    kernel: kernels.Kernel
    convert: Callable[[Floats], Floats] = _as_is
    revert: Callable[[float], float] = _same

    @property
    def is_similarity(self) -> bool:
        """Whether large scores mean alike."""
        return self.kind == "similarity"

    @property
    def link_sign(self) -> str:
        """The sign between a linking score and the threshold: ``">="`` or ``"<="``."""
        return ">=" if self.is_similarity else "<="

    def meets(self, scores: Floats, threshold: float, /) -> NDArray[np.bool_]:
        """Say which scores are links; equal is a link, undefined never is."""
        with np.errstate(invalid="ignore"):
            return np.asarray(scores >= threshold if self.is_similarity else scores <= threshold)

    def as_distance(self, scores: Floats, /) -> Floats:
        """Return scores that grow with unlikeness, zero for identical profiles."""
        return self.self_value - scores if self.is_similarity else scores

    def check_threshold(self, threshold: float, /) -> float:
        """Return the threshold if it lies in the range of the metric.

        Raises
        ------
        ThresholdError
            If it does not; the message names the range and the direction.
        """
        try:
            number = float(threshold)
        except (TypeError, ValueError) as error:
            raise ThresholdError(f"a threshold must be a number, got {threshold!r}") from error
        if not np.isfinite(number):
            raise ThresholdError(
                f"a threshold must be a finite number, got {number}: it would make every pair a "
                "link, or none"
            )
        if not self.low <= number <= self.high:
            others = [
                m.name
                for m in METRICS.values()
                if m.kernel is self.kernel and m is not self and m.low <= number <= m.high
            ]
            hint = (
                f" It could be a threshold of {' or '.join(others)}, which is the same metric in "
                "another convention."
                if others
                else ""
            )
            raise ThresholdError(
                f"a threshold of {number:g} is outside the range of metric '{self.name}', "
                f"{self.low:g} to {self.high:g} ({self.formula}; a link is a score "
                f"{self.link_sign} the threshold).{hint}"
            )
        return number

    def __reduce__(self) -> tuple[Callable[[str], Metric], tuple[str]]:
        # A worker gets the registered entry: functions made on the fly do not travel.
        return get_metric, (self.name,)


def _one_minus(score: Floats) -> Floats:
    return 1.0 - score


def _from_one_minus(score: float) -> float:
    return 1.0 - score


def _half(score: Floats) -> Floats:
    return (1.0 - score) / 2.0


def _from_half(score: float) -> float:
    return 1.0 - 2.0 * score


def _percent(score: Floats) -> Floats:
    return 100.0 * (1.0 - score) / 2.0


def _from_percent(score: float) -> float:
    return 1.0 - score / 50.0


def _times_100(score: Floats) -> Floats:
    return 100.0 * score


def _from_times_100(score: float) -> float:
    return score / 100.0


def _100_minus(score: Floats) -> Floats:
    return 100.0 - 100.0 * score


def _from_100_minus(score: float) -> float:
    return 1.0 - score / 100.0


# From the kernel's value to the score, and back.
Convention = tuple[Callable[[Floats], Floats], Callable[[float], float]]
_AS_IS: Convention = (_as_is, _same)
_ONE_MINUS: Convention = (_one_minus, _from_one_minus)
_HALF: Convention = (_half, _from_half)
_PERCENT: Convention = (_percent, _from_percent)

_NAN_CONSTANT = "undefined if a profile is constant"
_NAN_ZERO = "undefined if a profile is all zero"
_DROP = "the target is dropped for the pair"
_RESCALE = "the target is dropped and the sum scaled by p / (targets used)"


def _family(
    stem: str, letter: str, kernel: kernels.Kernel, formula: str, *, least: int, zero_rule: str
) -> list[Metric]:
    """Return a coefficient and its distance conventions, each under a name of its own."""
    conventions: list[tuple[str, str, float, float, float, str, Convention]] = [
        (stem, "similarity", -1.0, 1.0, 1.0, f"{letter} = {formula}", _AS_IS),
        (
            f"{stem}_distance",
            "distance",
            0.0,
            2.0,
            0.0,
            f"1 - {letter}, {letter} = {formula}",
            _ONE_MINUS,
        ),
    ]
    if stem in ("pearson", "spearman"):
        conventions += [
            (
                f"{stem}_distance_half",
                "distance",
                0.0,
                1.0,
                0.0,
                f"(1 - {letter})/2, {letter} = {formula}",
                _HALF,
            ),
            (
                f"{stem}_distance_percent",
                "distance",
                0.0,
                100.0,
                0.0,
                f"100 (1 - {letter})/2, {letter} = {formula}",
                _PERCENT,
            ),
        ]
    return [
        Metric(
            name=name,
            kind=kind,
            low=low,
            high=high,
            self_value=self_value,
            formula=text,
            zero_rule=zero_rule,
            min_measured=least,
            when_partial=_DROP,
            nonnegative=False,
            kernel=kernel,
            convert=convention[0],
            revert=convention[1],
        )
        for name, kind, low, high, self_value, text, convention in conventions
    ]


def _plain_distance(
    name: str,
    kernel: kernels.Kernel,
    formula: str,
    *,
    high: float = np.inf,
    zero_rule: str = "does not arise",
    when_partial: str = _RESCALE,
    nonnegative: bool = False,
) -> Metric:
    return Metric(
        name=name,
        kind="distance",
        low=0.0,
        high=high,
        self_value=0.0,
        formula=formula,
        zero_rule=zero_rule,
        min_measured=1,
        when_partial=when_partial,
        nonnegative=nonnegative,
        kernel=kernel,
    )


_SQUARED_COSINE = "100 (a.b)^2 / ((a.a)(b.b))"

_ALL: list[Metric] = [
    *_family(
        "pearson",
        "r",
        kernels.PEARSON,
        "correlation over the targets",
        least=_LEAST_FOR_CORRELATION,
        zero_rule=_NAN_CONSTANT,
    ),
    *_family(
        "spearman",
        "rho",
        kernels.SPEARMAN,
        "correlation of the ranks of the targets, ties sharing their mean rank",
        least=_LEAST_FOR_CORRELATION,
        zero_rule=_NAN_CONSTANT,
    ),
    *_family(
        "cosine",
        "c",
        kernels.COSINE,
        "a.b / sqrt((a.a)(b.b))",
        least=1,
        zero_rule=_NAN_ZERO,
    ),
    Metric(
        name="squared_cosine",
        kind="similarity",
        low=0.0,
        high=100.0,
        self_value=100.0,
        formula=_SQUARED_COSINE,
        zero_rule=_NAN_ZERO,
        min_measured=1,
        when_partial=_DROP,
        nonnegative=False,
        kernel=kernels.SQUARED_COSINE,
        convert=_times_100,
        revert=_from_times_100,
    ),
    Metric(
        name="squared_cosine_distance",
        kind="distance",
        low=0.0,
        high=100.0,
        self_value=0.0,
        formula=f"100 - {_SQUARED_COSINE}",
        zero_rule=_NAN_ZERO,
        min_measured=1,
        when_partial=_DROP,
        nonnegative=False,
        kernel=kernels.SQUARED_COSINE,
        convert=_100_minus,
        revert=_from_100_minus,
    ),
    _plain_distance("euclidean", kernels.EUCLIDEAN, "sqrt(sum (a - b)^2)"),
    _plain_distance("manhattan", kernels.MANHATTAN, "sum |a - b|"),
    _plain_distance(
        "canberra",
        kernels.CANBERRA_ZERO,
        "sum |a - b| / (|a| + |b|)",
        zero_rule="a target absent from both adds 0 (scipy)",
    ),
    _plain_distance(
        "canberra_r",
        kernels.CANBERRA_DROPPING,
        "p/(terms used) sum |a - b| / (|a| + |b|)",
        zero_rule="a target absent from both is left out and the sum scaled by p / (terms used) "
        "(R); undefined if both profiles are all zero",
    ),
    _plain_distance(
        "bray_curtis",
        kernels.BRAY_CURTIS,
        "sum |a - b| / sum (a + b)",
        high=1.0,
        zero_rule="undefined if both profiles are all zero",
        when_partial=_DROP,
        nonnegative=True,
    ),
]

METRICS: Mapping[str, Metric] = MappingProxyType({m.name: m for m in _ALL})


def get_metric(name: str | Metric, /) -> Metric:
    """Return the registered metric of this name.

    Raises
    ------
    UnknownNameError
        If there is none; the message names the nearest.

    Examples
    --------
    >>> get_metric("pearson_distance_percent").formula
    '100 (1 - r)/2, r = correlation over the targets'
    """
    if isinstance(name, Metric):
        return name
    return METRICS[choose(name, tuple(METRICS), what="metric")]
