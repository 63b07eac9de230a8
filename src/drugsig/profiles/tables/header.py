"""The header of a table: which line holds the headings, and whether the lines below fit it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from drugsig._check import listed
from drugsig.errors import TableError
from drugsig.profiles.tables.grid import Cell, Grid, text_of
from drugsig.profiles.tables.names import is_compound_name, is_id_name, is_unit_row, plain_name
from drugsig.profiles.tables.notes import Guess
from drugsig.profiles.tables.numerals import is_number_like

__all__ = ["Header", "find_header", "refuse_peak_list"]

# Title lines are few; a header further down than this must be named.
_SEARCHED_ROWS = 100
_TITLE_SHOWN = 120

_ELSEWHERE = (
    "If headings are merged or stand in two lines, name the line that has one for every column: "
    "header_line=."
)

_RETENTION = frozenset(("retentiontime", "rt", "rettime", "retention", "rtmin", "retentiontimemin"))
_AREA = frozenset(("peakarea", "area", "areapercent", "peakheight", "height"))


@dataclass(frozen=True, eq=False)
class Header:
    """The headings of a table.

    Parameters
    ----------
    row : int
        The row of the grid.
    headings : tuple of str
        One a column; empty for the first column and for wholly empty ones only.
    columns : tuple of int
        The columns that hold anything.
    rows : sequence of int
        The rows of the grid that hold profiles.
    below : tuple of tuple of Cell
        The cells of every column, below the header.
    """

    row: int
    headings: tuple[str, ...]
    columns: tuple[int, ...]
    rows: Sequence[int]
    below: tuple[tuple[Cell, ...], ...]

    def cells(self, column: int) -> tuple[Cell, ...]:
        """Return the cells of one column, below the header."""
        return self.below[column]

    def keeping(self, places: Sequence[int]) -> Header:
        """Return the same header above some of its lines only."""
        return replace(
            self,
            rows=[self.rows[p] for p in places],
            below=tuple(tuple(cells[p] for p in places) for cells in self.below),
        )

    def replacing(self, columns: dict[int, tuple[Cell, ...]]) -> Header:
        """Return the same header above other cells in some columns."""
        return replace(
            self, below=tuple(columns.get(k, cells) for k, cells in enumerate(self.below))
        )

    def named(self, column: int) -> str:
        """Return a heading as messages name it."""
        return self.headings[column] or f"(column {column + 1}, without heading)"


def refuse_peak_list(grid: Grid) -> None:
    """Refuse the peak list of one run, which has a line a peak.

    Raises
    ------
    TableError
        If a line has the headings of a peak list, once each.
    """
    for row, cells in enumerate(grid.rows[:_SEARCHED_ROWS]):
        texts = [c for c in cells if isinstance(c, str)]
        if any(map(is_compound_name, texts)) and any(map(is_id_name, texts)):
            # Peaks of many specimens: another fault, which is told better later.
            continue
        names = [plain_name(c) for c in texts]
        times = [n for n in names if n in _RETENTION]
        areas = [n for n in names if n in _AREA]
        if len(times) == 1 and len(areas) == 1:
            headings = [text_of(c) for c in cells if c != ""]
            raise grid.fault(
                "this is the peak list of one run, not a table of profiles: its headings are "
                f"{listed(headings, most=8)}. A table of profiles has one line a specimen and one "
                "column a target; extract the runs first, or collect the areas in such a table.",
                row,
            )


def find_header(
    grid: Grid,
    /,
    *,
    wanted: Collection[str] = (),
    header_line: int | None = None,
) -> tuple[Header, tuple[Guess, ...]]:
    """Find the headings of a table and check that the lines below fit them.

    The header is the line named; else the first that has all headings in `wanted`; else the
    first line most of whose cells are text, that fills at least half as many cells as most
    lines do, and that has a number somewhere below it.

    Parameters
    ----------
    grid : Grid
        The table.
    wanted : collection of str
        Headings that the user named.
    header_line : int, optional
        The line of the file, or the row of the sheet, counted from 1.

    Returns
    -------
    header : Header
        The headings.
    guesses : tuple of Guess
        What was decided.

    Raises
    ------
    TableError
        If no line can be the header, headings come twice or are missing, or a line has more
        or fewer cells than the header.
    """
    guesses: list[Guess] = []
    row = _header_row(grid, wanted, header_line)
    if row > 0:
        titles = [" ".join(text_of(c) for c in cells if c != "") for cells in grid.rows[:row]]
        shown = "; ".join(titles)
        shown = shown if len(shown) <= _TITLE_SHOWN else shown[: _TITLE_SHOWN - 3] + "..."
        guesses.append(Guess(f"{row} title line(s) above the header skipped: {shown}"))
    first = row + 1
    while first < len(grid.rows) and is_unit_row([text_of(c) for c in grid.rows[first]]):
        shown = "; ".join(dict.fromkeys(text_of(c) for c in grid.rows[first] if c != ""))
        shown = shown[:_TITLE_SHOWN]
        guesses.append(Guess(f"{grid.place(first)} holds units and was skipped: {shown}"))
        first += 1
    rows = range(first, len(grid.rows))
    _check_lengths(grid, row, rows)
    width = grid.width
    head = [text_of(c) for c in grid.rows[row]] + [""] * (width - len(grid.rows[row]))
    head = head[:width]
    _refuse_twice(grid, row, head)
    below = list(zip_longest(*grid.rows[first:], fillvalue=""))
    below += [("",) * len(rows)] * (width - len(below))
    columns = tuple(k for k in range(width) if head[k] or any(c != "" for c in below[k]))
    for k in columns:
        if not head[k] and k != columns[0]:
            filled = next(r for r, c in zip(rows, below[k], strict=True) if c != "")
            raise grid.fault(
                f"column {k + 1} holds {text_of(grid.rows[filled][k])!r} but has no heading in "
                f"{grid.place(row)}. Give it a heading, or remove it. {_ELSEWHERE}",
                filled,
                k,
            )
    empty = [k + 1 for k in range(max(columns, default=0)) if k not in columns]
    if empty:
        places = ", ".join(map(str, empty[:10]))
        guesses.append(Guess(f"{len(empty)} empty column(s) skipped: {places}"))
    return Header(row, tuple(head), columns, rows, tuple(below)), tuple(guesses)


def _header_row(grid: Grid, wanted: Collection[str], header_line: int | None) -> int:
    if header_line is not None:
        if header_line in grid.lines:
            return grid.lines.index(header_line)
        raise TableError(
            f"{grid.name}: line {header_line} cannot be the header: no filled line begins there. "
            f"The first filled line is {grid.lines[0]}.",
            path=grid.source.path,
            line=header_line,
        )
    searched = grid.rows[:_SEARCHED_ROWS]
    if wanted:
        for row, cells in enumerate(searched):
            if set(wanted) <= {text_of(c) for c in cells}:
                return row
    sizes = Counter(sum(c != "" for c in row) for row in grid.rows)
    usual = max(sizes, key=lambda size: (sizes[size], size))
    candidates = [row for row, cells in enumerate(searched) if _looks_like_header(cells, usual)]
    for row in candidates:
        if any(_is_number(c) for below in grid.rows[row + 1 :] for c in below):
            return row
    if candidates:
        return candidates[0]
    raise TableError(
        f"{grid.name}: no line looks like a header: none of the first {len(searched)} filled "
        "lines consists mostly of text above lines with numbers. If the headings are numbers, "
        f"say which line they are: header_line={grid.lines[0]}.",
        path=grid.source.path,
        line=grid.lines[0],
    )


def _looks_like_header(cells: list[Cell], usual: int) -> bool:
    filled = [c for c in cells if c != ""]
    texts = sum(not _is_number(c) for c in filled)
    # Tables of programs often leave the heading of their first column, the ids, empty.
    width = len(filled) + (len(cells) > 1 and cells[0] == "")
    return width >= max(min(usual, 2), usual / 2) and texts > len(filled) / 2


def _is_number(cell: Cell) -> bool:
    return is_number_like(cell) if isinstance(cell, str) else True


def _check_lengths(grid: Grid, row: int, rows: range) -> None:
    expected = len(grid.rows[row])
    odd = sum(len(grid.rows[r]) != expected for r in rows)
    for r in rows:
        cells = grid.rows[r]
        if len(cells) > expected and any(c != "" for c in cells[expected:]):
            beyond = next(k for k in range(expected, len(cells)) if cells[k] != "")
            advice = ""
            if _looks_like_header(cells, 0):
                advice = f" {_ELSEWHERE.removesuffix('.')}{grid.lines[r]}."
            elif 2 * odd <= len(rows):
                advice = f" If the line is no profile, leave it out: skip_lines=[{grid.lines[r]}]."
            raise grid.fault(
                f"the line has {len(cells)} cells where the header ({grid.place(row)}) has "
                f"{expected}; the first beyond it is {text_of(cells[beyond])!r}. Quote cells that "
                "hold the delimiter, or give every column a heading." + advice,
                r,
                beyond if grid.sheet is not None else None,
            )
        # A workbook stores no empty cells at the end of a row; a text file does.
        if len(cells) < expected and grid.sheet is None:
            raise grid.fault(
                f"the line has {len(cells)} cell(s) where the header ({grid.place(row)}) has "
                f"{expected}. The file may be cut off, or this line is no part of the table: "
                f"remove it, or leave it out: skip_lines=[{grid.lines[r]}].",
                r,
            )


def _refuse_twice(grid: Grid, row: int, head: list[str]) -> None:
    twice = [name for name, count in Counter(h for h in head if h).items() if count > 1]
    if twice:
        places = [str(k + 1) for k, h in enumerate(head) if h == twice[0]]
        raise grid.fault(
            f"the heading(s) {listed(twice)} came more than once ('{twice[0]}' in columns "
            f"{', '.join(places)}). Give every column a heading of its own. {_ELSEWHERE}",
            row,
            heading=twice[0],
        )
