"""Finding the pairs whose source is known under a population rule, and their scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from drugsig._check import listed
from drugsig._notes import Note, emit
from drugsig.comparison.comparison import Comparison
from drugsig.errors import PopulationError
from drugsig.evidence.conditions import FALSE, TRUE, agree, both, codes_of, evaluate, negate
from drugsig.evidence.pair_samples import LabelledPairs, PairSample, Places
from drugsig.evidence.populations import PopulationRule, circular_notes, get_rule, label_notes
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "LabelledPairs",
    "PairSample",
    "find_pairs",
    "known_pairs",
    "pair_sample",
    "sampled",
    "stratum_pairs",
    "stratum_places",
]

# Pairs looked at together; bounds the memory of the truth values of a rule.
_BLOCK_PAIRS = 4_000_000

_SEPARATOR = " / "

# Places of the two profiles of every pair.
PairPlaces = tuple[Places, Places]


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
    rule = get_rule(rule)
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
    source, names = _numbered(profiles, rule.source)
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
    rule = get_rule(rule)
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
    )
    return sample, (*label_notes(rule, profiles), *circular_notes(rule))


def stratum_pairs(
    comparison: Comparison, profiles: ProfileSet, rule: PopulationRule | str, /
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
    rule : PopulationRule or str
        Its strata, seizure, specimen and exclusions count; its conditions do not.

    Returns
    -------
    dict of str to ndarray of float64
        Defined scores by stratum, its texts joined by " / ". Empty without stratum columns.
    """
    rule = get_rule(rule)
    if not rule.strata:
        return {}
    rule.check(profiles)
    _refuse_other(comparison, profiles)
    places = stratum_places(profiles, rule)
    out = {}
    for label, (rows, columns) in places.items():
        scores = comparison.scores[rows, columns]
        defined = scores[~np.isnan(scores)]
        if len(defined):
            out[label] = defined
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
    stratum, labels = _numbered(profiles, rule.strata)
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


def _numbered(profiles: ProfileSet, columns: Sequence[str]) -> tuple[Places, tuple[str, ...]]:
    """Number the texts that columns hold together by name, -1 where one is empty."""
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
