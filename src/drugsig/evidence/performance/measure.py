"""`LrPerformance`: every figure of how likelihood ratios perform, with its interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import FrozenArrays, generator
from drugsig._notes import Note, emit
from drugsig._repr import html_table
from drugsig.errors import DrugsigWarning, InputError, SmallSampleWarning
from drugsig.evidence.dependence import FEW_LINKED_SOURCES, few_effective_sources
from drugsig.evidence.pairs import LabelledPairs, pairs_of_sources
from drugsig.evidence.performance.cllr import costs, infinite_costs, least_cost, mean_cost
from drugsig.evidence.performance.ece import Ece, ece, priors
from drugsig.evidence.performance.inputs import checked_pairs
from drugsig.evidence.performance.intervals import (
    Estimate,
    SourceDraws,
    band_of,
    draw_sources,
    fitted_interval_of,
    independent_pairs,
    interval_of,
    largest_unseen,
)
from drugsig.evidence.performance.pav import OrderedPairs, Pav, deviation, ordered_pairs
from drugsig.evidence.performance.rates import (
    LEVELS,
    STRONG_LOG10_LR,
    Exceedance,
    checked_levels,
    checked_strong,
    misleading,
    reaching,
)
from drugsig.evidence.performance.tippett import Tippett, tippett
from drugsig.evidence.resampling import Interval, effective_sources, falling, rate_band
from drugsig.evidence.threshold import DEFAULT_RESAMPLES

__all__ = [
    "FewLinkedPairs",
    "FewSourcesOfFigures",
    "LrPerformance",
    "NoIntervals",
    "PavCurve",
    "measure_performance",
    "measured",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Places at which curves with a band are taken, and how far from a log10 LR of 0: beyond one in a
# million no collection of pairs shows anything.
_PLACES = 121
_REACH = 6.0


@dataclass(frozen=True)
class FewSourcesOfFigures(Note):
    """Few sources stand behind the linked pairs of figures.

    Add sources with linked profiles, and report the intervals.
    """

    code: ClassVar[str] = "few-sources-of-figures"
    category: ClassVar[type[DrugsigWarning] | None] = SmallSampleWarning
    n_sources: int
    needed: int = FEW_LINKED_SOURCES

    def __str__(self) -> str:
        return (
            f"Only {self.n_sources} sources stand behind the linked pairs (fewer than "
            f"{self.needed}): every figure of them is uncertain."
        )


@dataclass(frozen=True)
class FewLinkedPairs(Note):
    """There are few linked pairs, and their sources are not known.

    Add pairs of known source, and say which sources they are of, for intervals.
    """

    code: ClassVar[str] = "few-linked-pairs"
    category: ClassVar[type[DrugsigWarning] | None] = SmallSampleWarning
    n_pairs: int
    needed: int = FEW_LINKED_SOURCES

    def __str__(self) -> str:
        return (
            f"There are only {self.n_pairs} linked pairs (fewer than {self.needed}): every "
            "figure of them is uncertain."
        )


@dataclass(frozen=True)
class NoIntervals(Note):
    """The sources of pairs are not known, and so figures have no intervals.

    Give the source of both profiles of every pair.
    """

    code: ClassVar[str] = "no-intervals"
    category: ClassVar[type[DrugsigWarning] | None] = None

    def __str__(self) -> str:
        return (
            "No intervals: the pairs of one source depend on each other, and the sources are not "
            "known. Give source_a and source_b."
        )


@dataclass(frozen=True, eq=False, repr=False)
class PavCurve(FrozenArrays):
    """The PAV fit along the log10 LR, with its interval.

    Attributes
    ----------
    log10_lr : ndarray of float64, shape (n,)
        Rising, over the finite log10 LRs of the pairs, as far as -6 and 6.
    fitted : ndarray of float64, shape (n,)
        The log10 LR that the pairs show there; infinite where one kind of pair is absent.
    low, high : ndarray of float64, shape (n,), or None
        The 95 % interval of it, where sources are known. Calibrated LRs have the identity within.
        Where one kind of pair was never seen, the end towards 0 is what may have been missed.
    """

    log10_lr: Floats
    fitted: Floats
    low: Floats | None = None
    high: Floats | None = None

    def __repr__(self) -> str:
        return f"<PavCurve at {len(self.log10_lr)} values>"


@dataclass(frozen=True, eq=False, repr=False)
class LrPerformance:
    """How likelihood ratios perform on pairs of known source.

    Attributes
    ----------
    cllr : Estimate
        The log-likelihood-ratio cost in bits: 0 is perfect, 1 is no better than LRs of 1.
    cllr_min : Estimate
        The part that no rising recalibration removes: lack of discrimination.
    cllr_cal : Estimate
        The rest: lack of calibration.
    devpav : Estimate
        The mean distance of the PAV fit from the identity, in units of log10 LR; NaN where linked
        and unlinked pairs separate completely.
    misleading_linked, misleading_unlinked : Estimate
        The share of linked pairs with an LR below 1, and of unlinked pairs with one above 1.
    strong_linked, strong_unlinked : Estimate
        The same for strongly misleading evidence, from `strong_log10_lr` on.
    strong_log10_lr : float
        Where strongly misleading begins.
    exceedances : tuple of Exceedance
        How often LRs of k are reached for the wrong proposition, against 1/k.
    ece : Ece
        Cross-entropy over prior odds.
    tippett : Tippett
        Shares of pairs with greater LRs.
    pav : Pav
        The pooled blocks.
    pav_curve : PavCurve
        The PAV fit along the log10 LR.
    n_linked, n_unlinked : int
        Pairs.
    n_linked_sources, n_unlinked_sources : int or None
        Sources they come from; None where sources are not known.
    n_resamples : int
        How often sources were resampled; 0 where sources are not known.
    notes : tuple of Note
        What a reader must know before using the figures.
    """

    cllr: Estimate
    cllr_min: Estimate
    cllr_cal: Estimate
    devpav: Estimate
    misleading_linked: Estimate
    misleading_unlinked: Estimate
    strong_linked: Estimate
    strong_unlinked: Estimate
    strong_log10_lr: float
    exceedances: tuple[Exceedance, ...]
    ece: Ece
    tippett: Tippett
    pav: Pav
    pav_curve: PavCurve
    n_linked: int
    n_unlinked: int
    n_linked_sources: int | None
    n_unlinked_sources: int | None
    n_resamples: int
    notes: tuple[Note, ...]

    def rows(self) -> tuple[tuple[str, Estimate], ...]:
        """Return the figures in the order of a report, each with its name."""
        strong = f"{10.0**self.strong_log10_lr:,.4g}"
        return (
            ("Cllr", self.cllr),
            ("Cllr_min (discrimination)", self.cllr_min),
            ("Cllr_cal (calibration)", self.cllr_cal),
            ("devPAV (log10 LR)", self.devpav),
            ("linked pairs with LR < 1", self.misleading_linked),
            ("unlinked pairs with LR > 1", self.misleading_unlinked),
            (f"linked pairs with LR ≤ 1/{strong}", self.strong_linked),
            (f"unlinked pairs with LR ≥ {strong}", self.strong_unlinked),
        )

    def __repr__(self) -> str:
        sources = (
            "sources not known"
            if self.n_linked_sources is None
            else f"{self.n_linked_sources} linked sources"
        )
        return (
            f"<LrPerformance Cllr {self.cllr}, Cllr_min {self.cllr_min}: {self.n_linked} linked "
            f"and {self.n_unlinked} unlinked pairs, {sources}>"
        )

    def _repr_html_(self) -> str:
        lines = [
            (name, f"{x.value:.4g}", "" if x.interval is None else str(x.interval))
            for name, x in self.rows()
        ]
        for e in self.exceedances:
            which = (
                f"linked pairs with LR ≤ 1/{e.k:g}"
                if e.linked
                else (f"unlinked pairs with LR ≥ {e.k:g}")
            )
            name = f"{which} (allowed: {e.allowed:.4g})"
            lines.append((name, f"{e.rate:.4g}", "" if e.interval is None else str(e.interval)))
        lines += [
            ("linked pairs, sources", str(self.n_linked), _or_unknown(self.n_linked_sources)),
            ("unlinked pairs, sources", str(self.n_unlinked), _or_unknown(self.n_unlinked_sources)),
        ]
        return html_table(
            [*lines, *(("mind", note.text) for note in self.notes)],
            head=("figure", "value", "95 % interval"),
            caption="Performance of likelihood ratios",
        )


def measure_performance(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    source_a: ArrayLike | None = None,
    source_b: ArrayLike | None = None,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    strong_log10_lr: float = STRONG_LOG10_LR,
    levels: ArrayLike = LEVELS,
) -> LrPerformance:
    """Measure how likelihood ratios perform on pairs of known source.

    The LRs must be those of pairs that no part of the model was fitted on, by source: figures of
    pairs that share a source with the training data are too good.

    Parameters
    ----------
    log10_lr : array_like of float, shape (n_pairs,)
        Infinite values are allowed, and make Cllr infinite where they point the wrong way.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    source_a, source_b : array_like, shape (n_pairs,), optional
        The sources of both profiles of each pair. Without them there are no intervals, since
        pairs of one source are not independent.
    rng : numpy.random.Generator
        For resampling sources.
    n_resamples : int
        How often; less often where there are very many pairs.
    strong_log10_lr : float
        From which log10 LR for the wrong proposition evidence is strongly misleading.
    levels : array_like of float
        The LRs k at which P(LR >= k | unlinked) <= 1/k is looked at.

    Returns
    -------
    LrPerformance
        Figures and curves.

    Raises
    ------
    InputError
        If the arrays cannot be used, one kind of pair is missing, or sources contradict `linked`.

    Warns
    -----
    DataWarning
        If Cllr is infinite.
    SmallSampleWarning
        If there are fewer than 30 linked sources, or fewer than 30 linked pairs where sources are
        not known.

    Notes
    -----
    Intervals of Cllr, cross-entropy and PAV are percentiles over resampled sources, stretched to
    hold the figure itself; those of rates are after Korn and Graubard (1998). They tell how a
    figure would vary with other sources of the same kind, and nothing of other kinds. Those of
    Cllr_min and Cllr_cal, which rest on a fit to the pairs they judge, are corrected for its
    optimism. That of devPAV is not, and devPAV of perfectly calibrated LRs is not 0 but the
    larger, the fewer pairs there are: compare it with that of other systems on as many pairs.
    """
    found = measured(
        log10_lr,
        linked,
        source_a=source_a,
        source_b=source_b,
        rng=rng,
        n_resamples=n_resamples,
        strong_log10_lr=strong_log10_lr,
        levels=levels,
    )
    emit(found.notes)
    return found


def measured(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    source_a: ArrayLike | None = None,
    source_b: ArrayLike | None = None,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    strong_log10_lr: float = STRONG_LOG10_LR,
    levels: ArrayLike = LEVELS,
) -> LrPerformance:
    """Measure as `measure_performance` does, and leave its notes to the caller.

    Parameters
    ----------
    log10_lr, linked, source_a, source_b, rng, n_resamples, strong_log10_lr, levels
        As in `measure_performance`.
    """
    values, known = checked_pairs(log10_lr, linked)
    strong, ks = checked_strong(strong_log10_lr), checked_levels(levels)
    if (source_a is None) != (source_b is None):
        raise InputError("give the sources of both profiles of a pair, source_a and source_b")
    generator(rng)
    pairs = None
    if source_a is not None and source_b is not None:
        pairs = pairs_of_sources(known, source_a, source_b)
    notes = _notes(values, known, pairs)
    ordered = ordered_pairs(values, known)
    figures = _figures(values, known, ordered, strong, ks)
    if pairs is not None:
        figures = _with_intervals(
            figures, values, known, ordered, draw_sources(pairs, n_resamples, rng)
        )
    return replace(figures, notes=notes)


def _or_unknown(number: int | None) -> str:
    return "not known" if number is None else str(number)


def _notes(values: Floats, known: Flags, pairs: LabelledPairs | None) -> tuple[Note, ...]:
    """Return what a reader must know."""
    notes = list(infinite_costs(values, known))
    n_pairs = int(known.sum())
    if pairs is None:
        few = [FewLinkedPairs(n_pairs)] if n_pairs < FEW_LINKED_SOURCES else []
        return (*notes, *few, NoIntervals())
    if pairs.n_linked_sources < FEW_LINKED_SOURCES:
        notes.append(FewSourcesOfFigures(pairs.n_linked_sources))
    alike = effective_sources(pairs.source_a[known], pairs.source_b[known])
    return (*notes, *few_effective_sources(pairs.n_linked_sources, alike))


def _grid(values: Floats) -> Floats:
    finite = values[np.isfinite(values)]
    low = max(-_REACH, float(finite.min(initial=0.0)))
    high = min(_REACH, float(finite.max(initial=0.0)))
    return np.linspace(low, high, _PLACES) if low < high else np.array([low])


def _figures(
    values: Floats, known: Flags, ordered: OrderedPairs, strong: float, ks: tuple[float, ...]
) -> LrPerformance:
    """Return the figures without intervals."""
    fit = ordered.fit(np.ones(len(values)))
    cost, _ = mean_cost(values, known, np.ones(len(values)))
    least = least_cost(fit)
    wrong, badly = misleading(values, known, strong)
    grid = _grid(values)
    return LrPerformance(
        cllr=Estimate(cost),
        cllr_min=Estimate(least),
        cllr_cal=Estimate(max(0.0, cost - least)),
        devpav=Estimate(deviation(fit)),
        misleading_linked=Estimate(float(wrong[known].mean())),
        misleading_unlinked=Estimate(float(wrong[~known].mean())),
        strong_linked=Estimate(float(badly[known].mean())),
        strong_unlinked=Estimate(float(badly[~known].mean())),
        strong_log10_lr=strong,
        exceedances=tuple(
            Exceedance(k, side, float(reaching(values, known, k)[known == side].mean()))
            for side in (False, True)
            for k in ks
        ),
        ece=ece(values, known),
        tippett=tippett(values, known, at=grid),
        pav=fit,
        pav_curve=PavCurve(grid, fit.transform(grid)),
        n_linked=int(known.sum()),
        n_unlinked=int((~known).sum()),
        n_linked_sources=None,
        n_unlinked_sources=None,
        n_resamples=0,
        notes=(),
    )


def _with_intervals(
    figures: LrPerformance,
    values: Floats,
    known: Flags,
    ordered: OrderedPairs,
    draws: SourceDraws,
) -> LrPerformance:
    """Return the same figures with intervals and bands."""
    pairs = draws.pairs
    figures = replace(
        figures,
        n_linked_sources=pairs.n_linked_sources,
        n_unlinked_sources=pairs.n_unlinked_sources,
        n_resamples=draws.n_draws,
    )
    curve, odds = figures.ece, figures.ece.prior_log10_odds
    strong, grid = figures.strong_log10_lr, figures.tippett.log10_lr
    cost, shares, rates, kept = [], [], [], []
    for linked in (True, False):
        side = known == linked
        ks = [e.k for e in figures.exceedances if e.linked == linked]
        x, same = values[side], known[side]
        rows: Iterator[Floats | Flags] = chain(
            [costs(x, same)],
            (costs(x, same, prior_log10_odds=float(o)) for o in odds),
            _flags(x, same, strong, ks, grid),
        )
        drawn = draws.means(rows, linked=linked)
        n_costs, n_rates = 1 + len(odds), 2 + len(ks)
        cost.append(drawn[:n_costs])
        seen = np.array([flag.mean() for flag in _flags(x, same, strong, ks, grid)])
        low, high = rate_band(
            drawn[n_costs:].T,
            seen,
            n_sources=effective_sources(pairs.source_a[side], pairs.source_b[side]),
            units=independent_pairs(pairs, linked=linked),
            n_pairs=len(x),
        )
        shares.append(falling(low[n_rates:], high[n_rates:], grid))
        beyond = np.array([0.0, strong, *np.log10(ks)])
        ends = falling(low[:n_rates], high[:n_rates], beyond)
        found = [Interval(float(a), float(b)) for a, b in zip(*ends, strict=True)]
        rates.append(found[:2])
        kept += [
            replace(e, interval=interval)
            for e, interval in zip(
                (e for e in figures.exceedances if e.linked == linked), found[2:], strict=True
            )
        ]
    prior = priors(odds)[:, np.newaxis]
    total = (cost[0][0] + cost[1][0]) / 2.0
    band = band_of((prior * cost[0][1:] + (1.0 - prior) * cost[1][1:]).T, curve.lr)
    fitted = _refitted(ordered, draws, figures.pav_curve.log10_lr)
    linked_band, unlinked_band = shares
    fit_band = _opened(band_of(fitted[:, 2:], figures.pav_curve.fitted), figures, values, pairs)
    return replace(
        figures,
        cllr=replace(figures.cllr, interval=interval_of(total, figures.cllr.value)),
        cllr_min=replace(
            figures.cllr_min,
            interval=fitted_interval_of(fitted[:, 0], figures.cllr_min.value, highest=1.0),
        ),
        cllr_cal=replace(
            figures.cllr_cal,
            interval=fitted_interval_of(
                total - fitted[:, 0], figures.cllr_cal.value, highest=np.inf
            ),
        ),
        devpav=replace(figures.devpav, interval=interval_of(fitted[:, 1], figures.devpav.value)),
        misleading_linked=replace(figures.misleading_linked, interval=rates[0][0]),
        misleading_unlinked=replace(figures.misleading_unlinked, interval=rates[1][0]),
        strong_linked=replace(figures.strong_linked, interval=rates[0][1]),
        strong_unlinked=replace(figures.strong_unlinked, interval=rates[1][1]),
        exceedances=tuple(sorted(kept, key=lambda e: e.linked)),
        ece=replace(curve, low=band[0], high=band[1]),
        tippett=replace(
            figures.tippett,
            linked_low=linked_band[0],
            linked_high=linked_band[1],
            unlinked_low=unlinked_band[0],
            unlinked_high=unlinked_band[1],
        ),
        pav_curve=replace(figures.pav_curve, low=fit_band[0], high=fit_band[1]),
    )


def _flags(x: Floats, same: Flags, strong: float, ks: list[float], grid: Floats) -> Iterator[Flags]:
    """Yield which pairs mislead, mislead strongly, reach each level, and exceed each place."""
    yield from misleading(x, same, strong)
    yield from (reaching(x, same, k) for k in ks)
    yield from (x > place for place in grid)


def _opened(
    band: tuple[Floats, Floats], figures: LrPerformance, values: Floats, pairs: LabelledPairs
) -> tuple[Floats, Floats]:
    """Return a band of the PAV fit that is open where pairs of one kind were never seen.

    Every draw shows an infinite LR there. The open end is the LR that the largest rate gives which
    is still compatible with not having been seen.
    """
    (low, high), curve = band, figures.pav_curve
    unseen = {
        side: np.log10(largest_unseen(independent_pairs(pairs, linked=side)))
        for side in (True, False)
    }
    linked, unlinked = np.sort(values[pairs.linked]), np.sort(values[~pairs.linked])
    with np.errstate(divide="ignore"):
        below = np.log10(np.searchsorted(unlinked, curve.log10_lr, side="right") / len(unlinked))
        above = np.log10(1.0 - np.searchsorted(linked, curve.log10_lr, side="left") / len(linked))
    none_linked, none_unlinked = np.isneginf(curve.fitted), np.isposinf(curve.fitted)
    return (
        np.where(none_unlinked, np.minimum(low, above - unseen[False]), low),
        np.where(none_linked, np.maximum(high, unseen[True] - below), high),
    )


def _refitted(ordered: OrderedPairs, draws: SourceDraws, grid: Floats) -> Floats:
    """Return Cllr_min, devPAV and the fitted values at the grid, one row a draw."""
    out = np.empty((draws.n_draws, 2 + len(grid)))
    for k, weight in enumerate(draws.weights()):
        fit = ordered.fit(weight)
        out[k, 0], out[k, 1] = least_cost(fit), deviation(fit)
        out[k, 2:] = fit.transform(grid)
    return out
