"""Reading tables as laboratories keep them: layout, numbers, cells without a value, metadata."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drugsig.errors import InputError, MetadataError, TableError, UnknownNameError
from drugsig.profiles import ProfileSet, Status
from drugsig.profiles.tables import describe_table, read_profiles
from drugsig.profiles.tables.names import is_id_name, is_metadata_name
from drugsig.profiles.tables.numerals import Convention, is_number_like, number_of

PLAIN = "Sample,T1,T2\nA,1.5,2\nB,3,4\n"


def put(folder: Path, text: str, name: str = "t.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def put_book(folder: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = folder / "t.xlsx"
    book.save(path)
    return path


def detail(profiles: ProfileSet) -> dict[str, Any]:
    (step,) = profiles.history
    assert step.operation == "read"
    return step.detail


def guessed(profiles: ProfileSet, part: str) -> bool:
    return any(part in g for g in detail(profiles)["guesses"])


# -- text, line ends, encodings, delimiters --------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "cp1252"])
def test_any_ordinary_text_table(tmp_path: Path, delimiter: str, end: str, encoding: str) -> None:
    text = PLAIN.replace("T1", "Tö").replace(",", delimiter).replace("\n", end)
    if encoding == "utf-16-le-bom":
        path = put(tmp_path, "\ufeff" + text, encoding="utf-16-le")
    else:
        path = put(tmp_path, text, encoding=encoding)
    profiles = read_profiles(path)
    assert profiles.ids == ("A", "B")
    assert profiles.target_names == ("Tö", "T2")
    assert profiles.values.tolist() == [[1.5, 2.0], [3.0, 4.0]]
    assert detail(profiles)["delimiter"] == delimiter
    assert guessed(profiles, "encoding cp1252") == (encoding == "cp1252")


def test_big_endian_utf16(tmp_path: Path) -> None:
    path = put(tmp_path, "\ufeff" + PLAIN, encoding="utf-16-be")
    assert read_profiles(path).ids == ("A", "B")


def test_encoding_may_be_named(tmp_path: Path) -> None:
    path = put(tmp_path, PLAIN.replace("T1", "кокаин"), encoding="cp1251")
    assert read_profiles(path, encoding="cp1251").target_names[0] == "кокаин"
    path = put(tmp_path, PLAIN, encoding="utf-16-le")
    assert read_profiles(path, encoding="utf-16-le").ids == ("A", "B")


def test_excels_sep_line_names_the_delimiter(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, "sep=|\nSample|T1\nA|1,5\nB|2,5\n"))
    assert profiles.values[:, 0].tolist() == [1.5, 2.5]
    assert detail(profiles)["header_line"] == 2


def test_commas_in_names_do_not_win_over_semicolons(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, "Sample;1,4-a;2,6-b\nA;1,5;2,5\nB;1,0;2,0\n"))
    assert profiles.target_names == ("1,4-a", "2,6-b")
    assert guessed(profiles, "semicolon")


def test_semicolons_in_one_text_column_do_not_win_over_commas(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, "Sample,T1,ions\nA,1.5,57;71\nB,2.5,43;57\n"))
    assert profiles.target_names == ("T1",)
    assert profiles.column("ions") == ("57;71", "43;57")


def test_quoted_cells_with_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    text = 'Sample,T1,note\n"A, 1",1.5,"says ""so"""\n"B\nx",2.5,"two\r\nlines"\n'
    profiles = read_profiles(put(tmp_path, text))
    assert profiles.ids == ("A, 1", "B x")
    assert profiles.column("note") == ('says "so"', "two lines")
    assert guessed(profiles, "line breaks")


def test_a_lone_target_without_other_columns(tmp_path: Path) -> None:
    assert read_profiles(put(tmp_path, "id,T\nA,1\n")).values.tolist() == [[1.0]]


# -- header, titles, empty lines -------------------------------------------------------------


def test_title_lines_and_empty_lines_are_skipped_and_recorded(tmp_path: Path) -> None:
    text = "Laboratory X,,\nReport 2024,,\n,,\nSample,T1,T2\n\nA,1.5,2\n,,\nB,3,4\n,,\n"
    profiles = read_profiles(put(tmp_path, text))
    assert profiles.ids == ("A", "B")
    assert detail(profiles)["header_line"] == 4
    assert guessed(profiles, "2 title line(s) above the header skipped: Laboratory X; Report 2024")
    assert guessed(profiles, "3 empty line(s) skipped, the first is line 3")


def test_a_title_above_a_tiny_table(tmp_path: Path) -> None:
    assert read_profiles(put(tmp_path, "Report\nSample,T1\nA,1.5\n")).ids == ("A",)


def test_empty_columns_are_skipped_and_recorded(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, "Sample,,T1,\nA,,1.5,\nB,,2,\n"))
    assert profiles.target_names == ("T1",)
    assert guessed(profiles, "1 empty column(s) skipped: 2")


def test_numbers_as_headings_need_the_header_line(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,57,71,85\nA,1.5,2,3\nB,3,4,5\n")
    with pytest.raises(TableError, match="header_line=1"):
        read_profiles(path)
    assert read_profiles(path, header_line=1).target_names == ("57", "71", "85")


def test_named_columns_find_the_header(tmp_path: Path) -> None:
    text = "Name,of,laboratory\nSpecimen,57,71\nA,1.5,2\nB,3,4\n"
    profiles = read_profiles(put(tmp_path, text), id_column="Specimen", targets=["57", "71"])
    assert detail(profiles)["header_line"] == 2


def test_a_blank_first_heading_is_the_id(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, ",T1\nA-1,1.5\nA-2,2\n"))
    assert profiles.ids == ("A-1", "A-2")


def test_a_nameless_row_index_beside_known_ids_is_left_out(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, ",Specimen,T1\n0,A,1.5\n1,B,2\n"))
    assert profiles.ids == ("A", "B")
    assert profiles.metadata_columns == ()
    assert guessed(profiles, "was left out")


# -- ids -------------------------------------------------------------------------------------


def test_ids_stay_text(tmp_path: Path) -> None:
    ids = ("001", "NA", "1e5", "TRUE", "nan", "1.0", "-", "<0.05", "n.d.", "1,5")
    text = "sample;T1\n" + "".join(f"{i};1.5\n" for i in ids)
    assert read_profiles(put(tmp_path, text)).ids == ids


def test_metadata_stay_text(tmp_path: Path) -> None:
    text = "sample,T1,batch,note\nA,1.5,001,NA\nB,2,1e5,\nC,3,1.0,nan\n"
    profiles = read_profiles(put(tmp_path, text))
    assert profiles.column("batch") == ("001", "1e5", "1.0")
    assert profiles.column("note") == ("NA", None, "nan")


@pytest.mark.parametrize(
    "heading", ["profile_id", "Specimen", "SAMPLE NO.", "Lab-No", "exhibit", "ID", "Sample Name"]
)
def test_known_id_headings_in_any_place(tmp_path: Path, heading: str) -> None:
    assert is_id_name(heading)
    profiles = read_profiles(put(tmp_path, f"T1,region,{heading}\n1.5,N,7\n2,S,8\n"))
    assert profiles.ids == ("7", "8")
    assert guessed(profiles, f"ids are in column '{heading}'")


def test_first_column_of_unique_text_is_the_id(tmp_path: Path) -> None:
    assert read_profiles(put(tmp_path, "Was,T1\nA,1.5\nB,2\n")).ids == ("A", "B")


def test_ids_joined_from_several_columns_keep_their_parts(tmp_path: Path) -> None:
    text = "batchnumber,measurement,D\n1,1,9.1\n1,2,9.2\n2,1,8.0\n"
    path = put(tmp_path, text)
    with pytest.raises(TableError, match=r"id_column=\['batchnumber', 'measurement'\]"):
        read_profiles(path)
    profiles = read_profiles(path, id_column=["batchnumber", "measurement"])
    assert profiles.ids == ("1/1", "1/2", "2/1")
    assert profiles.metadata_columns == ("batchnumber", "measurement")


def test_duplicate_ids_are_named_with_their_lines(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,rep,T1\nA,1,1.5\nB,1,2\nA,2,3\nB,2,3\n")
    with pytest.raises(TableError, match=r"'A' in lines 2, 4; 'B' in lines 3, 5") as caught:
        read_profiles(path)
    assert "id_column=['Sample', 'rep']" in str(caught.value)
    assert caught.value.line == 4


def test_a_second_id_column_serves_where_the_first_repeats(tmp_path: Path) -> None:
    text = "sample,run,T1\nA,r1,1.5\nA,r2,2\n"
    assert read_profiles(put(tmp_path, text)).ids == ("r1", "r2")


def test_an_empty_id_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"line 3, column 'Sample': the id is empty"):
        read_profiles(put(tmp_path, "Sample,T1\nA,1.5\n,2\n"))


def test_lines_of_means_are_pointed_out(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, "Sample,T1\nA,1.5\nMean,1.5\n"))
    assert guessed(profiles, "'Mean' look like lines of means or totals")


# -- targets and metadata --------------------------------------------------------------------


def test_known_metadata_names_are_no_targets(tmp_path: Path) -> None:
    text = (
        "Specimen,Year,Purity (%),Weight [mg],lat,seizure_id,T1,Region\n"
        "A,2015,79.1,20,-33.7,7,1.5,VIC\nB,2016,70,21,-34,8,2,NSW\n"
    )
    profiles = read_profiles(put(tmp_path, text))
    assert profiles.target_names == ("T1",)
    assert len(profiles.metadata_columns) == 6
    assert profiles.column("lat") == ("-33.7", "-34")


@pytest.mark.parametrize(
    "name", ["cocaine", "T1", "V01", "2,6-DNT", "tropacocaine", "Caffeine", "peak 7", "m57"]
)
def test_compounds_are_not_taken_for_metadata(name: str) -> None:
    assert not is_metadata_name(name)


def test_targets_named_leave_the_rest_as_metadata(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,T1,T2,Purity\nA,1.5,2,9\nB,3,4,8\n")
    profiles = read_profiles(path, targets=["Purity", "T1"])
    assert profiles.target_names == ("Purity", "T1")
    assert profiles.metadata_columns == ("T2",)


def test_metadata_named_are_added_to_those_found(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,T1,T2,x,Year\nA,1.5,2,u,2015\nB,3,4,v,2016\n")
    profiles = read_profiles(path, metadata=["T1"])
    assert profiles.target_names == ("T2",)
    assert profiles.metadata_columns == ("T1", "x", "Year")
    assert guessed(profiles, "metadata are the remaining columns: 'x', 'Year'")
    both = read_profiles(path, metadata=["x"], targets=["T1"])
    assert both.metadata_columns == ("T2", "x", "Year")


def test_unknown_columns_are_refused_with_the_nearest(tmp_path: Path) -> None:
    path = put(tmp_path, PLAIN)
    for options in ({"targets": ["t1"]}, {"metadata": ["sample"]}, {"id_column": "Samples"}):
        with pytest.raises(UnknownNameError, match="Did you mean"):
            read_profiles(path, **options)


def test_a_column_cannot_be_two_things(tmp_path: Path) -> None:
    path = put(tmp_path, PLAIN)
    with pytest.raises(InputError, match="cannot be a target and"):
        read_profiles(path, targets=["T1"], metadata=["T1"])
    with pytest.raises(InputError, match="must be unique"):
        read_profiles(path, targets=["T1", "T1"])
    with pytest.raises(InputError, match="must be a list"):
        read_profiles(path, targets="T1")


def test_roles_and_unit(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,Cocaine HCl,T2\nA,1.5,2\nB,3,4\n")
    profiles = read_profiles(path, unit="ratio")
    assert [(t.role, t.unit) for t in profiles.targets] == [("impurity", "ratio")] * 2
    assert guessed(profiles, "name of a main compound")
    told = read_profiles(path, roles={"Cocaine HCl": "main"})
    assert told.targets[0].role == "main"
    assert not guessed(told, "name of a main compound")
    with pytest.raises(UnknownNameError, match="target in roles"):
        read_profiles(path, roles={"Cocaine": "main"})
    with pytest.raises(UnknownNameError, match="Did you mean 'main'"):
        read_profiles(path, roles={"T2": "mein"})


def test_columns_without_a_number_are_metadata_and_pointed_out(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, "Sample,T1,T2,T3\nA,1.5,n.d.,\nB,3,n.d.,\n"))
    assert profiles.target_names == ("T1",)
    assert guessed(profiles, "'T2' holds only texts such as 'n.d.'")
    assert guessed(profiles, "'T3' is empty")


def test_targets_never_detected_can_be_named(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,T1,T2,T3\nA,1.5,n.d.,\nB,3,n.d.,\n")
    profiles = read_profiles(path, targets=["T1", "T2", "T3"])
    assert profiles.status.tolist() == [[0, 2, 3], [0, 2, 3]]


# -- cells without a value -------------------------------------------------------------------

CELLS = [
    ("0", 0.0, Status.BELOW_LOD, None),
    ("0.00", 0.0, Status.BELOW_LOD, None),
    ("<0.05", 0.0, Status.BELOW_LOD, 0.05),
    ("< 0.05", 0.0, Status.BELOW_LOD, 0.05),
    ("≤1e-3", 0.0, Status.BELOW_LOD, 1e-3),
    ("n.d.", 0.0, Status.BELOW_LOD, None),
    ("ND", 0.0, Status.BELOW_LOD, None),
    ("Not  Detected", 0.0, Status.BELOW_LOD, None),
    ("-", 0.0, Status.BELOW_LOD, None),
    ("–", 0.0, Status.BELOW_LOD, None),
    ("<LOD", 0.0, Status.BELOW_LOD, None),
    ("<loq", 0.0, Status.BELOW_LOQ, None),
    ("n.q.", 0.0, Status.BELOW_LOQ, None),
    ("tr", 0.0, Status.BELOW_LOQ, None),
    ("Trace", 0.0, Status.BELOW_LOQ, None),
    ("", None, Status.NOT_MEASURED, None),
    ("n.a.", None, Status.NOT_MEASURED, None),
    ("N/A", None, Status.NOT_MEASURED, None),
    ("#N/A", None, Status.NOT_MEASURED, None),
    ("NA", None, Status.NOT_MEASURED, None),
    ("not measured", None, Status.NOT_MEASURED, None),
    ("sat", None, Status.REJECTED, None),
    ("Saturated", None, Status.REJECTED, None),
    ("rejected", None, Status.REJECTED, None),
    ("interference", None, Status.REJECTED, None),
    ("+5", 5.0, Status.DETECTED, None),
    (".5", 0.5, Status.DETECTED, None),
    ("5.", 5.0, Status.DETECTED, None),
    ("1.5E+03", 1500.0, Status.DETECTED, None),
    ("5e-324", 5e-324, Status.DETECTED, None),
]


@pytest.mark.parametrize(("text", "value", "status", "limit"), CELLS)
def test_every_kind_of_cell(
    tmp_path: Path, text: str, value: float | None, status: Status, limit: float | None
) -> None:
    path = put(tmp_path, f"Sample,T1,x\nA,1.25,u\nB,{text},v\n")
    profiles = read_profiles(path)
    assert profiles.status[1, 0] == status
    assert (
        profiles.values[1, 0] == value if value is not None else math.isnan(profiles.values[1, 0])
    )
    assert (
        profiles.limits[1, 0] == limit if limit is not None else math.isnan(profiles.limits[1, 0])
    )
    assert sum(detail(profiles)["counts"].values()) == 2


def test_the_counts_say_how_cells_were_read(tmp_path: Path) -> None:
    text = "Sample,T1,T2\nA,1.25,<0.5\nB,ND,0\nC,n.d.,\nD,nd,1\n"
    assert detail(read_profiles(put(tmp_path, text)))["counts"] == {
        "number": 2,
        "0 as below_lod": 1,
        "'<' and a number as below_lod": 1,
        "'nd' as below_lod": 2,
        "'n.d.' as below_lod": 1,
        "empty as not_measured": 1,
    }


def test_quick_and_careful_reading_agree(tmp_path: Path) -> None:
    text = "Sample,T1,T2\nA,1.25,7\nB,,-0\nC,0,\nD,1e-3,+2\n"
    path = put(tmp_path, text)
    quick = read_profiles(path)
    careful = read_profiles(path, tokens={"unused": "rejected"})
    assert quick == careful
    assert detail(quick)["counts"] == detail(careful)["counts"]
    assert np.signbit(quick.values).sum() == 0


def test_lines_without_any_value_are_pointed_out(tmp_path: Path) -> None:
    path = put_book(tmp_path, s=[["Sample", "T1"], ["A", 1.5], ["* see the protocol"]])
    assert guessed(
        read_profiles(path), "1 profile(s) have no measured target: '* see the protocol'"
    )


def test_meanings_can_be_changed(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,T1,T2\nA,1.25,<0.5\nB,,*\nC,-999,nd\n")
    profiles = read_profiles(
        path,
        empty="below_lod",
        less_than="below_loq",
        tokens={" * ": "rejected", "-999": "not_measured", "ND": "below_loq"},
        targets=["T1", "T2"],
    )
    assert profiles.status.tolist() == [[0, 1], [2, 4], [3, 1]]
    assert profiles.limits[0, 1] == 0.5
    assert detail(profiles)["rules"]["tokens"]["*"] == "rejected"


def test_a_token_holds_for_numbers_of_a_workbook_as_well(tmp_path: Path) -> None:
    path = put_book(tmp_path, s=[["Sample", "T1"], ["A", 1.5], ["B", -999]])
    profiles = read_profiles(path, tokens={"-999": "not_measured"})
    assert profiles.status[:, 0].tolist() == [Status.DETECTED, Status.NOT_MEASURED]


@pytest.mark.parametrize(
    "options",
    [
        {"empty": "zero"},
        {"less_than": "detected"},
        {"negative": "abs"},
        {"tokens": {"x": "detected"}},
        {"metadata_missing": "ok"},
        {"decimal": ";"},
    ],
)
def test_unknown_choices_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError):
        read_profiles(put(tmp_path, PLAIN), **options)


@pytest.mark.parametrize(
    "options",
    [
        {"tokens": {"": "rejected"}},
        {"tokens": ["x"]},
        {"delimiter": ";;"},
        {"thousands": "x"},
        {"decimal": ",", "thousands": ","},
        {"sheet": "S"},
        {"metadata_sheet": "S"},
        {"metadata_id_column": "Sample"},
        {"id_column": []},
        {"unit": ""},
        {"name": "a\nb"},
        {"header_line": 99},
    ],
)
def test_impossible_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        read_profiles(put(tmp_path, PLAIN), **options)


def test_negative_numbers_may_be_kept(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,d13C\nA,-27.1\nB,−28\n")
    with pytest.raises(TableError, match=r"line 2, column 'd13C': the negative number '-27\.1'"):
        read_profiles(path)
    profiles = read_profiles(path, negative="keep")
    assert profiles.values[:, 0].tolist() == [-27.1, -28.0]
    assert (profiles.status == Status.DETECTED).all()


# -- numbers ---------------------------------------------------------------------------------

NUMBERS = [
    ("1.5", "2,000.5", 2000.5),
    ("1,5", "2.000,5", 2000.5),
    ("1,5", "2 000,5", 2000.5),
    ("1.5", "1,318,076.08", 1318076.08),
    ("1,318,076.08", "1,234", 1234.0),
    ("1.234,5", "1.234", 1234.0),
    ("0.123", "1.234", 1.234),
    ("0,123", "1,234", 1.234),
    ("12,34", "1,234", 1.234),
    ("1234.567", "1.234", 1.234),
    ("1,234,567", "1.5", 1.5),
    ("1.234.567", "1,5", 1.5),
    ("1.5", "1'318'076", 1318076.0),
    ("1.5", "1’318’076.5", 1318076.5),
    ("1,5", "1\u202f318\u202f076,5", 1318076.5),
    ("1,5", "1\u00a0318", 1318.0),
    ("1 318,076", "2,5", 2.5),
    ("<0,05", "1,234", 1.234),
    ("1.234e5", "1.234", 1.234),
    ("1,234e5", "1,234", 1.234),
]


@pytest.mark.parametrize(("first", "second", "expected"), NUMBERS)
def test_one_cell_proves_the_convention_of_the_file(
    tmp_path: Path, first: str, second: str, expected: float
) -> None:
    for place, (a, b) in enumerate([(first, second), (second, first)]):
        profiles = read_profiles(put(tmp_path, f"Sample;T1\nA;{a}\nB;{b}\n"))
        assert profiles.values[1 - place, 0] == expected


def test_the_proof_may_stand_in_another_target(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, "Sample;T1;T2\nA;1,234;1\nB;2,345;0,5\n"))
    assert profiles.values[:, 0].tolist() == [1.234, 2.345]
    assert guessed(profiles, "the decimal sign is ',', proved by '0,5' in line 3, column 'T2'")


def test_the_proof_may_stand_in_measured_metadata(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, "Sample;T1;Purity\nA;1,234;79,1\nB;2,345;80\n"))
    assert profiles.values[:, 0].tolist() == [1.234, 2.345]
    with pytest.raises(TableError, match=r"'1\.234' is 1234 or 1\.234"):
        read_profiles(put(tmp_path, "Sample;T1;Purity\nA;1.234;79,1\nB;2.345;80\n"))


def test_ids_prove_nothing(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"decimal=','.*thousands=','"):
        read_profiles(put(tmp_path, "Sample;T1\n2.15;1,234\n2.16;2,345\n"))


@pytest.mark.parametrize("text", ["1,234", "1.234", "12,345", "<1.234", "-1,234"])
def test_what_could_be_1000_times_as_much_is_refused(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, f"Sample;T1\nA;{text}\nB;2\n")
    sign = "," if "," in text else "."
    digits = text.lstrip("<")
    small, large = digits.replace(sign, "."), digits.replace(sign, "")
    with pytest.raises(TableError, match="line 2, column 'T1'") as caught:
        read_profiles(path)
    assert f"Say decimal='{sign}' if it is {small}" in str(caught.value)
    assert f"thousands='{sign}' if it is {large}" in str(caught.value)
    for keyword, expected in (("decimal", small), ("thousands", large)):
        told: dict[str, Any] = {keyword: sign}
        profiles = read_profiles(path, negative="keep", **told)
        got = profiles.limits[0, 0] if text.startswith("<") else profiles.values[0, 0]
        assert got == float(expected)


@pytest.mark.parametrize("text", ["8.920", "<8.920", "-8.920"])
@pytest.mark.parametrize("beside", ["", "5", "12,5", "0,5", "n.d."])
def test_a_point_in_a_file_of_decimal_commas_is_no_thousands_separator(
    tmp_path: Path, text: str, beside: str
) -> None:
    path = put(tmp_path, f"Sample;T1;T2\nA;{beside};0,942\nB;{text};14,848\n")
    with pytest.raises(TableError, match=r"line 3, column 'T1'.*8920 or -?8\.920") as caught:
        read_profiles(path, negative="keep")
    assert "thousands='.' if it is" in str(caught.value)
    with pytest.raises(TableError, match=r"8920 or -?8\.920"):
        read_profiles(path, negative="keep", decimal=",")
    told = read_profiles(path, negative="keep", thousands=".")
    assert 8920.0 in (abs(told.values[1, 0]), told.limits[1, 0])


@pytest.mark.parametrize("proof", ["1.234,5", "1.234.567"])
def test_a_cell_of_the_same_column_proves_its_thousands_separator(
    tmp_path: Path, proof: str
) -> None:
    path = put(tmp_path, f"Sample;T1;T2\nA;{proof};0,942\nB;8.920;14,848\n")
    profiles = read_profiles(path)
    assert profiles.values[1].tolist() == [8920.0, 14.848]
    assert guessed(profiles, f"separates thousands in column 'T1', proved by '{proof}'")
    elsewhere = put(tmp_path, f"Sample;T1;T2\nA;2;{proof}\nB;8.920;14,848\n")
    with pytest.raises(TableError, match="line 3, column 'T1'"):
        read_profiles(elsewhere)


def test_the_same_holds_for_commas_and_for_text_among_numbers_of_a_workbook(
    tmp_path: Path,
) -> None:
    with pytest.raises(TableError, match=r"'1,234' is 1234 or 1\.234"):
        read_profiles(put(tmp_path, "Sample;T1;T2\nA;1,234;0.5\nB;567.8;2\n"))
    path = put_book(tmp_path, s=[["Sample", "T1", "T2"], ["A", "2.500", "1,5"], ["B", 2.5, 3.5]])
    with pytest.raises(TableError, match=r"'s'!B2, column 'T1': '2\.500' is 2500 or 2\.500"):
        read_profiles(path)


@given(
    cells=st.lists(st.from_regex(r"[1-9][0-9]{0,2}\.[0-9]{3}|[1-9][0-9]{0,3}", fullmatch=True)),
)
def test_no_column_is_a_thousand_times_what_it_may_be(cells: list[str]) -> None:
    """Whatever is read without a proof in its column has its point as the decimal sign."""
    rows = "".join(f"s{k};{c};0,942\n" for k, c in enumerate(["7", *cells]))
    doubtful = any("." in c for c in cells)
    with tempfile.TemporaryDirectory() as folder:
        path = put(Path(folder), f"Sample;T1;T2\n{rows}")
        if doubtful:
            with pytest.raises(TableError, match="or say decimal="):
                read_profiles(path)
        else:
            assert read_profiles(path).values[:, 0].tolist() == [7.0, *map(float, cells)]


def test_mixed_conventions_name_both_lines(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample;T1;T2\nA;1,5;1\nB;2;2.5\n")
    with pytest.raises(TableError, match=r"line 2.*'1,5' has a decimal comma.*'2\.5' in line 3"):
        read_profiles(path)


def test_a_thousands_separator_implies_the_decimal_sign(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample;T1\nA;1.234\nB;2\n")
    assert read_profiles(path, thousands=".").values[0, 0] == 1234.0
    assert read_profiles(path, thousands=",").values[0, 0] == 1.234
    for without in ("", "'"):
        assert read_profiles(path, thousands=without).values[0, 0] == 1.234
    with pytest.raises(TableError, match="line 2"):
        read_profiles(path, decimal=",", thousands="")


@pytest.mark.parametrize(
    "text",
    ["12a", "1_000", "0x10", "1.2.3", "1,23,456", "1,2345,678", "1 23", "--5", "e5", ".", "5 mg",
     "١٢", "1..5", "1e5.5", "½"],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_line_column_and_advice(
    tmp_path: Path, text: str
) -> None:
    path = put(tmp_path, f"Sample;T1\nA;0.5\nB;{text}\nC;1.5\n")
    with pytest.raises(TableError, match="line 3, column 'T1'") as caught:
        read_profiles(path)
    assert (caught.value.line, caught.value.column) == (3, "T1")
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("inf", "tokens="),
        ("-INF", "tokens="),
        ("nan", "not_measured"),
        ("12 %", "percent sign"),
        (">500", "above the range"),
        ("<0", "metadata="),
        ("1e999", "not finite"),
        ("abc", "metadata="),
    ],
)
def test_what_is_no_value_is_refused_with_advice(tmp_path: Path, text: str, advice: str) -> None:
    path = put(tmp_path, f"Sample;T1\nA;0.5\nB;{text}\nC;1.5\n")
    with pytest.raises(TableError, match=r"line 3, column 'T1'") as caught:
        read_profiles(path)
    assert advice in str(caught.value)


def test_a_column_in_which_every_number_carries_a_percent_sign(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample;T1;T2;T3\nA;1,5 %;1;3%\nB;n.d.;2;\nC;<0,5 %;3;0 %\n")
    profiles = read_profiles(path)
    assert profiles.values[:, 0].tolist() == [1.5, 0.0, 0.0]
    assert profiles.limits[2, 0] == 0.5
    assert [t.unit for t in profiles.targets] == ["%", "area", "%"]
    assert guessed(profiles, "every number of 'T1', 'T3' carries a percent sign")
    assert {t.unit for t in read_profiles(path, unit="wt%").targets} == {"wt%"}
    grown = put(tmp_path, "Sample;T1;T2\nA;1.234 %;0,5\n")
    with pytest.raises(TableError, match=r"1234 or 1\.234"):
        read_profiles(grown)


def test_a_column_of_percentages_and_other_numbers_is_refused(tmp_path: Path) -> None:
    for other in ("2", "0.5"):
        path = put(tmp_path, f"Sample,T1,T2\nA,1 %,1\nB,{other},2\nC,3 %,4\n")
        with pytest.raises(TableError, match=r"line 2, column 'T1': '1 %' has a percent sign"):
            read_profiles(path)


def grouped(digits: str, separator: str) -> str:
    parts = [digits[max(0, k - 3) : k] for k in range(len(digits), 0, -3)]
    return separator.join(reversed(parts))


@given(
    whole=st.integers(0, 10**12),
    fraction=st.text("0123456789", max_size=6),
    exponent=st.sampled_from(["", "e3", "E-05", "e+2"]),
    sign=st.sampled_from(["", "+", "-", "−"]),
    signs=st.sampled_from(list(itertools.product(".,", ["", " ", "'", "\u00a0", "\u202f", "o"]))),
)
def test_written_numbers_are_read_as_the_same_number(
    whole: int, fraction: str, exponent: str, sign: str, signs: tuple[str, str]
) -> None:
    decimal, separator = signs
    separator = "" if exponent else separator
    separator = {"o": "," if decimal == "." else "."}.get(separator, separator)
    text = (
        sign + grouped(str(whole), separator) + (decimal + fraction if fraction else "") + exponent
    )
    convention = Convention(decimal, ",' \u00a0\u202f" if decimal == "." else ".' \u00a0\u202f")
    expected = float(f"{sign.replace('−', '-')}{whole}.{fraction or '0'}{exponent}")
    assert number_of(text, convention) == expected
    assert is_number_like(text)


@given(st.from_regex(r"[+-]?[0-9]{1,4}[.,][0-9]{3}([.,][0-9]{3})?", fullmatch=True))
def test_a_number_under_one_convention_is_never_another_number_under_a_proof(text: str) -> None:
    """The oracle: a cell that both conventions can read must not be taken for a proof."""
    dot = number_of(text, Convention(".", ", '"))
    comma = number_of(text, Convention(",", ". '"))
    assume(dot is not None and comma is not None and dot != comma)
    with tempfile.TemporaryDirectory() as folder:
        path = put(Path(folder), f"Sample;T1\nA;{text}\nB;2\n")
        with pytest.raises(TableError, match="decimal="):
            read_profiles(path, negative="keep")


# -- workbooks -------------------------------------------------------------------------------


def test_cells_of_a_workbook(tmp_path: Path) -> None:
    # Workbooks have no time zones.
    day = dt.datetime.fromisoformat("2015-01-02")
    path = put_book(
        tmp_path,
        s=[
            ["Sample", "date", "seen", "flag", "T1", "T2", "code"],
            [1.0, day, day.replace(hour=3, minute=4), True, 0.1, "n.d.", " x "],
            [2, dt.date(2016, 2, 3), dt.time(5, 6), False, 0, "<0,5", None],
            [3, None, None, None, None, 1.5, "a\nb"],
        ],
    )
    profiles = read_profiles(path)
    assert profiles.ids == ("1", "2", "3")
    assert profiles.column("date") == ("2015-01-02", "2016-02-03", None)
    assert profiles.column("seen") == ("2015-01-02T03:04:00", "05:06:00", None)
    assert profiles.column("flag") == ("TRUE", "FALSE", None)
    assert profiles.column("code") == ("x", None, "a b")
    assert profiles.status.tolist() == [[0, 2], [2, 2], [3, 0]]
    assert profiles.limits[1, 1] == 0.5
    assert guessed(profiles, "stored as numbers")
    assert guessed(read_profiles(path, id_column="Sample"), "stored as numbers")
    assert guessed(profiles, "sheet 's', the only one")


def test_several_sheets_must_be_told_apart(tmp_path: Path) -> None:
    path = put_book(
        tmp_path,
        Lookup=[["Sample", "Region"], ["A", "N"]],
        GCMS=[["Sample", "T1"], ["A", 1.5]],
    )
    with pytest.raises(TableError, match=r"2 sheets: 'Lookup', 'GCMS'.*sheet='GCMS'"):
        read_profiles(path)
    with pytest.raises(UnknownNameError, match="Did you mean 'GCMS'"):
        read_profiles(path, sheet="GC-MS")
    assert read_profiles(path, sheet="GCMS").name == "t GCMS"


def test_merged_titles_hidden_rows_and_sheets(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "data"
    sheet["A1"] = "Impurities of 2024"
    sheet.merge_cells("A1:C1")
    for row in ([], ["Sample", "T1", "T2"], ["A", 1, 2], ["B", 3, 4]):
        sheet.append(row)
    sheet.row_dimensions[4].hidden = True
    book.create_sheet("other")
    sheet.sheet_state = "hidden"
    book.active = 1
    path = tmp_path / "t.xlsx"
    book.save(path)
    profiles = read_profiles(path, sheet="data")
    assert profiles.ids == ("A", "B")
    assert guessed(profiles, "hides rows or columns")
    assert guessed(profiles, "is hidden in the workbook")
    assert guessed(profiles, "Impurities of 2024")


def test_faults_of_a_workbook_name_the_cell(tmp_path: Path) -> None:
    path = put_book(
        tmp_path, GCMS=[["Sample", "T1", "T2"], ["A", 1.5, 2], ["B", 1, "x"], ["C", 1, 2]]
    )
    with pytest.raises(TableError, match=r"'GCMS'!C3, column 'T2': the text 'x'") as caught:
        read_profiles(path)
    assert (caught.value.line, caught.value.column) == (3, "T2")


def test_text_numbers_in_a_workbook_follow_one_convention(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Sample", "T1", "T2"], ["A", 1.5, "1,234"], ["B", 2, 3]]
    path = put_book(tmp_path, s=rows)
    with pytest.raises(TableError, match=r"'s'!C2.*decimal="):
        read_profiles(path)
    assert read_profiles(path, decimal=",").values[0].tolist() == [1.5, 1.234]


def test_the_history_names_the_file_and_no_folder(tmp_path: Path) -> None:
    profiles = read_profiles(put(tmp_path, PLAIN))
    assert detail(profiles)["file"] == "t.csv"
    assert str(tmp_path) not in profiles.history[0].detail_json
    assert len(detail(profiles)["sha256"]) == 64


def test_the_name_is_that_of_the_file_or_what_is_said(tmp_path: Path) -> None:
    path = put(tmp_path, PLAIN, "areas.2024.csv")
    assert read_profiles(path).name == "areas.2024"
    assert read_profiles(path, name="lab A").name == "lab A"


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    path = put(tmp_path, PLAIN)
    a, b = read_profiles(path), read_profiles(path)
    assert a == b
    assert a.history == b.history


def test_the_order_of_lines_and_columns_does_not_matter(tmp_path: Path) -> None:
    a = read_profiles(put(tmp_path, "Sample,T1,T2,x\nA,1.5,<2,u\nB,n.d.,4,v\nC,0,,w\n"))
    b = read_profiles(put(tmp_path, "x,T2,Sample,T1\nw,,C,0\nv,4,B,n.d.\nu,<2,A,1.5\n"))
    rows, columns = b.index_of(a.ids), [b.target_names.index(t) for t in a.target_names]
    assert np.array_equal(b.values[rows][:, columns], a.values, equal_nan=True)
    assert np.array_equal(b.status[rows][:, columns], a.status)
    assert np.array_equal(b.limits[rows][:, columns], a.limits, equal_nan=True)


# -- metadata elsewhere ----------------------------------------------------------------------


def test_metadata_of_another_sheet(tmp_path: Path) -> None:
    path = put_book(
        tmp_path,
        Lookup=[
            ["Specimen", "Group", "Year"],
            ["B", "g2", 2016],
            ["A", "g1", 2015],
            ["X", "g3", 0],
        ],
        GCMS=[["Specimen", "T1"], ["A", 1.5], ["B", 2]],
    )
    profiles = read_profiles(path, sheet="GCMS", metadata_sheet="Lookup")
    assert profiles.column("Group") == ("g1", "g2")
    assert profiles.column("Year") == ("2015", "2016")
    joined = detail(profiles)["joined"]
    assert joined["n_ids_without_profile"] == 1
    assert "X" not in str(profiles.history)
    assert joined["sheet"] == "Lookup"


def test_metadata_of_another_file(tmp_path: Path) -> None:
    path = put(tmp_path, PLAIN)
    other = put(tmp_path, "Lab no;Region\nA;N\nB;Süd\n", "m.csv", "cp1252")
    profiles = read_profiles(path, metadata_path=other)
    assert profiles.column("Region") == ("N", "Süd")
    assert detail(profiles)["joined"]["file"] == "m.csv"
    assert any("cp1252" in g for g in detail(profiles)["joined"]["guesses"])


def test_metadata_of_a_sheet_of_another_file(tmp_path: Path) -> None:
    book = put_book(tmp_path, a=[["x"]], b=[["key", "Region"], ["A", "N"], ["B", "S"]])
    profiles = read_profiles(
        put(tmp_path, PLAIN), metadata_path=book, metadata_sheet="b", metadata_id_column="key"
    )
    assert profiles.column("Region") == ("N", "S")


def test_profiles_without_metadata(tmp_path: Path) -> None:
    path = put(tmp_path, PLAIN)
    other = put(tmp_path, "Sample,Region\nB,S\n", "m.csv")
    with pytest.raises(MetadataError, match=r"1 of 2 profiles .*'A'.*metadata_missing='empty'"):
        read_profiles(path, metadata_path=other)
    profiles = read_profiles(path, metadata_path=other, metadata_missing="empty")
    assert profiles.column("Region") == (None, "S")
    assert detail(profiles)["joined"]["profiles_without"] == ["A"]


def test_repeated_metadata_must_agree(tmp_path: Path) -> None:
    path = put(tmp_path, PLAIN)
    same = put(tmp_path, "Sample,Region\nA,N\nB,S\nA,N\n", "m.csv")
    assert read_profiles(path, metadata_path=same).column("Region") == ("N", "S")
    other = put(tmp_path, "Sample,Region\nA,N\nB,S\nA,W\n", "m.csv")
    with pytest.raises(
        MetadataError, match=r"id 'A' has two lines .* 2 and 4, that differ in 'Reg"
    ):
        read_profiles(path, metadata_path=other)


def test_metadata_that_match_no_profile(tmp_path: Path) -> None:
    other = put(tmp_path, "Sample,Region\nX,N\nY,S\n", "m.csv")
    with pytest.raises(MetadataError, match="no id of the profiles"):
        read_profiles(put(tmp_path, PLAIN), metadata_path=other)


def test_a_column_in_both_tables_must_agree(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,T1,Region\nA,1.5,N\nB,2,S\n")
    same = put(tmp_path, "Sample,Region,City\nA,N,x\nB,S,y\n", "m.csv")
    assert read_profiles(path, metadata_path=same).column("City") == ("x", "y")
    other = put(tmp_path, "Sample,Region\nA,N\nB,W\n", "m.csv")
    with pytest.raises(MetadataError, match=r"'Region' .* profile 'B' has 'S' and 'W'"):
        read_profiles(path, metadata_path=other)
    target = put(tmp_path, "Sample,T1\nA,N\nB,W\n", "m.csv")
    with pytest.raises(MetadataError, match="'T1' is a target"):
        read_profiles(path, metadata_path=target)


def test_joined_ids_join_metadata_as_well(tmp_path: Path) -> None:
    path = put(tmp_path, "case,item,T1\n1,1,1.5\n1,2,2\n")
    other = put(tmp_path, "case,item,Region\n1,2,S\n1,1,N\n", "m.csv")
    profiles = read_profiles(path, id_column=["case", "item"], metadata_path=other)
    assert profiles.column("Region") == ("N", "S")


# -- what a file holds -----------------------------------------------------------------------


def test_info_about_a_readable_table(tmp_path: Path) -> None:
    info = describe_table(put(tmp_path, "Sample;Region;T1;T2\nA;N;1,5;n.d.\nB;S;2;3\n"))
    assert (info.format, info.delimiter, info.decimal) == ("text", ";", ",")
    assert (info.header_line, info.id_column, info.n_profiles) == (1, ("Sample",), 2)
    assert info.targets == ("T1", "T2")
    assert info.metadata == ("Region",)
    assert info.status_counts == {"detected": 3, "below_lod": 1}
    assert info.problem is None
    assert "readable:     yes" in str(info)
    assert info.to_dict()["targets"] == ["T1", "T2"]


def test_info_about_a_table_without_ids(tmp_path: Path) -> None:
    info = describe_table(put(tmp_path, "batch,measurement,D\n1,1,9.5\n1,2,9.25\n2,1,8.5\n"))
    assert info.id_candidates == (("batch", "measurement"),)
    assert info.problem is not None
    assert "possible ids: batch / measurement" in str(info)


def test_info_about_sheets(tmp_path: Path) -> None:
    path = put_book(
        tmp_path, Lookup=[["Sample", "Region"], ["A", "N"]], GCMS=[["Sample", "T1"], ["A", 1.5]]
    )
    info = describe_table(path)
    assert [(s.name, s.possible_targets) for s in info.sheets] == [("Lookup", 0), ("GCMS", 1)]
    assert info.problem is not None
    assert describe_table(path, sheet="GCMS").n_profiles == 1


def test_info_needs_a_file_and_known_keywords(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        describe_table(tmp_path / "none.csv")
    with pytest.raises(UnknownNameError, match="Did you mean 'sheet'"):
        describe_table(put(tmp_path, PLAIN), shet="x")
