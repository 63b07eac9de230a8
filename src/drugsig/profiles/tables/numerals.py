"""Numbers as people write them: decimal signs, thousands separators, exponents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from drugsig.profiles.tables.grid import Cell

__all__ = [
    "DECIMALS",
    "EXPONENT",
    "SIGN",
    "SPACED",
    "Convention",
    "is_number_like",
    "number_of",
    "plain_numbers",
]

DECIMALS = (".", ",")

# Space, no-break space, narrow no-break space, thin space, apostrophes.
SPACED = " \u00a0\u202f\u2009'\u2019"

SIGN = r"[+\-\u2212]?"
EXPONENT = r"(?:[eE][+\-\u2212]?\d{1,4})?"
_MINUS = str.maketrans({"\u2212": "-"})
# float() reads more than numbers ("nan", "1_0"); of these characters it reads numbers only.
_PLAIN = {sign: re.compile(rf"[0-9+\-eE\n{re.escape(sign)}]*") for sign in DECIMALS}


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
    thousands: str = "," + SPACED


def _number_pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    point = re.escape(decimal)
    forms = [rf"(?:\d+(?:{point}\d*)?|{point}\d+){EXPONENT}"]
    if thousands:
        # Nobody writes separators and an exponent together.
        separator = f"[{re.escape(thousands)}]"
        forms.append(rf"[1-9]\d{{0,2}}({separator})\d{{3}}(?:\1\d{{3}})*(?:{point}\d*)?")
    return re.compile(rf"{SIGN}(?:{'|'.join(forms)})", re.ASCII)


_EITHER = tuple(
    _number_pattern(decimal, other + SPACED) for decimal, other in ((".", ","), (",", "."))
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
    # A number that a workbook stores as a number is written with a point.
    texts = [c if isinstance(c, str) else repr(c).replace(".", convention.decimal) for c in cells]
    if not texts or not _PLAIN[convention.decimal].fullmatch(joined := "\n".join(texts)):
        return None if texts else []
    if convention.decimal != ".":
        texts = joined.replace(convention.decimal, ".").split("\n")
    try:
        return list(map(float, texts))
    except ValueError:
        return None
