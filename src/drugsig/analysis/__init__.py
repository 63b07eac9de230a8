"""The main job on profiles, and its result with everything a report tells."""

from drugsig.analysis.analysing import analyse_profiles
from drugsig.analysis.analysis import Analysis, Partition
from drugsig.analysis.inputs import InputFile, RunsRead
from drugsig.analysis.reading import read_analysis
from drugsig.analysis.run_findings import ControlAgreement, RunFindings

__all__ = [
    "Analysis",
    "ControlAgreement",
    "InputFile",
    "Partition",
    "RunFindings",
    "RunsRead",
    "analyse_profiles",
    "read_analysis",
]
