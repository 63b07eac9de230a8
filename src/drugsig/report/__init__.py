"""Reports: what an analysis found, as one HTML file that needs nothing else."""

from drugsig.report.render import render_report

__all__ = ["render_report"]
