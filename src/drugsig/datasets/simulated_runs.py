"""`SimulatedRuns`: runs with the truth about them."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, choose, same_shape
from drugsig._repr import html_table
from drugsig.acquisition.run import Run
from drugsig.datasets.run_compounds import Compound
from drugsig.errors import InputError

__all__ = ["RUN_ID", "SimulatedRuns"]

Floats = NDArray[np.float64]

RUN_ID = "run_id"


@dataclass(frozen=True, eq=False, init=False, repr=False)
class SimulatedRuns(FrozenArrays):
    """Runs with known truth, made by `simulate_runs`.

    Parameters
    ----------
    runs : sequence of Run
        In the order of acquisition.
    truth : DataFrame
        One row a run, in the same order, with the columns `run_id` and `kind` at least.
    compounds : sequence of Compound
        What may be in them.
    areas, apex_s : array_like, shape (n_runs, n_compounds)
        The true areas of the quantifiers, in counts times s, and where the peaks are highest.
    saturated : array_like of bool, shape (n_runs, n_compounds)
        Where the detector clipped a quantifier.
    settings : mapping
        What the simulation was asked for, as data.

    Attributes
    ----------
    runs : tuple of Run
        In the order of acquisition.
    compounds : tuple of Compound
        What may be in them.
    areas, apex_s : ndarray of float64, shape (n_runs, n_compounds)
        In counts times s, and in s. An area of 0 has no peak.
    saturated : ndarray of bool, shape (n_runs, n_compounds)
        Where the detector clipped a quantifier.

    Raises
    ------
    InputError
        If they do not belong together.
    """

    runs: tuple[Run, ...]
    compounds: tuple[Compound, ...]
    areas: Floats
    apex_s: Floats
    saturated: NDArray[np.bool_]
    _truth: pd.DataFrame
    _settings: dict[str, Any]

    def __init__(
        self,
        runs: Sequence[Run],
        truth: pd.DataFrame,
        *,
        compounds: Sequence[Compound],
        areas: Floats,
        apex_s: Floats,
        saturated: NDArray[np.bool_],
        settings: Mapping[str, Any],
    ) -> None:
        if len(truth) != len(runs):
            raise InputError(
                f"the truth must have one row a run, got {len(truth)} for {len(runs)} runs"
            )
        shape = (len(runs), len(compounds))
        assign = object.__setattr__
        assign(self, "runs", tuple(runs))
        assign(self, "compounds", tuple(compounds))
        assign(self, "_truth", truth.copy())
        assign(self, "_settings", copy.deepcopy(dict(settings)))
        assign(self, "areas", same_shape(areas, shape, what="areas", dtype=np.float64))
        assign(self, "apex_s", same_shape(apex_s, shape, what="apex_s", dtype=np.float64))
        assign(self, "saturated", same_shape(saturated, shape, what="saturated", dtype=np.bool_))
        self._freeze_arrays()

    def __len__(self) -> int:
        return len(self.runs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SimulatedRuns):
            return NotImplemented
        return (
            self.runs == other.runs
            and self.compounds == other.compounds
            and self._truth.equals(other._truth)
            and np.array_equal(self.areas, other.areas)
            and np.array_equal(self.apex_s, other.apex_s)
            and np.array_equal(self.saturated, other.saturated)
            and self._settings == other._settings
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    @property
    def ids(self) -> tuple[str, ...]:
        """The run ids, in order."""
        return tuple(self._truth[RUN_ID])

    @property
    def truth(self) -> pd.DataFrame:
        """The truth, one row a run, as a copy.

        `run_id`; `kind` (sample, blank or control); `sequence_id`, `position` and `acquired`;
        `replicate_level`, what the run repeats of a specimen that came before; and of samples
        `profile_id`, the ids of specimen, unit, preparation and injection, and the columns of
        `SimulatedProfiles.truth`. Empty or NaN where it does not apply.
        """
        return self._truth.copy()

    @property
    def settings(self) -> dict[str, Any]:
        """What the simulation was asked for and what it drew for itself, as data, as a copy."""
        return copy.deepcopy(self._settings)

    def run(self, run_id: str, /) -> Run:
        """Return the run with this id.

        Raises
        ------
        UnknownNameError
            If there is none.
        """
        return self.runs[self.ids.index(choose(run_id, self.ids, what="run"))]

    def area_table(self) -> pd.DataFrame:
        """Return the true areas as a table: one row a run, one column a compound."""
        names = [one.name for one in self.compounds]
        return pd.DataFrame(self.areas, index=pd.Index(self.ids, name=RUN_ID), columns=names)

    def __repr__(self) -> str:
        kinds = Counter(self._truth["kind"])
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        return f"<SimulatedRuns: {len(self)} runs ({counts}) of {len(self.compounds)} compounds>"

    def _repr_html_(self) -> str:
        return html_table((), caption=repr(self)[1:-1])
