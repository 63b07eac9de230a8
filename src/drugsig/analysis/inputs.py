"""What an analysis starts from besides profiles: the files, and what was extracted from runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drugsig.acquisition.peak_table import PeakTable
from drugsig.protocols.protocol import Protocol

__all__ = ["InputFile", "RunsRead"]


@dataclass(frozen=True)
class InputFile:
    """One file an analysis read.

    Parameters
    ----------
    path : str
        As written in the analysis file, relative to it where that is possible.
    sha256 : str
        Of its bytes.
    size : int
        In bytes.
    """

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, eq=False)
class RunsRead:
    """What was extracted from a folder of runs.

    Parameters
    ----------
    protocol : Protocol
        What was looked for.
    tables : tuple of PeakTable
        One a profile, in the order of the profiles.
    kinds : mapping of str to str
        Why a profile is no sample (blank run, control sample), for those that are none.
    errors : tuple of (str, str)
        Runs that could not be read or extracted, and why.
    """

    protocol: Protocol
    tables: tuple[PeakTable, ...]
    kinds: Mapping[str, str]
    errors: tuple[tuple[str, str], ...]
