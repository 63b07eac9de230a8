"""What a protocol does about unstable targets: sum two that interconvert, leave one out."""

from __future__ import annotations

import numpy as np

from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status
from drugsig.protocols.protocol import Protocol

__all__ = ["settle_unstable"]


def settle_unstable(profiles: ProfileSet, protocol: Protocol, /) -> ProfileSet:
    """Return profiles in which the protocol's rules for unstable targets are applied.

    A target that is summed with another gives its value to that one and leaves the profile; a
    target that is excluded leaves it. Peak tables keep both.

    Parameters
    ----------
    profiles : ProfileSet
        With the targets of the protocol, as extracted.
    protocol : Protocol
        Its targets state their stability.

    Returns
    -------
    ProfileSet
        A sum is detected if one part is, not measured or rejected if one part is, and else as far
        below its limit as the better part; its limit is the sum of the limits, its uncertainty
        that of independent parts.
    """
    values, status = profiles.values.copy(), profiles.status.copy()
    limits, spread = profiles.limits.copy(), profiles.uncertainty.copy()
    place = {name: k for k, name in enumerate(profiles.target_names)}
    summed: dict[str, str] = {}
    excluded: list[str] = []
    for target in protocol.targets:
        if target.stability is None:
            continue
        partner = target.stability.summed_with
        if partner is not None:
            a, b = place[partner], place[target.name]
            worse = np.maximum(status[:, a], status[:, b])
            better = np.minimum(status[:, a], status[:, b])
            values[:, a] = values[:, a] + values[:, b]
            limits[:, a] = limits[:, a] + limits[:, b]
            # A part below its limit adds no known uncertainty; the sum then has that of the other.
            known = np.where(np.isnan(spread[:, b]), 0.0, spread[:, b])
            spread[:, a] = np.hypot(np.where(np.isnan(spread[:, a]), 0.0, spread[:, a]), known)
            spread[spread[:, a] == 0.0, a] = np.nan
            status[:, a] = np.where(worse >= Status.NOT_MEASURED, worse, better)
            values[status[:, a] == Status.NOT_MEASURED, a] = np.nan
            summed[target.name] = partner
        elif target.stability.action == "exclude":
            excluded.append(target.name)
    if not summed and not excluded:
        return profiles
    keep = [k for name, k in place.items() if name not in summed and name not in excluded]
    return ProfileSet(
        values[:, keep],
        targets=[profiles.targets[k] for k in keep],
        profiles=profiles.profiles,
        status=status[:, keep],
        limits=limits[:, keep],
        uncertainty=spread[:, keep],
        history=(
            *profiles.history,
            Step.make("settle_unstable", {"summed": summed, "excluded": excluded}),
        ),
        name=profiles.name,
    )
