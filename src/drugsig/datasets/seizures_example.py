"""The example "profiles": a spreadsheet of seized cocaine as a laboratory might keep it.

Simulated from one seed, with everything in it that makes real spreadsheets hard to read, and
with its truth beside. The seed was chosen among others so that the clean profiles can be grouped
exactly: what an example teaches must come out.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drugsig.datasets.material import SeizurePlan, numbered
from drugsig.datasets.simulated import SimulatedProfiles
from drugsig.datasets.simulation import simulate_profiles
from drugsig.datasets.workbooks import Cell, write_workbook
from drugsig.profiles.profile_set import ID_COLUMN
from drugsig.profiles.tables import write_columns

__all__ = ["IMPURITIES", "write_seizures"]

SEED = 7

# Names of minor alkaloids and by-products as laboratories list them; the values are simulated.
IMPURITIES = (
    *("ecgonine methyl ester", "anhydroecgonine methyl ester", "ecgonine", "anhydroecgonine"),
    *("tropacocaine", "norcocaine", "N-formylcocaine", "cis-cinnamoylcocaine"),
    *("trans-cinnamoylcocaine", "trans-cinnamic acid", "benzoic acid", "trimethoxycocaine"),
    *("alpha-truxillic acid", "beta-truxinic acid"),
)
MAIN, STANDARD, CUTTING, DEGRADED = "cocaine", "tetracosane", "levamisole", "benzoylecgonine"
AGED_TARGETS = ("norcocaine", "cis-cinnamoylcocaine", "trans-cinnamoylcocaine")
ROUTES: dict[str, tuple[str, ...]] = {
    "route A": (),
    "route B": ("trimethoxycocaine",),
    "route C": ("anhydroecgonine", "N-formylcocaine"),
}

# Batches an investigation could tell apart, and batches it knows nothing of.
KNOWN_SIZES = (12, 10, 9, 8, 7, 6, 6, 5, 5, 5, *(4,) * 8, *(3,) * 12, *(2,) * 14)
OTHER_SIZES = (4, 3, 3, 2, 2, *(1,) * 14)
# Of a known batch, this share of the specimens was recognised as belonging to it.
RECOGNISED = 0.8
# Specimens that were prepared and measured twice.
N_REPEATED = 6

# The limit as the laboratory writes it; areas are scaled so that it is this.
LIMIT = 0.05
LIMIT_TEXT = "<0,05"
REMARKS = {
    "indistinguishable": "source disputed",
    "aged": "aged specimen",
    "mixed": "mixed lot",
}
CASE_HEADINGS = (
    *("Lab no.", "specimen", "seizure", "date", "region", "route", "weight (g)", "known batch"),
    "remark",
)
# Ids that spreadsheets and programs like to take for something else.
ODD_IDS = {17: "NA", 58: "1e5", 101: "TRUE"}
TITLE = (
    "Cocaine profiling, GC-FID, relative peak areas, reporting limit 0,05",
    "simulated: no real seizure, laboratory or person",
)

_TEMPLATES = ("analysis.toml", "README.txt")
_TRUTH = (ID_COLUMN, "source_id", "state", "same_as", "second_source_id")


def write_seizures(folder: Path, /) -> None:
    """Write the files of the example into an existing folder.

    Parameters
    ----------
    folder : Path
        Where.
    """
    simulated, chosen = _simulated()
    rng = np.random.default_rng(SEED + 1)
    ids = [ODD_IDS.get(k, f"{k:03d}") for k in range(1, len(chosen) + 1)]
    truth = simulated.truth.loc[chosen].reset_index(drop=True)
    truth[ID_COLUMN] = ids
    incomplete = _incomplete(truth)
    truth.loc[incomplete, "state"] = "incomplete"
    batches = _known_batches(truth)
    profiles = _profile_rows(simulated, chosen, ids, incomplete, rng)
    cases = _case_rows(simulated, chosen, ids, truth, batches, rng)
    write_workbook(folder / "seizures.xlsx", {"Profiles": profiles, "Cases": cases})
    write_columns(folder / "truth.csv", truth.loc[:, list(_TRUTH)])
    templates = resources.files("drugsig.datasets") / "templates" / "profiles"
    for name in _TEMPLATES:
        text = (templates / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _simulated() -> tuple[SimulatedProfiles, NDArray[np.intp]]:
    """Return the simulation, and which of its profiles the laboratory measured."""
    simulated = simulate_profiles(
        rng=np.random.default_rng(SEED),
        sizes=(*KNOWN_SIZES, *OTHER_SIZES),
        targets=IMPURITIES,
        routes=ROUTES,
        between_sd=1.6,
        below_lod=0.10,
        replicates={"preparation": 2},
        indistinguishable=2,
        aged=6,
        aged_targets=AGED_TARGETS,
        mixed=5,
        main_compound=MAIN,
        internal_standard=STANDARD,
        cutting_agents=(CUTTING,),
        degradation_product=DEGRADED,
        seizures=SeizurePlan(regions=("north", "east", "south", "west", "airport")),
    )
    first = np.arange(len(simulated)) % 2 == 0
    second = np.flatnonzero(~first)
    clean = second[(simulated.truth["state"] == "clean").to_numpy()[second]]
    step = len(clean) // N_REPEATED
    return simulated, np.sort(np.concatenate([np.flatnonzero(first), clean[::step][:N_REPEATED]]))


def _incomplete(truth: pd.DataFrame) -> list[int]:
    """Return the two clean profiles, of the largest sources, in which something went wrong."""
    clean = truth[truth["state"] == "clean"]
    sizes = clean["source_id"].value_counts(sort=False).sort_index(kind="stable")
    largest = sizes.sort_values(ascending=False, kind="stable").index[:2]
    return [int(clean.index[clean["source_id"] == one][-1]) for one in largest]


def _known_batches(truth: pd.DataFrame) -> list[str | None]:
    """Return the batch an investigation found for every profile, if it did."""
    known = numbered("B", len(KNOWN_SIZES))
    state = truth["state"].tolist()
    batches: list[str | None] = [None] * len(truth)
    for source, rows in truth.groupby("source_id", sort=True).groups.items():
        if source not in known:
            continue
        used = [int(k) for k in rows if state[k] not in ("mixed", "incomplete")]
        count = max(2, round(RECOGNISED * len(used)))
        for k in used[:count]:
            # Not in the order of the truth: the investigation has numbers of its own.
            batches[k] = f"K-{100 + known.index(str(source)) * 37 % 97}"
    return batches


def _number(value: float) -> float:
    """Round as a laboratory would: four decimals below 1, two above."""
    return round(value, 4) if value < 1 else round(value, 2)


def _text_number(value: float) -> str:
    decimals = 4 if value < 1 else 2
    return f"{value:.{decimals}f}".replace(".", ",")


def _profile_rows(
    simulated: SimulatedProfiles,
    chosen: NDArray[np.intp],
    ids: Sequence[str],
    incomplete: Sequence[int],
    rng: np.random.Generator,
) -> list[list[Cell]]:
    """Return the sheet of areas: title lines, a blank column, every way to write a cell."""
    profiles = simulated.profiles
    names = profiles.target_names
    shown = (STANDARD, MAIN, CUTTING, *IMPURITIES, DEGRADED)
    places = [names.index(name) for name in shown]
    scale = LIMIT / float(profiles.limits[0, 0])
    rows: list[list[Cell]] = [[line] for line in TITLE]
    rows.append(["Lab no.", None, *shown])
    # Some days' results were pasted as text, with a decimal comma.
    as_text = rng.random(len(chosen)) < 0.25
    absent = rng.random((len(chosen), len(shown)))
    # The order of measurement is not that of the ids.
    for k in np.argsort(rng.random(len(chosen)), kind="stable"):
        row: list[Cell] = [ids[k], None]
        for column, place in enumerate(places):
            value = _number(scale * float(profiles.values[chosen[k], place]))
            if value == 0 and shown[column] == CUTTING:
                # Nobody writes down what was not added.
                row.append(None if absent[k, column] < 0.5 else "-")
            elif value < LIMIT:
                row.append("n.d." if absent[k, column] < 0.5 else LIMIT_TEXT)
            else:
                row.append(_text_number(value) if as_text[k] else value)
        rows.append(row)
        if int(k) in incomplete:
            first = int(k) == incomplete[0]
            row[2 + shown.index("tropacocaine")] = None if first else "n.a."
    return rows


def _case_rows(
    simulated: SimulatedProfiles,
    chosen: NDArray[np.intp],
    ids: Sequence[str],
    truth: pd.DataFrame,
    batches: Sequence[str | None],
    rng: np.random.Generator,
) -> list[list[Cell]]:
    """Return the sheet of metadata."""
    table = simulated.profiles.profiles.loc[chosen].reset_index(drop=True)
    weight = {
        str(specimen): round(float(np.exp(2.0 + 1.5 * rng.standard_normal())), 1)
        for specimen in table["specimen_id"].unique()
    }
    rows: list[list[Cell]] = [list(CASE_HEADINGS)]
    state = truth["state"].tolist()
    for k in range(len(table)):
        cells = table.loc[k]
        rows.append(
            [
                ids[k],
                str(cells["specimen_id"]),
                str(cells["seizure_id"]),
                datetime.date.fromisoformat(str(cells["date"])),
                str(cells["region"]),
                str(cells["route"]),
                weight[str(cells["specimen_id"])],
                batches[k],
                REMARKS.get(state[k]),
            ]
        )
    # Received, and not measured yet.
    last = rows[-1][3]
    rows.extend([f"{len(table) + k:03d}", None, None, last] for k in (1, 2))
    return rows
