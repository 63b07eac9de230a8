"""How much data an item holds: one profile, or half of what there is of its source."""

from __future__ import annotations

from drugsig.evidence.populations import PopulationRule
from drugsig.profiles.labels import known_texts
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["HALF_COLUMN", "with_halves"]

HALF_COLUMN = "half of source"

_SEPARATOR = " / "


def with_halves(profiles: ProfileSet, rule: PopulationRule, /) -> ProfileSet:
    """Return the same profiles with a column that deals every source into two halves.

    Parameters
    ----------
    profiles : ProfileSet
        With the columns of the rule.
    rule : PopulationRule
        Which names the source, and the specimen.

    Returns
    -------
    ProfileSet
        With the column ``half of source``. Specimens (sequences, where linked pairs must be of
        two) stay whole and take turns in the order of the ids; a source with one of them is
        one item. Profiles that the rule leaves out, or without a source, are an item each.
    """
    rule.check(profiles)
    left_out = rule.left_out(profiles)
    columns = [known_texts(profiles, c) for c in rule.source]
    whole = None if rule.same_sequence else rule.sequence_column(profiles)
    whole = whole or rule.specimen_column(profiles)
    owners = profiles.ids if whole is None else known_texts(profiles, whole)
    turn: dict[str, dict[str, int]] = {}
    texts = [""] * len(profiles)
    for row in profiles.id_order:
        name, own = profiles.ids[row], owners[row]
        parts = [column[row] for column in columns]
        if name in left_out or any(p is None for p in parts):
            texts[row] = f"profile {name}"
            continue
        source = _SEPARATOR.join(str(p) for p in parts)
        seen = turn.setdefault(source, {})
        place = seen.setdefault(own if own is not None else f"profile {name}", len(seen))
        texts[row] = f"{source}{_SEPARATOR}half {place % 2 + 1}"
    return profiles.with_column(HALF_COLUMN, texts)
