from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from drugsig import ProfileSet, cli
from drugsig.errors import ConfigError, DrugsigWarning, OutputError, UnknownNameError
from drugsig.evidence.models import load_model
from drugsig.profiles.tables import write_profiles
from drugsig.workflow import validate_method
from drugsig.workflow.validating import told_lines
from drugsig.workflow.validation_config import ValidationConfig
from tests.evidence.validation.cases import batches, small_validation

VALIDATION = """\
[drugsig]
format = 1

[input]
path = "profiles.csv"

[pretreatment]
recipe = "sum | fourth_root"

[population]
name = "known batches"
source_level = "production batch"
source = ["batch_id"]
linked = { same = ["batch_id"] }
unlinked = { different = ["batch_id"] }

[model]
replicate_level = "specimen"
calibration = "isotonic"
[model.two_level]
between = "normal"

[validation]
seeds = 2
n_folds = 3
change_seeds = 1
n_resamples = 200
uncertainty_rsd = 0.05

[run]
seed = 5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_profiles(batches(), tmp_path / "profiles.csv")
    (tmp_path / "validation.toml").write_text(VALIDATION, encoding="utf-8")
    return tmp_path


def written(folder: Path, old: str, new: str) -> Path:
    """Change the validation file and return it."""
    path = folder / "validation.toml"
    assert old in VALIDATION
    path.write_text(VALIDATION.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.slow
def test_the_command_writes_the_same_report_data_and_model_every_time(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for out in ("one", "two"):
        with pytest.raises(SystemExit) as left:
            cli.main(
                ["validate", str(folder / "validation.toml"), "--out", str(folder / out), "--json"]
            )
        assert not left.value.code
        figures = json.loads(capsys.readouterr().out)
        assert figures["verdicts"]["generalisation"] == "not assessed"
    names = ["model.npz", "validation.html", "validation.json"]
    assert sorted(p.name for p in (folder / "one").iterdir()) == names
    for name in names:
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()
    carried = load_model(folder / "one" / "model.npz").validation
    assert carried is not None
    assert carried.verdicts == figures["verdicts"]
    data = json.loads((folder / "one" / "validation.json").read_text(encoding="utf-8"))
    assert data["settings"]["seeds"] == [0, 1]
    assert str(folder) not in (folder / "one" / "validation.html").read_text(encoding="utf-8")


def test_profiles_that_cannot_be_compared_are_left_out_and_named(folder: Path) -> None:
    profiles = batches()
    values = profiles.values.copy()
    values[0, 0] = float("nan")
    other = ProfileSet(values, targets=profiles.targets, profiles=profiles.profiles)
    write_profiles(other, folder / "profiles.csv", overwrite=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        made = validate_method(folder / "validation.toml", progress=False)
    assert made.report.n_profiles == len(profiles) - 1
    assert profiles.ids[0] in str(made.report.notes[0])
    assert made.model.validation is not None
    assert made.model.validation.report == made.report.digest


def test_a_file_says_everything_and_is_read_back(folder: Path) -> None:
    config = ValidationConfig.read(folder / "validation.toml")
    assert config.spec.calibration == "isotonic"
    assert config.criteria.name == "drugsig default"
    assert config.settings["seeds"] == (0, 1)
    assert config.analysis.seed == 5


def test_own_criteria_are_read_beside_the_file(folder: Path) -> None:
    (folder / "ours.toml").write_text(
        'name = "ours"\nsource = "us"\n[[criteria]]\nmeasure = "cllr"\nat_most = 0.4\nwhy = "x"\n',
        encoding="utf-8",
    )
    path = written(folder, "seeds = 2", 'seeds = [3, 4]\ncriteria = "ours.toml"')
    config = ValidationConfig.read(path)
    assert config.criteria.name == "ours"
    assert config.settings["seeds"] == [3, 4]


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        ('recipe = "sum | fourth_root"', "", ConfigError, "lacks recipe"),
        ("[population]", "[populations]", UnknownNameError, "population"),
        ("[model]\nreplicate_level", "[validation2]\nreplicate_level", UnknownNameError, "section"),
        ("n_folds = 3", "folds = 3", UnknownNameError, "n_folds"),
        ("n_folds = 3", 'n_folds = "3"', ConfigError, "number"),
        ("seeds = 2", "seeds = 0", ConfigError, "seeds"),
        ("uncertainty_rsd = 0.05", "elsewhere = 3", ConfigError, "elsewhere"),
        ("uncertainty_rsd = 0.05", 'across = "epoch"', ConfigError, "across"),
        ('replicate_level = "specimen"', "", ConfigError, "replicate_level"),
        ('"specimen"', '"specimens"', UnknownNameError, r"validation.toml, \[model\]: .*specimen"),
        ("calibration =", 'approach = "score"\ncalibration =', ConfigError, 'metric = "pearson'),
        ("calibration =", "error_share = 0.01\ncalibration =", ConfigError, "model.two_level"),
        ("[model.two_level]\nbetween", "[model.two_level]\nbetwen", UnknownNameError, "between"),
        ("between =", 'error_share = "1 %"\nbetween =', ConfigError, "0.01 stands for"),
        ("seeds = 2", 'criteria = "ours.toml"\nseeds = 2', ConfigError, "no criteria file"),
    ],
)
def test_a_file_that_cannot_be_run_says_why(
    folder: Path, old: str, new: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        ValidationConfig.read(written(folder, old, new))


def test_a_file_without_known_sources_is_refused(folder: Path) -> None:
    start, end = VALIDATION.index("[population]"), VALIDATION.index("[model]")
    path = written(folder, VALIDATION[start:end], "")
    with pytest.raises(ConfigError, match="population"):
        ValidationConfig.read(path)


@pytest.mark.parametrize("name", ["profiles.csv", "nothing.toml"])
def test_another_kind_of_file_is_told_what_is_wanted(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="drugsig example validation"):
        ValidationConfig.read(folder / name)


def test_an_analysis_file_is_told_from_a_validation_file(folder: Path) -> None:
    start, end = VALIDATION.index("[model]"), VALIDATION.index("[run]")
    path = written(folder, VALIDATION[start:end], "[threshold]\nfalse_positive_rate = 0.025\n")
    with pytest.raises(ConfigError, match=r"analysis file.*\[threshold\].*add \[model\]"):
        ValidationConfig.read(path)


def test_the_terminal_tells_what_did_not_pass_and_why() -> None:
    lines = told_lines(small_validation().report)
    assert lines[-1] == "As a whole: fail."
    assert any(line.startswith("Robustness:") for line in lines)
    told = [line for line in lines if line.startswith("    ")]
    report = small_validation().report
    failed = [f for f in report.findings if f.verdict != "pass"]
    assert len(told) == len(failed) > 0
    assert all(f.about.label in line for f, line in zip(failed, told, strict=True))


def test_results_are_never_overwritten(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="not empty"):
        validate_method(folder / "validation.toml", out=folder / "out", progress=False)
    assert [p.name for p in (folder / "out").iterdir()] == ["mine.txt"]
