"""Areas against the truth: 2,000 tailing peaks a level, over drift and bleed, with noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from drugsig.acquisition.extraction import extract_run
from tests.acquisition.extraction.traces import made_run

RUNS, PEAKS = 100, 20

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Errors:
    """Relative errors of areas, and the same in units of their standard uncertainty."""

    relative: np.ndarray
    reduced: np.ndarray

    @property
    def reach(self) -> float:
        """The relative error that 95 % of all peaks keep."""
        return float(np.quantile(np.abs(self.relative), 0.95))

    @property
    def covered(self) -> float:
        """The share of expanded uncertainties (k = 1.96) that hold the truth."""
        return float((np.abs(self.reduced) <= 1.96).mean())


def errors(seed: int, **kind) -> Errors:
    rng = np.random.default_rng(seed)
    relative, reduced = [], []
    for _ in range(RUNS):
        made = made_run(rng, peaks=PEAKS, **kind)
        table = extract_run(made.run, made.targets)
        # A peak that is not found is an error of 100 %, not a peak less.
        area = np.nan_to_num(table.area)
        relative.append(area / made.areas - 1.0)
        reduced.append((area - made.areas) / np.nan_to_num(table.area_uncertainty, nan=1e-9))
    return Errors(np.concatenate(relative), np.concatenate(reduced))


@pytest.mark.parametrize("signal_to_noise", [100.0, 1000.0, (100.0, 5000.0)])
def test_strong_peaks_are_within_two_percent(signal_to_noise) -> None:
    found = errors(11, signal_to_noise=signal_to_noise)
    assert len(found.relative) == RUNS * PEAKS
    assert found.reach <= 0.02
    assert 0.93 <= found.covered <= 0.97
    assert abs(np.median(found.relative)) < 0.002


def test_peaks_at_the_limit_of_quantitation_are_within_ten_percent() -> None:
    found = errors(12, signal_to_noise=10.0)
    assert found.reach <= 0.10
    assert 0.93 <= found.covered <= 0.97
    assert abs(np.median(found.relative)) < 0.01


@pytest.mark.parametrize(
    "kind",
    [
        {"gain": 0.0, "signal_to_noise": (10.0, 300.0)},
        {"gain": 20.0, "signal_to_noise": (10.0, 300.0)},
        {"correlated": 0.4, "signal_to_noise": (10.0, 300.0)},
        {"bleed": 200.0, "signal_to_noise": (10.0, 300.0)},
        {"bleed": 0.0, "drift": 0.0, "signal_to_noise": (10.0, 300.0)},
    ],
    ids=["no shot noise", "much shot noise", "noise with memory", "steep bleed", "flat"],
)
def test_uncertainty_covers_the_truth_whatever_the_noise(kind) -> None:
    assert 0.93 <= errors(13, **kind).covered <= 0.97


def test_the_other_baseline_method_is_as_good() -> None:
    rng = np.random.default_rng(14)
    relative = []
    for _ in range(25):
        made = made_run(rng, peaks=PEAKS, signal_to_noise=100.0)
        table = extract_run(made.run, made.targets, baseline="snip")
        relative.append(np.nan_to_num(table.area) / made.areas - 1.0)
    assert np.quantile(np.abs(np.concatenate(relative)), 0.95) <= 0.02
