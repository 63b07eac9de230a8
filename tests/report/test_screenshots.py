"""The script that photographs a report finds what is wrong with a layout."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from drugsig.report import Analysis, render_report

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
