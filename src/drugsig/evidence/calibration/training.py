"""`TrainingPairs`: pairs of known source, checked once for everything that is fitted to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import FrozenArrays, choose
from drugsig._notes import Note
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.errors import DrugsigWarning, InputError, SmallSampleWarning
from drugsig.evidence.dependence import FEW_LINKED_SOURCES
from drugsig.evidence.pairs import checked_weights

__all__ = [
    "KINDS",
    "FewSourcesOfCalibration",
    "Kind",
    "SourceCount",
    "TrainingPairs",
    "balanced",
    "checked_labels",
    "count_sources",
    "source_pair_weights",
    "training_pairs",
]

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]
Kind = Literal["similarity", "distance"]

KINDS = ("similarity", "distance")

# A score may leave the range of its metric by rounding, by this share of the range.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class TrainingPairs(FrozenArrays):
    """Scores of linked and unlinked pairs, checked, to calibrate on.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_pairs,)
        Finite, in their own convention, inside the support; not all the same.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source; some do and some do not.
    weights : ndarray of float64, shape (n_pairs,)
        How often each pair counts, above 0.
    kind : {"similarity", "distance"}
        Whether large scores mean alike or unlike.
    support : tuple of float
        The least and the largest score there can be; infinite where there is no such limit.
    """

    scores: Floats
    linked: Labels
    weights: Floats
    kind: Kind
    support: tuple[float, float]

    @property
    def sign(self) -> float:
        """1 if large scores mean alike, else -1."""
        return 1.0 if self.kind == "similarity" else -1.0

    @property
    def similarities(self) -> Floats:
        """The scores, or their negatives: large means alike."""
        return self.sign * self.scores

    @property
    def n_linked(self) -> float:
        """The number of linked pairs, each as often as it counts."""
        return float(self.weights[self.linked].sum())

    @property
    def n_unlinked(self) -> float:
        """The number of unlinked pairs, each as often as it counts."""
        return float(self.weights[~self.linked].sum())

    @property
    def balanced_weights(self) -> Floats:
        """The weights, the heavier class made as light as the other: see `balanced`."""
        return balanced(self.weights, self.linked)

    @property
    def separated(self) -> bool:
        """Whether every linked pair is at least as alike as every unlinked pair."""
        alike = self.similarities
        return bool(alike[self.linked].min() >= alike[~self.linked].max())


@dataclass(frozen=True)
class FewSourcesOfCalibration(Note):
    """Few sources stand behind the linked pairs that a calibration was fitted to.

    Add sources, bound the ratios, and report the interval from resampling sources.
    """

    code: ClassVar[str] = "few-sources-of-calibration"
    category: ClassVar[type[DrugsigWarning] | None] = SmallSampleWarning
    n_sources: int
    what: str
    needed: int = FEW_LINKED_SOURCES

    def __str__(self) -> str:
        return (
            f"Only {self.n_sources} sources stand behind the linked pairs of this {self.what} "
            f"(fewer than {self.needed}): other sources would give other likelihood ratios. "
            "Bound them, and report the interval from resampling sources."
        )


@dataclass(frozen=True)
class SourceCount:
    """How many sources stand behind pairs.

    Parameters
    ----------
    n_linked, n_unlinked : int or None
        Sources behind the linked and behind the unlinked pairs; None where they are not known.
    """

    n_linked: int | None
    n_unlinked: int | None

    def notes(self, what: str, /) -> tuple[Note, ...]:
        """Return what a reader must know if there are few linked sources.

        Parameters
        ----------
        what : str
            What was fitted, as in "calibration".
        """
        if self.n_linked is None or self.n_linked >= FEW_LINKED_SOURCES:
            return ()
        return (FewSourcesOfCalibration(self.n_linked, what),)


def training_pairs(
    scores: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    metric: Metric | str | None = None,
    kind: str | None = None,
    weights: ArrayLike | None = None,
    support: tuple[float, float] | None = None,
) -> TrainingPairs:
    """Check scores of known source and collect what is fitted to.

    Parameters
    ----------
    scores : array_like of float, shape (n_pairs,)
        Finite.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    metric : Metric or str, optional
        Says which direction means alike, and the range of the scores.
    kind : {"similarity", "distance"}, optional
        Says it where there is no metric.
    weights : array_like of float, shape (n_pairs,), optional
        How often each pair counts, from 0; pairs that do not count are left out.
    support : tuple of float, optional
        The least and the largest score there can be; by default the range of the metric, or
        none.

    Raises
    ------
    InputError
        If both or neither of metric and kind are given, if shapes differ, if a score is undefined
        or infinite, if there are no linked or no unlinked pairs, if all scores are equal, or if
        one lies outside the support.
    UnknownNameError
        If there is no metric of that name.
    """
    metric = None if metric is None else get_metric(metric)
    direction = _direction(metric, kind)
    if support is None:
        support = (-np.inf, np.inf) if metric is None else (metric.low, metric.high)
    values = np.array(scores, dtype=np.float64)
    if values.ndim != 1:
        raise InputError(
            f"scores must be one number a pair, got an array of shape {values.shape}. Of a dense "
            "comparison take drugsig.pair_sample."
        )
    bad = ~np.isfinite(values)
    if bad.any():
        raise InputError(
            f"{int(np.isnan(values).sum())} score(s) are undefined (NaN) and "
            f"{int(np.isinf(values).sum())} infinite, the first at place "
            f"{int(np.flatnonzero(bad)[0])}: nothing can be fitted to them. Leave undefined "
            "scores out, as drugsig.pair_sample does; a likelihood ratio of 0 or infinity says "
            "that the model behind it met what it holds to be impossible: mend that model."
        )
    labels = checked_labels(linked, len(values))
    counted = checked_weights(weights, labels)
    used = counted > 0
    values, labels, counted = values[used], labels[used], counted[used]
    values = _inside(values, support)
    if values.min() == values.max():
        raise InputError(
            f"all {len(values)} scores are {values[0]:.6g}: they tell linked from unlinked pairs "
            "no better than a coin. Look at the recipe and the metric."
        )
    return TrainingPairs(
        scores=values, linked=labels, weights=counted, kind=direction, support=support
    )


def checked_labels(linked: ArrayLike, n_pairs: int, /) -> Labels:
    """Return labels as booleans, one a pair.

    Parameters
    ----------
    linked : array_like of bool, shape (n_pairs,)
        True, or 1, for a linked pair.
    n_pairs : int
        How many pairs there are.

    Raises
    ------
    InputError
        If they are not that many, or not true and false.
    """
    raw = np.array(linked)
    if raw.shape != (n_pairs,):
        raise InputError(f"linked must have one entry a pair, {n_pairs}, got shape {raw.shape}")
    if raw.dtype.kind != "b" and not (raw.dtype.kind in "iu" and np.isin(raw, (0, 1)).all()):
        raise InputError(
            f"linked must be true or false for every pair, got an array of {raw.dtype}. A pair of "
            "unknown source is in neither class: leave it out."
        )
    return raw.astype(np.bool_)


def balanced(weights: Floats, linked: Labels, /) -> Floats:
    """Return weights under which each class counts as much as the smaller one did.

    With them the odds that a logistic regression finds are likelihood ratios: the numbers of
    pairs, which are a choice of the experiment, no longer speak.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_pairs,)
        How often each pair counts.
    linked : ndarray of bool, shape (n_pairs,)
        The classes, neither empty.
    """
    totals = float(weights[linked].sum()), float(weights[~linked].sum())
    return weights * np.where(linked, min(totals) / totals[0], min(totals) / totals[1])


def count_sources(
    linked: Labels,
    weights: Floats,
    source_a: ArrayLike | None,
    source_b: ArrayLike | None,
    /,
) -> SourceCount:
    """Count the sources behind the pairs that count.

    Parameters
    ----------
    linked : ndarray of bool, shape (n_pairs,)
        The classes.
    weights : ndarray of float64, shape (n_pairs,)
        How often each pair counts.
    source_a, source_b : array_like, shape (n_pairs,), or None
        The sources of the two profiles, as numbers or names.

    Raises
    ------
    InputError
        If only one of the two is given, if shapes differ, or if a source contradicts a label.
    """
    if source_a is None and source_b is None:
        return SourceCount(None, None)
    a, b = _checked_sources(linked, source_a, source_b)
    used = weights > 0
    apart = used & ~linked
    return SourceCount(
        n_linked=len(np.unique(a[used & linked])),
        n_unlinked=len(np.unique(np.concatenate([a[apart], b[apart]]))),
    )


def source_pair_weights(linked: ArrayLike, source_a: ArrayLike, source_b: ArrayLike, /) -> Floats:
    """Return weights under which every source counts the same, however often it was measured.

    The linked pairs of one source together weigh 1. The pairs of one source with another weigh
    the same for every two sources, and all together half the number of their sources: the most
    pairs that can be formed of them if each is used once. A total weight is then the number of
    independent pairs there are at least, and rules that look at it (`pseudo_pairs`, bandwidths)
    take many pairs of few sources for what they are.

    Parameters
    ----------
    linked : array_like of bool, shape (n_pairs,)
        The classes.
    source_a, source_b : array_like, shape (n_pairs,)
        The sources of the two profiles, as numbers or names.

    Returns
    -------
    ndarray of float64, shape (n_pairs,)
        Above 0.

    Raises
    ------
    InputError
        If shapes differ or a source contradicts a label.

    Examples
    --------
    >>> linked = [True, True, True, True, False, False]
    >>> source_pair_weights(linked, list("AAABAA"), list("AAABBB")).tolist()
    [0.3333333333333333, 0.3333333333333333, 0.3333333333333333, 1.0, 0.5, 0.5]
    """
    labels = checked_labels(linked, np.shape(source_a)[0] if np.ndim(source_a) else 0)
    a, b = _checked_sources(labels, source_a, source_b)
    names, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = np.split(places, 2)
    cell = np.minimum(first, second) * len(names) + np.maximum(first, second)
    _, members, counts = np.unique(cell, return_inverse=True, return_counts=True)
    weights = 1.0 / counts[members]
    apart = ~labels
    if apart.any():
        n_sources = len(np.unique(np.concatenate([first[apart], second[apart]])))
        weights[apart] *= n_sources / 2.0 / weights[apart].sum()
    return np.asarray(weights, dtype=np.float64)


def _direction(metric: Metric | None, kind: str | None) -> Kind:
    if (metric is None) == (kind is None):
        given = "both were" if metric is not None else "neither was"
        raise InputError(
            f"either the metric or the kind of the scores must be given, and {given}: without a "
            "direction a likelihood ratio could point the wrong way. Give metric=..., or "
            'kind="distance" or kind="similarity" (a log10 likelihood ratio is a similarity).'
        )
    chosen = choose(metric.kind if metric is not None else kind, KINDS, what="kind of score")
    return "similarity" if chosen == "similarity" else "distance"


def _inside(values: Floats, support: tuple[float, float]) -> Floats:
    """Return values held to the support, or refuse those that leave it by more than rounding."""
    low, high = support
    if not low < high:
        raise InputError(f"a support must be (least, largest) score, got ({low:g}, {high:g})")
    margin = _ROUNDING * (high - low) if np.isfinite(high - low) else _ROUNDING
    outside = (values < low - margin) | (values > high + margin)
    if outside.any():
        k = int(np.flatnonzero(outside)[0])
        raise InputError(
            f"{int(outside.sum())} score(s) lie outside {low:g} to {high:g}, the first is "
            f"{values[k]:.6g} at place {k}. Are these scores of another metric, or in another "
            "convention?"
        )
    return np.clip(values, low, high)


def _checked_sources(
    linked: Labels, source_a: ArrayLike | None, source_b: ArrayLike | None
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    if source_a is None or source_b is None:
        raise InputError("sources need both ends of every pair: give source_a and source_b")
    a, b = np.array(source_a), np.array(source_b)
    if a.shape != linked.shape or b.shape != linked.shape:
        raise InputError(
            f"sources must have one entry a pair, {linked.shape[0]}, got {a.shape} and {b.shape}"
        )
    wrong = linked != (a == b)
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        said, relation = ("linked", "different") if linked[k] else ("unlinked", "the same")
        raise InputError(
            f"{int(wrong.sum())} pair(s) contradict their sources: the first, at place {k}, is "
            f"{said} and has {relation} sources, '{a[k]}' and '{b[k]}'"
        )
    return a, b
