"""Pairs of known source with likelihood ratios that are right by construction."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

__all__ = ["calibrated_pairs", "pairs"]


def calibrated_pairs(
    rng: np.random.Generator, *, n_sources: int = 60, n_profiles: int = 3, within: float = 0.3
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Places of sources and of their profiles are normal, so the true LR of a pair is known.

    Returns log10 LRs, whether linked, and the sources of both profiles.
    """
    centre = np.repeat(rng.standard_normal(n_sources), n_profiles)
    place = centre + within * rng.standard_normal(n_sources * n_profiles)
    source = np.repeat(np.arange(n_sources), n_profiles)
    i, j = np.triu_indices(n_sources * n_profiles, k=1)
    total = 1.0 + within**2
    alike = 1.0 / total
    a, b = place[i], place[j]
    same = (a * a - 2.0 * alike * a * b + b * b) / (total * (1.0 - alike**2))
    different = (a * a + b * b) / total
    log_lr = (different - same - np.log(1.0 - alike**2)) / 2.0
    return log_lr / np.log(10.0), source[i] == source[j], source[i], source[j]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A few pairs of both kinds, with ties; all LRs finite."""
    value = st.integers(-12, 12).map(lambda x: x / 4)
    one = draw(st.lists(value, min_size=1, max_size=12))
    other = draw(st.lists(value, min_size=1, max_size=12))
    values = np.array(one + other)
    linked = np.arange(len(values)) < len(one)
    order = draw(st.permutations(range(len(values))))
    return values[order], linked[order]
