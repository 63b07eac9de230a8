"""The example, written once for all tests of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from drugsig.datasets import write_example


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example "profiles"."""
    return write_example("profiles", tmp_path_factory.mktemp("examples") / "profiles")
