"""Ready-made examples: a folder of files that an analysis can be run on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from drugsig._check import choose
from drugsig._files import new_folder, write_file
from drugsig.datasets.casework_example import write_casework
from drugsig.datasets.seizures_example import write_seizures
from drugsig.datasets.validation_example import write_validation
from drugsig.errors import OutputError

__all__ = ["EXAMPLES", "Example", "write_example"]


@dataclass(frozen=True)
class Example:
    """One example.

    Parameters
    ----------
    name : str
        The registered name.
    summary : str
        What it is, in one sentence.
    start : str
        The file to run.
    write : callable
        ``(folder) -> None``: write all its files into an existing folder.
    """

    name: str
    summary: str
    start: str
    write: Callable[[Path], None]


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "casework": Example(
            name="casework",
            summary=(
                "24 simulated GC-MS runs of cocaine in two formats, their protocol, their analysis "
                "file and their truth."
            ),
            start="analysis.toml",
            write=write_casework,
        ),
        "profiles": Example(
            name="profiles",
            summary=(
                "A messy spreadsheet of about 200 simulated cocaine profiles, its analysis file "
                "and its truth."
            ),
            start="analysis.toml",
            write=write_seizures,
        ),
        "validation": Example(
            name="validation",
            summary=(
                "192 simulated profiles of 48 known batches, and the file that validates "
                "likelihood ratios of them."
            ),
            start="validation.toml",
            write=write_validation,
        ),
    }
)


def write_example(
    name: str, directory: str | os.PathLike[str], /, *, overwrite: bool = False
) -> Path:
    """Write the files of an example into a folder.

    Parameters
    ----------
    name : str
        One of `EXAMPLES`.
    directory : path-like
        The folder, which is made if need be.
    overwrite : bool
        Replace the example's files in a folder that is not empty. Other files stay.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UnknownNameError
        If there is no such example.
    OutputError
        If the folder is not empty, or cannot be written; then nothing is.

    Notes
    -----
    The files have the same bytes on every system.
    """
    example = EXAMPLES[choose(name, tuple(EXAMPLES), what="example")]
    folder = Path(directory)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file. Name a folder for example '{name}'.")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputError(
            f"folder '{folder}' exists and is not empty; example '{name}' is not written. Name "
            "another folder, or say overwrite=True to replace the example's files in it."
        )
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir() or not any(folder.iterdir()):
            with new_folder(folder) as draft:
                example.write(draft)
            return folder
        with TemporaryDirectory() as made:
            example.write(Path(made))
            for file in sorted(Path(made).rglob("*")):
                place = folder / file.relative_to(made)
                if file.is_dir():
                    place.mkdir(exist_ok=True)
                else:
                    write_file(place, file.read_bytes(), overwrite=True)
    except OSError as error:
        raise OutputError(
            f"example '{name}' cannot be written to '{folder}': {error.strerror or error}"
        ) from error
    return folder
