"""A score model: a calibration that refuses what it was not made for."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from drugsig.comparison import get_metric
from drugsig.errors import InputError, SmallSampleWarning, UnknownNameError
from drugsig.evidence.calibration import (
    CALIBRATORS,
    ScoreModel,
    fit_calibration,
    fit_score_model,
    source_pair_weights,
)
from tests.evidence.cases import comparison_of, sample_of, with_metadata

N_SOURCES = 36


def known_pairs(metric: str = "euclidean"):
    rng = np.random.default_rng(3)
    linked = [(float(rng.gamma(3)), k) for k in range(N_SOURCES) for _ in range(1 + k % 3)]
    unlinked = [
        (float(rng.gamma(6)), a, b) for a in range(N_SOURCES) for b in range(a) if (a + b) % 5 == 0
    ]
    return sample_of(linked, unlinked, metric=metric)


def test_it_is_the_calibration_of_its_sample() -> None:
    sample = known_pairs()
    model = fit_score_model(sample, method="isotonic", pseudo_pairs=2.0)
    calibration = fit_calibration(
        sample.scores, sample.linked, method="isotonic", metric=sample.metric, pseudo_pairs=2.0,
        source_a=sample.source_a, source_b=sample.source_b,
    )  # fmt: skip
    assert model.calibration == calibration
    assert model.calibration.n_linked_sources == N_SOURCES
    assert (model.metric, model.rule) == (sample.metric, sample.rule)
    np.testing.assert_array_equal(model.log10_lr(sample), calibration.log10_lr(sample.scores))


def test_it_takes_comparisons_links_and_scores_that_say_what_they_are() -> None:
    model = fit_score_model(known_pairs())
    profiles = with_metadata(batch_id=["a", "a", "b"])
    scores = np.array([[0.0, 1.0, np.nan], [1.0, 0.0, 4.0], [np.nan, 4.0, 0.0]])
    comparison = comparison_of(profiles, scores)
    ratios = model.log10_lr(comparison)
    assert ratios.shape == (3, 3)
    assert np.isnan(ratios[0, 2])
    assert ratios[0, 1] > ratios[1, 2]
    links = comparison.links(2.0)
    np.testing.assert_array_equal(model.log10_lr(links), model.log10_lr([1.0], metric="euclidean"))


def test_scores_of_another_metric_are_refused() -> None:
    model = fit_score_model(known_pairs())
    with pytest.raises(InputError, match="does not say of which metric"):
        model.log10_lr([1.0])
    for foreign in ("manhattan", get_metric("canberra")):
        with pytest.raises(InputError, match=r"scores of 'euclidean'.*these are of"):
            model.log10_lr([1.0], metric=foreign)
    other = comparison_of(with_metadata(batch_id=["a", "b"]), metric="manhattan")
    with pytest.raises(InputError, match="these are of 'manhattan'"):
        model.log10_lr(other)
    with pytest.raises(UnknownNameError):
        model.log10_lr([1.0], metric="euclid")


def test_pairs_that_touch_a_source_under_test_can_be_left_out() -> None:
    sample = known_pairs()
    touched = np.isin(sample.source_a, [0, 1]) | np.isin(sample.source_b, [0, 1])
    without = fit_score_model(sample, method="kde", weights=~touched)
    apart = fit_calibration(
        sample.scores[~touched], sample.linked[~touched], method="kde", metric=sample.metric
    )
    asked = np.linspace(0, 12, 50)
    np.testing.assert_array_equal(without.calibration.log10_lr(asked), apart.log10_lr(asked))
    assert without.calibration.n_linked_sources == N_SOURCES - 2


def test_sources_can_weigh_the_same() -> None:
    sample = known_pairs()
    drawn = np.random.default_rng(0).integers(0, 3, len(sample)) + 1.0 * sample.linked
    used = drawn > 0
    model = fit_score_model(sample, weigh="sources", weights=drawn)
    expected = drawn.copy()
    expected[used] *= source_pair_weights(
        sample.linked[used], sample.source_a[used], sample.source_b[used]
    )
    by_hand = fit_calibration(sample.scores, sample.linked, metric=sample.metric, weights=expected)
    assert model.calibration.curve == by_hand.curve
    assert model != fit_score_model(sample, weights=drawn)
    with pytest.raises(UnknownNameError, match="way to weigh"):
        fit_score_model(sample, weigh="profiles")


def test_profiles_of_another_kind_are_refused() -> None:
    identity = {"recipe": "abc", "replicate level": "specimen"}
    model = fit_score_model(known_pairs(), identity=identity)
    model.require({**identity, "laboratory": "any"})
    with pytest.raises(InputError, match="recipe is 'abd' and was 'abc'"):
        model.require({**identity, "recipe": "abd"})
    with pytest.raises(InputError, match="replicate level is not known and was 'specimen'"):
        model.require({"recipe": "abc"})
    with pytest.raises(InputError, match="recipe of the identity must be text"):
        fit_score_model(known_pairs(), identity={"recipe": 3})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="mapping of texts"):
        fit_score_model(known_pairs(), identity="abc")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", [m for m, c in CALIBRATORS.items() if m != "beta"])
def test_a_model_survives_a_file_and_a_worker(method) -> None:
    model = fit_score_model(known_pairs(), method=method, identity={"recipe": "abc"})
    stored = json.loads(json.dumps(model.to_data(), allow_nan=False))
    for other in (
        ScoreModel.from_data(stored),
        pickle.loads(pickle.dumps(model)),  # noqa: S301 - its own bytes
    ):
        assert other == model
        assert other.digest == model.digest
    assert len(model.digest) == 64
    changed = fit_score_model(known_pairs(), method=method)
    assert changed != model
    assert changed.digest != model.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "?"}, "no stored score model"),
        ({"version": 0}, "version 0 cannot be read"),
        ({"metric": "cosine"}, "contradicts itself"),
        ({"metric": "euclid"}, "unknown metric"),
        ({"calibration": {}}, "no stored calibration"),
        ({"identity": []}, "mapping of texts"),
    ],
)
def test_damaged_data_are_no_model(change, message) -> None:
    data = fit_score_model(known_pairs()).to_data()
    with pytest.raises(InputError, match=message):
        ScoreModel.from_data({**data, **change})
    for key in ("metric", "rule", "calibration"):
        with pytest.raises(InputError, match=f"lacks '{key}'"):
            ScoreModel.from_data({k: v for k, v in data.items() if k != key})


def test_what_a_reader_must_know_is_said() -> None:
    linked = [(1.0, 0), (2.0, 1), (5.0, 2)]
    unlinked = [(3.0, 0, 1), (6.0, 1, 2), (7.0, 0, 2)]
    with pytest.warns(SmallSampleWarning, match="Only 3 sources"):
        model = fit_score_model(sample_of(linked, unlinked))
    assert "Only 3 sources" in str(model.notes[0])
    assert "not validated" in repr(model)
    page = model._repr_html_()
    assert "Only 3 sources" in page
    assert model.rule.source_level in page
