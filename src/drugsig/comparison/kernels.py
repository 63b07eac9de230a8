"""Scores on bare arrays: the definition of every metric, summed elementwise in target order.

A kernel takes two arrays whose last axis is the target and whose leading axes broadcast, so the
same code scores listed pairs, shapes (k, p) and (k, p), and a block of a matrix, shapes (n, 1, p)
and (1, m, p). Sums run over targets one after the other, in float64: a score does not depend on
the order of profiles, on the size of a block or on the number of workers. `both` says which
targets were measured in both profiles; None means all were.

Sums of squares are combined as ``d / sqrt(saa * sbb)``, because ``sqrt(s * s) == s`` holds
exactly in IEEE arithmetic: a profile scores exactly 1 with an identical one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = [
    "CONSTANT_TOLERANCE",
    "Kernel",
    "bray_curtis",
    "canberra_dropping",
    "canberra_zero",
    "cosine",
    "euclidean",
    "manhattan",
    "pearson",
    "scaled",
    "spearman",
    "squared_cosine",
    "unscaled",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Kernel = Callable[[Floats, Floats, "Mask | None"], Floats]

# A profile whose values differ by less than this share of the largest is constant: what is
# left after centring is rounding, and a correlation with rounding means nothing.
CONSTANT_TOLERANCE = 1e-12


def scaled(x: Floats) -> Floats:
    """Divide every row by the power of two below its largest value, which is exact.

    Keeps sums of squares away from overflow and underflow for metrics that do not depend on
    the scale of a profile.
    """
    largest = np.max(np.abs(np.where(np.isnan(x), 0.0, x)), axis=-1, keepdims=True, initial=0.0)
    _, exponent = np.frexp(largest)
    return np.asarray(np.ldexp(x, -exponent), dtype=np.float64)


def unscaled(x: Floats) -> Floats:
    """Return the rows as they are."""
    return x


def _kept(x: Floats, both: Mask | None, target: int) -> Floats:
    column = x[..., target]
    return column if both is None else np.where(both[..., target], column, 0.0)


def _n_used(a: Floats, b: Floats, both: Mask | None) -> Floats | int:
    if both is None:
        return int(a.shape[-1])
    count = np.zeros(np.broadcast_shapes(a.shape[:-1], b.shape[:-1]))
    for target in range(a.shape[-1]):
        count += both[..., target]
    return count


def _rescale(total: Floats, a: Floats, b: Floats, both: Mask | None) -> Floats:
    """Scale a sum over the targets used up to all targets, as R's ``dist`` does."""
    if both is None:
        return total
    used = _n_used(a, b, both)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(used > 0, total * (a.shape[-1] / used), np.nan)


def _centred(x: Floats, both: Mask | None, used: Floats | int) -> tuple[list[Floats], Mask]:
    """Return the columns less the mean over the targets used, and whether x is constant."""
    p = x.shape[-1]
    total: Floats | float = 0.0
    low: Floats | float = np.inf
    high: Floats | float = -np.inf
    for target in range(p):
        column = x[..., target]
        if both is None:
            total = total + column
            low, high = np.minimum(low, column), np.maximum(high, column)
        else:
            use = both[..., target]
            total = total + np.where(use, column, 0.0)
            low = np.minimum(low, np.where(use, column, np.inf))
            high = np.maximum(high, np.where(use, column, -np.inf))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / used
        largest = np.maximum(np.abs(low), np.abs(high))
        constant = ~((high - low) > CONSTANT_TOLERANCE * largest)
    columns = [
        x[..., t] - mean if both is None else np.where(both[..., t], x[..., t] - mean, 0.0)
        for t in range(p)
    ]
    return columns, np.asarray(constant)


def _products(a: list[Floats], b: list[Floats]) -> tuple[Floats, Floats, Floats]:
    """Return the sums of a*b, a*a and b*b in target order."""
    ab: Floats | float = 0.0
    aa: Floats | float = 0.0
    bb: Floats | float = 0.0
    for column_a, column_b in zip(a, b, strict=True):
        ab = ab + column_a * column_b
        aa = aa + column_a * column_a
        bb = bb + column_b * column_b
    return np.asarray(ab), np.asarray(aa), np.asarray(bb)


def pearson(a: Floats, b: Floats, both: Mask | None) -> Floats:
    """Correlation over the targets; NaN where a profile is constant."""
    used = _n_used(a, b, both)
    columns_a, constant_a = _centred(a, both, used)
    columns_b, constant_b = _centred(b, both, used)
    ab, aa, bb = _products(columns_a, columns_b)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.clip(ab / np.sqrt(aa * bb), -1.0, 1.0)
    return np.where(constant_a | constant_b, np.nan, r)


def _ranks(x: Floats, both: Mask | None) -> Floats:
    """Ranks of every row among the targets used, ties sharing their mean rank."""
    if both is None:
        return np.asarray(rankdata(x, method="average", axis=-1), dtype=np.float64)
    full = np.broadcast_to(x, both.shape)
    ranks = np.full(both.shape, 0.5)
    for target in range(full.shape[-1]):
        other = full[..., target : target + 1]
        use = both[..., target : target + 1]
        ranks += np.where(use, 1.0 * (other < full) + 0.5 * (other == full), 0.0)
    return ranks


def spearman(a: Floats, b: Floats, both: Mask | None) -> Floats:
    """Pearson correlation of the ranks."""
    return pearson(_ranks(a, both), _ranks(b, both), both)


def _cosine_products(a: Floats, b: Floats, both: Mask | None) -> tuple[Floats, Floats, Floats]:
    p = a.shape[-1]
    return _products([_kept(a, both, t) for t in range(p)], [_kept(b, both, t) for t in range(p)])


def cosine(a: Floats, b: Floats, both: Mask | None) -> Floats:
    """Cosine of the angle between the profiles; NaN where one is all zero."""
    ab, aa, bb = _cosine_products(a, b, both)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.clip(ab / np.sqrt(aa * bb), -1.0, 1.0))


def squared_cosine(a: Floats, b: Floats, both: Mask | None) -> Floats:
    """The squared cosine; NaN where one profile is all zero."""
    ab, aa, bb = _cosine_products(a, b, both)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.clip((ab * ab) / (aa * bb), 0.0, 1.0))


def euclidean(a: Floats, b: Floats, both: Mask | None) -> Floats:
    """Root of the sum of squared differences."""
    total: Floats | float = 0.0
    for target in range(a.shape[-1]):
        difference = _kept(a, both, target) - _kept(b, both, target)
        total = total + difference * difference
    return np.sqrt(_rescale(np.asarray(total), a, b, both))


def manhattan(a: Floats, b: Floats, both: Mask | None) -> Floats:
    """Sum of absolute differences."""
    total: Floats | float = 0.0
    for target in range(a.shape[-1]):
        total = total + np.abs(_kept(a, both, target) - _kept(b, both, target))
    return _rescale(np.asarray(total), a, b, both)


def _canberra(a: Floats, b: Floats, both: Mask | None) -> tuple[Floats, Floats]:
    """Return the sum of the terms that have a value, and how many have."""
    total: Floats | float = 0.0
    count: Floats | float = 0.0
    for target in range(a.shape[-1]):
        column_a, column_b = _kept(a, both, target), _kept(b, both, target)
        size = np.abs(column_a) + np.abs(column_b)
        with np.errstate(divide="ignore", invalid="ignore"):
            term = np.abs(column_a - column_b) / size
        total = total + np.where(size > 0, term, 0.0)
        count = count + np.where(size > 0, 1.0, 0.0)
    return np.asarray(total), np.asarray(count, dtype=np.float64)


def canberra_zero(a: Floats, b: Floats, both: Mask | None) -> Floats:
    """Canberra distance in which a target absent from both adds zero (scipy's rule)."""
    total, _ = _canberra(a, b, both)
    return _rescale(total, a, b, both)


def canberra_dropping(a: Floats, b: Floats, both: Mask | None) -> Floats:
    """Canberra distance over the targets present in either, scaled up to all (R's rule)."""
    total, count = _canberra(a, b, both)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count > 0, total * (a.shape[-1] / count), np.nan)


def bray_curtis(a: Floats, b: Floats, both: Mask | None) -> Floats:
    """Sum of absolute differences over the sum of all values; NaN where both are all zero."""
    difference: Floats | float = 0.0
    size: Floats | float = 0.0
    for target in range(a.shape[-1]):
        column_a, column_b = _kept(a, both, target), _kept(b, both, target)
        difference = difference + np.abs(column_a - column_b)
        size = size + (column_a + column_b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(difference / np.asarray(size))
