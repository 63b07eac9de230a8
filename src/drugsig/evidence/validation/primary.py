"""Accuracy, discriminating power and calibration: figures of the LRs as they are."""

from __future__ import annotations

from drugsig.evidence.discrimination import Discrimination
from drugsig.evidence.evaluation.evaluation import Evaluation
from drugsig.evidence.performance import Estimate, LrPerformance
from drugsig.evidence.performance.cllr import cllr_min
from drugsig.evidence.validation.criteria import Criteria
from drugsig.evidence.validation.findings import Finding, finding
from drugsig.evidence.validation.result import StageFigures

__all__ = ["STAGES", "primary_findings", "stage_figures"]

# What each stage is called where it is reported.
STAGES = {"raw": "raw", "calibrated": "calibrated", "bounded": "reported"}

# Said of a rate that says nothing of the model: the bounds leave no room for it.
_NEVER = "; the bounds never let an LR be so strong, so that this rate is 0 whatever the model does"


def stage_figures(evaluation: Evaluation, /) -> tuple[StageFigures, ...]:
    """Return Cllr and Cllr_min of raw, calibrated and reported LRs for every fold seed.

    Parameters
    ----------
    evaluation : Evaluation
        All fold seeds.
    """
    table, _ = evaluation.figures_by_seed()
    seeds = [int(s) for s in table["seed"]]
    out = []
    for which, name in STAGES.items():
        least = {}
        for seed in seeds:
            own = evaluation.seed == seed
            least[seed] = cllr_min(evaluation.log10_lr(which)[own], evaluation.linked[own])
        cllr = dict(zip(seeds, (float(v) for v in table[f"cllr_{which}"]), strict=True))
        out.append(StageFigures(name, cllr, least))
    return tuple(out)


def primary_findings(
    evaluation: Evaluation,
    performance: LrPerformance,
    discrimination: Discrimination,
    criteria: Criteria,
    /,
) -> tuple[Finding, ...]:
    """Judge the figures of the reported LRs.

    Parameters
    ----------
    evaluation : Evaluation
        Of pairs whose sources were left out.
    performance : LrPerformance
        Of its bounded LRs.
    discrimination : Discrimination
        Of its calibrated LRs.
    criteria : Criteria
        What the figures must reach.
    """
    n_seeds = len(evaluation.seeds)
    where = (
        f"measured on {performance.n_linked:,} linked and {performance.n_unlinked:,} unlinked "
        f"pairs of left-out sources, {n_seeds} fold seed{'s together' if n_seeds > 1 else ''}"
    )
    broken = [e for e in performance.exceedances if e.kept is False]
    told = ", ".join(f"{'LR ≤ 1/' if e.linked else 'LR ≥ '}{e.k:,.0f}" for e in broken)
    promises = f"{where}; broken: {told}" if broken else where
    low, high = _reach(evaluation)
    strong = performance.strong_log10_lr
    figures: dict[str, tuple[Estimate, str, bool]] = {
        "cllr": (performance.cllr, where, False),
        "strong_linked": _rate(performance.strong_linked, where, never=low > -strong),
        "strong_unlinked": _rate(performance.strong_unlinked, where, never=high < strong),
        "cllr_min": (performance.cllr_min, where, False),
        "auc": (
            Estimate(discrimination.auc, discrimination.auc_interval),
            f"{where}, before bounding",
            False,
        ),
        "equal_error_rate": (
            Estimate(discrimination.equal_error_rate, discrimination.equal_error_interval),
            f"{where}, before bounding",
            False,
        ),
        "cllr_cal": (performance.cllr_cal, where, False),
        "devpav": (performance.devpav, where, False),
        "broken_promises": (Estimate(float(len(broken))), promises, True),
    }
    return tuple(
        finding(measure, estimate, criteria.of(measure), why=why, exact=exact)
        for measure, (estimate, why, exact) in figures.items()
    )


def _rate(estimate: Estimate, where: str, *, never: bool) -> tuple[Estimate, str, bool]:
    return estimate, where + _NEVER if never else where, never


def _reach(evaluation: Evaluation) -> tuple[float, float]:
    """Return the lowest and the highest log10 LR that the bounds of any fold let through."""
    bounds = [fold.bounds for fold in evaluation.folds]
    if any(one is None for one in bounds):
        return float("-inf"), float("inf")
    there = [one for one in bounds if one is not None]
    return min(one.low for one in there), max(one.high for one in there)
