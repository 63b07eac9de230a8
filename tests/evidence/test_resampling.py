"""Intervals by resampling sources: against a literal resampling, and by their coverage."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom, norm
from scipy.stats import t as student

from drugsig.evidence import Interval, resampling
from drugsig.evidence.performance.intervals import largest_unseen
from drugsig.evidence.resampling import (
    auc_interval,
    disjoint_pairs,
    effective_sources,
    falling,
    rate_band,
    rate_interval,
    source_weights,
)
from tests.evidence.cases import sample_of

N_SOURCES = 4

source = st.integers(0, N_SOURCES - 1)
value = st.integers(0, 5).map(float)
linked_pairs = st.lists(st.tuples(value, source), min_size=1, max_size=8)
unlinked_pairs = st.lists(
    st.tuples(value, source, source).filter(lambda x: x[1] != x[2]), min_size=1, max_size=12
)
kinds = st.sampled_from(["euclidean", "squared_cosine"])


def literal(sample, weights: np.ndarray) -> tuple[list, list]:
    """Draw sources and write every pair out as often as it is drawn; return both lists a draw."""
    linked, unlinked = [], []
    for draw in weights.T.astype(int):
        linked.append(
            [k for k in np.flatnonzero(sample.linked) for _ in range(draw[sample.source_a[k]])]
        )
        # Every copy of one source with every copy of the other, each pair of profiles once.
        unlinked.append(
            [
                k
                for k in np.flatnonzero(~sample.linked)
                for _ in range(draw[sample.source_a[k]])
                for _ in range(draw[sample.source_b[k]])
            ]
        )
    return linked, unlinked


def ends(shares: list[float]) -> tuple[float, float]:
    return tuple(np.quantile(shares, [0.025, 0.975])) if shares else (0.0, 1.0)


def made(linked, unlinked, kind="euclidean"):
    anchor = [(5.0, N_SOURCES - 1)]
    return sample_of(linked + anchor, unlinked, metric=kind)


def weights_for(sample, seed: int, n: int = 60) -> np.ndarray:
    return source_weights(len(sample.sources), n, np.random.default_rng(seed))


def alike(rate: float, spread: float, n_sources: float) -> float:
    """How many independent pairs are as uncertain, with Student's t for so many sources."""
    few = (norm.ppf(0.975) / student.ppf(0.975, max(1, n_sources - 1))) ** 2
    return few * rate * (1 - rate) / spread


def matched(pairs: set[frozenset[int]]) -> int:
    """How many of the pairs can be taken if each source is used once, by trying all."""
    most = N_SOURCES // 2
    return max(
        n
        for n in range(1, most + 1)
        for some in itertools.combinations(pairs, n)
        if len(frozenset().union(*some)) == 2 * n
    )


def binomial_ends(hits: float, n: float) -> tuple[float, float]:
    return (
        beta.ppf(0.025, hits, n - hits + 1) if hits > 0 else 0.0,
        beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0,
    )


@given(linked_pairs, unlinked_pairs, st.integers(0, 99), st.integers(0, 5), st.booleans())
def test_a_rate_is_as_uncertain_as_a_literal_resampling(linked, unlinked, seed, cut, side) -> None:
    sample = made(linked, unlinked)
    weights = weights_for(sample, seed)
    positive = sample.scores <= cut
    drawn = literal(sample, weights)[0 if side else 1]
    which = sample.linked == side
    shares = np.array([float(positive[list(k)].mean()) for k in drawn if k])
    spread = shares.var(ddof=1) if len(shares) > 1 else 0.0
    observed = positive[which].mean()
    ends = np.concatenate([sample.source_a[which], sample.source_b[which]])
    sources, counts = len(set(ends)), np.bincount(ends)
    pairs = {frozenset(p) for p in zip(sample.source_a[which], sample.source_b[which], strict=True)}
    n = sources if side else matched(pairs)
    effective = counts.sum() ** 2 / (counts**2).sum()
    if 0 < observed < 1 and spread > 1e-20:
        n = min(which.sum(), alike(observed, spread, min(effective, 2 * n)))
    low, high = binomial_ends(observed * n, n)
    got = rate_interval(sample, positive, weights, linked=side)
    expected = min(low, observed), max(high, observed)
    np.testing.assert_allclose((got.low, got.high), expected, atol=1e-9)


@given(linked_pairs, unlinked_pairs, st.integers(0, 99), kinds)
def test_an_area_is_that_of_a_literal_resampling(linked, unlinked, seed, kind) -> None:
    sample = made(linked, unlinked, kind)
    weights = weights_for(sample, seed)
    sign = -1 if kind == "squared_cosine" else 1

    def area(a: list[int], b: list[int]) -> float:
        one, two = sign * sample.scores[a][:, None], sign * sample.scores[b][None, :]
        return float(((one < two) + 0.5 * (one == two)).mean())

    drawn = [area(a, b) for a, b in zip(*literal(sample, weights), strict=True) if a and b]
    low, high = ends(drawn)
    observed = area(list(np.flatnonzero(sample.linked)), list(np.flatnonzero(~sample.linked)))
    got = auc_interval(sample, weights)
    if 0 < observed < 1:
        expected = min(low, observed), max(high, observed)
        np.testing.assert_allclose((got.low, got.high), expected, atol=1e-12)
    else:
        assert got.low <= observed <= got.high


def test_every_source_is_drawn_as_often_as_any_other() -> None:
    weights = source_weights(7, 4000, np.random.default_rng(0))
    assert weights.shape == (7, 4000)
    assert (weights.sum(axis=0) == 7).all()
    np.testing.assert_allclose(weights.mean(axis=1), 1.0, atol=0.06)
    np.testing.assert_allclose(weights.var(axis=1), 6 / 7, atol=0.1)


@pytest.mark.parametrize("crowded", [-1.0, 2.0], ids=["in full", "sparse"])
def test_both_ways_to_multiply_give_the_same_bits(crowded: float, monkeypatch) -> None:
    rng = np.random.default_rng(0)
    pairs = [(float(rng.integers(6)), *rng.choice(30, 2, replace=False)) for _ in range(300)]
    sample = sample_of([(1.0, 0)], pairs)
    weights = weights_for(sample, 1, 300)
    plain = rate_interval(sample, sample.scores <= 1, weights, linked=False)
    monkeypatch.setattr(resampling, "_CROWDED", crowded)
    assert rate_interval(sample, sample.scores <= 1, weights, linked=False) == plain


def test_the_order_within_a_pair_does_not_count() -> None:
    rng = np.random.default_rng(0)
    pairs = [(float(rng.integers(6)), *rng.choice(9, 2, replace=False)) for _ in range(60)]
    turned = [(x, b, a) if k % 2 else (x, a, b) for k, (x, a, b) in enumerate(pairs)]
    for interval in (
        lambda s: rate_interval(s, s.scores <= 1, weights_for(s, 3), linked=False),
        lambda s: auc_interval(s, weights_for(s, 3)),
    ):
        first, second = sample_of([(1.0, 8)], pairs), sample_of([(1.0, 8)], turned)
        assert interval(first) == interval(second)


def test_very_many_pairs_are_resampled_less_often(monkeypatch) -> None:
    sample = made([(1.0, 0), (2.0, 1)], [(1.5, 0, 1), (3.0, 1, 2), (1.0, 2, 3)])
    weights = weights_for(sample, 0, 1000)
    for name in ("_MOST_FOR_AUC", "_MOST_FOR_RATE"):
        monkeypatch.setattr(resampling, name, 1)
    few = weights[:, :200]
    assert auc_interval(sample, weights) == auc_interval(sample, few)
    positive = sample.scores <= 1.2
    assert rate_interval(sample, positive, weights, linked=False) == rate_interval(
        sample, positive, few, linked=False
    )


# -- where resampling shows no spread ----------


@pytest.mark.parametrize("n", [1, 3, 10, 60])
def test_all_or_nothing_gets_the_exact_binomial_bound(n: int) -> None:
    """n linked sources are n trials; 2 n sources make n unlinked pairs that share none."""
    linked = [(0.0, k) for k in range(n)]
    unlinked = [(9.0, k, n + k) for k in range(n)]
    sample = sample_of(linked, unlinked)
    weights = weights_for(sample, 0)
    lowest, highest = beta.ppf(0.025, n, 1), beta.ppf(0.975, 1, n)
    every, none = sample.scores <= 10, sample.scores < 0
    for side in (True, False):
        got = rate_interval(sample, every, weights, linked=side)
        assert [got.low, got.high] == pytest.approx([lowest, 1.0])
        got = rate_interval(sample, none, weights, linked=side)
        assert [got.low, got.high] == pytest.approx([0.0, highest])
    got = auc_interval(sample, weights)
    assert [got.low, got.high] == pytest.approx([lowest, 1.0])


@pytest.mark.parametrize("units", [1, 5, 60])
def test_rates_of_all_or_nothing_know_no_more_than_their_units(units: int) -> None:
    drawn = np.tile([0.0, 1.0], (9, 1))
    low, high = rate_band(
        drawn, np.array([0.0, 1.0]), n_sources=2 * units, units=units, n_pairs=1000
    )
    np.testing.assert_allclose(low, [0.0, beta.ppf(0.025, units, 1)])
    np.testing.assert_allclose(high, [beta.ppf(0.975, 1, units), 1.0])
    assert largest_unseen(units) == pytest.approx(high[0])


def test_many_pairs_of_three_sources_are_one_independent_pair() -> None:
    unlinked = [(9.0, k % 3, (k + 1) % 3) for k in range(300)]
    sample = sample_of([(0.0, 0)], unlinked)
    got = rate_interval(sample, sample.scores < 1, weights_for(sample, 0), linked=False)
    assert got.high == pytest.approx(0.975)


def test_without_any_draw_a_rate_knows_no_more_than_its_units() -> None:
    none = np.empty((0, 1))
    low, high = rate_band(none, np.array([0.5]), n_sources=8, units=4, n_pairs=100)
    assert (low[0], high[0]) == pytest.approx(binomial_ends(2, 4))


# -- Korn and Graubard ----------


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.9])
def test_draws_as_uncertain_as_independent_pairs_give_the_binomial_interval(rate: float) -> None:
    n, many = 200, {"units": 10**6, "n_pairs": 10**6}
    drawn = np.random.default_rng(0).binomial(n, rate, size=(200_000, 1)) / n
    low, high = rate_band(drawn, np.array([rate]), n_sources=10**6, **many)
    assert (low[0], high[0]) == pytest.approx(binomial_ends(rate * n, n), rel=0.02)
    wide_low, wide_high = rate_band(drawn, np.array([rate]), n_sources=5, **many)
    assert wide_low < low
    assert wide_high > high


def test_no_more_pairs_are_independent_than_there_are() -> None:
    drawn = 0.5 + 1e-6 * np.random.default_rng(0).standard_normal((100, 1))
    low, high = rate_band(drawn, np.array([0.5]), n_sources=10**6, units=10**6, n_pairs=40)
    assert (low[0], high[0]) == pytest.approx(binomial_ends(20, 40))


def test_a_band_of_rates_falls() -> None:
    low, high = falling(
        np.array([0.0, 0.3, 0.1]), np.array([0.9, 0.8, 0.5]), np.array([2.0, 0.0, 1.0])
    )
    np.testing.assert_allclose(low, [0.0, 0.3, 0.1])
    np.testing.assert_allclose(high, [0.5, 0.8, 0.5])


# -- pairs that share no source ----------


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(0, 1)], 1),
        ([(0, k) for k in range(1, 60)], 1),
        ([(h, k) for h in range(3) for k in range(3, 60)], 3),
        (list(itertools.combinations(range(60), 2)), 30),
        (list(itertools.combinations(range(7), 2)), 3),
        ([(0, 1), (1, 0), (2, 1), (7, 9)], 2),
    ],
    ids=["one", "one hub", "three hubs", "all", "odd", "gaps"],
)
def test_each_source_is_used_once(pairs, expected) -> None:
    a, b = np.array(pairs).T
    assert disjoint_pairs(a, b) == disjoint_pairs(b, a) == expected


def test_sources_of_unequal_size_weigh_like_fewer_of_equal_size() -> None:
    own = np.repeat(np.arange(6), 4)
    assert effective_sources(own, own) == pytest.approx(6)
    own = np.repeat([0, 3], [9, 1])
    assert effective_sources(own, own) == pytest.approx(100 / 82)
    a, b = np.triu_indices(7, k=1)
    assert effective_sources(a, b) == pytest.approx(7)


def test_a_source_in_every_pair_leaves_the_rate_uncertain() -> None:
    """59 sources against one: what that one is like decides."""
    sample = sample_of([(0.0, 0)], [(float(k % 3), 0, k) for k in range(1, 60)])
    for cut, ends in ((1.0, [0.0, 1.0]), (9.0, [0.025, 1.0]), (-1.0, [0.0, 0.975])):
        got = rate_interval(sample, sample.scores <= cut, weights_for(sample, 0), linked=False)
        assert [got.low, got.high] == pytest.approx(ends, abs=0.05)


def test_an_interval_is_two_numbers() -> None:
    assert str(Interval(0.012345, 0.5)) == "0.01235 to 0.5"


# -- coverage ----------


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0.3, 0.02], ids=["frequent", "rare"])
def test_intervals_hold_the_truth_about_as_often_as_they_say(cut: float) -> None:
    """60 sources with a place each, 3 profiles around it; a link is a distance up to a cut.

    The true rates come from 400 further simulations. The intervals must hold the truth as often as
    those of 95 % would, at 1 in 1000.
    """
    repetitions, n_sources = 200, 60
    further = [simulated(np.random.default_rng(10_000 + k), n_sources) for k in range(400)]
    hits = {True: 0, False: 0}
    truth = {
        side: np.mean([(distance[(a == b) == side] <= cut).mean() for distance, a, b in further])
        for side in hits
    }
    for k in range(repetitions):
        rng = np.random.default_rng(k)
        distance, a, b = simulated(rng, n_sources)
        same = a == b
        sample = sample_of(
            list(zip(distance[same], a[same], strict=True)),
            list(zip(distance[~same], a[~same], b[~same], strict=True)),
        )
        weights = source_weights(n_sources, 400, rng)
        for side in hits:
            got = rate_interval(sample, sample.scores <= cut, weights, linked=side)
            hits[side] += got.low <= truth[side] <= got.high
    assert min(hits.values()) >= binom.ppf(0.001, repetitions, 0.95)


def simulated(rng: np.random.Generator, n_sources: int) -> tuple[np.ndarray, ...]:
    """The distances of all pairs of profiles, and both sources of each."""
    centre = np.repeat(rng.gamma(2.0, 1.0, n_sources), 3)
    spread = np.repeat(rng.gamma(2.0, 0.1, n_sources), 3)
    place = centre + spread * rng.standard_normal(3 * n_sources)
    source_of = np.repeat(np.arange(n_sources), 3)
    i, j = np.triu_indices(3 * n_sources, k=1)
    return np.abs(place[i] - place[j]), source_of[i], source_of[j]
