"""Which runs are electron ionisation GC-MS, told from what their headers say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from drugsig._notes import Note
from drugsig.errors import DrugsigWarning, RunError, UnsuitableRunWarning

__all__ = [
    "NoGasChromatography",
    "Suitability",
    "UnsuitableRun",
    "check_suitability",
    "doubts_about_trace",
]

_ELECTRON = re.compile(r"\bEI\b|electron[ -](?:impact|ioni[sz]ation)", re.IGNORECASE)
_OTHER_IONS = re.compile(
    r"\bESI\b|electrospray|\bAP[CP]I\b|atmospheric|\b[NP]?CI\b|chemical ioni|\bMALDI\b|\bLDI\b|"
    r"laser|\bFAB\b|fast atom|\bFI\b|\bFD\b|field|thermospray|\bTSP\b|plasma|\bICP\b|spark|"
    r"desorption|thermal ioni|electron capture|photo|nanospray|microspray",
    re.IGNORECASE,
)
_GAS = re.compile(r"\bGC\b|gas[ -]+(?:\w+[ -]+)?chromat", re.IGNORECASE)
_NO_GAS = re.compile(
    r"liquid|\bU?(?:HP)?LC\b|\bUPLC\b|supercritical|\bSFC\b|thin[ -]layer|\bTLC\b|electrophor|"
    r"\bCE\b|\bCZE\b|ion exchange|size exclusion|gel permeation|isotachophor|flow injection",
    re.IGNORECASE,
)
_NO_COLUMN = re.compile(r"no chromatography|^none$", re.IGNORECASE)
# Inlets that lead a gas from a column into the ion source.
_COLUMN_INLET = re.compile(
    r"capillary|packed|jet separator|open split|membrane|\bGC\b|gas", re.IGNORECASE
)
_PROBE_INLET = re.compile(
    r"probe|insertion|batch|reservoir|infusion|moving belt|particle beam|thermospray|"
    r"electrospray|flow injection|septum|\bLC\b|liquid|direct inlet",
    re.IGNORECASE,
)
_LIQUID_DETECTOR = re.compile(
    r"\bU\.?V\b|\bUV|\bDAD|\bPDA\b|\bVWD|\bMWD|\bRID\b|diode[ -]array|refractive|fluorescence|"
    r"\bFLD|\bELSD|evaporative|absorb|conductiv",
    re.IGNORECASE,
)

_ADVICE = (
    "Impurity profiles are read from electron ionisation GC-MS runs; leave this file out, or, if "
    "its header is wrong, export it again with the right one."
)


@dataclass(frozen=True)
class UnsuitableRun(Note):
    """A run was read that may not be what profiles are made of.

    Look at the header of the file and at how the run was exported before a profile is made of it.
    """

    code: ClassVar[str] = "unsuitable-run"
    category: ClassVar[type[DrugsigWarning]] = UnsuitableRunWarning
    file: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"'{self.file}': {'; '.join(self.reasons)}"


@dataclass(frozen=True)
class NoGasChromatography(Note):
    """A trace was read whose header speaks of another technique than gas chromatography.

    Make no impurity profile of it; if the header is wrong, export the run again with the right one.
    """

    code: ClassVar[str] = "no-gas-chromatography"
    category: ClassVar[type[DrugsigWarning]] = UnsuitableRunWarning
    file: str
    doubts: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"'{self.file}' is hardly a trace of gas chromatography: {'; '.join(self.doubts)}. It "
            "was read, but no impurity profile is made from it."
        )


@dataclass(frozen=True)
class Suitability:
    """What must be said about a run that is not refused.

    Parameters
    ----------
    notes : tuple of str
        For whoever reads the data.
    doubts : tuple of str
        Why the run may be unsuitable.
    """

    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def check_suitability(
    path: Path,
    /,
    *,
    ionisation: str = "",
    separation: str = "",
    inlet: str = "",
    kind: str = "",
    polarity: str = "",
) -> Suitability:
    """Refuse what the header calls something other than electron ionisation GC-MS.

    A field that is empty says nothing, and nothing is refused for it: exporters leave most of
    them out. What is missing is noted.

    Parameters
    ----------
    path : Path
        For messages.
    ionisation, separation, inlet, kind, polarity : str
        How ions were made, how compounds were separated, how they came into the source, what sort
        of spectra the file holds and of which ions, as the header has it.

    Raises
    ------
    RunError
        If the header says so.
    """

    def refuse(what: str) -> RunError:
        return RunError(
            f"'{path.name}' is not electron ionisation GC-MS: {what}. {_ADVICE}",
            path=path,
            reason="unsuitable",
        )

    notes, doubts = [], []
    if re.search("library", kind, re.IGNORECASE):
        raise RunError(
            f"'{path.name}' is a library of mass spectra, not a run: its header says '{kind}'. "
            "A profile needs a run, with retention times.",
            path=path,
            reason="unsuitable",
        )
    if _OTHER_IONS.search(ionisation) and not _ELECTRON.search(ionisation):
        raise refuse(f"its header says '{ionisation}'")
    if _NO_GAS.search(separation) and not _GAS.search(separation):
        raise refuse(f"its header says '{separation}'")
    if _PROBE_INLET.search(inlet) and not _COLUMN_INLET.search(inlet):
        raise refuse(f"its header gives the inlet as '{inlet}'")
    if not ionisation:
        notes.append("the header does not say how ions were made; electron ionisation is assumed")
    elif not _ELECTRON.search(ionisation):
        doubts.append(f"the ionisation '{ionisation}' is not known to be electron ionisation")
    if _NO_COLUMN.search(separation):
        if inlet:
            notes.append(
                f"the header says '{separation}', but its inlet is '{inlet}'; exporters of GC-MS "
                "runs write so, and the scans are read as a run"
            )
        else:
            doubts.append(f"the header says '{separation}' and names no inlet")
    if re.search("negative", polarity, re.IGNORECASE):
        doubts.append("negative ions were recorded, which EI spectra are not made of")
    return Suitability(tuple(notes), tuple(doubts))


def doubts_about_trace(*, separation: str = "", detector: str = "", column: str = "") -> list[str]:
    """Say why a detector trace is hardly one of gas chromatography; empty if nothing speaks for it.

    Parameters
    ----------
    separation, detector, column : str
        What the header says.
    """
    doubts = []
    if _NO_GAS.search(separation) and not _GAS.search(separation):
        doubts.append(f"its header says '{separation}'")
    if _LIQUID_DETECTOR.search(detector):
        doubts.append(f"its detector '{detector}' is one of liquid chromatography")
    if re.search(r"\bODS|\bC18\b|reversed?[ -]phase", column, re.IGNORECASE):
        doubts.append(f"its column is one of liquid chromatography ('{column}')")
    return doubts
