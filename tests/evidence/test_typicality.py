"""Typicality: what a difference alone gets wrong for common and for rare profiles."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from drugsig.comparison import get_metric
from drugsig.errors import DataWarning, InputError, SmallSampleWarning
from drugsig.evidence.calibration import fit_calibration
from drugsig.evidence.typicality import (
    TYPICALITY_METHODS,
    TypicalityCalibration,
    fit_typicality,
    pair_typicality,
)
from tests.evidence.calibration.cases import cllr

N_TARGETS = 3
WITHIN = 0.3


def profiles(n_sources: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two profiles each of sources that are normally distributed."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_sources, N_TARGETS))
    values = np.repeat(centres, 2, axis=0) + WITHIN * rng.normal(size=(2 * n_sources, N_TARGETS))
    return values, np.repeat(np.arange(n_sources), 2)


def pairs_of(sources: np.ndarray, n_unlinked: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The linked pairs and some unlinked ones, as rows and columns."""
    rng = np.random.default_rng(seed)
    first = np.arange(0, len(sources), 2)
    a, b = rng.integers(0, len(sources), (2, 2 * n_unlinked))
    apart = sources[a] != sources[b]
    a, b = a[apart][:n_unlinked], b[apart][:n_unlinked]
    return np.concatenate([first, a]), np.concatenate([first + 1, b])


def true_log10_lr(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The ratio of the densities of two measurements under the model they are drawn from."""
    one = 1 + WITHIN**2
    marginal = multivariate_normal(np.zeros(N_TARGETS), one * np.eye(N_TARGETS))
    joint = np.kron([[one, 1.0], [1.0, one]], np.eye(N_TARGETS))
    both = multivariate_normal(np.zeros(2 * N_TARGETS), joint)
    return np.asarray(
        both.logpdf(np.hstack([x, y])) - marginal.logpdf(x) - marginal.logpdf(y)
    ) / np.log(10)


def scored(values, sources, background, background_sources, seed):
    """Squared distances, typicalities, labels and true ratios of pairs."""
    rows, columns = pairs_of(sources, 4000, seed)
    difference = ((values[rows] - values[columns]) ** 2).sum(axis=1)
    distances = np.sqrt(((values[:, None] - background[None]) ** 2).sum(axis=2))
    common = pair_typicality(
        distances, background_sources, rows=rows, columns=columns, sources=sources
    )
    truth = true_log10_lr(values[rows], values[columns])
    return difference, common, sources[rows] == sources[columns], truth


@pytest.fixture(scope="module")
def simulated():
    values, sources = profiles(400, seed=1)
    train = scored(values, sources, values, sources, seed=2)
    fresh_values, fresh_sources = profiles(1200, seed=3)
    # The fresh sources have other numbers than those of the background.
    fresh = scored(fresh_values, fresh_sources + 10_000, values, sources, seed=4)
    return train, fresh


def test_a_difference_alone_overstates_common_and_understates_rare_profiles(simulated) -> None:
    (d, t, linked, _), (fresh_d, fresh_t, fresh_linked, truth) = simulated
    alone = fit_calibration(d, linked, kind="distance").log10_lr(fresh_d)
    both = fit_typicality(d, t, linked, kind="distance")
    assert both.typicality_slope < 0
    aware = both.log10_lr(fresh_d, fresh_t)
    rare, common = np.quantile(fresh_t[fresh_linked], [0.15, 0.85])
    error_alone, error_aware = (alone - truth)[fresh_linked], (aware - truth)[fresh_linked]
    of_common, of_rare = fresh_t[fresh_linked] >= common, fresh_t[fresh_linked] <= rare
    assert error_alone[of_common].mean() > 0.25
    assert error_alone[of_rare].mean() < -0.4
    assert abs(error_aware[of_common].mean()) < error_alone[of_common].mean() / 2
    assert abs(error_aware[of_rare].mean()) < -error_alone[of_rare].mean() / 2
    assert np.abs(error_aware).mean() < 0.6 * np.abs(error_alone).mean()


def test_with_typicality_ratios_cost_less(simulated) -> None:
    (d, t, linked, _), (fresh_d, fresh_t, fresh_linked, truth) = simulated
    alone = cllr(fit_calibration(d, linked, kind="distance").log10_lr(fresh_d), fresh_linked)
    aware = cllr(fit_typicality(d, t, linked, kind="distance").log10_lr(fresh_d, fresh_t),
                 fresh_linked)  # fmt: skip
    best = cllr(truth, fresh_linked)
    assert best < aware < alone
    # Some of the way to the best that any model could do.
    assert alone - aware > 0.3 * (alone - best)


def test_linked_pairs_are_no_more_typical_for_being_in_the_background() -> None:
    values, sources = profiles(60, seed=5)
    distances = np.sqrt(((values[:, None] - values[None]) ** 2).sum(axis=2))
    rows, columns = pairs_of(sources, 200, seed=6)
    inside = pair_typicality(distances, sources, rows=rows, columns=columns, sources=sources)
    for k in (0, 7, 59, 60, 150, 259):
        left = ~np.isin(sources, [sources[rows[k]], sources[columns[k]]])
        two = distances[[rows[k], columns[k]]][:, left]
        outside = pair_typicality(two, sources[left], rows=[0], columns=[1])
        assert inside[k] == pytest.approx(outside[0], rel=1e-12)


def slow_typicality(distances, background_sources, sources, a, b, n_nearest):
    total = 0.0
    for one in (a, b):
        means = sorted(
            np.mean([distances[one][k] for k, s in enumerate(background_sources)
                     if s == source and not np.isnan(distances[one][k])])
            for source in set(background_sources) - {sources[a], sources[b]}
            if not np.isnan([d for d, s in zip(distances[one], background_sources, strict=True)
                             if s == source]).all()
        )  # fmt: skip
        total -= np.log10(np.mean(means[:n_nearest])) / 2
    return total


@given(st.integers(0, 10_000), st.integers(1, 3), st.booleans())
def test_typicality_is_that_of_its_definition(seed, n_nearest, named) -> None:
    rng = np.random.default_rng(seed)
    background_sources = np.concatenate([np.arange(6), rng.integers(0, 6, 6)])
    sources = rng.integers(0, 9, 8)
    distances = rng.integers(1, 6, (8, 12)).astype(float)
    # Never all of a source: its second profiles are those that can be undefined.
    distances[:, 6:][rng.random((8, 6)) < 0.3] = np.nan
    rows, columns = rng.integers(0, 8, (2, 20))
    given: dict[str, Any] = {
        "background_sources": np.char.mod("s%d", background_sources) if named
        else background_sources,
        "sources": np.char.mod("s%d", sources) if named else sources,
        "n_nearest": n_nearest,
    }  # fmt: skip
    background = given.pop("background_sources")
    got = pair_typicality(distances, background, rows=rows, columns=columns, **given)
    expected = [
        slow_typicality(distances, background_sources.tolist(), sources.tolist(), a, b, n_nearest)
        for a, b in zip(rows, columns, strict=True)
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    turned = pair_typicality(distances, background, rows=columns, columns=rows, **given)
    np.testing.assert_array_equal(turned, got)


def test_the_unit_of_the_distance_only_shifts_it() -> None:
    values, sources = profiles(30, seed=5)
    distances = np.abs(values[:, None] - values[None]).sum(axis=2)
    rows, columns = pairs_of(sources, 20, seed=6)
    one, other = (
        pair_typicality(unit * distances, sources, rows=rows, columns=columns, sources=sources)
        for unit in (1.0, 100.0)
    )
    np.testing.assert_allclose(one - other, 2.0, rtol=1e-12)


def test_a_neighbourhood_of_equals_is_as_typical_as_can_be_told() -> None:
    distances = np.array([[0.0, 0.0, 3.0], [0.2, 0.2, 3.0]])
    got = pair_typicality(
        distances, ["A", "B", "C"], rows=[0], columns=[1], sources=["X", "X"], n_nearest=2
    )
    assert got[0] == pytest.approx(-(np.log10(0.1) + np.log10(0.2)) / 2)


DISTANCES = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 2.0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distances": -DISTANCES}, r"6 distance\(s\).*negative.*as_distance"),
        ({"distances": DISTANCES * np.inf}, "not finite"),
        ({"distances": DISTANCES - 1.0}, "identical to background profile 0.*sources="),
        ({"background_sources": ["A", "B"]}, "one entry a background profile, 3"),
        ({"sources": ["A"]}, "one entry a profile, 2"),
        ({"sources": [0, 1]}, "both be numbers or both"),
        ({"rows": [0, 1]}, "2 rows and 1 columns"),
        ({"rows": [2]}, "whole numbers from 0 to 1"),
        ({"columns": [0.5]}, "whole numbers from 0 to 1"),
        ({"n_nearest": 0}, "whole number from 1"),
        ({"n_nearest": True}, "whole number from 1"),
        ({"n_nearest": 4}, "of 3 background sources fewer than n_nearest = 4"),
        ({"sources": ["A", "B"], "n_nearest": 2}, "fewer than n_nearest = 2"),
    ],
)
def test_backgrounds_that_cannot_be_used_are_explained(change, message) -> None:
    given: dict[str, Any] = {
        "distances": DISTANCES, "background_sources": list("ABC"), "rows": [0], "columns": [1],
        "sources": None, "n_nearest": 1,
    } | change  # fmt: skip
    distances, background = given.pop("distances"), given.pop("background_sources")
    with pytest.raises(InputError, match=message):
        pair_typicality(distances, background, **given)


def drawn(n: int = 200):
    rng = np.random.default_rng(2)
    linked = np.arange(n) < n // 3
    return rng.gamma(np.where(linked, 2, 5)), rng.normal(size=n), linked


@pytest.mark.parametrize("method", TYPICALITY_METHODS)
def test_a_similarity_is_a_distance_turned_round(method) -> None:
    d, t, linked = drawn()
    one = fit_typicality(d, t, linked, kind="distance", method=method)
    other = fit_typicality(100 - d, t, linked, kind="similarity", method=method)
    np.testing.assert_allclose(one.log10_lr(d, t), other.log10_lr(100 - d, t), atol=1e-7)
    assert one.slope < 0 < other.slope


@pytest.mark.parametrize("method", TYPICALITY_METHODS)
def test_weights_count_pairs(method) -> None:
    d, t, linked = drawn()
    weights = np.random.default_rng(1).integers(0, 3, len(d))
    one = fit_typicality(d, t, linked, kind="distance", method=method, weights=weights)
    other = fit_typicality(
        *(np.repeat(x, weights) for x in (d, t, linked)), kind="distance", method=method
    )
    np.testing.assert_allclose(one.log10_lr(d, t), other.log10_lr(d, t), atol=1e-7)


def test_beyond_what_was_seen_it_holds() -> None:
    d, t, linked = drawn()
    calibration = fit_typicality(d, t, linked, metric=get_metric("euclidean"))
    assert calibration.range == (d.min(), d.max())
    assert calibration.typicality_range == (t.min(), t.max())
    np.testing.assert_array_equal(
        calibration.log10_lr([1e9, 0.0, np.nan, 1.0], [0.0, -1e9, 0.0, np.nan]),
        [
            *calibration.log10_lr([d.max(), d.min()], [0.0, t.min()]),
            np.nan,
            np.nan,
        ],
    )
    with pytest.raises(InputError, match="not of the same pairs"):
        calibration.log10_lr([1.0], [1.0, 2.0])


def test_a_calibration_survives_a_file_and_a_worker() -> None:
    d, t, linked = drawn()
    calibration = fit_typicality(d, t, linked, kind="distance")
    stored = json.loads(json.dumps(calibration.to_data(), allow_nan=False))
    for other in (
        TypicalityCalibration.from_data(stored),
        pickle.loads(pickle.dumps(calibration)),  # noqa: S301 - its own bytes
    ):
        assert other == calibration
    assert "typicality" in repr(calibration)
    assert "typicality" in calibration._repr_html_()
    damages: list[tuple[dict[str, Any], str]] = [
        ({"format": "?"}, "no stored typicality"),
        ({"version": 9}, "version 9"),
        ({"slope": "x"}, "must be numbers"),
        ({"method": "kde"}, "unknown method"),
    ]
    for change, message in damages:
        with pytest.raises(InputError, match=message):
            TypicalityCalibration.from_data({**stored, **change})
    with pytest.raises(InputError, match="lacks 'n_linked'"):
        TypicalityCalibration.from_data({k: v for k, v in stored.items() if k != "n_linked"})


def test_what_a_reader_must_know_is_said() -> None:
    d, t, linked = drawn()
    t = t + 3.0 * linked
    sources = np.where(linked, np.arange(200) % 12, np.arange(200))
    with (
        pytest.warns(SmallSampleWarning, match="Only 12 sources"),
        pytest.warns(DataWarning, match="the wrong way round"),
    ):
        calibration = fit_typicality(
            d, t, linked, kind="distance", source_a=sources,
            source_b=np.where(linked, sources, sources + 1),
        )  # fmt: skip
    assert len(calibration.notes) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"t": np.zeros(200)}, "all pairs have a typicality of 0"),
        ({"t": np.zeros(199)}, "one finite number a pair, 200"),
        ({"t": np.full(200, np.nan)}, "200 that are not finite"),
        ({"d": np.where(np.arange(200) < 66, 0.1, 5.0)}, "separate all 66 linked.*logistic_firth"),
        ({"linked": np.zeros(200, dtype=bool)}, "without linked pairs"),
        ({"method": "kde"}, "unknown method"),
        ({"kind": None}, "neither was"),
    ],
)
def test_pairs_that_cannot_be_calibrated_are_explained(change, message) -> None:
    d, t, linked = drawn()
    given: dict[str, Any] = {
        "d": d,
        "t": t,
        "linked": linked,
        "kind": "distance",
        "method": "logistic",
    } | change
    with pytest.raises(InputError, match=message):
        fit_typicality(
            given["d"], given["t"], given["linked"], kind=given["kind"], method=given["method"]
        )
