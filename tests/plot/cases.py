"""Profiles of known sources, compared and grouped, for figures to be drawn from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from drugsig import ProfileSet, compare, group, pretreat
from drugsig.comparison import Comparison
from drugsig.errors import DrugsigWarning
from drugsig.evidence import PairSample, PopulationRule, Threshold, pair_sample, threshold_for
from drugsig.groups import Groups

RULE = PopulationRule.from_data(
    {
        "name": "known batches",
        "source": ["batch_id"],
        "source_level": "production batch",
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
        "strata": ["route"],
    }
)


@dataclass(frozen=True)
class Case:
    """What a figure may need."""

    raw: ProfileSet
    compared: ProfileSet
    comparison: Comparison
    sample: PairSample
    threshold: Threshold
    groups: Groups


def simulated(n_sources: int, per_source: int, *, seed: int = 7) -> ProfileSet:
    """Return profiles of so many sources, twelve impurities and a main compound each."""
    rng = np.random.default_rng(seed)
    n = n_sources * per_source
    source = np.repeat(np.arange(n_sources), per_source)
    values = rng.lognormal(2.0, 1.2, (n_sources, 13))[source] * rng.lognormal(0.0, 0.12, (n, 13))
    values[:, :12][values[:, :12] < 1.5] = 0.0
    names = [f"target {k}" for k in range(12)]
    return ProfileSet(
        values,
        [*names, "cocaine"],
        {
            "profile_id": [f"P{k:03d}" for k in range(n)],
            "batch_id": [f"B{k:02d}" for k in source],
            "seizure_id": [f"S{k:03d}" for k in range(n)],
            "route": ["A" if k % 2 else "B" for k in source],
        },
        name="simulated",
    ).with_roles({"cocaine": "main"})


def case_of(raw: ProfileSet, *, metric: str = "pearson_distance") -> Case:
    """Return everything that follows from profiles."""
    compared = pretreat(raw, "sum | fourth_root")
    comparison = compare(compared, metric=metric)
    with warnings.catch_warnings():
        # Small samples and chained links are what some of these cases are about.
        warnings.simplefilter("ignore", DrugsigWarning)
        threshold = threshold_for(
            comparison, compared, RULE, rng=np.random.default_rng(1), n_resamples=200
        )
        groups = group(comparison, threshold=threshold.value)
        sample = pair_sample(comparison, compared, RULE)
    return Case(raw, compared, comparison, sample, threshold, groups)
