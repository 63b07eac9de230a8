"""Evaluation of likelihood ratio models on sources that no part of them was fitted to."""

from drugsig.evidence.evaluation.evaluation import Evaluation, FoldRecord
from drugsig.evidence.evaluation.held_out import evaluate_held_out, evaluate_model

__all__ = ["Evaluation", "FoldRecord", "evaluate_held_out", "evaluate_model"]
