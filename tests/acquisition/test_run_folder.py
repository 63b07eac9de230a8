"""A folder: the good runs are read, every error is reported, what is no run is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from drugsig.acquisition import find_runs, read_runs
from drugsig.errors import RunError
from tests.acquisition.run_files import WRITERS, andi_trace, jcamp, mzml, spectra


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, write in WRITERS.items():
        (tmp_path / name).write_bytes(write(spectra()))
    later = tmp_path / "later"
    later.mkdir()
    (later / "b.jdx").write_bytes(jcamp(spectra()))
    (later / "a.jdx").write_bytes(jcamp(spectra())[:400])
    (tmp_path / "empty.cdf").write_bytes(b"")
    (tmp_path / "renamed.mzML").write_bytes(b"PK\x03\x04")
    (tmp_path / "trace.cdf").write_bytes(andi_trace([1.0, 2.0]))
    (tmp_path / "samples.csv").write_text("sample;seizure\n1;2\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("read me\n", encoding="utf-8")
    (tmp_path / ".hidden.cdf").write_bytes(b"")
    (tmp_path / "~$open.mzML").write_bytes(b"")
    (tmp_path / "workbook.xlsx").write_bytes(b"PK\x03\x04")
    return tmp_path


def names(paths) -> list[str]:
    return [path.name for path in paths]


def test_good_runs_are_read_and_errors_are_kept(folder: Path) -> None:
    found = read_runs(folder)
    assert names(found.paths) == ["andi.cdf", "b.jdx", "run.jdx", "run.mzML", "run.mzXML"]
    assert [run.metadata.file_name for run in found.runs] == names(found.paths)
    assert names(path for path, _ in found.errors) == [
        "empty.cdf", "a.jdx", "renamed.mzML", "trace.cdf",
    ]  # fmt: skip
    assert [getattr(error, "reason", "") for _, error in found.errors] == [
        "empty", "damaged", "not_a_run", "unsuitable",
    ]  # fmt: skip
    assert set(names(found.skipped)) == {"samples.csv", "notes.txt", "workbook.xlsx"}
    assert "5 runs, 4 errors, 3 other files" in repr(found)


def test_all_errors_are_raised_together(folder: Path) -> None:
    with pytest.raises(ExceptionGroup, match="4 of 9 runs") as caught:
        read_runs(folder).raise_errors()
    assert all(isinstance(error, RunError) for error in caught.value.exceptions)


def test_a_folder_without_errors_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.mzML").write_bytes(mzml(spectra()))
    found = read_runs(tmp_path)
    found.raise_errors()
    assert found.errors == ()


def test_runs_are_found_without_being_read(folder: Path) -> None:
    found = read_runs(folder)
    assert find_runs(folder) == tuple(
        sorted(
            (*found.paths, *(p for p, _ in found.errors)),
            key=lambda p: p.relative_to(folder).as_posix(),
        )
    )


def test_a_d_folder_is_one_run(tmp_path: Path) -> None:
    run = tmp_path / "inner" / "one.D"
    (run / "AcqData").mkdir(parents=True)
    (run / "data.ms").write_bytes(b"\x012\x00\x00")
    (run / "acqmeth.txt").write_text("method", encoding="utf-8")
    assert names(find_runs(tmp_path)) == ["one.D"]
    with pytest.raises(RunError, match="read it with read_run"):
        read_runs(run)
    (tmp_path / "copied.D").mkdir()
    assert names(find_runs(tmp_path)) == ["copied.D", "one.D"]


def test_folders_without_runs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("read me", encoding="utf-8")
    with pytest.raises(RunError, match="no runs: 1 other"):
        read_runs(tmp_path)
    with pytest.raises(RunError, match="is no folder"):
        read_runs(tmp_path / "notes.txt")
    with pytest.raises(RunError, match="is no folder"):
        find_runs(tmp_path / "absent")
