"""What mzML and mzXML have in common: a guarded header, and spectra through pyteomics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree
from pyteomics.auxiliary import PyteomicsError

from drugsig.acquisition.readers.header import clean_text
from drugsig.errors import RunError

__all__ = [
    "TagCountedFile",
    "attribute",
    "guarded",
    "local_name",
    "read_header",
    "whole_number",
    "without_parser_errors",
]

# What comes before the first spectrum. Real headers have tens of kilobytes.
_LONGEST_HEADER = 1 << 21
# Tags from one spectrum to the next. Real spectra have about fifty; an index at the end of the file
# has four for each of them.
_MOST_TAGS = 200_000
_TAGS_OF_INDEX = 4
_CHUNK = 1 << 15

# What an XML parser, and code that trusts its input, raise on a damaged file.
_PARSER_ERRORS = (
    etree.LxmlError,
    PyteomicsError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

Element = Any


def local_name(element: Element, /) -> str:
    """Return the tag of an element without its namespace; empty for comments."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element, name: str, /) -> str:
    """Return an attribute as one line of text, empty if it is absent."""
    return clean_text(element.get(name) or "")


def whole_number(value: object, /) -> int | None:
    """Return a count that a file declares, or None if it declares none.

    Raises
    ------
    ValueError
        If it is no whole number, or negative.
    """
    if value is None:
        return None
    number = int(str(value))
    if number < 0:
        raise ValueError(f"{number} is no count")
    return number


def read_header(path: Path, file: BinaryIO, /, *, stop: tuple[str, ...]) -> Element:
    """Return the root of an XML file with everything before the first element named in `stop`.

    No entity is resolved, no other file is opened and no address is looked up. A file with a
    document type declaration is refused: no writer of these formats needs one, and it is where
    entities that grow without end are defined.

    Parameters
    ----------
    path : Path
        For messages.
    file : binary file
        At its beginning; left there.
    stop : tuple of str
        Local names.

    Raises
    ------
    RunError
        If the header is damaged, too long, or declares a document type.
    """
    parser = etree.XMLPullParser(
        events=("start",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    root: Element = None
    taken = 0
    with without_parser_errors(path):
        while chunk := file.read(_CHUNK):
            parser.feed(chunk)
            taken += len(chunk)
            for _, element in parser.read_events():
                if root is None:
                    root = element
                    document = element.getroottree().docinfo
                    if document.internalDTD is not None or document.doctype:
                        raise _declares(path)
                if local_name(element) in stop:
                    file.seek(0)
                    return root
            if root is None and b"<!DOCTYPE" in chunk:
                raise _declares(path)
            if taken > _LONGEST_HEADER:
                raise RunError(
                    f"'{path.name}' has no spectrum in its first {taken:,} bytes. It is damaged, "
                    "or no run.",
                    path=path,
                    reason="hostile",
                )
        parser.close()
    file.seek(0)
    return root


class TagCountedFile:
    """A file that is refused when no spectrum ends in it for very long.

    Each tag costs the parser a hundred bytes of memory until the spectrum ends, so that a file made
    of tags alone takes twenty-five times its size.

    Parameters
    ----------
    path : Path
        For messages.
    file : binary file
        Open for reading.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._tags = 0
        self._entries = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def entry(self) -> None:
        """Begin to count anew: a spectrum has ended."""
        self._tags = 0
        self._entries += 1

    def read(self, size: int = -1, /) -> bytes:
        """Read as the file does."""
        data = self._file.read(size)
        self._tags += data.count(b"<")
        if self._tags > _MOST_TAGS + _TAGS_OF_INDEX * self._entries:
            raise RunError(
                f"'{self._path.name}' has {self._tags:,} tags after its {self._entries} spectra, "
                "and no other spectrum among them. It is damaged, or was made to fill the memory "
                "of whoever reads it.",
                path=self._path,
                reason="hostile",
            )
        return data


class without_parser_errors:  # noqa: N801  # reads as what it does: with without_parser_errors(...)
    """A block in which whatever a parser raises on damaged input becomes a `RunError`.

    Parameters
    ----------
    path : Path
        For the message.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _PARSER_ERRORS) and not isinstance(error, RunError):
            said = clean_text(error) or type(error).__name__
            raise RunError(
                f"'{self._path.name}' is damaged or cut off: its XML cannot be read ({said}). Copy "
                "the file again, or convert the run again.",
                path=self._path,
            ) from error


def guarded(path: Path, items: Iterator[Any], /) -> Iterator[Any]:
    """Yield what a parser yields, and turn what it raises into a `RunError`."""
    while True:
        with without_parser_errors(path):
            item = next(items, None)
        if item is None:
            return
        yield item


def _declares(path: Path) -> RunError:
    return RunError(
        f"'{path.name}' declares a document type (<!DOCTYPE>), which no run does and which is used "
        "to attack whoever reads it. It was not read. If you trust it, remove the declaration.",
        path=path,
        reason="hostile",
    )
