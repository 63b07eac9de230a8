"""Every module says what it is, names what it offers, and stays small."""

from __future__ import annotations

import ast

import pytest

from tests.meta.source_tree import Module, exported, modules, top_level

MOST_LINES = 1000

each_module = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


def isort_style(name: str) -> tuple[int, str]:
    """Order names as the linter does: constants, classes, the rest."""
    rank = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return rank, name


@each_module
def test_has_a_docstring(module: Module) -> None:
    text = ast.get_docstring(module.tree)
    assert text, f"{module.name} has no docstring"
    assert text.splitlines()[0].endswith("."), f"{module.name}: the first line is no sentence"


@each_module
def test_is_short_enough_to_be_read_in_one_go(module: Module) -> None:
    lines = len(module.text.splitlines())
    assert lines <= MOST_LINES, f"{module.name} has {lines} lines: split it at its two nouns"


@each_module
def test_all_is_there_sorted_and_without_repeats(module: Module) -> None:
    names = exported(module.tree)
    assert names is not None, f"{module.name} has no literal __all__"
    assert names == sorted(set(names), key=isort_style), f"{module.name}: __all__ is not sorted"


@each_module
def test_all_is_complete_and_true(module: Module) -> None:
    tree = module.tree
    names = set(exported(tree) or ())
    defined: set[str] = set()
    offered: set[str] = set()
    for node in top_level(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)
            offered.add(node.name)
        elif isinstance(node, ast.Assign):
            defined |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            defined.add(node.target.id)
        elif isinstance(node, ast.ImportFrom):
            here = {alias.asname or alias.name for alias in node.names}
            defined |= here
            inside = module.is_package and (node.module or "").startswith(f"{module.name}.")
            offered |= here if inside else set()
    # A lazy module answers for names that are nowhere in its text; they have a test of their own.
    lazy = "__getattr__" in defined
    public = {name for name in offered if not name.startswith("_")}
    assert not public - names, f"{module.name}: missing from __all__: {sorted(public - names)}"
    absent = set() if lazy else names - defined
    assert not absent, f"{module.name}: __all__ names what is not there: {sorted(absent)}"


@each_module
def test_postpones_annotations(module: Module) -> None:
    has_code = any(
        isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AnnAssign))
        for node in module.tree.body
    )
    flags = [
        alias.name
        for node in module.tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    ]
    assert "annotations" in flags or not has_code
