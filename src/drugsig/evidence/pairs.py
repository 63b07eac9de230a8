"""Pairs of profiles of known source: `LabelledPairs`, `PairSample`, and what finds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import FrozenArrays, freeze, listed
from drugsig._notes import Note, emit
from drugsig._repr import html_table
from drugsig.comparison.comparability import Treatment
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.comparison.ties import merge_ties
from drugsig.errors import InputError, PopulationError
from drugsig.evidence.conditions import FALSE, TRUE, agree, both, codes_of, evaluate, negate
from drugsig.evidence.populations import PopulationRule, circular_notes, get_rule, label_notes
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "LabelledPairs",
    "PairSample",
    "Places",
    "StratumScores",
    "checked_weights",
    "find_pairs",
    "known_pairs",
    "numbered_texts",
    "pair_sample",
    "pairs_of_sources",
    "sampled",
    "stratum_pairs",
    "stratum_places",
    "why_unscored",
]

Places = NDArray[np.integer]

_ARRAYS = ("scores", "linked", "first", "second", "source_a", "source_b")
_COUNTS = (
    "n_undecided",
    "n_undefined",
    "n_same_specimen",
    "n_same_sequence",
    "specimen_known",
    "sequences_differ",
)

# Pairs looked at together; bounds the memory of the truth values of a rule.
_BLOCK_PAIRS = 4_000_000
_SEPARATOR = " / "

# Places of the two profiles of every pair.
PairPlaces = tuple[Places, Places]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LabelledPairs(FrozenArrays):
    """Pairs that are known to share, or not to share, their source.

    Attributes
    ----------
    first, second : ndarray of int, shape (n_pairs,)
        The two sides of every pair, as places of profiles, items, or of the sources themselves.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    source : ndarray of int, shape (n_places,)
        The source of every place, as a place in `sources`; -1 where it is not known.
    sources : tuple of str
        The names of the sources, sorted as text by code points; handed in as numbers, by number.
    rule : PopulationRule or None
        What linked and unlinked mean; None where the sources were handed in.
    n_undecided : int
        Pairs that are neither linked nor unlinked under the rule, or for which that cannot be
        decided.
    n_undefined : int or None
        Pairs of known source that have no score; None before there are scores.
    n_same_specimen : int
        Pairs of profiles of one specimen, which are never used.
    n_same_sequence : int
        Linked pairs left out because they are of one sequence, or may be.
    left_out : dict
        Profiles the rule leaves out, and why.
    specimen_known : bool
        Whether a column names the specimen; without one, two profiles of one specimen are not told
        apart from profiles of two.
    sequences_differ : bool
        Whether every linked pair is known to come from two sequences; otherwise the variation
        within a source is partly that within one series, and looks smaller than in casework.
    notes : tuple of Note
        What a reader must know of the pairs.
    """

    first: Places
    second: Places
    linked: NDArray[np.bool_]
    source: Places
    sources: tuple[str, ...]
    rule: PopulationRule | None = None
    n_undecided: int = 0
    n_undefined: int | None = None
    n_same_specimen: int = 0
    n_same_sequence: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    specimen_known: bool = True
    sequences_differ: bool = True
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def source_a(self) -> Places:
        """The source of the first side of every pair, shape (n_pairs,)."""
        out = self.source[self.first]
        out.flags.writeable = False
        return out

    @cached_property
    def source_b(self) -> Places:
        """The source of the second side of every pair, shape (n_pairs,)."""
        out = self.source[self.second]
        out.flags.writeable = False
        return out

    @property
    def n_linked(self) -> int:
        """How many linked pairs there are."""
        return int(self.linked.sum())

    @property
    def n_unlinked(self) -> int:
        """How many unlinked pairs there are."""
        return len(self) - self.n_linked

    @property
    def n_linked_sources(self) -> int:
        """How many sources the linked pairs come from."""
        return len(np.unique(self.source_a[self.linked]))

    @property
    def n_unlinked_sources(self) -> int:
        """How many sources the unlinked pairs come from."""
        apart = ~self.linked
        return len(np.union1d(self.source_a[apart], self.source_b[apart]))

    def scored(
        self,
        scores: NDArray[np.float64],
        /,
        *,
        metric: Metric | str,
        sizes: NDArray[np.float64] | None = None,
        treatment: Treatment | None = None,
        profiles: ProfileSet | None = None,
    ) -> PairSample:
        """Put scores to the pairs; pairs without a score are left out and counted.

        Parameters
        ----------
        scores : ndarray of float64, shape (n_pairs,)
            One a pair, NaN where undefined.
        metric : Metric or str
            What the scores mean.
        sizes : ndarray of float64, shape (n_pairs,), optional
            As in `PairSample`.
        treatment : Treatment, optional
            As in `PairSample`.
        profiles : ProfileSet, optional
            What was scored, so that a refusal can say why pairs have no score.

        Raises
        ------
        PopulationError
            If there are no linked or no unlinked pairs with a score.
        """
        assert self.rule is not None  # noqa: S101 - a sample is that of a rule
        defined = ~np.isnan(scores)
        linked, first, second = self.linked, self.first, self.second
        if not defined.all():
            scores, linked = scores[defined], linked[defined]
            first, second = first[defined], second[defined]
            sizes = None if sizes is None else sizes[defined]
        source, sources = _only_used(self.source, self.sources, first, second)
        sample = PairSample(
            first=first,
            second=second,
            linked=linked,
            source=source,
            sources=sources,
            rule=self.rule,
            n_undecided=self.n_undecided,
            n_undefined=len(self) - int(defined.sum()),
            n_same_specimen=self.n_same_specimen,
            n_same_sequence=self.n_same_sequence,
            left_out=self.left_out,
            specimen_known=self.specimen_known,
            sequences_differ=self.sequences_differ,
            scores=scores,
            metric=get_metric(metric),
            sizes=sizes,
            treatment=treatment,
        )
        unscored = ""
        if profiles is not None and self.n_linked and self.n_unlinked:
            unscored = why_unscored(profiles, sample.metric)
        sample.refuse_one_sided(
            "A threshold cannot be learned; give one instead, and it is reported as not validated.",
            unscored=unscored,
        )
        return sample

    def refuse_one_sided(self, next_step: str, /, *, unscored: str = "") -> None:
        """Refuse pairs of one kind alone.

        Parameters
        ----------
        next_step : str
            What cannot be done so, and what to do.
        unscored : str
            Why pairs have no score, see `why_unscored`, where the rule found pairs of both kinds:
            it is not to blame then.

        Raises
        ------
        PopulationError
            If there is no linked or no unlinked pair; the message says where the pairs went.
        """
        if self.n_linked and self.n_unlinked:
            return
        assert self.rule is not None  # noqa: S101 - pairs of a rule are refused so
        rule = self.rule
        lacking, condition = (
            ("unlinked", rule.unlinked) if self.n_linked else ("linked", rule.linked)
        )
        undefined = "" if self.n_undefined is None else f"{self.n_undefined} have no score, "
        series = (
            f", and {self.n_same_sequence} linked pair(s) are of one sequence, or may be "
            "(same_sequence = true in the rule allows them; they make linked pairs look more alike "
            "than in casework)"
            if self.n_same_sequence
            else ""
        )
        found = f"no {lacking} pair with a score" if unscored else f"no {lacking} pair"
        reason = f" {unscored}" if unscored else ""
        raise PopulationError(
            f"population rule '{rule.name}' finds {found} ({condition}) among "
            f"{len(self.source)} profiles: {self.n_undecided} pair(s) are undecided, "
            f"{self.n_same_specimen} are two profiles of one specimen, {undefined}"
            f"{len(self.left_out)} profile(s) are left out{series}.{reason} {next_step}"
        )

    def __repr__(self) -> str:
        rule = "" if self.rule is None else f" '{self.rule.name}'"
        return (
            f"<{type(self).__name__}{rule}: {self.n_linked} linked pairs from "
            f"{self.n_linked_sources} sources, {self.n_unlinked} unlinked pairs from "
            f"{self.n_unlinked_sources} sources>"
        )


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PairSample(LabelledPairs):
    """Scores of pairs that are known to share, or not to share, their source under a rule.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_pairs,)
        Defined scores only.
    metric : Metric
        What the scores mean.
    rule : PopulationRule
        What linked and unlinked mean.
    n_undefined : int
        Pairs of known source that have no score.
    sizes : ndarray of float64, shape (n_pairs,), or None
        What the slack of a score is a share of, see `drugsig.comparison.Metric.slack`; None for a
        metric with a finite range.
    treatment : Treatment or None
        The targets and the pretreatment that the scores are of; None where they come from
        elsewhere.

    Notes
    -----
    All else is as in `LabelledPairs`; every source is in at least one pair.
    """

    rule: PopulationRule
    n_undefined: int = 0
    scores: NDArray[np.float64]
    metric: Metric
    sizes: NDArray[np.float64] | None = None
    treatment: Treatment | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PairSample):
            return NotImplemented
        return (
            self.rule == other.rule
            and self.metric == other.metric
            and self.sources == other.sources
            and self.left_out == other.left_out
            and all(getattr(self, name) == getattr(other, name) for name in _COUNTS)
            and all(np.array_equal(getattr(self, name), getattr(other, name)) for name in _ARRAYS)
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    @cached_property
    def tied_scores(self) -> NDArray[np.float64]:
        """The scores to be put in order: those that rounding alone tells apart are one number.

        Each is the least alike of its class. Where the range of the metric is the size of all,
        orders and counts see to that themselves, and these are the scores.
        """
        if self.sizes is None:
            return self.scores
        return freeze(merge_ties(self.scores, metric=self.metric, sizes=self.sizes))

    def meets(self, threshold: float, /) -> NDArray[np.bool_]:
        """Return which pairs are links at a threshold."""
        return self.metric.meets(self.scores, threshold, self.sizes)

    @property
    def tied_sides(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same of linked, and of unlinked pairs."""
        return self.tied_scores[self.linked], self.tied_scores[~self.linked]

    @property
    def linked_scores(self) -> NDArray[np.float64]:
        """Scores of linked pairs."""
        return self.scores[self.linked]

    @property
    def unlinked_scores(self) -> NDArray[np.float64]:
        """Scores of unlinked pairs."""
        return self.scores[~self.linked]

    def __repr__(self) -> str:
        return (
            f"<PairSample '{self.rule.name}': {self.n_linked} linked pairs from "
            f"{self.n_linked_sources} sources, {self.n_unlinked} unlinked pairs from "
            f"{self.n_unlinked_sources} sources, by {self.metric.name}>"
        )

    def _repr_html_(self) -> str:
        rows = (
            ("linked", self.rule.linked, self.n_linked, self.n_linked_sources),
            ("unlinked", self.rule.unlinked, self.n_unlinked, self.n_unlinked_sources),
        )
        head = ("", "known by", "pairs", "sources")
        return html_table(rows, head=head, caption=f"PairSample under rule '{self.rule.name}'")


def pairs_of_sources(
    linked: NDArray[np.bool_], source_a: ArrayLike, source_b: ArrayLike, /
) -> LabelledPairs:
    """Return labelled pairs whose sources are handed in; their places are the sources themselves.

    Parameters
    ----------
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source.
    source_a, source_b : array_like, shape (n_pairs,)
        The sources of both profiles: names or numbers.

    Raises
    ------
    InputError
        If there is not one source a profile, or the sources contradict `linked`.
    """
    first, second = np.asarray(source_a), np.asarray(source_b)
    for name, array in (("source_a", first), ("source_b", second)):
        if array.shape != linked.shape:
            raise InputError(
                f"{name} must name one source a pair, {len(linked)} in all, got an array of shape "
                f"{array.shape}"
            )
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise InputError(f"{name} holds NaN: the source of every pair must be known")
    if (first.dtype.kind in "iufb") != (second.dtype.kind in "iufb"):
        raise InputError(
            f"source_a holds {first.dtype} and source_b {second.dtype}: name sources in both by "
            "text, or in both by number"
        )
    try:
        names, numbers = np.unique(np.concatenate([first, second]), return_inverse=True)
    except TypeError as error:
        raise InputError(
            "source_a and source_b hold things that cannot be ordered, such as a missing value "
            "among text: the source of every pair must be known"
        ) from error
    a, b = numbers[: len(linked)].astype(np.intp), numbers[len(linked) :].astype(np.intp)
    wrong = linked != (a == b)
    if wrong.any():
        k = int(np.argmax(wrong))
        kind, relation = ("linked", "different") if linked[k] else ("unlinked", "the same")
        raise InputError(
            f"{int(wrong.sum())} pair(s) contradict their sources, the first at place {k}: it is "
            f"called {kind}, but its sources, '{first[k]}' and '{second[k]}', are {relation}. "
            "Linked means of one source."
        )
    return LabelledPairs(
        first=a,
        second=b,
        linked=linked.copy(),
        source=np.arange(len(names)),
        sources=tuple(map(str, names)),
    )


def checked_weights(weights: ArrayLike | None, linked: NDArray[np.bool_], /) -> NDArray[np.float64]:
    """Return how often each pair counts: as given, or once each.

    Parameters
    ----------
    weights : array_like of float, shape (n_pairs,), or None
        From 0.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source; of both kinds a pair must count.

    Raises
    ------
    InputError
        If there is not one number a pair, if one is negative or not finite, or if no linked or no
        unlinked pair counts.
    """
    raw = np.ones(len(linked)) if weights is None else np.asarray(weights)
    if raw.dtype.kind not in "fiub" or raw.shape != linked.shape:
        raise InputError(
            f"weights must have one entry a pair, {len(linked)} numbers, got {raw.dtype} with "
            f"shape {raw.shape}"
        )
    counted = np.array(raw, dtype=np.float64)
    if not np.isfinite(counted).all() or (counted < 0).any():
        raise InputError(
            "weights must be finite and at least 0: they say how often each pair counts"
        )
    n_linked, n_unlinked = int((counted[linked] > 0).sum()), int((counted[~linked] > 0).sum())
    if not n_linked or not n_unlinked:
        lacking = "unlinked" if n_linked else "linked"
        raise InputError(
            f"there are {n_linked} linked and {n_unlinked} unlinked pairs that count: without "
            f"{lacking} pairs a likelihood ratio can be neither fitted nor judged. Look at the "
            "weights, at the population rule, or for fewer folds."
        )
    return counted


def _only_used(
    source: Places, names: tuple[str, ...], first: Places, second: Places
) -> tuple[Places, tuple[str, ...]]:
    """Number the sources anew, those without a pair left out: they must not be resampled."""
    seen = np.zeros(len(names) + 1, dtype=bool)
    seen[source[first]] = seen[source[second]] = True
    kept = np.flatnonzero(seen[:-1])
    new = np.full(len(names) + 1, -1, dtype=np.int32)
    new[kept] = np.arange(len(kept), dtype=np.int32)
    return new[source], tuple(names[k] for k in kept)


def known_pairs(profiles: ProfileSet, rule: PopulationRule | str, /) -> LabelledPairs:
    """Find the pairs whose source is known under a rule; no score is needed for that.

    Parameters
    ----------
    profiles : ProfileSet
        With the metadata the rule looks at.
    rule : PopulationRule or str
        Which pairs are linked and which are unlinked.

    Returns
    -------
    LabelledPairs
        Every pair of known source once, in the order of the ids of its profiles, and the sources
        in the order of their names: neither hangs on the order of the profiles.

    Raises
    ------
    PopulationError
        If a pair is both linked and unlinked, or the source contradicts the rule.
    MetadataError
        If a column of the rule is missing.

    Warns
    -----
    DataWarning
        If the rule leaves out a text that no profile has.
    """
    rule = get_rule(rule, profiles)
    found = find_pairs(profiles, rule)
    emit(label_notes(rule, profiles))
    return found


def find_pairs(profiles: ProfileSet, rule: PopulationRule, /) -> LabelledPairs:
    """Find pairs as `known_pairs` does, and leave to the caller what `label_notes` says.

    Parameters
    ----------
    profiles, rule
        As in `known_pairs`.
    """
    rule.check(profiles)
    codes = {c: codes_of(profiles, c) for c in rule.columns}
    specimen = _codes_or_none(profiles, rule.specimen_column(profiles))
    sequence = None if rule.same_sequence else rule.sequence_column(profiles)
    series = _codes_or_none(profiles, sequence)
    # What is nearly a text that occurs is refused.
    rule.unmatched(profiles)
    left_out = rule.left_out(profiles)
    used = np.ones(len(profiles), dtype=bool)
    used[profiles.index_of(left_out)] = False
    source, names = numbered_texts(profiles, rule.source)
    found: list[tuple[NDArray[np.bool_], Places, Places]] = []
    undecided = same_specimen = same_sequence = 0
    for rows, columns in _blocks(profiles.id_order[used[profiles.id_order]]):
        copies = agree(specimen, rows, columns) == TRUE
        same_specimen += int(copies.sum())
        rows, columns = rows[~copies], columns[~copies]
        linked = evaluate(rule.linked, codes, rows, columns) == TRUE
        unlinked = evaluate(rule.unlinked, codes, rows, columns) == TRUE
        _refuse_contradiction(profiles, rule, rows, columns, linked & unlinked)
        known = (linked | unlinked) & (source[rows] >= 0) & (source[columns] >= 0)
        undecided += int((~known).sum())
        if sequence is not None:
            # A cell without a sequence leaves open whether the pair was measured in one series.
            together = known & linked & (agree(series, rows, columns) != FALSE)
            same_sequence += int(together.sum())
            known &= ~together
        rows, columns, linked = rows[known], columns[known], linked[known]
        _refuse_wrong_source(profiles, rule, source, rows, columns, linked)
        found.append((linked, rows.astype(np.int32), columns.astype(np.int32)))
    return LabelledPairs(
        linked=np.concatenate([f[0] for f in found] or [np.empty(0, np.bool_)]),
        first=np.concatenate([f[1] for f in found] or [np.empty(0, np.int32)]),
        second=np.concatenate([f[2] for f in found] or [np.empty(0, np.int32)]),
        source=source,
        sources=names,
        rule=rule,
        n_undecided=undecided,
        n_same_specimen=same_specimen,
        n_same_sequence=same_sequence,
        left_out=left_out,
        specimen_known=rule.specimen_column(profiles) is not None,
        sequences_differ=sequence is not None,
    )


def pair_sample(
    comparison: Comparison, profiles: ProfileSet, rule: PopulationRule | str, /
) -> PairSample:
    """Collect the scores of all pairs whose source is known under the rule.

    Parameters
    ----------
    comparison : Comparison
        Of the profiles with each other.
    profiles : ProfileSet
        The same profiles, with the metadata the rule looks at.
    rule : PopulationRule or str
        Which pairs are linked and which are unlinked. Where a column names the sequence of a
        profile, linked pairs come from different sequences, unless the rule says otherwise.

    Returns
    -------
    PairSample
        Every pair of known source once, in the order of the ids of its profiles, and the sources
        in the order of their names.

    Raises
    ------
    PopulationError
        If the comparison is not of these profiles, if a pair is both linked and unlinked, if the
        source contradicts the rule, or if there are no linked or no unlinked pairs.
    MetadataError
        If a column of the rule is missing.

    Warns
    -----
    DataWarning
        If the rule leaves out a text that no profile has.
    CircularRuleWarning
        If the rule looks at a column derived from the profile itself.
    """
    rule = get_rule(rule, profiles)
    sample, notes = sampled(comparison, profiles, rule)
    emit(notes)
    return sample


def sampled(
    comparison: Comparison, profiles: ProfileSet, rule: PopulationRule, /
) -> tuple[PairSample, tuple[Note, ...]]:
    """Collect scores as `pair_sample` does, and return what must be said instead of warning.

    Parameters
    ----------
    comparison, profiles, rule
        As in `pair_sample`.

    Returns
    -------
    sample : PairSample
        The scores.
    notes : tuple of Note
        On the rule.
    """
    rule.check(profiles)
    _refuse_other(comparison, profiles)
    known = find_pairs(profiles, rule)
    sample = known.scored(
        comparison.scores[known.first, known.second],
        metric=comparison.metric,
        sizes=comparison.sizes(known.first, known.second),
        treatment=comparison.treatment,
        profiles=profiles,
    )
    return sample, (*label_notes(rule, profiles), *circular_notes(rule))


def why_unscored(profiles: ProfileSet, metric: Metric, /) -> str:
    """Say why pairs of profiles have no score by a metric.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated.
    metric : Metric
        How they were scored.

    Returns
    -------
    str
        A sentence. Measured values that the metric cannot use, such as zeros where it takes
        logarithms, are counted and their targets named.
    """
    cells = np.where(profiles.measured, profiles.values, np.nan).T.copy()
    prepared = metric.kernel.prepare(cells)
    lost = np.isnan(prepared) & profiles.measured.T
    if not lost.any():
        return (
            f"By metric '{metric.name}' pairs have no score if too few targets were measured in "
            f"both. Of zeros: {metric.zero_rule}."
        )
    targets = [profiles.target_names[k] for k in np.flatnonzero(lost.any(axis=1))]
    return (
        f"{int(lost.any(axis=0).sum())} of {len(profiles)} profiles hold a value that metric "
        f"'{metric.name}' cannot use, in {listed(targets)}. The score is {metric.zero_rule}."
    )


@dataclass(frozen=True, eq=False)
class StratumScores:
    """Scores of the pairs of one stratum; their source is not known.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_pairs,)
        Defined scores only.
    sizes : ndarray of float64, shape (n_pairs,), or None
        As in `PairSample`.
    """

    scores: NDArray[np.float64]
    sizes: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.scores)


def stratum_pairs(
    comparison: Comparison, profiles: ProfileSet, rule: PopulationRule | str, /
) -> dict[str, StratumScores]:
    """Return scores of pairs of different seizures that agree in every stratum column.

    Their source is not known. They are the pairs a threshold is really asked about: of the same
    kind, from different seizures.

    Parameters
    ----------
    comparison : Comparison
        Of the profiles with each other.
    profiles : ProfileSet
        The same profiles.
    rule : PopulationRule or str
        Its strata, seizure, specimen and exclusions count; its conditions do not.

    Returns
    -------
    dict of str to StratumScores
        By stratum, its texts joined by " / ". Empty without stratum columns.
    """
    rule = get_rule(rule, profiles)
    if not rule.strata:
        return {}
    rule.check(profiles)
    _refuse_other(comparison, profiles)
    places = stratum_places(profiles, rule)
    out = {}
    for label, (rows, columns) in places.items():
        scores = comparison.scores[rows, columns]
        defined = ~np.isnan(scores)
        if defined.any():
            sizes = comparison.sizes(rows[defined], columns[defined])
            out[label] = StratumScores(scores[defined], sizes)
    return out


def stratum_places(profiles: ProfileSet, rule: PopulationRule, /) -> dict[str, PairPlaces]:
    """Return the pairs of different seizures that agree in every stratum column.

    Parameters
    ----------
    profiles : ProfileSet
        With the metadata the rule looks at.
    rule : PopulationRule
        As in `stratum_pairs`.

    Returns
    -------
    dict of str to (rows, columns)
        Places of the profiles of each pair, by stratum, sorted by its name. Empty without stratum
        columns.
    """
    if not rule.strata:
        return {}
    codes = {c: codes_of(profiles, c) for c in (*rule.strata, rule.seizure)}
    stratum, labels = numbered_texts(profiles, rule.strata)
    used = np.ones(len(profiles), dtype=bool)
    used[profiles.index_of(rule.left_out(profiles))] = False
    specimen = _codes_or_none(profiles, rule.specimen_column(profiles))
    found: list[tuple[Places, Places]] = []
    for rows, columns in _blocks(profiles.id_order[used[profiles.id_order]]):
        truth = negate(agree(codes[rule.seizure], rows, columns))
        for column in rule.strata:
            truth = both(truth, agree(codes[column], rows, columns))
        keep = (truth == TRUE) & (agree(specimen, rows, columns) != TRUE)
        found.append((rows[keep].astype(np.int32), columns[keep].astype(np.int32)))
    first = np.concatenate([f[0] for f in found] or [np.empty(0, np.int32)])
    second = np.concatenate([f[1] for f in found] or [np.empty(0, np.int32)])
    numbers = stratum[first]
    order = np.argsort(numbers, kind="stable")
    present, starts = np.unique(numbers[order], return_index=True)
    parts = np.split(order, starts[1:])
    out = {labels[k]: (first[part], second[part]) for k, part in zip(present, parts, strict=False)}
    return dict(sorted(out.items()))


def _blocks(
    places: NDArray[np.intp],
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield all pairs of places, each once, in blocks of bounded size."""
    n = len(places)
    step = max(1, _BLOCK_PAIRS // max(1, n))
    for top in range(0, n, step):
        first = np.arange(top, min(top + step, n))
        counts = n - 1 - first
        rows = np.repeat(first, counts)
        offsets = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        columns = rows + 1 + offsets
        yield places[rows], places[columns]


def _codes_or_none(profiles: ProfileSet, column: str | None) -> NDArray[np.intp]:
    """Return the codes of a column, -1 throughout where there is none."""
    if column is not None:
        return codes_of(profiles, column)
    return np.full(len(profiles), -1, dtype=np.intp)


def numbered_texts(
    profiles: ProfileSet, columns: Sequence[str], /
) -> tuple[Places, tuple[str, ...]]:
    """Number the texts that columns hold together by name, -1 where one is empty.

    Parameters
    ----------
    profiles : ProfileSet
        With these columns.
    columns : sequence of str
        The columns that together name something, as a source.

    Returns
    -------
    number : ndarray of int, shape (n_profiles,)
        A place in `names` each.
    names : tuple of str
        Sorted as text.
    """
    codes = np.stack([codes_of(profiles, c) for c in columns], axis=1)
    out = np.full(len(profiles), -1, dtype=np.int32)
    rows = np.flatnonzero((codes >= 0).all(axis=1))
    _, first, inverse = np.unique(codes[rows], axis=0, return_index=True, return_inverse=True)
    table = profiles.profiles.iloc[rows[first]]
    number = list(zip(*(map(str, table[c]) for c in columns), strict=True))
    names = [_SEPARATOR.join(texts) for texts in number]
    if len(set(names)) < len(names):
        # A text that holds the separator itself would make two of them look like one.
        names = [_SEPARATOR.join(map(repr, texts)) for texts in number]
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    out[rows] = rank[inverse.reshape(-1)]
    return out, tuple(names[k] for k in order)


def _refuse_other(comparison: Comparison, profiles: ProfileSet) -> None:
    if not comparison.symmetric or comparison.row_ids != profiles.ids:
        raise PopulationError(
            "the comparison is not of these profiles with each other. Compare them first: "
            "drugsig.compare(profiles, metric=...)."
        )


def _refuse_contradiction(
    profiles: ProfileSet,
    rule: PopulationRule,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    wrong: NDArray[np.bool_],
) -> None:
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        raise PopulationError(
            f"population rule '{rule.name}' makes {int(wrong.sum())} pair(s) both linked and "
            f"unlinked, the first '{profiles.ids[rows[k]]}' and '{profiles.ids[columns[k]]}'. "
            f"Linked means {rule.linked}; unlinked means {rule.unlinked}: they must exclude each "
            "other."
        )


def _refuse_wrong_source(
    profiles: ProfileSet,
    rule: PopulationRule,
    source: Places,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    linked: NDArray[np.bool_],
) -> None:
    wrong = linked != (source[rows] == source[columns])
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        kind, relation = ("linked", "different") if linked[k] else ("unlinked", "the same")
        raise PopulationError(
            f"population rule '{rule.name}' contradicts itself: the {kind} pair "
            f"'{profiles.ids[rows[k]]}' and '{profiles.ids[columns[k]]}' has {relation} text in "
            f"the source column(s) {listed(rule.source)} ({int(wrong.sum())} such pair(s)). "
            "Source must be what linked pairs share and unlinked pairs do not."
        )
