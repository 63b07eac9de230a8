"""One way to files: formats and their versions, canonical JSON, archives, and whole files only."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import os
import re
import secrets
import shutil
import stat
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from drugsig.errors import InputError, OutputError, ReadError

__all__ = [
    "FORMATS",
    "MOST_SETTINGS",
    "archive_digest",
    "array_shapes",
    "canonical_json",
    "check_format",
    "new_files",
    "new_folder",
    "parsed_toml",
    "read_archive",
    "read_whole",
    "refuse_existing",
    "refuse_inflating",
    "refuse_taken",
    "sha256_of",
    "write_archive",
    "write_file",
]

# Everything that drugsig writes and reads again, with the version of its form that this drugsig
# writes; it reads no other.
FORMATS: Mapping[str, int] = MappingProxyType(
    {
        "drugsig profile table": 1,
        "drugsig profile index": 1,
        "drugsig link shard": 1,
        "drugsig likelihood ratio model": 2,
        "drugsig two-level model": 1,
        "drugsig calibration": 2,
        "drugsig typicality calibration": 2,
        "drugsig fusion": 2,
        "drugsig validation": 2,
        "drugsig record of an analysis": 1,
    }
)

_HEADER = "header.json"

# The first date that a zip file can hold: a file is the same whenever it is written.
_NO_DATE = (1980, 1, 1, 0, 0, 0)

# Larger files are no model.
_LARGEST = 2 * 1024**3

# Larger files hold no settings: an analysis file has about 1 kB.
MOST_SETTINGS = 2_000_000
# Parts of a key between dots; a parser takes memory by the square of their number.
_MOST_KEY_PARTS = 20
_CHUNK = 1 << 20


def check_format(header: object, kind: str, /, *, refuse: Callable[[str], Exception]) -> None:
    """Check that what was stored is of a kind, and of the version of it that can be read.

    Parameters
    ----------
    header : object
        What was read; it should be a mapping with ``"format"`` and ``"version"``.
    kind : str
        What it must be, of `FORMATS`.
    refuse : callable
        Makes the error from what is wrong, a sentence without its subject: "is no stored ...".

    Raises
    ------
    Exception
        What `refuse` makes, if it is another kind of thing, of another version, or damaged.
    """
    what = kind.removeprefix("drugsig ")
    said = header.get("format") if isinstance(header, Mapping) else None
    if not isinstance(header, Mapping) or said != kind:
        found = "nothing in it says what it is" if said is None else f"it says that it is {said!r}"
        raise refuse(f"is no stored {what}: {found}.")
    version, ours = header.get("version"), FORMATS[kind]
    if isinstance(version, bool) or not isinstance(version, int):
        raise refuse(f"is a damaged {what}: its format version is {version!r}.")
    if version != ours:
        how = "a newer drugsig" if version > ours else "the drugsig that wrote it"
        raise refuse(
            f"is a {what}, but its format version {version} cannot be read; this drugsig reads "
            f"version {ours}. Read it with {how}, or make it anew."
        )


def canonical_json(value: object) -> str:
    """Write a value as JSON in the one way that digests are made of.

    Keys are sorted, nothing is spaced out, text is not escaped beyond what JSON needs, and
    numbers are written with the shortest digits that read back the same.

    Raises
    ------
    InputError
        If the value holds NaN, an infinity or something JSON has no word for.
    """
    try:
        return json.dumps(
            value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"not data that can be written down: {error}") from error


def sha256_of(content: bytes | str | Path, /) -> str:
    """Return the sha256 of bytes, of a text as UTF-8, or of the bytes of a file.

    Parameters
    ----------
    content : bytes, str or Path
        A str is a text, never the name of a file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    if isinstance(content, Path):
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def read_whole(path: str | os.PathLike[str], /, *, most: int) -> bytes:
    """Read a file in one go; only what is a file, and never more of it than is allowed.

    A device or a pipe has no end and no size, so it is refused before anything is read.

    Parameters
    ----------
    path : path-like
        The file.
    most : int
        Bytes.

    Raises
    ------
    OSError
        If it cannot be read, is no regular file (``EINVAL``) or is larger (``EFBIG``);
        ``strerror`` says so in words.
    """

    def regular(found: os.stat_result) -> None:
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no file but a device, a pipe or the like", str(path))

    place = Path(path)
    try:
        # Before it is opened, because opening a pipe waits for somebody to write into it.
        regular(place.stat())
    except ValueError as error:
        raise OSError(errno.EINVAL, f"no file can have this name ({error})", str(path)) from error
    with place.open("rb") as file:
        there = os.fstat(file.fileno())
        regular(there)
        if there.st_size > most:
            raise OSError(
                errno.EFBIG, f"it has {there.st_size} bytes, and at most {most} are read", str(path)
            )
        content = bytearray()
        while chunk := file.read(min(_CHUNK, most + 1 - len(content))):
            content += chunk
            if len(content) > most:
                raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return bytes(content)


def parsed_toml(content: bytes, /) -> dict[str, Any]:
    """Parse TOML in UTF-8, also what is made to take all memory or time of its reader.

    Parameters
    ----------
    content : bytes
        What a file holds.

    Raises
    ------
    ValueError
        If it is no text in UTF-8 (`UnicodeDecodeError`), no TOML, or TOML that no file of settings
        is.
    """
    text = content.decode("utf-8-sig")
    words = re.split(r"([=,\[\]{}#\n])", text)
    for word, sign in zip(words[::2], [*words[1::2], "="], strict=True):
        # What stands before another sign may be prose; a key of its length fails without harm.
        most = _MOST_KEY_PARTS if sign in "=]" else 50 * _MOST_KEY_PARTS
        if len(re.findall(r"[^\s.]\s*\.", word)) >= most:
            raise ValueError(f"a key has more than {_MOST_KEY_PARTS} parts between dots")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("arrays or tables are nested too deeply") from error
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:
        raise ValueError(f"a number in it cannot be read: {error}") from error


def write_file(
    path: str | os.PathLike[str],
    content: bytes | Callable[[IO[bytes]], None],
    /,
    *,
    overwrite: bool = False,
) -> Path:
    """Write a file that appears whole or not at all.

    It is written beside its place under another name, brought to the disk, and then given its
    name. Without `overwrite` that name is made exclusively: of two that write into one name at the
    same time one wins, and the other is told.

    Parameters
    ----------
    path : path-like
        Where.
    content : bytes or callable
        What, or a function that writes it into an open binary file.
    overwrite : bool
        Replace a file that is already there.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If the file is already there, or cannot be written.
    """
    place = Path(path)
    if place.is_dir():
        raise _folder_there(place)
    if place.exists() and not overwrite:
        raise _taken(place)
    # Not the tempfile module: its files can be read by their owner only, and stay so.
    draft = _draft_of(place)
    try:
        with draft.open("xb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                content(file)
            file.flush()
            # Before the file gets its name: a power cut leaves it whole or not there.
            os.fsync(file.fileno())
        if overwrite:
            draft.replace(place)
        else:
            _rename_exclusively(draft, place)
    except OSError as error:
        raise _unwritten(place, error) from error
    finally:
        draft.unlink(missing_ok=True)
    return place


@contextmanager
def new_files(*paths: str | os.PathLike[str]) -> Iterator[tuple[Path, ...]]:
    """Make files of one folder that belong together, none of which appears without the others.

    They are written into a folder beside their places. At the end each gets its name, in the order
    of `paths`: one that means nothing without another is named after it, so that even a run that
    is killed at that moment does not leave it alone.

    Parameters
    ----------
    *paths : path-like
        The files to make.

    Yields
    ------
    tuple of Path
        Where to write them.

    Raises
    ------
    OutputError
        If one is already there, now or at the end, or cannot be made; then there is none.
    """
    places = [Path(path) for path in paths]
    refuse_taken(*places)
    draft = _draft_of(places[0])
    named: list[Path] = []
    try:
        draft.mkdir()
        yield tuple(draft / place.name for place in places)
        for place in places:
            _rename_exclusively(draft / place.name, place)
            named.append(place)
    except OSError as error:
        for place in named:
            place.unlink(missing_ok=True)
        raise _unwritten(places[len(named)], error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def refuse_taken(*places: Path) -> None:
    """Refuse to write files that are already there, or whose folder is not.

    Parameters
    ----------
    *places : Path
        To be written.

    Raises
    ------
    OutputError
        If one is there, or the folder it would lie in is not.
    """
    for place in places:
        if place.is_dir():
            raise _folder_there(place)
        if place.exists():
            raise OutputError(
                f"'{place}' exists. Results are never overwritten: name another file, or move this "
                "one away."
            )
        _refuse_missing_parent(place)


def _folder_there(place: Path) -> OutputError:
    return OutputError(
        f"'{place}' is not written: there is a folder of that name. Choose another name."
    )


def _refuse_missing_parent(place: Path) -> None:
    parent = place.absolute().parent
    if not parent.is_dir():
        raise OutputError(
            f"folder '{parent}' does not exist, so '{place.name}' cannot be made in it."
        )


def _unwritten(place: Path, error: OSError) -> OutputError:
    if isinstance(error, OutputError):
        return error
    return OutputError(
        f"'{place.name}' cannot be written in '{place.absolute().parent}': "
        f"{error.strerror or error}. Check that the folder exists, is not full, and that the file "
        "is not open elsewhere."
    )


def _taken(place: Path) -> OutputError:
    return OutputError(
        f"'{place}' is not written: it is already there. Choose another name, or say "
        "overwrite=True to replace the file."
    )


def _draft_of(place: Path) -> Path:
    return place.with_name(f".{place.name[:40]}-{secrets.token_hex(4)}.part")


def _rename_exclusively(draft: Path, place: Path) -> None:
    """Give a file its name if nothing has it; on any system, and also where two try at once."""
    try:
        os.link(draft, place)
    except FileExistsError as error:
        raise _taken(place) from error
    except OSError:
        # A file system without hard links: the name is taken first, then the content put there.
        try:
            place.open("xb").close()
        except FileExistsError as error:
            raise _taken(place) from error
        try:
            draft.replace(place)
        except BaseException:
            place.unlink(missing_ok=True)
            raise


def refuse_existing(folder: Path, /) -> None:
    """Refuse a folder that holds something: results are never mixed or overwritten.

    Parameters
    ----------
    folder : Path
        To be made.

    Raises
    ------
    OutputError
        If it exists and is not an empty folder, or its parent does not exist.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file. Name a folder that does not exist yet.")
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(
            f"folder '{folder}' exists and is not empty. Results are never overwritten: name "
            "another folder, or move this one away."
        )
    _refuse_missing_parent(folder)


@contextmanager
def new_folder(folder: str | os.PathLike[str], /) -> Iterator[Path]:
    """Make a folder that appears with everything in it, or not at all.

    What is written goes into a folder beside it, which gets its name at the end: an error, Ctrl-C
    or a full disk leaves nothing half-written.

    Parameters
    ----------
    folder : path-like
        The folder to make. One that exists must be empty.

    Yields
    ------
    Path
        The folder to write into.

    Raises
    ------
    OutputError
        If the folder exists and holds something, now or at the end, or cannot be made or written.
    """
    target = Path(folder).absolute()
    refuse_existing(target)
    draft = _draft_of(target)
    try:
        draft.mkdir()
    except OSError as error:
        raise OutputError(
            f"nothing can be written beside '{target.name}' in '{target.parent}': {error.strerror}"
        ) from error
    try:
        yield draft
        if target.is_dir():
            target.rmdir()
        # Not `replace`: two that make one folder at the same time are told of each other.
        draft.rename(target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        refuse_existing(target)
        raise OutputError(
            f"folder '{target}' cannot be written: {error.strerror or error}. Check that the disk "
            "is not full; nothing was left there."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def archive_digest(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], /) -> str:
    """Return the sha256 of a header and arrays, as 64 hexadecimal digits.

    Parameters
    ----------
    header : mapping
        Data for JSON.
    arrays : mapping of str to ndarray
        Numbers; little-endian in the digest wherever they were made.
    """
    hasher = hashlib.sha256(canonical_json(dict(header)).encode())
    for name in sorted(arrays):
        array = _plain(arrays[name])
        hasher.update(canonical_json([name, array.dtype.str, list(array.shape)]).encode())
        hasher.update(array.tobytes())
    return hasher.hexdigest()


def write_archive(
    path: str | os.PathLike[str],
    header: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    /,
    *,
    kind: str,
    overwrite: bool,
) -> Path:
    """Write an archive whole, or not at all.

    Parameters
    ----------
    path : path-like
        The file; its name ends with ``.npz``.
    header : mapping
        Data for JSON.
    arrays : mapping of str to ndarray
        Numbers.
    kind : str
        What it is, of `FORMATS`.
    overwrite : bool
        Whether a file that is there is replaced.

    Raises
    ------
    OutputError
        If the file is there already, has another ending, or cannot be written.
    """
    place = Path(path)
    if place.suffix.lower() != ".npz":
        raise OutputError(f"'{place.name}' is not written: the name of a {kind} file ends in .npz")
    head = {
        "format": kind,
        "version": FORMATS[kind],
        "content": dict(header),
        "digest": archive_digest(header, arrays),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        _put(archive, _HEADER, canonical_json(head).encode())
        for name in sorted(arrays):
            one = io.BytesIO()
            np.lib.format.write_array(one, _plain(arrays[name]), version=(1, 0), allow_pickle=False)
            _put(archive, f"{name}.npy", one.getvalue())
    return write_file(place, content.getvalue(), overwrite=overwrite)


def read_archive(
    path: str | os.PathLike[str], /, *, kind: str
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read an archive and check that it is what was written.

    Parameters
    ----------
    path : path-like
        The file.
    kind : str
        What it must be, of `FORMATS`.

    Returns
    -------
    header : dict
        The data.
    arrays : dict of str to ndarray
        The numbers.

    Raises
    ------
    ReadError
        If there is no such file, it is something else, of another version, damaged or changed.
    """
    place = Path(path)
    try:
        if place.stat().st_size > _LARGEST:
            raise ReadError(f"'{place}' is too large to be a {kind} file", path=place)
        with zipfile.ZipFile(place) as archive:
            refuse_inflating(archive, place.stat().st_size)
            head = json.loads(archive.read(_HEADER).decode())
            check_format(head, kind, refuse=lambda why: ReadError(f"'{place}' {why}", path=place))
            if not isinstance(head.get("content"), dict) or not isinstance(head.get("digest"), str):
                raise ReadError(f"the header of '{place}' is not complete", path=place)
            arrays = {
                name[: -len(".npy")]: _array(archive.read(name))
                for name in archive.namelist()
                if name != _HEADER
            }
    except FileNotFoundError as error:
        raise ReadError(f"there is no file '{place}'", path=place) from error
    except ReadError:
        raise
    # What a damaged zip file makes of its reader is not limited to a few errors.
    except Exception as error:
        raise ReadError(
            f"'{place}' cannot be read as a {kind} file: {error}. It is damaged, or is another "
            "kind of file; get it anew from where it was written.",
            path=place,
        ) from error
    header: dict[str, Any] = head["content"]
    if archive_digest(header, arrays) != head["digest"]:
        raise ReadError(
            f"the content of '{place}' does not have the digest it was written with: it is "
            "damaged or was changed. Get it anew from where it was written.",
            path=place,
        )
    return header, arrays


def array_shapes(archive: zipfile.ZipFile, /) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Return the shape and the type of every array that an archive declares, without reading any.

    Parameters
    ----------
    archive : ZipFile
        As NumPy writes it.

    Raises
    ------
    ValueError
        If an entry is no array.
    """
    found = {}
    for entry in archive.infolist():
        if entry.filename.endswith(".npy"):
            with archive.open(entry) as file:
                edition = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0
                if edition != (1, 0):
                    read = np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)
            found[entry.filename.removesuffix(".npy")] = (shape, dtype)
    return found


def refuse_inflating(archive: zipfile.ZipFile, size: int, /) -> None:
    """Refuse an archive of arrays that would take more memory than its file is large.

    What drugsig writes to be read again is not compressed, so that nothing in it unfolds.

    Parameters
    ----------
    archive : ZipFile
        The archive.
    size : int
        Bytes of its file.

    Raises
    ------
    ValueError
        If it is compressed, or declares more than it can hold.
    """
    entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError("it is compressed, which no such file is")
    declared = sum(entry.file_size for entry in entries)
    shapes = array_shapes(archive).values()
    arrays = sum(math.prod(shape) * dtype.itemsize for shape, dtype in shapes)
    if max(declared, arrays) > size:
        raise ValueError(f"it declares {max(declared, arrays):,} bytes and has {size:,}")


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    out = np.ascontiguousarray(array)
    return out.astype(out.dtype.newbyteorder("<"))


def _array(content: bytes) -> NDArray[Any]:
    out: NDArray[Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return out


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=_NO_DATE)
    # The same on every system, whose permissions differ.
    entry.create_system = 0
    archive.writestr(entry, content)
