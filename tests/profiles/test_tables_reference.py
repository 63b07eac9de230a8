"""Real tables of others: read as they are, or refused for the right reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest

from drugsig.errors import TableError
from drugsig.profiles.tables import describe_table, read_profiles, write_profiles

pytestmark = pytest.mark.reference_data

WORKBOOK = Path("methamphetamine_simulated") / "Profiles.xlsx"
TABLETS = Path("mdma_tablets") / "xtc_data.csv"
PROPELLANT = Path("propellant_gcms") / "decision_tree_features.csv"
PEAK_LIST = Path("propellant_gcms") / "test_write_combined_csv_hymax_1_021023_009.func_0.csv"


def test_the_workbook_cell_by_cell(reference_data: Path) -> None:
    profiles = read_profiles(reference_data / WORKBOOK, sheet="GCMS", metadata_sheet="Lookup")
    book = openpyxl.load_workbook(reference_data / WORKBOOK, data_only=True)
    values = [row[1:] for row in book["GCMS"].iter_rows(min_row=2, values_only=True)]
    assert np.array_equal(profiles.values, np.array(values, dtype=float))
    lookup = {row[0]: row for row in book["Lookup"].iter_rows(min_row=2, values_only=True)}
    groups = tuple(lookup[i][1] for i in profiles.ids)
    assert profiles.column("Group") == groups
    assert len(set(groups)) == 348
    assert profiles.column("Date")[0] == "2015-01-01"
    assert profiles.column("Suburb")[2] == "Wentworth Falls"
    assert sum(place is None for place in profiles.column("Suburb")) == 306


def test_the_workbook_needs_a_sheet_and_says_which(reference_data: Path) -> None:
    with pytest.raises(TableError, match=r"4 sheets: .*sheet='GCMS'"):
        read_profiles(reference_data / WORKBOOK)
    info = describe_table(reference_data / WORKBOOK)
    assert [(s.name, s.possible_targets) for s in info.sheets] == [
        ("Lookup", 0),
        ("GCMS", 10),
        ("IRMS", 3),
        ("CE", 2),
    ]


def test_isotope_ratios_may_be_negative(reference_data: Path) -> None:
    with pytest.raises(TableError, match=r"'IRMS'!B2.*negative='keep'"):
        read_profiles(reference_data / WORKBOOK, sheet="IRMS")
    profiles = read_profiles(reference_data / WORKBOOK, sheet="IRMS", negative="keep")
    assert profiles.values.shape == (424, 3)


def test_the_tablets(reference_data: Path) -> None:
    path = reference_data / TABLETS
    with pytest.raises(TableError, match=r"id_column=\['batchnumber', 'measurement'\]"):
        read_profiles(path)
    targets = ["Diameter", "Thickness", "Weight", "Purity"]
    profiles = read_profiles(path, id_column=["batchnumber", "measurement"], targets=targets)
    assert profiles.values.shape == (494, 4)
    assert len(set(profiles.column("batchnumber"))) == 160
    # Typing errors are for a quality check to find; a reader repairs nothing.
    row = profiles.values[profiles.index_of(["113/2", "53/6", "84/1"])]
    assert row[0, 1] == 8.87
    assert row[1, 3] == 0
    assert row[2, 3] == 28


def test_the_propellant_table(reference_data: Path) -> None:
    profiles = read_profiles(reference_data / PROPELLANT)
    assert profiles.values.shape == (28, 127)
    assert profiles.metadata_columns == ("class", "member_id", "class-id")
    assert len(set(profiles.column("class"))) == 7
    assert profiles.values[0, 0] == 19493648.380952392


def test_the_peak_list_of_one_run_is_refused(reference_data: Path) -> None:
    with pytest.raises(TableError, match="peak list of one run, not a table of profiles") as caught:
        read_profiles(reference_data / PEAK_LIST)
    assert caught.value.line == 2


def test_a_list_of_compounds_is_refused(reference_data: Path) -> None:
    with pytest.raises(TableError, match="list of compounds, not a table of profiles"):
        read_profiles(reference_data / "cocaine_targets" / "compounds.csv")


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx"])
def test_the_workbook_comes_back_from_every_form(
    reference_data: Path, tmp_path: Path, ending: str
) -> None:
    profiles = read_profiles(reference_data / WORKBOOK, sheet="GCMS", metadata_sheet="Lookup")
    back = read_profiles(write_profiles(profiles, tmp_path / f"p{ending}"))
    assert back.digest == profiles.digest
    assert back.history == profiles.history
    assert back.name == profiles.name


def test_other_formats_in_the_folder_are_refused_by_name(reference_data: Path) -> None:
    raw = reference_data / "raw"
    files = [p for p in sorted(raw.rglob("*")) if p.is_file() and p.stat().st_size < 3_000_000]
    assert files
    for path in files:
        info = describe_table(path)
        assert info.problem is None or path.name in info.problem
        assert info.problem is not None or path.suffix in (".csv", ".tsv")
