"""The directions in which profiles are compared: principal components, then whitening.

After the whitening replicates of a source have unit variance and the source means are
uncorrelated, so that every density of the model is a product over directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from drugsig._check import listed
from drugsig.errors import InputError

__all__ = ["Directions", "principal_basis", "simultaneous_directions"]

Floats = NDArray[np.float64]

# The least eigenvalue of the correlations within sources: below it they are singular.
SINGULAR = 1e-12

# A variance between sources this much smaller than the largest is rounding of zero.
_NO_VARIANCE = 1e-12


@dataclass(frozen=True)
class Directions:
    """The whitened directions.

    Parameters
    ----------
    basis : ndarray of float64, shape (p, r)
        Profiles times this are coordinates with unit variance within sources.
    ratios : ndarray of float64, shape (r,)
        The variance between sources in each, in units of that within; largest first.
    n_dropped : int
        Directions left out, because the sources differ in them no more than replicates do.
    """

    basis: Floats
    ratios: Floats
    n_dropped: int


def principal_basis(of_means: Floats, total: Floats, components: int | float, /) -> Floats:
    """Return the first principal components of source means, shape (p, r).

    Each target is scaled by its total standard deviation first, so that units do not matter.

    Parameters
    ----------
    of_means : ndarray of float64, shape (p, p)
        The covariance of the means of sources.
    total : ndarray of float64, shape (p,)
        The variance of each target over all profiles.
    components : int or float
        How many, or the share of the variance that they must reach.

    Raises
    ------
    InputError
        If there are not as many.
    """
    scale = 1.0 / np.sqrt(total)
    sizes, vectors = np.linalg.eigh(of_means * np.outer(scale, scale))
    sizes, vectors = np.maximum(sizes[::-1], 0.0), vectors[:, ::-1]
    available = int((sizes > sizes[0] * _NO_VARIANCE).sum())
    if isinstance(components, int):
        wanted = components
    else:
        reached = np.cumsum(sizes) / sizes.sum()
        wanted = int(np.searchsorted(reached, components) + 1)
    if wanted > available:
        raise InputError(
            f"{wanted} principal components were asked for, but the sources vary in {available} "
            f"directions only ({len(total)} targets). Ask for {available} or fewer."
        )
    return np.ascontiguousarray(scale[:, None] * vectors[:, :wanted])


def simultaneous_directions(
    within: Floats, between: Floats, /, *, names: Sequence[str], basis: Floats | None
) -> Directions:
    """Make the within covariance the identity and the between covariance diagonal at once.

    A direction in which the estimated variance between sources is not positive has none: this
    is the non-negative estimate of Amemiya (Amer. Statist. 39 (1985) 112). Both propositions
    then give it the same probability, and it is left out.

    Parameters
    ----------
    within, between : ndarray of float64, shape (p, p)
        The covariances.
    names : sequence of str, length p
        The targets, for messages.
    basis : ndarray of float64, shape (p, r), or None
        Components to which profiles are reduced first.

    Raises
    ------
    InputError
        If the within covariance is singular, or the sources do not differ at all.
    """
    if basis is None:
        basis = np.eye(len(within))
        parts = list(names)
    else:
        within, between = basis.T @ within @ basis, basis.T @ between @ basis
        parts = [f"component {k + 1}" for k in range(basis.shape[1])]
    scale = 1.0 / np.sqrt(np.diagonal(within))
    _check_regular(within * np.outer(scale, scale), parts)
    # Scaled first: targets in very different units would cost digits.
    ratios, vectors = eigh(between * np.outer(scale, scale), within * np.outer(scale, scale))
    ratios, vectors = ratios[::-1], scale[:, None] * vectors[:, ::-1]
    kept = ratios > max(float(ratios[0]), 0.0) * _NO_VARIANCE
    if not kept.any():
        raise InputError(
            "the sources do not differ more than the replicates of one source, in no direction of "
            f"{listed(parts)}: there is nothing that could tell them apart. Check that the sources "
            "are given at the right level and that the targets are those meant."
        )
    return Directions(
        np.ascontiguousarray(basis @ vectors[:, kept]),
        np.ascontiguousarray(ratios[kept]),
        int((~kept).sum()),
    )


def _check_regular(correlations: Floats, names: Sequence[str]) -> None:
    sizes, vectors = np.linalg.eigh(correlations)
    if sizes[0] > SINGULAR:
        return
    part = np.abs(vectors[:, 0])
    guilty = [name for name, size in zip(names, part, strict=True) if size > 0.1 * part.max()]
    raise InputError(
        "the within-source covariance is singular: within sources, "
        f"{listed(guilty)} depend on each other (least eigenvalue of the correlations "
        f"{float(sizes[0]):.2g}). Values that add up to a constant, as after a sum normalisation, "
        "do so always: leave one of these targets out or take log-ratios; or reduce the targets "
        "with components=, or stabilise the estimate with shrinkage='schafer_strimmer'."
    )
