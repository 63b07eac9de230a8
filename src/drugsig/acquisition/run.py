"""`Run`: one GC-MS acquisition, as the instrument wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.errors import InputError

__all__ = ["Run", "RunMetadata", "Scan"]

# A stated total ion current and the sum of points agree if they differ by no more than this share:
# above what a sum in single precision loses, below what a missing point takes away.
TIC_TOLERANCE = 1e-5


@dataclass(frozen=True)
class RunMetadata:
    """What the header of a file says about the run; empty where it says nothing.

    Parameters
    ----------
    file_name : str
        The name of the file or folder, without its path.
    sha256 : str
        Of the bytes of the file, or of the data file inside a folder.
    format : str
        ``"andi_ms"``, ``"andi_chromatography"``, ``"mzml"``, ``"mzxml"``, ``"jcamp_dx"`` or
        ``"agilent_d"``.
    sample_name, operator, method, instrument : str
        As the header has them.
    acquired : str
        The date, and the time if there is one, in ISO 8601; empty if it cannot be told.
    ionisation, separation : str
        As the header has them.
    time_unit : str
        The unit of time in the file; times are converted to seconds.
    other : mapping of str to str
        Every further field of the header that was read.
    notes : tuple of str
        What a reader of the data must know: guesses, conversions, disagreements.
    """

    file_name: str
    sha256: str
    format: str
    sample_name: str = ""
    operator: str = ""
    method: str = ""
    instrument: str = ""
    acquired: str = ""
    ionisation: str = ""
    separation: str = ""
    time_unit: str = ""
    other: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Scan:
    """One mass spectrum of a run.

    Parameters
    ----------
    index : int
        Its place in the run, from 0.
    time_s : float
        When it was acquired, in seconds from injection.
    mz, intensity : ndarray of float64, shape (n_points,)
        Sorted by m/z.
    stated_tic : float
        The total ion current the header states; NaN if it states none.
    """

    index: int
    time_s: float
    mz: NDArray[np.float64]
    intensity: NDArray[np.float64]
    stated_tic: float = float("nan")


@dataclass(frozen=True, eq=False, repr=False)
class Run(FrozenArrays):
    """One GC-MS acquisition: scans with their m/z and intensities.

    Made by `drugsig.read_run`. Points of scan k are ``mz[offsets[k]:offsets[k + 1]]``.

    Attributes
    ----------
    scan_times_s : ndarray of float64, shape (n_scans,)
        Seconds, rising.
    offsets : ndarray of int64, shape (n_scans + 1,)
        Where each scan begins in `mz` and `intensity`.
    mz, intensity : ndarray of float64, shape (n_points,)
        Sorted by m/z within each scan.
    stated_tic : ndarray of float64, shape (n_scans,)
        The total ion current as the header states it; NaN where it states none.
    metadata : RunMetadata
        What the header says.
    notes : tuple of Note
        Why it may not be what profiles are made of.
    """

    scan_times_s: NDArray[np.float64]
    offsets: NDArray[np.int64]
    mz: NDArray[np.float64]
    intensity: NDArray[np.float64]
    stated_tic: NDArray[np.float64]
    metadata: RunMetadata
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.scan_times_s)
        if len(self.offsets) != n + 1 or len(self.stated_tic) != n:
            raise InputError(
                f"a run of {n} scans needs {n + 1} offsets and {n} totals, got "
                f"{len(self.offsets)} and {len(self.stated_tic)}"
            )
        if len(self.mz) != len(self.intensity) or (n and self.offsets[-1] != len(self.mz)):
            raise InputError("m/z, intensities and offsets of a run do not fit together")
        self._freeze_arrays()

    def __len__(self) -> int:
        return len(self.scan_times_s)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Run):
            return NotImplemented
        return (
            self.metadata == other.metadata
            and np.array_equal(self.scan_times_s, other.scan_times_s)
            and np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.mz, other.mz)
            and np.array_equal(self.intensity, other.intensity)
            and np.array_equal(self.stated_tic, other.stated_tic, equal_nan=True)
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    @property
    def tic(self) -> NDArray[np.float64]:
        """The sum of the points of every scan, shape (n_scans,)."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.intensity)])
        return np.asarray(np.diff(cumulative[self.offsets]))

    @property
    def tic_disagreement(self) -> float | None:
        """The share of scans whose stated total differs from the sum of their points.

        None where the header states no totals. A run that was background-subtracted, or
        thresholded after the total was taken, disagrees.
        """
        stated = ~np.isnan(self.stated_tic)
        if not stated.any():
            return None
        summed, told = self.tic[stated], self.stated_tic[stated]
        unlike = np.abs(summed - told) > TIC_TOLERANCE * np.maximum(np.abs(told), 1.0)
        return float(unlike.mean())

    def scan(self, index: int, /) -> Scan:
        """Return one scan."""
        start, stop = int(self.offsets[index]), int(self.offsets[index + 1])
        return Scan(
            index=index,
            time_s=float(self.scan_times_s[index]),
            mz=self.mz[start:stop],
            intensity=self.intensity[start:stop],
            stated_tic=float(self.stated_tic[index]),
        )

    def __iter__(self) -> Iterator[Scan]:
        return (self.scan(k) for k in range(len(self)))

    def __repr__(self) -> str:
        if not len(self):
            return f"<Run '{self.metadata.file_name}': no scans>"
        return (
            f"<Run '{self.metadata.file_name}': {len(self)} scans, "
            f"{self.scan_times_s[0]:.2f}-{self.scan_times_s[-1]:.2f} s, {len(self.mz)} points, "
            f"{self.metadata.format}>"
        )

    def _repr_html_(self) -> str:
        told = self.metadata
        rows = [
            ("file", told.file_name),
            ("format", told.format),
            ("scans", f"{len(self)}"),
            ("sample", told.sample_name),
            ("method", told.method),
            ("instrument", told.instrument),
            ("acquired", told.acquired),
            *(("note", note) for note in told.notes),
        ]
        return html_table((name, text) for name, text in rows if text)
