"""Real files of runs open with the figures that are known of them, or are refused with the reason.

Oracles: netCDF4 and scipy for netCDF, a slow parser by lines for JCAMP-DX, and a parser of
FID1A.ch by bytes, all here and none in the library.
"""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.io import netcdf_file

from drugsig.acquisition import iter_scans, read_chromatogram, read_run, read_runs
from drugsig.errors import RunError, UnknownNameError, UnsuitableRunWarning

pytestmark = pytest.mark.reference_data

ANDI_MS = ("HP_MS.CDF", "agilent-gcms.cdf")
JCAMP = ("ELEY_1_SUBTRACT.JDX", "ELEY_2_SUBTRACT.JDX", "gcms.jdx")
TRACES = {
    "VARIAN1.CDF": (1302, 8),
    "agilent-gcms-tic.cdf": (1645, 43),
    "andi_chrom_quirks.cdf": (10, 3),
    "andi_chrom_valid.cdf": (10, 3),
}


@pytest.fixture
def raw(reference_data: Path) -> Path:
    return reference_data / "raw"


def check_figures(run, scans: int, first: float, last: float) -> None:
    assert len(run) == scans
    assert run.scan_times_s[0] == pytest.approx(first, abs=6e-4)
    assert run.scan_times_s[-1] == pytest.approx(last, abs=6e-3)


# -- netCDF ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ANDI_MS)
def test_andi_arrays_are_those_of_scipy(name: str, raw: Path) -> None:
    run = read_run(raw / "andi_ms" / name)
    with netcdf_file(raw / "andi_ms" / name, mmap=False) as file:
        told = {key: np.array(file.variables[key].data) for key in file.variables}
    np.testing.assert_array_equal(run.scan_times_s, told["scan_acquisition_time"])
    np.testing.assert_array_equal(run.offsets[:-1], told["scan_index"])
    np.testing.assert_array_equal(np.diff(run.offsets), told["point_count"])
    np.testing.assert_array_equal(run.intensity, told["intensity_values"].astype(float))
    np.testing.assert_array_equal(run.mz, told["mass_values"].astype(float))


@pytest.mark.parametrize("name", ANDI_MS)
def test_andi_arrays_are_those_of_netcdf4(name: str, raw: Path) -> None:
    netcdf4 = pytest.importorskip("netCDF4")
    run = read_run(raw / "andi_ms" / name)
    with netcdf4.Dataset(raw / "andi_ms" / name) as file:
        file.set_auto_mask(False)
        for key, found in (
            ("scan_acquisition_time", run.scan_times_s),
            ("total_intensity", run.stated_tic),
            ("mass_values", run.mz),
            ("intensity_values", run.intensity),
        ):
            np.testing.assert_array_equal(found, file[key][:].astype(float))


def test_andi_figures(raw: Path) -> None:
    run = read_run(raw / "andi_ms" / "agilent-gcms.cdf")
    check_figures(run, 6401, 5.25, 3779.75)
    assert run.tic_disagreement == 0.0
    np.testing.assert_array_equal(run.tic, run.stated_tic)
    assert run.metadata.acquired == "2007-09-23T04:08:00+02:00"
    assert run.metadata.method == "FIRE_RTL.M"
    assert any("No Chromatography" in note for note in run.metadata.notes)
    check_figures(read_run(raw / "andi_ms" / "HP_MS.CDF"), 621, 301.801, 599.82)


def test_flagged_points_are_left_out(raw: Path) -> None:
    with pytest.warns(UnsuitableRunWarning, match="2 scans"):
        run = read_run(raw / "andi_ms" / "andi_ms_centroid.cdf")
    assert np.diff(run.offsets).tolist() == [4, 3]
    np.testing.assert_allclose(run.mz[:3], [20.01, 150.02, 250.03])
    np.testing.assert_array_equal(run.intensity[:3], [1100.0, 2200.0, 3300.0])


@pytest.mark.parametrize("name", TRACES)
def test_traces_and_their_tables_of_peaks(name: str, raw: Path) -> None:
    points, peaks = TRACES[name]
    with pytest.warns(UnsuitableRunWarning, match="gas chromatography"):
        trace = read_chromatogram(raw / "andi_chromatography" / name)
    assert (len(trace), len(trace.peaks)) == (points, peaks)
    with netcdf_file(raw / "andi_chromatography" / name, mmap=False) as file:
        np.testing.assert_array_equal(trace.intensity, file.variables["ordinate_values"].data)
        told = file.variables["peak_retention_time"].data.tolist()
        areas = file.variables["peak_area"].data.tolist()
    assert [peak.retention_time_s for peak in trace.peaks] == told
    assert [peak.area for peak in trace.peaks] == areas
    with pytest.raises(RunError, match="read_chromatogram"):
        read_run(raw / "andi_chromatography" / name)


def test_names_and_missing_heights_of_stated_peaks(raw: Path) -> None:
    with pytest.warns(UnsuitableRunWarning, match="UV-DAD"):
        trace = read_chromatogram(raw / "andi_chromatography" / "VARIAN1.CDF")
    assert all(np.isnan(peak.height) for peak in trace.peaks)
    # The file has a variable for eight names, and nothing but zero bytes in it.
    assert {peak.name for peak in trace.peaks} == {""}
    assert any("not stated" in note for note in trace.metadata.notes)
    with pytest.warns(UnsuitableRunWarning, match="liquid chromatography"):
        trace = read_chromatogram(raw / "andi_chromatography" / "andi_chrom_valid.cdf")
    assert all(peak.name for peak in trace.peaks)


# -- JCAMP-DX --------------------------------------------------------------------------------


def read_by_lines(path: Path) -> list[tuple[float, float, list[tuple[float, float]]]]:
    """Read a GC-MS run in JCAMP-DX line by line: time, total and points of each scan."""
    scans = []
    time = total = float("nan")
    points: list[tuple[float, float]] | None = None
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("##"):
            points = None
            label, _, value = line[2:].partition("=")
            if label == "RETENTION_TIME":
                time = float(value)
            elif label == "TIC":
                total = float(value)
            elif label == "XYDATA":
                points = []
                scans.append((time, total, points))
        elif points is not None and line.strip():
            mass, _, height = line.partition(",")
            points.append((float(mass), float(height)))
    return scans


@pytest.mark.parametrize("name", JCAMP)
def test_jcamp_arrays_are_those_of_a_slow_parser(name: str, raw: Path) -> None:
    path = raw / "jcamp_dx" / name
    run, slow = read_run(path), read_by_lines(path)
    assert run.scan_times_s.tolist() == [time for time, _, _ in slow]
    assert run.stated_tic.tolist() == [total for _, total, _ in slow]
    for scan, (_, _, points) in zip(run, slow, strict=True):
        assert list(zip(scan.mz, scan.intensity, strict=True)) == sorted(points, key=lambda p: p[0])


def test_jcamp_figures(raw: Path) -> None:
    for name in JCAMP[:2]:
        run = read_run(raw / "jcamp_dx" / name)
        check_figures(run, 2103, 1.052, 2220.76)
        assert 0.05 < (run.tic_disagreement or 0.0) < 0.08
        assert any("in minutes, and it agrees" in note for note in run.metadata.notes)
    run = read_run(raw / "jcamp_dx" / "gcms.jdx")
    check_figures(run, 2420, 125.207, 1799.6)
    assert any("sorted" in note for note in run.metadata.notes)


# -- Agilent ---------------------------------------------------------------------------------


def ch_by_bytes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a version 179 ChemStation trace: float64 values after a header of 0x1800 bytes."""
    data = path.read_bytes()
    assert data[1:4] == b"179"
    first_ms, last_ms = struct.unpack(">ff", data[0x11A:0x122])
    shift, slope = struct.unpack(">dd", data[0x1274:0x1284])
    values = np.frombuffer(data, dtype="<f8", offset=0x1800) * slope + shift
    return np.linspace(first_ms, last_ms, len(values)) / 1000.0, values


@pytest.fixture
def yellow(raw: Path) -> Path:
    pytest.importorskip("rainbow")
    pytest.importorskip("psutil")
    return raw / "agilent_d" / "yellow.D"


def test_agilent_figures(yellow: Path) -> None:
    run = read_run(yellow)
    assert len(run) == 1307
    assert (run.metadata.separation, run.metadata.acquired) == ("GC", "2019-12-17T10:04:00")
    ions = read_run(yellow, function="sim")
    assert np.unique(ions.mz).tolist() == [131.0, 202.0]
    named = read_run(yellow, function="scan")
    np.testing.assert_array_equal(named.intensity, run.intensity)
    assert any("also holds" in note for note in run.metadata.notes)
    with pytest.raises(UnknownNameError, match="'scan' and 'sim'"):
        read_run(yellow, function="srm")
    assert [scan.time_s for scan in iter_scans(yellow)] == run.scan_times_s.tolist()


def test_agilent_keeps_ions_apart_that_round_to_the_same_mass(yellow: Path) -> None:
    import rainbow

    run = read_run(yellow)
    rounded = rainbow.read(str(yellow), requested_files=["data.ms"]).get_file("data.ms")
    assert run.intensity.sum() == rounded.data.sum()
    assert len(run.mz) > np.count_nonzero(rounded.data)
    np.testing.assert_array_equal(run.tic, rounded.data.sum(axis=1))
    np.testing.assert_allclose(run.scan_times_s, rounded.xlabels * 60.0, rtol=1e-12)


def test_agilent_trace_is_that_of_a_parser_by_bytes(yellow: Path) -> None:
    trace = read_chromatogram(yellow)
    times, values = ch_by_bytes(yellow / "FID1A.ch")
    assert (len(trace), trace.channel, trace.unit) == (10197, "FID1A", "pA")
    np.testing.assert_allclose(trace.intensity, values, rtol=1e-12)
    np.testing.assert_allclose(trace.times_s, times, rtol=1e-6)
    assert trace == read_chromatogram(yellow, channel="fid1a.ch")
    with pytest.raises(UnknownNameError, match="FID1A"):
        read_chromatogram(yellow, channel="FID2B")
    assert len(read_chromatogram(yellow, channel="TIC")) == 1307


# -- what is not a GC-MS run -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("andi_ms/andi_ms_sid.cdf", "Electrospray"),
        ("andi_ms/andi_ms_library.cdf", "library"),
        ("andi_ms/andi_ms_continuum.cdf", "Direct Inlet Probe"),
        ("unsuitable/advion-gcms.cdf", "Electrospray"),
        ("unsuitable/agilent-hplc.cdf", "detector trace"),
        ("unsuitable/chrom.jdx", "MASS SPECTRUM"),
    ],
)
def test_unsuitable_files_are_refused_with_the_reason(name: str, said: str, raw: Path) -> None:
    for read in (read_run, lambda path: list(iter_scans(path))):
        with pytest.raises(RunError, match=said) as caught:
            read(raw / name)
        assert caught.value.reason == "unsuitable"


def test_a_liquid_chromatogram_is_warned_about(raw: Path) -> None:
    with pytest.warns(UnsuitableRunWarning, match="liquid chromatography"):
        trace = read_chromatogram(raw / "unsuitable" / "agilent-hplc.cdf")
    assert len(trace) == 4651
    assert any("liquid chromatography" in note for note in trace.metadata.notes)


def test_a_folder_is_read_in_one_pass(raw: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnsuitableRunWarning)
        folder = read_runs(raw)
    good = {"HP_MS.CDF", "agilent-gcms.cdf", "andi_ms_centroid.cdf", *JCAMP}
    refused = {path.name for path, _ in folder.errors}
    assert good <= {path.name for path in folder.paths}
    assert refused - {"yellow.D"} == {
        *TRACES, "andi_ms_sid.cdf", "andi_ms_library.cdf", "andi_ms_continuum.cdf",
        "advion-gcms.cdf", "agilent-hplc.cdf", "chrom.jdx",
    }  # fmt: skip
    with pytest.raises(ExceptionGroup) as caught:
        folder.raise_errors()
    assert len(caught.value.exceptions) == len(folder.errors)
