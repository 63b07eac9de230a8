"""Cutting a tree gives the flat clusters that scipy's `fcluster` gives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster

from drugsig.groups import LINKAGES
from drugsig.groups.cutting import cut_tree, grown_tree


@pytest.mark.parametrize("method", LINKAGES)
def test_flat_clusters_are_those_of_scipy(method):
    rng = np.random.default_rng(20)
    for n in (2, 3, 5, 17, 40):
        for levels in (2, 6, 1_000_000):
            # Few levels make ties, also with the cut.
            upper = rng.integers(1, levels + 1, n * (n - 1) // 2).astype(float)
            tree = grown_tree(upper, method=method)
            for cut in (0.0, float(np.median(upper)), float(upper.max())):
                ours = cut_tree(tree, cut=cut)
                scipys = fcluster(tree, t=cut, criterion="distance")
                assert np.array_equal(ours[:, None] == ours, scipys[:, None] == scipys)
                assert set(ours) == set(range(1, ours.max() + 1))


def test_a_height_within_the_slack_of_the_cut_is_at_it():
    tree = grown_tree(np.array([1.0 + 1e-13, 3.0, 3.0]), method="average")
    assert cut_tree(tree, cut=1.0).max() == 3
    assert cut_tree(tree, cut=1.0, slack=1e-12).max() == 2
