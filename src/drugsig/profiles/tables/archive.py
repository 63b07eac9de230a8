"""The zip archive a workbook is: its size and its parts, judged before anything opens it."""

from __future__ import annotations

import copy
import io
import re
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np

from drugsig.errors import ReadError, SizeError
from drugsig.profiles.tables.source import MAX_BYTES, Source

__all__ = ["Archive", "check_archive"]

# A workbook of hundreds of sheets has a few thousand parts.
MAX_PARTS = 10_000

_CHUNK = 1 << 20
# Sheets pack to a tenth. A part that packs to less than a hundredth repeats itself, and beyond a
# size that costs nothing it is made to fill the memory.
_LARGE_PART = 16 << 20
_MOST_PACKED = 100
# Cells are no deeper than ten elements; what a reader holds of each level is not small.
_DEEPEST = 200

# Longer than any tag that is looked for, so that none is lost between two chunks.
_OVERLAP = 4096

_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
# No further than the next tag, and never far: what is looked through grows with the file only.
_HIDDEN = re.compile(rb"<(?:\w+:)?(?:row|col)\b[^<>]{0,2000}?\shidden=\"(?:1|true)\"")
_DTD = tuple(mark.encode(e) for mark in ("<!DOCTYPE", "<!ENTITY") for e in ("utf-8", "utf-16-le"))
_STRICT = b"purl.oclc.org/ooxml"

# What other zip archives are, told by a part they have.
_OTHERS = (
    ("xl/workbook.bin", "a binary workbook (.xlsb)", "Open it and save it as .xlsx."),
    ("content.xml", "an OpenDocument file", "Open it and save it as .xlsx or .csv."),
    ("word/document.xml", "a Word document", "Copy its table into a spreadsheet."),
    ("ppt/presentation.xml", "a presentation", "Copy its table into a spreadsheet."),
)


@dataclass(frozen=True)
class Archive:
    """What the check of a workbook's archive found.

    Parameters
    ----------
    has_formulas : bool
        Whether any sheet holds a formula.
    has_hidden : bool
        Whether any sheet hides rows or columns.
    """

    has_formulas: bool
    has_hidden: bool


def check_archive(source: Source) -> Archive:
    """Check what a workbook unpacks to, without keeping any of it.

    Parameters
    ----------
    source : Source
        A zip archive.

    Raises
    ------
    ReadError
        If the archive is damaged, locked by a password, or no XLSX workbook.
    SizeError
        If it has too many parts, or declares or unpacks to more than `MAX_BYTES`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            parts = archive.infolist()
            _refuse_other(source, {part.filename for part in parts})
            _refuse_size(source, parts)
            return _scan(source, archive, parts)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(
            f"{source.name} is a damaged or truncated workbook ({error}). Copy or export it again.",
            path=source.path,
        ) from error


def _refuse_other(source: Source, names: set[str]) -> None:
    if "xl/workbook.xml" in names:
        return
    for part, what, advice in _OTHERS:
        if part in names:
            raise ReadError(f"{source.name} is {what}. {advice}", path=source.path)
    raise ReadError(
        f"{source.name} is a zip archive but no workbook. Unpack it and name the table itself.",
        path=source.path,
    )


def _refuse_size(source: Source, parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MAX_PARTS:
        raise SizeError(
            f"{source.name} has {len(parts):,} parts; a workbook may have at most {MAX_PARTS:,}. "
            "Save the one sheet that is needed as a workbook of its own."
        )
    declared = sum(part.file_size for part in parts)
    if declared > MAX_BYTES:
        raise SizeError(
            f"{source.name} declares {declared:,} bytes when unpacked; at most {MAX_BYTES:,} are "
            "read. Save the one sheet that is needed as a workbook of its own, or as .csv."
        )
    for part in parts:
        if part.flag_bits & 0x1:
            raise ReadError(
                f"{source.name} is locked by a password. Remove the password and save it again.",
                path=source.path,
            )
        # Other methods unpack a small input to gigabytes in one step.
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ReadError(
                f"{source.name}: part {part.filename!r} is packed in a way no spreadsheet program "
                "uses. Open it and save it as .xlsx.",
                path=source.path,
            )


def _scan(source: Source, archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> Archive:
    total = 0
    formulas = hidden = False
    for part in parts:
        real = depth = 0
        _refuse_packed(source, part)
        is_xml = part.filename.endswith((".xml", ".rels"))
        is_sheet = part.filename.startswith("xl/worksheets/")
        # A reader stops at the declared size; only a larger one shows what is really there.
        unlimited = copy.copy(part)
        unlimited.file_size = MAX_BYTES + 2 * _CHUNK
        tail = b""
        with archive.open(unlimited) as stream:
            while chunk := stream.read(_CHUNK):
                real += len(chunk)
                if total + real > MAX_BYTES:
                    raise SizeError(
                        f"{source.name} unpacks to more than {MAX_BYTES:,} bytes, although it "
                        f"declares {sum(p.file_size for p in parts):,}. It is damaged or made to "
                        "do harm; export it again from where it comes from."
                    )
                if is_xml:
                    deepest, depth = _levels(chunk, depth)
                    if deepest > _DEEPEST or (len(chunk) == _CHUNK and b">" not in chunk):
                        raise SizeError(
                            f"{source.name}: part {part.filename!r} is nested deeper or has longer "
                            "tags than a spreadsheet program writes. It is damaged or made to do "
                            "harm; export it again from where it comes from."
                        )
                    seen = tail + chunk
                    _refuse_markup(source, part.filename, seen)
                    if is_sheet:
                        formulas = formulas or _FORMULA.search(seen) is not None
                        hidden = hidden or _HIDDEN.search(seen) is not None
                    tail = seen[-_OVERLAP:]
        if real != part.file_size:
            raise ReadError(
                f"{source.name} is damaged: part {part.filename!r} declares {part.file_size:,} "
                f"bytes and unpacks to {real:,}. Export it again.",
                path=source.path,
            )
        total += real
    return Archive(has_formulas=formulas, has_hidden=hidden)


def _refuse_packed(source: Source, part: zipfile.ZipInfo) -> None:
    if part.file_size > max(_LARGE_PART, _MOST_PACKED * part.compress_size):
        raise SizeError(
            f"{source.name}: part {part.filename!r} declares {part.file_size:,} bytes and is "
            f"packed into {part.compress_size:,}, as no table is. Delete formatted cells without "
            "content beside and below the table, or save it as .csv."
        )


def _levels(text: bytes, depth: int) -> tuple[int, int]:
    """Return how deep elements are nested at most and at the end, but for a few between chunks."""
    here = np.frombuffer(text, dtype=np.uint8)
    first, second = here[:-1], here[1:]
    tag = first == ord("<")
    closes = tag & (second == ord("/"))
    opens = tag & ~closes & (second != ord("?")) & (second != ord("!"))
    steps = opens.astype(np.int32) - closes - ((first == ord("/")) & (second == ord(">")))
    levels = depth + np.cumsum(steps)
    return (int(levels.max()), int(levels[-1])) if len(levels) else (depth, depth)


def _refuse_markup(source: Source, part: str, seen: bytes) -> None:
    if any(mark in seen for mark in _DTD):
        raise ReadError(
            f"{source.name}: part {part!r} declares a document type, which no spreadsheet program "
            "writes and which can be made to do harm. Open it and save it as .xlsx.",
            path=source.path,
        )
    if part == "xl/workbook.xml" and _STRICT in seen:
        raise ReadError(
            f"{source.name} is a 'Strict Open XML' workbook. Save it as an ordinary Excel "
            "workbook (.xlsx).",
            path=source.path,
        )
