"""The one gate: arrays, names and choices are checked here, with one style of message."""

from __future__ import annotations

import difflib
import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from drugsig.errors import InputError, UnknownNameError

__all__ = [
    "FEWEST_RESAMPLES",
    "MOST_RESAMPLES",
    "FrozenArrays",
    "choose",
    "did_you_mean",
    "float_matrix",
    "freeze",
    "generator",
    "is_number",
    "is_whole",
    "listed",
    "nearest",
    "number",
    "number_range",
    "one_line_text",
    "refuse_single_text",
    "same_shape",
    "share",
    "unique_text",
    "whole_number",
    "whole_numbers",
]

# Unicode categories that break a line, a terminal or UTF-8: control characters, line and
# paragraph separators, half surrogates.
_NOT_ONE_LINE = ("Cc", "Zl", "Zp", "Cs")

# The fewest resamples whose percentiles say anything about 95 % intervals.
FEWEST_RESAMPLES = 100
# More change no digit that is shown, and take memory for every source.
MOST_RESAMPLES = 100_000

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
    if not is_number(value):
        raise InputError(f"{what} must be a number between 0 and 1, got {value!r}")
    number = float(value)
    if not (0.0 < number < 1.0 or (zero and number == 0.0)):
        raise InputError(
            f"{what} must lie between 0 and 1, got {number}. A percentage is written as a share: "
            "2.5 % is 0.025"
        )
    return number


def refuse_single_text(names: object, /, what: str) -> None:
    """Refuse one text where several are meant: 'ab' would silently stand for 'a' and 'b'.

    Raises
    ------
    InputError
        If it is text.
    """
    if isinstance(names, str):
        raise InputError(f"{what} must be a list, got the text {names!r}. Write [{names!r}].")


def generator(rng: object, /) -> np.random.Generator:
    """Return `rng` if it is a numpy generator.

    Raises
    ------
    InputError
        If it is something else, such as a bare seed.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    raise InputError(
        f"rng must be a numpy.random.Generator, got {rng!r} of type {type(rng).__name__}. Make one "
        "from a seed: rng=numpy.random.default_rng(1)."
    )


def is_whole(value: object, /) -> TypeGuard[int]:
    """Tell whether a value is a whole number; true and false are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: object, /) -> TypeGuard[float]:
    """Tell whether a value is a real number; true and false are none."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def whole_number(
    value: object,
    /,
    *,
    what: str,
    least: int = 0,
    most: int | None = None,
    error: type[InputError] = InputError,
) -> int:
    """Return a whole number within bounds, as a plain int.

    Raises
    ------
    InputError
        If it is no whole number or lies outside; of the class `error`.
    """
    if is_whole(value) and least <= value and (most is None or value <= most):
        return int(value)
    bounds = f"from {least}" if most is None else f"from {least} to {most}"
    raise error(f"{what} must be a whole number {bounds}, got {value!r}")


def whole_numbers(values: object, /, *, what: str, least: int = 0) -> tuple[int, ...]:
    """Return a sequence of whole numbers, not empty.

    Raises
    ------
    InputError
        If it is empty, no sequence, or one of them is no whole number or too small.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, np.ndarray)):
        raise InputError(f"{what} must be a list of whole numbers, got {values!r}")
    if not len(values):
        raise InputError(f"{what} must not be empty")
    return tuple(
        whole_number(v, what=f"{what}, place {k}", least=least)
        for k, v in enumerate(values, start=1)
    )


def number(
    value: object, /, *, what: str, low: float = 0.0, high: float = math.inf, open_low: bool = False
) -> float:
    """Return a finite number within bounds; `open_low` leaves the lower bound out.

    Raises
    ------
    InputError
        If it is no finite number or lies outside.
    """
    if not is_number(value):
        raise InputError(f"{what} must be a number, got {value!r}")
    one = float(value)
    least = "above" if open_low else "at least"
    bounds = f"{least} {low:g}" + ("" if math.isinf(high) else f" and at most {high:g}")
    if not math.isfinite(one) or one < low or one > high or (open_low and one == low):
        raise InputError(f"{what} must be {bounds}, got {one:g}")
    return one


def number_range(
    value: object, /, *, what: str, low: float = 0.0, high: float = math.inf
) -> tuple[float, float]:
    """Return the two ends of a range; one number is a range of no width.

    Raises
    ------
    InputError
        If it is neither a number nor two, or the second is smaller than the first.
    """
    if is_number(value):
        one = number(value, what=what, low=low, high=high)
        return one, one
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence) or len(value) != 2:
        raise InputError(f"{what} must be one number, or two as (least, most); got {value!r}")
    first = number(value[0], what=f"the least {what}", low=low, high=high)
    last = number(value[1], what=f"the most {what}", low=low, high=high)
    if last < first:
        raise InputError(f"{what} must be (least, most), got ({first:g}, {last:g})")
    return first, last
