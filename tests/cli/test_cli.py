"""The command: exit codes, one clear line for every error, nothing left behind."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import drugsig
from drugsig import cli
from tests.workflow.conftest import ANALYSIS, table_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text(table_text(), encoding="utf-8")
    (tmp_path / "analysis.toml").write_text(ANALYSIS, encoding="utf-8")
    return tmp_path


def run(*arguments: object) -> int:
    """Run the command in this process and return its exit code."""
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    return int(left.value.code or 0)


def test_analyse_writes_and_tells(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyse", folder / "analysis.toml", "--out", folder / "out") == 0
    printed = capsys.readouterr()
    assert "31 of 32 profiles compared (1 excluded)" in printed.out
    assert "note: " in printed.err
    assert (folder / "out" / "report.html").is_file()


def test_json_is_json_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyse", folder / "analysis.toml", "--out", folder / "out", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["compared"] == 31
    assert figures["validated"] is True
    assert figures["rule"] == "known batches"


def test_quiet_prints_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyse", folder / "analysis.toml", "--out", folder / "out", "--quiet") == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_options_make_an_analysis_of_a_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(
        "analyse", folder / "table.csv", "--out", folder / "out", "--threshold", "0.9",
        "--metric", "pearson", "--recipe", "sum | square_root", "--role", "T0=main",
        "--linkage", "complete", "--seed", "3", "--metadata", "batch", "--metadata", "seizure",
        "--metadata", "route", "--metadata", "remark", "--metadata", "specimen",
    )  # fmt: skip
    assert code == 0
    assert "not validated" in capsys.readouterr().out
    written = (folder / "out" / "analysis.toml").read_text(encoding="utf-8")
    for expected in ("value = 0.9", 'linkage = "complete"', 'T0 = "main"', "seed = 3"):
        assert expected in written


def test_a_rule_is_taken_from_a_file(folder: Path) -> None:
    out = folder / "out"
    code = run("analyse", folder / "table.csv", "--out", out, "--rule", folder / "analysis.toml")
    assert code == 0
    assert "known batches" in (out / "analysis.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("analyse", "none.csv", "--out", "o", "--threshold", "1"), 3, "there is no file"),
        (("analyse", "table.csv", "--out", "o"), 3, "nothing says where a link begins"),
        (("analyse", "table.csv", "--out", "o", "--rule", "R9"), 3, "preset population rule"),
        (("analyse", "table.csv", "--out", "o", "--threshold", "3"), 3, "outside the range"),
        (("analyse", "table.csv", "--out", "taken", "--threshold", "1"), 4, "not empty"),
        (("analyse", "table.csv", "--out", "o", "--role", "T0"), 2, "TARGET=ROLE"),
        (("analyse", "table.csv"), 2, "--out"),
        (("analyze",), 2, "analyze"),
        (("info", "none.csv"), 3, "none.csv"),
        (("example", "nothing", "e"), 3, "nothing"),
    ],
)
def test_every_error_is_one_clear_message(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    (folder / "taken").mkdir()
    (folder / "taken" / "mine.txt").write_text("", encoding="utf-8")
    monkeypatch.chdir(folder)
    before = sorted(p.name for p in folder.iterdir())
    assert run(*arguments) == code
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err
    assert sorted(p.name for p in folder.iterdir()) == before


def test_debug_shows_the_traceback(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--debug", "analyse", folder / "n.csv", "--out", folder / "o", "--threshold", 1) == 3
    assert "Traceback" in capsys.readouterr().err


def test_a_fault_in_the_library_is_told_apart(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("drugsig.workflow.analyse", broken)
    assert run("analyse", folder / "analysis.toml", "--out", folder / "o") == 1
    assert "A fault in drugsig: ZeroDivisionError: oh" in capsys.readouterr().err


def test_info_shows_what_a_file_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", folder / "table.csv") == 0
    assert "table.csv" in capsys.readouterr().out
    assert run("info", folder / "table.csv", "--json") == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith("drugsig ")
    assert run("--help") == 0
    assert "Exit codes" in capsys.readouterr().out


@pytest.fixture
def listening() -> Iterator[None]:
    """Ctrl-C interrupts, even where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    "moment",
    [
        "analysis.analysing.scored",
        "analysis.analysing.grouped",
        "workflow.analysing.write_analysis",
    ],
)
def test_ctrl_c_leaves_nothing(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(f"drugsig.{moment}", interrupted)
    assert run("analyse", folder / "analysis.toml", "--out", folder / "out") == 130
    assert "Interrupted" in capsys.readouterr().err
    assert sorted(p.name for p in folder.iterdir()) == ["analysis.toml", "table.csv"]


@pytest.mark.usefixtures("listening")
def test_ctrl_c_in_the_middle_of_writing_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("drugsig.workflow.outputs.render_report", interrupted)
    assert run("analyse", folder / "analysis.toml", "--out", folder / "out", "--quiet") == 130
    assert sorted(p.name for p in folder.iterdir()) == ["analysis.toml", "table.csv"]


def test_info_shows_models_indexes_and_arrays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profiles = drugsig.ProfileSet(
        np.random.default_rng(0).random((9, 4)), list("ABCD"), [f"p{k}" for k in range(9)]
    )
    index = drugsig.build_index(profiles, metric="euclidean").save(tmp_path / "index.npz")
    assert run("info", index) == 0
    assert "ProfileIndex" in capsys.readouterr().out
    np.savez(tmp_path / "some.npz", scores=np.zeros((3, 2)))
    assert run("info", tmp_path / "some.npz") == 0
    assert "scores (3, 2)" in capsys.readouterr().out
    (tmp_path / "damaged.npz").write_bytes(index.read_bytes()[:200])
    assert run("info", tmp_path / "damaged.npz") == 3
    assert "Nor does it hold arrays" in capsys.readouterr().err


def test_the_hint_names_options_of_the_command_that_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("profile_id,A,B\n1,2,3\n2,3,4\n")
    assert run("analyse", table, "--out", tmp_path / "o") == 3
    assert "(On the command line: --rule, --threshold.)" in capsys.readouterr().err


def test_info_shows_the_header_of_a_run(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_file = repository / "data" / "examples" / "casework" / "runs" / "Q1-03.cdf"
    assert run("info", run_file) == 0
    assert "600 scans" in capsys.readouterr().out
    assert run("info", run_file, "--json") == 0
    assert json.loads(capsys.readouterr().out)["format"] == "andi_ms"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("thermo.raw", b"\x01\xa1F\x00i\x00n\x00n\x00i\x00g\x00a\x00n\x00", "it is a Thermo .raw"),
        ("sim.mzML", b"<mzML></mzML>", "sim.mzML"),
        ("gone.cdf", b"", "it is an empty file"),
    ],
)
def test_info_says_why_a_run_is_not_read(
    name: str, content: bytes, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert run("info", tmp_path / name) == cli.EXIT_INPUT
    told = capsys.readouterr().err
    assert why in told
    assert "table" not in told


def test_one_profile_is_refused_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.csv").write_text("Sample,T1,T2\nA,1.5,2.5\n", encoding="utf-8")
    assert run("analyse", tmp_path / "one.csv", "--out", tmp_path / "o", "--threshold", "1") == 3
    told = capsys.readouterr().err
    assert "one profile cannot be compared with itself" in told
    assert "Empty cells" not in told
