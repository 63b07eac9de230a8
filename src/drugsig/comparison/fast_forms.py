"""The fast forms of a formula: which there are, and where they pay."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison import kernels
from drugsig.comparison.metrics import Metric

__all__ = [
    "CompiledForm",
    "block_values",
    "compiled_form",
    "has_numba",
    "has_single_form",
    "scipy_form",
]

Scores = NDArray[Any]
# Ready profiles of both sides, the first row and column, and the block to write.
CompiledForm = Callable[[Scores, Scores, int, int, Scores], None]
# Transformed profiles of both sides, one a row, to all their scores.
ScipyForm = Callable[[Scores, Scores], Scores]

# The compiled form of the first form of a kernel, by its name in `compiled_sums`. Kernels that
# share a form share the compiled one: correlations of values, of ranks, and the cosine. These keep
# to the precision of their arrays in both forms.
_SUMS: tuple[tuple[Callable[..., Any], str], ...] = (
    (kernels.PEARSON.complete, "dot_ratio"),
    (kernels.SQUARED_COSINE.complete, "squared_dot_ratio"),
    (kernels.EUCLIDEAN.complete, "euclidean"),
    (kernels.MANHATTAN.complete, "manhattan"),
    (kernels.CANBERRA_ZERO.complete, "canberra_zero"),
    (kernels.CANBERRA_DROPPING.complete, "canberra_dropping"),
    (kernels.BRAY_CURTIS.complete, "bray_curtis"),
)

# Those that count or divide counts: a count is never right in single precision where a value lies
# on a limit.
_COUNTS: tuple[tuple[Callable[..., Any], str], ...] = (
    (kernels.QUOTIENT.complete, "quotient"),
    (kernels.PEAKS_IN_COMMON.complete, "peaks_in_common"),
)

# The same sums by scipy's code, which adds target after target as the definition does: without
# numba it is faster than one operation of numpy a target.
_SCIPY: tuple[tuple[Callable[..., Any], Literal["cityblock", "canberra"]], ...] = (
    (kernels.MANHATTAN.complete, "cityblock"),
    (kernels.CANBERRA_ZERO.complete, "canberra"),
    (kernels.CANBERRA_DROPPING.complete, "canberra"),
)

# Compiling, or loading what was compiled before, takes longer than fewer scores.
_COMPILED_FROM = 10_000_000


@cache
def has_numba() -> bool:
    """Say whether the extra ``fast`` is installed, and compiled code can be used."""
    return importlib.util.find_spec("numba") is not None


def _name_of_form(metric: Metric, forms: tuple[tuple[Callable[..., Any], str], ...]) -> str | None:
    complete = metric.kernel.complete
    return next((name for form, name in forms if form is complete), None)


def has_single_form(metric: Metric, /) -> bool:
    """Say whether a metric can be computed in single precision throughout.

    Whether its compiled form is installed makes no difference.
    """
    return _name_of_form(metric, _SUMS) is not None


def compiled_form(metric: Metric, n_scores: int, /) -> CompiledForm | None:
    """Return compiled code for a metric, where it is installed and pays.

    Parameters
    ----------
    metric : Metric
        The definition of the score.
    n_scores : int
        How many are to be computed.
    """
    name = _name_of_form(metric, _SUMS + _COUNTS)
    # A kernel that carries numbers has its form as a method.
    carrier = getattr(metric.kernel.complete, "__self__", None)
    limits = carrier.limits if isinstance(carrier, kernels.WithinLimits) else None
    if (name is None and limits is None) or n_scores < _COMPILED_FROM:
        return None
    if not has_numba():
        return None
    code = importlib.import_module("drugsig.comparison.compiled_sums")
    form: CompiledForm = code.within_limits(limits) if name is None else getattr(code, name)
    return form


def block_values(
    a: Scores,
    b: Scores,
    rows: slice,
    columns: slice,
    metric: Metric,
    compiled: CompiledForm | None,
    /,
) -> Scores:
    """Return the kernel's values of a block, in the precision of the profiles.

    Parameters
    ----------
    a, b : ndarray of float64 or float32, shape (rows, n)
        Ready profiles of both sides, C-ordered.
    rows, columns : slice
        Which of them, with a start and a stop.
    metric : Metric
        The definition of the score.
    compiled : callable or None
        From `compiled_form`.
    """
    if compiled is None:
        return metric.kernel.complete(a[:, rows, None], b[:, None, columns])
    values = np.empty((rows.stop - rows.start, columns.stop - columns.start), a.dtype)
    compiled(a, b, rows.start, columns.start, values)
    return values


@cache
def scipy_form(complete: Callable[..., Any], /) -> ScipyForm | None:
    """Return scipy's form of a kernel, if there is one and it gives the bits of the definition.

    Parameters
    ----------
    complete : callable
        The first form of the kernel.
    """
    name = next((name for form, name in _SCIPY if form is complete), None)
    if name is None:
        return None
    from scipy.spatial.distance import cdist

    drops = complete is kernels.CANBERRA_DROPPING.complete

    def form(x: Scores, y: Scores, /) -> Scores:
        values: Scores = cdist(x, y, name)
        if drops:
            # How many targets either has; counts are exact. 0 times p / 0 is NaN, as it has to be.
            p = x.shape[1]
            count = p - (x == 0.0).astype(np.float64) @ (y == 0.0).astype(np.float64).T
            with np.errstate(divide="ignore", invalid="ignore"):
                np.multiply(values, p / count, out=values)
        return values

    # Another scipy might add in another order: then the definition stands.
    some = 10.0 ** np.random.default_rng(0).uniform(-3.0, 3.0, (48, 37))
    some[some < 1e-2], some[5:7], some[7] = 0.0, 0.0, np.nan
    wanted = complete(some.T[:, :, None], some.T[:, None, :])
    return form if np.array_equal(form(some, some), wanted, equal_nan=True) else None
