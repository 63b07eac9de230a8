"""The escape against formula injection, used by everything drugsig writes as a table."""

from __future__ import annotations

import re

__all__ = ["escape_text", "unescape_text"]

# A spreadsheet program takes text that begins so for a formula, also when it is in quotes;
# full-width forms are folded by some. The apostrophe is escaped so that it can be undone.
_DANGEROUS = frozenset("=+-@\t\r'\uff1d\uff0b\uff0d\uff20")
# Nothing can be calculated in a negative number.
_NEGATIVE = re.compile(r"-\d+(?:[.,]\d+)?(?:[eE][+\-]?\d+)?", re.ASCII)


def escape_text(text: str) -> str:
    """Put one apostrophe in front of a text that a spreadsheet might calculate.

    >>> escape_text("=1+1"), escape_text("-1+1"), escape_text("'x"), escape_text("-0.5")
    ("'=1+1", "'-1+1", "''x", '-0.5')
    """
    if text[:1] not in _DANGEROUS or not text or _NEGATIVE.fullmatch(text):
        return text
    return "'" + text


def unescape_text(text: str) -> str:
    """Remove the one apostrophe that `escape_text` put there.

    >>> unescape_text("'=1+1"), unescape_text("''x"), unescape_text("a=b")
    ('=1+1', "'x", 'a=b')
    """
    return text[1:] if text[:1] == "'" else text
