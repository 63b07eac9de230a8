"""How well scores tell linked from unlinked pairs: ROC, DET, area, equal error rate, intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, listed
from drugsig._notes import Note, emit
from drugsig._repr import html_table
from drugsig.errors import DrugsigWarning, PopulationError, SmallSampleWarning
from drugsig.evidence.dependence import FEW_LINKED_SOURCES, Dependence, measure_dependence
from drugsig.evidence.pairs import PairSample
from drugsig.evidence.resampling import (
    CONFIDENCE,
    Interval,
    affordable_resamples,
    checked_source_weights,
    effective_sources,
    falling,
    independent_units,
    percentile_interval,
    ranked_sample,
    rate_band,
)
from drugsig.evidence.roc import (
    RankedPairs,
    auc,
    det_curve,
    equal_error_rates,
    roc_curve,
    true_positive_rates,
)

__all__ = [
    "Difference",
    "Discrimination",
    "FewSourcesOfDiscrimination",
    "compare_discrimination",
    "discriminated",
    "measure_discrimination",
]

Floats = NDArray[np.float64]

# False-positive rates at which the band of the curve is given: small ones closely.
_RATES = np.unique(np.concatenate([np.geomspace(1e-5, 1.0, 101), np.linspace(0.0, 1.0, 101)]))


@dataclass(frozen=True)
class FewSourcesOfDiscrimination(Note):
    """Few sources stand behind the linked pairs of a discrimination.

    Add sources with linked profiles before one treatment is preferred to another.
    """

    code: ClassVar[str] = "few-sources-of-discrimination"
    category: ClassVar[type[DrugsigWarning] | None] = SmallSampleWarning
    n_sources: int
    rule: str
    needed: int = FEW_LINKED_SOURCES

    def __str__(self) -> str:
        return (
            f"only {self.n_sources} sources stand behind the linked pairs of rule "
            f"'{self.rule}' (fewer than {self.needed}): intervals are wide, and may "
            "still be too narrow."
        )


@dataclass(frozen=True, eq=False, repr=False)
class Discrimination(FrozenArrays):
    """How well scores tell linked from unlinked pairs.

    Attributes
    ----------
    sample : PairSample
        The pairs.
    auc : float
        The area under the ROC curve: the probability that a linked pair looks more alike than an
        unlinked one, ties counted one half.
    equal_error_rate : float
        The rate at which false positives and false negatives are equally frequent, on the curve
        whose corners are joined by straight lines.
    equal_error_threshold : float
        The observed score at which the larger of both error rates is smallest.
    auc_interval, equal_error_interval : Interval
        95 %, by resampling sources.
    rates : ndarray of float64, shape (n,)
        False-positive rates, from 0 to 1.
    true_positive_rate, band_low, band_high : ndarray of float64, shape (n,)
        The curve at these rates, and the ends of its 95 % intervals, one rate at a time.
    dependence : Dependence
        What stands behind the pairs.
    n_resamples : int
        How often sources were resampled.
    """

    sample: PairSample
    auc: float
    equal_error_rate: float
    equal_error_threshold: float
    auc_interval: Interval
    equal_error_interval: Interval
    rates: Floats
    true_positive_rate: Floats
    band_low: Floats
    band_high: Floats
    dependence: Dependence
    n_resamples: int

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a reader must know before using it."""
        n, rule = self.sample.n_linked_sources, self.sample.rule.name
        few = [FewSourcesOfDiscrimination(n, rule)] if n < FEW_LINKED_SOURCES else []
        return (*few, *self.dependence.notes)

    def roc(self) -> tuple[Floats, Floats, Floats]:
        """Return thresholds, false- and true-positive rates at every observed score."""
        sample = self.sample
        return roc_curve(*sample.tied_sides, metric=sample.metric)

    def det(self) -> tuple[Floats, Floats, Floats]:
        """Return thresholds, false-positive and false-negative rates at every observed score."""
        sample = self.sample
        return det_curve(*sample.tied_sides, metric=sample.metric)

    def __repr__(self) -> str:
        return (
            f"<Discrimination by {self.sample.metric.name} under '{self.sample.rule.name}': area "
            f"{self.auc:.4f} ({self.auc_interval}), equal error rate "
            f"{self.equal_error_rate:.4f} ({self.equal_error_interval}); "
            f"{self.sample.n_linked_sources} linked sources>"
        )

    def _repr_html_(self) -> str:
        sample = self.sample
        rows = [
            ("metric", sample.metric.name),
            ("rule", sample.rule.name),
            ("area under the ROC curve", f"{self.auc:.4f} (95 %: {self.auc_interval})"),
            (
                "equal error rate",
                f"{self.equal_error_rate:.4f} (95 %: {self.equal_error_interval})",
            ),
            ("there", f"{sample.metric.link_sign} {self.equal_error_threshold:.6g}"),
            ("pairs", str(self.dependence)),
            *(("mind", note.text) for note in self.dependence.notes),
        ]
        return html_table(rows)


@dataclass(frozen=True)
class Difference:
    """How much better one treatment tells linked from unlinked pairs than another.

    Parameters
    ----------
    auc_first, auc_second : float
        Areas under the ROC curves, on the pairs that have a score under both.
    auc_difference : float
        First less second: above zero the first is better.
    auc_interval : Interval
        95 %, by resampling sources, the same resamples for both.
    equal_error_first, equal_error_second, equal_error_difference : float
        Equal error rates, and first less second: below zero the first is better.
    equal_error_interval : Interval
        95 %.
    n_linked, n_unlinked : int
        Pairs that have a score under both.
    n_left_out : int
        Pairs with a score under one of them only.
    n_resamples : int
        How often sources were resampled.
    """

    auc_first: float
    auc_second: float
    auc_difference: float
    auc_interval: Interval
    equal_error_first: float
    equal_error_second: float
    equal_error_difference: float
    equal_error_interval: Interval
    n_linked: int
    n_unlinked: int
    n_left_out: int
    n_resamples: int

    def __str__(self) -> str:
        return (
            f"area {self.auc_first:.4f} against {self.auc_second:.4f}: difference "
            f"{self.auc_difference:+.4f} (95 %: {self.auc_interval}); equal error rate "
            f"{self.equal_error_first:.4f} against {self.equal_error_second:.4f}: "
            f"{self.equal_error_difference:+.4f} (95 %: {self.equal_error_interval})"
        )


def measure_discrimination(
    sample: PairSample, /, *, rng: np.random.Generator, n_resamples: int = 2000
) -> Discrimination:
    """Measure how well scores tell linked from unlinked pairs, with intervals.

    Parameters
    ----------
    sample : PairSample
        From `drugsig.pair_sample`.
    rng : numpy.random.Generator
        For resampling.
    n_resamples : int
        How often sources are resampled; fewer are made where there are very many pairs.

    Returns
    -------
    Discrimination
        Measured on the pairs given: if they were used to choose the treatment, it flatters, and
        `drugsig.run_study` says by how much.

    Raises
    ------
    InputError
        If `rng` or `n_resamples` cannot be used.

    Warns
    -----
    SmallSampleWarning
        If there are fewer than 30 linked sources.

    Notes
    -----
    Sources are drawn with replacement, not pairs. Intervals of the area and of the equal error rate
    are percentiles of the draws; the band of the curve is after Korn and Graubard (1998), as are
    intervals of rates. An area of 1, or an equal error rate of 0, shows no spread when resampled;
    its open end is the exact binomial bound with as many trials as there are independent pairs on
    the poorer side.
    """
    found = discriminated(sample, rng=rng, n_resamples=n_resamples)
    emit(found.notes)
    return found


def discriminated(
    sample: PairSample, /, *, rng: np.random.Generator, n_resamples: int = 2000
) -> Discrimination:
    """Measure as `measure_discrimination` does, and leave its notes to the caller.

    Parameters
    ----------
    sample, rng, n_resamples
        As in `measure_discrimination`.
    """
    weights = checked_source_weights(len(sample.sources), n_resamples, rng)
    weights = weights[:, : affordable_resamples(sample, weights.shape[1])]
    ranked, units = ranked_sample(sample), independent_units(sample)
    drawn = _drawn(ranked, weights, _RATES)
    plain = _drawn(ranked, np.ones((len(sample.sources), 1)), _RATES)
    area = auc(*sample.tied_sides, metric=sample.metric)
    error = float(plain.error[0])
    curve, own = plain.curve[:, 0], sample.source_a[sample.linked]
    ends = rate_band(
        drawn.curve[:, ~np.isnan(drawn.curve[0])].T,
        curve,
        n_sources=effective_sources(own, own),
        units=sample.n_linked_sources,
        n_pairs=sample.n_linked,
    )
    # Fewer false positives, fewer true ones; with all of them every linked pair is found.
    low, high = falling(*ends, -_RATES)
    low[-1] = 1.0
    thresholds, false, misses = det_curve(*sample.tied_sides, metric=sample.metric)
    return Discrimination(
        sample=sample,
        auc=area,
        equal_error_rate=error,
        equal_error_threshold=float(thresholds[np.argmin(np.maximum(false, misses))]),
        auc_interval=percentile_interval(drawn.wins, drawn.pairs, area, units),
        equal_error_interval=_error_interval(drawn.error, error, units),
        rates=_RATES.copy(),
        true_positive_rate=curve,
        band_low=low,
        band_high=high,
        dependence=measure_dependence(sample),
        n_resamples=weights.shape[1],
    )


def compare_discrimination(
    first: PairSample,
    second: PairSample,
    /,
    *,
    rng: np.random.Generator,
    n_resamples: int = 2000,
) -> Difference:
    """Measure the difference of two treatments on the same pairs, with an interval.

    Parameters
    ----------
    first, second : PairSample
        The same profiles under the same rule, pretreated or scored in two ways.
    rng, n_resamples
        As in `measure_discrimination`.

    Returns
    -------
    Difference
        On the pairs that have a score under both; every resample of sources serves both, so that
        what both have in common cancels.

    Raises
    ------
    PopulationError
        If the samples are not of the same profiles and rule, or share no pairs of either kind.
    """
    one, two, left_out = _same_pairs(first, second)
    weights = checked_source_weights(len(one.sources), n_resamples, rng)
    weights = weights[:, : affordable_resamples(one, weights.shape[1])]
    none = np.empty(0)
    plain, drawn, areas = [], [], []
    for sample in (one, two):
        ranked = ranked_sample(sample)
        plain.append(float(_drawn(ranked, np.ones((len(sample.sources), 1)), none).error[0]))
        drawn.append(_drawn(ranked, weights, none))
        areas.append(auc(*sample.tied_sides, metric=sample.metric))
    units = independent_units(one)
    with np.errstate(divide="ignore", invalid="ignore"):
        resampled = [d.wins / d.pairs for d in drawn]
    return Difference(
        auc_first=areas[0],
        auc_second=areas[1],
        auc_difference=areas[0] - areas[1],
        auc_interval=_difference_interval(resampled[0] - resampled[1], areas, units),
        equal_error_first=plain[0],
        equal_error_second=plain[1],
        equal_error_difference=plain[0] - plain[1],
        equal_error_interval=_difference_interval(drawn[0].error - drawn[1].error, plain, units),
        n_linked=one.n_linked,
        n_unlinked=one.n_unlinked,
        n_left_out=left_out,
        n_resamples=weights.shape[1],
    )


@dataclass(frozen=True, eq=False)
class _Drawn:
    wins: Floats
    pairs: Floats
    error: Floats
    curve: Floats


def _drawn(ranked: RankedPairs, weights: Floats, rates: Floats) -> _Drawn:
    """Return what the curve says under every weighting."""
    wins, pairs, errors, curves = [], [], [], []
    for part in ranked.counts(weights):
        wins.append(part.wins)
        pairs.append(part.n_linked * part.n_unlinked)
        false, true = part.vertices()
        errors.append(equal_error_rates(false, true))
        curves.append(true_positive_rates(false, true, rates))
    return _Drawn(
        np.concatenate(wins),
        np.concatenate(pairs),
        np.concatenate(errors),
        np.concatenate(curves, axis=1),
    )


def _error_interval(drawn: Floats, observed: float, units: int) -> Interval:
    known = drawn[~np.isnan(drawn)]
    return percentile_interval(known, np.ones(len(known)), observed, units)


def _difference_interval(drawn: Floats, pair: list[float], units: int) -> Interval:
    known = drawn[~np.isnan(drawn)]
    observed = pair[0] - pair[1]
    alpha = (1.0 - CONFIDENCE) / 2.0
    if not len(known):
        return Interval(-1.0, 1.0)
    low, high = (float(x) for x in np.quantile(known, [alpha, 1.0 - alpha]))
    # Both at the same end of the scale: that no difference was seen does not mean there is none.
    if pair[0] == pair[1] and pair[0] in (0.0, 1.0):
        reach = 1.0 - alpha ** (1.0 / units)
        low, high = min(low, -reach), max(high, reach)
    return Interval(min(low, observed), max(high, observed))


def _same_pairs(first: PairSample, second: PairSample) -> tuple[PairSample, PairSample, int]:
    """Keep the pairs that both samples have, in one order and with one numbering of sources."""
    if first.rule != second.rule:
        raise PopulationError(
            f"two treatments are compared under one population rule, got '{first.rule.name}' and "
            f"'{second.rule.name}': a difference between rules is no difference of treatments."
        )
    width = 1 + max(int(s.second.max(initial=0)) for s in (first, second))
    one_key, two_key = (s.first.astype(np.int64) * width + s.second for s in (first, second))
    _, at_first, at_second = np.intersect1d(
        one_key, two_key, assume_unique=True, return_indices=True
    )
    left_out = len(first) + len(second) - 2 * len(at_first)
    one, two = _at(first, at_first), _at(second, at_second)
    same = (
        np.array_equal(one.linked, two.linked)
        and np.array_equal(one.source_a, two.source_a)
        and np.array_equal(one.source_b, two.source_b)
        and one.sources == two.sources
    )
    if not same:
        raise PopulationError(
            "the two samples are not of the same profiles: their pairs have other sources "
            f"({listed(one.sources, most=3)} and {listed(two.sources, most=3)}). Pretreat and "
            "compare one profile set in two ways."
        )
    if not one.n_linked or not one.n_unlinked:
        raise PopulationError(
            f"the two samples share {one.n_linked} linked and {one.n_unlinked} unlinked pairs "
            "that have a score under both treatments: there is nothing to compare"
        )
    return one, two, left_out


def _at(sample: PairSample, places: NDArray[np.intp]) -> PairSample:
    a, b = sample.source_a[places], sample.source_b[places]
    used = np.union1d(a, b)
    # By name, so that two samples with other sources left out are numbered alike.
    names = [sample.sources[k] for k in used]
    order = np.argsort(np.array(names, dtype=object), kind="stable")
    number = np.full(len(sample.sources), -1, dtype=np.int32)
    number[used[order]] = np.arange(len(used), dtype=np.int32)
    return replace(
        sample,
        scores=sample.scores[places],
        sizes=None if sample.sizes is None else sample.sizes[places],
        linked=sample.linked[places],
        first=sample.first[places],
        second=sample.second[places],
        source=np.where(sample.source >= 0, number[sample.source], -1),
        sources=tuple(names[k] for k in order),
    )
