"""What the cells of every profile say about it, against counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig import ProfileSet, Status, Target
from drugsig.errors import RecipeError
from drugsig.profiles.pretreatment import pretreat
from drugsig.quality import check_profiles
from drugsig.quality.profile_checks import data_notes, running_numbers, sums_of_targets

D, LOQ, LOD, GAP, BAD = Status


def one(values, status=None):
    targets = [f"t{k}" for k in range(len(values))]
    (check,) = check_profiles(
        ProfileSet([values], targets, ["x"], status=None if status is None else [status])
    )
    return check


def test_every_status_is_counted() -> None:
    check = one([5.0, 1.0, 0.0, np.nan, 9.0, 4.0], [D, LOQ, LOD, GAP, BAD, D])
    assert (check.detected, check.below_limit, check.not_measured, check.rejected) == (2, 2, 1, 1)
    assert check.largest_share == 0.5, "what was rejected is not part of the sum"
    assert check.excluded == "not measured or rejected: t3, t4"


def test_only_impurities_count() -> None:
    targets: list[Target | str] = ["A", Target("M", "main"), "B", "C"]
    s = ProfileSet([[1.0, 1e9, 1.0, 2.0], [1.0, np.nan, 1.0, 2.0]], targets, ["x", "y"])
    first, second = check_profiles(s)
    assert first.detected == 3
    assert first.largest_share == 0.5
    assert first.excluded == second.excluded == ""
    assert first.identical_to == ("y",)


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ([5.0, 4.0, 3.0], ()),
        ([96.0, 2.0, 2.0], ("one impurity holds 96% of the sum",)),
        ([95.0, 2.5, 2.5], ()),
        ([5.0, 5.0, 0.0], ("only 2 impurities detected",)),
        ([5.0, 0.0, 0.0], ("one impurity holds 100% of the sum", "only 1 impurities detected")),
        ([0.0, 0.0, 0.0], ()),
    ],
)
def test_flags(values, flags) -> None:
    assert one(values).flags == flags


def test_nothing_detected_excludes() -> None:
    check = one([0.0, 0.0])
    assert check.excluded == "no impurity was detected"
    assert check.largest_share is None
    assert check.identical_to == ()


def test_many_gaps_are_counted() -> None:
    check = one([1.0] + [np.nan] * 5)
    assert check.excluded == "not measured or rejected: t1, t2, t3 and 2 more"


def test_identical_profiles_name_each_other() -> None:
    values = [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.1], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]
    checks = check_profiles(ProfileSet(values, list("ABC"), list("abcde")))
    assert [c.identical_to for c in checks] == [("b", "d"), ("a", "d"), (), ("a", "b"), ()]
    assert checks[0].flags == ("identical values in another profile",)


def test_the_same_values_of_another_status_are_not_identical() -> None:
    s = ProfileSet([[1.0, 2.0], [1.0, 2.0]], list("AB"), list("ab"), status=[[D, D], [D, LOQ]])
    assert all(c.identical_to == () for c in check_profiles(s))


def test_no_impurities_or_no_profiles() -> None:
    assert check_profiles(ProfileSet(np.empty((0, 2)), list("AB"), [])) == ()
    (check,) = check_profiles(ProfileSet([[1.0]], [Target("M", "main")], ["x"]))
    assert check.excluded == "no impurity was detected"


cell = st.sampled_from(
    [(4.0, D), (0.0, LOD), (0.5, LOQ), (np.nan, GAP), (3.0, BAD), (np.nan, BAD), (700.0, D)]
)


@given(st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=5))
def test_what_is_not_excluded_can_be_pretreated_and_the_rest_cannot(rows) -> None:
    s = ProfileSet(
        [[value for value, _ in row] for row in rows],
        list("ABC"),
        [f"p{k}" for k in range(len(rows))],
        status=[[int(status) for _, status in row] for row in rows],
    )
    checks = check_profiles(s)
    assert [c.profile_id for c in checks] == list(s.ids)
    for check, row in zip(checks, rows, strict=True):
        assert check.detected == sum(state is D for _, state in row)
        alone = s.select([check.profile_id])
        if not check.excluded:
            assert pretreat(alone, "sum").values.sum() == pytest.approx(1.0)
        elif check.not_measured or check.rejected:
            with pytest.raises(RecipeError):
                pretreat(alone, "sum")


def with_column(cells: object, *, n: int = 40, name: str = "X") -> ProfileSet:
    """Return profiles of five impurities, and one more target with cells of its own."""
    values = np.round(np.random.default_rng(7).lognormal(2, 0.5, (n, 5)), 3)
    made = cells(values) if callable(cells) else cells
    return ProfileSet(
        np.column_stack([values, np.asarray(made, dtype=float)]),
        [*"ABCDE", name],
        [f"P{k:03}" for k in range(n)],
    )


@pytest.mark.parametrize(
    "numbers",
    [
        np.arange(1, 41),
        np.arange(40),
        np.arange(501, 541),
        np.arange(40, 0, -1),
        np.random.default_rng(1).permutation(np.arange(1, 41)),
        np.delete(np.arange(1, 43), [10, 20]),
    ],
)
def test_a_number_of_the_line_is_named_in_any_order(numbers: np.ndarray) -> None:
    assert running_numbers(with_column(numbers)) == ("X",)


@pytest.mark.parametrize(
    "numbers",
    [
        np.arange(1, 41) * 10,
        np.arange(1, 41) + 0.5,
        np.repeat(np.arange(20), 2),
        np.random.default_rng(1).integers(1, 41, 40),
        np.random.default_rng(1).integers(1, 40_000, 40),
    ],
)
def test_measured_whole_numbers_are_not(numbers: np.ndarray) -> None:
    assert running_numbers(with_column(numbers)) == ()


def test_few_lines_count_by_chance() -> None:
    assert running_numbers(with_column(np.arange(1, 10), n=9)) == ()
    assert running_numbers(with_column(np.arange(1, 11), n=10)) == ("X",)


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_a_sum_of_the_others_is_named_within_rounding(digits: int) -> None:
    profiles = with_column(lambda v: np.round(v.sum(axis=1), digits))
    assert sums_of_targets(profiles) == {"X": 1.0}
    assert "sum-of-targets" in {note.code for note in data_notes(profiles)}


def test_a_sum_with_some_lines_mended_by_hand_is_still_one() -> None:
    def added(values: np.ndarray) -> np.ndarray:
        total = values.sum(axis=1)
        total[:3] *= 1.2
        return total

    assert sums_of_targets(with_column(added)) == {"X": 37 / 40}


def test_a_sum_over_all_targets_is_named_as_well_as_one_over_impurities() -> None:
    profiles = with_column(lambda v: v.sum(axis=1))
    main = profiles.target_names[0]
    roles = [Target(t.name, "main" if t.name == main else t.role) for t in profiles.targets]
    of_all = ProfileSet(profiles.values, roles, list(profiles.ids))
    assert sums_of_targets(of_all) == {"X": 1.0}
    values = profiles.values.copy()
    values[:, 5] -= values[:, 0]
    assert sums_of_targets(ProfileSet(values, roles, list(profiles.ids))) == {"X": 1.0}


def test_a_large_impurity_is_no_sum() -> None:
    noise = np.random.default_rng(3).normal(1, 0.02, 40)
    assert sums_of_targets(with_column(lambda v: v.sum(axis=1) * noise)) == {}


def test_what_is_no_impurity_is_not_judged() -> None:
    profiles = with_column(np.arange(1, 41))
    targets = [Target(t.name, "main" if t.name == "X" else t.role) for t in profiles.targets]
    assert running_numbers(ProfileSet(profiles.values, targets, list(profiles.ids))) == ()
