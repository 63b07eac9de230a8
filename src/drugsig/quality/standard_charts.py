"""`StandardChart`: the area of an internal standard from run to run, and which runs stand out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig.protocols.sections import QualityRule

__all__ = ["FEWEST_JUDGED", "ROBUST_LIMIT", "StandardChart", "chart_standard", "share_limit"]

# Beyond this modified z-score a value is called an outlier: B. Iglewicz and D. C. Hoaglin, How to
# Detect and Handle Outliers, ASQC Quality Press, 1993.
ROBUST_LIMIT = 3.5

# The median of fewer runs says little of what is usual.
FEWEST_JUDGED = 5

# The median absolute deviation of a normal distribution times this is its standard deviation.
_MAD_TO_SD = 1.4826


@dataclass(frozen=True, eq=False)
class StandardChart(FrozenArrays):
    """The area of an internal standard from run to run.

    Parameters
    ----------
    target : str
        The internal standard.
    ids, sequences : tuple of str
        The runs, in order.
    areas : ndarray of float64, shape (n_runs,)
        NaN where it was not found.
    centres, lows, highs : ndarray of float64, shape (n_runs,)
        The median of the sequence, and the limits a run is judged by; NaN where it has too few
        runs.
    outliers : tuple of (str, str)
        The profiles that stand out, and why in words.
    rule : str
        In words, what an outlier is.
    """

    target: str
    ids: tuple[str, ...]
    sequences: tuple[str, ...]
    areas: NDArray[np.float64]
    centres: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    outliers: tuple[tuple[str, str], ...]
    rule: str


def share_limit(rule: QualityRule, /) -> float | None:
    """Return the limit of a rule as a share; None where its unit is another."""
    return {"%": float(rule.limit) / 100.0, "1": float(rule.limit)}.get(rule.unit)


def chart_standard(
    target: str,
    areas: NDArray[np.float64],
    /,
    *,
    ids: Sequence[str],
    sequences: Sequence[str],
    judged: Sequence[bool],
    limit: float | None = None,
) -> StandardChart:
    """Chart the area of an internal standard and name the runs that stand out.

    Parameters
    ----------
    target : str
        Its name.
    areas : ndarray of float64, shape (n_runs,)
        NaN where it was not found.
    ids, sequences : sequence of str
        The runs; each is held against the median of its sequence.
    judged : sequence of bool
        Which runs must hold it: all but the blanks, which may have been made without it.
    limit : float, optional
        How far an area may be from the median, as a share of it. By default a robust rule: a
        modified z-score of 3.5, from 5 runs a sequence on.

    Returns
    -------
    StandardChart
        With limits a run and the outliers.
    """
    must = np.asarray(judged, dtype=bool)
    series = np.array(sequences, dtype=object)
    centres, half = np.full(len(areas), np.nan), np.full(len(areas), np.nan)
    for name in dict.fromkeys(sequences):
        mine = series == name
        known = areas[mine & must & np.isfinite(areas)]
        if len(known) < FEWEST_JUDGED:
            continue
        centre = float(np.median(known))
        centres[mine] = centre
        spread = _MAD_TO_SD * float(np.median(np.abs(known - centre)))
        if limit is not None:
            half[mine] = limit * centre
        elif spread > 0:
            half[mine] = ROBUST_LIMIT * spread
    outliers = []
    of = "its sequence" if any(sequences) else "all runs"
    for k in np.flatnonzero(must).tolist():
        if not np.isfinite(areas[k]):
            outliers.append((ids[k], f"internal standard {target} was not found, or rejected"))
        elif abs(areas[k] - centres[k]) > half[k]:
            part = areas[k] / centres[k]
            words = f"internal standard {target} at {part:.0%} of the median of {of}"
            outliers.append((ids[k], words))
    rule = (
        f"more than {ROBUST_LIMIT:g} robust standard deviations ({_MAD_TO_SD:g} times the median "
        f"absolute deviation) from the median of {of}"
        if limit is None
        else f"more than {limit:.3g} of the median of {of} away from it (the protocol's rule)"
    )
    return StandardChart(
        target=target,
        ids=tuple(ids),
        sequences=tuple(sequences),
        areas=np.array(areas, dtype=np.float64),
        centres=centres,
        lows=centres - half,
        highs=centres + half,
        outliers=tuple(outliers),
        rule=f"{rule}; judged from {FEWEST_JUDGED} runs on",
    )
