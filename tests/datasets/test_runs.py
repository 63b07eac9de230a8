"""Simulated runs: what was put in comes out of them, and chance is the only difference."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from drugsig.acquisition import Run
from drugsig.datasets import (
    COCAINE_COMPOUNDS,
    Compound,
    Instrument,
    SimulatedRuns,
    protocol_of,
    simulate_profiles,
    simulate_runs,
)
from drugsig.datasets.run_compounds import BLEED_IONS
from drugsig.datasets.run_instrument import apex_offset, bleed_curve, few_digits, tailed_peak
from drugsig.datasets.runs import plan_runs, replicate_level
from drugsig.errors import InputError, UnknownNameError

# Little noise, no drift and nothing beside: what is left must follow from the truth.
CLEAN: dict[str, Any] = {
    "baseline": 0.0,
    "baseline_sd": 0.0,
    "gain": 1e-9,
    "bleed": 0.0,
    "drift_between_s": 0.0,
    "drift_within_s": 0.0,
    "jitter_s": 0.0,
    "sensitivity_rsd": 0.0,
}
IMPURITIES = [one.name for one in COCAINE_COMPOUNDS if one.role == "impurity"]


def simulate(seed: int = 1, **settings: Any) -> SimulatedRuns:
    return simulate_runs(rng=np.random.default_rng(seed), **settings)


@pytest.fixture(scope="module")
def simulated() -> SimulatedRuns:
    return simulate()


def trace(run: Run, mz: int) -> np.ndarray:
    """Return the trace of one ion, the slow way."""
    return np.array([one.intensity[np.abs(one.mz - mz) < 0.5].sum() for one in run])


def area(run: Run, mz: int, apex: float, half: float = 14.0) -> float:
    """Return the area above the straight line between two ends of a window."""
    inside = np.abs(run.scan_times_s - apex) <= half
    times, counts = run.scan_times_s[inside], trace(run, mz)[inside]
    ends = np.concatenate([np.arange(4), np.arange(len(times) - 4, len(times))])
    line = np.polynomial.Polynomial.fit(times[ends], counts[ends], 1)(times)
    return float(np.trapezoid(counts - line, times))


# -- the truth --------------------------------------------------------------------------------


def test_true_areas_are_in_the_traces() -> None:
    made = simulate(instrument=Instrument(**CLEAN), coeluting=[], blanks=0, controls=0)
    for k, run in enumerate(made.runs[:3]):
        for j, one in enumerate(made.compounds):
            wanted = made.areas[k, j]
            if one.name not in IMPURITIES or wanted == 0:
                continue
            found = area(run, one.quantifier[0], made.apex_s[k, j])
            assert found == pytest.approx(wanted, rel=0.01), one.name


def test_qualifiers_stand_in_their_ratio() -> None:
    made = simulate(instrument=Instrument(**CLEAN), coeluting=[], blanks=0, controls=0)
    names = [one.name for one in made.compounds]
    for name in ("tropacocaine", "norcocaine", "nortropacocaine"):
        j = names.index(name)
        one = made.compounds[j]
        found = area(made.runs[0], one.qualifiers[0], made.apex_s[0, j])
        wanted = one.ratio(one.qualifiers[0]) * made.areas[0, j]
        assert found == pytest.approx(wanted, rel=0.02)


def test_with_noise_and_drift_areas_scatter_about_the_truth(simulated: SimulatedRuns) -> None:
    errors = []
    names = [one.name for one in simulated.compounds]
    for name in ("tropacocaine", "norcocaine", "nortropacocaine", "trimethoxytropacocaine"):
        j = names.index(name)
        for k, run in enumerate(simulated.runs):
            wanted = simulated.areas[k, j]
            if wanted > 5e4:
                found = area(run, simulated.compounds[j].quantifier[0], simulated.apex_s[k, j])
                errors.append(found / wanted - 1.0)
    assert len(errors) > 40
    assert abs(np.mean(errors)) < 0.01
    assert 0 < np.std(errors) < 0.05


def test_areas_follow_the_profiles() -> None:
    material = simulate_profiles(rng=np.random.default_rng(3), targets=IMPURITIES, sizes=[2, 1],
                                 main_compound=None, internal_standard=None, cutting_agents=(),
                                 degradation_product=None)  # fmt: skip
    made = simulate_runs(
        material, rng=np.random.default_rng(4), instrument=Instrument(sensitivity_rsd=0.0)
    )
    truth = made.truth
    table = made.area_table()
    assert table.shape == (7, 19)
    assert list(table.index) == list(made.ids)
    profiles = material.profiles
    for k in np.flatnonzero(truth["kind"] == "sample"):
        row = profiles.ids.index(truth["profile_id"][k])
        found = table.iloc[k][IMPURITIES].to_numpy()
        assert np.allclose(found, 10.0 * profiles.values[row], rtol=1e-12)


def test_the_truth_says_what_each_run_is(simulated: SimulatedRuns) -> None:
    truth = simulated.truth
    assert len(truth) == len(simulated) == len(simulated.runs) == 20
    assert truth["kind"].value_counts().to_dict() == {"sample": 16, "blank": 2, "control": 2}
    assert simulated.ids[:3] == ("Q1-01", "Q1-02", "Q1-03")
    assert [run.metadata.file_name for run in simulated.runs] == list(simulated.ids)
    assert [run.metadata.acquired for run in simulated.runs] == truth["acquired"].tolist()
    assert truth["acquired"].is_monotonic_increasing
    samples = truth[truth["kind"] == "sample"]
    assert samples["source_id"].nunique() == 6
    assert samples["specimen_id"].is_unique
    others = truth[truth["kind"] != "sample"]
    assert others[["profile_id", "source_id", "state"]].isna().all(axis=None)


def test_results_are_read_only_and_copies(simulated: SimulatedRuns) -> None:
    for array in (simulated.areas, simulated.apex_s, simulated.saturated):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    assert simulated.truth is not simulated.truth
    simulated.settings["sequences"] = 99
    assert simulated.truth["kind"][0] == "blank"
    assert simulated.settings["sequences"] == 2
    again = pickle.loads(pickle.dumps(simulated))  # noqa: S301  # what a worker does
    assert again == simulated
    assert not again.areas.flags.writeable
    assert "20 runs" in repr(simulated)
    assert "20 runs" in simulated._repr_html_()


def test_a_run_is_found_by_its_id(simulated: SimulatedRuns) -> None:
    assert simulated.run("Q1-02") is simulated.runs[1]
    with pytest.raises(UnknownNameError, match="Q1-02"):
        simulated.run("Q1-2")


def test_parts_that_do_not_fit_are_refused(simulated: SimulatedRuns) -> None:
    parts: dict[str, Any] = {
        "compounds": simulated.compounds,
        "areas": simulated.areas,
        "apex_s": simulated.apex_s,
        "saturated": simulated.saturated,
        "settings": {},
    }
    with pytest.raises(InputError, match="one row a run"):
        SimulatedRuns(simulated.runs[1:], simulated.truth, **parts)
    with pytest.raises(InputError, match="areas must have shape"):
        SimulatedRuns(simulated.runs, simulated.truth, **{**parts, "areas": np.ones((2, 2))})


# -- chance -----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_runs(simulated: SimulatedRuns) -> None:
    assert simulate() == simulated
    assert simulate(2) != simulated


def test_what_is_acquired_does_not_change_what_is_measured(simulated: SimulatedRuns) -> None:
    noisier = simulate(instrument=Instrument(baseline_sd=30.0))
    assert np.array_equal(noisier.areas, simulated.areas)
    assert np.array_equal(noisier.apex_s, simulated.apex_s)
    assert noisier.runs[0] != simulated.runs[0]


def test_a_bare_seed_is_refused() -> None:
    with pytest.raises(InputError, match=r"numpy\.random\.Generator"):
        simulate_runs(rng=1)  # type: ignore[arg-type]


# -- blanks, controls, replicates -------------------------------------------------------------


def test_a_blank_holds_the_standard_and_what_was_carried_over() -> None:
    made = simulate(blanks=2, instrument=Instrument(carry_over=1e-3))
    blanks = np.flatnonzero(made.truth["kind"] == "blank")
    roles = np.array([one.role for one in made.compounds])
    standard = roles == "internal_standard"
    assert made.truth["position"][blanks].tolist() == [1, 11, 1, 11]
    assert (made.areas[blanks][:, standard] > 5e5).all()
    for k in blanks:
        rest = made.areas[k, ~standard]
        if made.truth["position"][k] == 1:
            assert (rest == 0).all()
        else:
            assert np.allclose(rest, 1e-3 * made.areas[k - 1, ~standard])


def test_controls_are_alike(simulated: SimulatedRuns) -> None:
    controls = simulated.areas[(simulated.truth["kind"] == "control").to_numpy()]
    shares = controls / controls.sum(axis=1, keepdims=True)
    held = shares[0] > 0
    assert held.sum() >= 15
    assert np.allclose(shares[0][held], shares[1][held], rtol=0.15)
    samples = simulated.areas[(simulated.truth["kind"] == "sample").to_numpy()]
    assert (controls.max(axis=0) < samples.max(axis=0) * 1.5).all()


def test_replicates_scatter_the_less_the_finer_their_level() -> None:
    material = simulate_profiles(
        rng=np.random.default_rng(5),
        sizes=[4] * 3,
        targets=IMPURITIES,
        main_compound="cocaine",
        internal_standard="tetracosane",
        cutting_agents=("caffeine",),
        degradation_product="benzoylecgonine",
        below_lod=0.0,
        replicates={"unit": 2, "preparation": 2, "injection": 2},
        replicate_rsd={"unit": 0.2, "preparation": 0.1, "injection": 0.01},
    )
    made = simulate_runs(
        material, rng=np.random.default_rng(6), instrument=Instrument(scan_interval_s=20.0)
    )
    truth = made.truth
    levels = truth["replicate_level"].value_counts().to_dict()
    assert levels == {"injection": 48, "preparation": 24, "unit": 12, "": 16}
    truth = truth[truth["kind"] == "sample"].reset_index(drop=True)
    sample = (made.truth["kind"] == "sample").to_numpy()
    logs = np.log(made.area_table()[IMPURITIES].to_numpy()[sample])
    logs -= logs.mean(axis=1, keepdims=True)
    spread = {}
    for level, parent in (
        ("injection_id", "preparation_id"),
        ("preparation_id", "unit_id"),
        ("unit_id", "specimen_id"),
        ("specimen_id", "source_id"),
    ):
        one = truth.groupby(level).head(1)
        rows = [g.index.to_numpy() for _, g in one.groupby(parent) if len(g) > 1]
        spread[level] = np.mean([logs[r].std(axis=0).mean() for r in rows])
    values = list(spread.values())
    assert values == sorted(values)
    assert values[0] < 0.02 < values[-1]


def test_a_second_preparation_is_measured_in_the_next_sequence() -> None:
    material = simulate_profiles(
        rng=np.random.default_rng(5), sizes=[3, 3], replicates={"preparation": 2, "injection": 2}
    )
    plan = plan_runs(
        material.profiles.profiles, sequences=3, blanks=0, controls=0, first_day="2025-01-01"
    )
    table = material.profiles.profiles
    sequence = {one.profile: one.sequence for one in plan}
    assert sorted(sequence) == list(range(len(table)))
    for rows in table.groupby("specimen_id").groups.values():
        first, repeat, second, last = (sequence[int(k)] for k in rows)
        assert first == repeat
        assert second == last == (first + 1) % 3


def test_only_named_profiles_are_measured() -> None:
    material = simulate_profiles(
        rng=np.random.default_rng(5), sizes=[2, 2], targets=IMPURITIES[:6],
        main_compound=None, internal_standard=None, cutting_agents=(), degradation_product=None,
        replicates={"injection": 2},
    )  # fmt: skip
    wanted = ["P001", "P002", "P005"]
    made = simulate_runs(
        material, rng=np.random.default_rng(1), profile_ids=wanted, blanks=0, controls=0
    )
    assert made.truth["profile_id"].tolist() == wanted
    assert made.truth["replicate_level"].tolist() == ["", "injection", ""]
    assert replicate_level(material.profiles.profiles) == ["", "injection"] * 4
    with pytest.raises(UnknownNameError, match="unknown profile 'P999'"):
        simulate_runs(material, rng=np.random.default_rng(1), profile_ids=["P999"])


# -- the instrument ---------------------------------------------------------------------------


def test_retention_drifts_between_and_within_sequences(simulated: SimulatedRuns) -> None:
    nominal = np.array([one.retention_time_s for one in simulated.compounds])
    shift = simulated.apex_s - nominal
    late = nominal > 250
    by_run = shift[:, late].mean(axis=1)
    sequence = simulated.truth["sequence_id"].to_numpy()
    first, second = by_run[sequence == "Q1"], by_run[sequence == "Q2"]
    assert abs(first.mean() - second.mean()) > 0.2
    for one in (first, second):
        slope = np.polyfit(np.arange(len(one)), one, 1)[0]
        assert slope * (len(one) - 1) == pytest.approx(-0.85, abs=0.3)
    assert np.abs(shift[:, nominal < 60]).mean() < np.abs(shift[:, late]).mean()
    still = simulate(instrument=Instrument(drift_between_s=0, drift_within_s=0, jitter_s=0))
    assert np.array_equal(still.apex_s, np.broadcast_to(nominal, still.apex_s.shape))


def test_the_column_bleeds_more_the_hotter_it_is(simulated: SimulatedRuns) -> None:
    blank = simulated.runs[0]
    cold, hot = blank.scan_times_s < 100, blank.scan_times_s > 330
    for mz, height in BLEED_IONS:
        counts = trace(blank, mz) - 100.0
        assert counts[hot].mean() > 5 * counts[cold].mean() > 0
        assert counts[hot].mean() == pytest.approx(
            height / 100 * (trace(blank, 207)[hot].mean() - 100), rel=0.1
        )
    assert np.ptp(trace(blank, 303)) < 250


def test_the_detector_clips(simulated: SimulatedRuns) -> None:
    low = simulate(instrument=Instrument(saturation=20_000.0))
    assert max(run.intensity.max() for run in low.runs) == 20_000
    cocaine = [one.name for one in low.compounds].index("cocaine")
    samples = (low.truth["kind"] == "sample").to_numpy()
    assert low.saturated[samples, cocaine].all()
    assert not low.saturated[0].any() or low.areas[0, low.saturated[0]].min() > 5e5
    assert np.array_equal(low.areas, simulated.areas)
    flat = (trace(low.runs[2], 303) == 20_000).sum()
    assert flat >= 5
    assert not simulated.saturated.any() or simulated.areas[simulated.saturated].min() > 1e7


def test_noise_is_that_of_baseline_and_counts() -> None:
    quiet = {**CLEAN, "baseline": 400.0, "baseline_sd": 10.0, "gain": 2.0}
    made = simulate(instrument=Instrument(**quiet), blanks=1, controls=0)
    counts = trace(made.runs[0], 303)
    assert counts.mean() == pytest.approx(400.0, rel=0.01)
    assert counts.std() == pytest.approx(np.sqrt(2 * 400 + 100), rel=0.1)
    assert abs(stats.skew(counts)) < 0.4


def test_points_below_the_threshold_are_not_stored() -> None:
    made = simulate(instrument=Instrument(threshold=150.0, mz_range=(40, 400)))
    run = made.runs[2]
    assert run.intensity.min() >= 150
    assert 0 < len(run.mz) < 0.5 * 361 * len(run)
    assert np.array_equal(run.tic, run.stated_tic)


def test_what_is_recorded() -> None:
    selected = simulate().runs[2]
    assert len(selected.mz) == 31 * len(selected)
    assert "Selected Ion" in selected.metadata.other["test_scan_function"]
    full = simulate(instrument=Instrument(mz_range=(40, 120), scan_interval_s=2.0)).runs[2]
    assert len(full.mz) == 81 * len(full)
    assert set(np.rint(full.mz)) == set(range(40, 121))
    assert "test_scan_function" not in full.metadata.other


def test_numbers_are_exact_in_single_precision(simulated: SimulatedRuns) -> None:
    for run in simulated.runs[:4]:
        for values in (run.mz, run.intensity):
            assert np.array_equal(values.astype(np.float32), values)
        assert np.array_equal(run.intensity, np.rint(run.intensity))
        assert np.array_equal(run.scan_times_s, np.round(run.scan_times_s, 3))
        for scan in run:
            assert (np.diff(scan.mz) > 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scan_interval_s": 0}, "scan_interval_s must be above 0"),
        ({"solvent_delay_s": 359.5}, "no room for scans"),
        ({"baseline": -1}, "baseline must be at least 0"),
        ({"peak_sd_s": (2.0, 1.0)}, "least, most"),
        ({"peak_sd_s": 0.0}, "peak_sd_s must be above 0"),
        ({"mz_range": (50, 40)}, "highest m/z must be a whole number from 51"),
        ({"mz_sd": 0.5}, "mz_sd must be"),
        ({"carry_over": 2.0}, "carry_over must be"),
    ],
)
def test_an_instrument_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Instrument(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sequences": 0}, "sequences must be a whole number from 1"),
        ({"sequences": 17}, "needs as many specimens"),
        ({"blanks": -1}, "blanks must be a whole number from 0"),
        ({"first_day": "monday"}, "first_day must be a date"),
        ({"coeluting": COCAINE_COMPOUNDS[:1]}, "came more than once"),
    ],
)
def test_runs_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulate(**settings)


def test_a_target_without_a_compound_is_named() -> None:
    material = simulate_profiles(rng=np.random.default_rng(1), sizes=[2, 2])
    with pytest.raises(InputError, match="no compound says how 'T01'"):
        simulate_runs(material, rng=np.random.default_rng(1))


# -- signals ----------------------------------------------------------------------------------


@given(
    apex=st.floats(50, 300),
    sd=st.floats(0.5, 3.0),
    tailing=st.one_of(st.just(0.0), st.floats(0.05, 3.0)),
)
def test_a_peak_has_area_one_and_is_highest_at_its_apex(
    apex: float, sd: float, tailing: float
) -> None:
    times = np.linspace(apex - 20 * sd, apex + 60 * sd, 16_001)
    shape = tailed_peak(times, apex_s=apex, sd_s=sd, tailing=tailing)
    assert np.isfinite(shape).all()
    assert (shape >= 0).all()
    assert np.trapezoid(shape, times) == pytest.approx(1.0, rel=1e-6)
    assert times[shape.argmax()] == pytest.approx(apex, abs=0.011 * sd)


@pytest.mark.parametrize("tailing", [0.1, 0.5, 1.0, 2.5])
def test_a_peak_is_scipys_exponentially_modified_normal(tailing: float) -> None:
    z = np.linspace(-5, 15, 400)
    found = tailed_peak(z, apex_s=apex_offset(tailing), sd_s=1.0, tailing=tailing)
    assert np.allclose(found, stats.exponnorm.pdf(z, tailing), rtol=1e-9, atol=1e-300)


def test_tails_are_to_the_right() -> None:
    times = np.linspace(0, 60, 3001)
    areas = []
    for tailing in (0.0, 0.5, 1.0):
        shape = tailed_peak(times, apex_s=20.0, sd_s=1.5, tailing=tailing)
        after = shape[times > 20.0].sum() / shape.sum()
        areas.append(after)
    assert areas[0] == pytest.approx(0.5, abs=0.01)
    assert areas[0] < areas[1] < areas[2]


def test_bleed_rises_to_one() -> None:
    curve = bleed_curve(np.linspace(0, 300, 301), run_length_s=300.0)
    assert (np.diff(curve) > 0).all()
    assert 0.04 < curve[0] < 0.06
    assert 0.9 < curve[-1] <= 1.0


@given(st.lists(st.floats(0, 9e6), min_size=1))
def test_counts_keep_four_digits(counts: list[float]) -> None:
    given_counts = np.array(counts)
    found = few_digits(given_counts)
    assert np.array_equal(found, np.rint(found))
    assert np.array_equal(found.astype(np.float32), found)
    assert np.array_equal(few_digits(found), found)
    assert (np.abs(found - given_counts) <= np.maximum(0.5, 5e-4 * given_counts)).all()


# -- compounds and their protocol -------------------------------------------------------------


def test_compounds_can_be_told_apart() -> None:
    names = [one.name for one in COCAINE_COMPOUNDS]
    assert len(set(names)) == len(names) == 17
    assert len(IMPURITIES) >= 8
    roles = [one.role for one in COCAINE_COMPOUNDS]
    assert roles.count("main") == roles.count("internal_standard") == 1
    times = np.array([one.retention_time_s for one in COCAINE_COMPOUNDS])
    assert (np.diff(times) >= 12).all()
    bled = {mz for mz, _ in BLEED_IONS}
    for one in COCAINE_COMPOUNDS:
        assert not bled & set(one.quantifier), one.name
        assert one.qualifiers, one.name


@pytest.mark.reference_data
def test_ions_are_those_of_published_spectra(reference_data: Any) -> None:
    import csv
    import re

    library: dict[str, dict[int, float]] = {}
    path = reference_data / "ei_library" / "swgdrug34.csv"
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            pairs = re.findall(r"(\d+)\s+(\d+)", row["PeakList"])
            spectrum = {int(mz): int(height) / 9.99 for mz, height in pairs}
            name = re.sub(r"[^a-z]", "", row["Name"].lower()).removeprefix("n")
            library.setdefault(name, spectrum)
    checked = 0
    for one in COCAINE_COMPOUNDS:
        if one.made_up:
            continue
        spectrum = library[re.sub(r"[^a-z]", "", one.name.lower()).removeprefix("n")]
        for mz, height in one.ions:
            assert spectrum[mz] == pytest.approx(height, abs=4.0), (one.name, mz)
            checked += 1
    assert checked > 60


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ions": [(82, 100), (82, 50)]}, "comes twice"),
        ({"ions": [(82, 0)]}, "must be above 0"),
        ({"quantifier": [83]}, "'83' is not among its ions"),
        ({"quantifier": []}, "needs a quantifier"),
        ({"qualifiers": [99]}, "'99' is not among its ions"),
        ({"role": "impure"}, "Did you mean 'impurity'"),
        ({"tailing": -1.0}, "tailing of compound 'x' must be"),
    ],
)
def test_a_compound_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    good = {"name": "x", "retention_time_s": 50.0, "ions": [(82, 100)], "quantifier": [82]}
    with pytest.raises(InputError, match=message):
        Compound(**{**good, **settings})


def test_a_ratio_of_an_ion_it_does_not_give() -> None:
    one = COCAINE_COMPOUNDS[0]
    assert one.ratio(105) == pytest.approx(100 / 85)
    with pytest.raises(InputError, match="gives no ion of m/z 999"):
        one.ratio(999)


def test_the_protocol_of_compounds_can_be_extracted_with() -> None:
    summed = replace(COCAINE_COMPOUNDS[6], quantifier=[124, 82], qualifiers=[94])
    protocol = protocol_of([*COCAINE_COMPOUNDS[7:], *COCAINE_COMPOUNDS[:6], summed])
    assert protocol.missing_for_extraction == {}
    assert [t.name for t in protocol.targets] == [one.name for one in COCAINE_COMPOUNDS]
    assert protocol.unverified == ()
    tropacocaine = protocol["tropacocaine"]
    assert tropacocaine.quantifier is not None
    assert (tropacocaine.quantifier.mz, tropacocaine.quantifier.rule) == ((124.0, 82.0), "sum")
    assert tropacocaine.qualifiers[0].expected_ratio == pytest.approx(35 / 155, abs=1e-4)
    assert protocol["N-formylcocaine"].note == "The ions are made up."
    with pytest.raises(InputError, match="at least one compound"):
        protocol_of([])
