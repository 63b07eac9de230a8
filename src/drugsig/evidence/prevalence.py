"""What a list of links is worth: the share of true links at a range of prevalences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drugsig.errors import InputError

__all__ = ["PREVALENCES", "TrueLinkShare", "share_of_true_links"]

# One truly linked pair in so many. Nobody knows the real prevalence of a collection; the range
# shows how much hangs on it.
PREVALENCES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class TrueLinkShare:
    """The share of true links among all links, if so many pairs are truly linked.

    Parameters
    ----------
    prevalence : float
        The share of all compared pairs that truly share a source.
    share : float or None
        Of the pairs over the threshold, those that truly share a source; None where it cannot be
        said.
    """

    prevalence: float
    share: float | None


def share_of_true_links(
    *,
    true_positive_rate: float,
    false_positive_rate: float,
    prevalences: Sequence[float] = PREVALENCES,
) -> tuple[TrueLinkShare, ...]:
    """Return the share of true links at each prevalence, by Bayes' rule.

    A false-positive rate of zero gives no share: that no false link was seen among some pairs does
    not make every link true. Give the upper end of the interval of the rate instead.

    Parameters
    ----------
    true_positive_rate, false_positive_rate : float
        Of the threshold, in [0, 1].
    prevalences : sequence of float
        In [0, 1].

    Raises
    ------
    InputError
        If a rate or prevalence is not a share.

    Examples
    --------
    >>> row, = share_of_true_links(
    ...     true_positive_rate=0.9, false_positive_rate=0.025, prevalences=[0.001])
    >>> round(row.share, 4)
    0.0348
    """
    for what, value in (
        ("true_positive_rate", true_positive_rate),
        ("false_positive_rate", false_positive_rate),
        *(("a prevalence", p) for p in prevalences),
    ):
        if not 0.0 <= value <= 1.0:
            raise InputError(f"{what} must lie between 0 and 1, got {value!r}")
    out = []
    for prevalence in prevalences:
        true = prevalence * true_positive_rate
        false = (1.0 - prevalence) * false_positive_rate
        known = false_positive_rate > 0.0 and true + false > 0.0
        out.append(TrueLinkShare(prevalence, true / (true + false) if known else None))
    return tuple(out)
