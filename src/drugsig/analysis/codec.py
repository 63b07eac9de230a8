"""Results as data that can be written as JSON, and back, by the types of their fields."""

from __future__ import annotations

import base64
import binascii
import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import Note, note_from_data
from drugsig.errors import DrugsigError

__all__ = ["from_data", "to_data"]

_ENDLESS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_data(value: object, /) -> Any:
    """Return a result as mappings, lists, texts and numbers.

    An array is its type, its shape and its bytes in base64: exact, and many times faster than
    digits. A number that JSON has no word for is a text.

    Parameters
    ----------
    value : object
        Made of dataclasses, arrays, notes, enumerations, mappings, sequences and scalars. What has
        a ``to_data`` of its own says itself what it is.
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
        little = value.astype(value.dtype.newbyteorder("<"), copy=False)
        return {
            "type": little.dtype.str,
            "shape": list(value.shape),
            "base64": base64.b64encode(little.tobytes()).decode("ascii"),
        }
    if isinstance(value, np.generic):
        return to_data(value.item())
    if hasattr(value, "to_data"):
        return to_data(value.to_data())
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_data(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_data(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_data(v) for v in value]
    raise TypeError(f"{type(value).__name__} has no form as data")


# From numpy 2.5 on ``NDArray[...]`` is an alias with an origin of its own, before it is an ndarray.
_ARRAY_ALIAS = get_origin(NDArray[np.float64])


def from_data(kind: Any, data: Any, /) -> Any:
    """Return what `to_data` was given, of a type.

    Parameters
    ----------
    kind : type
        A dataclass, `Note`, an enumeration, ``tuple[...]``, ``Mapping[str, ...]``, ``X | None``, an
        array type or a scalar.
    data : Any
        As read from JSON.

    Raises
    ------
    ValueError
        If the data are not of the type; the message says where.
    """
    try:
        return _of(kind, data)
    except ValueError:
        raise
    except (DrugsigError, TypeError, LookupError, OverflowError, AttributeError) as error:
        raise ValueError(f"{getattr(kind, '__name__', kind)} cannot be made: {error}") from error


def _of(kind: Any, data: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if data is None:
            return None
        (one,) = (k for k in get_args(kind) if k is not types.NoneType)
        return _of(one, data)
    if origin is tuple:
        return _tuple(get_args(kind), data)
    if origin is _ARRAY_ALIAS and origin is not np.ndarray:
        return _array(np.dtype(get_args(kind)[0]), data)
    if origin is np.ndarray:
        return _array(np.dtype(get_args(get_args(kind)[1])[0]), data)
    if origin is not None and issubclass(origin, Mapping):
        item = get_args(kind)[1]
        return {k: _within(k, item, v) for k, v in _mapping(data).items()}
    if kind is Note:
        note = note_from_data(_mapping(data))
        # A fact of the wrong type shows in the sentence, or cannot be compared.
        hash(note), str(note)
        return note
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if kind in (str, bool, int, float):
        return _scalar(kind, data)
    if hasattr(kind, "from_data"):
        return kind.from_data(data)
    if not (isinstance(kind, type) and is_dataclass(kind)):
        raise ValueError(f"{kind} has no form as data")
    wanted, found = _hints(kind), _mapping(data)
    if set(wanted) != set(found):
        raise ValueError(f"the fields are {sorted(wanted)}, got {sorted(found)}")
    return kind(**{name: _within(name, wanted[name], found[name]) for name in wanted})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _within(name: str, kind: Any, data: Any) -> Any:
    try:
        return from_data(kind, data)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _mapping(data: Any) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"a mapping is needed, got {str(data)[:40]!r}")
    return data


def _tuple(kinds: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise ValueError(f"a list is needed, got {str(data)[:40]!r}")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_within(str(k), kinds[0], v) for k, v in enumerate(data))
    if len(kinds) != len(data):
        raise ValueError(f"{len(kinds)} values are needed, got {len(data)}")
    pairs = zip(kinds, data, strict=True)
    return tuple(_within(str(k), kind, v) for k, (kind, v) in enumerate(pairs))


def _scalar(kind: type, data: Any) -> Any:
    if kind is float and isinstance(data, str) and data in _ENDLESS:
        return _ENDLESS[data]
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if type(data) is not kind or (isinstance(data, float) and not math.isfinite(data)):
        raise ValueError(f"{kind.__name__} is needed, got {str(data)[:40]!r}")
    return data


def _array(dtype: np.dtype[Any], data: Any) -> np.ndarray:
    found = _mapping(data)
    little = dtype.newbyteorder("<")
    if set(found) != {"type", "shape", "base64"} or found["type"] != little.str:
        raise ValueError(f"an array of {little.str} is needed, got {sorted(found)}")
    shape = _tuple((int, ...), found["shape"])
    try:
        content = base64.b64decode(found["base64"], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError(f"no base64: {error}") from error
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"an array of shape {shape} has other than {len(content)} bytes")
    return np.frombuffer(content, dtype=little).astype(dtype).reshape(shape)
