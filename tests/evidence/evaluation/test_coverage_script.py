"""A short run of the simulation behind the page on how many samples are enough."""

from __future__ import annotations

import numpy as np
import pytest
from scripts import check_coverage
from scripts.check_coverage import (
    INTERVALS,
    REFITTED,
    binomial,
    coverage,
    log10_lr,
    share_over,
    simulated,
    table,
    truths,
    with_refits,
    without_refits,
)


def test_truths_agree_with_what_is_known() -> None:
    found = truths()
    # An unlinked pair reaches an LR of k in at most 1/k of all cases, so these follow.
    for name, (linked, cut) in check_coverage.SHARES.items():
        assert linked or found[name] < 10**-cut
    first, second = (f"linked pairs over a {x}threshold" for x in ("low ", "high "))
    assert found[first] > found["linked pairs over a threshold"] > found[second]
    assert 0.5 < found["AUC"] < 1.0
    assert found["Cllr"] == found["Cllr_min"] < 1.0
    values = log10_lr(np.array([0.0, 2.0, 2.0]), np.array([0.0, 2.0, -2.0]))
    assert 0.0 < values[0] < values[1]
    assert values[2] < 0.0


@pytest.mark.parametrize("linked", [True, False])
def test_the_true_share_is_that_of_very_many_pairs(linked: bool) -> None:
    rng = np.random.default_rng(0)
    n, within = 400_000, check_coverage.WITHIN
    one = rng.standard_normal(n)
    other = one if linked else rng.standard_normal(n)
    values = log10_lr(
        one + within * rng.standard_normal(n), other + within * rng.standard_normal(n)
    )
    for cut in (-0.5, 0.5, 1.0):
        seen = float((values >= cut).mean())
        sd = np.sqrt(seen / n)
        assert share_over(cut, linked=linked) == pytest.approx(seen, abs=5 * sd)


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    n = 20
    shares = coverage(60, n, 200)
    # Chance alone leaves it between these in all but one of a thousand runs.
    for name in INTERVALS:
        assert shares[name] >= 0.75, name
    assert all(shares[p] >= 0.80 for p in check_coverage.PROMISES)
    text = table({60: shares}, n, n)
    assert text.count("|\n") == len(shares) + 2


def test_the_same_figures_for_any_number_of_workers() -> None:
    truth = dict.fromkeys(INTERVALS, 0.5)
    one = coverage(10, 4, 100, truth=truth)
    assert coverage(10, 4, 100, workers=2, truth=truth) == one


def test_the_interval_of_a_share() -> None:
    low, high = binomial(0.95, 2000)
    assert 0.93 < low < 0.95 < high < 0.97
    assert binomial(1.0, 10)[1] == 1.0
    assert binomial(0.0, 10)[0] == 0.0


@pytest.mark.filterwarnings("ignore::drugsig.errors.SmallSampleWarning")
def test_the_fast_way_gives_the_intervals_of_the_public_one() -> None:
    values, linked, *rest = simulated(np.random.default_rng(1), 20)
    slow, kept, _ = with_refits(values, linked, rest[0], rest[1], np.random.default_rng(2), 200)
    fast, same = without_refits(values, linked, rest[0], rest[1], np.random.default_rng(2), 200)
    assert set(slow) == set(fast) | (set(REFITTED) & set(slow))
    assert same == kept
    for name, one in fast.items():
        other = slow[name]
        assert one is not None
        assert other is not None
        assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-9)
