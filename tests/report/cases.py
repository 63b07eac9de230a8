"""Analyses made by hand, so that reports are tested without the job that makes them."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np

from drugsig import ProfileSet
from drugsig._notes import Note
from drugsig.analysis import Analysis, InputFile, RunsRead, analyse_profiles
from drugsig.analysis.headings import told
from drugsig.errors import DrugsigWarning
from drugsig.evidence import PopulationRule
from drugsig.groups.undecided import LeftOutOfRule
from drugsig.profiles.tables.notes import RiskyReading
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
    notes: Sequence[Note] = (),
    runs: RunsRead | None = None,
) -> Analysis:
    """Return the analysis of profiles."""
    with warnings.catch_warnings():
        # What is warned about is told by the report; here it is wanted.
        warnings.simplefilter("ignore", DrugsigWarning)
        made = analyse_profiles(
            raw,
            rule=rule,
            threshold=0.05 if rule is None and value is None else value,
            metric=metric,
            recipe=recipe,
            n_resamples=200,
            runs=runs,
        )
    return dataclasses.replace(
        made,
        inputs=(InputFile("../seizures.csv", "ab" * 32, 12_345),),
        config={"input": {"path": "../seizures.csv"}, "pretreatment": {"recipe": recipe}},
        notes=(*made.notes, *told(notes)),
        versions={"drugsig": "0.1.0", "python": "3.11.0"},
        run_digest="cd" * 32,
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
    made = analysis_of(named, rule=rule, recipe="sum | fourth_root", notes=[RiskyReading(text)])
    return dataclasses.replace(
        made,
        inputs=(InputFile(text, "ab" * 32, 1),),
        config={"input": {"path": text}},
        versions={text: text},
        undecided={made.compared.ids[0]: (LeftOutOfRule(text),)},
    )
