"""A name that appears on a front page, or goes from it, does so on purpose."""

from __future__ import annotations

import ast

from tests.meta.source_tree import PACKAGE, REPOSITORY, exported, rooms

SNAPSHOT = REPOSITORY / "tests" / "meta" / "exported_names.txt"


def exported_names() -> list[str]:
    """Return every name that the front page and each room export, sorted."""
    pages = {"drugsig": PACKAGE / "__init__.py"}
    for room in rooms():
        folder = PACKAGE / room
        if not room.startswith("_"):
            page = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
            pages[f"drugsig.{room}"] = page
    return sorted(
        f"{where}.{name}"
        for where, page in pages.items()
        for name in exported(ast.parse(page.read_text(encoding="utf-8"))) or ()
    )


def test_the_exported_names_are_those_of_the_snapshot() -> None:
    known = SNAPSHOT.read_text(encoding="utf-8").split()
    there = exported_names()
    new, gone = sorted(set(there) - set(known)), sorted(set(known) - set(there))
    assert there == known, (
        f"new: {new}; gone: {gone}. If that is meant, write it down: "
        "python -m tests.meta.test_exported_names, and a line in CHANGELOG.md."
    )


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(exported_names()) + "\n", encoding="utf-8")
