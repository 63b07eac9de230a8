"""Validation of a likelihood ratio method: characteristics, figures, criteria, verdicts.

`validate` measures everything on sources that no part of the model was fitted to.
"""

from drugsig.evidence.validation.criteria import Criteria, Criterion, load_criteria
from drugsig.evidence.validation.findings import Finding
from drugsig.evidence.validation.measures import CHARACTERISTICS, MEASURES
from drugsig.evidence.validation.result import ValidationReport
from drugsig.evidence.validation.validating import Validation, validate

__all__ = [
    "CHARACTERISTICS",
    "MEASURES",
    "Criteria",
    "Criterion",
    "Finding",
    "Validation",
    "ValidationReport",
    "load_criteria",
    "validate",
]
