"""Where the profiles of an analysis come from: a table, or a folder of runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from drugsig._check import choose
from drugsig._files import sha256_of
from drugsig._notes import Note
from drugsig.acquisition.extraction import extracted
from drugsig.acquisition.run_folder import LEADS_OUT, find_runs, leads_out
from drugsig.analysis.inputs import InputFile, RunsRead
from drugsig.analysis.run_cautions import KindsUnknown, about_tables
from drugsig.errors import ConfigError, DrugsigError, ReadError
from drugsig.profiles.profile_set import ProfileSet
from drugsig.profiles.tables.assembly import ReadingOptions, Trace, assemble
from drugsig.profiles.tables.joining import with_metadata
from drugsig.profiles.tables.source import open_source
from drugsig.quality import BLANK, CONTROL, SAMPLE
from drugsig.workflow.config import AnalysisConfig, RunReadingOptions

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
    digests : mapping of str to str
        The sha256 of what decides the result, of the bytes that were parsed, by the keys of
        `drugsig.workflow.config.INPUT_DIGESTS`.
    runs : RunsRead or None
        What was extracted, if the profiles come from runs.
    notes : tuple of Note
        What a reader must know of how they were read.
    """

    profiles: ProfileSet
    inputs: tuple[InputFile, ...]
    digests: Mapping[str, str]
    runs: RunsRead | None = None
    notes: tuple[Note, ...] = ()

    @property
    def kinds(self) -> Mapping[str, str]:
        """Why a profile is no sample, for those that are none."""
        return {} if self.runs is None else self.runs.kinds


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
    if isinstance(config.reading, ReadingOptions):
        return _from_table(config, config.reading, target)
    return _from_runs(config, config.reading, target)


def _from_table(config: AnalysisConfig, reading: ReadingOptions, target: Path | None) -> Loaded:
    trace = Trace()
    try:
        profiles = assemble(config.path, reading, trace)
    except DrugsigError:
        # That it is another file says more than what is wrong with it.
        _refuse_changed(config, _digests_of(trace))
        raise
    digests = _digests_of(trace)
    _refuse_changed(config, digests)
    told = config.input_paths(target)
    inputs = [
        InputFile(told[key], source.sha256, len(source.data))
        for key, source in (("path", trace.source), ("metadata_path", trace.metadata_source))
        if source is not None
    ]
    return Loaded(profiles, tuple(inputs), digests)


def _digests_of(trace: Trace) -> dict[str, str]:
    found = {"sha256": trace.source, "metadata_sha256": trace.metadata_source}
    return {key: source.sha256 for key, source in found.items() if source is not None}


def _from_runs(config: AnalysisConfig, reading: RunReadingOptions, target: Path | None) -> Loaded:
    assert config.protocol_read is not None  # noqa: S101 - there is a protocol
    protocol = config.protocol_read.protocol
    told = config.input_paths(target)
    found = find_runs(config.path)
    if not found:
        raise ReadError(
            f"'{config.path}' holds no runs. Read are ANDI/AIA netCDF, mzML, mzXML, JCAMP-DX and "
            "Agilent .D folders.",
            path=config.path,
        )
    paths, unreadable = _present(found, config.path, reading.leave_out)
    before = [_state_of(path) for path in paths]
    files = [
        _input_file(f"{told['runs']}/{p.relative_to(config.path).as_posix()}", p) for p in paths
    ]
    together = sha256_of("".join(f"{f.path.rpartition('/')[2]} {f.sha256}\n" for f in files))
    inputs = [InputFile(told["runs"], together, sum(f.size for f in files)), *files]
    digests = {"sha256": together}
    if config.protocol_read.sha256 is not None:
        digests["protocol_sha256"] = config.protocol_read.sha256
        inputs.append(
            InputFile(told["protocol"], config.protocol_read.sha256, config.protocol_read.size)
        )
    metadata = None if reading.metadata_path is None else open_source(reading.metadata_path)
    if metadata is not None:
        digests["metadata_sha256"] = metadata.sha256
        inputs.append(InputFile(told["metadata_path"], metadata.sha256, len(metadata.data)))
    _refuse_changed(config, digests)
    try:
        extraction = extracted(
            tqdm(paths, desc="extract", unit="run", disable=None, leave=False), protocol
        )
    except ExceptionGroup as group:
        why = "; ".join(str(error) for error in group.exceptions[:3])
        raise ReadError(
            f"none of the {len(paths)} runs in '{config.path}' could be extracted: {why}",
            path=config.path,
        ) from group
    profiles = extraction.profiles
    _refuse_changing(paths, before, files, profiles)
    if metadata is not None:
        profiles = with_metadata(
            profiles,
            metadata,
            sheet=reading.metadata_sheet,
            id_column=reading.metadata_id_column,
            missing=reading.metadata_missing,
        )
    kinds, notes = _kinds(profiles, reading.kind_column)
    errors = (*unreadable, *((name, str(error)) for name, error in extraction.failures))
    runs = RunsRead(protocol, extraction.tables, kinds, errors)
    about = (*extraction.notes, *notes, *about_tables(extraction.tables))
    return Loaded(profiles, tuple(inputs), digests, runs, about)


def _present(
    paths: Sequence[Path], folder: Path, leave_out: Sequence[str]
) -> tuple[list[Path], list[tuple[str, str]]]:
    """Return the runs to extract, and those that are not there after all."""
    stems: dict[str, Path] = {}
    kept, missing = [], []
    for path in paths:
        if path.stem in leave_out:
            continue
        if path.stem in stems:
            raise ReadError(
                f"'{path.name}' and '{stems[path.stem].name}' would both be profile "
                f"'{path.stem}'. Rename or remove one of them.",
                path=path,
            )
        stems[path.stem] = path
        if not path.exists():
            missing.append((path.name, "it is a link to a file that is not there"))
        elif leads_out(path, folder):
            missing.append((path.name, LEADS_OUT))
        else:
            kept.append(path)
    for name in leave_out:
        choose(name, tuple(p.stem for p in paths), what="run to leave out")
    return kept, missing


def _kinds(profiles: ProfileSet, column: str | None) -> tuple[dict[str, str], tuple[Note, ...]]:
    """Return why each run that is no sample is none."""
    if column is None:
        column = next((c for c in profiles.metadata_columns if c.casefold() == "kind"), None)
        if column is None:
            return {}, (KindsUnknown(),)
    out = {}
    for name, text in zip(profiles.ids, profiles.column(column), strict=True):
        kind = SAMPLE if text is None else text.strip().casefold()
        if kind == SAMPLE:
            continue
        if kind not in _NO_SAMPLES:
            raise ConfigError(
                f"run '{name}' has '{text}' in the metadata column '{column}'; known are "
                f"{SAMPLE}, {' and '.join(_NO_SAMPLES)}. An empty cell means {SAMPLE}."
            )
        out[name] = _NO_SAMPLES[kind]
    return out, ()


def _refuse_changed(config: AnalysisConfig, found: Mapping[str, str]) -> None:
    """Refuse other files than those that the analysis file was made from."""
    named = {
        "sha256": config.path,
        "metadata_sha256": config.reading.metadata_path,
        "protocol_sha256": config.protocol,
    }
    for key, said in config.sha256.items():
        if key not in found:
            raise ConfigError(
                f"the analysis file says {key}, and names no file that it could be of. Remove the "
                "line, or name the file."
            )
        if found[key] != said:
            raise ConfigError(
                f"'{Path(named[key] or '').name}' is not the input this analysis was made from: "
                f"its sha256 is {found[key][:12]}..., the analysis file says {said[:12]}.... To "
                f"analyse what is there now, remove the line {key} from the analysis file."
            )


def _refuse_changing(
    paths: Sequence[Path],
    before: Sequence[object],
    files: Sequence[InputFile],
    profiles: ProfileSet,
) -> None:
    """Refuse runs that changed between the digest that is told of them and what was read."""
    column = "run_sha256"
    read = {}
    if column in profiles.metadata_columns:
        read = dict(zip(profiles.ids, profiles.column(column), strict=True))
    for path, state, file in zip(paths, before, files, strict=True):
        # The digest of a folder is of all its files, that of its run of one.
        parsed = file.sha256 if path.is_dir() else read.get(path.stem) or file.sha256
        if _state_of(path) != state or parsed != file.sha256:
            raise ReadError(
                f"'{path.name}' changed while it was read. Wait until it is written to its end, "
                "and start again.",
                path=path,
            )


def _state_of(path: Path) -> list[tuple[str, int, int]]:
    """Return what changes when a run is written to: the size and time of each of its files."""
    try:
        parts = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found = [(part, part.stat()) for part in parts]
    except OSError as error:
        raise ReadError(f"'{path}' cannot be read: {error.strerror}", path=path) from error
    return [(part.as_posix(), s.st_size, s.st_mtime_ns) for part, s in found]


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
    except OSError as error:
        raise ReadError(f"'{path}' cannot be read: {error.strerror}", path=path) from error
    return InputFile(name, hasher.hexdigest(), size)
