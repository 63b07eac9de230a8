"""The case that most figures are drawn from."""

from __future__ import annotations

import pytest

from tests.plot.cases import Case, case_of, simulated


@pytest.fixture(scope="session")
def case() -> Case:
    """32 sources of three profiles, compared and grouped."""
    return case_of(simulated(32, 3))
