"""What a table file holds, said without insisting that it can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drugsig._check import choose, listed
from drugsig.errors import MetadataError, ReadError, SizeError
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status
from drugsig.profiles.tables.assembly import ReadingOptions, Trace, assemble, possible_targets
from drugsig.profiles.tables.delimited import DELIMITER_NAMES
from drugsig.profiles.tables.ids import id_candidates
from drugsig.profiles.tables.layout import NAMES_SPELLED
from drugsig.profiles.tables.workbook import sheet_grid

__all__ = ["SheetInfo", "TableInfo", "describe_table"]


@dataclass(frozen=True)
class SheetInfo:
    """One sheet of a workbook.

    Parameters
    ----------
    name : str
        Its name.
    n_rows, n_columns : int
        Filled rows, and cells of the longest.
    hidden : bool
        Whether the workbook hides it.
    possible_targets : int
        How many of its columns could be targets; 0 where it cannot be read as profiles.
    """

    name: str
    n_rows: int
    n_columns: int
    hidden: bool
    possible_targets: int

    def __str__(self) -> str:
        hidden = ", hidden" if self.hidden else ""
        return (
            f"'{self.name}': {self.n_rows} rows x {self.n_columns} columns, "
            f"{self.possible_targets} possible target(s){hidden}"
        )


@dataclass(frozen=True, eq=False)
class TableInfo:
    """What a file holds, as far as it could be found out.

    Parameters
    ----------
    file : str
        The name of the file.
    size_bytes : int
        Its size.
    sha256 : str or None
        Its digest; None if it is no table at all.
    format : str or None
        ``"text"``, ``"xlsx"`` or ``"drugsig"`` (its own format).
    encoding, delimiter, decimal : str or None
        How a text file is written.
    sheets : tuple of SheetInfo
        The sheets of a workbook.
    sheet : str or None
        The sheet that was looked at.
    header_line : int or None
        The line of the headings, counted from 1.
    id_candidates : tuple of tuple of str
        Columns, or pairs of columns, that identify every line.
    id_column : tuple of str
        The column or columns that hold the ids.
    targets, metadata : tuple of str
        The headings of the columns.
    n_profiles : int or None
        How many profiles there are; None if they could not be read.
    status_counts : mapping of str to int
        How many cells have which status.
    guesses : tuple of str
        What was decided without being told.
    risks : tuple of str
        Those of the guesses that a reader must see at once.
    problem : str or None
        Why the file cannot be read as profiles; None if it can.
    """

    file: str
    size_bytes: int
    sha256: str | None = None
    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    sheets: tuple[SheetInfo, ...] = ()
    sheet: str | None = None
    header_line: int | None = None
    id_candidates: tuple[tuple[str, ...], ...] = ()
    id_column: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    n_profiles: int | None = None
    status_counts: Mapping[str, int] = field(default_factory=dict)
    guesses: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain data that JSON can hold."""
        out = asdict(self)
        out["id_candidates"] = [list(c) for c in self.id_candidates]
        for key in ("sheets", "id_column", "targets", "metadata", "guesses", "risks"):
            out[key] = list(out[key])
        out["status_counts"] = dict(self.status_counts)
        return out

    def __str__(self) -> str:
        return "\n".join(f"{key + ':':<14}{text}" for key, text in self._lines())

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "file", f"{self.file} ({self.size_bytes:,} bytes)"
        if self.format is not None:
            words = {"text": "delimited text", "xlsx": "XLSX workbook", "drugsig": "drugsig table"}
            yield "format", words[self.format] + (f", {self.encoding}" if self.encoding else "")
        for sheet in self.sheets:
            yield "sheet", str(sheet)
        if self.sheet is not None and len(self.sheets) > 1:
            yield "looked at", f"sheet '{self.sheet}'"
        if self.delimiter is not None:
            yield "delimiter", DELIMITER_NAMES.get(self.delimiter, repr(self.delimiter))
        if self.decimal is not None:
            yield "decimal sign", self.decimal
        if self.header_line is not None:
            yield "header", f"line {self.header_line}"
        if self.id_column:
            yield "ids", " / ".join(c or "(first column, without heading)" for c in self.id_column)
        elif self.id_candidates:
            yield "possible ids", "; ".join(" / ".join(c) for c in self.id_candidates[:5])
        if self.n_profiles is not None:
            yield "profiles", str(self.n_profiles)
        if self.targets:
            yield "targets", f"{len(self.targets)}: {listed(self.targets, most=NAMES_SPELLED)}"
        if self.metadata:
            yield "metadata", f"{len(self.metadata)}: {listed(self.metadata, most=NAMES_SPELLED)}"
        if self.status_counts:
            cells = ", ".join(f"{count} {label}" for label, count in self.status_counts.items())
            yield "cells", cells
        for risk in self.risks:
            yield "look at this", risk
        for guess in self.guesses:
            if guess not in self.risks:
                yield "decided", guess
        yield "readable", "yes" if self.problem is None else f"no. {self.problem}"


def describe_table(path: str | os.PathLike[str], /, **options: Any) -> TableInfo:
    """Say what a table file holds, and if it cannot be read as profiles, why not.

    Parameters
    ----------
    path : path-like
        The file.
    **options
        The keywords of `read_profiles`, all optional.

    Returns
    -------
    TableInfo
        ``print`` shows it; ``to_dict()`` gives plain data.

    Raises
    ------
    ReadError
        If there is no such file, or it may not be read.
    InputError
        If a keyword is not one of `read_profiles`, or has a value it cannot have.
    """
    for key in options:
        choose(key, sorted(ReadingOptions.keys()), what="keyword")
    trace = Trace()
    profiles: ProfileSet | None = None
    problem: str | None = None
    try:
        profiles = assemble(path, ReadingOptions(**options), trace)
    except (ReadError, MetadataError, SizeError) as error:
        if trace.source is None and not Path(path).is_file():
            raise
        problem = str(error)
    return _info(path, trace, profiles, problem)


def _info(
    path: str | os.PathLike[str], trace: Trace, profiles: ProfileSet | None, problem: str | None
) -> TableInfo:
    source, grid, header, layout = trace.source, trace.grid, trace.header, trace.layout
    if source is None:
        return TableInfo(Path(path).name, Path(path).stat().st_size, problem=problem)
    if profiles is not None:
        targets, metadata = profiles.target_names, profiles.metadata_columns
    elif header is not None and layout is not None:
        targets = tuple(header.headings[k] for k in layout.targets)
        metadata = tuple(header.headings[k] for k in layout.metadata)
    else:
        targets, metadata = (), ()
    candidates: list[list[str]] = []
    if grid is not None and header is not None and header.rows:
        candidates = id_candidates(header)
    is_workbook = trace.workbook is not None
    return TableInfo(
        file=source.name,
        size_bytes=len(source.data),
        sha256=source.sha256,
        format="drugsig" if trace.is_native else ("xlsx" if is_workbook else "text"),
        encoding=None if grid is None else grid.encoding,
        delimiter=None if grid is None else grid.delimiter,
        decimal=None if trace.convention is None else trace.convention.decimal,
        sheets=tuple(_sheets(trace)),
        sheet=None if grid is None else grid.sheet,
        header_line=None if grid is None or header is None else grid.lines[header.row],
        id_candidates=tuple(tuple(c) for c in candidates),
        id_column=()
        if header is None or layout is None
        else tuple(header.headings[k] for k in layout.id_columns),
        targets=targets,
        metadata=metadata,
        n_profiles=None if profiles is None else len(profiles),
        status_counts={} if profiles is None else _status_counts(profiles),
        guesses=tuple(guess.text for guess in trace.guesses),
        risks=trace.risks,
        problem=problem,
    )


def _status_counts(profiles: ProfileSet) -> dict[str, int]:
    counts = np.bincount(profiles.status.ravel(), minlength=len(Status))
    return {s.label: int(counts[s]) for s in Status if counts[s]}


def _sheets(trace: Trace) -> Iterator[SheetInfo]:
    book = trace.workbook
    if book is None:
        return
    for name in book.sheets:
        hidden = name in book.hidden
        try:
            grid = trace.grid
            if grid is None or grid.sheet != name:
                grid = sheet_grid(book, name)
        except (ReadError, SizeError):
            yield SheetInfo(name, 0, 0, hidden, 0)
            continue
        yield SheetInfo(name, len(grid.rows), grid.width, hidden, possible_targets(grid))
