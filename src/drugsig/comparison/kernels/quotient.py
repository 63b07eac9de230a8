"""Target by target: how large the smaller value is of the larger, and which peaks both have."""

from __future__ import annotations

import numpy as np

from drugsig.comparison.kernels.kernel import Kernel
from drugsig.comparison.kernels.summing import (
    SLACK,
    Floats,
    Mask,
    buffers,
    not_zero,
    total_size,
)

__all__ = ["PEAKS_IN_COMMON", "QUOTIENT"]


def _quotient(a: Floats, b: Floats) -> Floats:
    total, step = buffers(a, b)
    count, size = np.zeros_like(total), np.empty_like(total)
    for target in range(len(a)):
        np.maximum(a[target], b[target], out=size)
        np.minimum(a[target], b[target], out=step)
        count += size > 0.0
        np.divide(step, not_zero(size), out=step)
        total += step
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(total, count, out=total)


def _quotient_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    # What was not measured in both becomes a target that both lack, and is left out as such.
    return _quotient(np.where(both, a, 0.0), np.where(both, b, 0.0))


def _present(x: Floats) -> Floats:
    """Return profiles in which what is zero but for rounding is zero."""
    return np.where(np.abs(x) <= SLACK * total_size(x), 0.0, x)


def _peaks_in_common(a: Floats, b: Floats) -> Floats:
    shared, step = buffers(a, b)
    either = np.zeros_like(shared)
    for target in range(len(a)):
        in_a, in_b = a[target] > 0.0, b[target] > 0.0
        shared += in_a & in_b
        either += in_a | in_b
        # A comparison with NaN is false, and a profile that is not transformed has no score.
        np.multiply(a[target], 0.0 * b[target], out=step)
        shared += step
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(shared, either, out=shared)


def _peaks_in_common_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    return _peaks_in_common(np.where(both, a, 0.0), np.where(both, b, 0.0))


def _error_of_quotients(p: int) -> float:
    return 3.0 * p + 11.0


def _error_of_count(p: int) -> float:
    return 1.0


# The mean of smaller / larger over the targets that either has; undefined where neither has one.
QUOTIENT = Kernel(_quotient, _quotient_masked, error=_error_of_quotients)
# Peaks in both / peaks in either (the index of Jaccard); undefined where neither has one.
PEAKS_IN_COMMON = Kernel(
    _peaks_in_common, _peaks_in_common_masked, prepare=_present, error=_error_of_count
)
