"""Agilent .D folders: full scans, selected ions and detector traces, through rainbow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from drugsig.acquisition.chromatogram import Chromatogram
from drugsig.acquisition.readers.detect import agilent_data_file
from drugsig.acquisition.readers.header import file_digest, iso_date, text_fields
from drugsig.acquisition.readers.open_run import OpenRun
from drugsig.acquisition.readers.points import Points, RawScan, check_trace
from drugsig.acquisition.readers.suitability import (
    NoGasChromatography,
    check_suitability,
    doubts_about_trace,
)
from drugsig.acquisition.readers.vendor_process import Limits, VendorAnswer, vendor_process
from drugsig.acquisition.run import RunMetadata
from drugsig.errors import RunError, UnknownNameError

__all__ = ["open_agilent_d", "read_agilent_trace"]

_PARTS = {"scan": "data.ms", "sim": "dataSim.ms"}
_TRACE_ENDING = ".ch"


def open_agilent_d(path: Path, /, *, function: str | None) -> OpenRun:
    """Read the scans of an Agilent .D folder.

    Raises
    ------
    RunError
        If the folder holds no scans, they are damaged, or it is no GC-MS run.
    UnknownNameError
        If there is no such acquisition.
    MissingExtraError
        If the packages of the extra are not installed.
    """
    there = {
        name: found
        for name, part in _PARTS.items()
        if (found := agilent_data_file(path, part)) is not None
    }
    if not there:
        raise RunError(
            f"'{path.name}' holds neither data.ms nor dataSim.ms. If it was recorded with "
            "MassHunter on another instrument than a single quadrupole, convert it to mzML; if it "
            "was copied, copy it again with all its files.",
            path=path,
            reason="unsupported",
        )
    chosen = next(iter(there)) if function is None else function
    if chosen not in there:
        have = " and ".join(f"'{name}'" for name in there)
        raise UnknownNameError(
            f"'{path.name}' has no acquisition '{function}'. It has {have}.",
            name=str(function),
            known=tuple(there),
        )
    file = there[chosen]
    answer = _ask(path, file, arrays=5)
    points = _points(path, answer)
    header = answer.header
    separation = header.get("technique", "")
    suitability = check_suitability(path, separation=separation)
    notes = [
        *suitability.notes,
        "m/z as recorded, in steps of 0.05; points of intensity zero are left out",
    ]
    if header.get("acquisition_mode", "").lower() == "sim":
        notes.append("selected ions were recorded, not full scans")
    if function is None and len(there) > 1:
        others = ", ".join(name for name in there if name != chosen)
        notes.append(f"the folder also holds the acquisition: {others}")
    return OpenRun(
        path=path,
        metadata=_metadata(path, file, header, notes),
        scans=lambda: (
            RawScan(
                float(points.times_s[k]),
                points.mz[points.offsets[k] : points.offsets[k + 1]],
                points.intensity[points.offsets[k] : points.offsets[k + 1]],
                float("nan"),
            )
            for k in range(len(points.times_s))
        ),
        # The folder was read as a whole, by another process.
        close=lambda: None,
        points=lambda: points,
        doubts=list(suitability.doubts),
    )


def read_agilent_trace(path: Path, /, *, channel: str | None) -> Chromatogram:
    """Read a detector trace of an Agilent .D folder.

    Raises
    ------
    RunError
        If the folder holds no trace, or it is damaged.
    UnknownNameError
        If there is no such detector, or several and none was named.
    MissingExtraError
        If the packages of the extra are not installed.
    """
    there = {
        entry.stem: entry
        for entry in sorted(path.iterdir())
        if entry.suffix.lower() == _TRACE_ENDING and entry.is_file()
    }
    if not there and channel is None:
        raise RunError(
            f"'{path.name}' holds no detector trace (.ch). For the total ion current, ask for the "
            "channel 'TIC'.",
            path=path,
            reason="unsuitable",
        )
    names = {name.lower(): name for name in there}
    wanted = channel if channel is not None else (next(iter(there)) if len(there) == 1 else "")
    name = names.get(wanted.lower().removesuffix(_TRACE_ENDING))
    if name is None:
        asked = f"no channel '{channel}'" if channel else "several channels"
        raise UnknownNameError(
            f"'{path.name}' has {asked}. Ask for one of: {', '.join([*there, 'TIC'])}.",
            name=channel or "",
            known=(*there, "TIC"),
        )
    file = there[name]
    answer = _ask(path, file, arrays=2)
    times_s, intensity = answer.arrays
    if len(times_s) != len(intensity):
        raise RunError(
            f"'{file.name}' of '{path.name}' is damaged: {len(times_s)} times for "
            f"{len(intensity)} values. Copy the folder again.",
            path=path,
        )
    check_trace(times_s, intensity, path=path)
    header = answer.header
    doubts = doubts_about_trace(
        separation=header.get("technique", ""), detector=header.get("detector", "")
    )
    return Chromatogram(
        times_s=times_s,
        intensity=intensity,
        channel=name,
        metadata=_metadata(path, file, header, doubts),
        unit=header.get("unit", ""),
        notes=(NoGasChromatography(path.name, tuple(doubts)),) if doubts else (),
    )


def _ask(path: Path, file: Path, *, arrays: int) -> VendorAnswer:
    answer = vendor_process().read(path, file.name, limits=Limits.for_file(file))
    fit = len(answer.arrays) == arrays and all(
        array.ndim == 1 and array.dtype.kind in "fiu" for array in answer.arrays
    )
    if not fit:
        raise RunError(
            f"'{file.name}' of '{path.name}' holds something else than its name says. Copy the "
            "folder again.",
            path=path,
        )
    return answer


def _points(path: Path, answer: VendorAnswer) -> Points:
    times_s, masses, counts, columns, values = answer.arrays
    fit = (
        len(times_s) == len(counts)
        and (counts >= 0).all()
        and counts.sum() == len(columns) == len(values)
        and (not len(columns) or columns.max() < len(masses))
    )
    if not fit:
        raise RunError(
            f"the scans of '{path.name}' and their points do not fit together. It is damaged: copy "
            "the folder again.",
            path=path,
        )
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    return Points(
        times_s=times_s,
        offsets=offsets,
        mz=masses[columns],
        intensity=values.astype(np.float64),
        stated_tic=np.full(len(counts), np.nan),
    )


def _metadata(path: Path, file: Path, header: dict[str, str], notes: list[str]) -> RunMetadata:
    acquired, doubt = iso_date(header.get("date", ""))
    return RunMetadata(
        file_name=path.name,
        sha256=file_digest(file),
        format="agilent_d",
        sample_name=header.get("sample", ""),
        operator=header.get("operator", ""),
        method=header.get("method", ""),
        instrument=header.get("instrument", ""),
        acquired=acquired,
        separation=header.get("technique", ""),
        time_unit="minutes, converted to seconds",
        other=text_fields({"data file": file.name, **header}),
        notes=(*notes, doubt) if doubt else tuple(notes),
    )
