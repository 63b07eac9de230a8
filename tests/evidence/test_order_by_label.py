"""What is drawn by chance or added up follows labels: the order of rows changes no bit."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from drugsig import PopulationRule, ProfileSet, compare, group
from drugsig.errors import DrugsigWarning
from drugsig.evidence import (
    PairSample,
    TargetSelection,
    known_pairs,
    learn_threshold,
    measure_discrimination,
    pair_sample,
)
from drugsig.evidence.evaluation import Evaluation, evaluate_held_out, evaluate_model
from drugsig.evidence.models import LrModelSpec, fit_lr_model
from drugsig.evidence.sensitivity import sensitivity
from drugsig.evidence.two_level import TwoLevelOptions
from drugsig.evidence.validation import validate
from drugsig.evidence.validation.disturbances import mistyped, redrawn
from drugsig.evidence.validation.secondary import HALF_COLUMN, with_halves
from drugsig.study import run_study

RULE = PopulationRule.from_data(
    {
        "name": "batches of one country",
        "source": ["country", "batch"],
        "source_level": "production batch",
        "linked": {"same": ["country", "batch"]},
        "unlinked": {"any": [{"different": ["batch"]}, {"different": ["country"]}]},
        "seizure": "batch",
        "strata": ["country"],
    }
)
NORMAL = LrModelSpec(replicate_level="unit", two_level=TwoLevelOptions(between="normal"))
KERNEL = LrModelSpec(replicate_level="unit", calibration="isotonic")
SCORE = LrModelSpec(
    replicate_level="unit", approach="score", metric="manhattan", calibration="none"
)
ITEMS = replace(KERNEL, item="half")
SPECS = {"normal": NORMAL, "kernel": KERNEL, "score": SCORE, "items": ITEMS}


@pytest.fixture(autouse=True)
def _few_sources_are_meant():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        yield


@cache
def made(*, n_sources: int = 24, seed: int = 0, prefix: str = "") -> ProfileSet:
    """Profiles whose ids, sorted, are neither in the order of rows nor that of their sources."""
    rng = np.random.default_rng(seed)
    sizes = 3 + np.arange(n_sources) % 3
    source = np.repeat(np.arange(n_sources), sizes)
    n = len(source)
    means = rng.normal(0.0, 0.5, (n_sources, 6))
    values = np.exp(2.0 + means[source] + 0.3 * rng.normal(size=(n, 6)))
    ids = [f"{prefix}{k}" for k in rng.permutation(n)]
    return ProfileSet(
        values,
        list("BCAFED"),
        {
            "profile_id": ids,
            "batch": [f"{prefix}{k % 12}" for k in source],
            "country": ["X" if k < 12 else "W" for k in source],
            "half": [f"{prefix}{s}{'ab'[int(i.removeprefix(prefix)) % 2]}"
                     for s, i in zip(source, ids, strict=True)],
        },
        uncertainty=0.05 * values,
        name="made",
    )  # fmt: skip


def shuffled(profiles: ProfileSet, seed: int) -> ProfileSet:
    return profiles.select(np.random.default_rng(seed).permutation(len(profiles)))


def of_other_targets(profiles: ProfileSet) -> ProfileSet:
    return profiles.keep_targets(list("FEDCBA"))


orders = pytest.mark.parametrize("seed", range(4))
specs = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def sampled(profiles: ProfileSet, metric: str = "pearson_distance") -> PairSample:
    return pair_sample(compare(profiles, metric=metric), profiles, RULE)


# -- pairs, thresholds, areas ----------


@given(st.permutations(range(len(made()))))
def test_pairs_come_in_the_order_of_ids_and_sources_in_that_of_names(order: list[int]) -> None:
    profiles = made().select(np.array(order))
    known = known_pairs(profiles, RULE)
    first = [profiles.ids[k] for k in known.first]
    second = [profiles.ids[k] for k in known.second]
    assert list(zip(first, second, strict=True)) == sorted(zip(first, second, strict=True))
    assert all(a < b for a, b in zip(first, second, strict=True))
    assert list(known.sources) == sorted(known.sources)
    plain = dict(zip(profiles.ids, zip(profiles.column("country"), profiles.column("batch"),
                                       strict=True), strict=True))  # fmt: skip
    for row, name in zip(profiles.ids, known.source, strict=True):
        assert known.sources[name] == " / ".join(str(t) for t in plain[row])


@orders
@pytest.mark.parametrize("metric", ["pearson_distance", "manhattan", "squared_cosine"])
def test_samples_thresholds_and_areas(seed: int, metric: str) -> None:
    one, other = (sampled(p, metric) for p in (made(), shuffled(made(), seed)))
    assert one.sources == other.sources
    for name in ("scores", "linked", "source_a", "source_b"):
        assert_array_equal(getattr(one, name), getattr(other, name))
    learned = [
        learn_threshold(s, false_positive_rate=0.1, rng=np.random.default_rng(1), n_resamples=300)
        for s in (one, other)
    ]
    assert learned[0].value == learned[1].value
    assert str(learned[0]) == str(learned[1])
    assert learned[0].rates.auc_interval == learned[1].rates.auc_interval
    measured = [
        measure_discrimination(s, rng=np.random.default_rng(1), n_resamples=300)
        for s in (one, other)
    ]
    assert measured[0].auc == measured[1].auc
    assert measured[0].equal_error_rate == measured[1].equal_error_rate


@orders
def test_groups_and_their_error_rates(seed: int) -> None:
    def grouped(profiles: ProfileSet) -> tuple[set[frozenset[str]], object]:
        comparison = compare(profiles, metric="pearson_distance")
        sample = pair_sample(comparison, profiles, RULE)
        threshold = learn_threshold(
            sample, false_positive_rate=0.1, rng=np.random.default_rng(1), n_resamples=200
        )
        found = group(comparison, threshold=threshold.value)
        parted: dict[int, set[str]] = {}
        for name, label in zip(profiles.ids, found.labels.tolist(), strict=True):
            parted.setdefault(label, set()).add(name)
        return {frozenset(part) for part in parted.values()}, found.partition_rates(sample)

    assert grouped(made()) == grouped(shuffled(made(), seed))


# -- likelihood ratios ----------


def evaluated(profiles: ProfileSet, spec: LrModelSpec, recipe: str | None = None) -> Evaluation:
    return evaluate_model(profiles, RULE, spec, recipe=recipe, seeds=[0, 1], n_folds=3)


def same_evaluation(one: Evaluation, other: Evaluation) -> None:
    assert one.items == other.items
    assert one.sources == other.sources
    assert one.folds == other.folds
    assert one.reference_set == other.reference_set
    assert one.notes == other.notes
    for name in ("fold", "item_a", "item_b", "linked", "log10_lr_raw", "log10_lr_calibrated"):
        assert_array_equal(getattr(one, name), getattr(other, name))
    assert_frame_equal(one.by_seed(), other.by_seed(), check_exact=True)


@orders
@specs
def test_folds_and_every_likelihood_ratio_of_an_evaluation(seed: int, spec: LrModelSpec) -> None:
    same_evaluation(evaluated(made(), spec), evaluated(shuffled(made(), seed), spec))


def test_a_recipe_that_learns_inside_the_folds() -> None:
    ways = [
        evaluated(p, NORMAL, recipe="sum | fourth_root | autoscale | drop_targets(A)")
        for p in (made(), shuffled(made(), 1))
    ]
    same_evaluation(*ways)
    told = [w.performance(rng=np.random.default_rng(2), n_resamples=200) for w in ways]
    assert told[0].cllr == told[1].cllr
    assert told[0].rows() == told[1].rows()


@orders
@specs
def test_models_are_equal_and_say_the_same(seed: int, spec: LrModelSpec) -> None:
    case = made(n_sources=3, seed=9, prefix="case ")
    one, other = (
        fit_lr_model(p, RULE, spec, rng=np.random.default_rng(4))
        for p in (made(), shuffled(made(), seed))
    )
    assert one == other
    assert one.digest == other.digest
    found = [one.evaluate(case), other.evaluate(shuffled(case, seed))]
    table = [
        {frozenset(pair): row for pair, row in zip(f.pairs, f.log10_lr_raw, strict=True)}
        for f in found
    ]
    assert table[0] == table[1]
    mixed = [one.evaluate(case, made()), other.evaluate(shuffled(case, seed), shuffled(made(), 7))]
    here, there = (
        f.to_frame().sort_values(["questioned", "reference"], ignore_index=True) for f in mixed
    )
    assert_frame_equal(here, there, check_exact=True)


def test_pairs_are_told_in_the_order_that_was_asked_for() -> None:
    case = made(n_sources=3, seed=9, prefix="case ")
    model = fit_lr_model(made(), RULE, NORMAL, rng=np.random.default_rng(4))
    ids = case.ids
    assert model.evaluate(case).pairs[:2] == ((ids[0], ids[1]), (ids[0], ids[2]))
    assert model.evaluate(case, made()).pairs[1] == (ids[0], made().ids[1])
    asked = [(ids[4], ids[0]), (ids[1], ids[2])]
    some = model.evaluate(case, pairs=asked)
    assert list(some.pairs) == asked
    whole = model.evaluate(case)
    assert some.log10_lr_raw[0] == pytest.approx(
        whole.log10_lr_raw[whole.find(ids[0], ids[4])], rel=1e-12
    )


def test_other_sources_judge_a_model_alike() -> None:
    model = fit_lr_model(made(), RULE, KERNEL, rng=np.random.default_rng(4))
    strange = made(n_sources=8, seed=9, prefix="case ")
    same_evaluation(
        evaluate_held_out(model, strange), evaluate_held_out(model, shuffled(strange, 3))
    )


# -- validation ----------


def test_a_validation_comes_to_the_same_verdicts() -> None:
    def found(profiles: ProfileSet):
        return validate(
            profiles, RULE, NORMAL, recipe="sum | drop_targets(A)", rng=np.random.default_rng(5),
            seeds=(0, 1), n_folds=3, change_seeds=1, n_resamples=200, mistyped_share=0.1,
        )  # fmt: skip

    one, other = found(made()), found(shuffled(made(), 2))
    assert one.report.findings == other.report.findings
    assert one.report.performance.rows() == other.report.performance.rows()
    assert one.report.arrangements == other.report.arrangements
    assert one.model.digest == other.model.digest
    differ = {k for k, v in one.report.digests.items() if other.report.digests[k] != v}
    assert differ == {"profiles"}


@orders
@pytest.mark.parametrize(
    "disturb",
    [redrawn, partial(redrawn, rsd=0.1), lambda p, rng: mistyped(p, rng=rng, share=0.2)[0]],
    ids=["uncertainty", "rsd", "mistyped"],
)
def test_disturbances_hit_the_same_profiles(seed: int, disturb: Callable[..., ProfileSet]) -> None:
    plain = disturb(made(), rng=np.random.default_rng(3))
    other = disturb(shuffled(made(), seed), rng=np.random.default_rng(3))
    assert_array_equal(plain.values, other.values[other.index_of(plain.ids)])
    assert (plain.values != made().values).any()


def test_mistyped_values_are_told_in_the_same_order() -> None:
    told = [
        mistyped(p, rng=np.random.default_rng(3), share=0.2)[1]
        for p in (made(), shuffled(made(), 4))
    ]
    assert told[0] == told[1]


@orders
def test_halves_of_a_source(seed: int) -> None:
    one, other = (with_halves(p, RULE) for p in (made(), shuffled(made(), seed)))
    halves = [dict(zip(p.ids, p.column(HALF_COLUMN), strict=True)) for p in (one, other)]
    assert halves[0] == halves[1]


def test_sensitivity_of_one_comparison() -> None:
    case = made(n_sources=2, seed=9, prefix="case ")
    sides = [case.select(["case 0"]), case.select(["case 1"])]

    def told(background: ProfileSet) -> pd.DataFrame:
        model = fit_lr_model(background, RULE, NORMAL, rng=np.random.default_rng(4))
        return sensitivity(
            model, *sides, background=shuffled(background, 8), rng=np.random.default_rng(6),
            strata="country", n_draws=20,
        ).to_frame()  # fmt: skip

    assert_frame_equal(told(made()), told(shuffled(made(), 5)), check_exact=True)


# -- studies ----------


def study_of(profiles: ProfileSet):
    return run_study(
        profiles,
        {"sum": "sum", "scaled": "sum | autoscale"},
        ["manhattan", "pearson_distance"],
        [RULE],
        selections={"all": TargetSelection(), "good": TargetSelection(variance_ratio=1.01)},
        rng=np.random.default_rng(2),
        n_folds=3,
        n_repeats=2,
        n_resamples=200,
        progress=False,
    )


@orders
def test_a_study_and_its_folds(seed: int) -> None:
    one, other = study_of(made()), study_of(shuffled(made(), seed))
    assert_frame_equal(one.table, other.table, check_exact=True)
    assert_frame_equal(one.optimism, other.optimism, check_exact=True)
    assert one.choices == other.choices


# -- targets ----------


@specs
def test_the_order_of_targets_moves_no_source_to_another_fold(spec: LrModelSpec) -> None:
    one, other = evaluated(made(), spec), evaluated(of_other_targets(made()), spec)
    for name in ("fold", "item_a", "item_b", "linked", "seed"):
        assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_allclose(one.log10_lr_raw, other.log10_lr_raw, rtol=1e-6)


def test_the_order_of_targets_changes_no_resample() -> None:
    one, other = (
        measure_discrimination(sampled(p), rng=np.random.default_rng(1), n_resamples=300)
        for p in (made(), of_other_targets(made()))
    )
    assert one.auc_interval.low == pytest.approx(other.auc_interval.low, rel=1e-3)
    assert one.auc_interval.high == pytest.approx(other.auc_interval.high, rel=1e-3)
