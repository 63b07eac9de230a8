"""Checks of the arguments that simulations take."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from drugsig.errors import InputError

__all__ = ["generator", "number", "number_range", "whole", "whole_numbers"]


def generator(rng: object, /) -> np.random.Generator:
    """Return `rng` if it is a numpy generator.

    Raises
    ------
    InputError
        If it is something else, such as a bare seed.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    raise InputError(
        f"rng must be a numpy.random.Generator, got {rng!r} of type {type(rng).__name__}. Make one "
        "from a seed: rng=numpy.random.default_rng(1)."
    )


def whole(value: object, /, *, what: str, low: int = 0, high: int | None = None) -> int:
    """Return a whole number within bounds.

    Raises
    ------
    InputError
        If it is no whole number or lies outside.
    """
    bounds = f"at least {low}" if high is None else f"between {low} and {high}"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{what} must be a whole number, {bounds}; got {value!r}")
    if value < low or (high is not None and value > high):
        raise InputError(f"{what} must be {bounds}, got {value}")
    return int(value)


def whole_numbers(values: object, /, *, what: str, low: int = 1) -> tuple[int, ...]:
    """Return a sequence of whole numbers, not empty.

    Raises
    ------
    InputError
        If it is empty, no sequence, or one of them is no whole number or too small.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, np.ndarray)):
        raise InputError(f"{what} must be a list of whole numbers, got {values!r}")
    if not len(values):
        raise InputError(f"{what} must not be empty")
    return tuple(
        whole(v, what=f"{what}, place {k}", low=low) for k, v in enumerate(values, start=1)
    )


def number(
    value: object, /, *, what: str, low: float = 0.0, high: float = math.inf, open_low: bool = False
) -> float:
    """Return a finite number within bounds; `open_low` leaves the lower bound out.

    Raises
    ------
    InputError
        If it is no finite number or lies outside.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{what} must be a number, got {value!r}")
    one = float(value)
    least = "above" if open_low else "at least"
    bounds = f"{least} {low:g}" + ("" if math.isinf(high) else f" and at most {high:g}")
    if not math.isfinite(one) or one < low or one > high or (open_low and one == low):
        raise InputError(f"{what} must be {bounds}, got {one:g}")
    return one


def number_range(
    value: object, /, *, what: str, low: float = 0.0, high: float = math.inf
) -> tuple[float, float]:
    """Return the two ends of a range; one number is a range of no width.

    Raises
    ------
    InputError
        If it is neither a number nor two, or the second is smaller than the first.
    """
    if isinstance(value, (int, float, np.integer, np.floating)):
        one = number(value, what=what, low=low, high=high)
        return one, one
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence) or len(value) != 2:
        raise InputError(f"{what} must be one number, or two as (least, most); got {value!r}")
    first = number(value[0], what=f"the least {what}", low=low, high=high)
    last = number(value[1], what=f"the most {what}", low=low, high=high)
    if last < first:
        raise InputError(f"{what} must be (least, most), got ({first:g}, {last:g})")
    return first, last
