from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from drugsig.acquisition.ion_traces import ion_traces, trace_source
from drugsig.acquisition.run import Run, RunMetadata
from drugsig.errors import InputError


def ragged(points: list[list[tuple[float, float]]]) -> Run:
    flat = [p for scan in points for p in sorted(scan)]
    return Run(
        scan_times_s=10.0 + np.arange(len(points), dtype=float),
        offsets=np.cumsum([0, *(len(scan) for scan in points)]).astype(np.int64),
        mz=np.array([p[0] for p in flat], dtype=np.float64),
        intensity=np.array([p[1] for p in flat], dtype=np.float64),
        stated_tic=np.full(len(points), np.nan),
        metadata=RunMetadata("ragged.cdf", "0" * 64, "andi_ms"),
    )


def slow_traces(run: Run, ions: list[float], tolerance: float) -> np.ndarray:
    """The obvious way: every ion, every scan, every point."""
    out = np.zeros((len(ions), len(run)))
    for row, ion in enumerate(ions):
        for column, scan in enumerate(run):
            for mz, intensity in zip(scan.mz, scan.intensity, strict=True):
                if ion - tolerance <= mz < ion + tolerance:
                    out[row, column] += intensity
    return out


# Quarters are exact in binary, so that points lie exactly on the bounds of intervals.
quarters = st.integers(160, 400).map(lambda k: k / 4)
scans = st.lists(
    st.lists(st.tuples(quarters, st.integers(0, 1000).map(float)), max_size=25),
    min_size=1,
    max_size=12,
)
ions = st.lists(quarters, min_size=1, max_size=5)
tolerances = st.sampled_from([0.25, 0.5, 1.0, 30.0])


@given(scans, ions, tolerances)
def test_traces_are_the_sums_of_points(points, wanted, tolerance) -> None:
    run = ragged(points)
    np.testing.assert_array_equal(
        ion_traces(run, wanted, tolerance=tolerance).intensity,
        slow_traces(run, wanted, tolerance),
    )


@given(scans, ions, tolerances)
def test_a_stream_gives_what_a_run_in_memory_gives(points, wanted, tolerance) -> None:
    run = ragged(points)
    whole = ion_traces(run, wanted, tolerance=tolerance)
    passing = ion_traces(iter(run), wanted, tolerance=tolerance)
    np.testing.assert_array_equal(passing.intensity, whole.intensity)
    np.testing.assert_array_equal(passing.times_s, whole.times_s)
    np.testing.assert_allclose(passing.tic, whole.tic, rtol=1e-12)
    assert passing.largest == whole.largest


@given(scans, ions, tolerances, st.randoms(use_true_random=False))
def test_the_order_of_ions_is_that_of_the_rows(points, wanted, tolerance, random) -> None:
    run = ragged(points)
    order = list(range(len(wanted)))
    random.shuffle(order)
    shuffled = ion_traces(run, [wanted[k] for k in order], tolerance=tolerance).intensity
    straight = ion_traces(run, wanted, tolerance=tolerance).intensity
    np.testing.assert_array_equal(shuffled, straight[order])


@given(arrays(np.int64, 6, elements=st.integers(0, 9)))
def test_a_window_is_a_piece_of_the_whole_trace(starts) -> None:
    rng = np.random.default_rng(0)
    run = ragged([[(50.0 + k, float(rng.integers(1, 9))) for k in range(5)] for _ in range(10)])
    source = trace_source(run, [50.0, 52.0], tolerance=0.5)
    streamed = trace_source(iter(run), [50.0, 52.0], tolerance=0.5)
    rows = np.array([0, 1, 0, 1, 0, 1])
    whole = np.pad(slow_traces(run, [50.0, 52.0], 0.5), ((0, 0), (0, 9)))
    expected = np.array([whole[r, s : s + 4] for r, s in zip(rows, starts, strict=True)])
    np.testing.assert_array_equal(source.read(rows, starts, 4), expected)
    np.testing.assert_array_equal(streamed.read(rows, starts, 4), expected)


def test_neighbouring_whole_masses_share_no_point() -> None:
    run = ragged([[(81.5, 1.0), (82.5, 10.0), (83.5, 100.0)]])
    both = ion_traces(run, [82.0, 83.0], tolerance=0.5).intensity[:, 0]
    assert both.tolist() == [1.0, 10.0]


@pytest.mark.parametrize("times", [[1.0, 1.0, 2.0], [1.0, 3.0, 2.0], [1.0, np.nan, 2.0]])
def test_times_that_do_not_rise_are_refused_in_memory_and_streamed(times) -> None:
    run = Run(
        np.array(times), np.arange(4), np.full(3, 50.0), np.ones(3), np.full(3, np.nan),
        RunMetadata("bad.cdf", "0" * 64, "andi_ms"),
    )  # fmt: skip
    for scans_given in (run, iter(run)):
        with pytest.raises(InputError, match="must rise"):
            ion_traces(scans_given, [50.0])


@pytest.mark.parametrize(("mz", "tolerance"), [([np.nan], 0.5), ([50.0], 0.0), ([50.0], -1.0)])
def test_ions_that_are_no_numbers_are_refused(mz, tolerance) -> None:
    with pytest.raises(InputError):
        ion_traces(ragged([[(50.0, 1.0)]]), mz, tolerance=tolerance)


def test_an_empty_run_and_empty_scans_have_traces() -> None:
    assert ion_traces(ragged([[], []]), [50.0]).intensity.tolist() == [[0.0, 0.0]]
    assert ion_traces(iter(()), [50.0]).intensity.shape == (1, 0)
