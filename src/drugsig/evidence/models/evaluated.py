"""`EvaluatedPairs`: what a model says of pairs of items, at every stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.errors import InputError
from drugsig.evidence.evidence import Evidence
from drugsig.evidence.models.cautions import one_of_many
from drugsig.evidence.verbal import VerbalScale, VerbalStatement, verbal_statement

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EvaluatedPairs"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class EvaluatedPairs(FrozenArrays):
    """Likelihood ratios of pairs of items, raw, calibrated and bounded.

    Attributes
    ----------
    evidence : Evidence
        The likelihood ratios, with both propositions and the source level in words. Its ids are
        those of the items.
    validated : bool
        Whether the model carries a validation; without one nothing is said in words.
    notes : tuple of Note
        What a reader must know.
    """

    evidence: Evidence
    validated: bool
    notes: tuple[Note, ...] = ()

    @property
    def log10_lr_raw(self) -> Floats:
        """As the background or the score gave them, shape (n_pairs,)."""
        raw = self.evidence.log10_lr_raw
        assert raw is not None  # noqa: S101 - a model knows what it gave
        return raw

    @property
    def log10_lr_calibrated(self) -> Floats:
        """Before bounding; equal to the raw ones where there is no calibration."""
        return self.evidence.log10_lr_calibrated

    @property
    def log10_lr_bounded(self) -> Floats:
        """What is reported."""
        return self.evidence.log10_lr

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The items of each pair, questioned first."""
        one, other = self.evidence.questioned_ids, self.evidence.reference_ids
        return tuple(zip(one, other, strict=True))

    def __len__(self) -> int:
        return len(self.evidence)

    def statement(
        self, *, scale: str | Path | VerbalScale, pair: int | None = None
    ) -> VerbalStatement:
        """Say a likelihood ratio in words, with all that must be said beside it.

        Parameters
        ----------
        scale : str, Path or VerbalScale
            As in `verbal_statement`.
        pair : int, optional
            Which pair, by its place; may be left out where there is one.

        Raises
        ------
        InputError
            If the model carries no validation, or the likelihood ratios are not calibrated and
            bounded.
        """
        if not self.validated:
            raise InputError(
                "the model behind these likelihood ratios carries no validation, and words are for "
                "ones that were shown to hold on other sources. Validate it: "
                "evaluate_model(profiles, rule, spec), then model.with_validation(...)."
            )
        said = verbal_statement(self.evidence, scale=scale, pair=pair)
        more = (*one_of_many(len(self), self.evidence.n_searched), *self.notes)
        return replace(said, notes=(*said.notes, *(note.text for note in more)))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pair: the items, and log10 LR raw, calibrated and bounded."""
        import pandas as pd

        return pd.DataFrame(
            {
                "questioned": self.evidence.questioned_ids,
                "reference": self.evidence.reference_ids,
                "log10_lr_raw": self.log10_lr_raw,
                "log10_lr_calibrated": self.log10_lr_calibrated,
                "log10_lr": self.evidence.log10_lr,
                "at_bound": self.evidence.at_bound,
            }
        )

    def find(self, questioned: str, reference: str, /) -> int:
        """Return the place of a pair.

        Parameters
        ----------
        questioned, reference : str
            Its items.

        Raises
        ------
        InputError
            If there is no such pair.
        """
        pairs: Sequence[tuple[str, str]] = self.pairs
        if (questioned, reference) not in pairs:
            raise InputError(f"there is no pair of '{questioned}' and '{reference}' here")
        return pairs.index((questioned, reference))

    def __repr__(self) -> str:
        validated = "validated" if self.validated else "not validated"
        return f"<EvaluatedPairs {validated}: {self.evidence!r}>"

    def _repr_html_(self) -> str:
        notes = [("mind", note.text) for note in self.notes]
        return self.evidence._repr_html_() + (html_table(notes) if notes else "")
