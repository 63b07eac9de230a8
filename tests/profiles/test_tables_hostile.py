"""Files that are no table of profiles, are damaged, or were made to do harm: one clear error."""

from __future__ import annotations

import io
import os
import re
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import openpyxl.chart
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drugsig.errors import DrugsigError, InputError, ReadError, SizeError, TableError
from drugsig.profiles import ProfileSet
from drugsig.profiles.tables import archive, describe_table, read_profiles, read_table, source
from drugsig.profiles.tables import workbook as workbook_module

OLE2 = bytes.fromhex("d0cf11e0a1b11ae1")


def put(folder: Path, data: bytes | str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def refused(path: Path, match: str, error: type[DrugsigError] = ReadError) -> DrugsigError:
    """Check that every way of reading refuses the file in the same words."""
    with pytest.raises(error, match=match) as caught:
        read_profiles(path)
    assert path.name in str(caught.value)
    assert describe_table(path).problem == str(caught.value)
    return caught.value


def outcome(path: Path) -> str:
    """Return the name of the file, or the message of the error that refuses it."""
    try:
        profiles = read_profiles(path)
    except DrugsigError as error:
        return str(error)
    return path.name if isinstance(profiles, ProfileSet) else ""


def a_workbook(rows: list[list[object]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "GCMS"
    for row in rows or [["Sample", "T1"], ["A", 1.5], ["B", 2]]:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def edited(data: bytes, part: str, edit: Callable[[bytes], bytes]) -> bytes:
    """Return the same archive with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, edit(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


# -- not a table -----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00" * 50])
def test_an_empty_file(tmp_path: Path, data: bytes) -> None:
    refused(put(tmp_path, data), "is empty")


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"GIF89a", "GIF"),
        (b"II*\x00", "TIFF"),
        (b"CDF\x01\x00", "netCDF"),
        (b"CDF\x02\x00", "netCDF"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"PAR1", "Parquet"),
        (b"{\\rtf1", "RTF"),
        (b"##TITLE=run", "JCAMP-DX"),
        (b"<html><table><tr><td>Sample</td></tr></table>", "web page"),
        (b"\xef\xbb\xbf\r\n<?xml version='1.0'?><Workbook/>", "web page or XML"),
        (OLE2 + "Workbook".encode("utf-16-le"), r"old \.xls format.*save it as \.xlsx"),
        (OLE2 + b"x" * 99, r"OLE compound file.*convert the run to mzML"),
        (OLE2 + "EncryptedPackage".encode("utf-16-le"), "Remove the password"),
        (OLE2 + "WordDocument".encode("utf-16-le"), "Word document"),
        (b"Sample,T1\nA,\x001\n", "binary data .a NUL byte at position 12"),
        ("Sample,T1\nA,1.5\n".encode("utf-16-le"), "encoding='utf-16-le'"),
        ("Sample,T1\nA,1.5\n".encode("utf-16-be"), "encoding='utf-16-be'"),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_what_else_a_file_is(tmp_path: Path, head: bytes, what: str, name: str) -> None:
    refused(put(tmp_path, head, name), what)


def test_a_missing_file_a_folder_and_a_strange_path(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.csv", "there is no file"), (tmp_path, "is a folder")):
        with pytest.raises(ReadError, match=words):
            read_profiles(path)
        with pytest.raises(ReadError, match=words):
            read_table(path)
    with pytest.raises(ReadError):
        read_profiles("a\x00b.csv")
    with pytest.raises(InputError, match="must be text or a path"):
        read_profiles(3)  # type: ignore[arg-type]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,T1\nA,1\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        path.chmod(stat.S_IRUSR)
        pytest.skip("this user may read everything")
    with pytest.raises(ReadError, match="may not be read"):
        read_profiles(path)


def test_the_ending_plays_no_part(tmp_path: Path) -> None:
    assert read_profiles(put(tmp_path, a_workbook(), "t.csv")).ids == ("A", "B")
    assert read_profiles(put(tmp_path, "Sample,T1\nA,1.5\n", "t.xlsx")).ids == ("A",)


def test_a_file_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 10)
    refused(
        put(tmp_path, "Sample,T1\nA,1\n"), r"has 14 bytes; a table may have at most 10", SizeError
    )


# -- text ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Sample,T1\nA,1.5\nB,2,3\n", r"line 3: the line has 3 cells where the header"),
        ("Sample,T1,T2\nA,1.5,2\nB,2\n", r"line 3: the line has 2 cell.s. .*cut off"),
        ("Sample,T1,T2\nA,1.5,2\nB,2,3\nTotal lines: 2\n", "line 4: the line has 1 cell"),
        ('Sample,T1\nA,1.5\n"B,2\nC,3\n', r"line 3: a quotation mark is never closed"),
        ('Sample,T1\nA,1.5\n"B"x,2\n', r"line 3: .*text follows a closing"),
        ("Sample,T1,T1\nA,1.5,2\n", r"line 1, column 'T1': .*'T1' in columns 2, 3"),
        ("Sample,T1,\nA,1.5,2\n", r"line 2: column 3 holds '2' but has no heading"),
        ("Sample,T1\n", "no line below it|no line looks like"),
        ("Sample,T1\nA,1.5\nA,2\n", r"line 3, column 'Sample': ids come more than once"),
        ("Sample,T1\nA,1.5\nB,abc\nC,2\n", r"line 3, column 'T1': the text 'abc'"),
        ("Sample,T1\nA,1.5\nB,inf\n", r"line 3, column 'T1': 'inf' is no value"),
        ("Sample,T1\nA,1.5\nB,-2\n", r"line 3, column 'T1': the negative number '-2'"),
        ("Sample,Region\nA,N\nB,S\n", "has no target"),
        ("Sample,T1\nA,1.5\nB,#DIV/0!\n", r"line 3, column 'T1': the text '#DIV/0!'"),
        ("Sample,T1\nA\x07,1.5\n", r"line 2: the cell 'A\\x07' holds the control character U.0007"),
        ("hello world\n", "no line looks like a header|no target|holds a header"),
        ("1,2,3\n4,5,6\n", "no line looks like a header"),
        ("profile_id,T1,Sample\nA,1.5,x\nA,2,y\n", "'profile_id' that does not hold the ids"),
    ],
)
def test_a_faulty_text_table(tmp_path: Path, text: str, words: str) -> None:
    refused(put(tmp_path, text), words, TableError)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    refused(put(tmp_path, b"Sample,T1\nA\x81,1.5\n"), r"neither UTF-8 nor .*0x81 at position 11")
    refused(put(tmp_path, b"\xff\xfeS\x00a"), "cut off")
    with pytest.raises(ReadError, match="is no text in the encoding ascii"):
        read_profiles(put(tmp_path, "Sämple,T1\n"), encoding="ascii")
    for encoding in ("utf8x", "rot13", "hex"):
        with pytest.raises(InputError, match="unknown encoding"):
            read_profiles(put(tmp_path, "Sample,T1\n"), encoding=encoding)


def test_a_cell_longer_than_a_table_can_hold(tmp_path: Path) -> None:
    refused(put(tmp_path, f"Sample,T1,x\nA,1.5,{'x' * 200_000}\n"), "line 2: a cell is longer")


def test_the_peak_list_of_one_run(tmp_path: Path) -> None:
    text = "run_7\nRetention Time;Peak Area;;Name\n3.1;1,318,076.08;;\n;;;Furfural\n"
    error = refused(put(tmp_path, text), "peak list of one run, not a table", TableError)
    assert isinstance(error, TableError)
    assert error.line == 2


def test_areas_of_many_compounds_are_no_peak_list(tmp_path: Path) -> None:
    path = put(tmp_path, "Sample,RT,Area T1,Area T2\nA,3.1,10.5,11\nB,3.2,12,13\n")
    assert read_profiles(path).target_names == ("Area T1", "Area T2")


# -- workbooks -------------------------------------------------------------------------------


def test_a_truncated_workbook(tmp_path: Path) -> None:
    data = a_workbook()
    for length in (30, len(data) // 2, len(data) - 10):
        refused(put(tmp_path, data[:length], "t.xlsx"), "damaged or truncated")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("readme.txt", "a zip archive but no workbook"),
        ("xl/workbook.bin", r"\.xlsb"),
        ("content.xml", "OpenDocument"),
        ("word/document.xml", "Word document"),
    ],
)
def test_other_zip_archives(tmp_path: Path, part: str, words: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive_file:
        archive_file.writestr(part, "x")
    refused(put(tmp_path, out.getvalue(), "t.xlsx"), words)


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", "<workbook/>")
        with bomb.open(SHEET, "w", force_zip64=True) as part:
            for _ in range(520):
                part.write(b"\x00" * (1 << 20))
    path = put(tmp_path, out.getvalue(), "t.xlsx")
    assert path.stat().st_size < 1_000_000
    refused(path, r"declares 545,\d\d\d,\d\d\d bytes when unpacked; at most 536,870,912", SizeError)


def test_a_zip_bomb_that_understates_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 3_000_000)
    data = edited(a_workbook(), SHEET, lambda xml: xml + b"<c/>" * 1_250_000)
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        size = whole.getinfo(SHEET).file_size
    lying = data.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != data
    refused(put(tmp_path, lying, "t.xlsx"), r"unpacks to more than 3,000,000 bytes", SizeError)


def test_a_part_that_misstates_its_size(tmp_path: Path) -> None:
    data = edited(a_workbook(), SHEET, lambda xml: xml + b" " * 70_000)
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        size = whole.getinfo(SHEET).file_size
    lying = data.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    refused(put(tmp_path, lying, "t.xlsx"), r"declares 1,000 bytes and unpacks to")


def test_too_many_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_PARTS", 3)
    refused(
        put(tmp_path, a_workbook(), "t.xlsx"), r"parts; a workbook may have at most 3", SizeError
    )


def test_an_unusual_packing_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
    refused(put(tmp_path, out.getvalue(), "t.xlsx"), "packed in a way")


def test_entities_are_refused(tmp_path: Path) -> None:
    declaration = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    data = edited(
        a_workbook(),
        SHEET,
        lambda xml: re.sub(rb"(<worksheet)", declaration + rb"\1", xml, count=1),
    )
    refused(put(tmp_path, data, "t.xlsx"), "declares a document type")


def test_a_strict_workbook(tmp_path: Path) -> None:
    data = edited(
        a_workbook(),
        "xl/workbook.xml",
        lambda xml: xml.replace(b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                                b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
    )  # fmt: skip
    refused(put(tmp_path, data, "t.xlsx"), "Strict Open XML")


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        (SHEET, b"</worksheet>", b""),
        (SHEET, b"<sheetData>", b"<sheetData><row r='x'>"),
        (SHEET, b't="n"', b't="s"'),
        ("xl/workbook.xml", b"</workbook>", b""),
        ("xl/_rels/workbook.xml.rels", b"Id=", b"Ib="),
        ("[Content_Types].xml", b"<Types", b"<Tipes"),
        ("xl/styles.xml", b"<cellXfs", b"<cellXfs count='x'><a"),
    ],
)
def test_damage_inside_a_workbook_gives_one_error(
    tmp_path: Path, part: str, old: bytes, new: bytes
) -> None:
    data = edited(a_workbook(), part, lambda xml: xml.replace(old, new))
    with pytest.raises(DrugsigError) as caught:
        read_profiles(put(tmp_path, data, "t.xlsx"))
    assert "t.xlsx" in str(caught.value)


@given(st.integers(0, 5000), st.binary(min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_damage_gives_one_error_or_a_table(tmp_path: Path, place: int, junk: bytes) -> None:
    data = bytearray(a_workbook())
    place %= len(data)
    data[place : place + len(junk)] = junk
    path = put(tmp_path, bytes(data), "t.xlsx")
    assert path.name in outcome(path)


@given(st.text("\"',;\t|\n\r .-+<%0123456789eEnaTAS#=\ufeff", max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_text_gives_one_error_or_a_table(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, text)
    assert path.name in outcome(path)


@given(st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_bytes_give_one_error_or_a_table(tmp_path: Path, data: bytes) -> None:
    path = put(tmp_path, data)
    assert path.name in outcome(path)


def test_a_formula_without_a_stored_result(tmp_path: Path) -> None:
    data = a_workbook([["Sample", "T1", "T2"], ["A", 1.5, 2], ["B", 2, "=B2+1"]])
    refused(
        put(tmp_path, data, "t.xlsx"), r"'GCMS'!C3: the formula has no stored result", TableError
    )


def test_a_formula_with_a_stored_result_is_a_number(tmp_path: Path) -> None:
    data = a_workbook([["Sample", "T1"], ["A", 1.5], ["B", "=B2+1"]])
    stored = edited(
        data,
        SHEET,
        lambda xml: re.sub(rb"<f>B2\+1</f><v\s*/?>(</v>)?", b"<f>B2+1</f><v>2.5</v>", xml),
    )
    assert read_profiles(put(tmp_path, stored, "t.xlsx")).values[:, 0].tolist() == [1.5, 2.5]


@pytest.mark.parametrize("error", ["#DIV/0!", "#N/A", "#REF!", "#VALUE!"])
def test_error_cells(tmp_path: Path, error: str) -> None:
    data = a_workbook([["Sample", "T1"], ["A", 1.5], ["B", error]])
    refused(
        put(tmp_path, data, "t.xlsx"), rf"'GCMS'!B3: the cell shows the error {error}", TableError
    )


def test_a_date_out_of_range_is_an_error_cell(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["Sample", "date", "T1"], ["A", 1e10, 1.5]):
        sheet.append(row)
    sheet["B2"].number_format = "yyyy-mm-dd"
    book.save(tmp_path / "t.xlsx")
    refused(tmp_path / "t.xlsx", "'Sheet'!B2: the cell shows the error", TableError)


def test_a_sheet_that_lies_about_its_size_is_read_whole(tmp_path: Path) -> None:
    data = edited(
        a_workbook(),
        SHEET,
        lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', xml),
    )
    assert b'<dimension ref="A1"' in zipfile.ZipFile(io.BytesIO(data)).read(SHEET)
    assert read_profiles(put(tmp_path, data, "t.xlsx")).ids == ("A", "B")


def test_a_row_far_below_is_refused(tmp_path: Path) -> None:
    data = edited(a_workbook(), SHEET, lambda xml: xml.replace(b'r="3"', b'r="2000000000"'))
    refused(put(tmp_path, data, "t.xlsx"), r"more than 1,048,576 rows", SizeError)


def test_stray_cells_far_to_the_right_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_module, "MAX_CELLS", 20_000)
    data = edited(a_workbook(), SHEET, lambda xml: re.sub(rb'r="B(\d)"', rb'r="XFD\1"', xml))
    refused(put(tmp_path, data, "t.xlsx"), r"20,000 cells", SizeError)


def test_an_empty_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "t.xlsx")
    refused(tmp_path / "t.xlsx", "sheet 'Sheet' is empty", TableError)


def test_sheets_of_charts_are_no_sheets_of_cells(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(a_workbook()))
    chart = openpyxl.chart.BarChart()
    chart.add_data(openpyxl.chart.Reference(book.worksheets[0], min_col=2, min_row=1, max_row=3))
    book.create_chartsheet("chart").add_chart(chart)
    book.save(tmp_path / "t.xlsx")
    assert read_profiles(tmp_path / "t.xlsx").ids == ("A", "B")


# -- workbooks made to take all memory or time -----------------------------------------------

_HEAD = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>Sample</t></is></c>'
    b'<c r="B1" t="inlineStr"><is><t>T1</t></is></c></row>'
    b'<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c><c r="B2"><v>1.5</v></c></row>'
)
_END = b"</sheetData></worksheet>"


def workbook_with(folder: Path, inside: bytes) -> Path:
    """Write a workbook whose one sheet holds something more behind its two rows."""
    book = openpyxl.Workbook()
    book.save(folder / "plain.xlsx")
    place = folder / "made.xlsx"
    with (
        zipfile.ZipFile(folder / "plain.xlsx") as plain,
        zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for part in plain.infolist():
            is_sheet = part.filename == "xl/worksheets/sheet1.xml"
            made.writestr(part.filename, _HEAD + inside + _END if is_sheet else plain.read(part))
    return place


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        (b"<a>" * 100_000 + b"</a>" * 100_000, "nested deeper or has longer tags"),
        (b'<row r="3" x="' + b"a" * 4_000_000 + b'"/>', "nested deeper or has longer tags"),
        (b'<row r="3">' + b"<c/>" * 5_000_000 + b"</row>", "as no table is"),
        (b'<row r="3" x="' + b"a" * 40_000_000 + b'"/>', "as no table is"),
    ],
)
def test_a_workbook_made_to_fill_the_memory_is_refused(
    inside: bytes, why: str, tmp_path: Path
) -> None:
    refused(workbook_with(tmp_path, inside), why, SizeError)


def test_looking_for_hidden_rows_takes_time_by_the_size_only() -> None:
    begun = time.perf_counter()
    assert archive._HIDDEN.search(b"<row " * 200_000) is None
    assert time.perf_counter() - begun < 5.0
    assert archive._HIDDEN.search(b'<x:row r="3" spans="1:2" hidden="1" ht="3">')
    assert archive._HIDDEN.search(b'<col min="1" max="2" hidden="true"/>')
    assert archive._HIDDEN.search(b'<row r="3"><c hidden="1"/></row>') is None


def test_a_usual_workbook_is_read(tmp_path: Path) -> None:
    rows = b"".join(
        f'<row r="{k}"><c r="A{k}" t="inlineStr"><is><t>s{k}</t></is></c>'
        f'<c r="B{k}"><v>{k}.5</v></c></row>'.encode()
        for k in range(3, 3_000)
    )
    assert len(read_profiles(workbook_with(tmp_path, rows))) == 2_998


def test_roles_that_are_no_mapping_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="roles must map"):
        read_profiles(put(tmp_path, "Sample,T1\nA,1\n"), roles=5)  # type: ignore[arg-type]
