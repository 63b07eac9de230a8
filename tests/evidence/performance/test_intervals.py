"""Intervals of performance figures: against a literal resampling, and by what they hold."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import beta

from drugsig.errors import DataWarning, InputError, SmallSampleWarning
from drugsig.evidence import Interval, resampling
from drugsig.evidence.pairs import pairs_of_sources
from drugsig.evidence.performance import (
    Estimate,
    cllr,
    cllr_min,
    devpav,
    intervals,
    measure_performance,
    misleading_rates,
    tippett,
)
from drugsig.evidence.performance.intervals import (
    band_of,
    draw_sources,
    fitted_interval_of,
    interval_of,
)
from drugsig.evidence.resampling import rate_band
from tests.evidence.performance.cases import calibrated_pairs

# Results hold None where there is no interval; here there is one, or a test fails.
measured: Any = measure_performance
interval: Any = interval_of
fitted: Any = fitted_interval_of
few = pytest.mark.filterwarnings("ignore::drugsig.errors.SmallSampleWarning")


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def case(seed: int = 0, n_sources: int = 8):
    return calibrated_pairs(generator(seed), n_sources=n_sources)


def literal(a, b, linked, counts) -> np.ndarray:
    """The places of all pairs, each written out as often as its sources are drawn."""
    found = []
    for k in range(len(a)):
        times = counts[a[k]] if linked[k] else counts[a[k]] * counts[b[k]]
        found += [k] * int(times)
    return np.array(found)


# -- draws ----------


def test_weights_and_means_are_those_of_a_literal_resampling() -> None:
    values, linked, a, b = case()
    draws = draw_sources(pairs_of_sources(linked, a, b), 100, generator(1))
    costs = generator(2).random((3, len(values)))
    means = {side: draws.means(costs[:, linked == side], linked=side) for side in (True, False)}
    for k, weight in enumerate(draws.weights()):
        drawn = literal(a, b, linked, draws.counts[:, k])
        np.testing.assert_array_equal(weight, np.bincount(drawn, minlength=len(values)))
        for side in (True, False):
            of_kind = drawn[linked[drawn] == side]
            assert_allclose(means[side][:, k], costs[:, of_kind].mean(axis=1), rtol=1e-12)


def test_draws_without_one_kind_of_pair_are_left_out() -> None:
    linked = np.array([True, False, False])
    draws = draw_sources(
        pairs_of_sources(linked, ["a", "a", "b"], ["a", "b", "c"]), 400, generator()
    )
    assert 0 < draws.n_draws < 400
    assert (draws.counts[0] > 0).all()
    assert all(weight[1:].any() for weight in draws.weights())


def test_an_infinite_cost_is_infinite_in_the_draws_that_hold_it() -> None:
    _, linked, a, b = case()
    draws = draw_sources(pairs_of_sources(linked, a, b), 100, generator())
    costs = np.where(np.arange(linked.sum()) == 0, np.inf, 1.0)[np.newaxis]
    found = draws.means(costs, linked=True)[0]
    held = draws.counts[a[linked][0]] > 0
    np.testing.assert_array_equal(np.isinf(found), held)
    assert_allclose(found[~held], 1.0)


def test_sources_may_be_named_or_numbered_in_any_way(monkeypatch) -> None:
    _, linked, a, b = case()
    plain = pairs_of_sources(linked, a, b)
    named = pairs_of_sources(linked, [f"s{x:03}" for x in a], [f"s{x:03}" for x in b])
    np.testing.assert_array_equal(plain.first, named.first)
    np.testing.assert_array_equal(plain.second, named.second)
    monkeypatch.setattr(intervals, "_BLOCK_NUMBERS", 1)
    one_by_one = draw_sources(plain, 100, generator()).means([np.ones(linked.sum())], linked=True)
    assert_allclose(one_by_one, 1.0)


def test_very_many_pairs_are_resampled_less_often(monkeypatch) -> None:
    _, linked, a, b = case()
    monkeypatch.setattr(resampling, "_MOST_FOR_COSTS", 1)
    assert draw_sources(pairs_of_sources(linked, a, b), 1000, generator()).n_draws <= 200


# -- intervals of numbers ----------


def test_an_interval_holds_the_figure_itself() -> None:
    drawn = np.linspace(0.0, 1.0, 1001)
    got = interval(drawn, 0.5)
    assert (got.low, got.high) == (pytest.approx(0.025), pytest.approx(0.975))
    assert interval(drawn, 2.0).high == 2.0
    assert interval(drawn, -1.0).low == -1.0


def test_a_figure_without_a_value_has_no_interval() -> None:
    assert interval(np.zeros(9), math.nan) is None
    assert interval(np.array([math.nan, math.nan, 1.0]), 1.0) is None
    assert interval(np.array([math.nan, 1.0, 1.0]), 1.0) == Interval(1.0, 1.0)


def test_an_interval_may_reach_infinity() -> None:
    drawn = np.concatenate([np.ones(50), np.full(50, math.inf)])
    assert interval(drawn, math.inf) == Interval(1.0, math.inf)
    low, high = band_of(drawn[:, np.newaxis], np.array([2.0]))
    assert (low[0], high[0]) == (1.0, math.inf)


@given(st.floats(0.05, 0.95), st.floats(-0.1, 0.1))
def test_the_correction_for_optimism_goes_against_it(observed, bias) -> None:
    spread = np.linspace(-0.02, 0.02, 401)
    got = fitted(observed + bias + spread, observed, highest=1.0)
    assert 0.0 <= got.low <= observed <= got.high <= 1.0
    target = np.clip(observed - 2 * bias, 0.0, 1.0)
    assert got.low - 1e-12 <= target <= got.high + 1e-12


# -- all figures at once ----------


@few
@pytest.mark.parametrize("seed", range(3))
def test_the_figures_are_those_of_the_functions(seed) -> None:
    values, linked, a, b = case(seed, 12)
    got = measured(values, linked, source_a=a, source_b=b, rng=generator())
    assert got.cllr.value == pytest.approx(cllr(values, linked))
    assert got.cllr_min.value == pytest.approx(cllr_min(values, linked))
    assert got.cllr_cal.value == pytest.approx(got.cllr.value - got.cllr_min.value)
    assert got.devpav.value == pytest.approx(devpav(values, linked))
    rates = misleading_rates(values, linked)
    assert got.misleading_linked.value == rates.linked
    assert got.strong_unlinked.value == rates.strong_unlinked
    assert_allclose(got.tippett.linked, tippett(values, linked, at=got.tippett.log10_lr).linked)
    assert (got.n_linked, got.n_unlinked) == (linked.sum(), (~linked).sum())
    assert (got.n_linked_sources, got.n_unlinked_sources, got.n_resamples) == (12, 12, 2000)


@few
def test_intervals_are_those_of_a_literal_resampling() -> None:
    values, linked, a, b = case(5, 6)
    got = measured(values, linked, source_a=a, source_b=b, rng=generator(7), n_resamples=100)
    draws = draw_sources(pairs_of_sources(linked, a, b), 100, generator(7))
    found: dict[str, list[float]] = {name: [] for name in ("cllr", "cllr_min", "devpav", "rate")}
    for k in range(draws.n_draws):
        drawn = literal(a, b, linked, draws.counts[:, k])
        found["cllr"].append(cllr(values[drawn], linked[drawn]))
        found["cllr_min"].append(cllr_min(values[drawn], linked[drawn]))
        found["devpav"].append(devpav(values[drawn], linked[drawn]))
        found["rate"].append(misleading_rates(values[drawn], linked[drawn]).unlinked)
    arrays = {name: np.array(x) for name, x in found.items()}

    def same(one: Any, other: Any) -> None:
        assert_allclose((one.low, one.high), (other.low, other.high), atol=1e-12)

    same(got.cllr.interval, interval(arrays["cllr"], got.cllr.value))
    same(got.devpav.interval, interval(arrays["devpav"], got.devpav.value))
    low, high = rate_band(
        arrays["rate"][:, np.newaxis],
        np.array([got.misleading_unlinked.value]),
        n_sources=6,
        units=3,
        n_pairs=got.n_unlinked,
    )
    same(got.misleading_unlinked.interval, Interval(low[0], high[0]))
    same(
        got.cllr_min.interval,
        fitted(arrays["cllr_min"], got.cllr_min.value, highest=1.0),
    )
    same(
        got.cllr_cal.interval,
        fitted(arrays["cllr"] - arrays["cllr_min"], got.cllr_cal.value, highest=math.inf),
    )


@few
def test_every_curve_lies_in_its_band() -> None:
    values, linked, a, b = case(1, 10)
    got = measured(values, linked, source_a=a, source_b=b, rng=generator(), n_resamples=200)
    bands = (
        (got.ece.low, got.ece.lr, got.ece.high),
        (got.tippett.linked_low, got.tippett.linked, got.tippett.linked_high),
        (got.tippett.unlinked_low, got.tippett.unlinked, got.tippett.unlinked_high),
        (got.pav_curve.low, got.pav_curve.fitted, got.pav_curve.high),
    )
    for low, curve, high in bands:
        assert low.shape == curve.shape
        assert (low <= curve).all()
        assert (curve <= high).all()
    middle = int(np.flatnonzero(got.ece.prior_log10_odds == 0.0)[0])
    assert got.ece.low[middle] == pytest.approx(got.cllr.interval.low)
    assert got.ece.high[middle] == pytest.approx(got.cllr.interval.high)


@few
def test_rarer_things_have_lower_bounds() -> None:
    values, linked, a, b = case(2, 12)
    got = measured(values, linked, source_a=a, source_b=b, rng=generator(), n_resamples=200)
    for side in (True, False):
        ends = [e.interval for e in got.exceedances if e.linked == side]
        assert len(ends) == 5
        assert all(x.high >= y.high and x.low >= y.low for x, y in itertools.pairwise(ends))
        assert all(e.interval.low <= e.rate <= e.interval.high for e in got.exceedances)
    assert got.strong_linked.interval.high <= got.misleading_linked.interval.high


@few
def test_the_band_of_the_fit_is_open_where_nothing_was_seen() -> None:
    """Calibrated LRs have the identity in the band also where no linked pair ever was."""
    values, linked, a, b = calibrated_pairs(generator(0), n_sources=30, within=0.1)
    got = measured(values, linked, source_a=a, source_b=b, rng=generator(), n_resamples=200)
    curve = got.pav_curve
    unseen = np.isneginf(curve.fitted)
    assert unseen.mean() > 0.3
    assert np.isneginf(curve.low[unseen]).all()
    assert np.isfinite(curve.high[unseen]).all()
    inside = (curve.low <= curve.log10_lr) & (curve.log10_lr <= curve.high)
    assert inside.mean() > 0.8


@few
def test_the_same_seed_gives_the_same_result() -> None:
    values, linked, a, b = case()
    one, two = (
        measured(values, linked, source_a=a, source_b=b, rng=generator(3), n_resamples=100)
        for _ in range(2)
    )
    assert one.rows() == two.rows()
    np.testing.assert_array_equal(one.pav_curve.low, two.pav_curve.low)


def test_without_sources_there_are_no_intervals_and_it_is_said() -> None:
    values, linked, _, _ = case(0, 12)
    got = measured(values, linked, rng=generator())
    assert all(x.interval is None for _, x in got.rows())
    assert all(e.interval is None for e in got.exceedances)
    assert got.ece.low is None
    assert got.n_resamples == 0
    assert any("No intervals" in str(n) and "source_a" in str(n) for n in got.notes)
    assert "sources not known" in repr(got)


def test_few_sources_are_warned_of() -> None:
    values, linked, a, b = case(0, 10)
    with pytest.warns(SmallSampleWarning, match="Only 10 sources stand behind the linked pairs"):
        got = measured(values, linked, source_a=a, source_b=b, rng=generator(), n_resamples=100)
    assert any("10 sources" in str(n) for n in got.notes)
    with pytest.warns(SmallSampleWarning, match="only 2 linked pairs"):
        measured([1.0, 1.0, 0.0], [True, True, False], rng=generator())


@few
def test_an_infinite_cost_is_reported_with_its_reason() -> None:
    values, linked, a, b = case(0, 12)
    values = np.where(np.arange(len(values)) == np.argmax(linked), -math.inf, values)
    with pytest.warns(DataWarning, match="Cllr is infinite: 1 linked"):
        got = measured(values, linked, source_a=a, source_b=b, rng=generator(), n_resamples=200)
    assert got.cllr.value == got.cllr_cal.value == math.inf
    assert got.cllr.interval.high == math.inf
    assert math.isfinite(got.cllr.interval.low)
    assert math.isfinite(got.cllr_min.value)
    assert any("infinite" in str(n) for n in got.notes)


@few
def test_pairs_that_separate_completely_have_no_devpav() -> None:
    linked = np.repeat([True, False], [4, 6])
    a = np.array([0, 1, 2, 3, 0, 0, 0, 1, 1, 2])
    b = np.array([0, 1, 2, 3, 1, 2, 3, 2, 3, 3])
    values = np.where(linked, 3.0, -3.0)
    got = measured(values, linked, source_a=a, source_b=b, rng=generator(), n_resamples=100)
    assert math.isnan(got.devpav.value)
    assert got.devpav.interval is None
    assert got.cllr_min.value == 0.0
    assert got.misleading_linked.interval.high == pytest.approx(beta.ppf(0.975, 1, 4))


@few
def test_all_lrs_infinite_still_have_curves() -> None:
    linked = np.array([True, True, False])
    got = measured(
        [math.inf, math.inf, -math.inf], linked, source_a=["a", "b", "a"],
        source_b=["a", "b", "b"], rng=generator(), n_resamples=100,
    )  # fmt: skip
    assert got.cllr.value == 0.0
    assert len(got.tippett.log10_lr) == 1


@few
def test_a_notebook_shows_every_figure_and_every_warning() -> None:
    values, linked, a, b = case(0, 8)
    got = measured(
        values, linked, source_a=a, source_b=b, rng=generator(), n_resamples=100, levels=[10]
    )
    page = got._repr_html_()
    assert page.startswith("<table>")
    for text in ("Cllr_min", "devPAV", "allowed: 0.1", "mind", "linked pairs, sources", "&lt;"):
        assert text in page
    assert str(Estimate(0.5, Interval(0.25, 0.75))) == "0.5 (95 %: 0.25 to 0.75)"
    assert str(Estimate(0.5)) == "0.5"
    assert repr(got).startswith("<LrPerformance Cllr ")
    assert repr(got.tippett).startswith("<Tippett at 121 values")
    assert repr(got.pav_curve) == "<PavCurve at 121 values>"


@few
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source_b": None}, "both profiles"),
        ({"source_a": ["a"]}, "one source a pair"),
        ({"source_b": ["b", "b"]}, "called linked.*'a' and 'b', are different"),
        ({"source_b": ["a", "a"]}, "called unlinked.*the same"),
        ({"source_a": [1.0, math.nan], "source_b": [1.0, 2.0]}, "source_a holds NaN"),
        ({"source_a": [1, 2]}, "by text, or in both by number"),
        ({"source_a": np.array(["a", None], dtype=object)}, "cannot be ordered"),
        ({"rng": 3}, "numpy.random.Generator"),
        ({"n_resamples": 5}, "whole number from 100"),
        ({"n_resamples": True}, "whole number from 100"),
        ({"strong_log10_lr": 0.0}, "above 0"),
    ],
)
def test_input_that_cannot_be_used_is_explained(change, said) -> None:
    plain = {"source_a": ["a", "a"], "source_b": ["a", "b"], "rng": generator()}
    with pytest.raises(InputError, match=said):
        measured([1.0, 0.0], [True, False], **{**plain, **change})


# -- coverage ----------


@few
def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """20 sources, LRs that are right by construction: Cllr_cal is 0 and Cllr_min is Cllr.

    The short version of scripts/performance_coverage.py. Of 40 intervals that hold the truth in
    90 % of all cases fewer than 29 do so in 1 case of 1,000.
    """
    large = [calibrated_pairs(generator(9000 + k), n_sources=300, n_profiles=2) for k in range(20)]
    truth = float(np.mean([cllr(x, linked) for x, linked, _, _ in large]))
    held = np.zeros(3)
    for seed in range(40):
        values, linked, a, b = calibrated_pairs(generator(seed), n_sources=20, n_profiles=2)
        got = measured(values, linked, source_a=a, source_b=b, rng=generator(seed), n_resamples=150)
        for k, (figure, value) in enumerate(
            ((got.cllr, truth), (got.cllr_min, truth), (got.cllr_cal, 0.0))
        ):
            held[k] += figure.interval.low <= value <= figure.interval.high
    assert (held >= 29).all()


def test_sources_of_very_unequal_size_are_noted() -> None:
    rng = generator(0)
    own = np.repeat(np.arange(40), [1] * 38 + [60, 60])
    first, second = np.triu_indices(40, k=1)
    a, b = np.concatenate([own, first]), np.concatenate([own, second])
    values, linked = rng.normal(size=len(a)), a == b
    got = measured(values + linked, linked, source_a=a, source_b=b, rng=rng, n_resamples=100)
    assert any(
        "weigh like those of 3.4 sources of equal size" in note for note in map(str, got.notes)
    )
