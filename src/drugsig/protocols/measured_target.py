"""A target of a protocol: which ions are measured, when, and what is known of the compound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drugsig.protocols.fact import Fact
from drugsig.protocols.target import Target

__all__ = [
    "STABILITY_ACTIONS",
    "SUM_WITH",
    "Identifiers",
    "ProtocolTarget",
    "Qualifier",
    "Quantifier",
    "Retention",
    "Stability",
]

STABILITY_ACTIONS = ("exclude", "flag")

# "sum_with:NAME" adds the area to that of the target NAME, which stands for both from then on.
SUM_WITH = "sum_with:"


@dataclass(frozen=True)
class Identifiers:
    """What else a compound is called.

    Parameters
    ----------
    inchikey, cas, formula, synonyms : Fact, optional
        The standard InChIKey, the CAS number, the molecular formula, and other names.
    """

    inchikey: Fact | None = None
    cas: Fact | None = None
    formula: Fact | None = None
    synonyms: Fact | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Identifiers:
        """Make it from a table of a protocol file that has been checked."""
        return cls(**{key: Fact.from_data(x) for key, x in data.items()})


@dataclass(frozen=True)
class Quantifier:
    """The ion, or ions, whose area is the value of a target.

    Parameters
    ----------
    mz : tuple of float
        m/z of the ions.
    rule : {"single", "sum"}
        One ion, or the sum of the areas of several.
    source, verified, where, note
        As for a `Fact`.
    """

    mz: tuple[float, ...]
    rule: str
    source: str
    verified: bool
    where: str | None = None
    note: str | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Quantifier:
        """Make it from a table of a protocol file that has been checked."""
        return cls(**{**data, "mz": tuple(float(x) for x in data["mz"])})


@dataclass(frozen=True)
class Qualifier:
    """An ion that confirms a target.

    Parameters
    ----------
    mz : float
        m/z of the ion.
    source : str
        As for a `Fact`.
    verified : bool
        As for a `Fact`.
    expected_ratio : float, optional
        Area of this ion divided by the value of the target: by the area of the quantifier, or by
        the sum of its ions.
    tolerance : float, optional
        How far the ratio may be off, as a share of the expected ratio. None: not checked.
    where, note : str, optional
        As for a `Fact`.
    """

    mz: float
    source: str
    verified: bool
    expected_ratio: float | None = None
    tolerance: float | None = None
    where: str | None = None
    note: str | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Qualifier:
        """Make it from a table of a protocol file that has been checked."""
        numbers = {k: float(data[k]) for k in ("mz", "expected_ratio", "tolerance") if k in data}
        return cls(**{**data, **numbers})


@dataclass(frozen=True)
class Retention:
    """When a target elutes: a time, an index, or both.

    Parameters
    ----------
    source : str
        As for a `Fact`.
    verified : bool
        As for a `Fact`.
    time_s, time_window_s : float, optional
        Retention time in seconds and its half width: the apex lies within
        ``time_s - time_window_s`` and ``time_s + time_window_s``.
    index, index_window : float, optional
        Retention index and its half width.
    where, note : str, optional
        As for a `Fact`.
    """

    source: str
    verified: bool
    time_s: float | None = None
    time_window_s: float | None = None
    index: float | None = None
    index_window: float | None = None
    where: str | None = None
    note: str | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Retention:
        """Make it from a table of a protocol file that has been checked."""
        keys = ("time_s", "time_window_s", "index", "index_window")
        return cls(**{**data, **{key: float(data[key]) for key in keys if key in data}})


@dataclass(frozen=True)
class Stability:
    """What happens to a compound between seizure and measurement, and what is done about it.

    Parameters
    ----------
    statement : str
        What happens, in words.
    action : str
        One of `STABILITY_ACTIONS`, or ``"sum_with:"`` and the name of another target. The source
        speaks of the statement; the action is the protocol's own choice.
    source, verified, where, note
        As for a `Fact`.
    """

    statement: str
    action: str
    source: str
    verified: bool
    where: str | None = None
    note: str | None = None

    @property
    def summed_with(self) -> str | None:
        """The target whose value takes this one up, or None."""
        return self.action.removeprefix(SUM_WITH) if self.action.startswith(SUM_WITH) else None

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Stability:
        """Make it from a table of a protocol file that has been checked."""
        return cls(**data)


@dataclass(frozen=True)
class ProtocolTarget:
    """One compound that a protocol measures, with all that is known of how.

    Parameters
    ----------
    name : str
        The name; unique within the protocol.
    source : str
        Who says that the scheme measures it, under this name.
    verified : bool
        Whether that was read there.
    role : str
        One of `drugsig.ROLES`.
    unit : str
        The unit of its values.
    where, note : str, optional
        As for a `Fact`.
    measured_as : Fact, optional
        The derivative that reaches the detector, where it is not the compound itself.
    identifiers : Identifiers, optional
        What else the compound is called.
    quantifier : Quantifier, optional
        The ions whose area is the value; None is for the laboratory to fill in.
    qualifiers : tuple of Qualifier
        Ions that confirm it.
    retention : Retention, optional
        When it elutes; None is for the laboratory to fill in.
    stability : Stability, optional
        What happens to it with time.

    Examples
    --------
    >>> target = ProtocolTarget("tropacocaine", "laboratory", True)
    >>> target.missing
    ('quantifier', 'retention')
    """

    name: str
    source: str
    verified: bool
    role: str = "impurity"
    unit: str = "area"
    where: str | None = None
    note: str | None = None
    measured_as: Fact | None = None
    identifiers: Identifiers | None = None
    quantifier: Quantifier | None = None
    qualifiers: tuple[Qualifier, ...] = ()
    retention: Retention | None = None
    stability: Stability | None = None

    @property
    def target(self) -> Target:
        """The target as a profile set knows it."""
        return Target(self.name, self.role, self.unit)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the laboratory must fill in before the target can be extracted."""
        parts = (("quantifier", self.quantifier), ("retention", self.retention))
        return tuple(name for name, part in parts if part is None)

    @property
    def is_compared(self) -> bool:
        """Whether the target is a value of its own in comparisons."""
        action = self.stability.action if self.stability else ""
        return self.role == "impurity" and action != "exclude" and not action.startswith(SUM_WITH)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> ProtocolTarget:
        """Make it from a table of a protocol file that has been checked."""
        parts: dict[str, Any] = {}
        for key, kind in _PARTS.items():
            if key in data:
                parts[key] = kind.from_data(data[key])
        parts["qualifiers"] = tuple(Qualifier.from_data(x) for x in data.get("qualifiers", ()))
        return cls(**{**data, **parts})


_PARTS: Mapping[str, Any] = {
    "measured_as": Fact,
    "identifiers": Identifiers,
    "quantifier": Quantifier,
    "retention": Retention,
    "stability": Stability,
}
