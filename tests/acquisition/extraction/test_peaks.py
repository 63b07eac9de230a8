from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig.acquisition.peaks import (
    all_peaks,
    flat_tops,
    has_shoulder,
    peak_shape,
    smoothing_kernel,
)
from tests.acquisition.extraction.traces import emg, width_and_asymmetry


@given(st.floats(1.0, 60.0))
def test_smoothing_leaves_a_parabola_as_it_is(points_in_width) -> None:
    kernel = smoothing_kernel(points_in_width)
    x = np.arange(-(len(kernel) // 2), len(kernel) // 2 + 1.0)
    for power, at_zero in ((0, 1.0), (1, 0.0), (2, 0.0)):
        assert kernel @ x**power == pytest.approx(at_zero, abs=1e-9)


@given(st.floats(0.0, 1.3), st.floats(-0.5, 0.5))
def test_a_peak_is_measured_as_on_a_fine_grid(tailing, offset) -> None:
    times = 100.0 + np.arange(200.0)
    net = 1e4 * emg(times, 200.0 + offset, 5.0, 5.0 * tailing)
    apex = int(net.argmax())
    shape = peak_shape(times, net, 1e-6, apex, np.array([apex]))
    width, asymmetry = width_and_asymmetry(5.0, 5.0 * tailing)
    assert shape.width_s == pytest.approx(width, rel=0.02)
    assert shape.asymmetry == pytest.approx(asymmetry, rel=0.04)
    inside = np.trapezoid(net[shape.start : shape.stop + 1], times[shape.start : shape.stop + 1])
    assert inside == pytest.approx(1e4, rel=2e-3)
    assert shape.valley == 0.0


def test_a_peak_ends_in_the_valley_before_the_next() -> None:
    times = np.arange(200.0)
    net = 1e3 * np.exp(-0.5 * ((times - 90) / 5) ** 2) + 500 * np.exp(
        -0.5 * ((times - 108) / 5) ** 2
    )
    places, _ = all_peaks(net, np.full(200, 1.0))
    assert places.tolist() == [90, 108]
    shape = peak_shape(times, net, 1.0, 90, places)
    assert shape.stop == 90 + int(net[90:108].argmin())
    assert shape.valley == pytest.approx(net[shape.stop] / net[90])
    assert 0 < shape.cut_area < 0.2 * np.trapezoid(net, times)


def test_only_rises_above_their_own_noise_are_peaks() -> None:
    times = np.arange(100.0)
    net = 100 * np.exp(-0.5 * ((times - 50) / 4) ** 2)
    assert all_peaks(net, np.full(100, 10.0))[0].tolist() == [50]
    assert all_peaks(net, np.full(100, 25.0))[0].tolist() == []


@given(st.floats(0.0, 1.5), st.integers(8, 30))
def test_a_single_tailing_peak_has_no_shoulder(tailing, points) -> None:
    sigma = points / 2.5
    times = np.arange(40.0 * points)
    net = 1e5 * emg(times, 15.0 * points, sigma, sigma * tailing)
    apex = int(net.argmax())
    shape = peak_shape(times, net, 1e-3, apex, np.array([apex]))
    step = max(1, round(points / 4))
    assert not has_shoulder(net, 1e-3, shape.start, shape.stop, step)


def test_two_unresolved_peaks_have_a_shoulder() -> None:
    times = np.arange(200.0)
    net = 1e4 * (
        np.exp(-0.5 * ((times - 90) / 5) ** 2) + 0.3 * np.exp(-0.5 * ((times - 103) / 5) ** 2)
    )
    apex = int(net.argmax())
    shape = peak_shape(times, net, 1.0, apex, np.array([apex]))
    assert has_shoulder(net, 1.0, shape.start, shape.stop, 3)


@pytest.mark.parametrize(
    ("trace", "flat"),
    [
        ([0, 5, 9, 9, 9, 4, 0], True),
        ([0, 5, 9, 9, 4, 0, 0], False),
        ([0, 9, 9, 5, 9, 4, 0], False),
        ([0, 0, 0, 0, 0, 0, 0], False),
        ([1, 2], False),
    ],
)
def test_a_flat_top_is_three_equal_scans_in_a_row(trace, flat) -> None:
    assert flat_tops(np.array([trace], dtype=float)).any() == flat
