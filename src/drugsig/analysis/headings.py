"""How grave each note is for an analysis, and what it stands under in the report."""

from __future__ import annotations

from collections.abc import Iterable

from drugsig._notes import Headings, Note, Told, told_under, unique_notes
from drugsig._words import count, several

__all__ = ["HEADINGS", "first_told", "told"]

# From so many unverified fields on nothing can be relied on.
_MANY_UNVERIFIED = 5

_OTHERWISE = "Noted on the way"

# By code, in the order in which notes of one gravity are told: what a note stands under, and
# whether the results cannot be used without it. What follows from the data is told after what is
# wrong with them. Without a heading a note is not told first: another says the same, or a section
# does. A code that is not here is told last.
HEADINGS: Headings = {
    "risky-reading": ("Mind how the table was read", True),
    "look-alike-labels": ("Labels that read the same", True),
    "dominant-target": ("A target that may be no impurity", True),
    "running-number": ("A target that may be no impurity", True),
    "sum-of-targets": ("A target that may be no impurity", True),
    "not-known-as-empty": ("Texts that mean not known", False),
    "runs-not-read": (lambda n: f"{count(len(n.errors), 'run')} could not be read", True),
    "unverified-protocol": (
        lambda n: (
            f"{count(n.n_fields, 'field')} of the protocol {several(n.n_fields, 'was', 'were')} "
            "never verified"
        ),
        lambda n: n.n_fields >= _MANY_UNVERIFIED,
    ),
    "not-harmonised": ("Not a harmonised method", False),
    "targets-in-blank": ("Targets in a blank", lambda n: n.much),
    "no-blank": ("No blank run", False),
    "controls-not-alike": ("Control samples are not alike", True),
    "control-not-compared": ("A control sample cannot be compared", False),
    "targets-vary": ("Targets vary more than the protocol allows", False),
    "no-control": ("No control sample", False),
    "standard-stands-out": (
        lambda n: f"Internal standard {n.target} stands out in {count(len(n.runs), 'run')}",
        False,
    ),
    "no-internal-standard": ("No internal standard", False),
    "unchecked-quality": ("Not checked", False),
    "rules-not-applied": ("Stated and not applied", False),
    "errors-unknown": ("NOT VALIDATED", True),
    "limited-purpose": (lambda n: f"Rule {n.rule} has a limited purpose", True),
    "circular-population": ("The population rule is circular", True),
    "sources-are-groups": ("The known sources are the groups that were found", True),
    "harder-pairs": ("Pairs of one kind are harder to tell apart", False),
    "few-sources-of-threshold": ("Few known sources", False),
    "few-expected-false-positives": ("Few known sources", False),
    "one-series": ("Mind the rates", False),
    "same-sequence-left-out": ("Mind the rates", False),
    "specimen-unknown": ("Mind the rates", False),
    "uneven-sources": ("Mind the rates", False),
    "few-effective-sources": ("Few known sources", False),
    "many-chance-links": ("Many links may be chance", False),
    "links-on-little": ("Links that rest on little", False),
    "chained-groups": ("Groups depend on how links are chained", False),
    "many-undecided": ("Many profiles are undecided", False),
    "profiles-without-score": ("Profiles without any score", False),
    "circular-rule": ("", False),
    "circular-rates": ("", False),
    "not-validated": ("", False),
    "rates-of-own-pairs": ("", False),
}

_PLACE = {code: place for place, code in enumerate(HEADINGS)}


def told(notes: Iterable[Note], /) -> tuple[Told, ...]:
    """Say of notes how grave they are for an analysis; each once, in the order found."""
    return tuple(told_under(unique_notes(notes), HEADINGS, otherwise=_OTHERWISE))


def first_told(notes: Iterable[Told], /) -> list[Told]:
    """Return the notes that are told before anything else, the gravest first."""
    return sorted(
        (one for one in notes if one.heading),
        key=lambda one: (not one.grave, _PLACE.get(one.note.code, len(_PLACE))),
    )
