"""The file a table comes from: its bytes, their digest, and what they look like."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from drugsig._files import read_whole
from drugsig.errors import InputError, ReadError, SizeError

__all__ = ["MAX_BYTES", "Source", "open_source"]

# No table of profiles is near this size; a file that is, or that unpacks to it, is a mistake
# or an attack, and would take several times as much memory.
MAX_BYTES = 512 * 1024 * 1024

_TEXT_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

# What the first bytes say a file is, and what to do about it.
_SIGNATURES = (
    (b"%PDF", "a PDF document", "Export the table itself as .xlsx or .csv."),
    (b"\x89PNG", "a PNG image", "Export the table itself as .xlsx or .csv."),
    (b"\xff\xd8\xff", "a JPEG image", "Export the table itself as .xlsx or .csv."),
    (b"GIF8", "a GIF image", "Export the table itself as .xlsx or .csv."),
    (b"II*\x00", "a TIFF image", "Export the table itself as .xlsx or .csv."),
    (b"MM\x00*", "a TIFF image", "Export the table itself as .xlsx or .csv."),
    (b"CDF\x01", "a netCDF file: one run, not a table of profiles", "Extract profiles first."),
    (b"CDF\x02", "a netCDF file: one run, not a table of profiles", "Extract profiles first."),
    (b"CDF\x05", "a netCDF file: one run, not a table of profiles", "Extract profiles first."),
    (b"\x89HDF", "an HDF5 file", "Export the table as .xlsx or .csv."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"BZh", "a bzip2 archive", "Unpack it first."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it first."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"SQLite format 3", "a SQLite database", "Export the table as .xlsx or .csv."),
    (b"PAR1", "a Parquet file", "Export the table as .xlsx or .csv."),
    (b"{\\rtf", "an RTF document", "Copy its table into a spreadsheet."),
    (b"##TITLE", "a JCAMP-DX file: one run, not a table of profiles", "Extract profiles first."),
)
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MARKUP = re.compile(rb"\s*<(!doctype|html|table|\?xml|head|meta)\b", re.IGNORECASE)
_SNIFFED = 4096


@dataclass(frozen=True, eq=False)
class Source:
    """A file that was read into memory.

    Parameters
    ----------
    path : Path
        Where it lies.
    data : bytes
        What it holds.
    is_workbook : bool
        Whether it is a zip archive that may be an XLSX workbook; otherwise it is text.
    """

    path: Path
    data: bytes
    is_workbook: bool

    @property
    def name(self) -> str:
        """The name of the file, without its folder, as text that can be written anywhere."""
        name = self.path.name.encode("utf-8", "replace").decode("utf-8")
        return "".join(c if c.isprintable() else "_" for c in name)

    @cached_property
    def sha256(self) -> str:
        """The digest of the bytes, as 64 hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def open_source(path: str | os.PathLike[str], /, *, encoding: str | None = None) -> Source:
    """Read a file and judge by its content whether it can hold a table.

    Parameters
    ----------
    path : path-like
        The file. Its ending plays no part.
    encoding : str, optional
        An encoding named by the user: NUL bytes are then no sign of a binary file.

    Raises
    ------
    ReadError
        If the file is missing, empty, may not be read, or is something else than a table.
    SizeError
        If it is larger than `MAX_BYTES`.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"the path of a table must be text or a path, got {path!r}")
    place = Path(path)
    data = _read_bytes(place)
    bare = data
    for mark in _TEXT_BOMS:
        bare = bare.removeprefix(mark)
    if not bare.strip(b" \t\r\n\x00"):
        raise ReadError(
            f"{place.name} is empty: it holds {len(data)} byte(s) and no table. "
            "Export it again from the program it comes from.",
            path=place,
        )
    if data.startswith(_OLE2):
        raise ReadError(_about_ole2(place.name, data), path=place)
    for signature, what, advice in _SIGNATURES:
        if data.startswith(signature):
            raise ReadError(f"{place.name} is no table: it is {what}. {advice}", path=place)
    if data.startswith(_ZIP):
        return Source(place, data, is_workbook=True)
    if _MARKUP.match(data.removeprefix(_TEXT_BOMS[0])[:_SNIFFED]):
        raise ReadError(
            f"{place.name} is no table: it is a web page or XML document, as some programs "
            "write under the ending .xls. Open it in a spreadsheet and save it as .xlsx.",
            path=place,
        )
    if b"\x00" in data and encoding is None and not data.startswith(_TEXT_BOMS[1:]):
        raise ReadError(_about_binary(place.name, data), path=place)
    return Source(place, data, is_workbook=False)


def _read_bytes(place: Path) -> bytes:
    try:
        return read_whole(place, most=MAX_BYTES)
    except FileNotFoundError:
        near = f" in folder {place.parent}" if place.parent.is_dir() else ""
        raise ReadError(
            f"there is no file {place.name}{near}. Check the name and the folder.", path=place
        ) from None
    except IsADirectoryError:
        raise ReadError(
            f"{place.name} is a folder. Name the one file that holds the table.", path=place
        ) from None
    except PermissionError as error:
        if place.is_dir():
            raise ReadError(
                f"{place.name} is a folder. Name the one file that holds the table.", path=place
            ) from None
        raise ReadError(
            f"{place.name} may not be read ({error.strerror}). Close it in other programs and "
            "check your rights to it.",
            path=place,
        ) from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise SizeError(
                f"{place.name} has {place.stat().st_size:,} bytes; a table may have at most "
                f"{MAX_BYTES:,}. Split it, or keep only the columns that are needed."
            ) from error
        raise ReadError(f"{place.name} cannot be read: {error.strerror}.", path=place) from error


def _about_ole2(name: str, data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return (
            f"{name} is a workbook protected by a password. Remove the password "
            "(File > Info > Protect Workbook) and save it again."
        )
    if "WordDocument".encode("utf-16-le") in data:
        return f"{name} is no table: it is a Word document. Copy its table into a spreadsheet."
    if not any(stream.encode("utf-16-le") in data for stream in ("Workbook", "Book")):
        return (
            f"{name} is no table: it is an OLE compound file, in which several makers keep runs in "
            "their own format. Export the table as .xlsx or .csv, or convert the run to mzML."
        )
    return f"{name} is a workbook in the old .xls format. Open it and save it as .xlsx."


def _about_binary(name: str, data: bytes) -> str:
    for encoding in ("utf-16-le", "utf-16-be"):
        head = data[:_SNIFFED].decode(encoding, "replace")
        printable = sum(c.isprintable() or c in "\t\r\n" for c in head)
        # Nearly any bytes are printable Chinese; tables have digits and delimiters.
        ascii_share = sum(c.isascii() for c in head) / len(head)
        if printable > 0.99 * len(head) and ascii_share > 0.5:
            return (
                f"{name} looks like UTF-16 text without a byte-order mark. "
                f"If it is, say so: encoding='{encoding}'."
            )
    return (
        f"{name} is no table: it holds binary data (a NUL byte at position {data.index(0)}). "
        "Export the table as .xlsx or .csv."
    )
