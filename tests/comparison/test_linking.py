"""`links`: the same pairs as every pair by the definition, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import drugsig
from drugsig import METRICS, Links, ProfileSet, compare, links
from drugsig.comparison import fast_forms, link_rule, link_search
from drugsig.comparison.link_search import LinkSearch
from drugsig.comparison.prepared import score_profiles
from drugsig.comparison.search import near_pairs
from drugsig.comparison.search.pair_finder import METHODS
from drugsig.datasets import simulate_values
from drugsig.errors import (
    ComparisonError,
    DrugsigWarning,
    InputError,
    SizeError,
    ThresholdError,
    UndefinedScoreWarning,
    UnknownNameError,
)
from tests.comparison.oracles import usable

EVERY = tuple(METRICS)
every = pytest.mark.parametrize("name", EVERY)
without_warnings = pytest.mark.filterwarnings("ignore::drugsig.errors.DrugsigWarning")

P = 7


def made(values, *, tag: str = "p", epoch: str | None = None) -> ProfileSet:
    values = np.asarray(values, dtype=float)
    table: dict[str, list[str]] = {"profile_id": [f"{tag}{k}" for k in range(len(values))]}
    if epoch is not None:
        table["epoch"] = [epoch] * len(values)
    return ProfileSet(values, [f"t{k}" for k in range(values.shape[1])], table, name=tag)


def drawn(n: int, *, p: int = P, seed: int = 0, gaps: float = 0.0, between: str = "factor"):
    """Profiles with copies, an empty one, constant ones, ties and, if wanted, gaps."""
    rng = np.random.default_rng(seed)
    values = simulate_values(rng=rng, n_profiles=n, n_targets=p, between=between).values.copy()
    values /= np.maximum(values.sum(axis=1, keepdims=True), 1e-300)
    values **= 0.25
    values[5:8] = values[4]
    values[20:24] = values[19]
    values[30:32] = 0.0
    values[40:42] = 0.3
    values[50:60] = np.round(values[50:60], 1)
    values[rng.random(values.shape) < gaps] = np.nan
    return made(values)


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return function(*arguments, **options)


def some_thresholds(comparison, shares=(0.002, 0.05, 0.5)) -> list[float]:
    """Scores that occur, so that a pair lies on the threshold itself."""
    scores = comparison.condensed()
    scores = np.sort(scores[~np.isnan(scores)])
    if comparison.metric.is_similarity:
        scores = scores[::-1]
    return [float(scores[int(share * (len(scores) - 1))]) for share in shares]


def in_parts(questioned, reference, metric, threshold, *, method: str, leaf: int, order=None):
    """Links by tasks in any order, as workers would find them."""
    search = LinkSearch.of(
        questioned, reference, metric=metric, threshold=threshold, method=method, leaf=leaf
    )
    tasks = np.arange(search.n_tasks) if order is None else order.permutation(search.n_tasks)
    parts = [search.expanded(search.run(int(k))) for k in tasks] + [search.among_duplicates()]
    rows, columns, scores = link_search.joined(parts)
    position = np.lexsort((columns, rows))
    return rows[position], columns[position], scores[position]


def by_position(found: Links):
    position = np.lexsort((found.columns, found.rows))
    return found.rows[position], found.columns[position], found.scores[position]


def assert_same(ours, theirs) -> None:
    for mine, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, wanted)


# -- every link and no other ---------------------------------------------------------------------


@every
@pytest.mark.parametrize("gaps", [0.0, 0.03])
@without_warnings
def test_links_are_those_of_the_matrix_of_scores(name: str, gaps: float) -> None:
    metric = usable(name, P)
    everyone = drawn(130, gaps=gaps)
    sides: list[tuple[ProfileSet, ProfileSet | None]] = [
        (everyone, None),
        (everyone.select(np.arange(60)), everyone.select(np.arange(40, 130))),
    ]
    order = np.random.default_rng(5)
    for questioned, reference in sides:
        comparison = compare(*(s for s in (questioned, reference) if s is not None), metric=metric)
        for threshold in some_thresholds(comparison):
            wanted = comparison.links(threshold)
            found = links(questioned, reference, metric=metric, threshold=threshold)
            assert found == wanted
            np.testing.assert_array_equal(found.measured, wanted.measured)
            np.testing.assert_array_equal(found.detected, wanted.detected)
            for method in METHODS[1:]:
                ours = in_parts(
                    questioned, reference, metric, threshold, method=method, leaf=9, order=order
                )
                assert_same(ours, by_position(wanted))


@every
@pytest.mark.parametrize("between", ["factor", "iid"])
@pytest.mark.slow
@without_warnings
def test_links_among_many_profiles(name: str, between: str) -> None:
    metric = usable(name, 30)
    profiles = drawn(1500, p=30, seed=3, between=between)
    comparison = compare(profiles, metric=metric)
    for threshold in some_thresholds(comparison, shares=(1e-5, 1e-3, 0.02)):
        wanted = comparison.links(threshold)
        assert links(profiles, metric=metric, threshold=threshold) == wanted
        assert_same(
            in_parts(profiles, None, metric, threshold, method="pruning", leaf=64),
            by_position(wanted),
        )


# Few values, so that distances tie and profiles repeat; far apart in size, so that single
# precision is not enough.
few = st.sampled_from([0.0, 0.0, 1.0, 1.0 + 1e-9, 2.0, 3.5, 1e-12, 1e7])
gappy = few | st.just(np.nan)


@given(
    values=hnp.arrays(float, st.tuples(st.integers(2, 14), st.just(6)), elements=gappy),
    name=st.sampled_from(EVERY),
    share=st.floats(0, 1),
    leaf=st.integers(1, 5),
    shift=st.sampled_from([0.0, 1e6]),
)
@settings(max_examples=150, deadline=None)
def test_links_of_awkward_profiles(values, name: str, share: float, leaf: int, shift) -> None:
    metric = usable(name, 6)
    profiles = made(values + shift)
    comparison = quietly(compare, profiles, metric=metric)
    if comparison.n_undefined == comparison.n_pairs:
        return
    (threshold,) = some_thresholds(comparison, shares=(share,))
    threshold = float(np.clip(threshold, metric.low, metric.high))
    wanted = comparison.links(threshold)
    assert quietly(links, profiles, metric=metric, threshold=threshold) == wanted
    for method in METHODS[1:]:
        assert_same(
            in_parts(profiles, None, metric, threshold, method=method, leaf=leaf),
            by_position(wanted),
        )


@pytest.mark.parametrize("name", ["euclidean", "manhattan", "canberra", "pearson_distance"])
@without_warnings
def test_one_profile_of_another_size_hides_no_link(name: str) -> None:
    rng = np.random.default_rng(2)
    values = rng.gamma(1.0, 1.0, (80, P))
    values[40:] = values[:40] * (1.0 + 1e-7 * rng.standard_normal((40, P)))
    values[7] *= 1e12
    values[9] *= 1e-12
    profiles = made(values)
    comparison = compare(profiles, metric=name)
    for threshold in some_thresholds(comparison, shares=(0.001, 0.01, 0.1)):
        assert_same(
            in_parts(profiles, None, METRICS[name], threshold, method="pruning", leaf=8),
            by_position(comparison.links(threshold)),
        )


@given(order=st.permutations(range(40)), workers=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_links_do_not_depend_on_order_or_workers(order, workers: int) -> None:
    profiles = made(np.round(np.random.default_rng(1).gamma(1.0, 1.0, (40, 5)), 1))
    wanted = links(profiles, metric="cosine", threshold=0.9)
    turned = links(
        profiles.select(np.array(order)), metric="cosine", threshold=0.9, workers=workers
    )
    pairs = {
        frozenset((turned.row_ids[a], turned.column_ids[b])): s
        for a, b, s in zip(turned.rows, turned.columns, turned.scores, strict=True)
    }
    assert pairs == {
        frozenset((wanted.row_ids[a], wanted.column_ids[b])): s
        for a, b, s in zip(wanted.rows, wanted.columns, wanted.scores, strict=True)
    }


def test_the_opposite_of_a_profile_is_as_alike_by_the_squared_cosine() -> None:
    values = np.random.default_rng(0).standard_normal((60, P))
    values[30:] = -values[:30]
    profiles = made(values)
    wanted = compare(profiles, metric="squared_cosine").links(99.0)
    assert len(wanted) >= 30
    assert links(profiles, metric="squared_cosine", threshold=99.0) == wanted
    assert_same(
        in_parts(profiles, None, METRICS["squared_cosine"], 99.0, method="pruning", leaf=4),
        by_position(wanted),
    )


# -- compiled code -------------------------------------------------------------------------------


def sides_of(everyone: ProfileSet, two_sets: bool) -> tuple[ProfileSet, ProfileSet | None]:
    """One set, or two that share 100 profiles."""
    if not two_sets:
        return everyone, None
    return everyone.select(np.arange(400)), everyone.select(np.arange(300, len(everyone)))


@pytest.mark.parametrize("name", ["pearson", "squared_cosine", "euclidean", "mahalanobis"])
@pytest.mark.parametrize("two_sets", [False, True])
@without_warnings
def test_compiled_code_finds_the_same_links(name: str, two_sets: bool, monkeypatch) -> None:
    pytest.importorskip("numba")
    metric = usable(name, 12)
    sides = sides_of(drawn(900, p=12, seed=4), two_sets)
    comparison = compare(*(s for s in sides if s is not None), metric=metric)
    monkeypatch.setattr(near_pairs, "_COMPILED_FROM", 1)
    monkeypatch.setattr(near_pairs, "_ROOM", 3)
    for threshold in some_thresholds(comparison, shares=(1e-4, 0.01, 0.4)):
        wanted = by_position(comparison.links(threshold))
        search = LinkSearch.of(*sides, metric=metric, threshold=threshold, method="pruning")
        assert all(getattr(plan.a, "refined", False) for plan in search.finder.plans)
        for leaf in (40, 100, 1024):
            found = in_parts(sides[0], sides[1], metric, threshold, method="pruning", leaf=leaf)
            assert_same(found, wanted)


@pytest.mark.parametrize(
    "name", ["manhattan", "canberra", "canberra_r", "bray_curtis", "quotient", "peaks_in_common",
             "within_sd"],
)  # fmt: skip
@pytest.mark.parametrize("two_sets", [False, True])
@without_warnings
def test_compiled_sums_find_the_same_links(name: str, two_sets: bool, monkeypatch) -> None:
    pytest.importorskip("numba")
    metric = usable(name, 12)
    sides = sides_of(drawn(700, p=12, seed=5), two_sets)
    comparison = compare(*(s for s in sides if s is not None), metric=metric)
    monkeypatch.setattr(fast_forms, "_COMPILED_FROM", 0)
    for threshold in some_thresholds(comparison, shares=(1e-4, 0.01, 0.4)):
        wanted = by_position(comparison.links(threshold))
        for method in ("pruning", "blocks"):
            found = in_parts(sides[0], sides[1], metric, threshold, method=method, leaf=40)
            assert_same(found, wanted)


@pytest.mark.parametrize("name", ["pearson", "pearson_distance_percent", "cosine_distance",
                                  "squared_cosine"])  # fmt: skip
@pytest.mark.parametrize("spread", [1.0, 1e-2, 1e-5, 1e-9, 1e-13])
@without_warnings
def test_links_of_profiles_with_gaps_that_hardly_vary(name: str, spread: float) -> None:
    rng = np.random.default_rng(int(-np.log10(spread)))
    base = np.repeat(rng.random((40, 6)), 5, axis=0) + 0.05 * rng.random((200, 6))
    values = 3.0 + spread * base
    # The shared targets of some pairs are far smaller than the largest value.
    values[::7, 1:] *= 1e-12
    values[3:6] = 2.5
    values[rng.random(values.shape) < 0.15] = np.nan
    profiles = made(values)
    comparison = compare(profiles, metric=name, min_measured=3)
    for threshold in some_thresholds(comparison, shares=(1e-3, 0.05, 0.5)):
        found = links(profiles, metric=name, threshold=threshold, min_measured=3, progress=False)
        wanted = comparison.links(threshold)
        assert found == wanted
        assert found.undefined == wanted.undefined > 0


@pytest.mark.parametrize("name", ["pearson", "cosine", "squared_cosine"])
def test_products_spare_most_pairs_with_gaps(name: str, monkeypatch) -> None:
    profiles = drawn(400, p=12, gaps=0.05)
    scored: list[int] = []

    def counting(left, right, *rest):
        out = score_profiles(left, right, *rest)
        scored.append(out.size)
        return out

    monkeypatch.setattr(link_rule, "score_profiles", counting)
    comparison = quietly(compare, profiles, metric=name)
    threshold = some_thresholds(comparison, shares=(1e-3,))[0]
    assert quietly(links, profiles, metric=name, threshold=threshold) == comparison.links(threshold)
    assert 0 < sum(scored) < 0.2 * comparison.n_pairs


def test_without_compiled_code_all_is_the_same(monkeypatch) -> None:
    profiles = drawn(300)
    wanted = quietly(links, profiles, metric="pearson", threshold=0.98)
    monkeypatch.setattr(near_pairs, "_COMPILED_FROM", 1)
    monkeypatch.setattr(near_pairs, "has_numba", lambda: False)
    assert quietly(links, profiles, metric="pearson", threshold=0.98) == wanted


def test_numba_is_looked_for_and_not_required(monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    fast_forms.has_numba.cache_clear()
    try:
        assert not fast_forms.has_numba()
    finally:
        fast_forms.has_numba.cache_clear()


# -- copies, and too many links ------------------------------------------------------------------


def test_ten_thousand_copies_are_counted_before_they_are_listed() -> None:
    profiles = made(np.tile([3.0, 1.0, 2.0, 5.0, 4.0], (10_000, 1)))
    with pytest.raises(SizeError, match=r"copies .* alone make 49,995,000 links, and 25,000,000"):
        links(profiles, metric="pearson", threshold=0.99)


def test_so_many_links_are_given_if_asked_for() -> None:
    profiles = made(np.tile([3.0, 1.0, 2.0, 5.0, 4.0], (2000, 1)))
    with pytest.raises(SizeError, match="1,999,000 links"):
        links(profiles, metric="euclidean", threshold=0.0, memory=1e8)
    found = links(profiles, metric="euclidean", threshold=0.0, memory=3e8)
    assert len(found) == 1_999_000
    assert (found.scores == 0.0).all()
    assert (found.rows < found.columns).all()


def test_too_many_links_are_refused_with_how_many_there_would_be() -> None:
    profiles = made(np.random.default_rng(0).random((400, 5)))
    with pytest.raises(SizeError, match=r"links were found after .* in all there would be roughly"):
        links(profiles, metric="euclidean", threshold=2.0, memory=50_000)


def test_copies_on_two_sides_are_all_linked() -> None:
    a = made(np.repeat([[1.0, 2.0, 3.0], [9.0, 1.0, 1.0]], [3, 2], axis=0), tag="a")
    b = made(np.repeat([[1.0, 2.0, 3.0], [0.0, 0.0, 5.0]], [4, 1], axis=0), tag="b")
    found = links(a, b, metric="manhattan", threshold=0.0)
    assert found == compare(a, b, metric="manhattan").links(0.0)
    assert len(found) == 12


def test_a_threshold_that_every_pair_meets_links_every_pair() -> None:
    profiles = made(np.random.default_rng(0).random((30, 6)))
    assert len(links(profiles, metric="pearson", threshold=-1.0)) == 435


# -- nothing, one, and what cannot be -----------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1])
@every
@without_warnings
def test_none_or_one_profile_has_no_links(name: str, n: int) -> None:
    metric = usable(name, P)
    found = links(
        made(np.ones((n, P)) * np.arange(1, P + 1)),
        metric=metric,
        threshold=metric.high if np.isfinite(metric.high) else 1.0,
    )
    assert len(found) == 0
    assert found.comparisons == 0


@without_warnings
def test_constant_profiles_are_counted_and_never_linked() -> None:
    values = np.random.default_rng(0).random((10, 6))
    values[[2, 5]] = 0.7
    with pytest.warns(UndefinedScoreWarning, match="17 of 45 scores are undefined"):
        found = links(made(values), metric="pearson", threshold=-1.0)
    assert found.undefined == 17
    assert len(found) == 28
    assert not {2, 5} & {*found.rows.tolist(), *found.columns.tolist()}


def test_too_few_targets_leave_every_pair_undefined() -> None:
    with pytest.raises(ComparisonError, match="needs at least 5 targets"):
        links(made(np.random.default_rng(0).random((4, 3))), metric="pearson", threshold=0.9)
    with pytest.warns(UndefinedScoreWarning):
        found = links(
            made(np.random.default_rng(0).random((4, 3))),
            metric="euclidean",
            threshold=9.0,
            min_measured=4,
        )
    assert (len(found), found.undefined) == (0, 6)


@pytest.mark.parametrize("threshold", [-1.5, 1.5, np.nan, np.inf, "x", None])
def test_a_threshold_outside_the_range_is_refused(threshold) -> None:
    with pytest.raises(ThresholdError):
        links(made(np.random.default_rng(0).random((4, 6))), metric="pearson", threshold=threshold)


def test_unlike_sets_and_unknown_names_are_refused() -> None:
    a = made(np.random.default_rng(0).random((4, 6)))
    with pytest.raises(UnknownNameError, match="Did you mean 'pearson'"):
        links(a, metric="pearsn", threshold=0.9)
    with pytest.raises(ComparisonError, match="pretreated differently"):
        links(a, drugsig.pretreat(a, "sum"), metric="pearson", threshold=0.9)
    with pytest.raises(ComparisonError, match="was not fitted"):
        links(a, metric="mahalanobis", threshold=1.0)
    for workers in (0, 1.5, True):
        with pytest.raises(InputError, match="workers must be"):
            links(a, metric="pearson", threshold=0.9, workers=workers)  # type: ignore[arg-type]
    for memory in (0, -1, "much", True):
        with pytest.raises(InputError, match="memory must be"):
            links(a, metric="pearson", threshold=0.9, memory=memory)  # type: ignore[arg-type]


def test_epochs_do_not_mix_unless_asked_for() -> None:
    rng = np.random.default_rng(0)
    old, new = made(rng.random((4, 6)), epoch="2023"), made(rng.random((3, 6)), epoch="2024")
    with pytest.raises(ComparisonError, match=r"2 comparability epochs \('2023', '2024'\)"):
        links(old, new, metric="pearson", threshold=0.9)
    with pytest.raises(ComparisonError, match="across_epochs=True"):
        compare(old, new)
    assert links(old, new, metric="pearson", threshold=0.9, across_epochs=True).comparisons == 12


# -- what links say of themselves ----------------------------------------------------------------


def test_links_near_the_threshold_are_marked() -> None:
    profiles = made([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0 - 1e-10], [0.0, 0.5]])
    found = links(profiles, metric="euclidean", threshold=1.0)
    assert found.near_threshold.sum() == 2
    assert found.near_threshold[-2:].all()


def test_expected_chance_links_follow_from_the_rate() -> None:
    profiles = made(np.random.default_rng(0).random((20, 6)))
    found = links(profiles, metric="pearson", threshold=0.9, false_positive_rate=0.1)
    assert found.expected_chance_links == pytest.approx(19.0)
    with pytest.raises(ThresholdError, match="as a share"):
        links(profiles, metric="pearson", threshold=0.9, false_positive_rate=2.5)


def test_an_interruption_passes_through(monkeypatch) -> None:
    def interrupted(self, task: int, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(LinkSearch, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        links(made(np.random.default_rng(0).random((40, 6))), metric="pearson", threshold=0.9)
