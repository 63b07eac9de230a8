"""The example "casework": GC-MS runs of seized cocaine, in the two formats of one laboratory.

Simulated from one seed, as an instrument would have stored them, with their truth beside. The
seed was chosen among others so that all distinguishable specimens can be grouped exactly: what an
example teaches must come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from drugsig.datasets.material import SeizurePlan
from drugsig.datasets.run_compounds import COCAINE_COMPOUNDS, COELUTING_COMPOUNDS, Compound
from drugsig.datasets.run_files import write_runs
from drugsig.datasets.run_instrument import Instrument
from drugsig.datasets.run_protocol import SOURCE, protocol_of
from drugsig.datasets.runs import simulate_runs
from drugsig.datasets.simulated import SimulatedProfiles
from drugsig.datasets.simulated_runs import RUN_ID, SimulatedRuns
from drugsig.datasets.simulation import simulate_profiles
from drugsig.profiles.profile_set import ID_COLUMN
from drugsig.profiles.tables import write_table
from drugsig.protocols.fact import Fact
from drugsig.protocols.protocol import Protocol
from drugsig.protocols.sections import AnalyticalMethod

__all__ = ["casework_protocol", "simulate_casework", "write_casework"]

SEED = 22

# Six sources and their specimens.
SIZES = (4, 4, 3, 2, 2, 2)
ROUTES: dict[str, tuple[str, ...]] = {"route A": (), "route B": ("trimethoxytropacocaine",)}
AGED_TARGETS = ("norcocaine", "cis-cinnamoylcocaine", "trans-cinnamoylcocaine")
DEGRADED = "benzoylecgonine"
FIRST_DAY = "2025-01-13"

# The cycle of an instrument that monitors thirty ions; peaks have eight scans at half height.
INSTRUMENT = Instrument(
    run_length_s=345.0,
    scan_interval_s=0.525,
    peak_sd_s=(1.6, 2.0),
    baseline=40.0,
    baseline_sd=6.0,
    gain=1.0,
    # Too low for the main compound of the purest specimens.
    saturation=2_097_151.0,
)
# One elutes beside a target and shares no ion with it; the other lies on the trace of one that is
# not compared, and cannot be told from it in every run.
COELUTING = (
    COELUTING_COMPOUNDS[0],
    Compound(
        "co-eluting amide",
        *(246.0, [(98, 100), (124, 80), (140, 35)], [98]),
        response=1.0,
        made_up=True,
    ),
)
# The laboratory changed its data system between the two sequences.
FORMATS = {"Q1": "andi", "Q2": "mzml"}

REMARKS = {
    "indistinguishable": "source disputed",
    "aged": "aged specimen",
    "mixed": "mixed lot",
}
CASE_COLUMNS = (
    *("profile_id", "run file", "kind", "sequence", "specimen", "replicate level", "seizure"),
    *("date", "region", "known batch", "remark"),
)
_TRUTH = (
    *("kind", "sequence_id", "position", "specimen_id", "replicate_level", "source_id", "state"),
    *("same_as", "second_source_id"),
)
_TEMPLATES = ("analysis.toml", "README.txt")


def write_casework(folder: Path, /) -> None:
    """Write the files of the example into an existing folder.

    Parameters
    ----------
    folder : Path
        Where.
    """
    simulated = simulate_casework()
    files = write_runs(simulated, folder / "runs", format=FORMATS, stated_totals=False)
    names = [files[one].name for one in simulated.ids]
    truth = simulated.truth
    write_table(folder / "cases.csv", CASE_COLUMNS, _case_rows(truth, names))
    write_table(
        folder / "truth.csv",
        ("run file", ID_COLUMN, *_TRUTH, *(f"area {one.name}" for one in simulated.compounds)),
        _truth_rows(simulated, names),
    )
    protocol = folder / "protocol.toml"
    protocol.write_text(casework_protocol().to_toml(), encoding="utf-8", newline="\n")
    templates = resources.files("drugsig.datasets") / "templates" / "casework"
    for name in _TEMPLATES:
        text = (templates / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def simulate_casework() -> SimulatedRuns:
    """Return the runs of the example, with their truth."""
    material = _material()
    return simulate_runs(
        material,
        rng=np.random.default_rng(SEED),
        profile_ids=_measured(material),
        coeluting=COELUTING,
        instrument=INSTRUMENT,
        sequences=len(FORMATS),
        first_day=FIRST_DAY,
    )


def casework_protocol() -> Protocol:
    """Return the protocol of the example's laboratory."""

    def said(value: str, unit: str | None = None) -> Fact:
        return Fact(value, SOURCE, verified=True, unit=unit)

    return protocol_of(
        COCAINE_COMPOUNDS,
        name="casework",
        drug="cocaine",
        title="Minor alkaloids of cocaine, underivatised, as an example",
        citation="method of the simulated laboratory of this example, with its reference run",
        method=AnalyticalMethod(
            derivatisation=said("none"),
            internal_standard=said("tetracosane"),
            detector=said("electron-ionisation mass spectrometer"),
            acquisition=said("selected ions"),
        ),
    )


def _material() -> SimulatedProfiles:
    """Return the specimens, with more replicates than were measured."""

    def named(role: str) -> list[str]:
        return [one.name for one in COCAINE_COMPOUNDS if one.role == role]

    return simulate_profiles(
        rng=np.random.default_rng(SEED),
        sizes=SIZES,
        targets=named("impurity"),
        routes=ROUTES,
        between_sd=1.2,
        level_sd=0.5,
        within_rsd=(0.08, 0.15),
        below_lod=0.0,
        replicates={"unit": 2, "preparation": 2, "injection": 2},
        indistinguishable=1,
        aged=1,
        aged_targets=AGED_TARGETS,
        mixed=1,
        main_compound=named("main")[0],
        internal_standard=named("internal_standard")[0],
        cutting_agents=named("cutting_agent"),
        degradation_product=DEGRADED,
        seizures=SeizurePlan(regions=("north", "east", "south"), first_day="2024-09-01", days=60),
    )


def _measured(material: SimulatedProfiles) -> list[str]:
    """Return which profiles were measured: one a specimen, and one replicate of each level."""
    table, truth = material.profiles.profiles, material.truth
    first = table.groupby("specimen_id", sort=False)[ID_COLUMN].first()
    clean = truth[truth["state"] == "clean"]
    specimens = table["specimen_id"].loc[clean.index].drop_duplicates().tolist()
    wanted = {
        f"{specimens[0]}-U1-P1-I2",
        f"{specimens[0]}-U1-P2-I1",
        f"{specimens[-1]}-U2-P1-I1",
    }
    repeated = table.loc[table["injection_id"].isin(wanted), ID_COLUMN]
    return [*first.tolist(), *repeated.tolist()]


def _known_batches(truth: pd.DataFrame) -> list[str | None]:
    """Return the batch an investigation found for every run, if it did."""
    # Not in the order of the truth: the investigation has numbers of its own.
    sources = sorted(truth["source_id"].dropna().unique())
    number = {source: 100 + 37 * k % 97 for k, source in enumerate(sources, start=1)}
    return [
        f"K-{number[source]}" if isinstance(source, str) and state != "mixed" else None
        for source, state in zip(truth["source_id"], truth["state"], strict=True)
    ]


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) and cell else None


def _case_rows(truth: pd.DataFrame, names: Sequence[str]) -> list[list[object]]:
    columns = ("kind", "sequence_id", "specimen_id", "replicate_level", "seizure_id", "date")
    batches = _known_batches(truth)
    rows: list[list[object]] = []
    for k, run_id in enumerate(truth[RUN_ID]):
        cells = truth.iloc[k]
        remark = REMARKS.get(str(cells["state"]))
        told = [_text(cells[name]) for name in (*columns, "region")]
        rows.append([run_id, names[k], *told, batches[k], remark])
    return rows


def _truth_rows(simulated: SimulatedRuns, names: Sequence[str]) -> list[list[object]]:
    truth = simulated.truth
    rows: list[list[object]] = []
    for k, run_id in enumerate(simulated.ids):
        cells = truth.iloc[k]
        told = [
            int(c) if name == "position" else _text(c) for name, c in cells[list(_TRUTH)].items()
        ]
        # Whole counts: further digits may differ between machines.
        rows.append([names[k], run_id, *told, *(round(float(a)) for a in simulated.areas[k])])
    return rows
