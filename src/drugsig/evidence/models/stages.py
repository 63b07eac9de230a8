"""`Stages`: from items to raw, calibrated and bounded likelihood ratios, and fitting them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import Note, unique_notes
from drugsig.comparison.metrics import get_metric
from drugsig.errors import DrugsigWarning, InputError
from drugsig.evidence.bounds import Bounds, bound_lrs
from drugsig.evidence.calibration.calibration import Calibration, calibrated
from drugsig.evidence.models.spec import NONE, LrModelSpec
from drugsig.evidence.models.training import TrainingSet
from drugsig.evidence.resampling import pairs_by_fold, source_folds
from drugsig.evidence.two_level.fitting import two_level_model, weaknesses
from drugsig.evidence.two_level.model import TwoLevelModel

__all__ = [
    "BACKGROUND_FOLDS",
    "CALIBRATION_FOLDS",
    "PairsWithoutScore",
    "Stages",
    "fit_stages",
    "item_ratios",
]

Floats = NDArray[np.float64]
Places = NDArray[np.integer]
Flags = NDArray[np.bool_]

# Folds of the training sources. The likelihood ratio that a pair teaches the calibration comes
# from a background without the folds of its two sources; with as many folds as sources that would
# be without these two alone.
BACKGROUND_FOLDS = 20

# The likelihood ratio that a pair teaches the bounds comes from a calibration without these.
CALIBRATION_FOLDS = 5


@dataclass(frozen=True)
class PairsWithoutScore(Note):
    """Pairs of known source have no score and teach nothing.

    Look at the profiles that are constant or empty, or lack targets.
    """

    code: ClassVar[str] = "pairs-without-score"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_pairs: int

    def __str__(self) -> str:
        return f"{self.n_pairs} pairs have no score and were left out."


@dataclass(frozen=True, eq=False)
class Stages:
    """The fitted stages of a model.

    Attributes
    ----------
    spec : LrModelSpec
        The choices.
    background : TwoLevelModel or None
        Of the feature approach.
    score_calibration : Calibration or None
        Of the score approach: from scores to raw likelihood ratios.
    calibration : Calibration or None
        From raw to calibrated log10 likelihood ratios; None where there is none.
    bounds : Bounds or None
        None where there are none.
    sources : tuple of str
        All that any stage was fitted to.
    n_linked, n_unlinked : int
        Pairs behind calibration and bounds.
    n_linked_sources : int
        Sources of the linked ones.
    item_sizes : tuple of int
        The least and the largest number of profiles that an item of these pairs holds.
    notes : tuple of Note
        What a reader must know.
    """

    spec: LrModelSpec
    background: TwoLevelModel | None
    score_calibration: Calibration | None
    calibration: Calibration | None
    bounds: Bounds | None
    sources: tuple[str, ...]
    n_linked: int
    n_unlinked: int
    n_linked_sources: int
    item_sizes: tuple[int, int]
    notes: tuple[Note, ...] = ()

    def raw(self, training: TrainingSet, first: Places, second: Places, /) -> Floats:
        """Return the raw log10 likelihood ratios of pairs of items.

        Parameters
        ----------
        training : TrainingSet
            The values or scores of the items, of any source.
        first, second : ndarray of intp, shape (n_pairs,)
            The items of each pair.
        """
        if self.background is not None:
            return item_ratios(
                self.background, training.values, training.items.of_row, first, second
            )
        assert self.score_calibration is not None  # noqa: S101 - one of the two is there
        return self.score_calibration.log10_lr(training.scores[first, second])

    def calibrated(self, raw: Floats, /) -> Floats:
        """Return calibrated log10 likelihood ratios; as they are where there is no calibration.

        Parameters
        ----------
        raw : ndarray of float64
            From `raw`.
        """
        return raw.copy() if self.calibration is None else self.calibration.log10_lr(raw)

    def bounded(self, calibrated: Floats, /) -> Floats:
        """Return bounded log10 likelihood ratios; as they are where there are no bounds.

        Parameters
        ----------
        calibrated : ndarray of float64
            From `calibrated`.
        """
        return calibrated.copy() if self.bounds is None else self.bounds.apply(calibrated)


def item_ratios(
    model: TwoLevelModel, values: Floats, of_row: Places, first: Places, second: Places, /
) -> Floats:
    """Return the log10 likelihood ratios of pairs of some of the items.

    Parameters
    ----------
    model : TwoLevelModel
        The background.
    values : ndarray of float64, shape (n_profiles, p)
        Of all items.
    of_row : ndarray of intp, shape (n_profiles,)
        The item of every profile.
    first, second : ndarray of intp, shape (n_pairs,)
        The items of each pair.
    """
    if not len(first):
        return np.empty(0)
    used = np.unique(np.concatenate([first, second]))
    place = np.full(int(of_row.max()) + 1, -1, dtype=np.intp)
    place[used] = np.arange(len(used))
    rows = place[of_row] >= 0
    return model.log10_lr_pairs(values[rows], place[of_row[rows]], place[first], place[second])


def fit_stages(
    training: TrainingSet, spec: LrModelSpec, sources: Flags, rng: np.random.Generator, /
) -> Stages:
    """Fit the stages to some of the sources; nothing of the others is looked at.

    Parameters
    ----------
    training : TrainingSet
        Profiles and pairs.
    spec : LrModelSpec
        The choices.
    sources : ndarray of bool, shape (n_sources,)
        Which sources count.
    rng : numpy.random.Generator
        For dealing sources into folds.

    Raises
    ------
    InputError
        If there are no linked or no unlinked pairs, or a stage cannot be fitted.
    """
    pairs = training.pairs
    own = np.flatnonzero(sources[pairs.source_a] & sources[pairs.source_b])
    notes: list[Note] = []
    if spec.approach == "score":
        defined = ~np.isnan(training.scores[pairs.first[own], pairs.second[own]])
        if not defined.all():
            notes.append(PairsWithoutScore(int((~defined).sum())))
        own = own[defined]
    linked = pairs.linked[own]
    _refuse_one_sided(linked, int(sources.sum()))
    a, b = pairs.source_a[own], pairs.source_b[own]
    by_source = np.where(sources, training.linked_pairs_by_source, 0)

    def deal(n_parts: int) -> Places:
        folds = np.full(len(sources), -1, dtype=np.intp)
        n = min(n_parts, int(sources.sum()))
        folds[sources] = source_folds(by_source[sources], n, rng)
        return folds

    background = score_calibration = calibration = None
    folds = deal(BACKGROUND_FOLDS)
    coarse = deal(CALIBRATION_FOLDS)
    known = _Known(linked, a, b, coarse)
    if spec.approach == "feature":
        background, raw = _fit_background(training, spec, sources, own, folds)
        notes += weaknesses(background)
    else:
        assert spec.metric is not None and spec.calibrator is not None  # noqa: S101, PT018
        scores = training.scores[pairs.first[own], pairs.second[own]]
        options: dict[str, Any] = {"method": spec.calibrator, "metric": get_metric(spec.metric)}
        score_calibration = calibrated(scores, linked, source_a=a, source_b=b, **options)
        notes += score_calibration.notes
        raw = known.without_own(scores, **options)
    ratios = raw
    if spec.calibration != NONE:
        further: dict[str, Any] = {"method": spec.calibration, "kind": "similarity"}
        calibration = calibrated(raw, linked, source_a=a, source_b=b, **further)
        notes += calibration.notes
        if spec.bounds != NONE:
            ratios = known.without_own(raw, **further)
    bounds = None
    if spec.bounds != NONE:
        by = {"source_a": a, "source_b": b} if spec.bounds_count == "sources" else {}
        bounds = bound_lrs(ratios, linked, method=spec.bounds, **by)
    used = np.union1d(pairs.first[own], pairs.second[own])
    sizes = np.bincount(training.items.of_row)[used]
    return Stages(
        spec=spec,
        background=background,
        score_calibration=score_calibration,
        calibration=calibration,
        bounds=bounds,
        sources=tuple(name for name, own in zip(pairs.sources, sources, strict=True) if own),
        n_linked=int(linked.sum()),
        n_unlinked=int((~linked).sum()),
        n_linked_sources=len(np.unique(a[linked])),
        item_sizes=(int(sizes.min()), int(sizes.max())),
        notes=unique_notes(notes),
    )


def _fit_background(
    training: TrainingSet, spec: LrModelSpec, sources: Flags, own: Places, folds: Places
) -> tuple[TwoLevelModel, Floats]:
    """Fit the background, and find every training pair's ratio without its own sources."""
    pairs, row_source = training.pairs, training.row_source
    rows = (row_source >= 0) & sources[row_source]
    names = np.array(pairs.sources)
    model = two_level_model(
        training.values[rows],
        names[row_source[rows]].tolist(),
        replicate_level=spec.replicate_level,
        features=training.features,
        **spec.two_level.to_data(),
    )
    raw = np.empty(len(own))
    first, second = pairs.first[own], pairs.second[own]
    fold_a, fold_b = folds[pairs.source_a[own]], folds[pairs.source_b[own]]
    for touched, places in pairs_by_fold(fold_a, fold_b):
        # A source may have no profile of its own in the background, when all were left out.
        there = np.isin(folds, list(touched)) & np.isin(names, model.sources)
        other = model.without(names[there].tolist())
        raw[places] = item_ratios(
            other, training.values, training.items.of_row, first[places], second[places]
        )
    return model, raw


@dataclass(frozen=True, eq=False)
class _Known:
    """Pairs of known source, with the fold of every source."""

    linked: Flags
    source_a: Places
    source_b: Places
    folds: Places

    def without_own(self, scores: Floats, **options: Any) -> Floats:
        """Return the log10 LR that a calibration without the folds of its sources gives a pair."""
        fold_a, fold_b = self.folds[self.source_a], self.folds[self.source_b]
        out = np.empty(len(scores))
        for touched, places in pairs_by_fold(fold_a, fold_b):
            both = list(touched)
            apart = ~(np.isin(fold_a, both) | np.isin(fold_b, both))
            if not (self.linked[apart].any() and (~self.linked[apart]).any()):
                raise InputError(
                    "there are too few sources to find bounds on pairs that the calibration "
                    "was not fitted to: without some of them no linked or no unlinked pair is "
                    "left. Say bounds='none', or add sources."
                )
            # Its notes are those of the calibration of all of them.
            one = calibrated(scores[apart], self.linked[apart], **options)
            out[places] = one.log10_lr(scores[places])
        return out


def _refuse_one_sided(linked: Flags, n_sources: int) -> None:
    n_linked = int(linked.sum())
    if n_linked and n_linked < len(linked):
        return
    lacking = "unlinked" if n_linked else "linked"
    raise InputError(
        f"there are {n_linked} linked and {len(linked) - n_linked} unlinked pairs of items among "
        f"{n_sources} sources: without {lacking} pairs nothing can be calibrated. Look at the "
        "population rule and the column that names the items; with fewer folds more sources are "
        "left to fit on."
    )
