"""`compare`: what it refuses, what it hands out, and what it says of itself."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from drugsig import ProfileSet, Target, compare, pretreat
from drugsig.comparison import METRICS, score_pairs
from drugsig.errors import (
    ComparisonError,
    DrugsigError,
    InputError,
    SizeError,
    TargetMismatchError,
    UndefinedScoreWarning,
    UnknownNameError,
)


def made(values, targets="ABCDE", *, name: str = "p") -> ProfileSet:
    values = np.asarray(values, dtype=float)
    return ProfileSet(values, list(targets), [f"{name}{k}" for k in range(len(values))], name=name)


def some(n: int = 4, *, seed: int = 0, name: str = "p") -> ProfileSet:
    return made(np.random.default_rng(seed).random((n, 5)), name=name)


# -- refusals ------------------------------------------------------------------------------------


def test_other_targets_are_refused_with_the_facts() -> None:
    a, b = made(np.ones((1, 3)), "ABC", name="a"), made(np.ones((1, 3)), "BCD", name="b")
    with pytest.raises(TargetMismatchError, match="'a' lacks 'D'; 'b' lacks 'A'") as caught:
        compare(a, b, metric="euclidean")
    assert caught.value.only_in_a == ("A",)
    assert caught.value.only_in_b == ("D",)
    assert "align_targets" in str(caught.value)


def test_the_same_targets_in_another_order_or_unit_are_refused() -> None:
    a = made(np.ones((1, 2)), "AB", name="a")
    with pytest.raises(TargetMismatchError, match="in another order"):
        compare(a, made(np.ones((1, 2)), "BA", name="b"), metric="euclidean")
    other = ProfileSet([[1.0, 1.0]], ["A", Target("B", unit="ng")], ["1"])
    with pytest.raises(TargetMismatchError, match="'B' has another role or unit"):
        compare(a, other, metric="euclidean")


def test_another_pretreatment_is_refused() -> None:
    a = some()
    with pytest.raises(ComparisonError, match="sum and not at all"):
        compare(pretreat(a, "sum"), a)
    with pytest.raises(ComparisonError, match=r"sum and sum \| square_root"):
        compare(pretreat(a, "sum"), pretreat(a, "sum | square_root"))
    with pytest.raises(ComparisonError, match="pretreated differently"):
        score_pairs(pretreat(a, "sum"), a, np.array([0]), np.array([0]))


def test_targets_that_are_no_impurities_are_refused() -> None:
    s = some().with_roles({"B": "main", "C": "cutting_agent"})
    with pytest.raises(ComparisonError, match=r"not impurities: 'B', 'C'.*keep_targets"):
        compare(s)


def test_a_correlation_over_few_targets_is_refused_unless_asked_for() -> None:
    s = made(np.random.default_rng(0).random((3, 4)), "ABCD")
    with pytest.raises(ComparisonError, match=r"at least 5 targets.*min_measured=4"):
        compare(s, metric="pearson")
    assert compare(s, metric="pearson", min_measured=3).min_measured == 3
    assert compare(s, metric="cosine").min_measured == 1


@pytest.mark.parametrize("bad", [0, -1, 2.0, True, "5"])
def test_the_least_number_of_targets_is_a_whole_number(bad) -> None:
    with pytest.raises(InputError, match="min_measured"):
        compare(some(), min_measured=bad)


def test_negative_values_are_refused_where_they_mean_nothing() -> None:
    values = np.ones((2, 5))
    values[1, 2] = -0.5
    with pytest.raises(ComparisonError, match=r"'p1', target 'C' is -0.5"):
        compare(made(values), metric="bray_curtis")
    assert compare(made(values), metric="canberra")["p0", "p1"] == 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_values_whose_squares_overflow_are_refused(metric: str) -> None:
    values = np.ones((2, 5))
    values[0, 0] = 1.01e150
    with pytest.raises(ComparisonError, match="above 1e\\+150"):
        compare(made(values), metric=metric)


def test_more_memory_than_allowed_is_refused_before_anything_is_computed() -> None:
    with pytest.raises(SizeError, match=r"4 x 4 scores.*memory=<bytes>"):
        compare(some(), memory=127)
    assert compare(some(), memory=128).scores.shape == (4, 4)


def test_a_word_that_is_no_metric_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'euclidean'"):
        compare(some(), metric="euclidian")


# -- the result ------------------------------------------------------------------------------------


def test_one_set_with_itself_counts_every_pair_once() -> None:
    result = compare(some(5))
    assert result.symmetric
    assert result.n_pairs == 10
    rows, columns = result.pair_index()
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [
        (i, j) for i in range(5) for j in range(i + 1, 5)
    ]
    np.testing.assert_array_equal(result.condensed(), result.scores[rows, columns])


def test_two_sets_count_every_pair() -> None:
    a, b = some(3), some(2, seed=1, name="q")
    result = compare(a, b)
    assert not result.symmetric
    assert result.n_pairs == 6
    rows, columns = result.pair_index()
    np.testing.assert_array_equal(result.condensed(), result.scores[rows, columns])
    assert result["p2", "q1"] == result.scores[2, 1]
    assert result.row_digest == a.digest
    assert result.column_digest == b.digest


def test_a_set_given_twice_gives_the_same_scores() -> None:
    s = some()
    np.testing.assert_array_equal(compare(s, s).scores, compare(s).scores)


def test_scores_are_found_by_id() -> None:
    result = compare(some())
    assert result["p1", "p2"] == result["p2", "p1"] == result.scores[1, 2]
    assert isinstance(result["p1", "p2"], float)
    with pytest.raises(UnknownNameError, match="unknown questioned profile 'x'"):
        result["x", "p1"]
    with pytest.raises(UnknownNameError, match="unknown reference profile 'x'"):
        result["p1", "x"]


def test_measured_and_detected_in_both_are_counted() -> None:
    s = made([[1.0, 0.0, np.nan, 2.0, 1.0], [1.0, 2.0, 3.0, 0.0, np.nan]])
    result = compare(s, metric="euclidean")
    rows, columns = result.pair_index()
    assert result.measured_in_both(rows, columns).tolist() == [3]
    assert result.detected_in_both(rows, columns).tolist() == [1]


def test_a_result_is_read_only_also_after_travelling_and_equal_by_content() -> None:
    result = compare(some())
    again = pickle.loads(pickle.dumps(result))  # noqa: S301
    assert again == result
    for one in (result, again):
        with pytest.raises(ValueError, match="read-only"):
            one.scores[0, 0] = 1.0
    assert result != compare(some(seed=1))
    assert result != compare(some(), metric="cosine")
    assert result != compare(some(), min_measured=4)
    with pytest.raises(TypeError):
        hash(result)
    frame = result.to_frame()
    frame.iloc[0, 0] = 99.0
    assert result.scores[0, 0] == 0.0


def test_undefined_scores_are_counted_and_named_once() -> None:
    values = np.random.default_rng(0).random((4, 6))
    values[2] = 1.0
    with pytest.warns(UndefinedScoreWarning, match="3 of 6 scores are undefined.*'p2'") as caught:
        result = compare(made(values, "ABCDEF"))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert result.undefined_ids == ("p2",)
    reference = made(np.random.default_rng(1).random((2, 6)), "ABCDEF", name="q")
    with pytest.warns(UndefinedScoreWarning, match="2 of 8"):
        against = compare(made(values, "ABCDEF"), reference)
    assert against.undefined_ids == ("p2",)


def test_a_score_missing_between_two_is_counted_though_each_has_others() -> None:
    values = np.random.default_rng(0).random((3, 6))
    values[0, :3] = values[1, 3:] = np.nan
    with pytest.warns(UndefinedScoreWarning, match=r"1 of 3 .*defined score: none\."):
        result = compare(made(values, "ABCDEF"), metric="euclidean")
    assert result.undefined_ids == ()
    assert result.n_undefined == 1


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_to_compare_is_a_result(n: int) -> None:
    result = compare(some(n))
    assert result.n_pairs == result.n_undefined == 0
    assert result.condensed().shape == (0,)
    assert len(result.links(0.5)) == 0
    assert result.undefined_ids == ()


def test_how_it_shows_itself() -> None:
    s = ProfileSet(np.eye(5) + 1, list("ABCDE"), ["<b>", "&", "x", "y", "z"])
    result = compare(s)
    assert repr(result) == (
        "<Comparison of 5 x 5 profiles: 10 pairs by pearson_distance (distance)>"
    )
    page = result._repr_html_()
    assert page.startswith("<table>")
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_going_through_a_comparison_says_what_to_use_instead() -> None:
    profiles = ProfileSet([[3.0, 1.0], [6.0, 2.0]], ["A", "B"], ["001", "002"])
    comparison = compare(profiles, metric="euclidean")
    with pytest.raises(TypeError, match="to_frame") as caught:
        list(comparison)
    assert isinstance(caught.value, DrugsigError)
    with pytest.raises(InputError, match="two profiles"):
        comparison["001"]  # type: ignore[index]
    assert ("001", "002") in comparison
    assert ("001", "003") not in comparison
    assert "001" not in comparison
