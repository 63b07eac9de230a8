"""Bounds: against the definition searched on a grid, by hand, and where there is little data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from drugsig.errors import InputError, UnknownNameError
from drugsig.evidence.bounds import BOUND_METHODS, Bounds, bound_lrs, elub, invariance_bounds
from tests.evidence.performance.cases import calibrated_pairs, pairs

T, F = True, False
every_method = pytest.mark.parametrize("method", sorted(BOUND_METHODS))

STEP = 0.002


def worth_having(values, linked, place: float) -> bool:
    """The normalised Bayes error rate with a misleading LR put at this log10 threshold."""
    one, other, t = values[linked], values[~linked], 10.0**place
    if place >= 0:
        other = np.append(other, place)
        return t * np.mean(other >= place) + np.mean(one < place) < 1
    one = np.append(one, place)
    return np.mean(one <= place) / t + np.mean(other > place) < 1


def invariant(values, linked, place: float) -> bool:
    """Whether the LR of reaching the threshold is at least the threshold, and was seen so."""
    reach = values >= place if place >= 0 else values <= place
    if not reach[linked if place >= 0 else ~linked].any():
        return False
    one = (reach[linked].sum() + 1) / (linked.sum() + 2)
    other = (reach[~linked].sum() + 1) / ((~linked).sum() + 2)
    return one / other > 10.0**place if place >= 0 else one / other < 10.0**place


def searched(holds, values, linked, sign: float) -> float:
    """Walk from just beyond 0 outwards until it no longer holds."""
    place = sign * STEP / 2
    while holds(values, linked, place):
        place += sign * STEP
    return place - sign * STEP / 2


ORACLES = {"elub": worth_having, "invariance": invariant}


@every_method
@given(given_pairs=pairs())
def test_bounds_are_where_the_definition_ends(method, given_pairs) -> None:
    values, linked = given_pairs
    got = bound_lrs(values, linked, method=method)
    for sign, bound in ((1.0, got.high), (-1.0, got.low)):
        assert bound == pytest.approx(
            searched(ORACLES[method], values, linked, sign), abs=1.01 * STEP
        )


@pytest.mark.parametrize("n", [1, 9, 99, 999])
def test_no_bound_goes_beyond_the_number_of_pairs(n) -> None:
    linked = np.repeat([T, F], [40, n])
    got = elub(np.where(linked, 300.0, -300.0), linked)
    assert got.high == pytest.approx(math.log10(n + 1))
    assert got.low == pytest.approx(-math.log10(41))
    assert (got.n_linked, got.n_unlinked) == (40, n)


def test_one_misleading_pair_more_halves_the_bound() -> None:
    linked = np.repeat([T, F], [50, 99])
    values = np.where(linked, 5.0, -5.0)
    values[-1] = 8.0
    assert elub(values, linked).high == pytest.approx(math.log10(50))


@every_method
@pytest.mark.parametrize(
    ("values", "linked"),
    [
        ([0.0, 0.0], [T, F]),
        ([-2.0, 2.0], [T, F]),
        ([1.0, 1.0, 1.0, 1.0], [T, T, F, F]),
    ],
)
def test_where_nothing_is_supported_the_bounds_close(method, values, linked) -> None:
    got = bound_lrs(values, linked, method=method)
    assert (got.low, got.high) == (0.0, 0.0)
    assert math.copysign(1.0, got.low) == 1.0
    assert not got.supports_evidence
    assert str(got).startswith("no LR beyond 1 is supported by the data")
    assert_array_equal(got.apply([5.0, -5.0]), [0.0, 0.0])


def test_very_few_pairs_support_very_little() -> None:
    got = elub([3.0, -3.0], [T, F])
    assert (got.low, got.high) == pytest.approx((-math.log10(2), math.log10(2)))


@every_method
@given(given_pairs=pairs())
def test_exchanging_the_propositions_exchanges_the_bounds(method, given_pairs) -> None:
    values, linked = given_pairs
    one = bound_lrs(values, linked, method=method)
    other = bound_lrs(-values, ~linked, method=method)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


@every_method
def test_infinite_lrs_are_extreme_ones(method) -> None:
    linked = np.repeat([T, F], [30, 60])
    finite, infinite = np.where(linked, 50.0, -50.0), np.where(linked, math.inf, -math.inf)
    finite[[0, 40]] *= -1
    infinite[[0, 40]] *= -1
    one, other = (bound_lrs(x, linked, method=method) for x in (finite, infinite))
    assert (one.low, one.high) == (other.low, other.high)


@every_method
def test_by_sources_the_bounds_are_narrower(method) -> None:
    values, linked, a, b = calibrated_pairs(np.random.default_rng(0), n_sources=40, within=0.02)
    wide = bound_lrs(values, linked, method=method)
    narrow = bound_lrs(values, linked, method=method, source_a=a, source_b=b)
    assert wide.low < narrow.low < 0 < narrow.high < wide.high
    assert narrow.high <= math.log10(40 / 2 + 2)
    assert narrow.method == f"{wide.method} by sources"


def test_by_sources_independent_pairs_are_what_they_are() -> None:
    linked = np.repeat([T, F], [6, 3])
    a = [0, 1, 2, 3, 4, 5, 0, 1, 2]
    b = [0, 1, 2, 3, 4, 5, 3, 4, 5]
    values = np.where(linked, 9.0, -9.0)
    one, other = elub(values, linked), elub(values, linked, source_a=a, source_b=b)
    assert (one.low, one.high) == (other.low, other.high)


def test_a_gap_ends_the_search() -> None:
    """LRs of 10**0.4 are all misleading; beyond them the LRs would be worth having again."""
    linked = np.repeat([T, F], [100, 1000])
    values = np.where(linked, 2.5, -2.5)
    assert elub(values, linked).high == 2.5
    values[100:500] = 0.4
    assert elub(values, linked).high < 0.4
    assert not worth_having(values, linked, 0.399)
    assert worth_having(values, linked, 1.0)


@every_method
@pytest.mark.parametrize("by_source", [False, True])
def test_no_bound_is_beyond_the_pairs_that_it_speaks_for(method, by_source) -> None:
    """Where no linked pair was seen, the numbers of pairs alone must not make an LR."""
    a, b = np.triu_indices(400, 1)
    a, b = np.concatenate([np.arange(10), a]), np.concatenate([np.arange(10), b])
    linked = a == b
    values = np.where(linked, 0.2, -0.2) + 0.01 * np.sin(np.arange(len(a)))
    sources = {"source_a": a, "source_b": b} if by_source else {}
    bounds = bound_lrs(values, linked, method=method, **sources)
    assert 0 < bounds.high <= values[linked].max()
    assert 0 > bounds.low >= values[~linked].min()


# -- applying ----------


def test_values_beyond_a_bound_are_put_there_and_the_given_ones_are_kept() -> None:
    bounds = Bounds(-1.0, 2.0, "ELUB", 10, 100)
    raw = np.array([-math.inf, -1.0, 0.3, 2.0, 2.1, math.inf])
    assert_array_equal(bounds.apply(raw), [-1.0, -1.0, 0.3, 2.0, 2.0, 2.0])
    assert_array_equal(bounds.outside(raw), [T, F, F, F, T, T])
    assert raw[0] == -math.inf
    assert str(bounds) == "log10 LR from -1 to 2 (ELUB)"
    assert bounds == Bounds(-1.0, 2.0, "ELUB", 10, 100)


@given(st.floats(-20, 20))
def test_bounding_twice_is_bounding_once(value) -> None:
    bounds = Bounds(-1.0, 2.0, "ELUB", 10, 100)
    once = bounds.apply([value])
    assert_array_equal(bounds.apply(once), once)


@pytest.mark.parametrize(
    ("low", "high"), [(0.1, 1.0), (-1.0, -0.1), (-math.inf, 1.0), (0, math.nan)]
)
def test_bounds_enclose_an_lr_of_one(low, high) -> None:
    with pytest.raises(InputError, match="enclose 0"):
        Bounds(low, high, "own", 1, 1)


def test_nan_is_refused_rather_than_bounded() -> None:
    with pytest.raises(InputError, match="NaN"):
        Bounds(-1.0, 1.0, "own", 1, 1).apply([math.nan])


@pytest.mark.parametrize("find", [elub, invariance_bounds])
def test_input_that_cannot_be_used_is_explained(find) -> None:
    with pytest.raises(InputError, match="no unlinked pair"):
        find([1.0], [T])
    with pytest.raises(InputError, match="both profiles"):
        find([1.0, 0.0], [T, F], source_a=["a", "b"])
    with pytest.raises(UnknownNameError, match="Did you mean 'elub'"):
        bound_lrs([1.0, 0.0], [T, F], method="elubs")
