"""`search_links`: the job of finding every link in tables of profiles, here or on a cluster."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from drugsig._files import new_files, refuse_taken, sha256_of, write_file
from drugsig._notes import Note, emit, unique_notes
from drugsig.comparison.distributed.cluster import DEFAULT_TIMEOUT, connected
from drugsig.comparison.linking import LINKS_LIMIT_BYTES, links
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import DEFAULT_METRIC, Metric, get_metric
from drugsig.profiles.pretreatment.apply import pretreat
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.tables import write_columns
from drugsig.profiles.tables.assembly import ReadingOptions, Trace, assemble
from drugsig.profiles.tables.table_file import coded
from drugsig.quality.profile_checks import data_notes

__all__ = ["SearchedLinks", "search_links"]

Source = str | os.PathLike[str] | ProfileSet

# The packages whose version can change a score.
_COMPUTING = ("numpy", "scipy")


@dataclass(frozen=True, eq=False)
class SearchedLinks:
    """The links that a search found, and what was searched.

    Attributes
    ----------
    links : Links
        The most alike first.
    facts : dict of str to object
        What was searched and how, as data that can be written as JSON: inputs with their digests,
        metric, threshold, recipe, comparisons, undefined scores, links, expected chance links,
        notes on the data and the search, versions.
    """

    links: Links
    facts: dict[str, Any]


def search_links(
    questioned: Source,
    reference: Source | None = None,
    /,
    *,
    metric: str | Metric = DEFAULT_METRIC,
    threshold: float,
    recipe: str | None = None,
    min_measured: int | None = None,
    across_epochs: bool = False,
    false_positive_rate: float | None = None,
    reading: dict[str, Any] | None = None,
    scheduler: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    shards: str | os.PathLike[str] | None = None,
    memory: float = LINKS_LIMIT_BYTES,
    workers: int | None = None,
    out: str | os.PathLike[str] | None = None,
    decimal_comma: bool = False,
    progress: bool = True,
) -> SearchedLinks:
    """Read profiles, find every pair that meets a threshold, and write the links.

    Parameters
    ----------
    questioned : path-like or ProfileSet
        A table of profiles to place.
    reference : path-like or ProfileSet, optional
        A table of profiles to compare with; without it the questioned profiles with each other.
    metric : str or Metric
        ``"pearson_distance"`` by default.
    threshold : float
        The score that makes a link, in the metric's convention; equal counts.
    recipe : str, optional
        The pretreatment, as in ``"sum | fourth_root"``. What it learns from data it learns from the
        reference profiles, if there are any. Without it the profiles are compared as they are.
    min_measured, across_epochs, false_positive_rate, memory, workers, shards
        As in `drugsig.comparison.linking.links`.
    reading : dict, optional
        Keyword arguments of `drugsig.read_profiles`, for both tables.
    scheduler : str, optional
        The address of a Dask scheduler, whose workers then do the work.
    timeout : float
        How many seconds to wait for the scheduler, or for a worker, before giving up.
    out : path-like, optional
        A table to write the links to: ``.csv``, ``.tsv`` or ``.xlsx``. What was searched is
        written beside it, with ``.json`` added to the name. Without it nothing is written.
    decimal_comma : bool
        Write the table with a decimal comma and semicolons.
    progress : bool
        Show progress where there is a terminal.

    Returns
    -------
    SearchedLinks
        The links, and what was searched.

    Raises
    ------
    ReadError, RecipeError, ComparisonError, ThresholdError, SizeError
        If the data do not allow it; the message says what to do.
    ClusterError
        If there is no scheduler, or the cluster is lost for longer than the time-out.
    MissingExtraError
        If a scheduler is named and Dask is not installed.
    OutputError
        If a file is there already or cannot be written.

    Warns
    -----
    DataWarning
        Of what makes a wrong number likely: risks of reading, ids that read the same, a target
        that is probably no impurity.
    """
    target = None if out is None else Path(out)
    if target is not None:
        refuse_taken(target, _facts_path(target))
    get_metric(metric).check_threshold(threshold)
    ours, told = _read(questioned, reading or {})
    inputs: dict[str, Any] = {"questioned": told, "reference": None}
    theirs = None
    if reference is not None:
        theirs, inputs["reference"] = _read(reference, reading or {})
    notes = unique_notes(
        note for one in (ours, theirs) if one is not None for note in data_notes(one)
    )
    if recipe is not None:
        ours, theirs = _pretreated(ours, theirs, recipe)
    with contextlib.ExitStack() as stack:
        client = None
        if scheduler is not None:
            client = stack.enter_context(connected(scheduler, timeout=timeout))
        found_links = links(
            ours,
            theirs,
            metric=metric,
            threshold=threshold,
            min_measured=min_measured,
            memory=memory,
            workers=workers,
            across_epochs=across_epochs,
            false_positive_rate=false_positive_rate,
            client=client,
            shards=shards,
            progress=progress,
        )
    facts = _facts(found_links, inputs, ours, unique_notes((*notes, *found_links.notes)))
    if target is not None:
        _write(found_links, facts, target, decimal_comma=decimal_comma)
    emit(notes)
    return SearchedLinks(found_links, facts)


# -- reading ---------------------------------------------------------------------------------


def _read(source: Source, reading: dict[str, Any]) -> tuple[ProfileSet, dict[str, Any]]:
    """Return the profiles, and what is told of them: the files by the bytes that were parsed."""
    if isinstance(source, ProfileSet):
        files: dict[str, Any] = {}
        profiles = source
    else:
        trace = Trace()
        profiles = assemble(source, ReadingOptions(**reading), trace)
        files = _files(trace)
    told = {"name": profiles.name, "profiles": len(profiles), **files, "digest": profiles.digest}
    return profiles, told


def _files(trace: Trace) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, one in (("", trace.source), ("metadata_", trace.metadata_source)):
        if one is not None:
            told[f"{key}file"], told[f"{key}sha256"] = one.name, one.sha256
    return told


def _pretreated(
    questioned: ProfileSet, reference: ProfileSet | None, recipe: str
) -> tuple[ProfileSet, ProfileSet | None]:
    if reference is None:
        return pretreat(questioned, recipe), None
    treated = pretreat(reference, recipe)
    before = len(reference.pretreatment)
    frozen = Recipe.from_data(Recipe.of(treated).to_data()[before:])
    return pretreat(questioned, frozen), treated


# -- telling ---------------------------------------------------------------------------------


def _facts(
    found: Links, inputs: dict[str, Any], compared: ProfileSet, notes: tuple[Note, ...], /
) -> dict[str, Any]:
    return {
        **inputs,
        "recipe": str(Recipe.of(compared)) or None,
        "targets": len(compared.targets),
        "metric": found.metric.name,
        "metric_digest": found.metric.digest,
        "formula": found.metric.formula,
        "threshold": found.threshold,
        "link_is_a_score": found.metric.link_sign,
        "min_measured": found.min_measured,
        "comparisons": found.comparisons,
        "undefined_scores": found.undefined,
        "links": len(found),
        "links_near_threshold": int(found.near_threshold.sum()),
        "links_on_few_detected": int(found.few_detected.sum()),
        "false_positive_rate": found.false_positive_rate,
        "expected_chance_links": found.expected_chance_links,
        "notes": [note.to_data() for note in notes],
        "versions": {
            "drugsig": version("drugsig"),
            "python": platform.python_version(),
            **{name: version(name) for name in _COMPUTING},
        },
    }


# -- writing ---------------------------------------------------------------------------------


def _facts_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")


def _columns(found: Links) -> dict[str, Any]:
    return {
        "questioned": coded(found.rows, found.row_ids),
        "reference": coded(found.columns, found.column_ids),
        "score": found.scores,
        "measured_in_both": found.measured,
        "detected_in_both": found.detected,
        "few_detected": found.few_detected,
        "near_threshold": found.near_threshold,
    }


def _write(found: Links, facts: dict[str, Any], target: Path, *, decimal_comma: bool) -> None:
    # The table is named last: links without what was searched say too little.
    with new_files(_facts_path(target), target) as (beside, table):
        write_columns(table, _columns(found), decimal_comma=decimal_comma)
        told = {
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "table": {"file": target.name, "sha256": sha256_of(table)},
            **facts,
        }
        write_file(beside, (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode())
