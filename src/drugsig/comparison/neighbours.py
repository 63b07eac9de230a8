"""`Nearest`: the profiles most like each questioned one, in order, with what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, choose, is_number, whole_number
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.comparison.links import FEW_DETECTED
from drugsig.comparison.metrics import Metric
from drugsig.comparison.search.ranking import NOBODY
from drugsig.errors import DrugsigWarning, InputError, UndefinedScoreWarning

__all__ = [
    "NEAREST_LIMIT_BYTES",
    "Nearest",
    "UndefinedNeighbours",
    "checked_count",
    "checked_memory",
    "nearest_of",
]

Floats = NDArray[np.float64]
Masks = tuple[NDArray[np.bool_], NDArray[np.bool_]]

# What neighbours may take unless more is allowed: 40 million of them.
NEAREST_LIMIT_BYTES = 2_000_000_000

# One neighbour while neighbours are put together: position, score, counts of targets, and room.
BYTES_A_NEIGHBOUR = 48

_SHOWN = 10
_CHUNK = 65_536


@dataclass(frozen=True)
class UndefinedNeighbours(Note):
    """Some pairs have no score, so neither is the neighbour of the other.

    A profile is constant or empty, or too few of its targets were measured; ``Nearest.undefined``
    says which.
    """

    code: ClassVar[str] = "undefined-neighbours"
    category: ClassVar[type[DrugsigWarning]] = UndefinedScoreWarning
    undefined: int
    comparisons: int
    zero_rule: str

    def __str__(self) -> str:
        return (
            f"{self.undefined} of {self.comparisons} scores are undefined ({self.zero_rule}; too "
            "few targets measured in both): these profiles are no neighbours."
        )


@dataclass(frozen=True, eq=False, repr=False)
class Nearest(FrozenArrays):
    """The k profiles most like each questioned profile, the most alike first.

    Made by `drugsig.nearest` and `ProfileIndex.nearest`. Somebody is always nearest: a rank says
    who to look at first, and is no evidence of a common source. What a score is worth is learned
    from pairs of known source.

    Attributes
    ----------
    positions : ndarray of int, shape (n_questioned, k)
        Indices in `column_ids`; -1 where there are fewer than k with a score. Equal scores are in
        the order of the reference, also where rounding tells them apart.
    scores : ndarray of float64, shape (n_questioned, k)
        In the metric's convention; NaN where there is no neighbour.
    measured, detected : ndarray of int, shape (n_questioned, k)
        Targets measured, and detected, in both profiles; 0 where there is no neighbour.
    tied : ndarray of int, shape (n_questioned,)
        How many further reference profiles score as the k-th does, but for rounding, and are not
        listed.
    undefined : ndarray of int, shape (n_questioned,)
        With how many reference profiles each has no score; they are never neighbours.
    row_ids, column_ids : tuple of str
        The questioned and the reference profiles.
    metric : Metric
        What the scores mean.
    compared : int
        With how many reference profiles each was compared, undefined pairs included.
    symmetric : bool
        Whether one set was compared with itself; then a profile is not its own neighbour.
    min_measured : int
        The least number of targets measured in both for a score to be defined.
    """

    positions: NDArray[np.intp]
    scores: Floats
    measured: NDArray[np.intp]
    detected: NDArray[np.intp]
    tied: NDArray[np.int64]
    undefined: NDArray[np.int64]
    row_ids: tuple[str, ...]
    column_ids: tuple[str, ...]
    metric: Metric
    compared: int
    symmetric: bool
    min_measured: int

    def __len__(self) -> int:
        return len(self.row_ids)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Nearest):
            return NotImplemented
        return (
            self.metric == other.metric
            and self.compared == other.compared
            and self.symmetric == other.symmetric
            and self.min_measured == other.min_measured
            and self.row_ids == other.row_ids
            and self.column_ids == other.column_ids
            and np.array_equal(self.positions, other.positions)
            and np.array_equal(self.scores, other.scores, equal_nan=True)
            and np.array_equal(self.tied, other.tied)
            and np.array_equal(self.undefined, other.undefined)
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    @property
    def k(self) -> int:
        """How many neighbours were asked for."""
        return int(self.positions.shape[1])

    @property
    def comparisons(self) -> int:
        """How many pairs were compared, undefined ones included."""
        return len(self) * self.compared

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a reader of the neighbours must know."""
        undefined = int(self.undefined.sum())
        if not undefined:
            return ()
        return (UndefinedNeighbours(undefined, self.comparisons, self.metric.zero_rule),)

    @property
    def found(self) -> NDArray[np.intp]:
        """How many neighbours each questioned profile has, shape (n_questioned,)."""
        return np.asarray((self.positions != NOBODY).sum(axis=1), dtype=np.intp)

    @property
    def few_detected(self) -> NDArray[np.bool_]:
        """Which neighbours rest on fewer than 3 targets detected in both profiles."""
        return np.asarray((self.detected < FEW_DETECTED) & (self.positions != NOBODY))

    def ids(self, questioned: str, /) -> tuple[str, ...]:
        """Return the neighbours of one profile, the most alike first.

        Parameters
        ----------
        questioned : str
            Its id.

        Raises
        ------
        UnknownNameError
            If no questioned profile is called so.
        """
        row = self.row_ids.index(choose(questioned, self.row_ids, what="questioned profile"))
        return tuple(self.column_ids[k] for k in self.positions[row] if k != NOBODY)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a neighbour: ids, rank, score, targets in both, a mark, ties beyond."""
        row, rank = np.nonzero(self.positions != NOBODY)
        position = self.positions[row, rank]
        return pd.DataFrame(
            {
                "questioned": [self.row_ids[k] for k in row],
                "rank": rank + 1,
                "reference": [self.column_ids[k] for k in position],
                "score": self.scores[row, rank],
                "measured_in_both": self.measured[row, rank],
                "detected_in_both": self.detected[row, rank],
                "few_detected": self.few_detected[row, rank],
                "tied_beyond": np.where(rank == self.k - 1, self.tied[row], 0),
            }
        )

    def __repr__(self) -> str:
        short = int((self.found < self.k).sum())
        tied = int((self.tied > 0).sum())
        notes = f"; {short} with fewer" if short else ""
        notes += f"; {tied} with ties beyond the last" if tied else ""
        return (
            f"<Nearest: {self.k} of {self.compared} profiles for each of {len(self)}, by "
            f"{self.metric.name} ({self.metric.kind}){notes}; a rank is no evidence>"
        )

    def _repr_html_(self) -> str:
        shown = -(-_SHOWN // self.k)
        frame = self.to_frame() if len(self) <= shown else self._first(shown).to_frame()
        rows = frame.head(_SHOWN).itertuples(index=False, name=None)
        return html_table(rows, head=list(frame.columns), caption=repr(self)[1:-1])

    def _first(self, n: int) -> Nearest:
        return Nearest(
            positions=self.positions[:n],
            scores=self.scores[:n],
            measured=self.measured[:n],
            detected=self.detected[:n],
            tied=self.tied[:n],
            undefined=self.undefined[:n],
            row_ids=self.row_ids[:n],
            column_ids=self.column_ids,
            metric=self.metric,
            compared=self.compared,
            symmetric=self.symmetric,
            min_measured=self.min_measured,
        )


def nearest_of(
    positions: NDArray[np.int64],
    keys: Floats,
    tied: NDArray[np.int64],
    undefined: NDArray[np.int64],
    /,
    *,
    row_masks: Masks,
    column_masks: Masks,
    row_ids: tuple[str, ...],
    column_ids: tuple[str, ...],
    metric: Metric,
    compared: int,
    symmetric: bool,
    min_measured: int,
) -> Nearest:
    """Turn a ranking into a result, and count the targets behind each neighbour.

    Parameters
    ----------
    positions, keys, tied : ndarray
        As in `drugsig.comparison.search.ranking.Ranked`.
    undefined : ndarray of int64, shape (n_questioned,)
        Pairs without a score.
    row_masks, column_masks : tuple of ndarray of bool
        Measured and detected cells of both sides.
    row_ids, column_ids, metric, compared, symmetric, min_measured
        As in `Nearest`.
    """
    nobody = positions == NOBODY
    counts = []
    for ours, theirs in zip(row_masks, column_masks, strict=True):
        count = np.zeros(positions.shape, dtype=np.intp)
        row, rank = np.nonzero(~nobody)
        for first in range(0, len(row), _CHUNK):
            part = row[first : first + _CHUNK], rank[first : first + _CHUNK]
            count[part] = (ours[part[0]] & theirs[positions[part]]).sum(axis=1)
        counts.append(count)
    scores = -keys if metric.is_similarity else keys
    return Nearest(
        positions=positions.astype(np.intp),
        scores=np.where(nobody, np.nan, scores + 0.0),
        measured=counts[0],
        detected=counts[1],
        tied=tied,
        undefined=undefined,
        row_ids=row_ids,
        column_ids=column_ids,
        metric=metric,
        compared=compared,
        symmetric=symmetric,
        min_measured=min_measured,
    )


def checked_count(k: object, /) -> int:
    """Return the number of neighbours asked for.

    Raises
    ------
    InputError
        If it is not a whole number from 1.
    """
    return whole_number(k, what="k, the number of neighbours,", least=1)


def checked_memory(memory: object, /) -> float:
    """Return a number of bytes.

    Raises
    ------
    InputError
        If it is not a number above 0.
    """
    if not is_number(memory) or not memory > 0:
        raise InputError(f"memory must be a number of bytes above 0, got {memory!r}")
    return float(memory)
