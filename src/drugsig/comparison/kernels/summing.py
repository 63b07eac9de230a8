"""Sums over targets, one target after the other: what every kernel is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ROUNDING",
    "SLACK",
    "Floats",
    "Mask",
    "buffers",
    "dot",
    "dot_ratio",
    "error_of_sum",
    "kept",
    "not_zero",
    "ratio",
    "rescaled",
    "scaled",
    "squares",
    "total_size",
    "unscaled",
    "used",
    "with_room",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# What tells two numbers apart, as a share of their size: above all rounding, below all meaning.
SLACK = 1e-12

# Room for the rounding of a score, far above it (targets x 1e-16) and far below any use.
ROUNDING = 1e-12

# Squares of smaller differences vanish: profiles so far apart may score as if they were one.
UNDERFLOW = 1e-150

# Up to here a power of two and its inverse are both plain numbers.
_PLAIN_EXPONENT = 1000


def not_zero(divisor: Floats) -> Floats:
    """Put the smallest positive number for 0 in a divisor whose numerator is 0 as well."""
    return np.maximum(divisor, np.finfo(divisor.dtype).smallest_subnormal, out=divisor)


def scaled(x: Floats) -> Floats:
    """Divide every profile by the power of two above its largest value, which is exact.

    Keeps sums of squares away from overflow and underflow for metrics that do not depend on
    the scale of a profile.
    """
    largest = np.zeros(x.shape[1:])
    for row in x:
        np.fmax(largest, np.abs(row), out=largest)
    _, exponent = np.frexp(largest)
    if np.abs(exponent).max(initial=0) > _PLAIN_EXPONENT:
        return np.asarray(np.ldexp(x, -exponent), dtype=np.float64)
    # The same numbers, and several times faster.
    return np.asarray(x * np.ldexp(1.0, -exponent), dtype=np.float64)


def unscaled(x: Floats) -> Floats:
    """Return profiles as they are."""
    return x


def total_size(x: Floats) -> Floats:
    """Return the sum of the sizes of what was measured of every profile."""
    total = np.zeros(x.shape[1:])
    for row in x:
        total += np.where(np.isnan(row), 0.0, np.abs(row))
    return total


def buffers(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return zeros to sum into, and room for one target."""
    shape = np.broadcast_shapes(a.shape[1:], b.shape[1:])
    # Single precision only where the search proposes pairs; a score is always float64.
    kind = np.result_type(a, b)
    return np.zeros(shape, kind), np.empty(shape, kind)


def kept(x: Floats, both: Mask, target: int) -> Floats:
    """Return one target, zero where it is not used."""
    return np.where(both[target], x[target], 0.0)


def dot(a: Floats, b: Floats, p: int) -> tuple[Floats, Floats]:
    """Return the sum of a*b over the first p rows, and the room it used."""
    total, step = buffers(a, b)
    for target in range(p):
        np.multiply(a[target], b[target], out=step)
        total += step
    return total, step


def squares(x: Floats) -> Floats:
    """Return the sum of squares of every profile."""
    total = np.zeros(x.shape[1:])
    for column in x:
        total += column * column
    return total


def used(both: Mask) -> Floats:
    """Return how many targets are used."""
    count = np.zeros(both.shape[1:])
    for target in both:
        count += target
    return count


def rescaled(total: Floats, both: Mask) -> Floats:
    """Scale a sum over the targets used up to all targets, as R's ``dist`` does."""
    count = used(both)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count > 0, total * (len(both) / count), np.nan)


def ratio(total: Floats, aa: Floats, bb: Floats, room: Floats) -> Floats:
    """Return ``total / sqrt(aa * bb)``, kept within -1 and 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        np.multiply(aa, bb, out=room)
        np.sqrt(room, out=room)
        np.divide(total, room, out=total)
    return np.clip(total, -1.0, 1.0, out=total)


def dot_ratio(a: Floats, b: Floats) -> Floats:
    """Return the ratio for transformed profiles, whose last row is their sum of squares."""
    total, room = dot(a, b, len(a) - 1)
    return ratio(total, a[-1], b[-1], room)


def with_room(value: float) -> float:
    """Return a distance with room for the rounding of a score."""
    return value * (1.0 + ROUNDING) + UNDERFLOW


def error_of_sum(p: int) -> float:
    """Return how far a sum of p terms in single precision is off, as a share, with room."""
    return 4.0 * (p + 8) * float(np.finfo(np.float32).eps)
