"""What a reader must know of the pairs that a model weighs, besides what the model says itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drugsig.evidence.calibration import Calibration
from drugsig.evidence.models.validation_summary import ValidationSummary

__all__ = [
    "beyond_calibration",
    "one_of_many",
    "own_profiles",
    "sizes_of_items",
    "validation_notes",
]

Places = NDArray[np.intp]


def own_profiles(n_pairs: int, *, in_background: bool) -> list[str]:
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
    said = f"{n_pairs} pair(s) hold a profile that the model was fitted to; "
    if in_background:
        said += "its source was taken out of the background, but not out of the calibration."
    else:
        said += "its source stays in the calibration, which flatters."
    return [said]


def beyond_calibration(calibration: Calibration | None, raw: NDArray[np.float64], /) -> list[str]:
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
    said = (
        f"{len(beyond)} of {len(raw)} pair(s) have a raw log10 LR (from {beyond.min():.4g} to "
        f"{beyond.max():.4g}) beyond those of the pairs of known source ({low:.4g} to {high:.4g}), "
        "and count as the nearest of them: of such pairs nothing was learned. Items unlike all of "
        "the background, mistyped ones too, look so."
    )
    return [said]


def sizes_of_items(known: tuple[int, int], first: Places, second: Places, /) -> list[str]:
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
    said = (
        f"{int(other.sum())} of {len(first)} pair(s) hold an item of {_span(least, most, other)}, "
        f"and the model was calibrated and bounded on items of {_number(low, high)}: that its "
        "likelihood ratios hold for such items was not shown. Fit and validate a model with items "
        "like these."
    )
    return [said]


def validation_notes(validation: ValidationSummary | None, /) -> list[str]:
    """Return what must be said of how the model did on sources left out.

    Parameters
    ----------
    validation : ValidationSummary or None
        None where there was none.
    """
    if validation is None:
        return []
    notes = []
    if validation.failed:
        failed = ", ".join(validation.failed)
        notes.append(f"The validation of this model did not meet its criteria for {failed}.")
    if not validation.mean_cllr < 1.0:
        notes.append(
            f"On sources left out, the likelihood ratios of this model did no better than ratios "
            f"of 1 for every pair (Cllr {validation.mean_cllr:.3g})."
        )
    return notes


def one_of_many(n_pairs: int, n_searched: int | None, /) -> list[str]:
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
    said = (
        f"This is one of {n_pairs:,} pairs that were weighed together. If it was picked for its "
        "likelihood ratio it was found by a search: say among how many, with n_searched."
    )
    return [said]


def _span(least: Places, most: Places, other: NDArray[np.bool_]) -> str:
    return _number(int(least[other].min()), int(most[other].max()))


def _number(low: int, high: int) -> str:
    if low == high:
        return "1 profile" if low == 1 else f"{low} profiles"
    return f"{low} to {high} profiles"
