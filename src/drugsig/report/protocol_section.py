"""What the protocol of an analysis says: the method, the targets, and what nobody verified."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from drugsig.protocols.display import COMPARISON_WORDS, harmonised_words
from drugsig.protocols.fact import Fact
from drugsig.protocols.measured_target import ProtocolTarget
from drugsig.protocols.protocol import Protocol
from drugsig.protocols.sections import QUALITY_CHECKS

__all__ = ["DIGEST_SHOWN", "protocol_section"]

# So many characters tell two digests apart; the whole digest stands beside the method.
DIGEST_SHOWN = 12

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
            (COMPARISON_WORDS[f.name].removeprefix("the "), *_fact(fact))
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
