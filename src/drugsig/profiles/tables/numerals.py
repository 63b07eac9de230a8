"""Numbers as people write them: decimal signs, thousands separators, and what proves which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drugsig._check import choose
from drugsig.errors import InputError
from drugsig.profiles.tables.grid import Cell, Grid

__all__ = ["Convention", "find_convention", "is_number_like", "number_of", "plain_numbers"]

DECIMALS = (".", ",")

# Space, no-break space, narrow no-break space, thin space, apostrophes.
_SPACED = " \u00a0\u202f\u2009'\u2019"

_SIGN = r"[+\-\u2212]?"
_EXPONENT = r"(?:[eE][+\-\u2212]?\d{1,4})?"
_MINUS = str.maketrans({"\u2212": "-"})
_PLAIN = frozenset("0123456789+-eE")


@dataclass(frozen=True)
class Convention:
    """How the numbers of a file are written.

    Parameters
    ----------
    decimal : str
        The decimal sign, ``"."`` or ``","``.
    thousands : str
        The characters that may stand between groups of three digits.
    """

    decimal: str = "."
    thousands: str = "," + _SPACED


def _number_pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    groups = f"|[1-9]\\d{{0,2}}([{re.escape(thousands)}])\\d{{3}}(?:\\1\\d{{3}})*"
    whole = rf"(?:\d+{groups if thousands else '()'})"
    point = re.escape(decimal)
    return re.compile(rf"{_SIGN}(?:{whole}(?:{point}\d*)?|{point}\d+){_EXPONENT}", re.ASCII)


_EITHER = tuple(
    _number_pattern(decimal, other + _SPACED) for decimal, other in ((".", ","), (",", "."))
)
_PATTERNS: dict[Convention, re.Pattern[str]] = {}


def is_number_like(text: str) -> bool:
    """Say whether a text is a number under some convention.

    >>> [is_number_like(t) for t in ("1.318.076,08", "1 234", "-3e5", "12a", "inf", "1_000")]
    [True, True, True, False, False, False]
    """
    return any(pattern.fullmatch(text) for pattern in _EITHER)


def number_of(text: str, convention: Convention) -> float | None:
    """Return the number a text stands for, or None if it is none under this convention.

    >>> number_of("1.318.076,08", Convention(",", ".")), number_of("0x1", Convention())
    (1318076.08, None)
    """
    pattern = _PATTERNS.get(convention)
    if pattern is None:
        pattern = _number_pattern(convention.decimal, convention.thousands)
        _PATTERNS[convention] = pattern
    if not pattern.fullmatch(text):
        return None
    plain = text.translate(_MINUS)
    for sign in convention.thousands:
        plain = plain.replace(sign, "")
    return float(plain.replace(convention.decimal, "."))


def plain_numbers(cells: Sequence[Cell], convention: Convention) -> list[float] | None:
    """Return a column of plain numbers quickly, or None if any cell needs a closer look.

    An empty cell is such a cell; so is a number with thousands separators.
    """
    signs = set().union(*(c for c in cells if isinstance(c, str)))
    if not signs <= (_PLAIN | {convention.decimal}):
        return None
    try:
        if convention.decimal == ".":
            return [float(c) for c in cells]
        return [float(c.replace(",", ".")) if isinstance(c, str) else float(c) for c in cells]
    except (ValueError, OverflowError):
        return None


def _proof(decimal: str, other: str) -> re.Pattern[str]:
    """Match, in a column joined by line feeds, a cell that only this decimal sign explains."""
    d, o = re.escape(decimal), re.escape(other)
    either_way = rf"[1-9]\d{{0,2}}{d}\d{{3}}$"
    grouped = rf"[1-9]\d{{0,2}}(?:{o}\d{{3}})+{d}\d*"
    twice = rf"[1-9]\d{{0,2}}(?:{o}\d{{3}}){{2,}}"
    spaced = rf"[1-9]\d{{0,2}}(?:[{_SPACED}]\d{{3}})+{d}\d*"
    single = rf"(?!{either_way})(?:\d+{d}\d*|{d}\d+)"
    return re.compile(
        rf"^[<\u2264]?[ \u00a0]?{_SIGN}(?:{grouped}|{twice}|{spaced}|{single}){_EXPONENT}$",
        re.ASCII | re.MULTILINE,
    )


_PROOFS = {".": _proof(".", ","), ",": _proof(",", ".")}
_EITHER_WAY = re.compile(
    rf"^[<\u2264]?[ \u00a0]?{_SIGN}[1-9]\d{{0,2}}[.,]\d{{3}}$", re.ASCII | re.MULTILINE
)


@dataclass(frozen=True)
class _Place:
    row: int
    column: int
    heading: str
    text: str


def find_convention(
    grid: Grid,
    columns: Sequence[tuple[int, str]],
    rows: range,
    /,
    *,
    also: Sequence[tuple[int, str]] = (),
    decimal: str | None = None,
    thousands: str | None = None,
    guesses: list[str],
) -> Convention:
    """Find how the numbers of a table are written, and never guess between factors of 1000.

    Parameters
    ----------
    grid : Grid
        The table.
    columns : sequence of (int, str)
        Place and heading of the columns of numbers.
    rows : range
        The rows of the grid below the header.
    also : sequence of (int, str)
        Columns that are asked where those leave it open.
    decimal, thousands : str, optional
        What the user says; it is not questioned.
    guesses : list of str
        Takes the sentence that says what proved the convention.

    Raises
    ------
    TableError
        If two cells prove different conventions, or numbers such as ``1,234`` leave it open.
    """
    told = _told(decimal, thousands)
    if told is not None:
        return told
    proved = {sign: _first(grid, columns, rows, _PROOFS[sign]) for sign in DECIMALS}
    open_question = _first(grid, columns, rows, _EITHER_WAY)
    if not any(proved.values()) and open_question is not None:
        proved = {sign: _first(grid, also, rows, _PROOFS[sign]) for sign in DECIMALS}
    dot, comma = proved["."], proved[","]
    if dot is not None and comma is not None:
        raise grid.fault(
            f"{comma.text!r} has a decimal comma, but {dot.text!r} in "
            f"{grid.place(dot.row, dot.column, dot.heading)} has a decimal point. Write all "
            "numbers of the file in one way.",
            comma.row,
            comma.column,
            comma.heading,
        )
    if dot is None and comma is None and open_question is not None:
        place = open_question
        raise grid.fault(
            f"{place.text!r} may have a decimal sign or a thousands separator, and no cell of the "
            "file proves which. Say decimal='.' or decimal=','.",
            place.row,
            place.column,
            place.heading,
        )
    proof = dot or comma
    if proof is not None and (comma is not None or open_question is not None):
        sign = "." if dot is not None else ","
        guesses.append(
            f"the decimal sign is {sign!r}, proved by {proof.text!r} in "
            f"{grid.place(proof.row, proof.column, proof.heading)}"
        )
    chosen = "," if comma is not None else "."
    return Convention(chosen, _allowed(chosen, thousands))


def _told(decimal: str | None, thousands: str | None) -> Convention | None:
    """Return the convention if the user named the decimal sign, or a separator that implies it."""
    if decimal is not None:
        choose(decimal, DECIMALS, what="decimal sign")
    if thousands is not None and (
        not isinstance(thousands, str) or not set(thousands) <= set(".," + _SPACED)
    ):
        raise InputError(
            f"a thousands separator is '.', ',', a space or an apostrophe, got {thousands!r}"
        )
    implied = {".": ",", ",": "."}.get(thousands or "")
    if decimal is None and implied is None:
        return None
    chosen = decimal or implied or "."
    if thousands is not None and chosen in thousands:
        raise InputError(f"{chosen!r} cannot be both the decimal sign and the thousands separator")
    return Convention(chosen, _allowed(chosen, thousands))


def _allowed(decimal: str, thousands: str | None) -> str:
    if thousands is None:
        return ("," if decimal == "." else ".") + _SPACED
    return _SPACED if thousands and set(thousands) <= set(" '") else thousands


def _first(
    grid: Grid, columns: Iterable[tuple[int, str]], rows: range, pattern: re.Pattern[str]
) -> _Place | None:
    """Return the topmost cell of these columns that matches."""
    best: _Place | None = None
    for column, heading in columns:
        cells = [_text_at(grid.rows[r], column) for r in rows]
        text = "\n".join(cells)
        found = pattern.search(text)
        if found:
            row = rows[text.count("\n", 0, found.start())]
            if best is None or row < best.row:
                best = _Place(row, column, heading, cells[row - rows.start])
    return best


def _text_at(row: list[Cell], column: int) -> str:
    cell = row[column] if column < len(row) else ""
    return cell if isinstance(cell, str) else ""
