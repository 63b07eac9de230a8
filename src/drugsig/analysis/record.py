"""`analysis.json`: what an analysis found and what must be known of it, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._codec import record_of as read_record
from drugsig._codec import to_data
from drugsig._files import FORMATS, check_format
from drugsig._notes import Note, Told
from drugsig.analysis.analysis import Analysis, Partition
from drugsig.analysis.inputs import InputFile
from drugsig.analysis.run_findings import RunFindings
from drugsig.evidence.prevalence import TrueLinkShare
from drugsig.evidence.threshold import ErrorRates
from drugsig.groups.groups import PartitionRates
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality.profile_checks import ProfileCheck

__all__ = [
    "ComparedRecord",
    "GroupsRecord",
    "Record",
    "ThresholdRecord",
    "record_of",
    "record_text",
]

_FORMAT = "drugsig record of an analysis"


@dataclass(frozen=True, eq=False)
class ComparedRecord:
    """The compared profiles: what the pretreatment made; the metadata are those that were read."""

    ids: tuple[str, ...]
    name: str
    targets: tuple[tuple[str, str, str], ...]
    values: NDArray[np.float64]
    status: NDArray[np.uint8]
    limits: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    history: tuple[tuple[str, str], ...]
    digest: str


@dataclass(frozen=True, eq=False)
class ThresholdRecord:
    """The threshold with its error rates, without the pairs behind them."""

    value: float
    origin: str
    error_rates: ErrorRates | None
    target_rate: float | None
    by_rate: float | None
    notes: tuple[Note, ...]


@dataclass(frozen=True, eq=False)
class GroupsRecord:
    """The groups and their tree."""

    labels: NDArray[np.int64]
    components: NDArray[np.int64]
    linkage: str
    tree: NDArray[np.float64]
    tree_members: NDArray[np.int64]
    cophenetic_correlation: float | None
    undefined_ids: tuple[str, ...]
    competing_ids: tuple[str, ...]
    below_cut: bool


@dataclass(frozen=True, eq=False)
class Record:
    """What stands in no other file of a result folder.

    Parameters
    ----------
    profiles_digest : str
        Of the profiles as read, which stand in ``profiles.csv``.
    recipe : str
        As asked for.
    metric : str
        Its name.
    min_measured : int
        The least number of targets measured in both.
    matrices : str
        As asked for.
    way : str
        As in `Analysis`.
    undefined : int
        Pairs without a score.
    self_scores : ndarray of float64, shape (n_compared,)
        Of every profile with itself; the others stand in ``scores.npz``. None where only the scores
        that are needed were formed.
    compared, threshold, groups, runs
        Those of the analysis.
    checks, group_rates, component_rates, undecided, true_links, least_true_links, uncapped
        As in `Analysis`.
    notes : tuple of Told
        As in `Analysis`.
    inputs, versions, seed, run_digest
        As in `Analysis`.
    """

    profiles_digest: str
    recipe: str
    metric: str
    min_measured: int
    matrices: str
    way: str
    undefined: int
    self_scores: NDArray[np.float64] | None
    compared: ComparedRecord
    checks: tuple[ProfileCheck, ...]
    threshold: ThresholdRecord
    groups: GroupsRecord
    group_rates: PartitionRates | None
    component_rates: PartitionRates | None
    undecided: Mapping[str, tuple[Note, ...]]
    true_links: tuple[TrueLinkShare, ...]
    least_true_links: tuple[TrueLinkShare, ...]
    uncapped: Partition | None
    notes: tuple[Told, ...]
    seed: int
    runs: RunFindings | None
    inputs: tuple[InputFile, ...]
    versions: Mapping[str, str]
    run_digest: str


def record_text(analysis: Analysis, /) -> str:
    """Return what ``analysis.json`` holds, the same text for the same analysis."""
    limit, groups = analysis.threshold, analysis.groups
    record = Record(
        profiles_digest=analysis.profiles.digest,
        recipe=str(analysis.recipe),
        metric=limit.metric.name,
        min_measured=analysis.links.min_measured,
        matrices=analysis.matrices,
        way=analysis.way,
        undefined=analysis.links.undefined,
        self_scores=None
        if analysis.comparison is None
        else np.diagonal(analysis.comparison.scores).copy(),
        compared=_compared(analysis.compared),
        checks=analysis.checks,
        threshold=ThresholdRecord(
            limit.value,
            limit.origin,
            limit.error_rates,
            limit.target_rate,
            limit.by_rate,
            limit.notes,
        ),
        groups=GroupsRecord(
            groups.labels.astype(np.int64),
            groups.components.astype(np.int64),
            groups.linkage,
            groups.tree,
            groups.tree_members.astype(np.int64),
            groups.cophenetic_correlation,
            groups.undefined_ids,
            groups.competing_ids,
            groups.below_cut,
        ),
        group_rates=analysis.group_rates,
        component_rates=analysis.component_rates,
        undecided=analysis.undecided,
        true_links=analysis.true_links,
        least_true_links=analysis.least_true_links,
        uncapped=analysis.uncapped,
        notes=analysis.notes,
        seed=analysis.seed,
        runs=analysis.runs,
        inputs=analysis.inputs,
        versions=analysis.versions,
        run_digest=analysis.run_digest,
    )
    told = {"format": _FORMAT, "version": FORMATS[_FORMAT], "analysis": to_data(record)}
    return json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def record_of(text: str, /) -> Record:
    """Return the record that `record_text` wrote.

    Raises
    ------
    ValueError
        If it is no record, of another version, or damaged; the message says so.
    """
    try:
        told = json.loads(text)
        check_format(told, _FORMAT, refuse=lambda why: ValueError(f"it {why.rstrip('.')}"))
        return read_record(Record, told.get("analysis"), where="the record", stored=True)
    except RecursionError as error:
        raise ValueError("it is nested deeper than any record is") from error


def _compared(profiles: ProfileSet) -> ComparedRecord:
    return ComparedRecord(
        profiles.ids,
        profiles.name,
        tuple((t.name, t.role, t.unit) for t in profiles.targets),
        profiles.values,
        profiles.status,
        profiles.limits,
        profiles.uncertainty,
        tuple((s.operation, s.detail_json) for s in profiles.history),
        profiles.digest,
    )
