"""The example "casework" teaches what it should: from raw runs to the right groups."""

from __future__ import annotations

import tomllib
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drugsig
from drugsig import Status
from drugsig._notes import Note
from drugsig.acquisition import read_run
from drugsig.acquisition.extraction import Extraction, extract
from drugsig.datasets import write_example
from drugsig.errors import SmallSampleWarning
from drugsig.evidence import threshold_for
from drugsig.groups import find_undecided
from drugsig.profiles.tables import read_table
from drugsig.protocols import Protocol, load_protocol

DISTURBED = {"indistinguishable", "aged", "mixed"}

Rows = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def casework(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_example("casework", tmp_path_factory.mktemp("examples") / "casework")


def rows_of(path: Path) -> Rows:
    columns, rows = read_table(path)
    place = columns.index("profile_id")
    return {row[place]: dict(zip(columns, row, strict=True)) for row in rows}


@pytest.fixture(scope="module")
def truth(casework: Path) -> Rows:
    return rows_of(casework / "truth.csv")


@pytest.fixture(scope="module")
def cases(casework: Path) -> Rows:
    return rows_of(casework / "cases.csv")


@pytest.fixture(scope="module")
def config(casework: Path) -> dict[str, Any]:
    return tomllib.loads((casework / "analysis.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def protocol(casework: Path, config: dict[str, Any]) -> Protocol:
    return load_protocol(casework / config["input"]["protocol"])


@pytest.fixture(scope="module")
def extraction(casework: Path, config: dict[str, Any], protocol: Protocol) -> Extraction:
    return extract(sorted((casework / config["input"]["runs"]).iterdir()), protocol)


@dataclass(frozen=True, eq=False)
class Result:
    """An analysis by the functions of the library."""

    profiles: drugsig.ProfileSet
    sample: drugsig.PairSample
    threshold: drugsig.Threshold
    groups: drugsig.Groups
    undecided: dict[str, tuple[Note, ...]]


@pytest.fixture(scope="module")
def result(extraction: Extraction, cases: Rows, config: dict[str, Any]) -> Result:
    profiles = extraction.profiles
    profiles = profiles.without(i for i in profiles.ids if cases[i]["kind"] != "sample")
    for column in ("specimen", "seizure", "known batch", "remark"):
        profiles = profiles.with_column(column, [cases[i][column] or None for i in profiles.ids])
    rule = drugsig.PopulationRule.from_data(config["population"])
    treated = drugsig.pretreat(profiles, config["pretreatment"]["recipe"])
    comparison = drugsig.compare(treated, metric=config["comparison"]["metric"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallSampleWarning)
        threshold = threshold_for(
            comparison,
            profiles,
            rule,
            rng=np.random.default_rng(config["run"]["seed"]),
            false_positive_rate=config["threshold"]["false_positive_rate"],
            n_resamples=200,
        )
    groups = drugsig.group(
        comparison, threshold=threshold.value, linkage=config["groups"]["linkage"]
    )
    links = comparison.links(threshold.value)
    sample = drugsig.pair_sample(comparison, profiles, rule)
    undecided = find_undecided(groups, links, sample=sample, left_out=sample.left_out)
    return Result(profiles, sample, threshold, groups, undecided)


def same_partition(first: Iterable[object], second: Iterable[object]) -> bool:
    """Say whether two labellings are one up to relabelling."""
    pairs = set(zip(first, second, strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


# -- what the files hold ----------------------------------------------------------------------


def test_the_folder_is_small_and_complete(casework: Path, cases: Rows, truth: Rows) -> None:
    files = [p for p in casework.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 10_000_000
    names = {p.name for p in (casework / "runs").iterdir()}
    assert len(names) == 24
    assert {row["run file"] for row in cases.values()} == names
    assert {row["run file"] for row in truth.values()} == names
    endings = Counter(Path(name).suffix for name in names)
    assert endings == {".cdf": 13, ".mzML": 11}
    assert cases.keys() == truth.keys() == {Path(name).stem for name in names}


def test_cases_tell_no_truth(cases: Rows, truth: Rows) -> None:
    told = {value for row in cases.values() for value in row.values()}
    assert not told & {row["source_id"] for row in truth.values() if row["source_id"]}
    batches = {(cases[i]["known batch"], truth[i]["source_id"]) for i in cases}
    known = {(a, b) for a, b in batches if a}
    assert len(known) == len({a for a, _ in known}) == 6


def test_what_was_made(truth: Rows, casework: Path) -> None:
    rows = list(truth.values())
    assert Counter(row["kind"] for row in rows) == {"sample": 20, "blank": 2, "control": 2}
    samples = [row for row in rows if row["kind"] == "sample"]
    assert len({row["source_id"] for row in samples}) == 6
    assert len({row["specimen_id"] for row in samples}) == 17
    levels = Counter(row["replicate_level"] for row in samples)
    assert levels == {"": 17, "injection": 1, "preparation": 1, "unit": 1}
    states = Counter(row["state"] for row in samples if not row["replicate_level"])
    assert states["aged"] == states["mixed"] == 1
    twins = {row["source_id"]: row["same_as"] for row in samples if row["same_as"]}
    assert len(twins) == 2
    assert all(twins[other] == one for one, other in twins.items())
    readme = (casework / "README.txt").read_text(encoding="utf-8")
    assert "24 GC-MS runs" in readme
    assert "17 specimens" in readme


def test_both_formats_say_what_they_should(casework: Path) -> None:
    for name, ionisation in (
        ("Q1-03.cdf", "Electron Impact"),
        ("Q2-03.mzML", "electron ionization"),
    ):
        run = read_run(casework / "runs" / name)
        assert run.metadata.ionisation == ionisation
        assert run.metadata.acquired.startswith("2025-01-")
        assert len(run) == 600
        assert 29 <= len(run.mz) / len(run) <= 32
        stated = run.tic_disagreement
        assert stated == (0.0 if name.endswith(".cdf") else None)


def test_the_protocol_is_complete(protocol: Protocol) -> None:
    assert protocol.missing_for_extraction == {}
    assert protocol.unverified == ()
    assert not protocol.is_harmonised
    assert len(protocol.compared) == 12
    assert [t.name for t in protocol.internal_standards] == ["tetracosane"]
    assert (protocol.recipe, protocol.metric) == ("sum | fourth_root", "pearson_distance")


def test_the_analysis_names_what_is_there(casework: Path, config: dict[str, Any]) -> None:
    assert config["input"] == {
        "runs": "runs",
        "protocol": "protocol.toml",
        "metadata_path": "cases.csv",
    }
    for value in config["input"].values():
        assert (casework / value).exists()


# -- what is measured -------------------------------------------------------------------------


def test_measured_areas_are_the_true_ones(extraction: Extraction, truth: Rows) -> None:
    profiles = extraction.profiles
    errors = []
    for k, one in enumerate(profiles.ids):
        for j, target in enumerate(profiles.targets):
            area = float(truth[one][f"area {target.name}"])
            if profiles.status[k, j] == Status.DETECTED and area > 2e4:
                errors.append(abs(profiles.values[k, j] / area - 1.0))
    assert len(errors) > 250
    assert np.quantile(errors, 0.95) < 0.02


def test_every_impurity_is_detected_or_absent(extraction: Extraction, truth: Rows) -> None:
    profiles = extraction.profiles
    for k, one in enumerate(profiles.ids):
        for j, target in enumerate(profiles.targets):
            if target.role != "impurity":
                continue
            there = float(truth[one][f"area {target.name}"]) > 100
            wanted = Status.DETECTED if there else Status.BELOW_LOD
            assert profiles.status[k, j] == wanted, (one, target.name)


def test_the_main_compound_is_out_of_range_in_some_runs(
    extraction: Extraction, truth: Rows
) -> None:
    profiles = extraction.profiles
    place = profiles.target_names.index("cocaine")
    rejected = profiles.status[:, place] == Status.REJECTED
    areas = np.array([float(truth[i]["area cocaine"]) for i in profiles.ids])
    assert 3 <= rejected.sum() <= 12
    assert areas[rejected].min() > areas[~rejected].max() * 0.9


def test_blanks_hold_the_internal_standard_only(extraction: Extraction, truth: Rows) -> None:
    profiles = extraction.profiles
    for k, one in enumerate(profiles.ids):
        if truth[one]["kind"] == "blank":
            detected = profiles.status[k] == Status.DETECTED
            assert [
                t.role for t, found in zip(profiles.targets, detected, strict=True) if found
            ] == ["internal_standard"]


# -- what comes out ---------------------------------------------------------------------------


def test_distinguishable_specimens_are_grouped_as_the_truth(result: Result, truth: Rows) -> None:
    groups = result.groups
    clean = [k for k, i in enumerate(groups.ids) if truth[i]["state"] == "clean"]
    sources = [truth[groups.ids[k]]["source_id"] for k in clean]
    assert len(clean) == 14
    assert len(set(sources)) == 4
    assert same_partition((int(groups.labels[k]) for k in clean), sources)
    assert same_partition((int(groups.components[k]) for k in clean), sources)


def test_indistinguishable_sources_end_in_one_group(result: Result, truth: Rows) -> None:
    label = dict(zip(result.groups.ids, result.groups.labels.tolist(), strict=True))
    twins = {i for i in label if truth[i]["state"] == "indistinguishable"}
    assert len({truth[i]["source_id"] for i in twins}) == 2
    assert len({label[i] for i in twins}) == 1


def test_the_others_and_only_they_are_undecided(result: Result, truth: Rows) -> None:
    assert set(result.undecided) == {i for i, row in truth.items() if row["state"] in DISTURBED}


def test_the_sample_is_small_and_says_so(result: Result) -> None:
    sample = result.sample
    assert result.threshold.rates.separated
    assert sample.n_linked_sources == 4
    assert any("sources" in str(n) for n in result.threshold.notes)
    farthest, nearest = sample.linked_scores.max(), sample.unlinked_scores.min()
    # Far enough that rounding decides nothing.
    assert nearest > 3 * farthest
