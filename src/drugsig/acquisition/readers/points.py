"""The one gate for the points of a run: what every reader hands over is checked here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drugsig.acquisition.run import Run, RunMetadata, Scan
from drugsig.errors import RunError

__all__ = ["Points", "RawScan", "ScanGate", "check_trace", "collect", "make_run"]

# No ion of an electron ionisation spectrum comes near this, and no detector near that.
MOST_MZ = 10_000.0
MOST_INTENSITY = 1e20
# More than ten days: a time beyond it is a damaged number.
LONGEST_S = 1e6

# What ANDI writers put where they have no value. Read as a time it would pass for one.
NULL = -9999.0

Floats = NDArray[np.float64]


class RawScan(NamedTuple):
    """A scan as a reader found it, not yet checked."""

    time_s: float
    mz: Floats
    intensity: Floats
    stated_tic: float


@dataclass(frozen=True, eq=False)
class Points:
    """All scans of a run as a reader found them, not yet checked.

    Parameters
    ----------
    times_s : ndarray, shape (n_scans,)
        Seconds.
    offsets : ndarray of int64, shape (n_scans + 1,)
        Where each scan begins.
    mz, intensity : ndarray, shape (n_points,)
        In the order of the file.
    stated_tic : ndarray, shape (n_scans,)
        NaN where the file states none.
    """

    times_s: Floats
    offsets: NDArray[np.int64]
    mz: Floats
    intensity: Floats
    stated_tic: Floats


def collect(scans: Iterable[RawScan]) -> Points:
    """Join scans, whatever their number."""
    times, totals, lengths = [], [], []
    masses: list[Floats] = []
    intensities: list[Floats] = []
    for scan in scans:
        times.append(scan.time_s)
        totals.append(scan.stated_tic)
        lengths.append(len(scan.mz))
        masses.append(scan.mz)
        intensities.append(scan.intensity)
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    nothing = np.empty(0)
    return Points(
        times_s=np.array(times, dtype=np.float64),
        offsets=offsets,
        mz=np.concatenate([nothing, *masses], dtype=np.float64),
        intensity=np.concatenate([nothing, *intensities], dtype=np.float64),
        stated_tic=np.array(totals, dtype=np.float64),
    )


def make_run(points: Points, metadata: RunMetadata, /, *, path: Path) -> tuple[Run, bool]:
    """Check the points of a run and make it.

    Parameters
    ----------
    points : Points
        What the reader found.
    metadata : RunMetadata
        What goes with it.
    path : Path
        For messages.

    Returns
    -------
    run : Run
        With its points sorted by m/z.
    was_sorted : bool
        Whether they were so in the file.

    Raises
    ------
    RunError
        If times do not rise, or a number cannot be what it stands for.
    """
    if not len(points.times_s) or not len(points.mz):
        raise RunError(
            f"'{path.name}' holds no mass spectra. Export the run again with its scans, not only "
            "its header or its chromatogram.",
            path=path,
            reason="empty",
        )
    starts = points.offsets[:-1]
    _check_times(points.times_s, path, first=0, after=-np.inf)
    _check_points(
        points.mz,
        points.intensity,
        path,
        lambda k: int(np.searchsorted(points.offsets, k, side="right")) - 1,
    )
    mz, intensity = points.mz, points.intensity
    falls = mz[1:] < mz[:-1]
    inner = starts[(starts > 0) & (starts < len(mz))]
    falls[inner - 1] = False
    was_sorted = not falls.any()
    if not was_sorted:
        scan_of = np.repeat(np.arange(len(starts)), np.diff(points.offsets))
        order = np.lexsort((mz, scan_of))
        mz, intensity = mz[order], intensity[order]
    run = Run(
        scan_times_s=points.times_s,
        offsets=points.offsets,
        mz=mz,
        intensity=intensity,
        stated_tic=_totals(points.stated_tic),
        metadata=metadata,
    )
    return run, was_sorted


class ScanGate:
    """Checks scans one after the other, in the way that `make_run` checks them together.

    Parameters
    ----------
    path : Path
        For messages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._before = -np.inf
        self.was_sorted = True

    def check(self, raw: RawScan, /) -> Scan:
        """Return the scan with its points sorted by m/z, or say what is wrong with it."""
        index = self._count
        time = np.array([raw.time_s], dtype=np.float64)
        _check_times(time, self._path, first=index, after=self._before)
        mz, intensity = raw.mz, raw.intensity
        _check_points(mz, intensity, self._path, lambda _: index)
        if (mz[1:] < mz[:-1]).any():
            order = np.argsort(mz, kind="stable")
            mz, intensity = mz[order], intensity[order]
            self.was_sorted = False
        self._count += 1
        self._before = float(time[0])
        total = _totals(np.array([raw.stated_tic], dtype=np.float64))
        return Scan(
            index=index,
            time_s=self._before,
            mz=mz,
            intensity=intensity,
            stated_tic=float(total[0]),
        )

    def finish(self) -> None:
        """Say so if there was not a single scan."""
        if not self._count:
            make_run(collect(()), RunMetadata("", "", ""), path=self._path)


def check_trace(times_s: Floats, intensity: Floats, /, *, path: Path) -> None:
    """Check the times and the values of a detector trace; values may be negative.

    Raises
    ------
    RunError
        If times do not rise, or a value is not finite.
    """
    if not len(times_s):
        raise RunError(
            f"the trace of '{path.name}' holds no points. Export it again.",
            path=path,
            reason="empty",
        )
    _check_times(times_s, path, first=0, after=-np.inf, what="point")
    bad = ~(np.abs(intensity) <= MOST_INTENSITY)
    if bad.any():
        k = int(np.argmax(bad))
        raise RunError(
            f"the trace of '{path.name}' holds {int(bad.sum())} value(s) that no detector gives; "
            f"the first is {intensity[k]} at point {k + 1}. The file is damaged: export it again.",
            path=path,
        )


def _check_times(
    times: Floats, path: Path, *, first: int, after: float, what: str = "scan"
) -> None:
    usable = (np.abs(times) <= LONGEST_S) & (times != NULL)
    if not usable.all():
        k = int(np.argmin(usable))
        raise RunError(
            f"'{path.name}' has no usable retention time for {what} {first + k + 1}: it says "
            f"{times[k]}. Without times it is no chromatographic run; export it again, with times.",
            path=path,
        )
    before = np.concatenate([[after], times[:-1]])
    rises = times > before
    if not rises.all():
        k = int(np.argmin(rises))
        raise RunError(
            f"the retention times of '{path.name}' do not rise: {what} {first + k + 1} is at "
            f"{times[k]:.6g} s, after {before[k]:.6g} s. The file is damaged, or several runs were "
            "joined in it: export each run by itself.",
            path=path,
        )


def _check_points(mz: Floats, intensity: Floats, path: Path, scan_of: Callable[[int], int]) -> None:
    if len(mz) != len(intensity):
        raise RunError(
            f"'{path.name}' has {len(mz)} m/z values for {len(intensity)} intensities in scan "
            f"{scan_of(0) + 1}. The file is damaged: export it again.",
            path=path,
        )
    if not len(mz):
        return
    # Comparisons with NaN are false, so that these two lines catch it too.
    if not (mz.min() > 0.0 and mz.max() <= MOST_MZ):
        k = int(np.argmin((mz > 0.0) & (mz <= MOST_MZ)))
        raise RunError(
            f"'{path.name}' has the m/z value {mz[k]} in scan {scan_of(k) + 1}: it must lie "
            f"between 0 and {MOST_MZ:g}. The file is damaged: export it again.",
            path=path,
        )
    if not (intensity.min() >= 0.0 and intensity.max() <= MOST_INTENSITY):
        usable = (intensity >= 0.0) & (intensity <= MOST_INTENSITY)
        k = int(np.argmin(usable))
        raise RunError(
            f"'{path.name}' has {int((~usable).sum())} intensities that no detector counts; the "
            f"first is {intensity[k]} at m/z {mz[k]:.6g} in scan {scan_of(k) + 1}. The file is "
            "damaged, or a background was subtracted from it: export the run as it was acquired.",
            path=path,
        )


def _totals(stated: Floats) -> Floats:
    """Return stated totals with NaN where a file has none or one that cannot be."""
    usable = (stated >= 0.0) & (stated <= MOST_INTENSITY)
    return np.where(usable, stated, np.nan)
