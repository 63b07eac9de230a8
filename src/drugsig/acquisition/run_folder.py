"""Folders of runs: what is in them, the good ones read, all errors together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from drugsig._notes import Note, emit
from drugsig.acquisition.readers.detect import looks_like_a_run, sniff
from drugsig.acquisition.reading import run_of_file
from drugsig.acquisition.run import Run
from drugsig.errors import DrugsigError, RunError

__all__ = ["LEADS_OUT", "RunFolder", "find_runs", "leads_out", "read_runs"]

LEADS_OUT = "it is or holds a link that leads out of the folder of runs; copy the run into it"


@dataclass(frozen=True, eq=False, repr=False)
class RunFolder:
    """The runs of a folder, and what could not be read.

    Made by `drugsig.read_runs`.

    Attributes
    ----------
    path : Path
        The folder.
    runs : tuple of Run
        Those that could be read, sorted by the name of their file.
    paths : tuple of Path
        Where each run comes from.
    errors : tuple of (Path, DrugsigError)
        Everything that should be a run and could not be read, sorted by name.
    skipped : tuple of Path
        Files that are something else: tables, documents, settings.
    """

    path: Path
    runs: tuple[Run, ...]
    paths: tuple[Path, ...]
    errors: tuple[tuple[Path, DrugsigError], ...]
    skipped: tuple[Path, ...]

    @property
    def notes(self) -> tuple[Note, ...]:
        """Which runs may not be what profiles are made of, and why."""
        return tuple(note for run in self.runs for note in run.notes)

    def raise_errors(self) -> None:
        """Raise one `ExceptionGroup` of everything that could not be read, if there is anything.

        Raises
        ------
        ExceptionGroup
            Of `DrugsigError`, in the order of `errors`.
        """
        if self.errors:
            total = len(self.runs) + len(self.errors)
            raise ExceptionGroup(
                f"{len(self.errors)} of {total} runs in '{self.path.name}' could not be read",
                [error for _, error in self.errors],
            )

    def __repr__(self) -> str:
        return (
            f"<RunFolder '{self.path.name}': {len(self.runs)} runs, {len(self.errors)} errors, "
            f"{len(self.skipped)} other files>"
        )


def find_runs(folder: str | os.PathLike[str], /) -> tuple[Path, ...]:
    """Return everything in a folder, and in the folders inside it, that should be a run.

    A .D folder is one run. What is hidden, and what is recognised as something else (a table, a
    document, a workbook), is left out; a file that is empty, or of a kind that is not read, but is
    called as runs are, is named, so that it is not lost in silence. To stay within the memory
    that one run takes, read the runs one after the other.

    Parameters
    ----------
    folder : path-like
        Where to look. Links to folders are not followed; what is called as runs are is named, and
        `leads_out` says whether it may be read.

    Returns
    -------
    tuple of Path
        Sorted by name.

    Raises
    ------
    RunError
        If there is no such folder, or it may not be read.
    """
    return tuple(path for path, is_run in _entries(Path(folder)) if is_run)


def leads_out(path: Path, folder: Path, /) -> bool:
    """Say whether a run is, or holds, a link to what lies outside of its folder of runs.

    Parameters
    ----------
    path : Path
        Of `find_runs`.
    folder : Path
        The folder of runs.
    """
    root = folder.resolve()
    parts = [path] if path.is_symlink() or not path.is_dir() else [path, *path.rglob("*")]
    return any(p.is_symlink() and not p.resolve().is_relative_to(root) for p in parts)


def read_runs(folder: str | os.PathLike[str], /) -> RunFolder:
    """Read every run of a folder; what cannot be read does not keep the others from it.

    The runs are held in memory, 16 bytes a point: a hundred usual runs are a few hundred
    megabytes. For more than that, go through `find_runs`.

    Parameters
    ----------
    folder : path-like
        Where to look, as in `find_runs`.

    Returns
    -------
    RunFolder
        The runs, and all errors together. Look at ``errors``, or call ``raise_errors()``.

    Raises
    ------
    RunError
        If there is no such folder, or nothing in it is a run.
    """
    folder = Path(folder)
    runs: list[Run] = []
    paths: list[Path] = []
    errors: list[tuple[Path, DrugsigError]] = []
    skipped: list[Path] = []
    found = list(_entries(folder))
    for path, is_run in tqdm(found, desc="reading runs", unit="run", disable=None, leave=False):
        if not is_run:
            skipped.append(path)
            continue
        if leads_out(path, folder):
            why = f"'{path.name}' is not read: {LEADS_OUT}."
            errors.append((path, RunError(why, path=path, reason="unsupported")))
            continue
        try:
            run = run_of_file(path)
        except DrugsigError as error:
            errors.append((path, error))
        else:
            runs.append(run)
            paths.append(path)
    if not runs and not errors:
        raise RunError(
            f"'{folder}' holds no runs: {len(skipped)} other files were found. Read are ANDI/AIA "
            "netCDF, mzML, mzXML, JCAMP-DX and Agilent .D folders.",
            path=folder,
            reason="empty",
        )
    result = RunFolder(folder, tuple(runs), tuple(paths), tuple(errors), tuple(skipped))
    emit(result.notes)
    return result


def _entries(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield every file, and every folder that is a run, and whether it should be one."""
    if not folder.is_dir() or sniff(folder).format:
        what = "is a run itself: read it with read_run" if folder.is_dir() else "is no folder"
        raise RunError(
            f"'{folder}' {what}. Give the folder that the runs lie in.",
            path=folder,
            reason="missing",
        )
    found: list[tuple[Path, bool]] = []
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        for path in _listed(here):
            if path.name.startswith((".", "~$")):
                continue
            try:
                kind = sniff(path)
            except RunError:
                # It is there and may not be read: reading it says so.
                found.append((path, True))
                continue
            is_run = looks_like_a_run(path, kind)
            if path.is_dir() and not is_run:
                if not path.is_symlink():
                    waiting.append(path)
            else:
                found.append((path, is_run))
    yield from sorted(found, key=lambda entry: entry[0].relative_to(folder).as_posix())


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise RunError(
            f"the folder '{folder}' cannot be read: {error.strerror or error}. Check that you may "
            "read it.",
            path=folder,
            reason="missing",
        ) from error
