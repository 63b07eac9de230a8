"""A fact: one value of a protocol, with where it was read and whether somebody read it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

__all__ = ["Fact", "Number", "Value", "as_data", "tidy"]

Number = int | float
Value = str | Number | tuple[str | Number, ...]

# Beyond this a float no longer tells whole numbers apart.
_EXACT = 2.0**53


@dataclass(frozen=True)
class Fact:
    """One value with its source.

    Parameters
    ----------
    value : str, number or tuple of those
        The value.
    source : str
        The key of the source, see `Source`.
    verified : bool
        Whether the value was read in that source. False: recalled, assumed or chosen.
    unit : str, optional
        The unit of the value.
    where : str, optional
        The place in the source: a page, a table, the entry of a library.
    note : str, optional
        What a reader must know beside it.

    Examples
    --------
    >>> str(Fact(250, "andersson_2007", True, unit="°C"))
    '250 °C'
    """

    value: Value
    source: str
    verified: bool
    unit: str | None = None
    where: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        value = self.value
        whole = tuple(map(tidy, value)) if isinstance(value, (list, tuple)) else tidy(value)
        object.__setattr__(self, "value", whole)

    def __str__(self) -> str:
        parts = self.value if isinstance(self.value, tuple) else (self.value,)
        text = ", ".join(f"{x:g}" if isinstance(x, float) else str(x) for x in parts)
        return f"{text} {self.unit}" if self.unit else text

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Fact:
        """Make a fact from a table of a protocol file that has been checked."""
        return cls(**data)


def tidy(value: object) -> object:
    """Return a whole number as int, so that 124 and 124.0 are written, and hashed, alike."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def as_data(thing: object) -> Any:
    """Return a part of a protocol as plain data: what is None or empty is left out."""
    if isinstance(thing, (list, tuple)):
        return [as_data(x) for x in thing]
    if is_dataclass(thing):
        pairs = ((f.name, getattr(thing, f.name)) for f in fields(thing))
        return {name: as_data(x) for name, x in pairs if x is not None and x != ()}
    return tidy(thing)
