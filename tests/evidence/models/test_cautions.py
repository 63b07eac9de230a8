"""What a model says of pairs that it was not made for, and what stands beside its words."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drugsig.errors import DrugsigWarning, SmallSampleWarning
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.models import LrModel, fit_lr_model, load_model
from drugsig.profiles.profile_set import ProfileSet
from tests.evidence.models.cases import BATCHES, FEATURE, SCORE, batches

HALVES = replace(FEATURE, item="half_id")


@pytest.fixture(scope="module")
def known() -> ProfileSet:
    return batches(np.random.default_rng(1))


@pytest.fixture(scope="module")
def fresh() -> ProfileSet:
    return batches(np.random.default_rng(2), n_sources=5, prefix="case")


@pytest.fixture(scope="module")
def model(known: ProfileSet) -> LrModel:
    return fit_lr_model(known, BATCHES, FEATURE, rng=np.random.default_rng(3))


def has(notes: Iterable[object], text: str) -> bool:
    return any(text in str(note) for note in notes)


def test_items_of_another_size_than_those_it_was_calibrated_on_are_told(
    model: LrModel, known: ProfileSet, fresh: ProfileSet
) -> None:
    assert model.stages.item_sizes == (1, 1)
    assert not has(model.evaluate(fresh).notes, "hold an item of")
    told = model.evaluate(fresh, item="half_id").notes
    assert has(told, "45 of 45 pair(s) hold an item of 2 profiles")
    assert has(told, "on items of 1 profile:")
    one_larger = model.evaluate(fresh.select(np.array([0, 2, 5])), item="half_id").notes
    assert has(one_larger, "1 of 1 pair(s) hold an item of 1 to 2 profiles")
    halves = fit_lr_model(known, BATCHES, HALVES, rng=np.random.default_rng(3))
    assert halves.stages.item_sizes == (2, 2)
    assert not has(halves.evaluate(fresh).notes, "hold an item of")
    assert has(halves.evaluate(fresh, item="profile_id").notes, "on items of 2 profiles:")


def test_the_sizes_of_its_items_are_kept_in_its_file(known: ProfileSet, tmp_path: Path) -> None:
    halves = fit_lr_model(known, BATCHES, HALVES, rng=np.random.default_rng(3))
    assert load_model(halves.save(tmp_path / "model.npz")).stages.item_sizes == (2, 2)


def test_a_score_model_says_that_it_knows_a_profile(known: ProfileSet) -> None:
    model = fit_lr_model(known, BATCHES, SCORE, rng=np.random.default_rng(3))
    assert has(model.evaluate(known.select(np.arange(3))).notes, "3 pair(s) hold a profile")
    strangers = batches(np.random.default_rng(2), n_sources=3, prefix="case")
    assert not has(model.evaluate(strangers).notes, "hold a profile that the model")


def test_what_the_background_warned_of_stays_with_the_model(tmp_path: Path) -> None:
    few = batches(np.random.default_rng(1), n_sources=14)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SmallSampleWarning)
        model = fit_lr_model(few, BATCHES, FEATURE, rng=np.random.default_rng(3))
    assert has(tuple(str(w.message) for w in caught), "14 sources with replicates are few")
    back = load_model(model.save(tmp_path / "model.npz"))
    assert has(back.notes, "14 sources with replicates are few")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        evaluation = evaluate_model(few, BATCHES, FEATURE, seeds=[0], n_folds=2)
    assert has(evaluation.notes, "7 sources with replicates are few")


def test_profiles_that_are_never_a_pair_are_told_where_they_teach_the_variation() -> None:
    known = batches(np.random.default_rng(1))
    rows = range(len(known))
    twice = known.with_column("specimen_id", [f"specimen {k // 2}" for k in rows])
    model = fit_lr_model(twice, BATCHES, FEATURE, rng=np.random.default_rng(3))
    assert has(model.notes, "80 of the 120 degrees of freedom")
    series = known.with_column("sequence_id", [f"series {k % 2}" for k in rows])
    evaluation = evaluate_model(series, BATCHES, FEATURE, seeds=[0], n_folds=2)
    assert has(evaluation.notes, "profiles of one sequence (column 'sequence_id')")
    allowed = fit_lr_model(
        series, replace(BATCHES, same_sequence=True), FEATURE, rng=np.random.default_rng(3)
    )
    alone = known.with_column("specimen_id", [f"specimen {k}" for k in rows])
    single = fit_lr_model(alone, BATCHES, FEATURE, rng=np.random.default_rng(3))
    score = fit_lr_model(twice, BATCHES, SCORE, rng=np.random.default_rng(3))
    assert not any(has(one.notes, "degrees of freedom") for one in (allowed, single, score))


def test_a_source_that_has_most_of_the_linked_pairs_is_named() -> None:
    known = batches(np.random.default_rng(1), n_sources=31, n_profiles=20)
    rows = np.arange(len(known))
    uneven = known.select((rows < 20) | (rows % 20 < 2))
    model = fit_lr_model(uneven, BATCHES, FEATURE, rng=np.random.default_rng(3))
    told = "Source 'batch 00' has 190 of the 220 linked pairs"
    assert has(model.notes, told)
    assert has(evaluate_model(uneven, BATCHES, FEATURE, seeds=[0], n_folds=2).notes, told)
    assert has(model.notes, "The linked pairs of 31 sources weigh like those of 1.3")
    even = fit_lr_model(known.select(rows % 20 < 2), BATCHES, FEATURE, rng=np.random.default_rng(3))
    assert not has(even.notes, "mostly about it")
    assert not has(even.notes, "weigh like")


def test_pairs_beyond_all_that_taught_the_calibration_are_told(known: ProfileSet) -> None:
    bare = replace(FEATURE, two_level=replace(FEATURE.two_level, error_share=0.0))
    model = fit_lr_model(known, BATCHES, bare, rng=np.random.default_rng(3))
    strange = ProfileSet(
        [[60.0, 60.0], [60.1, 60.0], [10.0, 10.0]],
        known.targets,
        {"profile_id": ["a", "b", "c"], "epoch": ["2024"] * 3, "laboratory": ["north"] * 3},
    )
    found = model.evaluate(strange)
    assert np.abs(found.log10_lr_raw).min() > 50.0
    assert has(found.notes, "3 of 3 pair(s) have a raw log10 LR")
    assert not has(model.evaluate(known.select(np.arange(3))).notes, "have a raw log10 LR")


def test_words_come_with_all_that_must_be_said_beside_them(
    model: LrModel, known: ProfileSet, fresh: ProfileSet
) -> None:
    summary = evaluate_model(known, BATCHES, FEATURE, seeds=[0], n_folds=2).summary()
    failed = model.with_validation(replace(summary, verdicts={"accuracy": "fail"}))
    found = failed.evaluate(fresh, item="half_id")
    said = found.statement(scale="enfsi-2015", pair=0)
    assert has(said.notes, "did not meet its criteria for accuracy")
    assert has(said.notes, "hold an item of 2 profiles")
    assert has(said.notes, "one of 45 pairs that were weighed together")
    assert "did not meet its criteria" in found._repr_html_()
    searched = failed.evaluate(fresh, n_searched=900).statement(scale="enfsi-2015", pair=0)
    assert not has(searched.notes, "weighed together")
    assert has(searched.notes, "searching 900 profiles")
    alone = failed.evaluate(fresh, pairs=[("case 03/0", "case 00/1")])
    assert not has(alone.statement(scale="enfsi-2015").notes, "weighed together")


@pytest.mark.parametrize(("cllr", "worse"), [(0.4, False), (1.2, True), (float("inf"), True)])
def test_a_model_that_did_no_better_than_nothing_says_so(
    model: LrModel, known: ProfileSet, fresh: ProfileSet, cllr: float, worse: bool
) -> None:
    summary = evaluate_model(known, BATCHES, FEATURE, seeds=[0], n_folds=2).summary()
    judged = model.with_validation(replace(summary, cllr_bounded=(cllr,)))
    assert has(judged.evaluate(fresh).notes, "no better than ratios of 1") == worse
