"""A model without some sources is the one that the other profiles give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig.errors import InputError, UnknownNameError
from drugsig.evidence.two_level import CONVENTIONS, TwoLevelModel
from tests.evidence.two_level.cases import drawn, fitted

OPTIONS = [
    *({"conventions": name} for name in CONVENTIONS),
    {"between": "normal"},
    {"shrinkage": "schafer_strimmer"},
    {"components": 2},
    {"components": 0.8, "between": "normal", "error_share": 0.01},
]


def refitted(
    values: np.ndarray, sources: list[str], gone: list[str], **options: object
) -> TwoLevelModel:
    kept = [s not in gone for s in sources]
    return fitted(values[kept], [s for s in sources if s not in gone], **options)


def check_alike(found: TwoLevelModel, expected: TwoLevelModel) -> None:
    assert found.sources == expected.sources
    assert (found.n_profiles, found.n_linked_sources) == (
        expected.n_profiles,
        expected.n_linked_sources,
    )
    for name in ("mean", "within", "between", "source_means", "ratios"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-9), name
    assert found.kappa == pytest.approx(expected.kappa, rel=1e-12)
    assert found.bandwidth == expected.bandwidth
    assert found.intensity == pytest.approx(expected.intensity, rel=1e-9)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_both_sources_of_a_pair_are_left_out_exactly(options: dict[str, object]) -> None:
    values, sources = drawn(30, 3, counts=(1, 2, 3, 4))
    model = fitted(values, sources, **options)
    for gone in (["s000", "s017"], ["s003"], ["s001", "s002"]):
        expected = refitted(values, sources, gone, **options)
        found = model.without(gone)
        check_alike(found, expected)
        a, b = values[np.array(sources) == gone[0]], values[np.array(sources) == gone[-1]]
        assert found.log10_lr(a, b) == pytest.approx(expected.log10_lr(a, b), rel=1e-9)


@given(seed=st.integers(0, 10**6), n_gone=st.integers(1, 24))
def test_any_share_of_the_sources_can_be_left_out(seed: int, n_gone: int) -> None:
    values, sources = drawn(30, 2, seed=seed, counts=(2, 3))
    gone = [str(s) for s in np.random.default_rng(seed).choice(sorted(set(sources)), n_gone, False)]
    check_alike(fitted(values, sources).without(gone), refitted(values, sources, gone))


def test_one_source_that_outweighs_all_others_leaves_no_trace() -> None:
    values, sources = drawn(30, 2)
    values[:3] *= 1e7
    expected = refitted(values, sources, ["s000"])
    found = fitted(values, sources).without(["s000"])
    assert found.within == pytest.approx(expected.within, rel=1e-9)
    assert found.log10_lr(values[3:4], values[4:5]) == pytest.approx(
        expected.log10_lr(values[3:4], values[4:5]), rel=1e-6
    )


def test_twice_is_once_and_the_model_stays_as_it_is() -> None:
    values, sources = drawn(30, 3)
    model = fitted(values, sources)
    before = model.to_arrays()
    check_alike(model.without(["s001"]).without(["s002"]), model.without(["s002", "s001", "s001"]))
    assert model.n_sources == 30
    assert before[0] == model.to_arrays()[0]
    assert model == fitted(values, sources)


def test_sources_that_are_not_there_are_named() -> None:
    model = fitted(*drawn(30, 3))
    with pytest.raises(UnknownNameError, match="'s0001' is not in the background") as caught:
        model.without(["s0001"])
    assert "s001" in caught.value.known
    with pytest.raises(UnknownNameError, match="'s001'"):
        model.without(["s001"]).without(["s001"])


def test_too_few_sources_left_are_refused() -> None:
    model = fitted(*drawn(6, 3))
    with pytest.raises(InputError, match="4 sources with replicates are too few for 3 targets"):
        model.without(["s001", "s002"])
