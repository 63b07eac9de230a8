"""Records as data that TOML and JSON can hold, and back, by the types of their fields."""

from __future__ import annotations

import base64
import binascii
import inspect
import math
import os
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose, is_number, is_whole, listed
from drugsig._notes import Note, note_from_data
from drugsig.errors import InputError, UnknownNameError

__all__ = ["arguments_of", "given", "record_data", "record_of", "to_data"]

T = TypeVar("T")

_ENDLESS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

# How much of a wrong value a message shows.
_SHOWN = 80


def to_data(value: object, /, *, digits: bool = False) -> Any:
    """Return a value as mappings, lists, texts and numbers.

    A number that JSON has no word for is a text.

    Parameters
    ----------
    value : object
        Made of dataclasses, arrays, notes, enumerations, mappings, sequences and scalars. What has
        a ``to_data`` of its own says itself what it is.
    digits : bool
        Write arrays as lists of numbers. Else an array is its type, its shape and its bytes in
        base64: exact as well, and many times faster.
    """
    if isinstance(value, (str, bool, int, type(None))) and not isinstance(value, Enum):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return next(name for name, number in _ENDLESS.items() if str(number) == str(float(value)))
    if isinstance(value, np.ndarray):
        return to_data(value.tolist()) if digits else _array_data(value)
    if isinstance(value, np.generic):
        return to_data(value.item())
    if hasattr(value, "to_data"):
        return to_data(value.to_data(), digits=digits)
    if is_dataclass(value) and not isinstance(value, type):
        return record_data(value, digits=digits)
    if isinstance(value, Mapping):
        return {str(k): to_data(v, digits=digits) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_data(v, digits=digits) for v in value]
    if isinstance(value, os.PathLike):
        return Path(value).as_posix()
    raise TypeError(f"{type(value).__name__} has no form as data")


def record_data(record: Any, /, *, digits: bool = False) -> dict[str, Any]:
    """Return the fields of a dataclass by name, as `to_data` writes them."""
    return {f.name: to_data(getattr(record, f.name), digits=digits) for f in fields(record)}


def given(record: Any, /) -> dict[str, Any]:
    """Return the fields of a dataclass that are set and differ from their defaults."""
    values = {f.name: (getattr(record, f.name), f.default) for f in fields(record)}
    return {name: value for name, (value, usual) in values.items() if value not in (None, usual)}


def record_of(
    kind: type[T],
    data: object,
    /,
    *,
    where: str,
    error: type[InputError] = InputError,
    stored: bool = False,
    key: str | None = None,
) -> T:
    """Return the record that data hold, by the names and types of the fields of its class.

    Parameters
    ----------
    kind : type
        A dataclass. Its fields are scalars, ``X | None``, ``Literal``, enumerations, ``tuple``,
        ``Sequence`` and ``Mapping`` of such, `Note`, arrays, records, or have a ``from_data`` of
        their own. Nothing goes deeper than its types do.
    data : object
        As read from TOML or JSON.
    where : str
        What the data are, for messages: ``"analysis.toml"``, ``"validation.toml, [model]"``.
    error : type of InputError
        Of all errors but those of an unknown name.
    stored : bool
        Whether they were written by `to_data`: then every field is there, also one that has a
        default, and numbers may be endless.
    key : str, optional
        What one of its names is called where it is not known; by default a key of `where`.

    Raises
    ------
    InputError
        Of the class `error`: if a field is missing, of the wrong kind, or refused by the record.
    UnknownNameError
        If there is no such field, or a name is refused by the record.
    """
    made: T = _record(kind, data, _Place(where, error, stored, key))
    return made


def arguments_of(
    function: Callable[..., object],
    data: object,
    /,
    *,
    where: str,
    error: type[InputError] = InputError,
    without: Collection[str] = (),
) -> dict[str, Any]:
    """Return the keyword arguments of a function that data hold, by their names and types.

    Parameters
    ----------
    function : callable
        With annotations.
    data : object
        As read from TOML or JSON; what is left out has its default.
    where, error
        As for `record_of`.
    without : collection of str
        Arguments that data may not hold.

    Raises
    ------
    InputError
        Of the class `error`: if a value is of the wrong kind.
    UnknownNameError
        If there is no such argument.
    """
    hints = get_type_hints(function)
    known = inspect.signature(function).parameters.values()
    names = [p.name for p in known if p.kind is p.KEYWORD_ONLY and p.name not in without]
    return _fields({n: hints[n] for n in names}, data, _Place(where, error, stored=False))


@dataclass(frozen=True)
class _Place:
    """Where in the data one is, and what is raised there."""

    where: str
    error: type[InputError]
    stored: bool
    key: str | None = None

    def inside(self, name: str, data: object) -> _Place:
        """Return the place of a field: a table has its name in brackets."""
        table = isinstance(data, Mapping)
        if table and self.where.endswith("]"):
            return replace(self, where=f"{self.where[:-1]}.{name}]", key=None)
        where = f"{self.where}, [{name}]" if table else f"{self.where}: {name}"
        return replace(self, where=where, key=None)

    def entry(self, number: int) -> _Place:
        """Return the place of an entry of a list, counted from 1."""
        return replace(self, where=f"{self.where}, entry {number}")

    def wants(self, what: str, data: object) -> InputError:
        """Return the error of a value of the wrong kind."""
        shown = repr(data)
        shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
        return self.error(f"{self.where} must be {what}, got {shown}{_percentage(what, data)}")


# Words for what is wanted; without one it is a table.
_NUMBER = "a number"
_WORDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: _NUMBER,
}


def _percentage(what: str, data: object) -> str:
    """Return what to write instead of "1 %"."""
    if what != _NUMBER or not isinstance(data, str) or not data.strip().endswith("%"):
        return ""
    try:
        share = float(data.strip().rstrip("%").replace(",", ".")) / 100.0
    except ValueError:
        return ""
    return f": a share is a number without quotes, and {share:g} stands for {data.strip()}"


def _record(kind: Any, data: object, place: _Place) -> Any:
    hints = _hints(kind)
    given = _fields(hints, data, place)
    optional = set() if place.stored else _with_default(kind)
    lacking = [name for name in hints if name not in given and name not in optional]
    if lacking:
        raise place.error(f"{place.where} lacks {listed(lacking)}. Write it, or the file anew.")
    return _made(lambda: kind(**given), place)


def _fields(hints: Mapping[str, Any], data: object, place: _Place) -> dict[str, Any]:
    """Return the values of a table by name, each of its kind."""
    if not isinstance(data, Mapping):
        raise place.wants("a table", data)
    for key in data:
        choose(key, tuple(hints), what=place.key or f"key of {place.where}")
    return {
        name: _value(kind, data[name], place.inside(name, data[name]))
        for name, kind in hints.items()
        if name in data
    }


def _made(make: Any, place: _Place) -> Any:
    """Make an object; what it refuses is told with its place."""
    try:
        return make()
    except UnknownNameError as error:
        raise UnknownNameError(
            f"{place.where}: {error}", name=error.name, known=error.known
        ) from error
    except (InputError, TypeError, LookupError, OverflowError, AttributeError) as error:
        raise place.error(f"{place.where}: {error}") from error


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


@cache
def _with_default(kind: Any) -> frozenset[str]:
    return frozenset(
        f.name for f in fields(kind) if f.default is not MISSING or f.default_factory is not MISSING
    )


# From numpy 2.5 on ``NDArray[...]`` is an alias with an origin of its own, before it is an ndarray.
_ARRAY_ALIAS = get_origin(NDArray[np.float64])


def _value(kind: Any, data: Any, place: _Place) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(inner, data, place)
    if origin is Literal:
        return choose(data, inner, what=f"value of {place.where}")
    if origin is _ARRAY_ALIAS and origin is not np.ndarray:
        return _array(np.dtype(inner[0]), data, place)
    if origin is np.ndarray:
        return _array(np.dtype(get_args(inner[1])[0]), data, place)
    if origin is os.PathLike:
        return data if isinstance(data, os.PathLike) else _scalar(str, data, place)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(data, Mapping):
            raise place.wants("a table", data)
        return {
            _scalar(str, k, place): _value(inner[1], v, place.inside(str(k), v))
            for k, v in data.items()
        }
    if origin is not None and issubclass(origin, Sequence):
        found = _several(inner, data, place)
        return found if issubclass(origin, tuple) else type(data)(found)
    if kind in _WORDS:
        return _scalar(kind, data, place)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _made(lambda: kind(data), place)
    if kind is Note:
        return _made(lambda: _note(data), place)
    if isinstance(kind, type) and isinstance(data, kind):
        return data
    if kind is Path:
        return Path(_scalar(str, data, place))
    if hasattr(kind, "from_data"):
        return _made(lambda: kind.from_data(data), place)
    if not (isinstance(kind, type) and is_dataclass(kind)):
        raise TypeError(f"{kind} has no form as data")
    return _record(kind, data, place)


def _one_of(kinds: tuple[Any, ...], data: Any, place: _Place) -> Any:
    """Return a value of the first kind that it is of."""
    if data is None and types.NoneType in kinds:
        return None
    kinds = tuple(k for k in kinds if k is not types.NoneType)
    if len(kinds) == 1:
        return _value(kinds[0], data, place)
    for kind in kinds:
        try:
            return _value(kind, data, place)
        except InputError:
            continue
    raise place.wants(" or ".join(dict.fromkeys(map(_words, kinds))), data)


def _words(kind: Any) -> str:
    origin = get_origin(kind)
    if kind in _WORDS or origin is os.PathLike:
        return _WORDS.get(kind, "text")
    if origin is None or issubclass(origin, Mapping):
        return "a table"
    inner = get_args(kind)[0]
    return {str: "a list of texts", int: "a list of whole numbers"}.get(inner, "a list")


def _several(kinds: tuple[Any, ...], data: Any, place: _Place) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise place.wants(_words(Sequence[kinds[0]]), data)  # type: ignore[valid-type]
    if len(kinds) == 1 or kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(data)
    if len(kinds) != len(data):
        raise place.wants(f"a list of {len(kinds)}", data)
    pairs = enumerate(zip(kinds, data, strict=True), start=1)
    return tuple(_value(kind, v, place.entry(k)) for k, (kind, v) in pairs)


def _scalar(kind: type, data: Any, place: _Place) -> Any:
    if kind is float and place.stored and isinstance(data, str) and data in _ENDLESS:
        return _ENDLESS[data]
    if kind is float and is_number(data):
        try:
            number = float(data)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    elif kind is int and is_whole(data):
        return int(data)
    elif kind in (str, bool) and isinstance(data, kind):
        return data
    raise place.wants(_WORDS[kind], data)


def _note(data: Any) -> Note:
    if not isinstance(data, Mapping):
        raise InputError(f"a note must be a table, got {data!r}")
    note = note_from_data(data)
    # A fact of the wrong type shows in the sentence, or cannot be compared.
    hash(note), str(note)
    return note


def _array_data(value: NDArray[Any]) -> dict[str, Any]:
    little = value.astype(value.dtype.newbyteorder("<"), copy=False)
    return {
        "type": little.dtype.str,
        "shape": list(value.shape),
        "base64": base64.b64encode(little.tobytes()).decode("ascii"),
    }


def _array(dtype: np.dtype[Any], data: Any, place: _Place) -> NDArray[Any]:
    if isinstance(data, list):
        try:
            numbers = np.array(data, dtype=dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise place.wants("numbers", data) from error
        if not np.isfinite(numbers).all():
            raise place.wants("finite numbers", data)
        return numbers
    little = dtype.newbyteorder("<")
    if (
        not isinstance(data, Mapping)
        or set(data) != {"type", "shape", "base64"}
        or data["type"] != little.str
    ):
        raise place.wants(f"an array of {little.str}", data)
    shape = _several((int, ...), data["shape"], place)
    try:
        content = base64.b64decode(data["base64"], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise place.wants("an array in base64", data["base64"]) from error
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(content):
        raise place.error(f"{place.where} of shape {shape} has other than {len(content)} bytes")
    return np.frombuffer(content, dtype=little).astype(dtype).reshape(shape)
