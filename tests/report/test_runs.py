"""What a report tells of runs; one on a table tells nothing of them."""

from __future__ import annotations

import pytest

from drugsig import compare, pretreat
from drugsig._notes import Told
from drugsig.analysis import Analysis
from drugsig.analysis.headings import first_told
from drugsig.protocols import load_protocol
from drugsig.protocols.display import unverified_words
from drugsig.report import render_report
from drugsig.report.render import RUN_SECTIONS, SECTIONS
from drugsig.report.run_sections import runs_section
from tests.report.pages import Page
from tests.report.run_cases import STANDARD, with_runs


@pytest.fixture(scope="module")
def from_runs() -> Analysis:
    return with_runs(errors=[("bad.cdf", "the file ends before its header does")])


@pytest.fixture(scope="module")
def text(from_runs: Analysis) -> str:
    return render_report(from_runs)


@pytest.fixture(scope="module")
def words(text: str) -> str:
    return Page(text).words


def warned(analysis: Analysis) -> dict[str, Told]:
    return {one.heading: one for one in first_told(analysis.notes)}


def test_a_report_on_a_table_has_no_section_on_runs(analysis: Analysis, report: str) -> None:
    assert analysis.runs is None
    assert not {i for i, _, _ in RUN_SECTIONS} & set(Page(report).ids())
    assert "Protocol" not in Page(report).words


def test_the_page_is_whole_and_every_section_has_its_place(text: str) -> None:
    page = Page(text)
    assert page.unclosed == []
    places = [i for i in page.ids() if i in {s for s, *_ in (*SECTIONS, *RUN_SECTIONS)}]
    assert places == [
        "summary", "compared", "method", "runs", "quality", "groups", "heat-map", "threshold",
        "links", "undecided", "limits", "provenance", "integrations",
    ]  # fmt: skip
    ids = page.ids()
    assert len(ids) == len(set(ids))
    captions = [a["id"] for t, a in page.tags if t == "figcaption"]
    assert [a["aria-labelledby"] for t, a in page.tags if t == "svg"] == captions


def test_every_target_has_a_sheet_and_the_report_stays_small(
    from_runs: Analysis, text: str
) -> None:
    sheets = [i for i in Page(text).ids() if i.startswith("figure-integration")]
    assert len(sheets) == len(from_runs.profiles.targets)
    assert len(text.encode()) < 3_000_000


def test_the_same_runs_give_the_same_bytes(from_runs: Analysis, text: str) -> None:
    assert render_report(from_runs) == text


def test_page_one_names_protocol_runs_and_what_failed(from_runs: Analysis, words: str) -> None:
    assert from_runs.runs is not None
    first = words[: words.index("Compared (")]
    assert f"made, version 3 ({from_runs.runs.protocol.digest[:12]})" in first
    assert "30 extracted: 27 samples, 1 blank run, 2 control samples; 1 not read" in first
    assert "1 run could not be read" in first
    assert "bad.cdf: the file ends before its header does" in first


def test_unverified_fields_in_use_are_named_on_page_one_and_are_grave_if_many() -> None:
    made = with_runs(verified=False)
    first = Page(render_report(made)).words
    first = first[: first.index("Compared (")]
    assert "28 fields of the protocol were never verified" in first
    assert "the quantifier ion of target 0, target 1" in first
    assert "the retention of target 0" in first
    (grave,) = [w for head, w in warned(made).items() if "never verified" in head]
    assert grave.grave
    assert "not verified" in render_report(made)
    assert 'class="mark">not verified' not in render_report(with_runs()).split("What is marked")[0]


def test_few_unverified_fields_are_told_and_not_grave(from_runs: Analysis) -> None:
    assert not [head for head in warned(from_runs) if "verified" in head]


@pytest.mark.parametrize(
    "name", ["amphetamine-eu", "cocaine-minor-alkaloids", "cocaine-unodc-ratios", "methamphetamine"]
)
def test_no_unverified_field_of_a_protocol_that_comes_with_drugsig_is_left_out(name: str) -> None:
    protocol = load_protocol(name)
    told = " ".join(unverified_words(protocol))
    for path in protocol.unverified_in_use:
        parts = path.split(".")
        if parts[0] == "targets" and len(protocol.unverified_in_use) < 6:
            assert parts[1] in told
    assert ("the least number of targets" in told) == (
        "comparison.min_measured" in protocol.unverified_in_use
    )
    assert told


def test_what_the_protocol_does_not_state_or_drugsig_not_apply_is_said(
    from_runs: Analysis,
) -> None:
    said = warned(from_runs)
    assert "area of a target in the blank run" in said["Not checked"].text
    assert "resolution" not in said["Not checked"].text
    assert "resolution of the critical pair" in said["Stated and not applied"].text


def test_a_full_blank_is_grave_and_told_with_its_share(from_runs: Analysis, words: str) -> None:
    one = warned(from_runs)["Targets in a blank"]
    assert one.grave
    assert "in P000 (" in one.text
    assert "the median sample" in one.text
    assert "Sequence B has no blank" in warned(from_runs)["No blank run"].text
    assert "In the blanks" in words


def test_without_blank_and_control_that_is_said() -> None:
    said = warned(with_runs(kinds={}))
    assert "The runs have no blank" not in said["No blank run"].text
    assert "Sequences A, B have no blank" in said["No blank run"].text
    assert "Sequences A, B have no control sample" in said["No control sample"].text


def test_control_samples_are_compared_as_the_samples_were(from_runs: Analysis) -> None:
    found = from_runs.runs
    assert found is not None
    agreement = found.agreement
    assert agreement.ids == ("P001", "P002")
    treated = pretreat(from_runs.profiles.select(agreement.ids), from_runs.recipe)
    assert agreement.worst == pytest.approx(compare(treated)["P001", "P002"])
    assert agreement.n_pairs == agreement.n_meet == 1


def test_control_samples_that_are_not_alike_are_grave() -> None:
    made = with_runs(kinds={"P000": "control sample", "P020": "control sample"})
    said = warned(made)["Control samples are not alike"]
    assert said.grave
    assert "P000 and P020" in said.text


def test_a_control_sample_that_cannot_be_compared_is_told_with_the_reason() -> None:
    made = with_runs(kinds={"P004": "control sample", "P005": "control sample"})
    said = warned(made)["A control sample cannot be compared"]
    assert "P004: not measured or rejected: target 2" in said.text


def test_an_internal_standard_that_stands_out_is_named(from_runs: Analysis) -> None:
    (head,) = [h for h in warned(from_runs) if h.startswith("Internal standard")]
    assert head == f"Internal standard {STANDARD} stands out in 1 run"


def test_runs_and_rejected_cells_are_listed_with_reasons_in_words(
    from_runs: Analysis, words: str
) -> None:
    found = from_runs.runs
    assert found is not None
    section = runs_section(found)
    assert [row["id"] for row in section["rows"]] == list(from_runs.profiles.ids)
    assert [row["kind"] for row in section["rows"][:3]] == [
        "blank run",
        "control sample",
        "control sample",
    ]
    assert "P010 target 3 The detector was full: the true area is larger." in words
    assert "What each flag means" in words or not section["flags"]


def test_the_record_of_the_method_says_what_it_does_not_know(words: str) -> None:
    assert "5 % phenyl" in words
    assert "The protocol does not say: test portion" in words
    assert "extraction pH" in words
