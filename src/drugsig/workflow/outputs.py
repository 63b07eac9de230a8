"""The folder an analysis writes: complete, or not there at all."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from drugsig._files import new_folder
from drugsig.analysis.analysis import Analysis
from drugsig.analysis.inputs import RunsRead
from drugsig.analysis.reading import CONFIG, MANIFEST, PROFILES, RECORD, SCORES
from drugsig.analysis.record import record_text
from drugsig.comparison.comparison import Comparison
from drugsig.groups.groups import group_name
from drugsig.profiles.tables import write_columns, write_profiles, write_table
from drugsig.profiles.tables.table_file import coded
from drugsig.report import render_report
from drugsig.workflow.config import to_toml

__all__ = ["summary", "write_analysis"]

REPORT = "report.html"


def write_analysis(analysis: Analysis, folder: Path, /, *, decimal_comma: bool = False) -> Path:
    """Write the report and its tables into a new folder.

    It appears with everything in it, or not at all.

    Parameters
    ----------
    analysis : Analysis
        What to write.
    folder : Path
        The folder to make.
    decimal_comma : bool
        Write tables with a decimal comma and semicolons.

    Raises
    ------
    OutputError
        If the folder cannot be made or written.
    """
    with new_folder(folder) as draft:
        _write_all(analysis, draft, decimal_comma=decimal_comma)
    return folder.absolute()


def _write_all(analysis: Analysis, folder: Path, *, decimal_comma: bool) -> None:
    write_profiles(analysis.profiles, folder / PROFILES, decimal_comma=decimal_comma)
    if analysis.comparison is not None:
        (folder / SCORES).write_bytes(_scores(analysis.comparison))
    write_columns(folder / "links.csv", _link_columns(analysis), decimal_comma=decimal_comma)
    for name, columns, rows in (
        ("groups.csv", _GROUP_COLUMNS, _group_rows(analysis)),
        ("quality.csv", _QUALITY_COLUMNS, _quality_rows(analysis)),
    ):
        write_table(folder / name, columns, rows, decimal_comma=decimal_comma)
    if analysis.runs is not None:
        write_table(
            folder / "peaks.csv",
            _PEAK_COLUMNS,
            _peak_rows(analysis.runs),
            decimal_comma=decimal_comma,
        )
    _write_text(folder / CONFIG, to_toml(analysis.config))
    _write_text(folder / RECORD, record_text(analysis))
    _write_text(folder / REPORT, render_report(analysis))
    _write_text(folder / MANIFEST, _manifest(analysis, folder))


def _write_text(path: Path, text: str) -> None:
    # The same bytes on every system: no translation of line ends.
    path.write_bytes(text.encode("utf-8"))


def _scores(comparison: Comparison) -> bytes:
    """Return the scores of all pairs; readable with numpy alone, without pickle."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        profile_id=np.array(comparison.row_ids, dtype=np.str_),
        scores=comparison.condensed(),
        metric=np.array(comparison.metric.name),
        kind=np.array(comparison.metric.kind),
        min_measured=np.array(comparison.min_measured),
        digest=np.array(comparison.row_digest),
    )
    return buffer.getvalue()


def _link_columns(analysis: Analysis) -> dict[str, Any]:
    links, labels = analysis.links, analysis.groups.labels
    return {
        "questioned": coded(links.rows, links.row_ids),
        "reference": coded(links.columns, links.column_ids),
        "score": links.scores,
        "metric": links.metric.name,
        "threshold": links.threshold,
        "measured_in_both": links.measured,
        "detected_in_both": links.detected,
        "few_detected": links.few_detected,
        "same_group": labels[links.rows] == labels[links.columns],
        "comparisons": links.comparisons,
        "expected_chance_links": links.expected_chance_links,
        "most_chance_links": links.most_chance_links,
    }


_GROUP_COLUMNS = ("profile_id", "group", "group_size", "component", "state", "reasons")


def _group_rows(analysis: Analysis) -> Iterator[tuple[Any, ...]]:
    groups = analysis.groups
    place = {name: k for k, name in enumerate(groups.ids)}
    excluded = analysis.excluded
    for name in analysis.profiles.ids:
        if name in excluded:
            yield name, None, None, None, "excluded", excluded[name]
            continue
        k = place[name]
        reasons = analysis.undecided.get(name, ())
        number = int(groups.labels[k])
        yield (
            name,
            group_name(number),
            int(groups.sizes[number - 1]),
            int(groups.components[k]),
            "undecided" if reasons else "grouped" if groups.sizes[number - 1] > 1 else "alone",
            "; ".join(reason.text for reason in reasons),
        )


_QUALITY_COLUMNS = (
    "profile_id",
    "compared",
    "excluded_because",
    "detected",
    "below_limit",
    "not_measured",
    "rejected",
    "largest_share",
    "identical_to",
    "flags",
)


def _quality_rows(analysis: Analysis) -> Iterator[tuple[Any, ...]]:
    noticed = {} if analysis.runs is None else analysis.runs.checks.flags
    for check in analysis.checks:
        flags = (*check.flags, *noticed.get(check.profile_id, ()))
        yield (
            check.profile_id,
            not check.excluded,
            check.excluded or None,
            check.detected,
            check.below_limit,
            check.not_measured,
            check.rejected,
            check.largest_share,
            "; ".join(check.identical_to) or None,
            "; ".join(flags) or None,
        )


_PEAK_COLUMNS = (
    "run",
    "target",
    "role",
    "status",
    "reason",
    "expected_time_s",
    "retention_time_s",
    "area",
    "area_uncertainty",
    "area_limit",
    "height",
    "width_s",
    "signal_to_noise",
    "qualifier_ratios",
    "flags",
)


def _peak_rows(runs: RunsRead) -> Iterator[tuple[Any, ...]]:
    for table in runs.tables:
        frame = table.to_frame()
        for row in frame.to_dict("records"):
            yield (table.run_name, *(row[c] for c in _PEAK_COLUMNS[1:]))


def summary(analysis: Analysis, /) -> dict[str, Any]:
    """Return the main figures of an analysis as data that can be written as JSON."""
    limit, links, groups = analysis.threshold, analysis.links, analysis.groups
    rates = limit.error_rates
    figures: dict[str, Any] = {
        "profiles": len(analysis.profiles),
        "excluded": len(analysis.excluded),
        "compared": len(analysis.compared),
        "scores_formed": "all" if analysis.way == "dense" else "those needed",
        "comparisons": links.comparisons,
        "undefined_scores": links.undefined,
        "links": len(links),
        "expected_chance_links": links.expected_chance_links,
        "most_chance_links": links.most_chance_links,
        "groups_of_two_or_more": int((groups.sizes > 1).sum()),
        "alone": int((groups.sizes == 1).sum()),
        "components": groups.n_components,
        "largest_component": groups.largest_component,
        "undecided": len(analysis.undecided),
        "metric": limit.metric.name,
        "threshold": limit.value,
        "threshold_origin": limit.origin,
        "validated": limit.validated,
        "false_positive_rate": None if rates is None else rates.false_positive_rate,
        "true_positive_rate": None if rates is None else rates.true_positive_rate,
        "auc": None if rates is None else rates.auc,
        "share_of_true_links": [
            {"prevalence": row.prevalence, "share": row.share, "share_least_favourable": low.share}
            for row, low in zip(analysis.true_links, analysis.least_true_links, strict=True)
        ],
        "runs_not_read": [] if analysis.runs is None else [n for n, _ in analysis.runs.errors],
        "notes": [one.text for one in analysis.notes if one.note.category is not None],
        "run_digest": analysis.run_digest,
    }
    if rates is not None:
        figures["rule"] = rates.rule.name
        figures["pairs"] = {"linked": rates.n_linked, "unlinked": rates.n_unlinked}
        figures["sources"] = {
            "linked": rates.n_linked_sources,
            "unlinked": rates.n_unlinked_sources,
        }
    return figures


def _manifest(analysis: Analysis, folder: Path) -> str:
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }
    told = {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": files,
        "inputs": [{"path": i.path, "sha256": i.sha256, "size": i.size} for i in analysis.inputs],
        "versions": dict(analysis.versions),
        "seed": analysis.seed,
        "run_digest": analysis.run_digest,
        "summary": summary(analysis),
    }
    return json.dumps(told, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
