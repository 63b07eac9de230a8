"""`Criteria`: what each figure of a validation must reach, as data that a laboratory sets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from drugsig._check import choose, is_number, listed, one_line_text
from drugsig._files import MOST_SETTINGS, parsed_toml, read_whole
from drugsig.errors import ConfigError, ReadError
from drugsig.evidence.validation.measures import MEASURES

__all__ = ["DEFAULT_CRITERIA", "Criteria", "Criterion", "load_criteria", "read_criteria"]

DEFAULT_CRITERIA = "default"

_FOLDER = ("data", "validation_criteria")
_ENDING = ".toml"
_LIMITS = ("at_most", "at_least")


@dataclass(frozen=True)
class Criterion:
    """What one figure must reach.

    Parameters
    ----------
    measure : str
        A key of `drugsig.evidence.validation.MEASURES`.
    limit : float
        The number.
    upper : bool
        Whether the figure must be at most the limit; else at least. Equal passes.
    why : str
        Where the number comes from.
    """

    measure: str
    limit: float
    upper: bool
    why: str

    def meets(self, value: float, /) -> bool:
        """Say whether a figure passes; NaN never does.

        Parameters
        ----------
        value : float
            The figure.
        """
        return value <= self.limit if self.upper else value >= self.limit

    def to_data(self) -> dict[str, Any]:
        """Return the criterion as one entry of a criteria file."""
        return {
            "measure": self.measure,
            "at_most" if self.upper else "at_least": self.limit,
            "why": self.why,
        }

    def __str__(self) -> str:
        return f"{'at most' if self.upper else 'at least'} {self.limit:g}"


@dataclass(frozen=True)
class Criteria:
    """A set of criteria, each figure at most once.

    Parameters
    ----------
    name : str
        What reports call the set.
    source : str
        Who set it.
    criteria : tuple of Criterion
        In any order.
    """

    name: str
    source: str
    criteria: tuple[Criterion, ...]

    def __iter__(self) -> Iterator[Criterion]:
        return iter(self.criteria)

    def __len__(self) -> int:
        return len(self.criteria)

    def of(self, measure: str, /) -> Criterion | None:
        """Return the criterion of a figure; None if there is none.

        Parameters
        ----------
        measure : str
            A key of `MEASURES`.
        """
        choose(measure, tuple(MEASURES), what="figure of a validation")
        return next((c for c in self.criteria if c.measure == measure), None)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Criteria:
        """Return criteria from what a criteria file holds.

        Parameters
        ----------
        data : mapping
            With ``name``, ``source`` and a list ``criteria``; each entry has ``measure``, ``why``
            and either ``at_most`` or ``at_least``.

        Raises
        ------
        ConfigError
            If a part is missing, unknown or of the wrong kind, or a figure comes twice.
        UnknownNameError
            If there is no such figure.
        """
        if not isinstance(data, Mapping):
            raise ConfigError(f"criteria must be a table, got {data!r}")
        wanted = {"name", "source", "criteria"}
        if set(data) != wanted:
            raise ConfigError(
                f"criteria need the parts {listed(sorted(wanted))}; missing: "
                f"{sorted(wanted - set(data))}, unknown: {sorted(set(data) - wanted)}"
            )
        if not isinstance(data["criteria"], list) or not data["criteria"]:
            raise ConfigError("criteria need at least one entry [[criteria]]")
        found = tuple(_criterion(entry) for entry in data["criteria"])
        measures = [c.measure for c in found]
        twice = sorted({m for m in measures if measures.count(m) > 1})
        if twice:
            raise ConfigError(f"{listed(twice)} has more than one criterion: which one counts?")
        return cls(
            one_line_text(data["name"], what="name of the criteria"),
            one_line_text(data["source"], what="source of the criteria"),
            found,
        )

    def to_data(self) -> dict[str, Any]:
        """Return the criteria as data that `from_data` reads."""
        return {
            "name": self.name,
            "source": self.source,
            "criteria": [c.to_data() for c in self.criteria],
        }


def load_criteria(name_or_path: str | Path = DEFAULT_CRITERIA, /) -> Criteria:
    """Return the criteria that come with drugsig, or those of a laboratory's own file.

    Parameters
    ----------
    name_or_path : str or Path
        ``"default"``, or the path of a TOML file, which ends with ``.toml``.

    Returns
    -------
    Criteria
        The default ones are this library's and no laboratory's: no standard prescribes numbers.

    Raises
    ------
    UnknownNameError
        If no set has this name.
    ReadError
        If the file cannot be read or used.

    Examples
    --------
    >>> print(load_criteria().of("cllr"))
    at most 0.5
    """
    if isinstance(name_or_path, str) and not name_or_path.endswith(_ENDING):
        name = choose(name_or_path, (DEFAULT_CRITERIA,), what="set of criteria")
        place = resources.files("drugsig.evidence").joinpath(*_FOLDER, name + _ENDING)
        return Criteria.from_data(parsed_toml(place.read_bytes()))
    return read_criteria(Path(name_or_path))[0]


def read_criteria(path: Path, /) -> tuple[Criteria, bytes]:
    """Return the criteria of a file, and the bytes that they were read from.

    Parameters
    ----------
    path : Path
        A TOML file.

    Raises
    ------
    ReadError
        If the file cannot be read or used.
    """
    try:
        content = read_whole(path, most=MOST_SETTINGS)
        return Criteria.from_data(parsed_toml(content)), content
    except (OSError, ValueError) as error:
        raise ReadError(f"criteria file '{path}' cannot be used: {error}", path=path) from error


def _criterion(entry: object) -> Criterion:
    if not isinstance(entry, Mapping):
        raise ConfigError(f"a criterion must be a table, got {entry!r}")
    limits = [key for key in _LIMITS if key in entry]
    unknown = sorted(set(entry) - {"measure", "why", *_LIMITS})
    if "measure" not in entry or len(limits) != 1 or unknown:
        raise ConfigError(
            "a criterion needs 'measure', 'why' and either 'at_most' or 'at_least', got "
            f"{sorted(entry)}"
        )
    measure = choose(entry["measure"], tuple(MEASURES), what="figure of a validation")
    value = entry[limits[0]]
    if not is_number(value) or not math.isfinite(value):
        raise ConfigError(f"{limits[0]} of criterion '{measure}' must be a number, got {value!r}")
    why = one_line_text(entry.get("why"), what=f"'why' of criterion '{measure}'")
    return Criterion(measure, float(value), limits[0] == "at_most", why)
