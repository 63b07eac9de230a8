"""`analyse`: the main job, from a table of profiles to groups and a report."""

from __future__ import annotations

import contextlib
import hashlib
import platform
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tqdm import tqdm

from drugsig._check import listed
from drugsig._files import canonical_json, refuse_existing
from drugsig._notes import emit
from drugsig.analysis.analysing import STEPS, analysed
from drugsig.analysis.analysis import Analysis
from drugsig.analysis.cautions import OtherVersion
from drugsig.analysis.headings import told
from drugsig.analysis.inputs import InputFile
from drugsig.analysis.reading import PROFILES
from drugsig.comparison.distributed.cluster import DEFAULT_TIMEOUT, connected
from drugsig.comparison.linking import LINKS_LIMIT_BYTES
from drugsig.errors import ConfigError, SizeError
from drugsig.evidence.populations import PopulationRule, get_rule
from drugsig.profiles.profile_set import ProfileSet
from drugsig.workflow.config import (
    AnalysisConfig,
    ProtocolRead,
    RunReadingOptions,
    reading_options,
)
from drugsig.workflow.outputs import write_analysis
from drugsig.workflow.sources import Loaded, load

__all__ = ["analyse"]

# The packages whose version can change a number or a figure.
COMPUTING = ("numpy", "scipy", "pandas", "matplotlib")

_STEPS = ("read", *STEPS, "write")


def analyse(
    source: str | Path | ProfileSet,
    /,
    *,
    out: str | Path | None = None,
    rule: PopulationRule | str | None = None,
    threshold: float | None = None,
    recipe: str | None = None,
    metric: str | None = None,
    min_measured: int | None = None,
    false_positive_rate: float | None = None,
    chance_links: float | None = None,
    linkage: str | None = None,
    seed: int | None = None,
    n_resamples: int | None = None,
    matrices: str | None = None,
    memory: float = LINKS_LIMIT_BYTES,
    scheduler: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    reading: dict[str, Any] | None = None,
    protocol: str | Path | None = None,
    decimal_comma: bool | None = None,
    progress: bool = True,
) -> Analysis:
    """Read profiles, compare them all, group them and report.

    Parameters
    ----------
    source : path-like or ProfileSet
        A table of profiles, a folder of runs, or an ``analysis.toml`` that names one of them and
        decides everything; or profiles as they were measured. What is written of those names its
        own ``profiles.csv`` as the input.
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
    min_measured : int, optional
        The least number of targets measured in both; the metric's own number by default.
    false_positive_rate : float, optional
        What a learned threshold must not exceed; 0.025 by default.
    chance_links : float, optional
        How many links a learned threshold may make by chance alone among all pairs compared,
        instead of a rate. Refused where so small a rate is not measurable.
    linkage : str, optional
        ``"average"`` by default.
    seed : int, optional
        For resampling; 1 by default.
    n_resamples : int, optional
        How often sources are resampled; 2,000 by default.
    matrices : {"auto", "dense", "sparse"}, optional
        Whether all scores are formed, or only those of links and of pairs of known source that are
        needed. Links, groups, threshold and rates are the same. By itself all up to 3,000 profiles.
    memory : float
        The most bytes that links, the distances within a component of them, or all scores with
        what is made of them, may take.
    scheduler : str, optional
        The address of a Dask scheduler, whose workers then search for links, where not all scores
        are formed.
    timeout : float
        How many seconds to wait for the scheduler, or for a worker, before giving up.
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
    SizeError
        If it would take more than `memory`, or more than there is; the message says how much.
    ClusterError
        If there is no scheduler, or the cluster is lost for longer than the time-out.
    OutputError
        If the folder exists and is not empty.

    Warns
    -----
    DrugsigWarning
        Of what a reader must know, once each, at the end; ``Analysis.notes`` has it all.
    """
    target = None if out is None else Path(out)
    if target is not None:
        refuse_existing(target)
    choices = {
        "rule": rule if rule is None else get_rule(rule),
        "threshold": threshold,
        "recipe": recipe,
        "metric": metric,
        "min_measured": min_measured,
        "false_positive_rate": false_positive_rate,
        "chance_links": chance_links,
        "linkage": linkage,
        "seed": seed,
        "n_resamples": n_resamples,
        "matrices": matrices,
        "reading": reading and reading_options(reading, runs=protocol is not None),
        "protocol": protocol,
    }
    given = {k: v for k, v in choices.items() if v is not None}
    profiles = source if isinstance(source, ProfileSet) else None
    if isinstance(source, ProfileSet):
        config = _config_of_profiles(source, target, given)
    else:
        config = _config(Path(source), given)
    if decimal_comma is not None:
        config = replace(config, decimal_comma=decimal_comma)
    bar = tqdm(total=len(_STEPS), disable=None if progress else True, leave=False, unit="step")
    with bar, contextlib.ExitStack() as stack, _told_sizes():
        client = None
        if scheduler is not None:
            client = stack.enter_context(connected(scheduler, timeout=timeout))
        options = {"memory": memory, "client": client}
        analysis = _run(config, profiles, target, bar, options)
        bar.update()
        bar.set_description("write")
        if target is not None:
            write_analysis(analysis, target, decimal_comma=config.decimal_comma)
        bar.update()
    emit(one.note for one in analysis.notes)
    return analysis


@contextlib.contextmanager
def _told_sizes() -> Iterator[None]:
    """Tell a lack of memory as what it is: no fault, but too much for this machine."""
    try:
        yield
    except SizeError:
        raise
    except MemoryError as error:
        raise SizeError(
            f"there is not enough memory for this analysis ({str(error) or 'no size was told'}). "
            "Form only the scores that are needed, matrices='sparse'; choose a stricter threshold, "
            "threshold=<number>, or fewer chance links, chance_links=<number>; or use a machine "
            "with more memory."
        ) from error


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
            read = ProtocolRead.of(choices["protocol"])
            recipe, metric = read.defaults
            usual = {"recipe": recipe, "metric": metric, "reading": RunReadingOptions()}
            choices = {**usual, "protocol_read": read, **choices}
        return AnalysisConfig(path=source, **choices)
    if choices:
        raise ConfigError(
            f"'{source.name}' decides everything, but {listed(choices)} was given as well. Change "
            "the analysis file, or analyse the table itself."
        )
    return AnalysisConfig.read(source)


def _config_of_profiles(
    profiles: ProfileSet, target: Path | None, choices: dict[str, Any]
) -> AnalysisConfig:
    """Return what decides an analysis of profiles that come from no file."""
    meant = [name for name in ("protocol", "reading") if name in choices]
    if meant:
        raise ConfigError(
            f"{listed(meant)} says how a file is read, but profile set '{profiles.name}' was given "
            "as it is. Give the path of the file, or leave that out."
        )
    return AnalysisConfig(path=Path(PROFILES) if target is None else target / PROFILES, **choices)


def _run(
    config: AnalysisConfig,
    profiles: ProfileSet | None,
    target: Path | None,
    bar: Any,
    options: dict[str, Any],
) -> Analysis:
    bar.set_description("read")
    loaded = load(config, target) if profiles is None else Loaded(profiles, (), {})

    def step(name: str) -> None:
        bar.update()
        bar.set_description(name)

    analysis = analysed(
        loaded.profiles,
        rule=config.rule,
        threshold=config.threshold,
        recipe=config.recipe,
        metric=config.metric,
        min_measured=config.min_measured,
        false_positive_rate=config.false_positive_rate,
        linkage=config.linkage,
        seed=config.seed,
        n_resamples=config.n_resamples,
        chance_links=config.chance_links,
        matrices=config.matrices,
        **options,
        runs=loaded.runs,
        progress=step,
    )
    versions = {
        "drugsig": version("drugsig"),
        "python": platform.python_version(),
        **{name: version(name) for name in COMPUTING},
    }
    inputs = loaded.inputs
    data = config.to_data(relative_to=target, sha256=loaded.digests, version=versions["drugsig"])
    other = config.written_by not in ("", versions["drugsig"])
    late = (OtherVersion(config.written_by, versions["drugsig"]),) if other else ()
    return replace(
        analysis,
        inputs=inputs,
        config=data,
        notes=(*told(loaded.notes), *analysis.notes, *told(late)),
        versions=versions,
        run_digest=_run_digest(data, inputs, versions, loaded.profiles.digest),
    )


def _run_digest(
    data: dict[str, Any], inputs: tuple[InputFile, ...], versions: dict[str, str], digest: str
) -> str:
    # Where the files lie does not decide the result; what is in them does.
    told = {**data, "input": {k: v for k, v in data["input"].items() if not k.endswith("path")}}
    told.pop("output", None)
    told.update(files=[i.sha256 for i in inputs], versions=versions, profiles=digest)
    return hashlib.sha256(canonical_json(told).encode()).hexdigest()
