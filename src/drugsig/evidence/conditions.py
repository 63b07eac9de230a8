"""Conditions on pairs of profiles, in words and as where they hold, fail, or nobody knows.

Conditions on a pair of profiles: named, composable, and three-valued.

``&``, ``|`` and ``~`` combine conditions; unknown stays unknown unless the other part decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import choose, listed, one_line_text
from drugsig.errors import ConfigError, InputError
from drugsig.profiles.labels import without_meaning
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "FALSE",
    "TRUE",
    "UNKNOWN",
    "CompoundCondition",
    "Condition",
    "GroupSize",
    "PairCondition",
    "Truth",
    "agree",
    "both",
    "codes_of",
    "evaluate",
    "fitting",
    "judge",
    "names_of",
    "negate",
]

Truth = NDArray[np.int8]
Rows = NDArray[np.intp]

# How compound conditions are written as data, and how they are joined in words.
_JOINED = {"all": " and ", "any": " or "}
_NOT = "not"

# A condition inside of a condition inside of ...: more than this is no rule that a reader follows.
_DEEPEST = 20

# Three-valued truth of a condition on a pair.
TRUE = np.int8(1)
FALSE = np.int8(0)
UNKNOWN = np.int8(-1)


@dataclass(frozen=True)
class GroupSize:
    """Both profiles belong to groups of a certain size.

    Parameters
    ----------
    column : str
        Profiles with the same text in this column are one group; sizes are counted over the
        whole profile set.
    low, high : int
        The least and the largest size that counts.
    """

    column: str
    low: int
    high: int

    def __post_init__(self) -> None:
        one_line_text(self.column, what="the column of a group size")
        if not (isinstance(self.low, int) and isinstance(self.high, int)):
            raise InputError(f"group sizes must be whole numbers, got {self.low!r}, {self.high!r}")
        if not 1 <= self.low <= self.high:
            raise InputError(f"group sizes must be 1 <= low <= high, got {self.low}, {self.high}")


class Condition(ABC):
    """What must hold for a pair of profiles.

    Made of `PairCondition` with ``&`` (both hold), ``|`` (one of them holds) and ``~`` (it does
    not hold). Three-valued: where a metadata cell is empty the answer is unknown, unless another
    part decides.
    """

    name: str

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The metadata columns it looks at."""

    @abstractmethod
    def to_data(self) -> dict[str, Any]:
        """Return the condition as data that `from_data` reads."""

    @abstractmethod
    def _words(self) -> str: ...

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /, *, where: str) -> Condition:
        """Read a condition from data, as in an analysis file.

        Parameters
        ----------
        data : mapping
            ``same``, ``different`` and ``group_size``; or ``all``, ``any`` (lists of conditions)
            or ``not`` (a condition); and a ``name``, if it has one.
        where : str
            What the condition is for, for messages.

        Raises
        ------
        ConfigError
            If a value has the wrong kind.
        UnknownNameError
            If a key is not known.
        """
        return _from_data(data, where, 0)

    def named(self, name: str, /) -> Condition:
        """Return the same condition under a name of its own, used in reports and messages."""
        text = one_line_text(name, what="the name of a condition")
        return replace(self, name=text)  # type: ignore[type-var]  # every subclass is a dataclass

    def __and__(self, other: object) -> Condition:
        return _joined("all", self, other)

    def __or__(self, other: object) -> Condition:
        return _joined("any", self, other)

    def __invert__(self) -> Condition:
        if isinstance(self, CompoundCondition) and self.kind == _NOT and not self.name:
            return self.parts[0]
        return CompoundCondition(_NOT, (self,))

    def __str__(self) -> str:
        return f"{self.name} ({self._words()})" if self.name else self._words()


@dataclass(frozen=True)
class PairCondition(Condition):
    """What must hold for a pair of profiles: everything named here.

    Three-valued: where a metadata cell is empty the answer is unknown, unless another part is
    false already.

    Parameters
    ----------
    same : tuple of str
        Columns in which both profiles have the same text.
    different : tuple of str
        Columns in which they differ, every one of them.
    group_size : GroupSize, optional
        A condition on the size of the groups both belong to.
    name : str
        What reports call the condition; its words alone by default.

    Examples
    --------
    >>> batch = PairCondition(same=("batch_id",))
    >>> press = PairCondition(same=("press", "logo"))
    >>> print(batch | press)
    the same batch_id or the same press, logo
    >>> print(~(batch | press))
    not (the same batch_id or the same press, logo)
    """

    same: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    group_size: GroupSize | None = None
    name: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The metadata columns it looks at."""
        sized = () if self.group_size is None else (self.group_size.column,)
        return tuple(dict.fromkeys((*self.same, *self.different, *sized)))

    def to_data(self) -> dict[str, Any]:
        """Return the condition as data."""
        data: dict[str, Any] = {"name": self.name} if self.name else {}
        if self.same:
            data["same"] = list(self.same)
        if self.different:
            data["different"] = list(self.different)
        if self.group_size is not None:
            size = self.group_size
            data["group_size"] = {"column": size.column, "low": size.low, "high": size.high}
        return data

    def _words(self) -> str:
        parts = []
        if self.same:
            parts.append("the same " + ", ".join(self.same))
        if self.different:
            parts.append("different " + ", ".join(self.different))
        if self.group_size is not None:
            size = self.group_size
            span = f"{size.low}" if size.low == size.high else f"{size.low} to {size.high}"
            parts.append(f"{size.column} of {span} profile(s)")
        return " and ".join(parts)

    # A dataclass would write its own.
    __str__ = Condition.__str__


@dataclass(frozen=True)
class CompoundCondition(Condition):
    """Conditions put together; written with ``&``, ``|`` and ``~``.

    Parameters
    ----------
    kind : {"all", "any", "not"}
        Whether all parts must hold, at least one, or the only part must not.
    parts : tuple of Condition
        What is put together.
    name : str
        What reports call the condition; its words alone by default.
    """

    kind: str
    parts: tuple[Condition, ...]
    name: str = ""

    def __post_init__(self) -> None:
        choose(self.kind, (*_JOINED, _NOT), what="way to put conditions together")
        wrong = [p for p in self.parts if not isinstance(p, Condition)]
        if wrong:
            raise InputError(f"conditions are put together with conditions, got {wrong[0]!r}")
        if not self.parts or (self.kind == _NOT and len(self.parts) != 1):
            wanted = "exactly one" if self.kind == _NOT else "at least one"
            raise InputError(
                f"'{self.kind}' takes {wanted} condition, got {len(self.parts)}. 'not' of several "
                "is written as 'not' of their 'any' or 'all'."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The metadata columns it looks at."""
        return tuple(dict.fromkeys(c for part in self.parts for c in part.columns))

    def to_data(self) -> dict[str, Any]:
        """Return the condition as data."""
        data: dict[str, Any] = {"name": self.name} if self.name else {}
        parts = [part.to_data() for part in self.parts]
        data[self.kind] = parts[0] if self.kind == _NOT else parts
        return data

    def _words(self) -> str:
        if self.kind == _NOT:
            return f"not {_bracketed(self.parts[0], self.kind)}"
        return _JOINED[self.kind].join(_bracketed(part, self.kind) for part in self.parts)

    __str__ = Condition.__str__


def names_of(value: object, /, *, where: str) -> tuple[str, ...]:
    """Return one name or a list of names as a tuple.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) and n for n in names):
        raise ConfigError(f"{where} must be names of columns or texts, got {value!r}")
    return tuple(str(n) for n in names)


def _joined(kind: str, first: Condition, second: object) -> Condition:
    if not isinstance(second, Condition):
        raise InputError(
            f"a condition is put together with another condition, got {second!r}. Write "
            "PairCondition(same=(...)) & PairCondition(different=(...))."
        )
    parts: list[Condition] = []
    for one in (first, second):
        # What carries no name of its own is written flat: a & b & c is one list of three.
        flat = isinstance(one, CompoundCondition) and one.kind == kind and not one.name
        parts.extend(one.parts if isinstance(one, CompoundCondition) and flat else (one,))
    return CompoundCondition(kind, tuple(parts))


def _bracketed(part: Condition, kind: str) -> str:
    if isinstance(part, CompoundCondition):
        plain = bool(part.name) or part.kind == _NOT
    else:
        plain = kind == "any" or bool(part.name) or " and " not in str(part)
    return str(part) if plain else f"({part})"


def _from_data(data: Mapping[str, Any], where: str, depth: int) -> Condition:
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where} must be a table, got {data!r}")
    if depth > _DEEPEST:
        raise ConfigError(
            f"more than {_DEEPEST} conditions stand inside of each other. Write them flat: all and "
            "any take lists."
        )
    simple = ("same", "different", "group_size")
    for key in data:
        choose(key, (*simple, *_JOINED, _NOT, "name"), what=f"key of {where}")
    name = "" if "name" not in data else one_line_text(data["name"], what=f"name of {where}")
    ways = [key for key in (*_JOINED, _NOT) if key in data]
    if ways:
        if len(ways) > 1 or any(key in data for key in simple):
            raise ConfigError(
                f"{where} has {listed(k for k in data if k != 'name')} side by side. A condition "
                "is either same, different and group_size together, or one of all, any and not."
            )
        inside = [data[_NOT]] if ways[0] == _NOT else data[ways[0]]
        if not isinstance(inside, (list, tuple)):
            raise ConfigError(f"{ways[0]} of {where} must be a list of tables, got {inside!r}")
        parts = [_from_data(part, f"{ways[0]} of {where}", depth + 1) for part in inside]
        return CompoundCondition(ways[0], tuple(parts), name)
    size = data.get("group_size")
    if size is not None:
        if not isinstance(size, Mapping) or set(size) != {"column", "low", "high"}:
            raise ConfigError(
                f"group_size of {where} must be a table with column, low and high, got {size!r}"
            )
        size = GroupSize(size["column"], size["low"], size["high"])
    condition = PairCondition(
        same=names_of(data.get("same", ()), where=f"same of {where}"),
        different=names_of(data.get("different", ()), where=f"different of {where}"),
        group_size=size,
        name=name,
    )
    if not condition.columns:
        raise ConfigError(
            f"{where} names no column. Say what is known, for example same = ['batch_id'] for "
            "linked and different = ['batch_id'] for unlinked pairs."
        )
    return condition


def codes_of(profiles: ProfileSet, column: str) -> NDArray[np.intp]:
    """Return one whole number a text, in order of first use; -1 where nothing is known.

    A cell is empty, or holds a text that says so, see `drugsig.profiles.labels.is_not_known`.

    Raises
    ------
    MetadataError
        If there is no such column.
    """
    table = profiles.profiles
    if column not in table.columns:
        profiles.column(column)
    numbers, texts = pd.factorize(table[column])
    nothing = without_meaning(column, texts)
    if nothing:
        kept = np.array([text not in nothing for text in texts], dtype=bool)
        # The last place is that of an empty cell, -1.
        numbers = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)[numbers]
    return np.asarray(numbers, dtype=np.intp)


def agree(codes: NDArray[np.intp], rows: Rows, columns: Rows) -> Truth:
    """Say whether two profiles have the same code; unknown where one has none."""
    a, b = codes[rows], codes[columns]
    truth: Truth = (a == b).astype(np.int8)
    if codes.min(initial=0) < 0:
        truth[(a < 0) | (b < 0)] = UNKNOWN
    return truth


def both(first: Truth, second: Truth) -> Truth:
    """Three-valued AND: false wins over unknown, unknown over true."""
    return np.where(
        (first == FALSE) | (second == FALSE),
        FALSE,
        np.where((first == UNKNOWN) | (second == UNKNOWN), UNKNOWN, TRUE),
    )


def _either(first: Truth, second: Truth) -> Truth:
    """Three-valued OR: true wins over unknown, unknown over false."""
    return negate(both(negate(first), negate(second)))


def negate(truth: Truth) -> Truth:
    """Three-valued NOT."""
    return np.where(truth == UNKNOWN, UNKNOWN, 1 - truth).astype(np.int8)


def evaluate(
    condition: Condition,
    codes: Mapping[str, NDArray[np.intp]],
    rows: Rows,
    columns: Rows,
) -> Truth:
    """Evaluate a condition on pairs.

    Parameters
    ----------
    condition : Condition
        What must hold.
    codes : mapping of str to ndarray of int, shape (n_profiles,)
        `codes_of` every column the condition looks at.
    rows, columns : ndarray of int, shape (n_pairs,)
        The pairs.

    Returns
    -------
    ndarray of int8, shape (n_pairs,)
        1 true, 0 false, -1 unknown.
    """

    def sized(size: GroupSize) -> Truth:
        fits = fitting(size, codes[size.column])
        return both(fits[rows], fits[columns])

    return judge(condition, lambda column: agree(codes[column], rows, columns), sized, len(rows))


def fitting(size: GroupSize, codes: NDArray[np.intp]) -> Truth:
    """Say which profiles belong to a group of the size, shape (n_profiles,)."""
    counts = np.bincount(codes[codes >= 0], minlength=1)
    fits = (counts[codes] >= size.low) & (counts[codes] <= size.high)
    return np.where(codes < 0, UNKNOWN, fits).astype(np.int8)


def judge(
    condition: Condition,
    same: Callable[[str], Truth],
    sized: Callable[[GroupSize], Truth],
    n_pairs: int,
) -> Truth:
    """Evaluate a condition on pairs of which is known in which columns they agree.

    Parameters
    ----------
    condition : Condition
        What must hold.
    same : callable
        From a column to whether both profiles have the same text in it.
    sized : callable
        From a size to whether both belong to groups of it.
    n_pairs : int
        How many pairs.

    Returns
    -------
    ndarray of int8, shape (n_pairs,)
        1 true, 0 false, -1 unknown.
    """
    if isinstance(condition, CompoundCondition):
        parts = [judge(part, same, sized, n_pairs) for part in condition.parts]
        if condition.kind == "not":
            return negate(parts[0])
        return reduce(both if condition.kind == "all" else _either, parts)
    if not isinstance(condition, PairCondition):
        raise InputError(f"a condition on pairs is needed, got {condition!r}")
    truth: Truth = np.full(n_pairs, TRUE, dtype=np.int8)
    for column in condition.same:
        truth = both(truth, same(column))
    for column in condition.different:
        truth = both(truth, negate(same(column)))
    if condition.group_size is not None:
        truth = both(truth, sized(condition.group_size))
    return truth
