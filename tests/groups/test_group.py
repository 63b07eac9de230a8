"""Groups: the cut tree against scipy, the components of the links beside it, and the warnings."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.cluster.hierarchy import cophenet, fcluster, linkage
from scipy.spatial.distance import squareform

from drugsig import Groups, ProfileSet, compare, group
from drugsig.errors import (
    ChainingWarning,
    DrugsigWarning,
    GroupingError,
    ThresholdError,
    UndefinedScoreWarning,
    UnknownNameError,
)
from drugsig.groups import LINKAGES, PartitionRates
from drugsig.groups.groups import group_name
from tests.evidence.cases import sample_of
from tests.groups.cases import comparison_of, on_a_line


def grouped(comparison, **options) -> Groups:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return group(comparison, **options)


def sets(labels) -> set[frozenset[int]]:
    """Return the partition, whatever its parts are called."""
    return {frozenset(np.flatnonzero(labels == x).tolist()) for x in np.unique(labels)}


# Whole numbers, so that ties abound.
tied = hnp.arrays(float, st.integers(1, 9).map(lambda n: (n, n)), elements=st.integers(0, 6)).map(
    lambda x: np.minimum(x, x.T) * (1 - np.eye(len(x)))
)


@pytest.mark.parametrize("method", LINKAGES)
@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.5, 2.0])
def test_groups_are_those_of_scipy(method, threshold: float) -> None:
    rng = np.random.default_rng(4)
    s = ProfileSet(rng.random((25, 3)), list("ABC"), [f"p{k:02d}" for k in range(25)])
    comparison = compare(s, metric="euclidean")
    found = grouped(comparison, threshold=threshold, linkage=method)
    tree = linkage(squareform(comparison.scores, checks=False), method)
    assert sets(found.labels) == sets(fcluster(tree, threshold, criterion="distance"))
    np.testing.assert_array_equal(found.tree, tree)
    assert found.cophenetic_correlation == pytest.approx(
        cophenet(tree, squareform(comparison.scores, checks=False))[0], rel=1e-12
    )


def test_similarities_are_grouped_as_their_distances() -> None:
    s = ProfileSet(np.random.default_rng(0).random((12, 7)), list("ABCDEFG"),
                   [f"p{k:02d}" for k in range(12)])  # fmt: skip
    by_similarity = grouped(compare(s, metric="pearson"), threshold=0.5)
    by_distance = grouped(compare(s, metric="pearson_distance"), threshold=0.5)
    assert sets(by_similarity.labels) == sets(by_distance.labels)
    assert 1 < len(by_distance) < 12


@given(tied, st.integers(0, 6))
def test_single_linkage_is_the_components_of_the_links(scores, threshold) -> None:
    found = grouped(comparison_of(scores), threshold=threshold, linkage="single")
    np.testing.assert_array_equal(found.labels, found.components)
    assert not found.chained
    assert found.chaining_note == ""


@given(tied, st.integers(0, 6), st.sampled_from(LINKAGES), st.randoms(use_true_random=False))
def test_the_order_of_profiles_does_not_count_even_with_ties(
    scores, threshold, method, random
) -> None:
    n = len(scores)
    order = list(range(n))
    random.shuffle(order)
    ids = [f"p{k}" for k in range(n)]
    plain = grouped(comparison_of(scores, ids=ids), threshold=threshold, linkage=method)
    shuffled = grouped(
        comparison_of(scores[np.ix_(order, order)], ids=[ids[k] for k in order]),
        threshold=threshold,
        linkage=method,
    )
    np.testing.assert_array_equal(shuffled.labels, plain.labels[order])
    np.testing.assert_array_equal(shuffled.components, plain.components[order])
    np.testing.assert_array_equal(shuffled.tree, plain.tree)
    assert shuffled.cophenetic_correlation == plain.cophenetic_correlation
    leaves = [shuffled.ids[k] for k in shuffled.tree_members]
    assert leaves == [plain.ids[k] for k in plain.tree_members] == sorted(ids)


@given(tied, st.integers(0, 6))
def test_a_group_never_reaches_beyond_its_component(scores, threshold) -> None:
    """Average linkage joins nothing that no link joins: an average is no less than the least."""
    found = grouped(comparison_of(scores), threshold=threshold)
    for part in sets(found.labels):
        assert len(set(found.components[list(part)])) == 1


@pytest.mark.parametrize("method", LINKAGES)
def test_scores_that_all_equal_the_threshold_make_one_group(method: str) -> None:
    """The average of equal numbers is not always that number in float64."""
    for score in np.random.default_rng(0).random(20):
        scores = score * (1 - np.eye(11))
        assert len(grouped(comparison_of(scores), threshold=score, linkage=method)) == 1
        below = score * (1 - 1e-9)
        assert len(grouped(comparison_of(scores), threshold=below, linkage=method)) == 11


def test_the_tree_is_over_its_members() -> None:
    comparison = on_a_line([5.0, 0.0, 9.0, 0.5], ids=["d", "a", "b", "c"])
    found = grouped(comparison, threshold=1.0)
    assert found.tree_members.tolist() == [1, 2, 3, 0]
    first = [found.ids[found.tree_members[int(k)]] for k in found.tree[0, :2]]
    assert set(first) == {"a", "c"}


def test_groups_are_numbered_by_size_then_by_first_id() -> None:
    places = [10, 0, 0.1, 20, 20.1, 5, 20.2]
    found = grouped(on_a_line(places, ids=list("gfedcba")), threshold=1.0)
    assert found.labels.tolist() == [4, 2, 2, 1, 1, 3, 1]
    assert found.sizes.tolist() == [3, 2, 1, 1]
    assert found.members(1) == ("d", "c", "a")
    frame = found.to_frame()
    assert frame["group"].tolist() == ["G004", "G002", "G002", "G001", "G001", "G003", "G001"]
    assert frame["group_size"].tolist() == [1, 2, 2, 3, 3, 1, 3]
    assert group_name(1234) == "G1234"
    for bad in (0, 5):
        with pytest.raises(UnknownNameError, match="unknown group"):
            found.members(bad)


# -- chaining --------------------------------------------------------------------------------------


def test_a_chain_is_one_component_but_not_one_group() -> None:
    comparison = on_a_line(np.arange(8.0))
    with pytest.warns(ChainingWarning, match="the links chained together give 1, the largest with "
                      "8 of 8") as caught:  # fmt: skip
        found = group(comparison, threshold=1.0)
    assert [w.filename for w in caught] == [__file__]
    assert found.chained
    assert found.n_components == 1
    assert found.largest_component == 8
    assert len(found) == 4


def test_where_both_agree_nothing_is_said() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = group(on_a_line([0, 0.1, 5, 5.1, 9]), threshold=1.0)
    assert not found.chained
    assert sets(found.labels) == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4})}


# -- refusals and gaps -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["ward", "centroid", "median"])
def test_a_linkage_off_the_scale_of_scores_is_refused(method: str) -> None:
    with pytest.raises(GroupingError, match=f"{method} linkage cannot be cut at a score"):
        group(on_a_line([0, 1]), threshold=1.0, linkage=method)


def test_other_refusals() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'average'"):
        group(on_a_line([0, 1]), threshold=1.0, linkage="averge")
    with pytest.raises(ThresholdError, match="outside the range"):
        group(on_a_line([0, 1]), threshold=-1.0)
    s = ProfileSet([[1.0], [2.0]], ["A"], ["1", "2"])
    with pytest.raises(GroupingError, match="between two sets"):
        group(compare(s, s, metric="euclidean"), threshold=1.0)


def test_a_profile_without_any_score_stands_alone() -> None:
    values = np.vstack([np.ones(5), np.random.default_rng(0).random((3, 5))])
    s = ProfileSet(values, list("ABCDE"), ["flat", "x", "y", "z"])
    with pytest.warns(UndefinedScoreWarning):
        comparison = compare(s)
    found = grouped(comparison, threshold=2.0)
    assert found.undefined_ids == ("flat",)
    assert sets(found.labels) == sets(found.components) == {frozenset({0}), frozenset({1, 2, 3})}
    assert found.tree_members.tolist() == [1, 2, 3]


def test_a_score_missing_inside_is_refused_with_names() -> None:
    scores = np.ones((4, 4))
    scores[0, 1] = scores[1, 0] = scores[0, 2] = scores[2, 0] = np.nan
    with pytest.raises(GroupingError, match=r"2 pair\(s\) have no score.*involve 'p0', 'p1', 'p2'"):
        group(comparison_of(scores), threshold=1.0)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_profiles_are_grouped_too(n: int) -> None:
    found = grouped(on_a_line(np.zeros(n)), threshold=1.0)
    assert len(found) == min(n, 1)
    assert found.cophenetic_correlation is None
    assert found.largest_component == n
    assert repr(found).startswith(f"<Groups: {n} profiles")


@pytest.mark.parametrize("scores", [np.ones((4, 4)), [[0, 1, 2], [1, 0, 1], [2, 1, 0]]])
def test_a_flat_tree_has_no_cophenetic_correlation(scores) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = group(comparison_of(scores), threshold=2.0, linkage="single")
    assert found.cophenetic_correlation is None


# -- rates of the partition ------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), min_size=1, max_size=12
    ),
)
def test_rates_of_the_partition_are_counted_on_pairs(places, pairs) -> None:
    found = grouped(on_a_line(np.array(places) * 10.0), threshold=1.0)
    pairs = [*pairs, (0, 1, True), (2, 3, False)]
    ordered = sorted(pairs, key=lambda pair: not pair[2])
    sample = replace(
        sample_of(
            [(0.0, 0)] * sum(x for *_, x in pairs), [(1.0, 0, 1)] * sum(not x for *_, x in pairs)
        ),
        first=np.array([i for i, _, _ in ordered], dtype=np.int32),
        second=np.array([j for _, j, _ in ordered], dtype=np.int32),
    )

    def together(linked: bool) -> float:
        chosen = [places[i] == places[j] for i, j, x in pairs if x == linked]
        return sum(chosen) / len(chosen)

    rates = found.partition_rates(sample)
    assert rates == PartitionRates(
        together(True), together(False), sample.n_linked, sample.n_unlinked
    )
    assert found.component_rates(sample) == rates


def test_a_sample_of_more_profiles_is_refused() -> None:
    sample = sample_of([(0.0, 0)], [(1.0, 0, 1)] * 9)
    with pytest.raises(GroupingError, match="more than the 2 profiles"):
        grouped(on_a_line([0, 1]), threshold=1.0).partition_rates(sample)


# -- the object ----------


def test_groups_are_read_only_and_equal_by_content() -> None:
    found = grouped(on_a_line([0, 0.1, 5]), threshold=1.0)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert again == found
    assert found != grouped(on_a_line([0, 0.1, 5]), threshold=2.0)
    for name in ("labels", "components", "tree", "tree_members"):
        assert not getattr(again, name).flags.writeable
    with pytest.raises(TypeError):
        hash(found)


def test_how_they_show_themselves() -> None:
    found = grouped(on_a_line([0, 0.1, 5], ids=["<b>", "x", "&"]), threshold=1.0)
    assert repr(found) == (
        "<Groups: 3 profiles in 1 groups and 1 alone, average linkage, euclidean <= 1; "
        "2 components of links>"
    )
    page = found._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_a_profile_has_the_number_of_its_group() -> None:
    groups = group(on_a_line([0, 1, 9]), threshold=1.0)
    assert {name: groups[name] for name in groups.ids} == dict(
        zip(groups.ids, groups.labels.tolist(), strict=True)
    )
    assert groups.ids[2] in groups.members(groups[groups.ids[2]])
    assert groups.ids[0] in groups
    assert "nobody" not in groups
    with pytest.raises(KeyError, match="unknown profile 'nobody'"):
        groups["nobody"]
    with pytest.raises(TypeError):
        iter(groups)  # type: ignore[call-overload]
