"""`ScoreBlocks`: blocks of the matrix of scores by the definition, and who computes them.

What keeps the scores, a matrix or the condensed form, decides where they go; here stands how they
come about: profiles with every target measured by the one form of the kernel, compiled where that
pays, and the pairs of profiles with gaps by the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.fast_forms import CompiledForm, block_values, scipy_form
from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import PreparedProfiles, score_profiles
from drugsig.comparison.search.running import run_tasks
from drugsig.comparison.search.tree import Indices

__all__ = [
    "WIDE",
    "ScoreBlocks",
    "Strip",
    "gap_blocks",
    "run",
    "strips",
]

Floats = NDArray[np.float64]
Scores = NDArray[Any]
# Starting threads takes longer than fewer scores; and nobody waits for fewer than these.
_THREADS_FROM = 1_000_000
_PROGRESS_FROM = 50_000_000

# The widest block, and the most scores that one task computes: short enough to be interrupted.
WIDE = 512
_TASK_SCORES = 1_048_576

# Pairs of profiles with gaps at a time: all targets of all these pairs stay in the cache.
_GAP_ROWS = 32
_GAP_COLUMNS = 256


@dataclass(frozen=True, eq=False)
class ScoreBlocks:
    """Scores between the profiles of two sides, block by block, to the bit as defined.

    Parameters
    ----------
    a, b : PreparedProfiles
        Both sides; the same object where one set is compared with itself.
    metric : Metric
        The definition of the score.
    least : int
        The least number of targets measured in both.
    p : int
        The number of targets.
    compiled : callable or None
        From `compiled_form`.
    """

    a: PreparedProfiles
    b: PreparedProfiles
    metric: Metric
    least: int
    p: int
    compiled: CompiledForm | None

    def whole(self, rows: slice, columns: slice, /) -> Floats:
        """Return the scores of a block; NaN for profiles with gaps.

        Parameters
        ----------
        rows, columns : slice
            Of the profiles of both sides, with a start and a stop.
        """
        form = None if self.compiled else scipy_form(self.metric.kernel.complete)
        if form is not None:
            values = form(self.a.by_profile[rows], self.b.by_profile[columns])
        else:
            values = block_values(
                self.a.transformed, self.b.transformed, rows, columns, self.metric, self.compiled
            )
        return self.metric.convert(values)

    def with_gaps(self, rows: Indices, columns: Indices, /) -> Floats:
        """Return the scores of listed rows with listed columns, whole or not."""
        first, second = self.a.partial_at(rows, None), self.b.partial_at(None, columns)
        return score_profiles(first, second, self.metric, self.least, self.p)


@dataclass(frozen=True)
class Strip:
    """Neighbouring blocks of a few rows: one task.

    Parameters
    ----------
    rows : slice
        The rows.
    columns : tuple of slice
        The columns of every block.
    """

    rows: slice
    columns: tuple[slice, ...]


def strips(n: int, m: int, /, *, block: int, same: bool, wide: int = WIDE) -> list[Strip]:
    """Divide a matrix into strips of blocks.

    Parameters
    ----------
    n, m : int
        Its rows and columns.
    block : int
        The most scores in a block.
    same : bool
        Whether the blocks left of the diagonal are not wanted.
    wide : int
        The most columns of a block, where there are rows enough.
    """
    if not n or not m:
        return []
    width = min(m, wide)
    tall = min(n, max(1, block // width))
    width = min(m, max(1, block // tall))
    reach = max(1, _TASK_SCORES // (tall * width)) * width
    made = []
    for top in range(0, n, tall):
        rows = slice(top, min(top + tall, n))
        for first in range(top if same else 0, m, reach):
            last = min(first + reach, m)
            columns = (slice(left, min(left + width, last)) for left in range(first, last, width))
            made.append(Strip(rows, tuple(columns)))
    return made


def gap_blocks(
    whole_a: NDArray[np.bool_], whole_b: NDArray[np.bool_], /, *, same: bool
) -> list[tuple[Indices, Indices]]:
    """Return blocks, as rows and columns, of all pairs in which a profile has a gap.

    Parameters
    ----------
    whole_a, whole_b : ndarray of bool, shape (n,)
        Which profiles of both sides have none.
    same : bool
        Whether both sides are one set; then every pair is there at least once, in one order or
        the other, and profiles with themselves.
    """
    return list(_gap_blocks(whole_a, whole_b, same))


def _gap_blocks(
    whole_a: NDArray[np.bool_], whole_b: NDArray[np.bool_], same: bool
) -> Iterator[tuple[Indices, Indices]]:
    gaps, others = np.flatnonzero(~whole_a), np.flatnonzero(whole_b)
    everything = np.arange(len(whole_b))
    for first in range(0, len(gaps), _GAP_ROWS):
        rows = gaps[first : first + _GAP_ROWS]
        # Within one set, profiles with gaps before these have met them already.
        columns = np.concatenate([others, gaps[first:]]) if same else everything
        yield from ((rows, some) for some in _in_parts(columns, _GAP_COLUMNS))
    if not same:
        for rows in _in_parts(np.flatnonzero(whole_a), _GAP_COLUMNS):
            yield from ((rows, some) for some in _in_parts(np.flatnonzero(~whole_b), _GAP_ROWS))


def _in_parts(positions: Indices, size: int) -> Iterator[Indices]:
    for first in range(0, len(positions), size):
        yield positions[first : first + size]


def run(
    task: Callable[[int], object],
    n_tasks: int,
    /,
    *,
    n_scores: int,
    workers: int,
    progress: bool,
) -> None:
    """Run all tasks, on threads where there is enough to do.

    Parameters
    ----------
    task : callable
        Takes the number of a task and puts its scores where they belong.
    n_tasks : int
        How many.
    n_scores : int
        How many scores they compute together.
    workers : int
        How many threads.
    progress : bool
        Whether to show a bar where it takes long.
    """
    if n_scores < _THREADS_FROM:
        for k in range(n_tasks):
            task(k)
        return
    bar = "scores" if progress and n_scores >= _PROGRESS_FROM else None
    for _ in run_tasks(task, n_tasks, workers=workers, progress=bar):
        pass
