"""Where scores tie, the tree that is drawn has the groups that are reported."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import squareform

from drugsig.groups import LINKAGES
from drugsig.groups.agreeing import agreeing_tree, cut_by_component
from drugsig.groups.cutting import cut_tree, grown_tree
from tests.groups.cases import comparison_of
from tests.groups.test_group import grouped, sets, tied


@given(tied, st.integers(0, 6), st.sampled_from(LINKAGES))
def test_the_cut_of_the_tree_gives_the_groups(scores, threshold: int, method: str) -> None:
    found = grouped(comparison_of(scores), threshold=threshold, linkage=method)
    if len(scores) > 1:
        at_cut = cut_tree(found.tree, cut=float(threshold))
        assert sets(at_cut) == sets(found.labels[found.tree_members])
        assert (np.diff(found.tree[:, 2]) >= 0).all()


def heights_by_hand(distance, method: str) -> list[float]:
    """The heights of all merges: every distance looked at, every time."""
    n = len(distance)
    clusters = {k: ([k], {k: 1.0}) for k in range(n)}
    out = []

    def apart(a, b) -> float:
        (one, weights_a), (other, weights_b) = a, b
        all_pairs = [distance[i, j] for i in one for j in other]
        if method == "single":
            return min(all_pairs)
        if method == "complete":
            return max(all_pairs)
        if method == "average":
            return float(np.mean(all_pairs))
        return sum(weights_a[i] * weights_b[j] * distance[i, j] for i in one for j in other)

    while len(clusters) > 1:
        keys = sorted(clusters)
        height, a, b = min(
            (apart(clusters[i], clusters[j]), i, j) for i in keys for j in keys if i < j
        )
        (one, weights_a), (other, weights_b) = clusters.pop(a), clusters.pop(b)
        weights = {k: w / 2 for k, w in (weights_a | weights_b).items()}
        clusters[a] = (one + other, weights)
        out.append(height)
    return out


@pytest.mark.parametrize("method", LINKAGES)
def test_an_agreeing_tree_has_the_heights_of_the_linkage(method: str) -> None:
    """Without ties there is one tree: made anew from its groups it is the same."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        distance = squareform(rng.random(12 * 11 // 2))
        upper = squareform(distance)
        cut = float(np.quantile(upper, rng.uniform(0.02, 0.3)))
        reach = squareform(upper <= cut) | np.eye(12, dtype=bool)
        for _ in range(4):
            reach = (reach.astype(int) @ reach.astype(int)) > 0
        components = reach.argmax(axis=1)
        labels, _ = cut_by_component(distance, components, cut=cut, method=method)
        tree = agreeing_tree(distance, components, labels, cut=cut, method=method)
        plain = grown_tree(upper, method=method)
        np.testing.assert_allclose(tree[:, 2], plain[:, 2], rtol=1e-11)
        np.testing.assert_array_equal(tree[:, 3], plain[:, 3])
        np.testing.assert_allclose(tree[:, 2], heights_by_hand(distance, method), rtol=1e-11)
        assert sets(cut_tree(tree, cut=cut)) == sets(labels)


@pytest.mark.parametrize("method", ["average", "complete", "weighted"])
def test_a_tie_that_a_far_profile_would_break_otherwise(method: str) -> None:
    """scipy's tree over all four joins b and c, since it comes to c first, from the far one."""
    places = np.array([-1.4, 2.0, 1.0, 0.0])
    distance = np.abs(places[:, None] - places[None, :])
    plain = grown_tree(squareform(distance), method=method)
    assert sets(cut_tree(plain, cut=1.0)) == {frozenset({0}), frozenset({1}), frozenset({2, 3})}
    found = grouped(comparison_of(distance, ids=["Z", "a", "b", "c"]), threshold=1.0,
                    linkage=method)  # fmt: skip
    assert sets(found.labels) == {frozenset({0}), frozenset({1, 2}), frozenset({3})}
    assert sets(cut_tree(found.tree, cut=1.0)) == sets(found.labels)
    wanted = {"average": [1.0, 1.4, 2.2], "complete": [1.0, 1.4, 3.4], "weighted": [1.0, 1.4, 2.2]}
    np.testing.assert_allclose(found.tree[:, 2], wanted[method], rtol=1e-11)
