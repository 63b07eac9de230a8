"""The scikit-learn shell does what `pretreat` does, and what scikit-learn asks of it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from drugsig import ProfileSet, RecipeTransformer, pretreat
from drugsig.errors import RecipeError

RECIPES = (
    "sum | fourth_root",
    "sum | log10(scale=1000)",
    "autoscale",
    "square_root | sd_weights",
    "rank",
    "sum | clr(zeros=multiplicative)",
    "",
)

# Recipe -> check -> why it cannot pass.
EXPECTED: dict[str, dict[str, str]] = {
    "sum | fourth_root": {
        "check_estimators_dtypes": "its data hold an all-zero row, and zero has no shares",
    },
}


def expected_failures(estimator: RecipeTransformer) -> dict[str, str]:
    return EXPECTED.get(estimator.recipe, {})


@parametrize_with_checks(
    [RecipeTransformer(r) for r in ("sum | fourth_root", "square_root", "autoscale", "rank")],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_is_satisfied(estimator, check) -> None:
    assert check(estimator) is None


def data(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((9, 5)) + 0.05


def as_profiles(values: np.ndarray) -> ProfileSet:
    return ProfileSet(
        values, [f"x{k}" for k in range(values.shape[1])], [str(k) for k in range(len(values))]
    )


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_equals_pretreat(recipe: str) -> None:
    fitted = RecipeTransformer(recipe).fit(data())
    done = pretreat(as_profiles(data()), recipe)
    np.testing.assert_array_equal(fitted.transform(data()), done.values)
    np.testing.assert_array_equal(
        fitted.transform(data(1)), pretreat(as_profiles(data(1)), fitted.recipe_).values
    )
    np.testing.assert_array_equal(RecipeTransformer(recipe).fit_transform(data()), done.values)


def test_it_learns_from_the_training_data_only() -> None:
    model = make_pipeline(RecipeTransformer("sum | autoscale"), StandardScaler())
    done = model.fit(data()).transform(data(1))
    assert not np.allclose(done, model.fit(data(1)).transform(data(1)))


def test_it_can_be_cloned_and_sent_to_a_worker() -> None:
    fitted = RecipeTransformer("autoscale").fit(data())
    assert not hasattr(clone(fitted), "recipe_")
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    np.testing.assert_array_equal(again.transform(data(1)), fitted.transform(data(1)))
    assert list(fitted.get_feature_names_out()) == [f"x{k}" for k in range(5)]


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("main_compound", "needs names or roles"),
        ("drop_targets(x1)", "needs names or roles"),
        ("pairwise_log_ratios", "turns 5 columns into 10"),
    ],
)
def test_steps_that_need_more_than_an_array_are_refused(recipe: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        RecipeTransformer(recipe).fit(data())


def test_negative_values_are_refused() -> None:
    with pytest.raises(RecipeError, match="Negative values in data"):
        RecipeTransformer().fit([[1.0, -1.0], [2.0, 3.0]])
