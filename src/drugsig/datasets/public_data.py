"""Public data sets: where each file lies, what it must be, and how it comes to this machine."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import quote

from drugsig._check import choose
from drugsig._files import write_file
from drugsig._notes import Note, emit
from drugsig.errors import MissingExtraError, OutputError, ReadError

__all__ = [
    "FOLDER_VARIABLE",
    "NO_LICENCE",
    "NoLicence",
    "PublicData",
    "PublicFile",
    "data_folder",
    "public_data",
    "public_file",
]

FOLDER_VARIABLE = "DRUGSIG_DATA"
NO_LICENCE = "none stated"

_REGISTRY = "public_data.toml"
_TIMEOUT_S = 30


@dataclass(frozen=True)
class NoLicence(Note):
    """A data set was downloaded for which no licence is stated.

    Keep it for your own study; ask its authors before it is passed on or published.
    """

    code: ClassVar[str] = "no-licence"
    data: str
    homepage: str

    def __str__(self) -> str:
        return (
            f"no licence is stated for data set '{self.data}' ({self.homepage}): it is for your "
            "own study, and must not be passed on. Ask its authors before any other use."
        )


@dataclass(frozen=True)
class PublicFile:
    """One file of a public data set.

    Parameters
    ----------
    name : str
        The file below the folder of its data set, with ``/`` between folders.
    repository, commit, path : str
        Where it lies: owner and name on GitHub, commit (or branch) and path in it.
    size : int
        In bytes.
    sha256 : str
        Of the file as it lies at its address, as 64 hexadecimal digits.
    text : bool
        Whether other line ends are still the same file.
    verified : bool
        Whether what is known to lie at this address was compared with the file that the sha256
        was computed of.
    sha256_lf : str
        Of a text file with line feeds as line ends; empty if its line ends are line feeds.
    """

    name: str
    repository: str
    commit: str
    path: str
    size: int
    sha256: str
    text: bool
    verified: bool
    sha256_lf: str = ""

    @property
    def address(self) -> str:
        """Where anybody can get the file."""
        inside = quote(f"{self.repository}/{self.commit}/{self.path}")
        return f"https://raw.githubusercontent.com/{inside}"

    def is_same(self, content: bytes, /) -> bool:
        """Say whether this is the content of the file, whatever the line ends of a text file."""
        if hashlib.sha256(content).hexdigest() == self.sha256:
            return True
        unified = content.replace(b"\r\n", b"\n")
        expected = self.sha256_lf or self.sha256
        return self.text and hashlib.sha256(unified).hexdigest() == expected


@dataclass(frozen=True)
class PublicData:
    """One public data set.

    Parameters
    ----------
    name : str
        The registered name, also that of its folder.
    title : str
        What it holds.
    kind : {"real", "simulated"}
        Whether anything was measured.
    homepage, licence, citation : str
        Where it is described, under which licence it is given (`NO_LICENCE` where none is
        stated), and what to cite.
    files : tuple of PublicFile
        In the order of the registry.
    """

    name: str
    title: str
    kind: str
    homepage: str
    licence: str
    citation: str
    files: tuple[PublicFile, ...]

    def file(self, name: str, /) -> PublicFile:
        """Return one file.

        Raises
        ------
        UnknownNameError
            If the data set has no such file.
        """
        known = {f.name: f for f in self.files}
        return known[choose(name, tuple(known), what=f"file of data set '{self.name}':")]


@cache
def public_data() -> Mapping[str, PublicData]:
    """Return the public data sets that drugsig knows, by name."""
    text = resources.files("drugsig.datasets").joinpath(_REGISTRY).read_text(encoding="utf-8")
    return MappingProxyType({name: _one(name, d) for name, d in tomllib.loads(text).items()})


def _one(name: str, data: dict[str, Any]) -> PublicData:
    files = tuple(PublicFile(**one) for one in data.pop("files"))
    return PublicData(name=name, files=files, **data)


def data_folder(folder: str | os.PathLike[str] | None = None, /) -> Path:
    """Return the folder that public data are kept in.

    Parameters
    ----------
    folder : path-like, optional
        What the user says. Without it the environment variable ``DRUGSIG_DATA``, else the folder
        that the system has for files that can be fetched again.
    """
    named = os.environ.get(FOLDER_VARIABLE) if folder is None else folder
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        base = Path(local) if local else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        xdg = os.environ.get("XDG_CACHE_HOME")
        base = Path(xdg) if xdg else Path.home() / ".cache"
    return base / "drugsig" / "data"


def public_file(
    data: str,
    name: str,
    /,
    *,
    folder: str | os.PathLike[str] | None = None,
    download: bool = True,
) -> Path:
    """Return the place of one file of a public data set on this machine.

    A file that lies in its place is checked and used, without the network and without the extra
    package; only a file that is not there is downloaded.

    Parameters
    ----------
    data, name : str
        The data set, one of `public_data`, and its file.
    folder : path-like, optional
        The data folder; see `data_folder`. The file lies in ``folder/data/name``.
    download : bool
        Whether the network may be used.

    Raises
    ------
    UnknownNameError
        If there is no such data set or file.
    ReadError
        If the file is not there and cannot be downloaded, or is another file. The message names
        the address and the place, so that the file can be put there by hand.
    MissingExtraError
        If it would have to be downloaded and the extra ``fetch`` is not installed.
    OutputError
        If the data folder cannot be written.

    Warns
    -----
    DataWarning
        If a file is downloaded for which no licence is stated.
    """
    one = public_data()[choose(data, tuple(public_data()), what="public data set")]
    file = one.file(name)
    place = data_folder(folder).joinpath(one.name, *file.name.split("/"))
    if not place.is_file():
        if not download:
            raise ReadError(
                f"data set '{one.name}' is not on this machine. {_by_hand(file, place)}",
                path=place,
            )
        _download(one, file, place)
        return place
    try:
        content = place.read_bytes()
    except OSError as error:
        raise ReadError(
            f"'{place}' cannot be read: {error.strerror or error}. Give it the right to be read, "
            f"or name another data folder with folder= or {FOLDER_VARIABLE}.",
            path=place,
        ) from error
    if not file.is_same(content):
        raise ReadError(
            f"'{place}' {_what_is_wrong(content, file)}. Delete it; then it is fetched again. "
            f"{_by_hand(file, place)}",
            path=place,
        )
    return place


def _download(one: PublicData, file: PublicFile, place: Path) -> None:
    if importlib.util.find_spec("pooch") is None:
        raise MissingExtraError(
            f"data set '{one.name}' is not on this machine, and is downloaded with an optional "
            'package that is not installed: pip install "drugsig[fetch]". '
            f"{_by_hand(file, place)}"
        )
    pooch = importlib.import_module("pooch")
    if one.licence == NO_LICENCE:
        # Before the download, so that a reader can stop it.
        emit([NoLicence(one.name, one.homepage)])
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the data folder '{place.parent}' cannot be made: {error.strerror or error}. Name "
            f"another with folder= or the environment variable {FOLDER_VARIABLE}."
        ) from error
    try:
        # Elsewhere first: a broken download never lies where the file is looked for.
        with TemporaryDirectory() as folder:
            draft = Path(folder) / place.name
            pooch.HTTPDownloader(timeout=_TIMEOUT_S)(file.address, str(draft), None)
            content = draft.read_bytes()
        if not file.is_same(content):
            raise ReadError(
                f"what was downloaded for data set '{one.name}' {_what_is_wrong(content, file)}; "
                f"it is not used. {_by_hand(file, place)}",
                path=place,
            )
        write_file(place, content, overwrite=True)
    except OSError as error:
        raise ReadError(
            f"data set '{one.name}' is not on this machine and cannot be downloaded: {error}. "
            f"{_by_hand(file, place)}",
            path=place,
        ) from error


def _by_hand(file: PublicFile, place: Path) -> str:
    return (
        f"To put the file there by hand, download {file.address} on any machine and save it as "
        f"'{place.name}' in the folder '{place.parent}'; no network is then needed. Another data "
        f"folder is named with folder= or the environment variable {FOLDER_VARIABLE}."
    )


def _what_is_wrong(content: bytes, file: PublicFile) -> str:
    found = hashlib.sha256(content).hexdigest()
    page = content.lstrip()[:1] == b"<"
    seems = "It seems to be a web page: use the address below. " if page else ""
    return (
        f"is another file than the one that is known: {len(content)} bytes with sha256 {found}, "
        f"expected {file.size} bytes with sha256 {file.sha256}. {seems}"
    ).rstrip(". ")
