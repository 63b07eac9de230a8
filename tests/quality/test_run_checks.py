from __future__ import annotations

import numpy as np
import pytest

from drugsig import Status
from drugsig.acquisition.cell_reasons import Flag, Reason
from drugsig.acquisition.peak_table import PeakTable
from drugsig.errors import InputError
from drugsig.protocols.sections import QualityRule
from drugsig.quality import BLANK, CONTROL, SAMPLE, check_runs
from drugsig.quality.run_findings import WORST_FIRST
from tests.plot.peak_tables import peak_table

ROLES = ("impurity", "impurity", "internal_standard")


def run(name: str, *areas: float, **options: object) -> PeakTable:
    return peak_table(name, areas, roles=ROLES, **options)  # type: ignore[arg-type]


def rule(what: str, limit: float, unit: str = "%") -> QualityRule:
    return QualityRule(what, limit, unit, "flag", "laboratory", True)


@pytest.fixture
def series() -> list[PeakTable]:
    """A blank with a trace of the first target, two controls and five samples."""
    return [
        run("blank", 30.0, 0.0, 1000.0),
        run("c1", 100.0, 200.0, 1000.0),
        run("c2", 110.0, 200.0, 1100.0),
        *(run(f"s{k}", 300.0 + k, 500.0, 1000.0 + 10 * k) for k in range(5)),
    ]


KINDS = {"blank": BLANK, "c1": CONTROL, "c2": CONTROL}


def test_what_a_blank_shows_is_told_with_its_share_of_the_median_sample(
    series: list[PeakTable],
) -> None:
    checks = check_runs(series, kinds=KINDS)
    (finding,) = checks.blanks
    assert (finding.profile_id, finding.target) == ("blank", "target 0")
    assert finding.share == pytest.approx(30.0 / 302.0)
    assert any("the blank shows target 0" in words for words in checks.flags["blank"])


def test_the_internal_standard_of_a_blank_is_no_finding(series: list[PeakTable]) -> None:
    assert {f.target for f in check_runs(series, kinds=KINDS).blanks} == {"target 0"}


def test_a_blank_is_held_against_the_samples_of_its_own_sequence(series: list[PeakTable]) -> None:
    other = [run("blank 2", 30.0, 0.0, 1000.0), run("s9", 60.0, 500.0, 1000.0)]
    sequences = ["A"] * len(series) + ["B"] * 2
    checks = check_runs([*series, *other], kinds={**KINDS, "blank 2": BLANK}, sequences=sequences)
    assert [f.profile_id for f in checks.blanks] == ["blank 2", "blank"]
    assert checks.blanks[0].share == pytest.approx(0.5)
    assert checks.without_blank == ()
    assert checks.without_control == ("B",)


def test_a_target_that_only_the_blank_holds_has_no_share() -> None:
    tables = [run("b", 0.0, 30.0, 9.0), run("s", 10.0, 0.0, 9.0)]
    (finding,) = check_runs(tables, kinds={"b": BLANK}).blanks
    assert finding.share is None


def test_control_deviations_are_those_by_hand(series: list[PeakTable]) -> None:
    first, second, standard = check_runs(series, kinds=KINDS).controls
    areas, ratios = np.array([100.0, 110.0]), np.array([0.1, 0.1])
    assert first.n == 2
    assert first.rsd == pytest.approx(areas.std(ddof=1) / areas.mean())
    assert first.rsd_to_standard == pytest.approx(ratios.std(ddof=1), abs=1e-12)
    assert second.rsd == 0.0
    assert standard.rsd_to_standard is None


def test_one_control_run_has_no_deviation(series: list[PeakTable]) -> None:
    controls = check_runs(series, kinds={"blank": BLANK, "c1": CONTROL}).controls
    assert [c.rsd for c in controls] == [None] * 3


def test_an_internal_standard_out_of_line_is_named_and_others_are_not(
    series: list[PeakTable],
) -> None:
    tables = [*series, run("low", 300.0, 500.0, 400.0), run("none", 300.0, 500.0, 0.0)]
    (chart,) = check_runs(tables, kinds=KINDS).standards
    told = dict(chart.outliers)
    assert told.keys() == {"c2", "low", "none"}
    assert "at 39% of the median of all runs" in told["low"]
    assert "not found" in told["none"]
    known = chart.areas[1:-1]
    centre = np.median(known)
    spread = 1.4826 * np.median(np.abs(known - centre))
    assert chart.highs[0] == pytest.approx(centre + 3.5 * spread)


def test_too_few_runs_are_not_judged(series: list[PeakTable]) -> None:
    (chart,) = check_runs([*series[:4], run("low", 3.0, 5.0, 1.0)], kinds=KINDS).standards
    assert chart.outliers == ()
    assert np.isnan(chart.centres).all()


def test_equal_areas_make_no_outliers() -> None:
    tables = [run(f"s{k}", 1.0, 1.0, 100.0) for k in range(6)] + [run("t", 1.0, 1.0, 100.1)]
    assert check_runs(tables).standards[0].outliers == ()


def test_rules_of_the_protocol_take_the_place_of_the_robust_one(series: list[PeakTable]) -> None:
    rules = [
        rule("internal_standard_deviation", 1.0),
        rule("blank_area", 0.05, "1"),
        rule("replicate_rsd", 3.0),
        rule("resolution", 1.5, "1"),
    ]
    checks = check_runs(series, kinds=KINDS, rules=rules)
    assert checks.applied == ("blank_area", "internal_standard_deviation", "replicate_rsd")
    assert checks.blanks[0].exceeds
    # Over the internal standard the first target does not vary, and the second does.
    assert [c.exceeds for c in checks.controls] == [False, True, True]
    assert {name for name, _ in checks.standards[0].outliers} == {"c1", "c2", "s0", "s4"}
    assert "the protocol's rule" in checks.standards[0].rule


def test_a_rule_in_another_unit_is_not_applied(series: list[PeakTable]) -> None:
    checks = check_runs(series, kinds=KINDS, rules=[rule("blank_area", 100.0, "area")])
    assert checks.applied == ()
    assert not checks.blanks[0].exceeds


def test_cells_of_runs_and_of_targets_add_up() -> None:
    tables = [
        run("a", 10.0, 20.0, 9.0, status={1: Status.REJECTED}),
        run("b", 0.0, 20.0, 9.0, status={1: Status.NOT_MEASURED}),
    ]
    checks = check_runs(tables)
    for r in checks.runs:
        assert r.detected + r.below_limit + r.rejected + r.not_measured == 3
    for t in checks.targets:
        assert t.detected + t.below_limit + t.rejected + t.not_measured == 2
    (cell,) = checks.rejected
    assert (cell.profile_id, cell.target, cell.reason) == ("a", "target 1", Reason.SATURATED)
    assert "target 1 rejected: saturated" in checks.flags["a"]
    assert any("not measured: 'target 1'" in words for words in checks.flags["b"])


def test_flags_of_a_run_come_the_worst_first_and_are_counted() -> None:
    flags = {0: (Flag.SHORT_NOISE, Flag.SHOULDER), 1: (Flag.SHORT_NOISE,)}
    (check,) = check_runs([run("a", 10.0, 20.0, 9.0, flags=flags)]).runs
    assert check.marks == ((Flag.SHOULDER, 1), (Flag.SHORT_NOISE, 2))
    assert check.flags == ("shoulder: target 0", "short noise: target 0, target 1")


def test_every_flag_has_its_place_in_the_order() -> None:
    assert set(WORST_FIRST) == set(Flag)


def test_shifts_are_those_of_the_peaks() -> None:
    tables = [run("a", 1.0, 2.0, 9.0, shift_s=0.5), run("b", 0.0, 2.0, 9.0, shift_s=-2.0)]
    checks = check_runs(tables, ids=["A", "B"])
    assert checks.runs[0].retention_shift_s == pytest.approx(0.5)
    assert checks.targets[0].largest_shift_s == pytest.approx(0.5)
    assert checks.targets[1].largest_shift_s == pytest.approx(-2.0)
    assert checks.targets[1].largest_shift_in == "B"


def test_without_kinds_all_are_samples_without_blank_and_control() -> None:
    checks = check_runs([run("a", 1.0, 2.0, 9.0)])
    assert [r.kind for r in checks.runs] == [SAMPLE]
    assert checks.without_blank == checks.without_control == ("",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": ["a"]}, "2 peak tables need as many ids, got 1"),
        ({"sequences": ["a"]}, "as many sequences"),
        ({"kinds": {"a": "blnk"}}, "got 'blnk'"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_runs([run("a", 1.0, 1.0, 1.0), run("b", 1.0, 1.0, 1.0)], **options)


def test_runs_of_different_targets_are_refused() -> None:
    with pytest.raises(InputError, match="different targets"):
        check_runs([run("a", 1.0, 1.0, 1.0), peak_table("b", [1.0])])
    with pytest.raises(InputError, match="no run to check"):
        check_runs([])
