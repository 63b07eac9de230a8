"""`ValidationSummary`: what a fitted model carries with it of how it was validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drugsig._check import choose
from drugsig._codec import record_data, record_of
from drugsig._notes import Note
from drugsig.errors import InputError

__all__ = ["VERDICTS", "ValidationSummary"]

VERDICTS = ("pass", "fail", "not assessed")

_SERIES = ("seeds", "cllr_raw", "cllr_calibrated", "cllr_bounded", "cllr_min")


@dataclass(frozen=True)
class ValidationSummary:
    """How a model of these choices did on sources it was not fitted to.

    Parameters
    ----------
    reference_set : str
        The content digest of the profiles, pretreated all together, as a model is fitted to them:
        in the order of their ids.
    spec_digest, rule_digest : str
        Of the choices, and of the population rule.
    n_folds : int
        Parts the sources were dealt into.
    seeds : tuple of int
        The partings, all of them.
    n_sources, n_linked_sources : int
        Sources of known pairs, and of linked ones.
    n_linked, n_unlinked : int
        Different pairs of items that were scored.
    cllr_raw, cllr_calibrated, cllr_bounded, cllr_min : tuple of float
        One a seed; `cllr_min` is that of the calibrated likelihood ratios.
    notes : tuple of Note
        What a reader must know.
    verdicts : dict of str to str
        Performance characteristic and "pass", "fail" or "not assessed", where a validation by
        criteria was made.
    report : str
        The digest of the validation report, empty where there is none.
    """

    reference_set: str
    spec_digest: str
    rule_digest: str
    n_folds: int
    seeds: tuple[int, ...]
    n_sources: int
    n_linked_sources: int
    n_linked: int
    n_unlinked: int
    cllr_raw: tuple[float, ...]
    cllr_calibrated: tuple[float, ...]
    cllr_bounded: tuple[float, ...]
    cllr_min: tuple[float, ...]
    notes: tuple[Note, ...] = ()
    verdicts: dict[str, str] = field(default_factory=dict)
    report: str = ""

    def __post_init__(self) -> None:
        for name, verdict in self.verdicts.items():
            choose(verdict, VERDICTS, what=f"verdict on {name}")
        wrong = [name for name in _SERIES if len(getattr(self, name)) != len(self.seeds)]
        if wrong or not self.seeds:
            raise InputError(
                f"a validation has one figure a seed, {len(self.seeds)}, got another number of "
                f"{', '.join(wrong) or 'seeds'}"
            )

    @property
    def failed(self) -> tuple[str, ...]:
        """The performance characteristics that did not meet their criterion."""
        return tuple(name for name, verdict in self.verdicts.items() if verdict == "fail")

    @property
    def mean_cllr(self) -> float:
        """The mean over seeds of Cllr of what would be reported."""
        return float(np.mean(self.cllr_bounded))

    def to_data(self) -> dict[str, Any]:
        """Return the summary as data for JSON; an infinite Cllr is text."""
        return {**record_data(self), "notes": [note.content for note in self.notes]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> ValidationSummary:
        """Read a summary from data.

        Raises
        ------
        InputError
            If something is missing or of the wrong kind.
        """
        # An evaluation has kinds of notes of its own, and they must be known to be read.
        import drugsig.evidence.evaluation  # noqa: F401

        return record_of(cls, data, where="the validation of a stored model", stored=True)

    def __str__(self) -> str:
        failed = f"; not met: {', '.join(self.failed)}" if self.failed else ""
        return (
            f"Cllr {self.mean_cllr:.3f} on sources left out ({self.n_folds} folds, "
            f"{len(self.seeds)} seed(s)), {self.n_linked} linked and {self.n_unlinked} unlinked "
            f"pairs of {self.n_sources} sources{failed}"
        )
