"""`threshold_for_search`: the threshold of a database search, by the chance links one accepts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from drugsig._check import is_number
from drugsig.errors import InputError, ThresholdError
from drugsig.evidence.pair_samples import PairSample
from drugsig.evidence.threshold import DEFAULT_RESAMPLES, Threshold, learn_threshold

__all__ = ["threshold_for_search"]


def threshold_for_search(
    sample: PairSample,
    /,
    *,
    chance_links: float,
    n_reference: int,
    rng: np.random.Generator,
    n_resamples: int = DEFAULT_RESAMPLES,
    strata: dict[str, NDArray[np.float64]] | None = None,
) -> Threshold:
    """Learn the threshold at which a query finds so many links by chance alone.

    A profile that is compared with a whole database meets chance as often as there are profiles
    in it: a threshold with a false-positive rate of 2.5 % makes 2,500 chance links a query among
    100,000 profiles.

    Parameters
    ----------
    sample : PairSample
        Pairs of known source like those of the search.
    chance_links : float
        How many links a query may expect by chance alone, above 0.
    n_reference : int
        How many profiles a query is compared with.
    rng, n_resamples, strata
        As in `drugsig.learn_threshold`.

    Returns
    -------
    Threshold
        Learned at a false-positive rate of ``chance_links / n_reference``; use it with
        `Threshold.search`.

    Raises
    ------
    ThresholdError
        If the unlinked pairs are too few to measure so small a rate: with m of them the smallest
        rate that can be seen is 1/m.

    Examples
    --------
    With 20,000 unlinked pairs and 1,000 reference profiles, 1 chance link a query is a rate of
    0.001, which rests on 20 pairs.
    """
    for value, what in ((chance_links, "chance_links"), (n_reference, "n_reference")):
        if not is_number(value) or not 0 < value < math.inf:
            raise InputError(f"{what} must be a finite number above 0, got {value!r}")
    rate = float(chance_links) / float(n_reference)
    if rate >= 1.0:
        raise InputError(
            f"{chance_links:g} chance links among {n_reference:,} reference profiles would make "
            "every pair a link. Ask for fewer."
        )
    # Compared without the quotient, whose rounding would refuse one link in just as many pairs.
    if chance_links * sample.n_unlinked < n_reference:
        raise ThresholdError(
            f"{chance_links:g} chance links among {n_reference:,} profiles is a false-positive "
            f"rate of {rate:.2g}, and {sample.n_unlinked:,} unlinked pairs cannot show a rate "
            f"below {1.0 / sample.n_unlinked:.2g}. Use at least "
            f"{math.ceil(n_reference / chance_links):,} "
            "unlinked pairs of known source (ten times as many to measure it well), accept more "
            "chance links, or search fewer profiles."
        )
    return learn_threshold(
        sample, false_positive_rate=rate, rng=rng, n_resamples=n_resamples, strata=strata
    )
