"""Profiles made somewhat worse on purpose, to see what becomes of the likelihood ratios."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drugsig._check import is_number
from drugsig._check import share as checked_share
from drugsig.errors import InputError
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["MISTYPED_FACTOR", "can_be_redrawn", "mistyped", "redrawn"]

Floats = NDArray[np.float64]

# A decimal point that was forgotten or put in the wrong place: the error found most in tables.
MISTYPED_FACTOR = 10.0


def can_be_redrawn(profiles: ProfileSet, /, *, rsd: float | None = None) -> bool:
    """Say whether the uncertainty of any detected value is known.

    Parameters
    ----------
    profiles : ProfileSet
        With `uncertainty` or without.
    rsd : float, optional
        The relative standard uncertainty of values whose own is not known.
    """
    return bool((_spread(profiles, rsd) > 0).any())


def redrawn(
    profiles: ProfileSet, /, *, rng: np.random.Generator, rsd: float | None = None
) -> ProfileSet:
    """Return the same profiles as another measurement of the same specimens might have given them.

    Parameters
    ----------
    profiles : ProfileSet
        Its `uncertainty` is used where it is known.
    rng : numpy.random.Generator
        For drawing, profile by profile in the order of their ids.
    rsd : float, optional
        The relative standard uncertainty of values whose own is not known; without it they stay.

    Returns
    -------
    ProfileSet
        Detected values are redrawn; all else stays.

    Raises
    ------
    InputError
        If `rsd` is negative, or values of which a share is asked for are not positive.

    Notes
    -----
    Targets without a negative value are redrawn log-normally with the same mean and standard
    deviation, so that an area stays positive; others normally.
    """
    spread, values = _spread(profiles, rsd), profiles.values
    noise = np.empty(values.shape)
    noise[profiles.id_order] = rng.standard_normal(values.shape)
    out = values.copy()
    with np.errstate(invalid="ignore"):
        positive: NDArray[np.bool_] = np.asarray(~(values < 0.0).any(axis=0), dtype=bool)
        change = spread > 0.0
        by_factor = change & positive[None, :] & (values > 0.0)
    log_variance = np.log1p((spread[by_factor] / values[by_factor]) ** 2)
    out[by_factor] *= np.exp(np.sqrt(log_variance) * noise[by_factor] - log_variance / 2.0)
    by_addition = change & ~by_factor
    out[by_addition] += spread[by_addition] * noise[by_addition]
    return _with_values(profiles, out, "redrawn within its uncertainty")


def mistyped(
    profiles: ProfileSet,
    /,
    *,
    rng: np.random.Generator,
    share: float = 0.01,
    factor: float = MISTYPED_FACTOR,
) -> tuple[ProfileSet, tuple[tuple[str, str], ...]]:
    """Return the same profiles with one value wrong by a factor in a share of them.

    Parameters
    ----------
    profiles : ProfileSet
        As they were read is best: typing errors happen there.
    rng : numpy.random.Generator
        For choosing profiles, in the order of their ids, targets, and whether a value becomes too
        large or too small.
    share : float
        Of the profiles; at least one profile is changed.
    factor : float
        By which a value is multiplied or divided.

    Returns
    -------
    profiles : ProfileSet
        With wrong values.
    changed : tuple of (str, str)
        Profile and target of each.

    Raises
    ------
    InputError
        If the share or factor cannot be used, or nothing was detected.
    """
    checked_share(share, what="share of profiles with a mistyped value")
    if not 1.0 < factor < np.inf:
        raise InputError(f"factor must be a number above 1, got {factor!r}")
    # What is not compared is left alone: an error there would show nothing.
    impurity = np.array([t.role == "impurity" for t in profiles.targets])
    detected = profiles.detected & impurity
    order = profiles.id_order
    rows = order[detected.any(axis=1)[order]]
    if not len(rows):
        raise InputError(f"profile set '{profiles.name}' has no detected impurity to mistype")
    n = min(len(rows), max(1, round(share * len(profiles))))
    chosen = rows[np.sort(rng.choice(len(rows), size=n, replace=False))]
    values = profiles.values.copy()
    changed = []
    for row in chosen:
        column = int(rng.choice(np.flatnonzero(detected[row])))
        values[row, column] *= factor if rng.random() < 0.5 else 1.0 / factor
        changed.append((profiles.ids[row], profiles.target_names[column]))
    return _with_values(profiles, values, "mistyped"), tuple(changed)


def _spread(profiles: ProfileSet, rsd: float | None) -> Floats:
    """Return the standard uncertainty of every cell, 0 where it is not known."""
    known = np.where(np.isfinite(profiles.uncertainty), profiles.uncertainty, np.nan)
    if rsd is not None:
        if not is_number(rsd) or not 0.0 <= rsd < np.inf:
            raise InputError(f"rsd must be a number from 0, such as 0.05 for 5 %, got {rsd!r}")
        usable = np.where(profiles.detected, profiles.values, 0.0)
        if (usable < 0.0).any():
            raise InputError(
                f"profile set '{profiles.name}' holds negative values, of which a relative "
                "uncertainty means nothing: disturb the profiles before they are pretreated"
            )
        known = np.where(np.isnan(known), rsd * usable, known)
    return np.where(profiles.detected & np.isfinite(known), known, 0.0)


def _with_values(profiles: ProfileSet, values: Floats, how: str) -> ProfileSet:
    return ProfileSet(
        values,
        targets=profiles.targets,
        profiles=profiles.profiles,
        status=profiles.status,
        limits=profiles.limits,
        uncertainty=profiles.uncertainty,
        history=(*profiles.history, Step.make("disturb", {"how": how})),
        name=profiles.name,
    )
