"""`Block`: the arrays of a profile set while a recipe works on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drugsig.profiles.status import is_censored, is_usable
from drugsig.protocols.target import Target

__all__ = ["Block"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Block:
    """Values, status, limits and uncertainty of the same shape, with ids and targets.

    Steps take a block and return a new one.
    """

    values: Floats
    status: NDArray[np.uint8]
    limits: Floats
    uncertainty: Floats
    targets: tuple[Target, ...]
    ids: tuple[str, ...]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which cells were measured and not rejected."""
        return is_usable(self.status)

    @property
    def censored(self) -> NDArray[np.bool_]:
        """Which cells are below a limit."""
        return is_censored(self.status)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the targets."""
        return tuple(t.name for t in self.targets)

    @property
    def impurities(self) -> NDArray[np.bool_]:
        """Which columns are impurities."""
        return np.array([t.role == "impurity" for t in self.targets], dtype=bool)

    def columns(self, keep: NDArray[np.intp] | NDArray[np.bool_]) -> Block:
        """Return the block with these columns only."""
        places = np.arange(len(self.targets))[keep]
        return replace(
            self,
            values=self.values[:, places],
            status=self.status[:, places],
            limits=self.limits[:, places],
            uncertainty=self.uncertainty[:, places],
            targets=tuple(self.targets[k] for k in places),
        )

    def divided(self, divisor: Floats) -> Block:
        """Return the block divided by exact positive numbers, limits and uncertainty with it."""
        return replace(
            self,
            values=self.values / divisor,
            limits=self.limits / divisor,
            uncertainty=self.uncertainty / divisor,
        )

    def mapped(
        self, function: Callable[[Floats], Floats], slope: Callable[[Floats], Floats]
    ) -> Block:
        """Return the block through an increasing function of each cell.

        Parameters
        ----------
        function : callable
            Applied to values and limits.
        slope : callable
            Its derivative: the uncertainty is carried to first order.
        """
        return replace(
            self,
            values=function(self.values),
            limits=function(self.limits),
            uncertainty=self.uncertainty * np.abs(slope(self.values)),
        )

    def known(self) -> Block:
        """Return the block with NaN for every limit, uncertainty or unusable value not finite.

        A limit of zero has no logarithm, and a root has no slope at zero: what comes out of them
        is not known any more.
        """
        lost = ~self.usable & ~np.isfinite(self.values)
        return replace(
            self,
            values=np.where(lost, np.nan, self.values),
            limits=np.where(np.isfinite(self.limits), self.limits, np.nan),
            uncertainty=np.where(np.isfinite(self.uncertainty), self.uncertainty, np.nan),
        )
