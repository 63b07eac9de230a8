"""Simulated measurement: replicates, the amount weighed in, and targets beside the impurities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose, number, whole_number
from drugsig.datasets.disturbances import Disturbances
from drugsig.datasets.values import scatter
from drugsig.errors import InputError
from drugsig.protocols.target import Target

__all__ = [
    "REPLICATE_LEVELS",
    "other_areas",
    "other_targets",
    "replicate_counts",
    "replicate_ids",
    "replicate_noise",
    "replicated",
    "weigh",
]

Floats = NDArray[np.float64]

# From the coarsest to the finest: a specimen has units, a unit preparations, a preparation
# injections, and every injection is a profile. With what each adds to the scatter.
REPLICATE_LEVELS = ("unit", "preparation", "injection")
REPLICATE_RSD = {"unit": 0.05, "preparation": 0.04, "injection": 0.02}

# Typical areas. Only their ratios matter after normalisation.
MAIN_AREA = 1e8
STANDARD_AREA = 1e6
CUTTING_AREA = 2e7
DEGRADATION_AREA = 2e3

# What is weighed in differs between preparations; the added standard hardly does.
AMOUNT_RSD = 0.2
STANDARD_RSD = 0.02
# The share of specimens that hold a cutting agent.
CUT_SHARE = 0.6


def replicate_counts(given: Mapping[str, int] | None, /) -> dict[str, int]:
    """Return how many replicates there are at every level; 1 where not named.

    Raises
    ------
    UnknownNameError
        If a level is not known.
    InputError
        If a number is below 1.
    """
    counts = dict.fromkeys(REPLICATE_LEVELS, 1)
    for level, count in (given or {}).items():
        choose(level, REPLICATE_LEVELS, what="replicate level")
        counts[level] = whole_number(count, what=f"replicates of level '{level}'", least=1)
    return counts


def replicate_noise(given: Mapping[str, float] | None, /) -> dict[str, float]:
    """Return the relative standard deviation that every level adds.

    Raises
    ------
    UnknownNameError
        If a level is not known.
    InputError
        If a number is negative.
    """
    noise = dict(REPLICATE_RSD)
    for level, rsd in (given or {}).items():
        choose(level, REPLICATE_LEVELS, what="replicate level")
        noise[level] = number(rsd, what=f"replicate_rsd of level '{level}'")
    return noise


def replicated(
    rng: np.random.Generator,
    specimens: Floats,
    counts: Mapping[str, int],
    noise: Mapping[str, float],
    /,
) -> Floats:
    """Return one row an injection, shape (n_profiles, n_targets).

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of chance.
    specimens : ndarray of float64, shape (n_specimens, n_targets)
        One row a specimen.
    counts, noise : mapping of str to number
        Replicates of every level, and the relative standard deviation it adds.
    """
    rows = specimens
    for level in REPLICATE_LEVELS:
        rows = np.repeat(rows, counts[level], axis=0)
        rows *= scatter(rng, len(rows), np.full(rows.shape[1], noise[level]))
    return rows


def weigh(rng: np.random.Generator, n_specimens: int, counts: Mapping[str, int], /) -> Floats:
    """Draw the relative amount weighed in, one a profile, shape (n_profiles, 1)."""
    amounts = scatter(
        rng, n_specimens * counts["unit"] * counts["preparation"], np.array([AMOUNT_RSD])
    )
    return np.repeat(amounts, counts["injection"], axis=0)


def replicate_ids(
    specimen_ids: Sequence[str], counts: Mapping[str, int], /
) -> dict[str, list[str]]:
    """Return the ids of unit, preparation and injection, one a profile each.

    >>> replicate_ids(["S1"], {"unit": 1, "preparation": 1, "injection": 2})["injection_id"]
    ['S1-U1-P1-I1', 'S1-U1-P1-I2']
    """
    parts: list[tuple[str, ...]] = [(one,) for one in specimen_ids]
    for level in REPLICATE_LEVELS:
        letter = level[0].upper()
        parts = [(*p, f"{letter}{k}") for p in parts for k in range(1, counts[level] + 1)]
    ids = {"specimen_id": [p[0] for p in parts]}
    for depth, level in enumerate(REPLICATE_LEVELS, start=2):
        ids[f"{level}_id"] = ["-".join(p[:depth]) for p in parts]
    return ids


def other_targets(
    *,
    main_compound: str | None,
    internal_standard: str | None,
    cutting_agents: Sequence[str],
    degradation_product: str | None,
) -> tuple[Target, ...]:
    """Return the targets that are no impurities, with their roles."""
    if isinstance(cutting_agents, str):
        raise InputError(f"cutting_agents must be a list of names, got {cutting_agents!r}")
    wanted = (
        (main_compound, "main"),
        (internal_standard, "internal_standard"),
        *((agent, "cutting_agent") for agent in cutting_agents),
        (degradation_product, "degradation_product"),
    )
    return tuple(Target(name, role) for name, role in wanted if name is not None)


def other_areas(
    rng: np.random.Generator, targets: Sequence[Target], found: Disturbances, n_sources: int, /
) -> Floats:
    """Draw the areas of such targets, shape (n_specimens, n_targets).

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of chance.
    targets : sequence of Target
        From `other_targets`.
    found : Disturbances
        Which specimens have aged.
    n_sources : int
        How many sources there are.

    Returns
    -------
    ndarray of float64
        Without the internal standard's scatter and the amount weighed in.
    """
    n = len(found.sources)
    columns = np.empty((n, len(targets)))
    for k, target in enumerate(targets):
        if target.role == "main":
            # Purity belongs to the source, apart from what was added to a specimen later.
            purity = 0.3 + 0.6 * rng.random(n_sources)
            columns[:, k] = MAIN_AREA * purity[found.sources] * (0.8 + 0.2 * rng.random(n))
        elif target.role == "internal_standard":
            columns[:, k] = STANDARD_AREA
        elif target.role == "cutting_agent":
            held, much = rng.random((2, n))
            columns[:, k] = np.where(held < CUT_SHARE, CUTTING_AREA * (0.1 + 0.9 * much), 0.0)
        else:
            columns[:, k] = DEGRADATION_AREA * (0.5 + rng.random(n)) * found.growth
    return columns
