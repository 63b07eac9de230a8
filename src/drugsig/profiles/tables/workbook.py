"""XLSX workbooks: their sheets, and the grid of one sheet."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, TypeVar

from drugsig._check import choose, listed
from drugsig.errors import DrugsigError, ReadError, SizeError, TableError
from drugsig.profiles.tables.archive import Archive, check_archive
from drugsig.profiles.tables.grid import Cell, DateText, Grid, clean_rows, column_letters
from drugsig.profiles.tables.notes import Guess
from drugsig.profiles.tables.source import Source

__all__ = ["Workbook", "open_workbook", "sheet_grid"]

# What a sheet of the format can have; a file that claims more is not to be believed.
MAX_SHEET_ROWS = 1_048_576
# A stray cell far to the right makes every row that long.
MAX_CELLS = 60_000_000

# How workbooks write characters that XML cannot hold, and the underscore that would look so.
_ESCAPED = re.compile(r"_x(005F|000D|000A|0009|FFFE|FFFF)_")

# What openpyxl and the parsers below it raise on a damaged workbook.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

# So many rows may be lines of means; more are the profiles themselves.
_FEW = 5

_NOWHERE: Set[int] = frozenset()

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Workbook:
    """A workbook whose archive was checked.

    Parameters
    ----------
    source : Source
        The file.
    archive : Archive
        What the check found.
    sheets : tuple of str
        The names of its sheets of cells, in order.
    hidden : tuple of str
        Those of them that are hidden.
    first_cells : mapping of str to str
        The text of the first cell of every sheet.
    """

    source: Source
    archive: Archive
    sheets: tuple[str, ...]
    hidden: tuple[str, ...]
    first_cells: Mapping[str, str]

    def choose_sheet(self, sheet: str | None) -> str:
        """Return the sheet that is meant: the one named, or the only one.

        Raises
        ------
        TableError
            If there are several and none is named.
        UnknownNameError
            If there is no such sheet.
        """
        if sheet is not None:
            return choose(sheet, self.sheets, what=f"sheet of {self.source.name}")
        if len(self.sheets) == 1:
            return self.sheets[0]
        raise TableError(
            f"{self.source.name} has {len(self.sheets)} sheets: {listed(self.sheets, most=40)}. "
            "Name the one that is meant.",
            path=self.source.path,
        )


def open_workbook(source: Source) -> Workbook:
    """Check the archive of a workbook and list its sheets.

    Raises
    ------
    ReadError
        If it is damaged, or has no sheet of cells.
    SizeError
        If it unpacks to too much.
    """
    archive = check_archive(source)

    def look(book: Any) -> Workbook:
        sheets = book.worksheets
        first: dict[str, str] = {}
        for sheet in sheets:
            sheet.reset_dimensions()
            row = next(sheet.iter_rows(max_row=1), ())
            first[sheet.title] = str(row[0].value) if row else ""
        hidden = tuple(sheet.title for sheet in sheets if sheet.sheet_state != "visible")
        return Workbook(source, archive, tuple(first), hidden, first)

    workbook = _with_book(source, look)
    if not workbook.sheets:
        raise ReadError(f"{source.name} has no sheet of cells.", path=source.path)
    return workbook


def sheet_grid(
    workbook: Workbook,
    sheet: str | None = None,
    *,
    cleaned: bool = True,
    skip: Collection[int] = (),
) -> Grid:
    """Read one sheet into a grid.

    Parameters
    ----------
    workbook : Workbook
        From `open_workbook`.
    sheet : str, optional
        The name of the sheet; may be left out where there is one only.
    cleaned : bool
        Whether text is stripped of outer white space and made one line. drugsig's own format
        needs it as it stands.
    skip : collection of int
        Rows to leave out, counted from 1; what they hold is not even looked at.

    Raises
    ------
    TableError
        If the sheet is empty, a formula has no stored result, or a cell holds an error.
    """
    name = workbook.choose_sheet(sheet)
    source = workbook.source
    found = _with_book(source, lambda book: list(_cells(book[name], source, name, skip)))
    if workbook.archive.has_formulas:
        judged = [row for row in found if row[0] not in skip]
        _refuse_unknown_results(source, name, judged)
    numbered = [(line, row) for line, row, _ in found]
    if cleaned:
        rows, lines, guesses = clean_rows(numbered, source, name, skip=skip)
    else:
        rows, lines, guesses = [row for _, row in numbered], [line for line, _ in numbered], ()
    if not rows:
        raise TableError(f"{source.name}: sheet '{name}' is empty.", path=source.path)
    if len(workbook.sheets) == 1 and sheet is None:
        guesses += (Guess(f"sheet '{name}', the only one"),)
    if name in workbook.hidden:
        guesses += (Guess(f"sheet '{name}' is hidden in the workbook; it was read all the same"),)
    if workbook.archive.has_hidden:
        guesses += (Guess("the workbook hides rows or columns; they were read like all others"),)
    return Grid(source, rows, lines, sheet=name, guesses=guesses)


def _with_book(source: Source, use: Callable[[Any], T], *, data_only: bool = True) -> T:
    """Open the workbook, use it, and turn every kind of damage into one error."""
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions it leaves out; none of them is data.
            warnings.simplefilter("ignore")
            book = load_workbook(
                io.BytesIO(source.data), read_only=True, data_only=data_only, keep_links=False
            )
            try:
                return use(book)
            finally:
                book.close()
    except DrugsigError:
        raise
    except MemoryError as error:
        raise SizeError(
            f"{source.name} takes more memory than there is. Save the one sheet that is needed as "
            ".csv."
        ) from error
    except _DAMAGE as error:
        raise ReadError(
            f"{source.name} is a damaged workbook ({type(error).__name__}: {error}). "
            "Open it in a spreadsheet program and save it again.",
            path=source.path,
        ) from error


def _cells(
    sheet: Any, source: Source, name: str, skip: Collection[int]
) -> Iterator[tuple[int, list[Cell], Set[int]]]:
    """Yield every row with its number and the columns that hold no stored value."""
    # Some programs declare a sheet as one cell; the cells themselves are to be believed.
    sheet.reset_dimensions()
    visited = 0
    for line, raw in enumerate(sheet.iter_rows(), start=1):
        visited += len(raw)
        if line > MAX_SHEET_ROWS or visited > MAX_CELLS:
            raise SizeError(
                f"{source.name}: sheet '{name}' has more than {MAX_SHEET_ROWS:,} rows or "
                f"{MAX_CELLS:,} cells. Delete stray cells far below or beside the table, or save "
                "it as .csv."
            )
        if not raw:
            yield line, [], _NOWHERE
            continue
        row: list[Cell] = []
        without: set[int] = set()
        for column, cell in enumerate(raw):
            value = cell.value
            if cell.data_type == "e" and line not in skip:
                raise TableError(
                    f"{source.name}, '{name}'!{column_letters(column)}{line}: the cell shows the "
                    f"error {value}. Mend the formula, or write what is meant, for example n.d. "
                    f"If the row is no profile, leave it out: skip_lines=[{line}].",
                    path=source.path,
                    line=line,
                )
            if value is None and cell.data_type == "n":
                without.add(column)
            row.append(_cell(value))
        while row and row[-1] == "":
            row.pop()
        yield line, row, without


def _cell(value: object) -> Cell:
    if value is None:
        return ""
    if isinstance(value, str):
        return _ESCAPED.sub(lambda m: chr(int(m.group(1), 16)), value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, dt.datetime):
        return DateText((value.date() if value.time() == dt.time() else value).isoformat())
    if isinstance(value, (dt.date, dt.time)):
        return DateText(value.isoformat())
    return str(value)


def _refuse_unknown_results(
    source: Source, name: str, found: list[tuple[int, list[Cell], Set[int]]]
) -> None:
    """Refuse a formula without a stored result: it would look like an empty cell."""
    suspects = {(line, column) for line, _, without in found for column in without}
    if not suspects:
        return

    def formulas(book: Any) -> list[tuple[int, int]]:
        sheet = book[name]
        sheet.reset_dimensions()
        return [
            (line, column)
            for line, raw in enumerate(sheet.iter_rows(), start=1)
            for column, cell in enumerate(raw)
            if cell.data_type == "f" and (line, column) in suspects
        ]

    unknown = _with_book(source, formulas, data_only=False)
    if unknown:
        line, column = unknown[0]
        rows = sorted({row for row, _ in unknown})
        raise TableError(
            f"{source.name}, '{name}'!{column_letters(column)}{line}: the formula has no stored "
            f"result ({len(unknown)} such cell(s) in the sheet). Open the workbook in a "
            "spreadsheet program, let it calculate, and save it; or paste the values."
            + (f" Or leave out these rows: skip_lines={rows}." if len(rows) <= _FEW else ""),
            path=source.path,
            line=line,
        )
