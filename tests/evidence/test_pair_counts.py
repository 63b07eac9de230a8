"""Pairs counted from labels are the pairs that are formed one by one."""

import numpy as np
import pandas as pd
import pytest

from drugsig import ProfileSet
from drugsig.comparison.dense import compared
from drugsig.comparison.metrics import get_metric
from drugsig.comparison.undefined_pairs import ListedScores, UndefinedPairs
from drugsig.errors import PopulationError
from drugsig.evidence.conditions import CompoundCondition, GroupSize, PairCondition
from drugsig.evidence.pair_counts import PairCounts, StratumCounts
from drugsig.evidence.pairs import find_pairs, stratum_pairs
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.resampling import disjoint_pairs, drawn_pairs, source_weights

BATCH = PairCondition(same=("batch_id",))
OTHER = PairCondition(different=("batch_id",))
ROUTED = PairCondition(different=("batch_id", "route"))
SMALL = PairCondition(different=("batch_id",), group_size=GroupSize("batch_id", 1, 3))

RULES = {
    "batch": PopulationRule("r", BATCH, OTHER, ("batch_id",)),
    "no-specimen": PopulationRule("r", BATCH, OTHER, ("batch_id",), specimen="profile_id"),
    "one-sequence": PopulationRule("r", BATCH, OTHER, ("batch_id",), same_sequence=True),
    "routed": PopulationRule("r", BATCH, ROUTED, ("batch_id",), strata=("route",)),
    "small": PopulationRule(
        "r", PairCondition(same=("batch_id",), group_size=GroupSize("batch_id", 2, 9)), SMALL,
        ("batch_id",), exclude={"route": ("x",)}, strata=("route", "place"),
    ),
    "compound": PopulationRule(
        "r", CompoundCondition("all", (BATCH, CompoundCondition("not", (
            PairCondition(different=("place",)),)))),
        CompoundCondition("any", (ROUTED, PairCondition(different=("batch_id", "place")))),
        ("batch_id",),
    ),
    "two-columns": PopulationRule(
        "r", PairCondition(same=("batch_id", "route")), PairCondition(different=("batch_id",)),
        ("batch_id", "route"),
    ),
}  # fmt: skip


def profiles_of(seed: int, n: int = 60, *, gaps: float = 0.0, empty: int = 0) -> ProfileSet:
    rng = np.random.default_rng(seed)
    values = rng.lognormal(size=(n, 6)).round(1)
    values[rng.random((n, 6)) < 0.2] = 0.0
    values[:empty] = 1.0
    values[empty : 2 * empty] = 0.0
    values[rng.random((n, 6)) < gaps] = np.nan
    values[1 + rng.integers(n - 1), 1:] = np.nan if gaps else 1.0

    def texts(many: int, nothing: float) -> list[str | None]:
        return [
            None if rng.random() < nothing else f"{chr(120 + int(rng.integers(many)) % 3)}"
            if many <= 3 else f"b{rng.integers(many)}"
            for _ in range(n)
        ]  # fmt: skip

    # One text a batch where a column must agree with it.
    batch = texts(15, 0.4)
    table = {
        "profile_id": [f"p{k:03d}" for k in rng.permutation(n)],
        "batch_id": batch,
        "route": [None if b is None or b == "b3" else "xyz"[int(b[1:]) % 3] for b in batch],
        "place": texts(3, 0.2),
        "specimen_id": texts(40, 0.3),
        "sequence_id": texts(3, 0.2),
        "seizure_id": texts(12, 0.1),
    }

    return ProfileSet(values, [f"T{k}" for k in range(6)], pd.DataFrame(table))


def counted(profiles: ProfileSet, rule: PopulationRule, metric: str) -> PairCounts:
    counts = PairCounts(profiles, rule)
    listed = ListedScores(profiles, get_metric(metric), 2)
    counts.with_scores(UndefinedPairs.of(listed, counts.used))
    return counts


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(
    ("metric", "gaps", "empty"),
    [("pearson_distance", 0.0, 0), ("pearson_distance", 0.0, 4), ("cosine", 0.4, 3),
     ("canberra", 0.4, 3), ("manhattan", 0.0, 3)],
)  # fmt: skip
@pytest.mark.parametrize("seed", [1, 2])
def test_counts_are_those_of_pairs_formed_one_by_one(
    name: str, metric: str, gaps: float, empty: int, seed: int
) -> None:
    rule = RULES[name]
    profiles = profiles_of(seed, gaps=gaps, empty=empty)
    known = find_pairs(profiles, rule)
    comparison = compared(profiles, metric=metric, min_measured=2)
    scores = comparison.scores[known.first, known.second]
    there = ~np.isnan(scores)
    apart = there & ~known.linked
    counts = counted(profiles, rule, metric)

    assert counts.n_undecided == known.n_undecided
    assert counts.n_same_specimen == known.n_same_specimen
    assert counts.n_same_sequence == known.n_same_sequence
    assert counts.n_unlinked == apart.sum() > 0
    assert counts.n_undefined == (~there).sum()
    assert counts.left_out == known.left_out
    rows, columns = counts.linked_pairs()
    np.testing.assert_array_equal(rows, known.first[known.linked])
    np.testing.assert_array_equal(columns, known.second[known.linked])

    first, second = known.first[apart], known.second[apart]
    n = len(profiles)
    partners = np.bincount(first, minlength=n) + np.bincount(second, minlength=n)
    np.testing.assert_array_equal(counts.partners, partners)
    labels = np.random.default_rng(seed).integers(4, size=n)
    inside = labels[first] == labels[second]
    assert counts.n_unlinked_within(labels) == inside.sum()
    reached = np.zeros(n, dtype=bool)
    reached[first[inside]] = reached[second[inside]] = True
    np.testing.assert_array_equal(counts.apart_within(labels), reached)

    a, b = known.source[first], known.source[second]
    weights = source_weights(len(known.sources), 50, np.random.default_rng(3))
    numbers = np.arange(len(known.sources))
    np.testing.assert_array_equal(counts.weighted(weights, numbers), drawn_pairs(a, b, weights))
    edges = {(min(x, y), max(x, y)) for x, y in zip(a, b, strict=True)}
    found = counts.source_graph()
    assert set(zip(*(side.tolist() for side in found), strict=True)) == edges
    if counts.every_source_meets_half():
        assert disjoint_pairs(a, b) == max(1, len(np.union1d(a, b)) // 2)
    every = counts.draw(10**6, np.random.default_rng(1))
    assert set(zip(*every, strict=True)) == set(zip(first, second, strict=True))
    drawn = counts.draw(20, np.random.default_rng(1))
    assert len(drawn[0]) == 20
    assert set(zip(*drawn, strict=True)) <= set(zip(first, second, strict=True))


@pytest.mark.parametrize("name", ["routed", "small"])
@pytest.mark.parametrize("gaps", [0.0, 0.4])
def test_strata_are_counted_as_formed(name: str, gaps: float) -> None:
    rule, profiles = RULES[name], profiles_of(5, gaps=gaps, empty=3)
    comparison = compared(profiles, metric="cosine", min_measured=2)
    formed = stratum_pairs(comparison, profiles, rule)
    counts = StratumCounts(profiles, rule)
    listed = ListedScores(profiles, get_metric("cosine"), 2)
    numbers = counts.numbers(UndefinedPairs.of(listed, counts.used))
    found = {label: int(k) for label, k in zip(counts.labels, numbers, strict=True) if k}
    assert found == {label: len(scores) for label, scores in formed.items()}
    rows, columns = comparison.pair_index()
    inside = counts.inside(rows, columns)
    defined = ~np.isnan(comparison.scores[rows, columns])
    assert (inside & defined).sum() == sum(len(scores) for scores in formed.values())


def test_a_contradiction_is_refused_by_name() -> None:
    wrong = PopulationRule("wrong", BATCH, PairCondition(same=("batch_id",)), ("batch_id",))
    with pytest.raises(PopulationError, match="both linked and unlinked"):
        PairCounts(profiles_of(1), wrong)


def test_the_pairs_of_many_profiles_are_counted_without_forming_them() -> None:
    n = 200_000
    rng = np.random.default_rng(0)

    table = pd.DataFrame(
        {"profile_id": [f"{k:06d}" for k in range(n)], "batch_id": rng.integers(0, 9000, n)}
    ).astype("str")
    counts = PairCounts(ProfileSet(np.ones((n, 1)), ["A"], table), RULES["no-specimen"])
    sizes = np.bincount(np.unique(table["batch_id"], return_inverse=True)[1])
    assert counts.n_unlinked == n * (n - 1) // 2 - int((sizes * (sizes - 1) // 2).sum())
