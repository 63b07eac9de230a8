"""`Analysis`: everything one analysis found, and so everything a report tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drugsig._notes import Note, Told
from drugsig._repr import html_table
from drugsig.analysis.findings import (
    ComponentFinding,
    GroupFinding,
    TargetFinding,
    component_findings,
    group_findings,
    target_findings,
)
from drugsig.analysis.inputs import InputFile
from drugsig.analysis.run_findings import RunFindings
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.links import Links
from drugsig.comparison.undefined_pairs import ListedScores
from drugsig.evidence.pairs import PairSample
from drugsig.evidence.prevalence import TrueLinkShare
from drugsig.evidence.threshold import Threshold
from drugsig.groups.groups import Groups, PartitionRates, group_name
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality.profile_checks import ProfileCheck

__all__ = ["DENSE_PROFILES", "Analysis", "Partition", "matrix_bytes"]

# Up to so many profiles all scores are formed, unless asked otherwise: 0.45 GB, and a tree and
# a heat map of everything. Beyond, nobody can read these, and searching is faster.
DENSE_PROFILES = 3000

# What all scores, the pairs of a rule, the tree and the file of scores take together at their most,
# for every pair of profiles counted twice: measured, 4.9 GB for 10,000 profiles.
_BYTES_A_SCORE = 50


def matrix_bytes(n: int, /) -> int:
    """Return what an analysis of so many profiles takes if all scores are formed."""
    return _BYTES_A_SCORE * n * n


@dataclass(frozen=True)
class Partition:
    """What a threshold makes of the profiles, in numbers.

    Parameters
    ----------
    threshold : float
        In the metric's convention.
    n_groups, n_components : int
        Groups by the linkage, and components of the links.
    groups, components : PartitionRates
        The error rates of both, on pairs of known source.
    """

    threshold: float
    n_groups: int
    n_components: int
    groups: PartitionRates
    components: PartitionRates


@dataclass(frozen=True, eq=False, repr=False)
class Analysis:
    """The result of `drugsig.analyse` or `drugsig.analyse_profiles`.

    Attributes
    ----------
    profiles : ProfileSet
        As read, excluded ones included.
    compared : ProfileSet
        Pretreated, without the excluded ones.
    recipe : Recipe
        As asked for.
    checks : tuple of ProfileCheck
        One for every profile read.
    comparison : Comparison or None
        All scores of the compared profiles with each other; None where they were not formed.
    threshold : Threshold
        With its error rates, if there are known sources.
    sample : PairSample or None
        The pairs of known source behind the rates. Where all scores were not formed, all linked
        pairs, and unlinked ones drawn at random for the area and the pictures; the rates count
        every pair.
    links : Links
        The pairs that meet the threshold.
    groups : Groups
        With the components of the links beside them.
    group_rates, component_rates : PartitionRates or None
        Co-membership of known pairs; None without known sources.
    uncapped : Partition or None
        What the threshold by rate alone would have made, where it was stopped at the middle of the
        gap between linked and unlinked pairs.
    runs : RunFindings or None
        What was extracted and what the runs say together, where the profiles come from runs.
    undecided : mapping of str to tuple of Note
        Profiles whose group should not be relied on, with the reasons.
    true_links : tuple of TrueLinkShare
        What a link is worth at a range of prevalences; empty without error rates.
    least_true_links : tuple of TrueLinkShare
        The same at the least favourable ends of the intervals of the rates.
    inputs : tuple of InputFile
        What was read; empty where the profiles came as they are.
    config : mapping
        Everything that decided the result, as written to ``analysis.toml``; empty where no file
        was read or written.
    notes : tuple of Told
        What a reader must know, in the order found: each note with its code and facts, what it
        stands under, and whether it is grave.
    versions : mapping of str to str
        Of drugsig, Python and the packages that compute.
    seed : int
        For resampling.
    run_digest : str
        sha256 over config, inputs, versions and the content of the profiles.
    matrices : {"auto", "dense", "sparse"}
        What was asked for; see `way`.
    """

    profiles: ProfileSet
    compared: ProfileSet
    recipe: Recipe
    checks: tuple[ProfileCheck, ...]
    comparison: Comparison | None
    threshold: Threshold
    sample: PairSample | None
    links: Links
    groups: Groups
    group_rates: PartitionRates | None
    component_rates: PartitionRates | None
    undecided: Mapping[str, tuple[Note, ...]]
    true_links: tuple[TrueLinkShare, ...]
    least_true_links: tuple[TrueLinkShare, ...]
    notes: tuple[Told, ...]
    seed: int
    uncapped: Partition | None = None
    runs: RunFindings | None = None
    inputs: tuple[InputFile, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    run_digest: str = ""
    matrices: str = "auto"

    @property
    def way(self) -> str:
        """Whether all scores were formed (``dense``), or those that are needed (``sparse``)."""
        return "sparse" if self.comparison is None else "dense"

    @property
    def why_this_way(self) -> str:
        """What decided that, as a sentence."""
        n = len(self.compared)
        if self.matrices != "auto":
            return f"It was asked for (matrices = '{self.matrices}')."
        kept = "no more" if self.way == "dense" else "more"
        return (
            f"{n:,} profiles are {kept} than the {DENSE_PROFILES:,} up to which all scores are "
            f"formed: their matrices would take about {matrix_bytes(n) / 1e9:.2g} GB."
        )

    def scores_of(
        self, rows: NDArray[np.intp], columns: NDArray[np.intp], /
    ) -> NDArray[np.float64]:
        """Return the scores of pairs of compared profiles, formed where they are not at hand.

        Parameters
        ----------
        rows, columns : ndarray of int, shape (n_pairs,)
            Places of both profiles among those compared.
        """
        if self.comparison is not None:
            return np.asarray(self.comparison.scores[rows, columns])
        return self._listed.scores(rows, columns)

    @cached_property
    def _listed(self) -> ListedScores:
        return ListedScores(self.compared, self.links.metric, self.links.min_measured)

    @property
    def excluded(self) -> dict[str, str]:
        """Profiles that were read and not compared, with the reason."""
        return dict(self._excluded)

    @cached_property
    def _excluded(self) -> dict[str, str]:
        return {c.profile_id: c.excluded for c in self.checks if c.excluded}

    @cached_property
    def target_findings(self) -> tuple[TargetFinding, ...]:
        """How often each target that was read was detected."""
        return target_findings(self.profiles, self.compared)

    @cached_property
    def group_findings(self) -> tuple[GroupFinding, ...]:
        """What holds each group of two or more together."""
        return group_findings(self.groups, self.links, self.scores_of)

    @cached_property
    def component_findings(self) -> tuple[ComponentFinding, ...]:
        """The components of the links that are not just one whole group."""
        return component_findings(self.groups)

    @property
    def links_between_groups(self) -> int:
        """How many links lie between two groups."""
        labels = self.groups.labels
        return int((labels[self.links.rows] != labels[self.links.columns]).sum())

    @property
    def imputed_shares(self) -> dict[str, float]:
        """How much of its sum the recipe put in place of what was not detected, by profile."""
        shares: dict[str, float] = {}
        for step in self.compared.history:
            for said in step.detail.get("reports", ()):
                shares.update(said.get("imputed_share", {}))
        return shares

    def group_of(self, profile_id: str, /) -> str:
        """Return the name of the group of a profile, or "" if it was not compared."""
        if profile_id in self._excluded:
            return ""
        return group_name(int(self.groups.labels[self.compared.index_of([profile_id])[0]]))

    def __repr__(self) -> str:
        alone = int((self.groups.sizes == 1).sum())
        return (
            f"<Analysis of {len(self.profiles)} profiles: {len(self.compared)} compared, "
            f"{len(self.links)} links, {len(self.groups) - alone} groups and {alone} alone, "
            f"{len(self.undecided)} undecided; threshold "
            f"{'validated' if self.threshold.validated else 'not validated'}>"
        )

    def _repr_html_(self) -> str:
        rows = (
            ("profiles read", len(self.profiles)),
            ("excluded", len(self.excluded)),
            ("compared", len(self.compared)),
            ("links", len(self.links)),
            ("groups of two or more", int((self.groups.sizes > 1).sum())),
            ("profiles alone", int((self.groups.sizes == 1).sum())),
            ("undecided", len(self.undecided)),
        )
        caption = "Analysis; see .groups, .links, .threshold, .undecided"
        return html_table(rows, caption=caption)
