"""Evidence: populations of known source, thresholds, likelihood ratios, and what they are worth.

A score is no evidence by itself. Pairs of known source (`pair_sample`) tell how often a threshold
errs (`learn_threshold`) and how well scores tell sources apart (`measure_discrimination`);
`evidence.calibration` turns scores into likelihood ratios, `evidence.two_level` computes them
from the profiles themselves, `evidence.performance` measures them, and `bound_lrs` keeps them
within what the data support.
"""

from drugsig.evidence.bounds import Bounds, bound_lrs
from drugsig.evidence.conditions import CompoundCondition, Condition, GroupSize, PairCondition
from drugsig.evidence.dependence import Dependence, measure_dependence
from drugsig.evidence.discrimination import (
    Difference,
    Discrimination,
    compare_discrimination,
    measure_discrimination,
)
from drugsig.evidence.evidence import Evidence, bounded_evidence
from drugsig.evidence.pairs import (
    KnownPairs,
    PairSample,
    known_pairs,
    pair_sample,
    stratum_pairs,
)
from drugsig.evidence.populations import PRESETS, PopulationRule, preset
from drugsig.evidence.prevalence import TrueLinkShare, share_of_true_links
from drugsig.evidence.resampling import Interval
from drugsig.evidence.roc import auc, det_curve, roc_curve
from drugsig.evidence.search_threshold import threshold_for_search
from drugsig.evidence.strata import StratumRate
from drugsig.evidence.target_selection import TargetSelection, between_within_ratio
from drugsig.evidence.threshold import (
    Threshold,
    assess_threshold,
    given_threshold,
    learn_threshold,
    threshold_for,
)
from drugsig.evidence.verbal import (
    VerbalScale,
    list_verbal_scales,
    load_verbal_scale,
    verbal_statement,
)

__all__ = [
    "PRESETS",
    "Bounds",
    "CompoundCondition",
    "Condition",
    "Dependence",
    "Difference",
    "Discrimination",
    "Evidence",
    "GroupSize",
    "Interval",
    "KnownPairs",
    "PairCondition",
    "PairSample",
    "PopulationRule",
    "StratumRate",
    "TargetSelection",
    "Threshold",
    "TrueLinkShare",
    "VerbalScale",
    "assess_threshold",
    "auc",
    "between_within_ratio",
    "bound_lrs",
    "bounded_evidence",
    "compare_discrimination",
    "det_curve",
    "given_threshold",
    "known_pairs",
    "learn_threshold",
    "list_verbal_scales",
    "load_verbal_scale",
    "measure_dependence",
    "measure_discrimination",
    "pair_sample",
    "preset",
    "roc_curve",
    "share_of_true_links",
    "stratum_pairs",
    "threshold_for",
    "threshold_for_search",
    "verbal_statement",
]
