"""Metrics that carry numbers: what they learn, how sure it is, and whom they refuse."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import warnings

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from drugsig import ProfileSet, Recipe, compare, pretreat
from drugsig.comparison import METRICS, Metric
from drugsig.comparison.fitting import fit_metric
from drugsig.comparison.kernels import cholesky
from drugsig.comparison.within_source import WithinSource
from drugsig.errors import (
    ComparisonError,
    DataWarning,
    InputError,
    MetadataError,
    SmallSampleWarning,
    TargetMismatchError,
    UnknownNameError,
)
from drugsig.profiles.blocks import join_blocks
from tests.comparison.oracles import accepts, known, usable

FITTED = tuple(name for name, metric in METRICS.items() if metric.needs_fit)
LEARNED = ("mahalanobis", "within_sd")


def fitted(name: str, profiles: ProfileSet, **options) -> Metric:
    """Fit, and let warnings of small samples pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallSampleWarning)
        return fit_metric(name, profiles, source="batch_id", **options)


def parameters(metric: Metric) -> dict:
    assert metric.fit is not None
    return metric.fit.parameters


def changed(profiles: ProfileSet, values: np.ndarray, **columns) -> ProfileSet:
    table = {c: profiles.column(c) for c in ("profile_id", "batch_id")} | columns
    return ProfileSet(values, profiles.targets, table)


def pooled(profiles: ProfileSet) -> np.ndarray:
    """The pooled covariance, source by source."""
    total, dof = np.zeros((len(profiles.targets),) * 2), 0
    for source in set(profiles.column("batch_id")):
        rows = [k for k, s in enumerate(profiles.column("batch_id")) if s == source]
        if len(rows) > 1:
            total = total + np.cov(profiles.values[rows].T, ddof=1) * (len(rows) - 1)
            dof += len(rows) - 1
    return np.asarray(total / dof)


# -- before it is fitted ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", FITTED)
def test_a_metric_that_was_not_fitted_says_what_to_call(name: str) -> None:
    call = "combine_metrics" if name == "combined" else rf"fit_metric\('{name}', profiles, source="
    with pytest.raises(ComparisonError, match=rf"metric '{name}' .*drugsig\.{call}"):
        compare(known(5), metric=name)
    with pytest.raises(ComparisonError, match="was not fitted"):
        METRICS[name].check(known(5))


def test_a_metric_that_carries_nothing_is_not_fitted() -> None:
    with pytest.raises(ComparisonError, match=r"'euclidean' carries no numbers.*'mahalanobis'"):
        fitted("euclidean", known(5))
    with pytest.raises(ComparisonError, match=r"'combined' is made in another.*combine_metrics"):
        fitted("combined", known(5))


# -- Mahalanobis ---------------------------------------------------------------------------------


def test_the_covariance_is_that_of_the_sources_pooled() -> None:
    profiles = known(4, n_sources=30)
    metric = fit_metric("mahalanobis", profiles, source="batch_id")
    found = parameters(metric)
    np.testing.assert_allclose(found["covariance"], pooled(profiles), rtol=1e-12, atol=1e-14)
    assert found["shrinkage"] == 0.0
    assert metric.fit is not None
    assert metric.fit.origin == {
        "source": ["batch_id"], "sources": 30, "used": 90, "left_out": 0, "dof": 60,
        "profiles": 90, "digest": profiles.digest,
    }  # fmt: skip


def test_sources_of_unequal_size_count_by_their_degrees_of_freedom() -> None:
    whole = known(3, n_sources=20, n=4)
    keep = np.ones(len(whole), dtype=bool)
    keep[[0, 1, 2, 4, 9]] = False  # the first source keeps one profile and tells nothing
    profiles = whole.select(keep)
    metric = fit_metric("mahalanobis", profiles, source="batch_id")
    np.testing.assert_allclose(parameters(metric)["covariance"], pooled(profiles), rtol=1e-12)
    assert metric.fit is not None
    assert (metric.fit.origin["sources"], metric.fit.origin["left_out"]) == (19, 1)


def test_the_distance_is_that_of_scipy() -> None:
    profiles = known(6)
    metric = usable("mahalanobis", 6)
    inverse = np.linalg.inv(np.array(parameters(metric)["covariance"]))
    expected = cdist(profiles.values, profiles.values, "mahalanobis", VI=inverse)
    np.testing.assert_allclose(compare(profiles, metric=metric).scores, expected, atol=1e-12)


def test_targets_not_measured_take_the_covariance_of_the_others() -> None:
    metric = usable("mahalanobis", 6)
    covariance = np.array(parameters(metric)["covariance"])
    values = known(6).values[:9].copy()
    values[0, 2] = values[1, [0, 5]] = values[5, 2] = np.nan
    profiles = ProfileSet(values, [f"t{k}" for k in range(6)], [f"p{k}" for k in range(9)])
    scores = compare(profiles, metric=metric).scores
    for i, j, used in ((0, 3, [0, 1, 3, 4, 5]), (0, 5, [0, 1, 3, 4, 5]), (0, 1, [1, 3, 4])):
        inverse = np.linalg.inv(covariance[np.ix_(used, used)])
        apart = cdist(values[[i]][:, used], values[[j]][:, used], "mahalanobis", VI=inverse)
        assert scores[i, j] == pytest.approx(apart[0, 0] * np.sqrt(6 / len(used)), rel=1e-12)


def test_two_profiles_of_one_source_differ_by_twice_the_targets_on_average() -> None:
    """(a - b)' W^-1 (a - b) is 2 chi-squared with p degrees of freedom for one source."""
    p, n = 5, 4000
    rng = np.random.default_rng(3)
    mixing = rng.normal(size=(p, p))
    one, other = (20.0 + rng.normal(size=(n, p)) @ mixing for _ in range(2))
    values = np.stack([one, other], axis=1).reshape(2 * n, p)
    profiles = ProfileSet(
        values,
        list("ABCDE"),
        {
            "profile_id": [str(k) for k in range(2 * n)],
            "batch_id": [str(k // 2) for k in range(2 * n)],
        },
    )
    metric = fit_metric("mahalanobis", profiles, source="batch_id")
    pairs = ProfileSet(values[:600], list("ABCDE"), [str(k) for k in range(600)])
    square = compare(pairs, metric=metric).scores[np.arange(0, 600, 2), np.arange(1, 600, 2)] ** 2
    # Four standard errors of the mean of 300 such squares, each with variance 8 p.
    assert square.mean() == pytest.approx(2 * p, abs=4 * np.sqrt(8 * p / 300))


def test_the_unit_of_a_target_does_not_count_also_when_shrunk() -> None:
    profiles = known(6, n_sources=6, n=2)
    units = np.array([1e-6, 1.0, 1e3, 7.0, 1e6, 0.1])
    other = changed(profiles, profiles.values * units)
    one, two = fitted("mahalanobis", profiles), fitted("mahalanobis", other)
    assert 0 < parameters(one)["shrinkage"] < 1
    assert parameters(one)["shrinkage"] == pytest.approx(parameters(two)["shrinkage"], rel=1e-9)
    np.testing.assert_allclose(
        compare(profiles, metric=one).scores, compare(other, metric=two).scores, rtol=1e-9
    )


def test_the_weight_of_the_diagonal_is_that_of_the_formula() -> None:
    profiles = known(4, n_sources=5, n=2)
    metric = fitted("mahalanobis", profiles)
    within = WithinSource.of(profiles, source="batch_id")
    standard = within.contrasts / np.sqrt((within.contrasts**2).mean(axis=0))
    dof = len(standard)
    above = below = 0.0
    for i in range(4):
        for j in range(4):
            if i != j:
                products = standard[:, i] * standard[:, j]
                above += products.var(ddof=1) / dof
                below += products.mean() ** 2
    weight = parameters(metric)["shrinkage"]
    assert weight == pytest.approx(min(1.0, above / below), rel=1e-10)
    expected = (1 - weight) * pooled(profiles) + weight * np.diag(np.diag(pooled(profiles)))
    np.testing.assert_allclose(parameters(metric)["covariance"], expected, rtol=1e-10)


def test_the_diagonal_alone_is_euclid_of_standardised_profiles() -> None:
    profiles = known(5)
    metric = fit_metric("mahalanobis", profiles, source="batch_id", shrinkage=1)
    scaled = changed(profiles, profiles.values / np.sqrt(np.diag(pooled(profiles))))
    np.testing.assert_allclose(
        compare(profiles, metric=metric).scores,
        compare(scaled, metric="euclidean").scores,
        rtol=1e-10,
        atol=1e-12,
    )


def test_few_degrees_of_freedom_are_shrunk_and_said() -> None:
    with pytest.warns(SmallSampleWarning, match="9 targets rests on 20 degrees.*shrunk") as caught:
        metric = fit_metric("mahalanobis", known(9, n_sources=10), source="batch_id")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert parameters(metric)["shrinkage"] > 0


def test_fewer_profiles_than_targets_still_give_a_distance() -> None:
    profiles = known(9, n_sources=3, n=2)
    scores = compare(profiles, metric=fitted("mahalanobis", profiles)).scores
    assert np.isfinite(scores).all()
    assert (scores[~np.eye(len(scores), dtype=bool)] > 0).all()


def test_targets_that_follow_from_the_others_are_found() -> None:
    raw = known(4)
    closed = changed(raw, raw.values / raw.values.sum(axis=1, keepdims=True))
    with pytest.warns(DataWarning, match="singular: some follow from the others.*weight 1e-06"):
        metric = fit_metric("mahalanobis", closed, source="batch_id", shrinkage=None)
    scores = compare(closed, metric=metric).scores
    # Nothing of the direction that does not vary is left in the distance.
    without = closed.keep_targets(["t0", "t1", "t2"])
    plain = compare(without, metric=fit_metric("mahalanobis", without, source="batch_id")).scores
    np.testing.assert_allclose(scores, plain, rtol=1e-3, atol=1e-6)
    with pytest.raises(ComparisonError, match="singular with shrinkage=0"):
        fitted("mahalanobis", known(9, n_sources=3, n=2), shrinkage=0.0)


@pytest.mark.parametrize("bad", [-0.1, 1.1, True, "much", np.nan])
def test_a_shrinkage_is_a_share(bad) -> None:
    with pytest.raises(InputError, match="shrinkage must lie between 0"):
        fitted("mahalanobis", known(3), shrinkage=bad)


def test_the_factor_is_the_one_of_cholesky() -> None:
    matrix = pooled(known(7))
    np.testing.assert_allclose(cholesky(matrix), np.linalg.cholesky(matrix), rtol=1e-11)
    assert np.isnan(cholesky(np.array([[1.0, 2.0], [2.0, 1.0]]))).any()


# -- targets within k standard deviations ----------------------------------------------------------


def test_deviations_are_pooled_and_differences_equal_to_the_limit_agree() -> None:
    values = [[0.0, 10.0], [2.0, 10.5], [6.0, 20.0], [8.0, 20.5], [50.0, 5.0], [52.0, 5.5]]
    profiles = ProfileSet(
        values, ["A", "B"], {"profile_id": list("abcdef"), "batch_id": list("112233")}
    )
    metric = fitted("within_sd", profiles, k=2)
    assert parameters(metric)["deviations"] == pytest.approx([np.sqrt(2), np.sqrt(0.125)])
    exact = fitted("within_sd", profiles, k=float(np.sqrt(2)) * (1 + 1e-12))
    scores = compare(profiles, metric=exact)
    assert scores["a", "b"] == 1.0
    assert scores["a", "c"] == 0.0
    assert compare(profiles, metric=fitted("within_sd", profiles, k=4.5))["a", "c"] == 0.5


def test_two_results_of_one_source_lie_within_the_usual_limit_in_nineteen_of_twenty_cases() -> None:
    profiles = known(6, n_sources=400, n=2, seed=8)
    metric = fit_metric("within_sd", profiles, source="batch_id")
    assert parameters(metric)["k"] == 2.8
    shares = np.array(
        [compare(profiles.select(np.array([k, k + 1])), metric=metric).scores[0, 1]
         for k in range(0, 800, 2)]
    )  # fmt: skip
    assert shares.mean() == pytest.approx(0.952, abs=0.02)


@pytest.mark.parametrize("bad", [0, -1, np.inf, np.nan, True, None, "2"])
def test_a_number_of_deviations_is_positive(bad) -> None:
    with pytest.raises(InputError, match="k must be a positive number"):
        fitted("within_sd", known(3), k=bad)


def test_deviations_from_few_profiles_are_said() -> None:
    with pytest.warns(SmallSampleWarning, match="rest on 6 degrees of freedom"):
        fit_metric("within_sd", known(4, n_sources=3), source="batch_id")


# -- what it is fitted on --------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEARNED)
def test_the_order_of_profiles_does_not_count(name: str) -> None:
    profiles = known(5)
    order = np.random.default_rng(1).permutation(len(profiles))
    one, other = fitted(name, profiles), fitted(name, profiles.select(order))
    assert parameters(one) == parameters(other)


@pytest.mark.parametrize("name", LEARNED)
def test_fewer_than_two_sources_with_two_profiles_are_refused(name: str) -> None:
    profiles = known(3, n_sources=2, n=2)
    alone = profiles.select(np.array([0, 1, 2]))
    with pytest.raises(ComparisonError, match=r"2 sources or more.*has 1 by 'batch_id'"):
        fitted(name, alone)
    assert fitted(name, profiles).fit is not None


def test_profiles_of_unknown_source_do_not_count() -> None:
    profiles = known(3, n_sources=10)
    names = list(profiles.column("batch_id"))
    some = changed(profiles, profiles.values, batch_id=[*names[:-3], None, None, None])
    metric = fitted("mahalanobis", some)
    without = fitted("mahalanobis", profiles.select(np.arange(27)))
    assert parameters(metric) == parameters(without)


def test_several_columns_may_name_the_source() -> None:
    profiles = known(3, n_sources=10, n=4)
    table = {
        "profile_id": profiles.ids,
        "batch": profiles.column("batch_id"),
        "half": [str(k % 4 // 2) for k in range(40)],
    }
    finer = ProfileSet(profiles.values, profiles.targets, table)
    metric = fit_metric("within_sd", finer, source=["batch", "half"])
    assert metric.fit is not None
    assert metric.fit.origin["sources"] == 20
    with pytest.raises(MetadataError, match="no metadata column 'seizure'"):
        fit_metric("within_sd", finer, source="seizure")
    with pytest.raises(InputError, match="got no column"):
        fit_metric("within_sd", finer, source=[])


def test_profiles_with_gaps_are_left_out_and_named() -> None:
    profiles = known(4, n_sources=30)
    values = profiles.values.copy()
    values[[0, 4], 1] = np.nan
    with pytest.warns(DataWarning, match="2 of 90 profiles of known source.*'k0', 'k4'"):
        metric = fit_metric("mahalanobis", changed(profiles, values), source="batch_id")
    keep = np.ones(90, dtype=bool)
    keep[[0, 4]] = False
    assert parameters(metric) == parameters(fitted("mahalanobis", profiles.select(keep)))


@pytest.mark.parametrize("name", LEARNED)
def test_a_target_that_does_not_vary_within_sources_is_named(name: str) -> None:
    profiles = known(3)
    values = profiles.values.copy()
    values[:, 1] = np.repeat(np.arange(50.0), 3)
    with pytest.raises(ComparisonError, match="'t1' does not vary within any source"):
        fitted(name, changed(profiles, values))


def test_other_things_that_cannot_be_fitted_are_refused() -> None:
    profiles = known(3)
    with pytest.raises(UnknownNameError, match=r"option of metric 'within_sd'.*Known: 'k'"):
        fitted("within_sd", profiles, shrinkage=0.5)
    with pytest.raises(ComparisonError, match="not impurities: 't0'"):
        fitted("within_sd", profiles.with_roles({"t0": "main"}))
    with pytest.raises(ComparisonError, match="joins 2 blocks"):
        fitted("within_sd", join_blocks({"A": profiles, "B": profiles}))
    huge = changed(profiles, profiles.values * 1e200)
    with np.errstate(all="ignore"), pytest.raises(ComparisonError, match="too large to be"):
        fitted("mahalanobis", huge)


# -- whom it refuses -------------------------------------------------------------------------------


def test_profiles_with_other_targets_are_refused() -> None:
    metric = usable("mahalanobis", 4)
    with pytest.raises(TargetMismatchError, match="does not know 't4'") as caught:
        metric.check(known(5))
    assert caught.value.only_in_b == ("t4",)
    with pytest.raises(TargetMismatchError, match="lack 't3'"):
        metric.check(known(3))
    with pytest.raises(TargetMismatchError, match="order, role or unit"):
        metric.check(known(4).keep_targets(["t1", "t0", "t2", "t3"]))
    assert accepts(metric, known(4).select(np.arange(3)))


def test_profiles_with_another_pretreatment_are_refused() -> None:
    raw = known(4)
    treated = pretreat(raw, "sum | fourth_root")
    metric = fitted("within_sd", treated)
    with pytest.raises(ComparisonError, match=r"\(sum \| fourth_root\).*\(none\)"):
        metric.check(raw)
    assert metric.fit is not None
    again = pretreat(raw.select(np.arange(5)), Recipe.from_data(metric.fit.pretreatment))
    assert accepts(metric, again)
    learned = fitted("within_sd", pretreat(raw, "autoscale"))
    with pytest.raises(ComparisonError, match="parameters learned from data count"):
        learned.check(pretreat(raw.select(np.arange(60)), "autoscale"))


# -- what it is ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FITTED)
def test_it_is_equal_by_what_it_carries(name: str) -> None:
    metric = usable(name, 5)
    usable.cache_clear()
    assert metric == usable(name, 5)
    assert hash(metric) == hash(usable(name, 5))
    assert metric.digest == usable(name, 5).digest
    assert metric != METRICS[name]
    assert metric.digest != METRICS[name].digest
    assert metric != usable(name, 6)
    assert "fitted on" in repr(metric)
    assert "not fitted" in repr(METRICS[name])


def test_the_option_counts_for_equality() -> None:
    one, other = (fitted("within_sd", known(4), k=k) for k in (2.0, 2.8))
    assert one != other
    assert one.digest != other.digest
    assert one == fitted("within_sd", known(4), k=2)


@pytest.mark.parametrize("name", FITTED)
def test_it_can_be_written_down(name: str) -> None:
    metric, profiles = usable(name, 5), known(5, n_sources=4)
    again = Metric.from_data(json.loads(json.dumps(metric.to_data())))
    assert again == metric
    scores = compare(profiles, metric=metric).scores
    np.testing.assert_array_equal(compare(profiles, metric=again).scores, scores)
    assert Metric.from_data(METRICS["euclidean"].to_data()) is METRICS["euclidean"]


def test_what_is_no_metric_is_not_read() -> None:
    with pytest.raises(InputError, match="'name' and a 'fit'"):
        Metric.from_data({"metric": "x"})
    with pytest.raises(InputError, match="not the data of a fitted metric"):
        Metric.from_data({"name": "within_sd", "fit": {"metric": "within_sd"}})
    fit = usable("within_sd", 4).fit
    assert fit is not None
    with pytest.raises(ComparisonError, match="cannot carry the numbers of metric 'within_sd'"):
        METRICS["mahalanobis"].with_fit(fit)
    with pytest.raises(ComparisonError, match="cannot carry"):
        METRICS["euclidean"].with_fit(fit)


def scores_of(metric: Metric) -> np.ndarray:
    return compare(known(5, n_sources=4), metric=metric).scores


def test_it_travels_to_a_worker_that_was_started_afresh() -> None:
    metrics = [usable(name, 5) for name in FITTED]
    for metric in metrics:
        assert pickle.loads(pickle.dumps(metric)) == metric  # noqa: S301
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        elsewhere = pool.map(scores_of, metrics)
    for metric, scores in zip(metrics, elsewhere, strict=True):
        np.testing.assert_array_equal(scores, scores_of(metric))


def test_gaps_of_many_kinds_change_no_bit_of_whole_pairs() -> None:
    metric = usable("mahalanobis", 7)
    rng = np.random.default_rng(4)
    values = rng.gamma(2.0, 3.0, (60, 7))
    gaps = values.copy()
    gaps[20:, :5][rng.random((40, 5)) < 0.4] = np.nan
    names, ids = [f"t{k}" for k in range(7)], [f"p{k}" for k in range(60)]
    plain = compare(ProfileSet(values, names, ids), metric=metric).scores
    partly = compare(ProfileSet(gaps, names, ids), metric=metric).scores
    np.testing.assert_array_equal(partly[:20, :20], plain[:20, :20])
    np.testing.assert_array_equal(partly, partly.T)
