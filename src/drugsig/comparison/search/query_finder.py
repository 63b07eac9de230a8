"""`QueryFinder`: reference profiles that answer queries, again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.link_rule import LinkRule
from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import (
    Defined,
    PreparedProfiles,
    PreparedReference,
    largest_size,
    pair_sizes,
    score_listed,
    score_profiles,
)
from drugsig.comparison.search.all_pairs import AllPairs, GapPairs, Rectangle
from drugsig.comparison.search.query_tree import Found, Queries, QueryTree
from drugsig.comparison.search.ranking import REACH, Ranking
from drugsig.comparison.search.term_sums import SmallSums, TermPoints, TermTree, scale_and_kind
from drugsig.comparison.search.tree import Indices
from drugsig.comparison.spaces import EuclideanSpace, TermSpace

__all__ = ["PreparedQueries", "QueryFinder"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Pairs = tuple[Indices, Indices]
# Rows, positions and scores of links, and how many pairs have no score.
Links = tuple[Indices, Indices, Floats, int]
# Rows, positions and scores of proposed pairs, and the rows for which all profiles must be scored.
Proposed = tuple[Indices, Indices, Floats, Flags]

# Scores formed at a time where all are, and pairs proposed together at most.
_BLOCK = 65_536
_TOGETHER = 20_000_000


@dataclass(frozen=True, eq=False)
class PreparedQueries:
    """The questioned profiles of a search.

    Attributes
    ----------
    profiles : PreparedProfiles
        The profiles.
    defined : Defined
        Which of them have a score.
    least : int
        The least number of targets measured in both.
    same : bool
        Whether they are the profiles of the reference, so that each finds the others.
    """

    profiles: PreparedProfiles
    defined: Defined
    least: int
    same: bool


@dataclass(frozen=True, eq=False)
class QueryFinder:
    """Finds the links and the neighbours of questioned profiles.

    Attributes
    ----------
    reference : PreparedReference
        The profiles to look among.
    tree : QueryTree, TermTree or None
        Where neighbours are looked for; without one every profile is scored.
    """

    reference: PreparedReference
    tree: QueryTree | TermTree | None

    @classmethod
    def of(
        cls,
        profiles: PreparedProfiles,
        /,
        *,
        split: bool = True,
        leaves: tuple[Indices, Indices] | None = None,
    ) -> QueryFinder:
        """Prepare reference profiles.

        Parameters
        ----------
        profiles : PreparedProfiles
            The profiles.
        split : bool
            Whether to put neighbours together, which pays for many searches.
        leaves : tuple of ndarray, optional
            Order and starts of the leaves of an earlier finder for the same profiles.
        """
        reference = PreparedReference.of(profiles, profiles.defined(profiles))
        unique, metric = reference.unique, profiles.metric
        space = metric.kernel.space
        tree: QueryTree | TermTree | None = None
        if not unique.shape[1]:
            tree = None
        elif isinstance(space, EuclideanSpace):
            coordinates = space.coordinates(unique)
            tree = QueryTree.of(coordinates, split=split, centred=not space.opposite, tree=leaves)
        elif isinstance(space, TermSpace):
            scale, kind = scale_and_kind(space, unique)
            points = TermPoints.of(unique, space, scale=scale, kind=kind, split=split)
            tree = TermTree(points, scale, metric, space)
        return cls(reference, tree)

    def __len__(self) -> int:
        return len(self.reference)

    @property
    def metric(self) -> Metric:
        """The definition of the score."""
        return self.reference.metric

    @property
    def leaves(self) -> tuple[Indices, Indices] | None:
        """Order and starts of the leaves, where a finder for the same profiles can use them."""
        if isinstance(self.tree, QueryTree):
            return self.tree.tree.order, self.tree.tree.starts
        return None

    def queries(self, profiles: PreparedProfiles, /, *, least: int) -> PreparedQueries:
        """Return questioned profiles for this reference.

        Parameters
        ----------
        profiles : PreparedProfiles
            The profiles; those of the reference itself where each is to find the others.
        least : int
            The least number of targets measured in both.
        """
        known = self.reference
        if profiles is known.profiles:
            return PreparedQueries(profiles, known.defined, least, same=True)
        return PreparedQueries(profiles, profiles.defined(known.profiles), least, same=False)

    @cached_property
    def everyone(self) -> Indices:
        """All profiles of the reference."""
        return np.arange(len(self), dtype=np.int64)

    @cached_property
    def _anyone_scores(self) -> bool:
        """Whether any profile has a score with those that are not empty."""
        defined = self.reference.defined
        return bool((defined.has_score & ~defined.empty).any())

    # -- links -----------------------------------------------------------------------------

    def within(self, queries: PreparedQueries, threshold: float, /) -> Iterator[Links]:
        """Yield rows, positions and scores of links, some at a time, and how many have no score.

        Parameters
        ----------
        queries : PreparedQueries
            From `queries`; other profiles than those of the reference.
        threshold : float
            In the convention of the metric.
        """
        profiles, gaps = queries.profiles, self.reference.gaps
        n, m = len(profiles), len(self)
        nothing = np.empty(0, np.int64)
        if profiles.n_targets < queries.least:
            yield nothing, nothing, np.empty(0), n * m
            return
        sizes = largest_size(profiles.sizes, self.reference.profiles.sizes)
        rule = LinkRule(self.metric, threshold, queries.least, sizes)
        whole = np.flatnonzero(profiles.whole)
        if self._anyone_scores:
            undefined = self.reference.undefined_with(queries.defined, profiles.whole, same=False)
            yield nothing, nothing, np.empty(0), int(undefined.sum())
            scored = np.flatnonzero(queries.defined.has_score)
            step = max(1, _TOGETHER // max(1, m))
            for first in range(0, len(scored), step):
                yield from self._links_among_whole(profiles, rule, scored[first : first + step])
        rectangles = (
            Rectangle(np.flatnonzero(~profiles.whole), self.everyone),
            Rectangle(whole, gaps if self._anyone_scores else self.everyone),
        )
        some = tuple(r for r in rectangles if len(r.rows) and len(r.columns))
        if some:
            pairs = GapPairs(profiles, self.reference.profiles, rule, some)
            for task in pairs.tasks:
                yield pairs.find(*task)

    def _links_among_whole(
        self, profiles: PreparedProfiles, rule: LinkRule, rows: Indices
    ) -> Iterator[Links]:
        known = self.reference
        asked = profiles.transformed[:, rows]
        for proposed in self._possible_links(asked, rule):
            ours = None if profiles.sizes is None else profiles.sizes[rows]
            sizes = pair_sizes(ours, known.unique_sizes, *proposed)
            row, position, scores = rule.decide(asked, known.unique, *proposed, sizes=sizes)
            if known.duplicates is not None:
                position, times = known.duplicates.members_of(position)
                row, scores = np.repeat(row, times), np.repeat(scores, times)
            yield rows[row], known.index[position], scores, 0

    def _possible_links(self, asked: Floats, rule: LinkRule) -> Iterator[Pairs]:
        """Yield pairs of whole profiles, each once, among them every link."""
        space, tree = self.metric.kernel.space, self.tree
        odd = np.ones(asked.shape[1], dtype=bool)
        if isinstance(space, EuclideanSpace) and isinstance(tree, QueryTree):
            radius = np.full(asked.shape[1], space.radius(rule.value))
            sides = self._turned(tree, space.coordinates(asked))
            row, position = self._together(
                [tree.within(q, tree.limit_of(q, radius)) for q in sides]
            )
            odd = ~sides[0].usable
            kept = ~odd[row]
            yield row[kept], position[kept]
        elif isinstance(space, TermSpace) and isinstance(tree, TermTree):
            odd = ~tree.usable(asked)
            even, kind = np.flatnonzero(~odd), tree.points.columns.dtype
            points = TermPoints.of(asked[:, even], space, scale=tree.scale, kind=kind, split=False)
            limit = tree.limit_of(rule.value)
            sums = SmallSums(points, tree.points, limit, self.metric, space, False, True)
            for task in range(sums.n_tasks if len(even) else 0):
                for row, position in sums.propose(task):
                    yield even[row], tree.points.tree.order[position]
        if odd.any():
            which = np.flatnonzero(odd)
            pairs = AllPairs(asked[:, odd], self.reference.unique, rule, False)
            for task in range(pairs.n_tasks if self.reference.unique.shape[1] else 0):
                for row, position in pairs.propose(task):
                    yield which[row], position

    # -- the nearest -----------------------------------------------------------------------

    def nearest(
        self, queries: PreparedQueries, rows: Indices, k: int, /
    ) -> tuple[Ranking, Indices]:
        """Rank the k most alike of each of these questioned profiles.

        Parameters
        ----------
        queries : PreparedQueries
            From `queries`.
        rows : ndarray of int64, shape (m,)
            Which of them; neighbours of each other, for speed only.
        k : int
            How many.

        Returns
        -------
        ranking : Ranking
            By row of `rows`; positions are those of the reference.
        undefined : ndarray of int64, shape (m,)
            With how many profiles of the reference each has no score.
        """
        ranking = Ranking(len(rows), k)
        undefined = np.zeros(len(rows), dtype=np.int64)
        profiles, gaps = queries.profiles, self.reference.gaps
        if profiles.n_targets < queries.least:
            undefined[:] = len(self) - queries.same
            return ranking, undefined
        if not self._anyone_scores:
            self._score_all(ranking, undefined, queries, rows, np.arange(len(rows)), self.everyone)
            return ranking, undefined
        whole = profiles.whole[rows]
        scored = np.flatnonzero(queries.defined.has_score[rows])
        if len(scored):
            self._among_whole(ranking, queries, rows, scored)
        here = Defined(queries.defined.has_score[rows], queries.defined.empty[rows])
        undefined += self.reference.undefined_with(here, whole, same=queries.same)
        if len(gaps):
            self._score_all(ranking, undefined, queries, rows, np.flatnonzero(whole), gaps)
        self._score_all(ranking, undefined, queries, rows, np.flatnonzero(~whole), self.everyone)
        return ranking, undefined

    def _among_whole(
        self, ranking: Ranking, queries: PreparedQueries, rows: Indices, which: Indices
    ) -> None:
        """Rank the whole profiles that have a score."""
        asked, unique = queries.profiles.transformed[:, rows[which]], self.reference.unique
        # Where a profile is in the reference it is found as well.
        k = min(ranking.k + queries.same, unique.shape[1])
        odd = np.ones(len(which), dtype=bool)
        if self.tree is not None:
            near = isinstance(self.tree, QueryTree)
            most = np.broadcast_to(self._most_slack(queries, rows[which]), len(which))
            row, position, scores, odd = (self._by_distance if near else self._by_sums)(
                asked, k, most
            )
            self._take(ranking, queries, rows, which[row], position, scores)
        step = max(1, _BLOCK // max(1, int(odd.sum())))
        for begin in range(0, unique.shape[1] if odd.any() else 0, step):
            some = np.arange(begin, min(begin + step, unique.shape[1]))
            scores = self.metric.convert(
                self.metric.kernel.complete(asked[:, odd, None], unique[:, None, some])
            )
            most = np.broadcast_to(self._most_slack(queries, rows[which[odd]]), int(odd.sum()))
            limit = ranking.worst[which[odd]] + REACH * most
            alike = self._keys(scores) <= limit[:, None]
            row, column = np.nonzero(alike & ~np.isnan(scores))
            found = scores[row, column]
            self._take(ranking, queries, rows, which[odd][row], some[column], found)

    def _most_slack(self, queries: PreparedQueries, rows: Indices) -> Floats:
        """Return the largest slack of a score of these profiles, one number where it is the same.

        Where sizes are not known the slack of the least alike score.
        """
        ours, theirs = queries.profiles.sizes, self.reference.profiles.sizes
        if ours is None or theirs is None:
            return self.metric.slack(np.empty(0))
        return self.metric.slack(np.empty(0), ours[rows] + theirs.max(initial=0.0))

    def _slack(self, queries: PreparedQueries, rows: Indices, columns: Indices) -> Floats:
        """Return the slack of scores of listed pairs, one number where it is the same."""
        sizes = pair_sizes(queries.profiles.sizes, self.reference.profiles.sizes, rows, columns)
        return self.metric.slack(np.empty(0), sizes)

    def _by_distance(self, asked: Floats, k: int, slack: Floats) -> Proposed:
        """Return all profiles that can be among the k nearest, and who must be scored with all.

        The k-th score, loosened by its slack, decides how far others may be that are as much
        alike; where that is farther than was looked, it is looked again.
        """
        space, tree = self.metric.kernel.space, self.tree
        if not isinstance(space, EuclideanSpace) or not isinstance(tree, QueryTree):
            raise TypeError("a tree for queries holds profiles of a Euclidean space")
        sides = self._turned(tree, space.coordinates(asked))
        odd = ~sides[0].usable
        looked = [tree.nearest(points, k) for points in sides]
        row, position = self._together(looked)
        scores = self._scores(asked, row, position)
        value = self._kth_value(slack, row, scores, k)
        radius = np.array([np.inf if np.isnan(v) else space.radius(v) for v in value.tolist()])
        needed = [tree.limit_of(points, radius) for points in sides]
        again = np.zeros(len(radius), dtype=bool)
        for found, limit in zip(looked, needed, strict=True):
            again |= limit > found.limit
        if again.any():
            kept, some = ~again[row], np.flatnonzero(again)
            farther = [
                tree.within(points.part(again), limit[again])
                for points, limit in zip(sides, needed, strict=True)
            ]
            more_row, more_position = self._together(farther)
            row = np.concatenate([row[kept], some[more_row]])
            position = np.concatenate([position[kept], more_position])
            scores = np.concatenate(
                [scores[kept], self._scores(asked[:, some], more_row, more_position)]
            )
        if odd.any():
            kept = ~odd[row]
            row, position, scores = row[kept], position[kept], scores[kept]
        return row, position, scores, odd

    def _by_sums(self, asked: Floats, k: int, slack: Floats) -> Proposed:
        """Return the same where a score is a sum of terms."""
        sums = self.tree
        if not isinstance(sums, TermTree):
            raise TypeError("sums of terms are looked for among sums of terms")
        odd = ~sums.usable(asked)
        found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
        for i in np.flatnonzero(~odd):
            position, limit = sums.nearest(asked[:, i], k)
            row = np.full(len(position), i, dtype=np.int64)
            scores = self._scores(asked, row, position)
            value = float(self._kth_value(slack, row, scores, k)[i])
            # An undefined value is no smaller than any limit.
            if sums.limit_of(value) <= limit:
                found.append((row, position, scores))
            else:
                odd[i] = True
        row, position, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        return row, position, scores, odd

    def _turned(self, tree: QueryTree, coordinates: Floats) -> list[Queries]:
        """Return questioned profiles, and their opposites where those are as much alike."""
        space = self.metric.kernel.space
        opposite = isinstance(space, EuclideanSpace) and space.opposite
        # Where no value is negative, nothing is like the opposite of anything.
        if opposite and not ((coordinates >= 0).all() and self._not_negative):
            return [tree.queries(coordinates), tree.queries(-coordinates)]
        return [tree.queries(coordinates)]

    def _together(self, found: Sequence[Found]) -> Pairs:
        """Return what was found on one side or the other, each pair once."""
        if len(found) == 1:
            return found[0].rows, found[0].positions
        n = self.reference.unique.shape[1]
        row, position = np.divmod(
            np.unique(np.concatenate([f.rows * n + f.positions for f in found])), n
        )
        return row, position

    @cached_property
    def _not_negative(self) -> bool:
        return bool((self.reference.unique >= 0).all())

    def _keys(self, scores: Floats) -> Floats:
        """Return numbers that are small where profiles are alike."""
        return -scores if self.metric.is_similarity else scores

    def _scores(self, asked: Floats, rows: Indices, positions: Indices) -> Floats:
        return score_listed(asked, self.reference.unique, rows, positions, self.metric)

    def _kth_value(self, slack: Floats, row: Indices, scores: Floats, k: int) -> Floats:
        """Return the kernel's value that all who may be equal to the k-th proposed keep to.

        NaN for a row with fewer.
        """
        order = np.lexsort((self._keys(scores), row))
        start = np.searchsorted(row[order], np.arange(len(slack)))
        last = start + k - 1
        inside = last < len(row)
        inside[inside] = row[order[last[inside]]] == np.flatnonzero(inside)
        out = np.full(len(slack), np.nan)
        worst = scores[order[last[inside]]].tolist()
        room = (2.0 * REACH * slack[inside]).tolist()
        out[inside] = list(map(self.metric.farthest_value, worst, room))
        return out

    def _take(
        self,
        ranking: Ranking,
        queries: PreparedQueries,
        rows: Indices,
        which: Indices,
        positions: Indices,
        scores: Floats,
    ) -> None:
        """Rank unlike profiles, every copy in its own right, and leave each profile itself out."""
        defined = ~np.isnan(scores)
        which, positions, keys = which[defined], positions[defined], self._keys(scores[defined])
        duplicates = self.reference.duplicates
        if duplicates is None:
            member, of, extra = (
                positions,
                np.arange(len(positions)),
                np.zeros(len(positions), np.int64),
            )
        else:
            member, times = duplicates.members_of(positions, most=ranking.k + queries.same)
            of = np.repeat(np.arange(len(positions)), times)
            extra = duplicates.counts[positions] - times
        member = self.reference.index[member]
        own = np.zeros(len(member), dtype=bool)
        if queries.same:
            own = member == rows[which[of]]
            # Itself may be one of those that need not be named.
            alone = np.bincount(of[own], minlength=len(positions)) == 0
            extra = extra - (alone & (self._stands_for[rows[which]] == positions))
        named = np.flatnonzero(~own)
        # Those that need not be named are told of with the last that is.
        last = np.append(of[named][1:] != of[named][:-1], True) if len(named) else named
        extras = np.where(last, extra[of[named]], 0)
        slack = self._slack(queries, rows[which[of[named]]], member[named])
        ranking.take(which[of[named]], member[named], keys[of[named]], slack, copies=extras)

    @cached_property
    def _stands_for(self) -> Indices:
        """Which unlike profile every profile is a copy of; -1 where it has no score."""
        out = np.full(len(self), -1, dtype=np.int64)
        index, duplicates = self.reference.index, self.reference.duplicates
        if duplicates is None:
            out[index] = np.arange(len(index))
        else:
            counts = duplicates.counts
            out[index[duplicates.members]] = np.repeat(np.arange(len(counts)), counts)
        return out

    def _score_all(
        self,
        ranking: Ranking,
        undefined: Indices,
        queries: PreparedQueries,
        rows: Indices,
        which: Indices,
        columns: Indices,
    ) -> None:
        """Rank all of these profiles by the definition, and count those without a score."""
        step = max(1, _BLOCK // max(1, len(which)))
        for begin in range(0, len(columns) if len(which) else 0, step):
            some = columns[begin : begin + step]
            scores = score_profiles(
                queries.profiles.partial_at(rows[which], None),
                self.reference.profiles.partial_at(None, some),
                self.metric,
                queries.least,
                queries.profiles.n_targets,
            )
            others = np.ones(scores.shape, dtype=bool)
            if queries.same:
                others = rows[which][:, None] != some
            missing = np.isnan(scores)
            undefined[which] += (missing & others).sum(axis=1)
            keys = self._keys(scores)
            limit = ranking.worst[which] + REACH * self._most_slack(queries, rows[which])
            near = ~missing & others & (keys <= limit[:, None])
            row, column = np.nonzero(near)
            slack = self._slack(queries, rows[which[row]], some[column])
            ranking.take(which[row], some[column], keys[row, column], slack)
