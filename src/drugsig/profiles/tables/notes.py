"""What reading decides without being told, as sentences for the history."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Notes"]


@dataclass(eq=False)
class Notes:
    """Sentences collected while a table is read.

    Parameters
    ----------
    guesses : list of str
        Everything that was decided without being told.
    risks : list of str
        Those of them that a reader must see at once, because the result may be wrong.
    """

    guesses: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)

    def risk(self, sentence: str) -> None:
        """Add a sentence to both lists."""
        self.guesses.append(sentence)
        self.risks.append(sentence)
