from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drugsig import pretreat
from drugsig.errors import InputError, ModelMismatchError
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.models import LrModel, LrModelSpec, fit_lr_model
from drugsig.evidence.models.items import SpecimenUnknownToItems
from drugsig.evidence.two_level import TwoLevelOptions, fit_two_level
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ProfileSet
from drugsig.protocols.target import Target
from tests.evidence.models.cases import BATCHES, FEATURE, KERNEL, SCORE, batches


@pytest.fixture(scope="module")
def known() -> ProfileSet:
    return batches(np.random.default_rng(1))


@pytest.fixture(scope="module")
def fresh() -> ProfileSet:
    return batches(np.random.default_rng(2), n_sources=5, n_profiles=2, prefix="case")


@pytest.fixture(scope="module")
def model(known: ProfileSet) -> LrModel:
    return fit_lr_model(known, BATCHES, FEATURE, rng=np.random.default_rng(3))


def test_the_stages_follow_each_other(model: LrModel, fresh: ProfileSet) -> None:
    found = model.evaluate(fresh)
    assert len(found) == 45
    assert model.background is not None
    assert model.calibration is not None
    assert model.bounds is not None
    one = model.background.log10_lr(fresh.values[:1], fresh.values[1:2])
    assert found.log10_lr_raw[0] == pytest.approx(one, rel=1e-12)
    np.testing.assert_array_equal(
        found.log10_lr_calibrated, model.calibration.log10_lr(found.log10_lr_raw)
    )
    np.testing.assert_array_equal(
        found.log10_lr_bounded,
        np.clip(found.log10_lr_calibrated, model.bounds.low, model.bounds.high),
    )
    raw = found.evidence.log10_lr_raw
    assert raw is not None
    np.testing.assert_array_equal(raw, found.log10_lr_raw)
    assert not np.allclose(raw, found.evidence.log10_lr_calibrated)
    assert "same production batch" in found.evidence.h1
    assert found.evidence.source_level == "production batch"
    assert found.evidence.model_digest == model.digest


def test_the_background_is_that_of_all_profiles(model: LrModel, known: ProfileSet) -> None:
    sources = [str(s) for s in known.column("batch_id")]
    own = fit_two_level(
        known.values,
        sources,
        replicate_level="unit",
        features=known.target_names,
        between="normal",
        error_share=0.01,
    )
    assert model.background == own


def test_likelihood_ratios_point_the_right_way(model: LrModel, fresh: ProfileSet) -> None:
    found = model.evaluate(fresh).to_frame()
    same = found["questioned"].str[:7] == found["reference"].str[:7]
    assert found["log10_lr"][same].median() > 0 > found["log10_lr"][~same].median()


@pytest.mark.parametrize("spec", [FEATURE, SCORE], ids=["feature", "score"])
def test_items_of_several_profiles(known: ProfileSet, fresh: ProfileSet, spec) -> None:
    halves = replace(spec, item="half_id")
    fitted = fit_lr_model(known, BATCHES, halves, rng=np.random.default_rng(3))
    case = batches(np.random.default_rng(5), n_sources=3, prefix="case")
    found = fitted.evaluate(case)
    assert len(found) == 15
    assert ("case 00/A", "case 00/B") in found.pairs
    place = found.find("case 00/A", "case 02/B")
    rows = [0, 2], [9, 11]
    if spec is FEATURE:
        assert fitted.background is not None
        raw = fitted.background.log10_lr(case.values[rows[0]], case.values[rows[1]])
    else:
        distances = [
            float(np.linalg.norm(case.values[i] - case.values[j])) for i in rows[0] for j in rows[1]
        ]
        assert fitted.stages.score_calibration is not None
        raw = fitted.stages.score_calibration.log10_lr([np.mean(distances)])[0]
    assert found.log10_lr_raw[place] == pytest.approx(raw, rel=1e-9)


def test_the_questioned_against_the_reference(model: LrModel, fresh: ProfileSet) -> None:
    questioned, reference = fresh.select(np.arange(2)), fresh.select(np.arange(2, 10))
    found = model.evaluate(questioned, reference, n_searched=8)
    assert len(found) == 16
    assert "8 profiles" in found.evidence.search_statement
    whole = model.evaluate(fresh)
    for (one, other), value in zip(found.pairs, found.log10_lr_raw, strict=True):
        assert value == pytest.approx(whole.log10_lr_raw[whole.find(one, other)], rel=1e-12)


def test_only_the_pairs_that_are_asked_for(model: LrModel, fresh: ProfileSet) -> None:
    found = model.evaluate(fresh, pairs=[("case 03/0", "case 00/1")])
    assert found.pairs == (("case 03/0", "case 00/1"),)
    with pytest.raises(InputError, match="case 00/1"):
        model.evaluate(fresh, pairs=[("case 03/0", "case 00/9")])
    with pytest.raises(InputError, match="names no pair"):
        model.evaluate(fresh, pairs=[])


def test_an_item_is_not_compared_with_itself(model: LrModel, fresh: ProfileSet) -> None:
    with pytest.raises(InputError, match="with itself"):
        model.evaluate(fresh, fresh)
    with pytest.raises(InputError, match="one item"):
        model.evaluate(fresh.select(np.arange(1)))
    with pytest.raises(InputError, match="with itself"):
        model.evaluate(fresh, pairs=[("case 03/0", "case 03/0")])


def test_a_profile_of_the_training_set_does_not_speak_for_itself(known: ProfileSet) -> None:
    model = fit_lr_model(known, BATCHES, KERNEL, rng=np.random.default_rng(3))
    assert model.background is not None
    found = model.evaluate(known.select(np.array([0, 1, 4])))
    without = model.background.without(["batch 00", "batch 01"])
    assert found.log10_lr_raw[found.find("batch 00/0", "batch 01/0")] == pytest.approx(
        without.log10_lr(known.values[:1], known.values[4:5]), rel=1e-12
    )
    assert any("taken out of the background" in str(n) for n in found.notes)


def test_nothing_is_said_in_words_without_a_validation(
    model: LrModel, known: ProfileSet, fresh: ProfileSet
) -> None:
    found = model.evaluate(fresh)
    with pytest.raises(InputError, match="carries no validation"):
        found.statement(scale="enfsi-2015", pair=0)
    checked = model.with_validation(
        evaluate_model(known, BATCHES, FEATURE, seeds=[0], n_folds=2).summary()
    )
    statement = checked.evaluate(fresh).statement(scale="enfsi-2015", pair=0)
    assert "production batch" in statement.text
    assert checked.digest == model.digest
    assert checked.validation is not None
    failed = replace(checked.validation, verdicts={"accuracy": "fail"})
    assert any(
        "accuracy" in n for n in map(str, model.with_validation(failed).evaluate(fresh).notes)
    )


def test_the_validation_of_another_model_is_refused(known: ProfileSet, model: LrModel) -> None:
    other = evaluate_model(known, BATCHES, replace(FEATURE, bounds="none"), seeds=[0], n_folds=2)
    with pytest.raises(InputError, match="the choices differ"):
        model.with_validation(other.summary())
    fewer = evaluate_model(known.select(np.arange(120)), BATCHES, FEATURE, seeds=[0], n_folds=2)
    with pytest.raises(InputError, match="the profiles differ"):
        model.with_validation(fewer.summary())


def test_words_need_bounds(known: ProfileSet, fresh: ProfileSet) -> None:
    unbounded = replace(FEATURE, bounds="none")
    model = fit_lr_model(known, BATCHES, unbounded, rng=np.random.default_rng(3))
    summary = evaluate_model(known, BATCHES, unbounded, seeds=[0], n_folds=2).summary()
    found = model.with_validation(summary).evaluate(fresh)
    np.testing.assert_array_equal(found.log10_lr_bounded, found.log10_lr_calibrated)
    with pytest.raises(InputError, match="not bounded"):
        found.statement(scale="enfsi-2015", pair=0)


def test_profiles_of_another_kind_are_refused_in_one_error(
    model: LrModel, fresh: ProfileSet
) -> None:
    other = ProfileSet(
        fresh.values,
        [Target("T1"), Target("T2", unit="%")],
        fresh.profiles.assign(epoch="2025", laboratory="south"),
        history=[Step.make("extract", {"protocol": "x", "digest": "0" * 64})],
    )
    with pytest.raises(ModelMismatchError) as caught:
        model.evaluate(pretreat(other, "square_root"), replicate_level="injection")
    assert set(caught.value.differing) == {
        "protocol",
        "targets",
        "pretreatment",
        "replicate_level",
        "epoch",
        "laboratory",
    }


def test_a_difference_that_is_allowed_is_noted(model: LrModel, fresh: ProfileSet) -> None:
    south = fresh.with_column("laboratory", ["south"] * len(fresh))
    with pytest.raises(ModelMismatchError, match="laboratory"):
        model.evaluate(south)
    assert any(
        "across laboratory" in n
        for n in map(str, model.evaluate(south, across=["laboratory"]).notes)
    )


def test_an_unknown_epoch_is_not_that_of_the_model(model: LrModel, fresh: ProfileSet) -> None:
    with pytest.raises(ModelMismatchError, match="not known"):
        model.evaluate(fresh.with_column("epoch", [None] * len(fresh)))


def test_the_frozen_recipe_is_applied(known: ProfileSet, fresh: ProfileSet) -> None:
    treated = pretreat(known, "autoscale")
    model = fit_lr_model(treated, BATCHES, FEATURE, rng=np.random.default_rng(3))
    with pytest.raises(ModelMismatchError, match="pretreatment"):
        model.evaluate(pretreat(fresh, "autoscale"))
    found = model.evaluate(model.treat(fresh))
    plain = fit_lr_model(known, BATCHES, FEATURE, rng=np.random.default_rng(3)).evaluate(fresh)
    np.testing.assert_allclose(found.log10_lr_raw, plain.log10_lr_raw, rtol=1e-6)
    with pytest.raises(InputError, match="already"):
        model.treat(treated)


def test_profiles_of_two_epochs_or_levels_are_not_fitted_together(known: ProfileSet) -> None:
    rng = np.random.default_rng(3)
    two = known.with_column("epoch", ["2023", *["2024"] * (len(known) - 1)])
    with pytest.raises(InputError, match="more than one epoch"):
        fit_lr_model(two, BATCHES, FEATURE, rng=rng)
    assert fit_lr_model(two, BATCHES, FEATURE, rng=rng, across=["epoch"]).identity.epochs == (
        "2023",
        "2024",
    )
    with pytest.raises(InputError, match="'injection'"):
        fit_lr_model(
            known.with_column("replicate_level", ["injection", *[None] * (len(known) - 1)]),
            BATCHES,
            FEATURE,
            rng=rng,
        )


def test_an_item_of_two_sources_is_refused(known: ProfileSet) -> None:
    spec = replace(FEATURE, item="laboratory")
    with pytest.raises(InputError, match="'north' holds profiles that differ in column 'batch_id'"):
        fit_lr_model(known, BATCHES, spec, rng=np.random.default_rng(3))


def test_a_target_that_was_not_measured_is_named(known: ProfileSet) -> None:
    values = known.values.copy()
    values[3, 1] = np.nan
    holed = ProfileSet(values, known.targets, known.profiles)
    with pytest.raises(InputError, match="'T2' was not measured in 'batch 00/3'"):
        fit_lr_model(holed, BATCHES, FEATURE, rng=np.random.default_rng(3))


def test_items_that_share_a_specimen_or_a_sequence_are_no_pair(known: ProfileSet) -> None:
    from drugsig.evidence.models.items import item_pairs, profile_items

    items = profile_items(known, "half_id")
    assert int(item_pairs(known, items, BATCHES).linked.sum()) == 40
    # The first batch: one specimen in both halves. The second: one sequence in both halves.
    specimen = [f"s{k}" for k in range(len(known))]
    specimen[1] = specimen[0]
    sequence = [f"q{k}" for k in range(len(known))]
    sequence[5] = sequence[4]
    one = item_pairs(known.with_column("specimen_id", specimen), items, BATCHES)
    assert int(one.linked.sum()) == 39
    other = item_pairs(known.with_column("sequence_id", sequence), items, BATCHES)
    assert int(other.linked.sum()) == 39
    assert len(other) == len(one)


def test_a_score_model_says_where_no_column_names_the_specimen(known: ProfileSet) -> None:
    rng = np.random.default_rng(3)
    unknown = SpecimenUnknownToItems()
    assert unknown in fit_lr_model(known, BATCHES, SCORE, rng=rng).notes
    named = known.with_column("specimen_id", [f"s{k}" for k in range(len(known))])
    assert unknown not in fit_lr_model(named, BATCHES, SCORE, rng=rng).notes


def test_equal_choices_and_seed_give_equal_models(known: ProfileSet, model: LrModel) -> None:
    again = fit_lr_model(known, BATCHES, FEATURE, rng=np.random.default_rng(3))
    assert again == model
    assert again.digest == model.digest
    assert "not validated" in repr(model)
    assert "<table>" in model._repr_html_()


def test_without_linked_pairs_there_is_no_model(known: ProfileSet) -> None:
    single = known.select(np.arange(0, len(known), 4))
    with pytest.raises(InputError, match="0 linked"):
        fit_lr_model(single, BATCHES, SCORE, rng=np.random.default_rng(3))


def test_the_spec_says_what_it_is() -> None:
    assert "two-level" in str(LrModelSpec(replicate_level="unit"))
    options = TwoLevelOptions(error_share=0.02)
    assert "0.02" in str(LrModelSpec(replicate_level="unit", two_level=options))
