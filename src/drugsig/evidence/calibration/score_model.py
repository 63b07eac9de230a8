"""`ScoreModel`: a calibration that knows of which metric, and under which rule, it speaks."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import choose, one_line_text
from drugsig._files import FORMATS, check_format
from drugsig._notes import Note, emit, notes_from_data
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import METRICS, Metric, get_metric
from drugsig.errors import DrugsigWarning, InputError
from drugsig.evidence.calibration.calibration import Calibration, calibrated
from drugsig.evidence.calibration.registry import DEFAULT_CALIBRATOR
from drugsig.evidence.calibration.training import source_pair_weights
from drugsig.evidence.pairs import PairSample
from drugsig.evidence.populations import PopulationRule

__all__ = ["CircularRatios", "ScoreModel", "SpecimenUnknownToModel", "fit_score_model"]

Floats = NDArray[np.float64]

_FORMAT = "drugsig score model"

# What counts the same: every pair, or every source.
_WEIGH = ("pairs", "sources")


@dataclass(frozen=True)
class CircularRatios(Note):
    """Likelihood ratios come of a rule that looks at what was derived from the profile.

    Choose a rule by what is known apart from the profile, as the seizure or the batch, and fit
    anew.
    """

    code: ClassVar[str] = "circular-ratios"
    category: ClassVar[type[DrugsigWarning] | None] = None
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The rule uses {', '.join(self.columns)}, derived from the profile itself: "
            "pairs are called unlinked because their profiles differ, so the likelihood ratios "
            "are larger than they should be."
        )


@dataclass(frozen=True)
class SpecimenUnknownToModel(Note):
    """Two profiles of one specimen may have taught the model as a linked pair.

    Name the column of the specimen in the rule, and fit anew.
    """

    code: ClassVar[str] = "specimen-unknown-to-model"
    category: ClassVar[type[DrugsigWarning] | None] = None

    def __str__(self) -> str:
        return (
            "No column names the specimen. If two profiles are of one specimen they count as a "
            "linked pair, and the likelihood ratios are larger than they should be."
        )


@dataclass(frozen=True, eq=False, repr=False)
class ScoreModel:
    """Likelihood ratios of the scores of one metric, from pairs known under one rule.

    Made by `fit_score_model`. The propositions are those of the rule: H1, the two profiles share
    their source at its source level; H2, they do not.

    Attributes
    ----------
    metric : Metric
        What the scores mean; scores of another are refused.
    calibration : Calibration
        From score to log10 likelihood ratio.
    rule : PopulationRule
        What linked and unlinked meant.
    identity : dict of str to str
        What else the profiles must agree in with those it was fitted to, such as digests of the
        protocol and the recipe, epoch and replicate level. See `require`.
    notes : tuple of Note
        What a reader must know before using it.
    """

    metric: Metric
    calibration: Calibration
    rule: PopulationRule
    identity: dict[str, str]
    notes: tuple[Note, ...] = ()

    def log10_lr(
        self,
        scores: Comparison | Links | PairSample | ArrayLike,
        /,
        *,
        metric: Metric | str | None = None,
    ) -> Floats:
        """Return the log10 likelihood ratio of every score.

        Parameters
        ----------
        scores : Comparison, Links, PairSample or array_like of float
            Scores; those that stand alone need their metric beside them.
        metric : Metric or str, optional
            Of scores that stand alone.

        Returns
        -------
        ndarray of float64
            Of the shape of the scores; NaN where a score is undefined.

        Raises
        ------
        InputError
            If the scores are those of another metric, or if nobody says of which.
        """
        if isinstance(scores, (Comparison, Links, PairSample)):
            given: Metric | None = scores.metric
            values: ArrayLike = scores.scores
        else:
            given, values = None if metric is None else get_metric(metric), scores
        if given is None:
            raise InputError(
                f"this model gives likelihood ratios to scores of '{self.metric.name}', and an "
                "array does not say of which metric its scores are. Add metric=..., or hand in "
                "the comparison."
            )
        if given != self.metric:
            raise InputError(
                f"this model gives likelihood ratios to scores of '{self.metric.name}' "
                f"({self.metric.formula}), and these are of '{given.name}' ({given.formula}). "
                f"Compare with metric='{self.metric.name}', or fit a model to the other."
            )
        return self.calibration.log10_lr(values)

    def require(self, identity: Mapping[str, str], /) -> None:
        """Refuse profiles that differ from those of the model in what they must agree in.

        Parameters
        ----------
        identity : mapping of str to str
            Of the profiles; keys that the model does not have are not looked at.

        Raises
        ------
        InputError
            If a key of the model is missing or has another text.
        """
        differing = {k: v for k, v in self.identity.items() if identity.get(k) != v}
        if differing:
            said = "; ".join(
                f"{key} is '{identity[key]}' and was '{value}'"
                if key in identity
                else f"{key} is not known and was '{value}'"
                for key, value in differing.items()
            )
            raise InputError(
                f"these profiles are not of the kind this model was fitted to: {said}. Treat them "
                "in the same way, or fit a model to profiles of their kind."
            )

    @property
    def digest(self) -> str:
        """The sha256 of the model as data, as 64 hexadecimal digits: two equal models share it."""
        text = json.dumps(
            self.to_data(), sort_keys=True, separators=(",", ":"), ensure_ascii=False,
            allow_nan=False,
        )  # fmt: skip
        return hashlib.sha256(text.encode()).hexdigest()

    def to_data(self) -> dict[str, Any]:
        """Return the model as data for a JSON file, which `from_data` reads.

        Raises
        ------
        InputError
            If its metric is not the registered one of its name, as a metric fitted to profiles.
        """
        if METRICS.get(self.metric.name) != self.metric:
            raise InputError(
                f"a model of metric '{self.metric.name}' cannot be written: the metric carries "
                "parameters of its own, which its name does not tell"
            )
        return {
            "format": _FORMAT,
            "version": FORMATS[_FORMAT],
            "metric": self.metric.name,
            "rule": self.rule.to_data(),
            "identity": dict(self.identity),
            "calibration": self.calibration.to_data(),
            "notes": [note.content for note in self.notes],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> ScoreModel:
        """Read a model from data.

        Raises
        ------
        InputError
            If it is no score model, one of a later version, or damaged.
        """
        check_format(data, _FORMAT, refuse=lambda why: InputError(f"this {why}"))
        for key in ("metric", "rule", "calibration", "notes"):
            if key not in data:
                raise InputError(f"a stored score model lacks '{key}'. Write the file anew.")
        calibration = Calibration.from_data(data["calibration"])
        metric = get_metric(data["metric"])
        if metric.kind != calibration.kind:
            raise InputError(
                f"a stored score model contradicts itself: metric '{metric.name}' is a "
                f"{metric.kind}, its calibration one of a {calibration.kind}. Was the file edited?"
            )
        return cls(
            metric=metric,
            calibration=calibration,
            rule=PopulationRule.from_data(data["rule"]),
            identity=_checked_identity(data.get("identity")),
            notes=notes_from_data(data["notes"]),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScoreModel):
            return NotImplemented
        return (
            self.metric == other.metric
            and self.rule == other.rule
            and self.calibration == other.calibration
            and self.identity == other.identity
            and self.notes == other.notes
        )

    __hash__ = None  # type: ignore[assignment]  # compared by content

    def __repr__(self) -> str:
        low, high = self.calibration.limits
        return (
            f"<ScoreModel of {self.metric.name} under '{self.rule.name}', "
            f"{self.calibration.method}: log10 LR {low:.3g} to {high:.3g}; not validated here>"
        )

    def _repr_html_(self) -> str:
        low, high = self.calibration.limits
        rows = [
            ("metric", f"{self.metric.name}: {self.metric.formula}"),
            ("rule", self.rule.name),
            ("source level", self.rule.source_level),
            ("calibration", repr(self.calibration)),
            ("log10 LR", f"{low:.3g} to {high:.3g}"),
            *self.identity.items(),
            *(("mind", note.text) for note in self.notes),
        ]
        body = "".join(
            f"<tr><th>{html.escape(k)}</th><td>{html.escape(str(v))}</td></tr>" for k, v in rows
        )
        return f"<table><tbody>{body}</tbody></table>"


def fit_score_model(
    sample: PairSample,
    /,
    *,
    method: str = DEFAULT_CALIBRATOR,
    weigh: str = "pairs",
    weights: ArrayLike | None = None,
    identity: Mapping[str, str] | None = None,
    extrapolate: bool = False,
    **options: Any,
) -> ScoreModel:
    """Fit likelihood ratios to the scores of pairs whose source is known.

    Parameters
    ----------
    sample : PairSample
        From `pair_sample`.
    method : str
        A name of `CALIBRATORS`.
    weigh : {"pairs", "sources"}
        What counts the same: every pair, or every source however many pairs it has
        (`source_pair_weights`).
    weights : array_like of float, shape (n_pairs,), optional
        How often each pair counts besides, from 0: a resample of sources, or 0 for every pair that
        touches a source under test.
    identity : mapping of str to str, optional
        What profiles must agree in with these, for `ScoreModel.require`.
    extrapolate : bool
        Whether the formula is followed beyond the scores of the sample.
    **options : object
        Of the method, see its entry in `CALIBRATORS`.

    Returns
    -------
    ScoreModel
        To be judged on pairs of other sources: leave out both sources of a pair, with `weights`,
        and fit anew.

    Raises
    ------
    InputError
        If the pairs that count cannot be calibrated so.
    UnknownNameError
        If there is no such method or option.

    Warns
    -----
    SmallSampleWarning
        If there are fewer than 30 linked sources.
    DataWarning
        If linked pairs are no more alike than unlinked ones.
    """
    counted = np.ones(len(sample)) if weights is None else np.array(weights, dtype=np.float64)
    if choose(weigh, _WEIGH, what="way to weigh") == "sources" and counted.shape == (len(sample),):
        used = counted > 0
        if used.any():
            counted[used] *= source_pair_weights(
                sample.linked[used], sample.source_a[used], sample.source_b[used]
            )
    calibration = calibrated(
        sample.scores,
        sample.linked,
        method=method,
        metric=sample.metric,
        weights=counted,
        source_a=sample.source_a,
        source_b=sample.source_b,
        extrapolate=extrapolate,
        **options,
    )
    notes = list(calibration.notes)
    if sample.rule.circular:
        notes.append(CircularRatios(sample.rule.circular))
    if not sample.specimen_known:
        notes.append(SpecimenUnknownToModel())
    emit(notes)
    return ScoreModel(
        metric=sample.metric,
        calibration=calibration,
        rule=sample.rule,
        identity=_checked_identity(identity),
        notes=tuple(notes),
    )


def _checked_identity(identity: object) -> dict[str, str]:
    if identity is None:
        return {}
    if not isinstance(identity, Mapping):
        raise InputError(f"the identity of a model must be a mapping of texts, got {identity!r}")
    return {
        one_line_text(key, what="a key of the identity"): one_line_text(
            value, what=f"{key} of the identity"
        )
        for key, value in identity.items()
    }
