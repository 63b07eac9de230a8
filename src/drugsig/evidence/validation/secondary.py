"""Robustness, coherence and generalisation: what becomes of the LRs when something changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from drugsig.errors import InputError
from drugsig.evidence.evaluation.evaluation import Evaluation
from drugsig.evidence.evaluation.held_out import evaluated, held_out
from drugsig.evidence.models.identity import ACROSS, LABORATORY_COLUMN
from drugsig.evidence.models.items import profile_items
from drugsig.evidence.models.lr_model import LrModel, lr_model
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.training import training_set
from drugsig.evidence.performance import Estimate
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.validation.arrangements import HALF_COLUMN, with_halves
from drugsig.evidence.validation.changes import (
    PairCosts,
    cllr_change,
    costs_of,
    pair_costs,
    same_pairs,
)
from drugsig.evidence.validation.disturbances import can_be_redrawn, redrawn
from drugsig.evidence.validation.mistyping import evaluate_mistyped
from drugsig.evidence.validation.result import Arrangement
from drugsig.profiles.labels import known_texts
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["Measured", "Trial"]

# Items must differ so much in what they hold before more data can be said to help.
_MORE_DATA = 1.25

_ACROSS_OF = {"epoch": "epoch", LABORATORY_COLUMN: "laboratory"}


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
