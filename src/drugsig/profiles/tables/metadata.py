"""Metadata that stand in another sheet or file, joined to the profiles by their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drugsig._check import choose, listed
from drugsig.errors import MetadataError, TableError
from drugsig.profiles.profile_set import ID_COLUMN
from drugsig.profiles.tables.grid import Grid, text_of
from drugsig.profiles.tables.header import Header, find_header
from drugsig.profiles.tables.ids import joined_ids
from drugsig.profiles.tables.names import ID_NAMES, plain_name
from drugsig.profiles.tables.notes import Guess

__all__ = ["MISSING_CHOICES", "JoinedMetadata", "join_metadata"]

MISSING_CHOICES = ("refuse", "empty")

# How many profiles without metadata the history spells out.
_SPELLED = 20


@dataclass(frozen=True, eq=False)
class JoinedMetadata:
    """Columns of another table, in the order of the profiles.

    Parameters
    ----------
    columns : mapping of str to list
        None where a cell is empty.
    detail : mapping
        What the history says of it.
    """

    columns: Mapping[str, list[str | None]]
    detail: Mapping[str, Any]


def join_metadata(
    grid: Grid,
    ids: Sequence[str],
    /,
    *,
    id_headings: Sequence[str],
    id_column: str | Sequence[str] | None,
    missing: str,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> JoinedMetadata:
    """Look up the metadata of every profile.

    Parameters
    ----------
    grid : Grid
        The table of metadata.
    ids : sequence of str
        The profiles.
    id_headings : sequence of str
        The headings of the ids in the table of profiles.
    id_column : str or sequence of str, optional
        The headings of the ids here. Without it the same headings as there, else a column with
        a known name, else the first column, whichever first holds ids of the profiles.
    missing : {"refuse", "empty"}
        What to do where a profile has no metadata.
    columns : mapping of str to sequence of str, optional
        The columns of the profiles that may join the metadata instead of their ids: where
        `id_column` names one of them, or one part of joined ids.

    Raises
    ------
    MetadataError
        If profiles lack metadata, or an id has two lines that differ.
    """
    header, guesses = find_header(
        grid, wanted=[id_column] if isinstance(id_column, str) else id_column or ()
    )
    columns = columns or {}
    mine = {h: columns[h] for h in id_headings if len(id_headings) > 1 and h in columns}
    places, keys, found = _find_keys(grid, header, ids, id_headings, id_column, mine)
    guesses += found
    sought, joined_by = ids, None
    if id_column is not None:
        named = {header.headings[places[0]]} if len(places) == 1 else set()
        shared = {h: cells for h, cells in columns.items() if h in named}
        sought, joined_by = _sought(ids, shared, mine, keys)
    if joined_by is not None:
        said = "of the profiles, not by their whole ids"
        guesses += (Guess(f"metadata are joined by column '{joined_by}' {said}"),)
    kept = [k for k in header.columns if header.headings[k] and k not in places]
    table = [[text_of(c) or None for c in header.cells(k)] for k in kept]
    lines, found = _lines_of(grid, header, keys, [header.headings[k] for k in kept], table)
    guesses += found
    without = [one for one, key in zip(ids, sought, strict=True) if key not in lines]
    if without and missing == "refuse":
        raise MetadataError(
            f"{grid.name}: {len(without)} of {len(ids)} profiles have no line of metadata: "
            f"{listed(without)}. Add them, or say metadata_missing='empty' to leave their cells "
            "empty."
        )
    wanted = set(sought)
    unused = sum(key not in wanted for key in lines)
    detail: dict[str, Any] = {
        "file": grid.source.name,
        "sha256": grid.source.sha256,
        "sheet": grid.sheet,
        "header_line": grid.lines[header.row],
        "id_column": [header.headings[k] for k in places],
        "profile_column": joined_by,
        "columns": [header.headings[k] for k in kept],
        "profiles_without": without[:_SPELLED],
        "n_profiles_without": len(without),
        "n_ids_without_profile": unused,
        "guesses": [guess.text for guess in (*grid.guesses, *guesses)],
    }
    return JoinedMetadata(
        {
            header.headings[k]: [cells[lines[key]] if key in lines else None for key in sought]
            for k, cells in zip(kept, table, strict=True)
        },
        detail,
    )


def _sought(
    ids: Sequence[str],
    shared: Mapping[str, Sequence[str]],
    parts: Mapping[str, Sequence[str]],
    keys: Sequence[str],
) -> tuple[Sequence[str], str | None]:
    """Return what is looked up for every profile, and the column it stands in; None for the ids.

    A column of that name in both tables, else the whole ids, else one part of them.
    """
    known = set(keys)
    tried: list[tuple[str | None, Sequence[str]]] = [*shared.items(), (None, ids), *parts.items()]
    for heading, cells in tried:
        if known.intersection(c for c in cells if c):
            return (ids, None) if list(cells) == list(ids) else (cells, heading)
    return ids, None


def _find_keys(
    grid: Grid,
    header: Header,
    ids: Sequence[str],
    id_headings: Sequence[str],
    id_column: str | Sequence[str] | None,
    parts: Mapping[str, Sequence[str]],
) -> tuple[tuple[int, ...], list[str], tuple[Guess, ...]]:
    known = [h for h in header.headings if h]
    if id_column is not None:
        names = [id_column] if isinstance(id_column, str) else list(id_column)
        what = f"column of {grid.name} (metadata_id_column)"
        columns = tuple(header.headings.index(choose(n, known, what=what)) for n in names)
        return columns, joined_ids(header, columns), ()
    tried: list[tuple[int, ...]] = []
    if id_headings and all(h in known for h in id_headings):
        tried.append(tuple(header.headings.index(h) for h in id_headings))
    tried.extend(
        (header.headings.index(h),)
        for h in sorted(
            (h for h in known if plain_name(h) in ID_NAMES),
            key=lambda h: ID_NAMES.index(plain_name(h)),
        )
    )
    tried.append((header.columns[0],))
    wanted = set(ids)
    for columns in tried:
        keys = joined_ids(header, columns)
        if wanted.intersection(keys):
            names = [header.named(k) for k in columns]
            return columns, keys, (Guess(f"metadata are joined by {listed(names)}"),)
    advice = "Name the column that holds them: metadata_id_column=."
    for columns in tried:
        keys = joined_ids(header, columns)
        part = next((h for h, cells in parts.items() if set(cells).intersection(keys)), None)
        if part is not None and len(columns) == 1 and header.headings[columns[0]]:
            here = header.headings[columns[0]]
            advice = f"To join them by '{part}' alone, say metadata_id_column='{here}'."
            break
    raise MetadataError(
        f"{grid.name}: no id of the profiles ({listed(ids)}) stands in "
        f"{listed(dict.fromkeys(header.named(c[0]) for c in tried))}. {advice}"
    )


def _lines_of(
    grid: Grid,
    header: Header,
    keys: list[str],
    headings: list[str],
    table: list[list[str | None]],
) -> tuple[dict[str, int], tuple[Guess, ...]]:
    """Return the line of every id; lines that say the same of one id count once."""
    guesses: list[Guess] = []
    if ID_COLUMN in headings:
        raise TableError(
            f"{grid.name} has a column '{ID_COLUMN}' that was not used to join the metadata. "
            f"Rename it, or say metadata_id_column='{ID_COLUMN}'.",
            path=grid.source.path,
            column=ID_COLUMN,
        )
    lines: dict[str, int] = {}
    repeated: Counter[str] = Counter()
    for row, key in enumerate(keys):
        if not key:
            line = grid.lines[header.rows[row]]
            guesses.append(Guess(f"line {line} of the metadata has no id; skipped"))
            continue
        first = lines.setdefault(key, row)
        if first == row:
            continue
        differ = [h for h, c in zip(headings, table, strict=True) if c[first] != c[row]]
        if differ:
            raise MetadataError(
                f"{grid.name}: id '{key}' has two lines of metadata, "
                f"{grid.lines[header.rows[first]]} and {grid.lines[header.rows[row]]}, that differ "
                f"in {listed(differ)}. Keep the right one."
            )
        repeated[key] += 1
    if repeated:
        said = f"{len(repeated)} id(s) have several identical lines of metadata"
        guesses.append(Guess(said))
    return lines, tuple(guesses)
