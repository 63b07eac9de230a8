"""The metadata of profiles: one row a profile, every cell text or empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from drugsig._check import listed, one_line_text, refuse_single_text, unique_text
from drugsig.errors import InputError

__all__ = ["ID_COLUMN", "metadata_table"]

ID_COLUMN = "profile_id"


def metadata_table(
    profiles: pd.DataFrame | Mapping[str, Sequence[object]] | Sequence[str], /, n: int
) -> pd.DataFrame:
    """Return the metadata with the id column first, every column as text.

    Parameters
    ----------
    profiles : DataFrame, mapping or sequence of str
        As in `ProfileSet`.
    n : int
        How many profiles there are.

    Raises
    ------
    InputError
        If there is no id column, an id comes twice, a cell is not text or a length is wrong.
    """
    refuse_single_text(profiles, "profile ids")
    if isinstance(profiles, pd.DataFrame):
        unique_text((str(c) for c in profiles.columns), what="metadata columns")
        given: dict[str, list[object]] = {str(c): list(profiles[c]) for c in profiles.columns}
    elif isinstance(profiles, Mapping):
        given = {str(c): list(v) for c, v in profiles.items()}
    else:
        given = {ID_COLUMN: list(profiles)}
    if ID_COLUMN not in given:
        raise InputError(
            f"the profiles table has no column '{ID_COLUMN}'. Its columns are {listed(given)}."
        )
    lengths = {column: len(v) for column, v in given.items() if len(v) != n}
    if lengths:
        column, length = next(iter(lengths.items()))
        raise InputError(f"there are {n} rows of values, but column '{column}' has {length}")
    ids = unique_text(given.pop(ID_COLUMN), what="profile ids")
    table = {ID_COLUMN: pd.Series(ids, dtype="str")}
    for column, cells in given.items():
        one_line_text(column, what="the name of a metadata column")
        texts = [_metadata_text(cell, column) for cell in cells]
        table[column] = pd.Series(texts, dtype="str")
    return pd.DataFrame(table)


def _metadata_text(cell: object, column: str) -> str | None:
    """Return the cell as text; an empty cell and every kind of missing value is None."""
    if cell is None or cell is pd.NA or cell is pd.NaT or cell == "":
        return None
    if isinstance(cell, float) and np.isnan(cell):
        return None
    return one_line_text(cell, what=f"metadata column '{column}'")
