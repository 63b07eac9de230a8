"""What matrix products say of profiles with gaps, so that few pairs of them need be scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison import kernels
from drugsig.comparison.metrics import Metric

__all__ = ["GapProducts"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Sums over the targets measured in both lose digits where they nearly cancel. Where less than this
# share of a sum of squares is left after centring, or less than this of the largest value, which is
# about 1, the definition is asked.
_LEFT = 1e-6
_LEAST_SQUARES = 1e-20

# How far a correlation or cosine by products may be off. Sums of p products are off by p u of their
# size, u = 1e-16, which is at most 1e6 times as much of what centring leaves: 3e-8 for 300 targets.
_MARGIN = 1e-6


def _itself(values: Floats) -> Floats:
    return values


# The second form of a kernel, whether it centres, and its value from the correlation or cosine.
_FORMS: tuple[tuple[Callable[..., object], bool, Callable[[Floats], Floats]], ...] = (
    (kernels.PEARSON.masked, True, _itself),
    (kernels.COSINE.masked, False, _itself),
    (kernels.SQUARED_COSINE.masked, False, np.square),
)


@dataclass(frozen=True, eq=False)
class GapProducts:
    """Tells which pairs of profiles with gaps can be links.

    Parameters
    ----------
    centred : bool
        Whether profiles are centred on the targets that are used.
    value : callable
        From the correlation or cosine to the kernel's value.
    limit : float
        The kernel's value of a link.
    least : int
        The least number of targets measured in both.
    """

    centred: bool
    value: Callable[[Floats], Floats]
    limit: float
    least: int

    @classmethod
    def of(cls, metric: Metric, threshold: float, least: int, /) -> GapProducts | None:
        """Return the products for a metric, or None where its scores do not follow from any.

        Parameters
        ----------
        metric : Metric
            The definition of the score.
        threshold : float
            In its convention.
        least : int
            The least number of targets measured in both.
        """
        form = next((f for f in _FORMS if f[0] is metric.kernel.masked), None)
        if form is None:
            return None
        return cls(form[1], form[2], float(metric.revert(threshold)), least)

    def sift(
        self, values_a: Floats, measured_a: Mask, values_b: Floats, measured_b: Mask, /
    ) -> tuple[Mask, Mask]:
        """Say which pairs have to be scored, and which have too few targets for a score.

        Parameters
        ----------
        values_a, values_b : ndarray of float64, shape (p, n) and (p, m)
            Prepared profiles of both sides, the largest value of each about 1.
        measured_a, measured_b : ndarray of bool, of the same shapes
            Which cells were measured.

        Returns
        -------
        possible, short : ndarray of bool, shape (n, m)
            All others have a score, and are no links.
        """
        a, b = np.where(measured_a, values_a, 0.0), np.where(measured_b, values_b, 0.0)
        used_a, used_b = measured_a.astype(np.float64), measured_b.astype(np.float64)
        count = used_a.T @ used_b
        total = a.T @ b
        squares_a, squares_b = (a * a).T @ used_b, used_a.T @ (b * b)
        sure = (squares_a > _LEAST_SQUARES) & (squares_b > _LEAST_SQUARES)
        if self.centred:
            sum_a, sum_b = a.T @ used_b, used_a.T @ b
            total = count * total - sum_a * sum_b
            left_a, left_b = count * squares_a - sum_a**2, count * squares_b - sum_b**2
            sure &= (left_a > _LEFT * count * squares_a) & (left_b > _LEFT * count * squares_b)
            squares_a, squares_b = left_a, left_b
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.value(total / np.sqrt(squares_a * squares_b))
        short = count < self.least
        return ~short & ~(sure & (found < self.limit - _MARGIN)), short
