"""`Chromatogram`: one trace of intensity over time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig._notes import Note
from drugsig.acquisition.run import RunMetadata
from drugsig.errors import InputError

__all__ = ["Chromatogram", "StatedPeak"]


@dataclass(frozen=True)
class StatedPeak:
    """A peak as the file's own peak table states it; NaN or empty where it does not.

    Parameters
    ----------
    retention_time_s : float
        In seconds.
    name : str
        As the data system labelled it.
    area, height, amount : float
        In the units of the file.
    """

    retention_time_s: float
    name: str = ""
    area: float = float("nan")
    height: float = float("nan")
    amount: float = float("nan")


@dataclass(frozen=True, eq=False, repr=False)
class Chromatogram(FrozenArrays):
    """One trace: a detector signal, a total ion current, or the trace of an ion.

    Attributes
    ----------
    times_s : ndarray of float64, shape (n_points,)
        Seconds, rising; not always evenly spaced.
    intensity : ndarray of float64, shape (n_points,)
        In the unit of the detector.
    channel : str
        What was recorded: ``"TIC"``, ``"FID1A"``, ``"m/z 82"`` ...
    unit : str
        Of the intensity, as the header has it.
    metadata : RunMetadata
        What the header says.
    peaks : tuple of StatedPeak
        The file's own peak table, if it has one.
    notes : tuple of Note
        Why it may not be what profiles are made of.
    """

    times_s: NDArray[np.float64]
    intensity: NDArray[np.float64]
    channel: str
    metadata: RunMetadata
    unit: str = ""
    peaks: tuple[StatedPeak, ...] = field(default=())
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        if self.times_s.shape != self.intensity.shape or self.times_s.ndim != 1:
            raise InputError(
                f"a trace needs as many times as intensities, got {self.times_s.shape} and "
                f"{self.intensity.shape}"
            )
        self._freeze_arrays()

    def __len__(self) -> int:
        return len(self.times_s)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Chromatogram):
            return NotImplemented
        return (
            self.metadata == other.metadata
            and self.channel == other.channel
            and self.unit == other.unit
            and np.array_equal(self.times_s, other.times_s)
            and np.array_equal(self.intensity, other.intensity)
            and repr(self.peaks) == repr(other.peaks)
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    def __repr__(self) -> str:
        span = f"{self.times_s[0]:.2f}-{self.times_s[-1]:.2f} s" if len(self) else "empty"
        peaks = f", {len(self.peaks)} stated peaks" if self.peaks else ""
        return (
            f"<Chromatogram {self.channel} of '{self.metadata.file_name}': {len(self)} points, "
            f"{span}{peaks}>"
        )
