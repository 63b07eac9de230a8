"""Analyses made by hand, so that reports are tested without the job that makes them."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np

from drugsig import ProfileSet, Recipe, compare, group, pretreat
from drugsig.comparison import Comparison
from drugsig.errors import DrugsigWarning
from drugsig.evidence import (
    PopulationRule,
    Threshold,
    given_threshold,
    share_of_true_links,
    threshold_for,
)
from drugsig.groups import find_undecided
from drugsig.quality import check_profiles
from drugsig.report import Analysis, InputFile
from tests.plot.cases import RULE, simulated

RECIPE = 'drop_targets("target 0") | sum | fourth_root'


def raw_profiles(n_sources: int = 10, *, prefix: str = "P") -> ProfileSet:
    """Return three profiles a source; one was not measured fully and one is another's copy."""
    made = simulated(n_sources, 3)
    values = made.values.copy()
    values[4, 2] = np.nan
    values[7] = values[6]
    table = made.profiles
    table["profile_id"] = [f"{prefix}{k:03d}" for k in range(len(made))]
    return ProfileSet(values, made.targets, table, name="simulated")


def analysis_of(
    raw: ProfileSet,
    *,
    rule: PopulationRule | None = RULE,
    value: float | None = None,
    metric: str = "pearson_distance",
    recipe: str = RECIPE,
    notes: Sequence[str] = (),
) -> Analysis:
    """Return the analysis of profiles."""
    checks = check_profiles(raw)
    excluded = [c.profile_id for c in checks if c.excluded]
    with warnings.catch_warnings():
        # What is warned about is told by the report; here it is wanted.
        warnings.simplefilter("ignore", DrugsigWarning)
        compared = pretreat(raw.without(excluded), recipe)
        comparison = compare(compared, metric=metric)
        threshold = _threshold(comparison, compared, rule, value)
        groups = group(comparison, threshold=threshold.value)
    links = comparison.links(threshold.value, false_positive_rate=threshold.false_positive_rate)
    sample = threshold.sample
    found, false = threshold.true_positive_rate, threshold.false_positive_rate
    return Analysis(
        profiles=raw,
        compared=compared,
        recipe=Recipe.parse(recipe),
        checks=checks,
        comparison=comparison,
        threshold=threshold,
        links=links,
        groups=groups,
        group_rates=None if sample is None else groups.partition_rates(sample),
        component_rates=None if sample is None else groups.component_rates(sample),
        undecided=find_undecided(groups, links, sample=sample),
        true_links=()
        if found is None or false is None
        else share_of_true_links(true_positive_rate=found, false_positive_rate=false),
        inputs=(InputFile("../seizures.csv", "ab" * 32, 12_345),),
        config={"input": {"path": "../seizures.csv"}, "pretreatment": {"recipe": recipe}},
        notes=tuple(notes),
        versions={"drugsig": "0.1.0", "python": "3.11.0"},
        seed=1,
        run_digest="cd" * 32,
    )


def _threshold(
    comparison: Comparison,
    compared: ProfileSet,
    rule: PopulationRule | None,
    value: float | None,
) -> Threshold:
    if rule is None:
        return given_threshold(0.05 if value is None else value, metric=comparison.metric)
    return threshold_for(
        comparison, compared, rule, rng=np.random.default_rng(1), value=value, n_resamples=200
    )


def hostile(text: str) -> Analysis:
    """Return an analysis in which everything that can be named is named with this text."""
    raw = raw_profiles()
    table = raw.profiles
    table["profile_id"] = [f"{text}{k}" for k in range(len(raw))]
    table["batch_id"] = text + table["batch_id"]
    table["route"] = text + table["route"]
    targets = [dataclasses.replace(t, name=f"{text}{t.name}", unit=text) for t in raw.targets]
    named = ProfileSet(raw.values, targets, table, name=text)
    rule = dataclasses.replace(RULE, name=text, source_level=text, purpose=text)
    made = analysis_of(named, rule=rule, recipe="sum | fourth_root", notes=[text])
    return dataclasses.replace(
        made,
        inputs=(InputFile(text, "ab" * 32, 1),),
        config={"input": {"path": text}},
        versions={text: text},
        undecided={made.compared.ids[0]: (text,)},
    )
