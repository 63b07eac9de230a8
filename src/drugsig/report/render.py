"""`render_report`: an analysis as one self-contained HTML file."""

from __future__ import annotations

import html

from drugsig.report.analysis import Analysis

__all__ = ["render_report"]


def render_report(analysis: Analysis, /) -> str:
    """Return the report of an analysis as one self-contained HTML page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Profile analysis'
        f"</title></head><body><p>{html.escape(repr(analysis))}</p></body></html>\n"
    )
