"""`SimulatedProfiles`: profiles with the truth about them."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from drugsig._check import choose
from drugsig._repr import html_table
from drugsig.errors import InputError
from drugsig.profiles.profile_set import ID_COLUMN, ProfileSet

__all__ = ["SimulatedProfiles"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class SimulatedProfiles:
    """Profiles with known truth, made by `simulate_profiles`.

    Parameters
    ----------
    profiles : ProfileSet
        As a laboratory would have them, without the truth.
    truth : DataFrame
        One row a profile, in the same order, with the columns `profile_id`, `source_id` and
        `state` at least.
    settings : mapping
        What the simulation was asked for, as data.

    Raises
    ------
    InputError
        If truth and profiles do not belong together.
    """

    profiles: ProfileSet
    _truth: pd.DataFrame
    _settings: dict[str, Any]

    def __init__(
        self, profiles: ProfileSet, truth: pd.DataFrame, settings: Mapping[str, Any]
    ) -> None:
        if tuple(truth[ID_COLUMN]) != profiles.ids:
            raise InputError("the truth must have one row a profile, in the order of the profiles")
        assign = object.__setattr__
        assign(self, "profiles", profiles)
        assign(self, "_truth", truth.copy())
        assign(self, "_settings", copy.deepcopy(dict(settings)))

    def __len__(self) -> int:
        return len(self.profiles)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SimulatedProfiles):
            return NotImplemented
        return (
            self.profiles == other.profiles
            and self._truth.equals(other._truth)
            and self._settings == other._settings
        )

    def __hash__(self) -> int:
        return hash(self.profiles)

    @property
    def truth(self) -> pd.DataFrame:
        """The truth, one row a profile, as a copy.

        `profile_id`; `source_id`; `state` (clean, indistinguishable, aged or mixed); `same_as`,
        the source it cannot be told from; `second_source_id` and `own_share` of a mixture;
        `retained`, what ageing left of the targets that decay. Empty or NaN where it does not
        apply.
        """
        return self._truth.copy()

    @property
    def settings(self) -> dict[str, Any]:
        """What the simulation was asked for and what it drew for itself, as data, as a copy."""
        return copy.deepcopy(self._settings)

    def with_truth(self, *columns: str) -> ProfileSet:
        """Return the profiles with columns of the truth as metadata, as if it were known.

        Parameters
        ----------
        *columns : str
            Columns of `truth`; without any `source_id` and `state`.

        Raises
        ------
        UnknownNameError
            If the truth has no such column.
        """
        known = [str(c) for c in self._truth.columns if c != ID_COLUMN]
        profiles = self.profiles
        for column in columns or ("source_id", "state"):
            cells = self._truth[choose(column, known, what="column of the truth")]
            texts = [None if pd.isna(cell) else str(cell) for cell in cells]
            profiles = profiles.with_column(column, texts)
        return profiles

    def _states(self) -> str:
        counts = Counter(self._truth["state"])
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{count} {state}" for state, count in ranked)

    def __repr__(self) -> str:
        sources = self._truth["source_id"].nunique()
        return f"<SimulatedProfiles: {len(self)} profiles from {sources} sources; {self._states()}>"

    def _repr_html_(self) -> str:
        return html_table((), caption=repr(self)[1:-1])
