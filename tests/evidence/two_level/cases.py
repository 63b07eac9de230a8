"""Backgrounds drawn from the two-level model, and its likelihood ratio by definition."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from drugsig.errors import DrugsigWarning
from drugsig.evidence.two_level import TwoLevelModel, fit_two_level


def drawn(
    m: int = 60, p: int = 3, *, seed: int = 0, counts: tuple[int, ...] = (3,), ratio: float = 5.0
) -> tuple[np.ndarray, list[str]]:
    """Profiles of m sources; `ratio` is the standard deviation between over that within."""
    rng = np.random.default_rng(seed)
    within = np.eye(p) + 0.4 * (np.ones((p, p)) - np.eye(p))
    mixing = np.linalg.cholesky(within)
    n = np.resize(counts, m)
    turned, _ = np.linalg.qr(rng.normal(size=(p, p)))
    means = ratio * (rng.normal(size=(m, p)) * np.linspace(0.6, 1.4, p)) @ turned
    values = np.repeat(means, n, axis=0) + rng.normal(size=(n.sum(), p)) @ mixing.T
    return values + np.arange(p), [f"s{k:03d}" for k in np.repeat(np.arange(m), n)]


def fitted(values: np.ndarray, sources: list[str], **options: object) -> TwoLevelModel:
    """A model, without the warnings that a small example gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return fit_two_level(values, sources, replicate_level="unit", **options)  # type: ignore[arg-type]


def log10_lr_by_definition(model: TwoLevelModel, a: np.ndarray, b: np.ndarray) -> float:
    """The LR of all replicates, from their joint densities: no means, no whitening."""
    if model.bandwidth is None:
        centres, spread = model.mean[None, :], model.between
    else:
        centres, spread = model.source_means, model.bandwidth**2 * model.between

    def log_density(values: np.ndarray) -> float:
        n = len(values)
        joint = np.kron(np.eye(n), model.within) + np.kron(np.ones((n, n)), spread)
        each = [
            multivariate_normal.logpdf(values.ravel(), np.tile(centre, n), joint)
            for centre in centres
        ]
        return float(logsumexp(each) - np.log(len(centres)))

    together = log_density(np.vstack([a, b]))
    return (together - log_density(a) - log_density(b)) / float(np.log(10.0))
