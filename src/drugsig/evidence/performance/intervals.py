"""Intervals of performance figures, by resampling sources.

Sources are drawn, not pairs: under one draw a linked pair counts as often as its source was drawn,
and an unlinked pair as often as the product of both counts. Pairs between copies of one source are
never made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.evidence.pairs import LabelledPairs
from drugsig.evidence.resampling import CONFIDENCE, Interval, checked_source_weights, disjoint_pairs

__all__ = [
    "Estimate",
    "SourceDraws",
    "band_of",
    "draw_sources",
    "fitted_interval_of",
    "independent_pairs",
    "interval_of",
    "largest_unseen",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

_TAIL = (1.0 - CONFIDENCE) / 2.0

# Numbers that one block of draws may hold.
_BLOCK_NUMBERS = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Parameters
    ----------
    value : float
        The figure.
    interval : Interval or None
        By resampling sources; None where there is none.
    """

    value: float
    interval: Interval | None = None

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.value:.4g}"
        return f"{self.value:.4g} (95 %: {self.interval})"


@dataclass(frozen=True, eq=False)
class SourceDraws:
    """How often each source is drawn, for draws that hold linked and unlinked pairs.

    Attributes
    ----------
    pairs : LabelledPairs
        What they are drawn for.
    counts : ndarray of float64, shape (n_sources, n_draws)
        How often each is drawn.
    """

    pairs: LabelledPairs
    counts: Floats

    @property
    def n_draws(self) -> int:
        """How many draws there are."""
        return int(self.counts.shape[1])

    def weights(self) -> Iterator[Floats]:
        """Yield the weights of all pairs, one array of shape (n_pairs,) a draw."""
        first, second = self.pairs.source_a, self.pairs.source_b
        for draw in np.ascontiguousarray(self.counts.T):
            once = draw[first]
            yield np.where(self.pairs.linked, once, once * draw[second])

    def means(self, rows: Iterable[Floats | Flags], /, *, linked: bool) -> Floats:
        """Return weighted means over the pairs of one kind, for every draw.

        Parameters
        ----------
        rows : iterable of ndarray, each of shape (n_pairs of this kind,)
            What is averaged, one figure a row; looked at one by one, so that many figures of many
            pairs need not be in memory at once. Infinite where no other pair makes good for it.
        linked : bool
            Which kind.

        Returns
        -------
        ndarray of float64, shape (n_figures, n_draws)
            Infinite where an infinite value was drawn.
        """
        side = self.pairs.linked == linked
        first, second = self.pairs.source_a[side], self.pairs.source_b[side]
        low, high = np.minimum(first, second), np.maximum(first, second)
        pair, place = np.unique(low * len(self.pairs.sources) + high, return_inverse=True)
        # Added up by pair of sources, of which there are far fewer than of profiles.
        finite: list[Floats] = [np.bincount(place).astype(np.float64)]
        endless: dict[int, Floats] = {}
        for number, row in enumerate(rows):
            values = np.asarray(row, dtype=np.float64)
            infinite = np.isinf(values)
            if infinite.any():
                endless[number] = _by_pair(place, infinite.astype(np.float64))
            finite.append(_by_pair(place, np.where(infinite, 0.0, values)))
        drawn = self._added(np.stack([*finite, *endless.values()]), pair, linked=linked)
        out: Floats = drawn[1 : len(finite)] / drawn[0]
        for number, held in zip(endless, drawn[len(finite) :], strict=True):
            out[number, held > 0] = np.inf
        return out

    def _added(self, sums: Floats, pair: Places, *, linked: bool) -> Floats:
        """Add sums by pair of sources, as often as both were drawn."""
        one, other = pair // len(self.pairs.sources), pair % len(self.pairs.sources)
        out = np.empty((len(sums), self.n_draws))
        step = max(1, _BLOCK_NUMBERS // max(1, len(pair)))
        for start in range(0, self.n_draws, step):
            drawn = self.counts[:, start : start + step]
            weight = drawn[one] if linked else drawn[one] * drawn[other]
            out[:, start : start + step] = sums @ weight
        return out


def _by_pair(place: Places, values: Floats) -> Floats:
    return np.asarray(np.bincount(place, weights=values), dtype=np.float64)


def draw_sources(
    pairs: LabelledPairs, n_resamples: int, rng: np.random.Generator, /
) -> SourceDraws:
    """Draw sources with replacement; draws without a linked or an unlinked pair are left out.

    Parameters
    ----------
    pairs : LabelledPairs
        Those whose sources are drawn.
    n_resamples : int
        How often; less often where there are very many pairs.
    rng : numpy.random.Generator
        For drawing.

    Raises
    ------
    InputError
        If `n_resamples` is below 100 or `rng` is no generator.
    """
    counts = checked_source_weights(len(pairs.sources), n_resamples, rng, n_costs=len(pairs))
    every = SourceDraws(pairs, counts)
    usable = np.ones(every.n_draws, dtype=bool)
    for linked in (True, False):
        one = [np.ones(int((pairs.linked == linked).sum()))]
        with np.errstate(invalid="ignore"):
            usable &= ~np.isnan(every.means(one, linked=linked)[0])
    return SourceDraws(pairs, counts[:, usable])


def independent_pairs(pairs: LabelledPairs, /, *, linked: bool) -> int:
    """Return how many pairs of one kind can be taken if each source is used once."""
    apart = ~pairs.linked
    return (
        pairs.n_linked_sources
        if linked
        else disjoint_pairs(pairs.source_a[apart], pairs.source_b[apart])
    )


def interval_of(drawn: Floats, observed: float, /) -> Interval | None:
    """Return the percentile interval, which always holds the observed figure.

    Parameters
    ----------
    drawn : ndarray of float64, shape (n_draws,)
        The figure in every draw; NaN where a draw has none.
    observed : float
        The figure itself.

    Returns
    -------
    Interval or None
        None where the figure, or that of more than half of the draws, has no value.
    """
    known = drawn[~np.isnan(drawn)]
    if np.isnan(observed) or 2 * len(known) <= len(drawn):
        return None
    low, high = _ends(known[:, np.newaxis])
    return Interval(min(float(low[0]), observed), max(float(high[0]), observed))


def fitted_interval_of(drawn: Floats, observed: float, /, *, highest: float) -> Interval | None:
    """Return the interval of a figure that rests on a PAV fit to the very pairs it judges.

    Such a figure is too good, and fitting again to resampled sources, some drawn twice, makes it
    better still: percentiles would lie beside the truth. The difference between the mean of the
    draws and the figure shows about half of how much too good it is (in simulations of 20 to 60
    sources, between 0.42 and 0.5). The interval spans the figure as it is and the figure less
    twice that difference, each with the spread of the draws.

    Parameters
    ----------
    drawn, observed
        As in `interval_of`.
    highest : float
        The largest value that the figure can take; the smallest is 0.
    """
    if not (np.isfinite(drawn).all() and np.isfinite(observed)):
        return interval_of(drawn, observed)
    low, high = (float(end[0]) for end in _ends(drawn[:, np.newaxis]))
    mean = float(drawn.mean())
    below, above = mean - low, high - mean
    corrected = observed - 2.0 * (mean - observed)
    return Interval(
        max(0.0, min(observed - below, corrected - above)),
        min(highest, max(observed + above, corrected + below)),
    )


def largest_unseen(units: int, /) -> float:
    """Return the largest rate that is still compatible with not having been seen once.

    Parameters
    ----------
    units : int
        From `independent_pairs`.
    """
    return float(1.0 - _TAIL ** (1.0 / units))


def band_of(drawn: Floats, observed: Floats, /) -> tuple[Floats, Floats]:
    """Return the percentile interval at each place of a curve.

    Parameters
    ----------
    drawn : ndarray of float64, shape (n_draws, n)
        The curve in every draw; infinite values are allowed.
    observed : ndarray of float64, shape (n,)
        The curve itself, which always lies in the band.
    """
    low, high = _ends(drawn)
    return np.minimum(low, observed), np.maximum(high, observed)


def _ends(drawn: Floats) -> tuple[Floats, Floats]:
    if np.isfinite(drawn).all():
        low, high = np.quantile(drawn, [_TAIL, 1.0 - _TAIL], axis=0)
    else:
        # Between a number and infinity there is no middle: the ends are values that were drawn.
        low = np.quantile(drawn, _TAIL, axis=0, method="inverted_cdf")
        high = np.quantile(drawn, 1.0 - _TAIL, axis=0, method="inverted_cdf")
    return low, high
