"""The script that photographs a report finds what is wrong with a layout."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from drugsig.analysis import Analysis
from drugsig.report import render_report
from drugsig.report.render import RUN_SECTIONS, SECTIONS
from drugsig.report.validation_page import VALIDATION_SECTIONS, render_validation
from tests.evidence.validation.cases import small_validation

HAS_BROWSER = any(
    shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
)
needs_browser = pytest.mark.skipif(not HAS_BROWSER, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def script(repository: Path) -> ModuleType:
    path = repository / "scripts" / "screenshots.py"
    spec = importlib.util.spec_from_file_location("screenshots", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_without_a_browser_it_says_so(
    script: ModuleType, report: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "report.html"
    page.write_text(report, encoding="utf-8")
    monkeypatch.setattr(script, "find_browser", lambda: None)
    assert script.main([str(page), "--out", str(tmp_path / "shots")]) == 77
    assert not (tmp_path / "shots").exists()


def test_a_missing_report_is_a_wrong_call(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        script.main([str(tmp_path / "none.html")])
    assert caught.value.code == 2


@needs_browser
@pytest.mark.slow
def test_a_report_is_laid_out_well_and_photographed(
    script: ModuleType, unvalidated: Analysis, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_report(unvalidated), encoding="utf-8")
    out = tmp_path / "shots"
    assert script.main([str(page), "--out", str(out)]) == 0
    made = {path.name for path in out.iterdir()}
    assert {"screen-01.png", "grey-01.png", "a4.pdf"} <= made


def test_the_sections_are_those_of_the_kind_of_report(script: ModuleType) -> None:
    validation = script.wanted_sections(["summary", "verdicts"])
    assert validation == [i for i, _ in VALIDATION_SECTIONS]
    analysis = script.wanted_sections(["summary", "groups"])
    assert analysis == [i for i, _ in SECTIONS]
    assert len(script.wanted_sections(["groups", RUN_SECTIONS[0][0]])) > len(analysis)


def test_what_is_for_narrow_screens_is_not_for_paper(script: ModuleType) -> None:
    text = "<style>@media screen and (max-width: 48rem) { a {} } @media print { b {} }</style>"
    paper = script.prepared(text, printed=True)
    assert paper == "<style>@media not all { a {} } @media all { b {} }</style>"
    assert script.prepared(text) == text


@needs_browser
@pytest.mark.slow
def test_a_validation_is_laid_out_well_on_every_width(script: ModuleType, tmp_path: Path) -> None:
    text = render_validation(small_validation().report)
    browser = script.find_browser()
    for what, width, printed in (
        ("screen", script.SCREEN_WIDTH, False),
        ("phone", script.PHONE_WIDTH, False),
        ("paper", script.PRINT_WIDTH, True),
    ):
        measured = script.measure(browser, text, tmp_path, width=width, printed=printed)
        assert script.faults_of(measured, what=what) == []


@needs_browser
@pytest.mark.slow
def test_faults_of_a_layout_are_found(script: ModuleType, report: str, tmp_path: Path) -> None:
    broken = report.replace('id="limits"', 'id="borders"').replace(
        "</main>",
        '<p style="width: 3000px; max-width: none">too wide</p>'
        '<p style="width: 30px; overflow: hidden; white-space: nowrap">this text is cut off</p>'
        "</main>",
    )
    broken = broken.replace('viewBox="0 0 482.4 ', 'viewBox="0 0 300 ')
    measured = script.measure(
        script.find_browser(), broken, tmp_path, width=script.SCREEN_WIDTH, printed=False
    )
    faults = " | ".join(script.faults_of(measured, what="screen"))
    for expected in (
        "scrolls sideways",
        "section 'limits' is missing",
        "too wide: p",
        "cut off: p: this text",
        "label cut off in figure-roc",
    ):
        assert expected in faults
