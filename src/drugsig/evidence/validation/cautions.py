"""What a reader must know of a validation before any figure is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from drugsig._notes import Headings, Note, Told, told_under
from drugsig._words import count, listing
from drugsig.errors import DrugsigWarning
from drugsig.evidence.models.spec import NONE, LrModelSpec
from drugsig.evidence.populations import LimitedPurpose, PopulationRule
from drugsig.evidence.validation.criteria import Criteria
from drugsig.evidence.validation.findings import FAIL, NOT_ASSESSED, Finding
from drugsig.evidence.validation.measures import CHARACTERISTICS, MEASURES

__all__ = [
    "FailedFigures",
    "FiguresNotAssessed",
    "ForeignCriteria",
    "LimitedLrs",
    "NoCriterion",
    "UnsettledVerdicts",
    "about_findings",
    "first_told",
]

_OTHERWISE = "Noted on the way"


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


def about_findings(
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


def first_told(cautions: Sequence[Note], notes: Sequence[Note], /) -> list[Told]:
    """Return what is told before anything else, the gravest first.

    Parameters
    ----------
    cautions : sequence of Note
        From `about_findings`.
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
