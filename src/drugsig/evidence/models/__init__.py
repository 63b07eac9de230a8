"""Likelihood ratio models: fitted, kept in a file, and used on profiles of the same kind only."""

from drugsig.evidence.models.evaluated import EvaluatedPairs
from drugsig.evidence.models.identity import ModelIdentity
from drugsig.evidence.models.lr_model import LrModel, fit_lr_model, load_model
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.models.validation_summary import ValidationSummary

__all__ = [
    "EvaluatedPairs",
    "LrModel",
    "LrModelSpec",
    "ModelIdentity",
    "ValidationSummary",
    "fit_lr_model",
    "load_model",
]
