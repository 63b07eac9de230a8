"""What the cells of every profile say about it before anything is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import Note
from drugsig.profiles.labels import (
    EPOCH_COLUMN,
    SPECIMEN_COLUMN,
    NearlyKnownColumn,
    look_alike_notes,
    look_alikes,
    nearly_named,
)
from drugsig.profiles.profile_set import ID_COLUMN, ProfileSet
from drugsig.profiles.status import Status, is_censored
from drugsig.profiles.tables.notes import reading_notes

__all__ = [
    "DOMINANT_SHARE",
    "DOMINANT_TARGET",
    "FEW_IMPURITIES",
    "DominantTarget",
    "LookAlikeTargets",
    "ProfileCheck",
    "RunningNumber",
    "SumOfTargets",
    "check_profiles",
    "data_notes",
    "dominant_targets",
    "running_numbers",
    "sums_of_targets",
]

# One impurity with more than this share of the sum decides every score of the profile.
DOMINANT_SHARE = 0.95

# A target with more than this share of the sum in the median profile is rarely an impurity.
DOMINANT_TARGET = 0.5

# In fewer lines whole numbers may follow each other by chance, or one value be the sum of others.
_FEWEST_LINES = 10
# In so many of the lines a number follows the one before, or is the sum of the others.
_NEARLY_ALL = 0.9
# A sum of rounded values is that of the values within so much of itself.
_ROUNDING = 2e-3

# With fewer impurities detected, a profile is alike to many others by what they all lack.
FEW_IMPURITIES = 3


@dataclass(frozen=True)
class ProfileCheck:
    """What one profile holds, and whether it can be compared.

    Parameters
    ----------
    profile_id : str
        The profile.
    detected, below_limit, not_measured, rejected : int
        How many of its impurities have which status.
    largest_share : float or None
        The share of the largest impurity in the sum of the measured ones; None without any.
    identical_to : tuple of str
        Other profiles with exactly the same impurity values, if anything was detected.
    excluded : str
        Why the profile cannot be compared; empty if it can.
    flags : tuple of str
        What a reader should look at.
    """

    profile_id: str
    detected: int
    below_limit: int
    not_measured: int
    rejected: int
    largest_share: float | None
    identical_to: tuple[str, ...]
    excluded: str
    flags: tuple[str, ...]


def check_profiles(profiles: ProfileSet, /) -> tuple[ProfileCheck, ...]:
    """Look at every profile: what was detected, what is missing, what is identical.

    Parameters
    ----------
    profiles : ProfileSet
        Before pretreatment.

    Returns
    -------
    tuple of ProfileCheck
        In the order of the profiles. A profile is excluded if an impurity was not measured or
        was rejected, or if no impurity was detected; nothing is removed here.
    """
    impurity = np.array([t.role == "impurity" for t in profiles.targets], dtype=bool)
    status = profiles.status[:, impurity]
    values = np.ascontiguousarray(np.where(profiles.measured, profiles.values, 0.0)[:, impurity])
    names = [t.name for t in profiles.targets if t.role == "impurity"]
    detected = (status == Status.DETECTED).sum(axis=1)
    same: dict[bytes, list[int]] = {}
    for row in range(len(profiles)):
        if detected[row]:
            same.setdefault(values[row].tobytes() + status[row].tobytes(), []).append(row)
    twins = {
        row: tuple(profiles.ids[k] for k in rows if k != row)
        for rows in same.values()
        for row in rows
    }
    lacks: NDArray[np.bool_] = np.greater_equal(status, Status.NOT_MEASURED)
    incomplete = np.asarray(lacks.any(axis=1), dtype=bool).tolist()
    below = is_censored(status).sum(axis=1).tolist()
    not_measured = (status == Status.NOT_MEASURED).sum(axis=1).tolist()
    rejected = (status == Status.REJECTED).sum(axis=1).tolist()
    totals = values.sum(axis=1).tolist()
    most = values.max(axis=1, initial=0.0).tolist()
    out = []
    for row, profile_id in enumerate(profiles.ids):
        lacking = [names[k] for k in np.flatnonzero(lacks[row])] if incomplete[row] else []
        largest = most[row] / totals[row] if totals[row] > 0 else None
        flags = []
        if twins.get(row):
            flags.append("identical values in another profile")
        if largest is not None and largest > DOMINANT_SHARE:
            flags.append(f"one impurity holds {largest:.0%} of the sum")
        if 0 < detected[row] < FEW_IMPURITIES:
            flags.append(f"only {int(detected[row])} impurities detected")
        out.append(
            ProfileCheck(
                profile_id=profile_id,
                detected=int(detected[row]),
                below_limit=below[row],
                not_measured=not_measured[row],
                rejected=rejected[row],
                largest_share=largest,
                identical_to=twins.get(row, ()),
                excluded=_reason(int(detected[row]), lacking),
                flags=tuple(flags),
            )
        )
    return tuple(out)


def _reason(detected: int, lacking: list[str]) -> str:
    if lacking:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        return f"not measured or rejected: {', '.join(lacking[:3])}{more}"
    return "" if detected else "no impurity was detected"


@dataclass(frozen=True)
class DominantTarget(Note):
    """One target makes most of the sum of impurities, so it is probably none.

    Give it its role: the main compound and internal standards are never compared.
    """

    code: ClassVar[str] = "dominant-target"
    target: str
    share: float

    def __str__(self) -> str:
        return (
            f"'{self.target}' makes {self.share:.0%} of the sum of impurities in the median "
            "profile. If it is the main compound, an internal standard or a sum over the line, "
            f'give it its role (--role "{self.target}=main", or roles = {{ "{self.target}" = '
            '"main" } in the analysis file) or name it as metadata.'
        )


@dataclass(frozen=True)
class RunningNumber(Note):
    """A target counts the lines of the table, so it was not measured.

    Name the column as metadata, or leave it out.
    """

    code: ClassVar[str] = "running-number"
    target: str

    def __str__(self) -> str:
        return (
            f"'{self.target}' is compared as an impurity, and its values are whole numbers that "
            "follow each other like those of the lines of a table. If it numbers the lines, name "
            f"it as metadata (metadata=['{self.target}'])."
        )


@dataclass(frozen=True)
class SumOfTargets(Note):
    """A target is the sum of the others, so it was not measured by itself.

    Name the column as metadata, or leave it out.
    """

    code: ClassVar[str] = "sum-of-targets"
    target: str
    share: float

    def __str__(self) -> str:
        return (
            f"'{self.target}' is compared as an impurity, and is the sum of the other targets in "
            f"{self.share:.0%} of the profiles. If it was added up, name it as metadata "
            f"(metadata=['{self.target}'])."
        )


@dataclass(frozen=True)
class LookAlikeTargets(Note):
    """Targets whose names read the same count as different compounds.

    Leave one of them out, or give them names that differ by more than case and blanks.
    """

    code: ClassVar[str] = "look-alike-targets"
    targets: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"the targets {' and '.join(repr(t) for t in self.targets)} read the same and count as "
            "different compounds. If they are one, it counts twice in every score."
        )


def data_notes(profiles: ProfileSet, /) -> tuple[Note, ...]:
    """Return what makes a wrong number likely, whatever is done with the profiles.

    Risks of reading, ids that read the same, and targets that are probably no impurities; the
    latter only where the values are as measured.

    Parameters
    ----------
    profiles : ProfileSet
        Before pretreatment.
    """
    alike = look_alikes(profiles.target_names)
    ids = [ID_COLUMN, *(c for c in (SPECIMEN_COLUMN,) if c in profiles.metadata_columns)]
    notes: list[Note] = [*reading_notes(profiles), *look_alike_notes(profiles, ids)]
    notes += [NearlyKnownColumn(c, EPOCH_COLUMN) for c in nearly_named(profiles, EPOCH_COLUMN)]
    notes += [LookAlikeTargets(same) for same in alike]
    if not profiles.pretreatment:
        notes += [RunningNumber(name) for name in running_numbers(profiles)]
        notes += [SumOfTargets(name, part) for name, part in sums_of_targets(profiles).items()]
        notes += [DominantTarget(name, part) for name, part in dominant_targets(profiles).items()]
    return tuple(notes)


def dominant_targets(profiles: ProfileSet, /) -> dict[str, float]:
    """Return targets called impurities that make most of the sum in the median profile.

    Such a target is probably the main compound, an internal standard or a sum over the line that
    was read as an impurity.

    Parameters
    ----------
    profiles : ProfileSet
        Before pretreatment.

    Returns
    -------
    dict of str to float
        Its share of the sum in the median profile.
    """
    impurity = np.array([t.role == "impurity" for t in profiles.targets], dtype=bool)
    values = np.where(profiles.measured, profiles.values, 0.0)[:, impurity]
    total = values.sum(axis=1)
    # Sums say nothing of what may be negative, as logarithms are.
    if values.shape[1] < 3 or not (total > 0).any() or (values < 0).any():
        return {}
    shares = np.median(values[total > 0] / total[total > 0, None], axis=0)
    names = [t.name for t in profiles.targets if t.role == "impurity"]
    return {n: float(x) for n, x in zip(names, shares, strict=True) if x > DOMINANT_TARGET}


def running_numbers(profiles: ProfileSet, /) -> tuple[str, ...]:
    """Return targets called impurities whose values count the profiles, in whatever order.

    Parameters
    ----------
    profiles : ProfileSet
        Before pretreatment.

    Returns
    -------
    tuple of str
        Targets with whole numbers of which nearly every one follows another by one.
    """
    found = []
    for k, target in enumerate(profiles.targets):
        values = profiles.values[profiles.measured[:, k], k]
        if target.role != "impurity" or len(values) < _FEWEST_LINES or (values % 1.0 != 0.0).any():
            continue
        steps = np.diff(np.sort(values))
        if (steps == 1.0).mean() >= _NEARLY_ALL:
            found.append(target.name)
    return tuple(found)


def sums_of_targets(profiles: ProfileSet, /) -> dict[str, float]:
    """Return targets called impurities that are the sum of the other impurities, or of all others.

    Parameters
    ----------
    profiles : ProfileSet
        Before pretreatment.

    Returns
    -------
    dict of str to float
        In which share of the profiles, where that is nearly all.
    """
    impurity = np.array([t.role == "impurity" for t in profiles.targets], dtype=bool)
    values = np.where(profiles.measured, profiles.values, 0.0)
    found: dict[str, float] = {}
    for added in (values[:, impurity], values):
        total = added.sum(axis=1)
        if added.shape[1] < 3 or (total > 0).sum() < _FEWEST_LINES or (added < 0).any():
            continue
        for k in np.flatnonzero(impurity):
            # What is the sum of the others is half of the sum of all.
            off = np.abs(2.0 * values[:, k] - total)[total > 0]
            share = float((off <= _ROUNDING * total[total > 0]).mean())
            name = profiles.targets[k].name
            if share >= _NEARLY_ALL:
                found[name] = max(share, found.get(name, 0.0))
    return found
