"""The escape against formula injection, used by everything drugsig writes as a table."""

from __future__ import annotations

import re

__all__ = ["escape_text", "unescape_text"]

# A spreadsheet program takes text that begins so for a formula, also when it is in quotes;
# full-width forms are folded by some. The apostrophe is escaped so that it can be undone.
_DANGEROUS = frozenset("=+-@\t\r'\uff1d\uff0b\uff0d\uff20")
# A program that splits at another separator than the file's own begins a cell behind it, also
# within quotation marks, which do not stand at the beginning of what it takes for a cell.
_INSIDE = re.compile("([;,|\t\r\n][\"\\s]{0,9})(?=[=+\\-@'\uff1d\uff0b\uff0d\uff20])")
_INSIDE_ESCAPED = re.compile("([;,|\t\r\n][\"\\s]{0,9})'")
# Nothing can be calculated in a negative number.
_NEGATIVE = re.compile(r"-\d+(?:[.,]\d+)?(?:[eE][+\-]?\d+)?", re.ASCII)


def escape_text(text: str) -> str:
    """Put one apostrophe in front of what a spreadsheet might calculate.

    That is the text, and any part of it that stands behind what another program takes for the end
    of a cell.

    >>> escape_text("=1+1"), escape_text("-1+1"), escape_text("'x"), escape_text("-0.5")
    ("'=1+1", "'-1+1", "''x", '-0.5')
    >>> escape_text("x;=1+1"), escape_text("N,N-dimethyl")
    ("x;'=1+1", 'N,N-dimethyl')
    """
    text = _INSIDE.sub(r"\1'", text)
    if text[:1] not in _DANGEROUS or not text or _NEGATIVE.fullmatch(text):
        return text
    return "'" + text


def unescape_text(text: str) -> str:
    """Remove the apostrophes that `escape_text` put there.

    >>> unescape_text("'=1+1"), unescape_text("''x"), unescape_text("a=b"), unescape_text("x;'=1")
    ('=1+1', "'x", 'a=b', 'x;=1')
    """
    text = text[1:] if text[:1] == "'" else text
    return _INSIDE_ESCAPED.sub(r"\1", text) if "'" in text else text
