"""`condensed_scores`: the score of every pair of one set, once, as a bare array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose
from drugsig._notes import Note, emit
from drugsig.comparison.comparability import check_comparable, least_measured
from drugsig.comparison.comparison import UndefinedScores
from drugsig.comparison.dense import DENSE_LIMIT_BYTES
from drugsig.comparison.fast_forms import block_values, compiled_form, has_single_form
from drugsig.comparison.metrics import Metric, get_metric
from drugsig.comparison.prepared import PreparedProfiles
from drugsig.comparison.products import ProductBlocks
from drugsig.comparison.score_blocks import (
    ScoreBlocks,
    Strip,
    gap_blocks,
    run,
    strips,
)
from drugsig.comparison.search.running import how_many_workers
from drugsig.comparison.search.tree import Indices
from drugsig.errors import ComparisonError, SizeError
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["PRECISIONS", "condensed_scores"]

PRECISIONS = ("double", "single")

Scores = NDArray[Any]

# Scores computed at a time, and columns: wide blocks, because rows are written one by one.
_BLOCK_SCORES = 65_536
_WIDE = 2_048

# Strips that products go through in one task, so that pairs too near for them come together.
_BUNDLE = 8

# With fewer pairs matrix products and single precision gain nothing.
_FAST_FROM = 100_000

# Values whose largest is between these have squares, and sums of them, within single precision.
_LEAST_SINGLE, _MOST_SINGLE = 1e-15, 1e15


def condensed_scores(
    profiles: ProfileSet,
    /,
    *,
    metric: str | Metric,
    precision: Literal["double", "single"] = "double",
    min_measured: int | None = None,
    memory: float = DENSE_LIMIT_BYTES,
    workers: int | None = None,
    across_epochs: bool = False,
    progress: bool = True,
) -> NDArray[Any]:
    """Score every pair of profiles of one set once.

    The pairs stand as in `Comparison.pair_index` and in `scipy.spatial.distance.pdist`: half the
    memory of `drugsig.compare`, and what scipy's clustering takes if the scores are distances.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated; this function scales and transforms nothing.
    metric : str or Metric
        One of `drugsig.METRICS`.
    precision : {"double", "single"}
        Single precision takes half the memory and is faster. It is for exploring and drawing only:
        scores are off by about 1e-6 of the largest, identical profiles need not score exactly the
        self-value, and ties are lost. Never decide about links by it.
    min_measured : int, optional
        The least number of targets measured in both profiles; with fewer the score is undefined.
        The metric's own number by default.
    memory : float
        The most bytes the scores may take. Only the scores count, not the profiles, which are held
        a few times over.
    workers : int, optional
        How many threads; one a processor by default. The scores do not depend on it.
    across_epochs : bool
        Whether profiles of different comparability epochs may be compared.
    progress : bool
        Whether to show a bar where it takes long; without a terminal there is none.

    Returns
    -------
    ndarray of float64 or float32, shape (n_pairs,)
        NaN where undefined.

    Raises
    ------
    ComparisonError
        If the profiles hold targets that are not impurities, or values that the metric has no
        meaning for or single precision no room for.
    InputError
        If `workers` or `min_measured` is no whole number from 1.
    SizeError
        If the scores would take more than `memory`.
    UnknownNameError
        If there is no such metric or precision.

    Warns
    -----
    UndefinedScoreWarning
        If scores are undefined; once, with the names of the profiles.

    Notes
    -----
    In double precision the scores are those of `drugsig.compare` to the bit, save correlations and
    cosines of large sets: these come from matrix products, and are right to 1e-12 of the distance
    they stand for (`Metric.as_distance`). Pairs so alike that rounding would show in the distance
    are scored by the definition, so identical profiles score exactly the self-value. Pairs in which
    a target was not measured are always scored by the definition.

    Examples
    --------
    >>> from drugsig import ProfileSet
    >>> s = ProfileSet([[3.0, 1.0], [6.0, 2.0], [1.0, 3.0]], ["A", "B"], ["001", "002", "003"])
    >>> condensed_scores(s, metric="manhattan").tolist()
    [4.0, 4.0, 6.0]
    """
    measure = get_metric(metric)
    single = choose(precision, PRECISIONS, what="precision") == "single"
    check_comparable(profiles, None, measure, across_epochs=across_epochs)
    least = least_measured(min_measured, measure, len(profiles.targets))
    count = how_many_workers(workers)
    kind = np.dtype(np.float32 if single else np.float64)
    n, p = len(profiles), len(profiles.targets)
    n_pairs = n * (n - 1) // 2
    needed = kind.itemsize * n_pairs
    if needed > memory:
        raise SizeError(
            f"the scores of {n_pairs:,} pairs of {n:,} profiles would take {needed / 1e9:.1f} GB, "
            f"and {memory / 1e9:.1f} GB are allowed. Find the pairs that meet a threshold without "
            "all scores: drugsig.links(profiles, metric=..., threshold=...). Or allow more with "
            "memory=<bytes>."
        )
    scores = np.full(n_pairs, np.nan, dtype=kind) if p < least else np.empty(n_pairs, dtype=kind)
    doubtful = bool(n_pairs)
    if p >= least:
        side = PreparedProfiles.of(profiles, measure)
        if single:
            _refuse_single(profiles, side, measure)
        blocks = ScoreBlocks(side, side, measure, least, p, compiled_form(measure, n_pairs))
        doubtful = _fill(scores, blocks, workers=count, progress=progress)
    emit(_undefined(scores, profiles, measure, least) if doubtful else ())
    return scores


class _Condensed:
    """Where the scores of pairs stand in a condensed array."""

    def __init__(self, scores: Scores, n: int, /) -> None:
        self._scores = scores
        # The pair (i, j) stands at starts[i] + j.
        i = np.arange(n, dtype=np.int64)
        self._starts: Indices = i * n - i * (i + 1) // 2 - i - 1

    def write_block(self, rows: slice, columns: slice, block: Scores) -> None:
        """Keep what is right of the diagonal."""
        scores, left, right = self._scores, columns.start, columns.stop
        # Numbers of Python, which are added faster one by one.
        starts = self._starts[rows].tolist()
        for i, start, found in zip(range(rows.start, rows.stop), starts, block, strict=True):
            if i < left:
                scores[start + left : start + right] = found
            elif i + 1 < right:
                scores[start + i + 1 : start + right] = found[i + 1 - left :]

    def write_pairs(self, first: Indices, second: Indices, found: Scores) -> None:
        """Keep the scores of listed pairs, the first profile before the second."""
        self._scores[self._starts[first] + second] = found


def _fill(scores: Scores, blocks: ScoreBlocks, *, workers: int, progress: bool) -> bool:
    """Compute every score; return whether some may be undefined."""
    n, n_pairs = len(blocks.a), len(scores)
    kept = _Condensed(scores, n)
    single = scores.dtype == np.float32 and n_pairs >= _FAST_FROM
    products = ProductBlocks.of(blocks, single=single) if n_pairs >= _FAST_FROM else None
    parts = strips(n, n, block=_BLOCK_SCORES, same=True, wide=_WIDE)
    if products is None:
        score = _by_definition(blocks, parts, kept, single=single)
        run(score, len(parts), n_scores=n_pairs, workers=workers, progress=progress)
    else:
        bundles = [parts[k : k + _BUNDLE] for k in range(0, len(parts), _BUNDLE)]
        score = _by_products(products, bundles, kept)
        run(score, len(bundles), n_scores=n_pairs, workers=workers, progress=progress)
    if blocks.a.all_whole:
        # A pair of whole profiles has no score only if one of them has none with itself.
        transformed = blocks.a.transformed
        return bool(np.isnan(blocks.metric.kernel.complete(transformed, transformed)).any())
    gaps = gap_blocks(blocks.a.whole, blocks.a.whole, same=True)

    def score_gaps(task: int) -> None:
        rows, columns = gaps[task]
        found = blocks.with_gaps(rows, columns)
        first, second = np.minimum(rows[:, None], columns), np.maximum(rows[:, None], columns)
        pairs = first != second
        kept.write_pairs(first[pairs], second[pairs], found[pairs])

    n_gaps = sum(len(rows) * len(columns) for rows, columns in gaps)
    run(score_gaps, len(gaps), n_scores=n_gaps, workers=workers, progress=progress)
    return True


def _by_products(
    products: ProductBlocks, bundles: list[list[Strip]], kept: _Condensed
) -> Callable[[int], None]:
    def score(task: int) -> None:
        near = []
        for strip in bundles[task]:
            for columns in strip.columns:
                block, *pairs = products.block(strip.rows, columns)
                kept.write_block(strip.rows, columns, block)
                near.append(pairs)
        # Together, because a few pairs take nearly as long as many.
        first, second = (np.concatenate(side) for side in zip(*near, strict=True))
        kept.write_pairs(first, second, products.listed(first, second))

    return score


def _by_definition(
    blocks: ScoreBlocks, parts: list[Strip], kept: _Condensed, *, single: bool
) -> Callable[[int], None]:
    metric, score_block = blocks.metric, blocks.whole
    if single and has_single_form(metric):
        transformed = blocks.a.transformed.astype(np.float32)

        def score_block(rows: slice, columns: slice, /) -> Scores:
            values = block_values(transformed, transformed, rows, columns, metric, blocks.compiled)
            return metric.convert(values)

    def score(task: int) -> None:
        for columns in parts[task].columns:
            kept.write_block(parts[task].rows, columns, score_block(parts[task].rows, columns))

    return score


def _refuse_single(profiles: ProfileSet, side: PreparedProfiles, metric: Metric) -> None:
    if not has_single_form(metric):
        return
    largest = float(np.fmax.reduce(np.abs(side.transformed), axis=None, initial=0.0))
    if largest and not _LEAST_SINGLE <= largest <= _MOST_SINGLE:
        raise ComparisonError(
            f"profile set '{profiles.name}' holds values up to {largest:.2g}, whose sums single "
            "precision has no room for. Normalise the profiles first, as with the step 'sum', or "
            "say precision='double'."
        )


def _undefined(
    scores: Scores, profiles: ProfileSet, metric: Metric, least: int
) -> tuple[Note, ...]:
    """Note undefined scores, if there are any, with the profiles that have no other."""
    n = len(profiles)
    undefined, position = 0, 0
    lonely = np.ones(n, dtype=bool)
    for i in range(n - 1):
        missing = np.isnan(scores[position : position + n - 1 - i])
        position += n - 1 - i
        undefined += int(np.count_nonzero(missing))
        lonely[i] &= missing.all()
        lonely[i + 1 :] &= missing
    if not undefined:
        return ()
    return (
        UndefinedScores(
            undefined=undefined,
            pairs=len(scores),
            zero_rule=metric.zero_rule,
            min_measured=least,
            without_score=tuple(profiles.ids[i] for i in np.flatnonzero(lonely)),
        ),
    )
