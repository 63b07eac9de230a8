"""The layout of a table: which columns hold ids, targets and metadata."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from drugsig._check import choose, listed, unique_text
from drugsig.errors import InputError, TableError
from drugsig.profiles.profile_set import ID_COLUMN
from drugsig.profiles.tables.cells import CellRules
from drugsig.profiles.tables.grid import Cell, Grid, text_of
from drugsig.profiles.tables.header import Header
from drugsig.profiles.tables.names import (
    ID_NAMES,
    is_compound_name,
    is_metadata_name,
    is_summary_id,
    plain_name,
)
from drugsig.profiles.tables.numerals import Convention, is_number_like, plain_numbers

__all__ = ["Layout", "choose_columns", "find_ids", "id_candidates", "joined_ids"]

_POINT, _COMMA = Convention("."), Convention(",")
# Columns that are tried in pairs where no single column identifies the lines.
_MOST_PAIRED = 10


@dataclass(frozen=True, eq=False)
class Layout:
    """What the columns of a table are.

    Parameters
    ----------
    id_columns : tuple of int
        The columns whose cells, joined by ``/``, are the profile ids.
    targets, metadata : tuple of int
        Columns in the order of the table, or in the order the user named them.
    """

    id_columns: tuple[int, ...]
    targets: tuple[int, ...]
    metadata: tuple[int, ...]


def _indices(grid: Grid, header: Header, names: Sequence[str] | str, what: str) -> tuple[int, ...]:
    wanted = [names] if isinstance(names, str) else list(names)
    unique_text(wanted, what=f"the names given as {what}")
    known = [h for h in header.headings if h]
    return tuple(
        header.headings.index(choose(n, known, what=f"column of {grid.name} ({what})"))
        for n in wanted
    )


def joined_ids(grid: Grid, header: Header, columns: Sequence[int]) -> list[str]:
    """Return the ids of all lines; where a part is empty the id is empty."""
    parts = [[text_of(c) for c in header.cells(k)] for k in columns]
    return ["/".join(p) if all(p) else "" for p in zip(*parts, strict=True)]


def id_candidates(grid: Grid, header: Header) -> list[list[str]]:
    """Return the columns, or else the pairs of columns, that identify every line."""
    whole = [k for k in header.columns if header.headings[k] and _may_identify(grid, header, k)]
    single = [k for k in whole if _identifies(joined_ids(grid, header, [k]))]
    if single:
        return [[header.headings[k]] for k in single]
    known_first = sorted(whole, key=lambda k: not is_metadata_name(header.headings[k]))
    return [
        [header.headings[k] for k in sorted(pair)]
        for pair in itertools.combinations(known_first[:_MOST_PAIRED], 2)
        if _identifies(joined_ids(grid, header, pair))
    ]


def _may_identify(grid: Grid, header: Header, column: int) -> bool:
    """Say whether a column holds text or whole numbers: measured values identify nothing."""
    cells = header.cells(column)
    return all(text_of(c).isdigit() or not _is_number(c) for c in cells)


def _is_number(cell: Cell) -> bool:
    return is_number_like(cell) if isinstance(cell, str) else True


def _identifies(ids: list[str]) -> bool:
    return bool(ids) and all(ids) and len(set(ids)) == len(ids)


def find_ids(
    grid: Grid,
    header: Header,
    id_column: str | Sequence[str] | None,
    guesses: list[str],
) -> tuple[tuple[int, ...], list[str]]:
    """Return the columns that identify the lines, and the ids.

    Without `id_column`: a column with a known name whose cells are filled and unique, else the
    first column if its cells are filled, unique and text.

    Raises
    ------
    TableError
        If ids are missing or come twice, or no column identifies the lines.
    """
    if not header.rows:
        raise TableError(
            f"{grid.name} holds a header ({grid.place(header.row)}) and no line below it.",
            path=grid.source.path,
            line=grid.lines[header.row],
        )
    if id_column is not None:
        columns = _indices(grid, header, id_column, "id_column")
        if not columns:
            raise InputError("id_column names no column; name one, or leave it out")
        return _noted(columns, _checked_ids(grid, header, columns), header, guesses)
    named = sorted(
        (k for k in header.columns if plain_name(header.headings[k]) in ID_NAMES),
        key=lambda k: ID_NAMES.index(plain_name(header.headings[k])),
    )
    first = header.columns[0]
    if not header.headings[first]:
        named.append(first)
    for k in named:
        ids = joined_ids(grid, header, [k])
        if _identifies(ids):
            guesses.append(f"ids are in column '{header.named(k)}'")
            return _noted((k,), ids, header, guesses)
    if named:
        return (named[0],), _checked_ids(grid, header, (named[0],))
    ids = joined_ids(grid, header, [first])
    if _identifies(ids) and not any(_is_number(c) for c in header.cells(first)):
        if is_compound_name(header.headings[first]):
            raise TableError(
                f"{grid.name} is a list of compounds, not a table of profiles: every line is a "
                f"'{header.headings[first]}'. In a table of profiles every line is a specimen and "
                "every target a column.",
                path=grid.source.path,
                line=grid.lines[header.row],
            )
        guesses.append(f"ids are in the first column, '{header.named(first)}'")
        return _noted((first,), ids, header, guesses)
    raise TableError(
        f"{grid.name}: no column is known to identify the profiles. {_suggestion(grid, header)}",
        path=grid.source.path,
        line=grid.lines[header.row],
    )


def _suggestion(grid: Grid, header: Header) -> str:
    found = id_candidates(grid, header)
    if not found:
        columns = [header.headings[k] for k in header.columns if header.headings[k]]
        return (
            "No column, and no two columns together, have a different text in every line. "
            f"Add a column of ids; the columns are {listed(columns, most=20)}."
        )
    best = found[0]
    call = f"'{best[0]}'" if len(best) == 1 else "[" + ", ".join(f"'{b}'" for b in best) + "]"
    return f"These would: id_column={call}."


def _noted(
    columns: tuple[int, ...], ids: list[str], header: Header, guesses: list[str]
) -> tuple[tuple[int, ...], list[str]]:
    """Record what a reader of the ids should know."""
    stored = [k for k in columns if any(not isinstance(c, str) for c in header.cells(k))]
    if stored:
        guesses.append(
            f"ids in column {listed(header.named(k) for k in stored)} are stored as numbers: 1.0 "
            "was read as '1', and leading zeros that the program may show are not in the file"
        )
    summary = [i for i in ids if is_summary_id(i)]
    if summary:
        guesses.append(f"profile(s) {listed(summary)} look like lines of means or totals")
    return columns, ids


def _checked_ids(grid: Grid, header: Header, columns: tuple[int, ...]) -> list[str]:
    ids = joined_ids(grid, header, columns)
    heading = "/".join(header.named(k) for k in columns)
    for place, one in enumerate(ids):
        if not one:
            raise grid.fault(
                "the id is empty. Fill it in, or remove the line if it is no profile.",
                header.rows[place],
                columns[0],
                heading,
            )
    twice = [one for one, count in Counter(ids).items() if count > 1]
    if twice:
        spelled = []
        for one in twice[:5]:
            lines = [str(grid.lines[header.rows[p]]) for p, other in enumerate(ids) if other == one]
            spelled.append(f"'{one}' in lines {', '.join(lines[:5])}")
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        second = [p for p, one in enumerate(ids) if one == twice[0]][1]
        raise grid.fault(
            f"ids come more than once: {'; '.join(spelled)}{more}. {_suggestion(grid, header)}",
            header.rows[second],
            columns[0],
            heading,
        )
    return ids


def choose_columns(
    grid: Grid,
    header: Header,
    id_columns: tuple[int, ...],
    /,
    *,
    targets: Sequence[str] | None,
    metadata: Sequence[str] | None,
    rules: CellRules,
    guesses: list[str],
) -> Layout:
    """Say which columns are targets and which metadata.

    A column named by the user is what the user says. Of the others, a column with a known
    metadata name is metadata; a column of numbers and of texts that stand for cells without a
    value is a target; so is a column most of whose cells are numbers, so that the cell at
    fault is named when it is read; the rest is metadata.

    Raises
    ------
    TableError
        If there is no target.
    InputError
        If a column is named twice.
    """
    told_targets = None if targets is None else _indices(grid, header, targets, "targets")
    told_metadata = None if metadata is None else _indices(grid, header, metadata, "metadata")
    both = set(told_targets or ()) & (set(told_metadata or ()) | set(id_columns))
    if both:
        names = [header.headings[k] for k in sorted(both)]
        raise InputError(f"{listed(names)} cannot be a target and an id or metadata column as well")
    free = [k for k in header.columns if k not in id_columns]
    unnamed = [k for k in free if not header.headings[k]]
    if unnamed:
        guesses.append("the first column has no heading and holds no ids; it was left out")
    free = [k for k in free if header.headings[k]]
    if len(id_columns) > 1:
        # The parts of a joined id stay, so that replicates can be told from specimens.
        free = [k for k in header.columns if header.headings[k]]
    if told_targets is not None:
        chosen = told_targets
        rest = [k for k in free if k not in chosen]
    else:
        kinds = {
            k: _kind(grid, header, k, rules, guesses)
            for k in free
            if k not in (told_metadata or ()) and k not in id_columns
        }
        chosen = tuple(k for k in kinds if kinds[k])
        rest = [k for k in free if k not in chosen]
        if chosen:
            shown = listed([header.headings[k] for k in chosen], most=12)
            guesses.append(f"targets are the columns of numbers without a metadata name: {shown}")
    kept = tuple(rest) if told_metadata is None else told_metadata
    if told_metadata is None and kept:
        shown = listed([header.headings[k] for k in kept], most=12)
        guesses.append(f"metadata are the remaining columns: {shown}")
    left_out = [header.headings[k] for k in rest if k not in kept and k not in id_columns]
    if left_out:
        guesses.append(f"columns not asked for were left out: {listed(left_out, most=12)}")
    if not chosen:
        raise TableError(
            f"{grid.name} has no target: none of its columns is a column of numbers that is not "
            f"metadata by its name. The columns are "
            f"{listed([header.named(k) for k in header.columns], most=20)}. If some of them are "
            "targets, name them: targets=[...].",
            path=grid.source.path,
            line=grid.lines[header.row],
        )
    if ID_COLUMN in {header.headings[k] for k in (*kept, *chosen)}:
        raise TableError(
            f"{grid.name} has a column '{ID_COLUMN}' that does not hold the ids. "
            f"Rename it, or say id_column='{ID_COLUMN}'.",
            path=grid.source.path,
            line=grid.lines[header.row],
            column=ID_COLUMN,
        )
    return Layout(id_columns, tuple(chosen), kept)


def _kind(grid: Grid, header: Header, column: int, rules: CellRules, guesses: list[str]) -> bool:
    """Say whether a column is a target."""
    heading = header.headings[column]
    if is_metadata_name(heading):
        return False
    filled = [c for c in header.cells(column) if c != ""]
    if not filled:
        guesses.append(f"column '{heading}' is empty; it was kept as metadata")
        return False
    if any(plain_numbers(filled, c) is not None for c in (_POINT, _COMMA)):
        return True
    numbers = tokens = texts = 0
    for cell in filled:
        text = text_of(cell)
        if _like_number(cell, text):
            numbers += 1
        elif rules.token(text) is not None:
            tokens += 1
        else:
            texts += 1
    if numbers == 0 and texts == 0:
        guesses.append(
            f"column '{heading}' holds only texts such as {text_of(filled[0])!r}; it was kept as "
            "metadata. If it is a target, name it in targets=[...]"
        )
    return numbers > 0 and numbers >= texts


def _like_number(cell: Cell, text: str) -> bool:
    """Say whether a cell is or was meant as a number, so that a faulty one is not overlooked."""
    if not isinstance(cell, str):
        return True
    bare = text.lstrip("<\u2264=> ").rstrip("% ")
    return is_number_like(bare) or bare.casefold() in ("inf", "-inf", "nan")
