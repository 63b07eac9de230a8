"""How much Cllr changes from one evaluation to another, with an interval by resampling sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig.errors import InputError
from drugsig.evidence.evaluation.evaluation import Evaluation
from drugsig.evidence.pairs import pairs_of_sources
from drugsig.evidence.performance import Estimate
from drugsig.evidence.performance.cllr import costs
from drugsig.evidence.performance.intervals import (
    SourceDraws,
    interval_of,
)
from drugsig.evidence.resampling import source_weights

__all__ = ["PairCosts", "cllr_change", "costs_of", "pair_costs", "same_pairs"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Names = NDArray[np.str_]

_COLUMNS = ("linked", "source_a", "source_b", "item_a", "item_b")


@dataclass(frozen=True, eq=False)
class PairCosts:
    """What the LR of each pair of items of known source costs.

    Attributes
    ----------
    cost : ndarray of float64, shape (n_pairs,)
        In bits: log2(1 + 1/LR) for linked pairs, log2(1 + LR) for unlinked ones; the mean over the
        fold seeds in which the pair was tested.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source.
    source_a, source_b : ndarray of str, shape (n_pairs,)
        The sources of both items.
    item_a, item_b : ndarray of str, shape (n_pairs,)
        The items; each pair comes once.
    """

    cost: Floats
    linked: Flags
    source_a: Names
    source_b: Names
    item_a: Names
    item_b: Names

    def __len__(self) -> int:
        return len(self.linked)

    def at(self, places: NDArray[np.intp] | Flags, /) -> PairCosts:
        """Return some of the pairs.

        Parameters
        ----------
        places : ndarray of int or bool
            Which.
        """
        return PairCosts(
            self.cost[places], **{name: getattr(self, name)[places] for name in _COLUMNS}
        )

    @property
    def both_kinds(self) -> bool:
        """Whether there are linked and unlinked pairs."""
        return bool(self.linked.any() and not self.linked.all())

    @property
    def cllr(self) -> float:
        """The Cllr of the pairs, each counting once; NaN if one kind of pair is missing."""
        if not self.both_kinds:
            return float("nan")
        return float(self.cost[self.linked].mean() + self.cost[~self.linked].mean()) / 2.0


def pair_costs(*evaluations: Evaluation, seeds: Sequence[int] | None = None) -> PairCosts:
    """Return what the reported LR of each pair costs.

    Parameters
    ----------
    *evaluations : Evaluation
        One, or several of items and sources with the same names: a pair counts by its mean cost.
    seeds : sequence of int, optional
        Some of the fold seeds; all by default.
    """
    columns: list[tuple[NDArray[Any], ...]] = []
    for one in evaluations:
        kept = slice(None) if seeds is None else np.isin(one.seed, list(seeds))
        items, sources = np.array(one.items), np.array(one.sources)
        columns.append(
            (
                one.log10_lr("bounded")[kept],
                one.linked[kept],
                sources[one.source_a[kept]],
                sources[one.source_b[kept]],
                items[one.item_a[kept]],
                items[one.item_b[kept]],
            )
        )
    lrs, linked, *names = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return costs_of(lrs, linked, *names)


def costs_of(
    log10_lr: Floats,
    linked: Flags,
    source_a: ArrayLike,
    source_b: ArrayLike,
    item_a: ArrayLike,
    item_b: ArrayLike,
    /,
) -> PairCosts:
    """Return what the LR of each pair costs, a pair that comes several times by its mean cost.

    Parameters
    ----------
    log10_lr : ndarray of float64, shape (n,)
        As reported.
    linked : ndarray of bool, shape (n,)
        Known to share the source.
    source_a, source_b, item_a, item_b : array_like of str, shape (n,)
        Sources and items of both sides.
    """
    columns = [np.asarray(c, dtype=np.str_) for c in (source_a, source_b, item_a, item_b)]
    turned = columns[2] > columns[3]
    a, b, one, other = (
        np.where(turned, columns[y], columns[x]) for x, y in ((0, 1), (1, 0), (2, 3), (3, 2))
    )
    _, numbers = np.unique(np.concatenate([one, other]), return_inverse=True)
    n = len(one)
    key = numbers[:n].astype(np.int64) * (int(numbers.max(initial=0)) + 1) + numbers[n:]
    _, first, place, times = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    total = np.bincount(place, weights=costs(log10_lr, linked), minlength=len(first))
    return PairCosts(total / times, linked[first], a[first], b[first], one[first], other[first])


def same_pairs(first: PairCosts, second: PairCosts, /) -> tuple[PairCosts, PairCosts]:
    """Return the pairs that were tested in both, in one order.

    Parameters
    ----------
    first, second : PairCosts
        Two evaluations of items with the same names.

    Raises
    ------
    InputError
        If a pair is linked in one and unlinked in the other.
    """
    place = {key: k for k, key in enumerate(_keys(second))}
    shared = [(k, place[key]) for k, key in enumerate(_keys(first)) if key in place]
    here = np.array([a for a, _ in shared], dtype=np.intp)
    there = np.array([b for _, b in shared], dtype=np.intp)
    one, other = first.at(here), second.at(there)
    wrong = np.flatnonzero(one.linked != other.linked)
    if len(wrong):
        raise InputError(
            f"{len(wrong)} pair(s), the first '{one.item_a[wrong[0]]}' and "
            f"'{one.item_b[wrong[0]]}', are linked in one evaluation and unlinked in the other: "
            "the two are not of one rule and the same profiles"
        )
    return one, other


def cllr_change(
    first: PairCosts, second: PairCosts, /, *, rng: np.random.Generator, n_resamples: int = 2000
) -> Estimate:
    """Return Cllr of the second less Cllr of the first, with a 95 % interval.

    Parameters
    ----------
    first, second : PairCosts
        Pairs of the same sources; they need not be the same pairs.
    rng : numpy.random.Generator
        For resampling sources: the same ones for both, so that what both share cancels.
    n_resamples : int
        How often.

    Returns
    -------
    Estimate
        NaN where one of them lacks linked or unlinked pairs, or both are infinite.
    """
    if not (first.both_kinds and second.both_kinds):
        return Estimate(float("nan"))
    with np.errstate(invalid="ignore"):
        observed = float(np.subtract(second.cllr, first.cllr))
    names = [np.concatenate([getattr(p, k) for p in (first, second)]) for k in _COLUMNS[:3]]
    both = pairs_of_sources(names[0], names[1], names[2])
    counts = source_weights(len(both.sources), n_resamples, rng)
    drawn = []
    for pairs, part in ((first, slice(0, len(first))), (second, slice(len(first), None))):
        own = replace(
            both, first=both.first[part], second=both.second[part], linked=pairs.linked.copy()
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            sides = [
                SourceDraws(own, counts).means([pairs.cost[pairs.linked == side]], linked=side)[0]
                for side in (True, False)
            ]
        drawn.append((sides[0] + sides[1]) / 2.0)
    with np.errstate(invalid="ignore"):
        return Estimate(observed, interval_of(drawn[1] - drawn[0], observed))


def _keys(pairs: PairCosts) -> list[tuple[str, str]]:
    return list(zip(pairs.item_a.tolist(), pairs.item_b.tolist(), strict=True))
