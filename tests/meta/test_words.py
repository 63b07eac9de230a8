"""The project speaks of itself: no places of one machine, nothing left undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.meta.source_tree import REPOSITORY

FOLDERS = (".ci", "benchmarks", "data", "docs", "notebooks", "src", "tests")
SUFFIXES = {
    "", ".bat", ".cff", ".cfg", ".css", ".html", ".ipynb", ".j2", ".js", ".json", ".md", ".py",
    ".rst", ".sh", ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip
SKIPPED = {"_build", "generated", "__pycache__", "cache", ".ipynb_checkpoints"}

# One letter of each stands in brackets, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.*~:])/(?:hom[e]|roo[t]|User[s]|wor[k]|op[t])/\w",
    "a path of one machine (Windows)": r"[A-Za-z]:\\+User[s]\\",
    "something left undone": r"\b(?:TOD[O]|FIXM[E]|XX[X])\b",
    "the host of a registry": r"pyp[i]\.org|pythonhoste[d]|npmj[s]\.|deb\.debia[n]",
    "an issue's number": r"\bissu[e][ -]#?\d",
    "how it was written": r"\bsub-?agen[t]s?\b|\bthis sessio[n]\b|\bbash_job[s]\b",
}


def text_files() -> Iterator[Path]:
    """Yield the text files of the repository."""
    yield from (p for p in sorted(REPOSITORY.iterdir()) if p.is_file() and p.suffix in SUFFIXES)
    for folder in FOLDERS:
        for path in sorted((REPOSITORY / folder).rglob("*")):
            inside = path.relative_to(REPOSITORY).parts
            if path.is_file() and path.suffix in SUFFIXES and not SKIPPED & set(inside):
                yield path


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(REPOSITORY).as_posix()}:{number}: {line.strip()[:100]}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        # Any word may come up among the letters of a picture.
        if pattern.search(line) and not line.lstrip().startswith('"image/png"')
    ]
    assert not found, f"{what}:\n" + "\n".join(found)


def test_the_files_are_found() -> None:
    names = {path.relative_to(REPOSITORY).as_posix() for path in text_files()}
    assert {"README.md", "pyproject.toml", "src/drugsig/__init__.py"} <= names
