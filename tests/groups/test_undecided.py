"""Profiles whose group should not be relied on: every reason by itself."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from drugsig import group
from drugsig.errors import ChainingWarning, GroupingError
from drugsig.groups.undecided import (
    DifferentSourcesInGroup,
    JoinedWithoutLink,
    LeftOutOfRule,
    LinksOnFewTargets,
    MostLinksOutside,
    find_undecided,
)
from tests.evidence.cases import sample_of
from tests.groups.cases import comparison_of, on_a_line


def both(comparison, *, threshold: float = 1.0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ChainingWarning)
        return group(comparison, threshold=threshold), comparison.links(threshold)


def test_clear_groups_and_single_profiles_leave_no_doubt() -> None:
    assert find_undecided(*both(on_a_line([0, 0.5, 9, 9.5, 30]))) == {}


def test_what_the_rule_left_out() -> None:
    found = find_undecided(
        *both(on_a_line([0, 0.5])), left_out={"p1": "note = aged", "elsewhere": "note = mixed"}
    )
    assert found == {"p1": (LeftOutOfRule("note = aged"),)}


def test_a_group_of_different_known_sources_is_undecided_as_a_whole() -> None:
    groups, links = both(on_a_line([0, 0.2, 0.4, 9, 9.5]))
    sample = replace(
        sample_of([(0.0, 0)], [(1.0, 0, 1), (1.0, 1, 0)]),
        first=np.array([0, 0, 3], dtype=np.int32),
        second=np.array([1, 2, 1], dtype=np.int32),
        source=np.array([0, 0, 1, 1, -1], dtype=np.int32),
        sources=("b1", "b2"),
    )
    found = find_undecided(groups, links, sample=sample)
    said = DifferentSourcesInGroup("G001", ("b1", "b2"))
    assert found == {"p0": (said,), "p1": (said,), "p2": (said,)}


def test_more_links_outside_than_inside() -> None:
    """A chain of five: 0-1 and 2-3 are close, 4 hangs on 3; average linkage cuts it in two."""
    groups, links = both(on_a_line([0, 0.8, 1.7, 1.75, 1.8]))
    assert groups.labels.tolist() == [2, 2, 1, 1, 1]
    found = find_undecided(groups, links)
    assert found == {"p1": (MostLinksOutside(outside=3, links=4),)}


def test_as_many_links_inside_as_outside_is_no_doubt() -> None:
    groups, links = both(on_a_line([0, 0.7, 1.7, 2.4]))
    assert groups.labels.tolist() == [1, 1, 2, 2]
    assert find_undecided(groups, links) == {}


def test_a_profile_that_joined_without_a_link() -> None:
    """Weighted linkage: p2 comes within the cut by the average, though it links to nobody."""
    scores = np.array([[0.0, 0.2, 0.9], [0.2, 0.0, 1.1], [0.9, 1.1, 0.0]])
    groups, links = both(comparison_of(scores))
    assert len(groups) == 1
    assert find_undecided(groups, links) == {}
    tighter = comparison_of(scores).links(0.5)
    assert find_undecided(groups, tighter) == {"p2": (JoinedWithoutLink(),)}


def test_links_that_rest_on_few_detected_targets() -> None:
    detected = np.zeros((3, 5), dtype=bool)
    detected[:2, :4] = True
    detected[2, :2] = True
    groups, links = both(on_a_line([0, 0.2, 0.4], detected=detected))
    assert find_undecided(groups, links) == {"p2": (LinksOnFewTargets(needed=3),)}


def test_reasons_add_up_in_a_fixed_order() -> None:
    detected = np.zeros((2, 5), dtype=bool)
    found = find_undecided(
        *both(on_a_line([0, 0.5], detected=detected)), left_out={"p0": "note = aged"}
    )
    assert found["p0"] == (
        LeftOutOfRule("note = aged"),
        LinksOnFewTargets(needed=3),
    )


def test_links_of_other_profiles_are_refused() -> None:
    groups, _ = both(on_a_line([0, 1]))
    other = on_a_line([0, 1], ids=["x", "y"]).links(1.0)
    with pytest.raises(GroupingError, match="not between the 2 profiles of these groups"):
        find_undecided(groups, other)
