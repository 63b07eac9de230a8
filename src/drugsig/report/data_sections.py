"""The sections on the data: what was compared and how, and the quality of what was read."""

from __future__ import annotations

from typing import Any

import numpy as np

from drugsig._words import count, file_size, listing, rate, score
from drugsig.analysis.analysis import Analysis
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.pretreatment.steps import STEPS
from drugsig.profiles.status import Status
from drugsig.protocols.target import Target
from drugsig.quality.profile_checks import ProfileCheck

__all__ = [
    "MEMBERS_SHOWN",
    "ROWS_SHOWN",
    "compared_section",
    "provenance_section",
    "quality_section",
]

# Longer tables are for the files beside the report.
ROWS_SHOWN = 200

# Members listed of one group, and groups of one component: whoever has more reads the files.
MEMBERS_SHOWN = 200

_IMPUTED_NOTED = 0.2
_WORDS_SHOWN = 40

_ROLE_WORDS = {
    "main": "main compound",
    "internal_standard": "internal standard",
    "cutting_agent": "cutting agent",
    "solvent": "solvent",
    "degradation_product": "degradation product",
}

_STATUS_WORDS = (
    (Status.DETECTED, "detected"),
    (Status.BELOW_LOQ, "below quantification"),
    (Status.BELOW_LOD, "below detection"),
    (Status.NOT_MEASURED, "not measured"),
    (Status.REJECTED, "rejected"),
)


def compared_section(analysis: Analysis, /) -> dict[str, Any]:
    """Return what was compared and how: targets, recipe in words, metric and its convention."""
    metric = analysis.links.metric
    compared = analysis.compared.targets
    kept = {t.name for t in compared}
    read = {t.name for t in analysis.profiles.targets}
    reach = "without an upper end" if metric.high == np.inf else f"to {score(metric.high)}"
    return {
        "targets": [t.name for t in compared],
        "derived": not kept <= read,
        "left_out": [
            (why, names)
            for why, names in _left_out(analysis.profiles.targets, kept, derived=not kept <= read)
        ],
        "steps": _steps(analysis),
        "recipe": str(analysis.recipe),
        "metric": metric,
        "reach": f"{score(metric.low)} {reach}",
        "direction": "alike" if metric.is_similarity else "unlike",
        "self_value": score(metric.self_value),
        "min_measured": analysis.links.min_measured,
        "pairs": analysis.links.comparisons,
        "undefined": analysis.links.undefined,
        "linkage": analysis.groups.linkage,
        "way": analysis.way,
        "why_this_way": analysis.why_this_way,
    }


def _left_out(
    targets: tuple[Target, ...], kept: set[str], *, derived: bool
) -> list[tuple[str, list[str]]]:
    by_reason: dict[str, list[str]] = {}
    for target in targets:
        if target.role in _ROLE_WORDS and target.name not in kept:
            why = f"{_ROLE_WORDS[target.role]}: never compared"
        elif target.name not in kept and not derived:
            why = "left out by the recipe"
        else:
            continue
        by_reason.setdefault(why, []).append(target.name)
    return list(by_reason.items())


def _steps(analysis: Analysis) -> list[dict[str, str]]:
    done = analysis.compared.pretreatment
    steps = Recipe.from_data(done).steps if done else analysis.recipe.steps
    return [
        {
            "name": str(step),
            "formula": STEPS[step.name].formula,
            "note": STEPS[step.name].note.replace("`", ""),
            "learned": _learned(step.learned or {}),
        }
        for step in steps
    ]


def _learned(learned: dict[str, Any]) -> str:
    parts = []
    for key, value in learned.items():
        name = key.replace("_", " ")
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            parts.append(f"{name}: {listing(value, most=_WORDS_SHOWN)}")
        elif isinstance(value, (list, dict)):
            parts.append(f"{name}: {count(len(value), 'value')}")
        else:
            parts.append(f"{name}: {score(value) if isinstance(value, float) else value}")
    return "; ".join(parts)


def quality_section(analysis: Analysis, /) -> dict[str, Any]:
    """Return how all profiles are accounted for, and what stands out in which."""
    imputed = analysis.imputed_shares
    standing_out = [
        _check_row(check, imputed.get(check.profile_id, 0.0))
        for check in analysis.checks
        if check.flags or check.excluded or imputed.get(check.profile_id, 0.0) > _IMPUTED_NOTED
    ]
    reasons: dict[str, list[str]] = {}
    for name, why in analysis.excluded.items():
        reasons.setdefault(why, []).append(name)
    read = len(analysis.profiles)
    targets = [
        {
            "name": found.name,
            "role": _ROLE_WORDS.get(found.role, found.role),
            "compared": "yes" if found.compared else "no",
            "counts": [found.counts[s] for s, _ in _STATUS_WORDS],
            "share": rate(found.counts[Status.DETECTED] / read if read else None),
            "range": "none"
            if found.least is None or found.largest is None
            else f"{score(found.least)} to {score(found.largest)}",
            "unit": found.unit,
        }
        for found in analysis.target_findings
    ]
    used = [
        k
        for k, (s, _) in enumerate(_STATUS_WORDS)
        if any(found.counts[s] for found in analysis.target_findings)
    ]
    detected = np.array([c.detected for c in analysis.checks])
    return {
        "read": read,
        "compared": len(analysis.compared),
        "excluded": len(analysis.excluded),
        "reasons": [
            (why, names[:MEMBERS_SHOWN], len(names))
            for why, names in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
        ],
        "target_rows": targets,
        "status_words": [_STATUS_WORDS[k][1] for k in used],
        "status_used": used,
        "standing_out": standing_out[:ROWS_SHOWN],
        "n_standing_out": len(standing_out),
        "median_detected": f"{float(np.median(detected)):g}" if len(detected) else "none",
        "least_detected": int(detected.min()) if len(detected) else 0,
        "n_impurities": sum(t.role == "impurity" for t in analysis.profiles.targets),
        "n_imputed": len(imputed),
    }


def _check_row(check: ProfileCheck, imputed: float) -> dict[str, Any]:
    flags = [*check.flags]
    if check.identical_to:
        flags[0] = f"identical values in {listing(check.identical_to, most=5)}"
    if imputed > _IMPUTED_NOTED:
        flags.append(f"{rate(imputed)} of its sum was put in place of what was not detected")
    return {
        "id": check.profile_id,
        "detected": check.detected,
        "below": check.below_limit,
        "lacking": check.not_measured + check.rejected,
        "largest": rate(check.largest_share) if check.largest_share is not None else "none",
        "flags": "; ".join(flags),
        "excluded": check.excluded,
    }


def provenance_section(analysis: Analysis, /) -> dict[str, Any]:
    """Return what is needed to make the report again: inputs, versions, seed, digests."""
    read = [s.detail for s in analysis.profiles.history if s.operation == "read"]
    inputs = [(i.path, file_size(i.size), i.sha256) for i in analysis.inputs]
    return {
        "inputs": inputs,
        "inputs_told": [i for i in inputs if not i[0].startswith(f"{inputs[0][0]}/")],
        "versions": list(analysis.versions.items()),
        "seed": analysis.seed,
        "run_digest": analysis.run_digest,
        "profiles_digest": analysis.profiles.digest,
        "compared_digest": analysis.compared.digest,
        "guesses": [text for detail in read for text in _guesses(detail)],
        "cells": [
            (text, number)
            for detail in read
            for text, number in (detail.get("counts") or {}).items()
        ],
        "notes": [one.text for one in analysis.notes if one.note.category is not None],
    }


def _guesses(detail: dict[str, Any]) -> list[str]:
    joined = detail.get("joined") or {}
    return [*(detail.get("guesses") or ()), *(joined.get("guesses") or ())]
