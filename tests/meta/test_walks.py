"""The walks that the page on architecture names are the ways that the jobs take."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
from scripts.walks import code_lines, follow, walks

from tests.meta.source_tree import REPOSITORY

PAGE = REPOSITORY / "docs" / "explanation" / "architecture.md"
WALKS = ("analyse (table)", "analyse (runs)", "links", "validate", "evaluate")


def named(text: str) -> dict[str, list[tuple[str, str]]]:
    """Return the walks of the page, each as files and functions in order."""
    section = text.partition("\n## Walks\n")[2].partition("\n## ")[0]
    found = {}
    for block in section.split("\n**")[1:]:
        title, _, rest = block.partition("**")
        found[title] = re.findall(r"`([\w/]+\.py): ([\w.]+)`", rest)
    return found


def in_order(wanted: list[tuple[str, str]], met: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what of the wanted is not met in its order."""
    waiting = list(wanted)
    for one in met:
        if waiting and one == waiting[0]:
            waiting.pop(0)
    return waiting


def test_every_walk_has_its_stations_on_the_page() -> None:
    stations = named(PAGE.read_text(encoding="utf-8"))
    assert tuple(stations) == WALKS
    assert all(len(way) >= 4 for way in stations.values())


@pytest.mark.slow
@pytest.mark.long
def test_a_trace_meets_the_stations_in_their_order(tmp_path: Path) -> None:
    stations = named(PAGE.read_text(encoding="utf-8"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        missed = {
            name: in_order(stations[name], follow(walk)) for name, walk in walks(tmp_path).items()
        }
    assert missed == {name: [] for name in WALKS}


def test_stations_out_of_order_are_missed() -> None:
    met = [("a.py", "f"), ("b.py", "g"), ("c.py", "h")]
    assert in_order([("a.py", "f"), ("c.py", "h")], met) == []
    assert in_order([("c.py", "h"), ("a.py", "f")], met) == [("a.py", "f")]


def test_code_proper_has_no_docstrings_comments_or_blank_lines() -> None:
    text = (
        '"""Doc.\n\nMore."""\n\nX = (\n    1,  # why\n)\n\n\n'
        'def f():\n    """Doc."""\n    # why\n    return X\n'
    )
    assert code_lines(text) == 5
