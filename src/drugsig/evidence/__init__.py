"""Evidence: populations of known source, thresholds, likelihood ratios, and what they are worth.

A score is no evidence by itself. Pairs of known source (`pair_sample`) tell how often a threshold
errs (`learn_threshold`) and how well scores tell sources apart (`measure_discrimination`).
`fit_lr_model` gives likelihood ratios, from scores or from the profiles themselves;
`measure_performance` measures them, `validate` judges the method, and `bound_lrs` keeps them within
what the data support. What only one of these needs is in its own module, as
`evidence.calibration` or `evidence.performance`.
"""

from drugsig.evidence.bounds import Bounds, bound_lrs, elub
from drugsig.evidence.calibration import CALIBRATORS, Calibration, fit_calibration
from drugsig.evidence.conditions import CompoundCondition, Condition, GroupSize, PairCondition
from drugsig.evidence.dependence import Dependence, measure_dependence
from drugsig.evidence.discrimination import (
    Difference,
    Discrimination,
    compare_discrimination,
    measure_discrimination,
)
from drugsig.evidence.evaluation import Evaluation, evaluate_held_out, evaluate_model
from drugsig.evidence.evidence import Evidence, bounded_evidence
from drugsig.evidence.fusion import fit_fusion
from drugsig.evidence.models import EvaluatedPairs, LrModel, LrModelSpec, fit_lr_model, load_model
from drugsig.evidence.pairs import (
    LabelledPairs,
    PairSample,
    StratumScores,
    known_pairs,
    pair_sample,
    stratum_pairs,
)
from drugsig.evidence.performance import (
    LrPerformance,
    cllr,
    cllr_cal,
    cllr_min,
    measure_performance,
)
from drugsig.evidence.populations import PRESETS, PopulationRule, get_rule
from drugsig.evidence.prevalence import TrueLinkShare, share_of_true_links
from drugsig.evidence.resampling import Interval
from drugsig.evidence.roc import auc, det_curve, roc_curve
from drugsig.evidence.sensitivity import Sensitivity
from drugsig.evidence.target_selection import TargetSelection, between_within_ratio
from drugsig.evidence.threshold import (
    ErrorRates,
    StratumRate,
    Threshold,
    assess_threshold,
    given_threshold,
    learn_threshold,
    threshold_for,
    threshold_for_search,
)
from drugsig.evidence.two_level import TwoLevelOptions
from drugsig.evidence.validation import (
    MEASURES,
    Criteria,
    Validation,
    ValidationReport,
    load_criteria,
    validate,
)
from drugsig.evidence.verbal import (
    VerbalScale,
    list_verbal_scales,
    load_verbal_scale,
    verbal_statement,
)

__all__ = [
    "CALIBRATORS",
    "MEASURES",
    "PRESETS",
    "Bounds",
    "Calibration",
    "CompoundCondition",
    "Condition",
    "Criteria",
    "Dependence",
    "Difference",
    "Discrimination",
    "ErrorRates",
    "EvaluatedPairs",
    "Evaluation",
    "Evidence",
    "GroupSize",
    "Interval",
    "LabelledPairs",
    "LrModel",
    "LrModelSpec",
    "LrPerformance",
    "PairCondition",
    "PairSample",
    "PopulationRule",
    "Sensitivity",
    "StratumRate",
    "StratumScores",
    "TargetSelection",
    "Threshold",
    "TrueLinkShare",
    "TwoLevelOptions",
    "Validation",
    "ValidationReport",
    "VerbalScale",
    "assess_threshold",
    "auc",
    "between_within_ratio",
    "bound_lrs",
    "bounded_evidence",
    "cllr",
    "cllr_cal",
    "cllr_min",
    "compare_discrimination",
    "det_curve",
    "elub",
    "evaluate_held_out",
    "evaluate_model",
    "fit_calibration",
    "fit_fusion",
    "fit_lr_model",
    "get_rule",
    "given_threshold",
    "known_pairs",
    "learn_threshold",
    "list_verbal_scales",
    "load_criteria",
    "load_model",
    "load_verbal_scale",
    "measure_dependence",
    "measure_discrimination",
    "measure_performance",
    "pair_sample",
    "roc_curve",
    "share_of_true_links",
    "stratum_pairs",
    "threshold_for",
    "threshold_for_search",
    "validate",
    "verbal_statement",
]
