from __future__ import annotations

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drugsig import PopulationRule, ProfileSet, pretreat
from drugsig.errors import (
    DrugsigWarning,
    InputError,
    MetadataError,
    PopulationError,
)
from drugsig.evidence.discrimination import FewSourcesOfDiscrimination
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.models import load_model
from drugsig.evidence.performance import cllr
from drugsig.evidence.validation import CHARACTERISTICS, MEASURES, Criteria, ValidationReport
from drugsig.evidence.validation.changes import pair_costs
from drugsig.evidence.validation.secondary import HALF_COLUMN, with_halves
from drugsig.evidence.validation.validating import lr_discrimination, validate
from tests.evidence.validation.cases import (
    N_SOURCES,
    QUICK,
    RECIPE,
    RULE,
    SPEC,
    batches,
    small_validation,
    validated,
)


def value_of(report: ValidationReport, measure: str) -> float:
    """Return a figure that was measured."""
    estimate = report.finding(measure).estimate
    assert estimate is not None
    return estimate.value


@pytest.fixture(scope="module")
def report() -> ValidationReport:
    return small_validation().report


def test_every_figure_is_there_once_and_was_measured(report: ValidationReport) -> None:
    assert [f.measure for f in report.findings] == list(MEASURES)
    assert [f.measure for f in report.findings if f.estimate is None] == []
    assert list(report.verdicts) == list(CHARACTERISTICS)


def test_the_figures_are_those_of_left_out_sources() -> None:
    made = small_validation()
    evaluation = made.evaluation
    expected = cllr(evaluation.log10_lr_bounded, evaluation.linked)
    assert value_of(made.report, "cllr") == pytest.approx(expected, rel=1e-12)
    assert made.report.performance.n_linked_sources == N_SOURCES
    # Left-out sources cannot look better than fitted ones on the whole.
    assert value_of(made.report, "optimism") > 0


def test_profiles_of_an_unknown_part_teach_no_model_that_is_judged_elsewhere() -> None:
    profiles = batches()
    unknown = np.array([batch in ("B020", "B021") for batch in profiles.column("batch_id")])
    table = {name: list(profiles.column(name)) for name in ("specimen_id", "batch_id")}
    years = [None if u else y for u, y in zip(unknown, profiles.column("year"), strict=True)]
    table = {"profile_id": list(profiles.ids), **table, "year": years}
    rng = np.random.default_rng(0)
    wild = np.where(unknown[:, None], rng.lognormal(size=profiles.values.shape), profiles.values)
    costs = []
    for values, rows in ((profiles.values, ~unknown), (wild, np.ones(len(unknown), dtype=bool))):
        one = ProfileSet(values, profiles.targets, table).select(np.flatnonzero(rows))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DrugsigWarning)
            made = validate(
                one, RULE, SPEC, recipe=RECIPE, rng=np.random.default_rng(5), elsewhere="year",
                **QUICK,
            )  # fmt: skip
        costs.append([part.cllr for part in made.report.elsewhere])
    assert costs[0] == costs[1]


def test_a_pair_judged_with_several_fold_seeds_is_counted_once() -> None:
    evaluation = small_validation().evaluation
    found = lr_discrimination(evaluation, rng=np.random.default_rng(0), n_resamples=100)
    assert found.notes[0] == FewSourcesOfDiscrimination(24, "known batches")
    pairs = {(a, b, k) for a, b, k in zip(evaluation.item_a.tolist(), evaluation.item_b.tolist(),
                                          evaluation.linked.tolist(), strict=True)}  # fmt: skip
    assert found.dependence.n_linked == sum(linked for *_, linked in pairs)
    assert found.dependence.n_linked + found.dependence.n_unlinked == len(pairs) < len(evaluation)


def test_items_with_less_and_with_more_data_are_told(report: ValidationReport) -> None:
    least, most = report.arrangements
    assert (least.profiles_an_item, most.profiles_an_item) == (1.0, 2.0)
    change = value_of(report, "change_with_more_data")
    assert change == pytest.approx(most.cllr - least.cllr, rel=1e-9)


def test_more_data_give_better_lrs() -> None:
    # Over several fold seeds: with one, as the report has here, chance may decide.
    found = []
    for profiles, item in ((batches(), None), (with_halves(batches(), RULE), HALF_COLUMN)):
        spec = replace(SPEC, item=item)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DrugsigWarning)
            evaluation = evaluate_model(
                profiles, RULE, spec, recipe=RECIPE, seeds=range(4), n_folds=3
            )
        found.append(pair_costs(evaluation).cllr)
    single, halves = found
    assert halves < single


def test_each_part_elsewhere_is_judged_by_the_other(report: ValidationReport) -> None:
    assert [part.name for part in report.elsewhere] == ["2023", "2024"]
    assert {part.n_linked_sources for part in report.elsewhere} == {N_SOURCES // 2}
    worst = max(part.cllr for part in report.elsewhere)
    assert value_of(report, "cllr_elsewhere") == worst


def test_json_is_strict_complete_and_the_same_on_every_run(report: ValidationReport) -> None:
    text = report.to_json()
    data = json.loads(text, parse_constant=pytest.fail)
    assert data["propositions"]["source_level"] == "production batch"
    assert data["counts"]["linked_sources"] == N_SOURCES
    assert {"drugsig", "numpy", "python"} <= set(data["versions"])
    assert len(data["digests"]["profiles"]) == 64
    again = validated(uncertainty_rsd=0.05, elsewhere="year")
    assert again.report.to_json() == text
    assert again.model == small_validation().model


def test_the_model_carries_the_validation_also_through_a_file(tmp_path: Path) -> None:
    made = small_validation()
    carried = load_model(made.model.save(tmp_path / "model.npz")).validation
    assert carried is not None
    assert carried.verdicts == made.report.verdicts
    assert carried.report == made.report.digest
    assert made.report.digests["model"] == made.model.digest


def test_what_was_not_given_is_not_assessed_and_the_whole_does_not_pass() -> None:
    found = validated(
        criteria=Criteria.from_data(
            {
                "name": "easy",
                "source": "a test",
                "criteria": [
                    {"measure": name, "at_most": 1e9, "why": "never failed"}
                    for name in MEASURES
                    if name != "auc"
                ],
            }
        )
    ).report
    open_ones = {f.measure for f in found.findings if f.estimate is None}
    assert open_ones == {"change_with_noise", "cllr_elsewhere"}
    assert found.verdicts["accuracy"] == "pass"
    assert found.verdicts["robustness"] == found.verdicts["generalisation"] == "not assessed"
    assert found.verdict == "not assessed"
    # The one figure without a criterion does not stand in the way of the others.
    assert found.finding("auc").verdict == "not assessed"
    assert found.verdicts["discriminating_power"] == "pass"


def test_one_criterion_that_is_not_met_fails_its_characteristic_and_the_whole() -> None:
    report = small_validation().report
    hard = Criteria.from_data(
        {
            "name": "hard",
            "source": "a test",
            "criteria": [{"measure": "cllr", "at_most": 0.001, "why": "cannot be met"}],
        }
    )
    found = validated(criteria=hard).report
    assert found.finding("cllr").verdict == "fail"
    assert (found.verdicts["accuracy"], found.verdict) == ("fail", "fail")
    # The criteria judge; they change no figure.
    assert found.finding("cllr").estimate == report.finding("cllr").estimate


def test_profiles_that_were_pretreated_before_are_not_disturbed_as_areas_are() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        found = validate(
            pretreat(batches(), RECIPE), RULE, SPEC,
            rng=np.random.default_rng(1), uncertainty_rsd=0.05, **QUICK,
        ).report  # fmt: skip
    for name in ("change_with_mistyped", "change_with_mistyped_background", "change_with_noise"):
        assert "untreated profiles and a recipe" in found.finding(name).why
        assert found.finding(name).verdict == "not assessed"
    assert found.recipe == ""


def test_items_can_be_named_by_a_column() -> None:
    spec = replace(SPEC, item="specimen_id")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        found = validate(
            batches(), RULE, spec, rng=np.random.default_rng(1), recipe=RECIPE, **QUICK
        ).report
    assert [a.name for a in found.arrangements][:2] == [
        "one profile against one",
        "items by column 'specimen_id'",
    ]
    assert found.n_items == len(batches())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"change_seeds": 0}, "change_seeds"),
        ({"background_share": 50}, "percentage"),
        ({"mistyped_share": 1.0}, "share"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        validated(**changed)


def test_what_cannot_work_is_refused_before_anything_is_fitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fit(*_: object, **__: object) -> None:
        raise AssertionError("something was fitted")

    monkeypatch.setattr("drugsig.evidence.validation.validating.evaluated", fit)
    with pytest.raises(MetadataError, match="'Year'"):
        validated(elsewhere="Year")
    alone = PopulationRule.from_data(RULE.to_data() | {"linked": {"same": ["specimen_id"]}})
    with pytest.raises(PopulationError, match=r"no linked pair.*one specimen"):
        validate(batches(), alone, SPEC, rng=np.random.default_rng(1))


def test_wrong_values_are_told_with_what_the_outlier_check_names(report: ValidationReport) -> None:
    judged = report.finding("change_with_mistyped")
    background = report.finding("change_with_mistyped_background")
    assert "in 1 of 96 profiles" in judged.why
    assert "fitted to the profiles as they are" in judged.why
    assert re.search(r"names, \d of 1, .* would change by [+-]", background.why)


def test_a_rate_that_the_bounds_make_impossible_says_so(report: ValidationReport) -> None:
    bounds = small_validation().evaluation.folds[0].bounds
    assert bounds is not None
    assert bounds.high < 2
    found = report.finding("strong_unlinked")
    assert "the bounds never let an LR be so strong" in found.why
    assert found.verdict_in_words == "pass"


def test_a_seed_is_no_generator() -> None:
    with pytest.raises(InputError, match="default_rng"):
        validate(batches(), RULE, SPEC, rng=1)  # type: ignore[arg-type]


def test_it_shows_itself_as_a_table(report: ValidationReport) -> None:
    shown = report._repr_html_()
    assert "Validation of &#x27;batches&#x27;: fail" in shown
    assert all(f.about.label.split(",")[0] in shown for f in report.findings[:4])
    assert "24 linked sources" in repr(report)
