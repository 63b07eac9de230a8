"""The escape against formula injection, used by everything drugsig writes as a table."""

from __future__ import annotations

__all__ = ["escape_text", "unescape_text"]

# A spreadsheet program takes text that begins so for a formula, also when it is in quotes;
# full-width forms are folded by some. The apostrophe is escaped so that it can be undone.
_DANGEROUS = frozenset("=+-@\t\r'\uff1d\uff0b\uff0d\uff20")


def escape_text(text: str) -> str:
    """Put one apostrophe in front of a text that a spreadsheet might calculate.

    >>> escape_text("=1+1"), escape_text("-5"), escape_text("'x"), escape_text("a=b")
    ("'=1+1", "'-5", "''x", 'a=b')
    """
    return "'" + text if text[:1] in _DANGEROUS and text else text


def unescape_text(text: str) -> str:
    """Remove the one apostrophe that `escape_text` put there.

    >>> unescape_text("'=1+1"), unescape_text("''x"), unescape_text("a=b")
    ('=1+1', "'x", 'a=b')
    """
    return text[1:] if text[:1] == "'" else text
