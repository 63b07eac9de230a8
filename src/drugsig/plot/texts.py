"""Numbers and names as figures and reports write them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["area", "one_in", "percent", "plain", "shorten", "text_width"]

_LEAST_RATE = 0.0005
_LEAST_AREA = 0.00005

# The width of an average letter, in units of its height.
_LETTER = 0.6


def percent(share: float, /) -> str:
    """Return a share as a percentage; 0 % and 100 % only where they are exact.

    >>> [percent(x) for x in (0.025, 0.0, 1e-7, 0.99999, 1.0, 0.6154)]
    ['2.5 %', '0 %', '<0.1 %', '>99.9 %', '100 %', '61.5 %']
    """
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    if share < _LEAST_RATE:
        return "<0.1 %"
    return ">99.9 %" if share > 1.0 - _LEAST_RATE else f"{100 * share:.1f} %"


def area(value: float, /) -> str:
    """Return an area under a curve; 1 only where it is exact.

    >>> area(0.9731269), area(0.999999), area(1.0)
    ('0.9731', '>0.9999', '1')
    """
    if value == 1.0:
        return "1"
    return ">0.9999" if value > 1.0 - _LEAST_AREA else f"{value:.4f}"


def one_in(prevalence: float, /) -> str:
    """Return a prevalence as one in so many.

    >>> one_in(1e-4)
    '1 in 10,000'
    """
    return f"1 in {round(1 / prevalence):,}" if prevalence > 0 else "none"


def plain(text: object, /) -> str:
    """Return text that matplotlib prints as it is: a dollar sign starts no formula."""
    return str(text).replace("$", r"\$")


def shorten(text: str, /, *, most: int) -> str:
    """Cut the middle out of a text that is longer than `most`.

    >>> shorten("N-acetylephedrine", most=9)
    'N-ac…rine'
    """
    if len(text) <= most:
        return text
    head = most // 2
    tail = most - 1 - head
    return f"{text[:head]}…{text[len(text) - tail :]}"


def text_width(texts: Sequence[str], /, *, size: float) -> float:
    """Return about how many inches the longest of these texts takes at a size in points."""
    return max((len(t) for t in texts), default=0) * _LETTER * size / 72.0
