"""`LrModel`: a fitted likelihood ratio model, as an object and as a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose, generator, listed
from drugsig._files import archive_digest, read_archive, write_archive
from drugsig._notes import Note, emit, notes_from_data
from drugsig._repr import html_table
from drugsig.errors import DrugsigWarning, InputError, ReadError
from drugsig.evidence.bounds import Bounds
from drugsig.evidence.calibration import Calibration
from drugsig.evidence.evidence import bounded_evidence
from drugsig.evidence.models.evaluated import (
    EvaluatedPairs,
    beyond_calibration,
    own_profiles,
    sizes_of_items,
    validation_notes,
)
from drugsig.evidence.models.identity import ModelIdentity, identity_of
from drugsig.evidence.models.items import ProfileItems, profile_items
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.stages import Stages, fit_stages, item_ratios
from drugsig.evidence.models.training import feature_values, item_scores, training_set
from drugsig.evidence.models.validation_summary import ValidationSummary
from drugsig.evidence.populations import PopulationRule, circular_notes, get_rule, label_notes
from drugsig.evidence.two_level import TwoLevelModel
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["EvaluatedAcross", "LrModel", "fit_lr_model", "load_model", "lr_model"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_KIND = "drugsig likelihood ratio model"


@dataclass(frozen=True)
class EvaluatedAcross(Note):
    """Profiles differ from those of the model in what was allowed on purpose.

    Say so in the report; better fit and validate a model on profiles like the questioned ones.
    """

    code: ClassVar[str] = "evaluated-across"
    category: ClassVar[type[DrugsigWarning] | None] = None
    what: tuple[str, ...]

    def __str__(self) -> str:
        return f"Evaluated across {' and '.join(self.what)}: the model was not fitted so."


@dataclass(frozen=True, eq=False, repr=False)
class LrModel:
    """A fitted likelihood ratio model.

    Made by `fit_lr_model`, read by `load_model`.

    Attributes
    ----------
    spec : LrModelSpec
        Every choice.
    rule : PopulationRule
        What linked and unlinked meant.
    identity : ModelIdentity
        Of which profiles it speaks; those of another kind are refused.
    stages : Stages
        Background or score, calibration, bounds.
    profile_ids, profile_sources : tuple of str
        The profiles it was fitted to, and the source of each; empty text where that is not known.
    notes : tuple of Note
        What a reader must know.
    validation : ValidationSummary or None
        How a model of these choices did on sources left out. Without it nothing is said in words.
    """

    spec: LrModelSpec
    rule: PopulationRule
    identity: ModelIdentity
    stages: Stages
    profile_ids: tuple[str, ...]
    profile_sources: tuple[str, ...]
    notes: tuple[Note, ...] = ()
    validation: ValidationSummary | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources it was fitted to."""
        return self.stages.sources

    @property
    def background(self) -> TwoLevelModel | None:
        """The two-level model; None in the score approach."""
        return self.stages.background

    @property
    def calibration(self) -> Calibration | None:
        """From raw to calibrated log10 likelihood ratios; None where there is none."""
        return self.stages.calibration

    @property
    def bounds(self) -> Bounds | None:
        """The range of log10 likelihood ratios that may be reported; None where there are none."""
        return self.stages.bounds

    @property
    def recipe(self) -> Recipe:
        """The pretreatment of its profiles, with frozen parameters."""
        return Recipe.from_data(json.loads(self.identity.pretreatment))

    @property
    def h1(self) -> str:
        """The proposition of a common source, as a clause that can follow "that"."""
        return f"the two items come from the same {self.rule.source_level}"

    @property
    def h2(self) -> str:
        """The proposition of different sources."""
        return f"the two items come from different sources at the level of {self.rule.source_level}"

    def treat(self, profiles: ProfileSet, /) -> ProfileSet:
        """Pretreat profiles as those of the model were, with the parameters learned from them.

        Parameters
        ----------
        profiles : ProfileSet
            Not pretreated.

        Raises
        ------
        InputError
            If they are pretreated already.
        """
        treated, notes = self.treated(profiles)
        emit(notes)
        return treated

    def treated(self, profiles: ProfileSet, /) -> tuple[ProfileSet, tuple[Note, ...]]:
        """Pretreat as `treat` does, and return what must be said instead of warning.

        Parameters
        ----------
        profiles : ProfileSet
            Not pretreated.
        """
        if profiles.pretreatment:
            raise InputError(
                f"profile set '{profiles.name}' is pretreated already: treat the values as they "
                "were measured"
            )
        return pretreated(profiles, self.recipe) if self.recipe.steps else (profiles, ())

    def evaluate(
        self,
        questioned: ProfileSet,
        reference: ProfileSet | None = None,
        /,
        *,
        item: str | None = None,
        pairs: Sequence[tuple[str, str]] | None = None,
        replicate_level: str | None = None,
        n_searched: int | None = None,
        across: Sequence[str] = (),
    ) -> EvaluatedPairs:
        """Weigh pairs of items.

        Where an item holds a profile that the model was fitted to, its source is taken out of the
        background for the pairs of that item; calibration and bounds stay.

        Parameters
        ----------
        questioned : ProfileSet
            Pretreated as the profiles of the model, see `treat`.
        reference : ProfileSet, optional
            What to compare with; by default the questioned items with each other, each pair once.
        item : str, optional
            The column that names the items, instead of that of the model.
        pairs : sequence of (questioned, reference), optional
            Only these pairs of items, by name.
        replicate_level : str, optional
            What the profiles of an item repeat, to be checked against the model.
        n_searched : int, optional
            How many items were searched to find these pairs.
        across : sequence of {"epoch", "laboratory"}
            What may differ from the model all the same; noted in the result.

        Returns
        -------
        EvaluatedPairs
            Raw, calibrated and bounded.

        Raises
        ------
        ModelMismatchError
            If the profiles are of another kind than those of the model.
        InputError
            If there is no pair, an item is compared with itself, or a pair has no score.
        """
        sides = [questioned] if reference is None else [questioned, reference]
        for one in sides:
            self.identity.require(one, replicate_level=replicate_level, across=across)
        column = self.spec.item if item is None else item
        sets = [_Side.of(one, column) for one in sides]
        first, second = _wanted_pairs(sets, pairs)
        _refuse_same_profiles(sets, first, second)
        own = self._own_sources(sets, first, second)
        raw, of_scores = self._raw_in_order(sets, first, second, own)
        undefined = int(np.isnan(raw).sum())
        if undefined:
            raise InputError(
                f"{undefined} of {len(raw)} pairs have no score by '{self.spec.metric}': too few "
                "targets were measured in both, or a profile is constant or empty. Leave these "
                "items out on purpose."
            )
        calibrated = self.stages.calibrated(raw)
        evidence = bounded_evidence(
            calibrated,
            h1=self.h1,
            h2=self.h2,
            source_level=self.rule.source_level,
            calibrated=self.spec.calibrated,
            log10_lr_raw=raw,
            bounds=self.bounds,
            model_digest=self.digest,
            questioned_ids=[sets[0].items.names[k] for k in first],
            reference_ids=[sets[-1].items.names[k] for k in second],
            n_searched=n_searched,
        )
        counts = [np.bincount(one.items.of_row) for one in (sets[0], sets[-1])]
        notes: list[Note] = [
            *self.notes,
            *own_profiles(sum(map(bool, own)), in_background=self.background is not None),
            *beyond_calibration(self.calibration, raw),
            *sizes_of_items(self.stages.item_sizes, counts[0][first], counts[1][second]),
        ]
        if across:
            notes.append(EvaluatedAcross(tuple(across)))
        notes += validation_notes(self.validation)
        emit(of_scores)
        return EvaluatedPairs(
            evidence=evidence,
            validated=self.validation is not None,
            notes=tuple(notes),
        )

    def with_validation(self, validation: ValidationSummary, /) -> LrModel:
        """Return the same model with a validation.

        Parameters
        ----------
        validation : ValidationSummary
            Of models of the same choices, on the same profiles under the same rule.

        Raises
        ------
        InputError
            If it is that of other choices, another rule or other profiles.
        """
        theirs = (validation.spec_digest, validation.rule_digest, validation.reference_set)
        own = (self.spec.digest, self.rule_digest, self.identity.reference_set)
        names = ("the choices", "the population rule", "the profiles")
        other = [n for n, a, b in zip(names, theirs, own, strict=True) if a != b]
        if other:
            raise InputError(
                f"this validation is not of this model: {' and '.join(other)} differ. Validate "
                "with the same spec, rule and profiles that the model was fitted with."
            )
        return replace(self, validation=validation)

    @property
    def rule_digest(self) -> str:
        """The sha256 of the population rule."""
        return hashlib.sha256(self.identity.rule.encode()).hexdigest()

    @property
    def digest(self) -> str:
        """The sha256 of all that decides a likelihood ratio, as 64 hexadecimal digits."""
        header, arrays = self._content()
        return archive_digest({k: v for k, v in header.items() if k != "validation"}, arrays)

    def save(self, path: str | Path, /, *, overwrite: bool = False) -> Path:
        """Write the model to a file, whole or not at all; equal models give equal bytes.

        Parameters
        ----------
        path : path-like
            The file; its name ends with ``.npz``.
        overwrite : bool
            Whether a file that is there is replaced.

        Raises
        ------
        OutputError
            If the file is there already, or cannot be written.
        """
        header, arrays = self._content()
        return write_archive(path, header, arrays, kind=_KIND, overwrite=overwrite)

    def _content(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        arrays: dict[str, NDArray[Any]] = {}
        background = None
        if self.stages.background is not None:
            background, arrays = self.stages.background.to_arrays()
        stages = self.stages
        header = {
            "spec": self.spec.to_data(),
            "rule": self.rule.to_data(),
            "identity": self.identity.to_data(),
            "background": background,
            "score_calibration": _data_of(stages.score_calibration),
            "calibration": _data_of(stages.calibration),
            "bounds": None if stages.bounds is None else asdict(stages.bounds),
            "sources": list(stages.sources),
            "pairs": [stages.n_linked, stages.n_unlinked, stages.n_linked_sources],
            "item_sizes": list(stages.item_sizes),
            "notes": [note.content for note in stages.notes],
            "profile_ids": list(self.profile_ids),
            "profile_sources": list(self.profile_sources),
            "model_notes": [note.content for note in self.notes],
            "validation": None if self.validation is None else self.validation.to_data(),
        }
        return header, arrays

    def _raw_in_order(
        self, sets: list[_Side], first: Places, second: Places, own: list[tuple[str, ...]]
    ) -> tuple[Floats, tuple[Note, ...]]:
        """Return as `_raw` does, worked out in the order of items: the last bit is that of a pair.

        Sums, and products of matrices, may differ in it where the same rows come in another order.
        """
        low, high = first, second
        if len(sets) == 1:
            low, high = np.minimum(first, second), np.maximum(first, second)
        order = np.lexsort((high, low))
        raw = np.empty(len(first))
        raw[order], notes = self._raw(sets, low[order], high[order], [own[k] for k in order])
        return raw, notes

    def _raw(
        self, sets: list[_Side], first: Places, second: Places, own: list[tuple[str, ...]]
    ) -> tuple[Floats, tuple[Note, ...]]:
        """Return raw log10 LRs, the sources in `own` taken out of the background, and notes."""
        model = self.stages.background
        if model is None:
            reference = (None, None) if len(sets) == 1 else (sets[1].profiles, sets[1].items)
            table, notes = item_scores(sets[0].profiles, sets[0].items, self.spec, *reference)
            calibration = self.stages.score_calibration
            if calibration is None:
                raise InputError("this model has neither a background nor a calibration of scores")
            return calibration.log10_lr(table[first, second]), notes
        values = np.vstack([feature_values(one.profiles) for one in sets])
        of_row, shift = sets[0].items.of_row, 0
        if len(sets) == 2:
            shift = len(sets[0].items)
            of_row = np.concatenate([of_row, sets[1].items.of_row + shift])
        groups: dict[tuple[str, ...], list[int]] = {}
        for pair, taken in enumerate(own):
            groups.setdefault(taken, []).append(pair)
        raw = np.empty(len(first))
        there = set(model.sources)
        for taken, places in groups.items():
            out = [s for s in taken if s in there]
            one = model.without(out) if out else model
            raw[places] = item_ratios(one, values, of_row, first[places], second[places] + shift)
        return raw, ()

    def _own_sources(
        self, sets: list[_Side], first: Places, second: Places
    ) -> list[tuple[str, ...]]:
        """Return the sources of those profiles of each pair that the model was fitted to."""
        known = dict(zip(self.profile_ids, self.profile_sources, strict=True))
        held: list[dict[int, set[str]]] = []
        for one in sets:
            held.append({})
            for item, name in zip(one.items.of_row.tolist(), one.profiles.ids, strict=True):
                if known.get(name):
                    held[-1].setdefault(item, set()).add(known[name])
        ends = zip(first.tolist(), second.tolist(), strict=True)
        none: set[str] = set()
        return [tuple(sorted(held[0].get(a, none) | held[-1].get(b, none))) for a, b in ends]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LrModel):
            return NotImplemented
        return archive_digest(*self._content()) == archive_digest(*other._content())

    __hash__ = None  # type: ignore[assignment]  # compared by content

    def __repr__(self) -> str:
        state = "not validated" if self.validation is None else f"validated: {self.validation}"
        return (
            f"<LrModel {self.spec}; {len(self.sources)} sources, {self.stages.n_linked} linked and "
            f"{self.stages.n_unlinked} unlinked pairs; {state}>"
        )

    def _repr_html_(self) -> str:
        rows = [
            ("H1", f"that {self.h1}"),
            ("H2", f"that {self.h2}"),
            ("choices", str(self.spec)),
            ("population", self.rule.name),
            ("sources", str(len(self.sources))),
            ("linked pairs", f"{self.stages.n_linked} of {self.stages.n_linked_sources} sources"),
            ("unlinked pairs", str(self.stages.n_unlinked)),
            ("bounds", "none" if self.bounds is None else str(self.bounds)),
            ("validation", "none" if self.validation is None else str(self.validation)),
            ("digest", self.digest),
            *(("mind", note.text) for note in self.notes),
        ]
        return html_table(rows, caption="LrModel")


def load_model(path: str | Path, /) -> LrModel:
    """Read a model from the file that `LrModel.save` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    LrModel
        Equal to the one that was saved.

    Raises
    ------
    ReadError
        If there is no such file, it is no model, of another version, damaged or changed.
    """
    header, arrays = read_archive(path, kind=_KIND)
    try:
        spec = LrModelSpec.from_data(header["spec"])
        background = header["background"]
        bounds, validation = header["bounds"], header["validation"]
        counts = dict(zip(_COUNTS, (int(n) for n in header["pairs"]), strict=True))
        stages = Stages(
            spec=spec,
            background=(
                None if background is None else TwoLevelModel.from_arrays(background, arrays)
            ),
            score_calibration=_calibration_of(header["score_calibration"]),
            calibration=_calibration_of(header["calibration"]),
            bounds=None if bounds is None else Bounds(**bounds),
            sources=tuple(header["sources"]),
            item_sizes=(int(header["item_sizes"][0]), int(header["item_sizes"][1])),
            notes=notes_from_data(header["notes"]),
            **counts,
        )
        return LrModel(
            spec=spec,
            rule=PopulationRule.from_data(header["rule"]),
            identity=ModelIdentity.from_data(header["identity"]),
            stages=stages,
            profile_ids=tuple(header["profile_ids"]),
            profile_sources=tuple(header["profile_sources"]),
            notes=notes_from_data(header["model_notes"]),
            validation=None if validation is None else ValidationSummary.from_data(validation),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(
            f"'{path}' holds a model that cannot be put together: {error}. It was changed, or "
            "written by another version of drugsig.",
            path=path,
        ) from error


_COUNTS = ("n_linked", "n_unlinked", "n_linked_sources")


@dataclass(frozen=True, eq=False)
class _Side:
    """One side of a comparison, its profiles in the order of their ids.

    Attributes
    ----------
    profiles : ProfileSet
        Of this side.
    items : ProfileItems
        Their items.
    asked : ndarray of intp, shape (n_items,)
        The items in the order in which the profiles were handed in.
    """

    profiles: ProfileSet
    items: ProfileItems
    asked: Places

    @classmethod
    def of(cls, profiles: ProfileSet, column: str | None, /) -> _Side:
        """Return the side of these profiles."""
        names = profile_items(profiles, column).names
        sorted_ones = profiles.in_id_order()
        items = profile_items(sorted_ones, column)
        place = {name: k for k, name in enumerate(items.names)}
        return cls(sorted_ones, items, np.array([place[name] for name in names], dtype=np.intp))


def _data_of(calibration: Calibration | None) -> dict[str, Any] | None:
    return None if calibration is None else calibration.to_data()


def _calibration_of(data: Mapping[str, Any] | None) -> Calibration | None:
    return None if data is None else Calibration.from_data(data)


def _wanted_pairs(
    sets: list[_Side], pairs: Sequence[tuple[str, str]] | None
) -> tuple[Places, Places]:
    """Return the items of the pairs that are asked for, as places on each side."""
    one, other = sets[0].items, sets[-1].items
    if pairs is not None:
        if not len(pairs):
            raise InputError("pairs names no pair: leave it out to weigh all of them")
        places = [{name: k for k, name in enumerate(side.names)} for side in (one, other)]
        found = [
            [place[choose(pair[k], side.names, what="item") if pair[k] not in place else pair[k]]
             for pair in pairs]
            for k, (place, side) in enumerate(zip(places, (one, other), strict=True))
        ]  # fmt: skip
        first, second = (np.array(numbers, dtype=np.intp) for numbers in found)
    elif len(sets) == 1:
        first, second = (sets[0].asked[g] for g in np.triu_indices(len(one), 1))
    else:
        first, second = (
            side.asked[g.reshape(-1)]
            for side, g in zip(sets, np.indices((len(one), len(other))), strict=True)
        )
    if not len(first):
        raise InputError("there is one item, and a likelihood ratio weighs a pair of them")
    return first.astype(np.intp), second.astype(np.intp)


def _refuse_same_profiles(sets: list[_Side], first: Places, second: Places) -> None:
    """Refuse pairs of items that share a profile: it would be a second measurement of itself."""
    if len(sets) == 1:
        same = first == second
    else:
        place: dict[str, int] = dict(
            zip(sets[1].profiles.ids, sets[1].items.of_row.tolist(), strict=True)
        )
        ids = sets[0].profiles.ids
        shared = {
            (int(item), place[name])
            for item, name in zip(sets[0].items.of_row, ids, strict=True)
            if name in place
        }
        ends = zip(first.tolist(), second.tolist(), strict=True)
        same = np.array([pair in shared for pair in ends] if shared else [False])
    if same.any():
        name = sets[0].items.names[first[int(np.argmax(same))]]
        raise InputError(
            f"item '{name}' would be compared with itself ({int(same.sum())} such pair(s)): an "
            "item is no second measurement of itself. Leave it out of the reference, or name the "
            "pairs: pairs=[(questioned, reference), ...]."
        )


def fit_lr_model(
    profiles: ProfileSet,
    rule: PopulationRule | str,
    spec: LrModelSpec,
    /,
    *,
    rng: np.random.Generator,
    across: Sequence[str] = (),
) -> LrModel:
    """Fit a likelihood ratio model to profiles of known source.

    Background, calibration and bounds are all fitted to these profiles, but never to the same
    pair: the likelihood ratios that teach the calibration come from backgrounds without the
    sources of the pair, and those that teach the bounds from calibrations without them.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated, of known source.
    rule : PopulationRule or str
        What linked and unlinked mean.
    spec : LrModelSpec
        Every choice.
    rng : numpy.random.Generator
        For dealing sources into parts.
    across : sequence of {"epoch", "laboratory"}
        What the profiles may have several of, where they were brought to a common scale.

    Returns
    -------
    LrModel
        Not validated yet: see `evaluate_model`. The order of the profiles does not change a bit of
        it: sources are dealt, and profiles added up, in the order of their labels.

    Raises
    ------
    InputError
        If the profiles cannot be used, or a stage cannot be fitted to them.

    Warns
    -----
    SmallSampleWarning
        If there are few sources.
    CircularRuleWarning
        If the rule looks at what was derived from the profile itself.

    Notes
    -----
    In the feature approach the profiles of one source teach the variation within sources, whether
    they are of one item or of several. They should therefore repeat what the replicate level says.
    """
    rule = get_rule(rule, profiles)
    model, notes = lr_model(profiles, rule, spec, rng=rng, across=across)
    emit(notes)
    return model


def lr_model(
    profiles: ProfileSet,
    rule: PopulationRule,
    spec: LrModelSpec,
    /,
    *,
    rng: np.random.Generator,
    across: Sequence[str] = (),
) -> tuple[LrModel, tuple[Note, ...]]:
    """Fit as `fit_lr_model` does, and return what must be said instead of warning.

    Parameters
    ----------
    profiles, rule, spec, rng, across
        As in `fit_lr_model`.

    Returns
    -------
    model : LrModel
        With its own notes.
    notes : tuple of Note
        Those on the rule and the scores, and those of the stages.
    """
    generator(rng)
    if not isinstance(spec, LrModelSpec):
        raise InputError(f"the choices of a model must be an LrModelSpec, got {spec!r}")
    profiles = profiles.in_id_order()
    identity = identity_of(profiles, rule, spec, library_version=version("drugsig"), across=across)
    levels = _other_levels(profiles, spec)
    if levels:
        raise InputError(
            f"the profiles repeat {listed(levels)} and the model is to be of replicate level "
            f"'{spec.replicate_level}': the variation within sources would be that of another "
            "level. Average them to one profile, or select the profiles of one level."
        )
    training = training_set(profiles, rule, spec)
    stages = fit_stages(training, spec, np.ones(training.n_sources, dtype=bool), rng)
    names = training.pairs.sources
    row_source = training.row_source.tolist()
    model = LrModel(
        spec=spec,
        rule=rule,
        identity=identity,
        stages=stages,
        profile_ids=profiles.ids,
        profile_sources=tuple("" if k < 0 else names[k] for k in row_source),
        notes=(*stages.notes, *training.pairs.notes),
    )
    found = (*label_notes(rule, profiles), *training.notes, *circular_notes(rule))
    return model, (*found, *stages.notes)


def _other_levels(profiles: ProfileSet, spec: LrModelSpec) -> list[str]:
    if "replicate_level" not in profiles.metadata_columns:
        return []
    texts = {t for t in profiles.column("replicate_level") if t}
    return sorted(texts - {spec.replicate_level})
