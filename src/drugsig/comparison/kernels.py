"""Scores on bare arrays: the definition of every metric, summed elementwise in target order.

Arrays are target first, shape (n_targets, ...), and the other axes broadcast, so the same code
scores listed pairs, (p, k) and (p, k), and a block of a matrix, (p, n, 1) and (p, 1, m). Sums run
over targets one after the other, in float64: a score does not depend on the order of profiles, on
the size of a block or on the number of workers.

Every kernel has two forms of one formula. ``complete`` takes profiles in which every target was
measured, made ready once; ``masked`` takes profiles as they are and a mask of the targets
measured in both. Where the mask is all true they give the same bits.

Sums of squares are combined as ``d / sqrt(saa * sbb)``, because ``sqrt(s * s) == s`` holds
exactly in IEEE arithmetic: a profile scores exactly 1 with an identical one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from drugsig.comparison.spaces import EuclideanSpace, TermSpace

__all__ = [
    "BRAY_CURTIS",
    "CANBERRA_DROPPING",
    "CANBERRA_ZERO",
    "CONSTANT_TOLERANCE",
    "COSINE",
    "EUCLIDEAN",
    "MANHATTAN",
    "PEARSON",
    "SPEARMAN",
    "SQUARED_COSINE",
    "Kernel",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# A profile whose values differ by less than this share of the largest is constant: what is
# left after centring is rounding, and a correlation with rounding means nothing.
CONSTANT_TOLERANCE = 1e-12


def _not_zero(divisor: Floats) -> Floats:
    """Put the smallest positive number for 0 in a divisor whose numerator is 0 as well."""
    return np.maximum(divisor, np.finfo(divisor.dtype).smallest_subnormal, out=divisor)


def _scaled(x: Floats) -> Floats:
    """Divide every profile by the power of two above its largest value, which is exact.

    Keeps sums of squares away from overflow and underflow for metrics that do not depend on
    the scale of a profile.
    """
    largest = np.max(np.abs(np.where(np.isnan(x), 0.0, x)), axis=0, initial=0.0)
    _, exponent = np.frexp(largest)
    return np.asarray(np.ldexp(x, -exponent), dtype=np.float64)


def _unscaled(x: Floats) -> Floats:
    return x


@dataclass(frozen=True)
class Kernel:
    """One formula on arrays.

    Parameters
    ----------
    complete : callable
        ``(a, b) -> scores`` for ready profiles.
    masked : callable
        ``(a, b, both) -> scores`` for profiles as `prepare` leaves them.
    ready : callable
        What is done once to prepared profiles, shape (p, n), before `complete`.
    prepare : callable
        What is done to profiles first, whether complete or not.
    space : EuclideanSpace, TermSpace or None
        Where pairs that meet a threshold can be looked for; without one every pair is scored.
    """

    complete: Callable[[Floats, Floats], Floats]
    masked: Callable[[Floats, Floats, Mask], Floats]
    ready: Callable[[Floats], Floats] = _unscaled
    prepare: Callable[[Floats], Floats] = _unscaled
    space: EuclideanSpace | TermSpace | None = None


def _buffers(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return zeros to sum into, and room for one target."""
    shape = np.broadcast_shapes(a.shape[1:], b.shape[1:])
    # Single precision only where the search proposes pairs; a score is always float64.
    kind = np.result_type(a, b)
    return np.zeros(shape, kind), np.empty(shape, kind)


def _kept(x: Floats, both: Mask, target: int) -> Floats:
    return np.where(both[target], x[target], 0.0)


def _dot(a: Floats, b: Floats, p: int) -> tuple[Floats, Floats]:
    """Return the sum of a*b over the first p rows, and the room it used."""
    total, step = _buffers(a, b)
    for target in range(p):
        np.multiply(a[target], b[target], out=step)
        total += step
    return total, step


def _squares(x: Floats) -> Floats:
    total = np.zeros(x.shape[1:])
    for column in x:
        total += column * column
    return total


def _used(both: Mask) -> Floats:
    count = np.zeros(both.shape[1:])
    for target in both:
        count += target
    return count


def _rescaled(total: Floats, both: Mask) -> Floats:
    """Scale a sum over the targets used up to all targets, as R's ``dist`` does."""
    used = _used(both)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(used > 0, total * (len(both) / used), np.nan)


# -- correlation ---------------------------------------------------------------------------


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
    squares = _squares(centred)
    squares[_is_constant(x.min(axis=0), x.max(axis=0))] = np.nan
    return np.concatenate([centred, squares[None]])


def _centred_masked(x: Floats, both: Mask, used: Floats) -> tuple[Floats, Mask]:
    total = np.zeros(both.shape[1:])
    low, high = np.full(total.shape, np.inf), np.full(total.shape, -np.inf)
    for target in range(len(x)):
        use = both[target]
        total += np.where(use, x[target], 0.0)
        low = np.minimum(low, np.where(use, x[target], np.inf))
        high = np.maximum(high, np.where(use, x[target], -np.inf))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / used
        return np.where(both, x - mean, 0.0), _is_constant(low, high)


def _ratio(total: Floats, aa: Floats, bb: Floats, room: Floats) -> Floats:
    """Return ``total / sqrt(aa * bb)``, kept within -1 and 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        np.multiply(aa, bb, out=room)
        np.sqrt(room, out=room)
        np.divide(total, room, out=total)
    return np.clip(total, -1.0, 1.0, out=total)


def _dot_ratio(a: Floats, b: Floats) -> Floats:
    """Return the ratio for ready profiles, whose last row is their sum of squares."""
    total, room = _dot(a, b, len(a) - 1)
    return _ratio(total, a[-1], b[-1], room)


def _pearson_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    used = _used(both)
    centred_a, constant_a = _centred_masked(a, both, used)
    centred_b, constant_b = _centred_masked(b, both, used)
    total, room = _dot(centred_a, centred_b, len(a))
    r = _ratio(total, _squares(centred_a), _squares(centred_b), room)
    r[constant_a | constant_b] = np.nan
    return r


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


# -- angle ---------------------------------------------------------------------------------


def _with_squares(x: Floats) -> Floats:
    return np.concatenate([x, _squares(x)[None]])


def _cosine_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    kept_a, kept_b = np.where(both, a, 0.0), np.where(both, b, 0.0)
    total, room = _dot(kept_a, kept_b, len(a))
    return _ratio(total, _squares(kept_a), _squares(kept_b), room)


def _squared_ratio(total: Floats, aa: Floats, bb: Floats, room: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        np.multiply(aa, bb, out=room)
        np.multiply(total, total, out=total)
        np.divide(total, room, out=total)
    return np.clip(total, 0.0, 1.0, out=total)


def _squared_cosine(a: Floats, b: Floats) -> Floats:
    total, room = _dot(a, b, len(a) - 1)
    return _squared_ratio(total, a[-1], b[-1], room)


def _squared_cosine_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    kept_a, kept_b = np.where(both, a, 0.0), np.where(both, b, 0.0)
    total, room = _dot(kept_a, kept_b, len(a))
    return _squared_ratio(total, _squares(kept_a), _squares(kept_b), room)


# -- sums over targets ---------------------------------------------------------------------


def _euclidean(a: Floats, b: Floats) -> Floats:
    total, step = _buffers(a, b)
    for target in range(len(a)):
        np.subtract(a[target], b[target], out=step)
        np.multiply(step, step, out=step)
        total += step
    return np.sqrt(total, out=total)


def _euclidean_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    total = np.zeros(both.shape[1:])
    for target in range(len(a)):
        difference = _kept(a, both, target) - _kept(b, both, target)
        total += difference * difference
    return np.asarray(np.sqrt(_rescaled(total, both)))


def _manhattan(a: Floats, b: Floats) -> Floats:
    total, step = _buffers(a, b)
    for target in range(len(a)):
        np.subtract(a[target], b[target], out=step)
        np.abs(step, out=step)
        total += step
    return total


def _manhattan_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    total = np.zeros(both.shape[1:])
    for target in range(len(a)):
        total += np.abs(_kept(a, both, target) - _kept(b, both, target))
    return _rescaled(total, both)


def _canberra_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the sum of the terms that have a value, and how many have."""
    total, step = _buffers(a, b)
    count, size = np.zeros_like(total), np.empty_like(total)
    for target in range(len(a)):
        np.add(np.abs(a[target]), np.abs(b[target]), out=size)
        count += size > 0.0
        _not_zero(size)
        np.subtract(a[target], b[target], out=step)
        np.abs(step, out=step)
        np.divide(step, size, out=step)
        total += step
    return total, count


def _dropped(total: Floats, count: Floats, p: int) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count > 0, total * (p / count), np.nan)


def _canberra_zero(a: Floats, b: Floats) -> Floats:
    """A target absent from both adds zero (scipy's rule)."""
    return _canberra_sum(a, b)[0]


def _canberra_zero_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    total, _ = _canberra_sum(np.where(both, a, 0.0), np.where(both, b, 0.0))
    return _rescaled(total, both)


def _canberra_dropping(a: Floats, b: Floats) -> Floats:
    """Only targets present in either count, scaled up to all (R's rule)."""
    return _dropped(*_canberra_sum(a, b), len(a))


def _canberra_dropping_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    return _canberra_dropping(np.where(both, a, 0.0), np.where(both, b, 0.0))


def _bray_curtis(a: Floats, b: Floats) -> Floats:
    total, step = _buffers(a, b)
    size = np.zeros_like(total)
    for target in range(len(a)):
        np.subtract(a[target], b[target], out=step)
        np.abs(step, out=step)
        total += step
        np.add(a[target], b[target], out=step)
        size += step
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(total, size, out=total)


def _bray_curtis_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    return _bray_curtis(np.where(both, a, 0.0), np.where(both, b, 0.0))


# -- where pairs that meet a threshold are found -------------------------------------------

# Room for the rounding of a score, far above it (targets x 1e-16) and far below any use.
_ROUNDING = 1e-12


def _directions(ready: Floats) -> Floats:
    """Return unit vectors: what correlations and angles compare."""
    return np.asarray(ready[:-1] / np.sqrt(ready[-1]))


def _chord(value: float) -> float:
    """Return the distance of two unit vectors with this cosine."""
    return float(np.sqrt(2.0 * max(0.0, 1.0 - value) + _ROUNDING))


def _chord_of_square(value: float) -> float:
    return _chord(float(np.sqrt(max(0.0, value - _ROUNDING))))


def _itself(ready: Floats) -> Floats:
    return ready


def _with_room(value: float) -> float:
    return value * (1.0 + _ROUNDING)


def _gap(low_a: Floats, high_a: Floats, low_b: Floats, high_b: Floats) -> Floats:
    """Return how far two intervals are apart; zero where they meet."""
    return np.maximum(np.maximum(low_b - high_a, low_a - high_b), 0.0)


def _largest(low: Floats, high: Floats) -> Floats:
    return np.maximum(np.abs(low), np.abs(high))


def _manhattan_bound(low_a: Floats, high_a: Floats, low_b: Floats, high_b: Floats) -> Floats:
    return np.asarray(_gap(low_a, high_a, low_b, high_b).sum(axis=0))


def _canberra_bound(low_a: Floats, high_a: Floats, low_b: Floats, high_b: Floats) -> Floats:
    # |a - b| / (|a| + |b|) is least where both are largest in size, at the given gap.
    gap = _gap(low_a, high_a, low_b, high_b)
    size = _largest(low_a, high_a) + _largest(low_b, high_b)
    return np.asarray((gap / _not_zero(size)).sum(axis=0))


def _bray_curtis_bound(low_a: Floats, high_a: Floats, low_b: Floats, high_b: Floats) -> Floats:
    gap = _gap(low_a, high_a, low_b, high_b).sum(axis=0)
    return np.asarray(gap / _not_zero((high_a + high_b).sum(axis=0)))


def _error_of_sum(p: int) -> float:
    """Return how far a sum of p terms in single precision is off, as a share, with room."""
    return 4.0 * (p + 8) * float(np.finfo(np.float32).eps)


_CORRELATED = EuclideanSpace(_directions, _chord)

# Correlation over the targets; undefined where a profile is constant.
PEARSON = Kernel(_dot_ratio, _pearson_masked, ready=_centred, prepare=_scaled, space=_CORRELATED)
# The same of the ranks.
SPEARMAN = Kernel(_dot_ratio, _spearman_masked, ready=_ranked, prepare=_scaled, space=_CORRELATED)
# Cosine of the angle between the profiles; undefined where one is all zero.
COSINE = Kernel(_dot_ratio, _cosine_masked, ready=_with_squares, prepare=_scaled, space=_CORRELATED)
SQUARED_COSINE = Kernel(
    _squared_cosine,
    _squared_cosine_masked,
    ready=_with_squares,
    prepare=_scaled,
    space=EuclideanSpace(_directions, _chord_of_square, opposite=True),
)
EUCLIDEAN = Kernel(_euclidean, _euclidean_masked, space=EuclideanSpace(_itself, _with_room))
MANHATTAN = Kernel(
    _manhattan,
    _manhattan_masked,
    space=TermSpace(_manhattan_bound, _error_of_sum, absolute=True),
)
CANBERRA_ZERO = Kernel(
    _canberra_zero, _canberra_zero_masked, space=TermSpace(_canberra_bound, _error_of_sum)
)
CANBERRA_DROPPING = Kernel(
    _canberra_dropping, _canberra_dropping_masked, space=TermSpace(_canberra_bound, _error_of_sum)
)
BRAY_CURTIS = Kernel(
    _bray_curtis, _bray_curtis_masked, space=TermSpace(_bray_curtis_bound, _error_of_sum)
)
