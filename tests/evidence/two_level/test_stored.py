"""A model survives the way into a file and back, and a damaged one is refused."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from drugsig.errors import InputError
from drugsig.evidence.two_level import TwoLevelModel
from tests.evidence.two_level.cases import drawn, fitted

OPTIONS: list[dict[str, Any]] = [
    {},
    {"between": "normal", "error_share": 0.01},
    {"components": 2, "shrinkage": "schafer_strimmer", "bandwidth": 0.4},
]


def through_files(model: TwoLevelModel) -> TwoLevelModel:
    data, arrays = model.to_arrays()
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as loaded:
        return TwoLevelModel.from_arrays(
            json.loads(json.dumps(data, allow_nan=False)), dict(loaded)
        )


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_comes_back_equal_and_gives_the_same_bits(options: dict[str, Any]) -> None:
    values, sources = drawn(30, 3, counts=(1, 2, 4))
    for model in (
        fitted(values, sources, **options),
        fitted(values, sources, **options).without(["s004"]),
    ):
        back = through_files(model)
        assert back == model
        assert back.sources == model.sources
        assert back.log10_lr(values[:2], values[2:6]) == model.log10_lr(values[:2], values[2:6])
        less, expected = back.without(["s007"]), model.without(["s007"])
        assert less.within == pytest.approx(expected.within, rel=1e-12)


def test_other_models_are_not_equal() -> None:
    values, sources = drawn(30, 3)
    model = fitted(values, sources)
    assert model != fitted(values, sources, bandwidth="silverman")
    assert model != fitted(values * 2, sources)
    assert model != "model"


def test_a_worker_gets_a_read_only_model() -> None:
    values, sources = drawn(30, 3)
    model = fitted(values, sources)
    there = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert there == model
    for array in (model.within, model.source_means, there.within, there.sums.means):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


Change = Callable[[dict[str, Any], dict[str, Any]], object]
DAMAGE: dict[str, tuple[Change, str]] = {
    "no array": (lambda d, a: a.pop("within"), "has no 'within'"),
    "no entry": (lambda d, a: d.pop("kappa"), "has no 'kappa'"),
    "shape": (lambda d, a: a.update(mean=np.zeros(2)), "mean of a stored model must have shape"),
    "not a number": (lambda d, a: a.update(mean=np.full(3, np.nan)), "mean .* not finite"),
    "version": (lambda d, a: d.update(version=99), "version 99"),
    "kind": (lambda d, a: d.update(kind="calibration"), "'calibration'"),
    "level": (lambda d, a: d.update(replicate_level="lot"), "unknown replicate level 'lot'"),
    "option": (lambda d, a: d["options"].update(tail=3), "unknown option 'tail'"),
    "choice": (lambda d, a: d["options"].update(within="pool"), "Did you mean 'pooled'"),
    "ratios": (lambda d, a: a.update(ratios=-a["ratios"]), "impossible values of ratios"),
    "bandwidth": (lambda d, a: d.update(bandwidth=None), "impossible values of bandwidth"),
    "counts": (lambda d, a: a.update(source_counts=a["source_counts"] * 0), "source_counts"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_model_is_refused(name: str) -> None:
    change, message = DAMAGE[name]
    data, arrays = fitted(*drawn(30, 3)).to_arrays()
    change(data, arrays)
    with pytest.raises(InputError, match=message):
        TwoLevelModel.from_arrays(data, arrays)
