"""The registry of calibrators: a name stands for one way from scores to likelihood ratios.

Names, messages, options and tests follow from this registry: a new calibrator is one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from drugsig._check import choose
from drugsig._notes import Note
from drugsig.evidence.calibration.beta import BetaCurve, fit_beta
from drugsig.evidence.calibration.curve import Curve, KnotCurve, LinearCurve
from drugsig.evidence.calibration.isotonic import PSEUDO_PAIRS, fit_isotonic
from drugsig.evidence.calibration.kde import DEFAULT_BANDWIDTH, fit_kde
from drugsig.evidence.calibration.logistic import fit_logistic, fit_logistic_firth

__all__ = ["CALIBRATORS", "DEFAULT_CALIBRATOR", "Calibrator", "get_calibrator"]

DEFAULT_CALIBRATOR = "logistic"


@dataclass(frozen=True)
class Calibrator:
    """One way to make likelihood ratios of scores.

    Parameters
    ----------
    name : str
        The registered name.
    formula : str
        In words and signs; s is the score.
    note : str
        What to know before choosing it.
    source : str
        Where it was published.
    fit : callable
        From `TrainingPairs` and options to a curve and what a reader must know.
    curve : type
        The class of the curve.
    monotone : bool
        Whether more alike always means a likelihood ratio at least as large.
    extrapolates : bool
        Whether the formula has a value beyond the scores it was fitted to.
    needs_overlap : bool
        Whether scores that separate linked from unlinked pairs are refused.
    options : mapping
        Names of options to their defaults.
    """

    name: str
    formula: str
    note: str
    source: str
    fit: Callable[..., tuple[Curve, tuple[Note, ...]]]
    curve: type[Any]
    monotone: bool
    extrapolates: bool
    needs_overlap: bool
    options: Mapping[str, object] = field(default_factory=dict)


_ALL = (
    Calibrator(
        name="logistic",
        formula="log10 LR = intercept + slope s, by maximum likelihood, both classes of equal "
        "weight",
        note="smooth, two numbers, few data needed; right where the log LR is a straight line; "
        "refuses classes that the scores separate",
        source="Brümmer and du Preez 2006; Morrison 2013",
        fit=fit_logistic,
        curve=LinearCurve,
        monotone=True,
        extrapolates=True,
        needs_overlap=True,
    ),
    Calibrator(
        name="logistic_firth",
        formula="as logistic, the likelihood times the square root of its information (Jeffreys' "
        "prior)",
        note="finite also where the classes are separated; a little closer to LR = 1",
        source="Firth 1993; Heinze and Schemper 2002",
        fit=fit_logistic_firth,
        curve=LinearCurve,
        monotone=True,
        extrapolates=True,
        needs_overlap=False,
    ),
    Calibrator(
        name="isotonic",
        formula="the rising steps of greatest likelihood (pool adjacent violators), with a "
        "misleading pair at each end",
        note="no shape assumed; needs many pairs; LR stays within 1/(n + 1) and m + 1 of n linked "
        "and m unlinked pairs",
        source="Zadrozny and Elkan 2002; Brümmer and du Preez 2006",
        fit=fit_isotonic,
        curve=KnotCurve,
        monotone=True,
        extrapolates=False,
        needs_overlap=False,
        options=MappingProxyType({"pseudo_pairs": PSEUDO_PAIRS}),
    ),
    Calibrator(
        name="kde",
        formula="LR = (n f1 + f2)/(n + 1) : (m f2 + f1)/(m + 1), f1 and f2 the kernel densities "
        "of n linked and m unlinked scores",
        note="no shape assumed; the LR may fall where pairs grow more alike; stays within "
        "1/(n + 1) and m + 1",
        source="Silverman 1986; Bolck and others 2009",
        fit=fit_kde,
        curve=KnotCurve,
        monotone=False,
        extrapolates=False,
        needs_overlap=False,
        options=MappingProxyType({"bandwidth": DEFAULT_BANDWIDTH, "pseudo_pairs": PSEUDO_PAIRS}),
    ),
    Calibrator(
        name="beta",
        formula="ln LR = c + a ln t - b ln (1 - t), a and b at least 0, t the alikeness from 0 to "
        "1",
        note="for scores between two limits, as correlations; refuses classes that the scores "
        "separate",
        source="Kull, Silva Filho and Flach 2017",
        fit=fit_beta,
        curve=BetaCurve,
        monotone=True,
        extrapolates=True,
        needs_overlap=True,
    ),
)

CALIBRATORS: Mapping[str, Calibrator] = MappingProxyType({c.name: c for c in _ALL})


def get_calibrator(name: str, /) -> Calibrator:
    """Return the registered calibrator of this name.

    Raises
    ------
    UnknownNameError
        If there is none; the message names the nearest.

    Examples
    --------
    >>> get_calibrator("isotonic").monotone
    True
    """
    return CALIBRATORS[choose(name, tuple(CALIBRATORS), what="calibration method")]
