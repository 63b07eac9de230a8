"""`compare`: score every profile against every other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import emit
from drugsig.comparison.comparability import Treatment, check_comparable, least_measured
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.fast_forms import compiled_form
from drugsig.comparison.metrics import DEFAULT_METRIC, Metric, get_metric
from drugsig.comparison.prepared import PreparedProfiles, score_profiles
from drugsig.comparison.score_blocks import (
    ScoreBlocks,
    gap_blocks,
    run,
    strips,
)
from drugsig.comparison.search.running import how_many_workers
from drugsig.errors import SizeError
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["DENSE_LIMIT_BYTES", "compare", "compared", "score_pairs"]

# A dense matrix larger than this is refused unless more is allowed: 16,000 x 16,000 scores.
DENSE_LIMIT_BYTES = 2 * 1024**3

# Scores computed at a time; intermediate arrays of this many float64 stay in the processor's cache.
_BLOCK_SCORES = 32_768


def compare(
    questioned: ProfileSet,
    reference: ProfileSet | None = None,
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    min_measured: int | None = None,
    memory: float = DENSE_LIMIT_BYTES,
    workers: int | None = None,
    across_epochs: bool = False,
    progress: bool = True,
) -> Comparison:
    """Score every questioned profile against every reference profile.

    Both sets must already be pretreated in the same way; this function scales and transforms
    nothing.

    Parameters
    ----------
    questioned : ProfileSet
        The profiles to place.
    reference : ProfileSet, optional
        The profiles to compare with; without it the questioned profiles with each other.
    metric : str or Metric
        One of `drugsig.METRICS`.
    min_measured : int, optional
        The least number of targets measured in both profiles; with fewer the score is
        undefined. The metric's own number by default; a lower one is allowed and recorded.
    memory : float
        The most bytes the matrix of scores may take. Only the scores count; what else is held
        is the profiles, a few times over, and for every score one byte while undefined ones are
        counted.
    workers : int, optional
        How many threads; one a processor by default. The scores do not depend on it.
    across_epochs : bool
        Whether profiles of different comparability epochs (column ``epoch``) may be compared.
    progress : bool
        Whether to show a bar where it takes long; without a terminal there is none.

    Returns
    -------
    Comparison
        Scores of shape (n_questioned, n_reference), NaN where undefined.

    Raises
    ------
    TargetMismatchError
        If the sets do not hold the same targets in the same order.
    ComparisonError
        If the sets were pretreated differently, hold targets that are not impurities, or hold
        values the metric has no meaning for.
    InputError
        If `workers` or `min_measured` is no whole number from 1.
    SizeError
        If the matrix would take more than `memory`.

    Warns
    -----
    UndefinedScoreWarning
        If scores are undefined; once, with the names of the profiles.

    Examples
    --------
    >>> from drugsig import ProfileSet
    >>> s = ProfileSet([[3.0, 1.0], [6.0, 2.0]], ["A", "B"], ["001", "002"])
    >>> compare(s, metric="cosine")["001", "002"]
    1.0
    """
    result = compared(
        questioned,
        reference,
        metric=metric,
        min_measured=min_measured,
        memory=memory,
        workers=workers,
        across_epochs=across_epochs,
        progress=progress,
    )
    emit(result.notes)
    return result


def compared(
    questioned: ProfileSet,
    reference: ProfileSet | None = None,
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    min_measured: int | None = None,
    memory: float = DENSE_LIMIT_BYTES,
    workers: int | None = None,
    across_epochs: bool = False,
    progress: bool = True,
) -> Comparison:
    """Score profiles as `compare` does, and leave its notes to the caller instead of warning.

    Parameters
    ----------
    questioned, reference, metric, min_measured, memory, workers, across_epochs, progress
        As in `compare`.
    """
    measure = get_metric(metric)
    other = questioned if reference is None else reference
    check_comparable(questioned, reference, measure, across_epochs=across_epochs)
    least = least_measured(min_measured, measure, len(questioned.targets))
    count = how_many_workers(workers)
    n, m = len(questioned), len(other)
    needed = 8 * n * m
    if needed > memory:
        raise SizeError(
            f"{n:,} x {m:,} scores would take {needed / 1e9:.1f} GB, and {memory / 1e9:.1f} GB are "
            "allowed. Find the pairs that meet a threshold without the matrix: drugsig.links("
            "profiles, metric=..., threshold=...). Or allow more with memory=<bytes>."
        )
    a = PreparedProfiles.of(questioned, measure)
    b = a if reference is None else PreparedProfiles.of(reference, measure)
    scores = _dense(a, b, measure, least, len(questioned.targets), workers=count, progress=progress)
    return Comparison(
        scores=scores,
        row_ids=questioned.ids,
        column_ids=other.ids,
        metric=measure,
        symmetric=reference is None,
        min_measured=least,
        row_measured=questioned.measured,
        column_measured=other.measured,
        row_detected=questioned.detected,
        column_detected=other.detected,
        row_digest=questioned.digest,
        column_digest=other.digest,
        row_sizes=a.sizes,
        column_sizes=b.sizes,
        treatment=Treatment.of(questioned),
    )


def score_pairs(
    a: ProfileSet,
    b: ProfileSet,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    min_measured: int | None = None,
    across_epochs: bool = False,
) -> NDArray[np.float64]:
    """Score listed pairs: row ``rows[k]`` of `a` against row ``columns[k]`` of `b`.

    The same definition as `compare`, to the last bit.

    Parameters
    ----------
    a, b : ProfileSet
        Pretreated in the same way, with the same targets.
    rows, columns : ndarray of int, shape (n_pairs,)
        Which profiles.
    metric : str or Metric
        One of `drugsig.METRICS`.
    min_measured, across_epochs
        As in `compare`.

    Returns
    -------
    ndarray of float64, shape (n_pairs,)
        NaN where undefined.
    """
    measure = get_metric(metric)
    check_comparable(a, b, measure, across_epochs=across_epochs)
    least = least_measured(min_measured, measure, len(a.targets))
    x, y = PreparedProfiles.of(a, measure), PreparedProfiles.of(b, measure)
    return score_profiles(x.at(rows), y.at(columns), measure, least, len(a.targets))


def _dense(
    a: PreparedProfiles,
    b: PreparedProfiles,
    metric: Metric,
    least: int,
    p: int,
    *,
    workers: int,
    progress: bool,
) -> NDArray[np.float64]:
    same = a is b
    n, m = len(a), len(b)
    if p < least:
        return np.full((n, m), np.nan)
    n_scores = n * (n + 1) // 2 if same else n * m
    blocks = ScoreBlocks(a, b, metric, least, p, compiled_form(metric, n_scores))
    out = np.empty((n, m))
    parts = strips(n, m, block=_BLOCK_SCORES, same=same)

    def score_whole(task: int) -> None:
        strip = parts[task]
        for columns in strip.columns:
            block = blocks.whole(strip.rows, columns)
            out[strip.rows, columns] = block
            # Every metric is symmetric to the bit.
            if same:
                out[columns, strip.rows] = block.T

    run(score_whole, len(parts), n_scores=n_scores, workers=workers, progress=progress)
    if not (a.all_whole and b.all_whole):
        gaps = gap_blocks(a.whole, b.whole, same=same)

        def score_gaps(task: int) -> None:
            rows, columns = gaps[task]
            block = blocks.with_gaps(rows, columns)
            out[np.ix_(rows, columns)] = block
            if same:
                out[np.ix_(columns, rows)] = block.T

        n_gaps = sum(len(rows) * len(columns) for rows, columns in gaps)
        run(score_gaps, len(gaps), n_scores=n_gaps, workers=workers, progress=progress)
    return out
