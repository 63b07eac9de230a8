"""Every kind of note is well made, and stands on the reference page."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import json
import re
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from drugsig._notes import NOTES, Note, note_from_data
from drugsig.errors import DrugsigWarning
from tests.meta.source_tree import REPOSITORY, modules


def _tables() -> ModuleType:
    """Return the part of the documentation's build that writes the tables."""
    path = REPOSITORY / "docs" / "_ext" / "registry_tables.py"
    spec = importlib.util.spec_from_file_location("registry_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = _tables()
KINDS: list[type[Note]] = TABLES.kinds_of_note()

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)


def _sample(hint: Any, fact: str) -> Any:
    """Return some value of the type of a fact; raise for a type that JSON cannot hold."""
    if hint in (str, int, float, bool):
        return {str: f"the {fact}.", int: 17, float: 0.37, bool: True}[hint]
    options = get_args(hint)
    if get_origin(hint) is tuple:
        return tuple(_sample(part, fact) for part in options if part is not Ellipsis)
    if type(None) in options:
        return _sample(next(part for part in options if part is not type(None)), fact)
    raise AssertionError(f"{hint} is no type of a fact")


def _made(kind: type[Note]) -> Note:
    hints = get_type_hints(kind)
    return kind(**{f.name: _sample(hints[f.name], f.name) for f in dataclasses.fields(kind)})


def test_kinds_are_found_where_they_are_defined() -> None:
    defined = sum(len(re.findall(r"^class \w+\(Note\):$", m.text, re.MULTILINE)) for m in modules())
    assert len(KINDS) == len(NOTES) == defined > 10


@each_kind
def test_a_kind_is_a_frozen_dataclass_with_a_code_and_a_warning(kind: type[Note]) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.code)
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert kind.category is None or issubclass(kind.category, DrugsigWarning)


@each_kind
def test_its_docstring_says_when_it_comes_and_what_to_do(kind: type[Note]) -> None:
    when, _, advice = (inspect.getdoc(kind) or "").partition("\n\n")
    assert when.endswith(".")
    assert advice.endswith(".")
    assert "\n\n" not in advice


@each_kind
def test_its_text_is_said_in_words_on_one_line(kind: type[Note]) -> None:
    text = _made(kind).text
    assert text == text.strip()
    assert "\n" not in text
    assert text[-1] not in ",:;-("
    assert not re.search(r"\{\w", text)
    assert len(text.split()) >= 2


@each_kind
def test_it_comes_back_from_json(kind: type[Note]) -> None:
    note = _made(kind)
    assert note_from_data(json.loads(json.dumps(note.to_data()))) == note


@each_kind
def test_it_stands_on_the_reference_page(kind: type[Note]) -> None:
    assert f"| `{kind.code}` | {TABLES.room_of(kind)} |" in TABLES.notes_table()
    page = (REPOSITORY / "docs" / "reference" / "notes.md").read_text(encoding="utf-8")
    assert "generated/notes-table.md" in page
