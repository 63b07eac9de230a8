"""The ids of a table: which columns hold them, and what a reader should know of them."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from drugsig._check import choose, listed, unique_text
from drugsig.errors import InputError, TableError
from drugsig.profiles.tables.grid import Cell, DateText, Grid, text_of
from drugsig.profiles.tables.header import Header
from drugsig.profiles.tables.names import (
    ID_NAMES,
    is_compound_name,
    is_id_name,
    is_measured_name,
    is_metadata_name,
    is_summary_id,
    plain_name,
)
from drugsig.profiles.tables.notes import Guess
from drugsig.profiles.tables.numerals import is_number_like

__all__ = [
    "column_indices",
    "find_ids",
    "id_candidates",
    "joined_ids",
    "leave_out_lines",
    "refuse_long_table",
]

# Columns that are tried in pairs where no single column identifies the lines.
_MOST_PAIRED = 10
# How many ids a sentence of the history spells out.
_SPELLED = 20
# A spreadsheet keeps so many digits of a number and puts zeros in place of the others.
_DIGITS_KEPT = 15
# How a spreadsheet shows, and then saves as text, a number too long for its column.
_SHORTENED = re.compile(r"\d[.,]\d+E\+\d\d")
# More columns of numbers beside the names of compounds are a list of compounds or a wide table.
_MOST_LONG = 3


def column_indices(
    grid: Grid, header: Header, names: Sequence[str] | str, what: str
) -> tuple[int, ...]:
    """Return the places of the columns that a user named.

    Raises
    ------
    InputError
        If a name comes twice.
    UnknownNameError
        If there is no such column.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    unique_text(wanted, what=f"the names given as {what}")
    known = [h for h in header.headings if h]
    return tuple(
        header.headings.index(choose(n, known, what=f"column of {grid.name} ({what})"))
        for n in wanted
    )


def joined_ids(header: Header, columns: Sequence[int]) -> list[str]:
    """Return the ids of all lines; where a part is empty the id is empty."""
    parts = [[text_of(c) for c in header.cells(k)] for k in columns]
    return ["/".join(p) if all(p) else "" for p in zip(*parts, strict=True)]


def id_candidates(header: Header) -> list[list[str]]:
    """Return the columns, or else the pairs of columns, that identify every line."""
    whole = [k for k in header.columns if header.headings[k] and _may_identify(header, k)]
    single = [k for k in whole if _identifies(joined_ids(header, [k]))]
    if single:
        return [[header.headings[k]] for k in single]
    known_first = sorted(whole, key=lambda k: not is_metadata_name(header.headings[k]))
    return [
        [header.headings[k] for k in sorted(pair)]
        for pair in itertools.combinations(known_first[:_MOST_PAIRED], 2)
        if _identifies(joined_ids(header, pair))
    ]


def _may_identify(header: Header, column: int) -> bool:
    """Say whether a column holds text, or numbers that its name says are no measured values."""
    heading = header.headings[column]
    if is_compound_name(heading):
        return False
    numbers = [c for c in header.cells(column) if _is_number(c)]
    if not numbers:
        return True
    return (
        all(text_of(c).isdigit() for c in numbers)
        and is_metadata_name(heading)
        and not is_measured_name(heading)
    )


def _is_number(cell: Cell) -> bool:
    return is_number_like(cell) if isinstance(cell, str) else True


def _identifies(ids: list[str]) -> bool:
    return bool(ids) and all(ids) and len(set(ids)) == len(ids)


def refuse_long_table(grid: Grid, header: Header) -> None:
    """Refuse a table with a line a compound of a specimen.

    Raises
    ------
    TableError
        If one specimen has lines of different compounds, and few columns hold numbers.
    """
    named = [k for k in header.columns if is_compound_name(header.headings[k])]
    if not named:
        return
    numbers = [
        k
        for k in header.columns
        if not is_metadata_name(header.headings[k])
        and any(c != "" for c in header.cells(k))
        and all(c == "" or _is_number(c) for c in header.cells(k))
    ]
    if not 0 < len(numbers) <= _MOST_LONG:
        return
    specimens = set(_known_columns(header) or header.columns[:1])
    for k in named:
        compounds = [text_of(c) for c in header.cells(k)]
        if any(_has_several(header.cells(s), compounds) for s in specimens - {k, *numbers}):
            raise TableError(
                f"{grid.name}: this is a long table: one line a compound ('{header.headings[k]}'). "
                "Make it wide first (a pivot table: one line a specimen, one column a compound).",
                path=grid.source.path,
                line=grid.lines[header.row],
                column=header.headings[k],
            )


def _has_several(specimens: Sequence[Cell], compounds: Sequence[str]) -> bool:
    """Say whether half of the specimens have lines of more than one compound."""
    found: dict[Cell, set[str]] = {}
    for specimen, compound in zip(specimens, compounds, strict=True):
        found.setdefault(specimen, set()).add(compound)
    return 2 * sum(len(several) > 1 for several in found.values()) >= len(found)


def _known_columns(header: Header) -> list[int]:
    """Return the columns that ids are looked for in by their names, the likeliest first."""
    named = sorted(
        (k for k in header.columns if plain_name(header.headings[k]) in ID_NAMES),
        key=lambda k: ID_NAMES.index(plain_name(header.headings[k])),
    )
    first = header.columns[0]
    return named if header.headings[first] else [*named, first]


def leave_out_lines(
    grid: Grid,
    header: Header,
    id_column: str | Sequence[str] | None,
    leave_out: Sequence[str],
) -> tuple[Header, tuple[Guess, ...]]:
    """Return the header above all lines but those whose ids are named, and say which are left out.

    Raises
    ------
    InputError
        If `leave_out` is no list of different ids.
    UnknownNameError
        If no line has such an id.
    """
    if isinstance(leave_out, str) or not isinstance(leave_out, Sequence):
        raise InputError(f"leave_out must be a list of ids, got {leave_out!r}")
    wanted = unique_text(leave_out, what="the ids in leave_out")
    if id_column is not None:
        tried = [column_indices(grid, header, id_column, "id_column")]
    else:
        tried = [(k,) for k in _known_columns(header)] or [(header.columns[0],)]
    found = [joined_ids(header, columns) for columns in tried]
    ids = next((one for one in found if set(wanted) <= set(one)), found[0])
    for one in wanted:
        choose(one, list(dict.fromkeys(ids)), what=f"id in leave_out, of {grid.name}")
    kept = [place for place, one in enumerate(ids) if one not in wanted]
    # How many, not which: what is to be left out stands in no result.
    said = f"{len(wanted)} id(s) left out as asked by leave_out"
    return header.keeping(kept), (Guess(said),) if wanted else ()


def find_ids(
    grid: Grid,
    header: Header,
    id_column: str | Sequence[str] | None,
) -> tuple[tuple[int, ...], list[str], tuple[Guess, ...]]:
    """Return the columns that identify the lines, the ids, and what was decided of them.

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
        columns = column_indices(grid, header, id_column, "id_column")
        if not columns:
            raise InputError("id_column names no column; name one, or leave it out")
        ids = _checked_ids(grid, header, columns)
        return columns, ids, tuple(_about_ids(grid, header, columns, ids))
    named = _known_columns(header)
    for k in named:
        ids = joined_ids(header, [k])
        if _identifies(ids):
            guess = Guess(f"ids are in column '{header.named(k)}'")
            return (k,), ids, (guess, *_about_ids(grid, header, (k,), ids))
    if named:
        return (named[0],), _checked_ids(grid, header, (named[0],)), ()
    first = header.columns[0]
    ids = joined_ids(header, [first])
    if _identifies(ids) and not any(_is_number(c) for c in header.cells(first)):
        if is_compound_name(header.headings[first]):
            raise TableError(
                f"{grid.name} is a list of compounds, not a table of profiles: every line is a "
                f"'{header.headings[first]}'. In a table of profiles every line is a specimen and "
                "every target a column; if its columns are specimens, transpose it first.",
                path=grid.source.path,
                line=grid.lines[header.row],
            )
        guess = Guess(f"ids are in the first column, '{header.named(first)}'")
        return (first,), ids, (guess, *_about_ids(grid, header, (first,), ids))
    raise TableError(
        f"{grid.name}: no column is known to identify the profiles. {_suggestion(header)}",
        path=grid.source.path,
        line=grid.lines[header.row],
    )


def _suggestion(header: Header) -> str:
    found = id_candidates(header)
    if not found:
        columns = [header.headings[k] for k in header.columns if header.headings[k]]
        return (
            "No column of text or known metadata, and no two of them together, differ in every "
            f"line. Add a column of ids; the columns are {listed(columns, most=20)}."
        )
    best = found[0]
    call = f"'{best[0]}'" if len(best) == 1 else "[" + ", ".join(f"'{b}'" for b in best) + "]"
    return f"These would: id_column={call}."


def _about_ids(
    grid: Grid, header: Header, columns: tuple[int, ...], ids: list[str]
) -> Iterator[Guess]:
    """Yield what a reader of the ids should know."""
    for k in columns:
        # The number of an injection is a number; beside another id it is none to lose zeros.
        if len(columns) == 1 or is_id_name(header.headings[k]):
            yield from _about_stored(grid, header, k)
    summary = [i for i in ids if is_summary_id(i)]
    if summary:
        yield Guess(
            f"profile(s) {listed(summary, most=_SPELLED)} look like lines of means or totals, "
            "blanks or controls, and will be compared like all others; if they are no specimens, "
            f"say leave_out={summary[:_SPELLED]}",
            risky=True,
        )


def _about_stored(grid: Grid, header: Header, column: int) -> Iterator[Guess]:
    """Point out ids that a spreadsheet has made of something else."""
    cells = header.cells(column)
    named = f"column '{header.named(column)}'"
    stored = [text_of(c) for c in cells if not isinstance(c, str)]
    if stored:
        yield Guess(
            f"{len(stored)} id(s) in {named} are stored as numbers, {listed(stored)}: zeros that "
            f"the laboratory writes, as in 0{stored[0]} or 24.10, are not in the file",
            risky=True,
        )
    dates = [(place, c) for place, c in enumerate(cells) if isinstance(c, DateText)]
    if dates:
        shown = "; ".join(
            f"{_as_typed(c)} became {c!s} in {grid.place(header.rows[place], column)}"
            for place, c in dates[:5]
        )
        more = f" and {len(dates) - 5} more" if len(dates) > 5 else ""
        yield Guess(
            f"{len(dates)} id(s) in {named} are stored as dates; a spreadsheet makes dates of ids: "
            f"perhaps {shown}{more}",
            risky=True,
        )
    long = [text_of(c) for c in cells if _has_lost_digits(c)]
    if long:
        yield Guess(
            f"{len(long)} id(s) in {named} are numbers with more than {_DIGITS_KEPT} digits, "
            f"{listed(long)}: a spreadsheet keeps {_DIGITS_KEPT} and changes the others",
            risky=True,
        )


def _has_lost_digits(cell: Cell) -> bool:
    if not isinstance(cell, str):
        return len(str(abs(int(cell)))) > _DIGITS_KEPT
    many = sum(c.isdigit() for c in cell) > _DIGITS_KEPT and is_number_like(cell)
    return many or _SHORTENED.fullmatch(cell) is not None


def _as_typed(date: str) -> str:
    """Return what a spreadsheet may have made a date of."""
    day, _, _ = date.partition("T")
    parts = day.split("-")
    return f"{int(parts[2])}-{int(parts[1])}" if len(parts) == 3 else date[:5].lstrip("0")


def _checked_ids(grid: Grid, header: Header, columns: tuple[int, ...]) -> list[str]:
    ids = joined_ids(header, columns)
    heading = "/".join(header.named(k) for k in columns)
    for place, one in enumerate(ids):
        if not one:
            line = grid.lines[header.rows[place]]
            raise grid.fault(
                "the id is empty. Fill it in (merged cells hold it in their first row only), or if "
                f"the line is no profile leave it out: skip_lines=[{line}].",
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
        advice = _suggestion(header)
        if all(is_summary_id(one) for one in twice):
            advice = f"If these lines are no profiles, leave them out: leave_out={twice[:5]}."
        raise grid.fault(
            f"ids come more than once: {'; '.join(spelled)}{more}. {advice}",
            header.rows[second],
            columns[0],
            heading,
        )
    return ids
