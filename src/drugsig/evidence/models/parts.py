"""Dealing sources into parts, and fitting without the parts that a pair touches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["deal_sources", "pairs_by_part"]

Places = NDArray[np.integer]


def deal_sources(weights: Places, n_parts: int, rng: np.random.Generator, /) -> Places:
    """Deal sources into parts at random, alike ones evenly.

    Parameters
    ----------
    weights : ndarray of int, shape (n_sources,)
        How many linked pairs each source has, or anything else that makes sources alike. Those
        of equal weight are dealt out one after the other, so that no part lacks them by bad luck.
    n_parts : int
        How many parts.
    rng : numpy.random.Generator
        For the deal.

    Returns
    -------
    ndarray of intp, shape (n_sources,)
        The part of every source.
    """
    n = len(weights)
    order = np.lexsort((rng.random(n), -weights))
    rounds = [rng.permutation(n_parts) for _ in range(-(-n // n_parts))]
    parts = np.empty(n, dtype=np.intp)
    parts[order] = np.concatenate([np.empty(0, np.intp), *rounds])[:n]
    return parts


def pairs_by_part(part_a: Places, part_b: Places, /) -> Iterator[tuple[set[int], Places]]:
    """Yield the pairs that touch the same one or two parts, and these parts.

    Parameters
    ----------
    part_a, part_b : ndarray of intp, shape (n_pairs,)
        The parts of the two sources of every pair.

    Yields
    ------
    parts : set of int
        One part or two.
    places : ndarray of intp
        The pairs.
    """
    if not len(part_a):
        return
    low, high = np.minimum(part_a, part_b), np.maximum(part_a, part_b)
    key = low * (int(high.max()) + 1) + high
    order = np.argsort(key, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        yield {int(low[places[0]]), int(high[places[0]])}, places
