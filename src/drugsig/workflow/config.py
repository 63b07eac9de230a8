"""`AnalysisConfig`: everything that decides the result of an analysis, as an `analysis.toml`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tomli_w

from drugsig._check import FEWEST_RESAMPLES, MOST_RESAMPLES, choose, share, whole_number
from drugsig._codec import given, record_of, to_data
from drugsig._files import MOST_SETTINGS, parsed_toml, read_whole, sha256_of
from drugsig.analysis.analysing import DEFAULT_RECIPE, DEFAULT_SEED, MATRICES, NO_THRESHOLD
from drugsig.comparison.metrics import DEFAULT_METRIC, get_metric
from drugsig.errors import ConfigError
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.threshold import DEFAULT_RATE, DEFAULT_RESAMPLES
from drugsig.groups.grouping import DEFAULT_LINKAGE
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.tables.assembly import ReadingOptions
from drugsig.protocols import Protocol, load_protocol
from drugsig.protocols.reading import read_protocol

__all__ = [
    "FORMAT",
    "INPUT_DIGESTS",
    "AnalysisConfig",
    "ProtocolRead",
    "RunReadingOptions",
    "read_rule",
    "read_toml",
    "reading_options",
    "to_toml",
]

FORMAT = 1

# The sections of the file and their keys, which are fields of the same name; in this order.
_SECTIONS: dict[str, tuple[str, ...]] = {
    "drugsig": ("format", "version"),
    "pretreatment": ("recipe",),
    "comparison": ("metric", "min_measured", "matrices"),
    "threshold": ("n_resamples", "value", "false_positive_rate", "chance_links"),
    "groups": ("linkage",),
    "run": ("seed",),
    "output": ("decimal_comma",),
}


# What every file that decides the result must be, byte for byte.
INPUT_DIGESTS = ("sha256", "metadata_sha256", "protocol_sha256")


@dataclass(frozen=True, kw_only=True)
class RunReadingOptions:
    """How the metadata of runs are read, and which runs are samples.

    Parameters
    ----------
    metadata_path : path-like, optional
        A table of metadata by run.
    metadata_sheet, metadata_id_column, metadata_missing
        As in `drugsig.read_profiles`.
    kind_column : str, optional
        The column that tells samples from blanks and control samples.
    leave_out : sequence of str
        Runs to leave out, by the name of their file without ending.
    """

    metadata_path: str | os.PathLike[str] | None = None
    metadata_sheet: str | None = None
    metadata_id_column: str | Sequence[str] | None = None
    metadata_missing: str = "refuse"
    kind_column: str | None = None
    leave_out: Sequence[str] = ()

    @property
    def given(self) -> dict[str, Any]:
        """What was said and differs from the defaults."""
        return given(self)


@dataclass(frozen=True)
class AnalysisConfig:
    """Everything that decides the result of an analysis.

    Parameters
    ----------
    path : Path
        The table of profiles, or the folder of runs.
    reading : ReadingOptions or RunReadingOptions
        How the table is read; for runs how their metadata are.
    protocol : Path or str, optional
        For runs: the protocol, a file or the name of a built-in one.
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
    chance_links : float, optional
        How many links a learned threshold may make by chance alone, instead of a rate.
    rule : PopulationRule, optional
        Which pairs are of known source.
    linkage : str
        How groups are joined.
    seed : int
        For resampling.
    n_resamples : int
        How often sources are resampled.
    matrices : str
        Whether all scores are formed, see `drugsig.analyse_profiles`.
    decimal_comma : bool
        Whether tables are written with a decimal comma and semicolons.
    sha256 : mapping of str to str
        What the files must be, byte for byte, by the keys of `INPUT_DIGESTS`.
    written_by : str
        The version of drugsig that wrote the analysis file, if one did.
    protocol_read : ProtocolRead, optional
        The protocol as it was read; without it, it is read now.
    """

    path: Path
    reading: ReadingOptions | RunReadingOptions = field(default_factory=ReadingOptions)
    recipe: str = DEFAULT_RECIPE
    metric: str = DEFAULT_METRIC
    min_measured: int | None = None
    threshold: float | None = None
    false_positive_rate: float = DEFAULT_RATE
    rule: PopulationRule | None = None
    protocol: Path | str | None = None
    linkage: str = DEFAULT_LINKAGE
    seed: int = DEFAULT_SEED
    n_resamples: int = DEFAULT_RESAMPLES
    chance_links: float | None = None
    matrices: str = "auto"
    decimal_comma: bool = False
    sha256: Mapping[str, str] = field(default_factory=dict)
    written_by: str = ""
    protocol_read: ProtocolRead | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.protocol is not None and self.protocol_read is None:
            object.__setattr__(self, "protocol_read", ProtocolRead.of(self.protocol))
        if isinstance(self.reading, ReadingOptions) != (self.protocol is None):
            raise ConfigError(
                "a table is read by ReadingOptions, and runs, which need a protocol, by "
                f"RunReadingOptions; got {self.reading!r} and the protocol {self.protocol!r}"
            )
        Recipe.parse(self.recipe)
        metric = get_metric(self.metric)
        share(self.false_positive_rate, what="false_positive_rate")
        if self.threshold is not None:
            metric.check_threshold(self.threshold)
        choose(self.matrices, MATRICES, what="way of keeping scores")
        if self.chance_links is not None and not self.chance_links > 0:
            raise ConfigError(f"chance_links must be above 0, got {self.chance_links!r}")
        if self.threshold is None and self.rule is None:
            raise ConfigError(NO_THRESHOLD)
        for what, least, most in (
            ("seed", 0, None),
            ("n_resamples", FEWEST_RESAMPLES, MOST_RESAMPLES),
        ):
            number = whole_number(
                getattr(self, what), what=what, least=least, most=most, error=ConfigError
            )
            object.__setattr__(self, what, number)

    @classmethod
    def read(cls, path: str | Path, /) -> AnalysisConfig:
        """Read an analysis file; paths in it are relative to its folder.

        Raises
        ------
        ConfigError
            If it cannot be run; the message names the section and key.
        """
        place = Path(path)
        return cls.from_data(read_toml(place), place)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], place: Path, /) -> AnalysisConfig:
        """Read what an analysis file holds.

        Parameters
        ----------
        data : mapping
            Its sections.
        place : Path
            The file: paths in it are relative to its folder, and messages name it.

        Raises
        ------
        ConfigError
            If it cannot be run; the message names the section and key.
        """
        for section in data:
            choose(section, (*_SECTIONS, "input", "population"), what=f"section of {place.name}")
        found = {name: _section(data, name, place) for name in (*_SECTIONS, "input")}
        for section, keys in _SECTIONS.items():
            for key in found[section]:
                choose(key, keys, what=f"key of [{section}] in {place.name}")
        head = found.pop("drugsig")
        if head.get("format") != FORMAT:
            raise ConfigError(
                f"{place.name}: [drugsig] format must be {FORMAT}, got {head.get('format')!r}. It "
                "says how the file is to be read."
            )
        source = dict(found.pop("input"))
        told: dict[str, Any] = {k: v for keys in found.values() for k, v in keys.items()}
        told["written_by"] = str(head.get("version", ""))
        if "value" in told:
            told["threshold"] = told.pop("value")
        if "population" in data:
            told["rule"] = data["population"]
        told["sha256"] = {
            name: _digest(source.pop(name), name, place) for name in INPUT_DIGESTS if name in source
        }
        protocol = source.pop("protocol", None)
        key = "path" if protocol is None else "runs"
        if not isinstance(source.get(key), str) or {"path", "runs"} <= set(source):
            raise ConfigError(
                f"{place.name}: [input] needs either path, the table of profiles, or runs and "
                "protocol, a folder of runs and what is measured in them"
            )
        told["path"] = place.parent / source.pop(key)
        if protocol is not None:
            told["protocol"] = _protocol(place.parent, protocol)
            told["protocol_read"] = ProtocolRead.of(told["protocol"])
            recipe, metric = told["protocol_read"].defaults
            told = {"recipe": recipe, "metric": metric, **told}
        told["reading"] = reading_options(
            source,
            runs=protocol is not None,
            where=f"{place.name}, [input]",
            folder=place.parent,
        )
        return record_of(cls, told, where=place.name, error=ConfigError)

    def input_paths(self, relative_to: Path | None, /) -> dict[str, str]:
        """Return the paths of [input] as they are written, by key."""
        paths: dict[str, str] = {}
        paths["path" if self.protocol is None else "runs"] = _relative(self.path, relative_to)
        if isinstance(self.protocol, Path):
            paths["protocol"] = _relative(self.protocol, relative_to)
        elif self.protocol is not None:
            paths["protocol"] = self.protocol
        if self.reading.metadata_path is not None:
            paths["metadata_path"] = _relative(Path(self.reading.metadata_path), relative_to)
        return paths

    def to_data(
        self, *, relative_to: Path | None = None, sha256: Mapping[str, str], version: str
    ) -> dict[str, Any]:
        """Return everything as data for an analysis file.

        Parameters
        ----------
        relative_to : Path, optional
            The folder the file will lie in; paths are written relative to it. Of a file that lies
            so far from it that the path would name a user's folder, the name alone is written.
        sha256 : mapping of str to str
            Of the files as they were read, by the keys of `INPUT_DIGESTS`; of none where profiles
            were given.
        version : str
            Of drugsig.
        """
        paths = self.input_paths(relative_to)
        first = "path" if self.protocol is None else "runs"
        told = {first: paths.pop(first), **sha256, **self.reading.given, **paths}
        values = {
            **vars(self),
            "recipe": str(Recipe.parse(self.recipe)),
            "value": self.threshold,
            "false_positive_rate": self.false_positive_rate
            if self.threshold is None and self.chance_links is None
            else None,
            "matrices": None if self.matrices == "auto" else self.matrices,
            "decimal_comma": self.decimal_comma or None,
            "format": FORMAT,
            "version": version,
        }
        data = {name: _set_ones(values, keys) for name, keys in _SECTIONS.items()}
        data = {"drugsig": data.pop("drugsig"), "input": _set_ones(to_data(told)), **data}
        if self.rule is not None:
            data["population"] = self.rule.to_data()
        return {name: section for name, section in data.items() if section}


def _set_ones(values: Mapping[str, Any], keys: Iterable[str] | None = None) -> dict[str, Any]:
    """Return what is set; TOML has no word for nothing."""
    return {k: values[k] for k in (values if keys is None else keys) if values[k] is not None}


def reading_options(
    told: Mapping[str, Any],
    /,
    *,
    runs: bool,
    where: str = "reading",
    folder: Path | None = None,
) -> ReadingOptions | RunReadingOptions:
    """Return how a table, or the metadata of runs, are read.

    Parameters
    ----------
    told : mapping
        By keyword.
    runs : bool
        Whether runs are meant.
    where : str
        What it is, for messages.
    folder : Path, optional
        The folder that a path in it is relative to.

    Raises
    ------
    ConfigError
        If a value is of the wrong kind.
    UnknownNameError
        If there is no such keyword.
    """
    kind: type[ReadingOptions] | type[RunReadingOptions]
    kind = RunReadingOptions if runs else ReadingOptions
    read = record_of(kind, told, where=where, error=ConfigError)
    if folder is None or read.metadata_path is None:
        return read
    return replace(read, metadata_path=folder / read.metadata_path)


@dataclass(frozen=True, eq=False)
class ProtocolRead:
    """A protocol, and the file that it was read from.

    Parameters
    ----------
    protocol : Protocol
        What is measured.
    sha256 : str or None
        Of the bytes that were parsed; None for a protocol that comes with drugsig.
    size : int
        How many those were.
    """

    protocol: Protocol
    sha256: str | None
    size: int

    @classmethod
    def of(cls, protocol: Path | str, /) -> ProtocolRead:
        """Read a protocol: the name of one that comes with drugsig, or a file."""
        if not isinstance(protocol, Path):
            return cls(load_protocol(protocol), None, 0)
        loaded, content = read_protocol(protocol)
        return cls(loaded, sha256_of(content), len(content))

    @property
    def defaults(self) -> tuple[str, str]:
        """The recipe and the metric that it names, or the usual ones."""
        return self.protocol.recipe or DEFAULT_RECIPE, self.protocol.metric or DEFAULT_METRIC


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
    data = read_toml(place)
    if "population" not in data:
        raise ConfigError(f"{place.name} has no section [population]")
    return PopulationRule.from_data(data["population"])


def read_toml(place: Path, /) -> dict[str, Any]:
    """Read a file that decides something, as TOML.

    Raises
    ------
    ConfigError
        If it is not there, or is no TOML.
    """
    try:
        return parsed_toml(read_whole(place, most=MOST_SETTINGS))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no analysis file '{place}'") from error
    except OSError as error:
        raise ConfigError(f"'{place}' cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"'{place}' is not text in UTF-8, so it is no analysis file") from error
    except ValueError as error:
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


def _digest(value: object, name: str, place: Path) -> str:
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise ConfigError(
            f"{place.name}: {name} in [input] must be a text of 64 hexadecimal digits, got "
            f"{value!r:.80}. Remove the line to take the file as it is."
        )
    return value


def _protocol(folder: Path, name: object) -> Path | str:
    """Return a protocol as a path if it looks like one, else as the name of a built-in one."""
    if not isinstance(name, str):
        raise ConfigError(f"protocol must be a name or a path, got {name!r}")
    return folder / name if name.endswith(".toml") else name


def _relative(path: Path, folder: Path | None) -> str:
    if folder is None:
        return path.name
    file, start = path.absolute(), folder.absolute()
    try:
        shared = Path(os.path.commonpath([file, start]))
    except ValueError:  # another drive on Windows: there is no relative path
        return path.name
    # From so far above, the way down would name whose folder it is.
    if shared in Path.home().parents:
        return path.name
    return Path(os.path.relpath(file, start)).as_posix()
