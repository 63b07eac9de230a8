from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from drugsig._notes import NOTES
from drugsig.evidence.bounds import Bounds
from drugsig.evidence.calibration.training import FewSourcesOfCalibration
from drugsig.evidence.dependence import FewEffectiveSources, UnevenSources
from drugsig.evidence.evaluation.held_out import FewSourcesOfEvaluation
from drugsig.evidence.models.items import CircularFigures
from drugsig.evidence.models.training import NestedReplicates
from drugsig.evidence.performance.measure import FewSourcesOfFigures
from drugsig.evidence.two_level.fitting import FewReplicatedSources
from drugsig.evidence.validation import CHARACTERISTICS, ValidationReport
from drugsig.report.validation_method import reach
from drugsig.report.validation_page import VALIDATION_SECTIONS, render_validation
from drugsig.report.validation_sections import (
    STAMPS,
    primary_section,
    provenance_section,
    told_section,
    verdict_section,
)
from drugsig.report.validation_texts import WORDS
from tests.evidence.validation.cases import small_validation
from tests.report.pages import Page

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
LOADING = ("src", "href", "xlink:href", "srcset", "action", "data", "poster", "background")


@pytest.fixture(scope="module")
def report() -> ValidationReport:
    return small_validation().report


@pytest.fixture(scope="module")
def text(report: ValidationReport) -> str:
    return render_validation(report)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_same_validation_gives_the_same_bytes(report: ValidationReport, text: str) -> None:
    assert render_validation(report) == text


def test_the_page_is_whole_and_loads_nothing(text: str, page: Page) -> None:
    assert page.unclosed == []
    references = [a[k] for _, a in page.tags for k in LOADING if k in a]
    assert references
    assert all(r.startswith("#") for r in references)
    assert not re.search(r"@import|url\((?!#)", text)
    assert "script" not in page.names()
    assert [a["content"] for _, a in page.tags if a.get("http-equiv")] == [POLICY]
    ids = page.ids()
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', text)) <= set(ids)


def test_sections_headings_figures_and_tables_are_in_order(page: Page) -> None:
    wanted = [i for i, _ in VALIDATION_SECTIONS]
    assert [i for i in page.ids() if i in wanted] == wanted
    levels = [int(t[1]) for t in page.names() if re.fullmatch(r"h\d", t)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    captions = [a["id"] for t, a in page.tags if t == "figcaption"]
    assert [a["aria-labelledby"] for t, a in page.tags if t == "svg"] == captions
    assert captions == [
        f"caption-{n}" for n in ("tippett", "ece", "pav", "roc", "det", "seeds", "changes")
    ]
    assert all("scope" in a for t, a in page.tags if t == "th")


def test_propositions_levels_population_and_counts_stand_on_page_one(
    report: ValidationReport, page: Page
) -> None:
    first = page.words.split("What was validated", 1)[0]
    own = report.performance
    for said in (
        f"that {report.h1}",
        f"that {report.h2}",
        "production batch; specimen",
        "known batches",
        f"{own.n_linked:,} of {own.n_linked_sources} sources",
        f"{own.n_unlinked:,} of {own.n_unlinked_sources} sources",
        *(about.title for about in CHARACTERISTICS.values()),
    ):
        assert said in first


def test_every_figure_has_its_criterion_and_verdict(report: ValidationReport, page: Page) -> None:
    for found in report.findings:
        assert found.about.label in page.words
        assert found.verdict_in_words in page.words
        assert found.criterion is not None
        assert found.criterion.why in page.words
    assert STAMPS[report.verdict] in page.words


def test_what_weakens_it_comes_first(report: ValidationReport) -> None:
    heads = [one.heading for one in report.first_told]
    assert any("not met" in head for head in heads[:1])
    assert "Few known sources" in heads
    assert "The criteria are nobody's own" in heads
    graves = [one.grave for one in report.first_told]
    assert graves == sorted(graves, reverse=True)


def test_not_assessed_is_said_to_be_no_pass(report: ValidationReport) -> None:
    found = tuple(
        replace(f, estimate=None, verdict="not assessed", uncertain=False, why="no column")
        if f.measure == "cllr_elsewhere"
        else replace(f, verdict="pass", uncertain=False)
        for f in report.findings
    )
    open_one = replace(report, findings=found)
    page = Page(render_validation(open_one))
    assert STAMPS["not assessed"] in page.words
    assert "Not assessed, and so not passed" in page.words
    assert STAMPS["pass"] not in page.words


def test_a_figure_without_a_criterion_is_not_judged(report: ValidationReport) -> None:
    found = tuple(
        replace(f, criterion=None, verdict="not assessed", uncertain=False)
        if f.measure == "devpav"
        else f
        for f in report.findings
    )
    groups = verdict_section(replace(report, findings=found))
    rows = {row["label"]: row for group in groups for row in group["rows"]}
    assert rows["devPAV"]["verdict"] == "not judged"
    assert rows["devPAV"]["criterion"] == "none"


def test_what_the_model_can_report_is_said_as_a_likelihood_ratio(
    report: ValidationReport, page: Page
) -> None:
    bounds = Bounds(-1.49, 1.05, "ELUB by sources", 288, 9936)
    assert reach(replace(report, bounds=bounds)) == "from 1/31 to 11"
    assert reach(replace(report, bounds=Bounds(0.0, 2.4, "ELUB", 1, 1))) == "from 1 to 250"
    assert "no bounds" in reach(replace(report, bounds=None))
    assert "no other" in reach(replace(report, bounds=Bounds(0.0, 0.0, "ELUB", 1, 1)))
    assert reach(report) in page.words


def test_rates_are_percentages_throughout(report: ValidationReport) -> None:
    figures = primary_section(report)["figures"]
    rates = [value for label, value, _ in figures if "pairs with" in label]
    assert len(rates) == len(figures) - 4
    assert all(value.endswith("%") for value in rates)


def test_notes_that_differ_in_numbers_only_are_told_once(report: ValidationReport) -> None:
    notes = (
        FewReplicatedSources(38, 4, 40),
        FewReplicatedSources(39, 4, 40),
        NestedReplicates(3, 40, "specimen", "specimen_id"),
        NestedReplicates(3, 40, "sequence", "sequence_id"),
    )
    noted = replace(report, notes=notes)
    told = [(one.note, more) for one, more in told_section(noted)][-3:]
    assert told == [(notes[0], 1), (notes[2], 0), (notes[3], 0)]
    words = Page(render_validation(noted)).words
    assert f"{notes[0]} (1 more of the kind, under Provenance.)" in words
    assert str(notes[1]) in words.split("Provenance", 1)[1]


def test_what_is_grave_is_told_one_by_one(report: ValidationReport) -> None:
    notes = (FewEffectiveSources(40, 12.3), FewEffectiveSources(41, 12.4))
    told = told_section(replace(report, notes=notes))
    assert [(one.note, more) for one, more in told if one.note in notes] == [
        (note, 0) for note in notes
    ]


def test_the_code_of_a_note_decides_where_it_stands(report: ValidationReport) -> None:
    other = UnevenSources("fewer than 30 batch_id", 3, 4)
    uneven = FewEffectiveSources(40, 12.3)
    circular = CircularFigures(("batch_id",))
    notes = (
        other,
        FewSourcesOfEvaluation(9),
        FewSourcesOfCalibration(9, "calibration"),
        FewSourcesOfFigures(9),
        uneven,
        circular,
    )
    told = replace(report, notes=notes).first_told
    assert [(w.heading, w.text) for w in told if w.grave][-3:] == [
        ("Few known sources", notes[3].text),
        ("Few known sources", uneven.text),
        ("The population rule is circular", circular.text),
    ]
    assert [w.text for w in told if w.heading == "Noted on the way"] == [other.text]
    assert {w.text for w in told}.isdisjoint({notes[1].text, notes[2].text})


def test_the_wording_of_notes_decides_nothing(
    report: ValidationReport, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = report.first_told
    assert {"failed-figures", "foreign-criteria"} < {w.note.code for w in before}
    told = {w.text for w in before} | {note.text for note in report.notes}
    for kind in NOTES.values():
        monkeypatch.setattr(kind, "__str__", lambda self: "x")
    after = report.first_told
    assert after == before
    assert {w.text for w in after} == {"x"}
    assert provenance_section(report)["notes"] == ["x"] * len(report.notes)
    other = render_validation(report)
    assert Page(other).ids() == Page(text).ids()
    assert not any(one in other for one in told)


def test_the_words_of_the_page_are_explained_on_it(page: Page) -> None:
    for word, meaning in WORDS:
        assert word in page.words
        assert meaning[1:] in page.words


def test_the_words_make_no_claim_about_a_case(page: Page) -> None:
    words = page.words.lower()
    assert not any(word in words for word in (" match", "posterior", "identical", "proves"))
    assert "is not the probability that two specimens share a source" in words


def test_there_are_no_dates_and_no_places_of_a_machine(text: str, page: Page) -> None:
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", page.words)
    assert str(Path.cwd()) not in text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_names_are_harmless(report: ValidationReport, name: str) -> None:
    page = Page(render_validation(replace(report, name=name, h1=name, elsewhere_column=name)))
    assert page.unclosed == []
    assert not {"script", "img"} & set(page.names())
    assert page.words.count(name) >= 4
