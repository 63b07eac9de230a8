"""What sets a profile apart from a clean one: indistinguishable sources, ageing, mixture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import whole_number
from drugsig.errors import InputError
from drugsig.profiles.profile_set import ID_COLUMN

__all__ = ["STATES", "Disturbances", "Request", "choose_disturbances"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

STATES = ("clean", "indistinguishable", "aged", "mixed")
CLEAN, INDISTINGUISHABLE, AGED, MIXED = range(len(STATES))

# What is left of a target that decays, how far the degradation product grows, and how much of a
# mixture is of the source it is counted to.
RETAINED = (0.1, 0.4)
GROWTH = (5.0, 20.0)
OWN_SHARE = (0.3, 0.7)
SHARE_THAT_DECAYS = 0.2


@dataclass(frozen=True)
class Request:
    """How many sources and specimens are to be disturbed.

    Parameters
    ----------
    indistinguishable : int
        Pairs of sources that share one mean profile.
    aged, mixed : int
        Specimens.

    Raises
    ------
    InputError
        If one is negative or no whole number.
    """

    indistinguishable: int = 0
    aged: int = 0
    mixed: int = 0

    def __post_init__(self) -> None:
        for name in ("indistinguishable", "aged", "mixed"):
            whole_number(getattr(self, name), what=name)


@dataclass(frozen=True, eq=False)
class Disturbances:
    """What was done to which specimen.

    Attributes
    ----------
    sources : ndarray of int, shape (n_specimens,)
        The source of every specimen.
    state : ndarray of int, shape (n_specimens,)
        As a place in `STATES`.
    twins : ndarray of int, shape (n_pairs, 2)
        Sources that share one mean profile; the second has that of the first.
    decaying : ndarray of int
        The targets that decay, as places.
    retained, growth : ndarray of float64, shape (n_specimens,)
        What is left of them, and how far the degradation product has grown; 1 where not aged.
    second : ndarray of int, shape (n_specimens,)
        The other source of a mixture; -1 where not mixed.
    own_share : ndarray of float64, shape (n_specimens,)
        The share of the source it is counted to; 1 where not mixed.
    """

    sources: Places
    state: NDArray[np.intp]
    twins: Places
    decaying: Places
    retained: Floats
    growth: Floats
    second: Places
    own_share: Floats

    def apply(self, specimens: Floats, means: Floats, factors: Floats, /) -> None:
        """Mix and age specimens, in place.

        Parameters
        ----------
        specimens : ndarray of float64, shape (n_specimens, n_targets)
            The undisturbed specimens.
        means : ndarray of float64, shape (n_sources, n_targets)
            The mean values of every source.
        factors : ndarray of float64, shape (n_specimens, n_targets)
            How the second part of a mixture scatters.
        """
        mixed = self.state == MIXED
        part = self.own_share[mixed, None]
        other = means[self.second[mixed]] * factors[mixed]
        specimens[mixed] = part * specimens[mixed] + (1.0 - part) * other
        aged = np.flatnonzero(self.state == AGED)
        specimens[np.ix_(aged, self.decaying)] *= self.retained[aged, None]

    def truth(self, rows: Places, ids: list[str], source_ids: list[str], /) -> pd.DataFrame:
        """Return the truth of profiles.

        Parameters
        ----------
        rows : ndarray of int, shape (n_profiles,)
            The specimen of every profile.
        ids : list of str
            The profile ids.
        source_ids : list of str
            The names of the sources.
        """
        twin = {int(a): int(b) for pair in self.twins for a, b in (pair, pair[::-1])}
        source = self.sources[rows]
        aged = self.state[rows] == AGED
        mixed = self.state[rows] == MIXED
        names = np.array(source_ids, dtype=object)

        def named(places: Places) -> pd.Series:
            return pd.Series([names[k] if k >= 0 else None for k in places], dtype="str")

        return pd.DataFrame(
            {
                ID_COLUMN: pd.Series(ids, dtype="str"),
                "source_id": named(source),
                "state": pd.Series([STATES[k] for k in self.state[rows]], dtype="str"),
                "same_as": named(np.array([twin.get(int(s), -1) for s in source], dtype=np.intp)),
                "second_source_id": named(self.second[rows]),
                "own_share": np.where(mixed, self.own_share[rows], np.nan),
                "retained": np.where(aged, self.retained[rows], np.nan),
            }
        )


def choose_disturbances(
    rng: np.random.Generator,
    sources: Places,
    request: Request,
    /,
    *,
    n_sources: int,
    n_targets: int,
    decaying: Places | None,
) -> Disturbances:
    """Choose what is done to which specimen.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of chance.
    sources : ndarray of int, shape (n_specimens,)
        The source of every specimen.
    request : Request
        How many.
    n_sources, n_targets : int
        How many there are.
    decaying : ndarray of int, optional
        The targets that decay; without it a fifth, by chance.

    Raises
    ------
    InputError
        If more is asked for than there are sources or specimens.
    """
    n = len(sources)
    # All that may be needed is drawn, whatever is asked for: asking for one specimen more must
    # not change what happens to the others.
    of_sources, of_targets = rng.random(n_sources), rng.random(n_targets)
    of_specimens, left, grown, which, own = rng.random((5, n))
    if 2 * request.indistinguishable > n_sources:
        raise InputError(
            f"{request.indistinguishable} pair(s) of indistinguishable sources need "
            f"{2 * request.indistinguishable} sources, and there are {n_sources}"
        )
    twins = np.argsort(of_sources, kind="stable")[: 2 * request.indistinguishable].reshape(-1, 2)
    state = np.where(np.isin(sources, twins), INDISTINGUISHABLE, CLEAN)
    apart = np.setdiff1d(np.arange(n_sources), twins)
    if request.mixed and len(apart) < 2:
        raise InputError(
            f"mixed={request.mixed} needs at least two sources that are not indistinguishable, "
            f"and there are {len(apart)}"
        )
    ranked = np.argsort(of_specimens, kind="stable")
    ranked = ranked[state[ranked] == CLEAN]
    if request.aged + request.mixed > len(ranked):
        raise InputError(
            f"aged={request.aged} and mixed={request.mixed} need "
            f"{request.aged + request.mixed} specimens, and {len(ranked)} are of sources that can "
            "be told apart"
        )
    aged, mixed = ranked[: request.aged], ranked[len(ranked) - request.mixed :]
    state[aged], state[mixed] = AGED, MIXED
    second = np.full(n, -1, dtype=np.intp)
    for k in mixed:
        others = apart[apart != sources[k]]
        second[k] = others[int(which[k] * len(others))]
    if decaying is None:
        count = max(1, round(SHARE_THAT_DECAYS * n_targets))
        decaying = np.sort(np.argsort(of_targets, kind="stable")[:count])
    return Disturbances(
        sources=sources,
        state=state,
        twins=twins,
        decaying=decaying,
        retained=np.where(state == AGED, _between(RETAINED, left), 1.0),
        growth=np.where(state == AGED, _between(GROWTH, grown), 1.0),
        second=second,
        own_share=np.where(state == MIXED, _between(OWN_SHARE, own), 1.0),
    )


def _between(bounds: tuple[float, float], uniform: Floats) -> Floats:
    low, high = bounds
    return low + (high - low) * uniform
