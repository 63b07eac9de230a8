"""The one table that objects show of themselves in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

__all__ = ["html_table"]


def html_table(
    rows: Iterable[Sequence[object]],
    /,
    *,
    head: Sequence[str] = (),
    caption: str = "",
    digits: str = ".6g",
) -> str:
    """Return rows as an HTML table, and nothing but a table; every text is escaped.

    Parameters
    ----------
    rows : iterable of sequence
        Cells. Of a pair of texts the second is set off from the first; None and NaN are empty. The
        last cell of a row that is shorter than `head` spans the rest.
    head : sequence of str
        The headings. Without them, or with an empty first one, the first cell of a row is its
        heading.
    caption : str
        What the table shows.
    digits : str
        How floats are written.

    Examples
    --------
    >>> html_table([("pairs", 1_000), ("where", "<here>")])
    '<table><tbody><tr><th>pairs</th><td>1000</td></tr><tr><th>where</th><td>&lt;here&gt;</td></tr></tbody></table>'
    """
    named = not head or not head[0]

    def cell(value: object, place: int, n: int) -> str:
        tag = "th" if named and place == 0 else "td"
        span = len(head) - n + 1 if place == n - 1 else 1
        wide = f' colspan="{span}"' if span > 1 else ""
        return f"<{tag}{wide}>{_shown(value, digits)}</{tag}>"

    body = "".join(
        f"<tr>{''.join(cell(value, k, len(row)) for k, value in enumerate(row))}</tr>"
        for row in rows
    )
    above = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    if head:
        names = "".join(f"<th>{html.escape(name)}</th>" for name in head)
        above += f"<thead><tr>{names}</tr></thead>"
    return f"<table>{above}<tbody>{body}</tbody></table>"


def _shown(value: object, digits: str) -> str:
    if isinstance(value, tuple):
        text, note = value
        return f"{html.escape(text)} <i>{html.escape(note)}</i>"
    if value is None or value != value:
        return ""
    return html.escape(format(value, digits) if isinstance(value, float) else str(value))
