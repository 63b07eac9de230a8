"""Three-valued truth of a condition on pairs of profiles: true, false, or not known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from drugsig.evidence.populations import PairCondition
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["FALSE", "TRUE", "UNKNOWN", "agree", "both", "codes_of", "evaluate", "negate"]

# Three-valued truth of a condition on a pair.
TRUE = np.int8(1)
FALSE = np.int8(0)
UNKNOWN = np.int8(-1)

Truth = NDArray[np.int8]
Rows = NDArray[np.intp]


def codes_of(profiles: ProfileSet, column: str) -> NDArray[np.intp]:
    """Return one whole number a text, in order of first use; -1 where the cell is empty."""
    number: dict[str, int] = {}
    return np.array(
        [
            -1 if text is None else number.setdefault(text, len(number))
            for text in profiles.column(column)
        ],
        dtype=np.intp,
    )


def agree(codes: NDArray[np.intp], rows: Rows, columns: Rows) -> Truth:
    """Say whether two profiles have the same code; unknown where one has none."""
    a, b = codes[rows], codes[columns]
    return np.where((a < 0) | (b < 0), UNKNOWN, np.where(a == b, TRUE, FALSE))


def both(first: Truth, second: Truth) -> Truth:
    """Three-valued AND: false wins over unknown, unknown over true."""
    return np.where(
        (first == FALSE) | (second == FALSE),
        FALSE,
        np.where((first == UNKNOWN) | (second == UNKNOWN), UNKNOWN, TRUE),
    )


def negate(truth: Truth) -> Truth:
    """Three-valued NOT."""
    return np.where(truth == UNKNOWN, UNKNOWN, 1 - truth).astype(np.int8)


def evaluate(
    condition: PairCondition,
    codes: Mapping[str, NDArray[np.intp]],
    rows: Rows,
    columns: Rows,
) -> Truth:
    """Evaluate a condition on pairs.

    Parameters
    ----------
    condition : PairCondition
        What must hold.
    codes : mapping of str to ndarray of int, shape (n_profiles,)
        `codes_of` every column the condition looks at.
    rows, columns : ndarray of int, shape (n_pairs,)
        The pairs.

    Returns
    -------
    ndarray of int8, shape (n_pairs,)
        1 true, 0 false, -1 unknown.
    """
    truth: Truth = np.full(len(rows), TRUE, dtype=np.int8)
    for column in condition.same:
        truth = both(truth, agree(codes[column], rows, columns))
    for column in condition.different:
        truth = both(truth, negate(agree(codes[column], rows, columns)))
    if condition.group_size is not None:
        size = condition.group_size
        known = codes[size.column]
        counts = np.bincount(known[known >= 0], minlength=1)
        fits = np.where(
            known < 0, UNKNOWN, (counts[known] >= size.low) & (counts[known] <= size.high)
        ).astype(np.int8)
        truth = both(truth, both(fits[rows], fits[columns]))
    return truth
