"""`StepRule`: how one pretreatment step works, and the refusals that steps share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._check import listed
from drugsig._notes import Note
from drugsig.errors import RecipeError
from drugsig.profiles.pretreatment.block import Block

__all__ = ["StepRule", "refuse_missing", "refuse_negative", "refuse_rows"]

Floats = NDArray[np.float64]
Parameters = Mapping[str, Any]
Learned = dict[str, Any]


def _learn_nothing(block: Block, parameters: Parameters) -> Learned:
    return {}


def _report_nothing(block: Block, parameters: Parameters) -> Learned:
    return {}


def _note_nothing(block: Block, parameters: Parameters) -> tuple[Note, ...]:
    return ()


@dataclass(frozen=True)
class StepRule:
    """How one pretreatment step works.

    Parameters
    ----------
    name : str
        The registered name.
    formula : str
        In words and signs; x is a value, i a profile, j a target.
    note : str
        What a user must know before choosing it.
    error : str
        What rounding adds, in units u = 2^-53 for p targets: "of itself" where a value that was
        right to so many parts of itself still is, "of" something else where it need not be.
    apply : callable
        ``(block, parameters, learned) -> block``.
    learn : callable
        ``(block, parameters) -> learned``, data that can be written as JSON.
    defaults : mapping
        Parameters and their default values; None means there is none.
    positional : str
        The parameter that bare words in parentheses fill: ``drop_targets(a, b)``.
    needs_names : bool
        Whether it depends on names or roles of targets; such a step has no meaning for a bare
        array.
    positive_only : bool
        Whether negative values are refused.
    report : callable
        ``(block, parameters) -> data`` for the history: what the step does to these profiles.
    notes : callable
        ``(block, parameters) -> notes``: what a reader of the result must know of that.
    """

    name: str
    formula: str
    note: str
    error: str
    apply: Callable[[Block, Parameters, Learned], Block]
    learn: Callable[[Block, Parameters], Learned] = _learn_nothing
    defaults: Mapping[str, Any] = field(default_factory=dict)
    positional: str = ""
    needs_names: bool = False
    positive_only: bool = False
    report: Callable[[Block, Parameters], Learned] = _report_nothing
    notes: Callable[[Block, Parameters], tuple[Note, ...]] = _note_nothing


def refuse_missing(block: Block, step: str, columns: NDArray[np.bool_]) -> None:
    """Refuse gaps: a sum over targets that were not measured would read them as zero."""
    gaps = ~block.usable & columns
    rows = np.flatnonzero(gaps.any(axis=1))
    if len(rows):
        row = int(rows[0])
        lacking = [block.names[k] for k in np.flatnonzero(gaps[row])]
        raise RecipeError(
            f"step '{step}' needs every impurity measured, but {len(rows)} profile(s) have "
            f"targets not measured or rejected: {listed(block.ids[k] for k in rows)}; "
            f"'{block.ids[row]}' lacks {listed(lacking)}. Leave these profiles out "
            "(profiles.without([...])), or leave the targets out of all profiles with the step "
            "'drop_targets(...)' before it."
        )


def refuse_rows(block: Block, step: str, bad: NDArray[np.bool_], what: str) -> None:
    """Refuse the profiles marked as bad, by name."""
    if bad.any():
        names = [block.ids[k] for k in np.flatnonzero(bad)]
        raise RecipeError(
            f"step '{step}' cannot be applied to {len(names)} profile(s): {what}: "
            f"{listed(names)}. Leave them out: profiles.without([...])."
        )


def refuse_negative(block: Block, step: str) -> None:
    """Refuse negative values in cells that were measured."""
    bad = block.usable & (block.values < 0)
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        raise RecipeError(
            f"step '{step}' has no meaning for negative values; profile '{block.ids[row]}', "
            f"target '{block.names[column]}' is {block.values[row, column]:g}. Put the step before "
            "any logarithm, log-ratio or autoscaling."
        )
