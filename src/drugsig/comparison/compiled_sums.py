"""Blocks of scores as compiled code; only where the extra ``fast`` is installed.

The formulas of `drugsig.comparison.kernels` for whole profiles, in float64 to the bit: the same
operations in the same order, target after target, none reassociated and none contracted. Vectors
run over the columns of a block, so a score never depends on its neighbours. Several targets are
added in one pass only so that sums are loaded and stored less often. Divisions by zero give what
IEEE arithmetic says.

Every function takes transformed profiles of both sides, shape (rows, n), and writes a block in the
precision of its arrays: ``out[i, j]`` is for profile ``top + i`` of `a` and ``left + j`` of `b`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

__all__ = [
    "bray_curtis",
    "canberra_dropping",
    "canberra_zero",
    "dot_ratio",
    "euclidean",
    "manhattan",
    "peaks_in_common",
    "quotient",
    "squared_dot_ratio",
    "within_limits",
]


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def _add_products(a: Any, b: Any, p: int, i: int, left: int, total: Any) -> None:
    """Sum a*b over the first p rows."""
    w = len(total)
    total[:] = 0.0
    k = 0
    while k + 4 <= p:
        a0, a1, a2, a3 = a[k, i], a[k + 1, i], a[k + 2, i], a[k + 3, i]
        b0, b1 = b[k, left : left + w], b[k + 1, left : left + w]
        b2, b3 = b[k + 2, left : left + w], b[k + 3, left : left + w]
        for j in range(w):
            total[j] = (((total[j] + a0 * b0[j]) + a1 * b1[j]) + a2 * b2[j]) + a3 * b3[j]
        k += 4
    while k < p:
        a0, b0 = a[k, i], b[k, left : left + w]
        for j in range(w):
            total[j] += a0 * b0[j]
        k += 1


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def dot_ratio(a: Any, b: Any, top: int, left: int, out: Any) -> None:
    """Write ``a.b / sqrt(aa * bb)``, within -1 and 1; the last rows hold aa and bb."""
    p = len(a) - 1
    h, w = out.shape
    one = out.dtype.type(1)
    for row in range(h):
        total = out[row]
        _add_products(a, b, p, top + row, left, total)
        aa, bb = a[p, top + row], b[p, left : left + w]
        for j in range(w):
            value = total[j] / np.sqrt(aa * bb[j])
            # As choices, which compile to vector instructions and leave NaN as it is.
            if value > one:
                value = one
            if value < -one:
                value = -one
            total[j] = value


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def squared_dot_ratio(a: Any, b: Any, top: int, left: int, out: Any) -> None:
    """Write ``(a.b)^2 / (aa * bb)``, at most 1; the last rows hold aa and bb."""
    p = len(a) - 1
    h, w = out.shape
    one = out.dtype.type(1)
    for row in range(h):
        total = out[row]
        _add_products(a, b, p, top + row, left, total)
        aa, bb = a[p, top + row], b[p, left : left + w]
        for j in range(w):
            value = total[j] * total[j] / (aa * bb[j])
            if value > one:
                value = one
            total[j] = value


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def euclidean(a: Any, b: Any, top: int, left: int, out: Any) -> None:
    """Write the root of the sum of squared differences."""
    p = len(a)
    h, w = out.shape
    for row in range(h):
        i = top + row
        total = out[row]
        total[:] = 0.0
        k = 0
        while k + 4 <= p:
            a0, a1, a2, a3 = a[k, i], a[k + 1, i], a[k + 2, i], a[k + 3, i]
            b0, b1 = b[k, left : left + w], b[k + 1, left : left + w]
            b2, b3 = b[k + 2, left : left + w], b[k + 3, left : left + w]
            for j in range(w):
                d0, d1, d2, d3 = a0 - b0[j], a1 - b1[j], a2 - b2[j], a3 - b3[j]
                total[j] = (((total[j] + d0 * d0) + d1 * d1) + d2 * d2) + d3 * d3
            k += 4
        while k < p:
            a0, b0 = a[k, i], b[k, left : left + w]
            for j in range(w):
                d0 = a0 - b0[j]
                total[j] += d0 * d0
            k += 1
        for j in range(w):
            total[j] = np.sqrt(total[j])


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def manhattan(a: Any, b: Any, top: int, left: int, out: Any) -> None:
    """Write the sum of absolute differences."""
    p = len(a)
    h, w = out.shape
    for row in range(h):
        i = top + row
        total = out[row]
        total[:] = 0.0
        k = 0
        while k + 4 <= p:
            a0, a1, a2, a3 = a[k, i], a[k + 1, i], a[k + 2, i], a[k + 3, i]
            b0, b1 = b[k, left : left + w], b[k + 1, left : left + w]
            b2, b3 = b[k + 2, left : left + w], b[k + 3, left : left + w]
            for j in range(w):
                some = (total[j] + abs(a0 - b0[j])) + abs(a1 - b1[j])
                total[j] = (some + abs(a2 - b2[j])) + abs(a3 - b3[j])
            k += 4
        while k < p:
            a0, b0 = a[k, i], b[k, left : left + w]
            for j in range(w):
                total[j] += abs(a0 - b0[j])
            k += 1


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def canberra_zero(a: Any, b: Any, top: int, left: int, out: Any) -> None:
    """Write the sum of ``|a - b| / (|a| + |b|)``; a target absent from both adds zero."""
    p = len(a)
    h, w = out.shape
    one = out.dtype.type(1)
    for row in range(h):
        total = out[row]
        total[:] = 0.0
        for k in range(p):
            ours, theirs = a[k, top + row], b[k, left : left + w]
            for j in range(w):
                size = abs(ours) + abs(theirs[j])
                # 0 divided by anything: the definition divides by the smallest number there is.
                if size == 0:
                    size = one
                total[j] += abs(ours - theirs[j]) / size


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def canberra_dropping(a: Any, b: Any, top: int, left: int, out: Any) -> None:
    """Write the same sum, scaled from the targets present in either up to all."""
    p = len(a)
    h, w = out.shape
    one, zero = out.dtype.type(1), out.dtype.type(0)
    targets = out.dtype.type(p)
    count = np.empty(w, out.dtype)
    for row in range(h):
        total = out[row]
        total[:] = 0.0
        count[:] = 0.0
        for k in range(p):
            ours, theirs = a[k, top + row], b[k, left : left + w]
            for j in range(w):
                size = abs(ours) + abs(theirs[j])
                count[j] += one if size > 0 else zero
                if size == 0:
                    size = one
                total[j] += abs(ours - theirs[j]) / size
        for j in range(w):
            # 0 times p / 0 is NaN, as it has to be.
            total[j] *= targets / count[j]


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def bray_curtis(a: Any, b: Any, top: int, left: int, out: Any) -> None:
    """Write the sum of ``|a - b|`` over the sum of ``a + b``."""
    p = len(a)
    h, w = out.shape
    size = np.empty(w, out.dtype)
    for row in range(h):
        i = top + row
        total = out[row]
        total[:] = 0.0
        size[:] = 0.0
        k = 0
        while k + 2 <= p:
            a0, a1 = a[k, i], a[k + 1, i]
            b0, b1 = b[k, left : left + w], b[k + 1, left : left + w]
            for j in range(w):
                total[j] = (total[j] + abs(a0 - b0[j])) + abs(a1 - b1[j])
                size[j] = (size[j] + (a0 + b0[j])) + (a1 + b1[j])
            k += 2
        while k < p:
            a0, b0 = a[k, i], b[k, left : left + w]
            for j in range(w):
                total[j] += abs(a0 - b0[j])
                size[j] += a0 + b0[j]
            k += 1
        for j in range(w):
            total[j] /= size[j]


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def quotient(a: Any, b: Any, top: int, left: int, out: Any) -> None:
    """Write the mean of smaller / larger over the targets that either has."""
    p = len(a)
    h, w = out.shape
    one, zero = out.dtype.type(1), out.dtype.type(0)
    count = np.empty(w, out.dtype)
    for row in range(h):
        total = out[row]
        total[:] = 0.0
        count[:] = 0.0
        for k in range(p):
            ours, theirs = a[k, top + row], b[k, left : left + w]
            # A choice lets NaN of the other side through, but not of this.
            if np.isnan(ours):
                total[:] = np.nan
            for j in range(w):
                size, step = theirs[j], ours
                if ours > theirs[j]:
                    size, step = ours, theirs[j]
                count[j] += one if size > 0 else zero
                if size == 0:
                    size = one
                total[j] += step / size
        for j in range(w):
            total[j] /= count[j]


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def peaks_in_common(a: Any, b: Any, top: int, left: int, out: Any) -> None:
    """Write the share of peaks in both among peaks in either."""
    p = len(a)
    h, w = out.shape
    one, zero = out.dtype.type(1), out.dtype.type(0)
    either = np.empty(w, out.dtype)
    for row in range(h):
        total = out[row]
        total[:] = 0.0
        either[:] = 0.0
        for k in range(p):
            ours, theirs = a[k, top + row], b[k, left : left + w]
            if np.isnan(ours):
                total[:] = np.nan
            if ours > 0:
                for j in range(w):
                    total[j] += (one if theirs[j] > 0 else zero) + zero * theirs[j]
                    either[j] += one
            else:
                for j in range(w):
                    total[j] += zero * theirs[j]
                    either[j] += one if theirs[j] > 0 else zero
        for j in range(w):
            total[j] /= either[j]


def within_limits(limits: Any) -> Callable[[Any, Any, int, int, Any], None]:
    """Return the form that writes the share of targets whose difference is within their limit."""
    own = np.array(limits, dtype=np.float64)

    def form(a: Any, b: Any, top: int, left: int, out: Any) -> None:
        _within_limits(a, b, own, top, left, out)

    return form


@numba.njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator,unused-ignore]
def _within_limits(a: Any, b: Any, limits: Any, top: int, left: int, out: Any) -> None:
    p = len(limits)
    h, w = out.shape
    one, zero = out.dtype.type(1), out.dtype.type(0)
    for row in range(h):
        total = out[row]
        total[:] = 0.0
        for k in range(p):
            low, high, limit = a[k, top + row], a[p + k, top + row], limits[k]
            lows, highs = b[k, left : left + w], b[p + k, left : left + w]
            for j in range(w):
                below, above = low - highs[j], lows[j] - high
                apart = max(above, below)
                total[j] += (one if apart <= limit else zero) + zero * apart
        for j in range(w):
            total[j] /= p
