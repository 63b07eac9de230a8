"""Log likelihood ratios of pairs of items, on bare arrays in whitened coordinates.

Log densities of means of replicates under the population, on whitened coordinates.

In these coordinates replicates have unit variance around their source, and source means have
variance d_j in direction j (normal density) or k_j = h^2 d_j around each measured mean (kernel).
The factor (2 pi)^(-r/2) cancels from every likelihood ratio and is left out throughout.

The log likelihood ratio of many pairs of items at once, on whitened coordinates.

With means x and y of n_x and n_y replicates, y* = (n_x x + n_y y) / (n_x + n_y) and the population
density f_v of a mean with sampling variance v,

    LR = N(x - y; 0, 1/n_x + 1/n_y) f_{1/(n_x + n_y)}(y*) / (f_{1/n_x}(x) f_{1/n_y}(y)).

For a kernel density each item needs its own density once, and a pair one density at the pooled
mean. For a normal density around zero with variance d_j in direction j all of it comes down, with
n = n_x + n_y, to

    2 ln LR = sum_j  ln((n_x d_j + 1)(n_y d_j + 1) / (n d_j + 1))
                     + n_x n_y d_j / (n d_j + 1) [x_j^2 / (n_x d_j + 1) + y_j^2 / (n_y d_j + 1)]
                     - n_x n_y d_j / (n d_j + 1) (x_j - y_j)^2,

where nothing cancels: one number for each item, and one squared distance for the pair.

Items that hold a gross error: a share of them, mistyped or mixed up, bounds what an LR can say.

The two-level model is normal within sources, so one mistyped value makes two profiles of one
source differ by a hundred standard deviations and the log10 LR fall to -1000. No laboratory makes
fewer than one mistake in 10^1000 items. The mixture here says so: with probability e an item is in
error, and its values then come from a wide density g that knows no source (a multivariate
Cauchy density around the mean of the population, with its total covariance). Then

    LR' = (LR + q) / (1 + q),    1 + q = (1 + o_x) (1 + o_y),    o_x = e g(x) / ((1 - e) f(x)),

where f is the density of an item without error and o_x the odds that item x is in error. The
LR moves towards 1, the more the less either item looks like the population, and it does not fall
q / (1 + q), about 2 e for ordinary items. A contaminated density is the classical model of gross
errors (Tukey 1960); that the probability of an error bounds an LR was shown for DNA by Thompson,
Taroni and Aitken (J. Forensic Sci. 48 (2003) 47).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["error_log_odds", "item_log_densities", "kernel_log_lr", "normal_log_lr", "with_errors"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Places = NDArray[np.intp]

# Multiplications in one matrix product of the kernel model. Larger ones are shared out to threads
# by the linear algebra library, which for a product as thin as this costs more than it saves, and
# their result leaves the cache.
_MULTIPLICATIONS = 262_144

# Squared distance from the middle, in kernel widths, above which distances are formed one by one:
# as |a|^2 - 2 a b + |b|^2 they would lose too many digits.
_FAR = 1e6

# Pairs handled at once: the columns at work stay in the cache.
_PAIRS = 8192

# With fewer different numbers of replicates a combination of two fits 16 bits, and a stable sort
# of such numbers is a fast radix sort.
_FEW_KINDS = 256


def _normal_log_density(coordinates: Floats, variances: Floats, /) -> Floats:
    """Return the log density of normal values around zero, shape (k,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        Values.
    variances : ndarray of float64, shape (r,)
        Their variances.
    """
    total = np.zeros(len(coordinates))
    for j, variance in enumerate(variances):
        total += coordinates[:, j] ** 2 / variance
    return np.asarray(-0.5 * (total + np.log(variances).sum()))


def _kernel_log_density(coordinates: Floats, variances: Floats, centres: Floats, /) -> Floats:
    """Return the log of the mean of normal densities around the centres, shape (k,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        Values.
    variances : ndarray of float64, shape (r,)
        Of a value around its centre.
    centres : ndarray of float64, shape (m, r)
        The centres.
    """
    scale = 1.0 / np.sqrt(variances)
    points, middles = coordinates * scale, centres * scale
    out = np.empty(len(points))
    squared = np.einsum("ij,ij->i", points, points)
    far = squared > _FAR
    rows = max(1, _MULTIPLICATIONS // (len(middles) * (points.shape[1] + 1)))
    exponents = np.empty((rows, len(middles)))
    # One more column carries the part of the squared distance that belongs to the centre.
    weights = np.vstack([middles.T, -0.5 * np.einsum("ij,ij->i", middles, middles)])
    extended = np.hstack([points, np.ones((len(points), 1))])
    near = np.flatnonzero(~far)
    for start in range(0, len(near), rows):
        block = near[start : start + rows]
        own = exponents[: len(block)]
        np.matmul(extended[block], weights, out=own)
        out[block] = _log_sum(own) - 0.5 * squared[block]
    for place in np.flatnonzero(far):
        own = exponents[:1]
        own[0] = -0.5 * ((points[place] - middles) ** 2).sum(axis=1)
        out[place] = _log_sum(own)[0]
    out -= np.log(len(middles)) + 0.5 * np.log(variances).sum()
    return out


def item_log_densities(
    coordinates: Floats,
    counts: NDArray[np.int64],
    ratios: Floats,
    centres: Floats | None,
    /,
) -> Floats:
    """Return the log density of each item under the population, shape (k,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        The means of the items.
    counts : ndarray of int64, shape (k,)
        Their replicates.
    ratios : ndarray of float64, shape (r,)
        The variance of a source mean around its centre.
    centres : ndarray of float64, shape (m, r), or None
        The centres of the kernel; None for one normal density around zero.
    """
    out = np.empty(len(coordinates))
    for n in np.unique(counts):
        own, variances = np.flatnonzero(counts == n), ratios + 1.0 / n
        if centres is None:
            out[own] = _normal_log_density(coordinates[own], variances)
        else:
            out[own] = _kernel_log_density(coordinates[own], variances, centres)
    return out


def _log_sum(exponents: Floats) -> Floats:
    """Return the logarithm of the sum of exponentials of each row; the rows are used up."""
    highest = exponents.max(axis=1)
    exponents -= highest[:, None]
    np.exp(exponents, out=exponents)
    return np.asarray(np.log(exponents.sum(axis=1)) + highest)


def normal_log_lr(
    coordinates: Floats, counts: Counts, first: Places, second: Places, ratios: Floats, /
) -> Floats:
    """Return the natural log LR of every pair for a normal density, shape (n_pairs,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        The means of the items, around the mean of the population.
    counts : ndarray of int64, shape (k,)
        Their replicates.
    first, second : ndarray of int, shape (n_pairs,)
        The items of each pair.
    ratios : ndarray of float64, shape (r,)
        The variance d of source means.
    """
    out = np.empty(len(first))
    work = np.empty((4, min(_PAIRS, len(first))))
    for places, n_x, n_y in _by_counts(counts, first, second):
        pooled = (n_x + n_y) * ratios + 1.0
        weights = n_x * n_y * ratios / pooled
        constant = 0.5 * float(
            (np.log1p(n_x * ratios) + np.log1p(n_y * ratios) - np.log(pooled)).sum()
        )
        # The roots of the weights are taken into the coordinates: a pair then costs a distance.
        columns = np.ascontiguousarray((coordinates * np.sqrt(0.5 * weights)).T)
        of_x = _weighted_squares(columns, counts == n_x, n_x * ratios + 1.0)
        of_y = of_x if n_x == n_y else _weighted_squares(columns, counts == n_y, n_y * ratios + 1.0)
        for block in _blocks(places, len(first)):
            a, b = first[block], second[block]
            total, apart, x, y = work[:, : len(a)]
            _take(of_x, a, x)
            _take(of_y, b, y)
            np.add(x, y, out=total)
            total += constant
            apart[:] = 0.0
            for column in columns:
                _take(column, a, x)
                _take(column, b, y)
                x -= y
                x *= x
                apart += x
            total -= apart
            out[block] = total
    return out


def kernel_log_lr(
    coordinates: Floats,
    counts: Counts,
    first: Places,
    second: Places,
    ratios: Floats,
    centres: Floats,
    densities: Floats,
    /,
) -> Floats:
    """Return the natural log LR of every pair for a kernel density, shape (n_pairs,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        The means of the items.
    counts : ndarray of int64, shape (k,)
        Their replicates.
    first, second : ndarray of int, shape (n_pairs,)
        The items of each pair.
    ratios : ndarray of float64, shape (r,)
        The variance of the kernel.
    centres : ndarray of float64, shape (m, r)
        Its centres.
    densities : ndarray of float64, shape (k,)
        Of the items, from `item_log_densities`.
    """
    out = np.empty(len(first))
    for places, n_x, n_y in _by_counts(counts, first, second):
        variance = 1.0 / n_x + 1.0 / n_y
        pooled = ratios + 1.0 / (n_x + n_y)
        constant = 0.5 * len(ratios) * float(np.log(variance))
        for block in _blocks(places, len(first)):
            a, b = first[block], second[block]
            x, y = coordinates[a], coordinates[b]
            joint = _kernel_log_density((n_x * x + n_y * y) / (n_x + n_y), pooled, centres)
            apart = np.einsum("ij,ij->i", x - y, x - y) / (2.0 * variance)
            # The densities are added first, so that swapping the items changes no bit.
            out[block] = joint - apart - constant - (densities[a] + densities[b])
    return out


def _weighted_squares(columns: Floats, own: NDArray[np.bool_], variances: Floats) -> Floats:
    """Return the number that belongs to each item; zero for those of other counts."""
    out = np.zeros(columns.shape[1])
    for column, variance in zip(columns, variances, strict=True):
        out[own] += column[own] ** 2 / variance
    return out


def _take(column: Floats, places: Places, out: Floats) -> None:
    # The places were checked; "clip" only spares a second check and a buffer.
    column.take(places, out=out, mode="clip")


def _by_counts(
    counts: Counts, first: Places, second: Places
) -> Iterator[tuple[Places | None, int, int]]:
    """Yield the pairs of each combination of numbers of replicates; None stands for all pairs."""
    kinds, code = np.unique(counts, return_inverse=True)
    if len(kinds) == 1:
        yield None, int(kinds[0]), int(kinds[0])
        return
    size = np.uint16 if len(kinds) < _FEW_KINDS else np.int64
    row, column = (code * len(kinds)).astype(size), code.astype(size)
    both = np.add(row[first], column[second])
    order = np.argsort(both, kind="stable")
    sizes = np.bincount(both, minlength=len(kinds) ** 2)
    ends = np.cumsum(sizes)
    for combination in np.flatnonzero(sizes):
        i, j = divmod(int(combination), len(kinds))
        places = order[ends[combination] - sizes[combination] : ends[combination]]
        yield places, int(kinds[i]), int(kinds[j])


def _blocks(places: Places | None, n_pairs: int) -> Iterator[Places | slice]:
    for start in range(0, n_pairs if places is None else len(places), _PAIRS):
        yield slice(start, start + _PAIRS) if places is None else places[start : start + _PAIRS]


def error_log_odds(
    coordinates: Floats, densities: Floats, variances: Floats, error_share: float, /
) -> Floats:
    """Return the log odds that an item is in error, shape (k,).

    Parameters
    ----------
    coordinates : ndarray of float64, shape (k, r)
        The means of the items, whitened, around the mean of the population.
    densities : ndarray of float64, shape (k,)
        Their log densities without error, without the factor (2 pi)^(-r/2).
    variances : ndarray of float64, shape (r,)
        The total variance of one profile in each direction.
    error_share : float
        The share of items in error, above 0.
    """
    r = len(variances)
    distance = np.zeros(len(coordinates))
    for j, variance in enumerate(variances):
        distance += coordinates[:, j] ** 2 / variance
    half = (1.0 + r) / 2.0
    # The Cauchy density's own constants, with (2 pi)^(r/2) for the one that the other left out.
    constant = math.lgamma(half) - math.lgamma(0.5) + r / 2.0 * math.log(2.0)
    wide = constant - 0.5 * float(np.log(variances).sum()) - half * np.log1p(distance)
    return np.asarray(math.log(error_share) - math.log1p(-error_share) + wide - densities)


def with_errors(log_lr: Floats, log_odds: Floats, first: Places, second: Places, /) -> Floats:
    """Return the log LR of the mixture, shape (n_pairs,).

    Parameters
    ----------
    log_lr : ndarray of float64, shape (n_pairs,)
        Natural log LRs without error.
    log_odds : ndarray of float64, shape (k,)
        From `error_log_odds`.
    first, second : ndarray of int, shape (n_pairs,)
        The items of each pair.
    """
    odds_a, odds_b = log_odds[first], log_odds[second]
    log_q = np.logaddexp(np.logaddexp(odds_a, odds_b), odds_a + odds_b)
    return np.asarray(np.logaddexp(log_lr, log_q) - np.logaddexp(0.0, log_q))
