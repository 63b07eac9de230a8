"""`Kernel`: one formula on arrays, in two forms that give the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from drugsig.comparison.kernels.summing import Floats, Mask, total_size, unscaled
from drugsig.comparison.spaces import EuclideanSpace, TermSpace
from drugsig.errors import ComparisonError

__all__ = ["Kernel", "NotFitted"]


@dataclass(frozen=True)
class Kernel:
    """One formula on arrays.

    Parameters
    ----------
    complete : callable
        ``(a, b) -> scores`` for transformed profiles.
    masked : callable
        ``(a, b, both) -> scores`` for profiles as `prepare` leaves them.
    transform : callable
        What is done once to prepared profiles, shape (p, n), before `complete`.
    prepare : callable
        What is done to profiles first, whether complete or not.
    space : EuclideanSpace, TermSpace or None
        Where pairs that meet a threshold can be looked for; without one every pair is scored.
    size : callable
        From prepared profiles, shape (p, n), NaN where a target was not measured, to their sizes,
        shape (n,). The sum of the sizes of a pair is that of its value, where a metric has no
        range of its own.
    size_words : str
        The size of a pair in words.
    error : callable, optional
        ``error(p)``: how far a value can be off the one in exact arithmetic, in units of 2^-53 of
        its size, for p targets whose values are right to p + 4 of these units. Without it nothing
        is said.
    condition : str
        On what else that rests; empty where on nothing.
    """

    complete: Callable[[Floats, Floats], Floats]
    masked: Callable[[Floats, Floats, Mask], Floats]
    transform: Callable[[Floats], Floats] = unscaled
    prepare: Callable[[Floats], Floats] = unscaled
    space: EuclideanSpace | TermSpace | None = None
    size: Callable[[Floats], Floats] = total_size
    size_words: str = "sum (|a| + |b|)"
    error: Callable[[int], float] | None = None
    condition: str = ""


@dataclass(frozen=True)
class NotFitted:
    """What stands in place of a kernel until the numbers it needs were learned.

    Parameters
    ----------
    message : str
        What to do first.
    """

    message: str

    def refuse(self, *_: Any) -> NoReturn:
        """Say what to do first.

        Raises
        ------
        ComparisonError
            Always.
        """
        raise ComparisonError(self.message)

    def kernel(self) -> Kernel:
        """Return a kernel that scores nothing."""
        return Kernel(self.refuse, self.refuse, transform=self.refuse, prepare=self.refuse)
