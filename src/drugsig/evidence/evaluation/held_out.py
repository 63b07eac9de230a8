"""`evaluate_held_out`: judge a fitted model on profiles of other sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from drugsig._check import listed
from drugsig._notes import Note, emit
from drugsig.errors import DrugsigWarning, InputError
from drugsig.evidence.evaluation.evaluation import Evaluation
from drugsig.evidence.evaluation.leave_out import assembled, judge, refuse_overlap
from drugsig.evidence.models.lr_model import LrModel
from drugsig.evidence.models.training import training_set
from drugsig.evidence.populations import PopulationRule, get_rule, label_notes
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["JudgedAcross", "evaluate_held_out", "held_out"]


@dataclass(frozen=True)
class JudgedAcross(Note):
    """A model was judged on profiles that differ from its own in what was allowed on purpose.

    Say so with the figures; they hold for such profiles only.
    """

    code: ClassVar[str] = "judged-across"
    category: ClassVar[type[DrugsigWarning] | None] = None
    what: tuple[str, ...]

    def __str__(self) -> str:
        return f"Judged across {' and '.join(self.what)}: the model was not fitted so."


def evaluate_held_out(
    model: LrModel,
    profiles: ProfileSet,
    /,
    *,
    rule: PopulationRule | str | None = None,
    replicate_level: str | None = None,
    across: Sequence[str] = (),
) -> Evaluation:
    """Judge a fitted model on profiles of sources that it was not fitted to.

    Parameters
    ----------
    model : LrModel
        Fitted.
    profiles : ProfileSet
        Of known source, none of which is among those of the model; treated with `LrModel.treat`.
    rule : PopulationRule or str, optional
        What linked and unlinked mean here; by default the rule of the model.
    replicate_level : str, optional
        What the profiles of an item repeat, to be checked against the model.
    across : sequence of {"epoch", "laboratory"}
        What may differ all the same, to see how the model carries over.

    Returns
    -------
    Evaluation
        With the one seed 0 and no folds.

    Raises
    ------
    ModelMismatchError
        If the profiles are of another kind.
    InputError
        If a source or a profile is also one of the model, or there are no linked or no unlinked
        pairs.

    Warns
    -----
    DataWarning
        If the rule leaves out a text that no profile has.
    UndefinedScoreWarning
        If a pair of profiles has no score.
    """
    found, notes = held_out(
        model, profiles, rule=rule, replicate_level=replicate_level, across=across
    )
    emit(notes)
    return found


def held_out(
    model: LrModel,
    profiles: ProfileSet,
    /,
    *,
    rule: PopulationRule | str | None = None,
    replicate_level: str | None = None,
    across: Sequence[str] = (),
) -> tuple[Evaluation, tuple[Note, ...]]:
    """Judge as `evaluate_held_out` does, and return what must be said instead of warning.

    Parameters
    ----------
    model, profiles, rule, replicate_level, across
        As in `evaluate_held_out`.
    """
    profiles = profiles.in_id_order()
    model.identity.require(profiles, replicate_level=replicate_level, across=across)
    known = model.rule if rule is None else get_rule(rule)
    data = training_set(profiles, known, model.spec)
    refuse_overlap(data.pairs.sources, model.sources)
    same = sorted(set(profiles.ids) & set(model.profile_ids))
    if same:
        raise InputError(
            f"{len(same)} profile(s) are in the training set and in the evaluation set: "
            f"{listed(same)}. Leave them out of one of the two, or give profiles ids of their own."
        )
    every = np.ones(data.n_sources, dtype=bool)
    part = judge(model.stages, data, every)
    record = part.record(model.stages, len(model.sources), data.n_sources)
    notes: list[Note] = [*data.pairs.notes, *model.notes]
    if across:
        notes.append(JudgedAcross(tuple(across)))
    found = assembled(
        [part],
        [record],
        data,
        profiles,
        spec=model.spec,
        rule=known,
        seeds=(0,),
        n_folds=0,
        notes=notes,
    )
    return found, (*label_notes(known, profiles), *data.notes)
