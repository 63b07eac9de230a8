"""Scores between profiles: the metric registry, dense comparison, links."""

from drugsig.comparison.comparison import Comparison
from drugsig.comparison.dense import compare, score_pairs
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import METRICS, Metric, get_metric

__all__ = ["METRICS", "Comparison", "Links", "Metric", "compare", "get_metric", "score_pairs"]
