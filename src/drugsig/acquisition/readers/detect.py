"""What a file is, told from what it holds and never from how its name ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from drugsig.errors import RunError

__all__ = ["FileKind", "agilent_data_file", "looks_like_a_run", "refuse", "sniff"]

# Enough to pass the comments and namespaces that writers put before the root of an XML file.
_HEAD = 1 << 16


@dataclass(frozen=True)
class FileKind:
    """What a file was recognised as.

    Parameters
    ----------
    format : str
        ``"netcdf"``, ``"mzml"``, ``"mzxml"``, ``"jcamp_dx"`` or ``"agilent_d"``; empty for what
        is not read.
    title : str
        In words, with its article.
    advice : str
        What to do with what is not read.
    is_run : bool
        Whether it holds, or may hold, a run: in a folder, what does not is passed over in
        silence, and what does but cannot be read is an error.
    reason : str
        Of the error that refuses it.
    """

    format: str
    title: str
    advice: str = ""
    is_run: bool = True
    reason: str = "unsupported"


_CONVERT = (
    "Convert it to mzML with the instrument's own software or with ProteoWizard's msconvert, and "
    "read that."
)
_TABLE = "Tables of profiles are read with read_profiles; a run is a netCDF, mzML or JCAMP-DX file."

NETCDF = FileKind("netcdf", "a netCDF file")
MZML = FileKind("mzml", "an mzML file")
MZXML = FileKind("mzxml", "an mzXML file")
JCAMP_DX = FileKind("jcamp_dx", "a JCAMP-DX file")
AGILENT_D = FileKind("agilent_d", "an Agilent .D folder")

_EMPTY = FileKind(
    "", "an empty file", "Copy it again from the instrument's computer.", reason="empty"
)
_HDF5 = FileKind(
    "",
    "an HDF5 file; if it is netCDF, it is netCDF-4",
    "ANDI/AIA files are netCDF-3. Convert it with 'nccopy -k classic', or export the run again.",
)
_THERMO = FileKind("", "a Thermo .raw file", _CONVERT)
_OLE = FileKind(
    "", "an OLE compound file, as Sciex .wiff files (and old Office documents) are", _CONVERT
)
_WATERS = FileKind("", "a Waters .raw folder", _CONVERT)
_BRUKER = FileKind("", "a Bruker .d folder", _CONVERT)
_PACKED = FileKind("", "a compressed file", "Unpack it and read what is inside.")
_ZIP = FileKind(
    "",
    "a zip archive or an Office workbook",
    "Unpack an archive and read the runs inside. " + _TABLE,
    is_run=False,
    reason="not_a_run",
)
_MZDATA = FileKind("", "an mzData file, the predecessor of mzML", _CONVERT)
_AGILENT_PART = FileKind(
    "", "a data file out of an Agilent .D folder", "Give the whole folder that it lies in."
)
_FOLDER = FileKind(
    "",
    "a folder that is no run itself",
    "Read the runs inside it with read_runs.",
    is_run=False,
    reason="not_a_run",
)
_XML = FileKind("", "an XML file, but neither mzML nor mzXML", _TABLE, False, "not_a_run")
_JSON = FileKind("", "a JSON file", _TABLE, False, "not_a_run")
_TEXT = FileKind("", "a text file, but not JCAMP-DX", _TABLE, False, "not_a_run")
_DOCUMENT = FileKind("", "a document or a picture", _TABLE, False, "not_a_run")
_UNKNOWN = FileKind(
    "",
    "a file of an unknown kind",
    "Read are ANDI/AIA netCDF, mzML, mzXML, JCAMP-DX and Agilent .D folders. " + _CONVERT,
    reason="not_a_run",
)

_SIGNATURES = (
    (b"CDF\x01", NETCDF),
    (b"CDF\x02", NETCDF),
    (b"CDF\x05", NETCDF),
    (b"\x89HDF\r\n\x1a\n", _HDF5),
    (b"\x01\xa1F\x00i\x00n\x00n\x00i\x00g\x00a\x00n\x00", _THERMO),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLE),
    (b"\x1f\x8b", _PACKED),
    (b"BZh", _PACKED),
    (b"\xfd7zXZ", _PACKED),
    (b"7z\xbc\xaf", _PACKED),
    (b"Rar!", _PACKED),
    (b"(\xb5/\xfd", _PACKED),
    (b"PK\x03\x04", _ZIP),
    (b"PK\x05\x06", _ZIP),
    (b"%PDF", _DOCUMENT),
    (b"\x89PNG", _DOCUMENT),
    (b"\xff\xd8\xff", _DOCUMENT),
    (b"GIF8", _DOCUMENT),
    (b"II*\x00", _DOCUMENT),
    (b"MM\x00*", _DOCUMENT),
    (b"{\\rtf", _DOCUMENT),
    (b"SQLite format 3", _DOCUMENT),
    (b"PAR1", _DOCUMENT),
    # ChemStation: a length byte, then a version number as text, then "GC / MS Data File" or the
    # like, as bytes or as UTF-16.
    (b"\x012\x00\x00", _AGILENT_PART),
    (b"\x03179\x00", _AGILENT_PART),
    (b"\x03181\x00", _AGILENT_PART),
    (b"\x03130\x00", _AGILENT_PART),
    (b"\x03131\x00", _AGILENT_PART),
    (b"\x0230\x00", _AGILENT_PART),
    (b"\x018\x00\x00", _AGILENT_PART),
)
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_ROOTS = {
    "indexedmzML": MZML,
    "mzML": MZML,
    "mzXML": MZXML,
    "msRun": MZXML,
    "mzData": _MZDATA,
}
_ROOT = re.compile(r"<(?:[\w.-]+:)?(indexedmzML|mzML|mzXML|msRun|mzData)[\s/>]")

# Names that runs go by. Only used to tell a run that lost its content from a stray file.
_RUN_ENDINGS = (
    ".cdf", ".nc", ".mzml", ".mzxml", ".jdx", ".jcamp", ".dx", ".raw", ".wiff", ".ms", ".ch",
)  # fmt: skip


def sniff(path: Path, /) -> FileKind:
    """Return what a file or folder is, from its first bytes or the files inside it.

    Raises
    ------
    RunError
        If there is nothing at this path, or it may not be read.
    """
    try:
        if path.is_dir():
            return _sniff_folder(path)
        if not path.is_file() and path.exists():
            return _UNKNOWN
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise RunError(
            f"'{path}' cannot be read: {said}. Check the name, and that you may read it.",
            path=path,
            reason="missing",
        ) from error
    if not head:
        return _EMPTY
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    return _sniff_text(head)


def _sniff_folder(path: Path) -> FileKind:
    names = {entry.name.lower() for entry in path.iterdir()}
    if "acqdata" in names or any(name.endswith((".ms", ".ch", ".uv")) for name in names):
        return AGILENT_D
    if names & {"_functns.inf", "_header.txt", "_func001.dat"}:
        return _WATERS
    if names & {"analysis.baf", "analysis.tdf", "analysis.yep", "fid"}:
        return _BRUKER
    return _FOLDER


def _sniff_text(head: bytes) -> FileKind:
    encoding = "latin-1"
    for mark, name in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            head, encoding = head[len(mark) :], name
    text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n\0")
    if not text:
        return _UNKNOWN
    if text.startswith("##") or (text.startswith("$$") and "\n##" in text):
        return JCAMP_DX
    if text.startswith("<"):
        root = _ROOT.search(text)
        return _ROOTS[root.group(1)] if root else _XML
    if (
        "\0" in text
        or sum(not (c.isprintable() or c in "\t\r\n\f") for c in text) > len(text) // 50
    ):
        return _UNKNOWN
    return _JSON if text.startswith(("{", "[")) else _TEXT


def refuse(path: Path, kind: FileKind, /) -> RunError:
    """Return the error that says what a file is and what to do with it."""
    return RunError(
        f"'{path.name}' cannot be read as a run: it is {kind.title}. {kind.advice}",
        path=path,
        reason=kind.reason,
    )


def looks_like_a_run(path: Path, kind: FileKind, /) -> bool:
    """Say whether what was found in a folder should be a run: by what it is, or by its name."""
    ending = path.suffix.lower()
    if kind is _FOLDER:
        return ending in (".d", ".raw")
    if kind in (_UNKNOWN, _OLE, _PACKED, _EMPTY):
        packed_run = ending in (".gz", ".bz2", ".xz") and Path(path.stem).suffix.lower()
        return (packed_run or ending) in _RUN_ENDINGS
    return kind.is_run or ending in _RUN_ENDINGS


def agilent_data_file(folder: Path, name: str, /) -> Path | None:
    """Return the file of a .D folder with this name, however its letters are written."""
    found = [entry for entry in sorted(folder.iterdir()) if entry.name.lower() == name.lower()]
    return next((entry for entry in found if entry.is_file()), None)
