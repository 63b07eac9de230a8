"""Choosing treatments on some sources to judge them on the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Choice", "FoldChoice", "choose_in_folds"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FoldChoice:
    """What was chosen without one fold, and how it did there.

    Parameters
    ----------
    repeat, fold : int
        Which parting of the sources, and which part of it was left out.
    row : int
        The combination chosen on the other sources, as a row of the table of the study.
    training_auc : float
        Its area there.
    wins, pairs : float
        On the fold: pairs of a linked and an unlinked pair, and those of them in which the linked
        one looks more alike. No pairs where the fold lacks linked or unlinked ones.
    """

    repeat: int
    fold: int
    row: int
    training_auc: float
    wins: float
    pairs: float


@dataclass(frozen=True)
class Choice:
    """The best of many combinations, and what it is worth on sources it was not chosen on.

    Parameters
    ----------
    rule : str or None
        The population rule among whose combinations was chosen; None for all rules.
    row : int
        The best combination on all sources, as a row of the table of the study.
    apparent_auc : float
        Its area on the very pairs it was chosen on.
    nested_auc : float or None
        The mean, over all partings, of the area reached on left-out sources by what was chosen
        on the others; None where it cannot be measured.
    nested_low, nested_high : float or None
        95 % by resampling sources, the choices held fixed; None without resampling.
    best_in_folds : float or None
        The area the best combination of all reaches on the same pairs within folds. It was chosen
        with them; less the nested area it is the part of the optimism that is due to the choice
        alone, and not to pairs across folds counting nowhere.
    by_repeat : tuple of float
        The nested area of every parting.
    folds : tuple of FoldChoice
        What was chosen where.
    why_not : str
        Why there is no nested area, if there is none.
    """

    rule: str | None
    row: int
    apparent_auc: float
    nested_auc: float | None
    nested_low: float | None
    nested_high: float | None
    best_in_folds: float | None
    by_repeat: tuple[float, ...]
    folds: tuple[FoldChoice, ...]
    why_not: str = ""

    @property
    def optimism(self) -> float | None:
        """By how much the apparent area exceeds the nested one; None where that is not known."""
        return None if self.nested_auc is None else self.apparent_auc - self.nested_auc

    @property
    def times_chosen(self) -> float | None:
        """The share of folds in which the best combination of all was chosen as well."""
        if not self.folds:
            return None
        return sum(one.row == self.row for one in self.folds) / len(self.folds)


def choose_in_folds(
    rows: Sequence[int], training: Floats, wins: Floats, pairs: Floats, /
) -> tuple[FoldChoice, ...]:
    """Choose in every fold the combination with the largest area on the other sources.

    Parameters
    ----------
    rows : sequence of int
        The combinations to choose from.
    training : ndarray of float64, shape (n_combinations, n_repeats, n_folds)
        Areas on the sources outside of each fold; NaN where there is none.
    wins, pairs : ndarray of float64, of the same shape
        On the sources of the fold.

    Returns
    -------
    tuple of FoldChoice
        Folds without any area outside of them are left out. Of equal areas the first is taken.
    """
    out = []
    _, n_repeats, n_folds = training.shape
    chosen_from = np.asarray(rows, dtype=np.intp)
    for repeat in range(n_repeats):
        for fold in range(n_folds):
            areas = training[chosen_from, repeat, fold]
            if np.isnan(areas).all():
                continue
            row = int(chosen_from[int(np.nanargmax(areas))])
            out.append(
                FoldChoice(
                    repeat=repeat,
                    fold=fold,
                    row=row,
                    training_auc=float(training[row, repeat, fold]),
                    wins=float(wins[row, repeat, fold]),
                    pairs=float(pairs[row, repeat, fold]),
                )
            )
    return tuple(out)
