"""`simulate_profiles`: profiles as a laboratory would have them, with their truth beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import listed, one_line_text, share, unique_text
from drugsig.datasets.arguments import generator, number, number_range, whole, whole_numbers
from drugsig.datasets.disturbances import STATES, Disturbed, disturb
from drugsig.datasets.material import SeizurePlan, lay_out, numbered
from drugsig.datasets.simulated import SimulatedProfiles
from drugsig.datasets.values import Spread, censor, draw_logs, draw_sizes, scatter
from drugsig.errors import InputError
from drugsig.profiles.history import Step
from drugsig.profiles.profile_set import ID_COLUMN, ProfileSet
from drugsig.profiles.status import Status
from drugsig.protocols.target import Target

__all__ = ["REPLICATE_LEVELS", "simulate_profiles"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# From the coarsest to the finest. A specimen has units, a unit preparations, a preparation
# injections; every injection is a profile.
REPLICATE_LEVELS = ("unit", "preparation", "injection")
REPLICATE_RSD = {"unit": 0.05, "preparation": 0.04, "injection": 0.02}

# Typical areas. Only their ratios matter after normalisation.
IMPURITY_AREA = 1e4
MAIN_AREA = 1e6
STANDARD_AREA = 2e5
CUTTING_AREA = 5e5
DEGRADATION_AREA = 2e3

# What is weighed in differs between preparations; the added standard hardly does.
AMOUNT_RSD = 0.2
STANDARD_RSD = 0.02
CUT_SHARE = 0.6

# Each aspect has a stream of its own, so that one setting does not disturb what others drew.
_ASPECTS = (
    *("sizes", "targets", "routes", "sources", "specimens", "seizures", "states", "disturbed"),
    *("replicates", "others"),
)


def simulate_profiles(
    *,
    rng: np.random.Generator,
    n_sources: int | None = None,
    sizes: Sequence[int] | None = None,
    targets: int | Sequence[str] = 20,
    routes: int | Mapping[str, Sequence[str]] = 1,
    absent_share: float = 0.2,
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
        How many route classes, or the targets each lacks. A target that a route lacks is zero
        in all its profiles. Routes are labels ("route A"), given to sources by chance.
    absent_share : float
        The share of the targets each route lacks, where `routes` is a number above 1.
    between : {"factor", "iid", "continuum"}
        How sources differ: see `Spread`, as for the following five. Along a continuum links
        chain from one source to the next until nearly all profiles hang together.
    between_sd, n_factors, factor_share, step, level_sd
        See `Spread`.
    within_rsd : float or (float, float)
        The relative standard deviation between specimens of a source; of two, each target draws
        its own in between.
    below_lod : float
        The share of impurity values below one common limit, targets a route lacks included.
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
        How many specimens are mixtures, of 30 to 70 % with another source.
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
    rng = generator(rng)
    spread = Spread(between, between_sd, n_factors, factor_share, step, level_sd)
    plan = SeizurePlan() if seizures is None else seizures
    if not isinstance(plan, SeizurePlan):
        raise InputError(f"seizures must be a SeizurePlan, got {seizures!r}")
    names = _target_names(targets)
    others = _other_targets(main_compound, internal_standard, cutting_agents, degradation_product)
    unique_text((*names, *(t.name for t in others)), what="target names")
    counts = _counts(replicates)
    noise = _noise(replicate_rsd)
    low, high = number_range(within_rsd, what="within_rsd")
    below = share(below_lod, what="below_lod", zero=True)
    absent_share = share(absent_share, what="absent_share", zero=True)
    if n_sources is not None and sizes is not None:
        raise InputError("give either n_sources or sizes, not both: sizes has one number a source")

    words = rng.integers(0, 2**32, size=(len(_ASPECTS), 4), dtype=np.uint32)
    stream = {
        aspect: np.random.default_rng([int(w) for w in row])
        for aspect, row in zip(_ASPECTS, words, strict=True)
    }
    size = (
        draw_sizes(
            stream["sizes"],
            n_sources=20 if n_sources is None else whole(n_sources, what="n_sources", low=1),
        )
        if sizes is None
        else np.array(whole_numbers(sizes, what="sizes"), dtype=np.intp)
    )
    lacking = _routes(stream["routes"], routes, names, absent_share)
    labels = list(lacking)
    route = (stream["routes"].random(len(size)) * len(labels)).astype(np.intp)
    material = lay_out(stream["seizures"], size, plan)
    rsd = stream["targets"].uniform(low, high, size=len(names))
    logs = draw_logs(stream["sources"], len(size), spread=spread, rsd=rsd)
    means = IMPURITY_AREA * np.exp(logs)
    found = disturb(
        stream["states"],
        material.sources,
        indistinguishable=indistinguishable,
        aged=aged,
        mixed=mixed,
        n_sources=len(size),
        places=_aged_places(aged_targets, names),
        n_targets=len(names),
    )
    means[found.twins[:, 1]] = means[found.twins[:, 0]]
    route[found.twins[:, 1]] = route[found.twins[:, 0]]
    for source, one in enumerate(route):
        means[source, [names.index(t) for t in lacking[labels[one]]]] = 0.0
    specimens = means[material.sources] * scatter(stream["specimens"], len(material.sources), rsd)
    found.apply(specimens, means, scatter(stream["disturbed"], len(specimens), rsd))

    # From specimens to profiles: one row an injection, in the order of the seizures.
    per_specimen = int(np.prod(list(counts.values())))
    order = np.repeat(material.order, per_specimen)
    values, unit, preparation = _replicated(
        stream["replicates"], specimens, material.order, counts, noise
    )
    limit = censor(values, below)
    extra = _other_values(stream["others"], others, material.sources, found, order, preparation)
    columns = np.column_stack([values, extra]) if others else values
    table = _table(order, material, counts, [labels[r] for r in route])
    settings: dict[str, object] = {
        "sizes": [int(s) for s in size],
        "targets": list(names),
        "routes": {label: list(t) for label, t in lacking.items()},
        "between": spread.between,
        "between_sd": spread.between_sd,
        "n_factors": spread.n_factors,
        "factor_share": spread.factor_share,
        "step": spread.step,
        "level_sd": spread.level_sd,
        "within_rsd": [low, high],
        "below_lod": below,
        "replicates": counts,
        "replicate_rsd": noise,
        "indistinguishable": len(found.twins),
        "aged": int((found.state == STATES.index("aged")).sum()),
        "aged_targets": [names[k] for k in found.places] if aged else [],
        "mixed": int((found.state == STATES.index("mixed")).sum()),
        "same_seizure": plan.same_seizure,
        "shared_seizure": plan.shared_seizure,
        "first_day": plan.first_day,
        "days": plan.days,
        "regions": list(plan.regions),
    }
    profiles = ProfileSet(
        columns,
        targets=[*(Target(n) for n in names), *others],
        profiles=table,
        status=np.where(columns > 0, Status.DETECTED, Status.BELOW_LOD),
        limits=np.full(columns.shape, limit if limit > 0 else np.nan),
        history=[Step.make("simulate", settings)],
        name=name,
    )
    source_ids = numbered("B", len(size))
    return SimulatedProfiles(profiles, found.truth(table[ID_COLUMN], order, source_ids), settings)


# -- arguments -----------------------------------------------------------------------------


def _target_names(targets: int | Sequence[str]) -> tuple[str, ...]:
    if isinstance(targets, (int, np.integer)):
        return tuple(f"T{k:02d}" for k in range(1, whole(targets, what="targets", low=1) + 1))
    if isinstance(targets, str) or not isinstance(targets, Sequence) or not targets:
        raise InputError(f"targets must be a number or a list of names, got {targets!r}")
    return unique_text(targets, what="targets")


def _other_targets(
    main_compound: str | None,
    internal_standard: str | None,
    cutting_agents: Sequence[str],
    degradation_product: str | None,
) -> tuple[Target, ...]:
    if isinstance(cutting_agents, str):
        raise InputError(f"cutting_agents must be a list of names, got {cutting_agents!r}")
    wanted = (
        (main_compound, "main"),
        (internal_standard, "internal_standard"),
        *((agent, "cutting_agent") for agent in cutting_agents),
        (degradation_product, "degradation_product"),
    )
    return tuple(Target(name, role) for name, role in wanted if name is not None)


def _counts(replicates: Mapping[str, int] | None) -> dict[str, int]:
    counts = dict.fromkeys(REPLICATE_LEVELS, 1)
    for level, count in _levels(replicates, what="replicates").items():
        counts[level] = whole(count, what=f"replicates of '{level}'", low=1)
    return counts


def _noise(replicate_rsd: Mapping[str, float] | None) -> dict[str, float]:
    noise = dict(REPLICATE_RSD)
    for level, rsd in _levels(replicate_rsd, what="replicate_rsd").items():
        noise[level] = number(rsd, what=f"replicate_rsd of '{level}'")
    return noise


def _levels[T](given: Mapping[str, T] | None, *, what: str) -> Mapping[str, T]:
    return given or {}


def _aged_places(aged_targets: Sequence[str] | None, names: tuple[str, ...]) -> Places | None:
    return None


def _routes(
    rng: np.random.Generator,
    routes: int | Mapping[str, Sequence[str]],
    names: tuple[str, ...],
    absent_share: float,
) -> dict[str, tuple[str, ...]]:
    return {}
