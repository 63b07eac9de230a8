"""Fusion of blocks: dependence is learned, missing blocks are allowed, unknown ones refused."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from drugsig.errors import InputError, SmallSampleWarning, UnknownNameError
from drugsig.evidence.fusion import FUSION_METHODS, Fusion, fit_fusion
from tests.evidence.calibration.cases import cllr

NAMES = ("impurities", "isotopes", "elements")

each_method = pytest.mark.parametrize("method", FUSION_METHODS)


def blocks(
    n_linked: int,
    n_unlinked: int,
    *,
    correlation: float,
    n_blocks: int = 2,
    seed: int = 1,
    apart: float = 1.6,
) -> tuple[np.ndarray, np.ndarray]:
    """Log10 LRs of blocks whose findings correlate, each calibrated by itself."""
    rng = np.random.default_rng(seed)
    linked = np.arange(n_linked + n_unlinked) < n_linked
    common = rng.normal(size=(len(linked), 1))
    own = rng.normal(size=(len(linked), n_blocks))
    noise = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    findings = noise + np.where(linked, apart, 0.0)[:, None]
    return (apart * findings - apart**2 / 2) / np.log(10), linked


def test_the_product_of_dependent_blocks_costs_more_than_their_fusion() -> None:
    train = blocks(800, 4000, correlation=0.8, seed=1)
    fresh, labels = blocks(4000, 4000, correlation=0.8, seed=2)
    fusion = fit_fusion(*train, NAMES[:2])
    naive, fused = cllr(fresh.sum(axis=1), labels), cllr(fusion.log10_lr(fresh), labels)
    alone = min(cllr(fresh[:, k], labels) for k in range(2))
    assert fused < naive - 0.05
    # Here two blocks taken for independent are worse evidence than either of them.
    assert fused < alone < naive
    assert fusion[NAMES[:2]].weights.sum() < 1.3


def test_independent_blocks_are_multiplied() -> None:
    values, linked = blocks(6000, 6000, correlation=0.0, n_blocks=3)
    pattern = fit_fusion(values, linked, NAMES)[NAMES]
    np.testing.assert_allclose(pattern.weights, 1.0, atol=0.1)
    assert pattern.intercept == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_the_true_weights_are_found(correlation) -> None:
    values, linked = blocks(8000, 8000, correlation=correlation)
    weights = fit_fusion(values, linked, NAMES[:2])[NAMES[:2]].weights
    # Of two findings with correlation r each is worth 1/(1 + r) of what it is by itself.
    np.testing.assert_allclose(weights, 1 / (1 + correlation), atol=0.12)


def test_it_is_that_of_scikit_learn() -> None:
    values, linked = blocks(300, 900, correlation=0.4)
    rng = np.random.default_rng(3)
    weights = rng.integers(1, 4, len(linked)).astype(float)
    total = np.where(linked, weights[linked].sum(), weights[~linked].sum())
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(
        values, linked, sample_weight=weights / total * len(linked)
    )
    pattern = fit_fusion(values, linked, NAMES[:2], weights=weights)[NAMES[:2]]
    np.testing.assert_allclose(pattern.weights * np.log(10), peer.coef_[0], rtol=1e-5)
    assert pattern.intercept * np.log(10) == pytest.approx(peer.intercept_[0], rel=1e-5)


def test_the_same_block_twice_counts_once() -> None:
    values, linked = blocks(300, 300, correlation=0.0, n_blocks=1)
    once = fit_fusion(values, linked, ["a"])
    twice = fit_fusion(np.hstack([values, values]), linked, ["a", "b"])
    np.testing.assert_allclose(
        twice.log10_lr(np.hstack([values, values])), once.log10_lr(values), atol=1e-9
    )
    naive = 2 * values[:, 0]
    assert cllr(once.log10_lr(values), linked) < cllr(naive, linked)


def test_a_block_without_information_gets_no_weight() -> None:
    values, linked = blocks(2000, 2000, correlation=0.0)
    values[:, 1] = np.random.default_rng(9).normal(size=4000) * 0.3
    weights = fit_fusion(values, linked, NAMES[:2])[NAMES[:2]].weights
    assert weights[0] == pytest.approx(1.0, abs=0.15)
    assert weights[1] < 0.3
    values[:, 1] = 0.0
    pattern = fit_fusion(values, linked, NAMES[:2])[NAMES[:2]]
    assert pattern.weights[1] == 0.0
    values[:, 1] = -values[:, 0] + 0.01 * np.random.default_rng(9).normal(size=4000)
    assert fit_fusion(values, linked, NAMES[:2])["isotopes"].weights[0] == 0.0


def with_gaps(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Three blocks; isotopes and elements are measured in part, and seldom together."""
    values, linked = blocks(600, 1800, correlation=0.5, n_blocks=3, seed=seed)
    drawn = np.random.default_rng(seed + 50).random((len(linked), 2))
    values[:, 1][drawn[:, 0] < 0.3] = np.nan
    values[:, 2][(drawn[:, 1] < 0.3) | ~np.isnan(values[:, 1])] = np.nan
    return values, linked


def test_a_missing_block_is_left_out_and_not_taken_for_a_finding() -> None:
    values, linked = with_gaps()
    fusion = fit_fusion(values, linked, NAMES)
    fresh, labels = with_gaps(seed=2)
    fused = fusion.log10_lr(fresh)
    assert np.isfinite(fused).all()
    assert cllr(fused, labels) < cllr(np.nansum(fresh, axis=1), labels)
    # Each combination is the fusion of the pairs in which these blocks were measured.
    both = ~np.isnan(values[:, :2]).any(axis=1)
    apart = fit_fusion(values[both, :2], linked[both], NAMES[:2])
    asked = fresh[~np.isnan(fresh[:, 1])]
    np.testing.assert_allclose(fusion.log10_lr(asked), apart.log10_lr(asked[:, :2]), rtol=1e-9)


def test_combinations_that_were_not_learned_are_refused() -> None:
    fusion = fit_fusion(*with_gaps(), NAMES)
    never = np.array([[1.0, 1.0, np.nan], [0.5, 0.2, 1.0], [np.nan] * 3, [np.nan, np.nan, 1.0]])
    np.testing.assert_array_equal(fusion.can_fuse(never), [True, False, False, True])
    assert fusion.lacking[NAMES] == (0, 0)
    with pytest.raises(
        InputError, match=r"2 of 4 pair\(s\).*place 1.*'impurities', 'isotopes', 'elements' were "
        r"measured together in 0 linked and 0 unlinked.*40 of each",
    ):  # fmt: skip
        fusion.log10_lr(never)
    with pytest.raises(InputError, match="no block was measured"):
        fusion.log10_lr(never[2:])
    with pytest.raises(InputError, match="0 linked and 0 unlinked"):
        fusion[NAMES]
    with pytest.raises(UnknownNameError, match="unknown block"):
        fusion["isotope"]


@each_method
@settings(max_examples=25)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.7]),
    st.integers(1, 3),
)
def test_more_support_in_a_block_never_lowers_the_fused_ratio(
    method, seed, correlation, n_blocks
) -> None:
    values, linked = blocks(
        60, 90, correlation=correlation, n_blocks=n_blocks, seed=seed, apart=0.8
    )
    fusion = fit_fusion(values, linked, NAMES[:n_blocks], method=method)
    fused = fusion.log10_lr(values)
    assert np.isfinite(fused).all()
    for k in range(n_blocks):
        more = values.copy()
        more[:, k] += 0.5
        assert (fusion.log10_lr(more) >= fused - 1e-12).all()
    # A value beyond those that were seen counts as the nearest of them.
    np.testing.assert_array_equal(
        fusion.log10_lr(np.full((1, n_blocks), 500.0)),
        fusion.log10_lr(values.max(axis=0)[None, :]),
    )


@each_method
def test_names_and_order_of_blocks_do_not_matter(method) -> None:
    values, linked = with_gaps()
    one = fit_fusion(values, linked, NAMES, method=method)
    turned = fit_fusion(values[:, ::-1], linked, NAMES[::-1], method=method)
    np.testing.assert_allclose(one.log10_lr(values), turned.log10_lr(values[:, ::-1]), atol=1e-8)


def test_separated_blocks_are_refused_or_kept_within_reason() -> None:
    values, linked = blocks(60, 60, correlation=0.0, apart=30.0)
    with pytest.raises(InputError, match=r"separate all 60 linked from all 60.*logistic_firth"):
        fit_fusion(values, linked, NAMES[:2])
    fused = fit_fusion(values, linked, NAMES[:2], method="logistic_firth").log10_lr(values)
    assert np.isfinite(fused).all()
    assert np.abs(fused).max() < 5
    assert np.abs(values).max() > 100


def test_weights_count_pairs() -> None:
    values, linked = blocks(50, 80, correlation=0.3)
    weights = np.random.default_rng(1).integers(0, 3, 130)
    one = fit_fusion(values, linked, NAMES[:2], weights=weights)
    other = fit_fusion(np.repeat(values, weights, axis=0), np.repeat(linked, weights), NAMES[:2])
    np.testing.assert_allclose(one.log10_lr(values), other.log10_lr(values), atol=1e-8)


@pytest.mark.filterwarnings("ignore::drugsig.errors.SmallSampleWarning")
def test_a_fusion_survives_a_file_and_a_worker() -> None:
    values, linked = with_gaps()
    a = np.where(linked, np.arange(2400) % 20, np.arange(2400))
    fusion = fit_fusion(values, linked, NAMES, source_a=a, source_b=np.where(linked, a, a + 1))
    stored = json.loads(json.dumps(fusion.to_data(), allow_nan=False))
    for other in (
        Fusion.from_data(stored),
        pickle.loads(pickle.dumps(fusion)),  # noqa: S301 - its own bytes
    ):
        assert other == fusion
        np.testing.assert_array_equal(other.log10_lr(values), fusion.log10_lr(values))
        assert not other.patterns[0].weights.flags.writeable
    assert fusion["elements"].n_linked_sources == 20
    assert "Only 20 sources" in str(fusion.notes[0])
    assert repr(fusion) == (
        "<Fusion of 'impurities', 'isotopes', 'elements': 5 of 7 combinations of blocks learned>"
    )
    assert "isotopes" in fusion._repr_html_()
    assert "isotopes" in repr(fusion["isotopes"])
    damages: list[tuple[dict[str, Any], str]] = [
        ({"format": "?"}, "no stored fusion"),
        ({"version": 9}, "version 9"),
        ({"method": "sum"}, "unknown fusion method"),
        ({"patterns": [{"blocks": ["a"], "intercept": "x"}]}, "must be numbers"),
    ]
    for change, message in damages:
        with pytest.raises(InputError, match=message):
            Fusion.from_data({**stored, **change})
    with pytest.raises(InputError, match="lacks 'patterns'"):
        Fusion.from_data({k: v for k, v in stored.items() if k != "patterns"})


def test_few_linked_sources_are_warned_of() -> None:
    values, linked = blocks(60, 90, correlation=0.3)
    a = np.where(linked, np.arange(150) % 29, np.arange(150))
    with pytest.warns(SmallSampleWarning, match="Only 29 sources.*fusion of 'impurities'"):
        fit_fusion(values, linked, NAMES[:2], source_a=a, source_b=np.where(linked, a, a + 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"log10_lr": np.zeros((150, 3))}, "one column for each of 'impurities', 'isotopes'"),
        ({"log10_lr": np.zeros(150)}, "one row a pair"),
        ({"log10_lr": np.full((150, 2), -np.inf)}, r"300 log10 LR\(s\) are infinite.*'impurities'"),
        ({"log10_lr": np.full((150, 2), np.nan)}, "no combination.*20 linked and 20 unlinked"),
        ({"linked": np.ones(150, dtype=bool)}, "without unlinked pairs"),
        ({"names": ["a", "a"]}, "must be unique"),
        ({"names": list("abcdefg"), "log10_lr": np.zeros((150, 7))}, "1 to 6 blocks.*got 7"),
        ({"names": [], "log10_lr": np.zeros((150, 0))}, "got 0"),
        ({"method": "product"}, "unknown fusion method"),
    ],
)
def test_pairs_that_cannot_be_fused_are_explained(change, message) -> None:
    values, linked = blocks(60, 90, correlation=0.3)
    given: dict[str, Any] = {
        "log10_lr": values,
        "linked": linked,
        "names": NAMES[:2],
        "method": "logistic",
    }
    given |= change
    with pytest.raises(InputError, match=message):
        fit_fusion(given["log10_lr"], given["linked"], given["names"], method=given["method"])
