"""`StudyPlan`: which treatments are tried on which populations, as data and as a TOML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tomli_w

from drugsig._check import choose, is_whole, listed, one_line_text, unique_text
from drugsig._codec import record_of, to_data
from drugsig._files import MOST_SETTINGS, parsed_toml, read_whole
from drugsig.comparison.metrics import METRICS, Metric
from drugsig.errors import ConfigError, InputError
from drugsig.evidence.populations import PopulationRule, get_rule
from drugsig.evidence.target_selection import TargetSelection
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.tables import read_profiles
from drugsig.profiles.tables.assembly import ReadingOptions

__all__ = ["ALL_TARGETS", "FORMAT", "StudyPlan", "named_recipes", "plan_of", "read_plan"]

FORMAT = 1

# The selection that leaves no target out.
ALL_TARGETS = "all targets"

_SETTINGS = ("metrics", "n_folds", "n_repeats", "n_resamples", "seed", "min_measured")

# The least of each setting that means something, and whether 0 means "not at all".
_LEAST = {"n_folds": 2, "n_repeats": 1, "n_resamples": 100, "seed": 0}
_OPTIONAL = ("n_folds", "n_resamples")


@dataclass(frozen=True)
class StudyPlan:
    """Everything that decides the result of a study.

    Parameters
    ----------
    recipes : tuple of (str, str)
        Name and text of every pretreatment.
    metrics : tuple of str
        Names of metrics.
    rules : tuple of PopulationRule
        Which pairs are of known source; their names differ.
    selections : tuple of (str, TargetSelection)
        Name and rule of every choice of targets.
    n_folds : int
        Into how many folds the sources are parted; 0 for no nested choice.
    n_repeats : int
        How often they are parted anew.
    n_resamples : int
        How often sources are resampled for intervals; 0 for none.
    seed : int
        From which all random numbers follow.
    min_measured : int, optional
        As in `drugsig.compare`.
    path : Path, optional
        The table of profiles, if the plan was read from a file.
    reading : ReadingOptions
        How the table is read.
    digest : str, optional
        What the content digest of the profiles must be.
    """

    recipes: tuple[tuple[str, str], ...]
    metrics: tuple[str, ...]
    rules: tuple[PopulationRule, ...]
    selections: tuple[tuple[str, TargetSelection], ...] = ((ALL_TARGETS, TargetSelection()),)
    n_folds: int = 5
    n_repeats: int = 5
    n_resamples: int = 2000
    seed: int = 1
    min_measured: int | None = None
    path: Path | None = None
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    digest: str | None = None

    def __post_init__(self) -> None:
        for what, names in (
            ("recipes", [name for name, _ in self.recipes]),
            ("metrics", list(self.metrics)),
            ("rules", [rule.name for rule in self.rules]),
            ("target selections", [name for name, _ in self.selections]),
        ):
            if not names:
                raise InputError(f"a study needs {what}, got none")
            unique_text(names, what=f"the names of {what}")
        for _, recipe in self.recipes:
            Recipe.parse(recipe)
        for metric in self.metrics:
            choose(metric, tuple(METRICS), what="metric")
            if METRICS[metric].fit is not None:
                raise InputError(_fitted(metric))
        for name, least in _LEAST.items():
            value = getattr(self, name)
            none = name in _OPTIONAL and value == 0
            if not is_whole(value) or (value < least and not none):
                zero = ", or 0 for none" if name in _OPTIONAL else ""
                raise InputError(f"{name} must be a whole number from {least}{zero}, got {value!r}")
            object.__setattr__(self, name, int(value))

    @property
    def n_combinations(self) -> int:
        """How many combinations are tried."""
        return len(self.recipes) * len(self.selections) * len(self.metrics) * len(self.rules)

    def load(self) -> ProfileSet:
        """Read the profiles the plan names.

        Raises
        ------
        ConfigError
            If it names none, or the file holds others than it did.
        """
        if self.path is None:
            raise ConfigError(
                "this study plan names no table of profiles. Give the profiles: "
                "drugsig.study.run_plan(plan, profiles)."
            )
        profiles = read_profiles(self.path, **self.reading.given)
        if self.digest is not None and profiles.digest != self.digest:
            raise ConfigError(
                f"'{self.path.name}' holds other profiles than those of this study: their digest "
                f"is {profiles.digest[:12]}..., and the study file asks for "
                f"{self.digest[:12]}.... Take the file that was studied, or leave digest out."
            )
        return profiles

    def to_data(self) -> dict[str, Any]:
        """Return the plan as data for a study file."""
        settings: dict[str, Any] = {key: getattr(self, key) for key in _SETTINGS}
        settings["metrics"] = list(self.metrics)
        if self.min_measured is None:
            del settings["min_measured"]
        data: dict[str, Any] = {}
        if self.path is not None:
            data["input"] = {"path": self.path.as_posix(), **to_data(self.reading.given)}
            if self.digest is not None:
                data["input"]["digest"] = self.digest
        data["study"] = settings
        data["recipes"] = [{"name": n, "recipe": text} for n, text in self.recipes]
        if self.selections != ((ALL_TARGETS, TargetSelection()),):
            data["selections"] = [{"name": n, **s.to_data()} for n, s in self.selections]
        data["rules"] = [rule.to_data() for rule in self.rules]
        return data

    def to_toml(self, *, version: str) -> str:
        """Return the plan as the text of a study file, written by this version of drugsig."""
        head = {"drugsig": {"format": FORMAT, "version": version}}
        return tomli_w.dumps({**head, **self.to_data()})


def plan_of(
    recipes: str | Recipe | Sequence[str | Recipe] | Mapping[str, str | Recipe],
    metrics: str | Metric | Sequence[str | Metric],
    rules: PopulationRule | str | Sequence[PopulationRule | str],
    /,
    *,
    selections: Mapping[str, TargetSelection] | None = None,
    **settings: Any,
) -> StudyPlan:
    """Make a plan from what a user gives; see `drugsig.run_study`."""
    listed_rules = [rules] if isinstance(rules, (PopulationRule, str)) else rules
    chosen = [metrics] if isinstance(metrics, (str, Metric)) else metrics
    return StudyPlan(
        recipes=named_recipes(recipes),
        metrics=tuple(_metric_name(m) for m in chosen),
        rules=tuple(get_rule(r) for r in listed_rules),
        selections=(
            ((ALL_TARGETS, TargetSelection()),) if selections is None else tuple(selections.items())
        ),
        **settings,
    )


def named_recipes(
    recipes: str | Recipe | Sequence[str | Recipe] | Mapping[str, str | Recipe], /
) -> tuple[tuple[str, str], ...]:
    """Return recipes as (name, text); without names the text is the name.

    Raises
    ------
    InputError
        If a recipe has learned already: what it learned may come from the profiles under test.
    """
    if isinstance(recipes, (str, Recipe)):
        recipes = [recipes]
    pairs = recipes.items() if isinstance(recipes, Mapping) else ((None, r) for r in recipes)
    out = []
    for name, recipe in pairs:
        parsed = Recipe.coerce(recipe)
        if any(step.learned for step in parsed.steps):
            raise InputError(
                f"recipe '{parsed}' has learned from profiles already. A study learns every recipe "
                "anew, from training profiles only: give it as text."
            )
        text = str(parsed)
        out.append((one_line_text(name or text or "none", what="the name of a recipe"), text))
    return tuple(out)


def read_plan(path: str | Path, /) -> StudyPlan:
    """Read a study file; paths in it are relative to its folder.

    Raises
    ------
    ConfigError
        If it cannot be run; the message names the section and key.
    """
    place = Path(path)
    try:
        data = parsed_toml(read_whole(place, most=MOST_SETTINGS))
    except OSError as error:
        raise ConfigError(f"study file '{place}' cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"'{place}' is not valid TOML in UTF-8: {error}") from error
    sections = ("drugsig", "input", "study", "recipes", "selections", "rules")
    for section in data:
        choose(section, sections, what=f"section of {place.name}")
    lacking = [s for s in ("study", "recipes", "rules") if s not in data]
    if lacking:
        raise ConfigError(f"{place.name} lacks {listed(lacking)}")
    head = _table(data, "drugsig", place)
    if head.get("format") != FORMAT:
        raise ConfigError(
            f"{place.name}: [drugsig] format must be {FORMAT}, got {head.get('format')!r}. It says "
            "how the file is to be read."
        )
    settings = dict(_table(data, "study", place))
    for key in settings:
        choose(key, _SETTINGS, what=f"key of [study] in {place.name}")
    metrics = settings.pop("metrics", None)
    if not isinstance(metrics, list):
        raise ConfigError(f"{place.name}: [study] needs metrics = [...], got {metrics!r}")
    reading = dict(_table(data, "input", place)) if "input" in data else {}
    source, digest = reading.pop("path", None), reading.pop("digest", None)
    if "input" in data and not isinstance(source, str):
        raise ConfigError(f"{place.name}: [input] needs path, the table of profiles")
    options = record_of(ReadingOptions, reading, where=f"{place.name}, [input]", error=ConfigError)
    if options.metadata_path is not None:
        options = replace(options, metadata_path=place.parent / options.metadata_path)
    selections = _entries(data, "selections", place)
    return StudyPlan(
        recipes=named_recipes(
            {
                _key(e, "name", "recipes", place): _key(e, "recipe", "recipes", place)
                for e in _entries(data, "recipes", place)
            }
        ),
        metrics=tuple(metrics),
        rules=tuple(PopulationRule.from_data(e) for e in _entries(data, "rules", place)),
        selections=(
            tuple(
                (
                    _key(e, "name", "selections", place),
                    TargetSelection.from_data({k: v for k, v in e.items() if k != "name"}),
                )
                for e in selections
            )
            or ((ALL_TARGETS, TargetSelection()),)
        ),
        path=None if source is None else place.parent / source,
        reading=options,
        digest=digest,
        **settings,
    )


def _metric_name(metric: str | Metric) -> str:
    if isinstance(metric, str):
        return metric
    if METRICS.get(metric.name) != metric:
        raise InputError(_fitted(metric.name))
    return metric.name


def _fitted(name: str) -> str:
    return (
        f"metric '{name}' was fitted or made for other profiles. A study takes registered metrics "
        "that learn nothing: what was fitted on the profiles under test would flatter."
    )


def _table(data: Mapping[str, Any], name: str, place: Path) -> Mapping[str, Any]:
    section = data.get(name, {})
    if not isinstance(section, Mapping):
        raise ConfigError(f"{place.name}: [{name}] must be a section, got {section!r}")
    return section


def _entries(data: Mapping[str, Any], name: str, place: Path) -> list[Mapping[str, Any]]:
    entries = data.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries):
        raise ConfigError(
            f"{place.name}: {name} must be a list of tables, each headed [[{name}]], got "
            f"{entries!r}"
        )
    return entries


def _key(entry: Mapping[str, Any], key: str, section: str, place: Path) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise ConfigError(f"{place.name}: every [[{section}]] needs {key} as text, got {value!r}")
    return value
