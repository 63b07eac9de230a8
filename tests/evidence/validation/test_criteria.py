from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from drugsig.errors import ConfigError, ReadError, UnknownNameError
from drugsig.evidence.performance import Estimate
from drugsig.evidence.resampling import Interval
from drugsig.evidence.validation import CHARACTERISTICS, MEASURES, Criteria, load_criteria
from drugsig.evidence.validation.criteria import Criterion
from drugsig.evidence.validation.findings import (
    FAIL,
    NOT_ASSESSED,
    PASS,
    finding,
    number_data,
    overall,
)

AT_MOST = Criterion("cllr", 0.5, True, "a reason")
AT_LEAST = Criterion("auc", 0.9, False, "a reason")


def data_of(**changed: Any) -> dict[str, Any]:
    entry = {"measure": "cllr", "at_most": 0.5, "why": "a reason"}
    return {"name": "ours", "source": "the laboratory", "criteria": [entry], **changed}


def test_the_default_criteria_have_every_figure_a_reason_and_no_authority() -> None:
    found = load_criteria()
    assert {c.measure for c in found} == set(MEASURES)
    assert all(c.why.endswith(".") for c in found)
    assert "no standard, no laboratory" in found.source


def test_every_figure_belongs_to_a_characteristic_and_every_characteristic_has_one() -> None:
    assert {m.characteristic for m in MEASURES.values()} == set(CHARACTERISTICS)


def test_criteria_survive_a_round_trip() -> None:
    found = load_criteria()
    assert Criteria.from_data(found.to_data()) == found


def test_a_laboratory_reads_its_own(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(tomli_w.dumps(data_of()), encoding="utf-8")
    found = load_criteria(path)
    assert (found.name, len(found)) == ("ours", 1)
    assert str(found.of("cllr")) == "at most 0.5"
    assert found.of("auc") is None


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"criteria": []}, ConfigError, "at least one"),
        ({"extra": 1}, ConfigError, "extra"),
        ({"criteria": [{"measure": "cllr", "why": "x"}]}, ConfigError, "at_most"),
        ({"criteria": [{"measure": "clr", "at_most": 1, "why": "x"}]}, UnknownNameError, "'cllr'"),
        ({"criteria": [{"measure": "cllr", "at_most": "1", "why": "x"}]}, ConfigError, "number"),
        ({"criteria": [{"measure": "cllr", "at_most": True, "why": "x"}]}, ConfigError, "number"),
        ({"criteria": data_of()["criteria"] * 2}, ConfigError, "more than one"),
        ({"criteria": ["cllr"]}, ConfigError, "table"),
    ],
)
def test_criteria_that_cannot_be_used_are_refused(
    changed: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        Criteria.from_data(data_of(**changed))


def test_a_file_that_cannot_be_used_says_which(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"nothing\.toml"):
        load_criteria(tmp_path / "nothing.toml")
    with pytest.raises(UnknownNameError, match="default"):
        load_criteria("defualt")


@pytest.mark.parametrize(
    ("criterion", "value", "interval", "verdict", "uncertain"),
    [
        (AT_MOST, 0.4, (0.3, 0.45), PASS, False),
        (AT_MOST, 0.5, (0.3, 0.5), PASS, False),
        (AT_MOST, 0.4, (0.3, 0.6), PASS, True),
        (AT_MOST, 0.6, (0.55, 0.7), FAIL, False),
        (AT_MOST, 0.6, (0.4, 0.7), FAIL, True),
        (AT_MOST, float("inf"), None, FAIL, True),
        (AT_LEAST, 0.95, (0.91, 0.99), PASS, False),
        (AT_LEAST, 0.95, (0.85, 0.99), PASS, True),
        (AT_LEAST, 0.8, (0.7, 0.95), FAIL, True),
    ],
)
def test_the_verdict_is_that_of_the_figure_and_crossing_is_marked(
    criterion: Criterion,
    value: float,
    interval: tuple[float, float] | None,
    verdict: str,
    uncertain: bool,
) -> None:
    ends = None if interval is None else Interval(*interval)
    found = finding(criterion.measure, Estimate(value, ends), criterion, why="on pairs")
    assert (found.verdict, found.uncertain) == (verdict, uncertain)
    if uncertain and ends is not None:
        assert "crosses the criterion" in found.verdict_in_words


def test_what_was_not_measured_or_has_no_criterion_is_not_assessed() -> None:
    nothing = finding("cllr", None, AT_MOST, why="no data")
    unknown = finding("cllr", Estimate(float("nan")), AT_MOST, why="on pairs")
    unasked = finding("cllr", Estimate(0.1), None, why="on pairs")
    assert [f.verdict for f in (nothing, unknown, unasked)] == [NOT_ASSESSED] * 3
    assert "no criterion is set" in unasked.why
    assert unasked.to_data()["value"] == 0.1
    assert nothing.to_data()["value"] is None


def test_not_assessed_is_never_a_pass() -> None:
    assert overall([PASS, PASS]) == PASS
    assert overall([PASS, NOT_ASSESSED]) == NOT_ASSESSED
    assert overall([PASS, NOT_ASSESSED, FAIL]) == FAIL
    assert overall([]) == NOT_ASSESSED


def test_numbers_that_json_lacks_are_written_in_words() -> None:
    assert number_data(float("inf")) == "infinity"
    assert number_data(float("nan")) is None
