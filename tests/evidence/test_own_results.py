"""Results of drugsig that come back as known sources, and columns named nearly as known ones."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drugsig import (
    PopulationRule,
    ProfileSet,
    analyse_profiles,
    compare,
    read_profiles,
    threshold_for,
)
from drugsig.analysis.analysis import Analysis
from drugsig.errors import CircularRuleWarning, DrugsigWarning
from drugsig.evidence.pairs import known_pairs
from drugsig.evidence.populations import get_rule, label_notes, own_results
from drugsig.profiles.labels import nearly_named
from drugsig.quality.profile_checks import LookAlikeTargets, data_notes
from drugsig.workflow import analyse

N, TARGETS = 60, 8


def rule(column: str) -> PopulationRule:
    return PopulationRule.from_data(
        {
            "name": "known",
            "source": [column],
            "linked": {"same": [column]},
            "unlinked": {"different": [column]},
        }
    )


def noise(**columns: Sequence[str | None]) -> ProfileSet:
    """Return profiles without any common source."""
    values = np.random.default_rng(5).lognormal(0, 0.3, (N, TARGETS))
    table = {"profile_id": [f"P{k:03d}" for k in range(N)], **columns}
    return ProfileSet(values, [f"T{k}" for k in range(TARGETS)], table)


def quietly(profiles: ProfileSet, **options: object) -> Analysis:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return analyse_profiles(profiles, n_resamples=100, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def groups_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        analyse(noise(), threshold=0.3, out=folder / "out", n_resamples=100)
    return folder / "out" / "groups.csv"


@pytest.fixture
def joined(groups_csv: Path, tmp_path: Path) -> ProfileSet:
    profiles = noise()
    lines = [",".join(["sample", *profiles.target_names])]
    for name, row in zip(profiles.ids, profiles.values.tolist(), strict=True):
        lines.append(",".join([name, *map(repr, row)]))
    (tmp_path / "z.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_profiles(tmp_path / "z.csv", metadata_path=groups_csv)


def test_a_table_of_groups_makes_the_rule_circular(joined: ProfileSet) -> None:
    assert get_rule(rule("group"), joined).circular == ("group",)
    assert get_rule(rule("component"), joined).circular == ("component",)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = threshold_for(
            compare(joined), joined, rule("group"), rng=np.random.default_rng(1), n_resamples=100
        )
    assert sum(w.category is CircularRuleWarning for w in caught) == 1
    assert found.rates.rule.circular == ("group",)
    codes = {one.note.code for one in quietly(joined, rule=rule("group")).notes}
    assert {"circular-rule", "circular-population"} <= codes


def test_group_names_alone_are_recognised(joined: ProfileSet) -> None:
    renamed = noise(batch=list(joined.column("group")))
    assert own_results(renamed, ["batch", "absent"]) == ("batch",)
    assert own_results(noise(batch=["B1", "B2"] * (N // 2)), ["batch"]) == ()
    # A laboratory's own names, of which the second has more profiles than the first.
    own = ["G001"] * 10 + ["G002"] * (N - 10)
    assert own_results(noise(batch=own), ["batch"]) == ()


def test_a_table_of_links_is_recognised() -> None:
    texts: list[str | None] = ["x", "y"] * (N // 2)
    with_links = noise(reference=texts, score=texts, threshold=texts, few_detected=texts)
    assert own_results(with_links, ["reference"]) == ("reference",)
    assert own_results(noise(reference=texts), ["reference"]) == ()


def test_a_rule_keeps_what_it_says_itself(joined: ProfileSet) -> None:
    said = replace(rule("group"), derived=("group",))
    assert get_rule(said, joined) is said
    assert get_rule(said) is said


def test_sources_that_are_the_groups_are_told(joined: ProfileSet) -> None:
    names = {t: f"batch {k}" for k, t in enumerate(dict.fromkeys(joined.column("group")))}
    renamed = noise(batch=[names[t] for t in joined.column("group")])
    first = quietly(renamed, threshold=0.3, rule=rule("batch"))
    told = [one.note for one in first.notes if one.note.code == "sources-are-groups"]
    assert [note.facts["columns"] for note in told] == [("batch",)]
    partly = renamed.column("batch")
    unknown = noise(batch=[None, *partly[1:]])
    codes = {one.note.code for one in quietly(unknown, threshold=0.3, rule=rule("batch")).notes}
    assert "sources-are-groups" not in codes


# -- columns and targets ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("sequence", "sequence_id"),
        ("Sequence ID", "sequence_id"),
        ("SEQ", "sequence_id"),
        ("Sequenz-Nr.", "sequence_id"),
        ("Specimen no", "specimen_id"),
        ("Epoch", "epoch"),
        ("\u00e9poque", "epoch"),
    ],
)
def test_a_column_named_nearly_as_a_known_one_is_found(heading: str, known: str) -> None:
    texts: list[str | None] = ["a", "b"] * (N // 2)
    assert nearly_named(noise(**{heading: texts}), known) == (heading,)
    assert nearly_named(noise(**{heading: texts, known: texts}), known) == ()
    assert nearly_named(noise(consequences=texts, place=texts), known) == ()


def test_a_rule_tells_of_it_unless_it_names_the_column() -> None:
    texts: list[str | None] = ["a", "b", "c"] * (N // 3)
    profiles = noise(sequence=texts, batch=texts)
    (note,) = label_notes(rule("batch"), profiles)
    assert note.code == "nearly-known-column"
    assert "sequence = 'sequence' in the population rule" in note.text
    assert label_notes(replace(rule("batch"), sequence="sequence"), profiles) == ()
    assert label_notes(replace(rule("batch"), same_sequence=True), profiles) == ()
    assert label_notes(rule("sequence"), profiles) == ()


def test_targets_that_read_the_same_are_told() -> None:
    values = np.random.default_rng(1).lognormal(0, 1, (20, 4))
    ids = [f"P{k}" for k in range(20)]
    profiles = ProfileSet(values, ["T1", "t1\u200b", "norcocaine", "T2"], ids)
    found = [n for n in data_notes(profiles) if isinstance(n, LookAlikeTargets)]
    assert [set(n.targets) for n in found] == [{"T1", "t1\u200b"}]


def test_known_pairs_of_own_groups_are_marked(joined: ProfileSet) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        pairs = known_pairs(joined, rule("group"))
    assert pairs.rule is not None
    assert pairs.rule.circular == ("group",)
