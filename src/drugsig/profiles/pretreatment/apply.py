"""`pretreat`: apply a recipe to profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drugsig._notes import Note, emit
from drugsig.errors import RecipeError
from drugsig.profiles.history import Step
from drugsig.profiles.pretreatment.block import Block
from drugsig.profiles.pretreatment.recipe import Recipe, RecipeStep
from drugsig.profiles.profile_set import PRETREAT, ProfileSet

__all__ = ["Applied", "apply_recipe", "pretreat", "pretreated"]


def pretreat(
    profiles: ProfileSet, recipe: Recipe | str | Sequence[Mapping[str, Any]], /
) -> ProfileSet:
    """Normalise, transform and weight profiles before they are compared.

    Parameters
    ----------
    profiles : ProfileSet
        Raw or partly treated.
    recipe : Recipe, str or sequence of mapping
        Steps of `drugsig.Recipe`. A frozen recipe uses the numbers it learned before; any
        other learns from these profiles.

    Returns
    -------
    ProfileSet
        The impurities only; limits and uncertainty are transformed along. ``Recipe.of(result)``
        is the frozen recipe, and the history says what each step did.

    Raises
    ------
    RecipeError
        If a step cannot be applied; the message names the profiles and targets at fault.
    UnknownNameError
        If a step is not known.

    Warns
    -----
    ImputationWarning
        If a log-ratio replaces more than 20 % of the targets of a profile.

    Notes
    -----
    Uncertainty is carried to first order, step by step, as if the cells before each step were
    independent of each other; it is unknown wherever a part of it is unknown.

    Examples
    --------
    >>> from drugsig import ProfileSet
    >>> raw = ProfileSet([[16.0, 0.0], [81.0, 19.0]], ["A", "B"], ["001", "002"])
    >>> pretreat(raw, "sum | fourth_root").values[0]
    array([1., 0.])
    """
    result, notes = pretreated(profiles, recipe)
    emit(notes)
    return result


def pretreated(
    profiles: ProfileSet, recipe: Recipe | str | Sequence[Mapping[str, Any]], /
) -> tuple[ProfileSet, tuple[Note, ...]]:
    """Pretreat profiles, and return what a reader must know instead of warning of it.

    Parameters
    ----------
    profiles, recipe
        As in `pretreat`.

    Returns
    -------
    profiles : ProfileSet
        As from `pretreat`.
    notes : tuple of Note
        What its warnings say.
    """
    wanted = Recipe.coerce(recipe)
    if wanted.steps and not wanted.is_frozen and any(s.learned is not None for s in wanted.steps):
        raise RecipeError(
            f"recipe '{wanted}' is frozen in part: some steps know what they learned and some do "
            "not. Use the recipe of pretreated profiles, drugsig.Recipe.of(profiles), or one "
            "that has learned nothing."
        )
    block = Block(
        values=profiles.values,
        status=profiles.status,
        limits=profiles.limits,
        uncertainty=profiles.uncertainty,
        targets=profiles.targets,
        ids=profiles.ids,
    )
    applied = apply_recipe(block, wanted)
    block = applied.block
    if not block.impurities.any():
        raise RecipeError(
            f"profile set '{profiles.name}' has no impurities left after '{wanted}', so there is "
            "nothing to compare. Look at the roles of its targets: profiles.with_roles({...})."
        )
    others = [t.name for t in profiles.targets if t.role != "impurity"]
    if others:
        block = block.columns(block.impurities)
    detail: dict[str, Any] = {"recipe": str(wanted), "steps": [s.to_data() for s in applied.steps]}
    if applied.reports:
        detail["reports"] = applied.reports
    if others:
        detail["left_out"] = others
    result = ProfileSet(
        block.values,
        targets=block.targets,
        profiles=profiles.profiles,
        status=block.status,
        limits=block.limits,
        uncertainty=block.uncertainty,
        history=(*profiles.history, Step.make(PRETREAT, detail)),
        name=profiles.name,
    )
    return result, applied.notes


@dataclass(frozen=True, eq=False)
class Applied:
    """What came of a recipe.

    Attributes
    ----------
    block : Block
        The result.
    steps : tuple of RecipeStep
        The frozen steps.
    reports : list of dict
        What steps have to say about these profiles in the history.
    notes : tuple of Note
        What a reader of the result must know.
    """

    block: Block
    steps: tuple[RecipeStep, ...]
    reports: list[dict[str, Any]]
    notes: tuple[Note, ...]


def apply_recipe(block: Block, recipe: Recipe, /) -> Applied:
    """Apply every step in order, learning where the recipe is not frozen."""
    done: list[RecipeStep] = []
    reports: list[dict[str, Any]] = []
    notes: list[Note] = []
    for step in recipe.steps:
        parameters = step.parameters
        # Values that are not finite are refused below, by name.
        with np.errstate(all="ignore"):
            learned = step.learned
            if learned is None:
                learned = step.rule.learn(block, parameters)
            said = step.rule.report(block, parameters)
            found = step.rule.notes(block, parameters)
            block = step.rule.apply(block, parameters, learned).known()
        notes += found
        if said:
            reports.append({"step": step.name, **said})
        usable = block.usable
        wrong = usable & ~np.isfinite(block.values)
        if wrong.any():
            row, column = (int(k) for k in np.argwhere(wrong)[0])
            raise RecipeError(
                f"step '{step.name}' gives a value that is not finite for profile "
                f"'{block.ids[row]}', target '{block.names[column]}'. The values before it are "
                "too large or too small to be treated so."
            )
        done.append(RecipeStep.make(step.name, parameters, learned))
    return Applied(block, tuple(done), reports, tuple(notes))
