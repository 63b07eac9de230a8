"""What mistyped values do: in the pairs that are judged, and in the background as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from drugsig.errors import InputError
from drugsig.evidence.evaluation.evaluation import Evaluation
from drugsig.evidence.evaluation.held_out import assembled, judge
from drugsig.evidence.models.parts import deal_sources
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.stages import fit_stages
from drugsig.evidence.models.training import TrainingSet, training_set
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.validation.changes import PairCosts, pair_costs
from drugsig.evidence.validation.disturbances import mistyped
from drugsig.profiles.labels import known_texts
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality.outliers import found_outliers

__all__ = ["Mistyped", "evaluate_apart", "evaluate_mistyped", "newly_named"]

_SOURCE_COLUMN = "source of the rule"


@dataclass(frozen=True, eq=False)
class Mistyped:
    """The same pairs, judged with wrong values in one place or the other.

    Attributes
    ----------
    judged : PairCosts
        Wrong values in the pairs that are judged; the models fitted to the profiles as they are.
    checked : PairCosts
        Wrong values in the background as well, but for the profiles in which `find_outliers`
        names a value that it did not name before.
    unchecked : PairCosts
        All wrong values in the background as well.
    wrong : tuple of (str, str)
        Profile and target of every wrong value, fold seed by fold seed.
    n_named : int
        How many of them `find_outliers` names.
    n_profiles : int
        Among how many profiles they are, with one fold seed.
    """

    judged: PairCosts
    checked: PairCosts
    unchecked: PairCosts
    wrong: tuple[tuple[str, str], ...]
    n_named: int
    n_profiles: int


def evaluate_mistyped(
    profiles: ProfileSet,
    rule: PopulationRule,
    spec: LrModelSpec,
    /,
    *,
    recipe: str | None,
    seeds: Sequence[int],
    n_folds: int,
    share: float,
    rng: np.random.Generator,
) -> Mistyped:
    """Put wrong values into a share of the profiles, others with every fold seed, and evaluate.

    Parameters
    ----------
    profiles : ProfileSet
        As they were read.
    rule : PopulationRule
        What linked and unlinked mean.
    spec : LrModelSpec
        The choices.
    recipe : str or None
        Learned anew inside the folds.
    seeds : sequence of int
        Fold seeds.
    n_folds : int
        Parts.
    share : float
        Of the profiles.
    rng : numpy.random.Generator
        For choosing values.

    Raises
    ------
    InputError
        If a model cannot be fitted to the profiles with wrong values.
    """
    ways: dict[str, list[Evaluation]] = {"judged": [], "checked": [], "unchecked": []}
    wrong: list[tuple[str, str]] = []
    n_named = 0
    for seed in seeds:
        other, changed = mistyped(profiles, rng=rng, share=share)
        named = newly_named(profiles, other, rule)
        doubtful = [name for name, _ in changed if name in named]
        wrong += changed
        n_named += len(doubtful)
        looked_at = other.without(doubtful, why="a value was named") if doubtful else other
        for way, fitted in (("judged", profiles), ("checked", looked_at), ("unchecked", other)):
            ways[way].append(
                evaluate_apart(fitted, other, rule, spec, recipe=recipe, seed=seed, n_folds=n_folds)
            )
    return Mistyped(
        **{way: pair_costs(*found) for way, found in ways.items()},
        wrong=tuple(wrong),
        n_named=n_named,
        n_profiles=len(profiles),
    )


def newly_named(before: ProfileSet, after: ProfileSet, rule: PopulationRule, /) -> set[str]:
    """Return the profiles in which `find_outliers` names a value that it did not name before.

    Parameters
    ----------
    before, after : ProfileSet
        Without and with wrong values.
    rule : PopulationRule
        Which says what a source is.

    Returns
    -------
    set of str
        Profile ids; none where nothing can be named, because no source was measured twice.
    """
    try:
        return _named(after, rule) - _named(before, rule)
    except InputError:
        return set()


def evaluate_apart(
    fitted: ProfileSet,
    judged: ProfileSet,
    rule: PopulationRule,
    spec: LrModelSpec,
    /,
    *,
    recipe: str | None,
    seed: int,
    n_folds: int,
) -> Evaluation:
    """Fit to some profiles of the training sources, and judge other ones of the test sources.

    With the same profiles twice it is `evaluate_model` with one fold seed.

    Parameters
    ----------
    fitted : ProfileSet
        Of these the sources of the other folds are fitted to.
    judged : ProfileSet
        Of these the pairs within a fold are judged: the same sources, which are dealt into folds
        by it.
    rule : PopulationRule
        What linked and unlinked mean.
    spec : LrModelSpec
        The choices.
    recipe : str or None
        Learned from the training sources of `fitted`.
    seed : int
        Of the deal.
    n_folds : int
        Parts.

    Raises
    ------
    InputError
        If a model cannot be fitted.
    """
    # Once for both where they are the same object.
    together = judged is fitted
    judged = judged.in_id_order()
    fitted = judged if together else fitted.in_id_order()
    treated = _treated(judged, recipe)
    whole = training_set(treated, rule, spec)
    teaching = training_set(_treated(fitted, recipe), rule, spec)
    rng = np.random.default_rng(seed)
    fold_of = deal_sources(whole.linked_pairs_by_source, n_folds, rng)
    parts, records, notes = [], [], list(whole.pairs.notes)
    for fold in range(n_folds):
        test = fold_of == fold
        left_out = [name for name, out in zip(whole.pairs.sources, test, strict=True) if out]
        train = ~np.isin(teaching.pairs.sources, left_out)
        data, taught = whole, teaching
        if recipe is not None:
            data, taught = _refitted(fitted, judged, teaching, train, recipe, rule, spec)
        stages = fit_stages(taught, spec, train, rng)
        part = replace(judge(stages, data, test), seed=seed, fold=fold)
        parts.append(part)
        records.append(part.record(stages, int(train.sum()), int(test.sum())))
        notes += stages.notes
    return assembled(
        parts,
        records,
        whole,
        treated,
        spec=spec,
        rule=rule,
        seeds=(seed,),
        n_folds=n_folds,
        notes=notes,
    )


def _refitted(
    fitted: ProfileSet,
    judged: ProfileSet,
    teaching: TrainingSet,
    train: np.ndarray,
    recipe: str,
    rule: PopulationRule,
    spec: LrModelSpec,
) -> tuple[TrainingSet, TrainingSet]:
    """Return both sets treated by what the recipe learns from the training sources."""
    source = teaching.row_source
    learned = Recipe.of(_treated(fitted.select((source >= 0) & train[source]), recipe))
    taught = training_set(_treated(fitted, learned), rule, spec)
    if judged is fitted:
        return taught, taught
    return training_set(_treated(judged, learned), rule, spec), taught


def _treated(profiles: ProfileSet, recipe: Recipe | str | None) -> ProfileSet:
    # What must be said of profiles changed on purpose stands beside the figures.
    return profiles if recipe is None else pretreated(profiles, recipe)[0]


def _named(profiles: ProfileSet, rule: PopulationRule) -> set[str]:
    columns = [known_texts(profiles, c) for c in rule.source]
    sources = [
        None if any(p is None for p in parts) else " / ".join(str(p) for p in parts)
        for parts in zip(*columns, strict=True)
    ]
    targets = [t.name for t in profiles.targets if t.role == "impurity"]
    own = profiles.values[:, [t.role == "impurity" for t in profiles.targets]]
    there = profiles.detected[:, [t.role == "impurity" for t in profiles.targets]]
    found = found_outliers(
        profiles.with_column(_SOURCE_COLUMN, sources),
        source=_SOURCE_COLUMN,
        targets=targets,
        # An error by a factor is a ratio; where a value is not positive there are none.
        scale="log" if bool((own[there] > 0.0).all()) else "linear",
    )
    return {f.profile_id for f in found.findings}
