from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pybaselines import Baseline

from drugsig.acquisition.baseline import arpls, first_baseline, smooth_rows, stiffness
from drugsig.errors import InputError, UnknownNameError


def traces(rows: int, points: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.arange(points)
    out = 50.0 + 0.1 * x + rng.normal(size=(rows, points))
    for row in range(rows):
        centre, width = rng.uniform(0.2, 0.8) * points, rng.uniform(2, 5)
        out[row] += 10.0 ** rng.uniform(0, 3) * np.exp(-0.5 * ((x - centre) / width) ** 2)
    return out


@pytest.mark.parametrize("penalty", [1e3, 1e5, 1e7])
@pytest.mark.parametrize("points", [40, 301])
def test_every_row_is_what_pybaselines_gives_for_it_alone(points, penalty) -> None:
    rows = traces(7, points)
    together = arpls(rows, np.ones(rows.shape, dtype=bool), penalty=penalty)
    for row, mine in zip(rows, together, strict=True):
        alone, _ = Baseline().arpls(row, lam=penalty)
        np.testing.assert_allclose(mine, alone, rtol=1e-6)


def test_padding_changes_nothing() -> None:
    rows = traces(4, 200)
    valid = np.ones(rows.shape, dtype=bool)
    wider, used = np.pad(rows, ((0, 0), (0, 90))), np.pad(valid, ((0, 0), (0, 90)))
    np.testing.assert_allclose(
        arpls(wider, used, penalty=1e5)[:, :200], arpls(rows, valid, penalty=1e5), rtol=1e-6
    )


@given(st.integers(0, 10**6), st.sampled_from([1.0, 1e3, 1e6]))
def test_rows_are_solved_as_a_dense_system_would_be(seed, penalty) -> None:
    rng = np.random.default_rng(seed)
    n = 30
    weights = (rng.random((3, n)) < 0.7).astype(float)
    weights[:, [0, n // 2, -1]] = 1.0
    sides = rng.normal(size=(2, 3, n))
    solved = smooth_rows(weights, sides, penalty=penalty)
    second = np.diff(np.eye(n), 2, axis=0)
    for row in range(3):
        dense = np.diag(weights[row]) + penalty * second.T @ second
        for k in range(2):
            np.testing.assert_allclose(
                solved[k, row], np.linalg.solve(dense, sides[k, row]), rtol=1e-6, atol=1e-9
            )


def test_a_straight_line_is_its_own_baseline() -> None:
    line = 5.0 + 0.3 * np.arange(100.0)
    weights = np.ones((1, 100))
    weights[0, 40:60] = 0.0
    drawn = smooth_rows(weights, weights * line, penalty=1e6)
    np.testing.assert_allclose(drawn[0], line, rtol=1e-7)


def test_a_row_without_baseline_is_named() -> None:
    weights = np.ones((3, 20))
    weights[1] = 0.0
    with pytest.raises(InputError, match="window 1"):
        smooth_rows(weights, weights, penalty=1.0)


@pytest.mark.parametrize("method", ["arpls", "snip"])
def test_a_first_baseline_passes_under_the_peaks(method) -> None:
    rows = traces(5, 300)
    drawn = first_baseline(
        rows, np.ones(rows.shape, dtype=bool), method=method, points_in_width=10.0
    )
    truth = 50.0 + 0.1 * np.arange(300)
    assert np.abs(drawn - truth).max() < 8.0


def test_an_unknown_method_is_told_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="arpls"):
        first_baseline(np.ones((1, 9)), np.ones((1, 9), bool), method="arpl", points_in_width=3.0)


def test_stiffness_grows_with_the_length_up_to_a_limit() -> None:
    assert stiffness(10.0) == pytest.approx(1e4)
    assert stiffness(1e9) == stiffness(1e6)
