"""The likelihood ratio: by definition, symmetric, free of units, finite."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from tests.evidence.two_level.cases import drawn, fitted, log10_lr_by_definition

BETWEEN = ("normal", "kernel")
either = pytest.mark.parametrize("between", BETWEEN)


@either
@pytest.mark.parametrize("counts", [(3,), (1, 2, 3, 5)])
@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (2, 2), (1, 4), (3, 2)])
def test_it_is_the_ratio_of_the_joint_densities_of_all_replicates(
    between: str, counts: tuple[int, ...], n_a: int, n_b: int
) -> None:
    values, sources = drawn(25, 3, counts=counts)
    model = fitted(values, sources, between=between)
    rng = np.random.default_rng(n_a)
    for distance in (0.0, 1.0, 6.0):
        a = values[0] + rng.normal(size=(n_a, 3))
        b = values[0] + distance + rng.normal(size=(n_b, 3))
        expected = log10_lr_by_definition(model, a, b)
        assert model.log10_lr(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-10)
        assert model.terms(a, b).log10_lr == pytest.approx(expected, rel=1e-9, abs=1e-10)


@either
@pytest.mark.parametrize("share", [0.0, 0.02])
def test_many_pairs_at_once_are_the_pairs_one_by_one(between: str, share: float) -> None:
    values, sources = drawn(30, 4, counts=(2, 3))
    model = fitted(values, sources, between=between, error_share=share)
    rng = np.random.default_rng(3)
    items = rng.permutation(np.concatenate([np.arange(20), rng.integers(0, 20, len(values) - 20)]))
    first = rng.integers(0, 20, 60)
    second = (first + rng.integers(1, 20, 60)) % 20
    together = model.log10_lr_pairs(values, items, first, second)
    one_by_one = [
        model.log10_lr(values[items == a], values[items == b])
        for a, b in zip(first, second, strict=True)
    ]
    assert together == pytest.approx(one_by_one, rel=1e-11, abs=1e-12)
    assert model.log10_lr_pairs(values, items, [], []).shape == (0,)


@either
def test_there_may_be_many_different_numbers_of_replicates(between: str) -> None:
    model = fitted(*drawn(12, 2), between=between)
    items = np.repeat(np.arange(300), np.arange(1, 301))
    measured = np.random.default_rng(0).normal(size=(len(items), 2)) * 3
    first, second = (side[::97] for side in np.triu_indices(300, 1))
    found = model.log10_lr_pairs(measured, items, first, second)
    for k in range(0, len(first), 60):
        a, b = measured[items == first[k]], measured[items == second[k]]
        assert found[k] == pytest.approx(model.log10_lr(a, b), rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("kinds", [1, 2])
def test_there_may_be_more_pairs_than_a_block_holds(kinds: int) -> None:
    model = fitted(*drawn(12, 2), between="normal")
    items = np.repeat(np.arange(200), np.resize(np.arange(1, kinds + 1), 200))
    measured = np.random.default_rng(0).normal(size=(len(items), 2)) * 3
    first, second = np.triu_indices(200, 1)
    found = model.log10_lr_pairs(measured, items, first, second)
    assert len(found) > 16_384
    for k in (0, 8191, 8192, 16_383, 16_384, len(found) - 1):
        a, b = measured[items == first[k]], measured[items == second[k]]
        assert found[k] == pytest.approx(model.log10_lr(a, b), rel=1e-12)


@either
@given(data=st.data())
def test_swapping_the_items_changes_no_bit(between: str, data: st.DataObject) -> None:
    values, sources = drawn(20, 3, counts=(2, 3))
    share = data.draw(st.sampled_from([0.0, 0.01]))
    model = fitted(values, sources, between=between, error_share=share)
    numbers = st.floats(-50, 50, width=32)
    a, b = (
        np.array(data.draw(st.lists(st.tuples(*[numbers] * 3), min_size=1, max_size=4)))
        for _ in range(2)
    )
    assert model.log10_lr(a, b) == model.log10_lr(b, a)


@either
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.0, 0.01]))
def test_units_and_linear_combinations_of_targets_do_not_matter(
    between: str, seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    values, sources = drawn(20, 3, seed=seed, counts=(2, 3))
    left, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    mixing = left @ np.diag(10.0 ** rng.uniform(-2, 2, 3)) @ (np.eye(3) + 0.3 * left)
    shift = rng.normal(size=3) * 10
    plain = fitted(values, sources, between=between, error_share=share)
    mixed = fitted(values @ mixing + shift, sources, between=between, error_share=share)
    a, b = values[:2], values[2:5]
    expected = plain.log10_lr(a, b)
    assert mixed.log10_lr(a @ mixing + shift, b @ mixing + shift) == pytest.approx(
        expected, rel=1e-6, abs=1e-7
    )


@either
@pytest.mark.parametrize("far", [1e3, 1e6, 1e12, 1e80])
@pytest.mark.parametrize("share", [0.0, 0.01])
def test_it_is_finite_however_far_the_values(between: str, far: float, share: float) -> None:
    values, sources = drawn()
    model = fitted(values, sources, between=between, error_share=share)
    near = values[:2]
    for a, b in ((near, near + far), (near + far, near + far), (near - far, near + far)):
        assert np.isfinite(model.log10_lr(a, b))


@either
def test_far_from_the_background_digits_are_kept(between: str) -> None:
    values, sources = drawn(40, 2)
    model = fitted(values, sources, between=between)
    a, b = values[:2] + 3e4, values[1:3] + 3e4
    assert model.log10_lr(a, b) == pytest.approx(model.terms(a, b).log10_lr, rel=1e-7)


def test_more_replicates_make_it_stronger_and_differences_make_it_weaker() -> None:
    values, sources = drawn()
    model = fitted(values, sources, between="normal")
    centre = model.mean[None, :]
    by_count = [model.log10_lr(np.repeat(centre, n, axis=0), centre) for n in (1, 2, 5, 50)]
    assert by_count == sorted(by_count)
    assert by_count[0] > 0
    step = np.sqrt(np.diagonal(model.within))
    by_distance = [model.log10_lr(centre, centre + k * step) for k in (0, 1, 2, 4, 8)]
    assert by_distance == sorted(by_distance, reverse=True)
    assert by_distance[-1] < -1


def test_a_common_source_is_stronger_evidence_where_profiles_are_rare() -> None:
    values, sources = drawn(200, 2)
    model = fitted(values, sources)
    common, rare = (
        model.mean[None, :],
        model.mean[None, :] + 3 * np.sqrt(np.diagonal(model.between)),
    )
    assert model.log10_lr(rare, rare) > model.log10_lr(common, common) + 1


def test_where_the_model_is_true_the_lr_is_what_it_says() -> None:
    model = fitted(*drawn(400, 3, ratio=1.0, seed=5), between="normal")
    rng = np.random.default_rng(6)
    n = 40_000
    means = rng.multivariate_normal(model.mean, model.between, 2 * n)
    measured = means + rng.multivariate_normal(np.zeros(3), model.within, 2 * n)
    again = means[:n] + rng.multivariate_normal(np.zeros(3), model.within, n)
    pairs = (np.arange(2 * n), np.arange(n), np.arange(n, 2 * n))
    unlinked = 10.0 ** model.log10_lr_pairs(measured, *pairs)
    linked = 10.0 ** model.log10_lr_pairs(np.vstack([measured[:n], again]), *pairs)
    for k in (1.0, 2.0, 5.0):
        assert float((unlinked >= k).mean()) <= 1 / k
        # The LR of the LR is the LR: weighted by it, unlinked pairs are spread as linked ones are.
        weighted = np.where(unlinked <= k, unlinked, 0.0)
        error = np.hypot(weighted.std(), 0.5) / np.sqrt(n)
        assert float((linked <= k).mean()) == pytest.approx(weighted.mean(), abs=4 * error)


@either
def test_a_mistyped_value_decides_unless_errors_are_allowed_for(between: str) -> None:
    values, sources = drawn(60, 3)
    a, b = values[:1], values[1:3].copy()
    b[0, 1] *= 100
    plain, careful = (fitted(values, sources, between=between, error_share=e) for e in (0.0, 0.01))
    assert plain.log10_lr(a, b) < -100
    assert -20 < -4 < careful.log10_lr(a, b) < 0.1
    good_a, good_b = values[:1], values[1:3]
    assert careful.log10_lr(good_a, good_b) == pytest.approx(
        plain.log10_lr(good_a, good_b), abs=0.3
    )


def test_the_mixture_with_errors_is_that_of_the_joint_densities() -> None:
    values, sources = drawn(30, 2)
    share = 0.05
    plain, careful = (fitted(values, sources, between="normal", error_share=e) for e in (0, share))
    total = plain.within + plain.between

    def wide(x: np.ndarray) -> float:
        """The bivariate Cauchy density, 1 / (2 pi |S|^(1/2) (1 + d^2)^(3/2))."""
        d = (x - plain.mean) @ np.linalg.solve(total, x - plain.mean)
        return float(1 / (2 * np.pi * np.sqrt(np.linalg.det(total)) * (1 + d) ** 1.5))

    for x, y in ((values[0], values[1]), (values[0], values[5]), (values[3], values[3] + 9)):
        f_x, f_y = (float(multivariate_normal.pdf(v, plain.mean, total)) for v in (x, y))
        g_x, g_y = wide(x), wide(y)
        lr = 10.0 ** plain.log10_lr(x[None], y[None])
        wrong = share * (1 - share) * (g_x * f_y + f_x * g_y) + share**2 * g_x * g_y
        right = (1 - share) ** 2 * f_x * f_y
        expected = (right * lr + wrong) / (right + wrong)
        assert 10.0 ** careful.log10_lr(x[None], y[None]) == pytest.approx(expected, rel=1e-9)


@either
def test_a_smaller_share_of_errors_comes_closer_to_none(between: str) -> None:
    values, sources = drawn(40, 2)
    plain = fitted(values, sources, between=between).log10_lr(values[:1], values[4:6])
    away = [
        abs(
            fitted(values, sources, between=between, error_share=e).log10_lr(
                values[:1], values[4:6]
            )
            - plain
        )
        for e in (1e-2, 1e-6, 1e-300)
    ]
    assert away == sorted(away, reverse=True)
