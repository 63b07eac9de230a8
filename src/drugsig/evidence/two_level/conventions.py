"""The published conventions of the two-level model, by name.

Papers and programs that say "Aitken and Lucy" differ in how the within-source covariance is
pooled, how the between-source covariance is estimated and which bandwidth the kernel has. The
log10 LR of one and the same comparison moves by tenths, so each choice has a name, and a set of
choices that was published together has one too. Names, messages and tests follow from these
tables: a new convention is one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from drugsig._check import choose, is_number, is_whole
from drugsig._codec import record_data, record_of
from drugsig.errors import InputError

__all__ = [
    "BANDWIDTHS",
    "BETWEEN_COVARIANCES",
    "BETWEEN_DENSITIES",
    "CONVENTIONS",
    "DEFAULT_CONVENTIONS",
    "REPLICATE_LEVELS",
    "SHRINKAGES",
    "WITHIN_COVARIANCES",
    "Bandwidth",
    "Conventions",
    "TwoLevelOptions",
]

# What a replicate repeats; the level at which within-source variation is measured.
REPLICATE_LEVELS = ("injection", "preparation", "unit", "specimen")

BETWEEN_DENSITIES: Mapping[str, str] = MappingProxyType(
    {
        "kernel": "a normal kernel of covariance h^2 C at the mean of every source",
        "normal": "one normal density of covariance C around the mean",
    }
)

WITHIN_COVARIANCES: Mapping[str, str] = MappingProxyType(
    {
        "averaged": "the mean of the covariance matrices of the sources with replicates (lir)",
        "pooled": "the sums of squares of all sources over their degrees of freedom, S_w / (N - m) "
        "(Aitken and Lucy 2004)",
    }
)

BETWEEN_COVARIANCES: Mapping[str, str] = MappingProxyType(
    {
        "unweighted": "S* / (m - 1) - U mean(1 / n_i), every source counting once; U / n for equal "
        "numbers of replicates (Aitken and Lucy 2004)",
        "weighted": "(SSB / (m - 1) - U) / kappa with kappa = (N - sum n_i^2 / N) / (m - 1), every "
        "profile counting once (analysis of variance; lir)",
        "by_mean_count": "(SSB / (m - 1) - U) / (N / m): the two others where all sources have as "
        "many replicates, biased where they have not (makeCompVar of the R package comparison)",
    }
)

SHRINKAGES: Mapping[str, str] = MappingProxyType(
    {
        "none": "no shrinkage",
        "schafer_strimmer": "the correlations towards zero, the variances kept (Schäfer and "
        "Strimmer 2005)",
    }
)


@dataclass(frozen=True)
class Bandwidth:
    """A rule for the width of the kernel.

    Parameters
    ----------
    formula : str
        In words and signs; m is the number of sources, p that of targets or components.
    source : str
        Where it was published.
    of : callable
        From m and p to h.
    """

    formula: str
    source: str
    of: Callable[[int, int], float]


def _aitken_lucy(m: int, p: int) -> float:
    return float((4.0 / (m * (2 * p + 1))) ** (1.0 / (p + 4)))


def _silverman(m: int, p: int) -> float:
    return float((4.0 / (m * (p + 2))) ** (1.0 / (p + 4)))


BANDWIDTHS: Mapping[str, Bandwidth] = MappingProxyType(
    {
        "aitken_lucy": Bandwidth(
            "h = (4 / (m (2 p + 1)))^(1 / (p + 4))", "Aitken and Lucy 2004", _aitken_lucy
        ),
        "silverman": Bandwidth(
            "h = (4 / (m (p + 2)))^(1 / (p + 4))", "Silverman 1986, section 4.3.2; lir", _silverman
        ),
    }
)


@dataclass(frozen=True)
class Conventions:
    """Choices that were published together.

    Parameters
    ----------
    within : str
        A name of `WITHIN_COVARIANCES`.
    between_covariance : str
        A name of `BETWEEN_COVARIANCES`.
    bandwidth : str
        A name of `BANDWIDTHS`.
    source : str
        Who uses them.
    """

    within: str
    between_covariance: str
    bandwidth: str
    source: str


CONVENTIONS: Mapping[str, Conventions] = MappingProxyType(
    {
        "aitken_lucy_2004": Conventions(
            "pooled", "unweighted", "aitken_lucy", "Aitken and Lucy, Appl. Statist. 53 (2004) 109"
        ),
        "comparison_1.0.8_makeCompVar": Conventions(
            "pooled",
            "by_mean_count",
            "aitken_lucy",
            "makeCompVar of the R package comparison 1.0.8 (CRAN); for balanced data only: with "
            "unequal numbers of measurements its covariance between sources is biased",
        ),
        "lir_1.8_TwoLevelModelNormalKDE": Conventions(
            "averaged",
            "weighted",
            "silverman",
            "TwoLevelModelNormalKDE of the Python package lir 1.8, and its R reference",
        ),
    }
)

DEFAULT_CONVENTIONS = "aitken_lucy_2004"


@dataclass(frozen=True)
class TwoLevelOptions:
    """Every choice behind a fitted model.

    Parameters
    ----------
    between : str
        A name of `BETWEEN_DENSITIES`.
    within : str
        A name of `WITHIN_COVARIANCES`.
    between_covariance : str
        A name of `BETWEEN_COVARIANCES`.
    bandwidth : str or float
        A name of `BANDWIDTHS`, or the width h itself.
    shrinkage : str
        A name of `SHRINKAGES`.
    components : int, float or None
        A number of principal components, or the share of the variance between sources that they
        must reach; None for no reduction.
    error_share : float
        The share of items taken to hold a gross error; 0 for none.
    """

    between: str = "kernel"
    within: str = "pooled"
    between_covariance: str = "unweighted"
    bandwidth: str | float = "aitken_lucy"
    shrinkage: str = "none"
    components: int | float | None = None
    error_share: float = 0.0

    def __post_init__(self) -> None:
        choose(self.between, tuple(BETWEEN_DENSITIES), what="between-source density")
        choose(self.within, tuple(WITHIN_COVARIANCES), what="within covariance")
        choose(self.between_covariance, tuple(BETWEEN_COVARIANCES), what="between covariance")
        choose(self.shrinkage, tuple(SHRINKAGES), what="shrinkage")
        if isinstance(self.bandwidth, str):
            choose(self.bandwidth, tuple(BANDWIDTHS), what="bandwidth")
        elif not is_number(self.bandwidth) or not 0.0 < self.bandwidth < float("inf"):
            raise InputError(
                f"a bandwidth must be a positive number or one of {tuple(BANDWIDTHS)}, got "
                f"{self.bandwidth!r}"
            )
        _check_components(self.components)
        if not is_number(self.error_share) or not 0.0 <= self.error_share < 0.5:
            raise InputError(
                "the share of items with a gross error must be at least 0 and below 0.5, got "
                f"{self.error_share!r}; 0.01 stands for one item in a hundred"
            )
        for name in ("bandwidth", "components", "error_share"):
            value = getattr(self, name)
            if isinstance(value, np.generic):
                object.__setattr__(self, name, value.item())

    def to_data(self) -> dict[str, Any]:
        """Return the options as a table for JSON.

        Returns
        -------
        dict
            One entry an option.
        """
        return record_data(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], /) -> TwoLevelOptions:
        """Return the options that `to_data` wrote.

        Parameters
        ----------
        data : mapping
            One entry an option; those left out have their default.

        Returns
        -------
        TwoLevelOptions
            The same.

        Raises
        ------
        UnknownNameError
            If there is an option that is not known.
        """
        return record_of(cls, data, where="options of a two-level model", key="option")


def _check_components(components: int | float | None) -> None:
    if components is None:
        return
    whole = is_whole(components) and components >= 1
    share = isinstance(components, float) and 0.0 < components < 1.0
    if not whole and not share:
        raise InputError(
            "components must be a whole number from 1, a share of the variance between 0 and 1, or "
            f"None for no reduction, got {components!r}"
        )
