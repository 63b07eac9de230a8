"""The command `drugsig links`: a table of links, what was searched, one clear error."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from drugsig import ProfileSet, Recipe, cli, pretreat, read_profiles, write_profiles
from drugsig.comparison.linking import links
from drugsig.errors import InputError, OutputError
from drugsig.profiles.tables import read_table
from drugsig.workflow.link_search import search_links
from tests.comparison.dask_cluster import Cluster, loopback_allowed

TARGETS = [f"T{k}" for k in range(7)]


def raw(n: int, *, seed: int) -> ProfileSet:
    rng = np.random.default_rng(seed)
    sources = np.exp(np.random.default_rng(0).normal(size=(20, len(TARGETS))))
    values = sources[rng.integers(0, 20, n)] * np.exp(rng.normal(scale=0.05, size=(n, 7)))
    return ProfileSet(values * 1000.0, TARGETS, [f"s{seed}-{k:03d}" for k in range(n)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_profiles(raw(120, seed=1), tmp_path / "cases.csv")
    write_profiles(raw(200, seed=2), tmp_path / "database.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object) -> int:
    """Run the command in this process and return its exit code."""
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    return int(left.value.code or 0)


USUAL = ("--metric", "pearson", "--threshold", "0.99", "--recipe", "sum | fourth_root")


def test_links_and_what_was_searched_are_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("links", "cases.csv", *USUAL, "--out", "found.csv") == 0
    s = pretreat(read_profiles(folder / "cases.csv"), "sum | fourth_root")
    expected = links(s, metric="pearson", threshold=0.99)
    assert len(expected) > 100
    columns, rows = read_table(folder / "found.csv")
    frame = expected.to_frame()
    assert columns[:3] == ["questioned", "reference", "score"]
    assert [r[0] for r in rows] == frame["questioned"].tolist()
    assert [r[1] for r in rows] == frame["reference"].tolist()
    assert [float(r[2]) for r in rows] == frame["score"].tolist()
    told = json.loads((folder / "found.csv.json").read_text(encoding="utf-8"))
    assert told["comparisons"] == 120 * 119 // 2
    assert told["links"] == len(expected)
    assert told["undefined_scores"] == 0
    assert (told["metric"], told["threshold"]) == ("pearson", 0.99)
    assert told["recipe"] == "sum | fourth_root"
    assert told["expected_chance_links"] is None
    table = (folder / "cases.csv").read_bytes()
    assert told["questioned"]["sha256"] == hashlib.sha256(table).hexdigest()
    assert told["questioned"]["digest"] == raw(120, seed=1).digest
    assert told["reference"] is None
    written = (folder / "found.csv").read_bytes()
    assert told["table"]["sha256"] == hashlib.sha256(written).hexdigest()
    assert f"{len(expected)} of 7140 pairs" in capsys.readouterr().out


def test_what_a_recipe_learns_it_learns_from_the_reference(folder: Path) -> None:
    recipe = "sum | autoscale"
    code = run(
        "links", "cases.csv", "database.csv", "--metric", "euclidean", "--threshold", "1",
        "--recipe", recipe, "--out", "found.csv", "--false-positive-rate", "0,01",
    )  # fmt: skip
    assert code == 0
    b = pretreat(read_profiles(folder / "database.csv"), recipe)
    a = pretreat(read_profiles(folder / "cases.csv"), Recipe.of(b))
    expected = links(a, b, metric="euclidean", threshold=1.0)
    _, rows = read_table(folder / "found.csv")
    assert [(r[0], r[1]) for r in rows] == [
        (x, y) for x, y in expected.to_frame()[["questioned", "reference"]].itertuples(index=False)
    ]
    told = json.loads((folder / "found.csv.json").read_text(encoding="utf-8"))
    assert told["reference"]["file"] == "database.csv"
    assert told["expected_chance_links"] == pytest.approx(0.01 * 120 * 200)


def test_json_and_quiet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("links", "cases.csv", *USUAL, "--out", "a.csv", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["out"] == "a.csv"
    assert printed["comparisons"] == 7140
    assert run("links", "cases.csv", *USUAL, "--out", "b.csv", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert (folder / "a.csv").read_bytes() == (folder / "b.csv").read_bytes()


def test_tables_of_others_are_read_with_the_same_options(folder: Path) -> None:
    rows = ["Probe;M;A;B;C;D;E;Ort"]
    rows += [f"p{k};9,0;{k % 3 + 1},5;2,25;{k % 5}0,0;4,0;1,0;X" for k in range(30)]
    (folder / "foreign.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    code = run(
        "links", "foreign.csv", "--id-column", "Probe", "--metadata", "Ort", "--role", "M=main",
        "--metric", "cosine", "--threshold", "1", "--recipe", "sum", "--out", "found.csv",
        "--decimal-comma", "--workers", "1",
    )  # fmt: skip
    assert code == 0
    _, found = read_table(folder / "found.csv")
    assert found
    assert found[0][2] == "1,0"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("none.csv", *USUAL, "--out", "o.csv"), 3, "none.csv"),
        (("cases.csv", "--threshold", "2", "--metric", "pearson", "--out", "o.csv"), 3, "outside"),
        (("cases.csv", "--threshold", "1", "--metric", "pearsn", "--out", "o.csv"), 3, "Did you"),
        (("cases.csv", *USUAL, "--out", "o.csv", "--memory", "1kB"), 3, "allow more with"),
        (("cases.csv", *USUAL, "--out", "o.csv", "--memory", "lots"), 2, "no size such as"),
        (("cases.csv", *USUAL, "--out", "o.csv", "--workers", "0"), 3, "from 1"),
        (("cases.csv", *USUAL, "--out", "cases.csv"), 4, "never overwritten"),
        (("cases.csv", *USUAL, "--out", "none/o.csv"), 4, "does not exist"),
        (("cases.csv", *USUAL, "--out", "o.csv", "--shards", "."), 3, "no manifest.json"),
        (("cases.csv", "--out", "o.csv"), 2, "--threshold"),
    ],
)
def test_every_error_is_one_clear_message(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    before = sorted(p.name for p in folder.iterdir())
    assert run("links", *arguments) == code
    printed = capsys.readouterr()
    assert told in printed.err
    assert "Traceback" not in printed.err
    assert sorted(p.name for p in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "size"), [("5000", 5e3), ("4e9", 4e9), ("500 MB", 5e8), ("1.5GB", 1.5e9), ("2T", 2e12)]
)
def test_sizes_are_read_with_their_units(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, size: float
) -> None:
    asked: list[float] = []

    def noted(*_: object, memory: float, **__: object) -> None:
        asked.append(memory)
        raise InputError("enough")

    monkeypatch.setattr("drugsig.workflow.link_search.search_links", noted)
    assert run("links", "cases.csv", *USUAL, "--out", "o.csv", "--memory", text) == 3
    assert asked == [pytest.approx(size)]


def test_ctrl_c_says_where_what_was_found_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("drugsig.comparison.distributed.run_search", interrupted)
    command = ("links", "cases.csv", *USUAL, "--out", "o.csv", "--shards", "s")
    assert run(*command) == 130
    printed = capsys.readouterr()
    assert "Kept in s: give the same command to go on." in printed.err
    assert not (folder / "o.csv").exists()
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert run(*command) == 0


def test_no_table_is_left_without_what_was_searched(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, calls = os.fsync, []

    def full(number: int) -> None:
        calls.append(number)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        fsync(number)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        search_links("cases.csv", metric="pearson", threshold=0.99, out="o.csv")
    assert sorted(p.name for p in folder.iterdir()) == ["cases.csv", "database.csv"]


def test_a_dead_scheduler_is_one_clear_message(
    folder: Path, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with loopback_allowed(request.config):
        code = run(
            "links", "cases.csv", *USUAL, "--out", "o.csv", "--scheduler", "tcp://127.0.0.1:9",
            "--timeout", "0.5",
        )  # fmt: skip
    assert code == 3
    printed = capfd.readouterr()
    assert printed.err.startswith("ClusterError: no scheduler answered at 'tcp://127.0.0.1:9'")
    assert len(printed.err.splitlines()) == 1
    assert not (folder / "o.csv").exists()


@pytest.mark.slow
def test_a_cluster_writes_the_same_table(
    folder: Path, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    assert run("links", "cases.csv", "database.csv", *USUAL, "--out", "here.csv") == 0
    (folder / "cluster").mkdir()
    with loopback_allowed(request.config), Cluster(folder / "cluster") as cluster:
        cluster.start_worker()
        code = run(
            "links", "cases.csv", "database.csv", *USUAL, "--out", "there.csv",
            "--scheduler", cluster.file, "--shards", "s",
        )  # fmt: skip
    assert code == 0
    assert (folder / "here.csv").read_bytes() == (folder / "there.csv").read_bytes()
    assert "Traceback" not in capfd.readouterr().err
