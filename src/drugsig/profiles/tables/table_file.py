"""The one writer under every table that drugsig writes, and the reader of its rows."""

from __future__ import annotations

import math
import os
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import choose
from drugsig._files import write_file
from drugsig.errors import InputError, OutputError, TableError
from drugsig.profiles.tables.delimited import DELIMITERS, decode, records
from drugsig.profiles.tables.escape import escape_text
from drugsig.profiles.tables.grid import Cell, column_letters
from drugsig.profiles.tables.source import Source
from drugsig.profiles.tables.workbook import MAX_SHEET_ROWS, Workbook, sheet_grid

__all__ = ["SHEET", "Column", "coded", "read_rows", "write_cells"]

# The cells of a column; a categorical holds each text once.
Column = pd.Categorical | NDArray[Any] | Sequence[object]

SHEET = "profiles"
ENDINGS = (".csv", ".tsv", ".xlsx")

# What a cell of a sheet, and what a cell of a text file, can hold at most.
_MAX_SHEET_TEXT = 32_767
_MAX_SHEET_COLUMNS = 16_384
_MAX_TEXT = 131_072

# Every delimiter is quoted whichever is used, so that the first bare one is the delimiter.
_QUOTED = re.compile(r"[\",;|\t\r\n]|\A\s|\s\Z")
_NOTHING = '""'
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_XML_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_XML_FORBIDDEN = re.compile(r"[\ufffe\uffff]")

# Lines that are text at one time, so that the text of a large table is never held at once.
_BLOCK = 16_384

# Integers up to here are exact in the doubles that a sheet stores.
_EXACT = 2**53

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELS}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELS}"><sheets>'
        f'<sheet name="{SHEET}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_RELS}/styles" Target="styles.xml"/>'
        "</Relationships>"
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}">'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        '</cellStyleXfs><cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" '
        'xfId="0"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" '
        'builtinId="0"/></cellStyles></styleSheet>'
    ),
}


def coded(codes: NDArray[np.integer], cells: Sequence[object], /) -> pd.Categorical:
    """Return a column of cells that repeat, each held and looked at once.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        For every row the place of its cell; -1 for an empty one.
    cells : sequence
        All different, and not None.
    """
    # As they are: pandas would make one type of them.
    kept: pd.Index[Any] = pd.Index(np.array([*cells, None], dtype=object)[:-1])
    return pd.Categorical.from_codes(codes, kept)


def write_cells(
    path: str | os.PathLike[str],
    rows: Iterable[Sequence[object]],
    columns: Sequence[Column] = (),
    /,
    *,
    decimal_comma: bool,
    overwrite: bool,
) -> Path:
    """Write text, numbers, truth values and None to .csv, .tsv or .xlsx.

    The file appears whole or not at all. Its bytes depend on the cells only, not on whether they
    come as rows or as columns.

    Parameters
    ----------
    path : path-like
        Where.
    rows : iterable of sequence
        What stands above, of any widths.
    columns : sequence of Column
        What stands below, all equally long.
    decimal_comma : bool
        Write floats with a decimal comma, and semicolons between the cells of ``.csv``.
    overwrite : bool
        Replace a file that is already there.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or cannot be written there.
    InputError
        If a cell holds something that cannot be written.
    """
    place = Path(path)
    ending = choose(place.suffix.lower(), ENDINGS, what=f"ending of the table {place.name}")
    write: Callable[[IO[bytes]], None]
    if ending == ".xlsx":
        below = zip(*(_cells(column) for column in columns), strict=True)
        write = lambda file: _write_sheet(file, chain(rows, below))  # noqa: E731
    else:
        delimiter = "\t" if ending == ".tsv" else (";" if decimal_comma else ",")
        lines = chain(
            (delimiter.join([_field(cell, decimal_comma) for cell in row]) for row in rows),
            _lines(columns, delimiter, decimal_comma),
        )
        write = lambda file: _write_text(file, lines)  # noqa: E731
    return write_file(place, write, overwrite=overwrite)


def _plain(cell: object) -> object:
    """Return a numpy scalar as the Python number it is."""
    return cell.item() if isinstance(cell, np.generic) else cell


def _checked(text: str) -> str:
    found = _UNWRITABLE.search(text)
    if found:
        raise InputError(
            f"the text {text[:60]!r} holds the character U+{ord(found.group()):04X}, which no "
            "table can hold. Remove it."
        )
    return escape_text(text)


def _unwritable(cell: object) -> InputError:
    return InputError(
        f"a cell of a table is text, a number, true, false or None; got {cell!r} of type "
        f"{type(cell).__name__}"
    )


def _write_text(file: IO[bytes], lines: Iterator[str]) -> None:
    file.write(b"\xef\xbb\xbf")
    while block := list(islice(lines, _BLOCK)):
        # A line with nothing on it would be skipped.
        file.write("".join([f"{line or _NOTHING}\n" for line in block]).encode("utf-8"))


def _lines(columns: Sequence[Column], delimiter: str, decimal_comma: bool) -> Iterator[str]:
    writers = [_fields(column, decimal_comma) for column in columns]

    def block(start: int) -> Iterator[str]:
        rows = slice(start, start + _BLOCK)
        return map(delimiter.join, zip(*(fields(rows) for fields in writers), strict=True))

    starts = range(0, len(columns[0]) if columns else 0, _BLOCK)
    return chain.from_iterable(map(block, starts))


def _fields(column: Column, decimal_comma: bool) -> Callable[[slice], list[str]]:
    """Return what writes a stretch of a column; the texts are those of `_field`, cell by cell."""
    if isinstance(column, pd.Categorical):
        # A missing cell has the code -1, which is the last place.
        once = np.array([*(_field(c, decimal_comma) for c in column.categories), ""], dtype=object)
        return lambda block: once[column.codes[block]].tolist()
    if isinstance(column, np.ndarray) and column.dtype == np.bool_:
        truth = np.array([_field(False, decimal_comma), _field(True, decimal_comma)], dtype=object)
        return lambda block: truth[column[block].astype(np.intp)].tolist()
    if isinstance(column, np.ndarray) and column.dtype.kind in "iu":
        return lambda block: list(map(str, column[block].tolist()))
    if isinstance(column, np.ndarray) and column.dtype == np.float64:
        return lambda block: _float_fields(column[block], decimal_comma)
    return lambda block: [_field(cell, decimal_comma) for cell in column[block]]


def _float_fields(values: NDArray[np.float64], decimal_comma: bool) -> list[str]:
    texts = list(map(repr, values.tolist()))
    for k in np.flatnonzero(np.isnan(values)):
        texts[k] = ""
    return [text.replace(".", ",") for text in texts] if decimal_comma else texts


def _cells(column: Column) -> Iterable[object]:
    return column.tolist() if isinstance(column, np.ndarray | pd.Categorical) else column


def _field(cell: object, decimal_comma: bool) -> str:
    if cell is None:
        return ""
    cell = _plain(cell)
    if isinstance(cell, float):
        if math.isnan(cell):
            return ""
        return repr(cell).replace(".", ",") if decimal_comma else repr(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, str):
        text = _checked(cell)
        if len(text) > _MAX_TEXT - 1:
            raise InputError(
                f"a text of {len(text):,} characters is too long for a cell; at most "
                f"{_MAX_TEXT - 1:,} can be read back. It begins with {text[:60]!r}."
            )
        return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
    raise _unwritable(cell)


def _write_sheet(file: IO[bytes], rows: Iterable[Sequence[object]]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in _PARTS.items():
            archive.writestr(_part(name), _XML + text)
        with archive.open(_part("xl/worksheets/sheet1.xml"), "w") as sheet:
            sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for line, row in enumerate(rows, start=1):
                if line > MAX_SHEET_ROWS or len(row) > _MAX_SHEET_COLUMNS:
                    raise OutputError(
                        f"a sheet holds at most {MAX_SHEET_ROWS:,} rows of {_MAX_SHEET_COLUMNS:,} "
                        "cells. Write a .csv file instead."
                    )
                cells = "".join([_sheet_cell(cell, line, k) for k, cell in enumerate(row)])
                sheet.write(f'<row r="{line}">{cells}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")


def _part(name: str) -> zipfile.ZipInfo:
    # A fixed date and system, so that equal tables are equal files.
    part = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    part.compress_type = zipfile.ZIP_DEFLATED
    part.create_system = 0
    return part


def _sheet_cell(cell: object, line: int, column: int) -> str:
    cell = _plain(cell)
    if cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    place = f'r="{column_letters(column)}{line}"'
    if isinstance(cell, bool):
        cell = "true" if cell else "false"
    elif isinstance(cell, float):
        if math.isfinite(cell):
            return f"<c {place}><v>{cell!r}</v></c>"
        cell = repr(cell)
    elif isinstance(cell, int):
        if abs(cell) <= _EXACT:
            return f"<c {place}><v>{cell}</v></c>"
        cell = str(cell)
    if not isinstance(cell, str):
        raise _unwritable(cell)
    text = _checked(cell)
    if len(text) > _MAX_SHEET_TEXT:
        raise InputError(
            f"a text of {len(text):,} characters is too long for a cell of a sheet "
            f"({_MAX_SHEET_TEXT:,} at most). Write a .csv file instead. It begins with "
            f"{text[:60]!r}."
        )
    # Always text, never a formula: a cell of type inlineStr is not calculated.
    return f'<c {place} t="inlineStr"><is><t xml:space="preserve">{_xml_text(text)}</t></is></c>'


def _xml_text(text: str) -> str:
    text = _XML_ESCAPED.sub("_x005F_", text)
    text = _XML_FORBIDDEN.sub(lambda m: f"_x{ord(m.group()):04X}_", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def read_rows(
    source: Source, book: Workbook | None, sheet: str | None
) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the rows of a table that `write_cells` wrote, still escaped, with their lines.

    Raises
    ------
    TableError, ReadError
        If the file is damaged.
    """
    if book is not None:
        grid = sheet_grid(book, sheet, cleaned=False)
        yield from zip(grid.lines, grid.rows, strict=True)
        return
    text, _, _ = decode(source, None)
    for line, record in records(text, _delimiter_of(text, source), source):
        yield line, [*record]


def _delimiter_of(text: str, source: Source) -> str:
    """Return the first delimiter of the first line that stands outside quotation marks."""
    quoted = False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character in DELIMITERS:
            return character
        elif character in "\r\n":
            break
    if quoted:
        raise TableError(
            f"{source.name}, line 1: a quotation mark is never closed.", path=source.path, line=1
        )
    return ","
