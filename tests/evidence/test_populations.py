"""Population rules: three-valued, explicit, and never contradicting themselves."""

from __future__ import annotations

import itertools
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig import PopulationRule, ProfileSet, pair_sample
from drugsig.errors import (
    CircularRuleWarning,
    ConfigError,
    DrugsigError,
    DrugsigWarning,
    InputError,
    MetadataError,
    PopulationError,
    UnknownNameError,
)
from drugsig.evidence import (
    PRESETS,
    Condition,
    GroupSize,
    PairCondition,
    get_rule,
    pairs,
    stratum_pairs,
)
from tests.evidence.cases import BATCHES, comparison_of, with_metadata

Cell = str | None
Row = dict[str, Cell]

# -- a slow oracle: one pair, one condition at a time; None is "unknown" ---------------------------


def all_of(parts: list[bool | None]) -> bool | None:
    return False if False in parts else None if None in parts else True


def equal(a: Cell, b: Cell) -> bool | None:
    return None if a is None or b is None else a == b


def fits(condition: Condition, a: Row, b: Row, table: list[Row]) -> bool | None:
    assert isinstance(condition, PairCondition)
    parts = [equal(a[c], b[c]) for c in condition.same]
    for column in condition.different:
        same = equal(a[column], b[column])
        parts.append(None if same is None else not same)
    size = condition.group_size
    if size is not None:
        for one in (a, b):
            text = one[size.column]
            count = sum(row[size.column] == text for row in table)
            parts.append(None if text is None else size.low <= count <= size.high)
    return all_of(parts)


def slow_pairs(rule: PopulationRule, table: list[Row]) -> tuple[set, set, int]:
    """Return linked pairs, unlinked pairs, and the number of undecided pairs."""
    linked, unlinked, undecided = set(), set(), 0
    used = [
        k
        for k, row in enumerate(table)
        if not any(row[c] in texts for c, texts in rule.exclude.items())
    ]
    for i, j in itertools.combinations(used, 2):
        a, b = table[i], table[j]
        column = rule.specimen or "specimen_id"
        if column in a and equal(a[column], b[column]) is True:
            continue
        source_known = all(row[c] is not None for row in (a, b) for c in rule.source)
        if fits(rule.linked, a, b, table) and source_known:
            linked.add((i, j))
        elif fits(rule.unlinked, a, b, table) and source_known:
            unlinked.add((i, j))
        else:
            undecided += 1
    return linked, unlinked, undecided


RULES = {
    **PRESETS,
    "batches": PopulationRule(
        "batches",
        PairCondition(same=("Group",)),
        PairCondition(different=("Group", "Pre")),
        source=("Group",),
        specimen="Specimen",
        exclude={"PriR": ("x",)},
    ),
    "two columns": PopulationRule(
        "two columns",
        PairCondition(same=("Group", "Pre")),
        PairCondition(different=("Group",)),
        source=("Group", "Pre"),
        specimen="profile_id",
    ),
}
COLUMNS = ("Group", "PriR", "Pre", "PreR", "Specimen")
cells = st.sampled_from(["x", "y", None])
tables = st.lists(
    st.fixed_dictionaries(
        {"Group": st.sampled_from(["a", "b", "c", "d", None]), "Specimen": st.sampled_from("12345")}
        | dict.fromkeys(("PriR", "Pre", "PreR"), cells)
    ),
    min_size=2,
    max_size=9,
)


@pytest.mark.parametrize("name", RULES)
@given(table=tables)
def test_a_rule_finds_the_pairs_of_a_slow_search(name: str, table: list[Row]) -> None:
    rule = RULES[name]
    profiles = with_metadata(**{c: [row[c] for row in table] for c in COLUMNS})
    linked, unlinked, undecided = slow_pairs(rule, table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        if not linked or not unlinked:
            with pytest.raises(PopulationError, match="finds no"):
                pair_sample(comparison_of(profiles), profiles, rule)
            return
        sample = pair_sample(comparison_of(profiles), profiles, rule)
    found = list(zip(sample.first.tolist(), sample.second.tolist(), strict=True))
    assert {p for p, x in zip(found, sample.linked, strict=True) if x} == linked
    assert {p for p, x in zip(found, sample.linked, strict=True) if not x} == unlinked
    assert len(found) == len(set(found))
    assert sample.n_undecided == undecided
    for (i, j), a, b in zip(found, sample.source_a, sample.source_b, strict=True):
        for row, number in ((i, a), (j, b)):
            text = " / ".join(str(table[row][c]) for c in rule.source)
            assert sample.sources[number] == text
    assert set(np.concatenate([sample.source_a, sample.source_b])) == set(
        range(len(sample.sources))
    )


@pytest.mark.parametrize("size", [1, 3, 10, 1000])
def test_blocks_of_pairs_do_not_count(size: int, monkeypatch) -> None:
    profiles = with_metadata(batch_id=["a", "a", "b", None, "b", "c", "a"], zone=list("xxyyxxy"))
    rule = PopulationRule.from_data(BATCHES.to_data() | {"strata": ["zone"], "seizure": "batch_id"})
    plain = pair_sample(comparison_of(profiles), profiles, rule)
    strata = stratum_pairs(comparison_of(profiles), profiles, rule)
    monkeypatch.setattr(pairs, "_BLOCK_PAIRS", size)
    assert pair_sample(comparison_of(profiles), profiles, rule) == plain
    again = stratum_pairs(comparison_of(profiles), profiles, rule)
    assert list(again) == list(strata)
    for label, found in strata.items():
        np.testing.assert_array_equal(again[label].scores, found.scores)


# -- what is never used, and is counted ------------------------------------------------------------


def test_two_profiles_of_one_specimen_are_never_a_pair() -> None:
    profiles = with_metadata(batch_id=["a", "a", "a", "b"], specimen_id=["1", "1", "2", None])
    sample = pair_sample(comparison_of(profiles), profiles, BATCHES)
    assert sample.n_same_specimen == 1
    assert sample.n_linked == 2
    assert (0, 1) not in set(zip(sample.first.tolist(), sample.second.tolist(), strict=True))


def test_the_same_seizure_is_not_taken_for_the_same_source() -> None:
    profiles = with_metadata(batch_id=["a", "a", "b", "c"], seizure_id=["1", "2", "3", "3"])
    sample = pair_sample(comparison_of(profiles), profiles, BATCHES)
    assert sample.n_linked == 1
    assert sample.n_unlinked == 5


def test_undefined_scores_are_left_out_and_counted() -> None:
    profiles = with_metadata(batch_id=["a", "a", "b", "b"])
    scores = np.zeros((4, 4))
    scores[0, 1] = scores[1, 0] = scores[0, 2] = np.nan
    sample = pair_sample(comparison_of(profiles, scores), profiles, BATCHES)
    assert sample.n_undefined == 2
    assert (sample.n_linked, sample.n_unlinked) == (1, 3)


def test_what_is_left_out_is_named_with_its_reason() -> None:
    profiles = with_metadata(batch_id=["a", "a", "b", "b"], note=["", "aged", "mixed", ""])
    rule = PopulationRule.from_data(BATCHES.to_data() | {"exclude": {"note": ["aged", "mixed"]}})
    assert rule.left_out(profiles) == {"p1": "note = aged", "p2": "note = mixed"}
    with pytest.raises(PopulationError, match=r"no linked pair .*2 profile\(s\) are left out"):
        pair_sample(comparison_of(profiles), profiles, rule)


# -- strata ------------------------------------------------------------------------------------


def test_strata_hold_pairs_of_different_seizures_that_agree_in_every_column() -> None:
    rows = [
        ("1", "x", "u", "s1"),
        ("1", "x", "u", "s2"),
        ("2", "x", "u", "s3"),
        ("3", "x", "v", "s4"),
        ("4", None, "u", "s5"),
        ("5", "x", "v", "s6"),
        (None, "x", "v", "s7"),
        ("6", "x", "v", "s6"),
    ]
    seizure, zone, kind, specimen = (list(column) for column in zip(*rows, strict=True))
    profiles = with_metadata(
        seizure_id=seizure, zone=zone, kind=kind, specimen_id=specimen,
        batch_id=[None] * len(rows),
    )  # fmt: skip
    rule = PopulationRule.from_data(BATCHES.to_data() | {"strata": ["zone", "kind"]})
    comparison = comparison_of(profiles)
    strata = stratum_pairs(comparison, profiles, rule)
    at = comparison.scores
    assert {k: sorted(v.scores) for k, v in strata.items()} == {
        "x / u": sorted([at[0, 2], at[1, 2]]),
        "x / v": sorted([at[3, 5], at[3, 7]]),
    }
    assert stratum_pairs(comparison, profiles, BATCHES) == {}


def test_texts_that_hold_the_separator_stay_apart() -> None:
    profiles = with_metadata(
        one=["a / b", "a / b", "a", "a"], two=["c", "c", "b / c", "b / c"],
        seizure_id=list("1234"),
    )  # fmt: skip
    rule = PopulationRule.from_data(
        {
            "name": "both",
            "source": ["one", "two"],
            "linked": {"same": ["one", "two"]},
            "unlinked": {"different": ["one"]},
            "strata": ["one", "two"],
        }
    )
    sample = pair_sample(comparison_of(profiles), profiles, rule)
    assert len(set(sample.sources)) == 2
    assert len(stratum_pairs(comparison_of(profiles), profiles, rule)) == 2


# -- refusals ----------------------------------------------------------------------------------


def test_conditions_that_do_not_exclude_each_other_are_refused() -> None:
    rule = PopulationRule(
        "odd", PairCondition(same=("batch_id",)), PairCondition(different=("zone",)), ("batch_id",)
    )
    profiles = with_metadata(batch_id=["a", "a", "b"], zone=["x", "y", "y"])
    with pytest.raises(PopulationError, match="both linked and unlinked, the first 'p0' and 'p1'"):
        pair_sample(comparison_of(profiles), profiles, rule)


def test_a_linked_pair_with_different_sources_is_refused() -> None:
    rule = PopulationRule(
        "odd", PairCondition(same=("zone",)), PairCondition(different=("zone",)), ("batch_id",)
    )
    profiles = with_metadata(batch_id=["a", "b", "c"], zone=["x", "x", "y"])
    with pytest.raises(PopulationError, match="linked pair 'p0' and 'p1' has different text"):
        pair_sample(comparison_of(profiles), profiles, rule)


def test_an_unlinked_pair_with_one_source_is_refused() -> None:
    never = PairCondition(same=("batch_id",), group_size=GroupSize("zone", 9, 9))
    rule = PopulationRule("odd", never, PairCondition(different=("zone",)), ("batch_id",))
    profiles = with_metadata(batch_id=["a", "b", "a"], zone=["x", "x", "y"])
    with pytest.raises(PopulationError, match="unlinked pair 'p0' and 'p2' has the same text"):
        pair_sample(comparison_of(profiles), profiles, rule)


def test_a_missing_column_is_named_with_those_there_are() -> None:
    profiles = with_metadata(batch=["a", "b"])
    with pytest.raises(MetadataError, match=r"'batch_id'.*Its columns are 'profile_id', 'batch'"):
        pair_sample(comparison_of(profiles), profiles, BATCHES)


def test_a_comparison_of_other_profiles_is_refused() -> None:
    profiles = with_metadata(batch_id=["a", "a", "b"])
    with pytest.raises(PopulationError, match="not of these profiles"):
        pair_sample(comparison_of(profiles.select(np.array([1, 0, 2]))), profiles, BATCHES)


def test_a_circular_rule_is_warned_about_at_the_caller() -> None:
    rule = PopulationRule.from_data(BATCHES.to_data() | {"derived": ["batch_id", "other"]})
    assert rule.circular == ("batch_id",)
    profiles = with_metadata(batch_id=["a", "a", "b"])
    with pytest.warns(CircularRuleWarning, match="uses batch_id, derived from") as caught:
        pair_sample(comparison_of(profiles), profiles, rule)
    assert [w.filename for w in caught] == [__file__]


def test_a_column_that_is_empty_throughout_decides_nothing() -> None:
    rule = PopulationRule(
        "sizes",
        PairCondition(same=("batch_id",), group_size=GroupSize("empty", 1, 9)),
        PairCondition(different=("batch_id",)),
        ("batch_id",),
    )
    profiles = with_metadata(batch_id=["a", "a", "b"], empty=[None] * 3)
    with pytest.raises(PopulationError, match=r"1 pair\(s\) are undecided"):
        pair_sample(comparison_of(profiles), profiles, rule)


# -- rules as data -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_rules_read_back(name: str) -> None:
    rule = RULES[name]
    assert PopulationRule.from_data(rule.to_data()) == rule
    assert pickle.loads(pickle.dumps(rule)) == rule  # noqa: S301


def test_presets_are_named_for_reproduction_only() -> None:
    assert set(PRESETS) == {"R1", "R2", "R3", "R4"}
    for name, rule in PRESETS.items():
        assert get_rule(name) is rule
        assert rule.to_data() == {"preset": name}
        assert "not for casework" in rule.purpose
    with pytest.raises(UnknownNameError, match="Known: 'R1', 'R2', 'R3', 'R4'"):
        get_rule("R5")


def test_presets_are_the_published_ones() -> None:
    """R1 to R4 spelled out: groups a (3 profiles), b (2) and the single c, d."""
    rows = [
        ("a", "P", "E", "S"), ("a", "P", "E", "S"), ("a", "P", None, "S"),
        ("b", "Q", "F", "T"), ("b", "Q", "F", "U"), ("c", "R", "G", "V"), ("d", "Q", "H", "W"),
    ]  # fmt: skip
    group, *route = (list(column) for column in zip(*rows, strict=True))
    profiles = with_metadata(
        Group=group, PriR=route[0], Pre=route[1], PreR=route[2], Specimen=list("1234567")
    )
    counted = {}
    for name in PRESETS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CircularRuleWarning)
            sample = pair_sample(comparison_of(profiles), profiles, name)
        counted[name] = (sample.n_linked, sample.n_unlinked)
    # R1: 3 + 1 linked; 21 - 4 apart. R2: only c-d are of groups of one. R3: linked 0-1 alone;
    # unlinked a-b 2 x 2, a-c 2, a-d 2, b-c 2, c-d 1 (b-d share Q; profile 2 has no precursor).
    assert counted == {"R1": (4, 17), "R2": (4, 1), "R3": (1, 11), "R4": (1, 11)}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"linked": {}}, ConfigError),
        ({"linked": "batch_id"}, ConfigError),
        ({"linked": {"same": 5}}, ConfigError),
        ({"linked": {"same": [5]}}, ConfigError),
        ({"linked": {"same": [""]}}, ConfigError),
        ({"linked": {"sam": ["batch_id"]}}, UnknownNameError),
        ({"linked": {"group_size": {"column": "a", "low": 1}}}, ConfigError),
        ({"linked": {"group_size": {"column": "a", "low": 3, "high": 2}}}, InputError),
        ({"linked": {"group_size": {"column": "a", "low": 1.5, "high": 2}}}, InputError),
        ({"linked": {"group_size": {"column": 5, "low": 1, "high": 2}}}, InputError),
        ({"source": []}, InputError),
        ({"source": 5}, ConfigError),
        ({"exclude": ["a"]}, ConfigError),
        ({"exclude": {"a": 5}}, ConfigError),
        ({"source_level": 5}, ConfigError),
        ({"name": ""}, InputError),
        ({"nam": "x"}, UnknownNameError),
        ({"preset": "R4"}, ConfigError),
    ],
)
def test_data_that_are_no_rule_are_refused(change: dict, error: type[DrugsigError]) -> None:
    with pytest.raises(error):
        PopulationRule.from_data(BATCHES.to_data() | change)


@pytest.mark.parametrize("lacking", ["name", "linked", "unlinked", "source"])
def test_a_rule_says_everything(lacking: str) -> None:
    data = BATCHES.to_data()
    del data[lacking]
    with pytest.raises(ConfigError, match=f"lacks '{lacking}'"):
        PopulationRule.from_data(data)
    with pytest.raises(ConfigError, match="must be a table"):
        PopulationRule.from_data(5)  # type: ignore[arg-type]


def test_conditions_in_words() -> None:
    assert str(get_rule("R4").linked) == (
        "the same Group, PriR, Pre, PreR and Group of 2 to 10 profile(s)"
    )
    assert str(get_rule("R2").unlinked) == "different Group and Group of 1 profile(s)"


# -- the sample itself -----------------------------------------------------------------------------


def test_a_sample_counts_pairs_and_sources_on_both_sides() -> None:
    profiles = with_metadata(batch_id=["a", "a", "a", "b", "b", "c", None])
    sample = pair_sample(comparison_of(profiles), profiles, BATCHES)
    assert (sample.n_linked, sample.n_linked_sources) == (4, 2)
    assert (sample.n_unlinked, sample.n_unlinked_sources) == (11, 3)
    assert sample.n_undecided == 6
    assert len(sample) == 15
    assert len(sample.linked_scores) == 4
    assert len(sample.unlinked_scores) == 11
    again = pickle.loads(pickle.dumps(sample))  # noqa: S301
    assert again == sample
    with pytest.raises(ValueError, match="read-only"):
        again.scores[0] = 1.0


def test_html_of_a_sample_escapes_the_names_of_columns() -> None:
    column = "<script>x</script>"
    rule = PopulationRule(
        "<b>bold</b>", PairCondition(same=(column,)), PairCondition(different=(column,)), (column,)
    )
    profiles = ProfileSet(
        np.ones((3, 5)), list("ABCDE"), {"profile_id": list("123"), column: ["a", "a", "b"]}
    )
    page = pair_sample(comparison_of(profiles), profiles, rule)._repr_html_()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "<b>" not in page


def test_a_rule_may_be_given_by_its_name() -> None:
    assert get_rule(PRESETS["R4"]) is PRESETS["R4"]
    with pytest.raises(UnknownNameError):
        get_rule(3)  # type: ignore[arg-type]
