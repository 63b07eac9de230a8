"""From runs to profiles: `extract_run` makes the table of one run, `extract` a set of profiles."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drugsig._check import unique_text
from drugsig._notes import Note, emit
from drugsig.acquisition.cell_reasons import Flag, Reason, judge
from drugsig.acquisition.integration import Integrated, integrate
from drugsig.acquisition.ion_traces import TraceSource, trace_source
from drugsig.acquisition.peak_table import IntegrationTrace, PeakTable, QualifierRatio
from drugsig.acquisition.protocol_targets import targets_of
from drugsig.acquisition.reading import scans_of_file
from drugsig.acquisition.run import Run, RunMetadata, Scan
from drugsig.acquisition.target_window import QUANTITATION, TargetWindow, checked_targets
from drugsig.acquisition.unstable_targets import settle_unstable
from drugsig.acquisition.windows import IonPlan, Windows, cut_windows, ion_plan
from drugsig.errors import DrugsigError, InputError
from drugsig.profiles.history import Step
from drugsig.profiles.metadata import ID_COLUMN
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.status import Status
from drugsig.protocols.protocol import Protocol
from drugsig.protocols.target import Target

__all__ = ["Extraction", "extract", "extract_run", "extracted"]

# Fewer scans than this in a retention window do not make a peak.
_FEWEST_SCANS = 5

# Two apexes closer than this share of the width at half height are one.
_SAME_APEX = 0.1

# The area of a Gaussian over height times width at half height.
_GAUSSIAN = float(np.sqrt(np.pi / np.log(2.0)) / 2.0)


def extract_run(
    run: Run | Iterable[Scan],
    targets: Iterable[TargetWindow],
    /,
    *,
    name: str | None = None,
    peak: str = "nearest",
    baseline: str = "arpls",
) -> PeakTable:
    """Find and integrate the targets of one run.

    Parameters
    ----------
    run : Run or iterable of Scan
        A run in memory, or its scans in order: they are gone through once, and only the traces of
        the targets' ions are kept.
    targets : iterable of TargetWindow
        What is looked for.
    name : str, optional
        What the table is called; the name of the file if the run knows it.
    peak : str
        Which of several peaks in a retention window: ``"nearest"`` to the expected time, or
        ``"tallest"``.
    baseline : str
        How peaks are told from baseline: ``"arpls"`` or ``"snip"``.

    Returns
    -------
    PeakTable
        One row a target, with status and reason.

    Raises
    ------
    InputError
        If there is no target, scan times do not rise, or an option is not known.
    """
    wanted = checked_targets(targets)
    plan = ion_plan(wanted)
    source = trace_source(run, plan.mz, tolerance=plan.tolerance)
    if name is None:
        metadata = getattr(run, "metadata", None)
        name = metadata.file_name if isinstance(metadata, RunMetadata) else "run"
    covered = [k for k, t in enumerate(wanted) if _covers(source, t)]
    found: dict[int, Integrated] = {}
    recorded = np.zeros(len(plan.mz), dtype=bool)
    gain = None
    if covered:
        windows = cut_windows(source, plan, wanted, covered)
        recorded[windows.ion] = _recorded(source, plan, windows)
        measured, gain = integrate(windows, plan, wanted, peak=peak, baseline=baseline)
        found = dict(zip(covered, measured, strict=True))
    return _table(name, wanted, plan, found, recorded, gain)


def _covers(source: TraceSource, target: TargetWindow) -> bool:
    """Say whether the run was recording during the whole retention window."""
    if len(source) < _FEWEST_SCANS:
        return False
    low = target.retention_time_s - target.window_s
    high = target.retention_time_s + target.window_s
    if low < source.times_s[0] or high > source.times_s[-1]:
        return False
    scans = np.searchsorted(source.times_s, high) - np.searchsorted(source.times_s, low)
    return bool(scans >= _FEWEST_SCANS)


def _recorded(source: TraceSource, plan: IonPlan, windows: Windows) -> NDArray[np.bool_]:
    """Say which ions were recorded in their windows, shape (n_ions_read,).

    An ion without a single point may have been recorded all the same, for zeros are not written.
    It was not if it lies outside the range of the run, or if every scan of the window has as many
    points as the next: that is how selected ions are recorded, zeros included.
    """
    low, high = source.scanned
    mz, reach = plan.mz[windows.ion], plan.tolerance[windows.ion]
    in_range = (mz + reach > low) & (mz - reach <= high)
    seen = (windows.ions != 0).any(axis=1)
    alike = np.zeros(len(windows.targets), dtype=bool)
    for row, (first, count) in enumerate(zip(windows.first, windows.count, strict=True)):
        points = source.points_per_scan[first : first + count]
        alike[row] = bool(len(points)) and points.min() == points.max() > 0
    return np.asarray(seen | (in_range & ~alike[windows.ion_row]))


def _table(
    name: str,
    targets: tuple[TargetWindow, ...],
    plan: IonPlan,
    found: dict[int, Integrated],
    recorded: NDArray[np.bool_],
    gain: float | None,
) -> PeakTable:
    n = len(targets)
    columns = {
        key: np.full(n, np.nan)
        for key in (
            "retention_time_s", "area", "area_uncertainty", "area_limit", "height", "width_s",
            "asymmetry", "signal_to_noise", "noise_widths", "start_s", "stop_s",
        )
    }  # fmt: skip
    status = np.full(n, Status.NOT_MEASURED, dtype=np.uint8)
    reasons = [Reason.OUTSIDE_RUN] * n
    flags: list[tuple[Flag, ...]] = [()] * n
    ratios: list[tuple[QualifierRatio, ...]] = [()] * n
    empty = np.zeros(0)
    traces = [IntegrationTrace(empty, empty, empty)] * n
    shape = _usual_shape(found)
    for k, peak in found.items():
        target = targets[k]
        traces[k] = IntegrationTrace(peak.times_s, peak.intensity, peak.baseline)
        mine = plan.owner == k
        if not recorded[mine & plan.is_quantifier].all():
            reasons[k] = Reason.ION_NOT_SCANNED
            continue
        confirming = frozenset(plan.mz[mine & ~plan.is_quantifier & recorded].tolist())
        given, reasons[k], flags[k] = judge(peak, target, confirming)
        status[k] = given
        columns["noise_widths"][k] = peak.noise_widths
        least = 0.5 * target.lod * peak.height_of_noise
        if reasons[k] == Reason.NO_PEAK:
            # Lower than what stands there, a peak would not show either.
            least = max(least, peak.level_there)
        columns["area_limit"][k] = least * (shape or _GAUSSIAN * peak.width_s)
        if peak.shape is None or (peak.outside and reasons[k] != Reason.OFF_RETENTION):
            continue
        own = {
            "retention_time_s": peak.shape.apex_time_s,
            "area": peak.area,
            "area_uncertainty": peak.uncertainty,
            "height": peak.height,
            "width_s": peak.shape.width_s,
            "asymmetry": peak.shape.asymmetry,
            "signal_to_noise": peak.signal_to_noise,
            "start_s": peak.times_s[peak.shape.start],
            "stop_s": peak.times_s[peak.shape.stop],
        }
        for key, value in own.items():
            columns[key][k] = value
        ratios[k] = _ratios(peak, target, confirming)
    for k in _shared(targets, columns["retention_time_s"], columns["width_s"], status):
        status[k], reasons[k] = Status.REJECTED, Reason.SHARED_PEAK
    return PeakTable(
        run_name=name,
        targets=tuple(t.name for t in targets),
        roles=tuple(t.role for t in targets),
        expected_time_s=np.array([t.retention_time_s for t in targets]),
        status=status,
        reasons=tuple(reasons),
        flags=tuple(flags),
        qualifiers=tuple(ratios),
        traces=tuple(traces),
        peak_width_s=(
            float(np.median([p.width_s for p in found.values()])) if found else float("nan")
        ),
        shot_gain=gain,
        **columns,
    )


def _shared(
    targets: Sequence[TargetWindow],
    apex_s: NDArray[np.float64],
    width_s: NDArray[np.float64],
    status: NDArray[np.uint8],
) -> list[int]:
    """Return targets that were given one and the same peak: at most one of them can be right."""
    out: set[int] = set()
    usable = [k for k in range(len(targets)) if status[k] <= Status.BELOW_LOQ]
    for place, k in enumerate(usable):
        for other in usable[place + 1 :]:
            same_ion = set(targets[k].quantifier) & set(targets[other].quantifier)
            if same_ion and abs(apex_s[k] - apex_s[other]) <= _SAME_APEX * width_s[k]:
                out |= {k, other}
    return sorted(out)


def _usual_shape(found: dict[int, Integrated]) -> float | None:
    """Return the usual area over height of the clear peaks of the run, in seconds."""
    known = [
        p.area / p.height
        for p in found.values()
        if p.shape is not None
        and not (p.outside or p.saturated)
        and p.signal_to_noise >= QUANTITATION
        and p.area > 0
    ]
    return float(np.median(known)) if known else None


def _ratios(
    peak: Integrated, target: TargetWindow, recorded: frozenset[float]
) -> tuple[QualifierRatio, ...]:
    out = []
    for q, ion in zip(target.qualifiers, peak.qualifiers, strict=True):
        measured = uncertainty = float("nan")
        if q.mz in recorded and peak.area > 0:
            measured = ion.area / peak.area
            uncertainty = float(np.hypot(ion.uncertainty, measured * peak.uncertainty) / peak.area)
        out.append(QualifierRatio(q.mz, q.ratio, measured, uncertainty))
    return tuple(out)


@dataclass(frozen=True, eq=False, repr=False)
class Extraction:
    """Profiles made from runs, and how.

    Attributes
    ----------
    profiles : ProfileSet
        One profile a run. A value below the limit of detection is zero, below that of
        quantitation the area as it was measured; a rejected cell keeps its area, which nothing
        reads.
    tables : tuple of PeakTable
        One a profile, in the same order.
    failures : tuple of (str, DrugsigError)
        The runs that could not be extracted, and why.
    notes : tuple of Note
        Which of the files that were read may not be what profiles are made of, and why.
    """

    profiles: ProfileSet
    tables: tuple[PeakTable, ...]
    failures: tuple[tuple[str, DrugsigError], ...] = ()
    notes: tuple[Note, ...] = ()

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return (
            f"<Extraction: {len(self.tables)} runs, {len(self.profiles.targets)} targets{failed}>"
        )


def extract(
    runs: Iterable[Run | str | os.PathLike[str] | Iterable[Scan]],
    targets: Protocol | Iterable[TargetWindow],
    /,
    *,
    ids: Sequence[str] | None = None,
    peak: str = "nearest",
    baseline: str = "arpls",
) -> Extraction:
    """Make profiles from runs.

    Parameters
    ----------
    runs : iterable of Run, path or iterable of Scan
        Gone through once, one run at a time. Files are read scan by scan, so that memory does not
        grow with them.
    targets : Protocol or iterable of TargetWindow
        What is looked for.
    ids : sequence of str, optional
        The profile ids, one a run; by default the name of the file without its ending.
    peak, baseline : str
        As in `extract_run`.

    Returns
    -------
    Extraction
        Profiles with status, limits and uncertainty, the peak table of every run, and the runs
        that failed. What a protocol says of unstable targets is applied to the profiles.

    Raises
    ------
    InputError
        If two runs would have one id, if there is not one id a run, or if there is no run.
    ExceptionGroup
        If there are runs and none could be extracted: the error of every one.

    Warns
    -----
    UnsuitableRunWarning
        If the header of a file says that the run may be unsuitable.
    """
    result = extracted(runs, targets, ids=ids, peak=peak, baseline=baseline)
    emit(result.notes)
    return result


def extracted(
    runs: Iterable[Run | str | os.PathLike[str] | Iterable[Scan]],
    targets: Protocol | Iterable[TargetWindow],
    /,
    *,
    ids: Sequence[str] | None = None,
    peak: str = "nearest",
    baseline: str = "arpls",
) -> Extraction:
    """Make profiles as `extract` does, and leave the notes to the caller instead of warning.

    Parameters
    ----------
    runs, targets, ids, peak, baseline
        As in `extract`.
    """
    wanted = targets_of(targets) if isinstance(targets, Protocol) else checked_targets(targets)
    tables: list[PeakTable] = []
    rows: list[dict[str, str]] = []
    failures: list[tuple[str, DrugsigError]] = []
    notes: list[Note] = []
    seen = 0
    for count, run in enumerate(runs):
        seen = count + 1
        if ids is not None and seen > len(ids):
            raise InputError(f"there are more runs than the {len(ids)} ids that were given")
        place = f"run {seen}"
        try:
            with _opened(run, notes) as scans:
                table = extract_run(
                    scans, wanted, name=_name_of(run, scans, place), peak=peak, baseline=baseline
                )
                metadata = getattr(scans, "metadata", None)
        except DrugsigError as error:
            failures.append((_name_of(run, run, place), error))
            continue
        row = _metadata_row(metadata)
        row[ID_COLUMN] = ids[count] if ids is not None else Path(table.run_name).stem
        tables.append(table)
        rows.append(row)
    if ids is not None and seen < len(ids):
        raise InputError(f"{len(ids)} ids were given, but there are only {seen} runs")
    if not tables:
        if failures:
            raise ExceptionGroup(
                f"none of {len(failures)} runs could be extracted", [e for _, e in failures]
            )
        raise InputError("there is no run to extract")
    unique_text((r[ID_COLUMN] for r in rows), what="profile ids made from the names of runs")
    used = [c for c in _COLUMNS if any(r.get(c) for r in rows)]
    step = {
        "targets": len(wanted),
        "runs": len(tables),
        "peak": peak,
        "baseline": baseline,
        "failed": [name for name, _ in failures],
    }
    if isinstance(targets, Protocol):
        step |= {"protocol": targets.name, "version": targets.version, "digest": targets.digest}
    profiles = ProfileSet(
        np.array([t.values for t in tables]),
        [Target(t.name, t.role) for t in wanted],
        {c: [r.get(c) for r in rows] for c in (ID_COLUMN, *used)},
        status=np.array([t.status for t in tables]),
        limits=np.array([t.area_limit for t in tables]),
        uncertainty=np.array(
            [np.where(t.status == Status.BELOW_LOD, np.nan, t.area_uncertainty) for t in tables]
        ),
        history=[Step.make("extract", step)],
    )
    if isinstance(targets, Protocol):
        profiles = settle_unstable(profiles, targets)
    return Extraction(profiles, tuple(tables), failures=tuple(failures), notes=tuple(notes))


@contextmanager
def _opened(
    run: Run | str | os.PathLike[str] | Iterable[Scan], notes: list[Note]
) -> Iterator[Run | Iterable[Scan]]:
    if isinstance(run, (str, os.PathLike)):
        with scans_of_file(run) as scans:
            notes += scans.notes
            yield scans
    else:
        yield run


def _name_of(run: object, scans: object, otherwise: str) -> str:
    if isinstance(run, (str, os.PathLike)):
        return Path(run).name
    metadata = getattr(scans, "metadata", None)
    return metadata.file_name if isinstance(metadata, RunMetadata) else otherwise


# Metadata of a run that a profile keeps, where a header states them.
_COLUMNS = ("run_file", "run_sha256", "sample_name", "acquired", "operator", "method", "instrument")


def _metadata_row(metadata: object) -> dict[str, str]:
    if not isinstance(metadata, RunMetadata):
        return {}
    told = {c: getattr(metadata, c) for c in _COLUMNS[2:]}
    told |= {"run_file": metadata.file_name, "run_sha256": metadata.sha256}
    # A header may hold line breaks, which a table of metadata must not.
    return {
        c: " ".join("".join(ch if ch.isprintable() else " " for ch in v).split())
        for c, v in told.items()
    }
