from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from drugsig import run_study
from drugsig.comparison import fit_metric, register_metric
from drugsig.comparison.metric import unregister_metric
from drugsig.errors import ConfigError, InputError, UnknownNameError
from drugsig.evidence.bounds import BOUND_METHODS
from drugsig.evidence.models import LrModelSpec
from drugsig.evidence.two_level import REPLICATE_LEVELS, TwoLevelOptions
from tests.evidence.models.cases import BATCHES, SCORE, batches

options = st.builds(
    TwoLevelOptions,
    between=st.sampled_from(["kernel", "normal"]),
    error_share=st.sampled_from([0.0, 0.01]),
    components=st.sampled_from([None, 2, 0.9]),
    shrinkage=st.sampled_from(["none", "schafer_strimmer"]),
)
specs = st.builds(
    LrModelSpec,
    replicate_level=st.sampled_from(REPLICATE_LEVELS),
    item=st.sampled_from([None, "half_id"]),
    two_level=options,
    calibration=st.sampled_from(["none", "logistic", "isotonic"]),
    bounds=st.sampled_from(["none", *BOUND_METHODS]),
    bounds_count=st.sampled_from(["pairs", "sources"]),
)


@given(spec=specs)
def test_choices_survive_a_toml_file(spec: LrModelSpec) -> None:
    read = LrModelSpec.from_data(tomllib.loads(tomli_w.dumps(spec.to_data())))
    assert read == spec
    assert read.digest == spec.digest


def test_a_score_model_survives_a_toml_file() -> None:
    read = LrModelSpec.from_data(tomllib.loads(tomli_w.dumps(SCORE.to_data())))
    assert read == SCORE
    assert read.calibrator == "logistic"


def test_other_choices_have_another_digest() -> None:
    one = LrModelSpec(replicate_level="unit")
    assert one.digest != LrModelSpec(replicate_level="injection").digest
    assert one.digest != LrModelSpec(replicate_level="unit", bounds="none").digest


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        ({}, ConfigError, "replicate_level"),
        ({"replicate_level": "tablet"}, UnknownNameError, "injection"),
        ({"replicate_level": "unit", "metrc": "x"}, UnknownNameError, "metric"),
        ({"replicate_level": "unit", "metric": "pearson"}, InputError, "approach='score'"),
        ({"replicate_level": "unit", "approach": "score"}, InputError, "metric="),
        ({"replicate_level": "unit", "calibration": "beta"}, UnknownNameError, "logistic"),
        ({"replicate_level": "unit", "bounds": 3}, ConfigError, "text"),
        ({"replicate_level": "unit", "two_level": {"betwen": "normal"}}, UnknownNameError, "betw"),
        ({"replicate_level": "unit", "two_level": 3}, ConfigError, "table"),
        (
            {
                "replicate_level": "unit",
                "approach": "score",
                "metric": "pearson",
                "two_level": {"error_share": 0.1},
            },
            InputError,
            "feature approach",
        ),
    ],
)
def test_what_cannot_be_is_refused(data: dict, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        LrModelSpec.from_data(data)


def test_a_metric_that_was_fitted_beforehand_is_refused_under_any_name() -> None:
    """In folds it would know the pairs it is judged on: noise then gave a Cllr of 0.8."""
    rng = np.random.default_rng(1)
    profiles = batches(rng, n_sources=30, n_targets=5)
    own = replace(fit_metric("mahalanobis", profiles, source="batch_id"), name="own distance")
    register_metric(own)
    try:
        with pytest.raises(InputError, match="fitted to profiles beforehand"):
            LrModelSpec(replicate_level="unit", approach="score", metric="own distance")
        with pytest.raises(InputError, match="would flatter"):
            run_study(profiles, "sum", "own distance", BATCHES, rng=rng, progress=False)
    finally:
        unregister_metric("own distance")
