"""ANDI/AIA netCDF mass spectrometry (ASTM E2077): the scans of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drugsig.acquisition.readers.header import file_digest, iso_date, seconds_per, text_fields
from drugsig.acquisition.readers.netcdf3 import NetcdfFile, Variable
from drugsig.acquisition.readers.open_run import OpenRun
from drugsig.acquisition.readers.points import NULL, Floats, Points, RawScan
from drugsig.acquisition.readers.suitability import check_suitability
from drugsig.acquisition.run import RunMetadata
from drugsig.errors import RunError

__all__ = ["is_andi_ms", "open_andi_ms"]

_NEEDED = ("scan_acquisition_time", "scan_index", "mass_values", "intensity_values")
_INSTRUMENT = ("instrument_mfr", "instrument_name", "instrument_model", "instrument_id")

# Points converted at a time: bounds the bytes of a large file that are held beside the result.
_BLOCK = 1 << 18


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where the scans of a file are."""

    times_s: Floats
    first: NDArray[np.int64]
    counts: NDArray[np.int64]
    stated_tic: Floats
    mz: Variable
    intensity: Variable


def is_andi_ms(file: NetcdfFile, /) -> bool:
    """Say whether a netCDF file holds mass spectra."""
    return "mass_values" in file.variables and "scan_index" in file.variables


def open_andi_ms(file: NetcdfFile, /) -> OpenRun:
    """Read the header of an ANDI/AIA mass spectrometry file.

    Parameters
    ----------
    file : NetcdfFile
        Open; closed with the run, and if it is refused.

    Raises
    ------
    RunError
        If the file is damaged, is something else, or is no EI GC-MS run.
    """
    path = file.path
    try:
        digest = file_digest(path)
        missing = [name for name in _NEEDED if name not in file.variables]
        if missing:
            raise RunError(
                f"'{path.name}' is a netCDF file without {', '.join(missing)}: no mass spectra in "
                "the ANDI/AIA form. Export the run as ANDI/AIA mass spectrometry, or as mzML.",
                path=path,
                reason="not_a_run",
            )
        suitability = check_suitability(
            path,
            ionisation=file.text("test_ionization_mode"),
            separation=file.text("test_separation_type"),
            inlet=file.text("test_ms_inlet"),
            kind=file.text("experiment_type"),
            polarity=file.text("test_ionization_polarity"),
        )
        notes = list(suitability.notes)
        layout = _layout(file, notes)
        metadata = _metadata(file, digest, notes)
    except BaseException:
        file.close()
        raise
    return OpenRun(
        path=path,
        metadata=metadata,
        scans=lambda: _scans(file, layout),
        close=file.close,
        points=lambda: _points(file, layout),
        doubts=list(suitability.doubts),
    )


def _layout(file: NetcdfFile, notes: list[str]) -> _Layout:
    path, variables = file.path, file.variables
    mz, intensity = variables["mass_values"], variables["intensity_values"]
    for points in (mz, intensity):
        _refuse_no_numbers(file, points)
    times = _numbers(file, variables["scan_acquisition_time"])
    first = _whole(file, variables["scan_index"])
    n = len(times)
    if "point_count" in variables:
        counts = _whole(file, variables["point_count"])
    else:
        counts = np.diff(first, append=_length(mz))
        notes.append("the file has no point_count: each scan is taken to end where the next begins")
    if "total_intensity" in variables:
        totals = _numbers(file, variables["total_intensity"])
        totals = np.where(totals == NULL, np.nan, totals)
    else:
        totals = np.full(n, np.nan)
    if not n == len(first) == len(counts) == len(totals):
        raise RunError(
            f"the variables of '{path.name}' disagree on the number of scans: {n} times, "
            f"{len(first)} indices, {len(counts)} counts and {len(totals)} totals. The file is "
            "damaged: export it again.",
            path=path,
        )
    if _length(mz) != _length(intensity):
        raise RunError(
            f"'{path.name}' has {_length(mz)} m/z values for {_length(intensity)} intensities. "
            "The file is damaged: export it again.",
            path=path,
        )
    _check_order(path, first, counts, _length(mz))
    # The standard wants seconds; the two places where exporters say so are looked at all the same.
    unit = variables["scan_acquisition_time"].text("units") or file.text("units") or "seconds"
    factor = seconds_per(unit)
    if factor is None:
        notes.append(f"the unit of time '{unit}' is unknown; the standard's seconds are assumed")
    elif factor != 1.0:
        notes.append(f"times were converted from {unit} to seconds")
        times = times * factor
    return _Layout(times, first, counts, totals, mz, intensity)


def _check_order(
    path: Path, first: NDArray[np.int64], counts: NDArray[np.int64], n_points: int
) -> None:
    after = first + counts
    wrong = (first < 0) | (counts < 0) | (after > n_points)
    wrong[1:] |= first[1:] < after[:-1]
    if wrong.any():
        k = int(np.argmax(wrong))
        raise RunError(
            f"the index of '{path.name}' is out of order: scan {k + 1} would be points "
            f"{first[k]} to {after[k]} of {n_points}, after those of scan {k}. The file is "
            "damaged: export it again.",
            path=path,
        )


def _metadata(file: NetcdfFile, digest: str, notes: list[str]) -> RunMetadata:
    sample = file.text("sample_name")
    if not sample and file.text("experiment_title"):
        sample = file.text("experiment_title")
        notes.append("the sample name is the experiment title, where exporters of GC-MS write it")
    method = file.text("external_file_ref_0")
    if method:
        notes.append("the method is the first external file that the header names")
    acquired, doubt = iso_date(file.text("experiment_date_time_stamp"))
    if doubt:
        notes.append(doubt)
    if "continuum" in file.text("experiment_type").lower():
        notes.append("the spectra are continuous, not centroided")
    if "selected ion" in file.text("test_scan_function").lower():
        notes.append("selected ions were recorded, not full scans")
    instrument = dict.fromkeys(
        text
        for name in _INSTRUMENT
        if name in file.variables
        for text in file.strings(file.variables[name])
        if text
    )
    return RunMetadata(
        file_name=file.path.name,
        sha256=digest,
        format="andi_ms",
        sample_name=sample,
        operator=file.text("operator_name"),
        method=method,
        instrument=" ".join(instrument),
        acquired=acquired,
        ionisation=file.text("test_ionization_mode"),
        separation=file.text("test_separation_type"),
        time_unit="seconds",
        other=text_fields({name: file.text(name) for name in file.attributes}),
        notes=tuple(notes),
    )


def _scans(file: NetcdfFile, layout: _Layout) -> Iterator[RawScan]:
    """Yield the scans; blocks of the file are read, a scan is never cut."""
    n = len(layout.times_s)
    ends = layout.first + layout.counts
    k = 0
    while k < n:
        start = int(layout.first[k])
        last = max(int(np.searchsorted(ends, start + _BLOCK, side="right")), k + 1)
        stop = int(ends[last - 1])
        mz, intensity = _values(file, layout, start, stop)
        for j in range(k, last):
            inside = slice(int(layout.first[j]) - start, int(ends[j]) - start)
            yield RawScan(
                float(layout.times_s[j]),
                mz[inside],
                intensity[inside],
                float(layout.stated_tic[j]),
            )
        k = last


def _points(file: NetcdfFile, layout: _Layout) -> Points:
    """Return all scans at once."""
    offsets = np.zeros(len(layout.counts) + 1, dtype=np.int64)
    np.cumsum(layout.counts, out=offsets[1:])
    mz, intensity = _values(file, layout, 0, _length(layout.mz))
    if not np.array_equal(offsets[:-1], layout.first) or offsets[-1] != len(mz):
        # Flagged points lie between the scans; they are left out.
        place = np.repeat(layout.first - offsets[:-1], layout.counts) + np.arange(offsets[-1])
        mz, intensity = mz[place], intensity[place]
    return Points(layout.times_s, offsets, mz, intensity, layout.stated_tic)


def _values(file: NetcdfFile, layout: _Layout, start: int, stop: int) -> tuple[Floats, Floats]:
    """Return m/z and intensities as the scale factors and offsets of the variables make them."""
    both = (layout.mz, layout.intensity)
    out = tuple(np.empty(max(stop - start, 0), dtype=np.float64) for _ in both)
    for k in range(start, stop, _BLOCK):
        blocks = file.read_together(both, k, min(k + _BLOCK, stop))
        for values, block in zip(out, blocks, strict=True):
            values[k - start : k - start + len(block)] = block
    for values, variable in zip(out, both, strict=True):
        _scale(file, variable, values)
    return out[0], out[1]


def _scale(file: NetcdfFile, variable: Variable, values: Floats) -> None:
    factor = variable.number("scale_factor", default=1.0)
    offset = variable.number("add_offset", default=0.0)
    if not (np.isfinite(factor) and factor != 0.0 and np.isfinite(offset)):
        raise RunError(
            f"'{file.path.name}' scales {variable.name} by {factor} and adds {offset}: no number "
            "comes of that. The file is damaged: export it again.",
            path=file.path,
        )
    if factor != 1.0:
        values *= factor
    if offset != 0.0:
        values += offset


def _length(variable: Variable) -> int:
    return variable.shape[0] if variable.shape else 0


def _refuse_no_numbers(file: NetcdfFile, variable: Variable) -> None:
    if variable.dtype.kind == "S" or len(variable.shape) != 1:
        raise RunError(
            f"'{file.path.name}' holds {variable.name} in a form that is no list of numbers. The "
            "file is damaged: export it again.",
            path=file.path,
        )


def _numbers(file: NetcdfFile, variable: Variable) -> Floats:
    _refuse_no_numbers(file, variable)
    return file.read(variable).astype(np.float64)


def _whole(file: NetcdfFile, variable: Variable) -> NDArray[np.int64]:
    values = _numbers(file, variable)
    if variable.dtype.kind == "f" and not (np.abs(values) < 2.0**53).all():
        raise RunError(
            f"'{file.path.name}' holds a {variable.name} that is no whole number. The file is "
            "damaged: export it again.",
            path=file.path,
        )
    return values.astype(np.int64)
