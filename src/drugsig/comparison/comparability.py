"""What may be compared with what: checked in one place, before any score is formed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from drugsig._check import listed, whole_number
from drugsig._files import canonical_json
from drugsig.comparison.metrics import Metric
from drugsig.errors import ComparisonError, TargetMismatchError
from drugsig.profiles.labels import EPOCH_COLUMN
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["Treatment", "check_comparable", "least_measured"]

# Above this, squares overflow and sums lose the small targets.
_LARGEST_VALUE = 1e150

# Profiles looked at together: a million of them are not copied to be checked.
_CHUNK = 65_536


@dataclass(frozen=True)
class Treatment:
    """What the numbers of a profile set are: of which targets, and what was done to them.

    Scores mean the same only where this is the same; a threshold or a model that was learned from
    some speaks of no others.

    Parameters
    ----------
    targets : str
        The sha256 of the names, roles and units of the targets, in order.
    pretreatment : str
        The steps with their frozen parameters, as canonical JSON.
    """

    targets: str
    pretreatment: str

    @classmethod
    def of(cls, profiles: ProfileSet, /) -> Treatment:
        """Return that of a profile set."""
        text = canonical_json([[t.name, t.role, t.unit] for t in profiles.targets])
        return cls(
            hashlib.sha256(text.encode()).hexdigest(), canonical_json(list(profiles.pretreatment))
        )

    def differing(self, other: Treatment, /) -> dict[str, str]:
        """Return what differs, in words, by the name of it."""
        found = {}
        if self.targets != other.targets:
            found["targets"] = "the targets, their roles, units or order"
        if self.pretreatment != other.pretreatment:
            steps = json.loads(other.pretreatment)
            told = " | ".join(str(s["step"]) for s in steps) or "not at all"
            found["pretreatment"] = f"the pretreatment or its parameters (treated: {told})"
        return found


def check_comparable(
    questioned: ProfileSet,
    reference: ProfileSet | None,
    metric: Metric,
    /,
    *,
    across_epochs: bool = False,
) -> None:
    """Refuse profile sets that cannot be compared by this metric.

    Parameters
    ----------
    questioned, reference : ProfileSet
        Both sides; None where the questioned profiles are compared with each other.
    metric : Metric
        The definition of the score.
    across_epochs : bool
        Whether profiles of different comparability epochs may be compared.

    Raises
    ------
    TargetMismatchError
        If the sets do not hold the same targets in the same order.
    ComparisonError
        If the sets were pretreated differently or belong to different epochs, hold targets that
        are not impurities, or hold values the metric has no meaning for.
    """
    sides = [questioned] if reference is None else [questioned, reference]
    if reference is not None:
        _refuse_unlike(questioned, reference)
    for one in sides:
        _refuse_unusable(one, metric)
        metric.check(one)
    if not across_epochs:
        _refuse_epochs(sides)


def least_measured(given: int | None, metric: Metric, n_targets: int, /) -> int:
    """Return the least number of targets measured in both profiles of a pair.

    Raises
    ------
    ComparisonError
        If there are fewer targets than the metric needs.
    InputError
        If the given number is not a whole number from 1.
    """
    if given is None:
        if n_targets < metric.min_measured:
            raise ComparisonError(
                f"metric '{metric.name}' needs at least {metric.min_measured} targets measured in "
                f"both profiles, and these profiles have {n_targets}. With so few a correlation is "
                "an accident. Use another metric (euclidean, manhattan, canberra), or say "
                f"min_measured={n_targets} if you know what it is worth."
            )
        return metric.min_measured
    return whole_number(given, what="min_measured", least=1)


def _refuse_unlike(a: ProfileSet, b: ProfileSet) -> None:
    if a.targets != b.targets:
        in_a, in_b = a.target_names, b.target_names
        only_a = [n for n in in_a if n not in in_b]
        only_b = [n for n in in_b if n not in in_a]
        if only_a or only_b:
            parts = []
            if only_b:
                parts.append(f"'{a.name}' lacks {listed(only_b)}")
            if only_a:
                parts.append(f"'{b.name}' lacks {listed(only_a)}")
            why = "; ".join(parts)
        else:
            unlike = [n for n in in_a if a.targets[in_a.index(n)] != b.targets[in_b.index(n)]]
            why = (
                f"{listed(unlike)} has another role or unit in the two sets"
                if unlike
                else "the same targets stand in another order"
            )
        raise TargetMismatchError(
            f"profile sets '{a.name}' and '{b.name}' cannot be compared: {why}. Extract both with "
            "the same protocol, or keep the shared targets on purpose: "
            "drugsig.align_targets(a, b, keep='shared').",
            only_in_a=only_a,
            only_in_b=only_b,
        )
    if a.pretreatment != b.pretreatment:
        raise ComparisonError(
            f"profile sets '{a.name}' and '{b.name}' were pretreated differently: "
            f"{_steps(a)} and {_steps(b)}. Parameters learned from data count as well: pretreat "
            "the second set with the recipe of the first, "
            "drugsig.pretreat(b, drugsig.Recipe.of(a))."
        )


def _steps(one: ProfileSet) -> str:
    return " | ".join(str(s["step"]) for s in one.pretreatment) or "not at all"


def _refuse_epochs(sides: list[ProfileSet]) -> None:
    epochs: dict[str, None] = {}
    for one in sides:
        if EPOCH_COLUMN in one.metadata_columns:
            epochs |= dict.fromkeys(str(e) for e in one.column(EPOCH_COLUMN) if e is not None)
    if len(epochs) > 1:
        raise ComparisonError(
            f"these profiles belong to {len(epochs)} comparability epochs ({listed(epochs)}): the "
            "instrument, its column or the method changed in between, so a difference between "
            "profiles may be one of the measurement. Compare within one epoch "
            f"(profiles.select on column '{EPOCH_COLUMN}'), or say across_epochs=True if you know "
            "that they can be compared."
        )


def _refuse_unusable(one: ProfileSet, metric: Metric) -> None:
    others = [t.name for t in one.targets if t.role != "impurity"]
    if others:
        raise ComparisonError(
            f"profile set '{one.name}' holds targets that are not impurities: {listed(others)}. "
            "The main compound, internal standards and cutting agents do not enter a comparison. "
            "Pretreat the profiles, or keep the impurities only: profiles.keep_targets([...])."
        )
    measured = one.measured
    for first in range(0, len(one), _CHUNK):
        part = slice(first, first + _CHUNK)
        usable = np.where(measured[part], one.values[part], 0.0)
        if usable.size and float(np.abs(usable).max()) > _LARGEST_VALUE:
            raise ComparisonError(
                f"profile set '{one.name}' holds values above {_LARGEST_VALUE:g}, whose squares "
                "cannot be summed. Normalise the profiles first, as with the step 'sum'."
            )
        if metric.nonnegative and (usable < 0).any():
            row, column = (int(k) for k in np.argwhere(usable < 0)[0])
            raise ComparisonError(
                f"metric '{metric.name}' has no meaning for negative values; profile "
                f"'{one.ids[first + row]}', target '{one.target_names[column]}' is "
                f"{usable[row, column]:g}. Use a pretreatment that keeps values positive, or "
                "another metric."
            )
