"""`Metric`: how two profiles are scored; and the registry in which every metric has its name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose, listed
from drugsig._files import canonical_json
from drugsig.comparison.kernels import SLACK, Kernel
from drugsig.comparison.metric_fit import Fitting, MetricFit
from drugsig.errors import ComparisonError, InputError, ThresholdError
from drugsig.profiles.blocks import COMBINED, blocks_of
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["METRICS", "Metric", "add_built_in", "get_metric", "register", "unregister_metric"]

Floats = NDArray[np.float64]


def _as_is(score: Floats) -> Floats:
    return score


def _same(score: float) -> float:
    return score


@dataclass(frozen=True, eq=False, repr=False)
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
    kernel : Kernel
        The formula on arrays, see `drugsig.comparison.kernels`.
    convert : callable
        From the kernel's value to the score.
    revert : callable
        From the score to the kernel's value, up to rounding.
    fitting : Fitting, optional
        How the metric comes by the numbers it carries; None for a metric that carries none.
    fit : MetricFit, optional
        Those numbers, once they were learned.

    Notes
    -----
    Two metrics are equal when everything they say of themselves is, and the numbers they carry.
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
    kernel: Kernel
    convert: Callable[[Floats], Floats] = _as_is
    revert: Callable[[float], float] = _same
    fitting: Fitting | None = None
    fit: MetricFit | None = None

    @property
    def is_similarity(self) -> bool:
        """Whether large scores mean alike."""
        return self.kind == "similarity"

    @property
    def link_sign(self) -> str:
        """The sign between a linking score and the threshold: ``">="`` or ``"<="``."""
        return ">=" if self.is_similarity else "<="

    @property
    def needs_fit(self) -> bool:
        """Whether it must be fitted before it can score anything."""
        return self.fitting is not None and self.fit is None

    @property
    def is_bounded(self) -> bool:
        """Whether the range is finite, and so the size of every score the same."""
        return bool(np.isfinite(self.high - self.low))

    def natural_sizes(self, prepared: Floats, /) -> Floats:
        """Return what every profile adds to the size of its scores, shape (n,).

        Parameters
        ----------
        prepared : ndarray of float64, shape (p, n)
            As the kernel's `prepare` leaves them, NaN where a target was not measured.
        """
        if self.is_bounded:
            return np.full(prepared.shape[1:], (self.high - self.low) / 2.0)
        # An overflow must not give a slack that everything keeps to.
        with np.errstate(over="ignore"):
            return np.minimum(self.kernel.size(prepared), np.finfo(np.float64).max / 2.0)

    def slack(self, scores: Floats, sizes: Floats | float | None = None, /) -> Floats:
        """Return how far two scores that are equal may seem to differ, or one from a threshold.

        Parameters
        ----------
        scores : ndarray of float64
            The scores.
        sizes : ndarray of float64 or float, optional
            What both profiles add to the size of each score, for a metric without a finite range.
            Where they are not known the score itself is taken, which is never larger.

        Returns
        -------
        ndarray of float64
            1e-12 of the size: a number for a metric with a finite range, otherwise as `scores`.
        """
        if self.is_bounded:
            return np.asarray(SLACK * (self.high - self.low))
        if sizes is None:
            sizes = np.minimum(np.abs(scores), np.finfo(np.float64).max)
        return np.asarray(SLACK * np.asarray(sizes))

    def loosened(
        self, threshold: float, scores: Floats, sizes: Floats | float | None = None, /
    ) -> Floats:
        """Return the least alike score that is a link, slack included, as `slack` is shaped."""
        slack = self.slack(scores, sizes)
        return np.asarray(threshold - slack if self.is_similarity else threshold + slack)

    def farthest_value(self, score: float, slack: float = 0.0, /) -> float:
        """Return the kernel's value, up to rounding, that all within the slack of a score keep to.

        Parameters
        ----------
        score : float
            In the convention of the metric.
        slack : float
            How much less alike they may be.
        """
        loosened = score - slack if self.is_similarity else score + slack
        return float(self.revert(min(max(loosened, self.low), self.high)))

    def meets(
        self, scores: Floats, threshold: float, /, sizes: Floats | float | None = None
    ) -> NDArray[np.bool_]:
        """Say which scores are links; equal is a link, undefined never is.

        A score is equal to the threshold where no more than the slack parts them, so that scores
        that are equal on the numbers as written are links together, however they were rounded.

        Parameters
        ----------
        scores : ndarray of float64
            The scores.
        threshold : float
            In the convention of the metric.
        sizes : ndarray of float64 or float, optional
            As for `slack`.
        """
        limit = self.loosened(threshold, scores, sizes)
        with np.errstate(invalid="ignore"):
            return np.asarray(scores >= limit if self.is_similarity else scores <= limit)

    def as_distance(self, scores: Floats, /) -> Floats:
        """Return scores that grow with unlikeness, zero for identical profiles."""
        return self.self_value - scores if self.is_similarity else scores

    def distance_of(self, values: Floats, /) -> Floats:
        """Return the distance that the kernel's values stand for."""
        return self.as_distance(self.convert(values))

    def check(self, profiles: ProfileSet, /) -> None:
        """Refuse profiles that this metric was not fitted for.

        Parameters
        ----------
        profiles : ProfileSet
            To be compared.

        Raises
        ------
        ComparisonError
            If the metric was not fitted yet, was fitted on profiles with another pretreatment, or
            would take the joined blocks of several techniques for one vector; or if a block holds
            values its metric has no meaning for.
        TargetMismatchError
            If it was fitted on other targets.
        """
        if self.needs_fit:
            raise ComparisonError(self.not_fitted_message)
        joined = blocks_of(profiles)
        if joined and self.name != COMBINED:
            raise ComparisonError(
                f"profile set '{profiles.name}' joins {len(joined)} blocks, {listed(joined)}: "
                f"values of different techniques are no one vector, and metric '{self.name}' would "
                "take them for one. Combine a metric for each block: "
                "drugsig.combine_metrics({...}, profiles)."
            )
        if self.fit is not None:
            self.fit.check(profiles)
            if self.fitting is not None and self.fitting.refuse is not None:
                self.fitting.refuse(profiles, self.fit.parameters)

    @property
    def not_fitted_message(self) -> str:
        """What to do before a metric that needs fitting can be used."""
        call = "" if self.fitting is None else self.fitting.call
        return (
            f"metric '{self.name}' carries numbers learned from profiles of known source and was "
            f"not fitted. Fit it first, metric = {call}, and then name the fitted metric: "
            "drugsig.compare(profiles, metric=metric)."
        )

    def with_fit(self, fit: MetricFit, /, *, kernel: Kernel | None = None) -> Metric:
        """Return this metric with the numbers it needs.

        Parameters
        ----------
        fit : MetricFit
            The numbers.
        kernel : Kernel, optional
            Their kernel, where it is at hand already.

        Raises
        ------
        ComparisonError
            If the metric takes no numbers, or these belong to another metric.
        """
        if self.fitting is None or fit.metric != self.name:
            raise ComparisonError(
                f"metric '{self.name}' cannot carry the numbers of metric '{fit.metric}'. "
                "Use drugsig.comparison.Metric.from_data for a fitted metric that was saved."
            )
        made = self.fitting.build(fit.parameters) if kernel is None else kernel
        return replace(self, fit=fit, kernel=made)

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
                if m.kernel is self.kernel and m.name != self.name and m.low <= number <= m.high
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

    # -- identity --------------------------------------------------------------------------

    def _said(self) -> list[object]:
        """Return what the metric says of itself, as data."""
        return [
            *(self.name, self.kind, repr(self.low), repr(self.high), repr(self.self_value)),
            *(self.formula, self.zero_rule, self.min_measured, self.when_partial),
            *(self.nonnegative, None if self.fit is None else self.fit.digest),
        ]

    @property
    def digest(self) -> str:
        """The sha256 of what the metric says of itself and of the numbers it carries."""
        return hashlib.sha256(canonical_json(self._said()).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Metric):
            return NotImplemented
        if self._said() != other._said():
            return False
        if self.fit is not None:
            # The kernel follows from the numbers.
            return True
        return (self.kernel, self.convert, self.revert) == (
            other.kernel,
            other.convert,
            other.revert,
        )

    def __hash__(self) -> int:
        return hash((self.name, self.fit))

    def __repr__(self) -> str:
        if self.fit is None:
            state = ", not fitted" if self.needs_fit else ""
            return f"<Metric '{self.name}' ({self.kind}): {self.formula}{state}>"
        source = self.fit.origin.get("source") or ["given numbers"]
        return (
            f"<Metric '{self.name}' ({self.kind}): {self.formula}; fitted on "
            f"{self.fit.origin['profiles']} profiles by {', '.join(source)}, "
            f"digest {self.digest[:12]}>"
        )

    def to_data(self) -> dict[str, Any]:
        """Return the name and the numbers it carries, as data that can be written as JSON."""
        return {"name": self.name, "fit": None if self.fit is None else self.fit.to_data()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Metric:
        """Return the metric that `to_data` wrote.

        Raises
        ------
        UnknownNameError
            If no metric of this name is registered.
        InputError
            If the data are not those of a metric.
        """
        if "name" not in data or "fit" not in data:
            raise InputError(
                "the data of a metric have a 'name' and a 'fit', got "
                f"{listed(data) or 'nothing'}. Write them with metric.to_data()."
            )
        base = get_metric(data["name"])
        return base if data["fit"] is None else base.with_fit(MetricFit.from_data(data["fit"]))

    def __reduce__(self) -> tuple[Callable[..., Metric], tuple[Any, ...]]:
        # A worker has the metrics of this library already; others travel with what they are made
        # of, so that they need not be registered there.
        if self.name in _BUILT_IN and METRICS[self.name] is self:
            return get_metric, (self.name,)
        return _restored, (tuple(getattr(self, f.name) for f in fields(self)),)


def _restored(content: tuple[Any, ...]) -> Metric:
    made = Metric(*content)
    known = METRICS.get(made.name)
    return known if known is not None and known == made else made


# -- the registry --------------------------------------------------------------------------

_REGISTERED: dict[str, Metric] = {}
_BUILT_IN: set[str] = set()

METRICS: Mapping[str, Metric] = MappingProxyType(_REGISTERED)


def add_built_in(metrics: Iterable[Metric], /) -> None:
    """Register the metrics of this library; they can be neither replaced nor taken out."""
    for metric in metrics:
        _REGISTERED[metric.name] = metric
        _BUILT_IN.add(metric.name)


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


def register(metric: Metric, /, *, replace: bool = False) -> Metric:
    """Put a metric into the registry, unchecked.

    Parameters
    ----------
    metric : Metric
        With a name of its own.
    replace : bool
        Whether it may take the place of a metric registered before.

    Raises
    ------
    ComparisonError
        If the name is that of a metric of this library, or is taken and `replace` is false.
    """
    known = METRICS.get(metric.name)
    if metric.name in _BUILT_IN and known != metric:
        raise ComparisonError(
            f"'{metric.name}' is a metric of drugsig, and published thresholds mean that one. Give "
            "yours another name."
        )
    if known is not None and known != metric and not replace:
        raise ComparisonError(
            f"another metric is registered as '{metric.name}' already. Give this one another name, "
            "or say replace=True if it shall take its place."
        )
    if metric.name not in _BUILT_IN:
        _REGISTERED[metric.name] = metric
    return METRICS[metric.name]


def unregister_metric(name: str, /) -> None:
    """Take a metric out of the registry.

    Parameters
    ----------
    name : str
        A metric that was registered with `register_metric`.

    Raises
    ------
    UnknownNameError
        If no such metric was registered; the metrics of drugsig itself stay.
    """
    own = tuple(n for n in METRICS if n not in _BUILT_IN)
    del _REGISTERED[choose(name, own, what="metric registered by register_metric")]
