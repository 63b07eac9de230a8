"""Reports: what an analysis found, as one HTML file that needs nothing else."""

from drugsig.report.analysis import Analysis, InputFile
from drugsig.report.render import render_report

__all__ = ["Analysis", "InputFile", "render_report"]
