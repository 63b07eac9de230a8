"""The analyses that most reports are made of."""

from __future__ import annotations

import pytest

from drugsig.analysis import Analysis
from drugsig.report import render_report
from tests.report.cases import analysis_of, raw_profiles


@pytest.fixture(scope="session")
def analysis() -> Analysis:
    """A learned threshold, an excluded profile, a main compound, a target left out."""
    return analysis_of(raw_profiles())


@pytest.fixture(scope="session")
def report(analysis: Analysis) -> str:
    """Its report."""
    return render_report(analysis)


@pytest.fixture(scope="session")
def unvalidated() -> Analysis:
    """A threshold that was given, without known sources."""
    return analysis_of(raw_profiles(), rule=None)
