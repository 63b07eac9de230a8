"""Choosing targets: the ratio against scipy's, and each rule by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f_oneway

from drugsig.errors import ConfigError, InputError, PopulationError, UnknownNameError
from drugsig.evidence.target_selection import TargetSelection, between_within_ratio

CODES = np.array([0, 0, 0, 1, 1, 2, 2, 2, -1])


def values() -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, 4))
    x[:, 0] += 10 * CODES
    x[:, 1] = x[:, 0] + 0.01 * rng.normal(size=9)
    return x


def test_the_ratio_is_that_of_an_analysis_of_variance() -> None:
    x = values()
    groups = [x[k == CODES] for k in range(3)]
    expected = f_oneway(*groups, axis=0).statistic
    np.testing.assert_allclose(between_within_ratio(x, CODES), expected, rtol=1e-9)


def test_gaps_leave_their_target_with_the_profiles_it_has() -> None:
    x = values()
    x[3, 2] = np.nan
    there = ~np.isnan(x[:, 2])
    expected = f_oneway(*(x[there & (k == CODES), 2] for k in range(3))).statistic
    assert between_within_ratio(x, CODES)[2] == pytest.approx(expected)


def test_constant_targets_and_targets_that_are_one_value_a_source() -> None:
    x = np.ones((4, 2))
    x[2:, 1] = 2.0
    assert between_within_ratio(x, [0, 0, 1, 1]).tolist() == [0.0, np.inf]


@pytest.mark.parametrize("codes", [[0, 0, 0, 0], [0, 1, 2, 3], [-1, -1, -1, -1]])
def test_without_sources_there_is_no_ratio(codes: list[int]) -> None:
    with pytest.raises(PopulationError, match="two sources or more"):
        between_within_ratio(np.ones((4, 2)), codes)


def test_each_rule_keeps_what_it_says() -> None:
    x = values()
    seen = np.ones_like(x, dtype=bool)
    seen[:5, 3] = False
    everything = TargetSelection()
    assert everything.keeps_all
    assert everything.keep(x, seen, CODES).all()
    assert TargetSelection(presence=0.5).keep(x, seen, CODES).tolist() == [True, True, True, False]
    kept = TargetSelection(variance_ratio=20.0).keep(x, seen, CODES)
    assert kept.tolist() == [True, True, False, False]
    kept = TargetSelection(correlation=0.9).keep(x, seen, CODES)
    assert kept[:2].sum() == 1, "of two targets that say the same one is kept"
    better = int(np.argmax(between_within_ratio(x, CODES)[:2]))
    assert kept[better]


def test_a_choice_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(PopulationError, match="leaves out every target"):
        TargetSelection(variance_ratio=1e9).keep(values(), np.ones((9, 4), dtype=bool), CODES)


def test_a_choice_reads_back_and_bad_ones_are_refused() -> None:
    one = TargetSelection(presence=0.25, correlation=0.7)
    assert one.to_data() == {"presence": 0.25, "correlation": 0.7}
    assert TargetSelection.from_data(one.to_data()) == one
    with pytest.raises(UnknownNameError, match="presence"):
        TargetSelection.from_data({"presense": 0.5})
    with pytest.raises(ConfigError, match="table"):
        TargetSelection.from_data(5)  # type: ignore[arg-type]
    for wrong in ({"presence": 1.5}, {"variance_ratio": -1}, {"correlation": "high"}):
        with pytest.raises(InputError):
            TargetSelection(**wrong)
    with pytest.raises(InputError, match="shape"):
        between_within_ratio(np.ones((3, 2)), [0, 0])
