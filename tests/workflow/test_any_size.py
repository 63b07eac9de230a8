"""What the job and the command say of size: the way taken, refusals, a lack of memory."""

import contextlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drugsig import analyse
from drugsig.cli import main
from drugsig.errors import ConfigError, SizeError
from drugsig.workflow import analysing

pytestmark = pytest.mark.filterwarnings("ignore::drugsig.errors.DrugsigWarning")

RULE = """[population]
name = "batches"
source = ["batch_id"]
specimen = "profile_id"
linked = {same = ["batch_id"]}
unlinked = {different = ["batch_id"]}
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    batch = np.arange(120) // 4
    values = rng.lognormal(size=(30, 8))[batch] * rng.lognormal(sigma=0.05, size=(120, 8))
    made = pd.DataFrame(values, columns=[f"T{k}" for k in range(8)])
    made.insert(0, "batch_id", [f"b{k}" for k in batch])
    made.insert(0, "profile_id", [f"p{k:03d}" for k in range(120)])
    made.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "rule.toml").write_text(RULE, encoding="utf-8")
    return tmp_path / "t.csv"


def run(table: Path, *options: str) -> int:
    out, rule = str(table.parent / "out"), str(table.parent / "rule.toml")
    with pytest.raises(SystemExit) as done:
        main(["analyse", str(table), "--metadata", "batch_id", "--rule", rule, "--out", out,
              "--n-resamples", "100", *options])  # fmt: skip
    return int(done.value.code or 0)


def test_the_command_takes_either_way_and_a_number_of_chance_links(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(table, "--matrices", "sparse", "--chance-links", "70", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["scores_formed"] == "those needed"
    assert told["expected_chance_links"] <= 70
    out = table.parent / "out"
    with (out / "analysis.toml").open("rb") as file:
        decided = tomllib.load(file)
    assert decided["comparison"]["matrices"] == "sparse"
    assert decided["threshold"]["chance_links"] == 70
    assert "false_positive_rate" not in decided["threshold"]
    again = analyse(out / "analysis.toml")
    assert again.way == "sparse"
    assert again.threshold.value == told["threshold"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--memory", "1kB", "--matrices", "dense"), "--matrices, --memory"),
        (("--memory", "1kB", "--matrices", "sparse", "--threshold", "1"), "--memory"),
        (("--chance-links", "0.5"), "not measurable"),
    ],
)
def test_refusals_name_options_that_the_command_has(
    table: Path, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(table, *options) == 3
    message = capsys.readouterr().err
    assert said in message
    assert "fault" not in message
    assert not (table.parent / "out").exists()


def test_a_lack_of_memory_is_told_as_that(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def short(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 74.5 GiB")

    monkeypatch.setattr(analysing, "analysed", short)
    with pytest.raises(SizeError, match=r"74\.5 GiB.*matrices='sparse'"):
        analyse(table, rule=None, threshold=0.1, reading={"metadata": ["batch_id"]})
    assert run(table) == 3
    message = capsys.readouterr().err
    assert "74.5 GiB" in message
    assert "fault" not in message


def test_a_scheduler_is_asked_for_as_told(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, float]] = []

    @contextlib.contextmanager
    def connected(address: str, *, timeout: float) -> Iterator[None]:
        asked.append((address, timeout))
        yield None

    monkeypatch.setattr(analysing, "connected", connected)
    assert run(table, "--scheduler", "tcp://host:8786", "--timeout", "5") == 0
    assert asked == [("tcp://host:8786", 5.0)]


def test_wrong_words_in_a_file_are_refused(table: Path) -> None:
    file = table.parent / "a.toml"
    file.write_text(
        '[drugsig]\nformat = 1\n[input]\npath = "t.csv"\n[threshold]\nvalue = 0.1\n'
        'chance_links = -1\n[comparison]\nmatrices = "dense"\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match="chance_links"):
        analyse(file)
