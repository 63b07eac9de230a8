"""`Estimate`: the parameters of a two-level model, from sums over sources and named options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import listed
from drugsig.errors import InputError
from drugsig.evidence.two_level.conventions import BANDWIDTHS, TwoLevelOptions
from drugsig.evidence.two_level.covariance import (
    between_covariance,
    kappa,
    shrink,
    shrinkage_intensity,
    within_covariance,
)
from drugsig.evidence.two_level.directions import principal_basis, simultaneous_directions
from drugsig.evidence.two_level.sums import Totals

__all__ = ["ENOUGH_SOURCES", "Estimate", "estimate"]

Floats = NDArray[np.float64]

# Below this many linked sources for each target or component, the covariances are poorly known.
ENOUGH_SOURCES = 10

# A standard deviation below this share of the size of the values is rounding of a constant.
_CONSTANT = 1e-13


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
    unbiased = within_covariance(totals, options.within)
    grand = totals.weighted_sum / n
    of_means = totals.weighted_squares - n * np.outer(grand, grand)
    total = np.diagonal(totals.scatter + of_means) / (n - 1)
    _check_varying(np.diagonal(unbiased), total, origin + grand, features)
    intensity = 0.0 if options.shrinkage == "none" else shrinkage_intensity(totals, unbiased)
    within = shrink(unbiased, intensity)
    between = between_covariance(totals, unbiased, options.between_covariance)
    basis = None
    if options.components is not None:
        basis = principal_basis(of_means / (m - 1), total, options.components)
        _check_linked(totals, basis.shape[1], options)
    unweighted = options.between_covariance == "unweighted"
    directions = simultaneous_directions(within, between, names=features, basis=basis)
    return Estimate(
        mean=origin + (totals.plain_sum / m if unweighted else grand),
        within=within,
        between=between,
        kappa=kappa(totals),
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
