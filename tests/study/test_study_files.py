"""A study is a file, and runs again to the same table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drugsig import write_profiles
from drugsig.errors import ConfigError, DrugsigError, OutputError, UnknownNameError
from drugsig.study import Study, TargetSelection, read_study, run_plan, run_study
from tests.study.cases import BATCHES, METRICS, RECIPES, ROUTES, profiles_of

pytestmark = pytest.mark.filterwarnings("ignore::drugsig.errors.SmallSampleWarning")

FILE = """
[drugsig]
format = 1

[input]
path = "table.csv"

[study]
metrics = ["euclidean"]
seed = 7
n_resamples = 100
n_folds = 2
n_repeats = 1

[[recipes]]
name = "plain"
recipe = "sum"

[[selections]]
name = "seen often"
presence = 0.5

[[rules]]
name = "batches"
source = ["batch_id"]
specimen = "profile_id"
linked = { any = [{ same = ["batch_id"] }, { same = ["batch_id", "route"] }] }
unlinked = { not = { same = ["batch_id"] } }
"""


def small_study() -> Study:
    return run_study(
        profiles_of(), RECIPES, METRICS, [BATCHES, ROUTES], rng=np.random.default_rng(1),
        selections={"all targets": TargetSelection(), "some": TargetSelection(variance_ratio=2.0)},
        n_folds=2, n_repeats=1, n_resamples=100, progress=False,
    )  # fmt: skip


def test_a_study_written_to_a_folder_runs_again_to_the_same_table(tmp_path: Path) -> None:
    study = small_study()
    path = study.write(tmp_path / "study")
    assert path == tmp_path / "study" / "study.toml"
    plan = read_study(path)
    again = run_plan(plan, progress=False)
    pd.testing.assert_frame_equal(again.table, study.table, check_exact=True)
    assert again.choices == study.choices
    assert again.profiles.digest == study.profiles.digest
    second = again.write(tmp_path / "again")
    for name in ("study.toml", "profiles.csv", "table.csv", "optimism.csv"):
        assert (second.parent / name).read_bytes() == (path.parent / name).read_bytes()


def test_the_table_is_written_with_all_its_digits(tmp_path: Path) -> None:
    study = small_study()
    path = study.to_csv(tmp_path / "table.csv")
    back = pd.read_csv(path)
    np.testing.assert_array_equal(back["auc"], study.table["auc"])
    assert list(back.columns) == list(study.table.columns)


def test_other_profiles_are_not_taken_for_those_that_were_studied(tmp_path: Path) -> None:
    path = small_study().write(tmp_path / "study")
    write_profiles(profiles_of(seed=5), path.parent / "profiles.csv", overwrite=True)
    with pytest.raises(ConfigError, match="holds other profiles than those of this study"):
        run_plan(read_study(path))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="not empty"):
        small_study().write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_study_file_written_by_hand_runs(tmp_path: Path) -> None:
    write_profiles(profiles_of(), tmp_path / "table.csv")
    (tmp_path / "study.toml").write_text(FILE, encoding="utf-8")
    plan = read_study(tmp_path / "study.toml")
    assert plan.seed == 7
    study = run_plan(plan, progress=False)
    assert study.table["selection"].tolist() == ["seen often"]
    assert study.table["n_linked"].tolist() == [48]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("format = 1", "format = 2", ConfigError),
        ("[study]", "[studie]", UnknownNameError),
        ("seed = 7", "sed = 7", UnknownNameError),
        ("seed = 7", "seed = 1.5", DrugsigError),
        ('metrics = ["euclidean"]', 'metrics = "euclidean"', ConfigError),
        ('path = "table.csv"', "path = 5", ConfigError),
        ('path = "table.csv"', 'path = "table.csv"\nshet = "x"', UnknownNameError),
        ('recipe = "sum"', "recipe = 5", ConfigError),
        ("[[recipes]]", "[recipes]", ConfigError),
        ("presence = 0.5", "presense = 0.5", UnknownNameError),
        ("[[rules]]", "[rule]", DrugsigError),
        ("[study]", "[study", ConfigError),
    ],
)
def test_a_file_that_cannot_be_run_says_why(
    old: str, new: str, error: type[Exception], tmp_path: Path
) -> None:
    assert old in FILE
    path = tmp_path / "study.toml"
    path.write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(error):
        read_study(path)


def test_a_missing_file_and_a_plan_without_profiles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_study(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="names no table of profiles"):
        run_plan(small_study().plan)
