"""Bringing two sets to the same targets: on purpose, and never after pretreatment."""

from __future__ import annotations

import numpy as np
import pytest

from drugsig import ProfileSet, Target, align_targets, compare, pretreat
from drugsig.errors import TargetMismatchError, UnknownNameError


def made(names: str, *, name: str, rows: int = 2) -> ProfileSet:
    values = np.arange(1.0, rows * len(names) + 1).reshape(rows, len(names))
    return ProfileSet(values, list(names), [f"{name}{k}" for k in range(rows)], name=name)


def test_shared_targets_in_the_order_of_the_first() -> None:
    a, b = align_targets(made("ABCD", name="a"), made("DXBA", name="b"), keep="shared")
    assert a.target_names == b.target_names == ("A", "B", "D")
    np.testing.assert_array_equal(b.values[0], [4.0, 3.0, 1.0])
    assert a.history[-1].operation == b.history[-1].operation == "align_targets"
    assert a.history[-1].detail == {"with": "b", "dropped": ["C"]}
    assert b.history[-1].detail == {"with": "a", "dropped": ["X"]}
    assert compare(a, b, metric="euclidean").scores.shape == (2, 2)


def test_first_keeps_every_target_of_the_first() -> None:
    first = made("AB", name="a")
    a, b = align_targets(first, made("XBA", name="b"), keep="first")
    assert a is first
    assert b.target_names == ("A", "B")


def test_first_refuses_where_the_second_lacks_one() -> None:
    with pytest.raises(TargetMismatchError, match=r"'b' lacks 'C'.*keep='shared'") as e:
        align_targets(made("ABC", name="a"), made("ABX", name="b"), keep="first")
    assert e.value.only_in_a == ("C",)
    assert e.value.only_in_b == ("X",)


def test_nothing_shared_is_refused() -> None:
    with pytest.raises(TargetMismatchError, match="share no target"):
        align_targets(made("AB", name="a"), made("CD", name="b"), keep="shared")


def test_a_target_that_means_something_else_is_refused() -> None:
    b = made("AB", name="b").with_roles({"B": "main"})
    with pytest.raises(TargetMismatchError, match="'B' is impurity in area and main in area"):
        align_targets(made("AB", name="a"), b, keep="shared")
    c = ProfileSet([[1.0]], [Target("A", unit="ng")], ["1"], name="c")
    with pytest.raises(TargetMismatchError, match="impurity in area and impurity in ng"):
        align_targets(made("A", name="a"), c, keep="shared")


def test_what_was_pretreated_loses_no_target() -> None:
    a = pretreat(made("ABC", name="a"), "sum")
    with pytest.raises(TargetMismatchError, match=r"'a' is already pretreated.*'C'"):
        align_targets(a, made("AB", name="b"), keep="shared")
    with pytest.raises(TargetMismatchError, match="'a' is already pretreated"):
        align_targets(made("AB", name="b"), a, keep="first")
    reordered = pretreat(made("CBA", name="b"), "sum")
    one, two = align_targets(a, reordered, keep="shared")
    assert one.target_names == two.target_names


def test_an_unknown_way_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'shared'"):
        align_targets(made("A", name="a"), made("A", name="b"), keep="share")
