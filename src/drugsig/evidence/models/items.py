"""Items, one side of a comparison each, and the pairs of items whose source is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from drugsig._check import FrozenArrays, listed
from drugsig._notes import Note
from drugsig.errors import DrugsigWarning, InputError
from drugsig.evidence.dependence import uneven_sources
from drugsig.evidence.pairs import LabelledPairs, find_pairs
from drugsig.evidence.populations import PopulationRule, label_notes
from drugsig.profiles.labels import known_texts
from drugsig.profiles.metadata import ID_COLUMN
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "CircularFigures",
    "ProfileItems",
    "SequenceUnknown",
    "SpecimenUnknownToItems",
    "item_pairs",
    "profile_items",
]

Places = NDArray[np.integer]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class SequenceUnknown(Note):
    """Linked items may have been measured in one series.

    Name the column of the sequence in the rule.
    """

    code: ClassVar[str] = "sequence-unknown"
    category: ClassVar[type[DrugsigWarning] | None] = None

    def __str__(self) -> str:
        return (
            "No column names the sequence: linked profiles may have been measured in one series, "
            "and look more alike than in casework."
        )


@dataclass(frozen=True)
class SpecimenUnknownToItems(Note):
    """Two items of one specimen may count as a linked pair.

    Name the column of the specimen in the rule.
    """

    code: ClassVar[str] = "specimen-unknown-to-items"
    category: ClassVar[type[DrugsigWarning] | None] = None

    def __str__(self) -> str:
        return (
            "No column names the specimen. If two items are of one specimen they count as a linked "
            "pair, and likelihood ratios and figures are better than they should be."
        )


@dataclass(frozen=True)
class CircularFigures(Note):
    """Figures are of a rule that looks at what was derived from the profile.

    Choose a rule by what is known apart from the profile, as the seizure or the batch, and measure
    anew.
    """

    code: ClassVar[str] = "circular-figures"
    category: ClassVar[type[DrugsigWarning] | None] = None
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The rule uses {', '.join(self.columns)}, derived from the profile itself: pairs "
            "are called unlinked because their profiles differ, and the figures are too good."
        )


@dataclass(frozen=True, eq=False)
class ProfileItems(FrozenArrays):
    """The items of a profile set.

    Attributes
    ----------
    names : tuple of str
        In order of first use.
    of_row : ndarray of intp, shape (n_profiles,)
        The item of every profile, as a place in `names`.
    first_row : ndarray of intp, shape (n_items,)
        The first profile of every item.
    """

    names: tuple[str, ...]
    of_row: Places
    first_row: Places

    def __len__(self) -> int:
        return len(self.names)


def profile_items(profiles: ProfileSet, column: str | None, /) -> ProfileItems:
    """Return the items of a profile set.

    Parameters
    ----------
    profiles : ProfileSet
        Any.
    column : str or None
        The metadata column that names the item of a profile; None if every profile is one.

    Raises
    ------
    MetadataError
        If there is no such column.
    InputError
        If there are no profiles, or one has no item.
    """
    if not len(profiles):
        raise InputError(f"profile set '{profiles.name}' is empty")
    if column is None or column == ID_COLUMN:
        every = np.arange(len(profiles))
        return ProfileItems(profiles.ids, every, every.copy())
    texts = known_texts(profiles, column)
    without = [i for i, text in zip(profiles.ids, texts, strict=True) if text is None]
    if without:
        raise InputError(
            f"profile(s) {listed(without)} have no text in column '{column}', or one that means "
            "not known; it names the item they belong to. Fill it in, or leave these profiles "
            "out on purpose."
        )
    place: dict[str | None, int] = {}
    of_row = np.array([place.setdefault(text, len(place)) for text in texts], dtype=np.intp)
    _, first = np.unique(of_row, return_index=True)
    return ProfileItems(tuple(str(name) for name in place), of_row, first.astype(np.intp))


def item_pairs(profiles: ProfileSet, items: ProfileItems, rule: PopulationRule, /) -> LabelledPairs:
    """Find the pairs of items whose source is known under a rule.

    Two items that share a specimen are never a pair, and where a column names the sequence linked
    items share none, as the rule says of profiles.

    Parameters
    ----------
    profiles : ProfileSet
        With the metadata the rule looks at.
    items : ProfileItems
        Their items.
    rule : PopulationRule
        What linked and unlinked mean.

    Returns
    -------
    LabelledPairs
        Places are those of the items; items that the rule leaves out have no source.

    Raises
    ------
    PopulationError
        If the rule contradicts itself.
    MetadataError
        If a column of the rule is missing.
    InputError
        If the profiles of one item differ in what the rule looks at.
    """
    rule.check(profiles)
    looked_at = (*rule.linked.columns, *rule.unlinked.columns, *rule.source, *rule.exclude)
    for column in dict.fromkeys(looked_at):
        mixed = _mixed(profiles, items, column)
        if len(mixed):
            raise InputError(
                f"item '{items.names[mixed[0]]}' holds profiles that differ in column "
                f"'{column}', which population rule '{rule.name}' looks at ({len(mixed)} such "
                "item(s)). An item is one side of a comparison and has one source: name items "
                "apart."
            )
    table = profiles.select(items.first_row)
    specimen = _own_column(profiles, items, rule.specimen_column(profiles))
    sequence = None if rule.same_sequence else rule.sequence_column(profiles)
    sequence = _own_column(profiles, items, sequence)
    adapted = rule
    if specimen is not None:
        table = table.with_column(specimen, [None] * len(items))
    if sequence is not None:
        adapted = replace(rule, same_sequence=True)
    known = find_pairs(table, adapted)
    keep = np.ones(len(known), dtype=bool)
    if specimen is not None:
        keep &= ~_sharing(profiles, items, specimen, known.first, known.second, unknown=False)
    if sequence is not None:
        together = _sharing(profiles, items, sequence, known.first, known.second, unknown=True)
        keep &= ~(known.linked & together)
    source = known.source.astype(np.intp)
    source[table.index_of(known.left_out)] = -1
    notes: list[Note] = [*label_notes(rule, profiles)]
    if not (known.sequences_differ or rule.same_sequence):
        notes.append(SequenceUnknown())
    if not known.specimen_known:
        notes.append(SpecimenUnknownToItems())
    if rule.circular:
        notes.append(CircularFigures(rule.circular))
    first, linked = known.first[keep].astype(np.intp), known.linked[keep]
    notes += uneven_sources(known.sources, np.bincount(source[first[linked]]))
    return replace(
        known,
        first=first,
        second=known.second[keep].astype(np.intp),
        linked=linked,
        source=source,
        rule=rule,
        notes=tuple(notes),
    )


def _codes(texts: tuple[str | None, ...]) -> Places:
    place = {t: k for k, t in enumerate(sorted({t for t in texts if t is not None}))}
    return np.array([-1 if t is None else place[t] for t in texts], dtype=np.intp)


def _mixed(profiles: ProfileSet, items: ProfileItems, column: str) -> Places:
    """Return the items whose profiles differ in a column."""
    if column == ID_COLUMN:
        return np.empty(0, dtype=np.intp)
    code = _codes(profiles.column(column))
    differs = code != code[items.first_row][items.of_row]
    return np.unique(items.of_row[differs])


def _own_column(profiles: ProfileSet, items: ProfileItems, column: str | None) -> str | None:
    """Return the column if the profiles of an item differ in it, so that items may overlap."""
    if column is None or not len(_mixed(profiles, items, column)):
        return None
    return column


def _sharing(
    profiles: ProfileSet,
    items: ProfileItems,
    column: str,
    first: NDArray[np.integer],
    second: NDArray[np.integer],
    *,
    unknown: bool,
) -> Flags:
    """Say which pairs of items share a text of a column; `unknown` where a cell is empty."""
    code = _codes(known_texts(profiles, column))
    known = code >= 0
    held: csr_array = coo_array(
        (np.ones(int(known.sum())), (items.of_row[known], code[known])),
        shape=(len(items), int(code.max(initial=0)) + 1),
    ).tocsr()
    common = np.asarray(held[first].multiply(held[second]).sum(axis=1)).reshape(-1) > 0
    if unknown:
        open_item = np.zeros(len(items), dtype=bool)
        open_item[items.of_row[~known]] = True
        common |= open_item[first] | open_item[second]
    return np.asarray(common)
