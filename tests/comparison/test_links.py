"""Links: the pairs that meet a threshold, in order, with what chance alone would make."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse.csgraph import connected_components

from drugsig import ProfileSet, compare
from drugsig.comparison import Comparison, Links, get_metric
from drugsig.errors import ComparisonError, ThresholdError


def on_a_line(positions) -> ProfileSet:
    """Profiles whose Manhattan distance is their distance on a line."""
    return ProfileSet(
        np.asarray(positions, dtype=float)[:, None], ["A"], [f"p{k}" for k in range(len(positions))]
    )


def from_matrix(scores: np.ndarray, *, metric: str = "euclidean") -> Comparison:
    """A comparison with these scores, for what only looks at scores."""
    n = len(scores)
    ids, cells = tuple(f"p{k}" for k in range(n)), np.ones((n, 5), dtype=bool)
    return Comparison(
        scores=scores, row_ids=ids, column_ids=ids, metric=get_metric(metric), symmetric=True,
        min_measured=1, row_measured=cells, column_measured=cells, row_detected=cells,
        column_detected=cells, row_digest="", column_digest="",
    )  # fmt: skip


def test_the_most_alike_come_first_and_ties_in_the_order_of_the_profiles() -> None:
    links = compare(on_a_line([0, 1, 2, 2.5, 9]), metric="manhattan").links(1.0)
    assert links.scores.tolist() == [0.5, 1.0, 1.0]
    assert links.rows.tolist() == [2, 0, 1]
    assert links.columns.tolist() == [3, 1, 2]
    frame = links.to_frame()
    assert frame["questioned"].tolist() == ["p2", "p0", "p1"]
    assert frame["reference"].tolist() == ["p3", "p1", "p2"]


def test_similarities_come_in_falling_order() -> None:
    values = np.random.default_rng(0).random((8, 6))
    s = ProfileSet(values, list("ABCDEF"), [f"p{k}" for k in range(8)])
    links = compare(s, metric="pearson").links(0.0)
    assert len(links) > 2
    assert (np.diff(links.scores) <= 0).all()
    assert links.scores.min() >= 0.0


symmetric = hnp.arrays(
    float, st.integers(1, 9).map(lambda n: (n, n)), elements=st.integers(0, 4) | st.just(np.nan)
).map(lambda x: np.fmin(x, x.T))


@given(symmetric, st.integers(0, 4), st.sampled_from(["euclidean", "squared_cosine"]))
def test_links_and_components_are_those_of_a_slow_search(scores, threshold, metric) -> None:
    comparison = from_matrix(scores, metric=metric)
    links = comparison.links(threshold)
    n = len(scores)
    similar = comparison.metric.is_similarity

    def joined(score: float) -> bool:
        return score >= threshold if similar else score <= threshold

    expected = {(i, j) for i in range(n) for j in range(i + 1, n) if joined(scores[i, j])}
    assert set(zip(links.rows.tolist(), links.columns.tolist(), strict=True)) == expected
    assert len(links) == len(expected)
    keys = [
        (-s if similar else s, r, c)
        for s, r, c in zip(links.scores, links.rows, links.columns, strict=True)
    ]
    assert keys == sorted(keys)
    graph = np.zeros((n, n))
    for i, j in expected:
        graph[i, j] = 1
    _, labels = connected_components(graph, directed=False)
    same = labels[:, None] == labels[None, :]
    np.testing.assert_array_equal(links.components[:, None] == links.components[None, :], same)


def test_links_between_two_sets_have_no_components() -> None:
    links = compare(on_a_line([0, 1]), on_a_line([1, 5]), metric="manhattan").links(1.0)
    assert links.to_frame()["score"].tolist() == [0.0, 1.0]
    with pytest.raises(ComparisonError, match="links within one set"):
        _ = links.components


# -- what chance makes ---------------------------------------------------------------------------


def test_chance_links_are_the_rate_times_the_pairs_that_have_a_score() -> None:
    scores = np.array([[0, 1, np.nan], [1, 0, 5], [np.nan, 5, 0.0]])
    comparison = from_matrix(scores)
    links = comparison.links(2.0, false_positive_rate=0.025)
    assert links.comparisons == 3
    assert links.undefined == 1
    assert links.expected_chance_links == 0.05
    assert comparison.links(2.0).expected_chance_links is None


def test_a_million_profiles_make_ten_thousand_million_chance_links() -> None:
    empty = np.empty(0, dtype=np.intp)
    links = Links(
        rows=empty, columns=empty, scores=np.empty(0), measured=empty, detected=empty,
        row_ids=(), column_ids=(), metric=get_metric("euclidean"), threshold=1.0,
        comparisons=10**6 * (10**6 - 1) // 2, undefined=0, symmetric=True,
        min_measured=1, false_positive_rate=0.025,
    )  # fmt: skip
    assert links.expected_chance_links == pytest.approx(1.25e10, rel=1e-5)


@pytest.mark.parametrize("rate", [-0.1, 1.1, 2.5, np.nan])
def test_a_rate_is_a_share(rate: float) -> None:
    with pytest.raises(ThresholdError, match=r"2.5 % is 0.025"):
        compare(on_a_line([0, 1]), metric="manhattan").links(1.0, false_positive_rate=rate)


# -- what a link rests on --------------------------------------------------------------------------


def test_a_link_that_rests_on_few_detected_targets_is_marked() -> None:
    values = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]])
    s = ProfileSet(np.vstack([values, values[2]]), list("ABCD"), ["a", "b", "c", "d"])
    links = compare(s, metric="manhattan").links(0.0)
    frame = links.to_frame().set_index(["questioned", "reference"])
    assert frame.loc[("a", "b"), "detected_in_both"] == 2
    assert frame.loc[("a", "b"), "few_detected"]
    assert frame.loc[("c", "d"), "detected_in_both"] == 3
    assert not frame.loc[("c", "d"), "few_detected"]
    assert (frame["measured_in_both"] == 4).all()


def test_links_are_read_only_and_equal_by_content() -> None:
    comparison = compare(on_a_line([0, 1, 2]), metric="manhattan")
    links = comparison.links(1.0)
    again = pickle.loads(pickle.dumps(links))  # noqa: S301
    assert again == links
    with pytest.raises(ValueError, match="read-only"):
        again.scores[0] = 9.0
    assert links != comparison.links(2.0)
    assert links != comparison.links(1.0, false_positive_rate=0.1)
    with pytest.raises(TypeError):
        hash(links)


def test_how_they_show_themselves() -> None:
    s = ProfileSet([[1.0], [1.0]], ["A"], ["<i>", "&"])
    comparison = compare(s, metric="manhattan")
    assert repr(comparison.links(0.5)) == (
        "<Links: 1 of 1 pairs with manhattan <= 0.5; chance links unknown: threshold not validated>"
    )
    assert "about 0.025 expected by chance" in repr(comparison.links(1, false_positive_rate=0.025))
    page = comparison.links(0.5)._repr_html_()
    assert "&lt;i&gt;" in page
    assert "<i>" not in page
