"""A threshold by the chance links a query may make, and the search at it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from drugsig import PopulationRule, ProfileSet, compare, pair_sample, pretreat
from drugsig.datasets import simulate_values
from drugsig.errors import DrugsigWarning, InputError, ThresholdError
from drugsig.evidence import given_threshold, threshold_for_search
from tests.evidence.cases import BATCHES, sample_of


def search_threshold(sample, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return threshold_for_search(
            sample, rng=np.random.default_rng(0), n_resamples=100, **options
        )


def sample_with(n_unlinked: int):
    return sample_of(
        [(0.5, 0), (2.5, 1)], [(float(k + 1), k % 40, 2 + k % 37) for k in range(n_unlinked)]
    )


def test_so_many_unlinked_pairs_meet_it_as_chance_links_were_allowed() -> None:
    sample = sample_with(200)
    threshold = search_threshold(sample, chance_links=2, n_reference=100)
    assert threshold.target_rate == pytest.approx(0.02)
    assert threshold.value == 4.0
    assert threshold.rates.false_positive_rate == pytest.approx(0.02)


def test_a_rate_too_small_to_be_seen_is_refused_with_the_pairs_it_needs() -> None:
    with pytest.raises(ThresholdError, match=r"200 unlinked pairs cannot show .* at least 100,000"):
        search_threshold(sample_with(200), chance_links=1, n_reference=100_000)


@pytest.mark.parametrize("n", [49, 98, 103, 107])
def test_one_chance_link_is_seen_in_just_as_many_unlinked_pairs(n) -> None:
    assert 1 / 49 * 49 < 1.0
    threshold = search_threshold(sample_with(n), chance_links=1, n_reference=n)
    assert threshold.rates.false_positive_rate == 1 / n


@pytest.mark.parametrize(
    "options",
    [
        {"chance_links": 0, "n_reference": 10},
        {"chance_links": 1, "n_reference": float("inf")},
        {"chance_links": 1, "n_reference": -5},
        {"chance_links": "few", "n_reference": 5},
        {"chance_links": 20, "n_reference": 10},
        {"chance_links": True, "n_reference": 10},
    ],
)
def test_numbers_that_make_no_sense_are_refused(options) -> None:
    with pytest.raises(InputError):
        search_threshold(sample_with(50), **options)


def test_a_search_states_its_comparisons_and_chance_links() -> None:
    drawn = simulate_values(rng=np.random.default_rng(3), sizes=[4] * 30, n_targets=10)
    profiles = pretreat(
        ProfileSet(
            drawn.values,
            [f"t{k}" for k in range(10)],
            {
                "profile_id": [f"p{k}" for k in range(120)],
                "batch_id": [f"b{k}" for k in drawn.sources],
                "specimen_id": [f"s{k}" for k in range(120)],
            },
        ),
        "sum | fourth_root",
    )
    rule = PopulationRule(
        name="by batch",
        linked=BATCHES.linked,
        unlinked=BATCHES.unlinked,
        source=BATCHES.source,
        seizure="batch_id",
    )
    comparison = compare(profiles, metric="euclidean")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        threshold = search_threshold(
            pair_sample(comparison, profiles, rule), chance_links=1, n_reference=100
        )
    found = threshold.search(profiles)
    assert found == threshold.links(comparison)
    assert found.comparisons == 120 * 119 // 2
    assert found.expected_chance_links is not None
    part = threshold.search(profiles.select(np.arange(20)), profiles.select(np.arange(20, 120)))
    assert part.comparisons == 2000
    assert part.expected_chance_links == pytest.approx(2000 * threshold.rates.false_positive_rate)


def test_a_search_with_a_given_threshold_says_that_chance_links_are_unknown() -> None:
    profiles = ProfileSet(
        np.random.default_rng(0).random((9, 6)), list("abcdef"), list("123456789")
    )
    found = given_threshold(0.5, metric="euclidean").search(profiles)
    assert found.expected_chance_links is None
    assert "unknown" in repr(found)
