"""`analyse_profiles`: the main job on profiles; no file is read or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from drugsig._check import choose
from drugsig._notes import Note, emit
from drugsig.analysis.analysis import DENSE_PROFILES, Analysis, Partition, matrix_bytes
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
from drugsig.comparison.comparison import Comparison, undefined_scores
from drugsig.comparison.dense import compared as scored
from drugsig.comparison.linking import LINKS_LIMIT_BYTES, found_links
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import DEFAULT_METRIC, Metric, get_metric
from drugsig.comparison.undefined_pairs import ListedScores, refuse_many_links
from drugsig.errors import ConfigError, InputError, SizeError
from drugsig.evidence.pairs import PairSample
from drugsig.evidence.populations import PopulationRule, get_rule
from drugsig.evidence.prevalence import TrueLinkShare, share_of_true_links
from drugsig.evidence.searched_threshold import KnownPairs, search_threshold
from drugsig.evidence.threshold import (
    DEFAULT_RATE,
    DEFAULT_RESAMPLES,
    Threshold,
    find_threshold,
    given_threshold,
)
from drugsig.groups.below_cut import grouped_links
from drugsig.groups.grouping import DEFAULT_LINKAGE, grouped
from drugsig.groups.groups import Groups, PartitionRates
from drugsig.groups.undecided import find_undecided
from drugsig.profiles.pretreatment.apply import pretreated
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality.profile_checks import ProfileCheck, check_profiles, data_notes

if TYPE_CHECKING:
    from distributed import Client

__all__ = [
    "DEFAULT_RECIPE",
    "DEFAULT_SEED",
    "MATRICES",
    "NO_THRESHOLD",
    "STEPS",
    "analyse_profiles",
    "analysed",
]

# The treatment and metric found best for amphetamine by Andersson et al., Forensic Science
# International 169 (2007) 86; other drugs may need others.
DEFAULT_RECIPE = "sum | fourth_root"

DEFAULT_SEED = 1

MATRICES = ("auto", "dense", "sparse")

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
    chance_links: float | None = None,
    linkage: str = DEFAULT_LINKAGE,
    seed: int = DEFAULT_SEED,
    n_resamples: int = DEFAULT_RESAMPLES,
    matrices: str = "auto",
    memory: float = LINKS_LIMIT_BYTES,
    client: Client | None = None,
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
    chance_links : float, optional
        How many links a learned threshold may make by chance alone among all pairs compared,
        instead of a rate. Refused where so small a rate is not measurable.
    linkage : str
        How groups are joined.
    seed : int
        For resampling.
    n_resamples : int
        How often sources are resampled.
    matrices : {"auto", "dense", "sparse"}
        Whether all scores are formed, or only those of links and of pairs of known source that
        are needed. Links, groups, threshold and rates are the same. By itself all up to 3,000
        profiles.
    memory : float
        The most bytes that links, the distances within a component of them, or all scores with
        what is made of them, may take.
    client : distributed.Client, optional
        A Dask cluster that searches for links, where not all scores are formed.
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
    SizeError
        If it would take more than `memory`; the message says how much.

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
        chance_links=chance_links,
        linkage=linkage,
        seed=seed,
        n_resamples=n_resamples,
        matrices=matrices,
        memory=memory,
        client=client,
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
    chance_links: float | None = None,
    linkage: str = DEFAULT_LINKAGE,
    seed: int = DEFAULT_SEED,
    n_resamples: int = DEFAULT_RESAMPLES,
    matrices: str = "auto",
    memory: float = LINKS_LIMIT_BYTES,
    client: Client | None = None,
    runs: RunsRead | None = None,
    progress: Callable[[str], None] | None = None,
) -> Analysis:
    """Analyse profiles as `analyse_profiles` does, and leave its notes to the caller.

    Parameters
    ----------
    profiles, rule, threshold, recipe, metric, min_measured, false_positive_rate, linkage, seed
        As in `analyse_profiles`.
    chance_links, n_resamples, matrices, memory, client, runs, progress
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
    asked = _Asked(known, threshold, false_positive_rate, chance_links, linkage, seed, n_resamples)
    way = _way(matrices, len(compared), memory)
    form = _from_matrices if way == "dense" else partial(_from_search, memory=memory, client=client)
    made = form(compared, get_metric(metric), min_measured, asked, begin)
    limit, links, groups = made.threshold, made.links, made.groups
    found = _runs(runs, profiles, compared, links, treatment)
    shares, least = _true_links(limit)
    return Analysis(
        profiles=profiles,
        compared=compared,
        recipe=treatment,
        checks=checks,
        comparison=made.comparison,
        threshold=limit,
        sample=made.sample,
        links=links,
        groups=groups,
        group_rates=made.group_rates,
        component_rates=made.component_rates,
        undecided=made.undecided,
        true_links=shares,
        least_true_links=least,
        notes=told(
            (
                *data_notes(profiles),
                *of_recipe,
                *links.notes,
                *made.notes,
                *about_threshold(limit),
                *many_links(links),
                *about_links(links),
                *groups.notes,
                *about_groups(groups, made.undecided),
                *sources_are_groups(groups, compared, known),
                *(() if found is None else about_runs(found, threshold=limit.value)),
            )
        ),
        seed=seed,
        uncapped=made.uncapped,
        runs=found,
        matrices=matrices,
    )


@dataclass(frozen=True)
class _Asked:
    """What was asked for, for either way."""

    rule: PopulationRule | None
    threshold: float | None
    rate: float
    chance_links: float | None
    linkage: str
    seed: int
    n_resamples: int

    def __post_init__(self) -> None:
        if self.chance_links is not None and (self.threshold is not None or self.rule is None):
            raise ConfigError(
                "chance_links asks for a threshold that is learned from pairs of known source: it "
                "needs a population rule, and no threshold that is given"
            )


@dataclass(frozen=True, eq=False)
class _Made:
    """What either way makes of the compared profiles."""

    comparison: Comparison | None
    threshold: Threshold
    sample: PairSample | None
    links: Links
    groups: Groups
    group_rates: PartitionRates | None
    component_rates: PartitionRates | None
    undecided: Mapping[str, tuple[Note, ...]]
    uncapped: Partition | None
    notes: tuple[Note, ...]


def _way(matrices: str, n: int, memory: float) -> str:
    """Say whether all scores are formed."""
    choose(matrices, MATRICES, what="way of keeping scores")
    if matrices == "sparse" or (matrices == "auto" and n > DENSE_PROFILES):
        return "sparse"
    if matrix_bytes(n) > memory:
        raise SizeError(
            f"all scores of {n:,} profiles, with what is made of them, would take about "
            f"{matrix_bytes(n) / 1e9:.2g} GB, and {memory / 1e9:.2g} GB are allowed. Form only the "
            "scores that are needed, matrices='sparse', which gives the same links and groups; or "
            "allow more with memory=<bytes>."
        )
    return "dense"


def _from_matrices(
    compared: ProfileSet,
    metric: Metric,
    min_measured: int | None,
    asked: _Asked,
    begin: Callable[[str], None],
) -> _Made:
    """Form all scores, and go on from there."""
    comparison = scored(compared, metric=metric, min_measured=min_measured, memory=np.inf)
    begin("threshold")
    limit, sample, of_limit = _threshold(comparison, compared, asked)
    links = limit.links(comparison)
    begin("group")
    groups = grouped(comparison, threshold=limit.value, linkage=asked.linkage)
    return _Made(
        comparison=comparison,
        threshold=limit,
        sample=sample,
        links=links,
        groups=groups,
        group_rates=None if sample is None else groups.partition_rates(sample),
        component_rates=None if sample is None else groups.component_rates(sample),
        undecided=find_undecided(
            groups, links, sample=sample, left_out=None if sample is None else sample.left_out
        ),
        uncapped=_uncapped(comparison, limit, sample, asked.linkage),
        notes=of_limit,
    )


def _from_search(
    compared: ProfileSet,
    metric: Metric,
    min_measured: int | None,
    asked: _Asked,
    begin: Callable[[str], None],
    *,
    memory: float,
    client: Client | None,
) -> _Made:
    """Search for links, count pairs of known source, and cluster below the threshold."""
    begin("threshold")
    known: KnownPairs | None = None
    sample: PairSample | None = None
    rng = np.random.default_rng(asked.seed)
    options: dict[str, Any] = {"memory": memory, "client": client, "progress": False}
    if asked.rule is None:
        assert asked.threshold is not None  # noqa: S101 - one of the two is there
        limit = given_threshold(asked.threshold, metric=metric)
        listed = ListedScores(compared, metric, min_measured)
        refuse_many_links(listed, limit.value, memory=memory, rng=rng)
        links = found_links(
            compared, metric=metric, threshold=limit.value, min_measured=min_measured, **options
        )
        of_limit = limit.notes
    else:
        search = search_threshold(
            compared,
            asked.rule,
            metric=metric,
            min_measured=min_measured,
            rng=rng,
            value=asked.threshold,
            false_positive_rate=asked.rate,
            chance_links=asked.chance_links,
            n_resamples=asked.n_resamples,
            **options,
        )
        limit, links, sample, known = search.threshold, search.links, search.sample, search.known
        of_limit = search.notes
    begin("group")
    groups = grouped_links(links, compared, linkage=asked.linkage, memory=memory, progress=False)
    # As all scores would tell it, with the profiles that have none.
    told_undefined = undefined_scores(
        links.undefined, links.comparisons, metric, links.min_measured, groups.undefined_ids
    )
    links = replace(links, notes=told_undefined)
    uncapped = None
    if known is not None and limit.by_rate is not None and limit.capped:
        uncapped = _uncapped_by_search(compared, links, limit.by_rate, known, asked, options)
    return _Made(
        comparison=None,
        threshold=limit,
        sample=sample,
        links=links,
        groups=groups,
        group_rates=None if known is None else _rates(known, groups.labels),
        component_rates=None if known is None else _rates(known, groups.components),
        undecided=find_undecided(
            groups,
            links,
            left_out=None if known is None else known.counts.left_out,
            apart=None if known is None else known.sources_apart(groups.labels),
        ),
        uncapped=uncapped,
        notes=of_limit,
    )


def _rates(known: KnownPairs, labels: NDArray[np.intp]) -> PartitionRates:
    return PartitionRates(*known.together(labels), known.n_linked, known.n_unlinked)


def _uncapped_by_search(
    compared: ProfileSet,
    links: Links,
    by_rate: float,
    known: KnownPairs,
    asked: _Asked,
    options: dict[str, Any],
) -> Partition | None:
    """Return what the threshold by rate alone would make; None where that takes too much room."""
    try:
        more = found_links(
            compared,
            metric=links.metric,
            threshold=by_rate,
            min_measured=links.min_measured,
            **options,
        )
        groups = grouped_links(
            more, compared, linkage=asked.linkage, memory=options["memory"], progress=False
        )
    except SizeError:
        return None
    return Partition(
        groups.threshold,
        len(groups),
        groups.n_components,
        _rates(known, groups.labels),
        _rates(known, groups.components),
    )


def _runs(
    runs: RunsRead | None,
    profiles: ProfileSet,
    compared: ProfileSet,
    links: Links,
    recipe: Recipe,
) -> RunFindings | None:
    if runs is None:
        return None
    done = compared.pretreatment
    frozen = Recipe.from_data(done) if done else recipe
    return find_in_runs(runs, profiles, links, recipe=frozen)


def _kept(profiles: ProfileSet, checks: tuple[ProfileCheck, ...], *, from_runs: bool) -> ProfileSet:
    """Return the profiles that can be compared."""
    excluded = [c.profile_id for c in checks if c.excluded]
    if len(profiles) < 2:
        raise InputError(
            f"'{profiles.name}' holds {len(profiles)} profile, and one profile cannot be compared "
            "with itself. Put those that it is to be compared with into the same table."
        )
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
    comparison: Comparison, compared: ProfileSet, asked: _Asked
) -> tuple[Threshold, PairSample | None, tuple[Note, ...]]:
    if asked.rule is None:
        assert asked.threshold is not None  # noqa: S101 - one of the two is there
        given = given_threshold(asked.threshold, metric=comparison.metric)
        return given, None, given.notes
    return find_threshold(
        comparison,
        compared,
        asked.rule,
        rng=np.random.default_rng(asked.seed),
        value=asked.threshold,
        false_positive_rate=asked.rate,
        chance_links=asked.chance_links,
        n_resamples=asked.n_resamples,
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
