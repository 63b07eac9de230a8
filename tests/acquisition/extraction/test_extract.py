from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drugsig.acquisition.extraction import Extraction, extract, extract_run
from drugsig.acquisition.peak_table import PeakTable
from drugsig.acquisition.protocol_targets import targets_of
from drugsig.acquisition.run import Run
from drugsig.acquisition.target_window import TargetWindow
from drugsig.acquisition.writers import write_andi
from drugsig.errors import InputError, UnknownNameError
from drugsig.profiles.status import Status
from drugsig.protocols import Protocol, Quantifier, Retention, load_protocol
from tests.acquisition.extraction.traces import quiet_run

TARGETS = (
    TargetWindow("A", 200.0, 8.0, (82.0,), tolerance=0.4),
    TargetWindow("B", 300.0, 8.0, (94.0,), tolerance=0.4),
    TargetWindow("IS", 400.0, 8.0, (182.0,), tolerance=0.4, role="internal_standard"),
    TargetWindow("late", 900.0, 8.0, (82.0,), tolerance=0.4),
)


def named(name: str, *, b: float = 1e4, seed: int = 1) -> Run:
    run = quiet_run(
        {82.0: [(200.0, 5e3, 5.0)], 94.0: [(300.0, b, 5.0)], 182.0: [(400.0, 2e4, 5.0)]}, seed=seed
    )
    told = replace(run.metadata, file_name=name, sample_name="S 1", operator="", method="a\nb")
    return replace(run, metadata=told)


def test_profiles_hold_what_the_tables_hold() -> None:
    runs = [named("one.cdf"), named("two.cdf", b=0.0, seed=2)]
    made = extract(runs, TARGETS)
    assert isinstance(made, Extraction)
    profiles = made.profiles
    assert profiles.ids == ("one", "two")
    assert [(t.name, t.role) for t in profiles.targets] == [
        ("A", "impurity"), ("B", "impurity"), ("IS", "internal_standard"), ("late", "impurity"),
    ]  # fmt: skip
    assert profiles.status.tolist() == [
        [Status.DETECTED] * 3 + [Status.NOT_MEASURED],
        [Status.DETECTED, Status.BELOW_LOD, Status.DETECTED, Status.NOT_MEASURED],
    ]
    for row, run in enumerate(runs):
        table = extract_run(run, TARGETS)
        assert table == made.tables[row]
        np.testing.assert_array_equal(profiles.values[row], table.values)
        np.testing.assert_array_equal(profiles.limits[row], table.area_limit)
    assert profiles.values[1, 1] == 0.0
    assert np.isnan(profiles.uncertainty[1, 1])
    assert (profiles.uncertainty[0, :3] > 0).all()
    assert profiles.column("run_file") == ("one.cdf", "two.cdf")
    assert profiles.column("method") == ("a b", "a b")
    assert "operator" not in profiles.metadata_columns
    assert profiles.history[0].operation == "extract"
    assert profiles.history[0].detail["runs"] == 2


def test_one_run_at_a_time_is_held() -> None:
    held: list[int] = []

    def yielded():
        for k in range(3):
            held.append(k)
            yield named(f"run{k}.cdf")

    made = extract(yielded(), TARGETS)
    assert held == [0, 1, 2]
    assert len(made.tables) == 3


def test_scans_runs_and_files_give_the_same_profile(tmp_path: Path) -> None:
    run = named("one.cdf")
    path = tmp_path / "one.cdf"
    write_andi(run, path)
    from_scans = extract([list(run)], TARGETS, ids=["one"])
    from_file = extract([path], TARGETS)
    whole = extract([run], TARGETS)
    np.testing.assert_array_equal(from_scans.profiles.values, whole.profiles.values)
    # The file holds single precision.
    np.testing.assert_allclose(from_file.profiles.values, whole.profiles.values, rtol=1e-4)
    assert from_file.profiles.ids == ("one",)


def test_a_broken_file_does_not_stop_the_others(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.cdf", tmp_path / "bad.cdf"
    write_andi(named("good.cdf"), good)
    bad.write_bytes(good.read_bytes()[:5000])
    made = extract([bad, good], TARGETS)
    assert made.profiles.ids == ("good",)
    assert [name for name, _ in made.failures] == ["bad.cdf"]
    assert made.profiles.history[0].detail["failed"] == ["bad.cdf"]
    with pytest.raises(ExceptionGroup, match="none of 1 run"):
        extract([bad], TARGETS)


def test_ids_must_be_one_a_run_and_unique() -> None:
    runs = [named("one.cdf"), named("one.mzML")]
    with pytest.raises(InputError, match="more than once"):
        extract(runs, TARGETS)
    assert extract(runs, TARGETS, ids=["a", "b"]).profiles.ids == ("a", "b")
    for ids in (["a"], ["a", "b", "c"]):
        with pytest.raises(InputError, match="ids"):
            extract(runs, TARGETS, ids=ids)


def test_no_run_is_an_error() -> None:
    with pytest.raises(InputError, match="no run"):
        extract([], TARGETS)


def protocol() -> Protocol:
    """Return a shipped protocol with an ion for every target."""
    made = load_protocol("cocaine-minor-alkaloids")
    given = Quantifier((100.0, 150.0), "sum", "choice", False)
    targets = tuple(replace(t, quantifier=t.quantifier or given) for t in made.targets)
    return replace(made, targets=targets)


def test_a_protocol_gives_its_targets() -> None:
    made = protocol()
    filled = made.with_retention(
        {
            t.name: Retention("laboratory", True, time_s=200.0 + 60.0 * k, time_window_s=6.0)
            for k, t in enumerate(made.targets)
        },
        version="2",
        citation="Reference run of this laboratory",
    )
    targets = targets_of(filled, saturation=1e6)
    assert [t.name for t in targets] == [t.name for t in made.targets]
    assert [t.quantifier for t in targets] == [
        t.quantifier.mz for t in made.targets if t.quantifier is not None
    ]
    assert {t.window_s for t in targets} == {6.0}
    assert {t.saturation for t in targets} == {1e6}
    table = extract([named("one.cdf")], filled)
    assert table.profiles.history[0].detail["protocol"] == filled.name
    assert table.profiles.history[0].detail["digest"] == filled.digest


def test_an_incomplete_protocol_names_what_is_missing() -> None:
    made = protocol()
    with pytest.raises(InputError, match="incomplete") as caught:
        targets_of(made)
    for target in made.targets:
        assert f"'{target.name}': retention time" in str(caught.value)


def test_a_peak_table_is_read_only_also_after_a_worker_sent_it() -> None:
    table = extract_run(named("one.cdf"), TARGETS)
    again = pickle.loads(pickle.dumps(table))  # noqa: S301 - what a worker does
    assert again == table
    for one in (table, again):
        with pytest.raises(ValueError, match="read-only"):
            one.area[0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            one.traces[0].baseline[0] = 1.0


def test_a_peak_table_shows_itself() -> None:
    table = extract_run(named("one<b>.cdf"), TARGETS)
    assert repr(table) == ("<PeakTable of 'one<b>.cdf': 4 targets, 3 detected, 1 not_measured>")
    frame = table.to_frame()
    assert list(frame["target"]) == ["A", "B", "IS", "late"]
    assert frame["status"].iloc[-1] == "not_measured"
    frame.loc[0, "area"] = -1.0
    assert table.area[0] > 0
    assert "outside_run" in table._repr_html_()
    assert table.place_of("IS") == 2
    with pytest.raises(UnknownNameError, match="late"):
        table.place_of("lste")


def test_a_table_of_unequal_columns_is_refused() -> None:
    table = extract_run(named("one.cdf"), TARGETS)
    fields = {k: getattr(table, k) for k in table.__dataclass_fields__}
    with pytest.raises(InputError, match="length"):
        PeakTable(**{**fields, "area": table.area[:2].copy()})
