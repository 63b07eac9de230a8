"""How far the pairs of a sample depend on each other, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.errors import DrugsigWarning
from drugsig.evidence.pairs import PairSample
from drugsig.evidence.resampling import disjoint_pairs, effective_number

__all__ = [
    "FEW_LINKED_SOURCES",
    "CircularRates",
    "Dependence",
    "FewEffectiveSources",
    "OneSeries",
    "SameSequenceLeftOut",
    "SpecimenUnknown",
    "UnevenSources",
    "dependence_notes",
    "few_effective_sources",
    "measure_dependence",
    "uneven_sources",
]

# With fewer linked sources the figures of linked pairs are a matter of chance.
FEW_LINKED_SOURCES = 30

# A source with more than this share of the linked pairs decides what the linked pairs say.
_MUCH = 0.5


@dataclass(frozen=True)
class OneSeries(Note):
    """Linked pairs may be of one run series, and more alike than those of casework.

    Name the column of the sequence, and leave out linked pairs of one series.
    """

    code: ClassVar[str] = "one-series"
    category: ClassVar[type[DrugsigWarning] | None] = None
    allowed: bool

    def __str__(self) -> str:
        why = (
            "The rule allows linked pairs of one sequence"
            if self.allowed
            else "No column names the sequence in which a profile was measured"
        )
        return (
            f"{why}: the variation within a source may be that within one run series, which is "
            "optimistic. Casework compares across series."
        )


@dataclass(frozen=True)
class SameSequenceLeftOut(Note):
    """Linked pairs of one sequence, or of an unknown one, were left out.

    Nothing need be done; the rule asks for it. Fill in sequences that are not known.
    """

    code: ClassVar[str] = "same-sequence-left-out"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_pairs: int

    def __str__(self) -> str:
        return (
            f"{self.n_pairs} linked pair(s) of one sequence, or of an unknown one, were left out."
        )


@dataclass(frozen=True)
class SpecimenUnknown(Note):
    """Two profiles of one specimen may count as a linked pair.

    Name the column of the specimen in the rule.
    """

    code: ClassVar[str] = "specimen-unknown"
    category: ClassVar[type[DrugsigWarning] | None] = None

    def __str__(self) -> str:
        return (
            "No column names the specimen. If two profiles are of one specimen they count as a "
            "linked pair, and the rates look better than they are: name the column in the rule, "
            'or specimen = "profile_id" if every profile is a specimen of its own.'
        )


@dataclass(frozen=True)
class CircularRates(Note):
    """Rates were measured under a rule that looks at what was derived from the profile.

    Choose a rule by what is known apart from the profile, as the seizure or the batch, and measure
    anew.
    """

    code: ClassVar[str] = "circular-rates"
    category: ClassVar[type[DrugsigWarning] | None] = None
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The rule uses {', '.join(self.columns)}, derived from the profile itself: "
            "pairs are called unlinked because their profiles differ, so the rates look better "
            "than they are."
        )


@dataclass(frozen=True)
class UnevenSources(Note):
    """One source has most of the linked pairs.

    Look at the figures by source, or limit how many profiles of a large one take part.
    """

    code: ClassVar[str] = "uneven-sources"
    category: ClassVar[type[DrugsigWarning] | None] = None
    source: str
    n_pairs: int
    n_linked: int

    def __str__(self) -> str:
        return (
            f"Source '{self.source}' has {self.n_pairs} of the {self.n_linked} "
            "linked pairs: figures per pair are mostly about it."
        )


@dataclass(frozen=True)
class FewEffectiveSources(Note):
    """Enough linked sources weigh like too few of equal size.

    Add sources, or limit how many profiles of a large one take part.
    """

    code: ClassVar[str] = "few-effective-sources"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_sources: int
    effective: float
    needed: int = FEW_LINKED_SOURCES

    def __str__(self) -> str:
        return (
            f"The linked pairs of {self.n_sources} sources weigh like those of "
            f"{self.effective:.1f} sources of equal size (fewer than {self.needed}): figures of "
            "them are less certain than so many sources and their intervals suggest."
        )


@dataclass(frozen=True)
class Dependence:
    """How many sources stand behind the pairs, and how evenly.

    Parameters
    ----------
    n_linked, n_unlinked : int
        Pairs.
    n_linked_sources, n_unlinked_sources : int
        Sources they come from.
    linked_per_source : tuple of (str, int)
        Linked pairs by source, the most first.
    effective_linked_sources : float
        As many sources with equally many linked pairs each would weigh their mean as evenly:
        (sum n)^2 / sum n^2 over sources with n linked pairs (Kish's effective sample size).
    effective_unlinked_sources : float
        The same over the ends of unlinked pairs.
    disjoint_unlinked : int
        How many of the unlinked pairs can be taken if each source is used once.
    notes : tuple of Note
        What makes the figures of this sample better than those of casework, or uncertain.
    """

    n_linked: int
    n_unlinked: int
    n_linked_sources: int
    n_unlinked_sources: int
    linked_per_source: tuple[tuple[str, int], ...]
    effective_linked_sources: float
    effective_unlinked_sources: float
    disjoint_unlinked: int
    notes: tuple[Note, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.n_linked} linked pairs from {self.n_linked_sources} sources (as good as "
            f"{self.effective_linked_sources:.1f} of equal size), {self.n_unlinked} unlinked pairs "
            f"from {self.n_unlinked_sources} sources (at most {self.disjoint_unlinked} of them "
            "share no source)"
        )

    def _repr_html_(self) -> str:
        rows = (
            ("linked pairs", f"{self.n_linked} from {self.n_linked_sources} sources"),
            ("as good as", f"{self.effective_linked_sources:.1f} sources of equal size"),
            ("unlinked pairs", f"{self.n_unlinked} from {self.n_unlinked_sources} sources"),
            ("of them share no source", f"{self.disjoint_unlinked} at most"),
            *(("mind", note.text) for note in self.notes),
        )
        return html_table(rows)


def measure_dependence(sample: PairSample, /) -> Dependence:
    """Say how many sources stand behind the pairs of a sample, and how evenly.

    Pairs of one source depend on each other, so that their number says little: 45 pairs of 10
    specimens of one batch say about one batch.

    Parameters
    ----------
    sample : PairSample
        From `drugsig.pair_sample`.
    """
    apart = ~sample.linked
    n = len(sample.sources)
    linked = np.bincount(sample.source_a[sample.linked], minlength=n)
    ends = np.bincount(sample.source_a[apart], minlength=n)
    ends = ends + np.bincount(sample.source_b[apart], minlength=n)
    order = sorted(np.flatnonzero(linked), key=lambda k: (-linked[k], sample.sources[k]))
    return Dependence(
        n_linked=sample.n_linked,
        n_unlinked=sample.n_unlinked,
        n_linked_sources=sample.n_linked_sources,
        n_unlinked_sources=sample.n_unlinked_sources,
        linked_per_source=tuple((sample.sources[k], int(linked[k])) for k in order),
        effective_linked_sources=effective_number(linked),
        effective_unlinked_sources=effective_number(ends),
        disjoint_unlinked=_disjoint(sample.source_a[apart], sample.source_b[apart]),
        notes=dependence_notes(sample),
    )


def _disjoint(a: NDArray[np.integer], b: NDArray[np.integer]) -> int:
    return disjoint_pairs(a, b) if len(a) else 0


def dependence_notes(sample: PairSample, /) -> tuple[Note, ...]:
    """Return what makes the figures of a sample better than those of casework, or uncertain.

    Parameters
    ----------
    sample : PairSample
        With all linked pairs; the unlinked ones do not count.
    """
    linked = np.bincount(sample.source_a[sample.linked], minlength=len(sample.sources))
    notes: list[Note] = []
    if not sample.sequences_differ:
        notes.append(OneSeries(sample.rule.same_sequence))
    if sample.n_same_sequence:
        notes.append(SameSequenceLeftOut(sample.n_same_sequence))
    if not sample.specimen_known:
        notes.append(SpecimenUnknown())
    if sample.rule.circular:
        notes.append(CircularRates(sample.rule.circular))
    return (*notes, *uneven_sources(sample.sources, linked))


def uneven_sources(sources: Sequence[str], linked: NDArray[np.integer], /) -> tuple[Note, ...]:
    """Return what must be said where few of the sources have most of the linked pairs.

    Parameters
    ----------
    sources : sequence of str
        Names.
    linked : ndarray of int, shape (n_sources,)
        Linked pairs of each.

    Returns
    -------
    tuple of Note
        Empty where sources weigh evenly, or there are too few of them anyway.
    """
    total, n_sources = int(linked.sum()), int(np.count_nonzero(linked))
    notes: list[Note] = []
    if n_sources > 1 and linked.max() > _MUCH * total:
        notes.append(UnevenSources(sources[int(linked.argmax())], int(linked.max()), total))
    return (*notes, *few_effective_sources(n_sources, effective_number(linked)))


def few_effective_sources(n_sources: int, effective: float, /) -> tuple[Note, ...]:
    """Return what must be said where enough linked sources weigh like too few.

    Parameters
    ----------
    n_sources : int
        Linked sources.
    effective : float
        As many of equal size would weigh the same.
    """
    if not effective < FEW_LINKED_SOURCES <= n_sources:
        return ()
    # As it is told: the last digits of a quotient do not make another note.
    return (FewEffectiveSources(n_sources, round(effective, 1)),)
