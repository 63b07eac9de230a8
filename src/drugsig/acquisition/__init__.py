"""Runs: reading what an instrument wrote, and measuring target compounds in it."""

from drugsig.acquisition.chromatogram import Chromatogram, StatedPeak
from drugsig.acquisition.reading import ScanStream, iter_scans, read_chromatogram, read_run
from drugsig.acquisition.run import Run, RunMetadata, Scan
from drugsig.acquisition.run_folder import RunFolder, find_runs, read_runs

__all__ = [
    "Chromatogram",
    "Run",
    "RunFolder",
    "RunMetadata",
    "Scan",
    "ScanStream",
    "StatedPeak",
    "find_runs",
    "iter_scans",
    "read_chromatogram",
    "read_run",
    "read_runs",
]
