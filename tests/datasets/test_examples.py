"""Writing examples: whole or not at all, the same bytes everywhere, as kept in the repository."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from drugsig.datasets import EXAMPLES, write_example
from drugsig.datasets import examples as module
from drugsig.errors import OutputError, UnknownNameError

FILES = {"README.txt", "analysis.toml", "seizures.xlsx", "truth.csv"}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_what_it_is(name: str, tmp_path: Path) -> None:
    example = EXAMPLES[name]
    folder = write_example(name, tmp_path / "new" / "folder")
    assert example.name == name
    assert example.summary.endswith(".")
    assert (folder / example.start).is_file()


def test_it_writes_the_files_and_nothing_else(example: Path) -> None:
    assert set(contents(example)) == FILES
    assert [p.name for p in example.parent.iterdir()] == ["profiles"]


def test_it_writes_the_same_bytes_again(example: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert contents(write_example("profiles", tmp_path / "empty")) == contents(example)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_repository_holds_what_is_written(name: str, repository: Path, tmp_path: Path) -> None:
    written = contents(write_example(name, tmp_path / name))
    kept = repository / "data" / "examples"
    assert contents(kept / name) == written
    lines = (kept / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {path: digest for digest, path in (line.split("  ") for line in lines)}
    assert {path for path in listed if path.startswith(f"{name}/")} == {
        f"{name}/{file}" for file in written
    }
    for file, content in written.items():
        assert listed[f"{name}/{file}"] == hashlib.sha256(content).hexdigest()


def test_the_script_finds_a_difference(repository: Path, tmp_path: Path) -> None:
    script = str(repository / "scripts" / "make_examples.py")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, script, *arguments], capture_output=True, text=True, check=False
        )

    assert run("--check").returncode == 0
    assert run("--folder", str(tmp_path)).returncode == 0
    assert run("--folder", str(tmp_path), "--check").returncode == 0
    (tmp_path / "profiles" / "truth.csv").write_bytes(b"x")
    (tmp_path / "profiles" / "README.txt").unlink()
    (tmp_path / "profiles" / "more.txt").write_bytes(b"")
    done = run("--folder", str(tmp_path), "--check")
    assert done.returncode == 1
    for fault in ("truth.csv differs", "README.txt is missing", "more.txt is not part"):
        assert fault in done.stderr


def test_text_has_line_feeds_only(example: Path) -> None:
    for name in FILES - {"seizures.xlsx"}:
        assert b"\r" not in (example / name).read_bytes()


def test_a_workbook_holds_no_time_and_is_not_packed(example: Path) -> None:
    with zipfile.ZipFile(example / "seizures.xlsx") as archive:
        parts = archive.infolist()
        assert {p.date_time for p in parts} == {(2024, 1, 1, 0, 0, 0)}
        assert {p.compress_type for p in parts} == {zipfile.ZIP_STORED}
        assert not [p for p in parts if "docProps" in p.filename]


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"not empty.*overwrite=True"):
        write_example("profiles", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_overwriting_replaces_files_in_folders_too(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "runs" / "Q1-01.cdf").write_text("old", encoding="utf-8")
    found = contents(write_example("casework", tmp_path, overwrite=True))
    assert found["runs/mine.txt"] == b"mine"
    assert found["runs/Q1-01.cdf"].startswith(b"CDF\x01")
    assert len([name for name in found if name.startswith("runs/")]) == 25


def test_overwriting_replaces_its_own_files_only(example: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "truth.csv").write_text("old", encoding="utf-8")
    write_example("profiles", tmp_path, overwrite=True)
    found = contents(tmp_path)
    assert found.pop("mine.txt") == b"mine"
    assert found == contents(example)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError):
            write_example("profiles", place, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        (folder / "README.txt").write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    broken = module.Example("profiles", "Broken.", "README.txt", fail)
    monkeypatch.setattr(module, "EXAMPLES", {"profiles": broken})
    with pytest.raises(OutputError, match="No space left"):
        write_example("profiles", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_example_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'profiles'"):
        write_example("profile", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
