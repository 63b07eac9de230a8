"""`add_metadata`: give profiles the metadata of a table, looked up by id."""

from __future__ import annotations

import os
from collections.abc import Sequence

from drugsig._check import choose
from drugsig.errors import MetadataError
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ID_COLUMN, ProfileSet
from drugsig.profiles.tables.delimited import text_grid
from drugsig.profiles.tables.metadata import MISSING_CHOICES, join_metadata
from drugsig.profiles.tables.source import Source, open_source
from drugsig.profiles.tables.workbook import open_workbook, sheet_grid

__all__ = ["add_metadata", "with_metadata"]


def add_metadata(
    profiles: ProfileSet,
    path: str | os.PathLike[str],
    /,
    *,
    sheet: str | None = None,
    id_column: str | Sequence[str] | None = None,
    missing: str = "refuse",
) -> ProfileSet:
    """Return the profiles with the columns of a metadata table.

    Parameters
    ----------
    profiles : ProfileSet
        For example from `drugsig.extract`.
    path : path-like
        A CSV, TSV or XLSX file with one line a profile.
    sheet : str, optional
        The sheet of a workbook.
    id_column : str or sequence of str, optional
        The heading of the ids; by default a column that holds ids of the profiles. A column that
        the profiles have as well joins by that column.
    missing : {"refuse", "empty"}
        What to do where a profile has no line.

    Returns
    -------
    ProfileSet
        With the columns added; the history says where they come from.

    Raises
    ------
    ReadError
        If the file cannot be read.
    MetadataError
        If profiles lack metadata, or a column is there already.
    """
    return with_metadata(
        profiles, open_source(path), sheet=sheet, id_column=id_column, missing=missing
    )


def with_metadata(
    profiles: ProfileSet,
    source: Source,
    /,
    *,
    sheet: str | None,
    id_column: str | Sequence[str] | None,
    missing: str,
) -> ProfileSet:
    """Return what `add_metadata` does, of a file that was read.

    Parameters
    ----------
    profiles, sheet, id_column, missing
        As there.
    source : Source
        The file.
    """
    choose(missing, MISSING_CHOICES, what="value of missing")
    grid = sheet_grid(open_workbook(source), sheet) if source.is_workbook else text_grid(source)
    joined = join_metadata(
        grid,
        profiles.ids,
        id_headings=[ID_COLUMN],
        id_column=id_column,
        missing=missing,
        columns={c: [t or "" for t in profiles.column(c)] for c in profiles.metadata_columns},
    )
    table = profiles.profiles
    for column, texts in joined.columns.items():
        if column in table.columns or column in profiles.target_names:
            raise MetadataError(
                f"{grid.name} has a column '{column}', which the profiles have already. Rename it."
            )
        table[column] = texts
    return ProfileSet(
        profiles.values,
        targets=profiles.targets,
        profiles=table,
        status=profiles.status,
        limits=profiles.limits,
        uncertainty=profiles.uncertainty,
        history=(*profiles.history, Step.make("add_metadata", joined.detail)),
        name=profiles.name,
    )
