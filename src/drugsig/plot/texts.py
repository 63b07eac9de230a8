"""Names as figures write them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["plain", "shorten", "text_width"]

# The width of an average letter, in units of its height.
_LETTER = 0.6


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
