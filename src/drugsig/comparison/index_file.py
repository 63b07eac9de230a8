"""The file of an index: arrays in an ``.npz`` archive, and a header that says what they are.

The header is JSON. It names the format and its version, the metric with the numbers it carries,
targets, pretreatment and epochs, and the sha256 of every array; its own sha256 stands beside it.
Nothing in the file is ever executed: no pickle is written or read.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from drugsig._files import (
    FORMATS,
    canonical_json,
    check_format,
    refuse_inflating,
    write_file,
)
from drugsig.comparison.index_segment import Segment
from drugsig.comparison.metrics import Metric
from drugsig.errors import DrugsigError, OutputError, ReadError
from drugsig.profiles.status import Status
from drugsig.protocols.target import Target

__all__ = ["IndexContent", "read_index", "write_index"]

_FORMAT = "drugsig profile index"

_HEADER, _HEADER_DIGEST = "header", "header_sha256"

# What numpy and zipfile raise for files that are not what they should be.
_BROKEN = (
    EOFError, KeyError, NotImplementedError, OSError, MemoryError, OverflowError, RuntimeError,
    TypeError, ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class IndexContent:
    """What the file of an index holds.

    Attributes
    ----------
    metric : Metric
        What scores mean.
    targets : tuple of Target
        In order.
    pretreatment : tuple of dict
        The steps, with frozen parameters.
    segments : tuple of Segment
        The profiles.
    digest : str
        The sha256 of the header of the file it was read from; empty where it comes from none.
    """

    metric: Metric
    targets: tuple[Target, ...]
    pretreatment: tuple[dict[str, Any], ...]
    segments: tuple[Segment, ...]
    digest: str = ""


def write_index(
    path: str | os.PathLike[str], content: IndexContent, /, *, follows: str
) -> tuple[Path, str]:
    """Write an index.

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced when all is written.
    content : IndexContent
        What to write.
    follows : str
        The digest of the file that may be replaced, see `IndexContent`; empty for any.

    Returns
    -------
    path : Path
        The file.
    digest : str
        Of what was written.

    Raises
    ------
    OutputError
        If it cannot be written there, or another index lies there by now.
    """
    arrays: dict[str, NDArray[Any]] = {}
    epochs = list(
        dict.fromkeys(e for s in content.segments for e in s.epochs or () if e is not None)
    )
    for k, segment in enumerate(content.segments):
        arrays |= _arrays_of(segment, f"segment_{k}_", epochs)
    header = {
        "format": _FORMAT,
        "version": FORMATS[_FORMAT],
        "library_version": version("drugsig"),
        "metric": content.metric.to_data(),
        "metric_digest": content.metric.digest,
        "targets": [[t.name, t.role, t.unit] for t in content.targets],
        "pretreatment": list(content.pretreatment),
        "epochs": epochs,
        "segments": [len(segment) for segment in content.segments],
        "sha256": {name: _digest(array) for name, array in arrays.items()},
    }
    text = canonical_json(header).encode()
    arrays[_HEADER] = np.frombuffer(text, dtype=np.uint8)
    arrays[_HEADER_DIGEST] = np.frombuffer(hashlib.sha256(text).digest(), dtype=np.uint8)

    def write(file: IO[bytes]) -> None:
        np.savez(file, allow_pickle=False, **arrays)
        # At the last moment: writing a large index takes a while.
        _refuse_another(Path(path), follows)

    return write_file(path, write, overwrite=True), hashlib.sha256(text).hexdigest()


def _refuse_another(place: Path, follows: str) -> None:
    """Refuse to replace an index that somebody else has written since this one was loaded."""
    if not follows or not place.exists():
        return
    try:
        with zipfile.ZipFile(place) as archive:
            found = archive.read(f"{_HEADER_DIGEST}.npy")[-32:].hex()
    except (*_BROKEN, KeyError):
        found = ""
    if found != follows:
        raise OutputError(
            f"'{place.name}' is not the index that this one was loaded from or saved as: another "
            "process has extended or replaced it since, and what it added would be lost. Load it "
            "again, extend that, and save it; or save this one under another name."
        )


def read_index(path: str | os.PathLike[str], /) -> IndexContent:
    """Read an index.

    Parameters
    ----------
    path : path-like
        The file.

    Raises
    ------
    ReadError
        If there is no such file, it is no index, one of another version, or damaged; or if it was
        built with a metric that is not known here.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise ReadError(f"{path.name} {what}: no index can be read from it.", path=path)
    header, arrays = _checked(path)
    try:
        metric = Metric.from_data(header["metric"])
    except DrugsigError as error:
        raise ReadError(
            f"{path.name} was built with a metric that cannot be made here: {error} If it is one "
            "of your own, register it first, drugsig.comparison.register_metric(...).",
            path=path,
        ) from error
    if metric.digest != header["metric_digest"]:
        raise ReadError(
            f"{path.name} was built with metric '{metric.name}' of drugsig "
            f"{header['library_version']}, which is defined differently here. Build the index "
            "again from its profiles.",
            path=path,
        )
    try:
        return IndexContent(
            digest=hashlib.sha256(canonical_json(header).encode()).hexdigest(),
            metric=metric,
            targets=tuple(Target(*texts) for texts in header["targets"]),
            pretreatment=tuple(header["pretreatment"]),
            segments=tuple(
                _segment_of(arrays, f"segment_{k}_", n, header, metric)
                for k, n in enumerate(header["segments"])
            ),
        )
    except (*_BROKEN, AttributeError, DrugsigError) as error:
        raise _damaged(path, error) from error


def _checked(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return header and arrays, if they are what was written."""
    stranger = ReadError(
        f"{path.name} is no index of profiles. An index is a file that "
        "drugsig.build_index(...).save(...) wrote; profiles are read with drugsig.read_profiles.",
        path=path,
    )
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            begun = file.read(4) == b"PK\x03\x04"
        raise _damaged(path, "it ends too early") if begun else stranger
    try:
        # Opened here, because np.load leaves a damaged file open.
        with zipfile.ZipFile(path) as packed:
            refuse_inflating(packed, path.stat().st_size)
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            names = set(archive.files)
            if not {_HEADER, _HEADER_DIGEST} <= names:
                raise stranger
            text = archive[_HEADER].tobytes()
            if hashlib.sha256(text).digest() != archive[_HEADER_DIGEST].tobytes():
                raise _damaged(path, "the header is not the one that was written")
            header: dict[str, Any] = json.loads(text)
            if header.get("format") != _FORMAT:
                raise stranger
            check_format(
                header,
                _FORMAT,
                refuse=lambda why: ReadError(
                    f"{path.name} {why} It was written by drugsig {header['library_version']}, "
                    "and can also be built again from its profiles.",
                    path=path,
                ),
            )
            missing = set(header["sha256"]) - names
            if missing:
                raise _damaged(path, f"it lacks {min(missing)}")
            arrays = {name: archive[name] for name in header["sha256"]}
    except ReadError:
        raise
    except _BROKEN as error:
        raise _damaged(path, error) from error
    for name, digest in header["sha256"].items():
        if _digest(arrays[name]) != digest:
            raise _damaged(path, f"{name} is not what was written")
    return header, arrays


def _damaged(path: Path, why: object) -> ReadError:
    return ReadError(
        f"{path.name} is a damaged index: {why}. Copy it again, or build it again from its "
        "profiles.",
        path=path,
    )


def _digest(array: NDArray[Any]) -> str:
    hasher = hashlib.sha256(f"{array.dtype.str} {array.shape}\n".encode())
    hasher.update(np.ascontiguousarray(array).data)
    return hasher.hexdigest()


def _arrays_of(segment: Segment, prefix: str, epochs: list[str]) -> dict[str, NDArray[Any]]:
    texts = [i.encode() for i in segment.ids]
    arrays: dict[str, NDArray[Any]] = {
        "ids": np.frombuffer(b"".join(texts), dtype=np.uint8),
        "id_ends": np.cumsum([len(t) for t in texts], dtype="<i8"),
        "values": segment.values.astype("<f8", copy=False),
        "status": segment.status,
    }
    if segment.epochs is not None:
        code: Mapping[str | None, int] = {None: -1} | {e: k for k, e in enumerate(epochs)}
        arrays["epochs"] = np.array([code[e] for e in segment.epochs], dtype="<i4")
    tree = segment.finder.leaves
    if tree is not None:
        arrays["order"], arrays["starts"] = tree[0].astype("<i8"), tree[1].astype("<i8")
    return {prefix + name: array for name, array in arrays.items()}


def _segment_of(
    arrays: Mapping[str, NDArray[Any]],
    prefix: str,
    n: int,
    header: Mapping[str, Any],
    metric: Metric,
) -> Segment:
    p = len(header["targets"])
    ends = arrays[prefix + "id_ends"].tolist()
    text = arrays[prefix + "ids"].tobytes()
    ids = tuple(text[a:b].decode() for a, b in zip([0, *ends[:-1]], ends, strict=True))
    values = np.ascontiguousarray(arrays[prefix + "values"], dtype=np.float64)
    status = np.ascontiguousarray(arrays[prefix + "status"], dtype=np.uint8)
    if not (len(ids) == n and values.shape == status.shape == (n, p)):
        raise ValueError("its parts do not belong together")
    if status.size and status.max() > max(Status):
        raise ValueError("it holds a status that does not exist")
    epochs: tuple[str | None, ...] | None = None
    if prefix + "epochs" in arrays:
        names: list[str | None] = [*header["epochs"], None]
        epochs = tuple(names[k] for k in arrays[prefix + "epochs"].tolist())
    tree = None
    if prefix + "order" in arrays:
        tree = (
            arrays[prefix + "order"].astype(np.int64),
            arrays[prefix + "starts"].astype(np.int64),
        )
    return Segment(ids, epochs, values, status, metric, tree)
