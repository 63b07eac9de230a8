"""What reading decides without being told, as sentences for the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drugsig._notes import Note
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["Guess", "RiskyReading", "reading_notes"]


@dataclass(frozen=True)
class RiskyReading(Note):
    """Something was decided while a table was read that makes a wrong result likely.

    Look at the place in the table, and say what is meant with the option that the sentence names.
    """

    code: ClassVar[str] = "risky-reading"
    risk: str

    def __str__(self) -> str:
        return f"While reading: {self.risk}"


def reading_notes(profiles: ProfileSet, /) -> tuple[RiskyReading, ...]:
    """Return the risks of reading that the history of profiles tells, in its order."""
    return tuple(
        RiskyReading(risk) for step in profiles.history for risk in step.detail.get("risks", ())
    )


@dataclass(frozen=True)
class Guess:
    """Something that was decided without being told while a table was read.

    Parameters
    ----------
    text : str
        A sentence of the history.
    risky : bool
        Whether a reader must see it at once, because the result may be wrong.
    """

    text: str
    risky: bool = False
