"""`TrainingSet`: profiles of known source, as numbers that sources can be taken out of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, listed
from drugsig._notes import Note
from drugsig.comparison.dense import compared
from drugsig.errors import DrugsigWarning, InputError
from drugsig.evidence.models.items import ProfileItems, item_pairs, profile_items
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.pairs import LabelledPairs
from drugsig.evidence.populations import PopulationRule
from drugsig.profiles.labels import known_texts
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "NestedReplicates",
    "TrainingSet",
    "feature_values",
    "item_scores",
    "learned_recipe",
    "nested_replicates",
    "training_set",
]

Floats = NDArray[np.float64]
Places = NDArray[np.integer]


@dataclass(frozen=True)
class NestedReplicates(Note):
    """The variation within sources is in part that of profiles that are never a pair.

    Calibrate the ratios, or average the profiles of one specimen to one.
    """

    code: ClassVar[str] = "nested-replicates"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_nested: int
    n_free: int
    what: str
    column: str

    def __str__(self) -> str:
        return (
            f"{self.n_nested} of the {self.n_free} degrees of freedom of the variation within "
            f"sources are of profiles of one {self.what} (column '{self.column}'), which are "
            "never a linked pair. They mostly differ less, and raw likelihood ratios are then too "
            f"extreme: calibrate them, or average the profiles of one {self.what} to one."
        )


@dataclass(frozen=True, eq=False)
class TrainingSet(FrozenArrays):
    """Profiles, their items, and the pairs of items whose source is known.

    Attributes
    ----------
    values : ndarray of float64, shape (n_profiles, p)
        Of the feature approach; no columns otherwise.
    scores : ndarray of float64, shape (n_items, n_items)
        Of the score approach; empty otherwise.
    features : tuple of str
        The targets.
    items : ProfileItems
        The items of the profiles.
    pairs : LabelledPairs
        The pairs whose source is known.
    notes : tuple of Note
        What must be said of the scores.
    """

    values: Floats
    scores: Floats
    features: tuple[str, ...]
    items: ProfileItems
    pairs: LabelledPairs
    notes: tuple[Note, ...] = ()

    @property
    def row_source(self) -> Places:
        """The source of every profile, -1 where it is not known, shape (n_profiles,)."""
        return self.pairs.source[self.items.of_row]

    @property
    def n_sources(self) -> int:
        """The number of sources."""
        return len(self.pairs.sources)

    @property
    def linked_pairs_by_source(self) -> Places:
        """How many linked pairs every source has, shape (n_sources,)."""
        linked = self.pairs.linked
        return np.bincount(self.pairs.source_a[linked], minlength=self.n_sources).astype(np.intp)


def training_set(profiles: ProfileSet, rule: PopulationRule, spec: LrModelSpec, /) -> TrainingSet:
    """Collect what a model is fitted to.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated, with the metadata that the rule looks at.
    rule : PopulationRule
        What linked and unlinked mean.
    spec : LrModelSpec
        The choices.

    Raises
    ------
    InputError
        If the profiles cannot be used, see `feature_values`, `profile_items` and `item_pairs`.
    """
    items = profile_items(profiles, spec.item)
    pairs = item_pairs(profiles, items, rule)
    feature = spec.approach == "feature"
    if feature:
        said = nested_replicates(profiles, pairs.source[items.of_row], rule)
        pairs = replace(pairs, notes=(*pairs.notes, *said))
    scores, notes = (np.empty((0, 0)), ()) if feature else item_scores(profiles, items, spec)
    return TrainingSet(
        values=feature_values(profiles) if feature else np.empty((len(profiles), 0)),
        scores=scores,
        features=profiles.target_names,
        items=items,
        pairs=pairs,
        notes=notes,
    )


def learned_recipe(treated: ProfileSet, before: ProfileSet, /) -> Recipe:
    """Return the frozen steps that profiles went through, without those of an earlier time.

    Applied to all of the profiles as they were handed in, steps that these had been through before
    would be done twice.

    Parameters
    ----------
    treated : ProfileSet
        Some of the profiles, pretreated.
    before : ProfileSet
        The profiles as they were handed in.
    """
    return Recipe(Recipe.of(treated).steps[len(before.pretreatment) :])


def nested_replicates(
    profiles: ProfileSet, row_source: Places, rule: PopulationRule, /
) -> list[Note]:
    """Say how much of the variation within sources is that of profiles which are never a pair.

    Two profiles of one specimen are no linked pair, nor are two of one sequence unless the rule
    allows it. Yet a background takes all profiles of a source for replicates of each other.

    Parameters
    ----------
    profiles : ProfileSet
        Of known source.
    row_source : ndarray of intp, shape (n_profiles,)
        The source of every profile, -1 where it is not known.
    rule : PopulationRule
        Names the columns.

    Returns
    -------
    list of Note
        One a column; empty where every profile of a source counts for itself.
    """
    known = row_source >= 0
    free = int(known.sum()) - len(np.unique(row_source[known]))
    sequence = None if rule.same_sequence else rule.sequence_column(profiles)
    notes: list[Note] = []
    for what, column in (("specimen", rule.specimen_column(profiles)), ("sequence", sequence)):
        if column is None:
            continue
        texts = known_texts(profiles, column)
        cells = {(int(row_source[k]), texts[k]) for k in np.flatnonzero(known) if texts[k]}
        nested = sum(texts[k] is not None for k in np.flatnonzero(known)) - len(cells)
        if nested:
            notes.append(NestedReplicates(nested, free, what, column))
    return notes


def feature_values(profiles: ProfileSet, /) -> Floats:
    """Return the values of profiles of which every target was measured.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated.

    Raises
    ------
    InputError
        If a target is not an impurity, or was not measured somewhere.
    """
    others = [t.name for t in profiles.targets if t.role != "impurity"]
    if others:
        raise InputError(
            f"profile set '{profiles.name}' holds targets that are not impurities: "
            f"{listed(others)}. The main compound, internal standards and cutting agents are no "
            "evidence of a source. Pretreat the profiles, or keep the impurities only: "
            "profiles.keep_targets([...])."
        )
    incomplete = np.flatnonzero(~profiles.measured.all(axis=1))
    if len(incomplete):
        row = int(incomplete[0])
        lacking = [profiles.target_names[k] for k in np.flatnonzero(~profiles.measured[row])]
        raise InputError(
            f"{len(incomplete)} profile(s) of '{profiles.name}' lack a target: {listed(lacking)} "
            f"was not measured in '{profiles.ids[row]}', or was rejected. A feature-based model "
            "needs every target of every profile: leave these profiles or targets out on purpose."
        )
    return profiles.values


def item_scores(
    questioned: ProfileSet,
    items: ProfileItems,
    spec: LrModelSpec,
    /,
    reference: ProfileSet | None = None,
    reference_items: ProfileItems | None = None,
) -> tuple[Floats, tuple[Note, ...]]:
    """Return the mean score over the pairs of profiles of two items.

    Parameters
    ----------
    questioned : ProfileSet
        Pretreated.
    items : ProfileItems
        Their items.
    spec : LrModelSpec
        Says by which metric.
    reference : ProfileSet, optional
        What to compare with; by default the same profiles.
    reference_items : ProfileItems, optional
        Their items.

    Returns
    -------
    scores : ndarray of float64, shape (n_items, n_reference_items)
        NaN where a pair of profiles has no score.
    notes : tuple of Note
        What must be said of them.
    """
    assert spec.metric is not None  # noqa: S101 - the score approach has a metric
    found = compared(questioned, reference, metric=spec.metric, across_epochs=True)
    other = items if reference_items is None else reference_items
    return _item_means(_item_means(found.scores, items).T, other).T, found.notes


def _item_means(table: Floats, items: ProfileItems) -> Floats:
    """Return the means over the rows of each item."""
    if len(items) == len(table):
        return np.asarray(table, dtype=np.float64)
    order = np.argsort(items.of_row, kind="stable")
    counts = np.bincount(items.of_row)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.asarray(np.add.reduceat(table[order], starts, axis=0) / counts[:, None])
