"""`search_threshold`: the threshold of very many profiles, with error rates of counted pairs.

The scores of all unlinked pairs are never formed. A search finds every one of them that is as alike
as a threshold asks, and labels tell how many there are, so that rates are exact. Pairs drawn at
random serve the area under the ROC curve, the pictures, and a first guess of where to search.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FEWEST_RESAMPLES, MOST_RESAMPLES, generator, share, whole_number
from drugsig._notes import Note
from drugsig.comparison.comparability import Treatment
from drugsig.comparison.linking import BYTES_A_LINK, LINKS_LIMIT_BYTES, found_links
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.comparison.prepared import largest_size
from drugsig.comparison.ties import merged_sides
from drugsig.comparison.undefined_pairs import ListedScores, UndefinedPairs, refuse_many_links
from drugsig.errors import SizeError
from drugsig.evidence.dependence import dependence_notes
from drugsig.evidence.pair_counts import PairCounts, StratumCounts
from drugsig.evidence.pairs import (
    LabelledPairs,
    PairSample,
    StratumScores,
    stratum_places,
    why_unscored,
)
from drugsig.evidence.populations import PopulationRule, circular_notes, get_rule, label_notes
from drugsig.evidence.resampling import (
    Interval,
    affordable_by_hits,
    auc_interval,
    disjoint_pairs,
    drawn_interval,
    drawn_pairs,
    effective_number,
    rate_interval,
    source_weights,
)
from drugsig.evidence.roc import auc
from drugsig.evidence.threshold import (
    ALL_STRATA,
    DEFAULT_RATE,
    DEFAULT_RESAMPLES,
    ErrorRates,
    RatesOfOwnPairs,
    StratumRate,
    Threshold,
    chance_rate,
    few_notes,
    learned_value,
    stratum_area,
)
from drugsig.profiles.profile_set import ProfileSet

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["PAIRS_DRAWN", "KnownPairs", "SearchedThreshold", "drawn_sample", "search_threshold"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# Unlinked pairs drawn for the area and the pictures; where there are no more, all of them count.
PAIRS_DRAWN = 250_000

# Pairs drawn from a stratum for its area.
_STRATUM_DRAWN = 20_000
_MOST_ROUNDS = 200

# Ranks among the drawn pairs from which the guess of a distance is extrapolated: the few nearest
# are a matter of chance, and a tail is a power of the distance only near its end.
_NEAR_RANKS = (30, 300)

# Pairs of found links judged at a time.
_BLOCK = 2_000_000


@dataclass(frozen=True, eq=False)
class KnownPairs:
    """The pairs of known source of a set of profiles, the unlinked ones counted and not formed.

    Attributes
    ----------
    counts : PairCounts
        Which pairs there are.
    first, second : ndarray of int, shape (n_linked,)
        The linked pairs that have a score, as places of profiles.
    """

    counts: PairCounts
    first: Places
    second: Places

    @property
    def n_linked(self) -> int:
        """How many linked pairs have a score."""
        return len(self.first)

    @property
    def n_unlinked(self) -> int:
        """How many unlinked pairs have a score."""
        return self.counts.n_unlinked

    def together(self, labels: NDArray[np.integer], /) -> tuple[float, float]:
        """Return the shares of linked and of unlinked pairs that are of one label.

        Parameters
        ----------
        labels : ndarray of int, shape (n_profiles,)
            Such as the groups of the profiles.
        """
        linked = float((labels[self.first] == labels[self.second]).mean())
        return linked, self.counts.n_unlinked_within(labels) / self.n_unlinked

    def sources_apart(self, labels: NDArray[np.integer], /) -> dict[int, tuple[str, ...]]:
        """Return the labels that hold an unlinked pair, with the sources of such pairs.

        Parameters
        ----------
        labels : ndarray of int, shape (n_profiles,)
            Such as the groups of the profiles.
        """
        inside = np.flatnonzero(self.counts.apart_within(labels))
        met = np.unique(
            np.stack([labels[inside], self.counts.source[inside]], axis=1).astype(np.int64), axis=0
        )
        out: dict[int, list[str]] = {}
        for label, source in met.tolist():
            out.setdefault(label, []).append(self.counts.names[source])
        return {label: tuple(names) for label, names in out.items()}


@dataclass(frozen=True, eq=False)
class SearchedThreshold:
    """A threshold, the links at it, and what it was learned from.

    Attributes
    ----------
    threshold : Threshold
        With exact error rates, save the area under the curve where pairs were drawn.
    links : Links
        All links at the threshold.
    sample : PairSample
        All linked pairs, and unlinked pairs drawn at random or all of them.
    known : KnownPairs
        All pairs of known source.
    notes : tuple of Note
        Those on the rule, and those of the threshold.
    """

    threshold: Threshold
    links: Links
    sample: PairSample
    known: KnownPairs
    notes: tuple[Note, ...]


def search_threshold(
    profiles: ProfileSet,
    rule: PopulationRule | str,
    /,
    *,
    metric: Metric | str,
    min_measured: int | None = None,
    rng: np.random.Generator,
    value: float | None = None,
    false_positive_rate: float = DEFAULT_RATE,
    chance_links: float | None = None,
    n_resamples: int = DEFAULT_RESAMPLES,
    memory: float = LINKS_LIMIT_BYTES,
    workers: int | None = None,
    client: Client | None = None,
    progress: bool = False,
) -> SearchedThreshold:
    """Learn a threshold as `drugsig.threshold_for` does, or measure one, without all scores.

    The threshold, its rates and their intervals are the same. The area under the ROC curve is that
    of unlinked pairs drawn at random where there are more than 250,000 of them.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated, with the metadata the rule looks at.
    rule : PopulationRule or str
        Which pairs are of known source.
    metric, min_measured
        As in `drugsig.compare`.
    rng : numpy.random.Generator
        For resampling and drawing.
    value : float, optional
        A threshold to assess instead of learning one.
    false_positive_rate, n_resamples
        As in `drugsig.learn_threshold`.
    chance_links : float, optional
        How many links chance alone may make among all pairs, instead of a rate.
    memory, workers, client, progress
        As in `drugsig.links`.

    Returns
    -------
    SearchedThreshold
        With the links of all profiles.

    Raises
    ------
    PopulationError, ThresholdError, MetadataError
        As from `drugsig.threshold_for`.
    SizeError
        If the unlinked pairs that a rate allows, or the links, would take more than `memory`.
    """
    known_rule = get_rule(rule)
    n_resamples = whole_number(
        n_resamples, what="n_resamples", least=FEWEST_RESAMPLES, most=MOST_RESAMPLES
    )
    rate = share(false_positive_rate, what="false_positive_rate")
    measure = get_metric(metric)
    given = None if value is None else measure.check_threshold(value)
    search = _Search(
        profiles,
        known_rule,
        ListedScores(profiles, measure, min_measured),
        {"memory": memory, "workers": workers, "client": client, "progress": progress},
    )
    sample = search.sample(generator(rng).spawn(1)[0])
    if chance_links is not None:
        n = len(profiles)
        rate = chance_rate(
            chance_links,
            comparisons=n * (n - 1) // 2,
            n_unlinked=search.counts.n_unlinked,
            units=search.units,
        )
    if given is None:
        near, reach = search.nearest(sample, rate)
        limit, by_rate, separated = learned_value(near, rate, n_unlinked=search.counts.n_unlinked)
        links = search.links(limit)
    else:
        limit, by_rate = given, None
        links = search.links(limit)
        near, reach = search.among(links), limit
        separated = search.separated(near, reach, sample)
    found, notes = search.assessed(
        sample, near, links, limit, rng=rng, n_resamples=n_resamples, separated=separated
    )
    target = rate if given is None else None
    threshold = Threshold(
        limit,
        measure,
        "learned" if given is None else "given",
        found,
        target,
        by_rate,
        (
            *few_notes(sample, target, n_unlinked=search.counts.n_unlinked),
            *dependence_notes(sample),
            *((RatesOfOwnPairs(),) if given is None else ()),
        ),
        search.treatment,
    )
    return SearchedThreshold(
        threshold,
        replace(links, **threshold.chance),
        sample,
        search.known,
        (*notes, *threshold.notes),
    )


def drawn_sample(
    profiles: ProfileSet,
    rule: PopulationRule,
    /,
    *,
    metric: Metric,
    min_measured: int | None,
    rng: np.random.Generator,
) -> tuple[PairSample, KnownPairs]:
    """Return the sample and the known pairs that `search_threshold` gives, and search nothing.

    Parameters
    ----------
    profiles, rule, metric, min_measured, rng
        As in `search_threshold`.
    """
    search = _Search(profiles, rule, ListedScores(profiles, metric, min_measured), {})
    return search.sample(rng.spawn(1)[0]), search.known


class _Search:
    """What is known of the pairs of a set of profiles, and what a search tells of them.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated.
    rule : PopulationRule
        Which pairs are of known source.
    listed : ListedScores
        Scores of listed pairs.
    options : dict
        Of `found_links`.
    """

    def __init__(
        self,
        profiles: ProfileSet,
        rule: PopulationRule,
        listed: ListedScores,
        options: dict[str, object],
        /,
    ) -> None:
        self.profiles, self.rule, self.listed, self.options = profiles, rule, listed, options
        self.metric, self.treatment = listed.metric, Treatment.of(profiles)
        self.counts = PairCounts(profiles, rule)
        self.strata = StratumCounts(profiles, rule) if rule.strata else None
        among = self.counts.used
        if self.strata is not None:
            wanted = np.zeros(len(profiles), dtype=bool)
            wanted[among] = wanted[self.strata.used] = True
            among = profiles.id_order[wanted[profiles.id_order]]
        self.undefined = UndefinedPairs.of(listed, among)
        self.counts.with_scores(self.undefined)
        first, second = self.counts.linked_pairs()
        scores = listed.scores(first, second)
        there = ~np.isnan(scores)
        self.known = KnownPairs(self.counts, first[there], second[there])
        self.linked_scores = scores[there]
        self._refuse_one_sided()
        # Sources of no pair must not be resampled.
        seen = self.counts.source_partners > 0
        seen[self.counts.source[self.known.first]] = True
        self.number: Places = np.full(len(seen), -1, dtype=np.intp)
        self.number[seen] = np.arange(int(seen.sum()))
        self.names = tuple(self.counts.names[k] for k in np.flatnonzero(seen))

    def _refuse_one_sided(self) -> None:
        n_linked, n_unlinked = self.known.n_linked, self.counts.n_unlinked
        if n_linked and n_unlinked:
            return
        # One pair stands for the side that is there.
        one = np.zeros(int(bool(n_linked or n_unlinked)), dtype=np.intp)
        pairs = LabelledPairs(
            first=one,
            second=one,
            linked=np.full(len(one), bool(n_linked)),
            source=self.counts.source,
            sources=self.counts.names,
            rule=self.rule,
            n_undecided=self.counts.n_undecided,
            n_undefined=self.counts.n_undefined,
            n_same_specimen=self.counts.n_same_specimen,
            n_same_sequence=self.counts.n_same_sequence,
            left_out=self.counts.left_out,
        )
        # Counted as the rule finds them, with a score or without.
        found = PairCounts(self.profiles, self.rule)
        both = found.n_unlinked > 0 and len(found.linked_pairs()[0]) > 0
        pairs.refuse_one_sided(
            "A threshold cannot be learned; give one instead, and it is reported as not validated.",
            unscored=why_unscored(self.profiles, self.metric) if both else "",
        )

    def of_pairs(self, rows: Places, columns: Places, scores: Floats, /) -> PairSample:
        """Return all linked pairs with some unlinked ones."""
        counts, n_linked = self.counts, self.known.n_linked
        first = np.concatenate([self.known.first, rows])
        second = np.concatenate([self.known.second, columns])
        source = np.append(self.number, -1)[counts.source]
        return PairSample(
            first=first.astype(np.int32),
            second=second.astype(np.int32),
            linked=np.arange(len(first)) < n_linked,
            source=source.astype(np.int32),
            sources=self.names,
            rule=self.rule,
            n_undecided=counts.n_undecided,
            n_undefined=counts.n_undefined,
            n_same_specimen=counts.n_same_specimen,
            n_same_sequence=counts.n_same_sequence,
            left_out=counts.left_out,
            specimen_known=counts.columns.specimen is not None,
            sequences_differ=counts.columns.sequence is not None,
            scores=np.concatenate([self.linked_scores, scores]),
            metric=self.metric,
            sizes=self.listed.sizes(first, second),
            treatment=self.treatment,
        )

    def sample(self, rng: np.random.Generator, /) -> PairSample:
        """Return all linked pairs, and unlinked ones drawn at random or all of them."""
        self._rng = rng
        rows, columns = self.counts.draw(PAIRS_DRAWN, rng)
        return self.of_pairs(rows, columns, self.listed.scores(rows, columns))

    def links(self, threshold: float, /) -> Links:
        """Return all links of all profiles, unless a look at some pairs says there are too many."""
        memory = float(self.options["memory"])  # type: ignore[arg-type]  # a number
        refuse_many_links(self.listed, threshold, memory=memory, rng=self._rng)
        return self._found(self.profiles, threshold)

    def _found(self, profiles: ProfileSet, threshold: float) -> Links:
        return found_links(
            profiles,
            metric=self.metric,
            threshold=threshold,
            min_measured=self.listed.least,
            **self.options,  # type: ignore[arg-type]  # those of `search_threshold`
        )

    def among(self, links: Links, places: Places | None = None, /) -> PairSample:
        """Return all linked pairs with the unlinked ones among links.

        Parameters
        ----------
        links : Links
            Of all profiles, or of those at some places.
        places : ndarray of int, optional
            Of the profiles that were searched.
        """
        kept = np.zeros(len(links), dtype=bool)
        rows, columns = links.rows, links.columns
        if places is not None:
            rows, columns = places[rows], places[columns]
        used = np.zeros(len(self.profiles), dtype=bool)
        used[self.counts.used] = True
        for start in range(0, len(links), _BLOCK):
            some = slice(start, start + _BLOCK)
            kinds = self.counts.of_pairs(rows[some], columns[some])
            kept[some] = kinds.unlinked & used[rows[some]] & used[columns[some]]
        return self.of_pairs(rows[kept], columns[kept], links.scores[kept])

    def _search_known(self, distance: float) -> PairSample:
        """Return the unlinked pairs that are no further apart."""
        threshold = self._threshold_at(distance)
        places = np.sort(self.counts.used)
        links = self._found(self.profiles.select(places), threshold)
        return self.among(links, places)

    def _threshold_at(self, distance: float) -> float:
        metric = self.metric
        score = metric.self_value - distance if metric.is_similarity else distance
        return float(min(max(score, metric.low), metric.high))

    def _slack(self, distance: float) -> float:
        size = largest_size(self.listed.prepared.sizes)
        return float(self.metric.slack(np.asarray(self._threshold_at(distance)), size))

    # -- the most alike unlinked pairs -----------------------------------------------------------

    def nearest(self, sample: PairSample, rate: float, /) -> tuple[PairSample, float]:
        """Return the linked pairs with more unlinked ones than the rate allows, the most alike.

        And how far apart they may be, in the convention of the metric.
        """
        m = self.counts.n_unlinked
        everything = self.metric.low if self.metric.is_similarity else self.metric.high
        if sample.n_unlinked == m:
            return sample, everything
        needed = _more_than(rate, m)
        self._refuse_many(rate, needed)
        distances = np.sort(self.metric.as_distance(sample.unlinked_scores))
        too_near, too_far = 0.0, np.inf
        # Pairs found within `too_near`, for the next guess.
        n_near = 0.0
        distance = _guess(distances, needed / m)
        while True:
            try:
                near = self._search_known(distance)
            except SizeError:
                too_far = distance
                if too_far - too_near < 1e-3 * too_far:
                    raise
                distance = (too_near + too_far) / 2.0
                continue
            found = self.metric.as_distance(near.unlinked_scores)
            # Whole classes of equal scores only: what lies at the edge may have equals beyond it.
            inside = int((found <= distance - 2.0 * self._slack(distance)).sum())
            if inside >= needed or self._threshold_at(distance) == everything:
                return near, self._threshold_at(distance)
            too_near, n_near = distance, float(inside)
            distance = _next(distances, too_near, n_near, too_far, needed, m)

    def _refuse_many(self, rate: float, needed: int) -> None:
        memory = float(self.options["memory"])  # type: ignore[arg-type]  # a number
        n = len(self.profiles)
        pairs = n * (n - 1) // 2
        links = max(needed, round(rate * pairs))
        if links * BYTES_A_LINK <= memory:
            return
        most = int(memory / BYTES_A_LINK)
        raise SizeError(
            f"a false-positive rate of {rate:g} among {n:,} profiles makes about "
            f"{rate * pairs:,.0f} links by chance alone among {pairs:,} pairs, and {most:,} are "
            "allowed "
            f"({memory / 1e9:.2g} GB). Ask for the number of chance links that can be looked at, "
            f"chance_links=<number>, or for a rate below {most / pairs:.2g}, "
            "false_positive_rate=<share>; or allow more with memory=<bytes>."
        )

    def separated(self, near: PairSample, reach: float, sample: PairSample, /) -> bool:
        """Say whether no unlinked pair meets the least alike linked pair."""
        scores = self.linked_scores
        last = float(scores.min() if self.metric.is_similarity else scores.max())
        if near.meets(last)[~near.linked].any() or sample.meets(last)[~sample.linked].any():
            return False
        if bool(self.metric.meets(np.asarray(last), reach)) or sample.n_unlinked == (
            self.counts.n_unlinked
        ):
            return True
        distance = float(self.metric.as_distance(np.asarray(last)))
        beyond = self._search_known(distance + 2.0 * self._slack(distance))
        return not bool(beyond.meets(last)[~beyond.linked].any())

    # -- rates -----------------------------------------------------------------------------------

    def assessed(
        self,
        sample: PairSample,
        near: PairSample,
        links: Links,
        value: float,
        /,
        *,
        rng: np.random.Generator,
        n_resamples: int,
        separated: bool,
    ) -> tuple[ErrorRates, tuple[Note, ...]]:
        """Return the error rates of a threshold, and what must be said of the rule."""
        counts = self.counts
        weights = source_weights(len(self.names), n_resamples, rng)
        positive = sample.meets(value)
        false = ~near.linked & near.meets(value)
        a, b = near.source_a[false], near.source_b[false]
        m = counts.n_unlinked
        met = counts.source_partners[counts.source_partners > 0]
        rates = ErrorRates(
            rule=self.rule,
            n_linked=self.known.n_linked,
            n_unlinked=m,
            n_linked_sources=sample.n_linked_sources,
            n_unlinked_sources=len(met),
            n_undecided=counts.n_undecided,
            n_same_specimen=counts.n_same_specimen,
            n_undefined=counts.n_undefined,
            left_out=dict(counts.left_out),
            separated=separated,
            false_positive_rate=len(a) / m,
            true_positive_rate=float(positive[sample.linked].mean()),
            auc=auc(*sample.tied_sides, metric=self.metric),
            false_positive_interval=self._false_interval(a, b, weights),
            true_positive_interval=rate_interval(sample, positive, weights, linked=True),
            auc_interval=auc_interval(sample, weights),
            strata=self._strata(sample, links, rng.spawn(1)[0]),
            n_resamples=n_resamples,
            auc_error=self._auc_error(sample),
        )
        return rates, (*label_notes(self.rule, self.profiles), *circular_notes(self.rule))

    @cached_property
    def units(self) -> int:
        """How many of the unlinked pairs can be taken if each source is used once."""
        if self.counts.every_source_meets_half():
            return max(1, int((self.counts.source_partners > 0).sum()) // 2)
        return disjoint_pairs(*self.counts.source_graph())

    def _false_interval(
        self, a: NDArray[np.integer], b: NDArray[np.integer], weights: Floats
    ) -> Interval:
        counts = self.counts
        partners = counts.source_partners[counts.source_partners > 0]
        some = affordable_by_hits(a, b, weights)
        return drawn_interval(
            drawn_pairs(a, b, some),
            counts.weighted(some, self.number),
            len(a) / counts.n_unlinked,
            n_sources=effective_number(partners),
            units=self.units,
            n_pairs=counts.n_unlinked,
        )

    def _auc_error(self, sample: PairSample) -> float | None:
        """Return the standard error of the area by drawing; None where nothing was drawn."""
        if sample.n_unlinked == self.counts.n_unlinked:
            return None
        linked, unlinked = merged_sides(*sample.tied_sides, metric=self.metric)
        below = np.searchsorted(linked, unlinked, side="left")
        up_to = np.searchsorted(linked, unlinked, side="right")
        beaten = (below + up_to) / (2.0 * len(linked))
        return float(beaten.std(ddof=1) / np.sqrt(len(unlinked)))

    def _strata(
        self, sample: PairSample, links: Links, rng: np.random.Generator
    ) -> tuple[StratumRate, ...]:
        if self.strata is None:
            return ()
        strata = self.strata
        numbers = strata.numbers(self.undefined)
        filled = np.flatnonzero(numbers)
        if not len(filled):
            return ()
        inside = strata.inside(links.rows, links.columns)
        met = np.bincount(strata.stratum[links.rows[inside]], minlength=len(numbers))
        areas = self._stratum_areas(sample, numbers, rng)
        label = dict(enumerate(strata.labels))
        rows = [
            StratumRate(label[k], int(numbers[k]), int(met[k]) / int(numbers[k]), areas[label[k]])
            for k in sorted(filled.tolist(), key=label.__getitem__)
        ]
        total = int(numbers.sum())
        return (
            StratumRate(ALL_STRATA, total, int(met.sum()) / total, areas[ALL_STRATA]),
            *rows,
        )

    def _stratum_areas(
        self, sample: PairSample, numbers: NDArray[np.int64], rng: np.random.Generator
    ) -> dict[str, float]:
        """Return the area of linked pairs against those of every stratum, and of all."""
        assert self.strata is not None  # noqa: S101 - asked for only where there are strata
        strata = self.strata
        if int(numbers.sum()) <= PAIRS_DRAWN:
            places = stratum_places(self.profiles, self.rule)
            found = {label: self._scores_of(*pairs) for label, pairs in places.items()}
            found = {label: scores for label, scores in found.items() if len(scores)}
            together = StratumScores(
                np.concatenate([scores.scores for scores in found.values()]),
                None
                if self.listed.prepared.sizes is None
                else np.concatenate([s.sizes for s in found.values() if s.sizes is not None]),
            )
            return {
                label: stratum_area(sample, scores)
                for label, scores in {ALL_STRATA: together, **found}.items()
            }
        areas, mean = {}, 0.0
        for k in np.flatnonzero(numbers).tolist():
            members = strata.used[strata.stratum[strata.used] == k]
            drawn = self._drawn_in(members, rng)
            area = stratum_area(sample, drawn) if len(drawn) else np.nan
            areas[strata.labels[k]] = area
            mean += area * float(numbers[k] / numbers.sum())
        return {ALL_STRATA: mean, **areas}

    def _drawn_in(self, members: Places, rng: np.random.Generator) -> StratumScores:
        """Return scores of pairs drawn from one stratum, or of all its pairs."""
        assert self.strata is not None  # noqa: S101 - asked for only where there are strata
        if len(members) * (len(members) - 1) // 2 <= _STRATUM_DRAWN:
            rows, columns = members[np.stack(np.triu_indices(len(members), k=1))]
            inside = self.strata.inside(rows, columns)
            return self._scores_of(rows[inside], columns[inside])
        found: list[NDArray[np.intp]] = []
        missing = _STRATUM_DRAWN
        # A stratum of which nearly all is one seizure has few pairs to be met by chance.
        for _ in range(_MOST_ROUNDS):
            if missing <= 0:
                break
            draws = rng.integers(0, len(members), size=(2, 2 * _STRATUM_DRAWN))
            pairs = members[draws[:, draws[0] != draws[1]]]
            pairs = pairs[:, self.strata.inside(*pairs)]
            pairs = pairs[:, ~np.isnan(self.listed.scores(*pairs))]
            found.append(pairs[:, :missing])
            missing -= found[-1].shape[1]
        return self._scores_of(*np.concatenate(found, axis=1))

    def _scores_of(self, rows: NDArray[np.integer], columns: NDArray[np.integer]) -> StratumScores:
        scores = self.listed.scores(rows, columns)
        there = ~np.isnan(scores)
        sizes = self.listed.sizes(rows[there], columns[there])
        return StratumScores(scores[there], sizes)


def _more_than(rate: float, m: int) -> int:
    """Return the least number of pairs that is a larger share of all than the rate."""
    needed = int(rate * m) + 1
    while needed > 1 and (needed - 1) / m > rate:
        needed -= 1
    while needed / m <= rate:
        needed += 1
    return needed


def _guess(distances: Floats, share_of_all: float) -> float:
    """Return a distance within which so many pairs probably are, from some drawn at random."""
    expected = share_of_all * len(distances)
    if expected >= _NEAR_RANKS[0]:
        # Five standard deviations more: one search suffices nearly always.
        rank = int(expected + 5.0 * np.sqrt(expected)) + 1
        return float(distances[min(rank, len(distances) - 1)])
    near, far = _ranked(distances)
    power = _power(near, far)
    return near * float((2.0 * max(expected, 1e-12) / _NEAR_RANKS[0]) ** (1.0 / power))


def _ranked(distances: Floats) -> tuple[float, float]:
    """Return the distances at two ranks, neither of them zero."""
    positive = distances[distances > 0.0]
    near, far = (float(positive[min(k, len(positive) - 1)]) for k in _NEAR_RANKS)
    return near, far


def _power(near: float, far: float) -> float:
    """Return how fast the number of pairs grows with their distance."""
    ratio = np.log(_NEAR_RANKS[1] / _NEAR_RANKS[0])
    return float(np.clip(ratio / max(np.log(far / near), 1e-3), 0.5, 60.0))


def _next(
    distances: Floats, too_near: float, n_near: float, too_far: float, needed: int, m: int
) -> float:
    """Return the next distance to try, beyond one within which there were too few pairs."""
    near, far = _ranked(distances)
    power = _power(near, far)
    if n_near > 0:
        guess = too_near * float((2.0 * needed / n_near) ** (1.0 / power))
    else:
        guess = too_near * float((2.0 * needed + 1.0) ** (1.0 / power))
    guess = max(guess, too_near * 1.02, float(distances[0]) * 1e-6)
    if n_near == 0 or guess > near * 4.0:
        guess = max(guess, too_near * 1.25)
    return guess if guess < too_far else (too_near + too_far) / 2.0
