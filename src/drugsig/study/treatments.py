"""Treating profiles for a study: recipes and target choices learned from some, applied to all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import Note
from drugsig.errors import InputError
from drugsig.evidence.models.training import learned_recipe
from drugsig.evidence.target_selection import TargetSelection
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.profile_set import ProfileSet
from drugsig.study.plan import StudyPlan
from drugsig.study.populations import SourceSystem

__all__ = ["Fold", "Treatment", "treated", "treatments_of"]

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Treatment:
    """A recipe with a choice of targets.

    Parameters
    ----------
    recipe_name, recipe : str
        The pretreatment.
    selection_name : str
        What the choice of targets is called.
    selection : TargetSelection
        The choice.
    """

    recipe_name: str
    recipe: str
    selection_name: str
    selection: TargetSelection


@dataclass(frozen=True)
class Fold:
    """One part of the sources of a system, in one parting.

    Parameters
    ----------
    system, repeat, fold : int
        Which.
    """

    system: int
    repeat: int
    fold: int

    def left_out(self, systems: list[SourceSystem], /) -> Flags:
        """Say which sources are of this fold, shape (n_sources,)."""
        return np.asarray(systems[self.system].folds[self.repeat] == self.fold)


def treatments_of(plan: StudyPlan, /) -> Iterator[Treatment]:
    """Yield the treatments of a plan, in its order."""
    for recipe_name, recipe in plan.recipes:
        for selection_name, selection in plan.selections:
            yield Treatment(recipe_name, recipe, selection_name, selection)


def treated(
    profiles: ProfileSet,
    treatment: Treatment,
    system: SourceSystem,
    fold: Fold | None,
    systems: list[SourceSystem],
    /,
) -> tuple[ProfileSet, tuple[Note, ...]]:
    """Treat all profiles, learning from those outside of a fold only.

    Parameters
    ----------
    profiles : ProfileSet
        All of them, not treated.
    treatment : Treatment
        What is done.
    system : SourceSystem
        The sources a choice of targets may look at.
    fold : Fold or None
        Whose sources, and whose profiles of unknown source, teach nothing; None to learn from all.
    systems : list of SourceSystem
        Those of the study.

    Returns
    -------
    profiles : ProfileSet
        Treated.
    notes : tuple of Note
        What must be said of the pretreatment.
    """
    teachers = np.ones(len(profiles), dtype=bool)
    if fold is not None:
        known = system.source >= 0
        teachers = known & ~fold.left_out(systems)[np.where(known, system.source, 0)]
    whole = bool(teachers.all())
    taught_by = profiles if whole else profiles.select(teachers)
    learned, notes = pretreated(taught_by, treatment.recipe)
    if not treatment.selection.keeps_all:
        names = learned.target_names
        strangers = [n for n in names if n not in profiles.target_names]
        if strangers:
            raise InputError(
                f"targets cannot be chosen under recipe '{treatment.recipe}': it makes new ones, "
                f"such as '{strangers[0]}'. Choose targets under a recipe that keeps them."
            )
        values = np.where(learned.measured, learned.values, np.nan)
        keep = treatment.selection.keep(values, learned.detected, system.source[teachers])
        chosen = {name for name, kept in zip(names, keep, strict=True) if kept}
        impurities = {t.name for t in profiles.targets if t.role == "impurity"}
        wanted = [n for n in profiles.target_names if n in chosen or n not in impurities]
        profiles, taught_by = profiles.keep_targets(wanted), taught_by.keep_targets(wanted)
        learned, more = pretreated(taught_by, treatment.recipe)
        notes = (*notes, *more)
    if whole:
        return learned, notes
    made, more = pretreated(profiles, learned_recipe(learned, profiles))
    return made, (*notes, *more)
