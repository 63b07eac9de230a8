"""`TargetSelection`: which targets are worth comparing, learned from profiles of known source.

By presence, by the variance between sources against that within, and by correlation with better
targets. What is learned from all profiles and judged on them flatters; `drugsig.run_study` learns
it anew inside every fold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from drugsig._check import float_matrix, is_number
from drugsig._codec import given, record_of
from drugsig.errors import ConfigError, InputError, PopulationError

__all__ = ["TargetSelection", "between_within_ratio"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class TargetSelection:
    """Which targets are kept.

    Parameters
    ----------
    presence : float
        The least share of the profiles in which a target was detected, in [0, 1].
    variance_ratio : float
        The least ratio of the variance between sources to that within, see
        `between_within_ratio`; 0 keeps every target.
    correlation : float
        Of two targets whose rank correlation is larger than this, in size, the one with the smaller
        variance ratio is left out, or the later one where the ratios are equal; 1 keeps every
        target.

    Examples
    --------
    >>> TargetSelection(presence=0.25, variance_ratio=2.0)
    TargetSelection(presence=0.25, variance_ratio=2.0, correlation=1.0)
    """

    presence: float = 0.0
    variance_ratio: float = 0.0
    correlation: float = 1.0

    def __post_init__(self) -> None:
        for name, most in (("presence", 1.0), ("variance_ratio", np.inf), ("correlation", 1.0)):
            value = getattr(self, name)
            if not is_number(value):
                raise InputError(f"{name} of a target selection must be a number, got {value!r}")
            if not 0.0 <= value <= most:
                raise InputError(f"{name} must lie between 0 and {most:g}, got {value!r}")
            object.__setattr__(self, name, float(value))

    @property
    def keeps_all(self) -> bool:
        """Whether no target can be left out."""
        return self == TargetSelection()

    @property
    def needs_sources(self) -> bool:
        """Whether it looks at the sources of the profiles."""
        return self.variance_ratio > 0.0 or self.correlation < 1.0

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> TargetSelection:
        """Read a selection from data, as in a study file."""
        return record_of(cls, data, where="a target selection", error=ConfigError)

    def to_data(self) -> dict[str, float]:
        """Return the selection as data that `from_data` reads."""
        return given(self)

    def keep(
        self, values: ArrayLike, detected: ArrayLike, sources: ArrayLike, /
    ) -> NDArray[np.bool_]:
        """Say which targets are kept.

        Parameters
        ----------
        values : array_like of float, shape (n_profiles, n_targets)
            Pretreated as they will be compared; NaN where not measured.
        detected : array_like of bool, shape (n_profiles, n_targets)
            Which cells were detected.
        sources : array_like of int, shape (n_profiles,)
            The number of the source of each profile; -1 where it is not known.

        Returns
        -------
        ndarray of bool, shape (n_targets,)
            True for the targets that are kept.

        Raises
        ------
        PopulationError
            If no target is kept, or the sources allow no variance within.
        """
        x = float_matrix(values, what="the values to select targets by", allow_nan=True)
        measured = ~np.isnan(x)
        seen = np.asarray(detected, dtype=bool) & measured
        counted = np.maximum(measured.sum(axis=0), 1)
        kept = seen.sum(axis=0) / counted >= self.presence
        ratio = np.ones(x.shape[1])
        if self.needs_sources:
            ratio = between_within_ratio(x, sources)
            kept &= ~(ratio < self.variance_ratio)
        if self.correlation < 1.0:
            kept = _uncorrelated(x, kept, ratio, self.correlation)
        if not kept.any():
            raise PopulationError(
                f"target selection {self.to_data()} leaves out every target. Presence reaches "
                f"{(seen.sum(axis=0) / counted).max():.3g}, the variance ratio {ratio.max():.3g}."
            )
        return np.asarray(kept)


def between_within_ratio(values: ArrayLike, sources: ArrayLike, /) -> Floats:
    """Return the mean square between sources over the mean square within, a target.

    Parameters
    ----------
    values : array_like of float, shape (n_profiles, n_targets)
        Pretreated; NaN where not measured.
    sources : array_like of int, shape (n_profiles,)
        The number of the source of each profile; -1 where it is not known.

    Returns
    -------
    ndarray of float64, shape (n_targets,)
        The F ratio of a one-way analysis of variance: about 1 where sources do not differ,
        infinite where profiles of one source do not. A target that is constant has 0.

    Raises
    ------
    PopulationError
        If there are fewer than two sources, or none with two profiles.
    """
    x = float_matrix(values, what="the values of the variance ratio", allow_nan=True)
    code = np.asarray(sources)
    if code.shape != x.shape[:1]:
        raise InputError(f"sources must have shape {x.shape[:1]}, got {code.shape}")
    known = code >= 0
    _, number = np.unique(code[known], return_inverse=True)
    x = x[known]
    n_sources = int(number.max(initial=-1)) + 1
    if n_sources < 2 or len(x) <= n_sources:
        raise PopulationError(
            f"a variance within sources needs two sources or more and one of them with two "
            f"profiles, got {len(x)} profiles of {n_sources} known source(s)"
        )
    out = np.zeros(x.shape[1])
    for k in range(x.shape[1]):
        there = ~np.isnan(x[:, k])
        column, group = x[there, k], number[there]
        counts = np.bincount(group, minlength=n_sources)
        means = np.bincount(group, weights=column, minlength=n_sources) / np.maximum(counts, 1)
        present = int(np.count_nonzero(counts))
        free = len(column) - present
        if present < 2 or free < 1:
            continue
        within = float(((column - means[group]) ** 2).sum()) / free
        between = float((counts * (means - column.mean()) ** 2).sum()) / (present - 1)
        out[k] = between / within if within > 0 else (np.inf if between > 0 else 0.0)
    return out


def _uncorrelated(x: Floats, kept: Flags, ratio: Floats, most: float) -> Flags:
    """Keep the best target, then each that is not too much like one kept before."""
    chosen: list[int] = []
    for k in sorted(np.flatnonzero(kept), key=lambda j: (-ratio[j], j)):
        if all(abs(_rank_correlation(x[:, j], x[:, k])) <= most for j in chosen):
            chosen.append(int(k))
    out = np.zeros(len(kept), dtype=bool)
    out[chosen] = True
    return out


def _rank_correlation(a: Floats, b: Floats) -> float:
    both = ~(np.isnan(a) | np.isnan(b))
    if both.sum() < 3:
        return 0.0
    first, second = (rankdata(v[both]) - (both.sum() + 1) / 2.0 for v in (a, b))
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size > 0 else 0.0
