"""Simulated values: sizes, spread between and within sources, the share below the limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig.datasets import BETWEEN, simulate_values
from drugsig.datasets.values import LARGEST_SIZE, SIZE_EXPONENT
from drugsig.errors import InputError, UnknownNameError


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 200),
    p=st.integers(1, 12),
    between=st.sampled_from(BETWEEN),
    below=st.floats(0, 0.9),
)
def test_every_profile_has_a_source_and_no_value_is_negative(
    seed: int, n: int, p: int, between: str, below: float
) -> None:
    s = simulate_values(rng=rng(seed), n_profiles=n, n_targets=p, between=between, below_lod=below)
    assert s.values.shape == (n, p)
    assert (s.values >= 0).all()
    assert np.isfinite(s.values).all()
    sizes = np.bincount(s.sources)
    assert len(sizes) == len(s.source_values)
    assert sizes.min() >= 1
    assert sizes.max() <= LARGEST_SIZE
    assert (np.diff(s.sources) >= 0).all()
    assert (s.values[s.values > 0] >= s.limit).all()
    # Ties are all but impossible, so the share is met to one value.
    assert abs(int((s.values == 0).sum()) - int(below * n * p)) <= 1


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_sizes_that_are_given_are_kept(sizes: list[int]) -> None:
    s = simulate_values(rng=rng(), sizes=sizes, n_targets=3)
    assert np.bincount(s.sources).tolist() == sizes


@pytest.mark.parametrize("between", BETWEEN)
def test_the_same_state_gives_the_same_values(between: str) -> None:
    first = simulate_values(rng=rng(5), n_profiles=300, between=between)
    second = simulate_values(rng=rng(5), n_profiles=300, between=between)
    other = simulate_values(rng=rng(6), n_profiles=300, between=between)
    assert first.values.tobytes() == second.values.tobytes()
    assert first.values.tobytes() != other.values.tobytes()


def test_the_values_cannot_be_changed() -> None:
    s = simulate_values(rng=rng(), n_profiles=5)
    with pytest.raises(ValueError, match="read-only"):
        s.values[0, 0] = 1.0


def test_sizes_follow_the_power_law() -> None:
    s = simulate_values(rng=rng(), n_profiles=300_000, n_targets=1, below_lod=0.0)
    sizes = np.bincount(s.sources)[:-1]  # the last was cut to fit
    expected = np.arange(1, LARGEST_SIZE + 1.0) ** -SIZE_EXPONENT
    expected *= len(sizes) / expected.sum()
    counts = np.bincount(sizes, minlength=LARGEST_SIZE + 1)[1:]
    # Poisson counts: none of 50 lies further than five standard deviations off.
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_the_spread_within_a_source_is_what_was_asked_for() -> None:
    n = 40_000
    s = simulate_values(rng=rng(), sizes=[n], n_targets=20, below_lod=0.0)
    rsd = s.values.std(axis=0, ddof=1) / s.values.mean(axis=0)
    assert (s.rsd >= 0.10).all()
    assert (s.rsd <= 0.20).all()
    # The estimate of an RSD c has a relative standard error of about sqrt((1/2 + c^2) / n),
    # a little more for a log-normal: 0.4 %. Five of them.
    np.testing.assert_allclose(rsd, s.rsd, rtol=0.02)
    np.testing.assert_allclose(s.values.mean(axis=0), s.source_values[0], rtol=0.006)


def test_shared_factors_carry_their_share_of_the_variance() -> None:
    n, p, k = 20_000, 30, 6
    s = simulate_values(rng=rng(), sizes=[1] * n, n_targets=p, factor_share=0.6)
    logs = np.log(s.source_values)
    # Five standard errors of a standard deviation: 5 / sqrt(2 n).
    np.testing.assert_allclose(logs.std(axis=0), 1.0, atol=0.025)
    roots = np.linalg.eigvalsh(np.cov(logs.T))
    # What is left beside six factors is each target's own 40 %.
    assert roots[: p - k].mean() == pytest.approx(0.4, rel=0.02)
    assert roots[p - k :].sum() == pytest.approx(p - (p - k) * 0.4, rel=0.04)


def test_independent_targets_are_not_correlated() -> None:
    n = 20_000
    s = simulate_values(rng=rng(), sizes=[1] * n, n_targets=10, between="iid")
    r = np.corrcoef(np.log(s.source_values).T)
    # 45 correlations with a standard error of 1 / sqrt(n): none beyond five.
    assert np.abs(r[np.triu_indices(10, 1)]).max() < 5 / np.sqrt(n)


def test_sources_on_a_continuum_are_evenly_apart() -> None:
    s = simulate_values(rng=rng(), sizes=[1] * 30, between="continuum", step=0.5)
    steps = np.diff(np.log(s.source_values), axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), rtol=1e-9)
    in_sd = steps[0] / np.sqrt(np.log1p(s.rsd**2))
    assert np.sqrt((in_sd**2).mean()) == pytest.approx(0.5, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "either n_profiles"),
        ({"n_profiles": 3, "sizes": [3]}, "either n_profiles"),
        ({"n_profiles": 0}, "n_profiles must be a whole number from 1"),
        ({"n_profiles": 2.5}, "n_profiles must be a whole number"),
        ({"n_profiles": True}, "n_profiles must be a whole number"),
        ({"sizes": []}, "sizes must not be empty"),
        ({"sizes": [2, 0]}, "sizes, place 2"),
        ({"sizes": 3}, "sizes must be a list"),
        ({"n_profiles": 3, "n_targets": 0}, "n_targets"),
        ({"n_profiles": 3, "below_lod": 17}, "A percentage is written as a share"),
        ({"n_profiles": 3, "within_rsd": (0.2, 0.1)}, "must be \\(least, most\\)"),
        ({"n_profiles": 3, "within_rsd": (0.1, 0.2, 0.3)}, "one number, or two"),
        ({"n_profiles": 3, "within_rsd": -0.1}, "within_rsd must be at least 0"),
        ({"n_profiles": 3, "between_sd": float("inf")}, "between_sd"),
        ({"n_profiles": 3, "factor_share": 1.2}, "factor_share"),
        ({"n_profiles": 3, "n_factors": 0}, "n_factors"),
        ({"n_profiles": 3, "step": 0.0}, "step must be above 0"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        simulate_values(rng=rng(), **arguments)


def test_a_bare_seed_is_refused_with_advice() -> None:
    with pytest.raises(InputError, match=r"default_rng\(1\)"):
        simulate_values(rng=1, n_profiles=3)  # type: ignore[arg-type]


def test_an_unknown_way_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'factor'"):
        simulate_values(rng=rng(), n_profiles=3, between="factors")
