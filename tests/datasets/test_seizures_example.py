"""The example "profiles" teaches what it should: its clean profiles are grouped exactly."""

from __future__ import annotations

import tomllib
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import drugsig
from drugsig import Status
from drugsig._notes import Note
from drugsig.evidence import threshold_for
from drugsig.groups import find_undecided
from drugsig.profiles.tables import read_profiles, read_table
from drugsig.quality import check_profiles

DISTURBED = {"indistinguishable", "aged", "mixed"}


@dataclass(frozen=True)
class Truth:
    """What the simulation did, by profile."""

    sources: dict[str, str]
    states: dict[str, str]

    def ids(self, *states: str) -> set[str]:
        return {i for i, state in self.states.items() if state in states}


@pytest.fixture(scope="module")
def truth(example: Path) -> Truth:
    columns, rows = read_table(example / "truth.csv")
    assert columns[:3] == ["profile_id", "source_id", "state"]
    return Truth({r[0]: r[1] for r in rows}, {r[0]: r[2] for r in rows})


@pytest.fixture(scope="module")
def config(example: Path) -> dict[str, Any]:
    return tomllib.loads((example / "analysis.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def profiles(example: Path, config: dict[str, Any]) -> drugsig.ProfileSet:
    reading = dict(config["input"])
    return read_profiles(example / reading.pop("path"), **reading)


@pytest.fixture(scope="module")
def rule(config: dict[str, Any]) -> drugsig.PopulationRule:
    return drugsig.PopulationRule.from_data(config["population"])


@dataclass(frozen=True, eq=False)
class Result:
    """An analysis by the functions of the library."""

    comparison: drugsig.Comparison
    sample: drugsig.PairSample
    threshold: drugsig.Threshold
    groups: drugsig.Groups
    undecided: dict[str, tuple[Note, ...]]


@pytest.fixture(scope="module")
def result(
    profiles: drugsig.ProfileSet, config: dict[str, Any], rule: drugsig.PopulationRule
) -> Result:
    kept = profiles.without(c.profile_id for c in check_profiles(profiles) if c.excluded)
    treated = drugsig.pretreat(kept, config["pretreatment"]["recipe"])
    comparison = drugsig.compare(treated, metric=config["comparison"]["metric"])
    # No warning: neither of few sources nor of chaining.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threshold = threshold_for(
            comparison,
            kept,
            rule,
            rng=np.random.default_rng(config["run"]["seed"]),
            false_positive_rate=config["threshold"]["false_positive_rate"],
            n_resamples=200,
        )
        groups = drugsig.group(
            comparison, threshold=threshold.value, linkage=config["groups"]["linkage"]
        )
    links = comparison.links(threshold.value)
    sample = drugsig.pair_sample(comparison, kept, rule)
    undecided = find_undecided(groups, links, sample=sample, left_out=sample.left_out)
    return Result(comparison, sample, threshold, groups, undecided)


def same_partition(first: Iterable[object], second: Iterable[object]) -> bool:
    """Say whether two labellings are one up to relabelling."""
    pairs = set(zip(first, second, strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


# -- what the files hold -------------------------------------------------------------------


def test_the_readme_counts_right(example: Path, profiles: drugsig.ProfileSet, truth: Truth) -> None:
    readme = (example / "README.txt").read_text(encoding="utf-8")
    specimens = len(set(profiles.column("specimen")))
    assert f"{len(profiles)} measurements\n" in readme
    assert f"of {specimens} specimens" in readme
    for state in set(truth.states.values()):
        assert f"\n                {state} " in readme


def test_the_truth_covers_every_profile(profiles: drugsig.ProfileSet, truth: Truth) -> None:
    assert set(truth.sources) == set(profiles.ids)
    # The documentation says these numbers.
    assert Counter(truth.states.values()) == {
        "clean": 174,
        "indistinguishable": 16,
        "aged": 6,
        "mixed": 5,
        "incomplete": 2,
    }


def test_ids_that_look_like_something_else_stay_what_they_are(
    profiles: drugsig.ProfileSet,
) -> None:
    assert {"001", "NA", "1e5", "TRUE"} <= set(profiles.ids)


def test_every_way_to_write_a_cell_occurs(example: Path, profiles: drugsig.ProfileSet) -> None:
    sheet = openpyxl.load_workbook(example / "seizures.xlsx")["Profiles"]
    rows = [list(r) for r in sheet.iter_rows(values_only=True)]
    assert [c for c in rows[0] if c is not None] == [rows[0][0]]
    assert {row[1] for row in rows} == {None}
    cells = [c for row in rows[3:] for c in row[2:]]
    texts = {c for c in cells if isinstance(c, str)}
    assert {"n.d.", "<0,05", "-", "n.a."} <= texts
    assert any(t.replace(",", "").isdigit() and "," in t for t in texts)
    assert any(isinstance(c, float) for c in cells)
    counts = profiles.history[0].detail["counts"]
    assert counts["empty as not_measured"] > 1


def test_roles_and_limits_are_read(profiles: drugsig.ProfileSet) -> None:
    roles = {t.name: t.role for t in profiles.targets if t.role != "impurity"}
    assert roles == {
        "tetracosane": "internal_standard",
        "cocaine": "main",
        "levamisole": "cutting_agent",
        "benzoylecgonine": "degradation_product",
    }
    known = profiles.limits[np.isfinite(profiles.limits)]
    assert set(known) == {0.05}
    impurity = np.array([t.role == "impurity" for t in profiles.targets])
    found = profiles.values[:, impurity][profiles.detected[:, impurity]]
    assert found.min() >= 0.05


def test_two_profiles_are_incomplete_and_no_other_is_excluded(
    profiles: drugsig.ProfileSet, truth: Truth
) -> None:
    excluded = {c.profile_id for c in check_profiles(profiles) if c.excluded}
    assert excluded == truth.ids("incomplete")
    place = profiles.target_names.index("tropacocaine")
    status = profiles.status[profiles.index_of(sorted(excluded)), place]
    assert (status == Status.NOT_MEASURED).all()


def test_the_remark_names_what_is_disturbed(
    profiles: drugsig.ProfileSet, rule: drugsig.PopulationRule, truth: Truth
) -> None:
    assert set(rule.left_out(profiles)) == truth.ids(*DISTURBED)


def test_known_batches_are_right_and_incomplete(profiles: drugsig.ProfileSet, truth: Truth) -> None:
    batches = dict(zip(profiles.ids, profiles.column("known batch"), strict=True))
    known = {i: b for i, b in batches.items() if b is not None}
    assert same_partition(known.values(), [truth.sources[i] for i in known])
    without = truth.ids("clean") - set(known)
    assert len(without) >= 30
    sources = Counter(truth.sources[i] for i in known)
    assert any(truth.sources[i] in sources for i in without)
    assert any(truth.sources[i] not in sources for i in without)


def test_a_seizure_is_no_source(profiles: drugsig.ProfileSet, truth: Truth) -> None:
    pairs = {
        (seizure, truth.sources[i])
        for i, seizure in zip(profiles.ids, profiles.column("seizure"), strict=True)
    }
    assert max(Counter(s for s, _ in pairs).values()) > 1
    assert max(Counter(b for _, b in pairs).values()) > 1


# -- what comes out ------------------------------------------------------------------------


def test_the_threshold_rests_on_enough(result: Result) -> None:
    sample = result.sample
    assert sample.n_linked_sources >= 35
    assert sample.n_unlinked >= 5000
    assert sample.n_same_specimen > 0
    # Some batches were met in many seizures, others in two: that is told, and nothing else is few.
    (few,) = [w for w in map(str, result.threshold.notes) if "fewer than" in w]
    assert "weigh like those of" in few
    assert [s.n_pairs > 0 for s in result.threshold.rates.strata] == [True] * 4


def test_linked_and_unlinked_separate_but_not_by_much(result: Result) -> None:
    sample = result.sample
    assert result.threshold.rates.separated
    assert result.threshold.capped
    farthest = sample.linked_scores.max()
    nearest = sample.unlinked_scores.min()
    # Far enough that rounding decides nothing, near enough to be no toy.
    assert 1.2 < nearest / farthest < 3
    assert farthest > 5 * np.median(sample.linked_scores)


def test_clean_profiles_are_grouped_exactly(result: Result, truth: Truth) -> None:
    groups = result.groups
    clean = [k for k, i in enumerate(groups.ids) if truth.states[i] == "clean"]
    sources = [truth.sources[groups.ids[k]] for k in clean]
    assert same_partition((int(groups.labels[k]) for k in clean), sources)
    assert same_partition((int(groups.components[k]) for k in clean), sources)
    sizes = Counter(sources)
    assert min(sizes.values()) == 1
    assert max(sizes.values()) >= 10


def test_the_others_and_only_they_are_undecided(result: Result, truth: Truth) -> None:
    assert set(result.undecided) == truth.ids(*DISTURBED)


def test_indistinguishable_sources_end_in_one_group(result: Result, truth: Truth) -> None:
    label = dict(zip(result.groups.ids, result.groups.labels.tolist(), strict=True))
    twins = truth.ids("indistinguishable")
    assert len({truth.sources[i] for i in twins}) == 4
    assert len({label[i] for i in twins}) == 2


def test_the_whole_job_comes_to_the_same(example: Path, result: Result, truth: Truth) -> None:
    from drugsig.workflow import analyse

    analysis = analyse(example / "analysis.toml", progress=False)
    assert set(analysis.excluded) == truth.ids("incomplete")
    assert analysis.threshold.value == result.threshold.value
    assert analysis.groups.labels.tolist() == result.groups.labels.tolist()
    assert set(analysis.undecided) == truth.ids(*DISTURBED)
    # Nothing is warned of; what every report says of its rates is no warning.
    assert [t.note for t in analysis.notes if t.note.category is not None] == []
