"""`Sensitivity`: how the LR of one comparison moves with everything it rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig._notes import Note
from drugsig._repr import html_table
from drugsig.evidence.verbal import VerbalScale

__all__ = [
    "AS_EVALUATED",
    "BACKGROUND",
    "KINDS",
    "REPLICATE",
    "TARGET",
    "UNCERTAINTY",
    "Sensitivity",
    "SensitivityCase",
]

Floats = NDArray[np.float64]

AS_EVALUATED = "as evaluated"
TARGET = "target left out"
REPLICATE = "replicate left out"
UNCERTAINTY = "area uncertainty"
BACKGROUND = "choice of background"

KINDS = (TARGET, REPLICATE, UNCERTAINTY, BACKGROUND)


@dataclass(frozen=True)
class SensitivityCase:
    """The comparison with one thing changed.

    Parameters
    ----------
    kind : str
        One of `KINDS`, or `AS_EVALUATED`.
    name : str
        What was changed: "without T3".
    log10_lr_raw : float
        As the model gave it; NaN where the changed model could not be fitted.
    log10_lr : float
        Calibrated and bounded, as it would be reported.
    low, high : float
        The bounds of the changed model; NaN where it has none.
    why_not : str
        Why there is no value; empty where there is one.
    """

    kind: str
    name: str
    log10_lr_raw: float
    log10_lr: float
    low: float = float("nan")
    high: float = float("nan")
    why_not: str = ""

    @property
    def at_bound(self) -> bool:
        """Whether the value that would be reported is a bound."""
        return self.log10_lr in (self.low, self.high)


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity(FrozenArrays):
    """How the LR of one comparison moves with everything it rests on.

    Made by `sensitivity`.

    Attributes
    ----------
    base : SensitivityCase
        The comparison as it was evaluated.
    cases : tuple of SensitivityCase
        The comparison with one thing changed at a time, by kind.
    draws_raw, draws : ndarray of float64, shape (n_draws,)
        Raw and reported log10 LR with the areas redrawn within their uncertainty; empty where no
        uncertainty is known.
    not_varied : tuple of (str, str)
        Kinds of change that were not looked at, and why.
    questioned_ids, reference_ids : tuple of str
        The profiles compared.
    h1, h2, source_level : str
        The propositions in words, and the level they speak of.
    scale : VerbalScale or None
        By which verbal categories are told apart.
    calibrated : bool
        Whether the values are calibrated.
    digest : str
        The identity of the model.
    notes : tuple of Note
        What the model said of the comparison.
    """

    base: SensitivityCase
    cases: tuple[SensitivityCase, ...]
    draws_raw: Floats
    draws: Floats
    not_varied: tuple[tuple[str, str], ...]
    questioned_ids: tuple[str, ...]
    reference_ids: tuple[str, ...]
    h1: str
    h2: str
    source_level: str
    scale: VerbalScale | None
    calibrated: bool
    digest: str
    notes: tuple[Note, ...] = ()

    def of(self, kind: str, /) -> tuple[SensitivityCase, ...]:
        """Return the cases of one kind.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        """
        return tuple(case for case in self.cases if case.kind == kind)

    def category(self, case: SensitivityCase, /) -> str:
        """Return the verbal expression of a case; empty without a scale or a value.

        Parameters
        ----------
        case : SensitivityCase
            Any of this result.
        """
        if self.scale is None or not math.isfinite(case.log10_lr):
            return ""
        return self.scale.level(case.log10_lr).expression

    @property
    def moves_most(self) -> SensitivityCase | None:
        """The case whose reported value is farthest from the base; None where nothing moves.

        Among equals the one whose raw value moves most.
        """
        there = [c for c in self.cases if math.isfinite(c.log10_lr)]
        if not there:
            return None
        most = max(there, key=self._distance)
        return most if any(self._distance(most)) else None

    @property
    def sign_changes(self) -> tuple[SensitivityCase, ...]:
        """The cases that support the other proposition than the base does, or neither."""
        return tuple(
            c
            for c in self.cases
            if math.isfinite(c.log10_lr) and np.sign(c.log10_lr) != np.sign(self.base.log10_lr)
        )

    @property
    def category_changes(self) -> tuple[SensitivityCase, ...]:
        """The cases with another verbal expression than the base; none without a scale."""
        if self.scale is None:
            return ()
        return tuple(
            c
            for c in self.cases
            if math.isfinite(c.log10_lr)
            and (
                self.category(c) != self.category(self.base)
                or np.sign(c.log10_lr) != np.sign(self.base.log10_lr)
            )
        )

    @property
    def span(self) -> tuple[float, float]:
        """The smallest and the largest reported log10 LR, the base included."""
        values = [c.log10_lr for c in (self.base, *self.cases) if math.isfinite(c.log10_lr)]
        return min(values), max(values)

    def statements(self) -> tuple[str, ...]:
        """Return what the table shows, in sentences for a report."""
        base = self.base
        low, high = self.span
        out = [
            (
                f"The log10 LR of this comparison is {_number(base.log10_lr)}"
                f"{' (at its bound)' if base.at_bound else ''}; the model gave "
                f"{_number(base.log10_lr_raw)} before calibration and bounding. H1: that "
                f"{self.h1}. H2: that {self.h2}. The propositions speak of the level of the "
                f"{self.source_level}."
            ),
            f"With one thing changed at a time it lies between {_number(low)} and {_number(high)}.",
        ]
        most = self.moves_most
        if most is None:
            out.append("No change that was looked at moves the reported value.")
        else:
            out.append(
                f"What moves it most: {most.name} ({most.kind}), to {_number(most.log10_lr)} "
                f"(raw {_number(most.log10_lr_raw)})."
            )
        there = [c for c in self.cases if math.isfinite(c.log10_lr_raw)]
        if there:
            raw = max(there, key=lambda c: abs(c.log10_lr_raw - base.log10_lr_raw))
            out.append(
                f"What moves the raw value most: {raw.name} ({raw.kind}), to "
                f"{_number(raw.log10_lr_raw)}."
            )
        out.append(self._about_signs())
        out += [self._about_categories()] if self.scale is not None else []
        if len(self.draws):
            ends = np.quantile(self.draws, [0.025, 0.975])
            ends_raw = np.quantile(self.draws_raw, [0.025, 0.975])
            out.append(
                f"With the areas redrawn {len(self.draws)} times within their uncertainty, 95 % of "
                f"the values lie between {_number(float(ends[0]))} and {_number(float(ends[1]))} "
                f"(raw {_number(float(ends_raw[0]))} to {_number(float(ends_raw[1]))})."
            )
        out += [f"Not looked at, {kind}: {why}" for kind, why in self.not_varied]
        failed = [c for c in self.cases if c.why_not]
        out += [f"No value {c.name}: {c.why_not}" for c in failed]
        if not self.calibrated:
            out.append("The values are not calibrated: they may be far too strong.")
        return (*out, *(note.text for note in self.notes))

    def to_frame(self) -> pd.DataFrame:
        """Return the table: one row a case, the base first."""
        rows: Sequence[SensitivityCase] = (self.base, *self.cases)
        frame = pd.DataFrame(
            {
                "kind": [c.kind for c in rows],
                "change": [c.name for c in rows],
                "log10_lr_raw": [c.log10_lr_raw for c in rows],
                "log10_lr": [c.log10_lr for c in rows],
                "difference": [c.log10_lr - self.base.log10_lr for c in rows],
                "low_bound": [c.low for c in rows],
                "high_bound": [c.high for c in rows],
                "at_bound": [c.at_bound for c in rows],
                "why_not": [c.why_not for c in rows],
            }
        )
        if self.scale is not None:
            frame["category"] = [self.category(c) for c in rows]
        return frame

    def __repr__(self) -> str:
        low, high = self.span
        return (
            f"<Sensitivity of one comparison: log10 LR {_number(self.base.log10_lr)}, "
            f"{_number(low)} to {_number(high)} over {len(self.cases)} changes; H1 that {self.h1}; "
            f"H2 that {self.h2}; source level {self.source_level}>"
        )

    def _repr_html_(self) -> str:
        rows = [
            (
                c.kind,
                c.name,
                _number(c.log10_lr_raw),
                f"{_number(c.log10_lr)}{' (bound)' if c.at_bound else ''}",
                self.category(c),
            )
            for c in (self.base, *self.cases)
        ]
        return html_table(
            [*rows, *((line,) for line in self.statements())],
            head=("kind", "change", "raw log10 LR", "log10 LR", "category"),
            caption="Sensitivity of one comparison",
        )

    def _distance(self, case: SensitivityCase) -> tuple[float, float]:
        return (
            abs(case.log10_lr - self.base.log10_lr),
            abs(case.log10_lr_raw - self.base.log10_lr_raw),
        )

    def _about_signs(self) -> str:
        turned = self.sign_changes
        if not turned:
            return "No change turns it to support the other proposition, or neither."
        names = ", ".join(c.name for c in turned[:5])
        more = f" and {len(turned) - 5} more" if len(turned) > 5 else ""
        return f"It supports the other proposition, or neither: {names}{more}."

    def _about_categories(self) -> str:
        changed = self.category_changes
        said = "" if self.scale is None else f" on the scale {self.scale.name}"
        if not changed:
            return f"The verbal category{said} ({self.category(self.base)}) stays the same."
        told = "; ".join(
            f"{c.name}: {self.category(c)}"
            f"{' for H2' if c.log10_lr < 0 < self.base.log10_lr else ''}"
            f"{' for H1' if c.log10_lr > 0 > self.base.log10_lr else ''}"
            for c in changed[:5]
        )
        more = f"; and {len(changed) - 5} more" if len(changed) > 5 else ""
        return (
            f"The verbal category{said} is {self.category(self.base)} and changes with "
            f"{len(changed)} of {len(self.cases)} changes: {told}{more}."
        )


def _number(value: float) -> str:
    return "no value" if math.isnan(value) else f"{value:.2f}"
