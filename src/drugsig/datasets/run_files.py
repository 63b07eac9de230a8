"""`write_runs`: simulated runs as files of a format that instruments export."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from drugsig._check import choose
from drugsig.acquisition.run import Run
from drugsig.acquisition.writers import write_andi, write_mzml
from drugsig.datasets.simulated_runs import SimulatedRuns
from drugsig.errors import InputError

__all__ = ["RUN_FORMATS", "write_runs"]

# The ending of each format and what writes it. The runs are small, so mzML is written compactly.
RUN_FORMATS: Mapping[str, tuple[str, Callable[..., Path]]] = MappingProxyType(
    {"andi": (".cdf", write_andi), "mzml": (".mzML", partial(write_mzml, compact=True))}
)


def write_runs(
    simulated: SimulatedRuns,
    folder: str | os.PathLike[str],
    /,
    *,
    format: str | Mapping[str, str] = "andi",  # noqa: A002  # what users call it
    stated_totals: bool = True,
    overwrite: bool = False,
) -> dict[str, Path]:
    """Write every run into a folder, under its run id.

    Parameters
    ----------
    simulated : SimulatedRuns
        What to write.
    folder : path-like
        Where; it is made if need be.
    format : {"andi", "mzml"} or mapping of str to str
        The format of all runs, or of each sequence by its id.
    stated_totals : bool
        Whether mzML states the total ion current of each scan; ANDI always does.
    overwrite : bool
        Replace files that are already there.

    Returns
    -------
    dict of str to Path
        The file of every run id.

    Raises
    ------
    InputError
        If a sequence has no format.
    OutputError
        If a file is already there or cannot be written.
    UnknownNameError
        If there is no such format.
    """
    truth = simulated.truth
    sequences = truth["sequence_id"].tolist()
    formats = dict.fromkeys(sequences, format) if isinstance(format, str) else dict(format)
    missing = [one for one in dict.fromkeys(sequences) if one not in formats]
    if missing:
        raise InputError(f"format names no format of sequence '{missing[0]}'")
    for one in formats.values():
        choose(one, tuple(RUN_FORMATS), what="format of runs")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    out: dict[str, Path] = {}
    for run_id, sequence, run in zip(simulated.ids, sequences, simulated.runs, strict=True):
        ending, write = RUN_FORMATS[str(formats[sequence])]
        bare = write is not write_andi and not stated_totals
        out[run_id] = write(
            _without_totals(run) if bare else run, place / f"{run_id}{ending}", overwrite=overwrite
        )
    return out


def _without_totals(run: Run) -> Run:
    nothing: Any = np.full(len(run), np.nan)
    return replace(run, stated_tic=nothing)
