"""`ProductBlocks`: correlations and cosines by matrix products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison import kernels
from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import score_listed
from drugsig.comparison.score_blocks import ScoreBlocks
from drugsig.comparison.search.tree import Indices

__all__ = ["ProductBlocks"]

Scores = NDArray[Any]

# How far a distance by a matrix product may be from its definition, as a share.
_TOLERANCE = 1e-12

# Where more than this share of a block has to be scored by the definition, all of it is: picking
# pairs out costs many times what scoring neighbours does.
_PICKED_SHARE = 0.05

_NONE: Indices = np.empty(0, dtype=np.int64)

# Where the conversion of a metric is tried out.
_TRIED = np.linspace(-1.0, 0.875, 16)


def _itself(products: Scores) -> Scores:
    return products


def _squared(products: Scores) -> Scores:
    return np.multiply(products, products, out=products)


# From products of unit vectors to the values of a kernel, for kernels whose transformed profiles
# end in their sum of squares.
_OF_PRODUCTS: tuple[tuple[Callable[..., Any], Callable[[Scores], Scores], float], ...] = (
    (kernels.PEARSON.complete, _itself, -1.0),
    (kernels.SQUARED_COSINE.complete, _squared, 0.0),
)


@dataclass(frozen=True, eq=False)
class ProductBlocks:
    """Blocks of scores from products of unit vectors.

    In double precision a score stands for a distance that is within 1e-12 of the one by
    definition, as a share of it. In single precision it is as good as that is.

    Attributes
    ----------
    definition : ScoreBlocks
        Scores what products cannot tell well enough.
    units : ndarray of float64 or float32, shape (p, n)
        Profiles of length 1; NaN for those that have no score.
    value : callable
        From products to the kernel's values, in place.
    low : float
        The least value of the kernel.
    nearest : float
        Values above this are replaced by the definition; infinite in single precision.
    """

    definition: ScoreBlocks
    units: Scores
    value: Callable[[Scores], Scores]
    low: float
    nearest: float

    @classmethod
    def of(cls, definition: ScoreBlocks, /, *, single: bool) -> ProductBlocks | None:
        """Prepare products within one set, or return None where the scores do not follow from any.

        Parameters
        ----------
        definition : ScoreBlocks
            Blocks between a set and itself.
        single : bool
            Whether single precision will do.
        """
        metric, transformed = definition.metric, definition.a.transformed
        form = next((f for f in _OF_PRODUCTS if f[0] is metric.kernel.complete), None)
        if form is None or not (single or _is_share_of_way(metric)):
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            units = transformed[:-1] / np.sqrt(transformed[-1])
        # A product of p terms is off by less than (p + 4) u, u = 2^-53, the definition by less than
        # (p + 4) u, and a square by twice that; what is left of 1 is to be right to the tolerance.
        off = 4.0 * (len(units) + 4) * float(np.finfo(np.float64).eps) / 2.0
        return cls(
            definition=definition,
            units=units.astype(np.float32) if single else units,
            value=form[1],
            low=form[2],
            nearest=np.inf if single else 1.0 - off / _TOLERANCE,
        )

    def block(self, rows: slice, columns: slice, /) -> tuple[Scores, Indices, Indices]:
        """Return the scores of a block, and the pairs that the definition has yet to score.

        Parameters
        ----------
        rows, columns : slice
            Of the profiles, with a start and a stop.

        Returns
        -------
        scores : ndarray, shape (n_rows, n_columns)
            NaN for profiles with gaps; without meaning on and left of the diagonal.
        first, second : ndarray of int64, shape (n_near,)
            Pairs of profiles, the first before the second, that are too alike for products.
        """
        metric = self.definition.metric
        # Some platforms report invalid operations where a profile is NaN.
        with np.errstate(all="ignore"):
            values = self.value(self.units[:, rows].T @ self.units[:, columns])
            if self.nearest > 1.0:
                return metric.convert(np.clip(values, self.low, 1.0, out=values)), _NONE, _NONE
            # Rarely needed, and dearer than looking; the least of a block with NaN is NaN.
            if not values.min() >= self.low:
                np.maximum(values, self.low, out=values)
            # Each pair is wanted once, and no profile with itself, which would be near.
            if columns.start < rows.stop:
                ours, theirs = _numbers(rows), _numbers(columns)[: rows.stop - columns.start]
                values[:, : len(theirs)][theirs <= ours[:, None]] = self.low
            if values.max() <= self.nearest:
                return metric.convert(values), _NONE, _NONE
            positions = np.flatnonzero(values > self.nearest)
        if len(positions) > _PICKED_SHARE * values.size:
            return self.definition.whole(rows, columns), _NONE, _NONE
        first, second = np.divmod(positions, values.shape[1])
        return metric.convert(values), first + rows.start, second + columns.start

    def listed(self, first: Indices, second: Indices, /) -> Scores:
        """Return the scores of listed pairs of whole profiles by the definition."""
        profiles = self.definition.a.transformed
        return score_listed(profiles, profiles, first, second, self.definition.metric)


def _numbers(positions: slice) -> Indices:
    return np.arange(positions.start, positions.stop, dtype=np.int64)


def _is_share_of_way(metric: Metric) -> bool:
    """Say whether the distance is a multiple of what the kernel's value lacks of 1.

    Only then is the distance right wherever that is.
    """
    distances = metric.distance_of(_TRIED.copy())
    wanted = distances[-1] / (1.0 - _TRIED[-1]) * (1.0 - _TRIED)
    return bool(np.allclose(distances, wanted, rtol=_TOLERANCE, atol=0.0))
