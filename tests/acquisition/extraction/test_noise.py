from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig.acquisition.noise import robust_spread, row_noise, shot_gain
from tests.acquisition.extraction.traces import emg


@given(st.integers(0, 10**6), st.integers(0, 40))
def test_the_robust_spread_is_the_median_of_what_is_used(seed, count) -> None:
    rng = np.random.default_rng(seed)
    residual = rng.normal(size=(2, 40))
    use = np.zeros((2, 40), dtype=bool)
    use[0, rng.permutation(40)[:count]] = True
    use[1] = True
    spread = robust_spread(residual, use)
    expected = 1.4826 * np.median(np.abs(residual[0, use[0]])) if count else 0.0
    assert spread[0] == pytest.approx(expected)


def test_white_noise_is_measured_and_has_no_memory() -> None:
    rng = np.random.default_rng(1)
    noise = row_noise(
        3.0 * rng.normal(size=(400, 250)),
        np.ones((400, 250), dtype=bool),
        freedom=np.zeros(400),
        lags=10,
    )
    assert noise.spread.mean() == pytest.approx(3.0, rel=0.01)
    assert (noise.lags[:, 0] > 0).mean() < 0.05


def test_memory_is_seen() -> None:
    rng = np.random.default_rng(2)
    white = rng.normal(size=(50, 400))
    kept = white.copy()
    for k in range(1, 400):
        kept[:, k] = 0.6 * kept[:, k - 1] + 0.8 * white[:, k]
    noise = row_noise(kept, np.ones(kept.shape, dtype=bool), freedom=np.zeros(50), lags=10)
    assert noise.lags[:, 0].mean() == pytest.approx(0.6, abs=0.05)
    assert noise.lags[:, 1].mean() == pytest.approx(0.36, abs=0.06)


def test_points_on_peaks_are_not_noise() -> None:
    residual = np.array([[1.0, -1.0, 100.0, 1.0, -2.0]])
    free = np.array([[True, True, False, True, True]])
    noise = row_noise(residual, free, freedom=np.zeros(1), lags=0)
    assert noise.peak_to_peak.tolist() == [3.0]
    assert noise.points.tolist() == [4]
    assert noise.spread[0] == pytest.approx(np.sqrt(7.0 / 4.0))


@pytest.mark.parametrize("gain", [0.0, 2.0, 30.0])
@pytest.mark.parametrize("height", [1e4, 1e6])
def test_the_gain_of_counting_is_read_off_the_peaks(gain, height) -> None:
    rng = np.random.default_rng(3)
    # Uneven times, a width of nine points, a tail: what could pass for noise and must not.
    times = np.cumsum(rng.uniform(0.95, 1.05, size=(40, 120)), axis=1)
    shape = np.array([emg(t, 55.0, 3.0, 3.0) for t in times])
    signal = height * shape / shape.max()
    noisy = signal + np.sqrt(50.0**2 + gain * signal) * rng.normal(size=signal.shape)
    found = shot_gain(times, noisy, signal, np.full(40, 50.0), signal > 250.0)
    assert found == pytest.approx(gain, rel=0.15, abs=0.4)


def test_without_a_peak_there_is_no_gain() -> None:
    flat = np.zeros((2, 50))
    times = np.tile(np.arange(50.0), (2, 1))
    assert shot_gain(times, flat, flat, np.ones(2), np.zeros(flat.shape, dtype=bool)) is None
