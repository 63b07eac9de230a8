"""Small profile sets of known sources for studies."""

from __future__ import annotations

import numpy as np

from drugsig import PopulationRule, ProfileSet

BATCHES = PopulationRule.from_data(
    {
        "name": "batches",
        "source": ["batch_id"],
        "specimen": "profile_id",
        "sequence": "sequence_id",
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
        "seizure": "batch_id",
        "strata": ["route"],
    }
)
ROUTES = PopulationRule.from_data(
    BATCHES.to_data()
    | {
        "name": "batches of other routes",
        "unlinked": {"all": [{"different": ["batch_id"]}, {"not": {"same": ["route"]}}]},
    }
)

RECIPES = {"sum": "sum", "root": "sum | fourth_root", "scaled": "sum | autoscale"}
METRICS = ["euclidean", "pearson_distance"]


def profiles_of(
    n_sources: int = 16, *, seed: int = 0, noise: float = 0.4, signal: float = 1.0
) -> ProfileSet:
    """Three profiles a source of eight targets; without signal all sources are one."""
    rng = np.random.default_rng(seed)
    source = np.repeat(np.arange(n_sources), 3)
    n = len(source)
    centre = signal * rng.normal(0, 0.5, (n_sources, 8))
    values = np.exp(2.0 + centre[source] + noise * rng.normal(size=(n, 8)))
    return ProfileSet(
        values,
        [f"T{k}" for k in range(8)],
        {
            "profile_id": [f"P{k:03d}" for k in range(n)],
            "batch_id": [f"B{k:02d}" for k in source],
            "sequence_id": [f"Q{k}" for k in range(n)],
            "route": ["x" if k % 2 else "y" for k in source],
        },
        name="made",
    )
