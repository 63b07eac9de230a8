"""What makes a wrong number likely is told by every job, and kept in what it writes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import drugsig
from drugsig._notes import Note
from drugsig.errors import DataWarning
from drugsig.evidence.models import load_model
from drugsig.quality.profile_checks import data_notes, dominant_targets
from drugsig.workflow import validate_method
from drugsig.workflow.link_search import search_links
from tests.evidence.validation.cases import batches
from tests.workflow.test_validating import VALIDATION

CODES = {"risky-reading", "look-alike-labels", "dominant-target"}

IMPURITIES = ["T01", "T02", "T03", "T04"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a table with a main compound among the impurities, and two ids that look alike."""
    profiles = batches().keep_targets(IMPURITIES)
    much = np.random.default_rng(2).uniform(20, 60, len(profiles))
    ids = list(profiles.ids)
    ids[1] = f"{ids[0]}\u200b"
    columns = ["batch_id", "specimen_id", "year"]
    lines = [",".join(["profile", *columns, *profiles.target_names, "cocaine"])]
    for k, name in enumerate(ids):
        values = [float(x) for x in profiles.values[k]]
        own = [str(profiles.column(c)[k]) for c in columns]
        lines.append(",".join([name, *own, *map(repr, values), repr(float(much[k] * sum(values)))]))
    path = tmp_path / "plain.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def warned_of(job: Callable[[], object]) -> list[str]:
    """Return the warnings of a job about data."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        job()
    return [str(w.message) for w in caught if w.category is DataWarning]


def expected(table: Path) -> tuple[Note, ...]:
    found = data_notes(drugsig.read_profiles(table))
    assert {note.code for note in found} == CODES
    return found


def test_an_analysis_tells_them(table: Path) -> None:
    told = warned_of(lambda: drugsig.analyse(table, threshold=0.01))
    for note in expected(table):
        assert told.count(note.text) == 1


def test_links_tell_them_and_keep_them_beside_the_table(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "links.csv"
    told = warned_of(
        lambda: search_links(
            table, threshold=0.01, recipe="sum | fourth_root", out=out, progress=False
        )
    )
    notes = expected(table)
    for note in notes:
        assert told.count(note.text) == 1
    kept = json.loads((tmp_path / "links.csv.json").read_text(encoding="utf-8"))["notes"]
    assert kept[: len(notes)] == json.loads(json.dumps([note.to_data() for note in notes]))


def test_links_of_two_tables_tell_those_of_both(table: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text(
        table.read_text(encoding="utf-8").replace("cocaine", "T9").replace("\u200b", "x"),
        encoding="utf-8",
    )
    ours = drugsig.read_profiles(table, targets=IMPURITIES, metadata=["cocaine"])
    theirs = drugsig.read_profiles(good, targets=IMPURITIES, metadata=["T9"])
    assert data_notes(theirs) == ()
    for pair in ((ours, theirs), (theirs, ours)):
        search = partial(search_links, metric="euclidean", threshold=0.01, progress=False)
        told = warned_of(partial(search, *pair))
        assert [text for text in told if "read the same" in text] == [data_notes(ours)[0].text]


def test_a_validation_tells_them_in_every_file(table: Path, tmp_path: Path) -> None:
    (tmp_path / "validation.toml").write_text(
        VALIDATION.replace("profiles.csv", table.name), encoding="utf-8"
    )
    out = tmp_path / "out"
    told = warned_of(lambda: validate_method(tmp_path / "validation.toml", out=out, progress=False))
    page = (out / "validation.html").read_text(encoding="utf-8")
    kept = json.loads((out / "validation.json").read_text(encoding="utf-8"))["notes"]
    model = load_model(out / "model.npz")
    for note in expected(table):
        assert told.count(note.text) == 1
        assert json.loads(json.dumps(note.to_data())) in kept
        assert note in model.notes
    assert "Mind how the table was read" in page
    assert "A target that may be no impurity" in page
    assert "Labels that read the same" in page


def test_values_that_may_be_negative_have_no_dominant_target() -> None:
    values = np.column_stack([np.full(9, 9.0), np.full(9, -1.0), np.full(9, 0.5)])
    profiles = drugsig.ProfileSet(values, list("ABC"), [str(k) for k in range(9)])
    assert dominant_targets(profiles) == {}
    assert list(dominant_targets(profiles.keep_targets(["A", "C"]))) == []
    positive = drugsig.ProfileSet(np.abs(values), list("ABC"), [str(k) for k in range(9)])
    assert list(dominant_targets(positive)) == ["A"]


def test_what_was_pretreated_is_not_judged_as_measured() -> None:
    rng = np.random.default_rng(1)
    values = rng.lognormal(size=(9, 4)) * [90.0, 1.0, 1.0, 1.0]
    profiles = drugsig.ProfileSet(values, list("ABCD"), [str(k) for k in range(9)])
    assert [note.code for note in data_notes(profiles)] == ["dominant-target"]
    assert data_notes(drugsig.pretreat(profiles, "sum")) == ()
