"""Every public name has a docstring in numpydoc's form, checked by numpydoc itself."""

from __future__ import annotations

import enum
import importlib
import inspect
import sys
import tomllib
from collections.abc import Iterator

import pytest
from numpydoc.validate import validate

import drugsig
from tests.meta.source_tree import REPOSITORY, Module, exported, modules

SETTINGS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
CHECKS = set(SETTINGS["tool"]["numpydoc_validation"]["checks"])

# Elsewhere one sentence may say it all ("Return the profile ids, in order."), and sections that
# repeat it say less; what users import from the front page has them.
FRONT_PAGE_ONLY = {"PR01", "RT01", "YD01"}


def public_objects(module: Module) -> Iterator[str]:
    """Yield the dotted names of the functions, classes and methods that a module offers."""
    loaded = importlib.import_module(module.name)
    for name in exported(module.tree) or ():
        thing = getattr(loaded, name)
        if getattr(thing, "__module__", None) != module.name:
            continue
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        yield f"{module.name}.{name}"
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                # A function that stands in a class as the default of a field is not its method, and
                # what another package's base class puts there is that package's.
                is_method = (
                    inspect.isfunction(value)
                    and value.__qualname__.startswith(f"{name}.")
                    and value.__module__ == module.name
                )
                is_code = is_method or isinstance(value, (classmethod, staticmethod, property))
                if is_code and not member.startswith("_"):
                    yield f"{module.name}.{name}.{member}"


def faults(dotted: str, *, complete: bool) -> list[str]:
    """Return what numpydoc finds wrong with one docstring."""
    report = validate(dotted)
    owner, _, name = dotted.rpartition(".")
    if inspect.isclass(thing := getattr(sys.modules.get(owner), name, None)):
        # Nobody calls an enumeration, or makes a result by hand: the one has no parameters of its
        # own, the other says what it holds under Attributes.
        is_result = "Attributes\n---" in report["docstring"]
        complete = complete and not is_result and not issubclass(thing, enum.Enum)
    wanted = CHECKS if complete else CHECKS - FRONT_PAGE_ONLY
    if "Parameters\n---" in report["docstring"]:
        wanted = wanted | {"PR01"}
    return [f"{dotted}: {code} {text}" for code, text in report["errors"] if code in wanted]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_public_names_are_documented(module: Module) -> None:
    front = {
        f"{getattr(getattr(drugsig, name), '__module__', '')}.{name}" for name in drugsig.__all__
    }
    wrong = [
        line for name in public_objects(module) for line in faults(name, complete=name in front)
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_a_bad_docstring_is_found() -> None:
    assert any("PR02" in line for line in faults(f"{__name__}.wrongly_documented", complete=True))


def wrongly_documented(right: int) -> int:
    """Return what is given.

    Parameters
    ----------
    wrong : int
        A parameter that is not there.
    """
    return right
