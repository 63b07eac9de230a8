"""Scores between profiles: metrics, all scores, links over a threshold, nearest profiles."""

from drugsig.comparison.combining import MetricBlock, combine_metrics
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.condensed import condensed_scores
from drugsig.comparison.contract import check_metric, register_metric
from drugsig.comparison.dense import compare, score_pairs
from drugsig.comparison.fitting import fit_metric
from drugsig.comparison.index import ProfileIndex, build_index, load_index
from drugsig.comparison.linking import links
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import METRICS, Metric, get_metric
from drugsig.comparison.nearest_search import nearest
from drugsig.comparison.neighbours import Nearest

__all__ = [
    "METRICS",
    "Comparison",
    "Links",
    "Metric",
    "MetricBlock",
    "Nearest",
    "ProfileIndex",
    "build_index",
    "check_metric",
    "combine_metrics",
    "compare",
    "condensed_scores",
    "fit_metric",
    "get_metric",
    "links",
    "load_index",
    "nearest",
    "register_metric",
    "score_pairs",
]
