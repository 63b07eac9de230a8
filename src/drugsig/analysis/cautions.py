"""What a reader must know of an analysis before anything in it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from drugsig._check import listed
from drugsig._notes import Note
from drugsig._words import about, count, rate, score, several
from drugsig.comparison.links import FEW_DETECTED, Links
from drugsig.errors import CircularRuleWarning, DrugsigWarning
from drugsig.evidence.populations import LimitedPurpose, PopulationRule
from drugsig.evidence.threshold import Threshold
from drugsig.groups.groups import Groups
from drugsig.profiles.labels import known_texts
from drugsig.profiles.profile_set import ProfileSet

__all__ = [
    "CircularPopulation",
    "ErrorsUnknown",
    "HarderPairs",
    "LinksOnLittle",
    "ManyChanceLinks",
    "ManyLinks",
    "ManyUndecided",
    "OtherVersion",
    "ProfilesWithoutScore",
    "SourcesAreGroups",
    "about_groups",
    "about_links",
    "about_threshold",
    "many_links",
    "sources_are_groups",
]

# From these shares on a finding colours everything else in the report.
_MANY_UNDECIDED = 0.2
_MANY_CHANCE = 0.1
_MANY_FEW_DETECTED = 0.2
_STRATUM_FACTOR = 2.0

# More links than this share of all pairs, among enough of them, say that something is wrong.
_MANY_LINKS = 0.2
_ENOUGH_PAIRS = 100


@dataclass(frozen=True)
class ErrorsUnknown(Note):
    """A threshold was given, and no pairs of known source say how often it is wrong.

    Name a population rule, so that a threshold can be learned and measured.
    """

    code: ClassVar[str] = "errors-unknown"
    category: ClassVar[type[DrugsigWarning] | None] = None
    threshold: float

    def __str__(self) -> str:
        return (
            f"The threshold {score(self.threshold)} was given, and there are no pairs of known "
            "source to measure its errors on. How many links are wrong is not known. Name a "
            "population rule to learn and measure a threshold."
        )


@dataclass(frozen=True)
class CircularPopulation(Note):
    """Pairs are called unlinked because their profiles differ, so all rates look too good.

    Use a rule that rests on what is known apart from the profiles.
    """

    code: ClassVar[str] = "circular-population"
    category: ClassVar[type[DrugsigWarning] | None] = None
    columns: tuple[str, ...]

    def __str__(self) -> str:
        were = several(len(self.columns), "was", "were")
        return (
            f"It uses {', '.join(self.columns)}, which {were} derived from the profiles "
            "themselves: pairs are called unlinked because their profiles differ, so all rates "
            "below look better than they are."
        )


@dataclass(frozen=True)
class SourcesAreGroups(Note):
    """The known sources are exactly the groups that were found.

    Make sure that they are known from elsewhere. Sources that were taken from an earlier analysis
    of the same profiles look like this, and then all rates are too good.
    """

    code: ClassVar[str] = "sources-are-groups"
    category: ClassVar[type[DrugsigWarning] | None] = CircularRuleWarning
    columns: tuple[str, ...]
    n_groups: int

    def __str__(self) -> str:
        return (
            f"The texts of {listed(self.columns)} divide all profiles exactly as the "
            f"{count(self.n_groups, 'group')} that were found. Perfect data look like this, and so "
            "do groups of an earlier analysis that were taken for known sources: then the rule is "
            "circular, and all rates are better than they would be in casework."
        )


@dataclass(frozen=True)
class HarderPairs(Note):
    """Pairs that agree in every stratum column meet the threshold more often than unlinked pairs.

    Read the false-positive rate as one of easier pairs than those casework asks about.
    """

    code: ClassVar[str] = "harder-pairs"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_pairs: int
    columns: tuple[str, ...]
    link_rate: float
    false_positive_rate: float

    def __str__(self) -> str:
        return (
            f"Among {count(self.n_pairs, 'pair')} from different seizures that agree in "
            f"{', '.join(self.columns)}, {rate(self.link_rate)} meet the threshold; the "
            f"false-positive rate measured on all unlinked pairs is "
            f"{rate(self.false_positive_rate)}. Some of these pairs may truly share a source; the "
            "others are what casework has to tell apart."
        )


@dataclass(frozen=True)
class ManyChanceLinks(Note):
    """Much of what was found could be chance.

    Take a stricter threshold, or look for what else supports each link.
    """

    code: ClassVar[str] = "many-chance-links"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_links: int
    chance: float
    comparisons: int

    def __str__(self) -> str:
        return (
            f"{count(self.n_links, 'link')} were found, and chance alone would make about "
            f"{about(self.chance)} among {count(self.comparisons, 'comparison')}, if the measured "
            "false-positive rate holds for them."
        )


@dataclass(frozen=True)
class LinksOnLittle(Note):
    """Many links rest on few targets detected in both profiles.

    Look at the column of targets detected in both before a link is followed.
    """

    code: ClassVar[str] = "links-on-little"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_few: int
    n_links: int
    needed: int = FEW_DETECTED

    def __str__(self) -> str:
        return (
            f"{self.n_few:,} of {count(self.n_links, 'link')} rest on fewer than {self.needed} "
            "targets detected in both profiles: they are alike mostly in what neither contains."
        )


@dataclass(frozen=True)
class ManyLinks(Note):
    """So many pairs are links that the threshold is probably not the one that was meant.

    Look at the metric: of a similarity large means alike, of a distance small.
    """

    code: ClassVar[str] = "many-links"
    n_links: int
    comparisons: int
    metric: str
    kind: str
    threshold: float

    def __str__(self) -> str:
        meaning = "large means alike" if self.kind == "similarity" else "small means alike"
        return (
            f"{self.n_links} of {self.comparisons} pairs are links. '{self.metric}' is a "
            f"{self.kind}, {meaning}: is {self.threshold:g} the threshold that was meant?"
        )


@dataclass(frozen=True)
class ManyUndecided(Note):
    """Of many profiles the group should not be relied on.

    Read the reasons, which stand beside each profile, before any group is relied on.
    """

    code: ClassVar[str] = "many-undecided"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_undecided: int
    n_profiles: int

    def __str__(self) -> str:
        return (
            f"For {self.n_undecided:,} of {count(self.n_profiles, 'profile')} there is a reason "
            "not to rely on the group; the reasons are listed below."
        )


@dataclass(frozen=True)
class ProfilesWithoutScore(Note):
    """Some profiles have no score with any other, so they stand alone whatever they are.

    Look at them: they are constant or empty, or too few of their targets were measured.
    """

    code: ClassVar[str] = "profiles-without-score"
    category: ClassVar[type[DrugsigWarning] | None] = None
    n_profiles: int

    def __str__(self) -> str:
        return (
            f"{count(self.n_profiles, 'profile')} could not be scored against any other and stand "
            "alone."
        )


@dataclass(frozen=True)
class OtherVersion(Note):
    """The analysis file was written by another version of drugsig.

    Look into the changelog, under *Changed results*, whether the same input gives the same numbers.
    """

    code: ClassVar[str] = "other-version"
    written_by: str
    version: str

    def __str__(self) -> str:
        return (
            f"The analysis file was written by drugsig {self.written_by}; this is "
            f"{self.version}. See 'Changed results' in the changelog."
        )


def about_threshold(threshold: Threshold, /) -> Iterator[Note]:
    """Yield what limits the error rates of a threshold, besides its own notes."""
    if not threshold.validated:
        yield ErrorsUnknown(threshold.value)
        return
    rates = threshold.rates
    rule = rates.rule
    if rule.purpose:
        yield LimitedPurpose(rule.name, rule.purpose)
    if rule.circular:
        yield CircularPopulation(tuple(rule.circular))
    if rates.strata:
        first, measured = rates.strata[0], rates.false_positive_rate
        if first.link_rate > _STRATUM_FACTOR * max(measured, threshold.target_rate or 0.0):
            yield HarderPairs(first.n_pairs, tuple(rule.strata), first.link_rate, measured)


def many_links(links: Links, /) -> Iterator[Note]:
    """Yield a note if there are so many links that the threshold is probably a mistake."""
    if links.comparisons >= _ENOUGH_PAIRS and len(links) > _MANY_LINKS * links.comparisons:
        metric = links.metric
        yield ManyLinks(len(links), links.comparisons, metric.name, metric.kind, links.threshold)


def about_links(links: Links, /) -> Iterator[Note]:
    """Yield what makes links worth less than they look."""
    chance, n = links.expected_chance_links, len(links)
    if chance is not None and n and chance >= _MANY_CHANCE * n:
        yield ManyChanceLinks(n, chance, links.comparisons - links.undefined)
    few = int(links.few_detected.sum())
    if n and few >= _MANY_FEW_DETECTED * n:
        yield LinksOnLittle(few, n)


def sources_are_groups(
    groups: Groups, profiles: ProfileSet, rule: PopulationRule | None, /
) -> Iterator[Note]:
    """Yield a note if the sources of a rule are the groups themselves, for every profile."""
    if rule is None or rule.circular:
        return
    texts = [known_texts(profiles, c) for c in rule.source]
    if any(t is None for column in texts for t in column):
        return
    pairs = set(zip(zip(*texts, strict=True), groups.labels.tolist(), strict=True))
    sources, found = {source for source, _ in pairs}, {label for _, label in pairs}
    if len(pairs) == len(sources) == len(found) < len(profiles) and len(pairs) > 1:
        yield SourcesAreGroups(rule.source, len(found))


def about_groups(groups: Groups, undecided: Mapping[str, Sequence[Note]], /) -> Iterator[Note]:
    """Yield what makes groups worth less than they look, besides their own notes."""
    if len(undecided) >= _MANY_UNDECIDED * len(groups.ids):
        yield ManyUndecided(len(undecided), len(groups.ids))
    if groups.undefined_ids:
        yield ProfilesWithoutScore(len(groups.undefined_ids))
