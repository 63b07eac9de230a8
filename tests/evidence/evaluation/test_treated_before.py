"""A recipe that is learned inside the folds, on profiles that were treated before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from drugsig import ProfileSet, pretreat, run_study
from drugsig.errors import InputError
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.models import LrModelSpec
from tests.evidence.models.cases import BATCHES, FEATURE, SCORE, batches


def skewed() -> ProfileSet:
    """Areas over several powers of ten, so that a root taken twice shows."""
    plain = batches(np.random.default_rng(1), n_sources=30, n_profiles=3, n_targets=4)
    return ProfileSet(np.exp(plain.values - 10.0), plain.targets, plain.profiles)


COMPONENTS = replace(FEATURE, two_level=replace(FEATURE.two_level, components=2))


@pytest.mark.parametrize("spec", [COMPONENTS, SCORE], ids=["feature", "score"])
def test_what_was_done_before_is_not_done_again_in_the_folds(spec: LrModelSpec) -> None:
    untreated = skewed()
    whole = evaluate_model(
        untreated, BATCHES, spec, recipe="sum | fourth_root | autoscale", seeds=[0], n_folds=3
    )
    treated = pretreat(untreated, "sum | fourth_root")
    rest = evaluate_model(treated, BATCHES, spec, recipe="autoscale", seeds=[0], n_folds=3)
    assert_allclose(rest.log10_lr_bounded, whole.log10_lr_bounded, rtol=1e-9, atol=1e-12)


def test_what_was_learned_before_is_told_also_with_a_recipe() -> None:
    treated = pretreat(skewed(), "sum | sd_weights")
    found = evaluate_model(treated, BATCHES, SCORE, recipe="autoscale", seeds=[0], n_folds=3)
    assert any(
        "learned from the profiles it is judged on" in note for note in map(str, found.notes)
    )


def test_a_study_does_nothing_twice_and_refuses_what_learned_before() -> None:
    untreated = skewed()

    def nested(profiles: ProfileSet, recipe: str) -> float | None:
        rng = np.random.default_rng(2)
        study = run_study(
            profiles, recipe, "euclidean", BATCHES, rng=rng, n_resamples=0, progress=False
        )
        return study.choices[0].nested_auc

    treated = pretreat(untreated, "sum | fourth_root")
    whole = nested(untreated, "sum | fourth_root | autoscale")
    assert nested(treated, "autoscale") == pytest.approx(whole, rel=1e-9)
    with pytest.raises(InputError, match="autoscale"):
        nested(pretreat(treated, "autoscale"), "rank")
