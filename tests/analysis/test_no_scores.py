"""Analyses whose profiles have no scores: what is said of why."""

from __future__ import annotations

import numpy as np
import pytest

from drugsig import PopulationRule, ProfileSet, analyse_profiles
from drugsig.errors import PopulationError


@pytest.mark.parametrize("matrices", ["dense", "sparse"])
def test_zeros_are_named_where_they_leave_no_pair_with_a_score(matrices: str) -> None:
    rng = np.random.default_rng(1)
    values = rng.lognormal(size=(40, 6))
    values[:, 2] = 0.0
    table = {
        "profile_id": [f"p{k:02d}" for k in range(40)],
        "batch_id": [f"b{k // 2:02d}" for k in range(40)],
    }
    profiles = ProfileSet(values, [f"t{k}" for k in range(6)], table)
    rule = PopulationRule.from_data(
        {
            "name": "known batches",
            "source": ["batch_id"],
            "source_level": "production batch",
            "linked": {"same": ["batch_id"]},
            "unlinked": {"different": ["batch_id"]},
        }
    )
    with pytest.raises(PopulationError, match=r"with a score.*zero.*clr\(zeros=multiplicative\)"):
        analyse_profiles(profiles, rule=rule, metric="aitchison", matrices=matrices)
