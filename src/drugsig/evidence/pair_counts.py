"""`PairCounts`: how many pairs a population rule makes of each kind, without forming them.

Whether a pair is linked, unlinked or neither depends on the columns in which both profiles have a
text, and on those in which the texts are the same. Pairs that agree in a set of columns, and maybe
in others, are counted from how often every text occurs; those that agree in a set of columns and in
no other follow by inclusion and exclusion. The work grows with the profiles, not with the pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from drugsig.comparison.undefined_pairs import UndefinedPairs
from drugsig.errors import PopulationError
from drugsig.evidence.conditions import (
    FALSE,
    TRUE,
    UNKNOWN,
    CompoundCondition,
    Condition,
    GroupSize,
    PairCondition,
    Truth,
    agree,
    both,
    codes_of,
    fitting,
    judge,
    negate,
)
from drugsig.evidence.pairs import find_pairs, numbered_texts
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.resampling import drawn_pairs
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["PairCounts", "PairKinds", "StratumCounts"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Wholes = NDArray[np.int64]

# Sums of weights held at a time.
_HELD = 20_000_000

# Entries of the table over two kinds of profile and all sets of columns: a rule that asks for more
# looks at so many columns, filled in so many ways, that nobody could follow it.
_MOST_PATTERNS = 20_000_000

# Pairs judged at a time.
_BLOCK = 2_000_000

# Pairs within sources that are looked at: a text that names no source makes more.
_MOST_LINKED = 20_000_000


@dataclass(frozen=True, eq=False)
class PairKinds:
    """What pairs are under a rule; all of shape (n_pairs,).

    Attributes
    ----------
    same_specimen : ndarray of bool
        Two profiles of one specimen, which are no pair.
    contradiction : ndarray of bool
        Both linked and unlinked, or of a source that says otherwise.
    undecided : ndarray of bool
        Neither linked nor unlinked, or without a known source.
    same_sequence : ndarray of bool
        Linked, and of one sequence, or maybe.
    linked, unlinked : ndarray of bool
        Of known source.
    """

    same_specimen: Flags
    contradiction: Flags
    undecided: Flags
    same_sequence: Flags
    linked: Flags
    unlinked: Flags


@dataclass(frozen=True, eq=False)
class _Columns:
    """What a rule looks at in the profiles, as numbers.

    Parameters
    ----------
    rule : PopulationRule
        The rule.
    names : tuple of str
        Columns whose texts are compared.
    codes : dict of str to ndarray of int, shape (n_profiles,)
        From `codes_of`.
    fits : dict of GroupSize to ndarray of int8, shape (n_profiles,)
        From `fitting`.
    specimen, sequence : str or None
        Which of the columns name these.
    """

    rule: PopulationRule
    names: tuple[str, ...]
    codes: dict[str, NDArray[np.intp]]
    fits: dict[GroupSize, Truth]
    specimen: str | None
    sequence: str | None

    @classmethod
    def of(cls, profiles: ProfileSet, rule: PopulationRule) -> _Columns:
        sizes = [*_sizes(rule.linked), *_sizes(rule.unlinked)]
        specimen = rule.specimen_column(profiles)
        sequence = None if rule.same_sequence else rule.sequence_column(profiles)
        compared = (
            *_compared(rule.linked),
            *_compared(rule.unlinked),
            *rule.source,
            *(c for c in (specimen, sequence) if c is not None),
        )
        names = tuple(dict.fromkeys(compared))
        codes = {c: codes_of(profiles, c) for c in (*names, *(s.column for s in sizes))}
        fits = {size: fitting(size, codes[size.column]) for size in sizes}
        return cls(rule, names, codes, fits, specimen, sequence)

    def judged(
        self, same: Callable[[str], Truth], sized: Callable[[GroupSize], Truth], n: int
    ) -> PairKinds:
        """Say what pairs are of which is known where they agree."""
        rule, never = self.rule, np.zeros(n, dtype=bool)
        copies = never if self.specimen is None else same(self.specimen) == TRUE
        linked = judge(rule.linked, same, sized, n) == TRUE
        unlinked = judge(rule.unlinked, same, sized, n) == TRUE
        sources = [same(column) for column in rule.source]
        stated = np.all([s != UNKNOWN for s in sources], axis=0)
        one = np.all([s == TRUE for s in sources], axis=0)
        known = (linked | unlinked) & stated & ~copies
        together = never if self.sequence is None else same(self.sequence) != FALSE
        together = together & known & linked
        wrong = known & ~together & (linked != one)
        return PairKinds(
            same_specimen=copies,
            contradiction=(linked & unlinked & ~copies) | wrong,
            undecided=~known & ~copies,
            same_sequence=together,
            linked=known & linked & ~together,
            unlinked=known & ~linked,
        )

    def of_pairs(self, rows: Places, columns: Places) -> PairKinds:
        """Say what listed pairs are."""

        def sized(size: GroupSize) -> Truth:
            return both(self.fits[size][rows], self.fits[size][columns])

        return self.judged(lambda c: agree(self.codes[c], rows, columns), sized, len(rows))


class _Patterns:
    """Counts pairs by what both profiles are, and by the columns they agree in.

    Parameters
    ----------
    places : ndarray of int, shape (n,)
        The profiles, as places in the arrays below.
    columns : list of ndarray of int, shape (n_profiles,)
        Texts as numbers, -1 where not known.
    marks : list of ndarray of int, shape (n_profiles,)
        What else matters of a profile.
    """

    def __init__(self, places: Places, columns: list[Places], marks: list[Any], /) -> None:
        self.places = places
        self.codes = [codes[places] for codes in columns]
        known = [(codes >= 0).astype(np.int64) for codes in self.codes]
        table = np.stack([*known, *(np.asarray(m)[places] for m in marks)], axis=1)
        self.kinds, kind = np.unique(table, axis=0, return_inverse=True)
        self.kind: Places = kind.reshape(-1).astype(np.intp)
        self.n_columns = len(columns)
        k = len(self.kinds)
        if k * k * 2**self.n_columns > _MOST_PATTERNS:
            raise PopulationError(
                f"the population rule looks at {self.n_columns} columns, which are filled in in "
                f"{k} ways: too many to count its pairs. Compare all profiles "
                "(matrices='dense'), or simplify the rule."
            )

    def grid(self) -> tuple[Places, Places, list[Truth]]:
        """Return every two kinds with every set of columns, and in which they agree then."""
        k, sets = len(self.kinds), 2**self.n_columns
        a, b, chosen = (x.ravel() for x in np.indices((k, k, sets)))
        same = []
        for column in range(self.n_columns):
            known = self.kinds[a, column] & self.kinds[b, column]
            agrees = (chosen >> column) & 1
            same.append(np.where(known, agrees, UNKNOWN).astype(np.int8))
        return a, b, same

    def possible(self) -> Flags:
        """Say which of these can be: none agrees in a column that one of them lacks."""
        a, b, _ = self.grid()
        chosen = np.tile(np.arange(2**self.n_columns), len(self.kinds) ** 2)
        out = np.ones(len(a), dtype=bool)
        for column in range(self.n_columns):
            known = self.kinds[a, column] & self.kinds[b, column]
            out &= (((chosen >> column) & 1) == 0) | (known == 1)
        return out

    def mark(self, place: int) -> tuple[Any, Any]:
        """Return a mark of both kinds of the grid."""
        a, b, _ = self.grid()
        return self.kinds[a, self.n_columns + place], self.kinds[b, self.n_columns + place]

    def terms(self, wanted: Flags) -> list[tuple[int, Wholes]]:
        """Return how often pairs that agree at least in a set of columns count, by two kinds."""
        k = len(self.kinds)
        table = (wanted & self.possible()).astype(np.int64).reshape(k, k, 2**self.n_columns)
        sets = np.arange(table.shape[2])
        for column in range(self.n_columns):
            with_it = sets[(sets >> column) & 1 == 1]
            table[:, :, with_it] -= table[:, :, with_it ^ (1 << column)]
        # Nobody agrees where a text is lacking.
        for s in sets:
            lacking = [c for c in range(self.n_columns) if (s >> c) & 1]
            full = self.kinds[:, lacking].all(axis=1)
            table[~full, :, s] = table[:, ~full, s] = 0
        return [(int(s), table[:, :, s]) for s in sets if table[:, :, s].any()]

    def together(self, chosen: int, within: Places | None) -> tuple[Places, Places]:
        """Return the profiles that agree with some other in a set of columns, and who with whom."""
        rows = np.arange(len(self.places))
        number = np.zeros(len(rows), dtype=np.int64)
        parts = [c for k, c in enumerate(self.codes) if (chosen >> k) & 1]
        parts += [] if within is None else [within[self.places]]
        for codes in parts:
            there = codes[rows] >= 0
            rows, number = rows[there], number[there]
            joint = number * (int(codes.max(initial=0)) + 1) + codes[rows]
            _, number = np.unique(joint, return_inverse=True)
            number = number.reshape(-1)
            several = np.bincount(number, minlength=1)[number] > 1
            rows, number = rows[several], number[several]
        if len(rows):
            _, number = np.unique(number, return_inverse=True)
        return rows, number.reshape(-1)

    def _tallies(
        self, terms: list[tuple[int, Wholes]], within: Places | None
    ) -> Iterator[tuple[Places, Places, Wholes, csr_array]]:
        """Yield rows, groups, coefficients and members of each kind by group."""
        for chosen, coefficients in terms:
            rows, group = self.together(chosen, within)
            if len(rows):
                ends = group, self.kind[rows]
                shape = int(group.max()) + 1, len(self.kinds)
                ones = np.ones(len(rows), dtype=np.int64)
                yield rows, group, coefficients, coo_array((ones, ends), shape=shape).tocsr()

    def number(self, terms: list[tuple[int, Wholes]], within: Places | None = None) -> int:
        """Return how many pairs there are."""
        twice = 0
        for rows, _, coefficients, tally in self._tallies(terms, within):
            twice += int((tally.multiply(tally @ coefficients)).sum())
            twice -= int(np.diagonal(coefficients)[self.kind[rows]].sum())
        return twice // 2

    def partners(self, terms: list[tuple[int, Wholes]], within: Places | None = None) -> Wholes:
        """Return how many partners every profile has, shape (n,)."""
        out = np.zeros(len(self.places), dtype=np.int64)
        for rows, group, coefficients, tally in self._tallies(terms, within):
            reached = np.asarray(tally @ coefficients)
            kind = self.kind[rows]
            out[rows] += reached[group, kind] - coefficients[kind, kind]
        return out

    def weighted(self, terms: list[tuple[int, Wholes]], source: Places, weights: Floats) -> Floats:
        """Return the pairs under many weightings of sources, shape (n_weightings,)."""
        twice = np.zeros(weights.shape[1])
        n_sources = len(weights)
        own = source[self.places]
        for rows, group, coefficients, _ in self._tallies(terms, None):
            kind, k = self.kind[rows], len(self.kinds)
            cell, place = np.unique(group * k + kind, return_inverse=True)
            ones = np.ones(len(rows))
            ends = place.reshape(-1), own[rows]
            sums = coo_array((ones, ends), shape=(len(cell), n_sources)).tocsr()
            mixing = _mixing(cell // k, cell % k, coefficients)
            diagonal = np.diagonal(coefficients)[kind].astype(np.float64)
            single = np.bincount(own[rows], weights=diagonal, minlength=n_sources)
            step = max(1, _HELD // max(1, len(cell)))
            for first in range(0, weights.shape[1], step):
                some = slice(first, first + step)
                part = weights[:, some]
                held = np.asarray(sums @ part)
                twice[some] += (held * np.asarray(mixing @ held)).sum(axis=0)
                twice[some] -= single @ part**2
        return twice / 2.0


def _mixing(group: Places, kind: Places, coefficients: Wholes) -> csr_array:
    """Return what takes sums by group and kind to those of their partners."""
    k, n = len(coefficients), len(group)
    by_group = coo_array((np.arange(1, n + 1), (group, kind)), shape=(int(group.max()) + 1, k))
    at = by_group.tocsr()[group].toarray()
    row, other = np.nonzero(at)
    data = coefficients[kind[row], other].astype(np.float64)
    return coo_array((data, (row, at[row, other] - 1)), shape=(n, n)).tocsr()


class PairCounts:
    """The pairs of known source under a rule, counted and not formed.

    Parameters
    ----------
    profiles : ProfileSet
        With the metadata the rule looks at.
    rule : PopulationRule
        Which pairs are linked and which are unlinked.

    Attributes
    ----------
    source : ndarray of int, shape (n_profiles,)
        The source of every profile, -1 where it is not known.
    names : tuple of str
        The names of the sources.
    left_out : dict of str to str
        Profiles that the rule leaves out, and why.
    used : ndarray of int
        Places of the profiles that may be in a pair of known source, in the order of their ids.
    """

    def __init__(self, profiles: ProfileSet, rule: PopulationRule, /) -> None:
        rule.check(profiles)
        rule.unmatched(profiles)
        self.profiles, self.rule = profiles, rule
        self.columns = _Columns.of(profiles, rule)
        self.left_out = rule.left_out(profiles)
        self.source, self.names = numbered_texts(profiles, rule.source)
        kept = np.ones(len(profiles), dtype=bool)
        kept[profiles.index_of(self.left_out)] = False
        order = profiles.id_order
        self.all_used: Places = order[kept[order]]
        self.used: Places = self.all_used[self.source[self.all_used] >= 0]
        self._undefined: UndefinedPairs | None = None
        everyone = self._patterns(self.all_used, None)
        kinds = self._of_grid(everyone)
        count = {name: everyone.number(everyone.terms(getattr(kinds, name))) for name in (
            "contradiction", "same_specimen", "undecided", "same_sequence",
        )}  # fmt: skip
        if count["contradiction"]:
            # Looks at the pairs until it meets one, and refuses it by name.
            find_pairs(profiles, rule)
        self.n_same_specimen = count["same_specimen"]
        self.n_undecided = count["undecided"]
        self.n_same_sequence = count["same_sequence"]

    def _patterns(self, places: Places, kind: NDArray[np.int8] | None) -> _Patterns:
        marks: list[Any] = list(self.columns.fits.values())
        if kind is not None:
            marks.append(kind)
        return _Patterns(places, [self.columns.codes[c] for c in self.columns.names], marks)

    def _of_grid(self, patterns: _Patterns) -> PairKinds:
        _, _, same = patterns.grid()
        fits = dict(zip(self.columns.fits, range(len(self.columns.fits)), strict=True))
        truth = dict(zip(self.columns.names, same, strict=True))

        def sized(size: GroupSize) -> Truth:
            ours, theirs = patterns.mark(fits[size])
            return both(ours.astype(np.int8), theirs.astype(np.int8))

        return self.columns.judged(truth.__getitem__, sized, len(same[0]))

    # -- with scores -----------------------------------------------------------------------------

    def with_scores(self, undefined: UndefinedPairs, /) -> None:
        """Take into account which pairs have no score.

        Parameters
        ----------
        undefined : UndefinedPairs
            Among the profiles in `used`.
        """
        self._undefined = undefined
        kinds = self.columns.of_pairs(undefined.rows, undefined.columns)
        self._n_listed = int((kinds.linked | kinds.unlinked).sum())
        self.gone_rows: Places = undefined.rows[kinds.unlinked]
        self.gone_columns: Places = undefined.columns[kinds.unlinked]

    @cached_property
    def _scored(self) -> tuple[_Patterns, list[tuple[int, Wholes]], list[tuple[int, Wholes]]]:
        """What profiles are, and how pairs count: unlinked ones, and known ones without score."""
        kind = None if self._undefined is None else self._undefined.kind
        patterns = self._patterns(self.used, kind)
        kinds = self._of_grid(patterns)
        apart, known = kinds.unlinked, kinds.linked | kinds.unlinked
        if kind is not None:
            scored = UndefinedPairs.have_score(*patterns.mark(len(self.columns.fits)))
            apart, known = apart & scored, known & ~scored
        else:
            known = np.zeros_like(known)
        return patterns, patterns.terms(apart), patterns.terms(known)

    @cached_property
    def n_undefined(self) -> int:
        """How many pairs of known source have no score."""
        patterns, _, missing = self._scored
        listed = 0 if self._undefined is None else self._n_listed
        return patterns.number(missing) + listed

    @cached_property
    def n_unlinked(self) -> int:
        """How many unlinked pairs have a score."""
        patterns, apart, _ = self._scored
        return patterns.number(apart) - self._n_gone

    @property
    def _n_gone(self) -> int:
        return 0 if self._undefined is None else len(self.gone_rows)

    @cached_property
    def partners(self) -> Wholes:
        """How many unlinked pairs every profile is in, shape (n_profiles,)."""
        return self._partners(None)

    def _partners(self, within: Places | None) -> Wholes:
        patterns, apart, _ = self._scored
        out = np.zeros(len(self.profiles), dtype=np.int64)
        out[self.used] = patterns.partners(apart, within)
        if self._n_gone:
            rows, columns = self.gone_rows, self.gone_columns
            if within is not None:
                same = within[rows] == within[columns]
                rows, columns = rows[same], columns[same]
            for ends in (rows, columns):
                out -= np.bincount(ends, minlength=len(out))
        return out

    @cached_property
    def source_partners(self) -> Wholes:
        """How many unlinked pairs every source is in, shape (n_sources,)."""
        out = np.zeros(len(self.names), dtype=np.int64)
        np.add.at(out, self.source[self.used], self.partners[self.used])
        return out

    def n_unlinked_within(self, labels: NDArray[np.integer], /) -> int:
        """Return how many unlinked pairs are of one label.

        Parameters
        ----------
        labels : ndarray of int, shape (n_profiles,)
            Such as the groups of the profiles.
        """
        return int(self._partners(labels.astype(np.intp)).sum()) // 2

    def apart_within(self, labels: NDArray[np.integer], /) -> Flags:
        """Say which profiles have an unlinked partner of their own label, shape (n_profiles,)."""
        return np.asarray(self._partners(labels.astype(np.intp)) > 0)

    def weighted(self, weights: Floats, number: Places, /) -> Floats:
        """Return how many unlinked pairs there are under weightings of sources.

        Parameters
        ----------
        weights : ndarray of float64, shape (n, n_weightings)
            How often each source counts.
        number : ndarray of int, shape (n_sources,)
            Where each source stands in `weights`; -1 for those that stand nowhere.

        Returns
        -------
        ndarray of float64, shape (n_weightings,)
            Whole numbers for whole weights.
        """
        patterns, apart, _ = self._scored
        # A source of no pair has the weight of none: its terms cancel.
        padded = np.vstack([weights, np.zeros((1, weights.shape[1]))])
        place = np.append(number, -1)[self.source]
        out = patterns.weighted(apart, place % len(padded), padded)
        if self._n_gone:
            a, b = place[self.gone_rows], place[self.gone_columns]
            there = (a >= 0) & (b >= 0)
            out = out - drawn_pairs(a[there], b[there], weights)
        return out

    def of_pairs(self, rows: NDArray[np.integer], columns: NDArray[np.integer], /) -> PairKinds:
        """Say what listed pairs of the profiles are; those of a left-out profile are none.

        Parameters
        ----------
        rows, columns : ndarray of int, shape (n_pairs,)
            Places of the profiles.
        """
        return self.columns.of_pairs(rows.astype(np.intp), columns.astype(np.intp))

    def linked_pairs(self) -> tuple[Places, Places]:
        """Return all linked pairs, in the order of the ids of their profiles.

        Raises
        ------
        PopulationError
            If one source has so many profiles that its pairs alone cannot be listed.
        """
        own = self.source[self.used]
        order = np.argsort(own, kind="stable")
        sizes = np.bincount(own, minlength=1)
        total = int((sizes.astype(np.int64) * (sizes - 1) // 2).sum())
        if total > _MOST_LINKED:
            largest = int(sizes.argmax())
            raise PopulationError(
                f"profiles of one source make {total:,} pairs, and {_MOST_LINKED:,} are the most "
                f"that are looked at: '{self.names[largest]}' alone has {int(sizes[largest]):,} "
                "profiles. Is that text the name of a source? If not, exclude it in the rule."
            )
        stops = np.repeat(np.cumsum(sizes), sizes)
        after = stops - np.arange(len(order)) - 1
        first = np.repeat(np.arange(len(order)), after)
        starts = np.cumsum(after) - after
        second = first + 1 + np.arange(len(first)) - np.repeat(starts, after)
        rows, columns = order[first], order[second]
        by_id = np.lexsort((columns, rows))
        rows, columns = self.used[rows[by_id]], self.used[columns[by_id]]
        linked = np.zeros(len(rows), dtype=bool)
        for start in range(0, len(rows), _BLOCK):
            some = slice(start, start + _BLOCK)
            linked[some] = self.of_pairs(rows[some], columns[some]).linked
        return rows[linked], columns[linked]

    def draw(self, n: int, rng: np.random.Generator, /) -> tuple[Places, Places]:
        """Return unlinked pairs drawn at random, or all of them if there are no more.

        Parameters
        ----------
        n : int
            How many are wanted.
        rng : numpy.random.Generator
            What draws them.

        Returns
        -------
        rows, columns : ndarray of int
            All of them in the order of their ids; drawn ones in the order drawn, each on its own,
            so that one may come twice.
        """
        some = self.used[self.partners[self.used] > 0]
        if self.n_unlinked <= n:
            return self._every(some)
        found: list[tuple[Places, Places]] = []
        missing = n
        while missing > 0:
            draws = rng.integers(0, len(some), size=(2, 2 * missing + 1000))
            first, second = some[draws.min(axis=0)], some[draws.max(axis=0)]
            kept = first != second
            first, second = self._unlinked(first[kept], second[kept])
            found.append((first[:missing], second[:missing]))
            missing -= len(found[-1][0])
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])

    def _unlinked(self, rows: Places, columns: Places) -> tuple[Places, Places]:
        """Keep the unlinked pairs that have a score."""
        kept = self.of_pairs(rows, columns).unlinked
        if self._undefined is not None:
            kind = self._undefined.kind
            kept &= UndefinedPairs.have_score(kind[rows], kind[columns])
            if self._n_gone:
                n = len(self.profiles)
                low = np.minimum(self.gone_rows, self.gone_columns)
                gone = low * n + np.maximum(self.gone_rows, self.gone_columns)
                kept &= ~np.isin(np.minimum(rows, columns) * n + np.maximum(rows, columns), gone)
        return rows[kept], columns[kept]

    def _every(self, some: Places) -> tuple[Places, Places]:
        found = []
        step = max(1, _BLOCK // max(1, len(some)))
        for top in range(0, len(some), step):
            rows = np.arange(top, min(top + step, len(some)))
            first, second = np.nonzero(np.arange(len(some)) > rows[:, None])
            found.append(self._unlinked(some[rows[first]], some[second]))
        return (
            np.concatenate([f[0] for f in found] or [np.empty(0, np.intp)]),
            np.concatenate([f[1] for f in found] or [np.empty(0, np.intp)]),
        )

    def source_graph(self) -> tuple[Places, Places]:
        """Return every two sources with an unlinked pair, each once.

        Made from pairs of classes, profiles that are the same to the rule: many of them where the
        rule looks at what differs from profile to profile.
        """
        patterns, _, _ = self._scored
        some = np.flatnonzero(self.partners[self.used] > 0)
        if self._n_gone:
            # Of a class some pairs may have a score and others none.
            return self._met(self.used[some])
        table = np.stack([patterns.kind[some], *(c[some] for c in patterns.codes)], axis=1)
        _, one = np.unique(table, axis=0, return_index=True)
        return self._met(self.used[np.sort(some[one])])

    def _met(self, some: Places) -> tuple[Places, Places]:
        rows, columns = self._every(some)
        a, b = self.source[rows].astype(np.int64), self.source[columns].astype(np.int64)
        edges = np.unique(np.minimum(a, b) * len(self.names) + np.maximum(a, b))
        return edges // len(self.names), edges % len(self.names)

    def every_source_meets_half(self) -> bool:
        """Say whether every source of an unlinked pair surely has one with half of the others.

        Each source that another has no pair with lacks as many pairs as both have profiles, so
        that the pairs a source lacks bound the sources it may not meet.
        """
        there = self.source_partners > 0
        own = self.source[self.used]
        sizes = np.bincount(own[there[own]], minlength=len(self.names))[there].astype(np.int64)
        lacking = sizes * (sizes.sum() - sizes) - self.source_partners[there]
        met = len(sizes) - 1 - lacking // np.maximum(sizes, 1)
        return bool(len(sizes)) and bool((2 * met >= len(sizes)).all())


class StratumCounts:
    """Pairs of different seizures that agree in every stratum column, counted and not formed.

    Parameters
    ----------
    profiles : ProfileSet
        With the metadata the rule looks at.
    rule : PopulationRule
        With stratum columns.
    """

    def __init__(self, profiles: ProfileSet, rule: PopulationRule, /) -> None:
        self.profiles, self.rule = profiles, rule
        self.stratum, self.labels = numbered_texts(profiles, rule.strata)
        specimen = rule.specimen_column(profiles)
        self._specimen = None if specimen is None else codes_of(profiles, specimen)
        self._seizure = codes_of(profiles, rule.seizure)
        kept = np.ones(len(profiles), dtype=bool)
        kept[profiles.index_of(rule.left_out(profiles))] = False
        order = profiles.id_order
        self.used: Places = order[kept[order] & (self.stratum[order] >= 0)]

    def inside(self, rows: NDArray[np.integer], columns: NDArray[np.integer], /) -> Flags:
        """Say which listed pairs are in a stratum."""
        a, b = rows.astype(np.intp), columns.astype(np.intp)
        used = np.zeros(len(self.profiles), dtype=bool)
        used[self.used] = True
        out = used[a] & used[b] & (self.stratum[a] == self.stratum[b])
        out &= negate(agree(self._seizure, a, b)) == TRUE
        if self._specimen is not None:
            out &= agree(self._specimen, a, b) != TRUE
        return np.asarray(out)

    def numbers(self, undefined: UndefinedPairs, /) -> Wholes:
        """Return how many pairs with a score every stratum has, shape (n_strata,).

        Parameters
        ----------
        undefined : UndefinedPairs
            Among the profiles in `used`.
        """
        columns = [self._seizure, *(() if self._specimen is None else (self._specimen,))]
        patterns = _Patterns(self.used, columns, [undefined.kind])
        _, _, same = patterns.grid()
        wanted = negate(same[0]) == TRUE
        if self._specimen is not None:
            wanted &= same[1] != TRUE
        wanted &= UndefinedPairs.have_score(*patterns.mark(0))
        partners = patterns.partners(patterns.terms(wanted), self.stratum.astype(np.intp))
        twice = np.zeros(len(self.labels), dtype=np.int64)
        np.add.at(twice, self.stratum[self.used], partners)
        rows, others = undefined.rows, undefined.columns
        gone = self.inside(rows, others)
        lost = np.bincount(self.stratum[rows[gone]], minlength=len(self.labels))
        return np.asarray(twice // 2 - lost)


def _compared(condition: Condition) -> tuple[str, ...]:
    if isinstance(condition, CompoundCondition):
        return tuple(c for part in condition.parts for c in _compared(part))
    assert isinstance(condition, PairCondition)  # noqa: S101 - there are no others
    return (*condition.same, *condition.different)


def _sizes(condition: Condition) -> tuple[GroupSize, ...]:
    if isinstance(condition, CompoundCondition):
        return tuple(s for part in condition.parts for s in _sizes(part))
    assert isinstance(condition, PairCondition)  # noqa: S101 - there are no others
    return () if condition.group_size is None else (condition.group_size,)
