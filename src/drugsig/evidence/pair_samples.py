"""`LabelledPairs`: pairs of known source; `PairSample`: the same with a score each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import FrozenArrays, freeze
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.comparison.metrics import Metric
from drugsig.comparison.ties import merge_ties
from drugsig.errors import InputError, PopulationError
from drugsig.evidence.populations import PopulationRule

__all__ = ["LabelledPairs", "PairSample", "Places", "checked_weights", "pairs_of_sources"]

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
        metric: Metric,
        sizes: NDArray[np.float64] | None = None,
    ) -> PairSample:
        """Put scores to the pairs; pairs without a score are left out and counted.

        Parameters
        ----------
        scores : ndarray of float64, shape (n_pairs,)
            One a pair, NaN where undefined.
        metric : Metric
            What the scores mean.
        sizes : ndarray of float64, shape (n_pairs,), optional
            As in `PairSample`.

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
            metric=metric,
            sizes=sizes,
        )
        sample.refuse_one_sided(
            "A threshold cannot be learned; give one instead, and it is reported as not validated."
        )
        return sample

    def refuse_one_sided(self, next_step: str, /) -> None:
        """Refuse pairs of one kind alone.

        Parameters
        ----------
        next_step : str
            What cannot be done so, and what to do.

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
        raise PopulationError(
            f"population rule '{rule.name}' finds no {lacking} pair ({condition}) among "
            f"{len(self.source)} profiles: {self.n_undecided} pair(s) are undecided, "
            f"{self.n_same_specimen} are two profiles of one specimen, {undefined}"
            f"{len(self.left_out)} profile(s) are left out{series}. {next_step}"
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

    Notes
    -----
    All else is as in `LabelledPairs`; every source is in at least one pair.
    """

    rule: PopulationRule
    n_undefined: int = 0
    scores: NDArray[np.float64]
    metric: Metric
    sizes: NDArray[np.float64] | None = None

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
