"""`AnalysisConfig`: everything that decides the result of an analysis, as an `analysis.toml`."""

from __future__ import annotations

import inspect
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from drugsig._check import choose, share
from drugsig.comparison.metrics import DEFAULT_METRIC, get_metric
from drugsig.errors import ConfigError
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.threshold import DEFAULT_RATE, DEFAULT_RESAMPLES
from drugsig.groups.grouping import DEFAULT_LINKAGE
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.tables import read_profiles

__all__ = ["DEFAULT_RECIPE", "FORMAT", "AnalysisConfig", "read_rule", "to_toml"]

FORMAT = 1

# The treatment and metric found best for amphetamine by Andersson et al., Forensic Science
# International 169 (2007) 86; other drugs may need others.
DEFAULT_RECIPE = "sum | fourth_root"

DEFAULT_SEED = 1

_SECTIONS: dict[str, tuple[str, ...]] = {
    "drugsig": ("format", "version"),
    "pretreatment": ("recipe",),
    "comparison": ("metric", "min_measured"),
    "threshold": ("value", "false_positive_rate", "n_resamples"),
    "groups": ("linkage",),
    "run": ("seed",),
    "output": ("decimal_comma",),
}

_PATHS = ("path", "metadata_path")


def _reading_keys() -> tuple[str, ...]:
    """Return the keyword arguments of `drugsig.read_profiles`, the further keys of [input]."""
    parameters = inspect.signature(read_profiles).parameters.values()
    return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class AnalysisConfig:
    """Everything that decides the result of an analysis.

    Parameters
    ----------
    path : Path
        The table of profiles.
    reading : mapping
        Keyword arguments of `drugsig.read_profiles`.
    recipe : str
        The pretreatment.
    metric : str
        The metric.
    min_measured : int, optional
        The least number of targets measured in both; the metric's own number by default.
    threshold : float, optional
        A threshold that is given; without it one is learned under the rule.
    false_positive_rate : float
        The rate a learned threshold must not exceed.
    rule : PopulationRule, optional
        Which pairs are of known source.
    linkage : str
        How groups are joined.
    seed : int
        For resampling.
    n_resamples : int
        How often sources are resampled.
    decimal_comma : bool
        Whether tables are written with a decimal comma and semicolons.
    sha256 : str, optional
        What the input must be, byte for byte.
    written_by : str
        The version of drugsig that wrote the analysis file, if one did.
    """

    path: Path
    reading: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = DEFAULT_RECIPE
    metric: str = DEFAULT_METRIC
    min_measured: int | None = None
    threshold: float | None = None
    false_positive_rate: float = DEFAULT_RATE
    rule: PopulationRule | None = None
    linkage: str = DEFAULT_LINKAGE
    seed: int = DEFAULT_SEED
    n_resamples: int = DEFAULT_RESAMPLES
    decimal_comma: bool = False
    sha256: str | None = None
    written_by: str = ""

    def __post_init__(self) -> None:
        for key in self.reading:
            choose(key, _reading_keys(), what="key of [input]")
        Recipe.parse(self.recipe)
        metric = get_metric(self.metric)
        share(self.false_positive_rate, what="false_positive_rate")
        if self.threshold is not None:
            metric.check_threshold(self.threshold)
        if self.threshold is None and self.rule is None:
            raise ConfigError(
                "nothing says where a link begins. Give a population rule, so that a threshold "
                "can be learned from pairs of known source (section [population], or rule=...), or "
                "give a threshold, which is then reported as not validated (threshold.value, or "
                "threshold=...). drugsig assumes no rule: one seizure need not be one source."
            )
        for what, value, least in (("seed", self.seed, 0), ("n_resamples", self.n_resamples, 100)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"{what} must be a whole number from {least}, got {value!r}")

    @classmethod
    def read(cls, path: str | Path, /) -> AnalysisConfig:
        """Read an analysis file; paths in it are relative to its folder.

        Raises
        ------
        ConfigError
            If it cannot be run; the message names the section and key.
        """
        place = Path(path)
        data = _toml(place)
        for section in data:
            choose(section, (*_SECTIONS, "input", "population"), what=f"section of {place.name}")
        found = {name: _section(data, name, place) for name in (*_SECTIONS, "input")}
        for section, keys in _SECTIONS.items():
            for key in found[section]:
                choose(key, keys, what=f"key of [{section}] in {place.name}")
        if found["drugsig"].get("format") != FORMAT:
            raise ConfigError(
                f"{place.name}: [drugsig] format must be {FORMAT}, got "
                f"{found['drugsig'].get('format')!r}. It says how the file is to be read."
            )
        reading = dict(found["input"])
        if not isinstance(reading.get("path"), str):
            raise ConfigError(f"{place.name}: [input] needs path, the table of profiles")
        for key in _PATHS:
            if key in reading:
                reading[key] = _resolve(place.parent, reading[key])
        source = reading.pop("path")
        sha256 = reading.pop("sha256", None)
        population = data.get("population")
        return cls(
            path=source,
            reading=reading,
            recipe=_text(found["pretreatment"], "recipe", DEFAULT_RECIPE, place),
            metric=_text(found["comparison"], "metric", DEFAULT_METRIC, place),
            min_measured=found["comparison"].get("min_measured"),
            threshold=_number(found["threshold"], "value", place),
            false_positive_rate=found["threshold"].get("false_positive_rate", DEFAULT_RATE),
            rule=None if population is None else _rule(population, place),
            linkage=_text(found["groups"], "linkage", DEFAULT_LINKAGE, place),
            seed=found["run"].get("seed", DEFAULT_SEED),
            n_resamples=found["threshold"].get("n_resamples", DEFAULT_RESAMPLES),
            decimal_comma=_flag(found["output"], "decimal_comma", place),
            sha256=sha256,
            written_by=str(found["drugsig"].get("version", "")),
        )

    def to_data(
        self, *, relative_to: Path | None = None, sha256: str, version: str
    ) -> dict[str, Any]:
        """Return everything as data for an analysis file.

        Parameters
        ----------
        relative_to : Path, optional
            The folder the file will lie in; paths are written relative to it where that is
            possible, and absolute otherwise.
        sha256 : str
            Of the input as it was read.
        version : str
            Of drugsig.
        """
        given = dict(self.reading)
        if "metadata_path" in given:
            given["metadata_path"] = _relative(Path(given["metadata_path"]), relative_to)
        threshold: dict[str, Any] = {"n_resamples": self.n_resamples}
        if self.threshold is not None:
            threshold["value"] = self.threshold
        else:
            threshold["false_positive_rate"] = self.false_positive_rate
        comparison: dict[str, Any] = {"metric": self.metric}
        if self.min_measured is not None:
            comparison["min_measured"] = self.min_measured
        data: dict[str, Any] = {
            "drugsig": {"format": FORMAT, "version": version},
            "input": {
                "path": _relative(self.path, relative_to),
                "sha256": sha256,
                **{k: v for k, v in given.items() if v is not None},
            },
            "pretreatment": {"recipe": str(Recipe.parse(self.recipe))},
            "comparison": comparison,
            "threshold": threshold,
            "groups": {"linkage": self.linkage},
            "run": {"seed": self.seed},
        }
        if self.decimal_comma:
            data["output"] = {"decimal_comma": True}
        if self.rule is not None:
            data["population"] = self.rule.to_data()
        return data


def to_toml(data: Mapping[str, Any], /) -> str:
    """Write the data of an analysis file as TOML."""
    return tomli_w.dumps(data)


def read_rule(path: str | Path, /) -> PopulationRule:
    """Read a population rule from a TOML file with a section ``[population]``.

    Raises
    ------
    ConfigError
        If there is no such section or it cannot be read.
    """
    place = Path(path)
    data = _toml(place)
    if "population" not in data:
        raise ConfigError(f"{place.name} has no section [population]")
    return _rule(data["population"], place)


def _toml(place: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(place.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no analysis file '{place}'") from error
    except OSError as error:
        raise ConfigError(f"'{place}' cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"'{place}' is not text in UTF-8, so it is no analysis file") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"'{place}' is not valid TOML: {error}. In TOML a number has a decimal point (0.02), "
            "texts stand in quotes, and a path is written with / or in single quotes "
            "('C:\\data\\table.xlsx')."
        ) from error


def _section(data: Mapping[str, Any], name: str, place: Path) -> dict[str, Any]:
    section = data.get(name, {})
    if not isinstance(section, dict):
        raise ConfigError(f"{place.name}: [{name}] must be a section, got {section!r}")
    return section


def _rule(population: object, place: Path) -> PopulationRule:
    if not isinstance(population, Mapping):
        raise ConfigError(f"{place.name}: [population] must be a section, got {population!r}")
    return PopulationRule.from_data(population)


def _text(section: Mapping[str, Any], key: str, default: str, place: Path) -> str:
    value = section.get(key, default)
    if not isinstance(value, str):
        raise ConfigError(f"{place.name}: {key} must be text, got {value!r}")
    return value


def _number(section: Mapping[str, Any], key: str, place: Path) -> float | None:
    value = section.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"{place.name}: {key} must be a number, got {value!r}")
    return float(value)


def _flag(section: Mapping[str, Any], key: str, place: Path) -> bool:
    value = section.get(key, False)
    if not isinstance(value, bool):
        raise ConfigError(f"{place.name}: {key} must be true or false, got {value!r}")
    return value


def _resolve(folder: Path, path: object) -> Path:
    if not isinstance(path, str):
        raise ConfigError(f"a path in an analysis file must be text, got {path!r}")
    return folder / path


def _relative(path: Path, folder: Path | None) -> str:
    if folder is None:
        return path.name
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # another drive on Windows: there is no relative path
        return path.absolute().as_posix()
