"""Studies: every cell as by hand, the choice judged on sources it never saw."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drugsig import PopulationRule, ProfileSet, compare, pair_sample, pretreat
from drugsig.comparison import Metric, get_metric
from drugsig.errors import (
    CircularRuleWarning,
    ComparisonError,
    InputError,
    PopulationError,
    SmallSampleWarning,
    UndefinedScoreWarning,
    UnknownNameError,
)
from drugsig.evidence import auc, stratum_pairs
from drugsig.evidence.discrimination import measure_discrimination
from drugsig.study import Study, StudyPlan, TargetSelection, run_plan, run_study
from drugsig.study.populations import rule_pairs, source_systems
from tests.study.cases import BATCHES, METRICS, RECIPES, ROUTES, profiles_of

pytestmark = pytest.mark.filterwarnings("ignore::drugsig.errors.SmallSampleWarning")

QUICK = {"n_folds": 3, "n_repeats": 2, "n_resamples": 100, "progress": False}
SELECTIONS = {"all targets": TargetSelection(), "varying": TargetSelection(variance_ratio=3.0)}


def run(profiles: ProfileSet | None = None, **choices) -> Study:
    given: dict[str, Any] = {
        "recipes": RECIPES, "metrics": METRICS, "rules": [BATCHES, ROUTES],
        "rng": np.random.default_rng(1), **QUICK,
    }  # fmt: skip
    return run_study(profiles or profiles_of(), **(given | choices))


@pytest.fixture(scope="module")
def study() -> Study:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallSampleWarning)
        return run(selections=SELECTIONS)


# -- the table ---------------------------------------------------------------------------------


def test_every_combination_is_there_once_in_the_order_given(study: Study) -> None:
    table = study.table
    assert len(table) == study.plan.n_combinations == 3 * 2 * 2 * 2
    assert not table.duplicated(["recipe", "selection", "metric", "rule"]).any()
    assert list(dict.fromkeys(table["recipe"])) == list(RECIPES)
    assert list(table["rule"][:2]) == ["batches", "batches of other routes"]


def test_every_cell_is_what_the_single_functions_give(study: Study) -> None:
    profiles, table = profiles_of(), study.table
    rules = {rule.name: rule for rule in (BATCHES, ROUTES)}
    plain = table[table["selection"] == "all targets"]
    for number, row in zip(plain.index, plain.itertuples(), strict=True):
        treated = pretreat(profiles, RECIPES[str(row.recipe)])
        comparison = compare(treated, metric=str(row.metric))
        rule = rules[str(row.rule)]
        sample = pair_sample(comparison, treated, rule)
        area = auc(sample.linked_scores, sample.unlinked_scores, metric=sample.metric)
        assert row.auc == area
        assert (row.n_linked, row.n_unlinked) == (sample.n_linked, sample.n_unlinked)
        assert row.n_linked_sources == sample.n_linked_sources
        assert row.n_unlinked_sources == sample.n_unlinked_sources
        single = measure_discrimination(sample, rng=np.random.default_rng(0), n_resamples=400)
        assert row.equal_error_rate == single.equal_error_rate
        # Other draws of the same sources: the same interval up to chance.
        assert row.auc_low == pytest.approx(single.auc_interval.low, abs=0.05)
        assert row.auc_high == pytest.approx(single.auc_interval.high, abs=0.05)
        strata = stratum_pairs(comparison, treated, rule).values()
        near = np.concatenate([found.scores for found in strata])
        assert row.stratum_auc == auc(sample.linked_scores, near, metric=sample.metric)
        assert row.n_stratum == len(near)
        again = study.sample(int(number))
        np.testing.assert_array_equal(again.scores, sample.scores)


def test_a_choice_of_targets_is_made_before_the_recipe_is_applied(study: Study) -> None:
    profiles = profiles_of()
    treated = pretreat(profiles, "sum")
    source = np.repeat(np.arange(16), 3)
    keep = SELECTIONS["varying"].keep(treated.values, treated.detected, source)
    assert 1 < keep.sum() < 8
    names = [n for n, k in zip(profiles.target_names, keep, strict=True) if k]
    chosen = pretreat(profiles.keep_targets(names), "sum")
    sample = pair_sample(compare(chosen, metric="euclidean"), chosen, BATCHES)
    table = study.table
    rows = table[
        (table["recipe"] == "sum") & (table["selection"] == "varying")
        & (table["metric"] == "euclidean") & (table["rule"] == "batches")
    ]  # fmt: skip
    (row,) = rows.itertuples()
    assert row.auc == auc(sample.linked_scores, sample.unlinked_scores, metric=sample.metric)
    assert row.n_targets == keep.sum()
    with pytest.raises(InputError, match="chooses targets"):
        study.sample(int(rows.index[0]))


@pytest.mark.parametrize("workers", [2, 5])
def test_the_result_is_the_same_for_any_number_of_workers(study: Study, workers: int) -> None:
    again = run(selections=SELECTIONS, workers=workers)
    pd.testing.assert_frame_equal(again.table, study.table, check_exact=True)
    assert again.choices == study.choices
    assert again.plan == study.plan


def test_another_seed_changes_intervals_and_folds_but_no_area(study: Study) -> None:
    other = run(selections=SELECTIONS, rng=np.random.default_rng(2))
    assert other.plan.seed != study.plan.seed
    np.testing.assert_array_equal(other.table["auc"], study.table["auc"])
    assert (other.table["auc_low"] != study.table["auc_low"]).any()


def test_a_rule_more_changes_nothing_of_the_others(study: Study) -> None:
    alone = run(selections=SELECTIONS, rules=BATCHES)
    both = study.table
    part = both[both["rule"] == "batches"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.table, part, check_exact=True)


def test_what_is_handed_out_is_a_copy(study: Study) -> None:
    table = study.table
    table["auc"] = 0.0
    assert study.table["auc"].max() > 0.5
    best = study.best()
    assert best["auc"] == study.table["auc"].max()
    best["auc"] = 0.0
    assert study.best("batches")["rule"] == "batches"
    with pytest.raises(UnknownNameError, match="batches"):
        study.best("batch")


# -- the nested choice -------------------------------------------------------------------------


def sources_and_folds(study: Study):
    rules = rule_pairs(study.profiles, study.plan)
    (system,) = source_systems(study.profiles, rules, study.plan)
    return rules, system


def literal_areas(study: Study, row: int, inside: np.ndarray, system) -> tuple[float, int]:
    """Score pairs both of whose sources are inside, one combination, treated as a whole."""
    sample = study.sample(row)
    source = system.source
    keep = inside[source[sample.first]] & inside[source[sample.second]]
    near = sample.scores[keep & sample.linked][:, None]
    far = sample.scores[keep & ~sample.linked][None, :]
    return float(((near < far) + 0.5 * (near == far)).sum()), near.size * far.size


def test_the_nested_choice_is_that_of_a_literal_search() -> None:
    study = run(recipes={"sum": "sum", "root": "sum | fourth_root"})
    _, system = sources_and_folds(study)
    names = [rule.name for rule in study.plan.rules]
    for choice in study.choices:
        rows = [k for k, name in enumerate(study.table["rule"]) if choice.rule in (None, name)]
        shares = []
        for repeat in range(2):
            top = bottom = 0.0
            for fold in range(3):
                inside = system.folds[repeat] == fold
                areas = []
                for row in rows:
                    wins, pairs = literal_areas(study, row, ~inside, system)
                    areas.append(wins / pairs)
                best = rows[int(np.argmax(areas))]
                (found,) = (f for f in choice.folds if (f.repeat, f.fold) == (repeat, fold))
                assert found.row == best
                assert found.training_auc == pytest.approx(max(areas), abs=1e-12)
                wins, pairs = literal_areas(study, best, inside, system)
                assert (found.wins, found.pairs) == (wins, pairs)
                top, bottom = top + wins, bottom + pairs
            shares.append(top / bottom)
        assert choice.by_repeat == pytest.approx(tuple(shares))
        assert choice.nested_auc == pytest.approx(np.mean(shares))
        assert choice.nested_auc is not None
        assert choice.nested_low is not None
        assert choice.nested_high is not None
        assert choice.nested_low <= choice.nested_auc <= choice.nested_high
        assert choice.optimism == pytest.approx(choice.apparent_auc - choice.nested_auc)
        assert choice.apparent_auc == study.table["auc"][rows].max()
    assert [c.rule for c in study.choices] == [*names, None]


def test_no_profile_of_a_fold_teaches_what_is_judged_on_it() -> None:
    """Recipes that learn, and choices of targets, must not see the sources of the fold."""
    choices = {
        "recipes": {"scaled": "sum | autoscale"},
        "metrics": ["euclidean", "manhattan"],
        "selections": {"all": TargetSelection(), "varying": TargetSelection(variance_ratio=1.5)},
    }
    profiles = profiles_of()
    plain = run(profiles, **choices)
    _, system = sources_and_folds(plain)
    inside = system.folds[1] == 2
    touched = inside[system.source]
    values = profiles.values.copy()
    values[touched] = np.exp(np.random.default_rng(9).normal(2, 0.5, values[touched].shape))
    other = run(ProfileSet(values, profiles.targets, profiles.profiles), **choices)
    for one, two in zip(plain.choices, other.choices, strict=True):
        (mine,) = (f for f in one.folds if (f.repeat, f.fold) == (1, 2))
        (theirs,) = (f for f in two.folds if (f.repeat, f.fold) == (1, 2))
        assert (mine.row, mine.training_auc) == (theirs.row, theirs.training_auc)
        assert mine.wins != theirs.wins, "the fold itself was changed"


def test_picking_the_best_of_noise_flatters_and_the_nested_area_does_not() -> None:
    """Choices among targets that say nothing: the best looks good, and is worth nothing."""
    apparent, nested = [], []
    for seed in range(6):
        study = run(
            profiles_of(12, seed=seed, signal=0.0),
            recipes="sum",
            metrics="euclidean",
            rules=BATCHES,
            selections={str(r): TargetSelection(variance_ratio=r / 5) for r in range(6)},
            n_resamples=0,
        )
        (choice,) = study.choices
        assert choice.nested_auc is not None
        apparent.append(choice.apparent_auc)
        nested.append(choice.nested_auc)
    assert np.mean(apparent) > 0.55
    assert np.mean(nested) < np.mean(apparent) - 0.03
    assert np.mean(nested) == pytest.approx(0.5, abs=0.08)


def test_why_there_is_no_nested_area_is_said() -> None:
    by_route = PopulationRule.from_data(
        BATCHES.to_data()
        | {"name": "routes", "source": ["route"], "linked": {"same": ["route"]},
           "unlinked": {"different": ["route"]}, "strata": []}
    )  # fmt: skip
    study = run(rules=[BATCHES, by_route], n_repeats=1)
    assert "share no folds" in study.choices[-1].why_not
    assert study.choices[-1].nested_auc is None
    assert study.choices[-1].optimism is None
    routes = study.choices[1]
    assert routes.why_not == "no fold holds both linked and unlinked pairs with a score"
    none = run(n_folds=0)
    assert {c.why_not for c in none.choices} == {"no folds were asked for"}
    assert none.optimism["nested_auc"].isna().all()


def test_one_linked_source_cannot_be_parted() -> None:
    profiles = profiles_of(6)
    alone = profiles.with_column(
        "batch_id", ["one"] * 3 + [f"B{k}" for k in range(len(profiles) - 3)]
    )
    study = run(alone, rules=BATCHES)
    assert "all linked pairs are of one source" in study.choices[0].why_not


def test_profiles_left_out_by_a_rule_teach_nothing() -> None:
    profiles = profiles_of().with_column("note", ["bad" if k == 4 else None for k in range(48)])
    rule = PopulationRule.from_data(BATCHES.to_data() | {"exclude": {"note": ["bad"]}})
    study = run(profiles, recipes=RECIPES["scaled"], rules=rule)
    values = profiles.values.copy()
    values[4] = np.roll(values[4], 3) * np.linspace(0.2, 4, 8)
    other = run(
        ProfileSet(values, profiles.targets, profiles.profiles),
        recipes=RECIPES["scaled"], rules=rule,
    )  # fmt: skip
    assert [f.training_auc for f in study.choices[0].folds] == [
        f.training_auc for f in other.choices[0].folds
    ]


# -- without intervals or folds, undefined scores, few sources -----------------------------------


def test_areas_alone_are_the_same_as_with_intervals(study: Study) -> None:
    bare = run(selections=SELECTIONS, n_folds=0, n_resamples=0)
    np.testing.assert_array_equal(bare.table["auc"], study.table["auc"])
    np.testing.assert_array_equal(bare.table["equal_error_rate"], study.table["equal_error_rate"])
    assert bare.table["auc_low"].isna().all()
    assert "on sources it was not chosen on" not in repr(bare)


def test_pairs_without_a_score_are_counted_and_said() -> None:
    profiles = profiles_of()
    values = profiles.values.copy()
    values[:2] = 5.0
    holed = ProfileSet(values, profiles.targets, profiles.profiles)
    with pytest.warns(UndefinedScoreWarning, match="combinations have pairs .* without a score"):
        study = run(holed, recipes="sum", rules=BATCHES)
    table = study.table.set_index("metric")
    assert table["n_undefined"].to_dict() == {"euclidean": 0, "pearson_distance": 47 + 46}
    with pytest.warns(UndefinedScoreWarning):
        again = run(holed, recipes="sum", rules=BATCHES, workers=3)
    pd.testing.assert_frame_equal(again.table, study.table, check_exact=True)


def test_a_metric_without_any_score_has_no_area_and_is_never_best() -> None:
    profiles = profiles_of(6)
    flat = ProfileSet(np.ones((18, 8)), profiles.targets, profiles.profiles)
    with pytest.warns(UndefinedScoreWarning):
        study = run(flat, recipes="sum", rules=BATCHES)
    assert study.table["auc"].isna().tolist() == [False, True]
    assert study.best()["metric"] == "euclidean"
    assert study.best()["auc"] == 0.5


@pytest.mark.filterwarnings("default::drugsig.errors.SmallSampleWarning")
def test_few_sources_and_circular_rules_are_said_once() -> None:
    rule = PopulationRule.from_data(BATCHES.to_data() | {"derived": ["batch_id"]})
    with pytest.warns() as caught:
        run(rules=rule, workers=2)
    assert [w.category for w in caught] == [CircularRuleWarning, SmallSampleWarning]
    assert all(w.filename == __file__ for w in caught)
    assert "16 sources" in str(caught[1].message)


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choices", "error", "text"),
    [
        ({"recipes": []}, InputError, "needs recipes"),
        ({"metrics": []}, InputError, "needs metrics"),
        ({"metrics": ["euclidian"]}, UnknownNameError, "'euclidean'"),
        ({"rules": [BATCHES, BATCHES]}, InputError, "more than once"),
        ({"rules": "R9"}, UnknownNameError, "R9"),
        ({"rng": 1}, InputError, "default_rng"),
        ({"workers": 0}, InputError, "workers"),
        ({"n_folds": 1}, InputError, "n_folds"),
        ({"n_repeats": 0}, InputError, "n_repeats"),
        ({"n_resamples": 5}, InputError, "n_resamples"),
        ({"recipes": "sum | pairwise_log_ratios", "selections": {"v": TargetSelection(0.5)}},
         InputError, "makes new ones"),
    ],
)  # fmt: skip
def test_choices_that_cannot_be_studied_are_refused(choices, error, text) -> None:
    with pytest.raises(error, match=text):
        run(**choices)


def test_what_was_learned_or_fitted_elsewhere_is_refused() -> None:
    profiles = profiles_of()
    frozen = pretreat(profiles, "sum | autoscale").pretreatment
    with pytest.raises(InputError, match="has learned from profiles already"):
        run(recipes={"frozen": list(frozen)})
    made: Metric = dataclasses.replace(get_metric("euclidean"), name="of these profiles")
    with pytest.raises(InputError, match="was fitted or made for other profiles"):
        run(metrics=[made])
    plain = run(metrics=[get_metric("euclidean")], n_folds=0, n_resamples=0)
    assert plain.plan.metrics == ("euclidean",)


def test_a_rule_without_pairs_names_itself() -> None:
    profiles = profiles_of().with_column("batch_id", [f"B{k}" for k in range(48)])
    with pytest.raises(PopulationError, match="rule 'batches' finds no linked pair"):
        run(profiles)


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_of_one_combination_stops_the_study(workers: int) -> None:
    few = profiles_of().keep_targets(["T0", "T1", "T2"])
    with pytest.raises(ComparisonError, match="at least 5 targets"):
        run(few, workers=workers)
    study = run(few, min_measured=3, workers=workers, n_folds=0, n_resamples=0)
    assert len(study.table) == 12


def test_a_plan_runs_again_to_the_same_study(study: Study) -> None:
    again = run_plan(study.plan, study.profiles, progress=False)
    pd.testing.assert_frame_equal(again.table, study.table, check_exact=True)
    assert again.choices == study.choices
    assert isinstance(again.plan, StudyPlan)


def test_html_escapes_names_and_shows_what_picking_is_worth() -> None:
    study = run(recipes={"<b>sum</b>": "sum"}, rules=BATCHES)
    page = study._repr_html_()
    assert "&lt;b&gt;sum" in page
    assert "<b>" not in page
    assert "what picking the best is worth" in page
    assert "on sources it was not chosen on" in repr(study)
