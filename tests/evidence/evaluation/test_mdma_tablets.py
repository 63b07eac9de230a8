"""Real MDMA tablets: the figures that the documentation states, on two of the twenty partings."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts.evaluate_mdma_tablets import GOALS, ITEMS, RULE, with_halves

from drugsig.datasets.fetch import fetch_mdma_tablets
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.models import LrModelSpec
from drugsig.quality import find_outliers

pytestmark = [pytest.mark.reference_data, pytest.mark.slow]


@pytest.mark.parametrize(
    ("name", "n_linked", "figures"),
    [
        ("one measurement against one", 736, (0.2482, 0.2972)),
        ("half a batch against half", 160, (0.1906, 0.2011)),
    ],
)
def test_batches_that_were_left_out(
    reference_data: Path, name: str, n_linked: int, figures: tuple[float, float]
) -> None:
    profiles = with_halves(fetch_mdma_tablets(folder=reference_data))
    assert len(profiles) == 494
    spec = LrModelSpec(replicate_level="unit", item=ITEMS[name])
    evaluation = evaluate_model(profiles, RULE, spec, seeds=[0, 1])
    table = evaluation.by_seed()
    assert evaluation.n_linked == n_linked
    assert evaluation.n_linked_sources == 160
    assert (table["cllr_calibrated"] < table["cllr_raw"]).all()
    assert table["cllr_bounded"].mean() <= GOALS[name]
    assert table["cllr_bounded"].tolist() == pytest.approx(list(figures), abs=1e-3)


def test_the_mistyped_values_are_named(reference_data: Path) -> None:
    named = {
        (f.profile_id, f.target)
        for f in find_outliers(fetch_mdma_tablets(folder=reference_data)).findings
    }
    assert {("113/2", "Thickness"), ("53/6", "Purity"), ("84/1", "Purity")} <= named
