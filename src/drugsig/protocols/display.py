"""Protocols as text for people: the list of them, and one of them in full."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import fields

from drugsig._words import listing
from drugsig.protocols.fact import Fact
from drugsig.protocols.measured_target import ProtocolTarget, Qualifier, Retention
from drugsig.protocols.protocol import Protocol
from drugsig.protocols.reading import list_protocols, load_protocol
from drugsig.protocols.sections import QUALITY_CHECKS

__all__ = [
    "COMPARISON_WORDS",
    "format_protocol",
    "harmonised_words",
    "protocol_table",
    "unverified_words",
]

_WIDTH = 88
_MARK = " [not verified]"

# Names that are spelled out; the rest is counted, and all are in the table of targets.
_NAMES_SHOWN = 6

COMPARISON_WORDS = {
    "recipe": "the pretreatment recipe",
    "metric": "the metric",
    "min_measured": "the least number of targets measured in both profiles",
    "source_level": "the level of source a link is about",
    "comparability": "which profiles may be compared",
}


def protocol_table() -> str:
    """Return the protocols that come with drugsig as a table in text, one a line."""
    rows = [("name", "version", "drug", "targets", "not verified", "to fill in", "list known")]
    for name in list_protocols():
        protocol = load_protocol(name)
        known = protocol.completeness
        rows.append(
            (
                name,
                protocol.version,
                protocol.drug,
                str(len(protocol.targets)),
                str(len(protocol.unverified)),
                str(len(protocol.missing_for_extraction)),
                f"{known.named} of {known.listed}" if known else "-",
            )
        )
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def format_protocol(protocol: Protocol, /) -> str:
    """Return a protocol as text: what it is, what is not verified, and what is left to fill in."""
    sections = (_head, _targets, _method, _comparison, _quality, _open_ends, _sources)
    return "\n".join("\n".join(section(protocol)) for section in sections)


def _head(protocol: Protocol) -> Iterator[str]:
    yield f"{protocol.name}, version {protocol.version}"
    yield protocol.title
    yield f"  drug: {protocol.drug}    technique: {protocol.technique}"
    yield f"  digest: {protocol.digest}"
    known = protocol.completeness
    if known is None:
        yield "  harmonised: no"
    elif protocol.is_harmonised:
        yield f"  harmonised: yes, {known}"
    else:
        yield f"  harmonised: no ({known}{_mark(known.verified)})"
    for note in protocol.notes:
        yield from _wrapped(note, "  note: ")
    yield ""


def _targets(protocol: Protocol) -> Iterator[str]:
    yield f"Targets ({len(protocol.targets)}, compared: {len(protocol.compared)})"
    for target in protocol.targets:
        yield f"  {target.name}, {target.role}{_mark(target.verified)}"
        yield from _target_lines(target)
    yield ""


def _target_lines(target: ProtocolTarget) -> Iterator[str]:
    if target.identifiers:
        for f in fields(target.identifiers):
            fact = getattr(target.identifiers, f.name)
            if fact is not None:
                yield f"      {f.name}: {_fact(fact)}"
    if target.measured_as:
        yield f"      measured as: {_fact(target.measured_as)}"
    quantifier = target.quantifier
    if quantifier:
        ions = " + ".join(f"{mz:g}" for mz in quantifier.mz)
        yield f"      quantifier: m/z {ions} ({quantifier.source}){_mark(quantifier.verified)}"
    for qualifier in target.qualifiers:
        yield f"      qualifier: {_qualifier(qualifier)}"
    if target.retention:
        yield f"      retention: {_retention(target.retention)}"
    if target.missing:
        yield f"      to fill in: {', '.join(target.missing)}"
    if target.stability:
        stability = target.stability
        text = f"{stability.statement}; {stability.action}{_mark(stability.verified)}"
        yield from _wrapped(text, "      stability: ")
    if target.note:
        yield from _wrapped(target.note, "      note: ")


def _qualifier(qualifier: Qualifier) -> str:
    text = f"m/z {qualifier.mz:g}"
    if qualifier.expected_ratio is not None:
        text += f", ratio {qualifier.expected_ratio:g}"
        text += (
            " (no tolerance: not checked)"
            if qualifier.tolerance is None
            else f" within {100 * qualifier.tolerance:g} %"
        )
    return f"{text} ({qualifier.source}){_mark(qualifier.verified)}"


def _retention(retention: Retention) -> str:
    parts = []
    if retention.time_s is not None:
        parts.append(f"{retention.time_s:g} s within {retention.time_window_s:g} s")
    if retention.index is not None:
        parts.append(f"index {retention.index:g} within {retention.index_window:g}")
    return f"{', '.join(parts)} ({retention.source}){_mark(retention.verified)}"


def _method(protocol: Protocol) -> Iterator[str]:
    yield "Analytical method"
    for f in fields(protocol.method):
        fact = getattr(protocol.method, f.name)
        if fact is not None:
            yield from _wrapped(_fact(fact), f"  {f.name.replace('_', ' ')}: ")
    if protocol.method.unknown:
        unknown = ", ".join(name.replace("_", " ") for name in protocol.method.unknown)
        yield from _wrapped(unknown, "  not known: ")
    yield ""


def _comparison(protocol: Protocol) -> Iterator[str]:
    yield "Comparison"
    for f in fields(protocol.comparison):
        fact = getattr(protocol.comparison, f.name)
        if fact is not None:
            yield from _wrapped(_fact(fact), f"  {f.name.replace('_', ' ')}: ")
    yield ""


def _quality(protocol: Protocol) -> Iterator[str]:
    yield "Quality"
    for rule in protocol.quality:
        yield from _wrapped(f"{rule} ({rule.source}){_mark(rule.verified)}", "  ")
        if rule.note:
            yield from _wrapped(rule.note, "      note: ")
    for what in protocol.not_checked:
        yield f"  not checked: {QUALITY_CHECKS[what][0]}"
    yield ""


def _open_ends(protocol: Protocol) -> Iterator[str]:
    missing = protocol.missing_for_extraction
    yield f"To fill in by the laboratory before runs can be extracted ({len(missing)} targets)"
    for name, parts in missing.items():
        yield f"  {name}: {', '.join(parts)}"
    yield ""
    used = set(protocol.unverified_in_use)
    yield f"Not verified ({len(protocol.unverified)} fields, {len(used)} of them decide results)"
    for path in protocol.unverified:
        yield f"  {path}{'' if path in used else ' (decides nothing)'}"
    yield ""


def _sources(protocol: Protocol) -> Iterator[str]:
    yield "Sources"
    for source in protocol.sources:
        text = f"{source.citation} (read: {source.read})"
        yield from _wrapped(text, f"  {source.key}: ")
        if source.note:
            yield from _wrapped(source.note, "      note: ")
    yield ""


def _mark(verified: bool) -> str:
    return "" if verified else _MARK


def _fact(fact: Fact) -> str:
    place = f"{fact.source}, {fact.where}" if fact.where else fact.source
    note = f"; {fact.note}" if fact.note else ""
    return f"{fact} ({place}{note}){_mark(fact.verified)}"


def _wrapped(text: str, start: str) -> list[str]:
    indent = " " * (len(start) - len(start.lstrip()) + 4)
    return textwrap.wrap(
        text, _WIDTH, initial_indent=start, subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


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
    out += [words for name, words in COMPARISON_WORDS.items() if f"comparison.{name}" in used]
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
