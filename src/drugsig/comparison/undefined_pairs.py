"""Which pairs of one set have no score, found without forming the scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig.comparison.comparability import check_comparable, least_measured
from drugsig.comparison.link_rule import LinkRule
from drugsig.comparison.linking import BYTES_A_LINK
from drugsig.comparison.metrics import Metric
from drugsig.comparison.prepared import PreparedProfiles, pair_sizes, score_profiles
from drugsig.comparison.search.all_pairs import GapProducts
from drugsig.errors import SizeError
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["ListedScores", "UndefinedPairs", "refuse_many_links"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

# Pairs scored, and pairs sifted by products, at a time.
_BLOCK = 32_768
_SIFTED = 1_048_576

# More pairs without a score than this are not listed one by one: 800 MB.
_MOST_LISTED = 50_000_000


class ListedScores:
    """Scores of listed pairs of one set, as `drugsig.compare` defines them, to the last bit.

    Parameters
    ----------
    profiles : ProfileSet
        Pretreated.
    metric : Metric
        How they are scored.
    min_measured : int, optional
        As in `drugsig.compare`.
    """

    def __init__(self, profiles: ProfileSet, metric: Metric, min_measured: int | None, /) -> None:
        check_comparable(profiles, None, metric)
        self.metric = metric
        self.least = least_measured(min_measured, metric, len(profiles.targets))
        self.prepared = PreparedProfiles.of(profiles, metric)

    def scores(self, rows: NDArray[np.integer], columns: NDArray[np.integer], /) -> Floats:
        """Return the score of every pair, NaN where undefined, shape (n_pairs,)."""
        prepared, p = self.prepared, self.prepared.n_targets
        out = np.empty(len(rows))
        for first in range(0, len(rows), _BLOCK):
            some = slice(first, first + _BLOCK)
            ours, theirs = prepared.at(rows[some]), prepared.at(columns[some])
            out[some] = score_profiles(ours, theirs, self.metric, self.least, p)
        return out

    def sizes(self, rows: NDArray[np.integer], columns: NDArray[np.integer], /) -> Floats | None:
        """Return the sizes of the scores, see `Metric.slack`; None if the metric has a range."""
        sizes = self.prepared.sizes
        return pair_sizes(sizes, sizes, rows, columns)


# Pairs looked at to tell how many links there would be, and how far chance may be off: a threshold
# is refused for what it surely makes.
_LOOKED_AT = 200_000
_DEVIATIONS = 5.0


def refuse_many_links(
    listed: ListedScores, threshold: float, /, *, memory: float, rng: np.random.Generator
) -> None:
    """Refuse a threshold that makes more links than allowed, by a look at some pairs.

    Parameters
    ----------
    listed : ListedScores
        Of the profiles.
    threshold : float
        In the convention of the metric.
    memory : float
        The most bytes that links may take.
    rng : numpy.random.Generator
        What draws the pairs.

    Raises
    ------
    SizeError
        If there are surely too many links. A search may still find too many, and is stopped then.
    """
    n = len(listed.prepared)
    pairs, most = n * (n - 1) // 2, int(min(memory / BYTES_A_LINK, 2.0**62))
    if pairs <= most:
        return
    first, second = rng.integers(0, n, size=(2, _LOOKED_AT))
    first, second = first[first != second], second[first != second]
    sizes = listed.sizes(first, second)
    met = int(listed.metric.meets(listed.scores(first, second), threshold, sizes).sum())
    links = met / len(first) * pairs
    if (met - _DEVIATIONS * np.sqrt(met)) / len(first) * pairs <= most:
        return
    raise SizeError(
        f"{listed.metric.name} {listed.metric.link_sign} {threshold:.6g} makes about {links:,.0f} "
        f"links among {pairs:,} pairs of {n:,} profiles ({links * BYTES_A_LINK / 1e9:,.1f} GB), "
        f"and {most:,} links are allowed ({memory / 1e9:.2g} GB). Choose a stricter threshold, or "
        "allow more with memory=<bytes>."
    )


# What a profile is for the pairs it is in.
GAPS, SCORED, EMPTY, UNSCORED = range(4)


@dataclass(frozen=True, eq=False)
class UndefinedPairs:
    """The pairs of one set that have no score.

    Whether two whole profiles, in which every target was measured, have a score follows from what
    each of them is. Pairs in which a target was not measured are listed.

    Attributes
    ----------
    kind : ndarray of int8, shape (n_profiles,)
        Of every profile: a target was not measured (0), it has a score with other whole ones (1),
        with those only that are not empty as well (2), or with none (3).
    rows, columns : ndarray of int, shape (n_listed,)
        Pairs without a score in which a target was not measured, each once.
    """

    kind: NDArray[np.int8]
    rows: Places
    columns: Places

    @classmethod
    def of(cls, listed: ListedScores, among: Places, /) -> UndefinedPairs:
        """Find the pairs among some profiles.

        Parameters
        ----------
        listed : ListedScores
            Of the whole set.
        among : ndarray of int
            Places of the profiles whose pairs are wanted.

        Raises
        ------
        SizeError
            If they are too many to be listed.
        """
        prepared = listed.prepared
        found = prepared.defined(prepared, enough=prepared.n_targets >= listed.least)
        kind = np.full(len(prepared), UNSCORED, dtype=np.int8)
        kind[found.has_score] = SCORED
        kind[found.empty] = EMPTY
        kind[~prepared.whole] = GAPS
        parts = _listed(listed, among)
        rows = np.concatenate([part[0] for part in parts] or [np.empty(0, np.intp)])
        columns = np.concatenate([part[1] for part in parts] or [np.empty(0, np.intp)])
        return cls(kind, rows, columns)

    @staticmethod
    def have_score(a: NDArray[np.int8], b: NDArray[np.int8], /) -> Flags:
        """Say which pairs of two kinds have a score, those apart that are listed.

        Parameters
        ----------
        a, b : ndarray of int8
            The kinds of both profiles.
        """
        gaps = (a == GAPS) | (b == GAPS)
        neither = (a == UNSCORED) | (b == UNSCORED) | ((a == EMPTY) & (b == EMPTY))
        return np.asarray(gaps | ~neither)


def _listed(listed: ListedScores, among: Places) -> list[tuple[Places, Places]]:
    """Return the pairs without a score in which a target was not measured."""
    prepared = listed.prepared
    gaps = among[~prepared.whole[among]]
    if not len(gaps):
        return []
    # Every pair once: a profile with gaps, and those after it, the whole ones last.
    order = np.concatenate([gaps, among[prepared.whole[among]]])
    products = _sure_products(listed)
    found, total = [], 0
    step = max(1, _SIFTED // len(order))
    for top in range(0, len(gaps), step):
        rows = np.arange(top, min(top + step, len(gaps)))
        wanted = np.arange(len(order)) > rows[:, None]
        short, doubtful = wanted, np.zeros_like(wanted)
        if products is None:
            doubtful = wanted
            short = np.zeros_like(wanted)
        else:
            ours, theirs = order[rows], order
            possible, short = products.sift(
                prepared.values[:, ours],
                prepared.measured[:, ours],
                prepared.values[:, theirs],
                prepared.measured[:, theirs],
            )
            short, doubtful = short & wanted, possible & wanted
        row, column = np.nonzero(doubtful)
        none = np.isnan(listed.scores(order[rows[row]], order[column]))
        short[row[none], column[none]] = True
        row, column = np.nonzero(short)
        total += len(row)
        if total > _MOST_LISTED:
            raise SizeError(
                f"more than {_MOST_LISTED:,} pairs of known source have no score, as too few "
                "targets were measured in both. Leave out the profiles that lack most of them "
                "(profiles.without([...])), drop the targets that many lack, or lower min_measured."
            )
        found.append((order[rows[row]], order[column]))
    return found


def _sure_products(listed: ListedScores) -> GapProducts | None:
    """Return what tells the pairs that surely have a score, where products can."""
    metric = listed.metric
    rule = LinkRule(metric, metric.self_value, listed.least, None)
    found = GapProducts.of(rule)
    # No score is so alike: what is left over is too near to having none.
    return None if found is None else GapProducts(found.centred, found.value, np.inf, found.least)
