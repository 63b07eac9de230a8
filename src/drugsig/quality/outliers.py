"""Values far from the others of their source: named, with the rule that named them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, choose, is_whole, listed, refuse_single_text
from drugsig._notes import Note, emit
from drugsig._repr import html_table
from drugsig.errors import DrugsigWarning, InputError, SmallSampleWarning
from drugsig.profiles.labels import known_texts, not_known_notes
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status, is_censored

__all__ = [
    "FEW_REPLICATES",
    "SCALES",
    "WITHIN_ONE_SD",
    "FewReplicates",
    "OutlierFinding",
    "OutlierFindings",
    "TargetSpread",
    "ValueScores",
    "find_outliers",
    "found_outliers",
    "pooled_spread",
    "recording_steps",
    "score_values",
    "variance_of_median",
]

Floats = NDArray[np.float64]


Integers = NDArray[np.int64]

# The share of normal values within one standard deviation.
WITHIN_ONE_SD = 0.6826894921

# The median absolute deviation of normal values is 1 / 1.4826 standard deviations.
_MAD_TO_SD = 1.4826

# The variance of the median of 1 to 10 standard normal values, by integration over the density of
# the order statistics; a test integrates again.
_MEDIAN_VARIANCES = (1.0, 0.5, 0.4487, 0.2982, 0.2868, 0.2147, 0.2104, 0.1682, 0.1661, 0.1383)

# Values compared with all others of their source are taken in blocks of about so many numbers.
_BLOCK = 2_000_000


@dataclass(frozen=True, eq=False)
class ValueScores(FrozenArrays):
    """How far every value lies from the others of its source.

    Parameters
    ----------
    score : ndarray, shape (n,)
        In units of `spread`, with the uncertainty of the others' median; 0 where a value has no
        others.
    median_of_others : ndarray, shape (n,)
        NaN where there are none.
    spread : ndarray, shape (n,)
        What one value differs from the middle of its source by; NaN where there are no others.
    pooled : ndarray, shape (n,)
        The part of it that comes from the pooled sources.
    n_others : ndarray of int, shape (n,)
        How many others there are.
    degrees_of_freedom : int
        Of the pooled spread, over all sources that count for it.
    """

    score: Floats
    median_of_others: Floats
    spread: Floats
    pooled: Floats
    n_others: Integers
    degrees_of_freedom: int


def variance_of_median(n: Integers, /) -> Floats:
    """Return the variance of the median of `n` standard normal values, for n of 1 or more."""
    table = np.array(_MEDIAN_VARIANCES)
    small = table[np.minimum(n, len(table)) - 1]
    # Asymptotically; from n = 11 on too large by 0.014 at most, which is 0.6 % of a score.
    large = np.pi / (2.0 * np.maximum(n, 1))
    return np.asarray(np.where(n <= len(table), small, large), dtype=np.float64)


def recording_steps(values: Floats, codes: Integers, /) -> Floats:
    """Return the step in which the values of each source were written down, for every value.

    Parameters
    ----------
    values : ndarray, shape (n,)
        As they were read.
    codes : ndarray of int, shape (n,)
        The source of each; negative where there is none.

    Returns
    -------
    ndarray, shape (n,)
        One unit of the last digit that any value of the source needs, and at most 1: 0.01 for
        8.1 and 8.07.
    """
    unique, back = np.unique(values, return_inverse=True)
    digits = np.array([min(0, _last_digit(x)) for x in unique.tolist()], dtype=np.int64)[back]
    finest = np.zeros(int(codes.max(initial=-1)) + 2, dtype=np.int64)
    np.minimum.at(finest, codes, digits)
    return np.power(10.0, finest[codes])


def _last_digit(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def pooled_spread(
    deviations: Floats,
    weights: Floats,
    codes: Integers,
    levels: Floats,
    counts: NDArray[np.bool_],
    /,
    *,
    pool: int | None,
) -> Floats:
    """Return the spread within sources near the level of each source.

    Parameters
    ----------
    deviations, weights : ndarray, shape (n,)
        How far every value lies from the others of its source, and what it weighs.
    codes : ndarray of int, shape (n,)
        The source of every value, from 0.
    levels : ndarray, shape (n_sources,)
        The median of every source.
    counts : ndarray of bool, shape (n_sources,)
        Which sources count.
    pool : int or None
        How many of them, nearest in level; sources as near as the last one count as well.

    Returns
    -------
    ndarray, shape (n_sources,)
        The deviation that `WITHIN_ONE_SD` of the weight does not exceed.
    """
    if not len(deviations):
        return np.full(len(levels), np.nan)
    order = np.argsort(deviations, kind="stable")
    ranked, weight, owner = deviations[order], weights[order], codes[order]
    if pool is None or pool >= counts.sum():
        return np.full(len(levels), _quantile(ranked, np.where(counts[owner], weight, 0.0)))
    out = np.empty(len(levels))
    for place, level in enumerate(levels):
        distance = np.where(counts, np.abs(levels - level), np.inf)
        near = distance <= np.partition(distance, pool - 1)[pool - 1]
        out[place] = _quantile(ranked, np.where(near[owner], weight, 0.0))
    return out


def _quantile(ranked: Floats, weight: Floats) -> float:
    total = np.cumsum(weight)
    return float(ranked[np.searchsorted(total, WITHIN_ONE_SD * total[-1])])


def score_values(
    values: Floats,
    codes: Integers,
    /,
    *,
    steps: Floats,
    exact: NDArray[np.bool_],
    pool: int | None,
) -> ValueScores:
    """Say how far every value lies from the others of its source.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Values of one target.
    codes : ndarray of int, shape (n,)
        The source of each; negative where it is not to be looked at.
    steps : ndarray, shape (n,)
        The step in which each was recorded, in the unit of the values.
    exact : ndarray of bool, shape (n,)
        False for values below a limit. Sources that hold one do not count for the spread.
    pool : int or None
        How many sources, nearest in level, the spread is taken from; None for all.

    Notes
    -----
    The rule stands in `drugsig.quality.find_outliers`.
    """
    rows = np.flatnonzero(codes >= 0)
    _, dense, sizes = np.unique(codes[rows], return_inverse=True, return_counts=True)
    rows = rows[sizes[dense] > 1]
    _, dense, sizes = np.unique(codes[rows], return_inverse=True, return_counts=True)
    counts = np.bincount(dense, weights=~exact[rows], minlength=len(sizes)) == 0
    if not counts.any():
        rows, dense = rows[:0], dense[:0]
    size = sizes[dense]
    deviation, median, own, level = _against_others(values[rows], dense, sizes)
    factor = np.sqrt(1.0 + variance_of_median(size - 1))
    near = pooled_spread(
        np.abs(values[rows] - median) / factor, (size - 1) / size, dense, level, counts, pool=pool
    )[dense]
    used = np.maximum(np.maximum(near, own), steps[rows] / np.sqrt(12.0))
    # Nothing varies and nothing was rounded: then any deviation at all is infinitely far.
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(deviation > 0, deviation / (used * factor), 0.0)
    return ValueScores(
        score=_spread_out(np.asarray(far, dtype=np.float64), rows, len(values), 0.0),
        median_of_others=_spread_out(median, rows, len(values), np.nan),
        spread=_spread_out(used, rows, len(values), np.nan),
        pooled=_spread_out(near, rows, len(values), np.nan),
        n_others=_spread_out((size - 1).astype(np.float64), rows, len(values), 0.0).astype(
            np.int64
        ),
        degrees_of_freedom=int((sizes[counts] - 1).sum()),
    )


def _spread_out(found: Floats, rows: NDArray[np.intp], n: int, empty: float) -> Floats:
    out = np.full(n, empty)
    out[rows] = found
    return out


def _against_others(
    x: Floats, dense: Integers, sizes: Integers
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return deviation, median of the others and their own spread by value; level by source."""
    deviation, median, own = (np.zeros(len(x)) for _ in range(3))
    level = np.zeros(len(sizes))
    if not len(x):
        return deviation, median, own, level
    order = np.argsort(dense, kind="stable")
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    for size in np.unique(sizes).tolist():
        sources = np.flatnonzero(sizes == size)
        members = order[start[sources][:, None] + np.arange(size)]
        level[sources] = np.median(x[members], axis=1)
        source, place = (k.ravel() for k in np.indices(members.shape))
        for first in range(0, members.size, max(1, _BLOCK // size)):
            part = slice(first, first + max(1, _BLOCK // size))
            row = members[source[part], place[part]]
            column = np.arange(size - 1)
            others = x[members[source[part, None], column + (column >= place[part, None])]]
            median[row] = np.median(others, axis=1)
            deviation[row] = np.abs(x[row] - median[row])
            if size == 3:
                deviation[row] = np.abs(others - x[row, None]).min(axis=1)
            if size > 3:
                off = np.abs(others - median[row, None])
                own[row] = _MAD_TO_SD * np.median(off, axis=1)
    return deviation, median, own, level


_ROWS_IN_HTML = 30
_OTHERS_IN_HTML = 8


@dataclass(frozen=True)
class FewReplicates(Note):
    """The spread that values are called far by rests on few replicates.

    Judge the named values of these targets by eye, or add sources that were measured again.
    """

    code: ClassVar[str] = "few-replicates"
    category: ClassVar[type[DrugsigWarning]] = SmallSampleWarning
    targets: tuple[str, ...]
    needed: int

    def __str__(self) -> str:
        return (
            f"The spread within sources of {listed(self.targets)} rests on fewer than "
            f"{self.needed} replicates, and so does what is called far from it."
        )


@dataclass(frozen=True)
class OutlierFinding:
    """One value that lies far from the others of its source.

    Parameters
    ----------
    profile_id, source, target, unit : str
        Where.
    value : float
        As it stands in the profiles.
    status : Status
        Detected, or below which limit.
    others : tuple of float
        The other values of its source, in the order of the profiles.
    median_of_others : float
        Their median, with what is below a limit counted at the limit.
    spread : float
        What the value might differ from its source by: of the values, or of their natural
        logarithms.
    score : float
        The distance over the spread, with the uncertainty of the others' median.
    undecided : bool
        Whether it cannot be said which values of the source are wrong.
    why : str
        In words.
    """

    profile_id: str
    source: str
    target: str
    unit: str
    value: float
    status: Status
    others: tuple[float, ...]
    median_of_others: float
    spread: float
    score: float
    undecided: bool
    why: str

    def __str__(self) -> str:
        return f"{self.target} {self.value:g} {self.unit}, score {self.score:.1f}: {self.why}"


@dataclass(frozen=True)
class TargetSpread:
    """What the values of one target were judged by.

    Parameters
    ----------
    target, unit : str
        The target.
    n_sources, n_values : int
        Sources with two values or more, and their values.
    degrees_of_freedom : int
        Replicates behind the spread: values beyond the first of each source without a value below
        a limit. With none the target was not judged.
    least_spread, largest_spread : float or None
        The pooled spread within sources, over the levels; None if the target was not judged.
    n_named : int
        How many values were named.
    """

    target: str
    unit: str
    n_sources: int
    n_values: int
    degrees_of_freedom: int
    least_spread: float | None
    largest_spread: float | None
    n_named: int


@dataclass(frozen=True, eq=False)
class OutlierFindings:
    """Values far from the others of their source, and the rule that named them.

    Parameters
    ----------
    findings : tuple of OutlierFinding
        The highest score first.
    spreads : tuple of TargetSpread
        One a target that was looked at.
    source : str
        The metadata column that names the source.
    threshold : float
        A value is named if its score is larger.
    scale : str
        ``"linear"`` or ``"log"``.
    pool : int or None
        From how many sources, nearest in level, the spread was taken; None for all.
    n_profiles : int
        How many profiles were looked at.
    without_source, alone : tuple of str
        Profiles whose source is not known, and those that are the only one of theirs: they could
        not be judged.
    notes : tuple of Note
        What a reader must know.
    profiles_digest : str
        Of the profiles that were looked at.
    """

    findings: tuple[OutlierFinding, ...]
    spreads: tuple[TargetSpread, ...]
    source: str
    threshold: float
    scale: str
    pool: int | None
    n_profiles: int
    without_source: tuple[str, ...]
    alone: tuple[str, ...]
    notes: tuple[Note, ...]
    profiles_digest: str

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def rule(self) -> str:
        """The rule in one sentence."""
        what = "natural logarithm" if self.scale == "log" else "value"
        where = (
            "all sources"
            if self.pool is None
            else f"the {self.pool} sources nearest in level, or all if there are fewer"
        )
        return (
            f"Named is a {what} that lies more than {self.threshold:g} times the spread within "
            f"sources (column '{self.source}') from the median of the others of its source; the "
            f"spread is that of {where}, and at least that of the others themselves and of the "
            "rounding."
        )

    @property
    def flags(self) -> dict[str, tuple[str, ...]]:
        """What a reader should look at, by profile id; profiles without a finding are absent."""
        said: dict[str, tuple[str, ...]] = {}
        for finding in self.findings:
            said[finding.profile_id] = (*said.get(finding.profile_id, ()), str(finding))
        return said

    def of_profile(self, profile_id: str, /) -> tuple[OutlierFinding, ...]:
        """Return the findings of one profile."""
        return tuple(f for f in self.findings if f.profile_id == profile_id)

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a table, one row a finding, the highest score first."""
        return pd.DataFrame(
            {
                "profile_id": pd.Series([f.profile_id for f in self.findings], dtype="str"),
                "source": pd.Series([f.source for f in self.findings], dtype="str"),
                "target": pd.Series([f.target for f in self.findings], dtype="str"),
                "unit": pd.Series([f.unit for f in self.findings], dtype="str"),
                "value": pd.Series([f.value for f in self.findings], dtype="float64"),
                "status": pd.Series([f.status.label for f in self.findings], dtype="str"),
                "n_others": pd.Series([len(f.others) for f in self.findings], dtype="int64"),
                "median_of_others": pd.Series(
                    [f.median_of_others for f in self.findings], dtype="float64"
                ),
                "spread": pd.Series([f.spread for f in self.findings], dtype="float64"),
                "score": pd.Series([f.score for f in self.findings], dtype="float64"),
                "undecided": pd.Series([f.undecided for f in self.findings], dtype="bool"),
                "why": pd.Series([f.why for f in self.findings], dtype="str"),
            }
        )

    def __repr__(self) -> str:
        profiles = len({f.profile_id for f in self.findings})
        sources = len({f.source for f in self.findings})
        judged = sum(s.n_values for s in self.spreads if s.degrees_of_freedom)
        return (
            f"<OutlierFindings: {len(self)} of {judged} values named, of {profiles} profiles in "
            f"{sources} sources; score above {self.threshold:g}>"
        )

    def _repr_html_(self) -> str:
        heads = ("profile", "source", "target", "value", "others", "spread", "score", "why")
        rows = []
        for f in self.findings[:_ROWS_IN_HTML]:
            others = ", ".join(f"{x:g}" for x in f.others[:_OTHERS_IN_HTML])
            more = len(f.others) - _OTHERS_IN_HTML
            row = (
                f.profile_id,
                f.source,
                f.target,
                f"{f.value:g} {f.unit}",
                f"{others} and {more} more" if more > 0 else others,
                f"{f.spread:.3g}",
                f"{f.score:.1f}",
                f.why,
            )
            rows.append(row)
        shown = "all shown" if len(rows) == len(self) else f"first {len(rows)} shown"
        notes = [self.rule, *(note.text for note in self.notes)]
        unjudged = [s.target for s in self.spreads if not s.degrees_of_freedom]
        if unjudged:
            notes.append(f"Not judged, for want of replicates: {listed(unjudged)}.")
        caption = f"{repr(self)[1:-1]}; {shown}. {' '.join(notes)}"
        return html_table(rows, head=heads, caption=caption)


SCALES = ("linear", "log")

# With fewer degrees of freedom (values beyond the first of each source) the spread of a target is
# itself uncertain by more than a fifth.
FEW_REPLICATES = 20


def find_outliers(
    profiles: ProfileSet,
    /,
    *,
    source: str = "batch_id",
    targets: Sequence[str] | None = None,
    threshold: float = 6.0,
    scale: str = "linear",
    pool: int | None = 60,
) -> OutlierFindings:
    """Name the values that lie far from the others of their source.

    Typing errors, swapped samples and failed measurements decide likelihood ratios: one of them
    makes two tablets of one batch look impossible. They are named here for a person to look up.
    Nothing is removed or changed.

    Parameters
    ----------
    profiles : ProfileSet
        With repeated measurements of known sources. As they were read is best: the step in which
        numbers were recorded counts.
    source : str
        The metadata column that says which profiles belong together.
    targets : sequence of str, optional
        Which targets; all without it.
    threshold : float
        A value is named if its score is larger.
    scale : {"linear", "log"}
        Whether differences or ratios are judged: logarithms suit areas, whose spread grows with
        the value over several powers of ten.
    pool : int, optional
        The spread is that among so many sources, those nearest in level; None pools all. With
        fewer sources all are pooled.

    Returns
    -------
    OutlierFindings
        The highest score first.

    Raises
    ------
    MetadataError
        If there is no such column.
    UnknownNameError
        If a target or the scale is not known.
    InputError
        If no source has two detected values, the threshold or `pool` is no positive number, or a
        logarithm would be taken of a value that is not positive.

    Warns
    -----
    SmallSampleWarning
        If the spread of a target rests on few replicates.

    Notes
    -----
    For value x of a source with n measured values of the target, m is the median of the other
    n - 1, and the score is abs(x - m) / (s sqrt(1 + v)). There v is the variance of a median of
    n - 1 normal values, and s is the largest of

    - the spread within sources: the deviation abs(x - m) / sqrt(1 + v) that 68.3 % of the values of
      the pooled sources do not exceed, every source with the weight of its n - 1 degrees of
      freedom. For normal errors that is the standard deviation; up to a third of wrong values do
      not blow it up, and of sources with other levels only the nearest count;
    - with 3 others or more, their own spread, 1.4826 times the median of their absolute
      deviations from m: a source whose measurements all scatter is no typing error;
    - the step in which the source's values were recorded, over sqrt(12): one unit of the last
      digit is never an error.

    In a source of 3 the other two may hold the wrong value, and their median lies between; there a
    value counts as near as it is to the nearer of the two. In a source of 2, and wherever at least
    half of the values of a source are named, it cannot be said which are wrong: all are named, and
    marked.

    A value below its limit counts at the limit, the nearest to the detected ones that it may be;
    where the limit is not known, at the smallest detected value of the target. Values that were
    rejected or not measured, and sources with one value, are not judged.

    Examples
    --------
    >>> s = ProfileSet(
    ...     [[8.1], [8.2], [8.1], [7.1], [7.2], [71.0], [7.1], [9.0], [9.1], [9.1]],
    ...     ["thickness"],
    ...     {"profile_id": list("abcdefghij"), "batch_id": [*"111", *"2222", *"333"]},
    ... )
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     found = find_outliers(s)
    >>> [(f.profile_id, f.value, f.median_of_others) for f in found.findings]
    [('f', 71.0, 7.1)]
    """
    result = found_outliers(
        profiles, source=source, targets=targets, threshold=threshold, scale=scale, pool=pool
    )
    emit(result.notes)
    return result


def found_outliers(
    profiles: ProfileSet,
    /,
    *,
    source: str = "batch_id",
    targets: Sequence[str] | None = None,
    threshold: float = 6.0,
    scale: str = "linear",
    pool: int | None = 60,
) -> OutlierFindings:
    """Name values as `find_outliers` does, and leave its notes to the caller.

    Parameters
    ----------
    profiles, source, targets, threshold, scale, pool
        As in `find_outliers`.
    """
    choose(scale, SCALES, what="scale")
    _refuse_numbers(threshold, pool)
    refuse_single_text(targets, "target names")
    known = profiles.target_names
    names = known if targets is None else [choose(n, known, what="target") for n in targets]
    labels = known_texts(profiles, source)
    codes = _codes(labels)
    sizes = np.bincount(codes + 1)
    alone = np.flatnonzero((codes >= 0) & (sizes[codes + 1] == 1))
    findings: list[OutlierFinding] = []
    spreads: list[TargetSpread] = []
    for name in names:
        found, spread = _one_target(
            profiles,
            known.index(name),
            labels,
            codes,
            threshold=threshold,
            scale=scale,
            pool=pool,
        )
        findings += found
        spreads.append(spread)
    if not any(s.n_values for s in spreads):
        raise InputError(
            f"profile set '{profiles.name}' has no source with two detected values by column "
            f"'{source}', so no value has others to be compared with. Name the column that "
            "repeated measurements share: source='...'."
        )
    few = tuple(s.target for s in spreads if s.n_values and s.degrees_of_freedom < FEW_REPLICATES)
    notes: tuple[Note, ...] = (FewReplicates(few, needed=FEW_REPLICATES),) if few else ()
    notes = (*notes, *not_known_notes(profiles, [source]))
    return OutlierFindings(
        findings=tuple(sorted(findings, key=lambda f: -f.score)),
        spreads=tuple(spreads),
        source=source,
        threshold=float(threshold),
        scale=scale,
        pool=pool,
        n_profiles=len(profiles),
        without_source=tuple(i for i, s in zip(profiles.ids, labels, strict=True) if s is None),
        alone=tuple(profiles.ids[row] for row in alone.tolist()),
        notes=notes,
        profiles_digest=profiles.digest,
    )


def _refuse_numbers(threshold: float, pool: int | None) -> None:
    if not 0.0 < threshold < np.inf:
        raise InputError(f"threshold must be a positive number of spreads, got {threshold!r}")
    if pool is not None and (not is_whole(pool) or pool < 1):
        raise InputError(
            f"pool must be a number of sources of 1 or more, or None for all, got {pool!r}"
        )


def _codes(labels: Sequence[str | None]) -> NDArray[np.int64]:
    """Number the sources by name; -1 where none is known."""
    place = {name: k for k, name in enumerate(sorted({s for s in labels if s is not None}))}
    return np.array([-1 if s is None else place[s] for s in labels], dtype=np.int64)


def _one_target(
    profiles: ProfileSet,
    column: int,
    labels: Sequence[str | None],
    codes: NDArray[np.int64],
    /,
    *,
    threshold: float,
    scale: str,
    pool: int | None,
) -> tuple[list[OutlierFinding], TargetSpread]:
    """Return what is far in one target, and what it was judged by."""
    target = profiles.targets[column]
    censored = np.asarray(is_censored(profiles.status[:, column]))
    counted = _counted(profiles, column, censored)
    usable = np.isfinite(counted)
    codes = np.where(usable, codes, -1)
    raw = np.where(usable, counted, 0.0)
    steps = recording_steps(raw, codes)
    judged = raw
    if scale == "log":
        _refuse_logarithms(profiles, column, raw, codes >= 0)
        positive = np.where(codes >= 0, raw, 1.0)
        judged, steps = np.log(positive), steps / positive
    scores = score_values(judged, codes, steps=steps, exact=~censored, pool=pool)
    replicated = scores.n_others > 0
    named = scores.score > threshold
    spread = TargetSpread(
        target=target.name,
        unit=target.unit,
        n_sources=len(np.unique(codes[replicated])),
        n_values=int(replicated.sum()),
        degrees_of_freedom=scores.degrees_of_freedom,
        least_spread=float(scores.pooled[replicated].min()) if replicated.any() else None,
        largest_spread=float(scores.pooled[replicated].max()) if replicated.any() else None,
        n_named=int(named.sum()),
    )
    middle = np.exp(scores.median_of_others) if scale == "log" else scores.median_of_others
    findings = []
    for row in np.flatnonzero(named).tolist():
        members = np.flatnonzero(codes == codes[row])
        undecided = 2 * int(named[members].sum()) >= len(members)
        status = Status(int(profiles.status[row, column]))
        findings.append(
            OutlierFinding(
                profile_id=profiles.ids[row],
                source=str(labels[row]),
                target=target.name,
                unit=target.unit,
                value=float(profiles.values[row, column]),
                status=status,
                others=tuple(profiles.values[members[members != row], column].tolist()),
                median_of_others=float(middle[row]),
                spread=float(scores.spread[row]),
                score=float(scores.score[row]),
                undecided=undecided,
                why=_why(len(members), undecided, status, float(counted[row])),
            )
        )
    return findings, spread


def _why(n: int, undecided: bool, status: Status, counted: float) -> str:
    if n == 2:
        why = "far from the other value of its source; which of the two is wrong cannot be said"
    elif undecided:
        why = "the values of its source disagree; which of them are wrong cannot be said"
    else:
        why = f"far from the {n - 1} others of its source"
    if status is not Status.DETECTED:
        why += f"; it is {status.label} and was counted as {counted:g}"
    return why


def _counted(profiles: ProfileSet, column: int, censored: NDArray[np.bool_]) -> Floats:
    """Return the values with what is below a limit at that limit; NaN where there is none."""
    values = profiles.values[:, column]
    limits = profiles.limits[:, column]
    detected = values[profiles.detected[:, column]]
    smallest = detected.min() if len(detected) else np.nan
    at_limit = np.where(
        np.isfinite(limits), np.fmax(values, limits), np.where(values > 0, values, smallest)
    )
    counted = np.where(censored, at_limit, values)
    return np.where(profiles.measured[:, column], counted, np.nan)


def _refuse_logarithms(
    profiles: ProfileSet, column: int, values: Floats, used: NDArray[np.bool_]
) -> None:
    bad = np.flatnonzero(used & (values <= 0))
    if len(bad):
        raise InputError(
            f"target '{profiles.target_names[column]}' of profile '{profiles.ids[bad[0]]}' is "
            f"{values[bad[0]]:g}, which has no logarithm ({len(bad)} such value(s)). Use "
            "scale='linear', or name the other targets: targets=[...]."
        )
