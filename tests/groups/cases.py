"""Comparisons with chosen scores, for groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drugsig.comparison import Comparison, get_metric


def comparison_of(
    scores, *, ids: Sequence[str] | None = None, metric: str = "euclidean", detected=None
) -> Comparison:
    """A comparison of one set with these scores."""
    scores = np.array(scores, dtype=float)
    n = len(scores)
    names = tuple(ids) if ids is not None else tuple(f"p{k}" for k in range(n))
    measured = np.ones((n, 5), dtype=bool)
    seen = measured.copy() if detected is None else np.array(detected, dtype=bool)
    return Comparison(
        scores=scores, row_ids=names, column_ids=names, metric=get_metric(metric), symmetric=True,
        min_measured=1, row_measured=measured, column_measured=measured, row_detected=seen,
        column_detected=seen, row_digest="", column_digest="",
    )  # fmt: skip


def on_a_line(places, **options) -> Comparison:
    """A comparison of points on a line."""
    places = np.asarray(places, dtype=float)
    return comparison_of(np.abs(places[:, None] - places[None, :]), **options)
