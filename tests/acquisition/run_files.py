"""Small files of runs, written from known arrays in the plainest way there is."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.io import netcdf_file


@dataclass(frozen=True)
class Spectrum:
    """One scan that is to be written."""

    time_s: float
    mz: list[float]
    intensity: list[float]
    stated_tic: float | None = None

    @property
    def total(self) -> float:
        return sum(self.intensity) if self.stated_tic is None else self.stated_tic


def spectra(n: int = 12, *, points: int = 5) -> list[Spectrum]:
    """Return scans whose numbers are exact also in single precision."""
    return [
        Spectrum(
            time_s=60.0 + 0.5 * k,
            mz=[40.5 + 3.25 * j for j in range(points)],
            intensity=[float(100 * k + 7 * j + 1) for j in range(points)],
        )
        for k in range(n)
    ]


# -- mzML ------------------------------------------------------------------------------------

_NUMBERS = {
    "f8": ("MS:1000523", "64-bit float"),
    "f4": ("MS:1000521", "32-bit float"),
    "i4": ("MS:1000519", "32-bit integer"),
    "i8": ("MS:1000522", "64-bit integer"),
}
_UNITS = {"second": ("UO:0000010", 1.0), "minute": ("UO:0000031", 60.0)}
_COMPRESSION = {
    True: ("MS:1000574", "zlib compression"),
    False: ("MS:1000576", "no compression"),
}


def term(accession: str, name: str, value: object = "", unit: str = "") -> str:
    named = {at: name for name, (at, _) in _UNITS.items()}.get(unit, "")
    at = f' unitCvRef="UO" unitAccession="{unit}" unitName="{named}"' if unit else ""
    return f'<cvParam cvRef="MS" accession="{accession}" name="{name}" value="{value}"{at}/>'


@dataclass(frozen=True)
class MzmlForm:
    """How an mzML file is to be written; the fields after `unit` tell lies."""

    number: str = "f8"
    deflate: bool = True
    unit: str = "second"
    ionisation: tuple[str, str] = ("MS:1000389", "electron ionization")
    prolog: str = ""
    declared_points: int | None = None
    declared_characters: int | None = None
    compression: tuple[str, str] | None = None
    spectrum_terms: dict[int, str] = field(default_factory=dict)
    level: int = 1
    after: str = ""


def mzml_array(values: list[float], role: tuple[str, str], form: MzmlForm) -> str:
    raw = np.asarray(values).astype(f"<{form.number}").tobytes()
    text = base64.b64encode(zlib.compress(raw) if form.deflate else raw).decode()
    return mzml_array_of(text, role, form)


def mzml_array_of(text: str, role: tuple[str, str], form: MzmlForm) -> str:
    length = len(text) if form.declared_characters is None else form.declared_characters
    compression = form.compression or _COMPRESSION[form.deflate]
    return (
        f'<binaryDataArray encodedLength="{length}">'
        f"{term(*_NUMBERS[form.number])}{term(*compression)}{term(*role)}"
        f"<binary>{text}</binary></binaryDataArray>"
    )


MZ_ROLE = ("MS:1000514", "m/z array")
INTENSITY_ROLE = ("MS:1000515", "intensity array")


def mzml_spectrum(k: int, scan: Spectrum, form: MzmlForm, arrays: str | None = None) -> str:
    unit, factor = _UNITS.get(form.unit, ("", 1.0))
    length = len(scan.mz) if form.declared_points is None else form.declared_points
    both = mzml_array(scan.mz, MZ_ROLE, form) + mzml_array(scan.intensity, INTENSITY_ROLE, form)
    return (
        f'<spectrum index="{k}" id="scan={k + 1}" defaultArrayLength="{length}">'
        f"{term('MS:1000511', 'ms level', form.level)}"
        f"{term('MS:1000285', 'total ion current', scan.total)}"
        f"{form.spectrum_terms.get(k, '')}"
        f'<scanList count="1"><scan>'
        f"{term('MS:1000016', 'scan start time', repr(scan.time_s / factor), unit)}"
        f"</scan></scanList>"
        f'<binaryDataArrayList count="2">{both if arrays is None else arrays}'
        f"</binaryDataArrayList></spectrum>\n"
    )


def mzml(scans: list[Spectrum], form: MzmlForm | None = None, body: str | None = None) -> bytes:
    form = form or MzmlForm()
    if body is None:
        body = "".join(mzml_spectrum(k, scan, form) for k, scan in enumerate(scans))
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n{form.prolog}'
        '<mzML xmlns="http://psi.hupo.org/ms/mzml" version="1.1.0">'
        '<cvList count="1"><cv id="MS" fullName="PSI-MS" URI="psi-ms.obo"/></cvList>'
        '<fileDescription><fileContent/><sourceFileList count="1">'
        '<sourceFile id="S" name="raw.D" location="file:///"/></sourceFileList></fileDescription>'
        '<referenceableParamGroupList count="1"><referenceableParamGroup id="common">'
        f"{term('MS:1000529', 'instrument serial number', 'X1')}"
        f"{term('MS:1000471', 'a quadrupole')}</referenceableParamGroup>"
        "</referenceableParamGroupList>"
        '<sampleList count="1"><sample id="a" name="specimen 7"/></sampleList>'
        '<instrumentConfigurationList count="1"><instrumentConfiguration id="IC1">'
        '<referenceableParamGroupRef ref="common"/><componentList count="1"><source order="1">'
        f"{term(*form.ionisation)}{term('MS:1000056', 'direct inlet')}</source></componentList>"
        "</instrumentConfiguration></instrumentConfigurationList>"
        '<run id="r" defaultInstrumentConfigurationRef="IC1"'
        ' startTimeStamp="2024-03-01T10:20:30Z">'
        f'<spectrumList count="{len(scans)}">{body}</spectrumList>{form.after}</run></mzML>'
    ).encode()


# -- mzXML -----------------------------------------------------------------------------------


def mzxml_scan(k: int, scan: Spectrum, *, precision: int, deflate: bool, level: int = 1) -> str:
    pairs = np.column_stack([scan.mz, scan.intensity]).reshape(-1)
    raw = pairs.astype(">f4" if precision == 32 else ">f8").tobytes()
    packed = zlib.compress(raw) if deflate else raw
    kind = f'compressionType="zlib" compressedLen="{len(packed)}"' if deflate else ""
    return (
        f'<scan num="{k + 1}" msLevel="{level}" peaksCount="{len(scan.mz)}" centroided="1"'
        f' retentionTime="PT{scan.time_s!r}S" totIonCurrent="{scan.total}">'
        f'<peaks precision="{precision}" byteOrder="network" {kind} contentType="m/z-int">'
        f"{base64.b64encode(packed).decode()}</peaks></scan>\n"
    )


def mzxml(
    scans: list[Spectrum],
    *,
    precision: int = 64,
    deflate: bool = True,
    ionisation: str = "EI",
    prolog: str = "",
    body: str | None = None,
) -> bytes:
    if body is None:
        body = "".join(
            mzxml_scan(k, s, precision=precision, deflate=deflate) for k, s in enumerate(scans)
        )
    return (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n{prolog}'
        '<mzXML xmlns="http://sashimi.sourceforge.net/schema_revision/mzXML_3.2">'
        f'<msRun scanCount="{len(scans)}"><parentFile fileName="raw.D" fileType="RAWData"/>'
        '<msInstrument><msManufacturer category="msManufacturer" value="Maker"/>'
        '<msModel category="msModel" value="One"/>'
        f'<msIonisation category="msIonisation" value="{ionisation}"/></msInstrument>'
        f"{body}</msRun></mzXML>"
    ).encode("latin-1")


# -- netCDF ----------------------------------------------------------------------------------


def andi_ms(
    scans: list[Spectrum],
    *,
    version: int = 1,
    records: bool = True,
    number: str = "f4",
    scale: float | None = None,
    gap: int = 0,
    attributes: dict[str, str] | None = None,
    changed: dict[str, list[float]] | None = None,
) -> bytes:
    """Write ANDI/AIA mass spectrometry with scipy; `gap` flagged points follow each scan."""
    out = io.BytesIO()
    file = netcdf_file(out, "w", version=version)
    header = {
        "experiment_type": "Centroided Mass Spectrum",
        "test_ionization_mode": "Electron Impact",
        "test_separation_type": "Gas-Liquid Chromatography",
        "experiment_title": "specimen 7",
        "operator_name": "A. Person",
        "experiment_date_time_stamp": "20240301102030+0100",
        **(attributes or {}),
    }
    for name, value in header.items():
        setattr(file, name, value)
    lengths = [len(scan.mz) for scan in scans]
    steps = [length + gap for length in lengths]
    file.createDimension("point_number", None if records else sum(steps))
    file.createDimension("scan_number", len(scans))
    columns = {
        "scan_acquisition_time": ("f8", [scan.time_s for scan in scans]),
        "total_intensity": ("f8", [scan.total for scan in scans]),
        "scan_index": ("i4", [sum(steps[:k]) for k in range(len(scans))]),
        "point_count": ("i4", lengths),
    }
    for name, (kind, values) in columns.items():
        variable = file.createVariable(name, kind, ("scan_number",))
        variable[:] = (changed or {}).get(name, values)
    for name, picked in (("mass_values", "mz"), ("intensity_values", "intensity")):
        variable = file.createVariable(name, number, ("point_number",))
        rows = [value for scan in scans for value in [*getattr(scan, picked), *[9.0] * gap]]
        stored = np.asarray(rows) / (scale or 1.0)
        if records:
            for k, value in enumerate(stored):
                variable[k] = value
        else:
            variable[:] = stored
        if scale is not None:
            setattr(variable, "scale_factor", scale)  # noqa: B010  # a netCDF attribute
    file.flush()
    return out.getvalue()


def andi_trace(
    values: list[float],
    *,
    interval: float = 0.5,
    unit: str = "seconds",
    separation: str = "gas liquid chromatography",
    detector: str = "FID1A",
    peaks: list[tuple[float, float]] | None = None,
) -> bytes:
    """Write ANDI/AIA chromatography with scipy."""
    out = io.BytesIO()
    file = netcdf_file(out, "w")
    for name, text in (
        ("retention_unit", unit),
        ("detector_unit", "pA"),
        ("detector_name", detector),
        ("separation_experiment_type", separation),
    ):
        setattr(file, name, text)
    file.createDimension("point_number", len(values))
    file.createVariable("ordinate_values", "f4", ("point_number",))[:] = values
    for name, value in (("actual_sampling_interval", interval), ("actual_delay_time", 1.0)):
        file.createVariable(name, "f4", ()).data[...] = value
    if peaks:
        file.createDimension("peak_number", len(peaks))
        for name, k in (("peak_retention_time", 0), ("peak_area", 1)):
            column = [peak[k] for peak in peaks]
            file.createVariable(name, "f4", ("peak_number",))[:] = column
    file.flush()
    return out.getvalue()


# -- JCAMP-DX --------------------------------------------------------------------------------


def jcamp_scan(k: int, scan: Spectrum) -> str:
    points = "".join(f" {m!r}, {y!r}\n" for m, y in zip(scan.mz, scan.intensity, strict=True))
    return (
        f"##SCAN_NUMBER= {k + 1}\n##RETENTION_TIME= {scan.time_s!r}\n##TIC= {scan.total!r}\n"
        f"##NPOINTS= {len(scan.mz)}\n##XYDATA= (XY..XY)\n{points}"
    )


def jcamp(scans: list[Spectrum], *, header: str = "", end: bool = True) -> bytes:
    body = "".join(jcamp_scan(k, scan) for k, scan in enumerate(scans))
    return (
        "##TITLE= specimen 7\n##DATE= 2024-03-01\n##TIME= 10:20\n##IONIZATION_MODE= EI+\n"
        f"{header}{body}{'##END=' if end else ''}\n"
    ).encode()


WRITERS: dict[str, Callable[[list[Spectrum]], bytes]] = {
    "andi.cdf": andi_ms,
    "run.mzML": mzml,
    "run.mzXML": mzxml,
    "run.jdx": jcamp,
}
