"""How the likelihood ratio of one comparison moves with everything it rests on."""

from drugsig.evidence.sensitivity.result import Sensitivity, SensitivityCase
from drugsig.evidence.sensitivity.varying import sensitivity

__all__ = ["Sensitivity", "SensitivityCase", "sensitivity"]
