"""The threshold by its definition, the ROC curve by counting, and what goes with both."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig import (
    PopulationRule,
    ProfileSet,
    Recipe,
    compare,
    learn_threshold,
    pair_sample,
    pretreat,
)
from drugsig.comparison import get_metric
from drugsig.errors import (
    DrugsigWarning,
    InputError,
    SmallSampleWarning,
    ThresholdError,
)
from drugsig.evidence import (
    StratumScores,
    Threshold,
    assess_threshold,
    auc,
    given_threshold,
    roc_curve,
    share_of_true_links,
    threshold_for,
)
from tests.evidence.cases import BATCHES, comparison_of, sample_of, with_metadata
from tests.evidence.validation.cases import batches

DISTANCE, SIMILARITY = get_metric("euclidean"), get_metric("squared_cosine")

# Few different values, so that ties abound.
scores = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=9)
kinds = st.sampled_from(["euclidean", "squared_cosine"])


def learn(sample, **options) -> Threshold:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return learn_threshold(sample, rng=np.random.default_rng(0), n_resamples=100, **options)


def simple(linked, unlinked, **options):
    """A sample whose linked pairs have a source each, and whose unlinked pairs share one."""
    n = len(linked)
    return sample_of(
        [(x, k) for k, x in enumerate(linked)],
        [(x, 0, n + k) for k, x in enumerate(unlinked)],
        **options,
    )


# -- ROC -------------------------------------------------------------------------------------


@given(scores, scores, kinds)
def test_the_area_counts_every_pair_of_pairs_and_ties_one_half(linked, unlinked, kind) -> None:
    better = [
        0.5 if a == b else float((a > b) == (kind == "squared_cosine"))
        for a in linked
        for b in unlinked
    ]
    got = auc(np.array(linked), np.array(unlinked), metric=get_metric(kind))
    assert got == pytest.approx(math.fsum(better) / len(better), abs=1e-15)


@given(scores, scores, kinds)
def test_the_curve_counts_links_at_every_observed_score(linked, unlinked, kind) -> None:
    metric = get_metric(kind)
    steps, false, true = roc_curve(np.array(linked), np.array(unlinked), metric=metric)
    strict_first = sorted({*linked, *unlinked}, reverse=metric.is_similarity)
    assert steps.tolist() == strict_first
    for step, f, t in zip(steps, false, true, strict=True):
        assert f == sum(metric.meets(np.array(unlinked), step)) / len(unlinked)
        assert t == sum(metric.meets(np.array(linked), step)) / len(linked)
    assert false[-1] == true[-1] == 1.0


@pytest.mark.parametrize(
    ("linked", "unlinked"), [([], [1.0]), ([1.0], []), ([1.0, np.nan], [1.0]), ([1.0], [np.nan])]
)
def test_a_curve_needs_scores_on_both_sides(linked, unlinked) -> None:
    for function in (auc, roc_curve):
        with pytest.raises(InputError, match="ROC curve needs defined scores"):
            function(np.array(linked), np.array(unlinked), metric=DISTANCE)


# -- the definition ------------------------------------------------------------------------------


def by_definition(linked, unlinked, rate, metric) -> float | None:
    """The most permissive observed score that keeps to the rate, stopped at the middle of a gap."""
    sign = -1 if metric.is_similarity else 1
    observed = sorted({sign * x for x in (*linked, *unlinked)})
    fine = [t for t in observed if sum(sign * x <= t for x in unlinked) / len(unlinked) <= rate]
    if not fine:
        return None
    last, first = max(sign * x for x in linked), min(sign * x for x in unlinked)
    best = fine[-1]
    if last < first:
        best = min(best, last + (first - last) / 2)
    return sign * best


@given(
    scores,
    scores,
    kinds,
    st.sampled_from([0.01, 0.025, 1 / 3, 0.5, 0.9]) | st.integers(1, 8).map(lambda k: k / 9),
)
def test_the_threshold_is_its_definition(linked, unlinked, kind, rate) -> None:
    metric = get_metric(kind)
    expected = by_definition(linked, unlinked, rate, metric)
    sample = simple(linked, unlinked, metric=kind)
    if expected is None:
        with pytest.raises(ThresholdError, match="no observed score keeps to"):
            learn(sample, false_positive_rate=rate)
        return
    found = learn(sample, false_positive_rate=rate)
    assert found.value == expected
    assert found.rates.false_positive_rate <= rate
    meets = [metric.meets(np.array(x), found.value).mean() for x in (linked, unlinked)]
    assert [found.rates.true_positive_rate, found.rates.false_positive_rate] == meets
    sign = -1 if metric.is_similarity else 1
    apart = max(sign * x for x in linked) < min(sign * x for x in unlinked)
    assert found.rates.separated == apart
    assert found.capped == (found.by_rate != found.value)
    assert apart or not found.capped
    if apart:
        assert found.rates.false_positive_rate == 0.0
        assert found.rates.true_positive_rate == 1.0


def test_a_tie_across_is_no_separation() -> None:
    tied = learn(simple([1.0, 2.0], [2.0, 3.0, 4.0]))
    assert not tied.rates.separated
    assert tied.value == 1.0
    assert tied.rates.true_positive_rate == 0.5


@pytest.mark.parametrize(
    ("kind", "linked", "unlinked", "middle"),
    [
        ("euclidean", [0.1, 0.2], [0.4, *[1.0] * 99], 0.3),
        ("squared_cosine", [90.0, 80.0], [60.0, *[1.0] * 99], 70.0),
    ],
)
def test_a_gap_stops_the_threshold_in_its_middle(kind, linked, unlinked, middle) -> None:
    found = learn(simple(linked, unlinked, metric=kind))
    assert found.value == pytest.approx(middle, rel=1e-15)
    assert found.by_rate == unlinked[0]
    assert found.capped
    assert found.rates.separated


def test_in_a_narrow_gap_no_unlinked_pair_becomes_a_link() -> None:
    # In the middle of a gap no wider than two slacks the unlinked pair would be a link.
    for apart in (1.2e-12, 1.9e-12):
        found = learn(simple([1.0], [1.0 + apart, *[5.0] * 99]))
        assert found.rates.separated
        assert found.value == 1.0
        assert found.rates.false_positive_rate == 0.0


def test_scores_that_rounding_tells_apart_are_not_separated() -> None:
    for one in (1.0, np.nextafter(1.0, 2.0)):
        found = learn(simple([one], [np.nextafter(one, 2.0), *[5.0] * 99]))
        assert not found.rates.separated
        assert found.rates.false_positive_rate == 0.01


def test_where_every_unlinked_pair_is_as_alike_as_any_nothing_can_be_learned() -> None:
    with pytest.raises(ThresholdError, match=r"already 1.000 of the unlinked pairs score 0"):
        learn(simple([0.0, 1.0], [0.0, 0.0]))


@pytest.mark.parametrize("rate", [0, 1, 2.5, -0.1, np.nan, "2.5 %", True, None])
def test_a_rate_is_a_share(rate) -> None:
    with pytest.raises(InputError, match="false_positive_rate must"):
        learn(simple([0.0], [1.0]), false_positive_rate=rate)


# -- what goes with it -----------------------------------------------------------------------------


def test_few_sources_and_few_pairs_are_warned_about_at_the_caller() -> None:
    sample = simple([0.0] * 29, [1.0] * 399)
    with pytest.warns(SmallSampleWarning) as caught:
        found = learn_threshold(sample, rng=np.random.default_rng(0), n_resamples=100)
    said = [str(w.message) for w in caught]
    assert len(said) == 2
    assert said[0].startswith("Only 29 sources stand behind the 29 linked pairs")
    assert "on 399 unlinked pairs rests on 10.0 pairs (fewer than 10)" in said[1]
    assert {w.filename for w in caught} == {__file__}
    assert set(said) < set(map(str, found.notes))


def test_enough_sources_and_pairs_are_not_warned_about() -> None:
    sample = simple([0.0] * 30, [1.0] * 400)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = learn_threshold(sample, rng=np.random.default_rng(0), n_resamples=100)
    assert len(found.notes) == 1
    assert "measured on the pairs the threshold was learned from" in str(found.notes[0])


def test_many_pairs_of_few_sources_are_few_sources() -> None:
    sample = sample_of([(0.0, k % 3) for k in range(500)], [(1.0, 0, 1), *[(1.0, 1, 2)] * 999])
    with pytest.warns(SmallSampleWarning, match="Only 3 sources stand behind the 500"):
        learn_threshold(sample, rng=np.random.default_rng(0), n_resamples=100)


def test_a_circular_rule_is_flagged() -> None:
    rule = PopulationRule.from_data(BATCHES.to_data() | {"derived": ["batch_id"]})
    found = learn(simple([0.0], [1.0], rule=rule))
    assert any("derived from the profile itself" in str(n) for n in found.notes)
    assert found.rates.rule is rule


def test_the_same_seed_gives_the_same_intervals() -> None:
    sample = simple([0.0, 1.0, 3.0], [2.0, 3.0, 4.0])
    one, two = learn(sample, false_positive_rate=0.4), learn(sample, false_positive_rate=0.4)
    assert one.rates.false_positive_interval == two.rates.false_positive_interval
    assert one.rates.auc_interval == two.rates.auc_interval


@pytest.mark.parametrize("n", [99, 0, 1000.0, True, None])
def test_too_few_resamples_are_refused(n) -> None:
    with pytest.raises(InputError, match="n_resamples must be a whole number from 100"):
        learn_threshold(simple([0.0], [1.0]), rng=np.random.default_rng(0), n_resamples=n)


def test_a_seed_is_no_generator() -> None:
    with pytest.raises(InputError, match=r"numpy.random.default_rng\(1\)"):
        learn_threshold(simple([0.0], [1.0]), rng=5)  # type: ignore[arg-type]


# -- given thresholds ------------------------------------------------------------------------------


def test_a_given_threshold_is_measured_where_sources_are_known() -> None:
    sample = simple([0.0, 2.0], [1.0, 3.0, 4.0, 5.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallSampleWarning)
        found = assess_threshold(sample, 1.0, rng=np.random.default_rng(0), n_resamples=100)
    assert (found.origin, found.value, found.target_rate) == ("given", 1.0, None)
    assert (found.rates.false_positive_rate, found.rates.true_positive_rate) == (0.25, 0.5)
    assert found.validated
    assert not found.capped
    assert not found.rates.separated
    with pytest.raises(ThresholdError, match="outside the range"):
        assess_threshold(sample, -1.0, rng=np.random.default_rng(0))


def test_a_given_threshold_without_sources_is_not_validated() -> None:
    found = given_threshold(0.5, metric=DISTANCE)
    assert not found.validated
    with pytest.raises(ThresholdError, match="its error rates are not known"):
        found.rates  # noqa: B018
    assert "not validated" in str(found.notes[0])
    assert repr(found) == (
        "<Threshold euclidean <= 0.5, given; not validated: no pairs of known source>"
    )
    with pytest.raises(ThresholdError, match="outside the range"):
        given_threshold(-0.5, metric=DISTANCE)


def test_strata_are_measured_against_the_linked_pairs() -> None:
    found = learn(
        simple([0.0, 1.0], [2.0, 3.0, 4.0]),
        false_positive_rate=0.5,
        strata={
            "x": StratumScores(np.array([0.5, 9.0])),
            "nothing": StratumScores(np.empty(0)),
            "y": StratumScores(np.array([1.0])),
        },
    )
    rows = {s.stratum: (s.n_pairs, s.link_rate, s.auc) for s in found.rates.strata}
    assert found.value == 1.5
    assert rows == {
        "all strata": (3, 2 / 3, (3 + 1.5) / 6),
        "x": (2, 0.5, 3 / 4),
        "y": (1, 1.0, 1.5 / 2),
    }
    assert found.rates.strata[0].stratum == "all strata"


def test_one_call_learns_or_assesses_with_strata() -> None:
    profiles = with_metadata(batch_id=list("aabbc"), zone=list("xxxxy"))
    rule = PopulationRule.from_data(BATCHES.to_data() | {"strata": ["zone"], "seizure": "batch_id"})
    comparison = comparison_of(profiles)
    options: dict[str, Any] = {"rng": np.random.default_rng(0), "n_resamples": 100}
    with pytest.warns(SmallSampleWarning) as caught:
        learned = threshold_for(comparison, profiles, rule, false_positive_rate=0.4, **options)
    with pytest.warns(SmallSampleWarning):
        assessed = threshold_for(comparison, profiles, rule, value=2.0, **options)
    assert {w.filename for w in caught} == {__file__}
    assert learned.origin == "learned"
    assert (assessed.origin, assessed.value) == ("given", 2.0)
    assert [s.n_pairs for s in assessed.rates.strata] == [4, 4]


def test_how_a_threshold_shows_itself() -> None:
    rule = PopulationRule.from_data(BATCHES.to_data() | {"name": "<b>x</b>"})
    found = learn(simple([0.0], [1.0], rule=rule))
    assert repr(found).startswith(
        "<Threshold euclidean <= 0, learned; false positives 0.0000 (0 to"
    )
    page = found._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert given_threshold(0.5, metric=DISTANCE)._repr_html_().count("<tr>") == 4


# -- what a link is worth ----------


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_share_of_true_links_is_counted_in_pairs(true, false, prevalence) -> None:
    (row,) = share_of_true_links(
        true_positive_rate=true, false_positive_rate=false, prevalences=[prevalence]
    )
    right, wrong = prevalence * true, (1 - prevalence) * false
    if false == 0 or right + wrong == 0:
        assert row.share is None, "no false link among some pairs does not make every link true"
    else:
        assert row.share == pytest.approx(right / (right + wrong))
        assert row.share is not None
        assert 0 <= row.share <= 1


def test_the_rarer_true_links_are_the_fewer_links_are_true() -> None:
    rows = share_of_true_links(true_positive_rate=0.9, false_positive_rate=0.025)
    shares = [float(str(row.share)) for row in rows]
    assert shares == sorted(shares)
    assert shares[0] < 1e-4 < 0.7 < shares[-1]


@pytest.mark.parametrize(
    "change",
    [{"true_positive_rate": 1.1}, {"false_positive_rate": -0.1}, {"prevalences": [np.nan]}],
)
def test_shares_are_shares(change) -> None:
    with pytest.raises(InputError, match="must lie between 0 and 1"):
        share_of_true_links(**{"true_positive_rate": 0.5, "false_positive_rate": 0.1} | change)


def test_links_at_a_threshold_carry_its_rates() -> None:
    rng = np.random.default_rng(3)
    values = rng.lognormal(size=(8, 6))[np.repeat(np.arange(8), 2)] * rng.lognormal(
        0, 0.02, (16, 6)
    )
    profiles = ProfileSet(
        values,
        [f"T{k}" for k in range(6)],
        {"profile_id": [str(k) for k in range(16)], "batch": [str(k // 2) for k in range(16)]},
    )
    comparison = compare(profiles, metric="cosine_distance")
    rule = PopulationRule.from_data(
        {
            "name": "batches",
            "source": ["batch"],
            "linked": {"same": ["batch"]},
            "unlinked": {"different": ["batch"]},
        }
    )
    with pytest.warns(SmallSampleWarning):
        threshold = learn_threshold(
            pair_sample(comparison, profiles, rule), rng=np.random.default_rng(1)
        )
    links = threshold.links(comparison)
    assert links.false_positive_rate == threshold.rates.false_positive_rate
    assert links.false_positive_interval is not None
    assert links.false_positive_interval[1] == threshold.rates.false_positive_interval.high
    assert "at the upper end" in repr(links)
    assert "not known" in repr(comparison.links(threshold.value, false_positive_rate=0.0))
    with pytest.raises(ThresholdError, match="one of metric 'cosine_distance'"):
        threshold.links(compare(profiles, metric="euclidean"))


# -- of which profiles it speaks -------------------------------------------------------------


KNOWN = PopulationRule.from_data(
    {
        "name": "batches",
        "source": ["batch_id"],
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
    }
)


def impurities() -> ProfileSet:
    profiles = batches()
    return profiles.keep_targets([t.name for t in profiles.targets if t.role == "impurity"])


def learned_on(profiles: ProfileSet) -> Threshold:
    rng = np.random.default_rng(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return threshold_for(
            compare(profiles, metric="euclidean"), profiles, KNOWN, rng=rng, n_resamples=100
        )


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lambda p: pretreat(p, "sum"), r"the pretreatment .*treated: sum\)"),
        (lambda p: p, r"treated: not at all"),
        (lambda p: pretreat(p.keep_targets(p.target_names[:-1]), "sum | fourth_root"), "targets"),
        (lambda p: pretreat(p, "sum | autoscale"), "pretreatment"),
    ],
)
def test_profiles_of_another_recipe_or_other_targets_are_refused(
    other: Callable[[ProfileSet], ProfileSet], why: str
) -> None:
    raw = impurities()
    threshold = learned_on(pretreat(raw, "sum | fourth_root"))
    strange = other(raw)
    with pytest.raises(ThresholdError, match=why):
        threshold.links(compare(strange, metric="euclidean"))
    with pytest.raises(ThresholdError, match=why):
        threshold.search(strange)


def test_frozen_numbers_of_a_recipe_count() -> None:
    raw = impurities()
    half = raw.select(np.arange(len(raw) // 2))
    threshold = learned_on(pretreat(raw, "sum | autoscale"))
    with pytest.raises(ThresholdError, match=r"drugsig\.Recipe\.of"):
        threshold.search(pretreat(half, "sum | autoscale"))
    frozen = pretreat(half, Recipe.of(pretreat(raw, "sum | autoscale")))
    assert threshold.search(frozen) == threshold.links(compare(frozen, metric="euclidean"))


def test_a_given_threshold_speaks_of_no_profiles() -> None:
    raw = impurities()
    given = given_threshold(0.01, metric="euclidean")
    assert given.treatment is None
    assert given.links(compare(pretreat(raw, "sum"), metric="euclidean")) == given.search(
        pretreat(raw, "sum")
    )
