"""Wrong values: in the pairs that are judged, in the background, and named by the outlier check."""

from __future__ import annotations

import numpy as np
import pytest

from drugsig import ProfileSet
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.validation.changes import pair_costs, same_pairs
from drugsig.evidence.validation.disturbances import mistyped
from drugsig.evidence.validation.secondary import evaluate_apart, evaluate_mistyped, newly_named
from tests.evidence.validation.cases import RECIPE, RULE, SPEC, batches

pytestmark = pytest.mark.filterwarnings("ignore::drugsig.errors.DrugsigWarning")

N_FOLDS = 3


def with_values(profiles: ProfileSet, values: np.ndarray) -> ProfileSet:
    return ProfileSet(values, targets=profiles.targets, profiles=profiles.profiles)


def tablets(*, wrong: tuple[int, ...] = ()) -> ProfileSet:
    """Return measurements that vary little within a batch, some of them wrong by ten."""
    rng = np.random.default_rng(2)
    values = np.repeat(rng.uniform(200.0, 300.0, (30, 2)), 4, axis=0)
    values += rng.normal(0.0, 2.0, values.shape)
    values[list(wrong), 0] *= 10.0
    names = [f"B{k // 4:02d}" for k in range(120)]
    table = {"profile_id": [f"P{k}" for k in range(120)], "batch_id": names}
    return ProfileSet(values, ["weight", "width"], table)


@pytest.mark.parametrize("recipe", [RECIPE, None], ids=["with recipe", "without"])
def test_with_the_same_profiles_twice_it_is_the_usual_evaluation(recipe: str | None) -> None:
    profiles = batches() if recipe is not None else tablets()
    usual = evaluate_model(profiles, RULE, SPEC, recipe=recipe, seeds=[4], n_folds=N_FOLDS)
    apart = evaluate_apart(profiles, profiles, RULE, SPEC, recipe=recipe, seed=4, n_folds=N_FOLDS)
    for which in ("raw", "calibrated", "bounded"):
        np.testing.assert_array_equal(apart.log10_lr(which), usual.log10_lr(which))
    np.testing.assert_array_equal(apart.item_a, usual.item_a)
    assert apart.sources == usual.sources


def test_wrong_values_in_judged_pairs_touch_no_other_pair() -> None:
    profiles, other = tablets(), tablets(wrong=(5, 50))
    before = evaluate_model(profiles, RULE, SPEC, seeds=[1], n_folds=N_FOLDS)
    after = evaluate_apart(profiles, other, RULE, SPEC, recipe=None, seed=1, n_folds=N_FOLDS)
    names = np.array(before.items)
    touched = np.isin(names[before.item_a], ["P5", "P50"])
    touched |= np.isin(names[before.item_b], ["P5", "P50"])
    lrs = after.log10_lr("bounded"), before.log10_lr("bounded")
    np.testing.assert_array_equal(lrs[0][~touched], lrs[1][~touched])
    assert (lrs[0][touched & before.linked] < lrs[1][touched & before.linked]).all()


def test_a_fold_is_judged_by_nothing_of_its_own_sources() -> None:
    profiles = tablets()
    found = evaluate_apart(profiles, profiles, RULE, SPEC, recipe=None, seed=1, n_folds=N_FOLDS)
    frame = found.to_frame()
    first = frame[frame["fold"] == 0]
    own = set(first["source_a"]) | set(first["source_b"])
    values = profiles.values.copy()
    values[[s in own for s in profiles.column("batch_id")]] *= 3.0
    other = with_values(profiles, values)
    again = evaluate_apart(other, profiles, RULE, SPEC, recipe=None, seed=1, n_folds=N_FOLDS)
    kept = found.fold == 0
    np.testing.assert_array_equal(again.log10_lr_raw[kept], found.log10_lr_raw[kept])
    assert (again.log10_lr_raw[~kept] != found.log10_lr_raw[~kept]).any()


def test_only_what_was_not_named_before_is_named() -> None:
    before, after = tablets(wrong=(5,)), tablets(wrong=(5, 50))
    assert newly_named(before, after, RULE) == {"P50"}
    assert newly_named(after, after, RULE) == set()


def test_where_no_source_was_measured_twice_nothing_can_be_named() -> None:
    alone = tablets().select(np.arange(0, 120, 4))
    other, changed = mistyped(alone, rng=np.random.default_rng(1))
    assert len(changed) == 1
    assert newly_named(alone, other, RULE) == set()


@pytest.mark.slow
def test_a_background_that_was_looked_through_is_worth_more_than_one_that_was_not() -> None:
    profiles = tablets()
    found = evaluate_mistyped(
        profiles, RULE, SPEC,
        recipe=None, seeds=(0, 1), n_folds=N_FOLDS, share=0.05, rng=np.random.default_rng(3),
    )  # fmt: skip
    assert len(found.wrong) == 12
    assert len(set(found.wrong[:6]) & set(found.wrong[6:])) < 6
    assert found.n_named == 12
    usual = pair_costs(
        evaluate_model(profiles, RULE, SPEC, seeds=[0, 1], n_folds=N_FOLDS), seeds=(0, 1)
    )
    cllr = {
        way: same_pairs(usual, getattr(found, way))[1].cllr
        for way in ("judged", "checked", "unchecked")
    }
    assert usual.cllr < cllr["judged"] < cllr["unchecked"]
    assert cllr["checked"] == pytest.approx(cllr["judged"], abs=0.05)
    assert cllr["unchecked"] > cllr["checked"] + 0.05
