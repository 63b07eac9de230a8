"""Judging fitted stages on sources that were left out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._check import listed
from drugsig._notes import Note, unique_notes
from drugsig.errors import InputError
from drugsig.evidence.evaluation.evaluation import Evaluation, FoldRecord
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.stages import Stages
from drugsig.evidence.models.training import TrainingSet
from drugsig.evidence.populations import PopulationRule
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["Part", "assembled", "judge", "refuse_overlap"]


@dataclass(frozen=True, eq=False)
class Part:
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


def judge(stages: Stages, data: TrainingSet, test: NDArray[np.bool_], /) -> Part:
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
    refuse_overlap(names, stages.sources)
    pairs = data.pairs
    places = np.flatnonzero(test[pairs.source_a] & test[pairs.source_b])
    raw = stages.raw(data, pairs.first[places], pairs.second[places])
    defined = ~np.isnan(raw)
    places, raw = places[defined], raw[defined]
    calibrated = stages.calibrated(raw)
    return Part(0, 0, places, pairs.linked[places], raw, calibrated, stages.bounded(calibrated))


def refuse_overlap(test: Sequence[str], training: Sequence[str], /) -> None:
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
    parts: Sequence[Part],
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
