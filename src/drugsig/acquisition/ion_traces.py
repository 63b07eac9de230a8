"""Ion traces: the intensity of chosen ions over time, from runs in memory or scan by scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import FrozenArrays
from drugsig.acquisition.run import Run, Scan
from drugsig.errors import InputError

__all__ = ["IonTraces", "TraceSource", "ion_traces", "trace_source"]

# Scans of a stream are taken together by this many, so that one call serves them all.
_SCANS_AT_A_TIME = 256

# Squares of larger intensities would overflow.
_LARGEST = 1e100


@dataclass(frozen=True, eq=False, repr=False)
class IonTraces(FrozenArrays):
    """The traces of some ions over a whole run.

    Attributes
    ----------
    times_s : ndarray of float64, shape (n_scans,)
        Seconds, strictly rising.
    mz : ndarray of float64, shape (n_ions,)
        The ions, in the order asked for.
    intensity : ndarray of float64, shape (n_ions, n_scans)
        The sum of the points of each scan within the tolerance of each ion.
    tic : ndarray of float64, shape (n_scans,)
        The sum of all points of each scan.
    largest : float
        The largest intensity of a single point in the run.
    """

    times_s: NDArray[np.float64]
    mz: NDArray[np.float64]
    intensity: NDArray[np.float64]
    tic: NDArray[np.float64]
    largest: float

    def __repr__(self) -> str:
        return f"<IonTraces: {len(self.mz)} ions x {len(self.times_s)} scans>"


@dataclass(frozen=True, eq=False)
class _Points:
    """Scans beside each other: points of scan k are ``mz[offsets[k]:offsets[k + 1]]``."""

    offsets: NDArray[np.int64]
    mz: NDArray[np.float64]
    intensity: NDArray[np.float64]

    def sums(
        self, low: NDArray[np.float64], high: NDArray[np.float64], scans: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Sum the points in [low, high) of scans; all three of one shape, as the result."""
        if not len(self.mz):
            return np.zeros(scans.shape)
        place, stop = self.offsets[scans], self.offsets[scans + 1]
        last = len(self.mz) - 1
        # One binary search for all pairs of ion and scan, each in the points of its own scan:
        # `left` is moved on as long as the point before its new place is still below the ion.
        left = place.copy()
        step = 1 << int((stop - place).max(initial=0)).bit_length()
        while step := step >> 1:
            ahead = left + step
            under = (ahead <= stop) & (self.mz.take(ahead - 1, mode="clip") < low)
            left += step * under
        out = np.zeros(scans.shape)
        waiting = np.flatnonzero(left.ravel() < stop.ravel())
        at, until, top = left.ravel()[waiting], stop.ravel()[waiting], high.ravel()[waiting]
        total = out.ravel()
        while len(waiting):
            here = (at < until) & (self.mz[np.minimum(at, last)] < top)
            waiting, at, until, top = waiting[here], at[here], until[here], top[here]
            total[waiting] += self.intensity[at]
            at = at + 1
        return total.reshape(scans.shape)


class TraceSource:
    """What the traces of a run are read from.

    Parameters
    ----------
    times_s : ndarray, shape (n_scans,)
        Seconds.
    points_per_scan : ndarray of int, shape (n_scans,)
        How many points each scan has.
    scanned : tuple of float
        The lowest and the highest m/z in the run.
    low, high : ndarray, shape (n_ions,)
        The interval of each ion, half-open.
    points : _Points, optional
        All points, for a run in memory.
    traces : ndarray, shape (n_ions, n_scans), optional
        All traces, for a run that was read scan by scan.

    Raises
    ------
    InputError
        If times do not rise from scan to scan.
    """

    def __init__(
        self,
        times_s: NDArray[np.float64],
        points_per_scan: NDArray[np.int64],
        scanned: tuple[float, float],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        *,
        points: _Points | None = None,
        traces: NDArray[np.float64] | None = None,
    ) -> None:
        if not np.isfinite(times_s).all() or (np.diff(times_s) <= 0).any():
            first = int(np.argmax(~(np.diff(times_s) > 0))) + 1
            raise InputError(
                f"scan times must rise from scan to scan, but scan {first} at "
                f"{times_s[first]:.3f} s follows {times_s[first - 1]:.3f} s. Two scan functions in "
                "one run are read one at a time: read_run(path, function=...)."
            )
        self.times_s = times_s
        self.points_per_scan = points_per_scan
        self.scanned = scanned
        self._low, self._high = low, high
        self._points, self._traces = points, traces

    def __len__(self) -> int:
        return len(self.times_s)

    def read(
        self, ions: NDArray[np.intp], starts: NDArray[np.intp], width: int, /
    ) -> NDArray[np.float64]:
        """Return traces of ions from scan `starts` on; zero beyond the end of the run.

        Parameters
        ----------
        ions, starts : ndarray of int, shape (n_rows,)
            Which ion, and its first scan.
        width : int
            Scans a row.

        Returns
        -------
        ndarray, shape (n_rows, width)
            Intensities.

        Raises
        ------
        InputError
            If they are beyond what a detector reports.
        """
        out = self._read(ions, starts, width)
        if not np.abs(out).max(initial=0.0) < _LARGEST:
            raise InputError(
                "the traces hold intensities beyond 1e100, or no numbers at all, which no detector "
                "reports: the file is damaged, or was read as what it is not"
            )
        return out

    def _read(
        self, ions: NDArray[np.intp], starts: NDArray[np.intp], width: int
    ) -> NDArray[np.float64]:
        scans = starts[:, None] + np.arange(width)
        inside = scans < len(self)
        scans = np.where(inside, scans, max(len(self) - 1, 0))
        if self._traces is not None:
            return np.where(inside, self._traces[ions[:, None], scans], 0.0)
        if self._points is None or not len(self):
            return np.zeros(scans.shape)
        row, column = np.nonzero(inside)
        out = np.zeros(scans.shape)
        out[row, column] = self._points.sums(
            self._low[ions][row], self._high[ions][row], scans[row, column]
        )
        return out


def _blocks(scans: Iterable[Scan]) -> Iterator[list[Scan]]:
    block: list[Scan] = []
    for scan in scans:
        block.append(scan)
        if len(block) == _SCANS_AT_A_TIME:
            yield block
            block = []
    if block:
        yield block


def _points_of(block: Sequence[Scan]) -> _Points:
    lengths = [len(scan.mz) for scan in block]
    return _Points(
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        mz=np.concatenate([scan.mz for scan in block]).astype(np.float64, copy=False),
        intensity=np.concatenate([scan.intensity for scan in block]).astype(np.float64, copy=False),
    )


def _interval(mz: ArrayLike, tolerance: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    ions = np.atleast_1d(np.asarray(mz, dtype=np.float64))
    reach = np.broadcast_to(np.asarray(tolerance, dtype=np.float64), ions.shape)
    if ions.ndim != 1 or not np.isfinite(ions).all():
        raise InputError(f"ions must be a list of m/z, got an array of shape {ions.shape}")
    if not (np.isfinite(reach).all() and (reach > 0).all()):
        raise InputError("the tolerance of an ion must be a number above 0, in Da")
    return ions - reach, ions + reach


def trace_source(
    scans: Run | Iterable[Scan], mz: ArrayLike, /, *, tolerance: ArrayLike
) -> TraceSource:
    """Prepare the traces of some ions.

    Parameters
    ----------
    scans : Run or iterable of Scan
        A run in memory is only looked at where a trace is read. Scans are gone through once;
        the traces are all that is kept of them.
    mz : array_like, shape (n_ions,)
        The ions.
    tolerance : array_like, shape () or (n_ions,)
        In Da, see `TargetWindow`.

    Raises
    ------
    InputError
        If times do not rise, or an ion is no number.
    """
    low, high = _interval(mz, tolerance)
    if isinstance(scans, Run):
        counts = np.diff(scans.offsets)
        filled = np.flatnonzero(counts)
        first, last = scans.offsets[filled], scans.offsets[filled + 1] - 1
        bounds = (
            (float(scans.mz[first].min()), float(scans.mz[last].max()))
            if len(filled)
            else (np.nan, np.nan)
        )
        points = _Points(scans.offsets, scans.mz, scans.intensity)
        return TraceSource(scans.scan_times_s, counts, bounds, low, high, points=points)
    passed = _stream(scans, low, high)
    return passed.source(low, high)


@dataclass(frozen=True, eq=False)
class _Streamed:
    """What is kept of scans that have gone by."""

    traces: NDArray[np.float64]
    totals: NDArray[np.float64]
    largest: float
    times_s: NDArray[np.float64]
    points_per_scan: NDArray[np.int64]
    scanned: tuple[float, float]

    def source(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> TraceSource:
        return TraceSource(
            self.times_s, self.points_per_scan, self.scanned, low, high, traces=self.traces
        )


def _stream(
    scans: Iterable[Scan], low: NDArray[np.float64], high: NDArray[np.float64]
) -> _Streamed:
    parts: list[NDArray[np.float64]] = []
    totals: list[float] = []
    times: list[float] = []
    counts: list[int] = []
    least, most, largest = np.inf, -np.inf, 0.0
    for block in _blocks(scans):
        points = _points_of(block)
        shape = (len(low), len(block))
        parts.append(
            points.sums(
                np.broadcast_to(low[:, None], shape),
                np.broadcast_to(high[:, None], shape),
                np.broadcast_to(np.arange(len(block)), shape),
            )
        )
        times.extend(scan.time_s for scan in block)
        counts.extend(len(scan.mz) for scan in block)
        totals.extend(float(scan.intensity.sum()) for scan in block)
        if len(points.mz):
            least, most = min(least, points.mz.min()), max(most, points.mz.max())
            largest = max(largest, float(points.intensity.max()))
    return _Streamed(
        traces=np.concatenate(parts, axis=1) if parts else np.zeros((len(low), 0)),
        totals=np.array(totals),
        largest=largest,
        times_s=np.array(times, dtype=np.float64),
        points_per_scan=np.array(counts, dtype=np.int64),
        scanned=(float(least), float(most)) if np.isfinite(least) else (np.nan, np.nan),
    )


def ion_traces(
    scans: Run | Iterable[Scan], mz: ArrayLike, /, *, tolerance: ArrayLike = 0.5
) -> IonTraces:
    """Take the traces of some ions over a whole run, in one pass.

    Parameters
    ----------
    scans : Run or iterable of Scan
        A run, or its scans in order, of which only the traces are kept.
    mz : array_like, shape (n_ions,)
        The ions.
    tolerance : array_like, shape () or (n_ions,)
        How far the m/z of a point may be from that of the ion, in Da: the points in
        ``[mz - tolerance, mz + tolerance)`` are summed.

    Returns
    -------
    IonTraces
        Traces, total ion current and largest intensity.

    Raises
    ------
    InputError
        If times do not rise, or an ion is no number.
    """
    ions = np.array(mz, dtype=np.float64, ndmin=1)
    if isinstance(scans, Run):
        source = trace_source(scans, ions, tolerance=tolerance)
        every = np.arange(len(ions), dtype=np.intp)
        return IonTraces(
            times_s=source.times_s,
            mz=ions,
            intensity=source.read(every, np.zeros_like(every), len(source)),
            tic=scans.tic,
            largest=float(scans.intensity.max(initial=0.0)),
        )
    low, high = _interval(ions, tolerance)
    passed = _stream(scans, low, high)
    # Made for its check of the times.
    source = passed.source(low, high)
    return IonTraces(
        times_s=source.times_s,
        mz=ions,
        intensity=passed.traces,
        tic=passed.totals,
        largest=passed.largest,
    )
