"""What is equal on the numbers as written is equal for thresholds, areas, groups and intervals."""

from __future__ import annotations

import warnings
from decimal import Decimal

import numpy as np
import pytest

from drugsig import ProfileSet, compare, group, pair_sample, pretreat
from drugsig.comparison import get_metric
from drugsig.errors import DrugsigWarning
from drugsig.evidence import (
    PopulationRule,
    auc,
    learn_threshold,
    measure_discrimination,
    roc_curve,
    threshold_for,
)
from tests.comparison import exact
from tests.evidence.cases import BATCHES, with_metadata

METRICS = ("manhattan", "euclidean", "bray_curtis", "canberra", "pearson_distance", "cosine")

pytestmark = pytest.mark.filterwarnings("ignore::drugsig.errors.DrugsigWarning")


def coarse(seed: int = 0, *, n_sources: int = 12, p: int = 6) -> list[list[str]]:
    """Shares in per cent, written without digits after the point: many pairs are equally far."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n_sources):
        centre = rng.dirichlet(np.full(p, 3.0))
        for _ in range(3):
            row = rng.multinomial(20, centre) * 5
            rows.append([str(int(x)) for x in row])
    return rows


def profiles_of(rows: list[list[str]], targets, order=None) -> ProfileSet:
    order = np.arange(len(rows)) if order is None else order
    names = [f"{k:02d}" for k in range(len(rows))]
    return ProfileSet(
        [[float(rows[k][t]) for t in targets] for k in order],
        [f"t{t}" for t in targets],
        {
            "profile_id": [names[k] for k in order],
            "batch_id": [f"b{k // 3:02d}" for k in order],
        },
    )


def found_with(rows, targets, metric: str, *, order=None, linkage: str = "complete"):
    """Return what a table says, in words that do not depend on the order of its rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        profiles = pretreat(profiles_of(rows, targets, order), "sum")
        comparison = compare(profiles, metric=metric)
        sample = pair_sample(comparison, profiles, BATCHES)
        threshold = learn_threshold(sample, rng=np.random.default_rng(1), n_resamples=100)
        told = measure_discrimination(sample, rng=np.random.default_rng(1), n_resamples=100)
        links = comparison.links(threshold.value)
        groups = group(comparison, threshold=threshold.value, linkage=linkage)
    rates = threshold.rates
    return {
        "links": {frozenset((links.row_ids[a], links.column_ids[b])) for a, b in
                  zip(links.rows, links.columns, strict=True)},
        "rates": (rates.false_positive_rate, rates.true_positive_rate, rates.auc),
        "error": told.equal_error_rate,
        "groups": {frozenset(groups.members(k + 1)) for k in range(len(groups))},
        "competing": frozenset(groups.competing_ids),
    }, threshold, told  # fmt: skip


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("linkage", ["complete", "single"])
def test_the_order_of_targets_and_rows_decides_nothing(metric: str, linkage: str) -> None:
    rows = coarse()
    wanted, threshold, told = found_with(rows, range(6), metric, linkage=linkage)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        targets = rng.permutation(6)
        found, other, otherwise = found_with(rows, targets, metric, linkage=linkage)
        assert found == wanted
        # The same sources are drawn, so that intervals are the same too.
        assert other.rates.auc_interval == threshold.rates.auc_interval
        assert other.rates.false_positive_interval == threshold.rates.false_positive_interval
        assert otherwise.equal_error_interval == told.equal_error_interval
        assert other.value == pytest.approx(threshold.value, rel=1e-12, abs=1e-14)
        found, *_ = found_with(rows, targets, metric, order=rng.permutation(36), linkage=linkage)
        assert found == wanted


@pytest.mark.parametrize("metric", METRICS)
def test_areas_and_curves_are_those_of_exact_arithmetic(metric: str) -> None:
    rows = coarse(1)
    profiles = pretreat(profiles_of(rows, range(6)), "sum")
    sample = pair_sample(compare(profiles, metric=metric), profiles, BATCHES)
    cells = [exact.treated([Decimal(x) for x in row], "sum") for row in rows]
    measure = get_metric(metric)
    scores = [
        exact.score(measure, cells[a], cells[b]).quantize(Decimal("1e-25"))
        for a, b in zip(sample.first.tolist(), sample.second.tolist(), strict=True)
    ]
    sign = -1 if measure.is_similarity else 1
    ours = [sign * s for s, linked in zip(scores, sample.linked, strict=True) if linked]
    theirs = [sign * s for s, linked in zip(scores, sample.linked, strict=True) if not linked]
    wins = sum(2 * (a < b) + (a == b) for a in ours for b in theirs)
    assert len(set(scores)) < len(scores)
    linked, unlinked = sample.tied_sides
    assert auc(linked, unlinked, metric=measure) == pytest.approx(
        wins / 2 / len(ours) / len(theirs), abs=1e-15
    )
    steps, false, true = roc_curve(linked, unlinked, metric=measure)
    assert len(steps) == len(set(scores))
    for step, (f, t) in zip(sorted({*ours, *theirs}), zip(false, true, strict=True), strict=True):
        assert f == sum(x <= step for x in theirs) / len(theirs)
        assert t == sum(x <= step for x in ours) / len(ours)


def test_merges_that_compete_are_told() -> None:
    profiles = with_metadata(batch_id=["1", "2", "3", "4"])
    line = ProfileSet([[0.1], [0.2], [0.3], [2.0]], ["A"], profiles.profiles)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        found = group(compare(line, metric="manhattan"), threshold=0.1)
    assert found.competing_ids == ("p0", "p1", "p2")
    assert "competing-merges" in [note.code for note in found.notes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        alone = group(compare(line, metric="manhattan"), threshold=0.1, linkage="single")
    assert alone.competing_ids == ()


def test_pairs_of_strata_are_links_where_links_are() -> None:
    # 100000.1 less 100000 is 0.10000000000582077: equal to 0.1 on the numbers as written.
    profiles = ProfileSet(
        [[100000.1, 5.0], [100000.0, 5.0], [1.0, 9.0], [1.0, 9.05], [2.0, 5.0], [2.0, 5.01]],
        ["A", "B"],
        {
            "profile_id": list("abcdef"),
            "batch_id": [None, None, "x", "x", "y", "y"],
            "seizure_id": list("123456"),
            "zone": list("qqrrrr"),
        },
    )
    rule = PopulationRule.from_data(BATCHES.to_data() | {"strata": ["zone"]})
    comparison = compare(profiles, metric="manhattan")
    found = threshold_for(
        comparison, profiles, rule, value=0.1, rng=np.random.default_rng(0), n_resamples=100
    )
    shares = {row.stratum: row.link_rate for row in found.rates.strata}
    links = comparison.links(0.1)
    assert (0, 1) in zip(links.rows, links.columns, strict=True)
    assert shares["q"] == 1.0


def test_areas_of_strata_have_ties_where_rounding_alone_parts_pairs() -> None:
    profiles = ProfileSet(
        [[100000.1, 5.0], [100000.0, 5.0], [7.1, 9.0], [7.0, 9.0], [2.0, 5.0], [2.1, 5.0]],
        ["A", "B"],
        {
            "profile_id": list("abcdef"),
            "batch_id": [None, None, "x", "x", "y", "y"],
            "seizure_id": list("123456"),
            "zone": list("qqrrrr"),
        },
    )
    rule = PopulationRule.from_data(BATCHES.to_data() | {"strata": ["zone"]})
    found = threshold_for(
        compare(profiles, metric="manhattan"), profiles, rule,
        value=0.1, rng=np.random.default_rng(0), n_resamples=100,
    )  # fmt: skip
    areas = {row.stratum: row.auc for row in found.rates.strata}
    # All linked pairs, and the one of the stratum, are 0.1 apart.
    assert areas["q"] == 0.5
