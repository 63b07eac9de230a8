"""Logistic regression: against a general optimiser, and where a value is far from all others."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize, root
from scipy.special import expit, log_expit

from drugsig.errors import InputError
from drugsig.evidence.calibration import logit
from drugsig.evidence.calibration.logit import fit_logit


def height_and_slope(theta, design, linked, weights, penalised: bool):
    odds = design @ theta
    p = expit(odds)
    height = weights @ log_expit(np.where(linked, odds, -odds))
    residual = weights * (linked - p)
    if penalised:
        curvature = weights * p * (1 - p)
        information = design.T @ (design * curvature[:, None])
        height += 0.5 * np.linalg.slogdet(information)[1]
        leverage = curvature * np.einsum("ij,jk,ik->i", design, np.linalg.inv(information), design)
        residual = residual + leverage * (0.5 - p)
    return height, design.T @ residual


def oracle(features, linked, weights, nonnegative, penalised: bool) -> np.ndarray:
    """The best of all choices of coefficients that are held at their bound, by general solvers."""
    centre, scale = features.mean(axis=0), features.std(axis=0)
    design = np.column_stack([np.ones(len(features)), (features - centre) / scale])
    places = []
    for held in itertools.product(*[(False, True) if b else (False,) for b in nonnegative]):
        free = ~np.concatenate([[False], held])

        def full(x, free=free):
            theta = np.zeros(len(free))
            theta[free] = x
            return theta

        def climb(x, free=free, full=full):
            return height_and_slope(full(x), design, linked, weights, penalised)

        def down(x, climb=climb) -> float:
            return -float(climb(x)[0])

        def slope(x, free=free, climb=climb):
            return climb(x)[1][free]

        def back(x, slope=slope) -> np.ndarray:
            return np.asarray(-slope(x))

        start: Any = minimize(down, np.zeros(int(free.sum())), jac=back, method="BFGS")
        theta = full(root(slope, start.x, tol=1e-15).x)
        if (theta[1:][np.asarray(nonnegative)] >= 0).all():
            places.append((climb(theta[free])[0], tuple(theta)))
    theta = np.array(max(places)[1])
    slopes = theta[1:] / scale
    return np.concatenate([[theta[0] - slopes @ centre], slopes])


def drawn(seed: int, n: int, k: int, apart: float):
    rng = np.random.default_rng(seed)
    linked = np.arange(n) < n // 3
    features = rng.normal(size=(n, k)) * 10.0 ** rng.integers(-2, 3, k)
    features[:, 0] += apart * features[:, 0].std() * linked
    return features, linked, rng.gamma(2.0, 0.5, n) + 0.01


def parameters(fit) -> np.ndarray:
    return np.concatenate([[fit.intercept], fit.coefficients])


@pytest.mark.parametrize("penalised", [False, True], ids=["plain", "Firth"])
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("apart", [0.0, 1.0, 3.0])
def test_the_fit_is_that_of_a_general_optimiser(k: int, apart: float, penalised: bool) -> None:
    features, linked, weights = drawn(k, 300, k, apart)
    for bound in (np.zeros(k, bool), np.ones(k, bool)):
        fit = fit_logit(features, linked, weights, nonnegative=bound, penalised=penalised)
        best = oracle(features, linked, weights, bound, penalised)
        np.testing.assert_allclose(parameters(fit), best, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("penalised", [False, True], ids=["plain", "Firth"])
@pytest.mark.parametrize("far", [1000.0, 5000.0, 1e6])
@pytest.mark.parametrize("mistyped", [False, True])
def test_a_far_value_does_not_hide_the_maximum(far: float, mistyped: bool, penalised: bool) -> None:
    """Log10 LRs that nearly part the classes, one of an unlinked or linked pair at minus `far`."""
    rng = np.random.default_rng(0)
    linked = np.arange(3000) < 500
    unlinked = -2 - rng.exponential(100, 3000)
    features = np.where(linked, rng.normal(1, 0.5, 3000), unlinked)[:, None]
    features[:3], features[500:504] = 0.5, 1.2
    features[5 if mistyped else 505] = -far
    weights = np.where(linked, 1.0, 0.2)
    bound = np.zeros(1, bool)
    fit = fit_logit(features, linked, weights, nonnegative=bound, penalised=penalised)

    # The optimiser starts near the summit: from afar it does not find there.
    def slope(theta):
        design = np.column_stack([np.ones(len(features)), features])
        return height_and_slope(theta, design, linked, weights, penalised)[1]

    best = root(slope, parameters(fit) * 1.001, tol=1e-15).x
    np.testing.assert_allclose(parameters(fit), best, rtol=1e-10)


def test_few_steps_lead_to_the_maximum(monkeypatch) -> None:
    """Nor is a linear programme asked whether a plane separates what overlaps."""
    steps = []
    place = logit._place

    def counted(*arguments, **options):
        steps.append(1)
        return place(*arguments, **options)

    def never(*arguments, **options):
        raise AssertionError("asked for nothing")

    monkeypatch.setattr(logit, "_place", counted)
    monkeypatch.setattr(logit, "linprog", never)
    for seed, penalised in itertools.product(range(5), (False, True)):
        features, linked, weights = drawn(seed, 2000, 2, 4.0)
        features[0, 0] *= 5000.0
        steps.clear()
        bound = np.ones(2, bool)
        fit = fit_logit(features, linked, weights, nonnegative=bound, penalised=penalised)
        assert not fit.separated
        assert len(steps) < 40


@given(st.integers(0, 10**6), st.integers(1, 4), st.booleans(), st.sampled_from([0.0, 2.0, 8.0]))
def test_no_allowed_step_leads_higher(seed: int, k: int, penalised: bool, apart: float) -> None:
    features, linked, weights = drawn(seed, 40, k, apart)
    bound = np.random.default_rng(seed).random(k) < 0.5
    fit = fit_logit(features, linked, weights, nonnegative=bound, penalised=penalised)
    if fit.separated:
        assert not penalised
        return
    scale = features.std(axis=0)
    design = np.column_stack([np.ones(len(features)), features / scale])
    theta = np.concatenate([[fit.intercept], fit.coefficients * scale])
    _, slope = height_and_slope(theta, design, linked, weights, penalised)
    held = np.concatenate([[False], bound & (fit.coefficients == 0)])
    assert (fit.coefficients[bound] >= 0).all()
    assert (slope[held] <= 1e-9 * weights.sum()).all()
    assert (np.abs(slope[~held]) <= 1e-9 * weights.sum()).all()


def test_features_that_nearly_say_the_same_are_refused_with_the_penalty() -> None:
    features, linked, weights = drawn(0, 200, 1, 1.0)
    rng = np.random.default_rng(0)
    twice = np.column_stack([features, features * (1 + 1e-9 * rng.normal(size=(200, 1)))])
    with pytest.raises(InputError, match="probably say the same"):
        fit_logit(twice, linked, weights, nonnegative=np.zeros(2, bool), penalised=True)
