"""`write_mzml`: a run as mzML 1.1."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from drugsig._files import write_file
from drugsig.acquisition.run import Run, RunMetadata
from drugsig.acquisition.writers.arguments import choose_precision, wanted_run

__all__ = ["write_mzml"]

# Terms of the PSI-MS vocabulary, by the names that version 4.1 has for them.
_TERMS = {
    "MS:1000031": "instrument model",
    "MS:1000032": "customization",
    "MS:1000040": "m/z",
    "MS:1000127": "centroid spectrum",
    "MS:1000130": "positive scan",
    "MS:1000131": "number of detector counts",
    "MS:1000285": "total ion current",
    "MS:1000389": "electron ionization",
    "MS:1000511": "ms level",
    "MS:1000514": "m/z array",
    "MS:1000515": "intensity array",
    "MS:1000521": "32-bit float",
    "MS:1000523": "64-bit float",
    "MS:1000544": "Conversion to mzML",
    "MS:1000576": "no compression",
    "MS:1000579": "MS1 spectrum",
    "MS:1000582": "SIM spectrum",
    "MS:1000586": "contact name",
    "MS:1000795": "no combination",
    "MS:1000799": "custom unreleased software tool",
    "MS:1000016": "scan start time",
}
_FLOATS = {"float32": "MS:1000521", "float64": "MS:1000523"}
_UNITS = {"MS:1000040": "m/z", "MS:1000131": "number of detector counts", "UO:0000010": "second"}

_TAIL = "</spectrumList></run></mzML>\n"

_ELECTRON = re.compile(r"\bEI\b|electron[ -](?:impact|ioni[sz]ation)", re.IGNORECASE)

# What XML 1.0 cannot hold at all, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_mzml(
    run: Run,
    path: str | os.PathLike[str],
    /,
    *,
    precision: str | None = None,
    compact: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a run as mzML 1.1, uncompressed and without an index.

    Scans, points, stated totals, sample name and the time of acquisition come back when the file
    is read. Operator, method, instrument and separation are written as text that few readers
    look at. Nothing is looked up on a network.

    Parameters
    ----------
    run : Run
        What to write.
    path : path-like
        Where, usually with the ending ``.mzML``.
    precision : {"float32", "float64"}, optional
        How m/z and intensities are stored. Without it, single precision where every number of
        the run is exact in it, and double precision otherwise: nothing is lost. Times and totals
        are written as text that reads back identically.
    compact : bool
        Say what all scans and arrays have in common once, in parameter groups that they refer
        to. Nearly half the size for small scans; a few readers do not follow such references.
    overwrite : bool
        Replace a file that is already there.

    Returns
    -------
    Path
        The file. It appears whole or not at all, with the same bytes on every system: it is not
        compressed, because libraries that do it differ.

    Raises
    ------
    InputError
        If it is no run, or has no scans.
    OutputError
        If the file is already there or cannot be written.
    UnknownNameError
        If there is no such precision.

    Notes
    -----
    A date without a time of day is left out: mzML has no place for one. So is an ionisation that
    is not electron ionisation, whose term would have to be guessed.
    """
    run = wanted_run(run, writer="write_mzml")
    kind = choose_precision(run, precision)
    common = _common(run, kind)
    text = "".join((*_head(run, common, compact), *_spectra(run, kind, common, compact), _TAIL))
    return write_file(path, text.encode("utf-8"), overwrite=overwrite)


def _term(accession: str, value: object = "", *, unit: str = "") -> str:
    told = f" value={_quoted(str(value))}" if value != "" else ""
    if unit:
        told += f' unitCvRef="{unit[:2]}" unitAccession="{unit}" unitName={_quoted(_UNITS[unit])}'
    return f'<cvParam cvRef="MS" accession="{accession}" name={_quoted(_TERMS[accession])}{told}/>'


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))


def _user(name: str, text: str) -> str:
    return f"<userParam name={_quoted(name)} value={_quoted(text)}/>" if text else ""


def _common(run: Run, kind: str) -> dict[str, str]:
    """Return what all scans have in common, and all arrays of a kind."""
    told = run.metadata.other
    polarity = told.get("test_ionization_polarity", "").lower()
    terms = [_spectrum_type(told), "MS:1000127", *(["MS:1000130"] * ("positive" in polarity))]
    stored = _term(_FLOATS[kind]) + _term("MS:1000576")
    return {
        "scan": _term("MS:1000511", 1) + "".join(_term(one) for one in terms),
        "one": _term("MS:1000795"),
        "mz": _term("MS:1000514", unit="MS:1000040") + stored,
        "counts": _term("MS:1000515", unit="MS:1000131") + stored,
    }


def _spectrum_type(told: Mapping[str, str]) -> str:
    selected = "selected ion" in told.get("test_scan_function", "").lower()
    return "MS:1000582" if selected else "MS:1000579"


def _head(run: Run, common: Mapping[str, str], compact: bool) -> Iterator[str]:
    told = run.metadata
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<mzML xmlns="http://psi.hupo.org/ms/mzml" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://psi.hupo.org/ms/mzml '
        'http://psidev.info/files/ms/mzML/xsd/mzML1.1.0.xsd" version="1.1.0">\n'
        '<cvList count="2">'
        '<cv id="MS" fullName="Proteomics Standards Initiative Mass Spectrometry Ontology" '
        'URI="https://raw.githubusercontent.com/HUPO-PSI/psi-ms-CV/master/psi-ms.obo"/>'
        '<cv id="UO" fullName="Unit Ontology" '
        'URI="https://raw.githubusercontent.com/bio-ontology-research-group/unit-ontology/'
        'master/unit.obo"/>'
        "</cvList>\n"
    )
    contact = f"<contact>{_term('MS:1000586', told.operator)}</contact>" if told.operator else ""
    content = f"<fileContent>{_term(_spectrum_type(told.other))}</fileContent>"
    yield f"<fileDescription>{content}{contact}</fileDescription>\n"
    if compact:
        yield f'<referenceableParamGroupList count="{len(common)}">\n'
        for name, terms in common.items():
            yield f'<referenceableParamGroup id="{name}">{terms}</referenceableParamGroup>\n'
        yield "</referenceableParamGroupList>\n"
    if told.sample_name:
        yield f'<sampleList count="1"><sample id="sample" name={_quoted(told.sample_name)}/>'
        yield "</sampleList>\n"
    yield '<softwareList count="1"><software id="drugsig" version="mzML-1">'
    yield f"{_term('MS:1000799', 'drugsig')}</software></softwareList>\n"
    yield _instrument(told)
    yield '<dataProcessingList count="1"><dataProcessing id="written">'
    yield f'<processingMethod order="0" softwareRef="drugsig">{_term("MS:1000544")}'
    yield "</processingMethod></dataProcessing></dataProcessingList>\n"
    stamp = f" startTimeStamp={_quoted(told.acquired)}" if "T" in told.acquired else ""
    sample = ' sampleRef="sample"' if told.sample_name else ""
    yield f'<run id="run" defaultInstrumentConfigurationRef="instrument"{sample}{stamp}>'
    yield _user("method", told.method) + _user("separation", told.separation)
    yield f'\n<spectrumList count="{len(run)}" defaultDataProcessingRef="written">\n'


def _instrument(told: RunMetadata) -> str:
    source = ""
    if _ELECTRON.search(told.ionisation):
        # The schema wants all three components where there is one.
        source = (
            '<componentList count="3">'
            f'<source order="1">{_term("MS:1000389")}</source>'
            '<analyzer order="2"/><detector order="3"/></componentList>'
        )
    named = _term("MS:1000032", told.instrument) if told.instrument else ""
    return (
        '<instrumentConfigurationList count="1"><instrumentConfiguration id="instrument">'
        f"{_term('MS:1000031')}{named}{source}"
        "</instrumentConfiguration></instrumentConfigurationList>\n"
    )


def _spectra(run: Run, kind: str, common: Mapping[str, str], compact: bool) -> Iterator[str]:
    stored = np.dtype(kind).newbyteorder("<")
    with np.errstate(over="ignore"):
        mz, intensity = run.mz.astype(stored), run.intensity.astype(stored)
    bounds = run.offsets.tolist()
    said = {
        name: f'<referenceableParamGroupRef ref="{name}"/>' if compact else terms
        for name, terms in common.items()
    }
    for k, (time, total) in enumerate(
        zip(run.scan_times_s.tolist(), run.stated_tic.tolist(), strict=True)
    ):
        inside = slice(bounds[k], bounds[k + 1])
        start = _term("MS:1000016", repr(time), unit="UO:0000010")
        stated = "" if np.isnan(total) else _term("MS:1000285", repr(total))
        yield (
            f'<spectrum index="{k}" id="scan={k + 1}" '
            f'defaultArrayLength="{bounds[k + 1] - bounds[k]}">{said["scan"]}{stated}'
            f'<scanList count="1">{said["one"]}<scan>{start}</scan></scanList>'
            f'<binaryDataArrayList count="2">{_array(mz[inside], said["mz"])}'
            f"{_array(intensity[inside], said['counts'])}</binaryDataArrayList></spectrum>\n"
        )


def _array(values: NDArray[np.floating], terms: str) -> str:
    text = base64.b64encode(values.tobytes()).decode("ascii")
    return (
        f'<binaryDataArray encodedLength="{len(text)}">{terms}<binary>{text}</binary>'
        "</binaryDataArray>"
    )
