"""Simulated material: which specimen of which source was seized when and where."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import share, unique_text, whole_number
from drugsig.errors import InputError

__all__ = ["Material", "SeizurePlan", "lay_out", "numbered"]

Places = NDArray[np.intp]

# A source is met with over this many days, mostly in its home region.
DAYS_OF_A_SOURCE = 60
AT_HOME = 0.7


@dataclass(frozen=True)
class SeizurePlan:
    """How specimens come into seizures.

    Parameters
    ----------
    same_seizure : float
        The chance that the next specimen of a source lies in the same seizure as the last.
    shared_seizure : float
        The chance that it otherwise lies in a seizure of another source.
    first_day : str
        The first day of the period, as an ISO date.
    days : int
        How long the period is in which sources appear.
    regions : sequence of str
        Where seizures are made.

    Raises
    ------
    InputError
        If one of them is out of bounds.
    """

    same_seizure: float = 0.5
    shared_seizure: float = 0.15
    first_day: str = "2024-01-01"
    days: int = 365
    regions: Sequence[str] = ("north", "east", "south", "west")

    def __post_init__(self) -> None:
        for name in ("same_seizure", "shared_seizure"):
            value = getattr(self, name)
            if value != 1.0:
                share(value, what=name, zero=True)
        whole_number(self.days, what="days", least=1)
        self.day_one()
        if isinstance(self.regions, str) or not self.regions:
            raise InputError(f"regions must be a list of names, got {self.regions!r}")
        unique_text(self.regions, what="regions")

    def day_one(self) -> datetime.date:
        """Return the first day of the period."""
        try:
            return datetime.date.fromisoformat(self.first_day)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"first_day must be a date such as '2024-01-01', got {self.first_day!r}"
            ) from error


@dataclass(frozen=True, eq=False)
class Material:
    """Specimens in the order of their seizures.

    Attributes
    ----------
    sources : ndarray of int, shape (n_specimens,)
        The source of every specimen, in the order in which the sources were given.
    seizures : ndarray of int, shape (n_specimens,)
        The seizure of every specimen, numbered by date.
    dates, regions : tuple of str
        Of every seizure; ISO dates.
    order : ndarray of int, shape (n_specimens,)
        The specimens by date and seizure, as places.
    """

    sources: Places
    seizures: Places
    dates: tuple[str, ...]
    regions: tuple[str, ...]
    order: Places


def lay_out(rng: np.random.Generator, sizes: Places, plan: SeizurePlan, /) -> Material:
    """Put the specimens of every source into seizures with a date and a region.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of chance.
    sizes : ndarray of int, shape (n_sources,)
        How many specimens each source has.
    plan : SeizurePlan
        How specimens come into seizures.

    Returns
    -------
    Material
        One seizure may hold several sources, and one source may lie in several seizures.
    """
    sources = np.repeat(np.arange(len(sizes), dtype=np.intp), sizes)
    n = len(sources)
    appears = (rng.random(len(sizes)) * plan.days).astype(np.intp)
    home = (rng.random(len(sizes)) * len(plan.regions)).astype(np.intp)
    stays, joins, which, later, near, place = rng.random((6, n))
    seizures = np.empty(n, dtype=np.intp)
    day: list[int] = []
    region: list[int] = []
    for k, source in enumerate(sources):
        if k and sources[k - 1] == source and stays[k] < plan.same_seizure:
            seizures[k] = seizures[k - 1]
        elif day and joins[k] < plan.shared_seizure:
            seizures[k] = int(which[k] * len(day))
        else:
            seizures[k] = len(day)
            day.append(int(appears[source] + int(later[k] * DAYS_OF_A_SOURCE)))
            away = int(place[k] * len(plan.regions))
            region.append(int(home[source]) if near[k] < AT_HOME else away)
    by_date = np.argsort(np.array(day), kind="stable")
    rank = np.empty(len(day), dtype=np.intp)
    rank[by_date] = np.arange(len(day))
    seizures = rank[seizures]
    start = plan.day_one()
    # Within a seizure the specimens lie in no order: ids must not tell the sources.
    shuffled = rng.random(n)
    return Material(
        sources=sources,
        seizures=seizures,
        dates=tuple((start + datetime.timedelta(days=day[s])).isoformat() for s in by_date),
        regions=tuple(plan.regions[region[s]] for s in by_date),
        order=np.lexsort((shuffled, seizures)),
    )


def numbered(prefix: str, count: int, /) -> list[str]:
    """Return ids of equal length.

    >>> numbered("S", 3)
    ['S001', 'S002', 'S003']
    """
    width = max(3, len(str(count)))
    return [f"{prefix}{k:0{width}d}" for k in range(1, count + 1)]
