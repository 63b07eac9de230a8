"""How the largest component grows with the threshold, against components found one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drugsig import ProfileSet, compare
from drugsig.errors import GroupingError
from drugsig.groups import breaking_threshold, component_growth
from tests.groups.cases import comparison_of, on_a_line

tied = hnp.arrays(float, st.integers(1, 9).map(lambda n: (n, n)), elements=st.integers(0, 6)).map(
    lambda x: np.minimum(x, x.T) * (1 - np.eye(len(x)))
)


def sizes_at(comparison, threshold: float) -> np.ndarray:
    """The sizes of the components of the links at a threshold, by walking from each profile."""
    linked = comparison.metric.meets(comparison.scores, threshold)
    n = len(linked)
    left, out = set(range(n)), []
    while left:
        reached, edge = set(), {min(left)}
        while edge:
            reached |= edge
            edge = {j for i in edge for j in range(n) if linked[i, j]} - reached
        left -= reached
        out.append(len(reached))
    return np.array(out)


@given(tied, st.integers(0, 6), st.booleans())
def test_every_stricter_threshold_is_told(distances, threshold: int, similar: bool) -> None:
    comparison = (
        comparison_of(1 - distances / 10, metric="pearson") if similar else comparison_of(distances)
    )
    limit = 1 - threshold / 10 if similar else float(threshold)
    links = comparison.links(limit)
    growth = component_growth(links)
    scores = np.unique(links.scores)[:: -1 if similar else 1]
    wanted, before = [], 1
    for score in scores:
        sizes = sizes_at(comparison, score)
        if sizes.max() > before:
            wanted.append((score, sizes.max(), len(sizes)))
        before = sizes.max()
    assert list(growth.itertuples(index=False, name=None)) == wanted


@given(tied, st.integers(0, 6), st.booleans(), st.integers(1, 8))
def test_the_most_permissive_threshold_is_found(
    distances, threshold: int, similar: bool, most: int
) -> None:
    comparison = (
        comparison_of(1 - distances / 7, metric="pearson") if similar else comparison_of(distances)
    )
    links = comparison.links(1 - threshold / 7 if similar else float(threshold))
    found = breaking_threshold(links, most=most)
    scores = np.unique(links.scores)[:: -1 if similar else 1]
    fits = [s for s in scores if sizes_at(comparison, s).max() <= most]
    if found is None:
        assert not fits
        assert len(scores)
        return
    limit, largest = found
    assert sizes_at(comparison, limit).max(initial=1) == largest <= most
    if len(fits) == len(scores):
        assert limit == links.threshold
    else:
        # The same links as at the last score that fits, written as short as can be.
        np.testing.assert_array_equal(
            comparison.metric.meets(comparison.scores, limit),
            comparison.metric.meets(comparison.scores, fits[-1]),
        )
        assert len(repr(limit)) <= len(repr(float(fits[-1])))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_without_links_nothing_grows(n: int) -> None:
    links = on_a_line(np.arange(n) * 10.0).links(1.0)
    assert component_growth(links).shape == (0, 3)
    assert breaking_threshold(links, most=1) == (1.0, 1)


def test_identical_profiles_are_joined_first() -> None:
    growth = component_growth(on_a_line([0, 0, 0, 1, 3]).links(2.0))
    assert growth.to_dict("list") == {
        "threshold": [0.0, 1.0, 2.0], "largest": [3, 4, 5], "components": [3, 2, 1],
    }  # fmt: skip


def test_links_between_two_sets_have_no_components() -> None:
    s = ProfileSet([[1.0], [2.0]], ["A"], ["1", "2"])
    with pytest.raises(GroupingError, match="between two sets"):
        component_growth(compare(s, s, metric="euclidean").links(1.0))
