"""What the protocol of an analysis says: the method, the targets, and what nobody verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from drugsig._words import listing
from drugsig.protocols.fact import Fact
from drugsig.protocols.measured_target import ProtocolTarget
from drugsig.protocols.protocol import Protocol
from drugsig.protocols.sections import QUALITY_CHECKS

__all__ = ["DIGEST_SHOWN", "harmonised_words", "protocol_section", "unverified_words"]

# So many characters tell two digests apart; the whole digest stands beside the method.
DIGEST_SHOWN = 12

# Names that are spelled out; the rest is counted, and all are in the table of targets.
_NAMES_SHOWN = 6

_COMPARISON_WORDS = {
    "recipe": "the pretreatment recipe",
    "metric": "the metric",
    "min_measured": "the least number of targets measured in both profiles",
    "source_level": "the level of source a link is about",
    "comparability": "which profiles may be compared",
}

_METHOD_WORDS = {"extraction_ph": "extraction pH"}


def protocol_section(protocol: Protocol, /) -> dict[str, Any]:
    """Return the record of the method, the targets and the quality rules, with their marks."""
    return {
        "name": protocol.name,
        "version": protocol.version,
        "title": protocol.title,
        "drug": protocol.drug,
        "technique": protocol.technique.upper().replace("_", "-"),
        "digest": protocol.digest,
        "harmonised": harmonised_words(protocol),
        "notes": list(protocol.notes),
        "method": [
            (_method_word(f.name), *_fact(fact))
            for f in fields(protocol.method)
            if (fact := getattr(protocol.method, f.name)) is not None
        ],
        "method_unknown": [_method_word(name) for name in protocol.method.unknown],
        "comparison": [
            (_COMPARISON_WORDS[f.name].removeprefix("the "), *_fact(fact))
            for f in fields(protocol.comparison)
            if (fact := getattr(protocol.comparison, f.name)) is not None
        ],
        "targets": [_target(t) for t in protocol.targets],
        "any_stability": any(t.stability is not None for t in protocol.targets),
        "rules": [(str(rule), rule.source, rule.verified) for rule in protocol.quality],
        "not_checked": [QUALITY_CHECKS[what][0] for what in protocol.not_checked],
        "sources": [(s.key, s.citation, s.read, s.note or "") for s in protocol.sources],
        "marked": bool(protocol.unverified),
    }


def harmonised_words(protocol: Protocol, /) -> str:
    """Say whether this is a harmonised method, and how much of its list is known."""
    known = protocol.completeness
    if known is None:
        return "no, the protocol names no published list of targets"
    if protocol.is_harmonised:
        return f"yes, {known}"
    if not known.harmonised:
        return f"no, {known}, which is no harmonised method"
    lacks = [] if known.is_complete else ["targets are missing"]
    lacks += ["not every field was verified"] if protocol.unverified else []
    return f"no, {known}; {listing(lacks)}"


def unverified_words(protocol: Protocol, /) -> list[str]:
    """Return what decides the results and was never read in a source, in words.

    One phrase a kind of field, with the names of the targets it concerns.
    """
    used = set(protocol.unverified_in_use)
    out = ["how much of the published list is known"] if "completeness" in used else []
    out += [words for name, words in _COMPARISON_WORDS.items() if f"comparison.{name}" in used]
    out += [
        f"the limit for the {QUALITY_CHECKS[rule.what][0]}"
        for rule in protocol.quality
        if f"quality.{rule.what}" in used
    ]
    concerned: dict[str, list[str]] = {}
    for target in protocol.targets:
        for path, kind in _target_paths(target):
            names = concerned.setdefault(kind, [])
            if path in used and target.name not in names:
                names.append(target.name)
    out += [f"{kind} {listing(names, most=_NAMES_SHOWN)}" for kind, names in concerned.items()
            if names]  # fmt: skip
    return out


def _target_paths(target: ProtocolTarget) -> Iterator[tuple[str, str]]:
    """Yield the path of every field of a target, as the protocol names it, and its kind."""
    path = f"targets.{target.name}"
    yield path, "that the method measures"
    yield f"{path}.measured_as", "what is measured of"
    yield f"{path}.quantifier", "the quantifier ion of"
    for qualifier in target.qualifiers:
        yield f"{path}.qualifiers.{qualifier.mz:g}", "a qualifier ion of"
    yield f"{path}.retention", "the retention of"
    yield f"{path}.stability", "the stability of"


def _method_word(name: str) -> str:
    return _METHOD_WORDS.get(name, name.replace("_", " "))


def _fact(fact: Fact) -> tuple[str, str, bool]:
    note = f" ({fact.note})" if fact.note else ""
    place = f"{fact.source}, {fact.where}" if fact.where else fact.source
    return f"{fact}{note}", place, fact.verified


def _target(target: ProtocolTarget) -> dict[str, Any]:
    quantifier, retention = target.quantifier, target.retention
    return {
        "name": target.name,
        "named": target.verified,
        "role": target.role.replace("_", " "),
        "quantifier": "" if quantifier is None else " + ".join(f"{mz:g}" for mz in quantifier.mz),
        "quantifier_verified": quantifier is None or quantifier.verified,
        "qualifiers": [
            {
                "mz": f"{q.mz:g}",
                "ratio": "" if q.expected_ratio is None else f"{q.expected_ratio:.3g}",
                "tolerance": "" if q.tolerance is None else f"{100 * q.tolerance:g} %",
                "verified": q.verified,
            }
            for q in target.qualifiers
        ],
        "time": ""
        if retention is None or retention.time_s is None
        else f"{retention.time_s:g} ± {retention.time_window_s:g}",
        "retention_verified": retention is None or retention.verified,
        "stability": "" if target.stability is None else target.stability.statement,
        "stability_verified": target.stability is None or target.stability.verified,
        "stability_action": "" if target.stability is None else target.stability.action,
    }
