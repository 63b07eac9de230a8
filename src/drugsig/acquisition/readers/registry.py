"""The formats of runs, and which module reads each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from drugsig.acquisition.chromatogram import Chromatogram
from drugsig.acquisition.readers.open_run import OpenRun
from drugsig.errors import RunError, UnknownNameError

__all__ = ["FORMATS", "RunFormat", "trace_of_run"]

TOTAL_ION_CURRENT = "TIC"


@dataclass(frozen=True)
class RunFormat:
    """How a format is read.

    Parameters
    ----------
    name : str
        As `drugsig.acquisition.readers.detect.sniff` calls it.
    title : str
        For people.
    open_run : callable
        Takes a path and the name of an acquisition or None; returns an `OpenRun`.
    read_trace : callable
        Takes a path and the name of a channel or None; returns a `Chromatogram`.
    """

    name: str
    title: str
    open_run: Callable[[Path, str | None], OpenRun]
    read_trace: Callable[[Path, str | None], Chromatogram]


def trace_of_run(
    path: Path, channel: str | None, /, *, opener: Callable[[Path, str | None], OpenRun]
) -> Chromatogram:
    """Return the total ion current of a run as a trace.

    Parameters
    ----------
    path : Path
        The file or folder.
    channel : str or None
        What was asked for.
    opener : callable
        Opens the run.
    """
    _only(channel, (TOTAL_ION_CURRENT,), path)
    run = opener(path, None).run()
    return Chromatogram(
        times_s=run.scan_times_s.copy(),
        intensity=run.tic.copy(),
        channel=TOTAL_ION_CURRENT,
        metadata=run.metadata,
        unit="counts",
        notes=run.notes,
    )


def _only(asked: str | None, known: tuple[str, ...], path: Path) -> None:
    """Refuse a name that a file of one acquisition does not have."""
    if asked is not None and asked not in known:
        have = " and ".join(f"'{name}'" for name in known)
        raise UnknownNameError(
            f"'{path.name}' has no channel '{asked}'. It has {have}; leave the name out to get it.",
            name=asked,
            known=known,
        )


def _one_acquisition(path: Path, function: str | None) -> None:
    if function is not None:
        raise UnknownNameError(
            f"'{path.name}' holds one acquisition, so that function={function!r} has nothing to "
            "choose from. Leave it out.",
            name=function,
            known=(),
        )


def _open_netcdf_run(path: Path, function: str | None) -> OpenRun:
    from drugsig.acquisition.readers import andi_chromatography, andi_ms, netcdf3

    _one_acquisition(path, function)
    file = netcdf3.open_netcdf(path)
    if andi_chromatography.is_andi_chromatography(file) and not andi_ms.is_andi_ms(file):
        file.close()
        raise RunError(
            f"'{path.name}' is a detector trace, without mass spectra. Read it with "
            "read_chromatogram; for a profile, export the run as ANDI/AIA mass spectrometry.",
            path=path,
            reason="unsuitable",
        )
    return andi_ms.open_andi_ms(file)


def _read_netcdf_trace(path: Path, channel: str | None) -> Chromatogram:
    from drugsig.acquisition.readers import andi_chromatography, andi_ms, netcdf3

    file = netcdf3.open_netcdf(path)
    if andi_ms.is_andi_ms(file):
        file.close()
        return trace_of_run(path, channel, opener=_open_netcdf_run)
    trace = andi_chromatography.read_andi_trace(file)
    _only(channel, (trace.channel,), path)
    return trace


def _open_jcamp(path: Path, function: str | None) -> OpenRun:
    from drugsig.acquisition.readers.jcamp_dx import open_jcamp_dx

    _one_acquisition(path, function)
    return open_jcamp_dx(path)


def _open_mzml(path: Path, function: str | None) -> OpenRun:
    from drugsig.acquisition.readers.mzml import open_mzml

    return open_mzml(path, function=function)


def _open_mzxml(path: Path, function: str | None) -> OpenRun:
    from drugsig.acquisition.readers.mzxml import open_mzxml

    _one_acquisition(path, function)
    return open_mzxml(path)


def _read_mzml_trace(path: Path, channel: str | None) -> Chromatogram:
    from drugsig.acquisition.readers.mzml import read_mzml_trace

    if channel in (None, TOTAL_ION_CURRENT):
        return trace_of_run(path, channel, opener=_open_mzml)
    return read_mzml_trace(path, channel=channel)


def _open_agilent(path: Path, function: str | None) -> OpenRun:
    from drugsig.acquisition.readers.agilent_d import open_agilent_d

    return open_agilent_d(path, function=function)


def _read_agilent_trace(path: Path, channel: str | None) -> Chromatogram:
    from drugsig.acquisition.readers.agilent_d import read_agilent_trace

    if channel == TOTAL_ION_CURRENT:
        return trace_of_run(path, channel, opener=_open_agilent)
    return read_agilent_trace(path, channel=channel)


FORMATS = {
    form.name: form
    for form in (
        RunFormat("netcdf", "ANDI/AIA netCDF", _open_netcdf_run, _read_netcdf_trace),
        RunFormat("mzml", "mzML", _open_mzml, _read_mzml_trace),
        RunFormat("mzxml", "mzXML", _open_mzxml, partial(trace_of_run, opener=_open_mzxml)),
        RunFormat("jcamp_dx", "JCAMP-DX", _open_jcamp, partial(trace_of_run, opener=_open_jcamp)),
        RunFormat("agilent_d", "Agilent .D", _open_agilent, _read_agilent_trace),
    )
}
