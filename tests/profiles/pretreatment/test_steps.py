"""Every pretreatment step against its formula written out, one number at a time."""

from __future__ import annotations

import math
import statistics
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drugsig import ProfileSet, Recipe, Status, Target, pretreat
from drugsig.errors import ImputationWarning, RecipeError, UnknownNameError
from drugsig.profiles.pretreatment import STEPS

D, LOQ, LOD, GAP, BAD = Status
AREAS = np.array([[3.0, 1.0, 4.0, 1.5], [9.0, 2.0, 6.0, 5.0], [3.5, 8.0, 9.0, 7.0]])
# The uncertainty that a step carries along, where there is one to carry.
SPREAD = 0.02 * AREAS + 0.01

WITHOUT_LEARNING = (
    "sum",
    "square_root",
    "fourth_root",
    "log10",
    "log10(add=0.5)",
    "log10(scale=1000)",
    "log10(floor=1.2)",
    "sum | fourth_root",
    "sum | log10(scale=100)",
)


def profiles(values=AREAS, names="ABCD", **more) -> ProfileSet:
    return ProfileSet(values, list(names), [f"p{k}" for k in range(len(values))], **more)


def treated(recipe: str, values=AREAS, **more) -> np.ndarray:
    return pretreat(profiles(values, **more), recipe).values


ORACLES = {
    "sum": lambda x, row, column: x / math.fsum(row),
    "square_root": lambda x, row, column: math.sqrt(x),
    "fourth_root": lambda x, row, column: x**0.25,
    "log10": lambda x, row, column: math.log10(x),
    "log10(add=0.5)": lambda x, row, column: math.log10(x + 0.5),
    "log10(scale=1000)": lambda x, row, column: math.log10(1 + 1000 * x),
    "log10(floor=1.2)": lambda x, row, column: math.log10(max(x, 1.2)),
    "sd_weights": lambda x, row, column: x / statistics.stdev(column),
    "autoscale": lambda x, row, column: (x - statistics.mean(column)) / statistics.stdev(column),
    "rank": lambda x, row, column: statistics.mean((y < x) + 0.5 * (y == x) for y in column),
    "clr": lambda x, row, column: math.log(x) - statistics.mean(math.log(y) for y in row),
}


@pytest.mark.parametrize("recipe", ORACLES)
def test_a_step_is_its_formula(recipe: str) -> None:
    expected = [
        [ORACLES[recipe](x, row.tolist(), AREAS[:, j].tolist()) for j, x in enumerate(row)]
        for row in AREAS
    ]
    np.testing.assert_allclose(treated(recipe), expected, rtol=1e-12, atol=1e-15)


def test_pairwise_log_ratios_are_named_and_complete() -> None:
    done = pretreat(profiles(), "pairwise_log_ratios")
    assert done.target_names == ("A / B", "A / C", "A / D", "B / C", "B / D", "C / D")
    assert {t.unit for t in done.targets} == {"log ratio"}
    expected = [[math.log(r[j] / r[k]) for j in range(4) for k in range(j + 1, 4)] for r in AREAS]
    np.testing.assert_allclose(done.values, expected, rtol=1e-12)


def test_every_registered_step_is_tested_here_or_below() -> None:
    here = {recipe.split("(")[0] for recipe in ORACLES}
    by_name = {
        "internal_standard", "main_compound", "pairwise_log_ratios", "drop_targets",
        "keep_detected",
    }  # fmt: skip
    assert here | by_name == set(STEPS)


# -- roles -----------------------------------------------------------------------------------


def with_roles() -> ProfileSet:
    targets: list[Target | str] = ["A", Target("M", "main"), "B", Target("IS", "internal_standard")]
    return ProfileSet([[2.0, 100.0, 6.0, 4.0], [1.0, 50.0, 1.0, 8.0]], targets, ["x", "y"])


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("sum", [[0.25, 0.75], [0.5, 0.5]]),
        ("internal_standard", [[0.5, 1.5], [0.125, 0.125]]),
        ("main_compound", [[0.02, 0.06], [0.02, 0.02]]),
        ("main_compound(target=IS)", [[0.5, 1.5], [0.125, 0.125]]),
        ("", [[2.0, 6.0], [1.0, 1.0]]),
        ("drop_targets(M, IS)", [[2.0, 6.0], [1.0, 1.0]]),
        ("keep_detected(share=1) | internal_standard", [[0.5, 1.5], [0.125, 0.125]]),
        ("internal_standard | autoscale", [[0.5**0.5] * 2, [-(0.5**0.5)] * 2]),
    ],
)
def test_only_impurities_come_out(recipe, expected) -> None:
    done = pretreat(with_roles(), recipe)
    assert done.target_names == ("A", "B")
    np.testing.assert_allclose(done.values, expected, rtol=1e-14)
    assert done.history[-1].detail["left_out"] == ["M", "IS"]


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("internal_standard(target=A)", "'A', which is an impurity"),
        ("internal_standard(target=X)", "unknown target"),
        ("drop_targets(A, B) | sum", "no target has the role 'impurity'"),
        ("drop_targets(A, B)", "no impurities left"),
        ("drop_targets(A, B, M, IS)", "every target"),
        ("drop_targets(Q)", "unknown target of step 'drop_targets' 'Q'"),
    ],
)
def test_roles_that_do_not_fit_are_refused(recipe: str, said: str) -> None:
    with pytest.raises((RecipeError, UnknownNameError), match=said):
        pretreat(with_roles(), recipe)


def test_a_divisor_that_is_missing_or_twice_there_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"0 target\(s\) have it"):
        pretreat(profiles(), "main_compound")
    twice = with_roles().with_roles({"A": "main"})
    with pytest.raises(RecipeError, match=r"2 target\(s\) have it: 'A', 'M'"):
        pretreat(twice, "main_compound")


@pytest.mark.parametrize("status", [LOQ, LOD, GAP, BAD])
def test_a_divisor_that_was_not_detected_is_refused(status: Status) -> None:
    value = np.nan if status is GAP else 3.0
    s = ProfileSet(
        [[1.0, 2.0], [1.0, value]],
        ["A", Target("IS", "internal_standard")],
        ["x", "y"],
        status=[[D, D], [D, status]],
    )
    with pytest.raises(RecipeError, match=r"'IS' was not detected or was rejected: 'y'"):
        pretreat(s, "internal_standard")


# -- choice of targets -----------------------------------------------------------------------


def test_keep_detected_counts_detected_among_measured() -> None:
    status = np.array([[D, D, LOD, D], [D, GAP, LOD, LOQ], [D, GAP, D, BAD], [D, LOD, LOD, BAD]])
    values = np.where(status == GAP, np.nan, 1.0)
    s = profiles(values, status=status)
    kept = {share: pretreat(s, f"keep_detected(share={share})").target_names
            for share in (0.2, 0.25, 0.26, 0.5, 0.51, 1)}  # fmt: skip
    assert kept == {
        0.2: ("A", "B", "C", "D"),
        0.25: ("A", "B", "C", "D"),
        0.26: ("A", "B", "D"),
        0.5: ("A", "B", "D"),
        0.51: ("A",),
        1: ("A",),
    }


def test_keep_detected_refuses_to_keep_nothing_and_counts_impurities_only() -> None:
    s = ProfileSet([[0.0, 5.0], [1.0, 5.0]], ["A", Target("M", "main")], ["1", "2"])
    with pytest.raises(RecipeError, match=r"most often detected one reaches 0.500"):
        pretreat(s, "keep_detected(share=0.9)")


# -- refusals --------------------------------------------------------------------------------

NEEDS_ALL_MEASURED = ("sum", "clr", "pairwise_log_ratios")
NEEDS_POSITIVE = ("clr", "pairwise_log_ratios", "log10")
NO_NEGATIVE = ("sum", "square_root", "fourth_root", "log10", "log10(scale=1)", "log10(floor=1)",
               "clr", "pairwise_log_ratios")  # fmt: skip


@pytest.mark.parametrize("recipe", NEEDS_ALL_MEASURED)
@pytest.mark.parametrize("status", [GAP, BAD])
def test_what_was_not_measured_is_never_read_as_zero(recipe: str, status: Status) -> None:
    states = np.full(AREAS.shape, D)
    states[1, 2] = status
    values = np.where(states == GAP, np.nan, AREAS)
    with pytest.raises(RecipeError, match=r"'p1' lacks 'C'.*drop_targets"):
        treated(recipe, values, status=states)
    pretreat(profiles(values, status=states), f"drop_targets(C) | {recipe}")


@pytest.mark.parametrize("recipe", NEEDS_POSITIVE)
def test_zeros_have_no_logarithm(recipe: str) -> None:
    values = AREAS.copy()
    values[2, 1] = 0.0
    with pytest.raises(RecipeError, match="'p2', target 'B'"):
        treated(recipe, values)


@pytest.mark.parametrize("recipe", NO_NEGATIVE)
def test_negative_values_are_refused(recipe: str) -> None:
    values = AREAS.copy()
    values[0, 3] = -1.0
    with pytest.raises(RecipeError, match="'p0', target 'D'"):
        treated(recipe, values)


@pytest.mark.parametrize("recipe", ["sum", "clr", "pairwise_log_ratios"])
def test_an_all_zero_profile_is_refused_by_name(recipe: str) -> None:
    with pytest.raises(RecipeError, match=r"no impurity was detected.*'p1'"):
        treated(recipe, [[1.0, 2.0], [0.0, 0.0]], names="AB")


@pytest.mark.parametrize("recipe", ["sd_weights", "autoscale"])
def test_a_target_that_never_varies_has_no_weight(recipe: str) -> None:
    for column in ([2.0, 2.0, 2.0], [2.0, 2.0, 2.0 + 4e-13]):
        values = np.column_stack([column, [1.0, 2.0, 3.0]])
        with pytest.raises(RecipeError, match=r"zero for 'A'.*drop_targets\(A\)"):
            treated(recipe, values, names="AB")
    with pytest.raises(RecipeError, match="learns from at least 2 profiles"):
        treated(recipe, [[1.0, 2.0]], names="AB")


@pytest.mark.parametrize("recipe", ["sum", "sd_weights", "autoscale", "log10(scale=1000)"])
def test_values_too_large_are_refused_and_not_turned_into_zeros(recipe: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RecipeError, match="too large"):
            treated(recipe, [[1.7e308, 1.7e308], [1.0, 2.0], [3.0, 1e308]], names="AB")


def test_the_smallest_numbers_are_divided_correctly() -> None:
    np.testing.assert_array_equal(treated("sum", [[5e-324, 5e-324]], names="AB"), [[0.5, 0.5]])


@pytest.mark.parametrize(
    "recipe", ["log10(add=1, scale=2)", "log10(add=0)", "log10(floor=-1)", "log10(scale=0)"]
)
def test_log10_takes_one_positive_rule_for_zeros(recipe: str) -> None:
    with pytest.raises(RecipeError, match="step 'log10'"):
        treated(recipe)


def test_a_rejected_cell_may_hold_what_has_no_logarithm() -> None:
    s = profiles([[1.0, 0.0], [10.0, -5.0]], names="AB", status=[[D, BAD], [D, BAD]])
    done = pretreat(s, "log10")
    np.testing.assert_array_equal(done.values, [[0.0, np.nan], [1.0, np.nan]])
    assert (done.status == s.status).all()


# -- limits go along ---------------------------------------------------------------------------

LEARNING = ("sd_weights", "autoscale", "rank")


@pytest.mark.parametrize("recipe", [*WITHOUT_LEARNING, *LEARNING, "clr"])
def test_a_limit_is_transformed_as_a_value_at_the_limit(recipe: str) -> None:
    limits = AREAS.copy()
    done = pretreat(profiles(limits=limits), recipe)
    np.testing.assert_array_equal(done.limits, done.values)


@pytest.mark.parametrize("recipe", ["log10", "log10(add=1)", "square_root", "clr", "sum | log10"])
def test_a_limit_without_an_image_is_unknown(recipe: str) -> None:
    limits = np.full(AREAS.shape, 0.5)
    limits[0] = [0.0, -1.0, np.nan, 1e-320]
    done = pretreat(profiles(limits=limits), recipe)
    assert np.isfinite(done.limits[1:]).all()
    assert np.isnan(done.limits[0, 2])
    assert not np.isinf(done.limits).any()


def test_a_limit_differs_between_profiles_after_a_sum() -> None:
    done = pretreat(profiles([[1.0, 3.0], [5.0, 5.0]], names="AB", limits=np.ones((2, 2))), "sum")
    np.testing.assert_array_equal(done.limits, [[0.25, 0.25], [0.1, 0.1]])


def test_status_stays_and_a_ratio_has_the_worse_of_both() -> None:
    status = np.array([[D, LOQ, D, LOD]] * 3)
    s = profiles(status=status, limits=AREAS / 10)
    for recipe in WITHOUT_LEARNING:
        np.testing.assert_array_equal(pretreat(s, recipe).status, status)
    with pytest.warns(ImputationWarning):
        ratios = pretreat(s, "pairwise_log_ratios(zeros=multiplicative)")
    assert ratios.status[0].tolist() == [LOQ, D, LOD, LOQ, LOD, LOD]
    assert np.isnan(ratios.limits).all()


# -- uncertainty -------------------------------------------------------------------------------


def numeric(recipe: str, values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the uncertainty of independent cells through a recipe, by finite differences."""
    # Parameters are learned once: the reference set is not what is uncertain.
    frozen = Recipe.of(pretreat(profiles(values), recipe))
    out = np.zeros(pretreat(profiles(values), frozen).values.shape)
    for j in range(values.shape[1]):
        step = np.zeros_like(values)
        step[:, j] = 1e-6 * values[:, j]
        high = pretreat(profiles(values + step), frozen).values
        low = pretreat(profiles(values - step), frozen).values
        slope = (high - low) / (2 * step[:, j : j + 1])
        out += (slope * spread[:, j : j + 1]) ** 2
    return np.sqrt(out)


@pytest.mark.parametrize(
    "recipe", [*WITHOUT_LEARNING, "sd_weights", "autoscale", "clr", "pairwise_log_ratios"]
)
def test_uncertainty_is_carried_to_first_order(recipe: str) -> None:
    values = AREAS + 0.3
    done = pretreat(profiles(values, uncertainty=SPREAD), recipe)
    np.testing.assert_allclose(
        done.uncertainty, numeric(recipe, values, SPREAD), rtol=1e-6, atol=1e-12
    )


def test_the_uncertainty_of_a_divisor_counts() -> None:
    s = ProfileSet(
        [[2.0, 6.0, 4.0]],
        ["A", "B", Target("IS", "internal_standard")],
        ["x"],
        uncertainty=[[0.1, 0.0, 0.3]],
    )
    done = pretreat(s, "internal_standard")
    expected = [[math.hypot(0.1 / 4, 2 * 0.3 / 16), 6 * 0.3 / 16]]
    np.testing.assert_allclose(done.uncertainty, expected, rtol=1e-14)


def test_uncertainty_is_unknown_where_a_part_of_it_is() -> None:
    spread = SPREAD.copy()
    spread[0, 1] = np.nan
    done = pretreat(profiles(uncertainty=spread), "sum")
    assert np.isnan(done.uncertainty[0]).all()
    assert np.isfinite(done.uncertainty[1:]).all()
    rooted = pretreat(profiles([[0.0, 1.0]], names="AB", uncertainty=[[0.1, 0.1]]), "square_root")
    np.testing.assert_array_equal(rooted.uncertainty, [[np.nan, 0.05]])
    assert np.isnan(pretreat(profiles(uncertainty=SPREAD), "rank").uncertainty).all()


# -- multiplicative replacement ------------------------------------------------------------------


def test_multiplicative_replacement_by_hand() -> None:
    """Two parts below their limits: 0.65 x 2 = 1.3, and half of the smallest detected 3 = 1.5.

    They cost 2.8 of the 14 detected in the profile, so the detected parts keep 0.8 of theirs.
    """
    s = profiles(
        [[4.0, 0.0, 10.0, 0.0], [5.0, 6.0, 7.0, 3.0]],
        limits=[[np.nan, 2.0, 1.0, np.nan], [np.nan] * 4],
    )
    with pytest.warns(ImputationWarning, match=r"1 of 2 profiles, most in 'p0' \(50%\): 'p0'"):
        done = pretreat(s, "clr(zeros=multiplicative)")
    parts = np.log([4.0 * 0.8, 1.3, 10.0 * 0.8, 1.5])
    np.testing.assert_allclose(done.values[0], parts - parts.mean(), rtol=1e-13)
    whole = np.log([5.0, 6.0, 7.0, 3.0])
    np.testing.assert_allclose(done.values[1], whole - whole.mean(), rtol=1e-13)
    limit = math.log(1.0 * 0.8) - parts.mean()
    np.testing.assert_allclose(done.limits[0, 2], limit, rtol=1e-13)
    report = done.history[-1].detail["reports"]
    assert report == [{"step": "clr", "imputed_share": {"p0": 0.5}}]


def test_replacement_keeps_the_ratios_of_what_was_detected() -> None:
    values = [[4.0, 0.0, 10.0, 2.0, 8.0], [5.0, 6.0, 7.0, 3.0, 1.0]]
    done = pretreat(profiles(values, names="ABCDE"), "clr(zeros=multiplicative)")
    ratio = done.values[0, 2] - done.values[0, 0]
    np.testing.assert_allclose(ratio, math.log(2.5), rtol=1e-13)


@pytest.mark.parametrize(
    ("zeros", "warned"), [(0, False), (1, False), (2, True)], ids=["none", "20 %", "40 %"]
)
def test_a_warning_comes_above_20_percent_only(zeros: int, warned: bool) -> None:
    values = np.full((2, 5), 10.0)
    values[0, :zeros] = 0.0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pretreat(profiles(values, names="ABCDE"), "clr(zeros=multiplicative)")
    assert [w.category for w in caught] == [ImputationWarning] * warned
    assert all(w.filename == __file__ for w in caught), "the warning points at the caller"


def test_what_was_never_seen_cannot_be_replaced() -> None:
    values = [[4.0, 0.0], [5.0, 0.0]]
    with pytest.raises(RecipeError, match=r"values of 'B'.*never detected"):
        treated("clr(zeros=multiplicative)", values, names="AB")
    with pytest.raises(RecipeError, match=r"more into 1 profile.*'p0'"):
        treated(
            "clr(zeros=multiplicative)", [[0.1, 0.0], [1.0, 9.0]], names="AB",
            limits=[[np.nan, 5.0], [np.nan] * 2],
        )  # fmt: skip


def test_a_limit_of_zero_is_no_limit() -> None:
    with pytest.warns(ImputationWarning):
        done = treated(
            "pairwise_log_ratios(zeros=multiplicative)",
            [[8.0, 0.0], [5.0, 4.0]],
            names="AB",
            limits=[[np.nan, 0.0], [np.nan] * 2],
        )
    np.testing.assert_allclose(done[0, 0], math.log((8.0 - 2.0) / 2.0), rtol=1e-13)


# -- properties ----------------------------------------------------------------------------------

positive = hnp.arrays(
    float,
    st.tuples(st.integers(2, 6), st.integers(2, 6)),
    elements=st.floats(1e-3, 1e6),
)


def named(values: np.ndarray) -> ProfileSet:
    return ProfileSet(
        values,
        [f"t{k}" for k in range(values.shape[1])],
        [f"p{k}" for k in range(values.shape[0])],
    )


@given(positive, st.floats(1e-6, 1e6))
def test_after_a_sum_the_amount_no_longer_counts(values: np.ndarray, amount: float) -> None:
    for recipe in ("sum", "sum | fourth_root", "sum | log10(scale=1000)", "clr"):
        np.testing.assert_allclose(
            pretreat(named(values * amount), recipe).values,
            pretreat(named(values), recipe).values,
            rtol=1e-11,
            atol=1e-11,
        )
    exact = pretreat(named(values * 2.0**9), "sum | fourth_root").values
    np.testing.assert_array_equal(exact, pretreat(named(values), "sum | fourth_root").values)


@given(positive, st.randoms(use_true_random=False))
def test_the_order_of_profiles_does_not_count(values: np.ndarray, random) -> None:
    order = list(range(len(values)))
    random.shuffle(order)
    for recipe in ("sum | fourth_root", "rank", "clr", "autoscale", "sd_weights"):
        try:
            plain = pretreat(named(values), recipe)
        except RecipeError:  # a target that does not vary
            continue
        shuffled = pretreat(named(values).select(np.array(order)), recipe)
        np.testing.assert_array_equal(shuffled.values, plain.values[order])
        assert Recipe.of(shuffled) == Recipe.of(plain)


@given(positive)
def test_sums_are_one_and_logratios_zero(values: np.ndarray) -> None:
    np.testing.assert_allclose(pretreat(named(values), "sum").values.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(pretreat(named(values), "clr").values.sum(axis=1), 0.0, atol=1e-11)


def test_input_stays_as_it_was() -> None:
    s = profiles(limits=AREAS / 2, uncertainty=SPREAD)
    before = s.digest
    for recipe in (*WITHOUT_LEARNING, *LEARNING, "clr", "pairwise_log_ratios"):
        pretreat(s, recipe)
    assert profiles(s.values, limits=s.limits, uncertainty=s.uncertainty).digest == before
