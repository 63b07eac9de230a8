"""The tree at the top of `drugsig.errors` is the tree of the classes."""

from __future__ import annotations

import inspect
import re

from drugsig import errors

CLASSES = {
    name: thing
    for name, thing in vars(errors).items()
    if inspect.isclass(thing) and thing.__module__ == errors.__name__
}


def drawn_tree() -> dict[str, tuple[str | None, str | None]]:
    """Return name -> (parent, second base) as drawn."""
    found: dict[str, tuple[str | None, str | None]] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^[ │├└─]*?(\w+(?:Error|Warning))(?: \((\w+)\))?(?:\s|$)", line)
        if not match or not line.startswith("    "):
            continue
        depth = match.start(1)
        above = [(d, n) for d, n in above if d < depth]
        found[match.group(1)] = (above[-1][1] if above else None, match.group(2))
        above.append((depth, match.group(1)))
    return found


def test_every_class_is_drawn_where_it_stands() -> None:
    actual = {}
    for name, thing in CLASSES.items():
        own = [base.__name__ for base in thing.__bases__ if base.__module__ == errors.__name__]
        other = [base.__name__ for base in thing.__bases__ if base.__module__ != errors.__name__]
        second = other[0] if other and other[0] != "Exception" else None
        actual[name] = (own[0] if own else None, second)
    assert drawn_tree() == actual


def test_every_class_is_exported() -> None:
    assert set(errors.__all__) == set(CLASSES)
