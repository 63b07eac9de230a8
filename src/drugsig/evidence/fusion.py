"""`Fusion`: one likelihood ratio from several blocks of findings that may depend on each other.

Impurities, isotopes, elements and physical features of one pair each have a likelihood ratio.
Their product is right only if the blocks are independent given the source; blocks that follow the
same cause count it twice. Logistic fusion (Brümmer and others 2007, IEEE Transactions on Audio,
Speech, and Language Processing 15, 2072-2084) learns from pairs of known source how much each
block adds to the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import FrozenArrays, choose, listed, unique_text
from drugsig._files import FORMATS, check_format
from drugsig._notes import Note, emit, notes_from_data
from drugsig._repr import html_table
from drugsig.errors import InputError
from drugsig.evidence.calibration.curve import finite_numbers
from drugsig.evidence.calibration.logit import fit_logit
from drugsig.evidence.calibration.training import (
    balanced,
    checked_labels,
    count_sources,
)
from drugsig.evidence.pairs import checked_weights

__all__ = ["FUSION_METHODS", "Fusion", "FusionPattern", "fit_fusion"]

Floats = NDArray[np.float64]

FUSION_METHODS = ("logistic", "logistic_firth")

# Pairs of either class for every number that is fitted (Peduzzi and others 1996, Journal of
# Clinical Epidemiology 49, 1373-1379).
PAIRS_A_NUMBER = 10

# Every subset of the blocks gets a fit of its own.
MOST_BLOCKS = 6

_LN10 = float(np.log(10.0))
_FORMAT = "drugsig fusion"


@dataclass(frozen=True, eq=False, repr=False)
class FusionPattern(FrozenArrays):
    """How the blocks of one pattern are fused: log10 LR = intercept + sum of weight x log10 LR.

    Attributes
    ----------
    blocks : tuple of str
        The blocks that were measured.
    intercept : float
        In log10.
    weights : ndarray of float64, shape (n_blocks,)
        At least 0. 1 for a calibrated block that is independent of the others; less where they
        say the same.
    low, high : ndarray of float64, shape (n_blocks,)
        The log10 LRs it was fitted to; one beyond them counts as the nearest of them.
    n_linked, n_unlinked : int
        Pairs it was fitted to: those in which these blocks, and perhaps others, were measured.
    n_linked_sources : int or None
        The sources behind the linked ones; None where they were not told.
    """

    blocks: tuple[str, ...]
    intercept: float
    weights: Floats
    low: Floats
    high: Floats
    n_linked: int
    n_unlinked: int
    n_linked_sources: int | None

    def __repr__(self) -> str:
        terms = " + ".join(
            f"{weight:.3g} {block}" for weight, block in zip(self.weights, self.blocks, strict=True)
        )
        return f"<FusionPattern {self.intercept:.3g} + {terms}>"


@dataclass(frozen=True, eq=False, repr=False)
class Fusion:
    """One log10 likelihood ratio from those of several blocks.

    Made by `fit_fusion`.

    Attributes
    ----------
    block_names : tuple of str
        The blocks, in the order of the columns.
    method : {"logistic", "logistic_firth"}
        How it was fitted.
    patterns : tuple of FusionPattern
        One for every combination of blocks that was measured together in enough pairs.
    lacking : dict of tuple of str to tuple of int
        The other combinations, and how many linked and unlinked pairs there were of them.
    notes : tuple of Note
        What a reader must know before using it.
    """

    block_names: tuple[str, ...]
    method: str
    patterns: tuple[FusionPattern, ...]
    lacking: dict[tuple[str, ...], tuple[int, int]]
    notes: tuple[Note, ...]

    def __getitem__(self, blocks: str | tuple[str, ...]) -> FusionPattern:
        wanted = {blocks} if isinstance(blocks, str) else set(blocks)
        for name in sorted(wanted):
            choose(name, self.block_names, what="block")
        for pattern in self.patterns:
            if set(pattern.blocks) == wanted:
                return pattern
        raise InputError(self._why_not(tuple(b for b in self.block_names if b in wanted)))

    def can_fuse(self, log10_lr: ArrayLike, /) -> NDArray[np.bool_]:
        """Say for which pairs the combination of measured blocks was learned.

        Parameters
        ----------
        log10_lr : array_like of float, shape (n_pairs, n_blocks)
            NaN where a block was not measured.
        """
        codes = _codes(self._checked(log10_lr))
        return np.isin(codes, [self._code(p.blocks) for p in self.patterns])

    def log10_lr(self, log10_lr: ArrayLike, /) -> Floats:
        """Return the fused log10 likelihood ratio of every pair.

        Parameters
        ----------
        log10_lr : array_like of float, shape (n_pairs, n_blocks)
            Of the blocks in the order of `block_names`; NaN where a block was not measured.

        Returns
        -------
        ndarray of float64, shape (n_pairs,)
            Finite.

        Raises
        ------
        InputError
            If a value is infinite, or if a pair has a combination of blocks that was not learned,
            or none: see `can_fuse`.
        """
        values = self._checked(log10_lr)
        codes = _codes(values)
        out = np.full(len(values), np.nan)
        for pattern in self.patterns:
            here = codes == self._code(pattern.blocks)
            columns = [self.block_names.index(block) for block in pattern.blocks]
            held = np.clip(values[np.ix_(here, columns)], pattern.low, pattern.high)
            out[here] = pattern.intercept + held @ pattern.weights
        unknown = np.isnan(out)
        if unknown.any():
            k = int(np.flatnonzero(unknown)[0])
            blocks = tuple(
                name
                for name, value in zip(self.block_names, values[k], strict=True)
                if not np.isnan(value)
            )
            raise InputError(
                f"{int(unknown.sum())} of {len(values)} pair(s) cannot be fused, the first at "
                f"place {k}: {self._why_not(blocks)} Fusion.can_fuse says which pairs can be."
            )
        return out

    def to_data(self) -> dict[str, Any]:
        """Return the fusion as data for a JSON file, which `from_data` reads."""
        return {
            "format": _FORMAT,
            "version": FORMATS[_FORMAT],
            "method": self.method,
            "block_names": list(self.block_names),
            "patterns": [
                {
                    "blocks": list(p.blocks),
                    "intercept": p.intercept,
                    "weights": p.weights.tolist(),
                    "low": p.low.tolist(),
                    "high": p.high.tolist(),
                    "n_linked": p.n_linked,
                    "n_unlinked": p.n_unlinked,
                    "n_linked_sources": p.n_linked_sources,
                }
                for p in self.patterns
            ],
            "lacking": [
                {"blocks": list(blocks), "n_linked": counts[0], "n_unlinked": counts[1]}
                for blocks, counts in self.lacking.items()
            ],
            "notes": [note.content for note in self.notes],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Fusion:
        """Read a fusion from data.

        Raises
        ------
        InputError
            If it is no fusion, one of a later version, or damaged.
        """
        check_format(data, _FORMAT, refuse=lambda why: InputError(f"this {why}"))
        try:
            return cls(
                block_names=unique_text(data["block_names"], what="block names"),
                method=choose(data["method"], FUSION_METHODS, what="fusion method"),
                patterns=tuple(_pattern_from(stored) for stored in data["patterns"]),
                lacking={
                    tuple(stored["blocks"]): (stored["n_linked"], stored["n_unlinked"])
                    for stored in data["lacking"]
                },
                notes=notes_from_data(data["notes"]),
            )
        except KeyError as error:
            raise InputError(f"a stored fusion lacks {error}. Write the file anew.") from error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fusion):
            return NotImplemented
        return self.to_data() == other.to_data()

    __hash__ = None  # type: ignore[assignment]  # compared by content

    def __repr__(self) -> str:
        return (
            f"<Fusion of {listed(self.block_names)}: {len(self.patterns)} of "
            f"{2 ** len(self.block_names) - 1} combinations of blocks learned>"
        )

    def _repr_html_(self) -> str:
        rows = []
        for pattern in self.patterns:
            weight = dict(zip(pattern.blocks, pattern.weights, strict=True))
            weights = (weight.get(name) for name in self.block_names)
            rows.append((pattern.intercept, *weights, pattern.n_linked, pattern.n_unlinked))
        return html_table(
            rows,
            head=("intercept", *self.block_names, "linked pairs", "unlinked pairs"),
            caption="Fusion: weights of log10 LR by measured blocks",
            digits=".3g",
        )

    def _checked(self, log10_lr: ArrayLike) -> Floats:
        return _block_values(log10_lr, self.block_names)

    def _code(self, blocks: tuple[str, ...]) -> int:
        return sum(2 ** self.block_names.index(block) for block in blocks)

    def _why_not(self, blocks: tuple[str, ...]) -> str:
        if not blocks:
            return "no block was measured, and nothing measured is no evidence."
        linked, unlinked = self.lacking.get(blocks, (0, 0))
        needed = PAIRS_A_NUMBER * (len(blocks) + 1)
        return (
            f"{listed(blocks)} were measured together in {linked} linked and {unlinked} unlinked "
            f"training pairs, and {needed} of each are needed. Leave a block out (NaN), or measure "
            "more pairs of known source."
        )


def fit_fusion(
    log10_lr: ArrayLike,
    linked: ArrayLike,
    block_names: Sequence[str],
    /,
    *,
    method: str = "logistic",
    weights: ArrayLike | None = None,
    source_a: ArrayLike | None = None,
    source_b: ArrayLike | None = None,
) -> Fusion:
    """Learn how much each block of findings adds to the others.

    Every combination of blocks gets weights of its own, from all pairs in which these blocks were
    measured, whatever else was: a block that is missing is not a finding. (Where a block was
    measured only because a link was suspected that is not so; then its pairs do not represent the
    others.) Weights are not negative, so that no block that speaks for a common source lowers
    the fused ratio, and the classes weigh the same whatever their numbers.

    Parameters
    ----------
    log10_lr : array_like of float, shape (n_pairs, n_blocks)
        Of each block, for pairs that were not used to fit its model; NaN where a block was not
        measured.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    block_names : sequence of str
        What the blocks are called.
    method : {"logistic", "logistic_firth"}
        Maximum likelihood, which refuses separated classes, or with Firth's penalty.
    weights : array_like of float, shape (n_pairs,), optional
        How often each pair counts, from 0.
    source_a, source_b : array_like, shape (n_pairs,), optional
        The sources of the two profiles, as numbers or names: they are counted.

    Returns
    -------
    Fusion
        To be judged on pairs of other sources.

    Raises
    ------
    InputError
        If the pairs cannot be used, if a value is infinite, if no combination of blocks has
        enough pairs, or if the blocks separate linked from unlinked pairs.

    Warns
    -----
    SmallSampleWarning
        If there are fewer than 30 linked sources behind a combination.
    """
    choose(method, FUSION_METHODS, what="fusion method")
    names = unique_text(block_names, what="block names")
    if not 1 <= len(names) <= MOST_BLOCKS:
        raise InputError(
            f"1 to {MOST_BLOCKS} blocks can be fused, got {len(names)}. Fuse those that belong "
            "together first, and the results after."
        )
    values = _block_values(log10_lr, names)
    labels = checked_labels(linked, len(values))
    counted = checked_weights(weights, labels)
    patterns: list[FusionPattern] = []
    lacking: dict[tuple[str, ...], tuple[int, int]] = {}
    notes: list[Note] = []
    for size in range(1, len(names) + 1):
        for columns in itertools.combinations(range(len(names)), size):
            blocks = tuple(names[k] for k in columns)
            used = ~np.isnan(values[:, columns]).any(axis=1) & (counted > 0)
            counts = int((used & labels).sum()), int((used & ~labels).sum())
            if min(counts) < PAIRS_A_NUMBER * (size + 1):
                lacking[blocks] = counts
                continue
            sources = count_sources(labels, counted * used, source_a, source_b)
            notes += sources.notes(f"fusion of {listed(blocks)}")
            patterns.append(
                _fitted(
                    values[used][:, list(columns)],
                    labels[used],
                    counted[used],
                    blocks,
                    method,
                    sources.n_linked,
                )
            )
    if not patterns:
        raise InputError(
            f"no combination of {listed(names)} was measured in {2 * PAIRS_A_NUMBER} linked and "
            f"{2 * PAIRS_A_NUMBER} unlinked pairs; there are {int(labels.sum())} linked and "
            f"{int((~labels).sum())} unlinked pairs in all. Fusion needs pairs of known source."
        )
    # One of them stands for all.
    emit(notes[:1])
    return Fusion(
        block_names=names,
        method=method,
        patterns=tuple(patterns),
        lacking=lacking,
        notes=tuple(notes),
    )


def _fitted(
    values: Floats,
    labels: NDArray[np.bool_],
    weights: Floats,
    blocks: tuple[str, ...],
    method: str,
    n_linked_sources: int | None,
) -> FusionPattern:
    low, high = values.min(axis=0), values.max(axis=0)
    varying = low < high
    slopes, intercept = np.zeros(len(blocks)), 0.0
    if varying.any():
        try:
            fit = fit_logit(
                values[:, varying],
                labels,
                balanced(weights, labels),
                nonnegative=np.ones(int(varying.sum()), dtype=bool),
                penalised=method == "logistic_firth",
            )
        except InputError as error:
            error.add_note(f"The blocks are {listed(blocks)}.")
            raise
        if fit.separated:
            raise InputError(
                f"the blocks {listed(blocks)} separate all {int(labels.sum())} linked from all "
                f"{int((~labels).sum())} unlinked pairs, and plain logistic fusion would make "
                "likelihood ratios without limit of them. Take method='logistic_firth', or add "
                "pairs."
            )
        slopes[varying], intercept = fit.coefficients, fit.intercept / _LN10
    return FusionPattern(
        blocks=blocks,
        intercept=intercept,
        weights=slopes / _LN10,
        low=low,
        high=high,
        n_linked=int(labels.sum()),
        n_unlinked=int((~labels).sum()),
        n_linked_sources=n_linked_sources,
    )


def _block_values(log10_lr: ArrayLike, names: tuple[str, ...]) -> Floats:
    values = np.array(log10_lr, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise InputError(
            f"log10 LRs of blocks must have one row a pair and one column for each of "
            f"{listed(names)}, got shape {values.shape}"
        )
    infinite = np.isinf(values)
    if infinite.any():
        row, column = (int(k) for k in np.argwhere(infinite)[0])
        raise InputError(
            f"{int(infinite.sum())} log10 LR(s) are infinite, the first of block "
            f"'{names[column]}' at place {row}: one such block would decide alone. Calibrate the "
            "blocks first; a block that was not measured is NaN."
        )
    return values


def _codes(values: Floats) -> NDArray[np.int64]:
    """Number the combinations of measured blocks."""
    return (~np.isnan(values)) @ (2 ** np.arange(values.shape[1], dtype=np.int64))


def _pattern_from(stored: Mapping[str, Any]) -> FusionPattern:
    blocks = unique_text(stored["blocks"], what="blocks of a stored fusion")
    shape = (len(blocks),)
    return FusionPattern(
        blocks=blocks,
        intercept=float(finite_numbers(stored, "intercept", shape=())),
        weights=finite_numbers(stored, "weights", shape=shape),
        low=finite_numbers(stored, "low", shape=shape),
        high=finite_numbers(stored, "high", shape=shape),
        n_linked=stored["n_linked"],
        n_unlinked=stored["n_unlinked"],
        n_linked_sources=stored["n_linked_sources"],
    )
