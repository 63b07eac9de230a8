"""`write_andi`: a run as ANDI/AIA netCDF mass spectrometry (ASTM E2077)."""

from __future__ import annotations

import io
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._files import write_file
from drugsig.acquisition.run import Run, RunMetadata
from drugsig.acquisition.writers.arguments import choose_precision, wanted_run
from drugsig.errors import SizeError

__all__ = ["write_andi"]

# The standard's sentinel for what is not known.
NULL = -9999
# A classic netCDF file counts in 32 bits.
MOST_BYTES = 2**31 - 1

_STRING_LENGTHS = (2, 4, 8, 16, 32, 64, 128, 255)
# Without them readers of the standard refuse a file.
_FIXED = {
    "dataset_completeness": "C1+C2",
    "ms_template_revision": "1.0.1",
    "netcdf_revision": "2.3.2",
    "languages": "English",
    "experiment_type": "Centroided Mass Spectrum",
    "raw_data_time_format": "Double",
}
# What else a header may say; kept where the file it came from said it.
_KEPT = (
    *("administrative_comments", "dataset_origin", "dataset_owner", "experiment_type"),
    *("sample_state", "test_ms_inlet", "test_ionization_polarity", "test_detector_type"),
    *("test_resolution_type", "test_scan_function", "test_scan_direction", "test_scan_law"),
)
_FORMATS = {"float32": "Float", "float64": "Double"}
_INSTRUMENT = (
    *("instrument_name", "instrument_id", "instrument_mfr", "instrument_model"),
    *("instrument_serial_no", "instrument_sw_version", "instrument_fw_version"),
    *("instrument_os_version", "instrument_app_version", "instrument_comments"),
)
# Variables of every scan that say nothing here, and their netCDF types.
_UNKNOWN = {
    "a_d_sampling_rate": "d",
    "a_d_coaddition_factor": "h",
    "scan_duration": "d",
    "inter_scan_time": "d",
    "resolution": "d",
    "time_range_min": "d",
    "time_range_max": "d",
}


def write_andi(
    run: Run,
    path: str | os.PathLike[str],
    /,
    *,
    precision: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a run as ANDI/AIA netCDF, which every data system of GC-MS reads.

    Scans, points, stated totals (as -9999 where there are none), sample, operator, method,
    instrument, date, ionisation and separation come back when the file is read. What is not known
    is left out or filled with the standard's -9999; nothing is made up.

    Parameters
    ----------
    run : Run
        What to write.
    path : path-like
        Where, usually with the ending ``.cdf``.
    precision : {"float32", "float64"}, optional
        How m/z and intensities are stored. Without it, single precision where every number of
        the run is exact in it, and double precision otherwise: nothing is lost. Times are double
        always.
    overwrite : bool
        Replace a file that is already there.

    Returns
    -------
    Path
        The file. It appears whole or not at all, with the same bytes on every system.

    Raises
    ------
    InputError
        If it is no run, or has no scans.
    OutputError
        If the file is already there or cannot be written.
    SizeError
        If the run is larger than the format can hold (2 GiB).
    UnknownNameError
        If there is no such precision.

    Notes
    -----
    The format holds text in Latin-1; other characters become question marks.
    """
    run = wanted_run(run, writer="write_andi")
    kind = choose_precision(run, precision)
    size = len(run.mz) * 2 * np.dtype(kind).itemsize + 128 * len(run)
    if size > MOST_BYTES:
        raise SizeError(
            f"run '{run.metadata.file_name}' would take {size:,} bytes, and a classic netCDF file "
            f"holds {MOST_BYTES:,}. Write it as mzML: write_mzml(run, path)."
        )
    return write_file(path, _content(run, kind), overwrite=overwrite)


def _content(run: Run, kind: str) -> bytes:
    from scipy.io import netcdf_file

    buffer = io.BytesIO()
    file: Any = netcdf_file(buffer, "w", version=1)
    # First, because scipy wants the unlimited dimension there.
    file.createDimension("point_number", None)
    for length in _STRING_LENGTHS:
        file.createDimension(f"_{length}_byte_string", length)
    file.createDimension("range", 2)
    file.createDimension("error_number", 1)
    file.createDimension("scan_number", len(run))
    file.createDimension("instrument_number", 1)
    for name, text in _attributes(run.metadata, kind).items():
        setattr(file, name, _latin(text))
    _text_variable(file, "error_log", "error_number", "", 64)
    _scan_variables(file, run)
    _point_variables(file, run, kind)
    for name in _INSTRUMENT:
        text = run.metadata.instrument if name == "instrument_name" else ""
        length = 32 if len(_latin(text)) <= 32 else 255
        _text_variable(file, name, "instrument_number", text, length)
    file.flush()
    return buffer.getvalue()


def _latin(text: str) -> bytes:
    return text.encode("latin-1", errors="replace")


def _attributes(told: RunMetadata, kind: str) -> dict[str, str]:
    kept = {name: told.other.get(name, "") for name in _KEPT}
    stamp = _stamp(told.acquired)
    told_texts = {
        "experiment_title": told.sample_name,
        "experiment_date_time_stamp": stamp,
        # The standard asks for the date of the file; a clock would change its bytes.
        "netcdf_file_date_time_stamp": stamp,
        "operator_name": told.operator,
        "external_file_ref_0": told.method,
        "test_ionization_mode": told.ionisation,
        "test_separation_type": told.separation,
        "raw_data_mass_format": _FORMATS[kind],
        "raw_data_intensity_format": _FORMATS[kind],
    }
    said = {name: text for name, text in (kept | told_texts).items() if text}
    return _FIXED | said


def _stamp(acquired: str) -> str:
    """Return a date as ANDI writes it: 20070923040800+0200; one without a time as it is."""
    if "T" not in acquired:
        return acquired
    return datetime.fromisoformat(acquired).strftime("%Y%m%d%H%M%S%z")


def _scan_variables(file: Any, run: Run) -> None:
    counts = np.diff(run.offsets)
    low, high = np.zeros(len(run)), np.zeros(len(run))
    filled = counts > 0
    low[filled] = run.mz[run.offsets[:-1][filled]]
    high[filled] = run.mz[run.offsets[1:][filled] - 1]
    totals = np.where(np.isnan(run.stated_tic), float(NULL), run.stated_tic)
    unknown = {name: (code, np.full(len(run), NULL, dtype=code)) for name, code in _UNKNOWN.items()}
    known: dict[str, tuple[str, NDArray[Any]]] = {
        "scan_acquisition_time": ("d", run.scan_times_s),
        "actual_scan_number": ("i", np.arange(len(run))),
        "total_intensity": ("d", totals),
        "mass_range_min": ("d", low),
        "mass_range_max": ("d", high),
        "scan_index": ("i", run.offsets[:-1]),
        "point_count": ("i", counts),
        "flag_count": ("i", np.zeros(len(run))),
    }
    for name, (code, values) in (unknown | known).items():
        variable = file.createVariable(name, code, ("scan_number",))
        variable[:] = values
        if name == "total_intensity":
            variable.units = b"Arbitrary Intensity Units"


def _point_variables(file: Any, run: Run, kind: str) -> None:
    code = {"float32": "f", "float64": "d"}[kind]
    for name, values, unit in (
        ("mass_values", run.mz, b"M/Z"),
        ("intensity_values", run.intensity, b"Arbitrary Intensity Units"),
    ):
        variable = file.createVariable(name, code, ("point_number",))
        variable[: len(values)] = values
        variable.units = unit
        variable.scale_factor = 1.0
        if name == "intensity_values":
            variable.add_offset = 0.0


def _text_variable(file: Any, name: str, dimension: str, text: str, length: int) -> None:
    variable = file.createVariable(name, "c", (dimension, f"_{length}_byte_string"))
    padded = _latin(text)[:length].ljust(length, b"\0")
    variable[:] = np.frombuffer(padded, dtype="S1").reshape(1, length)
