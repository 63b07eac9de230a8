"""Three-valued truth of a condition on pairs of profiles: true, false, or not known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig.errors import InputError
from drugsig.evidence.conditions import CompoundCondition, Condition, PairCondition
from drugsig.profiles.labels import without_meaning
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["FALSE", "TRUE", "UNKNOWN", "agree", "both", "codes_of", "either", "evaluate", "negate"]

# Three-valued truth of a condition on a pair.
TRUE = np.int8(1)
FALSE = np.int8(0)
UNKNOWN = np.int8(-1)

Truth = NDArray[np.int8]
Rows = NDArray[np.intp]


def codes_of(profiles: ProfileSet, column: str) -> NDArray[np.intp]:
    """Return one whole number a text, in order of first use; -1 where nothing is known.

    A cell is empty, or holds a text that says so, see `drugsig.profiles.labels.is_not_known`.

    Raises
    ------
    MetadataError
        If there is no such column.
    """
    table = profiles.profiles
    if column not in table.columns:
        profiles.column(column)
    numbers, texts = pd.factorize(table[column])
    nothing = without_meaning(column, texts)
    if nothing:
        kept = np.array([text not in nothing for text in texts], dtype=bool)
        # The last place is that of an empty cell, -1.
        numbers = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)[numbers]
    return np.asarray(numbers, dtype=np.intp)


def agree(codes: NDArray[np.intp], rows: Rows, columns: Rows) -> Truth:
    """Say whether two profiles have the same code; unknown where one has none."""
    a, b = codes[rows], codes[columns]
    truth: Truth = (a == b).astype(np.int8)
    if codes.min(initial=0) < 0:
        truth[(a < 0) | (b < 0)] = UNKNOWN
    return truth


def both(first: Truth, second: Truth) -> Truth:
    """Three-valued AND: false wins over unknown, unknown over true."""
    return np.where(
        (first == FALSE) | (second == FALSE),
        FALSE,
        np.where((first == UNKNOWN) | (second == UNKNOWN), UNKNOWN, TRUE),
    )


def either(first: Truth, second: Truth) -> Truth:
    """Three-valued OR: true wins over unknown, unknown over false."""
    return negate(both(negate(first), negate(second)))


def negate(truth: Truth) -> Truth:
    """Three-valued NOT."""
    return np.where(truth == UNKNOWN, UNKNOWN, 1 - truth).astype(np.int8)


def evaluate(
    condition: Condition,
    codes: Mapping[str, NDArray[np.intp]],
    rows: Rows,
    columns: Rows,
) -> Truth:
    """Evaluate a condition on pairs.

    Parameters
    ----------
    condition : Condition
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
    if isinstance(condition, CompoundCondition):
        parts = [evaluate(part, codes, rows, columns) for part in condition.parts]
        if condition.kind == "not":
            return negate(parts[0])
        return reduce(both if condition.kind == "all" else either, parts)
    if not isinstance(condition, PairCondition):
        raise InputError(f"a condition on pairs is needed, got {condition!r}")
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
