"""One comparison of the small validated model, and its sensitivity, made once a test run."""

from __future__ import annotations

from functools import cache

import numpy as np

from drugsig import ProfileSet
from drugsig.evidence.models import LrModel
from drugsig.evidence.sensitivity import Sensitivity, sensitivity
from tests.evidence.validation.cases import batches, small_validation


@cache
def model() -> LrModel:
    """Return the model that carries its validation."""
    return small_validation().model


@cache
def background() -> ProfileSet:
    """Return the profiles it was fitted to."""
    return model().treat(batches())


def item(source: str, places: slice, name: str, *, raw: bool = False) -> ProfileSet:
    """Return some profiles of a source as one item."""
    profiles = batches() if raw else background()
    own = [i for i, s in zip(profiles.ids, profiles.column("batch_id"), strict=True) if s == source]
    found = profiles.select(own[places])
    return found.with_column("item", [name] * len(found))


def comparison(*, raw: bool = False) -> tuple[ProfileSet, ProfileSet]:
    """Return two specimens of one batch, and two others of it."""
    return item("B003", slice(0, 2), "Q", raw=raw), item("B003", slice(2, 4), "R", raw=raw)


@cache
def found() -> Sensitivity:
    """Return the sensitivity of that comparison."""
    return sensitivity(
        model(),
        *comparison(raw=True),
        background=background(),
        rng=np.random.default_rng(1),
        item="item",
        scale="lucy-2013",
        strata="year",
        uncertainty_rsd=0.05,
        n_draws=20,
    )
