"""Writing tables, and reading back those that drugsig wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from drugsig._check import listed
from drugsig.errors import InputError, TableError
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.tables.escape import unescape_text
from drugsig.profiles.tables.grid import text_of
from drugsig.profiles.tables.native import native_cells
from drugsig.profiles.tables.source import open_source
from drugsig.profiles.tables.table_file import Column, coded, read_rows, write_cells
from drugsig.profiles.tables.workbook import open_workbook

__all__ = ["read_table", "write_columns", "write_profiles", "write_table"]


def write_profiles(
    profiles: ProfileSet,
    path: str | os.PathLike[str],
    /,
    *,
    decimal_comma: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write profiles to a table that `read_profiles` reads back identically.

    Name, targets with roles and units, values, status, limits, uncertainty, metadata and
    history all come back, and with them the digest.

    Parameters
    ----------
    profiles : ProfileSet
        What to write.
    path : path-like
        Where; the ending ``.csv``, ``.tsv`` or ``.xlsx`` says in which form.
    decimal_comma : bool
        Write numbers with a decimal comma, and semicolons between the cells of a ``.csv``
        file, as spreadsheets of many countries expect. A workbook stores numbers without it.
    overwrite : bool
        Replace a file that is already there.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If the file is already there or cannot be written; then nothing is.
    UnknownNameError
        If the ending is another one.
    """
    if not isinstance(profiles, ProfileSet):
        raise InputError(f"write_profiles writes a ProfileSet, got {type(profiles).__name__}")
    is_sheet = Path(path).suffix.lower() == ".xlsx"
    cells = native_cells(profiles, decimal_comma=decimal_comma and not is_sheet)
    return write_cells(path, *cells, decimal_comma=decimal_comma, overwrite=overwrite)


def write_table(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    /,
    *,
    decimal_comma: bool = False,
    overwrite: bool = False,
) -> Path:
    r"""Write a table that a spreadsheet can open without calculating anything in it.

    Parameters
    ----------
    path : path-like
        Where; ``.csv``, ``.tsv`` or ``.xlsx``.
    columns : sequence of str
        The headings.
    rows : iterable of sequence
        Cells of text, numbers, truth values or None. A float is written with the fewest digits
        that read back the same; None and NaN are empty cells. Text that begins with one of
        ``= + - @``, a tab, a carriage return, their full-width forms or an apostrophe gets one
        apostrophe in front, unless it is one negative number.
    decimal_comma : bool
        Write floats with a decimal comma, and semicolons between the cells of ``.csv``.
    overwrite : bool
        Replace a file that is already there.

    Returns
    -------
    Path
        The file. It appears whole or not at all.

    Raises
    ------
    OutputError
        If the file is already there or cannot be written.
    InputError
        If a row has another number of cells than there are columns, or a cell holds something
        else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = write_table(Path(folder) / "t.csv", ["id", "area"], [["=1+1", 0.5]])
    ...     path.read_text(encoding="utf-8-sig")
    "id,area\n'=1+1,0.5\n"
    """
    _check_headings(columns)
    return write_cells(
        path, _checked_rows(columns, rows), decimal_comma=decimal_comma, overwrite=overwrite
    )


def write_columns(
    path: str | os.PathLike[str],
    columns: Mapping[str, object] | pd.DataFrame,
    /,
    *,
    decimal_comma: bool = False,
    overwrite: bool = False,
) -> Path:
    r"""Write a table column by column: the bytes are those of `write_table`, and it is faster.

    Parameters
    ----------
    path : path-like
        Where; ``.csv``, ``.tsv`` or ``.xlsx``.
    columns : mapping of str to column, or DataFrame
        For every heading an array, a `pandas.Series`, a sequence of cells, or one cell that
        stands in every row. In a `pandas.Categorical` each text is looked at once. What cells may
        be and how they are written is as in `write_table`.
    decimal_comma, overwrite : bool
        As in `write_table`.

    Returns
    -------
    Path
        The file. It appears whole or not at all.

    Raises
    ------
    OutputError
        If the file is already there or cannot be written.
    InputError
        If the columns are of different lengths, or a cell holds something else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = write_columns(Path(folder) / "t.csv", {"id": ["1", "2"], "unit": "mg"})
    ...     path.read_text(encoding="utf-8-sig")
    'id,unit\n1,mg\n2,mg\n'
    """
    headings: list[Any] = list(columns)
    _check_headings(headings)
    given = [column for _, column in columns.items()]
    lengths = {len(column) for column in given if not _is_cell(column)}  # type: ignore[arg-type]
    if len(lengths) != 1:
        raise InputError(
            "the columns of a table must be equally long, and one of them more than a single "
            f"cell; got {listed(map(str, sorted(lengths))) or 'single cells'}"
        )
    made = [_column(column, *lengths) for column in given]
    return write_cells(path, [headings], made, decimal_comma=decimal_comma, overwrite=overwrite)


def _is_cell(column: object) -> bool:
    return isinstance(column, str) or not isinstance(column, Sized)


def _column(given: Any, length: int) -> Column:
    if _is_cell(given):
        missing = bool(pd.isna(given))
        return coded(np.full(length, -1 if missing else 0, dtype=np.int8), [given][missing:])
    if not isinstance(given, pd.Series):
        column: Column = given
        return column
    if isinstance(given.array, pd.Categorical):
        return given.array
    if isinstance(given.dtype, np.dtype) and given.dtype != object:
        return given.to_numpy()
    return given.astype(object).where(given.notna(), None).tolist()


def _check_headings(columns: Sequence[str]) -> None:
    if isinstance(columns, str) or not columns or not all(isinstance(c, str) for c in columns):
        raise InputError(f"the columns of a table must be a list of headings, got {columns!r}")


def _checked_rows(
    columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[Sequence[object]]:
    yield columns
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise InputError(
                f"row {number} of a table has {len(row)} cell(s), but there are {len(columns)} "
                "columns"
            )
        yield row


def read_table(path: str | os.PathLike[str], /) -> tuple[list[str], list[list[str]]]:
    """Read back a table that `write_table` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    columns : list of str
        The headings.
    rows : list of list of str
        All cells as text, without the apostrophe of the escape. An empty cell is ``""``.
        Numbers stand as they were written, with a decimal comma where one was asked for.

    Raises
    ------
    ReadError
        If the file cannot be read as a table.
    TableError
        If a row has another number of cells than the header.
    """
    source = open_source(path)
    book = open_workbook(source) if source.is_workbook else None
    columns: list[str] | None = None
    rows: list[list[str]] = []
    for line, cells in read_rows(source, book, None):
        texts = [unescape_text(c) if isinstance(c, str) else text_of(c) for c in cells]
        if columns is None:
            columns = texts
            continue
        if book is not None:
            # A workbook stores no empty cells at the end of a row.
            texts += [""] * (len(columns) - len(texts))
        if len(texts) != len(columns):
            raise TableError(
                f"{source.name}, line {line}: the line has {len(texts)} cell(s), the header "
                f"{len(columns)}. The file was cut off or edited.",
                path=source.path,
                line=line,
            )
        rows.append(texts)
    return columns or [], rows
