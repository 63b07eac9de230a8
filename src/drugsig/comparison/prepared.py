"""Profiles prepared for a metric: transformed once, who of them has a score, who is there twice.

`PreparedProfiles` is all that a dense comparison needs. `PreparedReference` is what a search needs
besides, whether it looks for pairs or for the neighbours of queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "Arrays",
    "Defined",
    "Duplicates",
    "PreparedProfiles",
    "PreparedReference",
    "find_duplicates",
    "largest_size",
    "pair_sizes",
    "score_listed",
    "score_profiles",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

# Values, which of them were measured, and the same transformed; all target first.
Arrays = tuple[Floats | None, Flags | None, Floats]

# Listed pairs scored at a time, and profiles scored with themselves.
_LISTED = 32_768
_CHUNK = 65_536

# Profiles prepared at a time.
_PART = 8_192

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


class PreparedProfiles:
    """The profiles of one side of a comparison, target first, prepared for a metric.

    Parameters
    ----------
    values : ndarray of float64, shape (n, p)
        The profiles, usable for the metric, see `drugsig.comparison.comparability`.
    measured : ndarray of bool, shape (n, p)
        Which cells were measured.
    metric : Metric
        How they will be scored.

    Attributes
    ----------
    whole : ndarray of bool, shape (n,)
        In which profiles every target was measured.
    transformed : ndarray of float64, shape (rows, n)
        Whole profiles as the kernel scores them; NaN for the others.
    sizes : ndarray of float64, shape (n,), or None
        What each adds to the size of its scores, see `Metric.slack`.
    """

    def __init__(self, values: Floats, measured: Flags, metric: Metric, /) -> None:
        self.metric = metric
        self.whole: Flags = np.asarray(measured.all(axis=1))
        self.all_whole = bool(self.whole.all())
        self._given = values
        self._measured = measured
        # None where the range of the metric is the size of every score.
        self.sizes = None if metric.is_bounded else np.empty(len(values))
        # What a pair of whole profiles needs is in `transformed`; a million of them are 240 MB.
        self._values: Floats | None = None
        # A part at a time: its intermediate arrays stay in the processor's cache.
        for first in range(0, max(1, len(values)), _PART):
            part = slice(first, first + _PART)
            # A copy: where there is one profile or one target, the transposed view is contiguous.
            turned = values[part].T.copy()
            whole = self.whole[part]
            if not self.all_whole:
                turned[~measured[part].T] = np.nan
            turned = np.ascontiguousarray(metric.kernel.prepare(turned))
            if self.sizes is not None:
                self.sizes[part] = metric.natural_sizes(turned)
            some = metric.kernel.transform(turned if whole.all() else turned[:, whole])
            if not first:
                self.transformed = np.full((len(some), len(values)), np.nan)
                if not self.all_whole:
                    self._values = np.empty((len(turned), len(values)))
            self.transformed[:, part][:, whole] = some
            if self._values is not None:
                self._values[:, part] = turned

    @classmethod
    def of(cls, profiles: ProfileSet, metric: Metric, /) -> PreparedProfiles:
        """Prepare all profiles of a set."""
        return cls(profiles.values, profiles.measured, metric)

    def __len__(self) -> int:
        return int(self.transformed.shape[1])

    @property
    def n_targets(self) -> int:
        """How many targets there are."""
        return int(self._measured.shape[1])

    @cached_property
    def by_profile(self) -> Floats:
        """The transformed profiles one a row, shape (n, rows)."""
        return np.ascontiguousarray(self.transformed.T)

    @cached_property
    def measured(self) -> Flags:
        """Which cells were measured, shape (p, n)."""
        return np.ascontiguousarray(self._measured.T)

    @cached_property
    def values(self) -> Floats:
        """The prepared values, shape (p, n)."""
        if self._values is not None:
            return self._values
        turned = np.ascontiguousarray(self._given.T)
        return np.ascontiguousarray(self.metric.kernel.prepare(turned))

    def at(self, *index: Any) -> Arrays:
        """Return what is needed of the profiles at an index of the other axes."""
        if self.all_whole:
            return None, None, self.transformed[(slice(None), *index)]
        return self.partial_at(*index)

    def partial_at(self, *index: Any) -> Arrays:
        """Return the same where a profile of the other side is not whole."""
        here = (slice(None), *index)
        return self.values[here], self.measured[here], self.transformed[here]

    # -- who has a score -----------------------------------------------------------------------

    @cached_property
    def with_itself(self) -> Flags:
        """Which profiles have a score with themselves; none that is not whole."""
        out = np.zeros(len(self), dtype=bool)
        for first in range(0, len(self), _CHUNK):
            part = self.transformed[:, first : first + _CHUNK]
            out[first : first + _CHUNK] = ~np.isnan(self.metric.kernel.complete(part, part))
        return out

    def defined(self, other: PreparedProfiles, /, *, enough: bool = True) -> Defined:
        """Find out who has a score, by scoring the doubtful with one that has one with itself.

        Parameters
        ----------
        other : PreparedProfiles
            Those they will be scored with.
        enough : bool
            Whether there are as many targets as the metric needs.
        """
        nothing = np.zeros(len(self), dtype=bool)
        if not enough:
            return Defined(nothing, nothing)
        doubtful = np.flatnonzero(self.whole & ~self.with_itself)
        partner = self.transformed[:, np.flatnonzero(self.with_itself)[:1]]
        if not partner.shape[1]:
            partner = other.transformed[:, np.flatnonzero(other.with_itself)[:1]]
        if not len(doubtful) or not partner.shape[1]:
            return Defined(self.with_itself, nothing)
        scores = self.metric.kernel.complete(self.transformed[:, doubtful], partner)
        empty = nothing.copy()
        empty[doubtful[~np.isnan(scores)]] = True
        return Defined(self.with_itself | empty, empty)


@dataclass(frozen=True, eq=False)
class Defined:
    """Which whole profiles have a score.

    A pair of whole profiles has no score if one of them has none with any other, as a constant
    profile has no correlation, or if both are empty, where the metric divides by what the two
    have together. Every registered metric keeps to this.

    Attributes
    ----------
    has_score : ndarray of bool, shape (n,)
        Whole profiles that have a score with some other.
    empty : ndarray of bool, shape (n,)
        Those of them that have none with each other.
    """

    has_score: Flags
    empty: Flags

    @cached_property
    def n_with_score(self) -> int:
        """How many have a score with some other."""
        return int(self.has_score.sum())

    @cached_property
    def n_empty(self) -> int:
        """How many of them have none with each other."""
        return int(self.empty.sum())


# -- profiles that are the same to the last bit ------------------------------------------------


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Which profiles are the same to the last bit: searched once, counted before they are listed.

    Attributes
    ----------
    members : ndarray of int64, shape (n,)
        All profiles, duplicates next to each other.
    starts : ndarray of int64, shape (n_unique + 1,)
        Where the duplicates of one start in `members`, and the end; the first stands for all.
    """

    members: Indices
    starts: Indices

    @property
    def first(self) -> Indices:
        """One profile for all that are the same."""
        return self.members[self.starts[:-1]]

    @property
    def counts(self) -> Indices:
        """How many there are of each."""
        return np.diff(self.starts)

    def members_of(self, index: Indices, /, *, most: int | None = None) -> tuple[Indices, Indices]:
        """Return all duplicates of these, one after another, and how many of each.

        Parameters
        ----------
        index : ndarray of int64
            Which unique profiles.
        most : int, optional
            Not more than so many of each.
        """
        times = self.counts[index]
        if most is not None:
            times = np.minimum(times, most)
        first = self.starts[:-1][index]
        steps = np.arange(int(times.sum())) - np.repeat(np.cumsum(times) - times, times)
        return self.members[np.repeat(first, times) + steps], times

    def pairs_of(self, index: Indices, /) -> tuple[Indices, Indices, Indices]:
        """Return every two duplicates of these, and of which they are, as a position in `index`."""
        members, times = self.members_of(index)
        of = np.repeat(np.arange(len(index)), times)
        # Every duplicate with those after it.
        later = times[of] - 1 - (np.arange(len(members)) - np.searchsorted(of, of))
        first = np.repeat(np.arange(len(members)), later)
        steps = np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
        return members[first], members[first + 1 + steps], of[first]


def find_duplicates(columns: Floats, /) -> Duplicates | None:
    """Find the profiles that are the same to the last bit; None if each is unique.

    Parameters
    ----------
    columns : ndarray of float64, shape (p, n)
        One profile a column.

    Notes
    -----
    Profiles are sorted by a hash and neighbours compared in full. Two unlike profiles of one hash
    may hide a duplicate, which then is searched like any other: no link depends on the hash.
    """
    n = columns.shape[1]
    hashes = np.zeros(n, dtype=np.uint64)
    for row in columns:
        # Adding 0.0 makes the two zeros one.
        hashes ^= (np.ascontiguousarray(row) + 0.0).view(np.uint64)
        hashes *= _MIX
        hashes ^= hashes >> _SHIFT
    members = np.argsort(hashes, kind="stable").astype(np.int64)
    placed = hashes[members]
    new = np.ones(n, dtype=bool)
    alike = np.flatnonzero(placed[1:] == placed[:-1]) + 1
    if not len(alike):
        return None
    same = (columns[:, members[alike]] == columns[:, members[alike - 1]]).all(axis=0)
    new[alike[same]] = False
    if new.all():
        return None
    return Duplicates(members, np.append(np.flatnonzero(new), n).astype(np.int64))


# -- what is searched --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PreparedReference:
    """Profiles prepared to be searched, those that are the same to the last bit once.

    Attributes
    ----------
    profiles : PreparedProfiles
        All of them.
    defined : Defined
        Which whole profiles have a score.
    unique : ndarray of float64, shape (rows, n_unique)
        Transformed profiles that have a score, without duplicates.
    index : ndarray of int64
        Which profiles have a score.
    duplicates : Duplicates or None
        Those that are the same, by position in `index`.
    """

    profiles: PreparedProfiles
    defined: Defined
    unique: Floats
    index: Indices
    duplicates: Duplicates | None

    @classmethod
    def of(cls, profiles: PreparedProfiles, defined: Defined, /) -> PreparedReference:
        """Leave out profiles without a score, and duplicates."""
        index = np.flatnonzero(defined.has_score)
        everyone = len(index) == len(profiles)
        unique = profiles.transformed if everyone else profiles.transformed[:, index]
        duplicates = find_duplicates(unique)
        if duplicates is not None:
            unique = unique[:, duplicates.first]
        return cls(profiles, defined, unique, index, duplicates)

    def __len__(self) -> int:
        return len(self.profiles)

    @cached_property
    def unique_sizes(self) -> Floats | None:
        """What each of the unique profiles adds to the size of its scores, see `Metric.slack`."""
        if self.profiles.sizes is None:
            return None
        some = self.index if self.duplicates is None else self.index[self.duplicates.first]
        return np.asarray(self.profiles.sizes[some])

    @property
    def metric(self) -> Metric:
        """The definition of the score."""
        return self.profiles.metric

    @cached_property
    def gaps(self) -> Indices:
        """The profiles with a target that was not measured."""
        return np.flatnonzero(~self.profiles.whole)

    def undefined_with(self, queries: Defined, whole: Flags, /, *, same: bool) -> Indices:
        """Count the whole profiles of the reference that each of some has no score with.

        Parameters
        ----------
        queries : Defined
            Who of the questioned profiles has a score.
        whole : ndarray of bool, shape (m,)
            Which of them are whole; the others count none.
        same : bool
            Whether they are the profiles of the reference: itself is no comparison.
        """
        # A profile that is empty has no score with itself anyway.
        scored = self.defined.n_with_score - np.where(queries.empty, self.defined.n_empty, 0)
        scored = np.where(queries.has_score, scored - (same & ~queries.empty), 0)
        missing = len(self) - len(self.gaps) - same - scored
        return np.asarray(np.where(whole, missing, 0), dtype=np.int64)


# -- scores by the definition ------------------------------------------------------------------


def score_profiles(a: Arrays, b: Arrays, metric: Metric, least: int, p: int, /) -> Floats:
    """Score profiles whose axes after the first broadcast.

    Parameters
    ----------
    a, b : tuple
        From `PreparedProfiles`.
    metric : Metric
        The definition of the score.
    least : int
        The least number of targets measured in both.
    p : int
        The number of targets.
    """
    (values_a, measured_a, whole_a), (values_b, measured_b, whole_b) = a, b
    if (measured_a is None or measured_a.all()) and (measured_b is None or measured_b.all()):
        out = metric.convert(metric.kernel.complete(whole_a, whole_b))
        return out if p >= least else np.full_like(out, np.nan)
    if values_a is None or values_b is None or measured_a is None or measured_b is None:
        raise ValueError("profiles without values cannot be scored against some with gaps")
    both = measured_a & measured_b
    out = metric.convert(metric.kernel.masked(values_a, values_b, both))
    return np.where(both.sum(axis=0) >= least, out, np.nan)


def pair_sizes(
    row_sizes: Floats | None,
    column_sizes: Floats | None,
    rows: NDArray[np.integer],
    columns: NDArray[np.integer],
    /,
) -> Floats | None:
    """Return the sizes of the scores of listed pairs, for `Metric.slack`; None if none are known.

    Parameters
    ----------
    row_sizes, column_sizes : ndarray of float64, shape (n,), or None
        From both sides.
    rows, columns : ndarray of int
        Places of the pairs, of one shape.
    """
    if row_sizes is None or column_sizes is None:
        return None
    return np.asarray(row_sizes[rows] + column_sizes[columns])


def largest_size(row_sizes: Floats | None, column_sizes: Floats | None = None, /) -> float | None:
    """Return the largest size any score of two sides, or within one, can have; None if unknown."""
    if row_sizes is None:
        return None
    other = row_sizes if column_sizes is None else column_sizes
    return float(row_sizes.max(initial=0.0)) + float(other.max(initial=0.0))


def score_listed(
    a: Floats, b: Floats, rows: Indices, columns: Indices, metric: Metric, /
) -> Floats:
    """Return the scores of listed pairs of whole profiles.

    Parameters
    ----------
    a, b : ndarray of float64, shape (rows, n)
        Transformed profiles of both sides.
    rows, columns : ndarray of int64, shape (n_pairs,)
        Which of them.
    metric : Metric
        The definition of the score.
    """
    scores = np.empty(len(rows))
    for first in range(0, len(rows), _LISTED):
        some = slice(first, first + _LISTED)
        left, right = a.take(rows[some], axis=1), b.take(columns[some], axis=1)
        scores[some] = metric.convert(metric.kernel.complete(left, right))
    return scores
