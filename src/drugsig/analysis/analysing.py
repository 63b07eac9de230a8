"""`analyse_profiles`: the main job on profiles; no file is read or written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from drugsig._notes import Note, emit
from drugsig.analysis.analysis import Analysis, Partition
from drugsig.analysis.cautions import (
    about_groups,
    about_links,
    about_threshold,
    many_links,
    sources_are_groups,
)
from drugsig.analysis.headings import told
from drugsig.analysis.inputs import RunsRead
from drugsig.analysis.run_cautions import about_runs
from drugsig.analysis.run_findings import RunFindings, find_in_runs
from drugsig.comparison.comparison import Comparison
from drugsig.comparison.dense import compared as scored
from drugsig.comparison.metrics import DEFAULT_METRIC, Metric, get_metric
from drugsig.errors import ConfigError, InputError
from drugsig.evidence.pairs import PairSample
from drugsig.evidence.populations import PopulationRule, get_rule
from drugsig.evidence.prevalence import TrueLinkShare, share_of_true_links
from drugsig.evidence.threshold import (
    DEFAULT_RATE,
    DEFAULT_RESAMPLES,
    Threshold,
    find_threshold,
    given_threshold,
)
from drugsig.groups.grouping import DEFAULT_LINKAGE, grouped
from drugsig.groups.undecided import find_undecided
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality.profile_checks import ProfileCheck, check_profiles, data_notes

__all__ = [
    "DEFAULT_RECIPE",
    "DEFAULT_SEED",
    "NO_THRESHOLD",
    "STEPS",
    "analyse_profiles",
    "analysed",
]

# The treatment and metric found best for amphetamine by Andersson et al., Forensic Science
# International 169 (2007) 86; other drugs may need others.
DEFAULT_RECIPE = "sum | fourth_root"

DEFAULT_SEED = 1

STEPS = ("check", "pretreat", "compare", "threshold", "group")

NO_THRESHOLD = (
    "nothing says where a link begins. Give a population rule, so that a threshold can be learned "
    "from pairs of known source (section [population], or rule=...), or give a threshold, which "
    "is then reported as not validated (threshold.value, or threshold=...). drugsig assumes no "
    "rule: one seizure need not be one source."
)


def analyse_profiles(
    profiles: ProfileSet,
    /,
    *,
    rule: PopulationRule | str | None = None,
    threshold: float | None = None,
    recipe: Recipe | str = DEFAULT_RECIPE,
    metric: Metric | str = DEFAULT_METRIC,
    min_measured: int | None = None,
    false_positive_rate: float = DEFAULT_RATE,
    linkage: str = DEFAULT_LINKAGE,
    seed: int = DEFAULT_SEED,
    n_resamples: int = DEFAULT_RESAMPLES,
    runs: RunsRead | None = None,
    progress: Callable[[str], None] | None = None,
) -> Analysis:
    """Compare profiles with each other, group them, and say what the groups rest on.

    The same as `drugsig.analyse` without files: nothing is read, nothing written, and the result
    depends on the arguments alone.

    Parameters
    ----------
    profiles : ProfileSet
        As measured: the recipe treats them.
    rule : PopulationRule or str, optional
        Which pairs are of known source; a text names a preset of a published study.
    threshold : float, optional
        A threshold in the metric's convention, instead of learning one. Without a rule it is
        reported as not validated.
    recipe : Recipe or str
        The pretreatment.
    metric : Metric or str
        What two profiles are compared by.
    min_measured : int, optional
        The least number of targets measured in both; the metric's own number by default.
    false_positive_rate : float
        What a learned threshold must not exceed.
    linkage : str
        How groups are joined.
    seed : int
        For resampling.
    n_resamples : int
        How often sources are resampled.
    runs : RunsRead, optional
        What the profiles were extracted from; runs that are no samples are not compared.
    progress : callable, optional
        Called with the name of every step as it begins, one of `STEPS`.

    Returns
    -------
    Analysis
        All results, without the inputs and versions that `drugsig.analyse` adds.

    Raises
    ------
    ConfigError
        If neither a rule nor a threshold is given.
    InputError
        If fewer than two profiles can be compared.
    MetadataError, RecipeError, ComparisonError, PopulationError, ThresholdError, GroupingError
        If the profiles do not allow it; the message says what to do.

    Warns
    -----
    DrugsigWarning
        Of what a reader must know, once each; ``Analysis.notes`` has it all.

    Examples
    --------
    >>> from drugsig import ProfileSet, analyse_profiles
    >>> values = [[50.0, 31.0, 20.0, 9.0, 1.0], [77.0, 45.0, 32.0, 12.0, 1.8],
    ...           [4.0, 0.0, 30.0, 64.0, 9.0]]
    >>> profiles = ProfileSet(values, ["T1", "T2", "T3", "T4", "T5"], ["001", "002", "003"])
    >>> analyse_profiles(profiles, threshold=0.05)
    <Analysis of 3 profiles: 3 compared, 1 links, 1 groups and 1 alone, 0 undecided; threshold not
    validated>
    """
    made = analysed(
        profiles,
        rule=rule,
        threshold=threshold,
        recipe=recipe,
        metric=metric,
        min_measured=min_measured,
        false_positive_rate=false_positive_rate,
        linkage=linkage,
        seed=seed,
        n_resamples=n_resamples,
        runs=runs,
        progress=progress,
    )
    emit(one.note for one in made.notes)
    return made


def analysed(
    profiles: ProfileSet,
    /,
    *,
    rule: PopulationRule | str | None = None,
    threshold: float | None = None,
    recipe: Recipe | str = DEFAULT_RECIPE,
    metric: Metric | str = DEFAULT_METRIC,
    min_measured: int | None = None,
    false_positive_rate: float = DEFAULT_RATE,
    linkage: str = DEFAULT_LINKAGE,
    seed: int = DEFAULT_SEED,
    n_resamples: int = DEFAULT_RESAMPLES,
    runs: RunsRead | None = None,
    progress: Callable[[str], None] | None = None,
) -> Analysis:
    """Analyse profiles as `analyse_profiles` does, and leave its notes to the caller.

    Parameters
    ----------
    profiles, rule, threshold, recipe, metric, min_measured, false_positive_rate, linkage, seed
        As in `analyse_profiles`.
    n_resamples, runs, progress
        As in `analyse_profiles`.
    """
    known = None if rule is None else get_rule(rule, profiles)
    treatment = Recipe.parse(recipe) if isinstance(recipe, str) else recipe
    begin = (lambda _: None) if progress is None else progress
    if known is None and threshold is None:
        raise ConfigError(NO_THRESHOLD)
    begin("check")
    kinds = {} if runs is None else runs.kinds
    checks = tuple(
        replace(c, excluded=kinds.get(c.profile_id, c.excluded)) for c in check_profiles(profiles)
    )
    kept = _kept(profiles, checks, from_runs=runs is not None)
    if known is not None:
        known.check(kept)
    begin("pretreat")
    compared, of_recipe = pretreated(kept, treatment)
    begin("compare")
    comparison = scored(compared, metric=get_metric(metric), min_measured=min_measured)
    begin("threshold")
    limit, sample, of_limit = _threshold(
        comparison, compared, known, threshold, false_positive_rate, seed, n_resamples
    )
    links = limit.links(comparison)
    begin("group")
    groups = grouped(comparison, threshold=limit.value, linkage=linkage)
    undecided = find_undecided(
        groups, links, sample=sample, left_out=None if sample is None else sample.left_out
    )
    found = _runs(runs, profiles, compared, comparison, treatment, limit.value)
    shares, least = _true_links(limit)
    return Analysis(
        profiles=profiles,
        compared=compared,
        recipe=treatment,
        checks=checks,
        comparison=comparison,
        threshold=limit,
        sample=sample,
        links=links,
        groups=groups,
        group_rates=None if sample is None else groups.partition_rates(sample),
        component_rates=None if sample is None else groups.component_rates(sample),
        undecided=undecided,
        true_links=shares,
        least_true_links=least,
        notes=told(
            (
                *data_notes(profiles),
                *of_recipe,
                *comparison.notes,
                *of_limit,
                *about_threshold(limit),
                *many_links(links),
                *about_links(links),
                *groups.notes,
                *about_groups(groups, undecided),
                *sources_are_groups(groups, compared, known),
                *(() if found is None else about_runs(found, threshold=limit.value)),
            )
        ),
        seed=seed,
        uncapped=_uncapped(comparison, limit, sample, linkage),
        runs=found,
    )


def _runs(
    runs: RunsRead | None,
    profiles: ProfileSet,
    compared: ProfileSet,
    comparison: Comparison,
    recipe: Recipe,
    threshold: float,
) -> RunFindings | None:
    if runs is None:
        return None
    done = compared.pretreatment
    frozen = Recipe.from_data(done) if done else recipe
    return find_in_runs(runs, profiles, comparison, recipe=frozen, threshold=threshold)


def _kept(profiles: ProfileSet, checks: tuple[ProfileCheck, ...], *, from_runs: bool) -> ProfileSet:
    """Return the profiles that can be compared."""
    excluded = [c.profile_id for c in checks if c.excluded]
    if len(profiles) - len(excluded) < 2:
        raise InputError(
            f"only {len(profiles) - len(excluded)} of {len(profiles)} profiles in "
            f"'{profiles.name}' can be compared. Excluded: "
            + "; ".join(f"'{c.profile_id}' ({c.excluded})" for c in checks[:5] if c.excluded)
            + (
                ". Look at peaks of one run first, drugsig.extract([run], protocol): are the "
                "retention times of the protocol those of these runs?"
                if from_runs
                else ". Empty cells count as not measured: if they mean 'not detected', say "
                "empty='below_lod'."
            )
        )
    return profiles.without(excluded, why="cannot be compared") if excluded else profiles


def _threshold(
    comparison: Comparison,
    compared: ProfileSet,
    rule: PopulationRule | None,
    value: float | None,
    rate: float,
    seed: int,
    n_resamples: int,
) -> tuple[Threshold, PairSample | None, tuple[Note, ...]]:
    if rule is None:
        assert value is not None  # noqa: S101 - one of the two is there
        given = given_threshold(value, metric=comparison.metric)
        return given, None, given.notes
    return find_threshold(
        comparison,
        compared,
        rule,
        rng=np.random.default_rng(seed),
        value=value,
        false_positive_rate=rate,
        n_resamples=n_resamples,
    )


def _true_links(
    threshold: Threshold,
) -> tuple[tuple[TrueLinkShare, ...], tuple[TrueLinkShare, ...]]:
    """Return the shares of true links with the rates as measured and at their worst ends."""
    if not threshold.validated:
        return (), ()
    rates = threshold.rates
    return (
        share_of_true_links(
            true_positive_rate=rates.true_positive_rate,
            false_positive_rate=rates.false_positive_rate,
        ),
        share_of_true_links(
            true_positive_rate=rates.true_positive_interval.low,
            false_positive_rate=rates.false_positive_interval.high,
        ),
    )


def _uncapped(
    comparison: Comparison, threshold: Threshold, sample: PairSample | None, linkage: str
) -> Partition | None:
    """Return what the threshold by rate alone would make, where it was stopped before."""
    if sample is None or threshold.by_rate is None or not threshold.capped:
        return None
    # Shown to explain why it was not used: its chaining is no news of this analysis.
    groups = grouped(comparison, threshold=threshold.by_rate, linkage=linkage)
    return Partition(
        groups.threshold,
        len(groups),
        groups.n_components,
        groups.partition_rates(sample),
        groups.component_rates(sample),
    )
