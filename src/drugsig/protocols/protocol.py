"""`Protocol`: what is measured, how it is measured and how it is compared, as data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from drugsig._check import choose, listed
from drugsig.errors import InputError
from drugsig.protocols.fact import as_data
from drugsig.protocols.meaning import meaning_problems
from drugsig.protocols.measured_target import ProtocolTarget, Retention
from drugsig.protocols.sections import (
    QUALITY_CHECKS,
    AnalyticalMethod,
    ComparisonPlan,
    Completeness,
    QualityRule,
    Source,
)
from drugsig.protocols.structure import structure_problems
from drugsig.protocols.target import Target

__all__ = ["FORMAT", "Protocol"]

# The version of the file format, see docs/reference/protocol-format.md.
FORMAT = 1

_HEAD = ("name", "version", "technique", "drug", "title", "notes")


@dataclass(frozen=True, eq=False, repr=False)
class Protocol:
    """What is measured, how it is measured and how it is compared.

    Protocols are data: they are read with `drugsig.protocols.load_protocol` and written with
    `to_toml`. Two protocols are equal if their content is, whatever file it came from.

    Parameters
    ----------
    name, version : str
        What reports call it.
    technique : str
        One of `drugsig.protocols.TECHNIQUES`.
    drug, title : str
        What it is for.
    method : AnalyticalMethod
        How the measurement is made.
    targets : tuple of ProtocolTarget
        What is measured, in the order of the columns of a profile set.
    comparison : ComparisonPlan
        How profiles are compared.
    sources : tuple of Source
        Where the facts were read.
    quality : tuple of QualityRule
        The limits; a check that is not named is not made.
    completeness : Completeness, optional
        How much of a published list of targets is known.
    notes : tuple of str
        What a reader must know.

    Raises
    ------
    InputError
        If the content breaks a rule of the format; the message lists every problem.

    Examples
    --------
    >>> from drugsig.protocols import load_protocol
    >>> protocol = load_protocol("amphetamine-eu")
    >>> print(protocol.completeness)
    12 of 26 targets of the European harmonised amphetamine method
    >>> protocol.is_harmonised
    False
    """

    name: str
    version: str
    technique: str
    drug: str
    title: str
    method: AnalyticalMethod
    targets: tuple[ProtocolTarget, ...]
    comparison: ComparisonPlan
    sources: tuple[Source, ...]
    quality: tuple[QualityRule, ...] = ()
    completeness: Completeness | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        data = self.to_data()
        problems = structure_problems(data) or meaning_problems(data)
        if problems:
            lines = "".join(f"\n  {problem}" for problem in problems)
            raise InputError(f"protocol {self.name!r} cannot be used:{lines}")

    @cached_property
    def digest(self) -> str:
        """The sha256 of the content: key order, comments and layout of a file play no part."""
        text = json.dumps(
            self.to_data(),
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
            allow_nan=False,
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Protocol):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return (
            f"Protocol({self.name!r}, version {self.version!r}, {self.technique}, "
            f"{len(self.targets)} targets, {len(self.unverified)} fields not verified, "
            f"{self.digest[:12]})"
        )

    @property
    def recipe(self) -> str:
        """The pretreatment, as text."""
        return str(self.comparison.recipe.value)

    @property
    def metric(self) -> str:
        """The name of the metric."""
        return str(self.comparison.metric.value)

    @property
    def min_measured(self) -> int:
        """The least number of targets measured in both profiles."""
        return int(str(self.comparison.min_measured.value))

    @property
    def profile_targets(self) -> tuple[Target, ...]:
        """The targets as a profile set knows them, in order."""
        return tuple(t.target for t in self.targets)

    @property
    def internal_standards(self) -> tuple[ProtocolTarget, ...]:
        """The targets that are internal standards, in order."""
        return tuple(t for t in self.targets if t.role == "internal_standard")

    @property
    def compared(self) -> tuple[str, ...]:
        """The names of the targets that comparisons rest on, in order.

        They are the impurities, but for those that are excluded or summed with another one as
        unstable.
        """
        return tuple(t.name for t in self.targets if t.is_compared)

    @property
    def is_harmonised(self) -> bool:
        """Whether this is a harmonised method: all its targets known, and everything verified."""
        known = self.completeness
        return bool(known and known.harmonised and known.is_complete and not self.unverified)

    @property
    def not_checked(self) -> tuple[str, ...]:
        """The quality checks that the protocol has no rule for, so that they are not made."""
        ruled = {rule.what for rule in self.quality}
        return tuple(what for what in QUALITY_CHECKS if what not in ruled)

    @property
    def unverified(self) -> tuple[str, ...]:
        """The paths of all fields whose value was not read in its source."""
        return tuple(path for path, part in self._fields() if not part.verified)

    @property
    def unverified_in_use(self) -> tuple[str, ...]:
        """Those of `unverified` that decide a result: targets, ions, retention, comparison ...

        Identifiers and the record of the analytical method describe and decide nothing here.
        """
        return tuple(
            path
            for path in self.unverified
            if not path.startswith("method.") and ".identifiers." not in path
        )

    @property
    def missing_for_extraction(self) -> dict[str, tuple[str, ...]]:
        """What the laboratory must fill in: target name to ``"quantifier"``, ``"retention"``."""
        return {t.name: t.missing for t in self.targets if t.missing}

    def __getitem__(self, name: str) -> ProtocolTarget:
        """Return the target of this name."""
        names = tuple(t.name for t in self.targets)
        return self.targets[names.index(choose(name, names, what="target"))]

    def source(self, key: str, /) -> Source:
        """Return the source with this key.

        Raises
        ------
        UnknownNameError
            If there is none; the message names the nearest.
        """
        keys = tuple(s.key for s in self.sources)
        return self.sources[keys.index(choose(key, keys, what="source"))]

    def with_retention(
        self,
        retention: Mapping[str, Retention],
        /,
        *,
        version: str,
        citation: str,
        key: str = "laboratory",
    ) -> Protocol:
        """Return the protocol with retention data that the laboratory measured.

        Parameters
        ----------
        retention : mapping of str to Retention
            Target name to its retention; targets that are not named keep what they have.
        version : str
            What the new protocol's version is called.
        citation : str
            What was measured, when and on what: it becomes a source of the protocol.
        key : str
            The key of that source; every `Retention` given must name it, or a source that is
            there.

        Raises
        ------
        UnknownNameError
            If a name is no target.
        InputError
            If the result breaks a rule of the format.
        """
        names = tuple(t.name for t in self.targets)
        for name in retention:
            choose(name, names, what=f"target of protocol '{self.name}'")
        targets = tuple(
            replace(t, retention=retention.get(t.name, t.retention)) for t in self.targets
        )
        if any(s.key == key for s in self.sources):
            raise InputError(
                f"protocol '{self.name}' has a source '{key}' already: give the new retention "
                f"data another key (key=...). Taken: {listed(s.key for s in self.sources)}."
            )
        sources = (*self.sources, Source(key, citation, "whole"))
        return replace(self, version=version, targets=targets, sources=sources)

    def to_data(self) -> dict[str, Any]:
        """Return everything as plain data, in the shape of a protocol file."""
        head = {key: as_data(getattr(self, key)) for key in _HEAD}
        data: dict[str, Any] = {
            "drugsig": {"format": FORMAT},
            "protocol": {key: x for key, x in head.items() if x != []},
            "sources": {s.key: {k: x for k, x in as_data(s).items() if k != "key"}
                        for s in self.sources},
        }  # fmt: skip
        if self.completeness:
            data["completeness"] = as_data(self.completeness)
        data["method"] = as_data(self.method)
        data["comparison"] = as_data(self.comparison)
        if self.quality:
            data["quality"] = as_data(self.quality)
        data["targets"] = as_data(self.targets)
        return data

    def to_toml(self) -> str:
        """Return everything as the text of a protocol file; comments of a file are not kept."""
        import tomli_w

        return tomli_w.dumps(self.to_data())

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Protocol:
        """Make a protocol from data in the shape of a protocol file.

        Raises
        ------
        InputError
            If the data break a rule of the format; the message lists every problem.
        """
        problems = structure_problems(data)
        if problems:
            lines = "".join(f"\n  {problem}" for problem in problems)
            raise InputError(f"this is no protocol:{lines}")
        known = data.get("completeness")
        return cls(
            **{key: data["protocol"][key] for key in _HEAD if key in data["protocol"]}
            | {"notes": tuple(data["protocol"].get("notes", ()))},
            method=AnalyticalMethod.from_data(data.get("method", {})),
            targets=tuple(ProtocolTarget.from_data(x) for x in data["targets"]),
            comparison=ComparisonPlan.from_data(data["comparison"]),
            sources=tuple(Source(key, **x) for key, x in sorted(data["sources"].items())),
            quality=tuple(QualityRule.from_data(x) for x in data.get("quality", ())),
            completeness=None if known is None else Completeness.from_data(known),
        )

    def _fields(self) -> Iterator[tuple[str, Any]]:
        """Yield the path and the part of everything that has a source of its own."""
        if self.completeness:
            yield "completeness", self.completeness
        yield from _facts("method", self.method)
        yield from _facts("comparison", self.comparison)
        for rule in self.quality:
            yield f"quality.{rule.what}", rule
        for target in self.targets:
            path = f"targets.{target.name}"
            yield path, target
            yield from _facts(f"{path}.identifiers", target.identifiers)
            for name in ("measured_as", "quantifier", "retention", "stability"):
                part = getattr(target, name)
                if part is not None:
                    yield f"{path}.{name}", part
            for qualifier in target.qualifiers:
                yield f"{path}.qualifiers.{qualifier.mz:g}", qualifier


def _facts(path: str, owner: Any) -> Iterator[tuple[str, Any]]:
    """Yield the facts of a part that is made of facts."""
    if owner is not None:
        for f in fields(owner):
            fact = getattr(owner, f.name)
            if fact is not None:
                yield f"{path}.{f.name}", fact
