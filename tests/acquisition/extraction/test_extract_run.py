from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drugsig.acquisition.cell_reasons import Flag, Reason
from drugsig.acquisition.extraction import extract_run
from drugsig.acquisition.peak_table import PeakTable
from drugsig.acquisition.run import Run, Scan
from drugsig.acquisition.target_window import Qualifier, TargetWindow
from drugsig.errors import InputError, UnknownNameError
from drugsig.profiles.status import Status
from tests.acquisition.extraction.traces import gaussian_area, made_run, quiet_run

WIDTH = 5.0


def target(
    name: str = "T", mz: float = 82.0, at: float = 300.0, window_s: float = 8.0, **more
) -> TargetWindow:
    return TargetWindow(name, at, window_s, (mz,), tolerance=0.4, **more)


def only(table: PeakTable) -> tuple[Status, Reason, tuple[Flag, ...]]:
    assert len(table) == 1
    return Status(int(table.status[0])), table.reasons[0], table.flags[0]


def with_run(run: Run, **changed) -> Run:
    kept = {k: getattr(run, k) for k in ("scan_times_s", "offsets", "mz", "intensity")}
    return Run(**{**kept, **changed}, stated_tic=run.stated_tic, metadata=run.metadata)


def test_the_area_is_that_of_the_peak_and_the_trapezoid_of_what_is_drawn() -> None:
    run = quiet_run({82.0: [(301.3, 1e4, WIDTH)]})
    table = extract_run(run, [target()])
    assert only(table)[:2] == (Status.DETECTED, Reason.NONE)
    assert table.area[0] == pytest.approx(gaussian_area(1e4, WIDTH), rel=0.003)
    drawn = table.traces[0]
    inside = (drawn.times_s >= table.start_s[0]) & (drawn.times_s <= table.stop_s[0])
    by_hand = np.trapezoid((drawn.intensity - drawn.baseline)[inside], drawn.times_s[inside])
    assert table.area[0] == pytest.approx(by_hand, rel=1e-9)
    assert table.retention_time_s[0] == pytest.approx(301.3, abs=0.05)
    assert table.retention_shift_s[0] == pytest.approx(1.3, abs=0.05)
    assert table.width_s[0] == pytest.approx(WIDTH, rel=0.02)
    assert table.asymmetry[0] == pytest.approx(1.0, abs=0.05)
    assert table.height[0] == pytest.approx(1e4, rel=0.01)


def test_signal_to_noise_is_twice_the_height_over_peak_to_peak_noise() -> None:
    run = quiet_run({82.0: [(300.0, 500.0, WIDTH)]}, spread=5.0)
    table = extract_run(run, [target()])
    drawn = table.traces[0]
    beside = np.abs(drawn.times_s - 300.0) > 20.0
    net = (drawn.intensity - drawn.baseline)[beside]
    assert table.signal_to_noise[0] == pytest.approx(
        2 * table.height[0] / (net.max() - net.min()), rel=0.1
    )
    assert table.noise_widths[0] >= 20.0


def test_a_sum_of_ions_is_integrated_as_one_trace() -> None:
    run = quiet_run({82.0: [(300.0, 4e3, WIDTH)], 182.0: [(300.0, 6e3, WIDTH)]})
    both = TargetWindow("T", 300.0, 8.0, (82.0, 182.0), tolerance=0.4)
    one = [target("a"), target("b", mz=182.0)]
    assert extract_run(run, [both]).area[0] == pytest.approx(
        extract_run(run, one).area.sum(), rel=0.002
    )


@settings(max_examples=20)
@given(st.floats(1e-3, 1e6), st.integers(0, 50))
def test_intensity_times_c_gives_areas_times_c(factor, seed) -> None:
    made = made_run(np.random.default_rng(seed), signal_to_noise=(5.0, 500.0), peaks=6, scans=1200)
    one = extract_run(made.run, made.targets)
    other = extract_run(with_run(made.run, intensity=made.run.intensity * factor), made.targets)
    for column in ("area", "area_uncertainty", "area_limit", "height"):
        np.testing.assert_allclose(getattr(other, column), factor * getattr(one, column), rtol=1e-6)
    np.testing.assert_allclose(other.signal_to_noise, one.signal_to_noise, rtol=1e-6)
    assert other.status.tolist() == one.status.tolist()


@settings(max_examples=20)
@given(st.integers(-50, 5000), st.integers(0, 50))
def test_a_later_injection_is_the_same_run(shift, seed) -> None:
    made = made_run(np.random.default_rng(seed), signal_to_noise=(5.0, 500.0), peaks=6, scans=1200)
    times = np.round(made.run.scan_times_s * 1024) / 1024
    early = with_run(made.run, scan_times_s=times)
    late = with_run(made.run, scan_times_s=times + shift)
    expected = [
        replace(t, retention_time_s=round(t.retention_time_s * 1024) / 1024) for t in made.targets
    ]
    moved = [replace(t, retention_time_s=t.retention_time_s + shift) for t in expected]
    one, other = extract_run(early, expected), extract_run(late, moved)
    np.testing.assert_allclose(other.area, one.area, rtol=1e-6)
    np.testing.assert_allclose(other.retention_time_s, one.retention_time_s + shift, atol=1e-6)
    assert other.status.tolist() == one.status.tolist()


@settings(max_examples=15)
@given(st.integers(0, 50), st.randoms(use_true_random=False))
def test_targets_in_another_order_have_the_same_areas(seed, random) -> None:
    made = made_run(np.random.default_rng(seed), signal_to_noise=(5.0, 500.0), peaks=6, scans=1200)
    order = list(range(6))
    random.shuffle(order)
    one = extract_run(made.run, made.targets)
    other = extract_run(made.run, [made.targets[k] for k in order])
    np.testing.assert_allclose(other.area, one.area[order], rtol=1e-6)
    assert other.reasons == tuple(one.reasons[k] for k in order)


@settings(max_examples=10)
@given(st.integers(0, 50))
def test_other_ions_change_nothing_and_neither_does_streaming(seed) -> None:
    rng = np.random.default_rng(seed)
    made = made_run(rng, signal_to_noise=(5.0, 500.0), peaks=6, scans=1200, qualifiers=True)
    more = [
        Scan(
            s.index,
            s.time_s,
            np.concatenate([s.mz, [500.0, 501.0]]),
            np.concatenate([s.intensity, rng.random(2) * 1e6]),
        )
        for s in made.run
    ]
    one = extract_run(made.run, made.targets)
    for other in (extract_run(iter(more), made.targets), extract_run(list(made.run), made.targets)):
        np.testing.assert_array_equal(other.area, one.area)
        np.testing.assert_array_equal(other.area_uncertainty, one.area_uncertainty)
        assert other.reasons == one.reasons
        assert other.flags == one.flags


def test_nothing_there_is_below_the_limit_with_a_limit() -> None:
    run = quiet_run({82.0: [], 90.0: [(300.0, 1e4, WIDTH)]})
    table = extract_run(run, [target("none"), target("there", mz=90.0)])
    assert table.status.tolist() == [Status.BELOW_LOD, Status.DETECTED]
    assert table.reasons == (Reason.NO_PEAK, Reason.NONE)
    assert np.isnan(table.area[0])
    assert table.values[0] == 0.0
    # A peak of three times the peak-to-peak noise over two, and of the width seen in this run.
    h = np.ptp(table.traces[0].intensity - table.traces[0].baseline)
    assert table.area_limit[0] == pytest.approx(gaussian_area(1.5 * h, WIDTH), rel=0.1)


@pytest.mark.parametrize(
    ("height", "status"),
    [(15.0, Status.BELOW_LOQ), (60.0, Status.DETECTED), (5.5, Status.BELOW_LOD)],
)
def test_limits_are_those_of_the_target(height, status) -> None:
    run = quiet_run({82.0: [(300.0, height, WIDTH)]}, seed=3)
    assert only(extract_run(run, [target(peak_width_s=WIDTH)]))[0] == status


def test_limits_can_be_set_lower() -> None:
    run = quiet_run({82.0: [(300.0, 15.0, WIDTH)]}, seed=3)
    assert only(extract_run(run, [target(lod=2.0, loq=2.0)]))[0] == Status.DETECTED


def test_a_full_detector_is_told_by_its_level_and_by_a_flat_top() -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)]})
    assert only(extract_run(run, [target(saturation=9e3)]))[:2] == (
        Status.REJECTED, Reason.SATURATED,
    )  # fmt: skip
    clipped = quiet_run({82.0: [(300.0, 1e4, WIDTH)]}, ceiling=6e3)
    assert only(extract_run(clipped, [target()]))[1] == Reason.SATURATED
    assert np.isfinite(extract_run(clipped, [target()]).values[0])


def test_one_saturated_ion_of_a_sum_is_enough() -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)], 182.0: [(300.0, 1e3, WIDTH)]}, ceiling=6e3)
    both = TargetWindow("T", 300.0, 8.0, (82.0, 182.0), tolerance=0.4)
    assert only(extract_run(run, [both]))[1] == Reason.SATURATED


CONFIRMED = (Qualifier(182.0, 0.5, 0.2),)


@pytest.mark.parametrize(
    ("share", "reason"),
    [(0.5, Reason.NONE), (0.58, Reason.NONE), (0.65, Reason.QUALIFIER_RATIO),
     (0.3, Reason.QUALIFIER_RATIO), (0.0, Reason.QUALIFIER_RATIO)],
)  # fmt: skip
def test_a_qualifier_must_stand_in_its_ratio(share, reason) -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)], 182.0: [(300.0, share * 1e4, WIDTH)]})
    table = extract_run(run, [target(qualifiers=CONFIRMED)])
    assert table.reasons == (reason,)
    ratio = table.qualifiers[0][0]
    assert ratio.measured == pytest.approx(share, abs=0.005)
    assert abs(ratio.measured - share) < 4 * ratio.uncertainty + 0.005


def test_a_qualifier_below_its_noise_is_no_evidence_against() -> None:
    run = quiet_run({82.0: [(300.0, 60.0, WIDTH)], 182.0: []}, seed=8)
    weak = (Qualifier(182.0, 0.05, 0.2),)
    status, _, flags = only(extract_run(run, [target(qualifiers=weak)]))
    assert status == Status.DETECTED
    assert Flag.QUALIFIER_WEAK in flags


def test_a_target_without_qualifiers_says_so() -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)]})
    assert Flag.NOT_CONFIRMED in only(extract_run(run, [target()]))[2]


def test_a_confirmed_peak_beside_the_window_is_off_retention() -> None:
    run = quiet_run({82.0: [(311.0, 1e4, WIDTH)], 182.0: [(311.0, 5e3, WIDTH)]})
    table = extract_run(run, [target(qualifiers=CONFIRMED)])
    assert only(table)[:2] == (Status.REJECTED, Reason.OFF_RETENTION)
    assert table.retention_shift_s[0] == pytest.approx(11.0, abs=0.1)


def test_an_unconfirmed_peak_beside_the_window_is_another_compound() -> None:
    run = quiet_run({82.0: [(311.0, 1e4, WIDTH)], 182.0: []})
    for qualifiers in ((), CONFIRMED):
        status, reason, flags = only(extract_run(run, [target(qualifiers=qualifiers)]))
        assert (status, reason) == (Status.BELOW_LOD, Reason.NO_PEAK)
        assert Flag.PEAK_BESIDE_WINDOW in flags


def test_a_half_resolved_neighbour_is_overlap_and_a_distant_one_is_not() -> None:
    near = quiet_run({82.0: [(300.0, 1e4, WIDTH), (306.0, 1e4, WIDTH)]})
    status, reason, flags = only(extract_run(near, [target()]))
    assert (status, reason) == (Status.REJECTED, Reason.OVERLAPPED)
    assert {Flag.TOUCHING, Flag.SEVERAL_PEAKS} <= set(flags)
    far = quiet_run({82.0: [(300.0, 1e4, WIDTH), (330.0, 1e4, WIDTH)]})
    assert only(extract_run(far, [target()]))[1] == Reason.NONE


def test_what_the_flank_of_a_neighbour_hides_is_rejected_and_not_called_absent() -> None:
    run = quiet_run({82.0: [(300.0, 1e3, WIDTH), (310.0, 1e6, 8.0)]})
    table = extract_run(run, [target(window_s=6.0)])
    status, reason, flags = only(table)
    assert (status, reason) == (Status.REJECTED, Reason.OVERLAPPED)
    assert Flag.PEAK_BESIDE_WINDOW in flags
    assert np.isnan(table.values[0])


def test_a_low_flank_raises_the_limit() -> None:
    shapes = {82.0: [(312.0, 3e2, 8.0)], 96.0: [], 90.0: [(200.0, 1e4, WIDTH)]}
    targets = [target(), target("clean", mz=96.0), target("width", mz=90.0, at=200.0)]
    table = extract_run(quiet_run(shapes, seed=4), [replace(t, window_s=6.0) for t in targets])
    assert table.reasons[:2] == (Reason.NO_PEAK, Reason.NO_PEAK)
    assert table.area_limit[0] >= 0.9 * table.area_limit[1]


def test_a_clipped_peak_does_not_pass_for_noisy_ion_counting() -> None:
    shapes = {82.0: [(300.0, 1e5, 8.0)], 94.0: [(400.0, 1e4, 8.0)]}
    targets = [target(), target("other", mz=94.0, at=400.0)]
    clipped = extract_run(quiet_run(shapes, ceiling=5e4), targets)
    whole = extract_run(quiet_run(shapes), targets)
    assert clipped.shot_gain is not None
    assert clipped.shot_gain < 0.1
    assert clipped.area_uncertainty[1] == pytest.approx(whole.area_uncertainty[1], rel=0.3)


def test_a_qualifier_that_peaks_elsewhere_is_overlap() -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)], 182.0: [(303.5, 5e3, WIDTH)]})
    assert only(extract_run(run, [target(qualifiers=CONFIRMED)]))[1] in (
        Reason.OVERLAPPED, Reason.QUALIFIER_RATIO,
    )  # fmt: skip


def test_the_nearest_peak_is_meant_unless_the_tallest_is_asked_for() -> None:
    run = quiet_run({82.0: [(301.0, 1e3, 2.5), (307.5, 1e4, 2.5)]})
    near, tall = (extract_run(run, [target()], peak=p) for p in ("nearest", "tallest"))
    assert near.retention_time_s[0] == pytest.approx(301.0, abs=0.2)
    assert tall.retention_time_s[0] == pytest.approx(307.5, abs=0.2)
    assert Flag.SEVERAL_PEAKS in near.flags[0]


@pytest.mark.parametrize("at", [90.0, 101.0, 498.0, 600.0, -20.0])
def test_a_window_that_the_run_does_not_cover_is_not_measured(at) -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)]})
    table = extract_run(run, [target(at=at)])
    assert only(table)[:2] == (Status.NOT_MEASURED, Reason.OUTSIDE_RUN)
    assert np.isnan(table.values[0])


def test_an_ion_out_of_the_range_or_out_of_a_list_of_ions_was_not_scanned() -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)], 182.0: [], 303.0: []})
    for mz in (40.0, 400.0, 150.0):
        assert only(extract_run(run, [target(mz=mz)]))[:2] == (
            Status.NOT_MEASURED, Reason.ION_NOT_SCANNED,
        )  # fmt: skip


def test_an_ion_that_is_merely_absent_was_scanned() -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)], 182.0: [], 303.0: []})
    rng = np.random.default_rng(0)
    thinned = []
    for scan in run:
        keep = (scan.mz != 182.0) | (rng.random() < 0.5)
        thinned.append(Scan(scan.index, scan.time_s, scan.mz[keep], scan.intensity[keep]))
    assert only(extract_run(thinned, [target(mz=150.0)]))[0] == Status.BELOW_LOD


def test_noise_that_was_cut_off_is_flagged() -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)]}, ground=0.0)
    cut = with_run(run, intensity=np.where(run.intensity > 1.0, run.intensity, 0.0))
    table = extract_run(cut, [target()])
    assert Flag.NOISE_HIDDEN in table.flags[0]
    assert table.area[0] == pytest.approx(gaussian_area(1e4, WIDTH), rel=0.01)
    silent = with_run(run, intensity=np.where(run.intensity > 50.0, run.intensity, 0.0))
    table = extract_run(silent, [target()])
    assert only(table)[0] == Status.DETECTED
    assert np.isfinite(table.signal_to_noise[0])
    assert np.isfinite(table.area_limit[0])


def test_an_empty_window_of_zeros_is_below_the_limit() -> None:
    run = quiet_run({82.0: [], 90.0: [(300.0, 1e4, WIDTH)]})
    silent = with_run(run, intensity=np.where(run.mz == 82.0, 0.0, run.intensity))
    table = extract_run(silent, [target()])
    assert only(table)[0] in (Status.BELOW_LOD, Status.NOT_MEASURED)


def test_less_noise_than_twenty_widths_is_flagged() -> None:
    run = quiet_run({82.0: [(148.0, 1e4, WIDTH)]}, scans=200)
    table = extract_run(run, [target(at=148.0)])
    assert Flag.SHORT_NOISE in table.flags[0]
    assert table.noise_widths[0] < 20.0


def test_a_run_of_few_scans_measures_nothing() -> None:
    run = quiet_run({82.0: []}, scans=3)
    assert only(extract_run(run, [target(at=100.5)]))[0] == Status.NOT_MEASURED
    assert only(extract_run(iter(()), [target()]))[0] == Status.NOT_MEASURED


@pytest.mark.parametrize("wrong", [1e200, np.inf, np.nan])
def test_what_no_detector_reports_is_refused(wrong) -> None:
    run = quiet_run({82.0: [(300.0, 1e4, WIDTH)]})
    damaged = run.intensity.copy()
    damaged[400] = wrong
    with pytest.raises(InputError, match="damaged"):
        extract_run(with_run(run, intensity=damaged), [target()])


@pytest.mark.parametrize("level", [0.0, 1.0, 1e12])
def test_a_trace_without_any_noise_is_no_peak(level) -> None:
    run = quiet_run({82.0: [], 90.0: [(300.0, 1e4, WIDTH)]})
    constant = with_run(run, intensity=np.where(run.mz == 82.0, level, run.intensity))
    thinned = [
        Scan(s.index, s.time_s, s.mz[: 2 - s.index % 2], s.intensity[: 2 - s.index % 2])
        for s in constant
    ]
    assert only(extract_run(thinned, [target()]))[0] == Status.BELOW_LOD


@pytest.mark.parametrize(("option", "value"), [("peak", "largest"), ("baseline", "line")])
def test_unknown_options_are_refused(option, value) -> None:
    run = quiet_run({82.0: []})
    with pytest.raises(UnknownNameError):
        extract_run(run, [target()], **{option: value})


def test_targets_that_cannot_be_extracted_are_refused() -> None:
    run = quiet_run({82.0: []})
    with pytest.raises(InputError, match="no target"):
        extract_run(run, [])
    with pytest.raises(InputError, match="more than once"):
        extract_run(run, [target(), target()])
    with pytest.raises(InputError, match="TargetWindow"):
        extract_run(run, ["T"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "changed",
    [{"window_s": 0.0}, {"quantifier": ()}, {"quantifier": (82.0, 82.0)}, {"quantifier": (-1.0,)},
     {"tolerance": np.nan}, {"lod": 5.0, "loq": 4.0}, {"saturation": 0.0}, {"name": ""},
     {"retention_time_s": np.inf}, {"role": "solute"}],
)  # fmt: skip
def test_a_target_that_cannot_be_is_refused(changed) -> None:
    with pytest.raises(InputError):
        replace(target(), **changed)
