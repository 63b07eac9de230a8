"""What a reader must know of the pairs that a model weighs, besides what the model says itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import Note
from drugsig.errors import DrugsigWarning
from drugsig.evidence.calibration import Calibration
from drugsig.evidence.models.validation_summary import ValidationSummary

__all__ = [
    "BeyondCalibration",
    "CriteriaNotMet",
    "NoBetterThanNoEvidence",
    "OneOfMany",
    "OtherItemSizes",
    "OwnProfiles",
    "beyond_calibration",
    "one_of_many",
    "own_profiles",
    "sizes_of_items",
    "validation_notes",
]

Places = NDArray[np.intp]


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


def one_of_many(n_pairs: int, n_searched: int | None, /) -> list[Note]:
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
