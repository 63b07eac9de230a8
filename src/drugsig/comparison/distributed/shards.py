"""`ShardFolder`: what was found so far, in files that a stopped search goes on from."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from drugsig._check import listed
from drugsig._files import FORMATS, check_format, read_whole, refuse_inflating, write_file
from drugsig._notes import Note
from drugsig.comparison.distributed.batches import Found
from drugsig.comparison.distributed.identity import SearchIdentity
from drugsig.comparison.link_search import LinkSearch, TaskLinks
from drugsig.errors import InputError, OutputError
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["MANIFEST", "DamagedShards", "ShardFolder"]

MANIFEST = "manifest.json"
_FORMAT = "drugsig link shard"
_KIND = {"format": _FORMAT, "version": FORMATS[_FORMAT]}

_PATTERN = "links-*.npz"
_ARRAYS = {"rows": "<i8", "columns": "<i8", "scores": "<f8"}

# What a file raises that is not what it was: any part of the container may be what changed.
_DAMAGED = (
    *(OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, NotImplementedError),
    *(RuntimeError, MemoryError, SyntaxError, struct.error, zipfile.BadZipFile, zlib.error),
)

# What links of one batch of tasks never take.
_MOST_SHARD = 2 * 1024**3
_MOST_MANIFEST = 64_000_000

# A file that is being written; one that is still there belongs to a run that was stopped.
_UNFINISHED = ".part"


@dataclass(frozen=True)
class DamagedShards(Note):
    """Files of an earlier part of the search were damaged, and their part was searched again.

    The links are whole. Find out why files change in that folder.
    """

    code: ClassVar[str] = "damaged-shards"
    folder: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{len(self.files)} shard(s) in '{self.folder}' were damaged and are computed again: "
            f"{listed(self.files)}."
        )


class ShardFolder:
    """A folder with one file for every batch that is done.

    Every file says which search and which tasks it belongs to and carries the sha256 of what it
    holds; it appears whole or not at all. A manifest says what is searched, and when all is done
    lists the files.

    Parameters
    ----------
    folder : path-like
        Made if it does not exist; its parent must.
    identity : SearchIdentity
        What is searched.

    Raises
    ------
    InputError
        If the folder holds parts of another search, or something else.
    OutputError
        If it cannot be made or written.
    """

    def __init__(self, folder: str | os.PathLike[str], identity: SearchIdentity, /) -> None:
        self.folder = Path(folder)
        self.identity = identity
        self._digest = identity.digest
        self._written: dict[str, dict[str, Any]] = {}
        self.notes: tuple[Note, ...] = ()
        try:
            self.folder.mkdir(exist_ok=True)
            holds = sorted(p.name for p in self.folder.iterdir())
        except OSError as error:
            raise OutputError(
                f"'{self.folder}' cannot be used as a folder for shards: {error.strerror}. Name a "
                "folder, in one that exists, that can be written."
            ) from error
        if not holds:
            self._write_manifest(complete=False)
            return
        self._refuse_another(holds)
        for path in self.folder.glob(f".*{_UNFINISHED}"):
            path.unlink(missing_ok=True)

    @classmethod
    def of(
        cls,
        folder: str | os.PathLike[str],
        search: LinkSearch,
        questioned: ProfileSet,
        reference: ProfileSet | None,
        /,
    ) -> ShardFolder:
        """Use a folder for a search; the parameters are those of `SearchIdentity.of`."""
        identity = SearchIdentity.of(search, questioned, reference)
        return cls(folder, identity)

    def kept(self) -> Iterator[Found]:
        """Yield what earlier runs found.

        Files that are damaged are removed, so that their tasks are done again, and are named in
        ``notes`` when all was yielded.
        """
        damaged: list[str] = []
        reached = 0
        for path in sorted(self.folder.glob(_PATTERN)):
            try:
                found, digest = self._read(path)
            except _DAMAGED:
                damaged.append(path.name)
                continue
            # Two runs at one time may have cut the tasks differently.
            if found.first < reached:
                continue
            reached = found.last
            self._note(path.name, found, digest)
            yield found
        if damaged:
            for name in damaged:
                (self.folder / name).unlink(missing_ok=True)
            self.notes = (DamagedShards(str(self.folder), tuple(damaged)),)

    def write(self, found: Found, /) -> Path:
        """Write a batch.

        Raises
        ------
        OutputError
            If it cannot be written; what was written before stays.
        """
        header = {
            **_KIND,
            "search": self._digest,
            "first": found.first,
            "last": found.last,
            "undefined": found.part.undefined,
            "stands_for_duplicates": found.part.stands_for_duplicates,
            "seconds": found.seconds,
        }
        arrays: dict[str, Any] = {
            name: np.ascontiguousarray(getattr(found.part, name), dtype=kind)
            for name, kind in _ARRAYS.items()
        }
        header["sha256"] = digest = _sha256(header, arrays)
        buffer = io.BytesIO()
        np.savez(buffer, header=_as_bytes(header), **arrays)
        name = f"links-{found.first:09d}-{found.last:09d}.npz"
        self._put(name, buffer.getvalue())
        self._note(name, found, digest)
        return self.folder / name

    def finish(self) -> None:
        """Say in the manifest that every task is done, and by which files."""
        self._write_manifest(complete=True)

    # -- reading -----------------------------------------------------------------------------

    def _read(self, path: Path) -> tuple[Found, str]:
        # From memory: a damaged archive would leave the file open.
        content = read_whole(path, most=_MOST_SHARD)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            refuse_inflating(archive, len(content))
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            header = json.loads(file["header"].tobytes())
            arrays = {name: file[name].astype(kind, copy=False) for name, kind in _ARRAYS.items()}
        told = header.pop("sha256")
        check_format(header, _FORMAT, refuse=ValueError)
        if header["search"] != self._digest:
            raise ValueError("a shard of another search")
        if told != _sha256(header, arrays):
            raise ValueError("its digest is not that of its content")
        part = TaskLinks(
            **arrays,
            undefined=int(header["undefined"]),
            stands_for_duplicates=bool(header["stands_for_duplicates"]),
        )
        return Found(header["first"], header["last"], part, header["seconds"]), told

    def _refuse_another(self, holds: list[str]) -> None:
        try:
            told = json.loads(read_whole(self.folder / MANIFEST, most=_MOST_MANIFEST))
            facts = dict(told["search"])
        except FileNotFoundError as error:
            unfinished = [n for n in holds if n.startswith(".") and n.endswith(_UNFINISHED)]
            if holds == unfinished:
                self._write_manifest(complete=False)
                return
            raise InputError(
                f"folder '{self.folder}' holds {listed(holds)} and no {MANIFEST}: it is no folder "
                "of shards. Name a folder that does not exist yet."
            ) from error
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"'{self.folder / MANIFEST}' cannot be read as the manifest of shards, so nothing "
                "says what was searched. Name another folder; the search is then done anew."
            ) from error
        check_format(
            told,
            _FORMAT,
            refuse=lambda why: InputError(
                f"what '{self.folder}' holds {why} Name another folder; the search is then done "
                "anew."
            ),
        )
        differ = self.identity.differences(facts)
        if differ:
            raise InputError(
                f"folder '{self.folder}' holds parts of another search: {'; '.join(differ)}. Name "
                "another folder, or search for the same again."
            )

    # -- writing -----------------------------------------------------------------------------

    def _note(self, name: str, found: Found, digest: str) -> None:
        self._written[name] = {
            "tasks": [found.first, found.last],
            "links": len(found.part.rows),
            "sha256": digest,
        }

    def _write_manifest(self, *, complete: bool) -> None:
        told: dict[str, Any] = {
            **_KIND,
            "search": dict(self.identity.facts),
            "search_digest": self._digest,
            "complete": complete,
        }
        if complete:
            told["shards"] = dict(sorted(self._written.items()))
        self._put(MANIFEST, (json.dumps(told, indent=2) + "\n").encode("utf-8"))

    def _put(self, name: str, content: bytes) -> None:
        try:
            write_file(self.folder / name, content, overwrite=True)
        except OutputError as error:
            raise OutputError(
                f"{error} What was written before is kept; the same search goes on from there."
            ) from error


def _as_bytes(header: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8)


def _sha256(header: dict[str, Any], arrays: dict[str, Any]) -> str:
    hasher = hashlib.sha256(_as_bytes(header).tobytes())
    for name, array in arrays.items():
        hasher.update(f"\n{name} {len(array)}\n".encode())
        hasher.update(np.ascontiguousarray(array, dtype=_ARRAYS[name]).tobytes())
    return hasher.hexdigest()
