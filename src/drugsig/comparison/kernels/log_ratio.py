"""The distance of compositions: Euclid of the logarithms less their mean.

J. Aitchison, The Statistical Analysis of Compositional Data (1986), section 8.3.
"""

from __future__ import annotations

import numpy as np

from drugsig.comparison.kernels.differences import euclidean, itself
from drugsig.comparison.kernels.kernel import Kernel
from drugsig.comparison.kernels.summing import Floats, Mask, rescaled, total_size, used, with_room
from drugsig.comparison.spaces import EuclideanSpace

__all__ = ["AITCHISON"]


def _logarithms(x: Floats) -> Floats:
    """Return logarithms, NaN for what has none.

    Of one contiguous array: numpy may round the logarithm of strided values differently.
    """
    values = np.ascontiguousarray(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values)
    logs[~(values > 0.0)] = np.nan
    return np.asarray(logs, dtype=np.float64)


def _centred(logs: Floats) -> Floats:
    total = np.zeros(logs.shape[1:])
    for row in logs:
        total += row
    return np.asarray(logs - total / len(logs))


def _centred_masked(logs: Floats, both: Mask, count: Floats) -> Floats:
    total = np.zeros(both.shape[1:])
    for target in range(len(logs)):
        total += np.where(both[target], logs[target], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(both, logs - total / count, 0.0)


def _aitchison_masked(a: Floats, b: Floats, both: Mask) -> Floats:
    count = used(both)
    first, second = _centred_masked(a, both, count), _centred_masked(b, both, count)
    total = np.zeros(both.shape[1:])
    for target in range(len(first)):
        difference = first[target] - second[target]
        total += difference * difference
    return np.asarray(np.sqrt(rescaled(total, both)))


def _log_size(logs: Floats) -> Floats:
    """Return the sizes of logarithms: one more a target, since a share of a value is added there.

    A profile that holds nothing a metric can use has any.
    """
    return np.asarray(total_size(logs) + (~np.isnan(logs)).sum(axis=0))


def _error_of_logarithms(p: int) -> float:
    return 5.0 * p + 16.0


# Undefined where a value is not above zero: a composition with a zero part has no logarithm.
AITCHISON = Kernel(
    euclidean,
    _aitchison_masked,
    transform=_centred,
    prepare=_logarithms,
    space=EuclideanSpace(itself, with_room),
    size=_log_size,
    size_words="sum (2 + |log a| + |log b|)",
    error=_error_of_logarithms,
)
