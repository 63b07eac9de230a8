"""`condensed_scores`; and that blocks, threads and compiled code change no score."""

from __future__ import annotations

import importlib
import importlib.util
import threading
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import pdist

from drugsig import METRICS, ProfileSet
from drugsig.comparison import (
    Comparison,
    Metric,
    compare,
    condensed,
    fast_forms,
    products,
    score_blocks,
)
from drugsig.comparison.condensed import condensed_scores
from drugsig.comparison.fast_forms import compiled_form
from drugsig.comparison.prepared import PreparedProfiles
from drugsig.comparison.score_blocks import ScoreBlocks, gap_blocks, strips
from drugsig.errors import (
    ComparisonError,
    InputError,
    SizeError,
    UndefinedScoreWarning,
    UnknownNameError,
)
from tests.comparison.oracles import usable

P = 9

every = pytest.mark.parametrize("name", METRICS)
with_numba = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="the extra fast is not installed"
)
BY_PRODUCTS = [
    name for name in METRICS if name.startswith(("pearson", "spearman", "cosine", "squared_cosine"))
]
COMPILED = [
    "pearson", "spearman_distance", "cosine", "squared_cosine", "euclidean", "mahalanobis",
    "aitchison", "manhattan", "canberra", "canberra_r", "bray_curtis", "quotient",
    "peaks_in_common_distance", "within_sd",
]  # fmt: skip


def made(values) -> ProfileSet:
    values = np.asarray(values, dtype=float)
    names = [f"t{k}" for k in range(values.shape[1])]
    return ProfileSet(values, names, [f"p{k}" for k in range(len(values))])


def full(n: int = 60, p: int = P, *, seed: int = 0) -> np.ndarray:
    """Return profiles with zeros, copies, near copies, opposites, constant and empty ones."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(size=(n, p))
    values[rng.random(values.shape) < 0.17] = 0.0
    values[5] = values[n - 3] = values[2]
    values[7:12] = values[1] * (1.0 + 1e-9 * rng.normal(size=(5, p)))
    values[12:15] = values[1] * (1.0 + 1e-3 * rng.normal(size=(3, p)))
    values[20] = 10.0 - values[21]
    values[22] = 3.0
    values[30] = values[31] = 0.0
    return np.abs(values)


def partial(n: int = 60) -> np.ndarray:
    values = full(n)
    values[np.random.default_rng(5).random(values.shape) < 0.01] = np.nan
    values[33, 1:] = np.nan
    return values


def scores_of(values, metric: str | Metric, **options) -> np.ndarray:
    chosen = usable(metric, np.shape(values)[1]) if isinstance(metric, str) else metric
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedScoreWarning)
        return condensed_scores(made(values), metric=chosen, **options)


def compared(values, metric: str | Metric, *others, **options) -> Comparison:
    chosen = usable(metric, np.shape(values)[1]) if isinstance(metric, str) else metric
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedScoreWarning)
        return compare(made(values), *map(made, others), metric=chosen, **options)


@pytest.fixture
def fast_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let matrix products, threads and small tasks be used for a few profiles already."""
    monkeypatch.setattr(condensed, "_FAST_FROM", 0)
    monkeypatch.setattr(score_blocks, "_THREADS_FROM", 0)
    monkeypatch.setattr(score_blocks, "_TASK_SCORES", 100)
    monkeypatch.setattr(condensed, "_BLOCK_SCORES", 77)
    monkeypatch.setattr(condensed, "_WIDE", 11)
    monkeypatch.setattr(products, "_PICKED_SHARE", 1.0)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let compiled code be used for a few profiles already."""
    monkeypatch.setattr(fast_forms, "_COMPILED_FROM", 0)


def assert_right(name: str, found: np.ndarray, wanted: np.ndarray) -> None:
    """Hold scores to what is promised: bits, or for products a share of the distance."""
    metric = METRICS[name]
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    if name not in BY_PRODUCTS:
        np.testing.assert_array_equal(found, wanted)
        return
    np.testing.assert_allclose(
        metric.as_distance(found), metric.as_distance(wanted), rtol=1e-12, atol=0.0
    )
    alike = wanted == metric.self_value
    np.testing.assert_array_equal(found[alike], wanted[alike])


# -- the same as compare -------------------------------------------------------------------------


@every
@pytest.mark.parametrize("values", [full(), partial()], ids=["full", "partial"])
def test_few_profiles_score_as_compared_to_the_bit(name: str, values) -> None:
    found = scores_of(values, name)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, compared(values, name).condensed())


@every
@pytest.mark.parametrize("values", [full(), partial()], ids=["full", "partial"])
def test_many_profiles_score_as_promised(name: str, values, fast_ways: None) -> None:
    assert_right(name, scores_of(values, name), compared(values, name).condensed())


@pytest.mark.parametrize("name", BY_PRODUCTS)
def test_a_set_large_enough_for_products_scores_as_promised(name: str) -> None:
    values = full(500, 30)
    found, wanted = scores_of(values, name), compared(values, name).condensed()
    assert_right(name, found, wanted)
    assert (found != wanted).any()
    assert np.nanmin(found) >= METRICS[name].low
    assert np.nanmax(found) <= METRICS[name].high


@pytest.mark.parametrize("name", BY_PRODUCTS)
@pytest.mark.parametrize("share", [0.05, 1.0])
def test_profiles_that_are_all_alike_are_told_apart(
    name: str, share: float, fast_ways: None, monkeypatch
) -> None:
    monkeypatch.setattr(products, "_PICKED_SHARE", share)
    rng = np.random.default_rng(3)
    for spread in (1e-7, 1e-3):
        values = rng.lognormal(size=P) * (1.0 + spread * rng.normal(size=(40, P)))
        values[33] = values[3]
        assert_right(name, scores_of(values, name), compared(values, name).condensed())


@given(
    values=hnp.arrays(
        float,
        st.tuples(st.integers(2, 8), st.just(6)),
        elements=st.floats(0, 1e12) | st.sampled_from([0.0, 1.0, 1.0, np.nan]),
    )
)
def test_whatever_the_values(values: np.ndarray) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(condensed, "_FAST_FROM", 0)
        for name in ("pearson_distance", "cosine", "squared_cosine_distance", "canberra_r"):
            found = scores_of(values, name, min_measured=1)
            wanted = compared(values, name, min_measured=1).condensed()
            assert_right(name, found, wanted)


@pytest.mark.parametrize("name", ["pearson_distance", "squared_cosine", "canberra_r"])
@pytest.mark.parametrize("values", [full(), partial()], ids=["full", "partial"])
def test_workers_count_for_nothing(name: str, values, fast_ways: None) -> None:
    plain = scores_of(values, name, workers=1)
    matrix = compared(values, name, workers=1).scores
    for workers in (2, 5, None):
        np.testing.assert_array_equal(scores_of(values, name, workers=workers), plain)
        np.testing.assert_array_equal(compared(values, name, workers=workers).scores, matrix)


@every
@pytest.mark.parametrize(("block", "wide"), [(1, 1), (7, 3), (64, 64), (10**6, 10**6)])
def test_blocks_count_for_nothing(name: str, block: int, wide: int, fast_ways, monkeypatch) -> None:
    monkeypatch.setattr(condensed, "_BLOCK_SCORES", block)
    monkeypatch.setattr(condensed, "_WIDE", wide)
    values = partial(35)
    assert_right(name, scores_of(values, name), compared(values, name).condensed())


@pytest.mark.parametrize(
    ("name", "peer"),
    [("pearson_distance", "correlation"), ("manhattan", "cityblock"), ("canberra", "canberra")],
)
def test_pairs_stand_as_scipy_has_them(name: str, peer: Any) -> None:
    values = np.random.default_rng(0).random((500, 8))
    np.testing.assert_allclose(scores_of(values, name), pdist(values, peer), rtol=1e-9, atol=1e-14)


def _angle(cosines: np.ndarray) -> np.ndarray:
    return np.arccos(cosines)


def test_a_metric_that_magnifies_rounding_is_not_left_to_products(fast_ways: None) -> None:
    angle = replace(METRICS["cosine"], name="angle", kind="distance", low=0.0, high=4.0,
                    self_value=0.0, convert=_angle, revert=np.cos)  # fmt: skip
    values = full()
    np.testing.assert_array_equal(scores_of(values, angle), compared(values, angle).condensed())


# -- single precision ----------------------------------------------------------------------------


@every
@pytest.mark.parametrize("values", [full(), partial()], ids=["full", "partial"])
def test_single_precision_is_about_right(name: str, values, fast_ways: None) -> None:
    found, wanted = scores_of(values, name, precision="single"), scores_of(values, name)
    assert found.dtype == np.float32
    largest = float(np.nanmax(np.abs(wanted)))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6 * largest)
    assert np.nanmin(found) >= np.float32(METRICS[name].low)
    assert np.nanmax(found) <= np.float32(METRICS[name].high)


@pytest.mark.parametrize("name", ["euclidean", "canberra"])
@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_values_without_room_in_single_precision_are_refused(name: str, scale: float) -> None:
    values = full(40) * scale
    with pytest.raises(ComparisonError, match=r"no room for.*precision='double'"):
        scores_of(values, name, precision="single")
    assert scores_of(values, "pearson", precision="single").dtype == np.float32


def test_another_precision_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'single'"):
        scores_of(full(), "euclidean", precision="singel")


# -- compiled ------------------------------------------------------------------------------------


@with_numba
@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("p", [5, 8, 30])
def test_compiled_code_gives_the_same_bits(name: str, p: int, compiled: None) -> None:
    metric = usable(name, p)
    assert compiled_form(metric, 1) is not None
    values = full(90, p, seed=p)
    if name == "aitchison":
        values += 0.01
    transformed = PreparedProfiles.of(made(values), metric).transformed
    pieces = [(slice(0, 90), slice(0, 90)), (slice(3, 20), slice(11, 88)), (slice(4, 5),) * 2]
    side = PreparedProfiles.of(made(values), metric)
    for rows, columns in pieces:
        blocks = ScoreBlocks(side, side, metric, 1, p, compiled_form(metric, 1))
        wanted = metric.convert(
            metric.kernel.complete(transformed[:, rows, None], transformed[:, None, columns])
        )
        np.testing.assert_array_equal(blocks.whole(rows, columns), wanted)


@with_numba
@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("values", [full(), partial()], ids=["full", "partial"])
def test_matrices_are_the_same_with_and_without_compiled_code(
    name: str, values, fast_ways, compiled, monkeypatch
) -> None:
    fewer = np.nan_to_num(values[:17])

    def everything() -> list[np.ndarray]:
        return [
            compared(values, name).scores,
            compared(values, name, fewer).scores,
            scores_of(values, name),
        ]

    with_code = everything()
    monkeypatch.setattr(fast_forms, "has_numba", lambda: False)
    assert compiled_form(usable(name, P), 10**9) is None
    for found, wanted in zip(with_code, everything(), strict=True):
        np.testing.assert_array_equal(found, wanted)


@with_numba
@given(
    values=hnp.arrays(
        float,
        st.tuples(st.integers(2, 6), st.integers(1, 7)),
        elements=st.floats(-1e150, 1e150) | st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e-310]),
    )
)
def test_compiled_code_rounds_as_the_definition_does(values: np.ndarray) -> None:
    code = importlib.import_module("drugsig.comparison.compiled_sums")
    for name, form in (
        ("cosine", "dot_ratio"), ("squared_cosine", "squared_dot_ratio"),
        ("euclidean", "euclidean"), ("manhattan", "manhattan"), ("canberra", "canberra_zero"),
        ("canberra_r", "canberra_dropping"), ("bray_curtis", "bray_curtis"),
        ("quotient", "quotient"), ("peaks_in_common", "peaks_in_common"),
    ):  # fmt: skip
        kernel = METRICS[name].kernel
        x = np.abs(values) if METRICS[name].nonnegative else values
        with np.errstate(all="ignore"):
            transformed = np.ascontiguousarray(kernel.transform(kernel.prepare(x.T.copy())))
            wanted = kernel.complete(transformed[:, :, None], transformed[:, None, :])
        found = np.empty_like(wanted)
        getattr(code, form)(transformed, transformed, 0, 0, found)
        np.testing.assert_array_equal(found, wanted, err_msg=name)


@with_numba
@pytest.mark.parametrize("name", ["manhattan", "canberra", "bray_curtis"])
def test_compiled_code_in_single_precision_is_about_right(name: str, fast_ways, compiled) -> None:
    found = scores_of(full(), name, precision="single")
    np.testing.assert_allclose(found, scores_of(full(), name), rtol=2e-6, atol=1e-6)


def test_code_is_compiled_for_many_scores_only(monkeypatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(fast_forms, "has_numba", lambda: asked.append(True))
    compared(full(), "manhattan")
    assert not asked
    assert compiled_form(METRICS["manhattan"], 10**8) is None
    assert asked
    assert compiled_form(usable("combined", P), 10**8) is None


# -- what there is to compute --------------------------------------------------------------------


@given(
    n=st.integers(0, 40), m=st.integers(0, 40), block=st.integers(1, 200), wide=st.integers(1, 50)
)
def test_strips_hold_every_score_once(n: int, m: int, block: int, wide: int) -> None:
    seen = np.zeros((n, m), dtype=int)
    for strip in strips(n, m, block=block, same=False, wide=wide):
        for columns in strip.columns:
            seen[strip.rows, columns] += 1
            assert seen[strip.rows, columns].size <= max(block, 1)
    assert (seen == 1).all()
    upper = np.zeros((n, n), dtype=int)
    for strip in strips(n, n, block=block, same=True, wide=wide):
        for columns in strip.columns:
            upper[strip.rows, columns] += 1
    assert (upper[np.triu_indices(n)] == 1).all()


@given(a=st.lists(st.booleans(), max_size=70), b=st.lists(st.booleans(), max_size=70))
def test_gap_blocks_hold_every_pair_with_a_gap(a: list[bool], b: list[bool]) -> None:
    whole_a, whole_b = np.array(a, dtype=bool), np.array(b, dtype=bool)
    seen = np.zeros((len(a), len(b)), dtype=bool)
    for rows, columns in gap_blocks(whole_a, whole_b, same=False):
        seen[np.ix_(rows, columns)] = True
    np.testing.assert_array_equal(seen, ~np.logical_and.outer(whole_a, whole_b))
    within = np.zeros((len(a), len(a)), dtype=bool)
    for rows, columns in gap_blocks(whole_a, whole_a, same=True):
        within[np.ix_(rows, columns)] = within[np.ix_(columns, rows)] = True
    np.testing.assert_array_equal(within, ~np.logical_and.outer(whole_a, whole_a))


@pytest.mark.parametrize("precision", condensed.PRECISIONS)
@pytest.mark.parametrize("n", [0, 1, 2])
def test_nothing_or_one_pair_to_score(n: int, precision: str, fast_ways: None) -> None:
    values = np.random.default_rng(0).random((n, P))
    found = scores_of(values, "pearson", precision=precision)
    assert found.shape == (n * (n - 1) // 2,)
    np.testing.assert_allclose(found, compared(values, "pearson").condensed(), rtol=1e-6)


# -- what is said ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pearson", "canberra_r", "cosine_distance", "manhattan"])
@pytest.mark.parametrize("values", [full(), partial()], ids=["full", "partial"])
def test_undefined_scores_are_told_as_compare_tells_them(name: str, values, fast_ways) -> None:
    profiles = made(values)
    with warnings.catch_warnings(record=True) as wanted:
        warnings.simplefilter("always")
        compare(profiles, metric=name)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        condensed_scores(profiles, metric=name)
    assert [str(w.message) for w in told] == [str(w.message) for w in wanted]
    assert all(w.category is UndefinedScoreWarning and w.filename == __file__ for w in told)


def test_fewer_targets_than_asked_for_are_undefined() -> None:
    profiles = made(full())
    with pytest.warns(UndefinedScoreWarning, match="1770 of 1770"):
        found = condensed_scores(profiles, metric="manhattan", min_measured=P + 1)
    assert np.isnan(found).all()
    with pytest.warns(UndefinedScoreWarning, match="1770 of 1770"):
        assert np.isnan(compare(profiles, metric="manhattan", min_measured=P + 1).scores).all()


def test_more_memory_than_allowed_is_refused() -> None:
    profiles = made(np.random.default_rng(0).random((4, P)))
    with pytest.raises(SizeError, match=r"6 pairs of 4 profiles.*drugsig\.links.*memory=<bytes>"):
        condensed_scores(profiles, metric="euclidean", memory=47)
    assert condensed_scores(profiles, metric="euclidean", memory=48).shape == (6,)
    small = condensed_scores(profiles, metric="euclidean", memory=24, precision="single")
    assert small.nbytes == 24


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "2"])
def test_a_number_of_workers_is_a_whole_number(bad) -> None:
    with pytest.raises(InputError, match="workers"):
        condensed_scores(made(full()), metric="euclidean", workers=bad)
    with pytest.raises(InputError, match="workers"):
        compare(made(full()), metric="euclidean", workers=bad)


@pytest.mark.parametrize("call", [compare, condensed_scores])
def test_an_interruption_leaves_no_thread_behind(call, fast_ways, monkeypatch) -> None:
    def interrupted(*_: object) -> np.ndarray:
        raise KeyboardInterrupt

    before = threading.active_count()
    monkeypatch.setattr(ScoreBlocks, "whole", interrupted)
    with pytest.raises(KeyboardInterrupt):
        call(made(full()), metric="manhattan", workers=3)
    assert threading.active_count() == before


def test_products_leave_what_they_cannot_tell_to_the_definition(fast_ways, monkeypatch) -> None:
    asked: list[int] = []
    listed = products.ProductBlocks.listed

    def counted(self, first, second):
        asked.append(len(first))
        assert (first < second).all()
        return listed(self, first, second)

    monkeypatch.setattr(products.ProductBlocks, "listed", counted)
    scores_of(full(400, 30), "pearson")
    assert 0 < sum(asked) < 400
