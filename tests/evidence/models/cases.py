"""Profiles of simulated batches, and the rule under which their pairs are known."""

from __future__ import annotations

import numpy as np

from drugsig.evidence import PopulationRule
from drugsig.evidence.models import LrModelSpec
from drugsig.evidence.two_level import TwoLevelOptions
from drugsig.profiles.profile_set import ProfileSet

BATCHES = PopulationRule.from_data(
    {
        "name": "known batches",
        "source": ["batch_id"],
        "source_level": "production batch",
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
    }
)

FEATURE = LrModelSpec(
    replicate_level="unit", two_level=TwoLevelOptions(between="normal", error_share=0.01)
)
KERNEL = LrModelSpec(replicate_level="unit", two_level=TwoLevelOptions(error_share=0.01))
SCORE = LrModelSpec(
    replicate_level="unit", approach="score", metric="euclidean", calibration="none"
)


def batches(
    rng: np.random.Generator,
    *,
    n_sources: int = 40,
    n_profiles: int = 4,
    n_targets: int = 2,
    within: float = 0.4,
    prefix: str = "batch",
) -> ProfileSet:
    """Simulate batches: normal between and within, halves named, one laboratory and epoch."""
    place = rng.normal(size=(n_sources, 1, n_targets))
    values = 10.0 + place + within * rng.normal(size=(n_sources, n_profiles, n_targets))
    names = [f"{prefix} {k:02d}" for k in range(n_sources) for _ in range(n_profiles)]
    number = [k for _ in range(n_sources) for k in range(n_profiles)]
    return ProfileSet(
        values.reshape(-1, n_targets),
        [f"T{k + 1}" for k in range(n_targets)],
        {
            "profile_id": [f"{n}/{k}" for n, k in zip(names, number, strict=True)],
            "batch_id": names,
            "half_id": [f"{n}/{'AB'[k % 2]}" for n, k in zip(names, number, strict=True)],
            "epoch": ["2024"] * len(names),
            "laboratory": ["north"] * len(names),
        },
    )
