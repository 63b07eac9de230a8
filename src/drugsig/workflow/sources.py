"""Where the profiles of an analysis come from: a table, or a folder of runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from drugsig.acquisition.extraction import extract
from drugsig.acquisition.run_folder import find_runs
from drugsig.errors import ConfigError, ReadError
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.tables import add_metadata, read_profiles
from drugsig.protocols import Protocol, load_protocol
from drugsig.quality import BLANK, CONTROL, SAMPLE
from drugsig.report.analysis import InputFile, RunsRead
from drugsig.workflow.config import AnalysisConfig

__all__ = ["Loaded", "load"]

# What the column of kinds says of a run that is no sample.
_NO_SAMPLES = {"blank": BLANK, "control": CONTROL}


@dataclass(frozen=True, eq=False)
class Loaded:
    """What an analysis starts from.

    Parameters
    ----------
    profiles : ProfileSet
        Everything that was read, blanks and control samples included.
    inputs : tuple of InputFile
        The first stands for the table, or for all runs together.
    kinds : dict of str to str
        Why a profile is no sample, for those that are none.
    runs : RunsRead or None
        What was extracted, if the profiles come from runs.
    """

    profiles: ProfileSet
    inputs: tuple[InputFile, ...]
    kinds: dict[str, str]
    runs: RunsRead | None = None


def load(config: AnalysisConfig, target: Path | None, /) -> Loaded:
    """Read the profiles of an analysis.

    Parameters
    ----------
    config : AnalysisConfig
        Names a table, or a folder of runs and a protocol.
    target : Path or None
        The folder results are written to; paths are told relative to it.

    Raises
    ------
    ConfigError
        If the input is not the one the analysis file was made from.
    ReadError
        If it cannot be read.
    """
    if config.protocol is None:
        return _from_table(config, target)
    return _from_runs(config, target, load_protocol(config.protocol))


def _from_table(config: AnalysisConfig, target: Path | None) -> Loaded:
    told = config.input_paths(target)
    inputs = [_input_file(told["path"], config.path)]
    if "metadata_path" in told:
        inputs.append(_input_file(told["metadata_path"], Path(config.reading["metadata_path"])))
    _refuse_changed(config, inputs[0])
    return Loaded(read_profiles(config.path, **config.reading), tuple(inputs), {})


def _from_runs(config: AnalysisConfig, target: Path | None, protocol: Protocol) -> Loaded:
    told = config.input_paths(target)
    paths = find_runs(config.path)
    if not paths:
        raise ReadError(
            f"'{config.path}' holds no runs. Read are ANDI/AIA netCDF, mzML, mzXML, JCAMP-DX and "
            "Agilent .D folders.",
            path=config.path,
        )
    files = [
        _input_file(f"{told['runs']}/{p.relative_to(config.path).as_posix()}", p) for p in paths
    ]
    together = hashlib.sha256(
        "".join(f"{f.path.rpartition('/')[2]} {f.sha256}\n" for f in files).encode()
    )
    inputs = [InputFile(told["runs"], together.hexdigest(), sum(f.size for f in files)), *files]
    if isinstance(config.protocol, Path):
        inputs.append(_input_file(told["protocol"], config.protocol))
    _refuse_changed(config, inputs[0])
    try:
        extraction = extract(
            tqdm(paths, desc="extract", unit="run", disable=None, leave=False), protocol
        )
    except ExceptionGroup as group:
        why = "; ".join(str(error) for error in group.exceptions[:3])
        raise ReadError(
            f"none of the {len(paths)} runs in '{config.path}' could be extracted: {why}",
            path=config.path,
        ) from group
    profiles = extraction.profiles
    reading = dict(config.reading)
    kind_column = reading.pop("kind_column", None)
    metadata_path = reading.pop("metadata_path", None)
    if metadata_path is not None:
        inputs.append(_input_file(told["metadata_path"], Path(metadata_path)))
        profiles = add_metadata(
            profiles,
            metadata_path,
            sheet=reading.get("metadata_sheet"),
            id_column=reading.get("metadata_id_column"),
            missing=reading.get("metadata_missing", "refuse"),
        )
    kinds = _kinds(profiles, kind_column)
    errors = tuple((name, str(error)) for name, error in extraction.failures)
    return Loaded(
        profiles, tuple(inputs), kinds, RunsRead(protocol, extraction.tables, kinds, errors)
    )


def _kinds(profiles: ProfileSet, column: str | None) -> dict[str, str]:
    """Return why each run that is no sample is none."""
    if column is None:
        if "kind" not in profiles.metadata_columns:
            return {}
        column = "kind"
    out = {}
    for name, kind in zip(profiles.ids, profiles.column(column), strict=True):
        if kind is None or kind == SAMPLE:
            continue
        if kind not in _NO_SAMPLES:
            raise ConfigError(
                f"run '{name}' has the {column} '{kind}'; known are "
                f"{SAMPLE}, {' and '.join(_NO_SAMPLES)}. An empty cell means {SAMPLE}."
            )
        out[name] = _NO_SAMPLES[kind]
    return out


def _refuse_changed(config: AnalysisConfig, first: InputFile) -> None:
    if config.sha256 is not None and config.sha256 != first.sha256:
        raise ConfigError(
            f"'{config.path.name}' is not the input this analysis was made from: its sha256 is "
            f"{first.sha256[:12]}..., the analysis file says {config.sha256[:12]}.... To analyse "
            "what is there now, remove the line sha256 from the analysis file."
        )


def _input_file(name: str, path: Path) -> InputFile:
    """Return the digest of a file, or of every file in a folder that is one run."""
    hasher = hashlib.sha256()
    size = 0
    try:
        parts = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for part in parts:
            if path.is_dir():
                hasher.update(part.relative_to(path).as_posix().encode() + b"\n")
            with part.open("rb") as stream:
                while chunk := stream.read(1 << 20):
                    hasher.update(chunk)
                    size += len(chunk)
    except FileNotFoundError as error:
        raise ReadError(
            f"there is no file '{path}'. Give the path of a table of profiles, of a folder of runs "
            "or of an analysis.toml.",
            path=path,
        ) from error
    except OSError as error:
        raise ReadError(f"'{path}' cannot be read: {error.strerror}", path=path) from error
    return InputFile(name, hasher.hexdigest(), size)
