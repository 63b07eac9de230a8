"""From a file to profiles: the stages of reading, and the trace they leave."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from drugsig._check import choose, listed, one_line_text
from drugsig._codec import given
from drugsig.errors import InputError, MetadataError, ReadError, TableError
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ID_COLUMN, ProfileSet
from drugsig.profiles.status import is_usable
from drugsig.profiles.tables.cells import CellFault, CellRules, TargetColumn, read_column
from drugsig.profiles.tables.convention import column_convention, find_convention
from drugsig.profiles.tables.delimited import text_grid
from drugsig.profiles.tables.grid import Grid, text_of
from drugsig.profiles.tables.header import Header, find_header, refuse_peak_list
from drugsig.profiles.tables.ids import find_ids, leave_out_lines, refuse_long_table
from drugsig.profiles.tables.layout import Layout, choose_columns, without_percent_signs
from drugsig.profiles.tables.metadata import MISSING_CHOICES, JoinedMetadata, join_metadata
from drugsig.profiles.tables.names import (
    is_internal_standard,
    is_main_compound,
    is_measured_name,
    is_sum_name,
)
from drugsig.profiles.tables.native import native_sheet, read_native
from drugsig.profiles.tables.notes import Guess
from drugsig.profiles.tables.numerals import Convention
from drugsig.profiles.tables.source import Source, open_source
from drugsig.profiles.tables.workbook import Workbook, open_workbook, sheet_grid
from drugsig.protocols.target import Target

__all__ = ["ReadingOptions", "Trace", "assemble", "possible_targets"]

# The keywords that mean something for a table in drugsig's own format.
_NATIVE_KEYWORDS = ("name", "sheet")


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """The keywords of `read_profiles`; what each means is said there."""

    sheet: str | None = None
    id_column: str | Sequence[str] | None = None
    targets: Sequence[str] | None = None
    metadata: Sequence[str] | None = None
    roles: Mapping[str, str] | None = None
    metadata_sheet: str | None = None
    metadata_path: str | os.PathLike[str] | None = None
    metadata_id_column: str | Sequence[str] | None = None
    metadata_missing: str = "refuse"
    unit: str = "area"
    header_line: int | None = None
    skip_lines: Sequence[int] | None = None
    leave_out: Sequence[str] | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    empty: str = "not_measured"
    less_than: str = "below_lod"
    tokens: Mapping[str, str] | None = None
    negative: str = "refuse"
    name: str | None = None

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Return the keywords, in order."""
        return tuple(each.name for each in fields(cls))

    @property
    def given(self) -> dict[str, Any]:
        """What was said and differs from the defaults."""
        return given(self)

    @property
    def skipped(self) -> list[int]:
        """The lines that are left out.

        Raises
        ------
        InputError
            If they are no list of line numbers.
        """
        lines = self.skip_lines
        if lines is None:
            return []
        if not (
            isinstance(lines, Sequence)
            and not isinstance(lines, str)
            and all(isinstance(line, int) and not isinstance(line, bool) for line in lines)
        ):
            raise InputError(
                f"skip_lines must be a list of line numbers, counted from 1, got {lines!r}"
            )
        return list(lines)

    @property
    def headings(self) -> list[str]:
        """The headings that the user named, so that the header is the line that has them.

        Raises
        ------
        InputError
            If targets or metadata are no list of headings.
        """
        named: list[str] = []
        for key in ("id_column", "targets", "metadata"):
            value = getattr(self, key)
            if isinstance(value, str) and key == "id_column":
                named.append(value)
            elif isinstance(value, Sequence) and not isinstance(value, str):
                named.extend(str(v) for v in value)
            elif value is not None:
                raise InputError(f"{key} must be a list of headings, got {value!r}")
        return named


@dataclass(eq=False)
class Trace:
    """What reading found, stage by stage; what a failed stage would find is missing.

    Parameters
    ----------
    source : Source, optional
        The file.
    metadata_source : Source, optional
        The file of metadata, if it is another one.
    workbook : Workbook, optional
        Its sheets, if it is a workbook.
    grid : Grid, optional
        The cells of the table.
    header : Header, optional
        Its headings.
    layout : Layout, optional
        What its columns are.
    convention : Convention, optional
        How its numbers are written.
    is_native : bool
        Whether it is in drugsig's own format.
    guesses : list of Guess
        What was decided without being told.
    """

    source: Source | None = None
    metadata_source: Source | None = None
    workbook: Workbook | None = None
    grid: Grid | None = None
    header: Header | None = None
    layout: Layout | None = None
    convention: Convention | None = None
    is_native: bool = False
    guesses: list[Guess] = field(default_factory=list)

    @property
    def risks(self) -> tuple[str, ...]:
        """Those of the guesses that a reader must see at once."""
        return tuple(guess.text for guess in self.guesses if guess.risky)


def assemble(path: str | os.PathLike[str], options: ReadingOptions, trace: Trace) -> ProfileSet:
    """Read profiles as `read_profiles` says, and leave in `trace` what was found.

    Raises
    ------
    ReadError, TableError, MetadataError, SizeError
        See `read_profiles`.
    """
    rules = CellRules.make(
        empty=options.empty,
        less_than=options.less_than,
        negative=options.negative,
        tokens=options.tokens,
    )
    choose(options.metadata_missing, MISSING_CHOICES, what="value of metadata_missing")
    source = trace.source = open_source(path, encoding=options.encoding)
    book = trace.workbook = open_workbook(source) if source.is_workbook else None
    own = native_sheet(source, book, options.sheet)
    if own is not None:
        trace.is_native = True
        profiles, found = _native(source, book, own, options)
        trace.guesses += found
        return profiles
    grid = trace.grid = _profile_grid(source, book, options)
    trace.guesses += grid.guesses
    if options.targets is None:
        refuse_peak_list(grid)
    return _foreign(grid, book, options, rules, trace)


def _native(
    source: Source, book: Workbook | None, sheet: str, options: ReadingOptions
) -> tuple[ProfileSet, tuple[Guess, ...]]:
    """Read drugsig's own format, which says everything itself."""
    needless = [key for key in options.given if key not in _NATIVE_KEYWORDS]
    if needless:
        raise InputError(
            f"{source.name} is in drugsig's own format and says itself what it holds. "
            f"Leave out {needless[0]}=, and change the profiles after reading them."
        )
    return read_native(source, book, sheet, name=options.name)


def possible_targets(grid: Grid) -> int:
    """Return how many columns of a grid would be read as targets; 0 if it is no such table."""
    try:
        refuse_peak_list(grid)
        header, _ = find_header(grid)
        refuse_long_table(grid, header)
        id_columns, _, _ = find_ids(grid, header, None)
        layout, _ = choose_columns(
            grid,
            header,
            id_columns,
            targets=None,
            metadata=None,
            rules=CellRules.make(),
        )
    except TableError:
        return 0
    return len(layout.targets)


def _choose_sheet(book: Workbook) -> TableError:
    """Return the error that asks for a sheet and names one that looks like profiles."""
    likely = ""
    for name in book.sheets:
        try:
            if possible_targets(sheet_grid(book, name)):
                likely = name
                break
        except ReadError:
            continue
    return TableError(
        f"{book.source.name} has {len(book.sheets)} sheets: {listed(book.sheets, most=40)}. Say "
        f"which one holds the profiles: sheet='{likely or book.sheets[0]}'"
        + (" looks like it" if likely else "")
        + " (as a keyword and in an analysis file; --sheet on the command line).",
        path=book.source.path,
    )


def _profile_grid(source: Source, book: Workbook | None, said: ReadingOptions) -> Grid:
    if book is not None:
        if said.sheet is None and len(book.sheets) > 1:
            raise _choose_sheet(book)
        return sheet_grid(book, said.sheet, skip=said.skipped)
    if said.sheet is not None:
        raise InputError(f"{source.name} is a text file and has no sheets: leave out sheet=.")
    return text_grid(
        source,
        delimiter=said.delimiter,
        encoding=said.encoding,
        skip=said.skipped,
    )


def _foreign(
    grid: Grid, book: Workbook | None, said: ReadingOptions, rules: CellRules, trace: Trace
) -> ProfileSet:
    header, found = find_header(
        grid,
        wanted=said.headings,
        header_line=said.header_line,
    )
    trace.header = header
    trace.guesses += found
    if said.targets is None:
        refuse_long_table(grid, header)
    leave_out = said.leave_out
    if leave_out is not None:
        header, found = leave_out_lines(grid, header, said.id_column, leave_out)
        trace.header = header
        trace.guesses += found
    id_columns, ids, found = find_ids(grid, header, said.id_column)
    trace.guesses += found
    layout, found = choose_columns(
        grid,
        header,
        id_columns,
        targets=said.targets,
        metadata=said.metadata,
        rules=rules,
    )
    trace.layout = layout
    trace.guesses += found
    header, percent, found = without_percent_signs(header, layout.targets, rules)
    trace.guesses += found
    convention, found = find_convention(
        grid,
        [(k, header.headings[k]) for k in layout.targets],
        header,
        also=[
            (k, header.headings[k]) for k in layout.metadata if is_measured_name(header.headings[k])
        ],
        decimal=said.decimal,
        thousands=said.thousands,
    )
    trace.convention = convention
    trace.guesses += found
    targets, found = _targets(header, layout, said, percent)
    trace.guesses += found
    columns = []
    for k in layout.targets:
        own, found = column_convention(grid, header, k, convention, thousands=said.thousands)
        trace.guesses += found
        columns.append(_column(grid, header, k, own, rules))
    table: dict[str, list[str | None]] = {ID_COLUMN: [*ids]}
    for k in layout.metadata:
        table[header.headings[k]] = [text_of(c) or None for c in header.cells(k)]
    trace.guesses += _unmeasured(ids, columns)
    joined = _joined(grid, book, header, layout, ids, said, trace)
    if joined is not None:
        _merge(table, joined, [t.name for t in targets], grid)
    counts: Counter[str] = Counter()
    for column in columns:
        counts.update(column.counts)
    detail = {
        "file": grid.source.name,
        "sha256": grid.source.sha256,
        "format": "xlsx" if book is not None else "text",
        "sheet": grid.sheet,
        "encoding": grid.encoding,
        "delimiter": grid.delimiter,
        "decimal": convention.decimal,
        "thousands": convention.thousands,
        "header_line": grid.lines[header.row],
        "skip_lines": sorted(said.skipped),
        # How many, not which: ids that were to be left out stand in no result.
        "n_left_out": len(leave_out or ()),
        "id_column": [header.headings[k] for k in id_columns],
        "targets": [t.name for t in targets],
        "metadata": [header.headings[k] for k in layout.metadata],
        "joined": None if joined is None else dict(joined.detail),
        "rules": {key: getattr(said, key) for key in ("empty", "less_than", "negative")}
        | {"tokens": {text: status.label for text, status in rules.tokens.items()}},
        "counts": dict(sorted(counts.items())),
        "guesses": [guess.text for guess in trace.guesses],
        "risks": list(trace.risks),
    }
    return ProfileSet(
        np.column_stack([c.values for c in columns]),
        targets,
        table,
        status=np.column_stack([c.status for c in columns]),
        limits=np.column_stack([c.limits for c in columns]),
        history=[Step.make("read", detail)],
        name=_set_name(grid, book, said.name),
    )


def _targets(
    header: Header, layout: Layout, said: ReadingOptions, percent: tuple[int, ...]
) -> tuple[tuple[Target, ...], tuple[Guess, ...]]:
    roles = {} if said.roles is None else said.roles
    if not isinstance(roles, Mapping):
        raise InputError(f"roles must map names of targets to roles, got {roles!r}")
    names = [header.headings[k] for k in layout.targets]
    for name in roles:
        choose(name, names, what="target in roles")
    unit = one_line_text(said.unit, what="the unit of the values")
    # Another unit than the default was meant by whoever named it.
    has_default = unit == ReadingOptions.unit
    made = tuple(
        Target(name, roles.get(name, "impurity"), "%" if k in percent and has_default else unit)
        for k, name in zip(layout.targets, names, strict=True)
    )
    risks = []
    for name in (t.name for t in made if t.role == "impurity"):
        read = f"'{name}' is read as an impurity although it"
        if is_internal_standard(name):
            risks.append(
                f"{read} has the name of an internal standard; say "
                f"roles={{'{name}': 'internal_standard'}} if it is one"
            )
        elif is_main_compound(name):
            risks.append(
                f"{read} has the name of a main compound; say roles={{'{name}': 'main'}} if it is "
                "one"
            )
        elif is_sum_name(name):
            risks.append(
                f"{read} looks like a sum over the line; name it in metadata=[...] if it is"
            )
    return made, tuple(Guess(text, risky=True) for text in risks)


def _column(
    grid: Grid, header: Header, column: int, convention: Convention, rules: CellRules
) -> TargetColumn:
    try:
        return read_column(header.cells(column), convention, rules)
    except CellFault as fault:
        raise grid.fault(
            fault.message, header.rows[fault.row], column, header.headings[column]
        ) from None


def _unmeasured(ids: list[str], columns: list[TargetColumn]) -> tuple[Guess, ...]:
    """Point out lines without any value: footnotes look like this."""
    usable = np.any([is_usable(c.status) for c in columns], axis=0)
    without = [one for one, measured in zip(ids, usable, strict=True) if not measured]
    if not without:
        return ()
    return (
        Guess(
            f"{len(without)} profile(s) have no measured target: {listed(without)}; a footnote or "
            "a heading inside the table looks like this, and can be left out: leave_out=, "
            "skip_lines="
        ),
    )


def _joined(
    grid: Grid,
    book: Workbook | None,
    header: Header,
    layout: Layout,
    ids: list[str],
    said: ReadingOptions,
    trace: Trace,
) -> JoinedMetadata | None:
    path, sheet = said.metadata_path, said.metadata_sheet
    if path is None and sheet is None:
        if said.metadata_id_column is not None:
            raise InputError("metadata_id_column= needs metadata_sheet= or metadata_path= as well")
        return None
    other = grid.source
    if path is not None:
        other = trace.metadata_source = open_source(path, encoding=said.encoding)
        book = open_workbook(other) if other.is_workbook else None
    if book is not None:
        table = sheet_grid(book, sheet)
    elif sheet is not None:
        raise InputError(
            f"{other.name} is a text file and has no sheets: leave out metadata_sheet=, and name a "
            "file with metadata_path=."
        )
    else:
        table = text_grid(other, encoding=said.encoding)
    return join_metadata(
        table,
        ids,
        id_headings=[header.headings[k] for k in layout.id_columns],
        id_column=said.metadata_id_column,
        missing=said.metadata_missing,
        columns={
            header.headings[k]: [text_of(c) for c in header.cells(k)]
            for k in (*layout.id_columns, *layout.metadata)
        },
    )


def _merge(
    table: dict[str, list[str | None]], joined: JoinedMetadata, targets: list[str], grid: Grid
) -> None:
    """Add the joined columns; one that both tables have must say the same in both."""
    for heading, cells in joined.columns.items():
        if heading in targets:
            raise MetadataError(
                f"'{heading}' is a target in {grid.name} and a column of the metadata as well. "
                "Rename one of them."
            )
        here = table.setdefault(heading, cells)
        for profile_id, a, b in zip(table[ID_COLUMN], here, cells, strict=True):
            if a != b:
                raise MetadataError(
                    f"column '{heading}' stands in {grid.name} and in the metadata, and differs: "
                    f"profile '{profile_id}' has {a!r} and {b!r}. Rename or mend one of them."
                )


def _set_name(grid: Grid, book: Workbook | None, name: str | None) -> str:
    if name is not None:
        return one_line_text(name, what="the name of a profile set")
    stem = grid.source.name.rpartition(".")[0] or grid.source.name
    return f"{stem} {grid.sheet}" if book is not None and len(book.sheets) > 1 else stem
