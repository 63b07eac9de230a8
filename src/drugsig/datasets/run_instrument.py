"""The instrument that simulated runs are acquired on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import number, number_range, whole_number
from drugsig.acquisition.run import Run, RunMetadata
from drugsig.datasets.run_compounds import BLEED_IONS, Compound, nominal_ions
from drugsig.errors import InputError

__all__ = [
    "Acquired",
    "Condition",
    "Instrument",
    "acquire",
    "apex_offset",
    "bleed_curve",
    "few_digits",
    "tailed_peak",
]

Floats = NDArray[np.float64]


# Where in the run bleed has half its final level, and how steeply it rises, as shares of the run.
BLEED_MIDDLE = 0.75
BLEED_STEEPNESS = 0.08
# What bleeds before the oven is hot.
COLD_BLEED = 0.05

SIGNIFICANT_DIGITS = 4


def tailed_peak(times_s: Floats, /, *, apex_s: float, sd_s: float, tailing: float) -> Floats:
    """Return an exponentially modified Gaussian of area 1.

    Parameters
    ----------
    times_s : ndarray, shape (n,)
        Where.
    apex_s : float
        Where it is highest.
    sd_s : float
        The standard deviation of the Gaussian.
    tailing : float
        The time constant of the exponential, in `sd_s`; 0 is a Gaussian.

    Returns
    -------
    ndarray of float64, shape (n,)
        In 1/s.

    Notes
    -----
    The two forms of Kalambet et al., Journal of Chemometrics 25 (2011) 352: each overflows where
    the other is used.
    """
    if tailing == 0.0:
        z = (times_s - apex_s) / sd_s
        return np.asarray(np.exp(-0.5 * z * z) / (sd_s * math.sqrt(2.0 * math.pi)))
    z = (times_s - apex_s) / sd_s + apex_offset(tailing)
    return _unit_peak(z, tailing) / sd_s


def apex_offset(tailing: float, /) -> float:
    """Return how far a tailed peak is highest after the centre of its Gaussian, in its sd."""
    # The density rises and falls once: thirds are cut off until the top is met.
    low, high = 0.0, max(1.0, tailing)
    for _ in range(80):
        left, right = low + (high - low) / 3.0, high - (high - low) / 3.0
        heights = _unit_peak(np.array([left, right]), tailing)
        if heights[0] < heights[1]:
            low = left
        else:
            high = right
    return (low + high) / 2.0


def _unit_peak(z: Floats, tailing: float) -> Floats:
    from scipy.special import erfc, erfcx

    rate = 1.0 / tailing
    argument = (rate - z) / math.sqrt(2.0)
    out = np.empty_like(z)
    early = argument >= 0.0
    out[early] = np.exp(-0.5 * z[early] ** 2) * erfcx(argument[early])
    late = ~early
    out[late] = np.exp(0.5 * rate**2 - rate * z[late]) * erfc(argument[late])
    return 0.5 * rate * out


def bleed_curve(times_s: Floats, /, *, run_length_s: float) -> Floats:
    """Return how far a column bleeds as the oven gets hotter: from little to 1.

    Parameters
    ----------
    times_s : ndarray, shape (n,)
        Where.
    run_length_s : float
        When the oven is hottest.
    """
    place = (times_s / run_length_s - BLEED_MIDDLE) / BLEED_STEEPNESS
    return np.asarray(COLD_BLEED + (1.0 - COLD_BLEED) / (1.0 + np.exp(-place)))


def few_digits(counts: Floats, /) -> Floats:
    """Round counts to whole numbers of four digits, as instruments store them.

    Takes away what differs between machines in the last bits, and is exact in single precision.
    """
    steps = 10.0 ** np.arange(8)
    place = np.searchsorted(10.0**SIGNIFICANT_DIGITS * steps, counts, side="right")
    step = steps[np.minimum(place, len(steps) - 1)]
    return np.asarray(np.rint(counts / step) * step)


# Centroids lie a little above the nominal m/z, and are stored in steps, as quadrupoles do.
MASS_EXCESS = 6e-4
MZ_STEP = 0.05
# No scan begins exactly on time.
SCAN_JITTER = 0.01


@dataclass(frozen=True)
class Instrument:
    """How runs are acquired. Intensities are in counts.

    Parameters
    ----------
    run_length_s : float
        When acquisition ends.
    solvent_delay_s : float
        When it begins.
    scan_interval_s : float
        From scan to scan.
    mz_range : (int, int), optional
        Every whole m/z of a range is recorded. Without it selected ions are: quantifiers,
        qualifiers and the ions of column bleed.
    peak_sd_s : float or (float, float)
        The standard deviation of peaks at the beginning and at the end of a run.
    baseline, baseline_sd : float
        Counts of every ion where nothing elutes, and their noise.
    gain : float
        Counts an ion: shot noise has a variance of so many times the counts.
    bleed : float
        Counts of m/z 207 from a hot column; the other siloxane ions follow.
    bleed_rsd : float
        How far bleed differs between sequences.
    saturation : float
        Counts the detector cannot exceed.
    threshold : float
        Points of fewer counts are not stored.
    mz_sd : float
        How far a centroid scatters from scan to scan.
    drift_between_s : float
        How far retention differs between sequences, as a standard deviation at the end of a run.
    drift_within_s : float
        How much earlier peaks at the end of a run come in the last run of a sequence than in
        the first.
    jitter_s : float
        How far each peak scatters from run to run.
    sensitivity_rsd : float
        How far sensitivity differs between sequences. True areas follow it.
    carry_over : float
        What is left of a run in a blank after it.

    Raises
    ------
    InputError
        If one of them is out of bounds.
    """

    run_length_s: float = 360.0
    solvent_delay_s: float = 30.0
    scan_interval_s: float = 0.4
    mz_range: tuple[int, int] | None = None
    peak_sd_s: float | tuple[float, float] = (1.3, 1.8)
    baseline: float = 100.0
    baseline_sd: float = 15.0
    gain: float = 2.0
    bleed: float = 3000.0
    bleed_rsd: float = 0.5
    saturation: float = 8_388_607.0
    threshold: float = 0.0
    mz_sd: float = 0.02
    drift_between_s: float = 1.5
    drift_within_s: float = 1.0
    jitter_s: float = 0.15
    sensitivity_rsd: float = 0.1
    carry_over: float = 2e-4

    def __post_init__(self) -> None:
        for name in ("run_length_s", "scan_interval_s", "gain", "saturation"):
            number(getattr(self, name), what=name, open_low=True)
        for name in (
            *("solvent_delay_s", "baseline", "baseline_sd", "bleed", "bleed_rsd", "threshold"),
            *("drift_between_s", "drift_within_s", "jitter_s", "sensitivity_rsd"),
        ):
            number(getattr(self, name), what=name)
        number(self.carry_over, what="carry_over", high=1.0)
        # More, and the centroids of neighbours would change places.
        number(self.mz_sd, what="mz_sd", high=0.1)
        if number_range(self.peak_sd_s, what="peak_sd_s")[0] == 0.0:
            raise InputError("peak_sd_s must be above 0")
        if self.solvent_delay_s + 2 * self.scan_interval_s > self.run_length_s:
            raise InputError(
                f"a run that begins at {self.solvent_delay_s:g} s and ends at "
                f"{self.run_length_s:g} s has no room for scans of {self.scan_interval_s:g} s"
            )
        if self.mz_range is not None:
            low, high = self.mz_range
            whole_number(low, what="the lowest m/z", least=1)
            whole_number(high, what="the highest m/z", least=low + 1)

    def recorded(self, compounds: Sequence[Compound], /) -> tuple[int, ...]:
        """Return the nominal m/z that are recorded, rising."""
        if self.mz_range is None:
            return nominal_ions(compounds, every=False)
        low, high = self.mz_range
        return tuple(range(low, high + 1))

    def scan_times(self, rng: np.random.Generator, /) -> Floats:
        """Draw the times of the scans of one run, in s, to the millisecond."""
        count = int((self.run_length_s - self.solvent_delay_s) / self.scan_interval_s)
        late = SCAN_JITTER * rng.random(count)
        times = self.solvent_delay_s + self.scan_interval_s * (np.arange(count) + late)
        return np.round(times, 3)

    def peak_sd(self, time_s: float, /) -> float:
        """Return the standard deviation of a peak that elutes then, in s."""
        first, last = number_range(self.peak_sd_s, what="peak_sd_s")
        place = min(max(time_s / self.run_length_s, 0.0), 1.0)
        return first + (last - first) * place


@dataclass(frozen=True, eq=False)
class Condition:
    """In what state one run finds the instrument.

    Parameters
    ----------
    areas : ndarray of float64, shape (n_compounds,)
        Of the quantifiers, in counts times s.
    apex_s : ndarray of float64, shape (n_compounds,)
        Where each compound elutes.
    bleed : float
        The factor on the bleed.
    """

    areas: Floats
    apex_s: Floats
    bleed: float


@dataclass(frozen=True, eq=False)
class Acquired:
    """A run, and what clipping took from it.

    Parameters
    ----------
    run : Run
        As the instrument stored it.
    saturated : ndarray of bool, shape (n_compounds,)
        Whether an ion of the quantifier was clipped within the peak.
    """

    run: Run
    saturated: NDArray[np.bool_]


def acquire(
    rng: np.random.Generator,
    instrument: Instrument,
    compounds: Sequence[Compound],
    condition: Condition,
    metadata: RunMetadata,
    /,
) -> Acquired:
    """Acquire one run.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of chance.
    instrument : Instrument
        On what.
    compounds : sequence of Compound
        What may elute.
    condition : Condition
        How much of each, and when.
    metadata : RunMetadata
        What the header will say.
    """
    times = instrument.scan_times(rng)
    nominal = instrument.recorded(compounds)
    column = {mz: k for k, mz in enumerate(nominal)}
    counts = np.full((len(times), len(nominal)), instrument.baseline)
    curve = bleed_curve(times, run_length_s=instrument.run_length_s)
    strongest = max(height for _, height in BLEED_IONS)
    for mz, height in BLEED_IONS:
        if mz in column:
            level = instrument.bleed * condition.bleed * height / strongest
            counts[:, column[mz]] += level * curve
    saturated = np.zeros(len(compounds), dtype=np.bool_)
    traces = _elute(times, instrument, compounds, condition, column, counts)
    noise = rng.standard_normal(counts.shape)
    noise *= np.sqrt(instrument.gain * counts + instrument.baseline_sd**2)
    counts += noise
    counts = few_digits(np.maximum(counts, 0.0))
    clipped = counts >= instrument.saturation
    np.minimum(counts, instrument.saturation, out=counts)
    for k, (inside, places) in traces.items():
        saturated[k] = bool(clipped[inside][:, places].any())
    return Acquired(_store(rng, instrument, times, nominal, counts, metadata), saturated)


def _elute(
    times: Floats,
    instrument: Instrument,
    compounds: Sequence[Compound],
    condition: Condition,
    column: Mapping[int, int],
    counts: Floats,
) -> dict[int, tuple[NDArray[np.intp], list[int]]]:
    """Add the peaks to the counts, in place; return where each quantifier lies."""
    where = {}
    for k, one in enumerate(compounds):
        area, apex = float(condition.areas[k]), float(condition.apex_s[k])
        if area == 0.0:
            continue
        sd = instrument.peak_sd(apex)
        shape = tailed_peak(times, apex_s=apex, sd_s=sd, tailing=one.tailing)
        for mz, share in one.shares:
            if mz in column:
                counts[:, column[mz]] += area * share * shape
        places = [column[mz] for mz in one.quantifier if mz in column]
        where[k] = (np.flatnonzero(np.abs(times - apex) < 2.0 * sd), places)
    return where


def _store(
    rng: np.random.Generator,
    instrument: Instrument,
    times: Floats,
    nominal: Sequence[int],
    counts: Floats,
    metadata: RunMetadata,
) -> Run:
    exact = np.array(nominal, dtype=np.float64) * (1.0 + MASS_EXCESS)
    mz = exact + instrument.mz_sd * rng.standard_normal(counts.shape)
    # In steps and in single precision, as it is stored.
    mz = (np.rint(mz / MZ_STEP) * MZ_STEP).astype(np.float32).astype(np.float64)
    kept = counts >= instrument.threshold
    offsets = np.zeros(len(times) + 1, dtype=np.int64)
    np.cumsum(kept.sum(axis=1), out=offsets[1:])
    stored = np.where(kept, counts, 0.0)
    return Run(
        scan_times_s=times,
        offsets=offsets,
        mz=mz[kept],
        intensity=counts[kept],
        stated_tic=stored.sum(axis=1),
        metadata=metadata,
    )
