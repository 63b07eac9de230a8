"""A result folder read back: as it was written, or refused by the name of what is not."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drugsig import ProfileSet, analyse, analyse_profiles, read_analysis
from drugsig.analysis import Analysis
from drugsig.analysis.reading import RECORD, AddedFiles
from drugsig.errors import ConfigError, DataWarning, DrugsigWarning, ReadError
from drugsig.report import render_report
from tests.report.cases import raw_profiles
from tests.report.run_cases import with_runs
from tests.workflow.conftest import ANALYSIS, table_text

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "profiles.csv"


def made(folder: Path, **options: Any) -> Path:
    (folder / "table.csv").write_text(table_text(), encoding="utf-8")
    (folder / "analysis.toml").write_text(ANALYSIS, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        analyse(folder / "analysis.toml", out=folder / "out", progress=False, **options)
    return folder / "out"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("original"))


@pytest.fixture
def out(original: Path, tmp_path: Path) -> Path:
    """A copy of a result folder that may be spoilt."""
    return shutil.copytree(original, tmp_path / "out")


def signed(folder: Path) -> None:
    """Write the digests of all files into the manifest, as whoever changes one could."""
    path = folder / "manifest.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["files"] = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in told["files"]
    }
    path.write_text(json.dumps(told), encoding="utf-8")


def assert_same(one: Analysis, other: Analysis) -> None:
    for name in ("profiles", "compared", "comparison", "links", "groups", "checks", "notes"):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("undecided", "true_links", "least_true_links", "group_rates", "uncapped"):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("inputs", "versions", "seed", "run_digest"):
        assert getattr(one, name) == getattr(other, name), name
    assert one.threshold.error_rates == other.threshold.error_rates
    assert one.threshold.notes == other.threshold.notes
    assert one.compared.history == other.compared.history
    assert one.comparison is not None
    assert other.comparison is not None
    np.testing.assert_array_equal(one.comparison.scores, other.comparison.scores)
    assert (one.sample is None) == (other.sample is None)
    if one.sample is not None and other.sample is not None:
        np.testing.assert_array_equal(one.sample.scores, other.sample.scores)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(table_text(), encoding="utf-8")
    (tmp_path / "analysis.toml").write_text(ANALYSIS, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        analysis = analyse(tmp_path / "analysis.toml", out=tmp_path / "out", progress=False)
    assert_same(read_analysis(tmp_path / "out"), analysis)


@pytest.mark.parametrize("comma", [False, True])
def test_it_gives_the_report_byte_for_byte(tmp_path: Path, comma: bool) -> None:
    folder = made(tmp_path, decimal_comma=comma)
    assert render_report(read_analysis(folder)).encode() == (folder / "report.html").read_bytes()


def test_a_result_without_known_sources_gives_its_report(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        analyse(TUTORIAL, threshold=0.05, out=tmp_path / "out", progress=False)
    found = read_analysis(tmp_path / "out")
    assert found.sample is None
    assert render_report(found).encode() == (tmp_path / "out" / "report.html").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("example", ["profiles", "casework"])
def test_the_examples_give_their_reports(repository: Path, tmp_path: Path, example: str) -> None:
    source = repository / "data" / "examples" / example / "analysis.toml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        analysis = analyse(source, out=tmp_path / "out", progress=False)
    found = read_analysis(tmp_path / "out")
    assert_same(found, analysis)
    assert render_report(found).encode() == (tmp_path / "out" / "report.html").read_bytes()


def test_nothing_is_analysed_anew(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from drugsig.analysis import analysing

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was analysed")

    for what in ("pretreated", "scored", "find_threshold", "grouped", "find_undecided"):
        monkeypatch.setattr(analysing, what, refuse)
    assert len(read_analysis(out).compared) == 31


# -- profiles that come from no file ---------------------------------------------------------------


def test_profiles_are_analysed_as_a_table_is_and_can_be_run_again(tmp_path: Path) -> None:
    raw = raw_profiles()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        analysis = analyse(raw, threshold=0.05, out=tmp_path / "out", progress=False)
        again = analyse(tmp_path / "out" / "analysis.toml", progress=False)
        bare = analyse_profiles(raw, threshold=0.05)
    assert analysis.config["input"] == {"path": "profiles.csv"}
    for other in (again, bare, read_analysis(tmp_path / "out")):
        assert other.links == analysis.links
        assert other.groups == analysis.groups


def test_how_a_file_is_read_goes_with_no_profiles() -> None:
    with pytest.raises(ConfigError, match="'reading' says how a file is read"):
        analyse(raw_profiles(), threshold=0.05, reading={"sheet": "x"})


# -- what is refused, and what is told -------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["analysis.json", "links.csv", "profiles.csv", "report.html", "scores.npz"]
)
def test_a_changed_file_is_named(out: Path, name: str) -> None:
    content = (out / name).read_bytes()
    (out / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ReadError, match=f"'{name}' of result folder .* was changed") as caught:
        read_analysis(out)
    assert caught.value.path == out / name


@pytest.mark.parametrize("name", ["analysis.json", "groups.csv", "scores.npz"])
def test_a_missing_file_is_named(out: Path, name: str) -> None:
    (out / name).unlink()
    with pytest.raises(ReadError, match=f"lacks '{name}'") as caught:
        read_analysis(out)
    assert caught.value.path == out / name


def test_an_added_file_is_told_and_not_read(out: Path) -> None:
    (out / "remarks.txt").write_text("mine", encoding="utf-8")
    with pytest.warns(DataWarning, match=r"holds 'remarks.txt', which the analysis did not write"):
        found = read_analysis(out)
    assert found.notes[-1].note == AddedFiles("out", ("remarks.txt",))
    assert "remarks.txt" in render_report(found)


def test_a_folder_that_was_not_written_to_its_end_is_refused(out: Path) -> None:
    (out / "manifest.json").unlink()
    with pytest.raises(ReadError, match="was not written to its end"):
        read_analysis(out)


def test_a_place_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="there is no result folder"):
        read_analysis(tmp_path / "none")


@pytest.mark.parametrize("name", ["../table.csv", "a/b.csv", "", ".."])
def test_a_manifest_names_files_of_its_folder_only(out: Path, name: str) -> None:
    told = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    told["files"][name] = "0" * 64
    (out / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ReadError, match="does not name the files"):
        read_analysis(out)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"files": 3}', '{"files": {"x": 3}}', "[" * 100_000, "\x00" * 9],
)
def test_a_manifest_that_is_none_is_refused(out: Path, content: str) -> None:
    (out / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(ReadError, match=r"manifest\.json"):
        read_analysis(out)


def changed(out: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = out / RECORD
    told = json.loads(path.read_text(encoding="utf-8"))
    change(told)
    path.write_text(json.dumps(told), encoding="utf-8")
    signed(out)


def test_a_newer_version_is_told_in_one_sentence(out: Path) -> None:
    changed(out, lambda told: told.update(version=2))
    with pytest.raises(ReadError, match=r"format version 2 cannot be read.*a newer drugsig"):
        read_analysis(out)


def test_a_note_of_an_unknown_kind_is_refused(out: Path) -> None:
    changed(out, lambda told: told["analysis"]["notes"][0]["note"].update(code="no-such-code"))
    with pytest.raises(ReadError, match="no-such-code"):
        read_analysis(out)


HEAD = '{"format": "drugsig record of an analysis", "version": '


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "null", "[]", "3", '"x"', "{}", '{"format": "x", "version": 1}'),
        *("[" * 200_000, '{"a":' * 200_000, "9" * 10_000, HEAD + "NaN}"),
        HEAD + '1, "analysis": {}}',
        HEAD + '1, "analysis": ' + "[" * 200_000 + "}",
        HEAD + '0, "analysis": {}}',
        HEAD + 'true, "analysis": {}}',
    ],
    ids=range(16),
)
def test_a_record_that_is_none_is_refused(out: Path, content: str) -> None:
    (out / RECORD).write_text(content, encoding="utf-8")
    signed(out)
    with pytest.raises(ReadError, match=r"analysis\.json"):
        read_analysis(out)


def test_bytes_that_are_no_text_are_refused(out: Path) -> None:
    (out / RECORD).write_bytes(b"\xff\xfe\x00{")
    signed(out)
    with pytest.raises(ReadError, match=r"analysis\.json"):
        read_analysis(out)


WRONG: tuple[object, ...] = (None, True, -1, 10**400, 1e308, "x", [], [1], {}, {"x": 1}, [[["x"]]])


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every field, of lists the first entry only."""
    out = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            out += paths_of(item, (*path, key))
    elif isinstance(value, list) and value:
        out += paths_of(value[0], (*path, 0))
    return out


def test_a_value_of_the_wrong_type_anywhere_is_refused_or_harmless(out: Path) -> None:
    told = json.loads((out / RECORD).read_text(encoding="utf-8"))
    refused = 0
    for number, path in enumerate(paths_of(told)):
        spoilt = json.loads((out / RECORD).read_text(encoding="utf-8")) if number < 0 else told
        place = spoilt
        for key in path[:-1]:
            place = place[key]
        kept = place[path[-1]]
        for wrong in WRONG[number % 3 :: 3]:
            place[path[-1]] = wrong
            (out / RECORD).write_text(json.dumps(spoilt), encoding="utf-8")
            signed(out)
            try:
                found = read_analysis(out)
            except ReadError:
                refused += 1
            else:
                assert len(found.compared) == 31
        place[path[-1]] = kept
    assert refused > 200


def test_scores_of_other_pairs_are_refused(out: Path) -> None:
    with np.load(out / "scores.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    np.savez_compressed(out / "scores.npz", **{**arrays, "scores": arrays["scores"][:-1]})
    signed(out)
    with pytest.raises(ReadError, match="scores are of other pairs"):
        read_analysis(out)


def test_an_archive_that_unpacks_to_more_than_its_scores_is_refused(out: Path) -> None:
    np.savez_compressed(out / "scores.npz", scores=np.zeros(2_000_000))
    signed(out)
    with pytest.raises(ReadError, match="it declares 16,000,128 bytes of scores"):
        read_analysis(out)


def test_an_archive_of_objects_is_refused(out: Path) -> None:
    np.savez_compressed(out / "scores.npz", scores=np.array([{}], dtype=object))
    signed(out)
    with pytest.raises(ReadError, match=r"scores\.npz"):
        read_analysis(out)


def test_links_that_are_not_those_of_the_scores_are_refused(out: Path) -> None:
    text = (out / "links.csv").read_text(encoding="utf-8-sig")
    head, first, *rest = text.splitlines()
    cells = first.split(",")
    cells[2] = "0.5"
    (out / "links.csv").write_text("\n".join([head, ",".join(cells), *rest]), encoding="utf-8")
    signed(out)
    with pytest.raises(ReadError, match=r"'links.csv' and 'scores.npz' differ"):
        read_analysis(out)


def test_other_profiles_are_refused(out: Path) -> None:
    from drugsig import write_profiles

    other = raw_profiles()
    (out / "profiles.csv").unlink()
    write_profiles(ProfileSet(other.values, other.targets, other.profiles), out / "profiles.csv")
    signed(out)
    with pytest.raises(ReadError, match=r"'profiles.csv' holds other profiles"):
        read_analysis(out)


def test_runs_survive_the_way_through_data() -> None:
    from drugsig.analysis.record import record_of, record_text

    analysis = with_runs(errors=[("bad.cdf", "the file ends before its header does")])
    text = record_text(analysis)
    record = record_of(text)
    assert record.runs is not None
    assert analysis.runs is not None
    assert record.runs.protocol == analysis.runs.protocol
    assert record.runs.errors == analysis.runs.errors
    assert record.runs.agreement == analysis.runs.agreement
    assert record.notes == analysis.notes
    for one, other in zip(record.runs.tables, analysis.runs.tables, strict=True):
        assert one.to_frame().equals(other.to_frame())
    assert record_text(analysis) == text
