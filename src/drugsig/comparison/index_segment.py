"""`Segment`: some profiles of an index, with all that is needed to score them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import PreparedProfiles
from drugsig.comparison.search.query_finder import QueryFinder
from drugsig.comparison.search.tree import Indices
from drugsig.profiles.labels import EPOCH_COLUMN
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status, is_usable

__all__ = ["Segment"]


@dataclass(frozen=True, eq=False)
class Segment(FrozenArrays):
    """Some profiles of an index.

    Attributes
    ----------
    ids : tuple of str
        One a profile.
    epochs : tuple of (str or None) or None
        The comparability epoch of each; None where none is known.
    values : ndarray of float64, shape (n, p)
        As pretreated.
    status : ndarray of uint8, shape (n, p)
        `Status` of every cell.
    metric : Metric
        How they are scored.
    tree : tuple of ndarray or None
        Order and starts of the leaves of an earlier finder for the same profiles.
    """

    ids: tuple[str, ...]
    epochs: tuple[str | None, ...] | None
    values: NDArray[np.float64]
    status: NDArray[np.uint8]
    metric: Metric
    tree: tuple[Indices, Indices] | None = None

    @classmethod
    def of(cls, profiles: ProfileSet, metric: Metric, /) -> Segment:
        """Take from profiles what a search needs."""
        known = EPOCH_COLUMN in profiles.metadata_columns
        return cls(
            ids=profiles.ids,
            epochs=profiles.column(EPOCH_COLUMN) if known else None,
            values=profiles.values,
            status=profiles.status,
            metric=metric,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which cells were measured, shape (n, p)."""
        return is_usable(self.status)

    @property
    def detected(self) -> NDArray[np.bool_]:
        """Which cells were detected, shape (n, p)."""
        return np.asarray(self.status == Status.DETECTED)

    @cached_property
    def finder(self) -> QueryFinder:
        """The profiles prepared to be searched."""
        profiles = PreparedProfiles(self.values, self.measured, self.metric)
        return QueryFinder.of(profiles, leaves=self.tree)

    def joined(self, other: Segment, /) -> Segment:
        """Return the profiles of both, those of the other after these.

        Parameters
        ----------
        other : Segment
            Of the same index.
        """
        epochs = None
        if self.epochs is not None or other.epochs is not None:
            epochs = (self.epochs or (None,) * len(self)) + (other.epochs or (None,) * len(other))
        return Segment(
            ids=self.ids + other.ids,
            epochs=epochs,
            values=np.concatenate([self.values, other.values]),
            status=np.concatenate([self.status, other.status]),
            metric=self.metric,
        )
