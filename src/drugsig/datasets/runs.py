"""`simulate_runs`: GC-MS runs as an instrument would store them, with their truth beside."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig._check import choose, generator, listed, unique_text, whole_number
from drugsig.acquisition.run import RunMetadata
from drugsig.datasets.measurement import REPLICATE_RSD, STANDARD_AREA, STANDARD_RSD
from drugsig.datasets.run_compounds import COCAINE_COMPOUNDS, COELUTING_COMPOUNDS, Compound
from drugsig.datasets.run_instrument import Condition, Instrument, acquire
from drugsig.datasets.simulated import SimulatedProfiles
from drugsig.datasets.simulated_runs import RUN_ID, SimulatedRuns
from drugsig.datasets.simulation import simulate_profiles
from drugsig.datasets.values import log_sd
from drugsig.errors import InputError
from drugsig.profiles.profile_set import ID_COLUMN, ProfileSet

__all__ = ["KINDS", "PlannedRun", "plan_runs", "replicate_level", "simulate_runs"]


KINDS = ("sample", "blank", "control")

# Minutes from one injection to the next, the cooling of the oven included, and days from one
# sequence to the next.
MINUTES_A_RUN = 15
DAYS_A_SEQUENCE = 7
FIRST_HOUR = 8


@dataclass(frozen=True)
class PlannedRun:
    """One place in a sequence.

    Parameters
    ----------
    run_id : str
        Its name: the sequence and the place.
    sequence : int
        Which sequence, from 0.
    position : int
        The place in it, from 1.
    kind : str
        One of `KINDS`.
    profile : int
        The place of the profile that is measured; -1 for blanks and controls.
    progress : float
        How much of the sequence lies behind, from 0 to 1.
    acquired : str
        When, in ISO 8601.
    """

    run_id: str
    sequence: int
    position: int
    kind: str
    profile: int
    progress: float
    acquired: str


def plan_runs(
    table: pd.DataFrame, /, *, sequences: int, blanks: int, controls: int, first_day: str
) -> tuple[PlannedRun, ...]:
    """Put profiles into sequences, with blanks and controls.

    Specimens go into sequences in the order of the profiles. A further preparation is measured
    in the next sequence: scatter within a source that was seen in one sequence only would be too
    small. Each sequence begins with a blank and a control; the others come at its end.

    Parameters
    ----------
    table : DataFrame
        The profiles' metadata, with `specimen_id`, `unit_id` and `preparation_id`.
    sequences : int
        How many.
    blanks, controls : int
        How many of each a sequence has.
    first_day : str
        Of the first sequence, an ISO date.

    Raises
    ------
    InputError
        If the date is none, or there are more sequences than specimens.
    """
    places = _sequences_of(table, sequences)
    try:
        start = datetime.datetime.combine(
            datetime.date.fromisoformat(first_day), datetime.time(FIRST_HOUR), datetime.UTC
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"first_day must be a date such as '2025-01-13', got {first_day!r}"
        ) from error
    out = []
    for sequence in range(sequences):
        mine = [("sample", k) for k, place in enumerate(places) if place == sequence]
        kinds = [
            *[("blank", -1)] * min(blanks, 1),
            *[("control", -1)] * min(controls, 1),
            *mine,
            *[("control", -1)] * max(controls - 1, 0),
            *[("blank", -1)] * max(blanks - 1, 0),
        ]
        for position, (kind, profile) in enumerate(kinds, start=1):
            when = start + datetime.timedelta(
                days=DAYS_A_SEQUENCE * sequence, minutes=MINUTES_A_RUN * (position - 1)
            )
            out.append(
                PlannedRun(
                    run_id=f"Q{sequence + 1}-{position:02d}",
                    sequence=sequence,
                    position=position,
                    kind=kind,
                    profile=profile,
                    progress=(position - 1) / max(len(kinds) - 1, 1),
                    acquired=when.isoformat(),
                )
            )
    return tuple(out)


def _sequences_of(table: pd.DataFrame, sequences: int) -> list[int]:
    """Return the sequence of every profile."""
    specimens = list(dict.fromkeys(table["specimen_id"]))
    if sequences > len(specimens):
        raise InputError(
            f"sequences={sequences} needs as many specimens at least, and there are "
            f"{len(specimens)}"
        )
    first = {one: k * sequences // len(specimens) for k, one in enumerate(specimens)}
    prepared: dict[str, dict[str, int]] = {}
    out = []
    for specimen, preparation in zip(table["specimen_id"], table["preparation_id"], strict=True):
        ordinals = prepared.setdefault(specimen, {})
        ordinal = ordinals.setdefault(preparation, len(ordinals))
        out.append((first[specimen] + ordinal) % sequences)
    return out


def replicate_level(table: pd.DataFrame, /) -> list[str]:
    """Say of every profile what it repeats: "" for the first of a specimen, else the level.

    Parameters
    ----------
    table : DataFrame
        The profiles' metadata, with the ids of the four levels.
    """
    levels: Sequence[str] = ("specimen", "unit", "preparation", "injection")
    seen: set[str] = set()
    out = []
    for ids in table[[f"{level}_id" for level in levels]].itertuples(index=False, name=None):
        new = [level for level, one in zip(levels, ids, strict=True) if one not in seen]
        out.append("" if "specimen" in new else new[0])
        seen.update(ids)
    return out


Floats = NDArray[np.float64]

# What is seized where nothing is said: sources enough for linked and unlinked pairs.
SIZES = (4, 3, 3, 2, 2, 2)

# A compound that elutes beside others is in half of the samples, in amounts over two decades.
COELUTING_SHARE = 0.5
COELUTING_AREA = (1e4, 1e6)

# What the headers of simulated runs say, in the words of ANDI.
HEADER = {"test_ms_inlet": "Capillary Direct", "test_ionization_polarity": "Positive Polarity"}
SELECTED = {"test_scan_function": "Selected Ion Detection"}

# Each aspect has a stream of its own, so that one setting does not disturb what others drew.
_ASPECTS = ("sequences", "runs", "matrix", "standard", "signals")


def simulate_runs(
    simulated: SimulatedProfiles | None = None,
    /,
    *,
    rng: np.random.Generator,
    profile_ids: Sequence[str] | None = None,
    compounds: Sequence[Compound] = COCAINE_COMPOUNDS,
    coeluting: Sequence[Compound] = COELUTING_COMPOUNDS,
    instrument: Instrument | None = None,
    sequences: int = 2,
    blanks: int = 1,
    controls: int = 1,
    first_day: str = "2025-01-13",
) -> SimulatedRuns:
    """Draw the GC-MS runs that profiles could have come from, one a profile.

    Peaks have tails and drift within and between sequences, the column bleeds, the detector has
    shot noise and clips, and blanks and a control sample stand among the samples. The control is
    a pool of all that is measured.

    Parameters
    ----------
    simulated : SimulatedProfiles, optional
        What is measured, with its replicates: see `simulate_profiles`. Without it, 16 specimens
        from 6 sources, the first compounds' names as targets.
    rng : numpy.random.Generator
        The only source of chance. Each run draws from a stream of its own.
    profile_ids : sequence of str, optional
        Which of the profiles are measured; all by default.
    compounds : sequence of Compound
        What is known of the targets. One whose name is no target is absent.
    coeluting : sequence of Compound
        What else may elute: in half of the samples, in any amount.
    instrument : Instrument, optional
        How runs are acquired.
    sequences : int
        In how many series. A further preparation of a specimen is measured in the next one.
    blanks, controls : int
        How many of each are in every sequence.
    first_day : str
        Of the first sequence; one follows a week.

    Returns
    -------
    SimulatedRuns
        The runs, in the order of acquisition, and their truth.

    Raises
    ------
    InputError
        If an argument is out of bounds, or a target has no compound.
    UnknownNameError
        If there is no such profile.

    Notes
    -----
    Intensities are whole counts of four digits and m/z lie in steps of 0.05, both exact in single
    precision.

    Examples
    --------
    >>> import numpy as np
    >>> runs = simulate_runs(rng=np.random.default_rng(1))
    >>> runs
    <SimulatedRuns: 20 runs (2 blank, 2 control, 16 sample) of 19 compounds>
    >>> runs.truth.loc[:2, "kind"].tolist()
    ['blank', 'control', 'sample']
    """
    rng = generator(rng)
    known = (*compounds, *coeluting)
    unique_text((one.name for one in known), what="names of compounds")
    sequences = whole_number(sequences, what="sequences", least=1)
    blanks, controls = whole_number(blanks, what="blanks"), whole_number(controls, what="controls")
    machine = Instrument() if instrument is None else instrument
    streams = _streams(rng)
    if simulated is None:
        simulated = _seized(rng, compounds)
    chosen = _chosen(simulated.profiles, profile_ids)
    table = _with_levels(simulated.profiles.profiles).iloc[chosen].reset_index(drop=True)
    told = simulated.truth.iloc[chosen].reset_index(drop=True)
    plan = plan_runs(
        table,
        sequences=sequences,
        blanks=blanks,
        controls=controls,
        first_day=first_day,
    )
    amounts = _amounts(simulated.profiles, chosen, compounds)
    areas = _areas(streams, plan, amounts, known, table["specimen_id"].tolist(), machine)
    apex, bleed = _retention(streams, plan, known, machine)
    seeds = streams["signals"].integers(0, 2**32, size=(len(plan), 4), dtype=np.uint32)
    truth = _truth(plan, table, told)
    acquired = [
        acquire(
            np.random.default_rng(seed.tolist()),
            machine,
            known,
            Condition(areas[k], apex[k], float(bleed[k])),
            _metadata(one, str(truth["preparation_id"].iloc[k]), machine),
        )
        for k, (one, seed) in enumerate(zip(plan, seeds, strict=True))
    ]
    return SimulatedRuns(
        [one.run for one in acquired],
        truth,
        compounds=known,
        areas=areas,
        apex_s=apex,
        saturated=np.array([one.saturated for one in acquired]),
        settings={
            "instrument": asdict(machine),
            "sequences": sequences,
            "blanks": blanks,
            "controls": controls,
            "first_day": first_day,
            "profiles": simulated.settings,
        },
    )


def _streams(rng: np.random.Generator) -> dict[str, np.random.Generator]:
    words = rng.integers(0, 2**32, size=(len(_ASPECTS), 4), dtype=np.uint32)
    return {
        aspect: np.random.default_rng(row.tolist())
        for aspect, row in zip(_ASPECTS, words, strict=True)
    }


def _seized(rng: np.random.Generator, compounds: Sequence[Compound]) -> SimulatedProfiles:
    """Return profiles of these compounds."""

    def named(role: str) -> list[str]:
        return [one.name for one in compounds if one.role == role]

    def first(role: str) -> str | None:
        return next(iter(named(role)), None)

    return simulate_profiles(
        rng=rng,
        sizes=SIZES,
        targets=named("impurity"),
        below_lod=0.05,
        main_compound=first("main"),
        internal_standard=first("internal_standard"),
        cutting_agents=named("cutting_agent"),
        degradation_product=first("degradation_product"),
    )


def _chosen(profiles: ProfileSet, wanted: Sequence[str] | None) -> list[int]:
    if wanted is None:
        return list(range(len(profiles)))
    places = {name: k for k, name in enumerate(profiles.ids)}
    names = unique_text(wanted, what="profile_ids")
    return sorted(places[choose(name, profiles.ids, what="profile")] for name in names)


def _with_levels(table: pd.DataFrame) -> pd.DataFrame:
    levels = ("specimen_id", "unit_id", "preparation_id", "injection_id")
    missing = [name for name in levels if name not in table.columns]
    if missing:
        raise InputError(
            f"the profiles lack the column(s) {listed(missing)}, which simulate_profiles gives them"
        )
    return table


def _amounts(profiles: ProfileSet, chosen: Sequence[int], compounds: Sequence[Compound]) -> Floats:
    """Return the areas that the profiles ask for, shape (n_chosen, n_compounds)."""
    place = {one.name: k for k, one in enumerate(compounds)}
    unknown = [name for name in profiles.target_names if name not in place]
    if unknown:
        raise InputError(
            f"no compound says how {listed(unknown)} elutes. Add it to compounds, or simulate "
            "profiles of the compounds' names."
        )
    out = np.zeros((len(chosen), len(compounds)))
    for column, name in enumerate(profiles.target_names):
        one = compounds[place[name]]
        out[:, place[name]] = one.response * profiles.values[list(chosen), column]
    return out


def _areas(
    streams: dict[str, np.random.Generator],
    plan: Sequence[PlannedRun],
    amounts: Floats,
    known: Sequence[Compound],
    specimens: Sequence[str],
    machine: Instrument,
) -> Floats:
    """Return the true areas, shape (n_runs, n_compounds + n_coeluting)."""
    n_compounds = amounts.shape[1]
    n_sequences = max(one.sequence for one in plan) + 1
    sensitivity = np.exp(
        log_sd(machine.sensitivity_rsd) * streams["sequences"].standard_normal(n_sequences)
    )
    standard = np.array([one.role == "internal_standard" for one in known], dtype=np.bool_)
    pool = amounts.mean(axis=0)
    injected = np.exp(
        log_sd(REPLICATE_RSD["injection"])
        * streams["runs"].standard_normal((len(plan), n_compounds))
    )
    added = np.exp(STANDARD_RSD * streams["standard"].standard_normal(len(plan)))
    others = _others(streams["matrix"], specimens, len(known) - n_compounds)
    areas = np.zeros((len(plan), len(known)))
    for k, one in enumerate(plan):
        if one.kind == "sample":
            areas[k, :n_compounds] = amounts[one.profile]
            areas[k, n_compounds:] = others[one.profile]
        elif one.kind == "control":
            areas[k, :n_compounds] = pool * injected[k]
        if one.kind != "sample":
            response = np.array([c.response for c in known])
            areas[k, standard] = (STANDARD_AREA * response * added[k])[standard]
        areas[k] *= sensitivity[one.sequence]
        if one.kind == "blank" and one.position > 1:
            areas[k, ~standard] += machine.carry_over * areas[k - 1, ~standard]
    return areas


def _others(rng: np.random.Generator, specimens: Sequence[str], count: int) -> Floats:
    """Return the areas of what co-elutes, shape (n_profiles, count): one draw a specimen."""
    distinct = list(dict.fromkeys(specimens))
    held, much = rng.random((2, len(distinct), count))
    low, high = np.log(COELUTING_AREA)
    drawn = np.where(held < COELUTING_SHARE, np.exp(low + (high - low) * much), 0.0)
    return np.asarray(drawn[[distinct.index(one) for one in specimens]])


def _retention(
    streams: dict[str, np.random.Generator],
    plan: Sequence[PlannedRun],
    known: Sequence[Compound],
    machine: Instrument,
) -> tuple[Floats, Floats]:
    """Return where each peak is highest, and the factor on bleed of every run."""
    rng = streams["sequences"]
    n_sequences = max(one.sequence for one in plan) + 1
    shift = machine.drift_between_s * rng.standard_normal(n_sequences)
    bleed = np.exp(log_sd(machine.bleed_rsd) * rng.standard_normal(n_sequences))
    times = np.array([one.retention_time_s for one in known])
    sequence = np.array([one.sequence for one in plan])
    progress = np.array([one.progress for one in plan])
    # A column that is cut or ages stretches the whole run, late peaks most.
    stretch = shift[sequence] - machine.drift_within_s * progress
    jitter = machine.jitter_s * streams["runs"].standard_normal((len(plan), len(known)))
    apex = times + stretch[:, None] * times / machine.run_length_s + jitter
    return apex, bleed[sequence]


def _truth(plan: Sequence[PlannedRun], table: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    rows = [one.profile for one in plan]
    repeats = [*replicate_level(table), ""]
    own = pd.DataFrame(
        {
            RUN_ID: [one.run_id for one in plan],
            "kind": [one.kind for one in plan],
            "sequence_id": [f"Q{one.sequence + 1}" for one in plan],
            "position": [one.position for one in plan],
            "acquired": [one.acquired for one in plan],
            "replicate_level": [repeats[k] for k in rows],
        }
    )
    of_material = table.drop(columns=[ID_COLUMN])
    of_profiles = pd.concat([told, of_material], axis=1)
    # Blanks and controls have no profile: their place is -1, and their row empty.
    picked = of_profiles.reindex(rows).reset_index(drop=True)
    return pd.concat([own, picked], axis=1)


def _metadata(one: PlannedRun, preparation: str, machine: Instrument) -> RunMetadata:
    return RunMetadata(
        file_name=one.run_id,
        sha256="",
        format="simulated",
        sample_name=preparation if one.kind == "sample" else one.kind,
        method="simulated",
        instrument="simulated quadrupole",
        acquired=one.acquired,
        ionisation="Electron Impact",
        separation="Gas-Liquid Chromatography",
        time_unit="seconds",
        other=HEADER | (SELECTED if machine.mz_range is None else {}),
    )
