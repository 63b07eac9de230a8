"""What the cells of every profile say about it before anything is compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status, is_censored

__all__ = [
    "DOMINANT_SHARE",
    "DOMINANT_TARGET",
    "FEW_IMPURITIES",
    "ProfileCheck",
    "check_profiles",
    "dominant_targets",
]

# One impurity with more than this share of the sum decides every score of the profile.
DOMINANT_SHARE = 0.95

# A target with more than this share of the sum in the median profile is rarely an impurity.
DOMINANT_TARGET = 0.5

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
    values = np.where(profiles.measured, profiles.values, 0.0)[:, impurity]
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
    out = []
    for row, profile_id in enumerate(profiles.ids):
        counts = np.bincount(status[row], minlength=len(Status))
        lacking = [n for n, s in zip(names, status[row], strict=True) if s >= Status.NOT_MEASURED]
        total = float(values[row].sum())
        largest = float(values[row].max()) / total if total > 0 else None
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
                below_limit=int(is_censored(status[row]).sum()),
                not_measured=int(counts[Status.NOT_MEASURED]),
                rejected=int(counts[Status.REJECTED]),
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
    if values.shape[1] < 3 or not (total > 0).any():
        return {}
    shares = np.median(values[total > 0] / total[total > 0, None], axis=0)
    names = [t.name for t in profiles.targets if t.role == "impurity"]
    return {n: float(x) for n, x in zip(names, shares, strict=True) if x > DOMINANT_TARGET}
