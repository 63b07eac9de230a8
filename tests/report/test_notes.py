"""What is told first and where follows from codes and facts, never from wording."""

from __future__ import annotations

import pytest
from markupsafe import escape

from drugsig._notes import NOTES
from drugsig.analysis import Analysis
from drugsig.analysis.headings import HEADINGS, first_told
from drugsig.report import render_report
from tests.report.cases import analysis_of, raw_profiles
from tests.report.run_cases import with_runs


def made() -> tuple[Analysis, ...]:
    return (
        analysis_of(raw_profiles()),
        analysis_of(raw_profiles(), value=0.6),
        analysis_of(raw_profiles(), rule=None),
        with_runs(verified=False, errors=[("bad.cdf", "the file ends before its header does")]),
    )


def texts_of(analysis: Analysis) -> list[str]:
    """Return every sentence that a report may tell, the longest first."""
    reasons = (reason.text for why in analysis.undecided.values() for reason in why)
    return sorted({*(told.text for told in analysis.notes), *reasons}, key=len, reverse=True)


def test_every_text_replaced_leaves_notes_order_and_sections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = made()
    texts = [texts_of(a) for a in before]
    pages = [render_report(a) for a in before]
    for kind in NOTES.values():
        monkeypatch.setattr(kind, "__str__", lambda _: "x")
    after = made()
    for one, other, said, page in zip(before, after, texts, pages, strict=True):
        assert [t.text for t in other.notes] == ["x"] * len(one.notes)
        assert [(t.note, t.heading, t.grave) for t in other.notes] == [
            (t.note, t.heading, t.grave) for t in one.notes
        ]
        for text in said:
            page = page.replace(str(escape(text)), "x")
        assert render_report(other) == page


def test_every_code_with_a_heading_is_that_of_a_kind() -> None:
    assert set(HEADINGS) <= set(NOTES)


def test_grave_notes_come_first_and_runs_before_what_follows_from_them() -> None:
    told = first_told(with_runs(verified=False).notes)
    assert [t.grave for t in told] == sorted((t.grave for t in told), reverse=True)
    places = [list(HEADINGS).index(t.note.code) for t in told if t.grave]
    assert places == sorted(places)
