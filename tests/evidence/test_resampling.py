"""Intervals by resampling sources: against a literal resampling, and by their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from drugsig.evidence import Interval, resampling
from drugsig.evidence.resampling import auc_interval, rate_interval, source_weights
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


@given(linked_pairs, unlinked_pairs, st.integers(0, 99), st.integers(0, 5), st.booleans())
def test_a_rate_is_that_of_a_literal_resampling(linked, unlinked, seed, cut, side) -> None:
    sample = made(linked, unlinked)
    weights = weights_for(sample, seed)
    positive = sample.scores <= cut
    drawn = literal(sample, weights)[0 if side else 1]
    low, high = ends([float(positive[list(k)].mean()) for k in drawn if k])
    observed = positive[sample.linked == side].mean()
    got = rate_interval(sample, positive, weights, linked=side)
    if 0 < observed < 1:
        expected = min(low, observed), max(high, observed)
        np.testing.assert_allclose((got.low, got.high), expected, atol=1e-14)
    else:
        assert got.low <= min(low, observed) + 1e-14
        assert got.high >= max(high, observed) - 1e-14


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


def test_many_pairs_of_three_sources_are_one_independent_pair() -> None:
    unlinked = [(9.0, k % 3, (k + 1) % 3) for k in range(300)]
    sample = sample_of([(0.0, 0)], unlinked)
    got = rate_interval(sample, sample.scores < 1, weights_for(sample, 0), linked=False)
    assert got.high == pytest.approx(0.975)


def test_an_interval_is_two_numbers() -> None:
    assert str(Interval(0.012345, 0.5)) == "0.01235 to 0.5"


# -- coverage ----------


@pytest.mark.slow
@pytest.mark.parametrize("side", ["linked", "unlinked"])
def test_intervals_hold_the_truth_about_as_often_as_they_say(side: str) -> None:
    """60 sources with a place each, 3 profiles around it; a link is a distance up to a cut.

    The true rates come from 400 further simulations. Percentile intervals are known to fall short
    a little: they must hold the truth as often as an interval of 93 % would, at 1 in 1000.
    """
    repetitions, n_sources, cut = 300, 60, 0.3
    further = [rates(np.random.default_rng(10_000 + k), n_sources, cut)[0] for k in range(400)]
    truth = dict(zip(("linked", "unlinked"), np.mean(further, axis=0), strict=True))[side]
    hits = 0
    for k in range(repetitions):
        rng = np.random.default_rng(k)
        _, sample = rates(rng, n_sources, cut)
        weights = source_weights(n_sources, 400, rng)
        got = rate_interval(sample, sample.scores <= cut, weights, linked=side == "linked")
        hits += got.low <= truth <= got.high
    assert hits >= binom.ppf(0.001, repetitions, 0.93)


def rates(rng: np.random.Generator, n_sources: int, cut: float):
    """Simulate; return the observed rates of linked and unlinked pairs, and the sample."""
    centre = np.repeat(rng.gamma(2.0, 1.0, n_sources), 3)
    spread = np.repeat(rng.gamma(2.0, 0.1, n_sources), 3)
    place = centre + spread * rng.standard_normal(3 * n_sources)
    source_of = np.repeat(np.arange(n_sources), 3)
    i, j = np.triu_indices(3 * n_sources, k=1)
    distance = np.abs(place[i] - place[j])
    same = source_of[i] == source_of[j]
    sample = sample_of(
        list(zip(distance[same], source_of[i][same], strict=True)),
        list(zip(distance[~same], source_of[i][~same], source_of[j][~same], strict=True)),
    )
    positive = distance <= cut
    return (positive[same].mean(), positive[~same].mean()), sample
