"""Why a cell has the status it has: the rules, in one place and in words."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from drugsig.acquisition.integration import Integrated, QualifierArea
from drugsig.acquisition.target_window import TargetWindow
from drugsig.profiles.status import Status

__all__ = ["LEAST_NOISE_WIDTHS", "Flag", "Reason", "judge"]

# Peak-to-peak noise is taken over this many widths at half height (European Pharmacopoeia 2.2.46).
LEAST_NOISE_WIDTHS = 20.0

# A valley this high leaves the areas of two peaks to the way they are cut apart.
_OVERLAPPED = 0.5

# From here on a valley is worth a look.
_TOUCHING = 0.1

# Below this signal to noise the place of an apex means little.
_APEX_TOLD = 10.0

# Expanded uncertainty: about 95 % of a normal distribution.
_COVERAGE = 1.96


class Reason(StrEnum):
    """Why a target was not simply detected."""

    NONE = ""
    NO_PEAK = "no_peak"
    BELOW_LOD = "below_lod"
    BELOW_LOQ = "below_loq"
    OUTSIDE_RUN = "outside_run"
    ION_NOT_SCANNED = "ion_not_scanned"
    SATURATED = "saturated"
    OFF_RETENTION = "off_retention"
    QUALIFIER_RATIO = "qualifier_ratio"
    OVERLAPPED = "overlapped"
    SHARED_PEAK = "shared_peak"

    @property
    def words(self) -> str:
        """The reason as a sentence."""
        return _WORDS[self.value]


class Flag(StrEnum):
    """What a reader should look at, whatever the status."""

    NOISE_HIDDEN = "noise_hidden"
    SHORT_NOISE = "short_noise"
    SHOULDER = "shoulder"
    TOUCHING = "touching"
    SEVERAL_PEAKS = "several_peaks"
    CUT_OFF = "cut_off"
    NOT_CONFIRMED = "not_confirmed"
    QUALIFIER_WEAK = "qualifier_weak"
    QUALIFIER_SATURATED = "qualifier_saturated"
    PEAK_BESIDE_WINDOW = "peak_beside_window"

    @property
    def words(self) -> str:
        """The flag as a sentence."""
        return _WORDS[self.value]


_WORDS = {
    "": "Detected.",
    "no_peak": "No peak stands out in the retention window.",
    "below_lod": "The peak is below the limit of detection.",
    "below_loq": "The peak is below the limit of quantitation.",
    "outside_run": "The run does not cover the retention window.",
    "ion_not_scanned": "A quantifier ion was not recorded.",
    "saturated": "The detector was full: the true area is larger.",
    "off_retention": "A peak with the right ions lies outside the retention window.",
    "qualifier_ratio": "A qualifier ion does not stand in the expected ratio.",
    "overlapped": "Another compound overlaps the peak.",
    "shared_peak": "The same peak on the same ion was taken for another target as well.",
    "noise_hidden": "More than a quarter of the points beside the peak are exactly zero: noise was "
    "cut off or subtracted before, and signal to noise says too much.",
    "short_noise": "Less than 20 peak widths were free of peaks to see the noise in.",
    "shoulder": "The peak bends twice: something may be hidden in it.",
    "touching": "The valley to a neighbour is higher than a tenth of the peak.",
    "several_peaks": "More than one peak lies in the retention window.",
    "cut_off": "The peak does not end within its window.",
    "not_confirmed": "No qualifier ion confirms the peak: none is named, or none was recorded.",
    "qualifier_weak": "A qualifier ion is expected below its own limit of detection and was not "
    "held against the ratio.",
    "qualifier_saturated": "A qualifier ion is saturated and was not held against the ratio.",
    "peak_beside_window": "A peak that no qualifier confirms lies just outside the retention "
    "window.",
}


def judge(
    found: Integrated, target: TargetWindow, recorded: frozenset[float], /
) -> tuple[Status, Reason, tuple[Flag, ...]]:
    """Give a cell its status, the reason for it, and what else should be looked at.

    Parameters
    ----------
    found : Integrated
        What was found in the window.
    target : TargetWindow
        What was looked for.
    recorded : frozenset of float
        The qualifier ions that the run recorded.

    Returns
    -------
    status, reason, flags
        The first rule that applies decides: no peak or below the limit of detection, off
        retention, saturated, qualifier ratio, overlapped, below the limit of quantitation.
    """
    flags = []
    if found.noise_hidden:
        flags.append(Flag.NOISE_HIDDEN)
    if found.noise_widths < LEAST_NOISE_WIDTHS:
        flags.append(Flag.SHORT_NOISE)
    if found.shape is None:
        return _no_peak(found, target, flags)
    if not found.signal_to_noise >= target.lod:
        return Status.BELOW_LOD, Reason.BELOW_LOD, tuple(flags)
    asked, wrong = _held_against(found, target, recorded, flags)
    if found.outside:
        if asked and not wrong:
            return Status.REJECTED, Reason.OFF_RETENTION, tuple(flags)
        flags.append(Flag.PEAK_BESIDE_WINDOW)
        return _no_peak(found, target, flags)
    flags += [
        flag
        for flag, holds in (
            (Flag.SEVERAL_PEAKS, found.rivals > 0),
            (Flag.SHOULDER, found.shoulder),
            (Flag.TOUCHING, found.shape.valley > _TOUCHING),
            (Flag.CUT_OFF, found.cut_off),
        )
        if holds
    ]
    if found.saturated:
        return Status.REJECTED, Reason.SATURATED, tuple(flags)
    if wrong:
        return Status.REJECTED, Reason.QUALIFIER_RATIO, tuple(flags)
    if found.shape.valley > _OVERLAPPED or _apexes_apart(found, asked):
        return Status.REJECTED, Reason.OVERLAPPED, tuple(flags)
    if not found.signal_to_noise >= target.loq:
        return Status.BELOW_LOQ, Reason.BELOW_LOQ, tuple(flags)
    return Status.DETECTED, Reason.NONE, tuple(flags)


def _no_peak(
    found: Integrated, target: TargetWindow, flags: list[Flag]
) -> tuple[Status, Reason, tuple[Flag, ...]]:
    """Judge a window without a peak of its own.

    On the flank of another compound no peak shows that is not higher than the flank: what stands
    there as high as the limit of quantitation may hide the target, and nothing is known of it.
    """
    if found.level_there > 0.5 * target.loq * found.height_of_noise > 0:
        return Status.REJECTED, Reason.OVERLAPPED, tuple(flags)
    return Status.BELOW_LOD, Reason.NO_PEAK, tuple(flags)


def _held_against(
    found: Integrated, target: TargetWindow, recorded: frozenset[float], flags: list[Flag]
) -> tuple[list[QualifierArea], list[QualifierArea]]:
    """Return the qualifiers whose ratio can be judged, and those of them that are off."""
    asked, wrong = [], []
    for q, ion in zip(target.qualifiers, found.qualifiers, strict=True):
        if q.mz not in recorded:
            continue
        if ion.saturated:
            _once(flags, Flag.QUALIFIER_SATURATED)
            continue
        # A target that is there may show less of this ion than its noise: no evidence against it.
        expected_height = found.height * q.ratio
        if expected_height < 0.5 * target.lod * ion.height_of_noise:
            _once(flags, Flag.QUALIFIER_WEAK)
            continue
        asked.append(ion)
        expected = q.ratio * found.area
        apart = abs(ion.area - expected)
        doubt = np.hypot(ion.uncertainty, q.ratio * found.uncertainty)
        if apart > q.tolerance * expected + _COVERAGE * doubt:
            wrong.append(ion)
    if not asked and Flag.QUALIFIER_WEAK not in flags:
        _once(flags, Flag.NOT_CONFIRMED)
    return asked, wrong


def _once(flags: list[Flag], flag: Flag) -> None:
    if flag not in flags:
        flags.append(flag)


def _apexes_apart(found: Integrated, asked: list[QualifierArea]) -> bool:
    """Say whether a strong qualifier peaks elsewhere than the quantifier does.

    Two ions of one compound peak together, to within the time that a scan takes; half a peak
    width apart they belong to two compounds.
    """
    if found.shape is None:
        return False
    width = found.shape.width_s if np.isfinite(found.shape.width_s) else found.width_s
    most = max(1.5 * found.interval_s, 0.5 * width)
    return any(
        ion.signal_to_noise >= _APEX_TOLD and abs(ion.apex_time_s - found.shape.apex_time_s) > most
        for ion in asked
    )
