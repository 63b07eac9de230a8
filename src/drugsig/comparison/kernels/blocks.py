"""Several kernels side by side, each on targets of its own, joined in a weighted mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig.comparison.kernels.kernel import Kernel
from drugsig.comparison.kernels.summing import Floats, Mask, used

__all__ = ["BlockPart", "Blocks"]


@dataclass(frozen=True, eq=False)
class BlockPart(FrozenArrays):
    """One block of targets and how it is scored.

    Parameters
    ----------
    rows : ndarray of int, shape (p_block,)
        Its targets.
    kernel : Kernel
        The formula.
    distance : callable
        From the kernel's value to a distance that is zero for identical profiles.
    size : callable
        From prepared profiles of the block to their sizes on the scale of the distance.
    weight, scale : float
        What the distance, divided by its scale, counts.
    least : int
        With fewer targets measured in both, the block is missing from the pair.
    """

    rows: NDArray[np.intp]
    kernel: Kernel
    distance: Callable[[Floats], Floats]
    size: Callable[[Floats], Floats]
    weight: float
    scale: float
    least: int

    def _transformed(self, profile: Floats) -> Floats:
        return self.kernel.transform(self.kernel.prepare(profile))

    @cached_property
    def transformed_rows(self) -> int:
        """How many rows its transformed profiles have."""
        return len(self._transformed(np.ones((len(self.rows), 1))))

    @cached_property
    def skips_empty(self) -> bool:
        """Whether the kernel has no value for two empty profiles, and one for an empty and a full.

        Such a kernel divides by what the two have together.
        """
        nothing = self._transformed(np.zeros((len(self.rows), 1)))
        full = self._transformed(np.arange(1.0, len(self.rows) + 1.0)[:, None])
        alone, beside = self.kernel.complete(nothing, nothing), self.kernel.complete(nothing, full)
        return bool(np.isnan(alone[0]) and not np.isnan(beside[0]))

    def term(self, value: Floats) -> Floats:
        """Return what the block adds to the weighted sum."""
        return np.asarray(self.weight * (self.distance(value) / self.scale))


@dataclass(frozen=True)
class Blocks:
    """The mean of scaled block distances, by weight, over the blocks present in both profiles.

    Parameters
    ----------
    parts : tuple of BlockPart
        Together they hold every target once.
    """

    parts: tuple[BlockPart, ...]

    def prepare(self, x: Floats) -> Floats:
        """Prepare every block as its own kernel does."""
        out = np.empty_like(x)
        for part in self.parts:
            out[part.rows] = part.kernel.prepare(np.ascontiguousarray(x[part.rows]))
        return out

    def transform(self, x: Floats) -> Floats:
        """Transform every block, one below the other."""
        return np.concatenate(
            [part.kernel.transform(np.ascontiguousarray(x[part.rows])) for part in self.parts]
        )

    def complete(self, a: Floats, b: Floats) -> Floats:
        """Return distances of profiles in which every block is whole."""
        shape = np.broadcast_shapes(a.shape[1:], b.shape[1:])
        total, weight, top = np.zeros(shape), np.zeros(shape), 0
        for part in self.parts:
            rows = slice(top, top + part.transformed_rows)
            _add(part, part.kernel.complete(a[rows], b[rows]), None, total, weight)
            top = rows.stop
        return _mean(total, weight)

    def masked(self, a: Floats, b: Floats, both: Mask) -> Floats:
        """Return distances over the blocks present in both; NaN where there is none."""
        total, weight = np.zeros(both.shape[1:]), np.zeros(both.shape[1:])
        for part in self.parts:
            mask = both[part.rows]
            value = part.kernel.masked(a[part.rows], b[part.rows], mask)
            _add(part, value, used(mask) >= part.least, total, weight)
        return _mean(total, weight)

    def size(self, x: Floats) -> Floats:
        """Return the largest size of a block in every profile: a weighted mean is no larger."""
        sizes = [part.size(np.ascontiguousarray(x[part.rows])) / part.scale for part in self.parts]
        return np.asarray(np.max(sizes, axis=0))

    def error(self, p: int) -> float:
        """Return the largest error of a block, its targets taken as all, and that of the mean."""
        found = [part.kernel.error for part in self.parts]
        known = [error(p) for error in found if error is not None]
        return max(known) + 4.0 + 2.0 * len(self.parts) if len(known) == len(found) else np.inf

    def kernel(self) -> Kernel:
        """Return the kernel of these blocks."""
        return Kernel(
            self.complete,
            self.masked,
            transform=self.transform,
            prepare=self.prepare,
            size=self.size,
            size_words="the largest of a block, divided by its scale",
            error=self.error,
            condition="on what each block rests on",
        )


def _add(
    part: BlockPart, value: Floats, present: Mask | None, total: Floats, weight: Floats
) -> None:
    """Add a block to the sums where it is present, in place."""
    if part.skips_empty:
        # What neither profile has anything of says nothing about the two. A block in which one
        # profile has no score with any other leaves the pair undefined instead.
        some = ~np.isnan(value)
        present = some if present is None else present & some
    term = part.term(value)
    total += term if present is None else np.where(present, term, 0.0)
    weight += part.weight if present is None else np.where(present, part.weight, 0.0)


def _mean(total: Floats, weight: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.divide(total, weight, out=total)
