"""Wherever a metric is asked for its name will do, and means the same."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import drugsig
from drugsig.comparison import check_metric
from drugsig.comparison.metrics import METRICS, Metric
from drugsig.errors import UnknownNameError
from drugsig.evidence import known_pairs, roc_curve
from drugsig.evidence.calibration import fit_calibration
from drugsig.evidence.typicality import fit_typicality
from tests.evidence.cases import BATCHES, with_metadata

# What a name comes to stand for is an object.
DEFINES_A_NAME = {"register_metric"}

NAME = "cosine"
SCORES = np.array([0.95, 0.9, 0.6, 0.85, 0.7, 0.5, 0.4, 0.2])
LINKED = np.arange(8) < 4
COMMON = np.linspace(0.1, 0.9, 8) ** 2


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the functions and methods that any room offers by `__all__`, each once."""
    seen: dict[int, tuple[str, Callable[..., Any]]] = {}
    for found in pkgutil.walk_packages(drugsig.__path__, "drugsig."):
        if not found.ispkg:
            continue
        room = importlib.import_module(found.name)
        for name in getattr(room, "__all__", ()):
            thing = getattr(room, name)
            if inspect.isfunction(thing):
                seen.setdefault(id(thing), (name, thing))
            elif inspect.isclass(thing):
                for own, method in vars(thing).items():
                    plain = getattr(method, "__func__", method)
                    if inspect.isfunction(plain) and not own.startswith("_"):
                        seen.setdefault(id(plain), (f"{name}.{own}", plain))
    yield from seen.values()


def metric_parameters() -> list[tuple[str, str]]:
    out = []
    for name, function in public():
        for parameter in inspect.signature(function).parameters.values():
            words = str(parameter.annotation).replace("|", " ").split()
            if "Metric" in words and name not in DEFINES_A_NAME:
                out.append((name, str(parameter.annotation)))
    return sorted(out)


def test_whoever_takes_a_metric_takes_its_name() -> None:
    found = metric_parameters()
    assert {"compare", "links", "fit_calibration", "LabelledPairs.scored"} <= {n for n, _ in found}
    assert [name for name, kinds in found if "str" not in kinds] == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "given",
    [
        lambda metric: fit_calibration(SCORES, LINKED, metric=metric).to_data(),
        lambda metric: fit_calibration(SCORES, LINKED, method="beta", metric=metric).to_data(),
        lambda metric: fit_typicality(
            SCORES, COMMON, LINKED, metric=metric, method="logistic_firth"
        ).to_data(),
        lambda metric: [a.tolist() for a in roc_curve(SCORES[:4], SCORES[4:], metric=metric)],
    ],
    ids=["calibration", "beta", "typicality", "roc"],
)
def test_a_name_gives_what_the_metric_gives(given: Callable[[Metric | str], object]) -> None:
    assert given(NAME) == given(METRICS[NAME])
    with pytest.raises(UnknownNameError) as caught:
        given("cosin")
    assert caught.value.name == "cosin"


def test_pairs_are_scored_by_the_metric_of_a_name() -> None:
    pairs = known_pairs(with_metadata(batch_id=["a", "a", "b", "b", "c"]), BATCHES)
    scores = np.linspace(0.0, 1.0, len(pairs))
    assert pairs.scored(scores, metric=NAME) == pairs.scored(scores, metric=METRICS[NAME])


def test_a_metric_is_tried_by_its_name() -> None:
    check_metric(NAME)
    with pytest.raises(UnknownNameError):
        check_metric("cosin")
