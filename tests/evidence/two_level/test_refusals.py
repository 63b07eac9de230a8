"""What cannot be a background, or cannot be compared with one, is explained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drugsig.errors import InputError, UnknownNameError
from drugsig.evidence.two_level import TwoLevelModel, fit_two_level
from tests.evidence.two_level.cases import drawn, fitted


@pytest.fixture(scope="module")
def model() -> TwoLevelModel:
    return fitted(*drawn(30, 3))


def fit(values: Any, sources: Any, **options: Any) -> TwoLevelModel:
    return fit_two_level(values, sources, **{"replicate_level": "unit", **options})


def test_too_few_linked_sources_are_refused_with_advice() -> None:
    values, sources = drawn(9, 8, counts=(3,))
    with pytest.raises(
        InputError, match=r"9 sources .* too few for 8 targets: .* at least 10"
    ) as e:
        fit(values, sources)
    assert "components=" in str(e.value)
    assert "shrinkage='schafer_strimmer'" in str(e.value)
    assert fitted(values, sources, components=3).basis.shape == (8, 3)
    assert fitted(values, sources, shrinkage="schafer_strimmer").n_sources == 9
    with pytest.raises(InputError, match="too few for 8 components"):
        fit(values, sources, components=8)


def test_sources_of_one_profile_do_not_count_as_linked() -> None:
    values, sources = drawn(30, 4, counts=(1, 1, 1, 1, 1, 2))
    with pytest.raises(InputError, match="5 sources with replicates are too few for 4 targets"):
        fit(values, sources)


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["a"] * 6, "needs several sources, got 1"),
        (list("abcdef"), "0 of 6 sources have two profiles or more"),
        (list("aabcde"), "1 of 5 sources have two profiles or more"),
        (list("aabbcc")[:5], "6 profiles, 5 sources"),
        ([None] * 6, "the source of a profile must be text"),
        (["a", "", "b", "b", "c", "c"], "the source of a profile must not be empty"),
        ([1, 1, 2, 2, 3, 3], "the source of a profile must be text"),
    ],
)
def test_sources_that_cannot_be(sources: Any, message: str) -> None:
    values = np.random.default_rng(0).normal(size=(6, 1))
    with pytest.raises(InputError, match=message):
        fit(values, sources)


def test_targets_that_tell_nothing_are_named() -> None:
    values, sources = drawn(30, 3)
    values[:, 1] = 0.1
    with pytest.raises(InputError, match="'b' has the same value in every profile"):
        fit(values, sources, features=["a", "b", "c"])
    values, sources = drawn(30, 3)
    values[:, 2] = np.repeat(values[::3, 2], 3)
    with pytest.raises(InputError, match="'c' does not vary within any source"):
        fit(values, sources, features=["a", "b", "c"])


def test_a_singular_within_covariance_is_refused_with_advice() -> None:
    values, sources = drawn(40, 3, ratio=0.01)
    closed = np.abs(values) + 10
    closed /= closed.sum(axis=1, keepdims=True)
    with pytest.raises(
        InputError, match="singular: within sources, 'a', 'b', 'c' depend"
    ) as caught:
        fit(closed, sources, features=["a", "b", "c"])
    assert "leave one of these targets out" in str(caught.value)
    values, sources = drawn(40, 3)
    doubled = np.hstack([values, 2 * values[:, :1] + 1])
    with pytest.raises(InputError, match="'a', 'twice' depend on each other"):
        fit(doubled, sources, features=["a", "b", "c", "twice"])
    assert fitted(doubled, sources, components=2).basis.shape == (4, 2)


def test_sources_that_do_not_differ_are_refused() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 2))
    values -= 0.99 * np.repeat(values.reshape(20, 3, 2).mean(axis=1), 3, axis=0)
    with pytest.raises(InputError, match="do not differ more than the replicates"):
        fit(values, [f"s{k // 3}" for k in range(60)])


def test_more_components_than_there_are_is_refused() -> None:
    values, sources = drawn(30, 3)
    with pytest.raises(InputError, match="4 principal components were asked for"):
        fit(values, sources, components=4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"between": "norml"}, "Did you mean 'normal'"),
        ({"within": "pool"}, "Did you mean 'pooled'"),
        ({"between_covariance": "weigted"}, "Did you mean 'weighted'"),
        ({"bandwidth": "silvermann"}, "Did you mean 'silverman'"),
        ({"shrinkage": "schafer"}, "Did you mean 'schafer_strimmer'"),
        ({"conventions": "comparision"}, "Did you mean 'comparison_1.0.8_makeCompVar'"),
        ({"replicate_level": "batch"}, "unknown replicate level 'batch'"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        fit(*drawn(30, 3), **options)


@pytest.mark.parametrize(
    "options",
    [
        {"bandwidth": 0.0},
        {"bandwidth": float("nan")},
        {"bandwidth": True},
        {"components": 0},
        {"components": 1.5},
        {"components": True},
        {"error_share": 0.5},
        {"error_share": -0.1},
        {"error_share": float("nan")},
        {"features": ["a", "b"]},
        {"features": ["a", "b", "b"]},
    ],
    ids=str,
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        fit(*drawn(30, 3), **options)


def test_values_that_are_not_known_are_refused_everywhere(model: TwoLevelModel) -> None:
    values, sources = drawn(30, 3)
    values[4, 1] = np.nan
    with pytest.raises(InputError, match="the first is nan in row 4, column 1"):
        fit(values, sources)
    with pytest.raises(InputError, match="values_b holds 1 value"):
        model.log10_lr(values[:1], values[4:5])
    with pytest.raises(InputError, match="values holds 1 value"):
        model.log10_lr_pairs(values, np.arange(90), [0], [1])
    with pytest.raises(InputError, match="no columns"):
        fit(np.empty((4, 0)), list("aabb"))


def test_tables_that_do_not_fit_are_refused(model: TwoLevelModel) -> None:
    with pytest.raises(InputError, match="values_a must have the 3 targets"):
        model.log10_lr(np.zeros((1, 2)), np.zeros((1, 3)))
    with pytest.raises(InputError, match="values_b has no row"):
        model.log10_lr(np.zeros((1, 3)), np.zeros((0, 3)))
    with pytest.raises(InputError, match="shape"):
        model.log10_lr(np.zeros(3), np.zeros(3))
    with pytest.raises(InputError, match="1e100 standard deviations"):
        model.log10_lr(np.full((1, 3), 1e150), np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("items", "first", "second", "message"),
    [
        ([0, 1, 2], [0], [1], "4 rows, 3 items"),
        ([0, 1, 1, 3], [0], [1], r"item\(s\) '2' have no row"),
        ([0, 1, 2, 9], [0], [1], "cannot hold item 9"),
        ([0, -1, 1, 2], [0], [1], "counted from 0, got -1"),
        ([0.0, 1.0, 2.0, 3.0], [0], [1], "whole numbers"),
        ([[0, 1], [2, 3]], [0], [1], "list of item numbers"),
        ([0, 1, 2, 2], [0, 1], [1], "of one length, got 2 and 1"),
        ([0, 1, 2, 2], [0], [3], "second names item 3, but the items are 0 to 2"),
        ([0, 1, 2, 2], [-1], [1], "first names item -1"),
        ([0, 1, 2, 2], [0, 2], [1, 2], "pair 1 compares item 2 with itself"),
    ],
)
def test_items_and_pairs_that_do_not_fit_are_refused(
    model: TwoLevelModel, items: Any, first: Any, second: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        model.log10_lr_pairs(np.zeros((4, 3)), items, first, second)
