"""`Finding`: one figure of a validation, its criterion and the verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from drugsig._words import percent
from drugsig.evidence.performance import Estimate
from drugsig.evidence.resampling import Interval
from drugsig.evidence.validation.criteria import Criterion
from drugsig.evidence.validation.measures import MEASURES, Measure

__all__ = [
    "FAIL",
    "NOT_ASSESSED",
    "PASS",
    "Finding",
    "figure_words",
    "finding",
    "number_data",
    "number_words",
    "overall",
]

PASS = "pass"  # noqa: S105 - a verdict, no password
FAIL = "fail"
NOT_ASSESSED = "not assessed"

_SHARES = ("strong_linked", "strong_unlinked", "equal_error_rate")


@dataclass(frozen=True)
class Finding:
    """One figure of a validation.

    Parameters
    ----------
    measure : str
        A key of `drugsig.evidence.validation.MEASURES`.
    estimate : Estimate or None
        The figure with its 95 % interval; None where it was not measured.
    criterion : Criterion or None
        What it must reach; None where nobody set it.
    verdict : str
        ``"pass"``, ``"fail"`` or ``"not assessed"``, by the figure itself.
    uncertain : bool
        Whether the interval lies on both sides of the criterion, so that other sources could well
        have given the other verdict; also where there is no interval.
    why : str
        Why it was not assessed; else what it was measured on.
    """

    measure: str
    estimate: Estimate | None
    criterion: Criterion | None
    verdict: str
    uncertain: bool
    why: str

    @property
    def about(self) -> Measure:
        """What the figure is."""
        return MEASURES[self.measure]

    @property
    def verdict_in_words(self) -> str:
        """The verdict, with a mark where the interval crosses the criterion."""
        if not self.uncertain:
            return self.verdict
        if self.estimate is None or self.estimate.interval is None:
            return f"{self.verdict} (no interval)"
        return f"{self.verdict} (the interval crosses the criterion)"

    @property
    def value_in_words(self) -> str:
        """The figure, as reports write it."""
        if self.estimate is None:
            return "no figure"
        return figure_words(self.measure, self.estimate.value)

    @property
    def criterion_in_words(self) -> str:
        """What the figure must reach, as reports write it."""
        if self.criterion is None:
            return "none"
        if self.measure not in _SHARES:
            return str(self.criterion)
        side = "at most" if self.criterion.upper else "at least"
        return f"{side} {percent(self.criterion.limit)}"

    def to_data(self) -> dict[str, Any]:
        """Return the finding as data for JSON."""
        value = interval = None
        if self.estimate is not None:
            value = number_data(self.estimate.value)
            ends = self.estimate.interval
            interval = None if ends is None else [number_data(ends.low), number_data(ends.high)]
        return {
            "characteristic": self.about.characteristic,
            "measure": self.measure,
            "meaning": self.about.meaning,
            "unit": self.about.unit,
            "value": value,
            "interval_95": interval,
            "criterion": None if self.criterion is None else self.criterion.to_data(),
            "verdict": self.verdict,
            "interval_crosses_criterion": self.uncertain,
            "why": self.why,
        }

    def __str__(self) -> str:
        shown = "no figure" if self.estimate is None else str(self.estimate)
        asked = "no criterion" if self.criterion is None else str(self.criterion)
        return f"{self.about.label}: {shown}; {asked}: {self.verdict_in_words}"


def number_data(value: float, /) -> float | str | None:
    """Return a number as JSON can hold it: NaN is None, infinities are text.

    >>> number_data(0.5), number_data(float("nan")), number_data(float("-inf"))
    (0.5, None, '-infinity')
    """
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return float(value)


def number_words(value: float, /) -> str:
    """Return a figure that is near 1 in size, without digits that nobody can use.

    >>> [number_words(x) for x in (0.12345, 1200.0, float("nan"), float("inf"))]
    ['0.123', '1,200', 'has no value', 'infinite']
    """
    if math.isnan(value):
        return "has no value"
    if math.isinf(value):
        return "infinite"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3f}"


def figure_words(measure: str, value: float, /) -> str:
    """Return the value of a figure as reports write it: shares as percentages.

    >>> figure_words("equal_error_rate", 0.025), figure_words("cllr", 0.45678)
    ('2.5 %', '0.457')
    """
    return percent(value) if measure in _SHARES else number_words(value)


def finding(
    measure: str,
    estimate: Estimate | None,
    criterion: Criterion | None,
    /,
    *,
    why: str,
    exact: bool = False,
) -> Finding:
    """Judge one figure by its criterion.

    The verdict is that of the figure itself. A figure that passes while its interval reaches
    beyond the criterion (or fails while it reaches back) is marked: the data do not settle it.

    Parameters
    ----------
    measure : str
        A key of `MEASURES`.
    estimate : Estimate or None
        The figure; None, or NaN, where it has no value.
    criterion : Criterion or None
        What it must reach.
    why : str
        What it was measured on, or why it was not.
    exact : bool
        Whether the figure holds the interval in it already and needs none of its own.
    """
    if estimate is None or math.isnan(estimate.value):
        told = why if estimate is None else f"the figure has no value: {why}"
        return Finding(measure, None, criterion, NOT_ASSESSED, False, told)
    if criterion is None:
        told = f"no criterion is set; {why}"
        return Finding(measure, estimate, None, NOT_ASSESSED, False, told)
    passes = criterion.meets(estimate.value)
    return Finding(
        measure,
        estimate,
        criterion,
        PASS if passes else FAIL,
        not exact and _crosses(estimate.interval, criterion, passes=passes),
        why,
    )


def _crosses(interval: Interval | None, criterion: Criterion, *, passes: bool) -> bool:
    if interval is None:
        return True
    return any(criterion.meets(end) != passes for end in (interval.low, interval.high))


def overall(verdicts: Iterable[str], /) -> str:
    """Return the verdict on several: fail if one failed, pass if every one passed.

    What was not assessed is not passed: with nothing failed the whole is then not assessed.

    Parameters
    ----------
    verdicts : iterable of str
        Of figures with a criterion, or of characteristics; none at all is not assessed.
    """
    found = set(verdicts)
    if FAIL in found:
        return FAIL
    return PASS if found == {PASS} else NOT_ASSESSED
