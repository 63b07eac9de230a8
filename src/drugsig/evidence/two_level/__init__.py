"""The feature-based likelihood ratio: two-level random effects after Aitken and Lucy (2004)."""

from drugsig.evidence.two_level.conventions import (
    BANDWIDTHS,
    BETWEEN_COVARIANCES,
    BETWEEN_DENSITIES,
    CONVENTIONS,
    REPLICATE_LEVELS,
    SHRINKAGES,
    WITHIN_COVARIANCES,
    TwoLevelOptions,
)
from drugsig.evidence.two_level.fitting import fit_two_level
from drugsig.evidence.two_level.model import TwoLevelModel
from drugsig.evidence.two_level.terms import TwoLevelTerms

__all__ = [
    "BANDWIDTHS",
    "BETWEEN_COVARIANCES",
    "BETWEEN_DENSITIES",
    "CONVENTIONS",
    "REPLICATE_LEVELS",
    "SHRINKAGES",
    "WITHIN_COVARIANCES",
    "TwoLevelModel",
    "TwoLevelOptions",
    "TwoLevelTerms",
    "fit_two_level",
]
