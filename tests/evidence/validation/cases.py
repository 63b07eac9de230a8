"""Small profiles of known batches, and one validation of them, made once a test run."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np

from drugsig import PopulationRule, ProfileSet, simulate_profiles
from drugsig.errors import DrugsigWarning
from drugsig.evidence.models import LrModelSpec
from drugsig.evidence.two_level import TwoLevelOptions
from drugsig.evidence.validation import Validation, validate

N_SOURCES, N_SPECIMENS = 24, 4
RECIPE = "sum | fourth_root"

RULE = PopulationRule.from_data(
    {
        "name": "known batches",
        "source_level": "production batch",
        "source": ["batch_id"],
        "linked": {"same": ["batch_id"]},
        "unlinked": {"different": ["batch_id"]},
    }
)
SPEC = LrModelSpec(
    replicate_level="specimen",
    calibration="isotonic",
    two_level=TwoLevelOptions(between="normal"),
)
QUICK: dict[str, Any] = {"seeds": (0, 1), "n_folds": 3, "change_seeds": 1, "n_resamples": 200}


@cache
def batches(*, seed: int = 3, name: str = "batches") -> ProfileSet:
    """Return profiles of 24 batches of two years, four specimens each."""
    simulated = simulate_profiles(
        rng=np.random.default_rng(seed),
        sizes=[N_SPECIMENS] * N_SOURCES,
        targets=4,
        n_factors=3,
        within_rsd=0.25,
        below_lod=0.0,
        cutting_agents=(),
        degradation_product=None,
    )
    profiles, source = simulated.profiles, simulated.truth["source_id"].tolist()
    return ProfileSet(
        profiles.values,
        targets=profiles.targets,
        profiles={
            "profile_id": list(profiles.ids),
            "specimen_id": list(profiles.column("specimen_id")),
            "batch_id": source,
            "year": ["2023" if s < "B013" else "2024" for s in source],
        },
        name=name,
    )


def validated(**changed: object) -> Validation:
    """Validate the method of these tests, with some arguments changed."""
    arguments = {"recipe": RECIPE, **QUICK, **changed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return validate(
            batches(),
            RULE,
            SPEC,
            rng=np.random.default_rng(5),
            **arguments,
        )


@cache
def small_validation() -> Validation:
    """Return one validation with everything assessed."""
    return validated(uncertainty_rsd=0.05, elsewhere="year")
