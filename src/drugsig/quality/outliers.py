"""Values far from the others of their source: named, with the rule that named them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose, is_whole, refuse_single_text
from drugsig._notes import Note, emit
from drugsig.errors import InputError
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status, is_censored
from drugsig.quality.outlier_findings import (
    FewReplicates,
    OutlierFinding,
    OutlierFindings,
    TargetSpread,
)
from drugsig.quality.outlier_scores import recording_steps, score_values

__all__ = ["FEW_REPLICATES", "SCALES", "find_outliers", "found_outliers"]

SCALES = ("linear", "log")

# With fewer degrees of freedom (values beyond the first of each source) the spread of a target is
# itself uncertain by more than a fifth.
FEW_REPLICATES = 20

Floats = NDArray[np.float64]


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
    labels = profiles.column(source)
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
