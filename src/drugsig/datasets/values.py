"""Simulated values on bare arrays: sources, profiles of them, and what is below the limit.

A value is log-normal. Sources differ by shared factors, as compounds that rise and fall
together make them differ, or target by target, or lie along a continuum; profiles of one source
scatter by a relative standard deviation of each target's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import (
    choose,
    freeze,
    generator,
    number,
    number_range,
    share,
    whole_number,
    whole_numbers,
)
from drugsig.errors import InputError

__all__ = [
    "BETWEEN",
    "SimulatedValues",
    "Spread",
    "detection_limit",
    "draw_logs",
    "draw_sizes",
    "log_sd",
    "scatter",
    "simulate_values",
]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# How sources differ from each other.
BETWEEN = ("continuum", "factor", "iid")

# Sizes of sources: p(s) ~ s^-1.2 up to 50, many small ones and a few large.
SIZE_EXPONENT = 1.2
LARGEST_SIZE = 50


@dataclass(frozen=True)
class Spread:
    """How the sources of a simulation differ from each other.

    Parameters
    ----------
    between : {"factor", "iid", "continuum"}
        By shared factors and each target on its own; by each target on its own; or one after
        the other along a line, so that neighbours are alike and the ends are not.
    between_sd : float
        Standard deviation between sources of the natural logarithm of a value; not used along a
        continuum.
    n_factors : int
        How many factors are shared.
    factor_share : float
        The share of the variance between sources that the shared factors carry.
    step : float
        Along a continuum: how far neighbours are apart, in standard deviations within a source.
    level_sd : float
        Standard deviation of the typical logarithms of the targets, which all sources share.

    Raises
    ------
    InputError
        If one of them is out of bounds.
    """

    between: str = "factor"
    between_sd: float = 1.0
    n_factors: int = 6
    factor_share: float = 0.6
    step: float = 0.5
    level_sd: float = 0.0

    def __post_init__(self) -> None:
        choose(self.between, BETWEEN, what="way in which sources differ (between)")
        number(self.between_sd, what="between_sd")
        whole_number(self.n_factors, what="n_factors", least=1)
        if self.factor_share != 1.0:
            share(self.factor_share, what="factor_share", zero=True)
        number(self.step, what="step", open_low=True)
        number(self.level_sd, what="level_sd")


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedValues:
    """Values with known sources, made by `simulate_values`.

    Attributes
    ----------
    values : ndarray of float64, shape (n_profiles, n_targets)
        Zero where below the limit. The profiles of a source are neighbours.
    sources : ndarray of int, shape (n_profiles,)
        The source of every profile, numbered from 0.
    source_values : ndarray of float64, shape (n_sources, n_targets)
        The mean values of every source.
    rsd : ndarray of float64, shape (n_targets,)
        The relative standard deviation within a source.
    limit : float
        Values below it became zero; 0 where none did.
    """

    values: Floats
    sources: Places
    source_values: Floats
    rsd: Floats
    limit: float

    def __post_init__(self) -> None:
        for array in (self.values, self.sources, self.source_values, self.rsd):
            freeze(array)

    def __repr__(self) -> str:
        n, p = self.values.shape
        zeros = float((self.values == 0).mean())
        return (
            f"<SimulatedValues: {n} profiles x {p} targets from {len(self.source_values)} "
            f"sources, {zeros:.1%} below the limit>"
        )


def simulate_values(
    *,
    rng: np.random.Generator,
    n_profiles: int | None = None,
    sizes: Sequence[int] | None = None,
    n_targets: int = 30,
    between: str = "factor",
    between_sd: float = 1.0,
    n_factors: int = 6,
    factor_share: float = 0.6,
    step: float = 0.5,
    level_sd: float = 0.0,
    within_rsd: float | tuple[float, float] = (0.10, 0.20),
    below_lod: float = 0.17,
) -> SimulatedValues:
    """Draw values of profiles with known sources, as bare arrays.

    The defaults are the data that speed is measured on. `simulate_profiles` adds routes,
    replicates, seizures and all that makes a case.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance: the same state gives the same values, as far as numpy
        promises that for its version.
    n_profiles : int, optional
        How many profiles; sources of 1 to 50 profiles, the sizes drawn with p(s) ~ s^-1.2, fill
        them up, and the last source is cut to fit.
    sizes : sequence of int, optional
        How many profiles each source has, instead of `n_profiles`.
    n_targets : int
        How many targets.
    between : {"factor", "iid", "continuum"}
        How sources differ: see `Spread`, as for the following four.
    between_sd, n_factors, factor_share, step, level_sd
        See `Spread`.
    within_rsd : float or (float, float)
        The relative standard deviation within a source; of two, each target draws its own in
        between.
    below_lod : float
        The share of all values that lie below one common limit and become zero.

    Returns
    -------
    SimulatedValues
        The values with their sources.

    Raises
    ------
    InputError
        If an argument is out of bounds.

    Examples
    --------
    >>> import numpy as np
    >>> simulate_values(rng=np.random.default_rng(1), n_profiles=1000)
    <SimulatedValues: 1000 profiles x 30 targets from ... sources, 17.0% below the limit>
    """
    rng = generator(rng)
    spread = Spread(between, between_sd, n_factors, factor_share, step, level_sd)
    p = whole_number(n_targets, what="n_targets", least=1)
    low, high = number_range(within_rsd, what="within_rsd")
    below = share(below_lod, what="below_lod", zero=True)
    if (n_profiles is None) == (sizes is None):
        raise InputError(
            "simulate_values needs either n_profiles, for sizes drawn at random, or sizes, one "
            f"number a source; got n_profiles={n_profiles!r} and sizes={sizes!r}"
        )
    counts = (
        draw_sizes(rng, n_profiles=whole_number(n_profiles, what="n_profiles", least=1))
        if sizes is None
        else np.array(whole_numbers(sizes, what="sizes", least=1), dtype=np.intp)
    )
    sources = np.repeat(np.arange(len(counts), dtype=np.intp), counts)
    rsd = rng.uniform(low, high, size=p)
    logs = draw_logs(rng, len(counts), spread=spread, rsd=rsd)
    # Every step in place: a million profiles of 30 targets are 240 MB an array.
    values = scatter(rng, len(sources), rsd)
    values *= np.exp(logs)[sources]
    limit = detection_limit(values, below)
    values[values < limit] = 0.0
    return SimulatedValues(values, sources, np.exp(logs), rsd, limit)


def draw_sizes(
    rng: np.random.Generator, /, *, n_profiles: int | None = None, n_sources: int | None = None
) -> Places:
    """Draw how many profiles each source has, with p(s) ~ s^-1.2 from 1 to 50.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of chance.
    n_profiles : int, optional
        Draw until so many profiles are reached; the last size is cut to fit.
    n_sources : int, optional
        Draw so many sizes.

    Returns
    -------
    ndarray of int, shape (n_sources,)
        Each at least 1.
    """
    chance = np.arange(1, LARGEST_SIZE + 1, dtype=np.float64) ** -SIZE_EXPONENT
    steps = np.cumsum(chance / chance.sum())[:-1]

    def some(count: int) -> Places:
        return np.searchsorted(steps, rng.random(count), side="right").astype(np.intp) + 1

    if n_sources is not None:
        return some(n_sources)
    if n_profiles is None:
        raise InputError("draw_sizes needs n_profiles or n_sources")
    drawn = np.empty(0, dtype=np.intp)
    while drawn.sum() < n_profiles:
        drawn = np.concatenate([drawn, some(max(8, n_profiles // 8))])
    total = np.cumsum(drawn)
    last = int(np.searchsorted(total, n_profiles))
    sizes = drawn[: last + 1]
    sizes[-1] -= total[last] - n_profiles
    return sizes


def draw_logs(
    rng: np.random.Generator, n_sources: int, /, *, spread: Spread, rsd: Floats
) -> Floats:
    """Draw the logarithms of the mean values of every source, shape (n_sources, n_targets).

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of chance.
    n_sources : int
        How many sources.
    spread : Spread
        How they differ.
    rsd : ndarray of float64, shape (n_targets,)
        The relative standard deviation within a source: the scale of a continuum.
    """
    p = len(rsd)
    level = spread.level_sd * rng.standard_normal(p)
    if spread.between == "continuum":
        direction = rng.standard_normal(p)
        direction *= np.sqrt(p / (direction**2).sum()) * spread.step * log_sd(rsd)
        places = np.arange(n_sources) - (n_sources - 1) / 2.0
        return np.asarray(level + places[:, None] * direction)
    if spread.between == "iid":
        return np.asarray(level + spread.between_sd * rng.standard_normal((n_sources, p)))
    loadings = rng.standard_normal((spread.n_factors, p))
    # Columns of length one: the factors carry the same share of every target's variance.
    loadings /= np.sqrt((loadings**2).sum(axis=0))
    factors = rng.standard_normal((n_sources, spread.n_factors))
    own = rng.standard_normal((n_sources, p))
    own *= np.sqrt(1.0 - spread.factor_share)
    # One factor after the other: a matrix product differs in the last bits between machines.
    for factor, loading in zip(factors.T, np.sqrt(spread.factor_share) * loadings, strict=True):
        own += factor[:, None] * loading
    return np.asarray(level + spread.between_sd * own)


def log_sd(rsd: Floats | float, /) -> Floats:
    """Return the standard deviation of the logarithm that gives a log-normal value this RSD."""
    return np.sqrt(np.log1p(np.square(rsd, dtype=np.float64)))


def scatter(rng: np.random.Generator, n: int, rsd: Floats, /) -> Floats:
    """Draw factors of mean 1 that scatter values, shape (n, n_targets).

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of chance.
    n : int
        How many rows.
    rsd : ndarray of float64, shape (n_targets,)
        Their relative standard deviation.
    """
    factors = rng.standard_normal((n, len(rsd)))
    sigma = log_sd(rsd)
    factors *= sigma
    factors -= sigma**2 / 2.0
    return np.exp(factors, out=factors)


def detection_limit(values: Floats, below: float, /) -> float:
    """Return the limit below which a share of the values lies.

    Parameters
    ----------
    values : ndarray of float64, shape (n, p)
        Not negative.
    below : float
        The share of values that are to lie below, those that are zero included.

    Returns
    -------
    float
        The smallest value that does not lie below. 0 where nothing does and nothing is zero.
    """
    place = max(int(below * values.size), int((values == 0).sum()))
    if place == 0:
        return 0.0
    place = min(place, values.size - 1)
    return float(np.partition(values, place, axis=None)[place])
