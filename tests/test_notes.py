"""Notes are returned, warned of once at the public call, and never chosen by their wording."""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drugsig
from drugsig import ProfileSet
from drugsig._notes import NOTES, Note, emit, note_from_data, unique_notes
from drugsig.acquisition.target_window import TargetWindow
from drugsig.comparison.combining import MetricBlock, combine_metrics
from drugsig.comparison.dense import compared
from drugsig.comparison.fitting import fit_metric
from drugsig.comparison.linking import found_links
from drugsig.groups.grouping import grouped
from drugsig.profiles.history import Step
from drugsig.profiles.pretreatment import pretreat
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.tables.notes import reading_notes
from drugsig.quality.outliers import find_outliers, found_outliers
from tests.acquisition.run_files import andi_ms, andi_trace, spectra

Notes = tuple[Note, ...]

# One profile is constant: it has no correlation with any other.
WITH_A_CONSTANT = ProfileSet(
    [[3.0, 1.0, 2.0, 4.0, 1.0], [6.0, 2.0, 5.0, 7.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0]],
    list("ABCDE"),
    ["001", "002", "003"],
)

# Linked in a chain: the first and the last are not alike.
CHAIN = ProfileSet([[0.0], [1.0], [2.0], [3.0], [9.0]], ["A"], list("abcde"))

OF_SOURCES = ProfileSet(
    [[5.0, 1.0], [5.2, 1.1], [2.0, 2.0], [2.1, 1.8], [8.0, 0.5], [7.7, 0.6], [4.0, np.nan]],
    ["A", "B"],
    {"profile_id": list("abcdefg"), "batch_id": ["1", "1", "2", "2", "3", "3", "3"]},
)

# B follows from A, as after a sum.
CLOSED = ProfileSet(
    [[x, 1.0 - x] for k in range(12) for x in (0.05 * k + 0.1, 0.05 * k + 0.1 + 0.001 * (k + 1))],
    ["A", "B"],
    {
        "profile_id": [f"{k:02d}" for k in range(24)],
        "batch_id": [str(k // 2) for k in range(24)],
    },
)

MUCH_BELOW_LIMIT = ProfileSet([[5.0, 1.0, 0.0], [4.0, 2.0, 1.0]], ["A", "B", "C"], ["001", "002"])


def _compare(folder: Path) -> tuple[Any, Notes]:
    found = drugsig.compare(WITH_A_CONSTANT, metric="pearson")
    return found, found.notes


def _links(folder: Path) -> tuple[Any, Notes]:
    found = drugsig.links(WITH_A_CONSTANT, metric="pearson", threshold=0.5)
    return found, found.notes


def _damaged_shards(folder: Path) -> tuple[Any, Notes]:
    chosen: dict[str, Any] = {"metric": "pearson", "threshold": 0.5, "shards": folder}
    found_links(WITH_A_CONSTANT, **chosen)
    for path in folder.glob("*.npz"):
        path.write_bytes(b"something else")
    found = drugsig.links(WITH_A_CONSTANT, **chosen)
    return found, found.notes


def _nearest(folder: Path) -> tuple[Any, Notes]:
    found = drugsig.nearest(WITH_A_CONSTANT, k=1, metric="pearson")
    return found, found.notes


def _nearest_of_index(folder: Path) -> tuple[Any, Notes]:
    index = drugsig.build_index(WITH_A_CONSTANT, metric="pearson")
    found = index.nearest(WITH_A_CONSTANT, k=1)
    return found, found.notes


def _links_of_index(folder: Path) -> tuple[Any, Notes]:
    index = drugsig.build_index(WITH_A_CONSTANT, metric="pearson")
    found = index.links(WITH_A_CONSTANT, threshold=0.5)
    return found, found.notes


def _condensed(folder: Path) -> tuple[Any, Notes]:
    scores = drugsig.condensed_scores(WITH_A_CONSTANT, metric="pearson")
    return scores.tolist()[:1], compared(WITH_A_CONSTANT, metric="pearson").notes


def _pretreat(folder: Path) -> tuple[Any, Notes]:
    recipe = "clr(zeros=multiplicative)"
    return pretreat(MUCH_BELOW_LIMIT, recipe), pretreated(MUCH_BELOW_LIMIT, recipe)[1]


def _fit_deviations(folder: Path) -> tuple[Any, Notes]:
    metric = fit_metric("within_sd", OF_SOURCES, source="batch_id")
    assert metric.fit is not None
    return metric, metric.fit.notes


def _fit_covariance(folder: Path) -> tuple[Any, Notes]:
    metric = fit_metric("mahalanobis", OF_SOURCES, source="batch_id")
    assert metric.fit is not None
    return metric, metric.fit.notes


def _fit_singular(folder: Path) -> tuple[Any, Notes]:
    metric = fit_metric("mahalanobis", _repeated(CLOSED, 3), source="batch_id")
    assert metric.fit is not None
    return metric, metric.fit.notes


def _repeated(profiles: ProfileSet, times: int) -> ProfileSet:
    """Return more sources like these, so that there are enough."""
    n = len(profiles)
    return ProfileSet(
        np.concatenate([profiles.values] * times),
        profiles.targets,
        {
            "profile_id": [f"{t}-{name}" for t in range(times) for name in profiles.ids],
            "batch_id": [f"{t}-{k // 2}" for t in range(times) for k in range(n)],
        },
    )


def _combine(folder: Path) -> tuple[Any, Notes]:
    complete = OF_SOURCES.without(["g"])
    blocks = {"one": MetricBlock(["A"], "manhattan"), "two": MetricBlock(["B"], "manhattan")}
    metric = combine_metrics(blocks, complete, source="batch_id")
    assert metric.fit is not None
    return metric, metric.fit.notes


def _group(folder: Path) -> tuple[Any, Notes]:
    comparison = drugsig.compare(CHAIN, metric="manhattan")
    found = drugsig.group(comparison, threshold=1.0, linkage="complete")
    return found, found.notes


def _group_links(folder: Path) -> tuple[Any, Notes]:
    found_in = drugsig.links(CHAIN, metric="manhattan", threshold=1.0)
    found = drugsig.group_links(found_in, CHAIN, linkage="complete")
    return found, found.notes


def _outliers(folder: Path) -> tuple[Any, Notes]:
    found = find_outliers(OF_SOURCES)
    return found.findings, found.notes


def _short_run(folder: Path) -> Path:
    path = folder / "short.cdf"
    path.write_bytes(andi_ms(spectra(2), attributes={"test_ionization_mode": "Other Ionization"}))
    return path


def _read_run(folder: Path) -> tuple[Any, Notes]:
    run = drugsig.read_run(_short_run(folder))
    return run, run.notes


def _iter_scans(folder: Path) -> tuple[Any, Notes]:
    with drugsig.iter_scans(_short_run(folder)) as scans:
        return scans.metadata, scans.notes


def _read_runs(folder: Path) -> tuple[Any, Notes]:
    path = _short_run(folder)
    path.with_name("other.cdf").write_bytes(path.read_bytes())
    found = drugsig.read_runs(folder)
    assert len(found.notes) == 2
    return found.runs, found.notes


def _extract(folder: Path) -> tuple[Any, Notes]:
    window = TargetWindow("A", retention_time_s=5.0, window_s=4.0, quantifier=(50.0,))
    found = drugsig.extract([_short_run(folder)], [window])
    return found.profiles, found.notes


def _trace(folder: Path) -> tuple[Any, Notes]:
    path = folder / "trace.cdf"
    path.write_bytes(andi_trace([1.0, 2.0, 3.0], detector="UV-DAD"))
    trace = drugsig.read_chromatogram(path)
    return trace, trace.notes


CASES: dict[str, tuple[Callable[[Path], tuple[Any, Notes]], list[str]]] = {
    "compare": (_compare, ["undefined-scores"]),
    "condensed_scores": (_condensed, ["undefined-scores"]),
    "links": (_links, ["undefined-links"]),
    "links in shards": (_damaged_shards, ["damaged-shards", "undefined-links"]),
    "links of an index": (_links_of_index, ["undefined-links"]),
    "nearest": (_nearest, ["undefined-neighbours"]),
    "nearest of an index": (_nearest_of_index, ["undefined-neighbours"]),
    "pretreat": (_pretreat, ["much-imputed"]),
    "fit_metric, deviations": (_fit_deviations, ["incomplete-left-out", "uncertain-deviations"]),
    "fit_metric, covariance": (_fit_covariance, ["incomplete-left-out", "uncertain-covariance"]),
    "fit_metric, singular": (_fit_singular, ["singular-covariance"]),
    "combine_metrics": (_combine, ["few-sources-of-scale"]),
    "group": (_group, ["chained-groups", "competing-merges"]),
    "group_links": (_group_links, ["chained-groups", "competing-merges"]),
    "find_outliers": (_outliers, ["few-replicates"]),
    "read_run": (_read_run, ["unsuitable-run"]),
    "iter_scans": (_iter_scans, ["unsuitable-run"]),
    "read_runs": (_read_runs, ["unsuitable-run", "unsuitable-run"]),
    "extract": (_extract, ["unsuitable-run"]),
    "read_chromatogram": (_trace, ["no-gas-chromatography"]),
}

each_call = pytest.mark.parametrize("name", CASES)


def _called(name: str, folder: Path) -> tuple[Any, Notes, list[warnings.WarningMessage]]:
    folder.mkdir()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result, notes = CASES[name][0](folder)
    return result, notes, caught


@each_call
def test_a_public_call_warns_once_of_each_note_it_returns(name: str, tmp_path: Path) -> None:
    _, notes, caught = _called(name, tmp_path / "x")
    assert [note.code for note in notes] == CASES[name][1]
    # A kind without a category stands beside the result only.
    expected = [(n.category, n.text) for n in notes if n.category is not None]
    assert [(w.category, str(w.message)) for w in caught] == expected


@each_call
def test_a_warning_points_at_the_line_of_the_caller(name: str, tmp_path: Path) -> None:
    _, _, caught = _called(name, tmp_path / "x")
    assert {Path(w.filename) for w in caught} == {Path(__file__)}


@each_call
def test_the_wording_of_notes_decides_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, notes, _ = _called(name, tmp_path / "x")
    for kind in NOTES.values():
        monkeypatch.setattr(kind, "__str__", lambda note: "x")
    # The same folder, so that what names it is the same.
    (tmp_path / "x").rename(tmp_path / "y")
    again, told, caught = _called(name, tmp_path / "x")
    assert again == result
    assert told == notes
    expected = [(n.category, "x") for n in notes if n.category is not None]
    assert [(w.category, str(w.message)) for w in caught] == expected


@each_call
def test_notes_survive_json_and_the_way_to_a_worker(name: str, tmp_path: Path) -> None:
    _, notes, _ = _called(name, tmp_path / "x")
    for note in notes:
        assert note_from_data(json.loads(json.dumps(note.to_data()))) == note
        assert pickle.loads(pickle.dumps(note)) == note  # noqa: S301


def test_what_the_cores_find_they_do_not_warn_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        comparison = compared(WITH_A_CONSTANT, metric="pearson")
        found = found_links(WITH_A_CONSTANT, metric="pearson", threshold=0.5)
        _, imputed = pretreated(MUCH_BELOW_LIMIT, "clr(zeros=multiplicative)")
        groups = grouped(compared(CHAIN, metric="manhattan"), threshold=1.0, linkage="complete")
        outliers = found_outliers(OF_SOURCES)
    told = (*comparison.notes, *found.notes, *imputed, *groups.notes, *outliers.notes)
    assert [note.code for note in told] == [
        "undefined-scores", "undefined-links", "much-imputed", "chained-groups",
        "competing-merges", "few-replicates",
    ]  # fmt: skip


def test_links_of_a_comparison_carry_its_notes() -> None:
    comparison = compared(WITH_A_CONSTANT, metric="pearson")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert comparison.links(0.5).notes == comparison.notes != ()


def test_a_result_without_a_finding_has_no_notes() -> None:
    comparison = drugsig.compare(CHAIN, metric="manhattan")
    assert comparison.notes == ()
    assert drugsig.links(CHAIN, metric="manhattan", threshold=1.0).notes == ()
    assert drugsig.nearest(CHAIN, k=1, metric="manhattan").notes == ()
    assert drugsig.group(comparison, threshold=1.0, linkage="single").notes == ()


def test_notes_do_not_count_when_fits_are_compared() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metric = fit_metric("within_sd", OF_SOURCES, source="batch_id")
    assert metric.fit is not None
    data = metric.fit.to_data()
    assert "notes" not in data
    assert type(metric.fit).from_data(data) == metric.fit


def test_risks_of_reading_are_notes_in_the_order_of_the_history() -> None:
    plain = ProfileSet([[1.0]], ["A"], ["001"])
    assert reading_notes(plain) == ()
    read = ProfileSet(
        [[1.0]],
        ["A"],
        ["001"],
        history=[Step.make("read", {"risks": ["one", "two"]}), Step.make("mend", {"risks": ["3"]})],
    )
    assert [note.risk for note in reading_notes(read)] == ["one", "two", "3"]
    assert {note.code for note in reading_notes(read)} == {"risky-reading"}


def test_equal_notes_are_told_once_in_their_order() -> None:
    first, second = (compared(s, metric="pearson").notes[0] for s in (
        WITH_A_CONSTANT, ProfileSet(np.ones((2, 5)), list("ABCDE"), ["001", "002"]),
    ))  # fmt: skip
    assert unique_notes([second, first, second]) == (second, first)


def test_facts_of_another_kind_are_refused() -> None:
    (note,) = compared(WITH_A_CONSTANT, metric="pearson").notes
    data = note.to_data()
    with pytest.raises(ValueError, match="the facts of note 'undefined-scores' are"):
        note_from_data({**data, "facts": {"undefined": 1}})
    with pytest.raises(ValueError, match="no kind of note with the code 'nothing'"):
        note_from_data({**data, "code": "nothing"})


def test_two_kinds_cannot_have_one_code() -> None:
    with pytest.raises(TypeError, match="two kinds of note have the code 'undefined-scores'"):
        type("Other", (Note,), {"code": "undefined-scores"})


def test_not_even_kinds_of_one_name_can_have_one_code() -> None:
    kind = NOTES["undefined-scores"]
    with pytest.raises(TypeError, match="two kinds of note have the code 'undefined-scores'"):
        type(kind.__name__, (Note,), {"code": kind.code, "__module__": "elsewhere"})
    assert NOTES["undefined-scores"] is kind


def test_emit_warns_in_order() -> None:
    notes = (*reading_notes(_history("b")), *reading_notes(_history("a")))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        emit(notes)
    assert [str(w.message) for w in caught] == ["While reading: b", "While reading: a"]
    # At the line that called the library, not at one within it.
    assert {w.filename for w in caught} == {__file__}


def _history(risk: str) -> ProfileSet:
    return ProfileSet([[1.0]], ["A"], ["001"], history=[Step.make("read", {"risks": [risk]})])
