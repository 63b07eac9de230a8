"""The sections on what was found: groups, threshold and evidence, links, undecided profiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from drugsig._notes import Note
from drugsig._words import about, area, count, listing, one_in, rate, score, several
from drugsig.analysis.analysis import Analysis
from drugsig.evidence.prevalence import TrueLinkShare
from drugsig.evidence.resampling import Interval
from drugsig.evidence.searched_threshold import PAIRS_DRAWN
from drugsig.evidence.threshold import Threshold
from drugsig.groups.groups import PartitionRates, group_name
from drugsig.report.data_sections import MEMBERS_SHOWN, ROWS_SHOWN

__all__ = [
    "evidence_section",
    "groups_section",
    "links_section",
    "summary_section",
    "undecided_section",
]


def summary_section(analysis: Analysis, /) -> list[tuple[str, str]]:
    """Return the box at the top: what was read, compared and found."""
    groups, links, threshold = analysis.groups, analysis.links, analysis.threshold
    sizes = groups.sizes
    together = int((sizes > 1).sum())
    chance = links.expected_chance_links
    rows = [
        ("Profiles read", f"{len(analysis.profiles):,}"),
        ("Excluded", f"{len(analysis.excluded):,}"),
        ("Compared", f"{len(analysis.compared):,} ({count(links.comparisons, 'pair')})"),
        (
            "Groups of two or more",
            f"{together:,} ({count(int(sizes[sizes > 1].sum()), 'profile')})",
        ),
        ("Profiles alone", f"{int((sizes == 1).sum()):,}"),
        ("Undecided", f"{count(len(analysis.undecided), 'profile')}"),
        ("Links", f"{len(links):,}"),
        (
            "Links expected by chance",
            "not known" if chance is None else f"about {about(chance)}{_chance_ends(analysis)}",
        ),
        (
            "Threshold",
            f"{threshold.metric.name} {_sign(threshold)} {score(threshold.value)}",
        ),
    ]
    if not threshold.validated:
        return [*rows, ("Validated", "NO: no pairs of known source")]
    sample = threshold.rates
    rests_on = (
        f"{count(sample.n_linked, 'linked pair')} from {count(sample.n_linked_sources, 'source')}, "
        f"{count(sample.n_unlinked, 'unlinked pair')} from "
        f"{count(sample.n_unlinked_sources, 'source')}"
    )
    return [*rows, ("Error rates measured on", rests_on)]


def _interval(ends: Interval) -> str:
    return f"{rate(ends.low)} to {rate(ends.high)}"


def _share(row: TrueLinkShare) -> str:
    return "cannot be said" if row.share is None else rate(row.share)


def _chance_ends(analysis: Analysis) -> str:
    if not analysis.threshold.validated:
        return ""
    ends = analysis.threshold.rates.false_positive_interval
    scored = analysis.links.comparisons - analysis.links.undefined
    return f" (95 %: {about(ends.low * scored)} to {about(ends.high * scored)})"


def _sign(threshold: Threshold) -> str:
    return "≥" if threshold.metric.is_similarity else "≤"


def groups_section(analysis: Analysis, /) -> dict[str, Any]:
    """Return the table of groups, who is alone, and how groups and components differ."""
    groups = analysis.groups
    sizes = groups.sizes
    rows = []
    for found in analysis.group_findings[:ROWS_SHOWN]:
        names = groups.members(found.number)
        rows.append(
            {
                "name": group_name(found.number),
                "size": found.size,
                "component": ", ".join(str(k) for k in found.components),
                "links": f"{found.links:,} of {found.size * (found.size - 1) // 2:,}",
                "worst": score(found.least_alike),
                "members": list(names[:MEMBERS_SHOWN]),
                "more": max(0, len(names) - MEMBERS_SHOWN),
                "undecided": sum(name in analysis.undecided for name in names),
            }
        )
    alone = [groups.ids[k] for k in np.flatnonzero(sizes[groups.labels - 1] == 1)]
    return {
        "rows": rows,
        "n_together": int((sizes > 1).sum()),
        "alone": alone[: 5 * ROWS_SHOWN],
        "n_alone": len(alone),
        "components": [
            {
                "number": c.number,
                "size": c.size,
                "names": [group_name(k) for k in c.groups[:MEMBERS_SHOWN]],
                "more": max(0, len(c.groups) - MEMBERS_SHOWN),
            }
            for c in analysis.component_findings[:ROWS_SHOWN]
        ],
        "n_mixed": len(analysis.component_findings),
        "n_components": groups.n_components,
        "n_groups": len(groups),
        "largest_component": groups.largest_component,
        "chained": groups.chained,
        "chaining_note": groups.chaining_note,
        "rates": _partition_rows(analysis),
        "cophenetic": None
        if groups.cophenetic_correlation is None
        else f"{groups.cophenetic_correlation:.3f}",
        "linkage": groups.linkage,
    }


def _partition_rows(analysis: Analysis) -> list[tuple[str, str, str]]:
    def row(what: str, rates: PartitionRates | None) -> list[tuple[str, str, str]]:
        if rates is None:
            return []
        return [
            (
                what,
                f"{rate(rates.linked_together)} of {count(rates.n_linked, 'pair')}",
                f"{rate(rates.unlinked_together)} of {count(rates.n_unlinked, 'pair')}",
            )
        ]

    return [
        *row(f"groups ({analysis.groups.linkage} linkage)", analysis.group_rates),
        *row("components (links chained)", analysis.component_rates),
    ]


def evidence_section(analysis: Analysis, /) -> dict[str, Any]:
    """Return the population rule in words, the pairs behind the rates, and what they are worth."""
    threshold = analysis.threshold
    rates, links = threshold.error_rates, analysis.links
    chance = links.expected_chance_links
    base: dict[str, Any] = {
        "validated": rates is not None,
        "value": score(threshold.value),
        "sign": _sign(threshold),
        "metric": threshold.metric.name,
        "origin": _origin(threshold) + _without_stop(analysis),
        "comparisons": links.comparisons,
        "undefined": links.undefined,
        "chance": None if chance is None else f"{about(chance)}{_chance_ends(analysis)}",
        "found": len(links),
        "true_links": [
            (one_in(s.prevalence), _share(s), _share(w))
            for s, w in zip(analysis.true_links, analysis.least_true_links, strict=True)
        ],
        "strata_drawn": analysis.way == "sparse"
        and rates is not None
        and bool(rates.strata)
        and rates.strata[0].n_pairs > PAIRS_DRAWN,
        "strata": [
            (s.stratum, f"{s.n_pairs:,}", rate(s.link_rate), area(s.auc))
            for s in (() if rates is None else rates.strata)
        ],
    }
    if rates is None:
        return base
    rule = rates.rule
    left_out: dict[str, list[str]] = {}
    for name, why in rates.left_out.items():
        left_out.setdefault(why, []).append(name)
    return {
        **base,
        "cost": _cost(analysis),
        "rule": rule,
        "source_level": rule.source_level,
        "source_columns": ", ".join(rule.source),
        "strata_columns": ", ".join(rule.strata),
        "pairs": [
            ("linked", str(rule.linked), rates.n_linked, rates.n_linked_sources),
            ("unlinked", str(rule.unlinked), rates.n_unlinked, rates.n_unlinked_sources),
            ("not used", "neither, or it cannot be decided", rates.n_undecided, None),
            ("not used", "two profiles of one specimen", rates.n_same_specimen, None),
            ("not used", "known, but without a score", rates.n_undefined, None),
        ],
        "left_out": sorted(left_out.items()),
        "n_left_out": len(rates.left_out),
        "rates": [
            (
                "True-positive rate: linked pairs that meet the threshold",
                rate(rates.true_positive_rate),
                _interval(rates.true_positive_interval),
            ),
            (
                "False-positive rate: unlinked pairs that meet it",
                rate(rates.false_positive_rate),
                _interval(rates.false_positive_interval),
            ),
            (
                "Area under the ROC curve",
                area(rates.auc),
                f"{area(rates.auc_interval.low)} to {area(rates.auc_interval.high)}"
                + _drawn(analysis),
            ),
        ],
        "n_resamples": rates.n_resamples,
        "none_false": rates.false_positive_rate == 0.0,
        "all_found": rates.true_positive_rate == 1.0,
    }


# Rates whose price is told.
_PRICED = (0.01, 0.001, 0.0001)


def _cost(analysis: Analysis) -> str:
    """Say what a false-positive rate costs in this collection, in links."""
    rates, links = analysis.threshold.rates, analysis.links
    scored = links.comparisons - links.undefined
    priced = listing([f"{rate(r)} about {about(r * scored)}" for r in _PRICED])
    met = round(rates.false_positive_rate * rates.n_unlinked)
    each = about(scored / rates.n_unlinked)
    unlinked = count(rates.n_unlinked, "unlinked pair")
    return (
        f"A rate is paid for in every pair: here each false-positive rate makes so many links by "
        f"chance: {priced}. At this threshold {met:,} of {unlinked} of known source "
        f"{several(met, 'is a false link', 'are false links')}, and each stands for about {each} "
        "among all pairs: a rate that makes fewer chance links than that is not measurable here."
    )


def _drawn(analysis: Analysis) -> str:
    """Say how far drawing pairs may have moved the area."""
    error = analysis.threshold.rates.auc_error
    if error is None or analysis.sample is None:
        return ""
    drawn = count(analysis.sample.n_unlinked, "unlinked pair")
    return f"; measured on {drawn} drawn at random, standard error {error:.1g}"


def _origin(threshold: Threshold) -> str:
    value = score(threshold.value)
    if not threshold.validated:
        return (
            f"The threshold {value} was given. It is not validated: there are no pairs of known "
            "source, so neither false nor missed links can be counted."
        )
    if threshold.origin != "learned":
        return (
            f"The threshold {value} was given, not learned; its error rates were measured on "
            "pairs of known source."
        )
    asked = rate(threshold.target_rate)
    by_rate = "not known" if threshold.by_rate is None else score(threshold.by_rate)
    if threshold.capped:
        return (
            "Linked and unlinked pairs separate completely. By the rate alone the threshold would "
            f"be {by_rate}, the most permissive observed score at which at most {asked} of the "
            f"unlinked pairs are links. It was stopped at the middle of the gap, {value}: beyond "
            "it there would be links that no linked pair needs."
        )
    text = (
        f"Learned: {value} is the most permissive observed score at which at most {asked} of the "
        "unlinked pairs are links; a score equal to it is a link."
    )
    if threshold.rates.separated:
        text += " Linked and unlinked pairs separate completely in this sample."
    return text


def _without_stop(analysis: Analysis) -> str:
    """Say what the threshold by rate alone would have made of the same profiles."""
    uncapped = analysis.uncapped
    if uncapped is None:
        return ""
    return (
        f" At {score(uncapped.threshold)} the links would chain the profiles into "
        f"{uncapped.n_components} {several(uncapped.n_components, 'component', 'components')}, "
        f"with {rate(uncapped.components.unlinked_together)} of the unlinked pairs in one "
        f"component, and {analysis.groups.linkage} linkage would give {uncapped.n_groups} "
        f"{several(uncapped.n_groups, 'group', 'groups')}, with "
        f"{rate(uncapped.groups.unlinked_together)} of them in one group. At the threshold used "
        f"there are {analysis.groups.n_components} and {len(analysis.groups)}."
    )


def links_section(analysis: Analysis, /) -> dict[str, Any]:
    """Return the strongest links, with what each rests on."""
    links, groups = analysis.links, analysis.groups
    few = links.few_detected
    rows = []
    for k in range(min(len(links), ROWS_SHOWN)):
        a, b = int(links.rows[k]), int(links.columns[k])
        one, other = group_name(int(groups.labels[a])), group_name(int(groups.labels[b]))
        rows.append(
            {
                "rank": k + 1,
                "a": links.row_ids[a],
                "b": links.column_ids[b],
                "score": score(float(links.scores[k])),
                "measured": int(links.measured[k]),
                "detected": int(links.detected[k]),
                "few": bool(few[k]),
                "groups": one if one == other else f"{one} / {other}",
                "apart": one != other,
            }
        )
    return {
        "rows": rows,
        "total": len(links),
        "few": int(few.sum()),
        "across": analysis.links_between_groups,
        "median_detected": f"{float(np.median(links.detected)):g}" if len(links) else "none",
    }


def undecided_section(analysis: Analysis, /) -> dict[str, Any]:
    """Return the reasons not to rely on a group, each with the profiles it holds for."""
    alike: dict[tuple[str, Note], list[str]] = {}
    for name, reasons in analysis.undecided.items():
        for reason in reasons:
            alike.setdefault((analysis.group_of(name), reason), []).append(name)
    ordered = sorted(alike.items(), key=lambda item: (len(item[0][0]), item[0][0], -len(item[1])))
    rows = [
        {
            "group": group,
            "reason": reason.text,
            "names": names[:MEMBERS_SHOWN],
            "more": max(0, len(names) - MEMBERS_SHOWN),
        }
        for (group, reason), names in ordered[: 2 * ROWS_SHOWN]
    ]
    return {
        "rows": rows,
        "complete": len(ordered) == len(rows),
        "n_reasons": len(ordered),
        "total": len(analysis.undecided),
    }
