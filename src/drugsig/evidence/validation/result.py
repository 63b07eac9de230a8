"""`ValidationReport`: everything a validation found, as data, and what must be said of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from drugsig._files import FORMATS
from drugsig._notes import Headings, Note, Told, told_under
from drugsig._repr import html_table
from drugsig._words import count, listing
from drugsig.errors import DrugsigWarning
from drugsig.evidence.bounds import Bounds
from drugsig.evidence.discrimination import Discrimination
from drugsig.evidence.models.spec import NONE, LrModelSpec
from drugsig.evidence.performance import Estimate, LrPerformance
from drugsig.evidence.populations import LimitedPurpose, PopulationRule
from drugsig.evidence.validation.criteria import Criteria
from drugsig.evidence.validation.findings import FAIL, NOT_ASSESSED, Finding, number_data, overall
from drugsig.evidence.validation.measures import CHARACTERISTICS, MEASURES

__all__ = [
    "Arrangement",
    "FailedFigures",
    "FiguresNotAssessed",
    "ForeignCriteria",
    "LimitedLrs",
    "NoCriterion",
    "StageFigures",
    "UnsettledVerdicts",
    "ValidationReport",
]

_OTHERWISE = "Noted on the way"


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
            _about_findings(self.findings, rule=self.rule, spec=self.spec, criteria=self.criteria)
        )

    @property
    def first_told(self) -> list[Told]:
        """What a reader must know before anything else, the gravest first."""
        return _first_told(self.cautions, self.notes)

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


@dataclass(frozen=True)
class FailedFigures(Note):
    """Figures of a validation do not reach what was asked of them.

    Do not use the method for casework before it is known why.
    """

    code: ClassVar[str] = "failed-figures"
    category: ClassVar[type[DrugsigWarning] | None] = None
    failed: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        told = "; ".join(
            f"{_label(measure)} ({value}, asked: {asked})" for measure, value, asked in self.failed
        )
        return f"{told}. Do not use the method for casework before it is known why."


@dataclass(frozen=True)
class LimitedLrs(Note):
    """The likelihood ratios of a method are not calibrated, or nothing bounds them.

    Calibrate and bound them before anything is said of them in words.
    """

    code: ClassVar[str] = "limited-lrs"
    category: ClassVar[type[DrugsigWarning] | None] = None
    calibrated: bool
    bounded: bool

    def __str__(self) -> str:
        return (
            "The likelihood ratios of this method are "
            f"{'calibrated' if self.calibrated else 'not calibrated'} and "
            f"{'bounded' if self.bounded else 'not bounded'}: nothing may be said of them in words."
        )


@dataclass(frozen=True)
class ForeignCriteria(Note):
    """The criteria of a validation come with drugsig, and no laboratory has set them.

    Set your own, for the use you have in mind, before you see results.
    """

    code: ClassVar[str] = "foreign-criteria"
    category: ClassVar[type[DrugsigWarning] | None] = None
    criteria: str

    def __str__(self) -> str:
        return (
            "They come with drugsig. A laboratory sets its own before it sees results, for the use "
            "it has in mind."
        )


@dataclass(frozen=True)
class NoCriterion(Note):
    """Nobody set a criterion for any figure of some characteristics.

    Set one if the characteristic matters for the use you have in mind.
    """

    code: ClassVar[str] = "no-criterion"
    category: ClassVar[type[DrugsigWarning] | None] = None
    characteristics: tuple[str, ...]

    def __str__(self) -> str:
        titles = {key: about.title for key, about in CHARACTERISTICS.items()}
        return (
            f"Nobody set one for {listing(titles.get(c, c).lower() for c in self.characteristics)}."
        )


@dataclass(frozen=True)
class FiguresNotAssessed(Note):
    """A criterion is set for figures that could not be measured, so they are not passed.

    The reason says what is missing, as the column that names laboratories.
    """

    code: ClassVar[str] = "figures-not-assessed"
    category: ClassVar[type[DrugsigWarning] | None] = None
    figures: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        told = (f"{_label(measure)}: {why.removesuffix('.')}" for measure, why in self.figures)
        return f"{'; '.join(told)}."


@dataclass(frozen=True)
class UnsettledVerdicts(Note):
    """The interval of figures lies on both sides of the criterion, or there is none.

    Other sources could well have given the other verdict: more sources settle it.
    """

    code: ClassVar[str] = "unsettled-verdicts"
    category: ClassVar[type[DrugsigWarning] | None] = None
    figures: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        names = listing(f"{_label(measure)} ({verdict})" for measure, verdict in self.figures)
        return f"The interval lies on both sides of the criterion: {names}."


# By code: what a note stands under on page one, and whether no figure may be used without knowing
# it. Without a heading a note is not told there: the models of the folds have fewer sources than
# the figures, which tell of theirs. A code that is not here is told last.
HEADINGS: Headings = {
    "failed-figures": (
        lambda n: f"{count(len(n.failed), 'criterion', 'criteria')} not met",
        True,
    ),
    "few-sources-of-figures": ("Few known sources", True),
    "few-effective-sources": ("Few known sources", True),
    "circular-figures": ("The population rule is circular", True),
    "look-alike-labels": ("Labels that read the same", True),
    "risky-reading": ("Mind how the table was read", True),
    "dominant-target": ("A target that may be no impurity", True),
    "running-number": ("A target that may be no impurity", True),
    "sum-of-targets": ("A target that may be no impurity", True),
    "limited-purpose": (lambda n: f"Rule {n.rule} has a limited purpose", True),
    "limited-lrs": ("Not calibrated or not bounded", True),
    "foreign-criteria": ("The criteria are nobody's own", False),
    "no-criterion": ("No criterion", False),
    "figures-not-assessed": ("Not assessed, and so not passed", False),
    "unsettled-verdicts": ("The data do not settle some verdicts", False),
    "few-sources-of-calibration": ("", False),
    "few-sources-of-evaluation": ("", False),
}


def _about_findings(
    findings: Sequence[Finding], /, *, rule: PopulationRule, spec: LrModelSpec, criteria: Criteria
) -> Iterator[Note]:
    """Yield what figures, criteria and choices of a validation say, besides the notes on its way.

    Parameters
    ----------
    findings : sequence of Finding
        Figures and verdicts.
    rule : PopulationRule
        What linked and unlinked mean.
    spec : LrModelSpec
        Every choice of the method.
    criteria : Criteria
        What the figures must reach.
    """
    failed = [f for f in findings if f.verdict == FAIL]
    if failed:
        yield FailedFigures(
            tuple((f.measure, f.value_in_words, f.criterion_in_words) for f in failed)
        )
    if rule.purpose:
        yield LimitedPurpose(rule.name, rule.purpose)
    bounded = spec.bounds != NONE
    if not spec.calibrated or not bounded:
        yield LimitedLrs(spec.calibrated, bounded)
    if criteria.name == "drugsig default":
        yield ForeignCriteria(criteria.name)
    asked = [f for f in findings if f.criterion is not None]
    judged = {f.about.characteristic for f in asked}
    none = tuple(key for key in CHARACTERISTICS if key not in judged)
    if none:
        yield NoCriterion(none)
    open_ones = tuple((f.measure, f.why) for f in asked if f.verdict == NOT_ASSESSED)
    if open_ones:
        yield FiguresNotAssessed(open_ones)
    crossing = tuple((f.measure, f.verdict) for f in findings if f.uncertain)
    if crossing:
        yield UnsettledVerdicts(crossing)


def _first_told(cautions: Sequence[Note], notes: Sequence[Note], /) -> list[Told]:
    """Return what is told before anything else, the gravest first.

    Parameters
    ----------
    cautions : sequence of Note
        From `_about_findings`.
    notes : sequence of Note
        Found on the way.
    """
    # Failed criteria before all else, then what weakens every figure.
    ahead = [note for note in cautions if note.code == FailedFigures.code]
    behind = [note for note in cautions if note.code != FailedFigures.code]
    told = told_under([*ahead, *notes, *behind], HEADINGS, otherwise=_OTHERWISE)
    return sorted(
        (one for one in told if one.heading),
        key=lambda one: (not one.grave, one.note.code not in HEADINGS),
    )


def _label(measure: str) -> str:
    """Return the label of a figure; its key, should a note be of a figure that there is not."""
    return MEASURES[measure].label if measure in MEASURES else measure
