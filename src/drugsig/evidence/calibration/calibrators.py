"""The methods that calibrate: each learns from scored pairs of known source what a score is worth.

The registry of calibrators: a name stands for one way from scores to likelihood ratios.

Names, messages, options and tests follow from this registry: a new calibrator is one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize
from scipy.special import logsumexp

from drugsig._check import FrozenArrays, choose, is_number
from drugsig._notes import Note
from drugsig.errors import InputError
from drugsig.evidence.calibration.curve import (
    Curve,
    KnotCurve,
    LapseCurve,
    LinearCurve,
    finite_numbers,
)
from drugsig.evidence.calibration.logit import LogitFit, fit_logit
from drugsig.evidence.calibration.training import TrainingPairs

__all__ = [
    "BANDWIDTHS",
    "CALIBRATORS",
    "DEFAULT_BANDWIDTH",
    "DEFAULT_CALIBRATOR",
    "DEFAULT_RATIO_CALIBRATOR",
    "PSEUDO_PAIRS",
    "BetaCurve",
    "Calibrator",
    "ClassDensity",
    "NoBetterThanChance",
    "get_calibrator",
]

Floats = NDArray[np.float64]

_LN10 = float(np.log(10.0))
PSEUDO_PAIRS = 1.0
DEFAULT_BANDWIDTH = "silverman"

# Name of a rule, its formula in words and signs.
BANDWIDTHS = {
    "silverman": "0.9 min(s, IQR / 1.349) n^(-1/5) (Silverman 1986, equation 3.31)",
    "scott": "1.06 s n^(-1/5) (Scott 1992), right for a normal distribution",
}

# The distance between the quartiles of a standard normal distribution.
_NORMAL_IQR = 1.3489795003921634

# Scores of a class with more different values than this are collected on a grid, so many steps a
# bandwidth; shared out linearly that moves the density by less than one part in 10,000.
_MOST_CENTRES = 4000
_STEPS_A_BANDWIDTH = 50

# The curve is kept as knots; between them the line strays from the formula by no more than this
# in log10, or as a share of a log10 LR beyond 1. A hundredth of the smallest difference that
# anyone reports.
_TOLERANCE = 1e-4
_FIRST_KNOTS = 256
_OWN_KNOTS = 200
_MOST_ROUNDS = 14

# Products of a score and a centre taken at once; bounds the memory.
_BLOCK = 2_000_000

# Of scores, and of likelihood ratios that a model gives: those of a normal model fall without limit
# where a value is mistyped or a tail is heavier than a normal one.
DEFAULT_CALIBRATOR = "logistic"
DEFAULT_RATIO_CALIBRATOR = "logistic_lapse"

# Where the search for a line with lapses starts: slopes a spread of the linked scores, and lapses.
# The height may have several summits, and the highest found is taken.
_LAPSE_STARTS = ((0.5, 0.003), (0.5, 0.05), (3.0, 0.003), (3.0, 0.05))
_LEAST_LAPSE = 1e-12
_MOST_LAPSE = 0.5
_STEEPEST = 1e6

# What a unit of slope, a spread of the linked scores, costs in misleading pairs. It decides only
# where no pair is in the way of a line as steep as you like.
_SLOPE_COST = 0.01
_MOST_POLISHING = 50


@dataclass(frozen=True)
class NoBetterThanChance(Note):
    """Linked pairs are no more alike than unlinked ones.

    Do not use this score. Look at the targets, the pretreatment and the metric.
    """

    code: ClassVar[str] = "no-better-than-chance"

    def __str__(self) -> str:
        return (
            "The linked pairs are no more alike than the unlinked ones: by these scores every "
            "likelihood ratio is 1, and a comparison says nothing."
        )


def _fit_logistic(pairs: TrainingPairs, /) -> tuple[LinearCurve, tuple[Note, ...]]:
    """Fit log10 LR = intercept + slope x score by maximum likelihood, both classes level.

    Each class carries the same weight, so that the odds are likelihood ratios whatever the
    numbers of pairs (Brümmer and du Preez 2006, Computer Speech and Language 20, 230-275). The
    slope never points the wrong way: where it would, it is 0.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.

    Returns
    -------
    curve : LinearCurve
        The line.
    notes : tuple of Note
        What a reader must know.

    Raises
    ------
    InputError
        If the scores separate linked from unlinked pairs: the slope would be infinite.
    """
    _refuse_separated(pairs, method="logistic")
    return _line(pairs, penalised=False)


def _fit_logistic_firth(pairs: TrainingPairs, /) -> tuple[LinearCurve, tuple[Note, ...]]:
    """Fit the line of `_fit_logistic` with Firth's penalty, finite also for separated classes.

    Each class carries the total weight of the smaller one, so that the penalty, which counts
    like a pair or so, is not drowned by many unlinked pairs.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.

    Returns
    -------
    curve : LinearCurve
        The line.
    notes : tuple of Note
        What a reader must know.
    """
    return _line(pairs, penalised=True)


def _refuse_separated(pairs: TrainingPairs, /, *, method: str) -> None:
    """Refuse pairs whose scores separate the classes.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.
    method : str
        Of calibration, for the message.

    Raises
    ------
    InputError
        If every linked pair is at least as alike as every unlinked one.
    """
    if not pairs.separated:
        return
    last = pairs.sign * pairs.similarities[pairs.linked].min()
    first = pairs.sign * pairs.similarities[~pairs.linked].max()
    raise InputError(
        f"the scores separate linked from unlinked pairs (the least alike linked pair scores "
        f"{last:.6g}, the most alike unlinked pair {first:.6g}), and calibration '{method}' would "
        "make likelihood ratios without limit of them. Take method='logistic_firth' or "
        "'isotonic', whose ratios stay finite, or add pairs."
    )


def _line(pairs: TrainingPairs, *, penalised: bool) -> tuple[LinearCurve, tuple[Note, ...]]:
    fit: LogitFit = fit_logit(
        pairs.similarities[:, None],
        pairs.linked,
        pairs.balanced_weights,
        nonnegative=np.array([True]),
        penalised=penalised,
    )
    if fit.separated:
        # The pairs in the way weigh too little for the arithmetic: as good as separated.
        raise InputError(
            "the scores all but separate linked from unlinked pairs, and calibration 'logistic' "
            "finds no end to its slope. Take method='logistic_firth' or 'isotonic'."
        )
    slope = float(fit.coefficients[0])
    # Zero without a sign of its own.
    curve = LinearCurve(fit.intercept / _LN10, pairs.sign * slope / _LN10 if slope else 0.0)
    return curve, () if slope else (NoBetterThanChance(),)


def _fit_logistic_lapse(
    pairs: TrainingPairs, /, *, pseudo_pairs: float = PSEUDO_PAIRS
) -> tuple[LapseCurve, tuple[Note, ...]]:
    """Fit a line with lapses: LR = (t + q) / (1 + q), log10 t = intercept + slope x score.

    With a small probability a pair of one source looks like a pair of two, because a value was
    mistyped, a sample mixed up or a measurement failed. A line alone must then choose between a
    ratio of 10^-100 for such a pair and a slope that makes all other pairs tell nothing. The
    contamination of a binary regression is that of Copas (1988, J. R. Statist. Soc. B 50, 225-265);
    the lapse rate is known from psychometric functions (Wichmann and Hill 2001, Perception and
    Psychophysics 63, 1293-1313).

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.
    pseudo_pairs : float
        The weight of two misleading pairs: a linked one below all scores, so that a lapse is never
        impossible, and an unlinked one as alike as the middle linked pair, so that the slope is
        never infinite. Each class carries the total weight of the smaller one.

    Returns
    -------
    curve : LapseCurve
        The line and the lapse.
    notes : tuple of Note
        What a reader must know.

    Raises
    ------
    InputError
        If `pseudo_pairs` is no positive number, or no best line is found.
    """
    pseudo = _checked_pseudo_pairs(pseudo_pairs, zero=False)
    weights, linked = pairs.balanced_weights, pairs.linked
    own = pairs.similarities[linked]
    middle = _weighted_quantile(own, weights[linked], 0.5)
    low, high = (_weighted_quantile(own, weights[linked], share) for share in (0.1, 0.9))
    spread = high - low
    if not spread > 0.0:
        spread = float(np.abs(pairs.similarities - middle).mean())
    scaled = (pairs.similarities - middle) / spread
    total = float(weights.sum()) / 2.0
    up, down = np.append(scaled[linked], -np.inf), np.append(scaled[~linked], 0.0)
    of_up = np.append(weights[linked], pseudo) / total
    of_down = np.append(weights[~linked], pseudo) / total
    classes = (up, of_up, True), (down, of_down, False)
    cost = _SLOPE_COST * pseudo / total
    bounds = [(None, None), (0.0, _STEEPEST), (np.log(_LEAST_LAPSE), np.log(_MOST_LAPSE))]

    def loss(theta: Floats) -> tuple[float, Floats]:
        height, slopes, _ = _lapse_loss(theta, classes, cost)
        return height, slopes

    found = [
        minimize(
            loss,
            np.array([0.0, slope, np.log(lapse)]),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-9},
        )
        for slope, lapse in _LAPSE_STARTS
    ]
    best = min(found, key=lambda one: float(one.fun))
    if not np.isfinite(best.fun):
        raise InputError(
            "calibration 'logistic_lapse' finds no best line for these scores. Take "
            "method='isotonic', which assumes no shape."
        )
    level, rise, lapse = (float(value) for value in _polished(best.x, classes, cost, bounds))
    if rise <= 0.0:
        return LapseCurve(0.0, 0.0, 0.0), (NoBetterThanChance(),)
    slope = rise / spread
    curve = LapseCurve(
        (level - slope * middle) / _LN10, pairs.sign * slope / _LN10, float(np.exp(lapse))
    )
    return curve, ()


def _lapse_loss(
    theta: Floats, classes: Sequence[tuple[Floats, Floats, bool]], slope_cost: float, /
) -> tuple[float, Floats, Floats]:
    """Return minus the mean log likelihood of both classes, its slopes and its curvature.

    With t = exp(level + rise x) and q = exp(lapse) a linked pair costs ln (1 + t + 2 q) -
    ln (t + q), an unlinked one ln (1 + t + 2 q) - ln (1 + q).
    """
    level, rise, lapse = theta
    q = np.exp(lapse)
    height, slopes, curvature = (
        slope_cost * rise,
        np.array([0.0, slope_cost, 0.0]),
        np.zeros((3, 3)),
    )
    for x, weight, is_linked in classes:
        seen = np.isfinite(x)
        t = np.where(seen, level + rise * np.where(seen, x, 0.0), -np.inf)
        both = np.logaddexp(t, np.log1p(2.0 * q))
        share, lapsed = np.exp(t - both), 2.0 * q * np.exp(-both)
        if is_linked:
            one = np.logaddexp(t, lapse)
            own = np.exp(t - one)
            own_lapsed = 1.0 - own
            bend = own * own_lapsed
        else:
            one = np.full(len(x), np.log1p(q))
            own, own_lapsed = np.zeros(len(x)), np.full(len(x), q / (1.0 + q))
            bend = np.zeros(len(x))
        height += float(weight @ (both - one))
        x = np.where(seen, x, 0.0)
        pull = weight * (share - own)
        slopes += [pull.sum(), pull @ x, weight @ (lapsed - own_lapsed)]
        of_t = weight * (share * (1.0 - share) - bend)
        across = weight * (bend - share * lapsed)
        of_q = weight @ (lapsed * (1.0 - lapsed) - own_lapsed * (1.0 - own_lapsed))
        curvature += [
            [of_t.sum(), of_t @ x, across.sum()],
            [of_t @ x, of_t @ x**2, across @ x],
            [across.sum(), across @ x, of_q],
        ]
    return height, slopes, curvature


def _polished(
    theta: Floats,
    classes: Sequence[tuple[Floats, Floats, bool]],
    slope_cost: float,
    bounds: Sequence[tuple[float | None, float | None]],
    /,
) -> Floats:
    """Take Newton's steps from beside a minimum to it, as long as each makes the slopes smaller.

    A search that stops where the loss no longer falls leaves half of the digits of its place.
    """
    free = np.array([all(end != x for end in ends) for x, ends in zip(theta, bounds, strict=True)])
    least = np.array([-np.inf if low is None else low for low, _ in bounds])
    most = np.array([np.inf if high is None else high for _, high in bounds])
    _, slopes, curvature = _lapse_loss(theta, classes, slope_cost)
    for _ in range(_MOST_POLISHING):
        try:
            step = np.linalg.solve(curvature[np.ix_(free, free)], slopes[free])
        except np.linalg.LinAlgError:
            break
        there = theta.copy()
        there[free] -= step
        if ((there < least) | (there > most)).any():
            break
        _, after, bent = _lapse_loss(there, classes, slope_cost)
        if not np.abs(after[free]).max() < np.abs(slopes[free]).max():
            break
        theta, slopes, curvature = there, after, bent
    return theta


def _weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    # Weights that add up to exactly the share, but for rounding, have reached it.
    return float(values[order][np.searchsorted(reached, (share - 1e-9) * reached[-1])])


@dataclass(frozen=True)
class BetaCurve:
    """The curve intercept + a log10 s - b log10 (1 - s), with s the alikeness from 0 to 1.

    Parameters
    ----------
    intercept : float
        In log10.
    a, b : float
        At least 0: the curve rises with alikeness.
    unlike, alike : float
        The scores at which s is 0 and 1.
    first, last : float
        The least and the largest s that were observed between 0 and 1; an s beyond them, 0 and 1
        included, counts as the nearer of them.
    """

    intercept: float
    a: float
    b: float
    unlike: float
    alike: float
    first: float
    last: float

    def log10_lr(self, scores: Floats, /) -> Floats:
        """Return the log10 likelihood ratio of every score."""
        s = np.clip((scores - self.unlike) / (self.alike - self.unlike), self.first, self.last)
        return np.asarray(
            self.intercept + (self.a * np.log(s) - self.b * np.log1p(-s)) / _LN10,
            dtype=np.float64,
        )

    def to_data(self) -> dict[str, Any]:
        """Return the curve as data that `from_data` reads."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> BetaCurve:
        """Read a curve from data.

        Raises
        ------
        InputError
            If a number is missing or not finite, or if the curve would fall with alikeness.
        """
        curve = cls(**{f.name: float(finite_numbers(data, f.name, shape=())) for f in fields(cls)})
        if not (
            0.0 < curve.first <= curve.last < 1.0
            and min(curve.a, curve.b) >= 0.0
            and curve.unlike != curve.alike
        ):
            raise InputError(f"a stored beta calibration is none: {curve}. Was the file edited?")
        return curve


def _fit_beta(pairs: TrainingPairs, /) -> tuple[BetaCurve, tuple[Note, ...]]:
    """Fit log LR = c + a ln s - b ln (1 - s), a and b at least 0, by maximum likelihood.

    After Kull, Silva Filho and Flach (2017, Electronic Journal of Statistics 11, 5052-5080): the
    curve that is right where s follows a beta distribution in either class. s is the score on a
    scale from 0 (the end of the range that means unlike) to 1. The logarithm of 0 is avoided
    without a made-up number: an s of 0 or 1 counts as the nearest observed one between.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs; without a metric of limited range, scores must lie from 0 to 1.

    Returns
    -------
    curve : BetaCurve
        The curve.
    notes : tuple of Note
        What a reader must know.

    Raises
    ------
    InputError
        If the scores have no limits, are all at the limits, or separate the classes.
    """
    unlike, alike = _limits(pairs)
    s = (pairs.scores - unlike) / (alike - unlike)
    inside = s[(s > 0.0) & (s < 1.0)]
    if not len(inside) or inside.min() == inside.max():
        raise InputError(
            f"of {len(s)} scores {len(np.unique(inside))} differ between the limits "
            f"{min(unlike, alike):g} and {max(unlike, alike):g}: beta calibration needs at least "
            "2. Take method='isotonic'."
        )
    first, last = float(inside.min()), float(inside.max())
    held = np.clip(s, first, last)
    as_used = replace(pairs, scores=unlike + held * (alike - unlike))
    _refuse_separated(as_used, method="beta")
    fit = fit_logit(
        np.column_stack([np.log(held), -np.log1p(-held)]),
        pairs.linked,
        pairs.balanced_weights,
        nonnegative=np.array([True, True]),
        penalised=False,
    )
    if fit.separated:
        raise InputError(
            "the scores all but separate linked from unlinked pairs, and calibration 'beta' finds "
            "no end to its slope. Take method='logistic_firth' or 'isotonic'."
        )
    a, b = (float(c) + 0.0 for c in fit.coefficients)
    curve = BetaCurve(fit.intercept / _LN10, a, b, unlike, alike, first, last)
    return curve, () if a or b else (NoBetterThanChance(),)


def _limits(pairs: TrainingPairs) -> tuple[float, float]:
    """Return the score of the most unlike and of the most alike pair there can be."""
    low, high = pairs.support
    if not np.isfinite([low, high]).any():
        low, high = 0.0, 1.0
    if not np.isfinite([low, high]).all():
        raise InputError(
            f"beta calibration needs scores between two limits, and these lie in {low:g} to "
            f"{high:g}. Take another method, or a metric with a limited range."
        )
    least, largest = float(pairs.scores.min()), float(pairs.scores.max())
    if least < low or largest > high:
        raise InputError(
            f"beta calibration needs scores from {low:g} to {high:g}, got {least:.6g} to "
            f"{largest:.6g}. Give the metric, or support=(least, largest)."
        )
    return (low, high) if pairs.kind == "similarity" else (high, low)


def _fit_isotonic(
    pairs: TrainingPairs, /, *, pseudo_pairs: float = PSEUDO_PAIRS
) -> tuple[KnotCurve, tuple[Note, ...]]:
    """Fit the rising steps of greatest likelihood, with one misleading pair at each end.

    Without more the least alike scores would get a likelihood ratio of 0 and the most alike an
    infinite one, however few there are. So one linked pair is put below all scores and one
    unlinked pair above them: the pairs that the next measurement might bring. With n linked and
    m unlinked pairs the ratio then stays within 1/(n + 1) and m + 1. Equal scores are pooled;
    between two steps log10 LR runs along a straight line.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.
    pseudo_pairs : float
        How much the misleading pair of either end weighs, above 0; in pairs.

    Returns
    -------
    curve : KnotCurve
        The steps: the first and the last score of each.
    notes : tuple of Note
        What a reader must know.
    """
    added = _checked_pseudo_pairs(pseudo_pairs, zero=False)
    alike, places = np.unique(pairs.similarities, return_inverse=True)
    shape = len(alike)
    # The misleading pairs stand first and last, at no score of their own.
    linked = np.concatenate([[added], _by_score(places, pairs, pairs.linked), [0.0]])
    unlinked = np.concatenate([[0.0], _by_score(places, pairs, ~pairs.linked), [added]])
    linked /= pairs.n_linked + added
    unlinked /= pairs.n_unlinked + added
    weights = linked + unlinked
    steps = isotonic_regression(linked / weights, weights=weights).blocks
    first, last = steps[:-1], steps[1:] - 1
    ratio = np.log10(np.add.reduceat(linked, first)) - np.log10(np.add.reduceat(unlinked, first))
    ratio = np.maximum.accumulate(ratio)
    # What is left of a step without the misleading pairs; these never stand alone.
    begin, end = np.maximum(first - 1, 0), np.minimum(last - 1, shape - 1)
    knots, where = np.unique(np.concatenate([begin, end]), return_index=True)
    curve = KnotCurve.of_similarities(alike[knots], np.tile(ratio, 2)[where], pairs.sign)
    return curve, (NoBetterThanChance(),) if len(ratio) == 1 else ()


def _by_score(places: NDArray[np.intp], pairs: TrainingPairs, side: NDArray[np.bool_]) -> Floats:
    return np.bincount(places, pairs.weights * side).astype(np.float64)


def _checked_pseudo_pairs(pseudo_pairs: object, /, *, zero: bool) -> float:
    """Return the weight of pseudo pairs as a number.

    Parameters
    ----------
    pseudo_pairs : object
        What was asked for.
    zero : bool
        Whether there may be none.

    Raises
    ------
    InputError
        If it is no number, not finite, or too small.
    """
    number = np.nan
    if is_number(pseudo_pairs):
        number = float(pseudo_pairs)
    if not (0.0 < number < np.inf or (zero and number == 0.0)):
        raise InputError(
            f"pseudo_pairs must be a number {'from' if zero else 'above'} 0, got "
            f"{pseudo_pairs!r}: it weighs the misleading pairs that keep likelihood ratios finite"
        )
    return number


@dataclass(frozen=True, eq=False)
class ClassDensity(FrozenArrays):
    """The kernel density of the scores of one class.

    Attributes
    ----------
    centres : ndarray of float64, shape (n_centres,)
        Where the normal kernels stand.
    log_weights : ndarray of float64, shape (n_centres,)
        Natural logarithm of the share of each.
    bandwidth : float
        The standard deviation of a kernel, in units of the score.
    support : tuple of float
        At a finite limit the kernels are reflected, so that nothing leaks past it.
    """

    centres: Floats
    log_weights: Floats
    bandwidth: float
    support: tuple[float, float]

    def log_density(self, scores: Floats, /) -> Floats:
        """Return the natural logarithm of the density at scores, finite however far they lie."""
        out = np.empty(len(scores))
        step = max(1, _BLOCK // len(self.centres))
        images = [(0.0, 1.0)] + [(2.0 * end, -1.0) for end in self.support if np.isfinite(end)]
        constant = np.log(self.bandwidth * np.sqrt(2.0 * np.pi))
        for start in range(0, len(scores), step):
            block = scores[start : start + step, None]
            parts = [
                logsumexp(
                    self.log_weights
                    - 0.5 * ((block - offset - turn * self.centres) / self.bandwidth) ** 2,
                    axis=1,
                )
                for offset, turn in images
            ]
            out[start : start + step] = logsumexp(parts, axis=0) - constant
        return out


def _fit_kde(
    pairs: TrainingPairs,
    /,
    *,
    bandwidth: str | float = DEFAULT_BANDWIDTH,
    pseudo_pairs: float = PSEUDO_PAIRS,
) -> tuple[KnotCurve, tuple[Note, ...]]:
    """Fit the ratio of the densities of linked and of unlinked scores, smoothed by kernels.

    f1 and f2 are sums of normal kernels, each class with a bandwidth of its own, reflected at the
    ends of the metric's range. Two rules keep the ratio to what so many pairs can show, with n
    linked and m unlinked pairs:

    - one pair of all n + m + 1 is spread evenly over the range of the scores in f1 and in f2:
      where there are no scores of either class the ratio tends to 1 and not to a quotient of two
      vanishing tails;
    - each class holds one misleading pair, distributed like the other class: LR = (n f1 + f2) /
      (n + 1) : (m f2 + f1) / (m + 1), which lies within 1/(n + 1) and m + 1 and rises with f1/f2.

    The ratio need not rise with alikeness: a dip in a density makes it fall. `Calibration.falls`
    says where. The curve is kept as knots, joined within 1e-4 of log10 LR or of its size.

    Parameters
    ----------
    pairs : TrainingPairs
        The pairs.
    bandwidth : str or float
        A rule of `BANDWIDTHS`, or a standard deviation in units of the score for both classes.
    pseudo_pairs : float
        How much the pairs of the two rules weigh, from 0 (the bare ratio), in pairs.

    Returns
    -------
    curve : KnotCurve
        The ratio over the range of the scores.
    notes : tuple of Note
        What a reader must know.

    Raises
    ------
    InputError
        If the bandwidth is no rule and no positive number, or if the scores of one class are all
        equal and have no bandwidth by rule.
    """
    added = _checked_pseudo_pairs(pseudo_pairs, zero=True)
    linked, unlinked = (
        _density(pairs, side, bandwidth, what)
        for side, what in ((pairs.linked, "linked"), (~pairs.linked, "unlinked"))
    )
    low, high = float(pairs.scores.min()), float(pairs.scores.max())
    total = pairs.n_linked + pairs.n_unlinked

    def log10_lr(scores: Floats) -> Floats:
        first, second = linked.log_density(scores), unlinked.log_density(scores)
        if not added:
            return np.asarray((first - second) / np.log(10.0), dtype=np.float64)
        even = np.log(added / (high - low))
        first = np.logaddexp(np.log(total) + first, even)
        second = np.logaddexp(np.log(total) + second, even)
        top = np.logaddexp(np.log(pairs.n_linked) + first, np.log(added) + second)
        bottom = np.logaddexp(np.log(pairs.n_unlinked) + second, np.log(added) + first)
        top -= np.log(pairs.n_linked + added)
        bottom -= np.log(pairs.n_unlinked + added)
        return np.asarray((top - bottom) / np.log(10.0), dtype=np.float64)

    own = np.concatenate([_spread(linked.centres), _spread(unlinked.centres)])
    start = np.concatenate([np.linspace(low, high, _FIRST_KNOTS), own])
    knots = np.unique(np.clip(start, low, high))
    values = log10_lr(knots)
    ends = np.column_stack([knots[:-1], knots[1:]])
    levels = np.column_stack([values[:-1], values[1:]])
    for _ in range(_MOST_ROUNDS):
        middle = ends.mean(axis=1)
        here = log10_lr(middle)
        apart = np.abs(here - levels.mean(axis=1)) > _TOLERANCE * np.maximum(1.0, np.abs(here))
        apart &= (middle > ends[:, 0]) & (middle < ends[:, 1])
        if not apart.any():
            break
        knots, values = np.append(knots, middle[apart]), np.append(values, here[apart])
        split, middle, here, old = ends[apart], middle[apart], here[apart], levels[apart]
        ends = np.concatenate(
            [np.column_stack([split[:, 0], middle]), np.column_stack([middle, split[:, 1]])]
        )
        levels = np.concatenate(
            [np.column_stack([old[:, 0], here]), np.column_stack([here, old[:, 1]])]
        )
    order = np.argsort(knots)
    return KnotCurve(scores=knots[order], values=values[order]), ()


def _density(
    pairs: TrainingPairs, side: NDArray[np.bool_], bandwidth: str | float, what: str
) -> ClassDensity:
    centres, places = np.unique(pairs.scores[side], return_inverse=True)
    weights = np.bincount(places, pairs.weights[side]).astype(np.float64)
    width = _bandwidth(centres, weights, bandwidth, what)
    if len(centres) > _MOST_CENTRES:
        centres, weights = _collected(centres, weights, width / _STEPS_A_BANDWIDTH)
    return ClassDensity(
        centres=centres,
        log_weights=np.log(weights / weights.sum()),
        bandwidth=width,
        support=pairs.support,
    )


def _bandwidth(centres: Floats, weights: Floats, bandwidth: str | float, what: str) -> float:
    if not isinstance(bandwidth, str):
        number = np.nan if isinstance(bandwidth, bool) else float(bandwidth)
        if not 0.0 < number < np.inf:
            raise InputError(f"a bandwidth must be a positive number, got {bandwidth!r}")
        return number
    rule = choose(bandwidth, tuple(BANDWIDTHS), what="bandwidth rule")
    total = float(weights.sum())
    if len(centres) == 1:
        raise InputError(
            f"all {total:g} scores of {what} pairs are {centres[0]:.6g}: no rule gives a kernel "
            "density of one value a bandwidth. Give bandwidth=<number>, or take "
            "method='isotonic'."
        )
    mean = weights @ centres / total
    # Never from the n - 1 of a sample: weights of sources may add up to less than 2.
    spread = float(np.sqrt(weights @ (centres - mean) ** 2 / total))
    if rule == "scott":
        return 1.06 * spread * float(total**-0.2)
    reach = np.cumsum(weights) - weights / 2.0
    quartiles = np.interp([0.25, 0.75], reach / total, centres)
    iqr = float(quartiles[1] - quartiles[0]) / _NORMAL_IQR
    # More than half of the scores may be one value; then the quartiles say nothing.
    narrow = min(spread, iqr) if iqr > 0 else spread
    return 0.9 * narrow * float(total**-0.2)


def _collected(centres: Floats, weights: Floats, step: float) -> tuple[Floats, Floats]:
    """Share every weight between its two neighbours on a grid (Hall and Wand 1996)."""
    places = (centres - centres[0]) / step
    below = np.floor(places)
    share = places - below
    both = np.concatenate([below, below + 1.0])
    used, where = np.unique(both, return_inverse=True)
    shared = np.concatenate([weights * (1.0 - share), weights * share])
    collected = np.bincount(where, shared).astype(np.float64)
    kept = collected > 0
    return centres[0] + used[kept] * step, collected[kept]


def _spread(centres: Floats) -> Floats:
    """Return centres evenly taken by rank: knots stand close where scores do."""
    places = np.linspace(0, len(centres) - 1, min(len(centres), _OWN_KNOTS))
    return centres[places.round().astype(np.intp)]


@dataclass(frozen=True)
class Calibrator:
    """One way to make likelihood ratios of scores.

    Parameters
    ----------
    name : str
        The registered name.
    formula : str
        In words and signs; s is the score.
    note : str
        What to know before choosing it.
    source : str
        Where it was published.
    fit : callable
        From `TrainingPairs` and options to a curve and what a reader must know.
    curve : type
        The class of the curve.
    monotone : bool
        Whether more alike always means a likelihood ratio at least as large.
    extrapolates : bool
        Whether the formula has a value beyond the scores it was fitted to.
    needs_overlap : bool
        Whether scores that separate linked from unlinked pairs are refused.
    exchangeable : bool
        Whether the ratios of the opposite propositions are the inverse ones. A lapse makes linked
        pairs look unlinked, and not the other way round.
    options : mapping
        Names of options to their defaults.
    """

    name: str
    formula: str
    note: str
    source: str
    fit: Callable[..., tuple[Curve, tuple[Note, ...]]]
    curve: type[Any]
    monotone: bool
    extrapolates: bool
    needs_overlap: bool
    exchangeable: bool = True
    options: Mapping[str, object] = field(default_factory=dict)


_ALL = (
    Calibrator(
        name="logistic",
        formula="log10 LR = intercept + slope s, by maximum likelihood, both classes of equal "
        "weight",
        note="smooth, two numbers, few data needed; right where the log LR is a straight line; "
        "refuses classes that the scores separate",
        source="Brümmer and du Preez 2006; Morrison 2013",
        fit=_fit_logistic,
        curve=LinearCurve,
        monotone=True,
        extrapolates=True,
        needs_overlap=True,
    ),
    Calibrator(
        name="logistic_firth",
        formula="as logistic, the likelihood times the square root of its information (Jeffreys' "
        "prior)",
        note="finite also where the classes are separated; a little closer to LR = 1",
        source="Firth 1993; Heinze and Schemper 2002",
        fit=_fit_logistic_firth,
        curve=LinearCurve,
        monotone=True,
        extrapolates=True,
        needs_overlap=False,
    ),
    Calibrator(
        name="logistic_lapse",
        formula="LR = (t + q)/(1 + q), log10 t = intercept + slope s, by maximum likelihood, both "
        "classes of equal weight, with a misleading pair of each",
        note="a line for nearly all pairs, and odds q that a linked pair looks like an unlinked "
        "one, from mistyped values or heavy tails; never below q/(1 + q)",
        source="Copas 1988; Wichmann and Hill 2001",
        fit=_fit_logistic_lapse,
        curve=LapseCurve,
        monotone=True,
        extrapolates=True,
        needs_overlap=False,
        exchangeable=False,
        options=MappingProxyType({"pseudo_pairs": PSEUDO_PAIRS}),
    ),
    Calibrator(
        name="isotonic",
        formula="the rising steps of greatest likelihood (pool adjacent violators), with a "
        "misleading pair at each end",
        note="no shape assumed; needs many pairs; LR stays within 1/(n + 1) and m + 1 of n linked "
        "and m unlinked pairs",
        source="Zadrozny and Elkan 2002; Brümmer and du Preez 2006",
        fit=_fit_isotonic,
        curve=KnotCurve,
        monotone=True,
        extrapolates=False,
        needs_overlap=False,
        options=MappingProxyType({"pseudo_pairs": PSEUDO_PAIRS}),
    ),
    Calibrator(
        name="kde",
        formula="LR = (n f1 + f2)/(n + 1) : (m f2 + f1)/(m + 1), f1 and f2 the kernel densities "
        "of n linked and m unlinked scores",
        note="no shape assumed; the LR may fall where pairs grow more alike; stays within "
        "1/(n + 1) and m + 1",
        source="Silverman 1986; Bolck and others 2009",
        fit=_fit_kde,
        curve=KnotCurve,
        monotone=False,
        extrapolates=False,
        needs_overlap=False,
        options=MappingProxyType({"bandwidth": DEFAULT_BANDWIDTH, "pseudo_pairs": PSEUDO_PAIRS}),
    ),
    Calibrator(
        name="beta",
        formula="ln LR = c + a ln t - b ln (1 - t), a and b at least 0, t the alikeness from 0 to "
        "1",
        note="for scores between two limits, as correlations; refuses classes that the scores "
        "separate",
        source="Kull, Silva Filho and Flach 2017",
        fit=_fit_beta,
        curve=BetaCurve,
        monotone=True,
        extrapolates=True,
        needs_overlap=True,
    ),
)


CALIBRATORS: Mapping[str, Calibrator] = MappingProxyType({c.name: c for c in _ALL})


def get_calibrator(name: str, /) -> Calibrator:
    """Return the registered calibrator of this name.

    Raises
    ------
    UnknownNameError
        If there is none; the message names the nearest.

    Examples
    --------
    >>> get_calibrator("isotonic").monotone
    True
    """
    return CALIBRATORS[choose(name, tuple(CALIBRATORS), what="calibration method")]
