"""The convention of a file: which decimal sign it uses, and which cell proves it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drugsig._check import choose
from drugsig.errors import InputError
from drugsig.profiles.tables.grid import Grid, text_of
from drugsig.profiles.tables.header import Header
from drugsig.profiles.tables.notes import Guess
from drugsig.profiles.tables.numerals import DECIMALS, EXPONENT, SIGN, SPACED, Convention

__all__ = ["column_convention", "find_convention"]


def _groups(decimal: str, other: str) -> str:
    """Match a number in which the other sign can only separate thousands."""
    d, o = re.escape(decimal), re.escape(other)
    return rf"[1-9]\d{{0,2}}(?:{o}\d{{3}})+{d}\d*|[1-9]\d{{0,2}}(?:{o}\d{{3}}){{2,}}"


def _cell(pattern: str) -> re.Pattern[str]:
    """Match a cell of a column that is joined by line feeds."""
    return re.compile(rf"^[<\u2264]?[ \u00a0]?{SIGN}(?:{pattern})$", re.ASCII | re.MULTILINE)


def _proof(decimal: str, other: str) -> re.Pattern[str]:
    """Match a cell that only this decimal sign explains."""
    d = re.escape(decimal)
    either_way = rf"[1-9]\d{{0,2}}{d}\d{{3}}$"
    spaced = rf"[1-9]\d{{0,2}}(?:[{SPACED}]\d{{3}})+{d}\d*"
    single = rf"(?!{either_way})(?:\d+{d}\d*|{d}\d+)"
    return _cell(rf"{_groups(decimal, other)}|{spaced}|{single}{EXPONENT}")


_PROOFS = {".": _proof(".", ","), ",": _proof(",", ".")}
_GROUPED = {".": _cell(_groups(".", ",")), ",": _cell(_groups(",", "."))}
_EITHER_WAY = _cell(r"[1-9]\d{0,2}[.,]\d{3}")
_DOUBTFUL = {sign: _cell(rf"[1-9]\d{{0,2}}{re.escape(sign)}\d{{3}}") for sign in DECIMALS}
_OTHER = {".": ",", ",": "."}


@dataclass(frozen=True)
class _Place:
    row: int
    column: int
    heading: str
    text: str


def find_convention(
    grid: Grid,
    columns: Sequence[tuple[int, str]],
    header: Header,
    /,
    *,
    also: Sequence[tuple[int, str]] = (),
    decimal: str | None = None,
    thousands: str | None = None,
) -> tuple[Convention, tuple[Guess, ...]]:
    """Find how the numbers of a table are written, and never guess between factors of 1000.

    Parameters
    ----------
    grid : Grid
        The table.
    columns : sequence of (int, str)
        Place and heading of the columns of numbers.
    header : Header
        The header, with the cells below it.
    also : sequence of (int, str)
        Columns that are asked where those leave it open.
    decimal, thousands : str, optional
        What the user says; it is not questioned.

    Returns
    -------
    convention : Convention
        Where `thousands` is not said, no decimal sign separates thousands in it: that is for
        each column to prove, see `column_convention`.
    guesses : tuple of Guess
        What proved it.

    Raises
    ------
    TableError
        If two cells prove different conventions, or numbers such as ``1,234`` leave it open.
    """
    told = _told(decimal, thousands)
    if told is not None:
        return told, ()
    proved, open_question = _first(columns, header)
    if not proved and open_question is not None:
        proved, _ = _first(also, header)
    if not proved and open_question is not None and thousands is not None:
        # Neither sign may separate thousands, so the one that is there is the decimal sign.
        proved = {"," if "," in open_question.text else ".": open_question}
    dot, comma = proved.get("."), proved.get(",")
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
        sign, small, large = _readings(place.text)
        raise grid.fault(
            f"{place.text!r} is {small} or {large}: its {sign!r} may be the decimal sign or "
            "separate thousands, and no cell of the file proves which. Say "
            f"decimal={sign!r} if it is {small}, or thousands={sign!r} if it is {large}.",
            place.row,
            place.column,
            place.heading,
        )
    proof = dot or comma
    guesses: tuple[Guess, ...] = ()
    if proof is not None and (comma is not None or open_question is not None):
        sign = "." if dot is not None else ","
        place_of_proof = grid.place(proof.row, proof.column, proof.heading)
        said = f"the decimal sign is {sign!r}, proved by {proof.text!r} in {place_of_proof}"
        guesses = (Guess(said),)
    chosen = "," if comma is not None else "."
    return Convention(chosen, _allowed(chosen, thousands)), guesses


def column_convention(
    grid: Grid,
    header: Header,
    column: int,
    convention: Convention,
    /,
    *,
    thousands: str | None,
) -> tuple[Convention, tuple[Guess, ...]]:
    """Return how the numbers of one column are written, where that of the file is known.

    ``8.920`` in a file of decimal commas is 8920 only if a cell of the same column proves that
    the point separates thousands there: people type points into such files.

    Parameters
    ----------
    grid, header, column
        The column.
    convention : Convention
        From `find_convention`.
    thousands : str, optional
        What the user says; it is not questioned.

    Returns
    -------
    convention : Convention
        Of the column.
    guesses : tuple of Guess
        What proved the thousands separator.

    Raises
    ------
    TableError
        At the first number that could be 1000 times as much.
    """
    if thousands is not None:
        return convention, ()
    cells = header.cells(column)
    text = "\n".join([c if isinstance(c, str) else "" for c in cells])
    other = _OTHER[convention.decimal]
    if other not in text:
        return convention, ()
    proof = _GROUPED[convention.decimal].search(text)
    doubtful = _DOUBTFUL[other].search(text)
    if proof is not None:
        row = header.rows[text.count("\n", 0, proof.start())]
        guess = Guess(
            f"{other!r} separates thousands in column '{header.headings[column]}', proved by "
            f"{proof.group()!r} in {grid.place(row, column)}"
        )
        found = Convention(convention.decimal, other + convention.thousands)
        return found, () if doubtful is None else (guess,)
    if doubtful is None:
        return convention, ()
    sign, small, large = _readings(doubtful.group())
    raise grid.fault(
        f"{doubtful.group()!r} is {large} or {small}: the decimal sign of the file is "
        f"{convention.decimal!r}, and no cell of this column proves that {sign!r} separates "
        f"thousands. Say thousands={sign!r} if it is {large}. If it is {small}, write it with "
        f"{convention.decimal!r} as the others are, or say decimal={sign!r} if all numbers of the "
        "file are written so.",
        header.rows[text.count("\n", 0, doubtful.start())],
        column,
        header.headings[column],
    )


def _readings(text: str) -> tuple[str, str, str]:
    """Return the sign of a doubtful number, and what it is with each of its meanings."""
    digits = text.lstrip("<\u2264 \u00a0")
    sign = "," if "," in digits else "."
    return sign, digits.replace(sign, "."), digits.replace(sign, "")


def _told(decimal: str | None, thousands: str | None) -> Convention | None:
    """Return the convention if the user named the decimal sign, or a separator that implies it."""
    if decimal is not None:
        choose(decimal, DECIMALS, what="decimal sign")
    if thousands is not None and (
        not isinstance(thousands, str) or not set(thousands) <= set(".," + SPACED)
    ):
        raise InputError(
            f"a thousands separator is '.', ',', a space or an apostrophe, got {thousands!r}"
        )
    implied = _OTHER.get(thousands or "")
    if decimal is None and implied is None:
        return None
    chosen = decimal or implied or "."
    if thousands is not None and chosen in thousands:
        raise InputError(f"{chosen!r} cannot be both the decimal sign and the thousands separator")
    return Convention(chosen, _allowed(chosen, thousands))


def _allowed(decimal: str, thousands: str | None) -> str:
    if thousands is None:
        return SPACED
    return SPACED if thousands and set(thousands) <= set(" '") else thousands


def _first(
    columns: Iterable[tuple[int, str]], header: Header
) -> tuple[dict[str, _Place], _Place | None]:
    """Return the topmost cell that proves each decimal sign, and one that proves neither."""
    patterns = {**_PROOFS, "": _EITHER_WAY}
    best: dict[str, _Place] = {}
    for column, heading in columns:
        cells = header.cells(column)
        text = "\n".join([c if isinstance(c, str) else "" for c in cells])
        for sign, pattern in patterns.items():
            found = pattern.search(text)
            if found:
                row = text.count("\n", 0, found.start())
                if sign not in best or header.rows[row] < best[sign].row:
                    best[sign] = _Place(header.rows[row], column, heading, text_of(cells[row]))
    return best, best.pop("", None)
