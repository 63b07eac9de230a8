"""mzML: spectra through pyteomics, arrays decoded here, terms known by their accession."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np
from psims.controlled_vocabulary.controlled_vocabulary import ControlledVocabulary
from pyteomics import mzml

from drugsig.acquisition.chromatogram import Chromatogram
from drugsig.acquisition.readers.binary_array import EncodedArray, InflationBudget, decode
from drugsig.acquisition.readers.header import file_digest, iso_date, text_fields
from drugsig.acquisition.readers.open_run import OpenRun
from drugsig.acquisition.readers.points import Floats, RawScan, check_trace
from drugsig.acquisition.readers.suitability import check_suitability
from drugsig.acquisition.readers.xml_spectra import (
    TagCountedFile,
    attribute,
    guarded,
    local_name,
    read_header,
    whole_number,
    without_parser_errors,
)
from drugsig.acquisition.run import RunMetadata
from drugsig.errors import RunError, UnknownNameError

__all__ = ["open_mzml", "parameters", "read_mzml_trace"]

_MZ, _INTENSITY, _TIME = "MS:1000514", "MS:1000515", "MS:1000595"
_DTYPES: dict[str, np.dtype[Any]] = {
    "MS:1000521": np.dtype("<f4"),
    "MS:1000523": np.dtype("<f8"),
    "MS:1000519": np.dtype("<i4"),
    "MS:1000522": np.dtype("<i8"),
}
_ZLIB, _PLAIN = "MS:1000574", "MS:1000576"
_NUMPRESS = {
    "MS:1002312", "MS:1002313", "MS:1002314", "MS:1002746", "MS:1002747", "MS:1002748",
}  # fmt: skip
_MS_LEVEL, _START_TIME, _STATED_TIC = "MS:1000511", "MS:1000016", "MS:1000285"
_SIM, _PROFILE, _NEGATIVE, _LIGHT = "MS:1000582", "MS:1000128", "MS:1000129", "MS:1000804"
_SERIAL_NUMBER = "MS:1000529"
_SECONDS = {"UO:0000010": 1.0, "UO:0000031": 60.0, "UO:0000032": 3600.0, "UO:0000028": 1e-3}
_REMARKS = {
    _PROFILE: "the spectra are continuous, not centroided",
    _NEGATIVE: "negative ions were recorded, which EI spectra are not made of",
}

_FUNCTIONS = ("scan", "sim")


class _Vocabulary:
    """The controlled vocabulary, with an empty entry for a term that is newer than it."""

    def __init__(self, terms: Mapping[str, Any]) -> None:
        self._terms = terms

    def __getitem__(self, accession: str) -> Any:
        try:
            return self._terms[accession]
        except KeyError:
            return SimpleNamespace(name=accession, relationship=())


@functools.cache
def _vocabulary() -> _Vocabulary:
    """Build the controlled vocabulary from the copy that comes with psims.

    Left to themselves, pyteomics and psims look for a newer one on the network with every file.
    """
    packed = resources.files("psims.controlled_vocabulary.vendor") / "psi-ms.obo.gz"
    with packed.open("rb") as file, gzip.open(file) as unpacked:
        return _Vocabulary(ControlledVocabulary.from_obo(unpacked))


@dataclass(frozen=True, eq=False)
class _Entry:
    """A spectrum or a chromatogram, its arrays still encoded.

    Parameters
    ----------
    name : str
        Its id.
    length : int
        Of its arrays, as declared.
    terms : mapping of str to element
        The parameters of the entry itself, by accession.
    scan_terms : mapping of str to element
        Those of its first scan.
    arrays : mapping of str to EncodedArray
        By the accession of what they hold.
    """

    name: str
    length: int
    terms: Mapping[str, Any]
    scan_terms: Mapping[str, Any]
    arrays: Mapping[str, EncodedArray]


class _Reader(mzml.MzML):  # type: ignore[misc]  # pyteomics has no types
    """pyteomics' reader, with its own way of making an entry of an element.

    pyteomics makes nested dictionaries by the names of terms and inflates every array to whatever
    size it has. Here, terms are known by their accession, which translations and spelling do not
    change, arrays stay encoded, and elements that were read are dropped, so that memory does not
    grow with the file. It takes half the time.
    """

    def __init__(self, path: Path, file: BinaryIO, groups: Mapping[str, Any]) -> None:
        self._path, self._groups = path, groups
        self._counted = TagCountedFile(path, file)
        super().__init__(self._counted, use_index=False, decode_binary=False, cv=_vocabulary())

    def _get_info_smart(self, element: Any, **kwargs: Any) -> Any:
        if local_name(element) not in ("spectrum", "chromatogram"):
            return super()._get_info_smart(element, **kwargs)
        self._counted.entry()
        above = element.getparent()
        if above is not None:
            while element.getprevious() is not None:
                del above[0]
        scan_terms: dict[str, Any] = {}
        arrays: dict[str, EncodedArray] = {}
        for child in element:
            tag = local_name(child)
            if tag == "scanList":
                scan = next(child.iterchildren("{*}scan"), None)
                scan_terms = {} if scan is None else self._terms(scan)
            elif tag == "binaryDataArrayList":
                for array in child.iterchildren("{*}binaryDataArray"):
                    self._add_array(arrays, array)
        return _Entry(
            name=attribute(element, "id"),
            length=whole_number(element.get("defaultArrayLength")) or 0,
            terms=self._terms(element),
            scan_terms=scan_terms,
            arrays=arrays,
        )

    def _terms(self, element: Any) -> dict[str, Any]:
        return {term.get("accession"): term for term in parameters(element, self._groups)}

    def _add_array(self, arrays: dict[str, EncodedArray], element: Any) -> None:
        terms = self._terms(element)
        if _NUMPRESS & terms.keys():
            raise RunError(
                f"'{self._path.name}' is compressed with MS-Numpress, which is not read (it is not "
                "exact). Convert the run again without it: in msconvert, leave out --numpress.",
                path=self._path,
                reason="unsupported",
            )
        role = next((term for term in (_MZ, _INTENSITY, _TIME) if term in terms), None)
        if role is None:
            return
        dtype = next((kind for term, kind in _DTYPES.items() if term in terms), None)
        strange = [
            attribute(term, "name")
            for accession, term in terms.items()
            if accession not in (_ZLIB, _PLAIN)
            and attribute(term, "name").endswith(("compression", "encoding"))
        ]
        if dtype is None or strange:
            raise RunError(
                f"'{self._path.name}' holds an array in a form that is not read "
                f"({strange[0] if strange else 'no type of number is given'}). Convert the run "
                "again with zlib compression or none, and 32 or 64 bit numbers.",
                path=self._path,
                reason="unsupported",
            )
        binary = next(element.iterchildren("{*}binary"), None)
        arrays[role] = EncodedArray(
            text="" if binary is None else binary.text or "",
            dtype=dtype,
            deflated=_ZLIB in terms,
            encoded_length=whole_number(element.get("encodedLength")),
            array_length=whole_number(element.get("arrayLength")),
            unit=attribute(terms[role], "unitAccession"),
        )


def open_mzml(path: Path, /, *, function: str | None) -> OpenRun:
    """Read the header of an mzML file.

    Raises
    ------
    RunError
        If the file is damaged, hostile, in a form that is not read, or no EI GC-MS run.
    UnknownNameError
        If there is no such acquisition.
    """
    if function is not None and function not in _FUNCTIONS:
        raise UnknownNameError(
            f"unknown function {function!r}. Known: 'scan', 'sim'.",
            name=function,
            known=_FUNCTIONS,
        )
    file, digest, root = _open(path)
    try:
        metadata, doubts = _metadata(path, digest, root)
        budget = InflationBudget(path)
        with without_parser_errors(path):
            reader = _Reader(path, file, _groups(root))
    except BaseException:
        file.close()
        raise
    late: list[str] = []
    return OpenRun(
        path=path,
        metadata=metadata,
        scans=lambda: _scans(reader, budget, function, late),
        close=file.close,
        doubts=doubts,
        late_notes=late,
    )


def read_mzml_trace(path: Path, /, *, channel: str | None) -> Chromatogram:
    """Read one of the chromatograms that an mzML file holds beside its spectra.

    Raises
    ------
    RunError
        If the file is damaged or hostile.
    UnknownNameError
        If there is no such chromatogram.
    """
    file, digest, root = _open(path)
    try:
        metadata, _ = _metadata(path, digest, root)
        budget = InflationBudget(path)
        with without_parser_errors(path):
            reader = _Reader(path, file, _groups(root))
        known = []
        for found in guarded(path, reader.iterfind("chromatogram")):
            if found.name == channel:
                return _trace(found, metadata, budget)
            known.append(found.name)
    finally:
        file.close()
    raise UnknownNameError(
        f"'{path.name}' has no channel '{channel}'. It has {['TIC', *known]}.",
        name=str(channel),
        known=("TIC", *known),
    )


def _open(path: Path) -> tuple[BinaryIO, str, Any]:
    digest = file_digest(path)
    file = path.open("rb")
    try:
        return file, digest, read_header(path, file, stop=("spectrum", "chromatogram"))
    except BaseException:
        file.close()
        raise


def _trace(entry: _Entry, metadata: RunMetadata, budget: InflationBudget) -> Chromatogram:
    path, where = budget.path, f"chromatogram '{entry.name}'"
    if not {_TIME, _INTENSITY} <= entry.arrays.keys():
        raise _damaged(path, f"{where} lacks times or intensities")
    factor = _SECONDS.get(entry.arrays[_TIME].unit)
    if factor is None:
        raise _damaged(path, f"{where} gives no unit of time")
    times_s = decode(entry.arrays[_TIME], entry.length, budget, where=where) * factor
    intensity = decode(entry.arrays[_INTENSITY], entry.length, budget, where=where)
    if len(times_s) != len(intensity):
        raise _damaged(path, f"{where} has {len(times_s)} times for {len(intensity)} values")
    check_trace(times_s, intensity, path=path)
    return Chromatogram(times_s=times_s, intensity=intensity, channel=entry.name, metadata=metadata)


def _scans(
    reader: _Reader, budget: InflationBudget, function: str | None, late: list[str]
) -> Iterator[RawScan]:
    """Yield the spectra of the wanted acquisition, and say at the end what was passed over."""
    path = budget.path
    wanted = function
    passed = dict.fromkeys(("of a higher MS level", "of light", "of the other acquisition"), 0)
    seen: set[str] = set()
    count = 0
    for entry in guarded(path, iter(reader)):
        with without_parser_errors(path):
            level = (
                int(attribute(entry.terms[_MS_LEVEL], "value")) if _MS_LEVEL in entry.terms else 1
            )
        if _LIGHT in entry.terms:
            passed["of light"] += 1
            continue
        if level != 1:
            passed["of a higher MS level"] += 1
            continue
        kind = "sim" if _SIM in entry.terms else "scan"
        seen.add(kind)
        # Where nothing was asked for, the acquisition that comes first is read.
        wanted = wanted or kind
        if kind != wanted:
            passed["of the other acquisition"] += 1
            continue
        for term, note in _REMARKS.items():
            if term in entry.terms and note not in late:
                late.append(note)
        yield _scan(entry, budget)
        count += 1
    if wanted == "sim":
        late.append("selected ions were recorded, not full scans")
    late += [f"{n} spectra {what} were left out" for what, n in passed.items() if n]
    if not count and function is not None:
        raise UnknownNameError(
            f"'{path.name}' has no spectra of function '{function}'. It has "
            f"{' and '.join(sorted(seen)) or 'none'}.",
            name=function,
            known=sorted(seen),
        )


def _scan(entry: _Entry, budget: InflationBudget) -> RawScan:
    path, where = budget.path, f"spectrum '{entry.name}'"
    start = entry.scan_terms.get(_START_TIME)
    factor = None if start is None else _SECONDS.get(attribute(start, "unitAccession"))
    if factor is None:
        raise _damaged(path, f"{where} has no start time with a unit")
    with without_parser_errors(path):
        time = float(attribute(start, "value")) * factor
        total = entry.terms.get(_STATED_TIC)
        stated = np.nan if total is None else float(attribute(total, "value"))
    if not entry.arrays and not entry.length:
        nothing: Floats = np.empty(0)
        return RawScan(time, nothing, nothing, stated)
    if not {_MZ, _INTENSITY} <= entry.arrays.keys():
        raise _damaged(path, f"{where} lacks m/z values or intensities")
    return RawScan(
        time,
        decode(entry.arrays[_MZ], entry.length, budget, where=where),
        decode(entry.arrays[_INTENSITY], entry.length, budget, where=where),
        stated,
    )


def _damaged(path: Path, what: str) -> RunError:
    return RunError(
        f"'{path.name}' is damaged: {what}. Convert the run again.",
        path=path,
    )


# -- the header -------------------------------------------------------------------------------


def parameters(element: Any, groups: Mapping[str, Any], /) -> list[Any]:
    """Return the terms of an element, with those of the groups that it refers to.

    Parameters
    ----------
    element : element
        Of an mzML file.
    groups : mapping of str to element
        The file's groups of parameters, by their id.
    """
    found = []
    for child in element:
        tag = local_name(child)
        if tag == "cvParam":
            found.append(child)
        elif tag == "referenceableParamGroupRef":
            group = groups.get(attribute(child, "ref"))
            found += [] if group is None else list(group.iterchildren("{*}cvParam"))
    return found


def _groups(root: Any) -> dict[str, Any]:
    return {attribute(group, "id"): group for group in root.iter("{*}referenceableParamGroup")}


def _metadata(path: Path, digest: str, root: Any) -> tuple[RunMetadata, list[str]]:
    groups = _groups(root)
    run = next(root.iter("{*}run"), None)
    configurations = list(root.iter("{*}instrumentConfiguration"))
    default = "" if run is None else attribute(run, "defaultInstrumentConfigurationRef")
    chosen = [c for c in configurations if attribute(c, "id") == default] or configurations
    sources = [
        attribute(term, "name")
        for configuration in chosen
        for source in configuration.iter("{*}source")
        for term in parameters(source, groups)
    ]
    ionisation = ", ".join(dict.fromkeys(name for name in sources if "inlet" not in name))
    suitability = check_suitability(path, ionisation=ionisation)
    notes = list(suitability.notes)
    instrument = [
        attribute(term, "name")
        for configuration in chosen[:1]
        for term in parameters(configuration, groups)
        if attribute(term, "accession") != _SERIAL_NUMBER
    ]
    acquired, doubt = iso_date("" if run is None else attribute(run, "startTimeStamp"))
    if doubt:
        notes.append(doubt)
    sample = next(root.iter("{*}sample"), None)
    files = [attribute(f, "name") for f in root.iter("{*}sourceFile")]
    metadata = RunMetadata(
        file_name=path.name,
        sha256=digest,
        format="mzml",
        sample_name="" if sample is None else attribute(sample, "name"),
        instrument=", ".join(instrument),
        acquired=acquired,
        ionisation=ionisation,
        time_unit="as each scan gives it",
        other=text_fields(
            {
                "run": "" if run is None else attribute(run, "id"),
                "source files": ", ".join(files),
                "software": ", ".join(
                    f"{attribute(s, 'id')} {attribute(s, 'version')}"
                    for s in root.iter("{*}software")
                ),
                "inlet": ", ".join(name for name in sources if "inlet" in name),
            }
        ),
        notes=tuple(notes),
    )
    return metadata, list(suitability.doubts)
