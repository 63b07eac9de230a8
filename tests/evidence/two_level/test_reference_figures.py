"""Published figures: the R reference on glass, and mistyped tablets.

The folder glass_two_level holds the input and the intermediates of an R implementation (Netherlands
Forensic Institute, lir, Apache-2.0). Its columns follow the order of the sources as numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drugsig.evidence.two_level import TwoLevelModel, fit_two_level
from tests.evidence.two_level.cases import fitted

pytestmark = pytest.mark.reference_data

LOG10_LR = {1: 9.35755286, 3: -8.30117149, 4: -172.84468807, 5: -46.53256365, 8: -35.2647055}


@dataclass(frozen=True)
class Glass:
    values: np.ndarray
    sources: list[str]
    features: list[str]
    reference: np.ndarray
    traces: dict[int, np.ndarray]
    output: dict[str, np.ndarray]

    def fit(self, **options: Any) -> TwoLevelModel:
        return fit_two_level(
            self.values, self.sources, replicate_level="injection", features=self.features,
            **options,
        )  # fmt: skip


@pytest.fixture(scope="module")
def glass(reference_data: Path) -> Glass:
    folder = reference_data / "glass_two_level"
    train = pd.read_csv(folder / "input" / "train_data.csv", index_col=0)
    trace = pd.read_csv(folder / "input" / "trace_data.csv", index_col=0)
    features = list(train.columns[1:])
    items = np.unique(trace["Item"])
    return Glass(
        values=train[features].to_numpy(),
        # Filled up, so that text sorts as the numbers do.
        sources=[f"{item:04d}" for item in train["Item"].astype(int)],
        features=features,
        reference=pd.read_csv(folder / "input" / "reference_data.csv", index_col=0)[
            features
        ].to_numpy(),
        traces={int(k): trace.loc[trace["Item"] == k, features].to_numpy() for k in items},
        output={
            path.stem: pd.read_csv(path).to_numpy() for path in (folder / "R_output").glob("*.csv")
        },
    )


@pytest.fixture(scope="module")
def model(glass: Glass) -> TwoLevelModel:
    return glass.fit(conventions="lir_1.8_TwoLevelModelNormalKDE")


def test_every_parameter_is_that_of_the_reference(glass: Glass, model: TwoLevelModel) -> None:
    assert model.bandwidth is not None
    found = {
        "MSwithin": model.within,
        "T0": model.between,
        "means_z": model.source_means.T,
        "kappa": model.kappa,
        "h2": model.bandwidth**2,
    }
    for name, value in found.items():
        assert value == pytest.approx(np.squeeze(glass.output[name]), rel=1e-9, abs=0), name
    assert (model.n_sources, model.n_linked_sources, model.n_profiles) == (659, 658, 1974)


def test_every_intermediate_is_that_of_the_reference(glass: Glass, model: TwoLevelModel) -> None:
    terms = model.terms(glass.reference, glass.traces[1])
    found = {
        "U_hx": terms.covariance_a,
        "U_h0": terms.covariance_b,
        "T_hn": terms.posterior_covariance,
        "U_hn": terms.predictive_covariance,
        "mu_h": terms.posterior_means.T,
        "ln_num1": terms.log_joint,
        "ln_num2": terms.log_a,
        "ln_den": terms.log_b,
    }
    for name, value in found.items():
        assert value == pytest.approx(np.squeeze(glass.output[name]), rel=1e-9, abs=0), name


def test_the_published_log10_lrs_come_out_and_the_others_are_finite(
    glass: Glass, model: TwoLevelModel
) -> None:
    found = {k: model.log10_lr(glass.reference, trace) for k, trace in glass.traces.items()}
    stored = dict(zip(glass.traces, glass.output["log10_MLRs"].ravel(), strict=True))
    for item, published in LOG10_LR.items():
        assert found[item] == pytest.approx(published, abs=1e-6)
        assert found[item] == pytest.approx(stored[item], rel=1e-9)
    others = [found[k] for k in found if k not in LOG10_LR]
    assert len(others) == 5
    assert np.isfinite(others).all()
    assert max(others) < -300
    for item, trace in glass.traces.items():
        assert model.terms(glass.reference, trace).log10_lr == pytest.approx(found[item], rel=1e-9)


@pytest.mark.parametrize(
    ("options", "item", "expected"),
    [
        ({"bandwidth": "aitken_lucy"}, 1, 9.2462600),
        ({"within": "pooled"}, 3, -8.3331509),
    ],
)
def test_the_other_conventions_give_other_figures(
    glass: Glass, options: dict[str, str], item: int, expected: float
) -> None:
    other = glass.fit(conventions="lir_1.8_TwoLevelModelNormalKDE", **options)
    found = other.log10_lr(glass.reference, glass.traces[item])
    assert found == pytest.approx(expected, abs=1e-6)
    assert abs(found - LOG10_LR[item]) > 0.03


def test_leaving_out_sources_of_the_glass_is_fitting_without_them(
    glass: Glass, model: TwoLevelModel
) -> None:
    kept = [s not in ("0001", "0005") for s in glass.sources]
    again = fitted(
        glass.values[kept], [s for s, keep in zip(glass.sources, kept, strict=True) if keep],
        conventions="lir_1.8_TwoLevelModelNormalKDE",
    )  # fmt: skip
    less = model.without(["0001", "0005"])
    for trace in glass.traces.values():
        expected = again.log10_lr(glass.reference, trace)
        assert less.log10_lr(glass.reference, trace) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("between", ["normal", "kernel"])
def test_a_mistyped_tablet_does_not_decide_where_errors_are_allowed_for(
    reference_data: Path, between: str
) -> None:
    table = pd.read_csv(
        reference_data / "mdma_tablets" / "xtc_data.csv", dtype={"batchnumber": str}
    )
    values = table.iloc[:, 2:].to_numpy(dtype=float)
    batch = table["batchnumber"].to_numpy()
    # Thickness 8.87 where the other measurement of the batch has 3.8.
    mistyped = values[(batch == "113") & (table["measurement"] == 2)]
    other = values[(batch == "113") & (table["measurement"] == 1)]
    found = [
        fit_two_level(values, list(batch), replicate_level="unit", between=between, error_share=e)
        .without(["113"])
        .log10_lr(other, mistyped)
        for e in (0.0, 0.01)
    ]
    assert found[0] < -200
    assert found[1] > -3
