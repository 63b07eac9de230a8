"""Where the pairs that meet a threshold can be looked for, without scoring every pair.

A kernel may say in which space its score grows with a distance. The search then proposes pairs
from that space, in single precision and with a margin, and the kernel's own definition decides
about each of them: a space that is too wide costs time, one that is too narrow would lose links.
A kernel without a space is always right: every pair is scored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["EuclideanSpace", "TermSpace"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EuclideanSpace:
    """The score follows from the Euclidean distance between coordinates.

    Parameters
    ----------
    coordinates : callable
        From transformed profiles, shape (rows, n), to coordinates, shape (d, n), in float64.
    radius : callable
        ``radius(value)``: how far apart two profiles can be whose kernel value is at least as
        alike as `value`. It must leave room for the rounding of the kernel.
    opposite : bool
        Whether a profile and the opposite of another, ``-b``, are as alike as it and ``b``.
    """

    coordinates: Callable[[Floats], Floats]
    radius: Callable[[float], float]
    opposite: bool = False


@dataclass(frozen=True)
class TermSpace:
    """The score is a sum of one term a target, which can be bounded for two boxes of profiles.

    Parameters
    ----------
    bound : callable
        ``bound(low_a, high_a, low_b, high_b)``: for boxes with these corners, shape (p, k) each,
        the least kernel value any profile in the one can have with any in the other, shape (k,).
    error : callable
        ``error(p)``: how far the kernel's value in single precision can be off, as a share of
        the larger of 1 and the value, for p targets, where no value is near the limits of single
        precision.
    absolute : bool
        Whether the value has the unit of the profiles, so that its error grows with them.
    """

    bound: Callable[[Floats, Floats, Floats, Floats], Floats]
    error: Callable[[int], float]
    absolute: bool = False

    def limit(self, value: float, p: int, /, *, scale: float) -> float:
        """Return the limit in single precision within which every pair of a kernel value is found.

        Parameters
        ----------
        value : float
            The kernel's value.
        p : int
            The number of targets.
        scale : float
            What profiles are multiplied with.
        """
        limit = value * scale if self.absolute else value
        return limit + self.limit_error(limit, p)

    def limit_error(self, limit: float, p: int, /) -> float:
        """Return how far values near a limit can be off."""
        return self.error(p) * (abs(limit) if self.absolute else max(1.0, abs(limit)))
