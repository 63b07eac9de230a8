"""`Evidence`: likelihood ratios with all that is needed to say what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import FrozenArrays, one_line_text, whole_number
from drugsig._repr import html_table
from drugsig.errors import InputError
from drugsig.evidence.bounds import Bounds
from drugsig.evidence.performance.inputs import checked_log10_lr

__all__ = ["NOT_A_POSTERIOR", "Evidence", "bounded_evidence"]

Floats = NDArray[np.float64]

_ROWS_SHOWN = 20

NOT_A_POSTERIOR = (
    "A likelihood ratio says how many times more probable the findings are under the one "
    "proposition than under the other. It is not the probability of either proposition."
)


@dataclass(frozen=True, eq=False, repr=False)
class Evidence(FrozenArrays):
    """Likelihood ratios of pairs, between two propositions in words.

    Made by `bounded_evidence`, which bounds the values.

    Attributes
    ----------
    log10_lr : ndarray of float64, shape (n_pairs,)
        What is reported: bounded where there are bounds.
    log10_lr_calibrated : ndarray of float64, shape (n_pairs,)
        Before bounding; equal to the raw ones where `calibrated` is False.
    log10_lr_raw : ndarray of float64, shape (n_pairs,), or None
        What the model gave, before calibration and bounding; None where that is not known.
    h1, h2 : str
        The propositions, as clauses that can follow "that".
    source_level : str
        The level that the propositions speak of, such as "production batch".
    calibrated : bool
        Whether the values come out of a calibration on pairs of known source.
    bounds : Bounds or None
        The range that the data support; None where it was not found.
    model_digest : str
        The identity of model and calibration; empty where there is none.
    questioned_ids, reference_ids : tuple of str
        The profiles of each pair; empty where they have no names.
    n_searched : int or None
        How many profiles were searched to find these pairs; None where nothing was searched.
    """

    log10_lr: Floats
    log10_lr_calibrated: Floats
    log10_lr_raw: Floats | None
    h1: str
    h2: str
    source_level: str
    calibrated: bool
    bounds: Bounds | None = None
    model_digest: str = ""
    questioned_ids: tuple[str, ...] = ()
    reference_ids: tuple[str, ...] = ()
    n_searched: int | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        for name in ("h1", "h2", "source_level"):
            one_line_text(getattr(self, name), what=name)
        if self.h1 == self.h2:
            raise InputError(
                f"h1 and h2 are the same proposition, {self.h1!r}: a likelihood ratio weighs two"
            )
        values = checked_log10_lr(self.log10_lr)
        object.__setattr__(self, "log10_lr", values)
        for name in ("log10_lr_calibrated", "log10_lr_raw"):
            given = getattr(self, name)
            if given is None and name == "log10_lr_raw":
                continue
            other = checked_log10_lr(given)
            if values.shape != other.shape:
                raise InputError(
                    f"log10_lr holds {len(values)} pairs and {name} {len(other)}: both are values "
                    "of the same pairs"
                )
            object.__setattr__(self, name, other)
        if not self.calibrated and not np.array_equal(
            self.log10_lr_calibrated, np.asarray(self.log10_lr_raw)
        ):
            raise InputError(
                "likelihood ratios that are not calibrated differ from their raw values, or have "
                "none: nothing but a calibration may come between the two. Say calibrated=True, "
                "or hand over the same values twice."
            )
        if self.bounds is not None and self.bounds.outside(values).any():
            raise InputError(
                f"log10_lr holds {int(self.bounds.outside(values).sum())} value(s) beyond the "
                f"bounds, {self.bounds}. Use bounded_evidence of drugsig.evidence.evidence, which "
                "puts them at the bound and keeps the value before."
            )
        self._check_ids(len(values))
        self._check_search()
        super().__post_init__()

    def _check_ids(self, n_pairs: int) -> None:
        for name in ("questioned_ids", "reference_ids"):
            ids = getattr(self, name)
            if ids and len(ids) != n_pairs:
                raise InputError(f"{name} names {len(ids)} profiles for {n_pairs} pairs")
            for text in ids:
                one_line_text(text, what=name)
        if bool(self.questioned_ids) != bool(self.reference_ids):
            raise InputError("name both profiles of a pair, questioned_ids and reference_ids")

    def _check_search(self) -> None:
        if self.n_searched is not None:
            number = whole_number(self.n_searched, what="n_searched", least=1)
            object.__setattr__(self, "n_searched", number)

    @property
    def at_bound(self) -> NDArray[np.bool_]:
        """Which pairs are reported at a bound because the value before lies beyond it."""
        if self.bounds is None:
            return np.zeros(len(self), dtype=bool)
        return self.bounds.outside(self.log10_lr_calibrated)

    @property
    def search_statement(self) -> str:
        """What must be said where a database was searched; empty where none was."""
        if self.n_searched is None:
            return ""
        return (
            f"The pair was found by searching {self.n_searched:,} profiles. The likelihood ratio "
            "is that of this pair alone; how probable a common source is also depends on how "
            "probable it was beforehand for each of the profiles searched, which this figure does "
            "not contain."
        )

    @property
    def state(self) -> str:
        """Whether the values are calibrated and bounded, in words."""
        calibrated = "calibrated" if self.calibrated else "not calibrated"
        return f"{calibrated}, {'not bounded' if self.bounds is None else 'bounded'}"

    def __len__(self) -> int:
        return len(self.log10_lr)

    def pair_name(self, pair: int, /) -> str:
        """Return the names of the profiles of a pair, or its number counted from 1.

        Parameters
        ----------
        pair : int
            Its place.
        """
        if not self.questioned_ids:
            return f"pair {pair + 1}"
        return f"{self.questioned_ids[pair]} and {self.reference_ids[pair]}"

    def __repr__(self) -> str:
        searched = "" if self.n_searched is None else f", found by searching {self.n_searched:,}"
        span = (
            f"log10 LR {self.log10_lr.min():.3g} to {self.log10_lr.max():.3g}"
            if len(self)
            else "no pairs"
        )
        return (
            f"<Evidence {len(self)} pair(s), {span}, {self.state}: H1 that {self.h1}; H2 that "
            f"{self.h2}; source level {self.source_level}{searched}>"
        )

    def _repr_html_(self) -> str:
        bounds = "none: nothing may be said in words" if self.bounds is None else str(self.bounds)
        facts = [
            ("H1", f"that {self.h1}"),
            ("H2", f"that {self.h2}"),
            ("source level", self.source_level),
            ("calibrated", "yes" if self.calibrated else "no"),
            ("bounds", bounds),
            ("model", self.model_digest or "not named"),
        ]
        facts += [("search", self.search_statement)] if self.search_statement else []
        facts.append(("mind", NOT_A_POSTERIOR))
        raw = self.log10_lr_raw
        rows: list[tuple[str, ...]] = [
            (
                self.pair_name(k),
                f"{self.log10_lr[k]:.3g}{' (at the bound)' if self.at_bound[k] else ''}",
                f"{self.log10_lr_calibrated[k]:.3g}",
                "not known" if raw is None else format(raw[k], ".3g"),
            )
            for k in range(min(len(self), _ROWS_SHOWN))
        ]
        rest = len(self) - _ROWS_SHOWN
        rows += [(f"and {rest:,} more",)] if rest > 0 else []
        head = ("pair", "log10 LR", "before bounding", "raw")
        return html_table(facts, caption="Evidence") + html_table(rows, head=head)


def bounded_evidence(
    log10_lr: ArrayLike,
    /,
    *,
    h1: str,
    h2: str,
    source_level: str,
    calibrated: bool,
    log10_lr_raw: ArrayLike | None = None,
    bounds: Bounds | None = None,
    model_digest: str = "",
    questioned_ids: Sequence[str] = (),
    reference_ids: Sequence[str] = (),
    n_searched: int | None = None,
) -> Evidence:
    """Bound likelihood ratios and put the words beside them that they need.

    Parameters
    ----------
    log10_lr : array_like of float, shape (n_pairs,)
        As the model and its calibration gave them.
    h1, h2 : str
        The propositions, as clauses that can follow "that": "the two specimens come from one
        production batch".
    source_level : str
        The level that the propositions speak of, such as "production batch".
    calibrated : bool
        Whether the values come out of a calibration on pairs of known source.
    log10_lr_raw : array_like of float, shape (n_pairs,), optional
        What went into the calibration. Left out, it is not known; values that are not calibrated
        are their own raw ones.
    bounds : Bounds, optional
        From `drugsig.evidence.bounds`. Without them nothing may be said in words.
    model_digest : str
        The identity of model and calibration.
    questioned_ids, reference_ids : sequence of str, optional
        The profiles of each pair.
    n_searched : int, optional
        How many profiles were searched to find these pairs.

    Returns
    -------
    Evidence
        Values beyond a bound are at the bound; those before bounding are kept.

    Raises
    ------
    InputError
        If a value is NaN, a proposition is missing, or the parts do not fit each other.

    Examples
    --------
    >>> from drugsig.evidence.bounds import Bounds
    >>> found = bounded_evidence(
    ...     [5.2],
    ...     h1="the two specimens come from one production batch",
    ...     h2="the two specimens come from different production batches",
    ...     source_level="production batch",
    ...     calibrated=True,
    ...     bounds=Bounds(-1.5, 2.0, "ELUB", 99, 4851),
    ... )
    >>> found.log10_lr, found.log10_lr_calibrated
    (array([2.]), array([5.2]))
    """
    before = checked_log10_lr(log10_lr)
    raw = log10_lr_raw
    if raw is None and not calibrated:
        raw = before
    return Evidence(
        log10_lr=before.copy() if bounds is None else bounds.apply(before),
        log10_lr_calibrated=before,
        log10_lr_raw=None if raw is None else checked_log10_lr(raw),
        h1=h1,
        h2=h2,
        source_level=source_level,
        calibrated=bool(calibrated),
        bounds=bounds,
        model_digest=model_digest,
        questioned_ids=tuple(questioned_ids),
        reference_ids=tuple(reference_ids),
        n_searched=n_searched,
    )
