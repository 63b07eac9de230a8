"""Published figures, and figures computed beside them, on the reference data.

The methamphetamine workbook is that of Popovic et al., Forensic Science International 319 (2021)
110651; the propellant table comes with the GunShotMatch pipeline.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drugsig import ProfileSet, Threshold, compare, group, pretreat
from drugsig.comparison import Comparison
from drugsig.errors import ChainingWarning, CircularRuleWarning, DrugsigWarning, SmallSampleWarning
from drugsig.evidence import PopulationRule, auc, get_rule, pair_sample, threshold_for
from drugsig.quality import check_profiles

pytestmark = pytest.mark.reference_data

# -- methamphetamine -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def raw(reference_data: Path) -> ProfileSet:
    book = reference_data / "methamphetamine_simulated" / "Profiles.xlsx"
    lookup = pd.read_excel(book, sheet_name="Lookup", dtype=str)
    areas = pd.read_excel(book, sheet_name="GCMS").set_index("Specimen")
    table = lookup[["Specimen", "Group", "PriR", "Pre", "PreR"]]
    table.insert(0, "profile_id", table["Specimen"])
    return ProfileSet(areas.loc[table["Specimen"]].to_numpy(), list(areas.columns), table)


@pytest.fixture(scope="module")
def specimens(raw: ProfileSet) -> ProfileSet:
    return pretreat(raw, "drop_targets(V04) | sum | fourth_root")


@pytest.fixture(scope="module")
def comparison(specimens: ProfileSet) -> Comparison:
    return compare(specimens, metric="pearson_distance_percent")


@pytest.fixture(scope="module")
def learned(specimens: ProfileSet, comparison: Comparison) -> Threshold:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return threshold_for(comparison, specimens, get_rule("R4"), rng=np.random.default_rng(1))


@pytest.mark.parametrize(
    ("rule", "area", "linked", "sources", "unlinked"),
    [
        ("R1", 0.596, 419, 36, 93_542),
        ("R2", 0.715, 88, 34, 48_516),
        ("R3", 0.918, 31, 12, 21_457),
        ("R4", 0.9731269, 13, 10, 21_457),
    ],
)
def test_the_published_area_under_the_curve(
    specimens, comparison, rule, area, linked, sources, unlinked
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CircularRuleWarning)
        sample = pair_sample(comparison, specimens, get_rule(rule))
    got = auc(sample.linked_scores, sample.unlinked_scores, metric=sample.metric)
    digits = 7 if rule == "R4" else 3
    assert abs(got - area) <= 0.5 * 10.0**-digits
    assert (sample.n_linked, sample.n_linked_sources) == (linked, sources)
    assert sample.n_unlinked == unlinked


def test_two_targets_are_ranked_alike_by_every_distance(reference_data: Path) -> None:
    book = reference_data / "methamphetamine_simulated" / "Profiles.xlsx"
    lookup = pd.read_excel(book, sheet_name="Lookup", dtype=str).set_index("Specimen")
    shares = pd.read_excel(book, sheet_name="CE").set_index("Specimen").dropna()
    table = lookup.loc[shares.index, ["Group", "PriR", "Pre", "PreR"]].reset_index()
    table.insert(0, "profile_id", table["Specimen"])
    profiles = pretreat(ProfileSet(shares.to_numpy(float), list(shares.columns), table), "sum")
    apart = np.abs(np.subtract.outer(shares["V01"].to_numpy(), shares["V01"].to_numpy()))
    first, second = np.triu_indices(len(shares), k=1)
    areas = []
    for name, one in (("manhattan", 0.02), ("euclidean", 0.02 / np.sqrt(2.0))):
        found = compare(profiles, metric=name)
        for points in (3, 5, 9):
            # As many links as pairs that differ by so many per cent; 1,665 of them by just five.
            assert len(found.links(points * one)) == (apart[first, second] <= points).sum()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CircularRuleWarning)
            sample = pair_sample(found, profiles, get_rule("R4"))
        areas.append(auc(*sample.tied_sides, metric=sample.metric))
    assert (apart[first, second] == 5).sum() == 1665
    assert areas == [pytest.approx(0.41371, abs=5e-6)] * 2
    assert areas[0] == areas[1]


def test_the_threshold_and_what_it_hides(learned: Threshold) -> None:
    assert learned.value == pytest.approx(10.98, abs=0.005)
    assert learned.rates.false_positive_rate <= 0.025
    assert learned.rates.true_positive_rate == 8 / 13
    everything = learned.rates.strata[0]
    assert everything.n_pairs == 3579
    assert everything.auc == pytest.approx(0.884, abs=5e-4)
    assert everything.link_rate == pytest.approx(0.158, abs=5e-4)
    assert any("Only 10 sources" in str(n) for n in learned.notes)
    assert any("derived from the profile itself" in str(n) for n in learned.notes)
    interval = learned.rates.true_positive_interval
    assert interval is not None
    assert interval.high - interval.low > 0.5


def test_the_warnings(specimens: ProfileSet, comparison: Comparison) -> None:
    with pytest.warns() as caught:
        threshold_for(
            comparison, specimens, get_rule("R4"), rng=np.random.default_rng(1), n_resamples=100
        )
    assert [w.category for w in caught] == [CircularRuleWarning, SmallSampleWarning]


def test_the_groups_and_the_component_that_swallows_them(
    specimens: ProfileSet, comparison: Comparison, learned: Threshold
) -> None:
    with pytest.warns(ChainingWarning, match="83 groups.*the largest with 414 of 434"):
        groups = group(comparison, threshold=learned.value)
    assert len(groups) == 83
    assert groups.largest_component == 414
    assert groups.cophenetic_correlation == pytest.approx(0.569, abs=5e-4)
    with pytest.warns(CircularRuleWarning):
        sample = pair_sample(comparison, specimens, get_rule("R4"))
    rates = groups.partition_rates(sample)
    chained = groups.component_rates(sample)
    assert rates.unlinked_together < 0.025 < chained.unlinked_together
    links = comparison.links(learned.value, false_positive_rate=learned.rates.false_positive_rate)
    assert links.expected_chance_links == pytest.approx(0.025 * 434 * 433 / 2, rel=0.01)


def test_the_order_of_the_specimens_does_not_count(
    raw: ProfileSet, comparison: Comparison, learned: Threshold
) -> None:
    order = np.random.default_rng(0).permutation(len(raw))
    shuffled = compare(
        pretreat(raw.select(order), "drop_targets(V04) | sum | fourth_root"),
        metric="pearson_distance_percent",
    )
    np.testing.assert_array_equal(shuffled.scores, comparison.scores[np.ix_(order, order)])
    with pytest.warns(ChainingWarning):
        plain = group(comparison, threshold=learned.value)
    with pytest.warns(ChainingWarning):
        again = group(shuffled, threshold=learned.value)
    np.testing.assert_array_equal(again.labels, plain.labels[order])


def test_the_median_pair_shares_2_detected_targets_of_9(comparison: Comparison) -> None:
    assert np.median(comparison.detected_in_both(*comparison.pair_index())) == 2


def test_every_specimen_can_be_compared(raw: ProfileSet) -> None:
    checks = check_profiles(raw)
    assert len(checks) == 434
    assert all(not check.excluded for check in checks)


# -- propellant ------------------------------------------------------------------------------------

BRANDS = PopulationRule.from_data(
    {
        "name": "brands",
        "source": ["class"],
        "source_level": "brand",
        "linked": {"same": ["class"]},
        "unlinked": {"different": ["class"]},
    }
)


@pytest.fixture(scope="module")
def runs(reference_data: Path) -> ProfileSet:
    table = pd.read_csv(
        reference_data / "propellant_gcms" / "decision_tree_features.csv", index_col=0
    )
    areas = table.drop(columns=["class", "member_id", "class-id"])
    return pretreat(
        ProfileSet(
            areas.to_numpy(dtype=float),
            list(areas.columns),
            {"profile_id": list(table.index), "class": list(table["class"])},
        ),
        "sum | fourth_root",
    )


def brands_of(labels: np.ndarray, runs: ProfileSet) -> bool:
    """Say whether every group is one brand and every brand one group."""
    pairs = set(zip(labels.tolist(), runs.column("class"), strict=True))
    return len(pairs) == len(set(labels.tolist())) == len(set(runs.column("class"))) == 7


def test_propellant_brands_separate_and_the_cap_keeps_them_apart(runs: ProfileSet) -> None:
    assert runs.values.shape == (28, 127)
    comparison = compare(runs, metric="pearson_distance")
    with pytest.warns(SmallSampleWarning):
        learned = threshold_for(comparison, runs, BRANDS, rng=np.random.default_rng(1))
    sample, interval = pair_sample(comparison, runs, BRANDS), learned.rates.auc_interval
    within, between = sample.linked_scores.max(), sample.unlinked_scores.min()
    assert within == pytest.approx(0.100, abs=5e-4)
    assert between == pytest.approx(0.407, abs=5e-4)
    assert (sample.n_linked, sample.n_unlinked, sample.n_linked_sources) == (42, 336, 7)
    assert learned.rates.separated
    assert learned.capped
    assert learned.value == pytest.approx((within + between) / 2, rel=1e-12)
    assert learned.by_rate == pytest.approx(0.463, abs=5e-4)
    assert learned.rates.auc == 1.0
    assert interval.low < 0.5, "seven brands say little about an eighth"
    groups = group(comparison, threshold=learned.value)
    assert brands_of(groups.labels, runs)
    assert brands_of(groups.components, runs)


def test_the_threshold_by_rate_alone_would_merge_brands(runs: ProfileSet) -> None:
    comparison = compare(runs, metric="pearson_distance")
    with pytest.warns(SmallSampleWarning):
        learned = threshold_for(comparison, runs, BRANDS, rng=np.random.default_rng(1))
    assert learned.by_rate is not None
    with pytest.warns(ChainingWarning):
        uncapped = group(comparison, threshold=learned.by_rate)
    assert uncapped.n_components == 5
    assert brands_of(uncapped.labels, runs), "average linkage is the more cautious reading"
