"""Correlation over the targets, of the values or of their ranks, and the angle of two profiles."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from drugsig.comparison.kernels.kernel import Kernel
from drugsig.comparison.kernels.summing import (
    ROUNDING,
    SLACK,
    Floats,
    Mask,
    dot,
    dot_ratio,
    ratio,
    scaled,
    squares,
    used,
)
from drugsig.comparison.spaces import EuclideanSpace

__all__ = ["CONSTANT_TOLERANCE", "COSINE", "PEARSON", "SPEARMAN", "SQUARED_COSINE"]

# A profile whose values differ by less than this share of the largest is constant: what is
# left after centring is rounding, and a correlation with rounding means nothing.
CONSTANT_TOLERANCE = 1e-12


def _is_constant(low: Floats, high: Floats) -> Mask:
    largest = np.maximum(np.abs(low), np.abs(high))
    return np.asarray(~((high - low) > CONSTANT_TOLERANCE * largest))


def _centred(x: Floats) -> Floats:
    """Return the profiles less their mean, and below them their sum of squares.

    The sum is NaN for a constant profile, and so is every score of it.
    """
    total = np.zeros(x.shape[1:])
    for column in x:
        total += column
    centred = x - total / len(x)
    size = squares(centred)
    size[_is_constant(x.min(axis=0), x.max(axis=0))] = np.nan
    return np.concatenate([centred, size[None]])


def _centred_masked(x: Floats, both: Mask, count: Floats) -> tuple[Floats, Mask]:
    total = np.zeros(both.shape[1:])
    low, high = np.full(total.shape, np.inf), np.full(total.shape, -np.inf)
    for target in range(len(x)):
        use = both[target]
        total += np.where(use, x[target], 0.0)
        low = np.minimum(low, np.where(use, x[target], np.inf))
        high = np.maximum(high, np.where(use, x[target], -np.inf))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        return np.where(both, x - mean, 0.0), _is_constant(low, high)


def _pearson_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    count = used(both)
    centred_a, constant_a = _centred_masked(a, both, count)
    centred_b, constant_b = _centred_masked(b, both, count)
    total, room = dot(centred_a, centred_b, len(a))
    r = ratio(total, squares(centred_a), squares(centred_b), room)
    r[constant_a | constant_b] = np.nan
    return r


def _told_apart(x: Floats) -> Floats:
    """Return scaled profiles in which values that rounding alone tells apart are the same.

    In order of size, the next value is another where it exceeds the one before by more than the
    slack; all of a run are put on its first.
    """
    scaled_x = scaled(x)
    order = np.argsort(scaled_x, axis=0, kind="stable")
    ordered = np.take_along_axis(scaled_x, order, axis=0)
    close = np.diff(ordered, axis=0) <= SLACK
    if not (close & (np.diff(ordered, axis=0) > 0.0)).any():
        return scaled_x
    for target in range(1, len(ordered)):
        ordered[target] = np.where(close[target - 1], ordered[target - 1], ordered[target])
    out = np.empty_like(scaled_x)
    np.put_along_axis(out, order, ordered, axis=0)
    return out


def _ranked(x: Floats) -> Floats:
    return _centred(np.asarray(rankdata(x, method="average", axis=0), dtype=np.float64))


def _ranks_masked(x: Floats, both: Mask) -> Floats:
    """Ranks among the targets used, ties sharing their mean rank."""
    full = np.broadcast_to(x, both.shape)
    ranks = np.full(both.shape, 0.5)
    for target in range(len(full)):
        other, use = full[target], both[target]
        ranks += np.where(use, 1.0 * (other < full) + 0.5 * (other == full), 0.0)
    return ranks


def _spearman_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    return _pearson_masked(_ranks_masked(a, both), _ranks_masked(b, both), both)


def _with_squares(x: Floats) -> Floats:
    return np.concatenate([x, squares(x)[None]])


def _cosine_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    kept_a, kept_b = np.where(both, a, 0.0), np.where(both, b, 0.0)
    total, room = dot(kept_a, kept_b, len(a))
    return ratio(total, squares(kept_a), squares(kept_b), room)


def _squared_ratio(total: Floats, aa: Floats, bb: Floats, room: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        np.multiply(aa, bb, out=room)
        np.multiply(total, total, out=total)
        np.divide(total, room, out=total)
    return np.clip(total, 0.0, 1.0, out=total)


def _squared_cosine(a: Floats, b: Floats) -> Floats:
    total, room = dot(a, b, len(a) - 1)
    return _squared_ratio(total, a[-1], b[-1], room)


def _squared_cosine_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    kept_a, kept_b = np.where(both, a, 0.0), np.where(both, b, 0.0)
    total, room = dot(kept_a, kept_b, len(a))
    return _squared_ratio(total, squares(kept_a), squares(kept_b), room)


def _directions(transformed: Floats) -> Floats:
    """Return unit vectors: what correlations and angles compare."""
    return np.asarray(transformed[:-1] / np.sqrt(transformed[-1]))


def _chord(value: float) -> float:
    """Return the distance of two unit vectors with this cosine."""
    return float(np.sqrt(2.0 * max(0.0, 1.0 - value) + ROUNDING))


def _chord_of_square(value: float) -> float:
    return _chord(float(np.sqrt(max(0.0, value - ROUNDING))))


_CORRELATED = EuclideanSpace(_directions, _chord)


def _error_of_cosine(p: int) -> float:
    return 3.0 * p + 10.0


def _error_of_squared_cosine(p: int) -> float:
    return 12.0 * p + 40.0


def _error_of_correlation(p: int) -> float:
    return 4.0 * p + 12.0


def _error_of_ranks(p: int) -> float:
    return 2.0


# Correlation over the targets; undefined where a profile is constant.
PEARSON = Kernel(
    dot_ratio,
    _pearson_masked,
    transform=_centred,
    prepare=scaled,
    space=_CORRELATED,
    error=_error_of_correlation,
    condition="times the larger |x| / |x - mean x| of the two profiles",
)
# The same of the ranks.
SPEARMAN = Kernel(
    dot_ratio,
    _spearman_masked,
    transform=_ranked,
    prepare=_told_apart,
    space=_CORRELATED,
    error=_error_of_ranks,
)
# Cosine of the angle between the profiles; undefined where one is all zero.
COSINE = Kernel(
    dot_ratio,
    _cosine_masked,
    transform=_with_squares,
    prepare=scaled,
    space=_CORRELATED,
    error=_error_of_cosine,
)
SQUARED_COSINE = Kernel(
    _squared_cosine,
    _squared_cosine_masked,
    transform=_with_squares,
    prepare=scaled,
    space=EuclideanSpace(_directions, _chord_of_square, opposite=True),
    error=_error_of_squared_cosine,
)
