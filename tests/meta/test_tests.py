"""Every test can fail: it asserts something, or asks for an error or a warning."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.meta.source_tree import REPOSITORY

FILES = sorted((REPOSITORY / "tests").rglob("test_*.py"))
PYTEST_CALLS = ("raises", "warns", "fail", "deprecated_call")
PREFIXES = ("assert_", "check_")


def asserts_something(function: ast.AST, helpers: frozenset[str] = frozenset()) -> bool:
    """Say whether a function holds an assertion that is not a constant, or calls a helper."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not isinstance(node.test, (ast.Constant, ast.Tuple)):
            return True
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            owner = getattr(getattr(called, "value", None), "id", "")
            if name.startswith(PREFIXES) or (owner == "pytest" and name in PYTEST_CALLS):
                return True
            if isinstance(called, ast.Name) and name in helpers:
                return True
    return False


def asserting_helpers(tree: ast.Module) -> frozenset[str]:
    """Return the functions of a file that assert something, also through each other."""
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    known: frozenset[str] = frozenset()
    while True:
        found = frozenset(
            name for name, node in functions.items() if asserts_something(node, known)
        )
        if found == known:
            return known
        known = found


def idle_tests(source: str) -> list[str]:
    """Return the tests of a file that assert nothing."""
    tree = ast.parse(source)
    helpers = asserting_helpers(tree)
    return [
        f"line {node.lineno}: {node.name}"
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.name.startswith("test")
        and not asserts_something(node, helpers)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_every_test_asserts_something(path: Path) -> None:
    assert idle_tests(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("body", "idle"),
    [
        ("assert x == 1", False),
        ("with pytest.raises(ValueError): f()", False),
        ("np.testing.assert_allclose(a, b)", False),
        ("check_estimator(model)", False),
        ("pytest.approx(a, b)", True),
        ("a == b", True),
        ("assert True", True),
        ("assert (a, 'message')", True),
        ("f()", True),
    ],
)
def test_an_idle_test_is_found(body: str, idle: bool) -> None:
    assert bool(idle_tests(f"def test_it():\n    {body}\n")) is idle


def test_a_helper_of_the_same_file_may_do_the_asserting() -> None:
    source = (
        "def refused(x):\n    assert x\n"
        "def twice(x):\n    refused(x)\n"
        "def idle(x):\n    print(x)\n"
        "def test_a():\n    twice(1)\n"
        "def test_b():\n    idle(1)\n"
    )
    assert idle_tests(source) == ["line 9: test_b"]
