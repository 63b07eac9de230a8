"""Typicality: how common profiles like these are, which a difference alone cannot say.

A score that only measures the difference of two profiles treats all equal differences alike. Yet
two profiles that differ by as much as two measurements of one batch do mean little where half of
all batches look like them, and much where none does: a difference-only ratio is right on average
over all pairs, overstates the evidence for common profiles and understates it for rare ones
(Morrison and Enzinger 2018, Science & Justice 58, 47-58). The ratio proper is

    LR = f(difference given one source) / f(profiles like these among sources),

and its denominator is the density of the population where the two profiles lie. `pair_typicality`
estimates that density by the nearest sources of a background, and `fit_typicality` calibrates
score and typicality together:

    log10 LR = intercept + slope x score + typicality_slope x typicality,

the second slope as a rule negative. Where typicality adds nothing its slope is near 0, and the
result is that of the difference alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import choose, float_matrix, whole_number
from drugsig._files import FORMATS, check_format
from drugsig._notes import Note, emit, notes_from_data
from drugsig._repr import html_table
from drugsig.comparison.metrics import Metric
from drugsig.errors import InputError
from drugsig.evidence.calibration.curve import finite_numbers
from drugsig.evidence.calibration.logit import fit_logit
from drugsig.evidence.calibration.training import (
    KINDS,
    Kind,
    checked_labels,
    count_sources,
    training_pairs,
)
from drugsig.evidence.pairs import checked_weights

__all__ = [
    "DEFAULT_NEAREST",
    "TYPICALITY_METHODS",
    "TypicalAsStronger",
    "TypicalityCalibration",
    "fit_typicality",
    "pair_typicality",
]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# So few that they lie where the profiles do, so many that no one of them decides.
DEFAULT_NEAREST = 10

TYPICALITY_METHODS = ("logistic", "logistic_firth")

_LN10 = float(np.log(10.0))
_FORMAT = "drugsig typicality calibration"

# Pairs looked at together; bounds the memory.
_BLOCK_PAIRS = 200_000


def pair_typicality(
    distances: ArrayLike,
    background_sources: ArrayLike,
    /,
    *,
    rows: ArrayLike,
    columns: ArrayLike,
    sources: ArrayLike | None = None,
    n_nearest: int = DEFAULT_NEAREST,
) -> Floats:
    """Return how typical the two profiles of each pair are of a background.

    The typicality of a profile is minus the log10 of its mean distance to the nearest background
    sources: the logarithm of a density, but for a constant and a factor (Loftsgaarden and
    Quesenberry 1965, Annals of Mathematical Statistics 36, 1049-1051). The distance to a source
    is the mean over its profiles, so that a source measured often counts once. A pair gets the
    mean of its two profiles. Both sources of the pair are left out of the background of both
    profiles, so that linked pairs do not look rarer or more typical for being linked.

    Parameters
    ----------
    distances : array_like of float, shape (n_profiles, n_background)
        From every profile to every background profile, 0 for identical ones: of a similarity
        take ``metric.as_distance(scores)``. NaN where undefined.
    background_sources : array_like, shape (n_background,)
        The source of every background profile, as numbers or names.
    rows, columns : array_like of int, shape (n_pairs,)
        The two profiles of each pair, as rows of `distances`.
    sources : array_like, shape (n_profiles,), optional
        The source of every profile, in the same numbers or names; None if none of them is in the
        background.
    n_nearest : int
        How many of the nearest sources count.

    Returns
    -------
    ndarray of float64, shape (n_pairs,)
        Large for typical profiles, in log10 of the distance.

    Raises
    ------
    InputError
        If shapes do not fit, a distance is negative, fewer sources than `n_nearest` are left, or
        a profile seems to be in the background though no sources were given.

    Examples
    --------
    Profiles 0 and 1 have two background sources near, profile 2 has none.

    >>> distances = [[0.1, 0.1, 9.0], [0.1, 0.1, 9.0], [9.0, 9.0, 10.0]]
    >>> pair_typicality(
    ...     distances, ["A", "B", "C"], rows=[0, 0], columns=[1, 2], n_nearest=2
    ... ).round(3).tolist()
    [1.0, 0.023]
    """
    table = float_matrix(distances, what="distances to the background", allow_nan=True)
    if (table < 0).any():
        raise InputError(
            f"{int((table < 0).sum())} distance(s) to the background are negative. Are they "
            "similarities? Take metric.as_distance(scores)."
        )
    first, second = _places(rows, len(table), "rows"), _places(columns, len(table), "columns")
    if first.shape != second.shape:
        raise InputError(f"{len(first)} rows and {len(second)} columns are no pairs")
    per_source, own = _per_source(table, background_sources, sources)
    n_sources = per_source.shape[1]
    n_nearest = whole_number(n_nearest, what="n_nearest", least=1)
    # Two sources of a pair may be among the nearest, so two more are kept at hand.
    order = np.argsort(per_source, axis=1, kind="stable")[:, : n_nearest + 2]
    near = np.take_along_axis(per_source, order, axis=1)
    positive = table[table > 0]
    floor = float(positive.min()) / 2.0 if len(positive) else 1.0
    out = np.zeros(len(first))
    for start in range(0, len(first), _BLOCK_PAIRS):
        part = slice(start, start + _BLOCK_PAIRS)
        a, b = first[part], second[part]
        for one in (a, b):
            there = ~np.isnan(near[one])
            there &= (order[one] != own[a][:, None]) & (order[one] != own[b][:, None])
            taken = there & (np.cumsum(there, axis=1) <= n_nearest)
            if (taken.sum(axis=1) < n_nearest).any():
                raise InputError(
                    f"of {n_sources} background sources fewer than n_nearest = {n_nearest} are "
                    "left for a pair, its own sources and undefined distances aside. Take a "
                    "larger background, or a smaller n_nearest."
                )
            mean = np.where(taken, near[one], 0.0).sum(axis=1) / n_nearest
            # A profile that a whole neighbourhood equals is as typical as can be told.
            out[part] -= np.log10(np.maximum(mean, floor)) / 2.0
    return out


@dataclass(frozen=True)
class TypicalAsStronger(Note):
    """Pairs of typical profiles come out as the stronger evidence.

    Use the calibration of the score alone, or add pairs of known source.
    """

    code: ClassVar[str] = "typical-as-stronger"

    def __str__(self) -> str:
        return (
            "Pairs of typical profiles come out as the stronger evidence, the wrong way round: "
            "rare profiles may vary more within their source, or the pairs are too few. Look at "
            "fit_calibration of the score alone."
        )


@dataclass(frozen=True, eq=False, repr=False)
class TypicalityCalibration:
    """From a score and a typicality to a log10 likelihood ratio.

    Made by `fit_typicality`. A value beyond those it was fitted to counts as the nearest of them.

    Attributes
    ----------
    method : {"logistic", "logistic_firth"}
        How it was fitted.
    kind : {"similarity", "distance"}
        Whether large scores mean alike or unlike.
    intercept, slope, typicality_slope : float
        Of log10 LR = intercept + slope x score + typicality_slope x typicality.
    range : tuple of float
        The least and the largest score it was fitted to.
    typicality_range : tuple of float
        The least and the largest typicality it was fitted to.
    n_linked, n_unlinked : int
        Pairs it was fitted to.
    n_linked_sources : int or None
        The sources behind the linked ones; None where they were not told.
    notes : tuple of Note
        What a reader must know before using it.
    """

    method: str
    kind: Kind
    intercept: float
    slope: float
    typicality_slope: float
    range: tuple[float, float]
    typicality_range: tuple[float, float]
    n_linked: int
    n_unlinked: int
    n_linked_sources: int | None
    notes: tuple[Note, ...]

    def log10_lr(self, scores: ArrayLike, typicality: ArrayLike, /) -> Floats:
        """Return the log10 likelihood ratio of every pair.

        Parameters
        ----------
        scores : array_like of float, shape (n_pairs,)
            NaN for a pair without a score.
        typicality : array_like of float, shape (n_pairs,)
            From `pair_typicality`, with the same background and number of nearest sources.

        Returns
        -------
        ndarray of float64, shape (n_pairs,)
            NaN where an input is NaN, else finite.
        """
        s, t = np.array(scores, dtype=np.float64), np.array(typicality, dtype=np.float64)
        if s.shape != t.shape:
            raise InputError(
                f"{s.shape} scores and {t.shape} typicalities are not of the same pairs"
            )
        return np.asarray(
            self.intercept
            + self.slope * np.clip(s, *self.range)
            + self.typicality_slope * np.clip(t, *self.typicality_range),
            dtype=np.float64,
        )

    def to_data(self) -> dict[str, Any]:
        """Return the calibration as data for a JSON file, which `from_data` reads."""
        return {
            "format": _FORMAT,
            "version": FORMATS[_FORMAT],
            "method": self.method,
            "kind": self.kind,
            "intercept": self.intercept,
            "slope": self.slope,
            "typicality_slope": self.typicality_slope,
            "range": list(self.range),
            "typicality_range": list(self.typicality_range),
            "n_linked": self.n_linked,
            "n_unlinked": self.n_unlinked,
            "n_linked_sources": self.n_linked_sources,
            "notes": [note.content for note in self.notes],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> TypicalityCalibration:
        """Read a calibration from data.

        Raises
        ------
        InputError
            If it is no such calibration, one of a later version, or damaged.
        """
        check_format(data, _FORMAT, refuse=lambda why: InputError(f"this {why}"))
        numbers = {
            key: float(finite_numbers(data, key, shape=()))
            for key in ("intercept", "slope", "typicality_slope")
        }
        low, high = (float(end) for end in finite_numbers(data, "range", shape=(2,)))
        least, most = (float(end) for end in finite_numbers(data, "typicality_range", shape=(2,)))
        try:
            kind = choose(data["kind"], KINDS, what="kind of score")
            return cls(
                method=choose(data["method"], TYPICALITY_METHODS, what="method"),
                kind="similarity" if kind == "similarity" else "distance",
                range=(low, high),
                typicality_range=(least, most),
                n_linked=data["n_linked"],
                n_unlinked=data["n_unlinked"],
                n_linked_sources=data["n_linked_sources"],
                notes=notes_from_data(data["notes"]),
                **numbers,
            )
        except KeyError as error:
            raise InputError(
                f"a stored typicality calibration lacks {error}. Write the file anew."
            ) from error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TypicalityCalibration):
            return NotImplemented
        return self.to_data() == other.to_data()

    __hash__ = None  # type: ignore[assignment]  # compared by content

    def __repr__(self) -> str:
        return (
            f"<TypicalityCalibration log10 LR = {self.intercept:.3g} {self.slope:+.3g} score "
            f"{self.typicality_slope:+.3g} typicality; {self.n_linked} linked and "
            f"{self.n_unlinked} unlinked pairs>"
        )

    def _repr_html_(self) -> str:
        formula = (
            f"{self.intercept:.4g} {self.slope:+.4g} score {self.typicality_slope:+.4g} typicality"
        )
        rows = [
            ("log10 LR", formula),
            ("scores", f"a {self.kind} from {self.range[0]:.6g} to {self.range[1]:.6g}"),
            ("linked pairs", str(self.n_linked)),
            ("unlinked pairs", str(self.n_unlinked)),
            *(("mind", note.text) for note in self.notes),
        ]
        return html_table(rows)


def fit_typicality(
    scores: ArrayLike,
    typicality: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    method: str = "logistic",
    metric: Metric | str | None = None,
    kind: str | None = None,
    weights: ArrayLike | None = None,
    source_a: ArrayLike | None = None,
    source_b: ArrayLike | None = None,
) -> TypicalityCalibration:
    """Calibrate a score together with the typicality of the pair.

    Both classes weigh the same, and the slope of the score never points the wrong way. The form
    is exact for normal variation within sources when the score is a squared Euclidean distance of
    whitened profiles, up to how well the nearest sources tell the density.

    Parameters
    ----------
    scores : array_like of float, shape (n_pairs,)
        Finite scores of pairs of known source.
    typicality : array_like of float, shape (n_pairs,)
        From `pair_typicality`.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    method : {"logistic", "logistic_firth"}
        Maximum likelihood, which refuses separated classes, or with Firth's penalty.
    metric : Metric or str, optional
        What the scores mean.
    kind : {"similarity", "distance"}, optional
        The direction where there is no metric.
    weights : array_like of float, shape (n_pairs,), optional
        How often each pair counts, from 0.
    source_a, source_b : array_like, shape (n_pairs,), optional
        The sources of the two profiles, as numbers or names: they are counted.

    Returns
    -------
    TypicalityCalibration
        To be judged on pairs of other sources.

    Raises
    ------
    InputError
        If the pairs cannot be used, if all are equally typical, or if score and typicality
        separate linked from unlinked pairs.

    Warns
    -----
    SmallSampleWarning
        If there are fewer than 30 linked sources.
    DataWarning
        If typical pairs come out as the stronger evidence, which is the wrong way round.
    """
    choose(method, TYPICALITY_METHODS, what="method")
    labels = checked_labels(linked, np.shape(scores)[0] if np.ndim(scores) else 0)
    counted = checked_weights(weights, labels)
    pairs = training_pairs(scores, labels, metric=metric, kind=kind, weights=counted)
    common = np.array(typicality, dtype=np.float64)
    if common.shape != labels.shape or not np.isfinite(common).all():
        raise InputError(
            f"typicality must be one finite number a pair, {len(labels)}, got shape {common.shape} "
            f"with {int((~np.isfinite(common)).sum())} that are not finite"
        )
    common = common[counted > 0]
    if common.min() == common.max():
        raise InputError(
            f"all pairs have a typicality of {common[0]:.6g}: it says nothing. Take "
            "fit_calibration, or a smaller n_nearest."
        )
    fit = fit_logit(
        np.column_stack([pairs.similarities, common]),
        pairs.linked,
        pairs.balanced_weights,
        nonnegative=np.array([True, False]),
        penalised=method == "logistic_firth",
    )
    if fit.separated:
        raise InputError(
            f"score and typicality together separate all {int(pairs.linked.sum())} linked from "
            f"all {int((~pairs.linked).sum())} unlinked pairs, and their slopes would be infinite. "
            "Take method='logistic_firth', or add pairs."
        )
    slopes = fit.coefficients / _LN10
    sources = count_sources(labels, counted, source_a, source_b)
    notes = [*sources.notes("calibration"), *([TypicalAsStronger()] if slopes[1] > 0 else [])]
    emit(notes)
    return TypicalityCalibration(
        method=method,
        kind=pairs.kind,
        intercept=fit.intercept / _LN10,
        slope=pairs.sign * float(slopes[0]),
        typicality_slope=float(slopes[1]),
        range=(float(pairs.scores.min()), float(pairs.scores.max())),
        typicality_range=(float(common.min()), float(common.max())),
        n_linked=int(pairs.linked.sum()),
        n_unlinked=int((~pairs.linked).sum()),
        n_linked_sources=sources.n_linked,
        notes=tuple(notes),
    )


def _per_source(
    table: Floats, background_sources: ArrayLike, sources: ArrayLike | None
) -> tuple[Floats, Places]:
    """Return mean distances, shape (n_profiles, n_sources), and each profile's own column or -1."""
    names = np.array(background_sources)
    if names.shape != (table.shape[1],):
        raise InputError(
            f"background_sources must have one entry a background profile, {table.shape[1]}, got "
            f"shape {names.shape}"
        )
    known, members = np.unique(names, return_inverse=True)
    if sources is None:
        if (table == 0).any():
            row, column = (int(k) for k in np.argwhere(table == 0)[0])
            raise InputError(
                f"profile {row} is identical to background profile {column}: if it is that "
                "profile, its own source makes it look typical. Give sources=..., the source of "
                "every profile, and its own is left out."
            )
        own = np.full(len(table), -1, dtype=np.intp)
    else:
        mine = np.array(sources)
        if mine.shape != (len(table),):
            raise InputError(
                f"sources must have one entry a profile, {len(table)}, got shape {mine.shape}"
            )
        if (mine.dtype.kind in "US") != (names.dtype.kind in "US"):
            raise InputError(
                "the sources of the profiles and of the background must both be numbers or both "
                f"names, got arrays of {mine.dtype} and {names.dtype}: none would be found again"
            )
        place = np.minimum(np.searchsorted(known, mine), len(known) - 1)
        own = np.where(known[place] == mine, place, -1).astype(np.intp)
    defined = ~np.isnan(table)
    member = (members[:, None] == np.arange(len(known))).astype(np.float64)
    counts = defined.astype(np.float64) @ member
    sums = np.where(defined, table, 0.0) @ member
    with np.errstate(invalid="ignore"):
        return np.where(counts > 0, sums / np.where(counts > 0, counts, 1.0), np.nan), own


def _places(given: ArrayLike, n: int, what: str) -> Places:
    raw = np.array(given)
    if raw.ndim != 1 or raw.dtype.kind not in "iu" or ((raw < 0) | (raw >= n)).any():
        raise InputError(
            f"{what} must be whole numbers from 0 to {n - 1}, one a pair, got {raw.dtype} of shape "
            f"{raw.shape}"
        )
    return raw.astype(np.intp)
