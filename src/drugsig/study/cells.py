"""One cell of a study: a treatment with a metric under a rule, scored, judged and folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric
from drugsig.evidence.resampling import Interval, independent_units_of, percentile_interval
from drugsig.evidence.roc import (
    RankedPairs,
    auc,
    equal_error_rates,
    plain_counts,
    rank_pairs,
)
from drugsig.study.populations import RulePairs

__all__ = ["Cell", "fold_counts", "measure_cell", "resampled_wins"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cell:
    """What one combination reaches under one rule, on all sources.

    Attributes
    ----------
    auc, equal_error_rate : float
        NaN where no linked or no unlinked pair has a score.
    auc_interval, equal_error_interval : Interval or None
        95 %; None without resampling.
    n_linked, n_linked_sources, n_unlinked, n_unlinked_sources, n_undefined : int
        Pairs with a score and their sources; pairs without one.
    stratum_auc : float
        Linked pairs against pairs of different seizures that agree in every stratum column.
    n_stratum : int
        How many such pairs there are.
    """

    auc: float
    equal_error_rate: float
    auc_interval: Interval | None
    equal_error_interval: Interval | None
    n_linked: int
    n_linked_sources: int
    n_unlinked: int
    n_unlinked_sources: int
    n_undefined: int
    stratum_auc: float
    n_stratum: int


def measure_cell(
    scores: Floats, metric: Metric, pairs: RulePairs, draws: Floats | None, /
) -> tuple[Cell, RankedPairs | None]:
    """Measure one combination under one rule.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_profiles, n_profiles)
        NaN where undefined.
    metric : Metric
        What they mean.
    pairs : RulePairs
        The pairs of the rule.
    draws : ndarray of float64, shape (n_sources, n_resamples), or None
        How often each source is drawn; None for no intervals.

    Returns
    -------
    cell : Cell
        The figures.
    ranked : RankedPairs or None
        The pairs in order, where they had to be put in order; None otherwise, or without pairs.
    """
    known, linked, a, b = _defined(scores, pairs)
    n_linked = int(linked.sum())
    n_unlinked = len(known) - n_linked
    near = scores[pairs.strata]
    near = near[~np.isnan(near)]
    area = error = stratum = np.nan
    area_interval = error_interval = None
    ranked = None
    if n_linked:
        if len(near):
            stratum = auc(known[linked], near, metric=metric)
        if n_unlinked:
            counts = plain_counts(known, linked, metric=metric)
            area = float(counts.areas(metric=metric)[0])
            error = float(equal_error_rates(*counts.vertices())[0])
    if draws is not None and n_linked and n_unlinked:
        ranked = rank_pairs(known, linked, a, b, metric=metric)
        wins, both, errors = _resampled(ranked, draws)
        units = independent_units_of(a, b, linked)
        area_interval = percentile_interval(wins, both, area, units)
        there = errors[~np.isnan(errors)]
        error_interval = percentile_interval(there, np.ones(len(there)), error, units)
    return Cell(
        auc=area,
        equal_error_rate=error,
        auc_interval=area_interval,
        equal_error_interval=error_interval,
        n_linked=n_linked,
        n_linked_sources=len(np.unique(a[linked])),
        n_unlinked=n_unlinked,
        n_unlinked_sources=_n_distinct(a[~linked], b[~linked], len(pairs.known.sources)),
        n_undefined=len(pairs.places) - len(known),
        stratum_auc=stratum,
        n_stratum=len(near),
    ), ranked


def fold_counts(
    scores: Floats,
    metric: Metric,
    pairs: RulePairs,
    left_out: Sequence[Flags],
    ranked: RankedPairs | None,
    /,
) -> tuple[Floats, Floats, Floats]:
    """Judge one combination outside and inside of folds.

    Parameters
    ----------
    scores, metric, pairs
        As in `measure_cell`.
    left_out : sequence of ndarray of bool, shape (n_sources,)
        The sources of each fold.
    ranked : RankedPairs or None
        From `measure_cell`.

    Returns
    -------
    training, wins, pairs : ndarray of float64, shape (n_folds,)
        The area over pairs whose two sources are both outside of the fold, NaN where there is
        none; and the counts over pairs whose sources are both inside. A pair with one source
        inside and one outside counts nowhere.
    """
    n = len(left_out)
    if ranked is None:
        known, linked, a, b = _defined(scores, pairs)
        if not linked.any() or linked.all():
            return np.full(n, np.nan), np.zeros(n), np.zeros(n)
        ranked = rank_pairs(known, linked, a, b, metric=metric)
    inside = np.array(left_out, dtype=np.float64).T
    outer, outer_pairs, _ = _resampled(ranked, 1.0 - inside, errors=False)
    wins, both, _ = _resampled(ranked, inside, errors=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        training = np.where(outer_pairs > 0, outer / outer_pairs, np.nan)
    return training, wins, both


def resampled_wins(
    scores: Floats, metric: Metric, pairs: RulePairs, left_out: Flags, draws: Floats, /
) -> tuple[Floats, Floats]:
    """Judge one combination inside a fold, its sources resampled.

    Returns
    -------
    wins, pairs : ndarray of float64, shape (n_resamples,)
        As in `fold_counts`.
    """
    known, linked, a, b = _defined(scores, pairs)
    inside = left_out[a] & left_out[b]
    known, linked, a, b = known[inside], linked[inside], a[inside], b[inside]
    if not linked.any() or linked.all():
        nothing = np.zeros(draws.shape[1])
        return nothing, nothing.copy()
    ranked = rank_pairs(known, linked, a, b, metric=metric)
    wins, both, _ = _resampled(ranked, draws, errors=False)
    return wins, both


def _defined(
    scores: Floats, pairs: RulePairs
) -> tuple[Floats, Flags, NDArray[np.intp], NDArray[np.intp]]:
    known = np.take(scores, pairs.places)
    there = ~np.isnan(known)
    linked, a, b = pairs.known.linked, pairs.source_a, pairs.source_b
    if there.all():
        return known, linked, a, b
    return known[there], linked[there], a[there], b[there]


def _resampled(
    ranked: RankedPairs, weights: Floats, *, errors: bool = True
) -> tuple[Floats, Floats, Floats]:
    wins, both, rates = [], [], []
    for part in ranked.counts(weights):
        wins.append(part.wins)
        both.append(part.n_linked * part.n_unlinked)
        if errors:
            rates.append(equal_error_rates(*part.vertices()))
    none = np.empty(0)
    return np.concatenate(wins), np.concatenate(both), np.concatenate(rates or [none])


def _n_distinct(a: NDArray[np.intp], b: NDArray[np.intp], n: int) -> int:
    seen = np.zeros(n, dtype=bool)
    seen[a] = seen[b] = True
    return int(seen.sum())
