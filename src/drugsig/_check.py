"""The one gate: arrays, names and choices are checked here, with one style of message."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from drugsig._notes import warn
from drugsig.errors import InputError, UnknownNameError

__all__ = [
    "FrozenArrays",
    "choose",
    "did_you_mean",
    "float_matrix",
    "freeze",
    "listed",
    "nearest",
    "one_line_text",
    "same_shape",
    "share",
    "unique_text",
    "warn",
]

# Unicode categories that break a line, a terminal or UTF-8: control characters, line and
# paragraph separators, half surrogates.
_NOT_ONE_LINE = ("Cc", "Zl", "Zp", "Cs")

# How many names an error message spells out before it says "and N more".
NAMES_SHOWN = 5

# How alike a name must be to be suggested, by difflib: "sqrt" still finds "square_root".
_ALIKE = 0.5


def listed(names: Iterable[object], *, most: int = NAMES_SHOWN) -> str:
    """Spell out the first names of a list and count the rest.

    >>> listed(["a", "b"]), listed("abcdefg")
    ("'a', 'b'", "'a', 'b', 'c', 'd', 'e' and 2 more")
    """
    all_names = [f"'{name}'" for name in names]
    shown = ", ".join(all_names[:most])
    rest = len(all_names) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that is most like this one, or None if none is alike.

    >>> nearest("Aged Specimen", ["aged specimen", "mixed lot"])
    'aged specimen'
    """
    original = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), list(original), n=1, cutoff=_ALIKE)
    return original[near[0]] if near else None


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Say which known name is nearest, or list the known names.

    >>> did_you_mean("pearsn", ["pearson", "cosine"])
    "Did you mean 'pearson'? Known: 'pearson', 'cosine'."
    """
    near = nearest(name, known)
    hint = "" if near is None else f"Did you mean '{near}'? "
    return f"{hint}Known: {listed(known, most=40)}." if known else "There are none."


def choose(name: object, known: Sequence[str], /, *, what: str) -> str:
    """Return `name` if it is one of `known`; otherwise say which is nearest.

    Parameters
    ----------
    name : object
        What was asked for.
    known : sequence of str
        What there is.
    what : str
        What the name stands for, as in "metric".

    Raises
    ------
    UnknownNameError
        If `name` is not in `known`.
    """
    if isinstance(name, str) and name in known:
        return name
    raise UnknownNameError(
        f"unknown {what} {name!r}. {did_you_mean(str(name), known)}",
        name=str(name),
        known=known,
    )


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array read-only and return it."""
    array.setflags(write=False)
    return array


class FrozenArrays:
    """A base for results whose arrays are read-only, also on the way to a worker.

    Pickling loses the read-only flag of an array; it is set again when the object is restored.
    """

    def __post_init__(self) -> None:
        """Make every array read-only."""
        self._freeze_arrays()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._freeze_arrays()

    def _freeze_arrays(self) -> None:
        for value in self.__dict__.values():
            if isinstance(value, np.ndarray):
                freeze(value)


def float_matrix(
    values: ArrayLike, /, *, what: str, allow_nan: bool = False
) -> NDArray[np.float64]:
    """Return a C-ordered float64 copy of a table of numbers.

    Parameters
    ----------
    values : array_like, shape (n, p)
        Numbers.
    what : str
        What they are, for the message.
    allow_nan : bool
        Whether NaN may stand for "unknown". Infinite values never may.

    Raises
    ------
    InputError
        If the values are not a table of real, finite numbers.
    """
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{what} must be a table, but its rows differ in length") from error
    if raw.dtype.kind not in "fiub":
        raise InputError(f"{what} must be real numbers, got an array of {raw.dtype}")
    array = np.array(raw, dtype=np.float64, order="C")
    if array.ndim != 2:
        raise InputError(
            f"{what} must be a table of shape (profiles, targets), got {array.ndim} dimension(s) "
            f"of shape {array.shape}"
        )
    bad = np.isinf(array) if allow_nan else ~np.isfinite(array)
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            f"{what} holds {int(bad.sum())} value(s) that are not finite; the first is "
            f"{array[row, column]} in row {row}, column {column}"
        )
    return array


def same_shape(
    array: ArrayLike, shape: tuple[int, ...], /, *, what: str, dtype: DTypeLike
) -> NDArray[Any]:
    """Return a copy of `array` with this dtype, or say that its shape is wrong."""
    out = np.array(array, dtype=dtype, order="C")
    if out.shape != shape:
        raise InputError(f"{what} must have shape {shape}, got {out.shape}")
    return out


def one_line_text(text: object, /, *, what: str) -> str:
    """Return `text` if it is one printable line of text.

    Raises
    ------
    InputError
        If it is not text, is empty, or holds control characters, line separators or half
        surrogates.
    """
    if not isinstance(text, str):
        raise InputError(f"{what} must be text, got {text!r} of type {type(text).__name__}")
    if not text:
        raise InputError(f"{what} must not be empty")
    if not text.isprintable():
        for place, character in enumerate(text):
            if unicodedata.category(character) in _NOT_ONE_LINE:
                raise InputError(
                    f"{what} must be one line of text, got {text!r} with the character "
                    f"U+{ord(character):04X} at place {place}"
                )
    return text


def unique_text(names: Iterable[object], /, *, what: str) -> tuple[str, ...]:
    """Return names as a tuple if each is one line of text and none comes twice.

    Raises
    ------
    InputError
        If a name is not usable or comes twice.
    """
    out = tuple(one_line_text(name, what=what) for name in names)
    if len(set(out)) != len(out):
        seen: set[str] = set()
        twice: list[str] = []
        for name in out:
            if name in seen and name not in twice:
                twice.append(name)
            seen.add(name)
        raise InputError(f"{what} must be unique, but {listed(twice)} came more than once")
    return out


def share(value: object, /, *, what: str, zero: bool = False) -> float:
    """Return a share as a float in (0, 1), or in [0, 1) where `zero` is allowed.

    Raises
    ------
    InputError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{what} must be a number between 0 and 1, got {value!r}")
    number = float(value)
    if not (0.0 < number < 1.0 or (zero and number == 0.0)):
        raise InputError(
            f"{what} must lie between 0 and 1, got {number}. A percentage is written as a share: "
            "2.5 % is 0.025"
        )
    return number
