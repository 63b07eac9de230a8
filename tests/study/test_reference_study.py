"""The published methamphetamine study, on its own workbook.

Popovic et al., Forensic Science International 319 (2021) 110651. Of its figures only the area of
sum, fourth root and Pearson distance under rule R4 can be taken for a reference.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drugsig import ProfileSet
from drugsig.errors import DrugsigWarning
from drugsig.study import Study, run_study

pytestmark = pytest.mark.reference_data

METRICS = [
    "canberra_r", "euclidean", "manhattan", "squared_cosine_distance", "pearson_distance_percent",
]  # fmt: skip
RECIPES = {
    "sum": "drop_targets(V04) | sum",
    "square root": "drop_targets(V04) | sum | square_root",
    "fourth root": "drop_targets(V04) | sum | fourth_root",
}


@pytest.fixture(scope="module")
def study(reference_data: Path) -> Study:
    book = reference_data / "methamphetamine_simulated" / "Profiles.xlsx"
    lookup = pd.read_excel(book, sheet_name="Lookup", dtype=str)
    areas = pd.read_excel(book, sheet_name="GCMS").set_index("Specimen")
    table = lookup[["Specimen", "Group", "PriR", "Pre", "PreR"]]
    table.insert(0, "profile_id", table["Specimen"])
    raw = ProfileSet(areas.loc[table["Specimen"]].to_numpy(), list(areas.columns), table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrugsigWarning)
        return run_study(
            raw, RECIPES, METRICS, ["R1", "R2", "R3", "R4"], rng=np.random.default_rng(1),
            n_resamples=0, n_repeats=2, progress=False,
        )  # fmt: skip


def test_the_published_area_is_the_best_of_the_60(study: Study) -> None:
    best = study.best()
    assert len(study.table) == 60
    assert (best["recipe"], best["metric"], best["rule"]) == (
        "fourth root", "pearson_distance_percent", "R4",
    )  # fmt: skip
    assert best["auc"] == pytest.approx(0.9731269, abs=5e-8)
    assert (best["n_linked"], best["n_linked_sources"]) == (13, 10)


def test_what_the_headline_hides(study: Study) -> None:
    best = study.best()
    assert best["n_stratum"] == 3579
    assert best["stratum_auc"] == pytest.approx(0.884, abs=5e-4)
    table = study.table
    same = table[(table["recipe"] == best["recipe"]) & (table["metric"] == best["metric"])]
    areas = dict(zip(same["rule"], same["auc"], strict=True))
    assert [round(areas[r], 3) for r in ("R1", "R2", "R3")] == [0.596, 0.715, 0.918]


def test_picking_the_best_of_60_flatters(study: Study) -> None:
    overall = study.choices[-1]
    assert overall.rule is None
    assert overall.optimism is not None
    assert 0.005 < overall.optimism < 0.08
