"""`analyse`: the main job, from a table of profiles to groups and a report."""

from __future__ import annotations

import hashlib
import platform
import warnings
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from drugsig._check import listed, warn
from drugsig._files import canonical_json, refuse_existing
from drugsig.comparison.dense import compare
from drugsig.comparison.links import Links
from drugsig.comparison.metrics import get_metric
from drugsig.errors import (
    ChainingWarning,
    ConfigError,
    DataWarning,
    DrugsigWarning,
    InputError,
)
from drugsig.evidence.populations import PopulationRule, preset
from drugsig.evidence.prevalence import share_of_true_links
from drugsig.evidence.threshold import given_threshold, threshold_for
from drugsig.groups.grouping import group
from drugsig.groups.undecided import find_undecided
from drugsig.profiles.pretreatment.apply import pretreat
from drugsig.profiles.pretreatment.recipe import Recipe
from drugsig.profiles.profile_set import ProfileSet
from drugsig.quality.profile_checks import check_profiles, dominant_targets
from drugsig.report.analysis import Analysis, InputFile
from drugsig.workflow.config import AnalysisConfig, protocol_defaults
from drugsig.workflow.outputs import write_analysis
from drugsig.workflow.sources import load

__all__ = ["analyse"]

# The packages whose version can change a number or a figure.
COMPUTING = ("numpy", "scipy", "pandas", "matplotlib")

# More links than this share of all pairs, among enough of them, say that something is wrong.
_MANY_LINKS = 0.2
_ENOUGH_PAIRS = 100

_STEPS = ("read", "check", "pretreat", "compare", "threshold", "group", "write")


def analyse(
    source: str | Path,
    /,
    *,
    out: str | Path | None = None,
    rule: PopulationRule | str | None = None,
    threshold: float | None = None,
    recipe: str | None = None,
    metric: str | None = None,
    false_positive_rate: float | None = None,
    linkage: str | None = None,
    seed: int | None = None,
    reading: dict[str, Any] | None = None,
    protocol: str | Path | None = None,
    decimal_comma: bool | None = None,
    progress: bool = True,
) -> Analysis:
    """Read profiles, compare them all, group them and report.

    Parameters
    ----------
    source : path-like
        A table of profiles, a folder of runs, or an ``analysis.toml`` that names one of them and
        decides everything.
    out : path-like, optional
        A folder to make, for the report and its tables. Without it nothing is written.
    rule : PopulationRule or str, optional
        Which pairs are of known source; a text names a preset of a published study.
    threshold : float, optional
        A threshold in the metric's convention, instead of learning one. Without a rule it is
        reported as not validated.
    recipe : str, optional
        The pretreatment; ``"sum | fourth_root"`` by default.
    metric : str, optional
        ``"pearson_distance"`` by default.
    false_positive_rate : float, optional
        What a learned threshold must not exceed; 0.025 by default.
    linkage : str, optional
        ``"average"`` by default.
    seed : int, optional
        For resampling; 1 by default.
    reading : dict, optional
        Keyword arguments of `drugsig.read_profiles`: sheet, id_column, roles ...; for runs
        metadata_path and kind_column.
    protocol : str or path-like, optional
        For a folder of runs: what is measured in them, a file or the name of a built-in protocol.
    decimal_comma : bool, optional
        Write tables with a decimal comma and semicolons; as the analysis file says by default.
    progress : bool
        Show progress where there is a terminal.

    Returns
    -------
    Analysis
        All results; ``.groups``, ``.links``, ``.threshold`` and ``.undecided`` are the ones to
        look at first.

    Raises
    ------
    ConfigError
        If neither a rule nor a threshold is given, or both an analysis file and other choices.
    ReadError, MetadataError, RecipeError, ComparisonError, PopulationError, ThresholdError
        If the data do not allow it; the message says what to do.
    OutputError
        If the folder exists and is not empty.
    """
    target = None if out is None else Path(out)
    if target is not None:
        refuse_existing(target)
    choices = {
        "rule": preset(rule) if isinstance(rule, str) else rule,
        "threshold": threshold,
        "recipe": recipe,
        "metric": metric,
        "false_positive_rate": false_positive_rate,
        "linkage": linkage,
        "seed": seed,
        "reading": reading,
        "protocol": protocol,
    }
    config = _config(Path(source), {k: v for k, v in choices.items() if v is not None})
    if decimal_comma is not None:
        config = replace(config, decimal_comma=decimal_comma)
    bar = tqdm(total=len(_STEPS), disable=None if progress else True, leave=False, unit="step")
    with bar, warnings.catch_warnings(record=True) as caught:
        # Kept for the report, and given below all the same.
        warnings.simplefilter("always")
        analysis = _run(config, target, caught, bar)
        bar.set_description("write")
        if target is not None:
            write_analysis(analysis, target, decimal_comma=config.decimal_comma)
        bar.update()
    for one in caught:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return analysis


def _config(source: Path, choices: dict[str, Any]) -> AnalysisConfig:
    if source.suffix.lower() != ".toml":
        if source.is_dir() and "protocol" not in choices:
            raise ConfigError(
                f"'{source}' is a folder. To extract the runs in it, name a protocol "
                "(protocol=..., on the command line --protocol); 'drugsig protocols list' shows "
                "what there is."
            )
        if "protocol" in choices:
            named = str(choices["protocol"])
            choices["protocol"] = Path(named) if named.endswith(".toml") else named
            recipe, metric = protocol_defaults(choices["protocol"])
            choices = {"recipe": recipe, "metric": metric, **choices}
        return AnalysisConfig(path=source, **choices)
    if choices:
        raise ConfigError(
            f"'{source.name}' decides everything, but {listed(choices)} was given as well. Change "
            "the analysis file, or analyse the table itself."
        )
    return AnalysisConfig.read(source)


def _run(
    config: AnalysisConfig,
    target: Path | None,
    caught: list[warnings.WarningMessage],
    bar: Any,
) -> Analysis:
    bar.set_description("read")
    loaded = load(config, target)
    profiles, inputs = loaded.profiles, loaded.inputs
    _warn_of_data(profiles)
    bar.update()
    bar.set_description("check")
    checks = tuple(
        replace(c, excluded=loaded.kinds.get(c.profile_id, c.excluded))
        for c in check_profiles(profiles)
    )
    excluded = [c.profile_id for c in checks if c.excluded]
    if len(profiles) - len(excluded) < 2:
        raise InputError(
            f"only {len(profiles) - len(excluded)} of {len(profiles)} profiles in "
            f"'{config.path.name}' can be compared. Excluded: "
            + "; ".join(f"'{c.profile_id}' ({c.excluded})" for c in checks[:5] if c.excluded)
            + (
                ". Empty cells count as not measured: if they mean 'not detected', say "
                "empty='below_lod'."
                if loaded.runs is None
                else ". Look at peaks of one run first, drugsig.extract([run], protocol): are the "
                "retention times of the protocol those of these runs?"
            )
        )
    kept = profiles.without(excluded, why="cannot be compared") if excluded else profiles
    if config.rule is not None:
        config.rule.check(kept)
    bar.update()
    bar.set_description("pretreat")
    compared = pretreat(kept, config.recipe)
    bar.update()
    bar.set_description("compare")
    metric = get_metric(config.metric)
    comparison = compare(compared, metric=metric, min_measured=config.min_measured)
    bar.update()
    bar.set_description("threshold")
    rng = np.random.default_rng(config.seed)
    if config.rule is None:
        if config.threshold is None:
            raise ConfigError("an analysis needs a population rule or a threshold")
        limit = given_threshold(config.threshold, metric=metric)
    else:
        limit = threshold_for(
            comparison,
            compared,
            config.rule,
            rng=rng,
            value=config.threshold,
            false_positive_rate=config.false_positive_rate,
            n_resamples=config.n_resamples,
        )
    links = limit.links(comparison)
    _warn_of_many(links)
    bar.update()
    bar.set_description("group")
    groups = group(comparison, threshold=limit.value, linkage_method=config.linkage)
    uncapped = None
    if limit.capped and limit.by_rate is not None:
        with warnings.catch_warnings():
            # Shown to explain why it was not used: its chaining is no news of this analysis.
            warnings.simplefilter("ignore", ChainingWarning)
            uncapped = group(comparison, threshold=limit.by_rate, linkage_method=config.linkage)
    sample = limit.sample
    undecided = find_undecided(
        groups, links, sample=sample, left_out=None if sample is None else sample.left_out
    )
    bar.update()
    versions = {
        "drugsig": version("drugsig"),
        "python": platform.python_version(),
        **{name: version(name) for name in COMPUTING},
    }
    data = config.to_data(relative_to=target, sha256=inputs[0].sha256, version=versions["drugsig"])
    notes = [str(w.message) for w in caught if issubclass(w.category, DrugsigWarning)]
    if config.written_by not in ("", versions["drugsig"]):
        notes.append(
            f"The analysis file was written by drugsig {config.written_by}; this is "
            f"{versions['drugsig']}. See 'Changed results' in the changelog."
        )
    rates = limit.true_positive_rate, limit.false_positive_rate
    return Analysis(
        profiles=profiles,
        compared=compared,
        recipe=Recipe.parse(config.recipe),
        checks=checks,
        comparison=comparison,
        threshold=limit,
        links=links,
        groups=groups,
        group_rates=None if sample is None else groups.partition_rates(sample),
        component_rates=None if sample is None else groups.component_rates(sample),
        undecided=undecided,
        true_links=()
        if rates[0] is None or rates[1] is None
        else share_of_true_links(true_positive_rate=rates[0], false_positive_rate=rates[1]),
        inputs=inputs,
        config=data,
        notes=tuple(dict.fromkeys(notes)),
        versions=versions,
        seed=config.seed,
        run_digest=_run_digest(data, inputs, versions, profiles.digest),
        uncapped=uncapped,
        runs=loaded.runs,
    )


def _warn_of_data(profiles: ProfileSet) -> None:
    """Warn of what makes a wrong number likely: risky guesses, a target that is no impurity."""
    for step in profiles.history:
        for risk in step.detail.get("risks", ()):
            warn(f"While reading: {risk}", DataWarning)
    for name, part in dominant_targets(profiles).items():
        warn(
            f"'{name}' makes {part:.0%} of the sum of impurities in the median profile. If it is "
            "the main compound, an internal standard or a sum over the line, give it its role "
            f'(--role "{name}=main", or roles = {{ "{name}" = "main" }} in the analysis '
            "file) or name it as metadata.",
            DataWarning,
        )


def _warn_of_many(links: Links) -> None:
    """Warn of a threshold that links so many pairs that it is probably not what was meant."""
    if links.comparisons < _ENOUGH_PAIRS or len(links) <= _MANY_LINKS * links.comparisons:
        return
    meaning = "large means alike" if links.metric.is_similarity else "small means alike"
    warn(
        f"{len(links)} of {links.comparisons} pairs are links. '{links.metric.name}' is a "
        f"{links.metric.kind}, {meaning}: is {links.threshold:g} the threshold that was meant?",
        DataWarning,
    )


def _run_digest(
    data: dict[str, Any], inputs: tuple[InputFile, ...], versions: dict[str, str], digest: str
) -> str:
    # Where the files lie does not decide the result; what is in them does.
    told = {**data, "input": {k: v for k, v in data["input"].items() if not k.endswith("path")}}
    told.pop("output", None)
    told.update(files=[i.sha256 for i in inputs], versions=versions, profiles=digest)
    return hashlib.sha256(canonical_json(told).encode()).hexdigest()
