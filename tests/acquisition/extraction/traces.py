"""Runs with known areas: tailing peaks over drift and bleed, with noise of two kinds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx

from drugsig.acquisition.run import Run, RunMetadata, Scan
from drugsig.acquisition.target_window import Qualifier, TargetWindow

# The expected range of n normal values, in standard deviations, is about this for 160-300 values.
RANGE_OF_NOISE = 5.6


def emg(times: NDArray[np.float64], centre: float, sigma: float, tau: float) -> NDArray[np.float64]:
    """Return an exponentially modified Gaussian of unit area."""
    u = (times - centre) / sigma
    if tau < 0.01 * sigma:  # no more than a Gaussian to four digits
        return np.exp(-0.5 * u**2) / (sigma * np.sqrt(2 * np.pi))
    z = (sigma / tau - u) / np.sqrt(2)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        front = np.exp(-0.5 * u**2) * erfcx(z) / (2 * tau)
        back = np.exp(0.5 * (sigma / tau) ** 2 - (times - centre) / tau) / tau
    return np.where(z > -20, np.nan_to_num(front), back)


def width_and_asymmetry(sigma: float, tau: float) -> tuple[float, float]:
    """Return width at half height and asymmetry at a tenth, read off a fine grid."""
    t = np.linspace(-8 * sigma, 8 * sigma + 12 * tau, 20001)
    y = emg(t, 0.0, sigma, tau)
    top = int(y.argmax())
    half, tenth = (np.flatnonzero(y >= share * y[top]) for share in (0.5, 0.1))
    return float(t[half[-1]] - t[half[0]]), float((t[tenth[-1]] - t[top]) / (t[top] - t[tenth[0]]))


@dataclass(frozen=True)
class MadeRun:
    """A run, what is in it, and where."""

    run: Run
    targets: tuple[TargetWindow, ...]
    areas: NDArray[np.float64]


def run_of(
    times: NDArray[np.floating], mz: NDArray[np.floating], traces: NDArray[np.floating]
) -> Run:
    """Return a run in which every scan has a point at every m/z; traces are (n_mz, n_scans)."""
    n, m = len(times), len(mz)
    return Run(
        scan_times_s=times.astype(np.float64),
        offsets=np.arange(n + 1, dtype=np.int64) * m,
        mz=np.tile(mz, n).astype(np.float64),
        intensity=traces.T.astype(np.float64).ravel(),
        stated_tic=np.full(n, np.nan),
        metadata=RunMetadata("made.cdf", "0" * 64, "andi_ms"),
    )


def made_run(
    rng: np.random.Generator,
    *,
    signal_to_noise: float | tuple[float, float],
    peaks: int = 20,
    spread: float = 50.0,
    gain: float = 2.0,
    tailing: tuple[float, float] = (0.0, 1.65),
    bleed: float = 40.0,
    drift: float = 20.0,
    scans: int = 3000,
    interval_s: float = 0.4,
    qualifiers: bool = False,
    correlated: float = 0.0,
) -> MadeRun:
    """Make a run of peaks of known area, each on an ion of its own.

    `tailing` is tau over sigma: 1.65 makes the back 1.8 times the front at a tenth of the height.
    Bleed and drift are in standard deviations of the noise.
    """
    steps = interval_s * rng.uniform(0.95, 1.05, size=scans)
    times = 60.0 + np.cumsum(steps)
    span = times[-1] - times[0]
    mz = 60.0 + 3.0 * np.arange(peaks)
    if qualifiers:
        mz = np.concatenate([mz, mz + 1.0])
    traces = np.zeros((len(mz), scans))
    points = rng.uniform(8.0, 15.0)
    targets, areas = [], []
    u = (times - times[0]) / span
    for k in range(peaks):
        tailed = rng.uniform(*tailing)
        sigma = 1.0
        width, _ = width_and_asymmetry(sigma, tailed * sigma)
        sigma = points * interval_s / width
        centre = times[0] + span * (0.1 + 0.8 * (k + rng.uniform(0.2, 0.8)) / peaks)
        shape = emg(times, centre, sigma, tailed * sigma)
        fine = np.linspace(centre - 3 * sigma, centre + 5 * sigma, 4001)
        unit_height = float(emg(fine, centre, sigma, tailed * sigma).max())
        top = float(fine[emg(fine, centre, sigma, tailed * sigma).argmax()])
        wanted = (
            signal_to_noise
            if isinstance(signal_to_noise, float | int)
            else float(np.exp(rng.uniform(*np.log(signal_to_noise))))
        )
        height = 0.5 * wanted * RANGE_OF_NOISE * spread
        area = height / unit_height
        ramp = bleed * rng.uniform(0, 1) / (1.0 + np.exp(-(u - rng.uniform(0.4, 0.9)) / 0.06))
        slope = drift * rng.uniform(-1, 1) * u
        ground = spread * (30.0 + drift + ramp + slope)
        traces[k] = ground + area * shape
        if qualifiers:
            traces[peaks + k] = ground + 0.5 * area * shape
        places = (Qualifier(mz[k] + 1.0, 0.5, 0.2),) if qualifiers else ()
        targets.append(
            TargetWindow(
                f"T{k:02d}", top + rng.uniform(-1, 1), 6.0, (float(mz[k]),), places, tolerance=0.4
            )
        )
        areas.append(area)
    # What ion counting makes noisy; the noise of the ground itself is `spread`.
    counted = traces - np.median(traces, axis=1, keepdims=True)
    counting = np.sqrt(gain * np.maximum(counted, 0.0))
    white = rng.normal(size=traces.shape)
    if correlated:
        for i in range(1, scans):
            white[:, i] = correlated * white[:, i - 1] + np.sqrt(1 - correlated**2) * white[:, i]
    noisy = traces + spread * white + counting * rng.normal(size=traces.shape)
    order = np.argsort(mz)
    run = run_of(times, mz[order], noisy[order])
    return MadeRun(run, tuple(targets), np.array(areas))


def scans_of(run: Run) -> list[Scan]:
    """Return the scans of a run, as a reader would yield them."""
    return list(run)


def quiet_run(
    shapes: dict[float, list[tuple[float, float, float]]],
    *,
    scans: int = 800,
    interval_s: float = 0.5,
    spread: float = 1.0,
    ground: float = 100.0,
    seed: int = 5,
    ceiling: float | None = None,
) -> Run:
    """Return a run with Gaussian peaks (time, height, width at half height) on each m/z."""
    rng = np.random.default_rng(seed)
    times = 100.0 + interval_s * np.arange(scans)
    mz = np.array(sorted(shapes))
    traces = np.full((len(mz), scans), ground)
    for row, ion in enumerate(mz):
        for centre, height, width in shapes[float(ion)]:
            traces[row] += height * np.exp(-4.0 * np.log(2.0) * ((times - centre) / width) ** 2)
    traces += spread * rng.normal(size=traces.shape)
    return run_of(times, mz, traces if ceiling is None else np.minimum(traces, ceiling))


def gaussian_area(height: float, width: float) -> float:
    """Return the area of a Gaussian of this height and width at half height."""
    return height * width * float(np.sqrt(np.pi / np.log(2.0)) / 2.0)
