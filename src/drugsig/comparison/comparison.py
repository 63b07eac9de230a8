"""`Comparison`: the scores of all pairs, with what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, choose, listed
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.comparison.comparability import Treatment
from drugsig.comparison.links import Links, checked_rate, links_of
from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import largest_size, pair_sizes
from drugsig.comparison.ties import merge_ties
from drugsig.errors import DrugsigWarning, InputError, NotIterableError, UndefinedScoreWarning

__all__ = ["Comparison", "UndefinedScores", "undefined_scores"]

_SHOWN = 8


@dataclass(frozen=True)
class UndefinedScores(Note):
    """Some pairs of profiles have no score.

    They are never links. Look at the profiles that have no score with any other: they are constant
    or empty, or too few of their targets were measured.
    """

    code: ClassVar[str] = "undefined-scores"
    category: ClassVar[type[DrugsigWarning]] = UndefinedScoreWarning
    undefined: int
    pairs: int
    zero_rule: str
    min_measured: int
    without_score: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.undefined} of {self.pairs} scores are undefined ({self.zero_rule}; fewer than "
            f"{self.min_measured} targets measured in both). Profiles with no defined score: "
            f"{listed(self.without_score) or 'none'}."
        )


def undefined_scores(
    undefined: int, pairs: int, metric: Metric, min_measured: int, without: tuple[str, ...], /
) -> tuple[Note, ...]:
    """Note pairs without a score, if there are any.

    Parameters
    ----------
    undefined, pairs : int
        Pairs without a score, and pairs in all.
    metric : Metric
        How they were scored.
    min_measured : int
        The least number of targets measured in both.
    without : tuple of str
        Profiles without any score.
    """
    if not undefined:
        return ()
    return (UndefinedScores(undefined, pairs, metric.zero_rule, min_measured, without),)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(FrozenArrays):
    """The scores of all pairs of profiles.

    Made by `drugsig.compare`. ``comparison["a", "c"]`` is one score.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_questioned, n_reference)
        NaN where undefined. Read-only.
    row_ids, column_ids : tuple of str
        The questioned and the reference profiles.
    metric : Metric
        What the scores mean.
    symmetric : bool
        Whether one set was compared with itself; then every pair is counted once.
    min_measured : int
        The least number of targets measured in both for a score to be defined.
    row_measured, column_measured, row_detected, column_detected : ndarray of bool
        Which targets were measured and detected, shape (n, n_targets).
    row_digest, column_digest : str
        Content digests of the two profile sets.
    row_sizes, column_sizes : ndarray of float64, shape (n,), or None
        What each profile adds to the size of its scores, see `Metric.slack`; None for a metric
        with a finite range.
    treatment : Treatment or None
        The targets and the pretreatment of the profiles; None where scores come from elsewhere.
    """

    scores: NDArray[np.float64]
    row_ids: tuple[str, ...]
    column_ids: tuple[str, ...]
    metric: Metric
    symmetric: bool
    min_measured: int
    row_measured: NDArray[np.bool_]
    column_measured: NDArray[np.bool_]
    row_detected: NDArray[np.bool_]
    column_detected: NDArray[np.bool_]
    row_digest: str
    column_digest: str
    row_sizes: NDArray[np.float64] | None = None
    column_sizes: NDArray[np.float64] | None = None
    treatment: Treatment | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Comparison):
            return NotImplemented
        return (
            self.metric == other.metric
            and self.symmetric == other.symmetric
            and self.min_measured == other.min_measured
            and self.row_digest == other.row_digest
            and self.column_digest == other.column_digest
            and np.array_equal(self.scores, other.scores, equal_nan=True)
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(self.row_ids)}

    @cached_property
    def _column_of(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(self.column_ids)}

    def __iter__(self) -> NoReturn:
        raise NotIterableError(
            "a comparison is not iterated: a score has two profiles. One score is "
            "comparison['001', '002'], all pairs are comparison.pair_index() and "
            "comparison.condensed(), a table is comparison.to_frame(), and pairs over a threshold "
            "are comparison.links(threshold)."
        )

    def __contains__(self, pair: object) -> bool:
        if not isinstance(pair, tuple) or len(pair) != 2:
            return False
        return pair[0] in self._row_of and pair[1] in self._column_of

    def __getitem__(self, pair: tuple[str, str]) -> float:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise InputError(
                f"a comparison is asked for a score by two profiles, as in "
                f"comparison['001', '002'], got {pair!r}"
            )
        questioned, reference = pair
        if questioned not in self._row_of:
            choose(questioned, self.row_ids, what="questioned profile")
        if reference not in self._column_of:
            choose(reference, self.column_ids, what="reference profile")
        return float(self.scores[self._row_of[questioned], self._column_of[reference]])

    def pair_index(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows and columns of all pairs, each pair once, no profile with itself."""
        n, m = self.scores.shape
        if self.symmetric:
            rows, columns = np.triu_indices(n, k=1)
            return rows, columns
        grid = np.indices((n, m)).reshape(2, -1)
        return grid[0], grid[1]

    @property
    def n_pairs(self) -> int:
        """How many pairs were compared."""
        n, m = self.scores.shape
        return int(n * (n - 1) // 2 if self.symmetric else n * m)

    @cached_property
    def n_undefined(self) -> int:
        """How many pairs have no score."""
        missing = np.isnan(self.scores)
        if self.symmetric:
            return int((missing.sum() - np.trace(missing)) // 2)
        return int(missing.sum())

    @cached_property
    def undefined_ids(self) -> tuple[str, ...]:
        """The profiles that have no defined score with any other."""
        missing = np.isnan(self.scores)
        if self.symmetric:
            np.fill_diagonal(missing, True)
        rows = [self.row_ids[k] for k in np.flatnonzero(missing.all(axis=1))]
        if self.symmetric:
            return tuple(rows) if len(self.row_ids) > 1 else ()
        columns = [self.column_ids[k] for k in np.flatnonzero(missing.all(axis=0))]
        return tuple(dict.fromkeys([*rows, *columns]))

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a reader of the scores must know."""
        return undefined_scores(
            self.n_undefined, self.n_pairs, self.metric, self.min_measured, self.undefined_ids
        )

    def condensed(self) -> NDArray[np.float64]:
        """Return the scores of all pairs, in the order of `pair_index`, shape (n_pairs,)."""
        if self.symmetric:
            n = len(self.row_ids)
            return np.concatenate(
                [self.scores[k, k + 1 :] for k in range(n)] or [np.empty(0)], dtype=np.float64
            )
        return self.scores.ravel().copy()

    def sizes(
        self, rows: NDArray[np.integer], columns: NDArray[np.integer], /
    ) -> NDArray[np.float64] | None:
        """Return the sizes of the scores of listed pairs, for `Metric.slack`."""
        return pair_sizes(self.row_sizes, self.column_sizes, rows, columns)

    def tied_scores(self) -> NDArray[np.float64]:
        """Return the scores in which those that rounding alone tells apart are one number.

        Each is put on the least alike of its class; of one set, a profile with itself is left as
        it is.
        """
        rows, columns = self.pair_index()
        found = self.scores[rows, columns]
        there = ~np.isnan(found)
        rows, columns, found = rows[there], columns[there], found[there]
        tied = merge_ties(found, metric=self.metric, sizes=self.sizes(rows, columns))
        out = self.scores.copy()
        out[rows, columns] = tied
        if self.symmetric:
            out[columns, rows] = tied
        return out

    def measured_in_both(
        self, rows: NDArray[np.intp], columns: NDArray[np.intp], /
    ) -> NDArray[np.intp]:
        """Return how many targets were measured in both profiles of each pair."""
        both = self.row_measured[rows] & self.column_measured[columns]
        return np.asarray(both.sum(axis=1), dtype=np.intp)

    def detected_in_both(
        self, rows: NDArray[np.intp], columns: NDArray[np.intp], /
    ) -> NDArray[np.intp]:
        """Return how many targets were detected in both profiles of each pair."""
        both = self.row_detected[rows] & self.column_detected[columns]
        return np.asarray(both.sum(axis=1), dtype=np.intp)

    def links(
        self,
        threshold: float,
        /,
        *,
        false_positive_rate: float | None = None,
        false_positive_interval: tuple[float, float] | None = None,
    ) -> Links:
        """Return the pairs whose score meets the threshold; a score equal to it is a link.

        Equal is equal but for rounding, see `drugsig.comparison.Metric.meets`.

        Parameters
        ----------
        threshold : float
            In the metric's own convention.
        false_positive_rate : float, optional
            The share of unlinked pairs of known source that meet the threshold. With it the
            links state how many of them chance alone would make.
        false_positive_interval : tuple of float, optional
            The 95 % interval of that rate.

        Raises
        ------
        ThresholdError
            If the threshold lies outside the range of the metric, or the rate is no share.
        """
        rate = checked_rate(false_positive_rate)
        limit = self.metric.check_threshold(threshold)
        # With the largest size first, which is one number.
        over = self.metric.meets(
            self.scores, limit, largest_size(self.row_sizes, self.column_sizes)
        )
        rows, columns = np.nonzero(np.triu(over, k=1) if self.symmetric else over)
        if self.row_sizes is not None:
            met = self.metric.meets(self.scores[rows, columns], limit, self.sizes(rows, columns))
            rows, columns = rows[met], columns[met]
        return links_of(
            rows,
            columns,
            self.scores[rows, columns],
            row_masks=(self.row_measured, self.row_detected),
            column_masks=(self.column_measured, self.column_detected),
            row_ids=self.row_ids,
            column_ids=self.column_ids,
            metric=self.metric,
            threshold=limit,
            comparisons=self.n_pairs,
            undefined=self.n_undefined,
            symmetric=self.symmetric,
            min_measured=self.min_measured,
            false_positive_rate=rate,
            false_positive_interval=false_positive_interval,
            notes=self.notes,
            row_sizes=self.row_sizes,
            column_sizes=self.column_sizes,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the scores as a table, questioned down and reference across."""
        return pd.DataFrame(
            self.scores.copy(), index=list(self.row_ids), columns=list(self.column_ids)
        )

    def __repr__(self) -> str:
        n, m = self.scores.shape
        undefined = f", {self.n_undefined} undefined" if self.n_undefined else ""
        return (
            f"<Comparison of {n} x {m} profiles: {self.n_pairs} pairs by {self.metric.name} "
            f"({self.metric.kind}){undefined}>"
        )

    def _repr_html_(self) -> str:
        rows, columns = self.row_ids[:_SHOWN], self.column_ids[:_SHOWN]
        shown = (
            (name, *(self.scores[i, j] for j in range(len(columns)))) for i, name in enumerate(rows)
        )
        return html_table(shown, head=("", *columns), caption=repr(self)[1:-1], digits=".4g")
