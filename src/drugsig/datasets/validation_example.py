"""The example "validation": profiles of known batches, for validating likelihood ratios."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from drugsig.datasets.simulation import simulate_profiles
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.tables import write_profiles

__all__ = ["validation_profiles", "write_validation"]

SEED = 5

N_BATCHES, N_SPECIMENS, N_SEQUENCES = 48, 4, 12
YEARS = ("2023", "2024")

_TEMPLATES = ("validation.toml", "criteria.toml", "README.txt")


def write_validation(folder: Path, /) -> None:
    """Write the files of the example into an existing folder.

    Parameters
    ----------
    folder : Path
        Where.
    """
    write_profiles(validation_profiles(), folder / "profiles.csv")
    templates = resources.files("drugsig.datasets") / "templates" / "validation"
    for name in _TEMPLATES:
        text = (templates / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def validation_profiles() -> ProfileSet:
    """Return the profiles of the example.

    The specimens of a batch are measured in different sequences, and each batch was seized within
    one year.
    """
    simulated = simulate_profiles(
        rng=np.random.default_rng(SEED),
        sizes=[N_SPECIMENS] * N_BATCHES,
        targets=6,
        n_factors=4,
        within_rsd=(0.3, 0.45),
        below_lod=0.0,
        cutting_agents=(),
        degradation_product=None,
        name="profiles",
    )
    profiles, batches = simulated.profiles, simulated.truth["source_id"].tolist()
    place = {name: k for k, name in enumerate(sorted(set(batches)))}
    seen: dict[str, int] = {}
    sequences, years = [], []
    for batch in batches:
        turn = seen[batch] = seen.get(batch, -1) + 1
        sequences.append(f"S{(5 * place[batch] + turn) % N_SEQUENCES + 1:02d}")
        years.append(YEARS[place[batch] % len(YEARS)])
    columns: dict[str, Sequence[object]] = {
        "profile_id": list(profiles.ids),
        "specimen_id": list(profiles.column("specimen_id")),
        "batch_id": batches,
        "sequence_id": sequences,
        "year": years,
    }
    return ProfileSet(
        profiles.values.round(1), targets=profiles.targets, profiles=columns, name=profiles.name
    )
