"""An analysis gives the same whether all scores are formed or only those that are needed."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drugsig import Analysis, ProfileSet, analyse, analyse_profiles, read_analysis
from drugsig.errors import ConfigError, InputError, SizeError, ThresholdError
from drugsig.evidence.conditions import PairCondition
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.searched_threshold import PAIRS_DRAWN
from drugsig.evidence.threshold import ErrorRates
from drugsig.report import render_report

RULE = PopulationRule(
    "batches",
    PairCondition(same=("batch_id",)),
    PairCondition(different=("batch_id",)),
    ("batch_id",),
    specimen="specimen_id",
    strata=("route",),
)

pytestmark = pytest.mark.filterwarnings("ignore::drugsig.errors.DrugsigWarning")


def profiles_of(seed: int, n: int, *, gaps: float = 0.0, coarse: bool = False) -> ProfileSet:
    """Batches of a few profiles, 30 % of them known; ties, zeros, gaps and copies planted."""
    rng = np.random.default_rng(seed)
    batch = np.sort(rng.integers(0, max(3, n // 5), size=n))
    centre = rng.lognormal(sigma=1.0, size=(n, 12))
    values = 10.0 * centre[batch] * rng.lognormal(sigma=0.15, size=(n, 12))
    values[rng.random((n, 12)) < 0.08] = 0.0
    of, to = rng.integers(0, n, size=(2, n // 40))
    values[to] = values[of]
    values[rng.integers(0, n, size=2)] = 3.0
    if coarse:
        values = np.round(values, -1)
    values[rng.random((n, 12)) < gaps] = np.nan
    known = rng.random(n) < 0.3
    table = pd.DataFrame(
        {
            "profile_id": [f"p{k:05d}" for k in rng.permutation(n)],
            "batch_id": [f"b{k}" if there else None for k, there in zip(batch, known, strict=True)],
            "specimen_id": [f"s{k}" for k in rng.integers(0, 3 * n, size=n)],
            "route": ["xyz"[k % 3] for k in batch],
            "seizure_id": [f"z{k}" for k in rng.integers(0, n // 2, size=n)],
        }
    )
    return ProfileSet(values, [f"T{k}" for k in range(12)], table)


def both_ways(profiles: ProfileSet, **options: Any) -> tuple[Analysis, Analysis]:
    options = {"n_resamples": 200, "rule": RULE, **options}
    one, other = (
        analyse_profiles(profiles, matrices=way, **options) for way in ("dense", "sparse")
    )
    assert (one.way, other.way) == ("dense", "sparse")
    return one, other


def assert_same(one: Analysis, other: Analysis) -> None:
    """Links, groups, threshold, rates and what is said of them are the same."""
    assert one.links == other.links
    np.testing.assert_array_equal(one.links.detected, other.links.detected)
    np.testing.assert_array_equal(one.groups.labels, other.groups.labels)
    np.testing.assert_array_equal(one.groups.components, other.groups.components)
    assert one.groups.undefined_ids == other.groups.undefined_ids
    assert one.groups.competing_ids == other.groups.competing_ids
    assert (one.threshold.value, one.threshold.by_rate, one.threshold.treatment) == (
        other.threshold.value, other.threshold.by_rate, other.threshold.treatment,
    )  # fmt: skip
    assert_same_rates(one.threshold.error_rates, other.threshold.error_rates)
    assert one.group_rates == other.group_rates
    assert one.component_rates == other.component_rates
    assert one.uncapped == other.uncapped
    assert dict(one.undecided) == dict(other.undecided)
    assert one.group_findings == other.group_findings
    assert one.component_findings == other.component_findings
    assert one.true_links == other.true_links
    assert one.notes == other.notes


def assert_same_rates(one: ErrorRates | None, other: ErrorRates | None) -> None:
    """Rates are the same; areas are, where no pairs were drawn for them."""
    if one is None or other is None:
        assert one == other
        return
    drawn = set()
    if other.auc_error is not None and one.auc_error is None:
        drawn |= {"auc", "auc_interval", "auc_error"}
        assert abs(one.auc - other.auc) < 6.0 * other.auc_error
    if other.strata and other.strata[0].n_pairs > PAIRS_DRAWN:
        drawn.add("strata")
        for ours, theirs in zip(one.strata, other.strata, strict=True):
            assert replace(ours, auc=0.0) == replace(theirs, auc=0.0)
            assert abs(ours.auc - theirs.auc) < 0.02
    for field in fields(one):
        if field.name not in drawn:
            assert getattr(one, field.name) == getattr(other, field.name), field.name


CASES: tuple[tuple[int, int, dict[str, Any], dict[str, Any]], ...] = (
    (1, 300, {}, {}),
    (2, 320, {"coarse": True}, {"metric": "manhattan", "recipe": "sum"}),
    (3, 340, {"gaps": 0.02}, {"metric": "cosine", "false_positive_rate": 0.003}),
    (4, 400, {}, {"threshold": 0.004, "linkage": "complete"}),
    (5, 360, {}, {"threshold": 0.004, "rule": None, "linkage": "single"}),
    (6, 380, {}, {"metric": "pearson", "chance_links": 80}),
)

LARGE = tuple(
    (seed, n, {"gaps": 0.02} if seed % 4 == 0 else {"coarse": seed % 3 == 0}, options)
    for seed, (n, options) in enumerate(
        [
            (450, {"false_positive_rate": 0.005}),
            (500, {"metric": "canberra", "recipe": "sum", "false_positive_rate": 0.002}),
            (600, {"metric": "euclidean", "false_positive_rate": 0.002}),
            (700, {"linkage": "complete"}),
            (800, {"metric": "cosine", "chance_links": 900}),
            (900, {"threshold": 0.002, "linkage": "weighted"}),
            (1000, {"metric": "manhattan", "false_positive_rate": 0.001}),
            (1200, {"metric": "pearson", "false_positive_rate": 0.001}),
            (1400, {"metric": "squared_cosine", "false_positive_rate": 0.001}),
            (1600, {"false_positive_rate": 0.0005}),
            (2000, {"chance_links": 500}),
            (2400, {"metric": "euclidean", "false_positive_rate": 0.0003}),
            (2700, {"threshold": 0.001, "rule": None}),
            (3000, {"false_positive_rate": 0.0002}),
        ],
        start=7,
    )
)


@pytest.mark.parametrize(("seed", "n", "planted", "options"), CASES)
def test_both_ways_give_the_same(
    seed: int, n: int, planted: dict[str, Any], options: dict[str, Any]
) -> None:
    assert_same(*both_ways(profiles_of(seed, n, **planted), **options))


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "n", "planted", "options"), LARGE)
def test_both_ways_give_the_same_up_to_3000(
    seed: int, n: int, planted: dict[str, Any], options: dict[str, Any]
) -> None:
    profiles = profiles_of(seed, n, **planted)
    one, other = both_ways(profiles, **options)
    assert_same(one, other)
    turned = profiles.select(np.random.default_rng(seed).permutation(n))
    again = analyse_profiles(
        turned, matrices="sparse", **{"n_resamples": 200, "rule": RULE, **options}
    )
    assert again.threshold.error_rates == other.threshold.error_rates
    assert {*zip(*_linked(again), strict=True)} == {*zip(*_linked(other), strict=True)}


def _linked(analysis: Analysis) -> tuple[list[str], list[str]]:
    links = analysis.links
    ends = [
        sorted((links.row_ids[a], links.row_ids[b]))
        for a, b in zip(links.rows, links.columns, strict=True)
    ]
    return [a for a, _ in ends], [b for _, b in ends]


def test_the_number_of_profiles_decides_and_is_told() -> None:
    few = analyse_profiles(profiles_of(1, 60), threshold=0.01)
    assert few.way == "dense"
    assert "60 profiles are no more than the 3,000" in few.why_this_way
    many = analyse_profiles(profiles_of(1, 3001), threshold=0.001)
    assert many.way == "sparse"
    assert many.comparison is None
    assert "3,001 profiles are more than the 3,000" in many.why_this_way
    asked = analyse_profiles(profiles_of(1, 60), threshold=0.01, matrices="sparse")
    assert "asked for" in asked.why_this_way


def test_what_does_not_fit_is_refused_before_it_is_made() -> None:
    profiles = profiles_of(1, 300)
    with pytest.raises(SizeError, match=r"matrices='sparse'.*memory=<bytes>"):
        analyse_profiles(profiles, threshold=0.01, matrices="dense", memory=1e6)
    with pytest.raises(SizeError, match=r"about [0-9,]+ links among 44,850 pairs.*memory=<bytes>"):
        analyse_profiles(profiles, threshold=0.9, matrices="sparse", memory=1e6)
    with pytest.raises(SizeError, match=r"about [0-9,]+ links among 44,850 pairs.*memory=<bytes>"):
        analyse_profiles(profiles, rule=RULE, threshold=0.9, matrices="sparse", memory=1e6)


@pytest.mark.parametrize("way", ["dense", "sparse"])
def test_a_number_of_chance_links_is_kept_to_or_not_measurable(way: str) -> None:
    profiles = profiles_of(3, 300)
    found = analyse_profiles(profiles, rule=RULE, chance_links=100, n_resamples=200, matrices=way)
    assert found.links.expected_chance_links is not None
    assert found.links.most_chance_links is not None
    assert found.links.expected_chance_links <= 100 < found.links.most_chance_links
    with pytest.raises(ThresholdError, match=r"not measurable.*upper end for"):
        analyse_profiles(profiles, rule=RULE, chance_links=0.5, matrices=way)
    with pytest.raises(ConfigError, match="chance_links"):
        analyse_profiles(profiles, threshold=0.1, chance_links=5, matrices=way)
    with pytest.raises(InputError, match="above 0"):
        analyse_profiles(profiles, rule=RULE, chance_links=-1, matrices=way)


@pytest.mark.parametrize("metric", ["pearson_distance", "manhattan"])
def test_a_result_without_all_scores_is_read_back(tmp_path: Path, metric: str) -> None:
    options: dict[str, Any] = {"metric": metric, "n_resamples": 200}
    made = analyse(profiles_of(2, 300), out=tmp_path / "o", rule=RULE, matrices="sparse", **options)
    assert not (tmp_path / "o" / "scores.npz").exists()
    read = read_analysis(tmp_path / "o")
    assert read.way == "sparse"
    assert_same(made, read)
    assert read.sample == made.sample
    written = (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    assert "There is no heat map of all scores" in written
    assert render_report(read) == written
