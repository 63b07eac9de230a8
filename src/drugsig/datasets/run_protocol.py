"""`protocol_of`: the protocol a laboratory would write for the compounds of simulated runs."""

from __future__ import annotations

from collections.abc import Sequence

from drugsig._check import number
from drugsig.datasets.run_compounds import Compound
from drugsig.errors import InputError
from drugsig.protocols.fact import Fact
from drugsig.protocols.measured_target import ProtocolTarget, Qualifier, Quantifier, Retention
from drugsig.protocols.protocol import Protocol
from drugsig.protocols.sections import AnalyticalMethod, ComparisonPlan, Source

__all__ = ["protocol_of"]

SOURCE = "laboratory"
TECHNIQUE = "gc_ms"
LEAST_MEASURED = 5


def protocol_of(
    compounds: Sequence[Compound],
    /,
    *,
    name: str = "simulated",
    version: str = "1",
    drug: str = "simulated",
    title: str = "The compounds of simulated runs",
    citation: str = "the settings of a simulation",
    window_s: float = 6.0,
    qualifier_tolerance: float = 0.3,
    recipe: str = "sum | fourth_root",
    metric: str = "pearson_distance",
    source_level: str = "production batch",
    method: AnalyticalMethod | None = None,
) -> Protocol:
    """Return a protocol with ions, ratios and retention times of compounds.

    Parameters
    ----------
    compounds : sequence of Compound
        The targets, in any order.
    name, version, drug, title : str
        What the protocol is called.
    citation : str
        What its one source says it is.
    window_s : float
        How far an apex may lie from its retention time, to either side.
    qualifier_tolerance : float
        How far a qualifier ratio may be off, as a share of the expected one.
    recipe, metric, source_level : str
        How profiles are compared, and what a link is about.
    method : AnalyticalMethod, optional
        How the measurement is made.

    Raises
    ------
    InputError
        If there are no compounds, or the result breaks a rule of protocols.

    Examples
    --------
    >>> from drugsig.datasets.run_compounds import COCAINE_COMPOUNDS
    >>> protocol_of(COCAINE_COMPOUNDS).missing_for_extraction
    {}
    """
    if not compounds:
        raise InputError("a protocol needs at least one compound")
    number(window_s, what="window_s", open_low=True)
    number(qualifier_tolerance, what="qualifier_tolerance", open_low=True)
    impurities = sum(one.role == "impurity" for one in compounds)
    return Protocol(
        name=name,
        version=version,
        technique=TECHNIQUE,
        drug=drug,
        title=title,
        method=AnalyticalMethod() if method is None else method,
        targets=tuple(
            _target(one, window_s, qualifier_tolerance)
            for one in sorted(compounds, key=lambda c: c.retention_time_s)
        ),
        comparison=ComparisonPlan(
            recipe=Fact(recipe, SOURCE, verified=True),
            metric=Fact(metric, SOURCE, verified=True),
            min_measured=Fact(min(LEAST_MEASURED, impurities), SOURCE, verified=True),
            source_level=Fact(source_level, SOURCE, verified=True),
        ),
        sources=(Source(SOURCE, citation, "whole"),),
    )


def _target(one: Compound, window_s: float, tolerance: float) -> ProtocolTarget:
    return ProtocolTarget(
        name=one.name,
        source=SOURCE,
        verified=True,
        role=one.role,
        note="The ions are made up." if one.made_up else None,
        quantifier=Quantifier(
            mz=tuple(float(mz) for mz in one.quantifier),
            rule="single" if len(one.quantifier) == 1 else "sum",
            source=SOURCE,
            verified=True,
        ),
        qualifiers=tuple(
            Qualifier(
                float(mz),
                SOURCE,
                verified=True,
                expected_ratio=round(one.ratio(mz), 4),
                tolerance=tolerance,
            )
            for mz in one.qualifiers
        ),
        retention=Retention(
            SOURCE, verified=True, time_s=one.retention_time_s, time_window_s=window_s
        ),
    )
