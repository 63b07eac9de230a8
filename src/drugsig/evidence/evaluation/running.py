"""`evaluate_model`: leave out both sources of every pair, by folds over sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import is_whole, listed, whole_number
from drugsig._notes import Note, emit, unique_notes
from drugsig.errors import DrugsigWarning, InputError, SmallSampleWarning
from drugsig.evidence.dependence import FEW_LINKED_SOURCES
from drugsig.evidence.evaluation.evaluation import Evaluation, FoldRecord
from drugsig.evidence.evaluation.leave_out import Part, assembled, judge
from drugsig.evidence.models.identity import identity_of
from drugsig.evidence.models.parts import deal_sources
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.stages import fit_stages
from drugsig.evidence.models.training import TrainingSet, learned_recipe, training_set
from drugsig.evidence.populations import PopulationRule, get_rule, label_notes
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "DEFAULT_FOLDS",
    "DEFAULT_SEEDS",
    "FewSourcesOfEvaluation",
    "LearnedBefore",
    "evaluate_model",
    "evaluated",
]

DEFAULT_FOLDS = 5
DEFAULT_SEEDS = tuple(range(20))


@dataclass(frozen=True)
class FewSourcesOfEvaluation(Note):
    """Few sources have linked pairs to judge a model on.

    Add sources with linked profiles, and report the intervals.
    """

    code: ClassVar[str] = "few-sources-of-evaluation"
    category: ClassVar[type[DrugsigWarning] | None] = SmallSampleWarning
    n_sources: int
    needed: int = FEW_LINKED_SOURCES

    def __str__(self) -> str:
        return (
            f"Only {self.n_sources} sources have linked pairs (fewer than {self.needed}): other "
            "sources would give other figures."
        )


@dataclass(frozen=True)
class LearnedBefore(Note):
    """Pretreatment learned from the profiles that a model is judged on.

    Give untreated profiles and the recipe, so that it is learned inside the folds.
    """

    code: ClassVar[str] = "learned-before"
    category: ClassVar[type[DrugsigWarning] | None] = None
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The pretreatment ({listed(self.steps)}) learned from the profiles it is judged on, "
            "or from profiles not known here: give untreated profiles and recipe=... to learn it "
            "inside the folds."
        )


def evaluate_model(
    profiles: ProfileSet,
    rule: PopulationRule | str,
    spec: LrModelSpec,
    /,
    *,
    recipe: Recipe | str | None = None,
    seeds: Sequence[int] = DEFAULT_SEEDS,
    n_folds: int = DEFAULT_FOLDS,
    across: Sequence[str] = (),
) -> Evaluation:
    """Judge a model, as it would be fitted, on pairs whose sources it never saw.

    For every seed the sources are dealt into folds. For every fold a whole model is fitted to the
    profiles of the other folds alone: recipe, background, covariance within sources, calibration
    and bounds. It gives the pairs of items within the fold their likelihood ratios. So nothing
    that a pair is judged by has seen a profile, or a pair, of either of its sources.

    Parameters
    ----------
    profiles : ProfileSet
        Of known source; with a recipe, as they are before it.
    rule : PopulationRule or str
        What linked and unlinked mean.
    spec : LrModelSpec
        Every choice, made before: a choice made on these figures makes them too good.
    recipe : Recipe or str, optional
        Pretreatment that is learned anew from the sources of the other folds every time.
    seeds : sequence of int
        One parting each. All are reported.
    n_folds : int
        Parts; every model is fitted to all of them but one.
    across : sequence of {"epoch", "laboratory"}
        As in `fit_lr_model`.

    Returns
    -------
    Evaluation
        Every linked pair once a seed; unlinked pairs in the seeds that dealt both of their sources
        into one fold. Folds follow from the seed and the names of the sources, and the order of
        the profiles does not change a bit of anything.

    Raises
    ------
    InputError
        If there are too few sources for the folds, or a model cannot be fitted.

    Warns
    -----
    SmallSampleWarning
        If there are fewer than 30 linked sources.

    Notes
    -----
    A model is fitted to fewer sources here than in the end, to four fifths with five folds: the
    figures are those of a slightly poorer model. Leaving out exactly two sources for each pair
    would spare that, but a calibration and bounds for every pair of sources cannot be afforded,
    and reusing one that saw a source of the pair is what this function is there to avoid.

    Examples
    --------
    >>> from drugsig import PopulationRule, ProfileSet
    >>> rng = np.random.default_rng(1)
    >>> values = np.repeat(rng.normal(size=(40, 2)), 3, axis=0) + 0.3 * rng.normal(size=(120, 2))
    >>> names = [f"batch {k // 3:02d}" for k in range(120)]
    >>> table = {"profile_id": [f"p{k}" for k in range(120)], "batch_id": names}
    >>> rule = PopulationRule.from_data({
    ...     "name": "known batches", "source": ["batch_id"], "source_level": "production batch",
    ...     "linked": {"same": ["batch_id"]}, "unlinked": {"different": ["batch_id"]},
    ... })
    >>> spec = LrModelSpec(replicate_level="specimen")
    >>> known = ProfileSet(values, ["A", "B"], table)
    >>> evaluation = evaluate_model(known, rule, spec, seeds=[0, 1], n_folds=4)
    >>> evaluation.n_linked, evaluation.n_linked_sources
    (120, 40)
    >>> evaluation.by_seed()["cllr_bounded"].max() < 0.8
    np.True_
    """
    rule = get_rule(rule)
    found, notes = evaluated(
        profiles, rule, spec, recipe=recipe, seeds=seeds, n_folds=n_folds, across=across
    )
    emit(notes)
    return found


def evaluated(
    profiles: ProfileSet,
    rule: PopulationRule,
    spec: LrModelSpec,
    /,
    *,
    recipe: Recipe | str | None = None,
    seeds: Sequence[int] = DEFAULT_SEEDS,
    n_folds: int = DEFAULT_FOLDS,
    across: Sequence[str] = (),
) -> tuple[Evaluation, tuple[Note, ...]]:
    """Judge as `evaluate_model` does, and return what must be said instead of warning.

    Parameters
    ----------
    profiles, rule, spec, recipe, seeds, n_folds, across
        As in `evaluate_model`.

    Returns
    -------
    evaluation : Evaluation
        With its own notes, those of the models of all folds among them.
    notes : tuple of Note
        On the rule, the pretreatment, the scores and the number of sources.
    """
    n_folds = whole_number(n_folds, what="n_folds", least=2)
    _refuse_seeds(seeds)
    profiles = profiles.in_id_order()
    treated, told = (profiles, ()) if recipe is None else pretreated(profiles, recipe)
    identity_of(treated, rule, spec, library_version="", across=across)
    whole = training_set(treated, rule, spec)
    weights = whole.linked_pairs_by_source
    used = np.bincount(
        np.concatenate([whole.pairs.source_a, whole.pairs.source_b]), minlength=whole.n_sources
    )
    if int((weights > 0).sum()) < n_folds or int((used > 0).sum()) < 2 * n_folds:
        raise InputError(
            f"{int((weights > 0).sum())} sources with linked pairs, and {int((used > 0).sum())} in "
            f"all, are too few for {n_folds} folds: every fold needs a linked and an unlinked pair."
            " Take fewer folds, or look at the population rule."
        )
    few = _few(weights)
    told = (*told, *label_notes(rule, treated), *whole.notes, *few)
    notes: list[Note] = [*whole.pairs.notes, *few, *_learned_before(profiles)]
    parts: list[Part] = []
    folds: list[FoldRecord] = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        fold_of = deal_sources(weights, n_folds, rng)
        for fold in range(n_folds):
            test = fold_of == fold
            data = whole
            if recipe is not None:
                data, said = _refitted(profiles, recipe, whole, rule, spec, test)
                told = (*told, *said, *data.notes)
            stages = fit_stages(data, spec, ~test, rng)
            part = judge(stages, data, test)
            parts.append(replace(part, seed=int(seed), fold=fold))
            folds.append(parts[-1].record(stages, int((~test).sum()), int(test.sum())))
            notes += stages.notes
    found = assembled(
        parts,
        folds,
        whole,
        treated,
        spec=spec,
        rule=rule,
        seeds=tuple(int(s) for s in seeds),
        n_folds=n_folds,
        notes=notes,
    )
    return found, unique_notes(told)


def _refitted(
    profiles: ProfileSet,
    recipe: Recipe | str,
    whole: TrainingSet,
    rule: PopulationRule,
    spec: LrModelSpec,
    test: NDArray[np.bool_],
) -> tuple[TrainingSet, tuple[Note, ...]]:
    """Return all profiles treated by what the recipe learns without the test sources."""
    source = whole.row_source
    training = (source >= 0) & ~test[source]
    own, first = pretreated(profiles.select(training), recipe)
    treated, then = pretreated(profiles, learned_recipe(own, profiles))
    return training_set(treated, rule, spec), (*first, *then)


def _refuse_seeds(seeds: Sequence[int]) -> None:
    numbers = list(seeds)
    wrong = [s for s in numbers if not is_whole(s)]
    if not numbers or wrong or min(numbers) < 0 or len(set(numbers)) < len(numbers):
        raise InputError(
            f"seeds must be different whole numbers from 0, one a parting, got {numbers!r}"
        )


def _few(weights: NDArray[np.integer]) -> tuple[Note, ...]:
    n = int((weights > 0).sum())
    return (FewSourcesOfEvaluation(n),) if n < FEW_LINKED_SOURCES else ()


def _learned_before(profiles: ProfileSet) -> tuple[Note, ...]:
    learned = tuple(str(step["step"]) for step in profiles.pretreatment if step.get("learned"))
    return (LearnedBefore(learned),) if learned else ()
