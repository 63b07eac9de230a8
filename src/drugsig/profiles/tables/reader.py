"""Reading profiles from a table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.tables.assembly import ReadingOptions, Trace, assemble

__all__ = ["read_profiles"]


def read_profiles(
    path: str | os.PathLike[str],
    /,
    *,
    sheet: str | None = None,
    id_column: str | Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    metadata: Sequence[str] | None = None,
    roles: Mapping[str, str] | None = None,
    unit: str = "area",
    metadata_sheet: str | None = None,
    metadata_path: str | os.PathLike[str] | None = None,
    metadata_id_column: str | Sequence[str] | None = None,
    metadata_missing: str = "refuse",
    header_line: int | None = None,
    skip_lines: Sequence[int] | None = None,
    leave_out: Sequence[str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    empty: str = "not_measured",
    less_than: str = "below_lod",
    tokens: Mapping[str, str] | None = None,
    negative: str = "refuse",
    name: str | None = None,
) -> ProfileSet:
    r"""Read profiles from a table: one line a profile, one column a target.

    CSV, TSV, semicolon files and XLSX workbooks are told apart by their content. Whatever is
    not said is found by stated rules, and everything that was found stands in the history of
    the result; what could mean two different numbers is refused. A table that
    `write_profiles` wrote is read back identically and needs no keyword.

    Parameters
    ----------
    path : path-like
        The file.
    sheet : str, optional
        The sheet of a workbook; needed where there are several.
    id_column : str or sequence of str, optional
        The heading of the ids; several are joined by ``/``. Without it a column with a known
        name whose cells are filled and unique, else the first column if it is unique text.
    targets : sequence of str, optional
        The headings of the targets. Without it every column of numbers that is not metadata by
        its name.
    metadata : sequence of str, optional
        Further headings of metadata, beside those that are by their names or their cells.
        All columns that are no targets are metadata in any case.
    roles : mapping of str to str, optional
        Roles of targets, by name. All others are impurities; no role is guessed.
    unit : str
        The unit of the values. Where every number of a target carries a percent sign it is
        ``"%"``, unless another unit is said.
    metadata_sheet, metadata_path : str, path-like, optional
        A sheet of the same workbook, or another file (and a sheet of it), with further metadata.
    metadata_id_column : str or sequence of str, optional
        The heading of the ids there. A column that stands in both tables, or that holds one
        part of joined ids, joins the metadata by that part: one line a specimen serves all of
        its injections.
    metadata_missing : {"refuse", "empty"}
        What to do where a profile has no line there.
    header_line : int, optional
        The line of the headings, counted from 1. Without it the first line of text that is
        nearly as wide as the table and has numbers below it.
    skip_lines : sequence of int, optional
        Lines of the file, or rows of the sheet, to leave out, counted from 1: footnotes, means.
    leave_out : sequence of str, optional
        Ids of lines to leave out: blanks, controls, means.
    delimiter : str, optional
        The character between cells of a text file.
    encoding : str, optional
        The encoding of a text file. Without it that of the byte-order mark, else UTF-8, else
        cp1252 as a recorded guess.
    decimal : {".", ","}, optional
        The decimal sign of numbers written as text.
    thousands : str, optional
        The only thousands separator allowed in them; ``""`` allows none. Without it a point or
        comma separates thousands only in a column with a cell such as ``1.234,5`` that proves it.
    empty : {"not_measured", "below_lod"}
        What an empty cell of a target means.
    less_than : {"below_lod", "below_loq"}
        What ``<0.05`` means; the number becomes the limit.
    tokens : mapping of str to str, optional
        Texts that stand for a status, beside or instead of the known ones ("n.d.", "tr",
        "n.a.", "sat" and others): ``{"-999": "not_measured"}``.
    negative : {"refuse", "keep"}
        What to do with negative numbers.
    name : str, optional
        What messages call the set. Without it the name of the file.

    Returns
    -------
    ProfileSet
        Its first history step, ``"read"``, holds the name and sha256 of the file, the layout,
        how many cells were read in which way, ``guesses``, a list of sentences, and ``risks``,
        those of them that a reader must see at once.

    Raises
    ------
    ReadError
        If the file cannot be read as a table at all.
    TableError
        If a line, a column or a cell is at fault; the message names it.
    MetadataError
        If metadata and profiles do not match.
    SizeError
        If the file is, or unpacks to, more than 512 MB.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "areas.csv"
    ...     _ = path.write_text("Sample;T1;T2\n001;1,5;n.d.\n002;<0,1;2", encoding="utf-8")
    ...     profiles = read_profiles(path)
    >>> profiles
    <ProfileSet 'areas': 2 profiles x 2 targets, 2 of 4 cells detected>
    >>> float(profiles.limits[1, 0])
    0.1
    """
    options = ReadingOptions(
        sheet=sheet,
        id_column=id_column,
        targets=targets,
        metadata=metadata,
        roles=roles,
        unit=unit,
        metadata_sheet=metadata_sheet,
        metadata_path=metadata_path,
        metadata_id_column=metadata_id_column,
        metadata_missing=metadata_missing,
        header_line=header_line,
        skip_lines=skip_lines,
        leave_out=leave_out,
        delimiter=delimiter,
        encoding=encoding,
        decimal=decimal,
        thousands=thousands,
        empty=empty,
        less_than=less_than,
        tokens=tokens,
        negative=negative,
        name=name,
    )
    return assemble(path, options, Trace())
