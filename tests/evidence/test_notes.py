"""What evidence says besides its numbers: warnings are made from notes, each once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from drugsig._notes import NOTES, Note, note_from_data
from drugsig.errors import CircularRuleWarning, DrugsigWarning
from drugsig.evidence import learn_threshold, pair_sample, threshold_for
from drugsig.evidence.calibration import fit_calibration
from drugsig.evidence.discrimination import measure_discrimination
from drugsig.evidence.evaluation import evaluate_model
from drugsig.evidence.models import fit_lr_model
from drugsig.evidence.performance import measure_performance
from drugsig.evidence.populations import PopulationRule
from drugsig.evidence.two_level.fitting import fit_two_level, weaknesses
from tests.evidence.cases import comparison_of, with_metadata
from tests.evidence.models.cases import BATCHES, FEATURE, SCORE, batches

Told = list[tuple[str, type[Warning]]]


def recorded(call: Callable[[], Any]) -> tuple[Any, Told]:
    """Return a result, and the warnings that were given for it, all of them at this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    assert {w.filename for w in caught} <= {__file__}
    return result, [(str(w.message), w.category) for w in caught]


def warned_of(notes: Iterable[Note]) -> Told:
    return [(n.text, n.category) for n in notes if n.category is not None]


def scored() -> tuple[list[float], list[bool], list[int], list[int]]:
    """Return scores of 12 linked pairs, no more alike than the unlinked ones, and sources."""
    rng = np.random.default_rng(4)
    scores = [*rng.normal(size=12), *(rng.normal(size=40) - 1.0)]
    first = [*range(12), *(k % 12 for k in range(40))]
    second = [*range(12), *((k % 12 + 1 + k // 12) % 12 for k in range(40))]
    return scores, [True] * 12 + [False] * 40, first, second


def calibration() -> Any:
    scores, linked, a, b = scored()
    return fit_calibration(scores, linked, kind="distance", source_a=a, source_b=b)


def performance() -> Any:
    scores, linked, a, b = scored()
    values = [-np.inf, *scores[1:]]
    return measure_performance(
        values, linked, source_a=a, source_b=b, rng=np.random.default_rng(1), n_resamples=100
    )


def threshold() -> Any:
    sample = pair_sample(comparison_of(SERIES), SERIES, BATCHES)
    return learn_threshold(
        sample, rng=np.random.default_rng(1), n_resamples=100, false_positive_rate=0.5
    )


def discrimination() -> Any:
    sample = pair_sample(comparison_of(SERIES), SERIES, BATCHES)
    return measure_discrimination(sample, rng=np.random.default_rng(1), n_resamples=100)


SERIES = with_metadata(batch_id=list("aabbccddee"), sequence_id=[str(k) for k in range(10)])


@pytest.mark.parametrize(
    ("make", "least"), [(calibration, 2), (performance, 2), (threshold, 1), (discrimination, 1)]
)
def test_the_warnings_of_a_call_are_the_notes_of_its_result(
    make: Callable[[], Any], least: int
) -> None:
    result, told = recorded(make)
    assert told == warned_of(result.notes)
    assert len(told) >= least


@pytest.mark.parametrize("spec", [FEATURE, SCORE])
def test_a_model_warns_of_what_it_keeps(spec: Any) -> None:
    few = batches(np.random.default_rng(1), n_sources=14)
    model, told = recorded(lambda: fit_lr_model(few, BATCHES, spec, rng=np.random.default_rng(3)))
    assert told == warned_of(model.notes)
    assert told


def test_a_fitted_background_says_how_weak_its_data_are() -> None:
    few = batches(np.random.default_rng(1), n_sources=14)
    sources = [text or "" for text in few.column("batch_id")]
    model, told = recorded(lambda: fit_two_level(few.values, sources, replicate_level="unit"))
    assert told == warned_of(weaknesses(model))
    assert told


def test_an_evaluation_warns_once_of_all_folds() -> None:
    few = batches(np.random.default_rng(1), n_sources=14)
    evaluation, told = recorded(
        lambda: evaluate_model(few, BATCHES, FEATURE, seeds=[0, 1], n_folds=2)
    )
    codes = [n.code for n in evaluation.notes]
    assert [text for text, _ in told] == [
        n.text for n in evaluation.notes if n.code == "few-sources-of-evaluation"
    ]
    assert "few-replicated-sources" in codes
    assert len(set(evaluation.notes)) == len(codes)


def test_a_threshold_under_a_rule_tells_of_the_rule_first() -> None:
    rule = PopulationRule.from_data(BATCHES.to_data() | {"derived": ["batch_id"]})
    _, told = recorded(
        lambda: threshold_for(
            comparison_of(SERIES), SERIES, rule, rng=np.random.default_rng(1), n_resamples=100,
            false_positive_rate=0.5,
        )
    )  # fmt: skip
    assert told[0][1] is CircularRuleWarning
    assert len(told) == len(set(told)) >= 2


@pytest.mark.parametrize("code", sorted(NOTES))
def test_a_kind_of_note_has_a_code_that_can_be_read(code: str) -> None:
    kind = NOTES[code]
    assert code == code.lower().replace("_", "-").replace(" ", "-")
    assert kind.category is None or issubclass(kind.category, DrugsigWarning)


def test_notes_come_back_from_their_facts() -> None:
    few = batches(np.random.default_rng(1), n_sources=14)
    evaluation, _ = recorded(lambda: evaluate_model(few, BATCHES, FEATURE, seeds=[0], n_folds=2))
    assert len(evaluation.notes) >= 3
    assert tuple(note_from_data(n.to_data()) for n in evaluation.notes) == evaluation.notes
