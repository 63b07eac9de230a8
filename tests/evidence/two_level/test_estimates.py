"""The parameters: by definition, unbiased, and the same without units."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from drugsig.errors import DataWarning, DrugsigWarning, SmallSampleWarning
from drugsig.evidence.two_level import (
    BANDWIDTHS,
    BETWEEN_COVARIANCES,
    CONVENTIONS,
    WITHIN_COVARIANCES,
    TwoLevelOptions,
    fit_two_level,
)
from drugsig.evidence.two_level.conventions import DEFAULT_CONVENTIONS
from tests.evidence.two_level.cases import drawn, fitted

MIXED = (1, 2, 3, 5)


def groups(values: np.ndarray, sources: list[str]) -> list[np.ndarray]:
    return [values[np.array(sources) == s] for s in sorted(set(sources))]


def within_by_definition(values: np.ndarray, sources: list[str], name: str) -> np.ndarray:
    own = [g for g in groups(values, sources) if len(g) > 1]
    covariances = np.array([np.cov(g.T) for g in own])
    if name == "averaged":
        return covariances.mean(axis=0)
    weights = np.array([len(g) - 1 for g in own])
    return np.tensordot(weights, covariances, 1) / weights.sum()


def between_by_definition(
    values: np.ndarray, sources: list[str], name: str, within: np.ndarray
) -> np.ndarray:
    own = groups(values, sources)
    n = np.array([len(g) for g in own])
    means = np.array([g.mean(axis=0) for g in own])
    if name == "unweighted":
        return np.cov(means.T) - within * (1 / n).mean()
    about = means - values.mean(axis=0)
    squares = sum(k * np.outer(d, d) for k, d in zip(n, about, strict=True)) / (len(n) - 1)
    if name == "by_mean_count":
        return (squares - within) / (n.sum() / len(n))
    return (squares - within) / ((n.sum() - (n**2).sum() / n.sum()) / (len(n) - 1))


@pytest.mark.parametrize("within", WITHIN_COVARIANCES)
@pytest.mark.parametrize("between", BETWEEN_COVARIANCES)
def test_the_covariances_are_those_of_their_definition(within: str, between: str) -> None:
    values, sources = drawn(40, 3, counts=MIXED)
    model = fitted(values, sources, within=within, between_covariance=between)
    expected = within_by_definition(values, sources, within)
    assert model.within == pytest.approx(expected, rel=1e-11)
    expected = between_by_definition(values, sources, between, expected)
    assert model.between == pytest.approx(expected, rel=1e-10, abs=1e-12)
    assert model.source_means == pytest.approx(
        np.array([g.mean(axis=0) for g in groups(values, sources)]), rel=1e-12
    )
    assert model.source_counts.tolist() == [len(g) for g in groups(values, sources)]


def test_with_equal_numbers_of_replicates_the_conventions_agree() -> None:
    values, sources = drawn(40, 3, counts=(4,))
    models = [
        fitted(values, sources, within=w, between_covariance=b)
        for w in WITHIN_COVARIANCES
        for b in BETWEEN_COVARIANCES
    ]
    for model in models[1:]:
        assert model.within == pytest.approx(models[0].within, rel=1e-11)
        assert model.between == pytest.approx(models[0].between, rel=1e-11)
        assert model.mean == pytest.approx(models[0].mean, rel=1e-12)
    assert models[0].kappa == pytest.approx(4.0)


@pytest.mark.parametrize("between", ["unweighted", "weighted"])
def test_the_between_covariance_is_unbiased_with_unequal_replicates(between: str) -> None:
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        n = np.resize(MIXED, 20)
        values = np.repeat(rng.normal(scale=2.0, size=20), n) + rng.normal(size=n.sum())
        sources = [f"s{k:02d}" for k in np.repeat(np.arange(20), n)]
        model = fitted(values[:, None], sources, between_covariance=between)
        found.append(float(model.between[0, 0]))
    assert np.mean(found) == pytest.approx(4.0, abs=4 * np.std(found) / np.sqrt(len(found)))


def test_the_bandwidths_are_the_published_formulas() -> None:
    assert BANDWIDTHS["silverman"].of(659, 10) ** 2 == pytest.approx(0.338175315897992, rel=1e-12)
    assert BANDWIDTHS["aitken_lucy"].of(62, 4) == pytest.approx((4 / 9) ** 0.125 * 62**-0.125)
    values, sources = drawn()
    assert fitted(values, sources, bandwidth=0.3).bandwidth == 0.3
    assert fitted(values, sources, between="normal").bandwidth is None
    # One target: both are the rule (4 / (3 m))^(1/5).
    assert BANDWIDTHS["silverman"].of(50, 1) == BANDWIDTHS["aitken_lucy"].of(50, 1)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_set_of_conventions_stands_for_its_choices(name: str) -> None:
    values, sources = drawn(40, 2, counts=MIXED)
    chosen = CONVENTIONS[name]
    one_by_one = fitted(
        values, sources, within=chosen.within, between_covariance=chosen.between_covariance,
        bandwidth=chosen.bandwidth,
    )  # fmt: skip
    assert fitted(values, sources, conventions=name) == one_by_one


def test_the_estimate_for_balanced_data_is_biased_where_they_are_not_and_says_so() -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(200):
        n = np.array([1, 9] * 15)
        values = np.repeat(rng.normal(scale=2.0, size=30), n) + rng.normal(size=n.sum())
        sources = [f"s{k:02d}" for k in np.repeat(np.arange(30), n)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DrugsigWarning)
            model = fit_two_level(
                values[:, None], sources, replicate_level="unit", between="normal",
                conventions="comparison_1.0.8_makeCompVar",
            )  # fmt: skip
        found.append(float(model.between[0, 0]))
    kappa = (150 - (15 * 1 + 15 * 81) / 150) / 29
    # The right estimate is 4; this one is kappa / (N / m) times it.
    error = 4 * np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(4.0 * kappa / 5, abs=error)
    with pytest.warns(DataWarning, match="the sources have 1 to 9"):
        fit_two_level(
            values[:, None], sources, replicate_level="unit", between="normal",
            conventions="comparison_1.0.8_makeCompVar",
        )  # fmt: skip


def test_no_set_of_conventions_for_balanced_data_is_the_default() -> None:
    assert CONVENTIONS[DEFAULT_CONVENTIONS].between_covariance != "by_mean_count"
    assert TwoLevelOptions().between_covariance != "by_mean_count"


def test_shrinkage_is_the_published_estimate() -> None:
    values, sources = drawn(9, 4, counts=(2, 3))
    model = fitted(values, sources, shrinkage="schafer_strimmer")
    plain = within_by_definition(values, sources, "pooled")
    own = [g - g.mean(axis=0) for g in groups(values, sources)]
    scaled = np.vstack([g * np.sqrt(len(g) / (len(g) - 1)) for g in own]) / np.sqrt(np.diag(plain))
    free = len(values) - len(own)
    correlations = plain / np.sqrt(np.outer(np.diag(plain), np.diag(plain)))
    top = bottom = 0.0
    for i in range(4):
        for j in range(4):
            if i != j:
                products = scaled[:, i] * scaled[:, j]
                top += ((products**2).mean() - correlations[i, j] ** 2) / free
                bottom += correlations[i, j] ** 2
    assert 0 < model.intensity < 1
    assert model.intensity == pytest.approx(top / bottom, rel=1e-10)
    assert np.diag(model.within) == pytest.approx(np.diag(plain), rel=1e-12)
    off = ~np.eye(4, dtype=bool)
    assert model.within[off] == pytest.approx((1 - model.intensity) * plain[off], rel=1e-10)


def test_shrinkage_vanishes_with_much_data_and_lets_fit_with_little() -> None:
    much = fitted(*drawn(600, 3), shrinkage="schafer_strimmer")
    assert much.intensity < 0.05
    values, sources = drawn(6, 8, counts=(2,))
    little = fitted(values, sources, shrinkage="schafer_strimmer")
    assert np.isfinite(little.log10_lr(values[:1], values[1:2]))
    one = fitted(*drawn(20, 1), shrinkage="schafer_strimmer")
    assert one.intensity == 0.0


@pytest.mark.parametrize("between", ["normal", "kernel"])
def test_all_components_are_all_targets(between: str) -> None:
    values, sources = drawn(40, 3)
    full = fitted(values, sources, between=between)
    turned = fitted(values, sources, between=between, components=3)
    assert turned.log10_lr(values[:2], values[2:5]) == pytest.approx(
        full.log10_lr(values[:2], values[2:5]), rel=1e-9
    )


def test_components_reduce_and_do_not_depend_on_units() -> None:
    values, sources = drawn(40, 4, seed=2)
    two = fitted(values, sources, components=2)
    assert two.basis.shape == (4, 2)
    scaled = fitted(values * [1.0, 10.0, 0.1, 1e4], sources, components=2)
    a, b = values[:2], values[4:6]
    units = np.array([1.0, 10.0, 0.1, 1e4])
    assert scaled.log10_lr(a * units, b * units) == pytest.approx(two.log10_lr(a, b), rel=1e-8)
    assert two.terms(a, b).log10_lr == pytest.approx(two.log10_lr(a, b), rel=1e-9)
    assert not two.terms(a, b).in_targets
    sizes = [
        fitted(values, sources, components=share).basis.shape[1] for share in (0.3, 0.9, 0.9999)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] == 1


@pytest.mark.parametrize("between", ["normal", "kernel"])
def test_a_direction_without_variance_between_sources_is_left_out(between: str) -> None:
    values, sources = drawn(40, 2, seed=4)
    noise = np.random.default_rng(10).normal(size=(len(values), 1))
    own = np.array([g.mean() for g in groups(noise, sources)])
    # Less spread between the means than replicates explain.
    noise -= 0.9 * np.repeat(own, 3)[:, None]
    with pytest.warns(DataWarning, match="1 of 3 directions"):
        model = fit_two_level(
            np.hstack([values, noise]), sources, replicate_level="unit", between=between
        )
    assert (model.n_dropped, len(model.ratios)) == (1, 2)
    a, b = np.hstack([values, noise])[:2], np.hstack([values, noise])[2:4]
    assert model.terms(a, b).log10_lr == pytest.approx(model.log10_lr(a, b), rel=1e-9)


def test_few_sources_are_warned_about() -> None:
    values, sources = drawn(29, 3)
    with pytest.warns(SmallSampleWarning, match="29 sources with replicates are few for 3 targets"):
        fit_two_level(values, sources, replicate_level="unit")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DrugsigWarning)
        model = fit_two_level(*drawn(30, 3), replicate_level="unit")
    assert "30 sources" in repr(model)


def test_options_are_a_table_and_back() -> None:
    options = TwoLevelOptions(between="normal", components=3, error_share=0.01)
    assert TwoLevelOptions.from_data(options.to_data()) == options
