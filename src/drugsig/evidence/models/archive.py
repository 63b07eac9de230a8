"""Archives of numbers: one npz with a JSON header and a digest, the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._files import canonical_json, write_file
from drugsig.errors import OutputError, ReadError

__all__ = ["content_digest", "read_archive", "write_archive"]

_HEADER = "header.json"

# The first date that a zip file can hold: a file is the same whenever it is written.
_NO_DATE = (1980, 1, 1, 0, 0, 0)

# Larger files are no model.
_LARGEST = 2 * 1024**3


def content_digest(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], /) -> str:
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
    version: int,
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
        What it is.
    version : int
        Of the form of this kind.
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
        "version": version,
        "content": dict(header),
        "digest": content_digest(header, arrays),
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
    path: str | os.PathLike[str], /, *, kind: str, version: int
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read an archive and check that it is what was written.

    Parameters
    ----------
    path : path-like
        The file.
    kind : str
        What it must be.
    version : int
        The one that can be read.

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
            # Written files are not compressed: what would unfold to more than the file is hostile.
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ReadError(f"'{place}' is compressed, which no {kind} file is", path=place)
            head = json.loads(archive.read(_HEADER).decode())
            _check_head(head, place, kind=kind, version=version)
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
    if content_digest(header, arrays) != head["digest"]:
        raise ReadError(
            f"the content of '{place}' does not have the digest it was written with: it is "
            "damaged or was changed. Get it anew from where it was written.",
            path=place,
        )
    return header, arrays


def _check_head(head: object, place: Path, *, kind: str, version: int) -> None:
    if not isinstance(head, dict) or head.get("format") != kind:
        raise ReadError(f"'{place}' is no {kind} file", path=place)
    if head.get("version") != version:
        raise ReadError(
            f"'{place}' is a {kind} file of version {head.get('version')!r}, and this drugsig "
            f"reads version {version}. Read it with the drugsig that wrote it, or fit the model "
            "anew.",
            path=place,
        )
    if not isinstance(head.get("content"), dict) or not isinstance(head.get("digest"), str):
        raise ReadError(f"the header of '{place}' is not complete", path=place)


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
