"""`PairSample`: the scores of pairs whose source is known under a population rule."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, listed, warn
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.metrics import Metric
from drugsig.errors import CircularRuleWarning, DataWarning, PopulationError
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.truth import TRUE, agree, both, codes_of, evaluate, negate
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["PairSample", "pair_sample", "stratum_pairs"]

# Pairs looked at together; bounds the memory of the truth values of a rule.
_BLOCK_PAIRS = 4_000_000

_SEPARATOR = " / "

Places = NDArray[np.int32]

_ARRAYS = ("scores", "linked", "rows", "columns", "source_a", "source_b")


@dataclass(frozen=True, eq=False, repr=False)
class PairSample(FrozenArrays):
    """Scores of pairs that are known to share, or not to share, their source.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_pairs,)
        Defined scores only.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    rows, columns : ndarray of int32, shape (n_pairs,)
        The pair, as places in the profile set.
    source_a, source_b : ndarray of int32, shape (n_pairs,)
        The sources of the two profiles, as places in `sources`.
    sources : tuple of str
        The names of all sources in the sample; each is in at least one pair.
    rule : PopulationRule
        What linked and unlinked mean.
    metric : Metric
        What the scores mean.
    n_undecided : int
        Pairs that are neither linked nor unlinked under the rule, or for which that cannot be
        decided.
    n_undefined : int
        Pairs of known source that have no score.
    n_same_specimen : int
        Pairs of profiles of one specimen, which are never used.
    left_out : dict
        Profiles the rule leaves out, and why.
    specimen_known : bool
        Whether a column names the specimen; without one, two profiles of one specimen are not told
        apart from profiles of two.
    """

    scores: NDArray[np.float64]
    linked: NDArray[np.bool_]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    source_a: NDArray[np.int32]
    source_b: NDArray[np.int32]
    sources: tuple[str, ...]
    rule: PopulationRule
    metric: Metric
    n_undecided: int
    n_undefined: int
    n_same_specimen: int
    left_out: dict[str, str]
    specimen_known: bool = True

    def __len__(self) -> int:
        return len(self.scores)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PairSample):
            return NotImplemented
        return (
            self.rule == other.rule
            and self.metric == other.metric
            and self.sources == other.sources
            and self.left_out == other.left_out
            and (self.n_undecided, self.n_undefined, self.n_same_specimen)
            == (other.n_undecided, other.n_undefined, other.n_same_specimen)
            and all(np.array_equal(getattr(self, name), getattr(other, name)) for name in _ARRAYS)
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

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
        body = "".join(
            f"<tr><td>{kind}</td><td>{html.escape(str(what))}</td><td>{pairs}</td>"
            f"<td>{sources}</td></tr>"
            for kind, what, pairs, sources in rows
        )
        return (
            f"<table><caption>PairSample under rule '{html.escape(self.rule.name)}'</caption>"
            "<thead><tr>"
            "<th></th><th>known by</th><th>pairs</th><th>sources</th></tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )


def pair_sample(
    comparison: Comparison, profiles: ProfileSet, rule: PopulationRule, /
) -> PairSample:
    """Collect the scores of all pairs whose source is known under the rule.

    Parameters
    ----------
    comparison : Comparison
        Of the profiles with each other.
    profiles : ProfileSet
        The same profiles, with the metadata the rule looks at.
    rule : PopulationRule
        Which pairs are linked and which are unlinked.

    Returns
    -------
    PairSample
        Every pair of known source once; its order follows that of the profiles.

    Raises
    ------
    PopulationError
        If the comparison is not of these profiles, if a pair is both linked and unlinked, if the
        source contradicts the rule, or if there are no linked or no unlinked pairs.
    MetadataError
        If a column of the rule is missing.

    Warns
    -----
    CircularRuleWarning
        If the rule looks at a column derived from the profile itself.
    """
    rule.check(profiles)
    _refuse_other(comparison, profiles)
    codes = {c: codes_of(profiles, c) for c in rule.columns}
    specimen = _specimen_codes(profiles, rule)
    for text in rule.unmatched(profiles):
        warn(
            f"population rule '{rule.name}' leaves out {text}, but no profile has that text.",
            DataWarning,
        )
    left_out = rule.left_out(profiles)
    used = np.ones(len(profiles), dtype=bool)
    used[profiles.index_of(left_out)] = False
    source, names = _numbered(profiles, rule.source)
    found: list[tuple[NDArray[np.float64], NDArray[np.bool_], Places, Places]] = []
    undecided = same_specimen = undefined = 0
    for rows, columns in _blocks(np.flatnonzero(used)):
        copies = agree(specimen, rows, columns) == TRUE
        same_specimen += int(copies.sum())
        rows, columns = rows[~copies], columns[~copies]
        linked = evaluate(rule.linked, codes, rows, columns) == TRUE
        unlinked = evaluate(rule.unlinked, codes, rows, columns) == TRUE
        _refuse_contradiction(profiles, rule, rows, columns, linked & unlinked)
        known = (linked | unlinked) & (source[rows] >= 0) & (source[columns] >= 0)
        undecided += int((~known).sum())
        rows, columns, linked = rows[known], columns[known], linked[known]
        _refuse_wrong_source(profiles, rule, source, rows, columns, linked)
        scores = comparison.scores[rows, columns]
        defined = ~np.isnan(scores)
        undefined += int((~defined).sum())
        found.append(
            (
                scores[defined],
                linked[defined],
                rows[defined].astype(np.int32),
                columns[defined].astype(np.int32),
            )
        )
    scores = np.concatenate([f[0] for f in found] or [np.empty(0)])
    linked = np.concatenate([f[1] for f in found] or [np.empty(0, np.bool_)])
    first = np.concatenate([f[2] for f in found] or [np.empty(0, np.int32)])
    second = np.concatenate([f[3] for f in found] or [np.empty(0, np.int32)])
    del found
    source, names = _only_used(source, names, first, second)
    sample = PairSample(
        scores=scores,
        linked=linked,
        rows=first,
        columns=second,
        source_a=source[first],
        source_b=source[second],
        sources=names,
        rule=rule,
        metric=comparison.metric,
        n_undecided=undecided,
        n_undefined=undefined,
        n_same_specimen=same_specimen,
        left_out=left_out,
        specimen_known=rule.specimen_column(profiles) is not None,
    )
    _refuse_one_sided(sample, len(profiles))
    if rule.circular:
        warn(
            f"population rule '{rule.name}' uses {', '.join(rule.circular)}, derived from the "
            "profile itself: pairs are called unlinked because their profiles differ, so the "
            "rates are better than they would be in casework.",
            CircularRuleWarning,
        )
    return sample


def stratum_pairs(
    comparison: Comparison, profiles: ProfileSet, rule: PopulationRule, /
) -> dict[str, NDArray[np.float64]]:
    """Return scores of pairs of different seizures that agree in every stratum column.

    Their source is not known. They are the pairs a threshold is really asked about: of the same
    kind, from different seizures.

    Parameters
    ----------
    comparison : Comparison
        Of the profiles with each other.
    profiles : ProfileSet
        The same profiles.
    rule : PopulationRule
        Its strata, seizure, specimen and exclusions count; its conditions do not.

    Returns
    -------
    dict of str to ndarray of float64
        Defined scores by stratum, its texts joined by " / ". Empty without stratum columns.
    """
    if not rule.strata:
        return {}
    rule.check(profiles)
    _refuse_other(comparison, profiles)
    codes = {c: codes_of(profiles, c) for c in (*rule.strata, rule.seizure)}
    stratum, labels = _numbered(profiles, rule.strata)
    used = np.ones(len(profiles), dtype=bool)
    used[profiles.index_of(rule.left_out(profiles))] = False
    specimen = _specimen_codes(profiles, rule)
    found: list[tuple[NDArray[np.float64], NDArray[np.int32]]] = []
    for rows, columns in _blocks(np.flatnonzero(used)):
        truth = negate(agree(codes[rule.seizure], rows, columns))
        for column in rule.strata:
            truth = both(truth, agree(codes[column], rows, columns))
        keep = (truth == TRUE) & (agree(specimen, rows, columns) != TRUE)
        rows, columns = rows[keep], columns[keep]
        scores = comparison.scores[rows, columns]
        defined = ~np.isnan(scores)
        found.append((scores[defined], stratum[rows[defined]]))
    scores = np.concatenate([f[0] for f in found] or [np.empty(0)])
    numbers = np.concatenate([f[1] for f in found] or [np.empty(0, np.int32)])
    order = np.argsort(numbers, kind="stable")
    present, starts = np.unique(numbers[order], return_index=True)
    parts = np.split(scores[order], starts[1:])
    out = {labels[k]: part for k, part in zip(present, parts, strict=False)}
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


def _specimen_codes(profiles: ProfileSet, rule: PopulationRule) -> NDArray[np.intp]:
    column = rule.specimen_column(profiles)
    if column is not None:
        return codes_of(profiles, column)
    return np.full(len(profiles), -1, dtype=np.intp)


def _numbered(profiles: ProfileSet, columns: Sequence[str]) -> tuple[Places, tuple[str, ...]]:
    """Number the texts that columns hold together, -1 where one is empty, and name them."""
    number: dict[tuple[str | None, ...], int] = {}
    out = np.full(len(profiles), -1, dtype=np.int32)
    for row, texts in enumerate(zip(*(profiles.column(c) for c in columns), strict=True)):
        if None not in texts:
            out[row] = number.setdefault(texts, len(number))
    names = [_SEPARATOR.join(map(str, texts)) for texts in number]
    if len(set(names)) < len(names):
        # A text that holds the separator itself would make two of them look like one.
        names = [_SEPARATOR.join(map(repr, texts)) for texts in number]
    return out, tuple(names)


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


def _refuse_one_sided(sample: PairSample, n_profiles: int) -> None:
    if sample.n_linked and sample.n_unlinked:
        return
    rule = sample.rule
    lacking = "linked" if not sample.n_linked else "unlinked"
    condition = rule.linked if lacking == "linked" else rule.unlinked
    raise PopulationError(
        f"population rule '{rule.name}' finds no {lacking} pair ({condition}) among {n_profiles} "
        f"profiles: {sample.n_undecided} pair(s) are undecided, {sample.n_same_specimen} are two "
        f"profiles of one specimen, {sample.n_undefined} have no score, {len(sample.left_out)} "
        "profile(s) are left out. A threshold cannot be learned; "
        "give one instead, and it is reported as not validated."
    )
