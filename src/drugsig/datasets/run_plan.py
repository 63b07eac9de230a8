"""In which order specimens, blanks and controls are acquired."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from drugsig.errors import InputError

__all__ = ["KINDS", "PlannedRun", "plan_runs", "replicate_level"]

KINDS = ("sample", "blank", "control")

# Minutes from one injection to the next, the cooling of the oven included, and days from one
# sequence to the next.
MINUTES_A_RUN = 15
DAYS_A_SEQUENCE = 7
FIRST_HOUR = 8


@dataclass(frozen=True)
class PlannedRun:
    """One place in a sequence.

    Parameters
    ----------
    run_id : str
        Its name: the sequence and the place.
    sequence : int
        Which sequence, from 0.
    position : int
        The place in it, from 1.
    kind : str
        One of `KINDS`.
    profile : int
        The place of the profile that is measured; -1 for blanks and controls.
    progress : float
        How much of the sequence lies behind, from 0 to 1.
    acquired : str
        When, in ISO 8601.
    """

    run_id: str
    sequence: int
    position: int
    kind: str
    profile: int
    progress: float
    acquired: str


def plan_runs(
    table: pd.DataFrame, /, *, sequences: int, blanks: int, controls: int, first_day: str
) -> tuple[PlannedRun, ...]:
    """Put profiles into sequences, with blanks and controls.

    Specimens go into sequences in the order of the profiles. A further preparation is measured
    in the next sequence: scatter within a source that was seen in one sequence only would be too
    small. Each sequence begins with a blank and a control; the others come at its end.

    Parameters
    ----------
    table : DataFrame
        The profiles' metadata, with `specimen_id`, `unit_id` and `preparation_id`.
    sequences : int
        How many.
    blanks, controls : int
        How many of each a sequence has.
    first_day : str
        Of the first sequence, an ISO date.

    Raises
    ------
    InputError
        If the date is none, or there are more sequences than specimens.
    """
    places = _sequences_of(table, sequences)
    try:
        start = datetime.datetime.combine(
            datetime.date.fromisoformat(first_day), datetime.time(FIRST_HOUR), datetime.UTC
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"first_day must be a date such as '2025-01-13', got {first_day!r}"
        ) from error
    out = []
    for sequence in range(sequences):
        mine = [("sample", k) for k, place in enumerate(places) if place == sequence]
        kinds = [
            *[("blank", -1)] * min(blanks, 1),
            *[("control", -1)] * min(controls, 1),
            *mine,
            *[("control", -1)] * max(controls - 1, 0),
            *[("blank", -1)] * max(blanks - 1, 0),
        ]
        for position, (kind, profile) in enumerate(kinds, start=1):
            when = start + datetime.timedelta(
                days=DAYS_A_SEQUENCE * sequence, minutes=MINUTES_A_RUN * (position - 1)
            )
            out.append(
                PlannedRun(
                    run_id=f"Q{sequence + 1}-{position:02d}",
                    sequence=sequence,
                    position=position,
                    kind=kind,
                    profile=profile,
                    progress=(position - 1) / max(len(kinds) - 1, 1),
                    acquired=when.isoformat(),
                )
            )
    return tuple(out)


def _sequences_of(table: pd.DataFrame, sequences: int) -> list[int]:
    """Return the sequence of every profile."""
    specimens = list(dict.fromkeys(table["specimen_id"]))
    if sequences > len(specimens):
        raise InputError(
            f"sequences={sequences} needs as many specimens at least, and there are "
            f"{len(specimens)}"
        )
    first = {one: k * sequences // len(specimens) for k, one in enumerate(specimens)}
    prepared: dict[str, dict[str, int]] = {}
    out = []
    for specimen, preparation in zip(table["specimen_id"], table["preparation_id"], strict=True):
        ordinals = prepared.setdefault(specimen, {})
        ordinal = ordinals.setdefault(preparation, len(ordinals))
        out.append((first[specimen] + ordinal) % sequences)
    return out


def replicate_level(table: pd.DataFrame, /) -> list[str]:
    """Say of every profile what it repeats: "" for the first of a specimen, else the level.

    Parameters
    ----------
    table : DataFrame
        The profiles' metadata, with the ids of the four levels.
    """
    levels: Sequence[str] = ("specimen", "unit", "preparation", "injection")
    seen: set[str] = set()
    out = []
    for ids in table[[f"{level}_id" for level in levels]].itertuples(index=False, name=None):
        new = [level for level, one in zip(levels, ids, strict=True) if one not in seen]
        out.append("" if "specimen" in new else new[0])
        seen.update(ids)
    return out
