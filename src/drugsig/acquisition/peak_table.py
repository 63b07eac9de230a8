"""`PeakTable`: what was found of every target in one run, and how it was integrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drugsig._check import FrozenArrays, choose
from drugsig._repr import html_table
from drugsig.acquisition.cell_reasons import Flag, Reason
from drugsig.errors import InputError
from drugsig.profiles.status import Status

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IntegrationTrace", "PeakTable", "QualifierRatio"]

_ARRAYS = (
    "expected_time_s",
    "retention_time_s",
    "area",
    "area_uncertainty",
    "area_limit",
    "height",
    "width_s",
    "asymmetry",
    "signal_to_noise",
    "noise_widths",
    "start_s",
    "stop_s",
    "status",
)


@dataclass(frozen=True)
class QualifierRatio:
    """How a qualifier ion stands to the quantifier.

    Parameters
    ----------
    mz : float
        The ion.
    expected, measured : float
        Area of the ion over the area of the quantifier; NaN where it could not be measured.
    uncertainty : float
        Standard uncertainty of the measured ratio.
    """

    mz: float
    expected: float
    measured: float
    uncertainty: float


@dataclass(frozen=True, eq=False)
class IntegrationTrace(FrozenArrays):
    """What is needed to draw how a target was integrated.

    Parameters
    ----------
    times_s, intensity, baseline : ndarray of float64, shape (n_points,)
        The quantifier trace around the retention window, and its baseline; empty where nothing
        was measured.
    """

    times_s: NDArray[np.float64]
    intensity: NDArray[np.float64]
    baseline: NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class PeakTable(FrozenArrays):
    """The targets of one run: one row a target.

    Areas are in s times intensity. A cell that holds NaN was not measured, or has no peak to
    measure it on.

    Attributes
    ----------
    run_name : str
        The run.
    targets, roles : tuple of str
        Names and roles of the targets.
    expected_time_s, retention_time_s : ndarray, shape (n_targets,)
        Where the apex was expected, and where it is.
    area, area_uncertainty : ndarray, shape (n_targets,)
        Area over the baseline between the bounds, and its standard uncertainty.
    area_limit : ndarray, shape (n_targets,)
        The area that a peak at the limit of detection would have in this run.
    height, width_s, asymmetry : ndarray, shape (n_targets,)
        Height over the baseline; width at half height; back over front at a tenth of the height.
    signal_to_noise : ndarray, shape (n_targets,)
        2H/h, h the peak-to-peak noise.
    noise_widths : ndarray, shape (n_targets,)
        Over how many peak widths the noise was seen.
    start_s, stop_s : ndarray, shape (n_targets,)
        The bounds of the peak.
    status : ndarray of uint8, shape (n_targets,)
        Values of `drugsig.Status`.
    reasons : tuple of Reason
        Why the status is what it is; `Reason.NONE` where the target was detected.
    flags : tuple of tuple of Flag
        What else should be looked at.
    qualifiers : tuple of tuple of QualifierRatio
        The ratios of the qualifier ions.
    traces : tuple of IntegrationTrace
        For drawing.
    peak_width_s : float
        The usual width at half height that windows were made with; NaN if none were.
    shot_gain : float or None
        By how much the variance of the noise grows with the signal; None if it could not be read
        off, which makes large areas look more certain than they are.
    """

    run_name: str
    targets: tuple[str, ...]
    roles: tuple[str, ...]
    expected_time_s: NDArray[np.float64]
    retention_time_s: NDArray[np.float64]
    area: NDArray[np.float64]
    area_uncertainty: NDArray[np.float64]
    area_limit: NDArray[np.float64]
    height: NDArray[np.float64]
    width_s: NDArray[np.float64]
    asymmetry: NDArray[np.float64]
    signal_to_noise: NDArray[np.float64]
    noise_widths: NDArray[np.float64]
    start_s: NDArray[np.float64]
    stop_s: NDArray[np.float64]
    status: NDArray[np.uint8]
    reasons: tuple[Reason, ...]
    flags: tuple[tuple[Flag, ...], ...]
    qualifiers: tuple[tuple[QualifierRatio, ...], ...]
    traces: tuple[IntegrationTrace, ...]
    peak_width_s: float = float("nan")
    shot_gain: float | None = None

    def __post_init__(self) -> None:
        n = len(self.targets)
        columns = (self.roles, self.reasons, self.flags, self.qualifiers, self.traces)
        sizes = {len(getattr(self, name)) for name in _ARRAYS} | {len(c) for c in columns}
        if sizes - {n}:
            raise InputError(f"a peak table of {n} targets has columns of length {sorted(sizes)}")
        self._freeze_arrays()

    def __len__(self) -> int:
        return len(self.targets)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PeakTable):
            return NotImplemented
        return (
            self.run_name == other.run_name
            and self.targets == other.targets
            and self.roles == other.roles
            and self.reasons == other.reasons
            and self.flags == other.flags
            and all(
                np.array_equal(
                    getattr(self, name), getattr(other, name), equal_nan=name != "status"
                )
                for name in _ARRAYS
            )
        )

    __hash__ = None  # type: ignore[assignment]  # large and compared by content

    @property
    def retention_shift_s(self) -> NDArray[np.float64]:
        """Found minus expected retention time, in seconds, shape (n_targets,)."""
        return self.retention_time_s - self.expected_time_s

    @property
    def values(self) -> NDArray[np.float64]:
        """What a profile holds of each target, shape (n_targets,).

        The area where there is one, zero below the limit of detection, NaN where nothing was
        measured.
        """
        out = self.area.copy()
        out[self.status == Status.BELOW_LOD] = 0.0
        out[self.status == Status.NOT_MEASURED] = np.nan
        return out

    def place_of(self, target: str, /) -> int:
        """Return the row of a target.

        Raises
        ------
        UnknownNameError
            If there is no such target; the message names the nearest.
        """
        return self.targets.index(choose(target, self.targets, what="target"))

    def to_frame(self) -> pd.DataFrame:
        """Return the table without its traces, one row a target; status and reasons in words."""
        import pandas as pd

        columns: dict[str, object] = {
            "target": list(self.targets),
            "role": list(self.roles),
            "status": [Status(int(s)).label for s in self.status],
            "reason": [str(r) for r in self.reasons],
        }
        columns |= {name: getattr(self, name).copy() for name in _ARRAYS if name != "status"}
        columns["flags"] = ["; ".join(flags) for flags in self.flags]
        columns["qualifier_ratios"] = [
            "; ".join(f"{q.mz:g}: {q.measured:.4g} (expected {q.expected:.4g})" for q in ratios)
            for ratios in self.qualifiers
        ]
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        counts = np.bincount(self.status, minlength=len(Status))
        said = ", ".join(f"{counts[s]} {s.label}" for s in Status if counts[s])
        return f"<PeakTable of '{self.run_name}': {len(self)} targets, {said}>"

    def _repr_html_(self) -> str:
        rows = (
            (
                name,
                f"{self.retention_time_s[k]:.2f}",
                f"{self.area[k]:.5g}",
                f"{self.area_uncertainty[k]:.2g}",
                f"{self.signal_to_noise[k]:.3g}",
                Status(int(self.status[k])).label
                + (f": {self.reasons[k]}" if self.reasons[k] else ""),
                "; ".join(self.flags[k]),
            )
            for k, name in enumerate(self.targets)
        )
        head = ("target", "time (s)", "area", "uncertainty", "S/N", "status", "flags")
        return html_table(rows, head=head)
