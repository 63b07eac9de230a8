"""`Calibration`: the way from a score to a log10 likelihood ratio, and what it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import choose
from drugsig._files import FORMATS, check_format
from drugsig._notes import Note, emit, notes_from_data
from drugsig._repr import html_table
from drugsig.comparison.metrics import Metric
from drugsig.errors import InputError
from drugsig.evidence.calibration.calibrators import DEFAULT_CALIBRATOR, get_calibrator
from drugsig.evidence.calibration.curve import Curve, finite_numbers
from drugsig.evidence.calibration.training import (
    KINDS,
    Kind,
    checked_labels,
    count_sources,
    training_pairs,
)
from drugsig.evidence.pairs import checked_weights

__all__ = ["Calibration", "calibrated", "fit_calibration"]

Floats = NDArray[np.float64]

_FORMAT = "drugsig calibration"

# Steps of the score at which a calibration is looked at for falls.
_LOOKS = 2001


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """From a score to a log10 likelihood ratio.

    Made by `fit_calibration`. A score beyond those it was fitted to counts as the nearest of
    them, unless it was made to extrapolate: of pairs more alike than any that were seen nothing
    was learned.

    Attributes
    ----------
    method : str
        A name of `CALIBRATORS`.
    kind : {"similarity", "distance"}
        Whether large scores mean alike or unlike.
    curve : Curve
        The fitted formula.
    low, high : float
        The least and the largest score it was fitted to.
    extrapolates : bool
        Whether the formula is followed beyond them.
    n_linked, n_unlinked : int
        Pairs it was fitted to.
    n_linked_sources, n_unlinked_sources : int or None
        The sources behind them; None where they were not told.
    notes : tuple of Note
        What a reader must know before using it.
    """

    method: str
    kind: Kind
    curve: Curve
    low: float
    high: float
    extrapolates: bool
    n_linked: int
    n_unlinked: int
    n_linked_sources: int | None
    n_unlinked_sources: int | None
    notes: tuple[Note, ...]

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest score it was fitted to."""
        return self.low, self.high

    def log10_lr(self, scores: ArrayLike, /) -> Floats:
        """Return the log10 likelihood ratio of every score.

        Parameters
        ----------
        scores : array_like of float, any shape
            NaN for a pair without a score. A log10 likelihood ratio to be calibrated may be
            infinite; without extrapolation it gets the value at the end of the range.

        Returns
        -------
        ndarray of float64, the same shape
            NaN where the score is NaN, else finite.

        Raises
        ------
        InputError
            If a score is infinite and the calibration extrapolates.
        """
        values = np.array(scores, dtype=np.float64)
        if not self.extrapolates:
            values = np.clip(values, self.low, self.high)
        elif np.isinf(values).any():
            raise InputError(
                f"{int(np.isinf(values).sum())} score(s) are infinite, and a calibration that "
                "extrapolates would make infinite likelihood ratios of them"
            )
        return self.curve.log10_lr(values)

    def outside(self, scores: ArrayLike, /) -> NDArray[np.bool_]:
        """Say which scores lie beyond those it was fitted to; an undefined one does not."""
        values = np.array(scores, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            return np.asarray((values < self.low) | (values > self.high))

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the largest log10 likelihood ratio within the range of the scores."""
        values = self.log10_lr(self._looked_at())
        return float(values.min()), float(values.max())

    @property
    def falls(self) -> tuple[tuple[float, float], ...]:
        """Stretches of the score over which the ratio falls though pairs grow more alike."""
        scores = self._looked_at()
        rise = np.diff(self.log10_lr(scores)) * (1.0 if self.kind == "similarity" else -1.0)
        # A straight line of an irrational slope wavers in the last digits.
        wrong = np.concatenate([[False], rise < -1e-9, [False]]).astype(np.int8)
        begin, end = np.flatnonzero(np.diff(wrong) == 1), np.flatnonzero(np.diff(wrong) == -1)
        return tuple((float(scores[b]), float(scores[e])) for b, e in zip(begin, end, strict=True))

    def _looked_at(self) -> Floats:
        own = getattr(self.curve, "scores", np.empty(0))
        return np.unique(np.concatenate([np.linspace(self.low, self.high, _LOOKS), own]))

    def to_data(self) -> dict[str, Any]:
        """Return the calibration as data for a JSON file, which `from_data` reads."""
        return {
            "format": _FORMAT,
            "version": FORMATS[_FORMAT],
            "method": self.method,
            "kind": self.kind,
            "curve": self.curve.to_data(),
            "range": [self.low, self.high],
            "extrapolates": self.extrapolates,
            "n_linked": self.n_linked,
            "n_unlinked": self.n_unlinked,
            "n_linked_sources": self.n_linked_sources,
            "n_unlinked_sources": self.n_unlinked_sources,
            "notes": [note.content for note in self.notes],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> Calibration:
        """Read a calibration from data.

        Raises
        ------
        InputError
            If it is no calibration, one of a later version, or damaged.
        """
        check_format(data, _FORMAT, refuse=lambda why: InputError(f"this {why}"))
        low, high = (float(end) for end in finite_numbers(data, "range", shape=(2,)))
        missing = [f for f in ("method", "kind", "curve", "notes", *_COUNTS) if f not in data]
        if missing:
            raise InputError(f"a stored calibration lacks '{missing[0]}'. Write the file anew.")
        calibrator = get_calibrator(data["method"])
        kind = choose(data["kind"], KINDS, what="kind of score")
        return cls(
            method=calibrator.name,
            kind="similarity" if kind == "similarity" else "distance",
            curve=calibrator.curve.from_data(data["curve"]),
            low=low,
            high=high,
            extrapolates=bool(data.get("extrapolates", False)),
            notes=notes_from_data(data["notes"]),
            **{name: data[name] for name in _COUNTS},
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Calibration):
            return NotImplemented
        return self.to_data() == other.to_data()

    __hash__ = None  # type: ignore[assignment]  # compared by content

    def __repr__(self) -> str:
        low, high = self.limits
        return (
            f"<Calibration '{self.method}' of a {self.kind} from {self.low:.6g} to "
            f"{self.high:.6g}: log10 LR {low:.3g} to {high:.3g}; {self.n_linked} linked and "
            f"{self.n_unlinked} unlinked pairs>"
        )

    def _repr_html_(self) -> str:
        low, high = self.limits
        rows: list[tuple[str, object]] = [
            ("method", f"{self.method}: {get_calibrator(self.method).formula}"),
            ("scores", f"a {self.kind} from {self.low:.6g} to {self.high:.6g}"),
            ("beyond them", "extrapolated" if self.extrapolates else "held at the ends"),
            ("log10 LR", f"{low:.3g} to {high:.3g}"),
            ("linked pairs", _counted(self.n_linked, self.n_linked_sources)),
            ("unlinked pairs", _counted(self.n_unlinked, self.n_unlinked_sources)),
            *(("mind", note.text) for note in self.notes),
        ]
        return html_table(rows)


_COUNTS = ("n_linked", "n_unlinked", "n_linked_sources", "n_unlinked_sources")


def fit_calibration(
    scores: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    method: str = DEFAULT_CALIBRATOR,
    metric: Metric | str | None = None,
    kind: str | None = None,
    weights: ArrayLike | None = None,
    source_a: ArrayLike | None = None,
    source_b: ArrayLike | None = None,
    support: tuple[float, float] | None = None,
    extrapolate: bool = False,
    **options: Any,
) -> Calibration:
    """Fit the way from scores, or from uncalibrated log10 likelihood ratios, to log10 LRs.

    Parameters
    ----------
    scores : array_like of float, shape (n_pairs,)
        Finite scores of pairs of known source.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    method : str
        A name of `CALIBRATORS`.
    metric : Metric or str, optional
        What the scores mean: their direction, and the range that `kde` and `beta` use.
    kind : {"similarity", "distance"}, optional
        The direction where there is no metric. A log10 likelihood ratio is a similarity.
    weights : array_like of float, shape (n_pairs,), optional
        How often each pair counts, from 0; a pair of weight 2 counts as two pairs. For a resample
        of sources, or `source_pair_weights`.
    source_a, source_b : array_like, shape (n_pairs,), optional
        The sources of the two profiles, as numbers or names: they are counted.
    support : tuple of float, optional
        The least and the largest score there can be; by default those of the metric.
    extrapolate : bool
        Whether the formula is followed beyond the scores it was fitted to.
    **options : object
        Of the method, see its entry in `CALIBRATORS`.

    Returns
    -------
    Calibration
        Its ratios are too good for the pairs it was fitted to: judge it on pairs of other
        sources.

    Raises
    ------
    InputError
        If the pairs cannot be used, see `training_pairs`, or if the method does not give an
        answer for them: the message says which one does.
    UnknownNameError
        If there is no such method, or if it has no such option.

    Warns
    -----
    SmallSampleWarning
        If there are fewer than 30 linked sources.
    DataWarning
        If linked pairs are no more alike than unlinked ones, so that every ratio is 1.

    Examples
    --------
    >>> scores = [0.1, 0.2, 0.2, 0.7, 0.4, 0.6, 0.8, 0.9]
    >>> linked = [True] * 4 + [False] * 4
    >>> calibration = fit_calibration(scores, linked, kind="distance")
    >>> calibration.log10_lr([0.1, 0.5, 0.9, 2.0]).round(2).tolist()
    [1.04, -0.03, -1.11, -1.11]
    """
    found = calibrated(
        scores,
        linked,
        method=method,
        metric=metric,
        kind=kind,
        weights=weights,
        source_a=source_a,
        source_b=source_b,
        support=support,
        extrapolate=extrapolate,
        **options,
    )
    emit(found.notes)
    return found


def calibrated(
    scores: ArrayLike,
    linked: ArrayLike,
    /,
    *,
    method: str = DEFAULT_CALIBRATOR,
    metric: Metric | str | None = None,
    kind: str | None = None,
    weights: ArrayLike | None = None,
    source_a: ArrayLike | None = None,
    source_b: ArrayLike | None = None,
    support: tuple[float, float] | None = None,
    extrapolate: bool = False,
    **options: Any,
) -> Calibration:
    """Fit as `fit_calibration` does, and leave its notes to the caller instead of warning.

    Parameters
    ----------
    scores, linked, method, metric, kind, weights, source_a, source_b, support, extrapolate
        As in `fit_calibration`.
    **options : object
        Of the method.
    """
    calibrator = get_calibrator(method)
    for name in options:
        choose(name, tuple(calibrator.options), what=f"option of calibration '{method}'")
    if extrapolate and not calibrator.extrapolates:
        raise InputError(
            f"calibration '{method}' has no value beyond the scores it was fitted to: leave "
            "extrapolate=False, which gives the value at the end of the range"
        )
    pairs = training_pairs(
        scores, linked, metric=metric, kind=kind, weights=weights, support=support
    )
    labels = checked_labels(linked, np.shape(scores)[0])
    sources = count_sources(labels, checked_weights(weights, labels), source_a, source_b)
    curve, notes = calibrator.fit(pairs, **{**calibrator.options, **options})
    return Calibration(
        method=method,
        kind=pairs.kind,
        curve=curve,
        low=float(pairs.scores.min()),
        high=float(pairs.scores.max()),
        extrapolates=extrapolate,
        n_linked=int(pairs.linked.sum()),
        n_unlinked=int((~pairs.linked).sum()),
        n_linked_sources=sources.n_linked,
        n_unlinked_sources=sources.n_unlinked,
        notes=(*notes, *sources.notes("calibration")),
    )


def _counted(n_pairs: int, n_sources: int | None) -> str:
    return f"{n_pairs}" if n_sources is None else f"{n_pairs} from {n_sources} sources"
