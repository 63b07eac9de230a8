"""`MetricFit`: the numbers a metric learned, from what, and for which profiles they hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from drugsig._check import listed
from drugsig._files import canonical_json
from drugsig._notes import Note
from drugsig.comparison.kernels import Kernel
from drugsig.errors import ComparisonError, InputError, TargetMismatchError
from drugsig.profiles.profile_set import ProfileSet
from drugsig.protocols.target import Target

__all__ = ["Fitting", "MetricFit"]


def _own_version() -> str:
    return version("drugsig")


@dataclass(frozen=True)
class MetricFit:
    """What a fitted metric carries.

    Made by `drugsig.fit_metric` and `drugsig.combine_metrics`. Two fits are equal when their
    numbers, their targets, the pretreatment and their origin are; the version of the library is
    recorded and does not count, and neither do the notes.

    Attributes
    ----------
    metric : str
        The name of the metric.
    targets : tuple of Target
        The targets of the profiles it was fitted on, in order.
    pretreatment_json, parameters_json, origin_json : str
        The pretreatment of those profiles, the numbers learned, and what they were learned from,
        as canonical JSON.
    library_version : str
        The version of drugsig that learned them.
    notes : tuple of Note
        What whoever learned them must know; not written into files.
    """

    metric: str
    targets: tuple[Target, ...]
    pretreatment_json: str
    parameters_json: str
    origin_json: str
    library_version: str = field(default_factory=_own_version, compare=False)
    notes: tuple[Note, ...] = field(default=(), compare=False)

    @classmethod
    def make(
        cls,
        metric: str,
        profiles: ProfileSet,
        /,
        *,
        parameters: Mapping[str, Any],
        origin: Mapping[str, Any],
        notes: tuple[Note, ...] = (),
    ) -> MetricFit:
        """Make a fit for profiles like these."""
        return cls(
            metric=metric,
            targets=profiles.targets,
            pretreatment_json=canonical_json(list(profiles.pretreatment)),
            parameters_json=canonical_json(dict(parameters)),
            origin_json=canonical_json(
                {**origin, "profiles": len(profiles), "digest": profiles.digest}
            ),
            notes=notes,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The numbers learned, as a new mapping."""
        parsed: dict[str, Any] = json.loads(self.parameters_json)
        return parsed

    @property
    def origin(self) -> dict[str, Any]:
        """What they were learned from, as a new mapping."""
        parsed: dict[str, Any] = json.loads(self.origin_json)
        return parsed

    @property
    def pretreatment(self) -> list[dict[str, Any]]:
        """The pretreatment of the profiles it was fitted on, as `Recipe.from_data` reads it."""
        parsed: list[dict[str, Any]] = json.loads(self.pretreatment_json)
        return parsed

    @property
    def target_names(self) -> tuple[str, ...]:
        """The names of the targets, in order."""
        return tuple(t.name for t in self.targets)

    @property
    def digest(self) -> str:
        """The sha256 of everything but the version, as 64 hexadecimal digits."""
        data = self.to_data()
        del data["library_version"]
        return hashlib.sha256(canonical_json(data).encode()).hexdigest()

    def to_data(self) -> dict[str, Any]:
        """Return the fit as data that can be written as JSON."""
        return {
            "metric": self.metric,
            "targets": [[t.name, t.role, t.unit] for t in self.targets],
            "pretreatment": self.pretreatment,
            "parameters": self.parameters,
            "origin": self.origin,
            "library_version": self.library_version,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> MetricFit:
        """Return the fit that `to_data` wrote.

        Raises
        ------
        InputError
            If something is missing.
        """
        try:
            return cls(
                metric=str(data["metric"]),
                targets=tuple(Target(*texts) for texts in data["targets"]),
                pretreatment_json=canonical_json(data["pretreatment"]),
                parameters_json=canonical_json(data["parameters"]),
                origin_json=canonical_json(data["origin"]),
                library_version=str(data["library_version"]),
            )
        except (KeyError, TypeError) as error:
            raise InputError(
                f"not the data of a fitted metric: {error}. Write them with metric.to_data()."
            ) from error

    def check(self, profiles: ProfileSet, /) -> None:
        """Refuse profiles that the numbers do not hold for.

        Parameters
        ----------
        profiles : ProfileSet
            To be compared.

        Raises
        ------
        TargetMismatchError
            If they hold other targets, in another order or in another unit.
        ComparisonError
            If they were pretreated in another way.
        """
        if profiles.targets != self.targets:
            own, given = self.target_names, profiles.target_names
            lacks = [n for n in own if n not in given]
            extra = [n for n in given if n not in own]
            parts = [f"the profiles lack {listed(lacks)}"] if lacks else []
            parts += [f"the metric does not know {listed(extra)}"] if extra else []
            why = "; ".join(parts) or "order, role or unit of the targets differ"
            raise TargetMismatchError(
                f"metric '{self.metric}' was fitted on other targets than those of profile set "
                f"'{profiles.name}': {why}. Keep the targets it was fitted on, "
                "profiles.keep_targets(metric.fit.target_names), or fit it again.",
                only_in_a=lacks,
                only_in_b=extra,
            )
        if canonical_json(list(profiles.pretreatment)) != self.pretreatment_json:
            raise ComparisonError(
                f"metric '{self.metric}' was fitted on profiles with another pretreatment "
                f"({_steps(self.pretreatment)}) than profile set '{profiles.name}' "
                f"({_steps(profiles.pretreatment)}); parameters learned from data count as well. "
                "Pretreat these with the recipe of the others, "
                "drugsig.pretreat(profiles, drugsig.Recipe.from_data(metric.fit.pretreatment)), "
                "or fit the metric again."
            )


def _steps(pretreatment: list[dict[str, Any]] | tuple[dict[str, Any], ...]) -> str:
    return " | ".join(str(s["step"]) for s in pretreatment) or "none"


@dataclass(frozen=True)
class Fitting:
    """How a metric comes by the numbers it carries.

    Parameters
    ----------
    call : str
        What a user writes to fit it.
    build : callable
        ``build(parameters)`` returns the kernel.
    learn : callable, optional
        ``learn(within, **options)`` returns the parameters, and notes on them, from profiles of
        known source, a `drugsig.comparison.within_source.WithinSource`. Without it `fit_metric`
        cannot fit the metric.
    options : tuple of (str, float or None)
        The options of `learn` with their defaults.
    refuse : callable, optional
        ``refuse(profiles, parameters)`` raises for values the fitted metric has no meaning for.
    """

    call: str
    build: Callable[[Mapping[str, Any]], Kernel]
    learn: Callable[..., tuple[Mapping[str, Any], tuple[Note, ...]]] | None = None
    options: tuple[tuple[str, float | None], ...] = ()
    refuse: Callable[[ProfileSet, Mapping[str, Any]], None] | None = None
