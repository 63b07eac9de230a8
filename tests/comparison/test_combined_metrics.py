"""Several techniques in one distance: each block by its own metric, scale and weight."""

from __future__ import annotations

import numpy as np
import pytest

from drugsig import ProfileSet, compare, pretreat
from drugsig.comparison import Metric
from drugsig.comparison.combining import MetricBlock, blocks_in_both, combine_metrics
from drugsig.comparison.fitting import fit_metric
from drugsig.errors import (
    ComparisonError,
    InputError,
    SmallSampleWarning,
    UndefinedScoreWarning,
    UnknownNameError,
)
from drugsig.profiles.blocks import join_blocks
from tests.comparison.oracles import accepts, known

GCMS = [f"GC-MS: t{k}" for k in range(6)]
IRMS = [f"IRMS: d{k}" for k in range(2)]


def techniques(n_sources: int = 20) -> dict[str, ProfileSet]:
    """GC-MS of 6 targets, and isotope ratios, which are negative, of some of the specimens."""
    gcms = known(6, n_sources=n_sources)
    rng = np.random.default_rng(5)
    delta = -28.0 + np.repeat(rng.normal(0.0, 2.0, (n_sources, 2)), 3, axis=0)
    delta += rng.normal(0.0, 0.2, delta.shape)
    irms = ProfileSet(
        delta[6:], ["d0", "d1"], {c: gcms.column(c)[6:] for c in ("profile_id", "batch_id")}
    )
    return {"GC-MS": pretreat(gcms, "sum"), "IRMS": irms}


def joined() -> ProfileSet:
    return join_blocks(techniques())


def combined(profiles: ProfileSet, **scales: float) -> Metric:
    return combine_metrics(
        {
            "GC-MS": MetricBlock(GCMS, "pearson_distance", 3.0, scales.get("gcms")),
            "IRMS": MetricBlock(IRMS, "euclidean", 1.0, scales.get("irms")),
        },
        profiles,
        source="batch_id",
    )


def test_the_distance_is_the_weighted_mean_of_scaled_block_distances() -> None:
    profiles = joined()
    scores = compare(profiles, metric=combined(profiles, gcms=0.25, irms=4.0)).scores
    rows = np.arange(6, 60)
    first = compare(techniques()["GC-MS"], metric="pearson_distance").scores
    second = compare(techniques()["IRMS"], metric="euclidean").scores
    expected = (3.0 * first[np.ix_(rows, rows)] / 0.25 + second / 4.0) / 4.0
    np.testing.assert_allclose(scores[np.ix_(rows, rows)], expected, rtol=1e-12, atol=1e-14)


def test_a_block_that_is_missing_leaves_its_weight_to_the_others_and_is_counted() -> None:
    profiles = joined()
    metric = combined(profiles, gcms=0.25, irms=4.0)
    comparison = compare(profiles, metric=metric)
    alone = compare(techniques()["GC-MS"], metric="pearson_distance").scores / 0.25
    np.testing.assert_allclose(comparison.scores[:6], alone[:6], rtol=1e-12, atol=1e-14)
    rows, columns = comparison.pair_index()
    count = blocks_in_both(metric, comparison.row_measured[rows], comparison.row_measured[columns])
    np.testing.assert_array_equal(count, np.where((rows < 6) | (columns < 6), 1, 2))


def test_a_pair_that_shares_no_block_is_undefined() -> None:
    parts = techniques()
    profiles = join_blocks(
        {"GC-MS": parts["GC-MS"].select(np.arange(6)), "IRMS": parts["IRMS"].select(np.arange(6))}
    )
    with pytest.warns(UndefinedScoreWarning, match="36 of 66"):
        scores = compare(profiles, metric=combined(profiles, gcms=1.0, irms=1.0)).scores
    assert np.isnan(scores[:6, 6:]).all()
    assert np.isfinite(scores[:6, :6]).all()


def test_a_scale_is_the_median_distance_of_unlinked_profiles() -> None:
    parts, profiles = techniques(), joined()
    metric = combined(profiles)
    assert metric.fit is not None
    for block, name, by in zip(
        metric.fit.parameters["blocks"], parts, ("pearson_distance", "euclidean"), strict=True
    ):
        comparison = compare(parts[name], metric=by)
        rows, columns = comparison.pair_index()
        source = np.array(parts[name].column("batch_id"))
        unlinked = source[rows] != source[columns]
        assert block["scale"] == pytest.approx(np.median(comparison.condensed()[unlinked]))
    assert metric.fit.origin["scaled"] == ["GC-MS", "IRMS"]
    assert metric.fit.origin["sources"] == 20


def test_weights_count_only_by_their_ratio() -> None:
    profiles = joined()
    pair = {"GC-MS": (GCMS, "canberra", 2.0), "IRMS": (IRMS, "manhattan", 6.0)}
    third = {name: (targets, by, weight / 3) for name, (targets, by, weight) in pair.items()}
    one, other = (combine_metrics(b, profiles, source="batch_id") for b in (pair, third))
    np.testing.assert_allclose(
        compare(profiles, metric=one).scores, compare(profiles, metric=other).scores, rtol=1e-14
    )


def test_a_similarity_counts_as_what_it_lacks_of_the_self_value() -> None:
    profiles = joined()
    one, other = (
        combine_metrics(
            {
                "GC-MS": MetricBlock(GCMS, by, 1.0, 0.5),
                "IRMS": MetricBlock(IRMS, "euclidean", 1, 1),
            },
            profiles,
        )
        for by in ("quotient", "quotient_distance")
    )
    scores = compare(profiles, metric=one).scores
    np.testing.assert_allclose(scores, compare(profiles, metric=other).scores, atol=1e-14)
    assert (np.diag(scores) == 0.0).all()


def test_a_fitted_metric_may_score_a_block() -> None:
    parts = techniques()
    mahalanobis = fit_metric("mahalanobis", parts["IRMS"], source="batch_id")
    profiles = join_blocks(parts)
    blocks = {
        "GC-MS": MetricBlock(GCMS, "bray_curtis", 1.0, 1.0),
        "IRMS": MetricBlock(IRMS, mahalanobis, 1.0, 1.0),
    }
    metric = combine_metrics(blocks, profiles)
    scores = compare(profiles, metric=metric).scores[6:, 6:]
    first = compare(parts["GC-MS"], metric="bray_curtis").scores[6:, 6:]
    second = compare(parts["IRMS"], metric=mahalanobis).scores
    np.testing.assert_allclose(scores, (first + second) / 2.0, rtol=1e-12, atol=1e-14)
    assert Metric.from_data(metric.to_data()) == metric
    elsewhere = join_blocks({**parts, "IRMS": pretreat(parts["IRMS"], "autoscale")})
    with pytest.raises(ComparisonError, match="another pretreatment, than block 'IRMS'"):
        combine_metrics(blocks, elsewhere)


def test_a_profile_without_a_score_in_a_block_leaves_the_pair_undefined() -> None:
    parts = techniques()
    values = parts["GC-MS"].values.copy()
    values[9] = 1.0
    constant = ProfileSet(values, parts["GC-MS"].targets, parts["GC-MS"].profiles)
    profiles = join_blocks({"GC-MS": constant, "IRMS": parts["IRMS"]})
    with pytest.warns(UndefinedScoreWarning, match="59 of 1770.*'k9'"):
        compare(profiles, metric=combined(profiles, gcms=1.0, irms=1.0))


def test_a_block_in_which_neither_has_anything_is_left_out() -> None:
    values = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 3.0], [1.0, 2.0, 3.0]])
    profiles = ProfileSet(values, list("ABC"), list("xyz"))
    metric = combine_metrics(
        {
            "1": MetricBlock(["A", "B"], "quotient", 1, 1),
            "2": MetricBlock(["C"], "manhattan", 3, 1),
        },
        profiles,
    )
    scores = compare(profiles, metric=metric)
    assert scores["x", "y"] == 2.0
    assert scores["x", "z"] == (1.0 + 3 * 2.0) / 4
    assert scores["x", "x"] == 0.0


# -- refusals ------------------------------------------------------------------------------------


def test_joined_profiles_are_no_one_vector() -> None:
    from drugsig import METRICS

    with pytest.raises(ComparisonError, match=r"joins 2 blocks, 'GC-MS', 'IRMS'.*combine_metrics"):
        METRICS["euclidean"].check(joined())
    assert accepts(combined(joined(), gcms=1.0, irms=1.0), joined())


def test_profiles_joined_in_another_way_are_refused() -> None:
    parts = techniques()
    metric = combined(join_blocks(parts), gcms=1.0, irms=1.0)
    other = join_blocks({**parts, "GC-MS": pretreat(parts["GC-MS"], "fourth_root")})
    with pytest.raises(ComparisonError, match="another pretreatment"):
        metric.check(other)


@pytest.mark.parametrize(
    ("blocks", "error", "match"),
    [
        ({}, InputError, "one block or more, got none"),
        ({"A": (["nothing"], "euclidean", 1)}, UnknownNameError, "target in block 'A'"),
        ({"A": ("GC-MS: t0", "euclidean", 1)}, InputError, "must be a list"),
        ({"A": ([], "euclidean", 1)}, InputError, "'A' has no targets"),
        ({"A": (GCMS, "euclidean", 1)}, InputError, "'IRMS: d0', 'IRMS: d1' is in no block"),
        (
            {"A": (GCMS, "euclidean", 1), "B": ([*IRMS, GCMS[0]], "euclidean", 1)},
            InputError,
            "'GC-MS: t0' came more than once",
        ),
        ({"A": (GCMS, "euclidean", 0), "B": (IRMS, "euclidean", 1)}, InputError, "weight of"),
        ({"A": MetricBlock(GCMS, "euclidean", 1, -2)}, InputError, "scale of block 'A'"),
        ({"A": (GCMS, "euclid", 1), "B": (IRMS, "euclidean", 1)}, UnknownNameError, "euclidean"),
        (
            {"A": (GCMS, "euclidean", 1), "B": (IRMS, "mahalanobis", 1)},
            ComparisonError,
            "before they are joined",
        ),
        (
            {"A": (GCMS, "euclidean", 1), "B": (IRMS, "pearson", 1)},
            ComparisonError,
            "has 2 targets, and metric 'pearson' needs 5",
        ),
        (
            {"A": MetricBlock(GCMS, "euclidean", 1, 1), "B": MetricBlock(IRMS, "quotient", 1, 1)},
            ComparisonError,
            "no meaning for negative values; profile 'k6', target 'IRMS: d0' is -",
        ),
    ],
)
def test_blocks_that_cannot_be_combined_are_refused(blocks, error, match) -> None:
    with pytest.raises(error, match=match):
        combine_metrics(blocks, joined(), source="batch_id")


def test_negative_values_are_refused_when_profiles_are_compared() -> None:
    values = np.array([[1.0, 2.0], [2.0, 3.0]])
    metric = combine_metrics(
        {"1": MetricBlock(["A"], "quotient", 1, 1), "2": MetricBlock(["B"], "euclidean", 1, 1)},
        ProfileSet(values, ["A", "B"], ["x", "y"]),
    )
    assert accepts(metric, ProfileSet(values * [1, -1], ["A", "B"], ["x", "y"]))
    with pytest.raises(ComparisonError, match="profile 'x', target 'A' is -1"):
        metric.check(ProfileSet(-values, ["A", "B"], ["x", "y"]))


def test_a_combination_is_no_block() -> None:
    profiles = joined()
    metric = combined(profiles, gcms=1.0, irms=1.0)
    with pytest.raises(ComparisonError, match="cannot be scored by blocks again"):
        combine_metrics({"all": MetricBlock([*GCMS, *IRMS], metric, 1, 1)}, profiles)
    with pytest.raises(ComparisonError, match="has no blocks to count"):
        blocks_in_both(fit_metric("within_sd", techniques()["IRMS"], source="batch_id"),
                       np.ones((1, 2), bool), np.ones((1, 2), bool))  # fmt: skip


def test_a_scale_needs_a_source_and_unlinked_profiles_that_differ() -> None:
    profiles = joined()
    blocks = {"A": MetricBlock(GCMS, "euclidean"), "B": MetricBlock(IRMS, "euclidean", 1.0, 2.0)}
    with pytest.raises(ComparisonError, match=r"block 'A' has no scale.*source='batch_id'"):
        combine_metrics(blocks, profiles)
    same = profiles.with_column("batch_id", ["1"] * len(profiles))
    with pytest.raises(ComparisonError, match="there are none: 1 known source"):
        combine_metrics(blocks, same, source="batch_id")
    equal = ProfileSet(np.ones((4, 1)), ["A"], {"profile_id": list("abcd"), "s": list("1122")})
    with pytest.raises(ComparisonError, match="half of the 4 unlinked pairs are at distance 0"):
        combine_metrics({"A": (["A"], "euclidean", 1)}, equal, source="s")


def test_few_sources_are_said() -> None:
    profiles = join_blocks(techniques(n_sources=6))
    with pytest.warns(SmallSampleWarning, match="'GC-MS', 'IRMS'.*6 sources only"):
        combined(profiles)


def test_many_pairs_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    from drugsig.comparison import combining

    profiles = joined()
    whole = combined(profiles).fit
    monkeypatch.setattr(combining, "_MOST_PAIRS", 300)
    thinned = combined(profiles).fit
    assert whole is not None
    assert thinned is not None
    for one, other in zip(whole.parameters["blocks"], thinned.parameters["blocks"], strict=True):
        assert other["scale"] == pytest.approx(one["scale"], rel=0.2)
