"""Cells of targets: from what a laboratory writes to a value, a status and a limit."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose, listed
from drugsig.errors import InputError
from drugsig.profiles.labels import NOT_AVAILABLE
from drugsig.profiles.status import UNUSABLE, Status
from drugsig.profiles.tables.grid import Cell, text_of
from drugsig.profiles.tables.numerals import Convention, number_of, plain_numbers

__all__ = [
    "TOKENS",
    "CellFault",
    "CellRules",
    "TargetColumn",
    "is_date",
    "read_column",
    "without_percent",
]

# What laboratories write instead of a number, without case and with single spaces.
TOKENS: Mapping[str, Status] = {
    **dict.fromkeys(
        (
            *("nd", "n.d.", "n.d", "n. d.", "not detected", "none detected", "undetected"),
            *("-", "--", "\u2013", "\u2014", "<lod", "< lod", "<mdl", "bdl", "below lod"),
            *("below_lod", "n.n.", "n. n.", "nn", "n.n", "nicht nachweisbar", "nicht nachgewiesen"),
            *("non d\u00e9tect\u00e9", "non detect\u00e9", "non detecte", "no detectado"),
            *("<ng", "< ng", "<nwg", "< nwg", "<ld", "< ld", "u.d.n.", "u. d. n."),
        ),
        Status.BELOW_LOD,
    ),
    **dict.fromkeys(
        (
            *("<loq", "< loq", "nq", "n.q.", "n.q", "not quantified", "not quantifiable"),
            *("tr", "tr.", "trace", "traces", "trace(s)", "bql", "below loq", "below_loq"),
            *("spuren", "spur", "trazas", "<bg", "< bg", "<lq", "< lq", "u.d.b.", "u. d. b."),
        ),
        Status.BELOW_LOQ,
    ),
    **dict.fromkeys(NOT_AVAILABLE, Status.NOT_MEASURED),
    **dict.fromkeys(
        ("sat", "sat.", "saturated", "overload", "overloaded", "rejected", "interference"),
        Status.REJECTED,
    ),
}

EMPTY_CHOICES = ("not_measured", "below_lod")
LESS_THAN_CHOICES = ("below_lod", "below_loq")
NEGATIVE_CHOICES = ("refuse", "keep")
_TOKEN_STATUSES = tuple(s.label for s in Status if s is not Status.DETECTED)

_LESS_THAN = re.compile(r"[<\u2264]\s*=?\s*(.*)")
_PERCENT = re.compile(r"(.*[^\s%])\s*%")
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:T[\d:.]+)?|\d{1,2}([./])\d{1,2}\1(?:\d\d|\d{4})|\d\d:\d\d:\d\d", re.ASCII
)
_NOT_FINITE = re.compile(r"[+\-]?(?:inf|infinity|nan|\u221e)", re.IGNORECASE)
_SPACES = re.compile(r"\s+")


class CellFault(Exception):  # noqa: N818  never leaves this package: readers turn it into TableError
    """A cell that stands for no value; the reader adds where it stands.

    Parameters
    ----------
    row : int
        The place of the cell in its column, counted from 0.
    message : str
        What is wrong and what to do next.
    """

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row
        self.message = message


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text.strip()).casefold()


@dataclass(frozen=True)
class CellRules:
    """How cells that are no positive number are read.

    Parameters
    ----------
    empty : {"not_measured", "below_lod"}
        What an empty cell stands for.
    less_than : {"below_lod", "below_loq"}
        What ``<0.05`` stands for.
    negative : {"refuse", "keep"}
        What to do with a negative number.
    tokens : mapping of str to Status
        Further texts, or other meanings of those in `TOKENS`; see `make`.
    """

    empty: Status
    less_than: Status
    negative: str
    tokens: Mapping[str, Status]

    @classmethod
    def make(
        cls,
        *,
        empty: str = "not_measured",
        less_than: str = "below_lod",
        negative: str = "refuse",
        tokens: Mapping[str, str] | None = None,
    ) -> CellRules:
        """Make rules from what a user says.

        Raises
        ------
        UnknownNameError
            If a choice or a status label is not known.
        InputError
            If `tokens` is no mapping of text to status labels.
        """
        if tokens is not None and not (
            isinstance(tokens, Mapping) and all(isinstance(k, str) and k.strip() for k in tokens)
        ):
            raise InputError(
                f"tokens must map texts to a status, as in {{'*': 'rejected'}}; got {tokens!r}"
            )
        return cls(
            empty=Status.from_label(choose(empty, EMPTY_CHOICES, what="meaning of empty cells")),
            less_than=Status.from_label(
                choose(less_than, LESS_THAN_CHOICES, what="meaning of '<' cells")
            ),
            negative=choose(negative, NEGATIVE_CHOICES, what="rule for negative numbers"),
            tokens={
                _plain(text): Status.from_label(
                    choose(label, _TOKEN_STATUSES, what=f"status for the text {text!r}")
                )
                for text, label in (tokens or {}).items()
            },
        )

    def token(self, text: str) -> Status | None:
        """Return the status a text stands for, or None if it is no such text."""
        plain = _plain(text)
        own = self.tokens.get(plain)
        return TOKENS.get(plain) if own is None else own


@dataclass(frozen=True, eq=False)
class TargetColumn:
    """The cells of one target.

    Parameters
    ----------
    values, limits : ndarray of float64, shape (n_profiles,)
        NaN where there is none.
    status : ndarray of uint8, shape (n_profiles,)
        `Status` of every cell.
    counts : Counter
        How many cells were read in which way.
    """

    values: NDArray[np.float64]
    limits: NDArray[np.float64]
    status: NDArray[np.uint8]
    counts: Counter[str]


def without_percent(cells: Sequence[Cell], rules: CellRules) -> tuple[Cell, ...] | None:
    """Return the cells without their percent signs, or None if not every number carries one."""
    bare: list[Cell] = []
    signs = 0
    for cell in cells:
        found = _PERCENT.fullmatch(cell) if isinstance(cell, str) else None
        if found:
            bare.append(found.group(1))
            signs += 1
        elif cell == "" or (isinstance(cell, str) and rules.token(cell) is not None):
            bare.append(cell)
        else:
            return None
    return tuple(bare) if signs else None


def is_date(cell: Cell) -> bool:
    """Say whether a cell holds a date or a time of day."""
    return isinstance(cell, str) and _DATE.fullmatch(cell) is not None


def read_column(cells: Sequence[Cell], convention: Convention, rules: CellRules) -> TargetColumn:
    """Read the cells of one target.

    Raises
    ------
    CellFault
        At the first cell that stands for no value.
    """
    # Most columns are numbers and empty cells only; they are read at once.
    filled = [c for c in cells if c != ""]
    quick = None if rules.tokens else plain_numbers(filled, convention)
    if quick is not None:
        numbers = np.array(quick, dtype=np.float64)
        if np.isfinite(numbers).all() and (rules.negative == "keep" or not (numbers < 0).any()):
            return _plain_column(numbers, np.array([c != "" for c in cells], dtype=bool), rules)
    values = np.full(len(cells), np.nan)
    limits = np.full(len(cells), np.nan)
    status = np.empty(len(cells), dtype=np.uint8)
    counts: Counter[str] = Counter()
    for row, cell in enumerate(cells):
        values[row], status[row], limits[row], kind = _read_cell(row, cell, convention, rules)
        counts[kind] += 1
    return TargetColumn(values, limits, status, counts)


def _plain_column(
    numbers: NDArray[np.float64], filled: NDArray[np.bool_], rules: CellRules
) -> TargetColumn:
    zero = numbers == 0
    empty_value, _, _, empty_kind = _without_value(rules.empty, f"empty as {rules.empty.label}")
    values = np.full(len(filled), empty_value)
    values[filled] = np.where(zero, 0.0, numbers)
    status = np.full(len(filled), rules.empty, dtype=np.uint8)
    status[filled] = np.where(zero, Status.BELOW_LOD, Status.DETECTED)
    counts = Counter(
        {
            "number": int((~zero).sum()),
            "0 as below_lod": int(zero.sum()),
            empty_kind: int((~filled).sum()),
        }
    )
    return TargetColumn(values, np.full(len(filled), np.nan), status, +counts)


def _read_cell(
    row: int, cell: Cell, convention: Convention, rules: CellRules
) -> tuple[float, Status, float, str]:
    """Return value, status, limit and the sentence under which the cell is counted."""
    text = text_of(cell)
    if text == "":
        return _without_value(rules.empty, f"empty as {rules.empty.label}")
    own = rules.tokens.get(_plain(text))
    if own is not None:
        return _without_value(own, f"{_plain(text)!r} as {own.label}")
    number = number_of(text, convention) if isinstance(cell, str) else float(cell)
    if number is not None:
        return _number(row, text, number, rules)
    token = rules.token(text)
    if token is not None:
        return _without_value(token, f"{_plain(text)!r} as {token.label}")
    less = _LESS_THAN.fullmatch(text)
    if less:
        limit = number_of(less.group(1), convention)
        if limit is not None and math.isfinite(limit) and limit > 0:
            return 0.0, rules.less_than, limit, f"'<' and a number as {rules.less_than.label}"
    raise CellFault(row, _why_not(text, convention))


def _without_value(status: Status, kind: str) -> tuple[float, Status, float, str]:
    return (math.nan if status in UNUSABLE else 0.0), status, math.nan, kind


def _number(
    row: int, text: str, number: float, rules: CellRules
) -> tuple[float, Status, float, str]:
    if not math.isfinite(number):
        raise CellFault(row, f"the number {text!r} is not finite. Write what was measured.")
    if number < 0 and rules.negative == "refuse":
        raise CellFault(
            row,
            f"the negative number {text!r} is no peak area. Correct it, name the column as "
            "metadata=[...], or say negative='keep' if such values are meant.",
        )
    if number == 0:
        return 0.0, Status.BELOW_LOD, math.nan, "0 as below_lod"
    return number, Status.DETECTED, math.nan, "number"


def _why_not(text: str, convention: Convention) -> str:
    shown = repr(text if len(text) <= 60 else text[:57] + "...")
    if _NOT_FINITE.fullmatch(text):
        return (
            f"{shown} is no value. If it means that the cell was not measured, say so: "
            f"tokens={{{text!r}: 'not_measured'}}."
        )
    if text.endswith("%"):
        return (
            f"{shown} has a percent sign, but not every number of the column has one. Write the "
            "column in one way; the unit is given by unit=."
        )
    if is_date(text):
        return (
            f"the cell holds a date ({text}); a spreadsheet turns 3.5 into 3 May: correct it in "
            "the spreadsheet. If the column is no target, name it: metadata=[...]."
        )
    if text.startswith(">"):
        return (
            f"{shown} is above the range. If that means saturated, say so: "
            f"tokens={{{text!r}: 'rejected'}}."
        )
    other = Convention("," if convention.decimal == "." else ".")
    if number_of(text, other) is not None:
        return (
            f"{shown} is no number where the decimal sign is {convention.decimal!r}. Write all "
            "numbers of the file in one way, or name the sign they have: decimal=."
        )
    labels = listed(_TOKEN_STATUSES)
    return (
        f"the text {shown} stands where a number is expected. Name the column as metadata=[...] "
        f"if it is no target, or say what the text means: tokens={{{text[:40]!r}: ...}} "
        f"with one of {labels}."
    )
