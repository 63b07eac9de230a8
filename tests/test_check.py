"""The one gate: what it lets through, and how it says no."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from drugsig._check import (
    did_you_mean,
    float_matrix,
    generator,
    listed,
    same_shape,
    share,
    unique_text,
    whole_number,
)
from drugsig.errors import ConfigError, InputError


@pytest.mark.parametrize("n", [0, 1, 5, 6, 40])
def test_long_lists_are_cut_and_counted(n: int) -> None:
    text = listed(range(n))
    assert text.count("'") == 2 * min(n, 5)
    assert text.endswith(f"and {n - 5} more") == (n > 5)


def test_the_nearest_name_is_found_whatever_its_case() -> None:
    assert did_you_mean("PEARSON", ["Pearson"]).startswith("Did you mean 'Pearson'?")
    assert did_you_mean("zzz", ["Pearson"]) == "Known: 'Pearson'."
    assert did_you_mean("x", []) == "There are none."


@pytest.mark.parametrize(
    "values", [[[1, 2]], [[True]], np.ones((2, 2), dtype="f4"), np.ones((2, 3)).T, [[]]]
)
def test_tables_of_numbers_become_float64_copies(values) -> None:
    got = float_matrix(values, what="x")
    assert got.dtype == np.float64
    assert got.flags.c_contiguous
    assert not np.shares_memory(got, np.asarray(values))
    np.testing.assert_array_equal(got, values)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), 1e-300, 1 - 1e-16])
def test_shares_are_between_0_and_1(value) -> None:
    assert share(value, what="x") == float(value)


@pytest.mark.parametrize("value", [0, 1, -1, 2.5, np.nan, np.inf, "0.5", None, True])
def test_anything_else_is_no_share(value) -> None:
    with pytest.raises(InputError, match="x must"):
        share(value, what="x")


def test_zero_is_a_share_where_it_is_allowed() -> None:
    assert share(0, what="x", zero=True) == 0.0
    with pytest.raises(InputError):
        share(1, what="x", zero=True)


def test_shapes_and_names() -> None:
    assert same_shape([[1, 0]], (1, 2), what="x", dtype=bool).tolist() == [[True, False]]
    with pytest.raises(InputError, match=r"x must have shape \(2,\), got \(3,\)"):
        same_shape([1, 2, 3], (2,), what="x", dtype=float)
    with pytest.raises(InputError, match="'b', 'a' came more than once"):
        unique_text(["a", "b", "b", "a", "b"], what="x")


@pytest.mark.parametrize("good", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_come_back_as_plain_ones(good: Any) -> None:
    assert type(whole_number(good, what="k")) is int


@pytest.mark.parametrize("bad", [True, 3.0, "3", None, np.float64(3), np.bool_(True), 0, 9])
def test_what_is_no_whole_number_within_bounds_is_refused(bad: Any) -> None:
    with pytest.raises(InputError, match="k must be a whole number from 1 to 8, got"):
        whole_number(bad, what="k", least=1, most=8)


def test_the_job_that_asks_names_the_class_of_the_refusal() -> None:
    with pytest.raises(ConfigError):
        whole_number(-1, what="seed", error=ConfigError)


@pytest.mark.parametrize("bad", [1, None, np.random.RandomState(1), np.random])
def test_only_a_generator_is_a_generator(bad: Any) -> None:
    with pytest.raises(InputError, match=re.escape("rng=numpy.random.default_rng(1)")):
        generator(bad)


def test_a_generator_is_handed_back_itself() -> None:
    rng = np.random.default_rng(1)
    assert generator(rng) is rng
