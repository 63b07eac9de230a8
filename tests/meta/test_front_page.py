"""`import drugsig`: the names on the front page exist, lazily, and type checkers see the same."""

from __future__ import annotations

import ast
import importlib

import pytest

import drugsig
from tests.meta.source_tree import PACKAGE, exported

TREE = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(drugsig._HOMES))
def test_every_lazy_name_is_what_its_module_calls_so(name: str) -> None:
    home = importlib.import_module(drugsig._HOMES[name])
    assert getattr(drugsig, name) is getattr(home, name)
    assert name in home.__all__


@pytest.mark.parametrize("name", drugsig._ROOMS)
def test_every_lazy_module_is_a_module(name: str) -> None:
    assert getattr(drugsig, name) is importlib.import_module(f"drugsig.{name}")


def test_type_checkers_see_the_same_names_from_the_same_places() -> None:
    blocks = [
        node
        for node in TREE.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    seen: dict[str, str] = {}
    for node in ast.walk(blocks[0]):
        if isinstance(node, ast.ImportFrom):
            seen |= {alias.name: str(node.module) for alias in node.names}
    expected = {**drugsig._HOMES, **dict.fromkeys(drugsig._ROOMS, "drugsig")}
    assert seen == expected


def test_all_and_dir_name_everything() -> None:
    expected = {*drugsig._HOMES, *drugsig._ROOMS, "__version__"}
    assert set(exported(TREE) or ()) == expected
    assert expected <= set(dir(drugsig))


def test_the_version_is_that_of_the_installed_package() -> None:
    assert drugsig.__version__ == importlib.metadata.version("drugsig")


def test_an_unknown_name_is_an_attribute_error_that_helps() -> None:
    with pytest.raises(AttributeError, match="no attribute 'ProfilSet'") as caught:
        drugsig.ProfilSet  # noqa: B018
    assert caught.value.name == "ProfilSet"
    assert caught.value.obj is drugsig
