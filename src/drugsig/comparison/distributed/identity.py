"""`SearchIdentity`: what a search is, so that parts of one are never taken for parts of another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._files import canonical_json
from drugsig.comparison.distributed.batches import library_versions
from drugsig.comparison.link_search import LinkSearch
from drugsig.comparison.search.all_pairs import AllPairs
from drugsig.profiles.profile_set import ProfileSet

__all__ = ["SearchIdentity"]

# What the facts are called in a message.
_WORDS = {
    "questioned": "the questioned profiles",
    "reference": "the reference profiles",
    "metric": "the metric",
    "metric_digest": "the numbers the metric carries",
    "threshold": "the threshold",
    "min_measured": "the least number of targets measured in both",
    "drugsig": "the version of drugsig",
    "numpy": "the version of numpy",
    "tasks": "the number of tasks",
    "whole_tasks": "the number of tasks among whole profiles",
    "division": "how the profiles are divided into tasks, which may be otherwise on another kind "
    "of machine, or where the extra fast is installed in one place only",
}

_DIGEST_SHOWN = 12


@dataclass(frozen=True)
class SearchIdentity:
    """AllPairs that decides which links a range of tasks finds.

    Attributes
    ----------
    facts : mapping of str to str, int, float or None
        Digests, names and numbers, as data that can be written as JSON.
    """

    facts: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        search: LinkSearch,
        questioned: ProfileSet,
        reference: ProfileSet | None,
        /,
    ) -> SearchIdentity:
        """Tell a search by its inputs, its rule, the libraries and how it is divided into tasks.

        Parameters
        ----------
        search : LinkSearch
            Planned already.
        questioned, reference : ProfileSet
            What it was planned for.
        """
        return cls(
            {
                "questioned": questioned.digest,
                "reference": None if reference is None else reference.digest,
                "metric": search.metric.name,
                "metric_digest": search.metric.digest,
                "threshold": search.threshold,
                "min_measured": search.min_measured,
                **library_versions(),
                "tasks": search.n_tasks,
                "whole_tasks": search.n_whole_tasks,
                "division": _division(search),
            }
        )

    @property
    def digest(self) -> str:
        """The sha256 of all facts."""
        return hashlib.sha256(canonical_json(dict(self.facts)).encode()).hexdigest()

    def differences(self, other: Mapping[str, Any], /) -> list[str]:
        """Say in words what differs: there, and here."""
        return [
            f"{_WORDS[key]}: {_shown(other.get(key))} there, {_shown(mine)} here"
            for key, mine in self.facts.items()
            if other.get(key) != mine
        ]


def _division(search: LinkSearch) -> str:
    """Return the digest of which profiles belong to which task.

    The trees come from axes that are found in floating point: on another kind of processor, or
    with another linear algebra library, profiles may fall into other leaves.
    """
    hasher = hashlib.sha256()
    for positions in (search.rows_of, search.columns_of):
        hasher.update(_bytes(positions))
    for plan in search.finder.plans:
        hasher.update(f"{type(plan).__name__} {plan.n_tasks}\n".encode())
        if not isinstance(plan, AllPairs):
            hasher.update(_bytes(plan.a.tree.order))
            hasher.update(_bytes(plan.a.tree.starts))
    return hasher.hexdigest()


def _bytes(positions: NDArray[np.int64]) -> bytes:
    return np.ascontiguousarray(positions, dtype="<i8").tobytes()


def _shown(value: Any) -> str:
    if isinstance(value, str) and len(value) == 64:
        return value[:_DIGEST_SHOWN]
    return "none" if value is None else str(value)
