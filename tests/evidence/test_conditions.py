"""Conditions put together: three-valued, named, and the same from data."""

from __future__ import annotations

import pickle
import tomllib

import numpy as np
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from drugsig import PopulationRule, pair_sample
from drugsig.errors import ConfigError, InputError, MetadataError, PopulationError, UnknownNameError
from drugsig.evidence.conditions import (
    CompoundCondition,
    Condition,
    GroupSize,
    PairCondition,
    codes_of,
    evaluate,
)
from drugsig.evidence.dependence import measure_dependence
from drugsig.evidence.pairs import known_pairs
from tests.evidence.cases import BATCHES, comparison_of, sample_of, with_metadata

COLUMNS = ("a", "b", "c")

cell = st.sampled_from(["x", "y", None])
rows = st.lists(st.tuples(cell, cell, cell), min_size=2, max_size=6)
names = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=2, unique=True).map(tuple)
leaves = st.one_of(
    names.map(lambda n: PairCondition(same=n)),
    names.map(lambda n: PairCondition(different=n)),
    st.builds(PairCondition, same=names, different=names, group_size=st.just(GroupSize("a", 1, 2))),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda c: ~c),
        st.tuples(inner, inner).map(lambda p: p[0] & p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] | p[1]),
    ),
    max_leaves=6,
)


def slowly(condition: Condition, table: list[tuple], i: int, j: int) -> bool | None:
    """One pair, one condition at a time; None is "unknown"."""
    if isinstance(condition, CompoundCondition):
        parts = [slowly(p, table, i, j) for p in condition.parts]
        if condition.kind == "not":
            return None if parts[0] is None else not parts[0]
        decisive = condition.kind == "any"
        return decisive if decisive in parts else None if None in parts else not decisive
    assert isinstance(condition, PairCondition)
    answers: list[bool | None] = []
    for wanted, columns in ((True, condition.same), (False, condition.different)):
        for name in columns:
            one, two = (table[k][COLUMNS.index(name)] for k in (i, j))
            answers.append(None if one is None or two is None else (one == two) is wanted)
    size = condition.group_size
    if size is not None:
        for k in (i, j):
            text = table[k][0]
            count = sum(row[0] == text for row in table)
            answers.append(None if text is None else size.low <= count <= size.high)
    return False if False in answers else None if None in answers else True


@given(rows, conditions)
def test_a_condition_is_evaluated_as_by_hand(table: list[tuple], condition: Condition) -> None:
    profiles = with_metadata(**{c: [r[k] for r in table] for k, c in enumerate(COLUMNS)})
    codes = {c: codes_of(profiles, c) for c in COLUMNS}
    first, second = np.triu_indices(len(table), k=1)
    got = evaluate(condition, codes, first, second)
    meaning = {1: True, 0: False, -1: None}
    expected = [
        slowly(condition, table, i, j) for i, j in zip(first.tolist(), second.tolist(), strict=True)
    ]
    assert [meaning[int(x)] for x in got] == expected


@given(conditions)
def test_conditions_read_back_from_toml(condition: Condition) -> None:
    data = tomllib.loads(tomli_w.dumps({"linked": condition.to_data()}))["linked"]
    assert Condition.from_data(data, where="linked pairs") == condition
    assert pickle.loads(pickle.dumps(condition)) == condition  # noqa: S301
    assert set(condition.columns) <= set(COLUMNS)


def test_twice_not_is_the_condition_itself() -> None:
    batch = PairCondition(same=("batch_id",))
    assert ~~batch == batch
    assert batch & batch & batch == CompoundCondition("all", (batch, batch, batch))


def test_a_name_stands_before_the_words_and_travels() -> None:
    press = PairCondition(same=("press", "logo")).named("the same punch")
    both = (press | PairCondition(same=("batch_id",))).named("one maker")
    assert str(press) == "the same punch (the same press, logo)"
    assert str(both) == "one maker (the same punch (the same press, logo) or the same batch_id)"
    data = both.to_data()
    assert data["name"] == "one maker"
    assert Condition.from_data(data, where="linked pairs") == both


def test_a_compound_rule_makes_the_pairs_it_says() -> None:
    profiles = with_metadata(
        batch_id=["a", "a", "b", "b", "c"], press=["1", "2", "2", "2", "3"], site=list("uuuuv")
    )
    batch, site = PairCondition(same=("batch_id",)), PairCondition(same=("site",))
    rule = PopulationRule(
        "composed", batch & PairCondition(same=("press",)), ~batch & ~site, source=("batch_id",)
    )
    sample = pair_sample(comparison_of(profiles), profiles, rule)
    pairs = list(zip(sample.first.tolist(), sample.second.tolist(), strict=True))
    assert [p for p, x in zip(pairs, sample.linked, strict=True) if x] == [(2, 3)]
    assert [p for p, x in zip(pairs, sample.linked, strict=True) if not x] == [
        (0, 4), (1, 4), (2, 4), (3, 4),
    ]  # fmt: skip
    assert PopulationRule.from_data(rule.to_data()) == rule
    assert rule.columns == ("batch_id", "press", "site")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"any": []}, InputError),
        ({"any": {"same": ["a"]}}, ConfigError),
        ({"not": [{"same": ["a"]}]}, ConfigError),
        ({"any": [{"same": ["a"]}], "same": ["b"]}, ConfigError),
        ({"any": [{"same": ["a"]}], "all": [{"same": ["a"]}]}, ConfigError),
        ({"any": [{"sam": ["a"]}]}, UnknownNameError),
        ({"any": ["a"]}, ConfigError),
        ({"same": ["a"], "name": ""}, InputError),
        ({"not": {"name": "x"}}, ConfigError),
    ],
)
def test_data_that_are_no_condition_are_refused(data: dict, error: type[Exception]) -> None:
    with pytest.raises(error):
        Condition.from_data(data, where="linked pairs")


def test_conditions_are_put_together_with_conditions_only() -> None:
    batch = PairCondition(same=("batch_id",))
    with pytest.raises(InputError, match="with another condition, got 'batch'"):
        batch & "batch"
    with pytest.raises(InputError, match="exactly one"):
        CompoundCondition("not", (batch, batch))
    deep: dict = {"same": ["a"]}
    for _ in range(30):
        deep = {"not": deep}
    with pytest.raises(ConfigError, match="Write them flat"):
        Condition.from_data(deep, where="linked pairs")


# -- sequences ---------------------------------------------------------------------------------


def test_linked_pairs_come_from_different_sequences_where_they_are_known() -> None:
    profiles = with_metadata(
        batch_id=["a", "a", "a", "a", "b"], sequence_id=["1", "1", "2", None, "1"]
    )
    sample = pair_sample(comparison_of(profiles), profiles, BATCHES)
    linked = sample.linked
    pairs = set(zip(sample.first[linked].tolist(), sample.second[linked].tolist(), strict=True))
    assert pairs == {(0, 2), (1, 2)}
    assert sample.n_same_sequence == 4
    assert sample.sequences_differ
    assert sample.n_unlinked == 4, "unlinked pairs of one sequence are the harder ones, and kept"
    notes = [str(n) for n in measure_dependence(sample).notes]
    assert any("4 linked pair(s) of one sequence" in note for note in notes)


def test_a_rule_may_allow_one_sequence_and_then_the_report_says_so() -> None:
    profiles = with_metadata(batch_id=["a", "a", "b"], sequence_id=["1", "1", "1"])
    with pytest.raises(PopulationError, match="same_sequence = true in the rule allows them"):
        pair_sample(comparison_of(profiles), profiles, BATCHES)
    rule = PopulationRule.from_data(BATCHES.to_data() | {"same_sequence": True})
    assert PopulationRule.from_data(rule.to_data()) == rule
    sample = pair_sample(comparison_of(profiles), profiles, rule)
    assert (sample.n_linked, sample.n_same_sequence) == (1, 0)
    assert any("optimistic" in str(n) for n in measure_dependence(sample).notes)


def test_another_column_may_name_the_sequence() -> None:
    profiles = with_metadata(batch_id=["a", "a", "a", "b"], series=["1", "1", "2", "1"])
    rule = PopulationRule.from_data(BATCHES.to_data() | {"sequence": "series"})
    assert PopulationRule.from_data(rule.to_data()) == rule
    assert known_pairs(profiles, rule).n_same_sequence == 1
    with pytest.raises(MetadataError, match="'series'"):
        known_pairs(with_metadata(batch_id=["a", "a", "b"]), rule)
    with pytest.raises(ConfigError, match="true or false"):
        PopulationRule.from_data(BATCHES.to_data() | {"same_sequence": "yes"})


# -- dependence --------------------------------------------------------------------------------


def test_dependence_counts_sources_as_pairs_weigh_them() -> None:
    linked = [(0.0, 0)] * 6 + [(0.0, 1)] * 2 + [(0.0, 2)]
    found = measure_dependence(sample_of(linked, [(1.0, 0, 1), (1.0, 0, 2), (1.0, 0, 3)]))
    assert found.linked_per_source == (("0", 6), ("1", 2), ("2", 1))
    assert found.effective_linked_sources == pytest.approx(81 / 41)
    assert found.effective_unlinked_sources == pytest.approx(36 / 12)
    assert found.disjoint_unlinked == 1
    assert any("Source '0' has 6 of the 9" in str(n) for n in found.notes)
    assert "9 linked pairs from 3 sources" in str(found)
    assert "<table>" in found._repr_html_()


def test_unlinked_pairs_that_all_hold_one_source_share_it() -> None:
    with_one = [(3.0 + k, 0, 1 + k) for k in range(9)]
    found = measure_dependence(sample_of([(1.0, k) for k in range(10)], with_one))
    assert (found.n_unlinked_sources, found.disjoint_unlinked) == (10, 1)
    assert "at most 1 of them share no source" in str(found)


def test_few_sources_with_most_of_the_linked_pairs_are_told() -> None:
    apart = [(3.0, 0, 1)]
    even = [(1.0, k) for k in range(40)] * 2
    assert not any(
        "weigh like" in n for n in map(str, measure_dependence(sample_of(even, apart)).notes)
    )
    uneven = [*even, *[(1.0, k) for k in range(4) for _ in range(50)]]
    found = measure_dependence(sample_of(uneven, apart))
    assert found.effective_linked_sources == pytest.approx(280**2 / (4 * 52**2 + 36 * 4))
    told = "The linked pairs of 40 sources weigh like those of 7.2 sources of equal size"
    assert any(told in str(n) for n in found.notes)
    few = [*[(1.0, k) for k in range(20)], *[(1.0, 0)] * 9]
    assert not any(
        "weigh like" in n for n in map(str, measure_dependence(sample_of(few, apart)).notes)
    )


def test_equally_many_pairs_a_source_are_as_good_as_their_sources() -> None:
    linked = [(0.0, k) for k in range(5) for _ in range(3)]
    found = measure_dependence(sample_of(linked, [(1.0, 0, 1)]))
    assert found.effective_linked_sources == pytest.approx(5.0)
    assert found.notes == ()


def test_without_a_column_of_sequences_the_notes_say_what_that_flatters() -> None:
    profiles = with_metadata(batch_id=["a", "a", "b"])
    notes = [
        str(n)
        for n in measure_dependence(pair_sample(comparison_of(profiles), profiles, BATCHES)).notes
    ]
    assert any("No column names the sequence" in note for note in notes)
    assert any("No column names the specimen" in note for note in notes)
