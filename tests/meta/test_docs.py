"""The examples of the documentation run and print what they show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.markdown_examples import python_blocks, run_page
from tests.meta.source_tree import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = [
    page
    for page in sorted(DOCS.rglob("*.md"))
    if not {"_build", "generated"} & set(page.parts)
    and python_blocks(page.read_text(encoding="utf-8"))
]
TABLES = sorted(DOCS.rglob("*.csv"))


@pytest.mark.filterwarnings("ignore::drugsig.errors.DrugsigWarning")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_examples_of_a_page_print_what_they_show(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in TABLES:
        shutil.copy(table, tmp_path)
    monkeypatch.chdir(tmp_path)
    wrong = run_page(page)
    assert not wrong, wrong


def test_an_example_that_prints_something_else_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\n>>> 1 + 1\n3\n```\n", encoding="utf-8")
    assert "Expected:\n    3" in run_page(page)
