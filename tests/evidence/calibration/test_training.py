"""What is refused before anything is fitted, and how sources are counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drugsig.comparison import get_metric
from drugsig.errors import InputError, SmallSampleWarning, UnknownNameError
from drugsig.evidence.calibration import Calibration, fit_calibration, source_pair_weights
from tests.evidence.calibration.cases import beta_pairs, fitted

SCORES = [0.1, 0.2, 0.6, 0.4, 0.5, 0.8]
LINKED = [True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("scores", "linked", "options", "message"),
    [
        (SCORES, LINKED, {"kind": None}, "neither was"),
        (SCORES, LINKED, {"metric": get_metric("euclidean")}, "both were"),
        (SCORES, LINKED[:5], {}, "one entry a pair, 6"),
        ([SCORES], LINKED, {}, "one number a pair"),
        (SCORES, [True] * 6, {}, "6 linked and 0 unlinked.*without unlinked pairs"),
        (SCORES, [False] * 6, {}, "0 linked and 6 unlinked.*without linked pairs"),
        (SCORES, LINKED, {"weights": [0, 0, 0, 1, 1, 1]}, "0 linked and 3 unlinked"),
        (SCORES, LINKED, {"weights": [-1, 1, 1, 1, 1, 1]}, "at least 0"),
        (SCORES, LINKED, {"weights": [np.nan, 1, 1, 1, 1, 1]}, "must be finite"),
        (SCORES, LINKED, {"weights": [1, 1]}, "weights must have one entry a pair"),
        (SCORES, [1, 1, 1, 0, 0, 2], {}, "true or false"),
        (SCORES, [1.0, 1.0, 1.0, 0.0, 0.0, 0.0], {}, "true or false"),
        ([0.3] * 6, LINKED, {}, "all 6 scores are 0.3"),
        ([np.nan, *SCORES[1:]], LINKED, {}, r"1 score\(s\) are undefined.*0 infinite"),
        ([np.inf, -np.inf, *SCORES[2:]], LINKED, {}, "2 infinite.*place 0.*impossible"),
        ([-0.1, *SCORES[1:]], LINKED, {}, "outside 0 to 1.*-0.1 at place 0"),
        (SCORES, LINKED, {"support": (1.0, 0.0)}, "least, largest"),
        (SCORES, LINKED, {"source_a": [1] * 6}, "both ends"),
        (SCORES, LINKED, {"source_a": [1], "source_b": [2]}, "one entry a pair"),
        (
            SCORES,
            LINKED,
            {"source_a": list("ABCAAA"), "source_b": list("ABBBBB")},
            "place 2, is linked and has different sources, 'C' and 'B'",
        ),
        (
            SCORES,
            LINKED,
            {"source_a": list("ABCABC"), "source_b": list("ABCBBA")},
            "place 4, is unlinked and has the same sources, 'B' and 'B'",
        ),
    ],
)
def test_pairs_that_cannot_be_used_are_explained(scores, linked, options, message) -> None:
    with pytest.raises(InputError, match=message):
        fitted(scores, linked, method="logistic_firth", **options)


def test_names_that_do_not_exist_are_explained() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'logistic'"):
        fitted(SCORES, LINKED, method="logistik")
    with pytest.raises(UnknownNameError, match="kind of score"):
        fitted(SCORES, LINKED, method="isotonic", kind="likeness")
    with pytest.raises(UnknownNameError, match=r"option of calibration 'isotonic'.*'pseudo_pairs'"):
        fitted(SCORES, LINKED, method="isotonic", pseudopairs=2)
    with pytest.raises(InputError, match="pseudo_pairs must be a number above 0"):
        fitted(SCORES, LINKED, method="isotonic", pseudo_pairs=0)


def test_the_metric_says_direction_and_range() -> None:
    scores, linked = beta_pairs(40, 60)
    metric = get_metric("squared_cosine")
    by_metric = fit_calibration(100 * (1 - scores), linked, method="beta", metric=metric)
    by_hand = fitted(scores, linked, method="beta")
    asked = np.linspace(0, 1, 11)
    assert by_metric.kind == "similarity"
    np.testing.assert_allclose(
        by_metric.log10_lr(100 * (1 - asked)), by_hand.log10_lr(asked), atol=1e-6
    )
    with pytest.raises(InputError, match="outside 0 to 100"):
        fit_calibration(101 + scores, linked, metric=metric)


def test_a_score_may_leave_its_range_by_rounding() -> None:
    scores = np.array([1.0 + 1e-12, 0.9, 0.4, 0.5, 0.2, -1e-12])
    calibration = fitted(scores, LINKED, method="isotonic", kind="similarity")
    assert calibration.range == (0.0, 1.0)


def test_few_linked_sources_are_warned_of_and_counted() -> None:
    scores, linked = beta_pairs(40, 60)
    a = np.concatenate([np.arange(40) % 29, np.arange(60)])
    b = np.concatenate([np.arange(40) % 29, np.arange(60) + 1])
    with pytest.warns(SmallSampleWarning, match="Only 29 sources"):
        calibration = fit_calibration(scores, linked, kind="distance", source_a=a, source_b=b)
    assert (calibration.n_linked_sources, calibration.n_unlinked_sources) == (29, 61)
    assert "29 sources" in str(calibration.notes[0])
    a[:40] = b[:40] = np.arange(40) % 30
    assert fit_calibration(scores, linked, kind="distance", source_a=a, source_b=b).notes == ()


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30).filter(
        lambda pairs: any(a == b for a, b in pairs)
    )
)
def test_every_source_weighs_the_same(pairs) -> None:
    a, b = np.array(pairs).T
    linked = a == b
    weights = source_pair_weights(linked, a, b)
    for source in np.unique(a[linked]):
        assert weights[linked & (a == source)].sum() == pytest.approx(1.0)
    cells = {
        tuple(sorted(pair)): weights[~linked & (np.minimum(a, b) == min(pair))
                                     & (np.maximum(a, b) == max(pair))].sum()
        for pair in pairs if pair[0] != pair[1]
    }  # fmt: skip
    if cells:
        assert np.ptp(list(cells.values())) < 1e-12
        n_sources = len(np.unique(np.concatenate([a[~linked], b[~linked]])))
        assert sum(cells.values()) == pytest.approx(n_sources / 2)


def test_pairs_repeated_within_sources_weigh_no_more() -> None:
    scores, linked = beta_pairs(30, 30)
    a = np.concatenate([np.arange(30), np.arange(30)])
    b = np.where(linked, a, (a + 1) % 30)
    many = np.concatenate([np.arange(60), np.repeat(np.arange(10), 9)])
    one = fitted(scores, linked, method="isotonic", weights=source_pair_weights(linked, a, b))
    other = fitted(
        scores[many], linked[many], method="isotonic",
        weights=source_pair_weights(linked[many], a[many], b[many]),
    )  # fmt: skip
    asked = np.linspace(0, 1, 31)
    np.testing.assert_allclose(one.log10_lr(asked), other.log10_lr(asked), atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "something"}, "no stored calibration"),
        ({"version": 9}, "version 9 cannot be read"),
        ({"method": "magic"}, "unknown calibration method"),
        ({"kind": "likeness"}, "unknown kind"),
        ({"range": [0.0]}, "shape"),
        ({"range": [0.0, float("nan")]}, "finite"),
        ({"curve": {"scores": [0.0, 1.0]}}, "lack 'values'"),
        ({"curve": {"scores": [1.0, 0.0], "values": [0.0, 1.0]}}, "must rise"),
        ({"curve": {"scores": [0.0, 1.0], "values": [0.0, "x"]}}, "must be numbers"),
        ({"curve": {"scores": [0.0, 1.0], "values": [0.0]}}, "shape"),
        ({"curve": 3}, "lack 'scores'"),
    ],
)
def test_damaged_data_are_no_calibration(change, message) -> None:
    data = fitted(SCORES, LINKED, method="isotonic").to_data()
    assert Calibration.from_data(data).to_data() == data
    with pytest.raises(InputError, match=message):
        Calibration.from_data({**data, **change})
    for key in data.keys() - {"warnings", "extrapolates"}:
        with pytest.raises(InputError):
            Calibration.from_data({k: v for k, v in data.items() if k != key})


def test_a_damaged_beta_curve_is_refused() -> None:
    data = fitted(*beta_pairs(40, 60), method="beta").to_data()
    for change in ({"a": -1.0}, {"last": 1.0}, {"unlike": 0.0, "alike": 0.0}):
        with pytest.raises(InputError, match="is none"):
            Calibration.from_data({**data, "curve": {**data["curve"], **change}})
