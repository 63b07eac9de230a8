"""`Items`: the means of replicates, item by item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drugsig._check import listed
from drugsig.errors import InputError

__all__ = ["Items", "items_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Items:
    """The means and numbers of replicates of items.

    Parameters
    ----------
    means : ndarray of float64, shape (k, p)
        The means.
    counts : ndarray of int64, shape (k,)
        How many replicates each is a mean of.
    """

    means: Floats
    counts: NDArray[np.int64]

    def places(self, items: ArrayLike, /, *, what: str) -> NDArray[np.intp]:
        """Return item numbers as places, checked.

        Parameters
        ----------
        items : array_like of int, shape (n_pairs,)
            Item numbers.
        what : str
            What they are, for the message.

        Raises
        ------
        InputError
            If they are not numbers of items.
        """
        numbers = _whole_numbers(items, what=what)
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= len(self.counts)):
            wrong = numbers[(numbers < 0) | (numbers >= len(self.counts))][0]
            raise InputError(
                f"{what} names item {wrong}, but the items are 0 to {len(self.counts) - 1}"
            )
        return numbers


def items_of(values: Floats, items: ArrayLike, /) -> Items:
    """Take the mean of the rows of each item.

    Parameters
    ----------
    values : ndarray of float64, shape (n, p)
        Replicates.
    items : array_like of int, shape (n,)
        The item of each, counted from 0.

    Raises
    ------
    InputError
        If an item has no row.
    """
    code = _whole_numbers(items, what="items")
    if len(code) != len(values):
        raise InputError(f"items must name one item a row: {len(values)} rows, {len(code)} items")
    if code.min() < 0:
        raise InputError(f"items are counted from 0, got {code.min()}")
    if code.max() >= len(code):
        raise InputError(
            f"items are counted from 0 without gaps: {len(code)} rows cannot hold item {code.max()}"
        )
    counts = np.bincount(code).astype(np.int64)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        raise InputError(f"item(s) {listed(empty)} have no row: number the items without gaps")
    order = np.argsort(code, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return Items(np.add.reduceat(values[order], starts, axis=0) / counts[:, None], counts)


def _whole_numbers(numbers: ArrayLike, *, what: str) -> NDArray[np.intp]:
    array = np.asarray(numbers)
    if array.ndim != 1:
        raise InputError(f"{what} must be a list of item numbers, got {array.ndim} dimension(s)")
    if array.dtype.kind not in "iu" and array.size:
        raise InputError(f"{what} must be whole numbers, got an array of {array.dtype}")
    return array.astype(np.intp)
