"""Runs written as ANDI and mzML come back identically, also through other readers."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import logging
import re
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.io import netcdf_file

from drugsig.acquisition import Run, RunMetadata, read_run
from drugsig.acquisition.writers import write_andi, write_mzml
from drugsig.errors import InputError, OutputError, SizeError, UnknownNameError

Writer = Callable[..., Path]

WRITERS: dict[str, Writer] = {
    "andi": write_andi,
    "mzml": write_mzml,
    "mzml_compact": lambda *a, **k: write_mzml(*a, compact=True, **k),
}
ARRAYS = ("scan_times_s", "offsets", "mz", "intensity", "stated_tic")

each_writer = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def make_run(
    lengths: list[int],
    *,
    seed: int = 1,
    single: bool = True,
    totals: bool = True,
    **told: Any,
) -> Run:
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    kind = np.float32 if single else np.float64
    mz = [np.sort(rng.uniform(40, 450, size=n)).astype(kind) for n in lengths]
    intensity = rng.uniform(0, 1e6, size=offsets[-1]).astype(kind).astype(np.float64)
    tic = np.array([intensity[a:b].sum() for a, b in itertools.pairwise(offsets)])
    return Run(
        scan_times_s=30.0 + np.cumsum(rng.uniform(0.1, 0.7, size=len(lengths))),
        offsets=offsets,
        mz=np.concatenate([np.empty(0), *mz], dtype=np.float64),
        intensity=intensity,
        stated_tic=tic if totals else np.full(len(lengths), np.nan),
        metadata=RunMetadata(file_name="made", sha256="", format="made", **told),
    )


HEADER: dict[str, Any] = {
    "sample_name": 'exhibit 7 <B> & "C"',
    "operator": "A. Müller",
    "method": "ALKALOID.M",
    "instrument": "a quadrupole",
    "acquired": "2025-03-04T09:15:00+01:00",
    "ionisation": "Electron Impact",
    "separation": "Gas-Liquid Chromatography",
    "other": {
        "test_ms_inlet": "Capillary Direct",
        "test_ionization_polarity": "Positive Polarity",
    },
}


@pytest.fixture(scope="module")
def run() -> Run:
    return make_run([30, 1, 12, 0, 7] * 12, **HEADER)


def read(path: Path) -> Run:
    # A header that says little is no fault here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_run(path)


def assert_same_points(found: Run, wanted: Run) -> None:
    for name in ARRAYS:
        a, b = getattr(found, name), getattr(wanted, name)
        assert np.array_equal(a, b, equal_nan=True), name


@each_writer
def test_a_run_comes_back_identically(write: Writer, run: Run, tmp_path: Path) -> None:
    assert_same_points(read(write(run, tmp_path / "run")), run)


@each_writer
@settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(0, 20), min_size=1, max_size=40).filter(lambda n: sum(n) > 0),
    single=st.booleans(),
    totals=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_run_comes_back_identically(
    write: Writer, lengths: list[int], single: bool, totals: bool, seed: int
) -> None:
    made = make_run(lengths, seed=seed, single=single, totals=totals, **HEADER)
    with tempfile.TemporaryDirectory() as folder:
        assert_same_points(read(write(made, Path(folder) / "run")), made)


@each_writer
def test_single_precision_loses_no_more_than_it_must(write: Writer, tmp_path: Path) -> None:
    made = make_run([9] * 20, single=False, **HEADER)
    found = read(write(made, tmp_path / "run", precision="float32"))
    assert not np.array_equal(found.mz, made.mz)
    assert np.array_equal(found.mz, made.mz.astype(np.float32))
    assert np.array_equal(found.intensity, made.intensity.astype(np.float32))


@each_writer
def test_double_precision_is_taken_where_single_would_lose(write: Writer, tmp_path: Path) -> None:
    exact, wide = (make_run([50] * 50, single=single) for single in (True, False))
    small = write(exact, tmp_path / "small").stat().st_size
    large = write(wide, tmp_path / "large").stat().st_size
    chosen = write(exact, tmp_path / "chosen", precision="float32").stat().st_size
    assert large > 1.2 * small
    assert chosen == small


def test_andi_keeps_the_header(run: Run, tmp_path: Path) -> None:
    told = read(write_andi(run, tmp_path / "run.cdf")).metadata
    for name in ("sample_name", "operator", "method", "instrument", "acquired", "ionisation"):
        assert getattr(told, name) == HEADER[name]
    assert told.separation == HEADER["separation"]
    assert told.other["test_ms_inlet"] == "Capillary Direct"
    assert told.format == "andi_ms"


def test_mzml_keeps_sample_and_date(run: Run, tmp_path: Path) -> None:
    told = read(write_mzml(run, tmp_path / "run.mzML")).metadata
    assert told.sample_name == HEADER["sample_name"]
    assert told.acquired == HEADER["acquired"]
    assert told.ionisation == "electron ionization"
    text = (tmp_path / "run.mzML").read_text(encoding="utf-8")
    for name in ("operator", "method", "instrument", "separation"):
        assert f'value="{HEADER[name]}"' in text


@each_writer
def test_what_is_not_known_is_not_made_up(write: Writer, tmp_path: Path) -> None:
    told = read(write(make_run([5] * 30), tmp_path / "run")).metadata
    assert told.sample_name == told.operator == told.method == told.acquired == ""
    assert told.ionisation == told.separation == ""


def test_a_date_without_a_time_is_left_out_of_mzml(tmp_path: Path) -> None:
    made = make_run([5] * 30, acquired="2025-03-04")
    assert read(write_andi(made, tmp_path / "run.cdf")).metadata.acquired == "2025-03-04"
    assert read(write_mzml(made, tmp_path / "run.mzML")).metadata.acquired == ""


@each_writer
def test_the_same_run_gives_the_same_bytes(write: Writer, run: Run, tmp_path: Path) -> None:
    first, second = (write(run, tmp_path / name).read_bytes() for name in "ab")
    assert first == second


def test_the_bytes_are_what_they_were(tmp_path: Path) -> None:
    # Whole numbers, so that no machine rounds them otherwise.
    made = Run(
        scan_times_s=np.array([1.0, 2.5]),
        offsets=np.array([0, 2, 3], dtype=np.int64),
        mz=np.array([82.0, 182.0, 303.0]),
        intensity=np.array([100.0, 75.0, 10.0]),
        stated_tic=np.array([175.0, np.nan]),
        metadata=RunMetadata("made", "", "made", **HEADER),
    )
    found = {
        name: hashlib.sha256(write(made, tmp_path / name).read_bytes()).hexdigest()[:16]
        for name, write in WRITERS.items()
    }
    assert found == {
        "andi": "370ab746cccb03d4",
        "mzml": "4359eadea27210f9",
        "mzml_compact": "dd98672e627f6410",
    }


@each_writer
def test_a_file_that_is_there_is_not_overwritten(write: Writer, run: Run, tmp_path: Path) -> None:
    place = tmp_path / "run"
    place.write_bytes(b"mine")
    with pytest.raises(OutputError, match="overwrite=True"):
        write(run, place)
    assert place.read_bytes() == b"mine"
    assert write(run, place, overwrite=True).stat().st_size > 1000
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


@each_writer
def test_a_folder_that_is_not_there_is_an_error(write: Writer, run: Run, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write(run, tmp_path / "absent" / "run")


@each_writer
def test_what_is_no_run_is_refused(write: Writer, run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got list"):
        write([], tmp_path / "run")
    with pytest.raises(InputError, match="no scans"):
        write(make_run([]), tmp_path / "run")
    with pytest.raises(UnknownNameError, match="Did you mean 'float32'"):
        write(run, tmp_path / "run", precision="float23")
    assert list(tmp_path.iterdir()) == []


def test_a_run_too_large_for_andi_is_refused(run: Run, tmp_path: Path) -> None:
    class Endless(np.ndarray):
        def __len__(self) -> int:
            return 2**28

    huge = dataclasses.replace(run)
    object.__setattr__(huge, "mz", np.empty(1).view(Endless))
    with pytest.raises(SizeError, match="write_mzml"):
        write_andi(huge, tmp_path / "run", precision="float32")


# -- other readers ----------------------------------------------------------------------------


def test_scipy_finds_the_fields_of_the_standard(run: Run, tmp_path: Path) -> None:
    opened: Any = netcdf_file(write_andi(run, tmp_path / "run.cdf"), mmap=False)
    with opened as file:
        assert file.version_byte == 1
        assert file.dimensions["point_number"] is None
        assert file.dimensions["scan_number"] == len(run)
        assert file.ms_template_revision == b"1.0.1"
        assert file.experiment_type == b"Centroided Mass Spectrum"
        assert file.experiment_date_time_stamp == b"20250304091500+0100"
        assert file.raw_data_mass_format == b"Float"
        variables = file.variables
        assert variables["scan_acquisition_time"].data.dtype == np.dtype(">f8")
        assert variables["mass_values"].data.dtype == np.dtype(">f4")
        assert variables["mass_values"].units == b"M/Z"
        assert (variables["scan_duration"].data == -9999).all()
        assert np.array_equal(variables["scan_index"].data, run.offsets[:-1])
        filled = np.diff(run.offsets) > 0
        assert np.array_equal(
            variables["mass_range_min"].data[filled], run.mz[run.offsets[:-1][filled]]
        )


@pytest.mark.reference_data
def test_a_real_file_has_the_fields_that_are_written(
    run: Run, tmp_path: Path, reference_data: Path
) -> None:
    real = reference_data / "raw" / "andi_ms" / "agilent-gcms.cdf"
    with (
        netcdf_file(real, mmap=False) as wanted,
        netcdf_file(write_andi(run, tmp_path / "run.cdf"), mmap=False) as found,
    ):
        assert set(found.dimensions) == set(wanted.dimensions)
        # Times of single points are not known.
        assert set(wanted.variables) - set(found.variables) == {"time_values"}
        assert not set(found.variables) - set(wanted.variables)
        for name, variable in found.variables.items():
            other = wanted.variables[name]
            assert [d.rstrip("0123456789_bytesring") for d in variable.dimensions] == [
                d.rstrip("0123456789_bytesring") for d in other.dimensions
            ]


@pytest.mark.reference_data
@each_writer
def test_a_real_run_comes_back_identically(
    write: Writer, tmp_path: Path, reference_data: Path
) -> None:
    real = read(reference_data / "raw" / "andi_ms" / "HP_MS.CDF")
    found = read(write(real, tmp_path / "run"))
    assert_same_points(found, real)
    assert found.metadata.sample_name == real.metadata.sample_name
    assert found.metadata.acquired == real.metadata.acquired


def test_netcdf4_reads_andi(run: Run, tmp_path: Path) -> None:
    netcdf4 = pytest.importorskip("netCDF4")
    with netcdf4.Dataset(write_andi(run, tmp_path / "run.cdf")) as file:
        assert file.data_model == "NETCDF3_CLASSIC"
        assert np.array_equal(np.asarray(file["mass_values"][:]), run.mz)
        assert np.array_equal(np.asarray(file["intensity_values"][:]), run.intensity)
        assert np.array_equal(np.asarray(file["scan_acquisition_time"][:]), run.scan_times_s)


@pytest.mark.parametrize("compact", [False, True])
def test_pyteomics_reads_mzml(compact: bool, run: Run, tmp_path: Path) -> None:
    from pyteomics import mzml

    from drugsig.acquisition.readers.mzml import _vocabulary

    path = write_mzml(run, tmp_path / "run.mzML", compact=compact)
    with mzml.MzML(str(path), use_index=False, cv=_vocabulary()) as reader:
        spectra = list(reader)
    assert len(spectra) == len(run)
    for spectrum, scan in zip(spectra, run, strict=True):
        assert np.array_equal(spectrum["m/z array"], scan.mz)
        assert np.array_equal(spectrum["intensity array"], scan.intensity)
        assert spectrum["m/z array"].dtype == np.float32
        start = spectrum["scanList"]["scan"][0]["scan start time"]
        assert start == scan.time_s
        assert start.unit_info == "second"
        assert spectrum["total ion current"] == scan.stated_tic
        assert spectrum["ms level"] == 1
        assert {"MS1 spectrum", "centroid spectrum", "positive scan"} <= spectrum.keys()


def test_pymzml_reads_mzml(run: Run, tmp_path: Path) -> None:
    pymzml_run = pytest.importorskip("pymzml.run")
    logging.disable(logging.CRITICAL)
    try:
        reader = pymzml_run.Reader(str(write_mzml(run, tmp_path / "run.mzML")))
        found: list[tuple[float, NDArray[np.float64]]] = [
            (one.scan_time_in_minutes() * 60.0, one.peaks("raw")) for one in reader
        ]
        reader.close()
    finally:
        logging.disable(logging.NOTSET)
    assert len(found) == len(run)
    for (time, points), scan in zip(found, run, strict=True):
        assert time == pytest.approx(scan.time_s, rel=1e-12)
        assert np.array_equal(np.reshape(points, (-1, 2))[:, 0], scan.mz)
        assert np.array_equal(np.reshape(points, (-1, 2))[:, 1], scan.intensity)


@pytest.mark.parametrize("compact", [False, True])
def test_every_term_is_in_the_vocabulary_under_its_name(
    compact: bool, run: Run, tmp_path: Path
) -> None:
    from drugsig.acquisition.readers.mzml import _vocabulary

    text = write_mzml(run, tmp_path / "run.mzML", compact=compact).read_text(encoding="utf-8")
    terms = set(re.findall(r'<cvParam cvRef="MS" accession="([^"]+)" name="([^"]+)"', text))
    units = set(re.findall(r'unitAccession="([^"]+)" unitName="([^"]+)"', text))
    assert len(re.findall(r'<cvParam cvRef="MS" accession', text)) == text.count("<cvParam")
    known = _vocabulary()
    assert len(terms) >= 15
    assert units == {
        ("MS:1000040", "m/z"),
        ("MS:1000131", "number of detector counts"),
        ("UO:0000010", "second"),
    }
    for accession, name in terms:
        assert known[accession].name == name


def test_text_that_andi_cannot_hold_becomes_question_marks(tmp_path: Path) -> None:
    made = make_run([3] * 12, sample_name="Žižek 7", instrument="q" * 300)
    told = read(write_andi(made, tmp_path / "run.cdf")).metadata
    assert told.sample_name == "?i?ek 7"
    assert told.instrument == "q" * 255


def test_text_that_xml_cannot_hold_is_replaced(tmp_path: Path) -> None:
    made = make_run([3] * 12, method="a\x00b\x1fc")
    text = write_mzml(made, tmp_path / "run.mzML").read_text(encoding="utf-8")
    assert 'value="a\ufffdb\ufffdc"' in text
    assert_same_points(read(tmp_path / "run.mzML"), made)


def test_selected_ions_are_called_so(tmp_path: Path) -> None:
    made = make_run([3] * 12, other={"test_scan_function": "Selected Ion Detection"})
    for write in (write_andi, write_mzml):
        found = read(write(made, tmp_path / write.__name__))
        assert any("selected ions" in note for note in found.metadata.notes)


def test_a_compact_file_is_smaller(run: Run, tmp_path: Path) -> None:
    plain = write_mzml(run, tmp_path / "plain").stat().st_size
    assert write_mzml(run, tmp_path / "compact", compact=True).stat().st_size < 0.8 * plain
