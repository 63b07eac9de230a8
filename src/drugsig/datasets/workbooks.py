"""A small workbook writer whose bytes depend on the cells only.

Spreadsheet libraries stamp the time into a workbook, pack it with whatever zlib there is, and
change their XML from one version to the next. An example must have one digest everywhere: here
the parts are stored unpacked, with one date, in one order.
"""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from drugsig.errors import InputError

__all__ = ["Cell", "write_workbook"]

Cell = str | int | float | datetime.date | None

# Day 0 of a sheet, so that 1900, which the format takes for a leap year, comes out right.
_DAY_ZERO = datetime.date(1899, 12, 30)
_ZIP_DATE = (2024, 1, 1, 0, 0, 0)
_DATE_STYLE = 1

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_STYLES = (
    f'<styleSheet xmlns="{_SHEETS}">'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    "</cellXfs>"
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


def write_workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]], /) -> None:
    """Write sheets of cells to an XLSX file.

    Parameters
    ----------
    path : Path
        The file; replaced if it exists.
    sheets : mapping of str to sequence of rows
        Cells by sheet. Text stays text, also where it looks like a number; None is no cell.

    Raises
    ------
    InputError
        If there is no sheet.
    """
    if not sheets:
        raise InputError("a workbook needs at least one sheet")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, text in _parts(sheets).items():
            entry = zipfile.ZipInfo(name, date_time=_ZIP_DATE)
            # The system a file was packed on is part of its bytes: one for all.
            entry.create_system = 0
            archive.writestr(entry, (_HEAD + text).encode("utf-8"))


def _parts(sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> dict[str, str]:
    numbers = range(1, len(sheets) + 1)
    styles_id = len(sheets) + 1
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
            + "".join(
                f'<Override PartName="/xl/worksheets/sheet{k}.xml" '
                f'ContentType="{_TYPES}.worksheet+xml"/>'
                for k in numbers
            )
            + "</Types>"
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>"
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_SHEETS}" xmlns:r="{_DOCUMENT}"><sheets>'
            + "".join(
                f'<sheet name={quoteattr(name)} sheetId="{k}" r:id="rId{k}"/>'
                for k, name in zip(numbers, sheets, strict=True)
            )
            + "</sheets></workbook>"
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            + "".join(
                f'<Relationship Id="rId{k}" Type="{_DOCUMENT}/worksheet" '
                f'Target="worksheets/sheet{k}.xml"/>'
                for k in numbers
            )
            + f'<Relationship Id="rId{styles_id}" Type="{_DOCUMENT}/styles" Target="styles.xml"/>'
            "</Relationships>"
        ),
        "xl/styles.xml": _STYLES,
        **{
            f"xl/worksheets/sheet{k}.xml": _sheet(rows)
            for k, rows in zip(numbers, sheets.values(), strict=True)
        },
    }


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    lines = "".join(
        f'<row r="{line}">'
        + "".join(
            _cell(cell, f"{_letters(column)}{line}")
            for column, cell in enumerate(row)
            if cell is not None
        )
        + "</row>"
        for line, row in enumerate(rows, start=1)
        if any(cell is not None for cell in row)
    )
    return f'<worksheet xmlns="{_SHEETS}"><sheetData>{lines}</sheetData></worksheet>'


def _cell(cell: str | float | datetime.date, place: str) -> str:
    if isinstance(cell, datetime.date):
        return f'<c r="{place}" s="{_DATE_STYLE}"><v>{(cell - _DAY_ZERO).days}</v></c>'
    if isinstance(cell, str):
        text = f'<t xml:space="preserve">{escape(cell)}</t>'
        return f'<c r="{place}" t="inlineStr"><is>{text}</is></c>'
    return f'<c r="{place}"><v>{cell!r}</v></c>'


def _letters(column: int) -> str:
    """Return the letters of a column counted from 0.

    >>> _letters(0), _letters(25), _letters(26)
    ('A', 'Z', 'AA')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
