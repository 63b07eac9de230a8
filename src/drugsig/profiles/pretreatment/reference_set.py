"""Steps that learn from a set of profiles: weights by standard deviation, autoscaling, ranks."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from drugsig._check import listed
from drugsig.errors import RecipeError
from drugsig.profiles.pretreatment.block import Block
from drugsig.profiles.pretreatment.rule import Floats, Learned, Parameters

__all__ = [
    "autoscale",
    "learn_autoscale",
    "learn_rank",
    "learn_sd",
    "learned_for",
    "rank",
    "sd_weights",
]


# A standard deviation below this share of the largest value is rounding, not variation.
_FLAT = 1e-12

# Values that differ by less than this share of the largest are tied.
_SLACK = 1e-12


def _measured_columns(block: Block, step: str, least: int) -> list[Floats]:
    columns = [block.values[block.usable[:, k], k] for k in range(len(block.targets))]
    few = [block.names[k] for k, x in enumerate(columns) if len(x) < least]
    if few:
        raise RecipeError(
            f"step '{step}' learns from at least {least} profiles a target; {listed(few)} was "
            "measured in fewer. Learn it from a larger set and apply that recipe here."
        )
    return columns


def _mean(x: Floats) -> float:
    """Return the mean, rounded once: it does not depend on the order of the profiles."""
    try:
        return math.fsum(x) / len(x)
    except OverflowError:
        return math.inf


def _centres_and_spreads(block: Block, step: str) -> tuple[list[float], list[float]]:
    columns = _measured_columns(block, step, 2)
    centres = [_mean(x) for x in columns]
    spreads = [
        math.sqrt(_mean((x - c) ** 2) * len(x) / (len(x) - 1)) if math.isfinite(c) else math.inf
        for x, c in zip(columns, centres, strict=True)
    ]
    wild = [n for n, s in zip(block.names, spreads, strict=True) if not math.isfinite(s)]
    if wild:
        raise RecipeError(
            f"step '{step}' cannot form a standard deviation of {listed(wild)}: the values are too "
            "large. Normalise the profiles first, as with the step 'sum'."
        )
    flat = [
        n
        for n, s, x in zip(block.names, spreads, columns, strict=True)
        if not s > _FLAT * float(np.max(np.abs(x)))
    ]
    if flat:
        raise RecipeError(
            f"step '{step}' divides by a standard deviation that is zero for {listed(flat)}: "
            "the value is the same in every profile. Leave it out before: "
            f"drop_targets({', '.join(flat[:3])})."
        )
    return centres, spreads


def learn_sd(block: Block, parameters: Parameters) -> Learned:
    """Return the standard deviation of every impurity."""
    kept = block.columns(block.impurities)
    return {"targets": list(kept.names), "sd": _centres_and_spreads(kept, "sd_weights")[1]}


def learn_autoscale(block: Block, parameters: Parameters) -> Learned:
    """Return the mean and the standard deviation of every impurity."""
    kept = block.columns(block.impurities)
    centres, spreads = _centres_and_spreads(kept, "autoscale")
    return {"targets": list(kept.names), "mean": centres, "sd": spreads}


def learned_for(block: Block, step: str, learned: Learned, *numbers: str) -> None:
    """Refuse what was learned for other targets, or does not hold what the step needs.

    Parameters
    ----------
    block : Block
        The profiles to treat.
    step : str
        The name of the step.
    learned : dict
        What the recipe says it learned.
    *numbers : str
        The keys under which there must be one entry a target.

    Raises
    ------
    RecipeError
        If they do not fit.
    """
    targets = learned.get("targets")
    lists = [learned.get(key) for key in numbers]
    if not isinstance(targets, list) or any(
        not isinstance(x, list) or len(x) != len(targets) for x in lists
    ):
        raise RecipeError(
            f"step '{step}' is frozen without what it needs: 'learned' must hold targets"
            f"{''.join(f' and {key}' for key in numbers)}, one entry a target. Use the recipe of "
            "pretreated profiles, drugsig.Recipe.of(profiles)."
        )
    if list(block.names) != learned["targets"]:
        lacking = [n for n in learned["targets"] if n not in block.names]
        extra = [n for n in block.names if n not in learned["targets"]]
        raise RecipeError(
            f"step '{step}' was learned for other targets: these profiles lack "
            f"{listed(lacking) or 'none'} and add {listed(extra) or 'none'}, or have them in "
            "another order. Bring them to the same targets with profiles.keep_targets([...])."
        )


def sd_weights(block: Block, parameters: Parameters, learned: Learned) -> Block:
    """Divide every impurity by its standard deviation in the reference set."""
    kept = block.columns(block.impurities)
    learned_for(kept, "sd_weights", learned, "sd")
    return kept.divided(np.asarray(learned["sd"], dtype=np.float64)[None, :])


def autoscale(block: Block, parameters: Parameters, learned: Learned) -> Block:
    """Bring every impurity to mean 0 and standard deviation 1 in the reference set."""
    kept = block.columns(block.impurities)
    learned_for(kept, "autoscale", learned, "mean", "sd")
    mean = np.asarray(learned["mean"], dtype=np.float64)[None, :]
    spread = np.asarray(learned["sd"], dtype=np.float64)[None, :]
    shifted = replace(kept, values=kept.values - mean, limits=kept.limits - mean)
    return shifted.divided(spread)


def learn_rank(block: Block, parameters: Parameters) -> Learned:
    """Return the sorted values of every impurity."""
    kept = block.columns(block.impurities)
    columns = _measured_columns(kept, "rank", 1)
    return {"targets": list(kept.names), "sorted": [sorted(map(float, x)) for x in columns]}


def rank(block: Block, parameters: Parameters, learned: Learned) -> Block:
    """Replace every value by the share of reference profiles below it."""
    block = block.columns(block.impurities)
    learned_for(block, "rank", learned, "sorted")
    values, limits = np.full_like(block.values, np.nan), np.full_like(block.limits, np.nan)
    for k, known in enumerate(learned["sorted"]):
        reference = np.asarray(known, dtype=np.float64)
        # Equal values may have been rounded apart before.
        slack = _SLACK * float(np.abs(reference).max(initial=0.0))
        for source, out in ((block.values, values), (block.limits, limits)):
            cells = ~np.isnan(source[:, k])
            x = source[cells, k]
            below = np.searchsorted(reference, x - slack, side="left")
            up_to = np.searchsorted(reference, x + slack, side="right")
            out[cells, k] = (below + up_to) / (2.0 * len(reference))
    # A step function has no slope to carry an uncertainty with.
    return replace(
        block, values=values, limits=limits, uncertainty=np.full_like(block.values, np.nan)
    )
