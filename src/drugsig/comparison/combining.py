"""`combine_metrics`: one distance from several techniques, each scored by a metric of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose, is_number, listed, refuse_single_text, unique_text
from drugsig._files import canonical_json
from drugsig._notes import Note, emit
from drugsig.comparison.kernels import BlockPart, Blocks, Kernel
from drugsig.comparison.metric import Metric, get_metric
from drugsig.comparison.metric_fit import MetricFit
from drugsig.comparison.within_source import known_sources
from drugsig.errors import ComparisonError, DrugsigWarning, InputError, SmallSampleWarning
from drugsig.profiles.blocks import COMBINED, blocks_of
from drugsig.profiles.labels import not_known_notes
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "FewSourcesOfScale",
    "MetricBlock",
    "blocks_in_both",
    "build_combined",
    "combine_metrics",
    "refuse_negative",
]

Floats = NDArray[np.float64]

# The scale of a block is a median: more pairs than this do not make it better known.
_MOST_PAIRS = 500_000

# Pairs scored at a time.
_CHUNK = 32_768

# With fewer sources the scale of a block depends on which ones happen to be there.
_FEW_SOURCES = 10


@dataclass(frozen=True)
class FewSourcesOfScale(Note):
    """The scale of a block was learned from few sources.

    Which sources happen to be there decides what the block counts: give its scale, or add sources.
    """

    code: ClassVar[str] = "few-sources-of-scale"
    category: ClassVar[type[DrugsigWarning]] = SmallSampleWarning
    blocks: tuple[str, ...]
    n_sources: int
    needed: int = _FEW_SOURCES

    def __str__(self) -> str:
        return (
            f"the scale of {listed(self.blocks)} is the median distance of profiles of "
            f"{self.n_sources} sources only."
        )


@dataclass(frozen=True)
class MetricBlock:
    """One block of targets and how it counts.

    Parameters
    ----------
    targets : sequence of str
        Its targets, by the names of the profiles that will be compared.
    metric : str or Metric
        How the block is scored; a fitted metric was fitted on the profiles of the block.
    weight : float
        What the block counts; weights need not sum to 1.
    scale : float, optional
        The distance that counts as one. By default the median distance of unlinked profiles.
    """

    targets: Sequence[str]
    metric: str | Metric
    weight: float = 1.0
    scale: float | None = None


def combine_metrics(
    blocks: Mapping[str, MetricBlock | tuple[Sequence[str], str | Metric, float]],
    profiles: ProfileSet,
    /,
    *,
    source: str | Sequence[str] | None = None,
) -> Metric:
    """Combine a metric for each block of targets into one distance.

    The distance of two profiles is the mean of their block distances, each divided by its scale,
    by weight. A block with too few targets measured in both profiles is left out with its weight;
    `blocks_in_both` counts what is left.

    Parameters
    ----------
    blocks : mapping of str to MetricBlock or tuple
        Name of each block and its targets, metric and weight. Every target of the profiles is in
        one block.
    profiles : ProfileSet
        Profiles like those that will be compared, such as `drugsig.join_blocks` makes; the scales
        that are not given are learned from them.
    source : str or sequence of str, optional
        The metadata columns that together name the source; needed where a scale is learned.

    Returns
    -------
    Metric
        For `drugsig.compare` in place of a name. What it learned is in ``metric.fit``.

    Raises
    ------
    InputError
        If a weight or a scale is no positive number, or targets are missing or come twice.
    ComparisonError
        If a scale is needed and cannot be learned, or a block cannot be scored by its metric.

    Warns
    -----
    SmallSampleWarning
        If a scale is learned from fewer than 10 sources.

    Notes
    -----
    A similarity counts as its declared value for identical profiles less the score. A block in
    which a profile has no score with any other, as a constant one has none by correlation, leaves
    its pairs undefined: that is not the same as a block that is missing. A block in which neither
    profile has anything, where the metric divides by what the two have, is left out.

    Examples
    --------
    >>> from drugsig import compare
    >>> from drugsig.profiles.blocks import join_blocks
    >>> gcms = ProfileSet([[2.0, 1.0], [4.0, 3.0]], ["A", "B"], ["001", "002"])
    >>> irms = ProfileSet([[-27.1], [-28.1]], ["d13C"], ["001", "002"])
    >>> joined = join_blocks({"GC-MS": gcms, "IRMS": irms})
    >>> metric = combine_metrics(
    ...     {
    ...         "GC-MS": MetricBlock(["GC-MS: A", "GC-MS: B"], "manhattan", weight=3, scale=2),
    ...         "IRMS": MetricBlock(["IRMS: d13C"], "manhattan", weight=1, scale=0.5),
    ...     },
    ...     joined,
    ... )
    >>> compare(joined, metric=metric)["001", "002"]
    2.0
    """
    members = {name: _block(name, given) for name, given in blocks.items()}
    if not members:
        raise InputError("combining needs a metric for one block or more, got none")
    unique_text(members, what="block names")
    _refuse_targets(members, profiles)
    metrics = {name: get_metric(block.metric) for name, block in members.items()}
    joined = blocks_of(profiles)
    for name, metric in metrics.items():
        _refuse_metric(name, metric, members[name], profiles, joined)
    places = {
        name: [profiles.target_names.index(t) for t in block.targets]
        for name, block in members.items()
    }
    unscaled = [name for name, block in members.items() if block.scale is None]
    columns: tuple[str, ...] = ()
    n_sources = 0
    notes: tuple[Note, ...] = ()
    scales = {
        name: float(block.scale) for name, block in members.items() if block.scale is not None
    }
    if unscaled:
        if source is None:
            raise ComparisonError(
                f"block {listed(unscaled)} has no scale, and without one the unit of a block would "
                "decide what it counts. Give it, MetricBlock(..., scale=...), or name the column "
                "of the source, source='batch_id', to learn it from unlinked profiles."
            )
        columns, sources = known_sources(profiles, source=source)
        n_sources = len({s for s in sources if s is not None})
        rows, others = _unlinked(sources)
        for name in unscaled:
            scales[name] = _scale(name, metrics[name], profiles, places[name], rows, others)
        if n_sources < _FEW_SOURCES:
            notes = (FewSourcesOfScale(tuple(unscaled), n_sources),)
        notes = (*notes, *not_known_notes(profiles, columns))
    fit = MetricFit.make(
        COMBINED,
        profiles,
        parameters={
            "blocks": [
                {
                    "name": name,
                    "targets": list(block.targets),
                    "places": places[name],
                    "metric": metrics[name].to_data(),
                    "metric_digest": metrics[name].digest,
                    "least": metrics[name].min_measured,
                    "nonnegative": metrics[name].nonnegative,
                    "weight": float(block.weight),
                    "scale": float(scales[name]),
                }
                for name, block in members.items()
            ]
        },
        origin={"source": list(columns), "sources": n_sources, "scaled": unscaled},
        notes=notes,
    )
    refuse_negative(profiles, fit.parameters)
    kernel = _kernel(fit.parameters["blocks"], list(metrics.values()))
    result = get_metric(COMBINED).with_fit(fit, kernel=kernel)
    emit(notes)
    return result


def build_combined(parameters: Mapping[str, Any], /) -> Kernel:
    """Return the kernel of blocks whose metrics are registered.

    Parameters
    ----------
    parameters : mapping
        Of a `MetricFit`.
    """
    blocks = parameters["blocks"]
    return _kernel(blocks, [Metric.from_data(block["metric"]) for block in blocks])


def refuse_negative(profiles: ProfileSet, parameters: Mapping[str, Any], /) -> None:
    """Refuse negative values in blocks whose metric has no meaning for them.

    Parameters
    ----------
    profiles : ProfileSet
        To be compared.
    parameters : mapping
        Of a `MetricFit`.

    Raises
    ------
    ComparisonError
        If there is one; the message names it.
    """
    for block in parameters["blocks"]:
        if not block["nonnegative"]:
            continue
        places = block["places"]
        negative = profiles.measured[:, places] & (profiles.values[:, places] < 0)
        if negative.any():
            row, column = (int(k) for k in np.argwhere(negative)[0])
            raise ComparisonError(
                f"block '{block['name']}' is scored by '{block['metric']['name']}', which has no "
                f"meaning for negative values; profile '{profiles.ids[row]}', target "
                f"'{block['targets'][column]}' is {profiles.values[row, places[column]]:g}. Use "
                "another metric for the block, or a pretreatment that keeps values positive."
            )


def _kernel(blocks: Sequence[Mapping[str, Any]], metrics: Sequence[Metric]) -> Kernel:
    return Blocks(
        tuple(
            BlockPart(
                rows=np.array(block["places"], dtype=np.intp),
                kernel=metric.kernel,
                distance=metric.distance_of,
                size=metric.natural_sizes,
                weight=block["weight"],
                scale=block["scale"],
                least=metric.min_measured,
            )
            for block, metric in zip(blocks, metrics, strict=True)
        )
    ).kernel()


def blocks_in_both(
    metric: Metric,
    measured_a: NDArray[np.bool_],
    measured_b: NDArray[np.bool_],
    /,
) -> NDArray[np.intp]:
    """Return how many blocks were present in both profiles of each pair.

    Parameters
    ----------
    metric : Metric
        From `combine_metrics`.
    measured_a, measured_b : ndarray of bool, shape (n_pairs, n_targets)
        Which targets were measured in the two profiles of each pair, as
        ``comparison.row_measured[links.rows]``.

    Returns
    -------
    ndarray of int, shape (n_pairs,)
        Of the blocks that the metric has.

    Raises
    ------
    ComparisonError
        If the metric combines no blocks.
    """
    if metric.fit is None or metric.name != COMBINED:
        raise ComparisonError(
            f"metric '{metric.name}' has no blocks to count; those of "
            "drugsig.combine_metrics({...}, profiles) have."
        )
    both = measured_a & measured_b
    count = np.zeros(len(both), dtype=np.intp)
    for block in metric.fit.parameters["blocks"]:
        count += both[:, block["places"]].sum(axis=1) >= block["least"]
    return count


# -- what is refused -----------------------------------------------------------------------


def _block(
    name: str, given: MetricBlock | tuple[Sequence[str], str | Metric, float]
) -> MetricBlock:
    block = given if isinstance(given, MetricBlock) else MetricBlock(*given)
    refuse_single_text(block.targets, f"the targets of block '{name}'")
    _refuse_number(block.weight, f"the weight of block '{name}'")
    if block.scale is not None:
        _refuse_number(block.scale, f"the scale of block '{name}'")
    return block


def _refuse_number(number: object, what: str) -> None:
    if not is_number(number) or not 0 < number < np.inf:
        raise InputError(f"{what} must be a positive number, got {number!r}")


def _refuse_targets(members: Mapping[str, MetricBlock], profiles: ProfileSet) -> None:
    named = [t for block in members.values() for t in block.targets]
    for name, block in members.items():
        for target in block.targets:
            choose(target, profiles.target_names, what=f"target in block '{name}':")
        if not block.targets:
            raise InputError(f"block '{name}' has no targets")
    unique_text(named, what="targets of blocks")
    left = [t for t in profiles.target_names if t not in set(named)]
    if left:
        raise InputError(
            f"{listed(left)} is in no block, so it would not count. Put it into one, or leave it "
            "out on purpose: profiles.keep_targets([...])."
        )


def _refuse_metric(
    name: str,
    metric: Metric,
    block: MetricBlock,
    profiles: ProfileSet,
    joined: Mapping[str, Mapping[str, Any]],
) -> None:
    if metric.needs_fit:
        raise ComparisonError(
            f"block '{name}': {metric.not_fitted_message} It is fitted to the profiles of the "
            "block, before they are joined."
        )
    if metric.name == COMBINED:
        raise ComparisonError(f"block '{name}' cannot be scored by blocks again")
    if len(block.targets) < metric.min_measured:
        raise ComparisonError(
            f"block '{name}' has {len(block.targets)} targets, and metric '{metric.name}' needs "
            f"{metric.min_measured}. Use another metric for it."
        )
    if metric.fit is None:
        return
    places = [profiles.target_names.index(t) for t in block.targets]
    # A fitted metric knows the targets of its block by their own names.
    members = joined.get(name)
    prefix = f"{name}: " if members else ""
    own = [(prefix + t.name, t.role, t.unit) for t in metric.fit.targets]
    here = [(t.name, t.role, t.unit) for t in (profiles.targets[k] for k in places)]
    treated = members["pretreatment"] if members else list(profiles.pretreatment)
    if own != here or canonical_json(treated) != metric.fit.pretreatment_json:
        raise ComparisonError(
            f"metric '{metric.name}' was fitted on other targets, or on profiles with another "
            f"pretreatment, than block '{name}' holds. Fit it to the profiles of the block as they "
            "are joined, with all their targets in order."
        )


# -- the scale of a block ------------------------------------------------------------------


def _unlinked(
    sources: Sequence[tuple[str, ...] | None],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of profiles of different known sources, evenly thinned where they are many."""
    codes = {s: k for k, s in enumerate(dict.fromkeys(s for s in sources if s is not None))}
    code = np.array([-1 if s is None else codes[s] for s in sources])
    known = np.flatnonzero(code >= 0)
    rows: list[NDArray[np.intp]] = []
    others: list[NDArray[np.intp]] = []
    step = max(1, len(known) * (len(known) - 1) // 2 // _MOST_PAIRS)
    for place, row in enumerate(known):
        # Each row starts at another remainder, so that thinning follows no order in the data.
        apart = known[place + 1 + place % step :: step]
        apart = apart[code[apart] != code[row]]
        rows.append(np.full(len(apart), row, dtype=np.intp))
        others.append(apart)
    if not sum(map(len, others)):
        raise ComparisonError(
            f"a scale is the median distance of unlinked profiles, and there are none: "
            f"{len(codes)} known source(s). Give the scale of every block instead."
        )
    return np.concatenate(rows), np.concatenate(others)


def _scale(
    name: str,
    metric: Metric,
    profiles: ProfileSet,
    places: Sequence[int],
    rows: NDArray[np.intp],
    others: NDArray[np.intp],
) -> float:
    measured = np.ascontiguousarray(profiles.measured.T[places])
    values = np.where(measured, profiles.values.T[places], np.nan)
    prepared = metric.kernel.prepare(np.ascontiguousarray(values))
    found: list[Floats] = []
    for start in range(0, len(rows), _CHUNK):
        a, b = rows[start : start + _CHUNK], others[start : start + _CHUNK]
        both = measured[:, a] & measured[:, b]
        distance = metric.distance_of(metric.kernel.masked(prepared[:, a], prepared[:, b], both))
        found.append(distance[both.sum(axis=0) >= metric.min_measured])
    distances = np.concatenate(found)
    distances = distances[~np.isnan(distances)]
    scale = float(np.median(distances)) if len(distances) else 0.0
    if not 0 < scale < np.inf:
        raise ComparisonError(
            f"block '{name}' has no scale: "
            + (
                f"half of the {len(distances)} unlinked pairs are at distance {scale:g}"
                if len(distances)
                else f"no unlinked pair has a score by '{metric.name}'"
            )
            + ". Give it, MetricBlock(..., scale=...), use another metric, or leave the block out."
        )
    return scale
