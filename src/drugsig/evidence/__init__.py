"""Evidence: populations of known source, thresholds and their error rates."""

from drugsig.evidence.pairs import PairSample, pair_sample, stratum_pairs
from drugsig.evidence.populations import PRESETS, GroupSize, PairCondition, PopulationRule, preset
from drugsig.evidence.prevalence import TrueLinkShare, share_of_true_links
from drugsig.evidence.resampling import Interval
from drugsig.evidence.roc import auc, roc_curve
from drugsig.evidence.threshold import (
    StratumRate,
    Threshold,
    assess_threshold,
    given_threshold,
    learn_threshold,
    threshold_for,
)

__all__ = [
    "PRESETS",
    "GroupSize",
    "Interval",
    "PairCondition",
    "PairSample",
    "PopulationRule",
    "StratumRate",
    "Threshold",
    "TrueLinkShare",
    "assess_threshold",
    "auc",
    "given_threshold",
    "learn_threshold",
    "pair_sample",
    "preset",
    "roc_curve",
    "share_of_true_links",
    "stratum_pairs",
    "threshold_for",
]
