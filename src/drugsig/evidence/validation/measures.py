"""The performance characteristics of a validation, and the figures each is judged by.

Characteristics after Meuwly, Ramos and Haraksim (2017), Forensic Science International
276:142-153. Names, messages, the default criteria and the tests follow from these tables: a new
figure is one entry and the function that measures it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CHARACTERISTICS", "MEASURES", "Characteristic", "Measure"]


@dataclass(frozen=True)
class Characteristic:
    """One thing that a method must be good at.

    Parameters
    ----------
    title : str
        As a heading.
    question : str
        What it asks, in one sentence.
    primary : bool
        Whether it describes the LRs themselves; a secondary one describes how they change.
    """

    title: str
    question: str
    primary: bool


@dataclass(frozen=True)
class Measure:
    """One figure that a characteristic is judged by.

    Parameters
    ----------
    characteristic : str
        A key of `CHARACTERISTICS`.
    label : str
        In a table.
    meaning : str
        How it is formed, in one sentence.
    unit : str
        Empty for a share or a count.
    """

    characteristic: str
    label: str
    meaning: str
    unit: str = ""


CHARACTERISTICS: Mapping[str, Characteristic] = MappingProxyType(
    {
        "accuracy": Characteristic(
            "Accuracy", "Do the LRs point to the truth, and as strongly as is right?", True
        ),
        "discriminating_power": Characteristic(
            "Discriminating power", "Are linked and unlinked pairs told apart?", True
        ),
        "calibration": Characteristic("Calibration", "Do the LRs mean what they say?", True),
        "robustness": Characteristic(
            "Robustness", "Do the LRs hold when the data are somewhat worse or fewer?", False
        ),
        "coherence": Characteristic("Coherence", "Do more data give better LRs?", False),
        "generalisation": Characteristic(
            "Generalisation", "Do the LRs hold for sources and places not seen before?", False
        ),
    }
)

_CHANGE = "Cllr {}, less Cllr as it is, of the same pairs"

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "cllr": Measure(
            "accuracy",
            "Cllr",
            "the log-likelihood-ratio cost: 0 is perfect, 1 is an LR of 1 for every pair",
            "bit",
        ),
        "strong_linked": Measure(
            "accuracy",
            "strongly misleading, linked pairs",
            "the share of linked pairs with an LR of 1/100 or less",
        ),
        "strong_unlinked": Measure(
            "accuracy",
            "strongly misleading, unlinked pairs",
            "the share of unlinked pairs with an LR of 100 or more",
        ),
        "cllr_min": Measure(
            "discriminating_power",
            "Cllr_min",
            "the part of Cllr that remains when the LRs keep their order and get the best values "
            "there are for it",
            "bit",
        ),
        "auc": Measure(
            "discriminating_power",
            "area under the ROC curve",
            "the probability that a linked pair has a larger LR than an unlinked one",
        ),
        "equal_error_rate": Measure(
            "discriminating_power",
            "equal error rate",
            "the rate at which as many linked pairs fall below a limit as unlinked ones reach it",
        ),
        "cllr_cal": Measure(
            "calibration",
            "Cllr_cal",
            "Cllr less Cllr_min: what is lost because the LRs do not mean what they say",
            "bit",
        ),
        "devpav": Measure(
            "calibration",
            "devPAV",
            "how far the LRs that the pairs show lie, on average, from those that were given: the "
            "distance of the PAV steps from the diagonal",
            "log10 LR",
        ),
        "broken_promises": Measure(
            "calibration",
            "LR levels reached too often",
            "how many of the LRs k = 2, 10, 100, 1,000 and 10,000 are reached by unlinked pairs "
            "(and 1/k by linked ones) more often than once in k, with the whole 95 % interval",
        ),
        "change_with_noise": Measure(
            "robustness",
            "Cllr change, areas uncertain",
            _CHANGE.format("with values redrawn within their uncertainty"),
            "bit",
        ),
        "change_with_mistyped": Measure(
            "robustness",
            "Cllr change, values mistyped",
            _CHANGE.format("with one value wrong by a factor in a share of the profiles judged"),
            "bit",
        ),
        "change_with_mistyped_background": Measure(
            "robustness",
            "Cllr change, values mistyped in the background",
            _CHANGE.format(
                "with such values also in the profiles fitted to, but for those that the outlier "
                "check names"
            ),
            "bit",
        ),
        "change_with_fewer_sources": Measure(
            "robustness",
            "Cllr change, fewer background sources",
            _CHANGE.format("with a background of fewer sources"),
            "bit",
        ),
        "spread_over_seeds": Measure(
            "robustness",
            "Cllr, largest less smallest fold seed",
            "how far Cllr hangs on which sources were together in a fold",
            "bit",
        ),
        "change_with_more_data": Measure(
            "coherence",
            "Cllr change, more data in each item",
            "Cllr of the items that hold most, less Cllr of those that hold least",
            "bit",
        ),
        "optimism": Measure(
            "generalisation",
            "Cllr of new sources less Cllr of fitted ones",
            "Cllr of pairs whose sources were left out, less Cllr of the same pairs with the model "
            "fitted on all sources",
            "bit",
        ),
        "cllr_elsewhere": Measure(
            "generalisation",
            "worst Cllr in another laboratory, epoch or period",
            "for every text of the column named, Cllr of its pairs with a model fitted on the "
            "other profiles; the worst of them",
            "bit",
        ),
    }
)
