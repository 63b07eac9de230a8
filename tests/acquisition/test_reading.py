"""Every format gives back the arrays that were written, as a whole and scan by scan."""

from __future__ import annotations

import contextlib
import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig.acquisition import iter_scans, read_chromatogram, read_run
from drugsig.errors import RunError, UnknownNameError, UnsuitableRunWarning
from tests.acquisition.run_files import WRITERS, MzmlForm, Spectrum, mzml, mzxml, spectra

each_format = pytest.mark.parametrize("name", WRITERS)


def check_equal(run, scans: list[Spectrum]) -> None:
    np.testing.assert_array_equal(run.scan_times_s, [scan.time_s for scan in scans])
    np.testing.assert_array_equal(np.diff(run.offsets), [len(scan.mz) for scan in scans])
    np.testing.assert_array_equal(run.mz, [m for scan in scans for m in scan.mz])
    np.testing.assert_array_equal(run.intensity, [y for scan in scans for y in scan.intensity])
    np.testing.assert_array_equal(run.stated_tic, [scan.total for scan in scans])


@each_format
def test_gives_back_what_was_written(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(WRITERS[name](spectra()))
    check_equal(read_run(path), spectra())
    assert read_run(path) == read_run(str(path))


@each_format
def test_streams_what_it_reads(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(WRITERS[name](spectra()))
    run = read_run(path)
    with iter_scans(path) as scans:
        found = list(scans)
        assert scans.metadata == run.metadata
    assert [scan.index for scan in found] == list(range(len(run)))
    for got, wanted in zip(found, run, strict=True):
        assert (got.time_s, got.stated_tic) == (wanted.time_s, wanted.stated_tic)
        np.testing.assert_array_equal(got.mz, wanted.mz)
        np.testing.assert_array_equal(got.intensity, wanted.intensity)


@each_format
def test_the_name_of_the_file_does_not_matter(name: str, tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    path.write_bytes(WRITERS[name](spectra()))
    check_equal(read_run(path), spectra())


@each_format
def test_sorts_points_and_says_so(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    turned = [Spectrum(s.time_s, s.mz[::-1], s.intensity[::-1]) for s in spectra()]
    path.write_bytes(WRITERS[name](turned))
    run = read_run(path)
    check_equal(run, spectra())
    assert any("sorted" in note for note in run.metadata.notes)
    with iter_scans(path) as scans:
        np.testing.assert_array_equal(np.concatenate([s.mz for s in scans]), run.mz)
        assert any("sorted" in note for note in scans.metadata.notes)


@each_format
def test_keeps_scans_without_points(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    some = spectra()
    some[3] = Spectrum(some[3].time_s, [], [])
    path.write_bytes(WRITERS[name](some))
    check_equal(read_run(path), some)


@each_format
def test_says_how_many_totals_disagree(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    some = spectra()
    some[3] = Spectrum(some[3].time_s, some[3].mz, some[3].intensity, stated_tic=1.0)
    path.write_bytes(WRITERS[name](some))
    run = read_run(path)
    assert run.tic_disagreement == pytest.approx(1 / 12)
    assert any("8.3%" in note for note in run.metadata.notes)


@each_format
def test_the_total_ion_current_is_a_trace(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(WRITERS[name](spectra()))
    trace = read_chromatogram(path, channel="TIC")
    assert trace.channel == "TIC"
    np.testing.assert_array_equal(trace.intensity, [scan.total for scan in spectra()])
    assert trace == read_chromatogram(path)
    with pytest.raises(UnknownNameError, match="TIC") as caught:
        read_chromatogram(path, channel="FID9")
    assert "TIC" in caught.value.known


@each_format
def test_warns_of_few_scans(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(WRITERS[name](spectra(2)))
    with pytest.warns(UnsuitableRunWarning, match="2 scans are no chromatogram"):
        run = read_run(path)
    assert "2 scans are no chromatogram" in run.metadata.notes


@each_format
def test_a_file_without_scans_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(WRITERS[name]([]))
    for read in (read_run, lambda p: list(iter_scans(p))):
        with pytest.raises(RunError) as caught:
            read(path)
        assert caught.value.path == path


@each_format
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time_s": 60.0}, "do not rise"),
        ({"time_s": float("nan")}, "no usable retention time"),
        ({"time_s": -9999.0}, "no usable retention time"),
        ({"time_s": 1e30}, "no usable retention time"),
        ({"mz": [1.0, 2.0, float("nan")]}, "m/z value nan"),
        ({"mz": [-1.0, 2.0, 3.0]}, "m/z value -1"),
        ({"mz": [1.0, 2.0, float("inf")]}, "m/z value inf"),
        ({"intensity": [1.0, -2.0, 3.0]}, "no detector counts"),
        ({"intensity": [1.0, float("nan"), 3.0]}, "no detector counts"),
        ({"intensity": [1.0, float("inf"), 3.0]}, "no detector counts"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    name: str, change: dict, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    some = spectra()
    values = {"time_s": some[4].time_s, "mz": [1.0, 2.0, 3.0], "intensity": [1.0, 2.0, 3.0]}
    some[4] = Spectrum(**{**values, **change}, stated_tic=6.0)
    path.write_bytes(WRITERS[name](some))
    # JCAMP-DX and mzXML have no way to write these; the reader says so in its own words.
    also = "|no number|cannot be read|is damaged"
    for read in (read_run, lambda p: list(iter_scans(p))):
        with pytest.raises(RunError, match=message + also) as caught:
            read(path)
        assert caught.value.reason == "damaged"


@each_format
@pytest.mark.parametrize("tenth", range(10))
def test_a_truncated_file_is_refused(name: str, tenth: int, tmp_path: Path) -> None:
    path = tmp_path / name
    whole = WRITERS[name](spectra(40))
    path.write_bytes(whole[: len(whole) * tenth // 10])
    if name == "run.jdx" and tenth > 1:
        # Without an end mark, a file that was cut between two scans looks whole.
        with contextlib.suppress(RunError):
            assert any("##END=" in note for note in read_run(path).metadata.notes)
        return
    with pytest.raises(RunError):
        read_run(path)


@each_format
def test_metadata_come_from_the_header(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(WRITERS[name](spectra()))
    told = read_run(path).metadata
    assert told.file_name == name
    assert len(told.sha256) == 64
    if name != "run.mzXML":
        assert told.sample_name == "specimen 7"
        assert told.acquired.startswith("2024-03-01T10:20")
    if name == "andi.cdf":
        assert (told.operator, told.separation) == ("A. Person", "Gas-Liquid Chromatography")
    else:
        assert told.operator == ""
    assert told.ionisation


@each_format
def test_one_acquisition_has_no_functions(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(WRITERS[name](spectra()))
    with pytest.raises(UnknownNameError):
        read_run(path, function="sim")


def test_runs_travel_to_workers_read_only(tmp_path: Path) -> None:
    path = tmp_path / "run.jdx"
    path.write_bytes(WRITERS["run.jdx"](spectra()))
    run = read_run(path)
    for twin in (pickle.loads(pickle.dumps(run)), copy.deepcopy(run)):  # noqa: S301
        assert twin == run
        with pytest.raises(ValueError, match="read-only"):
            twin.mz[0] = 1.0


@given(
    lengths=st.lists(st.integers(0, 6), min_size=10, max_size=25),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_run_survives_every_format(
    lengths: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = np.random.default_rng(seed)
    scans = [
        Spectrum(
            float(k + 1) / 8,
            sorted(float(np.float32(m)) for m in rng.uniform(30, 600, n)),
            [float(np.float32(y)) for y in rng.uniform(0, 1e7, n)],
        )
        for k, n in enumerate([*lengths, 1])
    ]
    folder = tmp_path_factory.mktemp("runs")
    runs = []
    for name, write in WRITERS.items():
        (folder / name).write_bytes(write(scans))
        run = read_run(folder / name)
        check_equal(run, scans)
        runs.append(run)
        found = [scan.intensity for scan in iter_scans(folder / name)]
        np.testing.assert_array_equal(np.concatenate(found), run.intensity)
    assert len({run.metadata.sha256 for run in runs}) == len(runs)


@pytest.mark.parametrize("number", ["f4", "f8", "i4", "i8"])
@pytest.mark.parametrize("deflate", [True, False])
def test_mzml_in_every_number_and_compression(number: str, deflate: bool, tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    some = [Spectrum(s.time_s, [41.0, 43.0], [5.0, 6.0]) for s in spectra()]
    path.write_bytes(mzml(some, MzmlForm(number=number, deflate=deflate)))
    check_equal(read_run(path), some)


def test_mzml_in_minutes(tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    path.write_bytes(mzml(spectra(), MzmlForm(unit="minute")))
    np.testing.assert_allclose(
        read_run(path).scan_times_s, [s.time_s for s in spectra()], rtol=1e-15
    )


def test_mzml_without_a_unit_of_time_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    path.write_bytes(mzml(spectra(), MzmlForm(unit="fortnight")))
    with pytest.raises(RunError, match="start time with a unit"):
        read_run(path)


def test_mzml_functions_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    mark = '<cvParam cvRef="MS" accession="MS:1000582" name="SIM spectrum" value=""/>'
    path.write_bytes(
        mzml(spectra(24), MzmlForm(spectrum_terms=dict.fromkeys(range(1, 24, 2), mark)))
    )
    full, ions = read_run(path, function="scan"), read_run(path, function="sim")
    check_equal(full, spectra(24)[0::2])
    check_equal(ions, spectra(24)[1::2])
    assert read_run(path) == full
    assert any("12 spectra of the other acquisition" in note for note in full.metadata.notes)
    assert any("selected ions" in note for note in ions.metadata.notes)
    with pytest.raises(UnknownNameError, match="'scan', 'sim'"):
        read_run(path, function="srm")


def test_mzml_of_a_higher_level_only_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    path.write_bytes(mzml(spectra(), MzmlForm(level=2)))
    with pytest.raises(RunError, match="no mass spectra"):
        read_run(path)


def test_mzml_says_what_instrument_it_was(tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    path.write_bytes(mzml(spectra()))
    told = read_run(path).metadata
    assert told.instrument == "a quadrupole"
    assert told.ionisation == "electron ionization"
    assert told.acquired == "2024-03-01T10:20:30+00:00"
    assert told.other["inlet"] == "direct inlet"


@pytest.mark.parametrize("precision", [32, 64])
@pytest.mark.parametrize("deflate", [True, False])
def test_mzxml_in_network_order(precision: int, deflate: bool, tmp_path: Path) -> None:
    path = tmp_path / "run.mzXML"
    path.write_bytes(mzxml(spectra(), precision=precision, deflate=deflate))
    run = read_run(path)
    check_equal(run, spectra())
    assert run.metadata.instrument == "Maker One"


def test_mzxml_leaves_out_higher_levels(tmp_path: Path) -> None:
    from tests.acquisition.run_files import mzxml_scan

    inner = mzxml_scan(50, spectra()[0], precision=32, deflate=False, level=2)
    body = "".join(
        mzxml_scan(k, s, precision=32, deflate=False).replace(
            "</scan>", inner.replace('num="51"', f'num="{100 + k}"') + "</scan>"
        )
        for k, s in enumerate(spectra())
    )
    path = tmp_path / "run.mzXML"
    path.write_bytes(mzxml(spectra(), body=body))
    run = read_run(path)
    check_equal(run, spectra())
    assert any("12 spectra of a higher" in note for note in run.metadata.notes)


def test_an_index_around_mzml_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    declaration, plain = mzml(spectra()).split(b"\n", 1)
    index = b'<indexList count="1"><index name="spectrum"><offset idRef="scan=1">1</offset></index>'
    path.write_bytes(
        declaration + b'<indexedmzML xmlns="http://psi.hupo.org/ms/mzml">' + plain + index
        + b"</indexList><indexListOffset>1</indexListOffset></indexedmzML>"
    )  # fmt: skip
    check_equal(read_run(path), spectra())


def test_pymzml_reads_the_same(tmp_path: Path) -> None:
    pymzml = pytest.importorskip("pymzml")
    path = tmp_path / "run.mzML"
    path.write_bytes(mzml(spectra(), MzmlForm(unit="minute")))
    run = read_run(path)
    with contextlib.closing(pymzml.run.Reader(str(path))) as reader:
        for scan, other in zip(run, reader, strict=True):
            np.testing.assert_array_equal(scan.mz, other.mz)
            np.testing.assert_array_equal(scan.intensity, other.i)
            assert other.scan_time_in_minutes() * 60.0 == pytest.approx(scan.time_s, rel=1e-12)


def test_a_term_newer_than_the_vocabulary_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    new = '<cvParam cvRef="MS" accession="MS:9999999" name="of tomorrow" value="1"/>'
    path.write_bytes(mzml(spectra(), MzmlForm(spectrum_terms={0: new}, after=new)))
    check_equal(read_run(path), spectra())


def test_importing_the_room_loads_no_parser() -> None:
    code = (
        "import sys, drugsig.acquisition\n"
        "heavy = {'lxml', 'psims', 'pyteomics', 'rainbow', 'psutil', 'netCDF4'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unfinished_stream_lets_go_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "run.mzML"
    path.write_bytes(mzml(spectra()))
    scans = iter_scans(path)
    first = next(scans)
    scans.close()
    assert first.index == 0
    assert list(scans) == []
    assert "closed" in repr(scans)
    path.unlink()
