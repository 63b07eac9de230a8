"""Runs: reading what an instrument wrote."""

from drugsig.acquisition.chromatogram import Chromatogram, StatedPeak
from drugsig.acquisition.reading import ScanStream, iter_scans, read_chromatogram, read_run
from drugsig.acquisition.run import Run, RunMetadata, Scan

__all__ = [
    "Chromatogram",
    "Run",
    "RunMetadata",
    "Scan",
    "ScanStream",
    "StatedPeak",
    "iter_scans",
    "read_chromatogram",
    "read_run",
]
