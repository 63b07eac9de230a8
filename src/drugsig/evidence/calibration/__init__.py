"""Calibration: from scores to likelihood ratios that mean what they say.

`fit_calibration` takes scores of pairs of known source and one of the methods of `CALIBRATORS`;
`Calibration.log10_lr` then gives any score its log10 likelihood ratio, finite always.
"""

from drugsig.evidence.calibration.calibration import Calibration, fit_calibration
from drugsig.evidence.calibration.calibrators import (
    CALIBRATORS,
    DEFAULT_CALIBRATOR,
    DEFAULT_RATIO_CALIBRATOR,
    BetaCurve,
    Calibrator,
    get_calibrator,
)
from drugsig.evidence.calibration.curve import KnotCurve, LapseCurve, LinearCurve
from drugsig.evidence.calibration.training import source_pair_weights

__all__ = [
    "CALIBRATORS",
    "DEFAULT_CALIBRATOR",
    "DEFAULT_RATIO_CALIBRATOR",
    "BetaCurve",
    "Calibration",
    "Calibrator",
    "KnotCurve",
    "LapseCurve",
    "LinearCurve",
    "fit_calibration",
    "get_calibrator",
    "source_pair_weights",
]
