"""A grid: the cells of one table as they stand in its file, with their places."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from drugsig._check import listed
from drugsig.errors import InputError, TableError
from drugsig.profiles.tables.notes import Guess
from drugsig.profiles.tables.source import Source

__all__ = ["Cell", "DateText", "Grid", "clean_rows", "column_letters", "text_of"]

# Text as it stands in a text file or a text cell; a number where a workbook stores a number.
Cell = str | int | float


class DateText(str):
    """The ISO text of a cell that a workbook stores as a date or a time."""

    __slots__ = ()


_BREAKS = re.compile(r"[ \t]*[\r\n\t\v\f\x85\u2028\u2029]+[ \t]*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# Whole numbers up to here are exact in a float, and a spreadsheet shows them without exponent.
_EXACT = 1e15


def column_letters(column: int) -> str:
    """Return the name a spreadsheet gives a column, counted from 0.

    >>> column_letters(0), column_letters(25), column_letters(26), column_letters(16383)
    ('A', 'Z', 'AA', 'XFD')
    """
    letters = ""
    rest = column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def text_of(cell: Cell) -> str:
    """Return a cell as text; a whole number loses the point a workbook may store with it.

    >>> text_of(1.0), text_of(79.1), text_of("001")
    ('1', '79.1', '001')
    """
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    return repr(cell)


@dataclass(frozen=True, eq=False)
class Grid:
    """The filled rows of one table.

    Parameters
    ----------
    source : Source
        The file.
    rows : list of list of Cell
        Rows with at least one filled cell, without the empty cells at their ends in a workbook.
        An empty cell is ``""``.
    lines : list of int
        The line of the file, or the row of the sheet, where each row begins, counted from 1.
    sheet : str, optional
        The sheet of a workbook.
    encoding, delimiter : str, optional
        How a text file was read.
    guesses : tuple of Guess
        What was decided without being told.
    """

    source: Source
    rows: list[list[Cell]]
    lines: list[int]
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    guesses: tuple[Guess, ...] = ()

    @property
    def width(self) -> int:
        """The number of cells of the longest row."""
        return max((len(row) for row in self.rows), default=0)

    @property
    def name(self) -> str:
        """The file, and the sheet where there is one, as messages name it."""
        return self.source.name if self.sheet is None else f"{self.source.name}, '{self.sheet}'"

    def place(self, row: int, column: int | None = None, heading: str | None = None) -> str:
        """Return where a row or a cell stands, as messages name it."""
        line = self.lines[row]
        if self.sheet is not None and column is not None:
            where = f"'{self.sheet}'!{column_letters(column)}{line}"
        else:
            where = f"row {line} of '{self.sheet}'" if self.sheet is not None else f"line {line}"
        return where if heading is None else f"{where}, column '{heading}'"

    def fault(
        self, message: str, row: int, column: int | None = None, heading: str | None = None
    ) -> TableError:
        """Return the error that says what is wrong with a row or a cell."""
        return TableError(
            f"{self.source.name}, {self.place(row, column, heading)}: {message}",
            path=self.source.path,
            line=self.lines[row],
            column=heading,
        )


def clean_rows(
    numbered: Iterable[tuple[int, list[Cell]]],
    source: Source,
    sheet: str | None,
    *,
    skip: Collection[int] = (),
) -> tuple[list[list[Cell]], list[int], tuple[Guess, ...]]:
    """Strip the cells of outer white space, make each one line, and leave out empty rows.

    Rows that begin in a line of `skip` are left out as well, whatever they hold. Returned are the
    rows, the lines where they begin, and what was decided.

    Raises
    ------
    InputError
        If no filled row begins in a line of `skip`.
    TableError
        If a cell holds a control character other than a line break or a tab.
    """
    rows: list[list[Cell]] = []
    lines: list[int] = []
    blank: list[int] = []
    broken: list[int] = []
    skipped: dict[int, str] = {}
    last_filled = 0
    for line, raw in numbered:
        if line in skip:
            first = next((text_of(c).strip() for c in raw if text_of(c).strip()), "")
            skipped[line] = f"line {line} ('{first[:40]}')"
            continue
        # A date stays what it is; all other text is stripped.
        row: list[Cell] = [c.strip() if type(c) is str else c for c in raw]
        whole = "".join(map(str, row))
        if not whole:
            blank.append(line)
            continue
        if not whole.isprintable():
            joined = [_BREAKS.sub(" ", c) if isinstance(c, str) else c for c in row]
            if joined != row:
                broken.append(line)
            row = joined
            for column, cell in enumerate(row):
                found = _CONTROLS.search(cell) if isinstance(cell, str) else None
                if found:
                    grid = Grid(source, [row], [line], sheet=sheet)
                    raise grid.fault(
                        f"the cell {cell!r} holds the control character "
                        f"U+{ord(found.group()):04X}. Remove it, or name the encoding of the file: "
                        "encoding=.",
                        0,
                        column,
                    )
        rows.append(row)
        lines.append(line)
        last_filled = line
    absent = sorted(set(skip) - set(skipped))
    if absent:
        raise InputError(
            f"skip_lines names line(s) {listed(absent)}, but nothing begins there in "
            f"{source.name}; its last filled line is {max([last_filled, *skipped])}."
        )
    guesses: list[Guess] = []
    if skipped:
        guesses.append(Guess(f"left out as asked by skip_lines: {', '.join(skipped.values())}"))
    inner = [line for line in blank if line < last_filled]
    if inner:
        guesses.append(Guess(f"{len(inner)} empty line(s) skipped, the first is line {inner[0]}"))
    if broken:
        guesses.append(
            Guess(
                f"line breaks or tabs inside cells read as a space in {len(broken)} line(s), "
                f"the first is line {broken[0]}"
            )
        )
    return rows, lines, tuple(guesses)
