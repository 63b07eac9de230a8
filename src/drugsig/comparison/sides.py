"""The profiles of one side of a comparison, prepared for a metric, and the scores of two sides."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["Part", "Side", "score_parts"]

Floats = NDArray[np.float64]

# Values, which of them were measured, and the same made ready; all target first.
Part = tuple[Floats | None, NDArray[np.bool_] | None, Floats]


class Side:
    """The profiles of one side, target first, prepared for a metric.

    Parameters
    ----------
    profiles : ProfileSet
        Usable for the metric, see `drugsig.comparison.admission`.
    metric : Metric
        How they will be scored.
    """

    def __init__(self, profiles: ProfileSet, metric: Metric, /) -> None:
        measured = profiles.measured
        self.whole: NDArray[np.bool_] = np.asarray(measured.all(axis=1))
        self.all_whole = bool(self.whole.all())
        self._measured = measured
        self._profiles = profiles
        self._metric = metric
        # A copy: where there is one profile or one target, the transposed view is contiguous.
        values = profiles.values.T.copy()
        if not self.all_whole:
            values[~measured.T] = np.nan
        values = np.ascontiguousarray(metric.kernel.prepare(values))
        if self.all_whole:
            # What a pair of whole profiles needs is in `ready`; a million of them are 240 MB.
            self.ready = np.ascontiguousarray(metric.kernel.ready(values))
            self.values: Floats | None = None
            return
        self.values = values
        ready = metric.kernel.ready(values[:, self.whole])
        self.ready = np.full((len(ready), len(profiles)), np.nan)
        self.ready[:, self.whole] = ready

    def __len__(self) -> int:
        return int(self.ready.shape[1])

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """Which cells were measured, shape (p, n)."""
        return np.ascontiguousarray(self._measured.T)

    @cached_property
    def all_values(self) -> Floats:
        """The prepared values, also where every profile is whole, shape (p, n)."""
        if self.values is not None:
            return self.values
        return np.ascontiguousarray(
            self._metric.kernel.prepare(np.ascontiguousarray(self._profiles.values.T))
        )

    def at(self, *places: Any) -> Part:
        """Return what is needed of the profiles at these places of the other axes."""
        index = (slice(None), *places)
        if self.all_whole:
            return None, None, self.ready[index]
        return self.all_values[index], self.measured[index], self.ready[index]

    def whole_at(self, *places: Any) -> Part:
        """Return the same of profiles that are known to be whole."""
        return None, None, self.ready[(slice(None), *places)]

    def partial_at(self, *places: Any) -> Part:
        """Return the same where a profile of the other side is not whole."""
        index = (slice(None), *places)
        return self.all_values[index], self.measured[index], self.ready[index]

    def prepared_at(self, places: NDArray[np.intp], /) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the prepared values of profiles, and which were measured, shape (p, m) both."""
        return self.all_values[:, places], self.measured[:, places]


def score_parts(a: Part, b: Part, metric: Metric, least: int, p: int) -> Floats:
    """Score two parts whose axes after the first broadcast.

    Parameters
    ----------
    a, b : tuple
        From a `Side`.
    metric : Metric
        The definition of the score.
    least : int
        The least number of targets measured in both.
    p : int
        The number of targets.
    """
    (values_a, measured_a, ready_a), (values_b, measured_b, ready_b) = a, b
    if (measured_a is None or measured_a.all()) and (measured_b is None or measured_b.all()):
        out = metric.convert(metric.kernel.complete(ready_a, ready_b))
        return out if p >= least else np.full_like(out, np.nan)
    if values_a is None or values_b is None or measured_a is None or measured_b is None:
        raise ValueError("a part without values cannot be scored against one with gaps")
    both = measured_a & measured_b
    out = metric.convert(metric.kernel.masked(values_a, values_b, both))
    return np.where(both.sum(axis=0) >= least, out, np.nan)
