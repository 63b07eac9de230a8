"""Judge likelihood ratio models on sources held out: `evaluate_model`, `evaluate_held_out`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import is_whole, listed, whole_number
from drugsig._notes import Note, emit, unique_notes
from drugsig.errors import DrugsigWarning, InputError, SmallSampleWarning
from drugsig.evidence.dependence import FEW_LINKED_SOURCES
from drugsig.evidence.evaluation.evaluation import Evaluation, FoldRecord
from drugsig.evidence.models.identity import identity_of
from drugsig.evidence.models.lr_model import LrModel
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.stages import Stages, fit_stages
from drugsig.evidence.models.training import TrainingSet, learned_recipe, training_set
from drugsig.evidence.populations import PopulationRule, get_rule, label_notes
from drugsig.evidence.resampling import source_folds
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "DEFAULT_FOLDS",
    "DEFAULT_SEEDS",
    "FewSourcesOfEvaluation",
    "JudgedAcross",
    "JudgedFold",
    "LearnedBefore",
    "assembled",
    "evaluate_held_out",
    "evaluate_model",
    "evaluated",
    "held_out",
    "judge",
]

DEFAULT_FOLDS = 5
DEFAULT_SEEDS = tuple(range(20))


@dataclass(frozen=True, eq=False)
class JudgedFold:
    """The pairs of one fold.

    Attributes
    ----------
    seed, fold : int
        Which.
    places : ndarray of intp, shape (n,)
        The pairs, as places in those of the training set.
    linked : ndarray of bool, shape (n,)
        Known to share the source.
    raw, calibrated, bounded : ndarray of float64, shape (n,)
        Their log10 likelihood ratios.
    """

    seed: int
    fold: int
    places: NDArray[np.intp]
    linked: NDArray[np.bool_]
    raw: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    bounded: NDArray[np.float64]

    def record(self, stages: Stages, n_training: int, n_test: int) -> FoldRecord:
        """Return what was left out here.

        Parameters
        ----------
        stages : Stages
            Fitted to the others.
        n_training, n_test : int
            Sources on each side.
        """
        n = int(self.linked.sum())
        return FoldRecord(
            self.seed, self.fold, n_training, n_test, n, len(self.linked) - n, stages.bounds
        )


def judge(stages: Stages, data: TrainingSet, test: NDArray[np.bool_], /) -> JudgedFold:
    """Give the pairs within the test sources their likelihood ratios.

    Parameters
    ----------
    stages : Stages
        Fitted to other sources.
    data : TrainingSet
        Values or scores of all items.
    test : ndarray of bool, shape (n_sources,)
        The sources left out.

    Raises
    ------
    InputError
        If a test source is among those that the stages were fitted to.
    """
    names = [name for name, out in zip(data.pairs.sources, test, strict=True) if out]
    _refuse_overlap(names, stages.sources)
    pairs = data.pairs
    places = np.flatnonzero(test[pairs.source_a] & test[pairs.source_b])
    raw = stages.raw(data, pairs.first[places], pairs.second[places])
    defined = ~np.isnan(raw)
    places, raw = places[defined], raw[defined]
    calibrated = stages.calibrated(raw)
    return JudgedFold(
        0, 0, places, pairs.linked[places], raw, calibrated, stages.bounded(calibrated)
    )


def _refuse_overlap(test: Sequence[str], training: Sequence[str], /) -> None:
    """Refuse sources that a model was both fitted to and is judged on.

    Parameters
    ----------
    test, training : sequence of str
        Names of sources.

    Raises
    ------
    InputError
        With the sources that are in both.
    """
    both = sorted(set(test) & set(training))
    if both:
        raise InputError(
            f"{len(both)} source(s) are in the training set and in the evaluation set: "
            f"{listed(both)}. Likelihood ratios of sources that the model was fitted to are too "
            "good. Leave these sources out of one of the two."
        )


def assembled(
    parts: Sequence[JudgedFold],
    folds: Sequence[FoldRecord],
    data: TrainingSet,
    profiles: ProfileSet,
    /,
    *,
    spec: LrModelSpec,
    rule: PopulationRule,
    seeds: tuple[int, ...],
    n_folds: int,
    notes: Sequence[Note],
) -> Evaluation:
    """Put the parts of an evaluation together.

    Parameters
    ----------
    parts : sequence
        Pairs, fold by fold.
    folds : sequence of FoldRecord
        What was left out.
    data : TrainingSet
        Names of items and sources.
    profiles : ProfileSet
        What was judged on.
    spec, rule, seeds, n_folds
        As in `Evaluation`.
    notes : sequence of Note
        What a reader must know.

    Raises
    ------
    InputError
        If no linked or no unlinked pair was judged.
    """
    places = np.concatenate([p.places for p in parts])
    linked = np.concatenate([p.linked for p in parts])
    if not linked.any() or linked.all():
        raise InputError(
            "no fold held both linked and unlinked pairs: take fewer folds, or look at the rule"
        )
    pairs = data.pairs
    lengths = [len(p.places) for p in parts]
    columns: dict[str, Any] = {
        "item_a": pairs.first[places],
        "item_b": pairs.second[places],
        "source_a": pairs.source_a[places],
        "source_b": pairs.source_b[places],
        "fold": np.repeat([p.fold for p in parts], lengths),
    }
    return Evaluation(
        log10_lr_raw=np.concatenate([p.raw for p in parts]),
        log10_lr_calibrated=np.concatenate([p.calibrated for p in parts]),
        log10_lr_bounded=np.concatenate([p.bounded for p in parts]),
        linked=linked,
        seed=np.repeat(np.array([p.seed for p in parts], dtype=np.int64), lengths),
        **{name: column.astype(np.int32) for name, column in columns.items()},
        items=data.items.names,
        sources=pairs.sources,
        folds=tuple(folds),
        spec=spec,
        rule=rule,
        seeds=seeds,
        n_folds=n_folds,
        reference_set=profiles.in_id_order().digest,
        n_profiles=len(profiles),
        notes=unique_notes(notes),
    )


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
    rule = get_rule(rule, profiles)
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
    parts: list[JudgedFold] = []
    folds: list[FoldRecord] = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        fold_of = source_folds(weights, n_folds, rng)
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
    known = get_rule(model.rule if rule is None else rule, profiles)
    data = training_set(profiles, known, model.spec)
    _refuse_overlap(data.pairs.sources, model.sources)
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
