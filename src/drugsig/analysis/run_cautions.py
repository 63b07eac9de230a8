"""What a reader must know of the runs of an analysis: protocol, blanks, controls, what failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from drugsig._notes import Note
from drugsig._words import listing, rate, score, several
from drugsig.acquisition.cell_reasons import Flag
from drugsig.acquisition.peak_table import PeakTable
from drugsig.analysis.run_findings import RunFindings
from drugsig.errors import DrugsigWarning
from drugsig.profiles.status import Status
from drugsig.protocols.display import harmonised_words, unverified_words
from drugsig.protocols.sections import QUALITY_CHECKS
from drugsig.quality.run_findings import BlankFinding

__all__ = [
    "ControlNotCompared",
    "ControlsNotAlike",
    "FlagInEveryRun",
    "KindsUnknown",
    "NoBlank",
    "NoControl",
    "NoInternalStandard",
    "NotHarmonised",
    "QualifierOff",
    "RulesNotApplied",
    "RunsNotRead",
    "StandardStandsOut",
    "TargetNeverDetected",
    "TargetsInBlank",
    "TargetsVary",
    "UncheckedQuality",
    "UnverifiedProtocol",
    "about_runs",
    "about_tables",
    "blank_words",
]

# A median ratio so far from the expected one is no scatter.
_RATIO_OFF = 0.15

# This much of a sample in a blank, and nothing can be relied on.
_MUCH_IN_BLANK = 0.1

_ERRORS_SHOWN, _FINDINGS_SHOWN = 5, 6

# These rules decide the status of cells while runs are extracted.
_APPLIED_IN_EXTRACTION = ("signal_to_noise", "qualifier_deviation")


@dataclass(frozen=True)
class TargetNeverDetected(Note):
    """A target was detected in no run, control samples included.

    Check its ions and retention time in the protocol.
    """

    code: ClassVar[str] = "target-never-detected"
    target: str
    n_runs: int

    def __str__(self) -> str:
        return (
            f"'{self.target}' was detected in none of {self.n_runs} runs, control samples "
            "included. Check its ions and retention time in the protocol."
        )


@dataclass(frozen=True)
class FlagInEveryRun(Note):
    """A target has the same flag in every run in which it was detected.

    Check its ions and its window of retention in the protocol.
    """

    code: ClassVar[str] = "flag-in-every-run"
    target: str
    flag: str
    meaning: str

    def __str__(self) -> str:
        return (
            f"'{self.target}', in every run where it was detected: "
            f"{self.meaning[0].lower()}{self.meaning[1:]}"
        )


@dataclass(frozen=True)
class QualifierOff(Note):
    """The ratio of a qualifier is not the expected one in the median run.

    Quantifier and qualifier may be exchanged, or the expected ratio wrong; below zero another
    qualifier is needed.
    """

    code: ClassVar[str] = "qualifier-off"
    target: str
    mz: float
    measured: float
    expected: float
    n_runs: int

    def __str__(self) -> str:
        why = (
            "Quantifier and qualifier may be exchanged, or the expected ratio wrong."
            if self.measured > 0.0
            else "Below zero the trace of this ion dips where the peak is, as beside a much "
            "larger peak: choose another qualifier."
        )
        return (
            f"'{self.target}': the ratio of its qualifier {self.mz:g} is {self.measured:.3g} in "
            f"the median of {self.n_runs} runs, and {self.expected:.3g} is expected. {why}"
        )


@dataclass(frozen=True)
class KindsUnknown(Note):
    """Nothing says which runs are blanks or control samples, so all are compared as samples.

    Give a metadata table with a column ``kind``.
    """

    code: ClassVar[str] = "kinds-unknown"

    def __str__(self) -> str:
        return (
            "Nothing says which runs are blanks or control samples: all are compared as samples. "
            "Give a metadata table with a column 'kind' (sample, blank, control)."
        )


@dataclass(frozen=True)
class RunsNotRead(Note):
    """Some runs could not be read or extracted, so they are nowhere in the result.

    Look at why each failed, and run the analysis again with the files mended or named to be left
    out.
    """

    code: ClassVar[str] = "runs-not-read"
    category: ClassVar[type[DrugsigWarning] | None] = None
    errors: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        told = "; ".join(f"{name}: {why}" for name, why in self.errors[:_ERRORS_SHOWN])
        rest = len(self.errors) - _ERRORS_SHOWN
        more = f"; and {rest:,} more, listed below" if rest > 0 else ""
        return f"They are in no table, group or figure. {told}{more}"


@dataclass(frozen=True)
class UnverifiedProtocol(Note):
    """Values of the protocol that nobody has read in a source decide the results.

    Read the source of each field, and mark it as verified or correct it.
    """

    code: ClassVar[str] = "unverified-protocol"
    category: ClassVar[type[DrugsigWarning] | None] = None
    protocol: str
    n_fields: int
    fields_in_words: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"Protocol {self.protocol} uses values that nobody has read in a source, and they "
            f"decide these results: {'; '.join(self.fields_in_words)}."
        )


@dataclass(frozen=True)
class NotHarmonised(Note):
    """The protocol is not the whole of a harmonised method.

    Compare these profiles with those of the same method only.
    """

    code: ClassVar[str] = "not-harmonised"
    category: ClassVar[type[DrugsigWarning] | None] = None
    harmonised: str

    def __str__(self) -> str:
        return (
            f"Harmonised: {self.harmonised}. Results are not comparable with those of "
            "laboratories that use the whole method."
        )


@dataclass(frozen=True)
class TargetsInBlank(Note):
    """Targets show a peak in a blank run, where none should be.

    Look for carry-over and contamination before small areas are believed.
    """

    code: ClassVar[str] = "targets-in-blank"
    category: ClassVar[type[DrugsigWarning] | None] = None
    findings: tuple[str, ...]
    much: bool

    def __str__(self) -> str:
        told = listing(self.findings, most=_FINDINGS_SHOWN)
        return f"{told}. Carry-over or contamination may be part of the areas of the samples."


@dataclass(frozen=True)
class NoBlank(Note):
    """Nothing says what the instrument carries over from run to run.

    Measure a blank in every sequence.
    """

    code: ClassVar[str] = "no-blank"
    category: ClassVar[type[DrugsigWarning] | None] = None
    sequences: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{_of_sequences(self.sequences)} no blank: carry-over and contamination were not "
            "looked for."
        )


@dataclass(frozen=True)
class ControlsNotAlike(Note):
    """One and the same sample, measured again, would not be linked with itself.

    Find out what changed between the two runs before anything is compared.
    """

    code: ClassVar[str] = "controls-not-alike"
    category: ClassVar[type[DrugsigWarning] | None] = None
    pair: tuple[str, ...]
    score: float
    threshold: float

    def __str__(self) -> str:
        return (
            f"The least alike pair, {' and '.join(self.pair)}, scores {score(self.score)} and does "
            f"not meet the threshold {score(self.threshold)}: one and the same sample would not be "
            "linked with itself."
        )


@dataclass(frozen=True)
class ControlNotCompared(Note):
    """A run of the control sample has no score with the others.

    Look at why; the other control samples say less without it.
    """

    code: ClassVar[str] = "control-not-compared"
    category: ClassVar[type[DrugsigWarning] | None] = None
    profile: str
    why: str

    def __str__(self) -> str:
        return f"{self.profile}: {self.why}."


@dataclass(frozen=True)
class TargetsVary(Note):
    """Targets vary more over the control samples than the protocol allows.

    Leave these targets out, or find out why they vary.
    """

    code: ClassVar[str] = "targets-vary"
    category: ClassVar[type[DrugsigWarning] | None] = None
    deviations: tuple[tuple[str, float | None], ...]

    def __str__(self) -> str:
        told = listing((f"{name} ({rate(rsd)})" for name, rsd in self.deviations), most=6)
        return f"Relative standard deviation over the control samples: {told}."


@dataclass(frozen=True)
class NoControl(Note):
    """Nothing says whether the instrument measured as usual.

    Measure the control sample in every sequence.
    """

    code: ClassVar[str] = "no-control"
    category: ClassVar[type[DrugsigWarning] | None] = None
    sequences: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{_of_sequences(self.sequences)} no control sample: whether the instrument measured "
            "as usual was not looked at."
        )


@dataclass(frozen=True)
class StandardStandsOut(Note):
    """In some runs the area of an internal standard is not what it is in the others.

    Look at these runs: the amount injected or the standard may be wrong.
    """

    code: ClassVar[str] = "standard-stands-out"
    category: ClassVar[type[DrugsigWarning] | None] = None
    target: str
    runs: tuple[str, ...]
    rule: str

    def __str__(self) -> str:
        ids = listing(self.runs, most=_FINDINGS_SHOWN)
        return f"{ids}. An outlier is {self.rule}, or not found at all."


@dataclass(frozen=True)
class NoInternalStandard(Note):
    """The protocol names no internal standard.

    Add one to the protocol, so that losses show.
    """

    code: ClassVar[str] = "no-internal-standard"
    category: ClassVar[type[DrugsigWarning] | None] = None

    def __str__(self) -> str:
        return "The protocol names none: losses and injected amounts were not looked at."


@dataclass(frozen=True)
class UncheckedQuality(Note):
    """The protocol states no limit for something that could be checked.

    State a limit in the protocol, or look at it by hand.
    """

    code: ClassVar[str] = "unchecked-quality"
    category: ClassVar[type[DrugsigWarning] | None] = None
    checks: tuple[str, ...]

    def __str__(self) -> str:
        return f"The protocol states no limit for: {'; '.join(self.checks)}."


@dataclass(frozen=True)
class RulesNotApplied(Note):
    """The protocol states rules that are left to the reader.

    Check these rules by hand.
    """

    code: ClassVar[str] = "rules-not-applied"
    category: ClassVar[type[DrugsigWarning] | None] = None
    rules: tuple[str, ...]

    def __str__(self) -> str:
        return (
            "The protocol states these rules, which drugsig does not apply by itself: "
            f"{'; '.join(self.rules)}."
        )


def about_tables(tables: Sequence[PeakTable], /) -> Iterator[Note]:
    """Yield targets that went wrong in every run: ions or retention may be wrong."""
    for k, name in enumerate(tables[0].targets):
        status = np.array([t.status[k] for t in tables])
        found = status == Status.DETECTED
        if not found.any():
            yield TargetNeverDetected(name, len(tables))
            continue
        shown = [t for t, seen in zip(tables, found, strict=True) if seen]
        for flag in (Flag.NOT_CONFIRMED, Flag.SEVERAL_PEAKS):
            if len(shown) > 1 and all(flag in t.flags[k] for t in shown):
                yield FlagInEveryRun(name, flag.value, flag.words)
        for q, ratio in enumerate(shown[0].qualifiers[k]):
            if len(shown) <= 2:
                continue
            measured = float(np.nanmedian([t.qualifiers[k][q].measured for t in shown]))
            if abs(measured / ratio.expected - 1.0) > _RATIO_OFF:
                yield QualifierOff(
                    name, float(ratio.mz), measured, float(ratio.expected), len(shown)
                )


def about_runs(found: RunFindings, /, *, threshold: float) -> Iterator[Note]:
    """Yield what makes the areas of runs worth less than they look.

    Parameters
    ----------
    found : RunFindings
        What was extracted, and what the runs say together.
    threshold : float
        That of the analysis.
    """
    if found.errors:
        yield RunsNotRead(found.errors)
    yield from _about_protocol(found)
    blanks = found.checks.blanks
    if blanks:
        yield TargetsInBlank(
            tuple(blank_words(f) for f in blanks),
            much=any(f.exceeds or f.share is None or f.share >= _MUCH_IN_BLANK for f in blanks),
        )
    if found.checks.without_blank:
        yield NoBlank(found.checks.without_blank)
    yield from _about_controls(found, threshold)
    for chart in found.checks.standards:
        if chart.outliers:
            yield StandardStandsOut(
                chart.target, tuple(name for name, _ in chart.outliers), chart.rule
            )
    if not found.checks.standards:
        yield NoInternalStandard()


def _about_protocol(found: RunFindings) -> Iterator[Note]:
    protocol = found.protocol
    used = protocol.unverified_in_use
    if used:
        yield UnverifiedProtocol(protocol.name, len(used), tuple(unverified_words(protocol)))
    if protocol.completeness is not None and not protocol.is_harmonised:
        yield NotHarmonised(harmonised_words(protocol))
    if protocol.not_checked:
        yield UncheckedQuality(tuple(QUALITY_CHECKS[what][0] for what in protocol.not_checked))
    applied = (*found.checks.applied, *_APPLIED_IN_EXTRACTION)
    stated = tuple(str(r) for r in protocol.quality if r.what not in applied)
    if stated:
        yield RulesNotApplied(stated)


def _about_controls(found: RunFindings, threshold: float) -> Iterator[Note]:
    agreement = found.agreement
    if agreement.worst is not None and agreement.n_meet < agreement.n_pairs:
        yield ControlsNotAlike(agreement.worst_pair, agreement.worst, threshold)
    for name, why in agreement.left_out:
        yield ControlNotCompared(name, why)
    wide = tuple((c.target, c.rsd_to_standard or c.rsd) for c in found.checks.controls if c.exceeds)
    if wide:
        yield TargetsVary(wide)
    if found.checks.without_control:
        yield NoControl(found.checks.without_control)


def blank_words(finding: BlankFinding, /) -> str:
    """Return a target found in a blank, with its share of the median sample."""
    if finding.share is None:
        part = "in no sample"
    elif finding.share < 1:
        part = f"{rate(finding.share)} of the median sample"
    else:
        part = f"{finding.share:.3g} times the median sample"
    state = "" if finding.status == Status.DETECTED else f", {finding.status.label}"
    return f"{finding.target} in {finding.profile_id} ({part}{state})"


def _of_sequences(names: Sequence[str]) -> str:
    if not any(names):
        return "The runs have"
    has = several(len(names), "has", "have")
    return f"{several(len(names), 'Sequence', 'Sequences')} {listing(names)} {has}"
