"""What headers say: dates, units, techniques, and the structure of netCDF files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig.acquisition import read_chromatogram, read_run
from drugsig.acquisition.readers.header import clean_text, iso_date, seconds_per
from drugsig.acquisition.readers.netcdf3 import open_netcdf
from drugsig.acquisition.readers.suitability import check_suitability, doubts_about_trace
from drugsig.errors import RunError, UnsuitableRunWarning
from tests.acquisition.run_files import MzmlForm, andi_ms, andi_trace, mzml, spectra


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("20070923040800+0200", "2007-09-23T04:08:00+02:00"),
        ("19930830202439-0800", "1993-08-30T20:24:39-08:00"),
        ("20240301102030", "2024-03-01T10:20:30"),
        ("2019-03-06 12:09", "2019-03-06T12:09:00"),
        ("2019/03/06", "2019-03-06"),
        ("2024-03-01T10:20:30.123Z", "2024-03-01T10:20:30+00:00"),
        ("17 Dec 19  10:04 am", "2019-12-17T10:04:00"),
        ("14 Mar 19   4:38 pm +0100", "2019-03-14T16:38:00+01:00"),
        ("17 Dec 19  12:04 am", "2019-12-17T00:04:00"),
        ("20 Aug 88  12:04 pm", "1988-08-20T12:04:00"),
        ("30-Oct-2018, 17:43:05", "2018-10-30T17:43:05"),
        ("Thu Mar 28 10:10:00 CET 2013", "2013-03-28T10:10:00"),
    ],
)
def test_dates_that_can_be_read_in_one_way(text: str, iso: str) -> None:
    assert iso_date(text)[0] == iso


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2019", "3.4.2019", "202006221111263600000", "20191332000000", "2019-02-30",
        "17 Foo 19", "13:99 pm", "17 Dec 19 13:04 pm", "2024-03-01 25:00", "yesterday",
        "20240301102030+9900",
    ],
)  # fmt: skip
def test_other_dates_are_left_out_and_that_is_said(text: str) -> None:
    iso, note = iso_date(text)
    assert iso == ""
    assert text in note


def test_an_absent_date_needs_no_words() -> None:
    assert iso_date("  ") == ("", "")


def test_guesses_about_dates_are_said() -> None:
    assert "two digits" in iso_date("17 Dec 19")[1]
    assert "CET" in iso_date("Thu Mar 28 10:10:00 CET 2013")[1]


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    iso, note = iso_date(text)
    assert bool(iso) or bool(note) or not clean_text(text)
    assert clean_text(text).isprintable()


def test_units_of_time() -> None:
    assert [seconds_per(unit) for unit in ("Seconds", "min.", "h", "ms")] == [1, 60, 3600, 1e-3]
    assert seconds_per("Arbitrary Time Units") is None


@pytest.mark.parametrize(
    "header",
    [
        {"ionisation": "Electron Impact"},
        {"ionisation": "EI+"},
        {"ionisation": "electron ionization", "separation": "Gas-Liquid Chromatography"},
        {"separation": "GC"},
        {"separation": "No Chromatography", "inlet": "Capillary Direct"},
        {},
    ],
)
def test_gas_chromatography_is_let_in_in_silence(header: dict) -> None:
    assert check_suitability(Path("run"), **header).doubts == ()


@pytest.mark.parametrize(
    "header",
    [
        {"ionisation": "ESI"},
        {"ionisation": "APCI"},
        {"ionisation": "chemical ionization"},
        {"ionisation": "matrix-assisted laser desorption ionization"},
        {"separation": "LC"},
        {"separation": "Reversed Phase Liquid Chromatography"},
        {"separation": "Capillary Zone Electrophoresis"},
        {"inlet": "Particle Beam"},
        {"kind": "Library Mass Spectrum"},
    ],
)
def test_other_techniques_are_not(header: dict) -> None:
    with pytest.raises(RunError) as caught:
        check_suitability(Path("run"), **header)
    assert caught.value.reason == "unsuitable"


@pytest.mark.parametrize(
    "header",
    [
        {"ionisation": "Other Ionization"},
        {"separation": "No Chromatography"},
        {"polarity": "Negative Polarity"},
    ],
)
def test_what_nobody_knows_is_warned_about(header: dict) -> None:
    assert check_suitability(Path("run"), **header).doubts


def test_detectors_of_liquid_chromatography_are_doubted() -> None:
    assert doubts_about_trace(detector="DAD1 A, Sig=254,4")
    assert not doubts_about_trace(separation="gas liquid chromatography", detector="FID1A")


# -- netCDF ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("records", [True, False])
@pytest.mark.parametrize("number", ["i2", "i4", "f4", "f8"])
def test_netcdf_in_every_layout(version: int, records: bool, number: str, tmp_path: Path) -> None:
    path = tmp_path / "run.cdf"
    path.write_bytes(andi_ms(spectra(), version=version, records=records, number=number))
    run = read_run(path)
    wanted = np.array([m for scan in spectra() for m in scan.mz])
    np.testing.assert_array_equal(run.mz, np.trunc(wanted) if number[0] == "i" else wanted)


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])
@pytest.mark.parametrize("columns", [1, 3])
def test_netcdf_headers_and_records_as_netcdf4_writes_them(
    form: str, columns: int, tmp_path: Path
) -> None:
    netcdf4 = pytest.importorskip("netCDF4")
    path = tmp_path / "file.nc"
    values = np.arange(15, dtype="i2")
    with netcdf4.Dataset(path, "w", format=form) as file:
        file.title = "ä name"
        file.createDimension("n", None)
        file.createDimension("two", 2)
        for k in range(columns):
            # Two bytes: padded to four in a record, unless it is the only variable of it.
            file.createVariable(f"v{k}", "i2", ("n",))[:] = values + k
        file.createVariable("pair", "f8", ("n", "two") if columns > 1 else ("two",))
    file = open_netcdf(path)
    try:
        for k in range(columns):
            variable = file.variables[f"v{k}"]
            np.testing.assert_array_equal(file.read(variable), values + k)
            np.testing.assert_array_equal(file.read(variable, 3, 7), values[3:7] + k)
            assert len(file.read(variable, 9, 9)) == 0
        assert file.variables["pair"].shape == ((15, 2) if columns > 1 else (2,))
    finally:
        file.close()


def test_a_file_that_was_written_as_a_stream(tmp_path: Path) -> None:
    data = andi_ms(spectra())
    path = tmp_path / "run.cdf"
    path.write_bytes(data)
    whole = read_run(path)
    path.write_bytes(data[:4] + b"\xff\xff\xff\xff" + data[8:])
    np.testing.assert_array_equal(read_run(path).intensity, whole.intensity)


def test_scale_factors_and_flagged_points(tmp_path: Path) -> None:
    path = tmp_path / "run.cdf"
    path.write_bytes(andi_ms(spectra(), scale=0.25, gap=2, number="f8"))
    run = read_run(path)
    np.testing.assert_array_equal(run.mz, [m for scan in spectra() for m in scan.mz])
    np.testing.assert_array_equal(np.diff(run.offsets), 5)


def test_the_null_of_the_standard_is_no_total(tmp_path: Path) -> None:
    path = tmp_path / "run.cdf"
    path.write_bytes(andi_ms(spectra(), changed={"total_intensity": [-9999.0] * 12}))
    run = read_run(path)
    assert np.isnan(run.stated_tic).all()
    assert run.tic_disagreement is None


def test_traces_in_minutes_with_peaks(tmp_path: Path) -> None:
    path = tmp_path / "trace.cdf"
    path.write_bytes(andi_trace([1.0, -2.0, 3.0], unit="minutes", peaks=[(1.5, 20.0), (2.0, -1.0)]))
    trace = read_chromatogram(path)
    np.testing.assert_array_equal(trace.times_s, [60.0, 90.0, 120.0])
    np.testing.assert_array_equal(trace.intensity, [1.0, -2.0, 3.0])
    assert [peak.retention_time_s for peak in trace.peaks] == [90.0, 120.0]
    assert np.isnan(trace.peaks[1].area)
    assert any("from minutes to seconds" in note for note in trace.metadata.notes)
    assert trace == read_chromatogram(path, channel="FID1A")


def test_runs_warn_of_what_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "run.cdf"
    path.write_bytes(andi_ms(spectra(), attributes={"test_ionization_mode": "Other Ionization"}))
    with pytest.warns(UnsuitableRunWarning, match="Other Ionization"):
        read_run(path)


def test_chromatograms_inside_mzml(tmp_path: Path) -> None:
    from tests.acquisition.run_files import INTENSITY_ROLE, mzml_array

    form = MzmlForm()
    times = mzml_array([1.0, 2.0, 3.0], ("MS:1000595", "time array"), form)
    times = times.replace(
        'name="time array" value=""',
        'name="time array" value="" unitCvRef="UO" unitAccession="UO:0000031"',
    )
    trace = (
        '<chromatogramList count="1"><chromatogram index="0" id="FID" defaultArrayLength="3">'
        f'<binaryDataArrayList count="2">{times}{mzml_array([5.0, 6.0, 7.0], INTENSITY_ROLE, form)}'
        "</binaryDataArrayList></chromatogram></chromatogramList>"
    )
    path = tmp_path / "run.mzML"
    path.write_bytes(mzml(spectra(), MzmlForm(after=trace)))
    found = read_chromatogram(path, channel="FID")
    np.testing.assert_array_equal(found.times_s, [60.0, 120.0, 180.0])
    np.testing.assert_array_equal(found.intensity, [5.0, 6.0, 7.0])
    assert len(read_chromatogram(path)) == 12
