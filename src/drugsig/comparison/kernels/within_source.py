"""Differences measured against the variation within a source: kernels that carry numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig.comparison.kernels.differences import euclidean, itself
from drugsig.comparison.kernels.kernel import Kernel
from drugsig.comparison.kernels.summing import (
    SLACK,
    Floats,
    Mask,
    buffers,
    total_size,
    used,
    with_room,
)
from drugsig.comparison.spaces import EuclideanSpace

__all__ = ["Whitening", "WithinLimits", "cholesky"]


def cholesky(matrix: Floats, /) -> Floats:
    """Return the lower triangular factor of a positive definite matrix.

    Elementwise and without BLAS, whose rounding may depend on threads and on the address of an
    array: the factor of a matrix is the same in every worker.

    Parameters
    ----------
    matrix : ndarray of float64, shape (p, p)
        Symmetric. Where it is not positive definite the factor holds NaN.
    """
    left, factor = matrix.copy(), np.zeros_like(matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        for k in range(len(matrix)):
            factor[k, k] = np.sqrt(left[k, k])
            column = left[k + 1 :, k] / factor[k, k]
            factor[k + 1 :, k] = column
            left[k + 1 :, k + 1 :] -= column[:, None] * column[None, :]
    return factor


def _solve(factor: Floats, x: Floats) -> Floats:
    """Return z with ``factor @ z == x``, row by row; a profile's z depends on that profile only."""
    z = np.empty_like(x)
    for j in range(len(x)):
        row = x[j].copy()
        for k in range(j):
            row -= factor[j, k] * z[k]
        z[j] = row / factor[j, j]
    return z


@dataclass(frozen=True, eq=False)
class Whitening(FrozenArrays):
    """The distance of Mahalanobis: Euclid of profiles freed of a covariance.

    Parameters
    ----------
    covariance : ndarray of float64, shape (p, p)
        Of the variation within a source; positive definite.
    """

    covariance: Floats

    def transform(self, x: Floats) -> Floats:
        """Return profiles in coordinates in which the covariance is the identity."""
        return _solve(cholesky(self.covariance), x)

    def masked(self, a: Floats, b: Floats, both: Mask) -> Floats:
        """Return distances under the covariance of the targets measured in both.

        Pairs that miss the same targets are scored together.
        """
        p, shape = len(both), both.shape[1:]
        out = np.full(shape, np.nan).ravel()
        patterns, which = np.unique(
            np.packbits(both.reshape(p, -1), axis=0), axis=1, return_inverse=True
        )
        order = np.argsort(which.ravel(), kind="stable")
        ends = np.cumsum(np.bincount(which.ravel(), minlength=patterns.shape[1]))
        position_a, position_b = _positions(a, shape), _positions(b, shape)
        flat_a, flat_b = a.reshape(p, -1), b.reshape(p, -1)
        for pattern, cells in zip(patterns.T, np.split(order, ends[:-1]), strict=True):
            targets = np.unpackbits(pattern, count=p).astype(bool)
            size = int(targets.sum())
            if not size:
                continue
            factor = cholesky(self.covariance[np.ix_(targets, targets)])
            first = _solved(factor, flat_a[targets], position_a[cells])
            second = _solved(factor, flat_b[targets], position_b[cells])
            total = np.zeros(len(cells))
            for one, other in zip(first, second, strict=True):
                difference = one - other
                total += difference * difference
            out[cells] = np.sqrt(total * (p / size))
        return out.reshape(shape)

    def size(self, x: Floats) -> Floats:
        """Return the sizes of profiles in these coordinates, what was not measured taken as 0.

        Whatever it is taken as, a profile is no shorter so than by the covariance of the targets
        that were measured.
        """
        return total_size(self.transform(np.where(np.isnan(x), 0.0, x)))

    def kernel(self) -> Kernel:
        """Return the kernel of this covariance."""
        return Kernel(
            euclidean,
            self.masked,
            transform=self.transform,
            space=EuclideanSpace(itself, with_room),
            size=self.size,
            size_words="sum (|a| + |b|) in coordinates in which W is the identity",
            error=_error_of_whitening,
            condition="times the condition number of W",
        )


def _error_of_whitening(p: int) -> float:
    return 6.0 * p + 16.0


def _positions(x: Floats, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Return which profile of `x` stands at every position of the pairs."""
    own = x.shape[1:]
    return np.broadcast_to(np.arange(int(np.prod(own)), dtype=np.intp).reshape(own), shape).ravel()


def _solved(factor: Floats, x: Floats, positions: NDArray[np.intp]) -> Floats:
    profiles, again = np.unique(positions, return_inverse=True)
    return np.asarray(_solve(factor, x[:, profiles])[:, again.ravel()])


@dataclass(frozen=True, eq=False)
class WithinLimits(FrozenArrays):
    """The share of targets whose difference stays within a limit of their own.

    Parameters
    ----------
    limits : ndarray of float64, shape (p,)
        The largest difference that counts as agreement; a difference equal to it agrees, and one
        that exceeds it by no more than 1e-12 of the two values is equal to it.
    """

    limits: Floats

    def transform(self, x: Floats) -> Floats:
        """Return what values are at least, and below that what they are at most."""
        return np.concatenate(_ends(x))

    def complete(self, a: Floats, b: Floats) -> Floats:
        """Return the share over all targets."""
        p = len(self.limits)
        total, step = buffers(a, b)
        other = np.empty_like(step)
        for target in range(p):
            np.subtract(a[target], b[p + target], out=step)
            np.subtract(b[target], a[p + target], out=other)
            np.maximum(step, other, out=step)
            total += step <= self.limits[target]
            # A comparison with NaN is false, and a profile that is not transformed has no score.
            np.multiply(step, 0.0, out=step)
            total += step
        return np.divide(total, p, out=total)

    def masked(self, a: Floats, b: Floats, both: Mask) -> Floats:
        """Return the share over the targets measured in both."""
        total = np.zeros(both.shape[1:])
        (low_a, high_a), (low_b, high_b) = _ends(a), _ends(b)
        for target, limit in enumerate(self.limits):
            apart = np.maximum(low_a[target] - high_b[target], low_b[target] - high_a[target])
            total += both[target] & (apart <= limit)
        count = used(both)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / count)

    def kernel(self) -> Kernel:
        """Return the kernel of these limits."""
        return Kernel(self.complete, self.masked, transform=self.transform, error=_error_of_count)


def _ends(x: Floats) -> tuple[Floats, Floats]:
    room = SLACK * np.abs(x)
    return x - room, x + room


def _error_of_count(p: int) -> float:
    return 1.0
