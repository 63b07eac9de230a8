"""`ValidationConfig`: everything that decides a validation, as a `validation.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from drugsig._check import choose, is_whole, listed
from drugsig._codec import arguments_of, record_of
from drugsig._files import sha256_of
from drugsig.errors import ConfigError
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.two_level import TwoLevelOptions
from drugsig.evidence.validation import Criteria, load_criteria, validate
from drugsig.evidence.validation.criteria import DEFAULT_CRITERIA, read_criteria
from drugsig.workflow.config import AnalysisConfig, read_toml

__all__ = ["ValidationConfig"]

# The sections it shares with an analysis file, and its own.
_SHARED = ("drugsig", "input", "pretreatment", "population", "run")
_OWN = ("model", "validation", "criteria")

# What [validation] says of the criteria.
_OF_CRITERIA = ("criteria", "criteria_sha256")

# What [validation] may hold: the keyword arguments of `validate` that have no section of their own.
_NOT_SETTINGS = ("rng", "recipe", "criteria", "progress")

# More seeds than that are written as a list, or by mistake.
_MOST_SEEDS = 10_000


@dataclass(frozen=True)
class ValidationConfig:
    """Everything that decides a validation.

    Parameters
    ----------
    analysis : AnalysisConfig
        Input, pretreatment, population rule and seed.
    spec : LrModelSpec
        Every choice of the method.
    criteria : Criteria
        What the figures must reach.
    settings : mapping
        Further keyword arguments of `validate`.
    digests : mapping of str to str
        The sha256 of the file of criteria, if there is one, as ``criteria_sha256``.
    """

    analysis: AnalysisConfig
    spec: LrModelSpec
    criteria: Criteria
    settings: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path, /) -> ValidationConfig:
        """Read a validation file; paths in it are relative to its folder.

        Parameters
        ----------
        path : path-like
            A TOML file.

        Raises
        ------
        ConfigError
            If it cannot be run; the message names the section and key.
        """
        place = Path(path)
        data = _toml(place)
        _refuse_analysis(data, place)
        for section in data:
            choose(section, (*_SHARED, *_OWN), what=f"section of {place.name}")
        for section, why in (
            ("population", "which pairs are of known source"),
            ("model", "the choices of the method, with replicate_level at least"),
        ):
            if section not in data:
                raise ConfigError(f"{place.name} lacks the section [{section}]: {why}")
        if "recipe" not in data.get("pretreatment", {}):
            raise ConfigError(
                f"{place.name} lacks recipe in [pretreatment]. A validation is of one pretreatment "
                'and says which; recipe = "" leaves the values as they were read.'
            )
        settings = data.get("validation", {})
        if not isinstance(settings, Mapping):
            raise ConfigError(f"{place.name}: [validation] must be a section, got {settings!r}")
        told = {k: v for k, v in settings.items() if k not in _OF_CRITERIA}
        if is_whole(told.get("seeds")) and 0 < told["seeds"] <= _MOST_SEEDS:
            # A number of seeds stands for the seeds from 0 on.
            told["seeds"] = tuple(range(told["seeds"]))
        criteria, digests = _criteria(data, settings, place)
        return cls(
            AnalysisConfig.from_data({k: data[k] for k in _SHARED if k in data}, place),
            _spec(data["model"], place),
            criteria,
            arguments_of(
                validate,
                told,
                where=f"{place.name}, [validation]",
                error=ConfigError,
                without=_NOT_SETTINGS,
            ),
            digests,
        )


def _toml(place: Path) -> dict[str, Any]:
    """Return the sections of the file, or say what kind of file is wanted."""
    wanted = (
        "A validation file says everything in TOML; 'drugsig example validation FOLDER' writes one "
        "to start from."
    )
    if not place.is_file():
        raise ConfigError(f"there is no validation file '{place}'. {wanted}")
    try:
        return read_toml(place)
    except ConfigError as error:
        if place.suffix.lower() == ".toml":
            raise
        raise ConfigError(f"'{place}' is no validation file. {wanted}") from error


def _refuse_analysis(data: Mapping[str, Any], place: Path) -> None:
    """Say so where somebody gives an analysis file, which holds much of the same."""
    own = [s for s in ("comparison", "threshold", "groups") if s in data]
    if own and not any(s in data for s in _OWN):
        raise ConfigError(
            f"{place.name} is an analysis file: it has [{own[0]}] and no [model]. Copy it under "
            "another name, keep [drugsig], [input], [pretreatment], [population] and [run], and "
            "add [model], with replicate_level at least, and [validation]."
        )


def _spec(model: object, place: Path) -> LrModelSpec:
    """Read [model]; what a chemist writes into the wrong table is told where it belongs."""
    where = f"{place.name}, [model]"
    if not isinstance(model, Mapping):
        raise ConfigError(f"{where} must be a section, got {model!r}")
    inside = [f.name for f in fields(TwoLevelOptions)]
    misplaced = [key for key in model if key in inside]
    if misplaced:
        raise ConfigError(
            f"{where}: {listed(misplaced)} is an option of the two-level model. Write it under "
            "[model.two_level]."
        )
    if model.get("approach") == "score" and "metric" not in model:
        raise ConfigError(
            f"{where}: the score approach needs the metric whose scores are weighed, such as "
            'metric = "pearson_distance".'
        )
    return record_of(LrModelSpec, model, where=where, error=ConfigError)


def _criteria(
    data: Mapping[str, Any], settings: Mapping[str, Any], place: Path
) -> tuple[Criteria, dict[str, str]]:
    """Return criteria that are written out here, or named, and the digest of their file."""
    said = settings.get("criteria_sha256")
    named = settings.get("criteria", DEFAULT_CRITERIA)
    is_file = isinstance(named, str) and named.endswith(".toml")
    if said is not None and not ("criteria" in settings and is_file):
        raise ConfigError(
            f"{place.name}: criteria_sha256 in [validation] is of no file. Name the file of "
            'criteria, criteria = "... .toml", or remove the line.'
        )
    if "criteria" in data:
        if "criteria" in settings:
            raise ConfigError(
                f"{place.name} both names criteria in [validation] and writes them out in "
                "[criteria]: which count?"
            )
        return Criteria.from_data(data["criteria"]), {}
    if not isinstance(named, str):
        raise ConfigError(f"{place.name}: criteria must be a name or a path, got {named!r}")
    if not named.endswith(".toml"):
        return load_criteria(named), {}
    path = place.parent / named
    if not path.is_file():
        raise ConfigError(
            f"{place.name}: there is no criteria file '{path}'. Its path is relative to the folder "
            "of the validation file; without criteria those that come with drugsig count."
        )
    criteria, content = read_criteria(path)
    found = sha256_of(content)
    if said not in (None, found):
        raise ConfigError(
            f"'{path.name}' is not the file of criteria that {place.name} was written for: its "
            f"sha256 is {found[:12]}..., the file says {str(said)[:12]}.... To validate against "
            "what is there now, remove the line criteria_sha256."
        )
    return criteria, {"criteria_sha256": found}
