"""The targets of a protocol as windows that can be extracted."""

from __future__ import annotations

from drugsig._check import listed
from drugsig.acquisition.target_window import (
    DETECTION,
    QUANTITATION,
    Qualifier,
    TargetWindow,
)
from drugsig.errors import InputError
from drugsig.protocols.measured_target import ProtocolTarget
from drugsig.protocols.protocol import Protocol
from drugsig.protocols.sections import QualityRule

__all__ = ["targets_of"]


def targets_of(
    protocol: Protocol,
    /,
    *,
    tolerance: float = 0.5,
    saturation: float | None = None,
) -> tuple[TargetWindow, ...]:
    """Return the targets of a protocol as windows, in its order.

    Parameters
    ----------
    protocol : Protocol
        With ions and retention times filled in.
    tolerance : float
        How far the m/z of a point may be from that of an ion, in Da; half a unit suits a
        quadrupole.
    saturation : float, optional
        The intensity at which the detector is full, if it is known.

    Returns
    -------
    tuple of TargetWindow
        A quality rule for ``signal_to_noise`` sets the limit of quantitation (and that of
        detection where it is lower than 3). A qualifier without an expected ratio, or without a
        tolerance of its own or a rule for ``qualifier_deviation``, is not checked.

    Raises
    ------
    InputError
        If targets lack ions, a retention time or its window; the message names them.
    """
    lacking = {t.name: what for t in protocol.targets if (what := _lacks(t))}
    if lacking:
        told = "; ".join(f"'{name}': {', '.join(what)}" for name, what in lacking.items())
        raise InputError(
            f"protocol '{protocol.name}' cannot be extracted: {len(lacking)} of its "
            f"{len(protocol.targets)} targets ({listed(lacking)}) are incomplete. Fill in what is "
            f"missing from a reference run of your laboratory: {told}."
        )
    rules = {rule.what: rule for rule in protocol.quality}
    least = rules.get("signal_to_noise")
    loq = QUANTITATION if least is None else float(least.limit)
    deviation = _share(rules.get("qualifier_deviation"))
    return tuple(
        _window(t, loq=loq, deviation=deviation, tolerance=tolerance, saturation=saturation)
        for t in protocol.targets
    )


def _lacks(target: ProtocolTarget) -> list[str]:
    out = [] if target.quantifier is not None else ["quantifier ion"]
    retention = target.retention
    if retention is None or retention.time_s is None:
        out.append("retention time in seconds")
    elif retention.time_window_s is None:
        out.append("window of the retention time")
    return out


def _share(rule: QualityRule | None) -> float | None:
    if rule is None:
        return None
    return float(rule.limit) / (100.0 if rule.unit == "%" else 1.0)


def _window(
    target: ProtocolTarget,
    *,
    loq: float,
    deviation: float | None,
    tolerance: float,
    saturation: float | None,
) -> TargetWindow:
    retention, quantifier = target.retention, target.quantifier
    if retention is None or quantifier is None:
        raise InputError(f"target '{target.name}' is incomplete")
    qualifiers = []
    for q in target.qualifiers:
        allowed = deviation if q.tolerance is None else q.tolerance
        if q.expected_ratio is not None and allowed is not None:
            qualifiers.append(Qualifier(q.mz, q.expected_ratio, allowed))
    return TargetWindow(
        name=target.name,
        retention_time_s=float(retention.time_s or 0.0),
        window_s=float(retention.time_window_s or 0.0),
        quantifier=quantifier.mz,
        qualifiers=tuple(qualifiers),
        tolerance=tolerance,
        role=target.role,
        lod=min(DETECTION, loq),
        loq=loq,
        saturation=saturation,
    )
