"""`LrModelSpec`: every choice behind a likelihood ratio model, written down before it is fitted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drugsig._check import choose, one_line_text
from drugsig._codec import record_data, record_of
from drugsig._files import canonical_json
from drugsig.comparison.metrics import METRICS
from drugsig.errors import ConfigError, InputError
from drugsig.evidence.bounds import BOUND_METHODS
from drugsig.evidence.calibration import (
    CALIBRATORS,
    DEFAULT_CALIBRATOR,
    DEFAULT_RATIO_CALIBRATOR,
)
from drugsig.evidence.two_level import REPLICATE_LEVELS, TwoLevelOptions

__all__ = ["APPROACHES", "NONE", "LrModelSpec"]

APPROACHES = ("feature", "score")

# The name of leaving a stage out.
NONE = "none"

# The order in files: what is always there, what may be, and the table of its own.
_IN_ORDER = (
    *("approach", "replicate_level", "calibration", "bounds", "bounds_count"),
    *("item", "metric", "calibrator", "two_level"),
)

# The beta calibration is for scores between two limits, which a likelihood ratio does not have.
_OF_RATIOS = (*(name for name in CALIBRATORS if name != "beta"), NONE)

# What counts as independent where bounds are found.
_BOUNDS_COUNT = ("sources", "pairs")


@dataclass(frozen=True)
class LrModelSpec:
    """Every choice behind a likelihood ratio model.

    Parameters
    ----------
    replicate_level : {"injection", "preparation", "unit", "specimen"}
        What the profiles of one item repeat, and at which level the variation within sources is
        measured.
    approach : {"feature", "score"}
        Two-level random effects on the values themselves, or likelihood ratios of a score.
    item : str, optional
        The metadata column that names the item a profile belongs to. An item is one side of a
        comparison: the replicates of a specimen, half a batch. None: every profile is an item.
    two_level : TwoLevelOptions
        Of the feature approach: density between sources, conventions, shrinkage, components,
        share of items with a gross error.
    metric : str, optional
        Of the score approach: a name of `drugsig.METRICS` that carries no numbers learned from
        profiles. Two items score the mean over their pairs of profiles.
    calibrator : str, optional
        Of the score approach: from scores to likelihood ratios, a name of `CALIBRATORS`.
    calibration : str
        Of the log10 likelihood ratios that come out: a name of `CALIBRATORS` but "beta", or
        "none". The score approach needs none as a rule.
    bounds : str
        A name of `BOUND_METHODS`, or "none".
    bounds_count : {"sources", "pairs"}
        What counts as independent where bounds are found; bounds by pairs are the published ones,
        and wider.

    Examples
    --------
    >>> spec = LrModelSpec(replicate_level="unit", two_level=TwoLevelOptions(error_share=0.01))
    >>> LrModelSpec.from_data(spec.to_data()) == spec
    True
    """

    replicate_level: str
    approach: str = "feature"
    item: str | None = None
    two_level: TwoLevelOptions = field(default_factory=TwoLevelOptions)
    metric: str | None = None
    calibrator: str | None = None
    calibration: str = DEFAULT_RATIO_CALIBRATOR
    bounds: str = "elub"
    bounds_count: str = "sources"

    def __post_init__(self) -> None:
        choose(self.replicate_level, REPLICATE_LEVELS, what="replicate level")
        choose(self.approach, APPROACHES, what="approach of a likelihood ratio model")
        choose(self.calibration, _OF_RATIOS, what="calibration of likelihood ratios")
        choose(self.bounds, (*BOUND_METHODS, NONE), what="method of bounds")
        choose(self.bounds_count, _BOUNDS_COUNT, what="what counts as independent")
        if self.item is not None:
            one_line_text(self.item, what="the column that names the item")
        if not isinstance(self.two_level, TwoLevelOptions):
            raise InputError(f"two_level must be TwoLevelOptions, got {self.two_level!r}")
        if self.approach == "score":
            self._check_score()
        elif self.metric is not None or self.calibrator is not None:
            raise InputError(
                "a metric and a calibrator belong to the score approach: say approach='score', or "
                "leave them out"
            )

    def _check_score(self) -> None:
        if self.metric is None:
            raise InputError(
                "the score approach needs the metric whose scores are weighed: metric='pearson'"
            )
        choose(self.metric, tuple(METRICS), what="metric")
        if METRICS[self.metric].fit is not None:
            raise InputError(
                f"metric '{self.metric}' was fitted to profiles beforehand, and no fold of an "
                "evaluation fits it anew: it would know the pairs that it is judged on. Take a "
                "metric that learns nothing, or the feature approach."
            )
        if self.calibrator is None:
            object.__setattr__(self, "calibrator", DEFAULT_CALIBRATOR)
        choose(self.calibrator, tuple(CALIBRATORS), what="calibrator")
        if self.two_level != TwoLevelOptions():
            raise InputError(
                "options of the two-level model belong to the feature approach, and this is the "
                "score approach: leave two_level out"
            )

    @property
    def calibrated(self) -> bool:
        """Whether the likelihood ratios come out of a calibration on pairs of known source."""
        return self.approach == "score" or self.calibration != NONE

    @property
    def digest(self) -> str:
        """The sha256 of the choices, as 64 hexadecimal digits."""
        return hashlib.sha256(canonical_json(self.to_data()).encode()).hexdigest()

    def to_data(self) -> dict[str, Any]:
        """Return the choices as data for TOML or JSON, which `from_data` reads."""
        data = record_data(self)
        data = {name: data[name] for name in _IN_ORDER}
        if self.approach == "score":
            del data["two_level"]
        else:
            data["two_level"] = _set_ones(data["two_level"])
        return _set_ones(data)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> LrModelSpec:
        """Read the choices from data, as in a TOML file.

        Raises
        ------
        ConfigError
            If something is missing or of the wrong kind.
        UnknownNameError
            If a key or a name is not known.
        """
        return record_of(cls, data, where="the choices of a model", error=ConfigError)

    def __str__(self) -> str:
        if self.approach == "score":
            what = f"score by {self.metric}, {self.calibrator}"
        else:
            error = self.two_level.error_share
            what = f"two-level, {self.two_level.between} between sources" + (
                f", {error:g} of items with a gross error" if error else ""
            )
        of = "profiles" if self.item is None else f"'{self.item}'"
        return (
            f"{what}; calibration {self.calibration}; bounds {self.bounds}; items: {of}; "
            f"replicate level {self.replicate_level}"
        )


def _set_ones(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is set; not every format has a word for nothing."""
    return {name: value for name, value in data.items() if value is not None}
