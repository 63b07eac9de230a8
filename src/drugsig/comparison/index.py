"""`ProfileIndex`: reference profiles prepared once, and then asked in milliseconds."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from drugsig._check import listed
from drugsig._notes import emit
from drugsig.comparison.comparability import check_comparable, least_measured
from drugsig.comparison.index_file import IndexContent, read_index, write_index
from drugsig.comparison.index_segment import Segment
from drugsig.comparison.linking import BYTES_A_LINK, LINKS_LIMIT_BYTES
from drugsig.comparison.links import Links, checked_rate, links_of, undefined_links
from drugsig.comparison.metrics import DEFAULT_METRIC, Metric, get_metric
from drugsig.comparison.nearest_search import NearestSearch, refuse_too_many
from drugsig.comparison.neighbours import (
    NEAREST_LIMIT_BYTES,
    Nearest,
    checked_count,
    checked_memory,
    nearest_of,
)
from drugsig.comparison.prepared import PreparedProfiles
from drugsig.comparison.search.query_finder import PreparedQueries
from drugsig.comparison.search.ranking import NOBODY
from drugsig.comparison.search.running import how_many_workers
from drugsig.comparison.search.tree import Indices
from drugsig.errors import InputError, SizeError
from drugsig.profiles.history import Step
from drugsig.profiles.labels import EPOCH_COLUMN
from drugsig.profiles.profile_set import ID_COLUMN, PRETREAT, ProfileSet
from drugsig.protocols.target import Target

__all__ = ["ProfileIndex", "build_index", "load_index"]

Floats = NDArray[np.float64]

# A segment is joined with the one before it unless that is more than so many times as large: then
# there are never many, and every profile is put in order a few times only.
_MUCH_LARGER = 4


@dataclass(frozen=True, eq=False, repr=False)
class ProfileIndex:
    """Reference profiles prepared for one metric.

    Made by `build_index` or `load_index`. It holds what scores are made of, so that it can be asked
    without the profiles it was built from, and refuses profiles that must not be compared with
    them.

    Attributes
    ----------
    metric : Metric
        What scores mean.
    targets : tuple of Target
        The targets of its profiles, in order.
    pretreatment_steps : tuple of dict
        The pretreatment of its profiles, with frozen parameters.
    segments : tuple of Segment
        Its profiles, in the order in which they were added.
    """

    metric: Metric
    targets: tuple[Target, ...]
    pretreatment_steps: tuple[dict[str, object], ...]
    segments: tuple[Segment, ...]
    _saved: dict[str, str] = field(default_factory=dict, init=False)

    def __len__(self) -> int:
        return sum(len(s) for s in self.segments)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The profile ids, in the order in which they were added."""
        return tuple(i for segment in self.segments for i in segment.ids)

    @cached_property
    def epochs(self) -> tuple[str, ...]:
        """The comparability epochs of its profiles."""
        return tuple(
            dict.fromkeys(e for s in self.segments for e in s.epochs or () if e is not None)
        )

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.ids)

    @cached_property
    def _example(self) -> ProfileSet:
        """Profiles like those of the index, one an epoch: what is compared must be like them."""
        epochs = self.epochs or (None,)
        names = [f"example {k}" for k in range(len(epochs))]
        columns: dict[str, list[str | None]] = {ID_COLUMN: list(names)}
        if self.epochs:
            columns[EPOCH_COLUMN] = list(epochs)
        return ProfileSet(
            np.ones((len(epochs), len(self.targets))),
            self.targets,
            columns,
            history=[Step.make(PRETREAT, {"steps": list(self.pretreatment_steps)})],
            name="index",
        )

    # -- asking it ---------------------------------------------------------------------------

    def nearest(
        self,
        questioned: ProfileSet,
        /,
        *,
        k: int,
        min_measured: int | None = None,
        memory: float = NEAREST_LIMIT_BYTES,
        workers: int | None = None,
        across_epochs: bool = False,
        progress: bool = True,
    ) -> Nearest:
        """Find the k profiles of the index most like each questioned profile.

        The same as `drugsig.nearest` with the profiles of the index as the reference.

        Parameters
        ----------
        questioned : ProfileSet
            The profiles to place, pretreated as those of the index. One that is in the index finds
            itself.
        k : int
            How many neighbours.
        min_measured, memory, workers, across_epochs, progress
            As in `drugsig.nearest`.

        Returns
        -------
        Nearest
            Row by row of the questioned profiles.

        Raises
        ------
        InputError
            If `k` is no whole number from 1.
        TargetMismatchError
            If the profiles have other targets than the index.
        ComparisonError
            If they were pretreated in another way or belong to another epoch.
        SizeError
            If the neighbours would take more than `memory`.

        Warns
        -----
        UndefinedScoreWarning
            If pairs have no score; once, with their number.
        """
        wanted, count = checked_count(k), how_many_workers(workers)
        refuse_too_many(len(questioned), wanted, checked_memory(memory))
        least, queries = self._queries(questioned, min_measured, across_epochs)
        search = NearestSearch([s.finder for s in self.segments], queries, wanted)
        ranking, undefined = search.run(workers=count, progress=progress)
        listed_ones = np.unique(ranking.positions)
        listed_ones = listed_ones[listed_ones != NOBODY]
        # The masks of those that are listed only: those of all would take longer than the search.
        measured, detected = self._masks(listed_ones)
        position = np.where(
            ranking.positions == NOBODY, NOBODY, np.searchsorted(listed_ones, ranking.positions)
        )
        made = nearest_of(
            position,
            ranking.keys,
            ranking.tied,
            undefined,
            row_masks=(questioned.measured, questioned.detected),
            column_masks=(measured, detected),
            row_ids=questioned.ids,
            column_ids=self.ids,
            metric=self.metric,
            compared=len(self),
            symmetric=False,
            min_measured=least,
        )
        result = replace(made, positions=ranking.positions.astype(np.intp))
        emit(result.notes)
        return result

    def links(
        self,
        questioned: ProfileSet,
        /,
        *,
        threshold: float,
        min_measured: int | None = None,
        memory: float = LINKS_LIMIT_BYTES,
        across_epochs: bool = False,
        false_positive_rate: float | None = None,
        false_positive_interval: tuple[float, float] | None = None,
    ) -> Links:
        """Find every profile of the index whose score with a questioned one meets a threshold.

        The same as `drugsig.links` with the profiles of the index as the reference. For as many
        questioned profiles as the index holds that function is faster.

        Parameters
        ----------
        questioned : ProfileSet
            The profiles to place, pretreated as those of the index.
        threshold : float
            The score that makes a link, in the metric's convention; equal counts.
        min_measured, memory, across_epochs, false_positive_rate, false_positive_interval
            As in `drugsig.links`.

        Returns
        -------
        Links
            The most alike first.

        Raises
        ------
        ThresholdError
            If the threshold lies outside the range of the metric.
        TargetMismatchError
            If the profiles have other targets than the index.
        ComparisonError
            If they were pretreated in another way or belong to another epoch.
        SizeError
            If the links would take more than `memory`.

        Warns
        -----
        UndefinedScoreWarning
            If pairs have no score; once, with their number.
        """
        limit, rate = self.metric.check_threshold(threshold), checked_rate(false_positive_rate)
        most = int(checked_memory(memory) // BYTES_A_LINK)
        least, queries = self._queries(questioned, min_measured, across_epochs)
        found: list[tuple[Indices, Indices, Floats]] = []
        n_links = undefined = 0
        for first, segment, one in zip(self._firsts, self.segments, queries, strict=True):
            for rows, positions, scores, missing in segment.finder.within(one, limit):
                n_links, undefined = n_links + len(rows), undefined + missing
                if n_links > most:
                    raise SizeError(
                        f"more than {most:,} links were found, which is as many as are allowed "
                        f"({memory / 1e9:.2g} GB). Choose a stricter threshold than {limit:g}, or "
                        f"allow more with memory=<bytes>, {BYTES_A_LINK} a link."
                    )
                found.append((rows, positions + first, scores))
        rows, positions, scores = (
            (np.concatenate(part) for part in zip(*found, strict=True))
            if found
            else (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        )
        comparisons = len(questioned) * len(self)
        linked, columns = np.unique(positions, return_inverse=True)
        row_sizes, sizes = self._sizes(queries)
        made = links_of(
            rows,
            columns,
            scores,
            row_masks=(questioned.measured, questioned.detected),
            column_masks=self._masks(linked),
            row_ids=questioned.ids,
            column_ids=tuple(self.ids[k] for k in linked),
            metric=self.metric,
            threshold=limit,
            comparisons=comparisons,
            undefined=undefined,
            symmetric=False,
            min_measured=least,
            false_positive_rate=rate,
            false_positive_interval=false_positive_interval,
            notes=undefined_links(undefined, comparisons, self.metric),
            row_sizes=row_sizes,
            column_sizes=None if sizes is None else sizes[linked],
        )
        emit(made.notes)
        return replace(
            made,
            column_sizes=sizes,
            columns=linked[made.columns].astype(np.intp),
            column_ids=self.ids,
        )

    def _queries(
        self, questioned: ProfileSet, min_measured: int | None, across_epochs: bool
    ) -> tuple[int, list[PreparedQueries]]:
        check_comparable(questioned, self._example, self.metric, across_epochs=across_epochs)
        least = least_measured(min_measured, self.metric, len(self.targets))
        profiles = PreparedProfiles.of(questioned, self.metric)
        return least, [s.finder.queries(profiles, least=least) for s in self.segments]

    def _sizes(self, queries: list[PreparedQueries]) -> tuple[Floats | None, Floats | None]:
        """Return what questioned profiles and those of the index add to the size of scores."""
        if self.metric.is_bounded:
            return None, None
        ours = [q.profiles.sizes for q in queries[:1]]
        theirs = [s.finder.reference.profiles.sizes for s in self.segments]
        return (
            np.concatenate([np.empty(0), *(x for x in ours if x is not None)]),
            np.concatenate([np.empty(0), *(x for x in theirs if x is not None)]),
        )

    @property
    def _firsts(self) -> list[int]:
        """The position of the first profile of every segment."""
        return list(accumulate((len(s) for s in self.segments), initial=0))[:-1]

    def _masks(self, positions: Indices) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the measured and the detected cells of some profiles, in this order."""
        measured = np.zeros((len(positions), len(self.targets)), dtype=bool)
        detected = measured.copy()
        for first, segment in zip(self._firsts, self.segments, strict=True):
            here = slice(*np.searchsorted(positions, [first, first + len(segment)]))
            part = replace(
                segment,
                ids=("",) * len(positions[here]),
                values=np.empty((0, 0)),
                status=segment.status[positions[here] - first],
            )
            measured[here], detected[here] = part.measured, part.detected
        return measured, detected

    # -- adding to it ------------------------------------------------------------------------

    def extend(self, more: ProfileSet, /, *, across_epochs: bool = False) -> ProfileIndex:
        """Return an index that holds more profiles; this one stays as it is.

        What is there already is not prepared again: the new profiles become a segment of their own,
        and small segments are joined now and then.

        Parameters
        ----------
        more : ProfileSet
            Pretreated as the profiles of the index.
        across_epochs : bool
            Whether profiles of another epoch may be added.

        Returns
        -------
        ProfileIndex
            The profiles of this one, and the others after them.

        Raises
        ------
        InputError
            If a profile of that id is in the index already.
        TargetMismatchError
            If the profiles have other targets than the index.
        ComparisonError
            If they were pretreated in another way or belong to another epoch.
        """
        check_comparable(more, self._example, self.metric, across_epochs=across_epochs)
        twice = [i for i in more.ids if i in self._known]
        if twice:
            raise InputError(
                f"{len(twice)} of {len(more)} profiles are in the index already: {listed(twice)}. "
                "Leave them out, profiles.without([...]), or give them ids of their own if they "
                "are other profiles."
            )
        segments = list(self.segments)
        if len(more):
            segments.append(Segment.of(more, self.metric))
        while len(segments) > 1 and len(segments[-2]) <= _MUCH_LARGER * len(segments[-1]):
            last = segments.pop()
            segments[-1] = segments[-1].joined(last)
        made = replace(self, segments=tuple(segments))
        made._saved.update(self._saved)
        made.prepare()
        return made

    def prepare(self) -> None:
        """Put profiles in order that are not yet; done by whatever makes an index."""
        with threadpool_limits(limits=1, user_api="blas"):
            for segment in self.segments:
                _ = segment.finder

    # -- keeping it --------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], /) -> Path:
        """Write the index into a file, and take the place of one that is there.

        The file is written beside it first: a stop in between leaves the former as it was. An index
        that was loaded, or saved before, replaces only what it was loaded from or saved as: of two
        processes that extend one file, the second is told.

        Parameters
        ----------
        path : path-like
            The file, by custom ``*.npz``.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            If it cannot be written there, or if another process has replaced the file since.
        """
        content = IndexContent(self.metric, self.targets, self.pretreatment_steps, self.segments)
        where = str(Path(path).absolute())
        written, digest = write_index(path, content, follows=self._saved.get(where, ""))
        self._saved[where] = digest
        return written

    def __repr__(self) -> str:
        epochs = f", epoch {listed(self.epochs)}" if self.epochs else ""
        return (
            f"<ProfileIndex: {len(self)} profiles x {len(self.targets)} targets, by "
            f"{self.metric.name} ({self.metric.kind}){epochs}>"
        )


def build_index(
    reference: ProfileSet,
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    across_epochs: bool = False,
) -> ProfileIndex:
    """Prepare reference profiles to be asked again and again.

    Parameters
    ----------
    reference : ProfileSet
        Pretreated.
    metric : str or Metric
        One of `drugsig.METRICS`, or a fitted one.
    across_epochs : bool
        Whether profiles of different comparability epochs may be in one index.

    Returns
    -------
    ProfileIndex
        To be asked for links and neighbours, saved and extended.

    Raises
    ------
    ComparisonError
        If the metric cannot score these profiles, or they belong to different epochs.

    Examples
    --------
    >>> from drugsig import ProfileSet
    >>> seen = ProfileSet([[3.0, 1.0], [1.0, 5.0]], ["A", "B"], ["001", "002"])
    >>> new = ProfileSet([[6.0, 2.0]], ["A", "B"], ["003"])
    >>> index = build_index(seen, metric="cosine")
    >>> index.nearest(new, k=1).ids("003")
    ('001',)
    >>> len(index.extend(new))
    3
    """
    measure = get_metric(metric)
    check_comparable(reference, None, measure, across_epochs=across_epochs)
    made = ProfileIndex(
        metric=measure,
        targets=reference.targets,
        pretreatment_steps=reference.pretreatment,
        segments=(Segment.of(reference, measure),),
    )
    made.prepare()
    return made


def load_index(path: str | os.PathLike[str], /) -> ProfileIndex:
    """Read an index from a file that `ProfileIndex.save` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    ProfileIndex
        As it was saved.

    Raises
    ------
    ReadError
        If there is no such file, it is no index, one of another version of the format, or damaged;
        or if the metric it was built with is not the one of that name here.
    """
    content = read_index(path)
    made = ProfileIndex(content.metric, content.targets, content.pretreatment, content.segments)
    made._saved[str(Path(path).absolute())] = content.digest
    made.prepare()
    return made
