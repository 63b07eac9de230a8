"""The status of a cell: whether a compound was detected, and if not, why there is no value."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose

__all__ = ["CENSORED", "UNUSABLE", "Status", "is_censored", "is_usable"]


class Status(IntEnum):
    """Whether a target was detected in a profile.

    A missing value is never one thing: a compound below its limit was looked for and is
    known to be scarce, a compound that was not measured may be there in any amount.
    """

    DETECTED = 0
    BELOW_LOQ = 1
    BELOW_LOD = 2
    NOT_MEASURED = 3
    REJECTED = 4

    @property
    def label(self) -> str:
        """The status as it is written in tables: ``"below_lod"``."""
        return self.name.lower()

    @classmethod
    def from_label(cls, label: str) -> Status:
        """Return the status that is written as `label`.

        Raises
        ------
        UnknownNameError
            If there is none; the message names the nearest.
        """
        return cls[choose(label, [s.label for s in cls], what="status").upper()]


CENSORED = (Status.BELOW_LOQ, Status.BELOW_LOD)
UNUSABLE = (Status.NOT_MEASURED, Status.REJECTED)


def is_censored(status: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which cells are below a limit."""
    return np.asarray((status == Status.BELOW_LOQ) | (status == Status.BELOW_LOD))


def is_usable(status: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which cells were measured and not rejected."""
    return np.asarray(status < Status.NOT_MEASURED)
