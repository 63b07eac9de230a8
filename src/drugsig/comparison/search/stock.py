"""`Stock`: reference profiles made ready to be searched again and again."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.definedness import Definedness
from drugsig.comparison.metrics import Metric
from drugsig.comparison.search.duplicates import Copies, find_copies
from drugsig.comparison.search.near_terms import NearSums
from drugsig.comparison.search.ranking import Ranking
from drugsig.comparison.search.shelves import Found, Queries, Shelves
from drugsig.comparison.search.terms import TermPoints, scale_and_kind
from drugsig.comparison.search.tree import Places
from drugsig.comparison.sides import Side, score_parts
from drugsig.comparison.spaces import EuclideanSpace, TermSpace

__all__ = ["Asked", "Stock"]

Floats = NDArray[np.float64]

Pairs = tuple[Places, Places]
# Rows, places and scores of proposed pairs, and the rows for which all profiles must be scored.
Proposed = tuple[Places, Places, Floats, NDArray[np.bool_]]

# Pairs decided by the definition at a time, and scores formed at a time where all are.
_DECIDED = 32_768
_BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class Asked:
    """The questioned profiles of a search.

    Attributes
    ----------
    side : Side
        The profiles.
    sound : Definedness
        Which of them have a score.
    least : int
        The least number of targets measured in both.
    same : bool
        Whether the questioned profiles are those of the stock, so that each finds the others.
    """

    side: Side
    sound: Definedness
    least: int
    same: bool


@dataclass(frozen=True, eq=False)
class Stock:
    """Reference profiles, those that are the same to the last bit searched once.

    Attributes
    ----------
    side : Side
        The profiles.
    metric : Metric
        The definition of the score.
    n_targets : int
        How many targets there are.
    sound : Definedness
        Which whole profiles have a score.
    ready : ndarray of float64, shape (rows, n_unlike)
        Profiles that have a score, without copies.
    columns_of : ndarray of int64
        Where they come from.
    copies : Copies or None
        Their copies, by place in `columns_of`.
    finder : Shelves, NearSums or None
        Where neighbours are looked for; without one every profile is scored.
    """

    side: Side
    metric: Metric
    n_targets: int
    sound: Definedness
    ready: Floats
    columns_of: Places
    copies: Copies | None
    finder: Shelves | NearSums | None

    @classmethod
    def of(
        cls,
        side: Side,
        metric: Metric,
        n_targets: int,
        /,
        *,
        planted: bool = True,
        tree: tuple[Places, Places] | None = None,
    ) -> Stock:
        """Make profiles ready.

        Parameters
        ----------
        side : Side
            The profiles.
        metric : Metric
            How they will be scored.
        n_targets : int
            How many targets there are.
        planted : bool
            Whether to put neighbours together, which pays for many searches.
        tree : tuple of ndarray, optional
            Order and starts of the leaves of an earlier stock of the same profiles.
        """
        sound = Definedness.of(side, side, metric, enough=True)
        columns_of = np.flatnonzero(sound.usable)
        ready = side.ready if len(columns_of) == len(side) else side.ready[:, columns_of]
        copies = find_copies(ready)
        if copies is not None:
            ready = ready[:, copies.first]
        space = metric.kernel.space
        finder: Shelves | NearSums | None = None
        if not ready.shape[1]:
            finder = None
        elif isinstance(space, EuclideanSpace):
            finder = Shelves.of(
                space.coordinates(ready), planted=planted, centred=not space.opposite, tree=tree
            )
        elif isinstance(space, TermSpace):
            scale, kind = scale_and_kind(space, ready)
            points = TermPoints.of(ready, space, scale=scale, kind=kind, planted=planted)
            finder = NearSums(points, scale, metric, space)
        return cls(side, metric, n_targets, sound, ready, columns_of, copies, finder)

    def __len__(self) -> int:
        return len(self.side)

    @property
    def tree(self) -> tuple[Places, Places] | None:
        """Order and starts of the leaves, where a stock of the same profiles can use them again."""
        if isinstance(self.finder, Shelves):
            return self.finder.tree.order, self.finder.tree.starts
        return None

    def ask(self, side: Side, /, *, least: int) -> Asked:
        """Return questioned profiles for this stock.

        Parameters
        ----------
        side : Side
            The profiles; those of the stock itself where each is to find the others.
        least : int
            The least number of targets measured in both.
        """
        same = side is self.side
        if same:
            return Asked(side, self.sound, least, same=True)
        # One sound profile of the stock tells of the questioned what all of them would.
        example = copy.copy(self.side)
        some = np.flatnonzero(self.sound.usable & ~self.sound.empty)[:1]
        example.ready = self.side.ready[:, some]
        return Asked(
            side, Definedness.of(side, example, self.metric, enough=True), least, same=False
        )

    @cached_property
    def everyone(self) -> Places:
        """All profiles."""
        return np.arange(len(self), dtype=np.int64)

    @cached_property
    def gaps(self) -> Places:
        """The profiles with a target that was not measured."""
        return np.flatnonzero(~self.side.whole)

    @cached_property
    def _n_usable_and_empty(self) -> tuple[int, int]:
        return int(self.sound.usable.sum()), int(self.sound.empty.sum())

    # -- the nearest -----------------------------------------------------------------------

    def nearest(self, asked: Asked, rows: Places, k: int, /) -> tuple[Ranking, Places]:
        """Rank the k most alike of each of these questioned profiles.

        Parameters
        ----------
        asked : Asked
            From `ask`.
        rows : ndarray of int64, shape (m,)
            Which of them; neighbours of each other, for speed only.
        k : int
            How many.

        Returns
        -------
        ranking : Ranking
            By row of `rows`; places are those of the stock.
        undefined : ndarray of int64, shape (m,)
            With how many profiles of the stock each has no score.
        """
        ranking = Ranking(len(rows), k)
        undefined = np.zeros(len(rows), dtype=np.int64)
        if self.n_targets < asked.least:
            undefined[:] = len(self) - asked.same
            return ranking, undefined
        if not self.anyone_sound:
            self._score_all(ranking, undefined, asked, rows, np.arange(len(rows)), self.everyone)
            return ranking, undefined
        whole = asked.side.whole[rows]
        usable = np.flatnonzero(asked.sound.usable[rows])
        if len(usable):
            self._among_whole(ranking, asked, rows, usable)
        undefined[whole] = self.undefined_whole(asked, rows[whole])
        if len(self.gaps):
            self._score_all(ranking, undefined, asked, rows, np.flatnonzero(whole), self.gaps)
        self._score_all(ranking, undefined, asked, rows, np.flatnonzero(~whole), self.everyone)
        return ranking, undefined

    @cached_property
    def anyone_sound(self) -> bool:
        """Whether any profile has a score with those that are not empty."""
        return bool((self.sound.usable & ~self.sound.empty).any())

    def undefined_whole(self, asked: Asked, rows: Places, /) -> Places:
        """Count the whole profiles of the stock each of these whole profiles has no score with.

        Parameters
        ----------
        asked : Asked
            From `ask`.
        rows : ndarray of int64, shape (m,)
            Whole profiles.
        """
        usable, empty = asked.sound.usable[rows], asked.sound.empty[rows]
        n_usable, n_empty = self._n_usable_and_empty
        defined = n_usable - np.where(empty, n_empty, 0)
        # Itself is no comparison; a profile that is empty has no score with itself anyway.
        defined = np.where(usable, defined - (asked.same & ~empty), 0)
        return np.asarray(len(self) - len(self.gaps) - asked.same - defined, dtype=np.int64)

    def _among_whole(self, ranking: Ranking, asked: Asked, rows: Places, which: Places) -> None:
        """Rank the whole profiles that have a score."""
        ready = asked.side.ready[:, rows[which]]
        # Where a profile is among the stock it is found as well.
        k = min(ranking.k + asked.same, self.ready.shape[1])
        odd = np.ones(len(which), dtype=bool)
        if self.finder is not None:
            on_shelves = isinstance(self.finder, Shelves)
            row, place, scores, odd = (self._on_shelves if on_shelves else self._by_sums)(ready, k)
            self._take(ranking, asked, rows, which[row], place, scores)
        step = max(1, _BLOCK // max(1, int(odd.sum())))
        for begin in range(0, self.ready.shape[1] if odd.any() else 0, step):
            some = np.arange(begin, min(begin + step, self.ready.shape[1]))
            scores = self.metric.convert(
                self.metric.kernel.complete(ready[:, odd, None], self.ready[:, None, some])
            )
            near = self._keys(scores) <= ranking.worst[which[odd]][:, None]
            row, column = np.nonzero(near & ~np.isnan(scores))
            found = scores[row, column]
            self._take(ranking, asked, rows, which[odd][row], some[column], found)

    def _on_shelves(self, ready: Floats, k: int) -> Proposed:
        """Return all profiles that can be among the k nearest, and who must be scored with all.

        The k-th score decides how far others may be that are as much alike; where that is
        farther than was looked, it is looked again.
        """
        space, shelves = self.metric.kernel.space, self.finder
        if not isinstance(space, EuclideanSpace) or not isinstance(shelves, Shelves):
            raise TypeError("shelves hold profiles of a Euclidean space")
        coordinates = space.coordinates(ready)
        sides = self.asked_on_shelves(shelves, coordinates)
        odd = ~sides[0].usable
        looked = [shelves.nearest(queries, k) for queries in sides]
        row, place = self.together(looked)
        scores = self.decide(ready, row, place)
        value = self._kth_value(ready, row, scores, k)
        radius = np.array([np.inf if np.isnan(v) else space.radius(v) for v in value.tolist()])
        needed = [shelves.limit_of(queries, radius) for queries in sides]
        again = np.zeros(len(radius), dtype=bool)
        for found, limit in zip(looked, needed, strict=True):
            again |= limit > found.limit
        if again.any():
            kept, some = ~again[row], np.flatnonzero(again)
            farther = [
                shelves.within(queries.part(again), limit[again])
                for queries, limit in zip(sides, needed, strict=True)
            ]
            more_row, more_place = self.together(farther)
            row = np.concatenate([row[kept], some[more_row]])
            place = np.concatenate([place[kept], more_place])
            scores = np.concatenate(
                [scores[kept], self.decide(ready[:, some], more_row, more_place)]
            )
        if odd.any():
            kept = ~odd[row]
            row, place, scores = row[kept], place[kept], scores[kept]
        return row, place, scores, odd

    def _by_sums(self, ready: Floats, k: int) -> Proposed:
        """Return the same where a score is a sum of terms."""
        sums = self.finder
        if not isinstance(sums, NearSums):
            raise TypeError("sums of terms are looked for among sums of terms")
        odd = ~sums.usable(ready)
        found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
        for i in np.flatnonzero(~odd):
            place, limit = sums.nearest(ready[:, i], k)
            row = np.full(len(place), i, dtype=np.int64)
            scores = self.decide(ready, row, place)
            value = float(self._kth_value(ready, row, scores, k)[i])
            # An undefined value is no smaller than any limit.
            if sums.limit_of(value) <= limit:
                found.append((row, place, scores))
            else:
                odd[i] = True
        row, place, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        return row, place, scores, odd

    def asked_on_shelves(self, shelves: Shelves, coordinates: Floats, /) -> list[Queries]:
        """Return questioned profiles, and their opposites where those are as much alike.

        Parameters
        ----------
        shelves : Shelves
            Of this stock.
        coordinates : ndarray of float64, shape (d, m)
            The questioned profiles in the space of the metric.
        """
        space = self.metric.kernel.space
        opposite = isinstance(space, EuclideanSpace) and space.opposite
        # Where no value is negative, nothing is like the opposite of anything.
        if opposite and not ((coordinates >= 0).all() and self._not_negative):
            return [shelves.ask(coordinates), shelves.ask(-coordinates)]
        return [shelves.ask(coordinates)]

    def together(self, found: Sequence[Found], /) -> Pairs:
        """Return what was found on one side or the other, each pair once.

        Parameters
        ----------
        found : sequence of Found
            One a side.
        """
        if len(found) == 1:
            return found[0].rows, found[0].places
        n = self.ready.shape[1]
        row, place = np.divmod(np.unique(np.concatenate([f.rows * n + f.places for f in found])), n)
        return row, place

    @cached_property
    def _not_negative(self) -> bool:
        return bool((self.ready >= 0).all())

    def _keys(self, scores: Floats) -> Floats:
        """Return numbers that are small where profiles are alike."""
        return -scores if self.metric.is_similarity else scores

    def decide(self, ready: Floats, rows: Places, places: Places, /) -> Floats:
        """Return the scores of proposed pairs, by the definition.

        Parameters
        ----------
        ready : ndarray of float64, shape (rows, m)
            Questioned profiles.
        rows, places : ndarray of int64, shape (n,)
            Which of them, and which profile of `ready`.
        """
        scores = np.empty(len(rows))
        for first in range(0, len(rows), _DECIDED):
            part = slice(first, first + _DECIDED)
            left, right = ready.take(rows[part], axis=1), self.ready.take(places[part], axis=1)
            scores[part] = self.metric.convert(self.metric.kernel.complete(left, right))
        return scores

    def _kth_value(self, ready: Floats, row: Places, scores: Floats, k: int) -> Floats:
        """Return the kernel's value of the k-th proposed of every row; NaN if there are fewer."""
        order = np.lexsort((self._keys(scores), row))
        start = np.searchsorted(row[order], np.arange(ready.shape[1]))
        last = start + k - 1
        inside = last < len(row)
        inside[inside] = row[order[last[inside]]] == np.flatnonzero(inside)
        out = np.full(ready.shape[1], np.nan)
        worst = scores[order[last[inside]]].tolist()
        out[inside] = [float(self.metric.revert(score)) for score in worst]
        return out

    def _take(
        self,
        ranking: Ranking,
        asked: Asked,
        rows: Places,
        which: Places,
        places: Places,
        scores: Floats,
    ) -> None:
        """Rank unlike profiles, every copy in its own right, and leave each profile itself out."""
        defined = ~np.isnan(scores)
        which, places, keys = which[defined], places[defined], self._keys(scores[defined])
        if self.copies is None:
            member, of, extra = places, np.arange(len(places)), np.zeros(len(places), np.int64)
        else:
            counts = self.copies.counts[places]
            times = np.minimum(counts, ranking.k + asked.same)
            of = np.repeat(np.arange(len(places)), times)
            steps = np.arange(len(of)) - np.repeat(np.cumsum(times) - times, times)
            member = self.copies.members[self.copies.starts[:-1][places][of] + steps]
            extra = counts - times
        member = self.columns_of[member]
        own = np.zeros(len(member), dtype=bool)
        if asked.same:
            own = member == rows[which[of]]
            # Itself may be one of those that need not be named.
            alone = np.bincount(of[own], minlength=len(places)) == 0
            extra = extra - (alone & (self._stands_for[rows[which]] == places))
        named = np.flatnonzero(~own)
        # Those that need not be named are told of with the last that is.
        last = np.append(of[named][1:] != of[named][:-1], True) if len(named) else named
        extras = np.where(last, extra[of[named]], 0)
        ranking.take(which[of[named]], member[named], keys[of[named]], copies=extras)

    @cached_property
    def _stands_for(self) -> Places:
        """Which unlike profile every profile is a copy of; -1 where it has no score."""
        out = np.full(len(self), -1, dtype=np.int64)
        if self.copies is None:
            out[self.columns_of] = np.arange(len(self.columns_of))
        else:
            counts = self.copies.counts
            out[self.columns_of[self.copies.members]] = np.repeat(np.arange(len(counts)), counts)
        return out

    def _score_all(
        self,
        ranking: Ranking,
        undefined: Places,
        asked: Asked,
        rows: Places,
        which: Places,
        columns: Places,
    ) -> None:
        """Rank all of these profiles by the definition, and count those without a score."""
        step = max(1, _BLOCK // max(1, len(which)))
        for begin in range(0, len(columns) if len(which) else 0, step):
            some = columns[begin : begin + step]
            scores = score_parts(
                asked.side.partial_at(rows[which], None),
                self.side.partial_at(None, some),
                self.metric,
                asked.least,
                self.n_targets,
            )
            others = np.ones(scores.shape, dtype=bool)
            if asked.same:
                others = rows[which][:, None] != some
            missing = np.isnan(scores)
            undefined[which] += (missing & others).sum(axis=1)
            keys = self._keys(scores)
            near = ~missing & others & (keys <= ranking.worst[which][:, None])
            row, column = np.nonzero(near)
            ranking.take(which[row], some[column], keys[row, column])
