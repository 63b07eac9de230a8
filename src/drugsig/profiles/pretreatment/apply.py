"""`pretreat`: apply a recipe to profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from drugsig.errors import RecipeError
from drugsig.profiles.history import Step
from drugsig.profiles.pretreatment.block import Block
from drugsig.profiles.pretreatment.recipe import Recipe, RecipeStep
from drugsig.profiles.profile_set import PRETREAT, ProfileSet

__all__ = ["apply_recipe", "pretreat"]


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
    block, done, reports = apply_recipe(block, wanted)
    if not block.impurities.any():
        raise RecipeError(
            f"profile set '{profiles.name}' has no impurities left after '{wanted}', so there is "
            "nothing to compare. Look at the roles of its targets: profiles.with_roles({...})."
        )
    others = [t.name for t in profiles.targets if t.role != "impurity"]
    if others:
        block = block.columns(block.impurities)
    detail: dict[str, Any] = {"recipe": str(wanted), "steps": [s.to_data() for s in done]}
    if reports:
        detail["reports"] = reports
    if others:
        detail["left_out"] = others
    return ProfileSet(
        block.values,
        targets=block.targets,
        profiles=profiles.profiles,
        status=block.status,
        limits=block.limits,
        uncertainty=block.uncertainty,
        history=(*profiles.history, Step.make(PRETREAT, detail)),
        name=profiles.name,
    )


def apply_recipe(
    block: Block, recipe: Recipe, /
) -> tuple[Block, list[RecipeStep], list[dict[str, Any]]]:
    """Apply every step in order, learning where the recipe is not frozen.

    Returns
    -------
    block : Block
        The result.
    steps : list of RecipeStep
        The frozen steps.
    reports : list of dict
        What steps had to say about these profiles.
    """
    done: list[RecipeStep] = []
    reports: list[dict[str, Any]] = []
    for step in recipe.steps:
        parameters = step.parameters
        # Values that are not finite are refused below, by name.
        with np.errstate(all="ignore"):
            learned = step.learned
            if learned is None:
                learned = step.rule.learn(block, parameters)
            said = step.rule.report(block, parameters)
            block = step.rule.apply(block, parameters, learned).known()
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
    return block, done, reports
