"""A recipe is text and data, reads back as it was, and does the same again once frozen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig import ProfileSet, Recipe, compare, pretreat
from drugsig.errors import ComparisonError, RecipeError, UnknownNameError
from drugsig.profiles.pretreatment import STEPS

names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1
) | st.sampled_from(["a|b", "a,b", "x=1", 'say "so"', "\\", "1e5", "nan", "(", ")", " ", "007"])
numbers = st.floats(1e-6, 1e6) | st.integers(1, 10**6)
steps = st.one_of(
    st.sampled_from([{"step": n} for n in STEPS if n != "drop_targets"]),
    st.lists(names, min_size=1).map(
        lambda x: {"step": "drop_targets", "parameters": {"targets": x}}
    ),
    names.map(lambda x: {"step": "main_compound", "parameters": {"target": x}}),
    numbers.map(lambda x: {"step": "log10", "parameters": {"add": x}}),
    numbers.map(lambda x: {"step": "keep_detected", "parameters": {"share": x}}),
    st.just({"step": "clr", "parameters": {"zeros": "multiplicative", "share": 0.25}}),
)


def profiles(n: int = 5, seed: int = 1) -> ProfileSet:
    values = np.random.default_rng(seed).random((n, 4)) + 0.1
    return ProfileSet(values, list("ABCD"), [f"{seed}-{k}" for k in range(n)], name=f"set{seed}")


@given(st.lists(steps, max_size=4))
def test_text_and_data_read_back_whatever_targets_are_called(data: list) -> None:
    recipe = Recipe.from_data(data)
    assert Recipe.parse(str(recipe)) == recipe
    assert Recipe.from_data(recipe.to_data()) == recipe
    assert Recipe.from_data(json.loads(json.dumps(recipe.to_data()))) == recipe
    assert Recipe.coerce(recipe) == Recipe.coerce(str(recipe)) == recipe


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("sum|fourth_root", "sum | fourth_root"),
        ("  sum  ", "sum"),
        ("sum()", "sum"),
        ("", ""),
        ("log10( scale = 1e3 )", "log10(scale=1000)"),
        ("keep_detected(share=1.0)", "keep_detected(share=1)"),
        ("keep_detected(share=0.5)", "keep_detected"),
        ('drop_targets("V04", b,)', "drop_targets(V04, b)"),
        ("drop_targets(targets=V04)", "drop_targets(V04)"),
        ("drop_targets(1e5)", 'drop_targets("1e5")'),
        (r'drop_targets("a \"b\" \\ c")', r'drop_targets("a \"b\" \\ c")'),
    ],
)
def test_text_is_written_in_one_way(text: str, written: str) -> None:
    assert str(Recipe.parse(text)) == written


def test_one_and_one_point_zero_are_one_recipe() -> None:
    s = profiles()
    one, other = pretreat(s, "log10(scale=1000)"), pretreat(s, "log10(scale=1000.0)")
    assert one.digest == other.digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sum |", "at place 5: expected the name of a step, got the end"),
        ("| sum", "at place 0"),
        ("sum sum", r"expected '\|' or the end, got 'sum'"),
        ("log10(scale=1000", r"expected ',' or '\)', got the end"),
        ("log10(scale=)", "expected a value for scale"),
        ("log10(=3)", "expected a parameter"),
        ("log10(scale=1 add=2)", "got 'add'"),
        ("log10(scale=1, scale=2)", "gives scale twice"),
        ("drop_targets(A, targets=B)", "gives targets twice"),
        ('drop_targets("A', "quotation mark is not closed"),
        (r'drop_targets("\d")', "backslash is written"),
        ("drop_targets", "needs names in parentheses"),
        ("drop_targets()", "needs names in parentheses"),
        ("log10(1000)", "parameters as name=value, got '1000'"),
        ("log10(scale=many)", "a number for scale, got 'many'"),
        ("log10(scale=nan)", "a finite number for scale"),
        ("log10(add=inf)", "a finite number for add"),
        ("keep_detected(share=true)", "a number for share"),
        ("main_compound(target=5)", "a name for target, got 5"),
        ("clr(zeros=1)", "a name for zeros"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        Recipe.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("summ", "unknown pretreatment step 'summ'. Did you mean 'sum'"),
        ("sum | forth_root", "Did you mean 'fourth_root'"),
        ("log10(scal=1)", "unknown parameter of step 'log10' 'scal'. Did you mean 'scale'"),
        ('"sum"', None),
    ],
)
def test_an_unknown_name_names_the_nearest(text: str, said: str | None) -> None:
    with pytest.raises((UnknownNameError, RecipeError), match=said):
        Recipe.parse(text)


@pytest.mark.parametrize(
    "data",
    [
        ["sum"],
        [{"parameters": {}}],
        [{"step": "sum", "parameters": [1]}],
        [{"step": "sum", "learned": 5}],
        [{"step": "sum", "more": 1}],
        [{"step": "sd_weights", "learned": {}}, {"step": 5}],
        [{"step": "log10", "parameters": {"add": True}}],
        [{"step": "drop_targets", "parameters": {"targets": [1]}}],
        [{"step": "log10", "parameters": {"scale": float("nan")}}],
    ],
)
def test_data_that_are_no_recipe_are_refused(data) -> None:
    with pytest.raises((RecipeError, UnknownNameError)):
        Recipe.from_data(data)


@pytest.mark.parametrize(
    ("name", "learned"),
    [
        ("sd_weights", {}),
        ("sd_weights", {"targets": ["A", "B", "C", "D"], "sd": [1.0]}),
        ("autoscale", {"targets": ["A"], "sd": [1.0]}),
        ("rank", {"targets": "ABCD"}),
        ("keep_detected", {}),
    ],
)
def test_a_frozen_step_without_what_it_learned_is_refused(name: str, learned: dict) -> None:
    with pytest.raises(RecipeError, match="is frozen without what it needs"):
        pretreat(profiles(), [{"step": name, "learned": learned}])


@pytest.mark.parametrize(
    "recipe",
    [
        "sum | fourth_root",
        "sd_weights",
        "autoscale",
        "rank",
        "keep_detected(share=0.5) | sum",
        "clr(zeros=multiplicative)",
        "drop_targets(B) | sum | autoscale",
        "",
    ],
)
def test_a_frozen_recipe_does_the_same_to_other_profiles(recipe: str) -> None:
    reference, questioned = profiles(seed=1), profiles(seed=2)
    done = pretreat(reference, recipe)
    frozen = Recipe.of(done)
    assert frozen.is_frozen
    again = pretreat(reference, frozen)
    np.testing.assert_array_equal(again.values, done.values)
    assert again == done
    through_json = Recipe.from_data(json.loads(json.dumps(frozen.to_data())))
    assert pretreat(reference, through_json) == done
    both = compare(pretreat(questioned, frozen), done, metric="euclidean")
    assert np.isfinite(both.scores).all()


def test_the_same_text_learned_from_another_set_is_another_pretreatment() -> None:
    a, b = (pretreat(profiles(seed=k), "autoscale") for k in (1, 2))
    with pytest.raises(ComparisonError, match=r"drugsig.Recipe.of\(a\)"):
        compare(a, b, metric="euclidean")


def test_a_frozen_recipe_refuses_other_targets() -> None:
    frozen = Recipe.of(pretreat(profiles(), "autoscale"))
    with pytest.raises(RecipeError, match="lack 'D' and add none"):
        pretreat(profiles(seed=2).keep_targets(["A", "B", "C"]), frozen)
    with pytest.raises(RecipeError, match="in another order"):
        pretreat(profiles(seed=2).keep_targets(["B", "A", "C", "D"]), frozen)
    kept = Recipe.of(pretreat(profiles(), "keep_detected"))
    with pytest.raises(RecipeError, match="which these profiles lack"):
        pretreat(profiles(seed=2).keep_targets(["A", "B", "C"]), kept)


def test_a_half_frozen_recipe_is_refused() -> None:
    frozen = Recipe.of(pretreat(profiles(), "sum | autoscale"))
    half = [frozen.to_data()[0], {"step": "autoscale"}]
    with pytest.raises(RecipeError, match="frozen in part"):
        pretreat(profiles(), half)


def test_two_pretreatments_in_a_row_are_one_recipe() -> None:
    s = profiles()
    twice = pretreat(pretreat(s, "sum"), "fourth_root | autoscale")
    assert str(Recipe.of(twice)) == "sum | fourth_root | autoscale"
    assert twice == pretreat(s, Recipe.of(twice))
    assert twice == pretreat(s, "sum | fourth_root | autoscale")


def test_the_history_tells_what_was_done() -> None:
    done = pretreat(profiles(), "sum | fourth_root")
    assert done.history[-1].operation == "pretreat"
    assert done.history[-1].detail["recipe"] == "sum | fourth_root"
    assert repr(done).endswith("pretreated: 2 step(s)>")
    assert repr(Recipe.of(done)) == "<Recipe 'sum | fourth_root', frozen>"
    assert repr(Recipe.parse("sum")) == "<Recipe 'sum', not learned yet>"


def test_a_recipe_without_end_is_refused_at_once() -> None:
    with pytest.raises(RecipeError, match="at most 50 steps"):
        Recipe.parse(" | ".join(["sum"] * 100_000))
    assert len(Recipe.parse(" | ".join(["sum"] * 50)).steps) == 50
