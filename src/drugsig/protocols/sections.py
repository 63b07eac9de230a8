"""The sections of a protocol besides its targets: method, sources, quality rules, comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from drugsig.protocols.fact import Fact, Number

__all__ = [
    "QUALITY_ACTIONS",
    "QUALITY_CHECKS",
    "SOURCE_READ",
    "TECHNIQUES",
    "AnalyticalMethod",
    "ComparisonPlan",
    "Completeness",
    "QualityRule",
    "Source",
]

TECHNIQUES = ("gc_ms",)

# How much of a source somebody has read.
SOURCE_READ = ("whole", "part", "abstract", "nothing")

QUALITY_ACTIONS = ("flag", "reject", "stop")

# What a quality rule can be about: the words, and on which side of the limit is good.
QUALITY_CHECKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "blank_area": ("area of a target in the blank run", "at most"),
        "control_deviation": ("deviation of the control sample from its chart", "at most"),
        "internal_standard_deviation": (
            "deviation of the internal standard's area within a sequence",
            "at most",
        ),
        "qualifier_deviation": ("deviation of a qualifier ratio from the expected one", "at most"),
        "replicate_rsd": ("relative standard deviation of replicates, each target", "at most"),
        "resolution": ("resolution of the critical pair of the suitability mix", "at least"),
        "retention_deviation": ("deviation of the retention from the expected one", "at most"),
        "signal_to_noise": ("signal to noise of a detected peak", "at least"),
        "tailing": ("tailing of the active compound of the suitability mix", "at most"),
    }
)


@dataclass(frozen=True)
class Source:
    """Where facts were read.

    Parameters
    ----------
    key : str
        What the facts call it.
    citation : str
        Who, what, where.
    read : str
        How much of it was read: one of `SOURCE_READ`. ``"nothing"`` stands for what was recalled
        or chosen.
    note : str, optional
        What a reader must know.
    """

    key: str
    citation: str
    read: str
    note: str | None = None


@dataclass(frozen=True)
class AnalyticalMethod:
    """How the measurement is made; what is not known is None.

    Parameters
    ----------
    test_portion, extraction_medium, extraction_ph, solvent : Fact, optional
        How much is taken, and what it is extracted from and into.
    internal_standard, internal_standard_concentration : Fact, optional
        The names of the internal standards, or ``"none"``; and how much is added.
    derivatisation, dilution, injection_volume, injector, split : Fact, optional
        What is done before the column.
    column, carrier_gas, oven, detector, acquisition : Fact, optional
        The instrument.
    """

    test_portion: Fact | None = None
    extraction_medium: Fact | None = None
    extraction_ph: Fact | None = None
    solvent: Fact | None = None
    internal_standard: Fact | None = None
    internal_standard_concentration: Fact | None = None
    derivatisation: Fact | None = None
    dilution: Fact | None = None
    injection_volume: Fact | None = None
    injector: Fact | None = None
    split: Fact | None = None
    column: Fact | None = None
    carrier_gas: Fact | None = None
    oven: Fact | None = None
    detector: Fact | None = None
    acquisition: Fact | None = None

    @property
    def unknown(self) -> tuple[str, ...]:
        """The parts that nothing is known of."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) is None)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> AnalyticalMethod:
        """Make it from a table of a protocol file that has been checked."""
        return cls(**{key: Fact.from_data(x) for key, x in data.items()})


@dataclass(frozen=True)
class QualityRule:
    """A limit that a measurement must keep. A check without a rule is not made.

    Parameters
    ----------
    what : str
        One of `QUALITY_CHECKS`.
    limit : number
        The limit.
    unit : str
        Its unit, ``"1"`` where it has none.
    action : str
        One of `QUALITY_ACTIONS`. The source speaks of the limit; the action is the protocol's own
        choice.
    source, verified, where, note
        As for a `Fact`.
    """

    what: str
    limit: Number
    unit: str
    action: str
    source: str
    verified: bool
    where: str | None = None
    note: str | None = None

    def __str__(self) -> str:
        words, side = QUALITY_CHECKS[self.what]
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{words}: {side} {self.limit:g}{unit}, else {self.action}"

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> QualityRule:
        """Make it from a table of a protocol file that has been checked."""
        return cls(**data)


@dataclass(frozen=True)
class ComparisonPlan:
    """How profiles of the protocol are compared.

    Parameters
    ----------
    recipe : Fact
        The pretreatment, as text.
    metric : Fact
        The name of the metric.
    min_measured : Fact
        The least number of targets measured in both profiles.
    source_level : Fact, optional
        The level of source that a link is about.
    comparability : Fact, optional
        Which profiles may be compared with each other.
    """

    recipe: Fact
    metric: Fact
    min_measured: Fact
    source_level: Fact | None = None
    comparability: Fact | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> ComparisonPlan:
        """Make it from a table of a protocol file that has been checked."""
        return cls(**{key: Fact.from_data(x) for key, x in data.items()})


@dataclass(frozen=True)
class Completeness:
    """How much of a published list of targets is known.

    Parameters
    ----------
    published_list : str
        Which list.
    listed : int
        How many targets it has.
    named : int
        How many of their names were read.
    harmonised : bool
        Whether it is the list of a method that several laboratories have harmonised.
    source, verified, where, note
        As for a `Fact`.
    """

    published_list: str
    listed: int
    named: int
    harmonised: bool
    source: str
    verified: bool
    where: str | None = None
    note: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every name of the list is known."""
        return self.named == self.listed

    def __str__(self) -> str:
        return f"{self.named} of {self.listed} targets of {self.published_list}"

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Completeness:
        """Make it from a table of a protocol file that has been checked."""
        return cls(**{**data, "listed": int(data["listed"]), "named": int(data["named"])})
