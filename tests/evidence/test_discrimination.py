"""Areas, equal error rates and their intervals: against literal resampling, and by invariance."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig import ProfileSet
from drugsig.comparison import get_metric
from drugsig.errors import InputError, PopulationError, SmallSampleWarning
from drugsig.evidence import PopulationRule, auc, roc_curve
from drugsig.evidence.discrimination import compare_discrimination, measure_discrimination
from drugsig.evidence.pairs import known_pairs
from drugsig.evidence.resampling import ranked_sample, source_weights
from drugsig.evidence.roc import (
    det_curve,
    equal_error_rates,
    plain_counts,
    true_positive_rates,
)
from tests.evidence.cases import BATCHES, sample_of

pytestmark = pytest.mark.filterwarnings("ignore::drugsig.errors.SmallSampleWarning")

N_SOURCES = 4
source = st.integers(0, N_SOURCES - 1)
value = st.integers(0, 5).map(float)
linked_pairs = st.lists(st.tuples(value, source), min_size=1, max_size=8)
unlinked_pairs = st.lists(
    st.tuples(value, source, source).filter(lambda x: x[1] != x[2]), min_size=1, max_size=12
)
kinds = st.sampled_from(["euclidean", "squared_cosine"])


def made(linked, unlinked, kind="euclidean"):
    return sample_of([*linked, (5.0, N_SOURCES - 1)], unlinked, metric=kind)


def polyline(linked: np.ndarray, unlinked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ROC curve of distances, from (0, 0), its corners joined by straight lines."""
    steps = np.unique(np.concatenate([linked, unlinked]))
    false = [0.0, *((unlinked <= s).mean() for s in steps)]
    true = [0.0, *((linked <= s).mean() for s in steps)]
    return np.array(false), np.array(true)


def slow_equal_error(linked: np.ndarray, unlinked: np.ndarray) -> float:
    """Walk along the curve until false positives and false negatives meet."""
    false, true = polyline(linked, unlinked)
    for k in range(1, len(false)):
        before, after = false[k - 1] + true[k - 1] - 1.0, false[k] + true[k] - 1.0
        if after >= 0.0:
            share = -before / (after - before)
            return false[k - 1] + share * (false[k] - false[k - 1])
    raise AssertionError


def slow_rate_at(linked: np.ndarray, unlinked: np.ndarray, at: float) -> float:
    false, true = polyline(linked, unlinked)
    last = int(np.flatnonzero(false <= at)[-1])
    if last == len(false) - 1:
        return float(true[last])
    share = (at - false[last]) / (false[last + 1] - false[last])
    return float(true[last] + share * (true[last + 1] - true[last]))


@given(linked_pairs, unlinked_pairs, st.integers(0, 99), kinds)
def test_weighted_curves_are_those_of_a_literal_resampling(linked, unlinked, seed, kind) -> None:
    sample = made(linked, unlinked, kind)
    weights = source_weights(len(sample.sources), 20, np.random.default_rng(seed))
    sign = -1.0 if kind == "squared_cosine" else 1.0
    (counts,) = ranked_sample(sample).counts(weights)
    false, true = counts.vertices()
    errors = equal_error_rates(false, true)
    at = np.array([0.0, 0.1, 0.5, 1.0])
    curves = true_positive_rates(false, true, at)
    for k, draw in enumerate(weights.T.astype(int)):
        a, b = draw[sample.source_a], draw[sample.source_b]
        near = sign * np.repeat(sample.scores[sample.linked], a[sample.linked])
        apart = ~sample.linked
        far = sign * np.repeat(sample.scores[apart], (a * b)[apart])
        if not len(near) or not len(far):
            assert np.isnan(errors[k])
            assert np.isnan(curves[:, k]).all()
            continue
        won = ((near[:, None] < far) + 0.5 * (near[:, None] == far)).sum()
        assert counts.wins[k] == won
        assert counts.n_linked[k] * counts.n_unlinked[k] == near.size * far.size
        assert errors[k] == pytest.approx(slow_equal_error(near, far), abs=1e-12)
        expected = [slow_rate_at(near, far, x) for x in at]
        np.testing.assert_allclose(curves[:, k], expected, atol=1e-12)


@given(linked_pairs, unlinked_pairs, kinds)
def test_counts_without_weights_are_weights_of_one(linked, unlinked, kind) -> None:
    sample = made(linked, unlinked, kind)
    plain = plain_counts(sample.scores, sample.linked, metric=sample.metric)
    (ones,) = ranked_sample(sample).counts(np.ones((N_SOURCES, 1)))
    for field in dataclasses.fields(plain):
        np.testing.assert_array_equal(getattr(plain, field.name), getattr(ones, field.name))
    area = auc(sample.linked_scores, sample.unlinked_scores, metric=sample.metric)
    assert plain.areas(metric=sample.metric)[0] == area


@given(linked_pairs, unlinked_pairs)
def test_a_monotone_change_of_scale_changes_nothing(linked, unlinked) -> None:
    plain = made(linked, unlinked)
    other = made([(np.exp(x), s) for x, s in linked], [(np.exp(x), a, b) for x, a, b in unlinked])
    other = dataclasses.replace(other, scores=np.exp(plain.scores))
    turned = dataclasses.replace(
        plain, scores=100.0 - plain.scores, metric=get_metric("squared_cosine")
    )
    figures = [
        measure_discrimination(s, rng=np.random.default_rng(0), n_resamples=100)
        for s in (plain, other, turned)
    ]
    for one in figures[1:]:
        assert one.auc == pytest.approx(figures[0].auc, abs=1e-14)
        assert one.equal_error_rate == figures[0].equal_error_rate
        assert one.equal_error_interval == figures[0].equal_error_interval
        np.testing.assert_array_equal(one.band_low, figures[0].band_low)


def test_figures_by_hand() -> None:
    sample = sample_of([(1.0, 0), (2.0, 1)], [(2.0, 0, 1), (3.0, 1, 2)])
    found = measure_discrimination(sample, rng=np.random.default_rng(1))
    assert found.auc == 0.875
    # From (0, 0.5) a slanted line to (0.5, 1): it meets FPR = 1 - TPR at 0.25.
    assert found.equal_error_rate == 0.25
    assert found.equal_error_threshold in (1.0, 2.0)
    assert found.true_positive_rate[0] == 0.5
    assert found.true_positive_rate[-1] == 1.0
    assert found.rates[0] == 0.0
    assert found.rates[-1] == 1.0
    assert found.auc_interval.low <= 0.875 <= found.auc_interval.high
    assert (found.band_low <= found.true_positive_rate).all()
    assert (found.band_high >= found.true_positive_rate).all()


def test_complete_separation_is_not_taken_for_certainty() -> None:
    sample = sample_of([(0.0, k) for k in range(5)], [(9.0, k, k + 5) for k in range(5)])
    found = measure_discrimination(sample, rng=np.random.default_rng(1))
    assert (found.auc, found.equal_error_rate) == (1.0, 0.0)
    assert found.auc_interval.low == pytest.approx(0.025 ** (1 / 5))
    assert found.equal_error_interval.high == pytest.approx(1 - 0.025 ** (1 / 5))
    assert found.band_low[0] == pytest.approx(0.025 ** (1 / 5))


def test_the_det_curve_falls_and_its_ends_are_those_of_the_roc_curve() -> None:
    rng = np.random.default_rng(0)
    near, far = rng.normal(0, 1, 40), rng.normal(1, 1, 90)
    thresholds, false, misses = det_curve(near, far, metric=get_metric("euclidean"))
    same, rates, found = roc_curve(near, far, metric=get_metric("euclidean"))
    np.testing.assert_array_equal(thresholds, same)
    np.testing.assert_array_equal(false, rates)
    np.testing.assert_array_equal(misses, 1 - found)
    assert (np.diff(misses) <= 0).all()
    assert misses[-1] == 0.0


def test_the_same_seed_gives_the_same_figures_and_few_sources_are_said() -> None:
    sample = made([(1.0, 0), (2.0, 1)], [(1.5, 0, 1), (3.0, 1, 2)])
    with pytest.warns(SmallSampleWarning, match="only 3 sources"):
        one = measure_discrimination(sample, rng=np.random.default_rng(3))
    two = measure_discrimination(sample, rng=np.random.default_rng(3))
    assert one.auc_interval == two.auc_interval
    np.testing.assert_array_equal(one.band_low, two.band_low)
    again = pickle.loads(pickle.dumps(one))  # noqa: S301
    assert not again.band_low.flags.writeable
    assert "equal error rate" in repr(one)
    assert "<script" not in one._repr_html_()


@pytest.mark.parametrize("wrong", [{"rng": 1}, {"n_resamples": 99}, {"n_resamples": True}])
def test_what_cannot_be_resampled_is_refused(wrong: dict) -> None:
    sample = made([(1.0, 0)], [(1.5, 0, 1)])
    with pytest.raises(InputError, match="must be a"):
        measure_discrimination(sample, **({"rng": np.random.default_rng(0)} | wrong))


# -- the difference of two treatments ----------------------------------------------------------


def two_treatments(noise: float, seed: int = 0):
    """One treatment that sees the sources, and one that sees them through noise."""
    rng = np.random.default_rng(seed)
    profiles = ProfileSet(
        np.ones((40, 2)), ["A", "B"],
        {"profile_id": [str(k) for k in range(40)], "batch_id": [f"b{k // 2}" for k in range(40)]},
    )  # fmt: skip
    known = known_pairs(profiles, BATCHES)
    clear = np.where(known.linked, 0.0, 2.0) + rng.normal(0, 1, len(known))
    metric = get_metric("euclidean")
    blurred = clear + noise * rng.normal(0, 1, len(known))
    return known.scored(clear, metric=metric), known.scored(blurred, metric=metric), known, clear


def test_the_difference_is_paired_and_changes_sign_with_the_order() -> None:
    clear, blurred, _, _ = two_treatments(3.0)
    found = compare_discrimination(clear, blurred, rng=np.random.default_rng(0), n_resamples=500)
    turned = compare_discrimination(blurred, clear, rng=np.random.default_rng(0), n_resamples=500)
    assert found.auc_difference == pytest.approx(found.auc_first - found.auc_second)
    assert found.auc_interval.low > 0, "the clear treatment is better"
    assert found.equal_error_interval.high < 0
    assert turned.auc_interval.low == pytest.approx(-found.auc_interval.high)
    alone = measure_discrimination(clear, rng=np.random.default_rng(0), n_resamples=500)
    assert found.auc_first == alone.auc
    assert "difference" in str(found)


def test_pairing_makes_a_small_difference_of_like_treatments_visible() -> None:
    clear, blurred, _, _ = two_treatments(0.05)
    found = compare_discrimination(clear, blurred, rng=np.random.default_rng(0), n_resamples=500)
    alone = measure_discrimination(clear, rng=np.random.default_rng(0), n_resamples=500)
    width = found.auc_interval.high - found.auc_interval.low
    assert width < 0.3 * (alone.auc_interval.high - alone.auc_interval.low)


def test_a_treatment_does_not_differ_from_itself() -> None:
    clear, _, _, _ = two_treatments(1.0)
    found = compare_discrimination(clear, clear, rng=np.random.default_rng(0), n_resamples=200)
    assert (found.auc_difference, found.auc_interval.low, found.auc_interval.high) == (0, 0, 0)


def test_two_perfect_treatments_may_still_differ() -> None:
    sample = sample_of([(0.0, k) for k in range(5)], [(9.0, k, k + 5) for k in range(5)])
    found = compare_discrimination(sample, sample, rng=np.random.default_rng(0))
    assert found.auc_interval.low == pytest.approx(-(1 - 0.025 ** (1 / 5)))
    assert found.auc_interval.high == -found.auc_interval.low


def test_pairs_without_a_score_under_one_treatment_are_left_out_and_counted() -> None:
    clear, _, known, scores = two_treatments(1.0)
    holes = scores.copy()
    holes[::7] = np.nan
    part = known.scored(holes, metric=clear.metric)
    found = compare_discrimination(clear, part, rng=np.random.default_rng(0), n_resamples=200)
    assert found.n_left_out == len(holes[::7])
    assert found.n_linked + found.n_unlinked == len(scores) - len(holes[::7])
    assert found.auc_difference == 0.0


def test_other_rules_or_profiles_are_refused() -> None:
    clear, _, known, scores = two_treatments(1.0)
    other = PopulationRule.from_data(BATCHES.to_data() | {"name": "another"})
    with pytest.raises(PopulationError, match="no difference of treatments"):
        compare_discrimination(
            clear, dataclasses.replace(clear, rule=other), rng=np.random.default_rng(0)
        )
    renamed = tuple(f"x{s}" for s in clear.sources)
    with pytest.raises(PopulationError, match="not of the same profiles"):
        compare_discrimination(
            clear, dataclasses.replace(clear, sources=renamed), rng=np.random.default_rng(0)
        )
    lonely = known.scored(
        np.where(known.linked & (np.cumsum(known.linked) > 1), np.nan, scores), metric=clear.metric
    )
    others = known.scored(
        np.where(known.linked & (np.cumsum(known.linked) == 1), np.nan, scores),
        metric=clear.metric,
    )
    with pytest.raises(PopulationError, match="share 0 linked"):
        compare_discrimination(lonely, others, rng=np.random.default_rng(0))
