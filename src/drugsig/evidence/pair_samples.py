"""`PairSample`: the scores of pairs whose source is known under a population rule."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays
from drugsig.comparison.metrics import Metric
from drugsig.evidence.populations import PopulationRule

__all__ = ["PairSample", "Places"]

Places = NDArray[np.int32]

_ARRAYS = ("scores", "linked", "rows", "columns", "source_a", "source_b")
_COUNTS = (
    "n_undecided",
    "n_undefined",
    "n_same_specimen",
    "n_same_sequence",
    "specimen_known",
    "sequences_differ",
)


@dataclass(frozen=True, eq=False, repr=False)
class PairSample(FrozenArrays):
    """Scores of pairs that are known to share, or not to share, their source.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_pairs,)
        Defined scores only.
    linked : ndarray of bool, shape (n_pairs,)
        Known to share the source; the others are known not to.
    rows, columns : ndarray of int32, shape (n_pairs,)
        The pair, as places in the profile set.
    source_a, source_b : ndarray of int32, shape (n_pairs,)
        The sources of the two profiles, as places in `sources`.
    sources : tuple of str
        The names of all sources in the sample, sorted; each is in at least one pair.
    rule : PopulationRule
        What linked and unlinked mean.
    metric : Metric
        What the scores mean.
    n_undecided : int
        Pairs that are neither linked nor unlinked under the rule, or for which that cannot be
        decided.
    n_undefined : int
        Pairs of known source that have no score.
    n_same_specimen : int
        Pairs of profiles of one specimen, which are never used.
    left_out : dict
        Profiles the rule leaves out, and why.
    specimen_known : bool
        Whether a column names the specimen; without one, two profiles of one specimen are not told
        apart from profiles of two.
    n_same_sequence : int
        Linked pairs left out because they are of one sequence, or may be.
    sequences_differ : bool
        Whether every linked pair is known to come from two sequences; otherwise the variation
        within a source is partly that within one series, and looks smaller than in casework.
    """

    scores: NDArray[np.float64]
    linked: NDArray[np.bool_]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    source_a: NDArray[np.int32]
    source_b: NDArray[np.int32]
    sources: tuple[str, ...]
    rule: PopulationRule
    metric: Metric
    n_undecided: int
    n_undefined: int
    n_same_specimen: int
    left_out: dict[str, str]
    specimen_known: bool = True
    n_same_sequence: int = 0
    sequences_differ: bool = True

    def __len__(self) -> int:
        return len(self.scores)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PairSample):
            return NotImplemented
        return (
            self.rule == other.rule
            and self.metric == other.metric
            and self.sources == other.sources
            and self.left_out == other.left_out
            and all(getattr(self, name) == getattr(other, name) for name in _COUNTS)
            and all(np.array_equal(getattr(self, name), getattr(other, name)) for name in _ARRAYS)
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    @property
    def n_linked(self) -> int:
        """How many linked pairs there are."""
        return int(self.linked.sum())

    @property
    def n_unlinked(self) -> int:
        """How many unlinked pairs there are."""
        return len(self) - self.n_linked

    @property
    def n_linked_sources(self) -> int:
        """How many sources the linked pairs come from."""
        return len(np.unique(self.source_a[self.linked]))

    @property
    def n_unlinked_sources(self) -> int:
        """How many sources the unlinked pairs come from."""
        apart = ~self.linked
        return len(np.union1d(self.source_a[apart], self.source_b[apart]))

    @property
    def linked_scores(self) -> NDArray[np.float64]:
        """Scores of linked pairs."""
        return self.scores[self.linked]

    @property
    def unlinked_scores(self) -> NDArray[np.float64]:
        """Scores of unlinked pairs."""
        return self.scores[~self.linked]

    def __repr__(self) -> str:
        return (
            f"<PairSample '{self.rule.name}': {self.n_linked} linked pairs from "
            f"{self.n_linked_sources} sources, {self.n_unlinked} unlinked pairs from "
            f"{self.n_unlinked_sources} sources, by {self.metric.name}>"
        )

    def _repr_html_(self) -> str:
        rows = (
            ("linked", self.rule.linked, self.n_linked, self.n_linked_sources),
            ("unlinked", self.rule.unlinked, self.n_unlinked, self.n_unlinked_sources),
        )
        body = "".join(
            f"<tr><td>{kind}</td><td>{html.escape(str(what))}</td><td>{pairs}</td>"
            f"<td>{sources}</td></tr>"
            for kind, what, pairs, sources in rows
        )
        return (
            f"<table><caption>PairSample under rule '{html.escape(self.rule.name)}'</caption>"
            "<thead><tr>"
            "<th></th><th>known by</th><th>pairs</th><th>sources</th></tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )
