"""JCAMP-DX files of GC-MS runs: a block of labels, then one table of points a scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from drugsig.acquisition.readers.header import clean_text, file_digest, iso_date, text_fields
from drugsig.acquisition.readers.open_run import OpenRun
from drugsig.acquisition.readers.points import Floats, RawScan
from drugsig.acquisition.readers.suitability import check_suitability
from drugsig.acquisition.run import RunMetadata
from drugsig.errors import RunError

__all__ = ["open_jcamp_dx"]

_CHUNK = 1 << 20
# A scan of a million points; a record that is longer is no scan.
_LONGEST_RECORD = 1 << 24
_MARK = re.compile(rb"^##", re.MULTILINE)
_LABEL = re.compile(rb"##([^=\r\n]{0,120})=")
_COMMENT = re.compile(rb"\$\$[^\r\n]*")
_SEPARATORS = bytes.maketrans(b",;\t\r\n\f\v", b"       ")
_NUMBER_BYTES = b"0123456789+-.eE "
_PAIRS = re.compile(r"\(XY\.\.XY\)", re.IGNORECASE)
_PAGE_TIME = re.compile(r"\bT\s*=\s*([-+0-9.eE]+)")
_SCAN_LABELS = ("SCANNUMBER", "PAGE", "RETENTIONTIME", "TIC", "NPOINTS")
_TABLE_LABELS = ("XYDATA", "PEAKTABLE", "DATATABLE", "XYPOINTS", "PEAKASSIGNMENTS")
_MOST_LABELS = 1000

# How far the first times of the header and of the scans may differ and still be the same time.
_SAME_TIME = 1e-3


@dataclass
class _ScanDraft:
    """The labels of a scan, before its table comes."""

    labels: dict[str, str] = field(default_factory=dict)

    def number(self, name: str) -> float:
        """Return a label as a number, NaN if it is absent or none."""
        try:
            return float(self.labels.get(name, "nan"))
        except ValueError:
            return float("nan")


def open_jcamp_dx(path: Path, /) -> OpenRun:
    """Read the labels before the first scan of a JCAMP-DX file.

    Raises
    ------
    RunError
        If the file holds a single spectrum, or a run in a form that is not read.
    """
    digest = file_digest(path)
    file = path.open("rb")
    try:
        records = _records(path, file)
        header: dict[str, str] = {}
        first: tuple[str, bytes] | None = None
        for name, value in records:
            if name in ("SCANNUMBER", "RETENTIONTIME", *_TABLE_LABELS):
                first = (name, value)
                break
            header.setdefault(name, clean_text(value))
            if name == "NTUPLES" or len(header) > _MOST_LABELS:
                raise _not_read(path, header)
        if first is None or first[0] not in ("SCANNUMBER", "RETENTIONTIME"):
            raise _not_read(path, header)
        suitability = check_suitability(
            path,
            ionisation=header.get("IONIZATIONMODE", "") or header.get("IONISATIONMODE", ""),
            inlet=header.get("INLET", ""),
            kind=header.get("DATATYPE", ""),
        )
        metadata = _metadata(path, digest, header, list(suitability.notes))
    except BaseException:
        file.close()
        raise
    late: list[str] = []
    return OpenRun(
        path=path,
        metadata=metadata,
        scans=lambda: _scans(path, first, records, header, late),
        close=file.close,
        doubts=list(suitability.doubts),
        late_notes=late,
    )


def _records(path: Path, file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Yield the labels, as the standard compares them, and their values."""
    rest = b""
    while True:
        chunk = file.read(_CHUNK)
        block = rest + chunk
        # What is left over begins with a mark and holds no other, but for its last two bytes.
        new = max(len(rest) - 2, 1) if rest else 0
        marks = [0] if rest else []
        marks += [m.start() for m in _MARK.finditer(block, new)]
        # The last record of the block may go on in the next one.
        ends = marks[1:] + ([] if chunk else [len(block)])
        for start, end in zip(marks, ends, strict=False):
            record = block[start:end]
            match = _LABEL.match(record)
            if match is None:
                raise _damaged(path, f"the line '{clean_text(record[:60])}' is no label")
            label = match.group(1).decode("latin-1").upper()
            yield re.sub(r"[ \-/_]", "", label), record[match.end() :]
        rest = block[marks[-1] :] if marks else b""
        if not chunk:
            return
        if len(rest) > _LONGEST_RECORD:
            raise _damaged(path, f"a record is longer than {_LONGEST_RECORD:,} bytes")


def _metadata(path: Path, digest: str, header: dict[str, str], notes: list[str]) -> RunMetadata:
    date, time = header.get("DATE", "") or header.get("LONGDATE", ""), header.get("TIME", "")
    # One writer puts date and time into both fields.
    acquired, doubt = iso_date(date if time in ("", date) else f"{date} {time}")
    if doubt:
        notes.append(doubt)
    notes.append("retention times are read as seconds, as writers of this form give them")
    return RunMetadata(
        file_name=path.name,
        sha256=digest,
        format="jcamp_dx",
        sample_name=header.get("TITLE", "") or header.get("SAMPLEDESCRIPTION", ""),
        operator=header.get("OWNER", "") or header.get("OPERATOR", ""),
        method=header.get("EXPERIMENTNAME", ""),
        instrument=header.get("SPECTROMETERSYSTEM", "")
        or header.get("SPECTROMETER/DATASYSTEM", ""),
        acquired=acquired,
        ionisation=header.get("IONIZATIONMODE", "") or header.get("IONISATIONMODE", ""),
        time_unit="seconds",
        other=text_fields(dict(header)),
        notes=tuple(notes),
    )


def _scans(
    path: Path,
    first: tuple[str, bytes],
    records: Iterator[tuple[str, bytes]],
    header: dict[str, str],
    late: list[str],
) -> Iterator[RawScan]:
    draft = _ScanDraft()
    count, ended = 0, False
    name, value = first
    while True:
        if name in _TABLE_LABELS:
            scan = _scan(path, draft, value, count)
            if count == 0:
                _compare_with_header(header, scan.time_s, late)
            yield scan
            draft, count = _ScanDraft(), count + 1
        elif name == "END":
            ended = True
        elif name in _SCAN_LABELS:
            if name in draft.labels:
                raise _damaged(path, f"scan {count + 1} has no table of points")
            draft.labels[name] = clean_text(_COMMENT.sub(b"", value))
        record = next(records, None)
        if record is None:
            break
        name, value = record
    if draft.labels:
        raise _damaged(path, f"it ends before the points of scan {count + 1}")
    if not ended:
        late.append(
            "the file has no ##END=, so that it cannot be told whether its last scans were cut off"
        )


def _scan(path: Path, draft: _ScanDraft, value: bytes, count: int) -> RawScan:
    form, _, body = value.partition(b"\n")
    if not _PAIRS.search(form.decode("latin-1")):
        raise RunError(
            f"scan {count + 1} of '{path.name}' is written as '{clean_text(form)}'. Only pairs, "
            "(XY..XY), are read: export the run as ANDI/AIA netCDF or mzML.",
            path=path,
            reason="unsupported",
        )
    numbers = _numbers(path, body, count)
    if len(numbers) % 2:
        raise _damaged(path, f"scan {count + 1} has an m/z without an intensity")
    stated = draft.number("NPOINTS")
    if "NPOINTS" in draft.labels and stated != len(numbers) // 2:
        raise _damaged(
            path,
            f"scan {count + 1} states {draft.labels['NPOINTS']} points and has {len(numbers) // 2}",
        )
    time = draft.number("RETENTIONTIME")
    page = _PAGE_TIME.search(draft.labels.get("PAGE", ""))
    if "RETENTIONTIME" not in draft.labels and page:
        draft.labels["RETENTIONTIME"] = page.group(1)
        time = draft.number("RETENTIONTIME")
    return RawScan(time, numbers[0::2].copy(), numbers[1::2].copy(), draft.number("TIC"))


def _numbers(path: Path, body: bytes, count: int) -> Floats:
    if b"$$" in body:
        body = _COMMENT.sub(b"", body)
    body = body.translate(_SEPARATORS)
    if body.translate(None, _NUMBER_BYTES):
        raise _damaged(path, f"the points of scan {count + 1} hold something that is no number")
    try:
        return np.array(body.split(), dtype=np.float64)
    except ValueError as error:
        raise _damaged(path, f"the points of scan {count + 1} cannot be read: {error}") from error


def _compare_with_header(header: dict[str, str], first_s: float, late: list[str]) -> None:
    """Say so if the first time of the header bears out that times are in seconds."""
    told = re.findall(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?", header.get("FIRST", ""))
    if told and abs(float(told[-1]) * 60.0 - first_s) <= _SAME_TIME * max(first_s, 1.0):
        late.append("the header gives the first retention time in minutes, and it agrees")


def _not_read(path: Path, header: dict[str, str]) -> RunError:
    kind = header.get("DATATYPE", "")
    if "NTUPLES" in header:
        return RunError(
            f"'{path.name}' is a JCAMP-DX file in the NTUPLES form, which is not read. Export the "
            "run as ANDI/AIA netCDF or mzML.",
            path=path,
            reason="unsupported",
        )
    said = f"its data type is '{kind}'" if kind else "it has no scans with retention times"
    return RunError(
        f"'{path.name}' is a JCAMP-DX file, but not of a GC-MS run: {said}. A single spectrum has "
        "no retention times; give the run that it was taken from.",
        path=path,
        reason="unsuitable",
    )


def _damaged(path: Path, what: str) -> RunError:
    return RunError(
        f"'{path.name}' is damaged: {what}. Copy the file again, or export the run again.",
        path=path,
    )
