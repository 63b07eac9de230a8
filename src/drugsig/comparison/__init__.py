"""Scores between profiles: metrics, dense comparison, links over a threshold."""

from drugsig.comparison.combining import MetricBlock, combine_metrics
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.contract import check_metric, register_metric
from drugsig.comparison.dense import compare, score_pairs
from drugsig.comparison.fitting import fit_metric
from drugsig.comparison.linking import links
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import METRICS, Metric, get_metric

__all__ = [
    "METRICS",
    "Comparison",
    "Links",
    "Metric",
    "MetricBlock",
    "check_metric",
    "combine_metrics",
    "compare",
    "fit_metric",
    "get_metric",
    "links",
    "register_metric",
    "score_pairs",
]
