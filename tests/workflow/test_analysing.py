"""The main job: every profile accounted for, the same result every time, nothing half-written."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import drugsig
from drugsig.analysis import Analysis
from drugsig.errors import (
    ChainingWarning,
    CircularRuleWarning,
    ConfigError,
    DrugsigWarning,
    InputError,
    MetadataError,
    OutputError,
    ReadError,
    SmallSampleWarning,
)
from drugsig.profiles.tables import read_profiles, read_table
from drugsig.report import render_report
from drugsig.workflow import analyse
from drugsig.workflow import outputs as outputs_module

FILES = {
    "analysis.json",
    "report.html",
    "profiles.csv",
    "scores.npz",
    "links.csv",
    "groups.csv",
    "quality.csv",
    "analysis.toml",
    "manifest.json",
}


def quietly(*arguments: object, **options: object) -> Analysis:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return analyse(*arguments, **options)  # type: ignore[arg-type]


def test_groups_of_a_clean_table_are_its_batches(folder: Path) -> None:
    analysis = quietly(folder / "analysis.toml")
    batch = dict(zip(analysis.compared.ids, analysis.compared.column("batch"), strict=True))
    found = {frozenset(analysis.groups.members(k)) for k in range(1, len(analysis.groups) + 1)}
    expected = {
        frozenset(name for name, b in batch.items() if b == wanted) for wanted in batch.values()
    }
    assert found == expected
    assert analysis.threshold.validated
    assert analysis.threshold.rates.separated


def test_every_profile_is_accounted_for(folder: Path) -> None:
    analysis = quietly(folder / "analysis.toml", out=folder / "out")
    assert len(analysis.profiles) == 32
    assert analysis.excluded == {"001-0": "not measured or rejected: T2"}
    assert set(analysis.compared.ids) | set(analysis.excluded) == set(analysis.profiles.ids)
    assert analysis.links.comparisons == 31 * 30 // 2
    columns, rows = read_table(folder / "out" / "groups.csv")
    states = {row[columns.index("profile_id")]: row[columns.index("state")] for row in rows}
    assert set(states) == set(analysis.profiles.ids)
    assert states["001-0"] == "excluded"
    assert states["000-0"] == "undecided"
    assert analysis.group_of("001-0") == ""
    assert analysis.group_of("003-0") == analysis.group_of("003-1") != ""


def test_the_folder_holds_what_is_promised_and_the_manifest_proves_it(folder: Path) -> None:
    quietly(folder / "analysis.toml", out=folder / "out")
    written = {p.name for p in (folder / "out").iterdir()}
    assert written == FILES
    manifest = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / "out" / name).read_bytes()).hexdigest() == digest
    table = (folder / "table.csv").read_bytes()
    assert manifest["inputs"] == [
        {"path": "../table.csv", "sha256": hashlib.sha256(table).hexdigest(), "size": len(table)}
    ]
    assert manifest["seed"] == 7
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_running_the_written_analysis_again_gives_the_same_bytes(folder: Path) -> None:
    quietly(folder / "analysis.toml", out=folder / "first")
    quietly(folder / "first" / "analysis.toml", out=folder / "second")
    for name in FILES - {"manifest.json"}:
        assert (folder / "first" / name).read_bytes() == (folder / "second" / name).read_bytes()


def test_no_file_but_the_manifest_holds_a_date_or_an_absolute_path(folder: Path) -> None:
    quietly(folder / "analysis.toml", out=folder / "out")
    today = re.compile(rb"20\d\d-\d\d-\d\dT")
    for name in FILES - {"manifest.json", "scores.npz"}:
        content = (folder / "out" / name).read_bytes()
        assert str(folder).encode() not in content
        assert not today.search(content)


def test_scores_can_be_read_without_pickle(folder: Path) -> None:
    analysis = quietly(folder / "analysis.toml", out=folder / "out")
    with np.load(folder / "out" / "scores.npz", allow_pickle=False) as stored:
        assert analysis.comparison is not None
        np.testing.assert_array_equal(stored["scores"], analysis.comparison.condensed())
        assert tuple(stored["profile_id"]) == analysis.comparison.row_ids
        assert str(stored["metric"]) == "pearson_distance"


def test_written_profiles_read_back_identically(folder: Path) -> None:
    analysis = quietly(folder / "analysis.toml", out=folder / "out")
    again = read_profiles(folder / "out" / "profiles.csv")
    assert again == analysis.profiles
    assert again.history == analysis.profiles.history


def test_every_link_states_what_chance_would_make(folder: Path) -> None:
    analysis = quietly(folder / "analysis.toml", out=folder / "out")
    columns, rows = read_table(folder / "out" / "links.csv")
    assert len(rows) == len(analysis.links) > 0
    assert {row[columns.index("comparisons")] for row in rows} == {"465"}
    chance = {float(row[columns.index("expected_chance_links")]) for row in rows}
    assert chance == {analysis.links.expected_chance_links}


def test_a_given_threshold_without_known_sources_is_not_validated(folder: Path) -> None:
    analysis = quietly(folder / "table.csv", threshold=0.02, out=folder / "out")
    assert not analysis.threshold.validated
    assert analysis.links.expected_chance_links is None
    assert analysis.true_links == ()
    report = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "not validated" in report.lower()


def test_a_given_threshold_under_a_rule_has_its_rates_measured(folder: Path) -> None:
    text = (folder / "analysis.toml").read_text(encoding="utf-8")
    text = text.replace("[run]", "[threshold]\nvalue = 0.5\n\n[run]")
    (folder / "given.toml").write_text(text, encoding="utf-8")
    analysis = quietly(folder / "given.toml")
    assert analysis.threshold.origin == "given"
    assert analysis.threshold.value == 0.5
    assert analysis.threshold.rates.false_positive_rate > 0


def test_warnings_are_given_and_kept_as_notes(folder: Path) -> None:
    with pytest.warns(DrugsigWarning) as given:
        analysis = analyse(folder / "analysis.toml")
    assert any("sources stand behind" in str(w.message) for w in given)
    warned = [one.text for one in analysis.notes if one.note.category is not None]
    assert warned == [str(w.message) for w in given]


def test_the_seed_decides_intervals_and_nothing_else(folder: Path) -> None:
    first = quietly(folder / "table.csv", threshold=0.02)
    second = quietly(folder / "table.csv", threshold=0.02, seed=5)
    assert first.links == second.links
    assert first.run_digest != second.run_digest


def test_neither_rule_nor_threshold_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="nothing says where a link begins"):
        analyse(folder / "table.csv")


def test_an_analysis_file_takes_no_other_choices(folder: Path) -> None:
    with pytest.raises(ConfigError, match="decides everything, but 'metric'"):
        analyse(folder / "analysis.toml", metric="cosine")


def test_a_changed_input_is_refused(folder: Path) -> None:
    quietly(folder / "analysis.toml", out=folder / "out")
    table = folder / "table.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("B7", "B6"), encoding="utf-8")
    with pytest.raises(ConfigError, match="is not the input this analysis was made from"):
        analyse(folder / "out" / "analysis.toml")


def test_an_existing_folder_is_refused_before_anything_is_computed(folder: Path) -> None:
    out = folder / "out"
    out.mkdir()
    (out / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(OutputError, match="exists and is not empty"):
        analyse(folder / "no such table.csv", threshold=0.1, out=out)
    assert (out / "mine.txt").read_text(encoding="utf-8") == "keep"


def test_an_empty_folder_is_used(folder: Path) -> None:
    (folder / "out").mkdir()
    quietly(folder / "analysis.toml", out=folder / "out")
    assert {p.name for p in (folder / "out").iterdir()} == FILES


def test_a_folder_without_parent_is_refused(folder: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        analyse(folder / "analysis.toml", out=folder / "a" / "b")


@pytest.mark.parametrize(
    "fault", [RuntimeError("broken"), KeyboardInterrupt(), OSError(28, "full")]
)
def test_a_fault_while_writing_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    def fail(*_: object) -> str:
        raise fault

    monkeypatch.setattr(outputs_module, "render_report", fail)
    expected = OutputError if isinstance(fault, OSError) else type(fault)
    with pytest.raises(expected):
        quietly(folder / "analysis.toml", out=folder / "out")
    assert {p.name for p in folder.iterdir()} == {"table.csv", "analysis.toml"}


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="there is no file") as caught:
        analyse(tmp_path / "none.csv", threshold=0.1)
    assert caught.value.path == tmp_path / "none.csv"


def test_a_missing_column_of_the_rule_says_which_there_are(folder: Path) -> None:
    text = (folder / "analysis.toml").read_text(encoding="utf-8")
    (folder / "wrong.toml").write_text(text.replace('"batch"', '"lot"'), encoding="utf-8")
    with pytest.raises(MetadataError, match=r"'lot'.*lacks.*'batch'"):
        analyse(folder / "wrong.toml")


def test_a_table_in_which_nothing_can_be_compared_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("profile_id,A,B,C\nx,1,,2\ny,,1,2\nz,1,2,\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"only 0 of 3 profiles.*empty='below_lod'"):
        analyse(table, threshold=0.1, metric="euclidean")


def test_an_all_zero_profile_is_excluded_with_its_reason(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("profile_id,A,B\nx,1,2\ny,0,0\nz,1,3\n", encoding="utf-8")
    analysis = analyse(table, threshold=0.1, metric="euclidean")
    assert analysis.excluded == {"y": "no impurity was detected"}


def test_decimal_commas_are_written_and_read(folder: Path) -> None:
    quietly(folder / "analysis.toml", out=folder / "out", decimal_comma=True)
    text = (folder / "out" / "links.csv").read_text(encoding="utf-8-sig")
    header, first = text.splitlines()[:2]
    assert ";" in header
    assert re.search(r";0,\d+", first)
    columns, rows = read_table(folder / "out" / "links.csv")
    assert list(columns[:3]) == ["questioned", "reference", "score"]
    assert len(rows) > 0


def test_reprs_name_the_next_step(folder: Path) -> None:
    analysis = quietly(folder / "analysis.toml")
    assert "31 compared" in repr(analysis)
    assert ".undecided" in analysis._repr_html_()


@pytest.mark.reference_data
def test_published_study_from_the_workbook(reference_data: Path, tmp_path: Path) -> None:
    workbook = reference_data / "methamphetamine_simulated" / "Profiles.xlsx"
    with pytest.warns(DrugsigWarning) as given:
        analysis = analyse(
            workbook,
            reading={"sheet": "GCMS", "metadata_sheet": "Lookup"},
            recipe="drop_targets(V04) | sum | fourth_root",
            metric="pearson_distance_percent",
            rule="R4",
            out=tmp_path / "out",
        )
    assert {w.category for w in given} == {
        SmallSampleWarning,
        CircularRuleWarning,
        ChainingWarning,
    }
    assert any(
        "Only 10 sources stand behind the 13 linked pairs" in told.note.text
        for told in analysis.notes
    )
    threshold = analysis.threshold
    assert round(threshold.rates.auc, 7) == 0.9731269
    assert (threshold.rates.n_linked, threshold.rates.n_linked_sources) == (13, 10)
    assert threshold.rates.n_unlinked == 21457
    assert round(threshold.value, 2) == 10.98
    everything = threshold.rates.strata[0]
    assert everything.n_pairs == 3579
    assert round(everything.auc, 3) == 0.884
    assert round(everything.link_rate, 3) == 0.158
    assert analysis.groups.largest_component == 414
    assert len(analysis.groups) == 83
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for figure in ("414", "21457", "3579"):
        assert figure in report.replace(",", "").replace(" ", "").replace("\u202f", "")


@pytest.mark.reference_data
@pytest.mark.parametrize("linkage", ["average", "single"])
def test_propellant_brands_from_the_table(reference_data: Path, linkage: str) -> None:
    table = reference_data / "propellant_gcms" / "decision_tree_features.csv"
    rule = drugsig.PopulationRule.from_data(
        {
            "name": "brands",
            "source": ["class"],
            "linked": {"same": ["class"]},
            "unlinked": {"different": ["class"]},
        }
    )
    # The groups are the brands, and data as perfect as these look like known sources that were
    # groups before.
    with pytest.warns(CircularRuleWarning), pytest.warns(SmallSampleWarning) as given:
        analysis = analyse(
            table,
            reading={"metadata": ["class", "member_id", "class-id"]},
            rule=rule,
            linkage=linkage,
        )
    assert any("Only 7 sources stand behind" in str(w.message) for w in given)
    threshold = analysis.threshold
    assert threshold.rates.separated
    assert threshold.capped
    assert threshold.by_rate is not None
    assert round(threshold.by_rate, 3) == 0.463
    brands = analysis.compared.column("class")
    for labels in (analysis.groups.labels, analysis.groups.components):
        assert len(set(zip(labels.tolist(), brands, strict=True))) == 7
        assert len(set(labels.tolist())) == 7
    assert analysis.uncapped is not None
    assert analysis.uncapped.n_components == 5
    assert "chain the profiles into 5 components" in render_report(analysis)


@pytest.mark.reference_data
def test_tablets_are_read(reference_data: Path) -> None:
    analysis = quietly(
        reference_data / "mdma_tablets" / "xtc_data.csv",
        reading={
            "id_column": ["batchnumber", "measurement"],
            "targets": ["Diameter", "Thickness", "Weight", "Purity"],
        },
        recipe="autoscale",
        metric="euclidean",
        threshold=0.5,
    )
    assert len(analysis.profiles) == 494
    assert analysis.excluded == {}


@pytest.mark.reference_data
def test_one_runs_peak_list_is_refused_with_its_line(reference_data: Path) -> None:
    (table,) = (reference_data / "propellant_gcms").glob("test_write_combined*.csv")
    with pytest.raises(ReadError, match="line 2: this is the peak list of one run"):
        analyse(table, threshold=0.1)
