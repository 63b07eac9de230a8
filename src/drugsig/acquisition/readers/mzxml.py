"""mzXML: scans through pyteomics, arrays decoded here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pyteomics import mzxml

from drugsig.acquisition.readers.binary_array import EncodedArray, InflationBudget, decode
from drugsig.acquisition.readers.header import file_digest, text_fields
from drugsig.acquisition.readers.open_run import OpenRun
from drugsig.acquisition.readers.points import Floats, RawScan
from drugsig.acquisition.readers.suitability import check_suitability
from drugsig.acquisition.readers.xml_spectra import (
    TagCountedFile,
    attribute,
    guarded,
    local_name,
    read_header,
    whole_number,
    without_parser_errors,
)
from drugsig.acquisition.run import RunMetadata
from drugsig.errors import RunError

__all__ = ["open_mzxml"]

_PAIRS = ("", "m/z-int")
_BYTE_ORDER = {"": ">", "network": ">", "big": ">", "little": "<"}
_PRECISION = {"": "f4", "32": "f4", "64": "f8"}
_COMPRESSIONS = ("none", "zlib")
_DURATION = re.compile(
    r"PT(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+(?:[eE]-?\d+)?)S)?"
)


class _Reader(mzxml.MzXML):  # type: ignore[misc]  # pyteomics has no types
    """pyteomics' reader, with its own way of making an entry of a scan.

    Points stay encoded, so that their length can be checked before they are inflated, and scans
    that were read are dropped, so that memory does not grow with the file.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._counted = TagCountedFile(path, file)
        super().__init__(self._counted, use_index=False, decode_binary=False)

    def _get_info_smart(self, element: Any, **kwargs: Any) -> Any:
        if local_name(element) != "scan":
            return super()._get_info_smart(element, **kwargs)
        self._counted.entry()
        above = element.getparent()
        if above is not None and local_name(above) != "scan":
            while element.getprevious() is not None:
                del above[0]
        entry: dict[str, Any] = dict(element.attrib)
        entry["msLevel"] = int(entry.get("msLevel", 1))
        points = list(element.iterchildren("{*}peaks"))
        if len(points) > 1:
            raise self._unsupported("several lists a scan")
        entry["points"] = self._encoded(points[0]) if points else None
        return entry

    def _encoded(self, element: Any) -> EncodedArray:
        form = attribute(element, "pairOrder") or attribute(element, "contentType")
        compression = attribute(element, "compressionType") or "none"
        order = _BYTE_ORDER.get(attribute(element, "byteOrder"))
        number = _PRECISION.get(attribute(element, "precision"))
        if form not in _PAIRS or compression not in _COMPRESSIONS or not order or not number:
            raise self._unsupported(" ".join(str(value) for value in element.attrib.values()))
        return EncodedArray(
            text=element.text or "",
            dtype=np.dtype(order + number),
            deflated=compression == "zlib",
        )

    def _unsupported(self, what: str) -> RunError:
        return RunError(
            f"'{self._path.name}' holds its points in a form that is not read ({what}). Read are "
            "pairs of m/z and intensity of 32 or 64 bits, with zlib or no compression: convert the "
            "run again, to mzML.",
            path=self._path,
            reason="unsupported",
        )


def open_mzxml(path: Path, /) -> OpenRun:
    """Read the header of an mzXML file.

    Raises
    ------
    RunError
        If the file is damaged, hostile, in a form that is not read, or no EI GC-MS run.
    """
    digest = file_digest(path)
    file = path.open("rb")
    try:
        root = read_header(path, file, stop=("scan",))
        metadata, doubts = _metadata(path, digest, root)
        budget = InflationBudget(path)
        with without_parser_errors(path):
            reader = _Reader(path, file)
    except BaseException:
        file.close()
        raise
    late: list[str] = []
    return OpenRun(
        path=path,
        metadata=metadata,
        scans=lambda: _scans(reader, budget, late),
        close=file.close,
        doubts=doubts,
        late_notes=late,
    )


def _scans(reader: _Reader, budget: InflationBudget, late: list[str]) -> Iterator[RawScan]:
    higher = 0
    for scan in guarded(budget.path, iter(reader)):
        if scan["msLevel"] != 1:
            higher += 1
            continue
        if scan.get("centroided") in ("0", "false"):
            note = "the spectra are continuous, not centroided"
            if note not in late:
                late.append(note)
        yield _scan(scan, budget)
    if higher:
        late.append(f"{higher} spectra of a higher MS level were left out")


def _scan(scan: dict[str, Any], budget: InflationBudget) -> RawScan:
    path, where = budget.path, f"scan {scan.get('num')}"
    with without_parser_errors(path):
        # The format calls the number of points of a scan its peaks count.
        length = whole_number(scan.get("peaksCount"))
        stated = float(scan.get("totIonCurrent", np.nan))
        time_s = _seconds(str(scan.get("retentionTime", "")))
    if time_s is None:
        raise RunError(
            f"'{path.name}' is damaged: {where} has the retention time "
            f"'{scan.get('retentionTime', '')}', where one as in 'PT125.2S' belongs. Convert the "
            "run again.",
            path=path,
        )
    points = scan.get("points")
    if points is None and not length:
        nothing: Floats = np.empty(0)
        return RawScan(time_s, nothing, nothing, stated)
    if not isinstance(points, EncodedArray) or length is None:
        raise RunError(
            f"'{path.name}' is damaged: {where} lacks its points or their number. Convert the run "
            "again.",
            path=path,
        )
    pairs = decode(points, 2 * length, budget, where=where)
    return RawScan(time_s, pairs[0::2].copy(), pairs[1::2].copy(), stated)


def _seconds(duration: str) -> float | None:
    """Return how long an XML duration is, or None if it is none."""
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return 3600.0 * hours + 60.0 * minutes + seconds


def _metadata(path: Path, digest: str, root: Any) -> tuple[RunMetadata, list[str]]:
    def value(tag: str) -> str:
        found = next(root.iter(f"{{*}}{tag}"), None)
        return "" if found is None else attribute(found, "value")

    ionisation = value("msIonisation")
    suitability = check_suitability(path, ionisation=ionisation)
    person = next(root.iter("{*}operator"), None)
    operator = ""
    if person is not None:
        operator = f"{attribute(person, 'first')} {attribute(person, 'last')}".strip()
    files = [attribute(f, "fileName") for f in root.iter("{*}parentFile")]
    software = [
        f"{attribute(s, 'name')} {attribute(s, 'version')}" for s in root.iter("{*}software")
    ]
    metadata = RunMetadata(
        file_name=path.name,
        sha256=digest,
        format="mzxml",
        operator=operator,
        instrument=" ".join(text for text in (value("msManufacturer"), value("msModel")) if text),
        ionisation=ionisation,
        time_unit="as each scan gives it",
        other=text_fields({"source files": ", ".join(files), "software": ", ".join(software)}),
        notes=suitability.notes,
    )
    return metadata, list(suitability.doubts)
