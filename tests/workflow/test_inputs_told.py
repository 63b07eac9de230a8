"""Every file that decides a result is told by its content, and another one is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drugsig.acquisition import run_folder
from drugsig.acquisition.extraction import extracted
from drugsig.acquisition.run_folder import find_runs, read_runs
from drugsig.analysis.analysis import Analysis
from drugsig.datasets import write_example
from drugsig.errors import ConfigError, DrugsigWarning, ReadError
from drugsig.workflow import analyse, search_links, validate_method
from drugsig.workflow.validation_config import ValidationConfig


def quietly(*arguments: Any, **keywords: Any) -> Analysis:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return analyse(*arguments, **keywords)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8-sig")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def two_files(folder: Path) -> Path:
    """Move the batches of the small table into a file of metadata."""
    rows = [line.split(",") for line in (folder / "table.csv").read_text("utf-8").splitlines()]
    for name, columns in (("table.csv", (0, *range(6, 14))), ("cases.csv", range(6))):
        text = "\n".join(",".join(row[k] for k in columns) for row in rows)
        (folder / name).write_text(text + "\n", encoding="utf-8")
    changed(
        folder / "analysis.toml", "[pretreatment]", 'metadata_path = "cases.csv"\n[pretreatment]'
    )
    return folder


@pytest.fixture(scope="session")
def casework_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_example("casework", tmp_path_factory.mktemp("casework") / "c")
    names = sorted(p.name for p in (folder / "runs").iterdir())
    for name in names[8:]:
        (folder / "runs" / name).unlink()
    return folder


@pytest.fixture
def runs(casework_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(casework_once, tmp_path / "c"))


# -- what is told ----------------------------------------------------------------------------


def test_an_analysis_names_the_metadata_by_their_content(two_files: Path) -> None:
    done = quietly(two_files / "analysis.toml", out=two_files / "out")
    told = tomllib.loads((two_files / "out" / "analysis.toml").read_text("utf-8"))["input"]
    assert told["sha256"] == sha256(two_files / "table.csv")
    assert told["metadata_sha256"] == sha256(two_files / "cases.csv")
    assert [i.sha256 for i in done.inputs] == [told["sha256"], told["metadata_sha256"]]
    again = quietly(two_files / "out" / "analysis.toml")
    assert again.run_digest == done.run_digest


@pytest.mark.parametrize("name", ["table.csv", "cases.csv"])
def test_another_file_is_refused_by_name(name: str, two_files: Path) -> None:
    quietly(two_files / "analysis.toml", out=two_files / "out")
    changed(two_files / name, "002-1", "002-9")
    changed(two_files / "analysis.toml", "seed = 7", "seed = 8")
    with pytest.raises(ConfigError, match=f"'{name}' is not the input this analysis was made from"):
        analyse(two_files / "out" / "analysis.toml")


@pytest.mark.parametrize("value", ["5", '"abc"', "[]", f'"{"A" * 64}"'])
@pytest.mark.parametrize("key", ["sha256", "metadata_sha256", "protocol_sha256"])
def test_a_digest_that_is_none_is_refused(key: str, value: str, two_files: Path) -> None:
    changed(two_files / "analysis.toml", "[pretreatment]", f"{key} = {value}\n[pretreatment]")
    with pytest.raises(ConfigError, match=f"{key} in .input. must be a text of 64 hex"):
        analyse(two_files / "analysis.toml")


def test_a_digest_of_no_file_is_refused(folder: Path) -> None:
    line = f'metadata_sha256 = "{"0" * 64}"\n[pretreatment]'
    changed(folder / "analysis.toml", "[pretreatment]", line)
    with pytest.raises(ConfigError, match="metadata_sha256, and names no file"):
        analyse(folder / "analysis.toml")


def test_a_search_names_every_file(two_files: Path) -> None:
    reading = {"metadata_path": two_files / "cases.csv"}
    facts = search_links(two_files / "table.csv", threshold=0.01, reading=reading).facts
    assert facts["questioned"]["sha256"] == sha256(two_files / "table.csv")
    assert facts["questioned"]["metadata_file"] == "cases.csv"
    assert facts["questioned"]["metadata_sha256"] == sha256(two_files / "cases.csv")


# -- one read --------------------------------------------------------------------------------


def changes_when_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let a file hold something else each time it is opened, as one that is being saved."""
    first = path.read_bytes()
    opened: list[int] = []
    usual: Callable[..., Any] = Path.open

    def open_file(self: Path, *arguments: Any, **keywords: Any) -> Any:
        if self.name != path.name:
            return usual(self, *arguments, **keywords)
        opened.append(1)
        with usual(path, "wb") as file:
            file.write(first if len(opened) == 1 else first.replace(b"002-1", b"002-8"))
        return usual(self, *arguments, **keywords)

    monkeypatch.setattr(Path, "open", open_file)
    return opened


@pytest.mark.parametrize("name", ["table.csv", "cases.csv"])
def test_a_digest_is_of_the_bytes_that_were_parsed(
    name: str, two_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meant = sha256(two_files / name)
    with monkeypatch.context() as patch:
        opened = changes_when_read_again(two_files / name, patch)
        done = quietly(two_files / "analysis.toml")
    assert opened == [1]
    assert meant in [i.sha256 for i in done.inputs]
    assert "002-1" in done.profiles.ids


# -- runs ------------------------------------------------------------------------------------


def test_an_analysis_of_runs_names_protocol_and_metadata(runs: Path) -> None:
    quietly(runs / "analysis.toml", out=runs / "out")
    told = tomllib.loads((runs / "out" / "analysis.toml").read_text("utf-8"))["input"]
    assert told["protocol_sha256"] == sha256(runs / told["protocol"].removeprefix("../"))
    assert told["metadata_sha256"] == sha256(runs / told["metadata_path"].removeprefix("../"))
    changed(runs / told["protocol"].removeprefix("../"), "\n", "\n# looked at again\n")
    with pytest.raises(ConfigError, match=r"\.toml' is not the input this analysis was made from"):
        analyse(runs / "out" / "analysis.toml")


def test_a_run_that_changes_while_it_is_read_is_refused(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = extracted

    def late_change(paths: Any, protocol: Any) -> Any:
        done = usual(paths, protocol)
        late = min((runs / "runs").iterdir())
        late.write_bytes(late.read_bytes() + b"\0")
        return done

    monkeypatch.setattr("drugsig.workflow.sources.extracted", late_change)
    with pytest.raises(ReadError, match="changed while it was read"):
        analyse(runs / "analysis.toml")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_that_lead_out_of_the_folder_are_not_followed(runs: Path, tmp_path: Path) -> None:
    folder = runs / "runs"
    first = min(folder.iterdir())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(first, elsewhere / "secret.cdf")
    (elsewhere / "data.ms").write_bytes(b"\0" * 64)
    (folder / "away.cdf").symlink_to(elsewhere / "secret.cdf")
    (folder / "root.D").symlink_to(elsewhere, target_is_directory=True)
    (folder / "holds.D").mkdir()
    (folder / "holds.D" / "data.ms").symlink_to(elsewhere / "data.ms")
    (folder / "near.cdf").symlink_to(first)
    told = {path.name: str(error) for path, error in read_runs(folder).errors}
    assert set(told) == {"away.cdf", "root.D", "holds.D"}
    assert all(run_folder.LEADS_OUT in why for why in told.values())
    assert not run_folder.leads_out(folder / "near.cdf", folder)
    assert {p.name for p in find_runs(folder)} >= {"away.cdf", "near.cdf"}
    (folder / "near.cdf").unlink()
    done = quietly(runs / "analysis.toml", out=runs / "out")
    assert done.runs is not None
    assert {name for name, _ in done.runs.errors} == {"away.cdf", "root.D", "holds.D"}
    listed = json.loads((runs / "out" / "manifest.json").read_text("utf-8"))["inputs"]
    assert not any("away" in i["path"] or "root.D" in i["path"] for i in listed)


# -- validation ------------------------------------------------------------------------------


def test_a_validation_demands_the_criteria_it_was_written_for(tmp_path: Path) -> None:
    folder = write_example("validation", tmp_path / "v")
    start = folder / "validation.toml"
    named = tomllib.loads(start.read_text("utf-8"))["validation"]["criteria"]
    good = sha256(folder / named)
    changed(start, "[validation]", f'[validation]\ncriteria_sha256 = "{good}"')
    assert ValidationConfig.read(start).digests == {"criteria_sha256": good}
    changed(folder / named, "\n", "\n# lenient\n")
    with pytest.raises(ConfigError, match="is not the file of criteria"):
        ValidationConfig.read(start)


def test_a_validation_names_its_files(tmp_path: Path) -> None:
    folder = write_example("validation", tmp_path / "v")
    start = folder / "validation.toml"
    # As little of a validation as names its files.
    changed(
        start,
        "seeds = 4\nn_folds = 5\nchange_seeds = 2",
        "seeds = 1\nn_folds = 3\nchange_seeds = 1",
    )
    changed(start, 'elsewhere = "year"\n', "n_resamples = 200\n")
    config = ValidationConfig.read(start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        made = validate_method(start, progress=False)
    assert made.report.digests["input_file"] == sha256(config.analysis.path)
    assert made.report.digests["criteria_file"] == config.digests["criteria_sha256"]
    assert made.model.validation is not None
    assert made.model.validation.report == made.report.digest


# -- what is of others -----------------------------------------------------------------------


def texts_of(folder: Path) -> dict[str, str]:
    return {p.name: p.read_bytes().decode("utf-8", "replace") for p in folder.iterdir()}


def test_ids_of_other_cases_and_left_out_ids_stand_in_no_result(two_files: Path) -> None:
    cases = two_files / "cases.csv"
    last = cases.read_text(encoding="utf-8").splitlines()[-1].split(",")
    other = ",".join(["SECRET-77", *last[1:]])
    cases.write_text(cases.read_text(encoding="utf-8") + other + "\n", encoding="utf-8")
    changed(two_files / "analysis.toml", "[pretreatment]", 'leave_out = ["003-2"]\n[pretreatment]')
    done = quietly(two_files / "analysis.toml", out=two_files / "out")
    assert "003-2" not in done.profiles.ids
    for name, text in texts_of(two_files / "out").items():
        assert "SECRET-77" not in text, name
        # It decides the analysis, so it stands where the analysis is said.
        assert ("003-2" in text) == (name == "analysis.toml"), name
    assert quietly(two_files / "out" / "analysis.toml").run_digest == done.run_digest


def test_a_users_folder_stands_in_no_result(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "alice.smith"
    home.mkdir(parents=True)
    shutil.copyfile(folder / "table.csv", home / "case.csv")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    (tmp_path / "results").mkdir()
    quietly(home / "case.csv", threshold=0.02, out=tmp_path / "results" / "out")
    for name, text in texts_of(tmp_path / "results" / "out").items():
        assert "alice" not in text, name
    quietly(home / "case.csv", threshold=0.02, out=home / "out")
    told = tomllib.loads((home / "out" / "analysis.toml").read_text("utf-8"))
    assert told["input"]["path"] == "../case.csv"
