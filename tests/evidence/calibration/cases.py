"""Pairs to calibrate: drawn at random, and chosen freely by hypothesis."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from drugsig.errors import DrugsigWarning
from drugsig.evidence.calibration import CALIBRATORS, Calibration, fit_calibration

LIMITS = (0.0, 1.0)

METHODS = sorted(CALIBRATORS)


def fitted(scores: Any, linked: Any, *, method: str, **options: Any) -> Calibration:
    """A calibration of scores from 0 to 1, whatever it has to say besides."""
    options.setdefault("kind", "distance")
    options.setdefault("support", LIMITS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return fit_calibration(scores, linked, method=method, **options)


def normal_pairs(
    n_linked: int, n_unlinked: int, *, seed: int = 1, apart: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Similarities whose natural log LR is apart x score - apart^2 / 2, exactly."""
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(apart, 1, n_linked), rng.normal(0, 1, n_unlinked)])
    return scores, np.arange(n_linked + n_unlinked) < n_linked


def beta_pairs(n_linked: int, n_unlinked: int, *, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Distances from 0 to 1; overlapping classes of either beta distribution."""
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.beta(2, 6, n_linked), rng.beta(5, 3, n_unlinked)])
    return scores, np.arange(n_linked + n_unlinked) < n_linked


@st.composite
def overlapping_pairs(draw: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances on a grid from 0 to 1 with ties, classes that overlap properly, weights 1 to 3.

    Each class lies on both sides of the other, so that no method may refuse them.
    """
    grid = st.integers(0, 16)
    linked = draw(st.lists(grid, min_size=3, max_size=12))
    unlinked = draw(st.lists(grid, min_size=3, max_size=12))
    inside = [k for k in linked + unlinked if 0 < k < 16]
    assume(len(set(inside)) > 1)
    held = [np.clip(side, min(inside), max(inside)) for side in (linked, unlinked)]
    assume(held[0].min() < held[1].max())
    assume(held[0].max() > held[1].min())
    assume(min(len(set(linked)), len(set(unlinked))) > 1)
    scores = np.array(linked + unlinked) / 16.0
    weights = np.array(
        draw(st.lists(st.integers(1, 3), min_size=len(scores), max_size=len(scores)))
    )
    return scores, np.arange(len(scores)) < len(linked), weights.astype(float)


def cllr(log10_lr: np.ndarray, linked: np.ndarray) -> float:
    """The cost of log likelihood ratios, by its definition."""
    ratio = 10.0**log10_lr
    return float((np.log2(1 + 1 / ratio[linked]).mean() + np.log2(1 + ratio[~linked]).mean()) / 2)
