"""How well likelihood ratios perform, measured on pairs of known source.

Every figure takes the log10 likelihood ratios of pairs and whether each pair is known to be linked,
and may weight the pairs. `measure_performance` gives all of them at once, with intervals by
resampling sources.
"""

from drugsig.evidence.performance.cllr import cllr, cllr_cal, cllr_min
from drugsig.evidence.performance.ece import Ece, ece
from drugsig.evidence.performance.intervals import Estimate
from drugsig.evidence.performance.measure import LrPerformance, PavCurve, measure_performance
from drugsig.evidence.performance.pav import Pav, devpav, pav
from drugsig.evidence.performance.rates import (
    Exceedance,
    MisleadingRates,
    exceedances,
    misleading_rates,
)
from drugsig.evidence.performance.tippett import Tippett, tippett

__all__ = [
    "Ece",
    "Estimate",
    "Exceedance",
    "LrPerformance",
    "MisleadingRates",
    "Pav",
    "PavCurve",
    "Tippett",
    "cllr",
    "cllr_cal",
    "cllr_min",
    "devpav",
    "ece",
    "exceedances",
    "measure_performance",
    "misleading_rates",
    "pav",
    "tippett",
]
