"""`join_blocks`: profiles of several techniques side by side, each still a block of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from drugsig._check import listed, unique_text
from drugsig.errors import InputError, MetadataError
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ID_COLUMN, PRETREAT, ProfileSet
from drugsig.profiles.status import Status
from drugsig.protocols.target import Target

__all__ = ["COMBINED", "JOIN", "blocks_of", "join_blocks"]

# The name of the only metric that keeps blocks apart.
COMBINED = "combined"

# What the history says of joined profiles. It stands among the steps of the pretreatment, so that
# sets whose blocks were joined or pretreated differently are never compared with each other.
JOIN = "join_blocks"


def join_blocks(blocks: Mapping[str, ProfileSet], /, *, name: str = "joined") -> ProfileSet:
    """Lay the profiles that several techniques gave of the same specimens side by side.

    The values of different techniques never become one vector: joined profiles are compared with
    `drugsig.combine_metrics`, which scores every block on its own, and any other metric refuses
    them.

    Parameters
    ----------
    blocks : mapping of str to ProfileSet
        The name of each block, such as ``"GC-MS"``, and its profiles, pretreated as the block needs
        it. A specimen has the same profile id in every block.
    name : str
        What messages call the result.

    Returns
    -------
    ProfileSet
        Every profile that is in any block, in the order in which they come; targets are called
        ``"<block>: <target>"``. A block that lacks a profile is *not measured* there. Metadata are
        those of all blocks together.

    Raises
    ------
    InputError
        If fewer than two blocks are given, or a block is joined already.
    MetadataError
        If two blocks contradict each other about a profile.

    Examples
    --------
    >>> gcms = ProfileSet([[2.0, 1.0], [4.0, 3.0]], ["A", "B"], ["001", "002"])
    >>> irms = ProfileSet([[-27.1]], ["d13C"], ["002"])
    >>> joined = join_blocks({"GC-MS": gcms, "IRMS": irms})
    >>> joined.target_names
    ('GC-MS: A', 'GC-MS: B', 'IRMS: d13C')
    >>> joined.measured[0]
    array([ True,  True, False])
    """
    if len(blocks) < 2:
        raise InputError(
            f"joining needs 2 blocks or more, got {len(blocks)}: {listed(blocks) or 'none'}. A "
            "single block is compared as it is."
        )
    unique_text(blocks, what="block names")
    again = [block for block, profiles in blocks.items() if blocks_of(profiles)]
    if again:
        raise InputError(
            f"block {listed(again)} holds joined blocks already. Join all blocks at once."
        )
    ids = tuple(dict.fromkeys(i for profiles in blocks.values() for i in profiles.ids))
    place = {profile: row for row, profile in enumerate(ids)}
    width = sum(len(profiles.targets) for profiles in blocks.values())
    values = np.full((len(ids), width), np.nan)
    limits, uncertainty = values.copy(), values.copy()
    status = np.full(values.shape, Status.NOT_MEASURED, dtype=np.uint8)
    targets: list[Target] = []
    members: dict[str, dict[str, Any]] = {}
    for block, profiles in blocks.items():
        rows = np.array([place[i] for i in profiles.ids], dtype=np.intp)
        cells = np.ix_(rows, np.arange(len(targets), len(targets) + len(profiles.targets)))
        values[cells], status[cells] = profiles.values, profiles.status
        limits[cells], uncertainty[cells] = profiles.limits, profiles.uncertainty
        own = [Target(f"{block}: {t.name}", t.role, t.unit) for t in profiles.targets]
        targets += own
        members[block] = {
            "targets": [t.name for t in own],
            "pretreatment": list(profiles.pretreatment),
        }
    # As a list of pairs: the order of the blocks is that of the targets.
    step = {"step": JOIN, "blocks": [[block, facts] for block, facts in members.items()]}
    return ProfileSet(
        values,
        targets,
        _metadata(blocks, ids),
        status=status,
        limits=limits,
        uncertainty=uncertainty,
        history=[Step.make(PRETREAT, {"steps": [step]})],
        name=name,
    )


def blocks_of(profiles: ProfileSet, /) -> dict[str, dict[str, Any]]:
    """Return the blocks of joined profiles, empty where nothing was joined.

    Parameters
    ----------
    profiles : ProfileSet
        Any profiles.

    Returns
    -------
    dict
        For every block the names of its ``"targets"`` as the joined profiles call them, and its
        ``"pretreatment"``.
    """
    for step in profiles.pretreatment:
        if step["step"] == JOIN:
            return {str(block): dict(facts) for block, facts in step["blocks"]}
    return {}


def _metadata(blocks: Mapping[str, ProfileSet], ids: tuple[str, ...]) -> dict[str, list[object]]:
    """Return the metadata of all blocks; what one leaves empty another may fill."""
    columns: dict[str, dict[str, str | None]] = {}
    said_by: dict[tuple[str, str], str] = {}
    for block, profiles in blocks.items():
        for column in profiles.metadata_columns:
            cells = columns.setdefault(column, {})
            for profile, text in zip(profiles.ids, profiles.column(column), strict=True):
                if text is None:
                    continue
                if cells.get(profile, text) != text:
                    raise MetadataError(
                        f"profile '{profile}' is {cells[profile]!r} in column '{column}' of block "
                        f"'{said_by[column, profile]}' and {text!r} in that of block '{block}'. "
                        "Correct one of them, or give the profiles different ids if they are not "
                        "of one specimen."
                    )
                cells[profile] = text
                said_by.setdefault((column, profile), block)
    return {
        ID_COLUMN: list(ids),
        **{column: [cells.get(i) for i in ids] for column, cells in columns.items()},
    }
