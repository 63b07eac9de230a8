"""The job on profiles: the same as on a file, from the arguments alone, with every finding once."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from drugsig import ProfileSet, analyse, read_profiles
from drugsig.analysis import Analysis, analyse_profiles
from drugsig.analysis.analysing import STEPS
from drugsig.errors import ConfigError, DrugsigWarning, InputError
from drugsig.report import render_report
from drugsig.workflow.config import AnalysisConfig
from tests.report.cases import analysis_of, raw_profiles
from tests.workflow.conftest import ANALYSIS, table_text


def quietly(profiles: ProfileSet, **options: object) -> Analysis:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return analyse_profiles(profiles, **options)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text(table_text(), encoding="utf-8")
    (tmp_path / "analysis.toml").write_text(ANALYSIS, encoding="utf-8")
    return tmp_path


def test_profiles_give_what_their_file_gives(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        of_file = analyse(folder / "analysis.toml")
    config = AnalysisConfig.read(folder / "analysis.toml")
    made = quietly(
        read_profiles(folder / "table.csv"),
        rule=config.rule,
        recipe=config.recipe,
        metric=config.metric,
        seed=config.seed,
    )
    for name in ("profiles", "compared", "comparison", "links", "groups"):
        assert getattr(made, name) == getattr(of_file, name)
    for name in ("checks", "undecided", "true_links", "least_true_links", "group_rates"):
        assert getattr(made, name) == getattr(of_file, name)
    assert made.threshold.value == of_file.threshold.value
    assert made.threshold.rates == of_file.threshold.rates
    assert made.inputs == ()
    assert of_file.inputs != ()


def test_the_same_profiles_give_the_same_analysis_and_stay_as_they_are() -> None:
    raw = raw_profiles()
    before = raw.digest
    first, second = quietly(raw, threshold=0.05), quietly(raw, threshold=0.05)
    assert first.links == second.links
    assert first.groups == second.groups
    assert raw.digest == before


def test_every_step_is_told_as_it_begins() -> None:
    told: list[str] = []
    quietly(raw_profiles(), threshold=0.05, progress=told.append)
    assert tuple(told) == STEPS


def test_a_result_without_inputs_makes_a_report_as_well() -> None:
    assert "30 profiles read" in render_report(quietly(raw_profiles(), threshold=0.05))


def test_neither_rule_nor_threshold_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing says where a link begins"):
        analyse_profiles(raw_profiles())


def test_profiles_that_cannot_be_compared_are_named() -> None:
    profiles = ProfileSet(np.zeros((3, 2)), ["A", "B"], ["x", "y", "z"])
    with pytest.raises(InputError, match=r"only 0 of 3 profiles.*'x' \(no impurity"):
        analyse_profiles(profiles, threshold=0.1, metric="euclidean")


def test_links_of_groups_are_counted_pair_by_pair() -> None:
    made = analysis_of(raw_profiles(), value=0.6)
    label = dict(zip(made.groups.ids, made.groups.labels.tolist(), strict=True))
    pairs = [
        (label[made.links.row_ids[a]], label[made.links.column_ids[b]])
        for a, b in zip(made.links.rows, made.links.columns, strict=True)
    ]
    for found in made.group_findings:
        assert found.links == sum(a == b == found.number for a, b in pairs)
        assert found.size == len(made.groups.members(found.number))
    assert made.links_between_groups == sum(a != b for a, b in pairs)


def test_components_that_are_one_group_are_no_finding() -> None:
    made = analysis_of(raw_profiles(), value=0.6)
    members: dict[int, set[int]] = {}
    for group, component in zip(made.groups.labels, made.groups.components, strict=True):
        members.setdefault(int(component), set()).add(int(group))
    mixed = {k: v for k, v in members.items() if len(v) > 1}
    assert {c.number: set(c.groups) for c in made.component_findings} == mixed != {}
