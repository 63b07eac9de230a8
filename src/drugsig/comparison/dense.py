"""`compare`: score every profile against every other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._check import listed, warn
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.metrics import DEFAULT_METRIC, Metric, get_metric
from drugsig.errors import (
    ComparisonError,
    InputError,
    SizeError,
    TargetMismatchError,
    UndefinedScoreWarning,
)
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["DENSE_LIMIT_BYTES", "compare", "score_pairs"]

# A dense matrix larger than this is refused unless more is allowed: 16,000 x 16,000 scores.
DENSE_LIMIT_BYTES = 2 * 1024**3

# Scores computed at a time; intermediate arrays of this many float64 stay in the processor's cache.
_BLOCK_SCORES = 32_768

# Above this, squares overflow and sums lose the small targets.
_LARGEST_VALUE = 1e150


def compare(
    questioned: ProfileSet,
    reference: ProfileSet | None = None,
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    min_measured: int | None = None,
    memory: float = DENSE_LIMIT_BYTES,
) -> Comparison:
    """Score every questioned profile against every reference profile.

    Both sets must already be pretreated in the same way; this function scales and transforms
    nothing.

    Parameters
    ----------
    questioned : ProfileSet
        The profiles to place.
    reference : ProfileSet, optional
        The profiles to compare with; without it the questioned profiles with each other.
    metric : str or Metric
        One of `drugsig.METRICS`.
    min_measured : int, optional
        The least number of targets measured in both profiles; with fewer the score is
        undefined. The metric's own number by default; a lower one is allowed and recorded.
    memory : float
        The most bytes the matrix of scores may take.

    Returns
    -------
    Comparison
        Scores of shape (n_questioned, n_reference), NaN where undefined.

    Raises
    ------
    TargetMismatchError
        If the sets do not hold the same targets in the same order.
    ComparisonError
        If the sets were pretreated differently, hold targets that are not impurities, or hold
        values the metric has no meaning for.
    SizeError
        If the matrix would take more than `memory`.

    Warns
    -----
    UndefinedScoreWarning
        If scores are undefined; once, with the names of the profiles.

    Examples
    --------
    >>> from drugsig import ProfileSet
    >>> s = ProfileSet([[3.0, 1.0], [6.0, 2.0]], ["A", "B"], ["001", "002"])
    >>> compare(s, metric="cosine")["001", "002"]
    1.0
    """
    measure = get_metric(metric)
    other = questioned if reference is None else reference
    _refuse_unlike(questioned, other)
    for one in (questioned, other):
        _refuse_unusable(one, measure)
    least = _least_measured(min_measured, measure, len(questioned.targets))
    n, m = len(questioned), len(other)
    needed = 8 * n * m
    if needed > memory:
        raise SizeError(
            f"{n:,} x {m:,} scores would take {needed / 1e9:.1f} GB, and {memory / 1e9:.1f} GB are "
            "allowed. Compare parts (profiles.select(...)), or allow more with memory=<bytes>."
        )
    scores = _dense(questioned, None if reference is None else other, measure, least)
    result = Comparison(
        scores=scores,
        row_ids=questioned.ids,
        column_ids=other.ids,
        metric=measure,
        symmetric=reference is None,
        min_measured=least,
        row_measured=questioned.measured,
        column_measured=other.measured,
        row_detected=questioned.detected,
        column_detected=other.detected,
        row_digest=questioned.digest,
        column_digest=other.digest,
    )
    if result.n_undefined:
        warn(
            f"{result.n_undefined} of {result.n_pairs} scores are undefined ({measure.zero_rule}; "
            f"fewer than {least} targets measured in both). Profiles with no defined score: "
            f"{listed(result.undefined_ids) or 'none'}.",
            UndefinedScoreWarning,
        )
    return result


def score_pairs(
    a: ProfileSet,
    b: ProfileSet,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    min_measured: int | None = None,
) -> NDArray[np.float64]:
    """Score listed pairs: row ``rows[k]`` of `a` against row ``columns[k]`` of `b`.

    The same definition as `compare`, to the last bit.

    Parameters
    ----------
    a, b : ProfileSet
        Pretreated in the same way, with the same targets.
    rows, columns : ndarray of int, shape (n_pairs,)
        Which profiles.
    metric : str or Metric
        One of `drugsig.METRICS`.
    min_measured : int, optional
        As in `compare`.

    Returns
    -------
    ndarray of float64, shape (n_pairs,)
        NaN where undefined.
    """
    measure = get_metric(metric)
    _refuse_unlike(a, b)
    for one in (a, b):
        _refuse_unusable(one, measure)
    least = _least_measured(min_measured, measure, len(a.targets))
    x, y = _Side(a, measure), _Side(b, measure)
    return _score(x.at(rows), y.at(columns), measure, least)


class _Side:
    """The profiles of one side, target first, prepared for a metric."""

    def __init__(self, profiles: ProfileSet, metric: Metric) -> None:
        measured = profiles.measured
        self.measured = np.ascontiguousarray(measured.T)
        values = np.where(measured, profiles.values, np.nan).T
        self.values = np.ascontiguousarray(metric.kernel.prepare(np.ascontiguousarray(values)))
        whole = measured.all(axis=1)
        ready = metric.kernel.ready(self.values[:, whole])
        self.ready = np.full((len(ready), len(profiles)), np.nan)
        self.ready[:, whole] = ready

    def at(self, *places: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[Any]]:
        """Return values, mask and ready values at these places of the other axes."""
        index = (slice(None), *places)
        return self.values[index], self.measured[index], self.ready[index]


_Part = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[Any]]


def _score(a: _Part, b: _Part, metric: Metric, least: int) -> NDArray[np.float64]:
    """Score two parts whose axes after the first broadcast."""
    (values_a, measured_a, ready_a), (values_b, measured_b, ready_b) = a, b
    if measured_a.all() and measured_b.all():
        out = metric.convert(metric.kernel.complete(ready_a, ready_b))
        return out if len(values_a) >= least else np.full_like(out, np.nan)
    both = measured_a & measured_b
    out = metric.convert(metric.kernel.masked(values_a, values_b, both))
    return np.where(both.sum(axis=0) >= least, out, np.nan)


def _dense(
    questioned: ProfileSet, reference: ProfileSet | None, metric: Metric, least: int
) -> NDArray[np.float64]:
    other = questioned if reference is None else reference
    a, b = _Side(questioned, metric), _Side(other, metric)
    n, m = len(questioned), len(other)
    out = np.empty((n, m))
    wide = min(m, 2048)
    tall = max(1, _BLOCK_SCORES // max(1, wide))
    for top in range(0, n, tall):
        rows = slice(top, min(top + tall, n))
        # Within one set the lower triangle is the upper one: every metric is symmetric to the bit.
        for left in range(top if reference is None else 0, m, wide):
            columns = slice(left, min(left + wide, m))
            block = _score(a.at(rows, None), b.at(None, columns), metric, least)
            out[rows, columns] = block
            if reference is None:
                out[columns, rows] = block.T
    return out


def _least_measured(given: int | None, metric: Metric, n_targets: int) -> int:
    if given is None:
        if n_targets < metric.min_measured:
            raise ComparisonError(
                f"metric '{metric.name}' needs at least {metric.min_measured} targets measured in "
                f"both profiles, and these profiles have {n_targets}. With so few a correlation is "
                "an accident. Use another metric (euclidean, manhattan, canberra), or say "
                f"min_measured={n_targets} if you know what it is worth."
            )
        return metric.min_measured
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise InputError(f"min_measured must be a whole number from 1, got {given!r}")
    return given


def _refuse_unlike(a: ProfileSet, b: ProfileSet) -> None:
    if a.targets != b.targets:
        in_a, in_b = a.target_names, b.target_names
        only_a = [n for n in in_a if n not in in_b]
        only_b = [n for n in in_b if n not in in_a]
        if only_a or only_b:
            parts = []
            if only_b:
                parts.append(f"'{a.name}' lacks {listed(only_b)}")
            if only_a:
                parts.append(f"'{b.name}' lacks {listed(only_a)}")
            why = "; ".join(parts)
        else:
            unlike = [n for n in in_a if a.targets[in_a.index(n)] != b.targets[in_b.index(n)]]
            why = (
                f"{listed(unlike)} has another role or unit in the two sets"
                if unlike
                else "the same targets stand in another order"
            )
        raise TargetMismatchError(
            f"profile sets '{a.name}' and '{b.name}' cannot be compared: {why}. Extract both with "
            "the same protocol, or keep the shared targets on purpose: "
            "drugsig.align_targets(a, b, keep='shared').",
            only_in_a=only_a,
            only_in_b=only_b,
        )
    if a.pretreatment != b.pretreatment:
        raise ComparisonError(
            f"profile sets '{a.name}' and '{b.name}' were pretreated differently: "
            f"{_steps(a)} and {_steps(b)}. Parameters learned from data count as well: pretreat "
            "the second set with the recipe of the first, "
            "drugsig.pretreat(b, drugsig.Recipe.of(a))."
        )


def _steps(one: ProfileSet) -> str:
    return " | ".join(str(s["step"]) for s in one.pretreatment) or "not at all"


def _refuse_unusable(one: ProfileSet, metric: Metric) -> None:
    others = [t.name for t in one.targets if t.role != "impurity"]
    if others:
        raise ComparisonError(
            f"profile set '{one.name}' holds targets that are not impurities: {listed(others)}. "
            "The main compound, internal standards and cutting agents do not enter a comparison. "
            "Pretreat the profiles, or keep the impurities only: profiles.keep_targets([...])."
        )
    usable = np.where(one.measured, one.values, 0.0)
    if usable.size and float(np.abs(usable).max()) > _LARGEST_VALUE:
        raise ComparisonError(
            f"profile set '{one.name}' holds values above {_LARGEST_VALUE:g}, whose squares cannot "
            "be summed. Normalise the profiles first, as with the step 'sum'."
        )
    if metric.nonnegative and (usable < 0).any():
        row, column = (int(k) for k in np.argwhere(usable < 0)[0])
        raise ComparisonError(
            f"metric '{metric.name}' has no meaning for negative values; profile "
            f"'{one.ids[row]}', target '{one.target_names[column]}' is {usable[row, column]:g}. "
            "Use a pretreatment that keeps values positive, or another metric."
        )
