"""Peak tables made by hand, so that figures and checks of runs need no extraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from drugsig import Status
from drugsig.acquisition.cell_reasons import Flag, Reason
from drugsig.acquisition.peak_table import IntegrationTrace, PeakTable

WIDTH_S = 4.0
_SIGMA = WIDTH_S / 2.355

# What a cell is where nothing else is said of it.
_REASONS = {
    Status.DETECTED: Reason.NONE,
    Status.BELOW_LOQ: Reason.BELOW_LOQ,
    Status.BELOW_LOD: Reason.NO_PEAK,
    Status.NOT_MEASURED: Reason.OUTSIDE_RUN,
    Status.REJECTED: Reason.SATURATED,
}


def peak_table(
    name: str,
    areas: Sequence[float],
    *,
    targets: Sequence[str] | None = None,
    roles: Sequence[str] | None = None,
    status: Mapping[int, Status] | None = None,
    flags: Mapping[int, tuple[Flag, ...]] | None = None,
    shift_s: float = 0.1,
) -> PeakTable:
    """Return the table of a run with Gaussian peaks of these areas; 0 is no peak."""
    n = len(areas)
    given = status or {}
    states = [given.get(k, Status.DETECTED if a > 0 else Status.BELOW_LOD)
              for k, a in enumerate(areas)]  # fmt: skip
    expected = np.asarray(60.0 + 40.0 * np.arange(n), dtype=np.float64)
    apex = np.where([s in (Status.BELOW_LOD, Status.NOT_MEASURED) for s in states], np.nan,
                    expected + shift_s)  # fmt: skip
    area = np.where(np.isnan(apex), np.nan, np.asarray(areas, dtype=np.float64))
    rng = np.random.default_rng(len(name))
    traces = []
    for k in range(n):
        times = expected[k] + np.linspace(-30, 30, 151)
        if states[k] == Status.NOT_MEASURED:
            times = np.zeros(0)
        peak = areas[k] * np.exp(-0.5 * ((times - expected[k] - shift_s) / _SIGMA) ** 2)
        baseline = np.full(len(times), 20.0)
        noise = rng.normal(0, 1, len(times))
        traces.append(
            IntegrationTrace(times, peak / (_SIGMA * 2.5066) + baseline + noise, baseline)
        )
    nan = np.full(n, np.nan)
    return PeakTable(
        run_name=name,
        targets=tuple(targets or (f"target {k}" for k in range(n))),
        roles=tuple(roles or ("impurity",) * n),
        expected_time_s=expected,
        retention_time_s=apex,
        area=area,
        area_uncertainty=0.01 * area,
        area_limit=np.full(n, 10.0),
        height=area / (_SIGMA * 2.5066),
        width_s=np.where(np.isnan(apex), np.nan, WIDTH_S),
        asymmetry=np.where(np.isnan(apex), np.nan, 1.0),
        signal_to_noise=area / 10.0,
        noise_widths=nan,
        start_s=apex - 2 * WIDTH_S,
        stop_s=apex + 2 * WIDTH_S,
        status=np.array(states, dtype=np.uint8),
        reasons=tuple(_REASONS[s] for s in states),
        flags=tuple((flags or {}).get(k, ()) for k in range(n)),
        qualifiers=((),) * n,
        traces=tuple(traces),
        peak_width_s=WIDTH_S,
    )
