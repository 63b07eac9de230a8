"""`simulate_profiles`: profiles as a laboratory would have them, with their truth beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import (
    choose,
    generator,
    number_range,
    share,
    unique_text,
    whole_number,
    whole_numbers,
)
from drugsig.datasets.disturbances import Request, choose_disturbances
from drugsig.datasets.material import Material, SeizurePlan, lay_out, numbered
from drugsig.datasets.measurement import (
    STANDARD_RSD,
    other_areas,
    other_targets,
    replicate_counts,
    replicate_ids,
    replicate_noise,
    replicated,
    weigh,
)
from drugsig.datasets.simulated import SimulatedProfiles
from drugsig.datasets.values import Spread, detection_limit, draw_logs, draw_sizes, scatter
from drugsig.errors import InputError
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ID_COLUMN, ProfileSet
from drugsig.protocols.target import Target

__all__ = ["simulate_profiles"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

N_SOURCES = 20
MOST_ROUTES = 26
IMPURITY_AREA = 1e4

# Each aspect has a stream of its own, so that one setting does not disturb what others drew.
_ASPECTS = (
    *("sizes", "seizures", "routes", "targets", "sources", "specimens", "states", "mixtures"),
    *("replicates", "amounts", "others", "other replicates"),
)


def simulate_profiles(
    *,
    rng: np.random.Generator,
    n_sources: int | None = None,
    sizes: Sequence[int] | None = None,
    targets: int | Sequence[str] = 20,
    routes: int | Mapping[str, Sequence[str]] = 1,
    absent_share: float = 0.1,
    between: str = "factor",
    between_sd: float = 1.0,
    n_factors: int = 6,
    factor_share: float = 0.6,
    step: float = 0.5,
    level_sd: float = 1.0,
    within_rsd: float | tuple[float, float] = (0.10, 0.20),
    below_lod: float = 0.17,
    replicates: Mapping[str, int] | None = None,
    replicate_rsd: Mapping[str, float] | None = None,
    indistinguishable: int = 0,
    aged: int = 0,
    aged_targets: Sequence[str] | None = None,
    mixed: int = 0,
    main_compound: str | None = "main compound",
    internal_standard: str | None = "internal standard",
    cutting_agents: Sequence[str] = ("cutting agent",),
    degradation_product: str | None = "degradation product",
    seizures: SeizurePlan | None = None,
    name: str = "simulated",
) -> SimulatedProfiles:
    """Draw profiles of known sources, seized, aged, mixed and measured as told.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance: the same state gives the same profiles, as far as numpy
        promises that for its version. Each aspect draws from a stream of its own, so that ageing
        two specimens more leaves all others as they are.
    n_sources : int, optional
        How many sources, their sizes drawn with p(s) ~ s^-1.2 from 1 to 50. 20 if neither this
        nor `sizes` is given.
    sizes : sequence of int, optional
        How many specimens each source has, instead of `n_sources`.
    targets : int or sequence of str
        The impurities: how many, or their names.
    routes : int or mapping of str to sequence of str
        How many route classes, or the targets that each lacks. A target that a route lacks is
        zero in all its profiles. Routes are labels ("route A"), given to sources by chance.
    absent_share : float
        The share of the targets that each route lacks, where `routes` is a number above 1.
    between : {"factor", "iid", "continuum"}
        How sources differ: see `Spread`, as for the following five. Along a continuum links
        chain from one source to the next until nearly all profiles hang together.
    between_sd, n_factors, factor_share, step, level_sd
        See `Spread`.
    within_rsd : float or (float, float)
        The relative standard deviation between specimens of a source; of two, each target draws
        its own in between.
    below_lod : float
        The share of impurity values below one common limit, targets that a route lacks included.
        Mixture and ageing come on top.
    replicates : mapping of str to int, optional
        How many units a specimen, preparations a unit and injections a preparation have:
        ``{"injection": 2}``. Each 1 where not named. Every injection is a profile.
    replicate_rsd : mapping of str to float, optional
        The relative standard deviation that each of these levels adds; 0.05, 0.04 and 0.02
        where not named.
    indistinguishable : int
        How many pairs of sources share one mean profile.
    aged : int
        How many specimens have aged: 10 to 40 % is left of some targets, and the degradation
        product has grown five- to twentyfold.
    aged_targets : sequence of str, optional
        Which targets decay; without it a fifth of them, by chance.
    mixed : int
        How many specimens are mixtures, 30 to 70 % of them of their own source.
    main_compound, internal_standard, degradation_product : str or None
        Names of one target each with that role; None leaves it out.
    cutting_agents : sequence of str
        Names of cutting agents; each is in most specimens, in any amount.
    seizures : SeizurePlan, optional
        How specimens come into seizures, with dates and regions.
    name : str
        What messages call the set.

    Returns
    -------
    SimulatedProfiles
        Profiles in the order of their seizures, numbered in that order, and their truth.

    Raises
    ------
    InputError
        If an argument is out of bounds, or more is asked for than there are sources and
        specimens.
    UnknownNameError
        If a target, level or way is not known.

    Notes
    -----
    Values are peak areas and carry the amount weighed in, which normalisation removes. With a
    large share below the limit a profile may be left without any detected impurity.

    Examples
    --------
    >>> import numpy as np
    >>> simulated = simulate_profiles(rng=np.random.default_rng(1), sizes=[4, 3, 1], mixed=1)
    >>> simulated
    <SimulatedProfiles: 8 profiles from 3 sources; 7 clean, 1 mixed>
    >>> simulated.truth.columns[:3].tolist()
    ['profile_id', 'source_id', 'state']
    """
    # -- what is asked for
    rng = generator(rng)
    spread = Spread(between, between_sd, n_factors, factor_share, step, level_sd)
    request = Request(indistinguishable, aged, mixed)
    plan = _seizure_plan(seizures)
    names = _target_names(targets)
    others = other_targets(
        main_compound=main_compound,
        internal_standard=internal_standard,
        cutting_agents=cutting_agents,
        degradation_product=degradation_product,
    )
    unique_text((*names, *(t.name for t in others)), what="target names")
    counts, noise = replicate_counts(replicates), replicate_noise(replicate_rsd)
    low, high = number_range(within_rsd, what="within_rsd")
    below = share(below_lod, what="below_lod", zero=True)
    decaying = _decaying(aged_targets, names)

    # -- sources and what was seized of them
    stream = _streams(rng)
    size = _sizes(stream["sizes"], n_sources, sizes)
    material = lay_out(stream["seizures"], size, plan)
    lacking = _routes(stream["routes"], routes, names, absent_share)
    route = (stream["routes"].random(len(size)) * len(lacking)).astype(np.intp)
    rsd = stream["targets"].uniform(low, high, size=len(names))
    means = IMPURITY_AREA * np.exp(draw_logs(stream["sources"], len(size), spread=spread, rsd=rsd))
    found = choose_disturbances(
        stream["states"],
        material.sources,
        request,
        n_sources=len(size),
        n_targets=len(names),
        decaying=decaying,
    )
    means[found.twins[:, 1]] = means[found.twins[:, 0]]
    route[found.twins[:, 1]] = route[found.twins[:, 0]]
    for number, absent in enumerate(lacking.values()):
        means[np.ix_(route == number, np.isin(names, absent))] = 0.0

    # -- specimens and their measurement
    n = len(material.sources)
    specimens = means[material.sources] * scatter(stream["specimens"], n, rsd)
    amounts = weigh(stream["amounts"], n, counts)
    factors = replicated(stream["replicates"], np.ones_like(specimens), counts, noise) * amounts
    rows = np.repeat(material.order, len(factors) // n)
    # By the undisturbed values: what one specimen went through changes no other.
    limit = detection_limit(specimens[rows] * factors, below)
    found.apply(specimens, means, scatter(stream["mixtures"], n, rsd))
    values = specimens[rows] * factors
    values[values < limit] = 0.0
    extra = other_areas(stream["others"], others, found, len(size))
    columns = np.hstack(
        [
            values,
            _measured(stream["other replicates"], extra[material.order], others, counts, amounts),
        ]
    )
    table = _table(material, counts, [list(lacking)[k] for k in route])
    settings = {
        "sizes": [int(s) for s in size],
        "targets": list(names),
        "routes": {label: list(absent) for label, absent in lacking.items()},
        "spread": vars(spread),
        "within_rsd": [low, high],
        "below_lod": below,
        "replicates": counts,
        "replicate_rsd": noise,
        "disturbed": vars(request),
        "aged_targets": [names[k] for k in found.decaying] if aged else [],
        "seizures": {**vars(plan), "regions": list(plan.regions)},
    }
    profiles = ProfileSet(
        columns,
        targets=[*(Target(one) for one in names), *others],
        profiles=table,
        limits=np.full(columns.shape, limit if limit > 0 else np.nan),
        history=[Step.make("simulate", settings)],
        name=name,
    )
    truth = found.truth(rows, list(table[ID_COLUMN]), numbered("B", len(size)))
    return SimulatedProfiles(profiles, truth, settings)


def _streams(rng: np.random.Generator) -> dict[str, np.random.Generator]:
    words = rng.integers(0, 2**32, size=(len(_ASPECTS), 4), dtype=np.uint32)
    return {
        aspect: np.random.default_rng(row.tolist())
        for aspect, row in zip(_ASPECTS, words, strict=True)
    }


def _seizure_plan(seizures: object) -> SeizurePlan:
    if seizures is None:
        return SeizurePlan()
    if not isinstance(seizures, SeizurePlan):
        raise InputError(
            f"seizures must be a SeizurePlan, got {seizures!r}: "
            "drugsig.datasets.SeizurePlan(same_seizure=0.5)"
        )
    return seizures


def _sizes(rng: np.random.Generator, n_sources: int | None, sizes: Sequence[int] | None) -> Places:
    if sizes is not None:
        if n_sources is not None:
            raise InputError(
                "give either n_sources, for sizes drawn at random, or sizes, one number a "
                f"source; got n_sources={n_sources!r} and sizes={sizes!r}"
            )
        return np.array(whole_numbers(sizes, what="sizes", least=1), dtype=np.intp)
    wanted = N_SOURCES if n_sources is None else whole_number(n_sources, what="n_sources", least=1)
    return draw_sizes(rng, n_sources=wanted)


def _target_names(targets: int | Sequence[str]) -> tuple[str, ...]:
    if isinstance(targets, (int, np.integer)):
        n_targets = whole_number(targets, what="targets", least=1)
        return tuple(f"T{k:02d}" for k in range(1, n_targets + 1))
    if isinstance(targets, str) or not isinstance(targets, Sequence) or not targets:
        raise InputError(f"targets must be a number or a list of names, got {targets!r}")
    return unique_text(targets, what="targets")


def _decaying(aged_targets: Sequence[str] | None, names: tuple[str, ...]) -> Places | None:
    if aged_targets is None:
        return None
    if isinstance(aged_targets, str) or not aged_targets:
        raise InputError(f"aged_targets must be a list of names, got {aged_targets!r}")
    wanted = [choose(one, names, what="target (aged_targets)") for one in aged_targets]
    return np.array(sorted({names.index(one) for one in wanted}), dtype=np.intp)


def _routes(
    rng: np.random.Generator,
    routes: int | Mapping[str, Sequence[str]],
    names: tuple[str, ...],
    absent_share: float,
) -> dict[str, tuple[str, ...]]:
    """Return the targets that every route lacks."""
    portion = share(absent_share, what="absent_share", zero=True)
    if isinstance(routes, Mapping):
        if not routes:
            raise InputError("routes must name at least one route")
        unique_text(routes, what="routes")
        lacking = {
            label: tuple(choose(t, names, what=f"target that {label} lacks") for t in absent)
            for label, absent in routes.items()
        }
    else:
        count = whole_number(routes, what="routes", least=1, most=MOST_ROUTES)
        absent = int(portion * len(names)) if count > 1 else 0
        drawn = np.argsort(rng.random((count, len(names))), axis=1, kind="stable")[:, :absent]
        lacking = {
            f"route {chr(ord('A') + k)}": tuple(names[j] for j in sorted(row))
            for k, row in enumerate(drawn)
        }
    empty = [label for label, absent in lacking.items() if len(set(absent)) == len(names)]
    if empty:
        raise InputError(f"'{empty[0]}' lacks every target: its profiles would be empty")
    return lacking


def _measured(
    rng: np.random.Generator,
    areas: Floats,
    targets: Sequence[Target],
    counts: Mapping[str, int],
    amounts: Floats,
) -> Floats:
    noise = replicate_noise(None)
    standard = np.array([t.role == "internal_standard" for t in targets], dtype=bool)
    rows = replicated(rng, areas, counts, noise) * amounts
    # The standard is added to every preparation alike, whatever was weighed in.
    added = STANDARD_RSD * rng.standard_normal((len(rows), int(standard.sum())))
    repeats = len(rows) // len(areas)
    rows[:, standard] = np.repeat(areas[:, standard], repeats, axis=0) * np.exp(added)
    return rows


def _table(
    material: Material, counts: Mapping[str, int], route_of_source: Sequence[str]
) -> pd.DataFrame:
    n = len(material.order)
    ids = replicate_ids(numbered("S", n), counts)
    repeats = len(ids["specimen_id"]) // n
    rows = np.repeat(material.order, repeats)
    seizure_ids = numbered("Z", len(material.dates))
    seizure = material.seizures[rows]
    columns = {
        ID_COLUMN: numbered("P", len(rows)),
        **ids,
        "seizure_id": [seizure_ids[k] for k in seizure],
        "date": [material.dates[k] for k in seizure],
        "region": [material.regions[k] for k in seizure],
        "route": [route_of_source[k] for k in material.sources[rows]],
    }
    return pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in columns.items()})
