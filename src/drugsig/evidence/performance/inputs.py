"""The one way in: likelihood ratios of pairs of known source, checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig.errors import InputError
from drugsig.evidence.pairs import checked_weights

__all__ = ["checked_log10_lr", "checked_pairs", "weighted_pairs"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def checked_log10_lr(log10_lr: ArrayLike, /) -> Floats:
    """Return log10 likelihood ratios as a flat float64 copy; infinite ones are allowed.

    Raises
    ------
    InputError
        If they are not a flat array of real numbers, or one is NaN.
    """
    raw = np.asarray(log10_lr)
    if raw.dtype.kind not in "fiu" or raw.ndim != 1:
        raise InputError(
            "log10_lr must be a flat array of real numbers, got one of "
            f"{raw.dtype} with shape {raw.shape}"
        )
    values = np.array(raw, dtype=np.float64)
    undefined = np.isnan(values)
    if undefined.any():
        raise InputError(
            f"log10_lr holds {int(undefined.sum())} NaN, the first at place "
            f"{int(np.argmax(undefined))}. A pair without a likelihood ratio is no evidence for "
            "either proposition: leave such pairs out on purpose and report how many there were."
        )
    return values


def checked_pairs(log10_lr: ArrayLike, linked: ArrayLike, /) -> tuple[Floats, Flags]:
    """Return log10 likelihood ratios and what is known of their pairs.

    Parameters
    ----------
    log10_lr : array_like of float, shape (n_pairs,)
        Infinite values are allowed: a likelihood ratio of 0 or of infinity.
    linked : array_like of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.

    Raises
    ------
    InputError
        If the arrays do not fit each other or hold what they must not, or if there are no linked
        or no unlinked pairs.
    """
    values = checked_log10_lr(log10_lr)
    flags = np.asarray(linked)
    if flags.dtype.kind != "b":
        raise InputError(
            f"linked must be an array of True and False, got one of {flags.dtype}. Write "
            "linked == 1 where 1 stands for linked."
        )
    if flags.shape != values.shape:
        raise InputError(
            f"log10_lr holds {len(values)} pairs and linked has shape {flags.shape}: give one "
            "True or False a pair"
        )
    n_linked = int(flags.sum())
    for kind, number in (("linked", n_linked), ("unlinked", len(flags) - n_linked)):
        if not number:
            raise InputError(
                f"there is no {kind} pair among {len(flags)}: how likelihood ratios perform is "
                "measured on pairs of both kinds"
            )
    return values, np.array(flags, dtype=bool)


def weighted_pairs(
    log10_lr: ArrayLike, linked: ArrayLike, weights: ArrayLike | None, /
) -> tuple[Floats, Flags, Floats]:
    """Return log10 likelihood ratios, what is known of their pairs, and one weight a pair."""
    values, flags = checked_pairs(log10_lr, linked)
    return values, flags, checked_weights(weights, flags)
