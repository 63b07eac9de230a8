"""Each way of calibrating against an independent one, and against what is known to be true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import minimize
from scipy.stats import beta, gaussian_kde, norm
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from drugsig.errors import InputError, UnknownNameError
from drugsig.evidence.calibration import (
    CALIBRATORS,
    BetaCurve,
    Calibration,
    LapseCurve,
    LinearCurve,
    fit_calibration,
)
from drugsig.evidence.calibration.calibrators import BANDWIDTHS
from drugsig.evidence.calibration.logit import fit_logit
from tests.evidence.calibration.cases import (
    beta_pairs,
    cllr,
    fitted,
    normal_pairs,
    overlapping_pairs,
)

LN10 = np.log(10)


def class_weighted(
    features: np.ndarray, linked: np.ndarray, weights: np.ndarray | None = None
) -> LogisticRegression:
    """The peer's fit with no penalty and the total weights of both classes equal."""
    weight = np.ones(len(linked)) if weights is None else weights
    total = np.where(linked, weight[linked].sum(), weight[~linked].sum())
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    return model.fit(features, linked, sample_weight=weight / total * len(linked))


def line(calibration: Calibration) -> tuple[float, float]:
    """Intercept and slope in natural logarithms."""
    assert isinstance(calibration.curve, LinearCurve)
    return calibration.curve.intercept * LN10, calibration.curve.slope * LN10


# -- logistic ----------------------------------------------------------------------------


@pytest.mark.parametrize(("n_linked", "n_unlinked"), [(50, 50), (30, 900), (400, 40)])
def test_logistic_is_that_of_scikit_learn(n_linked, n_unlinked) -> None:
    scores, linked = normal_pairs(n_linked, n_unlinked)
    weights = np.random.default_rng(5).integers(1, 4, len(scores)).astype(float)
    intercept, slope = line(fit_calibration(scores, linked, kind="similarity", weights=weights))
    peer = class_weighted(scores[:, None], linked, weights)
    assert slope == pytest.approx(peer.coef_[0, 0], rel=1e-5)
    assert intercept == pytest.approx(peer.intercept_[0], rel=1e-5, abs=1e-6)


def test_logistic_finds_the_true_line_whatever_the_numbers_of_pairs() -> None:
    scores, linked = normal_pairs(4000, 40_000)
    intercept, slope = line(fit_calibration(scores, linked, kind="similarity"))
    assert slope == pytest.approx(2.0, abs=0.1)
    assert intercept == pytest.approx(-2.0, abs=0.1)


def test_logistic_does_not_see_how_many_pairs_a_class_has() -> None:
    scores, linked = normal_pairs(60, 80)
    more = np.concatenate([scores, np.tile(scores[~linked], 9)])
    labels = np.append(linked, np.zeros(720, dtype=bool))
    one = fit_calibration(scores, linked, kind="similarity")
    other = fit_calibration(more, labels, kind="similarity")
    np.testing.assert_allclose(line(one), line(other))


def penalised_height(theta, scores, linked, weights):
    design = np.column_stack([np.ones(len(scores)), scores])
    odds = design @ theta
    curvature = weights / (2 + np.exp(odds) + np.exp(-odds))
    information = design.T @ (design * curvature[:, None])
    likelihood = -weights @ np.logaddexp(0, np.where(linked, -odds, odds))
    return -(likelihood + 0.5 * np.linalg.slogdet(information)[1])


@pytest.mark.parametrize("shift", [0.5, 2.0, 8.0])
def test_the_penalised_line_is_the_top_of_its_definition(shift) -> None:
    # At a shift of 8 the classes are separated.
    scores, linked = normal_pairs(15, 40, apart=shift)
    weights = np.where(linked, 1.0, 15 / 40)
    best = minimize(
        penalised_height, [0.0, 0.1], args=(scores, linked, weights), method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000},
    ).x  # fmt: skip
    got = line(fit_calibration(scores, linked, method="logistic_firth", kind="similarity"))
    np.testing.assert_allclose(got, np.asarray(best), rtol=1e-4)


def test_the_penalty_fades_with_the_number_of_pairs() -> None:
    scores, linked = normal_pairs(3000, 3000)
    _, plain = line(fit_calibration(scores, linked, kind="similarity"))
    _, firth = line(fit_calibration(scores, linked, method="logistic_firth", kind="similarity"))
    assert 0 < plain - firth < 0.005 * plain


@pytest.mark.parametrize("method", ["logistic", "beta"])
def test_an_overlap_that_is_next_to_nothing_hides_no_separation(method) -> None:
    scores = np.array([0.1, 0.2, 0.5 + 1e-12, 0.5, 0.7])
    linked = np.array([True, True, True, False, False])
    with pytest.raises(InputError, match="all but separate"):
        fitted(scores, linked, method=method)


@given(overlapping_pairs())
def test_a_bound_keeps_coefficients_from_the_wrong_sign(drawn) -> None:
    scores, linked, weights = drawn
    rng = np.random.default_rng(int(scores.sum() * 16))
    features = np.column_stack([-scores, rng.normal(size=(len(scores), 2))])
    bound = np.ones(3, dtype=bool)
    fit = fit_logit(features, linked, weights, nonnegative=bound, penalised=True)
    assert not fit.separated
    assert (fit.coefficients >= 0).all()


def test_a_bounded_fit_is_the_best_within_its_bounds() -> None:
    rng = np.random.default_rng(8)
    linked = np.arange(300) < 150
    first = rng.normal(size=300) + linked
    features = np.column_stack([first, 0.8 * first + rng.normal(size=300) - 0.5 * linked])
    weights = np.ones(300)
    free = fit_logit(features, linked, weights, nonnegative=np.zeros(2, bool), penalised=False)
    assert free.coefficients[1] < 0
    bound = fit_logit(features, linked, weights, nonnegative=np.ones(2, bool), penalised=False)
    alone = fit_logit(features[:, :1], linked, weights, nonnegative=np.ones(1, bool),
                      penalised=False)  # fmt: skip
    assert bound.coefficients[1] == 0
    assert bound.coefficients[0] == pytest.approx(alone.coefficients[0], rel=1e-9)


@pytest.mark.parametrize("penalised", [False, True])
def test_a_plane_that_separates_is_found(penalised) -> None:
    rng = np.random.default_rng(4)
    features = rng.normal(size=(400, 3))
    linked = features @ [1.0, 2.0, 0.5] > 0.3
    # Each feature alone overlaps.
    assert min(features[linked].min(axis=0)) < max(features[~linked].max(axis=0))
    fit = fit_logit(
        features, linked, np.ones(400), nonnegative=np.ones(3, bool), penalised=penalised
    )
    assert fit.separated is not penalised
    # Of the wrong sign it does not count: bounded coefficients cannot make use of it.
    other = fit_logit(
        features, ~linked, np.ones(400), nonnegative=np.ones(3, bool), penalised=False
    )
    assert not other.separated
    np.testing.assert_array_equal(other.coefficients, 0.0)


def test_a_plane_that_all_but_separates_counts() -> None:
    # Of quasi-complete separation: pairs of both classes lie on the plane.
    features = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [1.0, 0.0], [-1.0, 3.0]])
    linked = np.array([True, False, True, False, True, False])
    fit = fit_logit(features, linked, np.ones(6), nonnegative=np.zeros(2, bool), penalised=False)
    assert fit.separated


def test_features_that_say_the_same_twice_share_it() -> None:
    scores, linked = normal_pairs(30, 30)
    twice, bound = np.column_stack([scores, scores]), np.ones(2, dtype=bool)
    shared = fit_logit(twice, linked, np.ones(60), nonnegative=bound, penalised=False)
    alone = fit_logit(twice[:, :1], linked, np.ones(60), nonnegative=bound[:1], penalised=False)
    np.testing.assert_allclose(shared.coefficients, alone.coefficients[0] / 2, rtol=1e-9)
    with pytest.raises(InputError, match="probably say the same"):
        fit_logit(twice, linked, np.ones(60), nonnegative=bound, penalised=True)


# -- isotonic ----------------------------------------------------------------------------


@given(overlapping_pairs())
def test_isotonic_is_that_of_scikit_learn_with_a_misleading_pair_at_each_end(drawn) -> None:
    scores, linked, weights = drawn
    calibration = fitted(scores, linked, method="isotonic", weights=weights)
    alike = np.concatenate([[-9.0], -scores, [9.0]])
    labels = np.concatenate([[1.0], linked, [0.0]])
    total = np.where(labels == 1, weights[linked].sum() + 1, weights[~linked].sum() + 1)
    weight = np.concatenate([[1.0], weights, [1.0]]) / total
    peer = IsotonicRegression().fit(alike, labels, sample_weight=weight)
    p = peer.predict(-scores)
    np.testing.assert_allclose(
        calibration.log10_lr(scores), np.log10(p) - np.log10(1 - p), atol=1e-9
    )


@pytest.mark.parametrize("pseudo_pairs", [0.5, 1.0, 4.0])
def test_separated_steps_end_where_so_many_pairs_allow(pseudo_pairs) -> None:
    scores, linked = np.arange(30.0), np.arange(30) >= 20
    ratios = fit_calibration(
        scores, linked, method="isotonic", kind="similarity", pseudo_pairs=pseudo_pairs
    ).log10_lr(scores)
    assert 10 ** ratios[-1] == pytest.approx(
        10 / (10 + pseudo_pairs) * (20 + pseudo_pairs) / pseudo_pairs
    )
    assert 10 ** ratios[0] == pytest.approx(
        pseudo_pairs / (10 + pseudo_pairs) * (20 + pseudo_pairs) / 20
    )


@pytest.mark.parametrize("method", ["kde", "isotonic"])
@settings(max_examples=30)
@given(overlapping_pairs())
def test_ratios_stay_within_what_so_many_pairs_show(method, drawn) -> None:
    scores, linked, weights = drawn
    low, high = fitted(scores, linked, method=method, weights=weights).limits
    assert low >= -np.log10(weights[linked].sum() + 1) - 1e-9
    assert high <= np.log10(weights[~linked].sum() + 1) + 1e-9


# -- kernel densities --------------------------------------------------------------------


@pytest.mark.parametrize("rule", sorted(BANDWIDTHS))
def test_bare_kernel_densities_are_those_of_scipy(rule) -> None:
    scores, linked = normal_pairs(80, 120)
    calibration = fit_calibration(
        scores, linked, method="kde", kind="similarity", bandwidth=rule, pseudo_pairs=0.0
    )

    def density(side: np.ndarray) -> np.ndarray:
        n = len(side)
        middle = np.diff(np.interp([0.25, 0.75], (np.arange(n) + 0.5) / n, np.sort(side)))[0]
        width = {
            "scott": 1.06 * side.std(),
            "silverman": 0.9 * min(side.std(), middle / (norm.ppf(0.75) * 2)),
        }[rule] * n**-0.2
        return gaussian_kde(side, width / side.std(ddof=1)).logpdf(asked)

    asked = np.linspace(scores.min(), scores.max(), 333)
    expected = (density(scores[linked]) - density(scores[~linked])) / LN10
    np.testing.assert_allclose(calibration.log10_lr(asked), expected, rtol=2e-4, atol=2e-4)


def test_many_scores_on_a_grid_are_as_good_as_each_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores, linked = normal_pairs(900, 6000)
    asked = np.linspace(-3, 5, 200)
    on_a_grid = fit_calibration(scores, linked, method="kde", kind="similarity")
    monkeypatch.setattr("drugsig.evidence.calibration.calibrators._MOST_CENTRES", 10**6)
    each = fit_calibration(scores, linked, method="kde", kind="similarity")
    assert on_a_grid != each
    np.testing.assert_allclose(on_a_grid.log10_lr(asked), each.log10_lr(asked), atol=5e-4)


def test_a_density_is_reflected_at_the_end_of_the_range() -> None:
    rng = np.random.default_rng(6)
    scores = np.concatenate([np.abs(rng.normal(0, 0.1, 4000)), rng.uniform(0, 1, 4000)])
    linked = np.arange(8000) < 4000
    truth = np.log10(2 * norm.pdf(0.0, scale=0.1))
    leaking = fit_calibration(scores, linked, method="kde", kind="distance").log10_lr(0.0)
    kept = fitted(scores, linked, method="kde").log10_lr(0.0)
    assert kept == pytest.approx(truth, abs=0.03)
    assert abs(leaking - truth) < 0.4


def test_where_there_are_no_scores_the_ratio_tends_to_one() -> None:
    scores = np.concatenate([np.linspace(0, 0.01, 50), np.linspace(100, 130, 50)])
    calibration = fit_calibration(scores, np.arange(100) < 50, method="kde", kind="distance")
    assert calibration.log10_lr(50.0) == pytest.approx(0.0, abs=0.01)
    bare = fit_calibration(
        scores, np.arange(100) < 50, method="kde", kind="distance", pseudo_pairs=0.0
    )
    assert np.isfinite(bare.log10_lr(50.0))
    assert bare.log10_lr(50.0) < -1000


def test_a_dip_is_found() -> None:
    rng = np.random.default_rng(7)
    linked_scores = np.concatenate([rng.normal(0.1, 0.01, 50), rng.normal(0.5, 0.01, 50)])
    scores = np.concatenate([linked_scores, rng.uniform(0, 1, 200)])
    calibration = fitted(scores, np.arange(300) < 100, method="kde")
    # Towards small distances the ratio falls from the second hump into the dip between.
    assert any(0.15 < begin < 0.5 and 0.15 < end < 0.52 for begin, end in calibration.falls)


def test_one_value_has_no_bandwidth_by_rule() -> None:
    scores = [0.0, 0.0, 0.0, 0.3, 0.5, 0.6]
    linked = [True, True, True, False, False, False]
    with pytest.raises(InputError, match=r"3 scores of linked pairs are 0.*bandwidth=<number>"):
        fitted(scores, linked, method="kde")
    assert fitted(scores, linked, method="kde", bandwidth=0.1).log10_lr(0.0) > 0


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, np.nan, np.inf, True])
def test_a_bandwidth_that_is_none_is_refused(bandwidth) -> None:
    with pytest.raises(InputError, match="bandwidth must be a positive number"):
        fitted(*beta_pairs(30, 30), method="kde", bandwidth=bandwidth)


def test_a_rule_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="'silverman'"):
        fitted(*beta_pairs(30, 30), method="kde", bandwidth="silvermann")


# -- beta --------------------------------------------------------------------------------


def test_beta_is_that_of_scikit_learn() -> None:
    scores, linked = beta_pairs(200, 300)
    s = 1 - scores
    peer = class_weighted(np.column_stack([np.log(s), -np.log1p(-s)]), linked)
    assert (peer.coef_ > 0).all()
    curve = fitted(scores, linked, method="beta").curve
    assert isinstance(curve, BetaCurve)
    np.testing.assert_allclose([curve.a, curve.b], peer.coef_[0], rtol=1e-4)
    assert curve.intercept * LN10 == pytest.approx(peer.intercept_[0], rel=1e-4)


def test_beta_finds_the_true_curve() -> None:
    scores, linked = beta_pairs(6000, 6000)
    asked = np.linspace(0.1, 0.9, 9)
    truth = np.log10(beta(2, 6).pdf(asked) / beta(5, 3).pdf(asked))
    got = fitted(scores, linked, method="beta").log10_lr(asked)
    np.testing.assert_allclose(got, truth, atol=0.3)


def test_beta_holds_the_ends_at_the_nearest_score_between() -> None:
    scores = np.array([0.0, 0.1, 0.2, 0.6, 0.3, 0.5, 0.7, 1.0])
    linked = np.arange(8) < 4
    calibration = fitted(scores, linked, method="beta")
    ends, nearest = calibration.log10_lr([0.0, 1.0]), calibration.log10_lr([0.1, 0.7])
    np.testing.assert_allclose(ends, nearest)


@pytest.mark.parametrize(
    ("scores", "support", "message"),
    [
        ([0.1, 0.5, 0.3, 7.0], None, "needs scores from 0 to 1.*0.1 to 7"),
        ([0.1, 0.5, 0.3, 0.7], (0.0, np.inf), "between two limits"),
        ([0.0, 1.0, 0.0, 1.0], None, "of 4 scores 0 differ between the limits"),
    ],
)
def test_beta_needs_scores_between_limits(scores, support, message) -> None:
    with pytest.raises(InputError, match=message):
        fitted(scores, [True, True, False, False], method="beta", support=support)


# -- together ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", sorted(CALIBRATORS))
def test_calibrated_ratios_cost_little_more_than_the_true_ones(method) -> None:
    support = (-20.0, 20.0)
    train, fresh = normal_pairs(400, 4000, seed=1), normal_pairs(4000, 4000, seed=2)
    calibration = fitted(*train, method=method, kind="similarity", support=support)
    true = (2 * fresh[0] - 2) / LN10
    cost = cllr(calibration.log10_lr(fresh[0]), fresh[1])
    assert cost < cllr(true, fresh[1]) + 0.02
    # A raw score that is mistaken for a log10 ratio costs far more.
    assert cost < cllr(fresh[0], fresh[1]) - 0.1


def lapsing(rng: np.random.Generator, n: int, lapse: float) -> tuple[np.ndarray, np.ndarray]:
    """Return log10 LRs that are right but for linked pairs that look like unlinked ones."""
    half = 3.0
    linked = np.repeat([True, False], n)
    ratios = np.where(linked, half, -half) + np.sqrt(2.0 * half) * rng.normal(size=2 * n)
    lost = linked & (rng.random(2 * n) < lapse)
    ratios[lost] = -half + np.sqrt(2.0 * half) * rng.normal(size=int(lost.sum()))
    return ratios / np.log(10.0), linked


def test_a_line_with_lapses_finds_line_and_lapse() -> None:
    scores, linked = lapsing(np.random.default_rng(5), 20_000, 0.03)
    curve = fit_calibration(scores, linked, method="logistic_lapse", kind="similarity").curve
    assert isinstance(curve, LapseCurve)
    # A share e of linked pairs that look like unlinked ones makes q = e/(1 - e).
    assert curve.lapse == pytest.approx(0.03 / 0.97, abs=0.004)
    assert curve.slope == pytest.approx(1.0, abs=0.04)
    assert curve.intercept == pytest.approx(0.0, abs=0.03)


def test_one_mistyped_value_does_not_bend_the_line() -> None:
    scores, linked = lapsing(np.random.default_rng(6), 300, 0.0)
    wrong = np.append(scores, -400.0), np.append(linked, True)
    asked = np.linspace(-1.0, 3.0, 9)
    moved = {
        method: np.abs(
            fit_calibration(*wrong, method=method, kind="similarity").log10_lr(asked)
            - fit_calibration(scores, linked, method=method, kind="similarity").log10_lr(asked)
        ).max()
        for method in ("logistic", "logistic_lapse")
    }
    assert moved["logistic_lapse"] < 0.1 < 1.0 < moved["logistic"]


def test_no_ratio_is_below_that_of_a_lapse() -> None:
    scores, linked = lapsing(np.random.default_rng(7), 100, 0.05)
    found = fit_calibration(
        scores, linked, method="logistic_lapse", kind="similarity", extrapolate=True
    )
    assert isinstance(found.curve, LapseCurve)
    least = np.log10(found.curve.lapse / (1.0 + found.curve.lapse))
    assert found.log10_lr([-1e6]) == pytest.approx([least])
    # Each class has a misleading pair more: the lapse is never impossible.
    assert found.curve.lapse > 0.5 / 101


def test_separated_classes_have_a_finite_line_with_lapses() -> None:
    scores = np.array([0.0, 0.1, 0.2, 0.8, 0.9, 1.0])
    linked = np.array([False] * 3 + [True] * 3)
    found = fit_calibration(scores, linked, method="logistic_lapse", kind="similarity")
    assert np.isfinite(found.limits).all()
    assert found.limits[0] < 0.0 < found.limits[1]


@pytest.mark.parametrize("lapse", [-0.1, 1.0, float("nan")])
def test_an_impossible_lapse_is_refused(lapse: float) -> None:
    with pytest.raises(InputError, match="lapse"):
        LapseCurve(0.0, 1.0, lapse)
