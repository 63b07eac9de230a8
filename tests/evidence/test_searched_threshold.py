"""A threshold found by searching is the one that all scores give."""

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drugsig import ProfileSet
from drugsig.comparison.dense import compared
from drugsig.errors import PopulationError, SizeError, ThresholdError
from drugsig.evidence import searched_threshold
from drugsig.evidence.conditions import PairCondition
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.searched_threshold import SearchedThreshold, search_threshold
from drugsig.evidence.threshold import Threshold, find_threshold

RULE = PopulationRule(
    "batches",
    PairCondition(same=("batch_id",)),
    PairCondition(different=("batch_id",)),
    ("batch_id",),
    specimen="specimen_id",
    strata=("route",),
)

# Of these the drawn part differs where not all unlinked pairs were drawn.
DRAWN = ("auc", "auc_interval", "auc_error", "strata")


def profiles_of(
    seed: int,
    n: int,
    *,
    spread: float = 0.3,
    coarse: bool = False,
    gaps: float = 0.0,
    planted: bool = True,
) -> ProfileSet:
    """Batches of a few profiles, 60 % of them known; ties, zeros, gaps and copies planted."""
    rng = np.random.default_rng(seed)
    batch = np.sort(rng.integers(0, max(2, n // 4), size=n))
    centre = rng.lognormal(sigma=1.0, size=(n, 8))
    values = centre[batch] * rng.lognormal(sigma=spread, size=(n, 8))
    if planted:
        values[rng.random((n, 8)) < 0.1] = 0.0
        of, to = rng.integers(0, n, size=(2, n // 40))
        values[to] = values[of]
        values[rng.integers(0, n, size=2)] = 3.0
    if coarse:
        values = np.round(values)
    values[rng.random((n, 8)) < gaps] = np.nan
    known = rng.random(n) < 0.6
    table = pd.DataFrame(
        {
            "profile_id": [f"p{k:05d}" for k in rng.permutation(n)],
            "batch_id": [f"b{k}" if there else None for k, there in zip(batch, known, strict=True)],
            "specimen_id": [f"s{k}" for k in rng.integers(0, 3 * n, size=n)],
            "route": ["xyz"[k % 3] for k in batch],
            "seizure_id": [f"z{k}" for k in rng.integers(0, n // 2, size=n)],
        }
    )
    return ProfileSet(values, [f"T{k}" for k in range(8)], table)


def both_ways(
    profiles: ProfileSet, metric: str, **options: Any
) -> tuple[Threshold, SearchedThreshold]:
    comparison = compared(profiles, metric=metric)
    one, _, notes = find_threshold(
        comparison, profiles, RULE, rng=np.random.default_rng(1), n_resamples=200, **options
    )
    other = search_threshold(
        profiles, RULE, metric=metric, rng=np.random.default_rng(1), n_resamples=200, **options
    )
    assert other.notes == notes
    links = one.links(comparison)
    assert other.links == links
    np.testing.assert_array_equal(other.links.detected, links.detected)
    return one, other


def assert_same(one: Threshold, other: Threshold, *, but: tuple[str, ...] = ()) -> None:
    assert (one.value, one.by_rate, one.origin, one.target_rate) == (
        other.value, other.by_rate, other.origin, other.target_rate,
    )  # fmt: skip
    for field in fields(one.rates):
        if field.name not in but:
            assert getattr(one.rates, field.name) == getattr(other.rates, field.name), field.name


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("pearson_distance", {}),
    "ties": ("manhattan", {"coarse": True}),
    "gaps": ("cosine", {"gaps": 0.15}),
    "gaps-by-sums": ("canberra", {"gaps": 0.1, "coarse": True}),
    "separate": ("euclidean", {"spread": 0.005, "planted": False}),
    "similarity": ("pearson", {"coarse": True}),
}


@pytest.mark.parametrize("drawn", [100, 10**6])
@pytest.mark.parametrize("rate", [0.025, 0.004, 0.4])
@pytest.mark.parametrize("case", CASES)
def test_the_threshold_and_its_rates_are_those_of_all_scores(
    case: str, rate: float, drawn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric, options = CASES[case]
    monkeypatch.setattr(searched_threshold, "PAIRS_DRAWN", drawn)
    monkeypatch.setattr(searched_threshold, "_NEAR_RANKS", (3, 12))
    profiles = profiles_of(3, 160, **options)
    one, other = both_ways(profiles, metric, false_positive_rate=rate)
    assert_same(one, other.threshold, but=DRAWN if drawn == 100 else ())
    if case == "separate":
        assert one.rates.separated
    if drawn == 100:
        assert other.threshold.rates.auc_error is not None
        away = abs(other.threshold.rates.auc - one.rates.auc)
        assert away < 6.0 * other.threshold.rates.auc_error + 1e-9
        for ours, theirs in zip(other.threshold.rates.strata, one.rates.strata, strict=True):
            assert (ours.stratum, ours.n_pairs, ours.link_rate) == (
                theirs.stratum, theirs.n_pairs, theirs.link_rate,
            )  # fmt: skip


@pytest.mark.parametrize("value", [0.0, 0.004, 0.2, 0.9])
@pytest.mark.parametrize("drawn", [100, 10**6])
@pytest.mark.parametrize("spread", [0.3, 0.005])
def test_a_given_threshold_is_measured_alike(
    value: float, drawn: int, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searched_threshold, "PAIRS_DRAWN", drawn)
    one, other = both_ways(profiles_of(4, 150, spread=spread), "pearson_distance", value=value)
    assert_same(one, other.threshold, but=DRAWN if drawn == 100 else ())


def test_false_links_are_counted_one_by_one() -> None:
    profiles = profiles_of(7, 300)
    found = search_threshold(
        profiles, RULE, metric="pearson_distance", rng=np.random.default_rng(1), n_resamples=100
    )
    scores = compared(profiles, metric="pearson_distance").scores
    batch, specimen = profiles.column("batch_id"), profiles.column("specimen_id")
    false = total = 0
    for i in range(len(profiles)):
        for j in range(i):
            if batch[i] is None or batch[j] is None or batch[i] == batch[j]:
                continue
            if specimen[i] == specimen[j] or np.isnan(scores[i, j]):
                continue
            total += 1
            false += bool(found.threshold.metric.meets(scores[i, j], found.threshold.value))
    assert found.threshold.rates.n_unlinked == total
    assert found.threshold.rates.false_positive_rate == false / total


def test_the_order_of_rows_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched_threshold, "PAIRS_DRAWN", 500)
    profiles = profiles_of(5, 200)
    turned = profiles.select(np.random.default_rng(2).permutation(len(profiles)))

    def learned(one: ProfileSet) -> Threshold:
        return search_threshold(
            one, RULE, metric="manhattan", rng=np.random.default_rng(1), n_resamples=100
        ).threshold

    one, other = learned(profiles), learned(turned)
    assert_same(one, other)


def test_a_rate_that_makes_too_many_links_is_refused_before_the_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searched_threshold, "PAIRS_DRAWN", 100)
    monkeypatch.setattr(searched_threshold, "found_links", lambda *_, **__: pytest.fail("searched"))
    with pytest.raises(SizeError, match=r"chance_links=<number>.*false_positive_rate=<share>"):
        search_threshold(
            profiles_of(3, 300),
            RULE,
            metric="pearson_distance",
            rng=np.random.default_rng(1),
            memory=10_000,
        )


def test_one_sided_populations_and_equal_profiles_are_refused_alike() -> None:
    profiles = profiles_of(3, 60)
    alone = profiles.select(np.flatnonzero([b is None for b in profiles.column("batch_id")]))
    same = ProfileSet(np.ones((60, 8)), profiles.target_names, profiles.profiles)
    for one, metric, error in (
        (alone, "pearson_distance", PopulationError),
        (same, "manhattan", ThresholdError),
        (same, "pearson_distance", PopulationError),
    ):
        with pytest.raises(error) as dense:
            find_threshold(compared(one, metric=metric), one, RULE, rng=np.random.default_rng(1))
        with pytest.raises(error) as sparse:
            search_threshold(one, RULE, metric=metric, rng=np.random.default_rng(1))
        assert str(sparse.value) == str(dense.value)
