"""`LinkRule`: which pairs of profiles are links, and how far a search has to look for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import (
    PreparedProfiles,
    pair_sizes,
    score_listed,
    score_profiles,
)

__all__ = ["LinkRule"]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Links = tuple[Indices, Indices, Floats]


@dataclass(frozen=True, eq=False)
class LinkRule:
    """A threshold that scores meet.

    Every search proposes pairs, too many rather than too few, and `decide` alone says which of them
    are links. What searches look for follows from `value`, and from nowhere else.

    Parameters
    ----------
    metric : Metric
        The definition of the score.
    threshold : float
        In the convention of the metric.
    least : int
        The least number of targets measured in both profiles.
    size : float, optional
        The largest size that a score can have, see `Metric.slack`; None where the range of the
        metric is the size of all.
    """

    metric: Metric
    threshold: float
    least: int = 1
    size: float | None = None

    @property
    def value(self) -> float:
        """The kernel's value that every link is at least as alike as, up to rounding.

        From it follow the radius of a `EuclideanSpace` and the limit of a `TermSpace`, which leave
        room for rounding on top of the slack.
        """
        slack = float(self.metric.slack(np.asarray(self.threshold), self.size))
        return self.metric.farthest_value(self.threshold, slack)

    def may_meet(self, scores: Floats, /) -> NDArray[np.bool_]:
        """Say which scores of a block have to be decided about; none that is undefined."""
        return self.metric.meets(scores, self.threshold, self.size)

    def decide(
        self,
        a: Floats,
        b: Floats,
        rows: Indices,
        columns: Indices,
        /,
        *,
        sizes: Floats | None = None,
    ) -> Links:
        """Score proposed pairs of whole profiles and keep the links.

        Parameters
        ----------
        a, b : ndarray of float64, shape (rows, n)
            Transformed profiles of both sides.
        rows, columns : ndarray of int64, shape (n_pairs,)
            Which of them.
        sizes : ndarray of float64, shape (n_pairs,), optional
            Of their scores; the largest that a score can have without them.
        """
        return self._kept(rows, columns, score_listed(a, b, rows, columns, self.metric), sizes)

    def decide_partial(
        self,
        a: PreparedProfiles,
        b: PreparedProfiles,
        rows: Indices,
        columns: Indices,
        /,
    ) -> tuple[Links, int]:
        """Score proposed pairs of profiles with gaps; return the links and how many have no score.

        Parameters
        ----------
        a, b : PreparedProfiles
            Both sides.
        rows, columns : ndarray of int64, shape (n_pairs,)
            Which of them; not so many that their profiles take much room.
        """
        left, right = a.partial_at(rows), b.partial_at(columns)
        scores = score_profiles(left, right, self.metric, self.least, a.n_targets)
        sizes = pair_sizes(a.sizes, b.sizes, rows, columns)
        return self._kept(rows, columns, scores, sizes), int(np.isnan(scores).sum())

    def _kept(self, rows: Indices, columns: Indices, scores: Floats, sizes: Floats | None) -> Links:
        met = self.metric.meets(scores, self.threshold, self.size if sizes is None else sizes)
        return rows[met], columns[met], scores[met]
