"""Imports stay light at the front and go one way inside."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest

from tests.meta.source_tree import LOWER_ROOMS, PACKAGE, REPOSITORY, Module, modules, rooms

HEAVY = {
    "matplotlib",
    "openpyxl",
    "pandas",
    "pybaselines",
    "pyteomics",
    "scipy",
    "sklearn",
    "sqlalchemy",
}
SETTINGS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = SETTINGS["tool"]["importlinter"]["contracts"]
has_command = pytest.mark.skipif("cli" not in rooms(), reason="there is no command yet")

# Runs a piece of code that may exit, then says which packages it has loaded.
LISTER = """
import json, runpy, sys
try:
    {code}
except SystemExit as stop:
    assert not stop.code, stop.code
print()
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def loaded_by(code: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter loads to run `code`."""
    done = subprocess.run(
        [sys.executable, "-c", LISTER.format(code=code)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_front_page_loads_nothing_heavy() -> None:
    packages = loaded_by("import drugsig; drugsig.__version__; dir(drugsig)")
    assert "drugsig" in packages
    assert not packages & (HEAVY | {"numpy", "click"})


def test_every_room_is_an_attribute_once_the_front_page_is_there() -> None:
    names = [room for room in rooms() if not room.startswith("_")]
    code = f"import drugsig; [getattr(drugsig, n).__all__ for n in {names!r}]"
    assert {"click", "jinja2", "matplotlib", "scipy"} <= loaded_by(code)


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "drugsig", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.startswith("drugsig ")


@has_command
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["analyse", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    run = f"sys.argv = ['drugsig', *{arguments!r}]; "
    packages = loaded_by(run + "import drugsig.cli; drugsig.cli.main()")
    assert "click" in packages
    assert not packages & HEAVY


@has_command
def test_the_command_runs_as_a_module() -> None:
    run = "sys.argv = ['drugsig', '--help']; runpy.run_module('drugsig.cli', run_name='__main__')"
    assert not loaded_by(run) & HEAVY


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the modules that a tree imports anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


LOWER = [m for m in modules() if m.name.count(".") and m.name.split(".")[1] in LOWER_ROOMS]


@pytest.mark.parametrize("module", LOWER, ids=lambda module: module.name)
def test_lower_rooms_draw_store_sign_and_pickle_nothing(module: Module) -> None:
    forbidden = set(CONTRACTS[1]["forbidden_modules"]) | {"cloudpickle", "dill", "shelve"}
    assert not {name.partition(".")[0] for name in imported(module.tree)} & forbidden


def test_the_contract_names_every_lower_room_that_exists() -> None:
    named = {name.partition(".")[2] for name in CONTRACTS[1]["source_modules"]}
    assert named == set(LOWER_ROOMS) & set(rooms())


def test_the_contract_has_a_place_for_every_room() -> None:
    places = {room.strip(" ()") for layer in CONTRACTS[0]["layers"] for room in layer.split("|")}
    assert set(rooms()) <= places


def test_only_the_rooms_above_groups_import_matplotlib() -> None:
    drawing = {
        module.name.split(".")[1]
        for module in modules()
        if any(name.partition(".")[0] == "matplotlib" for name in imported(module.tree))
    }
    assert drawing <= {"plot"}


def test_types_are_shipped() -> None:
    assert (PACKAGE / "py.typed").is_file()
