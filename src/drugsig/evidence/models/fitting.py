"""`fit_lr_model`: fit a likelihood ratio model to profiles of known source."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from drugsig._check import generator, listed
from drugsig._notes import Note, emit
from drugsig.errors import InputError
from drugsig.evidence.models.identity import identity_of
from drugsig.evidence.models.lr_model import LrModel
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.stages import fit_stages
from drugsig.evidence.models.training import training_set
from drugsig.evidence.populations import PopulationRule, circular_notes, get_rule, label_notes
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["fit_lr_model", "lr_model"]


def fit_lr_model(
    profiles: ProfileSet,
    rule: PopulationRule | str,
    spec: LrModelSpec,
    /,
    *,
    rng: np.random.Generator,
    across: Sequence[str] = (),
) -> LrModel:
    """Fit a likelihood ratio model to profiles of known source.

    Background, calibration and bounds are all fitted to these profiles, but never to the same
    pair: the likelihood ratios that teach the calibration come from backgrounds without the
    sources of the pair, and those that teach the bounds from calibrations without them.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated, of known source.
    rule : PopulationRule or str
        What linked and unlinked mean.
    spec : LrModelSpec
        Every choice.
    rng : numpy.random.Generator
        For dealing sources into parts.
    across : sequence of {"epoch", "laboratory"}
        What the profiles may have several of, where they were brought to a common scale.

    Returns
    -------
    LrModel
        Not validated yet: see `evaluate_model`. The order of the profiles does not change a bit of
        it: sources are dealt, and profiles added up, in the order of their labels.

    Raises
    ------
    InputError
        If the profiles cannot be used, or a stage cannot be fitted to them.

    Warns
    -----
    SmallSampleWarning
        If there are few sources.
    CircularRuleWarning
        If the rule looks at what was derived from the profile itself.

    Notes
    -----
    In the feature approach the profiles of one source teach the variation within sources, whether
    they are of one item or of several. They should therefore repeat what the replicate level says.
    """
    rule = get_rule(rule)
    model, notes = lr_model(profiles, rule, spec, rng=rng, across=across)
    emit(notes)
    return model


def lr_model(
    profiles: ProfileSet,
    rule: PopulationRule,
    spec: LrModelSpec,
    /,
    *,
    rng: np.random.Generator,
    across: Sequence[str] = (),
) -> tuple[LrModel, tuple[Note, ...]]:
    """Fit as `fit_lr_model` does, and return what must be said instead of warning.

    Parameters
    ----------
    profiles, rule, spec, rng, across
        As in `fit_lr_model`.

    Returns
    -------
    model : LrModel
        With its own notes.
    notes : tuple of Note
        Those on the rule and the scores, and those of the stages.
    """
    generator(rng)
    if not isinstance(spec, LrModelSpec):
        raise InputError(f"the choices of a model must be an LrModelSpec, got {spec!r}")
    profiles = profiles.in_id_order()
    identity = identity_of(profiles, rule, spec, library_version=version("drugsig"), across=across)
    levels = _other_levels(profiles, spec)
    if levels:
        raise InputError(
            f"the profiles repeat {listed(levels)} and the model is to be of replicate level "
            f"'{spec.replicate_level}': the variation within sources would be that of another "
            "level. Average them to one profile, or select the profiles of one level."
        )
    training = training_set(profiles, rule, spec)
    stages = fit_stages(training, spec, np.ones(training.n_sources, dtype=bool), rng)
    names = training.pairs.sources
    row_source = training.row_source.tolist()
    model = LrModel(
        spec=spec,
        rule=rule,
        identity=identity,
        stages=stages,
        profile_ids=profiles.ids,
        profile_sources=tuple("" if k < 0 else names[k] for k in row_source),
        notes=(*stages.notes, *training.pairs.notes),
    )
    found = (*label_notes(rule, profiles), *training.notes, *circular_notes(rule))
    return model, (*found, *stages.notes)


def _other_levels(profiles: ProfileSet, spec: LrModelSpec) -> list[str]:
    if "replicate_level" not in profiles.metadata_columns:
        return []
    texts = {t for t in profiles.column("replicate_level") if t}
    return sorted(texts - {spec.replicate_level})
