"""What every test relies on: no network, no windows, one place for the reference data."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from tests import socket_guard

REPOSITORY = Path(__file__).resolve().parent.parent
REFERENCE_VARIABLE = "DRUGSIG_REFERENCE_DATA"

# Figures are drawn into files only. Set before anything imports matplotlib, and for children too.
os.environ["MPLBACKEND"] = "Agg"

hypothesis.settings.register_profile("dev", deadline=None, max_examples=100)
hypothesis.settings.register_profile(
    "ci", deadline=None, max_examples=100, derandomize=True, print_blob=True, database=None
)
hypothesis.settings.register_profile(
    "fast", deadline=None, max_examples=15, derandomize=True, print_blob=True, database=None
)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


def find_reference_data() -> Path | None:
    """Return the folder of the reference data, or None where there is none."""
    named = os.environ.get(REFERENCE_VARIABLE)
    if named:
        folder = Path(named)
        if not folder.is_dir():
            raise pytest.UsageError(f"{REFERENCE_VARIABLE} names {folder}, which is no folder")
        return folder
    beside = REPOSITORY.parent / "shared" / "data"
    return beside if beside.is_dir() else None


def pytest_configure(config: pytest.Config) -> None:
    socket_guard.pytest_configure(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = find_reference_data() is None
    for item in items:
        marked = item.get_closest_marker("reference_data") is not None
        if "reference_data" in getattr(item, "fixturenames", ()) and not marked:
            raise pytest.UsageError(
                f"{item.nodeid} uses the reference data: mark it with @pytest.mark.reference_data"
            )
        if marked and absent:
            item.add_marker(pytest.mark.skip(reason=f"no reference data: set {REFERENCE_VARIABLE}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for outcome in count:
        for report in terminalreporter.getreports(outcome):
            if "reference_data" in getattr(report, "keywords", {}):
                count[outcome] += 1
    if any(count.values()):
        terminalreporter.write_line(
            f"reference data: {count['passed'] + count['failed']} tests ran, "
            f"{count['skipped']} were skipped"
        )


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of the reference data; a test that asks for it is skipped where it is absent."""
    folder = find_reference_data()
    if folder is None:
        pytest.skip(f"no reference data: set {REFERENCE_VARIABLE}")
    return folder
