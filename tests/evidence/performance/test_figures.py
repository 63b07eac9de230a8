"""Each figure against hand-computed values, a literal definition, and what must not change it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.isotonic import isotonic_regression

from drugsig.errors import DataWarning, InputError
from drugsig.evidence.performance import (
    cllr,
    cllr_cal,
    cllr_min,
    devpav,
    ece,
    exceedances,
    misleading_rates,
    pav,
    tippett,
)
from tests.evidence.performance.cases import calibrated_pairs, pairs

FIGURES: dict[str, Any] = {
    "cllr": cllr,
    "cllr_min": cllr_min,
    "cllr_cal": cllr_cal,
    "devpav": devpav,
    "ece": lambda x, y, **k: ece(x, y, **k).lr,
    "ece of the fit": lambda x, y, **k: ece(x, y, **k).pav,
    "tippett": lambda x, y, **k: tippett(x, y, at=[-1.0, 0.0, 0.5], **k).linked,
    "misleading_rates": lambda x, y, **k: [
        getattr(misleading_rates(x, y, strong_log10_lr=1, **k), name)
        for name in ("linked", "unlinked", "strong_linked", "strong_unlinked")
    ],
    "exceedances": lambda x, y, **k: [e.rate for e in exceedances(x, y, **k)],
}
every_figure = pytest.mark.parametrize("name", FIGURES)
T, F = True, False


def of_lrs(linked, unlinked) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore"):
        values = np.log10(np.array([*linked, *unlinked], dtype=float))
    return values, np.arange(len(values)) < len(linked)


# -- Cllr ----------


@pytest.mark.parametrize(
    ("linked", "unlinked", "expected"),
    [
        ([1, 1, 1], [1], 1.0),
        ([3, 3], [1 / 3, 1 / 3], 0.4150374992788438),
        ([1 / 3, 1 / 3], [3, 3], 2.0),
        ([3], [1], (math.log2(4 / 3) + 1) / 2),
        ([math.inf], [0], 0.0),
    ],
)
def test_cllr_by_hand(linked, unlinked, expected) -> None:
    assert cllr(*of_lrs(linked, unlinked)) == pytest.approx(expected, abs=1e-15)


def test_the_kinds_of_pairs_count_the_same_however_many_there_are() -> None:
    assert cllr(*of_lrs([3], [1 / 3] * 99)) == pytest.approx(0.4150375, abs=1e-7)


@given(pairs())
def test_cllr_is_its_definition(given_pairs) -> None:
    values, linked = given_pairs
    lr = 10.0**values
    expected = np.mean(np.log2(1 + 1 / lr[linked])) + np.mean(np.log2(1 + lr[~linked]))
    assert cllr(values, linked) == pytest.approx(expected / 2, rel=1e-12)


def test_extreme_lrs_cost_what_they_must() -> None:
    right = cllr([4000.0, -4000.0], [T, F])
    assert right == 0.0
    assert cllr([-4000.0, 4000.0], [T, F]) == pytest.approx(4000 * math.log2(10))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([-math.inf, 1.0, -1.0], r"1 linked pair\(s\) have an LR of 0\."),
        ([1.0, 1.0, math.inf], r"1 unlinked pair\(s\) have an infinite LR\."),
        ([-math.inf, -math.inf, math.inf], "2 linked .* and 1 unlinked"),
    ],
)
def test_certainty_for_the_wrong_side_is_infinite_and_said(values, said) -> None:
    with pytest.warns(DataWarning, match=f"Cllr is infinite: .*{said}"):
        assert cllr(values, [T, T, F]) == math.inf


def test_a_pair_of_weight_zero_makes_nothing_infinite() -> None:
    values, linked = [-math.inf, 1.0, -1.0], [T, T, F]
    assert cllr(values, linked, weights=[0, 1, 1]) == cllr(values[1:], linked[1:])


def test_certainty_for_the_right_side_costs_nothing() -> None:
    assert cllr([math.inf, -math.inf], [T, F]) == 0.0


@given(pairs())
def test_no_rising_recalibration_is_better_than_the_best(given_pairs) -> None:
    values, linked = given_pairs
    least = cllr_min(values, linked)
    assert 0.0 <= least <= min(1.0, cllr(values, linked)) + 1e-12
    assert cllr_cal(values, linked) == pytest.approx(cllr(values, linked) - least, abs=1e-12)
    for slope, shift in ((0.5, 0.0), (1.0, 0.7), (3.0, -1.0)):
        assert least <= cllr(slope * values + shift, linked) + 1e-12


@given(pairs(), st.sampled_from([np.arctan, np.exp, lambda x: 3 * x - 7, lambda x: x**3]))
def test_cllr_min_sees_the_order_alone(given_pairs, rising) -> None:
    values, linked = given_pairs
    assert cllr_min(rising(values), linked) == cllr_min(values, linked)


def test_cllr_min_of_a_mixture_by_hand() -> None:
    """A half of the linked and a third of the unlinked pairs cannot be told apart."""
    values, linked = of_lrs([9, 1], [1, 0.1, 0.1])
    lr = (1 / 2) / (1 / 3)
    expected = (math.log2(1 + 1 / lr) / 2 + math.log2(1 + lr) / 3) / 2
    assert cllr_min(values, linked) == pytest.approx(expected, rel=1e-12)


# -- PAV ----------


def by_pair(values: np.ndarray, linked: np.ndarray, **options) -> np.ndarray:
    return pav(values, linked, **options).transform(values)


@given(pairs(), st.integers(0, 99))
def test_pav_is_isotonic_regression(given_pairs, seed) -> None:
    """As scikit-learn has it, with ties pooled and the share turned into an LR."""
    values, linked = given_pairs
    weights = np.random.default_rng(seed).integers(1, 4, len(values)).astype(float)
    _, place = np.unique(values, return_inverse=True)
    size = np.bincount(place, weights=weights)
    share = np.bincount(place, weights=weights * linked) / size
    fitted = isotonic_regression(share, sample_weight=size)[place]
    odds = weights[linked].sum() / weights[~linked].sum()
    with np.errstate(divide="ignore"):
        expected = np.log10(fitted) - np.log10(1 - fitted) - np.log10(odds)
    assert_allclose(by_pair(values, linked, weights=weights), expected, atol=1e-9)


@given(pairs())
def test_pav_rises_and_holds_every_pair_once(given_pairs) -> None:
    values, linked = given_pairs
    fit = pav(values, linked)
    with np.errstate(invalid="ignore"):
        assert (np.diff(fit.fitted) > 0).all() or len(fit) == 1
    assert (fit.low <= fit.high).all()
    assert (fit.high[:-1] < fit.low[1:]).all()
    assert fit.linked.sum() == linked.sum()
    assert fit.unlinked.sum() == (~linked).sum()


def test_pav_of_what_the_pairs_show_already_changes_nothing() -> None:
    values, linked = of_lrs([2, 2, 0.5], [2, 0.5, 0.5])
    assert_allclose(by_pair(values, linked), values, atol=1e-15)
    assert devpav(values, linked) == pytest.approx(0.0, abs=1e-15)


@given(pairs())
def test_pav_twice_is_pav_once(given_pairs) -> None:
    values, linked = given_pairs
    once = by_pair(values, linked)
    assert_array_equal(by_pair(once, linked), once)


def test_infinite_lrs_are_pooled_as_any_others() -> None:
    fit = pav([math.inf, -math.inf, -math.inf, 0.0, math.inf], [T, T, F, F, T])
    assert_allclose(fit.fitted, [math.log10((1 / 3) / 1), math.inf])
    assert_array_equal(fit.low, [-math.inf, math.inf])
    assert fit.transform([-math.inf, 5.0])[0] == fit.fitted[0]


def test_between_and_below_blocks_the_block_before_holds() -> None:
    fit = pav([-1.0, 1.0, -1.0, 1.0, 2.0], [T, T, F, F, T])
    assert_array_equal(fit.transform([-9.0, 1.5, 2.0]), fit.fitted[[0, 0, 1]])


def test_the_parts_of_a_fit_are_read_only() -> None:
    fit = pav([1.0, 0.0], [T, F])
    with pytest.raises(ValueError, match="read-only"):
        fit.fitted[0] = 1.0
    assert repr(fit) == "<Pav 2 blocks from 1 linked and 1 unlinked pairs>"


# -- devPAV ----------


def drawn_area(values: np.ndarray, linked: np.ndarray) -> float:
    """The mean distance of the drawn line from the identity, by brute force."""
    fitted = by_pair(values, linked)
    order = np.lexsort([fitted, values])
    x, y = values[order], fitted[order]
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    fine = np.linspace(x[0], x[-1], 200_001)
    return float(np.abs(np.interp(fine, x, y) - fine).mean())


@pytest.mark.parametrize("seed", range(8))
def test_devpav_is_the_area_beside_the_identity(seed) -> None:
    values, linked, _, _ = calibrated_pairs(np.random.default_rng(seed), n_sources=8)
    assert devpav(values, linked) == pytest.approx(drawn_area(values, linked), rel=1e-3)


@pytest.mark.parametrize("at", [0.0, 0.1, 0.5])
def test_devpav_by_hand(at) -> None:
    """Two blocks, with LRs of 1/2 and 2: the line runs from one to the other."""
    off = math.log10(2)
    values = np.array([-at, -at, -at, 1.0, 1.0, 1.0])
    before, after = at - off, off - 1.0
    if before * after < 0:
        expected = (before**2 + after**2) / (abs(before) + abs(after)) / 2
    else:
        expected = (abs(before) + abs(after)) / 2
    linked = np.array([T, F, F, T, T, F])
    assert devpav(values, linked) == pytest.approx(expected)


@pytest.mark.parametrize("shift", [-1.0, 0.5, 2.0])
def test_lrs_wrong_by_a_factor_are_that_far_off(shift) -> None:
    values, linked = of_lrs([2, 2, 0.5], [2, 0.5, 0.5])
    assert devpav(values + shift, linked) == pytest.approx(abs(shift))


def test_where_the_kinds_separate_nothing_is_known_of_calibration() -> None:
    assert math.isnan(devpav([1.0, -1.0], [T, F]))


def test_infinite_lrs_on_the_wrong_side_are_infinitely_far_off() -> None:
    assert devpav([math.inf, math.inf, 0.0], [T, F, F]) == math.inf
    assert devpav([math.inf, 0.3, 0.3], [T, F, T]) == pytest.approx(0.3 + math.log10(2))


# -- ECE ----------


def test_at_even_odds_it_is_cllr() -> None:
    values, linked, _, _ = calibrated_pairs(np.random.default_rng(0), n_sources=12)
    curve = ece(values, linked)
    middle = int(np.flatnonzero(curve.prior_log10_odds == 0.0)[0])
    assert curve.lr[middle] == pytest.approx(cllr(values, linked), rel=1e-12)
    assert curve.pav[middle] == pytest.approx(cllr_min(values, linked), rel=1e-12)
    assert curve.neutral[middle] == 1.0


@given(pairs(), st.floats(-3, 3))
def test_ece_is_its_definition(given_pairs, odds) -> None:
    values, linked = given_pairs
    prior = 10**odds / (1 + 10**odds)
    posterior = 10 ** (values + odds) / (1 + 10 ** (values + odds))
    expected = -prior * np.log2(posterior[linked]).mean()
    expected -= (1 - prior) * np.log2(1 - posterior[~linked]).mean()
    curve = ece(values, linked, prior_log10_odds=[odds])
    assert curve.lr[0] == pytest.approx(expected, rel=1e-9)
    entropy = -prior * math.log2(prior) - (1 - prior) * math.log2(1 - prior)
    assert curve.neutral[0] == pytest.approx(entropy, rel=1e-9)
    assert curve.pav[0] <= min(curve.lr[0], curve.neutral[0]) + 1e-12


def test_lrs_of_one_are_the_neutral_curve() -> None:
    curve = ece(np.zeros(5), [T, T, F, F, F])
    assert_allclose(curve.lr, curve.neutral, rtol=1e-12)
    assert_allclose(curve.pav, curve.neutral, rtol=1e-12)
    assert repr(curve).startswith("<Ece at 51 prior log10 odds from -2.5 to 2.5")


# -- Tippett, misleading evidence, promises ----------


def test_tippett_curves_are_one_less_the_distribution() -> None:
    curve = tippett([2.0, 1.0, -math.inf, 1.0, -1.0, math.inf], [T, T, T, F, F, F])
    assert_array_equal(curve.log10_lr, [-1.0, 0.0, 1.0, 2.0])
    assert_allclose(curve.linked, [2 / 3, 2 / 3, 1 / 3, 0])
    assert_allclose(curve.unlinked, [2 / 3, 2 / 3, 1 / 3, 1 / 3])


def test_an_lr_of_one_misleads_nobody() -> None:
    rates = misleading_rates([0.0, 0.0], [T, F])
    assert (rates.linked, rates.unlinked) == (0.0, 0.0)


def test_strongly_misleading_begins_at_the_threshold() -> None:
    rates = misleading_rates([-2.0, -1.9, 2.0, 1.0], [T, T, F, F])
    assert (rates.linked, rates.unlinked) == (1.0, 1.0)
    assert (rates.strong_linked, rates.strong_unlinked) == (0.5, 0.5)
    assert misleading_rates([-1.0, 0.0], [T, F], strong_log10_lr=1.0).strong_linked == 1.0


def test_misleading_evidence_is_where_the_tippett_curves_say() -> None:
    values, linked, _, _ = calibrated_pairs(np.random.default_rng(3), n_sources=20)
    at_one = tippett(values, linked, at=[0.0])
    rates = misleading_rates(values, linked)
    assert rates.unlinked == pytest.approx(at_one.unlinked[0])
    assert rates.linked == pytest.approx(1.0 - at_one.linked[0])


def test_true_likelihood_ratios_keep_their_promise() -> None:
    values, linked, _, _ = calibrated_pairs(
        np.random.default_rng(0), n_sources=600, n_profiles=2, within=0.05
    )
    found = exceedances(values, linked, levels=[2, 5, 20])
    assert [e.linked for e in found] == [F, F, F, T, T, T]
    assert all(e.rate <= e.allowed for e in found)
    assert all(e.kept for e in found)


def test_a_broken_promise_is_not_judged_without_an_interval() -> None:
    (wrong,) = (e for e in exceedances([3.0, 2.0], [T, F], levels=[100]) if not e.linked)
    assert (wrong.rate, wrong.allowed, wrong.kept) == (1.0, 0.01, None)


# -- weights, order, input ----------


@every_figure
@given(given_pairs=pairs(), seed=st.integers(0, 99))
def test_a_weight_is_a_number_of_copies(name, given_pairs, seed) -> None:
    values, linked = given_pairs
    times = np.random.default_rng(seed).integers(0, 3, len(values))
    times[[np.argmax(linked), np.argmin(linked)]] = 2
    copies = np.repeat(np.arange(len(values)), times)
    figure = FIGURES[name]
    assert_allclose(
        figure(values, linked, weights=times), figure(values[copies], linked[copies]), atol=1e-12
    )


@every_figure
@given(given_pairs=pairs())
def test_the_order_of_pairs_and_the_scale_of_weights_do_not_count(name, given_pairs) -> None:
    values, linked = given_pairs
    figure = FIGURES[name]
    once = figure(values, linked)
    assert_allclose(figure(values[::-1], linked[::-1]), once, atol=1e-12)
    assert_allclose(figure(values, linked, weights=np.full(len(values), 7)), once, atol=1e-12)


@every_figure
def test_what_is_given_is_left_as_it_is(name) -> None:
    values, linked = np.array([1.0, 0.0, -1.0]), np.array([T, F, F])
    FIGURES[name](values, linked)
    assert_array_equal(values, [1.0, 0.0, -1.0])
    assert_array_equal(FIGURES[name](list(values), list(linked)), FIGURES[name](values, linked))


@every_figure
@pytest.mark.parametrize(
    ("values", "linked", "said"),
    [
        ([1.0, math.nan], [T, F], "1 NaN, the first at place 1"),
        ([1.0, 2.0], [T, T], "no unlinked pair among 2"),
        ([1.0, 2.0], [F, F], "no linked pair among 2"),
        ([], [], "True and False|no linked pair"),
        ([1.0, 2.0], [1, 0], "Write linked == 1"),
        ([1.0, 2.0, 3.0], [T, F], "3 pairs and linked has shape"),
        ([[1.0], [2.0]], [T, F], "flat array"),
        (["a", "b"], [T, F], "real numbers"),
    ],
)
def test_input_that_cannot_be_used_is_explained(name, values, linked, said) -> None:
    with pytest.raises(InputError, match=said):
        FIGURES[name](values, linked)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1.0], "one entry a pair"),
        ([1.0, -1.0], "at least 0"),
        ([1.0, math.nan], "finite"),
        ([0.0, 1.0], "0 linked and 1 unlinked pairs that count"),
        ([1.0, 0.0], "1 linked and 0 unlinked pairs that count"),
    ],
)
def test_weights_that_cannot_be_used_are_explained(weights, said) -> None:
    with pytest.raises(InputError, match=said):
        cllr([1.0, 0.0], [T, F], weights=weights)


@pytest.mark.parametrize("strong", [0, -1, math.inf, math.nan])
def test_strongly_misleading_needs_a_threshold(strong) -> None:
    with pytest.raises(InputError, match="strong_log10_lr"):
        misleading_rates([1.0, 0.0], [T, F], strong_log10_lr=strong)


@pytest.mark.parametrize("levels", [[], [1.0], [10, math.inf]])
def test_levels_are_lrs_above_one(levels) -> None:
    with pytest.raises(InputError, match="LRs above 1"):
        exceedances([1.0, 0.0], [T, F], levels=levels)


@pytest.mark.parametrize("grid", [[], [math.inf], [[0.0]]])
def test_places_of_a_curve_are_finite_numbers(grid) -> None:
    with pytest.raises(InputError, match="prior_log10_odds"):
        ece([1.0, 0.0], [T, F], prior_log10_odds=grid)
    with pytest.raises(InputError, match="at must"):
        tippett([1.0, 0.0], [T, F], at=grid)
