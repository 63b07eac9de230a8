"""A report renders what an analysis holds, and computes nothing."""

from __future__ import annotations

import sys

import pytest

from drugsig.analysis import Analysis
from drugsig.report import render_report
from tests.report.run_cases import with_runs

COMPUTING = (
    "assess_threshold",
    "check_profiles",
    "check_runs",
    "compare",
    "find_in_runs",
    "find_undecided",
    "group",
    "known_pairs",
    "learn_threshold",
    "pair_sample",
    "pretreat",
    "share_of_true_links",
    "stratum_pairs",
    "threshold_for",
)


@pytest.fixture
def nothing_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every function that finds something raise, wherever a module has it."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a report computed something")

    replaced = set()
    for name, module in list(sys.modules.items()):
        for what in COMPUTING if name.startswith("drugsig.") else ():
            if what in vars(module) and callable(vars(module)[what]):
                monkeypatch.setattr(module, what, refuse)
                replaced.add(what)
    assert replaced == set(COMPUTING)


def test_a_report_on_a_table_computes_nothing(
    analysis: Analysis, report: str, nothing_computes: None
) -> None:
    assert render_report(analysis) == report


def test_a_report_without_known_sources_computes_nothing(
    unvalidated: Analysis, nothing_computes: None
) -> None:
    assert "NOT VALIDATED" in render_report(unvalidated)


@pytest.fixture(scope="module")
def of_runs() -> tuple[Analysis, str]:
    made = with_runs(errors=[("bad.cdf", "the file ends before its header does")])
    return made, render_report(made)


def test_a_report_on_runs_computes_nothing(
    of_runs: tuple[Analysis, str], nothing_computes: None
) -> None:
    made, text = of_runs
    assert render_report(made) == text
