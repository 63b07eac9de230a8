"""A metric of one's own: tried out before it is registered, and never in place of another."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from drugsig import METRICS, ProfileSet, compare
from drugsig.comparison import Metric, get_metric
from drugsig.comparison.contract import check_metric, register_metric
from drugsig.comparison.kernels import Kernel
from drugsig.comparison.metric import unregister_metric
from drugsig.errors import ComparisonError, InputError, UnknownNameError


def largest(a, b):
    return np.abs(a - b).max(axis=0)


def largest_masked(a, b, both):
    apart = np.where(both, np.abs(a - b), 0.0).max(axis=0)
    return np.where(both.any(axis=0), apart, np.nan)


CHEBYSHEV = Metric(
    name="chebyshev", kind="distance", low=0.0, high=np.inf, self_value=0.0,
    formula="max |a - b|", zero_rule="does not arise", min_measured=1,
    when_partial="the target is dropped for the pair", nonnegative=False,
    kernel=Kernel(largest, largest_masked),
)  # fmt: skip


@pytest.fixture(autouse=True)
def registry_as_it_was() -> Iterator[None]:
    before = set(METRICS)
    yield
    for name in set(METRICS) - before:
        unregister_metric(name)


def with_kernel(complete=largest, masked=largest_masked, **parts) -> Metric:
    return replace(CHEBYSHEV, kernel=Kernel(complete, masked, **parts))


def test_a_registered_metric_is_used_by_its_name() -> None:
    profiles = ProfileSet([[1.0, 5.0], [2.0, 2.0]], ["A", "B"], ["x", "y"])
    assert compare(profiles, metric=CHEBYSHEV)["x", "y"] == 3.0
    assert "chebyshev" not in METRICS
    assert register_metric(CHEBYSHEV) is CHEBYSHEV
    assert get_metric("chebyshev") is METRICS["chebyshev"] is CHEBYSHEV
    assert compare(profiles, metric="chebyshev")["x", "y"] == 3.0
    assert pickle.loads(pickle.dumps(CHEBYSHEV)) is CHEBYSHEV  # noqa: S301
    unregister_metric("chebyshev")
    assert "chebyshev" not in METRICS


def test_a_metric_travels_where_it_is_not_registered() -> None:
    again = pickle.loads(pickle.dumps(CHEBYSHEV))  # noqa: S301
    assert again == CHEBYSHEV
    assert again is not CHEBYSHEV
    assert hash(again) == hash(CHEBYSHEV)


def test_nothing_is_replaced_in_silence() -> None:
    register_metric(CHEBYSHEV)
    assert register_metric(CHEBYSHEV) is CHEBYSHEV
    other = replace(CHEBYSHEV, formula="the largest |a - b|")
    assert other != CHEBYSHEV
    with pytest.raises(ComparisonError, match="another metric is registered as 'chebyshev'"):
        register_metric(other)
    assert METRICS["chebyshev"] is CHEBYSHEV
    assert register_metric(other, replace=True) is METRICS["chebyshev"] is other
    with pytest.raises(ComparisonError, match="'euclidean' is a metric of drugsig"):
        register_metric(replace(CHEBYSHEV, name="euclidean"), replace=True)
    with pytest.raises(UnknownNameError, match="metric registered by register_metric"):
        unregister_metric("euclidean")
    assert register_metric(METRICS["euclidean"]) is METRICS["euclidean"]


def asymmetric(a, b):
    return np.abs(a - 1.1 * b).max(axis=0)


def reads_gaps(a, b, both):
    return np.where(both.any(axis=0), np.abs(a - b).max(axis=0), np.nan)


def summed_by_product(a, b):
    """Depends on the arrangement: numpy sums a contiguous axis pairwise, others in order."""
    return np.square(a - b).sum(axis=0) + 1e-3 * a.shape[-1]


def undefined_when_far(a, b):
    out = largest(a, b)
    out[out > 1.0] = np.nan
    return out


def changes_input(x):
    x += 1.0
    return x


@pytest.mark.parametrize(
    ("metric", "promise"),
    [
        (with_kernel(asymmetric), "a with b and b with a differ"),
        (with_kernel(asymmetric), "identical profiles do not score 0 exactly"),
        (with_kernel(lambda a, b: 2 * largest(a, b)), "two forms of its kernel differ"),
        (with_kernel(masked=reads_gaps), "a value that was not measured is read"),
        (
            with_kernel(masked=lambda a, b, both: np.nan_to_num(largest_masked(a, b, both))),
            "no target measured in both has a score",
        ),
        (with_kernel(summed_by_product), "depends on the arrangement"),
        (with_kernel(lambda a, b: np.nan_to_num(largest(a, b))), "not transformed, and so NaN"),
        (with_kernel(undefined_when_far), "have none with each other"),
        (with_kernel(prepare=changes_input), "changes the values it is given"),
        (with_kernel(prepare=lambda x: x[:1]), "changes the shape"),
        (with_kernel(lambda a, b: np.zeros(3)), "one score a pair"),
        (with_kernel(lambda a, b: largest(a, b).astype(np.float32)), "not float64"),
        (replace(CHEBYSHEV, high=1.0), "lie outside 0 to 1"),
        (replace(CHEBYSHEV, kind="nearness"), "its kind is 'nearness'"),
        (replace(CHEBYSHEV, self_value=1.0), "not the most alike end"),
        (replace(CHEBYSHEV, formula=""), "is empty"),
        (replace(CHEBYSHEV, min_measured=0), "measured is 0"),
        (replace(CHEBYSHEV, convert=lambda x: x / 2), "`revert` does not undo"),
    ],
)
def test_a_metric_that_breaks_a_promise_is_not_registered(metric: Metric, promise: str) -> None:
    with pytest.raises(ComparisonError, match=promise):
        register_metric(metric)
    assert "chebyshev" not in METRICS


def test_what_needs_fitting_is_tried_out_when_it_is_fitted() -> None:
    with pytest.raises(ComparisonError, match="was not fitted"):
        check_metric(METRICS["mahalanobis"])
    with pytest.raises(InputError, match="the name of a metric must not be empty"):
        check_metric(replace(CHEBYSHEV, name=""))
