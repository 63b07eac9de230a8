"""The analysis file: strict, complete, and the same after a round trip."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from drugsig.errors import ConfigError, DrugsigError, UnknownNameError
from drugsig.evidence import PRESETS
from drugsig.workflow import AnalysisConfig, read_rule
from drugsig.workflow.config import to_toml


def rewritten(folder: Path, old: str, new: str) -> Path:
    text = (folder / "analysis.toml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "changed.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_written_file_reads_back_as_the_same_analysis(folder: Path) -> None:
    config = AnalysisConfig.read(folder / "analysis.toml")
    data = config.to_data(relative_to=folder, sha256={"sha256": "0" * 64}, version="1")
    (folder / "again.toml").write_text(to_toml(data), encoding="utf-8")
    again = AnalysisConfig.read(folder / "again.toml")
    assert again.to_data(relative_to=folder, sha256={"sha256": "0" * 64}, version="1") == data
    assert again.rule == config.rule
    assert data["input"]["path"] == "table.csv"


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("[comparison]", "[comparision]", UnknownNameError, "Did you mean 'comparison'"),
        ("metric =", "metrik =", UnknownNameError, "Did you mean 'metric'"),
        ("pearson_distance", "pearson_distanc", UnknownNameError, "Did you mean 'pearson_distance"),
        ("sum | fourth_root", "sum | forth_root", UnknownNameError, "Did you mean 'fourth_root'"),
        ("format = 1", "format = 2", ConfigError, "format must be 1"),
        ('path = "table.csv"', 'paths = "table.csv"', DrugsigError, "path"),
        ('path = "table.csv"', 'path = "table.csv"\nshet = "x"', UnknownNameError, "'sheet'"),
        ("seed = 7", "seed = -1", ConfigError, "seed must be a whole number"),
        ("seed = 7", "seed = true", ConfigError, "seed must be a whole number"),
        ("seed = 7", "seed = ", ConfigError, "not valid TOML"),
        ('same = ["batch"]', "same = [1]", ConfigError, "names of columns"),
        ('same = ["batch"]', "", ConfigError, "names no column"),
        ('same = ["batch"]', 'sames = ["batch"]', UnknownNameError, "'same'"),
        ('source = ["batch"]', "", ConfigError, "lacks 'source'"),
        ("[run]", "[threshold]\nvalue = 3.0\n[run]", DrugsigError, "outside the range"),
        ("[run]", "[threshold]\nvalue = 'x'\n[run]", ConfigError, "must be a number"),
        ("[run]", "[threshold]\nfalse_positive_rate = 2.5\n[run]", DrugsigError, "2.5 % is 0.025"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(
    folder: Path, old: str, new: str, error: type[Exception], message: str
) -> None:
    path = rewritten(folder, old, new)
    with pytest.raises(error) as caught:
        AnalysisConfig.read(path)
    assert message in str(caught.value)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "analysis.toml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="not text"):
        AnalysisConfig.read(path)
    with pytest.raises(ConfigError, match="there is no analysis file"):
        AnalysisConfig.read(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        AnalysisConfig.read(tmp_path)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_written_by_name(name: str, folder: Path) -> None:
    config = AnalysisConfig(path=folder / "table.csv", rule=PRESETS[name])
    written = to_toml(config.to_data(sha256={}, version="1"))
    assert tomllib.loads(written)["population"] == {"preset": name}


def test_a_rule_is_read_from_a_file_of_its_own(folder: Path) -> None:
    rule = read_rule(folder / "analysis.toml")
    assert rule.name == "known batches"
    (folder / "empty.toml").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="no section"):
        read_rule(folder / "empty.toml")


@pytest.mark.parametrize("value", ["1" + "0" * 30, "100_001", "99"])
def test_resamples_beyond_any_use_are_refused(value: str, folder: Path) -> None:
    path = rewritten(folder, "[run]", f"[threshold]\nn_resamples = {value}\n\n[run]")
    with pytest.raises(ConfigError, match="n_resamples must be a whole number from 100 to 100000"):
        AnalysisConfig.read(path)
