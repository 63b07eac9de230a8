"""The main job from raw runs: the casework example, and what can go wrong with a folder."""

from __future__ import annotations

import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drugsig import cli
from drugsig.analysis import Analysis
from drugsig.errors import (
    ConfigError,
    DrugsigError,
    DrugsigWarning,
    MetadataError,
    ReadError,
)
from drugsig.profiles.tables import read_table
from drugsig.workflow import analyse

CASEWORK = "data/examples/casework"


def quietly(*arguments: object, **options: object) -> Analysis:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return analyse(*arguments, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def analysis(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    out = tmp_path_factory.mktemp("casework") / "out"
    return quietly(repository / CASEWORK / "analysis.toml", out=out)


@pytest.fixture(scope="module")
def truth(repository: Path) -> pd.DataFrame:
    columns, rows = read_table(repository / CASEWORK / "truth.csv")
    return pd.DataFrame(rows, columns=list(columns)).set_index("profile_id")


@pytest.fixture
def casework(repository: Path, tmp_path: Path) -> Path:
    """A copy of the example with eight of its runs."""
    folder = tmp_path / "casework"
    shutil.copytree(repository / CASEWORK, folder)
    for run in sorted((folder / "runs").iterdir())[8:]:
        run.unlink()
    lines = (folder / "cases.csv").read_text(encoding="utf-8-sig").splitlines()
    (folder / "cases.csv").write_text("\n".join(lines[:9]) + "\n", encoding="utf-8")
    return folder


def test_groups_of_distinguishable_specimens_are_the_truth(
    analysis: Analysis, truth: pd.DataFrame
) -> None:
    groups = analysis.groups.to_frame().set_index("profile_id")
    clean = groups.join(truth).query("state == 'clean'")
    assert len(clean) == 14
    together = clean[["source_id", "group"]].drop_duplicates()
    assert len(together) == clean["source_id"].nunique() == clean["group"].nunique()


def test_the_other_specimens_are_undecided_and_no_clean_one_is(
    analysis: Analysis, truth: pd.DataFrame
) -> None:
    samples = truth[truth["kind"] == "sample"]
    assert set(analysis.undecided) == set(samples.index[samples["state"] != "clean"])


def test_blanks_and_control_samples_are_not_compared(analysis: Analysis) -> None:
    assert analysis.excluded == {
        "Q1-01": "blank run",
        "Q1-02": "control sample",
        "Q2-01": "blank run",
        "Q2-02": "control sample",
    }


def test_areas_are_those_that_were_simulated(analysis: Analysis, truth: pd.DataFrame) -> None:
    profiles = analysis.profiles
    off = []
    for column, target in enumerate(profiles.targets):
        true = truth.loc[list(profiles.ids), f"area {target.name}"].astype(float).to_numpy()
        seen = profiles.detected[:, column] & (true > 0)
        off.extend(np.abs(profiles.values[seen, column] / true[seen] - 1.0))
    assert len(off) > 250
    assert np.quantile(off, 0.95) < 0.03


def test_the_truth_lies_within_the_stated_uncertainty(
    analysis: Analysis, truth: pd.DataFrame
) -> None:
    profiles = analysis.profiles
    z = []
    for column, target in enumerate(profiles.targets):
        true = truth.loc[list(profiles.ids), f"area {target.name}"].astype(float).to_numpy()
        seen = profiles.detected[:, column] & (true > 0)
        spread = profiles.uncertainty[seen, column]
        z.extend((profiles.values[seen, column] - true[seen]) / spread)
    assert np.mean(np.abs(z) < 3.0) > 0.85


def test_flags_of_runs_are_in_the_quality_table(casework: Path) -> None:
    quietly(casework / "analysis.toml", out=casework / "out")
    columns, rows = read_table(casework / "out" / "quality.csv")
    flags = {row[columns.index("profile_id")]: row[columns.index("flags")] for row in rows}
    assert "short noise" in (flags["Q1-03"] or "")


def test_every_run_is_an_input_with_its_digest(analysis: Analysis) -> None:
    names = [i.path.rpartition("/")[2] for i in analysis.inputs]
    assert names[0] == "runs"
    assert sorted(n for n in names if n.startswith("Q")) == sorted(
        p for p in names if p.endswith((".cdf", ".mzML"))
    )
    assert {"protocol.toml", "cases.csv"} <= set(names)
    assert all(len(i.sha256) == 64 for i in analysis.inputs)


def test_running_it_again_gives_the_same_bytes(casework: Path) -> None:
    first, second = casework / "first", casework / "second"
    quietly(casework / "analysis.toml", out=first)
    quietly(first / "analysis.toml", out=second)
    names = {p.name for p in first.iterdir()}
    assert "peaks.csv" in names
    for name in names - {"manifest.json"}:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_broken_file_does_not_keep_the_good_ones_from_it(
    casework: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (casework / "runs" / "Q1-03.cdf").read_bytes()
    (casework / "runs" / "Q1-99.cdf").write_bytes(whole[: len(whole) // 3])
    (casework / "runs" / "Q1-98.mzML").write_bytes(b"")
    with pytest.raises(SystemExit) as left:
        cli.main(["analyse", str(casework / "analysis.toml"), "--out", str(casework / "out")])
    printed = capsys.readouterr()
    assert left.value.code == cli.EXIT_PARTLY
    assert "Q1-99.cdf" in printed.err
    assert "Q1-98.mzML" in printed.err
    assert "Traceback" not in printed.err
    assert "6 of 8 profiles compared" in printed.out
    assert "Q1-99.cdf" in (casework / "out" / "report.html").read_text(encoding="utf-8")


def test_a_changed_run_is_refused(casework: Path) -> None:
    quietly(casework / "analysis.toml", out=casework / "out")
    run = casework / "runs" / "Q1-03.cdf"
    shutil.copyfile(casework / "runs" / "Q1-04.cdf", run)
    with pytest.raises(ConfigError, match="is not the input this analysis was made from"):
        analyse(casework / "out" / "analysis.toml")


def test_a_folder_needs_a_protocol(casework: Path) -> None:
    with pytest.raises(ConfigError, match=r"name a protocol.*protocols list"):
        analyse(casework / "runs", threshold=0.1)


def test_a_folder_without_runs_is_refused(casework: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReadError, match="holds no runs"):
        analyse(tmp_path / "empty", protocol=casework / "protocol.toml", threshold=0.1)


def test_a_protocol_without_retention_is_refused_with_what_it_lacks(casework: Path) -> None:
    with pytest.raises(DrugsigError, match="retention"):
        analyse(casework / "runs", protocol="cocaine-minor-alkaloids", threshold=0.1)


def test_a_run_without_metadata_is_refused(casework: Path) -> None:
    shutil.copyfile(casework / "runs" / "Q1-03.cdf", casework / "runs" / "new.cdf")
    with pytest.raises(MetadataError, match="'new'"):
        analyse(casework / "analysis.toml")


def test_an_unknown_kind_is_refused(casework: Path) -> None:
    cases = casework / "cases.csv"
    text = cases.read_text(encoding="utf-8")
    cases.write_text(text.replace(",blank,", ",blanc,"), encoding="utf-8")
    with pytest.raises(
        ConfigError,
        match="'blanc' in the metadata column 'kind'; known are",
    ):
        analyse(casework / "analysis.toml")


def test_a_folder_is_analysed_from_the_command_line(
    casework: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(
            [
                "analyse", str(casework / "runs"), "--protocol", str(casework / "protocol.toml"),
                "--metadata-path", str(casework / "cases.csv"), "--threshold", "0,05",
                "--out", str(casework / "out"),
            ]
        )  # fmt: skip
    assert left.value.code == 0
    assert "not validated" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["list"], 0, "amphetamine-eu"),
        (["show", "amphetamine-eu"], 0, "DB-35MS"),
        (["show", "amfetamine-eu"], 3, "Did you mean 'amphetamine-eu'"),
        (["check", CASEWORK + "/protocol.toml"], 0, "protocol"),
    ],
)
def test_protocols_are_listed_shown_and_checked(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(repository)
    with pytest.raises(SystemExit) as left:
        cli.main(["protocols", *arguments])
    printed = capsys.readouterr()
    assert left.value.code == code
    assert told in printed.out + printed.err


def test_a_link_that_leads_nowhere_is_told_with_the_others(casework: Path) -> None:
    try:
        (casework / "runs" / "gone.cdf").symlink_to(casework / "nowhere.cdf")
    except OSError:
        pytest.skip("links cannot be made here")
    analysis = quietly(casework / "analysis.toml")
    assert analysis.runs is not None
    assert analysis.runs.errors[0][0] == "gone.cdf"
    assert len(analysis.profiles) == 8


def test_two_runs_of_one_name_are_refused_with_both(casework: Path) -> None:
    shutil.copyfile(casework / "runs" / "Q1-03.cdf", casework / "runs" / "Q1-03.nc")
    with pytest.raises(ReadError, match=r"'Q1-03\.nc' and 'Q1-03\.cdf' would both be"):
        analyse(casework / "analysis.toml")


def test_runs_are_left_out_by_name(casework: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        analysis = analyse(
            casework / "runs",
            protocol=casework / "protocol.toml",
            threshold=0.05,
            reading={"metadata_path": casework / "cases.csv", "leave_out": ["Q1-04"]},
        )
    assert "Q1-04" not in analysis.profiles.ids
    assert len(analysis.profiles) == 7


def test_without_kinds_it_is_said_that_all_runs_count_as_samples(casework: Path) -> None:
    with pytest.warns(DrugsigWarning) as given:
        analyse(casework / "runs", protocol=casework / "protocol.toml", threshold=0.05)
    assert any("which runs are blanks" in str(w.message) for w in given)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("time_s = 208", "time_s = 312", "detected in none"),
        ("time_s = 256", "time_s = 286", "shared_peak"),
    ],
)
def test_a_protocol_that_takes_the_wrong_peak_is_noticed(
    casework: Path, old: str, new: str, told: str
) -> None:
    protocol = casework / "protocol.toml"
    text = protocol.read_text(encoding="utf-8")
    changed = re.sub(re.escape(old) + r"[.\d]*", new, text, count=1)
    assert changed != text
    protocol.write_text(changed, encoding="utf-8")
    try:
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            analysis = analyse(casework / "analysis.toml", out=casework / "out")
    except DrugsigError as error:
        assert "not measured or rejected" in str(error)  # noqa: PT017 - either is a clear answer
    else:
        peaks = (casework / "out" / "peaks.csv").read_text(encoding="utf-8")
        assert told in peaks or any(told in str(w.message) for w in given)
        assert analysis.runs is not None
