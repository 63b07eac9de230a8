"""What a reader must know first of the runs: the protocol, blanks, controls, what failed."""

from __future__ import annotations

from collections.abc import Iterator

from drugsig._words import count, listing, rate, score, several
from drugsig.analysis.analysis import Analysis
from drugsig.analysis.run_findings import RunFindings
from drugsig.protocols.sections import QUALITY_CHECKS
from drugsig.quality.run_findings import BLANK, CONTROL
from drugsig.report.protocol_section import DIGEST_SHOWN, harmonised_words, unverified_words
from drugsig.report.run_sections import finding_words
from drugsig.report.warnings_first import Warned

__all__ = ["run_summary", "run_warnings"]

# From so many unverified fields on, or this much of a sample in a blank, nothing can be relied on.
_MANY_UNVERIFIED = 5
_MUCH_IN_BLANK = 0.1

_ERRORS_SHOWN, _FINDINGS_SHOWN = 5, 6

# These rules decide the status of cells while runs are extracted.
_APPLIED_IN_EXTRACTION = ("signal_to_noise", "qualifier_deviation")


def run_warnings(analysis: Analysis, found: RunFindings, /) -> list[Warned]:
    """Return the warnings about runs, the gravest first."""
    out = [
        *_about_reading(found),
        *_about_protocol(found),
        *_about_blanks(found),
        *_about_controls(analysis, found),
        *_about_standards(found),
        *_about_rules(found),
    ]
    return sorted(out, key=lambda one: not one.grave)


def run_summary(analysis: Analysis, found: RunFindings, /) -> list[tuple[str, str]]:
    """Return the rows on runs of the box at the top."""
    protocol, checks = found.protocol, found.checks
    blanks, controls = checks.of_kind(BLANK), checks.of_kind(CONTROL)
    samples = len(checks.runs) - len(blanks) - len(controls)
    told = f"{protocol.name}, version {protocol.version} ({protocol.digest[:DIGEST_SHOWN]})"
    runs = (
        f"{len(checks.runs):,} extracted: {count(samples, 'sample')}, "
        f"{count(len(blanks), 'blank run')}, {count(len(controls), 'control sample')}"
    )
    if found.errors:
        runs += f"; {len(found.errors):,} not read"
    rows = [("Protocol", told), ("Harmonised", harmonised_words(protocol)), ("Runs", runs)]
    if blanks:
        nothing = "no target but internal standards"
        rows.append(("In the blanks", listing(_findings(found), most=2) or nothing))
    agreement = found.agreement
    if agreement.worst is not None:
        alike = f"least alike pair {score(agreement.worst)}"
        meet = f"{agreement.n_meet} of {count(agreement.n_pairs, 'pair')} would be linked"
        rows.append(("Control samples", f"{alike}; {meet}"))
    cells = len(checks.runs) * len(checks.targets)
    rows.append(("Rejected cells", f"{len(checks.rejected):,} of {cells:,}"))
    return rows


def _about_reading(found: RunFindings) -> Iterator[Warned]:
    errors = found.errors
    if errors:
        told = "; ".join(f"{name}: {why}" for name, why in errors[:_ERRORS_SHOWN])
        rest = len(errors) - _ERRORS_SHOWN
        more = f"; and {rest:,} more, listed below" if rest > 0 else ""
        yield Warned(
            f"{count(len(errors), 'run')} could not be read",
            f"They are in no table, group or figure. {told}{more}",
            grave=True,
        )


def _about_protocol(found: RunFindings) -> Iterator[Warned]:
    protocol = found.protocol
    used = protocol.unverified_in_use
    if used:
        yield Warned(
            f"{count(len(used), 'field')} of the protocol {several(len(used), 'was', 'were')} "
            "never verified",
            f"Protocol {protocol.name} uses values that nobody has read in a source, and they "
            f"decide these results: {'; '.join(unverified_words(protocol))}.",
            grave=len(used) >= _MANY_UNVERIFIED,
        )
    if protocol.completeness is not None and not protocol.is_harmonised:
        yield Warned(
            "Not a harmonised method",
            f"Harmonised: {harmonised_words(protocol)}. Results are not comparable with those of "
            "laboratories that use the whole method.",
        )


def _about_blanks(found: RunFindings) -> Iterator[Warned]:
    blanks = found.checks.blanks
    if blanks:
        told = listing(_findings(found), most=_FINDINGS_SHOWN)
        yield Warned(
            "Targets in a blank",
            f"{told}. Carry-over or contamination may be part of the areas of the samples.",
            grave=any(f.exceeds or f.share is None or f.share >= _MUCH_IN_BLANK for f in blanks),
        )
    lacking = found.checks.without_blank
    if lacking:
        yield Warned(
            "No blank run",
            f"{_of_sequences(lacking)} no blank: carry-over and contamination were not looked for.",
        )


def _about_controls(analysis: Analysis, found: RunFindings) -> Iterator[Warned]:
    agreement = found.agreement
    if agreement.worst is not None and agreement.n_meet < agreement.n_pairs:
        yield Warned(
            "Control samples are not alike",
            f"The least alike pair, {' and '.join(agreement.worst_pair)}, scores "
            f"{score(agreement.worst)} and does not meet the threshold "
            f"{score(analysis.threshold.value)}: one and the same sample would not be linked with "
            "itself.",
            grave=True,
        )
    for name, why in agreement.left_out:
        yield Warned("A control sample cannot be compared", f"{name}: {why}.")
    wide = [c for c in found.checks.controls if c.exceeds]
    if wide:
        told = listing((f"{c.target} ({rate(c.rsd_to_standard or c.rsd)})" for c in wide), most=6)
        yield Warned(
            "Targets vary more than the protocol allows",
            f"Relative standard deviation over the control samples: {told}.",
        )
    lacking = found.checks.without_control
    if lacking:
        yield Warned(
            "No control sample",
            f"{_of_sequences(lacking)} no control sample: whether the instrument measured as usual "
            "was not looked at.",
        )


def _about_standards(found: RunFindings) -> Iterator[Warned]:
    for chart in found.checks.standards:
        if chart.outliers:
            ids = listing((name for name, _ in chart.outliers), most=_FINDINGS_SHOWN)
            yield Warned(
                f"Internal standard {chart.target} stands out in "
                f"{count(len(chart.outliers), 'run')}",
                f"{ids}. An outlier is {chart.rule}, or not found at all.",
            )
    if not found.checks.standards:
        yield Warned(
            "No internal standard",
            "The protocol names none: losses and injected amounts were not looked at.",
        )


def _about_rules(found: RunFindings) -> Iterator[Warned]:
    protocol = found.protocol
    if protocol.not_checked:
        told = "; ".join(QUALITY_CHECKS[what][0] for what in protocol.not_checked)
        yield Warned("Not checked", f"The protocol states no limit for: {told}.")
    applied = (*found.checks.applied, *_APPLIED_IN_EXTRACTION)
    stated = [str(r) for r in protocol.quality if r.what not in applied]
    if stated:
        yield Warned(
            "Stated and not applied",
            f"The protocol states these rules, which drugsig does not apply by itself: "
            f"{'; '.join(stated)}.",
        )


def _of_sequences(names: tuple[str, ...]) -> str:
    if not any(names):
        return "The runs have"
    has = several(len(names), "has", "have")
    return f"{several(len(names), 'Sequence', 'Sequences')} {listing(names)} {has}"


def _findings(found: RunFindings) -> list[str]:
    return [finding_words(f) for f in found.checks.blanks]
