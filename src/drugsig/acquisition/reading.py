"""Reading a run, a trace, or the scans of a run one by one, whatever the format."""

from __future__ import annotations

import os
from pathlib import Path

from drugsig._notes import emit
from drugsig.acquisition.chromatogram import Chromatogram
from drugsig.acquisition.readers.detect import refuse, sniff
from drugsig.acquisition.readers.open_run import OpenRun, ScanStream
from drugsig.acquisition.readers.registry import FORMATS, RunFormat
from drugsig.acquisition.run import Run
from drugsig.errors import RunError

__all__ = [
    "ScanStream",
    "iter_scans",
    "read_chromatogram",
    "read_run",
    "run_of_file",
    "scans_of_file",
    "trace_of_file",
]


def read_run(path: str | os.PathLike[str], /, *, function: str | None = None) -> Run:
    """Read a GC-MS run: ANDI/AIA netCDF, mzML, mzXML, JCAMP-DX or an Agilent .D folder.

    What a file is, is told from what it holds and not from how its name ends. Metadata come from
    its header and are left empty where that says nothing; what was converted, assumed or found
    strange is in ``metadata.notes``. A run that may be unsuitable (very few scans, an ionisation
    nobody knows) warns with `UnsuitableRunWarning`.

    Parameters
    ----------
    path : path-like
        The file, or the .D folder.
    function : str, optional
        Which acquisition, in a file or folder that holds full scans (``"scan"``) beside selected
        ions (``"sim"``). By default the full scans, or the only one there is.

    Returns
    -------
    Run
        With times in seconds and points sorted by m/z.

    Raises
    ------
    RunError
        If the file is damaged, is no electron ionisation GC-MS run, or is of a kind that is not
        read; ``reason`` says which, and the message says what to do.
    UnknownNameError
        If there is no such acquisition.
    MissingExtraError
        If the format needs an optional package.
    """
    run = run_of_file(path, function=function)
    emit(run.notes)
    return run


def run_of_file(path: str | os.PathLike[str], /, *, function: str | None = None) -> Run:
    """Read a run as `read_run` does, and leave its notes to the caller instead of warning.

    Parameters
    ----------
    path, function
        As in `read_run`.
    """
    return _open(Path(path), function).run()


def iter_scans(path: str | os.PathLike[str], /, *, function: str | None = None) -> ScanStream:
    """Read the scans of a run one after the other, in memory that does not grow with the file.

    Each scan passes the same checks as in `read_run`, when it is reached: an error that lies far
    back in the file comes late. Agilent folders are read as a whole before the first scan.

    Parameters
    ----------
    path : path-like
        As in `read_run`.
    function : str, optional
        As in `read_run`.

    Returns
    -------
    ScanStream
        An iterator of `Scan`, with the ``metadata`` of the header; it may be used in a ``with``
        block.

    Raises
    ------
    RunError
        As in `read_run`; what the header tells is raised at once.
    UnknownNameError
        As in `read_run`.
    MissingExtraError
        As in `read_run`.
    """
    scans = scans_of_file(path, function=function)
    emit(scans.notes)
    return scans


def scans_of_file(path: str | os.PathLike[str], /, *, function: str | None = None) -> ScanStream:
    """Read scans as `iter_scans` does, and leave their notes to the caller instead of warning.

    Parameters
    ----------
    path, function
        As in `iter_scans`.
    """
    return ScanStream(_open(Path(path), function))


def read_chromatogram(
    path: str | os.PathLike[str], /, *, channel: str | None = None
) -> Chromatogram:
    """Read one trace: a detector signal, or the total ion current of a run.

    Warns with `UnsuitableRunWarning` if the header speaks of liquid chromatography.

    Parameters
    ----------
    path : path-like
        The file, or the .D folder.
    channel : str, optional
        Which trace: ``"TIC"``, or the name of a detector as in ``"FID1A"``. By default the only
        detector there is, or the total ion current of a run without detectors.

    Returns
    -------
    Chromatogram
        With times in seconds, and the file's own table of peaks where it has one.

    Raises
    ------
    RunError
        If the file is damaged or holds no trace.
    UnknownNameError
        If there is no such channel.
    MissingExtraError
        If the format needs an optional package.
    """
    trace = trace_of_file(path, channel=channel)
    emit(trace.notes)
    return trace


def trace_of_file(path: str | os.PathLike[str], /, *, channel: str | None = None) -> Chromatogram:
    """Read a trace as `read_chromatogram` does, and leave its notes to the caller.

    Parameters
    ----------
    path, channel
        As in `read_chromatogram`.
    """
    path = Path(path)
    form = _format(path)
    try:
        return form.read_trace(path, channel)
    except OSError as error:
        raise _unreadable(path, error) from error


def _open(path: Path, function: str | None) -> OpenRun:
    form = _format(path)
    try:
        return form.open_run(path, function)
    except OSError as error:
        raise _unreadable(path, error) from error


def _format(path: Path) -> RunFormat:
    kind = sniff(path)
    if not kind.format:
        raise refuse(path, kind)
    return FORMATS[kind.format]


def _unreadable(path: Path, error: OSError) -> RunError:
    return RunError(
        f"'{path.name}' cannot be read: {error.strerror or error}. Check that you may read it, and "
        "that nothing else holds it open.",
        path=path,
        reason="missing",
    )
