"""`ProfileSet`: the one currency of drugsig."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from drugsig._check import (
    FrozenArrays,
    choose,
    float_matrix,
    listed,
    one_line_text,
    refuse_single_text,
    same_shape,
    unique_text,
)
from drugsig._repr import html_table
from drugsig.errors import InputError, MetadataError
from drugsig.profiles.digest import content_digest
from drugsig.profiles.history import Step
from drugsig.profiles.metadata import ID_COLUMN, metadata_table
from drugsig.profiles.status import Status, is_usable
from drugsig.protocols.target import Target

__all__ = ["ID_COLUMN", "ProfileSet"]

# The operation whose steps change the values, and so belong to the content digest.
PRETREAT = "pretreat"

_ROWS_IN_HTML = 10
_TARGETS_IN_HTML = 12


@dataclass(frozen=True, eq=False, init=False, repr=False)
class ProfileSet(FrozenArrays):
    """Profiles: the values of one set of targets in many specimens.

    Parameters
    ----------
    values : array_like of float, shape (n_profiles, n_targets)
        One row a profile, one column a target. A cell that was not measured holds NaN.
    targets : sequence of Target or str
        What the columns are. A name alone stands for an impurity given as an area.
    profiles : DataFrame, mapping or sequence of str
        One row a profile. A table has a column ``profile_id`` and any further metadata, all
        kept as text; a sequence is the ids alone.
    status : array_like of Status, shape (n_profiles, n_targets), optional
        Without it a value above or below zero is *detected*, a zero is *below LOD* with an
        unknown limit, and NaN is *not measured*.
    limits : array_like of float, shape (n_profiles, n_targets), optional
        The limit below which a cell would not be detected, in the unit of the values;
        NaN where it is not known.
    uncertainty : array_like of float, shape (n_profiles, n_targets), optional
        Standard uncertainty of every value, in the unit of the values; NaN where not known.
    history : sequence of Step
        What was done so far.
    name : str
        What messages call this set.

    Raises
    ------
    InputError
        If shapes disagree, ids or targets come twice, a detected value is missing or a value
        is infinite.

    Notes
    -----
    Arrays are read-only and tables are handed out as copies. Two sets are equal when their
    content digests are. ``profiles["001"]`` is one profile as a set, ``"001" in profiles`` tells
    whether it is there.

    Examples
    --------
    >>> s = ProfileSet([[2.0, 1.0], [0.0, 4.0]], ["A", "B"], ["001", "002"])
    >>> s
    <ProfileSet 'profiles': 2 profiles x 2 targets, 3 of 4 cells detected>
    >>> s.status[1, 0] == Status.BELOW_LOD
    np.True_
    """

    values: NDArray[np.float64]
    status: NDArray[np.uint8]
    limits: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    targets: tuple[Target, ...]
    history: tuple[Step, ...]
    name: str
    _table: pd.DataFrame

    def __init__(
        self,
        values: ArrayLike,
        /,
        targets: Sequence[Target | str],
        profiles: pd.DataFrame | Mapping[str, Sequence[object]] | Sequence[str],
        *,
        status: ArrayLike | None = None,
        limits: ArrayLike | None = None,
        uncertainty: ArrayLike | None = None,
        history: Sequence[Step] = (),
        name: str = "profiles",
    ) -> None:
        what = f"the values of profile set '{name}'"
        matrix = float_matrix(values, what=what, allow_nan=True)
        n, p = matrix.shape
        refuse_single_text(targets, "target names")
        made = tuple(t if isinstance(t, Target) else Target(t) for t in targets)
        if len(made) != p:
            raise InputError(f"{what} have {p} column(s), but {len(made)} target(s) are named")
        unique_text((t.name for t in made), what="target names")
        table = metadata_table(profiles, n)
        strangers = [s for s in history if not isinstance(s, Step)]
        if strangers:
            raise InputError(f"history must hold drugsig.Step, got {strangers[0]!r}")
        both = sorted(set(table.columns) & {t.name for t in made})
        if both:
            raise InputError(f"{listed(both)} is the name of a target and of a metadata column")
        cells = _status_of(matrix, status)
        unknown = np.full((n, p), np.nan)
        limit = (
            unknown
            if limits is None
            else same_shape(
                float_matrix(limits, what="limits", allow_nan=True),
                (n, p),
                what="limits",
                dtype=np.float64,
            )
        )
        spread = (
            unknown.copy()
            if uncertainty is None
            else same_shape(
                float_matrix(uncertainty, what="uncertainty", allow_nan=True),
                (n, p),
                what="uncertainty",
                dtype=np.float64,
            )
        )
        if (spread < 0).any():
            raise InputError("uncertainty must not be negative")
        _refuse_contradictions(matrix, cells, table, made)
        self._hold(
            values=matrix,
            status=cells,
            limits=limit,
            uncertainty=spread,
            targets=made,
            history=tuple(history),
            name=one_line_text(name, what="the name of a profile set"),
            _table=table,
        )

    def _hold(self, **fields: Any) -> None:
        for field, value in fields.items():
            object.__setattr__(self, field, value)
        self._freeze_arrays()

    # -- what it holds -------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def __contains__(self, profile_id: object) -> bool:
        return profile_id in self._row_of

    # Neither its profiles nor its ids are meant more than the other: `ids` says which.
    __iter__ = None

    @property
    def profiles(self) -> pd.DataFrame:
        """The metadata table, one row a profile, as a copy; all columns are text."""
        return self._table.copy()

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The profile ids, in order."""
        return tuple(self._table[ID_COLUMN].to_numpy(dtype=object).tolist())

    @property
    def target_names(self) -> tuple[str, ...]:
        """The names of the targets, in order."""
        return tuple(t.name for t in self.targets)

    @property
    def metadata_columns(self) -> tuple[str, ...]:
        """The metadata columns other than ``profile_id``."""
        return tuple(str(c) for c in self._table.columns if c != ID_COLUMN)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which cells were measured and not rejected, shape (n_profiles, n_targets)."""
        return is_usable(self.status)

    @property
    def detected(self) -> NDArray[np.bool_]:
        """Which cells were detected, shape (n_profiles, n_targets)."""
        return np.asarray(self.status == Status.DETECTED)

    @property
    def pretreatment(self) -> tuple[dict[str, Any], ...]:
        """The pretreatment steps applied so far, with their frozen parameters."""
        steps: list[dict[str, Any]] = []
        for step in self.history:
            if step.operation == PRETREAT:
                steps.extend(step.detail["steps"])
        return tuple(steps)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the content, as 64 hexadecimal digits."""
        return content_digest(
            values=self.values,
            status=self.status,
            limits=self.limits,
            uncertainty=self.uncertainty,
            targets=[(t.name, t.role, t.unit) for t in self.targets],
            columns=[(str(c), self.column(str(c))) for c in self._table.columns],
            pretreatment=self.pretreatment,
        )

    def column(self, name: str, /) -> tuple[str | None, ...]:
        """Return one metadata column; None where a cell is empty.

        Raises
        ------
        MetadataError
            If there is no such column; the message names the columns there are.
        """
        if name not in self._table.columns:
            known = [str(c) for c in self._table.columns]
            raise MetadataError(
                f"profile set '{self.name}' has no metadata column '{name}'. "
                f"Its columns are {listed(known, most=40)}."
            )
        return tuple(None if pd.isna(v) else str(v) for v in self._table[name])

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, ProfileSet) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    # -- parts of it ---------------------------------------------------------------------

    def index_of(self, ids: Iterable[str], /) -> NDArray[np.intp]:
        """Return the row of every id.

        Raises
        ------
        UnknownNameError
            If an id is not in the set.
        InputError
            If one text is given instead of several.
        """
        refuse_single_text(ids, "profile ids")
        place = self._row_of
        return np.array(
            [place[choose(i, self.ids, what="profile") if i not in place else i] for i in ids],
            dtype=np.intp,
        )

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    def __getitem__(self, profile_id: str) -> ProfileSet:
        if not isinstance(profile_id, str):
            raise InputError(
                f"a profile set is asked for one profile by its id, as in profiles['001'], got "
                f"{profile_id!r}. Several ids, rows and flags go to profiles.select(...)."
            )
        return self.select([profile_id])

    def select(self, ids: Iterable[str] | NDArray[Any], /, *, why: str = "") -> ProfileSet:
        """Return the profiles with these ids, rows or true flags, in the order given.

        Parameters
        ----------
        ids : iterable of str, or ndarray of int or bool
            Which profiles.
        why : str
            The reason, kept in the history.

        Raises
        ------
        UnknownNameError
            If an id is not in the set.
        InputError
            If rows or flags do not fit the set, or a profile is asked for twice.
        """
        rows = self._rows(ids) if isinstance(ids, np.ndarray) else self.index_of(ids)
        if len(np.unique(rows)) < len(rows):
            unique_text((self.ids[row] for row in rows), what="profile ids")
        detail: dict[str, Any] = {"profiles": len(rows), "of": len(self)}
        if why:
            detail["why"] = why
        return self._replace(
            values=self.values[rows],
            status=self.status[rows],
            limits=self.limits[rows],
            uncertainty=self.uncertainty[rows],
            _table=self._table.iloc[rows].reset_index(drop=True),
            step=Step.make("select", detail),
        )

    @cached_property
    def id_order(self) -> NDArray[np.intp]:
        """The rows in the order of their ids, as text by code points, shape (n_profiles,).

        What is drawn by chance, or added up over profiles, goes in this order, so that it does not
        hang on how the rows of a table were sorted.
        """
        order = np.array(sorted(range(len(self)), key=self.ids.__getitem__), dtype=np.intp)
        order.flags.writeable = False
        return order

    def in_id_order(self) -> ProfileSet:
        """Return the same profiles in the order of their ids, see `id_order`."""
        order = self.id_order
        if np.array_equal(order, np.arange(len(self))):
            return self
        return self.select(order, why="in the order of their ids")

    def _rows(self, places: NDArray[Any]) -> NDArray[np.intp]:
        if places.ndim == 1 and places.dtype.kind == "b" and len(places) == len(self):
            return np.flatnonzero(places)
        if places.ndim == 1 and places.dtype.kind in "iu":
            inside = (places >= -len(self)) & (places < len(self))
            if inside.all():
                return places.astype(np.intp) % max(1, len(self))
            raise InputError(
                f"profile set '{self.name}' has {len(self)} rows, so there is no row "
                f"{places[~inside][0]}"
            )
        if places.ndim == 1 and places.dtype.kind in "OUT":
            return self.index_of(places.tolist())
        raise InputError(
            f"profiles are selected by their ids, by rows or by one true flag for each of the "
            f"{len(self)} profiles, got an array of {places.dtype} of shape {places.shape}"
        )

    def without(self, ids: Iterable[str], /, *, why: str = "") -> ProfileSet:
        """Return the other profiles.

        Parameters
        ----------
        ids : iterable of str
            The profiles to leave out.
        why : str
            The reason, kept in the history.
        """
        keep = np.ones(len(self), dtype=bool)
        keep[self.index_of(ids)] = False
        return self.select(keep, why=why)

    def keep_targets(self, names: Iterable[str], /) -> ProfileSet:
        """Return the same profiles with these targets only, in the order given.

        Raises
        ------
        UnknownNameError
            If a name is not a target of the set.
        InputError
            If a name comes twice, or one text is given instead of several.
        """
        refuse_single_text(names, "target names")
        wanted = [choose(n, self.target_names, what="target") for n in names]
        unique_text(wanted, what="target names")
        places = np.array([self.target_names.index(n) for n in wanted], dtype=np.intp)
        return self._replace(
            values=self.values.take(places, axis=1),
            status=self.status.take(places, axis=1),
            limits=self.limits.take(places, axis=1),
            uncertainty=self.uncertainty.take(places, axis=1),
            targets=tuple(self.targets[k] for k in places),
            step=Step.make("keep_targets", {"targets": wanted}),
        )

    def with_roles(self, roles: Mapping[str, str], /) -> ProfileSet:
        """Return the same profiles with other roles for the targets named.

        Parameters
        ----------
        roles : mapping of str to str
            Target name to role.

        Examples
        --------
        >>> s = ProfileSet([[2.0, 1.0]], ["cocaine", "tropacocaine"], ["001"])
        >>> [t.role for t in s.with_roles({"cocaine": "main"}).targets]
        ['main', 'impurity']
        """
        for target in roles:
            choose(target, self.target_names, what="target")
        return self._replace(
            targets=tuple(Target(t.name, roles.get(t.name, t.role), t.unit) for t in self.targets),
            step=Step.make("with_roles", {"roles": dict(roles)}),
        )

    def with_column(self, name: str, texts: Sequence[str | None], /) -> ProfileSet:
        """Return the same profiles with one more metadata column, or with it replaced.

        Parameters
        ----------
        name : str
            The column; ``profile_id`` cannot be replaced.
        texts : sequence of str or None
            One a profile, in order; None for an empty cell.

        Raises
        ------
        InputError
            If there is not one text a profile, or the name is that of a target or of the ids.
        """
        if name == ID_COLUMN:
            raise InputError(f"column '{ID_COLUMN}' names the profiles and cannot be replaced")
        if name in self.target_names:
            raise InputError(f"{listed([name])} is the name of a target and of a metadata column")
        columns: dict[str, Sequence[object]] = {c: self.column(str(c)) for c in self._table.columns}
        columns[name] = list(texts)
        table = metadata_table(columns, len(self))
        return self._replace(_table=table, step=Step.make("with_column", {"column": name}))

    def to_frame(self) -> pd.DataFrame:
        """Return the values as a table, profile ids down and targets across."""
        return pd.DataFrame(
            self.values.copy(),
            index=pd.Index(self.ids, name=ID_COLUMN),
            columns=list(self.target_names),
        )

    def _replace(self, *, step: Step | None = None, **fields: Any) -> ProfileSet:
        """Return a set with other fields, which must be of checked parts: nothing looks again."""
        new = object.__new__(ProfileSet)
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if step is not None:
            held["history"] = (*self.history, step)
        new._hold(**(held | fields))
        return new

    # -- how it shows itself -------------------------------------------------------------

    def __repr__(self) -> str:
        n, p = self.values.shape
        done = f", pretreated: {len(self.pretreatment)} step(s)" if self.pretreatment else ""
        return (
            f"<ProfileSet '{self.name}': {n} profiles x {p} targets, "
            f"{int(self.detected.sum())} of {n * p} cells detected{done}>"
        )

    def _repr_html_(self) -> str:
        ids, names = self.ids[:_ROWS_IN_HTML], self.target_names[:_TARGETS_IN_HTML]

        def cell(row: int, column: int) -> object:
            value, state = self.values[row, column], Status(int(self.status[row, column]))
            number = "" if np.isnan(value) else f"{value:.6g}"
            return number if state is Status.DETECTED else (number, state.label)

        more = (
            f"first {len(ids)} profiles and {len(names)} targets shown"
            if (len(self) > len(ids) or len(self.targets) > len(names))
            else "all shown"
        )
        return html_table(
            ((name, *(cell(row, k) for k in range(len(names)))) for row, name in enumerate(ids)),
            head=(ID_COLUMN, *names),
            caption=f"{repr(self)[1:-1]}; {more}",
        )


def _status_of(values: NDArray[np.float64], status: ArrayLike | None) -> NDArray[np.uint8]:
    if status is None:
        out = np.full(values.shape, Status.DETECTED, dtype=np.uint8)
        out[values == 0] = Status.BELOW_LOD
        out[np.isnan(values)] = Status.NOT_MEASURED
        return out
    raw = np.asarray(status)
    if raw.dtype.kind not in "iu" or (raw.size and (raw.min() < 0 or raw.max() > max(Status))):
        raise InputError(
            "status must hold whole numbers of drugsig.Status: "
            + ", ".join(f"{s.value} {s.label}" for s in Status)
        )
    return same_shape(raw, values.shape, what="status", dtype=np.uint8)


def _refuse_contradictions(
    values: NDArray[np.float64],
    status: NDArray[np.uint8],
    table: pd.DataFrame,
    targets: tuple[Target, ...],
) -> None:
    missing = np.isnan(values)
    wrong = (missing & (status < Status.NOT_MEASURED)) | (
        ~missing & (status == Status.NOT_MEASURED)
    )
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        state = Status(int(status[row, column])).label
        raise InputError(
            f"profile '{table[ID_COLUMN].iloc[row]}', target '{targets[column].name}': status "
            f"'{state}' does not go with the value {values[row, column]}. A cell that was not "
            "measured holds NaN; every other cell but a rejected one holds a number."
        )
