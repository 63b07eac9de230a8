"""Reading runs, side by side with the Python readers that are used for each format otherwise.

Run it with ``python benchmarks/read_runs.py``. Both contenders end with the same thing in hand: the
time, the m/z values and the intensities of every scan. What drugsig does besides (the digest of the
file, the checks, the notes) is in its time. They are timed in turn, A B A B ..., and the median
ratio is what to quote. Real files are used where the reference data are there, and otherwise made.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from drugsig.acquisition import Run, iter_scans, read_run

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.acquisition import run_files  # noqa: E402  # found through the line above
from tests.conftest import find_reference_data  # noqa: E402

Reader = Callable[[Path], object]


def with_scipy(path: Path) -> object:
    from scipy.io import netcdf_file

    with netcdf_file(path, mmap=False) as file:
        names = ("scan_acquisition_time", "scan_index", "mass_values", "intensity_values")
        return [np.array(file.variables[name].data, dtype=np.float64) for name in names]


def with_netcdf4(path: Path) -> object:
    from netCDF4 import Dataset

    with Dataset(path) as file:
        names = ("scan_acquisition_time", "scan_index", "mass_values", "intensity_values")
        return [np.array(file[name][:], dtype=np.float64) for name in names]


def with_pyteomics_mzml(path: Path) -> object:
    from pyteomics import mzml

    # Without a vocabulary it would look for one on the network; drugsig's own is lent to it.
    from drugsig.acquisition.readers.mzml import _vocabulary

    with mzml.MzML(str(path), use_index=False, cv=_vocabulary()) as reader:
        return [(s["m/z array"], s["intensity array"]) for s in reader]


def with_pymzml(path: Path) -> object:
    import pymzml

    return [(s.mz, s.i) for s in pymzml.run.Reader(str(path))]


def with_pyteomics_mzxml(path: Path) -> object:
    from pyteomics import mzxml

    with mzxml.MzXML(str(path), use_index=False) as reader:
        return [(s["m/z array"], s["intensity array"]) for s in reader]


def by_lines(path: Path) -> object:
    scans: list[list[tuple[float, float]]] = []
    points: list[tuple[float, float]] | None = None
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("##"):
            points = None
            if line.startswith("##XYDATA"):
                points = []
                scans.append(points)
        elif points is not None and line.strip():
            mass, _, height = line.partition(",")
            points.append((float(mass), float(height)))
    return [np.array(scan) for scan in scans]


def with_rainbow(path: Path) -> object:
    import rainbow

    # The grid of m/z that the file records; the default rounds to whole numbers.
    folder = rainbow.read(str(path), requested_files=["data.ms"], bin_width=0.05)
    file = folder.get_file("data.ms")
    rows, columns = np.nonzero(file.data)
    return file.xlabels, rows, file.ylabels[columns], file.data[rows, columns]


def in_turn(path: Path, peer: Reader, runs: int) -> tuple[float, float, float]:
    """Return the median seconds of drugsig and of the other, and the median ratio."""
    seconds: list[tuple[float, float]] = []
    for contender in (read_run, peer):
        contender(path)
    for _ in range(runs):
        took = []
        for contender in (read_run, peer):
            start = time.perf_counter()
            contender(path)
            took.append(time.perf_counter() - start)
        seconds.append((took[0], took[1]))
    ours, theirs = (statistics.median(pair[k] for pair in seconds) for k in (0, 1))
    return ours, theirs, statistics.median(a / b for a, b in seconds)


def as_spectra(run: Run) -> list[run_files.Spectrum]:
    return [
        run_files.Spectrum(scan.time_s, scan.mz.tolist(), scan.intensity.tolist()) for scan in run
    ]


def made_run(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    path = folder / "made.jdx"
    scans = [
        run_files.Spectrum(
            1.0 + 0.5 * k,
            np.round(np.sort(rng.uniform(40, 500, 100)), 1).tolist(),
            np.round(rng.lognormal(7, 2, 100)).tolist(),
        )
        for k in range(2000)
    ]
    path.write_bytes(run_files.jcamp(scans))
    return path


def contests(folder: Path) -> list[tuple[str, Path, str, Reader, str]]:
    """Return title, file, the other's name, the other, and the package that it needs."""
    reference = find_reference_data()
    if reference is None:
        jdx = made_run(folder)
        cdf = folder / "made.cdf"
        cdf.write_bytes(run_files.andi_ms(as_spectra(read_run(jdx))[:500]))
    else:
        jdx = reference / "raw" / "jcamp_dx" / "ELEY_1_SUBTRACT.JDX"
        cdf = reference / "raw" / "andi_ms" / "agilent-gcms.cdf"
    scans = as_spectra(read_run(jdx))
    mzml, mzxml = folder / "run.mzML", folder / "run.mzXML"
    mzml.write_bytes(run_files.mzml(scans))
    mzxml.write_bytes(run_files.mzxml(scans))
    found: list[tuple[str, Path, str, Reader, str]] = [
        ("ANDI netCDF", cdf, "scipy", with_scipy, "scipy"),
        ("ANDI netCDF", cdf, "netCDF4", with_netcdf4, "netCDF4"),
        ("mzML", mzml, "pyteomics", with_pyteomics_mzml, "pyteomics"),
        ("mzML", mzml, "pymzml", with_pymzml, "pymzml"),
        ("mzXML", mzxml, "pyteomics", with_pyteomics_mzxml, "pyteomics"),
        ("JCAMP-DX", jdx, "line by line", by_lines, "numpy"),
    ]
    if reference is not None:
        yellow = reference / "raw" / "agilent_d" / "yellow.D"
        found.append(("Agilent .D", yellow, "rainbow", with_rainbow, "rainbow"))
    return found


def streamed(folder: Path, megabytes: float) -> str:
    """Stream a large file in a process of its own, and say what memory that took."""
    import subprocess

    scans = as_spectra(read_run(made_run(folder)))
    path = folder / "large.mzML"
    form = run_files.MzmlForm(deflate=False)
    head, _, tail = run_files.mzml([], form).partition(b"</spectrumList>")
    with path.open("wb") as file:
        file.write(head)
        number = 0
        while file.tell() < megabytes * 1e6:
            for scan in scans:
                moved = run_files.Spectrum(1.0 + 0.1 * number, scan.mz, scan.intensity)
                file.write(run_files.mzml_spectrum(number, moved, form).encode())
                number += 1
        file.write(b"</spectrumList>" + tail)
    code = (
        "import sys, time, psutil\n"
        "from drugsig.acquisition import iter_scans\n"
        "most, start = 0, time.perf_counter()\n"
        "for k, scan in enumerate(iter_scans(sys.argv[1])):\n"
        "    if k % 1000 == 0:\n"
        "        most = max(most, psutil.Process().memory_info().rss)\n"
        "print(f'{k + 1} scans in {time.perf_counter() - start:.1f} s, {most / 1e6:.0f} MB')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return f"streaming {path.stat().st_size / 1e6:.0f} MB of mzML: {done.stdout.strip()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--stream", type=float, metavar="MB", help="also stream a file this large")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, path, other, peer, package in contests(folder):
            if find_spec(package) is None:
                print(f"{title:<12} {other:<13} is not installed")
                continue
            ours, theirs, ratio = in_turn(path, peer, chosen.runs)
            points = sum(len(scan.mz) for scan in iter_scans(path))
            print(
                f"{title:<12} {points:>7} points: {ours * 1e3:>7.1f} ms, {other:<13} "
                f"{theirs * 1e3:>7.1f} ms, ratio {ratio:.2f}"
            )
        if chosen.stream:
            print(streamed(folder, chosen.stream))


if __name__ == "__main__":
    main()
