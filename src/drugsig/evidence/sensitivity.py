"""What one likelihood ratio rests on: `sensitivity` and its `Sensitivity`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, generator, listed, whole_number
from drugsig._notes import Note, emit, unique_notes
from drugsig._repr import html_table
from drugsig.errors import InputError
from drugsig.evidence.calibration import CALIBRATORS
from drugsig.evidence.models.evaluated import EvaluatedPairs
from drugsig.evidence.models.lr_model import LrModel, lr_model
from drugsig.evidence.models.spec import NONE, LrModelSpec
from drugsig.evidence.two_level.conventions import BANDWIDTHS, BETWEEN_DENSITIES
from drugsig.evidence.validation.disturbances import can_be_redrawn, redrawn
from drugsig.evidence.verbal import VerbalScale, load_verbal_scale
from drugsig.profiles.labels import known_texts
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "AS_EVALUATED",
    "BACKGROUND",
    "DRAWS",
    "KINDS",
    "REPLICATE",
    "TARGET",
    "UNCERTAINTY",
    "Sensitivity",
    "SensitivityCase",
    "sensitivity",
]

Floats = NDArray[np.float64]

AS_EVALUATED = "as evaluated"
TARGET = "target left out"
REPLICATE = "replicate left out"
UNCERTAINTY = "area uncertainty"
BACKGROUND = "choice of background"
KINDS = (TARGET, REPLICATE, UNCERTAINTY, BACKGROUND)
DRAWS = 200
_QUANTILES = (0.025, 0.5, 0.975)


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


def sensitivity(
    model: LrModel,
    questioned: ProfileSet,
    reference: ProfileSet,
    /,
    *,
    background: ProfileSet,
    rng: np.random.Generator,
    item: str | None = None,
    scale: str | Path | VerbalScale | None = None,
    strata: str | None = None,
    uncertainty_rsd: float | None = None,
    n_draws: int = DRAWS,
) -> Sensitivity:
    """Say how the LR of one comparison moves with everything it rests on.

    Every target is left out in turn, with the whole model (background, calibration, bounds) fitted
    again to the targets that remain; every replicate is left out in turn; the areas are redrawn
    within their uncertainty; and the model is fitted with other densities, other halves of the
    background, and the strata of it.

    Parameters
    ----------
    model : LrModel
        As it was used for the comparison.
    questioned, reference : ProfileSet
        The replicates of one item each: untreated, and then treated with the recipe of the model,
        or pretreated as its profiles were.
    background : ProfileSet
        The profiles that the model was fitted to: it does not carry them.
    rng : numpy.random.Generator
        For redrawing areas, dealing sources and halving the background.
    item : str, optional
        The column that names the item, instead of that of the model.
    scale : str, Path or VerbalScale, optional
        To say whether the verbal category changes; needs a model that is calibrated, bounded and
        validated.
    strata : str, optional
        A metadata column of the background, such as region or year: the model is fitted to the
        profiles of each text of it alone.
    uncertainty_rsd : float, optional
        The relative standard uncertainty of areas whose own is not known; for untreated profiles.
    n_draws : int
        How often the areas are redrawn.

    Returns
    -------
    Sensitivity
        A table, sentences, and with `drugsig.plot.sensitivity_figures.sensitivity` a figure.

    Raises
    ------
    InputError
        If the background is not that of the model, a side is not one item, a scale is named for
        LRs that have no words, or a relative uncertainty for pretreated profiles.
    ModelMismatchError
        If the profiles are of another kind than those of the model.

    Notes
    -----
    A target is left out of the pretreated values: what it did in a normalisation before that
    stays. Each change is made by itself; changes that come together may do more than their sum.
    """
    _refuse(model, background, rng, n_draws)
    known = None if scale is None else _scale(model, scale)
    measured = (questioned, reference)
    if uncertainty_rsd is not None and any(side.pretreatment for side in measured):
        raise InputError(
            "a relative uncertainty of areas is not that of pretreated values: give the questioned "
            "and the reference profiles as they were measured, and the model treats them"
        )
    (questioned, first), (reference, second) = (_treated(model, side) for side in measured)
    emit(unique_notes((*first, *second)))
    base = _one_pair(model, questioned, reference, item)
    trial = _Trial(model, questioned, reference, background, item, int(rng.integers(2**63)))
    not_varied: list[tuple[str, str]] = []
    cases = list(trial.targets_left_out())
    if not cases:
        not_varied.append((TARGET, "there are too few targets to leave one out."))
    replicates = list(trial.replicates_left_out())
    if not replicates:
        not_varied.append((REPLICATE, "both items have a single profile."))
    cases += replicates
    draws = raw = np.empty(0)
    if any(can_be_redrawn(side, rsd=uncertainty_rsd) for side in measured):
        raw, draws = trial.redrawn(measured, rng, uncertainty_rsd, n_draws)
        cases += _ends(raw, draws, model)
    else:
        not_varied.append((UNCERTAINTY, "no uncertainty of the areas is known."))
    cases += trial.other_backgrounds(rng, strata)
    evidence = base.evidence
    return Sensitivity(
        base=_case(AS_EVALUATED, "as evaluated", base, model),
        cases=tuple(cases),
        draws_raw=raw,
        draws=draws,
        not_varied=tuple(not_varied),
        questioned_ids=questioned.ids,
        reference_ids=reference.ids,
        h1=evidence.h1,
        h2=evidence.h2,
        source_level=evidence.source_level,
        scale=known,
        calibrated=evidence.calibrated,
        digest=model.digest,
        notes=base.notes,
    )


@dataclass(frozen=True, eq=False)
class _Trial:
    """One comparison, and what is needed to make it again."""

    model: LrModel
    questioned: ProfileSet
    reference: ProfileSet
    background: ProfileSet
    item: str | None
    seed: int

    @property
    def across(self) -> tuple[str, ...]:
        """What the profiles of the model have several of."""
        own = self.model.identity
        several = {"epoch": own.epochs, "laboratory": own.laboratories}
        return tuple(name for name, texts in several.items() if len(texts) > 1)

    def targets_left_out(self) -> Iterator[SensitivityCase]:
        names = self.background.target_names
        for name in names if len(names) > 1 else ():
            rest = [n for n in names if n != name]
            yield self._again(
                TARGET,
                f"without {name}",
                background=self.background.keep_targets(rest),
                questioned=self.questioned.keep_targets(rest),
                reference=self.reference.keep_targets(rest),
            )

    def replicates_left_out(self) -> Iterator[SensitivityCase]:
        for side in ("questioned", "reference"):
            profiles: ProfileSet = getattr(self, side)
            for name in profiles.ids if len(profiles) > 1 else ():
                sides = {"questioned": self.questioned, "reference": self.reference}
                sides[side] = profiles.without([name])
                found = _one_pair(self.model, sides["questioned"], sides["reference"], self.item)
                yield _case(REPLICATE, f"without {name}, {side}", found, self.model)

    def redrawn(
        self,
        measured: tuple[ProfileSet, ProfileSet],
        rng: np.random.Generator,
        rsd: float | None,
        n_draws: int,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        raw, reported = np.empty(n_draws), np.empty(n_draws)
        for k in range(n_draws):
            one, other = (
                _treated(self.model, redrawn(side, rng=rng, rsd=rsd))[0] for side in measured
            )
            found = _one_pair(self.model, one, other, self.item)
            raw[k], reported[k] = found.log10_lr_raw[0], found.log10_lr_bounded[0]
        return raw, reported

    def other_backgrounds(
        self, rng: np.random.Generator, strata: str | None
    ) -> list[SensitivityCase]:
        # Fitted again as it is: what the deal of sources alone does.
        cases = [self._again(BACKGROUND, "the same, fitted again")]
        for name, spec in _other_specs(self.model.spec):
            cases.append(self._again(BACKGROUND, name, spec=spec))
        known = dict(zip(self.model.profile_ids, self.model.profile_sources, strict=True))
        source = np.array([known.get(i, "") for i in self.background.ids])
        names = rng.permutation(np.unique(source[source != ""]))
        for number, half in enumerate(np.array_split(names, 2), start=1):
            kept = self.background.select(np.isin(source, half))
            cases.append(
                self._again(
                    BACKGROUND, f"half {number} of the sources ({len(half)})", background=kept
                )
            )
        if strata is not None:
            texts = np.array([t or "" for t in known_texts(self.background, strata)])
            for text in sorted(set(texts.tolist()) - {""}):
                kept = self.background.select(texts == text)
                cases.append(self._again(BACKGROUND, f"{strata} {text} only", background=kept))
        return cases

    def _again(
        self,
        kind: str,
        name: str,
        *,
        background: ProfileSet | None = None,
        spec: LrModelSpec | None = None,
        questioned: ProfileSet | None = None,
        reference: ProfileSet | None = None,
    ) -> SensitivityCase:
        """Fit the model again with something changed, and make the comparison."""
        try:
            # The model that is judged has said what is weak about its data.
            model, _ = lr_model(
                self.background if background is None else background,
                self.model.rule,
                self.model.spec if spec is None else spec,
                # The same deal of sources for every change.
                rng=np.random.default_rng(self.seed),
                across=self.across,
            )
            found = _one_pair(
                model,
                self.questioned if questioned is None else questioned,
                self.reference if reference is None else reference,
                self.item,
            )
        except InputError as error:
            return SensitivityCase(kind, name, float("nan"), float("nan"), why_not=str(error))
        return _case(kind, name, found, model)


def _other_specs(spec: LrModelSpec) -> Iterator[tuple[str, LrModelSpec]]:
    if spec.approach == "score":
        for name in CALIBRATORS:
            if name != spec.calibrator:
                yield f"calibrator {name}", replace(spec, calibrator=name)
        return
    own = spec.two_level
    for density in BETWEEN_DENSITIES:
        if density != own.between:
            other = replace(own, between=density)
            yield f"{density} density between sources", replace(spec, two_level=other)
    for width in BANDWIDTHS if own.between == "kernel" else ():
        if width != own.bandwidth:
            other = replace(own, bandwidth=width)
            yield f"bandwidth {width}", replace(spec, two_level=other)


def _treated(model: LrModel, profiles: ProfileSet) -> tuple[ProfileSet, tuple[Note, ...]]:
    return (profiles, ()) if profiles.pretreatment else model.treated(profiles)


def _one_pair(
    model: LrModel, questioned: ProfileSet, reference: ProfileSet, item: str | None
) -> EvaluatedPairs:
    found = model.evaluate(questioned, reference, item=item)
    if len(found) != 1:
        column = item or model.spec.item
        how = "every profile is an item" if column is None else f"items by column '{column}'"
        raise InputError(
            f"sensitivity is that of one comparison, and these profiles make {len(found)} pairs "
            f"({how}). Select the profiles of one item on each side, or name the column that they "
            "share: item='specimen_id'."
        )
    return found


def _case(kind: str, name: str, found: EvaluatedPairs, model: LrModel) -> SensitivityCase:
    bounds = model.bounds
    return SensitivityCase(
        kind,
        name,
        float(found.log10_lr_raw[0]),
        float(found.log10_lr_bounded[0]),
        float("nan") if bounds is None else bounds.low,
        float("nan") if bounds is None else bounds.high,
    )


def _ends(
    raw: NDArray[np.float64], draws: NDArray[np.float64], model: LrModel
) -> Iterator[SensitivityCase]:
    """Yield the middle and the ends of 95 % of the draws."""
    bounds = model.bounds
    for share in _QUANTILES:
        name = "median of the draws" if share == 0.5 else f"{100 * share:g} % of the draws below"
        yield SensitivityCase(
            UNCERTAINTY,
            name,
            float(np.quantile(raw, share)),
            float(np.quantile(draws, share)),
            float("nan") if bounds is None else bounds.low,
            float("nan") if bounds is None else bounds.high,
        )


def _scale(model: LrModel, scale: str | Path | VerbalScale) -> VerbalScale:
    lacking = []
    if not model.spec.calibrated:
        lacking.append("calibrated")
    if model.spec.bounds == NONE:
        lacking.append("bounded")
    if model.validation is None:
        lacking.append("validated")
    if lacking:
        raise InputError(
            f"the LRs of this model are not {listed(lacking)}, and words are for ones that are "
            "calibrated, bounded and validated. Leave the scale out."
        )
    return scale if isinstance(scale, VerbalScale) else load_verbal_scale(scale)


def _refuse(model: LrModel, background: ProfileSet, rng: object, n_draws: object) -> None:
    generator(rng)
    whole_number(n_draws, what="n_draws", least=20)
    digest = background.in_id_order().digest
    if digest != model.identity.reference_set:
        raise InputError(
            f"profile set '{background.name}' is not the one this model was fitted to: its digest "
            f"is {digest[:12]}..., that of the model's profiles "
            f"{model.identity.reference_set[:12]}.... Give those profiles, pretreated with the "
            "recipe of the model (model.treat)."
        )
