"""`Analysis`: everything one analysis found, and so everything a report tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drugsig.acquisition.peak_table import PeakTable
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.links import Links
from drugsig.evidence.prevalence import TrueLinkShare
from drugsig.evidence.threshold import Threshold
from drugsig.groups.groups import Groups, PartitionRates, group_name
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.protocols.protocol import Protocol
from drugsig.quality.profile_checks import ProfileCheck

__all__ = ["Analysis", "InputFile", "RunsRead"]


@dataclass(frozen=True)
class InputFile:
    """One file an analysis read.

    Parameters
    ----------
    path : str
        As written in the analysis file, relative to it where that is possible.
    sha256 : str
        Of its bytes.
    size : int
        In bytes.
    """

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, eq=False)
class RunsRead:
    """What was extracted from a folder of runs.

    Parameters
    ----------
    protocol : Protocol
        What was looked for.
    tables : tuple of PeakTable
        One a profile, in the order of the profiles.
    kinds : mapping of str to str
        Why a profile is no sample (blank run, control sample), for those that are none.
    errors : tuple of (str, str)
        Runs that could not be read or extracted, and why.
    """

    protocol: Protocol
    tables: tuple[PeakTable, ...]
    kinds: Mapping[str, str]
    errors: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Analysis:
    """The result of `drugsig.analyse`.

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
    comparison : Comparison
        Of the compared profiles with each other.
    threshold : Threshold
        With its error rates, if there are known sources.
    links : Links
        The pairs that meet the threshold.
    groups : Groups
        With the components of the links beside them.
    group_rates, component_rates : PartitionRates or None
        Co-membership of known pairs; None without known sources.
    uncapped : Groups or None
        What the threshold by rate alone would have made, where it was stopped at the middle of the
        gap between linked and unlinked pairs.
    runs : RunsRead or None
        What was extracted, where the profiles come from runs.
    undecided : mapping of str to tuple of str
        Profiles whose group should not be relied on, with the reasons.
    true_links : tuple of TrueLinkShare
        What a link is worth at a range of prevalences; empty without error rates.
    inputs : tuple of InputFile
        What was read.
    config : mapping
        Everything that decided the result, as written to ``analysis.toml``.
    notes : tuple of str
        Warnings given on the way, in order.
    versions : mapping of str to str
        Of drugsig, Python and the packages that compute.
    seed : int
        For resampling.
    run_digest : str
        sha256 over config, inputs, versions and the content of the profiles.
    """

    profiles: ProfileSet
    compared: ProfileSet
    recipe: Recipe
    checks: tuple[ProfileCheck, ...]
    comparison: Comparison
    threshold: Threshold
    links: Links
    groups: Groups
    group_rates: PartitionRates | None
    component_rates: PartitionRates | None
    undecided: Mapping[str, tuple[str, ...]]
    true_links: tuple[TrueLinkShare, ...]
    inputs: tuple[InputFile, ...]
    config: Mapping[str, Any]
    notes: tuple[str, ...]
    versions: Mapping[str, str]
    seed: int
    run_digest: str
    uncapped: Groups | None = None
    runs: RunsRead | None = None

    @property
    def excluded(self) -> dict[str, str]:
        """Profiles that were read and not compared, with the reason."""
        return {c.profile_id: c.excluded for c in self.checks if c.excluded}

    def group_of(self, profile_id: str, /) -> str:
        """Return the name of the group of a profile, or "" if it was not compared."""
        if profile_id in self.excluded:
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
        body = "".join(f"<tr><th>{k}</th><td>{v}</td></tr>" for k, v in rows)
        return (
            "<table><caption>Analysis; see .groups, .links, .threshold, .undecided</caption>"
            f"<tbody>{body}</tbody></table>"
        )
