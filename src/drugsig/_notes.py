"""`Note`: what a result says besides its numbers; found, returned, and told once."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from drugsig.errors import DataWarning, DrugsigWarning, InputError

__all__ = [
    "NOTES",
    "Headings",
    "Note",
    "Told",
    "emit",
    "note_from_data",
    "notes_from_data",
    "told_under",
    "unique_notes",
]

_PACKAGE = Path(__file__).parent

_KINDS: dict[str, type[Note]] = {}

NOTES: Mapping[str, type[Note]] = MappingProxyType(_KINDS)
"""Every kind of note that was defined so far, by its code."""


@dataclass(frozen=True)
class Note:
    """Something a reader must know about a result.

    A kind of note is a small frozen class beside the function that finds it. Its fields are the
    facts, as typed values, and its ``__str__`` is the sentence that tells it; the code is stable,
    the wording is free. The function returns its notes, the job that reports them decides how grave
    each code is, and a warning is given from them once, by the public function that was called.

    Attributes
    ----------
    code : str
        Its stable name, in small letters and hyphens.
    category : type of DrugsigWarning or None
        Which warning tells it; None where it stands beside the result only.
    """

    code: ClassVar[str]
    category: ClassVar[type[DrugsigWarning] | None] = DataWarning

    def __init_subclass__(cls) -> None:
        """Enter the kind by its code."""
        super().__init_subclass__()
        code = cls.__dict__.get("code")
        if code is None:
            return
        known = _KINDS.get(code)
        # The same class comes again where its module is imported anew, or gets slots.
        if known is not None and (known.__module__, known.__qualname__) != (
            cls.__module__,
            cls.__qualname__,
        ):
            raise TypeError(f"two kinds of note have the code '{code}'")
        _KINDS[code] = cls

    @property
    def text(self) -> str:
        """The sentence that tells it."""
        return str(self)

    @property
    def facts(self) -> dict[str, Any]:
        """Its fields, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def content(self) -> dict[str, Any]:
        """Code and facts, for what has a digest: the wording has no part in it."""
        return {"code": self.code, "facts": self.facts}

    def to_data(self) -> dict[str, Any]:
        """Return code, facts and text as data that can be written as JSON."""
        return {**self.content, "text": self.text}

    def __str__(self) -> str:
        raise NotImplementedError(f"{type(self).__name__} has no text")


def note_from_data(data: Mapping[str, Any], /) -> Note:
    """Return the note of `Note.content` or `Note.to_data`.

    Parameters
    ----------
    data : mapping
        With a code and facts.

    Raises
    ------
    InputError
        If no kind of note has this code, or the facts are not those of its kind. The modules that
        define the kinds must have been imported.
    """
    code, facts = data.get("code"), data.get("facts")
    kind = _KINDS.get(code) if isinstance(code, str) else None
    if kind is None or not isinstance(facts, Mapping):
        raise InputError(
            f"there is no kind of note with the code {code!r}: a later drugsig may have written it"
        )
    names = {f.name for f in fields(kind)}
    if names != set(facts):
        raise InputError(f"the facts of note '{code}' are {sorted(names)}, got {sorted(facts)}")
    return kind(**{k: _as_tuple(v) for k, v in facts.items()})


def notes_from_data(data: object, /) -> tuple[Note, ...]:
    """Return the notes of a list of `Note.content` or `Note.to_data`.

    Parameters
    ----------
    data : list of mapping
        As read from a file.

    Raises
    ------
    InputError
        If it is no such list, or as from `note_from_data`.
    """
    if not isinstance(data, list) or not all(isinstance(one, Mapping) for one in data):
        raise InputError(f"notes must be a list of codes with facts, got {data!r}")
    return tuple(note_from_data(one) for one in data)


def _as_tuple(value: object) -> object:
    """Return lists as the tuples they were before they were written as JSON."""
    return tuple(_as_tuple(v) for v in value) if isinstance(value, list) else value


def emit(notes: Iterable[Note], /) -> None:
    """Warn of notes at the line of the caller's own code; public functions call it once.

    Parameters
    ----------
    notes : iterable of Note
        In the order in which they are to be told; those without a category are not.
    """
    for note in notes:
        if note.category is not None:
            _warn(note.text, note.category)


@dataclass(frozen=True)
class Told:
    """A note as a job reports it.

    Parameters
    ----------
    note : Note
        What is told.
    heading : str
        What it stands under, in a few words.
    grave : bool
        Whether the results of this job cannot be used without knowing it.
    """

    note: Note
    heading: str
    grave: bool = False

    @property
    def text(self) -> str:
        """The sentence."""
        return self.note.text


Headings = Mapping[str, tuple[str | Callable[[Any], str], bool | Callable[[Any], bool]]]
"""By code: what a note stands under, and whether it is grave; as they are or made from the note."""


def told_under(notes: Iterable[Note], headings: Headings, /, *, otherwise: str) -> list[Told]:
    """Put notes under the headings that a job has for their codes, in their order.

    Parameters
    ----------
    notes : iterable of Note
        What a result says.
    headings : mapping of str to (str or callable, bool or callable)
        By code: the heading, and whether the note is grave for the job.
    otherwise : str
        The heading of all other notes, which are not grave.
    """
    out = []
    for note in notes:
        heading, grave = headings.get(note.code, (otherwise, False))
        out.append(
            Told(
                note,
                heading(note) if callable(heading) else heading,
                grave(note) if callable(grave) else grave,
            )
        )
    return out


def unique_notes(notes: Iterable[Note], /) -> tuple[Note, ...]:
    """Return notes in order, those with the same code and facts once."""
    return tuple(dict.fromkeys(notes))


def _warn(message: str, category: type[Warning], /) -> None:
    """Warn at the line of the caller's own code, however deep in this library the cause is."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and Path(frame.f_code.co_filename).is_relative_to(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
