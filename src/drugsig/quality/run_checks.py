"""What the peak tables of all runs say together: blanks, control samples, internal standards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import listed, unique_text
from drugsig.acquisition.cell_reasons import Flag
from drugsig.acquisition.peak_table import PeakTable
from drugsig.errors import InputError
from drugsig.profiles.status import Status
from drugsig.protocols.sections import QualityRule
from drugsig.quality.run_findings import (
    BLANK,
    CONTROL,
    SAMPLE,
    WORST_FIRST,
    BlankFinding,
    ControlSpread,
    RejectedCell,
    RunCheck,
    RunChecks,
    TargetCheck,
)
from drugsig.quality.standard_charts import StandardChart, chart_standard, share_limit

__all__ = ["check_runs"]

_STANDARD = "internal_standard"
_NAMED = 3


@dataclass(frozen=True, eq=False)
class _Cells:
    """The peak tables side by side, runs by targets."""

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    sequences: tuple[str, ...]
    targets: tuple[str, ...]
    roles: tuple[str, ...]
    status: NDArray[np.uint8]
    area: NDArray[np.float64]
    shift: NDArray[np.float64]
    signal_to_noise: NDArray[np.float64]

    @property
    def found(self) -> NDArray[np.bool_]:
        """Where a peak has an area that can be read."""
        seen = (self.status == Status.DETECTED) | (self.status == Status.BELOW_LOQ)
        return np.asarray(seen & np.isfinite(self.area))

    def rows(self, kind: str) -> list[int]:
        return [k for k, one in enumerate(self.kinds) if one == kind]


def check_runs(
    tables: Sequence[PeakTable],
    /,
    *,
    ids: Iterable[str] | None = None,
    kinds: Mapping[str, str] | None = None,
    sequences: Iterable[str | None] | None = None,
    rules: Iterable[QualityRule] = (),
) -> RunChecks:
    """Look at all runs together: blanks, control samples, internal standards, flags.

    Parameters
    ----------
    tables : sequence of PeakTable
        One a run, all of the same targets.
    ids : iterable of str, optional
        The profile ids, one a table; by default the names of the runs.
    kinds : mapping of str to str, optional
        Which profiles are a `BLANK` or a `CONTROL`; all others are samples.
    sequences : iterable of str or None, optional
        The analytical series of each run; by default all runs are one.
    rules : iterable of QualityRule
        Of the protocol. Applied are those for ``blank_area`` (share of the median sample),
        ``internal_standard_deviation`` (share of the median) and ``replicate_rsd`` (over the
        control runs), where their unit is ``"%"`` or ``"1"``.

    Returns
    -------
    RunChecks
        Nothing is removed and no status is changed.

    Raises
    ------
    InputError
        If tables differ in their targets, or there are not as many ids or sequences as tables.
    """
    cells = _side_by_side(tables, ids, kinds or {}, sequences)
    limits = {r.what: limit for r in rules if (limit := share_limit(r)) is not None}
    standards = tuple(
        _chart(cells, column, limits.get("internal_standard_deviation"))
        for column, role in enumerate(cells.roles)
        if role == _STANDARD
    )
    blanks = _blank_findings(cells, tables, limits.get("blank_area"))
    rejected = tuple(
        RejectedCell(
            cells.ids[row],
            target,
            table.reasons[k],
            float(table.retention_time_s[k]),
            float(table.signal_to_noise[k]),
        )
        for row, table in enumerate(tables)
        for k, target in enumerate(table.targets)
        if table.status[k] == Status.REJECTED
    )
    said = _run_flags(cells, tables, standards, blanks, rejected)
    return RunChecks(
        runs=tuple(_run_check(cells, row, tables[row], said[row]) for row in range(len(tables))),
        targets=tuple(_target_check(cells, k) for k in range(len(cells.targets))),
        rejected=rejected,
        blanks=blanks,
        controls=_control_spreads(cells, limits.get("replicate_rsd")),
        standards=standards,
        without_blank=_sequences_without(cells, BLANK),
        without_control=_sequences_without(cells, CONTROL),
        applied=tuple(w for w in _APPLIED if w in limits),
    )


_APPLIED = ("blank_area", "internal_standard_deviation", "replicate_rsd")


def _side_by_side(
    tables: Sequence[PeakTable],
    ids: Iterable[str] | None,
    kinds: Mapping[str, str],
    sequences: Iterable[str | None] | None,
) -> _Cells:
    if not tables:
        raise InputError("there is no run to check. Give the peak tables of at least one run.")
    unlike = [t.run_name for t in tables if t.targets != tables[0].targets]
    if unlike:
        raise InputError(
            f"run '{tables[0].run_name}' and {listed(unlike)} were extracted with different "
            "targets. Extract all runs with one protocol."
        )
    names = tuple(t.run_name for t in tables) if ids is None else tuple(ids)
    series = ("",) * len(tables) if sequences is None else tuple(s or "" for s in sequences)
    for what, given in (("ids", names), ("sequences", series)):
        if len(given) != len(tables):
            raise InputError(f"{len(tables)} peak tables need as many {what}, got {len(given)}")
    unique_text(names, what="profile ids")
    strangers = sorted(set(kinds.values()) - {BLANK, CONTROL, SAMPLE})
    if strangers:
        raise InputError(f"a run is a {SAMPLE}, a {BLANK} or a {CONTROL}, got {listed(strangers)}")
    return _Cells(
        ids=names,
        kinds=tuple(kinds.get(name, SAMPLE) for name in names),
        sequences=series,
        targets=tables[0].targets,
        roles=tables[0].roles,
        status=np.array([t.status for t in tables]),
        area=np.array([t.area for t in tables]),
        shift=np.array([t.retention_shift_s for t in tables]),
        signal_to_noise=np.array([t.signal_to_noise for t in tables]),
    )


def _chart(cells: _Cells, column: int, limit: float | None) -> StandardChart:
    return chart_standard(
        cells.targets[column],
        np.where(cells.found[:, column], cells.area[:, column], np.nan),
        ids=cells.ids,
        sequences=cells.sequences,
        judged=[kind != BLANK for kind in cells.kinds],
        limit=limit,
    )


def _blank_findings(
    cells: _Cells, tables: Sequence[PeakTable], limit: float | None
) -> tuple[BlankFinding, ...]:
    out = []
    samples = np.array([kind == SAMPLE for kind in cells.kinds], dtype=bool)
    series = np.array(cells.sequences, dtype=object)
    for row in cells.rows(BLANK):
        beside = samples & (series == series[row])
        beside = beside if beside.any() else samples
        for k, role in enumerate(cells.roles):
            status = Status(int(cells.status[row, k]))
            if role == _STANDARD or status in (Status.BELOW_LOD, Status.NOT_MEASURED):
                continue
            known = cells.area[beside & cells.found[:, k], k]
            usual = float(np.median(known)) if len(known) else 0.0
            area = float(cells.area[row, k])
            part = area / usual if usual > 0 else None
            exceeds = limit is not None and (part is None or part > limit)
            out.append(
                BlankFinding(
                    cells.ids[row],
                    cells.targets[k],
                    role,
                    status,
                    tables[row].reasons[k],
                    area,
                    part,
                    exceeds,
                )
            )
    return tuple(sorted(out, key=lambda f: -np.inf if f.share is None else -f.share))


def _control_spreads(cells: _Cells, limit: float | None) -> tuple[ControlSpread, ...]:
    rows = cells.rows(CONTROL)
    if not rows:
        return ()
    area = np.where(cells.found, cells.area, np.nan)[rows]
    standard = next((k for k, role in enumerate(cells.roles) if role == _STANDARD), None)
    out = []
    for k, (target, role) in enumerate(zip(cells.targets, cells.roles, strict=True)):
        known = area[np.isfinite(area[:, k]), k]
        if not len(known):
            continue
        alone = _rsd(known)
        to_standard = None
        if standard is not None and role != _STANDARD:
            ratio = area[:, k] / area[:, standard]
            to_standard = _rsd(ratio[np.isfinite(ratio)])
        judged = alone if to_standard is None else to_standard
        out.append(
            ControlSpread(
                target,
                role,
                len(known),
                float(known.mean()),
                alone,
                to_standard,
                exceeds=limit is not None and judged is not None and judged > limit,
            )
        )
    return tuple(out)


def _rsd(values: NDArray[np.float64]) -> float | None:
    if len(values) < 2 or not values.mean() > 0:
        return None
    return float(values.std(ddof=1) / values.mean())


def _sequences_without(cells: _Cells, kind: str) -> tuple[str, ...]:
    used = [s for s, k in zip(cells.sequences, cells.kinds, strict=True) if k == SAMPLE]
    have = {s for s, k in zip(cells.sequences, cells.kinds, strict=True) if k == kind}
    return tuple(s for s in dict.fromkeys(used) if s not in have)


def _marks(table: PeakTable) -> tuple[tuple[Flag, int], ...]:
    counts = Counter(flag for flags in table.flags for flag in flags)
    return tuple((flag, counts[flag]) for flag in WORST_FIRST if counts[flag])


def _run_flags(
    cells: _Cells,
    tables: Sequence[PeakTable],
    standards: Sequence[StandardChart],
    blanks: Sequence[BlankFinding],
    rejected: Sequence[RejectedCell],
) -> list[tuple[str, ...]]:
    """Say of each run, in words, what a reader should look at."""
    said: dict[str, list[str]] = {name: [] for name in cells.ids}
    for chart in standards:
        for name, words in chart.outliers:
            said[name].append(words)
    for finding in blanks:
        part = "" if finding.share is None else f" ({finding.share:.2%} of the median sample)"
        said[finding.profile_id].append(f"the blank shows {finding.target}{part}")
    for cell in rejected:
        why = cell.reason.replace("_", " ")
        said[cell.profile_id].append(f"{cell.target} rejected: {why}")
    for row, table in enumerate(tables):
        lacking = [
            t
            for t, s in zip(table.targets, cells.status[row], strict=True)
            if s == Status.NOT_MEASURED
        ]
        if lacking:
            said[cells.ids[row]].append(f"not measured: {listed(lacking, most=_NAMED)}")
        for flag, number in _marks(table):
            where = [t for t, f in zip(table.targets, table.flags, strict=True) if flag in f]
            names = ", ".join(where) if number <= _NAMED else f"{number} targets"
            said[cells.ids[row]].append(f"{flag.replace('_', ' ')}: {names}")
    return [tuple(said[name]) for name in cells.ids]


def _counts(status: NDArray[np.uint8]) -> dict[str, int]:
    counts = np.bincount(status, minlength=len(Status))
    return {
        "detected": int(counts[Status.DETECTED]),
        "below_limit": int(counts[Status.BELOW_LOQ] + counts[Status.BELOW_LOD]),
        "rejected": int(counts[Status.REJECTED]),
        "not_measured": int(counts[Status.NOT_MEASURED]),
    }


def _run_check(cells: _Cells, row: int, table: PeakTable, flags: tuple[str, ...]) -> RunCheck:
    shift = cells.shift[row][cells.found[row]]
    return RunCheck(
        profile_id=cells.ids[row],
        run_name=table.run_name,
        kind=cells.kinds[row],
        sequence=cells.sequences[row],
        **_counts(cells.status[row]),
        retention_shift_s=float(np.median(shift)) if len(shift) else None,
        marks=_marks(table),
        flags=flags,
    )


def _target_check(cells: _Cells, k: int) -> TargetCheck:
    rows = np.flatnonzero(cells.found[:, k])
    shift = cells.shift[rows, k]
    most = int(np.abs(shift).argmax()) if len(rows) else 0
    seen = cells.signal_to_noise[cells.status[:, k] == Status.DETECTED, k]
    seen = seen[np.isfinite(seen)]
    return TargetCheck(
        target=cells.targets[k],
        role=cells.roles[k],
        **_counts(cells.status[:, k]),
        median_shift_s=float(np.median(shift)) if len(rows) else None,
        largest_shift_s=float(shift[most]) if len(rows) else None,
        largest_shift_in=cells.ids[int(rows[most])] if len(rows) else "",
        least_signal_to_noise=float(seen.min()) if len(seen) else None,
        largest_signal_to_noise=float(seen.max()) if len(seen) else None,
    )
