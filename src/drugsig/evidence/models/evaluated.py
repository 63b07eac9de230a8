"""`EvaluatedPairs`: likelihood ratios of pairs, and what must be said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.errors import DrugsigWarning, InputError
from drugsig.evidence.calibration import Calibration
from drugsig.evidence.evidence import Evidence
from drugsig.evidence.models.validation_summary import ValidationSummary
from drugsig.evidence.verbal import VerbalScale, VerbalStatement, verbal_statement

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BeyondCalibration",
    "CriteriaNotMet",
    "EvaluatedPairs",
    "NoBetterThanNoEvidence",
    "OneOfMany",
    "OtherItemSizes",
    "OwnProfiles",
    "beyond_calibration",
    "own_profiles",
    "sizes_of_items",
    "validation_notes",
]

Places = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OwnProfiles(Note):
    """Pairs hold a profile that the model was fitted to.

    Evaluate profiles that the model was not fitted to.
    """

    code: ClassVar[str] = "own-profiles"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_pairs: int
    in_background: bool

    def __str__(self) -> str:
        said = f"{self.n_pairs} pair(s) hold a profile that the model was fitted to; "
        if self.in_background:
            return (
                said + "its source was taken out of the background, but not out of the calibration."
            )
        return said + "its source stays in the calibration, which flatters."


@dataclass(frozen=True)
class BeyondCalibration(Note):
    """Raw likelihood ratios lie beyond those that taught the calibration.

    Look for mistyped values and for items of another kind than the background; do not read such a
    ratio as measured.
    """

    code: ClassVar[str] = "beyond-calibration"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_beyond: int
    n_pairs: int
    least: float
    most: float
    low: float
    high: float

    def __str__(self) -> str:
        return (
            f"{self.n_beyond} of {self.n_pairs} pair(s) have a raw log10 LR (from "
            f"{self.least:.4g} to {self.most:.4g}) beyond those of the pairs of known source "
            f"({self.low:.4g} to {self.high:.4g}), and count as the nearest of them: of such "
            "pairs nothing was learned. Items unlike all of the background, mistyped ones too, "
            "look so."
        )


@dataclass(frozen=True)
class OtherItemSizes(Note):
    """Pairs hold items of other sizes than those the model was calibrated on.

    Fit and validate a model with items of as many profiles as these.
    """

    code: ClassVar[str] = "other-item-sizes"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_other: int
    n_pairs: int
    sizes: tuple[int, int]
    known: tuple[int, int]

    def __str__(self) -> str:
        return (
            f"{self.n_other} of {self.n_pairs} pair(s) hold an item of {_number(*self.sizes)}, "
            f"and the model was calibrated and bounded on items of {_number(*self.known)}: that "
            "its likelihood ratios hold for such items was not shown. Fit and validate a model "
            "with items like these."
        )


@dataclass(frozen=True)
class CriteriaNotMet(Note):
    """The validation of a model failed in some performance characteristics.

    Do not use the model in casework; find out why it failed, mend that and validate it again.
    """

    code: ClassVar[str] = "criteria-not-met"
    category: ClassVar[type[DrugsigWarning] | None] = None
    failed: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The validation of this model did not meet its criteria for {', '.join(self.failed)}."
        )


@dataclass(frozen=True)
class NoBetterThanNoEvidence(Note):
    """A model did no better on sources left out than likelihood ratios of 1.

    Do not use the model; its ratios tell no more than none would.
    """

    code: ClassVar[str] = "no-better-than-no-evidence"
    category: ClassVar[type[DrugsigWarning] | None] = None
    cllr: float

    def __str__(self) -> str:
        return (
            "On sources left out, the likelihood ratios of this model did no better than ratios "
            f"of 1 for every pair (Cllr {self.cllr:.3g})."
        )


@dataclass(frozen=True)
class OneOfMany(Note):
    """A pair is one of many that were weighed together.

    Say among how many pairs it was searched, with ``n_searched``.
    """

    code: ClassVar[str] = "one-of-many"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_pairs: int

    def __str__(self) -> str:
        return (
            f"This is one of {self.n_pairs:,} pairs that were weighed together. If it was picked "
            "for its likelihood ratio it was found by a search: say among how many, with "
            "n_searched."
        )


def own_profiles(n_pairs: int, *, in_background: bool) -> list[Note]:
    """Return what must be said of pairs that hold a profile the model was fitted to.

    Parameters
    ----------
    n_pairs : int
        How many there are.
    in_background : bool
        Whether the model has a background, out of which sources can be taken.
    """
    if not n_pairs:
        return []
    return [OwnProfiles(n_pairs, in_background)]


def beyond_calibration(calibration: Calibration | None, raw: NDArray[np.float64], /) -> list[Note]:
    """Return what must be said of raw likelihood ratios beyond those that taught the calibration.

    Parameters
    ----------
    calibration : Calibration or None
        From raw to calibrated log10 likelihood ratios; None where there is none.
    raw : ndarray of float64, shape (n_pairs,)
        Raw log10 likelihood ratios.
    """
    if calibration is None or not calibration.outside(raw).any():
        return []
    low, high = calibration.range
    beyond = raw[calibration.outside(raw)]
    ends = float(beyond.min()), float(beyond.max())
    return [BeyondCalibration(len(beyond), len(raw), *ends, low, high)]


def sizes_of_items(known: tuple[int, int], first: Places, second: Places, /) -> list[Note]:
    """Return what must be said of items of other sizes than those the model was calibrated on.

    The likelihood ratio of five profiles against five is another function of the data than that of
    one against one, and errs in another way: what calibrates, bounds and validates the one says
    nothing of the other.

    Parameters
    ----------
    known : tuple of int
        The least and the largest number of profiles of an item behind the calibration.
    first, second : ndarray of intp, shape (n_pairs,)
        The number of profiles of both items of each pair.
    """
    low, high = known
    least, most = np.minimum(first, second), np.maximum(first, second)
    other = (least < low) | (most > high)
    if not other.any():
        return []
    sizes = int(least[other].min()), int(most[other].max())
    return [OtherItemSizes(int(other.sum()), len(first), sizes, known)]


def validation_notes(validation: ValidationSummary | None, /) -> list[Note]:
    """Return what must be said of how the model did on sources left out.

    Parameters
    ----------
    validation : ValidationSummary or None
        None where there was none.
    """
    if validation is None:
        return []
    notes: list[Note] = []
    if validation.failed:
        notes.append(CriteriaNotMet(validation.failed))
    if not validation.mean_cllr < 1.0:
        notes.append(NoBetterThanNoEvidence(validation.mean_cllr))
    return notes


def _one_of_many(n_pairs: int, n_searched: int | None, /) -> list[Note]:
    """Return what must be said of one pair of many that were weighed together.

    Parameters
    ----------
    n_pairs : int
        How many there are.
    n_searched : int or None
        How many items were searched; None where nobody said so.
    """
    if n_pairs < 2 or n_searched is not None:
        return []
    return [OneOfMany(n_pairs)]


def _number(low: int, high: int) -> str:
    if low == high:
        return "1 profile" if low == 1 else f"{low} profiles"
    return f"{low} to {high} profiles"


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
        more = (*_one_of_many(len(self), self.evidence.n_searched), *self.notes)
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
