"""Analyses whose profiles have no scores: what is said of why."""

from __future__ import annotations

import numpy as np
import pytest

from drugsig import PopulationRule, ProfileSet, Status, analyse_profiles, compare, pair_sample
from drugsig.errors import PopulationError, UndefinedScoreWarning

RULE = PopulationRule.from_data(
    {
        "name": "known batches",
        "source": ["batch_id"],
        "source_level": "production batch",
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
    }
)
each_way = pytest.mark.parametrize("matrices", ["dense", "sparse"])


def profiles(values: np.ndarray, *, a_batch: int = 2, gaps: bool = False) -> ProfileSet:
    n, p = values.shape
    status = np.full(values.shape, int(Status.DETECTED), dtype=np.uint8)
    if gaps:
        values = np.where(np.arange(p) > 0, np.nan, values)
        status[:, 1:] = int(Status.NOT_MEASURED)
    table = {
        "profile_id": [f"p{k:02d}" for k in range(n)],
        "batch_id": [f"b{k // a_batch:02d}" for k in range(n)],
    }
    return ProfileSet(values, [f"t{k}" for k in range(p)], table, status=status)


def refusal(of: ProfileSet, matrices: str) -> str:
    with pytest.raises(PopulationError) as raised:
        analyse_profiles(of, rule=RULE, metric="aitchison", matrices=matrices)
    return str(raised.value)


def lognormal() -> np.ndarray:
    return np.random.default_rng(1).lognormal(size=(40, 6))


@each_way
def test_zeros_are_counted_and_their_targets_named(matrices: str) -> None:
    values = lognormal()
    values[:38, 2] = 0.0
    values[38, 4] = 0.0
    said = refusal(profiles(values), matrices)
    assert "finds no linked pair with a score" in said
    assert (
        "39 of 40 profiles hold a value that metric 'aitchison' cannot use, in 't2', 't4'" in said
    )
    assert "clr(zeros=multiplicative)" in said


@each_way
def test_a_rule_that_finds_no_pair_is_blamed_whatever_the_zeros(matrices: str) -> None:
    values = lognormal()
    values[0, 2] = 0.0
    said = refusal(profiles(values, a_batch=1), matrices)
    assert "finds no linked pair (the same batch_id)" in said
    assert "cannot use" not in said


def test_gaps_are_not_told_as_zeros() -> None:
    of = profiles(lognormal(), gaps=True)
    with pytest.warns(UndefinedScoreWarning):
        comparison = compare(of, metric="aitchison")
    with pytest.raises(PopulationError, match="too few targets were measured in both") as raised:
        pair_sample(comparison, of, RULE)
    assert "cannot use" not in str(raised.value)
