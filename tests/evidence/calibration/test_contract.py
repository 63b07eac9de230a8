"""What every registered calibrator keeps to; a new one is tested by being registered."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings

from drugsig.errors import DataWarning, InputError
from drugsig.evidence.calibration import CALIBRATORS, Calibration, fit_calibration
from tests.evidence.calibration.cases import (
    LIMITS,
    METHODS,
    beta_pairs,
    fitted,
    overlapping_pairs,
)
from tests.meta.source_tree import REPOSITORY

each_method = pytest.mark.parametrize("method", METHODS)

# Asked for: the whole range, its ends, and beyond.
ASKED = np.concatenate([np.linspace(0, 1, 97), [-5.0, 5.0, 0.0, 1.0]])

# An iteration that stops at a gradient of zero finds a maximum that is flat to this much.
NEARLY = (1e-6, 1e-6)
# The knots of another score may lie elsewhere; each line strays by 1e-4 at most.
KNOTS = (3e-4, 3e-4)


def alike(method: str, one: np.ndarray, other: np.ndarray) -> None:
    """Assert that ratios of two calibrations are the same, as near as the method can be."""
    rtol, atol = KNOTS if method == "kde" else NEARLY
    np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


@each_method
@settings(max_examples=30)
@given(overlapping_pairs())
def test_ratios_are_finite_and_rise_with_alikeness(method, drawn) -> None:
    scores, linked, weights = drawn
    calibration = fitted(scores, linked, method=method, weights=weights)
    ratios = calibration.log10_lr(np.sort(ASKED))
    assert np.isfinite(ratios).all()
    if CALIBRATORS[method].monotone:
        assert (np.diff(ratios) <= 1e-12).all()
        assert calibration.falls == ()


@each_method
@settings(max_examples=30)
@given(overlapping_pairs())
def test_a_weight_of_two_is_two_pairs(method, drawn) -> None:
    scores, linked, weights = drawn
    repeats = weights.astype(int)
    once = fitted(scores, linked, method=method, weights=weights)
    written_out = fitted(np.repeat(scores, repeats), np.repeat(linked, repeats), method=method)
    alike(method, once.log10_lr(ASKED), written_out.log10_lr(ASKED))


@each_method
@settings(max_examples=30)
@given(overlapping_pairs())
def test_a_pair_of_no_weight_is_not_there(method, drawn) -> None:
    scores, linked, weights = drawn
    extended = np.append(scores, [0.0, 1.0]), np.append(linked, [False, True])
    without = fitted(scores, linked, method=method, weights=weights)
    with_it = fitted(*extended, method=method, weights=np.append(weights, [0.0, 0.0]))
    assert with_it == without


@pytest.mark.parametrize("method", [m for m in METHODS if CALIBRATORS[m].exchangeable])
@settings(max_examples=30)
@given(overlapping_pairs())
def test_the_propositions_can_be_exchanged(method, drawn) -> None:
    scores, linked, weights = drawn
    one = fitted(scores, linked, method=method, weights=weights)
    other = fitted(scores, ~linked, method=method, weights=weights, kind="similarity")
    alike(method, one.log10_lr(ASKED), -other.log10_lr(ASKED))


@each_method
@settings(max_examples=30)
@given(overlapping_pairs())
def test_the_unit_and_the_direction_of_the_score_do_not_matter(method, drawn) -> None:
    scores, linked, weights = drawn
    one = fitted(scores, linked, method=method, weights=weights)
    other = fitted(
        3.0 - 4.0 * scores, linked, method=method, weights=weights, kind="similarity",
        support=(-1.0, 3.0),
    )  # fmt: skip
    alike(method, one.log10_lr(ASKED), other.log10_lr(3.0 - 4.0 * ASKED))


@each_method
def test_the_order_of_the_pairs_does_not_matter(method) -> None:
    scores, linked = beta_pairs(40, 60)
    order = np.random.default_rng(3).permutation(100)
    one = fitted(scores, linked, method=method)
    other = fitted(scores[order], linked[order], method=method)
    np.testing.assert_allclose(one.log10_lr(ASKED), other.log10_lr(ASKED), atol=1e-8)


@each_method
def test_a_calibration_survives_a_file_and_a_worker(method) -> None:
    calibration = fitted(*beta_pairs(40, 60), method=method)
    text = json.dumps(calibration.to_data(), allow_nan=False)
    for other in (
        Calibration.from_data(json.loads(text)),
        pickle.loads(pickle.dumps(calibration)),  # noqa: S301 - its own bytes
    ):
        assert other == calibration
        np.testing.assert_array_equal(other.log10_lr(ASKED), calibration.log10_lr(ASKED))
        for array in vars(other.curve).values():
            assert not isinstance(array, np.ndarray) or not array.flags.writeable
    assert calibration != fitted(*beta_pairs(41, 60), method=method)


@each_method
def test_inputs_are_left_alone_and_shapes_kept(method) -> None:
    scores, linked = beta_pairs(40, 60)
    before = scores.copy()
    calibration = fitted(scores, linked, method=method)
    asked = scores.reshape(4, 25)
    assert calibration.log10_lr(asked).shape == (4, 25)
    assert calibration.log10_lr(0.5).shape == ()
    np.testing.assert_array_equal(scores, before)
    assert scores.flags.writeable


@each_method
def test_an_undefined_score_has_no_ratio(method) -> None:
    calibration = fitted(*beta_pairs(40, 60), method=method)
    np.testing.assert_array_equal(
        np.isnan(calibration.log10_lr([np.nan, 0.5, np.inf, -np.inf])), [True, False, False, False]
    )
    np.testing.assert_array_equal(
        calibration.outside([np.nan, 0.5, 2.0, -1.0]), [False, False, True, True]
    )


@each_method
def test_beyond_its_scores_it_holds_or_extrapolates(method) -> None:
    scores, linked = beta_pairs(40, 60)
    held = fitted(scores, linked, method=method, support=(-1.0, 2.0))
    assert held.range == (scores.min(), scores.max())
    np.testing.assert_array_equal(held.log10_lr([-0.9, 1.9]), held.log10_lr(held.range))
    if not CALIBRATORS[method].extrapolates:
        with pytest.raises(InputError, match="no value beyond"):
            fitted(scores, linked, method=method, extrapolate=True)
        return
    further = fitted(scores, linked, method=method, extrapolate=True)
    np.testing.assert_array_equal(further.log10_lr(scores), fitted(scores, linked, method=method)
                                  .log10_lr(scores))  # fmt: skip
    with pytest.raises(InputError, match="infinite"):
        further.log10_lr([np.inf])


@each_method
def test_separated_classes_never_give_ratios_without_limit(method) -> None:
    rng = np.random.default_rng(2)
    scores = np.concatenate([rng.uniform(0.01, 0.1, 20), rng.uniform(0.6, 0.9, 80)])
    linked = np.arange(100) < 20
    if CALIBRATORS[method].needs_overlap:
        with pytest.raises(InputError, match=r"separate.*logistic_firth"):
            fitted(scores, linked, method=method)
        return
    ratios = fitted(scores, linked, method=method).log10_lr(ASKED)
    assert np.isfinite(ratios).all()
    assert 1.0 < ratios.max() < 3.0
    assert -3.0 < ratios.min() < -1.0


@each_method
def test_scores_that_touch_count_as_separated(method) -> None:
    scores, linked = [0.1, 0.2, 0.3, 0.3, 0.5, 0.6], [True, True, True, False, False, False]
    if CALIBRATORS[method].needs_overlap:
        with pytest.raises(InputError, match="separate"):
            fitted(scores, linked, method=method)
    else:
        assert np.isfinite(fitted(scores, linked, method=method).log10_lr(ASKED)).all()


@each_method
def test_scores_that_point_the_wrong_way_are_worth_nothing(method) -> None:
    scores, linked = beta_pairs(40, 60)
    if method == "kde":
        # Densities know no direction; where they fall is said.
        assert fitted(scores, linked, method=method, kind="similarity").falls
        return
    with pytest.warns(DataWarning, match="no more alike"):
        calibration = fit_calibration(
            scores, linked, method=method, kind="similarity", support=LIMITS
        )
    np.testing.assert_allclose(calibration.log10_lr(ASKED), 0.0, atol=1e-9)
    assert "no more alike" in str(calibration.notes[0])


@each_method
def test_the_documentation_names_it(method) -> None:
    page = (REPOSITORY / "docs" / "reference" / "calibrators.md").read_text(encoding="utf-8")
    text = " ".join(page.split())
    entry = CALIBRATORS[method]
    assert f"`{entry.name}`" in text
    for option, value in entry.options.items():
        assert f"`{option}`" in text, f"{option} = {value} of {method}"
    row = next(line for line in page.splitlines() if line.startswith(f"| `{method}` |"))
    _, _, formula, rises, separated, source, _ = (cell.strip() for cell in row.split("|"))
    assert formula.split(",")[0] in entry.formula or method == "logistic_firth"
    assert rises == ("always" if entry.monotone else "not always")
    assert (separated == "refused") is entry.needs_overlap
    assert source == entry.source


@each_method
def test_it_says_what_it_is(method) -> None:
    calibration = fitted(*beta_pairs(40, 60), method=method)
    assert method in repr(calibration)
    assert CALIBRATORS[method].formula.split(",")[0].split("<")[0] in calibration._repr_html_()
    low, high = calibration.limits
    assert low < 0 < high
