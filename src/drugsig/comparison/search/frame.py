"""`Frame`: axes in which profiles spread most along the first, and `Points` in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.search.fast import compiled_code
from drugsig.comparison.search.tree import LEAF, Tree, one_leaf_after_another, plant

__all__ = ["SINGLE", "TINY", "Frame", "Points", "half_lowered", "margin", "power_below"]

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

# Compiled code tests points along more axes, as each costs it less.
_KEPT_APART = 12

# Points in a leaf for compiled code, which cuts leaves into small boxes itself: fewer leaves mean
# that the points of the other side are read less often.
_COMPILED_LEAF = 1024

# Compiling, or loading what was compiled before, takes longer than a search among fewer profiles.
_COMPILED_FROM = 50_000


@dataclass(frozen=True, eq=False)
class Frame:
    """A turn, a shift and a scale, which leave distances as they are but for the scale.

    Attributes
    ----------
    centre : ndarray of float64, shape (d,)
        Becomes zero.
    axes : ndarray of float64, shape (d, d)
        One axis a row, the one along which profiles spread most first.
    scale : float
        A power of two, which keeps squares within single precision.
    n_filtered : int
        How many axes are worth testing one by one.
    """

    centre: Floats
    axes: Floats
    scale: float
    n_filtered: int

    @classmethod
    def of(
        cls, coordinates: Floats, other: Floats | None = None, /, *, centred: bool = True
    ) -> Frame:
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
            axes=np.ascontiguousarray(axes),
            scale=scale,
            n_filtered=min(enough, _MOST_FILTERED, d),
        )

    def turned(self, coordinates: Floats, /) -> Singles:
        """Return coordinates of shape (d, n) along the axes, in single precision."""
        d, n = coordinates.shape
        out = np.empty((d, n), dtype=np.float32)
        for first in range(0, n, _CHUNK):
            part = slice(first, min(first + _CHUNK, n))
            out[:, part] = self.axes @ ((coordinates[:, part] - self.centre[:, None]) * self.scale)
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


@dataclass(frozen=True, eq=False)
class Points:
    """Profiles as points in a frame, one leaf of neighbours after another.

    Attributes
    ----------
    tree : Tree
        The leaves; boxes in single precision.
    rows : ndarray of float32, shape (n, d + 2)
        By place in the tree: a point, minus half its squared length, and 1.
    filtered : ndarray of float32, shape (at most 12, n)
        The first coordinates by place.
    n_filtered : int
        How many of them are worth testing where nothing is compiled.
    refined : bool
        Whether neighbours are next to each other within leaves too, for compiled code.
    longest : float
        The length of the longest point.
    rounding : float
        From `Frame.rounding`.
    """

    tree: Tree
    rows: Singles
    filtered: Singles
    n_filtered: int
    refined: bool
    longest: float
    rounding: float

    @classmethod
    def of(
        cls, frame: Frame, coordinates: Floats, /, *, planted: bool, leaf: int | None = None
    ) -> Points:
        """Put profiles into leaves.

        Parameters
        ----------
        frame : Frame
            The axes.
        coordinates : ndarray of float64, shape (d, n)
            The profiles.
        planted : bool
            Whether to put neighbours together; otherwise profiles stay as they stand.
        leaf : int, optional
            The most profiles in a leaf.
        """
        turned = frame.turned(coordinates)
        d, n = turned.shape
        code = compiled_code() if planted and n >= _COMPILED_FROM else None
        leaf = leaf or (LEAF if code is None else _COMPILED_LEAF)
        tree = plant(turned, leaf=leaf) if planted else one_leaf_after_another(turned, leaf=leaf)
        rows = np.empty((n, d + 2), dtype=np.float32)
        squares = np.zeros(n)
        for k, row in enumerate(turned):
            placed = row.take(tree.order)
            rows[:, k] = placed
            squares += placed.astype(np.float64) ** 2
        rows[:, d] = -half_lowered(squares, d)
        rows[:, d + 1] = 1.0
        if code is not None:
            code.refine(rows, tree.order, tree.starts, d)
        return cls(
            tree=tree,
            rows=rows,
            filtered=np.ascontiguousarray(rows[:, : min(d, _KEPT_APART)].T),
            n_filtered=frame.n_filtered,
            refined=code is not None,
            longest=float(np.sqrt(squares.max(initial=0.0))),
            rounding=frame.rounding(coordinates),
        )

    def opposite(self) -> Points:
        """Return every point on the other side of the origin, at the same place."""
        d = self.rows.shape[1] - 2
        rows: NDArray[Any] = self.rows.copy()
        rows[:, :d] *= -1.0
        tree = replace(self.tree, low=-self.tree.high, high=-self.tree.low)
        return replace(self, tree=tree, rows=rows, filtered=-self.filtered)


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
