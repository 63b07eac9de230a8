"""`links`: every pair of profiles that meets a threshold, and no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from drugsig._notes import Note, emit
from drugsig.comparison.link_search import LinkSearch, TaskLinks, joined
from drugsig.comparison.links import Links, checked_rate, links_of, undefined_links
from drugsig.comparison.metrics import DEFAULT_METRIC, Metric
from drugsig.comparison.neighbours import checked_memory
from drugsig.comparison.search.running import how_many_workers, run_tasks
from drugsig.errors import SizeError
from drugsig.profiles.profile_set import ProfileSet

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["BYTES_A_LINK", "LINKS_LIMIT_BYTES", "Budget", "found_links", "links"]

Floats = NDArray[np.float64]

# What links may take unless more is allowed: 25 million of them.
LINKS_LIMIT_BYTES = 2_800_000_000

# One link while it is sorted: positions, score, counts of targets, and room to put them in order.
BYTES_A_LINK = 112


def links(
    questioned: ProfileSet,
    reference: ProfileSet | None = None,
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    threshold: float,
    min_measured: int | None = None,
    memory: float = LINKS_LIMIT_BYTES,
    workers: int | None = None,
    across_epochs: bool = False,
    false_positive_rate: float | None = None,
    false_positive_interval: tuple[float, float] | None = None,
    client: Client | None = None,
    shards: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Links:
    """Find every pair of profiles whose score meets a threshold, and no other.

    The matrix of all scores is never formed. The links are those that `compare` and
    `Comparison.links` give, to the last bit, however large the sets are.

    Parameters
    ----------
    questioned : ProfileSet
        The profiles to place, pretreated.
    reference : ProfileSet, optional
        The profiles to compare with, pretreated in the same way; without it the questioned
        profiles with each other.
    metric : str or Metric
        One of `drugsig.METRICS`, or a fitted one.
    threshold : float
        The score that makes a link, in the metric's convention; equal counts.
    min_measured : int, optional
        As in `compare`.
    memory : float
        The most bytes the links may take. A threshold that nearly every pair meets is refused, and
        the message says how many links there are or would be.
    workers : int, optional
        How many threads; one a processor by default. The links are the same for any number.
    across_epochs : bool
        Whether profiles of different comparability epochs may be compared.
    false_positive_rate : float, optional
        The share of unlinked pairs of known source that meet the threshold; with it the links
        state how many of them chance alone would make. `Threshold.search` fills it in.
    false_positive_interval : tuple of float, optional
        The 95 % interval of that rate.
    client : distributed.Client, optional
        A Dask cluster that does the work, instead of threads of this process.
    shards : path-like, optional
        A folder for what was found so far. A search that was stopped goes on from there; a folder
        with parts of another search is refused.
    progress : bool
        Whether to show a bar where there is a terminal.

    Returns
    -------
    Links
        The most alike first.

    Raises
    ------
    ThresholdError
        If the threshold lies outside the range of the metric.
    TargetMismatchError
        If the sets do not hold the same targets in the same order.
    ComparisonError
        If the sets cannot be compared, see `compare`.
    SizeError
        If the links would take more than `memory`.
    ClusterError
        If the cluster is lost; what was found before is in the shards.

    Warns
    -----
    UndefinedScoreWarning
        If pairs have no score; once, with their number.
    DataWarning
        If shards were damaged and had to be computed again.

    Notes
    -----
    Profiles are put into leaves of neighbours, and pairs of leaves that are too far apart are left
    out; the others are multiplied in blocks, in single precision and with a margin. What is
    proposed so is decided by the score itself, in float64, target by target. Where leaves overlap
    too much for pruning to pay, all pairs are multiplied in blocks.

    Examples
    --------
    >>> from drugsig import ProfileSet
    >>> s = ProfileSet([[3.0, 1.0], [6.0, 2.0], [1.0, 5.0]], ["A", "B"], ["001", "002", "003"])
    >>> links(s, metric="cosine", threshold=0.99).to_frame()[["questioned", "reference"]]
      questioned reference
    0        001       002
    """
    result = found_links(
        questioned,
        reference,
        metric=metric,
        threshold=threshold,
        min_measured=min_measured,
        memory=memory,
        workers=workers,
        across_epochs=across_epochs,
        false_positive_rate=false_positive_rate,
        false_positive_interval=false_positive_interval,
        client=client,
        shards=shards,
        progress=progress,
    )
    emit(result.notes)
    return result


def found_links(
    questioned: ProfileSet,
    reference: ProfileSet | None = None,
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    threshold: float,
    min_measured: int | None = None,
    memory: float = LINKS_LIMIT_BYTES,
    workers: int | None = None,
    across_epochs: bool = False,
    false_positive_rate: float | None = None,
    false_positive_interval: tuple[float, float] | None = None,
    client: Client | None = None,
    shards: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Links:
    """Find links as `links` does, and leave its notes to the caller instead of warning.

    Parameters
    ----------
    questioned, reference, metric, threshold, min_measured, memory, workers, across_epochs
        As in `links`.
    false_positive_rate, false_positive_interval, client, shards, progress
        As in `links`.
    """
    rate = checked_rate(false_positive_rate)
    memory = checked_memory(memory)
    count = how_many_workers(workers)
    # Sums on several threads differ in the last digits from run to run: a search that is to go on
    # later must be divided in the same way again.
    with threadpool_limits(limits=None if shards is None else 1, user_api="blas"):
        search = LinkSearch.of(
            questioned,
            reference,
            metric=metric,
            threshold=threshold,
            min_measured=min_measured,
            across_epochs=across_epochs,
        )
    budget = Budget(search, memory)
    found = [budget.take(search.among_duplicates(), done=0)]
    bar = "links" if progress else None
    results: Iterator[tuple[int, TaskLinks]]
    tasks: Any = nullcontext()
    folder = None
    if client is None and shards is None:
        tasks = run_tasks(
            partial(search.run, most=budget.most), search.n_tasks, workers=count, progress=bar
        )
        results = enumerate(tasks, start=1)
        tasks = closing(tasks)
    else:
        from drugsig.comparison.distributed import ShardFolder, run_search

        if shards is not None:
            folder = ShardFolder.of(shards, search, questioned, reference)
        results = run_search(search, shards=folder, client=client, workers=count, progress=bar)
    with tasks:
        for done, part in results:
            found.append(budget.take(part, done=done))
    rows, columns, scores = joined(found)
    undefined = search.undefined_whole + budget.undefined
    notes: tuple[Note, ...] = () if folder is None else folder.notes
    return links_of(
        rows,
        columns,
        scores,
        row_masks=(questioned.measured, questioned.detected),
        column_masks=None if reference is None else (reference.measured, reference.detected),
        row_ids=questioned.ids,
        column_ids=questioned.ids if reference is None else reference.ids,
        metric=search.metric,
        threshold=search.threshold,
        comparisons=search.comparisons,
        undefined=undefined,
        symmetric=reference is None,
        min_measured=search.min_measured,
        false_positive_rate=rate,
        false_positive_interval=false_positive_interval,
        notes=(*notes, *undefined_links(undefined, search.comparisons, search.metric)),
        row_sizes=search.row_sizes,
        column_sizes=search.column_sizes,
    )


class Budget:
    """Keeps the number of links below what was allowed.

    Parameters
    ----------
    search : LinkSearch
        What is being searched.
    memory : float
        The most bytes the links may take.
    """

    def __init__(self, search: LinkSearch, memory: float, /) -> None:
        self.search = search
        self.memory = memory
        self.most = int(min(memory / BYTES_A_LINK, 2.0**62))
        self.n_links = 0
        self.undefined = 0
        if search.n_among_duplicates > self.most:
            raise SizeError(
                f"copies of one profile alone make {search.n_among_duplicates:,} links, and "
                f"{self.most:,} are allowed: some profiles are there many times to the last digit. "
                "Keep one of each, or allow more with "
                f"memory={search.n_among_duplicates * BYTES_A_LINK:.1e}."
            )

    def take(self, part: TaskLinks, /, *, done: int) -> TaskLinks:
        """Return a part with every copy in its own right, if there is room for it.

        Raises
        ------
        SizeError
            If there is not; the message says how many links there would be.
        """
        self.undefined += part.undefined
        self.n_links += self.search.weight(part)
        if self.n_links > self.most:
            tasks = max(1, self.search.n_tasks)
            # Parts differ in size and stop early where links abound, so this is a rough guess.
            guess = min(self.n_links / max(1, done) * tasks, self.search.comparisons)
            raise SizeError(
                f"{self.n_links:,} links were found after {done} of {tasks} parts of the search, "
                f"and {self.most:,} are allowed ({self.memory / 1e9:.2g} GB); in all there would "
                f"be roughly {guess:.1g} among {self.search.comparisons:.2g} pairs. Choose a "
                f"stricter threshold than {self.search.threshold:g}, or allow more with "
                f"memory=<bytes>, {BYTES_A_LINK} a link."
            )
        return self.search.expanded(part)
