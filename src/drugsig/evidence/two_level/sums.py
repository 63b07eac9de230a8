"""`SourceSums`: what a background says of its sources, in sums that can be taken apart again.

Every parameter of the two-level model follows from sums over sources. A model without some
sources (both sources of a test pair, say) is had by subtracting theirs, without the profiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays

__all__ = ["SourceSums", "Totals", "sum_by_source"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# If this share of a sum or more is subtracted, rounding would show: it is added up anew instead.
_MOST_SUBTRACTED = 0.5


@dataclass(frozen=True)
class Totals:
    """Sums over sources; z is the mean of a source less the origin, n its number of profiles.

    Parameters
    ----------
    n_sources, n_linked : int
        Sources, and those of at least two profiles.
    n_profiles, n_linked_profiles : int
        Profiles, and those of linked sources.
    squared_counts, inverse_counts : float
        Sums of n^2 and of 1 / n.
    weighted_sum, plain_sum : ndarray of float64, shape (p,)
        Sums of n z and of z.
    weighted_squares, plain_squares : ndarray of float64, shape (p, p)
        Sums of n z z' and of z z'.
    scatter : ndarray of float64, shape (p, p)
        Sum of the squares and products of residuals.
    covariances : ndarray of float64, shape (p, p)
        Sum of the covariance matrices of linked sources.
    fourth : ndarray of float64, shape (p, p)
        Sum of the squared products of residuals, see `SourceSums`.
    """

    n_sources: int
    n_linked: int
    n_profiles: int
    n_linked_profiles: int
    squared_counts: float
    inverse_counts: float
    weighted_sum: Floats
    plain_sum: Floats
    weighted_squares: Floats
    plain_squares: Floats
    scatter: Floats
    covariances: Floats
    fourth: Floats

    @property
    def degrees_of_freedom(self) -> int:
        """Return N - m, the degrees of freedom within sources."""
        return self.n_profiles - self.n_sources

    def minus(self, other: Totals, /) -> Totals:
        """Return the sums over the sources of this one that are not in the other.

        Parameters
        ----------
        other : Totals
            Over some of the sources of this one.
        """
        return Totals(
            **{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)}
        )


@dataclass(frozen=True, eq=False)
class SourceSums(FrozenArrays):
    """The sums of a background, source by source.

    Attributes
    ----------
    sources : tuple of str
        All sources that were measured.
    counts : ndarray of int64, shape (m,)
        Profiles of each.
    means : ndarray of float64, shape (m, p)
        Their means.
    scatter : ndarray of float64, shape (m, p, p)
        Squares and products of residuals about them.
    fourth : ndarray of float64, shape (m, p, p)
        Squared products of residuals, each residual times sqrt(n / (n - 1)) so that its products
        have the within covariance as expectation.
    origin : ndarray of float64, shape (p,)
        The median of all profiles; sums are taken about it, against cancellation.
    kept : ndarray of bool, shape (m,)
        The sources that count; the others were taken out.
    totals : Totals
        The sums over the sources that count.
    """

    sources: tuple[str, ...]
    counts: NDArray[np.int64]
    means: Floats
    scatter: Floats
    fourth: Floats
    origin: Floats
    kept: NDArray[np.bool_]
    totals: Totals

    @property
    def n_targets(self) -> int:
        """The number of targets."""
        return int(self.means.shape[1])

    def without(self, places: Places, /) -> SourceSums:
        """Return the sums with these sources taken out as well.

        Parameters
        ----------
        places : ndarray of int, shape (k,)
            Where the sources stand in `sources`; they are among the kept ones.
        """
        kept = self.kept.copy()
        kept[places] = False
        taken = _total(self.counts, self.means, self.scatter, self.fourth, self.origin, places)
        all_of_them = self.totals
        lost = max(
            _share(np.trace(taken.scatter), np.trace(all_of_them.scatter)),
            _share(np.trace(taken.weighted_squares), np.trace(all_of_them.weighted_squares)),
            _share(np.trace(taken.covariances), np.trace(all_of_them.covariances)),
            _share(np.trace(taken.fourth), np.trace(all_of_them.fourth)),
            len(places) / all_of_them.n_sources,
        )
        if lost > _MOST_SUBTRACTED:
            totals = _total(
                self.counts, self.means, self.scatter, self.fourth, self.origin,
                np.flatnonzero(kept),
            )  # fmt: skip
        else:
            totals = all_of_them.minus(taken)
        return SourceSums(
            self.sources, self.counts, self.means, self.scatter, self.fourth, self.origin, kept,
            totals,
        )  # fmt: skip

    @classmethod
    def restored(
        cls, sources: Sequence[str], counts: NDArray[np.int64], means: Floats, scatter: Floats,
        fourth: Floats, origin: Floats, /,
    ) -> SourceSums:  # fmt: skip
        """Return sums whose totals are added up from the sources.

        Parameters
        ----------
        sources : sequence of str
            Their names.
        counts, means, scatter, fourth, origin : ndarray
            As the attributes of the same name.
        """
        every = np.arange(len(counts))
        totals = _total(counts, means, scatter, fourth, origin, every)
        kept = np.ones(len(counts), dtype=bool)
        return cls(tuple(sources), counts, means, scatter, fourth, origin, kept, totals)


def sum_by_source(values: Floats, sources: Sequence[str], /) -> SourceSums:
    """Add up profiles source by source.

    Parameters
    ----------
    values : ndarray of float64, shape (n, p)
        Profiles, all values known.
    sources : sequence of str, length n
        The source of each.
    """
    names, code = np.unique(np.asarray(sources, dtype=str), return_inverse=True)
    order = np.argsort(code, kind="stable")
    counts = np.bincount(code).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    # No mean: one far-off source would move it away from all the others.
    origin = np.median(values, axis=0)
    centred = values[order] - origin
    means = np.add.reduceat(centred, starts, axis=0) / counts[:, None]
    of_row = np.repeat(np.arange(len(counts)), counts)
    residuals = centred - means[of_row]
    scatter = _products(residuals, starts)
    # A single profile has a residual of zero, whatever it is multiplied by.
    inflation = counts / np.maximum(counts - 1, 1)
    squares = residuals**2 * inflation[of_row, None]
    fourth = _products(squares, starts)
    return SourceSums.restored(
        [str(name) for name in names], counts, means + origin, scatter, fourth, origin
    )


def _products(rows: Floats, starts: Places) -> Floats:
    """Return the sums of products of columns, source by source; one column at a time."""
    p = rows.shape[1]
    out = np.empty((len(starts), p, p))
    for j in range(p):
        out[:, j, :] = np.add.reduceat(rows[:, j : j + 1] * rows, starts, axis=0)
    return out


def _total(
    counts: NDArray[np.int64], means: Floats, scatter: Floats, fourth: Floats, origin: Floats,
    places: Places,
) -> Totals:  # fmt: skip
    n = counts[places].astype(np.float64)
    z = means[places] - origin
    own_scatter = scatter[places]
    linked = n > 1
    weighted = n[:, None] * z
    return Totals(
        n_sources=len(places),
        n_linked=int(linked.sum()),
        n_profiles=int(n.sum()),
        n_linked_profiles=int(n[linked].sum()),
        squared_counts=float((n * n).sum()),
        inverse_counts=float((1.0 / n).sum()),
        weighted_sum=weighted.sum(axis=0),
        plain_sum=z.sum(axis=0),
        weighted_squares=weighted.T @ z,
        plain_squares=z.T @ z,
        scatter=own_scatter.sum(axis=0),
        covariances=(own_scatter[linked] / (n[linked] - 1.0)[:, None, None]).sum(axis=0),
        fourth=fourth[places].sum(axis=0),
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0.0 else 0.0
