"""`TargetWindow`: where and on which ions a target is looked for, and how it is judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from drugsig._check import choose, listed, one_line_text, unique_text
from drugsig.errors import InputError
from drugsig.protocols.target import ROLES

__all__ = ["Qualifier", "TargetWindow", "checked_targets"]

DETECTION = 3.0
QUANTITATION = 10.0


def _positive(value: float, what: str) -> float:
    number = float(value)
    if not (np.isfinite(number) and number > 0):
        raise InputError(f"{what} must be a number above 0, got {value!r}")
    return number


@dataclass(frozen=True)
class Qualifier:
    """An ion that must stand in a known ratio to the quantifier.

    Parameters
    ----------
    mz : float
        Its m/z.
    ratio : float
        The expected area of this ion over the area of the quantifier.
    tolerance : float
        How far a ratio may be off, as a share of the expected one: 0.2 is 20 %.
    """

    mz: float
    ratio: float
    tolerance: float = 0.2

    def __post_init__(self) -> None:
        _positive(self.mz, "the m/z of a qualifier")
        _positive(self.ratio, f"the expected ratio of qualifier m/z {self.mz:g}")
        _positive(self.tolerance, f"the tolerance of qualifier m/z {self.mz:g}")


@dataclass(frozen=True)
class TargetWindow:
    """Where and on which ions one target is looked for, and how it is judged.

    Parameters
    ----------
    name : str
        Of the target.
    retention_time_s : float
        Where its apex is expected, in seconds.
    window_s : float
        How far the apex may be from there, in seconds, to either side.
    quantifier : tuple of float
        The m/z whose trace is integrated; of several, the sum of their traces.
    qualifiers : tuple of Qualifier
        Ions that confirm it; without any, a peak is told by its retention time alone.
    tolerance : float
        How far the m/z of a point may be from that of an ion, in Da. The interval is half-open,
        ``[mz - tolerance, mz + tolerance)``: at 0.5, neighbouring whole masses share no point.
    role : str
        One of `drugsig.protocols.ROLES`.
    lod, loq : float
        The least signal to noise (2H/h) of a peak that is detected, and of one whose area is
        given as detected.
    saturation : float or None
        The intensity of one ion in one scan at which the detector is full; None if that is not
        known. Flat tops are found without it.
    peak_width_s : float or None
        The usual width at half height, in seconds; None to learn it from each run.

    Raises
    ------
    InputError
        If a value cannot be what it stands for.

    Examples
    --------
    >>> TargetWindow("tropacocaine", 612.0, 6.0, (124.1,), (Qualifier(82.1, 0.6),)).lod
    3.0
    """

    name: str
    retention_time_s: float
    window_s: float
    quantifier: tuple[float, ...]
    qualifiers: tuple[Qualifier, ...] = ()
    tolerance: float = 0.5
    role: str = "impurity"
    lod: float = DETECTION
    loq: float = QUANTITATION
    saturation: float | None = None
    peak_width_s: float | None = None

    def __post_init__(self) -> None:
        one_line_text(self.name, what="the name of a target")
        of = f"of target '{self.name}'"
        choose(self.role, ROLES, what=f"role {of}")
        if not np.isfinite(self.retention_time_s):
            raise InputError(f"the retention time {of} is {self.retention_time_s}")
        _positive(self.window_s, f"the retention window {of}")
        _positive(self.tolerance, f"the ion tolerance {of}")
        _positive(self.lod, f"the limit of detection {of}")
        if not self.quantifier:
            raise InputError(f"there is no quantifier ion {of}. Give its m/z.")
        for mz in self.quantifier:
            _positive(mz, f"a quantifier ion {of}")
        if len(set(self.quantifier)) != len(self.quantifier):
            raise InputError(f"a quantifier ion {of} comes twice and would be counted twice")
        if not self.loq >= self.lod:
            raise InputError(
                f"the limit of quantitation {of} must not be below that of detection, got "
                f"{self.loq} and {self.lod}"
            )
        for value, what in ((self.saturation, "saturation"), (self.peak_width_s, "peak width")):
            if value is not None:
                _positive(value, f"the {what} {of}")


def checked_targets(targets: Iterable[TargetWindow], /) -> tuple[TargetWindow, ...]:
    """Return the targets as a tuple.

    Raises
    ------
    InputError
        If there is none, one is something else, or a name comes twice.
    """
    made = tuple(targets)
    if not made:
        raise InputError("there is no target to extract. Give at least one TargetWindow.")
    strangers = [t for t in made if not isinstance(t, TargetWindow)]
    if strangers:
        raise InputError(
            f"targets must be TargetWindow, got {listed(type(t).__name__ for t in strangers)}. "
            "Targets of a protocol are made with targets_of(protocol)."
        )
    unique_text((t.name for t in made), what="target names")
    return made
