"""Calibration by kernel densities: the ratio of two smoothed histograms, kept within reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from drugsig._check import FrozenArrays, choose
from drugsig._notes import Note
from drugsig.errors import InputError
from drugsig.evidence.calibration.curve import KnotCurve
from drugsig.evidence.calibration.isotonic import PSEUDO_PAIRS, checked_pseudo_pairs
from drugsig.evidence.calibration.training import TrainingPairs

__all__ = ["BANDWIDTHS", "DEFAULT_BANDWIDTH", "ClassDensity", "fit_kde"]

Floats = NDArray[np.float64]

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


def fit_kde(
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
    added = checked_pseudo_pairs(pseudo_pairs, zero=True)
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
