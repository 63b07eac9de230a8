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
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh
from scipy.optimize import linprog
from scipy.special import expit, log_expit

from drugsig._check import FrozenArrays
from drugsig.errors import InputError

__all__ = ["LogitFit", "fit_logit"]

Floats = NDArray[np.float64]

_MOST_STEPS = 500
_HALVINGS = 60

# The gradient that counts as zero, as a share of the total weight.
_LEVEL = 1e-11

# Where rounding stops progress, a gradient below this share is the best there is.
_ROUNDED = 1e-7

# No step moves the log odds of a pair by more: far out, where every pair looks certain, there is
# no slope left to come back by.
_LONGEST = 5.0

# Directions with less than this share of the information of the best told are left alone.
_UNTOLD = 1e-12

# A step must gain this share of what its slope promises. The penalty bends more than the
# information tells, and steps that were content with less would swing to and fro.
_GAIN = 0.25

# Where the classes are separated the information vanishes in some direction. Below this share of
# what it was at the start the question is put to a linear programme, which knows.
_VANISHED = 1e-5

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
    design = np.column_stack([np.ones(len(features)), (features - centre) / scale])
    bound = np.concatenate([[False], nonnegative])
    theta, information, found = _climb(design, linked, weights, bound, penalised=penalised)
    doubtful = not penalised and (not found or _vanishing(design, weights, information))
    if doubtful and _separable(design, linked, bound):
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


def _climb(
    design: Floats,
    linked: NDArray[np.bool_],
    weights: Floats,
    bound: NDArray[np.bool_],
    *,
    penalised: bool,
) -> tuple[Floats, Floats, bool]:
    """Return the parameters, the information there, and whether the gradient is zero."""
    theta = np.zeros(design.shape[1])
    height = _height(theta, design, linked, weights, penalised=penalised)
    information = _information(theta, design, weights)
    for _ in range(_MOST_STEPS):
        probability = expit(design @ theta)
        information = _information(theta, design, weights)
        curvature = information
        residual = weights * (linked - probability)
        if penalised:
            try:
                factor = cho_factor(information)
            except LinAlgError:
                return theta, information, False
            spread = (design * cho_solve(factor, design.T).T).sum(axis=1)
            leverage = weights * probability * (1.0 - probability) * spread
            residual += leverage * (0.5 - probability)
            # The penalty acts like pairs of both classes that weigh as much as the leverage.
            curvature = _information(theta, design, weights + leverage)
        gradient = design.T @ residual
        # A coefficient at its bound that would like to cross it stays there.
        free = ~(bound & (theta == 0.0) & (gradient <= 0.0))
        steepest = float(np.abs(gradient[free]).max(initial=0.0))
        if steepest <= _LEVEL * weights.sum():
            return theta, information, True
        step = np.zeros(len(theta))
        step[free] = _solved(curvature[np.ix_(free, free)], gradient[free])
        step *= min(1.0, _LONGEST / max(float(np.abs(design @ step).max()), _LONGEST))
        moved = False
        for halving in range(_HALVINGS):
            trial = theta + step * 0.5**halving
            trial[bound] = np.maximum(trial[bound], 0.0)
            reached = _height(trial, design, linked, weights, penalised=penalised)
            if reached >= height + _GAIN * float(gradient @ (trial - theta)):
                moved = reached > height
                theta, height = trial, reached
                break
        if not moved:
            return theta, information, steepest <= _ROUNDED * max(1.0, weights.sum())
    return theta, information, False


def _solved(matrix: Floats, vector: Floats) -> Floats:
    """Solve for the shortest step: what two features both say is shared out between them."""
    values, directions = np.linalg.eigh(matrix)
    told = values > _UNTOLD * values[-1]
    return np.asarray(
        directions[:, told] @ ((directions[:, told].T @ vector) / values[told]), dtype=np.float64
    )


def _height(
    theta: Floats,
    design: Floats,
    linked: NDArray[np.bool_],
    weights: Floats,
    *,
    penalised: bool,
) -> float:
    """Return the log likelihood, with the penalty if it is wanted."""
    odds = design @ theta
    height = float(weights @ log_expit(np.where(linked, odds, -odds)))
    if penalised:
        sign, logarithm = np.linalg.slogdet(_information(theta, design, weights))
        height += 0.5 * float(logarithm) if sign > 0 else -np.inf
    return height


def _information(theta: Floats, design: Floats, weights: Floats) -> Floats:
    odds = design @ theta
    curvature = weights * expit(odds) * expit(-odds)
    return np.asarray(design.T @ (design * curvature[:, None]), dtype=np.float64)


def _vanishing(design: Floats, weights: Floats, information: Floats) -> bool:
    """Say whether the information in some direction is a trifle of what it was at the start."""
    start = _information(np.zeros(design.shape[1]), design, weights)
    try:
        shares = eigh(information, start, eigvals_only=True)
    except LinAlgError:
        return True
    return bool(shares.min() < _VANISHED)


def _separable(design: Floats, linked: NDArray[np.bool_], bound: NDArray[np.bool_]) -> bool:
    """Say whether a plane has no pair on its wrong side and some pair off it.

    Such a plane exists if and only if the likelihood has no maximum (Albert and Anderson 1984,
    Biometrika 71, 1-10); a linear programme finds it (Konis 2007, thesis, Oxford).
    """
    sides = np.unique(np.where(linked[:, None], design, -design), axis=0)
    result = linprog(
        -sides.mean(axis=0),
        A_ub=-sides,
        b_ub=np.zeros(len(sides)),
        bounds=[(0.0 if signed else -1.0, 1.0) for signed in bound],
        method="highs",
    )
    return result.status == 0 and bool((sides @ result.x).max() > _MARGIN)
