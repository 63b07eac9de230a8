"""Runs: reading what an instrument wrote, and measuring target compounds in it."""

from drugsig.acquisition.cell_reasons import Flag, Reason
from drugsig.acquisition.chromatogram import Chromatogram, StatedPeak
from drugsig.acquisition.extraction import Extraction, extract, extract_run
from drugsig.acquisition.peak_table import IntegrationTrace, PeakTable, QualifierRatio
from drugsig.acquisition.protocol_targets import targets_of
from drugsig.acquisition.reading import ScanStream, iter_scans, read_chromatogram, read_run
from drugsig.acquisition.run import Run, RunMetadata, Scan
from drugsig.acquisition.run_folder import RunFolder, find_runs, read_runs
from drugsig.acquisition.target_learning import learn_targets
from drugsig.acquisition.target_window import TargetWindow

__all__ = [
    "Chromatogram",
    "Extraction",
    "Flag",
    "IntegrationTrace",
    "PeakTable",
    "QualifierRatio",
    "Reason",
    "Run",
    "RunFolder",
    "RunMetadata",
    "Scan",
    "ScanStream",
    "StatedPeak",
    "TargetWindow",
    "extract",
    "extract_run",
    "find_runs",
    "iter_scans",
    "learn_targets",
    "read_chromatogram",
    "read_run",
    "read_runs",
    "targets_of",
]
