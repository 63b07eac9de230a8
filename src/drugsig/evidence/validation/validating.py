"""`validate`: judge a method by named criteria, on sources it was not fitted to."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from drugsig._check import generator, whole_number
from drugsig._check import share as checked_share
from drugsig._files import canonical_json
from drugsig._notes import Note, emit, unique_notes
from drugsig.comparison.metrics import METRICS, Metric
from drugsig.evidence.dependence import measure_dependence
from drugsig.evidence.discrimination import Discrimination, discriminated
from drugsig.evidence.evaluation.evaluation import Evaluation
from drugsig.evidence.evaluation.held_out import DEFAULT_FOLDS, DEFAULT_SEEDS, evaluated
from drugsig.evidence.models.lr_model import LrModel, lr_model
from drugsig.evidence.models.spec import LrModelSpec
from drugsig.evidence.pairs import PairSample, find_pairs
from drugsig.evidence.performance import Estimate, LrPerformance
from drugsig.evidence.performance.cllr import cllr_min
from drugsig.evidence.populations import PopulationRule, get_rule
from drugsig.evidence.threshold import DEFAULT_RESAMPLES
from drugsig.evidence.validation.criteria import Criteria, load_criteria
from drugsig.evidence.validation.findings import Finding, finding
from drugsig.evidence.validation.result import Arrangement, StageFigures, ValidationReport
from drugsig.evidence.validation.secondary import Measured, Trial
from drugsig.profiles.labels import not_known_notes
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality.profile_checks import data_notes

__all__ = [
    "BACKGROUND_SHARE",
    "CHANGE_SEEDS",
    "LR_AS_SCORE",
    "MISTYPED_SHARE",
    "STAGES",
    "Validation",
    "lr_discrimination",
    "validate",
]

MISTYPED_SHARE = 0.01
BACKGROUND_SHARE = 0.5

# Changes are measured on as many of the fold seeds: each costs a whole evaluation.
CHANGE_SEEDS = 5

# The packages whose version can change a figure.
_COMPUTING = ("numpy", "scipy", "pandas", "scikit-learn")
_STEPS = 9

# What each stage is called where it is reported.
STAGES = {"raw": "raw", "calibrated": "calibrated", "bounded": "reported"}

# Said of a rate that says nothing of the model: the bounds leave no room for it.
_NEVER = "; the bounds never let an LR be so strong, so that this rate is 0 whatever the model does"

# A metric in name only: it says that large LRs speak for a common source, and scores no profiles.
LR_AS_SCORE: Metric = replace(
    METRICS["pearson"],
    name="log10 LR",
    low=-np.inf,
    high=np.inf,
    self_value=np.inf,
    formula="log10 of the likelihood ratio",
)


@dataclass(frozen=True, eq=False)
class Validation:
    """A validation and the model that it is of.

    Attributes
    ----------
    report : ValidationReport
        Figures and verdicts.
    model : LrModel
        Fitted to all profiles, and carrying the validation.
    evaluation : Evaluation
        The likelihood ratios of every pair with every fold seed.
    """

    report: ValidationReport
    model: LrModel
    evaluation: Evaluation

    def __repr__(self) -> str:
        return f"<Validation {self.report!r}>"

    def _repr_html_(self) -> str:
        return self.report._repr_html_()


def validate(
    profiles: ProfileSet,
    rule: PopulationRule | str,
    spec: LrModelSpec,
    /,
    *,
    rng: np.random.Generator,
    recipe: Recipe | str | None = None,
    criteria: Criteria | str | Path | None = None,
    seeds: Sequence[int] = DEFAULT_SEEDS,
    n_folds: int = DEFAULT_FOLDS,
    change_seeds: int = CHANGE_SEEDS,
    uncertainty_rsd: float | None = None,
    mistyped_share: float = MISTYPED_SHARE,
    background_share: float = BACKGROUND_SHARE,
    elsewhere: str | None = None,
    across: Sequence[str] = (),
    n_resamples: int = DEFAULT_RESAMPLES,
    progress: bool = False,
) -> Validation:
    """Validate a likelihood ratio method, after Meuwly, Ramos and Haraksim (2017).

    Every figure is of pairs whose two sources were left out of everything that the pair was judged
    by, see `evaluate_model`. Choose the method and the criteria before looking at it: a method
    chosen because its report is good has a report that is too good.

    Parameters
    ----------
    profiles : ProfileSet
        Of known source; not pretreated if a recipe is given.
    rule : PopulationRule or str
        What linked and unlinked mean.
    spec : LrModelSpec
        Every choice of the method.
    rng : numpy.random.Generator
        For resampling, disturbing and fitting; fold seeds are given by number.
    recipe : Recipe or str, optional
        The pretreatment, learned anew inside the folds.
    criteria : Criteria, str or Path, optional
        What the figures must reach: a set, a name, or a TOML file of the laboratory. Those that
        come with drugsig by default.
    seeds : sequence of int
        Fold seeds; all are reported.
    n_folds : int
        Parts that the sources are dealt into.
    change_seeds : int
        On how many of the fold seeds changes are measured.
    uncertainty_rsd : float, optional
        The relative standard uncertainty of values whose own is not known, for robustness.
    mistyped_share : float
        In which share of the profiles a value is mistyped, others with every fold seed, for
        robustness.
    background_share : float
        Which share of the sources stays, for robustness.
    elsewhere : str, optional
        A metadata column that says laboratory, epoch or period, for generalisation.
    across : sequence of {"epoch", "laboratory"}
        As in `fit_lr_model`.
    n_resamples : int
        How often sources are resampled.
    progress : bool
        Show progress where there is a terminal.

    Returns
    -------
    Validation
        The report, and the model fitted to all profiles that carries it. The same on every run
        with the same arguments and versions, in whatever order the profiles are.

    Raises
    ------
    PopulationError
        If the rule finds no linked or no unlinked pair.
    MetadataError
        If there is no column of the name in `elsewhere`.
    InputError
        If the method cannot be evaluated on these profiles.

    Warns
    -----
    SmallSampleWarning
        If there are few sources.
    """
    rule = get_rule(rule, profiles)
    generator(rng)
    whole_number(change_seeds, what="change_seeds", least=1)
    checked_share(background_share, what="share of sources that stay")
    checked_share(mistyped_share, what="share of profiles with a mistyped value")
    # What would be found only after minutes of fitting is asked for now.
    if elsewhere is not None:
        profiles.column(elsewhere)
    find_pairs(profiles, rule).refuse_one_sided(
        "Nothing can be validated without both kinds: look at the columns that the rule names.",
    )
    asked = criteria if isinstance(criteria, Criteria) else load_criteria(criteria or "default")
    written = None if recipe is None else str(Recipe.coerce(recipe))
    streams = rng.spawn(_STEPS)
    handed_in, profiles = profiles, profiles.in_id_order()
    made, notes = _validated(
        profiles, rule, spec, asked, written, streams,
        settings={
            "seeds": [int(s) for s in seeds],
            "n_folds": n_folds,
            "change_seeds": [int(s) for s in list(seeds)[:change_seeds]],
            "uncertainty_rsd": uncertainty_rsd,
            "mistyped_share": mistyped_share,
            "background_share": background_share,
            "elsewhere": elsewhere or "",
            "across": list(across),
            "n_resamples": n_resamples,
        },
        digest=handed_in.digest,
        progress=progress,
    )  # fmt: skip
    emit(notes)
    return made


def _validated(
    profiles: ProfileSet,
    rule: PopulationRule,
    spec: LrModelSpec,
    criteria: Criteria,
    recipe: str | None,
    streams: list[np.random.Generator],
    *,
    settings: Mapping[str, Any],
    digest: str,
    progress: bool,
) -> tuple[Validation, tuple[Note, ...]]:
    """Validate, and return what is to be told besides what the report holds."""
    bar = tqdm(total=_STEPS, disable=None if progress else True, leave=False, unit="step")
    across, n_resamples = tuple(settings["across"]), settings["n_resamples"]
    with bar:
        bar.set_description("evaluate")
        evaluation, notes = evaluated(
            profiles, rule, spec,
            recipe=recipe, seeds=settings["seeds"], n_folds=settings["n_folds"], across=across,
        )  # fmt: skip
        bar.update()
        bar.set_description("fit")
        treated, _ = (profiles, ()) if recipe is None else pretreated(profiles, recipe)
        model, of_model = lr_model(treated, rule, spec, rng=streams[0], across=across)
        bar.update()
        bar.set_description("measure")
        performance = evaluation.measured(rng=streams[1], n_resamples=n_resamples)
        discrimination = lr_discrimination(evaluation, rng=streams[2], n_resamples=n_resamples)
        bar.update()
        trial = Trial(
            profiles=profiles,
            rule=rule,
            spec=spec,
            recipe=recipe,
            seeds=tuple(settings["change_seeds"]),
            n_folds=settings["n_folds"],
            n_resamples=n_resamples,
            across=across,
            evaluation=evaluation,
            model=model,
        )
        found = list(_primary_findings(evaluation, performance, discrimination, criteria))
        secondary, arrangements, parts = _changes(trial, streams, settings, criteria, bar)
    found += secondary
    named = [settings["elsewhere"]] if settings["elsewhere"] else []
    of_data = (*data_notes(profiles), *not_known_notes(profiles, named))
    model = replace(model, notes=(*(n for n in of_data if n not in model.notes), *model.notes))
    report = ValidationReport(
        name=profiles.name,
        rule=rule,
        spec=spec,
        recipe=recipe or "",
        criteria=criteria,
        findings=tuple(found),
        h1=model.h1,
        h2=model.h2,
        bounds=model.bounds,
        performance=performance,
        discrimination=discrimination,
        stages=_stage_figures(evaluation),
        arrangements=arrangements,
        elsewhere=parts,
        elsewhere_column=settings["elsewhere"],
        n_profiles=len(profiles),
        n_items=len(evaluation.items),
        n_folds=settings["n_folds"],
        seeds=evaluation.seeds,
        settings=settings,
        digests={
            "profiles": digest,
            "profiles_pretreated": treated.digest,
            "choices": spec.digest,
            "rule": model.rule_digest,
            "criteria": hashlib.sha256(canonical_json(criteria.to_data()).encode()).hexdigest(),
            "model": model.digest,
        },
        versions={
            "drugsig": version("drugsig"),
            "python": platform.python_version(),
            **{name: version(name) for name in _COMPUTING},
        },
        notes=unique_notes((*of_data, *evaluation.notes, *performance.notes, *model.notes)),
    )
    summary = replace(evaluation.summary(), verdicts=report.verdicts, report=report.digest)
    told = unique_notes(
        (
            *of_data,
            *notes,
            *of_model,
            *performance.notes,
            *discrimination.notes,
            *evaluation.figures_by_seed()[1],
        )
    )
    return Validation(report, model.with_validation(summary), evaluation), told


def _changes(
    trial: Trial,
    streams: list[np.random.Generator],
    settings: Mapping[str, Any],
    criteria: Criteria,
    bar: Any,
) -> tuple[list[Finding], tuple[Arrangement, ...], tuple[Arrangement, ...]]:
    """Measure what changes, one thing after the other."""
    measured: dict[str, Measured] = {}
    bar.set_description("noise")
    rsd = settings["uncertainty_rsd"]
    measured["change_with_noise"] = trial.with_noise(streams[3], rsd=rsd)
    bar.update()
    bar.set_description("mistyped")
    measured["change_with_mistyped"], measured["change_with_mistyped_background"] = (
        trial.with_mistyped(streams[4], share=settings["mistyped_share"])
    )
    bar.update()
    bar.set_description("fewer sources")
    measured["change_with_fewer_sources"] = trial.with_fewer_sources(
        streams[5], share=settings["background_share"]
    )
    measured["spread_over_seeds"] = trial.over_seeds()
    bar.update()
    bar.set_description("more data")
    arrangements = trial.arrangements()
    measured["change_with_more_data"] = trial.more_data(arrangements, streams[6])
    bar.update()
    bar.set_description("generalisation")
    measured["optimism"] = trial.optimism(streams[7])
    bar.update()
    measured["cllr_elsewhere"], parts = trial.elsewhere(settings["elsewhere"] or None, streams[8])
    bar.update()
    found = [
        finding(
            name, one.estimate, criteria.of(name), why=one.why, exact=name == "spread_over_seeds"
        )
        for name, one in measured.items()
    ]
    return found, tuple(a for a, _ in arrangements), parts


def _stage_figures(evaluation: Evaluation, /) -> tuple[StageFigures, ...]:
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


def _primary_findings(
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


def lr_discrimination(
    evaluation: Evaluation, /, *, rng: np.random.Generator, n_resamples: int
) -> Discrimination:
    """Measure how well calibrated LRs tell linked from unlinked pairs, all fold seeds together.

    Calibrated and not bounded ones: at a bound many LRs are equal, and their order is lost.

    Parameters
    ----------
    evaluation : Evaluation
        Of pairs of known source.
    rng : numpy.random.Generator
        For resampling sources.
    n_resamples : int
        How often.
    """
    # Sources and items without a pair must not be resampled.
    used = np.union1d(evaluation.source_a, evaluation.source_b)
    number = np.full(len(evaluation.sources), -1, dtype=np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    source = np.full(len(evaluation.items), -1, dtype=np.int32)
    source[evaluation.item_a] = number[evaluation.source_a]
    source[evaluation.item_b] = number[evaluation.source_b]
    sample = PairSample(
        scores=evaluation.log10_lr("calibrated").copy(),
        linked=evaluation.linked.copy(),
        first=evaluation.item_a.astype(np.int32),
        second=evaluation.item_b.astype(np.int32),
        source=source,
        sources=tuple(evaluation.sources[k] for k in used),
        rule=evaluation.rule,
        metric=LR_AS_SCORE,
    )
    found = discriminated(sample, rng=rng, n_resamples=n_resamples)
    # A pair comes once a fold seed, and is one pair.
    _, once = np.unique(np.stack([sample.first, sample.second]), axis=1, return_index=True)
    pairs = {name: getattr(sample, name)[once] for name in ("scores", "linked", "first", "second")}
    return replace(found, dependence=measure_dependence(replace(sample, **pairs)))
