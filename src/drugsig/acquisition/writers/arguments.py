"""What the writers of runs have in common: what they accept, and how numbers are stored."""

from __future__ import annotations

import numpy as np

from drugsig._check import choose
from drugsig.acquisition.run import Run
from drugsig.errors import InputError

__all__ = ["PRECISIONS", "choose_precision", "wanted_run"]

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
