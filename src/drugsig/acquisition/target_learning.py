"""Learning targets from a reference run: its largest peaks, by retention time and base ion."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from drugsig.acquisition.baseline import BASELINE_WIDTHS, arpls, stiffness
from drugsig.acquisition.extraction import extract_run
from drugsig.acquisition.ion_traces import ion_traces
from drugsig.acquisition.noise import robust_spread
from drugsig.acquisition.peak_table import PeakTable
from drugsig.acquisition.peaks import all_peaks
from drugsig.acquisition.run import Run
from drugsig.acquisition.target_window import Qualifier, TargetWindow
from drugsig.errors import InputError
from drugsig.profiles.status import Status

__all__ = ["BLEED_IONS", "learn_targets"]

# Polydimethylsiloxane of columns and septa breaks into fragments that differ by 74, the mass of
# one (CH3)2SiO: linear ones from 73, cyclic ones from 207, and those from 267 that have lost
# methane as well. Silicon brings isotopes one and two higher.
BLEED_IONS = frozenset(
    first + 74 * unit + isotope
    for first, units in ((73, 6), (207, 5), (267, 4))
    for unit in range(units)
    for isotope in range(3)
)

# Of a trace over its whole length, only what stands out this clearly is worth a target.
_CLEAR = 10.0

# An ion this strong beside the base ion can confirm it.
_CONFIRMING = 0.2


def learn_targets(
    run: Run,
    /,
    *,
    count: int = 20,
    window_s: float = 6.0,
    separation_s: float = 12.0,
    qualifiers: int = 2,
    excluded: Collection[int] = BLEED_IONS,
    peak_width_s: float | None = None,
    between_s: tuple[float, float] | None = None,
) -> tuple[TargetWindow, ...]:
    """Choose targets from a reference run: its largest peaks, each on its base ion.

    The rule, in this order. The trace of every whole m/z is searched for peaks. A peak counts on
    its *base ion* only: the ion that is highest at its apex. It is left out if that ion is
    excluded. What is left is integrated as in `extract_run`; what is detected and neither cut off
    nor overlapped is taken in order of area, each at least `separation_s` from all taken before.

    Parameters
    ----------
    run : Run
        The reference run.
    count : int
        How many targets at most.
    window_s : float
        The retention window of the targets, to either side, in seconds.
    separation_s : float
        How far the apexes of two targets are apart at least, in seconds.
    qualifiers : int
        How many qualifier ions at most: the next highest that are not excluded and have at least
        a fifth of the base ion; their ratios are measured in this run.
    excluded : collection of int
        Whole m/z of ions that do not come from the specimen; `BLEED_IONS` by default.
    peak_width_s : float, optional
        The usual width at half height; without it, four times the usual time between scans or
        what the clear peaks show.
    between_s : tuple of two floats, optional
        Only peaks between these retention times.

    Returns
    -------
    tuple of TargetWindow
        In order of retention time, named by it and by the base ion, as impurities. What a target
        is remains to be found out; role, name and limits are for the laboratory to settle.

    Raises
    ------
    InputError
        If the run has too few scans, or no peak is left.
    """
    if len(run) < 50 or not len(run.mz):
        raise InputError(f"targets need a run of at least 50 scans with points, got {run!r}")
    ions = np.arange(int(np.floor(run.mz.min())), int(np.ceil(run.mz.max())) + 1)
    traces = ion_traces(run, ions, tolerance=0.5)
    times = traces.times_s
    points = (peak_width_s or 4.0 * float(np.median(np.diff(times)))) / float(
        np.median(np.diff(times))
    )
    every = np.ones(traces.intensity.shape, dtype=bool)
    net = traces.intensity - arpls(
        traces.intensity,
        every,
        penalty=stiffness(4.0 * BASELINE_WIDTHS * points),
        most_rounds=10,
        tolerance=5e-2,
    )
    base = _base_peaks(net, times, between_s)
    outside = np.array([int(ions[i]) not in excluded for i, _ in base], dtype=bool)
    kept = [b for b, good in zip(base, outside, strict=True) if good]
    if not kept:
        raise InputError(
            f"no peak of {run!r} has a base ion that is not excluded: of {len(base)} peaks none is "
            "left. Is this a blank? Otherwise give `excluded` another set of ions."
        )
    candidates = [
        TargetWindow(
            f"{times[scan]:.2f} s m/z {ions[ion]}",
            float(times[scan]),
            window_s,
            (float(ions[ion]),),
            _confirming(net[:, scan], ions, ion, excluded, qualifiers),
            peak_width_s=peak_width_s,
        )
        for ion, scan in kept
    ]
    candidates = list({c.name: c for c in candidates}.values())
    table = extract_run(run, [replace(c, qualifiers=()) for c in candidates])
    chosen = _largest_apart(table, candidates, count, separation_s)
    if not chosen:
        raise InputError(
            f"none of the {len(candidates)} peaks of {run!r} could be integrated well enough"
        )
    return _with_measured_ratios(run, [_centred(c, table) for c in chosen])


def _base_peaks(
    net: NDArray[np.float64], times: NDArray[np.float64], between_s: tuple[float, float] | None
) -> list[tuple[int, int]]:
    """Return (ion, scan) of every peak that is highest on the ion it was found on."""
    spread = robust_spread(net, np.ones(net.shape, dtype=bool))
    low, high = between_s or (-np.inf, np.inf)
    # Two scans of one peak may be shared out differently among its ions by skew within the scan.
    ceiling = net.max(axis=0)
    ceiling = np.maximum(ceiling, np.maximum(np.roll(ceiling, 1), np.roll(ceiling, -1)))
    out = []
    for ion in np.flatnonzero(net.max(axis=1) > 0):
        least = max(_CLEAR / 5.0 * float(spread[ion]), 1e-9 * float(net[ion].max()))
        places, _ = all_peaks(net[ion], np.full(len(times), least))
        out += [
            (int(ion), int(scan))
            for scan in places
            if net[ion, scan] >= ceiling[scan] and low <= times[scan] <= high
        ]
    return out


def _confirming(
    spectrum: NDArray[np.float64],
    ions: NDArray[np.int_],
    base: int,
    excluded: Collection[int],
    most: int,
) -> tuple[Qualifier, ...]:
    ratio = spectrum / spectrum[base]
    order = [int(k) for k in np.argsort(-ratio, kind="stable") if k != base]
    good = [k for k in order if ratio[k] >= _CONFIRMING and int(ions[k]) not in excluded]
    return tuple(Qualifier(float(ions[k]), float(ratio[k])) for k in good[:most])


def _largest_apart(
    table: PeakTable, candidates: Iterable[TargetWindow], count: int, separation_s: float
) -> list[TargetWindow]:
    taken: list[tuple[float, TargetWindow]] = []
    listed = list(candidates)
    good = (table.status == Status.DETECTED) & np.array(["cut_off" not in f for f in table.flags])
    for k in np.argsort(-np.where(good, table.area, -np.inf), kind="stable"):
        if not good[k] or len(taken) == count:
            break
        time = float(table.retention_time_s[k])
        if all(abs(time - other) >= separation_s for other, _ in taken):
            taken.append((time, listed[k]))
    return [target for _, target in sorted(taken, key=lambda pair: pair[0])]


def _centred(target: TargetWindow, table: PeakTable) -> TargetWindow:
    time = float(table.retention_time_s[table.place_of(target.name)])
    return replace(
        target, name=f"{time:.1f} s m/z {target.quantifier[0]:.0f}", retention_time_s=time
    )


def _with_measured_ratios(run: Run, targets: list[TargetWindow]) -> tuple[TargetWindow, ...]:
    table = extract_run(run, targets)
    out = []
    for target, ratios in zip(targets, table.qualifiers, strict=True):
        good = tuple(
            Qualifier(q.mz, r.measured, q.tolerance)
            for q, r in zip(target.qualifiers, ratios, strict=False)
            if np.isfinite(r.measured) and r.measured > 0
        )
        out.append(replace(target, qualifiers=good))
    return tuple(out)
