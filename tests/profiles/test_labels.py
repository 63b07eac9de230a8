"""Texts that mean not known name nothing, wherever known sources are looked for."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import drugsig
from drugsig import ProfileSet
from drugsig.comparison.within_source import WithinSource
from drugsig.errors import DataWarning, InputError
from drugsig.evidence import LrModelSpec, PopulationRule, known_pairs, pair_sample
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.models import fit_lr_model
from drugsig.profiles.labels import (
    NOT_AVAILABLE,
    LookAlikeLabels,
    NotKnownAsEmpty,
    is_not_known,
    known_texts,
    look_alike_notes,
    look_alikes,
)
from drugsig.profiles.status import Status
from drugsig.profiles.tables.cells import TOKENS
from drugsig.quality.outliers import find_outliers

WORDS = (
    *("unknown", "Unknown", " UNKNOWN ", "(unknown)", "[n/a]", "unknown?", "?", "???", "-", "--"),
    *("\u2014", "...", "n/a", "N/A", "#N/A", "NULL", "none", "NaN", "unbekannt", "keine Angabe"),
    *("inconnu", "d\u00e9sconnu", "non renseign\u00e9", "desconocido", "onbekend", "un\u200bknown"),
    *("#VALUE!", "#REF!", "#NAME?", "#NV", "\ufeff", "tbd", "sconosciuto"),
)

RULE = PopulationRule.from_data(
    {
        "name": "known batches",
        "source": ["batch_id"],
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
    }
)


def of_batches(word: str | None, *, column: str = "batch_id") -> ProfileSet:
    """Return 36 batches of three; every ninth profile has a word in a column."""
    rng = np.random.default_rng(5)
    batch = np.repeat(np.arange(36), 3)
    values = np.exp(rng.normal(0, 1, (36, 5))[batch] + rng.normal(0, 0.1, (108, 5)))
    table: dict[str, list[str | None]] = {
        "profile_id": [f"P{i:03}" for i in range(108)],
        "batch_id": [f"B{k:02}" for k in batch],
    }
    cells = table.setdefault(column, [f"{column} {i}" for i in range(108)])
    cells[::9] = [word] * 12
    return ProfileSet(values, list("ABCDE"), table)


@pytest.mark.parametrize("text", [w for w in WORDS if w != "d\u00e9sconnu"])
def test_a_word_for_not_known_is_one_in_every_writing(text: str) -> None:
    assert is_not_known(text)


@pytest.mark.parametrize(
    "text",
    [
        "B07",
        "d\u00e9sconnu",
        "UK",
        "KA",
        "NB",
        "0",
        "unknown lab 3",
        "*",
        "\u2665",
        "#1",
        "x" * 500,
    ],
)
def test_a_label_is_none(text: str) -> None:
    assert not is_not_known(text)


def test_what_is_not_available_is_one_list_for_targets_and_for_labels() -> None:
    assert {TOKENS[word] for word in NOT_AVAILABLE} == {Status.NOT_MEASURED}
    assert {w for w, s in TOKENS.items() if s is Status.NOT_MEASURED} == set(NOT_AVAILABLE)
    assert all(is_not_known(word) for word in NOT_AVAILABLE)


def test_an_id_is_what_it_is() -> None:
    profiles = ProfileSet([[1.0], [2.0]], ["A"], ["NA", "?"])
    assert known_texts(profiles, "profile_id") == ("NA", "?")


@pytest.mark.parametrize("word", ["unknown", "#N/A", "-", "?", "unbekannt"])
def test_pairs_are_those_of_an_empty_cell(word: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        empty = known_pairs(of_batches(None), RULE)
    with pytest.warns(DataWarning, match="'batch_id'"):
        found = known_pairs(of_batches(word), RULE)
    assert np.array_equal(found.first, empty.first)
    assert np.array_equal(found.second, empty.second)
    assert np.array_equal(found.linked, empty.linked)
    assert found.sources == empty.sources


def test_two_words_are_no_two_sources() -> None:
    profiles = of_batches("unknown")
    texts = list(profiles.column("batch_id"))
    texts[9] = "n/a"
    with pytest.warns(DataWarning):
        found = known_pairs(profiles.with_column("batch_id", texts), RULE)
    assert not {0, 9} & {*found.first.tolist(), *found.second.tolist()}


@pytest.mark.parametrize("column", ["specimen_id", "sequence_id"])
def test_a_specimen_or_series_that_is_not_known_is_no_common_one(column: str) -> None:
    empty = known_pairs(of_batches(None, column=column), RULE)
    with pytest.warns(DataWarning, match=column):
        found = known_pairs(of_batches("n/a", column=column), RULE)
    assert len(found) == len(empty)
    assert found.n_same_specimen == empty.n_same_specimen
    assert found.n_same_sequence == empty.n_same_sequence


def test_the_note_names_column_words_and_profiles_without_those_left_out() -> None:
    profiles = of_batches("unknown")
    texts = list(profiles.column("batch_id"))
    texts[9] = "N/A"
    mixed = profiles.with_column("batch_id", texts)
    comparison = drugsig.compare(mixed)
    with pytest.warns(DataWarning) as told:
        pair_sample(comparison, mixed, RULE)
    note = NotKnownAsEmpty("batch_id", ("N/A", "unknown"), 12)
    assert [str(w.message) for w in told] == [note.text]
    leaving = PopulationRule.from_data({**RULE.to_data(), "exclude": {"batch_id": ["unknown"]}})
    with pytest.warns(DataWarning, match="'N/A' in 1 profile"):
        pair_sample(comparison, mixed, leaving)


@pytest.mark.filterwarnings("ignore::drugsig.errors.DrugsigWarning")
def test_a_model_is_that_of_empty_cells_and_carries_the_note() -> None:
    spec = LrModelSpec("injection", calibration="none", bounds="none")
    made = {}
    for word in (None, "unknown"):
        profiles = drugsig.pretreat(of_batches(word), "log10")
        model = fit_lr_model(profiles, RULE, spec, rng=np.random.default_rng(1))
        judged = evaluate_model(profiles, RULE, spec, n_folds=3, seeds=[0])
        made[word] = (model, judged)
    empty, told = made[None], made["unknown"]
    assert told[0].profile_sources == empty[0].profile_sources
    assert np.array_equal(told[1].log10_lr_raw, empty[1].log10_lr_raw)
    note = NotKnownAsEmpty("batch_id", ("unknown",), 12)
    assert note in told[0].notes
    assert note in told[1].notes
    assert note not in empty[0].notes
    json.dumps(note.to_data())


def test_what_learns_from_sources_takes_it_as_empty() -> None:
    empty, word = of_batches(None), of_batches("#N/A")
    assert np.array_equal(
        WithinSource.of(word, source="batch_id").contrasts,
        WithinSource.of(empty, source="batch_id").contrasts,
    )
    assert (
        NotKnownAsEmpty("batch_id", ("#N/A",), 12) in WithinSource.of(word, source="batch_id").notes
    )
    with pytest.warns(DataWarning, match="#N/A"):
        found = find_outliers(word, source="batch_id", scale="log")
    assert found.findings == find_outliers(empty, source="batch_id", scale="log").findings


def test_an_item_that_is_not_known_is_refused() -> None:
    spec = LrModelSpec("injection", item="specimen_id")
    profiles = drugsig.pretreat(of_batches("unknown", column="specimen_id"), "log10")
    with pytest.raises(InputError, match="means not known"):
        fit_lr_model(profiles, RULE, spec, rng=np.random.default_rng(1))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("B07", "b07"),
        ("B07", "B07\u200b"),
        ("\u00e907", "e\u030107"),
        ("7", "07"),
        ("B 07", "B07"),
        ("\uff22\uff10\uff17", "B07"),
        ("2024-015", "\u202e2024-015"),
        ("STRASSE", "stra\u00dfe"),
    ],
)
def test_labels_that_read_the_same_are_found_whatever_makes_them_differ(
    one: str, other: str
) -> None:
    assert look_alikes([one, other, "C1", None]) == (tuple(sorted((one, other))),)


@pytest.mark.parametrize(
    ("one", "other"), [("B07", "B70"), ("1.05", "1.5"), ("e1", "\u00e91"), ("B0", "B"), ("a", "a")]
)
def test_labels_that_differ_for_a_reader_are_not(one: str, other: str) -> None:
    assert look_alikes([one, other]) == ()


def test_what_is_not_seen_is_shown() -> None:
    assert "'B07' and 'B07\\u200b'" in LookAlikeLabels("x", (("B07", "B07\u200b"),), 1).text
    assert "'e\\u0301' and '\u00e9'" in LookAlikeLabels("x", (("e\u0301", "\u00e9"),), 1).text


@pytest.mark.filterwarnings("ignore::drugsig.errors.SmallSampleWarning")
def test_sources_that_read_the_same_are_told_and_not_merged() -> None:
    profiles = of_batches(None)
    texts = list(profiles.column("batch_id"))
    texts[1] = "b00"
    profiles = profiles.with_column("batch_id", texts)
    with pytest.warns(DataWarning, match="'B00' and 'b00'"):
        found = known_pairs(profiles, RULE)
    assert {"B00", "b00"} <= set(found.sources)
    spec = LrModelSpec("injection", calibration="none", bounds="none")
    with pytest.warns(DataWarning):
        model = fit_lr_model(
            drugsig.pretreat(profiles, "log10"), RULE, spec, rng=np.random.default_rng(1)
        )
    assert LookAlikeLabels("batch_id", (("B00", "b00"),), 1) in model.notes


def test_of_many_the_first_are_spelled_out_and_all_are_counted() -> None:
    ids = [f"{case}{k}" for k in range(30) for case in "Aa"]
    profiles = ProfileSet(np.ones((60, 1)), ["A"], ids)
    (note,) = look_alike_notes(profiles, ["profile_id"])
    assert (len(note.labels), note.n_sets) == (20, 30)
    assert note.text.count(" and ") == 6
    assert "25 more" in note.text
