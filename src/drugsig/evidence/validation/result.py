"""`ValidationReport`: everything a validation found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from drugsig._files import FORMATS
from drugsig._notes import Note, Told
from drugsig._repr import html_table
from drugsig.evidence.bounds import Bounds
from drugsig.evidence.discrimination import Discrimination
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.performance import Estimate, LrPerformance
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.validation.cautions import about_findings, first_told
from drugsig.evidence.validation.criteria import Criteria
from drugsig.evidence.validation.findings import Finding, number_data, overall
from drugsig.evidence.validation.measures import CHARACTERISTICS

__all__ = ["Arrangement", "StageFigures", "ValidationReport"]


@dataclass(frozen=True)
class StageFigures:
    """Figures of the LRs at one stage, over all fold seeds.

    Parameters
    ----------
    name : str
        ``"raw"``, ``"calibrated"`` or ``"reported"``.
    cllr : dict of int to float
        By fold seed.
    cllr_min : dict of int to float
        By fold seed.
    """

    name: str
    cllr: dict[int, float]
    cllr_min: dict[int, float]

    def to_data(self) -> dict[str, Any]:
        """Return the figures as data for JSON."""
        return {
            key: {str(seed): number_data(v) for seed, v in getattr(self, key).items()}
            for key in ("cllr", "cllr_min")
        }


@dataclass(frozen=True)
class Arrangement:
    """The same method with other items, or on the profiles of one text of a column.

    Parameters
    ----------
    name : str
        Which items, or which text.
    profiles_an_item : float
        The mean number; NaN where it was not measured.
    n_linked, n_unlinked, n_linked_sources : int
        Behind the figure.
    cllr : float
        Mean over seeds; NaN where it could not be measured.
    note : str
        Why not.
    """

    name: str
    profiles_an_item: float
    n_linked: int
    n_unlinked: int
    n_linked_sources: int
    cllr: float
    note: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {
            "name": self.name,
            "profiles_an_item": number_data(self.profiles_an_item),
            "n_linked": self.n_linked,
            "n_unlinked": self.n_unlinked,
            "n_linked_sources": self.n_linked_sources,
            "cllr": number_data(self.cllr),
            "note": self.note,
        }


@dataclass(frozen=True, eq=False, repr=False)
class ValidationReport:
    """Everything a validation found; made by `validate`.

    Attributes
    ----------
    name : str
        Of the profiles.
    rule : PopulationRule
        What linked and unlinked mean.
    spec : LrModelSpec
        Every choice of the method.
    recipe : str
        The pretreatment, learned anew inside the folds; empty where the profiles were handed in
        pretreated.
    criteria : Criteria
        What the figures must reach.
    findings : tuple of Finding
        Figures and verdicts.
    h1, h2 : str
        The propositions in words.
    bounds : Bounds or None
        Of the model fitted to all sources; every fold found its own.
    performance : LrPerformance
        Of the reported LRs, all fold seeds together.
    discrimination : Discrimination
        Of the calibrated LRs, all fold seeds together.
    stages : tuple of StageFigures
        Raw, calibrated and reported.
    arrangements : tuple of Arrangement
        Items with less and with more data.
    elsewhere : tuple of Arrangement
        One for each text of `elsewhere_column`, with the model fitted to the other profiles.
    elsewhere_column : str
        Empty where none was named.
    n_profiles, n_items : int
        What there was.
    n_folds : int
        Parts the sources were dealt into.
    seeds : tuple of int
        Of the deals.
    settings : mapping
        What else decided the result.
    digests, versions : mapping of str to str
        Of the profiles, choices, rule and criteria; of drugsig and what computes.
    notes : tuple of Note
        What a reader must know that was found on the way; `cautions` follow from the figures.
    """

    name: str
    rule: PopulationRule
    spec: LrModelSpec
    recipe: str
    criteria: Criteria
    findings: tuple[Finding, ...]
    h1: str
    h2: str
    bounds: Bounds | None
    performance: LrPerformance
    discrimination: Discrimination
    stages: tuple[StageFigures, ...]
    arrangements: tuple[Arrangement, ...]
    elsewhere: tuple[Arrangement, ...]
    elsewhere_column: str
    n_profiles: int
    n_items: int
    n_folds: int
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    digests: Mapping[str, str]
    versions: Mapping[str, str]
    notes: tuple[Note, ...]

    @property
    def verdict(self) -> str:
        """On everything: fail if one characteristic failed, pass only if all of them passed."""
        return overall(self.verdicts.values())

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict on each characteristic, by its figures that have a criterion."""
        return {
            key: overall(f.verdict for f in self.of(key) if f.criterion is not None)
            for key in CHARACTERISTICS
        }

    @property
    def cautions(self) -> tuple[Note, ...]:
        """What figures, criteria and choices say: what is not met, not assessed, not settled."""
        return tuple(
            about_findings(self.findings, rule=self.rule, spec=self.spec, criteria=self.criteria)
        )

    @property
    def first_told(self) -> list[Told]:
        """What a reader must know before anything else, the gravest first."""
        return first_told(self.cautions, self.notes)

    def of(self, characteristic: str, /) -> tuple[Finding, ...]:
        """Return the findings of one characteristic.

        Parameters
        ----------
        characteristic : str
            A key of `CHARACTERISTICS`.
        """
        return tuple(f for f in self.findings if f.about.characteristic == characteristic)

    def finding(self, measure: str, /) -> Finding:
        """Return one finding.

        Parameters
        ----------
        measure : str
            A key of `MEASURES`.
        """
        return next(f for f in self.findings if f.measure == measure)

    @property
    def digest(self) -> str:
        """The sha256 of `to_json`."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_data(self) -> dict[str, Any]:
        """Return everything as data for JSON, figures and verdicts first."""
        own = self.performance
        return {
            "drugsig_validation": FORMATS["drugsig validation"],
            "name": self.name,
            "verdict": self.verdict,
            "verdicts": self.verdicts,
            "propositions": {
                "h1": self.h1,
                "h2": self.h2,
                "source_level": self.rule.source_level,
                "replicate_level": self.spec.replicate_level,
            },
            "findings": [f.to_data() for f in self.findings],
            "counts": {
                "profiles": self.n_profiles,
                "items": self.n_items,
                "linked_pairs": own.n_linked,
                "unlinked_pairs": own.n_unlinked,
                "linked_sources": own.n_linked_sources,
                "unlinked_sources": own.n_unlinked_sources,
            },
            "stages": {s.name: s.to_data() for s in self.stages},
            "bounds": None if self.bounds is None else asdict(self.bounds),
            "reported": {
                "figures": {name: _estimate(value) for name, value in own.rows()},
                "exceedances": [
                    {
                        "k": e.k,
                        "linked": e.linked,
                        "rate": number_data(e.rate),
                        "allowed": e.allowed,
                        "kept": e.kept,
                    }
                    for e in own.exceedances
                ],
            },
            "items": [a.to_data() for a in self.arrangements],
            "elsewhere": {
                "column": self.elsewhere_column,
                "parts": [a.to_data() for a in self.elsewhere],
            },
            "model": self.spec.to_data(),
            "recipe": self.recipe,
            "population": self.rule.to_data(),
            "criteria": self.criteria.to_data(),
            "folds": {"n_folds": self.n_folds, "seeds": list(self.seeds)},
            "settings": dict(self.settings),
            "digests": dict(self.digests),
            "versions": dict(self.versions),
            "notes": [note.to_data() for note in self.notes],
        }

    def to_json(self) -> str:
        """Return everything as JSON, the same text on every run with the same versions."""
        return json.dumps(self.to_data(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        told = ", ".join(f"{key} {verdict}" for key, verdict in self.verdicts.items())
        return (
            f"<ValidationReport '{self.name}': {self.verdict}; {told}; "
            f"{self.performance.n_linked_sources} linked sources; H1 that {self.h1}; H2 that "
            f"{self.h2}>"
        )

    def _repr_html_(self) -> str:
        rows = (
            (
                CHARACTERISTICS[f.about.characteristic].title,
                f.about.label,
                "" if f.estimate is None else str(f.estimate),
                "" if f.criterion is None else str(f.criterion),
                f.verdict_in_words,
            )
            for f in self.findings
        )
        return html_table(
            [*rows, *(("mind", note.text) for note in self.notes)],
            head=("characteristic", "figure", "value", "criterion", "verdict"),
            caption=f"Validation of '{self.name}': {self.verdict}",
        )


def _estimate(estimate: Estimate) -> dict[str, Any]:
    ends = estimate.interval
    return {
        "value": number_data(estimate.value),
        "interval_95": None if ends is None else [number_data(ends.low), number_data(ends.high)],
    }
