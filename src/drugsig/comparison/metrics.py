"""The metrics of drugsig: a name stands for one formula, one range and one direction.

A published threshold means nothing without the convention of its score, so 1 - r, (1 - r)/2 and
100 (1 - r)/2 have different names. Names, messages, the documentation table and the tests follow
from this registry: a new metric is one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import Note
from drugsig.comparison import kernels
from drugsig.comparison.combining import build_combined, refuse_negative
from drugsig.comparison.metric import METRICS, Metric, add_built_in, get_metric
from drugsig.comparison.metric_fit import Fitting
from drugsig.comparison.within_source import (
    REPEATABILITY_FACTOR,
    learn_covariance,
    learn_deviations,
)
from drugsig.profiles.blocks import COMBINED
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["DEFAULT_METRIC", "METRICS", "Metric", "get_metric"]

Floats = NDArray[np.float64]

DEFAULT_METRIC = "pearson_distance"

# Fewer points make a correlation an accident: with two it is always +1 or -1.
_LEAST_FOR_CORRELATION = 5


def _as_is(score: Floats) -> Floats:
    return score


def _same(score: float) -> float:
    return score


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


def _share(
    stem: str, letter: str, kernel: kernels.Kernel, formula: str, *, zero_rule: str
) -> list[Metric]:
    """Return a similarity from 0 to 1 of what is not negative, and one less it."""
    return [
        Metric(
            name=name,
            kind=kind,
            low=0.0,
            high=1.0,
            self_value=self_value,
            formula=text,
            zero_rule=zero_rule,
            min_measured=1,
            when_partial=_DROP,
            nonnegative=True,
            kernel=kernel,
            convert=convention[0],
            revert=convention[1],
        )
        for name, kind, self_value, text, convention in (
            (stem, "similarity", 1.0, f"{letter} = {formula}", _AS_IS),
            (
                f"{stem}_distance",
                "distance",
                0.0,
                f"1 - {letter}, {letter} = {formula}",
                _ONE_MINUS,
            ),
        )
    ]


def _within_limits(parameters: Mapping[str, Any]) -> kernels.Kernel:
    return kernels.WithinLimits(parameters["k"] * np.array(parameters["deviations"])).kernel()


def _whitening(parameters: Mapping[str, Any]) -> kernels.Kernel:
    return kernels.Whitening(np.array(parameters["covariance"])).kernel()


def _fitted(
    name: str,
    kind: str,
    formula: str,
    *,
    high: float,
    when_partial: str,
    build: Callable[[Mapping[str, Any]], kernels.Kernel],
    learn: Callable[..., tuple[Mapping[str, Any], tuple[Note, ...]]] | None = None,
    call: str | None = None,
    options: tuple[tuple[str, float | None], ...] = (),
    refuse: Callable[[ProfileSet, Mapping[str, Any]], None] | None = None,
    zero_rule: str = "does not arise",
) -> Metric:
    """Return a metric that scores nothing before it was fitted."""
    usual = f"drugsig.fit_metric('{name}', profiles, source='batch_id')"
    made = Metric(
        name=name,
        kind=kind,
        low=0.0,
        high=high,
        self_value=high if kind == "similarity" else 0.0,
        formula=formula,
        zero_rule=zero_rule,
        min_measured=1,
        when_partial=when_partial,
        nonnegative=False,
        kernel=kernels.NotFitted("").kernel(),
        fitting=Fitting(
            call=call or usual, build=build, learn=learn, options=options, refuse=refuse
        ),
    )
    return replace(made, kernel=kernels.NotFitted(made.not_fitted_message).kernel())


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
    Metric(
        name="aitchison",
        kind="distance",
        low=0.0,
        high=np.inf,
        self_value=0.0,
        formula="sqrt(sum (clr a - clr b)^2), clr x = log x - mean log x",
        zero_rule="undefined if a profile holds a value of zero or below: a share of zero has no "
        "logarithm. Replace zeros first, with the step clr(zeros=multiplicative) and metric "
        "euclidean, or keep targets that are always detected",
        # With one target every profile is like every other.
        min_measured=2,
        when_partial="clr over the targets measured in both, the sum scaled by p / (targets used)",
        nonnegative=True,
        kernel=kernels.AITCHISON,
    ),
    *_share(
        "quotient",
        "q",
        kernels.QUOTIENT,
        "mean over targets of min(a, b) / max(a, b)",
        zero_rule="a target absent from both is left out; undefined if both profiles are all zero",
    ),
    *_share(
        "peaks_in_common",
        "c",
        kernels.PEAKS_IN_COMMON,
        "targets above zero in both / targets above zero in either",
        zero_rule="undefined if both profiles are all zero",
    ),
    _fitted(
        "within_sd",
        "similarity",
        "share of the targets with |a - b| <= k s, s the pooled within-source standard deviation",
        high=1.0,
        when_partial=_DROP,
        learn=learn_deviations,
        build=_within_limits,
        options=(("k", REPEATABILITY_FACTOR),),
    ),
    _fitted(
        "mahalanobis",
        "distance",
        "sqrt((a - b)' W^-1 (a - b)), W the pooled within-source covariance",
        high=np.inf,
        when_partial="W is that of the targets measured in both, and the sum scaled by "
        "p / (targets used)",
        learn=learn_covariance,
        build=_whitening,
        options=(("shrinkage", None),),
    ),
    _fitted(
        COMBINED,
        "distance",
        "sum w d/s / sum w over blocks of targets, d the distance of a block by its own metric, "
        "s its scale, w its weight",
        high=np.inf,
        zero_rule="undefined if a profile has no score in a block; a block that both lack "
        "altogether is left out where its metric has no score for that",
        when_partial="each block by its own rule; a block with too few targets measured in both is "
        "left out with its weight",
        call="drugsig.combine_metrics({block: (targets, metric, weight)}, profiles)",
        build=build_combined,
        refuse=refuse_negative,
    ),
]

add_built_in(_ALL)
