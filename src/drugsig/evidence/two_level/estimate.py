"""`Estimate`: the parameters of a two-level model, from sums over sources and named options.

The directions in which profiles are compared: principal components, then whitening.

After the whitening replicates of a source have unit variance and the source means are
uncorrelated, so that every density of the model is a product over directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from drugsig._check import listed
from drugsig.errors import InputError
from drugsig.evidence.two_level.conventions import BANDWIDTHS, TwoLevelOptions
from drugsig.evidence.two_level.sums import Totals

__all__ = ["ENOUGH_SOURCES", "Directions", "Estimate", "estimate"]

Floats = NDArray[np.float64]

# The least eigenvalue of the correlations within sources: below it they are singular.
SINGULAR = 1e-12

# A variance between sources this much smaller than the largest is rounding of zero.
_NO_VARIANCE = 1e-12

# Below this many linked sources for each target or component, the covariances are poorly known.
ENOUGH_SOURCES = 10

# A standard deviation below this share of the size of the values is rounding of a constant.
_CONSTANT = 1e-13


def _kappa(totals: Totals, /) -> float:
    """Return the effective number of profiles a source, (N - sum n_i^2 / N) / (m - 1).

    Parameters
    ----------
    totals : Totals
        Sums over at least two sources.
    """
    n = totals.n_profiles
    return (n - totals.squared_counts / n) / (totals.n_sources - 1)


def _within_covariance(totals: Totals, convention: str, /) -> Floats:
    """Return the covariance of profiles within a source, shape (p, p).

    Parameters
    ----------
    totals : Totals
        Sums over sources, one of them linked at least.
    convention : str
        A name of `WITHIN_COVARIANCES`.
    """
    if convention == "averaged":
        return totals.covariances / totals.n_linked
    return totals.scatter / totals.degrees_of_freedom


def _between_covariance(totals: Totals, within: Floats, convention: str, /) -> Floats:
    """Return the covariance of source means, less what replicates explain, shape (p, p).

    Being a difference, it can have negative eigenvalues.

    Parameters
    ----------
    totals : Totals
        Sums over at least two sources.
    within : ndarray of float64, shape (p, p)
        The unbiased covariance within sources, before shrinkage.
    convention : str
        A name of `BETWEEN_COVARIANCES`.
    """
    m = totals.n_sources
    if convention != "unweighted":
        total = totals.weighted_sum
        squares = totals.weighted_squares - np.outer(total, total) / totals.n_profiles
        count = _kappa(totals) if convention == "weighted" else totals.n_profiles / m
        return (squares / (m - 1) - within) / count
    total = totals.plain_sum
    squares = totals.plain_squares - np.outer(total, total) / m
    return squares / (m - 1) - within * (totals.inverse_counts / m)


def _shrinkage_intensity(totals: Totals, within: Floats, /) -> float:
    """Return how far the correlations within sources are drawn to zero, from 0 to 1.

    The sum of the estimated variances of the correlations over the sum of their squares, off the
    diagonal: J. Schäfer and K. Strimmer, Stat. Appl. Genet. Mol. Biol. 4 (2005) 32, with the
    variances of the targets kept as they are. The variance of a correlation is that of the
    product of two standardised residuals over the degrees of freedom within sources.

    Parameters
    ----------
    totals : Totals
        Sums over sources.
    within : ndarray of float64, shape (p, p)
        The covariance within sources; no variance is zero.
    """
    variances = np.diagonal(within)
    scale = np.outer(variances, variances)
    correlations = within / np.sqrt(scale)
    spread = totals.fourth / (totals.n_linked_profiles * scale) - correlations**2
    error = np.maximum(spread, 0.0) / totals.degrees_of_freedom
    off = ~np.eye(len(within), dtype=bool)
    wrong, size = float(error[off].sum()), float((correlations[off] ** 2).sum())
    return wrong / size if size > wrong else float(len(within) > 1)


def _shrink(within: Floats, intensity: float, /) -> Floats:
    """Return the covariance with its products off the diagonal made smaller.

    Parameters
    ----------
    within : ndarray of float64, shape (p, p)
        A covariance.
    intensity : float
        From 0 (as it is) to 1 (diagonal).
    """
    out = (1.0 - intensity) * within
    np.fill_diagonal(out, np.diagonal(within))
    return out


@dataclass(frozen=True)
class Directions:
    """The whitened directions.

    Parameters
    ----------
    basis : ndarray of float64, shape (p, r)
        Profiles times this are coordinates with unit variance within sources.
    ratios : ndarray of float64, shape (r,)
        The variance between sources in each, in units of that within; largest first.
    n_dropped : int
        Directions left out, because the sources differ in them no more than replicates do.
    """

    basis: Floats
    ratios: Floats
    n_dropped: int


def _principal_basis(of_means: Floats, total: Floats, components: int | float, /) -> Floats:
    """Return the first principal components of source means, shape (p, r).

    Each target is scaled by its total standard deviation first, so that units do not matter.

    Parameters
    ----------
    of_means : ndarray of float64, shape (p, p)
        The covariance of the means of sources.
    total : ndarray of float64, shape (p,)
        The variance of each target over all profiles.
    components : int or float
        How many, or the share of the variance that they must reach.

    Raises
    ------
    InputError
        If there are not as many.
    """
    scale = 1.0 / np.sqrt(total)
    sizes, vectors = np.linalg.eigh(of_means * np.outer(scale, scale))
    sizes, vectors = np.maximum(sizes[::-1], 0.0), vectors[:, ::-1]
    available = int((sizes > sizes[0] * _NO_VARIANCE).sum())
    if isinstance(components, int):
        wanted = components
    else:
        reached = np.cumsum(sizes) / sizes.sum()
        wanted = int(np.searchsorted(reached, components) + 1)
    if wanted > available:
        raise InputError(
            f"{wanted} principal components were asked for, but the sources vary in {available} "
            f"directions only ({len(total)} targets). Ask for {available} or fewer."
        )
    return np.ascontiguousarray(scale[:, None] * vectors[:, :wanted])


def _simultaneous_directions(
    within: Floats, between: Floats, /, *, names: Sequence[str], basis: Floats | None
) -> Directions:
    """Make the within covariance the identity and the between covariance diagonal at once.

    A direction in which the estimated variance between sources is not positive has none: this
    is the non-negative estimate of Amemiya (Amer. Statist. 39 (1985) 112). Both propositions
    then give it the same probability, and it is left out.

    Parameters
    ----------
    within, between : ndarray of float64, shape (p, p)
        The covariances.
    names : sequence of str, length p
        The targets, for messages.
    basis : ndarray of float64, shape (p, r), or None
        Components to which profiles are reduced first.

    Raises
    ------
    InputError
        If the within covariance is singular, or the sources do not differ at all.
    """
    if basis is None:
        basis = np.eye(len(within))
        parts = list(names)
    else:
        within, between = basis.T @ within @ basis, basis.T @ between @ basis
        parts = [f"component {k + 1}" for k in range(basis.shape[1])]
    scale = 1.0 / np.sqrt(np.diagonal(within))
    _check_regular(within * np.outer(scale, scale), parts)
    # Scaled first: targets in very different units would cost digits.
    ratios, vectors = eigh(between * np.outer(scale, scale), within * np.outer(scale, scale))
    ratios, vectors = ratios[::-1], scale[:, None] * vectors[:, ::-1]
    kept = ratios > max(float(ratios[0]), 0.0) * _NO_VARIANCE
    if not kept.any():
        raise InputError(
            "the sources do not differ more than the replicates of one source, in no direction of "
            f"{listed(parts)}: there is nothing that could tell them apart. Check that the sources "
            "are given at the right level and that the targets are those meant."
        )
    return Directions(
        np.ascontiguousarray(basis @ vectors[:, kept]),
        np.ascontiguousarray(ratios[kept]),
        int((~kept).sum()),
    )


def _check_regular(correlations: Floats, names: Sequence[str]) -> None:
    sizes, vectors = np.linalg.eigh(correlations)
    if sizes[0] > SINGULAR:
        return
    part = np.abs(vectors[:, 0])
    guilty = [name for name, size in zip(names, part, strict=True) if size > 0.1 * part.max()]
    raise InputError(
        "the within-source covariance is singular: within sources, "
        f"{listed(guilty)} depend on each other (least eigenvalue of the correlations "
        f"{float(sizes[0]):.2g}). Values that add up to a constant, as after a sum normalisation, "
        "do so always: leave one of these targets out or take log-ratios; or reduce the targets "
        "with components=, or stabilise the estimate with shrinkage='schafer_strimmer'."
    )


@dataclass(frozen=True)
class Estimate:
    """The parameters of a two-level model.

    Parameters
    ----------
    mean : ndarray of float64, shape (p,)
        Of the population.
    within, between : ndarray of float64, shape (p, p)
        The covariances: within after shrinkage, between as estimated.
    kappa : float
        The effective number of profiles a source.
    bandwidth : float or None
        The width h of the kernel; None for a normal density between sources.
    intensity : float
        How far the within correlations were shrunk.
    basis : ndarray of float64, shape (p, r)
        The whitened directions.
    ratios : ndarray of float64, shape (r,)
        The variance between sources in them.
    n_dropped : int
        Directions without variance between sources, left out.
    """

    mean: Floats
    within: Floats
    between: Floats
    kappa: float
    bandwidth: float | None
    intensity: float
    basis: Floats
    ratios: Floats
    n_dropped: int


def estimate(
    totals: Totals, origin: Floats, options: TwoLevelOptions, /, *, features: Sequence[str]
) -> Estimate:
    """Estimate the parameters of a two-level model.

    Parameters
    ----------
    totals : Totals
        Sums over the sources of the background.
    origin : ndarray of float64, shape (p,)
        What the sums are about.
    options : TwoLevelOptions
        How.
    features : sequence of str, length p
        The targets, for messages.

    Raises
    ------
    InputError
        If there are too few sources, a target is constant, or a covariance is singular.
    """
    _check_sources(totals, options, len(features))
    m, n = totals.n_sources, totals.n_profiles
    unbiased = _within_covariance(totals, options.within)
    grand = totals.weighted_sum / n
    of_means = totals.weighted_squares - n * np.outer(grand, grand)
    total = np.diagonal(totals.scatter + of_means) / (n - 1)
    _check_varying(np.diagonal(unbiased), total, origin + grand, features)
    intensity = 0.0 if options.shrinkage == "none" else _shrinkage_intensity(totals, unbiased)
    within = _shrink(unbiased, intensity)
    between = _between_covariance(totals, unbiased, options.between_covariance)
    basis = None
    if options.components is not None:
        basis = _principal_basis(of_means / (m - 1), total, options.components)
        _check_linked(totals, basis.shape[1], options)
    unweighted = options.between_covariance == "unweighted"
    directions = _simultaneous_directions(within, between, names=features, basis=basis)
    return Estimate(
        mean=origin + (totals.plain_sum / m if unweighted else grand),
        within=within,
        between=between,
        kappa=_kappa(totals),
        bandwidth=_bandwidth(options, m, len(features) if basis is None else basis.shape[1]),
        intensity=intensity,
        basis=directions.basis,
        ratios=directions.ratios,
        n_dropped=directions.n_dropped,
    )


def _bandwidth(options: TwoLevelOptions, m: int, p: int) -> float | None:
    if options.between == "normal":
        return None
    if isinstance(options.bandwidth, str):
        return BANDWIDTHS[options.bandwidth].of(m, p)
    return float(options.bandwidth)


def _check_sources(totals: Totals, options: TwoLevelOptions, p: int) -> None:
    if totals.n_sources < 2:
        raise InputError(
            f"a two-level model needs several sources, got {totals.n_sources}: with one there is "
            "nothing to compare the variation between sources with. Check the column that names "
            "the sources."
        )
    if totals.n_linked < 2:
        raise InputError(
            f"{totals.n_linked} of {totals.n_sources} sources have two profiles or more, and the "
            "variation within sources is measured on those. Add replicates of known source."
        )
    if options.components is None:
        _check_linked(totals, p, options)


def _check_linked(totals: Totals, p: int, options: TwoLevelOptions) -> None:
    if options.shrinkage == "none" and totals.n_linked < p + 2:
        reduced = options.components is not None
        what = "components" if reduced else "targets"
        advice = (
            "Ask for fewer components, or stabilise the estimate"
            if reduced
            else "Reduce the targets with components=, or stabilise the estimate"
        )
        raise InputError(
            f"{totals.n_linked} sources with replicates are too few for {p} {what}: without "
            f"shrinkage at least {p + 2} are needed. {advice} with "
            "shrinkage='schafer_strimmer'; better, measure replicates of more sources."
        )


def _check_varying(within: Floats, total: Floats, mean: Floats, features: Sequence[str]) -> None:
    least = (_CONSTANT * np.abs(mean)) ** 2
    constant = [name for name, low in zip(features, total <= least, strict=True) if low]
    if constant:
        raise InputError(
            f"{listed(constant)} has the same value in every profile and tells nothing: leave it "
            "out."
        )
    repeated = [name for name, low in zip(features, within <= least, strict=True) if low]
    if repeated:
        raise InputError(
            f"{listed(repeated)} does not vary within any source, so that any difference would be "
            "infinitely strong evidence. Are these copies of one measurement, or values rounded "
            "too coarsely? Give real replicates, or leave it out."
        )
