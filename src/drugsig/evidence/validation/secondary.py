"""Robustness, coherence and generalisation: the same model under other conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from drugsig.errors import InputError
from drugsig.evidence.evaluation.evaluation import Evaluation
from drugsig.evidence.evaluation.held_out import assembled, evaluated, held_out, judge
from drugsig.evidence.models.identity import ACROSS, LABORATORY_COLUMN
from drugsig.evidence.models.items import profile_items
from drugsig.evidence.models.lr_model import LrModel, lr_model
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.stages import fit_stages
from drugsig.evidence.models.training import TrainingSet, training_set
from drugsig.evidence.performance import Estimate
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.resampling import source_folds
from drugsig.evidence.validation.changes import (
    PairCosts,
    cllr_change,
    costs_of,
    pair_costs,
    same_pairs,
)
from drugsig.evidence.validation.disturbances import can_be_redrawn, mistyped, redrawn
from drugsig.evidence.validation.result import Arrangement
from drugsig.profiles.labels import known_texts
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality.outliers import found_outliers

__all__ = [
    "HALF_COLUMN",
    "Measured",
    "Mistyped",
    "Trial",
    "evaluate_apart",
    "evaluate_mistyped",
    "newly_named",
    "with_halves",
]

# Items must differ so much in what they hold before more data can be said to help.
_MORE_DATA = 1.25
_ACROSS_OF = {"epoch": "epoch", LABORATORY_COLUMN: "laboratory"}
_SOURCE_COLUMN = "source of the rule"
HALF_COLUMN = "half of source"
_SEPARATOR = " / "


@dataclass(frozen=True)
class Measured:
    """A figure, or why there is none.

    Parameters
    ----------
    estimate : Estimate or None
        The figure.
    why : str
        What it was measured on, or why it was not.
    """

    estimate: Estimate | None
    why: str


@dataclass(frozen=True, eq=False)
class Trial:
    """What all changes have in common.

    Attributes
    ----------
    profiles : ProfileSet
        As they were handed in.
    rule : PopulationRule
        What linked and unlinked mean.
    spec : LrModelSpec
        The choices.
    recipe : str or None
        Learned anew inside the folds.
    seeds : tuple of int
        The fold seeds that changes are measured with.
    n_folds, n_resamples : int
        As for the main figures.
    across : tuple of str
        What the profiles may have several of.
    evaluation : Evaluation
        Without a change, all fold seeds.
    model : LrModel
        Fitted to all profiles.
    """

    profiles: ProfileSet
    rule: PopulationRule
    spec: LrModelSpec
    recipe: str | None
    seeds: tuple[int, ...]
    n_folds: int
    n_resamples: int
    across: tuple[str, ...]
    evaluation: Evaluation
    model: LrModel

    # -- robustness ------------------------------------------------------------------------

    def with_noise(self, rng: np.random.Generator, /, *, rsd: float | None) -> Measured:
        """Redraw all values within their uncertainty, and evaluate again.

        Parameters
        ----------
        rng : numpy.random.Generator
            For redrawing and resampling.
        rsd : float or None
            The relative standard uncertainty of values whose own is not known.
        """
        if rsd is not None and self.profiles.pretreatment:
            return Measured(
                None,
                "a relative uncertainty of areas is not that of pretreated values, as the profiles "
                "were handed in: give untreated profiles and a recipe",
            )
        if not can_be_redrawn(self.profiles, rsd=rsd):
            return Measured(
                None,
                "no uncertainty of any value is known: give profiles with uncertainties, or a "
                "relative standard uncertainty",
            )
        other = redrawn(self.profiles, rng=rng, rsd=rsd)
        told = "" if rsd is None else f" (relative standard uncertainty {rsd:g} where not known)"
        return self._changed(other, rng, f"all values, background included, redrawn once{told}")

    def with_mistyped(
        self, rng: np.random.Generator, /, *, share: float
    ) -> tuple[Measured, Measured]:
        """Put wrong values into a share of the profiles, and evaluate again.

        Parameters
        ----------
        rng : numpy.random.Generator
            For choosing values and resampling.
        share : float
            Of the profiles.

        Returns
        -------
        judged : Measured
            With wrong values in the pairs that are judged.
        background : Measured
            With those in the background as well that `find_outliers` does not name.
        """
        if self.profiles.pretreatment:
            nothing = Measured(
                None,
                "the profiles were handed in pretreated, and values are mistyped before that: give "
                "untreated profiles and a recipe",
            )
            return nothing, nothing
        try:
            found = evaluate_mistyped(
                self.profiles, self.rule, self.spec,
                recipe=self.recipe, seeds=self.seeds, n_folds=self.n_folds, share=share, rng=rng,
            )  # fmt: skip
        except InputError as error:
            nothing = Measured(None, f"values mistyped: it could not be evaluated. {error}")
            return nothing, nothing
        named = ", ".join(f"{profile} {target}" for profile, target in found.wrong[:5])
        n, n_seeds = len(found.wrong), len(self.seeds)
        more = f" and {n - 5} more" if n > 5 else ""
        how = (
            f"one value wrong by a factor of ten in {n // n_seeds} of {found.n_profiles} profiles"
            f"{', others with every fold seed' if n_seeds > 1 else ''} ({named}{more}); the "
            "models were fitted to the profiles as they are"
        )
        before = pair_costs(self.evaluation, seeds=self.seeds)
        unchecked = self._compared(before, found.unchecked, rng, "").estimate
        assert unchecked is not None  # noqa: S101 - the evaluation was made
        background = (
            f"the same wrong values, in the background as well but for those that find_outliers "
            f"names, {found.n_named} of {n}, whose profiles were left out of it; had nobody "
            f"looked, Cllr would change by {unchecked.value:+.4f}"
        )
        return (
            self._compared(before, found.judged, rng, how),
            self._compared(before, found.checked, rng, background),
        )

    def with_fewer_sources(self, rng: np.random.Generator, /, *, share: float) -> Measured:
        """Leave a share of the sources out altogether, and evaluate the others again.

        Parameters
        ----------
        rng : numpy.random.Generator
            For choosing sources and resampling.
        share : float
            Of the sources that stay.
        """
        treated = self._treated()
        data = training_set(treated, self.rule, self.spec)
        linked = data.linked_pairs_by_source > 0
        kept = np.zeros(data.n_sources, dtype=bool)
        for group in (np.flatnonzero(linked), np.flatnonzero(~linked)):
            n = round(share * len(group))
            kept[rng.choice(group, size=n, replace=False)] = True
        rows = kept[data.row_source] & (data.row_source >= 0)
        other = self.profiles.select(rows, why="a background of fewer sources")
        return self._changed(
            other,
            rng,
            f"{int(kept.sum())} of {data.n_sources} sources, drawn by chance, on the pairs of "
            "these sources",
            seeds=self.evaluation.seeds,
        )

    def over_seeds(self) -> Measured:
        """Return how far Cllr of the reported LRs spreads over fold seeds."""
        if len(self.evaluation.seeds) < 2:
            return Measured(None, "there was one fold seed only")
        values = self.evaluation.figures_by_seed()[0]["cllr_bounded"].to_numpy()
        spread = float(values.max() - values.min()) if np.isfinite(values).all() else float("inf")
        return Measured(
            Estimate(spread),
            f"over {len(values)} fold seeds, from {values.min():.4g} to {values.max():.4g}",
        )

    # -- coherence -------------------------------------------------------------------------

    def arrangements(self) -> tuple[tuple[Arrangement, PairCosts | None], ...]:
        """Evaluate items with less and with more data, from the least on."""
        wanted: list[tuple[str, ProfileSet, str | None]] = [
            ("one profile against one", self.profiles, None)
        ]
        if self.spec.item not in (None, HALF_COLUMN):
            wanted.append((f"items by column '{self.spec.item}'", self.profiles, self.spec.item))
        halves = with_halves(self.profiles, self.rule)
        wanted.append(("half of a source against half", halves, HALF_COLUMN))
        out: list[tuple[Arrangement, PairCosts | None]] = []
        for name, profiles, column in wanted:
            size = len(profiles) / len(profile_items(profiles, column))
            spec = replace(self.spec, item=column)
            try:
                found = self._evaluated(profiles, spec=spec)
            except InputError as error:
                told = Arrangement(name, size, 0, 0, 0, float("nan"), str(error))
                out.append((told, None))
                continue
            pairs = pair_costs(found)
            told = Arrangement(
                name, size, found.n_linked, found.n_unlinked, found.n_linked_sources, pairs.cllr
            )
            out.append((told, pairs))
        return tuple(sorted(out, key=lambda one: one[0].profiles_an_item))

    def more_data(
        self,
        found: Sequence[tuple[Arrangement, PairCosts | None]],
        rng: np.random.Generator,
        /,
    ) -> Measured:
        """Compare the items that hold most with those that hold least.

        Parameters
        ----------
        found : sequence of (Arrangement, PairCosts or None)
            From `arrangements`.
        rng : numpy.random.Generator
            For resampling.
        """
        there = [(a, pairs) for a, pairs in found if pairs is not None]
        if len(there) < 2:
            why = "; ".join(a.note for a, pairs in found if pairs is None)
            return Measured(None, f"items of one size only could be evaluated: {why}")
        (least, first), (most, second) = there[0], there[-1]
        if most.profiles_an_item < _MORE_DATA * least.profiles_an_item:
            return Measured(
                None,
                "the sources hold too few specimens: half of a source is hardly more than one "
                "profile",
            )
        return Measured(
            cllr_change(first, second, rng=rng, n_resamples=self.n_resamples),
            f"{most.name} (Cllr {most.cllr:.4g}, {most.profiles_an_item:.3g} profiles an item) "
            f"less {least.name} (Cllr {least.cllr:.4g}, {least.profiles_an_item:.3g})",
        )

    # -- generalisation --------------------------------------------------------------------

    def optimism(self, rng: np.random.Generator, /) -> Measured:
        """Compare the LRs of left-out sources with those of the model that was fitted to them.

        Parameters
        ----------
        rng : numpy.random.Generator
            For resampling.
        """
        data = training_set(self._treated(), self.rule, self.spec)
        pairs, stages = data.pairs, self.model.stages
        raw = stages.raw(data, pairs.first, pairs.second)
        there = np.flatnonzero(~np.isnan(raw))
        reported = stages.bounded(stages.calibrated(raw[there]))
        items, sources = np.array(data.items.names), np.array(pairs.sources)
        inside = costs_of(
            reported,
            pairs.linked[there],
            sources[pairs.source_a[there]],
            sources[pairs.source_b[there]],
            items[pairs.first[there]],
            items[pairs.second[there]],
        )
        first, second = same_pairs(inside, pair_costs(self.evaluation))
        return Measured(
            cllr_change(first, second, rng=rng, n_resamples=self.n_resamples),
            f"Cllr {second.cllr:.4g} of left-out sources less {first.cllr:.4g} of fitted ones, on "
            f"the same {len(first):,} pairs",
        )

    def elsewhere(
        self, column: str | None, rng: np.random.Generator, /
    ) -> tuple[Measured, tuple[Arrangement, ...]]:
        """For every text of a column, fit to the profiles of the others and judge its own.

        Parameters
        ----------
        column : str or None
            Such as ``laboratory``, ``epoch`` or ``year``.
        rng : numpy.random.Generator
            For fitting and resampling.
        """
        if column is None:
            return Measured(None, "no column was named that says laboratory, epoch or period"), ()
        texts = known_texts(self.profiles, column)
        found: list[tuple[Arrangement, Estimate]] = []
        for text in sorted({t for t in texts if t is not None}):
            own = np.array([t == text for t in texts])
            # Where the text is not known, a profile may be of this part, and teaches none.
            strange = np.array([t is not None and t != text for t in texts])
            try:
                other = self._judged_elsewhere(column, own, strange, rng)
                told = other.measured(rng=rng, n_resamples=self.n_resamples)
            except InputError as error:
                nothing = Arrangement(text, float("nan"), 0, 0, 0, float("nan"), str(error))
                found.append((nothing, Estimate(float("nan"))))
                continue
            part = Arrangement(
                text,
                float("nan"),
                other.n_linked,
                other.n_unlinked,
                other.n_linked_sources,
                told.cllr.value,
            )
            found.append((part, told.cllr))
        parts = tuple(a for a, _ in found)
        there = [(a, e) for a, e in found if not np.isnan(e.value)]
        if not there:
            return Measured(None, f"no text of column '{column}' could be judged"), parts
        worst, estimate = max(there, key=lambda one: one[1].value)
        failed = [a.name for a in parts if a.note]
        why = f"column '{column}', worst: '{worst.name}'"
        if failed:
            why += f"; could not be judged: {', '.join(failed)}"
        return Measured(estimate, why), parts

    # -- what they share -------------------------------------------------------------------

    def _treated(self) -> ProfileSet:
        return self._treating(self.profiles)

    def _treating(self, profiles: ProfileSet) -> ProfileSet:
        return profiles if self.recipe is None else pretreated(profiles, self.recipe)[0]

    def _evaluated(
        self,
        profiles: ProfileSet,
        *,
        spec: LrModelSpec | None = None,
        seeds: tuple[int, ...] | None = None,
    ) -> Evaluation:
        # Of profiles changed on purpose; what matters stands beside the figures.
        found, _ = evaluated(
            profiles,
            self.rule,
            self.spec if spec is None else spec,
            recipe=self.recipe,
            seeds=self.seeds if seeds is None else seeds,
            n_folds=self.n_folds,
            across=self.across,
        )
        return found

    def _changed(
        self,
        profiles: ProfileSet,
        rng: np.random.Generator,
        how: str,
        *,
        seeds: tuple[int, ...] | None = None,
    ) -> Measured:
        """Compare an evaluation of other profiles with that of the profiles as they are."""
        try:
            other = self._evaluated(profiles, seeds=seeds)
        except InputError as error:
            return Measured(None, f"{how}: it could not be evaluated. {error}")
        before = pair_costs(self.evaluation, seeds=self.seeds if seeds is None else seeds)
        return self._compared(before, pair_costs(other), rng, how)

    def _compared(
        self, before: PairCosts, after: PairCosts, rng: np.random.Generator, how: str
    ) -> Measured:
        first, second = same_pairs(before, after)
        change = cllr_change(first, second, rng=rng, n_resamples=self.n_resamples)
        return Measured(
            change,
            f"{how}; Cllr {second.cllr:.4g}, before {first.cllr:.4g}, on {len(first):,} pairs",
        )

    def _judged_elsewhere(
        self, column: str, own: np.ndarray, strange: np.ndarray, rng: np.random.Generator
    ) -> Evaluation:
        there = self.profiles.select(own)
        # A source that was measured in both places must not teach the model.
        known = training_set(self._treating(there), self.rule, self.spec)
        data = training_set(self._treated(), self.rule, self.spec)
        names = np.array([*data.pairs.sources, ""])
        shared = np.isin(names[data.row_source], list(known.pairs.sources))
        others = self.profiles.select(strange & ~shared)
        across = tuple(a for a in ACROSS if a in self.across or a == _ACROSS_OF.get(column))
        model, _ = lr_model(self._treating(others), self.rule, self.spec, rng=rng, across=across)
        treated_there = there if self.recipe is None else model.treated(there)[0]
        found, _ = held_out(model, treated_there, across=across)
        return found


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
    fold_of = source_folds(whole.linked_pairs_by_source, n_folds, rng)
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


def with_halves(profiles: ProfileSet, rule: PopulationRule, /) -> ProfileSet:
    """Return the same profiles with a column that deals every source into two halves.

    Parameters
    ----------
    profiles : ProfileSet
        With the columns of the rule.
    rule : PopulationRule
        Which names the source, and the specimen.

    Returns
    -------
    ProfileSet
        With the column ``half of source``. Specimens (sequences, where linked pairs must be of
        two) stay whole and take turns in the order of the ids; a source with one of them is
        one item. Profiles that the rule leaves out, or without a source, are an item each.
    """
    rule.check(profiles)
    left_out = rule.left_out(profiles)
    columns = [known_texts(profiles, c) for c in rule.source]
    whole = None if rule.same_sequence else rule.sequence_column(profiles)
    whole = whole or rule.specimen_column(profiles)
    owners = profiles.ids if whole is None else known_texts(profiles, whole)
    turn: dict[str, dict[str, int]] = {}
    texts = [""] * len(profiles)
    for row in profiles.id_order:
        name, own = profiles.ids[row], owners[row]
        parts = [column[row] for column in columns]
        if name in left_out or any(p is None for p in parts):
            texts[row] = f"profile {name}"
            continue
        source = _SEPARATOR.join(str(p) for p in parts)
        seen = turn.setdefault(source, {})
        place = seen.setdefault(own if own is not None else f"profile {name}", len(seen))
        texts[row] = f"{source}{_SEPARATOR}half {place % 2 + 1}"
    return profiles.with_column(HALF_COLUMN, texts)
