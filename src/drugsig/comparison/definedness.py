"""`Definedness`: which whole profiles have no score, with any other or with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric
from drugsig.comparison.sides import Side

__all__ = ["Definedness"]

Flags = NDArray[np.bool_]

_CHUNK = 65_536


@dataclass(frozen=True, eq=False)
class Definedness:
    """Which whole profiles have a score.

    A pair of whole profiles has no score if one of them has none with any other, as a constant
    profile has no correlation, or if both are empty, where the metric divides by what the two
    have together. Every registered metric keeps to this.

    Attributes
    ----------
    usable : ndarray of bool, shape (n,)
        Whole profiles that have a score with some other.
    empty : ndarray of bool, shape (n,)
        Those of them that have none with each other.
    """

    usable: Flags
    empty: Flags

    @classmethod
    def of(cls, side: Side, other: Side, metric: Metric, /, *, enough: bool) -> Definedness:
        """Find out by scoring every profile with itself, and the doubtful ones with a sound one.

        Parameters
        ----------
        side, other : Side
            The profiles, and those they will be scored with.
        metric : Metric
            The definition of the score.
        enough : bool
            Whether there are as many targets as the metric needs.
        """
        nothing = np.zeros(len(side), dtype=bool)
        if not enough:
            return cls(nothing, nothing)
        sound = _with_itself(side, metric)
        doubtful = np.flatnonzero(side.whole & ~sound)
        partner = side.ready[:, np.flatnonzero(sound)[:1]]
        if not partner.shape[1]:
            partner = other.ready[:, np.flatnonzero(_with_itself(other, metric))[:1]]
        if not len(doubtful) or not partner.shape[1]:
            return cls(sound, nothing)
        scores = metric.kernel.complete(side.ready[:, doubtful], partner)
        empty = nothing.copy()
        empty[doubtful[~np.isnan(scores)]] = True
        return cls(sound | empty, empty)


def _with_itself(side: Side, metric: Metric) -> Flags:
    """Return which profiles have a score with themselves."""
    sound = np.zeros(len(side), dtype=bool)
    for first in range(0, len(side), _CHUNK):
        part = side.ready[:, first : first + _CHUNK]
        sound[first : first + _CHUNK] = ~np.isnan(metric.kernel.complete(part, part))
    return sound
