"""ANDI/AIA netCDF chromatography (ASTM E1947): a detector trace and its table of peaks."""

from __future__ import annotations

import numpy as np

from drugsig._notes import Note
from drugsig.acquisition.chromatogram import Chromatogram, StatedPeak
from drugsig.acquisition.readers.header import file_digest, iso_date, seconds_per, text_fields
from drugsig.acquisition.readers.netcdf3 import NetcdfFile
from drugsig.acquisition.readers.points import NULL, Floats, check_trace
from drugsig.acquisition.readers.suitability import NoGasChromatography, doubts_about_trace
from drugsig.acquisition.run import RunMetadata
from drugsig.errors import RunError

__all__ = ["is_andi_chromatography", "read_andi_trace"]

# What writers put into the table of peaks where they have no value.
_NO_VALUE = (NULL, -1.0)


def is_andi_chromatography(file: NetcdfFile, /) -> bool:
    """Say whether a netCDF file holds a detector trace."""
    return "ordinate_values" in file.variables


def read_andi_trace(file: NetcdfFile, /) -> Chromatogram:
    """Read an ANDI/AIA chromatography file.

    Parameters
    ----------
    file : NetcdfFile
        Open; closed when it was read.

    Raises
    ------
    RunError
        If the file is damaged or is something else.
    """
    path = file.path
    try:
        digest = file_digest(path)
        notes: list[str] = []
        intensity = _series(file, "ordinate_values")
        factor, unit = _time_unit(file, notes)
        times = _times(file, len(intensity), notes) * factor
        check_trace(times, intensity, path=path)
        peaks = _peaks(file, factor)
        doubts = doubts_about_trace(
            separation=file.text("separation_experiment_type"),
            detector=file.text("detector_name"),
            column=file.text("sample_id_comments"),
        )
        unsuitable: tuple[Note, ...] = ()
        if doubts:
            notes.append(f"hardly a trace of gas chromatography: {'; '.join(doubts)}")
            unsuitable = (NoGasChromatography(path.name, tuple(doubts)),)
        acquired, doubt = iso_date(file.text("injection_date_time_stamp"))
        if doubt:
            notes.append(doubt)
        metadata = RunMetadata(
            file_name=path.name,
            sha256=digest,
            format="andi_chromatography",
            sample_name=file.text("sample_name"),
            operator=file.text("operator_name"),
            method=file.text("detection_method_name") or file.text("instrument_method_filename"),
            acquired=acquired,
            separation=file.text("separation_experiment_type"),
            time_unit=unit,
            other=text_fields({name: file.text(name) for name in file.attributes}),
            notes=tuple(notes),
        )
        return Chromatogram(
            times_s=times,
            intensity=intensity,
            channel=file.text("detector_name") or "detector",
            metadata=metadata,
            unit=file.text("detector_unit") or file.text("detector_units"),
            peaks=peaks,
            notes=unsuitable,
        )
    finally:
        file.close()


def _series(file: NetcdfFile, name: str) -> Floats:
    variable = file.variables.get(name)
    if variable is None or len(variable.shape) != 1 or variable.dtype.kind == "S":
        raise RunError(
            f"'{file.path.name}' is a netCDF file without {name}: no trace in the ANDI/AIA form. "
            "Export the run as ANDI/AIA chromatography.",
            path=file.path,
            reason="not_a_run",
        )
    return file.read(variable).astype(np.float64)


def _scalar(file: NetcdfFile, name: str) -> float:
    variable = file.variables.get(name)
    if variable is None or variable.dtype.kind == "S":
        return float("nan")
    values = np.ravel(file.read(variable, 0, 1)).astype(np.float64)
    return float(values[0]) if len(values) else float("nan")


def _time_unit(file: NetcdfFile, notes: list[str]) -> tuple[float, str]:
    unit = file.text("retention_unit") or file.text("retention_units")
    factor = seconds_per(unit) if unit else None
    if factor is None:
        said = f"unknown ('{unit}')" if unit else "not stated"
        notes.append(f"the unit of time is {said}; the standard's seconds are assumed")
        return 1.0, unit or "seconds"
    if factor != 1.0:
        notes.append(f"times were converted from {unit} to seconds")
    return factor, unit


def _times(file: NetcdfFile, n: int, notes: list[str]) -> Floats:
    """Return the times in the unit of the file."""
    if "raw_data_retention" in file.variables:
        times = _series(file, "raw_data_retention")
        if len(times) == n and (n < 2 or np.ptp(times) > 0):
            return times
    delay = _scalar(file, "actual_delay_time")
    interval = _scalar(file, "actual_sampling_interval")
    if not (np.isfinite(delay) and np.isfinite(interval) and interval > 0.0):
        raise RunError(
            f"'{file.path.name}' says neither when its points were recorded nor at what interval "
            f"(delay {delay}, interval {interval}). Without times it is no chromatogram; export "
            "the run again.",
            path=file.path,
        )
    notes.append("times are counted from the stated delay at the stated interval")
    return np.asarray(delay + interval * np.arange(n), dtype=np.float64)


def _peaks(file: NetcdfFile, factor: float) -> tuple[StatedPeak, ...]:
    if "peak_retention_time" not in file.variables:
        return ()
    times = _series(file, "peak_retention_time") * factor
    names = [""] * len(times)
    if "peak_name" in file.variables:
        found = file.strings(file.variables["peak_name"])
        names = found if len(found) == len(times) else names

    def column(name: str) -> Floats:
        if name in file.variables:
            values = _series(file, name)
            if len(values) == len(times):
                return np.where(np.isin(values, _NO_VALUE), np.nan, values)
        return np.full(len(times), np.nan)

    return tuple(
        StatedPeak(float(t), name, float(area), float(height), float(amount))
        for t, name, area, height, amount in zip(
            times,
            names,
            column("peak_area"),
            column("peak_height"),
            column("peak_amount"),
            strict=True,
        )
    )
