"""`Evaluation`: likelihood ratios of pairs whose sources the model never saw."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, choose
from drugsig._files import canonical_json
from drugsig._notes import Note, emit, unique_notes
from drugsig._repr import html_table
from drugsig.errors import InputError
from drugsig.evidence.bounds import Bounds
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.validation_summary import ValidationSummary
from drugsig.evidence.performance import LrPerformance, cllr_min
from drugsig.evidence.performance.cllr import mean_cost
from drugsig.evidence.performance.measure import measured
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.threshold import DEFAULT_RESAMPLES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WHICH", "Evaluation", "FoldRecord"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.int32]

WHICH = ("raw", "calibrated", "bounded")


@dataclass(frozen=True)
class FoldRecord:
    """One part of the sources that was left out.

    Parameters
    ----------
    seed, fold : int
        Which.
    n_training_sources, n_test_sources : int
        Sources the model was fitted to, and those it was judged on. They share none.
    n_linked, n_unlinked : int
        Pairs it was judged on.
    bounds : Bounds or None
        The bounds that the training sources gave.
    """

    seed: int
    fold: int
    n_training_sources: int
    n_test_sources: int
    n_linked: int
    n_unlinked: int
    bounds: Bounds | None


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(FrozenArrays):
    """Likelihood ratios of pairs whose sources the model never saw.

    Made by `evaluate_model` and `evaluate_held_out`. One entry a seed and pair: a linked pair
    comes once a seed, an unlinked one in those seeds that dealt both of its sources into one fold.

    Attributes
    ----------
    log10_lr_raw, log10_lr_calibrated, log10_lr_bounded : ndarray of float64, shape (n,)
        At the three stages. Where there is no calibration or no bounds, those of the stage before.
    linked : ndarray of bool, shape (n,)
        Known to share the source.
    seed : ndarray of int64, shape (n,)
        The parting.
    fold : ndarray of int32, shape (n,)
        The part that was left out.
    item_a, item_b : ndarray of int32, shape (n,)
        The items, as places in `items`.
    source_a, source_b : ndarray of int32, shape (n,)
        Their sources, as places in `sources`.
    items, sources : tuple of str
        Names.
    folds : tuple of FoldRecord
        What was left out when, and the bounds found without it.
    spec : LrModelSpec
        The choices, fixed before.
    rule : PopulationRule
        What linked and unlinked mean.
    seeds : tuple of int
        All partings.
    n_folds : int
        Parts; 0 for a model judged on profiles of other sources.
    reference_set : str
        The content digest of the profiles, pretreated all together, in the order of their ids.
    n_profiles : int
        How many there are.
    notes : tuple of Note
        What a reader must know.
    """

    log10_lr_raw: Floats
    log10_lr_calibrated: Floats
    log10_lr_bounded: Floats
    linked: NDArray[np.bool_]
    seed: NDArray[np.int64]
    fold: Numbers
    item_a: Numbers
    item_b: Numbers
    source_a: Numbers
    source_b: Numbers
    items: tuple[str, ...]
    sources: tuple[str, ...]
    folds: tuple[FoldRecord, ...]
    spec: LrModelSpec
    rule: PopulationRule
    seeds: tuple[int, ...]
    n_folds: int
    reference_set: str
    n_profiles: int
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.linked)

    @property
    def n_linked(self) -> int:
        """How many different linked pairs were scored, in any seed."""
        return self._different(linked=True)

    @property
    def n_unlinked(self) -> int:
        """How many different unlinked pairs were scored, in any seed."""
        return self._different(linked=False)

    @property
    def n_linked_sources(self) -> int:
        """How many sources the linked pairs come from."""
        return len(np.unique(self.source_a[self.linked]))

    def log10_lr(self, which: str = "bounded", /) -> Floats:
        """Return the log10 likelihood ratios of one stage.

        Parameters
        ----------
        which : {"raw", "calibrated", "bounded"}
            The stage.
        """
        name = choose(which, WHICH, what="stage of a likelihood ratio")
        found: Floats = getattr(self, f"log10_lr_{name}")
        return found

    def of_seed(self, seed: int, /) -> Evaluation:
        """Return one parting alone.

        Parameters
        ----------
        seed : int
            One of `seeds`.
        """
        if seed not in self.seeds:
            raise InputError(f"seed {seed!r} was not evaluated; the seeds are {list(self.seeds)}")
        own = self.seed == seed
        return replace(
            self,
            **{name: getattr(self, name)[own] for name in _PER_PAIR},
            folds=tuple(f for f in self.folds if f.seed == seed),
            seeds=(seed,),
        )

    def by_seed(self) -> pd.DataFrame:
        """Return one row a seed: pairs, and Cllr raw, calibrated and bounded, and Cllr_min.

        Warns
        -----
        DataWarning
            If a Cllr is infinite.
        """
        table, notes = self.figures_by_seed()
        emit(notes)
        return table

    def figures_by_seed(self) -> tuple[pd.DataFrame, tuple[Note, ...]]:
        """Return the table of `by_seed`, and what must be said of it instead of warning."""
        import pandas as pd

        rows = []
        notes: list[Note] = []
        for seed in self.seeds:
            own = self.seed == seed
            linked = self.linked[own]
            row: dict[str, Any] = {
                "seed": seed,
                "n_linked": int(linked.sum()),
                "n_unlinked": int((~linked).sum()),
            }
            for which in WHICH:
                values = self.log10_lr(which)[own]
                row[f"cllr_{which}"], said = mean_cost(values, linked, np.ones(len(linked)))
                notes += said
            row["cllr_min"] = cllr_min(self.log10_lr_calibrated[own], linked)
            rows.append(row)
        return pd.DataFrame(rows), unique_notes(notes)

    def performance(
        self,
        which: str = "bounded",
        /,
        *,
        rng: np.random.Generator,
        seed: int | None = None,
        n_resamples: int = DEFAULT_RESAMPLES,
    ) -> LrPerformance:
        """Measure how the likelihood ratios perform, with intervals by resampling sources.

        Parameters
        ----------
        which : {"raw", "calibrated", "bounded"}
            The stage.
        rng : numpy.random.Generator
            For resampling.
        seed : int, optional
            One parting alone; by default all of them together, so that a figure is nearly the mean
            of that over seeds. Counts of pairs are those of different pairs.
        n_resamples : int
            How often sources are resampled.

        Warns
        -----
        DataWarning, SmallSampleWarning
            As from `measure_performance`.
        """
        found = self.measured(which, rng=rng, seed=seed, n_resamples=n_resamples)
        emit(found.notes)
        return found

    def measured(
        self,
        which: str = "bounded",
        /,
        *,
        rng: np.random.Generator,
        seed: int | None = None,
        n_resamples: int = DEFAULT_RESAMPLES,
    ) -> LrPerformance:
        """Measure as `performance` does, and leave its notes to the caller.

        Parameters
        ----------
        which, rng, seed, n_resamples
            As in `performance`.
        """
        one = self if seed is None else self.of_seed(seed)
        found = measured(
            one.log10_lr(which),
            one.linked,
            source_a=one.source_a,
            source_b=one.source_b,
            rng=rng,
            n_resamples=n_resamples,
        )
        return replace(found, n_linked=one.n_linked, n_unlinked=one.n_unlinked)

    def summary(self) -> ValidationSummary:
        """Return what a model of these choices carries with it: `LrModel.with_validation`."""
        table, _ = self.figures_by_seed()
        return ValidationSummary(
            reference_set=self.reference_set,
            spec_digest=self.spec.digest,
            rule_digest=hashlib.sha256(canonical_json(self.rule.to_data()).encode()).hexdigest(),
            n_folds=self.n_folds,
            seeds=self.seeds,
            n_sources=len(np.union1d(self.source_a, self.source_b)),
            n_linked_sources=self.n_linked_sources,
            n_linked=self.n_linked,
            n_unlinked=self.n_unlinked,
            cllr_raw=tuple(table["cllr_raw"].tolist()),
            cllr_calibrated=tuple(table["cllr_calibrated"].tolist()),
            cllr_bounded=tuple(table["cllr_bounded"].tolist()),
            cllr_min=tuple(table["cllr_min"].tolist()),
            notes=self.notes,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a seed and pair, with names of items and sources."""
        import pandas as pd

        items, sources = np.array(self.items), np.array(self.sources)
        return pd.DataFrame(
            {
                "seed": self.seed,
                "fold": self.fold,
                "item_a": items[self.item_a],
                "item_b": items[self.item_b],
                "source_a": sources[self.source_a],
                "source_b": sources[self.source_b],
                "linked": self.linked,
                "log10_lr_raw": self.log10_lr_raw,
                "log10_lr_calibrated": self.log10_lr_calibrated,
                "log10_lr_bounded": self.log10_lr_bounded,
            }
        )

    def _different(self, *, linked: bool) -> int:
        own = self.linked == linked
        a, b = self.item_a[own].astype(np.int64), self.item_b[own].astype(np.int64)
        return len(np.unique(a * len(self.items) + b))

    def __repr__(self) -> str:
        table, _ = self.figures_by_seed()
        figures = ", ".join(f"{w} {table[f'cllr_{w}'].mean():.3f}" for w in WHICH)
        return (
            f"<Evaluation of {self.spec}: mean Cllr {figures}; {self.n_linked} linked and "
            f"{self.n_unlinked} unlinked pairs, {len(self.seeds)} seed(s)>"
        )

    def _repr_html_(self) -> str:
        table = self.by_seed()
        names = [c for c in table.columns if c.startswith("cllr")]
        rows: list[tuple[object, ...]] = [
            (int(row["seed"]), *(float(row[name]) for name in names)) for _, row in table.iterrows()
        ]
        rows.append(("mean", *(float(table[name].mean()) for name in names)))
        rows += [("mind", note.text) for note in self.notes]
        caption = (
            f"{self.spec}: {self.n_linked} linked pairs of {self.n_linked_sources} sources, "
            f"{self.n_unlinked} unlinked pairs; every pair judged by a model that saw neither of "
            "its sources"
        )
        return html_table(rows, head=("seed", *names), caption=caption, digits=".3f")


_PER_PAIR = (
    *(f"log10_lr_{w}" for w in WHICH),
    *("linked", "seed", "fold", "item_a", "item_b", "source_a", "source_b"),
)
