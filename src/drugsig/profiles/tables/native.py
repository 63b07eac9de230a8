"""drugsig's own table format: a preamble, then one line a profile.

The format is described in ``docs/reference/profile-table-format.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from drugsig._check import listed
from drugsig._files import FORMATS, check_format
from drugsig.errors import InputError, TableError
from drugsig.profiles.digest import history_digest
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ID_COLUMN, ProfileSet
from drugsig.profiles.status import Status
from drugsig.profiles.tables.escape import unescape_text
from drugsig.profiles.tables.grid import Cell, text_of
from drugsig.profiles.tables.notes import Guess
from drugsig.profiles.tables.numerals import Convention, number_of, plain_numbers
from drugsig.profiles.tables.source import Source
from drugsig.profiles.tables.table_file import Column, coded, read_rows
from drugsig.profiles.tables.workbook import Workbook
from drugsig.protocols.target import Target

__all__ = ["TAG", "native_cells", "native_sheet", "read_native"]

TAG = "#drugsig-profiles"
_FORMAT = "drugsig profile table"

DIGEST_MISMATCH = "digest_mismatch"

_DECIMAL_WORDS = {"decimal point": ".", "decimal comma": ","}
_COMPANIONS = ("status", "limit", "uncertainty")
_KINDS = ("metadata", "value", *_COMPANIONS)
_STATUS_OF = {status.label: status for status in Status}

# Long JSON is split: a cell of a sheet holds 32,767 characters.
_JSON_PIECE = 32_000
# Rows converted at a time, so that the text of a large table is never held as cells at once.
_BLOCK = 8_192


def _default_status(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the status that a value says by itself, as `ProfileSet` does without a status."""
    status = np.full(values.shape, Status.DETECTED, dtype=np.uint8)
    status[values == 0] = Status.BELOW_LOD
    status[np.isnan(values)] = Status.NOT_MEASURED
    return status


def native_cells(
    profiles: ProfileSet, /, *, decimal_comma: bool
) -> tuple[list[list[object]], list[Column]]:
    """Return the cells of drugsig's own format: the rows above the profiles, and their columns.

    Parameters
    ----------
    profiles : ProfileSet
        What to write.
    decimal_comma : bool
        What the preamble says of the numbers below it.

    Returns
    -------
    rows : list of list
        The preamble and the headings.
    columns : list of Column
        One cell a profile.
    """
    rows: list[list[object]] = [
        [TAG, FORMATS[_FORMAT], "decimal comma" if decimal_comma else "decimal point"],
        ["#name", profiles.name],
        ["#digest", profiles.digest, _of_history(profiles.name, profiles.digest, profiles.history)],
    ]
    rows.extend(["#target", one.name, one.role, one.unit] for one in profiles.targets)
    for step in profiles.history:
        text = step.detail_json
        pieces = [text[k : k + _JSON_PIECE] for k in range(0, len(text), _JSON_PIECE)]
        rows.append(["#history", step.operation, *pieces])
    metadata = profiles.metadata_columns
    kinds: list[object] = ["metadata"] * len(metadata)
    head: list[object] = [ID_COLUMN, *metadata]
    columns: list[Column] = [profiles.ids, *(profiles.column(m) for m in metadata)]
    labels = [s.label for s in Status]
    for k, target in enumerate(profiles.targets):
        values, status = profiles.values[:, k], profiles.status[:, k]
        kinds.append("value")
        head.append(target.name)
        columns.append(values)
        if (status != _default_status(values)).any():
            kinds.append("status")
            head.append(f"{target.name} [status]")
            columns.append(coded(status, labels))
        for kind, known in (
            ("limit", profiles.limits[:, k]),
            ("uncertainty", profiles.uncertainty[:, k]),
        ):
            if not np.isnan(known).all():
                kinds.append(kind)
                head.append(f"{target.name} [{kind}]")
                columns.append(known)
    return [*rows, ["#kind", *kinds], head], columns


def native_sheet(source: Source, book: Workbook | None, sheet: str | None) -> str | None:
    """Return the sheet in drugsig's own format, ``""`` for a text file, or None."""
    if book is None:
        data = source.data[:256]
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        return "" if data.decode(encoding, "ignore").lstrip('"').startswith(TAG) else None
    own = [s for s in book.sheets if book.first_cells[s] == TAG and sheet in (None, s)]
    return own[0] if len(own) == 1 else None


@dataclass(eq=False)
class _Preamble:
    """What the rows above the data say."""

    decimal: str = "."
    name: str = ""
    digest: str | None = None
    history_digest: str | None = None
    targets: list[Target] = field(default_factory=list)
    history: list[Step] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Place:
    """Where in the file something is at fault."""

    source: Source

    def fault(self, line: int, message: str, column: str | None = None) -> TableError:
        where = f"line {line}" + (f", column '{column}'" if column else "")
        return TableError(
            f"{self.source.name}, {where}: {message}",
            path=self.source.path,
            line=line,
            column=column,
        )


def read_native(
    source: Source, book: Workbook | None, sheet: str, /, *, name: str | None = None
) -> tuple[ProfileSet, tuple[Guess, ...]]:
    """Read a table in drugsig's own format.

    Where the content or the history is not what was written, the history of the result ends with a
    step ``"digest_mismatch"``.

    Parameters
    ----------
    source : Source
        The file.
    book : Workbook, optional
        The same file, if it is a workbook.
    sheet : str
        From `native_sheet`.
    name : str, optional
        Another name for the set.

    Returns
    -------
    profiles : ProfileSet
        What the file holds.
    guesses : tuple of Guess
        That the content or the history is another one than was written, if it is.

    Raises
    ------
    TableError
        If the file breaks a rule of the format; the message names the line.
    """
    place = _Place(source)
    rows = read_rows(source, book, sheet or None)
    head = _read_preamble(rows, place)
    text_columns, number_columns = _read_data(rows, head, place, is_sheet=book is not None)
    try:
        profiles = _assembled(head, text_columns, number_columns, name)
        digest = profiles.digest
    except (InputError, KeyError, TypeError) as error:
        raise TableError(
            f"{source.name} holds profiles that contradict themselves: {error}", path=source.path
        ) from error
    history = _of_history(head.name, head.digest or "", head.history)
    said = []
    if head.digest != digest:
        said.append(
            f"{source.name} was edited outside drugsig: what it holds is not what was written to it"
        )
    if head.history_digest is None:
        said.append(
            f"{source.name} does not say what its history was: an early drugsig wrote it or it was "
            "edited, so nobody knows whether risks that were told are still in it"
        )
    elif head.history_digest != history:
        said.append(
            f"the name or the history in {source.name} was edited outside drugsig: what it says of "
            "how the profiles came to be is not what was written to it"
        )
    if not said:
        return profiles, ()
    detail = {"file": source.name, "written": head.digest, "read": digest, "risks": said}
    detail |= {"history_written": head.history_digest, "history_read": history}
    step = Step.make(DIGEST_MISMATCH, detail)
    return profiles._replace(step=step), tuple(Guess(one, risky=True) for one in said)


def _of_history(name: str, digest: str, history: Sequence[Step]) -> str:
    return history_digest(name, digest, [(s.operation, s.detail_json) for s in history])


def _unescaped(row: Sequence[Cell]) -> list[str]:
    texts = [unescape_text(c) if isinstance(c, str) else text_of(c) for c in row]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _read_preamble(rows: Iterator[tuple[int, list[Cell]]], place: _Place) -> _Preamble:
    out = _Preamble()
    for line, row in rows:
        cells = _unescaped(row)
        key = cells[0] if cells else ""
        if key == TAG:
            _check_version(cells, line, place)
            out.decimal = _DECIMAL_WORDS.get(cells[2] if len(cells) > 2 else "", "")
            if not out.decimal:
                raise place.fault(line, f"must say one of {listed(_DECIMAL_WORDS)}")
        elif key == "#name" and len(cells) == 2:
            out.name = cells[1]
        elif key == "#digest" and len(cells) in (2, 3):
            out.digest = cells[1]
            out.history_digest = cells[2] if len(cells) == 3 else None
        elif key == "#target" and len(cells) == 4:
            out.targets.append(_made_target(cells, line, place))
        elif key == "#history" and len(cells) > 2:
            out.history.append(_made_step(row, cells, line, place))
        elif key == "#kind":
            out.kinds = cells[1:]
            head_line, head_row = next(rows, (line + 1, []))
            out.head = _unescaped(head_row)
            _check_head(out, line, head_line, place)
            return out
        else:
            raise place.fault(
                line,
                f"{key!r} with {len(cells)} cell(s) is no row of the preamble of a "
                f"{_FORMAT}, version {FORMATS[_FORMAT]}. Write the profiles again with "
                "write_profiles.",
            )
    raise place.fault(
        1, "the file ends before its row '#kind'. It is cut off; write the profiles again."
    )


def _check_version(cells: list[str], line: int, place: _Place) -> None:
    text = cells[1] if len(cells) > 1 else ""
    version = int(text) if text.isascii() and text.isdigit() else text
    check_format(
        {"format": _FORMAT, "version": version},
        _FORMAT,
        refuse=lambda why: place.fault(line, f"the table {why}"),
    )


def _made_target(cells: list[str], line: int, place: _Place) -> Target:
    try:
        return Target(*cells[1:])
    except InputError as error:
        raise place.fault(line, str(error)) from error


def _made_step(row: Sequence[Cell], cells: list[str], line: int, place: _Place) -> Step:
    # A piece of JSON may be white space, so the pieces are taken before empty cells are cut.
    pieces = [unescape_text(c) if isinstance(c, str) else text_of(c) for c in row[2:]]
    try:
        return Step(cells[1], "".join(pieces))
    except (InputError, ValueError) as error:
        raise place.fault(line, f"the history of the profiles cannot be read: {error}") from error


def _check_head(head: _Preamble, line: int, head_line: int, place: _Place) -> None:
    unknown = [kind for kind in head.kinds if kind not in _KINDS]
    if unknown:
        raise place.fault(line, f"a column is one of {listed(_KINDS)}, got {unknown[0]!r}")
    if head.head[:1] != [ID_COLUMN] or len(head.head) != len(head.kinds) + 1:
        raise place.fault(
            head_line,
            f"the header must have {len(head.kinds) + 1} headings, one for every kind in line "
            f"{line}, and begin with '{ID_COLUMN}'; it has {len(head.head)}",
        )
    owner: str | None = None
    seen: set[str] = set()
    values: list[str] = []
    for kind, heading in zip(head.kinds, head.head[1:], strict=True):
        if kind == "value":
            owner, seen = heading, set()
            values.append(heading)
        elif kind in _COMPANIONS:
            if owner is None or kind in seen:
                raise place.fault(
                    head_line,
                    f"a {kind} column belongs to the value column before it, once each",
                    heading,
                )
            seen.add(kind)
        else:
            owner = None
    if values != [t.name for t in head.targets]:
        raise place.fault(
            head_line,
            f"the value columns are {listed(values)}, but the targets named above are "
            f"{listed(t.name for t in head.targets)}",
        )


def _read_data(
    rows: Iterator[tuple[int, list[Cell]]], head: _Preamble, place: _Place, *, is_sheet: bool
) -> tuple[dict[int, list[str]], dict[int, NDArray[np.float64]]]:
    """Return the columns of text and the columns of numbers, by their place in the header."""
    width = len(head.head)
    text_places = [0] + [
        k for k, kind in enumerate(head.kinds, start=1) if kind in ("metadata", "status")
    ]
    texts: dict[int, list[str]] = {k: [] for k in text_places}
    numbers: dict[int, list[NDArray[np.float64]]] = {
        k: [] for k in range(1, width) if k not in texts
    }
    while block := list(islice(rows, _BLOCK)):
        fitted = [
            (line, _fitted(row, line, width, place, is_sheet=is_sheet))
            for line, row in block
            if any(c != "" for c in row)
        ]
        if not fitted:
            continue
        lines = [line for line, _ in fitted]
        for k, cells in enumerate(zip(*(row for _, row in fitted), strict=True)):
            if k in texts:
                texts[k].extend(
                    unescape_text(c) if isinstance(c, str) else text_of(c) for c in cells
                )
            else:
                numbers[k].append(_floats(cells, head, k, lines, place))
    return texts, {
        k: np.concatenate(parts) if parts else np.empty(0) for k, parts in numbers.items()
    }


def _fitted(row: list[Cell], line: int, width: int, place: _Place, *, is_sheet: bool) -> list[Cell]:
    if len(row) == width:
        return row
    if len(row) > width and not any(c != "" for c in row[width:]):
        return row[:width]
    if is_sheet and len(row) < width:
        return row + [""] * (width - len(row))
    raise place.fault(
        line,
        f"the line has {len(row)} cells, the header {width}. The file was cut off or edited; "
        "write the profiles again.",
    )


def _floats(
    cells: Sequence[Cell], head: _Preamble, column: int, lines: list[int], place: _Place
) -> NDArray[np.float64]:
    convention = Convention(head.decimal, "")
    quick = plain_numbers([c for c in cells if c != ""], convention)
    out = np.full(len(cells), np.nan)
    if quick is not None and np.isfinite(quick).all():
        out[[c != "" for c in cells]] = quick
        return out
    for row, cell in enumerate(cells):
        number = number_of(cell, convention) if isinstance(cell, str) else float(cell)
        if cell != "" and (number is None or not math.isfinite(number)):
            raise place.fault(
                lines[row],
                f"{cell!r} is no number with the decimal sign {head.decimal!r} that the first "
                "line names",
                head.head[column],
            )
        out[row] = math.nan if number is None else number
    return out


def _assembled(
    head: _Preamble,
    texts: dict[int, list[str]],
    numbers: dict[int, NDArray[np.float64]],
    name: str | None,
) -> ProfileSet:
    n, p = len(texts[0]), len(head.targets)
    values = np.full((n, p), np.nan)
    limits, uncertainty = values.copy(), values.copy()
    table: dict[str, list[str]] = {ID_COLUMN: texts[0]}
    status_texts: dict[int, list[str]] = {}
    parts = {"value": values, "limit": limits, "uncertainty": uncertainty}
    target = -1
    for k, kind in enumerate(head.kinds, start=1):
        target += kind == "value"
        if kind == "metadata":
            if head.head[k] in table:
                raise InputError(f"there are two columns '{head.head[k]}'")
            table[head.head[k]] = texts[k]
        elif kind == "status":
            status_texts[target] = texts[k]
        else:
            parts[kind][:, target] = numbers[k]
    status = _default_status(values)
    for target, labels in status_texts.items():
        for row, label in enumerate(labels):
            if label not in _STATUS_OF:
                raise InputError(
                    f"profile '{texts[0][row]}', target '{head.targets[target].name}': unknown "
                    f"status {label!r}; it is one of {listed(_STATUS_OF)}"
                )
            status[row, target] = _STATUS_OF[label]
    return ProfileSet(
        values,
        head.targets,
        table,
        status=status,
        limits=limits,
        uncertainty=uncertainty,
        history=head.history,
        name=head.name if name is None else name,
    )
