"""`Links`: the pairs that meet a threshold, and how many of them chance alone would make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from drugsig._check import FrozenArrays, freeze
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.comparison.kernels import SLACK
from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import pair_sizes
from drugsig.comparison.ties import sorted_order
from drugsig.errors import (
    ComparisonError,
    DrugsigWarning,
    ThresholdError,
    UndefinedScoreWarning,
)

__all__ = [
    "FEW_DETECTED",
    "NEAR",
    "Links",
    "UndefinedLinks",
    "checked_rate",
    "links_of",
    "undefined_links",
]

# A link that rests on fewer targets detected in both is marked: what two profiles both lack
# makes them alike without saying much.
FEW_DETECTED = 3

# On another kind of machine, or where a metric or a step loses digits, a score may differ by this
# share of its size; a link so near the threshold might not be one there.
NEAR = 1e-9

_SHOWN = 10

# Measured and detected cells, each shape (n_profiles, n_targets).
Masks = tuple[NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True)
class UndefinedLinks(Note):
    """Some pairs that were searched for links have no score, so they are no links.

    A profile is constant or empty, or too few of its targets were measured. Score such profiles
    with a metric that is defined for them, or look at what was measured.
    """

    code: ClassVar[str] = "undefined-links"
    category: ClassVar[type[DrugsigWarning]] = UndefinedScoreWarning
    undefined: int
    comparisons: int
    zero_rule: str

    def __str__(self) -> str:
        return (
            f"{self.undefined} of {self.comparisons} scores are undefined ({self.zero_rule}; too "
            "few targets measured in both): these pairs are no links."
        )


def undefined_links(undefined: int, comparisons: int, metric: Metric, /) -> tuple[Note, ...]:
    """Note pairs without a score, if there are any.

    Parameters
    ----------
    undefined, comparisons : int
        Pairs without a score, and pairs in all.
    metric : Metric
        How they were scored.
    """
    return (UndefinedLinks(undefined, comparisons, metric.zero_rule),) if undefined else ()


@dataclass(frozen=True, eq=False, repr=False)
class Links(FrozenArrays):
    """Pairs of profiles that meet a threshold, the most alike first.

    A link says that two profiles are as alike as the threshold asks. It is no proof of a common
    source: `expected_chance_links` says how many such pairs chance alone would make.

    Attributes
    ----------
    rows, columns : ndarray of int, shape (n_links,)
        Positions in `row_ids` and `column_ids`.
    scores : ndarray of float64, shape (n_links,)
        In the metric's convention.
    measured, detected : ndarray of int, shape (n_links,)
        Targets measured, and detected, in both profiles.
    row_ids, column_ids : tuple of str
        The questioned and the reference profiles.
    metric : Metric
        What the scores mean.
    threshold : float
        The score that makes a link; equal counts.
    comparisons : int
        How many pairs were compared, undefined ones included.
    undefined : int
        How many pairs have no score; they are never links.
    symmetric : bool
        Whether one set was compared with itself.
    min_measured : int
        The least number of targets measured in both profiles; with fewer a pair has no score.
    false_positive_rate : float or None
        The share of unlinked pairs of known source that meet the threshold; None where it was
        not measured.
    false_positive_interval : tuple of float or None
        The 95 % interval of that rate, if it is known.
    notes : tuple of Note
        What a reader of the links must know.
    row_sizes, column_sizes : ndarray of float64, shape (n,), or None
        What each profile adds to the size of its scores, see `Metric.slack`; None for a metric
        with a finite range.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    scores: NDArray[np.float64]
    measured: NDArray[np.intp]
    detected: NDArray[np.intp]
    row_ids: tuple[str, ...]
    column_ids: tuple[str, ...]
    metric: Metric
    threshold: float
    comparisons: int
    undefined: int
    symmetric: bool
    min_measured: int
    false_positive_rate: float | None
    false_positive_interval: tuple[float, float] | None = None
    notes: tuple[Note, ...] = ()
    row_sizes: NDArray[np.float64] | None = None
    column_sizes: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Links):
            return NotImplemented
        return (
            self.metric == other.metric
            and self.threshold == other.threshold
            and self.comparisons == other.comparisons
            and self.undefined == other.undefined
            and self.symmetric == other.symmetric
            and self.min_measured == other.min_measured
            and self.false_positive_rate == other.false_positive_rate
            and self.false_positive_interval == other.false_positive_interval
            and self.row_ids == other.row_ids
            and self.column_ids == other.column_ids
            and np.array_equal(self.rows, other.rows)
            and np.array_equal(self.columns, other.columns)
            and np.array_equal(self.scores, other.scores)
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    @property
    def expected_chance_links(self) -> float | None:
        """How many links chance alone would make if no two profiles shared a source.

        The false-positive rate times the pairs that have a score; None where the rate was not
        measured. The rate holds for pairs like the unlinked pairs it was measured on.
        """
        if self.false_positive_rate is None:
            return None
        return self.false_positive_rate * (self.comparisons - self.undefined)

    @property
    def most_chance_links(self) -> float | None:
        """The same at the upper end of the 95 % interval of the rate; None if it is not known.

        A rate of zero measured on few sources does not mean that chance makes no links.
        """
        if self.false_positive_interval is None:
            return None
        return self.false_positive_interval[1] * (self.comparisons - self.undefined)

    @property
    def few_detected(self) -> NDArray[np.bool_]:
        """Which links rest on fewer than 3 targets detected in both profiles."""
        return self.detected < FEW_DETECTED

    @property
    def near_threshold(self) -> NDArray[np.bool_]:
        """Which links are so near the threshold that elsewhere they might come out otherwise.

        Within 1e-9 of the size of the score, a thousand times the slack: another kind of machine, a
        profile that is all but constant, or a covariance that is all but singular may move a score
        so far. `drugsig.METRICS` declares how far rounding can move it.
        """
        slack = self.metric.slack(self.scores, self.sizes)
        return np.asarray(np.abs(self.scores - self.threshold) <= slack * (NEAR / SLACK))

    @property
    def sizes(self) -> NDArray[np.float64] | None:
        """The sizes of the scores for `Metric.slack`; None where they are not known or needed."""
        return pair_sizes(self.row_sizes, self.column_sizes, self.rows, self.columns)

    @cached_property
    def components(self) -> NDArray[np.intp]:
        """The connected component of every profile, numbered from 0, shape (n_profiles,).

        Profiles joined by a chain of links are in one component, however unlike its ends are.

        Raises
        ------
        ComparisonError
            If two different sets were compared.
        """
        if not self.symmetric:
            raise ComparisonError(
                "components need links within one set; these are between two sets. Compare the "
                "profiles of both in one set: drugsig.compare(profiles)."
            )
        n = len(self.row_ids)
        graph = coo_array(
            (np.ones(len(self.rows), dtype=np.int8), (self.rows, self.columns)), shape=(n, n)
        )
        _, labels = connected_components(graph.tocsr(), directed=False)
        return freeze(np.asarray(labels, dtype=np.intp))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a link: ids, score, targets measured and detected in both, a mark."""
        return pd.DataFrame(
            {
                "questioned": [self.row_ids[k] for k in self.rows],
                "reference": [self.column_ids[k] for k in self.columns],
                "score": self.scores.copy(),
                "measured_in_both": self.measured.copy(),
                "detected_in_both": self.detected.copy(),
                "few_detected": self.few_detected,
            }
        )

    def __repr__(self) -> str:
        chance, most = self.expected_chance_links, self.most_chance_links
        expected = (
            "chance links unknown: threshold not validated"
            if chance is None
            else "how many chance makes is not known: the rate was measured as zero"
            if chance == 0.0 and most is None
            else f"about {chance:.3g} expected by chance alone"
        )
        if most is not None:
            expected += f", {most:.3g} at the upper end of the interval"
        return (
            f"<Links: {len(self)} of {self.comparisons} pairs with {self.metric.name} "
            f"{self.metric.link_sign} {self.threshold:.6g}; {expected}>"
        )

    def _repr_html_(self) -> str:
        frame = self.to_frame().head(_SHOWN)
        rows = frame.itertuples(index=False, name=None)
        return html_table(rows, head=list(frame.columns), caption=repr(self)[1:-1])


def checked_rate(rate: float | None, /) -> float | None:
    """Return a false-positive rate if it is a share.

    Raises
    ------
    ThresholdError
        If it is not.
    """
    if rate is not None and not 0.0 <= rate <= 1.0:
        raise ThresholdError(
            f"false_positive_rate must lie between 0 and 1, got {rate!r}. A percentage is written "
            "as a share: 2.5 % is 0.025"
        )
    return rate


def links_of(
    rows: NDArray[np.integer],
    columns: NDArray[np.integer],
    scores: NDArray[np.float64],
    /,
    *,
    row_masks: Masks,
    column_masks: Masks | None,
    row_ids: tuple[str, ...],
    column_ids: tuple[str, ...],
    metric: Metric,
    threshold: float,
    comparisons: int,
    undefined: int,
    symmetric: bool,
    min_measured: int,
    false_positive_rate: float | None,
    false_positive_interval: tuple[float, float] | None,
    notes: tuple[Note, ...] = (),
    row_sizes: NDArray[np.float64] | None = None,
    column_sizes: NDArray[np.float64] | None = None,
) -> Links:
    """Put pairs in order, the most alike first, and count the targets behind each.

    Equal scores stand by the places of their pairs, also where rounding tells them apart.

    Parameters
    ----------
    rows, columns : ndarray of int, shape (n_links,)
        The pairs in any order, each once; within one set the smaller position first.
    scores : ndarray of float64, shape (n_links,)
        Their scores.
    row_masks, column_masks : tuple of ndarray of bool
        Measured and detected cells of both sides; None for the columns within one set.
    row_ids, column_ids, metric, threshold, comparisons, undefined, symmetric, min_measured
        As in `Links`.
    false_positive_rate, false_positive_interval, notes, row_sizes, column_sizes
        As in `Links`.
    """
    strength = -scores if metric.is_similarity else scores
    slack = metric.slack(scores, pair_sizes(row_sizes, column_sizes, rows, columns))
    order = sorted_order(strength, slack, rows.astype(np.int64) * len(column_ids) + columns)
    ordered_rows: NDArray[np.intp] = rows[order].astype(np.intp)
    ordered_columns: NDArray[np.intp] = columns[order].astype(np.intp)
    counts = [
        _in_both(
            mask, mask if column_masks is None else column_masks[k], ordered_rows, ordered_columns
        )
        for k, mask in enumerate(row_masks)
    ]
    return Links(
        rows=ordered_rows,
        columns=ordered_columns,
        scores=scores[order],
        measured=counts[0],
        detected=counts[1],
        row_ids=row_ids,
        column_ids=column_ids,
        metric=metric,
        threshold=threshold,
        comparisons=comparisons,
        undefined=undefined,
        symmetric=symmetric,
        min_measured=min_measured,
        false_positive_rate=false_positive_rate,
        false_positive_interval=false_positive_interval,
        notes=notes,
        row_sizes=row_sizes,
        column_sizes=column_sizes,
    )


def _packed(mask: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return the flags of every profile as whole numbers of 64 flags, shape (n_words, n)."""
    n, p = mask.shape
    words = max(1, -(-p // 64))
    room = np.zeros((n, 8 * words), dtype=np.uint8)
    room[:, : -(-p // 8)] = np.packbits(mask, axis=1)
    return np.ascontiguousarray(room.view(np.uint64).T)


def _in_both(
    ours: NDArray[np.bool_],
    theirs: NDArray[np.bool_],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Return how many flags both profiles of each pair have."""
    if ours.all() and theirs.all():
        return np.full(len(rows), ours.shape[1], dtype=np.intp)
    total = np.zeros(len(rows), dtype=np.intp)
    first = _packed(ours)
    second = first if theirs is ours else _packed(theirs)
    for a, b in zip(first, second, strict=True):
        total += np.bitwise_count(a[rows] & b[columns])
    return total
