"""The jobs: what the command does is one call here, so that Jupyter has it too."""

from drugsig.report.analysis import Analysis
from drugsig.workflow.analysing import analyse
from drugsig.workflow.config import AnalysisConfig, read_rule

__all__ = ["Analysis", "AnalysisConfig", "analyse", "read_rule"]
