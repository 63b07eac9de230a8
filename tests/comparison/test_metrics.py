"""The contract that every registered metric keeps; a new metric is tested by being registered."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import cdist
from scipy.stats import pearsonr, spearmanr

from drugsig import METRICS, ProfileSet, compare
from drugsig.comparison import Comparison, dense, get_metric, score_pairs
from drugsig.comparison.contract import check_metric
from drugsig.errors import ThresholdError, UndefinedScoreWarning, UnknownNameError
from tests.comparison.oracles import FITTED_ORACLES, ORACLES, oracle_of, usable

EVERY = tuple(METRICS)
FREE_OF_SCALE = tuple(
    n
    for n in EVERY
    if n.split("_distance")[0] in ("pearson", "spearman", "cosine", "squared_cosine")
)
CORRELATIONS = tuple(n for n in EVERY if n.startswith(("pearson", "spearman")))
FITTED = tuple(n for n in EVERY if METRICS[n].needs_fit)

every = pytest.mark.parametrize("name", EVERY)


def made(values, *, tag: str = "p") -> ProfileSet:
    values = np.asarray(values, dtype=float)
    return ProfileSet(
        values,
        [f"t{k}" for k in range(values.shape[1])],
        [f"{tag}{k}" for k in range(values.shape[0])],
        name=tag,
    )


def scored(*sets: ProfileSet, **options) -> Comparison:
    """Compare, and let undefined scores pass; what needs fitting is fitted."""
    options["metric"] = usable(options["metric"], len(sets[0].targets))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedScoreWarning)
        return compare(*sets, **options)


def full(n: int = 12, p: int = 7, seed: int = 0) -> np.ndarray:
    """Profiles with zeros and ties, but nothing undefined."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.gamma(0.8, 3.0, (n, p)), 1)
    values[rng.random((n, p)) < 0.3] = 0.0
    values[:, 0] += 1.0
    values[:, 1] *= 2.0
    return values


def partial(n: int = 12, p: int = 9, seed: int = 1) -> np.ndarray:
    values = full(n, p, seed)
    values[np.random.default_rng(seed + 1).random((n, p)) < 0.15] = np.nan
    return values


def positive(n: int = 12, p: int = 7, seed: int = 0) -> np.ndarray:
    """The same without zeros."""
    return full(n, p, seed) + 0.1


def defined(name: str, *shape: int) -> np.ndarray:
    """Profiles that all have a score with each other."""
    return positive(*shape) if name == "aitchison" else full(*shape)


# Few targets, repeated values, zeros and gaps: what breaks formulas. Rounded, so that a profile is
# constant or clearly is not.
awkward = hnp.arrays(
    float,
    st.tuples(st.integers(2, 5), st.integers(5, 8)),
    elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, 2.5, 7.0, 100.0, np.nan])
    | st.floats(0.01, 1e3).map(lambda x: round(x, 3)),
)


# -- against the formula -----------------------------------------------------------------------


def test_every_metric_has_an_oracle() -> None:
    assert set(ORACLES) | set(FITTED_ORACLES) == set(EVERY)
    assert set(FITTED_ORACLES) == set(FITTED)


@every
def test_every_metric_keeps_its_promises(name: str) -> None:
    metric = usable(name, 7)
    check_metric(metric)
    assert not metric.needs_fit


@every
@pytest.mark.parametrize(
    "values", [full(), partial(), positive()], ids=["full", "partial", "positive"]
)
def test_a_score_is_its_formula(name: str, values: np.ndarray) -> None:
    got = scored(made(values), metric=name, min_measured=1).scores
    oracle = oracle_of(name, values.shape[1])
    expected = [[oracle(a, b) for b in values.tolist()] for a in values.tolist()]
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11)


@given(values=awkward)
def test_a_score_is_its_formula_for_awkward_profiles(values: np.ndarray) -> None:
    for name in EVERY:
        got = scored(made(values), metric=name, min_measured=1).scores
        oracle = oracle_of(name, values.shape[1])
        expected = [[oracle(a, b) for b in values.tolist()] for a in values.tolist()]
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9, err_msg=name)


IN_SCIPY = {
    "pearson_distance": "correlation",
    "cosine_distance": "cosine",
    "euclidean": "euclidean",
    "manhattan": "cityblock",
    "canberra": "canberra",
    "bray_curtis": "braycurtis",
}


@pytest.mark.parametrize("name", IN_SCIPY)
def test_a_score_is_that_of_scipy(name) -> None:
    a, b = full(), full(seed=5)
    got = compare(made(a, tag="a"), made(b, tag="b"), metric=name).scores
    other: Any = cdist
    np.testing.assert_allclose(got, other(a, b, IN_SCIPY[name]), rtol=1e-12, atol=1e-14)


def test_correlations_are_those_of_scipy() -> None:
    a, b = full()[0], full()[1]
    pair = made([a, b])
    np.testing.assert_allclose(
        compare(pair, metric="pearson")["p0", "p1"], pearsonr(a, b).statistic, rtol=1e-12
    )
    np.testing.assert_allclose(
        compare(pair, metric="spearman")["p0", "p1"], spearmanr(a, b).statistic, rtol=1e-12
    )


def test_canberra_drops_what_both_lack_as_r_does() -> None:
    """R 4: dist(rbind(c(0, 1, 3, 0), c(0, 3, 1, 2)), "canberra") is (4/3)(1/2 + 1/2 + 1)."""
    pair = made([[0.0, 1.0, 3.0, 0.0], [0.0, 3.0, 1.0, 2.0]])
    assert compare(pair, metric="canberra_r")["p0", "p1"] == pytest.approx(8 / 3, rel=1e-15)
    assert compare(pair, metric="canberra")["p0", "p1"] == 2.0


# -- exact promises ----------------------------------------------------------------------------


@settings(max_examples=60)  # every metric twice for each
@given(values=awkward)
def test_symmetric_to_the_bit(values: np.ndarray) -> None:
    for name in EVERY:
        scores = scored(made(values), metric=name, min_measured=1).scores
        np.testing.assert_array_equal(scores, scores.T, err_msg=name)
        other_way = scored(made(values), made(values[::-1], tag="q"), metric=name, min_measured=1)
        np.testing.assert_array_equal(other_way.scores[:, ::-1], scores, err_msg=name)


@given(
    row=hnp.arrays(
        float, st.integers(5, 12), elements=st.floats(0, 1e12) | st.sampled_from([0.0, np.nan])
    )
)
def test_identical_rows_score_the_self_value_exactly(row: np.ndarray) -> None:
    measured = row[~np.isnan(row)]
    largest = measured.max(initial=0.0)
    varies = len(measured) > 0 and np.ptp(measured) > 1e-12 * largest
    for name in EVERY:
        scores = scored(made([row, row]), metric=name, min_measured=1).scores
        alike = scores[~np.isnan(scores)]
        assert (alike == METRICS[name].self_value).all(), name
        if name == "aitchison" and measured.min(initial=np.inf) == 0:
            assert len(alike) == 0
        elif largest > 0 and (varies or name not in CORRELATIONS):
            assert len(alike) == 4, name


@given(values=awkward)
def test_scores_stay_in_the_range(values: np.ndarray) -> None:
    for name, metric in METRICS.items():
        scores = scored(made(values), metric=name, min_measured=1).scores
        inside = scores[~np.isnan(scores)]
        assert ((inside >= metric.low) & (inside <= metric.high)).all(), name


@every
@pytest.mark.parametrize("values", [full(), partial()], ids=["full", "partial"])
def test_the_order_of_profiles_does_not_count(name: str, values: np.ndarray) -> None:
    order = np.random.default_rng(3).permutation(len(values))
    plain = scored(made(values), metric=name).scores
    shuffled = scored(made(values).select(order), metric=name).scores
    np.testing.assert_array_equal(shuffled, plain[np.ix_(order, order)])


@pytest.mark.parametrize("name", [n for n in EVERY if n not in FITTED])
@pytest.mark.parametrize("values", [full(), partial()], ids=["full", "partial"])
def test_the_order_of_targets_counts_only_in_rounding(name: str, values: np.ndarray) -> None:
    order = np.random.default_rng(3).permutation(values.shape[1])
    plain = scored(made(values), metric=name).scores
    shuffled = scored(made(values[:, order]), metric=name).scores
    np.testing.assert_allclose(shuffled, plain, rtol=1e-12, atol=1e-12)


@every
@pytest.mark.parametrize("values", [full(9), partial(9)], ids=["full", "partial"])
@pytest.mark.parametrize("size", [1, 2, 5, 7, 16, 1000])
def test_the_size_of_blocks_does_not_count(name: str, values, size: int, monkeypatch) -> None:
    plain = scored(made(values), metric=name).scores
    against = scored(made(values), made(values[:5], tag="q"), metric=name).scores
    monkeypatch.setattr(dense, "_BLOCK_SCORES", size)
    np.testing.assert_array_equal(scored(made(values), metric=name).scores, plain)
    blockwise = scored(made(values), made(values[:5], tag="q"), metric=name).scores
    np.testing.assert_array_equal(blockwise, against)


@every
@pytest.mark.parametrize("values", [full(), partial()], ids=["full", "partial"])
def test_listed_pairs_score_the_same_to_the_bit(name: str, values: np.ndarray) -> None:
    a, b = made(values), made(np.roll(values, 3, axis=0), tag="q")
    matrix = scored(a, b, metric=name).scores
    rows, columns = (x.ravel() for x in np.indices(matrix.shape))
    metric = usable(name, values.shape[1])
    np.testing.assert_array_equal(score_pairs(a, b, rows, columns, metric=metric), matrix.ravel())
    few = np.array([0, 3, 3]), np.array([1, 0, 4])
    np.testing.assert_array_equal(score_pairs(a, b, *few, metric=metric), matrix[few])
    nothing = np.empty(0, dtype=np.intp)
    assert score_pairs(a, b, nothing, nothing, metric=metric).shape == (0,)


@every
def test_a_gap_elsewhere_changes_no_score(name: str) -> None:
    """One partly measured profile sends the others through the code for gaps."""
    values = defined(name)
    with_gap = np.vstack([values, values[:1]])
    with_gap[-1, 2] = np.nan
    plain = scored(made(values), metric=name).scores
    masked = scored(made(with_gap), metric=name).scores[:-1, :-1]
    np.testing.assert_array_equal(masked, plain)


@given(values=awkward, factor=st.floats(1e-6, 1e6))
def test_the_amount_does_not_count(values: np.ndarray, factor: float) -> None:
    def scores(name: str, x: np.ndarray) -> np.ndarray:
        return scored(made(x), made(values, tag="q"), metric=name, min_measured=1).scores

    for name in ("pearson", "spearman", "cosine", "squared_cosine"):
        plain = scores(name, values)
        np.testing.assert_array_equal(scores(name, values * 2.0**-20), plain, err_msg=name)
        np.testing.assert_allclose(
            scores(name, values * factor), plain, rtol=1e-9, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize("name", FREE_OF_SCALE)
@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e149])
def test_very_small_and_very_large_profiles_score_as_any_other(name: str, scale: float) -> None:
    values = full() / full().max()
    got = compare(made(values * scale), metric=name).scores
    np.testing.assert_allclose(got, compare(made(values), metric=name).scores, atol=1e-12)


# -- gaps --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in EVERY if n not in FITTED])
def test_a_target_not_measured_is_dropped_for_the_pair(name: str) -> None:
    values = defined(name, 2)
    values[0, 3] = np.nan
    gap = scored(made(values), metric=name)["p0", "p1"]
    without = compare(made(np.delete(values, 3, axis=1)), metric=name)["p0", "p1"]
    if name in ("euclidean", "aitchison"):
        without *= np.sqrt(7 / 6)
    elif name in ("manhattan", "canberra"):
        without *= 7 / 6
    elif name == "canberra_r":
        # Terms that both lack are dropped as well: the sum stands for all targets either way.
        without *= 7 / 6
    np.testing.assert_allclose(gap, without, rtol=1e-13)


@every
def test_a_value_that_was_rejected_is_never_used(name: str) -> None:
    values = defined(name, 3)
    status = np.zeros(values.shape, dtype=int)
    status[0, 2] = 4
    wild = values.copy()
    wild[0, 2] = 1e6
    names, ids = [f"t{k}" for k in range(7)], ["p0", "p1", "p2"]
    with_status = (ProfileSet(v, names, ids, status=status) for v in (values, wild))
    one, other = (scored(s, metric=name).scores for s in with_status)
    np.testing.assert_array_equal(one, other)


@every
def test_too_few_targets_measured_in_both_is_undefined(name: str) -> None:
    values = defined(name, 2, 12)
    values[0, :4] = values[1, -4:] = np.nan
    s = made(values)
    assert not np.isnan(scored(s, metric=name, min_measured=4)["p0", "p1"])
    undefined = scored(s, metric=name, min_measured=5)
    assert np.isnan(undefined["p0", "p1"])
    assert undefined.min_measured == 5
    default = METRICS[name].min_measured
    assert np.isnan(scored(s, metric=name)["p0", "p1"]) == (default > 4)
    disjoint = (
        np.where(np.arange(12) < 6, values[0], np.nan),
        np.where(np.arange(12) < 6, np.nan, 1.0 + np.arange(12)),
    )
    assert np.isnan(scored(made(disjoint), metric=name, min_measured=1)["p0", "p1"])


@pytest.mark.parametrize(
    ("name", "row"),
    [
        *((n, [2.0] * 6) for n in CORRELATIONS),
        *((n, [0.0] * 6) for n in FREE_OF_SCALE),
        # What is left after centring is rounding.
        *((n, list(1e6 + 1e-10 * np.arange(6))) for n in CORRELATIONS if "pearson" in n),
    ],
)
def test_a_constant_or_empty_profile_has_no_score_and_no_link(name: str, row: list) -> None:
    values = np.vstack([row, full(3, 6), row])
    with pytest.warns(UndefinedScoreWarning, match=r"7 of 10 scores.*'p0', 'p4'") as caught:
        result = compare(made(values), metric=name)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert result.undefined_ids == ("p0", "p4")
    assert result.n_undefined == 7
    assert np.isnan(np.diag(result.scores)[[0, 4]]).all()
    everything = METRICS[name].low if METRICS[name].is_similarity else METRICS[name].high
    links = result.links(everything)
    assert len(links) == 3
    assert links.undefined == 7


@pytest.mark.parametrize("name", ["canberra_r", "bray_curtis", "quotient", "peaks_in_common"])
def test_two_empty_profiles_have_no_score(name: str) -> None:
    values = [[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]]
    result = scored(made(values), metric=name)
    assert np.isnan(result["p0", "p1"])
    assert np.isnan(result["p0", "p0"])
    unlike = METRICS[name].low if METRICS[name].is_similarity else METRICS[name].high
    assert result["p0", "p2"] == (2.0 if name == "canberra_r" else unlike)


# -- conventions of one metric ---------------------------------------------------------------------

CONVENTIONS = [
    ("pearson", "pearson_distance", lambda r: 1 - r),
    ("pearson", "pearson_distance_half", lambda r: (1 - r) / 2),
    ("pearson", "pearson_distance_percent", lambda r: 100 * (1 - r) / 2),
    ("spearman", "spearman_distance_percent", lambda r: 100 * (1 - r) / 2),
    ("cosine", "cosine_distance", lambda c: 1 - c),
    ("squared_cosine", "squared_cosine_distance", lambda c: 100 - c),
    ("quotient", "quotient_distance", lambda q: 1 - q),
    ("peaks_in_common", "peaks_in_common_distance", lambda c: 1 - c),
]


@pytest.mark.parametrize(("name", "other", "convert"), CONVENTIONS)
@given(threshold=st.floats(0.0, 1.0), seed=st.integers(0, 50))
def test_conventions_make_the_same_links_except_in_rounding(
    name, other, convert, threshold, seed
) -> None:
    high = METRICS[name].high
    s = made(full(6, 7, seed))
    similarity, distance = compare(s, metric=name), compare(s, metric=other)
    np.testing.assert_allclose(distance.scores, convert(similarity.scores), atol=1e-13 * high)
    linked = similarity.metric.meets(similarity.scores, threshold * high)
    by_distance = distance.metric.meets(distance.scores, convert(threshold * high))
    near = np.abs(similarity.scores - threshold * high) < 1e-12 * high
    assert ((linked == by_distance) | near).all()


@every
def test_as_distance_grows_with_unlikeness_from_zero(name: str) -> None:
    metric = METRICS[name]
    scores = np.sort(scored(made(defined(name)), metric=name).scores.ravel())
    distance = metric.as_distance(scores)
    assert (np.diff(distance) >= 0).all() != metric.is_similarity or len(set(scores)) == 1
    assert metric.as_distance(np.array([metric.self_value])) == 0.0
    assert (distance >= 0).all()


# -- the registry ----------------------------------------------------------------------------------


@every
def test_an_entry_says_what_it_is(name: str) -> None:
    metric = METRICS[name]
    assert metric.name == name
    assert metric.kind in ("similarity", "distance")
    assert metric.low < metric.high
    assert metric.low <= metric.self_value <= metric.high
    assert metric.self_value == (metric.high if metric.is_similarity else metric.low)
    assert metric.formula
    assert metric.zero_rule
    assert metric.when_partial
    assert metric.min_measured >= 1
    assert metric.link_sign == (">=" if metric.is_similarity else "<=")
    assert get_metric(name) is get_metric(metric) is metric
    assert pickle.loads(pickle.dumps(metric)) is metric  # noqa: S301


def test_formulas_are_told_apart() -> None:
    assert len({m.formula for m in METRICS.values()}) == len(METRICS)


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown metric 'pearsn'. Did you mean 'pearson'"):
        compare(made(full()), metric="pearsn")


# -- thresholds ----------------------------------------------------------------------------------


@every
def test_a_score_equal_to_the_threshold_is_a_link(name: str) -> None:
    result = scored(made(defined(name)), metric=name)
    for score in result.condensed()[:5]:
        assert score in result.links(score).scores
        # Half a slack is rounding, two are none.
        slack = 1e-12 * (
            result.metric.high - result.metric.low
            if result.row_sizes is None
            else float(result.row_sizes.max()) * 2.0
        )
        for part in (0.1, 2.0):
            stricter = score + (part if result.metric.is_similarity else -part) * slack
            if result.metric.low <= stricter <= result.metric.high:
                assert (score in result.links(stricter).scores) == (part < 1.0)


@pytest.mark.parametrize(
    ("name", "threshold", "hint"),
    [
        ("pearson", 10.98, "pearson_distance_percent, which is the same metric"),
        ("pearson_distance", -0.5, "could be a threshold of pearson,"),
        ("pearson_distance_half", 1.5, "pearson_distance or pearson_distance_percent"),
        ("cosine", 2.0, "cosine_distance"),
        ("euclidean", -1.0, "0 to inf"),
    ],
)
def test_a_threshold_out_of_range_hints_at_the_other_convention(name, threshold, hint) -> None:
    with pytest.raises(ThresholdError, match=hint) as caught:
        METRICS[name].check_threshold(threshold)
    assert "spearman" not in str(caught.value)


@pytest.mark.parametrize("threshold", [np.nan, np.inf, -np.inf, "much", None])
def test_a_threshold_is_a_finite_number(threshold) -> None:
    with pytest.raises(ThresholdError, match="number"):
        METRICS["euclidean"].check_threshold(threshold)
