"""What a reader must know before anything else, the gravest first."""

from __future__ import annotations

from dataclasses import dataclass

from drugsig._notes import told_under
from drugsig._words import about, count, rate, score, several
from drugsig.analysis.analysis import Analysis
from drugsig.evidence.dependence import CircularRates, FewEffectiveSources
from drugsig.evidence.threshold import (
    FewExpectedFalsePositives,
    FewSourcesOfThreshold,
    RatesOfOwnPairs,
)

__all__ = ["Warned", "warnings_first"]

# From these shares on a finding colours everything else in the report.
_MANY_UNDECIDED = 0.2
_MANY_CHANCE = 0.1
_MANY_FEW_DETECTED = 0.2
_STRATUM_FACTOR = 2.0

_HEADINGS = {
    kind.code: ("Few known sources", False)
    for kind in (FewSourcesOfThreshold, FewExpectedFalsePositives, FewEffectiveSources)
}

# What the report says at the top in words of its own, or beside the rates.
_TOLD_ABOVE = frozenset({CircularRates.code, RatesOfOwnPairs.code})


@dataclass(frozen=True)
class Warned:
    """One warning.

    Parameters
    ----------
    head : str
        In a few words.
    text : str
        What it means.
    grave : bool
        Whether the results cannot be used without it.
    """

    head: str
    text: str
    grave: bool = False


def warnings_first(analysis: Analysis, /) -> list[Warned]:
    """Return the warnings of an analysis, the gravest first.

    Each is made from the results, so that it stands here whether or not a warning was given on
    the way; what else was warned about follows as it was said.
    """
    out = [*_about_validity(analysis), *_about_links(analysis), *_about_groups(analysis)]
    return [*out, *_others(analysis)]


def _about_validity(analysis: Analysis) -> list[Warned]:
    threshold = analysis.threshold
    if threshold.sample is None:
        return [
            Warned(
                "NOT VALIDATED",
                f"The threshold {score(threshold.value)} was given, and there are no pairs of "
                "known source to measure its errors on. How many links are wrong is not known. "
                "Name a population rule to learn and measure a threshold.",
                grave=True,
            )
        ]
    rule = threshold.sample.rule
    out = []
    if rule.purpose:
        out.append(
            Warned(f"Rule {rule.name} has a limited purpose", f"It is {rule.purpose}.", grave=True)
        )
    if rule.circular:
        were = several(len(rule.circular), "was", "were")
        out.append(
            Warned(
                "The population rule is circular",
                f"It uses {', '.join(rule.circular)}, which {were} derived from the profiles "
                "themselves: pairs are called unlinked because their profiles differ, so all rates "
                "below look better than they are.",
                grave=True,
            )
        )
    if threshold.strata:
        first, measured = threshold.strata[0], threshold.false_positive_rate or 0.0
        if first.link_rate > _STRATUM_FACTOR * max(measured, threshold.target_rate or 0.0):
            out.append(
                Warned(
                    "Pairs of one kind are harder to tell apart",
                    f"Among {count(first.n_pairs, 'pair')} from different seizures that agree in "
                    f"{', '.join(rule.strata)}, {rate(first.link_rate)} meet the threshold; the "
                    f"false-positive rate measured on all unlinked pairs is {rate(measured)}. "
                    "Some of these pairs may truly share a source; the others are what casework "
                    "has to tell apart.",
                )
            )
    others = [note for note in threshold.notes if note.code not in _TOLD_ABOVE]
    out += [
        Warned(told.heading, told.text, told.grave)
        for told in told_under(others, _HEADINGS, otherwise="Mind the rates")
    ]
    return out


def _about_links(analysis: Analysis) -> list[Warned]:
    links = analysis.links
    chance, n = links.expected_chance_links, len(links)
    scored = links.comparisons - links.undefined
    out = []
    if chance is not None and n and chance >= _MANY_CHANCE * n:
        out.append(
            Warned(
                "Many links may be chance",
                f"{count(n, 'link')} were found, and chance alone would make about {about(chance)} "
                f"among {count(scored, 'comparison')}, if the measured false-positive rate holds "
                "for them.",
            )
        )
    few = int(links.few_detected.sum())
    if n and few >= _MANY_FEW_DETECTED * n:
        out.append(
            Warned(
                "Links that rest on little",
                f"{few:,} of {count(n, 'link')} rest on fewer than 3 targets detected in both "
                "profiles: they are alike mostly in what neither contains.",
            )
        )
    return out


def _about_groups(analysis: Analysis) -> list[Warned]:
    groups = analysis.groups
    out = []
    if groups.chained:
        out.append(Warned("Groups depend on how links are chained", groups.chaining_note))
    n, of = len(analysis.undecided), len(groups.ids)
    if n >= _MANY_UNDECIDED * of:
        out.append(
            Warned(
                "Many profiles are undecided",
                f"For {n:,} of {count(of, 'profile')} there is a reason not to rely on the group; "
                "the reasons are listed below.",
            )
        )
    if groups.undefined_ids:
        out.append(
            Warned(
                "Profiles without any score",
                f"{count(len(groups.undefined_ids), 'profile')} could not be scored against any "
                "other and stand alone.",
            )
        )
    return out


def _others(analysis: Analysis) -> list[Warned]:
    rule = analysis.threshold.rule
    told = {*map(str, analysis.threshold.notes), analysis.groups.chaining_note}
    return [
        Warned("Noted on the way", note)
        for note in analysis.notes
        if note not in told
        and not (rule is not None and rule.circular and all(c in note for c in rule.circular))
    ]
