"""`Kernel`: one formula on arrays, in two forms that give the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from drugsig.comparison.kernels.summing import Floats, Mask, unscaled
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
    """

    complete: Callable[[Floats, Floats], Floats]
    masked: Callable[[Floats, Floats, Mask], Floats]
    transform: Callable[[Floats], Floats] = unscaled
    prepare: Callable[[Floats], Floats] = unscaled
    space: EuclideanSpace | TermSpace | None = None


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
