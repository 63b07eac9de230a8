"""The variation within a source: what is left of profiles when their source is taken away.

Each source with m profiles gives m - 1 contrasts (Helmert's: every profile against the mean of
those before it, scaled to the variance of one profile). They have mean zero and the within-source
covariance, and are uncorrelated with each other, so that their number is the degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, is_number, listed
from drugsig._notes import Note
from drugsig.comparison.kernels import cholesky
from drugsig.errors import ComparisonError, DrugsigWarning, InputError, SmallSampleWarning
from drugsig.profiles.labels import known_texts, not_known_notes
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "REPEATABILITY_FACTOR",
    "IncompleteLeftOut",
    "SingularCovariance",
    "UncertainCovariance",
    "UncertainDeviations",
    "WithinSource",
    "known_sources",
    "learn_covariance",
    "learn_deviations",
]

Floats = NDArray[np.float64]

# The difference of two results is beyond this many standard deviations in 5 % of cases: 1.96 times
# the square root of 2, written 2.8 in ISO 5725-6:1994, 4.1 (the repeatability limit).
REPEATABILITY_FACTOR = 2.8

# A standard deviation from this many degrees of freedom is itself known to one part in six.
_ENOUGH_FOR_DEVIATIONS = 20

# A covariance of p targets from fewer than this times p degrees of freedom has its smallest
# eigenvalues far too small, and its inverse is ruled by them.
_ENOUGH_PER_TARGET = 10

# Below this share of the largest value, what varies within sources is rounding.
_NO_VARIATION = 1e-12

# A correlation matrix with a smaller eigenvalue is singular but for rounding.
_SINGULAR = 1e-10

# The least by which a singular matrix is shrunk: differences along the direction that does not vary
# are rounding, about 1e-16, and stay far below 1 when they are divided by the root of this.
_LEAST_SHRINKAGE = 1e-6


@dataclass(frozen=True)
class IncompleteLeftOut(Note):
    """Profiles of known source were left out, because not every target was measured in them.

    Keep the targets that were measured in all, if these profiles are to count.
    """

    code: ClassVar[str] = "incomplete-left-out"
    profiles: tuple[str, ...]
    n_known: int

    def __str__(self) -> str:
        return (
            f"{len(self.profiles)} of {self.n_known} profiles of known source were left out, "
            f"because not every target was measured: {listed(self.profiles)}."
        )


@dataclass(frozen=True)
class UncertainDeviations(Note):
    """The standard deviations within sources rest on few replicates.

    Add replicates or linked profiles before scores by this metric decide anything.
    """

    code: ClassVar[str] = "uncertain-deviations"
    category: ClassVar[type[DrugsigWarning]] = SmallSampleWarning
    dof: int
    n_sources: int
    needed: int = _ENOUGH_FOR_DEVIATIONS

    def __str__(self) -> str:
        return (
            f"the within-source standard deviations rest on {self.dof} degrees of freedom "
            f"({self.n_sources} sources); with fewer than {self.needed} each is known to one part "
            "in six at best."
        )


@dataclass(frozen=True)
class UncertainCovariance(Note):
    """The covariance within sources rests on few replicates for its number of targets.

    It was shrunk unless that was forbidden. Add replicates or linked profiles, or keep fewer
    targets.
    """

    code: ClassVar[str] = "uncertain-covariance"
    category: ClassVar[type[DrugsigWarning]] = SmallSampleWarning
    n_targets: int
    dof: int
    n_profiles: int
    n_sources: int
    shrinkage: float
    needed_per_target: int = _ENOUGH_PER_TARGET

    def __str__(self) -> str:
        return (
            f"the within-source covariance of {self.n_targets} targets rests on {self.dof} degrees "
            f"of freedom ({self.n_profiles} profiles of {self.n_sources} sources), fewer than "
            f"{self.needed_per_target} a target.{_shrunk(self.shrinkage)}"
        )


@dataclass(frozen=True)
class SingularCovariance(Note):
    """Some targets follow from the others within sources, as after the step ``sum``.

    The covariance was shrunk a little, so that it can be inverted. Leave one target out.
    """

    code: ClassVar[str] = "singular-covariance"
    n_targets: int
    shrinkage: float

    def __str__(self) -> str:
        return (
            f"the within-source covariance of {self.n_targets} targets is singular: some follow "
            f"from the others, as after the step 'sum'.{_shrunk(self.shrinkage)} Leaving one "
            "target out may be better."
        )


def _shrunk(weight: float) -> str:
    return f" It was shrunk towards its diagonal with weight {weight:.3g}." if weight else ""


@dataclass(frozen=True, eq=False)
class WithinSource(FrozenArrays):
    """What varies within sources.

    Attributes
    ----------
    contrasts : ndarray of float64, shape (dof, p)
        With mean zero and the within-source covariance.
    target_names : tuple of str
        The targets.
    source : tuple of str
        The columns that name the source.
    n_sources, n_profiles : int
        How many sources, and profiles of them, the contrasts come from.
    n_left_out : int
        Profiles of known source that were not used: not every target was measured, or no other
        profile of the source is there.
    notes : tuple of Note
        What a reader must know of them.
    """

    contrasts: Floats
    target_names: tuple[str, ...]
    source: tuple[str, ...]
    n_sources: int
    n_profiles: int
    n_left_out: int
    notes: tuple[Note, ...] = ()

    @property
    def dof(self) -> int:
        """The degrees of freedom: profiles less sources."""
        return len(self.contrasts)

    @classmethod
    def of(cls, profiles: ProfileSet, /, *, source: str | Sequence[str]) -> WithinSource:
        """Take the variation within sources from profiles of known source.

        Parameters
        ----------
        profiles : ProfileSet
            Pretreated; only those in which every target was measured are used.
        source : str or sequence of str
            The metadata columns that together name the source.

        Raises
        ------
        ComparisonError
            If fewer than 2 sources have 2 profiles or more, or a target does not vary within any.
        """
        columns, names = known_sources(profiles, source=source)
        whole = [bool(row.all()) for row in profiles.measured]
        members: dict[tuple[str, ...], list[int]] = {}
        # In the order of their names, so that the order of the profiles does not count.
        for row in sorted(range(len(profiles)), key=lambda k: profiles.ids[k]):
            if (key := names[row]) is not None and whole[row]:
                members.setdefault(key, []).append(row)
        known = [row for row, key in enumerate(names) if key is not None]
        incomplete = [row for row in known if not whole[row]]
        linked = [members[key] for key in sorted(members) if len(members[key]) > 1]
        if len(linked) < 2:
            raise ComparisonError(
                f"the variation within a source needs 2 sources or more with 2 profiles or more "
                f"each in which every target was measured; profile set '{profiles.name}' has "
                f"{len(linked)} by {listed(columns)} ({len(known)} profiles of known source, "
                f"{len(incomplete)} of them with targets not measured). Add replicates or linked "
                "profiles, name another column as the source, or keep the targets that were "
                "measured in all: profiles.keep_targets([...])."
            )
        values = profiles.values
        contrasts = np.concatenate([_contrasts(values[rows]) for rows in linked])
        used = [row for rows in linked for row in rows]
        _refuse_constant(contrasts, values[used], profiles)
        left_out = tuple(profiles.ids[row] for row in incomplete)
        return cls(
            contrasts=contrasts,
            target_names=profiles.target_names,
            source=columns,
            n_sources=len(linked),
            n_profiles=len(used),
            n_left_out=len(known) - len(used),
            notes=(
                *((IncompleteLeftOut(left_out, n_known=len(known)),) if left_out else ()),
                *not_known_notes(profiles, columns),
            ),
        )


def known_sources(
    profiles: ProfileSet, /, *, source: str | Sequence[str]
) -> tuple[tuple[str, ...], list[tuple[str, ...] | None]]:
    """Return the columns that name the source, and the source of every profile or None.

    Parameters
    ----------
    profiles : ProfileSet
        With metadata.
    source : str or sequence of str
        One column or several; a profile with an empty cell in one is of unknown source.

    Raises
    ------
    InputError
        If no column is named.
    MetadataError
        If there is no such column.
    """
    columns = (source,) if isinstance(source, str) else tuple(source)
    if not columns:
        raise InputError("source must name the metadata column of the source, got no column")
    texts = zip(*(known_texts(profiles, column) for column in columns), strict=True)
    names: list[tuple[str, ...] | None] = []
    for cells in texts:
        known = tuple(text for text in cells if text is not None)
        names.append(known if len(known) == len(columns) else None)
    return columns, names


def _contrasts(values: Floats) -> Floats:
    """Return Helmert's contrasts of the profiles of one source, shape (m - 1, p)."""
    out = np.empty((len(values) - 1, values.shape[1]))
    total = values[0].copy()
    for k in range(1, len(values)):
        out[k - 1] = np.sqrt(k / (k + 1)) * (values[k] - total / k)
        total += values[k]
    return out


def _refuse_constant(contrasts: Floats, values: Floats, profiles: ProfileSet) -> None:
    size = np.abs(values).max(axis=0)
    fixed = np.abs(contrasts).max(axis=0) <= _NO_VARIATION * size
    if fixed.any():
        names = [n for n, still in zip(profiles.target_names, fixed, strict=True) if still]
        raise ComparisonError(
            f"{listed(names)} does not vary within any source of profile set '{profiles.name}', so "
            "a difference there has no measure. Leave such targets out: "
            "profiles.keep_targets([...])."
        )


def _variances(within: WithinSource) -> Floats:
    variances = (within.contrasts**2).sum(axis=0) / within.dof
    if not np.isfinite(variances).all():
        raise ComparisonError(
            "the variation within sources is too large to be squared. Normalise the profiles "
            "first, as with the step 'sum'."
        )
    return np.asarray(variances)


def learn_deviations(
    within: WithinSource, /, *, k: float | None
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """Return the pooled within-source standard deviation of every target and `k`, with notes.

    Parameters
    ----------
    within : WithinSource
        What varies within sources.
    k : float
        How many standard deviations two results of one source may differ.

    Raises
    ------
    InputError
        If `k` is no positive number.
    """
    if not is_number(k) or not 0 < k < np.inf:
        raise InputError(f"k must be a positive number of standard deviations, got {k!r}")
    deviations = np.sqrt(_variances(within))
    few = within.dof < _ENOUGH_FOR_DEVIATIONS
    notes = (UncertainDeviations(within.dof, within.n_sources),) if few else ()
    return {"k": float(k), "deviations": deviations.tolist()}, notes


def learn_covariance(
    within: WithinSource, /, *, shrinkage: float | None
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """Return the pooled within-source covariance, shrunk to its diagonal where needed, with notes.

    Parameters
    ----------
    within : WithinSource
        What varies within sources.
    shrinkage : float, optional
        The weight of the diagonal, 0 to 1. Without it: with fewer than 10 degrees of freedom a
        target the weight that Ledoit and Wolf's criterion asks for; otherwise none, or one part in
        a million where the matrix is singular all the same.

    Raises
    ------
    InputError
        If `shrinkage` is not between 0 and 1.
    ComparisonError
        If the covariance is singular with the shrinkage asked for.

    Notes
    -----
    The correlations are shrunk towards zero and the variances stay, so that the unit of a target
    does not count: the target "diagonal, unequal variance" of J. Schäfer and K. Strimmer,
    Statistical Applications in Genetics and Molecular Biology 4 (2005) 32, with their estimate of
    the weight that minimises the expected squared error, after O. Ledoit and M. Wolf, Journal of
    Multivariate Analysis 88 (2004) 365-411.
    """
    scale = np.sqrt(_variances(within))
    standard = within.contrasts / scale
    dof, p = standard.shape
    correlation = _products(standard) / dof
    few = dof < _ENOUGH_PER_TARGET * p
    singular = dof < p or bool(np.linalg.eigvalsh(correlation)[0] < _SINGULAR)
    weight = _weight(shrinkage, standard, correlation, few=few, singular=singular)
    # The diagonal of a correlation matrix is 1 but for rounding, which would enter the variances.
    shrunk = (1.0 - weight) * correlation
    np.fill_diagonal(shrunk, 1.0)
    covariance = shrunk * scale[:, None] * scale[None, :]
    covariance = (covariance + covariance.T) / 2.0
    if not np.isfinite(cholesky(covariance)).all():
        raise ComparisonError(
            f"the within-source covariance of {p} targets is singular with shrinkage={weight:g}. "
            "Let the data choose it (shrinkage=None), or leave targets out that follow from the "
            "others, as after the step 'sum': profiles.keep_targets([...])."
        )
    notes = _covariance_notes(within, few=few, singular=singular, weight=weight)
    return {"covariance": covariance.tolist(), "shrinkage": weight}, notes


def _products(x: Floats) -> Floats:
    """Return the sums of products, one column at a time: the same for every number of threads."""
    return np.stack([(x * x[:, [j]]).sum(axis=0) for j in range(x.shape[1])])


def _weight(
    given: float | None, standard: Floats, correlation: Floats, *, few: bool, singular: bool
) -> float:
    if given is not None:
        if not is_number(given) or not 0 <= given <= 1:
            raise InputError(
                f"shrinkage must lie between 0 (none) and 1 (the diagonal alone), got {given!r}"
            )
        return float(given)
    dof, p = standard.shape
    least = _LEAST_SHRINKAGE if singular else 0.0
    if p == 1 or not few:
        return least
    apart = ~np.eye(p, dtype=bool)
    # The variance of a mean of products, estimated from their spread over the contrasts.
    spread = (_products(standard**2) / dof - correlation**2) / (dof - 1)
    size = float((correlation[apart] ** 2).sum())
    best = float(spread[apart].sum()) / size if size > 0 else 1.0
    return float(np.clip(best, least, 1.0))


def _covariance_notes(
    within: WithinSource, *, few: bool, singular: bool, weight: float
) -> tuple[Note, ...]:
    p = len(within.target_names)
    if few:
        return (
            UncertainCovariance(
                n_targets=p,
                dof=within.dof,
                n_profiles=within.n_profiles,
                n_sources=within.n_sources,
                shrinkage=weight,
            ),
        )
    return (SingularCovariance(p, weight),) if singular else ()
