"""What the writers of runs have in common: how numbers are stored, and files put in place."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import numpy as np

from drugsig._check import choose
from drugsig.acquisition.run import Run
from drugsig.errors import InputError, OutputError

__all__ = ["PRECISIONS", "choose_precision", "put_file", "wanted_run"]

PRECISIONS = ("float32", "float64")


def wanted_run(run: object, /, *, writer: str) -> Run:
    """Return the run if it is one with scans.

    Raises
    ------
    InputError
        If it is not.
    """
    if not isinstance(run, Run):
        raise InputError(f"{writer} writes a Run, got {type(run).__name__}")
    if not len(run):
        raise InputError(
            f"run '{run.metadata.file_name}' has no scans: {writer} has nothing to write"
        )
    return run


def choose_precision(run: Run, precision: str | None, /) -> str:
    """Return how m/z and intensities are stored.

    Parameters
    ----------
    run : Run
        What is written.
    precision : {"float32", "float64"}, optional
        As asked for; without it, single precision where that loses nothing.

    Raises
    ------
    UnknownNameError
        If it is neither.
    """
    if precision is not None:
        return choose(precision, PRECISIONS, what="precision")
    with np.errstate(over="ignore"):
        exact = all(
            np.array_equal(array.astype(np.float32).astype(np.float64), array)
            for array in (run.mz, run.intensity)
        )
    return "float32" if exact else "float64"


def put_file(path: str | os.PathLike[str], content: bytes, /, *, overwrite: bool) -> Path:
    """Write a file: whole, or not at all.

    Raises
    ------
    OutputError
        If it is already there and not to be replaced, or cannot be written.
    """
    place = Path(path)
    if place.exists() and not overwrite:
        raise OutputError(
            f"file '{place}' exists. Name another one, or say overwrite=True to replace it."
        )
    draft = place.parent / f".{place.name}-{secrets.token_hex(4)}"
    try:
        draft.write_bytes(content)
        draft.replace(place)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OutputError(f"'{place}' cannot be written: {error.strerror or error}") from error
    return place
