from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from drugsig import pretreat
from drugsig.errors import InputError, SmallSampleWarning
from drugsig.evidence import PopulationRule
from drugsig.evidence.evaluation import Evaluation, evaluate_held_out, evaluate_model
from drugsig.evidence.evaluation.held_out import judge
from drugsig.evidence.models import LrModelSpec, fit_lr_model
from drugsig.evidence.models.stages import fit_stages
from drugsig.evidence.models.training import training_set
from drugsig.evidence.resampling import pairs_by_fold, source_folds
from drugsig.profiles.profile_set import ProfileSet
from tests.evidence.models.cases import BATCHES, FEATURE, KERNEL, SCORE, batches

SPECS = {"normal": FEATURE, "kernel": KERNEL, "score": SCORE}
STAGES = ("raw", "calibrated", "bounded")

# A seed that deals the first two of forty batches into one fold.
TOGETHER = 6


@pytest.fixture(scope="module")
def known() -> ProfileSet:
    return batches(np.random.default_rng(1))


def by_pair(evaluation: Evaluation, which: str) -> dict[tuple[int, str, str], float]:
    table = evaluation.to_frame()
    keys = zip(table["seed"], table["item_a"], table["item_b"], strict=True)
    return dict(zip(keys, table[f"log10_lr_{which}"], strict=True))


def changed(profiles: ProfileSet, rows: list[int], values: list[list[float]]) -> ProfileSet:
    out = profiles.values.copy()
    out[rows] = values
    return ProfileSet(out, profiles.targets, profiles.profiles)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_fold_is_judged_by_a_model_that_was_never_given_it(
    known: ProfileSet, spec: LrModelSpec
) -> None:
    evaluation = evaluate_model(known, BATCHES, spec, seeds=[4])
    rng = np.random.default_rng(4)
    folds = source_folds(np.full(40, 6), 5, rng)
    batch = np.array([str(b) for b in known.column("batch_id")])
    left_out = np.isin(batch, [f"batch {k:02d}" for k in np.flatnonzero(folds == 0)])
    alone = fit_lr_model(known.select(~left_out), BATCHES, spec, rng=rng)
    slow = alone.evaluate(known.select(left_out))
    table = evaluation.to_frame()
    table = table[table["fold"] == 0]
    assert len(table) == len(slow)
    for which in STAGES:
        obvious = dict(zip(slow.pairs, getattr(slow, f"log10_lr_{which}"), strict=True))
        keys = zip(table["item_a"], table["item_b"], strict=True)
        np.testing.assert_array_equal(table[f"log10_lr_{which}"], [obvious[a, b] for a, b in keys])


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_what_else_is_known_of_the_sources_of_a_pair_changes_nothing(
    known: ProfileSet, spec: LrModelSpec
) -> None:
    before = evaluate_model(known, BATCHES, spec, seeds=[TOGETHER])
    for pair, spoilt in (
        (("batch 00/0", "batch 00/1"), [2, 3]),
        (("batch 00/0", "batch 01/0"), [1, 2, 3, 5, 6, 7]),
    ):
        other = changed(known, spoilt, [[900.0, -50.0]])
        after = evaluate_model(other, BATCHES, spec, seeds=[TOGETHER])
        for which in STAGES:
            old, new = by_pair(before, which), by_pair(after, which)
            keys = [key for key in old if key[1:] == pair]
            assert len(keys) == 1
            assert [new[key] for key in keys] == [old[key] for key in keys]
            # Pairs of other sources do notice: the spoilt profiles are in their background.
            assert any(new[key] != old[key] for key in old if "batch 02/0" in key)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_fold_that_was_fitted_on_is_noticed(known: ProfileSet, spec: LrModelSpec) -> None:
    data = training_set(known, BATCHES, spec)
    test = np.arange(data.n_sources) < 8
    leaky = ~test
    leaky[3] = True
    with pytest.raises(InputError, match="'batch 03'"):
        judge(fit_stages(data, spec, leaky, np.random.default_rng(1)), data, test)
    part = judge(fit_stages(data, spec, ~test, np.random.default_rng(1)), data, test)
    assert int(part.linked.sum()) == 8 * 6


@pytest.mark.parametrize("spec", [FEATURE, SCORE], ids=["normal", "score"])
def test_shuffled_labels_teach_nothing(spec: LrModelSpec) -> None:
    rng = np.random.default_rng(8)
    costs = []
    for seed in range(3):
        profiles = batches(rng, n_sources=40, n_targets=6)
        shuffled = rng.permutation(np.array(profiles.column("batch_id")))
        profiles = profiles.with_column("batch_id", list(shuffled))
        evaluation = evaluate_model(profiles, BATCHES, spec, seeds=[seed])
        costs.append(float(evaluation.by_seed()["cllr_calibrated"].iloc[0]))
    # A leak would push it below 1. Without one it lies above, by what fitting to noise costs.
    assert 0.995 < np.mean(costs) < 1.1


def test_a_leak_would_show() -> None:
    # The same shuffled labels, judged by a model that was fitted to them: far below 1.
    rng = np.random.default_rng(8)
    profiles = batches(rng, n_sources=12, n_profiles=3, n_targets=8)
    shuffled = rng.permutation(np.array(profiles.column("batch_id")))
    profiles = profiles.with_column("batch_id", list(shuffled))
    spec = LrModelSpec(replicate_level="unit", approach="score", metric="euclidean",
                       calibrator="kde", calibration="none", bounds="none")  # fmt: skip
    data = training_set(profiles, BATCHES, spec)
    stages = fit_stages(data, spec, np.ones(12, dtype=bool), rng)
    assert [note.code for note in stages.notes] == ["few-sources-of-calibration"]
    ratios = stages.raw(data, data.pairs.first, data.pairs.second)
    from drugsig.evidence.performance import cllr

    assert cllr(ratios, data.pairs.linked) < 0.99


def test_every_linked_pair_is_judged_once_a_seed(known: ProfileSet) -> None:
    evaluation = evaluate_model(known, BATCHES, FEATURE, seeds=[0, 1])
    table = evaluation.to_frame()
    linked = table[table["linked"]]
    assert not linked.duplicated(["seed", "item_a", "item_b"]).any()
    assert linked.groupby("seed").size().tolist() == [240, 240]
    assert evaluation.n_linked == 240
    assert evaluation.n_linked_sources == 40
    for _, one in table.groupby(["seed", "fold"]):
        assert len(set(one["source_a"]) | set(one["source_b"])) == 8
    assert [(f.seed, f.fold) for f in evaluation.folds] == [(s, f) for s in range(2)
                                                           for f in range(5)]  # fmt: skip
    assert all(f.n_training_sources + f.n_test_sources == 40 for f in evaluation.folds)


def test_equal_seeds_give_equal_figures(known: ProfileSet) -> None:
    one = evaluate_model(known, BATCHES, FEATURE, seeds=[0, 1])
    other = evaluate_model(known, BATCHES, FEATURE, seeds=[1])
    np.testing.assert_array_equal(one.of_seed(1).log10_lr_bounded, other.log10_lr_bounded)
    assert one.of_seed(1).seeds == (1,)
    with pytest.raises(InputError, match="seed 7"):
        one.of_seed(7)


def test_a_recipe_is_learned_inside_the_folds(known: ProfileSet) -> None:
    inside = evaluate_model(known, BATCHES, SCORE, recipe="autoscale", seeds=[0])
    outside = evaluate_model(pretreat(known, "autoscale"), BATCHES, SCORE, seeds=[0])
    assert any("learned from the profiles it is judged on" in str(n) for n in outside.notes)
    assert not any("learned from" in str(n) for n in inside.notes)
    assert inside.reference_set == outside.reference_set
    assert not np.array_equal(inside.log10_lr_raw, outside.log10_lr_raw)
    # The other profiles of the source of a pair may change, and the pair is judged the same.
    spoilt = changed(known, [2, 3], [[90.0, -50.0]])
    again = evaluate_model(spoilt, BATCHES, SCORE, recipe="autoscale", seeds=[0])
    pair = (0, "batch 00/0", "batch 00/1")
    assert by_pair(again, "bounded")[pair] == by_pair(inside, "bounded")[pair]


def test_other_sources_are_judged_and_the_same_are_refused(known: ProfileSet) -> None:
    model = fit_lr_model(known, BATCHES, FEATURE, rng=np.random.default_rng(3))
    fresh = batches(np.random.default_rng(9), n_sources=30, prefix="other")
    evaluation = evaluate_held_out(model, fresh)
    assert evaluation.n_linked == 180
    assert evaluation.n_unlinked == 6960
    assert 0.2 < evaluation.by_seed()["cllr_bounded"].iloc[0] < 0.8
    with pytest.raises(InputError, match="4 source"):
        evaluate_held_out(model, known.select(np.arange(16)))
    renamed = fresh.profiles.assign(profile_id=[f"batch 00/{k}" for k in range(len(fresh))])
    with pytest.raises(InputError, match="4 profile"):
        evaluate_held_out(model, ProfileSet(fresh.values, fresh.targets, renamed))


def test_few_sources_are_said_or_refused(known: ProfileSet) -> None:
    few = known.select(np.arange(4 * 20))
    with pytest.warns(SmallSampleWarning, match="Only 20 sources"):
        evaluation = evaluate_model(few, BATCHES, FEATURE, seeds=[0])
    assert any("Only 20 sources" in str(n) for n in evaluation.notes)
    with pytest.raises(InputError, match="too few for 5 folds"):
        evaluate_model(known.select(np.arange(16)), BATCHES, FEATURE, seeds=[0])
    with pytest.raises(InputError, match="n_folds"):
        evaluate_model(known, BATCHES, FEATURE, n_folds=1)
    with pytest.raises(InputError, match="seeds"):
        evaluate_model(known, BATCHES, FEATURE, seeds=[1, 1])


def test_a_rule_that_excludes_profiles(known: ProfileSet) -> None:
    rule = PopulationRule.from_data(BATCHES.to_data() | {"exclude": {"batch_id": ["batch 39"]}})
    evaluation = evaluate_model(known, rule, FEATURE, seeds=[0])
    assert evaluation.n_linked == 39 * 6
    assert "batch 39" not in set(evaluation.to_frame()["source_a"])


def test_the_figures_of_an_evaluation(known: ProfileSet) -> None:
    evaluation = evaluate_model(known, BATCHES, FEATURE, seeds=[0, 1])
    table = evaluation.by_seed()
    whole = evaluation.performance(rng=np.random.default_rng(1), n_resamples=100)
    one = evaluation.performance("raw", rng=np.random.default_rng(1), seed=1, n_resamples=100)
    assert whole.cllr.value == pytest.approx(table["cllr_bounded"].mean(), rel=1e-6)
    assert whole.n_linked == 240
    assert one.cllr.value == table["cllr_raw"].iloc[1]
    summary = evaluation.summary()
    assert summary.mean_cllr == pytest.approx(table["cllr_bounded"].mean())
    assert "Cllr" in repr(evaluation)
    assert "<td>mean</td>" in evaluation._repr_html_()


def test_bounds_and_calibration_can_be_left_out(known: ProfileSet) -> None:
    bare = replace(FEATURE, calibration="none", bounds="none")
    evaluation = evaluate_model(known, BATCHES, bare, seeds=[0])
    np.testing.assert_array_equal(evaluation.log10_lr_raw, evaluation.log10_lr_bounded)
    assert all(f.bounds is None for f in evaluation.folds)


def test_alike_sources_are_dealt_evenly_and_anew_with_every_generator() -> None:
    weights = np.array([2] * 10 + [1] * 5 + [0] * 31)
    parts = source_folds(weights, 5, np.random.default_rng(0))
    for kind in (0, 1, 2):
        counts = np.bincount(parts[weights == kind], minlength=5)
        assert counts.max() - counts.min() <= 2
    assert np.bincount(parts[weights == 2]).tolist() == [2] * 5
    assert (parts != source_folds(weights, 5, np.random.default_rng(1))).any()


def test_parts_are_even_and_every_pair_is_in_one_group() -> None:
    rng = np.random.default_rng(1)
    weights = np.repeat([6, 1, 0], [10, 20, 13])
    parts = source_folds(weights, 5, rng)
    sizes = np.bincount(parts)
    assert sizes.max() - sizes.min() <= 1
    assert np.bincount(parts[:10]).tolist() == [2] * 5
    a, b = rng.integers(0, 5, 200), rng.integers(0, 5, 200)
    groups = list(pairs_by_fold(a, b))
    places = np.concatenate([p for _, p in groups])
    assert sorted(places.tolist()) == list(range(200))
    for touched, own in groups:
        assert all({int(a[k]), int(b[k])} == touched for k in own)
    keys = [sorted(touched) for touched, _ in groups]
    assert all(x < y for x, y in pairwise(keys))
