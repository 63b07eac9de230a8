"""What is found when all runs are looked at together: of each run, each target and the blanks."""

from __future__ import annotations

from dataclasses import dataclass

from drugsig.acquisition.cell_reasons import Flag, Reason
from drugsig.profiles.status import Status
from drugsig.quality.standard_charts import StandardChart

__all__ = [
    "BLANK",
    "CONTROL",
    "SAMPLE",
    "WORST_FIRST",
    "BlankFinding",
    "ControlSpread",
    "RejectedCell",
    "RunCheck",
    "RunChecks",
    "TargetCheck",
]

BLANK = "blank run"
CONTROL = "control sample"
SAMPLE = "sample"

# What most likely makes an area wrong comes first.
WORST_FIRST = (
    Flag.CUT_OFF,
    Flag.SHOULDER,
    Flag.TOUCHING,
    Flag.SEVERAL_PEAKS,
    Flag.PEAK_BESIDE_WINDOW,
    Flag.NOISE_HIDDEN,
    Flag.NOT_CONFIRMED,
    Flag.QUALIFIER_SATURATED,
    Flag.QUALIFIER_WEAK,
    Flag.SHORT_NOISE,
)


@dataclass(frozen=True)
class RejectedCell:
    """A target whose value in one run was rejected.

    Parameters
    ----------
    profile_id, target : str
        Where.
    reason : Reason
        Why.
    retention_time_s, signal_to_noise : float
        Of the peak.
    """

    profile_id: str
    target: str
    reason: Reason
    retention_time_s: float
    signal_to_noise: float


@dataclass(frozen=True)
class RunCheck:
    """What one run holds, and what a reader should look at.

    Parameters
    ----------
    profile_id, run_name : str
        The run.
    kind : str
        `SAMPLE`, `BLANK` or `CONTROL`.
    sequence : str
        The analytical series it belongs to; empty if that is not known.
    detected, below_limit, rejected, not_measured : int
        How many of the targets, those of every role, have which status.
    retention_shift_s : float or None
        The median over its peaks of found minus expected retention time; None without a peak.
    marks : tuple of (Flag, int)
        The flags of its cells and how many cells have each, the worst first.
    flags : tuple of str
        What a reader should look at, in words.
    """

    profile_id: str
    run_name: str
    kind: str
    sequence: str
    detected: int
    below_limit: int
    rejected: int
    not_measured: int
    retention_shift_s: float | None
    marks: tuple[tuple[Flag, int], ...]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class TargetCheck:
    """What one target shows over all runs.

    Parameters
    ----------
    target, role : str
        The target.
    detected, below_limit, rejected, not_measured : int
        In how many runs it has which status.
    median_shift_s, largest_shift_s : float or None
        Found minus expected retention time over the runs with a peak; the largest by size, with
        its sign. None without a peak.
    largest_shift_in : str
        The profile with the largest shift.
    least_signal_to_noise, largest_signal_to_noise : float or None
        Over the runs in which it was detected.
    """

    target: str
    role: str
    detected: int
    below_limit: int
    rejected: int
    not_measured: int
    median_shift_s: float | None
    largest_shift_s: float | None
    largest_shift_in: str
    least_signal_to_noise: float | None
    largest_signal_to_noise: float | None


@dataclass(frozen=True)
class BlankFinding:
    """A target that shows a peak in a blank run, where none should be.

    Parameters
    ----------
    profile_id, target, role : str
        The blank run and the target; internal standards are no findings.
    status : Status
        Detected, below the limit of quantitation, or rejected.
    reason : Reason
        Why it is not simply detected.
    area : float
        In s times intensity.
    share : float or None
        The area over the median area of the target in the samples of the sequence that hold it;
        None if no sample does.
    exceeds : bool
        Whether the share is above the limit of the protocol's rule for ``blank_area``.
    """

    profile_id: str
    target: str
    role: str
    status: Status
    reason: Reason
    area: float
    share: float | None
    exceeds: bool


@dataclass(frozen=True)
class ControlSpread:
    """How much a target varies over the runs of the control sample.

    Parameters
    ----------
    target, role : str
        The target.
    n : int
        In how many control runs it was detected.
    mean : float
        Of its areas.
    rsd : float or None
        Relative standard deviation of the areas, a share; None with fewer than two.
    rsd_to_standard : float or None
        The same of the areas over that of the first internal standard; None without it.
    exceeds : bool
        Whether the deviation is above the limit of the protocol's rule for ``replicate_rsd``:
        that of the areas over the internal standard, where there is one.
    """

    target: str
    role: str
    n: int
    mean: float
    rsd: float | None
    rsd_to_standard: float | None
    exceeds: bool


@dataclass(frozen=True, eq=False)
class RunChecks:
    """What all runs say together.

    Parameters
    ----------
    runs : tuple of RunCheck
        In the order of the tables.
    targets : tuple of TargetCheck
        In the order of the targets.
    rejected : tuple of RejectedCell
        By run, then by target.
    blanks : tuple of BlankFinding
        The largest share first.
    controls : tuple of ControlSpread
        Of the targets detected in a control run; empty without control runs.
    standards : tuple of StandardChart
        One an internal standard.
    without_blank, without_control : tuple of str
        The sequences with samples that have none; ``""`` stands for all runs where sequences are
        not known.
    applied : tuple of str
        The quality rules of the protocol that were applied here.
    """

    runs: tuple[RunCheck, ...]
    targets: tuple[TargetCheck, ...]
    rejected: tuple[RejectedCell, ...]
    blanks: tuple[BlankFinding, ...]
    controls: tuple[ControlSpread, ...]
    standards: tuple[StandardChart, ...]
    without_blank: tuple[str, ...]
    without_control: tuple[str, ...]
    applied: tuple[str, ...]

    def of_kind(self, kind: str, /) -> tuple[RunCheck, ...]:
        """Return the runs of one kind."""
        return tuple(r for r in self.runs if r.kind == kind)

    @property
    def flags(self) -> dict[str, tuple[str, ...]]:
        """What a reader should look at in each run, by profile id."""
        return {r.profile_id: r.flags for r in self.runs}
