"""Small profile sets and samples whose scores are chosen freely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drugsig import PairSample, PopulationRule, ProfileSet
from drugsig.comparison import Comparison, get_metric

BATCHES = PopulationRule.from_data(
    {
        "name": "known batches",
        "source": ["batch_id"],
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
    }
)


def with_metadata(**columns: Sequence[str | None]) -> ProfileSet:
    """Profiles that differ, with these metadata columns."""
    n = len(next(iter(columns.values())))
    values = np.random.default_rng(n).random((n, 5))
    return ProfileSet(values, list("ABCDE"), {"profile_id": [f"p{k}" for k in range(n)], **columns})


def comparison_of(
    profiles: ProfileSet, scores: np.ndarray | None = None, *, metric: str = "euclidean"
) -> Comparison:
    """A comparison with these scores, or with one number of its own for every pair."""
    n = len(profiles)
    if scores is None:
        scores = np.add.outer(np.arange(n) * 100.0, np.arange(n))
        scores = np.minimum(scores, scores.T)
    cells = np.ones((n, 5), dtype=bool)
    return Comparison(
        scores=scores, row_ids=profiles.ids, column_ids=profiles.ids, metric=get_metric(metric),
        symmetric=True, min_measured=1, row_measured=cells, column_measured=cells,
        row_detected=cells, column_detected=cells, row_digest="", column_digest="",
    )  # fmt: skip


def sample_of(
    linked: Sequence[tuple[float, int]],
    unlinked: Sequence[tuple[float, int, int]],
    *,
    metric: str = "euclidean",
    rule: PopulationRule = BATCHES,
) -> PairSample:
    """A sample of linked pairs (score, source) and unlinked pairs (score, source, source)."""
    first = [s for _, s in linked] + [a for _, a, _ in unlinked]
    second = [s for _, s in linked] + [b for _, _, b in unlinked]
    scores = [x for x, _ in linked] + [x for x, _, _ in unlinked]
    n = len(scores)
    return PairSample(
        scores=np.array(scores, dtype=float),
        linked=np.arange(n) < len(linked),
        first=np.arange(n, dtype=np.int32),
        second=np.arange(n, dtype=np.int32) + n,
        source=np.array(first + second, dtype=np.int32),
        sources=tuple(str(k) for k in range(max(first + second) + 1)),
        rule=rule,
        metric=get_metric(metric),
        n_undecided=0,
        n_undefined=0,
        n_same_specimen=0,
        left_out={},
    )
