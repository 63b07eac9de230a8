"""Sums of differences between two profiles, one term a target."""

from __future__ import annotations

import numpy as np

from drugsig.comparison.kernels.kernel import Kernel
from drugsig.comparison.kernels.summing import (
    Floats,
    Mask,
    buffers,
    error_of_sum,
    kept,
    not_zero,
    rescaled,
    with_room,
)
from drugsig.comparison.spaces import EuclideanSpace, TermSpace

__all__ = [
    "BRAY_CURTIS",
    "CANBERRA_DROPPING",
    "CANBERRA_ZERO",
    "EUCLIDEAN",
    "MANHATTAN",
    "euclidean",
    "itself",
]


def euclidean(a: Floats, b: Floats) -> Floats:
    """Return the Euclidean distance of transformed profiles."""
    total, step = buffers(a, b)
    for target in range(len(a)):
        np.subtract(a[target], b[target], out=step)
        np.multiply(step, step, out=step)
        total += step
    return np.sqrt(total, out=total)


def _euclidean_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    total = np.zeros(both.shape[1:])
    for target in range(len(a)):
        difference = kept(a, both, target) - kept(b, both, target)
        total += difference * difference
    return np.asarray(np.sqrt(rescaled(total, both)))


def _manhattan(a: Floats, b: Floats) -> Floats:
    total, step = buffers(a, b)
    for target in range(len(a)):
        np.subtract(a[target], b[target], out=step)
        np.abs(step, out=step)
        total += step
    return total


def _manhattan_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    total = np.zeros(both.shape[1:])
    for target in range(len(a)):
        total += np.abs(kept(a, both, target) - kept(b, both, target))
    return rescaled(total, both)


def _canberra_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the sum of the terms that have a value, and how many have."""
    total, step = buffers(a, b)
    count, size = np.zeros_like(total), np.empty_like(total)
    for target in range(len(a)):
        np.add(np.abs(a[target]), np.abs(b[target]), out=size)
        count += size > 0.0
        not_zero(size)
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
    return rescaled(total, both)


def _canberra_dropping(a: Floats, b: Floats) -> Floats:
    """Only targets present in either count, scaled up to all (R's rule)."""
    return _dropped(*_canberra_sum(a, b), len(a))


def _canberra_dropping_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    return _canberra_dropping(np.where(both, a, 0.0), np.where(both, b, 0.0))


def _bray_curtis(a: Floats, b: Floats) -> Floats:
    total, step = buffers(a, b)
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


def itself(transformed: Floats) -> Floats:
    """Return transformed profiles as their own coordinates."""
    return transformed


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
    return np.asarray((gap / not_zero(size)).sum(axis=0))


def _bray_curtis_bound(low_a: Floats, high_a: Floats, low_b: Floats, high_b: Floats) -> Floats:
    gap = _gap(low_a, high_a, low_b, high_b).sum(axis=0)
    return np.asarray(gap / not_zero((high_a + high_b).sum(axis=0)))


def _target_size(x: Floats) -> Floats:
    """Return the size of sums of ratios: one a target, half of it for each profile."""
    return np.full(x.shape[1:], len(x) / 2.0)


def _error_of_differences(p: int) -> float:
    return 2.0 * p + 8.0


def _error_of_ratios(p: int) -> float:
    return 3.0 * p + 13.0


def _error_of_quotient(p: int) -> float:
    return 4.0 * p + 10.0


_RATIOS = "a target's values are zero, or right to a share of their own size"

EUCLIDEAN = Kernel(
    euclidean,
    _euclidean_masked,
    space=EuclideanSpace(itself, with_room),
    error=_error_of_differences,
)
MANHATTAN = Kernel(
    _manhattan,
    _manhattan_masked,
    space=TermSpace(_manhattan_bound, error_of_sum, absolute=True),
    error=_error_of_differences,
)
CANBERRA_ZERO = Kernel(
    _canberra_zero,
    _canberra_zero_masked,
    space=TermSpace(_canberra_bound, error_of_sum),
    size=_target_size,
    size_words="p",
    error=_error_of_ratios,
    condition=_RATIOS,
)
CANBERRA_DROPPING = Kernel(
    _canberra_dropping,
    _canberra_dropping_masked,
    space=TermSpace(_canberra_bound, error_of_sum),
    size=_target_size,
    size_words="p",
    error=_error_of_ratios,
    condition=_RATIOS,
)
BRAY_CURTIS = Kernel(
    _bray_curtis,
    _bray_curtis_masked,
    space=TermSpace(_bray_curtis_bound, error_of_sum),
    error=_error_of_quotient,
)
