"""The page itself: self-contained, harmless, accessible, the same on every run."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from drugsig.analysis import Analysis
from drugsig.report import render_report
from drugsig.report.render import SECTIONS
from tests.report.cases import analysis_of, hostile, raw_profiles
from tests.report.pages import Page

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
LOADING = ("src", "href", "xlink:href", "srcset", "action", "data", "poster", "background")


@pytest.fixture(scope="module")
def page(report: str) -> Page:
    return Page(report)


def test_the_same_analysis_gives_the_same_bytes(analysis: Analysis, report: str) -> None:
    assert render_report(analysis) == report


def test_every_element_is_closed_in_its_place(page: Page) -> None:
    assert page.unclosed == []


def test_nothing_is_loaded_from_anywhere(report: str, page: Page) -> None:
    references = [a[k] for _, a in page.tags for k in LOADING if k in a]
    assert references
    assert all(r.startswith(("#", "data:image/png;base64,")) for r in references)
    assert not re.search(r"@import|url\((?!#)", report)


def test_links_and_parts_of_figures_lead_somewhere(report: str, page: Page) -> None:
    ids = page.ids()
    aims = re.findall(r'(?:url\(#|href="#)([^")]+)', report)
    assert set(aims) <= set(ids)
    assert len(ids) == len(set(ids))


def test_there_is_no_script_and_a_policy_against_it(page: Page) -> None:
    assert "script" not in page.names()
    policies = [a["content"] for t, a in page.tags if a.get("http-equiv")]
    assert policies == [POLICY]
    assert not [k for _, a in page.tags for k in a if k.startswith("on")]


def test_every_section_is_there_in_order(page: Page) -> None:
    wanted = [i for i, _ in SECTIONS]
    assert [i for i in page.ids() if i in wanted] == wanted


def test_headings_come_in_order(page: Page) -> None:
    levels = [int(t[1]) for t in page.names() if re.fullmatch(r"h\d", t)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_every_figure_has_a_caption_that_stands_for_it(page: Page) -> None:
    figures = [a for t, a in page.tags if t == "svg"]
    captions = [a["id"] for t, a in page.tags if t == "figcaption"]
    assert len(figures) >= 6
    assert [a["aria-labelledby"] for a in figures] == captions
    assert all(a["role"] == "img" for a in figures)
    assert dict(page.tags)["html"] == {"lang": "en"}


def test_there_are_no_dates_and_no_places_of_a_machine(report: str) -> None:
    words = Page(report).words
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", words)
    assert str(Path.cwd()) not in report


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</style></svg>--><i>",
        "{{ 7 * 7 }} $x^2$ & ' ü 试",
    ],
)
def test_names_of_any_kind_are_harmless_and_readable(text: str) -> None:
    page = Page(render_report(hostile(text)))
    assert page.unclosed == []
    assert not {"script", "i"} & set(page.names())
    assert "onerror" not in {k for _, a in page.tags for k in a}
    # Reading the page gives the text back, in the title, in tables and in the configuration.
    assert page.words.count(" ".join(text.split())) > 40


def test_a_large_report_stays_small_and_says_what_it_leaves_out() -> None:
    made = analysis_of(raw_profiles(140))
    text = render_report(made)
    words = Page(text).words
    assert len(text.encode()) < 3_000_000
    assert f"{len(made.links):,} links in all; the 200 strongest are shown" in words
    assert "all are in links.csv" in words
    assert "Shown are the 24 largest groups" in words


def test_tables_have_headings_and_their_own_box(page: Page) -> None:
    tables = page.names().count("table")
    boxes = [a for t, a in page.tags if t == "div" and "table" in a.get("class", "").split()]
    assert len(boxes) == tables > 8
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in boxes)
    assert all("scope" in a for t, a in page.tags if t == "th")
