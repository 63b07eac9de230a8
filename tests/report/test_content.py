"""What a report tells: everything is accounted for, and what matters comes first."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from drugsig import ProfileSet
from drugsig.analysis import Analysis
from drugsig.analysis.headings import first_told
from drugsig.evidence import PairCondition, PopulationRule
from drugsig.profiles.tables.notes import RiskyReading
from drugsig.report import render_report
from drugsig.report.data_sections import quality_section
from drugsig.report.finding_sections import groups_section, links_section
from tests.plot.cases import RULE
from tests.report.cases import analysis_of, raw_profiles
from tests.report.pages import Page


@pytest.fixture(scope="module")
def words(report: str) -> str:
    return Page(report).words


def test_read_is_compared_plus_excluded_and_every_exclusion_has_its_reason(
    analysis: Analysis, words: str
) -> None:
    assert "30 read = 29 compared + 1 excluded" in words
    assert analysis.excluded == {"P004": "not measured or rejected: target 2"}
    assert "not measured or rejected: target 2 1 P004" in words


def test_cells_of_every_target_add_up(analysis: Analysis) -> None:
    section = quality_section(analysis)
    for row in section["target_rows"]:
        assert sum(row["counts"]) == section["read"]
    assert [r["name"] for r in section["target_rows"]] == list(analysis.profiles.target_names)


def test_profiles_that_stand_out_are_named_with_what_does(words: str) -> None:
    assert "identical values in P007" in words
    assert "identical values in P006" in words


def test_targets_are_told_apart_by_why_they_are_left_out(words: str) -> None:
    assert "Not compared (main compound: never compared): cocaine" in words
    assert "Not compared (left out by the recipe): target 0" in words
    assert "Compared (11): target 1, target 2" in words


def test_recipe_and_metric_are_told_with_formulas(analysis: Analysis, words: str) -> None:
    assert "x_ij / sum of the impurities of profile i" in words
    assert "x^(1/4)" in words
    assert analysis.links.metric.formula in words
    assert "a distance: large means unlike" in words
    assert "0 to 2; identical profiles score 0" in words


def test_every_compared_profile_is_in_a_group_or_alone(analysis: Analysis) -> None:
    section = groups_section(analysis)
    named = [name for row in section["rows"] for name in row["members"]] + section["alone"]
    assert sorted(named) == sorted(analysis.compared.ids)


def test_undecided_profiles_are_marked_wherever_members_are_named() -> None:
    made = analysis_of(raw_profiles(), value=0.6)
    text = render_report(made)
    groups = text[text.index('id="groups"') : text.index('id="heat-map"')]
    marked = set(re.findall(r'class="who">(\w+)<b', groups))
    assert marked == set(made.undecided) != set()


def test_links_inside_and_across_groups_add_up(analysis: Analysis) -> None:
    inside = sum(int(row["links"].split()[0]) for row in groups_section(analysis)["rows"])
    assert inside + links_section(analysis)["across"] == len(analysis.links)


def test_the_least_alike_pair_of_a_group_is_the_worst_by_hand() -> None:
    for metric in ("pearson_distance", "cosine"):
        made = analysis_of(raw_profiles(), metric=metric)
        row = groups_section(made)["rows"][0]
        names = row["members"]
        assert made.comparison is not None
        scores = [made.comparison[a, b] for a in names for b in names if a < b]
        worst = min(scores) if metric == "cosine" else max(scores)
        assert float(row["worst"]) == pytest.approx(worst, rel=1e-4)


def test_links_are_listed_strongest_first_with_what_they_rest_on(analysis: Analysis) -> None:
    rows = links_section(analysis)["rows"]
    assert analysis.comparison is not None
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    scores = [analysis.comparison[row["a"], row["b"]] for row in rows]
    assert scores == sorted(scores)
    measured = analysis.comparison.row_detected
    place = {name: k for k, name in enumerate(analysis.compared.ids)}
    for row in rows:
        both = measured[place[row["a"]]] & measured[place[row["b"]]]
        assert row["detected"] == both.sum()


def test_pairs_and_sources_of_both_sides_are_told(analysis: Analysis, words: str) -> None:
    sample = analysis.sample
    assert sample is not None
    assert f"linked the same batch_id {sample.n_linked:,} {sample.n_linked_sources}" in words
    assert f"unlinked different batch_id {sample.n_unlinked:,}" in words
    assert f"neither, or it cannot be decided {sample.n_undecided:,}" in words
    assert "production batch (told by batch_id)" in words


def test_what_a_link_is_worth_is_told_at_both_ends(analysis: Analysis, words: str) -> None:
    chance = analysis.links.expected_chance_links
    assert chance is not None
    assert "chance alone would make about" in words
    assert "at the least favourable ends of their intervals" in words
    for measured, worst in zip(analysis.true_links, analysis.least_true_links, strict=True):
        assert worst.share is not None
        assert measured.share is None or worst.share <= measured.share


def test_no_false_link_seen_is_not_told_as_certainty() -> None:
    rng = np.random.default_rng(2)
    source = np.repeat(np.arange(12), 3)
    values = rng.lognormal(2, 1.5, (12, 14))[source] * rng.lognormal(0, 0.01, (36, 14))
    table = {
        "profile_id": [f"P{k}" for k in range(36)],
        "batch_id": [f"B{k}" for k in source],
        "seizure_id": [f"S{k}" for k in range(36)],
        "route": ["A"] * 36,
    }
    made = analysis_of(
        ProfileSet(values, [f"t{k}" for k in range(14)], table), recipe="sum | fourth_root"
    )
    words = Page(render_report(made)).words
    assert made.threshold.rates.false_positive_rate == 0.0
    assert "Linked and unlinked pairs separate completely" in words
    assert "does not make the rate zero" in words
    assert re.search(r"Links expected by chance about 0 \(95 %: 0 to [\d,.]+\)", words)


def test_few_sources_are_warned_of_before_anything_else(words: str) -> None:
    first = words.index("Read this first")
    assert first < words.index("Few known sources.") < words.index("Profiles read")
    assert "fewer than 30" in words


def test_a_threshold_without_known_sources_cannot_be_overlooked(unvalidated: Analysis) -> None:
    words = Page(render_report(unvalidated)).words
    assert words.index("THRESHOLD NOT VALIDATED") < words.index("Summary")
    assert first_told(unvalidated.notes)[0].heading == "NOT VALIDATED"
    assert words.count("NOT VALIDATED") >= 3
    assert "Links expected by chance not known" in words
    assert "ROC curve:" not in words
    assert "Validated NO" in words


def test_a_circular_rule_and_its_purpose_are_grave() -> None:
    rule = dataclasses.replace(
        RULE,
        derived=("route",),
        unlinked=PairCondition(different=("batch_id", "route")),
        purpose="for reproduction only",
    )
    made = analysis_of(raw_profiles(), rule=rule)
    warned = first_told(made.notes)
    assert [w.heading for w in warned if w.grave] == [
        "Rule known batches has a limited purpose",
        "The population rule is circular",
    ]
    # The same thing is not said twice.
    assert sum("route" in w.text and "uses" in w.text for w in warned) == 1


def test_what_was_noted_on_the_way_is_told_once() -> None:
    made = analysis_of(raw_profiles(), notes=[RiskyReading("a guess"), RiskyReading("a guess")])
    first = first_told(made.notes)
    assert [one.heading for one in first if one.note == RiskyReading("a guess")] == [
        "Mind how the table was read"
    ]
    assert len({one.note for one in first}) == len(first)


def test_where_chaining_changes_groups_the_components_are_listed() -> None:
    made = analysis_of(raw_profiles(), value=0.6)
    assert made.groups.chained
    words = Page(render_report(made)).words
    assert made.groups.chaining_note in words
    assert "Components (profiles joined by any chain of links)" in words
    rows = groups_section(made)["components"]
    assert rows[0]["size"] == made.groups.largest_component
    assert "given, not learned" in words


def test_a_threshold_that_links_nothing_makes_a_report_as_well() -> None:
    made = analysis_of(raw_profiles(), rule=None, value=0.0, recipe="sum | fourth_root")
    copies = len(made.links)
    words = Page(render_report(made)).words
    assert copies == 1
    assert "1 link in all" in words
    opposite = [[1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 4.0, 3.0, 2.0, 1.0]]
    two = ProfileSet(opposite, list("abcde"), ["x", "y"])
    empty = analysis_of(two, rule=None, value=0.0, recipe="sum")
    words = Page(render_report(empty)).words
    assert "No pair meets the threshold 0" in words
    assert "leaves 2 profiles alone" in words


def test_profiles_without_any_score_are_told() -> None:
    raw = raw_profiles()
    values = raw.values.copy()
    values[:1, :12] = 3.0
    made = analysis_of(
        ProfileSet(values, raw.targets, raw.profiles), rule=None, recipe="sum | fourth_root"
    )
    assert made.groups.undefined_ids == ("P000",)
    assert "Profiles without any score" in Page(render_report(made)).words


def test_imputed_shares_are_told() -> None:
    made = analysis_of(raw_profiles(), rule=None, recipe="clr(zeros=multiplicative)", value=0.2)
    section = quality_section(made)
    assert section["n_imputed"] > 0
    words = Page(render_report(made)).words
    assert "put values in place of what was not detected" in words


def test_targets_made_by_the_recipe_are_told() -> None:
    made = analysis_of(
        raw_profiles(), rule=None, recipe="pairwise_log_ratios(zeros=multiplicative)", value=0.2
    )
    words = Page(render_report(made)).words
    assert "Compared (66, made by the recipe)" in words
    assert "Not compared (main compound: never compared): cocaine" in words


def test_provenance_holds_what_is_needed_to_do_it_again(analysis: Analysis, words: str) -> None:
    for text in ("ab" * 32, analysis.run_digest, analysis.profiles.digest, "drugsig 0.1.0"):
        assert text in words
    assert "Seed 1" in words
    assert "../seizures.csv" in words
    assert '[input] path = "../seizures.csv"' in words


def test_left_out_profiles_are_counted_by_reason() -> None:
    raw = raw_profiles()
    remarks = ["aged"] * 3 + [None] * (len(raw) - 3)
    rule = PopulationRule.from_data({**RULE.to_data(), "exclude": {"remark": ["aged"]}})
    made = analysis_of(raw.with_column("remark", remarks), rule=rule)
    assert "Left out : 3 profiles: remark = aged (3)" in Page(render_report(made)).words


def test_limits_say_what_a_group_is_not(words: str) -> None:
    assert "A group is an investigative lead, not proof of common source." in words
    assert "no likelihood ratio" in words
    assert "optimistic" in words
