"""Profiles that have no score with any other, found without scoring every pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drugsig.groups.row_scores import BLOCK, RowScores
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["undefined_rows"]

Places = NDArray[np.intp]

# The first others tried: nearly every profile has a score with one of them.
_FIRST = 16
_GROWTH = 8


def undefined_rows(profiles: ProfileSet, scores: RowScores, rows: Places, /) -> Places:
    """Return those of some rows that have no defined score with any other row of the set.

    Every one is tried against a few others, those without a score against more, and so on to
    the last: only what has no score at all is tried against everything.

    Parameters
    ----------
    profiles : ProfileSet
        The profiles.
    scores : RowScores
        Of the same profiles.
    rows : ndarray of int, shape (n_rows,)
        The candidates.
    """
    if len(profiles) < 2:
        return rows[:0]
    others = np.argsort(-profiles.measured.sum(axis=1), kind="stable")
    rows = rows[~_have_score(scores, rows, others[:_FIRST])]
    # What is left is often many times the same: empty or constant profiles.
    kinds, kind = _kinds(profiles, rows)
    left = kinds
    first, step = _FIRST, _FIRST * _GROWTH
    while len(left) and first < len(others):
        left = left[~_have_score(scores, left, others[first : first + step])]
        first, step = first + step, step * _GROWTH
    return rows[np.isin(kinds, left)[kind]]


def _have_score(scores: RowScores, rows: Places, others: Places) -> NDArray[np.bool_]:
    found = np.zeros(len(rows), dtype=bool)
    for start in range(0, len(others), BLOCK):
        tried = others[start : start + BLOCK]
        there = scores.part(tried)
        tall = max(1, BLOCK // len(tried))
        for top in range(0, len(rows), tall):
            some = slice(top, top + tall)
            here = scores.part(rows[some])
            block = scores.scores(here, (slice(None), None), there, (None, slice(None)))
            itself = rows[some, None] == tried[None, :]
            found[some] |= (~np.isnan(block) & ~itself).any(axis=1)
    return found


def _kinds(profiles: ProfileSet, rows: Places) -> tuple[Places, Places]:
    """Return one row of each kind of identical ones, and the kind of every row."""
    # One bit pattern stands for what was not measured, and one for zero.
    cells = np.where(profiles.measured[rows], profiles.values[rows] + 0.0, np.nan)
    keys = cells.view(np.dtype((np.void, 8 * cells.shape[1]))).ravel()
    _, one, kind = np.unique(keys, return_index=True, return_inverse=True)
    return rows[one], kind
