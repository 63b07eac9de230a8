"""The links between questioned profiles and a stock of reference profiles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.search.everything import Everything, GapPairs, Rectangle
from drugsig.comparison.search.near_terms import NearSums
from drugsig.comparison.search.shelves import Shelves
from drugsig.comparison.search.stock import Asked, Stock
from drugsig.comparison.search.terms import SmallSums, TermPoints
from drugsig.comparison.search.tree import Places
from drugsig.comparison.spaces import EuclideanSpace, TermSpace

__all__ = ["links_in"]

Floats = NDArray[np.float64]
Pairs = tuple[Places, Places]

# Pairs proposed together at most.
_TOGETHER = 20_000_000


def links_in(
    stock: Stock, asked: Asked, threshold: float, /
) -> Iterator[tuple[Places, Places, Floats, int]]:
    """Yield rows, places and scores of links, some at a time, and how many pairs have no score.

    Parameters
    ----------
    stock : Stock
        The reference.
    asked : Asked
        From `Stock.ask`; other profiles than those of the stock.
    threshold : float
        In the convention of the metric.
    """
    n, m = len(asked.side), len(stock)
    nothing = np.empty(0, np.int64)
    if stock.n_targets < asked.least:
        yield nothing, nothing, np.empty(0), n * m
        return
    whole = np.flatnonzero(asked.side.whole)
    gaps = Rectangle(np.flatnonzero(~asked.side.whole), stock.everyone)
    if stock.anyone_sound:
        yield nothing, nothing, np.empty(0), int(stock.undefined_whole(asked, whole).sum())
        usable = np.flatnonzero(asked.sound.usable)
        step = max(1, _TOGETHER // max(1, m))
        for first in range(0, len(usable), step):
            yield from _among_whole(stock, asked, threshold, usable[first : first + step])
        rectangles = (gaps, Rectangle(whole, stock.gaps))
    else:
        rectangles = (gaps, Rectangle(whole, stock.everyone))
    some = tuple(r for r in rectangles if len(r.rows) and len(r.columns))
    if some:
        pairs = GapPairs(asked.side, stock.side, stock.metric, threshold, asked.least, some)
        for task in pairs.tasks:
            yield pairs.find(*task)


def _among_whole(
    stock: Stock, asked: Asked, threshold: float, rows: Places
) -> Iterator[tuple[Places, Places, Floats, int]]:
    ready = asked.side.ready[:, rows]
    for row, place in _proposed(stock, ready, threshold):
        scores = stock.decide(ready, row, place)
        links = stock.metric.meets(scores, threshold)
        row, place, scores = row[links], place[links], scores[links]
        if stock.copies is not None:
            place, times = stock.copies.members_of(place)
            row, scores = np.repeat(row, times), np.repeat(scores, times)
        yield rows[row], stock.columns_of[place], scores, 0


def _proposed(stock: Stock, ready: Floats, threshold: float) -> Iterator[Pairs]:
    """Yield pairs of whole profiles, each once, among them every link."""
    metric, space, finder = stock.metric, stock.metric.kernel.space, stock.finder
    value = float(metric.revert(threshold))
    odd = np.ones(ready.shape[1], dtype=bool)
    if isinstance(space, EuclideanSpace) and isinstance(finder, Shelves):
        odd, row, place = _on_shelves(stock, finder, space, ready, value)
        yield row, place
    elif isinstance(space, TermSpace) and isinstance(finder, NearSums):
        odd = ~finder.usable(ready)
        even = np.flatnonzero(~odd)
        kind = finder.points.columns.dtype
        points = TermPoints.of(ready[:, even], space, scale=finder.scale, kind=kind, planted=False)
        limit = finder.limit_of(value)
        sums = SmallSums(points, finder.points, limit, metric, space, False, True)
        for task in range(sums.n_tasks if len(even) else 0):
            for row, place in sums.propose(task):
                yield even[row], place
    if odd.any():
        which = np.flatnonzero(odd)
        pairs = Everything(ready[:, odd], stock.ready, metric, threshold, False)
        for task in range(pairs.n_tasks if stock.ready.shape[1] else 0):
            for row, place in pairs.propose(task):
                yield which[row], place


def _on_shelves(
    stock: Stock, shelves: Shelves, space: EuclideanSpace, ready: Floats, value: float
) -> tuple[NDArray[np.bool_], Places, Places]:
    """Return who single precision cannot hold, and the pairs of the others."""
    radius = np.full(ready.shape[1], space.radius(value))
    sides = stock.asked_on_shelves(shelves, space.coordinates(ready))
    found = [shelves.within(q, shelves.limit_of(q, radius)) for q in sides]
    row, place = stock.together(found)
    odd = ~sides[0].usable
    kept = ~odd[row]
    return odd, row[kept], place[kept]
