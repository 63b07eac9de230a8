"""The registry of pretreatment steps: a name stands for one formula and its parameters.

A step may learn from data (a standard deviation, a list of targets). What it learned is frozen
into the recipe of the result, so that the same numbers are used for every later profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from drugsig.profiles.pretreatment.log_ratios import (
    clr,
    learn_zeros,
    note_imputed,
    pairwise_log_ratios,
    report_imputed,
)
from drugsig.profiles.pretreatment.reference_set import (
    autoscale,
    learn_autoscale,
    learn_rank,
    learn_sd,
    rank,
    sd_weights,
)
from drugsig.profiles.pretreatment.rule import StepRule
from drugsig.profiles.pretreatment.target_choice import drop_targets, keep_detected, learn_detected
from drugsig.profiles.pretreatment.within_profile import (
    divide_by_role,
    log10,
    root,
    sum_of_impurities,
)

__all__ = ["STEPS"]

_ZERO_PARAMETERS = {"zeros": "refuse", "fraction": 0.65, "share": 0.5}
_ZERO_NOTE = (
    "Zeros are refused unless zeros=multiplicative: a value below its limit becomes `fraction` "
    "of that limit or, where the limit is unknown, `share` of the smallest detected value of the "
    "target; the detected values give up what is added, so that their ratios stay."
)

_ALL = [
    StepRule(
        "sum",
        "x_ij / sum of the impurities of profile i",
        "The main compound and cutting agents never enter the sum, and leave the profile.",
        "(p + 1) u of itself",
        sum_of_impurities,
        positive_only=True,
    ),
    StepRule(
        "internal_standard",
        "x_ij / x of the internal standard in profile i",
        "Keeps information on the amount, and with it every error of weighing and dilution. The "
        "standard must have been detected, and leaves the profile.",
        "2 u of itself",
        divide_by_role("internal_standard", "internal_standard"),
        defaults={"target": None},
        needs_names=True,
    ),
    StepRule(
        "main_compound",
        "x_ij / x of the main compound in profile i",
        "The main compound is often overloaded; then this divides by a wrong number. It must have "
        "been detected, and leaves the profile.",
        "2 u of itself",
        divide_by_role("main_compound", "main"),
        defaults={"target": None},
        needs_names=True,
    ),
    StepRule(
        "square_root",
        "x^(1/2)",
        "Keeps zeros; weakens large peaks.",
        "half of what was, and u of itself",
        root("square_root", np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        positive_only=True,
    ),
    StepRule(
        "fourth_root",
        "x^(1/4)",
        "Keeps zeros; weakens large peaks strongly. With `sum` before it the most used treatment "
        "for amphetamine.",
        "a quarter of what was, and 2 u of itself",
        # Two square roots: correctly rounded everywhere, unlike a general power.
        root("fourth_root", lambda x: np.sqrt(np.sqrt(x)), lambda x: 0.25 * x**-0.75),
        positive_only=True,
    ),
    StepRule(
        "log10",
        "log10(x), log10(x + add), log10(1 + scale x), or log10(max(x, floor))",
        "Refuses zeros unless one of add, scale and floor declares what becomes of them.",
        "the share by which x was off, of 1; and 2 u of itself",
        log10,
        defaults={"add": None, "scale": None, "floor": None},
        positive_only=True,
    ),
    StepRule(
        "sd_weights",
        "x_ij / sd_j over the profiles it was learned from",
        "The standard deviations belong to the reference set and are frozen. Impurities only.",
        "u of itself",
        sd_weights,
        learn_sd,
    ),
    StepRule(
        "autoscale",
        "(x_ij - mean_j) / sd_j over the profiles it was learned from",
        "Means and standard deviations belong to the reference set and are frozen. "
        "Impurities only.",
        "2 u of the larger of x and its mean, in standard deviations",
        autoscale,
        learn_autoscale,
    ),
    StepRule(
        "rank",
        "share of the reference profiles below x_ij, ties counted one half",
        "The reference values are frozen. Impurities only.",
        "none: values within 1e-12 of the largest reference value are tied",
        rank,
        learn_rank,
    ),
    StepRule(
        "clr",
        "ln x_ij - mean over the impurities of ln x_ij",
        "Centred log-ratios. " + _ZERO_NOTE,
        "the share by which x was off, of 1; and 2 p u of the largest logarithm",
        clr,
        learn_zeros("clr"),
        defaults=_ZERO_PARAMETERS,
        positive_only=True,
        report=report_imputed,
        notes=note_imputed("clr"),
    ),
    StepRule(
        "pairwise_log_ratios",
        "ln x_ij - ln x_ik for all j < k",
        "One new target a pair of impurities. " + _ZERO_NOTE,
        "the shares by which both were off, of 1; and 4 u of the larger logarithm",
        pairwise_log_ratios,
        learn_zeros("pairwise_log_ratios"),
        defaults=_ZERO_PARAMETERS,
        positive_only=True,
        report=report_imputed,
        notes=note_imputed("pairwise_log_ratios"),
    ),
    StepRule(
        "drop_targets",
        "leaves the named targets out",
        "Put it before a sum, or the sum still holds them.",
        "none",
        drop_targets,
        defaults={"targets": ()},
        positional="targets",
        needs_names=True,
    ),
    StepRule(
        "keep_detected",
        "keeps impurities detected in at least `share` of the profiles where they were measured",
        "The list of targets is frozen.",
        "none",
        keep_detected,
        learn_detected,
        defaults={"share": 0.5},
    ),
]

STEPS: Mapping[str, StepRule] = MappingProxyType({rule.name: rule for rule in _ALL})
