"""Logistic regression with weights and signs, by Newton steps; plain or with Firth's penalty.

Plain: maximum likelihood, which does not exist where a plane separates the classes; then it says
so. With the penalty of Firth (1993, Biometrika 80, 27-38), half the logarithm of the determinant
of the information (Jeffreys' prior), a finite maximum always exists (Heinze and Schemper 2002,
Statistics in Medicine 21, 2409-2419).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import linprog

from drugsig._check import FrozenArrays
from drugsig.errors import InputError

__all__ = ["LogitFit", "fit_logit"]

Floats = NDArray[np.float64]

_MOST_STEPS = 500

# The gradient that counts as zero, as a share of the total weight: rounding alone makes as much.
_LEVEL = 1e-14

# A step that changes no parameter by more than this share of the largest is the last one.
_LAST = 1e-11

# Where classes are separated the slope vanishes far out, but steps stay long: a thirtieth of the
# way or so. A shorter one says that the summit is near.
_SHORT = 1e-6

# Below this promise of a step, as a share of the total weight, heights differ by rounding; where
# features say nearly the same, already below the second. A shortened step that promises less than
# the third is given up.
_ROUNDED = 1e-10
_NEAR = 1e-6
_BLIND = 1e-13

# Directions with less than this share of the information of the best told are left alone.
_UNTOLD = 1e-12

# The penalty rests on all directions: less than this in one, and it is made of rounding.
_ALIKE = 1e-10

# A step must gain this share of what its slope promises. The penalty bends more than the
# information tells, and steps that were content with less would swing to and fro.
_GAIN = 0.25

# A separating plane must stand off from some pair by more than this, in standard deviations.
_MARGIN = 1e-6


@dataclass(frozen=True, eq=False)
class LogitFit(FrozenArrays):
    """What a logistic regression found.

    Attributes
    ----------
    intercept : float
        Natural log odds at features of zero.
    coefficients : ndarray of float64, shape (n_features,)
        Natural log odds a unit of each feature. NaN where separated.
    separated : bool
        Whether a plane separates the classes, so that no maximum exists.
    """

    intercept: float
    coefficients: Floats
    separated: bool


def fit_logit(
    features: Floats,
    linked: NDArray[np.bool_],
    weights: Floats,
    /,
    *,
    nonnegative: NDArray[np.bool_],
    penalised: bool,
) -> LogitFit:
    """Fit the log odds of being linked as a linear function of features.

    Parameters
    ----------
    features : ndarray of float64, shape (n_pairs, n_features)
        Finite, none constant.
    linked : ndarray of bool, shape (n_pairs,)
        The classes.
    weights : ndarray of float64, shape (n_pairs,)
        Above 0.
    nonnegative : ndarray of bool, shape (n_features,)
        Coefficients that must not be negative.
    penalised : bool
        Whether Firth's penalty is used.

    Returns
    -------
    LogitFit
        The maximum, or that there is none. Of features that say the same twice each gets its
        share.

    Raises
    ------
    InputError
        If no maximum is found, as where two features say the same and the penalty has none.
    """
    total = weights.sum()
    centre = weights @ features / total
    scale = np.sqrt(weights @ (features - centre) ** 2 / total)
    design = np.vstack([np.ones(len(features)), ((features - centre) / scale).T])
    sides = np.where(linked, design, -design)
    bound = np.concatenate([[False], nonnegative])
    theta, found, sure = _climb(sides, weights, bound, penalised=penalised)
    if not penalised and not sure and _separable(sides, bound):
        nothing = np.full(features.shape[1], np.nan)
        return LogitFit(intercept=np.nan, coefficients=nothing, separated=True)
    if not found:
        raise InputError(
            f"no maximum was found for a logistic regression of {len(features)} pairs on "
            f"{features.shape[1]} feature(s) with Firth's penalty. Two of them probably say the "
            "same: leave one out. Or weights are far larger than numbers of pairs: let them add "
            "up to these."
            if penalised
            else f"no maximum was found for a logistic regression of {len(features)} pairs on "
            f"{features.shape[1]} feature(s): they all but separate the classes. Take Firth's "
            "penalty, method='logistic_firth'."
        )
    slopes = theta[1:] / scale
    return LogitFit(
        intercept=float(theta[0] - slopes @ centre), coefficients=slopes, separated=False
    )


@dataclass(frozen=True, eq=False)
class _Place:
    """What the pairs say at some parameters.

    Attributes
    ----------
    theta : ndarray of float64, shape (n_parameters,)
        The parameters.
    wrong : ndarray of float64, shape (n_pairs,)
        The probability of the class that a pair is not of.
    curvature : ndarray of float64, shape (n_pairs,)
        What each pair tells.
    information : ndarray of float64, shape (n_parameters, n_parameters)
        What all of them tell of the parameters.
    height : float
        The log likelihood, with the penalty if it is wanted.
    """

    theta: Floats
    wrong: Floats
    curvature: Floats
    information: Floats
    height: float


def _place(theta: Floats, sides: Floats, weights: Floats, *, penalised: bool) -> _Place:
    odds = theta @ sides
    small = np.exp(-np.abs(odds))
    share = 1.0 / (1.0 + small)
    curvature = weights * small * share * share
    information = _information(sides, curvature)
    height = -float(weights @ (np.log1p(small) - np.minimum(odds, 0.0)))
    if penalised:
        sign, logarithm = np.linalg.slogdet(information)
        height += 0.5 * float(logarithm) if sign > 0 else -np.inf
    wrong = np.where(odds > 0.0, small * share, share)
    return _Place(theta, wrong, curvature, information, height)


def _information(sides: Floats, curvature: Floats) -> Floats:
    return np.asarray((sides * curvature) @ sides.T, dtype=np.float64)


def _climb(
    sides: Floats, weights: Floats, bound: NDArray[np.bool_], *, penalised: bool
) -> tuple[Floats, bool, bool]:
    """Return the parameters, whether they are the best, and whether these are surely finite.

    The likelihood has one summit, and a step that gains its share of what is promised leads
    upwards from everywhere. `sides` are the features of every pair, of both signs by its class,
    shape (n_parameters, n_pairs).
    """
    total = float(weights.sum())
    here = _place(np.zeros(len(sides)), sides, weights, penalised=penalised)
    if penalised and not _solved(here.information, here.theta, least=_ALIKE)[1]:
        return here.theta, False, False
    before, rounded = np.inf, _ROUNDED
    for _ in range(_MOST_STEPS):
        pull, curvature = weights * here.wrong, here.information
        if penalised:
            try:
                drawn, curvature = _penalty(here, sides, weights)
            except LinAlgError:
                return here.theta, False, False
            pull += drawn
        gradient = sides @ pull
        free = ~(bound & (here.theta == 0.0) & (gradient <= 0.0))
        step, told = _step(curvature, gradient, here.theta, bound, free)
        length = float(np.abs(step).max()) / max(1.0, float(np.abs(here.theta).max()))
        sure = told and length <= _SHORT
        if float(np.abs(gradient[free]).max(initial=0.0)) <= _LEVEL * total:
            return here.theta, True, sure
        promise = float(gradient @ step)
        if promise <= rounded * total:
            if promise >= before:
                return here.theta, True, sure
            before = promise
            here = _place(_moved(here.theta, step, bound), sides, weights, penalised=penalised)
            if length <= _LAST:
                return here.theta, True, sure
            continue
        part = 1.0
        while True:
            there = _place(
                _moved(here.theta, part * step, bound), sides, weights, penalised=penalised
            )
            if there.height >= here.height + _GAIN * part * promise:
                here = there
                break
            part /= 2.0
            if not part * promise > _BLIND * total:
                if promise > _NEAR * total or rounded == _NEAR:
                    return here.theta, False, False
                rounded = _NEAR
                break
    return here.theta, False, False


def _penalty(here: _Place, sides: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return how much the penalty pulls at every pair, and the curvature of the whole height.

    Raises
    ------
    LinAlgError
        If some direction is not told of at all.
    """
    inverse = cho_solve(cho_factor(here.information), np.eye(len(sides)))
    leverage = here.curvature * (sides * (inverse @ sides)).sum(axis=0)
    lean = 2.0 * here.wrong - 1.0
    # The penalty acts like pairs of both classes that weigh as much as the leverage.
    doubled = here.curvature * (1.0 + leverage / weights)
    bends = [_information(sides, here.curvature * lean * row) @ inverse for row in sides]
    exact = _information(sides, doubled - 0.5 * leverage * lean**2) + 0.5 * np.array(
        [[np.sum(one * other.T) for other in bends] for one in bends]
    )
    try:
        cho_factor(exact)
    except LinAlgError:
        # Far from the summit the height may bend upwards, and the step would lead down.
        exact = _information(sides, doubled)
    return 0.5 * leverage * lean, exact


def _step(
    curvature: Floats,
    gradient: Floats,
    theta: Floats,
    bound: NDArray[np.bool_],
    free: NDArray[np.bool_],
) -> tuple[Floats, bool]:
    """Return the step that keeps to the bounds, and whether every direction of it is told."""
    while True:
        step = np.zeros(len(theta))
        step[free], told = _solved(curvature[np.ix_(free, free)], gradient[free])
        # A coefficient at its bound that the others would drag across it stays there.
        dragged = bound & (theta == 0.0) & (step < 0.0)
        if not dragged.any():
            break
        free = free & ~dragged
    across = bound & (theta + step < 0.0)
    if across.any():
        step *= float((theta[across] / -step[across]).min())
    return step, told


def _moved(theta: Floats, step: Floats, bound: NDArray[np.bool_]) -> Floats:
    """Return where a step leads; a coefficient that reaches its bound is exactly there."""
    there = theta + step
    near = bound & (there <= np.finfo(np.float64).eps * theta)
    return np.where(near, 0.0, there)


def _solved(matrix: Floats, vector: Floats, *, least: float = _UNTOLD) -> tuple[Floats, bool]:
    """Solve for the shortest step: what two features both say is shared out between them."""
    size = np.sqrt(np.maximum(np.diag(matrix), np.finfo(np.float64).tiny))
    values, directions = np.linalg.eigh(matrix / np.outer(size, size))
    told = values > least * values[-1]
    parts = directions[:, told].T @ (vector / size)
    return directions[:, told] @ (parts / values[told]) / size, bool(told.all())


def _separable(sides: Floats, bound: NDArray[np.bool_]) -> bool:
    """Say whether a plane has no pair on its wrong side and some pair off it.

    Such a plane exists if and only if the likelihood has no maximum (Albert and Anderson 1984,
    Biometrika 71, 1-10); a linear programme finds it (Konis 2007, thesis, Oxford).
    """
    rows: Floats = np.unique(sides, axis=1).T
    result = linprog(
        -rows.mean(axis=0),
        A_ub=-rows,
        b_ub=np.zeros(len(rows)),
        bounds=[(0.0 if signed else -1.0, 1.0) for signed in bound],
        method="highs",
    )
    if result.status != 0 or result.x is None:
        return False
    return bool((rows @ result.x).max() > _MARGIN)
