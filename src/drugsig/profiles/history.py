"""The history of a profile set: every step that made it, in order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drugsig._check import one_line_text
from drugsig._files import canonical_json
from drugsig.errors import InputError

__all__ = ["Step"]


@dataclass(frozen=True)
class Step:
    """One thing that was done to profiles.

    Parameters
    ----------
    operation : str
        What was done: ``"read"``, ``"select"``, ``"pretreat"`` ...
    detail_json : str
        The particulars as JSON, kept in canonical form. `Step.make` writes it from a mapping.

    Raises
    ------
    InputError
        If the operation is no line of text, or the particulars are no JSON mapping.
    """

    operation: str
    detail_json: str = "{}"

    def __post_init__(self) -> None:
        one_line_text(self.operation, what="the operation of a step")
        try:
            detail = json.loads(self.detail_json)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"the detail of step '{self.operation}' must be JSON, and is not: {error}. Make "
                "the step from a mapping: Step.make(operation, {...})."
            ) from error
        if not isinstance(detail, dict):
            raise InputError(
                f"the detail of step '{self.operation}' must be a mapping, "
                f"got {self.detail_json[:80]}"
            )
        object.__setattr__(self, "detail_json", canonical_json(detail))

    @classmethod
    def make(cls, operation: str, detail: Mapping[str, Any] | None = None) -> Step:
        """Make a step from a mapping of particulars."""
        return cls(operation, canonical_json(dict(detail or {})))

    @property
    def detail(self) -> dict[str, Any]:
        """The particulars, as a new mapping."""
        parsed: dict[str, Any] = json.loads(self.detail_json)
        return parsed

    def __str__(self) -> str:
        parts = ", ".join(f"{key}={value!r}" for key, value in self.detail.items())
        text = f"{self.operation}({parts})"
        return text if len(text) <= 160 else text[:157] + "..."
