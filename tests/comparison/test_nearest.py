"""The nearest profiles and the prepared index: what sorting all scores gives, by every path."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import pickle
import warnings
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drugsig import METRICS, ProfileSet, compare, links, pretreat
from drugsig.comparison import Comparison, get_metric
from drugsig.comparison.fitting import fit_metric
from drugsig.comparison.index import ProfileIndex, build_index, load_index
from drugsig.comparison.nearest_search import nearest
from drugsig.comparison.neighbours import Nearest
from drugsig.comparison.search import query_finder, query_tree
from drugsig.comparison.search.query_tree import QueryTree
from drugsig.comparison.search.ranking import Ranking
from drugsig.errors import (
    ComparisonError,
    InputError,
    OutputError,
    ReadError,
    SizeError,
    TargetMismatchError,
    ThresholdError,
    UndefinedScoreWarning,
)

FREE = tuple(name for name, metric in METRICS.items() if not metric.needs_fit)
HAS_NUMBA = importlib.util.find_spec("numba") is not None

every = pytest.mark.parametrize("name", FREE)


def made(values, *, tag: str = "p", **columns) -> ProfileSet:
    values = np.asarray(values, dtype=float)
    n, p = values.shape
    table = {"profile_id": [f"{tag}{k}" for k in range(n)], **columns}
    return ProfileSet(values, [f"t{k}" for k in range(p)], table, name=tag)


def drawn(n: int, p: int = 6, *, seed: int = 0, gaps: bool = False, tag: str = "p") -> ProfileSet:
    """Profiles with zeros, ties, copies, multiples, constant and empty ones, perhaps with gaps."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.gamma(0.7, 2.0, (n, p)), 1)
    values[rng.random((n, p)) < 0.3] = 0.0
    values[n // 2 : n // 2 + n // 4] = values[: n // 4]
    values[-4:] = np.stack([values[0] * 2.0, np.ones(p), np.zeros(p), np.zeros(p)])
    if gaps:
        values[rng.random((n, p)) < 0.05] = np.nan
    return made(values, tag=tag)


def scored(*sets: ProfileSet, **options) -> Comparison:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedScoreWarning)
        return compare(*sets, **options)


def asked(*sets: ProfileSet, **options) -> Nearest:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedScoreWarning)
        return nearest(*sets, progress=False, **options)


def by_sorting(comparison: Comparison, k: int) -> tuple[list, list, list, list]:
    """Indices, scores, ties beyond and undefined pairs, row by row and one score at a time."""
    sign = -1.0 if comparison.metric.is_similarity else 1.0
    positions, scores, tied, undefined = [], [], [], []
    for row, line in enumerate(comparison.scores):
        others = [j for j in range(len(line)) if not (comparison.symmetric and j == row)]
        defined = [j for j in others if not np.isnan(line[j])]
        classes = classes_of(comparison, row, {j: sign * line[j] for j in defined})
        ranked = sorted((classes[j], j) for j in defined)
        first = ranked[:k]
        pad = k - len(first)
        positions.append([j for _, j in first] + [-1] * pad)
        scores.append([line[j] for _, j in first] + [np.nan] * pad)
        tied.append(sum(key == first[-1][0] for key, _ in ranked[k:]))
        undefined.append(len(others) - len(ranked))
    return positions, scores, tied, undefined


def classes_of(comparison: Comparison, row: int, keys: dict[int, float]) -> dict[int, int]:
    """Number the others by their keys; those whose slacks meet, through others too, are one."""
    metric = comparison.metric
    sizes = comparison.sizes(np.full(len(keys), row), np.array(list(keys), dtype=int))
    slack = np.broadcast_to(metric.slack(np.array(list(keys.values())), sizes), len(keys))
    ends = sorted(
        (key - half, key + half, j)
        for (j, key), half in zip(keys.items(), (slack / 2.0).tolist(), strict=True)
    )
    out, number, reached = {}, 0, -np.inf
    for low, high, j in ends:
        number += low > reached and keys[j] != reached
        reached = max(reached, high)
        out[j] = number
    return out


def on_the_edge(comparison: Comparison) -> bool:
    """Say whether two scores of a row are as far apart as the slack, where either may be right."""
    metric = comparison.metric
    for row, line in enumerate(comparison.scores):
        there = np.flatnonzero(~np.isnan(line))
        there = there[np.argsort(line[there])]
        sizes = comparison.sizes(np.full(len(there), row), there)
        slack = np.broadcast_to(metric.slack(line[there], sizes), len(there))
        gaps, means = np.diff(line[there]), (slack[1:] + slack[:-1]) / 2.0
        if np.any(np.abs(gaps - means) < 1e-2 * means):
            return True
    return False


def assert_is_sorting(found: Nearest, comparison: Comparison) -> None:
    if on_the_edge(comparison):
        return
    positions, scores, tied, undefined = by_sorting(comparison, found.k)
    name = comparison.metric.name
    np.testing.assert_array_equal(found.positions, positions, err_msg=name)
    np.testing.assert_array_equal(found.scores, scores, err_msg=name)
    np.testing.assert_array_equal(found.tied, tied, err_msg=name)
    np.testing.assert_array_equal(found.undefined, undefined, err_msg=name)


@pytest.fixture(params=["compiled", "multiplied"])
def path(request, monkeypatch) -> Iterator[str]:
    """The search with compiled code, also for few profiles, and without."""
    if request.param == "compiled":
        if not HAS_NUMBA:
            pytest.skip("numba is not installed")
        monkeypatch.setattr(query_tree, "_COMPILED_FROM", 1)
    else:
        monkeypatch.setattr(query_tree, "has_numba", lambda: False)
    return request.param


# -- against sorting all scores ------------------------------------------------------------------


@every
@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
def test_neighbours_are_those_of_sorting(name: str, gaps: bool, path: str) -> None:
    questioned, reference = drawn(23, gaps=gaps), drawn(41, seed=1, gaps=gaps, tag="r")
    for sets in ((questioned,), (questioned, reference)):
        comparison = scored(*sets, metric=name)
        for k in (1, 4, 100):
            assert_is_sorting(asked(*sets, k=k, metric=name), comparison)


@pytest.mark.parametrize("name", ["mahalanobis", "within_sd"])
def test_neighbours_by_a_fitted_metric(name: str, path: str) -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(rng.lognormal(size=(30, 5)), 4, axis=0) * rng.lognormal(0, 0.1, (120, 5))
    known = made(values, batch_id=[str(k // 4) for k in range(120)])
    metric = fit_metric(name, known, source="batch_id")
    assert_is_sorting(asked(known, k=3, metric=metric), scored(known, metric=metric))


# Few targets and few values: ties, copies, constant and empty profiles, gaps.
awkward = hnp.arrays(
    float,
    st.tuples(st.integers(1, 9), st.just(5)),
    elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, 1e-12, 1e6, np.nan]),
)


@given(values=awkward, others=awkward, k=st.integers(1, 4), name=st.sampled_from(FREE))
def test_neighbours_of_awkward_profiles(values, others, k: int, name: str) -> None:
    a, b = made(values), made(others, tag="r")
    for sets in ((a,), (a, b)):
        comparison = scored(*sets, metric=name, min_measured=1)
        assert_is_sorting(asked(*sets, k=k, metric=name, min_measured=1), comparison)


@settings(max_examples=30)
@given(
    exponents=hnp.arrays(
        int, st.tuples(st.integers(2, 8), st.just(5)), elements=st.integers(-40, 40)
    ),
    signs=hnp.arrays(int, (8, 5), elements=st.sampled_from([-1, 1])),
    name=st.sampled_from([n for n in FREE if not METRICS[n].nonnegative]),
)
def test_neighbours_of_very_large_and_very_small_values(exponents, signs, name: str) -> None:
    values = 10.0**exponents * signs[: len(exponents)]
    a, b = made(values), made(values[::-1] * 1.0000001, tag="r")
    assert_is_sorting(asked(a, b, k=2, metric=name), scored(a, b, metric=name))


@pytest.mark.parametrize("name", ["manhattan", "canberra", "canberra_r", "bray_curtis"])
@pytest.mark.parametrize("reach", [25, 45, 150, 400])
def test_neighbours_over_ranges_that_single_precision_cannot_hold(name: str, reach: int) -> None:
    rng = np.random.default_rng(reach)
    exponents = rng.integers(-reach, 1, (60, 5)) + min(reach // 2, 140)
    values = 10.0**exponents * rng.uniform(0.5, 1.0, (60, 5))
    # Among values that vanish beside the largest, some are alike.
    values[30:] = values[:30] * rng.uniform(0.9, 1.1, (30, 5))
    values[:, 0] = np.where(rng.random(60) < 0.3, 0.0, values[:, 0])
    tiny = values[::3] * 10.0 ** (-reach // 2) if reach < 150 else values[::3]
    for asked_for in (values[::2], tiny):
        sets = made(asked_for), made(values, tag="r")
        comparison = scored(*sets, metric=name)
        assert_is_sorting(asked(*sets, k=3, metric=name), comparison)
        threshold = float(np.nanquantile(comparison.scores, 0.1))
        wanted = comparison.links(threshold)
        assert links_of(build_index(sets[1], metric=name), sets[0], threshold) == wanted
        searched = links(*sets, metric=name, threshold=threshold, progress=False)
        assert searched == wanted


def test_questioned_profiles_far_outside_the_reference(path: str) -> None:
    rng = np.random.default_rng(4)
    near, far = (
        rng.random((30, 5)),
        rng.random((6, 5)) * np.array([1e20, 1e40, 1e100, 1, 1e-90, 1])[:, None],
    )
    for name in ("euclidean", "manhattan", "canberra", "canberra_r", "bray_curtis", "cosine"):
        sets = made(far), made(near, tag="r")
        assert_is_sorting(asked(*sets, k=3, metric=name), scored(*sets, metric=name))


@pytest.mark.parametrize(
    "name", ["pearson", "euclidean", "squared_cosine", "manhattan", "quotient"]
)
def test_hundreds_of_copies_and_of_nearly_equal_profiles(name: str, path: str) -> None:
    rng = np.random.default_rng(5)
    base = rng.random((4, 7))
    values = np.concatenate(
        [np.repeat(base, 150, axis=0), base[:1] * (1 + 1e-9 * np.arange(200)[:, None])]
    )
    sets = made(base[:, ::-1]), made(values[rng.permutation(len(values))], tag="r")
    for some in (sets, (sets[1].select(np.arange(0, 800, 9)),)):
        assert_is_sorting(asked(*some, k=5, metric=name), scored(*some, metric=name))


@pytest.mark.parametrize("name", ["pearson", "euclidean", "squared_cosine", "manhattan"])
@pytest.mark.parametrize("signed", [False, True])
def test_many_leaves(name: str, signed: bool, path: str, monkeypatch) -> None:
    monkeypatch.setattr("drugsig.comparison.nearest_search._SPLIT_FROM", 1)
    monkeypatch.setattr(query_tree, "_ASKED_COMPILED", 64)
    monkeypatch.setattr(query_tree, "QUERY_LEAF", 64)
    rng = np.random.default_rng(6)
    centres = rng.lognormal(size=(400, 20))
    values = np.repeat(centres, 4, axis=0) * rng.lognormal(0, 0.1, (1600, 20))
    if signed:
        values -= values.mean(axis=0)
    reference, questioned = made(values[100:], tag="r"), made(values[:100])
    found = asked(questioned, reference, k=7, metric=name)
    assert_is_sorting(found, scored(questioned, reference, metric=name))


def test_order_and_workers_do_not_count(path: str) -> None:
    rng = np.random.default_rng(7)
    values = rng.random((700, 8))
    a, b = made(values[:600]), made(values[300:], tag="r")
    plain = asked(a, b, k=4, metric="pearson", workers=1)
    assert asked(a, b, k=4, metric="pearson", workers=3) == plain
    order = rng.permutation(600)
    shuffled = asked(a.select(order), b, k=4, metric="pearson")
    np.testing.assert_array_equal(shuffled.scores, plain.scores[order])
    np.testing.assert_array_equal(shuffled.positions, plain.positions[order])


def test_many_neighbours_are_looked_for_in_small_groups(path: str, monkeypatch) -> None:
    a, b = drawn(23), drawn(41, seed=1, tag="r")
    whole = asked(a, b, k=30, metric="euclidean")
    monkeypatch.setattr("drugsig.comparison.nearest_search._TOGETHER", 70)
    assert asked(a, b, k=30, metric="euclidean") == whole


def test_a_tree_over_the_reference_is_not_needed() -> None:
    rng = np.random.default_rng(8)
    points, queries = rng.normal(size=(9, 900)), rng.normal(size=(9, 20))
    truth = np.argsort(((queries[:, :, None] - points[:, None]) ** 2).sum(axis=0), axis=1)[:, :6]
    for split in (True, False):
        for leaf in (1, 7, 64, 4000):
            shelf = QueryTree.of(points, split=split, leaf=leaf)
            found = shelf.nearest(shelf.queries(queries), 6)
            for row, wanted in enumerate(truth):
                assert set(wanted) <= set(found.positions[found.rows == row].tolist())


# -- what a search says --------------------------------------------------------------------------


def test_a_profile_is_not_its_own_neighbour_but_its_copy_is() -> None:
    s = made([[1.0, 2.0, 5.0], [1.0, 2.0, 5.0], [3.0, 1.0, 0.0]])
    found = asked(s, k=1, metric="euclidean")
    assert [found.ids(i) for i in s.ids] == [("p1",), ("p0",), ("p0",)]
    assert found.tied.tolist() == [0, 0, 1]
    assert asked(s, s, k=1, metric="euclidean").ids("p1") == ("p0",)


def test_the_table_has_one_row_a_neighbour() -> None:
    a = made([[1.0, 2.0, 0.0, 0.0], [5.0, 1.0, 0.0, 0.0]])
    b = made([[1.0, 2.5, 0.0, 0.0], [1.0, 1.5, 0.0, 1.0]], tag="r")
    frame = asked(a, b, k=3, metric="manhattan").to_frame()
    assert frame["questioned"].tolist() == ["p0", "p0", "p1", "p1"]
    assert frame["rank"].tolist() == [1, 2, 1, 2]
    assert frame["reference"].tolist() == ["r0", "r1", "r0", "r1"]
    assert frame["score"].tolist() == [0.5, 1.5, 5.5, 5.5]
    assert (frame["measured_in_both"] == 4).all()
    assert frame["detected_in_both"].tolist() == [2, 2, 2, 2]
    assert frame["few_detected"].all()


def test_how_it_shows_itself() -> None:
    s = made([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [0.0, 0.0]], tag="<i>")
    with pytest.warns(UndefinedScoreWarning, match=r"6 of 12 scores are undefined"):
        found = nearest(s, k=1, metric="cosine")
    assert repr(found) == (
        "<Nearest: 1 of 3 profiles for each of 4, by cosine (similarity); 1 with fewer; 3 with "
        "ties beyond the last; a rank is no evidence>"
    )
    assert found.comparisons == 12
    assert found.found.tolist() == [1, 1, 1, 0]
    assert found.undefined.tolist() == [1, 1, 1, 3]
    page = found._repr_html_()
    assert "&lt;i&gt;0" in page
    assert "<i>" not in page
    assert "no evidence" in page


def test_it_is_read_only_and_equal_by_content() -> None:
    s = drawn(12)
    found = asked(s, k=2, metric="manhattan")
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert again == found
    with pytest.raises(ValueError, match="read-only"):
        again.scores[0] = 9.0
    assert found != asked(s, k=1, metric="manhattan")
    with pytest.raises(TypeError):
        hash(found)


@pytest.mark.parametrize("n", [0, 1])
def test_no_profile_or_one(n: int) -> None:
    one, some = drawn(12).select(np.arange(n)), drawn(12, tag="r")
    assert asked(one, k=2, metric="euclidean").found.tolist() == [0] * n
    assert asked(one, some, k=2, metric="euclidean").positions.shape == (n, 2)
    assert asked(some, one, k=2, metric="euclidean").found.tolist() == [n] * 12
    index = build_index(one, metric="euclidean")
    assert index.extend(some).nearest(some, k=1).found.tolist() == [1] * 12


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "3"])
def test_k_is_a_whole_number(k) -> None:
    with pytest.raises(InputError, match="whole number from 1"):
        nearest(drawn(12), k=k, metric="euclidean")


def test_too_many_neighbours_are_refused() -> None:
    with pytest.raises(SizeError, match="memory=<bytes>"):
        nearest(drawn(12), k=5, metric="euclidean", memory=1000)
    with pytest.raises(InputError, match="number of bytes"):
        nearest(drawn(12), k=5, metric="euclidean", memory=-1)


def test_too_few_targets_make_every_pair_undefined() -> None:
    found = asked(drawn(12), k=2, metric="manhattan", min_measured=7)
    assert found.found.tolist() == [0] * 12
    assert found.undefined.tolist() == [11] * 12


def test_a_ranking_counts_what_it_drops() -> None:
    rng = np.random.default_rng(9)
    keys = rng.integers(0, 4, 60).astype(float)
    order = rng.permutation(60)
    ranking = Ranking(1, 5)
    for first, last in pairwise([0, 1, 9, 30, 31, 60]):
        some = order[first:last]
        ranking.take(np.zeros(len(some), np.int64), some, keys[some], np.array(1e-12))
    wanted = np.lexsort((np.arange(60), keys))
    found, unsure = ranking.ranked(5)
    assert not unsure.any()
    assert found.positions[0].tolist() == wanted[:5].tolist()
    assert found.tied[0] == (keys[wanted[5:]] == keys[wanted[4]]).sum()


@given(
    steps=hnp.arrays(
        float, st.integers(1, 60), elements=st.sampled_from([0.0, 0.3, 0.9, 1.3, 5.0])
    ),
    slacks=st.sampled_from([(1.0, 1.0), (0.5, 1.0)]),
    k=st.integers(1, 8),
    seed=st.integers(0, 100),
)
def test_a_ranking_puts_those_in_one_class_by_their_positions(
    steps, slacks, k: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    keys, slack = np.cumsum(steps), rng.choice(slacks, len(steps))
    n = len(keys)
    order = rng.permutation(n)
    low, high = keys - slack / 2.0, keys + slack / 2.0
    # Whoever meets whom, through others too.
    meets = (low[:, None] <= high) & (low <= high[:, None])
    for _ in range(n):
        meets = (meets.astype(int) @ meets.astype(int)) > 0
    position = np.empty(n, np.int64)
    position[order] = np.arange(n)
    number = meets.argmax(axis=1)
    wanted = np.lexsort((position, number))
    kept = k
    while True:
        ranking = Ranking(1, kept)
        for first in range(0, n, 7):
            some = order[first : first + 7]
            ranking.take(np.zeros(len(some), np.int64), position[some], keys[some], slack[some])
        found, unsure = ranking.ranked(k)
        if not unsure.any():
            break
        kept *= 2
    shown = wanted[:k]
    assert found.positions[0].tolist() == position[shown].tolist() + [-1] * (k - len(shown))
    if n > k:
        assert found.tied[0] == (number[wanted[k:]] == number[wanted[k - 1]]).sum()


# -- the prepared index ----------------------------------------------------------------------------


def links_of(index: ProfileIndex, questioned: ProfileSet, threshold: float):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedScoreWarning)
        return index.links(questioned, threshold=threshold)


def neighbours_of(index: ProfileIndex, questioned: ProfileSet, k: int) -> Nearest:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedScoreWarning)
        return index.nearest(questioned, k=k, progress=False)


@every
@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
def test_an_index_answers_as_the_profiles_themselves(name: str, gaps: bool, path, tmp_path) -> None:
    questioned, reference = drawn(19, gaps=gaps), drawn(60, seed=2, gaps=gaps, tag="r")
    comparison = scored(questioned, reference, metric=name)
    defined = comparison.scores[~np.isnan(comparison.scores)]
    index = build_index(reference, metric=name)
    grown = build_index(reference.select(np.arange(40)), metric=name)
    grown = grown.extend(reference.select(np.arange(40, 45)))
    grown = grown.extend(reference.select(np.arange(45, 46)))
    assert [len(s) for s in grown.segments] == [40, 5, 1] or len(grown.segments) < 3
    grown = grown.extend(reference.select(np.arange(46, 60)))
    for one in (index, grown, load_index(grown.save(tmp_path / "grown.npz"))):
        assert one.ids == reference.ids
        assert_is_sorting(neighbours_of(one, questioned, 4), comparison)
        for threshold in np.quantile(defined, [0.0, 0.1, 0.5, 1.0], method="nearest"):
            assert links_of(one, questioned, threshold) == comparison.links(threshold)


@given(values=awkward, others=awkward, name=st.sampled_from(FREE), rank=st.floats(0, 1))
def test_an_index_of_awkward_profiles(values, others, name: str, rank: float) -> None:
    questioned, reference = made(values), made(others, tag="r")
    comparison = scored(questioned, reference, metric=name)
    index = build_index(reference.select(np.arange(0)), metric=name).extend(reference)
    assert_is_sorting(neighbours_of(index, questioned, 2), comparison)
    defined = comparison.scores[~np.isnan(comparison.scores)]
    if len(defined):
        threshold = float(np.quantile(defined, rank, method="nearest"))
        assert links_of(index, questioned, threshold) == comparison.links(threshold)


def test_few_pairs_at_a_time_give_the_same_links(monkeypatch) -> None:
    questioned, reference = drawn(30), drawn(50, seed=3, tag="r")
    whole = links_of(build_index(reference, metric="cosine"), questioned, 0.9)
    monkeypatch.setattr(query_finder, "_TOGETHER", 60)
    assert links_of(build_index(reference, metric="cosine"), questioned, 0.9) == whole


def test_small_segments_are_joined_and_large_ones_are_not_touched() -> None:
    values = np.random.default_rng(0).random((400, 5))
    index = build_index(made(values[:300]), metric="euclidean")
    first = index.segments[0]
    for k in range(300, 340):
        index = index.extend(made(values[k : k + 1], tag=f"q{k}-"))
        assert index.segments[0] is first
        assert len(index.segments) <= 4
    assert len(index) == 340


def test_an_index_is_not_changed_by_what_is_made_from_it() -> None:
    reference = drawn(20, tag="r")
    index = build_index(reference, metric="euclidean")
    more = index.extend(drawn(12))
    assert (len(index), len(more)) == (20, 32)
    with pytest.raises(ValueError, match="read-only"):
        index.segments[0].values[0] = 1.0


def test_ids_that_are_there_already_are_refused() -> None:
    index = build_index(drawn(20), metric="euclidean")
    with pytest.raises(InputError, match=r"12 of 12 profiles are in the index already: 'p0'"):
        index.extend(drawn(12))


def test_profiles_unlike_those_of_the_index_are_refused() -> None:
    reference = pretreat(drawn(20, tag="r").without(["r18", "r19"]), "sum")
    index = build_index(reference, metric="euclidean")
    raw, fewer = drawn(12), reference.keep_targets(["t0", "t1"])
    for ask in (
        lambda x: index.nearest(x, k=1),
        index.extend,
        lambda x: index.links(x, threshold=1),
    ):
        with pytest.raises(ComparisonError, match="pretreated differently"):
            ask(raw)
        with pytest.raises(TargetMismatchError, match="lacks 't2'"):
            ask(fewer)
    with pytest.raises(ThresholdError):
        index.links(reference, threshold=-1.0)


def test_profiles_of_another_epoch_are_refused() -> None:
    values = np.random.default_rng(0).random((6, 5))
    old, new = made(values, epoch=["2019"] * 6), made(values, tag="q", epoch=["2024"] * 6)
    index = build_index(old, metric="euclidean")
    for ask in (lambda **o: index.nearest(new, k=1, **o), lambda **o: index.extend(new, **o)):
        with pytest.raises(ComparisonError, match=r"2 comparability epochs"):
            ask()
        assert len(ask(across_epochs=True))
    both = index.extend(new, across_epochs=True)
    assert both.epochs == ("2019", "2024")
    with pytest.raises(ComparisonError, match="epochs"):
        both.nearest(new, k=1)


def test_a_metric_that_needs_fitting_is_refused_until_it_is_fitted() -> None:
    with pytest.raises(ComparisonError, match="fit_metric"):
        build_index(drawn(20), metric="mahalanobis")


def test_too_many_links_are_refused() -> None:
    index = build_index(drawn(60), metric="euclidean")
    with pytest.raises(SizeError, match="stricter threshold"):
        index.links(drawn(12, tag="q"), threshold=1e6, memory=8000)


# -- its file --------------------------------------------------------------------------------------


def saved(tmp_path, *, metric="pearson", gaps: bool = False):
    profiles = drawn(30, gaps=gaps).with_column("epoch", ["2024", None] * 15)
    return build_index(profiles, metric=metric).save(tmp_path / "index.npz")


def test_a_saved_index_says_what_it_is(tmp_path) -> None:
    index = load_index(saved(tmp_path, gaps=True))
    assert repr(index) == (
        "<ProfileIndex: 30 profiles x 6 targets, by pearson (similarity), epoch '2024'>"
    )
    assert index.metric is get_metric("pearson")
    assert index.segments[0].epochs == ("2024", None) * 15
    again = load_index(index.save(tmp_path / "again.npz"))
    np.testing.assert_array_equal(again.segments[0].values, index.segments[0].values)
    np.testing.assert_array_equal(again.segments[0].status, index.segments[0].status)


def test_a_fitted_metric_travels_with_the_index(tmp_path) -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(rng.lognormal(size=(30, 5)), 4, axis=0) * rng.lognormal(0, 0.1, (120, 5))
    known = made(values, batch_id=[str(k // 4) for k in range(120)])
    metric = fit_metric("mahalanobis", known, source="batch_id")
    index = load_index(build_index(known, metric=metric).save(tmp_path / "index.npz"))
    assert index.metric == metric
    assert_is_sorting(index.nearest(known, k=3), scored(known, known, metric=metric))


def test_a_file_is_replaced_as_a_whole(tmp_path, monkeypatch) -> None:
    path = saved(tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr(
        np,
        "savez",
        lambda file, **_: file.write(b"half") and (_ for _ in ()).throw(OSError("full")),
    )
    with pytest.raises(OutputError, match="full"):
        saved(tmp_path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["index.npz"]


def test_what_is_no_index_is_told(tmp_path) -> None:
    text, table = tmp_path / "a.csv", tmp_path / "b.npz"
    text.write_text("profile_id;A\n001;1\n")
    np.savez(table, a=np.ones(3))
    for path in (text, table):
        with pytest.raises(ReadError, match="is no index of profiles") as caught:
            load_index(path)
        assert caught.value.path == path
    with pytest.raises(ReadError, match="is not there"):
        load_index(tmp_path / "none.npz")
    with pytest.raises(ReadError, match="is a folder"):
        load_index(tmp_path)


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_told(data, tmp_path_factory) -> None:
    path = saved(tmp_path_factory.mktemp("index"))
    whole = path.read_bytes()
    if data.draw(st.booleans(), label="cut"):
        damaged = whole[: data.draw(st.integers(4, len(whole) - 1), label="length")]
    else:
        position = data.draw(st.integers(0, len(whole) - 1), label="position")
        changed = whole[position] ^ data.draw(st.integers(1, 255), label="bits")
        damaged = whole[:position] + bytes([changed]) + whole[position + 1 :]
    path.write_bytes(damaged)
    index = None
    with contextlib.suppress(ReadError):
        index = load_index(path)
    if index is not None:
        # Some bytes of an archive mean nothing, such as the time of a member.
        reference = drawn(30).with_column("epoch", ["2024", None] * 15)
        assert neighbours_of(index, drawn(12, tag="q"), 3) == neighbours_of(
            build_index(reference, metric="pearson"), drawn(12, tag="q"), 3
        )


def rewritten(path, change) -> None:
    """Change the header of an index, and its digest with it."""
    with np.load(path) as archive:
        arrays = dict(archive)
    header = json.loads(arrays["header"].tobytes())
    change(header, arrays)
    text = json.dumps(header).encode()
    arrays["header"] = np.frombuffer(text, dtype=np.uint8)
    arrays["header_sha256"] = np.frombuffer(hashlib.sha256(text).digest(), dtype=np.uint8)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, _: h.update(version=2), "format version 2"),
        (lambda h, _: h.update(format="other"), "is no index"),
        (lambda h, _: h.update(metric_digest="0"), "defined differently"),
        (lambda h, _: h["metric"].update(name="mine"), "register_metric"),
        (lambda h, _: h.update(segments=[31]), "damaged"),
        (lambda h, _: h.update(targets=h["targets"][:2]), "damaged"),
        (lambda h, a: a.pop("segment_0_values"), "lacks segment_0_values"),
        (lambda h, a: a.update(segment_0_values=a["segment_0_values"] + 1), "not what was written"),
    ],
)
def test_a_header_that_does_not_fit_is_told(tmp_path, change, message: str) -> None:
    path = saved(tmp_path)
    rewritten(path, change)
    with pytest.raises(ReadError, match=message):
        load_index(path)


def test_nothing_in_the_file_is_a_pickle(tmp_path) -> None:
    with zipfile.ZipFile(saved(tmp_path)) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                version = np.lib.format.read_magic(file)
                assert version == (1, 0)
                _, _, kind = np.lib.format.read_array_header_1_0(file)
                assert not kind.hasobject


# -- two that extend one index ---------------------------------------------------------------


def part(first: int, last: int) -> ProfileSet:
    values = np.random.default_rng(first).lognormal(0, 1, (last - first, 6))
    ids = [f"p{k:03d}" for k in range(first, last)]
    return ProfileSet(values, [f"T{k}" for k in range(6)], ids)


def test_of_two_that_extend_one_index_the_second_is_told(tmp_path: Path) -> None:
    path = build_index(part(0, 20)).save(tmp_path / "index.npz")
    one, other = load_index(path), load_index(path)
    one.extend(part(20, 30)).save(path)
    with pytest.raises(OutputError, match="another process has extended or replaced it"):
        other.extend(part(30, 40)).save(path)
    assert len(load_index(path)) == 30
    other.extend(part(30, 40)).save(tmp_path / "elsewhere.npz")
    again = load_index(path).extend(part(30, 40))
    again.save(path)
    # What it wrote itself it may replace.
    again.extend(part(40, 50)).save(path)
    assert len(load_index(path)) == 50
    assert not list(tmp_path.glob(".*"))


def test_a_branch_of_an_index_does_not_replace_its_sibling(tmp_path: Path) -> None:
    index = build_index(part(0, 20))
    path = index.save(tmp_path / "index.npz")
    left, right = index.extend(part(20, 30)), index.extend(part(30, 40))
    left.save(path)
    with pytest.raises(OutputError, match="would be lost"):
        right.save(path)


def test_a_new_index_takes_the_place_of_any(tmp_path: Path) -> None:
    path = build_index(part(0, 20)).save(tmp_path / "index.npz")
    build_index(part(0, 10)).save(path)
    assert len(load_index(path)) == 10
