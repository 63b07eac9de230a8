"""`PrincipalAxes`: axes in which profiles spread most along the first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SINGLE", "TINY", "PrincipalAxes", "half_lowered", "margin", "power_below"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

# The rounding of single precision, and what is too small for it.
SINGLE = float(np.finfo(np.float32).eps) / 2.0
TINY = 1e-36

# The axes are found from so many profiles.
_SAMPLED = 50_000

# Turned so many profiles at a time.
_CHUNK = 65_536

# Points are tested against a box along the first axes: those that carry this share of the spread.
_SHARE_FILTERED = 0.55
_MOST_FILTERED = 8


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """A turn, a shift and a scale, which leave distances as they are but for the scale.

    Attributes
    ----------
    centre : ndarray of float64, shape (d,)
        Becomes zero.
    rotation : ndarray of float64, shape (d, d)
        One axis a row, the one along which profiles spread most first.
    scale : float
        A power of two, which keeps squares within single precision.
    n_filtered : int
        How many axes are worth testing one by one.
    """

    centre: Floats
    rotation: Floats
    scale: float
    n_filtered: int

    @classmethod
    def of(
        cls, coordinates: Floats, other: Floats | None = None, /, *, centred: bool = True
    ) -> PrincipalAxes:
        """Find the axes of coordinates of shape (d, n), and a scale for both sides."""
        d, n = coordinates.shape
        some = coordinates[:, :: max(1, n // _SAMPLED)]
        sides = [coordinates] if other is None else [coordinates, other]
        largest = max(float(np.abs(x).max(initial=0.0)) for x in sides)
        # Divided first: the squares of the largest allowed values overflow.
        scale = power_below(largest)
        scaled = some * scale
        centre = np.median(scaled, axis=1) if centred and n else np.zeros(d)
        around = scaled - centre[:, None]
        spread, axes = np.linalg.eigh(around @ around.T)
        spread, axes = np.maximum(spread[::-1], 0.0), axes.T[::-1]
        total = np.cumsum(spread)
        enough = int(np.searchsorted(total, _SHARE_FILTERED * total[-1])) + 1 if d else 0
        return cls(
            centre=centre / scale,
            rotation=np.ascontiguousarray(axes),
            scale=scale,
            n_filtered=min(enough, _MOST_FILTERED, d),
        )

    def turned(self, coordinates: Floats, /) -> Singles:
        """Return coordinates of shape (d, n) along the axes, in single precision."""
        d, n = coordinates.shape
        out = np.empty((d, n), dtype=np.float32)
        for first in range(0, n, _CHUNK):
            part = slice(first, min(first + _CHUNK, n))
            out[:, part] = self.rotation @ (
                (coordinates[:, part] - self.centre[:, None]) * self.scale
            )
        return out

    def rounding(self, coordinates: Floats, /) -> float:
        """Return how far a distance between turned points can be off, before single precision."""
        d, n = coordinates.shape
        largest = 0.0
        for first in range(0, n, _CHUNK):
            part = coordinates[:, first : first + _CHUNK] * self.scale
            largest = max(largest, float((part * part).sum(axis=0).max()))
        size = np.sqrt(largest) + float(np.linalg.norm(self.centre * self.scale))
        return float(64.0 * (d + 1) * np.finfo(np.float64).eps * size)


def power_below(largest: float) -> float:
    """Return the power of two that brings the largest number below 1, if it is a plain number."""
    return float(np.ldexp(1.0, -max(int(np.frexp(largest)[1]), -1000)))


def margin(d: int) -> float:
    """Return by what share squared lengths are lowered so that no pair is missed.

    A product of d + 2 terms in single precision is off by at most (d + 2) u times the sum of the
    terms' sizes, and the coordinates by u each, u = 2^-24; both together by less than
    2 (d + 4) u times half the sum of the squared lengths and of the squared radius. Twice that.
    """
    return 4.0 * (d + 6) * SINGLE


def half_lowered(squares: Floats, d: int) -> Floats:
    """Return half the squared lengths, less the margin."""
    return squares * ((1.0 - margin(d)) / 2.0)
