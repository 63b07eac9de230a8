"""Files made to do harm, or damaged so that they would: each is a named error, in little memory."""

from __future__ import annotations

import base64
import functools
import os
import shutil
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from drugsig.acquisition import Run, iter_scans, read_chromatogram, read_run
from drugsig.acquisition.readers.detect import sniff
from drugsig.acquisition.readers.vendor_process import Limits, VendorProcess
from drugsig.errors import DrugsigError, MissingExtraError, RunError
from tests.acquisition.run_files import (
    INTENSITY_ROLE,
    MZ_ROLE,
    WRITERS,
    MzmlForm,
    andi_ms,
    andi_trace,
    jcamp,
    mzml,
    mzml_array_of,
    mzml_spectrum,
    mzxml,
    mzxml_scan,
    spectra,
)

# What reading may allocate beside what the parser takes for a file of a few megabytes.
LITTLE = 96 * 2**20


def refused(path: Path, data: bytes, message: str, *, read=read_run) -> RunError:
    """Write a file, and return the error of reading it, which must come cheaply."""
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(RunError, match=message) as caught:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < LITTLE
    finally:
        tracemalloc.stop()
    assert caught.value.path == path
    return caught.value


def outcome(path: Path) -> Run | DrugsigError:
    """Return the run that a file gives, or the error; anything else is a fault."""
    try:
        return read_run(path)
    except DrugsigError as error:
        return error


@functools.cache
def deflated_zeros(size: int) -> str:
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return base64.b64encode(b"".join([*parts, packer.flush()])).decode()


# -- XML -------------------------------------------------------------------------------------


def test_a_bomb_that_declares_its_size(tmp_path: Path) -> None:
    # A thousandth of its size, as deflate can make it: 1.6 MB for 1 GiB.
    bomb = deflated_zeros(1 << 28)
    form = MzmlForm(declared_points=1 << 25)
    both = mzml_array_of(bomb, MZ_ROLE, form) + mzml_array_of(bomb, INTENSITY_ROLE, form)
    data = mzml(spectra(1), form, mzml_spectrum(0, spectra()[0], form, both))
    assert len(data) < 1e6
    error = refused(tmp_path / "bomb.mzML", data, "times its own size")
    assert error.reason == "hostile"


def test_a_bomb_that_declares_little(tmp_path: Path) -> None:
    bomb = deflated_zeros(1 << 28)
    form = MzmlForm(declared_points=10)
    both = mzml_array_of(bomb, MZ_ROLE, form) + mzml_array_of(bomb, INTENSITY_ROLE, form)
    body = mzml_spectrum(0, spectra()[0], form, both)
    refused(tmp_path / "bomb.mzML", mzml(spectra(1), form, body), "inflates to more")


def test_many_small_bombs_are_counted_together(tmp_path: Path) -> None:
    bomb = deflated_zeros(1 << 23)
    form = MzmlForm(declared_points=1 << 20)
    both = mzml_array_of(bomb, MZ_ROLE, form) + mzml_array_of(bomb, INTENSITY_ROLE, form)
    body = "".join(mzml_spectrum(k, s, form, both) for k, s in enumerate(spectra(40)))
    path = tmp_path / "bomb.mzML"
    path.write_bytes(mzml(spectra(40), form, body))
    with pytest.raises(RunError):
        read_run(path)


def test_an_mzxml_bomb(tmp_path: Path) -> None:
    scan = mzxml_scan(0, spectra()[0], precision=64, deflate=True)
    text = scan.split('int">')[1].split("<")[0]
    body = scan.replace(text, deflated_zeros(1 << 28)).replace(
        'peaksCount="5"', f'peaksCount="{1 << 24}"'
    )
    refused(tmp_path / "bomb.mzXML", mzxml(spectra(1), body=body), "times its own size")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (MzmlForm(declared_points=4), "declared"),
        (MzmlForm(declared_points=6), "declared|too early"),
        (MzmlForm(declared_points=-1), "damaged"),
        (MzmlForm(declared_points=2**62), "its own size"),
        (MzmlForm(declared_characters=3), "characters"),
        (MzmlForm(declared_points=4, deflate=False), "declared"),
        (
            MzmlForm(compression=("MS:1002312", "MS-Numpress linear prediction compression")),
            "msconvert",
        ),
        (MzmlForm(compression=("MS:1003780", "zstd compression")), "zstd"),
        (MzmlForm(ionisation=("MS:1000073", "electrospray ionization")), "electrospray"),
    ],
)
def test_lies_and_forms_that_are_not_read(form: MzmlForm, message: str, tmp_path: Path) -> None:
    refused(tmp_path / "run.mzML", mzml(spectra(), form), message)


@pytest.mark.parametrize("write", [mzml, mzxml], ids=["mzml", "mzxml"])
@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE mzML [<!ENTITY a "b">]>',
        '<!DOCTYPE mzML SYSTEM "file:///etc/hostname">',
        '<!DOCTYPE mzML [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE mzML [<!ENTITY % x SYSTEM "http://localhost:9/x.dtd"> %x;]>',
        "<!DOCTYPE mzML [<!ENTITY a0 'ha'>"
        + "".join(f"<!ENTITY a{k} '{f'&a{k - 1};' * 10}'>" for k in range(1, 12))
        + "]>",
        "<!--" + "x" * 70_000 + '--><!DOCTYPE mzML [<!ENTITY a "b">]>',
    ],
)
def test_document_types_are_refused(write, prolog: str, tmp_path: Path) -> None:
    data = (
        write(spectra(), MzmlForm(prolog=prolog))
        if write is mzml
        else write(spectra(), prolog=prolog)
    )
    path = tmp_path / "run.xml"
    path.write_bytes(data)
    with pytest.raises(RunError) as caught:
        read_run(path)
    if sniff(path).format:
        assert caught.value.reason == "hostile"


def test_a_document_type_in_another_encoding_is_refused(tmp_path: Path) -> None:
    text = mzml(spectra(), MzmlForm(prolog='<!DOCTYPE mzML [<!ENTITY a "b">]>')).decode()
    for encoding in ("utf-16", "utf-16-le"):
        data = text.replace("utf-8", encoding).encode(encoding)
        path = tmp_path / f"{encoding}.mzML"
        path.write_bytes(data)
        with pytest.raises(RunError):
            read_run(path)


@pytest.mark.parametrize(
    "body",
    [
        "<spectrum>" * 3000,
        "<spectrum id='a'>" + "<x>" * 200 + "</x>" * 200 + "</spectrum>",
        "<spectrum defaultArrayLength='many'/>",
        "<spectrum><scanList/></spectrum>",
        "<spectrum><cvParam accession='MS:1000511' value='one'/></spectrum>",
        "&undefined;",
        "\x01",
    ],
)
def test_xml_that_makes_no_sense(body: str, tmp_path: Path) -> None:
    refused(tmp_path / "run.mzML", mzml(spectra(1), None, body), "damaged|no mass spectra")


def test_an_endless_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    tags = b"<a/>" * (1 << 20)
    before, end, after = mzml(spectra(1)).partition(b"</spectrumList>")
    for data in (
        b'<mzML xmlns="x">' + tags,
        b'<mzML xmlns="x"><spectrum>' + tags,
        before + tags + end + after,
    ):
        path.write_bytes(data)
        with pytest.raises(RunError) as caught:
            read_run(path)
        assert caught.value.reason == "hostile"


# -- netCDF ----------------------------------------------------------------------------------


def patched(data: bytes, name: bytes, shift: int, value: int) -> bytes:
    """Return a file with the number `shift` bytes after a name replaced."""
    at = data.index(name) + len(name) + shift
    return data[:at] + struct.pack(">i", value) + data[at + 4 :]


def test_points_that_are_called_text_are_refused(tmp_path: Path) -> None:
    data = andi_ms(spectra())
    # Behind the name, padded to 12, one dimension and no attributes comes the type: 2 is text.
    text = patched(data, b"mass_values", 17, 2)
    assert text != data
    refused(tmp_path / "run.cdf", text, "no list of numbers")


def test_a_header_that_promises_more_than_the_file_holds(tmp_path: Path) -> None:
    data = andi_ms(spectra())
    for records in (1 << 20, 2**31 - 2):
        lying = data[:4] + struct.pack(">i", records) + data[8:]
        refused(tmp_path / "run.cdf", lying, "promises more|out of order|disagree")
    fixed = andi_ms(spectra(), records=False)
    # Names are padded to four bytes: after 'point_number' the length of the dimension follows.
    refused(tmp_path / "run.cdf", patched(fixed, b"point_number", 0, 2**31 - 1), "promises more")


@pytest.mark.filterwarnings("ignore::drugsig.errors.UnsuitableRunWarning")
@pytest.mark.parametrize("place", range(4, 400, 4))
def test_any_number_of_the_header_may_be_wrong(place: int, tmp_path: Path) -> None:
    path = tmp_path / "run.cdf"
    data = andi_ms(spectra())
    for value in (-1, 0, 2**31 - 1):
        path.write_bytes(data[:place] + struct.pack(">i", value) + data[place + 4 :])
        found = outcome(path)
        assert isinstance(found, DrugsigError) or len(found) == 12


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("scan_index", [5.0 * k for k in range(11)] + [-5.0]),
        ("scan_index", [5.0 * k for k in range(11)] + [57.0]),
        ("scan_index", [0.0, 3.0] + [5.0 * k for k in range(2, 12)]),
        ("point_count", [5.0] * 11 + [-1.0]),
        ("point_count", [5.0] * 11 + [2e9]),
        ("point_count", [6.0] * 12),
    ],
)
def test_an_index_out_of_order_is_refused(name: str, values: list, tmp_path: Path) -> None:
    refused(tmp_path / "run.cdf", andi_ms(spectra(), changed={name: values}), "out of order")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"test_ionization_mode": "Electrospray Ionization"}, "Electrospray"),
        ({"test_ionization_mode": "Chemical Ionization"}, "Chemical"),
        ({"test_separation_type": "Normal Phase Liquid Chromatography"}, "Liquid"),
        ({"test_separation_type": "Supercritical Fluid Chromatography"}, "Supercritical"),
        ({"test_ms_inlet": "Direct Inlet Probe"}, "Probe"),
        ({"experiment_type": "Library Mass Spectrum"}, "library"),
    ],
)
def test_other_techniques_are_refused(header: dict, said: str, tmp_path: Path) -> None:
    error = refused(tmp_path / "run.cdf", andi_ms(spectra(), attributes=header), said)
    assert error.reason == "unsuitable"


def test_a_trace_with_impossible_values_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.cdf"
    for data, message in (
        (andi_trace([1.0, float("nan"), 2.0]), "no detector gives"),
        (andi_trace([1.0, 2.0], interval=-1.0), "interval"),
        (andi_trace([1.0, 2.0], interval=0.0), "interval"),
    ):
        refused(path, data, message, read=read_chromatogram)


# -- JCAMP-DX --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("##NPOINTS= 5", "##NPOINTS= 6", "states 6 points and has 5"),
        ("##NPOINTS= 5", "##NPOINTS= 1e300", "states 1e300"),
        (" 40.5, 1.0\n", " 40.5 1.0 7\n", "without an intensity"),
        (" 40.5, 1.0\n", " 40.5, 1_0\n", "no number"),
        (" 40.5, 1.0\n", " 40.5, 1e\n", "cannot be read"),
        (" 40.5, 1.0\n", " 40.5, nan\n", "no number"),
        ("(XY..XY)", "(X++(Y..Y))", "Only pairs"),
        ("##RETENTION_TIME= 60.0\n", "", "no usable retention time"),
        ("##TITLE", "##NTUPLES= MASS SPECTRA\n##TITLE", "NTUPLES"),
        ("##XYDATA= (XY..XY)\n 40.5", "##SCAN_NUMBER= 9\n 40.5", "no table of points"),
    ],
)
def test_jcamp_that_contradicts_itself(old: str, new: str, message: str, tmp_path: Path) -> None:
    data = jcamp(spectra()).decode()
    assert old in data
    refused(tmp_path / "run.jdx", data.replace(old, new, 1).encode(), message)


def test_jcamp_with_one_endless_record(tmp_path: Path) -> None:
    path = tmp_path / "run.jdx"
    path.write_bytes(b"##TITLE= " + b"x" * (40 << 20))
    with pytest.raises(RunError, match="longer than"):
        read_run(path)


# -- what is no run at all -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said", "reason"),
    [
        (b"", "an empty file", "empty"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "nccopy", "unsupported"),
        (b"\x01\xa1" + "Finnigan".encode("utf-16-le"), "Thermo", "unsupported"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "wiff", "unsupported"),
        (b"\x1f\x8b\x08" + bytes(30), "Unpack", "unsupported"),
        (b"PK\x03\x04" + bytes(30), "zip", "not_a_run"),
        (b"%PDF-1.7", "document", "not_a_run"),
        (b"\x012\x00\x00\x11GC / MS Data File", "folder", "unsupported"),
        (b"name;area\n1;2\n", "read_profiles", "not_a_run"),
        (b"<html></html>", "XML", "not_a_run"),
        (b'<mzData version="1.05"/>', "mzData", "unsupported"),
        (b'{"a": 1}', "JSON", "not_a_run"),
        (bytes(range(128, 256)) * 10, "unknown kind", "not_a_run"),
        (bytes(64), "unknown kind", "not_a_run"),
        (b"CDF\x01" + bytes(28), "no mass spectra", "not_a_run"),
        (b"CDF\x07" + bytes(28), "unknown kind", "not_a_run"),
        (b"##TITLE=x\n##DATA TYPE=INFRARED SPECTRUM\n##XYDATA=\n1 2\n", "INFRARED", "unsuitable"),
        (b"##=\n", "JCAMP-DX", "unsuitable"),
        (b"##\n##=\n", "no label", "damaged"),
    ],
)  # fmt: skip
def test_other_files_are_named(data: bytes, said: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "run.cdf"
    path.write_bytes(data)
    for read in (read_run, iter_scans):
        with pytest.raises(RunError, match=said) as caught:
            read(path)
        assert caught.value.reason == reason


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.cdf", "cannot be read"), (tmp_path, "read_runs")):
        with pytest.raises(RunError, match=said):
            read_run(path)
    waters = tmp_path / "run.raw"
    waters.mkdir()
    (waters / "_FUNC001.DAT").write_bytes(b"x")
    with pytest.raises(RunError, match="Waters"):
        read_run(waters)


@pytest.mark.skipif(sys.platform == "win32", reason="files have other permissions there")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jdx"
    path.write_bytes(jcamp(spectra()))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(RunError, match="cannot be read"):
        read_run(path)


@pytest.mark.filterwarnings("ignore::drugsig.errors.UnsuitableRunWarning")
@pytest.mark.parametrize("name", WRITERS)
def test_flipped_bits_are_an_error_or_a_run(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    data = bytearray(WRITERS[name](spectra()))
    path = tmp_path / name
    outcomes = set()
    for _ in range(60):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            changed[place] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(changed)
        outcomes.add(isinstance(outcome(path), Run))
    assert False in outcomes


# -- vendor files ----------------------------------------------------------------------------

FOREVER = "import time, sys\nprint('{}', flush=True)\nfor line in sys.stdin: time.sleep(60)\n"
GREEDY = (
    "import sys, time\nprint('{}', flush=True)\n"
    "for line in sys.stdin:\n    held = b'x' * (600 << 20)\n    time.sleep(60)\n"
)
DYING = "import sys, os\nprint('{}', flush=True)\nfor line in sys.stdin: os._exit(3)\n"


@pytest.mark.parametrize(
    ("source", "said"), [(FOREVER, "more than 0 s"), (GREEDY, "MB of memory"), (DYING, "code 3")]
)
def test_a_vendor_reader_that_misbehaves_is_stopped(
    source: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rainbow")
    pytest.importorskip("psutil")
    (tmp_path / "misbehaving.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    process = VendorProcess("misbehaving")
    seconds = 0.3 if source is FOREVER else 30.0
    for _ in range(2):
        with pytest.raises(RunError, match=said) as caught:
            process.read(tmp_path, "data.ms", limits=Limits(seconds=seconds, bytes=300 << 20))
        assert caught.value.reason == "limit"
    process.close()


def test_the_extra_is_named_where_it_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data.ms").write_bytes(b"\x012\x00\x00")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "drugsig\[vendor\]"'):
        read_run(tmp_path)


@pytest.mark.reference_data
def test_damaged_vendor_files_are_errors(reference_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("rainbow")
    pytest.importorskip("psutil")
    data = (reference_data / "raw" / "agilent_d" / "yellow.D" / "data.ms").read_bytes()
    for tenth in range(10):
        folder = tmp_path / f"{tenth}.D"
        folder.mkdir()
        (folder / "data.ms").write_bytes(data[: len(data) * tenth // 10])
        with pytest.raises(RunError):
            read_run(folder)
    empty = tmp_path / "no scans.D"
    (empty / "AcqData").mkdir(parents=True)
    with pytest.raises(RunError, match="mzML"):
        read_run(empty)
    shutil.rmtree(empty)
